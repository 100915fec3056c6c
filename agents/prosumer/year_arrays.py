"""State, inputs and books of the loop over a year's market steps, as the arrays that compiled code takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from agents.prosumer.behind_meter import BehindMeter, MeterInputs, Scope
from agents.prosumer.limits import Limits
from agents.prosumer.self_consumption import Stores

if TYPE_CHECKING:
    from agents.dso.relief import Directives

__all__ = ["Books", "Branches", "Columns", "Homes", "State", "branches_of", "columns_of", "homes_of", "state_of"]

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]


class Homes(NamedTuple):
    """What n homes own, arrays (n,), and who they serve."""

    battery_kwh: Array
    battery_kw: Array
    tes_kwh: Array
    hp_kw: Array
    station: Integers
    for_region: bool
    step_h: float


class Columns(NamedTuple):
    """Inputs (T, n), and what is the same for all homes (T,)."""

    p_load_kw: Array
    p_pv_kw: Array
    heat_kw: Array
    p_ev_kw: Array
    cop: Array
    heat_cap: Array
    charge_from_grid: Flags
    station_cap_kw: Array
    hold: Flags
    price_buy: Array
    price_sell: Array


class State(NamedTuple):
    """Energies of the stores, and the step at hand: net power, room, what stores do [kW electric]."""

    battery_kwh: Array
    tes_kwh: Array
    cop: Array
    p_net_kw: Array
    room_kw: Array
    p_stores_kw: Array


class Books(NamedTuple):
    """What is kept: (T,), (T, S), (n,), lowest and highest energy of battery and thermal store (2, n) each, columns
    (T, n) or (0, n)."""

    p_region_kw: Array
    p_station_kw: Array
    import_kwh: Array
    export_kwh: Array
    cost: Array
    low_kwh: Array
    high_kwh: Array
    p_battery_kw: Array
    q_tes_kw: Array
    p_meter_kw: Array

    @classmethod
    def empty(cls, n_steps: int, n: int, n_stations: int, columns: bool) -> Books:
        """Nothing written yet, of n homes behind S stations; with columns (T, n) or without."""
        kept = (n_steps, n) if columns else (0, n)
        return cls(
            p_region_kw=np.zeros(n_steps),
            p_station_kw=np.zeros((n_steps, n_stations)),
            import_kwh=np.zeros(n),
            export_kwh=np.zeros(n),
            cost=np.zeros(n),
            low_kwh=np.full((2, n), np.inf),
            high_kwh=np.full((2, n), -np.inf),
            p_battery_kw=np.empty(kept),
            q_tes_kw=np.empty(kept),
            p_meter_kw=np.empty(kept),
        )


class Branches(NamedTuple):
    """Homes behind L branches: `home[first[l]:first[l + 1]]`, and the most that may flow [kW]."""

    first: Integers
    home: Integers
    p_max_kw: Array


def homes_of(assets: BehindMeter, scope: Scope, step_h: float) -> Homes:
    """Assets as the loop takes them."""
    return Homes(
        _floats(assets.battery_kwh),
        _floats(assets.battery_kw),
        _floats(assets.tes_kwh),
        _floats(assets.hp_kw),
        np.ascontiguousarray(assets.station, dtype=np.int64),
        scope == "region",
        float(step_h),
    )


def state_of(start: Stores) -> State:
    """Stores at the beginning, and room for a step."""
    n = len(start.battery_kwh)
    return State(
        np.array(start.battery_kwh, dtype=float),
        np.array(start.tes_kwh, dtype=float),
        np.empty(n),
        np.empty(n),
        np.empty((4, n)),
        np.empty((2, n)),
    )


def columns_of(
    inputs: MeterInputs, directives: Directives, price_buy: Array | None, price_sell: Array | None
) -> Columns:
    """Inputs and directives as the loop takes them; prices are 0 where there are none."""
    free = np.zeros(len(inputs))
    return Columns(
        _floats(inputs.p_load_kw),
        _floats(inputs.p_pv_kw),
        _floats(inputs.heat_kw),
        _floats(inputs.p_ev_kw),
        _floats(inputs.cop),
        _floats(directives.heat_cap),
        np.ascontiguousarray(directives.charge_from_grid, dtype=np.bool_),
        _floats(directives.station_cap_kw),
        np.ascontiguousarray(directives.hold, dtype=np.bool_),
        free if price_buy is None else _floats(price_buy),
        free if price_sell is None else _floats(price_sell),
    )


def _floats(values: Array) -> Array:
    """As compiled loops take it, without a copy where it is so."""
    return np.ascontiguousarray(values, dtype=float)


def branches_of(limits: Limits | None) -> Branches:
    """Members of limits, one branch after the other; no branch without limits."""
    if limits is None:
        return Branches(np.zeros(1, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0))
    first = np.append(0, np.cumsum(limits.members.sum(axis=1)))
    return Branches(first.astype(np.int64), np.nonzero(limits.members)[1].astype(np.int64), _floats(limits.p_max_kw))
