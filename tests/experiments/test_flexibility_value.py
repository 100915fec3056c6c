"""The value of flexibility: what must hold whatever house, day and price, and the files of the study."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from agents.prosumer import ArbitragePlanner, Battery, Horizon
from cosim.build import build_signals
from cosim.data import day_start
from cosim.study import StudyOptions, changed_settings
from experiments.flexibility_report import battery_values, claims, report, summary, write_answer
from experiments.flexibility_value import Answer, FlexibilitySettings, flexibility, study
from feeders.errors import InputErrors

pytestmark = [pytest.mark.usefixtures("feeders_built_once")]

DAYS = ["2016-06-09", "2016-12-07"]
SMALL = {"dates": DAYS, "shares": [0.0, 0.1, 0.4], "kappas": [0.0, 0.5, 1.0]}
TIES = 1e-5
"""Of a day's cost: what breaking ties may leave unearned, a few millionths of the mean price per kWh moved."""


@pytest.fixture(scope="module")
def answer() -> Answer:
    return flexibility(changed_settings(FlexibilitySettings, SMALL), StudyOptions())


def test_more_flexible_load_never_costs_more(answer: Answer) -> None:
    """With a larger share f' the load f + (f' - f) * load is among the permitted ones, and it is the same load."""
    costs = answer.costs.set_index(["tariff", "house", "battery", "kappa", "day", "share"])["cost"].unstack("share")
    assert len(costs) == 3 * 2 * 2 * 3 * 2
    rise = np.diff(costs.to_numpy(), axis=1)
    assert (rise <= TIES * np.abs(costs.to_numpy()).max()).all()
    assert (rise < -1e-3).any()  # and it is not for want of any effect


def test_a_battery_never_costs_anything(answer: Answer) -> None:
    """It may stay empty."""
    values = battery_values(answer.costs)["value"]
    assert (values >= -TIES * answer.costs["cost"].abs().max()).all()
    assert (values > 0.01).any()


def test_without_exports_kappa_is_nothing(answer: Answer) -> None:
    """Neither PV nor battery: net load is at least 0, so that no selling price is ever paid."""
    costs = answer.costs
    plain = costs[(costs["house"] == "no PV") & ~costs["battery"]]
    by_kappa = plain.pivot_table(index=["tariff", "share", "day"], columns="kappa", values="cost").to_numpy()
    assert by_kappa.shape == (3 * 3 * 2, 3)
    np.testing.assert_allclose(by_kappa, by_kappa[:, [0, 0, 0]], rtol=TIES)
    sunny = costs[(costs["house"] == "PV") & ~costs["battery"] & (costs["day"] == DAYS[0])]
    assert (sunny.groupby(["tariff", "share"])["cost"].agg(np.ptp) > 0.01).all()


def test_a_flat_price_pays_no_battery_without_pv(answer: Answer) -> None:
    """Nothing to be had from one time to another, and the way through the battery loses a tenth."""
    values = battery_values(answer.costs)
    flat = values[(values["tariff"] == "flat") & (values["house"] == "no PV")]["value"]
    np.testing.assert_allclose(flat, 0.0, atol=1e-9)


def test_under_a_flat_price_the_battery_is_worth_the_sun_it_keeps(answer: Answer) -> None:
    """At one price p, a kWh of sun kept is worth ``p * eta * eta - kappa * p``: linear in kappa while that is above 0.

    So what it is worth at kappa = 0.5, over what at 0, is (0.95^2 - 0.5) / 0.95^2 where both keep the same: the sunny
    day fills the battery either way.
    """
    values = battery_values(answer.costs)
    sunny = values[(values["tariff"] == "flat") & (values["house"] == "PV") & (values["day"] == DAYS[0])]
    worth = sunny[sunny["share"] == 0.0].set_index("kappa")["value"]
    assert worth[0.5] / worth[0.0] == pytest.approx((0.95**2 - 0.5) / 0.95**2, rel=1e-6)
    assert worth[1.0] == pytest.approx(0.0, abs=1e-9)


def test_a_cost_is_the_optimum_of_the_linear_program(answer: Answer) -> None:
    """One case by HiGHS, in one plan from midnight, without the co-simulation."""
    s = answer.settings
    scenario = s.scenario("real-time", [s.house("house", s.pv_kwp, s.battery_kwh, 0.4)])
    scenario = scenario.changed({"start": day_start(pd.Timestamp(DAYS[1]).date()), "tariff.kappa": 0.5})
    signals = build_signals(scenario)
    horizon = Horizon(
        signals.price_buy[:, 0],
        signals.price_sell[:, 0],
        (signals.p_load_kw - signals.p_pv_kw)[:, 0],
        signals.p_flexible_min_kw[:, 0],
        signals.p_flexible_max_kw[:, 0],
        0.0,
        0.25 * float(signals.p_flexible_kw.sum()),
    )
    battery = Battery.from_c_rate(2.0, 1.0, 1.0, efficiency_charge=0.95, efficiency_discharge=0.95)
    found = answer.costs.set_index(["tariff", "house", "battery", "kappa", "day", "share"])["cost"]
    cost = ArbitragePlanner(96, battery, 0.25).plan(horizon).cost
    assert found["real-time", "PV", True, 0.5, DAYS[1], 0.4] == pytest.approx(cost, rel=1e-6)


def test_the_net_load_stands_still_where_exports_pay_less(answer: Answer) -> None:
    zeros = answer.zeros.pivot_table(index="day", columns="kappa", values="zero_percent")
    assert (zeros[[0.0, 0.5]] > 5).all(axis=None)
    assert (zeros[1.0] == 0).all()
    day = answer.day[0.5]
    shown = 100 * (day["p_meter_kw"].abs() <= 1e-9).mean()
    assert zeros.at["2016-06-09", 0.5] == shown
    # The flexible load keeps its energy and its bounds.
    assert day["p_flexible_kw"].sum() == pytest.approx(day["p_usual_kw"].sum(), rel=1e-9)
    assert (day["p_flexible_kw"] <= 2 * day["p_usual_kw"] + 1e-9).all()


def test_savings_are_of_the_cost_with_neither(answer: Answer) -> None:
    table = summary(answer.costs).set_index(["tariff", "house", "battery", "kappa", "share"])
    costs = answer.costs.groupby(["tariff", "house", "battery", "kappa", "share"])["cost"].sum()
    case = ("real-time", "no PV", True, 0.5, 0.4)
    plain = costs["real-time", "no PV", False, 0.5, 0.0]
    assert table.loc[case, "saving_percent"] == pytest.approx(100 * (1 - costs[case] / plain), rel=1e-12)
    assert (table.xs(0.0, level="share").xs(False, level="battery")["saving_percent"].dropna() == 0).all()


def test_verdicts_follow_the_numbers(answer: Answer) -> None:
    found = {claim.what: claim for claim in claims(answer)}
    assert found["flexible load alone is immune to kappa (no PV)"].holds is True
    assert found["flexible load alone is immune to kappa (PV)"].holds is False
    assert found["a battery is worth more at a lower kappa (flat, PV)"].holds is True
    assert "a battery is worth more at a lower kappa (flat, no PV)" not in found  # worth nothing at all
    assert found["net load saturates at zero for kappa < 1"].holds is True
    dear = answer.costs.assign(cost=answer.costs["cost"].where(~answer.costs["battery"], 0.0))
    free = Answer(answer.settings, dear, answer.day, answer.zeros)  # a battery that pays every bill
    assert {claim.what: claim for claim in claims(free)}["saving with 40% flexible load and the battery"].holds is True


def test_progress_and_settings() -> None:
    seen: list[float] = []
    quick = {"dates": DAYS[:1], "shares": [0.0, 0.4], "kappas": [0.0, 1.0], "tariffs": ["flat"], "battery_kwh": 1.0}
    result = study(StudyOptions(quick, progress=lambda done, total: seen.append(done / total)))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert set(result.table["share"]) == {0.0, 0.4}
    assert "battery 1 kWh 1C-1C" in result.text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dates": ["2016-07-01"]}, "a day of the extract"),
        ({"kappas": [0.0, 1.5]}, "from 0 to 1"),
        ({"shares": [0.1]}, "shares"),
        ({"tariffs": ["hourly"]}, "real-time"),
        ({"pv": 2.0}, "pv_kwp"),
    ],
)
def test_wrong_settings(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputErrors, match=message):
        changed_settings(FlexibilitySettings, changes)


def test_files(answer: Answer, tmp_path: Path) -> None:
    write_answer(answer, tmp_path)
    assert {path.name for path in tmp_path.glob("*.png")} == {"cost-by-share.png", "battery-value.png", "day.png"}
    for path in tmp_path.glob("*.png"):
        image = imread(path)[:, :, :3]
        assert image.var() > 1e-3
        edges = (image[0], image[-1], image[:, 0], image[:, -1])
        assert min(edge.min() for edge in edges) == 1.0  # nothing is cut off at the edge
    days = pd.read_csv(tmp_path / "days.csv")
    np.testing.assert_allclose(days["cost"], answer.costs["cost"], rtol=1e-9, atol=1e-12)
    assert len(pd.read_csv(tmp_path / "table.csv")) == 3 * 2 * 2 * 3 * 3
    assert report(answer) in (tmp_path / "report.md").read_text(encoding="utf-8")
