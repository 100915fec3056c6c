"""Years of a region in the study of congestion relief: every scenario and level of a draw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from agents.dso.relief import CurA, CurB, DayAhead, Directives, Measure, ProA, ProB, threshold_kw
from agents.prosumer.behind_meter import Scope
from agents.prosumer.dispatch_year import Dispatch, dispatch_year
from cosim.region import RegionCase
from cosim.region.year import YearOutcome, live_year, status_quo, unstored_kw
from experiments.congestion_outcomes import Outcome
from experiments.congestion_payers import flags_of, places
from experiments.congestion_scenarios import ALL, SCENARIOS, TODAY, Way
from experiments.congestion_settings import CongestionSettings

__all__ = [
    "at_worst",
    "closed_form_s",
    "draw_outcomes",
    "facts_of",
    "measures_of",
    "payers_of",
    "places_of",
    "summed",
    "year",
]

Array = npt.NDArray[np.float64]


def measures_of(way: Way, settings: CongestionSettings, window_h: float | None = None) -> list[Measure]:
    """The measures of a scenario with the parameters of the settings, ProA's window apart if given."""
    s, hours = settings, settings.window_h if window_h is None else window_h
    known: Mapping[str, Measure] = {
        "CurA": CurA(s.ev_cap_kw),
        "CurB": CurB(s.heat_cap, s.relief_h, s.makeup_h),
        "CurB residual": CurB(s.heat_cap, s.relief_h, s.makeup_h, start="residual"),
        "ProA": ProA(hours, s.cap_share),
        "ProA uncapped": ProA(hours, None),
        "ProB": ProB(),
        "ProB between": ProB(between=True),
    }
    return [known[name] for name in way.measures]


def year(
    case: RegionCase,
    way: Way,
    settings: CongestionSettings,
    limit_kw: float,
    *,
    window_h: float | None = None,
    scope: Scope | None = None,
    day_ahead: DayAhead | None = None,
    columns: bool = False,
) -> YearOutcome:
    """One scenario of a case."""
    return live_year(
        case,
        measures_of(way, settings, window_h),
        threshold_kw=limit_kw,
        day_ahead=day_ahead,
        scope=scope or settings.scope,
        storage=way.storage,
        columns=columns,
    )


def draw_outcomes(
    case: RegionCase, seed: int, settings: CongestionSettings, *, shown: bool
) -> Iterator[tuple[Outcome, YearOutcome]]:
    """Every scenario at every level; at the most stressed one with the sums over homes where they are to be shown."""
    today_kw = unstored_kw(case.today)
    for level in settings.levels:
        limit_kw = threshold_kw(today_kw, level)
        start = perf_counter()
        found = live_year(status_quo(case), threshold_kw=limit_kw, storage=False)
        yield _outcome(case, (seed, level, TODAY), limit_kw, found, perf_counter() - start), found
        for name, way in ALL.items():
            columns = shown and level == settings.worst and name in SCENARIOS
            start = perf_counter()
            found = year(case, way, settings, limit_kw, columns=columns)
            yield _outcome(case, (seed, level, name), limit_kw, found, perf_counter() - start), found


def _outcome(
    case: RegionCase, key: tuple[int, str, str], limit_kw: float, found: YearOutcome, seconds: float
) -> Outcome:
    return Outcome(
        *key,
        threshold_kw=limit_kw,
        p_region_kw=found.p_region_kw,
        load=found.load_violations,
        feedin=found.feedin_violations,
        relieved=found.directives.heat_cap < 1,
        seconds=seconds,
        soc=(found.dispatch.soc_low, found.dispatch.soc_high),
        lost_share=_lost_share(case, found) if key[2] != TODAY else 0.0,
        sums=None if found.dispatch.p_battery_kw is None else summed(case, found),
    )


def _lost_share(case: RegionCase, found: YearOutcome) -> float:
    """What is neither served nor owed of charging and heat, over what was asked for: the worst home."""
    step_h, sessions = case.inputs.step_h, case.sessions
    asked = np.bincount(sessions.home, weights=sessions.energy_kwh, minlength=len(case.assets))
    ev = found.inputs.p_ev_kw.sum(axis=0) * step_h + found.comfort["ev_owed_kwh_end"].to_numpy() - asked
    wanted = case.inputs.heat_kw.sum(axis=0) * step_h
    heat = found.inputs.heat_kw.sum(axis=0) * step_h + found.comfort["heat_owed_kwh_end"].to_numpy() - wanted
    return float(max(np.max(np.abs(ev) / np.maximum(asked, 1.0)), np.max(np.abs(heat) / np.maximum(wanted, 1.0))))


def summed(case: RegionCase, found: YearOutcome) -> pd.DataFrame:
    """Sums over homes in each step, of a year with columns; see `Outcome.sums`."""
    done, step_h = found.dispatch, case.inputs.step_h
    assert done.p_battery_kw is not None and done.q_tes_kw is not None
    p_battery_kw, q_tes_kw = done.p_battery_kw.sum(axis=1), done.q_tes_kw.sum(axis=1)
    cop = found.inputs.cop
    return pd.DataFrame(
        {
            "p_ev_kw": found.inputs.p_ev_kw.sum(axis=1),
            "p_hp_kw": (found.inputs.heat_kw.sum(axis=1) + q_tes_kw) / cop,
            "p_battery_kw": p_battery_kw,
            "p_tes_kw": q_tes_kw / cop,
            "battery_kwh": _energies(p_battery_kw, done.battery_kwh, step_h),
            "tes_kwh": _energies(q_tes_kw, done.tes_kwh, step_h),
        },
        index=case.times,
    )


def _energies(p_kw: Array, end_kwh: Array, step_h: float) -> Array:
    """Energy at the end of each step, from that at the very end."""
    energy = np.cumsum(p_kw) * step_h
    kwh: Array = energy + (end_kwh.sum() - energy[-1])
    return kwh


def places_of(case: RegionCase) -> pd.DataFrame:
    """Homes with their places and what they own, as `congestion_payers.places` has it."""
    owned = pd.DataFrame(flags_of(case.assets), index=pd.Index(case.assets.ids))
    return places(case.region.feeder, case.region.homes, owned)


def payers_of(where: pd.DataFrame, seed: int, scenario: str, found: YearOutcome) -> pd.DataFrame:
    """What each home pays and goes without in a scenario, a home a row."""
    cost = found.cost.rename(columns={"energy": "energy_cost", "total": "cost"})
    frame = where.join(cost, on="home").join(found.comfort, on="home")
    frame.insert(0, "seed", seed)
    frame.insert(1, "scenario", scenario)
    return frame


def facts_of(case: RegionCase) -> pd.DataFrame:
    """Numbers, capacities and energies of a case, one row."""
    assets, inputs, h = case.assets, case.inputs, case.inputs.step_h
    found: dict[str, Any] = {
        "homes": len(assets),
        "stations": len(case.region.stations),
        "station_names": ", ".join(map(str, case.region.stations.index)),
        "pv": int((inputs.p_pv_kw.max(axis=0) > 0).sum()),
        "battery": int((assets.battery_kwh > 0).sum()),
        "hp": int((assets.hp_kw > 0).sum()),
        "tes": int((assets.tes_kwh > 0).sum()),
        "ev": int((assets.ev_kw > 0).sum()),
        "battery_kwh": float(assets.battery_kwh.sum()),
        "load_mwh": inputs.p_load_kw.sum() * h / 1000,
        "ev_mwh": inputs.p_ev_kw.sum() * h / 1000,
        "hp_mwh": (inputs.heat_kw.sum(axis=1) / inputs.cop).sum() * h / 1000,
        "pv_mwh": inputs.p_pv_kw.sum() * h / 1000,
        "today_peak_kw": float(unstored_kw(case.today).max()),
    }
    return pd.DataFrame([found])


def closed_form_s(case: RegionCase, scope: Scope) -> tuple[Dispatch, float]:
    """The stores' year by itself, without measures, and how long it takes."""
    start = perf_counter()
    done = dispatch_year(case.assets, case.inputs, Directives.none(len(case.inputs)), scope)
    return done, perf_counter() - start


def at_worst(case: RegionCase, settings: CongestionSettings) -> float:
    """The threshold of the most stressed level [kW]."""
    return threshold_kw(unstored_kw(case.today), settings.worst)
