"""From a planned battery power to what the inverter does: the least curtailment that a rule allows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from agents.prosumer.rules import Ranges

__all__ = ["Correction", "least_curtailment", "reactive_power"]

Array = npt.NDArray[np.float64]

_TOUCH_KW = 1e-9  # a target missed by less than this is rounding, not a missed range


class Correction(NamedTuple):
    """What the inverter does in one control step, arrays of shape (n,).

    Attributes
    ----------
    p_battery_kw : array
        AC power of the battery, > 0 charging.
    p_curtailed_kw : array
        PV power spilled, between 0 and what is available.
    p_inverter_kw : array
        ``p_battery - (p_pv - p_curtailed)``, > 0 consumed.
    in_range : array of bool
        False where battery and PV together cannot reach the permitted range.
    """

    p_battery_kw: Array
    p_curtailed_kw: Array
    p_inverter_kw: Array
    in_range: npt.NDArray[np.bool_]


def least_curtailment(
    p_battery_plan_kw: Array,
    p_pv_kw: Array,
    p_battery_lo_kw: Array,
    p_battery_hi_kw: Array,
    ranges: Ranges,
    rating_kva: Array,
) -> Correction:
    """Move the inverter into its permitted range of active power while spilling as little PV as possible.

    The closed form of the linear program (8) of Hashmi et al., arXiv 2207.10248::

        minimise c   subject to   s = target + r - c,   s_lo <= s <= s_hi,   0 <= c <= r

    with ``target = clip(clip(s_plan, s_lo, s_hi) - r, max(P_lo, -S), min(P_hi, S))``. Its optimum is
    ``c = max(0, target + r - s_hi)``. Where no c is feasible the battery goes as far as it can: all PV is
    spilled when the range asks for more consumption, none when it asks for less.

    Parameters
    ----------
    p_battery_plan_kw : array
        Planned AC power s of the battery, > 0 charging.
    p_pv_kw : array
        PV power r available, >= 0.
    p_battery_lo_kw, p_battery_hi_kw : array
        AC powers that the battery can reach in this control step.
    ranges : Ranges
        What the rule permits.
    rating_kva : array
        Inverter rating S.
    """
    plan = np.minimum(np.maximum(p_battery_plan_kw, p_battery_lo_kw), p_battery_hi_kw)
    wish = plan - p_pv_kw
    lowest = np.maximum(ranges.p_lo_kw, -rating_kva)
    highest = np.minimum(ranges.p_hi_kw, rating_kva)
    target = np.minimum(np.maximum(wish, lowest), highest)
    # Written as a shift of the plan, so that an inverter that may do as planned does exactly that.
    battery = plan + (target - wish)
    curtailed = np.minimum(np.maximum(battery - p_battery_hi_kw, 0.0), p_pv_kw)
    battery = np.minimum(np.maximum(battery - curtailed, p_battery_lo_kw), p_battery_hi_kw)
    inverter = battery - (p_pv_kw - curtailed)
    return Correction(battery, curtailed, inverter, np.abs(inverter - target) <= _TOUCH_KW)


def reactive_power(ranges: Ranges, p_inverter_kw: Array, rating_kva: Array, pf_min: Array | None = None) -> Array:
    """Reactive power [kvar, > 0 injected]: the permitted value nearest to zero, cut to what active power leaves.

    Active power has priority: ``|q| <= sqrt(S^2 - p^2)``. Where the DSO sets a worst-case power factor,
    ``|q| <= |p| * tan(acos(pf_min))`` as well; a `pf_min` of 0 sets none (Hashmi et al., eq. (6)).
    """
    wish = np.minimum(np.maximum(ranges.q_lo_kvar, 0.0), ranges.q_hi_kvar)
    room = np.sqrt(np.maximum(rating_kva * rating_kva - p_inverter_kw * p_inverter_kw, 0.0))
    if pf_min is not None:
        by_factor = np.abs(p_inverter_kw) * np.tan(np.arccos(pf_min))
        room = np.where(pf_min > 0, np.minimum(room, by_factor), room)
    return np.minimum(np.maximum(wish, -room), room)
