"""What homes own behind their meters, and what they use and get over many market steps, as columns.

n homes, T market steps; arrays of shape (T, n) are step-major. Active power > 0 is consumed, PV a magnitude; heat
(``heat_kw``) and thermal stores are in kW and kWh thermal, all else electric.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
import numpy.typing as npt

from feeders.errors import InputError, InputErrors

__all__ = ["BehindMeter", "MeterInputs", "Scope"]

Array = npt.NDArray[np.float64]

Scope = Literal["home", "region"]
"""Whom storage serves: its own home alone, or all homes of the region, as in an optimal power flow of the grid."""


@dataclass(frozen=True)
class BehindMeter:
    """Assets of n homes: arrays of shape (n,), >= 0; 0 where a home has none.

    Attributes
    ----------
    ids : list of str
        Unique names.
    station : array of int
        The station that each home is behind, from 0 on.
    battery_kwh, battery_kw : array
        Battery: capacity, and the most it charges or discharges with.
    tes_kwh : array
        Hot-water storage [kWh thermal].
    hp_kw : array
        The most heat that the heat pump gives [kW thermal].
    ev_kw : array
        Power of the charger.

    Raises
    ------
    InputErrors
        For lengths that differ and values that are negative or not finite, each with the home's name.
    """

    ids: list[str]
    station: npt.NDArray[np.int64]
    battery_kwh: Array
    battery_kw: Array
    tes_kwh: Array
    hp_kw: Array
    ev_kw: Array

    def __post_init__(self) -> None:
        n = len(self.ids)
        problems = []
        for column in fields(self)[1:]:
            values = np.asarray(getattr(self, column.name))
            if values.shape != (n,):
                problems.append(InputError("assets", column.name, values.shape, f"one value per home, {n}"))
            elif not (np.isfinite(values) & (values >= 0)).all():
                row = int(np.argmin(np.isfinite(values) & (values >= 0)))
                problems.append(InputError("assets", f"{self.ids[row]}.{column.name}", values[row].item(), "0 or more"))
        if problems:
            raise InputErrors(problems)

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class MeterInputs:
    """What n homes use and what the sun gives them in T market steps.

    Attributes
    ----------
    p_load_kw : array, shape (T, n)
        Electric load but for heat pump and charger.
    p_pv_kw : array, shape (T, n)
        PV power, >= 0.
    heat_kw : array, shape (T, n)
        Heat demand [kW thermal].
    cop : array, shape (T,)
        Heat per electric energy of all heat pumps.
    p_ev_kw : array, shape (T, n)
        Charging as it is served.
    step_h : float
        Length of a step [h].

    Raises
    ------
    InputErrors
        For shapes that differ, and values that are negative or not finite.
    """

    p_load_kw: Array
    p_pv_kw: Array
    heat_kw: Array
    cop: Array
    p_ev_kw: Array
    step_h: float = 0.25

    def __post_init__(self) -> None:
        shape, problems = self.p_load_kw.shape, []
        for name in ("p_load_kw", "p_pv_kw", "heat_kw", "p_ev_kw"):
            values = getattr(self, name)
            if values.shape != shape:
                problems.append(InputError("inputs", name, values.shape, f"that of p_load_kw, {shape}"))
            elif not (values >= 0).all() or not np.isfinite(values).all():
                problems.append(InputError("inputs", name, float(np.nanmin(values)), "0 or more, and finite"))
        if self.cop.shape != shape[:1] or not (np.isfinite(self.cop) & (self.cop > 0)).all():
            problems.append(InputError("inputs", "cop", self.cop.shape, f"{shape[0]} values above 0"))
        if problems:
            raise InputErrors(problems)

    def __len__(self) -> int:
        return len(self.cop)
