"""What rules leave in whose wallet: measures by prosumer, in the order of their distance from the source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cosim.plots.panels import (
    draw_level,
    extremes,
    legend_strip,
    number,
    panels_of,
    prepared,
    round_up,
    value_axis,
)
from cosim.plots.still import SMALL, TEXT
from cosim.plots.style import COLOURS, GREY, MARKERS

__all__ = ["plot_by_prosumer", "plot_wallets"]

Array = npt.NDArray[np.float64]

GAIN_KEPT_PERCENT = (-100.0, 120.0)  # of no great gain to keep a share may be anything
_LOSSES_PERCENT = (10.0, 20.0, 50.0, 100.0, 200.0)  # upper ends of the axis of LCG, which may be anything as well
_PAIRS = 100.0  # lines between pairs that may be drawn in full
_EDGE = 0.11  # room beyond a limit, of the range, for the number of those that lie there
_SECOND = 0.75  # size of the second marker, of the first's
_SPACE_PX = 6  # between two names


def plot_by_prosumer(
    ax: Axes,
    values: Mapping[str, Array],
    label: str,
    *,
    names: Sequence[str] = (),
    limits: tuple[float, float] | None = None,
    levels: Sequence[float] = (0.0,),
    missing: str = "not known",
) -> Axes:
    """One measure of each prosumer, in the order given, under one or two rules; a thin line pairs the two.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    values : mapping of str to array, shape (n,)
        The measure by the rules' labels, from the prosumer nearest to the source to the farthest. NaN is left out, and
        the number of prosumers without a value is said.
    label : str
        Name of the measure, with its unit.
    names : sequence of str, optional
        Names of the prosumers, which stand below them where they have room; else their ranks.
    limits : pair of float, optional
        Ends of the axis. What lies beyond is drawn at the end as a triangle that points there, and counted. Without,
        round numbers that enclose zero and all values.
    levels : sequence of float
        Values with a line across.
    missing : str
        What it means that a prosumer has no value.
    """
    prepared(ax, label)
    columns = list(values.values())
    n = len(columns[0])
    low, high = limits or _round_range(columns)
    for level in levels:
        draw_level(ax, level, color=GREY, linewidth=0.8, zorder=0.5)
    ranks = np.arange(1.0, n + 1)
    inside = [np.clip(column, low, high) for column in columns]
    _draw_pairs(ax, ranks, inside)
    size = float(np.clip(0.55 * ax.bbox.width / max(n, 1), 2.5, 7.0))
    for place, (column, shown) in enumerate(zip(columns, inside, strict=True)):
        _draw_markers(ax, ranks, column, shown, place, size)
    if limits is not None:
        _say_beyond(ax, values, low, high)
    _prosumer_axis(ax, n, names)
    unknown = int(np.isnan(columns).any(axis=0).sum()) if n else 0
    ax.set_title(f"{missing}: {unknown} of {n}" if unknown else "", loc="right", fontsize=SMALL, y=1.0, pad=4)
    room = 0.0 if limits is None else _EDGE * (high - low)
    value_axis(ax, low - room, high + room, within=(low, high))
    return ax


def plot_wallets(figure: Figure, wallets: pd.DataFrame, labels: Sequence[str]) -> Figure:
    """Gain kept, loss of consumer gain and curtailed energy by prosumer, in three panels at fixed places of a figure.

    The figure is emptied. Readable from 1000 x 340 pixels on.

    Parameters
    ----------
    figure : Figure
        Where to draw; one that was drawn on by this function before costs less.
    wallets : DataFrame
        One row per prosumer, in the order of their distance from the source: ``prosumer``, and for each label by its
        place s ``gain_kept_percent_s``, ``lcg_percent_s`` and ``tce_kwh_s``.
    labels : sequence of str
        Names of one or two rules.
    """
    names = wallets["prosumer"].astype(str).tolist()

    def of(measure: str) -> dict[str, Array]:
        return {label: wallets[f"{measure}_{s}"].to_numpy(float) for s, label in enumerate(labels)}

    gain, loss, curtailed = panels_of(figure, 1, 3)
    kept, lost = of("gain_kept_percent"), of("lcg_percent")
    plot_by_prosumer(
        gain, kept, "gain kept (%)", names=names, limits=GAIN_KEPT_PERCENT, levels=(0, 100), missing="no gain to keep"
    )
    most = extremes(lost.values())[1]
    end = next((end for end in _LOSSES_PERCENT if most <= end), _LOSSES_PERCENT[-1])
    levels = (0, 100) if end >= 100 else (0,)
    title, limits = "loss of consumer gain (%)", (-end / 5, end)
    plot_by_prosumer(loss, lost, title, names=names, limits=limits, levels=levels, missing="no cost")
    plot_by_prosumer(curtailed, of("tce_kwh"), "curtailed PV (kWh)", names=names)
    marks = [{**_sign(place), "markersize": 7} for place in range(len(labels))]
    legend_strip(figure, "so far, by prosumer", list(zip(marks, labels, strict=True)))
    return figure


def _round_range(columns: Sequence[Array]) -> tuple[float, float]:
    """Round ends, and no value beyond them, not even by rounding."""
    least, most = extremes(columns)
    low, high = 0.0 - round_up(-least), round_up(most)
    return min(low, least), max(high if high > low else 1.0, most)


def _draw_pairs(ax: Axes, ranks: Array, columns: Sequence[Array]) -> None:
    """Lines between the values of the first two rules, where both have one."""
    both = np.isfinite(columns[:2]).all(axis=0)
    if len(columns) > 1 and both.any():
        ends = np.stack([np.column_stack([ranks[both], column[both]]) for column in columns[:2]], axis=1)
        faint = min(0.7, _PAIRS / len(ends))  # or many would make a surface
        ax.add_artist(LineCollection(list(ends), colors=GREY, linewidths=0.7, alpha=faint, zorder=1.5))


def _draw_markers(ax: Axes, ranks: Array, column: Array, shown: Array, place: int, size: float) -> None:
    """What has a value, at its value or at the end of the axis beyond which it lies."""
    look, second = _sign(place), place > 0
    beyond = np.abs(column - shown) > 0
    usual = np.isfinite(column) & ~beyond
    own = size * (_SECOND if second else 1.0)  # the first is seen around the second
    ax.add_artist(Line2D(ranks[usual], shown[usual], markersize=own, zorder=2 + place, **look))
    if second:
        look["markerfacecolor"] = "none"
    for marker, there in (("^", column > shown), ("v", column < shown)):
        if there.any():
            look["marker"] = marker
            ax.add_artist(Line2D(ranks[there], shown[there], markersize=size + 2, zorder=2 + place, **look))


def _sign(place: int) -> dict[str, Any]:
    """The marker of a rule by its place: filled, then hollow, so that two are told apart in grey too."""
    colour = COLOURS[place % len(COLOURS)]
    face = "white" if place else colour
    marker = MARKERS[place % len(MARKERS)]
    return {"color": colour, "marker": marker, "markerfacecolor": face, "markeredgewidth": 0.9, "linestyle": ""}


def _say_beyond(ax: Axes, values: Mapping[str, Array], low: float, high: float) -> None:
    """How many lie beyond either end, by rule."""
    for y, va, end, beyond in (
        (0.99, "top", f"above {number(high)}", {label: int((column > high).sum()) for label, column in values.items()}),
        (
            0.01,
            "bottom",
            f"below {number(low)}",
            {label: int((column < low).sum()) for label, column in values.items()},
        ),
    ):
        if any(beyond.values()):
            counts = ", ".join(f"{label} {count}" for label, count in beyond.items() if count)
            ax.text(0.5, y, f"{end}: {counts}", transform=ax.transAxes, ha="center", va=va, fontsize=SMALL)


def _prosumer_axis(ax: Axes, n: int, names: Sequence[str]) -> None:
    """The horizontal axis: names where each has room, else ranks."""
    ax.set_xlim(0.5, max(n, 1) + 0.5)
    room = ax.bbox.width / max(n, 1) - _SPACE_PX
    longest = max(map(len, names), default=0) * 0.6 * SMALL * ax.figure.dpi / 72
    if names and longest <= room:
        ax.set_xticks(np.arange(1, n + 1), list(names))
        ax.set_xlabel("near \N{RIGHTWARDS ARROW} far from the source", fontsize=TEXT, labelpad=1)
        return
    every = next(e for e in (m * 10**p for p in range(9) for m in (1, 2, 5)) if n / e <= 5)
    ticks = [1, *range(every, n + 1, every)] if every > 1 else list(range(1, n + 1))
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.set_xlabel("near \N{RIGHTWARDS ARROW} far, rank by distance", fontsize=TEXT, labelpad=1)
