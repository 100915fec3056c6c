"""A monitor that carries on where a rehearsed plan breaks the feeder, since that is what a rehearsal is to find out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from agents.dso import Monitor, Observation
from agents.dso.watch import Watch
from feeders.engines.base import VM_PLAUSIBLE_PU
from feeders.errors import PowerFlowError

__all__ = ["BROKEN", "TolerantMonitor", "carried"]

Array = npt.NDArray[np.float64]
Result = TypeVar("Result")

BROKEN = {
    "voltage": VM_PLAUSIBLE_PU[0],
    "voltage-high": VM_PLAUSIBLE_PU[1],
    "line": 10.0,
    "transformer": 10.0,
}
"""What counts as seen where there is no usable power flow, by the kind of watch: the last voltage that would be an
operating point [p.u.], ten times the rating."""


class TolerantMonitor:
    """What an operator watches tomorrow, but for steps without a usable power flow.

    In such a step every watched quantity counts as `BROKEN`, so that a signal sees a grave shortfall to answer to;
    sensitivities are those of the feeder without the customers.

    Attributes
    ----------
    names : list of str
        Of the watched quantities; none until `look`.
    """

    names: list[str]

    def __init__(self) -> None:
        self.names = []
        self._monitor: Monitor | None = None
        self._value, self._headroom_pu = np.zeros((2, 0))

    def look(self, monitor: Monitor, watches: Sequence[Watch]) -> None:
        """Watch by this monitor from now on, whose quantities are `watches`, each with its limit."""
        self.names, self._monitor = monitor.names, monitor
        self._value = np.array([BROKEN[watch.kind] for watch in watches])
        side = np.array([1.0 if watch.kind == "voltage" else -1.0 for watch in watches])
        self._headroom_pu = side * (self._value - np.array([watch.limit for watch in watches]))

    def observe(self, p_kw: Array, q_kvar: Array) -> Observation:
        """See `Monitor.observe`; raises PowerFlowError where a step has no usable flow without the customers either."""
        seen, broken = carried(self._of.observe, p_kw, q_kvar)
        if not broken.any():
            return seen
        value, headroom_pu = seen.value.copy(), seen.headroom_pu.copy()
        value[broken], headroom_pu[broken] = self._value, self._headroom_pu
        return Observation(value, headroom_pu)

    def sensitivity(self, p_kw: Array, q_kvar: Array, q_per_kw: Array) -> Array:
        """See `Monitor.sensitivity`."""
        return carried(lambda p, q: self._of.sensitivity(p, q, q_per_kw), p_kw, q_kvar)[0]

    @property
    def _of(self) -> Monitor:
        assert self._monitor is not None, "look at a feeder first"
        return self._monitor

    def broken(self, observation: Observation) -> npt.NDArray[np.bool_]:
        """The steps of an observation that had no usable power flow: no flow that is usable has these very values."""
        found: npt.NDArray[np.bool_] = (observation.value == self._value).all(axis=1)
        return found


def carried(ask: Callable[[Array, Array], Result], p_kw: Array, q_kvar: Array) -> tuple[Result, npt.NDArray[np.bool_]]:
    """An answer to powers of shape (T, n), where it needs be without them, and the steps, shape (T,), where it needed.

    Raises
    ------
    PowerFlowError
        Where a step has no usable power flow without them either.
    """
    broken = np.zeros(len(p_kw), dtype=bool)
    while True:
        there = ~broken[:, None]
        try:
            return ask(p_kw * there, q_kvar * there), broken
        except PowerFlowError as error:
            if error.scenario is None or broken[error.scenario]:
                raise
            broken[error.scenario] = True
