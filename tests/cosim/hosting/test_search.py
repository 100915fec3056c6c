"""Searches on made-up checks: which level they end at, and what they look at on the way."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.prosumer.fleet import Fleet
from cosim.hosting import Definition, Penetration
from cosim.hosting.capacity import Stop
from cosim.hosting.case import hosting_case
from cosim.hosting.find import find
from cosim.hosting.ladder import Ladder
from cosim.hosting.level import Check, LevelCheck
from cosim.hosting.one_shot import bracket
from cosim.hosting.stepping import climb
from feeders.errors import InputError
from tests.cosim.hosting.small_feeders import line_feeder

CASE = hosting_case(line_feeder((100.0,)))


def limit(*inside: tuple[float, float]) -> Check:
    """Inside where the PV is within one of these ranges [kW]."""

    def check(fleet: Fleet) -> LevelCheck:
        kw = float(fleet.pv_kw.sum())
        good = any(low - 1e-9 <= kw <= high + 1e-9 for low, high in inside)
        stop = None if good else Stop("line", "a line", value=kw, allowed=inside[-1][1])
        return LevelCheck(good, stop, 0.25 if good else -0.25, {}, 0.0, fleet)

    return check


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 100), st.integers(-5, 200), st.sampled_from([1, 3, 10]))
def test_all_ways_end_at_the_last_level_inside(capacity: int, guess: int, stride: int) -> None:
    asked = Definition(step=0.01, most=1.0)
    for search in (lambda ladder: climb(ladder, stride), lambda ladder: bracket(ladder, guess)):
        ladder = Ladder(CASE, asked, limit((0, capacity)))
        found = ladder.capacity(search(ladder), "static", "stepping")
        assert found.level == pytest.approx(capacity / 100)
        assert found.kw == pytest.approx(capacity)
        assert found.margin == 0.25
        if capacity < 100:  # proven: the next level was judged and is outside
            assert not found.steps.set_index("level").loc[(capacity + 1) / 100, "feasible"]
            assert found.stop.kind == "line"
        else:
            assert found.stop.kind == "most"


def test_a_right_guess_takes_two_checks_and_the_base() -> None:
    ladder = Ladder(CASE, Definition(most=1.0), limit((0, 42)))
    assert bracket(ladder, 42) == 42
    assert ladder.capacity(42, "dynamic", "one-shot").steps["level"].tolist() == [0.0, 0.42, 0.43]


def test_stepping_stops_at_the_first_level_outside() -> None:
    found = find(CASE, Definition(most=1.0), "static", check=limit((0, 10), (20, 50)))
    assert found.level == 0.10
    assert len(found.steps) == 12
    assert found.steps["feasible"].tolist() == [True] * 11 + [False]


@pytest.mark.parametrize("method", ["stepping", "one-shot"])
def test_an_infeasible_base_is_an_answer_of_its_own(method: str) -> None:
    found = find(CASE, Definition(most=1.0), "static", method, check=limit((20, 50)))
    assert not found.base_feasible
    assert math.isnan(found.level)
    assert math.isnan(found.kw)
    assert found.fleet is None
    assert (found.stop.kind, found.stop.value) == ("line", 0.0)
    assert found.steps["level"].tolist() == [0.0]


def test_the_search_begins_at_what_is_fixed() -> None:
    asked = Definition(fixed=Penetration(pv=0.205), step=0.01, most=1.0)
    found = find(CASE, asked, "static", check=limit((20.5, 33)))
    assert found.steps["level"].tolist()[:3] == [0.205, 0.21, 0.22]
    assert found.level == 0.33


@pytest.mark.parametrize("der", ["ev", "hp"])
def test_cars_and_heat_pumps_end_with_all_homes(der: str) -> None:
    def check(fleet: Fleet) -> LevelCheck:
        return LevelCheck(True, None, 1.0, {}, 0.0, fleet)

    found = find(CASE, Definition(der=der, step=0.3), "static", check=check)
    assert found.level == 0.9  # the last multiple of the step
    assert find(CASE, Definition(der=der, step=0.25), "static", check=check).stop.kind == "all"


def test_what_is_fixed_beyond_the_most_is_refused() -> None:
    with pytest.raises(InputError, match=r"fixed\.pv: 0\.6 is not allowed; allowed: at most 0\.5"):
        find(CASE, Definition(fixed=Penetration(pv=0.6), most=0.5), "static")


def test_progress_is_told_of_every_level() -> None:
    told: list[tuple[float, bool]] = []
    found = find(
        CASE,
        Definition(most=1.0),
        "static",
        "one-shot",
        lambda level, each: told.append((level, each.feasible)),
        check=limit((0, 7)),
    )
    assert sorted(told) == list(zip(found.steps["level"], found.steps["feasible"], strict=True))


def test_a_mode_without_a_check_of_its_own_wants_one() -> None:
    with pytest.raises(InputError, match="one that judges levels in mode local"):
        find(CASE, Definition(), "local")
    with pytest.raises(InputError, match="stepping or one-shot"):
        find(CASE, Definition(), "static", "two-stage")
