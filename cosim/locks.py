"""Locks between processes: files that the system unlocks when their holder ends, however it ends."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EINVAL, ENOLCK, ENOSYS, ENOTSUP
from pathlib import Path
from typing import IO

from feeders.errors import CosimError

try:
    import fcntl
except ImportError:  # no such locks on Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["LockedError", "locked"]

_UNSUPPORTED = (EINVAL, ENOLCK, ENOSYS, ENOTSUP)  # what file systems answer that have no locks
_POLL_S = 0.05


class LockedError(CosimError):
    """A lock that another process holds; ``holder`` says which one, in words."""

    def __init__(self, path: Path, holder: str) -> None:
        self.path, self.holder = path, holder
        super().__init__(f"{path}: locked by {holder}")


@contextmanager
def locked(path: Path, *, shared: bool = False, wait_s: float = 0.0) -> Iterator[bool]:
    """Hold the lock `path`, a file that is made where there is none and stays.

    Gives whether it keeps others out: not where the system or the file system has no locks.

    Parameters
    ----------
    path : Path
        The file; its holder writes into it who it is.
    shared : bool
        Together with others that share it, instead of alone.
    wait_s : float
        How long to wait for whoever holds it [s].

    Raises
    ------
    LockedError
        When another holds it in a way that does not go with this one.
    OSError
        When the file cannot be made.
    """
    with path.open("a+", encoding="utf-8") as file:
        until = time.monotonic() + wait_s
        while (taken := _taken(file, shared=shared)) is False:
            if time.monotonic() >= until:
                raise LockedError(path, _holder(file))
            time.sleep(_POLL_S)
        if not shared:
            _sign(file)
        yield taken is True


def _taken(file: IO[str], *, shared: bool) -> bool | None:
    """Whether the lock was to be had; None where there are no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
        return None
    return True


def _sign(file: IO[str]) -> None:
    with suppress(OSError):  # a full disk: the lock holds without a name
        os.ftruncate(file.fileno(), 0)
        os.write(file.fileno(), f"process {os.getpid()} on {platform.node()}\n".encode())


def _holder(file: IO[str]) -> str:
    file.seek(0)
    return file.readline().strip() or "another process"
