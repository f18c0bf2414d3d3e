"""Exports the reader's averaged weights as ONNX (batch 1, opset 13, batch norm folded).

`python export_reader.py CHECKPOINT OUTPUT`; with `--untrained` the first weights of the fixed
seed are written, for measuring and for building against the contract. The export is checked
against PyTorch in onnxruntime.
"""

import argparse
import pathlib

import numpy as np
import onnx
import onnxruntime
import torch

from reader_net import CLASSES, STEPS, PlateReader

OPSET = 13


def load(checkpoint):
    """A reader with the averaged weights of a checkpoint, or the first ones of the seed."""
    torch.manual_seed(1)
    network = PlateReader()
    if checkpoint:
        network.load_state_dict(torch.load(checkpoint, map_location="cpu")["average"])
    return network.eval()


def export(network, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    example = torch.rand(1, 3, 48, 168)
    torch.onnx.export(network, example, str(path), opset_version=OPSET, input_names=["plate"],
                      output_names=["logits"], do_constant_folding=True)
    onnx.checker.check_model(onnx.load(str(path)))
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    got = session.run(None, {"plate": example.numpy()})[0]
    assert got.shape == (1, STEPS, CLASSES), got.shape
    with torch.no_grad():
        np.testing.assert_allclose(got, network(example).numpy(), rtol=1e-3, atol=1e-3)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("checkpoint", nargs="?", help="a checkpoint of train_reader.py")
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--untrained", action="store_true")
    args = parser.parse_args()
    if not args.checkpoint and not args.untrained:
        parser.error("name a checkpoint, or say --untrained")
    export(load(args.checkpoint), args.output)
    print(f"{args.output}: {args.output.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
