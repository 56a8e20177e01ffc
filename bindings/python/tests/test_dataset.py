"""Data sets by name and by path."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import waves

import dashnas
from dashnas.errors import ConfigError, DataError


def test_a_table_becomes_arrays(tmp_path: Path) -> None:
    x, y = waves(20)
    for name, rows in [("windows_train.csv", slice(12)), ("windows_test.csv", slice(12, 20))]:
        table = pd.DataFrame(x[rows, 0]).add_prefix("v").round(4)
        table["movement"] = np.array(["slow", "fast"])[y[rows]]
        table.to_csv(tmp_path / name, index=False)
    data = dashnas.load_dataset(tmp_path / "windows_train.csv", config={"data": {"targets": "movement"}})
    assert (data.x_train.shape, data.x_test.shape, data.x_train.dtype) == ((12, 1, 24), (8, 1, 24), np.float32)
    np.testing.assert_allclose(data.x_train[:, 0], x[:12, 0], atol=1e-4)
    assert data.classes == ["fast", "slow"] and data.x_validation is None and data.y_validation is None
    np.testing.assert_array_equal(data.y_test, 1 - y[12:])


def test_a_name_is_a_built_in_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHNAS_CACHE", str(tmp_path))
    data = dashnas.load_dataset("darcy-flow", config={"darcy": {"resolution": 9, "stride": 1, "train": 4, "test": 2}})
    assert (data.x_train.shape, data.y_test.shape) == ((4, 3, 9, 9), (2, 1, 9, 9))


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none.csv"):
        dashnas.load_dataset(tmp_path / "none.csv")
    with pytest.raises(DataError, match="satellite"):
        dashnas.load_dataset("satellite", data_dir=tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="resolution"):
        dashnas.load_dataset("darcy-flow", config={"darcy.resolution": 1})
