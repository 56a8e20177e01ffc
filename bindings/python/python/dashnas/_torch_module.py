"""Trained models as modules of PyTorch."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from dashnas import _dashnas

#: The name of the file of weights.
WEIGHTS = "model.safetensors"


def as_module(model: _dashnas.Model, raw: bool = False) -> Any:
    """The network of a model as a `torch.nn.Module` in evaluation mode, which `dashnas export --format torch` writes."""
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise ImportError("to_torch needs PyTorch, which is not installed: pip install torch") from error
    source, weights = model.torch_files(WEIGHTS, raw=raw)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "model.py")
        names: dict[str, Any] = {"__name__": "dashnas_model", "__file__": str(file)}
        exec(compile(source, str(file), "exec"), names)
        Path(folder, WEIGHTS).write_bytes(weights)
        return names["load"](Path(folder, WEIGHTS))
