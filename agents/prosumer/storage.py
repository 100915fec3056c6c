"""What a battery can do in one step, and what it holds afterwards; written for arrays, compiled for one prosumer."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from agents.prosumer.self_discharge import decays

__all__ = ["energy_after", "reachable_power", "step_energy", "step_powers"]

Array = npt.NDArray[np.float64]


def reachable_power(
    energy_kwh: Array,
    step_h: float,
    energy_min_kwh: Array,
    energy_max_kwh: Array,
    p_charge_max_kw: Array,
    p_discharge_max_kw: Array,
    efficiency_charge: Array,
    efficiency_discharge: Array,
    self_discharge_per_h: Array | float = 0.0,
) -> tuple[Array, Array]:
    """Lowest and highest AC power that batteries can hold for one step; arrays of shape (n,)::

        s_hi = min(delta_max, (b_max - b') / gain) / eta_ch
        s_lo = max(delta_min, (b_min - b') / gain) * eta_dis

    where b' is what the energy b would be after the step at rest, and gain the energy stored per power, see
    `agents.prosumer.self_discharge`; without self-discharge b and h.

    Standing still is always possible: ``s_lo <= 0 <= s_hi``, also where rounding has left the energy a hair
    outside its bounds. Such a battery is not moved back in, since that would make or destroy energy;
    it only cannot go further out. So the excursion stays that of a single rounding.

    Parameters
    ----------
    energy_kwh : array
        Stored energy b at the start of the step.
    step_h : float
        Length h of the step [h].
    energy_min_kwh, energy_max_kwh, p_charge_max_kw, p_discharge_max_kw : array
        Ratings, as in `Battery`.
    efficiency_charge, efficiency_discharge, self_discharge_per_h : array
        As in `Battery`.

    Returns
    -------
    p_lo_kw, p_hi_kw : array
        AC power, > 0 charging.
    """
    ramps = p_charge_max_kw, p_discharge_max_kw, efficiency_charge, efficiency_discharge
    return step_powers(energy_kwh, *decays(self_discharge_per_h, step_h), energy_min_kwh, energy_max_kwh, *ramps)


def step_powers(
    energy_kwh: Array,
    lost: Array | float,
    gain: Array | float,
    energy_min_kwh: Array,
    energy_max_kwh: Array,
    p_charge_max_kw: Array,
    p_discharge_max_kw: Array,
    efficiency_charge: Array,
    efficiency_discharge: Array,
) -> tuple[Array, Array]:
    """As `reachable_power`, with what `decay` gives for the step."""
    stock_kwh = np.maximum(energy_kwh - energy_min_kwh, 0.0)
    room_kw = np.maximum(energy_max_kwh - energy_kwh + lost * stock_kwh, 0.0) / gain
    stock_kw = (1.0 - lost) * stock_kwh / gain
    highest = np.minimum(p_charge_max_kw, room_kw) / efficiency_charge
    lowest = -np.minimum(p_discharge_max_kw, stock_kw) * efficiency_discharge
    return lowest, highest


def energy_after(
    energy_kwh: Array,
    p_ac_kw: Array,
    step_h: float,
    efficiency_charge: Array,
    efficiency_discharge: Array,
    self_discharge_per_h: Array | float = 0.0,
    energy_min_kwh: Array | float = 0.0,
) -> Array:
    """Stored energy [kWh] after one step at an AC power (> 0 charging); arrays of shape (n,)::

        b + gain * (s * eta_ch  if s > 0 else  s / eta_dis) - lost * (b - b_min)

    with gain and lost as in `agents.prosumer.self_discharge`: the step's length h, and 0, without self-discharge.
    The result is not clipped to the battery's bounds: what goes in is what is stored, so that a ledger of
    energy closes. A power within `reachable_power` leaves the bounds by rounding alone, some 1e-15 kWh.
    """
    lost, gain = decays(self_discharge_per_h, step_h)
    return step_energy(energy_kwh, p_ac_kw, lost, gain, efficiency_charge, efficiency_discharge, energy_min_kwh)


def step_energy(
    energy_kwh: Array,
    p_ac_kw: Array,
    lost: Array | float,
    gain: Array | float,
    efficiency_charge: Array,
    efficiency_discharge: Array,
    energy_min_kwh: Array | float,
) -> Array:
    """As `energy_after`, with what `decay` gives for the step."""
    stored_kw = np.maximum(p_ac_kw, 0.0) * efficiency_charge + np.minimum(p_ac_kw, 0.0) / efficiency_discharge
    after: Array = energy_kwh + gain * stored_kw - lost * (energy_kwh - energy_min_kwh)
    return after
