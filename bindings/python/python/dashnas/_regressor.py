"""Numbers, and fields."""

from __future__ import annotations

from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import _check_y, check_array, validate_data

from dashnas import _dashnas
from dashnas._base import DashEstimator, inputs, over_the_grid, weighted
from dashnas.errors import DataError, ModelError


class DashRegressor(RegressorMixin, DashEstimator):  # type: ignore[misc]
    """A convolutional regressor whose kernels are searched for the data (DASH).

    `fit(X, y)` takes X as N×C×L (series) or N×C×H×W (images, fields); a table N×L is series of one channel. The kind
    of task follows from y:

    - `[N]` or `[N, outputs]`: numbers for each sample;
    - over the grid of X (N×C×L, N×C×H×W or N×H×W): fields, trained by their relative L2 error.

    Predictions have the shape of y and its units.

    Parameters
    ----------
    preset : {"quick", "standard", "paper"}
        The amount of computation: for minutes, for a laptop, or as in appendix A.5.2 of the paper.
    time_limit : float, optional
        The time for fitting in seconds; all stages are planned to fit into it.
    seed : int
        The seed of all random numbers: the same seed gives the same model.
    config : dict, optional
        Settings over the preset, as {"search": {"epochs": 20}} or {"search.epochs": 20}; docs/reference/config.md describes
        all of them.
    validation : (X, y), optional
        Samples for scoring the tuning trials, instead of a share of the training data.
    run_dir : path, optional
        A directory to create for the run, as by the command. Without one, nothing is left behind.
    progress : callable, optional
        A function that is called with every event of the run, a dict; an exception that it raises stops `fit`.
    verbose : {0, 1, 2}
        Prints stages and notes (1), and epochs and trials (2), to standard error.

    Attributes
    ----------
    model_ : dashnas.Model
    architecture_ : list of (kernel size, dilation), one for each searched layer
    history_ : list of the events of epochs and trials; those of a race have the stage "search" and a trial
    n_features_in_ : int, channels, or columns of a table
    """

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> DashRegressor:
        """Searches the kernels, tunes and trains; X and y are described with the class.

        With weights, each sample counts by its weight in the loss and in the scores that choose settings.
        """
        if y is None:
            # scikit-learn's message.
            validate_data(self, X, y)
        x = inputs(validate_data(self, X, allow_nd=True, dtype=np.float32, ensure_min_samples=2))
        values = np.asarray(y)
        x, values, weights = weighted(x, values, sample_weight)
        if values.ndim > 2:
            values = check_array(values, allow_nd=True, dtype=np.float32, input_name="y")
            task = "dense-regression"
        else:
            values = _check_y(values, multi_output=values.ndim == 2 and values.shape[1] > 1, y_numeric=True)
            task = "regression"
        targets = self._targets(x, values)
        if len(targets) != len(x):
            raise DataError(f"Found input variables with inconsistent numbers of samples: {[len(x), len(targets)]}")
        self._axes = values.ndim
        self.model_ = self._train(x, targets, task, None, weights)
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float32]:
        """Numbers or fields, in the units of y."""
        x = self._check_inputs(X)
        values, _ = self.model_.predict(x)
        return values[:, 0] if values.ndim > self._axes else values

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """R²; of fields, over all their values at once."""
        truth, found = np.asarray(y), self.predict(X)
        if truth.ndim > 2:
            truth, found = truth.reshape(len(truth), -1), found.reshape(len(found), -1)
            return float(r2_score(truth, found, sample_weight=sample_weight, multioutput="variance_weighted"))
        return float(r2_score(truth, found, sample_weight=sample_weight))

    @classmethod
    def load(cls, path: str | PathLike[str]) -> DashRegressor:
        """An estimator around a model file that `save` or the command wrote; its parameters are the defaults.

        One number for each sample is predicted as [N], fields with their channel axis. X may be the table that the
        command was given, as a data frame, with the target or without.
        """
        model = _dashnas.Model.load(path)
        task = model.card["task"]
        if task["kind"] not in ("regression", "dense-regression"):
            raise ModelError(f"{path} holds a model for {task['kind']}", "load it with DashClassifier.load")
        estimator = cls()
        estimator._adopt(model)
        dense = task["kind"] == "dense-regression"
        estimator._axes = model.card["graph"]["dims"] + 2 if dense else min(task["outputs"], 2)
        return estimator

    def _targets(self, x: NDArray[np.float32], y: ArrayLike) -> NDArray[np.float32]:
        """Numbers as N×outputs, fields with their channel axis."""
        values = np.ascontiguousarray(y, dtype=np.float32)
        return values.reshape(len(values), -1) if values.ndim < 3 else over_the_grid(x, values)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
