"""Inputs of every kind as arrays N×C×L or N×C×H×W."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dashnas._config import whole
from dashnas.errors import ConfigError, DataError

Lengths = Literal["pad", "truncate", "resample", "mask"]
Layout = Literal["channels-first", "channels-last"]

#: Axes of N×C×L inputs; `axes - 2` are spatial.
SERIES = 3
#: An offset of more than this many deviations leaves `float32` too few digits for what varies.
OFFSET = 1000.0


def samples(x: Any, *, lists: bool = False) -> list[NDArray[Any]] | None:
    """The samples, each C×L, of inputs that are no rectangular array: a list of series, a frame of series in cells, or
    one whose rows are time steps with an index (instance, time). `None` of others; with `lists` a list of series of one
    length is taken, too."""
    if hasattr(x, "columns") and hasattr(x, "iloc"):
        return _of_frame(x)
    if type(x).__module__.partition(".")[0] == "polars" and hasattr(x, "columns"):
        return _of_cells([x[name].to_list() for name in x.columns]) if _has_series(x.row(0) if len(x) else ()) else None
    ragged = isinstance(x, (list, tuple)) or (isinstance(x, np.ndarray) and x.dtype == object and x.ndim == 1)
    if not ragged or len(x) == 0 or not all(hasattr(one, "__len__") or hasattr(one, "__array__") for one in x):
        return None
    if not lists and not isinstance(x, np.ndarray) and len({_shape(one) for one in x}) == 1 and None not in {_shape(x[0])}:
        return None
    found = [np.asarray(one, dtype=np.float64) if _shape(one) else _channels(one) for one in x]
    axes = {one.ndim for one in found}
    if axes - {1, 2} or len(axes) > 1:
        raise DataError(
            f"the samples have {' and '.join(map(str, sorted(axes)))} axes", "give each sample as L values, or as C×L"
        )
    return [np.atleast_2d(one) for one in found]


def _shape(one: Any) -> tuple[int, ...] | None:
    try:
        shape: tuple[int, ...] = np.shape(one)
        return shape
    except ValueError:
        # Channels of unequal length.
        return None


def _channels(one: Any) -> NDArray[Any]:
    raise DataError(
        "the channels of one sample differ in length: " + ", ".join(str(len(channel)) for channel in list(one)[:8]),
        "bring them to one length, the time that they share",
    )


def _has_series(cells: Any) -> bool:
    return any(hasattr(cell, "__len__") and not isinstance(cell, (str, bytes)) for cell in cells)


def _of_frame(x: Any) -> list[NDArray[Any]] | None:
    """The samples of a pandas frame with series in its cells, or with an index (instance, time)."""
    if len(x) == 0:
        return None
    if getattr(x.index, "nlevels", 1) == 2:
        return [part.to_numpy(dtype=np.float64).T for _, part in x.groupby(level=0, sort=False)]
    if not _has_series(x.iloc[0]):
        return None
    return _of_cells([x.iloc[:, column].tolist() for column in range(x.shape[1])])


def _of_cells(columns: list[list[Any]]) -> list[NDArray[Any]]:
    """The samples of columns of series, one column for each channel."""
    found = []
    for i, cells in enumerate(zip(*columns)):
        channels = [np.asarray(cell, dtype=np.float64).reshape(-1) for cell in cells]
        if len({len(channel) for channel in channels}) > 1:
            raise DataError(
                f"the channels of sample {i} differ in length: " + ", ".join(str(len(channel)) for channel in channels),
                "bring them to one length, the time that they share",
            )
        found.append(np.stack(channels))
    return found


def brought_together(series: list[NDArray[Any]], lengths: str, length: int | None) -> NDArray[np.float64]:
    """Series C×L as one array N×C×L, by `lengths`; with "mask", what follows the end of one is NaN."""
    if lengths not in ("pad", "truncate", "resample", "mask"):
        raise ConfigError(f"no lengths {lengths!r}", "one of pad, truncate, resample, mask")
    if length is not None and length < 1:
        raise ConfigError(f"length is {length}", "it is the number of values of each series, from 1 on")
    channels = {len(one) for one in series}
    if len(channels) > 1:
        odd = next(i for i, one in enumerate(series) if len(one) != len(series[0]))
        raise DataError(f"sample {odd} has {len(series[odd])} channels, the first one {len(series[0])}")
    own = [one.shape[1] for one in series]
    if min(own) == 0:
        raise DataError(f"sample {own.index(0)} has no values", "leave it out")
    size = int(length or (min(own) if lengths == "truncate" else max(own)))
    elements, given = len(series) * len(series[0]) * size, len(series[0]) * sum(own)
    if elements > 1 << 26 and elements > 64 * given:
        raise DataError(
            f"bringing all series to {size} values would make {elements} numbers out of {given}",
            "choose a shorter `length`, or lengths=\"truncate\"",
        )
    out = np.full((len(series), len(series[0]), size), np.nan if lengths == "mask" else 0.0)
    for one, place in zip(series, out):
        if lengths == "resample" and one.shape[1] not in (1, size) and size > 1:
            at = np.linspace(0, one.shape[1] - 1, size)
            place[:] = [np.interp(at, np.arange(one.shape[1]), channel) for channel in one]
        else:
            place[:, : min(one.shape[1], size)] = one[:, :size]
    return out


def arranged(x: NDArray[Any], layout: str | None, channels: int | None) -> NDArray[Any]:
    """N×C×L or N×C×H×W: a table N×L is series of `channels` channels, one behind the other, and channels that are the last
    axis are moved."""
    if layout not in (None, "channels-first", "channels-last"):
        raise ConfigError(f"no layout {layout!r}", "one of channels-first, channels-last")
    if channels is not None:
        channels = whole("channels", channels, 1)
    if x.ndim == SERIES - 1:
        count = 1 if channels is None else int(channels)
        if x.shape[1] % count:
            raise DataError(f"{x.shape[1]} columns cannot be divided into {count} channels", "check `channels`")
        return x.reshape(len(x), count, -1)
    if layout == "channels-last":
        x = np.moveaxis(x, -1, 1)
    if channels is not None and x.ndim > 1 and x.shape[1] != channels:
        raise DataError(
            f"X of shape {x.shape} has {x.shape[1]} channels, not {channels}", "check `channels` and `layout`"
        )
    return x


def looks_channels_last(shape: Sequence[int]) -> bool:
    """Whether the last axis is probably that of the channels: N×L×3, or N×H×W×3."""
    if len(shape) == SERIES:
        _, channels, length = shape
        return channels >= 8 and channels >= 2 * length > 0
    return len(shape) == 4 and shape[3] in (1, 3, 4) and shape[1] not in (1, 3, 4)


def columns_of_several_units(x: NDArray[Any]) -> tuple[float, float] | None:
    """The smallest and largest deviation of the columns of a table N×L that is no series: its neighbors differ widely."""
    if x.ndim != SERIES - 1 or len(x) < 2 or not 2 <= x.shape[1] <= 4096:
        return None
    # The first rows are enough.
    with np.errstate(all="ignore"):
        deviations = np.nanstd(x[:4096].astype(np.float64, copy=False), axis=0)
    deviations = deviations[np.isfinite(deviations) & (deviations > 0)]
    if len(deviations) < 2 or deviations.max() <= 100 * deviations.min():
        return None
    jumps = np.abs(np.diff(np.log10(deviations)))
    return (float(deviations.min()), float(deviations.max())) if np.median(jumps) > 0.3 else None


def centers(values: NDArray[Any]) -> NDArray[np.float32] | None:
    """What to subtract from each channel (or output) of `float64` values before they become `float32`; `None` if they have
    digits enough as they are."""
    if values.dtype != np.float64 or values.ndim < 2 or values.size == 0:
        return None
    axes = (0, *range(2, values.ndim))
    with np.errstate(all="ignore"):
        known = np.isfinite(values)
        count = np.maximum(known.sum(axis=axes), 1)
        mean = np.where(known, values, 0.0).sum(axis=axes) / count
        shape = (1, -1, *[1] * (values.ndim - 2))
        spread = np.sqrt((np.where(known, values - mean.reshape(shape), 0.0) ** 2).sum(axis=axes) / count)
    far = (np.abs(mean) > OFFSET * spread) & (spread > 1e-12 * np.abs(mean))
    found = np.where(far, mean, 0.0).astype(np.float32)
    return found if far.any() and np.isfinite(found).all() else None


def as_float32(values: NDArray[Any], subtracted: Any, name: str) -> NDArray[np.float32]:
    """Values without their centers as `float32`, contiguous."""
    if subtracted is not None:
        values = values - np.asarray(subtracted, dtype=np.float64).reshape(1, -1, *[1] * (values.ndim - 2))
    with np.errstate(over="ignore"):
        found = np.ascontiguousarray(values, dtype=np.float32)
    if values.dtype == np.float64 and np.isinf(found).any() and not np.isinf(values).any():
        raise DataError(f"Input {name} contains infinity or a value too large for dtype('float32').", "scale the values")
    return found
