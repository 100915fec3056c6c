"""Powers that prosumers have committed to beforehand, and follow instead of planning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agents.prosumer.population import Population
from feeders.errors import InputError

__all__ = ["Commitment", "mixed_power"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Commitment:
    """Battery power and flexible load of k prosumers over T market steps, as `Homes.committed` gives them.

    Whoever has committed makes no plans in these steps, whatever comes: what the battery cannot do when the time comes,
    and what the inverter's rule forbids, the control steps take back as they do from any plan.

    Parameters
    ----------
    rows : array of int, shape (k,)
        Whose: rows of the population, each once.
    first : int
        Market step of the run that the first row of the arrays belongs to.
    p_battery_kw, p_flexible_kw : array, shape (T, k)
        AC power of the battery, > 0 charging, and flexible load.

    Raises
    ------
    InputError
        For arrays of other shapes, or numbers that are not finite.
    """

    rows: npt.NDArray[np.int64]
    first: int
    p_battery_kw: Array
    p_flexible_kw: Array

    def __post_init__(self) -> None:
        for name in ("p_battery_kw", "p_flexible_kw"):
            power = getattr(self, name)
            if power.ndim != 2 or power.shape != (len(self.p_battery_kw), len(self.rows)):
                raise InputError("commitment", name, power.shape, f"shape (T, {len(self.rows)}), one T for both")
            if not np.isfinite(power).all():
                step, k = np.argwhere(~np.isfinite(power))[0]
                where = f"{name}[{step}, {k}]"
                raise InputError("commitment", where, float(power[step, k]), "a finite number")

    def holds(self, now: int) -> bool:
        """Whether market step `now` is one of its steps."""
        return 0 <= now - self.first < len(self.p_battery_kw)

    def ahead(self, now: int, until: int) -> tuple[Array, Array]:
        """Battery power and flexible load of market steps ``now .. until - 1``, shapes (until - now, k) [kW].

        NaN in steps that it does not hold for.
        """
        battery, flexible = np.full((2, until - now, len(self.rows)), np.nan)
        elapsed = now - self.first
        n = max(min(until - now, len(self.p_battery_kw) - elapsed), 0) if elapsed >= 0 else 0
        battery[:n], flexible[:n] = (p[elapsed : elapsed + n] for p in (self.p_battery_kw, self.p_flexible_kw))
        return battery, flexible

    def follow(self, population: Population, now: int) -> None:
        """Put the powers of market step `now`, which it must hold for, into the columns in the place of plans.

        Raises
        ------
        InputError
            When it does not hold for the step.
        """
        if not self.holds(now):
            steps = f"{self.first} .. {self.first + len(self.p_battery_kw) - 1}"
            raise InputError("commitment", "now", now, f"market steps {steps}")
        population.p_battery_plan_kw[self.rows] = self.p_battery_kw[now - self.first]
        population.p_flexible_kw[self.rows] = self.p_flexible_kw[now - self.first]


def mixed_power(
    shares: Array, p_battery_kw: Sequence[Array], efficiency_charge: Array, efficiency_discharge: Array
) -> Array:
    """AC power of batteries that store the mix of what several plans store, shape (T, n), > 0 charging [kW].

    In each step a plan stores ``x = eta_ch * max(s, 0) - max(-s, 0) / eta_dis``. The mix of these is stored at the
    power s(x), which is convex in x, so that it is at most the mix of the powers, and equal where no plan charges while
    another discharges. A single plan comes out as it is, to the last bit.

    Parameters
    ----------
    shares : array, shape (R, n)
        Share of each plan, >= 0; each column adds up to 1.
    p_battery_kw : R arrays of shape (T, n)
        AC power, > 0 charging.
    efficiency_charge, efficiency_discharge : array, shape (n,)
        As of `Battery`.
    """
    drawn, delivered = np.zeros((2, *p_battery_kw[0].shape))
    for share, ac_kw in zip(shares, p_battery_kw, strict=True):
        drawn += share * np.maximum(ac_kw, 0.0)
        delivered += share * np.maximum(-ac_kw, 0.0)
    stored = drawn * efficiency_charge - delivered / efficiency_discharge
    net = np.where(stored > 0, stored / efficiency_charge, stored * efficiency_discharge)
    power: Array = np.where(delivered == 0, drawn, np.where(drawn == 0, -delivered, net))
    return power
