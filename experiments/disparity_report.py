"""Table, text and figures of the study of locational disparity."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cosim import Scenario
from cosim.data import TIMEZONE
from cosim.plots import COLOURS, local_hours, plot_day, plot_voltages, samples_per_step, save_figure

if TYPE_CHECKING:
    from experiments.locational_disparity import Answer

__all__ = ["PUBLISHED", "comparison", "report", "write_answer"]

PUBLISHED = pd.DataFrame(
    {
        "rule": ["prc", "anrc", "hybrid"],
        "lcg_percent": [43.35, 1.3, 1.3],
        "tce_kwh": [2.275, 0.188, 0.188],
        "cvc_pu": [0.637, 1.345, 0.329],
    }
).set_index("rule")
"""Hashmi et al., arXiv 2207.10248, table VII, bus 4 (its CVC without control: 1.71)."""

_MODES = ("open-loop", "closed-loop")
_NAMES = {"none": "no rule", "prc": "PRC", "anrc": "ANRC", "hybrid": "hybrid"}


def comparison(table: pd.DataFrame, base: Scenario) -> pd.DataFrame:
    """The far end of the feeder, alone under control: published, the default day, and all days of the extract.

    One row per mode, rule and index; over the days the median, the least and the largest value.
    """
    far = _far_end(table)
    rows = []
    for mode in _MODES:
        for rule in PUBLISHED.index:
            days = far[(far["mode"] == mode) & (far["rule"] == rule)].set_index("day")
            for name in PUBLISHED.columns:
                values = days[name]
                spread = (values.median(), values.min(), values.max())
                rows.append((mode, rule, name, PUBLISHED.at[rule, name], values[_default_day(base)], *spread))
    columns = ["mode", "rule", "index", "published", "default_day", "median", "min", "max"]
    return pd.DataFrame(rows, columns=columns)


def report(table: pd.DataFrame, base: Scenario, changes: Mapping[str, Any] | None = None) -> str:
    """How day, house and limits were chosen, the published sizes beside ours, and how often the order held.

    `changes` are what the user changed, by dotted names; they come first.
    """
    return "\n".join(
        [*_choices(base, changes or {}), "", *_sizes(table, base), "", *_orders(table), "", *_hunting(table)]
    )


def write_answer(answer: Answer, default_day: pd.DataFrame, folder: Path) -> None:
    """Write table.csv, table.md, days.csv and the figures."""
    default_day.to_csv(folder / "table.csv", index=False, float_format="%.10g")
    answer.table.to_csv(folder / "days.csv", index=False, float_format="%.10g")
    text = [f"# Locational disparity, {_default_day(answer.base)}", "", _markdown(default_day), ""]
    text += [report(answer.table, answer.base, answer.changes), ""]
    (folder / "table.md").write_text("\n".join(text), encoding="utf-8")
    save_figure(_uncontrolled_figure(answer), folder / "voltages-without-control.png")
    save_figure(_controlled_figure(answer), folder / "voltages-with-control.png")
    save_figure(_plan_figure(answer), folder / "plan.png")
    save_figure(_days_figure(answer), folder / "disparity-by-day.png")


def _choices(base: Scenario, changes: Mapping[str, Any]) -> list[str]:
    v = base.voltage
    changed = [f"Changed for this run, whatever is said below: {dict(changes)}"] if changes else []
    return [
        *changed,
        f"Default day {_default_day(base)}; limits {v.vm_min_pu:g} and {v.vm_max_pu:g} p.u., "
        f"dead band +-{v.dead_pu:g}. How they were chosen:",
        "- house: H0-A at 3.5 MWh a year and PV1, the first home and the first plant of the embedded extract;",
        "- limits: symmetric; beyond them the voltage at bus 4, with nobody optimising, lies in the published shares "
        "of samples (5 of 1440 outside the limits, 125 outside the dead band) over the whole extract, to 0.005;",
        "- day: the sunniest of the extract, as the published day is one of over-voltage; rules bite there more than "
        "on most days, so read the distribution below;",
        f"- price: {base.tariff.describe()}, kappa = {base.tariff.kappa:g} (the published day's price is not public).",
    ]


def _sizes(table: pd.DataFrame, base: Scenario) -> list[str]:
    n_days = table["day"].nunique()
    lines = [
        f"At the far end of the feeder, control there alone; over {n_days} days the median [least .. largest]:",
        "",
        "| mode | rule | index | published | default day | over the days |",
        "|---|---|---|---:|---:|---:|",
    ]
    return lines + [
        f"| {row.mode} | {_NAMES[str(row.rule)]} | {row.name} | {row.published:g} | {_short(row.default_day)} "
        f"| {_short(row.median)} [{_short(row.min)} .. {_short(row.max)}] |"
        for row in comparison(table, base).rename(columns={"index": "name"}).itertuples()
    ]


def _orders(table: pd.DataFrame) -> list[str]:
    """How many days keep the published order, and who corrects the voltage better."""
    lines = ["Days on which, at the far end:"]
    far = _far_end(table)
    for mode in _MODES:
        by = far[far["mode"] == mode].pivot_table(index="day", columns="rule", values=["cost", "tce_kwh", "cvc_pu"])
        cost, tce, cvc = by["cost"], by["tce_kwh"], by["cvc_pu"]
        tiny = 1e-9
        acted = tce["prc"] > tiny
        counts = {
            "PRC costs and curtails at least as much as hybrid": (cost["prc"] >= cost["hybrid"] - tiny)
            & (tce["prc"] >= tce["hybrid"] - tiny),
            "hybrid costs what ANRC costs": (cost["hybrid"] - cost["anrc"]).abs() <= tiny,
            "CVC: PRC and hybrid <= ANRC <= no rule": (np.maximum(cvc["prc"], cvc["hybrid"]) <= cvc["anrc"] + tiny)
            & (cvc["anrc"] <= cvc["none"] + tiny),
            "hybrid corrects the voltage at least as well as PRC": cvc["hybrid"] <= cvc["prc"] + tiny,
        }
        for what, held in counts.items():
            lines.append(f"- {mode}: {what}: {int(held.sum())} of {len(held)}")
        if acted.any():
            saved = 100 * (1 - tce["hybrid"][acted] / tce["prc"][acted])
            lines.append(
                f"- {mode}: PRC curtails on {int(acted.sum())} days; there hybrid curtails less by a median of "
                f"{saved.median():.0f} % [{saved.min():.0f} .. {saved.max():.0f}] (published: 91.7 %)"
            )
    return lines


def _hunting(table: pd.DataFrame) -> list[str]:
    """In how many minutes a rule that reads the last minute's voltage swings to and fro."""
    far = _far_end(table)
    closed = far[far["mode"] == "closed-loop"].groupby("rule")["n_reversals"].sum()
    minutes = 1440 * far["day"].nunique()
    shares = ", ".join(f"{_NAMES[rule]} {100 * closed[rule] / minutes:.1f} %" for rule in _NAMES)
    return [
        "In closed loop the rule acts on the last minute's voltage, and where its droop is steep it hunts: minutes in",
        f"which the voltage at the far end turns back by more than 0.001 p.u.: {shares}.",
        "The mode `settled` damps that.",
    ]


def _uncontrolled_figure(answer: Answer) -> Figure:
    """Fig. 9 of the source: voltages with nobody optimising and no rule."""
    run = next(run for case, run in answer.runs.items() if not case.active)
    vm_pu = {f"bus {bus}": run.column("vm_pu")[:, row] for row, bus in enumerate(run.prosumers["bus"])}
    figure = Figure(figsize=(6.4, 3.0), layout="constrained")
    ax = plot_voltages(figure.subplots(), local_hours(run, TIMEZONE), vm_pu, run.scenario.voltage.band)
    ax.legend(fontsize=7, frameon=False, loc="lower center", ncols=4, bbox_to_anchor=(0.5, 1.0))
    return figure


def _controlled_figure(answer: Answer) -> Figure:
    """Fig. 10 of the source: the far end under each rule, in open and in closed loop."""
    far = answer.base.prosumers[-1].id
    figure = Figure(figsize=(6.4, 5.2), layout="constrained")
    axes = figure.subplots(len(_MODES), 1, sharex=True, sharey=True)
    for ax, mode in zip(axes, _MODES, strict=True):
        runs = {c.rule: run for c, run in answer.runs.items() if c.mode == mode and c.active == (far,)}
        some = runs["none"].scenario
        vm_pu = {_NAMES[rule]: run.column("vm_pu")[:, -1] for rule, run in runs.items()}
        per_step = samples_per_step(runs["none"])
        plot_voltages(ax, local_hours(runs["none"], TIMEZONE), vm_pu, some.voltage.band, per_step)
        title = f"{mode}: mean of each quarter-hour, shaded to its least and largest minute"
        ax.set_title(title, fontsize=8, loc="left")
    axes[0].set_xlabel("")
    figure.legend(*axes[0].get_legend_handles_labels(), fontsize=8, frameon=False, loc="outside upper center", ncols=5)
    return figure


def _plan_figure(answer: Answer) -> Figure:
    """Fig. 5 of the source: what energy optimisation alone does in the house at the far end."""
    far = answer.base.prosumers[-1].id
    chosen = (c for c in answer.runs if c.mode == "closed-loop" and c.rule == "none" and c.active == (far,))
    return plot_day(Figure(figsize=(7.2, 7.5), layout="constrained"), answer.runs[next(chosen)], far)


def _days_figure(answer: Answer) -> Figure:
    """Gain kept and energy curtailed at the far end on every day, by rule, in open and in closed loop."""
    far = _far_end(answer.table)
    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes = figure.subplots(1, 2)
    for ax, name, label in zip(
        axes,
        ("gain_kept_percent", "tce_kwh"),
        ("gain kept (%)", "curtailed energy (kWh per day)"),
        strict=True,
    ):
        _strips(ax, far, name)
        ax.set_ylabel(label, fontsize=9)
        ax.tick_params(labelsize=8)
    labels = axes[0].get_legend_handles_labels()
    figure.legend(*labels, fontsize=8, frameon=False, loc="outside upper center", ncols=2)
    return figure


def _strips(ax: Axes, far: pd.DataFrame, name: str) -> None:
    """Every day a dot, side by side for the modes, with the median as a bar."""
    for m, (mode, marker) in enumerate(zip(_MODES, ("o", "^"), strict=True)):
        for r, rule in enumerate(PUBLISHED.index):
            values = far[(far["mode"] == mode) & (far["rule"] == rule)][name].dropna().sort_values().to_numpy()
            centre = r + (m - 0.5) * 0.4
            x = centre + 0.13 * np.sin(2.4 * np.arange(len(values)))  # spread, so that equal days stay visible
            label = mode if r == 0 else None
            ax.plot(x, values, marker, color=COLOURS[m], markersize=3.5, markerfacecolor="none", label=label)
            ax.hlines(np.median(values), centre - 0.18, centre + 0.18, color=COLOURS[m], linewidth=1.5)
    ax.set_xticks(range(len(PUBLISHED)), [_NAMES[rule] for rule in PUBLISHED.index])


def _far_end(table: pd.DataFrame) -> pd.DataFrame:
    far: pd.DataFrame = table.loc[table["distance_ohm"] == table["distance_ohm"].max()]
    return far


def _default_day(base: Scenario) -> str:
    return f"{pd.Timestamp(base.start).tz_convert(TIMEZONE):%Y-%m-%d}"


def _short(value: object) -> str:
    return f"{float(str(value)) + 0.0:.3g}"


def _markdown(table: pd.DataFrame) -> str:
    lines = ["| " + " | ".join(table.columns) + " |", "|" + "---|" * len(table.columns)]
    lines += [
        "| " + " | ".join(f"{value:.6g}" if isinstance(value, float) else str(value) for value in row) + " |"
        for row in table.itertuples(index=False)
    ]
    return "\n".join(lines)
