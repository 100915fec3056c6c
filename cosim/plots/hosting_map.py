"""Where devices are on a feeder, and how large: a disc per bus and kind, its area the rating."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from agents.prosumer.fleet import Fleet
from cosim.hosting.capacity import Capacity
from cosim.plots.feeder_map import LINE, OPEN
from cosim.plots.map_frame import fit
from cosim.plots.style import COLOURS, GREY, LABEL_SIZE, SMALL_SIZE
from feeders import Feeder
from feeders.sketch import Sketch, sketch_of

__all__ = ["DEVICES", "draw_capacities", "plot_sites"]

DEVICES = {
    "pv_kw": ("PV", COLOURS[5]),
    "hp_kw": ("heat pumps", COLOURS[1]),
    "ev_kw": ("cars", COLOURS[4]),
    "battery_kw": ("batteries", COLOURS[2]),
}
"""Name and colour of each kind, by the column of a fleet."""

_NOTHING = Fleet([], np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0))
_LARGEST_PT = 26.0  # width of the disc of the largest rating


def plot_sites(ax: Axes, sketch: Sketch, feeder: Feeder, fleet: Fleet, largest_kw: float | None = None) -> Axes:
    """Draw a feeder and what of each device is at each bus.

    Parameters
    ----------
    ax : Axes
        Its limits are set.
    sketch : Sketch
        Where the buses are.
    feeder : Feeder
    fleet : Fleet
    largest_kw : float, optional
        Rating of the largest disc, to compare maps; by default the largest at a bus.
    """
    fit(ax, sketch)
    ax.set_axis_off()
    for closed, colour, style in ((True, LINE, "-"), (False, OPEN, "--")):
        paths = [path for path, on in zip(sketch.paths, sketch.closed, strict=True) if on == closed]
        finite = [path for path in paths if np.isfinite(path).all()]
        ax.add_collection(LineCollection(finite, colors=colour, linewidths=0.9, linestyles=style, zorder=1))
    ax.scatter(sketch.x[sketch.source], sketch.y[sketch.source], s=60, marker="s", color="black", zorder=2)
    largest = largest_kw or largest_site_kw(feeder, fleet) or 1.0
    for column in DEVICES:
        kw = _per_bus(feeder, fleet, column)
        at = np.argsort(-kw)[: int((kw > 0).sum())]
        sizes = kw[at] / largest * _LARGEST_PT**2
        colour = DEVICES[column][1]
        ax.scatter(sketch.x[at], sketch.y[at], s=sizes, color=colour, alpha=0.65, lw=0.5, ec="black", zorder=3)
    return ax


def draw_capacities(feeder: Feeder, capacities: list[Capacity]) -> Figure:
    """Maps of the sited devices of several answers, side by side, on one scale."""
    sketch = sketch_of(feeder)
    fleets = [found.fleet for found in capacities]
    largest = max((largest_site_kw(feeder, fleet) for fleet in fleets if fleet is not None), default=0.0)
    figure = Figure(figsize=(6.5 * len(capacities), 5.2), layout="constrained")
    for ax, found in zip(figure.subplots(1, len(capacities), squeeze=False)[0], capacities, strict=True):
        fleet = _NOTHING if found.fleet is None else found.fleet
        plot_sites(ax, sketch, feeder, fleet, largest)
        ax.set_title(_title(found), fontsize=LABEL_SIZE)
    handles = [_disc(name, colour) for name, colour in DEVICES.values()]
    label = f"largest disc: {largest:.3g} kW, areas in proportion"
    figure.legend(
        handles=[*handles, Line2D([], [], ls="", label=label)],
        loc="outside lower center",
        ncols=5,
        fontsize=SMALL_SIZE,
        frameon=False,
    )
    return figure


def largest_site_kw(feeder: Feeder, fleet: Fleet) -> float:
    """The largest rating of a kind at one bus [kW]."""
    return max(float(_per_bus(feeder, fleet, column).max(initial=0.0)) for column in DEVICES)


def _per_bus(feeder: Feeder, fleet: Fleet, column: str) -> np.ndarray:
    place = feeder.bus_positions(fleet.bus.astype(int).tolist())
    return np.bincount(place, weights=getattr(fleet, column), minlength=feeder.n_buses)


def _title(found: Capacity) -> str:
    if not found.base_feasible:
        return f"{found.mode}: base case infeasible\n{found.stop}"
    return f"{found.mode}: {100 * found.level:.4g} % {found.der}, {found.kw:,.0f} kW\nnext step: {found.stop}"


def _disc(name: str, colour: str) -> Line2D:
    return Line2D([], [], ls="", marker="o", ms=7, mfc=colour, mec=GREY, alpha=0.8, label=name)
