"""Small data, and settings under which a fit takes a moment."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

#: A few steps of everything: for what does not depend on how good the model is.
TINY: dict[str, Any] = {
    "space": {"kernel_sizes": [3, 5], "dilations": [1, 2]},
    "backbone": {"channels": 4},
    "search": {"epochs": 1, "min_steps": 0, "max_steps": 2},
    "tune": {"epochs": 1, "min_steps": 0, "max_steps": 2, "learning_rates": [0.1], "dropouts": [0.0]},
    "retrain": {"epochs": 1, "min_steps": 0, "max_steps": 4},
}


@pytest.fixture
def tiny() -> dict[str, Any]:
    return {"preset": "quick", "config": TINY}


def waves(n: int, seed: int = 0, channels: int = 1, length: int = 24) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Slow and fast waves with noise, of class 0 and 1."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    phase = rng.uniform(0, 2 * np.pi, (n, channels, 1))
    t = np.arange(length)
    x = np.sin(t * np.where(y, 1.6, 0.4)[:, None, None] + phase) + 0.1 * rng.normal(size=(n, channels, length))
    return x.astype(np.float32), y
