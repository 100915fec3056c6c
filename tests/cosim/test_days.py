"""Signals are those of a few days that move along with the run: no number depends on how many are held at once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from cosim import CoSimulation, Scenario, build

DAYS = 5
MONDAY = datetime(2016, 6, 5, 22, tzinfo=UTC)  # midnight in Germany, the beginning of the extract's summer week


@pytest.mark.parametrize("horizon", ["shrinking", "rolling"])
@pytest.mark.parametrize(
    "forecast",
    [
        {"forecast.kind": "noisy", "forecast.load_error": 0.2, "forecast.price_error": 0.1},
        {"forecast.kind": "persistence"},
    ],
)
def test_a_run_is_the_same_whether_it_holds_three_days_or_all(
    monkeypatch: pytest.MonkeyPatch, horizon: str, forecast: dict[str, Any]
) -> None:
    scenario = Scenario().changed({"start": MONDAY, "days": DAYS, "horizon": horizon, **forecast})
    moving = CoSimulation(scenario)
    steps_per_day = moving.clock.steps_per_day
    assert len(moving.rows.signals.p_load_kw) == build.DAYS_AT_ONCE * steps_per_day
    moving.run()
    assert moving.rows.signals.first == (DAYS - 2) * steps_per_day

    monkeypatch.setattr(build, "DAYS_AT_ONCE", DAYS)
    whole = CoSimulation(scenario)
    assert len(whole.rows.signals.p_load_kw) == DAYS * steps_per_day
    whole.run()
    assert np.array_equal(moving.record.frames, whole.record.frames)
