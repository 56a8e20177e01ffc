"""The native half of the package."""

from collections.abc import Callable
from os import PathLike
from typing import Any, TypedDict, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

__version__: str

_Path = str | PathLike[str]
_F32 = NDArray[np.float32]

class _Request(TypedDict):
    task: str
    classes: list[str] | None
    preset: str
    settings: list[tuple[str, str]]
    run_dir: _Path | None
    threads: int | None

class _Samples(TypedDict):
    x: _F32
    y: _F32
    weights: list[float] | None
    groups: list[str] | None
    input_centers: list[float]
    target_centers: list[float]

class _Labeled(TypedDict):
    x: _F32
    y: _F32
    weights: list[float] | None
    groups: list[str] | None

class _Scoring(TypedDict):
    metric: str | None
    plain: Model | None
    guess: list[float] | None
    chosen_by: str | None
    threads: int | None

class _Options(TypedDict):
    kernel_sizes: list[int]
    dilations: list[int]
    stride: int
    groups: int
    formulation: str

@final
class Model:
    """A trained model: a network with everything needed to run it on raw data."""

    @staticmethod
    def load(path: _Path) -> Model:
        """Reads a model file, `model.dashnas`, or that of a run directory."""

    @staticmethod
    def from_bytes(data: bytes) -> Model:
        """Reads the contents of a model file."""

    def to_bytes(self) -> bytes:
        """The contents of a model file."""

    def save(self, path: _Path, *, labels: str | None = None, overwrite: bool = False) -> None:
        """Writes a model file, which the command reads too.

        A file that dashnas did not write is replaced with `overwrite` only.
        `labels` is the type of the classes that the names stand for: bool, int, float or str.
        """

    @property
    def card(self) -> dict[str, Any]:
        """The description of the model: task, classes, input shape, architecture and training.

        The probabilities in the architecture are those of the search of the paper. After a race or for given kernels
        they are 1 and say nothing about how sure the choice is.
        """

    @property
    def n_parameters(self) -> int:
        """The number of trained parameters."""

    @property
    def centers(self) -> tuple[list[float] | None, list[float] | None]:
        """What is subtracted from the inputs, one number for each channel, and added to the values, in `float64`.

        `None` for what needs nothing: only large offsets do, for which `float32` has too few digits.
        """

    def predict_centered(self, x: _F32, threads: int | None = None) -> tuple[_F32, NDArray[np.uint32] | None]:
        """As `predict`, for inputs without their `centers`; the values are without theirs."""

    def predict(self, x: ArrayLike, threads: int | None = None) -> tuple[_F32, NDArray[np.uint32] | None]:
        """Probabilities or values in the units of the data, and the most probable class of each sample of a classification.

        `x` is N×C×L or N×C×H×W.
        """

    def outputs(self, x: _F32) -> _F32:
        """The outputs of the network itself: logits, or values that are not decoded."""

    def torch_files(self, weights: str, *, raw: bool = False) -> tuple[str, bytes]:
        """The source of a PyTorch module, and the safetensors file of its weights, which the source calls `weights`."""

    def to_onnx(self, *, opset: int | None = None, raw: bool = False, fold: bool = False) -> bytes:
        """The contents of an ONNX file, verified against the model on random inputs.

        `raw` leaves out the normalization of inputs and the softmax, sigmoid or decoding of outputs; `fold` merges
        batch normalization into the convolutions.
        """

    def save_onnx(
        self,
        path: _Path,
        *,
        opset: int | None = None,
        raw: bool = False,
        fold: bool = False,
        overwrite: bool = False,
    ) -> None:
        """Writes what `to_onnx` gives to a file, whole or not at all.

        A file that dashnas did not write is replaced with `overwrite` only.
        """

def command(command_line: list[str]) -> int:
    """Runs the command `dashnas`, and returns its exit code."""

def load_dataset(source: str, settings: list[tuple[str, str]]) -> dict[str, Any]: ...
def fit(
    samples: _Samples,
    request: _Request,
    validation: tuple[_F32, _F32] | None = None,
    progress: Callable[[dict[str, Any]], object] | None = None,
) -> tuple[Model, dict[str, Any]]: ...
def evaluate(model: Model, samples: _Labeled, scoring: _Scoring) -> dict[str, Any]: ...
def of_run(path: _Path) -> dict[str, Any]: ...
def agg_conv(x: _F32, weights: _F32, alpha: _F32, bias: _F32 | None, options: _Options) -> _F32: ...
def agg_conv_backward(dy: _F32, x: _F32, weights: _F32, alpha: _F32, options: _Options) -> tuple[_F32, _F32, _F32]: ...
def set_threads(n: int) -> None:
    """Sets the number of threads for all computations from now on; results do not depend on it.

    By default there is one thread for each core, or as many as joblib allows its processes.
    """

def threads() -> int:
    """The number of threads where none is asked for."""
