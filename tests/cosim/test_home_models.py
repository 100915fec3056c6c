"""Cars with a battery and rooms with a temperature in the loop: they live what fleets of them do; books close."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from agents.prosumer.car import charge_on_arrival
from agents.prosumer.fleet import Fleet
from agents.prosumer.own_profiles import rooms_of
from cosim import CoSimulation, Scenario, run
from cosim.build import build_signals
from cosim.home_models import cars_of, outdoor_c
from cosim.ledger import LedgerError
from cosim.population import resolve
from cosim.run import run_ensemble
from tests.cosim.device_cases import homes_scenario
from tests.cosim.loop_cases import finished

Array = npt.NDArray[np.float64]

COLUMNS = ("p_load_kw", "p_ev_kw", "p_hp_kw", "ev_kwh", "room_c", "ev_owed_kwh", "price_buy")
CARS: dict[str, Any] = {
    "prosumers.car.ev_kwh": 40.0,
    "prosumers.all.ev_kwh": 60.0,
    "prosumers.all.ev_trip_kwh": 25.0,
    "prosumers.all.ev_returns_h": 18.5,
}
ROOMS: dict[str, Any] = {
    "prosumers.all.tes_kwh": 0.0,
    "prosumers.all.room_r_k_per_kw": 2.0,
    "prosumers.heat.room_r_k_per_kw": 3.0,
    "prosumers.heat.set_point_c": 21.0,
    "prosumers.heat.hp_ramp": 0.005,  # binds
}


def scenario(*changes: dict[str, Any], **more: Any) -> Scenario:
    whole: dict[str, Any] = {"record": COLUMNS, **more}
    for each in changes:
        whole |= each
    return homes_scenario(whole)


def test_a_car_charges_as_a_fleets_car_and_a_room_is_a_fleets_room() -> None:
    """Midnight in Germany is the start, five days, the clock does not change: hours run from 0."""
    lived = scenario(CARS, ROOMS)
    model = finished(lived)
    p_kw, energy_kwh = charge_on_arrival(cars_of(lived.prosumers), 5 * 96, 0.25)
    np.testing.assert_allclose(model.record.column("p_ev_kw")[:, :2], p_kw, atol=1e-9)
    np.testing.assert_allclose(model.record.column("ev_kwh")[:, :2], energy_kwh, atol=1e-9)
    assert p_kw.max(axis=0).tolist() == [11.0, 11.0]
    outside = outdoor_c(lived, 0, 5 * 96)
    assert outside is not None
    fleet = Fleet(
        names=["all", "heat"],
        bus=np.zeros(2, dtype=np.int64),
        **dict.fromkeys(("pv_kw", "battery_kw", "ev_kw"), np.zeros(2)),  # type: ignore[arg-type]
        hp_kw=np.array([3.0, 4.0]),
        hp_unit_kw=np.array([3.0, 4.0]),
        r_k_per_kw=np.array([2.0, 3.0]),
        set_point_c=np.array([22.5, 21.0]),
        hp_ramp=np.array([0.3, 0.005]),
    )
    power, room_c = rooms_of(fleet).thermostat(fleet.set_point_c, outside[:, 0], 0.25)
    np.testing.assert_allclose(model.record.column("p_hp_kw")[:, [0, 2]], power, atol=1e-9)
    np.testing.assert_allclose(model.record.column("room_c")[:, [0, 2]], room_c, atol=1e-9)
    assert 31.9 < outside.max() <= 32.0
    assert np.abs(room_c[:, 1] - 21.0).max() > 0.1
    assert power[:, 0].max() == pytest.approx(1.9, abs=0.01)  # 9.5 K over 2 K/kW and a COP of 2.5


def test_the_load_is_the_homes_own_with_car_and_heat_pump() -> None:
    model, bare = (
        finished(scenario(CARS, ROOMS, days=1)),
        finished(
            scenario({"prosumers.*.ev_charger_kw": 0.0, "prosumers.*.tes_kwh": 0.0, "prosumers.*.hp_kw": 0.0}, days=1)
        ),
    )
    added = model.record.column("p_ev_kw") + model.record.column("p_hp_kw")
    np.testing.assert_allclose(model.record.column("p_load_kw") - added, bare.record.column("p_load_kw"), atol=1e-12)


def test_the_cheapest_steps_before_departure_are_charged_in() -> None:
    """Against all ways to fill one night: the cost of the cheapest steps, known from the sorted prices themselves."""
    model = finished(scenario(CARS, {"prosumers.car.ev_charging": "cheapest"}, days=3))
    eager = finished(scenario(CARS, days=3))
    price, power = model.record.column("price_buy")[:, 1], model.record.column("p_ev_kw")[:, 1]
    night = slice(17 * 4, 24 * 4 + 9 * 4)  # from 17 h to 9 h of the day after
    assert power[night].sum() * 0.25 * 0.95 == pytest.approx(10.0)
    each_kwh = np.minimum(np.maximum(10 / 0.95 - 2.75 * np.arange(64), 0.0), 2.75)
    assert power[night] @ price[night] * 0.25 == pytest.approx(np.sort(price[night]) @ each_kwh)
    soon = eager.record.column("p_ev_kw")[night, 1] @ price[night] * 0.25
    assert power[night] @ price[night] * 0.25 < 0.9 * soon
    np.testing.assert_array_equal(model.record.column("p_ev_kw")[:, 0], eager.record.column("p_ev_kw")[:, 0])
    assert model.record.column("ev_kwh")[9 * 4 - 1 :: 96, 1] == pytest.approx([36.0] * 3)  # 90 % at each departure


@pytest.mark.parametrize("charging", ["arrival", "cheapest"])
def test_days_of_a_long_run_are_those_of_the_whole(charging: str) -> None:
    """The window of signals moves after three days; whoever has all of them at once sees the same."""
    lived = scenario(CARS, ROOMS, {"prosumers.*.ev_charging": charging})
    whole = build_signals(lived).devices
    assert whole is not None
    for first in (96, 2 * 96, 3 * 96 + 7):
        part = build_signals(lived, first, 96).devices
        assert part is not None
        for name, values in vars(part).items():
            np.testing.assert_allclose(values, getattr(whole, name)[first : first + 96], atol=1e-9, err_msg=name)


def test_caps_leave_cars_short_and_rooms_warm_for_a_while() -> None:
    asked = {"relief.measures": ("cur-a", "cur-b"), "relief.threshold_kw": 4.0, "relief.cur_b.heat_cap": 0.1}
    asked["relief.forecast"] = "perfect"
    model, free = finished(scenario(CARS, ROOMS, asked)), finished(scenario(CARS, ROOMS))
    ev, room = model.record.column("ev_kwh"), model.record.column("room_c")
    assert (ev[:, :2] < free.record.column("ev_kwh")[:, :2] - 1.0).any()
    assert room[:, 0].max() > 22.7 > 22.51 > free.record.column("room_c")[:, 0].max()
    assert model.device_books is not None
    comfort = model.device_books.comfort()
    assert comfort["room_off_max_k"]["all"] == pytest.approx(np.abs(room[:, 0] - 22.5).max())
    assert comfort["ev_delay_h"]["car"] > 0
    assert comfort["heat_deferred_kwh"].tolist() == [0.0] * 5  # a thermostat sees what is missing


def test_a_car_that_is_away_is_given_nothing_and_stays_owed() -> None:
    night = {"prosumers.car.ev_leaves_h": 0.25, "prosumers.car.ev_trip_kwh": 20.0, "relief.cur_a.cap_kw": 0.5}
    asked = {"relief.measures": ("cur-a",), "relief.threshold_kw": 4.0, "relief.forecast": "perfect"}
    model = finished(scenario(CARS, asked, night, days=2))
    power, owed = model.record.column("p_ev_kw")[:, 1], model.record.column("ev_owed_kwh")[:, 1]
    away = slice(96 + 1, 96 + 17 * 4)
    assert owed[away.start] > 5.0
    assert (power[away] == 0.0).all()
    assert owed[-1] > owed[away.start]  # a day's driving more, and capped again


@pytest.mark.parametrize(
    ("column", "what", "row"), [("ev_kwh", "energy in the car", "all"), ("room_c", "heat in the room", "all")]
)
def test_books_that_do_not_close_are_an_error(column: str, what: str, row: str) -> None:
    model = CoSimulation(scenario(CARS, ROOMS))
    model.step()
    own = model.population.deliver

    def leaky(step_h: float) -> None:
        own(step_h)
        getattr(model.population, column)[0] += 1e-6

    model.population.deliver = leaky  # type: ignore[method-assign]
    with pytest.raises(LedgerError, match=rf"{what} of prosumer '{row}' does not close"):
        model.step()


def test_a_run_goes_on_from_midnight_to_the_last_bit() -> None:
    asked = {"relief.measures": ("cur-a", "cur-b"), "relief.threshold_kw": 4.0, "relief.forecast": "perfect"}
    lived = scenario(CARS, ROOMS, asked, {"prosumers.car.ev_charging": "cheapest", "prosumers.all.hp_ramp": 0.02})
    straight, first, second = (CoSimulation(lived) for _ in range(3))
    straight.run()
    for _ in range(96):
        first.step()
    second.restore({name: np.array(value) for name, value in first.state().items()})
    second.run()
    for name, value in straight.state().items():
        np.testing.assert_array_equal(second.state()[name], value, err_msg=name)


def test_scenarios_in_lock_step_live_as_alone() -> None:
    scenarios = [scenario(CARS, days=2), scenario(ROOMS, days=2), scenario(days=2)]
    for together, alone in zip(run_ensemble(scenarios), map(finished, scenarios), strict=True):
        np.testing.assert_array_equal(together.frames, alone.record.frames)
        assert together.comfort is not None
        assert alone.device_books is not None
        pd.testing.assert_frame_equal(together.comfort.set_index("prosumer"), alone.device_books.comfort())


def test_an_outdoor_profile_is_a_column_of_the_file(tmp_path: Path) -> None:
    times = pd.date_range("2016-10-18T22:00Z", periods=24, freq="h")
    cold = -5 + np.arange(24) / 10
    table = pd.DataFrame({"load": 0.3, "none": 0.0, "outside": cold}, index=times.strftime("%Y-%m-%dT%H:%M:%SZ"))
    table.rename_axis("time").to_csv(tmp_path / "p.csv")
    own = {"prosumers.*.load_profile": "load", "prosumers.*.pv_profile": "none", "prosumers.*.ev_charger_kw": 0.0}
    own |= {"profiles_file": str(tmp_path / "p.csv"), "prosumers.*.outdoor_profile": "outside", "days": 1}
    model = finished(scenario(ROOMS, own | {"prosumers.all.room_r_k_per_kw": 4.0}))
    wanted = (22.5 - np.repeat(cold, 4)) / 4.0 / 2.5  # heated: what goes out, over resistance and COP
    np.testing.assert_allclose(model.record.column("p_hp_kw")[:, 0], wanted, atol=1e-9)


def test_a_population_has_cars_and_rooms(tmp_path: Path) -> None:
    drawn = Scenario.from_dict(
        {
            "feeder": {"name": "cigre-lv"},
            "population": {
                "n": 200,
                "ev_share": 0.5,
                "ev_kwh": 50.0,
                "ev_leaves_h": {"kind": "uniform", "low": 7.0, "high": 9.0},
                "ev_returns_h": {"kind": "uniform", "low": 16.0, "high": 19.0},
                "ev_charging": "cheapest",
                "hp_share": 0.5,
                "room_r_k_per_kw": 4.0,
            },
        }
    )
    people = resolve(drawn).prosumers
    owners = [p for p in people if p.ev_charger_kw]
    assert {p.ev_kwh for p in owners} == {50.0}
    assert all(7 <= p.ev_leaves_h <= 9 and 16 <= p.ev_returns_h <= 19 for p in owners)
    assert len({p.ev_leaves_h for p in owners}) == len(owners)
    assert all((p.ev_kwh > 0) == (p.ev_charger_kw > 0) and (p.room_r_k_per_kw > 0) == (p.hp_kw > 0) for p in people)
    few = drawn.changed({"population.n": 5, "population.ev_share": 1.0, "population.hp_share": 1.0})
    kept = run(few, folder=tmp_path / "r", references=False)
    assert kept.comfort is not None
    assert "room_off_max_k" in kept.comfort


def test_the_shipped_scenario_shows_the_herd_that_its_document_tells_of() -> None:
    root = Path(__file__).parents[2]
    shipped = Scenario.from_toml(root / "experiments" / "scenarios" / "cars_and_rooms.toml").changed({"days": 2})
    soon = shipped.changed({"population.ev_charging": "arrival"})
    together, spread = (finished(s).record.column("p_ev_kw")[96:].sum(axis=1) for s in (shipped, soon))
    document = (root / "docs" / "relief.md").read_text()
    assert together.argmax() == 0  # midnight, where the price falls
    assert f"draw {spread.max():.0f} kW at most" in document
    assert f"and {together.max():.0f} kW at midnight" in document
