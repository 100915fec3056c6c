"""A facility's schedule as a linear program on plain arrays: its columns, its matrix, its numbers.

Per step: import and export at the meter, the output of each piece of equipment, charging and discharging of each
store; per store its energy at the beginning of every step and at the end of the last; per demand window its peak. The
rows are the balances of the carriers, the stores' energies and ends, their charging limits, and ``import <= peak``.
Prices are costs and loads are bounds, so that the matrix is passed once and plans start from the last basis.

**Charging and discharging at once** wastes energy, which pays only where energy has no price or a negative one. With
prices above zero, PV that can be curtailed and heat that can be dumped no binary is needed; `agents.facility.planner`
looks at every answer all the same.

**Ties.** Energy that costs nothing leaves plans of equal cost. Tiny distinct weights, 1e-7 of the mean price, on
charging and discharging, on heat that is dumped and on the sun that is not used choose one of them: the plan with least
throughput that uses the sun where it can and dumps late heat rather than early.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.facility.equipment import Store
from agents.facility.needs import Ends, Needs
from agents.facility.plant import CARRIERS, STORES, Plant

__all__ = ["Layout", "balance_rows", "balance_terms", "bounds", "matrix", "row_bounds", "store_rows", "tie_weights"]

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Entry = tuple[Index, Index, Array | float]

_TIE = 1e-4  # per kWh, where the mean price is about 1000


class Layout:
    """Where everything stands in the columns and rows of the program of one plant.

    Parameters
    ----------
    plant : Plant
        The plant.
    n_steps : int
        Steps T.
    n_windows : int
        Demand windows D.
    """

    def __init__(self, plant: Plant, n_steps: int, n_windows: int) -> None:
        self.plant, self.n_steps, self.n_windows = plant, n_steps, n_windows
        sizes = {name: n_steps for name in flows(plant)}
        for store in plant.stores:
            sizes |= {f"{store}.charge": n_steps, f"{store}.discharge": n_steps, f"{store}.energy": n_steps + 1}
        sizes["peak"] = n_windows
        first = np.concatenate([[0], np.cumsum(list(sizes.values()))])
        self.columns: dict[str, Index] = {name: np.arange(first[k], first[k + 1]) for k, name in enumerate(sizes)}
        self.n_columns = int(first[-1])

    def __getitem__(self, name: str) -> Index:
        return self.columns[name]

    def __contains__(self, name: str) -> bool:
        return name in self.columns

    def of(self, values: Array, name: str) -> Array:
        """The values of a column, zeros of shape (T,) where the plant has none of it."""
        return values[self.columns[name]] if name in self.columns else np.zeros(self.n_steps)


def flows(plant: Plant) -> list[str]:
    """What flows in each step beside the stores: import, export, and the output of what the plant has."""
    made = ("chiller", "absorption", "boiler", "solar", "pv", "fuel_cell", "generator")
    there = [name for name in made if getattr(plant, name) is not None]
    heat = plant.boiler or plant.solar or plant.generators
    return ["import", "export", *there, *(["dump"] if heat else [])]


def balance_terms(plant: Plant) -> dict[str, dict[str, float]]:
    """What each flow gives to (> 0) or takes from each carrier, per kW of it."""
    terms: dict[str, dict[str, float]] = {
        "electricity": {"import": 1.0, "export": -1.0, "pv": 1.0, "fuel_cell": 1.0, "generator": 1.0},
        "cooling": {"chiller": 1.0, "absorption": 1.0},
        "heat": {"boiler": 1.0, "solar": 1.0, "dump": -1.0},
    }
    if plant.chiller:
        terms["electricity"]["chiller"] = -1.0 / plant.chiller.cop
    if plant.absorption:
        terms["heat"]["absorption"] = -1.0 / plant.absorption.cop
    for name, generator in plant.generators.items():
        terms["heat"][name] = generator.heat_per_kwh
    for store, carrier in STORES.items():
        terms[carrier] |= {f"{store}.charge": -1.0, f"{store}.discharge": 1.0}
    return terms


def balance_rows(layout: Layout, carrier: str) -> Index:
    """The rows of a carrier's balance, one for each step."""
    return CARRIERS.index(carrier) * layout.n_steps + np.arange(layout.n_steps)


def matrix(layout: Layout, step_h: float, demand_window: npt.NDArray[np.bool_]) -> sparse.csc_array:
    """The matrix of the program; rows, with s the energy of a store at the beginning of a step::

    supply - use of a carrier                                             =  load      (3T rows)
    s_next - (1 - decay)**h * s - h * (eta_ch * c - d / eta_dis)          =  0         (T for each store)
    eta_ch * c + charge_rate * s                                         <=  charge_rate * capacity
    s_end - s_start                                                       =  what is asked for  (1 for each store)
    import - peak                                                        <=  0         (1 for each step of a window)
    """
    plant, n_rows = layout.plant, len(CARRIERS) * layout.n_steps
    parts: list[Entry] = []
    for carrier, terms in balance_terms(plant).items():
        rows = balance_rows(layout, carrier)
        parts += [(rows, layout[name], weight) for name, weight in terms.items() if name in layout]
    for name, store in plant.stores.items():
        parts += _store_entries(layout, name, store, step_h, n_rows)
        n_rows += 2 * layout.n_steps + 1
    for window, steps in enumerate(demand_window):
        of_window = np.flatnonzero(steps)
        rows = n_rows + np.arange(of_window.size)
        parts += [(rows, layout["import"][of_window], 1.0), (rows, np.full(rows.size, layout["peak"][window]), -1.0)]
        n_rows += rows.size
    row, column = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
    value = np.concatenate([np.broadcast_to(part[2], part[0].shape) for part in parts])
    return sparse.coo_array((value, (row, column)), shape=(n_rows, layout.n_columns)).tocsc()


def _store_entries(layout: Layout, name: str, store: Store, step_h: float, first: int) -> list[Entry]:
    energy, limit = first + np.arange(layout.n_steps), first + layout.n_steps + np.arange(layout.n_steps)
    end = np.array([first + 2 * layout.n_steps])
    charge, discharge, held = (layout[f"{name}.{what}"] for what in ("charge", "discharge", "energy"))
    return [
        (energy, held[1:], 1.0),
        (energy, held[:-1], -store.kept(step_h)),
        (energy, charge, -step_h * store.efficiency_charge),
        (energy, discharge, step_h / store.efficiency_discharge),
        (limit, charge, store.efficiency_charge),
        (limit, held[:-1], store.charge_rate_per_h),
        (end, held[-1:], 1.0),
        (end, held[:1], -1.0),
    ]


def store_rows(layout: Layout) -> dict[str, tuple[Index, int]]:
    """The rows of each store's energies, one for each step, and the row of its end."""
    n, first = layout.n_steps, len(CARRIERS) * layout.n_steps
    places = [first + k * (2 * n + 1) for k in range(len(layout.plant.stores))]
    return {
        name: (place + np.arange(n), place + 2 * n) for name, place in zip(layout.plant.stores, places, strict=True)
    }


def row_bounds(layout: Layout, needs: Needs, ends: Mapping[str, Ends], n_rows: int) -> tuple[Array, Array]:
    """Bounds of the rows of `matrix`."""
    load = [needs.load_kw(carrier) for carrier in CARRIERS]
    lower, upper = list(load), list(load)
    n = layout.n_steps
    for name, store in layout.plant.stores.items():
        room = store.charge_rate_per_h * store.capacity_kwh
        least, most = _gain(ends[name])
        lower += [np.zeros(n), np.full(n, -np.inf), np.array([least])]
        upper += [np.zeros(n), np.full(n, room), np.array([most])]
    n_peak = n_rows - sum(map(len, lower))
    lower.append(np.full(n_peak, -np.inf))
    upper.append(np.zeros(n_peak))
    return np.concatenate(lower), np.concatenate(upper)


def _gain(end: Ends) -> tuple[float, float]:
    """Bounds of what a store holds more at the end than at the beginning."""
    if end.end_kwh == "start":
        return 0.0, 0.0
    if end.start_kwh is None or isinstance(end.end_kwh, str):
        return -np.inf, np.inf
    return (gain := end.end_kwh - end.start_kwh), gain


def bounds(layout: Layout, needs: Needs, ends: Mapping[str, Ends], may_export: bool) -> tuple[Array, Array]:
    """Bounds of the columns, without what is committed: any generator may have any power up to its rating."""
    plant = layout.plant
    lower, upper = np.zeros(layout.n_columns), np.full(layout.n_columns, np.inf)
    if not may_export:
        upper[layout["export"]] = 0.0
    for name in ("chiller", "absorption", "boiler", "fuel_cell", "generator"):
        if name in layout:
            upper[layout[name]] = getattr(plant, name).rating_kw
    if plant.pv:
        upper[layout["pv"]] = plant.pv.rating_kw * needs.pv_per_kw
    if plant.solar:
        upper[layout["solar"]] = plant.solar.rating_kw * needs.solar_per_kw
    for name, store in plant.stores.items():
        held, end = layout[f"{name}.energy"], ends[name]
        lower[held], upper[held] = store.energy_min_kwh, store.capacity_kwh
        upper[layout[f"{name}.discharge"]] = store.discharge_max_kw
        if end.start_kwh is not None:
            lower[held[0]] = upper[held[0]] = end.start_kwh
    return lower, upper


def tie_weights(layout: Layout, step_h: float) -> Array:
    """Costs that choose among plans of equal cost, shape (n_columns,), where the mean price is about 1000."""
    ties = np.zeros(layout.n_columns)
    step = np.arange(1, layout.n_steps + 1)
    spread = np.modf(step * np.sqrt(2))[0]
    for name in chain.from_iterable((f"{store}.charge", f"{store}.discharge") for store in layout.plant.stores):
        ties[layout[name]] = _TIE * step_h * (1.0 + 0.5 * spread)
    for name, sign in (("dump", 1.0), ("pv", -1.0), ("solar", -1.0)):
        if name in layout:
            late = 1.0 + np.modf(step * np.sqrt(3))[0] - step / layout.n_steps
            ties[layout[name]] = sign * _TIE * step_h * 0.1 * late
    return ties
