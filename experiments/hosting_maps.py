"""Maps of where devices are, as studies of hosting capacity draw them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from agents.prosumer.fleet import Fleet
from cosim.hosting import Der
from cosim.plots import COLOURS
from experiments.hosting_cases import WORDS
from feeders.feeder import Feeder
from feeders.sketch import Sketch, sketch_of

__all__ = ["maps_figure", "sited_kw"]

Array = npt.NDArray[np.float64]

_LABEL, _SMALL = 9, 7.5
_COLOUR: dict[Der, str] = {"pv": COLOURS[5], "battery": COLOURS[2], "ev": COLOURS[3], "hp": COLOURS[1]}
_LARGEST = 320.0  # area of the largest circle [pt^2]


def sited_kw(feeder: Feeder, fleet: Fleet, der: Der) -> Array:
    """Rating of one kind of device at each bus [kW], shape (n_buses,)."""
    found = np.zeros(feeder.n_buses)
    np.add.at(found, feeder.bus_positions(fleet.bus.tolist()), getattr(fleet, f"{der}_kw"))
    return found


def maps_figure(feeder: Feeder, panels: Mapping[str, tuple[Fleet, Der]], columns: int = 2) -> Figure:
    """Figs. 3 and 13 of the source: a map for each fleet, circles with areas as the ratings at the buses.

    All panels of one kind of device share a scale; the largest circle is said.
    """
    sketch = sketch_of(feeder)
    sited = {title: sited_kw(feeder, fleet, der) for title, (fleet, der) in panels.items()}
    largest = {der: max(kw.max() for kw, (_, d) in zip(sited.values(), panels.values(), strict=True) if d == der)
               for _, der in panels.values()}  # fmt: skip
    n_rows = -(-len(panels) // columns)
    figure = Figure(figsize=(3.6 * columns, 0.2 + 3.0 * n_rows), layout="constrained")
    axes = figure.subplots(n_rows, columns, squeeze=False)
    for ax in axes.flat[len(panels) :]:
        ax.set_visible(False)
    for ax, (title, (_, der)) in zip(axes.flat, panels.items(), strict=False):
        _map(ax, sketch, sited[title], largest[der], der)
        n_nodes = int((sited[title] > 0).sum())
        words = f"{sited[title].sum():,.0f} kW of {WORDS[der]} at {n_nodes} buses, most {sited[title].max():,.0f} kW"
        ax.set_title(f"{title}\n{words}", fontsize=_SMALL, loc="left")
    return figure


def _map(ax: Axes, sketch: Sketch, kw: Array, largest_kw: float, der: Der) -> None:
    drawn = [
        path for path, closed in zip(sketch.paths, sketch.closed, strict=True) if closed and np.isfinite(path).all()
    ]
    ax.add_collection(LineCollection(drawn, colors="#8C8C8C", linewidths=0.8, zorder=1))
    ax.plot(sketch.x[sketch.source], sketch.y[sketch.source], "s", color="black", markersize=5, zorder=3)
    at = kw > 0
    area = _LARGEST * kw[at] / largest_kw if largest_kw > 0 else kw[at]
    ax.scatter(
        sketch.x[at], sketch.y[at], s=area, color=_COLOUR[der], alpha=0.75, linewidths=0.4, edgecolors="black", zorder=2
    )
    if sketch.geographic:
        ax.set_aspect("equal")
    ax.margins(0.06)
    ax.autoscale_view()
    ax.set_axis_off()
