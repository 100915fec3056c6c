"""The order in which stores serve, compiled: who charges and who is discharged in one market step, in closed form.

See `agents.prosumer.self_consumption` for the order and where it comes from. All powers here are electric, those of
thermal stores too: heat divided by the COP.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from feeders.compiled import compiled

__all__ = ["BATTERY", "BATTERY_IN", "BATTERY_OUT", "TES", "TES_IN", "TES_OUT", "decide", "fill_room"]

Array = npt.NDArray[np.float64]

BATTERY, TES = 0, 1
"""Rows of what stores do [kW electric], > 0 charges."""

BATTERY_IN, TES_IN, BATTERY_OUT, TES_OUT = range(4)
"""Rows of their room: the most they may be charged or discharged with in a step [kW electric], all >= 0."""

_OWN_BATTERY, _GRID_BATTERY, _OWN_TES, _GRID_TES = range(4)  # tiers, the dearest first


@compiled
def fill_room(
    battery_kwh: Array,
    tes_kwh: Array,
    battery_max_kwh: Array,
    battery_max_kw: Array,
    tes_max_kwh: Array,
    hp_max_kw: Array,
    heat_kw: Array,
    cop: Array,
    heat_cap: float,
    step_h: float,
    room_kw: Array,
) -> None:
    """Write the room of n homes' stores into `room_kw`, shape (4, n).

    A battery is limited by its power and by what it holds or lacks; a thermal store charges with what the heat pump can
    give beyond the demand, and is discharged into the demand alone. Arrays of shape (n,); heat in kW and kWh thermal.
    """
    per_h = 1.0 / step_h  # multiplied with: dividing takes longer
    for i in range(heat_kw.size):
        per_cop = 1.0 / cop[i]
        room_kw[BATTERY_IN, i] = max(min(battery_max_kw[i], (battery_max_kwh[i] - battery_kwh[i]) * per_h), 0.0)
        room_kw[BATTERY_OUT, i] = max(min(battery_max_kw[i], battery_kwh[i] * per_h), 0.0)
        spare_kw = heat_cap * hp_max_kw[i] - heat_kw[i]
        room_kw[TES_IN, i] = max(min(spare_kw, (tes_max_kwh[i] - tes_kwh[i]) * per_h), 0.0) * per_cop
        room_kw[TES_OUT, i] = max(min(heat_kw[i], tes_kwh[i] * per_h), 0.0) * per_cop


@compiled
def decide(
    p_net_kw: Array,
    room_kw: Array,
    for_region: bool,
    charge_from_grid: bool,
    station_cap_kw: float,
    hold: bool,
    p_stores_kw: Array,
) -> None:
    """Write what stores do into `p_stores_kw`, shape (2, n).

    From net power (n,) with them at rest and their room (4, n); the rest as `Asked`.
    """
    if charge_from_grid:
        # Load that is above the cap already leaves no room; nothing is discharged for it.
        headroom_kw = max(station_cap_kw - p_net_kw.sum(), 0.0)
        if for_region:
            left_kw = _shared(headroom_kw, room_kw, BATTERY_IN, p_stores_kw, BATTERY, 1.0)
            _shared(left_kw, room_kw, TES_IN, p_stores_kw, TES, 1.0)
        else:
            _fill_tiers(p_net_kw, room_kw, headroom_kw, p_stores_kw)
    elif for_region:
        _serve_region(p_net_kw.sum(), room_kw, hold, p_stores_kw)
    else:
        _serve_homes(p_net_kw, room_kw, hold, p_stores_kw)


@compiled
def _serve_homes(p_net_kw: Array, room_kw: Array, hold: bool, p_stores_kw: Array) -> None:
    for i in range(p_net_kw.size):
        battery_kw, tes_kw = 0.0, 0.0
        if p_net_kw[i] <= 0.0:
            battery_kw = min(-p_net_kw[i], room_kw[BATTERY_IN, i])
            tes_kw = min(-p_net_kw[i] - battery_kw, room_kw[TES_IN, i])
        elif not hold:
            tes_kw = -min(p_net_kw[i], room_kw[TES_OUT, i])
            battery_kw = -min(p_net_kw[i] + tes_kw, room_kw[BATTERY_OUT, i])
        p_stores_kw[BATTERY, i], p_stores_kw[TES, i] = battery_kw, tes_kw


@compiled
def _serve_region(total_kw: float, room_kw: Array, hold: bool, p_stores_kw: Array) -> None:
    if total_kw <= 0.0:
        left_kw = _shared(-total_kw, room_kw, BATTERY_IN, p_stores_kw, BATTERY, 1.0)
        _shared(left_kw, room_kw, TES_IN, p_stores_kw, TES, 1.0)
    else:
        wanted_kw = 0.0 if hold else total_kw
        left_kw = _shared(wanted_kw, room_kw, TES_OUT, p_stores_kw, TES, -1.0)
        _shared(left_kw, room_kw, BATTERY_OUT, p_stores_kw, BATTERY, -1.0)


@compiled
def _shared(wanted_kw: float, room_kw: Array, side: int, p_stores_kw: Array, store: int, sign: float) -> float:
    """Let stores of one kind take up to `wanted_kw` in proportion to their room; what is left of it."""
    possible_kw = room_kw[side].sum()
    share = 1.0 if wanted_kw >= possible_kw else wanted_kw / possible_kw
    for i in range(room_kw.shape[1]):
        p_stores_kw[store, i] = sign * share * room_kw[side, i]
    return max(wanted_kw - float(possible_kw), 0.0)


@compiled
def _fill_tiers(p_net_kw: Array, room_kw: Array, headroom_kw: float, p_stores_kw: Array) -> None:
    possible_kw = np.zeros(4)
    for i in range(p_net_kw.size):
        for tier in range(4):
            possible_kw[tier] += _tier(tier, p_net_kw[i], room_kw[BATTERY_IN, i], room_kw[TES_IN, i])
    share = np.ones(4)
    left_kw = headroom_kw
    for tier in range(4):
        if left_kw < possible_kw[tier]:
            share[tier] = left_kw / possible_kw[tier]
        left_kw = max(left_kw - possible_kw[tier], 0.0)
    for i in range(p_net_kw.size):
        net_kw, battery_kw, tes_kw = p_net_kw[i], room_kw[BATTERY_IN, i], room_kw[TES_IN, i]
        p_stores_kw[BATTERY, i] = share[_OWN_BATTERY] * _tier(_OWN_BATTERY, net_kw, battery_kw, tes_kw)
        p_stores_kw[BATTERY, i] += share[_GRID_BATTERY] * _tier(_GRID_BATTERY, net_kw, battery_kw, tes_kw)
        p_stores_kw[TES, i] = share[_OWN_TES] * _tier(_OWN_TES, net_kw, battery_kw, tes_kw)
        p_stores_kw[TES, i] += share[_GRID_TES] * _tier(_GRID_TES, net_kw, battery_kw, tes_kw)


@compiled
def _tier(tier: int, p_net_kw: float, battery_kw: float, tes_kw: float) -> float:
    """What a home can add to a tier, from its net power and the room of its battery and thermal store."""
    own_battery_kw = min(max(-p_net_kw, 0.0), battery_kw)
    own_tes_kw = min(max(-p_net_kw - battery_kw, 0.0), tes_kw)
    if tier == _OWN_BATTERY:
        return own_battery_kw
    if tier == _GRID_BATTERY:
        return battery_kw - own_battery_kw
    return own_tes_kw if tier == _OWN_TES else tes_kw - own_tes_kw
