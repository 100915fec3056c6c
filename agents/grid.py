"""The grid agent: adds up what happens at each bus and runs the power flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import mesa
import numpy as np
import numpy.typing as npt
from pandapower.auxiliary import pandapowerNet

from feeders.compiled import compiled
from feeders.engines import Engine
from feeders.errors import PowerFlowError
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
    reuse : bool
        Whether a copy whose powers are those of its last flow keeps the voltages of that flow, instead of having them
        computed again: the same, as no engine remembers. True at first. After a change of slack voltage or taps all
        are computed again.
    n_solved : int
        Power flows computed so far.
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
        self._changed = np.ones(n_copies, dtype=bool)
        self._copies = np.arange(n_copies)
        self.vm_pu: Array = np.full(self._shape, np.nan)
        self.p_kw: Array = np.full(self._shape, np.nan)  # unlike any power: nothing has been solved
        self.q_kvar: Array = np.full(self._shape, np.nan)
        self.reuse = True
        self.n_solved = 0
        self._revision = engine.revision

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
        p, q = np.zeros(self._shape), np.zeros(self._shape)
        n_changed = _gather(self._place, p_kw, q_kvar, p, q, self.p_kw, self.q_kvar, self._changed)
        outdated = not self.reuse or self.engine.revision != self._revision
        all_of_them = outdated or n_changed == len(self._copies)
        copies = self._copies if all_of_them else np.flatnonzero(self._changed)
        if all_of_them:
            self.vm_pu[:] = self._computed(p, q, copies)
        elif len(copies) > 0:
            self.vm_pu[copies] = self._computed(p[copies], q[copies], copies)
        self.p_kw, self.q_kvar, self._revision = p, q, self.engine.revision
        self.n_solved += len(copies)
        return self.vm_pu.take(self._place)

    def set_slack_vm_pu(self, vm_pu: float) -> None:
        """Set the voltage magnitude [p.u.] of every external grid, on all copies, for the flows to come.

        Raises
        ------
        InputError
            Unless it is above 0.5 and below 1.5 p.u.
        """
        self.engine.set_slack_vm_pu(vm_pu)

    def set_taps(self, taps: Mapping[int | str, int]) -> None:
        """Set tap positions, by index or name of the transformer, on all copies, for the flows to come.

        Those that are not named keep theirs. ``engine.taps`` holds all of them.

        Raises
        ------
        InputError, InputErrors
            For transformers without taps and positions outside ``tap_min`` to ``tap_max``.
        """
        self.engine.set_taps(taps)

    def _computed(self, p_kw: Array, q_kvar: Array, copies: npt.NDArray[np.int64]) -> Array:
        """Voltages of some copies, shape (len(copies), n_buses), or (n_buses,) of a single one."""
        try:
            if len(copies) == 1:
                return self.engine.solve(p_kw[0], q_kvar[0])
            return self.engine.solve(p_kw, q_kvar)
        except PowerFlowError as error:
            if len(self.vm_pu) == 1:
                raise
            raise error.of_scenario(int(copies[error.scenario or 0])) from None

    def write_results(self, copy: int = 0) -> pandapowerNet:
        """Put the last power flow of a copy into the ``res_*`` tables of the feeder's net, for pandapower's tools."""
        return self.engine.write_results(self.p_kw[copy], self.q_kvar[copy])


@compiled
def _gather(
    place: npt.NDArray[np.int64],
    p_kw: Array,
    q_kvar: Array,
    bus_p_kw: Array,
    bus_q_kvar: Array,
    last_p_kw: Array,
    last_q_kvar: Array,
    changed: npt.NDArray[np.bool_],
) -> int:
    """Add up powers, shape (n,), at the buses of all copies, (n_copies, n_buses); how many copies differ from the last.

    `place` counts buses over all copies, `changed` says of each copy whether it differs.
    """
    n_copies, n_buses = bus_p_kw.shape
    for i in range(len(place)):
        copy, bus = divmod(place[i], n_buses)
        bus_p_kw[copy, bus] += p_kw[i]
        bus_q_kvar[copy, bus] += q_kvar[i]
    n_changed = 0
    for copy in range(n_copies):
        changed[copy] = False
        for bus in range(n_buses):
            same_p = bus_p_kw[copy, bus] == last_p_kw[copy, bus]
            if not (same_p and bus_q_kvar[copy, bus] == last_q_kvar[copy, bus]):
                changed[copy] = True
                break
        n_changed += changed[copy]
    return n_changed
