"""Settings from Python's types to the names and values of configuration files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from dashnas.errors import ConfigError


def settings(config: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """`(key, TOML value)` of every setting.

    Sections are nested (`{"search": {"epochs": 2}}`) or written out (`{"search.epochs": 2}`); `_` may stand for `-`.
    """
    if config is None:
        return []
    if not isinstance(config, Mapping):
        raise ConfigError(f"config is {type(config).__name__}, not a dict of settings")
    return [(key, _toml(key, value)) for key, value in _walk("", config)]


def _walk(prefix: str, config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in config.items():
        key = prefix + str(name).replace("_", "-")
        if isinstance(value, Mapping):
            yield from _walk(key + ".", value)
        else:
            yield key, value


def _toml(key: str, value: Any) -> str:
    """A value as TOML, which for these types is JSON."""

    def plain(value: Any) -> Any:
        if isinstance(value, (np.generic, np.ndarray)):
            return value.tolist()
        raise ConfigError(f"`{key}` is {type(value).__name__}; settings are numbers, strings, booleans and lists")

    return json.dumps(value, default=plain)
