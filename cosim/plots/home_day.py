"""One prosumer's day under one or two rules: what was planned, what was delivered, what is still ahead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from agents.prosumer import VoltageBand
from cosim.plots.data import HomeDay
from cosim.plots.panels import (
    DASHED,
    WIDTHS,
    draw_level,
    draw_moment,
    draw_steps,
    extremes,
    hour_axis,
    legend_strip,
    panels_of,
    prepared,
    round_up,
    value_axis,
)
from cosim.plots.style import COLOURS, GREY

__all__ = [
    "plot_home",
    "plot_home_battery",
    "plot_home_energy",
    "plot_home_flexible",
    "plot_home_power",
    "plot_home_price",
    "plot_home_voltage",
]

Array = npt.NDArray[np.float64]
Days = Mapping[str, HomeDay]

_PLANNED = 0.9  # line width
_SHADE = 0.3
_SAME = 1e-6  # powers [kW] and voltages [p.u.] that differ by less are the same
_VOLTAGES = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # what an axis reaches from 1 to either side [p.u.]
_SIGNS = (
    ({"color": GREY, "linewidth": _PLANNED, "linestyle": ":"}, "planned"),
    ({"color": GREY, "linewidth": WIDTHS[0], "linestyle": DASHED}, "plan ahead"),
    ({"color": "black", "linestyle": "", "marker": "|", "markersize": 11}, "now"),
    ({"color": GREY, "linewidth": 8, "alpha": _SHADE}, "cut by the rule: battery off its plan, PV curtailed"),
)
_HATCHES = ("", "////")  # two shades on top of one another are told apart, in grey too


def plot_home_battery(ax: Axes, days: Days) -> Axes:
    """Power of the battery: delivered as steps, what the plan asked for thin, and the gap between them shaded.

    What the plan holds for steps to come is dashed, beyond a line that marks now.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    days : mapping of str to HomeDay
        The same prosumer's day under one or two rules, by their labels.
    """
    prepared(ax, "battery (kW), > 0 charging")
    low, high = 0.0, 0.0
    for day, edges, colour, width, hatch in _looks(days):
        planned, delivered = day.p_battery_planned_kw, day.p_battery_kw
        _shade(ax, edges, planned, delivered, colour, hatch)
        draw_steps(ax, edges, planned, edgecolor=colour, linewidth=_PLANNED, alpha=0.8, style=":")
        draw_steps(ax, edges, delivered, edgecolor=colour, linewidth=width)
        draw_steps(ax, edges, day.p_battery_ahead_kw, edgecolor=colour, linewidth=width, style=DASHED)
        least, most = extremes((planned, delivered, day.p_battery_ahead_kw))
        low, high = min(low, least), max(high, most)
    size = max(high, -low) or 1.0
    return _finished(ax, days, -size, size)


def plot_home_flexible(ax: Axes, days: Days) -> Axes:
    """Power of the flexible load, drawn as planned in steps; what the plan holds for steps to come is dashed.

    Parameters as of `plot_home_battery`.
    """
    prepared(ax, "flexible load (kW)")
    columns = []
    for day, edges, colour, width, _ in _looks(days):
        draw_steps(ax, edges, day.p_flexible_kw, edgecolor=colour, linewidth=width)
        draw_steps(ax, edges, day.p_flexible_ahead_kw, edgecolor=colour, linewidth=width, style=DASHED)
        columns += [day.p_flexible_kw, day.p_flexible_ahead_kw]
    return _finished(ax, days, *extremes(columns))


def plot_home_power(ax: Axes, days: Days) -> Axes:
    """Power at the meter as steps, and shaded below it the PV power that was curtailed: fed in without the rule.

    Parameters as of `plot_home_battery`.
    """
    prepared(ax, "meter (kW), > 0 import")
    columns = []
    for day, edges, colour, width, hatch in _looks(days):
        would_be = day.p_meter_kw - day.p_curtailed_kw
        _shade(ax, edges, would_be, day.p_meter_kw, colour, hatch)
        draw_steps(ax, edges, day.p_meter_kw, edgecolor=colour, linewidth=width)
        columns += [day.p_meter_kw, would_be]
    return _finished(ax, days, *extremes(columns))


def plot_home_price(ax: Axes, days: Days) -> Axes:
    """Prices of buying and, dashed, of selling, of the whole day; those of the first rule, whose tariff all share.

    Parameters as of `plot_home_battery`.
    """
    day = next(iter(days.values()))
    edges = _edges(day)
    same = np.array_equal(day.price_buy, day.price_sell, equal_nan=True)
    prepared(ax, "price (currency/kWh)" + (", buy = sell" if same else ""))
    draw_steps(ax, edges, day.price_buy, edgecolor="black", linewidth=1.4)
    if not same:
        draw_steps(ax, edges, day.price_sell, edgecolor=GREY, linewidth=1.1, style=DASHED)
    return _finished(ax, days, *extremes((day.price_buy, day.price_sell)))


def plot_home_energy(ax: Axes, days: Days, capacity_kwh: float | None = None) -> Axes:
    """Energy in the battery, and its capacity as the upper end of the axis.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    days : mapping of str to HomeDay
        As of `plot_home_battery`.
    capacity_kwh : float, optional
        Size of the battery [kWh]; the axis follows the energy without.
    """
    size = "" if capacity_kwh is None else f", battery of {capacity_kwh:g} kWh" if capacity_kwh else ", no battery"
    prepared(ax, "energy (kWh)" + size)
    columns = [np.array([capacity_kwh or 0.0])]
    for day, edges, colour, width, _ in _looks(days):
        ax.plot(edges[1:], day.energy_kwh, color=colour, linewidth=width)
        columns.append(day.energy_kwh)
    if capacity_kwh:
        draw_level(ax, capacity_kwh, color=GREY, linewidth=0.9, linestyle=DASHED)
    return _finished(ax, days, *extremes(columns))


def plot_home_voltage(ax: Axes, days: Days, band: VoltageBand) -> Axes:
    """Mean voltage of each step, shaded from its least to its largest sample; the dead band grey, limits dashed.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    days : mapping of str to HomeDay
        As of `plot_home_battery`.
    band : VoltageBand
        Limits and dead band.
    """
    prepared(ax, "voltage (p.u.), mean and swings")
    ax.axhspan(1 - band.dead_pu, 1 + band.dead_pu, color="0.9", zorder=0)
    values = [np.array([band.vm_min_pu, band.vm_max_pu])]
    for day, edges, colour, width, hatch in _looks(days):
        _shade(ax, edges, day.vm_least_pu, day.vm_largest_pu, colour, hatch)
        draw_steps(ax, edges, day.vm_pu, edgecolor=colour, linewidth=width)
        values += [day.vm_least_pu, day.vm_largest_pu]
    for limit in (band.vm_min_pu, band.vm_max_pu):
        draw_level(ax, limit, color="black", linewidth=0.9, linestyle=DASHED)
    farthest = float(np.nanmax(np.abs(np.concatenate(values) - 1)))
    size = next(s for s in _VOLTAGES if s >= farthest or s == _VOLTAGES[-1])
    _time(ax, days)
    value_axis(ax, 1 - size, 1 + size, np.array([band.vm_min_pu, 1.0, band.vm_max_pu]))
    return ax


def plot_home(figure: Figure, days: Days, band: VoltageBand, capacity_kwh: float | None = None) -> Figure:
    """All of it in six panels at fixed places of a figure, which is emptied, with names and signs along its top.

    Readable from 1000 x 340 pixels on.

    Parameters
    ----------
    figure : Figure
        Where to draw; one that was drawn on by this function before costs less.
    days, band, capacity_kwh
        As of the single panels.
    """
    axes = panels_of(figure, 2, 3)
    plot_home_battery(axes[0], days)
    plot_home_power(axes[1], days)
    plot_home_voltage(axes[2], days, band)
    plot_home_energy(axes[3], days, capacity_kwh)
    plot_home_flexible(axes[4], days)
    plot_home_price(axes[5], days)
    for ax in axes[:3]:
        ax.tick_params(labelbottom=False)
        ax.set_xlabel("")
    name = next(iter(days.values())).name
    lines = [({"color": c, "linewidth": w}, label) for label, (_, _, c, w, _) in zip(days, _looks(days), strict=True)]
    legend_strip(figure, name, [*lines, *_SIGNS])
    return figure


def _edges(day: HomeDay) -> Array:
    """Beginnings of all steps and the end of the last one [h]."""
    return np.append(day.hours, day.hours[-1] + day.step_h)


def _looks(days: Days) -> Iterator[tuple[HomeDay, Array, str, float, str]]:
    """Each day with its edges, and colour, width and hatch of what is drawn of it."""
    for place, day in enumerate(days.values()):
        yield day, _edges(day), COLOURS[place % len(COLOURS)], WIDTHS[min(place, 1)], _HATCHES[min(place, 1)]


def _shade(ax: Axes, edges: Array, low: Array, high: Array, colour: str, hatch: str) -> None:
    """What lies between two columns, where they differ at all."""
    if np.nanmax(np.abs(high - low), initial=0.0) < _SAME:
        return
    look = {"facecolor": colour, "alpha": _SHADE} if not hatch else {"facecolor": "none", "edgecolor": colour}
    draw_steps(ax, edges, high, baseline=low, linewidth=0, hatch=hatch, **look)


def _finished(ax: Axes, days: Days, low: float, high: float) -> Axes:
    """Axes from `low` to `high` or a little further, with a line at zero."""
    draw_level(ax, 0, color=GREY, linewidth=0.6, zorder=0.5)
    _time(ax, days)
    low, high = 0.0 - round_up(-low), round_up(high)
    value_axis(ax, low, high if high > low else 1.0)
    return ax


def _time(ax: Axes, days: Days) -> None:
    """The hours of the day, and a line that marks now, unless the day is over."""
    day = next(iter(days.values()))
    edges, lived = _edges(day), np.flatnonzero(day.lived())
    hour_axis(ax, edges)
    n_lived = lived[-1] + 1 if len(lived) else 0
    if n_lived < len(day.hours):
        draw_moment(ax, edges[n_lived], color="black", linewidth=0.8)
