"""Whether the folder of a run is as it was written: a SHA-256 of every file, in a file of their own."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from cosim.checkpoint import file_digest

__all__ = ["CHECKSUMS", "NEEDED", "bytes_on_disk", "checked_bytes", "is_valid", "verified", "write_checksums"]

CHECKSUMS = "checksums.json"

NEEDED = frozenset({"manifest.json", "scenario.toml", "prosumers.parquet", "bills.parquet"})
"""Files that every run of a scenario has."""

_BLOCK = 4096  # bytes; what a file takes on a disk comes in such pieces


def write_checksums(folder: Path) -> None:
    """Add the file of checksums to a folder of files."""
    sums = {path.name: file_digest(path) for path in folder.iterdir()}
    (folder / CHECKSUMS).write_bytes(_content(sums))


def is_valid(folder: Path, needed: frozenset[str] = NEEDED) -> bool:
    """Whether a folder of a run holds what was written: each file as it was, none missing, none added."""
    return checked_bytes(folder, needed) is not None


def checked_bytes(folder: Path, needed: frozenset[str] = NEEDED) -> int | None:
    """What a valid folder of a run takes on disk [bytes]; None where it is not valid."""
    try:
        sums = _read(folder)
        sizes = _sizes(folder)
        if sums is None or sizes is None or sizes.keys() != {*sums, CHECKSUMS} or not sums.keys() >= needed:
            return None
        if any(file_digest(folder / name) != digest for name, digest in sums.items()):
            return None
    except OSError:  # not there, or not to be read
        return None
    return _taken(sizes)


def bytes_on_disk(folder: Path) -> int:
    """What a folder of a run takes on disk [bytes]; 0 where there is none."""
    try:
        return _taken(_sizes(folder) or {})
    except OSError:
        return 0


def verified(folder: Path, name: str) -> bytes | None:
    """The content of one file of a run; None where it is not as it was written."""
    try:
        sums, content = _read(folder), (folder / name).read_bytes()
    except OSError:
        return None
    if sums is None or hashlib.sha256(content).hexdigest() != sums.get(name):
        return None
    return content


def _taken(sizes: Mapping[str, int]) -> int:
    return sum(-(-size // _BLOCK) * _BLOCK for size in sizes.values()) + _BLOCK


def _sizes(folder: Path) -> dict[str, int] | None:
    """Size of each file; None where there is anything else."""
    found = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.is_file(follow_symlinks=False):
                return None
            found[entry.name] = entry.stat(follow_symlinks=False).st_size
    return found


def _read(folder: Path) -> dict[str, str] | None:
    """The checksums by name; None unless the file is, byte for byte, what `write_checksums` writes."""
    content = (folder / CHECKSUMS).read_bytes()
    try:
        found = json.loads(content)
    except ValueError:
        return None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        return None
    return found if _content(found) == content else None


def _content(sums: Mapping[str, str]) -> bytes:
    return (json.dumps(dict(sums), indent=1, sort_keys=True) + "\n").encode()
