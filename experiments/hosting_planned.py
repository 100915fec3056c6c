"""PV sited and sized over scenarios by the two-stage program, and what is feasible beside batteries and heat pumps."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from cosim.hosting import Der
from cosim.hosting.case import HostingCase
from cosim.hosting.scenarios import scenarios
from cosim.hosting.stochastic import (
    StaticPlan,
    TwoStage,
    TwoStagePlan,
    feasible_region,
    reduced,
    static_plan,
    two_stage,
)
from experiments.hosting_answer import Planned
from experiments.hosting_cases import CASES, TWO_STAGE, WORDS
from experiments.hosting_runs import Told
from experiments.hosting_settings import HostingSettings

__all__ = ["correlations_of", "planned_of", "region_of"]


def planned_of(hosting: HostingCase, settings: HostingSettings, told: Told) -> list[tuple[Planned, pd.DataFrame]]:
    """Static and dynamic plans, without and with bounds per node; the dynamic ones with their rank correlations."""
    days = scenarios(hosting.inputs, settings.n_scenarios, settings.seed, settings.sigma)
    kept = reduced(days, settings.n_reduced).chosen.tolist()
    found = []
    for bounded in (False, True):
        plan = _plan(settings, bounded)
        static = static_plan(hosting, plan, days, kept=kept)
        found.append((_static(static, bounded), pd.DataFrame()))
        told()
        done = two_stage(hosting, plan, days, n=settings.n_reduced)
        found.append((_planned(done, bounded), done.correlations))
        told()
    return found


def _plan(settings: HostingSettings, bounded: bool) -> TwoStagePlan:
    fixed = CASES[TWO_STAGE].fixed
    return TwoStagePlan(
        battery=fixed.battery,
        ev=fixed.ev,
        hp=fixed.hp,
        node_pv_most=settings.node_pv_most if bounded else None,
        node_battery_most=settings.node_battery_most if bounded else None,
        threshold=settings.feasible_share,
        repairs=3,
        seed=settings.seed,
    )


def _static(done: StaticPlan, bounded: bool) -> Planned:
    limit = _short(done.short_kw, ("ev", "hp")) or _tightest(done.outcomes)
    nothing = bool(np.isnan(done.level))
    return Planned(
        "static", bounded, done.level, limit, done.feasible_share, 0.0, None if nothing else done.fleet, done.seconds
    )


def _short(short_kw: npt.NDArray[np.float64], asked: tuple[Der, ...]) -> str:
    """What of the rest the feeder does not take; empty where it takes all."""
    words = [f"{kw:.0f} kW of {WORDS[der]}" for der, kw in zip(asked, short_kw, strict=True) if kw > 0]
    return f"not taken: {', '.join(words)}" if words else ""


def _planned(done: TwoStage, bounded: bool) -> Planned:
    short = _short(done.short_kw, ("battery", "ev", "hp"))
    limit = short or f"{_tightest(done.outcomes)}; the program has {done.bound_kw:,.0f} kW"
    share, gap = done.feasible_share, done.gap
    return Planned("dynamic", bounded, done.level, limit, share, gap, None if short else done.fleet, done.seconds)


def _tightest(outcomes: pd.DataFrame) -> str:
    """The kept scenario with the least margin."""
    kept = outcomes[outcomes["kept"].astype(bool)]
    if kept.empty or kept["margin"].isna().all():
        return "no scenario was confirmed"
    row = kept.loc[kept["margin"].astype(float).idxmin()]
    return f"scenario {row['scenario']} (margin {row['margin']:.1e})"


def correlations_of(tables: dict[bool, pd.DataFrame]) -> pd.DataFrame:
    """Rank correlations in rows: ``bounded, first, second, spearman``; `tables` by whether nodes are bounded."""
    rows = [
        (bounded, first, second, float(str(table.loc[f"{first}_kw", f"{second}_kw"])))
        for bounded, table in tables.items()
        for first, second in combinations(WORDS, 2)
    ]
    return pd.DataFrame(rows, columns=["bounded", "first", "second", "spearman"])


def region_of(hosting: HostingCase, settings: HostingSettings, told: Told) -> pd.DataFrame:
    """Most PV, sited at best on the expected day, over batteries and heat pumps with the cars of the two-stage case.

    Columns ``mode, battery_percent, hp_percent, pv_percent``.
    """
    plan, rows = _plan(settings, bounded=False), []
    for battery in settings.batteries:
        for hp in settings.heat_pumps:
            (point,) = feasible_region(hosting, plan, [battery], [hp]).to_dict("records")
            sizes = {mode: 100 * float(point[f"{mode}_level"]) for mode in ("static", "dynamic")}
            rows += [(mode, 100 * battery, 100 * hp, pv) for mode, pv in sizes.items()]
            told()
    return pd.DataFrame(rows, columns=["mode", "battery_percent", "hp_percent", "pv_percent"])
