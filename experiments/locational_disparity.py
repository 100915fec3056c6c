"""Do inverter rules cost more at the end of a feeder, and can that disparity be limited?

The experiment of Hashmi, Deka, Busic and Van Hertem, arXiv 2207.10248, section V-C: the same house at three
places of a feeder under four rules (none, PRC, ANRC, hybrid). As in the source, control is tried at one bus at a
time and in open loop; beyond it, in closed loop and at all buses at once, and on every day of the measured
extract instead of one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from typing import Any

import pandas as pd

from cosim import Run, Scenario, indices, run_ensemble
from cosim.data import day_start, extract_days
from cosim.indices import VOLTAGE_COUNTS
from cosim.population import resolve
from cosim.study import StudyOptions, StudyResult
from experiments.disparity_report import report, write_answer

__all__ = ["Answer", "Case", "base_scenario", "cases_of_day", "disparity", "study"]

RULES = ("none", "prc", "anrc", "hybrid")
MODES = ("open-loop", "closed-loop")
DAYS_AT_ONCE = 7  # 119 runs in lock-step: most of the speed, at a quarter of the memory of all days
COLUMNS = [
    "mode",
    "rule",
    "bus",
    "cost",
    "lcg_percent",
    "gain_kept_percent",
    "tce_kwh",
    "cvc_pu",
    *VOLTAGE_COUNTS,
]


@dataclass(frozen=True)
class Case:
    """One run: a day, which voltage the rule reads, the rule, and the prosumers who optimise and obey it."""

    start: pd.Timestamp
    mode: str
    rule: str
    active: tuple[str, ...]

    def scenario(self, base: Scenario) -> Scenario:
        """The base scenario with this case's prosumers active and all others passive."""
        changes: dict[str, object] = {
            "start": self.start.to_pydatetime(),
            "mode": self.mode,
            "rule": self.rule,
        }
        for prosumer in base.prosumers:
            active = prosumer.id in self.active
            changes[f"prosumers.{prosumer.id}.optimise"] = active
            changes[f"prosumers.{prosumer.id}.rule"] = self.rule if active else "none"
        return base.changed(changes)


@dataclass(frozen=True)
class Answer:
    """The table of every day, the runs of the default day by their cases, and what the user changed."""

    base: Scenario
    table: pd.DataFrame
    runs: dict[Case, Run]
    changes: Mapping[str, Any] = field(default_factory=dict)


def study(options: StudyOptions) -> StudyResult:
    """Do inverter rules cost more at the end of a feeder, and can that disparity be limited?"""
    base = resolve(base_scenario().changed(options.changes, "--set"))
    answer = disparity(base, _days(base), options)
    day = answer.table[answer.table["day"] == _day_of(pd.Timestamp(base.start))]
    return StudyResult(
        title=f"locational disparity, {_day_of(pd.Timestamp(base.start))}",
        table=day[COLUMNS],
        text=report(answer.table, base, options.changes),
        write=lambda folder: write_answer(answer, day[COLUMNS], folder),
    )


def base_scenario() -> Scenario:
    """The four-bus case; its file says how limits, house and day were chosen."""
    with as_file(files("experiments") / "scenarios" / "four_bus.toml") as path:
        return Scenario.from_toml(path)


def disparity(base: Scenario, starts: Sequence[pd.Timestamp], options: StudyOptions) -> Answer:
    """Run all cases of all days, and sum them up.

    Parameters
    ----------
    base : Scenario
        Its prosumers are the places, its start the default day.
    starts : sequence of Timestamp
        Beginnings of the days (UTC).
    options : StudyOptions
        Threads and progress.
    """
    batches = [
        (mode, starts[first : first + DAYS_AT_ONCE]) for mode in MODES for first in range(0, len(starts), DAYS_AT_ONCE)
    ]
    tables: list[pd.DataFrame] = []
    kept: dict[Case, Run] = {}
    for index, (mode, some) in enumerate(batches):
        cases = [case for start in some for case in cases_of_day(base, start, mode)]
        tell = options.part(index, len(batches))
        results = run_ensemble([case.scenario(base) for case in cases], threads=options.threads, progress=tell)
        runs = dict(zip(cases, results, strict=True))
        tables.append(_table(base, runs))
        kept |= {case: run for case, run in runs.items() if case.start == pd.Timestamp(base.start)}
    together = pd.concat(tables).sort_values(["mode", "day"], key=_rank, kind="stable", ignore_index=True)
    return Answer(base, together, kept, options.changes)


def _rank(column: pd.Series[str]) -> pd.Series[str]:
    """Modes in the order of `MODES`, each alone before all at once; anything else as it is."""
    if column.name != "mode":
        return column
    return column.map({f"{mode}{scope}": f"{i}{scope}" for i, mode in enumerate(MODES) for scope in ("", "-all")})


def cases_of_day(base: Scenario, start: pd.Timestamp, mode: str) -> Iterator[Case]:
    """Nobody active; then under each rule every prosumer alone; then all at once."""
    ids = tuple(prosumer.id for prosumer in base.prosumers)
    yield Case(start, mode, "none", ())
    for rule in RULES:
        for name in ids:
            yield Case(start, mode, rule, (name,))
        yield Case(start, mode, rule, ids)


def _table(base: Scenario, runs: dict[Case, Run]) -> pd.DataFrame:
    """One row per case and active prosumer, compared with the same case without rule and with nobody active."""
    rows = []
    names = [prosumer.id for prosumer in base.prosumers]
    plain = {case: run.indices for case, run in runs.items()}
    for case, table in plain.items():
        free = plain[Case(case.start, case.mode, "none", case.active)]["cost"].to_numpy()
        idle = plain[Case(case.start, case.mode, "none", ())]["cost"].to_numpy()
        cost = table["cost"].to_numpy()
        full = table.assign(
            day=_day_of(case.start),
            mode=case.mode if len(case.active) == 1 else f"{case.mode}-all",
            rule=case.rule,
            lcg_percent=indices.loss_of_consumer_gain(cost, free),
            gain_kept_percent=indices.gain_kept(cost, free, idle),
        )
        rows.append(full[[name in case.active for name in names]])
    return pd.concat(rows, ignore_index=True)[["day", *COLUMNS, "n_reversals", "prosumer", "distance_ohm"]]


def _days(base: Scenario) -> list[pd.Timestamp]:
    """Every day of the extract and the base scenario's own; only that one where the profiles are the user's."""
    own = pd.Timestamp(base.start)
    if base.profiles_file is not None:
        return [own]
    return sorted({own, *(day_start(day) for day in extract_days())})


def _day_of(start: pd.Timestamp) -> str:
    """The local date of the profiles on which a run spends its day."""
    return f"{start.tz_convert('Europe/Berlin'):%Y-%m-%d}"
