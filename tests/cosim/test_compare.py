"""Comparing runs: populations, pools, pairs, intervals, groups."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosim.compare import MEASURES, Comparison, Question, compare
from cosim.compare.fields import design_fields, ordered, wanted
from cosim.compare.intervals import mean_interval
from cosim.compare.text import Runs, report
from feeders.errors import InputError, InputErrors
from tests.cosim.compared_tables import RULES, four_bus, noisy, run_rows, tidy

# Student's t, two-sided 95 %: the table in any textbook.
T_95 = {1: 12.706, 2: 4.303, 4: 2.776, 9: 2.262}


def row(found: Comparison, measure: str, **fields: object) -> pd.Series:
    """One row of the table."""
    table = found.table[found.table["measure"] == measure]
    for name, value in fields.items():
        table = table[table[name] == value]
    (only,) = table.index
    return table.loc[only]


def means(found: Comparison, measure: str) -> dict[object, float]:
    """Of one group: the mean of each value."""
    own = found.table[found.table["measure"] == measure]
    return dict(zip(own[found.by], own["mean"], strict=True))


@pytest.mark.parametrize("n", [2, 3, 5, 10])
def test_interval_is_the_textbooks(n: int) -> None:
    values = np.arange(n, dtype=float)
    found = mean_interval(values)
    half = T_95[n - 1] * np.sqrt(values.var(ddof=1) / n)
    assert found.mean == (n - 1) / 2
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=2e-4)
    assert found.n == n


def test_interval_leaves_out_and_counts_what_is_undefined() -> None:
    found = mean_interval(np.array([1.0, np.nan, 3.0]))
    assert (found.mean, found.n, found.n_undefined) == (2.0, 2, 1)
    one, none = mean_interval(np.array([4.0])), mean_interval(np.array([np.nan]))
    assert one.mean == 4.0 and np.isnan([one.low, one.high]).all()  # one value says nothing of others
    assert np.isnan([none.mean, none.low]).all() and (none.n, none.n_undefined) == (0, 1)


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=20), st.floats(-50, 50))
def test_interval_moves_with_its_values(values: list[float], shift: float) -> None:
    here, there = mean_interval(np.array(values)), mean_interval(np.array(values) + shift)
    assert there.low - here.low == pytest.approx(shift, abs=1e-9)
    assert here.low <= here.mean <= here.high


def test_control_at_one_home_at_a_time_is_one_population_by_default() -> None:
    found = compare(four_bus())
    assert (found.pool, list(found.per), found.values) == ("control_at", [], list(RULES))
    assert found.measured[["n_runs", "n_prosumers", "n_with_gain"]].to_numpy().tolist() == [[3, 3, 3]] * 4
    assert means(found, "spread_points") == {"none": 0, "prc": 125, "anrc": 50, "hybrid": 50}
    assert means(found, "worst_tenth_percent") == {"none": 100, "prc": -25, "anrc": 50, "hybrid": 50}
    assert means(found, "gain_lost_percent") == {
        "none": 0,
        "prc": 50,
        "anrc": pytest.approx(100 / 6),
        "hybrid": 100 / 6,
    }
    assert means(found, "tce_kwh") == {"none": 0, "prc": 6, "anrc": 2, "hybrid": 2}
    # The others feel 50 p.u. in each run: theirs is not the CVC of control at one home.
    assert means(found, "cvc_pu") == {"none": 4, "prc": 2, "anrc": 3, "hybrid": 1}
    assert means(found, "cvc_reduction_percent") == {"none": 0, "prc": 50, "anrc": 25, "hybrid": 75}


def test_without_a_pool_a_run_of_one_has_no_spread() -> None:
    found = compare(four_bus(), Question(pool="none"))
    assert (found.pool, list(found.per)) == (None, ["control_at"])
    assert len(found.measured) == 12
    spread = found.table[found.table["measure"] == "spread_points"]
    assert spread["mean"].isna().all() and (spread["n_undefined"] == 1).all()


def test_a_pool_that_lacks_a_run_is_left_out_and_counted() -> None:
    table = four_bus()
    found = compare(table[~((table["rule"] == "prc") & (table["control_at"] == "bus-4"))])
    assert found.n_incomplete == 1
    assert found.values == ["none", "anrc", "hybrid"]
    assert "1 populations lack a run along control_at and are left out." in report(found, Runs(12, 11))


def test_where_several_act_there_is_a_population_in_each_run() -> None:
    found = compare(noisy())
    assert found.pool is None
    assert len(found.measured) == 24
    pooled = compare(noisy(seeds=2, n=5), Question(pool="rule", by="mode"))
    assert pooled.measured["n_prosumers"].tolist() == [20, 20]  # all rows of the four rules


def test_means_over_seeds_with_their_interval() -> None:
    found = compare(noisy(seeds=5))
    own = found.measured[found.measured["rule"] == "prc"]["gain_lost_percent"].to_numpy()
    prc = row(found, "gain_lost_percent", rule="prc")
    assert (prc["n"], prc["n_undefined"]) == (5, 0)
    assert prc["mean"] == pytest.approx(own.mean())
    half = T_95[4] * own.std(ddof=1) / np.sqrt(5)
    assert (prc["low"], prc["high"]) == (
        pytest.approx(own.mean() - half, rel=1e-3),
        pytest.approx(own.mean() + half, rel=1e-3),
    )


def test_pairs_share_their_seed_and_leave_what_is_common_out() -> None:
    found = compare(noisy(seeds=6))
    by_seed = found.measured.pivot(index="seed", columns="rule", values="gain_lost_percent")
    expected = mean_interval((by_seed["prc"] - by_seed["hybrid"]).to_numpy())
    prc = row(found, "gain_lost_percent", rule="prc")
    assert (prc["against"], prc["n_pairs"], prc["n_unpaired"]) == ("hybrid", 6, 0)
    assert prc["difference"] == pytest.approx(expected.mean)
    assert (prc["difference_low"], prc["difference_high"]) == (
        pytest.approx(expected.low),
        pytest.approx(expected.high),
    )
    hybrid = row(found, "gain_lost_percent", rule="hybrid")
    assert np.isnan(hybrid["difference"]) and hybrid["against"] is np.nan
    # Unpaired, the variances would add up; the seeds' common factor is most of both.
    unpaired = T_95[4] * np.sqrt(by_seed["anrc"].var() / 6 + by_seed["hybrid"].var() / 6)
    anrc = row(found, "gain_lost_percent", rule="anrc")
    assert (anrc["difference_high"] - anrc["difference_low"]) / 2 < unpaired / 5


def test_a_population_without_partner_is_left_out_of_differences_and_counted() -> None:
    table = noisy(seeds=4)
    found = compare(table[~((table["rule"] == "hybrid") & (table["replication"] == 2))])
    prc = row(found, "gini_kept", rule="prc")
    assert (prc["n"], prc["n_pairs"], prc["n_unpaired"]) == (4, 3, 1)
    kept = found.measured[found.measured["replication"] != 2].pivot(index="seed", columns="rule", values="gini_kept")
    assert prc["difference"] == pytest.approx((kept["prc"] - kept["hybrid"]).mean())
    lines = report(found, Runs(16, 15, {"timeout": 1}))
    assert "3 populations have no partner with rule hybrid: left out of differences." in lines


def test_undefined_is_counted_and_never_zero() -> None:
    table = noisy(seeds=3)
    found = compare(table.assign(tce_kwh=table["tce_kwh"].where(table["replication"] > 0, 0.0)))
    prc, none = row(found, "gini_tce", rule="prc"), row(found, "gini_tce", rule="none")
    assert (prc["n"], prc["n_undefined"]) == (2, 1)
    assert (none["n"], none["n_undefined"]) == (0, 3) and np.isnan(none["mean"])
    assert prc["mean"] == pytest.approx(found.measured[found.measured["rule"] == "prc"]["gini_tce"].dropna().mean())


def test_other_fields_make_groups() -> None:
    both = tidy(
        [
            part.drop(columns=["run", "run_id"])
            for k in (0.5, 1.0)
            for _, part in noisy(2, **{"tariff.kappa": k}).groupby("run")
        ]
    )
    found = compare(both)
    assert (list(found.per), list(found.averaged)) == (["tariff.kappa"], [])
    assert [group for group, _ in found.groups()] == [{"tariff.kappa": 0.5}, {"tariff.kappa": 1.0}]
    assert (found.table["n"] + found.table["n_undefined"] == 2).all()
    one = compare(both, Question(per=("none",)))
    assert (list(one.per), list(one.averaged)) == ([], ["tariff.kappa"])
    prc = row(one, "gini_kept", rule="prc")
    assert (prc["n"], prc["n_pairs"]) == (4, 4)  # pairs have the same kappa
    assert any(line.startswith("Averaged over tariff.kappa (2 values)") for line in report(one, Runs(16, 16)))
    by_kappa = compare(both, Question(by="tariff.kappa"))
    assert (list(by_kappa.per), by_kappa.values, by_kappa.base) == (["rule"], [0.5, 1.0], 0.5)
    only = compare(both, Question(where={"tariff.kappa": [1], "rule": ["prc", "hybrid"]}))
    assert (only.values, list(only.per), only.constant["tariff.kappa"]) == (["prc", "hybrid"], [], 1.0)


def test_a_field_that_follows_another_makes_no_groups_of_its_own() -> None:
    runs = []
    for rule, dead in (("none", 0.02), ("prc", 0.03)):
        for feeder, net in (("short", "four-bus"), ("long", "cigre-lv")):
            fields = {"rule": rule, "voltage.dead_pu": dead, "feeder": feeder, "feeder.name": net}
            runs.append(run_rows(fields, [0.0, 1.0]))
    found = compare(tidy(runs))
    assert list(found.per) == ["feeder"]  # not dead_pu, which changes with the rule, nor the net's own name
    assert row(found, "cvc_pu", rule="prc", feeder="long")["n_pairs"] == 1


def test_named_cases_are_pairs_where_all_but_their_rule_is_the_same() -> None:
    runs = []
    for k, (rule, kappa) in enumerate([("none", 0.5), ("hybrid", 0.5), ("none", 1.0), ("hybrid", 1.0)]):
        fields = {"case": f"case-{k}", "rule": rule, "tariff.kappa": kappa}
        runs.append(run_rows(fields, [0.0, 0.0, k], cvc=[1.0, 1.0, 3.0 - k / 2]))
    found = compare(tidy(runs))
    assert list(found.per) == ["tariff.kappa"]
    assert row(found, "cvc_reduction_percent", rule="hybrid", **{"tariff.kappa": 0.5})["mean"] == pytest.approx(10)
    assert row(found, "gain_lost", rule="none", **{"tariff.kappa": 1.0})["difference"] == -1


def test_samples_are_named_by_their_number_and_paired() -> None:
    runs = [
        run_rows({"sample": s, "tariff.kappa": 0.3 + 0.1 * s, "rule": rule}, [0.0, share * (s + 1)])
        for s in range(3)
        for rule, share in (("prc", 0.5), ("hybrid", 0.25))
    ]
    assert list(compare(tidy(runs)).per) == ["sample"]
    fresh = tidy([part.drop(columns=["run", "run_id"]) for part in runs])
    found = compare(fresh, Question(per=("none",)))
    prc = row(found, "gain_lost", rule="prc")
    assert (prc["n_pairs"], prc["difference"]) == (3, pytest.approx(0.25 * 2))
    assert list(found.averaged) == ["sample", "tariff.kappa"]


def test_cvc_is_cut_only_from_what_the_same_seed_has_without_rule() -> None:
    table = noisy(seeds=3)
    found = compare(table)
    assert means(found, "cvc_reduction_percent") == pytest.approx({"none": 0, "prc": 50, "anrc": 25, "hybrid": 50})
    without = compare(table[table["rule"] != "none"])
    assert np.isnan(list(means(without, "cvc_reduction_percent").values())).all()
    some = compare(table[~((table["rule"] == "none") & (table["replication"] == 1))])
    assert row(some, "cvc_reduction_percent", rule="prc")["n_undefined"] == 1
    calm = compare(table.assign(cvc_pu=(table["rule"] == "prc").astype(float)))  # nothing to cut, and one rule adds
    assert calm.measured["cvc_reduction_percent"].isna().all()


def test_rows_in_another_order_say_the_same() -> None:
    table = noisy(seeds=3)
    shuffled = table.sample(frac=1, random_state=1)
    here, there = compare(table).table, compare(shuffled).table
    there = here[["rule", "measure"]].merge(there, on=["rule", "measure"])
    for name in ("mean", "low", "difference", "difference_high"):
        np.testing.assert_allclose(here[name], there[name], rtol=1e-9, atol=1e-9)


def test_order_of_values() -> None:
    assert ordered(["volt-var", "hybrid", "prc", "none", "anrc"]) == ["none", "prc", "anrc", "hybrid", "volt-var"]
    assert ordered([1.0, 0.25, 0.5, 1.0]) == [0.25, 0.5, 1.0]
    assert ordered(["winter", "summer"]) == ["winter", "summer"]


def test_fields_are_what_stands_before_the_prosumer() -> None:
    expected = ["rule", "control_at", "mode", "feeder.name", "start", "days"]
    assert design_fields(four_bus()) == expected
    table = four_bus().assign(mode=[["a", "b"]] * 36)  # an array as a field is still something to group by
    assert compare(table, Question(by="mode")).values == ["['a', 'b']"]


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (Question(by="rle"), "--by: 'rle' is not allowed; allowed: a known key; nearest: rule"),
        (Question(base="prcc"), "--base: 'prcc' is not allowed; allowed: one of none, prc, anrc, hybrid"),
        (Question(per=("contrl_at",)), "--per: 'contrl_at' is not allowed; allowed: a known key; nearest: control_at"),
        (Question(pool="seeds"), "--pool: 'seeds' is not allowed"),
        (
            Question(where={"rule": ["vde"]}),
            "--where rule: 'vde' is not allowed; allowed: one of none, prc, anrc, hybrid",
        ),
        (Question(where={"rul": ["prc"]}), "--where: 'rul' is not allowed; allowed: a known key; nearest: rule"),
    ],
)
def test_what_is_not_there_is_refused(question: Question, said: str) -> None:
    with pytest.raises(InputError) as error:
        compare(four_bus(), question)
    assert said in str(error.value)


def test_conditions_are_read_as_toml() -> None:
    pairs = ["rule=prc", "rule=anrc", "days=2", "tariff.kappa=0.5", "x=a=b"]
    assert wanted(pairs) == {"rule": ["prc", "anrc"], "days": [2], "tariff.kappa": [0.5], "x": ["a=b"]}
    assert wanted(None) == {}
    with pytest.raises(InputErrors, match="FIELD=VALUE"):
        wanted(["rule"])


def test_every_measure_has_a_name_and_a_place_in_the_table() -> None:
    found = compare(noisy(seeds=2))
    assert set(found.table["measure"]) == set(MEASURES)
    assert len({measure.title for measure in MEASURES.values()}) == len(MEASURES)
