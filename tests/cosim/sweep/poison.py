"""Poisons runs of a sweep in nine ways, and looks at the others: ``python -m tests.cosim.sweep.poison --runs 1000``.

The same sweep is run clean first. Each poison comes through what a user can do: a field of a scenario, a file, a rule
or signal of a plugin, a file in the way of a run's folder. The runs that were not poisoned must come to the
same bytes; each of the others must be a row with its reason, and with a command that ends for the same one.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from cosim.sweep import Reason, Sweep
from cosim.toml import toml_text
from tests.cosim.command_line import COSIM
from tests.cosim.sweep.judge import differences, tree
from tests.cosim.sweep.monkey import Session
from tests.cosim.sweep.repeated import repeated
from tests.cosim.sweep.subjects import PLUGINS, WORKER

__all__ = ["POISONS", "Poison", "Poisoned", "poisoned"]

PLUGIN = PLUGINS / "poison_rules.py"


@dataclass(frozen=True)
class Poison:
    """One way to spoil a run.

    Attributes
    ----------
    reason : Reason
        What its failure must be called.
    says : str
        Regular expression that its message matches.
    repeats : str
        Regular expression that what its command comes to matches.
    changes : mapping
        What is changed in its scenario; nothing where it is its folder that is spoiled.
    """

    reason: Reason
    says: str
    repeats: str
    changes: Mapping[str, Any] = field(default_factory=dict)


def _profiles(name: str) -> dict[str, str]:
    return {"profiles_file": name, "prosumers.*.load_profile": "load", "prosumers.*.pv_profile": "pv"}


_FLOW, _HEAT, _NAN = "did not converge", "heat demand of 10000 kW .* exceeds", "row 7, column 'pv': 'nan'"
_RULE, _GONE = "no rule for 3 inverters", r"nowhere\.csv"

POISONS: dict[str, Poison] = {
    "diverging flow": Poison(Reason.DIVERGED, _FLOW, _FLOW, {"prosumers.home-4.load_annual_mwh": 5000.0}),
    "infeasible LP": Poison(Reason.INFEASIBLE, _HEAT, _HEAT, {"dso.signal": "cold-houses"}),
    "NaN profile": Poison(Reason.BAD_INPUT, _NAN, _NAN, _profiles("nan.csv")),
    "exception in a rule": Poison(Reason.EXCEPTION, f"RuntimeError: {_RULE}", _RULE, {"rule": "raises"}),
    "worker killed": Poison(Reason.KILLED, "SIGKILL", "exit -9", {"rule": "kills"}),
    "timeout": Poison(Reason.TIMEOUT, "not finished after", "no end after", {"rule": "hangs"}),
    "missing file": Poison(Reason.MISSING_FILE, _GONE, _GONE, _profiles("nowhere.csv")),
    "out of memory": Poison(Reason.MEMORY, "MB of memory", "more than", {"rule": "greedy"}),
    "unwritable folder": Poison(Reason.UNWRITABLE, "runs", "exit 0"),  # elsewhere nothing is wrong with it
}


@dataclass
class Poisoned:
    """What came of it.

    Attributes
    ----------
    runs, same : int
        All runs, and those that came to the bytes of the clean sweep.
    reasons : Counter
        Failures by poison and reason.
    repeated : dict of str to str
        What the command of one failure of each poison came to.
    seconds : tuple of float
        Time of the clean and of the poisoned sweep.
    violations : list of str
        All that should not be.
    """

    runs: int
    same: int = 0
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    repeated: dict[str, str] = field(default_factory=dict)
    seconds: tuple[float, float] = (0.0, 0.0)
    violations: list[str] = field(default_factory=list)

    def table(self) -> str:
        """The counts as lines."""
        rows = [
            f"{poison:22}{count:6}  {reason:16}{_ends(self.repeated.get(poison, ''))}"
            for (poison, reason), count in sorted(self.reasons.items())
        ]
        same = f"{self.same} of {self.runs} runs identical to the clean sweep's"
        times = f"clean {self.seconds[0]:.1f} s, poisoned {self.seconds[1]:.1f} s"
        return "\n".join([*rows, f"{same}; {times}; violations: {len(self.violations)}"])


def poisoned(
    work: Path,
    runs: int,
    bad: int,
    *,
    seed: int = 1,
    timeout_s: float = 20.0,
    memory_mb: float = 1500.0,
    repeat: Sequence[str] = tuple(POISONS),
    tell: Callable[[str], None] = lambda line: None,
) -> Poisoned:
    """Run the sweep clean and poisoned, in a folder; `bad` of its runs are, in turns by all poisons.

    The commands of one failure of each poison in `repeat` are tried.
    """
    names = list(POISONS)
    places = random.Random(seed).sample(range(runs), bad)
    poison_of = {place: names[k % len(names)] for k, place in enumerate(places)}
    limits = {"timeout_s": timeout_s, "memory_mb": memory_mb}
    _write_profiles(work / "nan.csv")
    found, began = Poisoned(runs), time.monotonic()
    code, said = _swept(_file(work / "clean.toml", runs, {}, limits), work / "clean")
    if code != 0:
        raise RuntimeError(f"the clean sweep ended with {code}: {said}")
    middle = time.monotonic()
    tell(f"clean: {middle - began:.1f} s")
    folder = work / "poisoned"
    clean_ids = pd.read_parquet(work / "clean" / "plan.parquet")["run_id"].tolist()
    blocked = [clean_ids[place] for place, poison in poison_of.items() if poison == "unwritable folder"]
    with _in_the_way(folder, blocked):
        code, said = _swept(_file(work / "poisoned.toml", runs, poison_of, limits), folder)
        found.seconds = middle - began, time.monotonic() - middle
        tell(f"poisoned: {found.seconds[1]:.1f} s")
        if code != 1:
            found.violations.append(f"the poisoned sweep ended with {code}: {said}")
        _compare(found, work, clean_ids, poison_of)
        _repeat(found, folder, poison_of, repeat, timeout_s, memory_mb)
    return found


def _ends(said: str) -> str:
    """How a command ended, and the last that it said."""
    how, _, lines = said.partition(": ")
    return ": ".join([how, *lines.strip().splitlines()[-1:]])


def _file(path: Path, runs: int, poison_of: Mapping[int, str], limits: Mapping[str, float]) -> Path:
    """A sweep of short days, which differ by their tariff; some of them poisoned."""
    cases = []
    for number in range(runs):
        changes = POISONS[poison_of[number]].changes if number in poison_of else {}
        files = {key: str(path.parent / value) for key, value in changes.items() if key.endswith("_file")}
        cases.append({"name": f"case-{number}", "tariff.kappa": 0.5 + 0.5 * number / runs, **changes, **files})
    every = {"control_step_min": 15}
    sweep = {"name": "poison", "references": False, "limits": dict(limits), "set": every, "cases": cases}
    path.write_text(toml_text(sweep), encoding="utf-8")
    return path


def _write_profiles(path: Path) -> None:
    """Four days around the run's; one sample is not a number."""
    times = pd.date_range("2016-06-07T22:00Z", periods=4 * 96, freq="15min")
    lines = [f"{time:%Y-%m-%dT%H:%MZ},0.4,{'nan' if k == 5 else 0.2}" for k, time in enumerate(times)]
    path.write_text("\n".join(["time,load,pv", *lines, ""]), encoding="utf-8")


def _swept(file: Path, folder: Path) -> tuple[int | None, str]:
    command = [*COSIM, "sweep", str(file), "--out", str(folder), "--workers", "2", "--plugin", str(PLUGIN)]
    session = Session(command, WORKER, file.with_suffix(".log"))
    try:
        return session.code(3600.0), session.said()
    finally:
        session.end()


@contextmanager
def _in_the_way(folder: Path, run_ids: Sequence[str]) -> Iterator[None]:
    """Put files where the folders of these runs should be."""
    (folder / "runs").mkdir(parents=True)
    for run_id in run_ids:
        (folder / "runs" / run_id).write_text("in the way", encoding="utf-8")
    yield
    for run_id in run_ids:
        (folder / "runs" / run_id).unlink()


def _compare(found: Poisoned, work: Path, clean_ids: Sequence[str], poison_of: Mapping[int, str]) -> None:
    """Hold the runs that were not poisoned against the clean ones, and the others against what was to be."""
    sweep = Sweep.load(work / "poisoned")
    failed = {int(row["run"]): row for row in sweep.failures.to_dict("records")}
    for number, run_id in enumerate(clean_ids):
        if number in poison_of:
            found.violations += _wrong(number, poison_of[number], failed.get(number))
            reason = str(failed[number]["reason"]) if number in failed else "none"
            found.reasons[poison_of[number], reason] += 1
            continue
        pair = [tree(work / name / "runs" / run_id) for name in ("poisoned", "clean")]
        unlike = differences(*pair) or ([] if pair[0] else ["no files"])
        found.violations += [f"run {number} was not poisoned: {line}" for line in unlike]
        found.same += not unlike
    found.violations += [f"run {number} was not poisoned, but failed" for number in failed.keys() - poison_of.keys()]


def _wrong(number: int, poison: str, row: Mapping[str, Any] | None) -> list[str]:
    """What is not as it should be with the failure of a poisoned run."""
    expected, where = POISONS[poison], f"run {number} ({poison})"
    if row is None:
        return [f"{where}: no failure"]
    if row["reason"] != expected.reason:
        return [f"{where}: {row['reason']} instead of {expected.reason}: {row['message']}"]
    return [] if re.search(expected.says, row["message"]) else [f"{where}: {row['message']!r}: no {expected.says!r}"]


def _repeat(
    found: Poisoned,
    folder: Path,
    poison_of: Mapping[int, str],
    which: Sequence[str],
    timeout_s: float,
    memory_mb: float,
) -> None:
    """Try the commands of the first failure of some poisons."""
    failed = Sweep.load(folder).failures.drop_duplicates("run").set_index("run")
    for poison in which:
        number = next(place for place, name in poison_of.items() if name == poison)
        if number not in failed.index:
            continue
        command, target = str(failed.loc[number, "command"]), folder.with_name(f"again-{number}")
        found.repeated[poison] = said = repeated(command, target, timeout_s, memory_mb)
        if not re.search(POISONS[poison].repeats, said):
            found.violations.append(f"run {number} ({poison}): its command comes to {said!r}")


def main(argv: Sequence[str] | None = None) -> int:
    """The command; 1 where anything was violated."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--bad", type=int, default=37)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="cosim-poison-") as work:
        found = poisoned(Path(work), asked.runs, asked.bad, seed=asked.seed, tell=lambda line: print(line, flush=True))
    print(found.table())
    print(*found.violations[:20], sep="\n")
    return 1 if found.violations else 0


if __name__ == "__main__":
    sys.exit(main())
