"""What is drawn: plain columns, whoever they come from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["FeederState", "HomeDay", "Homes"]

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class FeederState:
    """A feeder at one moment.

    Attributes
    ----------
    vm_pu : array, shape (n_buses,)
        Voltage magnitudes [p.u.] in the order of ``feeder.buses``; NaN without supply.
    line_loading : array, shape (n_lines,)
        Share of the rating, 1 for full, in the order of ``net.line``; NaN without a rating or out of service.
    trafo_loading : array, shape (n_trafos,)
        Likewise of ``net.trafo``.
    """

    vm_pu: Array
    line_loading: Array
    trafo_loading: Array


@dataclass(frozen=True)
class Homes:
    """The prosumers of a feeder at one moment; arrays of shape (n,), means over the last market step.

    Attributes
    ----------
    names : list of str
    place : array of int
        Position of each one's bus in ``feeder.buses``.
    distance_ohm : array
        Electrical distance of that bus [ohm].
    vm_pu : array
        Voltage there [p.u.].
    p_meter_kw : array
        Power at the meter, > 0 import.
    p_battery_kw : array
        > 0 charging.
    p_pv_kw, p_curtailed_kw : array
        What the sun offers, and how much of it is spilled.
    energy_kwh, capacity_kwh : array
        In the battery, and its size; 0 where there is none.
    """

    names: list[str]
    place: npt.NDArray[np.int64]
    distance_ohm: Array
    vm_pu: Array
    p_meter_kw: Array
    p_battery_kw: Array
    p_pv_kw: Array
    p_curtailed_kw: Array
    energy_kwh: Array
    capacity_kwh: Array

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class HomeDay:
    """One prosumer's day so far: what it planned, what was delivered; arrays over the market steps of the whole day.

    NaN in steps that have not been lived yet, but in prices and plans, which are of all steps; plans are NaN in steps
    that have been. Means over each market step but for the voltages' extremes, and the energy at its end.

    Attributes
    ----------
    name : str
    hours : array, shape (n,)
        Beginnings of the steps, hours of the local day.
    step_h : float
        Length of a step [h].
    p_battery_kw, p_flexible_kw, p_meter_kw, p_pv_kw, p_curtailed_kw : array, shape (n,)
        Delivered; battery > 0 charging, meter > 0 import, the last two magnitudes.
    p_battery_planned_kw : array, shape (n,)
        What each step's plan asked of the battery in steps that have been lived, before the rule corrected it.
    p_battery_ahead_kw, p_flexible_ahead_kw : array, shape (n,)
        What the plan holds for steps to come.
    energy_kwh : array, shape (n,)
    vm_pu, vm_least_pu, vm_largest_pu : array, shape (n,)
        Mean voltage of each step, its least and its largest sample [p.u.].
    price_buy, price_sell : array, shape (n,)
        [currency/kWh].
    """

    name: str
    hours: Array
    step_h: float
    p_battery_kw: Array
    p_flexible_kw: Array
    p_meter_kw: Array
    p_pv_kw: Array
    p_curtailed_kw: Array
    p_battery_planned_kw: Array
    p_battery_ahead_kw: Array
    p_flexible_ahead_kw: Array
    energy_kwh: Array
    vm_pu: Array
    vm_least_pu: Array
    vm_largest_pu: Array
    price_buy: Array
    price_sell: Array

    def lived(self) -> Flags:
        """Steps that have been lived."""
        return np.isfinite(self.vm_pu)
