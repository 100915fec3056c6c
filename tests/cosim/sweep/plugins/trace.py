"""Counts that outlive the process that made them: of calls, in a file for each process."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

__all__ = ["TRACE", "calls", "count"]

TRACE = "COSIM_CHAOS_TRACE"
"""Environment variable with the folder of the counts; without it nothing is counted."""

_BYTES = 8
_counts: list[mmap.mmap] = []


def count() -> None:
    """Count one call; whatever happens to the process then, the system keeps what was mapped."""
    if TRACE not in os.environ:
        return
    if not _counts:
        path = Path(os.environ[TRACE]) / str(os.getpid())
        path.write_bytes(bytes(_BYTES))
        with path.open("r+b") as file:
            _counts.append(mmap.mmap(file.fileno(), _BYTES))
    counts = _counts[0]
    counts[:_BYTES] = (int.from_bytes(counts[:_BYTES], "little") + 1).to_bytes(_BYTES, "little")


def calls(folder: Path) -> dict[int, int]:
    """The counts in a folder, by process."""
    return {int(path.name): int.from_bytes(path.read_bytes(), "little") for path in folder.iterdir()}
