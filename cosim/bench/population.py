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
from cosim.scenario import FeederSpec, ProsumerSpec, Scenario
from feeders import Feeder, load_feeder

__all__ = ["FORECASTS", "measured", "population_days", "population_scenario"]

_SMALL, _LARGE_FROM = "mv-oberrhein", 5000
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
    steps, seconds, n = found["steps"], found["seconds"], found["prosumers"]
    per_minute = 1e6 / (n * found["minutes"])
    # The first step makes plans from nothing, the others from the last plan: it counts once.
    first, others = seconds[0], seconds[1:]
    day = first + 95 * sum(others) / len(others)
    details = {
        "prosumers": n,
        "buses": found["buses"],
        "ms per prosumer-day": 1e3 * day / n,
        **{f"{part} us": per_minute * value for part, value in found["parts"].items()},
        "peak MB": found["memory_mb"],
        "feeder": found["feeder"],
    }
    note = "" if steps == 96 else f"scaled from {steps} of 96 steps"
    return Row(name, Timing((day,)), note=note, details=details)


def measured(n: int, kind: str, most_seconds: float) -> dict[str, Any]:
    """Live a day of `n` prosumers, or the market steps of it that begin within `most_seconds`, at least three."""
    feeder = _feeder(n)
    model = CoSimulation(population_scenario(n, feeder, FORECASTS[kind]), feeder=feeder)
    watch = Stopwatch(model)
    seconds: list[float] = []
    began = perf_counter()
    while not model.clock.finished and (len(seconds) < 3 or perf_counter() - began < most_seconds):
        seconds += lived(model, 1)
    return {
        "prosumers": n,
        "feeder": feeder.name,
        "buses": feeder.n_buses,
        "steps": model.clock.step,
        "minutes": model.record.n_written,
        "seconds": seconds,
        "parts": watch.parts(sum(seconds)),
        "memory_mb": peak_memory_mb(),
    }


def population_scenario(n: int, feeder: Feeder, changes: dict[str, Any], seed: int = 1) -> Scenario:
    """`n` homes with batteries at the feeder's connection buses, drawn from a seed, under hybrid control."""
    generator = np.random.default_rng(seed)
    bus = generator.choice(feeder.connection_buses, n).tolist()
    load_mwh, pv_kwp, battery_kwh = np.column_stack(
        [generator.uniform(2.0, 5.0, n), generator.uniform(1.0, 4.0, n), generator.uniform(0.5, 4.0, n)]
    ).T.tolist()
    home, sun = generator.choice(_HOMES, n).tolist(), generator.choice(_SUNS, n).tolist()
    people = tuple(
        ProsumerSpec(
            id=f"home-{row}",
            bus=bus[row],
            load_profile=home[row],
            load_annual_mwh=load_mwh[row],
            pv_profile=sun[row],
            pv_kwp=pv_kwp[row],
            battery_kwh=battery_kwh[row],
            inverter_kva=5.0,
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
    net.load["scaling"] = 0.0  # the prosumers take the place of the net's own homes
    return Feeder(net, name, connection_buses=connections)
