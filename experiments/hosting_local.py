"""PV capacity under inverter rules that each home follows by itself, in the closed minute loop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pandas as pd

from agents.prosumer.fleet import Fleet
from cosim.hosting import Capacity, Stop
from cosim.hosting.case import HostingCase
from cosim.hosting.ladder import Ladder
from cosim.hosting.level import TOLERANCE, Check, LevelCheck
from cosim.hosting.local import LocalLoop, burden, local_check
from cosim.hosting.one_shot import bracket
from experiments.hosting_answer import limit_of
from experiments.hosting_runs import Told, definition_of
from experiments.hosting_settings import HostingSettings

__all__ = ["local_of", "remembered", "tolerating"]

MEASURES = ("kept_percent", "gini_kept", "worst_tenth_percent", "spread_points")


def local_of(hosting: HostingCase, settings: HostingSettings, static: float, told: Told) -> pd.DataFrame:
    """Capacity under each rule and tolerance of curtailment, and what the rule takes from whom there.

    The search begins at the static capacity; a day is lived once for all tolerances.

    Parameters
    ----------
    hosting : HostingCase
    settings : HostingSettings
    static : float
        Static capacity, where the searches begin; NaN for none.
    told : callable

    Returns
    -------
    DataFrame
        ``rule, tolerated_percent, capacity_percent, limit, curtailed_percent, seconds``, and of `cosim.hosting.local`
        the measures `MEASURES` at the capacity.
    """
    rows: list[dict[str, Any]] = []
    for loop in settings.loops:
        for rule in settings.rules:
            if rule != "none" or loop == settings.loops[0]:
                rows += _of_rule(hosting, settings, rule, LocalLoop(mode=loop), static)
            told()
    return pd.DataFrame(rows)


def _of_rule(
    hosting: HostingCase, settings: HostingSettings, rule: str, loop: LocalLoop, static: float
) -> Iterator[dict[str, Any]]:
    definition = definition_of("pv", settings).model_copy(update={"step": settings.local_step, "curtailment": 1.0})
    live = remembered(local_check(hosting, rule, definition, loop))
    at = 1 if static != static else max(round(static / settings.local_step), 1)
    for tolerated in settings.tolerated:
        ladder = Ladder(hosting, definition, tolerating(live, tolerated))
        index = bracket(ladder, at)
        at = max(index, 1)
        capacity = ladder.capacity(index, "local", "one-shot")
        yield {
            "rule": rule if loop.mode == "closed-loop" else f"{rule}, settled",
            "tolerated_percent": 100 * tolerated,
            "capacity_percent": 100 * capacity.level,
            "limit": limit_of(capacity),
            "curtailed_percent": 100 * ladder.at(index).curtailed_share if index >= 0 else float("nan"),
            "seconds": capacity.seconds,
            **_taken(hosting, capacity, rule, loop),
        }


def _taken(hosting: HostingCase, capacity: Capacity, rule: str, loop: LocalLoop) -> dict[str, float]:
    """What the rule takes from whom at the capacity."""
    if capacity.fleet is None or not capacity.fleet.pv_kw.any():
        return dict.fromkeys(MEASURES, float("nan"))
    measures = burden(hosting, capacity.fleet, rule, loop=loop).measures
    return {name: measures[name] for name in MEASURES}


def remembered(check: Check) -> Check:
    """A check that judges each amount of PV once; all else of a fleet stays as it is in a search."""
    known: dict[float, LevelCheck] = {}

    def judge(fleet: Fleet) -> LevelCheck:
        kw = float(fleet.pv_kw.sum())
        if kw not in known:
            known[kw] = check(fleet)
        return known[kw]

    return judge


def tolerating(check: Check, allowed: float) -> Check:
    """A check that refuses a fleet of whose PV energy more than a share is curtailed."""

    def judge(fleet: Fleet) -> LevelCheck:
        found = check(fleet)
        if not found.feasible or found.curtailed_share <= allowed + TOLERANCE:
            return found
        return replace(found, feasible=False, stop=Stop("curtailment", value=found.curtailed_share, allowed=allowed))

    return judge
