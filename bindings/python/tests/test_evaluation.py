"""Scores on labeled samples, and comparisons with the plain network."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from sklearn.metrics import average_precision_score, f1_score, mean_absolute_error, roc_auc_score

from conftest import TINY, waves
from dashnas import DashClassifier, DashRegressor
from dashnas.errors import ConfigError, DashnasWarning, DataError

Tiny = dict[str, Any]


def test_every_metric_of_the_command_is_that_of_scikit_learn(tiny: Tiny) -> None:
    x, y = waves(48)
    names = np.array(["slow", "fast"])[y]
    model = DashClassifier(**tiny).fit(x[:32], names[:32])
    weights = np.random.default_rng(0).uniform(0.5, 2, 16)
    found = model.predict_proba(x[32:])
    predicted, truth = model.predict(x[32:]), names[32:]
    one_hot = truth[:, None] == model.classes_
    for w in (None, weights):
        result = model.evaluate(x[32:], truth, w)
        wanted = {
            "zero-one-error": 1 - model.score(x[32:], truth, w),
            "one-minus-f1": 1 - f1_score(truth, predicted, average="macro", sample_weight=w, labels=np.unique([truth, predicted])),
            "one-minus-auroc": 1 - np.mean([roc_auc_score(one_hot[:, c], found[:, c], sample_weight=w) for c in (0, 1)]),
            "one-minus-map": 1 - np.mean([average_precision_score(one_hot[:, c], found[:, c], sample_weight=w) for c in (0, 1)]),
        }
        assert result.metrics == pytest.approx(wanted, abs=1e-6) and result.metric == "zero-one-error"
        assert result.value == result.metrics["zero-one-error"] and result.samples == 16
        assert result.weighted == (w is not None) and result.plain is None and result.judgement["plain"] is None
    assert sum(map(sum, model.evaluate(x[32:], truth).details["confusion"])) == 16
    # A sample of weight 0 is none.
    kept = (np.arange(16) >= 4).astype(float)
    assert model.evaluate(x[32:], truth, kept).value == model.evaluate(x[36:], truth[4:]).value
    assert model.evaluate(x[32:], truth[:, None]).value == model.evaluate(x[32:], truth).value


def test_the_plain_network_is_trained_and_compared_with(tiny: Tiny) -> None:
    x, y = waves(64)
    model = DashClassifier(**tiny, baseline=True).fit(x[:32], y[:32])
    assert {"baseline", "retrain"} <= {event["stage"] for event in model.history_ if event["event"] == "epoch"}
    assert model.judgement_ is None and model.plain_ is not None
    result = model.evaluate(x[32:], y[32:])
    _, plain = model.plain_.predict(x[32:])
    right, other = model.predict(x[32:]) == y[32:], plain == y[32:]
    assert result.plain is not None and result.plain["zero-one-error"] == pytest.approx(1 - other.mean())
    only, others = int((right & ~other).sum()), int((other & ~right).sum())
    test = result.judgement["plain"]
    assert test["test"] == "mcnemar"
    assert test["p"] == pytest.approx(binomtest(only, only + others).pvalue if only + others else 1.0)
    assert test["difference"] == (test["p"] <= 0.05) and model.judgement_ == result.judgement
    assert f"{(~right).sum()} " in result.judgement["verdict"] and "of 32 test samples" in result.judgement["verdict"]
    assert result.judgement["guessing"] == 0.5 and result.judgement["verdict"] in str(result)
    again = pickle.loads(pickle.dumps(model))
    assert again.evaluate(x[32:], y[32:]) == result
    by_rank = model.evaluate(x[32:], y[32:], metric="one_minus_auroc")
    assert by_rank.judgement["plain"]["test"] == "bootstrap" and by_rank.value == result.metrics["one-minus-auroc"]


def test_labels_masks_numbers_and_fields(tiny: Tiny) -> None:
    x, y = waves(24, channels=2)
    labels = np.stack([y, 1 - y, np.arange(24) % 3 == 0], axis=1).astype(int)
    found = DashClassifier(**tiny).fit(x, labels)
    result = found.evaluate(x, labels)
    assert result.metric == "one-minus-map" and len(result.details["labels"]) == 3
    assert result.metrics["zero-one-error"] == pytest.approx(np.mean(found.predict(x) != labels))

    images = np.random.default_rng(0).normal(size=(16, 1, 6, 5))
    mask = (images > 0).astype(int)
    dense = DashClassifier(**tiny).fit(images, mask)
    result = dense.evaluate(images, mask[:, 0])
    assert result.metric == "one-minus-auroc"
    assert result.metrics["zero-one-error"] == pytest.approx(np.mean(dense.predict(images) != mask))
    # What is not known is left out.
    holes = np.where(np.arange(5) == 0, np.nan, mask)
    right = (dense.predict(images) != mask)[..., 1:]
    assert dense.evaluate(images, holes).metrics["zero-one-error"] == pytest.approx(right.mean())
    weights = np.arange(1, 17)
    by_sample = (dense.predict(images) == mask).reshape(16, -1).mean(axis=1)
    assert dense.score(images, mask, weights) == pytest.approx(np.average(by_sample, weights=weights))

    numbers = x.mean(axis=(1, 2))
    model = DashRegressor(**tiny, baseline=True).fit(x, numbers)
    result = model.evaluate(x, numbers)
    assert result.metric == "mae" and result.value == pytest.approx(mean_absolute_error(numbers, model.predict(x)), rel=1e-5)
    assert result.judgement["plain"]["test"] == "bootstrap" and result.judgement["guessing"] > 0

    fields = DashRegressor(**tiny).fit(images, images * 3 + 7)
    result = fields.evaluate(images, images * 3 + 7)
    difference = (fields.predict(images) - (images * 3 + 7)).reshape(16, -1)
    relative = np.linalg.norm(difference, axis=1) / np.linalg.norm((images * 3 + 7).reshape(16, -1), axis=1)
    assert result.metric == "relative-l2" and result.value == pytest.approx(relative.mean(), rel=1e-4)


def test_numbers_far_from_zero_are_scored_in_all_digits(tiny: Tiny) -> None:
    x, _ = waves(32)
    y = 1.7e9 + x.mean(axis=(1, 2)).astype(np.float64)
    model = DashRegressor(**tiny).fit(x, y)
    result = model.evaluate(x, y)
    assert result.value == pytest.approx(mean_absolute_error(y, model.predict(x)), rel=1e-4) and result.value < 10
    assert result.metrics["relative-l2"] is None
    with pytest.raises(DataError, match="large offset"):
        model.evaluate(x, y, metric="relative-l2")


def test_what_cannot_be_scored_is_refused(tiny: Tiny) -> None:
    x, y = waves(24)
    model = DashClassifier(**tiny).fit(x, y)
    for given, error, message in [
        ((x, y[1:]), ValueError, "inconsistent numbers of samples"),
        ((x, y + 7), DataError, "class 7 is not among those of y"),
        ((x, y, -np.ones(24)), ValueError, "egative"),
    ]:
        with pytest.raises(error, match=message):
            model.evaluate(*given)
    for metric, message in [("mae", "mae does not suit classification into 2 classes"), ("f1", "no metric \"f1\"")]:
        with pytest.raises(ConfigError, match=message) as caught:
            model.evaluate(x, y, metric=metric)
        assert "zero-one-error, one-minus-f1, one-minus-auroc, one-minus-map" in str(caught.value)
    assert model.evaluate(x, np.zeros(24)).metrics["one-minus-auroc"] is None
    with pytest.raises(DataError, match="auroc"):
        model.evaluate(x, np.zeros(24), metric="one-minus-auroc")
    numbers = DashRegressor(**tiny).fit(x, np.stack([y, y], axis=1))
    with pytest.raises(DataError, match="3 outputs; this model has 2"):
        numbers.evaluate(x, np.stack([y, y, y], axis=1))


def test_a_run_of_the_command_is_scored_as_by_the_command(tmp_path: Path) -> None:
    command = os.environ.get("DASHNAS_COMMAND")
    if command is None:
        pytest.skip("DASHNAS_COMMAND does not say where the command is")
    x, y = waves(60)
    table = pd.DataFrame(x[:, 0]).add_prefix("v").round(4)
    table.insert(0, "movement", np.array(["slow", "fast"])[y])
    table[:40].to_csv(tmp_path / "windows.csv", index=False)
    table[40:].to_csv(tmp_path / "new.csv", index=False)
    settings = [f"{section}.{key}={value}" for section, values in TINY.items() for key, value in values.items()]
    settings = [setting.replace("_", "-") for setting in settings]
    run = [command, "run", "windows.csv", "--preset", "quick", "--out", "run",
           *(flag for pair in settings for flag in ("--set", pair))]
    subprocess.run(run, cwd=tmp_path, check=True, capture_output=True)
    on = [command, "evaluate", "run", "--on", "new.csv", "--json"]
    wanted = json.loads(subprocess.run(on, cwd=tmp_path, check=True, capture_output=True).stdout)
    outcome = json.loads((tmp_path / "run" / "metrics.json").read_text())

    model = DashClassifier.load(tmp_path / "run")
    assert model.choice_["by"] == "race" and model.search_ in ("searched", "undecided", "plain")
    assert model.judgement_ is not None and model.judgement_["plain"]["p"] == outcome["judgement"]["plain"]["p"]
    result = model.evaluate(table[40:], table["movement"][40:])
    assert (result.value, result.details) == (wanted["value"], wanted["details"])
    assert result.plain is not None and result.plain["zero-one-error"] == wanted["baseline"]
    assert result.judgement["guessing"] == pytest.approx(wanted["judgement"]["guessing"])
    assert result.judgement["interval"] == wanted["judgement"]["interval"]


def test_groups_count_and_not_their_samples(tiny: Tiny) -> None:
    x, y = waves(64)
    model = DashClassifier(**tiny, baseline=True).fit(x[:32], y[:32])
    few = model.evaluate(x[32:], y[32:], groups=np.arange(32) % 4)
    assert few.judgement["interval"] is None and few.judgement["plain"] is None
    assert few.judgement["no_interval"] == "no 95 % interval, since the samples are from only 4 groups"
    many = model.evaluate(x[32:], y[32:], groups=np.arange(32) % 8)
    assert many.judgement["interval"]["groups"] == {"number": 8, "are": "groups"}
    assert many.judgement["plain"]["test"] == "cluster-bootstrap"
    single = model.evaluate(x[32:], y[32:], groups=np.arange(32))
    assert single.judgement == model.evaluate(x[32:], y[32:]).judgement
    with pytest.raises(DataError, match="3 groups for 32 samples"):
        model.evaluate(x[32:], y[32:], groups=[1, 2, 3])


def test_inputs_unlike_the_training_data_are_warned_of(tiny: Tiny) -> None:
    x, y = waves(48)
    model = DashClassifier(**tiny).fit(x[:32], y[:32])
    with warnings.catch_warnings():
        warnings.simplefilter("error", DashnasWarning)
        model.predict(x[32:])
        model.evaluate(x[32:], y[32:])
    for call in (model.predict, model.predict_proba, lambda given: model.evaluate(given, y[32:]), model.model_.predict):
        with pytest.warns(DashnasWarning, match="X: "):
            call(1000 * x[32:] + 5000)
