"""Self-discharge in a run: what the record says of energies, the books, and what scenarios may ask for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agents.prosumer import Prosumer
from cosim import CoSimulation, ProsumerSpec, Scenario
from cosim.ledger import LedgerError
from cosim.population import draw
from cosim.population_spec import PopulationSpec
from cosim.validation import problems
from feeders import load_feeder
from feeders.errors import InputErrors
from tests.cosim.loop_cases import finished

pytestmark = pytest.mark.usefixtures("feeders_built_once")

RATE = 0.05


@pytest.fixture(scope="module")
def lossy(four_bus: Scenario) -> Scenario:
    """Three homes, of which the second keeps its energy."""
    return four_bus.changed({"prosumers.*.self_discharge_per_h": RATE, "prosumers.home-3.self_discharge_per_h": 0.0})


def test_the_record_is_that_of_decay_written_out_and_the_books_close(lossy: Scenario) -> None:
    """Each control step of five minutes keeps 0.95^(1/12), and a mean of that of what comes in or goes out."""
    model = finished(lossy.changed({"rule": "hybrid", "prosumers.*.inverter_kva": 1.5}))
    column, owned, step_h = model.record.column, model.rows.assets, 5 / 60
    power = column("p_battery_kw")
    stored_kw = np.where(power > 0, power * owned.efficiency_charge, power / owned.efficiency_discharge)
    kept = np.array([(1 - RATE) ** step_h, 1.0, (1 - RATE) ** step_h])
    hours = (1 - kept[0]) / np.log(1 / (1 - RATE))
    gain = np.array([hours, step_h, hours])
    energy = owned.energy_start_kwh.copy()
    for step, found in enumerate(column("energy_kwh")):
        energy = kept * energy + gain * stored_kw[step]
        assert found == pytest.approx(energy, rel=0, abs=1e-12)
    assert np.abs(stored_kw).max(axis=0).min() > 0.1
    # Energy in is energy out, or there, or lost.
    lost = step_h * stored_kw.sum(axis=0) - (energy - owned.energy_start_kwh)
    assert model.ledger.self_discharged_kwh == pytest.approx(lost, rel=0, abs=1e-12)
    assert lost[1] == pytest.approx(0.0, abs=1e-12)
    assert model.ledger.self_discharged_kwh[1] == 0.0
    assert lost[[0, 2]].min() > 0.1


def test_a_plan_that_comes_true_is_made_once_a_day(lossy: Scenario) -> None:
    model = finished(lossy.changed({"rule": "none"}))
    assert model.population.n_plans_program.tolist() == [1, 1, 1]


class Keeper(Prosumer):
    """Gives its battery back what it has lost."""

    def regulate(self, vm_pu: float, step_h: float) -> None:
        self.energy_kwh /= (1 - RATE) ** step_h


def test_a_battery_that_does_not_lose_what_it_should_is_named(lossy: Scenario) -> None:
    model = CoSimulation(lossy, rule="none", classes={"home-2": Keeper})
    with pytest.raises(LedgerError, match="battery energy of prosumer 'home-2' does not close"):
        model.run()


def home(**fields: Any) -> Scenario:
    return Scenario(prosumers=(ProsumerSpec(id="a", bus=2, **fields),), horizon="rolling")


def test_a_refill_that_the_ramp_cannot_hold_is_refused() -> None:
    """4 kWh of 5 above the least energy lose 4 * ln(1 / 0.8) = 0.893 kW at the start; the ramp is 0.1 C of 6 kWh."""
    lossy = {"battery_kwh": 6.0, "battery_min_kwh": 1.0, "energy_start_kwh": 5.0, "self_discharge_per_h": 0.2}
    (error,) = problems(home(**lossy, battery_c_charge=0.1), where="s.toml")
    assert str(error) == (
        "s.toml: prosumers.a.self_discharge_per_h: 0.2 is not allowed; allowed: with horizon rolling, which refills to "
        "energy_start_kwh, no more than the charging ramp makes up for: there 0.893 kW are lost, and the ramp is 0.6 kW"
    )
    assert not problems(home(**lossy, battery_c_charge=0.15))
    assert not problems(home(**lossy, battery_c_charge=0.1, optimise=False))
    assert not problems(home(**lossy, battery_c_charge=0.1).changed({"horizon": "shrinking"}))


@pytest.mark.parametrize("value", [-0.01, 1.0])
def test_a_rate_out_of_range_is_refused_where_it_is_said(value: float) -> None:
    with pytest.raises(InputErrors, match=r"prosumers\.a\.self_discharge_per_h: .* a number >= 0 and < 1"):
        Scenario.from_dict({"prosumers": [{"id": "a", "bus": 2, "self_discharge_per_h": value}]})
    with pytest.raises(InputErrors, match=r"population\.self_discharge_per_h"):
        Scenario.from_dict({"population": {"n": 1, "self_discharge_per_h": value}})


def test_a_population_has_one_rate_or_a_distribution_of_them() -> None:
    feeder = load_feeder("four-bus")
    spread = {"kind": "uniform", "low": 0.001, "high": 0.01}
    rates = [
        [p.self_discharge_per_h for p in draw(PopulationSpec.model_validate({"n": 50, **fields}), 1, feeder)]
        for fields in ({}, {"self_discharge_per_h": 0.01}, {"self_discharge_per_h": spread})
    ]
    assert set(rates[0]) == {0.0}
    assert set(rates[1]) == {0.01}
    assert 0.001 <= min(rates[2]) < 0.003 < 0.008 < max(rates[2]) <= 0.01
    with pytest.raises(InputErrors, match="a choice up to 1' is not allowed; allowed: a number from 0 to less than 1"):
        Scenario.from_dict({"population": {"n": 1, "self_discharge_per_h": {"kind": "choice", "values": [0.5, 1.0]}}})
