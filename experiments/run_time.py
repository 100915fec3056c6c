"""How long do a day of plans, a power flow and a co-simulated day take, and how does that grow with prosumers?

The run times of Hashmi, Deka, Busic and Van Hertem, arXiv 2207.10248, section V-C (fig. 11), beside ours and beside
pandapower's ``runpp`` and scipy's ``linprog`` measured in the same run; then a day of more and more prosumers on one
feeder. Times belong to a machine: the published ones to a laptop with Matlab 2021a, ours to the one that the answer
names. What is compared with the peers is comparable, what is compared with the publication is an order of magnitude.
Medians of several repeats; what is compiled at the first use is compiled before, and counted apart.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field

from cosim.bench import FULL, Effort, Row, Timing
from cosim.bench.day import RecycledEngine, four_bus_day, four_bus_model
from cosim.bench.isolated import in_own_process
from cosim.bench.planner import plans
from cosim.bench.population import FORECASTS, measured
from cosim.bench.stopwatch import seconds_of, timed
from cosim.planners import available_cores
from cosim.strict import Strict
from cosim.study import StudyOptions, StudyResult, changed_settings
from experiments.run_time_report import report, write_answer
from feeders import Feeder, load_feeder, make_engine
from feeders.engines import Engine, PandapowerEngine

__all__ = ["PUBLISHED_S", "Answer", "RunTimeSettings", "first_day", "run_time", "study"]

PUBLISHED_S = {"plans": 0.0168, "flow": 0.015, "day": 20.55}
"""Means of 96 plans of a day, of one power flow, and of a day with 1440 of them [s]; Intel i7 1.90 GHz."""

Array = npt.NDArray[np.float64]

_STEPS, _MINUTES = 96, 15
_FOUR_BUS, _MEDIUM = "four-bus", "mv-oberrhein"


class RunTimeSettings(Strict):
    """How much is measured.

    Attributes
    ----------
    repeats : int
        How often each is timed; the median counts.
    flows, peer_flows : int
        Power flows in a repeat, ours and pandapower's.
    peer_steps : int
        Market steps of the day that go through pandapower, scaled to 96.
    sizes : tuple of int
        Numbers of prosumers, on the medium-voltage feeder of the library.
    seconds : float
        Longest time that a repeat of a size is simulated; what is left of its day is scaled.
    compile_time : bool
        Whether the first day is also timed with nothing kept from earlier compilations: a minute more.
    """

    repeats: int = Field(default=3, ge=1, le=1000)
    flows: int = Field(default=200, ge=1)
    peer_flows: int = Field(default=10, ge=1)
    peer_steps: int = Field(default=6, ge=1, le=_STEPS)
    sizes: tuple[int, ...] = Field(default=(1, 3, 10, 30, 100, 300, 1000), strict=False, min_length=1)
    seconds: float = Field(default=0.5, gt=0)
    compile_time: bool = False


@dataclass(frozen=True)
class Answer:
    """What was measured, and where.

    Attributes
    ----------
    table : DataFrame
        One row per thing and way: `what`, `way`, `published_s`, `seconds` (median), `fastest`, `slowest`.
    sizes : DataFrame
        One row per number of prosumers and forecast: seconds of a day likewise, its parts, and `peer_s`.
    first : mapping
        Seconds until a new process has lived its first day, and what the second one takes.
    machine : mapping
        Processor, cores, load at the start, versions.
    """

    settings: RunTimeSettings
    table: pd.DataFrame
    sizes: pd.DataFrame
    first: Mapping[str, Mapping[str, float]]
    machine: Mapping[str, Any]


def study(options: StudyOptions) -> StudyResult:
    """How long do a day of plans, a power flow and a co-simulated day take, and how does that grow with prosumers?"""
    answer = run_time(changed_settings(RunTimeSettings, options.changes), options)
    return StudyResult(
        title=f"run times in seconds, {answer.machine['processor']}, {answer.machine['cores']} cores",
        table=answer.table,
        text=report(answer),
        write=lambda folder: write_answer(answer, folder),
    )


def run_time(settings: RunTimeSettings, options: StudyOptions) -> Answer:
    """Measure everything."""
    machine = _machine()
    n_parts, done = 4 + len(settings.sizes) * len(FORECASTS), 0

    def told() -> None:
        nonlocal done
        done += 1
        if options.progress is not None:
            options.progress(done, n_parts)

    effort = replace(FULL, repeats=settings.repeats, peer_steps=settings.peer_steps)
    rows, flow_s = [*_plans(effort)], {}
    told()
    for name in (_FOUR_BUS, _MEDIUM):
        found = dict(_flows(settings, load_feeder(name)))
        flow_s[name] = found["pandapower runpp"].median
        rows += [_line(f"one power flow, {name}", way, _published("flow", name), time) for way, time in found.items()]
    told()
    rows += _day(effort)
    told()
    table = pd.DataFrame(rows)
    plan_s = float(table.loc[table["way"].str.startswith("scipy"), "seconds"].iloc[0]) / _STEPS
    naive = (_STEPS * _MINUTES * flow_s[_MEDIUM], _STEPS * plan_s)
    sizes = pd.DataFrame(list(_sizes(settings, naive, told)))
    first = {"kept": _first(None)}
    if settings.compile_time:
        with TemporaryDirectory() as empty:
            first["from nothing"] = _first(empty)
    told()
    return Answer(settings, table, sizes, first, machine)


def _published(what: str, feeder: str) -> float | None:
    return PUBLISHED_S[what] if feeder == _FOUR_BUS else None


def _line(what: str, way: str, published_s: float | None, timing: Timing) -> dict[str, Any]:
    return {
        "what": what,
        "way": way,
        "published_s": published_s,
        "seconds": timing.median,
        "fastest": min(timing.seconds),
        "slowest": max(timing.seconds),
    }


def _plans(effort: Effort) -> Iterator[dict[str, Any]]:
    """96 plans of a day, each for the rest of it: ours, then the published rows by a general solver."""
    rows = list(plans(effort, _silent))
    for row in rows:
        yield _line("96 plans of a day", row.name.removeprefix("plan-"), PUBLISHED_S["plans"], _of(row).scaled(_STEPS))
    assert rows[0].theirs is not None
    yield _line("96 plans of a day", str(rows[0].peer), PUBLISHED_S["plans"], rows[0].theirs.scaled(_STEPS))


def _flows(settings: RunTimeSettings, feeder: Feeder) -> Iterator[tuple[str, Timing]]:
    """Seconds of one power flow: ours one by one and many at once, and pandapower's."""
    rng = np.random.default_rng(1)
    p_kw = np.zeros((settings.flows, feeder.n_buses))
    places = feeder.bus_positions(feeder.connection_buses.tolist())
    p_kw[:, places] = rng.uniform(-2, 2, (settings.flows, len(places)))
    q_kvar = 0.2 * p_kw
    ours = make_engine(feeder)
    few = slice(0, settings.peer_flows)
    ways: dict[str, tuple[Callable[[], object], int]] = {
        ours.name: (partial(_one_by_one, ours, p_kw, q_kvar), len(p_kw)),
        f"{ours.name}, {settings.flows} at once": (partial(ours.solve, p_kw, q_kvar), len(p_kw)),
    }
    for name, peer in (("pandapower runpp", PandapowerEngine), ("pandapower runpp, recycled", RecycledEngine)):
        ways[name] = (partial(_one_by_one, peer(feeder), p_kw[few], q_kvar[few]), len(p_kw[few]))
    for call, _ in ways.values():
        call()  # compiles, and makes what is made once
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(settings.repeats):
        for name, (call, n) in ways.items():
            seconds[name].append(seconds_of(call) / n)
    yield from ((name, Timing(tuple(values))) for name, values in seconds.items())


def _one_by_one(engine: Engine, p_kw: Array, q_kvar: Array) -> None:
    for p, q in zip(p_kw, q_kvar, strict=True):
        engine.solve(p, q)


def _day(effort: Effort) -> Iterator[dict[str, Any]]:
    """The four-bus day of one house that plans anew each step, and the same day through pandapower."""
    what, rows = "a day, 1440 power flows", {row.name: row for row in four_bus_day(effort, _silent)}
    solved, as_is = rows["four-bus-prosumer-day, every flow solved"], rows["four-bus-prosumer-day"]
    yield _line(what, "ours", PUBLISHED_S["day"], _of(solved))
    yield _line(what, "ours, equal powers solved once", PUBLISHED_S["day"], _of(as_is))
    for row in (solved, rows["four-bus-prosumer-day, every flow solved, against recycled"]):
        assert row.theirs is not None
        yield _line(what, f"ours through {row.peer}", PUBLISHED_S["day"], row.theirs)


def _of(row: Row) -> Timing:
    assert row.ours is not None
    return row.ours


def _sizes(settings: RunTimeSettings, naive: tuple[float, float], told: Callable[[], None]) -> Iterator[dict[str, Any]]:
    """Days of more and more prosumers; `naive`: seconds of a day of general flows, and of general plans per house."""
    measured(settings.sizes[0], "noisy", 0.0)  # compiles
    for n in settings.sizes:
        for kind in FORECASTS:
            days = [measured(n, kind, settings.seconds) for _ in range(settings.repeats)]
            parts = [day["seconds"] for day in days]
            timing = Timing(tuple(sum(part.values()) for part in parts))
            yield {
                "prosumers": n,
                "forecast": kind,
                "seconds": timing.median,
                "fastest": min(timing.seconds),
                "slowest": max(timing.seconds),
                "ms_per_prosumer": 1e3 * timing.median / n,
                "peer_s": naive[0] + n * naive[1],
                "steps": int(days[0]["steps"]),
                **{f"{name}_s": median(part[name] for part in parts) for name in parts[0]},
            }
            told()


def first_day() -> dict[str, Any]:
    """Seconds of the first day that a process lives, and of the second."""
    first = seconds_of(lambda: four_bus_model().run())
    return {"first": first, "second": seconds_of(lambda: four_bus_model().run())}


def _first(kept: str | None) -> dict[str, float]:
    """The first day of a new process, with what was compiled before or with the empty folder `kept` for that."""
    with _environment("NUMBA_CACHE_DIR", kept):
        whole, found = timed(partial(in_own_process, first_day))
    return {"start": whole - found["first"] - found["second"], **found}


@contextmanager
def _environment(name: str, value: str | None) -> Iterator[None]:
    """An environment variable for a while; None leaves it as it is."""
    before = os.environ.get(name)
    if value is not None:
        os.environ[name] = value
    try:
        yield
    finally:
        if value is not None:
            os.environ.pop(name)
            os.environ.update({} if before is None else {name: before})


def _machine() -> dict[str, Any]:
    """What times depend on; the load before anything is measured, where the system says it."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "processor": _processor(),
        "cores": available_cores(),
        "load": load,
        "python": platform.python_version(),
        "system": sys.platform,
    }


def _processor(file: Path = Path("/proc/cpuinfo")) -> str:
    """Its name, as well as the system knows it."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine() or "unknown"


def _silent(share: float) -> None:
    """Nobody is told: these parts are short."""
