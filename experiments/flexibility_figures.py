"""Figures of the study of the value of flexibility; each takes data and returns a figure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cosim.plots import COLOURS, STYLES

__all__ = ["battery_figure", "day_figure", "share_figure"]

_SMALL, _LABEL = 7.5, 9.0
_GREY = "#666666"
_MARKERS = ("o", "s", "^", "v", "D", "P", "X", "<", ">", "*")


def share_figure(table: pd.DataFrame, tariff: str) -> Figure:
    """Fig. 6 of the source: cost against the share of flexible load, by kappa, without and with battery."""
    figure = Figure(figsize=(6.8, 3.4), layout="constrained")
    houses = ("no PV", "PV")
    axes = figure.subplots(1, len(houses), sharey=True)
    for ax, house in zip(axes, houses, strict=True):
        chosen = table[(table["tariff"] == tariff) & (table["house"] == house)]
        for index, (kappa, rows) in enumerate(chosen.groupby("kappa")):
            for battery, fill in ((False, "none"), (True, None)):
                line = rows[rows["battery"] == battery]
                ax.plot(
                    100 * line["share"],
                    100 - line["saving_percent"],
                    color=COLOURS[index % len(COLOURS)],
                    marker=_MARKERS[index % len(_MARKERS)],
                    markerfacecolor=fill,
                    markersize=4,
                    linewidth=0.9,
                    linestyle="-" if battery else "--",
                    label=f"kappa = {kappa:g}" if battery else None,
                )
        ax.set_title({"no PV": "house without PV", "PV": "house with PV"}[house], fontsize=_LABEL, loc="left")
        ax.set_xlabel("flexible share of the load (%)", fontsize=_LABEL)
        ax.tick_params(labelsize=_SMALL)
        ax.axhline(75, color=_GREY, linewidth=0.8, linestyle=(0, (6, 3)))
    least = (100 - table.loc[table["tariff"] == tariff, "saving_percent"]).min()
    axes[0].set_ylim(min(70.0, least - 5), 105)
    axes[0].annotate("25 % saved", (0.99, 75), xycoords=("axes fraction", "data"), ha="right", va="bottom", **_NOTE)
    axes[0].set_ylabel("cost of all days (% of that\nwith neither, at the same kappa)", fontsize=_LABEL)
    axes[0].plot([], [], color=_GREY, marker="o", markersize=4, linewidth=0.9, label="with battery")
    without = {"markerfacecolor": "none", "linestyle": "--"}
    axes[0].plot([], [], color=_GREY, marker="o", markersize=4, linewidth=0.9, label="without", **without)
    _legend(figure, axes[0], 4)
    return figure


def battery_figure(values: pd.DataFrame, share: float) -> Figure:
    """What the battery is worth against kappa, by tariff: the median of the days, and the middle half of them."""
    chosen = values[values["share"] == share]
    tariffs = chosen["tariff"].unique().tolist()
    figure = Figure(figsize=(6.8, 2.9), layout="constrained")
    axes = figure.subplots(1, len(tariffs), squeeze=False)[0]
    for ax, tariff in zip(axes, tariffs, strict=True):
        for index, house in enumerate(("no PV", "PV")):
            days = chosen[(chosen["tariff"] == tariff) & (chosen["house"] == house)].groupby("kappa")["value"]
            middle, kappa = 100 * days.median(), np.array(sorted(chosen["kappa"].unique()))
            low, high = 100 * days.quantile(0.25), 100 * days.quantile(0.75)
            at = kappa + 0.012 * (2 * index - 1)  # beside each other, so that bars stay apart
            ax.errorbar(
                at,
                middle,
                yerr=np.clip(np.array([middle - low, high - middle]), 0.0, None),
                color=COLOURS[index],
                marker=_MARKERS[index],
                linestyle=STYLES[index],
                markersize=4,
                linewidth=0.9,
                capsize=2,
                label=f"house with{'out' * (house == 'no PV')} PV",
            )
        ax.set_title(tariff, fontsize=_LABEL, loc="left")
        ax.set_xlabel("kappa (selling / buying price)", fontsize=_LABEL - 1)
        ax.tick_params(labelsize=_SMALL)
        ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]))
    axes[0].set_ylabel("worth of the battery\n(cents a day)", fontsize=_LABEL)
    _legend(figure, axes[0], 2)
    return figure


def day_figure(day: Mapping[float, pd.DataFrame], flexible_max: float, name: str) -> Figure:
    """Fig. 5 of the source: battery, flexible load, net load, buying price, energy, at up to three of the kappas."""
    kappas = sorted(day)
    chosen = {kappa: day[kappa] for kappa in (kappas[0], kappas[len(kappas) // 2], kappas[-1])}
    figure = Figure(figsize=(7.0, 7.6), layout="constrained")
    axes = figure.subplots(5, 1, sharex=True)
    for index, (kappa, table) in enumerate(chosen.items()):
        hours = np.linspace(0, 24, len(table) + 1)
        for ax, column in zip(axes, _PANELS, strict=True):
            if column == "price_buy" and index:
                continue
            values = 100 * table[column] if column == "price_buy" else table[column]
            style = {"color": _GREY} if column == "price_buy" else _line_of(index)
            ax.step(hours, np.append(values, values.iloc[-1]), where="post", linewidth=0.9, **style)
            if column == "p_meter_kw":
                ax.lines[-1].set_label(f"kappa = {kappa:g}")
    first = next(iter(day.values()))
    usual, hours = first["p_usual_kw"], np.linspace(0, 24, len(first) + 1)
    highest = np.append(flexible_max * usual, flexible_max * usual.iloc[-1])
    axes[1].fill_between(hours, 0, highest, step="post", color="0.9", label="bounds")
    before = first["p_load_kw"] + usual - first["p_pv_kw"]
    axes[2].step(hours, np.append(before, before.iloc[-1]), where="post", color="0.6", linewidth=0.9, zorder=0)
    axes[2].lines[-1].set_label("without optimisation")
    for ax, label in zip(axes, _PANELS.values(), strict=True):
        ax.axhline(0, color="0.8", linewidth=0.6, zorder=0)
        ax.set_ylabel(label, fontsize=_SMALL)
        ax.tick_params(labelsize=_SMALL)
    axes[-1].set_xlim(0, 24)
    axes[-1].set_xticks(range(0, 25, 3))
    axes[-1].set_xlabel(f"local time on {name} (hour of the day)", fontsize=_LABEL)
    figure.align_ylabels(axes)
    _legend(figure, axes[2], 6)
    return figure


_PANELS = {
    "p_battery_kw": "battery (kW)\n> 0 charging",
    "p_flexible_kw": "flexible load\n(kW)",
    "p_meter_kw": "net load (kW)\n> 0 import",
    "price_buy": "buying price\n(cents/kWh)",
    "energy_kwh": "energy in the\nbattery (kWh)",
}
_NOTE = {"fontsize": _SMALL, "color": _GREY}


def _line_of(index: int) -> dict[str, object]:
    return {"color": COLOURS[index % len(COLOURS)], "linestyle": STYLES[index % len(STYLES)]}


def _legend(figure: Figure, ax: Axes, columns: int) -> None:
    labels = ax.get_legend_handles_labels()
    figure.legend(*labels, fontsize=_SMALL, frameon=False, loc="outside upper center", ncols=columns)
