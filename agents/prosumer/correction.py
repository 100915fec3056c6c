"""From a planned battery power to what the inverter does: the least curtailment that a rule allows.

The formulas are written for arrays. Compiled, the same lines work on the numbers of one prosumer, and `correct` and
`deliver` take them through all rows without an array in between.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from agents.prosumer.rules import Ranges
from agents.prosumer.self_discharge import decay
from agents.prosumer.storage import energy_after, reachable_power, step_energy, step_powers
from feeders.compiled import compiled

__all__ = [
    "RATINGS",
    "Correction",
    "correct",
    "deliver",
    "energy_after",
    "least_curtailment",
    "reachable_power",
    "reactive_power",
]

Array = npt.NDArray[np.float64]

RATINGS = (
    "energy_min_kwh",
    "energy_max_kwh",
    "p_charge_max_kw",
    "p_discharge_max_kw",
    "efficiency_charge",
    "efficiency_discharge",
    "self_discharge_per_h",
    "inverter_kva",
    "q_per_p",
)
"""Rows of the table of ratings that `correct` takes: those of `Battery`, the inverter's, and tan(acos(pf_min)), which
is infinite where no worst-case power factor is set."""

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
    room = _room_kvar(p_inverter_kw, rating_kva)
    if pf_min is not None:
        by_factor = np.abs(p_inverter_kw) * np.tan(np.arccos(pf_min))
        room = np.where(pf_min > 0, np.minimum(room, by_factor), room)
    return _nearest_to_zero(ranges, room)


def _room_kvar(p_inverter_kw: Array, rating_kva: Array) -> Array:
    room: Array = np.sqrt(np.maximum(rating_kva * rating_kva - p_inverter_kw * p_inverter_kw, 0.0))
    return room


def _nearest_to_zero(ranges: Ranges, room_kvar: Array) -> Array:
    wish = np.minimum(np.maximum(ranges.q_lo_kvar, 0.0), ranges.q_hi_kvar)
    return np.minimum(np.maximum(wish, -room_kvar), room_kvar)


_reachable, _least, _after = compiled(step_powers), compiled(least_curtailment), compiled(step_energy)
_room, _nearest = compiled(_room_kvar), compiled(_nearest_to_zero)


@compiled
def correct(
    p_battery_plan_kw: Array,
    p_pv_kw: Array,
    p_load_kw: Array,
    p_flexible_kw: Array,
    energy_kwh: Array,
    p_lo_kw: Array,
    p_hi_kw: Array,
    q_lo_kvar: Array,
    q_hi_kvar: Array,
    ratings: Array,
    step_h: float,
    p_battery_kw: Array,
    p_curtailed_kw: Array,
    q_inverter_kvar: Array,
    p_meter_kw: Array,
    missed: npt.NDArray[np.bool_],
) -> bool:
    """The formulas above for all rows, into the last five arrays; says whether any row missed its range.

    Arrays have shape (n,), `ratings` (len(RATINGS), n). Power at the meter is load, flexible load and battery less the
    PV that is not spilled.
    """
    any_missed = False
    known, lost, gain = 0.0, 0.0, step_h  # most batteries have the rate of the one before
    for i in range(len(p_pv_kw)):
        lowest, highest, charge, discharge, eta_charge, eta_discharge, rate, rating, q_per_p = ratings[:, i]
        if rate != known:
            known = rate
            lost, gain = decay(rate, step_h)
        lo, hi = _reachable(energy_kwh[i], lost, gain, lowest, highest, charge, discharge, eta_charge, eta_discharge)
        permitted = Ranges(p_lo_kw[i], p_hi_kw[i], q_lo_kvar[i], q_hi_kvar[i])
        done = _least(p_battery_plan_kw[i], p_pv_kw[i], lo, hi, permitted, rating)
        room = _room(done.p_inverter_kw, rating)
        if q_per_p < np.inf:
            room = min(room, abs(done.p_inverter_kw) * q_per_p)
        p_battery_kw[i], p_curtailed_kw[i] = done.p_battery_kw, done.p_curtailed_kw
        q_inverter_kvar[i] = _nearest(permitted, room)
        p_meter_kw[i] = p_load_kw[i] + p_flexible_kw[i] + done.p_battery_kw - (p_pv_kw[i] - done.p_curtailed_kw)
        missed[i] = not done.in_range
        any_missed |= missed[i]
    return any_missed


@compiled
def deliver(
    energy_kwh: Array,
    flexible_owed_kwh: Array,
    p_battery_kw: Array,
    p_flexible_kw: Array,
    ratings: Array,
    step_h: float,
) -> None:
    """Let batteries and flexible loads run for one step: `energy_kwh` and `flexible_owed_kwh` change in place."""
    known, lost, gain = 0.0, 0.0, step_h
    for i in range(len(energy_kwh)):
        flexible_owed_kwh[i] -= step_h * p_flexible_kw[i]
        if ratings[6, i] != known:
            known = ratings[6, i]
            lost, gain = decay(known, step_h)
        eta_charge, eta_discharge, lowest = ratings[4, i], ratings[5, i], ratings[0, i]
        energy_kwh[i] = _after(energy_kwh[i], p_battery_kw[i], lost, gain, eta_charge, eta_discharge, lowest)
