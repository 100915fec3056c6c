"""Figures of the study of hosting capacity: metrics by level, distributions, what is feasible, sensitivities, rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import gaussian_kde

from cosim.plots import COLOURS
from experiments.hosting_answer import Found
from experiments.hosting_cases import CASES, WORDS
from experiments.hosting_region import grid_of

__all__ = [
    "MODES",
    "correlation_figure",
    "distribution_figure",
    "local_figure",
    "metrics_figure",
    "region_figure",
    "sensitivity_figure",
]

_LABEL, _SMALL = 9, 7.5
_GREY = "#666666"
MODES: dict[str, tuple[str, Any]] = {
    "static": (COLOURS[1], "--"),
    "static-rated": (COLOURS[3], ":"),
    "dynamic": (COLOURS[0], "-"),
}
_LOOKS = {"max": 1.4, "mean": 0.9, "median": 0.6, "min": 1.4}  # line widths


def metrics_figure(found: Sequence[Found], band: tuple[float, float]) -> Figure:
    """Figs. 4 and 5 of the source: voltages and loadings by level, a column per case, a colour per mode."""
    cases = list(dict.fromkeys(f.case for f in found))
    figure = Figure(figsize=(3.6 * len(cases), 6.4), layout="constrained")
    axes = figure.subplots(3, len(cases), sharex="col", squeeze=False)
    for column, case in zip(axes.T, cases, strict=True):
        for each in (f for f in found if f.case == case):
            _metrics(column, each)
        for edge in band:
            column[0].axhline(edge, color=_GREY, linewidth=0.8, linestyle=(0, (6, 3)))
        column[1].axhline(100, color=_GREY, linewidth=0.8, linestyle=(0, (6, 3)))
        column[2].set_xlabel(f"penetration of {WORDS[CASES[case].der]} (%)", fontsize=_LABEL)
    for ax, words in zip(axes[:, 0], ("voltage (p.u.)\nmax, mean, median, min", "highest loading\nof lines (%)",
                                      "mean, median loading\nof lines (%)"), strict=True):  # fmt: skip
        ax.set_ylabel(words, fontsize=_LABEL)
    for ax in axes.flat:
        ax.tick_params(labelsize=_SMALL)
    handles = {h.get_label(): h for ax in axes[0] for h in ax.get_legend_handles_labels()[0]}
    figure.legend(list(handles.values()), [str(label) for label in handles], fontsize=_SMALL, frameon=False,
                  loc="outside upper center", ncols=3)  # fmt: skip
    return figure


def _metrics(column: npt.NDArray[Any], found: Found) -> None:
    colour, style = MODES[found.mode]
    steps = found.capacity.steps.sort_values("level")
    level = 100 * steps["level"]
    for name, width in _LOOKS.items():
        label = found.mode if name == "max" else None
        column[0].plot(level, steps[f"vm_{name}_pu"], color=colour, linestyle=style, linewidth=width, label=label)
    column[1].plot(level, 100 * steps["loading_max"], color=colour, linestyle=style, linewidth=1.2)
    for name in ("mean", "median"):
        column[2].plot(level, 100 * steps[f"loading_{name}"], color=colour, linestyle=style, linewidth=_LOOKS[name])
    if found.capacity.base_feasible:
        for ax in column:
            ax.axvline(100 * found.capacity.level, color=colour, linestyle=style, linewidth=0.6, alpha=0.7)


def distribution_figure(draws: pd.DataFrame, spread: pd.DataFrame) -> Figure:
    """Fig. 19 of the source: histograms of capacities and their kernel density, with mean and what was published."""
    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    ax = figure.subplots()
    for row in spread.to_dict("records"):
        colour, line = MODES[row["mode"]]
        values = draws.loc[draws["mode"] == row["mode"], "capacity_percent"].dropna().to_numpy(dtype=float)
        if not len(values):
            continue
        ax.hist(values, bins=min(20, max(1, len(values) // 3)), density=True, color=colour, alpha=0.35)
        if len(np.unique(values)) > 2:
            x = np.linspace(values.min() - 2 * row["sd"], values.max() + 2 * row["sd"], 200)
            ax.plot(x, gaussian_kde(values)(x), color=colour, linestyle=line, linewidth=1.2)
        words = f"{row['mode']}: {row['mean']:.1f} +- {row['sd']:.1f} %"
        ax.axvline(row["mean"], color=colour, linestyle=line, linewidth=1.0, label=words)
        known, of_known = row["published_mean"], row["published_sd"]
        words = f"published: {known:g} +- {of_known:g} %"
        style: dict[str, Any] = {"fmt": "D", "color": colour, "markersize": 5, "capsize": 3, "clip_on": False}
        ax.errorbar(known, 0, xerr=of_known, label=words, **style)
    ax.set_xlabel("PV capacity (% of the peak load)", fontsize=_LABEL)
    ax.set_ylabel("density (1/%)", fontsize=_LABEL)
    ax.tick_params(labelsize=_SMALL)
    ax.legend(fontsize=_SMALL, frameon=False)
    return figure


def region_figure(region: pd.DataFrame) -> Figure:
    """Fig. 15 of the source: most PV over penetrations of batteries and heat pumps, static and dynamic."""
    modes = [mode for mode in ("static", "dynamic") if (region["mode"] == mode).any()]
    figure = Figure(figsize=(7.2, 3.6), layout="constrained")
    axes = figure.subplots(1, len(modes), sharey=True, squeeze=False)[0]
    most = float(np.nanmax([1.0, *region["pv_percent"].to_numpy(dtype=float)]))
    image = None
    for ax, mode in zip(axes, modes, strict=True):
        grid = grid_of(region, mode)
        values = grid.to_numpy(dtype=float)
        ax.set_facecolor("0.85")
        image = ax.imshow(
            np.ma.masked_invalid(values), origin="lower", aspect="auto", vmin=0, vmax=most, cmap="viridis"
        )
        for (i, j), value in np.ndenumerate(values):
            text = "-" if np.isnan(value) else f"{value:.0f}"
            ax.text(
                j, i, text, ha="center", va="center", fontsize=_SMALL, color="white" if value < 0.6 * most else "black"
            )
        ax.set_xticks(range(grid.shape[1]), [f"{v:g}" for v in grid.columns])
        ax.set_yticks(range(grid.shape[0]), [f"{v:g}" for v in grid.index])
        ax.set_title(mode, fontsize=_LABEL, loc="left")
        ax.set_xlabel("batteries (% of the peak load)", fontsize=_LABEL)
        ax.tick_params(labelsize=_SMALL)
    axes[0].set_ylabel("heat pumps (% of homes)", fontsize=_LABEL)
    if image is not None:
        bar = figure.colorbar(image, ax=list(axes), shrink=0.9)
        bar.set_label("most PV (% of the peak load); - infeasible", fontsize=_SMALL)
    return figure


def sensitivity_figure(table: pd.DataFrame) -> Figure:
    """Capacities by what is changed, one parameter at a time; a column per case, the default filled."""
    cases = list(dict.fromkeys(table["case"]))
    rows = table.drop_duplicates(["parameter", "value"])[["parameter", "value", "default"]].reset_index(drop=True)
    figure = Figure(figsize=(7.2, 1.0 + 0.17 * len(rows)), layout="constrained")
    axes = figure.subplots(1, len(cases), sharey=True, squeeze=False)[0]
    for ax, case in zip(axes, cases, strict=True):
        for mode in dict.fromkeys(table["mode"]):
            _dots(ax, rows, table[(table["case"] == case) & (table["mode"] == mode)], mode)
        ax.axvline(CASES[case].static_percent, color=MODES["static"][0], linewidth=0.7, linestyle="--")
        ax.axvline(CASES[case].dynamic_percent, color=MODES["dynamic"][0], linewidth=0.7)
        ax.set_title(f"{WORDS[CASES[case].der]} (vertical: published)", fontsize=_LABEL, loc="left")
        ax.set_xlabel("capacity (%); x: base case infeasible", fontsize=_LABEL)
        ax.tick_params(labelsize=_SMALL)
    labels = [f"{row.parameter} {row.value}" for row in rows.itertuples(index=False)]
    axes[0].set_yticks(range(len(rows)), labels)
    axes[0].invert_yaxis()
    axes[0].legend(fontsize=_SMALL, frameon=False)
    return figure


def _dots(ax: Axes, rows: pd.DataFrame, found: pd.DataFrame, mode: str) -> None:
    colour = MODES[mode][0]
    by = found.set_index(["parameter", "value"])["capacity_percent"]
    for place, row in enumerate(rows.itertuples(index=False)):
        if (row.parameter, row.value) not in by.index:
            continue
        value = float(by.loc[(row.parameter, row.value)])
        if np.isnan(value):
            ax.plot(0, place, "x", color=colour, markersize=5)
        else:
            ax.plot(value, place, "o", color=colour, markersize=4.5, markerfacecolor=colour if row.default else "white")
    ax.plot([], [], "o", color=colour, markersize=4.5, label=mode)


def local_figure(local: pd.DataFrame, static_percent: float, dynamic_percent: float) -> Figure:
    """Capacity under each local rule between the static and the coordinated one, and the disparity each causes."""
    rules, tolerances = list(dict.fromkeys(local["rule"])), sorted(set(local["tolerated_percent"]))
    figure = Figure(figsize=(7.2, 1.4 + 0.36 * len(rules)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    high = 0.8 / len(tolerances)
    for k, tolerated in enumerate(tolerances):
        rows = local[local["tolerated_percent"] == tolerated].set_index("rule").loc[rules]
        places = np.arange(len(rules)) + (k - (len(tolerances) - 1) / 2) * high
        style: dict[str, Any] = {"color": COLOURS[4 - k % 3], "edgecolor": "black", "linewidth": 0.4}
        words = f"up to {tolerated:g} % curtailed"
        left.barh(places, rows["capacity_percent"].fillna(0.0), high, label=words, **style)
        right.barh(places, rows["gini_kept"].astype(float), high, **style)
    left.axvline(static_percent, color=MODES["static"][0], linestyle="--", label="static")
    left.axvline(dynamic_percent, color=MODES["dynamic"][0], label="dynamic")
    left.set_xlabel("PV capacity (% of the peak load)", fontsize=_LABEL)
    right.set_xlabel("disparity of gain kept, there (Gini)", fontsize=_LABEL)
    left.set_yticks(range(len(rules)), rules)
    left.invert_yaxis()
    for ax in (left, right):
        ax.tick_params(labelsize=_SMALL)
    figure.legend(
        *left.get_legend_handles_labels(), fontsize=_SMALL, frameon=False, loc="outside upper center", ncols=4
    )
    return figure


def correlation_figure(correlations: pd.DataFrame) -> Figure:
    """Fig. 14 of the source: rank correlation of capacities at the same node, with and without bounds per node."""
    groups = list(correlations.groupby("bounded", sort=True))
    figure = Figure(figsize=(3.4 * len(groups), 3.0), layout="constrained")
    axes = figure.subplots(1, len(groups), squeeze=False)[0]
    for ax, (bounded, rows) in zip(axes, groups, strict=True):
        names = list(dict.fromkeys([*rows["first"], *rows["second"]]))
        grid = pd.DataFrame(np.eye(len(names)), index=names, columns=names)
        for row in rows.itertuples(index=False):
            grid.loc[row.first, row.second] = grid.loc[row.second, row.first] = row.spearman
        ax.imshow(grid.to_numpy(), vmin=-1, vmax=1, cmap="RdBu")
        for (i, j), value in np.ndenumerate(grid.to_numpy(dtype=float)):
            text, colour = "-" if np.isnan(value) else f"{value:.2f}", "white" if abs(value) > 0.6 else "black"
            ax.text(j, i, text, ha="center", va="center", fontsize=_SMALL, color=colour)
        ax.set_xticks(range(len(names)), names)
        ax.set_yticks(range(len(names)), names)
        ax.set_title("with bounds per node" if bounded else "without bounds per node", fontsize=_LABEL, loc="left")
        ax.tick_params(labelsize=_SMALL)
    return figure
