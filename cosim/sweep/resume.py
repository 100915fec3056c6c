"""What is done when the folder of a sweep is opened: is it ours, is it of these inputs, and what is left to do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cosim.checkpoint import DamagedError
from cosim.folder import flush, write_file
from cosim.sweep.checksums import checked_bytes
from cosim.sweep.failures import forget_failure, read_failure
from cosim.sweep.kinds import Kind
from cosim.sweep.locks import OccupiedError
from cosim.sweep.manifest import changes_since, manifest_of, parquet_bytes, read_manifest, same_making
from cosim.sweep.places import Places, set_aside
from cosim.sweep.plan import Plan, PlannedRun
from cosim.sweep.plan_table import plan_table
from cosim.sweep.write_run import remove_leftovers
from feeders.errors import CosimError, InputError

__all__ = ["BegunSweepError", "ChangedSweepError", "Found", "require_ours", "set_up", "survey"]


class BegunSweepError(CosimError):
    """A folder with a sweep in it, where nobody said that it should go on."""


class ChangedSweepError(CosimError):
    """A sweep whose finished runs are of other code, libraries or input files; ``changes`` names them."""

    def __init__(self, folder: Path, changes: Sequence[str]) -> None:
        self.changes = tuple(changes)
        super().__init__(
            f"{folder}: what its runs depend on has changed: {'; '.join(changes)}; "
            "--renew sets those aside that it concerns and runs them anew (renew=True)"
        )


@dataclass
class Found:
    """What is in the folder of the runs of a process.

    Attributes
    ----------
    to_do : list of PlannedRun
        Neither finished nor failed for good, in the order of the plan.
    bytes_of : dict of str to int
        What each finished run takes on disk, by id [bytes].
    failed : set of str
        Ids of the runs that failed for good.
    notes : list of str
        A line on each thing that is not as it should be.
    """

    to_do: list[PlannedRun] = field(default_factory=list)
    bytes_of: dict[str, int] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def require_ours(folder: Path) -> None:
    """Refuse a folder that holds anything but a sweep.

    Raises
    ------
    InputError
    """
    foreign = Places(folder).foreign()
    if foreign:
        allowed = f"a new or empty folder, or that of a sweep: this one holds {foreign[0]}"
        raise InputError("--out", "folder", str(folder), allowed)


def set_up(places: Places, plan: Plan, *, go_on: bool, renew: bool, alone: bool) -> tuple[str, list[str]]:
    """Write what the runs of a folder have in common, where it may be written; while nobody else does.

    Parameters
    ----------
    places : Places
        Of the sweep.
    plan : Plan
        What is to be run.
    go_on : bool
        Whether a sweep that is there already is to go on.
    renew : bool
        Whether finished runs of other code, libraries or inputs may be set aside.
    alone : bool
        Whether no other process works in the folder.

    Returns
    -------
    str, list of str
        Digest of the plan, and notes.

    Raises
    ------
    BegunSweepError, ChangedSweepError, OccupiedError
    OSError
    """
    table = parquet_bytes(plan_table(plan))
    new = manifest_of(plan, table)
    old, damaged = _manifest(places, renew=renew)
    if (old is not None or places.kept() or places.kept_failures()) and not (go_on or renew):
        raise BegunSweepError(_begun(places, plan))
    changes = changes_since(old, new) if old is not None else damaged
    if changes and not renew:
        raise ChangedSweepError(places.root, changes)
    content = {places.toml: plan.toml.encode(), places.plan: table, places.manifest: _text(new)}
    differing = {path: data for path, data in content.items() if not _holds(path, data)}
    if differing and old is not None and not alone:
        raise OccupiedError(
            f"{places.root}: other shards work here on another plan; wait for them, or take a new folder"
        )
    notes = _set_stale_aside(places, plan, new) if changes else []
    if changes or old is None:  # costs that runs share know nothing of libraries
        shutil.rmtree(places.references, ignore_errors=True)
    _tidy(places, plan, planned_anew=bool(differing))
    for path, data in differing.items():  # the manifest at last: by it a sweep is known
        write_file(path, data)
    return new["plan"], notes + _of_other_designs(places, plan)


def survey(places: Places, runs: Sequence[PlannedRun], kind: Kind, *, retry_failed: bool) -> Found:
    """Look through the folders of some runs: set the damaged aside, and remove what dead processes have left."""
    found = Found()
    kept, failures, leftovers = places.kept(), _ids(places.failed), _ids(places.working)
    for run in runs:
        size = checked_bytes(places.run(run.id), kind.needed) if run.id in kept else None
        if size is None and run.id in kept:
            aside = set_aside(places.run(run.id), places.quarantine)
            found.notes.append(f"run {run.number} was damaged and is run anew; what was there: {aside}")
        failure = read_failure(places.failed, run.id) if run.id in failures else None
        if run.id in failures and (failure is None or size is not None):
            forget_failure(places.failed, run.id)
        if size is not None:
            found.bytes_of[run.id] = size
        elif failure is not None and failure.reason.own and not retry_failed:
            found.failed.add(run.id)
        else:
            found.to_do.append(run)
        if run.id in leftovers:
            remove_leftovers(places.working, run.id, days=size is not None or run.id in found.failed)
    return found


def _tidy(places: Places, plan: Plan, *, planned_anew: bool) -> None:
    """Remove what is of an earlier plan or of a process that died, and make the folders that there always are."""
    for path in (places.results, places.failures) if planned_anew else ():
        path.unlink(missing_ok=True)
    for path in places.root.glob("*.new"):
        path.unlink()
    for folder in (places.runs, places.failed, places.working):
        folder.mkdir(exist_ok=True)
    flush(places.root)
    for run_id in _ids(places.working) - {run.id for run in plan.runs}:
        remove_leftovers(places.working, run_id, days=True)


def _manifest(places: Places, *, renew: bool) -> tuple[dict[str, Any] | None, list[str]]:
    """The manifest that is there, and what is to be said where it cannot be read."""
    try:
        return read_manifest(places.manifest), []
    except DamagedError as error:
        if not renew:
            raise ChangedSweepError(places.root, [str(error)]) from None
        return None, [str(error)]


def _begun(places: Places, plan: Plan) -> str:
    done = places.kept() | places.kept_failures()
    n = sum(run.id in done for run in plan.runs)
    return f"{places.root}: a sweep is here, {n} of {len(plan.runs)} runs are done; --resume goes on (resume=True)"


def _set_stale_aside(places: Places, plan: Plan, new: dict[str, Any]) -> list[str]:
    """Move what does not come of the plan's code, libraries and inputs; failures all, which may be over now."""
    planned, moved = {run.id for run in plan.runs}, 0
    for run_id in sorted(places.kept()):
        if run_id not in planned or not same_making(_read(places.run(run_id) / "manifest.json"), new):
            set_aside(places.run(run_id), places.stale)
            moved += 1
    for run_id in sorted(places.kept_failures()):
        forget_failure(places.failed, run_id)
    return [f"{moved} runs of older code, libraries or inputs were set aside: {places.stale}"] if moved else []


def _of_other_designs(places: Places, plan: Plan) -> list[str]:
    others = len(places.kept() - {run.id for run in plan.runs})
    return [f"{others} finished runs are not of this design: kept, and not part of its table"] if others else []


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except OSError:
        return False


def _ids(folder: Path) -> set[str]:
    """Ids of the runs of which there is anything in a folder."""
    try:
        return {path.name.lstrip(".").split(".")[0] for path in folder.iterdir()}
    except OSError:
        return set()


def _text(manifest: dict[str, Any]) -> bytes:
    return (json.dumps(manifest, indent=2) + "\n").encode()
