"""The ratings of a battery."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from feeders.errors import InputError

__all__ = ["Battery"]


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
    self_discharge_per_h : float
        Share per hour that the energy above `energy_min_kwh` loses, in [0, 1); see `agents.prosumer.self_discharge`.

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
    self_discharge_per_h: float = 0.0

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
        if not 0 <= self.self_discharge_per_h < 1:
            raise InputError("battery", "self_discharge_per_h", self.self_discharge_per_h, "a number >= 0 and < 1")

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
        self_discharge_per_h: float = 0.0,
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
            self_discharge_per_h=self_discharge_per_h,
        )
