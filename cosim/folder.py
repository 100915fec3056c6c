"""Folders that appear whole or not at all: written under a temporary name, flushed to disk, and renamed."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from feeders.errors import InputError

__all__ = ["check_target", "flush", "flush_all", "replacing", "unwritable", "write_file", "write_folder"]


def check_target(folder: Path, identity: str) -> None:
    """Refuse a folder that cannot be written, or that holds something else than an earlier `identity`.

    Raises
    ------
    InputError
    """
    if folder.exists() and not folder.is_dir():
        raise InputError("--out", "folder", str(folder), "a folder: this is a file")
    if folder.exists() and any(folder.iterdir()) and _identity(folder) != identity:
        raise InputError("--out", "folder", str(folder), "a new or empty folder: this one holds something else")
    parent = folder.absolute().parent
    while not parent.exists():
        parent = parent.parent
    try:  # whether it can be written shows only when it is: permissions say nothing to root or of a full disk
        Path(tempfile.mkdtemp(prefix=".cosim-", dir=parent)).rmdir()
    except OSError as error:
        raise unwritable(folder, error) from None


def write_folder(folder: Path, identity: str, fill: Callable[[Path], None]) -> None:
    """Let `fill` write into a temporary folder, flush it to disk, and rename it to `folder`.

    An earlier folder of the same `identity` is replaced.

    Raises
    ------
    InputError
        When `folder` cannot be written or holds something else.
    """
    check_target(folder, identity)
    folder = folder.absolute()
    temporary, earlier = (folder.with_name(f".{folder.name}.{os.getpid()}.{end}") for end in ("tmp", "old"))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        fill(temporary)
        flush_all(temporary)
        if folder.exists():
            folder.rename(earlier)
        temporary.rename(folder)
        flush(folder.parent)
    except OSError as error:
        raise unwritable(folder, error) from error
    finally:
        if earlier.exists() and not folder.exists():  # the new one did not come: the earlier one is still the run
            earlier.rename(folder)
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(earlier, ignore_errors=True)


def write_file(path: Path, content: bytes | memoryview) -> None:
    """Put a file, with this content, in the place of an earlier one, in one step; a left over ``.new`` does not count.

    Raises
    ------
    OSError
    """
    with replacing(path) as new:
        new.write_bytes(content)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A name to write a file under, which then takes the place of `path` in one step; gone where that fails.

    Raises
    ------
    OSError
    """
    new = path.with_name(path.name + ".new")
    try:
        yield new
        flush(new)
        new.replace(path)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise
    flush(path.parent)


def unwritable(folder: Path, error: OSError) -> InputError:
    """What is wrong with a folder on which the system gave this error."""
    return InputError("--out", "folder", str(folder), f"a folder that can be written ({error.strerror or error})")


def _identity(folder: Path) -> str | None:
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    found = manifest.get("run_id") if isinstance(manifest, dict) else None
    return found if isinstance(found, str) else None


def flush(path: Path) -> None:
    """Make sure that a file, or a folder's list of names, is on disk."""
    if os.name != "posix" and path.is_dir():
        return  # only POSIX systems can flush a folder
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def flush_all(folder: Path) -> None:
    """Make sure that a folder and all that is in it is on disk."""
    for path in [*folder.rglob("*"), folder]:
        flush(path)
