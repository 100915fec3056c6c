"""One facility's schedules, planned again and again: one program, of which a new signal changes the costs alone.

The first plan decides when the generators run (`agents.facility.commitment`), against the terms that it is planned for;
they run so in all later plans, until `release`. So plans differ by what they are planned against and not by where a
search ended, and mixes of them are plans.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.customers import Block
from agents.errors import SolverError
from agents.facility.commitment import Commitment, CommitmentOptions, commit, fix
from agents.facility.exclusive import solve_one_way
from agents.facility.lp import WarmLp
from agents.facility.needs import Ends, Needs
from agents.facility.objective import Objective, cost_vector
from agents.facility.plant import Fuel, Plant
from agents.facility.problem import Assembled, Problem
from agents.facility.program import Layout
from agents.facility.schedule import Costs, Flows, Schedule, StoreUse, count_starts
from agents.facility.shortfall import find_shortfall
from agents.terms import Terms

__all__ = ["FacilityPlanner"]

Array = npt.NDArray[np.float64]


class FacilityPlanner:
    """Plans for one facility.

    Parameters
    ----------
    name : str
        Its name.
    plant : Plant
        What it has.
    needs : Needs
        What it must meet.
    fuel : Fuel, optional
        Price and CO2 of its gas.
    objective : Objective, optional
        What it minimises; by default the cost.
    ends : mapping of str to Ends, optional
        How its stores begin and end; those not named begin anywhere and end as they began.
    may_export : bool
        Whether it may export.
    commitment : CommitmentOptions, optional
        How the search for a commitment goes; None has none: generators run at any power from zero to their rating,
        starts cost nothing.

    Raises
    ------
    InputError
        For ends or a CO2 series that do not fit.
    """

    def __init__(
        self,
        name: str,
        plant: Plant,
        needs: Needs,
        *,
        fuel: Fuel | None = None,
        objective: Objective | None = None,
        ends: Mapping[str, Ends] | None = None,
        may_export: bool = False,
        commitment: CommitmentOptions | None = CommitmentOptions(),  # noqa: B008 - frozen
    ) -> None:
        self.name, self.options = name, commitment
        self.problem = Problem(plant, needs, ends or {}, fuel or Fuel(), objective or Objective(), may_export)
        self.commitment: Commitment | None = None
        self._lp: WarmLp | None = None
        self._assembled: Assembled | None = None
        self._windows = np.zeros((0, needs.n_steps), dtype=bool)

    @property
    def plant(self) -> Plant:
        """What the facility has."""
        return self.problem.plant

    @property
    def needs(self) -> Needs:
        """What it must meet."""
        return self.problem.needs

    def plan(self, terms: Terms) -> Schedule:
        """The best schedule under `terms`, of shape (T, 1); the first one also decides the commitment.

        Demand windows that differ from those of the last plan build the program anew; so does nothing else.

        Raises
        ------
        InputError
            For terms that do not fit, see `Problem.checked`.
        ShortfallError
            When the needs cannot be met; says what is missing, when, and how much.
        SolverError
            When HiGHS fails.
        """
        if self.commitment is None and self._must_commit:
            self.commit(terms)
        return self._plan(terms)

    def commit(self, terms: Terms) -> Commitment:
        """Decide when the generators run, against `terms`; errors as of `plan`."""
        self.release()
        terms = self.problem.checked(terms)
        whole = self.problem.assemble(terms)
        self._solve(whole, self._lp_of(whole))  # whether there is a plan at all
        options = self.options or CommitmentOptions()
        self.commitment = commit(self.problem, terms, options)
        if self._lp_of(whole).solve() is None:  # a short peak or dip that the means of the steps had not
            self.commitment = commit(self.problem, terms, replace(options, step_h=self.needs.step_h))
        return self.commitment

    def release(self) -> None:
        """Forget the commitment, so that the next plan decides it anew."""
        self.commitment = None
        self._lp = None

    def renew(self, needs: Needs) -> None:
        """Plan for other needs from now on, with a commitment of their own.

        Raises
        ------
        InputError
            For needs that do not fit a CO2 series of the objective.
        """
        self.problem = replace(self.problem, needs=needs)
        self._windows = np.zeros((0, needs.n_steps), dtype=bool)
        self.release()

    def costs(self, schedule: Schedule, terms: Terms) -> Costs:
        """What a schedule costs under `terms`, of shape (T, 1)."""
        return schedule.costs(terms, self.problem.fuel, self.problem.objective.grid_co2_kg_per_kwh)

    def block(self, q_per_kw: float = 0.0) -> Block:
        """Its planning problem without a demand charge, generators as committed, stores not told to choose.

        Its costs are in the units of the objective: currency, where that is the cost.
        """
        n = self.needs.n_steps
        free = Terms.of_prices(np.zeros((n, 1)), np.zeros((n, 1)), self.needs.step_h)
        assembled = self.problem.assemble(free)
        layout, p = assembled.layout, assembled.program
        lower, upper = fix(layout, self._on, p.lower, p.upper)

        def at_meter(name: str) -> sparse.csc_array:
            picked = (np.ones(n), (np.arange(n), layout[name]))
            return sparse.coo_array(picked, shape=(n, layout.n_columns)).tocsc()

        return Block(
            program=p._replace(lower=lower, upper=upper),
            matrix=assembled.matrix,
            imports=at_meter("import"),
            exports=at_meter("export"),
            q_fixed_kvar=np.zeros(n),
            q_per_kw=q_per_kw,
            fixed_cost=sum(
                self.plant.generators[name].start_cost * count for name, count in count_starts(self._on).items()
            ),
        )

    def read(self, values: Array, loss_bound: float = 0.0) -> Schedule:
        """The schedule that a solution of `block` is, or one of a program with demand windows."""
        extra = values.size - Layout(self.plant, self.needs.n_steps, 0).n_columns
        layout = Layout(self.plant, self.needs.n_steps, extra)
        names = ("import", "export", "chiller", "absorption", "boiler", "solar", "dump", "pv", "fuel_cell", "generator")
        stores = {
            name: StoreUse(*(values[layout[f"{name}.{part}"]] for part in ("charge", "discharge", "energy")))
            for name in self.plant.stores
        }
        flows = Flows(*(layout.of(values, name) for name in names))
        return Schedule(self.plant, self.needs, flows, stores, self._on, loss_bound)

    @property
    def _must_commit(self) -> bool:
        return self.options is not None and any(one.needs_commitment for one in self.plant.generators.values())

    @property
    def _on(self) -> dict[str, npt.NDArray[np.bool_]]:
        return self.commitment.on if self.commitment is not None else {}

    def _plan(self, terms: Terms) -> Schedule:
        terms = self.problem.checked(terms)
        if self._lp is None or (terms.demand_window.any() and not np.array_equal(terms.demand_window, self._windows)):
            self._windows = terms.demand_window
            self._assembled = self.problem.assemble(terms)
            self._lp = self._lp_of(self._assembled)
        assembled, lp = self._assembled, self._lp
        if assembled is None:
            raise SolverError(f"facility {self.name!r}: no program")
        if len(terms.demand_window) != len(self._windows):
            terms = Terms.of_prices(terms.price_buy, terms.price_sell, terms.step_h)
        cost = cost_vector(assembled.layout, self.problem.objective, self.problem.fuel, terms)
        lp.change_cost(self.problem.scaled(assembled.layout, cost)[0])
        values, bound = self._solve(assembled, lp)
        return self.read(values, float(cost @ values - cost @ bound))

    def _lp_of(self, assembled: Assembled) -> WarmLp:
        p = assembled.program
        cost = self.problem.scaled(assembled.layout, p.cost)[0]
        lower, upper = fix(assembled.layout, self._on, p.lower, p.upper)
        return WarmLp(assembled.matrix, p._replace(cost=cost, lower=lower, upper=upper))

    def _solve(self, assembled: Assembled, lp: WarmLp) -> tuple[Array, Array]:
        p, layout = assembled.program, assembled.layout
        lower, upper = fix(layout, self._on, p.lower, p.upper)
        values, bound = solve_one_way(lp, layout, lower, upper)
        if values is None or bound is None:
            program = p._replace(lower=lower, upper=upper)
            raise find_shortfall(self.name, Assembled(layout, assembled.matrix, program), self.needs, self.problem.ends)
        return np.clip(values, lower, upper), np.clip(bound, lower, upper)
