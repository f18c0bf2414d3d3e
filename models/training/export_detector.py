"""Write the detector as ONNX: fixed input shape, batch norms folded, checked
against PyTorch in onnxruntime and timed there on one thread. The `[detector]`
table of `manifest.toml` beside it is written too, with the figures of
`evaluate_detector.py` where they are given.
"""

import argparse
import json
import pathlib
import time

import numpy
import onnxruntime
import torch

from detector_decode import OVERLAP, THRESHOLD
from detector_net import CHANNELS, INPUT_HEIGHT, INPUT_WIDTH, KINDS, STRIDES, PlateDetector
from manifest import write_table
from onnx_file import write_onnx

TRAINING_DATA = [
    "toll and street scenes and plates of szad670401/HyperLPR and liuruoze/EasyPR (Apache-2.0)",
    "street scenes of detectRecog/CCPD and wulb97/CLPRNet (MIT)",
    "plate crops of chenweijiang99/yolo_-lprnet_-pytorch (Apache-2.0)",
    "road scenes of RobertLucian/license-plate-dataset (MIT)",
    "vehicles and plates of Open Images (pictures CC BY 2.0, boxes CC BY 4.0)",
    "vehicles of babaranjitsing/Real-time-Object-Detection-for-Smart-Traffic-Management (DbCL 1.0)",
    "vehicles of Gautam001601/TrafficVision and nervewastaken/VehicleDetection (CC BY 4.0)",
    "drawn plates: glyph templates of huangxinping and pengfei (MIT); fonts Noto CJK (OFL-1.1), "
    "WenQuanYi (GPL with font exception, Apache-2.0), DejaVu (Bitstream Vera), "
    "Liberation (OFL-1.1), Roboto (Apache-2.0)",
]


def load(checkpoint):
    """The averaged weights of a checkpoint, ready for inference."""
    network = PlateDetector()
    if checkpoint:
        network.load_state_dict(torch.load(checkpoint, map_location="cpu")["average"])
    return network.eval()


def export(network, path):
    """Write `network` to `path` with outputs p8, p16, ..."""
    example = torch.zeros(1, 3, INPUT_HEIGHT, INPUT_WIDTH)
    outputs = [f"p{stride}" for stride in STRIDES]
    write_onnx(network, example, path, "image", outputs)


def session(model):
    """An onnxruntime session on one thread, of a file or of its bytes."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    model = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def verify(network, path):
    """Greatest difference from PyTorch, and milliseconds per picture."""
    image = torch.rand(1, 3, INPUT_HEIGHT, INPUT_WIDTH)
    runner = session(path)
    found = runner.run(None, {"image": image.numpy()})
    with torch.no_grad():
        wanted = [output.numpy() for output in network(image)]
    difference = max(numpy.abs(a - b).max() for a, b in zip(found, wanted))
    times = []
    for _ in range(30):
        start = time.perf_counter()
        runner.run(None, {"image": image.numpy()})
        times.append(time.perf_counter() - start)
    return difference, 1000 * sorted(times)[len(times) // 2]


def facts(output, figures):
    """The manifest's table about the detector."""
    table = {
        "file": output.name,
        "licence": "MIT OR Apache-2.0",
        "input": "image",
        "input_shape": [1, 3, INPUT_HEIGHT, INPUT_WIDTH],
        "input_range": "RGB / 255, fitted top left, 0.5 beyond",
        "strides": list(STRIDES),
        "outputs": [f"p{stride}" for stride in STRIDES],
        "output_shapes": [
            [1, CHANNELS, INPUT_HEIGHT // stride, INPUT_WIDTH // stride] for stride in STRIDES
        ],
        "channels": "0 plate logit; 1-8 corners tl, tr, br, bl as (dx, dy) from the cell's "
        "centre in strides; 9-14 logits of kinds; 15 logit of two lines",
        "kinds": list(KINDS),
        "threshold": THRESHOLD,
        "overlap": OVERLAP,
        "training_data": TRAINING_DATA,
    }
    if figures:
        table["figures"] = json.loads(figures.read_text(encoding="utf-8"))
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=pathlib.Path, help="none: untrained weights")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the .onnx to write")
    parser.add_argument("--figures", type=pathlib.Path, help="JSON of evaluate_detector.py")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    network = load(arguments.checkpoint)
    export(network, arguments.out)
    difference, milliseconds = verify(network, arguments.out)
    size = arguments.out.stat().st_size / 1e6
    print(f"{arguments.out}: {size:.2f} MB, {milliseconds:.1f} ms, differs {difference:.1e}")
    if difference > 1e-2:
        raise SystemExit("the exported network does not compute what PyTorch does")
    write_table(arguments.out.parent / "manifest.toml", "detector", facts(arguments.out, arguments.figures))


if __name__ == "__main__":
    main()
