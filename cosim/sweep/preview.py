"""What a sweep would take, from a few runs that are tried beforehand."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import psutil

from cosim.sweep.estimate import Estimate, Measured, estimated
from cosim.sweep.places import Places
from cosim.sweep.plan import Plan, PlannedRun, scenario_of
from cosim.sweep.preview_text import preview_lines
from cosim.sweep.task import Failure, Outcome, Reason, Task
from cosim.sweep.work import Sizes, kind_of_run
from feeders.errors import InputError

__all__ = ["Pilot", "Preview", "preview"]

_KINDS = 4  # that are tried, of those with most work
_DAYS = 2  # that are lived at most
_PATIENCE_S = 300.0


@dataclass(frozen=True)
class Pilot:
    """A run that was tried, for `days` of its days, and what became of it."""

    run: PlannedRun
    days: int
    outcome: Outcome

    @property
    def failure(self) -> Failure | None:
        """Why it says nothing of what others take."""
        if self.outcome.failure is None and self.outcome.skipped:
            return Failure(Reason.KILLED, "it was not tried")
        return self.outcome.failure


@dataclass(frozen=True)
class Preview:
    """What a sweep would take.

    Attributes
    ----------
    plan : Plan
        What is to be run.
    workers : int
        So many runs at a time.
    folder : Path
        Where results are to go.
    pilots : sequence of Pilot
        The runs that were tried.
    estimate : Estimate or None
        What follows from them; None where all of them failed.
    disk_free_bytes : int
        Free where results are to go.
    memory_free_mb : float
        Free on this machine [MB].
    """

    plan: Plan
    workers: int
    folder: Path
    pilots: Sequence[Pilot]
    estimate: Estimate | None
    disk_free_bytes: int
    memory_free_mb: float

    @property
    def seconds(self) -> float | None:
        """Wall-clock time of the whole sweep; None where nothing could be measured."""
        return None if self.estimate is None else self.estimate.seconds(self.workers)

    def lines(self) -> list[str]:
        """What is worth telling, for people."""
        return list(preview_lines(self))


def preview(
    plan: Plan,
    attempt: Callable[[Task], Outcome],
    *,
    workers: int,
    folder: Path,
    end_process: Callable[[], object] = lambda: None,
    clock: Callable[[], float] = perf_counter,
) -> Preview:
    """Try a few runs of a sweep, and reckon from them what all of them take.

    Of each kind of run (see `cosim.sweep.work`) the smallest and the largest are tried, one after the other, for two
    days at most. Before them the very first one is tried twice: once so that what is compiled once for all is so, and
    once in a new process, to know what it takes until that is warm. Nothing is left of any.

    Parameters
    ----------
    plan : Plan
        What is to be run.
    attempt : callable
        Carries out a task.
    workers : int
        So many runs at a time.
    folder : Path
        Where results are to go; it need not be there. The runs are tried in a temporary folder beside it.
    end_process : callable
        Ends the process in which runs were tried so far, so that the next one is tried in a new one.
    clock : callable
        Seconds now.

    Raises
    ------
    InputError
        When nothing can be written there.
    """
    parent = _existing(folder)
    sizes = [Sizes(scenario_of(run)) for run in plan.runs]
    chosen = _chosen(plan.runs, sizes)
    try:
        with TemporaryDirectory(prefix=".cosim-pilots-", dir=parent) as temporary:
            Places(Path(temporary)).runs.mkdir()
            attempt(_task(plan, *chosen[0], "compile", temporary))
            end_process()
            began = clock()
            attempt(_task(plan, *chosen[0], "warm-up", temporary))
            warm_up_s = clock() - began
            pilots = [
                Pilot(run, days, attempt(_task(plan, run, days, f"pilot-{row}", temporary)))
                for row, (run, days) in enumerate(chosen)
            ]
    except OSError as error:
        raise InputError("--out", "folder", str(parent), f"a folder that can be written ({error.strerror})") from None
    warm_up_s = max(0.0, warm_up_s - pilots[0].outcome.seconds)
    return Preview(
        plan,
        workers,
        folder,
        pilots,
        estimated(sizes, [_measured(pilot) for pilot in pilots if pilot.failure is None], warm_up_s),
        shutil.disk_usage(parent).free,
        psutil.virtual_memory().available / 2**20,
    )


def _existing(folder: Path) -> Path:
    folder = folder.absolute().parent
    while not folder.is_dir():
        folder = folder.parent
    return folder


def _chosen(runs: Sequence[PlannedRun], sizes: Sequence[Sizes]) -> list[tuple[PlannedRun, int]]:
    """Runs to be tried, each with so many days, the least work first."""
    kinds: dict[Hashable, list[int]] = {}
    for row, run in enumerate(runs):
        kinds.setdefault(kind_of_run(scenario_of(run)), []).append(row)
    most = sorted(kinds.values(), key=lambda rows: -sum(sizes[row].work for row in rows))[:_KINDS]
    found = [pair for rows in most for pair in _smallest_and_largest(rows, sizes)]
    found.sort(key=lambda pair: sizes[pair[0]].work_per_day * pair[1])
    return [(runs[row], days) for row, days in found]


def _smallest_and_largest(rows: Sequence[int], sizes: Sequence[Sizes]) -> Iterator[tuple[int, int]]:
    def rank(row: int) -> tuple[float, int]:
        return sizes[row].work_per_day, sizes[row].scenario.days

    smallest, largest = min(rows, key=rank), max(rows, key=rank)
    yield smallest, 1
    days = min(sizes[largest].scenario.days, _DAYS)
    if days > 1 or sizes[largest].work_per_day > sizes[smallest].work_per_day:
        yield largest, days


def _task(plan: Plan, run: PlannedRun, days: int, name: str, folder: str) -> Task:
    whole = scenario_of(run)
    scenario = whole if whole.days == days else whole.changed({"days": days})
    task = Task(run.number, name, scenario.to_toml(), folder, plan.code, plan.plugins, plan.references, attempts=1)
    limits = {"timeout_s": min(plan.timeout_s, _PATIENCE_S), "memory_mb": plan.memory_mb or task.memory_mb}
    return Task(**{**task.__dict__, **limits})


def _measured(pilot: Pilot) -> Measured:
    scenario, outcome = scenario_of(pilot.run), pilot.outcome
    quantities = outcome.seconds, outcome.peak_mb, outcome.size_bytes
    return Measured(kind_of_run(scenario), Sizes(scenario).work_per_day * pilot.days, *quantities)
