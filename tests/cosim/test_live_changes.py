"""Rules and tariffs that change while a model lives: the run is that of the one until then, then of the other."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from agents.prosumer import Status
from cosim import CoSimulation, Scenario
from cosim.job import COMPARED
from cosim.tariff import DemandCharge, FlatTariff, RealTimeTariff, SyntheticTariff, Tariff, TimeOfUseTariff
from cosim.tariff.holiday import Holidays
from feeders.errors import InputError, InputErrors
from tests.cosim.evening_cases import crowded

pytestmark = pytest.mark.usefixtures("feeders_built_once")

Array = npt.NDArray[np.float64]
State = dict[str, Array]

HOURLY = {"market_step_min": 60, "control_step_min": 20}
NOISY = {"kind": "noisy", "load_error": 0.2, "pv_error": 0.2, "price_error": 0.1}
APART = {"prosumers.*.pv_inverter_kva": 2.0}
OTHER = SyntheticTariff(seed=7, kappa=0.4)
STEPS = 24


@pytest.fixture(scope="module")
def base(four_bus: Scenario) -> Scenario:
    """Two days at hourly plans; homes that differ, one of them under a rule of its own."""
    return four_bus.changed(
        {
            **HOURLY,
            "days": 2,
            "start": datetime(2016, 6, 8, 22, tzinfo=UTC),
            "forecast": NOISY,
            "prosumers.home-4.battery_kwh": 4.0,
            "prosumers.*.load_power_factor": 0.95,
            "prosumers.home-2.rule": "anrc",
            "prosumers.*.pv_kwp": 6.0,
        }
    )


def lived(model: CoSimulation, n_steps: int) -> CoSimulation:
    for _ in range(n_steps):
        model.step()
    return model


def copied(model: CoSimulation) -> State:
    return {name: np.array(value) for name, value in model.state().items()}


def same(one: CoSimulation, other: CoSimulation) -> bool:
    """To the last bit: states, bills, and all that was recorded since the later of them began."""
    n = min(len(one.record.frames), len(other.record.frames))
    states = one.state(), other.state()
    return (
        list(states[0]) == list(states[1])
        and all(np.array_equal(value, states[1][name]) for name, value in states[0].items())
        and np.array_equal(one.record.frames[-n:], other.record.frames[-n:])
        and _bills(one).equals(_bills(other))
    )


def _bills(model: CoSimulation) -> pd.DataFrame:
    return model.accounts.bills(0, [p.id for p in model.settings[0].prosumers])


WAYS: list[dict[str, Any]] = [
    {},
    APART,
    {"mode": "settled"},
    {"mode": "open-loop"},
    {"mode": "open-loop", "open_loop_reference": "optimised"},
    {"horizon": "rolling", "planner": "highs"},
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: "-".join(str(value) for value in way.values()) or "usual")
@pytest.mark.parametrize("rules", [("prc", "none"), ("none", "hybrid")], ids="-".join)
def test_a_rule_holds_from_the_next_step_on(base: Scenario, way: dict[str, Any], rules: tuple[str, str]) -> None:
    """Until then the run with the first, from then on the run that starts there under the second."""
    first, second = (base.changed({**way, "rule": rule}) for rule in rules)
    changed = lived(CoSimulation(first), STEPS)
    assert np.array_equal(changed.record.frames, lived(CoSimulation(first), STEPS).record.frames)
    midnight = copied(changed)
    changed.change_rule(rules[1])
    assert changed.settings == [second]
    assert changed.population.assets.rule == changed.rows.assets.rule == ["anrc", rules[1], rules[1]]
    changed.run()
    other = CoSimulation(second)
    other.restore(midnight)
    other.run()
    assert same(changed, other)
    unchanged = CoSimulation(first)
    unchanged.run()
    assert not same(changed, unchanged)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: "-".join(str(value) for value in way.values()) or "usual")
def test_changes_at_the_start_make_the_other_run_and_to_the_same_none(base: Scenario, way: dict[str, Any]) -> None:
    first = base.changed({**way, "rule": "prc", "days": 1})
    second = first.changed({"rule": "anrc", "tariff": OTHER.model_dump()})
    changed, other, plain, touched = (CoSimulation(scenario) for scenario in (first, second, first, first))
    changed.change_tariff(OTHER)
    changed.change_rule("anrc")
    assert changed.settings == [second]
    for model in (changed, other, plain):
        model.run()
    assert same(changed, other)
    assert not same(changed, plain)
    for _ in range(STEPS):
        touched.change_rule("prc")
        touched.change_tariff(first.tariff)
        touched.step()
    assert same(touched, plain)
    assert [change.step for change in touched.changes[::2]] == list(range(STEPS))


@pytest.mark.parametrize("days", [2, 5])
@pytest.mark.parametrize(
    "way",
    [{}, {"forecast": {"kind": "persistence"}}, *WAYS[-2:]],
    ids=["noisy", "persistence", "optimised", "rolling-highs"],
)
def test_a_tariff_is_paid_from_the_next_step_on(base: Scenario, way: dict[str, Any], days: int) -> None:
    first = base.changed({**way, "days": days, "start": datetime(2016, 6, 5, 22, tzinfo=UTC)})
    changed = lived(CoSimulation(first), STEPS)
    assert np.array_equal(changed.record.frames, lived(CoSimulation(first), STEPS).record.frames)
    midnight = copied(changed)
    changed.change_tariff(OTHER)
    changed.run()
    other = CoSimulation(first.changed({"tariff": OTHER.model_dump()}))
    other.restore(midnight)
    other.run()
    assert same(changed, other)
    # Yesterday, which the signals of a long run show again from midnight on, keeps its prices.
    changed = lived(CoSimulation(first), STEPS)
    before = changed.rows.signals.price_buy[:STEPS].copy()
    changed.change_tariff(OTHER)
    changed.step()
    assert changed.rows.signals.first == 0
    assert np.array_equal(changed.rows.signals.price_buy[:STEPS], before)
    assert not np.array_equal(other.rows.prices[0].price_buy[:STEPS], before[:, 0])


def test_within_a_day_all_plan_anew_and_the_bills_add_up(base: Scenario) -> None:
    """From noon on energy costs three times as much: two items, at the prices of what was metered under each."""
    cheap, dear = (FlatTariff(price_buy=price, kappa=0.5, fixed_per_day=0.4) for price in (0.1, 0.3))
    model = lived(CoSimulation(base.changed({"tariff": cheap.model_dump()})), 12)
    model.change_tariff(dear)
    plans = model.population.n_plans_program.copy()
    model.step()
    assert (model.population.n_plans_program == plans + 1).all()
    model.run()  # the ledger compares energy and money on the way
    price = model.record.column("price_buy")[::3, 0]
    assert price.tolist() == [0.1] * 12 + [0.3] * 36
    imported = np.maximum(model.record.column("p_meter_kw"), 0).reshape(48, 3, 3).mean(axis=1)
    exported = imported - model.record.column("p_meter_kw").reshape(48, 3, 3).mean(axis=1)
    bills = _bills(model)
    bought = bills[bills["item"] == "energy bought"]
    assert bought["price"].tolist() == [0.1, 0.3] * 3
    expected = np.array([imported[:12].sum(axis=0), imported[12:].sum(axis=0)])
    quantity = bought["quantity"].to_numpy()
    assert quantity == pytest.approx(expected.T.ravel(), rel=1e-12)
    costs = model.accounts.costs(model.ledger.cost)
    assert costs["cost_energy"] == pytest.approx(price @ imported - 0.5 * price @ exported, rel=1e-12)
    assert bills.groupby("prosumer")["amount"].sum().to_numpy() == pytest.approx(costs["cost"], rel=1e-12)
    assert costs["cost_fixed"] == pytest.approx([0.8] * 3, rel=1e-12)


def test_kappa_is_a_tariff(base: Scenario) -> None:
    """Selling for nothing: what is sold from then on earns nothing, and what is bought costs what it did."""
    tariff = base.tariff.model_copy(update={"kappa": 0.0})
    model = lived(CoSimulation(base), 10)
    model.change_tariff(tariff)
    model.run()
    buy, sell = (model.record.column(name)[::3, 0] for name in ("price_buy", "price_sell"))
    assert np.array_equal(sell, np.where(np.arange(48) < 10, buy, 0.0))  # kappa was 1; no price is below 0 here
    assert _bills(model)["item"].tolist() == ["energy bought", "energy sold"] * 3


def test_one_of_several_scenarios_changes_its_rule_and_all_their_tariff(base: Scenario) -> None:
    """As on a page of two rules: each is what it is alone, those without a rule stay as they are."""
    scenarios = [
        base,
        base.changed({"rule": "prc"}),
        *(base.changed({**c, "record": base.record}) for c in COMPARED.values()),
    ]
    together = lived(CoSimulation(scenarios), 30)
    together.change_rule("none", copy=1)
    together.change_tariff(OTHER)
    together.run()
    assert [scenario.rule for scenario in together.settings] == ["hybrid", "none", "none", "none"]
    assert {scenario.tariff for scenario in together.settings} == {OTHER}
    for copy, scenario in enumerate(scenarios):
        alone = lived(CoSimulation(scenario), 30)
        if copy == 1:
            alone.change_rule("none")
        alone.change_tariff(OTHER)
        alone.run()
        own = together.rows.copy == copy
        assert np.array_equal(together.record.frames[:, :, own], alone.record.frames)
        assert together.accounts.bills(copy, alone.rows.assets.ids).equals(_bills(alone))
    free = lived(CoSimulation(scenarios[2]), 5)
    free.change_rule("prc")  # nobody obeys it: each has a rule of its own
    plain = lived(CoSimulation(scenarios[2]), 5)
    free.run()
    plain.run()
    assert same(free, plain)


def test_an_operators_homes_change_rules_at_any_time_and_tariffs_between_days(
    four_bus: Scenario, tmp_path: Path
) -> None:
    scenario = crowded(four_bus, tmp_path, **{"dso.iterations": 3})
    first = scenario.changed({"rule": "anrc"})
    changed = lived(CoSimulation(first), 12)
    with pytest.raises(InputError, match="between days, or on reset: an operator has published"):
        changed.change_tariff(OTHER)
    assert changed.settings == [first]
    changed.change_rule("none")
    changed.run()
    (evening,), (plain,) = changed.evenings.values(), CoSimulation(first).evenings.values()
    assert len(evening.tables) == 1
    assert (plain.rows == evening.rows).all()
    early, other = CoSimulation(scenario), CoSimulation(scenario.changed({"tariff": OTHER.model_dump()}))
    early.change_tariff(OTHER)
    early.run()
    other.run()
    assert same(early, other)
    assert np.array_equal(early.rows.signals.plan_price_buy, other.rows.signals.plan_price_buy)


def test_what_was_published_for_steps_ahead_goes_with_the_old_tariff(base: Scenario) -> None:
    model = lived(CoSimulation(base), 3)
    model.rows.signals.publish(0, np.full((STEPS, 1), 0.5), np.full((STEPS, 1), 0.1))
    model.change_tariff(FlatTariff(price_buy=0.2))
    signals = model.rows.signals
    assert signals.plan_price_buy[:, 0].tolist() == [0.5] * 3 + [0.2] * 45
    assert np.array_equal(signals.price_buy[3:], signals.plan_price_buy[3:])


UNUSABLE: dict[str, tuple[Any, str]] = {
    "no tariff": ({"kind": "flat"}, "a tariff"),
    "fixed": (OTHER.model_copy(update={"fixed_per_day": 1.0}), "fixed_per_day: 1.0 .* 0 as until now: .* on reset"),
    "demand": (
        OTHER.model_copy(update={"demand_charges": (DemandCharge(price=3.0),)}),
        "demand_charges: 'demand' .* demand charges apply on reset",
    ),
    "file": (RealTimeTariff(file="nowhere.csv", column="p", unit="currency/kWh"), "nowhere.csv"),
    "two": (
        OTHER.model_copy(update={"fixed_per_day": 1.0, "demand_charges": (DemandCharge(price=3.0),)}),
        "(?s)fixed_per_day.*demand_charges",
    ),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_tariff_that_cannot_follow_is_refused_and_changes_nothing(base: Scenario, name: str) -> None:
    tariff, said = UNUSABLE[name]
    model, plain = (lived(CoSimulation(base.changed({"days": 1})), 4) for _ in range(2))
    with pytest.raises((InputError, InputErrors), match=said):
        model.change_tariff(tariff)
    assert model.changes == []
    for one in (model, plain):
        one.run()
    assert same(model, plain)


def test_demand_charges_stay_while_prices_change(base: Scenario) -> None:
    """The peak of the morning is still known at noon; other holidays would make other windows."""
    charged = base.changed({"days": 1, "tariff.demand_charges": [{"price": 3.0}], "tariff.fixed_per_day": 1.0})
    same_charges = OTHER.model_copy(update={"demand_charges": charged.tariff.demand_charges, "fixed_per_day": 1.0})
    model = lived(CoSimulation(charged), 12)
    morning = model.accounts.costs(model.ledger.cost)["cost_demand"]
    off = same_charges.model_copy(update={"holidays": Holidays(dates=(datetime(2016, 6, 9).date(),))})
    with pytest.raises(InputError, match=r"demand_charges: 'demand' .* in the same local time, seasons and holidays"):
        model.change_tariff(off)
    model.change_tariff(same_charges)
    model.run()
    imported = np.maximum(model.record.column("p_meter_kw"), 0).reshape(24, 3, 3).mean(axis=1)
    costs = model.accounts.costs(model.ledger.cost)
    assert costs["cost_demand"] == pytest.approx(3.0 * imported.max(axis=0), rel=1e-12)
    assert (morning > 0).all()
    assert _bills(model).groupby("prosumer")["amount"].sum().to_numpy() == pytest.approx(costs["cost"], rel=1e-12)


def test_prices_that_the_planner_cannot_take_are_refused(base: Scenario) -> None:
    negative: Tariff = FlatTariff(price_buy=-0.1)
    model = lived(CoSimulation(base.changed({"planner": "dynamic-program"})), 2)
    with pytest.raises(InputError, match="auto or highs: the tariff has negative prices"):
        model.change_tariff(negative)
    model = lived(CoSimulation(base), 2)
    model.change_tariff(negative)
    model.step()
    assert (model.population.status.astype(int) & Status.LP_FALLBACK).all()
    model.change_tariff(TimeOfUseTariff(preset="day-night"))
    model.step()
    assert not model.population.status.any()


def test_rules_and_scenarios_that_there_are_not(base: Scenario) -> None:
    model = CoSimulation(base)
    with pytest.raises(InputError, match=r"rule: 'hybird' is not allowed; .*\(nearest: hybrid\)"):
        model.change_rule("hybird")
    wrong: Any
    for wrong in (None, 3, ["prc"]):
        with pytest.raises(InputError, match="the name of a rule"):
            model.change_rule(wrong)
    for wrong in (1, -1, 0.0, "0"):
        with pytest.raises(InputError, match=r"copy: .* allowed: 0 to 0, the place of a scenario"):
            model.change_rule("prc", copy=wrong)
    assert model.settings[0].rule == "hybrid"
    assert model.changes == []


def test_a_tariff_of_a_file_is_found_from_anywhere(
    base: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = pd.date_range(base.start, periods=49, freq="h").strftime("%Y-%m-%dT%H:%MZ")
    pd.DataFrame({"time": times, "p": np.linspace(0.1, 0.58, 49)}).to_csv(tmp_path / "p.csv", index=False)
    monkeypatch.chdir(tmp_path)
    model = lived(CoSimulation(base), 1)
    model.change_tariff(RealTimeTariff(file="p.csv", column="p", unit="currency/kWh"))
    monkeypatch.chdir("/")
    model.step()
    assert model.population.price_buy == pytest.approx([0.11] * 3)
    assert Scenario.from_dict(model.settings[0].model_dump(exclude_none=True)) == model.settings[0]
