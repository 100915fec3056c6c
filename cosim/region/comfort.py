"""Charging and heat as measures leave them, checked for energy that is lost, and what homes notice of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from agents.dso.relief import Directives
from agents.prosumer.behind_meter import MeterInputs
from agents.prosumer.charging import Charging, charge
from agents.prosumer.heat_shift import HeatShift, shift_heat
from cosim.region.case import RegionCase
from feeders.errors import CosimError, InputError

__all__ = ["LIGHT_WH_PER_M2_K", "EnergyLostError", "Served", "comfort", "serve"]

Array = npt.NDArray[np.float64]

LIGHT_WH_PER_M2_K = 50.0
"""Effective heat capacity of a light building by floor area; 90 for a medium, 130 for a heavy one (DIN V 18599-2)."""

KEPT = 1e-9
"""Energy that may be missing by rounding, as a share of what was asked for."""


class EnergyLostError(CosimError):
    """Charging or heat that a measure defers is neither served nor owed in the end.

    Parameters
    ----------
    what : str
        "charging" or "heat".
    home : str
        The home that lost most.
    lost_kwh : float
        Asked for, less what was served and what is owed.
    """

    def __init__(self, what: str, home: str, lost_kwh: float) -> None:
        self.what, self.home, self.lost_kwh = what, home, lost_kwh
        super().__init__(f"{what} of {home}: {lost_kwh:.3g} kWh were neither served nor are they owed in the end")


@dataclass(frozen=True, eq=False)
class Served:
    """What homes use once measures have shifted it.

    Attributes
    ----------
    inputs : MeterInputs
        With charging and heat as they are served.
    charging : Charging
    heat : HeatShift
    """

    inputs: MeterInputs
    charging: Charging
    heat: HeatShift


def serve(case: RegionCase, directives: Directives, makeup_h: float) -> Served:
    """Charge cars and heat homes under the operator's caps.

    Parameters
    ----------
    case : RegionCase
    directives : Directives
        `Directives.ev_cap_kw` and `Directives.heat_cap` are what binds here.
    makeup_h : float
        Hours in which deferred heat is made up for.

    Raises
    ------
    EnergyLostError
        Where what is served and what is owed in the end are not what was asked for.
    """
    inputs, assets, step_h = case.inputs, case.assets, case.inputs.step_h
    charging = charge(case.sessions, assets.ev_kw, directives.ev_cap_kw, step_h)
    heat = shift_heat(inputs.heat_kw, assets.hp_kw, directives.heat_cap, makeup_h, step_h)
    sessions = case.sessions
    asked_kwh = np.zeros(len(assets))
    np.add.at(asked_kwh, sessions.home, sessions.energy_kwh)
    _check_kept("charging", assets.ids, asked_kwh, charging.p_ev_kw.sum(axis=0) * step_h + charging.owed_kwh_end)
    given_kwh = heat.heat_kw.sum(axis=0) * step_h + heat.owed_kwh_end
    _check_kept("heat", assets.ids, inputs.heat_kw.sum(axis=0) * step_h, given_kwh)
    if np.isfinite(directives.ev_cap_kw).any():
        inputs = replace(inputs, p_ev_kw=charging.p_ev_kw)
    if (directives.heat_cap < 1).any():
        inputs = replace(inputs, heat_kw=heat.heat_kw)
    return Served(inputs, charging, heat)


def comfort(case: RegionCase, served: Served, heat_capacity_wh_per_m2_k: float = LIGHT_WH_PER_M2_K) -> pd.DataFrame:
    """What each home goes without and waits for, a home a row.

    The temperature drop is a proxy: the most heat that a home is owed over its heat capacity, one node without the
    losses that a colder home saves, so an upper bound. `LIGHT_WH_PER_M2_K` is the least favourable kind of building.

    Returns
    -------
    DataFrame
        ``ev_missed_kwh``, ``ev_n_missed`` (left without all it was owed; cars that stay too short for their charger
        are among them, without any measure too), ``ev_delay_h`` (mean over all that was asked), ``ev_owed_kwh_end``,
        ``heat_deferred_kwh``, ``heat_owed_max_kwh``, ``heat_delay_h`` (mean over what was deferred),
        ``heat_owed_kwh_end``, ``temperature_drop_k``.

    Raises
    ------
    InputError
        For a heat capacity that is not above 0.
    """
    if not 0 < heat_capacity_wh_per_m2_k < np.inf:
        allowed = "a finite number above 0, in Wh/(m2 K)"
        raise InputError("comfort", "heat_capacity_wh_per_m2_k", heat_capacity_wh_per_m2_k, allowed)
    charging, heat = served.charging, served.heat
    capacity_kwh_per_k = heat_capacity_wh_per_m2_k / 1000 * case.homes["area_m2"].to_numpy(dtype=float)
    columns = {
        "ev_missed_kwh": charging.missed_kwh,
        "ev_n_missed": charging.n_missed,
        "ev_delay_h": charging.delay_h,
        "ev_owed_kwh_end": charging.owed_kwh_end,
        "heat_deferred_kwh": heat.deferred_kwh,
        "heat_owed_max_kwh": heat.owed_max_kwh,
        "heat_delay_h": heat.delay_h,
        "heat_owed_kwh_end": heat.owed_kwh_end,
        "temperature_drop_k": heat.owed_max_kwh / capacity_kwh_per_k,
    }
    return pd.DataFrame(columns, index=pd.Index(case.assets.ids, name="home"))


def _check_kept(what: str, ids: list[str], asked_kwh: Array, kept_kwh: Array) -> None:
    lost_kwh = asked_kwh - kept_kwh
    off = np.abs(lost_kwh) - KEPT * np.maximum(asked_kwh, 1.0)
    if len(off) and not off.max() <= 0:
        row = int(off.argmax())
        raise EnergyLostError(what, ids[row], float(lost_kwh[row]))
