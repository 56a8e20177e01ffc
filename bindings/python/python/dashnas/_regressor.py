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
from dashnas._base import DashEstimator, documented, over_the_grid, weighted
from dashnas._inputs import as_float32, centers
from dashnas.errors import DataError, ModelError


@documented
class DashRegressor(RegressorMixin, DashEstimator):  # type: ignore[misc]
    """A convolutional regressor whose kernels are searched for the data (DASH).

    `fit(X, y)` takes X as N×C×L (series) or N×C×H×W (images, fields); a table N×L is series of one channel. The kind
    of task follows from y:

    - `[N]` or `[N, outputs]`: numbers for each sample;
    - over the grid of X (N×C×L, N×C×H×W or N×H×W): fields, trained by their relative L2 error.

    Predictions have the shape of y and its units.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}
    """

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> DashRegressor:
        """Searches the kernels, tunes and trains; X and y are described with the class.

        With weights, each sample counts by its weight in the loss and in the scores that choose settings. Samples of one
        group are kept together where samples are held out to choose settings.
        """
        if y is None:
            # scikit-learn's message.
            validate_data(self, X, y)
        x = self._training_inputs(X)
        x, values, weights, names = weighted(x, np.asarray(y), sample_weight, groups)
        if values.ndim > 2:
            values = check_array(values, allow_nd=True, dtype=np.float32, input_name="y")
            task = "dense-regression"
        else:
            values = _check_y(values, multi_output=values.ndim == 2 and values.shape[1] > 1, y_numeric=True)
            task = "regression"
            rows = values.reshape(len(values), -1)
            self._centers = (None, centers(rows.astype(np.float64) if rows.dtype.kind in "iu" else rows))
        found = self._center_inputs(x)
        targets = self._targets(found, values, self._centers[1])
        if len(targets) != len(found):
            raise DataError(f"Found input variables with inconsistent numbers of samples: {[len(found), len(targets)]}")
        self._axes = values.ndim
        self._train(found, targets, task, None, weights, names)
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Numbers or fields, in the units of y; `float32`, or `float64` where y has a large offset."""
        values, _ = self._predict(X)
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
        estimator._adopt(model, path)
        dense = task["kind"] == "dense-regression"
        estimator._axes = model.card["graph"]["dims"] + 2 if dense else min(task["outputs"], 2)
        return estimator

    def _targets(self, x: NDArray[np.float32], y: ArrayLike, centers: Any) -> NDArray[np.float32]:
        """Numbers as N×outputs, fields with their channel axis."""
        values = np.asarray(y)
        if values.ndim > 2:
            return over_the_grid(x, values)
        return as_float32(values.astype(np.float64).reshape(len(values), -1), centers, "y")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
