"""Maps of where devices are, as the study of hosting capacity draws them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from agents.prosumer.fleet import RATINGS, Fleet
from cosim.hosting import Der
from cosim.plots.hosting_map import plot_sites
from experiments.hosting_cases import WORDS
from feeders.feeder import Feeder
from feeders.sketch import sketch_of

__all__ = ["maps_figure", "sited_kw"]

Array = npt.NDArray[np.float64]

_SMALL = 7.5


def sited_kw(feeder: Feeder, fleet: Fleet, der: Der) -> Array:
    """Rating of one kind of device at each bus [kW], shape (n_buses,)."""
    place = feeder.bus_positions(fleet.bus.tolist())
    return np.bincount(place, weights=getattr(fleet, f"{der}_kw"), minlength=feeder.n_buses).astype(float)


def maps_figure(feeder: Feeder, panels: Mapping[str, tuple[Fleet, Der]], columns: int = 2) -> Figure:
    """Figs. 3 and 13 of the source: a map of one kind of device for each fleet, discs with areas as the ratings.

    Panels of one kind of device share a scale; the largest rating is said.
    """
    sketch = sketch_of(feeder)
    sited = {title: sited_kw(feeder, fleet, der) for title, (fleet, der) in panels.items()}
    largest: dict[Der, float] = {}
    for title, (_, der) in panels.items():
        largest[der] = max(largest.get(der, 0.0), float(sited[title].max()))
    n_rows = -(-len(panels) // columns)
    figure = Figure(figsize=(3.6 * columns, 0.2 + 3.0 * n_rows), layout="constrained")
    axes = figure.subplots(n_rows, columns, squeeze=False)
    for ax in axes.flat[len(panels) :]:
        ax.set_visible(False)
    for ax, (title, (fleet, der)) in zip(axes.flat, panels.items(), strict=False):
        plot_sites(ax, sketch, feeder, _only(fleet, der), largest[der])
        kw = sited[title]
        words = f"{kw.sum():,.0f} kW of {WORDS[der]} at {int((kw > 0).sum())} buses, most {kw.max():,.0f} kW"
        ax.set_title(f"{title}\n{words}", fontsize=_SMALL, loc="left")
    return figure


def _only(fleet: Fleet, der: Der) -> Fleet:
    """The fleet without all other devices."""
    return fleet.with_ratings(**{name: np.zeros(len(fleet)) for name in RATINGS if name != f"{der}_kw"})
