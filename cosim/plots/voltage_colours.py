"""Voltages as colours: neutral at 1 p.u., blue below and red above, saturated at once beyond the limits."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba_array

from agents.prosumer import VoltageBand
from cosim.plots.style import GREY, SCREEN_SIZE

__all__ = ["ABOVE", "BELOW", "plot_voltage_scale", "voltage_colours"]

Array = npt.NDArray[np.float64]

BELOW, ABOVE = "#08408C", "#B30000"
"""Beyond the limits; as dark as each other in grey, where the markers' direction tells them apart."""
_WITHIN = ("#67A9CF", "#D1E5F0", "#F9F9F9", "#FDDBC7", "#EF8A62")  # lower limit, dead band, 1, dead band, upper limit
_BEYOND = 0.16  # of the scale, at each end
_APART = 0.075  # of the scale, from one label to the next


def voltage_colours(vm_pu: Array, band: VoltageBand) -> Array:
    """Colours of voltages, shape (n, 4), RGBA in [0, 1]; transparent where there is none.

    From one of these voltages to the next the colour changes in equal steps: the lower limit, the lower end of the
    dead band, 1 p.u., its upper end, the upper limit. At the limits themselves it jumps.
    """
    anchors = to_rgba_array(list(_WITHIN))
    at = [band.vm_min_pu, 1 - band.dead_pu, 1.0, 1 + band.dead_pu, band.vm_max_pu]
    found = np.column_stack([np.interp(vm_pu, at, channel) for channel in anchors.T])
    found[vm_pu < band.vm_min_pu] = to_rgba_array(BELOW)[0]
    found[vm_pu > band.vm_max_pu] = to_rgba_array(ABOVE)[0]
    found[np.isnan(vm_pu)] = 0.0
    return found


def plot_voltage_scale(ax: Axes, band: VoltageBand) -> Axes:
    """The colours of voltages, with the limits and the ends of the dead band marked; along the longer side of the axes.

    What lies beyond the limits is said in words beside the voltage's unit. For a vertical scale leave some 80 px to
    the right of the axes, for a horizontal one some 40 px below.
    """
    beyond = _BEYOND / (1 - 2 * _BEYOND) * (band.vm_max_pu - band.vm_min_pu)
    low, high = band.vm_min_pu - beyond, band.vm_max_pu + beyond
    edges = np.linspace(low, high, 512)
    colours = voltage_colours(edges, band)
    lies = ax.bbox.width >= ax.bbox.height
    picture = colours[None] if lies else colours[:, None]
    extent = (low, high, 0.0, 1.0) if lies else (0.0, 1.0, low, high)
    ax.imshow(picture, extent=extent, aspect="auto", origin="lower", interpolation="nearest")
    dead = (1 - band.dead_pu, 1 + band.dead_pu)
    mark = ax.axvline if lies else ax.axhline
    for vm_pu in (band.vm_min_pu, band.vm_max_pu):
        mark(vm_pu, color="black", linewidth=1.6)
    for vm_pu in dead:
        mark(vm_pu, color=GREY, linewidth=1.0, linestyle=(0, (3, 2)))
    ticks = _apart([band.vm_min_pu, band.vm_max_pu, *dead, 1.0], _APART * (high - low) * (1.6 if lies else 1.0))
    axis, other = (ax.xaxis, ax.yaxis) if lies else (ax.yaxis, ax.xaxis)
    axis.set_ticks(ticks, [f"{tick:.4g}" for tick in ticks])
    other.set_ticks([])
    ax.tick_params(labelsize=SCREEN_SIZE, length=3)
    words = [((low + band.vm_min_pu) / 2, "too low" if lies else "low"), (1.0, "dead band" if lies else "")]
    words.append(((high + band.vm_max_pu) / 2, "too high" if lies else "high"))
    for vm_pu, text in words:
        x, y = (vm_pu, 0.5) if lies else (0.5, vm_pu)
        colour = "#333333" if vm_pu == 1.0 else "white"
        ax.text(x, y, text, color=colour, fontsize=SCREEN_SIZE - 1, ha="center", va="center")
    if lies:
        ax.set_xlabel("voltage (p.u.)", fontsize=SCREEN_SIZE, labelpad=1)
    else:
        ax.yaxis.tick_right()
        ax.yaxis.set_label_position("right")
        ax.set_ylabel("voltage (p.u.)", fontsize=SCREEN_SIZE)
    return ax


def _apart(values: list[float], least: float) -> list[float]:
    """The values, in order, less those that would touch one before them in the list."""
    kept: list[float] = []
    for value in values:
        if all(abs(value - other) >= least for other in kept):
            kept.append(value)
    return sorted(kept)
