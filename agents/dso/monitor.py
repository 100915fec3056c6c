"""What a distribution system operator watches: quantities with a limit each, and what customers do to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["Monitor", "Observation"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Observation:
    """M monitored quantities over T steps.

    Attributes
    ----------
    value : array, shape (T, M)
        Voltage [p.u.], or branch current or transformer power as a share of the rating.
    headroom_pu : array, shape (T, M)
        Distance from the limit, > 0 on the good side: ``value - limit`` of a voltage, ``limit - value`` of a loading.
    """

    value: Array
    headroom_pu: Array

    @property
    def shortfall_pu(self) -> Array:
        """By how much each limit is missed, shape (T, M), >= 0."""
        return np.maximum(0.0, -self.headroom_pu)


class Monitor(Protocol):
    """The feeder as the operator sees it, with everything on it that does not plan.

    Attributes
    ----------
    names : list of str
        Of the M monitored quantities.
    """

    names: list[str]

    def observe(self, p_kw: Array, q_kvar: Array) -> Observation:
        """The monitored quantities if n customers behave so, by AC power flow.

        Parameters
        ----------
        p_kw, q_kvar : array, shape (T, n)
            Power of each customer, p > 0 consumed, q > 0 injected.

        Raises
        ------
        PowerFlowError
            Where a step has no usable power flow.
        """
        ...

    def sensitivity(self, p_kw: Array, q_kvar: Array, q_per_kw: Array) -> Array:
        """Change of each headroom per kW more at each customer, shape (T, M, n) [p.u./kW].

        Parameters
        ----------
        p_kw, q_kvar : array, shape (T, n)
            Where: the operating point of each step.
        q_per_kw : array, shape (n,)
            Reactive power injected along with a kW consumed [kvar/kW].
        """
        ...
