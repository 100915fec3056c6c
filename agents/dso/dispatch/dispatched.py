"""What a coordinated dispatch gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from feeders.flows import Flows, Tightest

__all__ = ["Dispatch", "Operation", "SolveStatus"]

Array = npt.NDArray[np.float64]

SolveStatus = Literal["optimal", "infeasible"]


@dataclass(frozen=True)
class Operation:
    """Power and energy of every device in T steps, for the N rows of a fleet: arrays of shape (T, N).

    Attributes
    ----------
    p_pv_kw, p_curtailed_kw : array
        PV fed in, and what the sun would have allowed beyond.
    p_charge_kw, p_discharge_kw, battery_kwh : array
        Of batteries; energy at the end of each step.
    p_ev_charge_kw, p_ev_discharge_kw, ev_kwh : array
        Of cars.
    p_hp_kw, room_c : array
        Electric power of heat pumps, and temperature at the end of each step (set-point where there is no room).
    q_kvar : array
        Reactive power injected by inverters of PV and batteries.
    """

    p_pv_kw: Array
    p_curtailed_kw: Array
    p_charge_kw: Array
    p_discharge_kw: Array
    battery_kwh: Array
    p_ev_charge_kw: Array
    p_ev_discharge_kw: Array
    ev_kwh: Array
    p_hp_kw: Array
    room_c: Array
    q_kvar: Array

    @property
    def p_kw(self) -> Array:
        """Net active power of each row's devices, > 0 consumed."""
        battery = self.p_charge_kw - self.p_discharge_kw
        found: Array = battery + self.p_ev_charge_kw - self.p_ev_discharge_kw + self.p_hp_kw - self.p_pv_kw
        return found


@dataclass(frozen=True)
class Dispatch(Operation):
    """An operation that a program found, and what the AC power flow says of it.

    Attributes
    ----------
    status : {"optimal", "infeasible"}
        Of the program: "infeasible" where no dispatch keeps within its limits; all arrays are then empty, and flows and
        `tightest` are those of what is least outside, if any.
    x : array, shape (X,)
        First-stage variables, empty without `Sizing`.
    price : array, shape (T, n_buses)
        Nodal price of active power [currency/kWh] in the order of ``feeder.buses``: what one kWh more there costs.
    objective : float
        [currency]; of the program's last round.
    terms : dict of str to float
        Its parts by the names of `Weights`.
    flows : Flows or None
        AC power flow of it; None where there is none.
    tightest : Tightest or None
        What is nearest to its limit in that.
    error_pu : float
        Largest difference between the program's voltages and those of the AC power flow [p.u.].
    passes : int
        Rounds it took.
    n_exclusive : int
        Charging and discharging at once that had to be ruled out, as pairs of step and device.
    seconds : float
    """

    status: SolveStatus
    x: Array
    price: Array
    objective: float
    terms: dict[str, float]
    flows: Flows | None
    tightest: Tightest | None
    error_pu: float
    passes: int
    n_exclusive: int
    seconds: float

    def confirmed(self, tolerance: float = 1e-6) -> bool:
        """Whether the AC power flow of it is inside all limits, but for the tolerance."""
        return self.status == "optimal" and self.tightest is not None and self.tightest.margin >= -tolerance
