"""Takes a shipped model back into PyTorch: the checkpoint from which training goes on.

`python from_onnx.py reader|refiner|detector MODEL.onnx SHARDS CHECKPOINT` writes a checkpoint that
the trainers resume from, at minute 0 and with a fresh optimiser. The export folded the batch norms
into the convolutions; they are unfolded by what the samples in the shards make of them, so that the
network computes the same as the model, in training as well. What the export leaves out (the reader's
head for the province) begins anew.
"""

import argparse
import pathlib

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from detector_net import PlateDetector
from reader_net import PlateReader
from refiner_net import CornerRefiner
from shards import Shards

NETWORKS = {"reader": PlateReader, "refiner": CornerRefiner, "detector": PlateDetector}
# The shards' array of pictures, and whether it is BGR.
PICTURES = {"reader": ("images", False), "refiner": ("views", False), "detector": ("pictures", True)}
SAMPLES = 256


def weighted_nodes(path):
    """(weight, bias) of the model's convolutions and linear layers in the order of its nodes."""
    graph = onnx.load(str(path)).graph
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type in ("Conv", "Gemm"):
            yield [torch.from_numpy(np.array(values[name])) for name in node.input[1:3]]


def order_of_use(network, example):
    """(layer, its batch norm or None) in the order in which the network runs them."""
    used = []
    layers = [m for m in network.modules() if isinstance(m, (nn.Conv2d, nn.Linear, nn.BatchNorm2d))]
    hooks = [layer.register_forward_hook(lambda layer, *_: used.append(layer)) for layer in layers]
    with torch.no_grad():
        network(example)
    for hook in hooks:
        hook.remove()
    norms = [*used[1:], None]
    return [(layer, norm if isinstance(norm, nn.BatchNorm2d) else None)
            for layer, norm in zip(used, norms) if not isinstance(layer, nn.BatchNorm2d)]


def fold_in(network, path, example):
    """Gives the network the model's weights; its batch norms then only add the biases."""
    layers, nodes = order_of_use(network, example), list(weighted_nodes(path))
    if len(layers) != len(nodes):
        raise SystemExit(f"{path} has {len(nodes)} weighted nodes, the network {len(layers)}")
    for (layer, norm), (weight, bias) in zip(layers, nodes):
        if layer.weight.shape != weight.shape:
            raise SystemExit(f"{path}: a weight of {tuple(weight.shape)}, wanted {tuple(layer.weight.shape)}")
        layer.weight.data.copy_(weight)
        if norm is None:
            layer.bias.data.copy_(bias)
        else:
            norm.weight.data.fill_((1 + norm.eps) ** 0.5)
            norm.bias.data.copy_(bias)
    return [norm for _, norm in layers if norm is not None]


def unfold(network, norms, batches):
    """Lets each norm know the mean and the spread of its input, with the same result."""
    sums = {norm: [0, 0.0, 0.0] for norm in norms}

    def gather(norm, inputs, _):
        maps = inputs[0].double()
        total = sums[norm]
        total[0] += maps.numel() // maps.shape[1]
        total[1] += maps.sum((0, 2, 3))
        total[2] += maps.square().sum((0, 2, 3))

    hooks = [norm.register_forward_hook(gather) for norm in norms]
    with torch.no_grad():
        for batch in batches:
            network(batch)
    for hook in hooks:
        hook.remove()
    for norm, (count, total, squares) in sums.items():
        mean = total / count
        spread = (squares / count - mean.square()).clamp(min=1e-6)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(spread)
        norm.weight.data.copy_((spread + norm.eps).sqrt())
        norm.bias.data.add_(mean.float())


def pictures(which, folder):
    """Batches of the shards' pictures as the network takes them."""
    name, is_bgr = PICTURES[which]
    shards = Shards(folder, 1, (name,))
    for _ in range(8):
        batch = shards.batch(SAMPLES // 8)[0]
        batch = torch.from_numpy(np.ascontiguousarray(batch[..., ::-1] if is_bgr else batch))
        yield batch.permute(0, 3, 1, 2).float() / 255


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("which", choices=NETWORKS)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("shards", type=pathlib.Path)
    parser.add_argument("checkpoint", type=pathlib.Path)
    args = parser.parse_args()
    torch.manual_seed(1)
    network = NETWORKS[args.which]().eval()
    batches = list(pictures(args.which, args.shards))
    norms = fold_in(network, args.model, batches[0][:1])
    with torch.no_grad():
        wanted = network(batches[0])
    unfold(network, norms, batches)
    with torch.no_grad():
        found = network(batches[0])
    pairs = zip(found, wanted) if isinstance(found, tuple) else [(found, wanted)]
    worst = max(float((a - b).abs().max()) for a, b in pairs)
    print(f"greatest difference after the norms were unfolded: {worst:.2e}")
    args.checkpoint.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"network": network.state_dict(), "average": network.state_dict(), "optimiser": None,
                "minutes": 0.0, "step": 0}, args.checkpoint)


if __name__ == "__main__":
    main()
