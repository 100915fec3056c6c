"""Small panels that are drawn again and again: what they share of axes, ticks, steps and legend.

A page redraws them several times a second. So they have few artists and few ticks, ranges that change in few round
steps, places that do not depend on what is drawn, and frames that are drawn anew only where they change.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch
from matplotlib.text import Text
from matplotlib.typing import LineStyleType

from cosim.plots.still import TEXT, Panel, Strip, dress

__all__ = [
    "DASHED",
    "WIDTHS",
    "draw_level",
    "draw_moment",
    "draw_steps",
    "extremes",
    "hour_axis",
    "legend_strip",
    "number",
    "panels_of",
    "prepared",
    "round_up",
    "value_axis",
]

Array = npt.NDArray[np.float64]

WIDTHS = (2.4, 1.1)  # of lines of the first rule and the second: both are seen where they do the same, and in grey
DASHED: LineStyleType = (0, (3, 2))

_ROUND = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0)
_ROUNDING = 1e-9  # what is smaller is no size of anything drawn here
_TICKS = (1.0, 2.0, 2.5, 5.0, 10.0)
_TICKS_H = (1, 2, 3, 6, 12, 24, 48, 96, 168)
_CHARACTER = 0.58  # width of a character, of the font's size; enough to place a few words in a line
_ROOM = 0.04  # beyond both ends, of the range
_STRIP, _TITLE, _BELOW, _HOURS, _LEFT, _RIGHT = 16, 16, 2, 23, 32, 10  # room around panels [points]


def panels_of(figure: Figure, rows: int, columns: int) -> list[Axes]:
    """Empty axes in rows and columns, row by row, at places that depend on nothing but the figure's size.

    Between them is room for titles and labels of fixed size, above them for `legend_strip`. Where the figure has as
    many axes already they are those, emptied, which costs less than new ones.
    """
    if len(figure.axes) != rows * columns:
        figure.clear()
        for number in range(rows * columns):
            figure.add_subplot(rows, columns, number + 1, axes_class=Panel)
    width, height = figure.get_size_inches() * figure.dpi
    point = figure.dpi / 72
    across, down = width / columns, (height - (_STRIP + _HOURS) * point) / rows
    for number, ax in enumerate(figure.axes):
        row, column = divmod(number, columns)
        for artist in (*ax.patches, *ax.lines, *ax.collections, *ax.texts):
            artist.remove()
        left, wide = column * across + _LEFT * point, across - (_LEFT + _RIGHT) * point
        bottom, high = height - _STRIP * point - (row + 1) * down, down - (_TITLE + _BELOW) * point
        ax.set_position((left / width, (bottom + _BELOW * point) / height, wide / width, high / height))
    return list(figure.axes)


def prepared(ax: Axes, title: str) -> Axes:
    """Axes in the style of all panels: open to the right and the top, a title with the unit in place of a label."""
    if not isinstance(ax, Panel):
        dress(ax)
    ax.set_title(title, loc="left", fontsize=TEXT, y=1.0, pad=4)
    return ax


def draw_level(ax: Axes, value: float, **look: Any) -> None:
    """A line across the axes at a value, which does not count for their range."""
    ax.add_artist(Line2D([0, 1], [value, value], transform=ax.get_yaxis_transform(), **look))


def draw_moment(ax: Axes, hour: float, **look: Any) -> None:
    """A line from the bottom to the top of the axes at a time, which does not count for their range."""
    ax.add_artist(Line2D([hour, hour], [0, 1], transform=ax.get_xaxis_transform(), **look))


def draw_steps(
    ax: Axes, edges: Array, values: Array, *, baseline: Array | None = None, style: LineStyleType = "-", **look: Any
) -> None:
    """Values held from edge to edge, shapes (n,) and (n + 1,), NaN left out; filled to a baseline where there is one.

    Nothing is drawn where all are NaN.
    """
    if baseline is not None:
        baseline = np.where(np.isnan(values), np.nan, baseline)
        values = np.where(np.isnan(baseline), np.nan, values)
        look["baseline"] = baseline
    if np.isfinite(values).any():
        filled = baseline is not None
        ax.add_artist(StepPatch(values, edges, fill=filled, linestyle=style, **{"baseline": None, **look}))


def extremes(columns: Iterable[Array]) -> tuple[float, float]:
    """Least and largest of 0 and all finite values."""
    known = np.concatenate([np.zeros(1), *columns])
    return float(np.nanmin(known)), float(np.nanmax(known))


def round_up(size: float) -> float:
    """The next larger of few round numbers, so that an axis seldom changes; 0 where it is 0 but for rounding."""
    if size < _ROUNDING:
        return 0.0
    power = 10.0 ** np.floor(np.log10(size))
    return float(next(factor * power for factor in _ROUND if factor * power >= size * (1 - 1e-9)))


def value_axis(
    ax: Axes, low: float, high: float, ticks: Array | None = None, within: tuple[float, float] | None = None
) -> None:
    """The vertical axis from `low` to `high` and a little further, with these ticks or a few round ones `within`."""
    if ticks is None:
        first, last = within or (low, high)
        step = _tick_step(last - first)
        ticks = np.round(np.arange(np.ceil(first / step - 1e-9), last / step + 1e-9) * step, 12) + 0.0
    room = _ROOM * (high - low)
    ax.set_ylim(low - room, high + room)
    ax.set_yticks(ticks, [number(tick) for tick in ticks.tolist()])


def number(value: float) -> str:
    """A number as it stands at an axis."""
    return f"{value:.12g}".replace("-", "\N{MINUS SIGN}")


def _tick_step(length: float, at_most: int = 4) -> float:
    power = 10.0 ** np.floor(np.log10(length / at_most))
    return float(next(factor * power for factor in _TICKS if length / (factor * power) < at_most))


def hour_axis(ax: Axes, edges: Array, at_most: int = 5) -> None:
    """The horizontal axis from the first edge to the last [h], with ticks at round hours of the local day."""
    first, last = edges[0], edges[-1]
    every = next((h for h in _TICKS_H if (last - first) / h <= at_most - 1 + 0.5), _TICKS_H[-1])
    ticks = np.arange(np.ceil(first / every) * every, last + 1e-6, every)
    ax.set_xlim(first, last)
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.set_xlabel("local time (h)", fontsize=TEXT, labelpad=1)


def legend_strip(figure: Figure, title: str, entries: Sequence[tuple[dict[str, Any], str]]) -> None:
    """One line along the top of a figure, in place of the last one: a title, then samples of lines with their names.

    Entries are properties of the line (`Line2D`) and a name; placed by the number of characters, so that nothing has
    to be measured.
    """
    width, height = figure.get_size_inches() * figure.dpi
    says = title, list(entries), width, height
    for strip in [artist for artist in figure.artists if isinstance(artist, Strip)]:
        if strip.says == says:
            return
        strip.remove()
    point, y = figure.dpi / 72, 1 - 11 / height
    own: dict[str, Any] = {"figure": figure, "transform": figure.transFigure}
    word: dict[str, Any] = {**own, "va": "center", "fontsize": TEXT}
    x = 8.0
    children: list[Artist] = [Text(x / width, y, title, **word, fontweight="bold")]
    x += (len(title) * (_CHARACTER + 0.1) * TEXT + 14) * point
    for look, name in entries:
        ends = np.array([x + 12] if look.get("linestyle") == "" else [x, x + 24])  # a marker alone, or a line
        children.append(Line2D(ends / width, [y] * len(ends), solid_capstyle="butt", **own, **look))
        children.append(Text((x + 30) / width, y, name, **word))
        x += 30 + (len(name) * _CHARACTER * TEXT + 12) * point
    figure.add_artist(Strip(says, children))
