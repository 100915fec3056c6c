"""Runs that cannot be are rows with a reason; the others are as if nothing were wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cosim.sweep.poison import POISONS, poisoned

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills its own process by a signal")


@pytest.mark.slow
def test_nine_ways_to_spoil_a_run_spoil_no_other(tmp_path: Path) -> None:
    """Of the commands those are tried that show that more is repeated than a message about inputs."""
    tried = ("diverging flow", "worker killed")
    found = poisoned(tmp_path, 36, 9, timeout_s=5.0, memory_mb=900.0, repeat=tried)
    assert found.violations == []
    assert found.reasons == {(name, str(poison.reason)): 1 for name, poison in POISONS.items()}
    assert found.same == 27
    assert set(found.repeated) == set(tried)
