"""Inputs of every kind: layouts, missing values, unequal lengths, frames, offsets; and what is said of them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.datasets import load_digits, load_iris, load_wine
from sklearn.preprocessing import StandardScaler

import dashnas
from conftest import TINY, waves
from dashnas import DashClassifier, DashRegressor
from dashnas._inputs import columns_of_several_units, looks_channels_last
from dashnas.errors import ConfigError, DashnasWarning, DataError

Tiny = dict[str, Any]
#: Steps enough to learn the waves.
SMALL = {**TINY, "retrain": {"epochs": 40, "min-steps": 0, "max-steps": 60}}


def same(first: Any, second: Any, x: Any, other: Any) -> None:
    """Both models are the same, each on its own kind of inputs."""
    np.testing.assert_array_equal(first.predict_proba(x), second.predict_proba(other))


def test_channels_may_be_the_last_axis_or_behind_one_another(tiny: Tiny) -> None:
    x, y = waves(24, channels=2)
    plain = DashClassifier(**tiny).fit(x, y)
    last = np.moveaxis(x, 1, -1)
    same(plain, DashClassifier(**tiny, layout="channels-last").fit(last, y), x, last)
    table = x.reshape(24, -1)
    same(plain, DashClassifier(**tiny, channels=2).fit(table, y), x, table)
    assert plain.model_.card["read_as"] == [2, 24]
    for parameters, given, message in [
        ({"channels": 5}, table, "48 columns cannot be divided into 5 channels"),
        ({"channels": 3}, x, "has 2 channels, not 3"),
    ]:
        with pytest.raises(DataError, match=message):
            DashClassifier(**tiny, **parameters).fit(given, y)
    with pytest.raises(ConfigError, match="no layout"):
        DashClassifier(**tiny, layout="NHWC").fit(x, y)


def test_channels_that_look_last_are_warned_of(tiny: Tiny) -> None:
    with pytest.warns(DashnasWarning, match="24×64×3 is read as 64 channels of 3.*layout"):
        DashClassifier(**tiny).fit(np.random.default_rng(0).normal(size=(24, 64, 3)), np.arange(24) % 2)
    for shape, looks in [((9, 128, 6), True), ((9, 12, 500), False), ((9, 32, 32, 3), True), ((9, 3, 32, 32), False),
                         ((9, 1, 24), False), ((9, 4, 4), False)]:
        assert looks_channels_last(shape) == looks, shape


def test_a_table_of_several_units_is_warned_of_and_series_are_not() -> None:
    rng = np.random.default_rng(0)
    walk = rng.normal(size=(50, 200)).cumsum(axis=1)
    ecg = walk * np.hanning(200)
    for name, x, warned in [
        ("wine", load_wine().data, True),
        ("scaled", StandardScaler().fit_transform(load_wine().data), False),
        ("iris", load_iris().data, False),
        ("digits", load_digits().data, False),
        ("a random walk", walk, False),
        ("flat at both ends", ecg, False),
        ("waves", waves(30)[0][:, 0], False),
    ]:
        assert (columns_of_several_units(x) is not None) == warned, name


def test_the_warning_of_units_names_the_way_out(tiny: Tiny) -> None:
    x, y = load_wine(return_X_y=True)
    with pytest.warns(DashnasWarning, match="make_pipeline.StandardScaler.., DashClassifier"):
        DashClassifier(**tiny).fit(x, y)


def test_ordinary_data_warns_of_nothing(tiny: Tiny) -> None:
    x, y = waves(64)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for given in (x, x[:, 0], x.astype("f8"), np.random.default_rng(0).normal(size=(64, 3, 8, 8))):
            model = DashClassifier(**tiny).fit(given, y)
        DashRegressor(**tiny).fit(x, x.mean(axis=(1, 2)))
    assert model.search_ in ("searched", "plain", "undecided") and model.n_parameters_ > 0


def test_missing_values_are_filled_or_named(tiny: Tiny) -> None:
    x, y = waves(24)
    holes = x.copy()
    holes[3, 0, 5] = holes[7, 0, 0] = np.nan
    with pytest.raises(DataError, match=r"X\[3, 0, 5\] is nan(.|\n)*fill_missing"):
        DashClassifier(**tiny).fit(holes, y)
    for how in ("linear", "zero", "mean"):
        model = DashClassifier(**tiny, fill_missing=how).fit(holes, y)
        assert any("filled 2 missing values" in note for note in model.notes_)
        assert np.isfinite(model.predict_proba(holes)).all()
        # The model fills, too, wherever it is used.
        np.testing.assert_array_equal(model.model_.predict(holes)[0], model.predict_proba(holes))
    zero = holes.copy()
    zero[np.isnan(zero)] = 0
    same(DashClassifier(**tiny, fill_missing="zero").fit(holes, y), DashClassifier(**tiny).fit(zero, y), holes, zero)
    with pytest.raises(DataError, match="contains infinity"):
        DashClassifier(**tiny, fill_missing="zero").fit(np.where(x > 1, np.inf, x), y)
    with pytest.raises(ConfigError, match="fill-missing"):
        DashClassifier(**tiny, fill_missing="median").fit(holes, y)


@pytest.mark.parametrize("lengths", ["pad", "truncate", "resample", "mask"])
def test_series_of_unequal_lengths(tiny: Tiny, lengths: str) -> None:
    x, y = waves(24, channels=2)
    series = [one[:, : 12 + i % 5] for i, one in enumerate(x)]
    model = DashClassifier(**tiny, lengths=lengths).fit(series, y)
    size = 12 if lengths == "truncate" else 16
    assert model.model_.card["read_as"] == [2, size]
    assert (model.model_.card["reading"]["lengths"], model.model_.card["reading"]["length"]) == (lengths, size)
    assert model.predict_proba(series).shape == (24, 2)
    # One at a time or together is the same.
    np.testing.assert_allclose(model.predict_proba(series[:1]), model.predict_proba(series)[:1], atol=1e-6)


def test_unequal_lengths_are_said_and_what_they_are_not_is_named(tiny: Tiny) -> None:
    x, y = waves(24)
    series = [one[0, : 12 + i % 5] for i, one in enumerate(x)]
    with pytest.warns(DashnasWarning, match="12 to 16 long: padded with zeros at the end to 16"):
        model = DashClassifier(**tiny).fit(series, y)
    padded = np.zeros((24, 1, 16))
    for place, one in zip(padded, series):
        place[0, : len(one)] = one
    same(model, DashClassifier(**tiny).fit(padded, y), series, padded)
    for length, error, message in [(0, ConfigError, "length is 0"), (10**10, DataError, "would make 240000000000 numbers")]:
        with pytest.raises(error, match=message):
            DashClassifier(**tiny, length=length).fit(series, y)
    with pytest.raises(ConfigError, match="not a pair"):
        DashClassifier(**tiny, validation=(x,)).fit(x, y)
    for bad, message in [
        ([*series[:-1], np.zeros((2, 2, 2))], "axes"),
        ([[[1.0, 2.0], [1.0]]] * 3, "channels of one sample differ"),
        ([np.zeros((1, 5)), np.zeros((2, 6))] * 3, "sample 1 has 2 channels, the first one 1"),
        ([*series[:-1], np.zeros(0)], "sample 23 has no values"),
    ]:
        with pytest.raises(DataError, match=message):
            DashClassifier(**tiny).fit(bad, y[: len(bad)])


def test_frames_of_pandas_and_polars(tiny: Tiny) -> None:
    x, y = waves(24, channels=2)
    plain = DashClassifier(**tiny).fit(x, y)
    rows = [(i, t, *x[i, :, t]) for i in range(24) for t in range(24)]
    steps = pd.DataFrame(rows, columns=["instance", "time", "a", "b"]).set_index(["instance", "time"])
    nested = pd.DataFrame({name: [pd.Series(one[c]) for one in x] for c, name in enumerate("ab")})
    lists = pl.DataFrame({name: [one[c].tolist() for one in x] for c, name in enumerate("ab")})
    for frame in (steps, nested, lists):
        same(plain, DashClassifier(**tiny).fit(frame, y), x, frame)
    flat = DashClassifier(**tiny).fit(x[:, 0], y)
    for frame in (pd.DataFrame(x[:, 0]).add_prefix("v"), pl.DataFrame(x[:, 0])):
        model = DashClassifier(**tiny).fit(frame, pd.Series(y))
        same(flat, model, x[:, 0], frame)
        assert len(model.feature_names_in_) == 24


def test_large_offsets_cost_nothing() -> None:
    x, y = waves(64)
    x, value = x.astype("f8"), x.astype("f8").mean(axis=(1, 2))
    for offset in (0, 1.7e9):
        regressor = DashRegressor(preset="quick", config=SMALL).fit(x, value + offset)
        assert regressor.score(x, value + offset) > 0.5, offset
        classifier = DashClassifier(preset="quick", config=SMALL).fit(x + offset, y)
        assert classifier.score(x + offset, y) > 0.9, offset
        np.testing.assert_array_equal(classifier.model_.predict(x + offset)[0], classifier.predict_proba(x + offset))


def test_offsets_stay_in_the_file(tmp_path: Any) -> None:
    x, y = waves(64)
    x = x.astype("f8") + 1e7
    model = DashRegressor(preset="quick", config=SMALL).fit(x, x.mean(axis=(1, 2)) + 1e9)
    model.save(tmp_path / "m.dashnas")
    loaded = DashRegressor.load(tmp_path / "m.dashnas")
    found = loaded.predict(x)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, model.predict(x))
    # In float32 the inputs have lost what was there; what is left is read right.
    rough = loaded.predict(x.astype("f4"))
    assert np.abs(rough - 1e9 - 1e7).max() < 100


def test_a_model_takes_arrays_of_any_type(tiny: Tiny) -> None:
    x, y = waves(24)
    model = DashClassifier(**tiny).fit(x, y).model_
    want = model.predict(x)[0]
    for given in (x.astype("f8"), x.tolist(), x.astype(">f4"), np.asfortranarray(x), pd.DataFrame(x[:, 0])):
        np.testing.assert_array_equal(model.predict(given)[0], want)
        np.testing.assert_array_equal(model.outputs(given), model.outputs(x))
    with pytest.raises((ValueError, TypeError)):
        model.predict("no numbers")


def test_values_beyond_float32_are_refused(tiny: Tiny) -> None:
    x, y = waves(24)
    with pytest.raises(DataError, match="too large"):
        DashClassifier(**tiny).fit(np.where(x > 0, 1e300, x.astype("f8")), y)


def test_data_sets_by_name_are_trained_on(tmp_path: Any, tiny: Tiny) -> None:
    x, y = waves(20)
    np.savez(tmp_path / "d.npz", x_train=x[:12], y_train=y[:12], x_test=x[12:], y_test=y[12:])
    data = dashnas.load_dataset(tmp_path / "d.npz")
    assert DashClassifier(**tiny).fit(data.x_train, data.y_train).predict(data.x_test).shape == (8,)
