"""Figures of the study of inverter sizes; each takes data and returns a figure."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from cosim.plots import COLOURS, STYLES

__all__ = ["limits_figure", "sizes_figure"]

_SMALL, _LABEL = 7.5, 9.0
_MARKERS = ("o", "s", "^", "v", "D", "P", "X", "<", ">", "*")
_NAMES = {"none": "no rule", "prc": "PRC", "anrc": "ANRC", "hybrid": "hybrid"}
_PROFIT, _USED = "profit_kept_percent", "pv_used_percent"


def sizes_figure(table: pd.DataFrame, published: Mapping[str, float]) -> Figure:
    """Fig. 7 of the source: profit kept and PV used against the size, a column per arrangement, a line per rule."""
    arrangements = table["inverters"].unique().tolist()
    rules = table["rule"].unique().tolist()
    figure = Figure(figsize=(2.4 * len(arrangements) + 0.6, 4.6), layout="constrained")
    axes = figure.subplots(2, len(arrangements), sharex=True, sharey="row", squeeze=False)
    for column, inverters in enumerate(arrangements):
        chosen = table[table["inverters"] == inverters]
        for ax, name in zip(axes[:, column], (_PROFIT, _USED), strict=True):
            for index, rule in enumerate(rules):
                line = chosen[chosen["rule"] == rule]
                ax.plot(line["size_kva"], line[name], label=_NAMES.get(rule, rule), **_style(index))
            ax.tick_params(labelsize=_SMALL)
        for rule, level in published.items():
            if rule in rules:
                axes[0, column].axhline(level, linewidth=0.8, linestyle=":", color=COLOURS[rules.index(rule)])
        title = "one inverter, shared" if inverters == "shared" else str(inverters)
        axes[0, column].set_title(title, fontsize=_LABEL, loc="left")
        axes[1, column].set_xlabel("size, both together (kVA)", fontsize=_LABEL)
    axes[0, 0].set_ylim(bottom=max(-10.0, axes[0, 0].get_ylim()[0]))
    axes[0, 0].set_ylabel("profit kept (% of energy\noptimisation alone)", fontsize=_LABEL)
    axes[1, 0].set_ylabel("PV used (%)", fontsize=_LABEL)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    (dotted,) = axes[0, 0].plot([], [], linewidth=0.8, linestyle=":", color="#666666")
    handles, labels = [*handles, dotted], [*labels, "published, ample"]
    figure.legend(handles, labels, fontsize=_SMALL, frameon=False, loc="outside upper center", ncols=len(labels))
    return figure


def limits_figure(table: pd.DataFrame, published: Mapping[str, float]) -> Figure:
    """Profit kept with an ample inverter against the distance of the limits, by rule; the published levels dotted."""
    figure = Figure(figsize=(6.4, 3.0), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    rules = [rule for rule in table["rule"].unique().tolist() if rule != "none"]
    columns = {
        _PROFIT: "beside PV without optimisation",
        "installation_kept_percent": "beside the load alone",
    }
    for ax, (name, title) in zip(axes, columns.items(), strict=True):
        for index, rule in enumerate(rules, start=1):
            line = table[table["rule"] == rule].sort_values("limit_scale")
            ax.plot(line["limit_scale"], line[name], label=_NAMES.get(rule, rule), **_style(index))
            if rule in published:
                ax.axhline(published[rule], linewidth=0.8, linestyle=":", color=COLOURS[index % len(COLOURS)])
        ax.set_title(title, fontsize=_LABEL, loc="left")
        ax.set_xlabel("limits' distance from 1 p.u.\n(of the four-bus case's)", fontsize=_LABEL)
        ax.tick_params(labelsize=_SMALL)
    axes[0].set_ylabel("avoided cost kept (%)", fontsize=_LABEL)
    handles, labels = axes[0].get_legend_handles_labels()
    (dotted,) = axes[0].plot([], [], linewidth=0.8, linestyle=":", color="#666666")
    handles, labels = [*handles, dotted], [*labels, "published"]
    figure.legend(handles, labels, fontsize=_SMALL, frameon=False, loc="outside upper center", ncols=len(labels))
    return figure


def _style(index: int) -> dict[str, object]:
    return {
        "color": COLOURS[index % len(COLOURS)],
        "linestyle": STYLES[index % len(STYLES)],
        "marker": _MARKERS[index % len(_MARKERS)],
        "markersize": 3.5,
        "markerfacecolor": "none",
        "linewidth": 0.9,
    }
