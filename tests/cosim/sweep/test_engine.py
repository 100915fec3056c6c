"""Sweeps from plan to table: the same on one worker, two, or a scheduler's; what ends one early can be resumed."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from cosim.sweep import Plan, Sweep, SweepInterrupted, SweepSpec, SweepStopped, plan_from_spec, run_sweep
from cosim.sweep.cluster import embedded
from cosim.sweep.halt import FolderHalt
from cosim.sweep.progress import State
from feeders.errors import InputError
from tests.cosim.sweep.cases import TINY, write_plugin

RULES = ("none", "prc", "hybrid")


def plan(folder: Path, rules: tuple[str, ...] = RULES, text: str | None = None) -> Plan:
    """Two seeds under each rule, which may be of a plugin."""
    base = TINY.model_dump(exclude_none=True)
    spec = SweepSpec.from_dict({"name": "tiny", "base": base, "replications": 2, "grid": {"rule": list(rules)}})
    return plan_from_spec(spec, plugins=() if text is None else (write_plugin(folder, text),))


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """By one worker."""
    return run_sweep(plan(Path()), tmp_path_factory.mktemp("alone") / "out", workers=1)


def contents(folder: Path) -> dict[str, bytes]:
    """All that a sweep leaves, but for what is told of times and who was there."""
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: data for name, data in found.items() if not name.startswith(("journal", "lock"))}


def test_one_worker_makes_every_run_and_the_table(alone: Sweep) -> None:
    assert alone.status == (6, 0, 0)
    assert alone.table["rule"].tolist() == [rule for rule in RULES for _ in range(2 * 3)]  # 2 seeds, 3 prosumers
    assert alone.table.groupby("replication")["seed"].nunique().tolist() == [1, 1]
    assert not our_children()


@pytest.mark.slow
def test_two_workers_off_the_main_thread_leave_the_same_bytes(alone: Sweep, tmp_path: Path) -> None:
    states: list[State] = []
    before = signal.getsignal(signal.SIGINT)
    options = {"workers": 2, "progress": states.append}
    work = threading.Thread(target=run_sweep, args=(plan(Path()), tmp_path), kwargs=options)
    work.start()
    work.join()
    assert contents(tmp_path) == contents(alone.folder)
    assert signal.getsignal(signal.SIGINT) is before
    assert (states[-1].finished, states[-1].failed, states[-1].total, states[-1].threads) == (6, 0, 6, 2)
    assert states[-1].left_s == 0
    assert Sweep.load(tmp_path).journal["worker"].nunique() == 2
    assert not our_children()


@pytest.mark.slow
def test_a_full_disk_ends_a_sweep_which_goes_on_when_there_is_room(tmp_path: Path) -> None:
    text = """
    import errno
    from pathlib import Path
    from agents.prosumer import register_rule
    from agents.prosumer.rules import prc

    def ruled(vm_pu, rating_kva, band):
        if (Path(__file__).parent / "full").exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        return prc(vm_pu, rating_kva, band)

    register_rule("full", ruled)
    """
    planned = plan(tmp_path, ("prc", "full"), text)
    (tmp_path / "full").touch()
    with pytest.raises(SweepStopped, match=r"disk is full .* 2 runs are left, which need about \d+ MB"):
        run_sweep(planned, tmp_path / "out", workers=1)
    assert Sweep.load(tmp_path / "out").status == (2, 0, 2)
    (tmp_path / "full").unlink()
    assert run_sweep(planned, tmp_path / "out", workers=1, resume=True).status == (4, 0, 0)


@pytest.mark.slow
def test_code_that_changes_under_a_sweep_stops_it(tmp_path: Path) -> None:
    with pytest.raises(SweepStopped, match=r"the code of the sweep is 0\+x"):
        run_sweep(replace(plan(tmp_path), code="0+x"), tmp_path / "out", workers=1)
    assert Sweep.load(tmp_path / "out").status == (0, 0, 6)


@pytest.mark.slow
def test_an_interrupted_sweep_says_what_is_left_and_is_resumed(alone: Sweep, tmp_path: Path) -> None:
    asked: list[State] = []

    def interrupt(state: State) -> None:
        if state.finished and not asked:  # once: reports come while one waits too, and a third signal ends the process
            asked.append(state)
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(SweepInterrupted, match=r"interrupted: [1-4] of 6 runs are left"):
        run_sweep(plan(Path()), tmp_path, workers=2, progress=interrupt)
    assert not our_children()
    assert not list(tmp_path.glob(".cosim-*"))
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    run_sweep(plan(Path()), tmp_path, workers=2, resume=True)
    assert contents(tmp_path) == contents(alone.folder)


def test_embedded_workers_listen_to_this_machine_alone(tmp_path: Path) -> None:
    with embedded(1, FolderHalt(str(tmp_path), "token")):
        heard = [each.laddr.ip for each in psutil.Process().net_connections() if each.status == psutil.CONN_LISTEN]
    assert set(heard) <= {"127.0.0.1"}


_CLUSTER = """
import sys, time
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of a scheduler with two workers, processes of their own, and the process that has begun them."""
    script = tmp_path_factory.mktemp("cluster") / "cluster.py"
    script.write_text(_CLUSTER, encoding="utf-8")
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, script], stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process
        process.stdin.close()  # type: ignore[union-attr]


@pytest.mark.slow
def test_a_scheduler_s_workers_leave_the_same_bytes_though_one_is_lost(
    alone: Sweep, scheduler: tuple[str, subprocess.Popen[str]], tmp_path: Path
) -> None:
    address, process = scheduler
    killed: list[int] = []

    def kill_one(state: State) -> None:
        assert state.threads <= 2
        children = [each for each in psutil.Process(process.pid).children(recursive=True) if is_ours(each)]
        if not killed and state.finished and children:
            killed.append(children[0].ppid())
            psutil.Process(killed[0]).kill()

    sweep = run_sweep(plan(Path()), tmp_path, scheduler=address, progress=kill_one)
    assert killed
    assert sweep.status == (6, 0, 0)
    assert contents(tmp_path) == contents(alone.folder)
    psutil.wait_procs([each for each in psutil.Process(process.pid).children(recursive=True) if is_ours(each)], 10)
    assert not [each for each in psutil.Process(process.pid).children(recursive=True) if is_ours(each)]


@pytest.mark.slow
def test_workers_of_other_code_are_refused(scheduler: tuple[str, subprocess.Popen[str]], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Dask worker tcp://.*: code: '.*the same package and plugins as here, 0\+x"):
        run_sweep(replace(plan(tmp_path), code="0+x"), tmp_path / "out", scheduler=scheduler[0])


@pytest.mark.slow
@pytest.mark.parametrize("address", ["nonsense", "foo://127.0.0.1:8786", "tcp://127.0.0.1:1"])
def test_a_scheduler_that_is_not_there_is_one_line_and_nothing_is_begun(tmp_path: Path, address: str) -> None:
    with pytest.raises(InputError, match="the address of a Dask scheduler that answers") as caught:
        run_sweep(plan(tmp_path), tmp_path / "out", scheduler=address)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def is_ours(process: psutil.Process) -> bool:
    try:
        return "cosim.sweep.child" in process.cmdline()
    except psutil.Error:
        return False


def our_children() -> list[psutil.Process]:
    return [each for each in psutil.Process().children(recursive=True) if is_ours(each)]
