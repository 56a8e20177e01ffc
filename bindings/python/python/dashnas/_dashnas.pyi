"""The native half of the package."""

from collections.abc import Callable
from os import PathLike
from typing import Any, TypedDict, final

import numpy as np
from numpy.typing import NDArray

__version__: str

_Path = str | PathLike[str]
_F32 = NDArray[np.float32]

class _Request(TypedDict):
    task: str
    classes: list[str] | None
    preset: str
    settings: list[tuple[str, str]]
    run_dir: _Path | None

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

    def save(self, path: _Path, *, labels: str | None = None) -> None:
        """Writes a model file, which the command reads too.

        `labels` is the type of the classes that the names stand for: bool, int, float or str.
        """

    @property
    def card(self) -> dict[str, Any]:
        """The description of the model: task, classes, input shape, architecture and training.

        The probabilities in the architecture are those of the search of the paper. After a race or for given kernels
        they are 1 and say nothing about how sure the choice is.
        """

    def predict(self, x: _F32) -> tuple[_F32, NDArray[np.uint32] | None]:
        """Probabilities or values in the units of the data, and the most probable class of each sample of a classification.

        `x` is N×C×L or N×C×H×W.
        """

    def outputs(self, x: _F32) -> _F32:
        """The outputs of the network itself: logits, or values that are not decoded."""

    def to_onnx(self, *, opset: int | None = None, raw: bool = False, fold: bool = False) -> bytes:
        """The contents of an ONNX file, verified against the model on random inputs.

        `raw` leaves out the normalization of inputs and the softmax, sigmoid or decoding of outputs; `fold` merges
        batch normalization into the convolutions.
        """

    def save_onnx(self, path: _Path, *, opset: int | None = None, raw: bool = False, fold: bool = False) -> None:
        """Writes what `to_onnx` gives to a file, whole or not at all."""

def load_dataset(source: str, settings: list[tuple[str, str]]) -> dict[str, Any]: ...
def fit(
    x: _F32,
    y: _F32,
    request: _Request,
    validation: tuple[_F32, _F32] | None = None,
    progress: Callable[[dict[str, Any]], object] | None = None,
    weights: _F32 | None = None,
) -> Model: ...
def agg_conv(x: _F32, weights: _F32, alpha: _F32, bias: _F32 | None, options: _Options) -> _F32: ...
def agg_conv_backward(dy: _F32, x: _F32, weights: _F32, alpha: _F32, options: _Options) -> tuple[_F32, _F32, _F32]: ...
def set_threads(n: int) -> None:
    """Sets the number of threads for all computations; results do not depend on it.

    It can be called once, before the first computation; by default there is one thread for each core.
    """
