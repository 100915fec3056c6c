"""The co-simulation as a Mesa model: batches, reporters, seeds, threads, and memory."""

from __future__ import annotations

import gc
import threading
import weakref

import mesa
import numpy as np
import numpy.typing as npt
import pytest

from agents.grid import Grid
from agents.prosumer import Prosumer
from cosim import CoSimulation, Scenario
from tests.cosim.loop_cases import finished

pytestmark = pytest.mark.usefixtures("feeders_built_once")

HOURLY = {"market_step_min": 60, "control_step_min": 60}
NOISE = {"kind": "noisy", "load_error": 0.3, "pv_error": 0.3, "price_error": 0.3}


def test_a_batch_over_rules(four_bus: Scenario) -> None:
    # A scenario is itself iterable, so a batch wants it in a list; max_steps is beyond the day, which ends by itself.
    rows = mesa.batch_run(
        CoSimulation,
        {"settings": [four_bus], "rule": ["prc", "anrc", "hybrid"]},
        number_processes=1,
        max_steps=500,
        display_progress=False,
    )
    assert [row["rule"] for row in rows] == ["prc", "anrc", "hybrid"]
    for row in rows:
        assert row["cost"] == float(finished(four_bus.changed({"rule": row["rule"]})).ledger.cost.sum())
    assert len({row["cost"] for row in rows}) > 1


def test_a_batch_that_is_cut_short(four_bus: Scenario) -> None:
    # Mesa 3.3 makes one step more than max_steps says, 3.5 does not.
    (row,) = mesa.batch_run(
        CoSimulation,
        {"settings": [four_bus], "rule": ["none"]},
        number_processes=1,
        max_steps=4,
        display_progress=False,
    )
    model = CoSimulation(four_bus, rule="none")
    costs = []
    for _ in range(5):
        model.step()
        costs.append(float(model.ledger.cost.sum()))
    assert row["cost"] in costs[3:]


def test_reporters_say_what_the_step_was_like(four_bus: Scenario) -> None:
    model = finished(four_bus.changed({"rule": "prc"}))
    table = model.datacollector.get_model_vars_dataframe()
    column = model.record.column
    assert len(table) == 96
    vm_pu = column("vm_pu").reshape(96, 9)
    assert np.array_equal(table["vm_min_pu"], vm_pu.min(axis=1))
    assert np.array_equal(table["vm_max_pu"], vm_pu.max(axis=1))
    for name in ("p_meter_kw", "p_curtailed_kw"):
        expected = column(name).reshape(96, 3, 3).mean(axis=1).sum(axis=1)
        assert table[name].to_numpy() == pytest.approx(expected, rel=0, abs=1e-12)
    assert table["cost"].iloc[-1] == model.ledger.cost.sum()
    assert table["p_curtailed_kw"].max() > 0


def test_a_model_has_its_agents_and_knows_its_end(four_bus: Scenario) -> None:
    model = CoSimulation(four_bus, control_step_min=15)
    assert {type(agent) for agent in model.agents} == {Grid, Prosumer}
    assert len(model.agents) == 4
    assert [prosumer.name for prosumer in model.prosumers] == ["home-2", "home-3", "home-4"]
    assert model.running
    model.run()
    assert not model.running
    assert model.clock.finished
    assert model.steps == 96


def test_the_default_is_the_four_bus_case() -> None:
    model = CoSimulation(control_step_min=15)
    assert model.settings[0] == Scenario().changed({"control_step_min": 15})
    model.step()
    assert np.isfinite(model.population.vm_pu).all()


def frames(scenario: Scenario, **options: object) -> npt.NDArray[np.float64]:
    return finished(scenario, **options).record.frames


def test_a_seed_makes_the_numbers(four_bus: Scenario) -> None:
    noisy = four_bus.changed({"forecast": NOISE, **HOURLY})
    by_rng, again, by_scenario, other = (
        frames(noisy, rng=5),
        frames(noisy, rng=5),
        frames(noisy.changed({"seed": 5})),
        frames(noisy, rng=6),
    )
    assert np.array_equal(by_rng, again)
    assert np.array_equal(by_rng, by_scenario)
    assert not np.array_equal(by_rng, other)
    assert np.array_equal(frames(noisy, rng=None), frames(noisy))


def test_mesas_own_generator_has_the_seed_too(four_bus: Scenario) -> None:
    once, again, other = (CoSimulation(four_bus, rng=seed).rng.random() for seed in (5, 5, 6))
    assert once == again != other


@pytest.mark.parametrize("mode", ["closed-loop", "open-loop"])
def test_threads_change_nothing(four_bus: Scenario, mode: str) -> None:
    noisy = four_bus.changed({"forecast": NOISE, **HOURLY, "mode": mode, "rule": "prc"})
    noisy = noisy.changed({"open_loop_reference": "optimised"})
    assert np.array_equal(frames(noisy, threads=2), frames(noisy, threads=1))


def test_models_do_not_stay_in_memory(four_bus: Scenario) -> None:
    # Mesa 3.3 keeps models in a table of its Agent class; 200 of these would be 200 records.
    quick = four_bus.changed({"control_step_min": 15})
    gone: list[weakref.ref[object]] = []
    for number in range(200):
        model = CoSimulation(quick, rng=number)
        if number % 20 == 0:
            model.step()
        gone += [weakref.ref(model), weakref.ref(model.population), weakref.ref(model.prosumers[0])]
    del model
    gc.collect()
    assert not any(reference() is not None for reference in gone)


@pytest.mark.parametrize("closed", [False, True])
def test_threads_end_with_their_model(four_bus: Scenario, closed: bool) -> None:
    before = set(threading.enumerate())
    changes = {"mode": "open-loop", "open_loop_reference": "optimised", "planner": "highs"}
    model = CoSimulation(four_bus, control_step_min=15, threads=3, **changes)
    model.step()
    planning = set(threading.enumerate()) - before
    assert planning
    if closed:
        model.close()
        assert not any(thread.is_alive() for thread in planning)
        assert model.record.n_lived == 1
        with pytest.raises(RuntimeError, match="after shutdown"):
            model.step()
    del model
    gc.collect()
    for thread in planning:
        thread.join(10.0)
        assert not thread.is_alive()
