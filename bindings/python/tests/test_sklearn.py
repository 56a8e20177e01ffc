"""scikit-learn's own checks of its conventions."""

from __future__ import annotations

from typing import Any

from sklearn.utils.estimator_checks import parametrize_with_checks

from conftest import TINY
from dashnas import DashClassifier, DashRegressor

#: What cannot hold here, and why. Everything else must.
WEIGHTS = {
    "check_sample_weight_equivalence_on_dense_data": "asks for the same network, but repeated samples are drawn in another order",
}
EXPECTED = {
    DashClassifier: WEIGHTS,
    DashRegressor: {
        **WEIGHTS,
        "check_regressor_multioutput": "asks for float64: predictions have the precision of the network, float32",
    },
}


def expected(estimator: Any) -> dict[str, str]:
    return EXPECTED[type(estimator)]


# Enough steps to tell scikit-learn's blobs apart, few enough for a second.
SMALL = {**TINY, "retrain": {"epochs": 40, "min-steps": 0, "max-steps": 60}}


@parametrize_with_checks(
    [DashClassifier(preset="quick", config=SMALL), DashRegressor(preset="quick", config=SMALL)],
    expected_failed_checks=expected,
)
def test_conventions(estimator: Any, check: Any) -> None:
    check(estimator)
