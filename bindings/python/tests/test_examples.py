"""The example runs from beginning to end, with few steps."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from conftest import TINY

EXAMPLES = Path(__file__).parents[3] / "examples"


def test_sensor_windows() -> None:
    run = [sys.executable, str(EXAMPLES / "sensor_windows.py"), json.dumps(TINY), "10"]
    done = subprocess.run(run, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "movements.onnx" in done.stdout and "layer 1: kernel" in done.stdout
    assert "retrain: finished" in done.stderr
