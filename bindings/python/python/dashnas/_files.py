"""Files that are written, which replace none but those that dashnas wrote."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

# What the beginning of a file of each kind has, if dashnas wrote it. A model file has one entry of metadata.
MARKS = {
    "model": b'{"__metadata__":{"dashnas":',
    "onnx": b"\x12\x07dashnas",
    "page": b'<meta name="generator" content="dashnas',
}


def spare(path: str | PathLike[str], kind: str, overwrite: bool) -> None:
    """Raises `FileExistsError` if a file would be replaced that dashnas did not write."""
    file = Path(path)
    if overwrite or not file.is_file() or file.stat().st_size == 0:
        return
    with file.open("rb") as opened:
        known = MARKS[kind] in opened.read(4096)
    if not known:
        raise FileExistsError(f"{file} was not written by dashnas: give another path, or overwrite=True to replace it")
