"""Trains the plate detector from the shards of `detector_data.py`.

Resumes from its checkpoint. The learning rate warms up and then falls along a cosine that ends with
the time given, so a run may be as long as one has. A running average of the weights is kept beside
them; it is what is exported. Shards may be replaced while training runs; it takes up the new ones.
"""

import argparse
import pathlib
import random

import torch

import schedule
from detector_loss import detector_loss
from detector_net import PlateDetector
from shards import batches_of
from vary import as_floats, light, noisy

# Batch and highest learning rate.
PROCESSOR, GPU = (16, 2e-3), (128, 4e-3)
# Of the batches so many are mirrored: letters do not read backwards, plates look alike.
MIRRORED = 0.3


def mirror(pictures, labels, unsure):
    """Left and right exchanged; the corners keep their order in the picture."""
    width = pictures.shape[2]
    labels, unsure = labels.clone(), unsure.clone()
    corners = labels[..., :8].unflatten(-1, (4, 2))[:, :, [1, 0, 3, 2]].clone()
    corners[..., 0] = width - corners[..., 0]
    labels[..., :8] = corners.flatten(-2)
    unsure[..., [0, 2]] = width - unsure[..., [2, 0]]
    return pictures.flip(2), labels, unsure


def varied(pictures):
    """NHWC bytes, BGR, as RGB in 0..1; half the batches in another light, some with noise."""
    x = as_floats(pictures.flip(3))
    if random.random() < 0.3:
        x = noisy(x)
    return light(x) if random.random() < 0.5 else x


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--shards", type=pathlib.Path, required=True, help="folder of shards")
    parser.add_argument("--checkpoint", type=pathlib.Path, required=True, help="read and written")
    parser.add_argument("--minutes", type=float, default=95, help="of training, earlier runs included")
    parser.add_argument("--batch", type=int, help="16, on a GPU 128")
    parser.add_argument("--rate", type=float, help="highest learning rate; 2e-3, on a GPU 4e-3")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    where = schedule.device()
    size, rate = schedule.settings(where, PROCESSOR, GPU)
    network = PlateDetector().to(where, memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=0.02)
    run = schedule.Run(args.checkpoint, network, optimiser, args.minutes, args.rate or rate,
                       decay=0.9985, warm_up=300)
    batches = batches_of(args.shards, args.seed + run.step, ("pictures", "labels", "unsure"),
                         args.batch or size, where)
    network.train()
    smooth = {}
    while run.goes_on:
        rate = run.set_rate()
        pictures, labels, unsure = batches()
        if random.random() < MIRRORED:
            pictures, labels, unsure = mirror(pictures, labels, unsure)
        pictures = varied(pictures).contiguous(memory_format=torch.channels_last)
        with torch.autocast(where.type, dtype=torch.bfloat16):
            outputs = network(pictures)
        loss, parts = detector_loss(outputs, labels, unsure)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 10.0)
        optimiser.step()
        run.stepped()
        for name, value in parts.items():
            smooth[name] = 0.98 * smooth.get(name, value) + 0.02 * value
        if run.step % 50 == 0:
            text = " ".join(f"{name} {value:.3f}" for name, value in smooth.items())
            print(f"{run.spent:6.1f} min  step {run.step}  rate {rate:.1e}  {text}", flush=True)


if __name__ == "__main__":
    main()
