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


def fitted(adapter: Any, estimator: type, x: Any, y: Any) -> Any:
    """A fitted estimator of this package with the parameters of an adapter."""
    given = {name: getattr(adapter, name) for name in PARAMETERS}
    return estimator(**given).fit(x, y)
