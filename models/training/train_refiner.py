"""Trains the corner refiner from the views in the shards of `reader_data.py`.

The error counts in units of the view, by its absolute size: a plate far off weighs no more than its
distance. Resumes from its checkpoint, keeps averaged weights, and ends its cosine after `--minutes`.
"""

import argparse
import pathlib

import torch
from torch import nn
from torch.nn import functional

import schedule
from reader_net import level
from refiner_net import CornerRefiner
from shards import batches_of
from vary import as_floats, photographed

# Batch and highest learning rate.
PROCESSOR, GPU = (128, 2e-3), (1024, 4e-3)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--shards", required=True, type=pathlib.Path)
    parser.add_argument("--checkpoint", required=True, type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=40)
    parser.add_argument("--batch", type=int, help="128, on a GPU 1024")
    parser.add_argument("--rate", type=float, help="highest learning rate; 2e-3, on a GPU 4e-3")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    where = schedule.device()
    size, rate = schedule.settings(where, PROCESSOR, GPU)
    network = CornerRefiner().to(where, memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=0.01)
    run = schedule.Run(args.checkpoint, network, optimiser, args.minutes, args.rate or rate,
                       decay=0.999)
    batches = batches_of(args.shards, args.seed + run.step, ("views", "aims"), args.batch or size,
                         where)
    network.train()
    error = torch.zeros((), device=where)
    while run.goes_on:
        run.set_rate()
        views, aims = batches()
        with torch.autocast(where.type, dtype=torch.bfloat16):
            maps = network.features(level(photographed(as_floats(views))))
        found = network.head(maps.float())
        loss = functional.smooth_l1_loss(found, aims, beta=0.01)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        run.stepped()
        error += (found - aims).detach().abs().mean()
        if run.step % 200 == 0:
            print(f"{run.spent:6.1f} min  step {run.step}  mean error {float(error) / 200:.4f} "
                  "of the view", flush=True)
            error.zero_()


if __name__ == "__main__":
    main()
