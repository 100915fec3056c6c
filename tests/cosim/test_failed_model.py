"""A model whose power flow has failed: it says which scenario it was, can be read, and does not go on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest

from cosim import CoSimulation, Scenario
from cosim.failure import RunFailure
from cosim.outcome import runs_of
from cosim.tariff import FlatTariff

pytestmark = pytest.mark.usefixtures("feeders_built_once")

LIVED = 7


def impossible(model: CoSimulation, copy: int) -> None:
    """Loads of 500 kW from the next step on."""
    own = model.rows.copy == copy
    model.rows.signals.p_load_kw[model.clock.step :, own] = 500.0


def failed(scenarios: list[Scenario], copy: int) -> tuple[CoSimulation, RunFailure]:
    model = CoSimulation(scenarios)
    for _ in range(LIVED):
        model.step()
    impossible(model, copy)
    with pytest.raises(RunFailure) as error:
        model.step()
    return model, error.value


@pytest.mark.parametrize(("n", "copy"), [(1, 0), (3, 0), (3, 2)])
def test_a_failed_model_stays_as_it_was(four_bus: Scenario, n: int, copy: int) -> None:
    scenarios = [four_bus.changed({"rule": rule}) for rule in ("hybrid", "prc", "none")[:n]]
    model, failure = failed(scenarios, copy)
    sound = CoSimulation(scenarios)
    for _ in range(LIVED):
        sound.step()
    assert (failure.copy, failure.control_step, failure.at) == (
        copy,
        3 * LIVED,
        sound.settings[0].start + timedelta(minutes=15 * LIVED),
    )
    assert model.failure is failure
    assert not model.running
    assert model.clock.step == LIVED
    assert np.array_equal(model.record.frames, sound.record.frames)
    assert np.array_equal(model.grid.vm_pu, sound.grid.vm_pu)
    assert np.array_equal(model.population.vm_pu, sound.population.vm_pu)
    assert np.array_equal(model.population.energy_kwh, sound.population.energy_kwh)
    assert np.array_equal(model.record.present("vm_pu"), sound.record.present("vm_pu"))
    for found, expected in zip(runs_of(model), runs_of(sound), strict=True):
        assert found.totals.drop(columns="n_plans_program").equals(expected.totals.drop(columns="n_plans_program"))
        assert found.items.equals(expected.items)
    assert len(model.datacollector.get_model_vars_dataframe()) == LIVED
    assert model.plans_ahead([0])[0].shape == (96 - LIVED, 1)
    model.grid.write_results(copy)


def test_it_does_not_go_on_and_its_settings_can_still_be_changed(four_bus: Scenario) -> None:
    model, failure = failed([four_bus], 0)
    before = model.record.n_lived
    model.change_rule("none")
    model.change_tariff(FlatTariff(price_buy=0.2))
    tries: list[Callable[[], None]] = [model.step, model.run]
    for again in tries:
        with pytest.raises(RunFailure) as error:
            again()
        assert error.value is failure
    assert model.record.n_lived == before


def test_the_run_that_an_open_loop_reads_fails_for_both(four_bus: Scenario) -> None:
    changes = {"mode": "open-loop", "open_loop_reference": "optimised"}
    model = CoSimulation([four_bus.changed(changes)] * 2)
    model.step()
    assert model._shadow is not None
    impossible(model._shadow, 1)
    with pytest.raises(RunFailure) as error:
        model.step()
    assert (model.failure, model.running, error.value.copy) == (error.value, False, 1)


def test_a_failed_model_that_is_restored_lives_again(four_bus: Scenario) -> None:
    fresh = CoSimulation(four_bus)
    start = {name: value.copy() for name, value in fresh.state().items()}
    model, _ = failed([four_bus], 0)
    model.rows.signals.p_load_kw[:] = fresh.rows.signals.p_load_kw
    model.restore(start)
    assert (model.failure, model.running) == (None, True)
    model.step()
    fresh.step()
    assert np.array_equal(model.population.state, fresh.population.state)
