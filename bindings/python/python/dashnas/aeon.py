"""Estimators for aeon, which must be installed: collections of series as aeon has them, and its tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

try:
    from aeon.classification.base import BaseClassifier
    from aeon.regression.base import BaseRegressor
except ImportError as error:
    raise ImportError("dashnas.aeon needs aeon, which is not installed: pip install aeon") from error

import dashnas
from dashnas._collections import QUICK, Adapter

__all__ = ["DashClassifier", "DashRegressor"]


class _Adapter(Adapter):
    """What both estimators share."""

    _tags = {
        "X_inner_type": ["np-list", "numpy3D"],
        "capability:multivariate": True,
        "capability:unequal_length": True,
        "capability:multithreading": True,
        "algorithm_type": "deeplearning",
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
        n_jobs: int | None = 1,
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
        return list(X) if isinstance(X, list) else X

    @classmethod
    def _get_test_params(cls, parameter_set: str = "default") -> dict[str, Any]:
        return dict(QUICK)


class DashClassifier(_Adapter, BaseClassifier):  # type: ignore[misc]
    """`dashnas.DashClassifier` for aeon: it takes the collections of series that aeon does, of equal or unequal lengths.

    The parameters are those of `dashnas.DashClassifier`; `estimator_` is the fitted one, with all that it can do.

    Examples
    --------
    >>> from dashnas.aeon import DashClassifier
    >>> model = DashClassifier(preset="quick").fit(X_train, y_train)    # doctest: +SKIP
    >>> model.predict(X_test)    # doctest: +SKIP
    """

    _estimator = dashnas.DashClassifier

    def _predict_proba(self, X: Any) -> Any:
        return self.estimator_.predict_proba(self._arrays(X))


class DashRegressor(_Adapter, BaseRegressor):  # type: ignore[misc]
    """`dashnas.DashRegressor` for aeon: it takes the collections of series that aeon does, of equal or unequal lengths.

    The parameters are those of `dashnas.DashRegressor`; `estimator_` is the fitted one, with all that it can do.

    Examples
    --------
    >>> from dashnas.aeon import DashRegressor
    >>> model = DashRegressor(preset="quick").fit(X_train, y_train)    # doctest: +SKIP
    >>> model.predict(X_test)    # doctest: +SKIP
    """

    _estimator = dashnas.DashRegressor
