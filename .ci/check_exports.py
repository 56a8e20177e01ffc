"""Runs the exported networks in a folder with ONNX Runtime, and with PyTorch where there is one.

    python check_exports.py onnx|torch FOLDER

Each network NAME has NAME.onnx, NAME.safetensors with NAME.py, its inputs NAME.x and its outputs NAME.y: a line of
sizes, then float32.
"""

import importlib.util
import pathlib
import sys

import numpy as np

TOLERANCE = 1e-4


def array(path):
    head, data = path.read_bytes().split(b"\n", 1)
    return np.frombuffer(data, "<f4").reshape([int(n) for n in head.split()])


def with_onnxruntime(onnx, x):
    import onnxruntime

    onnxruntime.set_default_logger_severity(3)
    session = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
    meta = session.get_modelmeta().custom_metadata_map
    assert session.get_modelmeta().producer_name == "dashnas" and "kernels" in meta, meta
    given = [i for i in session.get_inputs() if i.name == "input"]
    assert len(given) == 1 and given[0].shape[0] == "batch", given
    (y,) = session.run(None, {"input": x})
    # One sample alone: the batch is free.
    (first,) = session.run(None, {"input": x[:1]})
    assert np.allclose(first, y[:1], rtol=1e-4, atol=1e-4 * np.abs(y).max())
    return y


def with_torch(onnx, x):
    import torch

    spec = importlib.util.spec_from_file_location("network", onnx.with_suffix(".py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with torch.no_grad():
        return module.load()(torch.from_numpy(x.copy())).numpy()


def main(runtime, folder):
    run = {"onnx": with_onnxruntime, "torch": with_torch}[runtime]
    files = sorted(pathlib.Path(folder).glob("*.onnx"))
    assert len(files) > 100, f"only {len(files)} networks in {folder}"
    worst = ("", 0.0)
    for onnx in files:
        x, expected = array(onnx.with_suffix(".x")), array(onnx.with_suffix(".y"))
        y = run(onnx, x)
        assert y.shape == expected.shape, f"{onnx.name}: {y.shape}, not {expected.shape}"
        difference = float(np.abs(y - expected).max() / np.abs(expected).max())
        if not difference <= TOLERANCE:
            sys.exit(f"{onnx.name}: differs by {difference:.3e} of the outputs' scale, more than {TOLERANCE}")
        worst = max(worst, (onnx.name, difference), key=lambda w: w[1])
    print(f"{runtime}: {len(files)} networks agree; the largest relative difference is {worst[1]:.2e} ({worst[0]})")


if __name__ == "__main__":
    main(*sys.argv[1:])
