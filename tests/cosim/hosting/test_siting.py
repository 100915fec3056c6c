"""Where devices are: sums that are right, and higher levels that have all of lower ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosim.hosting import Definition, Penetration
from cosim.hosting.case import HOME_KW, HostingCase, hosting_case
from cosim.hosting.devices import Devices
from cosim.hosting.siting import RATING, fleet_at
from feeders.errors import InputError
from tests.cosim.hosting.small_feeders import line_feeder, ring_feeder

CASE = hosting_case(line_feeder((70.0, 0.0, 350.0, 35.0)))
UNIT = {"ev": 9.6, "hp": 5.6}


def test_homes_are_whole_and_their_sum_is_right() -> None:
    assert CASE.homes.tolist() == [0, 20, 0, 100, 10]
    assert CASE.peak_kva == pytest.approx(455)
    assert CASE.names == ["source", "node 1", "node 2", "node 3", "node 4"]
    assert CASE.candidates.tolist() == [1, 3, 4]
    odd = hosting_case(line_feeder((10.0, 10.0, 10.0)))
    assert odd.homes.sum() == round(30 / HOME_KW)  # 2.86 each: 3, 3, 3 by the largest remainder
    assert hosting_case(line_feeder((10.0, 10.0, 10.0)), homes=11).homes.tolist() == [0, 4, 4, 3]


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["pv", "battery", "ev", "hp"]),
    st.sampled_from(["random-units", "scaled"]),
    st.integers(0, 5),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_a_higher_level_has_all_of_a_lower_one(der: str, siting: str, seed: int, one: float, other: float) -> None:
    asked = Definition(der=der, siting=siting, seed=seed, fixed=Penetration(pv=0.1, battery=0.1, ev=0.2, hp=0.3))
    low, high = (fleet_at(CASE, asked, level) for level in sorted((one, other)))
    for name in RATING.values():
        assert (getattr(high, name) >= getattr(low, name) - 1e-9).all()
    wanted = max(one, other) * (CASE.peak_kva if der in ("pv", "battery") else CASE.n_homes * UNIT[der])
    rounding = 0.5 * UNIT.get(der, 0) if siting == "random-units" else 0
    assert getattr(high, RATING[der]).sum() == pytest.approx(wanted, abs=rounding + 1e-6)
    others = [name for kind, name in RATING.items() if kind != der]
    for name in others:  # what is fixed stays where it is, whatever is asked for
        assert np.array_equal(getattr(high, name), getattr(low, name))


@pytest.mark.parametrize("der", ["ev", "hp"])
@pytest.mark.parametrize("siting", ["random-units", "scaled"])
def test_all_homes_have_one_at_a_level_of_one(der: str, siting: str) -> None:
    fleet = fleet_at(CASE, Definition(der=der, siting=siting), 1.0)
    np.testing.assert_allclose(getattr(fleet, RATING[der]), CASE.homes[CASE.candidates] * UNIT[der])


def test_kinds_of_devices_do_not_move_each_other() -> None:
    plain = fleet_at(CASE, Definition(fixed=Penetration(hp=0.3)), 0.5)
    beside = fleet_at(CASE, Definition(fixed=Penetration(hp=0.3, ev=0.4, battery=0.7)), 0.5)
    assert np.array_equal(plain.pv_kw, beside.pv_kw)
    assert np.array_equal(plain.hp_kw, beside.hp_kw)
    assert not np.array_equal(plain.pv_kw, fleet_at(CASE, Definition(seed=1), 0.5).pv_kw)


def test_units_are_of_the_size_asked_for() -> None:
    big = hosting_case(line_feeder((50_000.0,) * 3, vm_pu=1.0))
    kw = fleet_at(big, Definition(unit_kw=1000.0), 1.0).pv_kw
    assert np.ptp(kw) > 500  # 150 units of 1 MW at three nodes: a spread of some units
    small = fleet_at(big, Definition(unit_kw=1.0), 1.0).pv_kw
    assert np.ptp(small) < 0.05 * small.mean()


def test_windows_of_cars_are_within_their_ranges_at_every_level() -> None:
    case = hosting_case(line_feeder((70.0, 70.0)), devices=Devices(ev_leaves_h=(6.0, 6.5), ev_returns_h=(20.0, 20.0)))
    low, high = (fleet_at(case, Definition(der="ev"), level) for level in (0.0, 1.0))
    assert ((low.ev_leaves_h >= 6) & (low.ev_leaves_h <= 6.5)).all()
    assert (low.ev_returns_h == 20).all()
    assert np.array_equal(low.ev_leaves_h, high.ev_leaves_h)


def test_nodes_may_be_named_and_need_not_have_load() -> None:
    case = hosting_case(line_feeder((70.0, 0.0)), nodes=["node 2"])
    assert case.candidates.tolist() == [2]
    assert fleet_at(case, Definition(), 0.5).pv_kw.tolist() == [pytest.approx(35)]


@pytest.mark.parametrize("nodes", [(), []])
def test_no_node_is_refused(nodes: object) -> None:
    with pytest.raises(InputError, match="at least one node where devices can be"):
        hosting_case(line_feeder((70.0,)), nodes=nodes)


def test_a_feeder_without_load_is_refused() -> None:
    with pytest.raises(InputError, match="a feeder with loads"):
        hosting_case(line_feeder((0.0,)))


def test_a_meshed_feeder_is_refused_with_its_loop() -> None:
    with pytest.raises(InputError, match="the loop") as refused:
        hosting_case(ring_feeder())
    assert all(name in str(refused.value) for name in ("source", "node 1", "node 2"))


def test_load_follows_the_day() -> None:
    case: HostingCase = CASE
    assert case.inputs.p_load_kw[18].tolist() == [0, 70, 0, 350, 35]
    assert case.inputs.p_load_kw[4, 1] == pytest.approx(0.38 * 70)
