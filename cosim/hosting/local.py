"""Hosting capacity under local rules: devices that nobody coordinates, each with an inverter that obeys a rule.

The fleet lives its day in the minute loop (`cosim.hosting.local_loop`), and the AC power flow of every minute is judged
by the limits that hold for the static and the coordinated case. What a rule costs whom is the other half of the answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from agents.prosumer import rule_by_name
from agents.prosumer.fleet import Fleet
from cosim.compare.disparity import head_to_end, rank_correlation, signed_gini, worst_tenth
from cosim.failure import RunFailure
from cosim.hosting.capacity import Stop
from cosim.hosting.case import HostingCase
from cosim.hosting.definition import Definition
from cosim.hosting.level import Check, LevelCheck, judged
from cosim.hosting.local_loop import LocalDay, LocalLoop, live_day
from cosim.indices import gain_kept, gini

__all__ = ["Burden", "LocalLoop", "burden", "local_check"]

Array = npt.NDArray[np.float64]


def local_check(
    case: HostingCase, rule: str, definition: Definition | None = None, loop: LocalLoop | None = None
) -> Check:
    """Judges a fleet by its day in the minute loop under a rule.

    Parameters
    ----------
    case : HostingCase
    rule : str
        One of `agents.prosumer.RULES`.
    definition : Definition, optional
        Its profile of heat pumps, and the share of PV energy that the rule may curtail.
    loop : LocalLoop, optional

    Raises
    ------
    InputError
        For a rule that there is none of.
    """
    rule_by_name(rule)
    asked = definition or Definition()

    def check(fleet: Fleet) -> LevelCheck:
        try:
            day = live_day(case, fleet, rule, asked.heat_pumps, loop)
        except RunFailure as failure:
            return LevelCheck(False, Stop("collapse", str(failure)), float("nan"), {}, float("nan"), fleet)
        return _judged(case, fleet, day, asked.curtailment)

    return check


def _judged(case: HostingCase, fleet: Fleet, day: LocalDay, allowed: float) -> LevelCheck:
    return judged(case.with_inputs(day.inputs), fleet, day.p_kw, day.q_kvar, day.curtailed_share, allowed)


@dataclass(frozen=True)
class Burden:
    """What a rule takes from whom, on one day.

    Attributes
    ----------
    check : LevelCheck
        Of the fleet under the rule.
    rows : DataFrame
        Of the rows with PV or batteries: ``row, bus, distance_ohm, pv_kw, battery_kw, gain`` (cost without the two less
        cost with them and no rule), ``lost`` (what the rule adds to the cost) [currency], ``gain_kept_percent``,
        ``curtailed_share``.
    measures : dict of str to float
        ``gain, lost`` [currency] of all, ``kept_percent`` of all together, ``gini_kept`` and ``gini_curtailed`` of the
        rows, ``worst_tenth_percent`` and ``spread_points`` (gain kept, head less end of the feeder), and
        ``rank_correlation`` of gain kept with distance; NaN where they are not defined.
    """

    check: LevelCheck
    rows: pd.DataFrame
    measures: dict[str, float]


def burden(
    case: HostingCase, fleet: Fleet, rule: str, definition: Definition | None = None, loop: LocalLoop | None = None
) -> Burden:
    """What a rule takes from whom: the day under it beside the same day under none.

    Raises
    ------
    RunFailure
        Where a control step of either day has no usable power flow.
    """
    asked = definition or Definition()
    ruled, free = (live_day(case, fleet, name, asked.heat_pumps, loop) for name in (rule, "none"))
    idle = _cost_without_devices(fleet, free, loop or LocalLoop())
    owns = (fleet.pv_kw > 0) | (fleet.battery_kw > 0)
    kept = gain_kept(ruled.cost, free.cost, idle)
    step_h = ruled.inputs.step_h
    possible = fleet.pv_kw * float(ruled.inputs.pv_share.sum()) * step_h
    curtailed = ruled.p_curtailed_kw.sum(axis=0) * step_h
    rows = pd.DataFrame(
        {
            "row": fleet.names,
            "bus": fleet.bus,
            "distance_ohm": ruled.distance_ohm,
            "pv_kw": fleet.pv_kw,
            "battery_kw": fleet.battery_kw,
            "gain": idle - free.cost,
            "lost": ruled.cost - free.cost,
            "gain_kept_percent": kept,
            "curtailed_share": np.divide(curtailed, possible, out=np.zeros(len(fleet)), where=possible > 0),
        }
    )[owns].reset_index(drop=True)
    return Burden(_judged(case, fleet, ruled, asked.curtailment), rows, _measures(rows))


def _cost_without_devices(fleet: Fleet, free: LocalDay, loop: LocalLoop) -> Array:
    """Cost of each row's load, cars and heat pumps alone: its power at the meter without PV and battery."""
    n = len(fleet)
    p_kw = free.run.column("p_load_kw")[:, :n]
    bought, sold = np.maximum(p_kw, 0.0), np.maximum(-p_kw, 0.0)
    price = free.inputs.price[:, None]
    found: Array = ((bought - loop.kappa * sold) * price).sum(axis=0) * free.inputs.step_h
    return found


def _measures(rows: pd.DataFrame) -> dict[str, float]:
    kept, distance = rows["gain_kept_percent"].to_numpy(float), rows["distance_ohm"].to_numpy(float)
    known = kept[np.isfinite(kept)]
    several, nan = len(known) > 1, float("nan")
    gain, lost = float(rows["gain"].sum()), float(rows["lost"].sum())
    return {
        "gain": gain,
        "lost": lost,
        "kept_percent": 100 * (1 - lost / gain) if gain > 0 else nan,
        "gini_kept": signed_gini(known) if several else nan,
        "gini_curtailed": gini(rows["curtailed_share"].to_numpy(float)) if len(rows) > 1 else nan,
        "worst_tenth_percent": worst_tenth(kept) if several else nan,
        "spread_points": head_to_end(kept, distance) if several else nan,
        "rank_correlation": rank_correlation(kept, distance) if several else nan,
    }
