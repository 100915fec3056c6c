"""What a child does with a task: the run, its folder, and a typed reason for whatever came in between."""

from __future__ import annotations

import errno
import tomllib
import traceback
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from agents.errors import PlanError
from cosim.failure import RunFailure
from cosim.input_files import input_files
from cosim.plugins import load_plugin
from cosim.scenario import Scenario
from cosim.sweep.identity import code_version
from cosim.sweep.kinds import SCENARIO, kind_named
from cosim.sweep.task import Failure, Outcome, Reason, Task
from cosim.sweep.write_run import run_to_store
from feeders.errors import CosimError, PowerFlowError

__all__ = ["carry_out", "failure_of", "make_scenario"]

_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
_REASONS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], Reason], ...] = (
    ((RunFailure, PowerFlowError), Reason.DIVERGED),
    (PlanError, Reason.INFEASIBLE),
    (MemoryError, Reason.MEMORY),
)


def carry_out(task: Task) -> Outcome:
    """Do a task, here and now; an outcome in any case, but for what ends the process.

    Where the code is not the driver's, nothing is tried: the outcome is ``skipped``, and its failure says why.
    """
    try:
        for plugin in task.plugins:
            load_plugin(Path(plugin))
        here = _code(task.plugins)
        if here != task.code:
            message = f"the code of the sweep is {task.code}, here it is {here}: it has changed, or differs by machine"
            return Outcome(task.id, Failure(Reason.BAD_INPUT, message), skipped=True)
        return Outcome(task.id, size_bytes=kind_named(task.kind).make(task))
    except BaseException as error:  # SystemExit too: code of a user's own does not end a sweep
        return Outcome(task.id, failure_of(error, task))


def make_scenario(task: Task) -> int:
    """Live the scenario of a task; see `cosim.sweep.write_run.run_to_store`."""
    return run_to_store(task, Scenario.from_dict(tomllib.loads(task.scenario)))


def failure_of(error: BaseException, task: Task) -> Failure:
    """An error as one of the reasons that a run may fail for, told by types and the system's numbers of errors."""
    reason = _reason(error, task)
    message = str(error)
    if reason is Reason.EXCEPTION:
        message = f"{type(error).__name__}: {message} ({_place(error, task)})"
    return Failure(reason, " ".join(message.split()), "".join(traceback.format_exception(error)))


@cache
def _code(plugins: tuple[str, ...]) -> str:
    """Of the files as they were when this process began; it loads them once too."""
    return code_version(tuple(Path(plugin) for plugin in plugins))


def _reason(error: BaseException, task: Task) -> Reason:
    system = [each for each in _chain(error) if isinstance(each, OSError)]
    if any(each.errno in _FULL for each in system):
        return Reason.DISK_FULL
    for kinds, reason in _REASONS:
        if isinstance(error, kinds):
            return reason
    if isinstance(error, CosimError):
        missing = any(isinstance(each, FileNotFoundError) for each in system) or _lacks_a_file(task)
        return Reason.MISSING_FILE if missing else Reason.BAD_INPUT
    if isinstance(error, OSError) and not _in_plugins(error, task):  # what reads files says so in words of its own
        return Reason.UNWRITABLE
    return Reason.EXCEPTION


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those that it came of."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _lacks_a_file(task: Task) -> bool:
    """Whether an input file of the scenario is not there, which checks find without an error of the system."""
    if task.kind != SCENARIO.name:
        return False
    try:
        files = input_files(Scenario.from_dict(tomllib.loads(task.scenario)))
    except CosimError:
        return False
    return not all(Path(file).exists() for file in files.values())


def _place(error: BaseException, task: Task) -> str:
    """Where it was raised: in a plugin, if it passed through one, since the error is most likely there."""
    frame = (_in_plugins(error, task) or list(traceback.extract_tb(error.__traceback__)))[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


def _in_plugins(error: BaseException, task: Task) -> list[traceback.FrameSummary]:
    """The lines of the user's own code that an error passed through."""
    plugins = [str(Path(plugin).resolve()) for plugin in task.plugins]
    return [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in plugins]
