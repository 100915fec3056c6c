"""Who may work in the folder of a sweep at once."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from errno import ENOLCK
from pathlib import Path

import pytest

from cosim.locks import LockedError, locked
from cosim.sweep.locks import OccupiedError, Shard, check_shard, others_at_work, setting_up, take
from feeders.errors import InputError

ME = f"process {os.getpid()} on {platform.node()}"


@contextmanager
def taken(folder: Path, shard: Shard | None = None) -> Iterator[bool]:
    """The folder as `opened` takes it. A lock belongs to an open file: a process can be in its own way."""
    with ExitStack() as stack:
        with ExitStack() as others_wait:
            setting_up(folder, others_wait)
            sure = take(folder, shard, stack)
        yield sure


def test_a_second_sweep_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    with taken(tmp_path) as sure:
        assert sure
        with pytest.raises(OccupiedError) as refused, taken(tmp_path):
            pass
        assert str(refused.value) == f"{tmp_path}: another sweep works here: {ME}"
    with taken(tmp_path):
        pass


def test_shards_share_the_folder_but_not_their_share(tmp_path: Path) -> None:
    with taken(tmp_path, (1, 3)), taken(tmp_path, (3, 3)):
        assert others_at_work(tmp_path, (1, 3)) == {(3, 3): ME}
        with pytest.raises(OccupiedError, match=f"another sweep works here: {ME}"), taken(tmp_path, (3, 3)):
            pass
        with taken(tmp_path, (2, 3)):
            pass
    assert others_at_work(tmp_path, None) == {}


def test_a_whole_sweep_and_a_shard_exclude_each_other(tmp_path: Path) -> None:
    with taken(tmp_path, (2, 2)):
        with pytest.raises(OccupiedError) as refused, taken(tmp_path):
            pass
        assert str(refused.value) == f"{tmp_path}: another sweep works here: {ME} (shard 2/2)"
    with taken(tmp_path), pytest.raises(OccupiedError, match=ME), taken(tmp_path, (2, 2)):
        pass


def test_shards_at_once_are_of_one_number(tmp_path: Path) -> None:
    """Otherwise a run would be in two shares: run 0 is the first of any number."""
    with taken(tmp_path, (1, 2)):
        with pytest.raises(OccupiedError, match=rf"shard 1/2 works here \({ME}\).*not /3"), taken(tmp_path, (2, 3)):
            pass
        with taken(tmp_path, (2, 2)):
            pass
    with taken(tmp_path, (2, 3)):  # one after the other they may differ: what is finished is skipped
        pass


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from cosim.locks import locked\n"
        f"with locked(Path({str(tmp_path / 'lock')!r})): print('held', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(OccupiedError) as refused, taken(tmp_path):
            pass
        assert f"process {holder.pid} on {platform.node()}" in str(refused.value)
        holder.kill()
    with taken(tmp_path):
        assert (tmp_path / "lock").read_text() == f"{ME}\n"


def test_waiting_for_a_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack:
        stack.enter_context(locked(tmp_path / "lock"))
        waits = []

        def released_after_three(seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == 3:
                stack.close()

        monkeypatch.setattr("cosim.locks.time.sleep", released_after_three)
        with locked(tmp_path / "lock", wait_s=60.0):
            assert len(waits) == 3
            with pytest.raises(LockedError, match=ME), locked(tmp_path / "lock"):
                pass
            monkeypatch.setattr("cosim.sweep.locks._SETTING_UP_S", 0.0)
            with locked(tmp_path / "lock-set-up"), pytest.raises(OccupiedError, match="still being set up by"):
                setting_up(tmp_path, stack)


def test_a_file_system_without_locks_is_told_from_one_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*args: object) -> None:
        raise OSError(ENOLCK, "No locks available")

    monkeypatch.setattr("cosim.locks.fcntl.flock", none)
    with taken(tmp_path) as sure, taken(tmp_path):
        assert not sure


@pytest.mark.parametrize("shard", [(0, 2), (3, 2), (-1, 2), (1, 0)])
def test_shares_that_are_none(shard: Shard) -> None:
    with pytest.raises(
        InputError, match=rf"--shard: k/n: '{shard[0]}/{shard[1]}' is not allowed; allowed: k from 1 to n"
    ):
        check_shard(shard)
