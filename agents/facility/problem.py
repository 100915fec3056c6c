"""A facility's planning problem: what it has, what it must meet, what it wants; but not what electricity costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.facility.needs import Ends, Needs, check_ends
from agents.facility.objective import Objective, cost_vector, power_of_two
from agents.facility.plant import Fuel, Plant
from agents.facility.program import Layout, bounds, matrix, row_bounds, tie_weights
from agents.highs import Program
from agents.terms import Terms
from feeders.errors import InputError

__all__ = ["Assembled", "Problem"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Problem:
    """All that a facility plans by, beside the terms.

    Parameters
    ----------
    plant : Plant
    needs : Needs
    ends : mapping of str to Ends
        Of stores by name; one that is not named begins anywhere and ends as it began.
    fuel : Fuel
    objective : Objective
    may_export : bool
        Whether it may export, at the terms' selling price.

    Raises
    ------
    InputError
        For ends that do not fit the stores, or a grid CO2 series of another length than the needs.
    """

    plant: Plant
    needs: Needs
    ends: Mapping[str, Ends] = field(default_factory=dict)
    fuel: Fuel = field(default_factory=Fuel)
    objective: Objective = field(default_factory=Objective)
    may_export: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "ends", check_ends(self.plant, self.ends))
        shape = np.shape(self.objective.grid_co2_kg_per_kwh)
        if shape not in ((), (self.needs.n_steps,)):
            raise InputError("Objective", "grid_co2_kg_per_kwh", shape, f"a number or {self.needs.n_steps} of them")

    def checked(self, terms: Terms) -> Terms:
        """The terms, once they are found usable.

        Raises
        ------
        InputError
            For terms of several customers or another number or length of steps, numbers that are not finite, a
            negative demand price, or where the facility may export a selling price above the buying price.
        """
        n = self.needs.n_steps
        if terms.price_buy.shape != (n, 1) or terms.price_sell.shape != (n, 1):
            raise InputError("terms", "price_buy, price_sell", terms.price_buy.shape, f"shape ({n}, 1)")
        if abs(terms.step_h - self.needs.step_h) > 1e-12:
            raise InputError("terms", "step_h", terms.step_h, f"{self.needs.step_h:g} h, as the needs")
        if terms.demand_window.shape != (len(terms.demand_price), n):
            raise InputError("terms", "demand_window", terms.demand_window.shape, f"shape (D, {n})")
        for name in ("price_buy", "price_sell", "demand_price"):
            if not np.isfinite(values := getattr(terms, name)).all():
                raise InputError("terms", name, float(values[~np.isfinite(values)][0]), "finite numbers")
        if (terms.demand_price < 0).any():
            raise InputError("terms", "demand_price", float(terms.demand_price.min()), "numbers >= 0")
        above = terms.price_sell[:, 0] > terms.price_buy[:, 0]
        if self.may_export and above.any():
            step = int(np.argmax(above))
            found = (float(terms.price_sell[step, 0]), float(terms.price_buy[step, 0]))
            allowed = "a selling price of at most the buying price, where a facility may export"
            raise InputError("terms", f"price_sell, price_buy at {self.needs.time(step)}", found, allowed)
        return terms

    def part(self, first: int, last: int, ends: Mapping[str, Ends]) -> Self:
        """The same over the steps [first, last), with other ends."""
        return replace(
            self,
            needs=self.needs.part(first, last),
            ends=ends,
            objective=self.objective.part(first, last),
        )

    def coarse(self, k: int) -> Self:
        """The same over the means of every k steps, whose number is a multiple of k."""
        return replace(self, needs=self.needs.coarse(k), objective=self.objective.coarse(k))

    def assemble(self, terms: Terms) -> Assembled:
        """Its linear program under checked terms."""
        layout = Layout(self.plant, self.needs.n_steps, len(terms.demand_price))
        rows = matrix(layout, self.needs.step_h, terms.demand_window)
        cost = cost_vector(layout, self.objective, self.fuel, terms)
        program = Program(
            cost,
            *bounds(layout, self.needs, self.ends, self.may_export),
            *row_bounds(layout, self.needs, self.ends, rows.shape[0]),
        )
        return Assembled(layout, rows, program)

    def scaled(self, layout: Layout, cost: Array) -> tuple[Array, float]:
        """Costs as the solver gets them, tie weights added, and their scale."""
        scale = power_of_two(cost, self.needs.step_h, self.plant, layout)
        return scale * cost + tie_weights(layout, self.needs.step_h), scale


@dataclass(frozen=True, eq=False)
class Assembled:
    """A linear program: where its columns are, its matrix, its numbers (costs not scaled, no tie weights)."""

    layout: Layout
    matrix: sparse.csc_array
    program: Program
