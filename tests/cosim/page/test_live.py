"""What a page watches: the same numbers as a run's, kept for the present day alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cosim
from cosim import Scenario
from cosim.page.controls import Board
from cosim.page.live import Live
from cosim.page.wallets import WALLET

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
