"""The books close on any day, and do not close over an agent that breaks physics."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pytest

from agents.prosumer import Forecast, Population, Prosumer, Signals, Window
from cosim import CoSimulation, Scenario, indices
from cosim.data import day_start, extract_days
from cosim.ledger import Ledger, LedgerError
from tests.cosim.loop_cases import finished

pytestmark = pytest.mark.usefixtures("feeders_built_once")

DAYS = [extract_days()[place] for place in np.random.default_rng(3).choice(28, 4, replace=False)]


@pytest.mark.parametrize(("day", "rule"), list(zip(DAYS, ("none", "prc", "anrc", "hybrid"), strict=True)), ids=str)
def test_books_close_on_random_days(four_bus: Scenario, day: date, rule: str) -> None:
    # Closing is checked by the run itself, at every control step; here once more, over the whole day.
    start = day_start(day).to_pydatetime()
    model = finished(
        four_bus.changed({"start": start, "rule": rule, "tariff.kappa": 0.4, "prosumers.*.inverter_kva": 1.5})
    )
    column, owned, step_h = model.record.column, model.rows.assets, 5 / 60
    battery_kw = column("p_battery_kw")
    stored_kwh = np.where(battery_kw > 0, battery_kw * owned.efficiency_charge, battery_kw / owned.efficiency_discharge)
    expected = owned.energy_start_kwh + step_h * stored_kwh.cumsum(axis=0)
    assert column("energy_kwh") == pytest.approx(expected, rel=0, abs=1e-12)  # 288 additions of up to 0.05 kWh
    cost = indices.energy_cost(column("p_meter_kw"), column("price_buy"), column("price_sell"), step_h)
    assert model.ledger.cost == pytest.approx(cost, rel=0, abs=1e-12)
    assert np.abs(cost).min() > 0.01
    s2 = (battery_kw - column("p_pv_kw") + column("p_curtailed_kw")) ** 2 + column("q_inverter_kvar") ** 2
    assert s2.max() <= 1.5**2 * (1 + 1e-12)


class OverCharger(Prosumer):
    """Charges on when its battery is full."""

    def regulate(self, vm_pu: float, step_h: float) -> None:
        self.p_battery_kw = 0.5


class Hasty(Prosumer):
    """Charges faster than its battery can: 0.5 kW on the battery's side is 0.53 kW on the AC side."""

    def regulate(self, vm_pu: float, step_h: float) -> None:
        self.p_battery_kw = 0.6


class Overloaded(Prosumer):
    """Injects more reactive power than its inverter of 3 kVA is rated for."""

    def regulate(self, vm_pu: float, step_h: float) -> None:
        self.q_inverter_kvar = 3.1


class Undecided(Prosumer):
    """Answers with no number."""

    def regulate(self, vm_pu: float, step_h: float) -> None:
        self.q_inverter_kvar = float("nan")


class PvFromNowhere(Prosumer):
    """Feeds in more sun than there is."""

    def regulate(self, vm_pu: float, step_h: float) -> None:
        self.p_curtailed_kw = -1.0


class CurtailsTwice(Prosumer):
    """Spills sun that it has not got."""

    def regulate(self, vm_pu: float, step_h: float) -> None:
        self.p_curtailed_kw = self.p_pv_kw + 0.001


class Tamperer(Prosumer):
    """Fills its battery behind the meter once, in the tenth step."""

    def plan(self, forecast: Forecast, signals: Signals, window: Window) -> None:
        super().plan(forecast, signals, window)
        if window.now == 10:
            self.energy_kwh += 1e-6


class PriceFixer(Prosumer):
    """Changes the price within a market step."""

    def regulate(self, vm_pu: float, step_h: float) -> None:
        self.price_buy *= 0.9


@pytest.mark.parametrize(
    ("culprit", "account"),
    [
        (OverCharger, "battery energy within its bounds"),
        (Hasty, "battery power within its ramps"),
        (Overloaded, "inverter within its rating"),
        (Undecided, "power"),
        (PvFromNowhere, "PV power used"),
        (CurtailsTwice, "PV power used"),
        (Tamperer, "battery energy"),
        (PriceFixer, "money"),
    ],
)
def test_an_agent_that_breaks_physics_is_named(four_bus: Scenario, culprit: type[Prosumer], account: str) -> None:
    model = CoSimulation(four_bus, rule="none", classes={"home-3": culprit})
    with pytest.raises(LedgerError, match=f"{account} of prosumer 'home-3' does not close") as caught:
        model.run()
    assert (caught.value.what, caught.value.prosumer) == (account, "home-3")
    assert not abs(caught.value.gap) <= 1e-9
    if culprit is Tamperer:
        assert caught.value.minute == 10 * 3
        assert caught.value.gap == pytest.approx(1e-6, rel=1e-6)


def tampered(name: str, value: float) -> Callable[[Population], None]:
    def tamper(population: Population) -> None:
        getattr(population, name)[1] = value

    return tamper


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e9])
@pytest.mark.parametrize("name", ["energy_kwh", "p_battery_kw", "p_curtailed_kw", "p_meter_kw", "p_pv_kw", "p_load_kw"])
def test_any_number_that_is_wrong_or_none_is_found(four_bus: Scenario, name: str, value: float) -> None:
    model = CoSimulation(four_bus, rule="none")
    model.step()
    ledger = Ledger(model.population)
    model.population.deliver(1 / 12)
    tampered(name, value)(model.population)
    with np.errstate(invalid="ignore"), pytest.raises(LedgerError) as caught:
        ledger.book(7, 1 / 12)
    assert (caught.value.prosumer, caught.value.minute) == ("home-3", 7)


@pytest.mark.parametrize("value", [float("nan"), 1e9])
def test_a_price_that_is_none_is_found(four_bus: Scenario, value: float) -> None:
    model = CoSimulation(four_bus, rule="none")
    model.step()
    ledger = Ledger(model.population)
    model.population.deliver(1 / 12)
    ledger.book(0, 1 / 12)
    model.population.price_buy[1] = value
    model.population.price_sell[1] = value
    with pytest.raises(LedgerError, match="money of prosumer 'home-3'"):
        ledger.close_market_step(0)


def test_books_without_prosumers_close(four_bus: Scenario) -> None:
    model = finished(four_bus.model_copy(update={"prosumers": ()}))
    assert model.ledger.cost.shape == (0,)
