"""Which voltage an inverter rule reads: three ways of closing, or not closing, the loop within a control step.

Each is one function of population, grid and reference that leaves the step's powers in the population's
columns and returns the voltages of the power flow that these powers give, shape (n,).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from agents.grid import Grid
from agents.prosumer import Population, Status

__all__ = ["MEASUREMENTS", "Regulate", "closed_loop", "open_loop", "settled"]

Array = npt.NDArray[np.float64]
Regulate = Callable[[Array], None]
"""Corrects the powers of the population to what the rules permit at voltages of shape (n,)."""

SETTLED_PU = 1e-6  # a voltage that moves less than this between iterations has settled
MAX_ITERATIONS = 60
SLOWER = 0.7  # factor on the damping whenever an iteration takes the voltages farther from rest


def closed_loop(population: Population, grid: Grid, regulate: Regulate, reference: Array) -> Array:  # noqa: ARG001
    """The voltage measured at the previous control step decides, as in a real inverter."""
    regulate(population.vm_pu)
    return flow(population, grid)


def open_loop(population: Population, grid: Grid, regulate: Regulate, reference: Array) -> Array:
    """The voltage of a run without control decides, and the corrected powers go through the power flow.

    The way of Hashmi et al., section V-C; what the corrections do to the voltage is never seen by them.
    """
    regulate(reference)
    return flow(population, grid)


def settled(population: Population, grid: Grid, regulate: Regulate, reference: Array) -> Array:  # noqa: ARG001
    """Rule and power flow exchanged within the control step until the voltages rest.

    Each exchange goes on from where the last two would meet zero along the line through them: Anderson's acceleration
    of depth one (Walker and Ni, SIAM J. Numer. Anal. 49(4), 2011), exact for a feeder with one loop gain, however
    large. Each copy of the feeder has its own line and damping, and stays as it is once it rests, so that it does not
    depend on the others. What has not settled after `MAX_ITERATIONS` is flagged in the status of the prosumers
    concerned.
    """
    measured = population.vm_pu.copy()
    n_copies = len(grid.vm_pu)
    damping, deviation = np.ones(n_copies), np.full(n_copies, np.inf)
    move = step = np.zeros_like(measured)
    for iteration in range(MAX_ITERATIONS):
        regulate(measured)
        vm_pu = flow(population, grid)
        last, step = step, vm_pu - measured
        before, deviation = deviation, grid.largest(np.abs(step))
        moving = deviation > SETTLED_PU
        if not moving.any():
            break
        damping[deviation > before] *= SLOWER
        turn, damped = step - last, _at_each(grid, damping)
        share = _share(grid, turn, step) if iteration else np.zeros(n_copies)
        move = damped * step - _at_each(grid, share) * (move + damped * turn)
        if not moving.all():
            move[~_at_each(grid, moving)] = 0.0
        measured += move
    population.flag(Status.NOT_SETTLED, np.abs(step) > SETTLED_PU)
    return vm_pu


def _share(grid: Grid, turn: Array, step: Array) -> Array:
    """How much of the last move to take back on each copy: where ``step - share * turn`` is smallest, least squares."""
    n_copies = len(grid.vm_pu)
    along = np.bincount(grid.copy, turn * step, n_copies)
    size = np.bincount(grid.copy, turn * turn, n_copies)
    share: Array = along / np.where(size > 0, size, 1.0)
    return share


def _at_each(grid: Grid, per_copy: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A value per copy at each prosumer; with one copy as it is, since it broadcasts."""
    return per_copy if len(per_copy) == 1 else per_copy[grid.copy]


def flow(population: Population, grid: Grid) -> Array:
    """Voltages [p.u.] of the powers that the population's columns hold now."""
    return grid.solve(population.p_meter_kw, population.q_inverter_kvar - population.q_load_kvar)


MEASUREMENTS: dict[str, Callable[[Population, Grid, Regulate, Array], Array]] = {
    "closed-loop": closed_loop,
    "open-loop": open_loop,
    "settled": settled,
}
"""The ways by the names that scenarios use."""
