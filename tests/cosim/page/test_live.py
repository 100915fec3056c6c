"""What a page watches: the same numbers as a run's, kept for the present day alone."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cosim
from agents.prosumer import RULES
from cosim import Scenario
from cosim.page.controls import Board
from cosim.page.given import default_scenario
from cosim.page.live import Live
from cosim.page.loading import feeder_state
from cosim.page.run_log import MOST_ENTRIES
from cosim.page.wallets import SUMMARY, WALLET
from cosim.profiles import market_times
from cosim.tariff import SyntheticTariff
from feeders import make_engine
from feeders.errors import InputError

SCENARIOS = Path(cosim.__file__).parents[1] / "experiments" / "scenarios"
FOUR_BUS = SCENARIOS / "four_bus.toml"


def live_of(scenario: Scenario, **settings: Any) -> Live:
    board = Board(scenario)
    return Live(board, replace(board.initial, **settings))


def to_the_end(live: Live) -> Live:
    while not live.finished:
        live.step()
    return live


def expected(live: Live, rule: str) -> pd.DataFrame:
    """The indices of a run of its own, in feeder order."""
    scenario = live.board.scenario(live.settings).changed({"rule": rule, "record": ()})
    indices = cosim.run(scenario).indices
    return indices.sort_values("distance_ohm", kind="stable").reset_index(drop=True)


TWO_PART = {
    "kind": "time-of-use",
    "preset": "evening-peak",
    "kappa": 0.4,
    "fixed_per_day": 0.25,
    "demand_charges": [{"name": "peak", "start": "17:00", "end": "21:00", "price": 2.0, "per": "day"}],
}


def four_bus(**changes: Any) -> Scenario:
    return Scenario.from_toml(FOUR_BUS).changed(changes)


CASES = {
    "four-bus": four_bus,
    "two days": lambda: four_bus(days=2),
    "four days": lambda: four_bus(
        start=datetime(2016, 6, 5, 22, tzinfo=UTC), days=4, market_step_min=60, control_step_min=15
    ),
    "demand charge": lambda: four_bus(tariff=TWO_PART, days=2),
    "village": lambda: Scenario.from_toml(SCENARIOS / "village.toml"),
    "settled": lambda: four_bus(mode="settled", control_step_min=5),
}


@pytest.mark.parametrize("case", CASES)
def test_at_the_end_wallets_are_those_of_runs_of_their_own(case: str) -> None:
    live = to_the_end(live_of(CASES[case]()))
    assert (live.failed, live.step_number) == (None, live.n_steps)
    table = live.wallets()
    for side, rule in enumerate((live.settings.rule, live.settings.other_rule)):
        indices = expected(live, rule)
        assert table["prosumer"].tolist() == indices["prosumer"].tolist() == list(live.names)
        for name in WALLET:
            np.testing.assert_allclose(table[f"{name}_{side}"], indices[name], rtol=1e-12, err_msg=f"{case} {name}")
    assert table["distance_ohm"].is_monotonic_increasing


def per_step(run: cosim.Run, name: str, row: int) -> np.ndarray[Any, Any]:
    """The samples of one prosumer's last day, shape (market steps, control steps in each)."""
    scenario = run.scenario
    samples = run.column(name, rows=[row], day=scenario.days - 1)[:, 0]
    return samples.reshape(-1, scenario.market_step_min // scenario.control_step_min)


def test_a_homes_day_is_what_a_run_records_of_it() -> None:
    live = to_the_end(live_of(four_bus(days=2)))
    run = cosim.run(live.board.base, references=False)
    row = live.names.index("home-4")
    day = live.home_day(0, row)
    for name in ("p_battery_kw", "p_flexible_kw", "p_meter_kw", "p_pv_kw", "p_curtailed_kw", "vm_pu"):
        np.testing.assert_allclose(getattr(day, name), per_step(run, name, 2).mean(axis=1), rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(day.vm_least_pu, per_step(run, "vm_pu", 2).min(axis=1))
    np.testing.assert_array_equal(day.vm_largest_pu, per_step(run, "vm_pu", 2).max(axis=1))
    np.testing.assert_array_equal(day.energy_kwh, per_step(run, "energy_kwh", 2)[:, -1])
    np.testing.assert_array_equal(day.price_buy, per_step(run, "price_buy", 2)[:, 0])
    assert day.name == "home-4" and day.lived().all() and day.hours[[0, -1]].tolist() == [0.0, 23.75]


def test_in_the_middle_of_a_day_what_was_lived_and_what_is_planned_meet() -> None:
    """Nobody obeys a rule and all is as forecast: what a plan holds is what is delivered later."""
    live = live_of(four_bus(rule="none", days=2))
    for _ in range(96 + 40):
        live.step()
    halfway = live.home_day(0, 1)
    assert halfway.lived().tolist() == [True] * 40 + [False] * 56
    for name in ("p_battery_kw", "p_meter_kw", "energy_kwh", "p_battery_planned_kw"):
        assert np.isnan(getattr(halfway, name)[40:]).all() and np.isfinite(getattr(halfway, name)[:40]).all()
    for name in ("p_battery_ahead_kw", "p_flexible_ahead_kw"):
        assert np.isnan(getattr(halfway, name)[:40]).all() and np.isfinite(getattr(halfway, name)[40:]).all()
    assert np.isfinite(halfway.price_buy).all() and halfway.price_buy.shape == (96,)
    whole = to_the_end(live).home_day(0, 1)
    np.testing.assert_allclose(halfway.p_battery_ahead_kw[40:], whole.p_battery_kw[40:], atol=1e-6)
    np.testing.assert_allclose(halfway.p_flexible_ahead_kw[40:], whole.p_flexible_kw[40:], atol=1e-6)
    np.testing.assert_allclose(whole.p_battery_planned_kw, whole.p_battery_kw, atol=1e-6)
    assert np.isnan(whole.p_battery_ahead_kw).all()


def test_a_rule_takes_back_part_of_what_was_planned() -> None:
    day = to_the_end(live_of(four_bus(rule="prc"))).home_day(0, 2)
    assert np.abs(day.p_battery_planned_kw - day.p_battery_kw).max() > 0.1


def test_before_the_first_step_nothing_is_known_but_what_there_is() -> None:
    live = live_of(four_bus())
    homes, state, day = live.homes(1), live.state(1), live.home_day(1, 0)
    assert (live.step_number, live.n_steps, live.finished) == (0, 96, False)
    assert live.clock_text == "Thu 9 Jun 2016, 00:00" and live.time.hour == 0
    assert np.isnan(state.vm_pu).all() and np.isnan(state.line_loading).all() and state.trafo_loading.shape == (0,)
    assert np.isnan(homes.vm_pu).all() and homes.energy_kwh.tolist() == [0.5] * 3 and len(homes) == 3
    assert not day.lived().any() and np.isnan(day.p_battery_ahead_kw).all()
    assert live.wallets()[["gain_kept_percent_0", "lcg_percent_1"]].isna().all(axis=None)
    assert live.summary()[["gain_kept_near_percent", "vm_min_pu", "vm_max_pu"]].isna().all(axis=None)
    assert list(live.summary().columns) == list(SUMMARY)


def test_the_feeders_state_is_what_pandapower_makes_of_the_same_powers() -> None:
    live = live_of(default_scenario())
    for _ in range(50):
        live.step()
    net, grid = live.feeder.net, live.model.grid
    for side in (0, 1):
        state, homes = live.state(side), live.homes(side)
        reference = make_engine(live.board.feeder(live.settings), "pandapower")
        solved = reference.write_results(grid.p_kw[side], grid.q_kvar[side])
        np.testing.assert_allclose(state.vm_pu, solved.res_bus.vm_pu, atol=1e-7)
        np.testing.assert_allclose(state.line_loading, solved.res_line.loading_percent / 100, atol=1e-6)
        sides = solved.res_trafo
        mva = np.maximum(np.hypot(sides.p_hv_mw, sides.q_hv_mvar), np.hypot(sides.p_lv_mw, sides.q_lv_mvar))
        np.testing.assert_allclose(state.trafo_loading, mva / net.trafo.sn_mva, atol=1e-6)
        present = live.model.record.present("vm_pu")[:, live.model.rows.copy == side]
        np.testing.assert_allclose(np.sort(homes.vm_pu), np.sort(present.mean(axis=0)))
        np.testing.assert_array_equal(homes.place, live.feeder.bus_positions(live.wallets()["bus"].tolist()))
        assert np.all(np.diff(homes.distance_ohm) >= 0)


def test_an_engine_without_complex_voltages_shows_voltages_alone() -> None:
    live = live_of(four_bus())
    live.step()
    grid = live.model.grid
    plain = SimpleNamespace(vm_pu=grid.vm_pu, p_kw=grid.p_kw, feeder=grid.feeder, engine=object())
    state = feeder_state(plain, 0)  # type: ignore[arg-type]
    np.testing.assert_array_equal(state.vm_pu, live.state(0).vm_pu)
    assert np.isnan(state.line_loading).all() and np.isfinite(live.state(0).line_loading).all()


def test_the_summary_is_of_the_nearest_and_the_farthest_third() -> None:
    live = to_the_end(live_of(default_scenario()))
    summary = live.summary()
    assert summary["rule"].tolist() == list(live.labels) == ["PRC", "hybrid"]
    for side, rule in enumerate(("prc", "hybrid")):
        run = expected(live, rule)
        left = (run["cost_without_optimisation"] - run["cost"]).to_numpy()
        gain = (run["cost_without_optimisation"] - run["cost_without_rule"]).to_numpy()
        assert (gain > 0).all() and len(gain) == 57
        near, far = (100 * left[part].sum() / gain[part].sum() for part in (slice(0, 19), slice(38, 57)))
        beyond = (run["n_above_max"] + run["n_below_min"]).max()
        more = (run["cost"] - run["cost_without_rule"]).to_numpy()
        costs = more[:19].mean(), more[38:].mean()
        values = (near, far, *costs, run["tce_kwh"].sum(), run["vm_min_pu"].min(), run["vm_max_pu"].max())
        np.testing.assert_allclose(summary.loc[side, list(SUMMARY[1:])].astype(float), [*values, beyond], rtol=1e-9)
    # What the page is for, on the scenario that it begins with: under PRC the far end loses, the near end does not.
    near, far = summary["gain_kept_near_percent"], summary["gain_kept_far_percent"]
    assert near.min() > 95 and far[0] < 75 < 85 < far[1]


def test_a_rule_changed_at_the_start_is_the_rule_of_the_run() -> None:
    live = live_of(four_bus())
    assert live.change(replace(live.settings, rule="anrc", other_rule="none", seed=5)) == ["Seed"]
    assert live.labels == ("ANRC", "no rule") and live.settings.seed == live.board.initial.seed
    to_the_end(live)
    for side, rule in enumerate(("anrc", "none")):
        np.testing.assert_allclose(live.wallets()[f"cost_{side}"], expected(live, rule)["cost"], rtol=1e-12)
    assert [entry.text for entry in list(live.log)[::-1][1:3]] == [
        "rule changed from hybrid to ANRC",
        "rule changed from PRC to no rule",
    ]
    assert live.change(replace(live.settings, rule="prc", kappa=0.1)) == ["Rule", "Kappa"]  # there is no next step


def test_a_tariff_changed_on_the_way_is_paid_from_the_next_step_on() -> None:
    live = live_of(four_bus(), rule="none")
    for _ in range(30):
        live.step()
    before, paid = live.home_day(0, 0).price_buy, live.wallets()["cost_0"]
    changed = replace(live.settings, tariff="flat", kappa=0.5)
    assert live.change(changed) == live.change(changed) == []  # as a page asks again before each step
    day = live.home_day(0, 0)
    assert (day.price_buy[:30] == before[:30]).all() and set(day.price_buy[30:]) == {0.30}
    assert set(day.price_sell[30:]) == {0.15}
    np.testing.assert_array_equal(live.wallets()["cost_0"], paid)
    live.step()
    assert [entry.kind for entry in live.log if entry.kind == "change"] == ["change"]
    step_kwh = 0.25 * live.home_day(0, 0).p_meter_kw[30]
    price = 0.30 if step_kwh > 0 else 0.15
    assert live.wallets()["cost_0"][0] - paid[0] == pytest.approx(price * step_kwh)


def test_a_tariff_that_does_not_fit_is_told_once_and_the_rest_changes() -> None:
    base = four_bus(planner="dynamic-program", tariff={"kind": "flat", "price_buy": 0.2})
    seed = next(s for s in range(2, 500) if SyntheticTariff(seed=s).prices(market_times(base)).price_sell.min() < 0)
    live = live_of(base, seed=seed)  # the dynamic program does not take the negative prices of that seed
    wanted = replace(live.settings, tariff="synthetic real-time", rule="anrc")
    with pytest.raises(InputError, match="planner"):
        live.change(wanted)
    assert live.change(wanted) == []
    live.step()
    assert (live.settings.tariff, live.settings.rule, live.labels[0]) == ("flat", "anrc", "ANRC")
    assert [entry.kind for entry in live.log].count("refused") == 1


def test_a_power_flow_without_a_solution_ends_the_run_and_leaves_it_readable() -> None:
    live = live_of(four_bus(**{"prosumers.*.pv_kwp": 200.0, "prosumers.*.inverter_kva": 200.0}), rule="none")
    to_the_end(live)  # at these sizes it is PRC, beside no rule, that swings first to where there is no solution
    assert live.failed is not None and live.failed.startswith("PRC: run ended at control step") and live.finished
    step = live.step_number
    assert 0 < step < 96
    live.step()
    assert live.step_number == step and live.home_day(0, 0).lived().sum() == step
    newest = live.log[0]
    assert (newest.kind, newest.side, newest.step) == ("failure", "PRC", step)
    assert live.failed == f"PRC: {newest.text}"
    assert np.isfinite(live.wallets()["cost_0"]).all() and np.isfinite(live.state(0).vm_pu).all()
    assert np.isfinite(live.summary()["vm_max_pu"]).all() and live.change(replace(live.settings, rule="anrc"))


def test_a_rule_of_ones_own_that_breaks_ends_the_run_and_not_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(vm_pu: Any, rating_kva: Any, band: Any) -> Any:
        return RULES["anrc"](vm_pu, rating_kva, band) if vm_pu.max() < 1.02 else 1 / 0

    monkeypatch.setitem(RULES, "broken", broken)
    live = to_the_end(live_of(four_bus(rule="broken")))
    assert live.failed == "ZeroDivisionError: division by zero"
    assert (live.log[0].kind, live.log[0].text) == ("failure", live.failed)


def test_the_log_has_what_happened_on_the_sides_that_are_shown_newest_first() -> None:
    live = to_the_end(live_of(four_bus(rule="prc")))
    entries = list(live.log)
    assert (entries[0].text, entries[-1].kind) == ("the end", "run")
    assert [entry.step for entry in entries] == sorted((entry.step for entry in entries), reverse=True)
    hunting = [entry for entry in entries if entry.kind == "hunting" and entry.side == "PRC"]
    assert hunting and "the voltage turns back and forth" in hunting[0].text
    assert {entry.side for entry in entries} <= {"", "PRC", "hybrid"}
    assert live.log.maxlen == MOST_ENTRIES


def test_one_rule_alone_and_one_beside_itself() -> None:
    alone = live_of(four_bus(), other_rule="")
    assert alone.labels == ("hybrid",) and len(alone.model.settings) == 3
    alone.step()
    assert len(alone.summary()) == 1 and "cost_1" not in alone.wallets()
    assert live_of(four_bus(), other_rule="hybrid").labels == ("hybrid A", "hybrid B")


def test_a_closed_run_is_forgotten() -> None:
    live = live_of(four_bus())
    live.step()
    model = weakref.ref(live.model)
    live.close()
    gc.collect()
    assert model() is None


def test_no_browser_part_is_imported() -> None:
    code = "import sys, cosim.page.live; print(sorted({'solara', 'ipyvuetify', 'uvicorn'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
