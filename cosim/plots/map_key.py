"""The key to a feeder's map."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.path import Path

from cosim.plots.feeder_map import CHOSEN, LINE, OPEN, OVERLOAD
from cosim.plots.glyphs import CIRCLE, DOWN, FILLS, SHAPES, UP, WAVE
from cosim.plots.map_frame import size_of
from cosim.plots.style import SCREEN_SIZE
from cosim.plots.voltage_colours import ABOVE, BELOW

__all__ = ["plot_feeder_key"]

_WIDTH_PX = 118.0
_MARKS: tuple[tuple[str, Path, str, str], ...] = (
    ("importing", SHAPES["idle"], FILLS["importing"], "black"),
    ("exporting", SHAPES["idle"], FILLS["exporting"], "black"),
    ("charging", SHAPES["charging"], FILLS["balanced"], "black"),
    ("discharging", SHAPES["discharging"], FILLS["balanced"], "black"),
    ("curtailing PV", SHAPES["curtailing"], FILLS["curtailing"], "black"),
    ("chosen", CIRCLE, "none", CHOSEN),
    ("bus", CIRCLE, "#F9F9F9", "#333333"),
    ("above limit", UP, ABOVE, "#333333"),
    ("below limit", DOWN, BELOW, "#333333"),
    ("no supply", CIRCLE, "none", "#999999"),
    ("grid", CIRCLE, "#F9F9F9", "black"),
)
_LINES = (
    ("20 % loaded", LINE, 1.5, "-"),
    ("100 %", LINE, 4.0, "-"),
    ("over 100 %", OVERLOAD, 5.5, "-"),
    ("open", OPEN, 1.0, "--"),
)


def plot_feeder_key(ax: Axes) -> Axes:
    """What markers and lines of `plot_feeder` mean, in as many columns as the axes are wide; some 20 px a row.

    The key depends on no data: it can be drawn once.
    """
    n_columns = max(1, int(size_of(ax)[0] / _WIDTH_PX))
    n_rows = -(-(len(_MARKS) + len(_LINES)) // n_columns)
    ax.set_axis_off()
    ax.set_xlim(0, n_columns)
    ax.set_ylim(n_rows, 0)
    places = [(n % n_columns, n // n_columns + 0.5) for n in range(len(_MARKS) + len(_LINES))]
    for (text, path, fill, edge), (x, y) in zip(_MARKS, places, strict=False):
        size = 150 if text == "grid" else 90 if text == "chosen" else 60
        width = 2.0 if text == "chosen" else 0.9
        ax.scatter([x + 0.1], [y], s=size, marker=path, facecolor=fill, edgecolor=edge, linewidth=width)
        if text == "grid":
            ax.scatter([x + 0.1], [y], s=size, marker=WAVE, facecolor="none", edgecolor="black")
    for (_, colour, width, style), (x, y) in zip(_LINES, places[len(_MARKS) :], strict=True):
        ax.plot([x + 0.02, x + 0.18], [y, y], color=colour, linewidth=width, linestyle=style, solid_capstyle="butt")
    for text, (x, y) in zip([m[0] for m in _MARKS] + [line[0] for line in _LINES], places, strict=True):
        ax.text(x + 0.23, y, text, fontsize=SCREEN_SIZE, va="center")
    return ax
