"""What is where in the folder of a sweep, and how something is set aside in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from errno import EEXIST, ENOTEMPTY
from itertools import count
from pathlib import Path

__all__ = ["REPORT", "Places", "set_aside"]

REPORT = "report.html"
"""What `cosim report` may add to the folder of a sweep, or of a run."""

_OWN_FILES = (
    ".stop",  # of `cosim.sweep.halt`
    *("sweep.toml", "manifest.json", "plan.parquet", "results.parquet", "failures.parquet"),
    REPORT,
)
_OWN_FOLDERS = ("runs", "failed", "working", "references", "quarantine", "stale", "compare", "distribution")


@dataclass(frozen=True)
class Places:
    """The files and folders of a sweep in `root`."""

    root: Path

    @property
    def toml(self) -> Path:
        """The sweep as resolved."""
        return self.root / "sweep.toml"

    @property
    def manifest(self) -> Path:
        """What its runs depend on."""
        return self.root / "manifest.json"

    @property
    def plan(self) -> Path:
        """One row per run."""
        return self.root / "plan.parquet"

    @property
    def results(self) -> Path:
        """The tidy table."""
        return self.root / "results.parquet"

    @property
    def failures(self) -> Path:
        """The runs without a result."""
        return self.root / "failures.parquet"

    @property
    def runs(self) -> Path:
        """A folder for each finished run, and nothing else."""
        return self.root / "runs"

    @property
    def failed(self) -> Path:
        """A file for each failed run, and what repeats it."""
        return self.root / "failed"

    @property
    def working(self) -> Path:
        """What is being written, and the finished days of long runs; gone when nobody works."""
        return self.root / "working"

    @property
    def references(self) -> Path:
        """Costs that several runs compare theirs with; gone when nothing is left to do."""
        return self.root / "references"

    @property
    def quarantine(self) -> Path:
        """Damaged runs."""
        return self.root / "quarantine"

    @property
    def stale(self) -> Path:
        """Runs of older code or input files."""
        return self.root / "stale"

    def run(self, run_id: str) -> Path:
        """The folder of a run."""
        return self.runs / run_id

    def foreign(self) -> list[str]:
        """Names in the folder that are not of a sweep."""
        return sorted(path.name for path in self.root.iterdir() if not _own(path))

    def kept(self) -> set[str]:
        """Ids under which a folder of a run is kept, whole or damaged."""
        return _names(self.runs, folders=True)

    def kept_failures(self) -> set[str]:
        """Ids of the runs that a file says of that they failed."""
        return {name.removesuffix(".json") for name in _names(self.failed, folders=False) if name.endswith(".json")}


def set_aside(path: Path, into: Path) -> Path:
    """Move a file or folder into a folder, under its name and the first number that is free; where it is now.

    Raises
    ------
    OSError
    """
    into.mkdir(exist_ok=True)
    for number in count(1):
        target = into / f"{path.name}.{number}"
        if target.exists():
            continue
        try:
            path.rename(target)
        except OSError as error:  # another process took the number
            if error.errno not in (EEXIST, ENOTEMPTY):
                raise
        else:
            return target
    raise AssertionError  # numbers do not end


def _own(path: Path) -> bool:
    name = path.name.removesuffix(".new")
    if name.startswith((".compare.", ".distribution.")):  # left by what was killed while it wrote them
        return True
    if name.startswith("journal"):
        return name.endswith(".jsonl")
    if name.startswith(".cosim-"):  # what drivers tell their workers; one that was killed leaves it behind
        return True
    return name in _OWN_FILES or name in _OWN_FOLDERS or name == "lock" or name.startswith("lock-")


def _names(folder: Path, *, folders: bool) -> set[str]:
    try:
        with os.scandir(folder) as entries:
            return {entry.name for entry in entries if entry.is_dir(follow_symlinks=False) == folders}
    except FileNotFoundError:
        return set()
