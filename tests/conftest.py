"""What the tests of several modules share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache

import pytest
from hypothesis import settings

from cosim import CoSimulation, Scenario
from cosim.build import build_feeder
from experiments.locational_disparity import base_scenario
from tests.cosim.loop_cases import finished

# How long an example takes says nothing about physics. New examples each time, but where CI is set: its verdict is on
# the change, and the same for the same code.
settings.register_profile(
    "any machine", settings.get_profile("default"), deadline=None, derandomize=bool(os.environ.get("CI"))
)
settings.register_profile("brief", settings.get_profile("any machine"), max_examples=20)  # a second time, elsewhere
settings.load_profile("any machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first: a long file that begins last leaves the other worker without work."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


_built = cache(build_feeder)


@pytest.fixture(scope="session")
def four_bus() -> Scenario:
    """The published four-bus case with its three homes, at control steps of five minutes instead of one."""
    return base_scenario().changed({"control_step_min": 5})


@pytest.fixture(scope="module")
def feeders_built_once() -> Iterator[None]:
    """Models share a feeder of the same name: pandapower takes half a second to build one, and no run changes it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cosim.model.build_feeder", _built)
        yield


@pytest.fixture(scope="module")
def three_homes(four_bus: Scenario) -> Scenario:
    """Homes that differ, with reactive load."""
    return four_bus.changed(
        {
            "prosumers.home-3.load_profile": "H0-B",
            "prosumers.home-4.load_profile": "H0-C",
            "prosumers.home-4.battery_kwh": 4.0,
            "prosumers.*.load_power_factor": 0.95,
            "prosumers.*.inverter_kva": 2.0,
        }
    )


@pytest.fixture(scope="module")
def free(three_homes: Scenario) -> CoSimulation:
    """The day of these homes without a rule."""
    return finished(three_homes.changed({"rule": "none"}))
