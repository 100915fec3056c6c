"""The figures of a run: voltages over time, and one prosumer's day in five panels.

Times are drawn as local hours of the day.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.typing import LineStyleType

from agents.prosumer import VoltageBand
from cosim.build import build_signals
from cosim.data import TIMEZONE
from cosim.outcome import Run
from cosim.plots.style import COLOURS, GREY, LABEL_SIZE, LINE_WIDTH, SMALL_SIZE, STYLES

__all__ = [
    "draw_run",
    "local_hours",
    "plot_band",
    "plot_day",
    "plot_voltages",
    "samples_per_step",
    "save_figure",
]

Array = npt.NDArray[np.float64]

_DAY_COLUMNS = (
    *("p_battery_kw", "p_flexible_kw", "p_load_kw", "p_pv_kw", "p_curtailed_kw", "p_meter_kw"),
    *("price_buy", "price_sell", "energy_kwh"),
)
_DAY_LABELS = ("battery (kW)", "flexible load (kW)", "net load (kW)", "price\n(currency/kWh)", "energy (kWh)")
_TICKS_H = (3, 6, 12, 24, 48, 96, 168, 336, 672, 1464, 2928)  # from a fortnight on as days: 7, 14, 28, 61, 122
_DAYS_IN_HOURS = 14  # a run of more days is drawn day by day
_DAYS_IN_DETAIL = 7  # of a prosumer


def plot_band(ax: Axes, band: VoltageBand) -> Axes:
    """The dead band as a grey area and the limits as dashed lines, named at the right; voltages are the y axis."""
    ax.axhspan(1 - band.dead_pu, 1 + band.dead_pu, color="0.92", zorder=0, label="dead band")
    for limit in (band.vm_min_pu, band.vm_max_pu):
        ax.axhline(limit, color=GREY, linewidth=0.8, linestyle=(0, (6, 3)), zorder=1)
        ax.annotate(
            f"{limit:g}",
            (1.005, limit),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=SMALL_SIZE,
            color=GREY,
        )
    return ax


def plot_voltages(ax: Axes, hours: Array, vm_pu: Mapping[str, Array], band: VoltageBand, per_step: int = 1) -> Axes:
    """Voltages over time, one line per label, with the dead band shaded and the limits dashed.

    With `per_step` samples to a step the line is the mean of each step, shaded from its least to its largest sample:
    a rule that hunts would fill its swings with a line of all samples.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    hours : array, shape (n,)
        Time [h].
    vm_pu : mapping of str to array, shape (n,)
        Voltage magnitudes [p.u.] by label.
    band : VoltageBand
        Limits and dead band.
    per_step : int
        Samples that are drawn as one step.
    """
    plot_band(ax, band)
    for index, (label, values) in enumerate(vm_pu.items()):
        colour, style = COLOURS[index % len(COLOURS)], STYLES[index % len(STYLES)]
        _line(ax, hours, values, colour, label, style, per_step)
    ax.set_ylabel("voltage (p.u.)", fontsize=LABEL_SIZE)
    _hour_axis(ax, hours)
    return ax


def plot_day(figure: Figure, run: Run, prosumer: str, timezone: str = TIMEZONE) -> Figure:
    """One prosumer's run in five panels: battery, flexible load in its bounds, net load, price, energy.

    The panels of Hashmi et al., fig. 5, of the first seven days of a longer run, which the title then says. Battery,
    meter and curtailed power as mean of each market step, shaded from its least to its largest sample.

    Raises
    ------
    NotRecorded
        When the run did not record what is drawn.
    """
    row = run.prosumers["prosumer"].tolist().index(prosumer)
    days = min(run.scenario.days, _DAYS_IN_DETAIL)
    hours = local_hours(run, timezone)[: days * 24 * 60 // run.series.layout.step_min]
    samples = run.series.read(_DAY_COLUMNS, 0, len(hours), [row])[:, :, 0]
    battery, flexible, load, pv, curtailed, meter, price_buy, price_sell, energy = samples.T
    per_step = samples_per_step(run, days)
    signals = build_signals(run.scenario, 0, days * 24 * 60 // run.scenario.market_step_min)
    step = np.arange(len(hours)) * run.series.layout.step_min // run.scenario.market_step_min
    highest, usual = signals.p_flexible_max_kw[step, row], signals.p_flexible_kw[step, row]
    axes = figure.subplots(5, 1, sharex=True)
    blue, orange, green, *_ = COLOURS
    axes[0].axhline(0, color=GREY, linewidth=0.6)
    _line(axes[0], hours, battery, blue, "battery, > 0 charging", "-", per_step)
    axes[1].fill_between(hours, 0, highest, step="post", color="0.9", label="bounds")
    _line(axes[1], hours, usual, GREY, "by itself", ":")
    _line(axes[1], hours, flexible, blue, "planned")
    axes[2].axhline(0, color=GREY, linewidth=0.6)
    _line(axes[2], hours, load + usual - pv, GREY, "load less PV, no optimisation", ":")
    _line(axes[2], hours, meter, blue, "at the meter, > 0 import", "-", per_step)
    if curtailed.any():
        _line(axes[2], hours, curtailed, orange, "curtailed PV", "--", per_step)
    one_price = np.array_equal(price_buy, price_sell)
    _line(axes[3], hours, price_buy, blue, "buying and selling" if one_price else "buying")
    if not one_price:
        _line(axes[3], hours, price_sell, orange, "selling", "--")
    axes[4].plot(hours, energy, color=green, linewidth=LINE_WIDTH, label="in the battery")
    for ax, label in zip(axes, _DAY_LABELS, strict=True):
        ax.set_ylabel(label, fontsize=LABEL_SIZE)
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=SMALL_SIZE, frameon=False)
        _hour_axis(ax, hours)
        ax.label_outer()
    figure.align_ylabels(axes)
    if days < run.scenario.days:
        figure.suptitle(f"{prosumer}: the first {days} of {run.scenario.days} days", fontsize=LABEL_SIZE)
    return figure


def draw_run(run: Run, folder: Path) -> None:
    """The figures of a run: voltages at the far ends, and the day of the farthest prosumer, electrically.

    Those alone of which everything was recorded. Voltages of more than a fortnight are drawn day by day, as mean and
    as band from the least to the largest sample.
    """
    hours = local_hours(run, TIMEZONE)
    far_to_near = run.prosumers.sort_values("distance_ohm", ascending=False)
    most = len(COLOURS) - 1 if run.scenario.days <= _DAYS_IN_HOURS else 2  # bands hide one another
    shown = far_to_near.drop_duplicates("bus").head(most)
    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    names = [f"{name} (bus {bus})" for name, bus in zip(shown["prosumer"], shown["bus"], strict=True)]
    recorded = set(run.scenario.record) if names else set()
    if "vm_pu" in recorded:
        vm_pu = dict(zip(names, run.column("vm_pu", rows=shown.index.tolist()).T, strict=True))
        ax = plot_voltages(
            figure.subplots(), hours, vm_pu, run.scenario.voltage.band, samples_per_step(run, run.scenario.days)
        )
        ax.legend(fontsize=SMALL_SIZE, ncols=4, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0))
        save_figure(figure, folder / "voltages.png")
    if recorded.issuperset(_DAY_COLUMNS):
        farthest = str(far_to_near["prosumer"].iloc[0])
        save_figure(plot_day(_tall(), run, farthest), folder / f"day-{farthest}.png")


def local_hours(run: Run, timezone: str) -> Array:
    """Times of the samples as hours since local midnight of the first day."""
    first = run.scenario.start.astimezone(ZoneInfo(timezone))
    samples = np.arange(run.series.n_samples, dtype=np.float64)
    return samples * (run.series.layout.step_min / 60) + (first.hour + first.minute / 60)


def samples_per_step(run: Run, days: int = 1) -> int:
    """Samples drawn as one step: of a day where many are drawn, else of a market step; one where they do not fit."""
    length_min = 24 * 60 if days > _DAYS_IN_HOURS else run.scenario.market_step_min
    per_step, rest = divmod(length_min, run.series.layout.step_min)
    return 1 if rest else max(1, per_step)


def save_figure(figure: Figure, path: Path) -> None:
    """Write a PNG fit for print, without the time it was made."""
    figure.savefig(path, dpi=200, metadata={"Software": None})


def _tall() -> Figure:
    return Figure(figsize=(7.2, 7.5), layout="constrained")


def _line(
    ax: Axes, hours: Array, values: Array, colour: str, label: str, style: LineStyleType = "-", per_step: int = 1
) -> None:
    whole = len(values) // per_step * per_step
    by_step = values[:whole].reshape(-1, per_step)
    by_step = np.vstack([by_step, by_step[-1:]])  # once more, for the end of the last step
    at = np.append(hours[:whole:per_step], hours[whole - 1] + _step_h(hours))
    ax.step(at, by_step.mean(axis=1), where="post", color=colour, linestyle=style, linewidth=LINE_WIDTH, label=label)
    least, largest = by_step.min(axis=1), by_step.max(axis=1)
    if (largest > least).any():
        ax.fill_between(at, least, largest, step="post", color=colour, alpha=0.25, linewidth=0)


def _step_h(hours: Array) -> float:
    return float(hours[1] - hours[0]) if len(hours) > 1 else 1 / 60


def _hour_axis(ax: Axes, hours: Array) -> None:
    """From the first to the end of the last step, with at most nine ticks at round hours, or days of a long run."""
    first, last = hours[0], hours[-1] + _step_h(hours)
    every = next((h for h in _TICKS_H if last - first <= 8 * h + 1e-6), _TICKS_H[-1])
    ticks = np.arange(np.ceil(first / every) * every, last + 1e-6, every)
    ax.set_xlim(first, last)
    in_days = last > 24 * _DAYS_IN_HOURS + 24
    ax.set_xticks(ticks, [f"{tick / 24 if in_days else tick:g}" for tick in ticks])
    ax.tick_params(labelsize=SMALL_SIZE)
    unit = "days" if in_days else "hours"
    name = "local time (hour of the day)" if last <= 24.5 else f"{unit} since local midnight of the first day"
    ax.set_xlabel(name, fontsize=LABEL_SIZE)
