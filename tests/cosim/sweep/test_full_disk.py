"""A disk that becomes full ends a sweep in one line, and the sweep goes on once there is room."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cosim.sweep.full_disk import RUNS, way_to_mount
from tests.cosim.sweep.monkey import ROOT

pytestmark = pytest.mark.skipif(os.name != "posix", reason="mounts disks")


@pytest.mark.slow
def test_a_full_disk_ends_a_sweep_which_goes_on_after(tmp_path: Path) -> None:
    way = way_to_mount(tmp_path / "try")
    if way is None:
        pytest.skip("no disk can be mounted here, nor in a namespace of its own")
    command = [*way, sys.executable, "-m", "tests.cosim.sweep.full_disk", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    happened = json.loads(done.stdout)
    assert happened["code"] == 1
    assert 0 < happened["finished"] < RUNS
    assert happened["left"] == []  # room for others
    (line,) = [line for line in happened["said"].splitlines() if line.startswith("error: ")]
    needed = re.search(r"([\d.]+) (kB|MB) ", line)
    assert needed is not None, line
    assert happened["code_after"] == 0, happened["said_after"]
    assert happened["violations"] == []
    assert happened["differences"] == []
