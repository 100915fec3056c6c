"""The week of four facilities: its head voltage, its balances, its bills, and how it is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from agents.dso import central_bound, coordinate, make_signal
from agents.facility import PLANTS, baseline
from cosim.collective import NIGHT_LOADS, Week, WeekSettings, collective_week
from cosim.facility_loads import facility_needs
from feeders import load_feeder, make_engine
from feeders.errors import InputError

DAYS = 2


@pytest.fixture(scope="module")
def week() -> Week:
    return collective_week(WeekSettings(days=DAYS), NIGHT_LOADS["tight"], seed=1)


def test_without_plants_the_office_is_just_above_the_reference_by_pandapower(week: Week) -> None:
    """0.960 + 0.0005 at the worst step of 06:00-08:00, by another power flow with the same powers."""
    reference = make_engine(load_feeder("parametric-12kv"), "pandapower")
    reference.set_slack_vm_pu(float(np.abs(week.monitor.engine.nodal.slack_vm_pu[0])))
    p_kw, q_kvar = week.monitor.bus_powers(week.baseline.p_kw, week.baseline.q_kvar)
    local = week.times.tz_convert("America/Denver")
    early = (local.hour >= 6) & (local.hour < 8)  # Monday and Tuesday: working days
    vm_pu = reference.solve(p_kw[early], q_kvar[early])
    office = reference.feeder.bus_positions(["One Sun Plaza"])[0]
    assert vm_pu[:, office].min() == pytest.approx(0.9605, abs=1e-8)
    assert np.array_equal(week.before_peak, early)


def test_the_baseline_is_load_and_chiller_as_they_come(week: Week) -> None:
    needs = facility_needs(WeekSettings().start, DAYS, seed=1)
    for k, name in enumerate(week.facilities.names):
        plant = PLANTS[name]
        assert plant.chiller is not None
        drawn = needs[name].electric_kw + needs[name].cooling_kw / plant.chiller.cop
        assert week.baseline.p_kw[:, k] == pytest.approx(drawn, abs=1e-9)
        assert baseline(plant, needs[name]).p_kw == pytest.approx(drawn, abs=1e-9)


def test_bills_are_the_tariffs_and_balances_close_whatever_is_planned_against(week: Week) -> None:
    """Recomputed from the schedules: 0.115 from 08:00 to 20:00 of working days, else 0.060; gas, wear, starts."""
    found = coordinate(week.monitor, week.facilities, week.tariff, make_signal("source"), options=week.options)
    local = week.times.tz_convert("America/Denver")
    price = np.where((local.hour >= 8) & (local.hour < 20), 0.115, 0.060)
    for k, schedule in enumerate(week.facilities.schedules):
        flows, plant = schedule.flows, schedule.plant
        gas_kwh = flows.boiler_kw / (plant.boiler.efficiency if plant.boiler else 1.0)
        cost = (0.25 * price * flows.import_kw).sum()
        for name, made in (("fuel_cell", flows.fuel_cell_kw), ("generator", flows.generator_kw)):
            unit = plant.generators.get(name)
            if unit is not None:
                gas_kwh = gas_kwh + made / unit.efficiency_electric
                cost += 0.25 * unit.om_per_kwh * made.sum() + unit.start_cost * schedule.starts[name]
        assert found.best.bills[k] == pytest.approx(cost + 0.024 * 0.25 * gas_kwh.sum(), rel=1e-9)
        assert found.best.p_kw[:, k] == pytest.approx(flows.import_kw - flows.export_kw, abs=1e-9)
        largest = max(np.abs(left).max() for left in schedule.balances().values())
        assert largest < 1e-9 * max(1.0, max(store.energy_kwh.max() for store in schedule.stores.values()))
        assert max(overlap.max() for overlap in schedule.overlap_kw().values()) == 0.0


def test_the_bound_is_no_worse_than_any_signal_and_its_voltages_are_those_of_pandapower(week: Week) -> None:
    """Deficit priced at 300 per p.u. h beside the bills: what the bound minimises."""
    signals = ("source", "column-generation", "demand-charge-local")
    found = [
        coordinate(week.monitor, week.facilities, week.tariff, make_signal(name), options=week.options)
        for name in signals
    ]
    bound = central_bound(week.monitor, week.facilities, week.tariff, options=week.options, start=found[0].iterates[0])
    assert bound.linearisation_error_pu <= 1e-6
    worth = bound.bills.sum() + 300.0 * bound.deficit_pu_h
    for coordination in found:
        for iterate in coordination.iterates:
            assert worth <= iterate.bills.sum() + 300.0 * iterate.deficit_pu_h + 1e-4
    reference = make_engine(load_feeder("parametric-12kv"), "pandapower")
    reference.set_slack_vm_pu(float(np.abs(week.monitor.engine.nodal.slack_vm_pu[0])))
    p_kw, q_kvar = week.monitor.bus_powers(bound.p_kw, bound.q_kvar)
    office = reference.feeder.bus_positions(["One Sun Plaza"])[0]
    some = slice(0, None, 24)
    assert reference.solve(p_kw[some], q_kvar[some])[:, office] == pytest.approx(
        bound.observation.value[some, 0], abs=1e-8
    )


def test_the_generators_of_all_signals_are_committed_once(week: Week) -> None:
    planner = week.facilities.planners[week.facilities.names.index("Mesa del Sol")]
    before = planner.commitment
    coordinate(week.monitor, week.facilities, week.tariff, make_signal("source"), options=week.options)
    assert before is not None
    assert planner.commitment is before


def test_on_another_feeder_the_facilities_are_spread_by_distance() -> None:
    """The same shares of the greatest distance as on the stand-in: 4, 9, 12 and 16 sixteenths."""
    week = collective_week(WeekSettings(feeder="case33bw", days=1), 1.0)
    feeder = week.monitor.feeder
    z_ohm = feeder.electrical_distance.z_ohm
    largest = z_ohm.loc[feeder.connection_buses.tolist()].max()
    shares = dict(zip(week.facilities.names, z_ohm.loc[list(week.facilities.buses)] / largest, strict=True))
    wanted = {"UNM ME": 4 / 16, "ABQ Studios": 9 / 16, "Mesa del Sol": 12 / 16, "One Sun Plaza": 1.0}
    assert shares == pytest.approx(wanted, abs=0.1)
    vm_pu = week.monitor.observe(week.baseline.p_kw, week.baseline.q_kvar).value[week.before_peak, 0]
    assert vm_pu.min() == pytest.approx(0.9605, abs=1e-8)


def test_measured_loads_take_the_place_of_made_ones(tmp_path: Path) -> None:
    times = pd.date_range("2012-07-23T06:00Z", periods=96, freq="15min", name="time")
    steady = pd.DataFrame({"electric_kw": 200.0, "cooling_kw": 110.0, "pv_per_kw": 0.0}, index=times)
    steady.to_csv(tmp_path / "osp.csv", date_format="%Y-%m-%dT%H:%MZ")
    background = pd.DataFrame({f"b{k}": 50.0 + k for k in range(18)}, index=times)
    background.to_csv(tmp_path / "others.csv", date_format="%Y-%m-%dT%H:%MZ")
    settings = WeekSettings(
        days=1, loads={"One Sun Plaza": str(tmp_path / "osp.csv")}, background_file=str(tmp_path / "others.csv")
    )
    week = collective_week(settings, 1.0)
    office = week.facilities.names.index("One Sun Plaza")
    assert week.baseline.p_kw[:, office] == pytest.approx(200.0 + 110.0 / 5.5)
    assert week.background_kw == pytest.approx(sum(50.0 + k for k in range(18)))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (WeekSettings(feeder="parametric-12kw"), "nearest: parametric-12kv"),
        (WeekSettings(places={"Town hall": 3}), "facilities: UNM ME"),
        (WeekSettings(places={"One Sun Plaza": "trunk 17"}), "trunk"),
        (WeekSettings(loads={"OSP": "osp.csv"}), "facilities: UNM ME"),
        (WeekSettings(loads={"One Sun Plaza": "nowhere.csv"}), "nowhere.csv"),
        (WeekSettings(v_ref_pu=1.2), "which slack voltages"),
        (WeekSettings(feeder="four-bus"), "at least 4"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(settings: WeekSettings, words: str) -> None:
    with pytest.raises(InputError) as caught:
        collective_week(settings.model_copy(update={"days": 1}), 1.0)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
