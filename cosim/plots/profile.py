"""Voltage against electrical distance: how far along the feeder the band is used up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection

from agents.prosumer import VoltageBand
from cosim.plots.data import FeederState, Homes
from cosim.plots.feeder_map import CHOSEN
from cosim.plots.style import COLOURS, GREY, MARKERS, SCREEN_SIZE
from feeders.sketch import Sketch

__all__ = ["FeederProfile", "plot_profile"]

Array = npt.NDArray[np.float64]

_MARGIN_PU = 0.01
_STEP_PU = 0.02
_TICKS_PU = (0.01, 0.02, 0.05, 0.1, 0.2)
_HOME_PT2, _BUS_PT2 = 26.0, 5.0
_HOLLOW = 1.8  # areas of hollow markers, which go around full ones
_ZONES = {"dead band": "#FFFFFF", "droop": "#F1F1F1", "beyond": "#DCDCDC"}  # the darker, the worse


class FeederProfile:
    """Voltages by distance that are drawn once, and then only move.

    The range of voltages holds both limits and grows in steps of 0.02 p.u., never shrinks, so that nothing jumps back.

    Parameters
    ----------
    ax : Axes
        Where to draw; empty.
    sketch : Sketch
        What joins the buses.
    distance_ohm : array, shape (n_buses,)
        Electrical distance of each bus [ohm].
    band : VoltageBand
        Limits and dead band.
    labels : sequence of str
        What is compared, e.g. rules: a colour and a marker each.
    """

    def __init__(self, ax: Axes, sketch: Sketch, distance_ohm: Array, band: VoltageBand, labels: Sequence[str]) -> None:
        self.ax, self.distance_ohm, self.band = ax, distance_ohm, band
        self._range_pu = (band.vm_min_pu - _MARGIN_PU, band.vm_max_pu + _MARGIN_PU)
        self._ends = sketch.ends[sketch.closed]
        self._draw_zones()
        self._lines: dict[str, LineCollection] = {}
        self._buses: dict[str, PathCollection] = {}
        for index, label in enumerate(labels):
            colour = COLOURS[index % len(COLOURS)]
            lines = LineCollection([], colors=colour, linewidths=0.8, alpha=0.6, zorder=3)
            ax.add_collection(lines, autolim=False)
            self._lines[label] = lines
            self._buses[label] = ax.scatter(
                distance_ohm,
                np.full_like(distance_ohm, np.nan),
                marker=MARKERS[index % len(MARKERS)],
                facecolor=colour if index % 2 == 0 else "none",  # seen behind one another, and apart in grey
                edgecolor=colour,
                linewidth=1.1,
                zorder=4 + index,
                label=label,
            )
        self._chosen = ax.axvline(np.nan, color=CHOSEN, linewidth=1.4, zorder=2.6)
        self._set_axes()

    def update(
        self, states: Mapping[str, FeederState | Array], homes: Homes | None = None, chosen: int | None = None
    ) -> None:
        """Show another moment; see `plot_profile`.

        Raises
        ------
        KeyError
            For a label that was not announced.
        """
        sizes = np.full(len(self.distance_ohm), _BUS_PT2 if homes is not None else _HOME_PT2 / 2)
        if homes is not None:
            sizes[homes.place] = _HOME_PT2
        for index, (label, state) in enumerate(states.items()):
            vm_pu = state.vm_pu if isinstance(state, FeederState) else state
            points = np.column_stack([self.distance_ohm, vm_pu])
            points = np.where(np.isfinite(points).all(axis=1, keepdims=True), points, np.nan)
            segments = points[self._ends]
            self._lines[label].set_segments(list(segments[np.isfinite(segments).all(axis=(1, 2))]))
            self._buses[label].set_offsets(points)
            self._buses[label].set_sizes(sizes * (1 if index % 2 == 0 else _HOLLOW))
            self._grow(vm_pu[np.isfinite(vm_pu)])
        at = np.nan if homes is None or chosen is None else homes.distance_ohm[chosen]
        self._chosen.set_xdata([at, at])

    def _grow(self, vm_pu: Array) -> None:
        if len(vm_pu):
            low, high = self._range_pu
            below = np.ceil(max(low - vm_pu.min(), 0.0) / _STEP_PU) * _STEP_PU
            above = np.ceil(max(vm_pu.max() - high, 0.0) / _STEP_PU) * _STEP_PU
            if below or above:
                self._range_pu = (low - below, high + above)
                self._set_range()

    def _set_range(self) -> None:
        low, high = self._range_pu
        self.ax.set_ylim(low, high)
        every = next((step for step in _TICKS_PU if high - low <= 7 * step), _TICKS_PU[-1])
        ticks = np.arange(np.ceil(low / every - 1e-6), np.floor(high / every + 1e-6) + 1) * every
        self.ax.set_yticks(ticks, [f"{tick:.2f}" for tick in ticks])

    def _draw_zones(self) -> None:
        band, ax = self.band, self.ax
        ax.set_facecolor(_ZONES["beyond"])
        ax.axhspan(band.vm_min_pu, band.vm_max_pu, color=_ZONES["droop"], zorder=0, linewidth=0)
        ax.axhspan(1 - band.dead_pu, 1 + band.dead_pu, color=_ZONES["dead band"], zorder=0.1, linewidth=0)
        labels = {band.vm_max_pu: f"limit {band.vm_max_pu:g}", band.vm_min_pu: f"limit {band.vm_min_pu:g}"}
        for limit in labels:
            ax.axhline(limit, color="black", linewidth=1.3, linestyle=(0, (6, 3)), zorder=1)
        for vm_pu, text in (labels | {1.0: "dead band"}).items():
            place: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center", "annotation_clip": False}
            ax.annotate(text, (1.006, vm_pu), fontsize=SCREEN_SIZE, color="black" if vm_pu != 1.0 else GREY, **place)

    def _set_axes(self) -> None:
        known = self.distance_ohm[np.isfinite(self.distance_ohm)]
        longest = float(known.max()) if len(known) and known.max() > 0 else 1.0
        self.ax.set_xlim(-0.015 * longest, 1.02 * longest)
        self.ax.locator_params(axis="x", nbins=7)
        self.ax.set_xlabel("electrical distance from the source (ohm)", fontsize=SCREEN_SIZE, labelpad=2)
        self.ax.set_ylabel("voltage (p.u.)", fontsize=SCREEN_SIZE)
        self.ax.tick_params(labelsize=SCREEN_SIZE)
        for side in ("top", "right"):
            self.ax.spines[side].set_visible(False)
        self._set_range()
        if len(self._buses) > 1 or any(self._buses):
            self._add_legend()

    def _add_legend(self) -> None:
        legend = self.ax.legend(
            fontsize=SCREEN_SIZE,
            ncols=len(self._buses),
            frameon=False,
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            borderaxespad=0.0,
            handletextpad=0.2,
            columnspacing=1.4,
        )
        for handle in legend.legend_handles:
            if isinstance(handle, PathCollection):
                handle.set_sizes([2 * _HOME_PT2])


def plot_profile(
    ax: Axes,
    sketch: Sketch,
    distance_ohm: Array,
    states: Mapping[str, FeederState | Array],
    band: VoltageBand,
    homes: Homes | None = None,
    chosen: int | None = None,
) -> Axes:
    """Voltage against electrical distance, a colour and a marker per label, the feeder's edges as thin lines.

    The dead band is white, where rules act between it and the limits light grey, beyond the limits darker. Some 70 px
    are wanted to the right of the axes for the names of the limits, and 20 px above for the labels.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    sketch : Sketch
        What joins the buses.
    distance_ohm : array, shape (n_buses,)
        Electrical distance of each bus [ohm].
    states : mapping of str to FeederState or array, shape (n_buses,)
        Voltages [p.u.] by label; a bus without supply is left out.
    band : VoltageBand
        Limits and dead band.
    homes : Homes, optional
        The prosumers: their buses have large markers, others small ones.
    chosen : int, optional
        Row of the one whose distance is marked.
    """
    FeederProfile(ax, sketch, distance_ohm, band, list(states)).update(states, homes, chosen)
    return ax
