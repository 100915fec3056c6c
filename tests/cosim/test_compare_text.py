"""What is said of a comparison: tables to print, and sentences."""

from __future__ import annotations

import numpy as np

from cosim.compare import compare
from cosim.compare.text import Runs, differences_shown, means_shown, report
from tests.cosim.compared_tables import RULES, four_bus, noisy, run_rows, tidy


def test_tables_to_print_have_a_row_for_each_value() -> None:
    found = compare(noisy(seeds=4))
    shown = means_shown(found, {})
    assert shown["rule"].tolist() == list(RULES)
    assert shown["n"].tolist() == [4] * 4
    table = found.table.set_index(["rule", "measure"])
    prc = table.loc[("prc", "gain_lost_percent")]
    assert shown.set_index("rule").at["prc", "gain lost (%)"] == (
        f"{prc['mean']:.3g}±{(prc['high'] - prc['low']) / 2:.3g}"
    )
    apart = differences_shown(found, {})
    assert apart["rule"].tolist() == ["none", "prc", "anrc"]
    assert apart["pairs"].tolist() == [4] * 3
    single = means_shown(compare(four_bus()), {})
    assert single["head - end (% points)"].tolist() == ["0", "125", "50", "50"]


def test_report_says_what_it_rests_on() -> None:
    lines = report(compare(four_bus()), Runs(15, 12, {"timeout": 2}))
    assert lines[0] == "12 of 15 runs finished; 2 failed (2 timeout); 1 not run yet: this is what is there so far."
    assert lines[1].startswith("The 3 runs along control_at are one population")
    assert "One population each: no intervals. Replications in the sweep's file give some." in lines
    assert "Of 12 prosumers with a gain, 1 lose more than optimisation gave them; all count as they are." in lines
    assert "- gain kept at the head less at the end, % points: none 0, anrc 50, hybrid 50, prc 125" in lines
    assert (
        "- % of the gain lost for % of CVC cut: none 0 for 0, prc 50 for 50, anrc 16.7 for 25, hybrid 16.7 for 75"
        in lines
    )
    assert not any("interval without zero" in line for line in lines)
    few = report(compare(noisy(seeds=3)), Runs(12, 12))
    assert few[0] == "12 of 12 runs finished."
    assert any(line.startswith("Few seeds: with 3 half an interval is 4.3 times the standard error") for line in few)
    assert any(line.startswith("- prc against hybrid, interval without zero: head - end, worst tenth") for line in few)
    assert "- anrc against hybrid, interval without zero: CVC, CVC cut" in few
    alike = report(compare(noisy(seeds=5, noise=0.0)), Runs(20, 20))
    assert any(line.startswith("The seeds change nothing here") for line in alike)
    assert not any("interval without zero" in line for line in alike)
    assert not any(line.startswith("The seeds change nothing here") for line in few)


def test_report_says_who_has_no_gain() -> None:
    table = tidy([run_rows({"rule": rule}, [0.0, 0.5, 0.0], gain=[2.0, 2.0, 0.0]) for rule in RULES])
    lines = report(compare(table), Runs(4, 4))
    assert "Gain kept: 4 of 12 prosumers have no gain from optimisation and are left out." in lines
    nobody = report(compare(table.assign(gain_kept_percent=np.nan, cost_without_rule=np.nan)), Runs(4, 4))
    assert any(line.startswith("Nobody has a gain to compare with") for line in nobody)


def test_many_groups_are_counted_and_not_all_told() -> None:
    runs = [
        run_rows({"rule": rule, "tariff.kappa": k / 10}, [0.0, 1.0]) for k in range(9) for rule in ("prc", "hybrid")
    ]
    lines = report(compare(tidy(runs)), Runs(18, 18))
    assert sum(line.startswith("tariff.kappa ") for line in lines) == 6
    assert lines[-1].startswith("3 more groups are in table.csv; --per")
