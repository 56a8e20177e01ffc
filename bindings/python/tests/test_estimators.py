"""The estimators on their own data: kinds of targets, files, progress, interruption, errors."""

from __future__ import annotations

import io
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import onnxruntime
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import dashnas
from conftest import TINY, waves, with_weights
from dashnas import DashClassifier, DashRegressor
from dashnas._classifier import _labels
from dashnas.errors import ConfigError, DataError, ModelError

Tiny = dict[str, Any]


def test_classes_of_series_are_learnt() -> None:
    x, y = waves(96)
    names = np.array(["slow", "fast"])[y]
    config = {**TINY, "retrain": {"epochs": 30, "min-steps": 0, "max-steps": 60}}
    model = DashClassifier(preset="quick", config=config).fit(x[:64], names[:64])
    assert model.score(x[64:], names[64:]) > 0.9
    assert model.classes_.tolist() == ["fast", "slow"]
    found = model.predict_proba(x[64:])
    assert found.shape == (32, 2) and found.dtype == np.float32
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(model.classes_[found.argmax(axis=1)], model.predict(x[64:]))
    assert all(k in (3, 5) and d in (1, 2) for k, d in model.architecture_)
    assert {event["stage"] for event in model.history_ if "stage" in event} == {"search", "tune", "retrain"}


def test_the_same_seed_is_the_same_model(tiny: Tiny) -> None:
    x, y = waves(24)
    first, again, other = (DashClassifier(**tiny, seed=seed).fit(x, y).model_.to_bytes() for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_several_labels(tiny: Tiny) -> None:
    x, y = waves(24, channels=2)
    labels = np.stack([y, 1 - y, np.ones_like(y)], axis=1)
    model = DashClassifier(**tiny).fit(x, labels)
    found = model.predict_proba(x)
    assert found.shape == (24, 3) and ((found > 0) & (found < 1)).all()
    np.testing.assert_array_equal(model.predict(x), found > 0.5)
    assert 0 <= model.score(x, labels) <= 1


@pytest.mark.parametrize("channel_axis", [True, False])
def test_masks_over_images(tiny: Tiny, channel_axis: bool) -> None:
    x = np.random.default_rng(0).normal(size=(16, 1, 6, 5))
    mask = (x > 0).astype(int) if channel_axis else (x[:, 0] > 0).astype(int)
    model = DashClassifier(**tiny).fit(x, mask)
    found = model.predict_proba(x)
    assert found.shape == mask.shape
    np.testing.assert_array_equal(model.predict(x), found > 0.5)
    assert model.score(x, mask) == np.mean(model.predict(x) == mask)


@pytest.mark.parametrize("outputs", [None, 1, 2])
def test_numbers_are_predicted_in_their_shape_and_units(tiny: Tiny, outputs: int | None) -> None:
    x, _ = waves(32)
    y = 1000 + x.mean(axis=(1, 2)) if outputs is None else np.full((32, outputs), 1000) + x.mean(axis=2)
    model = DashRegressor(**tiny).fit(x, y)
    found = model.predict(x)
    # scikit-learn's estimators give a single column back as [N].
    assert found.shape == ((32, 2) if outputs == 2 else (32,)) and found.dtype in (np.float32, np.float64)
    assert np.abs(found - 1000).max() < 10
    assert np.isfinite(model.score(x, y))


def test_fields_over_the_grid(tiny: Tiny) -> None:
    x = np.random.default_rng(0).normal(size=(16, 2, 6, 5))
    for y in (x[:, :1] * 3 + 7, x[:, 0] * 3 + 7):
        model = DashRegressor(**tiny).fit(x, y)
        assert model.predict(x).shape == y.shape
        assert model.score(x, y) <= 1
    # Another size than that trained on.
    assert model.predict(np.zeros((2, 2, 9, 4))).shape == (2, 9, 4)


def test_a_table_is_series_of_one_channel(tiny: Tiny) -> None:
    x, y = waves(24)
    table = DashClassifier(**tiny).fit(x[:, 0], y)
    series = DashClassifier(**tiny).fit(x, y)
    assert table.n_features_in_ == 24 and series.n_features_in_ == 1
    np.testing.assert_array_equal(table.predict_proba(x[:, 0]), series.predict_proba(x))


def test_given_validation_samples_judge_the_trials(tiny: Tiny) -> None:
    x, y = waves(32)
    model = DashClassifier(**tiny, validation=(x[24:], y[24:])).fit(x[:24], y[:24])
    assert model.model_.card["training"]["validation"] is not None
    with pytest.raises(DataError, match="class 7 is not among"):
        DashClassifier(**tiny, validation=(x[24:], y[24:] + 7)).fit(x[:24], y[:24])


def test_weights_of_samples(tiny: Tiny) -> None:
    x, y = waves(24)
    fit = DashClassifier(**tiny).fit
    plain = fit(x, y).model_.to_bytes()
    assert fit(x, y, sample_weight=np.full(24, 2.0)).model_.to_bytes() == plain
    assert fit(x, y, sample_weight=np.arange(1, 25)).model_.to_bytes() != plain
    # A sample of weight 0 is none.
    weights = (np.arange(24) >= 4).astype(float)
    assert fit(x, y, sample_weight=weights).model_.to_bytes() == fit(x[4:], y[4:]).model_.to_bytes()
    numbers = DashRegressor(**tiny).fit(x, y.astype(float), sample_weight=weights)
    assert numbers.predict(x).shape == (24,)
    for bad, message in [(-weights, "egative"), (np.zeros(24), "are 0|non-zero"), (weights[1:], "shape")]:
        with pytest.raises(ValueError, match=message):
            fit(x, y, sample_weight=bad)


def test_in_a_pipeline_and_cross_validation(tiny: Tiny) -> None:
    x, y = waves(36)
    pipeline = make_pipeline(FunctionTransformer(np.tanh), DashClassifier(**tiny))
    scores = cross_val_score(pipeline, x, y, cv=3)
    assert scores.shape == (3,) and np.isfinite(scores).all()
    assert pipeline.set_params(dashclassifier__seed=5).get_params()["dashclassifier__seed"] == 5


def test_files_and_pickles_predict_the_same(tiny: Tiny, tmp_path: Path) -> None:
    x, y = waves(24)
    model = DashClassifier(**tiny).fit(x, y + 4)
    want = model.predict_proba(x)
    model.save(tmp_path / "m.dashnas")
    joblib.dump(model, tmp_path / "m.joblib")
    loaded = DashClassifier.load(tmp_path / "m.dashnas")
    for same in (loaded, joblib.load(tmp_path / "m.joblib"), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(same.predict_proba(x), want)
        np.testing.assert_array_equal(same.predict(x), model.predict(x))
    assert not hasattr(clone(model), "model_")

    regressor = DashRegressor(**tiny).fit(x, x.mean(axis=(1, 2)))
    regressor.save(tmp_path / "r.dashnas")
    np.testing.assert_array_equal(DashRegressor.load(tmp_path / "r.dashnas").predict(x), regressor.predict(x))
    with pytest.raises(ModelError, match="DashRegressor.load"):
        DashClassifier.load(tmp_path / "r.dashnas")


def test_files_that_dashnas_did_not_write_are_kept(tiny: Tiny, tmp_path: Path) -> None:
    x, y = waves(24)
    for model in (DashClassifier(**tiny).fit(x, y), DashRegressor(**tiny).fit(x, x.mean(axis=(1, 2)))):
        network = model.model_
        writes: list[Callable[..., Any]] = [model.save, model.to_onnx, model.report, network.save, network.save_onnx]
        for i, write in enumerate(writes):
            path = tmp_path / f"{type(model).__name__}{i}"
            path.write_text("mine")
            with pytest.raises(FileExistsError, match="overwrite=True"):
                write(path)
            assert path.read_text() == "mine"
            write(path, overwrite=True)
            # What was written by dashnas is replaced.
            write(path)


@pytest.mark.parametrize("labels", [[4, 5], [-1, 1], ["1", "2"], ["no", "yes"], ["007", "7"], [False, True], [1.0, 2.0]])
def test_labels_keep_their_type_in_a_file(tiny: Tiny, tmp_path: Path, labels: list[Any]) -> None:
    x, y = waves(24)
    names = np.array(labels)[y]
    model = DashClassifier(**tiny).fit(x, names)
    model.save(tmp_path / "m.dashnas")
    loaded = DashClassifier.load(tmp_path / "m.dashnas")
    assert loaded.classes_.dtype.kind == names.dtype.kind and loaded.classes_.tolist() == labels
    found = loaded.predict(x)
    assert found.dtype.kind == names.dtype.kind
    np.testing.assert_array_equal(found, model.predict(x))
    assert loaded.score(x, names) == model.score(x, names)
    # Saved again, they are what they were.
    loaded.save(tmp_path / "again.dashnas")
    assert (tmp_path / "again.dashnas").read_bytes() == (tmp_path / "m.dashnas").read_bytes()


def test_names_that_the_command_wrote_are_what_they_look_like() -> None:
    for names, wanted in [(["0", "1", "-2"], [0, 1, -2]), (["1", "01"], ["1", "01"]), (["False", "True"], [False, True]),
                          (["up", "True"], ["up", "True"]), (["1", "²"], ["1", "²"])]:
        assert _labels(names, None).tolist() == wanted


@pytest.mark.parametrize("channels", [1, 2])
def test_a_table_that_the_command_was_trained_on(tmp_path: Path, channels: int) -> None:
    command = os.environ.get("DASHNAS_COMMAND")
    if command is None:
        pytest.skip("DASHNAS_COMMAND does not say where the command is")
    x, y = waves(30, channels=channels)
    table = pd.DataFrame(x.reshape(30, -1)).add_prefix("v").round(4)
    table.insert(3, "movement", np.array(["slow", "fast"])[y])
    table.to_csv(tmp_path / "windows.csv", index=False)
    settings = [f"{section}.{key}={value}" for section in ("search", "retrain")
                for key, value in {"min-steps": 0, "max-steps": 2}.items()]
    run = [command, "run", "windows.csv", "--channels", str(channels), "--preset", "quick", "--no-tune", "--no-baseline",
           "--out", "run", *(flag for pair in settings for flag in ("--set", pair))]
    subprocess.run(run, cwd=tmp_path, check=True, capture_output=True)
    said = subprocess.run([command, "predict", "run", "windows.csv"], cwd=tmp_path, check=True, capture_output=True)
    wanted = pd.read_csv(io.BytesIO(said.stdout))

    model = DashClassifier.load(tmp_path / "run")
    columns = [name for name in table.columns if name != "movement"]
    assert model.n_features_in_ == 24 * channels and model.feature_names_in_.tolist() == columns
    # With the label, without it, in another order, and as plain numbers.
    for given in (table, table[columns], table[columns[::-1]], table[columns].to_numpy(), x.round(4)):
        np.testing.assert_array_equal(model.predict(given), wanted["class"])
        np.testing.assert_allclose(model.predict_proba(given), wanted[["p_fast", "p_slow"]], atol=1e-6)
    assert model.score(table, table["movement"]) == np.mean(wanted["class"] == table["movement"])
    with pytest.raises(DataError, match="no column v5 that the model was trained on"):
        model.predict(table.drop(columns="v5"))
    if channels == 2:
        with pytest.raises(DataError, match="47 columns; this model takes 48, 24 for each of 2 channels"):
            model.predict(table[columns].to_numpy()[:, 1:])


def test_a_table_through_a_file(tiny: Tiny, tmp_path: Path) -> None:
    x, _ = waves(24)
    model = DashRegressor(**tiny).fit(x[:, 0], x.mean(axis=(1, 2)))
    model.save(tmp_path / "m.dashnas")
    loaded = DashRegressor.load(tmp_path / "m.dashnas")
    for given in (x, x[:, 0], pd.DataFrame(x[:, 0])):
        np.testing.assert_array_equal(loaded.predict(given), model.predict(x[:, 0]))
    assert loaded.predict(x[:, 0, :11]).shape == (24,)


def test_bad_files_say_what_is_wrong(tiny: Tiny, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="none.dashnas"):
        DashClassifier.load(tmp_path / "none.dashnas")
    x, y = waves(24)
    model = DashClassifier(**tiny).fit(x, y).model_
    with pytest.raises(ModelError, match="cut short"):
        dashnas.Model.from_bytes(model.to_bytes()[:-8])
    with pytest.raises(ModelError, match="checksum"):
        dashnas.Model.from_bytes(model.to_bytes()[:-1] + b"\x40")
    with pytest.raises(OSError, match="cannot write"):
        model.save(tmp_path / "no" / "folder")


def test_onnx(tiny: Tiny, tmp_path: Path) -> None:
    x, y = waves(24)
    model = DashClassifier(**tiny).fit(x, y)
    model.to_onnx(tmp_path / "m.onnx", fold=True)
    raw = model.model_.to_onnx(raw=True)
    assert (tmp_path / "m.onnx").stat().st_size > 100 and b"Softmax" not in raw
    folded = (tmp_path / "m.onnx").read_bytes()
    assert b"Softmax" in folded and b"BatchNormalization" not in folded and b"BatchNormalization" in raw
    with pytest.raises(ModelError, match="opset 99"):
        model.model_.to_onnx(opset=99)
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
    for given in (x, x[:1], np.concatenate([x, x], axis=2)[:, :, :37]):
        (found,) = session.run(None, {session.get_inputs()[0].name: given})
        np.testing.assert_allclose(found, model.predict_proba(given), atol=1e-5)


def test_an_onnx_file_is_written_whole_and_only_if_it_is_right(tiny: Tiny, tmp_path: Path) -> None:
    x, y = waves(24)
    model = DashClassifier(**tiny).fit(x, y)
    file = tmp_path / "m.onnx"
    file.write_bytes(b"of yesterday")
    with pytest.raises(ModelError, match="needs opset 7"):
        model.to_onnx(file, opset=6, overwrite=True)
    # A weight that is no number makes outputs that agree with nothing.
    model.model_ = dashnas.Model.from_bytes(with_weights(model.model_.to_bytes(), "head_bias", np.nan))
    with pytest.raises(ModelError, match="differs from the model"):
        model.to_onnx(file, overwrite=True)
    with pytest.raises(ModelError, match="differs from the model"):
        model.model_.to_onnx(raw=True)
    assert file.read_bytes() == b"of yesterday" and list(tmp_path.iterdir()) == [file]
    with pytest.raises(OSError, match="cannot write"):
        DashClassifier(**tiny).fit(x, y).to_onnx(tmp_path / "no" / "folder")


def test_progress_tells_of_every_stage_and_stops_when_it_raises(tiny: Tiny, capfd: Any) -> None:
    x, y = waves(24)
    events: list[dict[str, Any]] = []
    DashClassifier(**tiny, progress=events.append, verbose=2).fit(x, y)
    started = [e["stage"] for e in events if e["event"] == "stage-started"]
    assert started == ["search", "tune", "retrain"]
    assert sum(e["event"] == "step" and e["stage"] == "retrain" for e in events) > 0
    printed = capfd.readouterr().err
    assert "search: finished in" in printed and "retrain: epoch 1/" in printed and "tune: trial 1/1" in printed

    class Enough(Exception):
        pass

    def stop(event: dict[str, Any]) -> None:
        steps.append(event)
        if event["event"] == "step":
            raise Enough

    steps: list[dict[str, Any]] = []
    model = DashClassifier(**tiny, progress=stop)
    with pytest.raises(Enough):
        model.fit(x, y)
    assert sum(e["event"] == "step" for e in steps) == 1
    assert not hasattr(model, "model_")


def test_ctrl_c_stops_a_fit() -> None:
    x, y = waves(64)
    endless = {**TINY, "search": {"strategy": "paper", "epochs": 1_000_000, "min-steps": 0, "max-steps": 0}}
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    # A shell's background jobs are started with the signal ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            DashClassifier(preset="quick", config=endless).fit(x, y)
    finally:
        timer.cancel()
        signal.signal(signal.SIGINT, before)


class Counter(threading.Thread):
    """Counts as fast as it gets the interpreter's lock, and gives it back after each."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.count, self.stopped = 0, False

    def run(self) -> None:
        while not self.stopped:
            self.count += 1
            time.sleep(0)

    def during(self, work: Callable[[], object]) -> float:
        """Counts a second while something else is done."""
        before, start = self.count, time.perf_counter()
        work()
        return (self.count - before) / (time.perf_counter() - start)


def test_the_interpreter_is_free_while_a_model_is_trained_and_predicts(tiny: Tiny) -> None:
    x, y = waves(64, channels=2, length=500)
    model = DashClassifier(**tiny)
    # Nobody is made to give the lock back: others run only when it is given up.
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    counter = Counter()
    counter.start()
    try:
        free = counter.during(lambda: time.sleep(0.3))
        held = counter.during(lambda: sum(range(3_000_000)))
        fit = counter.during(lambda: model.fit(x, y))
        predict = counter.during(lambda: [model.model_.predict(x) for _ in range(5)])
    finally:
        counter.stopped = True
        sys.setswitchinterval(interval)
        counter.join()
    # On a machine that is busy with training the counter gets a share of what it gets when alone. Code that holds the
    # lock leaves it next to nothing.
    assert held < free / 100, (held, free)
    assert fit > free / 50, (fit, free)
    assert predict > free / 50, (predict, free)


def test_other_threads_run_while_a_model_is_trained(tiny: Tiny) -> None:
    x, y = waves(24)
    seen = threading.Event()
    blocked: list[bool] = []

    def progress(event: dict[str, Any]) -> None:
        # The first step waits for another thread, which can run only if nothing holds the interpreter for good.
        if event["event"] == "step" and not blocked:
            blocked.append(not seen.wait(20))

    trainer = threading.Thread(target=DashClassifier(**tiny, progress=progress).fit, args=(x, y))
    trainer.start()
    seen.set()
    trainer.join()
    assert blocked == [False]


def test_a_run_directory_is_kept_and_not_written_over(tiny: Tiny, tmp_path: Path) -> None:
    x, y = waves(24)
    model = DashClassifier(**tiny, run_dir=tmp_path / "run").fit(x, y)
    assert (tmp_path / "run" / "config.toml").is_file()
    assert dashnas.Model.load(tmp_path / "run").to_bytes() == model.model_.to_bytes()
    with pytest.raises(FileExistsError, match="already exists"):
        model.fit(x, y)


def test_a_time_limit_plans_the_run(tmp_path: Path) -> None:
    x, y = waves(24)
    # Without the limit this would take weeks.
    steps = {"min-steps": 10**9, "max-steps": 0}
    endless = {"space": TINY["space"], "race": {"steps": 10**7}, "retrain": steps}
    model = DashClassifier(preset="quick", config=endless, time_limit=20, run_dir=tmp_path / "run").fit(x, y)
    assert model.predict(x).shape == (24,)
    assert "time-limit = 20.0" in (tmp_path / "run" / "config.toml").read_text()


def test_settings_are_checked(tiny: Tiny) -> None:
    x, y = waves(24)
    for changed, message in [
        ({"preset": "huge"}, "no preset \"huge\"\nhint: one of quick, standard, paper"),
        ({"config": {"search": {"epoch": 2}}}, "unknown key `search.epoch`\nhint: did you mean `search.epochs`"),
        ({"config": {"search.epochs": "many"}}, "`search.epochs`"),
        ({"config": {"space": {"kernel_sizes": [4]}}}, "odd"),
        ({"config": {"task.loss": "mse"}}, "loss mse cannot be used"),
        ({"config": {"search.epochs": object()}}, "`search.epochs` is object"),
        ({"config": [1]}, "config is list"),
    ]:
        with pytest.raises(ConfigError) as caught:
            DashClassifier(**{**tiny, **changed}).fit(x, y)
        assert message in str(caught.value) and isinstance(caught.value, ValueError)
    flat = {"search.epochs": np.int64(1), "search": {"max-steps": 1, "min_steps": 0}, "space.kernel-sizes": np.array([3])}
    rest = {name: section for name, section in TINY.items() if name != "space"}
    assert DashClassifier(preset="quick", config={**rest, **flat}).fit(x, y).model_.card["architecture"]["kernels"]


def test_kernels_can_be_given_and_training_samples_left_out() -> None:
    x, y = waves(24)
    kernels = [(5, 1), (3, 2), (7, 3)] * 3
    config = {**TINY, "search": {"kernels": kernels}, "task.train_samples": 20}
    card = DashClassifier(preset="quick", config=config).fit(x, y).model_.card
    assert card["architecture"]["kernels"] == [list(kernel) for kernel in kernels]
    assert card["training"]["samples"] == 20
    with pytest.raises(ConfigError, match="9 searched layers"):
        DashClassifier(preset="quick", config={**TINY, "search.kernels": kernels[:2]}).fit(x, y)


def test_inputs_are_checked(tiny: Tiny) -> None:
    x, y = waves(24)
    model = DashClassifier(**tiny).fit(x, y)
    with pytest.raises(ValueError, match="2 features"):
        model.predict(np.zeros((3, 2, 24)))
    with pytest.raises(ValueError, match="NaN"):
        model.predict(np.full((3, 1, 24), np.nan))
    # Images are no series, though they have one channel, and one row.
    for images in (np.zeros((3, 1, 4, 6)), np.zeros((3, 1, 1, 24))):
        with pytest.raises(DataError, match=r"X has shape \(3, 1, \d, \d+\); this model takes N×1×24"):
            model.predict(images)
        with pytest.raises(DataError, match=r"shape \[3, 1, \d, \d+\]; this model takes \[N, 1, 24\]"):
            model.model_.predict(images.astype(np.float32))
    with pytest.raises(DataError, match="expected N×C×L or N×C×H×W"):
        DashClassifier(**tiny).fit(np.zeros((4, 1, 2, 2, 2)), [0, 1, 0, 1])
    with pytest.raises(DataError, match="at least 2 classes"):
        DashClassifier(**tiny).fit(x, np.zeros(24))
    with pytest.raises(DataError, match="over the grid"):
        DashRegressor(**tiny).fit(x, np.zeros((24, 1, 23)))
    with pytest.raises(DataError, match="must be 0 or 1"):
        DashClassifier(**tiny).fit(x, np.full((24, 1, 24), 2))
    with pytest.raises(ValueError, match="inconsistent"):
        DashClassifier(**tiny).fit(x, y[:-1])


def test_a_run_of_arrays_is_finished_and_says_why_it_cannot_be_evaluated(tiny: Tiny, tmp_path: Path) -> None:
    command = os.environ.get("DASHNAS_COMMAND")
    if command is None:
        pytest.skip("DASHNAS_COMMAND does not say where the command is")
    x, y = waves(24)
    DashClassifier(**tiny, run_dir=tmp_path / "run").fit(x, y)
    status = subprocess.run([command, "status", "run"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert "finished (trained from Python; not evaluated)" in status.stdout
    evaluate = subprocess.run([command, "evaluate", "run"], cwd=tmp_path, capture_output=True, text=True)
    assert evaluate.returncode != 0 and "arrays of a Python process" in evaluate.stderr


def test_what_is_written_of_a_run_of_arrays_names_no_test_split(tiny: Tiny, tmp_path: Path) -> None:
    x, y = waves(24)
    model = DashClassifier(**tiny, run_dir=tmp_path / "run").fit(x, y)
    split = json.loads((tmp_path / "run" / "split.json").read_text())
    assert split["test"] == [] and "arrays in Python" in split["test_is"] and len(split["train"][0]["indices"]) == 24
    assert "to test on" not in model.report().html and "Not finished" not in model.report().html
