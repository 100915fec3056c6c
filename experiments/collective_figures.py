"""Figures of the collective-tariff study; each takes data and returns a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cosim.dry_summer import TIMEZONE
from cosim.plots import COLOURS, STYLES

if TYPE_CHECKING:
    from cosim.collective import Week
    from experiments.collective_tariff import Answer, Case

__all__ = ["alpha_figure", "iterations_figure", "loads_figure", "normalised_figure", "signals_figure"]

Array = npt.NDArray[np.float64]

_SMALL, _LABEL = 7.5, 9.0
_GREY = "#666666"
_IDLE = 0.05  # of the bound, below which a signal does next to nothing
_MARKERS = ("o", "s", "^", "v", "D", "P", "X", "<", ">", "*", "h")


def loads_figure(case: Case) -> Figure:
    """The source's fig. 4: load of the feeder, and voltage at the office complex, over the week."""
    week, iterates = case.week, case.signals["source"].iterates
    first = iterates[min(1, len(iterates) - 1)]
    days = _days(week)
    figure = Figure(figsize=(7.2, 4.6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    bare = week.monitor.observe(week.baseline.p_kw, week.baseline.q_kvar).value[:, 0]
    lines = (
        ("without plants", week.baseline.p_kw, bare),
        ("time of use", iterates[0].p_kw, iterates[0].observation.value[:, 0]),
        ("iteration 1", first.p_kw, first.observation.value[:, 0]),
    )
    for k, (label, p_kw, vm_pu) in enumerate(lines):
        look = {"color": COLOURS[k], "linestyle": STYLES[k], "linewidth": 0.9}
        above.plot(days, (week.background_kw + p_kw.sum(axis=1)) / 1e3, label=label, **look)
        below.plot(days, vm_pu, **look)
    above.set_ylabel("feeder load (MW)", fontsize=_LABEL)
    above.tick_params(labelsize=_SMALL)
    _reference(below, week)
    _day_axis(below, week)
    figure.legend(*above.get_legend_handles_labels(), fontsize=8, frameon=False, loc="outside upper center", ncols=3)
    return figure


def normalised_figure(case: Case) -> Figure:
    """The source's fig. 5: background and office complex, each over its largest power, and the voltage there."""
    week, tou = case.week, case.signals["source"].iterates[0]
    office = week.facilities.names.index("One Sun Plaza")
    figure = Figure(figsize=(7.2, 4.2), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    for k, (label, p_kw) in enumerate((("background", week.background_kw), ("One Sun Plaza", tou.p_kw[:, office]))):
        look = {"color": COLOURS[k], "linestyle": STYLES[k], "linewidth": 0.9}
        above.plot(_days(week), p_kw / p_kw.max(), label=label, **look)
    above.set_ylabel("load / its peak", fontsize=_LABEL)
    above.tick_params(labelsize=_SMALL)
    below.plot(_days(week), tou.observation.value[:, 0], color=COLOURS[2], linewidth=0.9)
    _reference(below, week)
    _day_axis(below, week)
    figure.legend(*above.get_legend_handles_labels(), fontsize=8, frameon=False, loc="outside upper center", ncols=2)
    return figure


def iterations_figure(case: Case) -> Figure:
    """The source's fig. 6: voltage at the office complex by iteration, 0:00 to 10:00 of its Wednesday, 25 July."""
    week, iterates = case.week, case.signals["source"].iterates
    local = week.times.tz_convert(TIMEZONE)
    day = local.normalize() == local.normalize().unique()[min(2, len(local.normalize().unique()) - 1)]
    some = day & (local.hour < 10)
    hours = (local.hour + local.minute / 60)[some]
    figure = Figure(figsize=(6.4, 3.4), layout="constrained")
    ax = figure.subplots()
    for k, iterate in enumerate(iterates[:5]):
        label = "time of use" if k == 0 else f"iteration {k}"
        vm_pu = iterate.observation.value[some, 0]
        ax.plot(hours, vm_pu, color=COLOURS[k], linestyle=STYLES[k], linewidth=1.1, label=label)
    _reference(ax, week)
    ax.set_xlabel(f"local time on {local[some][0]:%d %B} (hour of the day)", fontsize=_LABEL)
    ax.set_xlim(0, 10)
    ax.tick_params(labelsize=_SMALL)
    figure.legend(*ax.get_legend_handles_labels(), fontsize=8, frameon=False, loc="outside upper center", ncols=5)
    return figure


def alpha_figure(answer: Answer) -> Figure:
    """Deficit and bills by iteration of the source's rule, for each alpha, on the first seed."""
    cases = [case for case in answer.cases if case.alphas]
    figure = Figure(figsize=(6.8, 4.6), layout="constrained")
    axes = figure.subplots(2, len(cases), sharex=True, sharey="row", squeeze=False)
    for column, case in enumerate(cases):
        for k, (alpha, found) in enumerate(case.alphas.items()):
            table = found.table()
            look = {"color": COLOURS[k % len(COLOURS)], "marker": _MARKERS[k], "markersize": 3.5, "linewidth": 0.9}
            axes[0, column].plot(table["iteration"], 1e3 * table["deficit_pu_h"], label=f"alpha {alpha:g}", **look)
            axes[1, column].plot(table["iteration"], table["bill_change_percent"], **look)
        axes[0, column].set_title(case.feeder, fontsize=_LABEL, loc="left")
        axes[1, column].set_xlabel("iteration", fontsize=_LABEL)
    axes[0, 0].set_ylabel("deficit (10⁻³ p.u. h)", fontsize=_LABEL)
    axes[1, 0].set_ylabel("bills (%)", fontsize=_LABEL)
    for ax in axes.flat:
        ax.tick_params(labelsize=_SMALL)
        ax.xaxis.get_major_locator().set_params(integer=True)
    handles = axes[0, 0].get_legend_handles_labels()
    figure.legend(*handles, fontsize=8, frameon=False, loc="outside upper center", ncols=len(handles[0]) or 1)
    return figure


def signals_figure(answer: Answer) -> Figure:
    """What each signal's best iterate recovers of the bound, and at what bills; a dot per seed. Dashed: the bound."""
    table = answer.table
    feeders = list(dict.fromkeys(table["feeder"]))
    tried = table[table["best"] & (table["signal"] != "none")]
    looks = {name: (COLOURS[k % len(COLOURS)], _MARKERS[k]) for k, name in enumerate(dict.fromkeys(tried["signal"]))}
    figure = Figure(figsize=(7.2, 3.8), layout="constrained")
    axes = figure.subplots(1, len(feeders), sharey=True, squeeze=False)[0]
    for ax, feeder in zip(axes, feeders, strict=True):
        best = tried[tried["feeder"] == feeder]
        idle = [name for name, rows in best.groupby("signal", sort=False) if rows["bound_share"].max() < _IDLE]
        for name, rows in best[~best["signal"].isin(idle)].groupby("signal", sort=False):
            look = dict(zip(("color", "marker"), looks[str(name)], strict=True))
            share = 100 * rows["bound_share"]
            ax.plot(rows["bill_change_percent"], share, markersize=5, linestyle="none", label=name, **look)
        bound = np.median([case.bound.bill_change_percent for case in answer.cases if case.feeder == feeder])
        ax.axvline(float(bound), color=_GREY, linewidth=0.8, linestyle=(0, (6, 3)), label="bills of the bound")
        none = f"; next to nothing: {', '.join(map(str, idle))}" if idle else ""
        ax.set_title(f"{feeder}{none}", fontsize=_LABEL, loc="left")
        ax.set_xlabel("bills of all four (%)", fontsize=_LABEL)
        ax.tick_params(labelsize=_SMALL)
    axes[0].set_ylabel("share of the bound's improvement (%)", fontsize=_LABEL)
    figure.legend(
        *axes[0].get_legend_handles_labels(), fontsize=7.5, frameon=False, loc="outside lower center", ncols=4
    )
    return figure


def _days(week: Week) -> Array:
    days: Array = ((week.times - week.times[0]) / pd.Timedelta(days=1)).to_numpy(dtype=np.float64)
    return days


def _reference(ax: Axes, week: Week) -> None:
    v_ref = week.monitor.watches[0].limit
    if v_ref is not None:
        ax.axhline(v_ref, color=_GREY, linewidth=0.8, linestyle=(0, (6, 3)))
        ax.annotate(
            f"{v_ref:g}", (1.005, v_ref), xycoords=("axes fraction", "data"), va="center", fontsize=_SMALL, color=_GREY
        )
    ax.set_ylabel("voltage (p.u.)", fontsize=_LABEL)
    ax.tick_params(labelsize=_SMALL)


def _day_axis(ax: Axes, week: Week) -> None:
    """Days by name, from local midnight on."""
    local = week.times.tz_convert(TIMEZONE)
    names = [f"{day:%a %d %b}" for day in local.normalize().unique()]
    ax.set_xticks(range(len(names)), names, ha="left")
    ax.set_xlim(0, _days(week)[-1])
    ax.tick_params(labelsize=_SMALL)
