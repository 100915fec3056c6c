"""What a battery loses by itself, exactly, over a step of any length.

The energy above the least one, ``e = b - b_min``, decays at a constant rate beside a constant power p at the battery's
side: ``de/dt = p - k e`` with ``k = -ln(1 - self_discharge_per_h)``. After a step of h hours ``e`` has become::

    e + gain * p - lost * e,      lost = 1 - (1 - self_discharge_per_h)^h,      gain = lost / k   (h where k is 0)

This is the solution, not an approximation: fifteen control steps at one power leave the energy of one market step
but for rounding, so that a plan over market steps comes true in control steps. In between the energy is monotone, so
that bounds kept at both ends of a step are kept within it. Only what is above the least energy is lost: an idle
battery stays within its bounds for ever.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from feeders.compiled import compiled

__all__ = ["decay", "decays", "energies_after"]

Array = npt.NDArray[np.float64]

_NOTHING = 1e-16  # of the energy, in a step: less is rounding


@compiled
def decay(self_discharge_per_h: float, step_h: float) -> tuple[float, float]:
    """Share of the energy above the least that is lost in a step, and energy gained per power [kWh/kW]."""
    if self_discharge_per_h == 0.0:
        return 0.0, step_h
    decayed = -math.log1p(-self_discharge_per_h) * step_h
    if decayed < _NOTHING:
        return 0.0, step_h
    lost = -math.expm1(-decayed)
    return lost, step_h * (lost / decayed)


def decays(self_discharge_per_h: Array | float, step_h: float) -> tuple[Array, Array]:
    """`decay` of many batteries; shapes as of the rates."""
    lost, gain = np.vectorize(decay, otypes=[float, float])(self_discharge_per_h, step_h)
    return lost, gain


@compiled
def energies_after(energy_kwh: float, stored_kw: Array, step_h: float, battery: Array) -> Array:
    """Energy at the end of each step of one battery (as `battery_row`), shape (n,) [kWh].

    `stored_kw` is the power into the store, shape (n,), < 0 out of it. Nothing is clipped to bounds.
    """
    lost, gain = decay(battery[6], step_h)
    after = np.empty(stored_kw.size)
    for i in range(stored_kw.size):
        energy_kwh += gain * stored_kw[i] - lost * (energy_kwh - battery[0])
        after[i] = energy_kwh
    return after
