"""Populations: where homes are placed, how they are drawn, that they are drawn once and the same everywhere."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandapower as pp
import pytest

from cosim import CoSimulation, ProsumerSpec, Scenario, run, run_ensemble
from cosim.data import PROFILES
from cosim.population import draw, resolve
from cosim.population_spec import PopulationSpec
from cosim.study import StudyOptions
from cosim.validation import problems
from experiments.locational_disparity import cases_of_day, study
from feeders import Feeder, load_feeder
from feeders.errors import InputError, InputErrors

VARIED = {
    "pv_kwp": {"kind": "normal", "mean": 5, "std": 2, "min": 1, "max": 10},
    "pv_share": 0.6,
    "battery_kwh": {"kind": "choice", "values": [2, 5]},
    "battery_share": 0.5,
    "load_annual_mwh": {"kind": "lognormal", "mean": 1.0, "std": 0.5},
    "optimise_share": 0.7,
    "rule_share": 0.5,
}


def population(n: int, **fields: Any) -> PopulationSpec:
    return PopulationSpec.model_validate({"n": n, **fields})


def village(n: int = 6, **fields: Any) -> Scenario:
    """On the four-bus feeder, at steps long enough to be quick."""
    steps = {"market_step_min": 60, "control_step_min": 30, "rule": "prc"}
    return Scenario.from_dict({**steps, "population": {"n": n, **VARIED, **fields}})


def column(people: tuple[ProsumerSpec, ...], field: str) -> list[Any]:
    return [getattr(p, field) for p in people]


@pytest.fixture(scope="module")
def feeder() -> Feeder:
    return load_feeder("kerber-dorfnetz")


def test_given_buses_are_dealt_in_turn(feeder: Feeder) -> None:
    people = draw(population(5, placement="given", buses=[3, "main_busbar"]), 1, feeder)
    assert column(people, "bus") == [3, "main_busbar", 3, "main_busbar", 3]


def test_random_places_are_equally_likely_connection_buses(feeder: Feeder) -> None:
    """40,000 homes at 57 buses: 702 each, give or take 26 (binomial); five times that is one in a million."""
    found = Counter(column(draw(population(40_000), 1, feeder), "bus"))
    assert set(found) == set(feeder.connection_buses.tolist())
    expected = 40_000 / len(found)
    assert max(abs(count - expected) for count in found.values()) < 5 * expected**0.5


def test_places_in_proportion_to_the_load() -> None:
    """The load of each bus of case33bw over that of all; 40,000 homes, five standard deviations of a binomial."""
    feeder = load_feeder("case33bw")
    found = Counter(column(draw(population(40_000, placement="proportional-to-load"), 1, feeder), "bus"))
    load_kw = dict(zip(feeder.buses.tolist(), feeder.background_p_kw, strict=True))
    total = sum(load_kw[bus] for bus in feeder.connection_buses.tolist())
    for bus in feeder.connection_buses.tolist():
        expected = 40_000 * load_kw[bus] / total
        assert abs(found[bus] - expected) < 5 * expected**0.5
    assert load_kw[found.most_common(1)[0][0]] == max(load_kw.values())


def net_with_a_plant() -> Feeder:
    """A source, a bus that generates more than it consumes, and one that consumes."""
    net = pp.create_empty_network()
    buses = [pp.create_bus(net, vn_kv=0.4) for _ in range(3)]
    pp.create_ext_grid(net, buses[0])
    for a, b in pairwise(buses):
        pp.create_line_from_parameters(net, a, b, 0.1, 0.3, 0.1, c_nf_per_km=0.0, max_i_ka=0.2)
    for bus in buses[1:]:
        pp.create_load(net, bus, p_mw=0.001)
    pp.create_sgen(net, buses[1], p_mw=0.002)
    return Feeder(net)


def test_a_bus_that_generates_more_than_it_consumes_has_no_share_of_the_load() -> None:
    assert set(column(draw(population(50, placement="proportional-to-load"), 1, net_with_a_plant()), "bus")) == {2}


def test_no_load_no_proportion() -> None:
    scenario = Scenario.from_dict({"population": {"n": 2, "placement": "proportional-to-load"}})
    (error,) = problems(scenario, where="s.toml")
    assert str(error) == (
        "s.toml: population.placement: 'proportional-to-load' is not allowed; allowed: a feeder with loads of its own "
        "where people can connect, and feeder.background_scale > 0"
    )


def test_the_end_of_the_feeder_comes_first_and_is_dealt_again_when_full(feeder: Feeder) -> None:
    n = len(feeder.connection_buses)
    places = column(draw(population(n + 2, placement="end-of-feeder"), 1, feeder), "bus")
    distance = feeder.electrical_distance["z_ohm"]
    assert sorted(places[:n]) == sorted(feeder.connection_buses.tolist())
    assert all(distance[a] >= distance[b] for a, b in pairwise(places[:n]))
    assert distance[places[0]] == distance[feeder.connection_buses].max()
    assert places[n:] == places[:2]


def test_distances_of_different_voltage_levels_are_compared_per_unit() -> None:
    """0.1 ohm at 0.4 kV is 0.6 per unit of 1 MVA, 6 ohm at 20 kV only 0.015."""
    net = pp.create_empty_network()
    source, far_mv, low = (pp.create_bus(net, vn_kv=vn_kv) for vn_kv in (20.0, 20.0, 0.4))
    pp.create_ext_grid(net, source)
    pp.create_line_from_parameters(net, source, far_mv, 1.0, 6.0, 0.1, c_nf_per_km=0.0, max_i_ka=0.2)
    pp.create_transformer(net, source, low, "0.25 MVA 20/0.4 kV")
    both = Feeder(net, connection_buses=[far_mv, low])
    assert both.electrical_distance["z_ohm"][far_mv] > both.electrical_distance["z_ohm"][low]
    assert column(draw(population(2, placement="end-of-feeder"), 1, both), "bus") == [low, far_mv]


def test_sizes_and_shares_follow_their_distributions(feeder: Feeder) -> None:
    """20,000 homes: shares and means within five standard deviations, of a binomial 0.018 at most."""
    people = draw(population(20_000, **VARIED), 3, feeder)
    pv, battery = np.array(column(people, "pv_kwp")), np.array(column(people, "battery_kwh"))
    for found, share in (
        (pv > 0, 0.6),
        (battery > 0, 0.5),
        (np.array(column(people, "optimise")), 0.7),
        (np.array([rule is None for rule in column(people, "rule")]), 0.5),
        ((pv > 0) & (battery > 0), 0.3),  # fields are independent
    ):
        assert found.mean() == pytest.approx(share, abs=0.018)
    assert set(battery) == {0.0, 2.0, 5.0}
    assert battery[battery > 0].mean() == pytest.approx(3.5, abs=5 * 1.5 / 100)
    assert np.mean(column(people, "load_annual_mwh")) == pytest.approx(1.0, abs=5 * 0.5 / 141)
    assert (pv[pv > 0] >= 1).all()
    assert (pv <= 10).all()
    homes = [profile.name for profile in PROFILES if profile.kind == "home"]
    counts = Counter(column(people, "load_profile"))
    assert set(counts) == set(homes)
    assert max(counts.values()) - min(counts.values()) < 10 * (20_000 / 6) ** 0.5
    assert np.corrcoef(pv[pv > 0], np.array(column(people, "load_annual_mwh"))[pv > 0])[0, 1] == pytest.approx(
        0, abs=0.05
    )


def test_an_inverter_is_sized_by_the_larger_of_pv_and_battery(feeder: Feeder) -> None:
    fields = VARIED | {"battery_c_charge": 0.5, "battery_c_discharge": 2.0}
    people = draw(population(200, **fields, inverter_kva={"kind": "sized", "factor": 1.1}), 1, feeder)
    assert column(people, "inverter_kva") == [1.1 * max(p.pv_kwp, 2.0 * p.battery_kwh) for p in people]
    plain = draw(population(200, **fields, inverter_kva=4.0), 1, feeder)
    assert column(plain, "inverter_kva") == [4.0 if p.pv_kwp or p.battery_kwh else 0.0 for p in plain]
    assert 0.0 in column(plain, "inverter_kva")


def test_the_same_seed_gives_the_same_homes_and_another_seed_others(feeder: Feeder) -> None:
    spec = population(50, **VARIED)
    assert draw(spec, 1, feeder) == draw(spec, 1, feeder)
    others = draw(spec, 2, feeder)
    for field in ("bus", "pv_kwp", "load_annual_mwh", "load_profile", "optimise"):
        assert column(others, field) != column(draw(spec, 1, feeder), field), field


@pytest.mark.parametrize("placement", ["random", "proportional-to-load", "end-of-feeder"])
def test_more_homes_leave_the_first_ones_as_they_are(placement: str, feeder: Feeder) -> None:
    few, many = (draw(population(n, placement=placement, **VARIED), 1, feeder) for n in (20, 300))
    assert many[:20] == few


def test_another_distribution_of_one_field_leaves_the_others(feeder: Feeder) -> None:
    before = draw(population(100, **VARIED), 1, feeder)
    after = draw(population(100, **VARIED | {"load_annual_mwh": 3.0, "pv_share": 0.9}), 1, feeder)
    for field in ("bus", "battery_kwh", "load_profile", "optimise", "rule"):
        assert column(before, field) == column(after, field)
    both = [(p, q) for p, q in zip(before, after, strict=True) if p.pv_kwp]
    assert all(p.pv_kwp == q.pv_kwp for p, q in both)  # who had PV still has it, the same


def test_the_stream_of_a_field_is_known_by_its_name(feeder: Feeder) -> None:
    """The CRC-32 of "population" and of the field's name, with the k-th number for the k-th home."""
    people = draw(population(3, load_annual_mwh={"kind": "uniform", "low": 0, "high": 1}), 1, feeder)
    words = np.random.SeedSequence(1, spawn_key=(0xB449A008, 0xA78FD663))
    assert column(people, "load_annual_mwh") == np.random.default_rng(words).random(3).tolist()
    assert column(people, "id") == ["home-00001", "home-00002", "home-00003"]


def test_resolving_fills_the_prosumers_and_keeps_what_they_come_of() -> None:
    scenario = village()
    resolved = resolve(scenario)
    assert (len(scenario.prosumers), len(resolved.prosumers)) == (0, 6)
    assert resolved.population == scenario.population
    assert resolved.to_toml() == scenario.to_toml()
    assert resolve(resolved) is resolved
    assert resolve(Scenario()) == Scenario()


def test_a_run_draws_and_compares_with_its_references() -> None:
    found = run(village())
    assert found.scenario == resolve(village())
    assert found.frames.shape[2] == 6
    assert found.cost_without_rule is not None
    assert found.cost_without_optimisation is not None
    by_hand = run(resolve(village()).changed({"prosumers.*.rule": "none", "prosumers.*.optimise": False}))
    np.testing.assert_array_equal(by_hand.indices["cost"], found.cost_without_optimisation)


def test_the_drawn_list_lives_the_same_run() -> None:
    people = resolve(village()).prosumers
    plain = run(village().changed({"population": None}).model_copy(update={"prosumers": people}), references=False)
    assert plain.scenario.population is None
    assert np.array_equal(run(village(), references=False).frames, plain.frames)


def test_populations_in_lock_step_are_each_as_alone() -> None:
    scenarios = [village(seed_n) for seed_n in (2, 5)] + [village(3).changed({"seed": 9})]
    for found, scenario in zip(run_ensemble(scenarios), scenarios, strict=True):
        assert np.array_equal(found.frames, run(scenario, references=False).frames)


def test_an_open_loop_without_rule_is_lived_by_the_same_homes() -> None:
    scenario = village().changed({"mode": "open-loop", "open_loop_reference": "optimised"})
    model = CoSimulation(scenario)
    assert model._shadow is not None
    assert model._shadow.population.assets.ids == model.population.assets.ids
    assert (model._shadow.population.assets.inverter_kva == model.population.assets.inverter_kva).all()


def test_a_feeder_of_ones_own_is_what_the_homes_are_placed_on() -> None:
    scenario = village(4).changed({"population.placement": "end-of-feeder"})
    assert run(scenario, feeder=net_with_a_plant()).prosumers["bus"].tolist() == [2, 1, 2, 1]


def test_a_study_takes_a_population(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its cases are those of the drawn homes; they are counted here, not run."""
    found: list[Any] = []

    def counted(base: Scenario, starts: Any, options: StudyOptions) -> None:
        found.extend(case.scenario(base) for case in cases_of_day(base, starts[0], "closed-loop"))
        raise KeyboardInterrupt

    monkeypatch.setattr("experiments.locational_disparity.disparity", counted)
    with pytest.raises(KeyboardInterrupt):
        study(StudyOptions({"population.n": 2}))
    assert [sum(p.optimise for p in scenario.prosumers) for scenario in found[:4]] == [0, 1, 1, 2]


def test_what_a_population_names_is_checked_where_it_is_named() -> None:
    data = {
        "n": 500,
        "placement": "given",
        "buses": [2, 9, "x"],
        "load_profiles": ["H0-A", "H0-Z"],
        "pv_profiles": ["H0-A"],
    }
    found = problems(Scenario.from_dict({"population": data}), where="s.toml")
    assert [(error.where, error.field, error.value) for error in found] == [
        ("s.toml", "population.load_profiles", "H0-Z"),
        ("s.toml", "population.pv_profiles", "H0-A"),
        ("s.toml", "population.buses", 9),
        ("s.toml", "population.buses", "x"),
    ]


def test_sizes_beyond_all_numbers_are_refused(feeder: Feeder) -> None:
    wild = {"kind": "lognormal", "mean": 1e308, "std": 1e308}
    with pytest.raises(InputError, match=r"population\.pv_kwp: inf is not allowed; allowed: a distribution of finite"):
        draw(population(1000, pv_kwp=wild), 1, feeder)


def test_a_table_that_is_missing_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputErrors, match=r"no\.csv: file: 'No such file or directory'"):
        CoSimulation(Scenario(prosumers_file=str(tmp_path / "no.csv")))
