"""Kills sweeps at random moments, and judges what is left: ``python -m tests.cosim.sweep.chaos --kills 200 --seed 1``.

A sweep of many short days is started; a worker, the driver or the whole group is killed with SIGKILL at moments that
are drawn; after each kill the judge looks at what is there; and the sweep goes on with ``--resume``, or in a new folder
once it is finished. Every folder must come to the bytes of the sweep that nobody disturbed.

Many kills come at any moment, others wait until a run is in its midst or is being written. A kill counts as a hit where
it interrupted a run: the rule that all runs obey counts its calls, and each finished run has made so many of them.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.cosim.sweep.judge import Judge, tree
from tests.cosim.sweep.monkey import KINDS, PATIENCE_S, Session, wait_until

__all__ = ["Chaos", "Subject", "chaos"]

Tell = Callable[[str], None]

AIMS = ("run", "blind", "write", "any")
"""When a kill comes, in turns: in the midst of a run, of writing, whenever once there is work, or from the start on."""


@dataclass(frozen=True)
class Subject:
    """What is killed.

    Attributes
    ----------
    command : callable
        From a folder, and whether to resume, to the command line.
    worker : str
        Part of the command lines of its workers.
    at_once_s : float
        Kills come within this time after the first worker has begun, or, a few of them, after the start [s].
    """

    command: Callable[[Path, bool], Sequence[str]]
    worker: str
    at_once_s: float


@dataclass
class Chaos:
    """What came of it, by kind of kill.

    Attributes
    ----------
    kills : Counter
        Kills done.
    in_run, in_write : Counter
        Of these, those that interrupted a run in its midst, and those that left files under a temporary name.
    finished : list of int
        Runs that were finished at each kill.
    orphan_s : float
        Longest time that a process outlived its driver [s].
    folders : int
        Sweeps that came to their end and were compared.
    violations : list of str
        All that should not be.
    """

    kills: Counter[str] = field(default_factory=Counter)
    in_run: Counter[str] = field(default_factory=Counter)
    in_write: Counter[str] = field(default_factory=Counter)
    finished: list[int] = field(default_factory=list)
    orphan_s: float = 0.0
    folders: int = 0
    violations: list[str] = field(default_factory=list)

    def table(self) -> str:
        """The counts as lines."""
        head = f"{'kind':8}{'kills':>8}{'in a run':>10}{'in writing':>12}"
        rows = [f"{kind:8}{self.kills[kind]:8}{self.in_run[kind]:10}{self.in_write[kind]:12}" for kind in KINDS]
        many = f"runs finished at a kill: {min(self.finished)} .. {max(self.finished)}" if self.finished else ""
        ends = f"sweeps compared: {self.folders}; longest life after the driver's: {self.orphan_s:.2f} s; {many}"
        return "\n".join([head, *rows, ends, f"violations: {len(self.violations)}"])


class _Game:
    """Monkey and judge over one folder after the other."""

    def __init__(self, subject: Subject, work: Path, seed: int, tell: Tell, grace_s: float) -> None:
        self._subject, self._work, self._tell, self._grace_s = subject, work, tell, grace_s
        self._random = random.Random(seed)
        self.chaos = Chaos()
        self._expected: dict[str, str] = {}
        self._per_run = 0  # calls of the rule
        self._session: Session | None = None

    def undisturbed(self) -> None:
        """What all others are compared with, and how many calls of the rule are a run."""
        folder = self._work / "undisturbed"
        began = time.monotonic()
        session = self._start(folder, resume=False)
        code = session.code()
        judge = Judge(folder)
        finished = judge.look("undisturbed")
        if code != 0 or not finished or judge.violations:
            raise RuntimeError(f"undisturbed: exit {code}, {judge.violations[:5]}\n{session.said()}")
        self._expected = tree(folder)
        self._per_run = sum(session.calls().values()) // finished
        if not self._per_run or any(calls % self._per_run for calls in session.calls().values()):
            raise RuntimeError(f"calls of the rule are not as many in each run: {session.calls()}")
        self._tell(f"undisturbed: {finished} runs, {time.monotonic() - began:.1f} s, {self._per_run} calls a run")

    def play(self, kinds: list[tuple[str, str]]) -> None:
        """Go through kills of these kinds and aims, the last first, then to the end without."""
        while kinds:
            number = self.chaos.folders
            folder = self._work / f"disturbed-{number}" / "undisturbed"  # of the same name as the one compared with
            folder.parent.mkdir()
            judge, resume = Judge(folder), False
            session = self._start(folder, resume)
            while kinds:
                kind, aim = kinds[-1]
                pid = self._await(session, judge, kind, aim)
                if session.ended:
                    kinds[-1] = kind, "blind"  # what it waited for may never come
                    break
                kinds.pop()
                self._kill(session, kind, pid, judge)
                if kind != "worker":
                    session = self._start(folder, folder.is_dir() and any(folder.iterdir()))
            self._finish(session, judge)
            shutil.rmtree(folder.parent)

    def end(self) -> None:
        """Leave no process behind."""
        if self._session is not None:
            self._session.end()

    def _start(self, folder: Path, resume: bool) -> Session:
        self._session = Session(self._subject.command(folder, resume), self._subject.worker, self._work / "log")
        return self._session

    def _await(self, session: Session, judge: Judge, kind: str, aim: str) -> int:
        """Wait for the moment that is drawn; the process that is to be killed, 0 where its number does not matter."""
        if kind == "worker" or aim != "any":
            wait_until(lambda: session.ended or session.working())
        time.sleep(self._random.uniform(0.0, self._subject.at_once_s))
        found: list[int] = []

        def there() -> bool:
            if kind == "worker":
                found[:] = session.workers()
            if aim == "run":
                inside = [pid for pid, calls in session.calls().items() if calls % self._per_run]
                found[:] = inside if kind != "worker" else set(inside).intersection(found)
            ready = judge.writing() if aim == "write" else aim != "run" or bool(found)
            return session.ended or (ready and (bool(found) or kind != "worker"))

        wait_until(there, poll_s=0.002)
        return self._random.choice(sorted(found)) if kind == "worker" and found else 0

    def _kill(self, session: Session, kind: str, pid: int, judge: Judge) -> None:
        chaos = self.chaos
        chaos.kills[kind] += 1
        when = f"kill {chaos.kills.total()} ({kind}), sweep {chaos.folders}"
        if kind == "worker":
            counted = [session.kill_worker(pid)]
        else:
            session.kill_driver() if kind == "driver" else session.kill_group()
            left, seconds = session.orphans(self._grace_s)
            chaos.orphan_s = max(chaos.orphan_s, seconds)
            chaos.violations += [f"{when}: process {orphan.pid} lives on" for orphan in left]
            for orphan in left:
                orphan.kill()
            counted = list(session.calls().values())
        chaos.in_run[kind] += any(calls % self._per_run for calls in counted)
        chaos.in_write[kind] += any(kind != "worker" or f".{pid}" in name for name in judge.unfinished())
        before = len(judge.violations)
        chaos.finished.append(judge.look(when))
        chaos.violations += judge.violations[before:]
        self._tell(f"{when}: {chaos.finished[-1]} runs finished, {len(chaos.violations)} violations")

    def _finish(self, session: Session, judge: Judge) -> None:
        """Let the sweep come to its end, and compare."""
        when = f"end of sweep {self.chaos.folders}"
        code = session.code()
        if code is None:
            session.kill_group()
            judge.violations.append(f"{when}: no end within {PATIENCE_S:.0f} s")
        elif code != 0:
            self.chaos.violations.append(f"{when}: exit {code}: {session.said()[-500:]}")
        left, _ = session.orphans(self._grace_s)
        self.chaos.violations += [f"{when}: process {orphan.pid} lives on" for orphan in left]
        before = len(judge.violations)
        judge.finish(self._expected, when)
        self.chaos.violations += judge.violations[before:]
        self.chaos.folders += 1
        self._tell(f"{when}: exit {code}, {len(self.chaos.violations)} violations")


def chaos(
    subject: Subject,
    work: Path,
    kills: int,
    *,
    seed: int = 1,
    aims: Sequence[str] = AIMS,
    tell: Tell = lambda line: None,
    grace_s: float = 10.0,
) -> Chaos:
    """Kill a subject's sweeps so many times, each kind as often as the others and at all aims, in an order drawn.

    Whoever still lives `grace_s` after its driver was killed is an orphan.
    """
    kinds = [(KINDS[number % len(KINDS)], aims[number // len(KINDS) % len(aims)]) for number in range(kills)]
    random.Random(seed).shuffle(kinds)
    game = _Game(subject, work, seed, tell, grace_s)
    try:
        game.undisturbed()
        game.play(kinds)
    finally:
        game.end()
    return game.chaos


def main(argv: Sequence[str] | None = None) -> int:
    """The command; 1 where anything was violated."""
    from tests.cosim.sweep.subjects import SUBJECTS

    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=60, help="runs of each sweep")
    parser.add_argument("--subject", choices=SUBJECTS, default="sweep")
    asked = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="cosim-chaos-") as work:
        subject = SUBJECTS[asked.subject](Path(work), asked.runs)
        found = chaos(subject, Path(work), asked.kills, seed=asked.seed, tell=lambda line: print(line, flush=True))
    print(found.table())
    print(*found.violations[:20], sep="\n")
    return 1 if found.violations or not all(found.in_run[kind] + found.in_write[kind] for kind in KINDS) else 0


if __name__ == "__main__":
    sys.exit(main())
