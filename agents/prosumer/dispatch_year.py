"""Many market steps of homes whose stores serve themselves, or the region, under what the operator asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from agents.prosumer.behind_meter import BehindMeter, MeterInputs, Scope
from agents.prosumer.limits import Limits
from agents.prosumer.self_consumption import SCOPES, Asked, Stores
from agents.prosumer.virtual_prices import StepProgram
from agents.prosumer.year_arrays import Books, Columns, Homes, State, branches_of, columns_of, homes_of, state_of
from agents.prosumer.year_loop import book, run_until_limit
from feeders.errors import InputError, InputErrors

if TYPE_CHECKING:
    from agents.dso.relief import Directives

__all__ = ["Dispatch", "dispatch_year"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Dispatch:
    """What n homes behind S stations did in T market steps, metered without losses.

    Attributes
    ----------
    p_region_kw : array, shape (T,)
        Sum of all homes' meters, > 0 imports.
    p_station_kw : array, shape (T, S)
        The same by station.
    import_kwh, export_kwh : array, shape (n,)
        Energy through each home's meter, both >= 0.
    cost : array, shape (n,)
        What it costs at the prices given, 0 without.
    battery_kwh, tes_kwh : array, shape (n,)
        Energy in the stores at the end, electric and thermal.
    soc_low, soc_high : float
        Extremes of the state of charge of all stores over all steps, before rounding is cut; NaN without any store.
    p_battery_kw, q_tes_kw, p_meter_kw : array, shape (T, n), optional
        Where columns were asked for: > 0 charges, charges [kW thermal], imports.
    over_kw : array, shape (T, L), optional
        How far each branch is beyond its limit, where there are limits.
    n_programs : int
        Steps in which one of them was bound to, and that were solved as linear programs.
    """

    p_region_kw: Array
    p_station_kw: Array
    import_kwh: Array
    export_kwh: Array
    cost: Array
    battery_kwh: Array
    tes_kwh: Array
    soc_low: float
    soc_high: float
    p_battery_kw: Array | None = None
    q_tes_kw: Array | None = None
    p_meter_kw: Array | None = None
    over_kw: Array | None = None
    n_programs: int = 0

    @property
    def end(self) -> Stores:
        """The stores after the last step, from which another call may go on."""
        return Stores(self.battery_kwh, self.tes_kwh)


def dispatch_year(
    assets: BehindMeter,
    inputs: MeterInputs,
    directives: Directives,
    scope: Scope = "home",
    limits: Limits | None = None,
    start: Stores | None = None,
    columns: bool = False,
    *,
    price_buy: Array | None = None,
    price_sell: Array | None = None,
) -> Dispatch:
    """Dispatch of all stores, step by step without foresight, as `serve_step` does it.

    Parameters
    ----------
    assets : BehindMeter
    inputs : MeterInputs
        Charging and heat demand as they are served; `Directives.ev_cap_kw` is not looked at here.
    directives : Directives
        What binds stores: ``charge_from_grid`` up to ``station_cap_kw``, ``hold``, and ``heat_cap``, up to which the
        heat pump may charge the thermal store.
    scope : "home" or "region"
        Whom storage serves.
    limits : Limits, optional
        Of branches; a step in which one would be exceeded is solved as a linear program instead
        (`agents.prosumer.virtual_prices`), in which limits are soft: what storage cannot relieve is reported.
    start : Stores, optional
        Energies at the beginning; by default all stores are empty.
    columns : bool
        Whether to keep what each home does in each step: three arrays (T, n).
    price_buy, price_sell : array, shape (T,), optional
        What homes pay for import and get for export [currency/kWh].

    Raises
    ------
    InputError, InputErrors
        For an unknown scope, shapes that do not fit together, energies that stores cannot hold, prices that are not
        finite.
    SolverError
        When HiGHS fails.
    """
    start = Stores.empty(len(assets)) if start is None else start
    _check(assets, inputs, directives, scope, limits, start, price_buy, price_sell)
    n_steps, n = inputs.p_load_kw.shape
    homes, state = homes_of(assets, scope, inputs.step_h), state_of(start)
    rows = columns_of(inputs, directives, price_buy, price_sell)
    books = Books.empty(n_steps, n, int(assets.station.max(initial=-1)) + 1, columns)
    over_kw = None if limits is None else np.zeros((n_steps, len(limits)))
    n_programs = _live(homes, rows, state, books, limits, over_kw)
    capacity_kwh = np.stack([assets.battery_kwh, assets.tes_kwh])
    stores = capacity_kwh > 0
    return Dispatch(
        books.p_region_kw,
        books.p_station_kw,
        books.import_kwh,
        books.export_kwh,
        books.cost,
        state.battery_kwh,
        state.tes_kwh,
        _extreme(np.min, books.low_kwh[stores] / capacity_kwh[stores]),
        _extreme(np.max, books.high_kwh[stores] / capacity_kwh[stores]),
        books.p_battery_kw if columns else None,
        books.q_tes_kw if columns else None,
        books.p_meter_kw if columns else None,
        over_kw,
        n_programs,
    )


def _extreme(of: Callable[[Array], float], soc: Array) -> float:
    return float(of(soc)) if soc.size else float("nan")


def _live(homes: Homes, rows: Columns, state: State, books: Books, limits: Limits | None, over_kw: Array | None) -> int:
    """Live all steps; how many of them needed a linear program."""
    n_programs, n_steps = 0, rows.cop.size
    branches = branches_of(limits)
    t = run_until_limit(0, homes, rows, state, books, branches)
    if t == n_steps or limits is None or over_kw is None:
        return 0
    program = StepProgram(state.p_net_kw.size, "region" if homes.for_region else "home", limits)
    while t < n_steps:
        asked = Asked(1.0, bool(rows.charge_from_grid[t]), float(rows.station_cap_kw[t]), bool(rows.hold[t]))
        state.p_stores_kw[:] = program.solve(state.p_net_kw, state.room_kw, asked)
        over_kw[t] = limits.excess_kw(state.p_net_kw + state.p_stores_kw.sum(axis=0))
        book(t, homes, rows, state, books)
        n_programs += 1
        t = run_until_limit(t + 1, homes, rows, state, books, branches)
    return n_programs


def _check(
    assets: BehindMeter,
    inputs: MeterInputs,
    directives: Directives,
    scope: Scope,
    limits: Limits | None,
    start: Stores,
    price_buy: Array | None,
    price_sell: Array | None,
) -> None:
    problems, (n_steps, n) = [], (len(inputs), len(assets))
    if scope not in SCOPES:
        problems.append(InputError("dispatch", "scope", scope, " or ".join(SCOPES)))
    if inputs.p_load_kw.shape != (n_steps, n):
        problems.append(InputError("dispatch", "inputs", inputs.p_load_kw.shape, f"columns of {n} homes, as assets"))
    if limits is not None and limits.members.shape[1] != n:
        problems.append(InputError("dispatch", "limits.members", limits.members.shape, f"columns of {n} homes"))
    series = {f"directives.{field.name}": getattr(directives, field.name) for field in fields(directives)}
    for name, values in (series | {"price_buy": price_buy, "price_sell": price_sell}).items():
        if values is None:
            continue
        if values.shape != (n_steps,):
            problems.append(InputError("dispatch", name, values.shape, f"one value per step, {n_steps}"))
        elif np.isnan(values).any() or (name.startswith("price") and not np.isfinite(values).all()):
            problems.append(InputError("dispatch", name, float("nan"), "finite values"))
    if problems:
        raise InputErrors(problems)
    start.check(assets)
