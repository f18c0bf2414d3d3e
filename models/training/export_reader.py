"""Exports the reader's averaged weights as ONNX (batch 1, opset 13, batch norm folded).

`python export_reader.py CHECKPOINT OUTPUT`; with `--untrained` the first weights of the fixed
seed are written, for measuring and for building against the contract. The export is checked
against PyTorch in onnxruntime, and the `[reader]` table of `manifest.toml` beside it is written,
with the temperature of `calibrate.py` and the figures of `evaluate.py` where they are given.
"""

import argparse
import json
import pathlib

import numpy as np
import onnxruntime
import torch

import rectify
from manifest import write_table
from onnx_file import write_onnx
from plates import CHARSET
from reader_net import CLASSES, STEPS, PlateReader

TRAINING_DATA = [
    "drawn plates: glyph templates of huangxinping and pengfei (MIT); fonts Noto CJK (OFL-1.1), "
    "WenQuanYi (GPL with font exception, Apache-2.0), DejaVu (Bitstream Vera), "
    "Liberation (OFL-1.1), Roboto (Apache-2.0)",
    "plate crops of sirius-ai/LPRNet_Pytorch, chenweijiang99/yolo_-lprnet_-pytorch and "
    "szad670401/HyperLPR (Apache-2.0)",
    "plates and backgrounds in scenes of szad670401/HyperLPR and liuruoze/EasyPR (Apache-2.0), "
    "detectRecog/CCPD, wulb97/CLPRNet and RobertLucian/license-plate-dataset (MIT)",
]


def load(checkpoint):
    """A reader with the averaged weights of a checkpoint, or the first ones of the seed."""
    torch.manual_seed(1)
    network = PlateReader()
    if checkpoint:
        network.load_state_dict(torch.load(checkpoint, map_location="cpu")["average"])
    return network.eval()


def export(network, path):
    example = torch.rand(1, 3, 48, 168)
    write_onnx(network, example, path, "plate", ["logits"])
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    got = session.run(None, {"plate": example.numpy()})[0]
    assert got.shape == (1, STEPS, CLASSES), got.shape
    with torch.no_grad():
        np.testing.assert_allclose(got, network(example).numpy(), rtol=1e-3, atol=1e-3)


def facts(output, temperature, figures):
    """The manifest's table about the reader."""
    table = {
        "file": output.name,
        "licence": "MIT OR Apache-2.0",
        "input": "plate", "input_shape": [1, 3, rectify.HEIGHT, rectify.WIDTH],
        "input_range": "RGB / 255",
        "output": "logits", "output_shape": [1, STEPS, CLASSES],
        "decoding": "CTC, class 0 blank, class 1 the first of charset",
        "charset": CHARSET,
        "margin": rectify.MARGIN,
        "split_upper": rectify.SPLIT_UPPER, "split_lower": rectify.SPLIT_LOWER,
        "upper_width": rectify.UPPER_WIDTH,
        "temperature": temperature,
        "probability": "product over the characters of the highest softmax(logits / temperature) "
                       "within the character's run of steps",
        "training_data": TRAINING_DATA,
    }
    if figures:
        table["figures"] = json.loads(figures.read_text(encoding="utf-8"))
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("checkpoint", nargs="?", help="a checkpoint of train_reader.py")
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--untrained", action="store_true")
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--figures", type=pathlib.Path, help="JSON written by evaluate.py")
    args = parser.parse_args()
    if not args.checkpoint and not args.untrained:
        parser.error("name a checkpoint, or say --untrained")
    export(load(args.checkpoint), args.output)
    write_table(args.output.parent / "manifest.toml", "reader",
                facts(args.output, args.temperature, args.figures))
    print(f"{args.output}: {args.output.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
