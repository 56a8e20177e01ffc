# %% [markdown]
# # From sensor windows to an ONNX file, in Python
#
# The data are windows of a three-axis accelerometer, each with one of four movements. They are generated here, so that
# nothing is downloaded: every movement oscillates at its own rate, and every window has its own tilt and noise. A
# kernel that covers a period of the slowest movement is larger than the usual ones.
#
# The example needs `dashnas`. Run it cell by cell in an editor, or as a whole: `python sensor_windows.py`.

# %%
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import train_test_split

import dashnas

#: Settings over the preset, as JSON in the first argument, if there is one.
SETTINGS = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
#: Time limit of the training in seconds: the second argument, if there is one.
SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 120.0

MOVEMENTS = np.array(["rest", "walk", "run", "drill"])
RATES = np.array([0.0, 0.04, 0.11, 0.27])  # cycles per sample


# %%
def windows(n: int, length: int = 96, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Returns accelerations of shape `[n, 3, length]` and their movements."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(len(MOVEMENTS), size=n)
    rate = RATES[kind] * rng.uniform(0.8, 1.25, size=n)
    axis = rng.normal(size=(n, 3, 1))
    phase = rng.uniform(0, 2 * np.pi, size=(n, 1, 1))
    shaking = axis * np.sin(2 * np.pi * rate[:, None, None] * np.arange(length) + phase) * (kind > 0)[:, None, None]
    tilt = rng.normal(scale=2.0, size=(n, 3, 1))
    return (shaking + tilt + rng.normal(scale=0.6, size=(n, 3, length))).astype(np.float32), MOVEMENTS[kind]


x, y = windows(480)
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, random_state=0, stratify=y)
print(f"{len(x_train)} training windows, {x.shape[1]} channels of {x.shape[2]} samples")

# %% [markdown]
# `fit` searches, tunes and retrains within two minutes. `verbose=1` prints the progress.

# %%
model = dashnas.DashClassifier(preset="quick", time_limit=SECONDS, config=SETTINGS, verbose=1).fit(x_train, y_train)

# %% [markdown]
# The kernel of each layer, from the input on, and its receptive field.

# %%
for layer, (kernel, dilation) in enumerate(model.architecture_, start=1):
    print(f"layer {layer}: kernel {kernel}, dilation {dilation}, receptive field {(kernel - 1) * dilation + 1} samples")

# %%
print(f"accuracy on the test windows: {model.score(x_test, y_test):.3f}")
print(model.classes_)
print(confusion_matrix(y_test, model.predict(x_test), labels=model.classes_))

# %% [markdown]
# Use the model elsewhere: one file for `dashnas predict` and `DashClassifier.load`, and one for any ONNX runtime. Both
# contain the preprocessing: they take raw windows and return probabilities.

# %%
folder = Path(tempfile.mkdtemp())
model.save(folder / "movements.dashnas")
model.to_onnx(folder / "movements.onnx")
for file in sorted(folder.iterdir()):
    print(f"{file.name}: {file.stat().st_size / 1024:.0f} KiB")

again = dashnas.DashClassifier.load(folder / "movements.dashnas")
assert (again.predict(x_test) == model.predict(x_test)).all()
