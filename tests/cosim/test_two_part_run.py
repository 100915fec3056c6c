"""Runs under two-part tariffs: what is billed, on the way, after a resume, together with others, on the terminal."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cosim import CoSimulation, Run, Scenario, run, run_ensemble
from cosim.accounts import Accounts
from cosim.results import save_run
from tests.cosim.command_line import call

pytestmark = pytest.mark.usefixtures("feeders_built_once")

CHARGES: list[dict[str, Any]] = [
    {"name": "evening", "price": 8.0, "days": "weekday", "start": "18:00", "end": "22:00"},
    {"name": "daily", "price": 0.5, "per": "day", "metering_min": 30},
]


@pytest.fixture(scope="module")
def scenario(four_bus: Scenario) -> Scenario:
    """Two days from a quarter past midnight in Berlin on, so that days end within a metering interval."""
    return four_bus.changed(
        {
            "name": "two-part",
            "start": datetime(2016, 6, 8, 22, 15, tzinfo=UTC),
            "days": 2,
            "rule": "prc",
            "tariff": {"kind": "time-of-use", "preset": "ontario-2023", "kappa": 0.5, "fixed_per_day": 0.4},
            "tariff.demand_charges": CHARGES,
            "prosumers.*.battery_kwh": 0.1,  # too small to import nothing in any charge's window
        }
    )


@pytest.fixture(scope="module")
def finished(scenario: Scenario) -> Run:
    return run(scenario)


def test_what_is_billed_is_what_was_metered(finished: Run) -> None:
    """From the recorded powers of each control step, in a few lines that know nothing of accounts."""
    imported = np.maximum(finished.column("p_meter_kw"), 0)
    quarter_kw = imported.reshape(-1, 3, 3).mean(axis=1)  # three control steps make a market step
    local = finished.times[::3].tz_convert("Europe/Berlin")
    evening = quarter_kw[(local.hour >= 18) & (local.hour < 22)].max(axis=0)
    half_hours = pd.DataFrame(quarter_kw).groupby(local.floor("30min")).mean()
    days = half_hours.groupby(pd.DatetimeIndex(half_hours.index).date).max()
    assert len(days) == 3  # the last of them a quarter of an hour long
    demand = 8 * evening + 0.5 * days.sum().to_numpy()
    table = finished.indices
    assert table["cost_demand"].to_numpy() == pytest.approx(demand, rel=1e-12)
    assert table["cost_fixed"].tolist() == [0.8] * 3
    energy = (finished.column("price_buy") * imported).sum(axis=0) / 12
    energy -= (finished.column("price_sell") * (imported - finished.column("p_meter_kw"))).sum(axis=0) / 12
    assert table["cost_energy"].to_numpy() == pytest.approx(energy, rel=1e-12)
    assert table["cost"].to_numpy() == pytest.approx(energy + demand + 0.8, rel=1e-12)
    assert (table["cost_demand"] > 0.5).all()


def test_the_items_of_a_run_add_up_to_its_costs(finished: Run) -> None:
    bills = finished.bills
    amounts = bills.groupby(["prosumer", "item"])["amount"].sum().unstack()
    table = finished.indices.set_index("prosumer")
    energy = amounts["energy bought"] + amounts["energy sold"]
    for found, column in (
        (energy, "cost_energy"),
        (amounts["demand"], "cost_demand"),
        (amounts["fixed"], "cost_fixed"),
    ):
        assert found.to_numpy() == pytest.approx(table[column].to_numpy(), rel=1e-12), column
    bought = bills[bills["item"] == "energy bought"]
    assert set(bought["name"]) == {"off-peak", "mid-peak", "on-peak"}
    assert bought.groupby("prosumer")["quantity"].sum().to_numpy() == pytest.approx(table["import_kwh"].to_numpy())
    days = bills[bills["name"] == "daily"]
    assert days["billing_period"].tolist() == ["2016-06-09", "2016-06-10", "2016-06-11"] * 3
    local = days["peak_at"].dt.tz_convert("Europe/Berlin")
    assert (local.dt.strftime("%Y-%m-%d") == days["billing_period"]).all()


def test_costs_that_a_run_is_compared_with_are_whole_bills_too(finished: Run, scenario: Scenario) -> None:
    idle = run(scenario.changed({"rule": "none", "prosumers.*.optimise": False}), references=False)
    assert idle.indices["cost"].tolist() == finished.indices["cost_without_optimisation"].tolist()
    assert (idle.indices["cost_demand"] != finished.indices["cost_demand"]).all()


def test_a_resumed_run_bills_the_same(finished: Run, scenario: Scenario) -> None:
    first = CoSimulation(scenario)
    for _ in range(96):
        first.step()
    second = CoSimulation(scenario)
    second.restore({name: value.copy() for name, value in first.state().items()})
    second.run()
    ids = finished.prosumers["prosumer"].tolist()
    pd.testing.assert_frame_equal(second.accounts.bills(0, ids), finished.bills, check_exact=True)
    assert first.state()["accounts.0.open_kwh"][1].all()  # a metering interval was open
    assert second.accounts.costs(second.ledger.cost)["cost"].tolist() == finished.indices["cost"].tolist()


def test_an_ensemble_of_tariffs_bills_as_each_alone(scenario: Scenario) -> None:
    base = scenario.changed({"days": 1, "record": []})
    scenarios = [
        base,
        base.changed({"tariff.kind": "flat", "tariff.price_buy": 0.3, "tariff.demand_charges": CHARGES[:1]}),
        base.changed({"rule": "none"}),
        base.changed({"tariff.demand_charges.*.price": 1.0, "tariff.fixed_per_day": 0.0}),
    ]
    for together in run_ensemble(scenarios):
        alone = run(together.scenario, references=False)
        pd.testing.assert_frame_equal(together.bills, alone.bills, check_exact=True)
        pd.testing.assert_frame_equal(together.indices, alone.indices, check_exact=True)


def test_a_failed_run_has_no_bills(finished: Run, tmp_path: Path) -> None:
    part = replace(finished, failure="ended early")
    save_run(part, tmp_path / "r", seconds=0.0)
    again = Run.load(tmp_path / "r")
    assert again.bills.empty
    assert again.bills.columns.tolist() == finished.bills.columns.tolist()


def test_homes_plan_against_what_their_peak_costs(four_bus: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    """With perfect forecasts, no rule and one day, no plan that minds energy alone comes to a smaller bill."""
    scenario = four_bus.changed(
        {
            "rule": "none",
            "control_step_min": 15,  # the meter sees the powers that were planned
            "tariff": {"kind": "time-of-use", "preset": "day-night", "kappa": 0.5},
            "tariff.demand_charges": [{"name": "all-day", "price": 0.2, "per": "day"}],
            "prosumers.*.battery_kwh": 6.0,
        }
    )
    minding = run(scenario, references=False).indices
    monkeypatch.setattr(Accounts, "publish_charges", lambda *_: None)
    blind = run(scenario, references=False).indices
    assert (minding["cost"] <= blind["cost"] + 1e-9).all()
    assert (minding["cost_demand"] < 0.7 * blind["cost_demand"]).all()
    assert (minding["cost_energy"] >= blind["cost_energy"] - 1e-9).all()


def test_the_second_day_knows_the_peak_of_the_first(four_bus: Scenario) -> None:
    charge = {"name": "all", "price": 5.0, "per": "run"}
    tariff = {"kind": "flat", "price_buy": 0.3, "kappa": 0.5}
    model = CoSimulation(
        four_bus, days=2, control_step_min=15, tariff=tariff, **{"tariff.demand_charges": [charge], "rule": "none"}
    )
    for _ in range(97):
        model.step()
    demand = model.rows.signals.demand
    assert demand is not None
    p_kw = model.record.present("p_meter_kw")  # of the first step of the second day
    highest = model.accounts.state()["0.peak_kw"][0]
    for row in range(3):
        ahead = demand.ahead(row, 97, 192)
        assert ahead is not None
        assert ahead.peak_so_far_kw.tolist() == pytest.approx([highest[row]], abs=1e-12)
        assert highest[row] >= p_kw[-1, row] - 1e-12
    assert (highest > 0).all()


def test_check_and_run_say_what_a_rehearsal_leaves_out(scenario: Scenario, tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text(scenario.changed({"days": 1, "control_step_min": 15}).to_toml())
    with_operator = ("--set", "dso.signal=source")
    note = (
        "note: the demand charges evening, daily are planned against and billed, but the operator's rehearsals count "
        "energy prices alone"
    )
    assert note in call("check", file, *with_operator).out.splitlines()
    one = call("check", file, *with_operator, "--set", "tariff.demand_charges.evening.price=0").out
    assert "note: the demand charge daily is planned against" in one
    assert "note" not in call("check", file).out
    assert "note" not in call("check", file, *with_operator, "--set", "prosumers.*.optimise=false").out
    ended = call("run", file, "--out", tmp_path / "r", "--no-references")
    assert ended.err == ""
    header = ended.out.splitlines()[2]
    assert [name in header for name in ("cost_energy", "cost_demand", "cost_fixed")] == [True] * 3
    plain = call("run", file, "--out", tmp_path / "p", "--no-references", "--set", "tariff.kind=synthetic")
    assert (plain.err, "cost_energy" in plain.out) == ("", False)
    assert pd.read_parquet(tmp_path / "r" / "bills.parquet")["prosumer"].nunique() == 3
