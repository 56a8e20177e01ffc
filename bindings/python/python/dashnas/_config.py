"""Settings from Python's types to the names and values of configuration files."""

from __future__ import annotations

import json
import operator
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from dashnas.errors import ConfigError

#: Parameters of the estimators that stand for keys of the configuration.
PARAMETERS: dict[str, tuple[str, ...]] = {
    "kernel_sizes": ("space.kernel-sizes",),
    "dilations": ("space.dilations",),
    "kernels": ("search.kernels",),
    "strategy": ("search.strategy",),
    "tune": ("tune.enabled",),
    "baseline": ("baseline.enabled",),
    "epochs": ("retrain.epochs",),
    "batch_size": ("retrain.batch-size",),
    "learning_rate": ("tune.learning-rates", "retrain.lr"),
    "weight_decay": ("tune.weight-decays", "retrain.weight-decay"),
    "momentum": ("tune.momentums", "retrain.momentum"),
    "dropout": ("tune.dropouts", "retrain.dropout"),
    "fill_missing": ("data.fill-missing",),
    "lengths": ("data.lengths",),
    "length": ("data.length",),
}

#: The keys that change nothing in `fit`, with what does.
WITHOUT_EFFECT = {
    "preset": "give the estimator's parameter `preset`",
    "seed": "give the estimator's parameter `seed`",
    "baseline.enabled": "give the estimator's parameter `baseline`",
    "data.layout": "give the estimator's parameter `layout`",
    "data.channels": "give the estimator's parameter `channels`",
    "data.group": "give `groups` to `fit`",
    "data.weight": "give `sample_weight` to `fit`",
    "data.fill-missing": "give the estimator's parameter `fill_missing`",
    "data.lengths": "give the estimator's parameter `lengths`",
    "data.length": "give the estimator's parameter `length`",
    "task.kind": "the kind of task follows from the estimator and from `y`",
    "task.transforms": "apply transforms to `X` before `fit`",
    "task.unknown": "fields in arrays have no value that stands for unknown ones",
    "task.data-dir": "it is for `load_dataset`",
}


def whole(name: str, value: Any, least: int) -> int:
    """A parameter as a whole number from `least` on."""
    try:
        number = operator.index(value)
    except TypeError:
        raise ConfigError(f"{name} is {value!r}, not a whole number", f"give a whole number from {least} on") from None
    if number < least:
        raise ConfigError(f"{name} is {number}, and it must be {least} or more", f"give a whole number from {least} on")
    return number


def seconds(value: Any) -> float:
    """The parameter `time_limit`."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ConfigError(f"time_limit is {value!r}, not a number", "give the seconds that `fit` may take") from None


def path_of(name: str, value: Any) -> str:
    """A parameter that is a path."""
    try:
        return os.fsdecode(value)
    except TypeError:
        raise ConfigError(f"{name} is {value!r}, not a path", "give a text or a pathlib.Path") from None


def settings(config: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """`(key, TOML value)` of every setting.

    Sections are nested (`{"search": {"epochs": 2}}`) or written out (`{"search.epochs": 2}`); `_` may stand for `-`.
    """
    if config is None:
        return []
    if not isinstance(config, Mapping):
        raise ConfigError(f"config is {type(config).__name__}, not a dict of settings")
    return [(key, _toml(key, value)) for key, value in _walk("", config)]


def of_estimator(config: Mapping[str, Any] | None, parameters: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The settings of an estimator: those of `config`, which must change something in `fit`, and the parameters."""
    chosen = settings(config)
    given: dict[str, str] = {}
    for key, _ in chosen:
        section = key.partition(".")[0]
        if key in given:
            raise ConfigError(f"config sets `{key}` twice", "write it once, nested or with a dot")
        if key in WITHOUT_EFFECT:
            raise ConfigError(f"`{key}` in config changes nothing", WITHOUT_EFFECT[key])
        if section in ("data", "darcy"):
            what = {
                "data": "it is for reading files, and `fit` takes arrays",
                "darcy": "it is for `load_dataset`",
            }[section]
            raise ConfigError(f"`{key}` in config changes nothing: {what}", "leave it out")
        given[key] = "config"
    for name, value in parameters.items():
        if value is None:
            continue
        for key, value in _of_parameter(name, value):
            if key in given:
                raise ConfigError(f"`{key}` is set by config and by `{name}`", "leave out one of them")
            chosen.append((key, _toml(name, value)))
    return chosen


def _of_parameter(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The keys that a parameter sets, with their values."""
    keys = PARAMETERS[name]
    if name == "epochs":
        # The limits on steps belong to the epochs of the preset.
        yield from zip((*keys, "retrain.min-steps", "retrain.max-steps"), (value, 0, 0))
    elif len(keys) == 2:
        several = isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, str)
        yield keys[0], list(value) if several else [value]
        if not several:
            yield keys[1], value
    else:
        yield keys[0], value


def _walk(prefix: str, config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in config.items():
        key = prefix + str(name).replace("_", "-")
        if isinstance(value, Mapping) and value:
            yield from _walk(key + ".", value)
        elif isinstance(value, Mapping):
            raise ConfigError(f"`{key}` in config is an empty dict", "leave it out, or name a key in it")
        else:
            yield key, value


def _toml(key: str, value: Any) -> str:
    """A value as TOML, which for these types is JSON."""

    def plain(value: Any) -> Any:
        if isinstance(value, (np.generic, np.ndarray)):
            return value.tolist()
        raise ConfigError(f"`{key}` is {type(value).__name__}; settings are numbers, strings, booleans and lists")

    if value is None:
        raise ConfigError(f"`{key}` is None", "leave it out for the preset's value")
    return json.dumps(value, default=plain)
