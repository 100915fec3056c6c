"""What the tests of sweeps' folders share: plans by hand, one run that was really made, folders of many."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from cosim import Run, Scenario, run
from cosim.results import library_versions
from cosim.sweep import Failure, Outcome, Plan, PlannedRun, Reason, Store, Task, opened, write_run

__all__ = [
    "BASE",
    "CODE",
    "do",
    "failed",
    "finished",
    "made",
    "new_folder",
    "numbers",
    "plan_of",
    "planned",
    "task_of",
    "whole",
]

CODE = "0.1.0+" + 40 * "a"
# Coarse steps: a run takes milliseconds.
BASE = Scenario(record=(), market_step_min=60, control_step_min=60)


@cache
def made(rule: str = "hybrid", *, record: tuple[str, ...] = ()) -> Run:
    """A run that was really made."""
    return run(BASE.changed({"rule": rule, "record": record}))


def new_folder(folder: Path) -> Path:
    """A folder as a store makes it, as far as a worker is concerned."""
    for name in ("runs", "working"):
        (folder / name).mkdir(parents=True)
    return folder


def planned(number: int, fields: Mapping[str, Any], code: str = CODE, salt: str = "") -> PlannedRun:
    """A run of a plan; its scenario has the fields that are a scenario's."""
    known = {name: value for name, value in fields.items() if name.split(".")[0] in Scenario.model_fields}
    scenario = BASE.changed(known)
    identity = f"{scenario.to_toml()}{sorted(fields.items())}{code}{salt}"
    return PlannedRun(number, hashlib.sha256(identity.encode()).hexdigest()[:16], fields, scenario)


def plan_of(designs: Sequence[Mapping[str, Any]] | int = 4, *, salt: str = "", **options: Any) -> Plan:
    """A plan of these designs, or of so many seeds."""
    if isinstance(designs, int):
        designs = [{"seed": seed} for seed in range(1, designs + 1)]
    code = options.pop("code", CODE)
    runs = [planned(number, fields, code, salt) for number, fields in enumerate(designs)]
    toml = "\n".join(repr(dict(fields)) for fields in designs)
    options.setdefault("libraries", library_versions())
    return Plan("by-hand", toml, runs, code, **options)


def task_of(folder: Path, **options: Any) -> Task:
    """A task whose run is `made`."""
    return Task(**{"number": 0, "id": "0123abcd", "scenario": "", "folder": str(folder), "code": CODE, **options})


def do(store: Store, runs: Sequence[PlannedRun] | None = None) -> None:
    """Write the folders of some runs, of all that are to do by default, and record them; all have the same indices."""
    for each in store.to_do if runs is None else runs:
        size = write_run(store.task(each), made(each.scenario.rule))
        store.record(each, Outcome(each.id, seconds=0.1, size_bytes=size))


def failed(each: PlannedRun, reason: Reason, message: str = "no solution") -> Outcome:
    """The outcome of a run that failed."""
    return Outcome(each.id, Failure(reason, message, "Traceback: ..."))


def whole(folder: Path) -> dict[str, bytes]:
    """All files in a folder but locks, journals and what may be lived again, by their names in it."""
    paths = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(("lock", "journal"))]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths if path.parent.name != "references"}


def numbers(store: Store) -> list[int]:
    """The runs that were to do when a folder was opened."""
    return [run.number for run in store.to_do]


def finished(folder: Path, plan: Plan) -> None:
    """Make a whole sweep."""
    with opened(folder, plan) as store:
        do(store)
        assert store.finish()
