"""What the counts of the study of congestion relief depend on: one thing varied at a time, and the forecast."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from agents.dso.relief import (
    DayAhead,
    NoisyDayAhead,
    Outlook,
    PerfectDayAhead,
    PersistenceDayAhead,
    threshold_kw,
)
from agents.prosumer.behind_meter import Scope
from cosim.region import Penetration, RegionCase
from cosim.region.year import YearOutcome, unstored_kw
from experiments.congestion_runs import at_worst, year
from experiments.congestion_scenarios import ALL, FORECAST, SWEPT
from experiments.congestion_settings import CongestionSettings

__all__ = ["CaseMaker", "day_aheads", "forecast_rows", "n_cases", "sensitivity_rows"]

CaseMaker = Callable[[int, Mapping[str, float]], RegionCase]
"""Makes a case from a seed and penetrations that are not the default's."""

Row = dict[str, object]


def sensitivity_rows(
    case: RegionCase, seed: int, settings: CongestionSettings, make: CaseMaker, told: Callable[[], None]
) -> Iterator[Row]:
    """Counts of every scenario at the most stressed level, the default's and with one thing varied at a time.

    Parameters
    ----------
    case : RegionCase
        The default of this seed.
    make : callable
        Makes the others.
        Shares of homes are those that the mixes have on average; what a mix focuses on stays.
    told : callable
        Called after each further case; there are `n_cases`.
    """
    s = settings
    counts = {name: _count(year(case, way, s, at_worst(case, s))) for name, way in SWEPT.items()}

    def default(parameter: str, value: str) -> Iterator[Row]:
        return (_row(seed, parameter, value, True, name, counts[name]) for name in SWEPT)

    def varied(
        of: RegionCase, parameter: str, value: str, *, window_h: float | None = None, scope: Scope | None = None
    ) -> Iterator[Row]:
        for name, way in SWEPT.items():
            touched = scope is not None or window_h is None or "ProA" in way.measures
            found = (
                _count(year(of, way, s, at_worst(of, s), window_h=window_h, scope=scope)) if touched else counts[name]
            )
            yield _row(seed, parameter, value, False, name, found)

    for asset, shares in (("heat_pump", s.heat_pumps), ("ev", s.evs)):
        yield from default(asset, f"{getattr(Penetration(), asset):g}")
        for share in shares:
            yield from varied(make(seed, {asset: share}), asset, f"{share:g}")
            told()
    yield from default("battery_kw", f"{case.assets.battery_kw.max():g}")
    for power in s.battery_powers_kw:
        battery_kw = np.where(case.assets.battery_kw > 0, power, 0.0)
        yield from varied(replace(case, assets=replace(case.assets, battery_kw=battery_kw)), "battery_kw", f"{power:g}")
    yield from default("window_h", f"{s.window_h:g}")
    for hours in s.windows_h:
        yield from varied(case, "window_h", f"{hours:g}", window_h=hours)
    yield from default("scope", s.scope)
    for scope in s.scopes:
        yield from varied(case, "scope", scope, scope=scope)


def n_cases(settings: CongestionSettings) -> int:
    """How many further cases the sensitivity of one seed makes."""
    return len(settings.heat_pumps) + len(settings.evs)


def day_aheads(settings: CongestionSettings, seed: int) -> dict[str, DayAhead]:
    """Forecasts by name."""
    noisy = {f"noisy {100 * error:g} %": NoisyDayAhead(error, seed) for error in settings.errors}
    persistent = {"yesterday": PersistenceDayAhead(1), "last week": PersistenceDayAhead(7)}
    return {"perfect": PerfectDayAhead(), **noisy, **persistent}


def forecast_rows(case: RegionCase, seed: int, settings: CongestionSettings) -> Iterator[Row]:
    """Counts of some scenarios with measures under each forecast, and congested days missed or called for nothing."""
    today_kw, true_kw = unstored_kw(case.today), unstored_kw(case.inputs)
    for level in settings.levels:
        limit_kw = threshold_kw(today_kw, level)
        for forecast, day_ahead in day_aheads(settings, seed).items():
            for name in FORECAST:
                found = year(case, ALL[name], settings, limit_kw, day_ahead=day_ahead)
                load, feedin = _count(found)
                yield {
                    "seed": seed,
                    "level": level,
                    "forecast": forecast,
                    "scenario": name,
                    "load_violations": load,
                    "feedin_violations": feedin,
                    **_misjudged(found.outlook, Outlook(true_kw, limit_kw, found.outlook.steps_per_day)),
                }


def _misjudged(expected: Outlook, true: Outlook) -> dict[str, int]:
    """Days that are congested and were not expected to be, and the other way round."""
    foreseen, came = (outlook.onset < outlook.steps_per_day for outlook in (expected, true))
    return {"missed_days": int((came & ~foreseen).sum()), "false_days": int((foreseen & ~came).sum())}


def _count(found: YearOutcome) -> tuple[int, int]:
    return found.n_load_violations, found.n_feedin_violations


def _row(seed: int, parameter: str, value: str, default: bool, scenario: str, count: tuple[int, int]) -> Row:
    return {
        "parameter": parameter,
        "value": value,
        "default": default,
        "seed": seed,
        "scenario": scenario,
        "load_violations": count[0],
        "feedin_violations": count[1],
    }
