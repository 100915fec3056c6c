"""Chargers, heat pumps and stores in the loop: they live the days that the year's kernel lives, and books close."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from agents.dso.relief import CurA, CurB, Measure, NoisyDayAhead, PerfectDayAhead, PersistenceDayAhead, ProA, ProB
from cosim import CoSimulation, Run, Scenario, run
from cosim.ledger import LedgerError
from cosim.notes import scenario_notes
from cosim.population import resolve
from cosim.region.year import live_year
from cosim.relief import measures_of
from cosim.relief_spec import Measure as MeasureName
from cosim.relief_spec import ReliefSpec
from cosim.run import run_ensemble
from feeders import load_feeder
from feeders.head import head_rating_kva
from tests.cosim.device_cases import case, homes_scenario
from tests.cosim.loop_cases import finished

Array = npt.NDArray[np.float64]

ROOT = Path(__file__).parents[2]

COLUMNS = ("p_meter_kw", "p_battery_kw", "p_ev_kw", "p_hp_kw", "q_tes_kw", "tes_kwh", "ev_owed_kwh", "heat_owed_kwh")
THRESHOLD_KW = 10.0
MEASURES: dict[str, Measure] = {"cur-a": CurA(), "cur-b": CurB(), "pro-a": ProA(), "pro-b": ProB()}


def relief(*measures: str, **more: Any) -> dict[str, Any]:
    return {"relief.measures": measures, "relief.threshold_kw": THRESHOLD_KW, "record": COLUMNS} | {
        f"relief.{name}": value for name, value in more.items()
    }


@pytest.mark.parametrize("control_step_min", [15, 1])
def test_a_day_of_self_consumption_is_that_of_the_years_kernel(control_step_min: int) -> None:
    """Where no rule acts nothing changes within a market step, however many control steps it has."""
    model = finished(homes_scenario({"record": COLUMNS, "control_step_min": control_step_min}))
    year = live_year(case(), threshold_kw=THRESHOLD_KW, columns=True)
    every = 15 // control_step_min
    for name, expected in (
        ("p_meter_kw", year.dispatch.p_meter_kw),
        ("p_battery_kw", year.dispatch.p_battery_kw),
        ("q_tes_kw", year.dispatch.q_tes_kw),
    ):
        assert expected is not None
        assert np.abs(expected).max() > 1.0
        lived = model.record.column(name)
        np.testing.assert_allclose(lived[::every], expected, rtol=0, atol=1e-9)
        np.testing.assert_allclose(lived[every - 1 :: every], expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("measures", "forecast"),
    [
        *(((name,), "perfect") for name in MEASURES),
        (tuple(MEASURES), "perfect"),
        (tuple(MEASURES), "noisy"),
        (tuple(MEASURES), "persistence"),
    ],
)
def test_measures_do_what_they_do_in_a_regions_year(measures: tuple[str, ...], forecast: str) -> None:
    error = {"forecast_error": 0.3} if forecast == "noisy" else {}
    model = finished(homes_scenario(relief(*measures, forecast=forecast, **error)))
    known = {"perfect": PerfectDayAhead(), "noisy": NoisyDayAhead(0.3, 1), "persistence": PersistenceDayAhead()}
    asked = [MEASURES[name] for name in measures]
    year = live_year(case(), asked, threshold_kw=THRESHOLD_KW, day_ahead=known[forecast], columns=True)
    alone = live_year(case(), threshold_kw=THRESHOLD_KW, columns=True)
    assert year.dispatch.p_meter_kw is not None
    assert alone.dispatch.p_meter_kw is not None
    assert np.abs(year.dispatch.p_meter_kw - alone.dispatch.p_meter_kw).max() > 0.5  # something was asked
    np.testing.assert_allclose(model.record.column("p_meter_kw"), year.dispatch.p_meter_kw, rtol=0, atol=1e-9)
    np.testing.assert_allclose(model.record.column("p_ev_kw"), year.inputs.p_ev_kw, rtol=0, atol=1e-9)
    assert model.device_books is not None
    waited = model.device_books.comfort().to_numpy()[:, 2:]  # heat; cars of one step's sessions miss in each
    expected = year.comfort[["heat_deferred_kwh", "heat_delay_h", "heat_owed_max_kwh"]].to_numpy()
    np.testing.assert_allclose(waited, expected, rtol=0, atol=1e-9)


def test_parameters_of_measures_reach_them() -> None:
    spec = {
        "measures": ("cur-a", "cur-b", "pro-a", "pro-b"),
        "cur_a": {"cap_kw": 4.2},
        "cur_b": {"heat_cap": 0.4, "hours": 1.0, "makeup_h": 3.0, "start": "residual"},
        "pro_a": {"hours": 3.0, "capped": False},
        "pro_b": {"between": True},
    }
    expected = [CurA(4.2), CurB(0.4, 1.0, 3.0, "residual"), ProA(3.0, None), ProB(between=True)]
    assert measures_of(ReliefSpec.model_validate(spec)) == expected


def test_heat_is_cut_from_what_the_other_measures_leave() -> None:
    changes = {"relief.threshold_kw": 12.0, "relief.cur_b.start": "residual", "days": 1}
    model = finished(homes_scenario(relief("pro-a", "pro-b", "cur-b") | changes))
    year = live_year(case(), [ProA(), ProB(), CurB(start="residual")], threshold_kw=12.0, columns=True)
    last = model.reliefs[0].last
    assert last is not None
    assert year.dispatch.p_meter_kw is not None
    assert year.outlook.residual_onset[0] not in (96, year.outlook.onset[0])  # else there was nothing to tell apart
    np.testing.assert_array_equal(last.outlook.residual_onset, year.outlook.residual_onset[:1])
    np.testing.assert_allclose(model.record.column("p_meter_kw"), year.dispatch.p_meter_kw[:96], rtol=0, atol=1e-9)


def test_stores_of_some_leave_room_for_what_others_plan() -> None:
    """ProA fills up to a share of the threshold, with the battery of a home that plans against the price in it."""
    mixed = {
        "prosumers.roof.strategy": "arbitrage",
        "prosumers.roof.energy_start_kwh": 8.0,
        "relief.pro_a.cap_share": 0.3,
    }
    cap_kw = 0.3 * THRESHOLD_KW
    model = finished(homes_scenario(relief("pro-a") | mixed | {"days": 1}))
    alone = finished(homes_scenario(relief("pro-a") | mixed | {"days": 1, "relief.threshold_kw": 1e6}))
    last = model.reliefs[0].last
    assert last is not None
    steps = np.flatnonzero(last.directives.charge_from_grid)
    load, before = (m.record.column("p_meter_kw").sum(axis=1)[steps] for m in (model, alone))
    assert (np.abs(model.record.column("p_battery_kw")[steps, 3]) > 0.1).any()
    assert (before < cap_kw).any()
    assert (load[before < cap_kw] <= cap_kw + 1e-9).all()
    assert np.isclose(load, cap_kw).any()
    assert (load > before + 0.1).any()


def test_measures_and_a_rule_live_side_by_side() -> None:
    """The hybrid rule takes power from batteries; books close all the while (`CoSimulation` raises else)."""
    strained = {
        "voltage": {"vm_min_pu": 0.9995, "dead_pu": 0.0002, "vm_max_pu": 1.0005},
        "rule": "hybrid",
        "control_step_min": 5,
    }
    model = finished(homes_scenario(relief(*MEASURES) | strained | {"record": (*COLUMNS, "status", "p_curtailed_kw")}))
    free = finished(homes_scenario(relief(*MEASURES) | {"control_step_min": 5}))
    moved = np.abs(model.record.column("p_battery_kw") - free.record.column("p_battery_kw")).max(axis=0)
    assert moved[0] > 0.1  # the home with everything
    np.testing.assert_array_equal(model.record.column("p_ev_kw"), free.record.column("p_ev_kw"))
    p = model.population
    np.testing.assert_array_less(-1e-9, p.tes_kwh)
    assert model.ledger.cost.all()


def test_books_that_do_not_close_are_an_error() -> None:
    for column, what in (
        ("tes_kwh", "heat in the store"),
        ("ev_owed_kwh", "energy of the car"),
        ("heat_owed_kwh", "heat of the home"),
        ("p_hp_kw", "heat of the home"),
    ):
        model = CoSimulation(homes_scenario())
        model.step()
        own = model.population.deliver

        def leaky(step_h: float, own: Any = own, model: Any = model, column: str = column) -> None:
            own(step_h)
            getattr(model.population, column)[0] += 1e-6

        model.population.deliver = leaky  # type: ignore[method-assign]
        with pytest.raises(LedgerError, match=rf"{what} of prosumer 'all' does not close"):
            model.step()


@pytest.mark.parametrize("changes", [{}, {"relief.cur_b.start": "residual", "relief.forecast": "persistence"}])
def test_a_run_goes_on_from_midnight_to_the_last_bit(changes: dict[str, Any]) -> None:
    scenario = homes_scenario(relief(*MEASURES) | {"rule": "hybrid"} | changes)
    straight, first, second = (CoSimulation(scenario) for _ in range(3))
    straight.run()
    for _ in range(96):
        first.step()
    if not changes:  # what is owed at midnight must come along
        assert first.population.ev_owed_kwh.max() > 0.1
        assert first.population.heat_owed_kwh.max() > 0.01
    second.restore({name: np.array(value) for name, value in first.state().items()})
    second.run()
    for name, value in straight.state().items():
        np.testing.assert_array_equal(second.state()[name], value, err_msg=name)


def test_scenarios_in_lock_step_live_as_alone() -> None:
    """Each has an operator of its own, or none, and one has nobody with devices."""
    plain: dict[str, Any] = {"prosumers.*.ev_charger_kw": 0.0, "prosumers.*.tes_kwh": 0.0, "prosumers.*.hp_kw": 0.0}
    plain |= {"prosumers.*.strategy": "arbitrage", "record": COLUMNS}
    scenarios = [
        homes_scenario(relief("cur-a", "pro-a", "pro-b")),
        homes_scenario(plain),
        homes_scenario(relief("cur-b") | {"relief.threshold_kw": 3.0}),
        homes_scenario({"record": COLUMNS}),
    ]
    for together, alone in zip(run_ensemble(scenarios), map(finished, scenarios), strict=True):
        np.testing.assert_array_equal(together.frames, alone.record.frames)
        if alone.device_books is None:
            assert together.comfort is None
        else:
            assert together.comfort is not None
            pd.testing.assert_frame_equal(together.comfort.set_index("prosumer"), alone.device_books.comfort())


def test_columns_of_devices_are_kept_where_they_are_asked_for(tmp_path: Path) -> None:
    scenario = homes_scenario(relief(*MEASURES) | {"days": 1, "record_every": 4})
    kept = run(scenario, folder=tmp_path / "r", references=False)
    assert list(kept.timeseries.columns) == ["time", "prosumer", "bus", *sorted(COLUMNS, key=_place)]
    again, model = Run.load(tmp_path / "r"), finished(scenario)
    np.testing.assert_array_equal(again.column("tes_kwh"), model.record.column("tes_kwh"))
    assert again.comfort is not None
    assert model.device_books is not None
    assert again.comfort["heat_deferred_kwh"].max() > 0.1
    pd.testing.assert_frame_equal(again.comfort.set_index("prosumer"), model.device_books.comfort())
    assert "tes_kwh" not in Scenario().record


def _place(name: str) -> int:
    return ("p_battery_kw", "p_meter_kw", *COLUMNS[2:]).index(name)


def test_who_has_no_such_thing_pays_nothing_for_it() -> None:
    model = CoSimulation()
    assert model.population.devices is None
    assert model.rows.signals.devices is None
    assert model.device_books is None
    assert not any(name.startswith("device") for name in model.state())


def test_a_home_that_does_not_optimise_leaves_its_stores_alone() -> None:
    model = finished(homes_scenario({"record": COLUMNS, "days": 1, "prosumers.*.optimise": False}))
    assert not model.record.column("p_battery_kw").any()
    assert not model.record.column("q_tes_kw").any()
    assert model.record.column("p_hp_kw")[:, 0].any()


def test_the_threshold_is_a_share_of_the_head_transformer() -> None:
    """The village has one, of 400 kVA; CIGRE's low voltage three side by side, 500, 150 and 300 kVA."""
    model = CoSimulation(homes_scenario({"relief.threshold_share": 0.25}))
    assert model.reliefs[0].threshold_kw == 100.0
    assert head_rating_kva(load_feeder("cigre-lv")) == pytest.approx(950.0)
    assert np.isnan(head_rating_kva(load_feeder("four-bus")))


def test_the_shipped_scenario_is_the_one_that_its_document_shows() -> None:
    """Its measures leave no congested quarter-hour; its homes left alone have ten or so each evening."""
    document = (ROOT / "docs" / "relief.md").read_text()
    (shown,) = re.findall(r"```toml\n(.*?)```", document, flags=re.DOTALL)
    scenario = Scenario.from_toml(ROOT / "experiments" / "scenarios" / "relief.toml")
    assert ReliefSpec.model_validate(tomllib.loads(shown)["relief"]) == scenario.relief
    assert re.findall(r"^\| `([a-z-]+)` \|", document, flags=re.MULTILINE) == list(get_args(MeasureName))
    assert scenario.relief is not None
    limit_kw = (scenario.relief.threshold_kw or 0.0) * (1 + 1e-6)
    alone = {"relief.threshold_kw": 1e6, "population.optimise_share": 0.0}
    asked, left = (finished(scenario.changed({"record": ("p_meter_kw",), **changes})) for changes in ({}, alone))
    beyond = [int((m.record.column("p_meter_kw").sum(axis=1) > limit_kw).sum()) for m in (asked, left)]
    assert beyond[0] == 0
    assert beyond[1] >= 20


def test_a_population_has_chargers_heat_pumps_and_stores() -> None:
    """Shares within four standard deviations of 2,000 draws; hot-water storage only with PV and a heat pump."""
    drawn = Scenario.from_toml(ROOT / "experiments" / "scenarios" / "relief.toml").changed(
        {"population.n": 2000, "population.tes_share": 0.5, "population.self_consumption_share": 0.25}
    )
    people = resolve(drawn).prosumers
    with_both = [p for p in people if p.pv_kwp and p.hp_kw]
    for share, members, whole in (
        (0.2, [p for p in people if p.ev_charger_kw == 11.0], people),
        (0.6, [p for p in people if p.hp_kw == 2.5], people),
        (0.25, [p for p in people if p.strategy == "self-consumption"], people),
        (0.5, [p for p in with_both if p.tes_kwh == 11.6], with_both),
        (0.25, [p for p in people if p.heat_profile == "Soil_Alternative_1"], people),
        (0.5, [p for p in people if p.ev_profile == "HLS_B_11.0"], people),
    ):
        n = len(whole)
        assert abs(len(members) - share * n) < 4 * np.sqrt(n * share * (1 - share))
    assert all(p.pv_kwp and p.hp_kw for p in people if p.tes_kwh)
    without = resolve(drawn.changed({"population.ev_share": 0.0})).prosumers
    assert all(old.model_copy(update={"ev_charger_kw": 0.0}) == new for old, new in zip(people, without, strict=True))


def test_notes_say_who_is_not_asked() -> None:
    scenario = homes_scenario(
        relief("cur-a", "cur-b", "pro-b") | {"prosumers.*.ev_charger_kw": 0.0, "prosumers.*.strategy": "arbitrage"}
    )
    idle, nobody = scenario_notes(scenario)
    assert idle == "hot-water storage of 1 prosumers stays idle: their strategy is arbitrage"
    assert nobody == "relief by cur-a, pro-b has nobody to ask"
