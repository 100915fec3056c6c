"""Figures of the study across feeders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cosim.plots import COLOURS
from experiments.across_feeders_verdict import HUNTS_PERCENT

if TYPE_CHECKING:
    from experiments.across_feeders import Answer

__all__ = ["difference_figure", "hunting_figure", "kept_figure"]

_NAMES = {"prc": "PRC", "anrc": "ANRC", "hybrid": "hybrid"}
_LABEL, _SMALL = 9, 7.5
_GREY = "#666666"
_APART = 0.26  # of rules beside one another
_ENDS = {"near": "o", "far": "v"}
_LOW = 50  # where less is kept, zero is of interest [%]
_MARKS = ("s", "D", "^", "P", "X")


def kept_figure(answer: Answer, size: str) -> Figure:
    """Gain kept by the nearest and the farthest third of those who obey: by feeder, season, mode, share and rule.

    Hollow where voltages turn back in `HUNTS_PERCENT` of the minutes or more.
    """
    table = answer.table[(answer.table["size"] == size) & (answer.table["rule"] != "none")]
    feeders, rows = _unique(table, "feeder"), list(dict.fromkeys(zip(table["mode"], table["season"], strict=True)))
    modes = _unique(table, "mode")
    rows.sort(key=lambda row: modes.index(row[0]))
    figure = Figure(figsize=(7.2, 1.0 + 1.6 * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), len(feeders), sharex=True, sharey="row", squeeze=False)
    for line, (mode, season) in zip(axes, rows, strict=True):
        for ax, feeder in zip(line, feeders, strict=True):
            here = table[(table["feeder"] == feeder) & (table["mode"] == mode) & (table["season"] == season)]
            _dumbbells(ax, here, answer.settings.shares, answer.settings.rules)
            ax.tick_params(labelsize=_SMALL)
        line[0].set_ylabel(f"{season}, {mode}\ngain kept (%)", fontsize=_SMALL)
    for ax, feeder in zip(axes[0], feeders, strict=True):
        ax.set_title(feeder, fontsize=_LABEL)
    for ax in axes[-1]:
        ax.set_xlabel("share of homes that obey", fontsize=_SMALL)
    _rule_legend(figure, answer.settings.rules)
    return figure


def _dumbbells(ax: Axes, table: pd.DataFrame, shares: Sequence[float], rules: Sequence[str]) -> None:
    ax.axhline(100, color=_GREY, linewidth=0.6, zorder=0)
    if table["kept_far_percent"].min() < _LOW:
        ax.axhline(0, color=_GREY, linewidth=0.6, linestyle=(0, (4, 3)), zorder=0)
    for place, share in enumerate(shares):
        for number, rule in enumerate(rules):
            found = table[(table["share"] == share) & (table["rule"] == rule)]
            if found.empty:
                continue
            row, x = found.iloc[0], place + _APART * (number - (len(rules) - 1) / 2)
            hunts = row["reversals_percent"] >= HUNTS_PERCENT
            colour = COLOURS[number % len(COLOURS)]
            ends = [row[f"kept_{end}_percent"] for end in _ENDS]
            ax.plot([x, x], ends, color=colour, linewidth=1.2, zorder=1)
            for (end, mark), value in zip(_ENDS.items(), ends, strict=True):
                low, high = (row[f"kept_{end}_percent_{side}"] for side in ("low", "high"))
                at = x + (0.05 if end == "far" else -0.05)
                ax.plot([at, at], [low, high], color=colour, linewidth=0.5, alpha=0.6, zorder=1)
                face = "white" if hunts else colour
                ax.plot(x, value, mark, color=colour, markerfacecolor=face, markersize=4.5, zorder=2)
    ax.set_xticks(range(len(shares)), [f"{100 * share:g} %" for share in shares])
    ax.set_xlim(-0.5, len(shares) - 0.5)


def _rule_legend(figure: Figure, rules: Sequence[str]) -> None:
    handles = [
        Line2D([], [], color=COLOURS[number % len(COLOURS)], linewidth=2, label=_NAMES.get(rule, rule))
        for number, rule in enumerate(rules)
    ]
    for end, mark in _ENDS.items():
        handles.append(Line2D([], [], color=_GREY, marker=mark, linestyle="", markersize=4.5, label=f"{end} third"))
    handles.append(
        Line2D(
            [],
            [],
            color=_GREY,
            marker="o",
            markerfacecolor="white",
            linestyle="",
            markersize=4.5,
            label=f"hunts ({HUNTS_PERCENT:g} % of minutes)",
        )
    )
    handles.append(Line2D([], [], color=_GREY, linewidth=0.5, label="95 %"))
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), fontsize=_SMALL, frameon=False)


def hunting_figure(answer: Answer) -> Figure:
    """In how many minutes voltages turn back, against the loop gain: a point per cell and rule, in closed loop."""
    table = answer.table[(answer.table["mode"] == "closed-loop") & (answer.table["rule"] != "none")]
    table = table.merge(answer.gains, on=["feeder", "size", "share", "rule"])
    figure = Figure(figsize=(5.6, 3.4), layout="constrained")
    ax = figure.subplots()
    ax.axvline(1, color=_GREY, linewidth=0.8, linestyle=(0, (6, 3)))
    feeders = _unique(table, "feeder")
    for number, rule in enumerate(answer.settings.rules):
        for mark, feeder in zip(_MARKS * len(feeders), feeders, strict=False):
            found = table[(table["rule"] == rule) & (table["feeder"] == feeder)]
            colour = COLOURS[number % len(COLOURS)]
            ax.plot(found["loop_gain"], found["reversals_percent"], mark, color=colour, markersize=4, alpha=0.85)
    ax.set_xscale("log")
    ax.set_yscale("symlog", linthresh=0.1)
    ax.set_ylim(-0.02, 100)
    ax.set_yticks([0, 0.1, 1, 10, 100], ["0", "0.1", "1", "10", "100"])
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set_xlabel("loop gain (-)", fontsize=_LABEL)
    ax.set_ylabel("minutes in which voltages turn back (%)", fontsize=_LABEL)
    ax.tick_params(labelsize=_SMALL)
    handles = [
        Line2D([], [], color=COLOURS[number % len(COLOURS)], linewidth=3, label=_NAMES.get(rule, rule))
        for number, rule in enumerate(answer.settings.rules)
    ]
    for mark, feeder in zip(_MARKS * len(feeders), feeders, strict=False):
        handles.append(Line2D([], [], color=_GREY, marker=mark, linestyle="", markersize=4, label=feeder))
    ax.legend(handles=handles, fontsize=_SMALL, frameon=False, loc="upper left")
    return figure


def difference_figure(answer: Answer) -> Figure:
    """Hybrid's spread less PRC's and less ANRC's, with intervals: a line per cell of the last size, modes by colour."""
    size = answer.settings.sizes[-1]
    table = answer.compared[answer.compared["size"] == size]
    others, modes = _unique(table, "less"), _unique(table, "mode")
    places = list(dict.fromkeys(zip(table["feeder"], table["season"], table["share"], strict=True)))
    figure = Figure(figsize=(7.2, 1.2 + 0.24 * len(places)), layout="constrained")
    axes = figure.subplots(1, len(others), sharey=True, squeeze=False)[0]
    for ax, other in zip(axes, others, strict=True):
        ax.axvline(0, color=_GREY, linewidth=0.8)
        for number, mode in enumerate(modes):
            rows = table[(table["less"] == other) & (table["mode"] == mode)]
            keys = list(zip(rows["feeder"], rows["season"], rows["share"], strict=True))
            y = np.array([places.index(key) for key in keys]) + 0.3 * (number - (len(modes) - 1) / 2)
            mean = rows["spread_points"].to_numpy()
            reach = [mean - rows["spread_points_low"], rows["spread_points_high"] - mean]
            mark, colour = ("o", "s", "^")[number % 3], COLOURS[number % len(COLOURS)]
            ax.errorbar(mean, y, xerr=reach, fmt=mark, color=colour, markersize=3.5, linewidth=0.9, label=mode)
        ax.set_xlabel(f"hybrid less {_NAMES.get(other, other)} (points)", fontsize=_LABEL)
        ax.set_xscale("symlog", linthresh=10)
        ax.xaxis.set_major_formatter("{x:g}")
        ax.tick_params(labelsize=_SMALL)
    axes[0].set_yticks(range(len(places)), [f"{feeder}, {season}, {100 * s:g} %" for feeder, season, s in places])
    axes[0].invert_yaxis()
    handles, labels = axes[0].get_legend_handles_labels()
    title = "spread of the gain kept, near third less far third"
    figure.legend(
        handles, labels, loc="outside upper center", ncols=len(labels), fontsize=_SMALL, frameon=False, title=title
    )
    return figure


def _unique(table: pd.DataFrame, column: str) -> list[str]:
    return list(dict.fromkeys(table[column]))
