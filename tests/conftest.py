"""What the tests of several parts share."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest

from cosim import Scenario
from cosim.build import build_feeder
from experiments.locational_disparity import base_scenario

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
