"""The loop over the market steps of a year in which stores serve, compiled."""

from __future__ import annotations

from agents.prosumer.store_priority import BATTERY, TES, decide, fill_room
from agents.prosumer.year_arrays import Books, Branches, Columns, Homes, State
from feeders.compiled import compiled

__all__ = ["book", "prepare", "run_until_limit"]

_ROUNDING = 1e-9  # share of a limit, and kW, by which a sum may be beyond it


@compiled
def prepare(t: int, homes: Homes, columns: Columns, state: State) -> None:
    """Write net power, COP and room of step t."""
    for i in range(state.p_net_kw.size):
        heat_kw = columns.heat_kw[t, i] / columns.cop[t]
        state.p_net_kw[i] = columns.p_load_kw[t, i] + columns.p_ev_kw[t, i] - columns.p_pv_kw[t, i] + heat_kw
        state.cop[i] = columns.cop[t]
    fill_room(
        state.battery_kwh,
        state.tes_kwh,
        homes.battery_kwh,
        homes.battery_kw,
        homes.tes_kwh,
        homes.hp_kw,
        columns.heat_kw[t],
        state.cop,
        columns.heat_cap[t],
        homes.step_h,
        state.room_kw,
    )


@compiled
def book(t: int, homes: Homes, columns: Columns, state: State, books: Books) -> None:
    """Let the stores do what was decided for step t, and write it down."""
    total_kw = 0.0
    for i in range(state.p_net_kw.size):
        battery_kw, tes_kw = state.p_stores_kw[BATTERY, i], state.p_stores_kw[TES, i]
        meter_kw = state.p_net_kw[i] + battery_kw + tes_kw
        q_tes_kw = tes_kw * columns.cop[t]
        battery_kwh = state.battery_kwh[i] + battery_kw * homes.step_h
        tes_kwh = state.tes_kwh[i] + q_tes_kw * homes.step_h
        # The extremes are kept before what rounding leaves beyond them is cut.
        books.low_kwh[BATTERY, i] = min(books.low_kwh[BATTERY, i], battery_kwh)
        books.high_kwh[BATTERY, i] = max(books.high_kwh[BATTERY, i], battery_kwh)
        books.low_kwh[TES, i] = min(books.low_kwh[TES, i], tes_kwh)
        books.high_kwh[TES, i] = max(books.high_kwh[TES, i], tes_kwh)
        state.battery_kwh[i] = min(max(battery_kwh, 0.0), homes.battery_kwh[i])
        state.tes_kwh[i] = min(max(tes_kwh, 0.0), homes.tes_kwh[i])
        total_kw += meter_kw
        books.p_station_kw[t, homes.station[i]] += meter_kw
        energy_kwh = meter_kw * homes.step_h
        if meter_kw > 0.0:
            books.import_kwh[i] += energy_kwh
            books.cost[i] += energy_kwh * columns.price_buy[t]
        else:
            books.export_kwh[i] -= energy_kwh
            books.cost[i] += energy_kwh * columns.price_sell[t]
        if books.p_meter_kw.shape[0] > 0:
            books.p_battery_kw[t, i], books.q_tes_kw[t, i], books.p_meter_kw[t, i] = battery_kw, q_tes_kw, meter_kw
    books.p_region_kw[t] = total_kw


@compiled
def _binds(state: State, branches: Branches) -> bool:
    """Whether the sum of the homes behind a branch is beyond its limit."""
    for row in range(branches.p_max_kw.size):
        total_kw = 0.0
        for place in range(branches.first[row], branches.first[row + 1]):
            i = branches.home[place]
            total_kw += state.p_net_kw[i] + state.p_stores_kw[BATTERY, i] + state.p_stores_kw[TES, i]
        if abs(total_kw) > branches.p_max_kw[row] * (1.0 + _ROUNDING) + _ROUNDING:
            return True
    return False


@compiled
def run_until_limit(first: int, homes: Homes, columns: Columns, state: State, books: Books, branches: Branches) -> int:
    """Live the steps from `first` on by the closed form; the first one in which a branch limit binds, else T.

    That step is prepared and decided, but not booked.
    """
    for t in range(first, columns.cop.size):
        prepare(t, homes, columns, state)
        decide(
            state.p_net_kw,
            state.room_kw,
            homes.for_region,
            columns.charge_from_grid[t],
            columns.station_cap_kw[t],
            columns.hold[t],
            state.p_stores_kw,
        )
        if branches.p_max_kw.size > 0 and _binds(state, branches):
            return t
        book(t, homes, columns, state, books)
    return columns.cop.size
