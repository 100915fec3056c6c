"""The grid agent: adds up what happens at each bus and runs the power flow."""

from __future__ import annotations

from collections.abc import Sequence

import mesa
import numpy as np
import numpy.typing as npt
from pandapower.auxiliary import pandapowerNet

from feeders.engines import Engine
from feeders.feeder import Feeder

__all__ = ["Grid"]

Array = npt.NDArray[np.float64]


class Grid(mesa.Agent):  # type: ignore[misc] # Mesa is untyped
    """The feeder as an agent; with `n_copies` > 1, as many separate copies of it, solved in one call.

    Parameters
    ----------
    model : mesa.Model
        The model the agent lives in.
    engine : Engine
        Power flow of the feeder.
    bus : sequence of int
        Bus index of each prosumer.
    copy : sequence of int, optional
        Which copy of the feeder each prosumer is connected to; the first by default.
    n_copies : int
        How many copies there are.

    Attributes
    ----------
    vm_pu : array, shape (n_copies, n_buses)
        Voltages of the last power flow, NaN at buses without supply.
    p_kw, q_kvar : array, shape (n_copies, n_buses)
        What prosumers drew and injected there.
    copy : array of int, shape (n,)
        Which copy each prosumer is connected to.
    """

    def __init__(
        self,
        model: mesa.Model,
        engine: Engine,
        bus: Sequence[int],
        copy: npt.ArrayLike | None = None,
        n_copies: int = 1,
    ) -> None:
        super().__init__(model)
        self.engine = engine
        n_buses = engine.feeder.n_buses
        position = engine.feeder.bus_positions(bus)
        self.copy = np.zeros_like(position) if copy is None else np.asarray(copy)
        self._place = self.copy * n_buses + position
        self._shape = (n_copies, n_buses)
        self.vm_pu: Array = np.full(self._shape, np.nan)
        self.p_kw: Array = np.zeros(self._shape)
        self.q_kvar: Array = np.zeros(self._shape)

    @property
    def feeder(self) -> Feeder:
        """The wires."""
        return self.engine.feeder

    def solve(self, p_kw: Array, q_kvar: Array) -> Array:
        """Voltage at each prosumer [p.u.] when they draw `p_kw` and inject `q_kvar`; arrays of shape (n,).

        Raises
        ------
        PowerFlowError
            When there is no usable solution.
        """
        self.p_kw = self._at_buses(p_kw)
        self.q_kvar = self._at_buses(q_kvar)
        if len(self.vm_pu) == 1:
            self.vm_pu[0] = self.engine.solve(self.p_kw[0], self.q_kvar[0])
        else:
            self.vm_pu[:] = self.engine.solve(self.p_kw, self.q_kvar)
        return self.vm_pu.ravel()[self._place]

    def write_results(self, copy: int = 0) -> pandapowerNet:
        """Put the last power flow of a copy into the ``res_*`` tables of the feeder's net, for pandapower's tools."""
        return self.engine.write_results(self.p_kw[copy], self.q_kvar[copy])

    def largest(self, values: Array) -> Array:
        """The largest of the prosumers' values (>= 0, shape (n,)) on each copy of the feeder, shape (n_copies,)."""
        found: Array = np.zeros(len(self.vm_pu))
        np.maximum.at(found, self.copy, values)
        return found

    def _at_buses(self, power: Array) -> Array:
        summed = np.bincount(self._place, weights=power, minlength=self._shape[0] * self._shape[1])
        at_buses: Array = summed.reshape(self._shape).astype(float, copy=False)  # no prosumers: counts are integers
        return at_buses
