"""Inverter rules: every cell of their tables, and what all of them share.

The tables are those of Hashmi et al., arXiv 2207.10248, section III: p > 0 consumed, q > 0 injected.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.prosumer import RULES, Ranges, VoltageBand, register_rule, rule_by_name, voltage_zone
from agents.prosumer.rules import anrc, hybrid, no_rule, prc
from feeders.errors import InputError

Array = npt.NDArray[np.float64]

BAND = VoltageBand(vm_min_pu=0.95, dead_pu=0.02, vm_max_pu=1.05)

# Rating 4 kVA. Z2 runs from 0.95 to 0.98, Z4 from 1.02 to 1.05, so a quarter of a zone is 0.0075 p.u. The ramps
# at a share t of the zone, by hand:
#   PRC   Z2: P_hi = -4 + 8t, Q_lo = 4 - 8t      Z4: P_lo = -4 + 8t, Q_hi = 4 - 8t
#   ANRC  Z2: P_hi =      4t, Q_lo =   - 4t      Z4: P_lo = -4 + 4t, Q_hi = 4 - 4t
EVERYTHING = (-4, 4, -4, 4)
CELLS = {  # voltage: (P_lo, P_hi, Q_lo, Q_hi) of PRC, the same of ANRC
    0.50: ((-4, -4, 4, 4), (-4, 0, 0, 4)),  # beyond the limit
    0.95: ((-4, -4, 4, 4), (-4, 0, 0, 4)),  # Z1, at its edge
    0.9575: ((-4, -2, 2, 4), (-4, 1, -1, 4)),  # Z2, t = 1/4
    0.965: ((-4, 0, 0, 4), (-4, 2, -2, 4)),  # Z2, t = 1/2
    0.9725: ((-4, 2, -2, 4), (-4, 3, -3, 4)),  # Z2, t = 3/4
    0.98: (EVERYTHING, EVERYTHING),  # Z3, lower edge
    1.00: (EVERYTHING, EVERYTHING),
    1.02: (EVERYTHING, EVERYTHING),  # Z3, upper edge
    1.0275: ((-2, 4, -4, 2), (-3, 4, -4, 3)),  # Z4, t = 1/4
    1.035: ((0, 4, -4, 0), (-2, 4, -4, 2)),  # Z4, t = 1/2
    1.0425: ((2, 4, -4, -2), (-1, 4, -4, 1)),  # Z4, t = 3/4
    1.05: ((4, 4, -4, -4), (0, 4, -4, 0)),  # Z5, at its edge
    1.40: ((4, 4, -4, -4), (0, 4, -4, 0)),  # beyond the limit
}
EXACT = (0.50, 0.95, 0.98, 1.00, 1.02, 1.05, 1.40)  # the others are 1/4, 1/2, 3/4 but for rounding of the voltage


def at(rule_name: str, vm_pu: float, rating_kva: float = 4.0, band: VoltageBand = BAND) -> tuple[float, ...]:
    """A rule's four bounds for one prosumer."""
    ranges = rule_by_name(rule_name)(np.array([vm_pu]), np.array([rating_kva]), band)
    return tuple(float(bound[0]) for bound in ranges)


@pytest.mark.parametrize("vm_pu", CELLS)
def test_every_cell_of_the_tables(vm_pu: float) -> None:
    of_prc, of_anrc = CELLS[vm_pu]
    tolerance = 0.0 if vm_pu in EXACT else 1e-13
    assert at("prc", vm_pu) == pytest.approx(of_prc, rel=0, abs=tolerance)
    assert at("anrc", vm_pu) == pytest.approx(of_anrc, rel=0, abs=tolerance)
    assert at("hybrid", vm_pu) == pytest.approx((*of_anrc[:2], *of_prc[2:]), rel=0, abs=tolerance)
    assert at("none", vm_pu) == EVERYTHING


def test_zones_end_exactly_at_their_edges() -> None:
    # Z1: u <= u_min    Z2: u_min < u < 1-dead    Z3: 1-dead <= u <= 1+dead    Z4: 1+dead < u < u_max    Z5: u >= u_max
    edges = np.array([0.95, 1 - 0.02, 1 + 0.02, 1.05])
    assert voltage_zone(edges, BAND).tolist() == [1, 3, 3, 5]
    assert voltage_zone(np.nextafter(edges, 0), BAND).tolist() == [1, 2, 3, 4]
    assert voltage_zone(np.nextafter(edges, 2), BAND).tolist() == [2, 3, 4, 5]


@st.composite
def bands(draw: st.DrawFn) -> VoltageBand:
    """Bands of every width, the dead band down to nothing."""
    dead_pu = draw(st.sampled_from([0.0, 0.001, 0.02, 0.08]))
    below, above = (draw(st.floats(1e-4, 0.3)) for _ in range(2))
    return VoltageBand(1 - dead_pu - below, dead_pu, 1 + dead_pu + above)


voltages = st.lists(st.floats(0.4, 1.6), min_size=1, max_size=20).map(np.array)
ratings = st.one_of(st.just(0.0), st.floats(1e-3, 1e3))


@given(voltages, ratings, bands())
def test_anrc_permits_all_that_prc_permits(vm_pu: Array, rating: float, band: VoltageBand) -> None:
    kva = np.full(len(vm_pu), rating)
    inner, outer = prc(vm_pu, kva, band), anrc(vm_pu, kva, band)
    assert (outer.p_lo_kw <= inner.p_lo_kw).all()
    assert (inner.p_hi_kw <= outer.p_hi_kw).all()
    assert (outer.q_lo_kvar <= inner.q_lo_kvar).all()
    assert (inner.q_hi_kvar <= outer.q_hi_kvar).all()


@given(voltages, ratings, bands())
def test_hybrid_is_p_of_anrc_and_q_of_prc(vm_pu: Array, rating: float, band: VoltageBand) -> None:
    kva = np.full(len(vm_pu), rating)
    expected = Ranges(*anrc(vm_pu, kva, band)[:2], *prc(vm_pu, kva, band)[2:])
    assert np.array_equal(hybrid(vm_pu, kva, band), expected)


@pytest.mark.parametrize("name", RULES)
@given(voltages, ratings, bands())
def test_ranges_are_ordered_within_the_rating_and_monotone(
    name: str, vm_pu: Array, rating: float, band: VoltageBand
) -> None:
    # The higher the voltage, the more consumption is asked for, and the less injection of reactive power.
    rising, kva = np.sort(vm_pu), np.full(len(vm_pu), rating)
    ranges = rule_by_name(name)(rising, kva, band)
    for lo, hi in (ranges[:2], ranges[2:]):
        assert (-rating <= lo).all() and (lo <= hi).all() and (hi <= rating).all()
    assert (np.diff(ranges.p_lo_kw) >= 0).all() and (np.diff(ranges.p_hi_kw) >= 0).all()
    assert (np.diff(ranges.q_lo_kvar) <= 0).all() and (np.diff(ranges.q_hi_kvar) <= 0).all()


@pytest.mark.parametrize("name", RULES)
@given(voltages, ratings, bands())
def test_ranges_scale_with_the_rating(name: str, vm_pu: Array, rating: float, band: VoltageBand) -> None:
    # A factor of two is exact in binary, so the bounds are too.
    kva = np.full(len(vm_pu), rating)
    once, twice = (np.array(rule_by_name(name)(vm_pu, factor * kva, band)) for factor in (1, 2))
    assert np.array_equal(twice, 2 * once)


@pytest.mark.parametrize("name", RULES)
def test_rules_treat_each_prosumer_by_itself_and_change_no_input(name: str) -> None:
    vm_pu, kva = np.array(list(CELLS)), np.linspace(0, 5, len(CELLS))
    vm_pu.flags.writeable = kva.flags.writeable = False
    together = np.array(rule_by_name(name)(vm_pu, kva, BAND))
    alone = [at(name, u, rating) for u, rating in zip(vm_pu, kva, strict=True)]
    assert np.array_equal(together.T, alone)


@pytest.mark.parametrize(
    "wrong",
    [
        (0.95, 0.05, 1.05),  # 1 - dead is not above u_min
        (0.95, 0.06, 1.10),
        (0.90, 0.05, 1.05),  # 1 + dead is not below u_max
        (0.95, -0.01, 1.05),
        (0.0, 0.02, 1.05),
        (-0.9, 0.02, 1.05),
        (0.95, 0.02, 2.0),
        (math.nan, 0.02, 1.05),
        (0.95, math.nan, 1.05),
        (0.95, 0.02, math.nan),
        (0.95, 0.02, math.inf),
    ],
)
def test_a_band_out_of_order_is_refused(wrong: tuple[float, float, float]) -> None:
    with pytest.raises(InputError, match="0 < vm_min_pu < 1 - dead_pu") as refused:
        VoltageBand(*wrong)
    assert str(refused.value.value) == str(wrong)  # as text, since NaN equals nothing


def test_a_rule_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.prosumer.rules.RULES", dict(RULES))
    register_rule("freedom", no_rule)
    vm_pu, rating = np.array([0.9, 1.1]), np.array([3.0, 4.0])
    np.testing.assert_array_equal(rule_by_name("freedom")(vm_pu, rating, BAND), no_rule(vm_pu, rating, BAND))
    assert rule_by_name("freedom").__doc__ == no_rule.__doc__  # which `cosim rules` prints
    with pytest.raises(InputError, match="a name not yet taken") as taken:
        register_rule("prc", no_rule)
    assert taken.value.value == "prc"
    assert rule_by_name("prc") is prc


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        (0, lambda s: np.where(s > 3, np.nan, -s), "p_lo_kw: 'NaN at 1.1 p.u.' is not allowed; allowed: a number"),
        (2, lambda s: s[:1], r"q_lo_kvar: 'shape \(1,\)' is not allowed; allowed: shape \(2,\)"),
        (0, lambda s: s + 1, "p_lo_kw: 'more than p_hi_kw at 0.9 p.u.' is not allowed"),
        (3, lambda s: -2 * s, "q_lo_kvar: 'more than q_hi_kvar at 0.9 p.u.' is not allowed"),
        (3, lambda s: float("nan"), "q_hi_kvar: 'NaN at 0.9 p.u.' is not allowed"),
    ],
)
def test_a_rule_of_ones_own_that_gives_no_ranges_is_refused(
    column: int, values: Callable[[Array], Array], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the check, all of them but NaN run through to indices that look like any others."""

    def wrong(vm_pu: Array, rating_kva: Array, band: VoltageBand) -> Ranges:
        good = no_rule(vm_pu, rating_kva, band)
        return Ranges(*(values(rating_kva) if place == column else each for place, each in enumerate(good)))

    monkeypatch.setattr("agents.prosumer.rules.RULES", dict(RULES))
    register_rule("mine", wrong)
    with pytest.raises(InputError, match=f"rule mine: {said}"):
        rule_by_name("mine")(np.array([0.9, 1.1]), np.array([3.0, 4.0]), BAND)
    register_rule("nothing", lambda vm_pu, rating_kva, band: None)  # type: ignore[arg-type, return-value]
    with pytest.raises(InputError, match="rule nothing: ranges: 'NoneType' is not allowed"):
        rule_by_name("nothing")(np.array([0.9]), np.array([3.0]), BAND)
    register_rule("plain", lambda vm_pu, rating_kva, band: Ranges(-1.0, math.inf, -0.5, 0.5))  # type: ignore[arg-type]
    assert rule_by_name("plain")(np.array([0.9]), np.array([3.0]), BAND).p_lo_kw == -1


def test_an_unknown_rule_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"one of none, prc, anrc, hybrid, ieee1547-b \(nearest: hybrid\)"):
        rule_by_name("hybird")
    with pytest.raises(InputError, match=r"\(nearest: none, prc, anrc, hybrid, ieee1547-b\)"):
        rule_by_name("???")
