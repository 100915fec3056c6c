"""A scenario as a value: defaults, TOML and back, changes by dotted names, and what is refused at the door."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cosim import FeederSpec, ForecastSpec, ProsumerSpec, Scenario
from cosim.distributions import Normal
from cosim.population import resolve
from cosim.population_spec import PopulationSpec
from cosim.prosumers_file import write_prosumers
from cosim.tariff import (
    DemandCharge,
    FlatTariff,
    Holidays,
    Period,
    RealTimeTariff,
    Season,
    SyntheticTariff,
    TimeOfUseTariff,
)
from feeders.errors import InputErrors

FULL = Scenario(
    name="a.b_c-1",
    start=datetime(2016, 6, 8, 0, 30, tzinfo=UTC),
    days=2,
    horizon="rolling",
    mode="open-loop",
    open_loop_reference="optimised",
    feeder=FeederSpec(file='/nets/Königstraße "2"\\a.json', background_scale=0.1 + 0.2),
    forecast=ForecastSpec(kind="noisy", load_error=1e-9, pv_error=1e20),
    profiles_file="/data/日本 profile.csv",
    prosumers=(
        ProsumerSpec(id="home.1", bus="Bus Ä 'x'", rule="prc", energy_start_kwh=0.25),
        ProsumerSpec(id="2", bus=3, optimise=False, load_profile="µ"),
    ),
)
DRAWN = Scenario(
    profiles="repeated",
    population=PopulationSpec.model_validate(
        {
            "n": 7,
            "placement": "given",
            "buses": [2, "Bus Ä"],
            "load_profiles": ["H0-A"],
            "pv_kwp": {"kind": "normal", "mean": 0.1 + 0.2, "std": 1e-9, "max": 10},
            "battery_kwh": {"kind": "choice", "values": [5, 10], "weights": [2, 1]},
            "load_annual_mwh": {"kind": "lognormal", "mean": 3.5, "std": 1},
            "flexible_share": {"kind": "uniform", "low": 0, "high": 1},
            "inverter_kva": {"kind": "sized", "factor": 1.1},
        }
    ),
)
TARIFFS = [
    FlatTariff(price_buy=0.3, price_sell=-0.1),
    TimeOfUseTariff(preset="day-night", kappa=0.5),
    TimeOfUseTariff(
        periods=(
            Period(days="weekday", start="00:00", end="24:00", price=0.25),
            Period(days="weekend", start="22:00", end="06:00", price=1 / 3),
            Period(days="weekend", start="06:00", end="22:00", price=-0.05),
        )
    ),
    TimeOfUseTariff(
        preset="ontario-2023",
        timezone="America/Toronto",
        fixed_per_day=0.1 + 0.2,
        holidays=Holidays(country="CA", subdivision="ON", names=("Labour Day",), dates=(date(2016, 6, 9),)),
        demand_charges=(
            DemandCharge(name="peak.1", price=1 / 3, season="summer", days="holiday", start="22:00", end="06:00"),
            DemandCharge(name="any", price=0.0, per="day", metering_min=60, pro_rata=True),
        ),
    ),
    FlatTariff(
        price_buy=0.3,
        seasons=(Season(name="été", start="05-01", end="10-31"), Season(name="x", start="11-01", end="04-30")),
        demand_charges=(DemandCharge(price=2.0, season="été"),),
    ),
    RealTimeTariff(file="/data/prix été.csv", column="p €", unit="currency/MWh", timezone="Europe/Berlin", label="end"),
    SyntheticTariff(seed=2**63 - 1, volatility=0.1),
]


def refusals(data: dict[str, Any]) -> list[str]:
    with pytest.raises(InputErrors) as refused:
        Scenario.from_dict(data, "s.toml")
    return [str(error) for error in refused.value.errors]


def change_refusal(**changes: object) -> str:
    with pytest.raises(InputErrors) as refused:
        Scenario().changed({key.replace("__", "."): value for key, value in changes.items()}, "--set")
    return str(refused.value)


@pytest.mark.parametrize("tariff", TARIFFS, ids=lambda tariff: tariff.kind)
@pytest.mark.parametrize(
    "scenario",
    [Scenario(), FULL, DRAWN, Scenario(prosumers_file="/data/people é.csv"), Scenario(prosumers=())],
    ids=["default", "full", "population", "file", "nobody"],
)
def test_toml_and_back_is_the_same_scenario(scenario: Scenario, tariff: Any, tmp_path: Path) -> None:
    scenario = scenario.model_copy(update={"tariff": tariff})
    (tmp_path / "s.toml").write_text(scenario.to_toml(), encoding="utf-8")
    again = Scenario.from_toml(tmp_path / "s.toml")
    assert again == scenario
    assert again.to_toml() == scenario.to_toml()


def test_the_file_lists_every_field_that_has_a_value() -> None:
    text = Scenario().to_toml()
    for name in ("open_loop_reference", "vm_min_pu", "kappa", "load_error", "battery_c_discharge"):
        assert f"\n{name} = " in text


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text('rule = "prc"\n', encoding="utf-8-sig")
    assert Scenario.from_toml(tmp_path / "s.toml").rule == "prc"


def test_file_names_in_toml_are_relative_to_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "s.toml").write_text(
        'profiles_file = "in/p.csv"\nprosumers_file = "h.csv"\n[feeder]\nfile = "net.json"\n'
        '[tariff]\nkind = "real-time"\nfile = "in/q.csv"\ncolumn = "p"\nunit = "currency/kWh"\n'
    )
    monkeypatch.chdir(tmp_path / "in")
    scenario = Scenario.from_toml(Path("../s.toml"))
    folder = tmp_path.resolve()
    assert isinstance(scenario.tariff, RealTimeTariff)
    found = (scenario.profiles_file, scenario.prosumers_file, scenario.feeder.file, scenario.tariff.file)
    assert found == tuple(str(folder / name) for name in ("in/p.csv", "h.csv", "net.json", "in/q.csv"))


def test_file_names_given_elsewhere_are_relative_to_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tariff = RealTimeTariff(file="q.csv", column="p", unit="currency/kWh")
    scenario = Scenario(tariff=tariff).changed({"profiles_file": "p.csv", "feeder.file": "net.json"})
    assert scenario.profiles_file == str(tmp_path / "p.csv")
    assert scenario.feeder == FeederSpec(file=str(tmp_path / "net.json"))
    assert scenario.tariff == tariff.model_copy(update={"file": str(tmp_path / "q.csv")})


def test_a_scenario_is_frozen_and_hashable() -> None:
    scenario = Scenario()
    with pytest.raises(ValidationError, match="frozen"):
        scenario.rule = "prc"  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        scenario.prosumers[0].bus = 3  # type: ignore[misc]
    assert hash(scenario) == hash(Scenario())


def test_start_is_kept_in_utc() -> None:
    berlin_summer = timezone(timedelta(hours=2))
    scenario = Scenario.from_dict({"start": datetime(2016, 6, 8, tzinfo=berlin_summer)})
    assert scenario.start == datetime(2016, 6, 7, 22, tzinfo=UTC)
    assert scenario.start.tzinfo is UTC
    assert "start = 2016-06-07T22:00:00+00:00" in scenario.to_toml()


@pytest.mark.parametrize(
    ("start", "shown", "allowed"),
    [
        (datetime(2016, 6, 7, 22), "2016-06-07T22:00:00", "a date and time with offset, without quotes, e.g. 2016"),
        ("2016-06-07T22:00Z", "2016-06-07T22:00Z", "a date and time with offset, without quotes, e.g. 2016"),
        (datetime(2016, 6, 7, 22, 0, 1, tzinfo=UTC), "2016-06-07T22:00:01+00:00", "a full minute"),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))), "0001-01-01T00:00:00+01:00", "a year from 1900 to"),
        (datetime(9999, 12, 31, tzinfo=UTC), "9999-12-31T00:00:00+00:00", "a year from 1900 to 2199"),
    ],
)
def test_refused_starts(start: object, shown: str, allowed: str) -> None:
    (line,) = refusals({"start": start})
    assert line.startswith(f"s.toml: start: '{shown}' is not allowed; allowed: {allowed}")


def test_all_findings_at_once_each_with_field_value_and_what_is_allowed() -> None:
    home: dict[str, Any] = {"id": "home-4", "bus": 4}
    data = {
        "rulle": "prc",
        "days": True,
        "voltage": {"dead_pu": float("nan")},
        "tariff": {"kind": "flat", "price_buy": float("inf"), "price_sel": 0.1},
        "prosumers": [home | {"pv_kwp": "big", "efficiency_charge": 1.5}, home | {"pv_kwp": -1, "bus": 2.5}, {}, 7],
    }
    meant = {
        "rulle: 'prc' is not allowed; allowed: a known key; nearest: rule",
        "days: True is not allowed; allowed: a whole number",
        "voltage.dead_pu: nan is not allowed; allowed: a finite number",
        "tariff.price_buy: inf is not allowed; allowed: a finite number",
        "tariff.price_sel: 0.1 is not allowed; allowed: a known key; nearest: price_sell, price_buy",
        "prosumers.home-4.pv_kwp: 'big' is not allowed; allowed: a number",
        "prosumers.home-4.efficiency_charge: 1.5 is not allowed; allowed: a number > 0 and <= 1",
        "prosumers.home-4.pv_kwp: -1 is not allowed; allowed: a number >= 0",
        "prosumers.home-4.bus: 2.5 is not allowed; allowed: a whole number or text",
        "prosumers[2].id: nothing given; allowed: a value: this field has no default",
        "prosumers[2].bus: nothing given; allowed: a value: this field has no default",
        "prosumers[3]: 7 is not allowed; allowed: a table",
    }
    assert set(refusals(data)) == {f"s.toml: {line}" for line in meant}


def test_the_schema_states_types_limits_and_meaning() -> None:
    schema = json.loads(json.dumps(Scenario.model_json_schema()))
    prosumer = schema["$defs"]["ProsumerSpec"]
    assert prosumer["properties"]["efficiency_charge"] | {"title": ""} == {
        "default": 0.95,
        "exclusiveMinimum": 0,
        "maximum": 1,
        "title": "",
        "type": "number",
    }
    assert prosumer["additionalProperties"] is False
    assert prosumer["required"] == ["id", "bus"]
    kinds = schema["properties"]["tariff"]["discriminator"]["mapping"]
    assert sorted(kinds) == ["flat", "real-time", "synthetic", "time-of-use"]
    assert schema["properties"]["rule"]["description"].startswith("inverter rule")


def test_changes_by_dotted_names() -> None:
    changed = Scenario().changed(
        {"rule": "prc", "voltage.dead_pu": 0.03, "prosumers.*.pv_kwp": 5, "prosumers.home-3.pv_kwp": 1.0}
    )
    assert (changed.rule, changed.voltage.dead_pu, changed.voltage.vm_max_pu) == ("prc", 0.03, 1.05)
    assert [p.pv_kwp for p in changed.prosumers] == [5.0, 1.0, 5.0]
    assert Scenario().changed({}) == Scenario()


def test_changes_of_a_population() -> None:
    changed = DRAWN.changed(
        {"population.n": 9, "population.pv_kwp.mean": 2, "population.battery_kwh": 3, "rule": "prc"}
    )
    assert changed.population is not None
    assert (changed.population.n, changed.population.battery_kwh, changed.rule) == (9, 3.0, "prc")
    assert changed.population.pv_kwp == Normal(mean=2.0, std=1e-9, max=10.0)
    placed = DRAWN.changed({"population.placement": "random"})
    assert placed.population is not None
    assert placed.population.buses == ()


def test_of_prosumers_population_and_file_the_changed_one_takes_the_place_of_the_others() -> None:
    drawn = Scenario().changed({"population.n": 2})
    assert drawn == Scenario(population=PopulationSpec(n=2))
    assert drawn.prosumers == ()
    read = drawn.changed({"prosumers_file": "/p.csv"})
    assert (read.population, read.prosumers_file, read.prosumers) == (None, "/p.csv", ())
    assert read.changed({"population": {"n": 2}}) == drawn
    assert read.changed({"rule": "prc"}) == Scenario(prosumers_file="/p.csv", rule="prc")


def test_changes_of_drawn_prosumers_make_them_a_list_of_their_own() -> None:
    drawn = resolve(Scenario().changed({"population.n": 3}))
    changed = drawn.changed({"prosumers.*.optimise": False, "prosumers.home-00002.pv_kwp": 9})
    assert changed.population is None
    assert [(p.optimise, p.pv_kwp) for p in changed.prosumers] == [(False, 2.5), (False, 9.0), (False, 2.5)]
    assert [p.bus for p in changed.prosumers] == [p.bus for p in drawn.prosumers]
    assert Scenario.from_dict(changed.model_dump(exclude_none=True)) == changed


def test_changes_keep_drawn_prosumers_unless_they_would_be_drawn_otherwise() -> None:
    drawn = resolve(Scenario().changed({"population.n": 3}))
    assert drawn.changed({"rule": "prc", "seed": drawn.seed}).prosumers == drawn.prosumers
    for change in ({"seed": 5}, {"population.n": 4}, {"feeder.name": "case33bw"}, {"prosumers_file": "/p.csv"}):
        assert drawn.changed(change).prosumers == ()


def test_prosumers_that_were_read_are_changed_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    write_prosumers(path, Scenario().prosumers)
    changed = resolve(Scenario(prosumers_file=str(path))).changed({"prosumers.home-3.pv_kwp": 9})
    assert changed == Scenario().changed({"prosumers.home-3.pv_kwp": 9})


@pytest.mark.parametrize(
    ("scenario", "allowed"),
    [
        (DRAWN, "population.FIELD; single prosumers once they are drawn, see `cosim population`"),
        (Scenario(prosumers_file="/p.csv"), "a change of the file, /p.csv"),
    ],
)
def test_prosumers_still_to_come_cannot_be_changed(scenario: Scenario, allowed: str) -> None:
    with pytest.raises(InputErrors) as refused:
        scenario.changed({"prosumers.*.pv_kwp": 1}, "--set")
    assert str(refused.value) == f"--set: prosumers.*.pv_kwp: 1 is not allowed; allowed: {allowed}"


def test_two_sources_of_prosumers_are_one_too_many() -> None:
    home = {"id": "a", "bus": 2}
    assert refusals({"population": {"n": 1}, "prosumers": [home], "prosumers_file": "p.csv"}) == [
        "s.toml: prosumers, population, prosumers_file: '3 of them' is not allowed; allowed: one of these, not several"
    ]
    assert change_refusal(population__n=1, prosumers_file="p.csv").startswith(
        "--set: population, prosumers_file: '2 of"
    )
    assert Scenario.from_dict({"population": {"n": 1}, "prosumers": []}).prosumers == ()


def test_a_dot_in_an_id_is_part_of_it() -> None:
    scenario = Scenario(prosumers=(ProsumerSpec(id="row.1", bus=2), ProsumerSpec(id="row.2", bus=3)))
    assert [p.bus for p in scenario.changed({"prosumers.row.2.bus": 4}).prosumers] == [2, 4]


def test_a_new_kind_of_tariff_takes_the_place_of_the_old_one() -> None:
    changed = Scenario().changed({"tariff.price_buy": 0.3, "tariff.kind": "flat"})
    assert changed.tariff == FlatTariff(price_buy=0.3)
    kept = Scenario(tariff=FlatTariff(price_buy=0.3)).changed({"tariff.kind": "flat", "tariff.kappa": 0.5})
    assert kept.tariff == FlatTariff(price_buy=0.3, kappa=0.5)


def test_changes_of_a_two_part_tariff() -> None:
    charges = [{"name": "peak.1", "price": 8, "start": "17:00", "end": "21:00"}, {"price": 1.0}]
    scenario = Scenario().changed({"tariff.demand_charges": charges, "tariff.fixed_per_day": 0.5})
    assert [charge.name for charge in scenario.tariff.demand_charges] == ["peak.1", "demand"]
    assert scenario.tariff.demand_charges[0].price == 8.0
    one = scenario.changed({"tariff.demand_charges.peak.1.price": 9.0})
    assert [charge.price for charge in one.tariff.demand_charges] == [9.0, 1.0]
    every = one.changed({"tariff.demand_charges.*.per": "day", "tariff.holidays.country": "DE"})
    assert [(charge.price, charge.per) for charge in every.tariff.demand_charges] == [(9.0, "day"), (1.0, "day")]
    assert every.tariff.holidays == Holidays(country="DE")
    assert every.changed({"tariff.kind": "flat", "tariff.price_buy": 0.3}).tariff == FlatTariff(price_buy=0.3)
    assert every.changed({"tariff.demand_charges": []}).tariff.demand_charges == ()


def test_the_schema_knows_two_part_tariffs() -> None:
    definitions = Scenario.model_json_schema()["$defs"]
    assert definitions["DemandCharge"]["required"] == ["price"]
    assert definitions["DemandCharge"]["properties"]["price"]["minimum"] == 0
    for kind in ("FlatTariff", "TimeOfUseTariff", "RealTimeTariff", "SyntheticTariff"):
        assert {"demand_charges", "fixed_per_day", "seasons", "holidays"} <= set(definitions[kind]["properties"])


@pytest.mark.parametrize(
    ("changes", "meant"),
    [
        (
            {"tariff__demand_charges__peak__price": 1},
            "tariff.demand_charges.peak.price: 'peak' is not allowed; allowed: none: there are none",
        ),
        ({"days__x__y": 1}, "days.x.y: 1 is not allowed; allowed: days alone: it has no fields"),
        ({"rul": 1}, "rul: 1 is not allowed; allowed: a known key; nearest: rule"),
        ({"voltage__ded": 1}, "voltage.ded: 1 is not allowed; allowed: a known key; nearest: dead_pu"),
        ({"rule__x": 1}, "rule.x: 1 is not allowed; allowed: rule alone: it has no fields"),
        ({"prosumers": 1}, "prosumers: 1 is not allowed; allowed: prosumers.NAME.FIELD for one prosumer, or"),
        ({"prosumers__home-4": 1}, "prosumers.home-4: 1 is not allowed; allowed: prosumers.NAME.FIELD for one"),
        (
            {"prosumers__home-5__pv_kwp": 1},
            "prosumers.home-5.pv_kwp: 'home-5' is not allowed; allowed: the id of a prosumer, or * for all; nearest: ",
        ),
        ({"prosumers__*__pv": 1}, "prosumers.*.pv: 1 is not allowed; allowed: a known key; nearest: pv_kwp"),
    ],
)
def test_refused_changes_are_one_line(changes: dict[str, object], meant: str) -> None:
    line = change_refusal(**changes)
    assert line.startswith(f"--set: {meant}")
    assert "\n" not in line
