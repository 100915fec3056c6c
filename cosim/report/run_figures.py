"""The figures of a run's report, and in words why one that could be there is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure

from cosim.data import TIMEZONE
from cosim.input_files import input_hashes
from cosim.outcome import Run
from cosim.plots import local_hours, plot_by_prosumer, plot_day, plot_voltages, samples_per_step
from cosim.record import NotRecorded
from cosim.report.drawings import plot_extremes, short
from cosim.report.html import Html, element, section
from cosim.report.numbers import counted, fixed, listed
from cosim.report.pictures import drawing, picture
from cosim.report.run_map import OtherFeederError, draw_map, feeder_of, worst_voltages
from feeders.errors import CosimError

__all__ = ["figure_section"]

Array = npt.NDArray[np.float64]

_LEGEND = 7.5  # font size
_SHOWN = 4  # buses in the figure of voltages

Draw = Callable[[Run, Mapping[str, Any]], Html]


class _Absent(Exception):  # noqa: N818 - no error: a figure that there is not
    """Why there is no figure."""


def figure_section(run: Run, manifest: Mapping[str, Any]) -> Html:
    """All figures that can be drawn of what is there."""
    found: list[Html] = []
    missing: list[str] = []
    for name, draw in _FIGURES.items():
        try:
            found.append(draw(run, manifest))
        except (_Absent, NotRecorded, OtherFeederError) as why:
            missing.append(f"{name}: {why}")
        except (CosimError, OSError) as error:  # of what the scenario reads, which may be gone
            missing.append(f"{name}: {error}")
    notes = [element("li", line) for line in missing]
    absent = [element("p", "Not drawn:", class_="note"), element("ul", *notes, class_="note")] if missing else None
    return section("figures", "Figures", *found, absent)


def _voltages(run: Run, _: Mapping[str, Any]) -> Html:
    _require(run, "vm_pu")
    people = run.prosumers.sort_values("distance_ohm", kind="stable").drop_duplicates("bus")
    places = np.unique(np.linspace(0, len(people) - 1, _SHOWN).round().astype(int))
    shown = people.iloc[places]
    labels = [f"{short(name)} (bus {bus})" for name, bus in zip(shown["prosumer"], shown["bus"], strict=True)]
    samples = run.column("vm_pu", rows=shown.index.tolist()).T
    per_step = samples_per_step(run, run.scenario.days)
    with drawing():
        figure = Figure(figsize=(7.2, 3.2), layout="constrained")
        ax = plot_voltages(
            figure.subplots(),
            local_hours(run, TIMEZONE),
            dict(zip(labels, samples, strict=True)),
            run.scenario.voltage.band,
            per_step if run.series.n_samples >= per_step else 1,
        )
        ax.legend(fontsize=_LEGEND, ncols=3, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    low, high = samples.min(), samples.max()
    length = "day" if per_step * run.series.layout.step_min >= 24 * 60 else "market step"
    return picture(
        figure,
        f"Voltages over time at {listed(labels)}, between {fixed(low, 4)} and {fixed(high, 4)} p.u.",
        f"Voltages over time, from the nearest to the farthest of {counted(len(people), 'bus', 'buses')} with "
        f"prosumers: mean of each {length}, shaded from its least to its largest sample. Grey: the dead band; dashed: "
        "the limits.",
    )


def _day(run: Run, manifest: Mapping[str, Any]) -> Html:
    if run.series.n_samples < samples_per_step(run):
        raise _Absent("there is less than a market step of it")
    if input_hashes(run.scenario) != manifest["inputs"]:
        raise _Absent("a file that the scenario reads has changed since")
    name = _farthest(run)
    with drawing():
        figure = plot_day(Figure(figsize=(7.2, 7.2), layout="constrained"), run, name)
    days = counted(min(run.scenario.days, 7), "day")
    return picture(
        figure,
        f"Battery, flexible load, power at the meter, price and energy of {name} over {days}.",
        f"{days} of {name}, the farthest prosumer that plans. Power above zero is consumed: the battery charges, the "
        "meter imports. Shaded: from the least to the largest sample of each market step.",
    )


def _extremes(run: Run, _: Mapping[str, Any]) -> Html:
    found, band = _finished(run), run.scenario.voltage.band
    low, high = found["vm_min_pu"].to_numpy(dtype=float), found["vm_max_pu"].to_numpy(dtype=float)
    with drawing():
        figure = Figure(figsize=(7.2, 3.0), layout="constrained")
        ax = plot_extremes(figure.subplots(), found["distance_ohm"].to_numpy(dtype=float), low, high, band)
        ax.legend(fontsize=_LEGEND, ncols=3, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return picture(
        figure,
        f"Lowest and highest voltage of each prosumer against electrical distance: lowest from {fixed(low.min(), 4)} "
        f"to {fixed(low.max(), 4)}, highest from {fixed(high.min(), 4)} to {fixed(high.max(), 4)} p.u.",
        "Lowest and highest voltage of each prosumer in the whole run, against its electrical distance from the "
        "source. Grey: the dead band; dashed: the limits.",
    )


def _shares(run: Run, _: Mapping[str, Any]) -> Html:
    found = _finished(run)
    columns = {name: found[name].to_numpy(dtype=float) for name in _MEASURES if found[name].notna().any()}
    names = [short(name) for name in found["prosumer"]]
    words = listed([_MEASURES[name][0] for name in columns])
    with drawing():
        figure = Figure(figsize=(7.2, 0.5 + 1.55 * len(columns)), layout="constrained")
        panels = np.atleast_1d(figure.subplots(len(columns), 1))
        for ax, (name, values) in zip(panels, columns.items(), strict=True):
            title, missing = _MEASURES[name]
            own = {run.scenario.rule: values}
            plot_by_prosumer(ax, own, title, names=names, limits=_ends(name, values), missing=missing)
        for ax in panels[:-1]:
            ax.set_xlabel("")
    return picture(
        figure,
        f"{words} by prosumer, from the nearest to the source to the farthest.",
        f"By prosumer, from the nearest to the source at the left to the farthest at the right: {words}. A triangle at "
        "an edge points to a value beyond it.",
    )


def _map(run: Run, _: Mapping[str, Any]) -> Html:
    found, band = _finished(run), run.scenario.voltage.band
    feeder = feeder_of(run.scenario.feeder, run.prosumers)
    vm_pu = worst_voltages(feeder, found)
    with drawing():
        figure = draw_map(feeder, vm_pu, band)
    known = vm_pu[np.isfinite(vm_pu)]
    beyond = int(((known < band.vm_min_pu) | (known > band.vm_max_pu)).sum())
    said = f"{beyond:,} of {counted(len(known), 'bus', 'buses')} with prosumers were beyond a limit at some time"
    return picture(
        figure,
        f"Map of the feeder, buses coloured by the voltage farthest from 1 p.u.: {said}.",
        "The feeder: at each bus with prosumers the voltage farthest from 1 p.u. in the whole run, red above and blue "
        f"below, triangles beyond a limit; hollow where there are no prosumers; the large circle is the grid. {said}.",
    )


_MEASURES = {
    "gain_kept_percent": ("gain kept (%)", "no gain to keep"),
    "lcg_percent": ("LCG (%)", "undefined"),
    "tce_kwh": ("curtailed energy (kWh)", "not known"),
}
"""What is drawn by prosumer: its title, and what it means that one has no value."""

_FIGURES: dict[str, Draw] = {
    "gain kept, LCG and curtailed energy by prosumer": _shares,
    "the feeder": _map,
    "lowest and highest voltage against distance": _extremes,
    "voltages over time": _voltages,
    "the day of the farthest prosumer": _day,
}


def _finished(run: Run) -> pd.DataFrame:
    """Indices in the order of the feeder."""
    if run.failure is not None:
        raise _Absent("the run failed, and has no indices")
    if run.indices.empty:
        raise _Absent("there are no prosumers")
    return run.indices.sort_values("distance_ohm", kind="stable")


def _require(run: Run, *columns: str) -> None:
    absent = [name for name in columns if name not in run.scenario.record]
    if absent:
        raise _Absent(f"the scenario does not record {listed(absent)}")
    if run.series.n_samples < 1 or run.prosumers.empty:
        raise _Absent("there is no sample")


def _farthest(run: Run) -> str:
    """The farthest prosumer that plans, or the farthest of all where nobody does."""
    people: Sequence[bool] = [prosumer.optimise for prosumer in run.scenario.prosumers]
    own = run.prosumers
    if len(people) == len(own) and any(people):
        own = own[np.array(people, dtype=bool)]
    if own.empty:
        raise _Absent("there are no prosumers")
    return str(own.sort_values("distance_ohm", ascending=False, kind="stable")["prosumer"].iloc[0])


def _ends(name: str, values: Array) -> tuple[float, float] | None:
    """The ends of an axis of percentages, which may be anything where there is little to relate to."""
    least, largest = float(np.nanmin(values)), float(np.nanmax(values))
    if name == "gain_kept_percent":
        return (0.0 if least >= 0 else -50.0 if least >= -50 else -100.0), (110.0 if largest <= 110 else 150.0)
    if name == "lcg_percent":
        high = next((end for end in (5.0, 10.0, 20.0, 50.0) if largest <= end), 100.0)
        return (0.0 if least >= 0 else -high), high
    return None
