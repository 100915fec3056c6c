"""``cosim sweep``: what it prints and how it ends."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from agents.prosumer import RULES
from cosim.sweep import Sweep
from cosim.sweep.progress import Pace, State, progress_line
from tests.cosim.command_line import COSIM, call
from tests.cosim.sweep.cases import TINY, write_plugin


def sweep_file(folder: Path, rules: str, replications: int = 1) -> Path:
    (folder / "tiny.toml").write_text(TINY.to_toml(), encoding="utf-8")
    path = folder / "sweep.toml"
    text = f'name = "tiny"\nscenario = "tiny.toml"\nreplications = {replications}\n[grid]\nrule = {rules}\n'
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("share", ["0/4", "5/4", "x", "1/", "/2", "1/2/3", "1.0/2", "-1/2", "²/3"])
def test_a_share_that_is_none_is_one_line(tmp_path: Path, share: str) -> None:
    ended = call("sweep", sweep_file(tmp_path, '["prc"]'), "--out", tmp_path / "out", f"--shard={share}")
    assert ended.code == 2
    assert ended.err == f"error: --shard: k/n: {share!r} is not allowed; allowed: k/n with k from 1 to n, e.g. 2/8\n"


def test_names_that_nothing_has_are_a_line_each_before_anything_is_run(tmp_path: Path) -> None:
    file = sweep_file(tmp_path, '["prc", "hybird", "nun"]', replications=3)
    file.write_text(file.read_text() + '"feeder.name" = ["four-bus", "case33"]\n', encoding="utf-8")
    ended = call("sweep", file, "--out", tmp_path / "out")
    assert ended.code == 2
    assert [line.split(" is not allowed")[0] for line in ended.err.splitlines()] == [
        f"error: {file}: rule: 'hybird'",
        f"error: {file}: rule: 'nun'",
        f"error: {file}: feeder.name: 'case33'",
    ]
    assert "nearest: hybrid" in ended.err
    assert "nearest: case33bw" in ended.err
    assert not (tmp_path / "out").exists()


def test_workers_are_not_asked_for_where_a_scheduler_has_them(tmp_path: Path) -> None:
    file = sweep_file(tmp_path, '["prc"]')
    ended = call("sweep", file, "--out", tmp_path / "out", "--scheduler", "tcp://127.0.0.1:1", "--workers", 2)
    assert ended.code == 2
    assert ended.err.startswith("error: sweep: workers: 2 is not allowed")


def test_a_failed_run_is_counted_and_its_command_repeats_it(tmp_path: Path) -> None:
    plugin = write_plugin(tmp_path)
    file = sweep_file(tmp_path, '["prc", "raises"]')
    ended = call("sweep", file, "--out", tmp_path / "out", "--workers", 1, "--plugin", plugin)
    assert ended.code == 1
    assert ended.out.startswith("tiny: 1 of 2 runs finished, 1 failed; ")
    assert "failed: 1 exception; messages, and commands that repeat them: " in ended.err
    failures = Sweep.load(tmp_path / "out").failures
    command = shlex.split(failures["command"].item())
    assert command[:2] == ["cosim", "run"]
    try:
        with pytest.raises(KeyError, match="no such thing"):
            call(*command[1:])
    finally:
        for name in set(RULES) - {"none", "prc", "anrc", "hybrid", "ieee1547-b"}:
            del RULES[name]


def test_ctrl_c_lets_what_has_begun_end_and_says_how_to_go_on(tmp_path: Path) -> None:
    file, out = sweep_file(tmp_path, '["none", "prc", "hybrid"]', replications=400), tmp_path / "out"
    command = [*COSIM, "sweep", str(file), "--out", str(out), "--workers", "1"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, start_new_session=True, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            while process.poll() is None and not any(out.glob("runs/*")):
                time.sleep(0.05)
            children = psutil.Process(process.pid).children(recursive=True)
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the children too
            _, err = process.communicate(timeout=120)
        finally:
            process.kill()
    assert children
    assert process.returncode == 130
    assert not [child for child in children if child.is_running()]
    status = Sweep.load(out).status
    assert status.finished > 0
    assert status.failed == 0
    assert f"interrupted: {status.to_do} of 1200 runs are left; to go on: cosim sweep " in err
    assert err.rstrip().endswith("--resume")


def test_progress_says_how_far_how_fast_and_how_long() -> None:
    now = [0.0]
    pace = Pace(100, 20, clock=lambda: now[0])
    assert progress_line(pace.state(20, 0, 2, "")) == "20 of 100 runs"
    now[0] = 10.0  # 30 in 10 s, 50 to go
    state = pace.state(48, 2, 2, "http://127.0.0.1:1/status")
    assert (state.rate_per_s, state.left_s) == (3.0, pytest.approx(50 / 3))
    assert progress_line(state) == "50 of 100 runs, 2 failed; 3 per s; 17 s left; http://127.0.0.1:1/status"
    assert progress_line(State(10, 1, 0, 0.01, 7200.0)) == "1 of 10 runs; 0.6 per min; 2 h 0 min left"
