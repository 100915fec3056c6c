"""A writer as one would write it first: each file in place, under its final name, as it comes. Not to be used."""

from __future__ import annotations

import time
from importlib import import_module
from pathlib import Path

import tests.cosim.sweep.plugins.watched  # noqa: F401 - the rule that counts
from cosim.outcome import Run
from cosim.recorded import write_series
from cosim.results import SERIES, fill_run
from cosim.sweep.checksums import write_checksums
from cosim.sweep.places import Places
from cosim.sweep.task import Task

real = import_module("cosim.sweep.write_run")  # its package has a function of that name

__all__ = ["write_in_place"]

_SLOWLY_S = 0.02  # from file to file: one that is very fast is seldom interrupted


def write_in_place(task: Task, run: Run) -> int:
    """In place of `cosim.sweep.write_run.write_run`."""
    folder = Places(Path(task.folder)).run(task.id)
    folder.mkdir(exist_ok=True)
    fill_run(run, folder, real._manifest(task, run))
    time.sleep(_SLOWLY_S)
    if run.scenario.record:
        write_series(run.series, folder / SERIES)
    time.sleep(_SLOWLY_S)
    write_checksums(folder)
    return sum(path.stat().st_size for path in folder.iterdir())


real.write_run = write_in_place  # type: ignore[attr-defined]
