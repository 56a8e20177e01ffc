"""Estimators for sktime, which must be installed: collections of series as sktime has them, and its tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

try:
    from sktime.classification.base import BaseClassifier
    from sktime.regression.base import BaseRegressor
except ImportError as error:
    raise ImportError("dashnas.sktime needs sktime, which is not installed: pip install sktime") from error

import dashnas
from dashnas._collections import PLAIN, QUICK, Adapter

__all__ = ["DashClassifier", "DashRegressor"]


class _Adapter(Adapter):
    """What both estimators share."""

    _tags = {
        "X_inner_mtype": "df-list",
        "capability:multivariate": True,
        "capability:unequal_length": True,
        "capability:categorical_in_X": False,
        "capability:multithreading": True,
        "capability:random_state": True,
        "property:randomness": "derandomized",
    }

    def __init__(
        self,
        preset: str = "standard",
        time_limit: float | None = None,
        lengths: str | None = None,
        kernel_sizes: Sequence[int] | None = None,
        dilations: Sequence[int] | None = None,
        epochs: int | None = None,
        learning_rate: float | Sequence[float] | None = None,
        config: Mapping[str, Any] | None = None,
        n_jobs: int | None = None,
        random_state: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.preset = preset
        self.time_limit = time_limit
        self.lengths = lengths
        self.kernel_sizes = kernel_sizes
        self.dilations = dilations
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.config = config
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
        super().__init__()

    def _arrays(self, X: Any) -> Any:
        """Frames of time steps as arrays C×L."""
        return [frame.to_numpy(dtype="float64").T for frame in X]

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Parameters for the checks of sktime."""
        return [dict(QUICK), {**QUICK, "lengths": "mask", "learning_rate": 0.05, "config": PLAIN}]


class DashClassifier(_Adapter, BaseClassifier):  # type: ignore[misc]
    """`dashnas.DashClassifier` for sktime: it takes the collections of series that sktime does, of equal or unequal lengths.

    The parameters are those of `dashnas.DashClassifier`; `estimator_` is the fitted one, with all that it can do.

    Examples
    --------
    >>> from dashnas.sktime import DashClassifier
    >>> model = DashClassifier(preset="quick").fit(X_train, y_train)    # doctest: +SKIP
    >>> model.predict(X_test)    # doctest: +SKIP
    """

    _tags = {"capability:predict_proba": True}
    _estimator = dashnas.DashClassifier

    def _predict_proba(self, X: Any) -> Any:
        return self.estimator_.predict_proba(self._arrays(X))


class DashRegressor(_Adapter, BaseRegressor):  # type: ignore[misc]
    """`dashnas.DashRegressor` for sktime: it takes the collections of series that sktime does, of equal or unequal lengths.

    The parameters are those of `dashnas.DashRegressor`; `estimator_` is the fitted one, with all that it can do.

    Examples
    --------
    >>> from dashnas.sktime import DashRegressor
    >>> model = DashRegressor(preset="quick").fit(X_train, y_train)    # doctest: +SKIP
    >>> model.predict(X_test)    # doctest: +SKIP
    """

    _estimator = dashnas.DashRegressor
