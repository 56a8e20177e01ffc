"""The command `dashnas` in the package: the same program."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from conftest import waves

HERE = [sys.executable, "-m", "dashnas"]


def table(path: Path, n: int = 40) -> None:
    x, y = waves(n)
    frame = pd.DataFrame(x[:, 0].round(4)).add_prefix("v")
    frame.insert(0, "movement", np.array(["slow", "fast"])[y])
    frame.to_csv(path, index=False)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--version"], 0),
        (["--help"], 0),
        (["run", "--help"], 0),
        ([], 2),
        (["run", "--nosuch"], 2),
        (["run", "windows.csv", "--preset", "huge"], 2),
        (["inspect", "windows.csv"], 0),
        (["inspect", "windows.csv", "--json"], 0),
        (["inspect", "nosuch.csv"], 3),
        (["run", "windows.csv", "--set", "search.epochs=many"], 4),
        (["status", "nosuch"], 5),
        (["config", "--preset", "quick"], 0),
    ],
)
def test_it_says_and_returns_what_the_program_does(tmp_path: Path, arguments: list[str], code: int) -> None:
    table(tmp_path / "windows.csv")
    ours = subprocess.run([*HERE, *arguments], cwd=tmp_path, capture_output=True)
    assert ours.returncode == code, ours.stderr.decode()
    command = os.environ.get("DASHNAS_COMMAND")
    if command is not None:
        own = subprocess.run([command, *arguments], cwd=tmp_path, capture_output=True)
        assert (ours.stdout, ours.stderr, ours.returncode) == (own.stdout, own.stderr, own.returncode)


def test_the_script_is_installed_with_the_package(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("dashnas")
    if not script.is_file():
        pytest.skip("the package is not installed")
    from dashnas import __version__

    said = subprocess.run([script, "--version"], cwd=tmp_path, capture_output=True, text=True)
    assert (said.returncode, said.stdout) == (0, f"dashnas {__version__}\n")


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_stops_a_run_which_can_be_resumed(tmp_path: Path) -> None:
    table(tmp_path / "windows.csv")
    steps = ["--set", "race.steps=12", "--set", "retrain.min-steps=0"]
    run = [*HERE, "run", "windows.csv", "--preset", "quick", "--no-tune", "--no-baseline", "--out", "run", *steps]
    endless = subprocess.Popen(
        [*run, "--set", "retrain.epochs=100000", "--set", "retrain.max-steps=0"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        # A shell's background jobs are started with the signal ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    deadline = time.monotonic() + 120
    while not (tmp_path / "run" / "architecture.json").is_file() and time.monotonic() < deadline:
        time.sleep(0.05)
    endless.send_signal(signal.SIGINT)
    _, said = endless.communicate(timeout=120)
    assert endless.returncode == 130, said.decode()
    assert b"stopping after this step" in said and b"resume" in said and b"Traceback" not in said
