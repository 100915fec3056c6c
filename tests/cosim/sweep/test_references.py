"""Costs to compare with are lived once for all runs that share them, and are the same as if each lived its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cosim import Scenario, run
from cosim.model import CoSimulation
from cosim.sweep.references import SharedCosts
from cosim.sweep.write_run import run_to_store
from tests.cosim.sweep.cases import TINY, task

DRAWN = TINY.changed({"population.n": 3, "population.placement": "random"})


@pytest.fixture
def lived(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The rules of all models built from here on."""
    rules: list[str] = []
    built = CoSimulation.__init__

    def noted(self: CoSimulation, settings: Scenario, **rest: Any) -> None:
        rules.append(settings.rule)
        built(self, settings, **rest)

    monkeypatch.setattr(CoSimulation, "__init__", noted)
    return rules


def table(folder: Path, scenario: Scenario, run_id: str) -> pd.DataFrame:
    """Indices that a sweep in `folder` writes of a scenario."""
    run_to_store(replace(task(folder), id=run_id), scenario)
    return pd.read_parquet(folder / "runs" / run_id / "prosumers.parquet")


@pytest.mark.parametrize("base", [TINY, DRAWN], ids=["listed", "drawn"])
def test_rules_share_what_they_are_compared_with(base: Scenario, tmp_path: Path, lived: list[str]) -> None:
    """The first rule lives three runs, each further one its own alone; all indices are those of a run by itself."""
    for number, rule in enumerate(("prc", "anrc", "hybrid")):
        lived.clear()
        scenario = base.changed({"rule": rule, "name": f"called-{rule}"})
        found = table(tmp_path, scenario, f"run-{number}")
        assert lived == ([rule, "none", "none"] if number == 0 else [rule])
        pd.testing.assert_frame_equal(found, run(scenario).indices, check_exact=True)


@pytest.mark.parametrize(
    "changes", [{"seed": 2}, {"tariff.kappa": 0.5}, {"prosumers.home-3.pv_kwp": 4.0}, {"days": 2}, {"mode": "settled"}]
)
def test_another_scenario_is_compared_with_its_own(changes: dict[str, Any], tmp_path: Path, lived: list[str]) -> None:
    table(tmp_path, TINY, "first")
    lived.clear()
    table(tmp_path, TINY.changed(changes), "second")
    assert lived == ["hybrid", "none", "none"]


def costs(folder: Path, code: str = "code") -> SharedCosts:
    return SharedCosts(folder, TINY, code)


def never() -> None:
    raise AssertionError("lived, though it is known")


def test_costs_come_back_bit_for_bit(tmp_path: Path) -> None:
    made = np.array([0.1 + 0.2, -1 / 3, 5e-324, 1.7976931348623157e308, 0.0])
    costs(tmp_path)("without-rule", lambda: made)
    found = costs(tmp_path)("without-rule", never)
    assert found is not None
    np.testing.assert_array_equal(found.view(np.int64), made.view(np.int64))


def test_the_two_comparisons_and_other_code_are_apart(tmp_path: Path) -> None:
    one, two, three = np.array([1.0]), np.array([2.0]), np.array([3.0])
    assert costs(tmp_path)("without-rule", lambda: one) is one
    assert costs(tmp_path)("without-optimisation", lambda: two) is two
    assert costs(tmp_path, "other")("without-rule", lambda: three) is three


def test_what_failed_is_not_kept(tmp_path: Path) -> None:
    assert costs(tmp_path)("without-rule", lambda: None) is None
    assert costs(tmp_path)("without-rule", lambda: np.array([1.0])) == 1


@pytest.mark.parametrize("place", range(0, 60, 3))
def test_a_damaged_file_does_not_count(place: int, tmp_path: Path) -> None:
    costs(tmp_path)("without-rule", lambda: np.array([1.25, 2.5]))
    (path,) = (tmp_path / "references").iterdir()
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    again = costs(tmp_path)("without-rule", lambda: np.array([7.0, 7.0]))
    assert again is not None
    assert again.tolist() in ([7.0, 7.0], [1.25, 2.5])  # the latter where the byte says nothing, e.g. a blank
    if again.tolist() == [1.25, 2.5]:
        assert chr(content[place] ^ 1).isspace()


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    (tmp_path / "references").write_text("a file")
    assert costs(tmp_path)("without-rule", lambda: np.array([1.0])) == 1
