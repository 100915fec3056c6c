"""Which voltage an inverter rule reads: three ways of closing, or not closing, the loop within a control step.

Each is one function of population, grid and reference that leaves the step's powers in the population's
columns and returns the voltages of the power flow that these powers give, shape (n,).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from agents.grid import Grid
from agents.prosumer import Population, Status
from feeders.compiled import compiled

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
    step, turn, move = np.zeros((3, len(measured)))
    lines = np.zeros((_N_LINE, len(grid.vm_pu)))
    lines[_DAMPING], lines[_DEVIATION] = 1.0, np.inf
    for iteration in range(MAX_ITERATIONS):
        regulate(measured)
        vm_pu = flow(population, grid)
        if not _advance(iteration, grid.copy, vm_pu, measured, step, turn, move, lines):
            break
    population.flag(Status.NOT_SETTLED, np.abs(step) > SETTLED_PU)
    return vm_pu


_DAMPING, _DEVIATION, _ALONG, _SIZE = range(4)  # of each copy: how it goes on, and the sums for its line
_N_LINE = 4


@compiled
def _advance(
    iteration: int,
    copy: npt.NDArray[np.int64],
    vm_pu: Array,
    measured: Array,
    step: Array,
    turn: Array,
    move: Array,
    lines: Array,
) -> bool:
    """Move `measured` towards rest on each copy that moves; whether any does.

    `step` becomes the deviation at each prosumer, `turn` what it has changed by, `move` what is added to `measured`;
    `lines` has shape (4, n_copies), all others (n,).
    """
    n_copies = lines.shape[1]
    before = lines[_DEVIATION].copy()
    lines[_DEVIATION:] = 0.0
    for i in range(len(copy)):
        c, deviation = copy[i], vm_pu[i] - measured[i]
        turn[i], step[i] = deviation - step[i], deviation
        lines[_ALONG, c] += turn[i] * deviation
        lines[_SIZE, c] += turn[i] * turn[i]
        lines[_DEVIATION, c] = max(lines[_DEVIATION, c], abs(deviation))
    moving = False
    for c in range(n_copies):
        moving |= lines[_DEVIATION, c] > SETTLED_PU
        if lines[_DEVIATION, c] > before[c]:
            lines[_DAMPING, c] *= SLOWER
    for i in range(len(copy)):
        c = copy[i]
        damped = lines[_DAMPING, c]
        # How much of the last move to take back: where step - share * turn is smallest, in least squares.
        share = lines[_ALONG, c] / lines[_SIZE, c] if iteration > 0 and lines[_SIZE, c] > 0.0 else 0.0
        move[i] = damped * step[i] - share * (move[i] + damped * turn[i])
        if not lines[_DEVIATION, c] > SETTLED_PU:
            move[i] = 0.0
        measured[i] += move[i]
    return moving


def flow(population: Population, grid: Grid) -> Array:
    """Voltages [p.u.] of the powers that the population's columns hold now."""
    return grid.solve(population.p_meter_kw, population.q_inverter_kvar - population.q_load_kvar)


MEASUREMENTS: dict[str, Callable[[Population, Grid, Regulate, Array], Array]] = {
    "closed-loop": closed_loop,
    "open-loop": open_loop,
    "settled": settled,
}
"""The ways by the names that scenarios use."""
