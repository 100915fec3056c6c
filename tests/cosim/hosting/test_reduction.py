"""Few scenarios for many: groups found, extremes kept, weights that count members."""

from dataclasses import replace

import numpy as np
import pytest

from agents.prosumer.fleet import FleetInputs
from cosim.hosting.scenarios import scenarios
from cosim.hosting.stochastic.reduction import elbow, extremes, profiles, reduced, within_clusters
from feeders.errors import InputError


def day(load: float = 10.0, sun: float = 0.8, warm: float = 25.0) -> FleetInputs:
    steps = np.ones(6)
    return FleetInputs(load * np.ones((6, 2)), np.zeros((6, 2)), sun * steps, warm * steps, 0.2 * steps)


def three_groups() -> list[FleetInputs]:
    """Six dull days, three sunny, three with much load; each group with a little noise of its own."""
    kinds = [(10.0, 0.2)] * 6 + [(10.0, 0.9)] * 3 + [(30.0, 0.2)] * 3
    rng = np.random.default_rng(0)
    return [day(load * (1 + 0.01 * rng.normal()), sun * (1 + 0.01 * rng.normal())) for load, sun in kinds]


def test_as_many_clusters_as_there_are_groups() -> None:
    spread = within_clusters(profiles(three_groups()))
    assert spread[0] == 1 and (np.diff(spread) <= 1e-12).all()
    assert spread[2] < 0.01  # three groups leave next to nothing within them
    assert elbow(spread) == 3


def test_each_group_is_stood_for_by_as_much_as_it_has_members() -> None:
    found = reduced(three_groups(), 3)
    groups = [0 if i < 6 else 1 if i < 9 else 2 for i in found.chosen]
    assert groups == [0, 1, 2]
    np.testing.assert_allclose(found.weights, [0.5, 0.25, 0.25])


def test_the_extremes_are_kept() -> None:
    many = scenarios(day(), 40, seed=3)
    many[17] = replace(many[17], p_load_kw=3 * many[17].p_load_kw)
    many[23] = replace(many[23], pv_share=np.full(6, 1.4))
    many[31] = replace(many[31], t_out_c=many[31].t_out_c + 9)
    assert extremes(many) == {"surplus": 23, "load": 17, "warmth": 31}
    found = reduced(many, 5)
    assert {17, 23, 31} <= set(found.chosen.tolist()) and len(found.chosen) == 5
    assert found.weights.sum() == pytest.approx(1.0) and (found.weights > 0).all()


def test_the_elbow_says_how_many_where_nobody_does() -> None:
    found = reduced(three_groups(), None)
    # Three clusters, and beside them the extremes: of surplus, load and warmth (the first, as all days are as warm).
    assert len(found.chosen) == len(set(found.extremes.values())) + 3


def test_all_scenarios_may_be_kept_and_repeat() -> None:
    many = scenarios(day(), 6, seed=1)
    np.testing.assert_array_equal(reduced(many, 6).chosen, np.arange(6))
    np.testing.assert_allclose(reduced(many, 6).weights, 1 / 6)
    np.testing.assert_array_equal(reduced(many, 3, seed=4).chosen, reduced(many, 3, seed=4).chosen)
    np.testing.assert_array_equal(reduced([day()], 1).weights, [1.0])


@pytest.mark.parametrize("n", [0, 7])
def test_a_number_that_cannot_be_is_refused(n: int) -> None:
    with pytest.raises(InputError, match="from 1 to the 6"):
        reduced(scenarios(day(), 6), n)
