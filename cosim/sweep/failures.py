"""Runs without a result: why, and what repeats them."""

from __future__ import annotations

import json
import shlex
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from cosim.folder import write_file
from cosim.sweep.kinds import SCENARIO, Kind
from cosim.sweep.places import Places
from cosim.sweep.plan import Plan, PlannedRun
from cosim.sweep.task import Failure, Reason

__all__ = ["FailedRun", "failures_table", "forget_failure", "read_failure", "repeat_command", "write_failure"]


@dataclass(frozen=True)
class FailedRun:
    """What is kept of a run that failed.

    Attributes
    ----------
    run_id : str
        Of the run.
    reason : Reason
        One of a few.
    message : str
        One line: what, where, which value.
    command : str
        What to type to repeat it.
    """

    run_id: str
    reason: Reason
    message: str
    command: str


def write_failure(folder: Path, run: PlannedRun, failure: Failure, plan: Plan) -> None:
    """Keep in `folder` that a run of a plan failed: first what repeats it, then the file that counts.

    Raises
    ------
    OSError
    """
    folder.mkdir(exist_ok=True)
    own = folder / run.id
    own.mkdir(exist_ok=True)
    write_file(own / plan.kind.text, run.scenario.to_toml().encode())
    write_file(own / "detail.txt", f"{failure.message}\n\n{failure.detail}".rstrip().encode() + b"\n")
    about = {
        "run": run.number,
        "run_id": run.id,
        "reason": str(failure.reason),
        "message": failure.message,
        "command": repeat_command(folder, run.id, plan.plugins, references=plan.references, kind=plan.kind),
    }
    write_file(folder / f"{run.id}.json", (json.dumps(about, indent=2) + "\n").encode())


def read_failure(folder: Path, run_id: str) -> FailedRun | None:
    """What is kept of a run's failure; None where there is none, or where the file is damaged."""
    try:
        found = json.loads((folder / f"{run_id}.json").read_bytes())
        return FailedRun(run_id, Reason(found["reason"]), str(found["message"]), str(found["command"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def failures_table(places: Places, plan: pa.Table) -> pa.Table:
    """The rows of the plan whose runs have failed, with ``reason`` and ``message``."""
    known = places.kept_failures() - places.kept()
    rows, failures = [], []
    for row, run_id in enumerate(plan["run_id"].to_pylist()):
        failure = read_failure(places.failed, run_id) if run_id in known else None
        if failure is not None:
            rows.append(row)
            failures.append(failure)
    found = plan.take(pa.array(rows, pa.int64()))
    found = found.append_column("reason", pa.array([str(each.reason) for each in failures], pa.string()))
    return found.append_column("message", pa.array([each.message for each in failures], pa.string()))


def forget_failure(folder: Path, run_id: str) -> None:
    """Remove what is kept of a run's failure: first the file that counts."""
    for path in (folder / f"{run_id}.json", folder / f"{run_id}.json.new"):
        with suppress(OSError):
            path.unlink()
    shutil.rmtree(folder / run_id, ignore_errors=True)


def repeat_command(
    folder: Path, run_id: str, plugins: tuple[str, ...], *, references: bool, kind: Kind = SCENARIO
) -> str:
    """What to type to repeat a failed run by itself."""
    words = ["cosim", kind.command, str(folder.absolute() / run_id / kind.text)]
    for plugin in plugins:
        words += ["--plugin", plugin]
    return f"{shlex.join([*words, *(() if references else kind.without_references)])} --out NEW_DIR"
