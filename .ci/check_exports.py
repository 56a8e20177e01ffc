"""Runs the exported networks in a folder with ONNX Runtime, and with PyTorch where there is one.

    python check_exports.py onnx|torch FOLDER

Each network NAME has NAME.onnx, NAME.safetensors with NAME.py, its inputs NAME.x and its outputs NAME.y: a line of
sizes, then float32. Where the network takes any length or size, NAME.x2 and NAME.y2 are of another one, in another
batch. The same file runs on both, and on single samples.
"""

import importlib.util
import pathlib
import sys

import numpy as np

TOLERANCE = 1e-4


def array(path):
    head, data = path.read_bytes().split(b"\n", 1)
    return np.frombuffer(data, "<f4").reshape([int(n) for n in head.split()])


def with_onnxruntime(onnx, free):
    import onnxruntime

    onnxruntime.set_default_logger_severity(3)
    session = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
    meta = session.get_modelmeta().custom_metadata_map
    assert session.get_modelmeta().producer_name == "dashnas" and "kernels" in meta, meta
    given = [i for i in session.get_inputs() if i.name == "input"]
    assert len(given) == 1 and given[0].shape[0] == "batch", given
    # A name stands for a size that is free.
    assert all(isinstance(n, str) == free for n in given[0].shape[2:]), (onnx.name, given[0].shape)
    lengths = any(i.name == "lengths" for i in session.get_inputs())
    return lambda x: session.run(None, given_values(x, lengths))[0]


def given_values(x, with_lengths):
    """The inputs by name. Samples with lengths of their own are NaN after their ends, where any number may stand."""
    if not with_lengths:
        return {"input": x}
    known = ~np.isnan(x).all(axis=tuple(range(1, x.ndim - 1)))
    return {"input": np.nan_to_num(x, nan=3.5), "lengths": known.sum(axis=1).astype(np.int64)}


def with_torch(onnx, _):
    import torch

    spec = importlib.util.spec_from_file_location("network", onnx.with_suffix(".py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network = module.load()
    lengths = hasattr(module, "masked")

    def run(x):
        with torch.no_grad():
            return network(*(torch.from_numpy(v.copy()) for v in given_values(x, lengths).values())).numpy()

    return run


def scale(y):
    """The outputs' spread about their means, or a tenth of the largest: an offset must not hide a difference."""
    means = np.nanmean(y, axis=(0, *range(2, y.ndim)), keepdims=True)
    return max(np.nanmax(np.abs(y - means)), 0.1 * np.nanmax(np.abs(y)))


def main(runtime, folder):
    load = {"onnx": with_onnxruntime, "torch": with_torch}[runtime]
    files = sorted(pathlib.Path(folder).glob("*.onnx"))
    assert len(files) > 100, f"only {len(files)} networks in {folder}"
    worst, free = ("", 0.0), 0
    for onnx in files:
        pairs = [(onnx.with_suffix(".x"), onnx.with_suffix(".y"))]
        if onnx.with_suffix(".x2").exists():
            pairs.append((onnx.with_suffix(".x2"), onnx.with_suffix(".y2")))
            free += 1
        run = load(onnx, len(pairs) == 2)
        for x, expected in [tuple(map(array, pair)) for pair in pairs]:
            for rows in (slice(None), slice(1)):
                y = run(x[rows])
                assert y.shape == expected[rows].shape, f"{onnx.name}: {y.shape}, not {expected[rows].shape}"
                # What follows the end of a sample is unknown.
                difference = float(np.nanmax(np.abs(y - expected[rows])) / scale(expected))
                assert np.isfinite(y).all(), onnx.name
                if not difference <= TOLERANCE:
                    sys.exit(f"{onnx.name} on inputs {x[rows].shape}: differs by {difference:.3e} of the outputs' scale, "
                             f"more than {TOLERANCE}")
                worst = max(worst, (onnx.name, difference), key=lambda w: w[1])
    assert free > 50, f"only {free} networks of any length or size"
    print(f"{runtime}: {len(files)} networks agree, {free} of them at two lengths or sizes; the largest difference is "
          f"{worst[1]:.2e} of the outputs' scale ({worst[0]})")


if __name__ == "__main__":
    main(*sys.argv[1:])
