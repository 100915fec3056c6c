"""A sweep from its plan to its table."""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path

from cosim.planners import available_cores
from cosim.sweep.cluster import Pool, connected, embedded
from cosim.sweep.halt import FolderHalt
from cosim.sweep.interrupts import Interrupts, SweepInterrupted
from cosim.sweep.make_plan import plan_from_spec, plan_of
from cosim.sweep.plan import Plan, PlannedRun
from cosim.sweep.progress import Pace, Report
from cosim.sweep.spec import SweepSpec
from cosim.sweep.store import Store, opened
from cosim.sweep.sweep import Sweep
from cosim.sweep.task import Outcome, Reason
from feeders.errors import CosimError, InputError

__all__ = ["SweepStopped", "run_sweep"]

_TICK_S = 0.5
_PATIENCE_S = 10.0  # without a worker, until that is worth a word

Tell = Callable[[str], None]


class SweepStopped(CosimError):  # noqa: N818 - what it did until then is kept
    """A sweep could not go on; its folder can be resumed once what kept it is out of the way."""


def run_sweep(
    sweep: Plan | SweepSpec | Path | str,
    folder: Path | str,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    resume: bool = False,
    renew: bool = False,
    retry_failed: bool = False,
    shard: tuple[int, int] | None = None,
    progress: Report | None = None,
    tell: Tell | None = None,
) -> Sweep:
    """Make the runs of a sweep, each in a process of its own, into a folder that survives whatever happens to them.

    Runs that fail are rows with a reason, and leave the others alone. Ctrl-C, or SIGTERM, lets those end that have
    begun; a second one gives them up.

    Parameters
    ----------
    sweep : Plan, SweepSpec, Path or str
        What to run, or the name of its file.
    folder : Path or str
        Where its results go; see `cosim.sweep.store.opened` for this and for `resume`, `renew`, `retry_failed` and
        `shard`.
    workers : int, optional
        How many runs are made at once on this machine; by default as many as this process has cores.
    scheduler : str, optional
        Address of a Dask scheduler, whose workers make the runs instead; they see `folder` under the same name.
    progress : callable, optional
        Takes a `cosim.sweep.progress.State` now and then.
    tell : callable, optional
        Takes lines on what is worth knowing; nobody by default.

    Returns
    -------
    Sweep
        The sweep in its folder; its table is written when no run is left, by any shard.

    Raises
    ------
    InputErrors, InputError, OccupiedError, BegunSweepError, ChangedSweepError
        See `plan_from_spec` and `opened`; also when a scheduler cannot be reached, or its workers are not fit.
    SweepStopped
        When the disk is full, the code has changed meanwhile, or the scheduler is gone. The folder can be resumed.
    SweepInterrupted
        A `KeyboardInterrupt`, when it was told to end. The folder can be resumed.
    """
    if scheduler is not None and workers is not None:
        raise InputError("sweep", "workers", workers, "nothing with a scheduler: it has the workers that it has")
    if workers is not None and not 1 <= workers <= 1024:
        raise InputError("sweep", "workers", workers, "from 1 to 1024")
    say, folder = tell or _quiet, Path(folder).absolute()
    plan = _planned(sweep)
    halt = FolderHalt(str(folder), secrets.token_hex(8))
    with ExitStack() as stack:
        # A scheduler first: nothing is begun in the folder where there is none.
        pool = None if scheduler is None else stack.enter_context(connected(scheduler, halt))
        store = stack.enter_context(
            opened(folder, plan, resume=resume, renew=renew, shard=shard, retry_failed=retry_failed)
        )
        stack.callback(halt.forget)
        interrupts = stack.enter_context(Interrupts(halt))
        driver = _Driver(store, halt, interrupts, progress or _ignored, say)
        driver.drive(embedded(workers or available_cores(), halt) if pool is None else nullcontext(pool))
        store.finish()
        _tell_notes(store, say)
    return Sweep.load(folder)


def _planned(sweep: Plan | SweepSpec | Path | str) -> Plan:
    if isinstance(sweep, Plan):
        return sweep
    return plan_from_spec(sweep) if isinstance(sweep, SweepSpec) else plan_of(Path(sweep))


class _Driver:
    """Hands out what is to do, and takes note of what becomes of it."""

    def __init__(self, store: Store, halt: FolderHalt, interrupts: Interrupts, report: Report, say: Tell) -> None:
        self._store, self._halt, self._interrupts = store, halt, interrupts
        self._report, self._say = report, say
        self._left = deque(store.to_do)
        self._runs: dict[str, PlannedRun] = {run.id: run for run in store.to_do}
        self._pace = Pace(len(store.runs), store.finished + store.failed)
        self._stop = ""  # why no further runs are handed out, other than by a signal
        self._told = 0  # signals that have been answered

    def drive(self, pools: AbstractContextManager[Pool]) -> None:
        """Until nothing is left, or it has to end before.

        Raises
        ------
        SweepStopped, SweepInterrupted, InputError
        """
        _tell_notes(self._store, self._say)
        if self._left:
            with pools as pool:
                pool.admit(self._store.plan.code, self._store.plan.plugins)
                self._loop(pool)
        left = len(self._runs)
        if self._stop:
            raise SweepStopped(self._stop)
        if self._interrupts.n and left:
            raise SweepInterrupted(f"interrupted: {left} of {len(self._store.runs)} runs are left")

    def _loop(self, pool: Pool) -> None:
        began, waited = time.monotonic(), False
        while self._left or pool.under_way:
            if self._halted():
                self._left.clear()
            while self._left and pool.has_room:
                pool.submit(self._store.task(self._left.popleft()))
            answer = pool.answered(_TICK_S)
            if answer is not None:
                self._take(answer[1])
            if not waited and pool.threads == 0 and time.monotonic() - began > _PATIENCE_S:
                waited = True
                self._say("the scheduler has no workers yet; waiting for them")
            self._report(self._pace.state(self._store.finished, self._store.failed, pool.threads, pool.dashboard))

    def _take(self, outcome: Outcome) -> None:
        if outcome.skipped:
            if outcome.failure is not None and not self._stop:
                self._end(outcome.failure.message)
            return
        self._store.record(self._runs[outcome.id], outcome)
        _tell_notes(self._store, self._say)
        if outcome.failure is not None and outcome.failure.reason is Reason.DISK_FULL:
            self._end(self._no_room(outcome.failure.message))
        else:
            del self._runs[outcome.id]

    def _end(self, why: str) -> None:
        """Hand out no more; what has begun may end."""
        if not self._stop:
            self._stop = why
            self._halt.tell()

    def _no_room(self, message: str) -> str:
        needed = self._store.needed_bytes()
        amount = f"about {max(needed, 1_000_000) / 1e6:.0f} MB more" if needed else "an unknown amount"
        return f"the disk is full ({message}); {len(self._runs)} runs are left, which need {amount}"

    def _halted(self) -> bool:
        """Whether it is to end; says so once for each signal."""
        if self._interrupts.n > self._told:
            self._told = self._interrupts.n
            again = "interrupted: ending the runs that have begun; once more gives them up"
            self._say(again if self._told == 1 else "interrupted again: giving up the runs that have begun")
        return bool(self._interrupts.n or self._stop)


def _tell_notes(store: Store, say: Tell) -> None:
    while store.notes:
        say(store.notes.pop(0))


def _quiet(line: str) -> None:
    """For whom nothing is worth a word."""


def _ignored(state: object) -> None:
    """For whom nothing needs to be shown."""
