"""The engine on power-grid-model, built from pandapower's internal model of the net."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from power_grid_model import CalculationMethod, ComponentType, PowerGridModel, initialize_array
from power_grid_model.errors import IterationDiverge, MaxIterationReached, SparseMatrixError

from feeders.engines.adjustable import AdjustableEngine, PerTaps
from feeders.engines.base import (
    ComplexArray,
    FloatArray,
    check_voltages,
    checked_injections,
    divergence,
    implausible_rows,
)
from feeders.engines.power_grid_input import power_grid_input
from feeders.engines.refusals import refuse_unsupported
from feeders.feeder import Feeder

__all__ = ["PowerGridEngine"]

_TOLERANCE_PU = 1e-9  # steps of iterative current that settle within 100 shrink to 82 % at least: 5e-9 p.u. are left
_MAX_ITERATIONS = 100
_METHODS = (CalculationMethod.iterative_current, CalculationMethod.newton_raphson)
_DIVERGED = (IterationDiverge, MaxIterationReached, SparseMatrixError)
_OUTPUT = [ComponentType.node]
Columns = Mapping[str, NDArray[Any]]
_BATCH_CELLS_MAX = 2_000_000  # scenarios times loads in one call: bounds its memory to some 60 MB


class PowerGridEngine(AdjustableEngine):
    """Some 0.2 ms a solve on small feeders, and within 1e-8 p.u. of pandapower.

    Iterative current from a flat start to steps of 1e-9 p.u.; where that diverges once more with Newton-Raphson. No
    solve depends on an earlier one. See `feeders.engines.base.Engine` for the methods.

    Parameters
    ----------
    feeder : Feeder
        The feeder; ``feeder.net`` is left alone but by `write_results`.

    Raises
    ------
    EngineRefusalError
        For elements that power-grid-model cannot represent, see `refuse_unsupported`.
    """

    name: ClassVar[str] = "power-grid-model"

    def __init__(self, feeder: Feeder) -> None:
        refuse_unsupported(feeder, self.name)
        super().__init__(feeder)
        alive = np.flatnonzero(feeder.energised)
        self._alive = alive if feeder.has_dead_buses else slice(None)
        self._grids = PerTaps(feeder, self._build)
        self._model, self._node = self._grids({})
        # All loads of the model are prosumers', one per energised bus: an update of all needs no ids.
        loads = initialize_array("update", ComponentType.sym_load, len(alive))
        self._update = {ComponentType.sym_load: loads}
        self._p_w, self._q_var = loads["p_specified"], loads["q_specified"]

    def solve(self, p_kw: ArrayLike, q_kvar: ArrayLike) -> FloatArray:
        p, q = checked_injections(self.feeder, p_kw, q_kvar)
        if p.ndim == 1:
            self._powers = (p, q)
            return self.solve_row(p, q)
        vm_pu = np.empty_like(p)
        for part in self._parts(len(p)):
            vm_pu[part] = self._per_bus(self._solve_batch(p[part], q[part], part.start, ["u_pu"])["u_pu"])
        return vm_pu

    def node_voltages(self, p_kw: ArrayLike, q_kvar: ArrayLike) -> ComplexArray:
        p, q = checked_injections(self.feeder, p_kw, q_kvar)
        if p.ndim == 1:
            row = self._solve_nodes(p, q, None)
            return _phasors(row["u_pu"], row["u_angle"])
        nodes = np.empty((len(p), self.feeder.nodal.n_nodes), dtype=complex)
        for part in self._parts(len(p)):
            columns = self._solve_batch(p[part], q[part], part.start, ["u_pu", "u_angle"])
            nodes[part] = _phasors(columns["u_pu"], columns["u_angle"])
        return nodes

    def _parts(self, n_rows: int) -> Iterator[slice]:
        step = max(1, _BATCH_CELLS_MAX // self.feeder.n_buses)
        return (slice(start, start + step) for start in range(0, n_rows, step))

    def solve_row(self, p_kw: FloatArray, q_kvar: FloatArray, scenario: int | None = None) -> FloatArray:
        """Voltages for checked powers, all of shape (n_buses,), which errors call this scenario of a batch."""
        return self._per_bus(self._solve_nodes(p_kw, q_kvar, scenario)["u_pu"])

    def _solve_nodes(self, p_kw: FloatArray, q_kvar: FloatArray, scenario: int | None) -> NDArray[Any]:
        """power-grid-model's table of nodes, in their order."""
        np.multiply(p_kw[self._alive], 1e3, out=self._p_w)
        np.multiply(q_kvar[self._alive], -1e3, out=self._q_var)
        self._model.update(update_data=self._update)
        for method in _METHODS:
            try:
                output = self._model.calculate_power_flow(
                    calculation_method=method,
                    error_tolerance=_TOLERANCE_PU,
                    max_iterations=_MAX_ITERATIONS,
                    output_component_types=_OUTPUT,
                )
            except _DIVERGED:
                continue
            nodes: NDArray[Any] = output[ComponentType.node]
            check_voltages(self.feeder, self._per_bus(nodes["u_pu"]), scenario)
            return nodes
        raise divergence(self.feeder, p_kw, q_kvar, scenario)

    def _solve_batch(self, p_kw: FloatArray, q_kvar: FloatArray, first: int, columns: list[str]) -> Columns:
        """Columns of the nodes, each of shape (K, n_nodes), in scenarios ``first``, ``first + 1``, ..."""
        powers = {"p_specified": p_kw[:, self._alive] * 1e3, "q_specified": q_kvar[:, self._alive] * -1e3}
        output = self._model.calculate_power_flow(
            calculation_method=_METHODS[0],
            error_tolerance=_TOLERANCE_PU,
            max_iterations=_MAX_ITERATIONS,
            update_data={ComponentType.sym_load: powers},
            threading=-1,
            output_component_types={ComponentType.node: columns},
            continue_on_batch_error=True,
        )
        nodes: Columns = output[ComponentType.node]
        error = self._model.batch_error
        failed = [] if error is None else error.failed_scenarios.tolist()
        for scenario in failed:  # once more alone, by both methods
            row = self._solve_nodes(p_kw[scenario], q_kvar[scenario], first + scenario)
            for column in columns:
                nodes[column][scenario] = row[column]
        vm_pu = self._per_bus(nodes["u_pu"])
        for scenario in implausible_rows(self.feeder, vm_pu):
            check_voltages(self.feeder, vm_pu[scenario], first + scenario)
        return nodes

    def _per_bus(self, per_node: FloatArray) -> FloatArray:
        """Node values, shape (..., n_nodes), at the buses, shape (..., n_buses); NaN where not energised."""
        if not self.feeder.has_dead_buses:
            return per_node[..., self._node]
        values = np.full((*per_node.shape[:-1], self.feeder.n_buses), np.nan)
        values[..., self._alive] = per_node[..., self._node]
        return values

    def _apply(self, slack_vm_pu: float | None, taps: dict[int | str, int]) -> None:
        self._model, self._node = self._grids(taps)
        own_vm_pu = self.feeder.nodal.slack_vm_pu
        sources = initialize_array("update", ComponentType.source, len(own_vm_pu))
        sources["u_ref"] = own_vm_pu if slack_vm_pu is None else slack_vm_pu
        self._model.update(update_data={ComponentType.source: sources})

    @staticmethod
    def _build(feeder: Feeder) -> tuple[PowerGridModel, NDArray[np.int64]]:
        """The model, and the node of each energised bus."""
        return PowerGridModel(power_grid_input(feeder)), feeder.nodal.node_of_bus[feeder.energised]


def _phasors(vm_pu: FloatArray, va_rad: FloatArray) -> ComplexArray:
    voltages: ComplexArray = vm_pu * np.exp(1j * va_rad)
    return voltages
