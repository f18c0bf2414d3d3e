"""Trains the vehicle detector on the labelled scenes, from the plate detector's first layers.

Resumes from its checkpoint; the learning rate falls along a cosine that ends with the time given. A
running average of the weights is kept beside them; it is what is exported.
"""

import argparse
import pathlib

import torch
from torch.nn.utils.fusion import fuse_conv_bn_eval

import schedule
from detector_net import PlateDetector
from from_onnx import fold_in, unfold
from vehicles_data import Batches
from vehicles_loss import vehicle_loss
from vary import as_floats
from vehicles_net import VehicleDetector

# Batch and highest learning rate.
PROCESSOR, GPU = (8, 1.5e-3), (64, 4e-3)


def network_of(plates, batches):
    """A network that begins with the layers of a plate detector (ONNX), as they see our pictures."""
    network = VehicleDetector()
    if plates:
        detector = PlateDetector().eval()
        pictures = [as_floats(next(batches)[0].flip(3)) for _ in range(8)]
        unfold(detector, fold_in(detector, plates, pictures[0][:1]), pictures)
        network.take_over(detector.state_dict())
    return network


def first_layers(network):
    """The layers up to stride 4 as they stay, their batch norms in their convolutions."""
    layers = [fuse_conv_bn_eval(conv.eval(), norm.eval()) for conv, norm, _ in network.stage4]
    network.stage4.requires_grad_(False)
    first, second = (layer.requires_grad_(False) for layer in layers)
    return lambda pictures: second(first(pictures).relu_()).relu_()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder with index.csv")
    parser.add_argument("--plates", type=pathlib.Path, help="the plate detector (.onnx) to begin from")
    parser.add_argument("--checkpoint", type=pathlib.Path, required=True, help="read and written")
    parser.add_argument("--minutes", type=float, default=95, help="of training, earlier runs included")
    parser.add_argument("--batch", type=int, help="8, on a GPU 64")
    parser.add_argument("--rate", type=float, help="highest learning rate; 1.5e-3, on a GPU 4e-3")
    parser.add_argument("--workers", type=int, default=1, help="processes that draw")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    where = schedule.device()
    size, rate = schedule.settings(where, PROCESSOR, GPU)
    drawn = Batches(args.data, args.batch or size, args.seed)
    network = network_of(args.plates, iter(drawn)).to(where, memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=0.03)
    run = schedule.Run(args.checkpoint, network, optimiser, args.minutes, args.rate or rate,
                       decay=0.999, warm_up=200)
    drawn.seed += run.step
    batches = iter(torch.utils.data.DataLoader(
        drawn, batch_size=None, num_workers=args.workers, prefetch_factor=4))
    network.train()
    first = first_layers(network) if args.plates else network.stage4
    smooth = {}
    while run.goes_on:
        rate = run.set_rate()
        pictures, labels, unsure = (part.to(where) for part in next(batches))
        pictures = as_floats(pictures.flip(3)).contiguous(memory_format=torch.channels_last)
        with torch.autocast(where.type, dtype=torch.bfloat16):
            outputs = network.beyond(first(pictures))
        loss, parts = vehicle_loss(outputs, labels, unsure)
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
