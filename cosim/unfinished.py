"""The working folder of a run, beside the folder it will become: what it holds, and whose it is."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from cosim.checkpoint import Checkpoint, DamagedError
from cosim.failure import RunFailure
from cosim.folder import unwritable
from cosim.job import PARTS
from cosim.locks import LockedError, locked
from cosim.results import library_versions, run_id
from cosim.scenario import Scenario
from cosim.stream import CHECKPOINT, Tell
from feeders.errors import CosimError, InputError

__all__ = ["BusyError", "UnfinishedRun", "days_kept", "unfinished", "working_folder"]


class BusyError(InputError):
    """A run that another process works on."""

    def __init__(self, target: Path) -> None:
        super().__init__("--out", "folder", str(target), "a folder that no other process is working on")


class UnfinishedRun(CosimError):  # noqa: N818 - a state of affairs
    """A run that was begun earlier and can go on, where nobody said whether it should."""

    def __init__(self, target: Path, kept: str) -> None:
        super().__init__(
            f"{target}: an unfinished run of this scenario is kept beside it, {kept}; "
            "--resume goes on (resume=True), --restart begins anew (resume=False)"
        )


def working_folder(target: Path, scenario: Scenario, *, private: bool = False) -> Path:
    """Where a run to `target` keeps its days: a name of its own for each scenario, input and version of a library.

    Or one of this process alone, with `private`.
    """
    versions = json.dumps(library_versions(), sort_keys=True)
    identity = (
        str(os.getpid()) if private else hashlib.sha256(f"{run_id(scenario)}\0{versions}".encode()).hexdigest()[:12]
    )
    target = target.absolute()
    return target.with_name(f".{target.name}.{identity}.unfinished")


def days_kept(folder: Path, days: int) -> str:
    """How far an unfinished run of so many days has come, in words; empty where nothing is kept."""
    found = []
    for part in PARTS:
        name = "" if part == PARTS[0] else f"{part} "
        try:
            checkpoint = Checkpoint.load(folder / part / CHECKPOINT)
        except DamagedError:
            found.append(f"{name}damaged")
        else:
            found += [f"{name}day {checkpoint.days} of {days}"] if checkpoint else []
    return ", ".join(found)


@contextmanager
def unfinished(
    target: Path, scenario: Scenario, resume: bool | None, tell: Tell, *, private: bool = False
) -> Iterator[Path]:
    """The working folder of a run, for as long as it is worked on; gone afterwards unless days are kept in it.

    Parameters
    ----------
    target : Path
        The folder that the run is to become.
    scenario : Scenario
        What is run.
    resume : bool or None
        Whether to go on with what is kept; None refuses where there is any.
    tell : callable
        Told where there is nothing to go on with.
    private : bool
        For what cannot be known again; nothing is kept then.

    Raises
    ------
    UnfinishedRun
        When days are kept and `resume` does not say what to do.
    BusyError
        When another process works on the same run.
    InputError
        When the folder cannot be made.
    """
    folder = working_folder(target, scenario, private=private)
    made = [parent for parent in folder.parents if not parent.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(target, error) from error
    with _locked(folder, target):
        kept = days_kept(folder, scenario.days)
        if kept and resume is None:
            raise UnfinishedRun(target, kept)
        if resume and not kept:
            tell(_nothing_kept(folder, target))
        if not resume:
            _clear(folder)
        try:
            yield folder
        except BaseException as error:
            if private or isinstance(error, RunFailure) or not days_kept(folder, scenario.days):
                _remove(folder, made)
            raise
        _remove(folder, made)


def _nothing_kept(folder: Path, target: Path) -> str:
    others = [path.name for path in sorted(folder.parent.glob(f".{target.name}.*.unfinished")) if path != folder]
    of_others = f" ({', '.join(others)}: of another scenario, input file or version)" if others else ""
    return f"{target}: no unfinished run of this scenario to go on with{of_others}; it begins at its start"


def _remove(folder: Path, made: list[Path]) -> None:
    """Remove the working folder, and the folders above it that were made for it and have nothing in them."""
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        for parent in made:
            parent.rmdir()


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)


@contextmanager
def _locked(folder: Path, target: Path) -> Iterator[None]:
    """Keep other processes out; the system opens the lock when this process ends, however it ends."""
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(folder / "lock"))
        except LockedError:
            raise BusyError(target) from None
        yield
