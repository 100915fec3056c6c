"""Checks of hosting capacity on the circuit whose capacity is written down: a source, a line, a bus."""

from __future__ import annotations

import numpy as np
import pytest

from cosim.hosting.case import HostingCase
from cosim.hosting.check import dynamic_check, static_check
from cosim.hosting.definition import Definition
from cosim.hosting.devices import Devices
from feeders import make_engine
from tests.agents import two_bus


def case(ka: float) -> HostingCase:
    feeder = two_bus.two_bus(max_ka=ka)
    place = (np.array([0, 1]), 100.0, np.array([1]))
    return HostingCase(feeder, make_engine(feeder), two_bus.inputs(), *place, Devices())


@pytest.mark.parametrize(("ka", "kind"), [(1.0, "over-voltage"), (0.12, "line")])
def test_pv_is_taken_up_to_the_hand_s_most_and_no_further(ka: float, kind: str) -> None:
    by_hand = min(two_bus.by_voltage_kw(1.05), two_bus.by_current_kw(ka, feeds_in=True))
    for make in (static_check, dynamic_check):
        check = make(case(ka), Definition())
        assert check(two_bus.fleet(pv_kw=0.9999 * by_hand)).feasible
        outside = check(two_bus.fleet(pv_kw=1.0001 * by_hand))
        assert not outside.feasible and outside.stop is not None
        assert outside.stop.kind == kind


@pytest.mark.parametrize("ka", [1.0, 0.12])
def test_heat_pumps_are_taken_up_to_the_hand_s_most_and_no_further(ka: float) -> None:
    """Each runs at half of its rating to hold its set-point."""
    rating = 2 * min(-two_bus.by_voltage_kw(0.95), two_bus.by_current_kw(ka, feeds_in=False))
    for make in (static_check, dynamic_check):
        check = make(case(ka), Definition(der="hp", heat_pumps="set-point"))
        assert check(two_bus.fleet(hp_kw=0.9999 * rating)).feasible
        assert not check(two_bus.fleet(hp_kw=1.0001 * rating)).feasible
