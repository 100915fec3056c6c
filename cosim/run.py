"""Running scenarios: one, with the runs its indices compare with, or many in lock-step."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

from cosim.failure import RunFailure
from cosim.folder import check_target, unwritable
from cosim.job import Job, Progress, live_in_memory
from cosim.model import CoSimulation
from cosim.outcome import Run, runs_of
from cosim.results import Draw, load_run, run_id, save_run
from cosim.scenario import Scenario
from cosim.stream import LiveInFiles, Tell
from cosim.unfinished import unfinished
from feeders import Feeder
from feeders.errors import InputError

__all__ = ["Progress", "Run", "run", "run_ensemble"]


def run(
    scenario: Scenario | None = None,
    *,
    feeder: Feeder | None = None,
    references: bool = True,
    threads: int = 1,
    progress: Progress | None = None,
    folder: Path | None = None,
    resume: bool | None = None,
    draw: Draw | None = None,
    tell: Tell | None = None,
) -> Run:
    """Run one scenario to its end, in memory or to a folder.

    To a folder the series are written as the run goes, so that memory does not grow with its days; and after each day
    a checkpoint is kept beside the folder, from which a run that was interrupted goes on to the same end, byte for
    byte.

    Parameters
    ----------
    scenario : Scenario, optional
        The published four-bus case by default.
    feeder : Feeder, optional
        A feeder in place of the scenario's own, e.g. of a net made in Python; such a run keeps no checkpoints.
    references : bool
        Whether to run it also without rules and without optimisation, which LCG and gain kept compare with.
    threads : int
        Threads that plan; the results are the same with any number.
    progress : callable, optional
        Called after each market step with the steps done and in all.
    folder : Path, optional
        Where to write the run; new, empty, or of the same run.
    resume : bool, optional
        With a folder: whether to go on with what an interrupted run to it has kept (True) or to begin anew (False).
        None, the default, refuses where anything is kept.
    draw : callable, optional
        With a folder: adds its figures.
    tell : callable, optional
        With a folder: takes lines on what could not be resumed; warnings by default.

    Raises
    ------
    InputErrors, InputError
        When the scenario cannot be simulated, or the folder not be written.
    UnfinishedRun
        When an unfinished run of this scenario is kept, and `resume` does not say what to do.
    RunFailure
        When a power flow had no usable solution; its ``partial`` is the run up to then, in the folder if there is one.
    """
    job = Job(scenario or Scenario(), feeder, references, threads, progress)
    if folder is None:
        return job.run(live_in_memory)
    if feeder is not None and resume:
        raise InputError("run", "resume", resume, "None or False with a feeder made in Python, which has no name")
    return _run_to_folder(job, folder, resume, draw, tell or _warn)


def _run_to_folder(job: Job, folder: Path, resume: bool | None, draw: Draw | None, tell: Tell) -> Run:
    check_target(folder, run_id(job.scenario))
    began = perf_counter()
    with unfinished(folder, job.scenario, resume, tell, private=job.feeder is not None) as working:
        in_files = LiveInFiles(working, tell)

        def live(model: CoSimulation, name: str, stepped: Callable[[], None]) -> Run:
            try:
                return in_files(model, name, stepped)
            except OSError as error:
                raise unwritable(folder, error) from error

        try:
            result = job.run(live)
        except RunFailure as failure:
            if failure.partial is not None:
                save_run(failure.partial, folder, seconds=in_files.earlier_s + perf_counter() - began)
                failure.partial = load_run(folder)
            raise
        save_run(result, folder, seconds=in_files.earlier_s + perf_counter() - began, draw=draw)
    return load_run(folder)


def run_ensemble(scenarios: Sequence[Scenario], *, threads: int = 1, progress: Progress | None = None) -> list[Run]:
    """Run many scenarios of one feeder, clock and mode in lock-step; each gives what it gives alone.

    Much faster than one after the other, since rules work on all prosumers at once and the power flows of a
    control step are one batch. The runs carry no reference costs.

    Raises
    ------
    InputErrors
        When a scenario cannot be simulated, or they do not share feeder, clock, mode and what is recorded.
    RunFailure
        When a power flow of any of them had no usable solution.
    """
    model = CoSimulation(scenarios, threads=threads)
    while not model.clock.finished:
        model.step()
        if progress is not None:
            progress(model.clock.step, model.clock.n_steps)
    return runs_of(model)


def _warn(line: str) -> None:
    warnings.warn(line, RuntimeWarning, stacklevel=2)
