"""A day of 10 to 10,000 prosumers, each size in a process of its own: does a prosumer-day cost more among more?"""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter
from typing import Any

import numpy as np
import pandapower.networks as pn

from cosim.bench.day import NOISY
from cosim.bench.isolated import in_own_process, peak_memory_mb
from cosim.bench.row import Effort, Report, Row, Timing
from cosim.bench.stopwatch import Stopwatch, lived
from cosim.data import PROFILES
from cosim.model import CoSimulation
from cosim.planners import available_cores
from cosim.prosumer_spec import ProsumerSpec
from cosim.scenario import FeederSpec, Scenario
from feeders import Feeder, load_feeder

__all__ = ["FORECASTS", "measured", "population_days", "population_scenario"]

_STEPS, _MINUTES = 96, 15
_SMALL, _LARGE_FROM = "mv-oberrhein", 5000
_SMALLER = 0.1
_HOMES = [profile.name for profile in PROFILES if profile.kind == "home"]
_SUNS = [profile.name for profile in PROFILES if profile.kind == "pv"]

FORECASTS: dict[str, dict[str, Any]] = {"noisy": NOISY, "perfect": {}}
"""Noisy: every plan is made anew. Perfect: plans come true and are followed, as far as the rule lets them."""


def population_days(effort: Effort, report: Report) -> Iterator[Row]:
    """Seconds of a day by number of prosumers and kind of forecast; parts in us per prosumer-minute, memory in MB."""
    cases = [(n, kind) for n in effort.sizes for kind in FORECASTS]
    for done, (n, kind) in enumerate(cases, start=1):
        found = in_own_process(measured, n, kind, effort.population_seconds)
        report(done / len(cases))
        yield _row(f"population-day-{n}-{kind}", found)


def _row(name: str, found: dict[str, Any]) -> Row:
    if "failed" in found:
        return Row(name, None, note=found["failed"])
    n, day = found["prosumers"], found["seconds"]
    details = {
        "prosumers": n,
        "buses": found["buses"],
        "ms per prosumer-day": 1e3 * sum(day.values()) / n,
        **{f"{part} us": 1e6 * value / (n * _STEPS * _MINUTES) for part, value in day.items()},
        "peak MB": found["memory_mb"],
        "feeder": found["feeder"],
    }
    note = "" if found["steps"] == _STEPS else f"scaled from {found['steps']} of {_STEPS} steps"
    return Row(name, Timing((sum(day.values()),)), note=note, details=details)


def measured(n: int, kind: str, most_seconds: float) -> dict[str, Any]:
    """Live a day of `n` prosumers, or the market steps of it that begin within `most_seconds`, at least three.

    The seconds of its parts are those of a whole day. The first step makes plans from nothing, the others start from
    the last plan: so it counts once, and what is missing is taken from the others.
    """
    feeder = _feeder(n)
    model = CoSimulation(population_scenario(n, feeder, FORECASTS[kind]), feeder=feeder, threads=available_cores())
    watch = Stopwatch(model)
    began = perf_counter()
    first = watch.parts(sum(lived(model, 1)))
    total = sum(first.values())
    while not model.clock.finished and (model.clock.step < 3 or perf_counter() - began < most_seconds):
        total += sum(lived(model, 1))
    steps = model.clock.step
    scale = (_STEPS - 1) / (steps - 1)
    return {
        "prosumers": n,
        "feeder": feeder.name,
        "buses": feeder.n_buses,
        "steps": steps,
        "seconds": {part: first[part] + scale * (value - first[part]) for part, value in watch.parts(total).items()},
        "memory_mb": peak_memory_mb(),
    }


def population_scenario(n: int, feeder: Feeder, changes: dict[str, Any], seed: int = 1) -> Scenario:
    """`n` homes with batteries at the feeder's connection buses, drawn from a seed, under hybrid control.

    On low voltage, several homes to a connection, each is a tenth as large, so that lines carry all of them when they
    act at once.
    """
    generator = np.random.default_rng(seed)
    size = _SMALLER if feeder.name != _SMALL else 1.0
    bus = generator.choice(feeder.connection_buses, n).tolist()
    load_mwh, pv_kwp, battery_kwh = (
        np.column_stack(
            [generator.uniform(2.0, 5.0, n), generator.uniform(1.0, 4.0, n), generator.uniform(0.5, 4.0, n)]
        ).T
        * size
    )
    home, sun = generator.choice(_HOMES, n).tolist(), generator.choice(_SUNS, n).tolist()
    people = tuple(
        ProsumerSpec(
            id=f"home-{row}",
            bus=bus[row],
            load_profile=home[row],
            load_annual_mwh=float(load_mwh[row]),
            pv_profile=sun[row],
            pv_kwp=float(pv_kwp[row]),
            battery_kwh=float(battery_kwh[row]),
            inverter_kva=5.0 * size,
        )
        for row in range(n)
    )
    spec = FeederSpec(name=_SMALL)  # the model is given the feeder itself
    return Scenario(name=f"population-{n}", feeder=spec, prosumers=people).changed(changes)


def _feeder(n: int) -> Feeder:
    """The library's medium-voltage feeder for up to some thousand; above, a whole district down to the homes."""
    if n < _LARGE_FROM:
        return load_feeder(_SMALL)
    name = "1-MVLV-rural-all-0-sw"
    try:
        import simbench
    except ImportError:
        name, net = "lv_schutterwald", pn.lv_schutterwald()
    else:
        net = simbench.get_simbench_net(name)
    feeder = Feeder(net, name)
    connections = feeder.connection_buses.tolist()
    for table in ("load", "sgen", "storage"):
        net[table]["scaling"] = 0.0  # the prosumers take the place of the net's own homes and plants
    return Feeder(net, name, connection_buses=connections)
