"""Writes the vehicle detector as ONNX: batch norms folded, checked against PyTorch in onnxruntime and
timed there on one thread. The `[vehicles]` table of `manifest.toml` beside it is written too, with the
figures of `evaluate_vehicles.py` where they are given.
"""

import argparse
import json
import pathlib
import time

import numpy as np
import torch

from export_detector import session
from manifest import write_table
from onnx_file import write_onnx
from vehicles_decode import LOOKS, OVERLAP, THRESHOLD
from vehicles_net import CHANNELS, CLASSES, FRAMES, STRIDES, VehicleDetector

TRAINING_DATA = [
    "streets of babaranjitsing/Real-time-Object-Detection-for-Smart-Traffic-Management (DbCL 1.0)",
    "highway scenes of Gautam001601/TrafficVision and streets of nervewastaken/VehicleDetection "
    "(CC BY 4.0)",
    "vehicles and plates of Open Images (pictures CC BY 2.0, boxes CC BY 4.0)",
    "first layers from detector.onnx and what that was trained on",
]
WIDTH, HEIGHT = FRAMES[0]


def load(checkpoint):
    """The averaged weights of a checkpoint, ready for inference."""
    network = VehicleDetector()
    network.load_state_dict(torch.load(checkpoint, map_location="cpu")["average"])
    return network.eval()


def verify(network, path):
    """Greatest difference from PyTorch, and milliseconds per picture."""
    image = torch.rand(1, 3, HEIGHT, WIDTH)
    runner = session(path)
    found = runner.run(None, {"image": image.numpy()})
    with torch.no_grad():
        wanted = [output.numpy() for output in network(image)]
    difference = max(np.abs(a - b).max() for a, b in zip(found, wanted))
    times = []
    for _ in range(30):
        start = time.process_time()
        runner.run(None, {"image": image.numpy()})
        times.append(time.process_time() - start)
    return difference, 1000 * sorted(times)[len(times) // 2]


def facts(output, figures):
    """The manifest's table about the vehicle detector."""
    table = {
        "file": output.name,
        "licence": "MIT OR Apache-2.0",
        "input": "image",
        "input_shape": [1, 3, HEIGHT, WIDTH],
        "input_range": "RGB / 255, fitted top left, 0.5 beyond",
        "frames": [list(frame) for frame in FRAMES],
        "looks": list(LOOKS),
        "strides": list(STRIDES),
        "outputs": [f"p{stride}" for stride in STRIDES],
        "output_shapes": [[1, CHANNELS, HEIGHT // stride, WIDTH // stride] for stride in STRIDES],
        "channels": "0-3 logits of the classes; 4-5 the box's centre as (dx, dy) from the cell's in "
        "strides; 6-7 the logarithm of its width and height in strides",
        "classes": list(CLASSES),
        "threshold": THRESHOLD,
        "overlap": OVERLAP,
        "training_data": TRAINING_DATA,
    }
    if figures:
        table["figures"] = json.loads(figures.read_text(encoding="utf-8"))
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path, help="the .onnx to write")
    parser.add_argument("--figures", type=pathlib.Path, help="JSON of evaluate_vehicles.py")
    args = parser.parse_args()
    network = load(args.checkpoint)
    write_onnx(network, torch.zeros(1, 3, HEIGHT, WIDTH), args.out, "image",
               [f"p{stride}" for stride in STRIDES])
    difference, milliseconds = verify(network, args.out)
    size = args.out.stat().st_size / 1e6
    print(f"{args.out}: {size:.2f} MB, {milliseconds:.1f} ms, differs {difference:.1e}")
    if difference > 1e-2:
        raise SystemExit("the exported network does not compute what PyTorch does")
    write_table(args.out.parent / "manifest.toml", "vehicles", facts(args.out, args.figures))


if __name__ == "__main__":
    main()
