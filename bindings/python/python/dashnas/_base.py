"""What the estimators share: parameters, inputs, and the trained model."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from dashnas import _dashnas
from dashnas._config import settings
from dashnas._progress import Callback, Event, Follower
from dashnas.errors import DataError

#: Axes of N×C×L inputs; `axes - 2` are spatial.
SERIES = 3


class DashEstimator(BaseEstimator):  # type: ignore[misc]
    """The part of the estimators that does not depend on the kind of target."""

    model_: _dashnas.Model
    history_: list[Event]

    def __init__(
        self,
        *,
        preset: str = "standard",
        time_limit: float | None = None,
        seed: int = 0,
        config: Mapping[str, Any] | None = None,
        validation: tuple[ArrayLike, ArrayLike] | None = None,
        run_dir: str | PathLike[str] | None = None,
        progress: Callback | None = None,
        verbose: int = 0,
    ) -> None:
        self.preset = preset
        self.time_limit = time_limit
        self.seed = seed
        self.config = config
        self.validation = validation
        self.run_dir = run_dir
        self.progress = progress
        self.verbose = verbose

    @property
    def architecture_(self) -> list[tuple[int, int]]:
        """Kernel size and dilation of every searched layer, from the input on."""
        check_is_fitted(self, "model_")
        return [(k, d) for k, d in self.model_.card["architecture"]["kernels"]]

    def save(self, path: str | PathLike[str]) -> None:
        """Writes the trained model to a file, which `load` and the command `dashnas predict` read.

        To keep the estimator itself, parameters and all, pickle it.
        """
        check_is_fitted(self, "model_")
        self.model_.save(path)

    def to_onnx(
        self, path: str | PathLike[str], *, opset: int | None = None, raw: bool = False, fold: bool = False
    ) -> None:
        """Writes the trained model as an ONNX file: raw inputs in, probabilities or values out.

        `raw` leaves out the normalization of inputs and the softmax, sigmoid or decoding of outputs; `fold` merges
        batch normalization into the convolutions.
        """
        check_is_fitted(self, "model_")
        Path(path).write_bytes(self.model_.to_onnx(opset=opset, raw=raw, fold=fold))

    def _train(
        self, x: NDArray[np.float32], y: NDArray[np.float32], task: str, classes: list[str] | None
    ) -> _dashnas.Model:
        """Searches, tunes and trains; sets `history_`."""
        chosen = [("seed", str(int(self.seed))), *settings(self.config)]
        if self.time_limit is not None:
            chosen.append(("budget.time-limit", str(float(self.time_limit))))
        follower = Follower(self.verbose, self.progress)
        request: _dashnas._Request = {
            "task": task,
            "classes": classes,
            "preset": self.preset,
            "settings": chosen,
            "run_dir": self.run_dir,
        }
        model = _dashnas.fit(x, y, request, self._validation(x), follower)
        self.history_ = follower.history
        return model

    def _validation(self, x: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
        """The samples that judge trials, if they are given."""
        if self.validation is None:
            return None
        given_x, given_y = self.validation
        x = inputs(np.asarray(given_x))
        return x, self._targets(x, given_y)

    def _targets(self, x: NDArray[np.float32], y: ArrayLike) -> NDArray[np.float32]:
        """Targets as the library takes them."""
        raise NotImplementedError

    def _check_inputs(self, x: ArrayLike) -> NDArray[np.float32]:
        """Inputs to predict from, N×C×L or N×C×H×W."""
        check_is_fitted(self, "model_")
        return inputs(validate_data(self, x, reset=False, allow_nd=True, dtype=np.float32))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def inputs(x: NDArray[Any]) -> NDArray[np.float32]:
    """N×C×L or N×C×H×W; a table, N×L, is series of one channel."""
    x = np.ascontiguousarray(x, dtype=np.float32)
    return x[:, None, :] if x.ndim == SERIES - 1 else x


def over_the_grid(x: NDArray[Any], y: ArrayLike) -> NDArray[np.float32]:
    """Targets over the inputs' own grid, with their channel axis: N×C×L or N×C×H×W."""
    y = np.ascontiguousarray(y, dtype=np.float32)
    grid = x.shape[2:]
    if y.shape[1:] == grid:
        return y[:, None]
    if y.ndim == x.ndim and y.shape[2:] == grid:
        return y
    raise DataError(
        f"targets of shape {y.shape} are not over the grid of inputs of shape {x.shape}",
        "targets are [N], [N, outputs], or N×C×L or N×C×H×W over the inputs' own grid",
    )
