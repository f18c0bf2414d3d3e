"""Train the plate detector from shards of composed pictures.

Resumes from its checkpoint. The learning rate warms up and then falls along a
cosine that ends with the time given, so a run may be as long as one has. A
running average of the weights is kept beside them; it is what is exported.
Shards may be replaced while training runs; it takes up the new ones.
"""

import argparse
import copy
import math
import os
import pathlib
import random
import time

import numpy
import torch

from detector_loss import detector_loss
from detector_net import PlateDetector

WARM_UP_STEPS = 300
AVERAGE = 0.9985
SAVE_SECONDS = 120
# Shards held in memory; batches are drawn across them.
SHARDS_OPEN = 3


class Shards:
    """Batches from a folder of shards, a few of them open at a time."""

    def __init__(self, folder, seed):
        self.folder = folder
        self.random = random.Random(seed)
        self.open = []

    def _load(self):
        """A shard on disk by chance, and the order to draw its pictures in."""
        while not (paths := sorted(self.folder.glob("*.npz"))):
            print("waiting for the first shard", flush=True)
            time.sleep(10)
        shard = numpy.load(self.random.choice(paths))
        arrays = [shard[name] for name in ("pictures", "labels", "unsure")]
        order = list(range(len(arrays[0])))
        self.random.shuffle(order)
        return arrays, order

    def batch(self, size):
        """Pictures (n, 3, h, w) 0..1 RGB, labels and unsure boxes as tensors."""
        drawn = []
        for _ in range(size):
            while len(self.open) < SHARDS_OPEN:
                self.open.append(self._load())
            slot = self.random.randrange(SHARDS_OPEN)
            arrays, order = self.open[slot]
            index = order.pop()
            drawn.append([array[index] for array in arrays])
            if not order:
                del self.open[slot]
        pictures, labels, unsure = (numpy.stack(part) for part in zip(*drawn))
        if self.random.random() < 0.3:
            pictures, labels, unsure = mirror(pictures, labels, unsure)
        pictures = torch.from_numpy(numpy.ascontiguousarray(pictures[..., ::-1]))
        pictures = pictures.permute(0, 3, 1, 2).float() / 255
        return pictures, torch.from_numpy(labels), torch.from_numpy(unsure)


def mirror(pictures, labels, unsure):
    """Left and right exchanged; the corners keep their order in the picture."""
    width = pictures.shape[2]
    labels, unsure = labels.copy(), unsure.copy()
    corners = labels[..., :8].reshape(*labels.shape[:2], 4, 2)[:, :, [1, 0, 3, 2]].copy()
    corners[..., 0] = width - corners[..., 0]
    labels[..., :8] = corners.reshape(*labels.shape[:2], 8)
    unsure[..., [0, 2]] = width - unsure[..., [2, 0]]
    return pictures[:, :, ::-1], labels, unsure


def learning_rate(step, progress, top):
    """Linear warm-up by steps, then a cosine over the time to its end."""
    warm = min(1.0, (step + 1) / WARM_UP_STEPS)
    return top * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0))))


def average_into(average, network, step):
    keep = min(AVERAGE, (step + 1) / (step + 10))
    with torch.no_grad():
        ours, theirs = average.state_dict(), network.state_dict()
        for name, value in ours.items():
            if value.dtype.is_floating_point:
                value.lerp_(theirs[name], 1 - keep)
            else:
                value.copy_(theirs[name])


def save(path, network, average, optimiser, step, elapsed):
    part = path.with_suffix(".part")
    torch.save(
        {
            "network": network.state_dict(),
            "average": average.state_dict(),
            "optimiser": optimiser.state_dict(),
            "step": step,
            "elapsed": elapsed,
        },
        part,
    )
    os.replace(part, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shards", type=pathlib.Path, required=True, help="folder of shards")
    parser.add_argument("--checkpoint", type=pathlib.Path, required=True, help="read and written")
    parser.add_argument("--minutes", type=float, required=True, help="of training, earlier runs included")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(arguments.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = PlateDetector().to(device, memory_format=torch.channels_last)
    average = copy.deepcopy(network)
    optimiser = torch.optim.AdamW(network.parameters(), lr=arguments.rate, weight_decay=0.02)
    step, before = 0, 0.0
    if arguments.checkpoint.exists():
        saved = torch.load(arguments.checkpoint, map_location=device)
        network.load_state_dict(saved["network"])
        average.load_state_dict(saved["average"])
        optimiser.load_state_dict(saved["optimiser"])
        step, before = saved["step"], saved["elapsed"]
    arguments.checkpoint.parent.mkdir(parents=True, exist_ok=True)
    shards = Shards(arguments.shards, arguments.seed + step)
    network.train()
    started = saved_at = time.time()
    smooth = {}
    while True:
        elapsed = before + time.time() - started
        progress = elapsed / (60 * arguments.minutes)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, progress, arguments.rate)
        pictures, labels, unsure = shards.batch(arguments.batch)
        pictures = pictures.to(device, memory_format=torch.channels_last)
        with torch.autocast(device, dtype=torch.bfloat16):
            outputs = network(pictures)
        loss, parts = detector_loss(outputs, labels.to(device), unsure.to(device))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 10.0)
        optimiser.step()
        average_into(average, network, step)
        step += 1
        for name, value in parts.items():
            smooth[name] = 0.98 * smooth.get(name, value) + 0.02 * value
        if step % 50 == 0:
            text = " ".join(f"{name} {value:.3f}" for name, value in smooth.items())
            print(f"step {step} minute {elapsed / 60:.1f} rate {group['lr']:.1e} {text}", flush=True)
        if time.time() - saved_at > SAVE_SECONDS or progress >= 1:
            save(arguments.checkpoint, network, average, optimiser, step, elapsed)
            saved_at = time.time()
        if progress >= 1:
            break


if __name__ == "__main__":
    main()
