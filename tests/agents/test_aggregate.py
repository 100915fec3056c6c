"""Groups of like devices: the same ratings in all, the same possible powers, and unlike ones apart."""

import numpy as np
from hypothesis import given, settings, strategies

from agents.prosumer.aggregate import aggregate
from agents.prosumer.fleet import RATINGS, Fleet
from agents.prosumer.own_profiles import own_profiles
from tests.agents.fleet_cases import day, drawn_fleet, fleet_of


def test_like_rows_at_one_bus_are_one() -> None:
    fleet = fleet_of(
        5,
        bus=np.array([2, 0, 2, 2, 0]),
        battery_kw=np.array([1.0, 2, 4, 8, 16]),
        battery_efficiency=np.array([0.9, 0.9, 0.9, 0.8, 0.9]),
    )
    merged = aggregate(fleet)
    assert merged.names == ["row-0", "row-1", "row-3"]
    assert merged.bus.tolist() == [2, 0, 2]
    assert merged.battery_kw.tolist() == [5.0, 18.0, 8.0]
    assert merged.battery_efficiency.tolist() == [0.9, 0.9, 0.8]


def test_devices_that_a_row_has_not_do_not_keep_it_apart() -> None:
    fleet = fleet_of(2, pv_kw=np.array([3.0, 4.0]), battery_efficiency=np.array([0.7, 0.9]))
    assert aggregate(fleet).pv_kw.tolist() == [7.0]
    assert len(aggregate(fleet.with_ratings(battery_kw=np.array([1.0, 0.0])))) == 2


@settings(max_examples=30)
@given(strategies.integers(0, 10**6))
def test_nothing_is_lost_and_the_bus_sees_the_same(seed: int) -> None:
    few, which = drawn_fleet(seed, n=5), [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 3]
    columns = {name: column[which] for name, column in vars(few).items() if name != "names"}
    twice = Fleet(names=[f"row-{i}" for i in range(11)], **columns)
    merged = aggregate(twice)
    assert len(merged) <= 5
    for name in RATINGS:
        for bus in range(3):
            np.testing.assert_allclose(
                getattr(merged, name)[merged.bus == bus].sum(), getattr(twice, name)[twice.bus == bus].sum(), rtol=1e-12
            )
    at_bus, at_bus_merged = np.eye(3)[twice.bus], np.eye(3)[merged.bus]
    own, own_merged = own_profiles(twice, day(), buses=range(3)), own_profiles(merged, day(), buses=range(3))
    np.testing.assert_allclose(own_merged.p_kw @ at_bus_merged, own.p_kw @ at_bus, rtol=0, atol=1e-7)
