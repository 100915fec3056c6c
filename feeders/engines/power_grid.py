"""The engine on power-grid-model, built from pandapower's internal model of the net."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from power_grid_model import CalculationMethod, ComponentType, PowerGridModel, initialize_array
from power_grid_model.errors import IterationDiverge, MaxIterationReached, SparseMatrixError

from feeders.engines.adjustable import AdjustableEngine, PerTaps
from feeders.engines.base import FloatArray, check_voltages, checked_injections, divergence, implausible_rows
from feeders.engines.power_grid_input import power_grid_input
from feeders.engines.refusals import refuse_unsupported
from feeders.feeder import Feeder

__all__ = ["PowerGridEngine"]

_TOLERANCE_PU = 1e-9  # steps of iterative current that settle within 100 shrink to 82 % at least: 5e-9 p.u. are left
_MAX_ITERATIONS = 100
_METHODS = (CalculationMethod.iterative_current, CalculationMethod.newton_raphson)
_DIVERGED = (IterationDiverge, MaxIterationReached, SparseMatrixError)
_OUTPUT = [ComponentType.node]
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
        self._models = PerTaps(feeder, self._build)
        self._model, self._node = self._models({})
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
        step = max(1, _BATCH_CELLS_MAX // self.feeder.n_buses)
        for start in range(0, len(p), step):
            vm_pu[start : start + step] = self._solve_batch(p[start : start + step], q[start : start + step], start)
        return vm_pu

    def solve_row(self, p_kw: FloatArray, q_kvar: FloatArray, scenario: int | None = None) -> FloatArray:
        """Voltages for checked powers, all of shape (n_buses,), which errors call this scenario of a batch."""
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
            vm_pu = self._per_bus(output[ComponentType.node]["u_pu"])
            check_voltages(self.feeder, vm_pu, scenario)
            return vm_pu
        raise divergence(self.feeder, p_kw, q_kvar, scenario)

    def _solve_batch(self, p_kw: FloatArray, q_kvar: FloatArray, first: int) -> FloatArray:
        """Voltages of scenarios ``first``, ``first + 1``, ...; powers and result of shape (K, n_buses)."""
        powers = {"p_specified": p_kw[:, self._alive] * 1e3, "q_specified": q_kvar[:, self._alive] * -1e3}
        output = self._model.calculate_power_flow(
            calculation_method=_METHODS[0],
            error_tolerance=_TOLERANCE_PU,
            max_iterations=_MAX_ITERATIONS,
            update_data={ComponentType.sym_load: powers},
            threading=-1,
            output_component_types={ComponentType.node: ["u_pu"]},
            continue_on_batch_error=True,
        )
        vm_pu = self._per_bus(output[ComponentType.node]["u_pu"])
        error = self._model.batch_error
        failed = [] if error is None else error.failed_scenarios.tolist()
        for scenario in failed:  # once more alone, by both methods
            vm_pu[scenario] = self.solve_row(p_kw[scenario], q_kvar[scenario], first + scenario)
        for scenario in implausible_rows(self.feeder, vm_pu):
            check_voltages(self.feeder, vm_pu[scenario], first + scenario)
        return vm_pu

    def _per_bus(self, per_node: FloatArray) -> FloatArray:
        """Node values, shape (..., n_nodes), at the buses, shape (..., n_buses); NaN where not energised."""
        if not self.feeder.has_dead_buses:
            return per_node[..., self._node]
        values = np.full((*per_node.shape[:-1], self.feeder.n_buses), np.nan)
        values[..., self._alive] = per_node[..., self._node]
        return values

    def _apply(self, slack_vm_pu: float | None, taps: dict[int | str, int]) -> None:
        self._model, self._node = self._models(taps)
        own_vm_pu = self.feeder.nodal.slack_vm_pu
        sources = initialize_array("update", ComponentType.source, len(own_vm_pu))
        sources["u_ref"] = own_vm_pu if slack_vm_pu is None else slack_vm_pu
        self._model.update(update_data={ComponentType.source: sources})

    @staticmethod
    def _build(feeder: Feeder) -> tuple[PowerGridModel, NDArray[np.int64]]:
        """The model, and the node of each energised bus."""
        return PowerGridModel(power_grid_input(feeder)), feeder.nodal.node_of_bus[feeder.energised]
