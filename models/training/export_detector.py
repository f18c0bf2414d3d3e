"""Write the detector as ONNX: fixed input shape, batch norms folded, checked
against PyTorch in onnxruntime and timed there on one thread.
"""

import argparse
import pathlib
import time

import numpy
import onnx
import onnxruntime
import torch

from detector_net import INPUT_HEIGHT, INPUT_WIDTH, STRIDES, PlateDetector

OPSET = 13


def load(checkpoint):
    """The averaged weights of a checkpoint, ready for inference."""
    network = PlateDetector()
    if checkpoint:
        network.load_state_dict(torch.load(checkpoint, map_location="cpu")["average"])
    return network.eval()


def export(network, path):
    """Write `network` to `path` with outputs p8, p16, ..."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        network,
        torch.zeros(1, 3, INPUT_HEIGHT, INPUT_WIDTH),
        str(path),
        opset_version=OPSET,
        input_names=["image"],
        output_names=[f"p{stride}" for stride in STRIDES],
        do_constant_folding=True,
    )
    onnx.checker.check_model(onnx.load(str(path)))


def session(path):
    """An onnxruntime session on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        str(path), options, providers=["CPUExecutionProvider"]
    )


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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=pathlib.Path, help="none: untrained weights")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the .onnx to write")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    network = load(arguments.checkpoint)
    export(network, arguments.out)
    difference, milliseconds = verify(network, arguments.out)
    size = arguments.out.stat().st_size / 1e6
    print(f"{arguments.out}: {size:.2f} MB, {milliseconds:.1f} ms, differs {difference:.1e}")
    if difference > 1e-2:
        raise SystemExit("the exported network does not compute what PyTorch does")


if __name__ == "__main__":
    main()
