"""Forked processes, and the number of threads."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from joblib import Parallel, delayed

import dashnas
from conftest import waves
from dashnas import DashClassifier
from dashnas._threads import threads

#: Seconds after which a child hangs: threads that wait for each other wait for ever.
PATIENCE = 120


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="there is no fork, or it is not safe")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_computes(tiny: dict[str, Any], tmp_path: Path) -> None:
    x, y = waves(24)
    model = DashClassifier(**tiny).fit(x, y)
    model.save(tmp_path / "m.dashnas")
    kernels = ([np.ones((2, 1, 3))], [0.0], [3], [1])
    works: list[Callable[[], Any]] = [
        lambda: model.predict_proba(x),
        lambda: DashClassifier.load(tmp_path / "m.dashnas").predict_proba(x),
        lambda: DashClassifier(**tiny).fit(x, y).predict_proba(x),
        lambda: dashnas.agg_conv(x, *kernels),
    ]
    wanted = [work() for work in works]
    context = multiprocessing.get_context("fork")

    def child(out: Any, work: Callable[[], Any]) -> None:
        out.send(work())

    for work, want in zip(works, wanted):
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=child, args=(there, work))
        process.start()
        assert here.poll(PATIENCE), "the child hangs"
        np.testing.assert_array_equal(here.recv(), want)
        process.join(PATIENCE)
        assert process.exitcode == 0


def test_the_number_of_threads_is_that_of_joblib(monkeypatch: pytest.MonkeyPatch) -> None:
    cores = joblib.cpu_count()
    for name in ("RAYON_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    usual = threads(None)
    assert 1 <= usual <= os.cpu_count()
    assert (threads(3), threads(-1), threads(-cores - 5)) == (3, cores, 1)
    with pytest.raises(ValueError, match="n_jobs is 0"):
        threads(0)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert threads(None) == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "2,1")
    assert threads(None) == min(usual, 2)
    monkeypatch.delenv("OMP_NUM_THREADS")
    # Many fits at a time have one thread each.
    assert Parallel(n_jobs=2, backend="threading")(delayed(threads)(None) for _ in range(2)) == [1, 1]


def test_the_number_of_threads_does_not_change_the_result(tiny: dict[str, Any]) -> None:
    x, y = waves(24)
    assert len({DashClassifier(**tiny, n_jobs=n).fit(x, y).model_.to_bytes() for n in (1, 2, 3)}) == 1
    found = Parallel(n_jobs=2)(delayed(DashClassifier(**tiny).fit)(x, y) for _ in range(2))
    assert found[0].model_.to_bytes() == DashClassifier(**tiny).fit(x, y).model_.to_bytes()
