"""Figures of a comparison. Each drawing function takes data and an Axes and returns it.

Colours are those of `cosim.plots`, which colour-blind readers can tell apart; markers keep them apart in print.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cosim.compare.disparity import MEASURES
from cosim.compare.intervals import Interval, mean_interval
from cosim.plots import COLOURS

__all__ = [
    "MARKERS",
    "bins_of",
    "disparity_figure",
    "distance_figure",
    "plot_against_distance",
    "plot_by_value",
    "plot_trade_off",
    "trade_off_figure",
]

Array = npt.NDArray[np.float64]

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")
_PANELS = ("spread_points", "worst_tenth_percent", "gini_kept", "jain_kept")
_SMALL, _LABEL = 7.5, 9.0
_GREY = "#666666"
_FEW_PLACES = 12  # distances that are drawn one by one; more are drawn in bins
_BINS = 10
_MOST_POINTS = 400  # of one value; more hide one another, and the band says where they are
_WIDEST = 36  # letters that fit side by side under a panel
_KEPT_RANGE = (-100.0, 200.0)  # of gain kept [%]; the axis goes no farther for single prosumers
_NAMES = {"none": "no rule", "prc": "PRC", "anrc": "ANRC", "hybrid": "hybrid", "ieee1547-b": "IEEE 1547-B"}


def disparity_figure(measured: pd.DataFrame, by: str, values: Sequence[Any], title: str = "") -> Figure:
    """Spread from head to end, worst-off tenth, Gini and Jain by the value of a field, each in a panel."""
    figure = Figure(figsize=(7.2, 5.4), layout="constrained")
    axes = figure.subplots(2, 2, sharex=True)
    for ax, name in zip(axes.flat, _PANELS, strict=True):
        plot_by_value(ax, _by(measured, by, values, name), MEASURES[name].title)
    for ax in axes[1]:
        ax.set_xlabel(by, fontsize=_LABEL)
    if title:
        figure.suptitle(title, fontsize=_LABEL)
    return figure


def distance_figure(rows: pd.DataFrame, by: str, values: Sequence[Any], title: str = "") -> Figure:
    """Gain kept of single prosumers against their electrical distance, and beneath it their curtailed energy."""
    figure = Figure(figsize=(7.2, 5.6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True)
    edges = bins_of(rows["distance_ohm"].to_numpy(dtype=float))
    distance = _by(rows, by, values, "distance_ohm")
    kept, tce = (_by(rows, by, values, name) for name in ("gain_kept_percent", "tce_kwh"))
    plot_against_distance(upper, distance, kept, edges, _KEPT_RANGE)
    plot_against_distance(lower, distance, tce, edges)
    upper.set_ylabel("gain kept (%)", fontsize=_LABEL)
    lower.set_ylabel("curtailed energy (kWh per prosumer)", fontsize=_LABEL)
    lower.set_xlabel("electrical distance (ohm)", fontsize=_LABEL)
    return _finished(figure, upper, title)


def trade_off_figure(measured: pd.DataFrame, by: str, values: Sequence[Any], title: str = "") -> Figure:
    """Voltage correction against consumer loss: CVC taken away, or CVC where no rule is not there, over gain lost."""
    figure = Figure(figsize=(5.4, 4.2), layout="constrained")
    ax = figure.subplots()
    name = "cvc_reduction_percent" if measured["cvc_reduction_percent"].notna().any() else "cvc_pu"
    plot_trade_off(ax, _by(measured, by, values, "gain_lost_percent"), _by(measured, by, values, name))
    ax.set_xlabel("share of the gain from optimisation that consumers lose (%)", fontsize=_LABEL)
    ax.set_ylabel(MEASURES[name].title, fontsize=_LABEL)
    return _finished(figure, ax, title)


def plot_by_value(ax: Axes, values: Mapping[str, Array], label: str) -> Axes:
    """Mean with its 95 % interval of each label, populations beside it as faint points.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    values : mapping of str to array, shape (n_populations,)
        One measure by label; NaN are left out, and a label without any number keeps its place with a dash.
    label : str
        Of the axis, with its unit.
    """
    for place, (name, own) in enumerate(values.items()):
        look, found = _look(place), mean_interval(own)
        known = own[np.isfinite(own)]
        if len(known) > 1:
            x = place + 0.22 + 0.08 * np.sin(2.4 * np.arange(len(known)))  # beside it, so that equal ones stay visible
            ax.plot(x, known, linestyle="none", markersize=3, alpha=_faint(len(known)), **look)
        if found.n:
            ax.errorbar([place], [found.mean], yerr=_bars(found), capsize=4, markersize=5, label=name, **look)
        else:
            at = (place, 0.03)
            ax.annotate("undefined", at, xycoords=("data", "axes fraction"), ha="center", fontsize=_SMALL, color=_GREY)
    ax.set_xlim(-0.5, len(values) - 0.4)
    turned: dict[str, Any] = {"rotation": 30, "ha": "right"} if sum(map(len, values)) > _WIDEST else {}
    ax.set_xticks(range(len(values)), list(values), **turned)
    ax.set_ylabel(label, fontsize=_LABEL)
    return _plain(ax)


def plot_against_distance(
    ax: Axes,
    distance_ohm: Mapping[str, Array],
    values: Mapping[str, Array],
    edges: Array,
    most: tuple[float, float] | None = None,
) -> Axes:
    """Median by distance with a band from the lower to the upper quartile; single prosumers as points where they fit.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    distance_ohm, values : mapping of str to array, shape (n_prosumers,)
        Electrical distance [ohm] and what is drawn over it, by label; NaN are left out.
    edges : array, shape (n_bins + 1,)
        Of the bins, as `bins_of` finds them.
    most : (float, float), optional
        Where the axis may end though single prosumers lie beyond; how many do is then said.
    """
    drawn, points = [np.empty(0)], [np.empty(0)]
    apart = min(0.12, 0.5 / max(1, len(values))) * (float(np.diff(edges).min()) if len(edges) > 1 else 1.0)
    for place, name in enumerate(values):
        known = np.isfinite(values[name]) & np.isfinite(distance_ohm[name])
        x, y = distance_ohm[name][known], values[name][known]
        if not len(x):
            continue
        look, aside = _look(place), apart * (place - (len(values) - 1) / 2)  # so that equal ones stay visible
        at, low, median, high = _quartiles(x, y, edges)
        ax.plot(at + aside, median, linewidth=1.1, markersize=5, label=name, **look)
        ax.fill_between(at + aside, low, high, color=look["color"], alpha=0.15, linewidth=0)
        drawn += [low, high]
        if len(x) <= _MOST_POINTS:
            ax.plot(x + aside, y, linestyle="none", markersize=2.5, alpha=_faint(len(x)), **look)
            drawn.append(y if most is None else np.clip(y, *most))
            points.append(y)
    _fit(ax, np.concatenate(drawn), np.concatenate(points))
    return _plain(ax)


def plot_trade_off(ax: Axes, loss: Mapping[str, Array], correction: Mapping[str, Array]) -> Axes:
    """Mean of each label with 95 % intervals both ways, populations as faint points; NaN in either are left out."""
    for place, name in enumerate(loss):
        known = np.isfinite(loss[name]) & np.isfinite(correction[name])
        x, y = loss[name][known], correction[name][known]
        if not len(x):
            continue
        look, across, up = _look(place), mean_interval(x), mean_interval(y)
        if len(x) > 1:
            ax.plot(x, y, linestyle="none", markersize=3, alpha=_faint(len(x)), **look)
        look |= {"xerr": _bars(across), "yerr": _bars(up), "capsize": 3, "zorder": 3}
        ax.errorbar([across.mean], [up.mean], markersize=5, label=name, **look)
    return _plain(ax)


def bins_of(distance_ohm: Array) -> Array:
    """Edges of bins of distance [ohm]: around each distance where there are few, else of about equally many each."""
    places = np.unique(distance_ohm[np.isfinite(distance_ohm)])
    if len(places) <= _FEW_PLACES:
        middles = (places[1:] + places[:-1]) / 2
        return np.concatenate([places[:1] - 1e-9, middles, places[-1:] + 1e-9])
    edges = np.unique(np.quantile(distance_ohm[np.isfinite(distance_ohm)], np.linspace(0, 1, _BINS + 1)))
    edges[-1] += 1e-9
    return np.asarray(edges, dtype=np.float64)


def _quartiles(x: Array, y: Array, edges: Array) -> tuple[Array, Array, Array, Array]:
    """Mean distance, lower quartile, median and upper quartile of each bin that holds something."""
    place = np.digitize(x, edges)
    found = [(x[place == p].mean(), *np.quantile(y[place == p], (0.25, 0.5, 0.75))) for p in np.unique(place)]
    at, low, median, high = np.array(found).T
    return at, low, median, high


def _by(frame: pd.DataFrame, by: str, values: Sequence[Any], column: str) -> dict[str, Array]:
    return {
        _NAMES.get(str(value), f"{value:.4g}" if isinstance(value, float) else str(value)): frame.loc[
            frame[by] == value, column
        ].to_numpy(dtype=float)
        for value in values
        if (frame[by] == value).any()
    }


def _look(place: int) -> dict[str, Any]:
    return {"color": COLOURS[place % len(COLOURS)], "marker": MARKERS[place % len(MARKERS)]}


def _faint(n: int) -> float:
    return 0.45 if n <= 30 else 0.2


def _bars(found: Interval) -> Array | None:
    return None if np.isnan(found.low) else np.array([[found.mean - found.low], [found.high - found.mean]])


def _fit(ax: Axes, values: Array, points: Array) -> None:
    """End the axis a little beyond the values, and say how many points lie beyond it."""
    if not len(values):
        return
    margin = 0.05 * float(np.ptp(values)) or 1.0
    low, high = float(values.min()) - margin, float(values.max()) + margin
    ax.set_ylim(low, high)
    n_beyond = int(((points < low) | (points > high)).sum())
    if n_beyond:
        said = f"{n_beyond} of {len(points)} prosumers beyond the axis"
        ax.set_title(said, fontsize=_SMALL, loc="right", color=_GREY)


def _finished(figure: Figure, ax: Axes, title: str) -> Figure:
    """Title above the first panel, one legend above all."""
    ax.set_title(title, fontsize=_LABEL, loc="left")
    handles, labels = ax.get_legend_handles_labels()
    figure.legend(handles, labels, fontsize=8, frameon=False, loc="outside upper center", ncols=4)
    return figure


def _plain(ax: Axes) -> Axes:
    ax.tick_params(labelsize=_SMALL)
    ax.grid(axis="y", color="0.92", linewidth=0.8)
    ax.set_axisbelow(True)
    return ax
