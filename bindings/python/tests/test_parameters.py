"""The parameters of the estimators: in scikit-learn's tools, as settings, and what has no effect."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from conftest import TINY, waves
from dashnas import DashClassifier, DashRegressor
from dashnas.errors import ConfigError, DashnasWarning, DataError, ModelError

Tiny = dict[str, Any]
#: `TINY` without the sections that parameters set.
REST = {key: value for key, value in TINY.items() if key != "space"}
REST["tune"] = {"epochs": 1, "min-steps": 0, "max-steps": 2, "dropouts": [0.0], "stop-early": False}
FIXED = {"preset": "quick", "kernel_sizes": [3, 5], "dilations": [1, 2], "config": REST}


def config_of(run: Path) -> str:
    return (run / "config.toml").read_text()


def test_parameters_are_settings(tmp_path: Path) -> None:
    x, y = waves(24)
    config = {key: value for key, value in REST.items() if key != "tune"}
    model = DashClassifier(
        preset="quick", config={k: v for k, v in config.items() if k != "retrain"}, kernel_sizes=(5,), dilations=[2, 3],
        strategy="race", tune=False, epochs=2, batch_size=8, learning_rate=0.05, weight_decay=1e-4, momentum=0.8,
        dropout=0.1, random_state=7, run_dir=tmp_path / "run",
    )
    model.fit(x, y)
    text = config_of(tmp_path / "run")
    for line in ["kernel-sizes = [5]", "dilations = [2, 3]", "seed = 7", "epochs = 2", "batch-size = 8", "lr = 0.05",
                 "momentum = 0.8", "dropout = 0.1"]:
        assert line in text, line
    epochs = [e for e in model.history_ if e["event"] == "epoch" and e["stage"] == "retrain"]
    assert len(epochs) == 2
    assert model.model_.card["training"]["hyperparameters"]["lr"] == pytest.approx(0.05)


def test_several_values_are_tuned_over() -> None:
    x, y = waves(24)
    model = DashClassifier(**FIXED, learning_rate=[0.1, 0.02], momentum=0.9).fit(x, y)
    trials = [e["lr"] for e in model.history_ if e["event"] == "trial-finished" and e.get("stage") == "tune"]
    assert sorted(trials) == [0.02, 0.1]


def test_grid_search_clone_and_pipelines() -> None:
    x, y = waves(30)
    pipeline = make_pipeline(FunctionTransformer(np.tanh), DashClassifier(**FIXED))
    grid = {"dashclassifier__learning_rate": [0.1, 0.01], "dashclassifier__kernel_sizes": [[3], [5]]}
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(x, y)
    assert search.best_params_.keys() == grid.keys() and search.predict(x).shape == (30,)
    copy = clone(DashClassifier(**FIXED, class_weight="balanced", epochs=3))
    assert copy.get_params()["epochs"] == 3 and copy.class_weight == "balanced" and copy.kernel_sizes == [3, 5]
    assert "class_weight" not in DashRegressor().get_params()
    scores = cross_val_score(DashRegressor(**FIXED), x, x.mean(axis=(1, 2)), groups=np.arange(30) % 5, cv=GroupKFold(2))
    assert np.isfinite(scores).all()
    assert "kernel_sizes" in (DashClassifier.__doc__ or "") and "notes_" in (DashRegressor.__doc__ or "")


def test_groups_are_held_out_together(tiny: Tiny, tmp_path: Path) -> None:
    x, y = waves(24)
    groups = np.array(["a", "b", "c", "d"])[np.arange(24) // 6]
    fit = DashClassifier(**tiny).fit
    DashClassifier(**tiny, run_dir=tmp_path / "run").fit(x, y, groups=groups)
    held_out = json.loads((tmp_path / "run" / "split.json").read_text())["validation"][0]["indices"]
    assert held_out and len(held_out) % 6 == 0 and len(set(groups[held_out])) == len(held_out) // 6
    # Weights of 0 leave samples out, with their groups.
    weights = (np.arange(24) >= 6).astype(float)
    apart = fit(x, y, sample_weight=weights, groups=groups).model_.to_bytes()
    assert apart == fit(x[6:], y[6:], groups=groups[6:]).model_.to_bytes()
    with pytest.raises(DataError, match="23 groups for 24 samples"):
        fit(x, y, groups=groups[1:])


def test_class_weights(tiny: Tiny) -> None:
    x, y = waves(24)
    y = (np.arange(24) % 4 == 0).astype(int)
    fit = lambda **parameters: DashClassifier(**tiny, **parameters).fit(x, y).model_.to_bytes()
    balanced = fit(class_weight="balanced")
    assert balanced != fit() and balanced == fit(class_weight={0: 24 / 36, 1: 2.0})
    with pytest.raises(ConfigError, match="not positive"):
        fit(class_weight={0: 1, 1: 0})
    with pytest.raises(ConfigError, match="one class for each sample"):
        DashClassifier(**tiny, class_weight="balanced").fit(x, np.stack([y, 1 - y], axis=1))


def test_random_states(tiny: Tiny) -> None:
    x, y = waves(24)
    fit = lambda **parameters: DashClassifier(**tiny, **parameters).fit(x, y).model_.to_bytes()
    assert fit(random_state=3) == fit(seed=3) != fit()
    assert fit(random_state=np.random.RandomState(1)) == fit(random_state=np.random.RandomState(1))
    assert fit(random_state=np.random.default_rng(1)) != fit()
    with pytest.raises(ConfigError, match="give one of them"):
        fit(seed=3, random_state=4)
    with pytest.raises(ConfigError, match="seed"):
        fit(seed=2**70)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"preset": "paper"}, "`preset` in config changes nothing\nhint: give the estimator's parameter `preset`"),
        ({"seed": 3}, "`seed` in config changes nothing"),
        ({"task.kind": "regression"}, "`task.kind` in config changes nothing"),
        ({"data.channels": 3}, "parameter `channels`"),
        ({"data": {"fill_missing": "zero"}}, "parameter `fill_missing`"),
        ({"data": {"window": 5}}, "it is for reading files"),
        ({"baseline.enabled": True}, "parameter `baseline`"),
        ({"darcy.train": 5}, "for `load_dataset`"),
        ({"nosuch": {}}, "`nosuch` in config is an empty dict"),
        ({"nosuch": {"key": 1}}, "unknown key `nosuch"),
        ({"search.epochs": 2, "search": {"epochs": 3}}, "sets `search.epochs` twice"),
        ({"search.epochs": None}, "`search.epochs` is None"),
    ],
)
def test_settings_without_effect_are_errors(config: dict[str, Any], message: str) -> None:
    x, y = waves(24)
    with pytest.raises(ConfigError) as caught:
        DashClassifier(preset="quick", config=config).fit(x, y)
    assert message in str(caught.value)


def test_a_parameter_and_a_setting_for_the_same_are_refused() -> None:
    x, y = waves(24)
    with pytest.raises(ConfigError, match="set by config and by `kernel_sizes`"):
        DashClassifier(preset="quick", config=TINY, kernel_sizes=[3]).fit(x, y)


def test_a_mask_that_looks_like_labels_is_warned_of(tiny: Tiny) -> None:
    x, _ = waves(24)
    with pytest.warns(DashnasWarning, match="24 labels of each sample: if it is a mask"):
        DashClassifier(**tiny).fit(x, (x[:, 0] > 0).astype(int))


def test_a_search_that_is_left_out_is_said() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(500, 3, 300)), np.arange(500) % 2
    with pytest.warns(DashnasWarning) as warned:
        model = DashClassifier(preset="quick", time_limit=30, config={"budget.memory-limit": 0}).fit(x, y)
    said = [str(w.message) for w in warned]
    assert model.search_ in ("not searched", "undecided", "plain", "searched")
    assert set(said) <= set(model.notes_)
    if model.search_ == "not searched":
        assert any("search" in message for message in said), said


def test_a_search_that_decides_nothing_is_said() -> None:
    x, y = waves(32)
    config = {**TINY, "search": {"strategy": "paper", "epochs": 1, "min-steps": 0, "max-steps": 2}}
    with pytest.warns(DashnasWarning, match="undecided in"):
        model = DashClassifier(preset="quick", config=config).fit(x, y)
    assert model.search_ == "undecided" and model.choice_["by"] == "supernet"
    assert model.choice_["undecided_layers"][0] >= model.choice_["undecided_layers"][1] / 2
    given = DashClassifier(preset="quick", config=REST, kernels=[(5, 1)] * 9).fit(x, y)
    assert given.search_ == "given" == given.choice_["by"] and given.architecture_ == [(5, 1)] * 9


def test_the_report(tiny: Tiny, tmp_path: Path) -> None:
    x, y = waves(24)
    model = DashClassifier(**tiny, run_dir=tmp_path / "run").fit(x, y)
    report = model.report(tmp_path / "r.html")
    assert (tmp_path / "r.html").read_text() == report.html and report.html.startswith("<!")
    assert (tmp_path / "run" / "report.html").is_file()
    assert report._repr_html_().startswith("<iframe") and "<svg" in report.html
    model.save(tmp_path / "m.dashnas")
    with pytest.raises(DataError, match="holds no report"):
        DashClassifier.load(tmp_path / "m.dashnas").report()


def test_steps_are_shown_where_somebody_looks(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    bars: list[Any] = []

    class Bar:
        def __init__(self, **about: Any) -> None:
            self.about, self.n, self.closed = about, 0, False
            bars.append(self)

        def update(self, n: int) -> None:
            self.n += n

        def close(self) -> None:
            self.closed = True

    monkeypatch.setitem(sys.modules, "tqdm", types.ModuleType("tqdm"))
    monkeypatch.setitem(sys.modules, "tqdm.auto", types.SimpleNamespace(tqdm=Bar))
    x, y = waves(24)
    DashClassifier(**tiny, verbose=1).fit(x, y)
    assert not bars, "nobody looks"
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    DashClassifier(**tiny).fit(x, y)
    assert not bars, "nothing was asked for"
    DashClassifier(**tiny, verbose=1).fit(x, y)
    assert {bar.about["desc"] for bar in bars} >= {"search", "retrain"} and all(bar.closed and bar.n > 0 for bar in bars)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"epochs": "many"}, "found the text \"many\" where a whole number from 0 on is expected"),
        ({"epochs": 1.5}, "found 1.5 where a whole number from 0 on is expected"),
        ({"kernel_sizes": "3"}, "found the text \"3\" where a list is expected"),
        ({"strategy": "x"}, "found `x` where `race` or `paper` is expected"),
        ({"learning_rate": "a"}, "found the text \"a\" where a number is expected"),
        ({"preset": 3}, "preset is 3, not a name\nhint: one of quick"),
        ({"seed": 1.5}, "seed is 1.5, not a whole number\nhint: give a whole number from 0 on"),
        ({"seed": -1}, "seed is -1, and it must be 0 or more"),
        ({"random_state": "a"}, "random_state is 'a', not a whole number"),
        ({"time_limit": "1m"}, "time_limit is '1m', not a number\nhint: give the seconds"),
        ({"n_jobs": "2"}, "n_jobs is '2', not a whole number\nhint: give the number of threads"),
        ({"channels": "a"}, "channels is 'a', not a whole number"),
        ({"run_dir": 3}, "run_dir is 3, not a path"),
        ({"progress": 3}, "progress is 3, not a function"),
        ({"verbose": "a"}, "verbose is 'a', not a whole number"),
    ],
)
def test_parameters_of_the_wrong_type_are_said_in_words(parameters: dict[str, Any], message: str) -> None:
    x, y = waves(24)
    with pytest.raises(ConfigError) as caught:
        DashClassifier(**{"preset": "quick", **parameters}).fit(x, y)
    assert message in str(caught.value)


def test_a_file_that_is_no_model_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("This is a text, and not a model at all.")
    with pytest.raises(ModelError, match="notes.txt is not a model file: it does not begin like one") as caught:
        DashClassifier.load(tmp_path / "notes.txt")
    assert "model.dashnas" in (caught.value.hint or "")
