"""How far a run has come: one file that is whole or not there, and says when it is damaged."""

from __future__ import annotations

import hashlib
import io
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from cosim.folder import write_file
from feeders.errors import CosimError

__all__ = ["Checkpoint", "DamagedError", "file_digest"]

Array = npt.NDArray[np.float64]

_ABOUT, _DIGEST = "about", "sha256"


class DamagedError(CosimError):
    """A file of an unfinished run that is not as it was written."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} is damaged: {reason}")


@dataclass(frozen=True)
class Checkpoint:
    """The end of a day.

    Attributes
    ----------
    days : int
        Days lived.
    seconds : float
        What they took.
    parts : mapping of str to str
        Files of the series up to now in the order of time, each with its SHA-256.
    state : mapping of str to array
        All that the rest of the run depends on.
    """

    days: int
    seconds: float
    parts: Mapping[str, str]
    state: Mapping[str, Array]

    def save(self, path: Path) -> None:
        """Put it in the place of an earlier one, in one step."""
        about = json.dumps({"days": self.days, "seconds": self.seconds, "parts": dict(self.parts)})
        members: dict[str, npt.NDArray[Any]] = {**self.state, _ABOUT: np.array(about)}
        buffer = io.BytesIO()
        np.savez(buffer, **members, **{_DIGEST: np.array(_digest(members))})  # type: ignore[arg-type] # numpy 1's stubs
        write_file(path, buffer.getbuffer())

    @classmethod
    def load(cls, path: Path) -> Checkpoint | None:
        """The checkpoint in a file; None where there is no file.

        Raises
        ------
        DamagedError
            When it is not what was saved.
        """
        if not path.exists():
            return None
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
                members = {name: file[name] for name in file.files}
            digest = str(members.pop(_DIGEST))
            about = json.loads(str(members[_ABOUT]))
        except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error, NotImplementedError) as error:
            raise DamagedError(path, str(error) or type(error).__name__) from error
        if digest != _digest(members):
            raise DamagedError(path, "its checksum does not match")
        members.pop(_ABOUT)
        return cls(about["days"], about["seconds"], about["parts"], members)

    def check_parts(self, folder: Path) -> None:
        """Whether the files of the series are as they were written.

        Raises
        ------
        DamagedError
        """
        for name, digest in self.parts.items():
            path = folder / name
            if not path.is_file():
                raise DamagedError(path, "it is not there")
            if file_digest(path) != digest:
                raise DamagedError(path, "its checksum does not match")


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(members: Mapping[str, npt.NDArray[Any]]) -> str:
    """SHA-256 over names, types, shapes and contents."""
    found = hashlib.sha256()
    for name in sorted(members):
        value = np.ascontiguousarray(members[name])
        found.update(f"{name}\0{value.dtype.str}\0{value.shape}\0".encode())
        found.update(value.tobytes())
    return found.hexdigest()
