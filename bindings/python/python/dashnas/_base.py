"""What the estimators share: parameters, inputs, and the trained model."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import _check_sample_weight, check_array, check_is_fitted, validate_data

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
    n_features_in_: int
    #: Whether the model comes from a file, which then describes the inputs.
    _loaded = False

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
        batch normalization into the convolutions. The file is verified on random inputs, and written only if it agrees
        with the model.
        """
        check_is_fitted(self, "model_")
        self.model_.save_onnx(path, opset=opset, raw=raw, fold=fold)

    def _train(
        self,
        x: NDArray[np.float32],
        y: NDArray[np.float32],
        task: str,
        classes: list[str] | None,
        weights: NDArray[np.float32] | None = None,
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
        model = _dashnas.fit(x, y, request, self._validation(x), follower, weights)
        self.history_, self._loaded = follower.history, False
        return model

    def _validation(self, x: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
        """The samples for scoring tuning trials, if they are given."""
        if self.validation is None:
            return None
        given_x, given_y = self.validation
        x = inputs(np.asarray(given_x))
        return x, self._targets(x, given_y)

    def _targets(self, x: NDArray[np.float32], y: ArrayLike) -> NDArray[np.float32]:
        """Targets as the library expects them."""
        raise NotImplementedError

    def _check_inputs(self, x: ArrayLike) -> NDArray[np.float32]:
        """Inputs to predict from, N×C×L or N×C×H×W."""
        check_is_fitted(self, "model_")
        sample = self.model_.card["read_as"]
        if self._loaded:
            table = by_name(x, self.model_.card["reading"].get("columns"))
            found = by_channel(check_array(table, allow_nd=True, dtype=np.float32, estimator=self), sample)
        else:
            found = inputs(validate_data(self, x, reset=False, allow_nd=True, dtype=np.float32))
        if found.ndim != len(sample) + 1:
            raise DataError(
                f"X has shape {found.shape}; this model takes {shown(sample)}",
                "the first axis is the sample, the second the channel",
            )
        return np.ascontiguousarray(found)

    def _adopt(self, model: _dashnas.Model) -> None:
        """Takes a model from a file."""
        self.model_, self.history_, self._loaded = model, [], True
        self.n_features_in_ = model.card["read_as"][0]
        columns = model.card["reading"].get("columns")
        if columns is not None and not columns["sequences"]:
            self.n_features_in_ = len(columns["inputs"])
            if columns["named"]:
                self.feature_names_in_ = np.array([columns["names"][i] for i in columns["inputs"]], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def weighted(
    x: NDArray[np.float32], y: NDArray[Any], sample_weight: ArrayLike | None
) -> tuple[NDArray[np.float32], NDArray[Any], NDArray[np.float32] | None]:
    """The samples of some weight with their weights, if there are weights."""
    if sample_weight is None or len(x) != len(y):
        return x, y, None
    weights = _check_sample_weight(sample_weight, x, dtype=np.float32, ensure_non_negative=True)
    kept = weights > 0
    if not kept.any():
        raise DataError("the weights of all samples are 0", "give some samples a weight")
    return np.ascontiguousarray(x[kept]), y[kept], np.ascontiguousarray(weights[kept])


def inputs(x: NDArray[Any]) -> NDArray[np.float32]:
    """N×C×L or N×C×H×W; a table, N×L, is series of one channel."""
    x = np.ascontiguousarray(x, dtype=np.float32)
    return x[:, None, :] if x.ndim == SERIES - 1 else x


def shown(sample: list[int]) -> str:
    """The shape of a batch, in words: N×3×128."""
    return "×".join(["N", *map(str, sample)])


def by_name(x: Any, columns: dict[str, Any] | None) -> Any:
    """The columns of a data frame that a model was trained on, in their order, whatever else there is."""
    if columns is None or columns["sequences"] or not hasattr(x, "columns"):
        return x
    here, wanted = [str(name) for name in x.columns], columns["inputs"]
    if not columns["named"]:
        # By place: with the label, as in the training table, or without.
        return np.asarray(x)[:, wanted] if len(here) == len(columns["names"]) else x
    names = [columns["names"][i] for i in wanted]
    missing = [name for name in names if name not in here]
    if missing:
        raise DataError(
            f"X has no column {', '.join(missing[:8])}{', …' if len(missing) > 8 else ''} that the model was trained on",
            "name the columns as the training table did, or give an array of them in the same order",
        )
    return x[[x.columns[here.index(name)] for name in names]]


def by_channel(x: NDArray[np.float32], sample: list[int]) -> NDArray[np.float32]:
    """A table for a model of series: the points of the first channel, then those of the second, and so on."""
    if x.ndim != 2 or len(sample) != 2:
        return x
    channels, length = sample
    if channels == 1:
        return x[:, None, :]
    if x.shape[1] != channels * length:
        raise DataError(
            f"X has {x.shape[1]} columns; this model takes {channels * length}, {length} for each of {channels} channels",
            f"give all columns of the training table but the label, or an array {shown(sample)}",
        )
    return x.reshape(len(x), channels, length)


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
