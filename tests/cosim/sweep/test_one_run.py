"""What a task comes to in the process that does it: its folder, or a typed reason."""

from __future__ import annotations

import errno
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

import cosim.sweep.one_run as one_run
from agents.errors import PlanError, SolverError
from cosim.failure import RunFailure
from cosim.folder import unwritable
from cosim.sweep import Reason, Task
from feeders.errors import EngineRefusalError, InputError, PowerFlowError
from tests.cosim.sweep.cases import TINY, task, write_plugin


def wrapped(error: OSError) -> InputError:
    """As `cosim.folder` has it."""
    try:
        raise unwritable(Path("/out"), error) from error
    except InputError as problem:
        return problem


_FLOW = PowerFlowError("four-bus", "diverged", 4)


@pytest.mark.parametrize(
    ("error", "reason", "said"),
    [
        (RunFailure(_FLOW, 7, datetime(2016, 6, 8, tzinfo=UTC)), Reason.DIVERGED, "run ended at control step 7"),
        (_FLOW, Reason.DIVERGED, "worst bus 4"),
        (PlanError("no plan"), Reason.INFEASIBLE, "no plan"),
        (SolverError("HiGHS says no"), Reason.INFEASIBLE, "HiGHS says no"),
        (InputError("scenario", "rule", "x", "a rule"), Reason.BAD_INPUT, "scenario: rule: 'x' is not allowed"),
        (EngineRefusalError("not this net"), Reason.BAD_INPUT, "not this net"),
        (OSError(errno.ENOSPC, "No space left on device"), Reason.DISK_FULL, "No space left"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), Reason.DISK_FULL, "quota"),
        (wrapped(OSError(errno.ENOSPC, "No space left on device")), Reason.DISK_FULL, "No space left"),
        (PermissionError(errno.EACCES, "Permission denied"), Reason.UNWRITABLE, "Permission denied"),
        (MemoryError(), Reason.MEMORY, ""),
        (ValueError("two\nlines"), Reason.EXCEPTION, "ValueError: two lines (mock.py:"),
        (SystemExit(3), Reason.EXCEPTION, "SystemExit: 3 ("),
    ],
)
def test_errors_have_their_reasons(tmp_path: Path, error: BaseException, reason: Reason, said: str) -> None:
    with patch.object(one_run, "run_to_store", side_effect=error):
        outcome = one_run.carry_out(task(tmp_path))
    assert outcome.failure is not None
    assert outcome.failure.reason is reason
    assert said in outcome.failure.message
    assert "\n" not in outcome.failure.message
    assert type(error).__name__ in outcome.failure.detail


@pytest.mark.parametrize(
    "changes",
    [{"profiles_file": "gone.csv"}, {"feeder.file": "gone.json"}, {"prosumers_file": "gone.csv"}],
)
def test_a_missing_file_is_told_from_a_wrong_one(tmp_path: Path, changes: dict[str, Any]) -> None:
    ((field, name),) = changes.items()
    changed = replace(task(tmp_path), scenario=TINY.changed({field: str(tmp_path / name)}).to_toml())
    assert reason_of(changed) is Reason.MISSING_FILE
    (tmp_path / name).write_text("nonsense", encoding="utf-8")
    assert reason_of(changed) is Reason.BAD_INPUT


def test_a_missing_plugin_is_a_missing_file(tmp_path: Path) -> None:
    plugin = write_plugin(tmp_path)
    asked = task(tmp_path, "fine", plugin)
    plugin.unlink()
    assert reason_of(asked) is Reason.MISSING_FILE


def test_other_code_is_refused_and_not_counted_as_the_run_s_fault(tmp_path: Path) -> None:
    outcome = one_run.carry_out(replace(task(tmp_path), code="0.0.0+none"))
    assert outcome.skipped
    assert outcome.failure is not None
    assert "0.0.0+none" in outcome.failure.message


def test_a_full_device_is_a_full_disk_to_arrow_too(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def to_full_device(*_: object) -> int:
        with open("/dev/full", "wb", buffering=0) as file:  # noqa: PTH123
            pq.write_table(pa.table({"x": range(100_000)}), file)
        return 0

    with patch.object(one_run, "run_to_store", to_full_device):
        assert reason_of(task(tmp_path)) is Reason.DISK_FULL


def reason_of(asked: Task) -> Reason | None:
    failure = one_run.carry_out(asked).failure
    return None if failure is None else failure.reason
