"""Two programs of one dispatch, written apart: linear ones in rounds with the AC power flow, and one with cones.

The cone program is a relaxation: nothing is cheaper. What the linear ones find is confirmed by the AC power flow. So
between them is what a best dispatch costs.
"""

from __future__ import annotations

import numpy as np
import pytest

from agents.dso.dispatch import DispatchSettings, dispatch, most
from agents.dso.dispatch.cone import cone_dispatch, cone_most
from agents.dso.dispatch.settlement import settle
from feeders import make_engine
from tests.agents import two_bus
from tests.agents.dispatch_cases import all_devices, bus_33

FINE = {"gap": 1e-5, "passes": 8}
KEPT = DispatchSettings(curtailable=False)


@pytest.mark.parametrize("vm_min_pu", [0.95, 0.965])
def test_where_import_is_limited_both_cost_the_same(vm_min_pu: float) -> None:
    """0.965 p.u. is above what the voltage would be without that limit."""
    engine = bus_33(vm_min_pu)
    fleet, inputs = all_devices(engine, n=4, step_h=3.0, leak=0.01)
    settings = DispatchSettings(curtailable=False, **FINE)  # type: ignore[arg-type]
    linear, cone = dispatch(engine, fleet, inputs, settings), cone_dispatch(engine, fleet, inputs, settings)
    assert cone.tight and linear.confirmed()
    assert -1e-6 < linear.objective / cone.dispatch.objective - 1 < 1e-4
    for term, value in cone.dispatch.terms.items():
        assert linear.terms[term] == pytest.approx(value, abs=1e-4 * cone.dispatch.objective), term
    np.testing.assert_allclose(linear.price, cone.dispatch.price, atol=0.02 * np.nanmax(linear.price))
    settled = settle(engine, fleet, inputs, linear)
    assert abs(settled.unexplained) < 1e-6 * settled.import_cost
    assert settled.surplus == pytest.approx(settle(engine, fleet, inputs, cone.dispatch).surplus, rel=0.1)


@pytest.mark.parametrize("ka", [1.0, 0.12])
def test_both_find_the_most_heat_pumps_of_two_buses(ka: float) -> None:
    engine = make_engine(two_bus.two_bus(max_ka=ka))
    by_hand = 2 * min(-two_bus.by_voltage_kw(0.95), two_bus.by_current_kw(ka, feeds_in=False))
    along = {"hp_kw": np.ones(1)}
    cone = cone_most(engine, two_bus.fleet(), two_bus.inputs(), along, KEPT, upper=1e3)
    linear = most(engine, two_bus.fleet(), two_bus.inputs(), along, KEPT, upper=1e3)
    assert cone.dispatch.x[0] == pytest.approx(by_hand, rel=1e-5)
    assert by_hand * (1 - 1e-3) < linear.x[0] <= by_hand * (1 + 1e-6)  # its last rounds gain less than its gap
    assert linear.confirmed()


@pytest.mark.parametrize("ka", [1.0, 0.12])
def test_the_linear_one_alone_finds_the_most_pv_of_two_buses(ka: float) -> None:
    engine = make_engine(two_bus.two_bus(max_ka=ka))
    by_hand = min(two_bus.by_voltage_kw(1.05), two_bus.by_current_kw(ka, feeds_in=True))
    along = {"pv_kw": np.ones(1)}
    linear = most(engine, two_bus.fleet(), two_bus.inputs(), along, KEPT, upper=1e3)
    assert linear.x[0] == pytest.approx(by_hand, rel=1e-4)
    assert linear.x[0] <= by_hand * (1 + 1e-6)
    assert linear.confirmed()
    cone = cone_most(engine, two_bus.fleet(), two_bus.inputs(), along, KEPT, upper=1e3)
    assert cone.dispatch.x[0] >= by_hand * (1 - 1e-5)
    if by_hand == two_bus.by_voltage_kw(1.05):
        assert cone.phantom_kwh > 0.1 * by_hand
