"""Small data, and settings under which a fit takes a moment."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

#: A few steps of everything: for what does not depend on how good the model is.
TINY: dict[str, Any] = {
    "space": {"kernel_sizes": [3, 5], "dilations": [1, 2]},
    "backbone": {"channels": 4},
    "race": {"steps": 6},
    "tune": {"epochs": 1, "min_steps": 0, "max_steps": 2, "learning_rates": [0.1], "dropouts": [0.0]},
    "retrain": {"epochs": 1, "min_steps": 0, "max_steps": 4},
}


@pytest.fixture
def tiny() -> dict[str, Any]:
    return {"preset": "quick", "config": TINY}


def with_weights(model: bytes, name: str, value: float) -> bytes:
    """The contents of a model file with one tensor filled with a value, and a checksum to match."""
    size = 8 + int.from_bytes(model[:8], "little")
    header, tensors = json.loads(model[8:size]), bytearray(model[size:])
    text = header["__metadata__"]["dashnas"]
    begin, end = header[name]["data_offsets"]
    tensors[begin:end] = np.full((end - begin) // 4, value, "<f4").tobytes()
    digest = hashlib.sha256(text.replace(json.loads(text)["sha256"], "0" * 64, 1).encode())
    for key in sorted(header.keys() - {"__metadata__"}):
        digest.update(key.encode() + np.array(header[key]["shape"], "<u8").tobytes())
        digest.update(tensors[slice(*header[key]["data_offsets"])])
    header["__metadata__"]["dashnas"] = text.replace(json.loads(text)["sha256"], digest.hexdigest(), 1)
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    return len(head).to_bytes(8, "little") + head + bytes(tensors)


def waves(n: int, seed: int = 0, channels: int = 1, length: int = 24) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Slow and fast waves with noise, of class 0 and 1."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    phase = rng.uniform(0, 2 * np.pi, (n, channels, 1))
    t = np.arange(length)
    x = np.sin(t * np.where(y, 1.6, 0.4)[:, None, None] + phase) + 0.1 * rng.normal(size=(n, channels, length))
    return x.astype(np.float32), y
