"""What a report draws of a run's indices. Each function takes data and an Axes and returns it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from agents.prosumer import VoltageBand
from cosim.plots import COLOURS, plot_band
from cosim.plots.style import LABEL_SIZE, SMALL_SIZE
from cosim.report.html import clean

__all__ = ["plot_extremes", "short"]

Array = npt.NDArray[np.float64]

_LONGEST = 20  # letters of a name in a figure


def plot_extremes(ax: Axes, distance_ohm: Array, low_pu: Array, high_pu: Array, band: VoltageBand) -> Axes:
    """Lowest and highest voltage of each prosumer against its distance, the two joined by a line.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    distance_ohm, low_pu, high_pu : array, shape (n,)
        Electrical distance [ohm], lowest and highest voltage [p.u.].
    band : VoltageBand
        Limits and dead band.
    """
    plot_band(ax, band)
    ax.vlines(distance_ohm, low_pu, high_pu, color="0.75", linewidth=0.8, zorder=2)
    size = 5 if len(distance_ohm) <= 200 else 2.5
    for values, marker, colour, label in ((high_pu, "^", COLOURS[1], "highest"), (low_pu, "v", COLOURS[0], "lowest")):
        ax.plot(distance_ohm, values, marker, color=colour, markersize=size, label=label, zorder=3, linestyle="none")
    ax.set_xlabel("electrical distance (ohm)", fontsize=LABEL_SIZE)
    ax.set_ylabel("voltage (p.u.)", fontsize=LABEL_SIZE)
    ax.tick_params(labelsize=SMALL_SIZE)
    return ax


def short(name: object) -> str:
    """A name as long as it fits into a figure."""
    text = clean(str(name))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
