"""What happened when: a line for each outcome, of which nothing else depends."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from cosim.sweep.task import Outcome

__all__ = ["Journal", "read_journals"]


class Journal:
    """Appends lines to a file; a line that a full disk or the end of a process cuts short spoils no other."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, number: int, outcome: Outcome) -> bool:
        """Add a line on the outcome of a run; whether that was possible."""
        failure = outcome.failure
        line = {
            "run": number,
            "run_id": outcome.id,
            "reason": None if failure is None else str(failure.reason),
            "seconds": round(outcome.seconds, 4),
            "peak_mb": round(outcome.peak_mb, 1),
            "size_bytes": outcome.size_bytes,
            "attempts": outcome.attempts,
            "worker": outcome.worker,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        try:
            with self._path.open("ab+") as file:
                file.write(b"" if _ends_well(file) else b"\n")
                file.write(json.dumps(line).encode() + b"\n")
        except OSError:
            return False
        return True


def read_journals(folder: Path) -> Iterator[dict[str, Any]]:
    """All lines of the journals of a sweep's folder that are whole."""
    for path in sorted(folder.glob("journal*.jsonl")):
        for line in path.read_bytes().splitlines():
            with suppress(ValueError):
                found = json.loads(line)
                if isinstance(found, dict):
                    yield found


def _ends_well(file: IO[bytes]) -> bool:
    if file.seek(0, os.SEEK_END) == 0:
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"
