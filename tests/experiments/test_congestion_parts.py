"""Parts of the congestion-relief study on made-up outcomes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cosim.study import changed_settings
from experiments.congestion_days import longest_day, pick_up_day
from experiments.congestion_figures import levels_figure, month_hours, months_figure
from experiments.congestion_flows import Flow, flow_table
from experiments.congestion_outcomes import Outcome, added_and_removed, counts, mean_counts, pick, spans_h
from experiments.congestion_scenarios import STOR
from experiments.congestion_settings import CongestionSettings
from experiments.congestion_verdict import curb_on_top

STEPS = 96


def outcome(scenario: str, beyond: list[int], *, n_days: int = 4, relieved: slice = slice(0, 0)) -> Outcome:
    """Load beyond 100 kW in some steps of a few days."""
    p_kw = np.zeros(n_days * STEPS)
    p_kw[beyond] = 150.0
    capped = np.zeros(n_days * STEPS, dtype=bool)
    capped[relieved] = True
    return Outcome(1, "critical", scenario, 100.0, p_kw, p_kw > 100.0, p_kw < -100.0, capped)


def test_where_a_measure_removes_and_makes_violations() -> None:
    """Capped in 80..87: removes 81 and 85, keeps 86; makes 90 within 6 h after it (to 111) and 120 later."""
    before = outcome(STOR, [10, 81, 85, 86, 100])
    after = outcome("Stor+CurB", [86, 90, 120], relieved=slice(80, 88))
    assert added_and_removed(before, after, 6.0, 0.25) == {
        "removed_first": 2, "removed_then": 1, "removed_else": 1, "added_first": 0, "added_then": 1, "added_else": 1,
    }  # fmt: skip
    last = outcome("Stor+CurB", [111, 112], relieved=slice(80, 88))
    found = added_and_removed(outcome(STOR, []), last, 6.0, 0.25)
    assert (found["added_then"], found["added_else"]) == (1, 1)


def test_whether_curb_on_top_harms_or_helps_is_said_with_where() -> None:
    both, on_top = f"{STOR}+ProA+ProB", f"{STOR}+ProA+ProB+CurB"
    settings = changed_settings(CongestionSettings, {"seeds": [1], "levels": ["critical"]})
    before = outcome(both, [81, 300])
    worse = outcome(on_top, [90, 95, 300], relieved=slice(80, 88))
    (line,) = curb_on_top([before, worse], settings, 0.25)
    assert line.startswith(
        "- critical: it harms (+1.0 load violations a year): in its 2 h it removes 1.0 and makes 0.0;"
    )
    assert "it removes 0.0 and makes 2.0; at other times 0.0 and 0.0." in line
    (line,) = curb_on_top([before, outcome(on_top, [300], relieved=slice(80, 88))], settings, 0.25)
    assert "it helps (-1.0 load violations a year)" in line


def test_the_pick_up_day_is_that_of_most_new_violations() -> None:
    before = outcome(STOR, [100, 101, 200])
    after = outcome("Stor+CurB", [100, 200, 202, 300, 301])
    found = pick_up_day([before, after], "critical", 1, STEPS)
    assert found.row == 3 and "(2 quarter-hours)" in found.why
    raised = replace(before, scenario="Stor+CurB", p_region_kw=before.p_region_kw + np.eye(4 * STEPS)[210] * 30)
    none = pick_up_day([before, raised], "critical", 1, STEPS)
    assert none.row == 2 and "30 kW" in none.why


def test_the_day_of_profiles_is_the_longest_of_those_congested_from_the_afternoon_on() -> None:
    """Day 1 has three in the morning, day 2 two in the evening, day 0 and the last do not count."""
    beyond = [70, 71, 72, 73, STEPS + 20, STEPS + 21, STEPS + 22, 2 * STEPS + 70, 2 * STEPS + 71, 3 * STEPS + 70]
    before = outcome(STOR, beyond)
    after = outcome("Stor+CurB", beyond, relieved=slice(STEPS + 20, STEPS + 28))
    found = longest_day([before, after], "critical", 1, STEPS)
    assert found.row == 2 and "(2 quarter-hours)" in found.why
    after = outcome("Stor+CurB", beyond, relieved=slice(2 * STEPS + 20, 2 * STEPS + 28))
    assert longest_day([before, after], "critical", 1, STEPS).row == 1
    relieved = replace(after, relieved=np.ones(4 * STEPS, dtype=bool))
    assert longest_day([before, relieved], "critical", 1, STEPS).row == 1


def test_counts_by_month_and_hour() -> None:
    times = pd.date_range("2030-01-31 23:00", periods=8, freq="15min")
    marked = np.array([True, True, False, True, True, False, False, True])
    found = month_hours(times, marked)
    assert (found[0, 23], found[1, 0], found.sum()) == (3, 2, 5)


def test_means_and_deviations_over_draws() -> None:
    """Of 3 and 5 the mean is 4 and the standard deviation sqrt(2); of one draw alone it is 0."""
    some = [outcome(STOR, [1, 2, 3]), replace(outcome(STOR, [1, 2, 3, 4, 5]), seed=2)]
    row = mean_counts(counts(some)).iloc[0]
    assert (row["load"], row["load_sd"], row["feedin"], row["feedin_sd"]) == (4.0, pytest.approx(2**0.5), 0.0, 0.0)
    assert mean_counts(counts(some[:1]))["load_sd"].iloc[0] == 0.0


def test_hours_of_too_much_load_by_day() -> None:
    assert spans_h(outcome(STOR, [1, 2, 3, 200]), STEPS).tolist() == [0.75, 0.25]


def test_an_outcome_that_is_not_there_is_said() -> None:
    with pytest.raises(LookupError, match="no outcome of 'Stor' at 'safe' with seed 1"):
        pick([outcome(STOR, [])], "safe", STOR, 1)


def test_ac_is_held_against_dc_at_peaks() -> None:
    """Peaks are 90 kW of 100 and more: 3 % off there, more elsewhere does not count."""
    p_dc_kw = np.array([10.0, 90.0, 100.0])
    flow = Flow(
        STOR, 100.0, p_dc_kw, np.array([20.0, 92.7, 101.0]),
        vm_min_pu=np.array([0.94, 0.98, 0.98]), vm_max_pu=np.array([1.0, 1.06, 1.05]),
        station_percent=np.array([10.0, 50.0, 20.0]), line_percent=np.array([5.0, 6.0, 7.0]),
        n_load_ac=1, n_feedin_ac=0, n_load_dc=0, n_feedin_dc=0,
    )  # fmt: skip
    assert flow.gap_percent == pytest.approx(3.0)
    row = flow_table([flow], 0.25).iloc[0]
    assert (row["vm_min_pu"], row["vm_max_pu"], row["beyond_band_h"]) == (0.94, 1.06, 0.5)
    assert (row["station_max_percent"], row["line_max_percent"]) == (50.0, 7.0)
    assert np.isnan(replace(flow, p_dc_kw=p_dc_kw / 2).gap_percent)


def test_figures_have_a_panel_per_scenario_and_a_bar_per_level() -> None:
    times = pd.date_range("2030-01-01", periods=4 * STEPS, freq="15min")
    some = [outcome(name, [5 * k]) for k, name in enumerate(("2030", STOR, "Stor+CurA", "Stor+CurB", "Stor+ProA"))]
    axes = [ax for ax in months_figure(some, times, "load").axes if ax.get_visible() and ax.get_title(loc="left")]
    assert [ax.get_title(loc="left") for ax in axes] == ["2030", "Stor", "+CurA", "+CurB", "+ProA"]
    levels = levels_figure(counts([*some, *(replace(o, level="safe") for o in some)]))
    assert [len(container) for container in levels.axes[0].containers if hasattr(container, "patches")] == [2] * 5
