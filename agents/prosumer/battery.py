"""The battery: its ratings, the power it can still reach, and what a power does to its energy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from feeders.errors import InputError

__all__ = ["Battery", "energy_after", "reachable_power"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Battery:
    """Ratings of one battery; capacity, ramps or both may be zero.

    Parameters
    ----------
    energy_min_kwh, energy_max_kwh : float
        Bounds of the stored energy [kWh].
    p_charge_max_kw, p_discharge_max_kw : float
        Ramps at the battery's side of the converter, both >= 0 [kW].
    efficiency_charge, efficiency_discharge : float
        Energy stored per energy drawn, and energy delivered per energy taken from the store, in (0, 1].

    Raises
    ------
    InputError
        For a value out of these ranges; NaN is out of all of them.
    """

    energy_min_kwh: float
    energy_max_kwh: float
    p_charge_max_kw: float
    p_discharge_max_kw: float
    efficiency_charge: float
    efficiency_discharge: float

    def __post_init__(self) -> None:
        # Written so that NaN fails: every comparison with it is false.
        if not 0 <= self.energy_min_kwh <= self.energy_max_kwh < np.inf:
            bounds = (self.energy_min_kwh, self.energy_max_kwh)
            allowed = "0 <= energy_min_kwh <= energy_max_kwh, finite"
            raise InputError("battery", "energy_min_kwh, energy_max_kwh", bounds, allowed)
        for field, ramp in (
            ("p_charge_max_kw", self.p_charge_max_kw),
            ("p_discharge_max_kw", self.p_discharge_max_kw),
        ):
            if not 0 <= ramp < np.inf:
                raise InputError("battery", field, ramp, "a finite number >= 0")
        for field, efficiency in (
            ("efficiency_charge", self.efficiency_charge),
            ("efficiency_discharge", self.efficiency_discharge),
        ):
            if not 0 < efficiency <= 1:
                raise InputError("battery", field, efficiency, "a number above 0 and at most 1")

    @classmethod
    def from_c_rate(
        cls,
        capacity_kwh: float,
        c_charge: float,
        c_discharge: float,
        *,
        energy_min_kwh: float = 0.0,
        efficiency_charge: float,
        efficiency_discharge: float,
    ) -> Battery:
        """A battery called ``xC-yC``: it fills in 1/x hours and empties in 1/y hours.

        The rates refer to the whole `capacity_kwh`, also where `energy_min_kwh` is kept in reserve.
        """
        return cls(
            energy_min_kwh=energy_min_kwh,
            energy_max_kwh=capacity_kwh,
            p_charge_max_kw=c_charge * capacity_kwh,
            p_discharge_max_kw=c_discharge * capacity_kwh,
            efficiency_charge=efficiency_charge,
            efficiency_discharge=efficiency_discharge,
        )


def reachable_power(
    energy_kwh: Array,
    step_h: float,
    *,
    energy_min_kwh: Array,
    energy_max_kwh: Array,
    p_charge_max_kw: Array,
    p_discharge_max_kw: Array,
    efficiency_charge: Array,
    efficiency_discharge: Array,
) -> tuple[Array, Array]:
    """Lowest and highest AC power that batteries can hold for one step; arrays of shape (n,)::

        s_hi = min(delta_max, (b_max - b) / h) / eta_ch
        s_lo = max(delta_min, (b_min - b) / h) * eta_dis

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
    efficiency_charge, efficiency_discharge : array
        As in `Battery`.

    Returns
    -------
    p_lo_kw, p_hi_kw : array
        AC power, > 0 charging.
    """
    room_kw = np.maximum(energy_max_kwh - energy_kwh, 0.0) / step_h
    stock_kw = np.maximum(energy_kwh - energy_min_kwh, 0.0) / step_h
    highest = np.minimum(p_charge_max_kw, room_kw) / efficiency_charge
    lowest = -np.minimum(p_discharge_max_kw, stock_kw) * efficiency_discharge
    return lowest, highest


def energy_after(
    energy_kwh: Array,
    p_ac_kw: Array,
    step_h: float,
    efficiency_charge: Array,
    efficiency_discharge: Array,
) -> Array:
    """Stored energy [kWh] after one step at an AC power (> 0 charging); arrays of shape (n,)::

        b + h * (s * eta_ch  if s > 0 else  s / eta_dis)

    The result is not clipped to the battery's bounds: what goes in is what is stored, so that a ledger of
    energy closes. A power within `reachable_power` leaves the bounds by rounding alone, some 1e-15 kWh.
    """
    stored_kw = np.where(p_ac_kw > 0, p_ac_kw * efficiency_charge, p_ac_kw / efficiency_discharge)
    after: Array = energy_kwh + step_h * stored_kw
    return after
