"""The reference engine: pandapower's Newton-Raphson power flow."""

from __future__ import annotations

import copy
from typing import ClassVar

import numpy as np
import pandapower as pp
from numpy.typing import ArrayLike
from pandapower.auxiliary import LoadflowNotConverged

from feeders.engines.adjustable import AdjustableEngine
from feeders.engines.base import ComplexArray, FloatArray, check_voltages, checked_injections, divergence
from feeders.engines.pandapower_run import set_powers, tolerance_mva
from feeders.errors import EngineRefusalError, PowerFlowError
from feeders.feeder import Feeder
from feeders.nodal import NodalModel, nodal_model

__all__ = ["PandapowerEngine"]


class PandapowerEngine(AdjustableEngine):
    """Solves every pandapower net, voltage-controlled generators and voltage-dependent loads included.

    Each solve is a ``runpp`` from a flat start on a copy of the feeder's net, without lightsim2grid so that
    the result does not depend on whether that package is installed. See `feeders.engines.base.Engine` for the
    methods.

    Parameters
    ----------
    feeder : Feeder
        The feeder; ``feeder.net`` is left alone but by `write_results`.
    """

    name: ClassVar[str] = "pandapower"

    def __init__(self, feeder: Feeder) -> None:
        super().__init__(feeder)
        self._net = copy.deepcopy(feeder.net)
        self._tolerance_mva = tolerance_mva(feeder)
        self._own_nodal: tuple[int, NodalModel] | None = None  # at which revision
        self._apply(None, {})  # results in the feeder's net may have left others

    def solve(self, p_kw: ArrayLike, q_kvar: ArrayLike) -> FloatArray:
        p, q = self._checked(p_kw, q_kvar)
        if p.ndim == 1:
            self._powers = (p, q)
            return self._solve_one(p, q, None)
        vm_pu = np.empty_like(p)
        for scenario in range(len(p)):
            vm_pu[scenario] = self._solve_one(p[scenario], q[scenario], scenario)
        return vm_pu

    @property
    def nodal(self) -> NodalModel:
        # pandapower orders fused nodes otherwise with numba, which `solve` uses, than without.
        if self._own_nodal is None or self._own_nodal[0] != self.revision:
            self._own_nodal = (self.revision, nodal_model(self._net, numba=True))
        return self._own_nodal[1]

    def node_voltages(self, p_kw: ArrayLike, q_kvar: ArrayLike) -> ComplexArray:
        p, q = self._checked(p_kw, q_kvar)
        nodes = np.empty((*p.shape[:-1], self.nodal.n_nodes), dtype=complex)
        for row in np.ndindex(p.shape[:-1]):
            self._solve_one(p[row], q[row], row[0] if row else None)
            nodes[row] = self._net._ppc["internal"]["V"]
        return nodes

    def _checked(self, p_kw: ArrayLike, q_kvar: ArrayLike) -> tuple[FloatArray, FloatArray]:
        p, q = checked_injections(self.feeder, p_kw, q_kvar)
        self._refuse_beside_voltage_dependent_loads(p, q)
        return p, q

    def _solve_one(self, p_kw: FloatArray, q_kvar: FloatArray, scenario: int | None) -> FloatArray:
        set_powers(self._net, self.feeder, p_kw, q_kvar)
        try:
            pp.runpp(self._net, lightsim2grid=False, tolerance_mva=self._tolerance_mva)
        except LoadflowNotConverged:
            error: PowerFlowError = divergence(self.feeder, p_kw, q_kvar, scenario)
            raise error from None
        vm_pu: FloatArray = self._net.res_bus.vm_pu.to_numpy(dtype=float, copy=True)
        check_voltages(self.feeder, vm_pu, scenario)
        return vm_pu

    def _apply(self, slack_vm_pu: float | None, taps: dict[int | str, int]) -> None:
        self.feeder.controls.put(self._net, slack_vm_pu, taps)

    def _refuse_beside_voltage_dependent_loads(self, p_kw: FloatArray, q_kvar: FloatArray) -> None:
        if not self.feeder.voltage_dependent.any():
            return
        beside = ((p_kw != 0) | (q_kvar != 0))[..., self.feeder.voltage_dependent]
        if beside.any():
            buses = self.feeder.buses[self.feeder.voltage_dependent].tolist()
            raise EngineRefusalError(
                f"feeder {self.feeder.name!r}: pandapower applies a bus's voltage dependence to its whole "
                f"power, so prosumers cannot share a bus with voltage-dependent loads, here at buses {buses}"
            )
