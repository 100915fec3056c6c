"""Figures of days in the study of congestion relief: what each measure does to whom, and CurB's pick-up."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.congestion_days import Day
from experiments.congestion_outcomes import Outcome
from experiments.congestion_scenarios import STOR, look, short

__all__ = ["pick_up_figure", "profiles_figure"]

Array = npt.NDArray[np.float64]

_SMALL, _LABEL = 7.5, 9.0
_GREY = "#666666"
_NIGHT_H = 8  # of the day after, in which what was put off is made up


def pick_up_figure(found: dict[str, Outcome], times: pd.DatetimeIndex, day: Day) -> Figure:
    """Fig. 10 of the source: load of the region and of its heat pumps, without and with CurB, on one day."""
    figure = Figure(figsize=(7.2, 4.2), layout="constrained")
    axes = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    names = (STOR, f"{STOR}+CurB")
    for name in names:
        _line(axes[0], found[name], times, day, lambda o: o.p_region_kw)
        _line(axes[1], found[name], times, day, lambda o: _sum(o, "p_hp_kw"))
    _threshold(axes[0], found[STOR])
    _shade(axes, found[names[1]], times, day)
    axes[0].set_ylabel("load of the region (kW)", fontsize=_LABEL)
    axes[1].set_ylabel("heat pumps (kW)", fontsize=_LABEL)
    axes[1].set_ylim(bottom=0)
    _finish(figure, axes, times, day, 4)
    return figure


def profiles_figure(found: dict[str, Outcome], times: pd.DatetimeIndex, day: Day) -> Figure:
    """Fig. 6 and 7 of the source: chargers under CurA, heat pumps under CurB, stores under ProA and ProB."""
    figure = Figure(figsize=(7.2, 7.4), layout="constrained")
    axes = figure.subplots(4, 1, sharex=True)
    cur_a, cur_b, pro_a, pro_ab = (f"{STOR}+{name}" for name in ("CurA", "CurB", "ProA", "ProA+ProB"))
    panels: list[tuple[str, tuple[str, ...], Callable[[Outcome], Array]]] = [
        ("EV chargers (kW)", (STOR, cur_a), lambda o: _sum(o, "p_ev_kw")),
        ("heat pumps (kW)", (STOR, cur_b), lambda o: _sum(o, "p_hp_kw")),
        ("storage (kW)\n> 0 charging", (STOR, pro_a, pro_ab), lambda o: _sum(o, "p_battery_kw") + _sum(o, "p_tes_kw")),
        ("load of the\nregion (kW)", (STOR, cur_a, cur_b, pro_a, pro_ab), lambda o: o.p_region_kw),
    ]
    for ax, (label, names, values) in zip(axes, panels, strict=True):
        for name in names:
            _line(ax, found[name], times, day, values)
        ax.set_ylabel(label, fontsize=_LABEL)
    axes[2].axhline(0, color="0.8", linewidth=0.6, zorder=0)
    _threshold(axes[3], found[STOR])
    _shade(axes, found[cur_b], times, day)
    _finish(figure, axes, times, day, 4)
    return figure


def _span(times: pd.DatetimeIndex, day: Day) -> tuple[slice, Array]:
    """The day and the night after it: steps of the year, and hours since the day's midnight."""
    steps = round(pd.Timedelta(days=1) / (times[1] - times[0]))
    chosen = slice(day.row * steps, min(len(times), day.row * steps + round(steps * (24 + _NIGHT_H) / 24)))
    return chosen, np.arange(chosen.stop - chosen.start + 1) * 24.0 / steps


def _line(ax: Axes, outcome: Outcome, times: pd.DatetimeIndex, day: Day, values: Callable[[Outcome], Array]) -> None:
    chosen, hours = _span(times, day)
    shown = values(outcome)[chosen]
    colour, line, _ = look(outcome.scenario)
    ax.step(
        hours,
        np.append(shown, shown[-1]),
        where="post",
        label=short(outcome.scenario),
        color=colour,
        linestyle=line,
        linewidth=1.2,
    )


def _sum(outcome: Outcome, name: str) -> Array:
    assert outcome.sums is not None, f"{outcome.scenario} was run without its columns"
    values: Array = outcome.sums[name].to_numpy(dtype=float)
    return values


def _threshold(ax: Axes, outcome: Outcome) -> None:
    dashed = (0, (6, 3))
    ax.axhline(outcome.threshold_kw, color=_GREY, linewidth=0.9, linestyle=dashed, label=f"threshold, {outcome.level}")


def _shade(axes: Sequence[Axes], outcome: Outcome, times: pd.DatetimeIndex, day: Day) -> None:
    """Where CurB caps heat pumps."""
    chosen, hours = _span(times, day)
    edges = np.flatnonzero(np.diff(outcome.relieved[chosen].astype(int), prepend=0, append=0))
    for ax in axes:
        for first, end in edges.reshape(-1, 2):
            ax.axvspan(hours[first], hours[end], color="0.92", zorder=0)


def _finish(figure: Figure, axes: Sequence[Axes], times: pd.DatetimeIndex, day: Day, columns: int) -> None:
    chosen, hours = _span(times, day)
    for ax in axes:
        ax.tick_params(labelsize=_SMALL)
    axes[-1].set_xlim(0, hours[-1])
    ticks = np.arange(0, hours[-1] + 1e-6, 4)
    axes[-1].set_xticks(ticks, [f"{hour % 24:g}" for hour in ticks])
    name = f"{times[chosen.start]:%d %B}"
    axes[-1].set_xlabel(f"local standard time from {name} on (hour of the day); shaded: CurB", fontsize=_LABEL)
    figure.align_ylabels(axes)
    found = [pair for ax in axes for pair in zip(*ax.get_legend_handles_labels(), strict=True)]
    by_label = {label: handle for handle, label in found}
    figure.legend(
        list(by_label.values()), list(by_label), fontsize=8, frameon=False, loc="outside upper center", ncols=columns
    )
