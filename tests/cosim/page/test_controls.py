"""The page's controls: they begin with the scenario as it is, take nothing else than they say, and do what they say."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandapower as pp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cosim
from agents.prosumer import RULES
from cosim import ProsumerSpec, Scenario
from cosim.data import extract_days
from cosim.page import controls
from cosim.page.controls import Board, Control, Settings
from cosim.page.given import default_scenario
from cosim.population import resolve
from cosim.tariff import PRESETS, SyntheticTariff
from cosim.validation import require_valid
from feeders import FEEDERS, load_feeder
from feeders.errors import InputError, InputErrors

SCENARIOS = Path(cosim.__file__).parents[1] / "experiments" / "scenarios"
FOUR_BUS, VILLAGE, HERD = (Scenario.from_toml(SCENARIOS / f"{name}.toml") for name in ("four_bus", "village", "herd"))

ON_OTHER_BUSES = {"population.placement": "given", "population.buses": [10, 20, 30]}
OWN_TARIFF = {"kind": "time-of-use", "preset": "day-night", "kappa": 1 / 3, "fixed_per_day": 0.2}

BASES: Mapping[str, Scenario] = {
    "four-bus": FOUR_BUS,
    "village": VILLAGE,
    "herd": HERD,
    "page's own": default_scenario(),
    "given buses, kappa off the grid": VILLAGE.changed({**ON_OTHER_BUSES, "tariff.kappa": 1 / 3}),
    "nothing owned": FOUR_BUS.changed({"prosumers.*.pv_kwp": 0.0, "prosumers.*.battery_kwh": 0.0}),
    "tiny and huge": FOUR_BUS.changed({"prosumers.*.pv_kwp": 3e-5, "prosumers.*.battery_kwh": 7e4}),
    "a fixed charge": FOUR_BUS.changed({"tariff": OWN_TARIFF, "seed": 2**62}),
    "two inverters": FOUR_BUS.changed({"prosumers.*.pv_inverter_kva": 2.0, "prosumers.home-3.battery_min_kwh": 0.4}),
    "three days": FOUR_BUS.changed({"days": 3}),
    "any date": FOUR_BUS.changed({"profiles": "repeated", "start": datetime(2019, 3, 3, 5, tzinfo=UTC)}),
}
BOARDS = {name: Board(base) for name, base in BASES.items()}


def moved(board: Board, **values: Any) -> Settings:
    at = board.initial
    for name, value in values.items():
        at = board.changed(at, name, value)
    return at


@pytest.mark.parametrize("name", BASES)
def test_where_they_stand_at_first_the_scenario_is_the_given_one(name: str) -> None:
    board = BOARDS[name]
    assert board.scenario(board.initial) == resolve(BASES[name])
    for control in board.controls.values():  # and each stands where it may stand, and stays there when it is sent back
        value = getattr(board.initial, control.name)
        assert board.changed(board.initial, control.name, value) == board.initial
        assert value in control.choices if control.kind == "choice" else control.low <= value <= control.high


@pytest.mark.parametrize("name", BASES)
def test_what_is_moved_and_moved_back_is_as_it_was(name: str) -> None:
    board = BOARDS[name]
    at = moved(board, kappa=0.55, seed=3, share_percent=40, pv_kwp=0)
    assert board.scenario(at) != board.scenario(board.initial)
    for control in ("kappa", "seed", "share_percent", "pv_kwp"):
        at = board.changed(at, control, getattr(board.initial, control))
    assert board.scenario(at) == resolve(BASES[name])


def test_there_is_a_control_for_every_setting() -> None:
    for board in BOARDS.values():
        assert set(board.controls) == {field.name for field in fields(Settings)}
        assert all(control.help and control.label for control in board.controls.values())
    board = BOARDS["four-bus"]
    assert set(board.controls["feeder"].choices) == set(FEEDERS)
    assert board.controls["rule"].choices == tuple(RULES)
    assert board.controls["other_rule"].choices == ("", *RULES)
    assert set(board.controls["tariff"].choices) == {"flat", "synthetic real-time", *PRESETS}
    assert len(board.controls["day"].choices) == len(extract_days()) == 28


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["prc", "", "NaN", "1"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
AROUND = st.one_of(
    st.floats(-1, 25), st.integers(-2, 10_001), st.sampled_from([10**400, -(10**400), math.nan, math.inf])
)


@given(name=st.sampled_from(sorted(Settings.__annotations__)) | JSON, value=JSON | AROUND)
@settings(max_examples=300, deadline=None)
def test_whatever_is_sent_is_a_setting_within_its_bounds_or_refused(name: Any, value: Any) -> None:
    board = BOARDS["village"]
    try:
        at = board.changed(board.initial, name, value)
    except InputError as error:
        assert str(error) and len(str(error)) < 5000 and error.allowed
        return
    control, found = board.controls[name], getattr(at, name)
    assert replace(at, **{name: getattr(board.initial, name)}) == board.initial
    assert type(found) is type(getattr(board.initial, name))
    if control.kind == "choice":
        assert found == value and found in control.choices
    else:
        assert not isinstance(value, bool) and control.low <= found <= control.high
        assert abs(found - value) <= 0.5001 * control.step


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rule", "PRC"),
        ("rule", ["prc"]),
        ("pv_kwp", "5"),
        ("pv_kwp", True),
        ("pv_kwp", math.nan),
        ("pv_kwp", math.inf),
        ("pv_kwp", -0.1),
        ("pv_kwp", 1e9),
        ("pv_kwp", None),
        ("seed", 1.5),
        ("seed", -1),
        ("day", 3),
        ("feeder", "../../etc/passwd"),
        ("feeder", "1-LV-rural1--0-sw"),
        ("share_percent", 101),
        ("kappa", 1.2),
        ("mode", ""),
        ("__class__", "prc"),
        ("nobody", 1),
        (["rule"], "prc"),
        (None, None),
    ],
)
def test_what_is_not_allowed_is_refused_in_words(name: Any, value: Any) -> None:
    board = BOARDS["village"]
    with pytest.raises(InputError, match=r"^page: .*allowed: ") as caught:
        board.changed(board.initial, name, value)
    control = board.controls.get(name) if isinstance(name, str) else None
    for word in control.choices if control else board.controls:
        assert word in caught.value.allowed
    if control and control.kind == "number":
        assert f"from {control.low:g} to {control.high:g}" in caught.value.allowed


def test_a_number_too_long_to_be_written_is_refused_like_any_other() -> None:
    for name in ("seed", "kappa", "rule"):
        with pytest.raises(InputError, match="a huge number"):
            BOARDS["village"].changed(BOARDS["village"].initial, name, 10**5000)


def positions(control: Control) -> st.SearchStrategy[Any]:
    if control.kind == "choice":
        return st.sampled_from(control.choices)
    if control.whole:
        return st.integers(0, int(control.high))
    return st.floats(control.low, control.high)


@given(data=st.data(), base=st.sampled_from(sorted(BASES)))
@settings(max_examples=40, deadline=None)
def test_wherever_the_controls_are_moved_there_is_a_scenario_or_a_reason(data: Any, base: str) -> None:
    board = BOARDS[base]
    at = board.initial
    for name in data.draw(st.lists(st.sampled_from(sorted(board.controls)), max_size=6)):
        at = board.changed(at, name, data.draw(positions(board.controls[name]), label=name))
    try:
        scenario = board.scenario(at)
    except InputErrors as errors:
        assert errors.errors
        return
    assert require_valid(scenario) == scenario and scenario.prosumers
    assert (scenario.rule, scenario.mode, scenario.seed) == (at.rule, at.mode, at.seed)
    again = Scenario.from_dict(tomllib.loads(scenario.to_toml()))
    assert resolve(again).prosumers == scenario.prosumers  # what it names is what it is, also when it is saved


def test_live_are_rules_and_prices_and_all_others_wait() -> None:
    board = BOARDS["village"]
    assert {name for name, control in board.controls.items() if control.live} == {
        "rule",
        "other_rule",
        "kappa",
        "tariff",
    }
    running = board.initial
    wanted = moved(board, rule="anrc", tariff="evening-peak", kappa=0.3, pv_kwp=7, seed=9)
    assert board.needs_reset(running, wanted) == ["PV", "Seed"]
    assert board.applied(running, wanted) == replace(wanted, pv_kwp=running.pv_kwp, seed=running.seed)
    assert board.needs_reset(board.applied(running, wanted), wanted) == ["PV", "Seed"]
    assert board.needs_reset(running, running) == []
    for there, later, waits in (("prc", "", True), ("", "prc", True), ("prc", "anrc", False)):
        at, to = replace(running, other_rule=there), replace(running, other_rule=later)
        assert board.needs_reset(at, to) == (["Beside it"] if waits else [])
        assert board.applied(at, to) == (at if waits else to)


@pytest.mark.parametrize("base", ["a fixed charge", "herd"])
def test_prices_wait_where_a_charge_or_an_operator_depends_on_them(base: str) -> None:
    board = BOARDS[base]
    assert not board.controls["tariff"].live and not board.controls["kappa"].live
    wanted = moved(board, tariff="evening-peak", kappa=0.7)
    assert board.needs_reset(board.initial, wanted) == ["Kappa", "Tariff"]
    assert board.applied(board.initial, wanted) == board.initial


def owned(homes: tuple[ProsumerSpec, ...], name: str) -> np.ndarray[Any, Any]:
    return np.array([getattr(home, name) for home in homes], dtype=float)


def test_sizes_grow_by_one_factor_and_inverters_with_what_is_behind_them() -> None:
    board = BOARDS["village"]
    base, at = board.base.prosumers, moved(board, pv_kwp=12.2, battery_kwh=3.2, inverter_factor=2.2)
    homes = board.scenario(at).prosumers
    pv, battery, kva = (owned(base, name) for name in ("pv_kwp", "battery_kwh", "inverter_kva"))
    mean_pv, mean_battery = pv[pv > 0].mean(), battery[battery > 0].mean()
    assert (board.initial.pv_kwp, board.initial.battery_kwh) == (round(mean_pv, 1), round(mean_battery, 1))
    np.testing.assert_allclose(owned(homes, "pv_kwp"), pv * 12.2 / mean_pv)
    np.testing.assert_allclose(owned(homes, "battery_kwh"), battery * 3.2 / mean_battery)
    # The village's inverters are 1.1 times the larger of PV and battery power, here 0.5 kW per kWh.
    np.testing.assert_allclose(kva, 1.1 * np.maximum(pv, 0.5 * battery))
    larger = np.maximum(owned(homes, "pv_kwp"), 0.5 * owned(homes, "battery_kwh"))
    np.testing.assert_allclose(owned(homes, "inverter_kva"), 2.2 * larger)
    same = {name for name in ProsumerSpec.model_fields if name not in ("pv_kwp", "battery_kwh", "inverter_kva")}
    assert [h.model_dump(include=same) for h in homes] == [h.model_dump(include=same) for h in base]


def test_two_inverters_and_a_battery_with_a_floor_keep_their_proportions() -> None:
    board = BOARDS["two inverters"]
    home = board.scenario(moved(board, pv_kwp=5, battery_kwh=4)).prosumers[1]
    # As given: 2.5 kWp behind 2 kVA, 1 kWh (0.5 kW) with a floor of 0.4 kWh behind 3 kVA.
    assert (home.pv_inverter_kva, home.inverter_kva) == pytest.approx((4.0, 12.0))
    assert (home.battery_kwh, home.battery_min_kwh) == pytest.approx((4.0, 1.6))


def test_where_nobody_has_any_all_get_the_same() -> None:
    board = BOARDS["nothing owned"]
    homes = board.scenario(moved(board, pv_kwp=6, inverter_factor=1.5)).prosumers
    assert {(h.pv_kwp, h.battery_kwh, h.inverter_kva) for h in homes} == {(6.0, 0.0, 9.0)}


@pytest.mark.parametrize("base", ["four-bus", "page's own"])
def test_the_share_is_of_homes_that_are_prosumers_and_grows_by_joining(base: str) -> None:
    board = BOARDS[base]
    before: set[str] = set()
    for percent in range(0, 101, 10):
        homes = board.scenario(moved(board, share_percent=percent)).prosumers
        own = {home.id: home for home in board.base.prosumers}
        taking_part = {home.id for home in homes if home == own[home.id]}
        assert len(taking_part) == round(percent / 100 * len(homes))
        assert before <= taking_part
        for home in homes:
            assert home.load_annual_mwh == own[home.id].load_annual_mwh and home.bus == own[home.id].bus
            if home.id not in taking_part:
                assert (home.pv_kwp, home.battery_kwh, home.inverter_kva, home.optimise) == (0, 0, 0, False)
                assert home.rule == "none"
        before = taking_part


def test_another_feeder_gets_as_many_homes_per_connection_point_and_who_was_far_is_far() -> None:
    board = BOARDS["four-bus"]  # three homes on three connection points
    assert len(board.scenario(moved(board, feeder="kerber-dorfnetz")).prosumers) == 57
    base = FOUR_BUS.changed({f"prosumers.home-{k}.pv_kwp": float(k) for k in (2, 3, 4)})
    homes = Board(base).scenario(moved(Board(base), feeder="cigre-lv")).prosumers
    assert len(homes) == len({home.bus for home in homes}) == 15
    distance = load_feeder("cigre-lv").electrical_distance["z_ohm"]
    in_order = sorted(homes, key=lambda home: distance[home.bus])
    assert [home.pv_kwp for home in in_order] == [2.0] * 5 + [3.0] * 5 + [4.0] * 5
    board = BOARDS["page's own"]  # 57 on 57
    assert len(board.scenario(moved(board, feeder="kerber-vorstadtnetz-kabel-1")).prosumers) == 146
    assert len(board.scenario(moved(board, feeder="four-bus")).prosumers) == 3


def test_a_population_whose_places_are_not_there_is_spread_at_random() -> None:
    for placement in (ON_OTHER_BUSES, {"population.placement": "proportional-to-load"}):
        board = Board(VILLAGE.changed(placement))
        scenario = board.scenario(moved(board, feeder="four-bus"))  # which has no loads
        assert scenario.population is not None and scenario.population.placement == "random"
    scenario = board.scenario(moved(board, feeder="cigre-lv"))
    assert scenario.population is not None and scenario.population.placement == "proportional-to-load"


def test_the_scenarios_own_file_stays_a_choice_under_its_name(tmp_path: Path) -> None:
    file = tmp_path / "my-street.json"
    pp.to_json(load_feeder("four-bus").net, str(file))
    board = Board(FOUR_BUS.changed({"feeder.file": str(file)}))
    assert board.initial.feeder == "my-street" and board.controls["feeder"].choices[0] == "my-street"
    assert board.scenario(moved(board, seed=4)).feeder == board.base.feeder
    elsewhere = board.scenario(moved(board, feeder="cigre-lv")).feeder
    assert (elsewhere.name, elsewhere.file) == ("cigre-lv", None)
    same_name = tmp_path / "cigre-lv.json"
    same_name.write_bytes(file.read_bytes())
    board = Board(FOUR_BUS.changed({"feeder.file": str(same_name)}))
    assert board.initial.feeder == "cigre-lv (file)" and "cigre-lv" in board.controls["feeder"].choices


def test_days_are_those_on_which_the_scenario_has_profiles_to_its_end(tmp_path: Path) -> None:
    assert BOARDS["four-bus"].initial.day == "summer, Thu 9 June 2016"
    assert len(BOARDS["three days"].controls["day"].choices) == 4 * 5
    for name in ("four-bus", "three days"):
        board = BOARDS[name]
        starts = [board.scenario(moved(board, day=day)).start for day in board.controls["day"].choices]
        assert len(set(starts)) == len(starts)
    assert BOARDS["any date"].controls["day"].choices[0] == "Sun 3 March 2019, 06:00"
    assert len(BOARDS["any date"].controls["day"].choices) == 29
    file = tmp_path / "profiles.csv"
    rows = [f"2020-02-0{1 + k // 24}T{k % 24:02d}:00Z,0.5,0.0" for k in range(48)]
    file.write_text("\n".join(["time,H0-A,PV1", *rows]))
    own = FOUR_BUS.changed({"profiles_file": str(file), "start": datetime(2020, 2, 1, tzinfo=UTC)})
    assert Board(own).controls["day"].choices == ("Sat 1 February 2020, 01:00",)


def test_tariffs_are_the_scenarios_own_under_their_names_and_others() -> None:
    assert BOARDS["herd"].initial.tariff == "day-night"
    board = BOARDS["a fixed charge"]
    assert board.initial.tariff == "the scenario's own"
    tariff = board.scenario(moved(board, kappa=0.75)).tariff
    assert tariff == board.base.tariff.model_copy(update={"kappa": 0.75})
    # Kappa has not been moved: another tariff has the scenario's, not the nearest step of the control.
    assert board.scenario(moved(board, tariff="flat")).tariff.kappa == 1 / 3
    board = BOARDS["village"]
    drawn = board.scenario(moved(board, seed=5)).tariff
    assert isinstance(drawn, SyntheticTariff) and drawn.seed == 5
    flat = FOUR_BUS.changed({"tariff": {"kind": "flat", "price_buy": 0.3, "price_sell": 0.08}})
    board = Board(flat)
    assert board.scenario(board.initial).tariff == flat.tariff
    sold = board.scenario(moved(board, kappa=0.5)).tariff
    assert sold.model_dump()["price_sell"] is None and sold.kappa == 0.5


def test_what_would_keep_people_waiting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for changes, word in (
        ({"population.n": 99_999}, "prosumers"),
        ({"population.n": 300, "market_step_min": 1}, "prosumers"),
        ({"days": 3_000, "profiles": "repeated"}, "days"),
    ):
        with pytest.raises(InputErrors, match=rf"page: {word}: .*at most .* `cosim run`"):
            Board(VILLAGE.changed(changes))
    board = Board(VILLAGE.changed({"population.n": 1_000}))
    with pytest.raises(InputErrors, match="page: prosumers"):
        board.scenario(moved(board, feeder="kerber-vorstadtnetz-kabel-1"))  # 146 places in place of 57
    monkeypatch.setattr(controls, "MOST_BUSES", 100)
    with pytest.raises(InputErrors, match="page: feeder: '116 buses'"):
        Board(VILLAGE)


def test_a_scenario_that_cannot_be_simulated_is_refused_with_its_reasons() -> None:
    with pytest.raises(InputErrors, match=r"rule.*prcc"):
        Board(FOUR_BUS.changed({"rule": "prcc"}))
    with pytest.raises(InputErrors, match=r"feeder\.engine"):
        Board(FOUR_BUS.changed({"feeder.engine": "abacus"}))
