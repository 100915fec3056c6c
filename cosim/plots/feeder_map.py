"""A feeder at one moment as a map: voltage as colour, loading as width, prosumers as markers that say what they do."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.path import Path
from matplotlib.transforms import IdentityTransform

from agents.prosumer import VoltageBand
from cosim.plots.data import FeederState, Homes
from cosim.plots.glyphs import CIRCLE, DOWN, FILLS, SHAPES, UP, WAVE, home_glyphs, windings
from cosim.plots.map_frame import fit, home_places, marker_px
from cosim.plots.scale_bar import ScaleBar
from cosim.plots.style import GREY
from cosim.plots.voltage_colours import voltage_colours
from feeders.sketch import Sketch

__all__ = ["CHOSEN", "OVERLOAD", "FeederMap", "edge_widths", "plot_feeder"]

Array = npt.NDArray[np.float64]

CHOSEN = "#AA3377"
LINE, OPEN, OVERLOAD = "#8C8C8C", "#B5B5B5", "#000000"
_THIN, _FULL, _OVER = 0.9, 4.0, 5.5  # line widths [pt]: without load, at the rating, above it
_PT_PER_PX = 0.72  # of 1/100 inch


class FeederMap:
    """A map that is drawn once, and then only changes its colours, widths and markers.

    `update` takes a small part of the time that drawing it anew would. Limits are set to fit the axes, which should
    keep their size from then on; no axis is shown.

    Parameters
    ----------
    ax : Axes
        Where to draw; empty.
    sketch : Sketch
        Where.
    band : VoltageBand
        Limits and dead band, for the colours.
    """

    def __init__(self, ax: Axes, sketch: Sketch, band: VoltageBand) -> None:
        self.ax, self.sketch, self.band = ax, sketch, band
        self._place: npt.NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self.home_xy: Array = np.empty((0, 2))
        scale = fit(ax, sketch)
        ax.set_axis_off()
        self._drawn = [edge for edge, path in enumerate(sketch.paths) if sketch.closed[edge] and _finite(path)]
        ties = [path for path, closed in zip(sketch.paths, sketch.closed, strict=True) if not closed and _finite(path)]
        ax.add_collection(LineCollection(ties, colors=OPEN, linewidths=1.0, linestyles=[(0, (4, 3))], zorder=1))
        self._lines = LineCollection([], capstyle="round", joinstyle="round", zorder=2)
        ax.add_collection(self._lines)
        xy = np.column_stack([sketch.x, sketch.y])
        self._trafos = [edge for edge in self._drawn if sketch.element[edge] == "trafo"]
        middles = [_middle(sketch.paths[edge], scale) for edge in self._trafos]
        rings = [windings(angle) for _, angle in middles]
        self._rings = self._markers(rings, [point for point, _ in middles], 3, facecolors="white", linewidths=1.0)
        self._buses = self._markers([CIRCLE], xy, 4)
        self._grids = self._markers([CIRCLE], xy[sketch.source], 5, edgecolors="black", linewidths=1.5)
        waves = self._markers([WAVE], xy[sketch.source], 6, facecolors="none", edgecolors="black", linewidths=1.3)
        self._homes = self._markers([], np.empty((0, 2)), 7, edgecolors="black", linewidths=0.8)
        self._ring = self._markers([CIRCLE], np.empty((0, 2)), 8, facecolors="none", edgecolors=CHOSEN, linewidths=2.4)
        for markers, px in ((self._rings, 9.0), (self._grids, 17.0), (waves, 17.0)):
            markers.set_sizes([self._area(px)])
        self._bar = ScaleBar(ax, float(scale[0])) if sketch.geographic else None

    def update(self, state: FeederState, homes: Homes | None = None, chosen: int | None = None) -> None:
        """Show another moment.

        Parameters
        ----------
        state : FeederState
            Voltages and loadings.
        homes : Homes, optional
            The prosumers, around their buses.
        chosen : int, optional
            Row of the one to ring.
        """
        self._move_homes(homes)
        self._show_edges(state)
        self._show_buses(state.vm_pu)
        if homes is not None:
            shapes, fills = home_glyphs(homes)
            self._homes.set_paths([SHAPES[shape] for shape in shapes])
            self._homes.set_facecolor([FILLS[fill] for fill in fills])
        self._ring.set_offsets(self.home_xy[[] if chosen is None else [chosen]])

    def _move_homes(self, homes: Homes | None) -> None:
        place = np.empty(0, dtype=np.int64) if homes is None else homes.place
        self._px = marker_px(self.ax, len(self.sketch.x) + len(place))
        if not np.array_equal(place, self._place):
            self._place = place.copy()
            self.home_xy = home_places(self.ax, self.sketch, place)
            self._homes.set_offsets(self.home_xy)
            if self._bar is not None:
                self._bar.update(float(self.ax.bbox.width / np.diff(self.ax.get_xlim())[0]))
        self._homes.set_sizes([self._area(self._px)])
        self._ring.set_sizes([self._area(2.2 * self._px)])

    def _show_edges(self, state: FeederState) -> None:
        widths, over = edge_widths(self.sketch, state)
        drawn = np.array(self._drawn, dtype=np.int64)
        order = drawn[np.argsort(widths[drawn], kind="stable")]  # where branches begin together the widest shows
        self._lines.set_segments([self.sketch.paths[edge] for edge in order])
        self._lines.set_linewidth(widths[order].tolist())
        self._lines.set_color(np.where(over[order], OVERLOAD, LINE).tolist())
        self._rings.set_edgecolor(np.where(over[self._trafos], OVERLOAD, GREY).tolist())

    def _show_buses(self, vm_pu: Array) -> None:
        low, high = vm_pu < self.band.vm_min_pu, vm_pu > self.band.vm_max_pu
        order = np.argsort(low | high, kind="stable")  # those beyond the limits on top
        shapes = np.where(high, 1, np.where(low, 2, 0))[order]
        colours: Any = voltage_colours(vm_pu, self.band)
        self._buses.set_offsets(np.column_stack([self.sketch.x, self.sketch.y])[order])
        self._buses.set_paths([(CIRCLE, UP, DOWN)[shape] for shape in shapes])
        self._buses.set_facecolor(colours[order])
        dead = np.isnan(vm_pu)[order]
        self._buses.set_edgecolor(np.where(dead, "#999999", "#333333").tolist())
        self._buses.set_linewidth(np.where(dead, 1.2, 0.7).tolist())
        self._buses.set_sizes(self._area(self._px) * np.where(shapes > 0, 1.4, 1.1))
        self._grids.set_facecolor(colours[self.sketch.source])

    def _markers(self, paths: list[Path], xy: npt.ArrayLike, zorder: float, **style: Any) -> PathCollection:
        """Markers in pixels at places in data coordinates."""
        offsets = np.asarray(xy, dtype=float).reshape(-1, 2)
        markers = PathCollection(paths, offsets=offsets, offset_transform=self.ax.transData, zorder=zorder, **style)
        markers.set_transform(IdentityTransform())
        self.ax.add_collection(markers, autolim=False)
        return markers

    def _area(self, px: float) -> float:
        """Size [pt^2] of a marker this wide."""
        return (px * _PT_PER_PX) ** 2


def plot_feeder(
    ax: Axes,
    sketch: Sketch,
    state: FeederState,
    band: VoltageBand,
    homes: Homes | None = None,
    chosen: int | None = None,
) -> Axes:
    """A feeder at one moment, as a map.

    Buses are coloured by voltage (`plot_voltage_scale` draws the scale): circles, but triangles that point up or down
    beyond the limits; hollow and grey without supply. Lines and transformers are as wide as they are loaded, black
    above their rating, thin where the rating is unknown; ties that are open are dashed. External grids are large
    circles with a wave. Each prosumer has a marker beside its bus (`plot_feeder_key` draws the key). Where the map is
    on the ground, a bar says how long a distance is.

    Parameters
    ----------
    ax : Axes
        Where to draw. Its limits are set; its place in the figure stays.
    sketch : Sketch
        Where the buses are.
    state : FeederState
        Voltages [p.u.] and loadings.
    band : VoltageBand
        Limits and dead band, for the colours.
    homes : Homes, optional
        The prosumers.
    chosen : int, optional
        Row of the prosumer to ring.
    """
    FeederMap(ax, sketch, band).update(state, homes, chosen)
    return ax


def edge_widths(sketch: Sketch, state: FeederState) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Line width of each edge [pt], and whether it is loaded above its rating."""
    loading = np.full(len(sketch.ends), np.nan)
    for element, values in (("line", state.line_loading), ("trafo", state.trafo_loading)):
        at = np.array([kind == element for kind in sketch.element], dtype=bool)
        loading[at] = values[sketch.number[at]]
    over = loading > 1
    known = np.nan_to_num(np.minimum(loading, 1.0))
    return np.where(over, _OVER, _THIN + (_FULL - _THIN) * known), over


def _finite(path: Array) -> bool:
    return bool(np.isfinite(path).all())


def _middle(path: Array, scale: Array) -> tuple[Array, float]:
    """Middle of the longest straight part, and its angle on the screen [rad]."""
    steps = np.diff(path, axis=0) * scale
    at = int(np.argmax(np.hypot(*steps.T)))
    return (path[at] + path[at + 1]) / 2, float(np.arctan2(steps[at, 1], steps[at, 0]))
