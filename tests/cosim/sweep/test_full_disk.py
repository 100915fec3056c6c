"""A disk that becomes full ends a sweep in one line, and the sweep goes on once there is room."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from cosim.sweep import Reason
from cosim.sweep.checksums import is_valid
from cosim.sweep.one_run import carry_out
from tests.cosim.sweep.cases import task
from tests.cosim.sweep.full_disk import RUNS, way_to_mount
from tests.cosim.sweep.monkey import ROOT

WRITING = import_module("cosim.sweep.write_run")
STEPS = [
    *((WRITING, name) for name in ("fill_run", "write_series", "write_checksums", "flush_all")),
    (tempfile, "mkdtemp"),
    (Path, "rename"),
]
"""What is called, one after the other, while the folder of a run is written."""


@pytest.mark.parametrize(("owner", "step"), STEPS, ids=[step for _, step in STEPS])
def test_wherever_it_becomes_full_there_is_no_part_of_a_run(
    owner: Any, step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "runs").mkdir()
    asked, real = task(tmp_path), getattr(owner, step)

    def full(*args: Any, **options: Any) -> Any:
        if step != "rename":  # which moves all or nothing
            real(*args, **options)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(owner, step, full)
        failure = carry_out(asked).failure
    assert failure is not None
    assert failure.reason is Reason.DISK_FULL
    assert not list((tmp_path / "runs").iterdir())
    assert carry_out(asked).failure is None
    assert is_valid(tmp_path / "runs" / asked.id)
    assert not [path for path in (tmp_path / "working").rglob("*") if path.is_file()]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="mounts disks")
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
    (line,) = [line for line in happened["said"].splitlines() if line.startswith("stopped: ")]
    said = re.search(r"the disk is full .*; (\d+) runs are left, which need about (\d+) MB more; to go on: ", line)
    assert said is not None, line
    left, needed_mb = int(said[1]), float(said[2])
    # Runs of one size: what is left needs its share of what all take, and that is told in whole MB, at least one.
    assert needed_mb == pytest.approx(max(1e-6 * happened["space_bytes"] * left / RUNS, 1.0), abs=0.6)
    assert happened["code_after"] == 0, happened["said_after"]
    assert happened["violations"] == []
    assert happened["differences"] == []
