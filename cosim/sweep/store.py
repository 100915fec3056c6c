"""The folder of a sweep while it runs: what is to do, what became of it, and the table when nothing is left."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from cosim.checkpoint import DamagedError
from cosim.folder import unwritable, write_file
from cosim.sweep.checksums import bytes_on_disk, is_valid
from cosim.sweep.collected import write_results
from cosim.sweep.failures import failures_table, forget_failure, write_failure
from cosim.sweep.journal import Journal
from cosim.sweep.locks import Shard, check_shard, others_at_work, setting_up, take
from cosim.sweep.manifest import parquet_bytes
from cosim.sweep.places import Places
from cosim.sweep.plan import Plan, PlannedRun
from cosim.sweep.plan_table import plan_table
from cosim.sweep.resume import Found, require_ours, set_up, survey
from cosim.sweep.task import Outcome, Reason, Task
from cosim.sweep.write_run import remove_leftovers

__all__ = ["Store", "opened"]


class Store:
    """The runs of a sweep, or of a shard's share of it, in its folder; see `opened`. For one thread.

    Attributes
    ----------
    plan : Plan
        What is run, all shards together.
    folder : Path
        Where.
    runs : list of PlannedRun
        Those of this process, in the order of the plan.
    to_do : list of PlannedRun
        Of them those that were neither finished nor failed for good when the folder was opened.
    notes : list of str
        A line on each thing that was not as it should be; grows.
    """

    def __init__(self, places: Places, plan: Plan, shard: Shard | None, digest: str, found: Found) -> None:
        self.plan, self.folder, self.to_do, self.notes = plan, places.root, found.to_do, found.notes
        self.runs = share(plan, shard)
        self._places, self._digest = places, digest
        self._bytes_of, self._failed = found.bytes_of, found.failed
        self._journal = Journal(places.root / _journal_name(shard))

    @property
    def finished(self) -> int:
        """How many of `runs` have a result."""
        return len(self._bytes_of)

    @property
    def failed(self) -> int:
        """How many of `runs` are known to have failed, for good or in this process."""
        return len(self._failed)

    def task(self, run: PlannedRun) -> Task:
        """A run as a worker is asked for it."""
        plan = self.plan
        limits = {} if plan.memory_mb is None else {"memory_mb": plan.memory_mb}
        return Task(
            run.number,
            run.id,
            run.scenario.to_toml(),
            str(self.folder),
            plan.code,
            plan.plugins,
            plan.references,
            plan.timeout_s,
            attempts=plan.attempts,
            kind=plan.kind.name,
            **limits,
        )

    def record(self, run: PlannedRun, outcome: Outcome) -> None:
        """Take note of what became of a run; one that was skipped, or for which the disk had no room, is still to do.

        Nothing is raised when that cannot be written, which leaves the run to do; a note says so.
        """
        if outcome.skipped:
            return
        self._journal.add(run.number, outcome)
        failure = outcome.failure
        folder = self._places.run(run.id)
        if failure is None or is_valid(folder, self.plan.kind.needed):  # its process may have died just after the end
            self._bytes_of[run.id] = bytes_on_disk(folder) or outcome.size_bytes
            self._failed.discard(run.id)
            forget_failure(self._places.failed, run.id)
        elif failure.reason is not Reason.DISK_FULL:
            try:
                write_failure(self._places.failed, run, failure, self.plan)
                self._failed.add(run.id)
            except OSError as error:
                self.notes.append(f"run {run.number} failed, which could not be written: {error}; it is still to do")
        over = failure is None or failure.reason.own
        remove_leftovers(self._places.working, run.id, days=over)

    def needed_bytes(self) -> int:
        """What the runs that are left will take on disk, if they are like those that are finished; 0 if none is."""
        left = len(self.runs) - len(self._bytes_of) - len(self._failed)
        return -(-sum(self._bytes_of.values()) * left // len(self._bytes_of)) if self._bytes_of else 0

    def finish(self) -> bool:
        """Write the table of the whole sweep where no run is left of it, by any shard; whether none is.

        Raises
        ------
        InputError
            When it cannot be written.
        """
        kept = self._places.kept()
        ids = [run.id for run in self.plan.runs]
        failures = self._places.kept_failures() - kept
        if not all(run_id in kept or run_id in failures for run_id in ids):
            return False
        plan = plan_table(self.plan)
        try:
            with ExitStack() as stack:
                setting_up(self.folder, stack)
                write_results(self._places, plan, self._digest, kept, self.plan.kind)
                write_file(self._places.failures, parquet_bytes(failures_table(self._places, plan)))
        except DamagedError as error:
            self.notes.append(str(error))
            return False
        except OSError as error:
            raise unwritable(self.folder, error) from error
        shutil.rmtree(self._places.references, ignore_errors=True)
        return True


def share(plan: Plan, shard: Shard | None) -> list[PlannedRun]:
    """The runs of a shard: every n-th, from the k-th on; all without one."""
    return list(plan.runs) if shard is None else [run for run in plan.runs if run.number % shard[1] == shard[0] - 1]


@contextmanager
def opened(
    folder: Path,
    plan: Plan,
    *,
    resume: bool = False,
    renew: bool = False,
    shard: Shard | None = None,
    retry_failed: bool = False,
) -> Iterator[Store]:
    """Hold the folder of a sweep, for as long as its runs are made.

    Parameters
    ----------
    folder : Path
        New, empty, or that of a sweep.
    plan : Plan
        What is to be run.
    resume : bool
        Whether a sweep that is there goes on: what is finished and whole is kept; what is damaged is set aside, and run
        anew like what failed for a reason outside the run.
    renew : bool
        Whether, to go on, runs of other code, libraries or input files may be set aside.
    shard : tuple of int, optional
        ``(k, n)``: the k-th share of n, k from 1, while other processes do the others in the same folder; what it has
        done goes on by itself.
    retry_failed : bool
        Whether runs that failed by themselves are tried again too.

    Raises
    ------
    InputError
        When the folder cannot be written, or holds something else.
    OccupiedError
        When another sweep works in it.
    BegunSweepError
        When a sweep is there, and neither `resume` nor `renew` nor a shard says that it goes on.
    ChangedSweepError
        When code, libraries or inputs are not those of the runs there, or not known any more, without `renew`.
    """
    check_shard(shard)
    places = Places(folder.absolute())
    with ExitStack() as stack:
        try:
            places.root.mkdir(parents=True, exist_ok=True)
            require_ours(places.root)
            with ExitStack() as others_wait:
                setting_up(places.root, others_wait)
                sure = take(places.root, shard, stack)
                alone = not others_at_work(places.root, shard)
                go_on = resume or shard is not None
                digest, notes = set_up(places, plan, go_on=go_on, renew=renew, alone=alone)
            found = survey(places, share(plan, shard), plan.kind, retry_failed=retry_failed)
            for path in (places.results, places.failures) if found.to_do else ():
                path.unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(folder, error) from error
        found.notes[:0] = notes if sure else [f"{folder}: no locks here; two sweeps at once would meet", *notes]
        yield Store(places, plan, shard, digest, found)
        with suppress(OSError):  # another shard may be writing
            places.working.rmdir()


def _journal_name(shard: Shard | None) -> str:
    return "journal.jsonl" if shard is None else f"journal-{shard[0]}-of-{shard[1]}.jsonl"
