"""The study across feeders: its measures by hand, what must hold on any feeder, and its files."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

import cosim
import experiments
from agents.prosumer import VoltageBand, rule_by_name
from cosim import Run, Scenario, run_ensemble
from cosim.data import day_start
from cosim.failure import RunFailure
from cosim.study import StudyOptions, changed_settings
from cosim.sweep.make_plan import plan_of
from experiments.across_feeders import Answer, across, study
from experiments.across_feeders_loop import loop_gain, slopes
from experiments.across_feeders_measures import CELL, MEASURES, differences, measures_of
from experiments.across_feeders_report import report, write_answer
from experiments.across_feeders_runs import KEYS, live
from experiments.across_feeders_settings import AcrossSettings, Size
from experiments.across_feeders_sizes import at_limit
from experiments.across_feeders_verdict import against_anrc, against_prc
from feeders import load_feeder, make_engine
from feeders.errors import InputError, InputErrors, PowerFlowError

pytestmark = [pytest.mark.usefixtures("feeders_built_once"), pytest.mark.xdist_group("across-feeders")]

FEEDER = "kerber-landnetz-kabel-1"  # eight places to connect
SMALL = {"feeders": [FEEDER], "homes": 8, "days": 3, "seeds": [1, 2], "shares": [0.4, 1.0]}
BAND = VoltageBand(0.95, 0.02, 1.05)


@pytest.fixture(scope="module")
def settings() -> AcrossSettings:
    return changed_settings(AcrossSettings, SMALL)


@pytest.fixture(scope="module")
def answer(settings: AcrossSettings) -> Answer:
    return across(settings, StudyOptions())


def homes(**columns: Sequence[float]) -> pd.DataFrame:
    """A table of homes in a row, by default nothing has happened to them."""
    n = len(columns["gain_kept_percent"])
    default = {"tce_kwh": 0.0, "pv_kwp": 2.0, "cvc_pu": 0.0, "vm_min_pu": 1.0, "vm_max_pu": 1.0}
    default |= {f"{name}_percent": 0.0 for name in ("reversals", "not_settled", "above_dead", "below_dead")}
    return pd.DataFrame({"controlled": True, "bus": range(n), "distance_ohm": range(n), **default, **columns})


def test_the_study_is_registered() -> None:
    project = tomllib.loads((Path(experiments.__file__).parent.parent / "pyproject.toml").read_text())
    module, _, name = project["project"]["entry-points"]["cosim.studies"]["across-feeders"].partition(":")
    assert (module, name) == (study.__module__, study.__name__)


def test_defaults_pass_their_own_checks() -> None:
    default = AcrossSettings()
    assert default == changed_settings(AcrossSettings, default.model_dump())
    assert (default.shares, default.seasons) == ((0.1, 0.5, 1.0), ("summer", "winter"))


def test_a_quick_look_changes_defaults_alone() -> None:
    quick = changed_settings(AcrossSettings, {"quick": True, "days": 3})
    assert quick.days == 3
    assert quick.homes < AcrossSettings().homes
    assert len(quick.seeds) < len(AcrossSettings().seeds)


@pytest.mark.parametrize("changes", [{"rules": ["none"]}, {"rules": ["prcc"]}, {"seeds": [1, 1]}, {"vm_min_pu": 0.99}])
def test_wrong_settings_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InputErrors):
        changed_settings(AcrossSettings, changes)


def test_measures_by_hand() -> None:
    """Six homes that obey, in thirds of two, and one that does not; given in no order."""
    table = homes(
        gain_kept_percent=[20, -40, 100, 80, 60, 40, 100],
        distance_ohm=[5, 6, 1, 2, 3, 4, 9],
        tce_kwh=[3, 5, 0, 1, 7, 7, 0],
        cvc_pu=[1, 1, 1, 1, 1, 1, 8],
        controlled=[True] * 6 + [False],
    )
    found = measures_of(table)
    assert found["n_controlled"] == 6
    assert found["kept_percent"] == pytest.approx(260 / 6)
    assert (found["kept_near_percent"], found["kept_far_percent"]) == (90, -10)
    assert found["spread_points"] == 100
    assert found["worst_decile_percent"] == -40
    assert found["nothing_left_percent"] == pytest.approx(100 / 6)
    kept = np.array([-40, 20, 40, 60, 80, 100])  # mean absolute difference over twice the mean size, of all pairs
    assert found["gini"] == pytest.approx(np.abs(kept[:, None] - kept).mean() / (2 * np.abs(kept).mean()))
    assert found["jain"] == pytest.approx(260**2 / (6 * (40**2 + 20**2 + 40**2 + 60**2 + 80**2 + 100**2)))
    assert found["head_to_end_points"] == 100 - -40  # a tenth of six is one
    assert (found["tce_near_kwh_per_kwp"], found["tce_far_kwh_per_kwp"]) == (1 / 4, 8 / 4)
    assert (found["cvc_controlled_pu"], found["cvc_others_pu"], found["cvc_pu"]) == (1, 8, 2)
    assert found["kept_others_percent"] == 100


def test_nobody_who_obeys_has_no_measures() -> None:
    found = measures_of(homes(gain_kept_percent=[100.0, 100.0], controlled=[False, False]))
    assert found["n_controlled"] == 0
    assert np.isnan([found[name] for name in ("kept_percent", "spread_points", "gini", "tce_far_kwh_per_kwp")]).all()


def test_homes_alike_at_one_bus_bear_a_rule_alike() -> None:
    """One voltage, one profile, one house: whatever the rule takes, it takes of each the same."""
    at_one = {"placement": "given", "buses": [4], "load_profiles": ["H0-A"]}
    changes = {f"population__{key}": value for key, value in at_one.items()}
    sunny = day_start(date(2016, 6, 9)).to_pydatetime()
    one_day = AcrossSettings(homes=3, days=1)
    run = cosim.run(one_day.scenario("four-bus", Size("as-is"), "summer", 1, rule="hybrid", start=sunny, **changes))
    zero = dict.fromkeys(("reversals_percent", "not_settled_percent", "above_dead_percent", "below_dead_percent"), 0.0)
    found = measures_of(run.indices.assign(controlled=True, pv_kwp=2.5, **zero))
    assert found["kept_percent"] < 99  # the rule bites
    assert found["spread_points"] == pytest.approx(0, abs=1e-9)
    assert found["gini"] == pytest.approx(0, abs=1e-12)
    assert found["jain"] == pytest.approx(1, abs=1e-12)
    assert found["tce_near_kwh_per_kwp"] == pytest.approx(found["tce_far_kwh_per_kwp"], abs=1e-12)


def test_differences_are_taken_seed_by_seed() -> None:
    """Populations that differ by much, and rules by 10 and 20 points on each: 15, and 63.53 on both sides of it.

    The standard deviation of 10 and 20 is 7.0711, the quantile with one degree of freedom 12.7062.
    """
    rows = []
    for seed, base, less in ((1, 500.0, 10.0), (2, -300.0, 20.0)):
        for rule, value in (("hybrid", base), ("prc", base + less)):
            key = dict(zip(KEYS, ("f", "as-is", "summer", 1.0, rule, "closed-loop", seed), strict=True))
            rows.append({**key, **dict.fromkeys(MEASURES, value)})
    found = differences(pd.DataFrame(rows), "hybrid", ["prc"]).iloc[0]
    half = 12.7062 * 7.0711 / 2**0.5
    columns = [f"spread_points{end}" for end in ("", "_low", "_high")]
    assert found[columns].tolist() == pytest.approx([-15, -15 - half, -15 + half], rel=1e-4)
    assert (found["less"], found["n_seeds"]) == ("prc", 2)


@pytest.mark.parametrize(
    ("spread", "difference", "said"),
    [
        (0.5, (-0.4, -0.5, -0.3), "nothing to limit"),
        (50.0, (-30.0, -40.0, -20.0), "limits it"),
        (50.0, (-30.0, -70.0, 10.0), "cannot be told"),
        (50.0, (30.0, 20.0, 40.0), "widens it"),
        (-50.0, (30.0, 20.0, 40.0), "limits it"),
        (50.0, (-30.0, np.nan, np.nan), "cannot be told"),
    ],
)
def test_what_is_said_of_a_cell(spread: float, difference: tuple[float, float, float], said: str) -> None:
    assert against_prc(spread, difference) == said


def test_what_is_said_beside_anrc() -> None:
    assert against_anrc((0.5, 0.4, 0.6)) == "as ANRC"
    assert against_anrc((5.0, 1.0, 9.0)) == "more than ANRC"
    assert against_anrc((-5.0, -9.0, -1.0)) == "less than ANRC"
    assert against_anrc((5.0, -1.0, 11.0)) == "cannot be told from ANRC"


def test_slopes_are_those_of_the_tables() -> None:
    """Spec, section 3: the droop of 0.03 p.u. takes PRC from one rating to the other, ANRC half of the way."""
    assert slopes("prc", BAND) == pytest.approx((2 / 0.03, 2 / 0.03))
    assert slopes("anrc", BAND) == pytest.approx((1 / 0.03, 1 / 0.03))
    assert slopes("hybrid", BAND) == pytest.approx((1 / 0.03, 2 / 0.03))


def test_the_loop_gain_of_one_home_is_that_of_its_line() -> None:
    """Two inverters of 1.5 kVA at bus 2: R + jX = 0.0922 + j0.0470 ohm at 230 V; dv = (-R dp + X dq) / V^2."""
    engine = make_engine(load_feeder("four-bus"))
    per_kva = 1e3 / 230**2
    expected = 3.0 * per_kva * (0.0922 / 0.03 + 0.0470 * 2 / 0.03)
    found = loop_gain(engine, [2, 2], np.array([1.5, 1.5]), "hybrid", BAND)
    assert found == pytest.approx(expected, rel=5e-3)  # the flow's curvature over the kW it is taken at
    assert loop_gain(engine, [], np.array([]), "hybrid", BAND) == 0


@pytest.mark.parametrize(("gain", "rests"), [(0.9, True), (1.1, False)])
def test_a_home_hunts_where_its_loop_gain_is_above_one(gain: float, rests: bool) -> None:
    """Rule and power flow in turn, with all the PV that the rule lets out, where the droop is midway: 1.04 p.u."""
    engine = make_engine(load_feeder("four-bus"))
    engine.set_slack_vm_pu(1.04)
    home = int(engine.feeder.bus_positions([3])[0])
    kva = gain / loop_gain(engine, [3], np.array([1.0]), "hybrid", BAND)
    vm_pu, moved = 1.041, np.nan
    for _ in range(200):
        ranges = rule_by_name("hybrid")(np.array([vm_pu]), np.array([kva]), BAND)
        p, q = np.zeros((2, engine.feeder.n_buses))
        p[home], q[home] = ranges.p_lo_kw[0], ranges.q_hi_kvar[0]
        found = float(engine.solve(p, q)[home])
        moved, vm_pu = abs(found - vm_pu), found
    assert (moved < 1e-6) == rests
    if rests:
        assert 1.035 < vm_pu < 1.05  # within the droop, not at an end of it


def test_homes_at_the_limit_take_the_feeder_to_both(settings: AcrossSettings) -> None:
    """The sizes come of power flows of quarter-hours; here the co-simulation lives both weeks, minute by minute."""
    week = settings.model_copy(update={"days": 7})
    size = at_limit(settings, FEEDER)
    runs = {
        season: run_ensemble([week.scenario(FEEDER, size, season, seed) for seed in week.seeds])
        for season in ("summer", "winter")
    }
    low = [run.totals["vm_min_pu"].min() for run in runs["winter"]]
    high = [run.totals["vm_max_pu"].max() for run in runs["summer"]]
    assert np.mean(low) == pytest.approx(settings.vm_min_pu, abs=2e-5)
    assert np.mean(high) == pytest.approx(settings.vm_max_pu, abs=2e-5)
    assert len(set(low)) == len(low)  # a mean of populations that differ


def test_without_a_rule_everybody_keeps_all(answer: Answer) -> None:
    free = answer.homes[answer.homes["rule"] == "none"]
    assert free["gain_kept_percent"].to_numpy() == pytest.approx(100, rel=1e-15)
    assert (free["gain"] > 0).all()
    assert (free["tce_kwh"] == 0).all()
    alike = answer.table.loc[answer.table["rule"] == "none", ["spread_points", "gini"]]
    assert alike.to_numpy() == pytest.approx(0, abs=1e-12)


def test_who_obeys_no_rule_pays_nothing_for_it(answer: Answer) -> None:
    """No bill knows the voltage."""
    others = answer.homes[~answer.homes["controlled"] & (answer.homes["rule"] != "none")]
    assert len(others) > 0
    assert others["gain_kept_percent"].to_numpy() == pytest.approx(100, abs=1e-9)


def test_the_few_who_obey_are_among_the_many(answer: Answer, settings: AcrossSettings) -> None:
    """By seed the same under all rules, modes, sizes and seasons; at a share of 1 it is everybody."""
    few, many = settings.shares
    by_run = answer.homes.groupby([key for key in KEYS if key != "seed"] + ["seed"])
    sets: dict[tuple[int, float], set[frozenset[str]]] = {}
    for key, rows in by_run:
        named = dict(zip([*[key for key in KEYS if key != "seed"], "seed"], key, strict=True))
        obey = frozenset(rows.loc[rows["controlled"], "prosumer"])
        sets.setdefault((named["seed"], named["share"]), set()).add(obey)
    assert all(len(found) == 1 for found in sets.values())
    for seed in settings.seeds:
        (some,), (everybody,) = sets[seed, few], sets[seed, many]
        assert some < everybody
        assert len(everybody) == settings.homes
    assert sets[1, few] != sets[2, few]


def test_all_cells_are_there_once(answer: Answer, settings: AcrossSettings) -> None:
    table = answer.table
    assert not table.duplicated(CELL).any()
    of_one_mode = len(settings.seasons) * len(settings.shares) * (1 + len(settings.rules))
    assert len(table) == of_one_mode * len(settings.sizes) * len(settings.modes)
    assert (table["n_seeds"] == len(settings.seeds)).all()
    assert not answer.failed
    assert not answer.left_out


def test_a_cell_is_what_single_runs_say(answer: Answer, settings: AcrossSettings) -> None:
    """One run again by itself, with references of its own."""
    size = answer.sizes[FEEDER, "at-limit"]
    scenario = settings.scenario(
        FEEDER, size, "summer", 2, rule="prc", mode="settled", population__rule_share=settings.shares[0]
    )
    alone = cosim.run(scenario).indices
    place = {"size": "at-limit", "season": "summer", "seed": 2, "rule": "prc", "mode": "settled", "share": 0.4}
    found = answer.homes[(answer.homes[list(place)] == pd.Series(place)).all(axis=1)]
    for name in ("gain_kept_percent", "tce_kwh", "cvc_pu"):
        assert found[name].to_numpy() == pytest.approx(alone[name].to_numpy(), rel=1e-9, abs=1e-9)
    assert found["gain_kept_percent"].min() < 100


def test_a_run_that_fails_is_named_and_the_others_are_there(
    settings: AcrossSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every run of PRC on seed 2 fails; the ensemble is lived again without them, one by one."""
    small = settings.model_copy(update={"seasons": ("winter",), "rules": ("prc", "anrc"), "shares": (1.0,)})

    def breaking(scenarios: Sequence[Scenario], **options: Any) -> list[Run]:
        for place, scenario in enumerate(scenarios):
            if (scenario.rule, scenario.seed) == ("prc", 2):
                raise RunFailure(PowerFlowError(FEEDER, "did not converge", 3, scenario=place), 7, scenario.start)
        return run_ensemble(scenarios, **options)

    monkeypatch.setattr("experiments.across_feeders_runs.run_ensemble", breaking)
    found = live(small, FEEDER, Size("as-is"), ["closed-loop"])
    (note,) = found.notes
    assert "prc at 100 %, closed-loop, seed 2" in note
    assert "did not converge" in note
    there = set(zip(found.table["rule"], found.table["seed"], strict=True))
    assert there == {("none", 1), ("none", 2), ("prc", 1), ("anrc", 1), ("anrc", 2)}


def test_a_simbench_grid_is_left_out_without_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "simbench", None)  # as if it were not installed
    code = "1-LV-urban6--0-sw"
    two = changed_settings(AcrossSettings, {"feeders": [FEEDER, code]})
    found, left_out = two.usable()
    assert found == [FEEDER]
    assert code in left_out[0]
    assert "cosim-prosumers[simbench]" in left_out[0]
    with pytest.raises(InputError, match="one at least"):
        changed_settings(AcrossSettings, {"feeders": [code]}).usable()


def test_the_answer_says_what_the_table_says(answer: Answer, tmp_path: Path) -> None:
    text = report(answer)
    lines = [line for line in text.splitlines() if line.startswith(f"| {FEEDER} | at-limit | summer | 100 % | settled")]
    assert len(lines) == 1
    cell = answer.table.set_index(CELL)
    kept = [
        cell.loc[(FEEDER, "at-limit", "summer", 1.0, rule, "settled"), "kept_percent"] for rule in ("prc", "hybrid")
    ]
    assert max(kept) < 99.9
    assert f"| {kept[0]:.1f} / " in lines[0]
    assert f" / {kept[1]:.1f} |" in lines[0]
    write_answer(answer, tmp_path)
    assert {"table.csv", "runs.csv", "differences.csv", "loop_gains.csv", "answer.md"} <= {
        path.name for path in tmp_path.iterdir()
    }
    for name in ("gain-kept-as-is", "gain-kept-at-limit", "hunting", "differences"):
        assert imread(tmp_path / f"{name}.png").std() > 0.01  # something is drawn


def test_the_study_without_hybrid_has_files_but_no_verdict(tmp_path: Path) -> None:
    result = study(StudyOptions({**SMALL, "days": 1, "sizes": ["as-is"], "rules": ["anrc"], "modes": ["settled"]}))
    assert result.table["rule"].tolist() == ["anrc"] * 4
    assert "Does hybrid" not in result.text
    result.write(tmp_path)
    assert not (tmp_path / "differences.csv").exists()
    assert len(pd.read_csv(tmp_path / "table.csv")) == 8  # two seasons, two shares, with and without


def test_the_sweep_is_the_same_design() -> None:
    """Each of its runs is a scenario of the study, to the digits that its sizes are written with, and the other way."""
    default = AcrossSettings()
    plan = plan_of(Path(experiments.__file__).parent / "sweeps" / "across_feeders.toml")
    axes = (default.seasons, default.sizes, default.feeders, default.modes, default.seeds, default.shares)
    assert len(plan.runs) == (1 + len(default.rules)) * np.prod([len(axis) for axis in axes])
    sizes = {"as-is": Size("as-is"), "at-limit": at_limit(default, "cigre-lv")}
    some = {run.scenario for run in plan.runs if run.fields["seed"] == 3 and run.fields["mode"] == "settled"}
    found = {scenario for scenario in some if scenario.feeder.name == "cigre-lv"}
    numbers = ("load_annual_mwh", "pv_kwp", "battery_kwh")
    for scenario in found:
        size = sizes["as-is" if scenario.feeder.background_scale else "at-limit"]
        season = "summer" if scenario.start.month == 6 else "winter"
        share = scenario.population.rule_share
        same = {"rule": scenario.rule, "mode": "settled", "population__rule_share": share}
        study_s = default.scenario("cigre-lv", size, season, 3, **same)
        exact = {f"population.{name}": getattr(study_s.population, name) for name in numbers}
        assert [getattr(scenario.population, name) for name in numbers] == pytest.approx([*exact.values()], rel=2e-4)
        assert scenario.changed(exact) == study_s
    assert len(found) * len(default.feeders) * len(default.seeds) * len(default.modes) == len(plan.runs)
