"""Capacities of many scenarios as a picture: histogram with density, and beneath it the share that takes less."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.stats import gaussian_kde

from cosim.hosting.distribution import modes_of
from cosim.plots.style import COLOURS, LABEL_SIZE, SMALL_SIZE, STYLES

__all__ = ["distribution_figure", "plot_cumulative", "plot_density"]

Array = npt.NDArray[np.float64]

_LEAST_BINS = 8


def distribution_figure(table: pd.DataFrame, step: float, title: str = "") -> Figure:
    """Histogram and density over cumulative shares of the capacities in `table` (``mode, level``), levels `step` apart.

    Scenarios whose base case is infeasible have no capacity; the legend says how many there are.
    """
    figure = Figure(figsize=(6.4, 5.0), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    for number, mode in enumerate(modes_of(table)):
        levels = table.loc[table["mode"] == mode, "level"]
        known = levels.dropna().to_numpy(dtype=float)
        without = f", {len(levels) - len(known)} without" if len(known) < len(levels) else ""
        if len(known):
            plot_density(upper, known, step, number, f"{mode} ({len(known)} scenarios{without})")
            plot_cumulative(lower, known, number)
    upper.yaxis.set_major_locator(MaxNLocator(integer=True))
    upper.set_ylabel("scenarios", fontsize=LABEL_SIZE)
    lower.set_ylabel("share with less or the same", fontsize=LABEL_SIZE)
    lower.set_xlabel("hosting capacity (%)", fontsize=LABEL_SIZE)
    upper.set_title(title, fontsize=LABEL_SIZE, loc="left")
    if upper.patches:
        upper.legend(fontsize=SMALL_SIZE, frameon=False)
    for ax in (upper, lower):
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(labelsize=SMALL_SIZE)
    return figure


def plot_density(ax: Axes, levels: Array, step: float, number: int, label: str) -> Axes:
    """Histogram in bins of whole steps, centred on levels; over it a kernel density estimate, scaled to its counts."""
    steps = np.round(levels / step)
    bins = max(_LEAST_BINS, 2 * np.sqrt(len(levels)))
    width = max(1, int(np.ceil((np.ptp(steps) + 1) / bins)))
    edges = (np.arange(steps.min(), steps.max() + width + 1, width) - 0.5) * step * 100
    colour = COLOURS[number % len(COLOURS)]
    ax.hist(100 * levels, edges.tolist(), color=colour, alpha=0.35, label=label)
    if np.ptp(steps) > 0:  # equal levels have no density
        estimate = gaussian_kde(100 * levels)
        margin = 3 * float(np.sqrt(estimate.covariance[0, 0]))
        at = np.linspace(100 * levels.min() - margin, 100 * levels.max() + margin, 200)
        style = STYLES[number % len(STYLES)]
        ax.plot(at, estimate(at) * len(levels) * width * step * 100, style, color=colour, linewidth=1.4)
    ax.axvline(100 * float(levels.mean()), color=colour, linewidth=0.8, linestyle=":")
    return ax


def plot_cumulative(ax: Axes, levels: Array, number: int) -> Axes:
    """Share of the scenarios with this capacity or less."""
    found = np.sort(100 * levels)
    shares = np.arange(1, len(found) + 1) / len(found)
    colour, style = COLOURS[number % len(COLOURS)], STYLES[number % len(STYLES)]
    ax.step([found[0], *found], [0.0, *shares], where="post", color=colour, linestyle=style, linewidth=1.2)
    return ax
