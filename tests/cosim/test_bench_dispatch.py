"""What `cosim bench` compares of coordinated dispatches, on a small feeder. Nothing here says how fast anything is."""

from __future__ import annotations

import sys

import pytest

import cosim.bench.dispatch
from cosim.bench import BENCHMARKS, Effort
from cosim.bench.dispatch import dispatches
from tests.agents.dispatch_cases import bus_33

LEAST = Effort(repeats=1, peer_steps=1, day_minutes=2, sizes=(2,), population_seconds=0.0, ensemble=3, singles=2)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cosim.bench.dispatch, "ieee123_feeder", lambda: bus_33(0.85, 1.1).feeder)
    monkeypatch.setattr(cosim.bench.dispatch, "_CASES", cosim.bench.dispatch._CASES[1:])


@pytest.mark.usefixtures("small")
def test_both_programs_find_dispatches_that_cost_the_same() -> None:
    shares: list[float] = []
    (row,) = dispatches(LEAST, shares.append)
    assert BENCHMARKS["dispatch"] is dispatches
    assert row.name == "dispatch-pv"
    assert row.ratio is not None and row.difference is not None
    assert 0 <= row.difference < 1e-3  # the program's own gap; the cone program is a relaxation and never dearer
    assert shares == [1.0]


@pytest.mark.usefixtures("small")
def test_without_clarabel_the_row_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "clarabel", None)
    (row,) = dispatches(LEAST, lambda share: None)
    assert row.ours is not None and row.theirs is None
    assert "optim" in row.note
