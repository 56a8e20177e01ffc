"""The estimators for sktime and aeon, by the checks of those packages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conftest import waves
from dashnas._collections import QUICK

NAMES = ["DashClassifier", "DashRegressor"]


@pytest.mark.parametrize("name", NAMES)
def test_sktime(name: str) -> None:
    pytest.importorskip("sktime")
    from sktime.utils.estimator_checks import check_estimator

    import dashnas.sktime

    check_estimator(getattr(dashnas.sktime, name), raise_exceptions=True, verbose=False)


@pytest.mark.parametrize("name", NAMES)
def test_aeon(name: str) -> None:
    pytest.importorskip("aeon")
    from aeon.testing.estimator_checking import check_estimator

    import dashnas.aeon

    check_estimator(getattr(dashnas.aeon, name), raise_exceptions=True, verbose=False)


@pytest.mark.parametrize("package", ["sktime", "aeon"])
def test_they_are_the_estimators_of_this_package(package: str) -> None:
    pytest.importorskip(package)
    adapters: Any = pytest.importorskip(f"dashnas.{package}")
    import dashnas

    x, y = waves(24, channels=2)
    x = x.astype(np.float64)
    own = dashnas.DashClassifier(**QUICK).fit(x, y)
    adapter = adapters.DashClassifier(**QUICK).fit(x, y)
    np.testing.assert_allclose(adapter.predict_proba(x), own.predict_proba(x), atol=1e-6)
    assert adapter.estimator_.architecture_ == own.architecture_
    uneven = [one[:, : 12 + i % 5] for i, one in enumerate(x)]
    if package == "sktime":
        import pandas as pd

        uneven = [pd.DataFrame(one.T) for one in uneven]
    with pytest.warns(UserWarning, match="12 to 16 long"):
        assert adapters.DashClassifier(**QUICK).fit(uneven, y).predict(uneven).shape == (24,)
