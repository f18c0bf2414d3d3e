"""Exports the corner refiner's averaged weights as ONNX (batch 1, opset 13, batch norm folded).

`python export_refiner.py CHECKPOINT OUTPUT` checks the export against PyTorch in onnxruntime and
writes the `[refiner]` table of `manifest.toml` beside it, with the figures of `evaluate.py` where
they are given.
"""

import argparse
import json
import pathlib

import numpy as np
import onnxruntime
import torch

import rectify
from export_reader import TRAINING_DATA
from manifest import write_table
from onnx_file import write_onnx
from refiner_net import CornerRefiner


def load(checkpoint):
    """A refiner with the averaged weights of a checkpoint, or the first ones of the seed."""
    torch.manual_seed(1)
    network = CornerRefiner()
    if checkpoint:
        network.load_state_dict(torch.load(checkpoint, map_location="cpu")["average"])
    return network.eval()


def export(network, path):
    example = torch.rand(1, 3, rectify.WIDE_HEIGHT, rectify.WIDE_WIDTH)
    write_onnx(network, example, path, "view", ["corners"])
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    got = session.run(None, {"view": example.numpy()})[0]
    with torch.no_grad():
        np.testing.assert_allclose(got, network(example).numpy(), rtol=1e-3, atol=1e-4)


def facts(output, figures):
    """The manifest's table about the refiner."""
    table = {
        "file": output.name,
        "licence": "MIT OR Apache-2.0",
        "input": "view", "input_shape": [1, 3, rectify.WIDE_HEIGHT, rectify.WIDE_WIDTH],
        "input_range": "RGB / 255",
        "output": "corners", "output_shape": [1, 8],
        "decoding": "corners tl, tr, br, bl as (x, y), parts of the view",
        "margin": rectify.WIDE_MARGIN,
        "training_data": TRAINING_DATA,
    }
    if figures:
        table["figures"] = json.loads(figures.read_text(encoding="utf-8"))
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("checkpoint", type=pathlib.Path, help="a checkpoint of train_refiner.py")
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--figures", type=pathlib.Path, help="JSON")
    args = parser.parse_args()
    export(load(args.checkpoint), args.output)
    write_table(args.output.parent / "manifest.toml", "refiner", facts(args.output, args.figures))
    print(f"{args.output}: {args.output.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
