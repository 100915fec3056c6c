"""PV sited and sized over scenarios by the two-stage program, and what is feasible beside batteries and heat pumps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from agents.prosumer.fleet import FleetInputs
from cosim.hosting import Der, Penetration
from cosim.hosting.case import HostingCase
from cosim.hosting.find import find
from cosim.hosting.scenarios import scenarios
from cosim.hosting.stochastic import TwoStage, TwoStagePlan, reduced, two_stage
from experiments.hosting_answer import Planned, limit_of
from experiments.hosting_cases import CASES, TWO_STAGE, WORDS
from experiments.hosting_runs import Told, definition_of
from experiments.hosting_settings import HostingSettings

__all__ = ["correlations_of", "planned_of", "region_of"]


def planned_of(hosting: HostingCase, settings: HostingSettings, told: Told) -> list[tuple[Planned, pd.DataFrame]]:
    """The static case, and the dynamic plans without and with bounds per node, each with its rank correlations.

    Static is what the same kept scenarios all take where devices are sited by the seed: without coordination there is
    no second stage that a plan could rest on.
    """
    days = scenarios(hosting.inputs, settings.n_scenarios, settings.seed, settings.sigma)
    kept = [days[i] for i in reduced(days, settings.n_reduced).chosen]
    found = [(_static(hosting, settings, kept), pd.DataFrame())]
    told()
    fixed = CASES[TWO_STAGE].fixed
    for bounded in (False, True):
        plan = TwoStagePlan(
            battery=fixed.battery,
            ev=fixed.ev,
            hp=fixed.hp,
            node_pv_most=settings.node_pv_most if bounded else None,
            node_battery_most=settings.node_battery_most if bounded else None,
            threshold=settings.feasible_share,
            repairs=3,
            seed=settings.seed,
        )
        done = two_stage(hosting, plan, days, n=settings.n_reduced)
        found.append((_planned(done, bounded), done.correlations))
        told()
    return found


def _static(hosting: HostingCase, settings: HostingSettings, days: Sequence[FleetInputs]) -> Planned:
    definition = definition_of(TWO_STAGE, settings)
    each = [find(hosting.with_inputs(day), definition, "static", "one-shot") for day in days]
    worst = min(each, key=lambda capacity: capacity.level if capacity.base_feasible else -1.0)
    seconds = sum(capacity.seconds for capacity in each)
    share = float(np.mean([capacity.base_feasible for capacity in each]))
    return Planned("static", False, worst.level, limit_of(worst), share, 0.0, worst.fleet, seconds)


def _planned(done: TwoStage, bounded: bool) -> Planned:
    asked: tuple[Der, ...] = ("battery", "ev", "hp")
    short = [f"{kw:.0f} kW of {WORDS[der]}" for der, kw in zip(asked, done.short_kw, strict=True) if kw > 0]
    limit = f"not taken: {', '.join(short)}" if short else _tightest(done)
    share, gap = done.feasible_share, done.gap
    return Planned("dynamic", bounded, done.level, limit, share, gap, None if short else done.fleet, done.seconds)


def _tightest(done: TwoStage) -> str:
    """The kept scenario with the least margin, and what the program without its errors would have."""
    kept = done.outcomes[done.outcomes["kept"].astype(bool)]
    if kept.empty or kept["margin"].isna().all():
        return "no scenario was confirmed"
    row = kept.loc[kept["margin"].astype(float).idxmin()]
    return f"scenario {row['scenario']} (margin {row['margin']:.1e}); the program has {done.bound_kw:,.0f} kW"


def correlations_of(tables: dict[bool, pd.DataFrame]) -> pd.DataFrame:
    """Rank correlations in rows: ``bounded, first, second, spearman``; `tables` by whether nodes are bounded."""
    rows = [
        (bounded, first, second, float(str(table.loc[f"{first}_kw", f"{second}_kw"])))
        for bounded, table in tables.items()
        for first, second in combinations(WORDS, 2)
    ]
    return pd.DataFrame(rows, columns=["bounded", "first", "second", "spearman"])


def region_of(hosting: HostingCase, settings: HostingSettings, told: Told) -> pd.DataFrame:
    """Most PV, static and dynamic, over batteries and heat pumps with the cars of the two-stage case, at once.

    Devices are sited by the seed at all points. Columns ``mode, battery_percent, hp_percent, pv_percent``.
    """
    rows = []
    for battery in settings.batteries:
        for hp in settings.heat_pumps:
            rows += list(_at(hosting, settings, battery, hp))
            told()
    return pd.DataFrame(rows, columns=["mode", "battery_percent", "hp_percent", "pv_percent"])


def _at(
    hosting: HostingCase, settings: HostingSettings, battery: float, hp: float
) -> Iterator[tuple[str, float, float, float]]:
    fixed = Penetration(battery=battery, ev=CASES[TWO_STAGE].fixed.ev, hp=hp)
    definition = definition_of(TWO_STAGE, settings).model_copy(update={"fixed": fixed})
    for mode in ("static", "dynamic"):
        capacity = find(hosting, definition, "static" if mode == "static" else "dynamic", "one-shot")
        yield mode, 100 * battery, 100 * hp, 100 * capacity.level
