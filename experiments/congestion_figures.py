"""Figures of the year in the study of congestion relief: counts by month and hour, by level, by what is varied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.congestion_outcomes import Outcome, mean_counts
from experiments.congestion_scenarios import BY_LAW, EXTRAS, HELD, TODAY, UNCAPPED, look, short

__all__ = ["forecast_figure", "in_order", "levels_figure", "month_hours", "months_figure", "sensitivity_figure"]

_SMALL, _LABEL = 7.0, 9.0
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
_MONTHS = ("J", "F", "M", "A", "M", "J", "J", "A", "S", "O", "N", "D")
_NAMES = {
    "heat_pump": "heat pumps, mean of the mix",
    "ev": "cars, mean of the mix",
    "battery_kw": "battery power (kW)",
    "window_h": "window of ProA (h)",
    "scope": "whom storage serves",
}


def month_hours(times: pd.DatetimeIndex, marked: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """How many marked steps there are in each month and hour of the day, shape (12, 24)."""
    found = np.zeros((12, 24), dtype=np.int64)
    np.add.at(found, (times.month[marked] - 1, times.hour[marked]), 1)
    return found


def months_figure(outcomes: Sequence[Outcome], times: pd.DatetimeIndex, kind: str) -> Figure:
    """Fig. 8 of the source for every scenario: violations of `kind`, "load" or "feedin", by month and hour."""
    found = [month_hours(times, getattr(outcome, kind)) for outcome in outcomes]
    most = max(1, *(int(count.max()) for count in found))
    n_columns = min(4, len(outcomes))
    n_rows = -(-len(outcomes) // n_columns)
    figure = Figure(figsize=(7.2, 0.9 + 1.55 * n_rows), layout="constrained")
    axes = figure.subplots(n_rows, n_columns, sharex=True, sharey=True, squeeze=False)
    for ax in axes.flat[len(outcomes) :]:
        ax.set_visible(False)
    colours = "Blues" if kind == "load" else "Oranges"
    for ax, outcome, count in zip(axes.flat, outcomes, found, strict=False):
        shown = np.ma.masked_equal(count, 0)
        image = ax.pcolormesh(np.arange(25), np.arange(13), shown, cmap=colours, vmin=-0.15 * most, vmax=most)
        ax.set_title(short(outcome.scenario), fontsize=_SMALL + 0.5, loc="left")
        ax.annotate(f"{int(count.sum())}", (0.04, 0.5), xycoords="axes fraction", va="center", fontsize=_SMALL + 0.5)
        ax.set_yticks(np.arange(12) + 0.5, _MONTHS)
        ax.set_xticks(range(0, 25, 6))
        ax.tick_params(labelsize=_SMALL)
        ax.set_facecolor("0.97")
    axes[0, 0].invert_yaxis()
    bar = figure.colorbar(image, ax=list(axes.flat), shrink=0.9, aspect=30, pad=0.01, boundaries=np.arange(most + 2))
    bar.ax.yaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))
    bar.ax.tick_params(labelsize=_SMALL)
    words = {"load": "load", "feedin": "feed-in"}[kind]
    bar.set_label(f"quarter-hours with {words} violation", fontsize=_LABEL - 1)
    figure.supxlabel("local standard time (hour of the day)", fontsize=_LABEL)
    figure.supylabel("month", fontsize=_LABEL)
    return figure


def levels_figure(table: pd.DataFrame) -> Figure:
    """Fig. 9 of the source: counts by level and scenario, mean of the draws with their standard deviation."""
    mean = mean_counts(table)
    levels = list(dict.fromkeys(mean["level"]))
    names = [name for name in dict.fromkeys(mean["scenario"]) if name not in EXTRAS or "residual" in name]
    figure = Figure(figsize=(7.2, 5.0), layout="constrained")
    axes = figure.subplots(2, 1, sharex=True)
    for ax, column, words in zip(axes, ("load", "feedin"), ("load", "feed-in"), strict=True):
        for k, name in enumerate(names):
            rows = mean[mean["scenario"] == name].set_index("level").loc[levels]
            at = np.arange(len(levels)) + (k - (len(names) - 1) / 2) * 0.9 / len(names)
            style: dict[str, Any] = {"color": look(name)[0], "hatch": look(name)[2], "edgecolor": "black"}
            style |= {"linewidth": 0.4, "error_kw": {"lw": 0.8, "capsize": 1.5}, "label": short(name)}
            ax.bar(at, rows[column], 0.85 / len(names), yerr=rows[f"{column}_sd"], **style)
            for x, value, spread in zip(at, rows[column], rows[f"{column}_sd"], strict=True):
                ax.annotate(
                    f"{value:.0f}", (x, value + spread), (0, 2), textcoords="offset points", ha="center", va="bottom",
                    fontsize=6, rotation=90 if value >= 99.5 else 0,
                )  # fmt: skip
        ax.set_ylabel(f"quarter-hours a year with\n{words} violation", fontsize=_LABEL)
        ax.set_ylim(0, ax.get_ylim()[1] * 1.12)
        ax.tick_params(labelsize=_SMALL)
    axes[1].set_xticks(range(len(levels)), levels, fontsize=_LABEL)
    labels = axes[0].get_legend_handles_labels()
    figure.legend(*labels, fontsize=_SMALL, frameon=False, loc="outside upper center", ncols=5)
    return figure


def sensitivity_figure(table: pd.DataFrame) -> Figure:
    """Load violations by what is varied, one at a time; the default is shaded."""
    varied = list(dict.fromkeys(table["parameter"]))
    names = [name for name in dict.fromkeys(table["scenario"]) if name not in EXTRAS or "residual" in name]
    n_columns = min(3, len(varied))
    n_rows = -(-len(varied) // n_columns)
    figure = Figure(figsize=(7.2, 0.9 + 2.2 * n_rows), layout="constrained")
    axes = figure.subplots(n_rows, n_columns, sharey=True, squeeze=False)
    for ax in axes.flat[len(varied) :]:
        ax.set_visible(False)
    for ax, parameter in zip(axes.flat, varied, strict=False):
        rows = table[table["parameter"] == parameter]
        mean = mean_counts(rows, ("value", "scenario"))
        values = sorted(mean["value"].unique(), key=_as_number)
        default = str(rows.loc[rows["default"], "value"].iloc[0])
        for k, name in enumerate(names):
            line = mean[mean["scenario"] == name].set_index("value").loc[values, "load"]
            style: dict[str, Any] = {"color": look(name)[0], "linestyle": look(name)[1], "label": short(name)}
            ax.plot(range(len(values)), line, marker=_MARKERS[k], markersize=4, linewidth=1.0, **style)
        ax.axvline(values.index(default), color="0.85", linewidth=6, zorder=0)
        ax.set_xticks(range(len(values)), values)
        ax.set_xlabel(_NAMES.get(parameter, parameter), fontsize=_LABEL - 1)
        ax.tick_params(labelsize=_SMALL)
        ax.margins(x=0.12)
        ax.set_ylim(bottom=0)
    for ax in axes[:, 0]:
        ax.set_ylabel("load violations a year", fontsize=_LABEL)
    _legend(figure, axes[0, 0], 4)
    return figure


def forecast_figure(table: pd.DataFrame) -> Figure:
    """Load violations by forecast, for the scenarios with measures at each level; the mean of the draws."""
    levels = list(dict.fromkeys(table["level"]))
    forecasts = list(dict.fromkeys(table["forecast"]))
    names = list(dict.fromkeys(table["scenario"]))
    figure = Figure(figsize=(7.2, 3.6), layout="constrained")
    axes = figure.subplots(1, len(levels), squeeze=False)[0]
    for ax, level in zip(axes, levels, strict=True):
        mean = mean_counts(table[table["level"] == level], ("forecast", "scenario"))
        for k, name in enumerate(names):
            rows = mean[mean["scenario"] == name].set_index("forecast").loc[forecasts]
            at = np.arange(len(forecasts)) + 0.1 * (k - (len(names) - 1) / 2)
            ax.errorbar(
                at, rows["load"], yerr=rows["load_sd"], color=look(name)[0], marker=_MARKERS[k], markersize=4,
                linestyle=look(name)[1], linewidth=0.8, capsize=1.5, label=short(name),
            )  # fmt: skip
        ax.set_xticks(range(len(forecasts)), forecasts, rotation=35, ha="right", rotation_mode="anchor")
        ax.set_title(level, fontsize=_LABEL, loc="left")
        ax.tick_params(labelsize=_SMALL)
        ax.set_ylim(bottom=0)
    axes[0].set_ylabel("load violations a year", fontsize=_LABEL)
    _legend(figure, axes[0], 4)
    return figure


def in_order(outcomes: Sequence[Outcome], level: str, seed: int) -> list[Outcome]:
    """Those of one level and draw that a figure by month and hour shows: all of 2030 but special cases."""
    left_out = {TODAY, HELD, UNCAPPED, BY_LAW}
    return [o for o in outcomes if (o.level, o.seed) == (level, seed) and o.scenario not in left_out]


def _as_number(value: str) -> tuple[float, str]:
    try:
        return float(value), value
    except ValueError:
        return np.inf, value


def _legend(figure: Figure, ax: Axes, columns: int) -> None:
    labels = ax.get_legend_handles_labels()
    figure.legend(*labels, fontsize=_SMALL, frameon=False, loc="outside upper center", ncols=columns)
