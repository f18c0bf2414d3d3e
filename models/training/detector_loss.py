"""What the detector's maps should say about a picture's plates, and the loss."""

import torch
from torch.nn import functional

from detector_net import CORNERS, KIND, PLATE, STRIDES, TWO_LINES

# Plate widths (pixels of the network's frame) that each stride answers for;
# neighbours overlap, and up to SLACK beyond a range nothing is asked.
RANGES = {8: (0.0, 100.0), 16: (68.0, 240.0), 32: (170.0, 1e9)}
SLACK = 1.35
# Cells within this part of the plate, about its centre, answer for it.
CORE = 0.6

UNSET = -1


def cell_centres(height, width, stride, device):
    """Centres (x, y) of a map's cells, shape (height*width, 2)."""
    y, x = torch.meshgrid(
        torch.arange(height, device=device), torch.arange(width, device=device), indexing="ij"
    )
    return torch.stack([x, y], dim=-1).reshape(-1, 2).float().add(0.5).mul(stride)


def side_lengths(corners):
    """Mean width and height of quadrilaterals (..., 4, 2)."""
    tl, tr, br, bl = corners.unbind(-2)
    width = ((tr - tl).norm(dim=-1) + (br - bl).norm(dim=-1)) / 2
    height = ((bl - tl).norm(dim=-1) + (br - tr).norm(dim=-1)) / 2
    return width, height


def assign(labels, unsure, height, width, stride):
    """For each cell of one map: the plate it answers for, and its weight.

    `labels` (batch, plates, 11) and `unsure` (batch, boxes, 5) are padded with
    NaN. Returns the plate's index or UNSET, the weight of "no plate here", and
    how central the cell lies in its plate (1 in the middle, 0.5 at the core's edge).
    """
    centres = cell_centres(height, width, stride, labels.device)
    corners = labels[..., :8].unflatten(-1, (4, 2))
    present = ~labels[..., 0].isnan()
    corners = torch.where(present[..., None, None], corners, torch.full_like(corners, -1e4))
    middle = corners.mean(dim=-2)
    tl, tr, br, bl = corners.unbind(-2)
    across = ((tr + br) - (tl + bl)) / 4
    down = ((bl + br) - (tl + tr)) / 4
    # Where the cell lies in the plate, -1..1 from edge to edge both ways.
    offset = centres - middle[:, :, None]
    cross = (across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0])[..., None]
    cross = torch.where(cross.abs() < 1e-3, torch.full_like(cross, 1e-3), cross)
    u = (offset[..., 0] * down[..., 1, None] - offset[..., 1] * down[..., 0, None]) / cross
    v = (offset[..., 1] * across[..., 0, None] - offset[..., 0] * across[..., 1, None]) / cross
    depth = torch.maximum(u.abs(), v.abs())
    # The nearest cell answers even where a plate is too thin to hold a centre.
    distance = offset.square().sum(-1)
    nearest = distance <= distance.amin(dim=-1, keepdim=True) + 1e-3
    plate_width = side_lengths(corners)[0]
    low, high = RANGES[stride]
    mine = present & (plate_width >= low) & (plate_width < high)
    near = present & (plate_width >= low / SLACK) & (plate_width < high * SLACK)
    core = ((depth < CORE) | nearest) & mine[..., None]
    # The plate whose middle is nearest wins a contested cell.
    best = torch.where(core, distance, torch.full_like(distance, 1e9)).min(dim=1)
    index = torch.where(best.values < 1e9, best.indices, torch.full_like(best.indices, UNSET))
    rim = ((depth < 1.1) & near[..., None]).any(dim=1)
    weight = torch.ones_like(index, dtype=torch.float32)
    boxes = unsure.nan_to_num(nan=-1e4)
    inside = (
        (centres[:, 0] >= boxes[..., 0, None]) & (centres[:, 0] <= boxes[..., 2, None])
        & (centres[:, 1] >= boxes[..., 1, None]) & (centres[:, 1] <= boxes[..., 3, None])
        & ~unsure[..., 0, None].isnan()
    )
    lowest = torch.where(inside, boxes[..., 4, None], torch.ones_like(boxes[..., 4, None]))
    weight = weight * lowest.amin(dim=1) if unsure.shape[1] else weight
    deep = depth.gather(1, best.indices[:, None]).squeeze(1)
    central = 1 - 0.5 * (deep / CORE).clamp(max=1)
    return index, torch.where(rim, torch.zeros_like(weight), weight), central


def bounds(corners):
    """Bounding boxes of quadrilaterals (..., 4, 2) as (..., 4)."""
    return torch.cat([corners.amin(dim=-2), corners.amax(dim=-2)], dim=-1)


def overlaps(a, b):
    """Intersection over union of boxes pairwise, and the generalised one."""
    low, high = torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    union = (a[:, 2:] - a[:, :2]).prod(-1) + (b[:, 2:] - b[:, :2]).prod(-1) - shared
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(-1)
    iou = shared / union.clamp(min=1e-6)
    return iou, iou - (hull - union) / hull.clamp(min=1e-6)


def detector_loss(outputs, labels, unsure):
    """Loss of a batch and its parts (a dict of floats)."""
    total = dict.fromkeys(("plate", "corner", "box", "kind", "lines", "iou"), 0.0)
    count = 0
    for stride, output in zip(STRIDES, outputs):
        output = output.float()
        height, width = output.shape[2:]
        index, weight, central = assign(labels, unsure, height, width, stride)
        cells = output.flatten(2).transpose(1, 2)
        picture, cell = (index != UNSET).nonzero(as_tuple=True)
        wanted = torch.zeros_like(weight)
        if len(picture):
            chosen = cells[picture, cell]
            truth = labels[picture, index[picture, cell]]
            centres = cell_centres(height, width, stride, output.device)[cell]
            found = chosen[:, CORNERS].unflatten(-1, (4, 2)) * stride + centres[:, None]
            corners = truth[:, :8].unflatten(-1, (4, 2))
            plate_width, plate_height = side_lengths(corners)
            unit = (plate_width * plate_height).sqrt()[:, None, None]
            exact = truth[:, 8, None, None]
            near = central[picture, cell]
            iou, generalised = overlaps(bounds(found), bounds(corners))
            difference = functional.smooth_l1_loss(
                found / unit, corners / unit, beta=0.04, reduction="none"
            )
            edges = functional.smooth_l1_loss(
                bounds(found) / unit[:, 0], bounds(corners) / unit[:, 0], beta=0.04, reduction="none"
            )
            corner = (difference * exact).sum((1, 2)) / 8 + (edges * (1 - exact[:, 0])).sum(1) / 4
            total["corner"] += (corner * near).sum()
            total["box"] += ((1 - generalised) * near).sum()
            total["iou"] += iou.sum().item()
            known = truth[:, 9] >= 0
            total["kind"] += functional.cross_entropy(
                chosen[known, KIND], truth[known, 9].long(), reduction="sum"
            )
            known = truth[:, 10] >= 0
            total["lines"] += functional.binary_cross_entropy_with_logits(
                chosen[known, TWO_LINES], truth[known, 10], reduction="sum"
            )
            wanted[picture, cell] = (0.5 + 0.5 * iou.detach()) * (0.5 + 0.5 * near)
            weight[picture, cell] = 1.0
            count += len(picture)
        logit = cells[..., PLATE]
        entropy = functional.binary_cross_entropy_with_logits(logit, wanted, reduction="none")
        focus = (logit.detach().sigmoid() - wanted).abs().square()
        total["plate"] += (entropy * focus * weight).sum()
    count = max(count, 1)
    loss = (
        2.0 * total["plate"] + 12.0 * total["corner"] + 2.0 * total["box"]
        + 0.3 * total["kind"] + 0.1 * total["lines"]
    ) / count
    return loss, {name: float(part) / count for name, part in total.items()}
