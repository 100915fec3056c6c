"""What a report draws of a run's indices. Each function takes data and an Axes and returns it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from agents.prosumer import VoltageBand
from cosim.plots import COLOURS
from cosim.report.html import clean

__all__ = ["plot_extremes", "plot_in_order", "short"]

Array = npt.NDArray[np.float64]

_GREY = "#666666"
_LABEL, _SMALL = 9, 7.5  # font sizes
_NAMED = 20  # prosumers whose names fit under an axis
_WIDEST = 70  # letters that fit side by side
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
    ax.axhspan(1 - band.dead_pu, 1 + band.dead_pu, color="0.92", zorder=0, label="dead band")
    for limit in (band.vm_min_pu, band.vm_max_pu):
        ax.axhline(limit, color=_GREY, linewidth=0.8, linestyle=(0, (6, 3)), zorder=1)
        at = (1.005, limit)
        ax.annotate(f"{limit:g}", at, xycoords=("axes fraction", "data"), va="center", fontsize=_SMALL, color=_GREY)
    ax.vlines(distance_ohm, low_pu, high_pu, color="0.75", linewidth=0.8, zorder=2)
    size = 5 if len(distance_ohm) <= 200 else 2.5
    for values, marker, colour, label in ((high_pu, "^", COLOURS[1], "highest"), (low_pu, "v", COLOURS[0], "lowest")):
        ax.plot(distance_ohm, values, marker, color=colour, markersize=size, label=label, zorder=3, linestyle="none")
    ax.set_xlabel("electrical distance (ohm)", fontsize=_LABEL)
    ax.set_ylabel("voltage (p.u.)", fontsize=_LABEL)
    ax.tick_params(labelsize=_SMALL)
    return ax


def plot_in_order(ax: Axes, names: Sequence[str], values: Array, label: str) -> Axes:
    """One value of each prosumer in the order given, as a bar each or of many as a filled step; NaN are left out.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    names : sequence of str
        Under the axis, where they fit.
    values : array, shape (n,)
    label : str
        Of the axis, with its unit.
    """
    place, known = np.arange(1, len(values) + 1), np.isfinite(values)
    ax.bar(place[known], values[known], width=0.7 if len(values) <= _NAMED else 1.0, color=COLOURS[0], linewidth=0)
    ax.axhline(0, color=_GREY, linewidth=0.6)
    ax.set_xlim(0.4, len(values) + 0.6)
    if len(values) <= _NAMED:
        turned: dict[str, Any] = {"rotation": 40, "ha": "right"} if sum(map(len, names)) > _WIDEST else {}
        ax.set_xticks(place, list(names), **turned)
        ax.set_xlabel("from the nearest to the farthest", fontsize=_LABEL)
    else:
        ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        ax.set_xlabel("prosumers, from the nearest (1) to the farthest", fontsize=_LABEL)
    ax.set_ylabel(label, fontsize=_LABEL)
    ax.tick_params(labelsize=_SMALL)
    ax.grid(axis="y", color="0.92", linewidth=0.8)
    ax.set_axisbelow(True)
    return ax


def short(name: object) -> str:
    """A name as long as it fits into a figure."""
    text = clean(str(name))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
