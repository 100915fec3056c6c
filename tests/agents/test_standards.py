"""Curves of IEEE 1547-2018, category B, as a rule: corner points by hand from its tables 8 and 10."""

from __future__ import annotations

import numpy as np
import pytest

from agents.prosumer import RULES, VoltageBand, ieee1547_b, rule_by_name

# Rating 10 kVA. Volt-var: 4.4 kvar over 0.06 p.u., a slope of 4.4/0.06; volt-watt: 10 to 2 kW from 1.06 to 1.10 p.u.
CORNERS = {  # voltage: (least active power, reactive power)
    0.80: (-10.0, 4.4),
    0.92: (-10.0, 4.4),
    0.95: (-10.0, 2.2),
    0.98: (-10.0, 0.0),
    1.00: (-10.0, 0.0),
    1.02: (-10.0, 0.0),
    1.05: (-10.0, -2.2),
    1.06: (-10.0, -4.4 * 4 / 6),
    1.08: (-6.0, -4.4),
    1.10: (-2.0, -4.4),
    1.30: (-2.0, -4.4),
}


@pytest.mark.parametrize("vm_pu", CORNERS)
def test_corners(vm_pu: float) -> None:
    ranges = ieee1547_b(np.array([vm_pu]), np.array([10.0]), VoltageBand())
    p_lo_kw, q_kvar = CORNERS[vm_pu]
    assert [float(bound[0]) for bound in ranges] == pytest.approx([p_lo_kw, 10.0, q_kvar, q_kvar], abs=1e-12)


def test_band_of_the_scenario_moves_nothing() -> None:
    vm_pu, rating = np.linspace(0.85, 1.15, 61), np.full(61, 5.0)
    narrow, wide = (ieee1547_b(vm_pu, rating, band) for band in (VoltageBand(0.97, 0.01, 1.03), VoltageBand()))
    assert np.array_equal(narrow, wide)


def test_scenarios_know_it_by_name() -> None:
    assert rule_by_name("ieee1547-b") is ieee1547_b
    assert list(RULES)[:4] == ["none", "prc", "anrc", "hybrid"]
