"""What a worker does with a run: let it live, and have it appear in the sweep's folder whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from errno import EEXIST, ENOTEMPTY
from pathlib import Path
from typing import Any

from cosim.folder import flush, flush_all
from cosim.job import Job, live_in_memory
from cosim.locks import LockedError, locked
from cosim.outcome import Run
from cosim.recorded import write_series
from cosim.results import SERIES, about, fill_run
from cosim.scenario import Scenario
from cosim.stream import LiveInFiles
from cosim.sweep.checksums import NEEDED, bytes_on_disk, checked_bytes, is_valid, write_checksums
from cosim.sweep.places import Places, set_aside
from cosim.sweep.references import SharedCosts
from cosim.sweep.task import Task
from cosim.unfinished import BusyError, unfinished
from feeders.errors import InputError

__all__ = ["remove_leftovers", "require_free", "run_to_store", "write_run", "write_whole"]

_TRIES = 100  # of what another process may come in between of
_LOCK = "lock"


def run_to_store(task: Task, scenario: Scenario) -> int:
    """Run a task's scenario and write its folder; what that takes on disk [bytes].

    A run of one day lives in memory. One of several days keeps each finished day in the sweep's folder, and goes on
    from the last of them when its process was killed. A run whose folder is there already is not run again.

    Raises
    ------
    InputErrors, InputError
        When the scenario cannot be simulated.
    RunFailure
        When a power flow had no usable solution; there is no folder then.
    OSError
        When the folder cannot be written.
    """
    target = Places(Path(task.folder)).run(task.id)
    kept = checked_bytes(target)
    if kept is not None:
        return kept
    require_free(target)
    job = Job(scenario, references=task.references, costs=SharedCosts(Path(task.folder), scenario, task.code))
    if scenario.days == 1:
        return write_run(task, job.run(live_in_memory))
    try:
        return _run_by_days(task, job, private=False)
    except BusyError:  # a worker of an earlier driver is still at it; the first of the two is kept
        return _run_by_days(task, job, private=True)


def write_run(task: Task, run: Run) -> int:
    """Write the folder of a task's run; what it takes on disk [bytes].

    All of it is on disk before it appears under its name, and equal runs give equal bytes. A valid folder that is
    there already is kept instead; a damaged one is set aside.

    Raises
    ------
    OSError
    """

    def fill(folder: Path) -> None:
        fill_run(run, folder, _manifest(task, run))
        if run.scenario.record:
            write_series(run.series, folder / SERIES)

    return write_whole(task, fill)


def write_whole(task: Task, fill: Callable[[Path], None], needed: frozenset[str] = NEEDED) -> int:
    """Write the folder of a task, whole or not at all; what it takes on disk [bytes].

    Parameters
    ----------
    task : Task
    fill : callable
        Writes the files into an empty folder.
    needed : frozenset of str
        Files that a valid folder has.

    Raises
    ------
    OSError
    """
    places = Places(Path(task.folder))
    with _claimed(places.working, task.id) as own:
        folder = own / "run"
        folder.mkdir()
        fill(folder)
        write_checksums(folder)
        flush_all(folder)
        size = bytes_on_disk(folder)
        _publish(folder, places.run(task.id), places.quarantine, needed)
    return size


def remove_leftovers(working: Path, run_id: str, *, days: bool) -> None:
    """Remove what processes have left of a run that are no more; finished days of it too with `days`."""
    for folder in [*working.glob(f"{run_id}.*"), *(working.glob(f".{run_id}.*.unfinished") if days else ())]:
        with suppress(LockedError, OSError), locked(folder / _LOCK) as sure:
            if sure:  # without locks it might be in use
                shutil.rmtree(folder, ignore_errors=True)


def _run_by_days(task: Task, job: Job, *, private: bool) -> int:
    target = Places(Path(task.folder)).working / task.id
    cause: OSError
    try:
        with unfinished(target, job.scenario, True, _quiet, private=private) as folder:
            return write_run(task, job.run(LiveInFiles(folder, _quiet)))
    except InputError as error:
        if not isinstance(error.__cause__, OSError):
            raise
        cause = error.__cause__
    raise cause  # what the system said, for whoever tells a full disk from the rest; outside, or each were of the other


def require_free(target: Path) -> None:
    """Refuse early what cannot be replaced by a folder."""
    if target.exists() and not target.is_dir():
        raise FileExistsError(EEXIST, "a file is where the folder of a run should be", str(target))


def _manifest(task: Task, run: Run) -> dict[str, Any]:
    made = {"run_id": task.id, "code": task.code, "references": task.references}
    return {**made, **({"plugins": list(task.plugins)} if task.plugins else {}), **about(run)}


@contextmanager
def _claimed(working: Path, run_id: str) -> Iterator[Path]:
    """A new folder to write in, locked so that nobody takes it for a leftover; gone afterwards."""
    with ExitStack() as stack:
        own = _claim(working, run_id, stack)
        try:
            yield own
        finally:
            shutil.rmtree(own, ignore_errors=True)


def _claim(working: Path, run_id: str, stack: ExitStack) -> Path:
    for _ in range(_TRIES):
        working.mkdir(exist_ok=True)
        with suppress(FileNotFoundError, LockedError), ExitStack() as attempt:
            # It may be taken for a leftover until it is locked.
            own = Path(tempfile.mkdtemp(prefix=f"{run_id}.", dir=working))
            attempt.enter_context(locked(own / _LOCK))
            if (own / _LOCK).exists():
                stack.push(attempt.pop_all())
                return own
    raise FileNotFoundError(f"{working}: no folder can be kept in it")


def _publish(folder: Path, target: Path, quarantine: Path, needed: frozenset[str]) -> None:
    """Give a folder its name, unless a valid one has it."""
    for _ in range(_TRIES):
        require_free(target)
        try:
            folder.rename(target)
        except OSError as error:
            if error.errno not in (EEXIST, ENOTEMPTY):
                raise
        else:
            flush(target.parent)
            return
        if is_valid(target, needed):
            return
        with suppress(FileNotFoundError):  # another process has done it
            set_aside(target, quarantine)
    raise OSError(f"{target}: other processes keep replacing it")


def _quiet(line: str) -> None:
    """A run begins at its start, or anew, as often as it must."""
