"""Which cells answer for which vehicle, and the loss.

Cells are chosen anew at every step: those that already fit a vehicle best, as many as their boxes
cover it well (SimOTA). The score of a vehicle's class learns how well the cell's box fits, the others
and those of all other cells that they are nothing (focal loss), the box the generalised overlap.
"""

import torch
from torch.nn import functional

from detector_loss import overlaps
from vehicles_net import BOX, SCORES, boxes, cells

# Only cells so many strides around a vehicle's middle may answer for it.
REACH = 2.5
# Of so many best boxes the overlaps add up to the number of cells that answer.
BEST = 10
UNTYPED = -1


def pairwise_overlap(a, b):
    """Intersection over union of boxes (n, 4) and (m, 4)."""
    low = torch.maximum(a[:, None, :2], b[None, :, :2])
    high = torch.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    area = [(x[:, 2:] - x[:, :2]).clamp(min=0).prod(-1) for x in (a, b)]
    return shared / (area[0][:, None] + area[1][None] - shared).clamp(min=1e-6)


def assign(scores, found, places, labels):
    """Cells that answer for a vehicle of `labels` (vehicles, 5), and for which: two index tensors."""
    centre = (labels[:, :2] + labels[:, 2:4]) / 2
    half = (labels[:, 2:4] - labels[:, :2]) / 2
    off = (places[None, :, :2] - centre[:, None]).abs()
    near = (off < REACH * places[None, :, 2:]).all(-1)
    inside = (off < half[:, None]).all(-1)
    candidates = (near & (inside | (off < 0.75 * places[None, :, 2:]).all(-1))).any(0).nonzero()[:, 0]
    if not len(candidates):
        return candidates, candidates
    near, inside = near[:, candidates], inside[:, candidates]
    iou = pairwise_overlap(labels[:, :4], found[candidates])
    typed = labels[:, 4] != UNTYPED
    score = scores[candidates].sigmoid()
    wanted = functional.one_hot(labels[:, 4].clamp(min=0).long(), score.shape[1]).float()
    match = -(iou[:, :, None] * wanted[:, None] - score[None]).abs().clamp(max=0.999)
    unlike = -torch.log1p(match).sum(-1) * typed[:, None]
    cost = unlike - 3 * torch.log(iou + 1e-6) + 1e3 * ~(near & inside) + 1e6 * ~near
    count = iou.topk(min(BEST, iou.shape[1])).values.sum(1).int().clamp(min=1)
    rank = cost.argsort(1).argsort(1)
    chosen = (rank < count[:, None]) & (cost < 1e6)
    contested = torch.where(chosen, cost, torch.full_like(cost, 1e9))
    best = contested.min(0)
    taken = best.values < 1e9
    return candidates[taken], best.indices[taken]


def weights_of(places, unsure):
    """How much "nothing here" counts at each cell, given boxes (x1, y1, x2, y2, weight)."""
    x, y = places[:, 0], places[:, 1]
    inside = ((x >= unsure[:, None, 0]) & (x <= unsure[:, None, 2])
              & (y >= unsure[:, None, 1]) & (y <= unsure[:, None, 3]))
    lowest = torch.where(inside, unsure[:, None, 4], torch.ones_like(x)[None])
    return lowest.amin(0) if len(unsure) else torch.ones_like(x)


def vehicle_loss(outputs, labels, unsure):
    """Loss of a batch and its parts (a dict of floats); labels and unsure are padded with NaN."""
    places = cells([output.shape[2:] for output in outputs], outputs[0].device)
    raw = torch.cat([output.float().flatten(2) for output in outputs], 2).transpose(1, 2)
    scores, found = raw[..., SCORES], boxes(raw[..., BOX], places)
    wanted = torch.zeros_like(scores)
    weight = torch.zeros_like(scores)
    box_loss, fit, count = scores.sum() * 0, 0.0, 0
    for n in range(len(raw)):
        truth = labels[n][~labels[n, :, 0].isnan()]
        weight[n] = weights_of(places, unsure[n][~unsure[n, :, 0].isnan()])[:, None]
        if not len(truth):
            continue
        with torch.no_grad():
            cell, which = assign(scores[n], found[n], places, truth)
        truth = truth[which]
        iou, generalised = overlaps(found[n, cell], truth[:, :4])
        kind = truth[:, 4].long()
        typed = kind != UNTYPED
        wanted[n, cell[typed], kind[typed]] = iou.detach()[typed].clamp(min=0.05)
        weight[n, cell] = typed[:, None].float()
        box_loss = box_loss + (1 - generalised).sum()
        fit += float(iou.detach().sum())
        count += len(cell)
    entropy = functional.binary_cross_entropy_with_logits(scores, wanted, reduction="none")
    # Where a vehicle is all classes count alike, elsewhere as much as one seems to be there.
    answers = (wanted > 0).any(-1, keepdim=True)
    focus = torch.where(answers, torch.ones_like(scores), scores.detach().sigmoid())
    count = max(count, 1)
    score_loss = (entropy * focus * weight).sum() / count
    box_loss = box_loss / count
    parts = {"score": float(score_loss), "box": float(box_loss), "iou": fit / count}
    return 2.0 * score_loss + 2.0 * box_loss, parts
