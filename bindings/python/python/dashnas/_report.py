"""The report of a training, as one page."""

from __future__ import annotations

import html
import zlib
from os import PathLike
from pathlib import Path

from dashnas._files import spare


class Report:
    """The report of a training: one HTML page, which notebooks show."""

    def __init__(self, packed: bytes) -> None:
        self._packed = packed

    @property
    def html(self) -> str:
        """The page, which needs no network and no script."""
        return zlib.decompress(self._packed).decode()

    def save(self, path: str | PathLike[str], *, overwrite: bool = False) -> Path:
        """Writes the page to a file and returns its path. A file that dashnas did not write is replaced with `overwrite`
        only."""
        spare(path, "page", overwrite)
        Path(path).write_text(self.html, encoding="utf-8")
        return Path(path)

    def _repr_html_(self) -> str:
        # In a frame of its own, so that its styles stay there.
        style = "width: 100%; height: 40em; border: 1px solid #8888"
        return f'<iframe style="{style}" srcdoc="{html.escape(self.html)}"></iframe>'

    def __repr__(self) -> str:
        return f"<dashnas report, {len(self.html)} characters: save(path) writes it, notebooks show it>"
