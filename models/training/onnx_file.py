"""Writes a network as ONNX in the form that tract and onnxruntime read: opset 13, fixed shapes."""

import inspect

import onnx
import torch

OPSET = 13


def write_onnx(network, example, path, input_name, output_names):
    """Exports `network` as it works on `example` and checks the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Later versions of PyTorch would choose an exporter that knows no opset as old.
    known = inspect.signature(torch.onnx.export).parameters
    plain = {"dynamo": False} if "dynamo" in known else {}
    torch.onnx.export(network, example, str(path), opset_version=OPSET, input_names=[input_name],
                      output_names=output_names, do_constant_folding=True, **plain)
    onnx.checker.check_model(onnx.load(str(path)))
