"""Can what homes own behind their meters keep a region's station from congestion, and who pays for it?

A year of 319 homes behind three MV/LV stations of Schutterwald, Germany, with the PV, batteries, heat pumps, hot-water
storage and cars that are expected for 2030. The operator's measures of `agents.dso.relief` (curative: chargers and
heat pumps are curbed, as par. 14a EnWG allows; proactive: stores are charged ahead and held) one by one and together,
where the station is stressed by 90, 95 or 100 % of what it may carry today; several draws of who owns what. Beside
that: what the counts depend on, what errors of the forecast cost, the net's voltages and loadings, and who pays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from time import perf_counter

import pandas as pd

from cosim.region import Penetration, RegionCase, region_case
from cosim.study import StudyOptions, StudyResult, changed_settings
from experiments.congestion_answer import Answer
from experiments.congestion_flows import Flow
from experiments.congestion_outcomes import Outcome, mean_counts
from experiments.congestion_payers import with_changes
from experiments.congestion_power import flow_of, reference_timings, today_flow_kw
from experiments.congestion_report import report, write_answer
from experiments.congestion_runs import closed_form_s, draw_outcomes, facts_of, payers_of, places_of
from experiments.congestion_scenarios import PAYING, SCENARIOS, TODAY
from experiments.congestion_settings import CongestionSettings
from experiments.congestion_variants import CaseMaker, Row, forecast_rows, n_cases, sensitivity_rows
from experiments.verdicts import Timing
from feeders.region import Region, schutterwald_region

__all__ = ["relief", "study"]

_SENSITIVITY = ["parameter", "value", "default", "seed", "scenario", "load_violations", "feedin_violations"]
_FORECAST = ["seed", "level", "forecast", "scenario", "load_violations", "feedin_violations"]
_YEAR_S, _ALL_S = 2.0, 30.0  # what the closed form of a year, and all scenarios at all levels may take
_FLOW_S, _FLOW_MB = 60.0, 1500.0  # and the AC power flows of a year


def study(options: StudyOptions) -> StudyResult:
    """Can flexibility behind the meter keep a region's station from congestion, by which measures, and who pays?"""
    settings = changed_settings(CongestionSettings, options.changes)
    answer = relief(settings, partial(_schutterwald, settings), options)
    mean = mean_counts(answer.table).rename(columns={"load": "load_violations", "feedin": "feedin_violations"})
    return StudyResult(
        title=f"quarter-hours a year with a violation, mean of {len(settings.drawn)} draws",
        table=mean.drop(columns=["load_sd", "feedin_sd"]) if len(settings.drawn) == 1 else mean,
        text=report(answer),
        write=lambda folder: write_answer(answer, folder),
    )


@lru_cache(maxsize=1)
def _region() -> Region:
    return schutterwald_region()


def _schutterwald(settings: CongestionSettings, seed: int, shares: Mapping[str, float]) -> RegionCase:
    """The case of a seed, with other shares of homes than usual if given."""
    return region_case(_region(), seed, settings.mix, average=Penetration(**shares))


@dataclass
class _Found:
    """What gathers, draw by draw."""

    outcomes: list[Outcome] = field(default_factory=list)
    sensitivity: list[Row] = field(default_factory=list)
    forecast: list[Row] = field(default_factory=list)
    payers: list[pd.DataFrame] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    log: list[Timing] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def relief(settings: CongestionSettings, make: CaseMaker, options: StudyOptions) -> Answer:
    """Run everything.

    Parameters
    ----------
    settings : CongestionSettings
    make : callable
        Makes the case of a seed.
    options : StudyOptions
        Whom to tell of progress.

    Raises
    ------
    InputError, InputErrors
        For settings that no case can be made of.
    """
    told = _teller(settings, options)
    found = _Found()
    told()
    start = perf_counter()
    case = first = make(settings.drawn[0], {})
    found.log.append(Timing("region and case of the first draw", perf_counter() - start))
    _, cold = closed_form_s(case, settings.scope)
    _, warm = closed_form_s(case, settings.scope)
    found.log.append(Timing("closed form of a year, at first, with what is compiled", cold))
    found.log.append(Timing(f"closed form of a year, {len(case.assets)} homes", warm, _YEAR_S))
    for seed in settings.drawn:
        case = first if seed == settings.drawn[0] else make(seed, {})
        _draw(case, seed, settings, found)
        told()
        if seed in settings.varied:
            found.sensitivity += sensitivity_rows(case, seed, settings, make, told)
        if not settings.quick:
            found.forecast += forecast_rows(case, seed, settings)
            told()
    _times(settings, found)
    _flows(first, settings, found, told)
    return Answer(
        settings,
        first.times,
        found.outcomes,
        pd.DataFrame(found.sensitivity, columns=_SENSITIVITY),
        pd.DataFrame(found.forecast, columns=[*_FORECAST, "missed_days", "false_days"]),
        with_changes(pd.concat(found.payers, ignore_index=True)),
        found.flows,
        facts_of(first),
        found.log,
        found.notes,
    )


def _draw(case: RegionCase, seed: int, settings: CongestionSettings, found: _Found) -> None:
    """All scenarios at all levels of one draw, and who pays at the most stressed one."""
    where = places_of(case)
    for outcome, lived in draw_outcomes(case, seed, settings, shown=seed == settings.drawn[0]):
        found.outcomes.append(outcome)
        if outcome.level == settings.worst and outcome.scenario in PAYING:
            found.payers.append(payers_of(where, seed, outcome.scenario, lived))


def _flows(case: RegionCase, settings: CongestionSettings, found: _Found, told: Callable[[], None]) -> None:
    """Power flows of the first draw's years, and some steps through the published program."""
    today_kw = today_flow_kw(case) if settings.flows else None
    for scenario in settings.flows:
        assert today_kw is not None
        flow = flow_of(case, scenario, settings, today_kw)
        found.flows.append(flow)
        found.log.append(Timing(f"AC power flows of the year, {scenario}", flow.seconds, _FLOW_S))
        found.log.append(Timing(f"memory that they add, {scenario}", flow.added_mb, _FLOW_MB, "MB"))
        told()
    found.log += reference_timings(case, settings, found.notes)


def _times(settings: CongestionSettings, found: _Found) -> None:
    """Times of the first draw's years: forecast, measures, charging, heat and stores; by scenario, and in all."""
    first = [outcome for outcome in found.outcomes if outcome.seed == settings.drawn[0]]
    names = dict.fromkeys(outcome.scenario for outcome in first)
    for name in names:
        seconds = [outcome.seconds for outcome in first if outcome.scenario == name]
        found.log.append(Timing(f"{name}: a year with its measures, mean of the levels", sum(seconds) / len(seconds)))
    asked = [outcome.seconds for outcome in first if outcome.scenario in (TODAY, *SCENARIOS)]
    what = f"all {1 + len(SCENARIOS)} scenarios at {len(settings.levels)} levels"
    found.log.append(Timing(what, sum(asked), _ALL_S))


def _teller(settings: CongestionSettings, options: StudyOptions) -> Callable[[], None]:
    """Tells of one more part that is done."""
    n_parts = len(settings.drawn) * (1 if settings.quick else 2) + len(settings.varied) * n_cases(settings)
    parts: Iterator[int] = iter(range(n_parts + len(settings.flows) + 1))

    def told() -> None:
        if options.progress is not None:
            options.progress(next(parts), n_parts + len(settings.flows))

    return told
