"""A market step of 319 homes whose stores serve themselves or the region: the closed form against a linear program."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import get_args

import numpy as np
import numpy.typing as npt

from agents.dso.relief import Directives
from agents.prosumer.behind_meter import BehindMeter, MeterInputs, Scope
from agents.prosumer.dispatch_year import dispatch_year
from agents.prosumer.self_consumption import Asked, Step, Stores, net_and_room
from agents.prosumer.virtual_prices import StepProgram, virtual_cost
from cosim.bench.row import Effort, Report, Row, Timing
from cosim.bench.stopwatch import seconds_of

__all__ = ["some_month", "storage_steps"]

Array = npt.NDArray[np.float64]

_HOMES, _STEPS = 319, 30 * 96


def storage_steps(effort: Effort, report: Report) -> Iterator[Row]:
    """Seconds per market step of a month, books and all, in both scopes; the program is solved in some of its steps.

    The program keeps its matrix from step to step, and starts from the stores as the closed form left them.
    """
    assets, inputs = some_month(_HOMES, _STEPS)
    directives = Directives.none(_STEPS)
    chosen = np.linspace(0, _STEPS - 1, 24 * effort.repeats).astype(int)
    for place, scope in enumerate(get_args(Scope)):
        live = partial(dispatch_year, assets, inputs, directives, scope)
        kept = live(columns=True)  # compiles too
        assert kept.p_battery_kw is not None and kept.q_tes_kw is not None
        ours = [seconds_of(live) / _STEPS for _ in range(effort.repeats)]
        program, gap = StepProgram(_HOMES, scope), 0.0
        theirs = []
        for t in chosen:
            p_net_kw, room_kw = _step(assets, inputs, kept.p_battery_kw[:t], kept.q_tes_kw[:t], int(t))
            theirs.append(seconds_of(partial(program.solve, p_net_kw, room_kw, Asked())))
            closed = np.stack([kept.p_battery_kw[t], kept.q_tes_kw[t] / inputs.cop[t]])
            gap = max(gap, abs(virtual_cost(p_net_kw, closed, scope, Asked()) - program.cost_per_h))
        report((place + 1) / 2)
        name, peer = f"storage-step, for the {scope}", "HiGHS, linear program"
        note = f"seconds per step; peer in {chosen.size} of {_STEPS} steps; difference of virtual cost"
        yield Row(name, Timing(tuple(ours)), peer, Timing(tuple(theirs)), gap, "price x kW", note)


def some_month(n: int, n_steps: int) -> tuple[BehindMeter, MeterInputs]:
    """Homes with the assets of a future year drawn at random, and 15-minute steps of load, heat and sun for them."""
    generator = np.random.default_rng(1)
    pv, pump = generator.random(n) < 0.4, generator.random(n) < 0.6
    battery, store = pv & (generator.random(n) < 0.9), pv & pump
    ids = [f"home-{row}" for row in range(n)]
    stations = np.arange(n) % 3
    assets = BehindMeter(
        ids,
        stations,
        battery_kwh=np.where(battery, 16.0, 0.0),
        battery_kw=np.where(battery, 3.0, 0.0),
        tes_kwh=np.where(store, 11.6, 0.0),
        hp_kw=np.where(pump, 6.0, 0.0),
        ev_kw=np.zeros(n),
    )
    sun = np.maximum(-np.cos(np.arange(n_steps) * 2 * np.pi / 96), 0.0)[:, None]
    inputs = MeterInputs(
        generator.gamma(1.0, 0.6, (n_steps, n)),
        5.0 * sun * pv * generator.random((n_steps, 1)),
        3.0 * pump * generator.random((n_steps, n)),
        generator.uniform(2.5, 4.5, n_steps),
        np.zeros((n_steps, n)),
    )
    return assets, inputs


def _step(
    assets: BehindMeter, inputs: MeterInputs, p_battery_kw: Array, q_tes_kw: Array, t: int
) -> tuple[Array, Array]:
    """Net power and room of step t, from what the stores have done before it."""
    h = inputs.step_h
    stores = Stores(h * p_battery_kw.sum(axis=0), h * q_tes_kw.sum(axis=0))
    step = Step(inputs.p_load_kw[t] - inputs.p_pv_kw[t], inputs.heat_kw[t], float(inputs.cop[t]), h)
    return net_and_room(step, stores, assets)[:2]
