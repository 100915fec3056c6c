"""Figures of the herd study; each takes data and returns a figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cosim.plots import COLOURS, STYLES
from experiments.herd_night import NO_BATTERY, THIRDS, Herd, Outcome
from experiments.herd_settings import RANDOM_HOMES, SWEPT, TARIFF

__all__ = ["lived_figure", "location_figure", "night_figure", "sizes_figure", "strengths_figure"]

_SMALL, _LABEL = 7.5, 9.0
_GREY = "#666666"
_DASHED: dict[str, Any] = {"color": _GREY, "linewidth": 0.8, "linestyle": (0, (6, 3))}
_FIRST_H = 8
_MARKERS = ("o", "s", "^", "v", "D", "P", "X", "<", ">", "*")
_WORDS = {TARIFF: "time of use alone", RANDOM_HOMES: "homes with random ties", "random-ties": "random prices"}
_SHOWN = (NO_BATTERY, TARIFF, "source", "random-ties", "demand-charge", "bound")


def night_figure(herd: Herd) -> Figure:
    """Power of all homes and the lowest voltage at any of them in the first hours of the rehearsed day."""
    lost = _losses(herd)
    figure = Figure(figsize=(7.2, 4.6), layout="constrained")
    axes = figure.subplots(2, len(lost), sharex=True, sharey="row", squeeze=False)
    for column, share in enumerate(lost):
        found = [o for o in herd.of(self_discharge_per_h=share, level="rehearsal") if o.signal in _SHOWN]
        for k, outcome in enumerate(found):
            hours = np.arange(len(outcome.power_kw)) * 24 / len(outcome.power_kw)
            early = hours <= _FIRST_H
            look = {"color": COLOURS[k], "linestyle": STYLES[k], "linewidth": 1.4, "drawstyle": "steps-post"}
            axes[0, column].plot(hours[early], outcome.power_kw[early], label=_name(outcome), **look)
            axes[1, column].plot(hours[early], outcome.vm_pu[early], **look)
        axes[0, column].set_title(_loss(share), fontsize=_LABEL, loc="left")
        for ax in axes[:, column]:
            _off_peak(ax, found[0])
        axes[1, column].axhline(herd.reference.vm_ref_pu, label="reference", **_DASHED)
        axes[1, column].set_xlabel("local time (hour of the day), off-peak shaded", fontsize=_LABEL)
    axes[0, 0].set_ylabel("all homes (kW)", fontsize=_LABEL)
    axes[1, 0].set_ylabel("lowest voltage (p.u.)", fontsize=_LABEL)
    axes[1, 0].set_xlim(0, _FIRST_H)
    _finish(figure, axes, 4)
    return figure


def lived_figure(herd: Herd) -> Figure:
    """Herd peak and lowest voltage of each signal: rehearsed, and lived on each way."""
    lost = _losses(herd)
    ways = list(dict.fromkeys(o.way[1:] for o in herd.outcomes))
    names = list(dict.fromkeys(o.signal for o in herd.outcomes))
    figure = Figure(figsize=(7.2, 0.9 + 0.24 * len(names) * len(lost)), layout="constrained")
    axes = figure.subplots(len(lost), 2, sharex="col", sharey=True, squeeze=False)
    for row, share in enumerate(lost):
        for k, (level, rule, mode) in enumerate(ways):
            found = herd.of(self_discharge_per_h=share, level=level, rule=rule, mode=mode)
            label = "rehearsed" if level == "rehearsal" else f"lived, {'no rule' if rule == 'none' else rule}"
            label += f" {mode}" if rule not in ("", "none") else ""
            look = {"color": COLOURS[k % len(COLOURS)], "marker": _MARKERS[k], "linestyle": "none", "markersize": 5}
            look |= {"markerfacecolor": "none"} if level == "rehearsal" else {"alpha": 0.8}
            look |= {"markersize": 8} if level == "rehearsal" else {}
            at = [names.index(o.signal) for o in found]
            axes[row, 0].plot([o.peak_kw for o in found], at, label=label, **look)
            axes[row, 1].plot([o.v_min_pu for o in found], at, **look)
        axes[row, 0].set_title(_loss(share), fontsize=_LABEL, loc="left")
        axes[row, 0].set_yticks(range(len(names)), [_WORDS.get(name, name) for name in names])
        axes[row, 1].axvline(herd.reference.vm_ref_pu, label="reference", **_DASHED)
    axes[0, 0].invert_yaxis()
    axes[0, 0].set_xlim(left=0)
    axes[-1, 0].set_xlabel("peak of all homes off-peak (kW)", fontsize=_LABEL)
    axes[-1, 1].set_xlabel("lowest voltage off-peak (p.u.)", fontsize=_LABEL)
    for ax in axes.flat:
        ax.grid(axis="y", color="0.92", linewidth=0.8)
        ax.set_axisbelow(True)
    _finish(figure, axes, 2)
    return figure


def location_figure(herd: Herd) -> Figure:
    """Change of bills of the nearest, middle and farthest third of the homes, by signal, at rehearsal."""
    lost = _losses(herd)
    figure = Figure(figsize=(7.2, 3.4), layout="constrained")
    axes = figure.subplots(1, len(lost), sharey=True, squeeze=False)
    for ax, share in zip(axes[0], lost, strict=True):
        found = [
            o for o in herd.of(self_discharge_per_h=share, level="rehearsal") if o.signal not in (TARIFF, NO_BATTERY)
        ]
        for k, (third, at) in enumerate(herd.thirds):
            change = [_percent(o, herd, at) for o in found]
            ax.plot(
                change, np.arange(len(found)) + 0.18 * (k - 1), color=COLOURS[k], marker=_MARKERS[k], linestyle="none",
                markersize=4.5, label=f"{third} third" if third != "middle" else "middle",
            )  # fmt: skip
        ax.set_yticks(range(len(found)), [_name(o) for o in found])
        ax.axvline(0.0, color=_GREY, linewidth=0.8)
        ax.grid(axis="y", color="0.92", linewidth=0.8)
        ax.set_axisbelow(True)
        ax.set_title(_loss(share), fontsize=_LABEL, loc="left")
        ax.set_xlabel("bills against time of use alone (%)", fontsize=_LABEL)
    axes[0, 0].invert_yaxis()
    _finish(figure, axes, len(THIRDS))
    return figure


def strengths_figure(herd: Herd, strengths: Herd) -> Figure:
    """Herd peak against bills, for each parameter of two signals, between time of use alone and the bound."""
    lost = _losses(herd)
    figure = Figure(figsize=(7.2, 3.4), layout="constrained")
    axes = figure.subplots(1, len(lost), sharey=True, squeeze=False)
    everyone = np.ones(len(herd.places), dtype=bool)
    for ax, share in zip(axes[0], lost, strict=True):
        names = [name for name, _ in SWEPT.values()]
        swept = [outcome for outcome in strengths.of(self_discharge_per_h=share) if outcome.signal in names]
        for k, name in enumerate(dict.fromkeys(o.signal for o in swept)):
            line = [o for o in swept if o.signal == name]
            bills, peaks = [_percent(o, strengths, everyone) for o in line], [o.peak_kw for o in line]
            label = _WORDS.get(name, name) + f", {line[0].parameter:g} to {line[-1].parameter:g}"
            look = {"color": COLOURS[k + 2], "marker": _MARKERS[k], "linestyle": STYLES[k]}
            ax.plot(bills, peaks, linewidth=0.9, markersize=4.5, label=label, **look)
        alone = [o for o in herd.of(self_discharge_per_h=share, level="rehearsal") if o.signal in (TARIFF, "bound")]
        for k, outcome in enumerate(alone):
            change = _percent(outcome, herd, everyone)
            look = {"color": COLOURS[k], "marker": _MARKERS[k + 4], "linestyle": "none"}
            ax.plot([change], [outcome.peak_kw], label=_name(outcome), markersize=7, **look)
        for outcome in herd.of(self_discharge_per_h=share, level="rehearsal", signal=NO_BATTERY):
            ax.axhline(outcome.peak_kw, label=NO_BATTERY, **_DASHED)
        ax.set_title(_loss(share), fontsize=_LABEL, loc="left")
        ax.set_xlabel("bills against time of use alone (%)", fontsize=_LABEL)
    axes[0, 0].set_ylabel("peak of all homes off-peak (kW)", fontsize=_LABEL)
    axes[0, 0].set_ylim(bottom=0)
    _finish(figure, axes, 3)
    return figure


def sizes_figure(sizes: Sequence[Herd]) -> Figure:
    """Herd peak per home against the number of homes, by signal."""
    lost = _losses(sizes[0])
    figure = Figure(figsize=(7.2, 3.4), layout="constrained")
    axes = figure.subplots(1, len(lost), sharey=True, squeeze=False)
    n_homes = [len(herd.places) for herd in sizes]
    for ax, share in zip(axes[0], lost, strict=True):
        for k, name in enumerate(dict.fromkeys(o.signal for o in sizes[0].outcomes), start=-1):
            peaks = [herd.of(self_discharge_per_h=share, signal=name)[0].peak_kw for herd in sizes]
            each = np.array(peaks) / n_homes
            look: dict[str, Any] = {"color": COLOURS[k % len(COLOURS)], "linestyle": STYLES[k % len(STYLES)]}
            look |= {"marker": _MARKERS[k], "markersize": 4.5, "linewidth": 0.9}
            label = _WORDS.get(name, name)
            ax.plot(n_homes, each, label=label, **(_DASHED if name == NO_BATTERY else look))
        ax.set_xscale("log")
        ax.set_xticks(n_homes, [f"{n:,}" for n in n_homes])
        ax.minorticks_off()
        ax.set_title(_loss(share), fontsize=_LABEL, loc="left")
        ax.set_xlabel("homes", fontsize=_LABEL)
    axes[0, 0].set_ylabel("peak off-peak (kW per home)", fontsize=_LABEL)
    axes[0, 0].set_ylim(bottom=0)
    _finish(figure, axes, 3)
    return figure


def _losses(herd: Herd) -> list[float]:
    return list(dict.fromkeys(o.self_discharge_per_h for o in herd.outcomes))


def _loss(share: float) -> str:
    return f"self-discharge {100 * share:g} % per hour"


def _name(outcome: Outcome) -> str:
    return _WORDS.get(outcome.signal, outcome.signal)


def _percent(outcome: Outcome, herd: Herd, at: npt.NDArray[np.bool_]) -> float:
    base = herd.tariff_alone(outcome).bills[at].sum()
    return float(100 * (outcome.bills[at].sum() - base) / abs(base))


def _off_peak(ax: Axes, outcome: Outcome) -> None:
    """Shade the cheap hours."""
    edges = np.flatnonzero(np.diff(outcome.off_peak.astype(int), prepend=0, append=0))
    for start, end in edges.reshape(-1, 2) * 24 / len(outcome.off_peak):
        ax.axvspan(start, end, color="0.94", zorder=0)


def _finish(figure: Figure, axes: npt.NDArray[Any], columns: int) -> None:
    """Sizes of numbers, and one legend of all panels above them."""
    for ax in axes.flat:
        ax.tick_params(labelsize=_SMALL)
    found = [pair for ax in axes.flat for pair in zip(*ax.get_legend_handles_labels(), strict=True)]
    handles = {label: handle for handle, label in reversed(found)}
    labels = list(dict.fromkeys(label for _, label in found))
    shown = [handles[label] for label in labels]
    figure.legend(shown, labels, fontsize=8, frameon=False, loc="outside upper center", ncols=columns)
