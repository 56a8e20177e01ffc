"""Data sets by name or path."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike, fspath
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashnas import _dashnas
from dashnas._config import settings


class Dataset(NamedTuple):
    """The arrays of a data set. Inputs are N×C×L or N×C×H×W."""

    x_train: NDArray[np.float32]
    #: Classes from 0, or values.
    y_train: NDArray[Any]
    x_test: NDArray[np.float32]
    y_test: NDArray[Any]
    #: `None` for data without a validation split of its own.
    x_validation: NDArray[np.float32] | None
    y_validation: NDArray[Any] | None
    #: The names of the classes or labels, if the data set has them.
    classes: list[str] | None
    #: The weights of the samples, if the data set has them; samples of weight 0 are left out.
    weights_train: NDArray[np.float32] | None = None
    weights_test: NDArray[np.float32] | None = None
    weights_validation: NDArray[np.float32] | None = None


def load_dataset(
    source: str | PathLike[str],
    *,
    data_dir: str | PathLike[str] | None = None,
    config: Mapping[str, Any] | None = None,
) -> Dataset:
    """Reads a data set as the command `dashnas run` does.

    Parameters
    ----------
    source : a task of the paper by its name (`dashnas tasks` lists them), "darcy-flow", or the path of a file or folder
    data_dir : path, optional
        The folder with the files of a task; by default data/TASK.
    config : dict, optional
        Settings of the sections data, task and darcy, as {"data": {"targets": "label"}}; docs/reference/config.md describes
        them.
    """
    chosen = settings(config)
    if data_dir is not None:
        chosen += settings({"task.data-dir": fspath(data_dir)})
    return Dataset(**_dashnas.load_dataset(fspath(source), chosen))
