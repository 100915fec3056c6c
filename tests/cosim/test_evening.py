"""The evening before: what is rehearsed is what comes, the signal shapes plans, and the bill stays the tariff's."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from agents.dso import DSO, SIGNALS
from agents.grid import Grid
from agents.prosumer import Forecast, Prosumer, Signals, Window
from cosim import CoSimulation, Scenario, run, run_ensemble
from cosim.build import run_prices
from cosim.results import run_id
from tests.cosim.evening_cases import DEARER, LIMIT_PU, LOADED, crowded, evening_of, planned
from tests.cosim.loop_cases import finished, four_bus_voltages

pytestmark = pytest.mark.usefixtures("feeders_built_once")

Array = npt.NDArray[np.float64]

QUICK = {"control_step_min": 15}
NOISE = {"kind": "noisy", "load_error": 0.3, "pv_error": 0.3, "price_error": 0.3}
WAYS: dict[str, dict[str, Any]] = {
    "closed-loop": {},
    "rolling-noisy": {"horizon": "rolling", "forecast": NOISE, "days": 2},
    "settled-highs": {"mode": "settled", "planner": "highs", "market_step_min": 60},
    "open-loop-optimised": {"mode": "open-loop", "open_loop_reference": "optimised"},
}


@pytest.mark.parametrize("way", WAYS)
def test_a_signal_that_says_nothing_changes_nothing(three_homes: Scenario, way: str) -> None:
    plain = three_homes.changed({**QUICK, **WAYS[way]})
    without, tariff_only = finished(plain), finished(plain.changed({"dso.signal": "none", "dso.vm_ref_pu": 0.99}))
    assert np.array_equal(without.record.frames, tariff_only.record.frames)
    assert all(np.array_equal(value, tariff_only.state()[name]) for name, value in without.state().items())
    assert len(evening_of(tariff_only).tables) == plain.days
    acting = finished(plain.changed({"dso.signal": "source", "dso.vm_ref_pu": 0.99}))
    assert not np.array_equal(without.record.frames, acting.record.frames)


def test_without_an_operator_all_is_as_ever(four_bus: Scenario) -> None:
    model = CoSimulation(four_bus, **QUICK)
    assert model.dso is None and model.evenings == {} and model.take_evenings() == []
    assert {type(agent) for agent in model.agents} == {Grid, Prosumer}
    assert "dso" not in four_bus.to_toml()
    gone = four_bus.changed({"dso.signal": "none"}).changed({"dso": None})
    assert gone == four_bus and run_id(gone) == run_id(four_bus)
    model.step()
    assert list(model.datacollector.model_vars) == ["cost", "vm_min_pu", "vm_max_pu", "p_curtailed_kw", "p_meter_kw"]
    result = run(four_bus.changed(QUICK), references=False)
    assert result.rehearsals is None and result.published is None


def test_the_source_rule_moves_charging_to_where_the_voltage_has_room(four_bus: Scenario, tmp_path: Path) -> None:
    # What the limit must be for this to say anything: as pandapower has it.
    (idle,), (charging,), (both,) = ([four_bus_voltages([kw] * 3, [0.0] * 3)[2]] for kw in (1.0, 1.1, 2.0))
    assert both < LIMIT_PU < charging < idle
    model = finished(crowded(four_bus, tmp_path))
    evening = evening_of(model)
    table = evening.tables[0].rehearsals
    assert table["iteration"].tolist() == [0, 1]
    assert table["published"].tolist() == [False, True]
    assert table["ended"].tolist() == ["", "limits hold"]
    assert table["worst"].tolist()[0] == "voltage 4"
    # On the tariff all charge where it is cheapest; each quarter-hour of the two hours falls short by as much.
    n_short = round(table["deficit_pu_h"][0] / 0.25 / (LIMIT_PU - both))
    assert table["v_min_pu"][0] == pytest.approx(both, abs=1e-8)
    assert n_short in (7, 8) and table["deficit_pu_h"][0] == pytest.approx(n_short * 0.25 * (LIMIT_PU - both), abs=1e-6)
    assert table["deficit_pu_h"][1] == 0.0
    # The published price by the rule, from these voltages: alpha 4, and a margin of 2e-4.
    price = planned(evening, "plan_price_buy")
    risen = price[LOADED] > 0.1
    assert price[LOADED][risen] == pytest.approx(0.1 / (1 - (LIMIT_PU + 2e-4 - both)) ** 4, rel=1e-6)
    assert risen.all(axis=1).sum() == n_short
    assert (price[DEARER] == 0.101).all() and (price[24:] == 0.3).all()
    # It is lived as it was rehearsed: nothing charged beside the load, all of it in the hours that cost a hair more.
    battery = model.record.column("p_battery_kw")
    assert battery[LOADED].max() == pytest.approx(0.0, abs=1e-9) or n_short == 7
    assert (battery[DEARER].sum(axis=0) > 1.0 / 0.25 - 1).all()
    assert model.record.column("vm_pu")[LOADED].min() >= LIMIT_PU
    assert model.record.column("p_meter_kw") == pytest.approx(planned(evening), abs=1e-9)


@pytest.mark.parametrize("way", WAYS)
def test_the_bill_is_the_tariffs(three_homes: Scenario, way: str) -> None:
    scenario = three_homes.changed({**QUICK, **WAYS[way], "dso.vm_ref_pu": 0.99, "tariff.kappa": 0.5})
    model = finished(scenario)
    p_kw, step_h = model.record.column("p_meter_kw"), 0.25
    prices = run_prices(scenario)
    per_step = len(p_kw) // len(prices.price_buy)
    buy, sell = (np.repeat(price, per_step)[:, None] for price in (prices.price_buy, prices.price_sell))
    bill = step_h * (buy * np.maximum(p_kw, 0) + sell * np.minimum(p_kw, 0)).sum(axis=0)
    assert model.ledger.cost == pytest.approx(bill, abs=1e-9)
    shown = np.concatenate([planned(evening_of(model), "plan_price_buy", day) for day in range(scenario.days)])
    assert not np.array_equal(shown, np.broadcast_to(prices.price_buy[:, None], shown.shape))  # else it says nothing


def test_a_rehearsal_is_the_day_where_forecasts_are_perfect(three_homes: Scenario) -> None:
    scenario = three_homes.changed({**QUICK, "rule": "none", "days": 2, "prosumers.*.inverter_kva": 50.0})
    model = finished(scenario.changed({"dso.vm_ref_pu": 0.99}))
    evening = evening_of(model)
    rehearsed = np.concatenate([planned(evening, day=day) for day in (0, 1)])
    assert model.record.column("p_meter_kw") == pytest.approx(rehearsed, abs=1e-9)
    tables = [tables.rehearsals for tables in evening.tables]
    lowest = [table.loc[table["published"], "v_min_pu"].item() for table in tables]
    lived = model.record.column("vm_pu")[:, 2].reshape(2, 96)
    assert tables[0]["worst"].iloc[0] == "voltage 4"  # the third home's
    assert lived.min(axis=1) == pytest.approx(lowest, abs=1e-9)
    bills = [table.loc[table["published"], "bill"].item() for table in tables]
    assert model.ledger.cost.sum() == pytest.approx(sum(bills), abs=1e-9)


def committed_day(four_bus: Scenario, folder: Path, **changes: Any) -> CoSimulation:
    """A day on which those who are told by lot follow the newest plan, and the others an older one."""
    scenario = crowded(four_bus, folder, control_step_min=1, **changes)
    return finished(scenario.changed({"dso.parameters.answering": 0.5}))


def test_a_mix_is_followed_minute_by_minute(four_bus: Scenario, tmp_path: Path) -> None:
    model = committed_day(four_bus, tmp_path)
    evening = evening_of(model)
    assert evening.dso.last is not None and evening.dso.last.commits
    assert 0 < evening.dso.last.best.shares[-1].sum() < 3  # some have answered, some have not
    assert model.record.column("p_meter_kw") == pytest.approx(np.repeat(planned(evening), 15, axis=0), abs=1e-9)
    assert model.population.n_plans_program.sum() == 0  # nobody has planned for itself
    price = planned(evening, "plan_price_buy")
    assert not np.array_equal(price, np.broadcast_to(price[:, :1], price.shape)) or price[LOADED].max() > 0.1


def test_a_mix_yields_to_the_rule_and_is_taken_up_again(four_bus: Scenario, tmp_path: Path) -> None:
    band = {"voltage.vm_min_pu": 0.97, "voltage.dead_pu": 0.01, "voltage.vm_max_pu": 1.03, "rule": "prc"}
    free, ruled = committed_day(four_bus, tmp_path), committed_day(four_bus, tmp_path, **band)
    assert np.array_equal(planned(evening_of(free)), planned(evening_of(ruled)))  # the operator knows no rule
    plan_kw, lived_kw = (model.record.column("p_battery_kw") for model in (free, ruled))
    low = np.vstack([np.ones((1, 3)), ruled.record.column("vm_pu")[:-1]]) < 0.99  # what the rule has measured
    energy = np.vstack([np.zeros((1, 3)), ruled.record.column("energy_kwh")[:-1]])
    able = (energy > 1.1 / 60) & (energy < 2 - 1 / 60) | (plan_kw == 0)
    moved = np.abs(lived_kw - plan_kw) > 1e-9
    assert moved.any() and low.any()
    assert not moved[able & ~low].any()


class Own(Prosumer):
    """Plans in its own way: always at 0.2 kW."""

    def plan(self, forecast: Forecast, signals: Signals, window: Window) -> None:
        self.p_battery_plan_kw = 0.2


def test_who_does_not_take_part_is_background(four_bus: Scenario, tmp_path: Path) -> None:
    scenario = crowded(four_bus, tmp_path, **{"prosumers.home-2.optimise": False, "dso.signal": "none"})
    model = CoSimulation(scenario, classes={"home-3": Own})
    evening = evening_of(model)
    assert evening.rows.tolist() == [2]
    model.step()
    table = evening.tables[0].rehearsals
    # Home 2 uses what it uses, home 3 as if it did not plan, home 4 charges on the tariff's plan.
    assert table["v_min_pu"].item() == pytest.approx(four_bus_voltages([1.0, 1.0, 2.0], [0.0] * 3)[2], abs=1e-8)
    assert model.population.p_battery_plan_kw[1] == 0.2


def test_a_bystander_plans_on_the_tariff_and_is_expected_to(four_bus: Scenario, tmp_path: Path) -> None:
    scenario = crowded(four_bus, tmp_path)
    shares = [scenario.changed({"dso.share": share}) for share in (0.0, 0.3, 0.7, 1.0)]
    rows = [set(evening_of(CoSimulation(s)).rows.tolist()) for s in shares]
    assert rows[0] == set() and rows[-1] == {0, 1, 2}
    assert all(few <= more for few, more in itertools.pairwise(rows))
    seed = next(
        seed
        for seed in range(50)
        if evening_of(CoSimulation(scenario, rng=seed, **{"dso.share": 0.5})).rows.tolist() == [0]
    )
    model = finished(scenario.changed({"dso.share": 0.5, "seed": seed}))
    table = evening_of(model).tables[0].rehearsals
    (tariff_v,) = [four_bus_voltages([2.0] * 3, [0.0] * 3)[2]]
    assert table["v_min_pu"][0] == pytest.approx(tariff_v, abs=1e-8)
    signals = model.rows.signals
    assert (signals.plan_price_buy[:, 1:] == signals.price_buy[:, 1:]).all()
    charged = model.record.column("p_battery_kw")[LOADED]
    assert charged[:, 1:].max() == pytest.approx(1.0) and charged[:, 0].max() < 1.0 + 1e-9
    best = table.loc[table["published"], "v_min_pu"].item()
    lived = model.record.column("vm_pu")[:, 2]
    assert lived.min() == pytest.approx(best, abs=1e-8)


def test_nobody_takes_part(four_bus: Scenario, tmp_path: Path) -> None:
    scenario = crowded(four_bus, tmp_path)
    alone, none = finished(scenario.changed({"dso": None})), finished(scenario.changed({"dso.share": 0.0}))
    assert np.array_equal(alone.record.frames, none.record.frames)
    result = run(scenario.changed({"dso.share": 0.0}), references=False, folder=tmp_path / "r")
    assert result.rehearsals is not None and result.rehearsals.empty
    assert result.published is not None and result.published.empty


def test_prices_differ_in_active_hours_alone(four_bus: Scenario, tmp_path: Path) -> None:
    hours = [{"start": "04:30", "end": "05:00"}]  # in Berlin, in summer: two hours before UTC
    evening = evening_of(finished(crowded(four_bus, tmp_path, **{"dso.active": hours})))
    price, tariff = planned(evening, "plan_price_buy"), planned(evening, "plan_price_buy")[:, :1] * 0
    tariff[:], tariff[LOADED], tariff[DEARER] = 0.3, 0.1, 0.101
    differs = np.flatnonzero((price != tariff).any(axis=1))
    assert set(differs) <= {10, 11}
    assert len(differs) > 0
    short = evening.tables[0].rehearsals["deficit_pu_h"][0]
    assert 0 < short <= 0.5 * (LIMIT_PU - four_bus_voltages([2.0] * 3, [0.0] * 3)[2]) + 1e-9


def test_a_plan_that_breaks_the_feeder_is_seen_and_answered(four_bus: Scenario, tmp_path: Path) -> None:
    huge = {
        "prosumers.*.battery_kwh": 60.0,
        "prosumers.*.inverter_kva": 60.0,
        "prosumers.*.battery_c_charge": 0.3,
        "tariff.kappa": 1.0,
    }
    load = {"dso.signal": "source"}
    model = CoSimulation(crowded(four_bus, tmp_path, **huge, **load))
    model.evenings[0].hold(model.clock.window())
    table = evening_of(model).tables[0].rehearsals
    assert table["broken_steps"][0] > 0 and table["v_min_pu"][0] == 0.5
    assert np.isfinite(table["deficit_pu_h"]).all()


def test_a_feeder_that_breaks_without_them_leaves_the_tariff(four_bus: Scenario, tmp_path: Path) -> None:
    scenario = crowded(four_bus, tmp_path, **{"prosumers.home-2.optimise": False})
    scenario = scenario.changed({"prosumers.home-2.pv_kwp": 0.0})
    model = CoSimulation(scenario)
    model.rows.signals.p_load_kw[10, 0] = 500.0
    model.evenings[0].hold(model.clock.window())
    table = evening_of(model).tables[0].rehearsals
    assert table["ended"].item().startswith("power flow on feeder 'four-bus'")
    assert table["published"].item() and np.isnan(table["v_min_pu"].item())
    assert (planned(evening_of(model), "plan_price_buy") == model.rows.signals.price_buy[:, 1:]).all()


def test_threads_and_company_change_nothing(three_homes: Scenario) -> None:
    one = three_homes.changed({**QUICK, "dso.vm_ref_pu": 0.99, "forecast": NOISE})
    other = one.changed({"dso.parameters.alpha": 8.0, "dso.parameters.answering": 0.5, "seed": 4, "name": "other"})
    plain = three_homes.changed({**QUICK, "forecast": NOISE, "name": "plain"})
    alone = [run(scenario, references=False) for scenario in (one, plain, other)]
    together = run_ensemble([one, plain, other])
    for apart, found in zip(alone, together, strict=True):
        assert np.array_equal(apart.frames, found.frames)
        if apart.rehearsals is None:
            assert found.rehearsals is None
        else:
            assert apart.rehearsals.equals(found.rehearsals) and apart.published.equals(found.published)
    assert np.array_equal(run(other, references=False, threads=2).frames, alone[2].frames)


def test_mesa_sees_the_operator(four_bus: Scenario, tmp_path: Path) -> None:
    model = CoSimulation(crowded(four_bus, tmp_path))
    assert {type(agent) for agent in model.agents} == {Grid, Prosumer, DSO}
    assert model.dso is not None and model.dso.last is None
    model.run()
    assert model.dso.last is not None and model.dso.published is not None
    table = model.datacollector.get_model_vars_dataframe()
    rehearsals = evening_of(model).tables[0].rehearsals
    assert (table["tariff_deficit_pu_h"] == rehearsals["deficit_pu_h"][0]).all()
    assert (table["deficit_pu_h"] == rehearsals["deficit_pu_h"][1]).all()
    assert table["plan_price_buy"].to_numpy() == pytest.approx(
        planned(evening_of(model), "plan_price_buy").mean(axis=1)
    )


@pytest.mark.parametrize("signal", sorted(SIGNALS))
def test_every_signal_is_lived_as_it_was_rehearsed(four_bus: Scenario, signal: str, tmp_path: Path) -> None:
    night = [{"start": "00:00", "end": "08:00"}]
    model = finished(crowded(four_bus, tmp_path, **{"dso.signal": signal, "dso.active": night}))
    evening, table = evening_of(model), evening_of(model).tables[0].rehearsals
    assert model.record.column("p_meter_kw") == pytest.approx(planned(evening), abs=1e-9)
    assert model.ledger.cost.sum() == pytest.approx(table.loc[table["published"], "bill"].item(), abs=1e-9)
    charged = planned(evening, "demand_price").max() > 0
    assert charged == signal.startswith("demand-charge")
    # The homes are alike, and left to the tariff they all charge in one quarter-hour.
    if signal not in ("none", "random-ties"):
        assert table["deficit_pu_h"].min() < 1e-5 < table["deficit_pu_h"][0]


def test_a_charge_on_the_highest_import_holds_through_the_day(three_homes: Scenario) -> None:
    """With forecasts that err homes re-plan all the time, knowing the peak so far; the charge is not on the bill."""
    night = {"dso.signal": "demand-charge", "dso.parameters.price": 1.0, "dso.vm_ref_pu": 1.2}
    noisy = three_homes.changed({"rule": "none", "forecast": {**NOISE, "price_error": 0.0}, "tariff.kappa": 0.3})
    free, charged = (finished(noisy.changed(changes)) for changes in ({}, night))
    means = [model.record.column("p_meter_kw").reshape(96, 3, 3).mean(axis=1) for model in (free, charged)]
    for row in range(3):
        known = charged.rows.signals.demand.ahead(row, 95, 96)  # type: ignore[union-attr] # there is one
        assert known is not None and known.peak_so_far_kw == pytest.approx([means[1][:95, row].max(initial=0.0)])
    peaks = [mean.max(axis=0) for mean in means]
    assert (peaks[1] < peaks[0] - 0.05).all()
    assert charged.ledger.cost.sum() < free.ledger.cost.sum() + 0.5  # a kW of each would cost 3
    assert np.array_equal(charged.record.frames, finished(noisy.changed(night), threads=2).record.frames)


def test_the_example_herd_is_split_up(tmp_path: Path) -> None:
    file = Path(__file__).parents[2] / "experiments" / "scenarios" / "herd.toml"
    model = CoSimulation(Scenario.from_toml(file), control_step_min=15)
    model.step()  # the first evening
    evening = evening_of(model)
    assert len(evening.rows) == 100
    table, last = evening.tables[0].rehearsals, evening.dso.last
    assert last is not None
    herd, split = (iterate.p_kw[:32].sum(axis=1).max() for iterate in (last.iterates[0], last.best))
    assert herd > 3 * split
    assert table["v_min_pu"][0] < 0.91 and table["deficit_pu_h"].tolist()[-1] == 0.0
    assert abs(table["bill_change_percent"]).max() < 0.1


def test_each_day_has_lots_of_its_own(three_homes: Scenario) -> None:
    changes = {**QUICK, "days": 2, "dso.signal": "random-ties", "dso.parameters.noise": 0.01, "dso.vm_ref_pu": 1.2}
    model = CoSimulation(three_homes.changed(changes))
    drawn = []
    for day in range(2):
        while model.clock.step < 96 * day + 1:
            model.step()
        last, signals = model.dso.last, model.rows.signals  # type: ignore[union-attr] # there is one
        assert last is not None
        drawn.append(last.iterates[1].terms.price_buy / signals.price_buy[96 * day : 96 * (day + 1)])
    assert np.abs(drawn[0] - 1).max() <= 0.01 + 1e-12
    assert not np.allclose(drawn[0], drawn[1], rtol=0, atol=1e-4)
