"""What the estimators for sktime and aeon share."""

from __future__ import annotations

from typing import Any

#: A few steps of everything: for the checks of those packages.
QUICK: dict[str, Any] = {
    "preset": "quick",
    "kernel_sizes": [3, 5],
    "dilations": [1, 2],
    "random_state": 0,
    "config": {
        "backbone": {"channels": 4},
        "race": {"steps": 6},
        "tune": {"epochs": 1, "min-steps": 0, "max-steps": 2, "learning-rates": [0.1], "dropouts": [0.0]},
        "retrain": {"epochs": 1, "min-steps": 0, "max-steps": 4},
    },
}

#: Their settings without learning rates, which a parameter sets.
PLAIN: dict[str, Any] = {**QUICK["config"], "tune": {"enabled": False}}

#: The parameters that both have, as those of `dashnas.DashClassifier`.
PARAMETERS = (
    "preset",
    "time_limit",
    "lengths",
    "kernel_sizes",
    "dilations",
    "epochs",
    "learning_rate",
    "config",
    "n_jobs",
    "random_state",
    "verbose",
)


class Adapter:
    """An estimator of this package behind the interface of another: a class of it holds the parameters."""

    #: The class of this package.
    _estimator: type

    def _arrays(self, X: Any) -> Any:
        """A collection of series as this package takes it."""
        raise NotImplementedError

    def _fit(self, X: Any, y: Any) -> Any:
        given = {name: getattr(self, name) for name in PARAMETERS}
        self.estimator_ = self._estimator(**given).fit(self._arrays(X), y)
        return self

    def _predict(self, X: Any) -> Any:
        return self.estimator_.predict(self._arrays(X))
