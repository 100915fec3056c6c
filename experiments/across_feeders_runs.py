"""All runs of one feeder at one size, in lock-step, as one tidy table: a row per run and home."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from cosim import Run, Scenario, indices, run_ensemble
from cosim.build import build_feeder
from cosim.failure import RunFailure
from cosim.population import resolve
from cosim.run import Progress
from experiments.across_feeders_settings import NO_RULE, AcrossSettings, Season, Size

__all__ = ["KEYS", "Case", "Homes", "cases_of", "live"]

KEYS = ["feeder", "size", "season", "share", "rule", "mode", "seed"]
"""Columns that name a run; share and rule of the run without a rule are there for each share."""

_INDICES = [
    *("prosumer", "bus", "distance_ohm", "cost", "tce_kwh", "cvc_pu", "n_reversals", "n_not_settled", "n_above_dead"),
    *("n_below_dead", "vm_min_pu", "vm_max_pu"),
]


@dataclass(frozen=True)
class Case:
    """One run: a population in a season, and which share of it obeys what; nobody optimises where it says so."""

    season: Season
    seed: int
    rule: str
    share: float
    optimise: bool = True

    def scenario(self, settings: AcrossSettings, feeder: str, size: Size, mode: str) -> Scenario:
        """What is run."""
        return settings.scenario(
            feeder,
            size,
            self.season,
            self.seed,
            mode=mode,
            rule=self.rule,
            population__rule_share=self.share,
            population__optimise_share=1.0 if self.optimise else 0.0,
        )


@dataclass(frozen=True)
class Homes:
    """What came of all homes.

    Attributes
    ----------
    table : DataFrame
        A row per run and home: `KEYS`, ``controlled``, ``pv_kwp``, place, totals, and ``gain``, ``gain_kept_percent``
        as in `cosim.Run.indices`. Without a rule there is a copy of the run for each share.
    notes : list of str
        Runs that have no rows, and why.
    """

    table: pd.DataFrame
    notes: list[str]


def cases_of(settings: AcrossSettings) -> Iterator[Case]:
    """Of each population in each season: nobody optimising, everybody without a rule, each rule with each share."""
    for season in settings.seasons:
        for seed in settings.seeds:
            yield Case(season, seed, NO_RULE, 1.0, optimise=False)
            yield Case(season, seed, NO_RULE, 1.0)
            for rule in settings.rules:
                for share in settings.shares:
                    yield Case(season, seed, rule, share)


def live(
    settings: AcrossSettings,
    feeder: str,
    size: Size,
    modes: Sequence[str],
    threads: int = 1,
    progress: Progress | None = None,
) -> Homes:
    """Run all cases in all modes; under no rule a mode makes no difference, and is run once.

    Raises
    ------
    RunFailure
        When no run at all has a usable power flow.
    """
    tables: list[pd.DataFrame] = []
    notes: list[str] = []
    plain: dict[Case, Run] = {}
    obeys = _who_obeys(settings, feeder, size)
    for place, mode in enumerate(modes):
        cases = [case for case in cases_of(settings) if case.rule != NO_RULE or place == 0]
        part = None if progress is None else _part(progress, place, len(modes))
        found, failed = _lock_step(settings, feeder, size, mode, cases, threads, part)
        notes += failed
        plain |= {case: run for case, run in found.items() if case.rule == NO_RULE}
        for case, run in {**plain, **found}.items():
            table = _rows(case, run, plain) if case.optimise else None
            shares = settings.shares if case.rule == NO_RULE else (case.share,)
            if table is not None:
                tables += [table.assign(mode=mode, share=one, controlled=obeys[case.seed, one]) for one in shares]
    columns = [*KEYS, "controlled", *[name for name in tables[0].columns if name not in (*KEYS, "controlled")]]
    together = pd.concat(tables, ignore_index=True).assign(feeder=feeder, size=size.name)
    return Homes(together[columns], notes)


def _who_obeys(settings: AcrossSettings, feeder: str, size: Size) -> dict[tuple[int, float], npt.NDArray[np.bool_]]:
    """Who obeys the rule, by seed and share: nested, as each home has one number for it."""
    found = {}
    built = build_feeder(settings.scenario(feeder, size, settings.seasons[0], settings.seeds[0]).feeder)
    for seed in settings.seeds:
        for share in settings.shares:
            drawn = settings.scenario(feeder, size, settings.seasons[0], seed, population__rule_share=share)
            found[seed, share] = np.array([home.rule is None for home in resolve(drawn, built).prosumers])
    return found


def _part(progress: Progress, place: int, n_parts: int) -> Progress:
    return lambda done, total: progress(place * total + done, n_parts * total)


def _lock_step(
    settings: AcrossSettings,
    feeder: str,
    size: Size,
    mode: str,
    cases: Sequence[Case],
    threads: int,
    progress: Progress | None,
) -> tuple[dict[Case, Run], list[str]]:
    """The runs by their cases, and a line on each without a usable power flow: it is left out, the rest lived anew."""
    left = list(cases)
    notes: list[str] = []
    while True:
        scenarios = [case.scenario(settings, feeder, size, mode) for case in left]
        try:
            return dict(zip(left, run_ensemble(scenarios, threads=threads, progress=progress), strict=True)), notes
        except RunFailure as failure:
            lost = left.pop(failure.cause.scenario or 0)
            if not left:
                raise
            where = (
                f"{feeder} {size.name} {lost.season}, {lost.rule} at {100 * lost.share:g} %, {mode}, seed {lost.seed}"
            )
            notes.append(f"{where}: {failure}")


def _rows(case: Case, run: Run, plain: dict[Case, Run]) -> pd.DataFrame | None:
    """The rows of a run that optimises; None without those that it compares with."""
    free = plain.get(Case(case.season, case.seed, NO_RULE, 1.0))
    idle = plain.get(Case(case.season, case.seed, NO_RULE, 1.0, optimise=False))
    if free is None or idle is None:
        return None
    table = run.indices[_INDICES].copy()
    cost, cost_free, cost_idle = (one.totals["cost"].to_numpy() for one in (run, free, idle))
    table["gain"] = cost_idle - cost
    table["gain_kept_percent"] = indices.gain_kept(cost, cost_free, cost_idle)
    table["pv_kwp"] = [home.pv_kwp for home in run.scenario.prosumers]
    for name in ("reversals", "not_settled", "above_dead", "below_dead"):
        table[f"{name}_percent"] = 100 * table.pop(f"n_{name}") / run.control_steps
    return table.assign(season=case.season, rule=case.rule, seed=case.seed)
