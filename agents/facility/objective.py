"""What a facility's schedule is to minimise: cost, CO2, or a weighted sum of both."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from agents.facility.plant import Fuel, Plant
from agents.facility.program import Layout
from agents.terms import Terms
from feeders.errors import InputError

__all__ = ["Objective", "cost_vector", "objective_value", "power_of_two"]

Array = npt.NDArray[np.float64]

_MEAN_PRICE = 1000.0  # where HiGHS's absolute tolerance is fine enough


@dataclass(frozen=True, eq=False)
class Objective:
    """A weighted sum of cost and CO2: "costs, CO2 emissions, or a linear combination thereof", as the source says::

        minimise  weight_cost * cost / cost_reference + (1 - weight_cost) * CO2 / co2_reference_kg

    The references make the two comparable, for instance the baseline's cost and CO2. With ``weight_cost = 1`` the
    schedule is the cheapest, with 0 that of least CO2.

    Parameters
    ----------
    weight_cost : float
        In [0, 1].
    cost_reference, co2_reference_kg : float
        > 0 [currency] and [kg].
    grid_co2_kg_per_kwh : float or array, shape (T,)
        CO2 of the electricity that is bought; exported electricity earns no credit. 0.5 is an assumption.

    Raises
    ------
    InputError
        For a value out of these ranges.
    """

    weight_cost: float = 1.0
    cost_reference: float = 1.0
    co2_reference_kg: float = 1.0
    grid_co2_kg_per_kwh: float | Array = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.weight_cost <= 1:
            raise InputError("Objective", "weight_cost", self.weight_cost, "a number from 0 to 1")
        for field in ("cost_reference", "co2_reference_kg"):
            if not 0 < (value := getattr(self, field)) < math.inf:
                raise InputError("Objective", field, value, "a finite number above 0")
        grid = np.asarray(self.grid_co2_kg_per_kwh, dtype=np.float64)
        if grid.ndim > 1 or not ((grid >= 0) & (grid < np.inf)).all():
            raise InputError("Objective", "grid_co2_kg_per_kwh", grid, "finite numbers >= 0: one, or one for each step")

    def part(self, first: int, last: int) -> Self:
        """The same over the steps [first, last)."""
        grid = np.asarray(self.grid_co2_kg_per_kwh)
        return replace(self, grid_co2_kg_per_kwh=grid[first:last] if grid.ndim else self.grid_co2_kg_per_kwh)

    def coarse(self, k: int) -> Self:
        """The same over the means of every k steps."""
        grid = np.asarray(self.grid_co2_kg_per_kwh)
        means = grid.reshape(-1, k).mean(axis=1) if grid.ndim else self.grid_co2_kg_per_kwh
        return replace(self, grid_co2_kg_per_kwh=means)

    @property
    def per_currency(self) -> float:
        """Weight of a unit of currency."""
        return self.weight_cost / self.cost_reference

    @property
    def per_kg(self) -> float:
        """Weight of a kg of CO2."""
        return (1.0 - self.weight_cost) / self.co2_reference_kg


def cost_vector(layout: Layout, objective: Objective, fuel: Fuel, terms: Terms) -> Array:
    """Cost of each column, shape (n_columns,), but for starts; the peaks of the layout are those of the terms, or free.

    Parameters
    ----------
    terms : Terms
        Of this customer alone, shape (T, 1).
    """
    step_h, plant = terms.step_h, layout.plant
    currency, kg = objective.per_currency, objective.per_kg
    per_kwh_gas = currency * fuel.price + kg * fuel.co2_kg_per_kwh
    cost = np.zeros(layout.n_columns)
    cost[layout["import"]] = step_h * (
        currency * terms.price_buy[:, 0] + kg * np.asarray(objective.grid_co2_kg_per_kwh)
    )
    cost[layout["export"]] = -step_h * currency * terms.price_sell[:, 0]
    cost[layout["peak"]] = currency * terms.demand_price[:, 0] if len(terms.demand_price) else 0.0
    if plant.boiler:
        cost[layout["boiler"]] = step_h * per_kwh_gas / plant.boiler.efficiency
    for name, generator in plant.generators.items():
        cost[layout[name]] = step_h * (per_kwh_gas / generator.efficiency_electric + currency * generator.om_per_kwh)
    return cost


def objective_value(objective: Objective, cost: float, co2_kg: float) -> float:
    """The weighted sum of a schedule's cost and CO2."""
    return objective.per_currency * cost + objective.per_kg * co2_kg


def power_of_two(cost: Array, step_h: float, plant: Plant, layout: Layout) -> float:
    """What brings the mean cost of a kWh near 1000: a power of two, so that scaling rounds nothing."""
    mean = float(np.abs(cost[layout["import"]]).mean()) / step_h
    if mean == 0.0:
        others = [cost[layout[name]][0] for name in ("boiler", *plant.generators) if name in layout]
        mean = max(others, default=0.0) / step_h
    return math.ldexp(1.0, round(math.log2(_MEAN_PRICE / mean))) if mean > 0 else 1.0
