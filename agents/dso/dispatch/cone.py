"""The coordinated dispatch as a cone program: the linear one's cross-check, written and solved apart from it.

It relaxes the AC power flow: no dispatch is cheaper than what it finds. Where its cones are tight it is the AC power
flow's own optimum. Where they are loose it has "phantom" losses, current that nothing causes, and what it finds cannot
be had: so with much PV that may not be curtailed, when burning power is what keeps voltages down.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from agents.dso.dispatch.cone_devices import ConeDevices
from agents.dso.dispatch.cone_grid import ConeGrid, cone_grid
from agents.dso.dispatch.conic import ConicProgram, ConicSolution
from agents.dso.dispatch.dispatched import Dispatch
from agents.dso.dispatch.settings import DispatchSettings
from agents.prosumer.fleet import Fleet, FleetInputs
from feeders.branch_flow import lost_kw
from feeders.engines import Engine
from feeders.errors import PowerFlowError
from feeders.flows import Flows, power_flows, tightest
from feeders.radial import radial_grid

__all__ = ["ConeDispatch", "cone_dispatch", "cone_most"]

Array = npt.NDArray[np.float64]

_TIE_BREAK = 1e-4  # of a level of 1 against the cost of the loads' day, where the level is maximised


@dataclass(frozen=True)
class ConeDispatch:
    """What the cone program finds, and how far it is from the AC power flow of the same dispatch.

    Attributes
    ----------
    dispatch : Dispatch
        As of the linear program; `error_pu` is of the cone program's voltages, and charging and discharging at once is
        not ruled out.
    slack : array, shape (T, n)
        ``v l - P^2 - Q^2`` of each branch [p.u.], 0 where its cone is tight; NaN at sources and without resistance.
    losses_kwh, ac_losses_kwh : float
        Losses of the whole time by the program, and by the AC power flow of its dispatch; NaN without one.
    at_once_kwh : float
        Energy charged while as much is discharged, by the same batteries and cars.
    iterations : int
    """

    dispatch: Dispatch
    slack: Array
    losses_kwh: float
    ac_losses_kwh: float
    at_once_kwh: float
    iterations: int

    @property
    def phantom_kwh(self) -> float:
        """Losses that are not there."""
        return self.losses_kwh - self.ac_losses_kwh

    @property
    def tight(self) -> bool:
        """Whether its losses are those of the AC power flow, to 1e-4 of them or 1 Wh."""
        return abs(self.phantom_kwh) <= max(1e-4 * self.ac_losses_kwh, 1e-3)


def cone_dispatch(
    engine: Engine, fleet: Fleet, inputs: FleetInputs, settings: DispatchSettings | None = None
) -> ConeDispatch:
    """The cheapest dispatch of a fleet by the branch flow model with second-order cones.

    Parameters are those of the linear `dispatch`; of the settings, those of its rounds and polygons mean nothing here.

    Raises
    ------
    InputError
        Where the feeder is meshed, or Clarabel is not installed (extra ``optim``).
    SolverError
        Where Clarabel finds neither a solution nor the proof that there is none.
    """
    return _Case(engine, fleet, inputs, settings or DispatchSettings(), {}, float("nan")).solved()


def cone_most(
    engine: Engine,
    fleet: Fleet,
    inputs: FleetInputs,
    direction: dict[str, Array],
    settings: DispatchSettings | None = None,
    *,
    upper: float,
) -> ConeDispatch:
    """The highest level, ``x[0]``, at which ratings plus the level times a direction can be dispatched.

    The operating cost decides among equals alone. With PV this is where the cones come loose: see `ConeDispatch.tight`.
    Prices are of the level then, times a factor, and mean nothing. Raises what `cone_dispatch` does.
    """
    return _Case(engine, fleet, inputs, settings or DispatchSettings(), direction, upper).solved()


@dataclass(frozen=True)
class _Case:
    engine: Engine
    fleet: Fleet
    inputs: FleetInputs
    settings: DispatchSettings
    direction: dict[str, Array]
    upper: float

    def solved(self) -> ConeDispatch:
        program, grid = ConicProgram(), radial_grid(self.engine.feeder)
        of = cone_grid(program, grid, self.inputs, self.settings)
        level = -1
        if self.direction:
            level = int(program.columns((1,), 0.0, self.upper, self.upper)[0])
            a_day = float(np.abs(self.inputs.price) @ self.inputs.p_load_kw.sum(axis=1)) * self.inputs.step_h
            program.maximise(level, _TIE_BREAK / max(a_day, 1.0))
        aims = (self.settings.weights, self.settings.curtailable)
        columns = ConeDevices(program, self.fleet, self.inputs, *aims, level, self.direction, grid.base_kva).add()
        node = grid.row_of_bus[self._at()]
        for name, sign in _SIGNS.items():
            rows = of.q_balance if name == "q_kvar" else of.p_balance
            program.add_to(rows[:, node], columns[name], sign / grid.base_kva)
        solution = program.solve()
        powers = {name: self._values(each, solution) for name, each in columns.items()}
        x = solution.x[[level]] if level >= 0 and solution.feasible else np.zeros(0)
        if not solution.feasible:
            nan, nothing = float("nan"), _dispatch(powers, x, None, solution, {})
            return ConeDispatch(nothing, np.zeros((0, len(grid))), nan, nan, nan, solution.iterations)
        return self._found(of, self._states(powers, x), x, solution, program)

    def _at(self) -> npt.NDArray[np.int64]:
        """Position of each row's bus."""
        return self.engine.feeder.bus_positions(self.fleet.bus.tolist())

    def _values(self, columns: npt.NDArray[np.int64], solution: ConicSolution) -> Array:
        if not solution.feasible:
            return np.zeros((0, len(self.fleet)))
        found: Array = np.where(columns >= 0, solution.x[columns], 0.0)
        return found

    def _states(self, powers: dict[str, Array], x: Array) -> dict[str, Array]:
        """With energies and temperatures in place of what they are above the least, and the set-point."""
        fleet = self.fleet
        if len(x):
            fleet = fleet.with_ratings(
                **{name: getattr(fleet, name) + x[0] * kw for name, kw in self.direction.items()}
            )
        rooms = np.where(fleet.hp_kw > 0, fleet.n_rooms, 1.0)
        battery_kwh = powers["battery_kwh"] + fleet.battery_soc_min * fleet.battery_kwh
        return powers | {"battery_kwh": battery_kwh, "room_c": fleet.set_point_c + powers["room_c"] / rooms}

    def _found(
        self, of: ConeGrid, powers: dict[str, Array], x: Array, solution: ConicSolution, program: ConicProgram
    ) -> ConeDispatch:
        terms = {term: program.value(term, solution.x) for term in program.costs}
        dispatch = _dispatch(powers, x, of.price(solution.marginal, self.inputs.step_h), solution, terms)
        ac_losses = float("nan")
        flows = self._flows(dispatch)
        if flows is not None:
            feeder, vm_pu = self.engine.feeder, of.vm_pu(solution.x)
            error_pu = float(np.nanmax(np.abs(flows.vm_pu - vm_pu)))
            dispatch = replace(dispatch, flows=flows, tightest=tightest(feeder, flows), error_pu=error_pu)
            ac_losses = float(lost_kw(feeder.nodal, flows.voltages).sum()) * self.inputs.step_h
        losses = float(of.losses_kw(solution.x).sum()) * self.inputs.step_h
        at_once = sum(float(np.minimum(powers[one], powers[other]).sum()) for one, other in _OPPOSED)
        return ConeDispatch(
            dispatch, of.slack(solution.x), losses, ac_losses, at_once * self.inputs.step_h, solution.iterations
        )

    def _flows(self, dispatch: Dispatch) -> Flows | None:
        """AC power flow of it, None where there is none."""
        p_kw, q_kvar = self.inputs.p_load_kw.copy(), self.inputs.q_load_kvar.copy()
        np.add.at(p_kw.T, self._at(), dispatch.p_kw.T)
        np.add.at(q_kvar.T, self._at(), -dispatch.q_kvar.T)
        try:
            return power_flows(self.engine, p_kw, q_kvar)
        except PowerFlowError:
            return None


_OPPOSED = (("p_charge_kw", "p_discharge_kw"), ("p_ev_charge_kw", "p_ev_discharge_kw"))
_SIGNS = {
    "p_pv_kw": 1.0,
    "p_charge_kw": -1.0,
    "p_discharge_kw": 1.0,
    "p_ev_charge_kw": -1.0,
    "p_ev_discharge_kw": 1.0,
    "p_hp_kw": -1.0,
    "q_kvar": 1.0,
}
"""What is fed in, by what name."""


def _dispatch(
    powers: dict[str, Array], x: Array, price: Array | None, solution: ConicSolution, terms: dict[str, float]
) -> Dispatch:
    return Dispatch(
        status="optimal" if solution.feasible else "infeasible",
        **powers,
        x=x,
        price=np.zeros((0, 0)) if price is None else price,
        objective=solution.objective,
        terms=terms,
        flows=None,
        tightest=None,
        error_pu=float("nan"),
        passes=1,
        n_exclusive=0,
        seconds=solution.seconds,
    )
