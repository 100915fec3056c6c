"""Inverter sizes: what must hold by theory, how profit is counted, and the files of the study."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from cosim import run_ensemble
from cosim.data import day_start
from cosim.prosumer_spec import ProsumerSpec
from cosim.study import StudyOptions, changed_settings
from experiments import inverter_sizing as module
from experiments.inverter_sizing import SHARED, Answer, Case, SizingSettings, sizing, study
from experiments.sizing_report import PUBLISHED_KEPT, claims, report, required_kva, summary, write_answer
from feeders.errors import InputErrors

pytestmark = [pytest.mark.usefixtures("feeders_built_once")]

DAYS = ["2016-05-05", "2016-06-09"]
SMALL = {"dates": DAYS, "sizes": [0.5, 1.0, 2.0, 6.0], "pv_shares": [0.5], "limit_scales": [1.0, 0.5]}
CASE = ["rule", "inverters", "limit_scale", "size_kva"]


@pytest.fixture(scope="module")
def answer() -> Answer:
    return sizing(changed_settings(SizingSettings, SMALL), StudyOptions())


def test_every_case_is_there_once(answer: Answer) -> None:
    assert len(answer.days) == 2 * (4 * 2 * 4 + 3)  # days; rules, arrangements, sizes; rules with other limits
    assert answer.days.groupby([*CASE, "day"]).size().eq(1).all()
    assert np.isfinite(answer.days.select_dtypes("number")).all(axis=None)


def test_two_inverters_have_the_size_together(answer: Answer) -> None:
    def house(case: Case) -> ProsumerSpec:
        return module._scenario(answer.settings, answer.base, case).prosumers[2]

    assert answer.settings.inverters == {SHARED: None, "two, 50 % for PV": 0.5}
    shared = house(Case("prc", SHARED, 1.5, 1.0))
    assert (shared.inverter_kva, shared.pv_inverter_kva, shared.rule) == (1.5, None, "prc")
    third = changed_settings(SizingSettings, {**SMALL, "pv_shares": [1 / 3]})
    (name,) = set(third.inverters) - {SHARED}
    two = module._scenario(third, answer.base, Case("anrc", name, 1.5, 1.0)).prosumers[2]
    assert (two.inverter_kva, two.pv_inverter_kva) == (pytest.approx(1.0), pytest.approx(0.5))
    others = [p for p in answer.base.prosumers if p.id != "home-4"]
    assert [(p.optimise, p.rule) for p in others] == [(False, None), (False, None)]


def test_an_ample_inverter_without_rule_keeps_everything(answer: Answer) -> None:
    """6 kVA, or twice 3, for 2 kWp and 1 kW of battery: nothing ever binds."""
    table = summary(answer.days)
    ample = table[(table["rule"] == "none") & (table["size_kva"] == 6.0)]
    assert len(ample) == 2
    np.testing.assert_allclose(ample["profit_kept_percent"], 100.0, rtol=1e-9)
    assert (ample["pv_used_percent"] == 100.0).all()


def test_no_rule_ever_keeps_more_than_all(answer: Answer) -> None:
    """Costs less than the optimum: nobody can, as plans come true and the forecast is perfect."""
    days = answer.days
    assert (days["cost"] >= days["free"] - 1e-5 * days["free"].abs()).all()
    assert (days["curtailed_kwh"] <= days["available_kwh"] + 1e-9).all()
    assert (days["free"] < days["idle"]).all()
    assert (days["idle"] < days["nominal"]).all()


@pytest.mark.parametrize("pv_shares", [[0.5], []])
def test_without_a_battery_a_larger_inverter_never_spills_more(pv_shares: list[float]) -> None:
    """At given voltages a rule permits the rating times a number: what may be exported never falls with the size."""
    changes = {**SMALL, "battery_kwh": 0.0, "pv_shares": pv_shares, "dates": DAYS[1:]}
    days = sizing(changed_settings(SizingSettings, changes), StudyOptions()).days
    spilled = days.pivot_table(index=[*CASE[:3], "day"], columns="size_kva", values="curtailed_kwh").loc[:, :, 1.0]
    assert len(spilled) == 4 * (1 + len(pv_shares))
    assert (np.diff(spilled.to_numpy(), axis=1) <= 1e-9).all()
    assert (spilled[0.5] > spilled[6.0] + 0.5).all()


def test_hybrid_moves_active_power_as_anrc_does(answer: Answer) -> None:
    """Its reactive power differs, and in open loop no voltage comes back."""
    table = answer.days.set_index([*CASE, "day"])
    pd.testing.assert_frame_equal(table.loc["hybrid"], table.loc["anrc"])


def test_profits_are_of_the_runs(answer: Answer) -> None:
    """One case by hand: PRC, 1 kVA shared, in runs of their own."""
    base = answer.base
    start = day_start(pd.Timestamp(DAYS[1]).date()).to_pydatetime()
    house = "prosumers.home-4."
    ample = {"start": start, f"{house}inverter_kva": 6.0}
    runs = run_ensemble(
        [
            base.changed({"start": start, f"{house}rule": "prc", f"{house}inverter_kva": 1.0}),
            base.changed(ample),
            base.changed({**ample, f"{house}optimise": False}),
            base.changed({**ample, f"{house}optimise": False, f"{house}battery_kwh": 0.0, f"{house}pv_kwp": 0.0}),
        ]
    )
    cost, free, idle, nominal = (float(run.totals["cost"].iloc[2]) for run in runs)
    day = answer.days[answer.days["day"] == DAYS[1]]
    row = summary(day).set_index(CASE).loc[("prc", "shared", 1.0, 1.0)]
    # Kappa is 0: only what is imported costs anything.
    assert row["profit_kept_percent"] == pytest.approx(100 * (idle - cost) / (idle - free), rel=1e-9)
    assert row["installation_kept_percent"] == pytest.approx(100 * (nominal - cost) / (nominal - free), rel=1e-9)
    assert row["cost_percent"] == pytest.approx(100 * cost / nominal, rel=1e-9)


def test_required_size() -> None:
    def table(kept: list[float]) -> pd.DataFrame:
        rows = {"rule": "prc", "inverters": "shared", "size_kva": [1.0, 2.0, 3.0], "profit_kept_percent": kept}
        return pd.DataFrame(rows)

    assert required_kva(table([50.0, 99.5, 100.0]), "prc", "shared") == 2.0
    assert required_kva(table([100.0, 99.5, 99.1]), "prc", "shared") == 1.0
    assert np.isnan(required_kva(table([50.0, 100.0, 90.0]), "prc", "shared"))
    assert required_kva(table([99.5, 90.0, 100.0]), "prc", "shared") == 3.0


def test_verdicts_follow_the_numbers(answer: Answer) -> None:
    assert PUBLISHED_KEPT == {"anrc": 82.4, "prc": 25.0}  # Hashmi et al., arXiv 2207.10248, section V-B

    def verdict(days: pd.DataFrame, what: str) -> bool | None:
        (found,) = (claim for claim in claims(replace(answer, days=days)) if claim.what == what)
        return found.holds

    days = answer.days
    what = "profit kept under ANRC, 6 kVA"
    assert verdict(days, what) is False
    anrc = days["rule"] == "anrc"
    as_published = days["idle"] - 0.824 * (days["idle"] - days["free"])
    assert verdict(days.assign(cost=days["cost"].where(~anrc, as_published)), what) is True
    assert verdict(days, "PRC keeps less than ANRC, 6 kVA") is True
    assert (
        verdict(days.assign(cost=days["cost"].where(~anrc, days["idle"])), "PRC keeps less than ANRC, 6 kVA") is False
    )
    assert verdict(days, "a shared inverter can be smaller than two (ANRC)") is True


def test_other_limits_are_drawn_nearer(answer: Answer) -> None:
    """And leave less."""
    table = summary(answer.days).set_index(CASE)["profit_kept_percent"]
    for rule in ("prc", "anrc"):
        assert table[rule, "shared", 0.5, 6.0] < table[rule, "shared", 1.0, 6.0] - 1
    v = answer.base.voltage
    assert (v.vm_min_pu, v.dead_pu, v.vm_max_pu) == (0.965, 0.02, 1.035)


def test_settings_and_progress() -> None:
    seen: list[float] = []
    quick = {"dates": DAYS[:1], "sizes": [1.0, 4.0], "rules": ["prc"], "pv_shares": [], "limit_scales": [1.0]}
    quick |= {"scenario.mode": "closed-loop", "scenario.control_step_min": 15, "kappa": 0.5}
    result = study(StudyOptions(quick, progress=lambda done, total: seen.append(done / total)))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert set(result.table["rule"]) == {"none", "prc"}
    assert "closed-loop" in result.text
    assert "kappa = 0.5" in result.text
    assert "smaller than two" not in result.text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dates": ["2016-07-01"]}, "a day of the extract"),
        ({"sizes": [0.0, 1.0]}, "above 0"),
        ({"pv_shares": [1.0]}, "below 1"),
        ({"rules": ["prk"]}, "nearest: prc"),
    ],
)
def test_wrong_settings(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputErrors, match=message):
        changed_settings(SizingSettings, changes)


def test_files(answer: Answer, tmp_path: Path) -> None:
    write_answer(answer, tmp_path)
    assert {path.name for path in tmp_path.glob("*.png")} == {"sizes.png", "limits.png"}
    for path in tmp_path.glob("*.png"):
        image = imread(path)[:, :, :3]
        assert image.var() > 1e-3
        edges = (image[0], image[-1], image[:, 0], image[:, -1])
        assert min(edge.min() for edge in edges) == 1.0  # nothing is cut off at the edge
    assert len(pd.read_csv(tmp_path / "table.csv")) == 4 * 2 * 4 + 3
    assert report(answer) in (tmp_path / "report.md").read_text(encoding="utf-8")
