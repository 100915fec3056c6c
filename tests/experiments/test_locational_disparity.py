"""The study of locational disparity: how it was set up, and that the published order holds on every day.

All 28 days of the extract are run once (about 40 s); the tests read that one answer.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

import experiments
from cosim import ProsumerSpec, Run, Scenario, run_ensemble
from cosim.data import day_start, extract_days, load_extract
from cosim.study import StudyOptions, load_study
from experiments.disparity_report import PUBLISHED, comparison, report, write_answer
from experiments.locational_disparity import (
    COLUMNS,
    Answer,
    Case,
    base_scenario,
    cases_of_day,
    disparity,
    study,
)

STARTS = [day_start(day) for day in extract_days()]
IDS = ("home-2", "home-3", "home-4")
DAYS = [f"{day:%Y-%m-%d}" for day in extract_days()]
TOLERANCE = 1e-9  # on sums of 1440 values of order 1, each rounded to 1e-16; far below what is reported


@pytest.fixture(scope="module")
def base() -> Scenario:
    return base_scenario()


@pytest.fixture(scope="module")
def answer(base: Scenario) -> Answer:
    return disparity(base, STARTS, StudyOptions())


def alone(answer: Answer, bus: int, mode: str = "open-loop") -> Mapping[str, pd.DataFrame]:
    """By rule: one row per day for control tried at one bus alone."""
    table = answer.table[(answer.table["bus"] == bus) & (answer.table["mode"] == mode)]
    return {str(rule): rows.set_index("day").loc[DAYS] for rule, rows in table.groupby("rule")}


def days_where(condition: pd.Series[bool]) -> list[str]:
    return [str(day) for day in condition.index[condition]]


def test_the_study_is_found_by_its_name() -> None:
    assert load_study("locational-disparity") is study


def test_the_base_is_the_published_case(base: Scenario) -> None:
    """Section V-C: the same house at buses 2, 3 and 4; 2.5 kWp, 1 kWh 0.5C-0.5C, 3 kVA, kappa = 1, 5 % flexible."""
    assert [p.bus for p in base.prosumers] == [2, 3, 4]
    assert tuple(p.id for p in base.prosumers) == IDS
    for p in base.prosumers:
        house = (p.pv_kwp, p.battery_kwh, p.battery_c_charge, p.battery_c_discharge, p.inverter_kva, p.flexible_share)
        assert house == (2.5, 1.0, 0.5, 0.5, 3.0, 0.05)
        assert p == ProsumerSpec(id=p.id, bus=p.bus)
    assert base.feeder.name == "four-bus"
    assert base.tariff.kappa == 1.0
    assert (base.days, base.market_step_min, base.control_step_min) == (1, 15, 1)
    assert base.forecast.kind == "perfect"


def test_the_file_has_no_field_that_the_scenario_does_not_keep(base: Scenario) -> None:
    path = Path(experiments.__file__).parent / "scenarios" / "four_bus.toml"
    written, kept = tomllib.loads(path.read_text()), base.model_dump()
    assert written.keys() <= kept.keys()
    for table in ("voltage", "tariff"):
        assert written[table].items() <= kept[table].items()


def test_the_limits_follow_from_the_published_shares_of_samples(base: Scenario) -> None:
    """At bus 4 with nobody optimising: 4 + 1 of 1440 samples beyond the limits, 86 + 39 beyond the dead band.

    The quantiles of the deviation from 1 p.u. at these shares, over the whole extract, rounded to 0.005.
    """
    runs = run_ensemble([Case(start, "closed-loop", "none", ()).scenario(base) for start in STARTS])
    deviation = np.abs(np.concatenate([run.column("vm_pu")[:, 2] for run in runs]) - 1)
    assert len(deviation) == 28 * 1440
    limit, dead = (200 * np.quantile(deviation, 1 - beyond / 1440) for beyond in (4 + 1, 86 + 39))
    found = (1 - round(limit) / 200, round(dead) / 200, 1 + round(limit) / 200)
    assert (base.voltage.vm_min_pu, base.voltage.dead_pu, base.voltage.vm_max_pu) == pytest.approx(found, abs=1e-12)


def test_the_default_day_is_the_sunniest(base: Scenario) -> None:
    sun = load_extract()["PV1"]
    energy = [sun.loc[start : start + pd.Timedelta("23h45min")].sum() for start in STARTS]
    assert base.start == STARTS[int(np.argmax(energy))]


def test_published_figures() -> None:
    """Hashmi et al., arXiv 2207.10248, table VII, bus 4."""
    assert PUBLISHED.loc["prc"].to_dict() == {"lcg_percent": 43.35, "tce_kwh": 2.275, "cvc_pu": 0.637}
    assert PUBLISHED.loc["anrc"].to_dict() == {"lcg_percent": 1.3, "tce_kwh": 0.188, "cvc_pu": 1.345}
    assert PUBLISHED.loc["hybrid"].to_dict() == {"lcg_percent": 1.3, "tce_kwh": 0.188, "cvc_pu": 0.329}


def test_cases_of_a_day(base: Scenario) -> None:
    cases = list(cases_of_day(base, STARTS[0], "open-loop"))
    assert len(cases) == len(set(cases)) == 1 + 4 * (3 + 1)
    assert cases[0] == Case(STARTS[0], "open-loop", "none", ())
    assert {case.active for case in cases if case.rule == "prc"} == {*((name,) for name in IDS), IDS}
    scenario = Case(STARTS[3], "open-loop", "prc", ("home-3",)).scenario(base)
    assert (scenario.start, scenario.mode, scenario.rule) == (STARTS[3], "open-loop", "prc")
    assert [(p.optimise, p.rule) for p in scenario.prosumers] == [(False, "none"), (True, "prc"), (False, "none")]


def test_columns_of_the_table(base: Scenario) -> None:
    """And a short day's worth of progress: it only rises, and ends at its end."""
    seen: list[float] = []
    options = StudyOptions(progress=lambda done, total: seen.append(done / total))
    table = disparity(base.changed({"control_step_min": 15}), [pd.Timestamp(base.start)], options).table
    assert [
        *("mode", "rule", "bus", "cost", "lcg_percent", "gain_kept_percent", "tce_kwh", "cvc_pu"),
        *("n_above_max", "n_above_dead", "n_below_dead", "n_below_min"),
    ] == COLUMNS
    assert list(table.columns[:13]) == ["day", *COLUMNS]
    assert len(table) == 2 * 4 * (3 + 3)  # two loops, four rules, three alone and three together
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_every_day_is_there_once(answer: Answer) -> None:
    assert answer.table["day"].unique().tolist() == DAYS
    assert len(answer.table) == 28 * 48
    assert answer.table.groupby(["day", "mode", "rule", "prosumer"]).size().eq(1).all()
    assert np.isfinite(answer.table[["cost", "tce_kwh", "cvc_pu"]].to_numpy()).all()
    assert set(answer.runs) == {
        case
        for mode in ("open-loop", "closed-loop")
        for case in cases_of_day(answer.base, pd.Timestamp(answer.base.start), mode)
    }


@pytest.mark.parametrize("mode", ["open-loop", "closed-loop"])
def test_the_head_of_the_feeder_loses_nothing_under_any_rule(answer: Answer, mode: str) -> None:
    """Bus 2 never leaves the dead band, where every rule permits everything: not almost nothing, but nothing."""
    head = alone(answer, 2, mode)
    for rule in ("prc", "anrc", "hybrid"):
        rows = head[rule]
        assert (rows[["n_above_dead", "n_below_dead"]] == 0).to_numpy().all()  # the premise
        assert (rows["cost"] == head["none"]["cost"]).all()
        assert (rows["lcg_percent"] == 0).all()
        assert (rows["tce_kwh"] == 0).all()


def test_the_head_of_the_feeder_injects_no_reactive_power(base: Scenario, answer: Answer) -> None:
    """On all days in open loop, from runs of its own: an answer keeps those of the default day alone."""
    cases = [Case(start, "open-loop", rule, ("home-2",)) for start in STARTS for rule in ("prc", "anrc", "hybrid")]
    runs = [*run_ensemble([case.scenario(base) for case in cases])]
    runs += [run for case, run in answer.runs.items() if case.active == ("home-2",)]
    assert [np.abs(run.column("q_inverter_kvar")[:, 0]).max() for run in runs] == [0.0] * (28 * 3 + 8)


def test_some_days_are_bad_enough_to_tell_the_rules_apart(answer: Answer) -> None:
    """Else the orders below would hold for want of anything to order."""
    far = alone(answer, 4)
    assert len(days_where(far["prc"]["cost"] > far["hybrid"]["cost"] + 1e-4)) >= 5
    assert len(days_where(far["prc"]["tce_kwh"] > far["hybrid"]["tce_kwh"] + 1e-2)) >= 5
    assert len(days_where(far["none"]["cvc_pu"] > far["anrc"]["cvc_pu"] + 1e-2)) >= 5
    assert len(days_where(far["anrc"]["cvc_pu"] > far["hybrid"]["cvc_pu"] + 1e-2)) >= 5


def test_prc_costs_and_curtails_at_least_as_much_as_hybrid(answer: Answer) -> None:
    far = alone(answer, 4)
    assert days_where(far["prc"]["cost"] < far["hybrid"]["cost"] - TOLERANCE) == []
    assert days_where(far["prc"]["tce_kwh"] < far["hybrid"]["tce_kwh"] - TOLERANCE) == []


def test_hybrid_costs_what_anrc_costs(answer: Answer) -> None:
    far = alone(answer, 4)
    assert days_where((far["hybrid"]["cost"] - far["anrc"]["cost"]).abs() > TOLERANCE) == []
    assert days_where((far["hybrid"]["tce_kwh"] - far["anrc"]["tce_kwh"]).abs() > TOLERANCE) == []


def test_rules_correct_the_voltage_in_their_order(answer: Answer) -> None:
    """CVC: PRC and hybrid at most ANRC, ANRC at most no rule; hybrid against PRC is open."""
    far = alone(answer, 4)
    assert days_where(far["prc"]["cvc_pu"] > far["anrc"]["cvc_pu"] + TOLERANCE) == []
    assert days_where(far["hybrid"]["cvc_pu"] > far["anrc"]["cvc_pu"] + TOLERANCE) == []
    assert days_where(far["anrc"]["cvc_pu"] > far["none"]["cvc_pu"] + TOLERANCE) == []


def test_the_indices_are_those_of_the_runs(answer: Answer) -> None:
    """One case by hand: PRC at bus 4 on the default day, compared with its own run without a rule, and with none."""
    start = pd.Timestamp(answer.base.start)

    def cost(rule: str, active: tuple[str, ...]) -> float:
        run: Run = answer.runs[Case(start, "open-loop", rule, active)]
        p_kw, price = run.column("p_meter_kw")[:, 2], run.column("price_buy")[:, 2]
        return float((p_kw * price).sum() / 60)  # kappa = 1: one price, no matter the direction

    under, free, idle = cost("prc", ("home-4",)), cost("none", ("home-4",)), cost("none", ())
    row = alone(answer, 4)["prc"].loc[f"{start.tz_convert('Europe/Berlin'):%Y-%m-%d}"]
    # 1e-9: the same sums in another order.
    assert row["cost"] == pytest.approx(under, abs=1e-9)
    assert row["lcg_percent"] == pytest.approx(100 * (under - free) / abs(free), rel=1e-9)
    assert row["gain_kept_percent"] == pytest.approx(100 * (idle - under) / (idle - free), rel=1e-9)


def test_published_sizes_stand_beside_ours(answer: Answer) -> None:
    table = comparison(answer.table, answer.base)
    assert len(table) == 2 * 3 * 3
    row = table[(table["mode"] == "open-loop") & (table["rule"] == "prc") & (table["index"] == "tce_kwh")].iloc[0]
    days = alone(answer, 4)["prc"]["tce_kwh"]
    assert row["published"] == 2.275
    assert (row["min"], row["median"], row["max"]) == (days.min(), days.median(), days.max())
    text = report(answer.table, answer.base)
    assert "Changed" not in text
    assert "Changed for this run, whatever is said below: {'tariff.kappa': 0.5}" in report(
        answer.table, answer.base, {"tariff.kappa": 0.5}
    )
    assert "PRC costs and curtails at least as much as hybrid: 28 of 28" in text
    assert "hybrid costs what ANRC costs: 28 of 28" in text


def test_the_answer_on_disk(answer: Answer, tmp_path: Path) -> None:
    write_answer(answer, answer.table[COLUMNS].head(24), tmp_path)
    figures = {path.name for path in tmp_path.glob("*.png")}
    assert figures == {"voltages-without-control.png", "voltages-with-control.png", "plan.png", "disparity-by-day.png"}
    for name in figures:
        image = imread(tmp_path / name)[:, :, :3]
        assert image.var() > 1e-3
        assert image[0].min() == image[-1].min() == 1.0  # nothing is cut off at the edge
    days = pd.read_csv(tmp_path / "days.csv")
    assert len(days) == len(answer.table)
    np.testing.assert_allclose(days["cost"], answer.table["cost"], rtol=1e-9, atol=1e-12)  # written with 10 digits
    assert list(pd.read_csv(tmp_path / "table.csv").columns) == COLUMNS
    assert (tmp_path / "table.md").read_text(encoding="utf-8").startswith("# Locational disparity, 20")
