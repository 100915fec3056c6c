"""How a driver tells its workers, wherever they are, that a sweep is to end before its end."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

__all__ = ["NEVER", "FolderHalt", "Halt"]


class Halt(Protocol):
    """Whether a sweep is to end before its end."""

    def asked(self) -> bool:
        """Whether no further run is to start."""

    def now(self) -> bool:
        """Whether runs that live are to be given up too."""


class _Never:
    def asked(self) -> bool:
        return False

    def now(self) -> bool:
        return False


NEVER: Halt = _Never()
"""A sweep that goes on to its end."""

_told: dict[str, str] = {}  # by token: workers in the driver's process need no file, which a full disk may refuse


@dataclass(frozen=True)
class FolderHalt:
    """A halt that is told through a file in the sweep's folder, which all its workers see.

    Attributes
    ----------
    folder : str
        The sweep's.
    token : str
        The driver's own: what another one says in the same folder means nothing.
    """

    folder: str
    token: str

    def tell(self, *, now: bool = False) -> None:
        """Ask for the end: of what has not begun, or `now` of everything."""
        word = _told[self.token] = "now" if now else "soon"
        with suppress(OSError):
            self._path.write_text(word, encoding="ascii")

    def forget(self) -> None:
        """Take away what was told, once nobody is left to hear it."""
        _told.pop(self.token, None)
        with suppress(OSError):
            self._path.unlink()

    def asked(self) -> bool:
        """Whether no further run is to start."""
        return self._word() != ""

    def now(self) -> bool:
        """Whether runs that live are to be given up too."""
        return self._word() == "now"

    @property
    def _path(self) -> Path:
        return Path(self.folder) / f".cosim-stop-{self.token}"  # shards share the folder

    def _word(self) -> str:
        if self.token in _told:
            return _told[self.token]
        try:
            return self._path.read_text(encoding="ascii")
        except (OSError, ValueError):
            return ""
