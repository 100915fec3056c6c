"""Sweeps that are killed come to the bytes of the undisturbed one; and the judge who says so can be trusted."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cosim.sweep.chaos import Chaos, chaos
from tests.cosim.sweep.judge import Judge, differences, tree
from tests.cosim.sweep.monkey import KINDS
from tests.cosim.sweep.subjects import sweep_subject, toy_subject

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills sessions and process groups")


def shown(work: Path, game: Callable[[Path, int], Chaos], enough: Callable[[Chaos], bool]) -> Chaos:
    """A game, or the first of five that shows enough: moments are drawn, but what they hit depends on the machine."""
    for seed in range(1, 6):
        folder = work / str(seed)
        folder.mkdir()
        found = game(folder, seed)
        if enough(found):
            break
    return found


def test_a_careful_toy_survives_and_each_kind_of_kill_hits(tmp_path: Path) -> None:
    def all_hit(found: Chaos) -> bool:
        return all(found.in_run[kind] + found.in_write[kind] > 0 for kind in KINDS)

    def game(work: Path, seed: int) -> Chaos:
        return chaos(toy_subject(work, 24), work, 9, seed=seed)

    found = shown(tmp_path, game, lambda found: found.violations != [] or all_hit(found))
    assert found.violations == []
    assert {kind: found.kills[kind] for kind in KINDS} == {"worker": 3, "driver": 3, "group": 3}
    assert all_hit(found), found.table()


@pytest.mark.parametrize(
    ("mode", "seen"),
    [
        ("naive", "torn: no checksums.json"),
        ("forgetful", "finished before, now gone"),
        ("deaf", "lives on"),
        ("fresh", "finished before, now manifest.json: differs"),
    ],
)
def test_the_judge_sees_what_is_wrong_with_the_others(mode: str, seen: str, tmp_path: Path) -> None:
    grace_s = 0.5 if mode == "deaf" else 10.0
    kills = 6 if mode == "forgetful" else 3  # it takes two in one sweep to see that

    def game(work: Path, seed: int) -> Chaos:
        return chaos(toy_subject(work, 24, mode), work, kills, seed=seed, aims=("write",), grace_s=grace_s)

    def is_seen(found: Chaos) -> bool:
        return any(seen in line for line in found.violations)

    found = shown(tmp_path, game, is_seen)
    assert is_seen(found), found.violations


@pytest.mark.slow
def test_a_sweep_survives_its_workers_its_driver_and_both(tmp_path: Path) -> None:
    """One kill of each kind; the command of `tests.cosim.sweep.chaos` does it hundreds of times."""
    found = chaos(sweep_subject(tmp_path, 24), tmp_path, 3, aims=("run",))
    assert found.violations == []
    assert {kind: found.kills[kind] for kind in KINDS} == {"worker": 1, "driver": 1, "group": 1}
    assert all(found.in_run[kind] > 0 for kind in KINDS), found.table()


@pytest.mark.slow
def test_a_naive_writer_does_not(tmp_path: Path) -> None:
    found = chaos(sweep_subject(tmp_path, 16, "naive_writer.py"), tmp_path, 2, aims=("write",))
    assert any("torn: no checksums.json" in line for line in found.violations), found.violations


def made(folder: Path) -> Path:
    """The folder of a run that is whole."""
    run = folder / "runs" / "a"
    run.mkdir(parents=True)
    pq.write_table(pa.table({"a": [1.0]}), run / "prosumers.parquet")
    (run / "manifest.json").write_text("{}")
    hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in run.iterdir()}
    (run / "checksums.json").write_text(json.dumps(hashes))
    return run


def test_the_judge_looks_into_each_file(tmp_path: Path) -> None:
    run = made(tmp_path / "whole")
    (run.parent / ".b.17.tmp").mkdir()
    (run.parent / ".b.17.tmp" / "manifest.json").write_text("{")
    judge = Judge(tmp_path / "whole")
    assert (judge.look("first"), judge.violations) == (1, [])
    assert judge.unfinished() == ["runs/.b.17.tmp/manifest.json"]
    assert differences(tree(tmp_path / "whole"), {}) == [f"{name}: too much" for name in tree(tmp_path / "whole")]
    (run / "manifest.json").write_text("{ }")
    judge.look("then")
    assert judge.violations == ["then: run a: finished before, now manifest.json: differs"]


@pytest.mark.parametrize("name", ["prosumers.parquet", "manifest.json", "checksums.json"])
@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_the_judge_sees_each_file_that_is_not_whole(name: str, damage: str, tmp_path: Path) -> None:
    path = made(tmp_path) / name
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1])
    judge = Judge(tmp_path)
    assert judge.look("now") == 0
    assert judge.violations and all(line.startswith("now: run a: torn: ") for line in judge.violations)


def test_the_judge_sees_files_beside_the_runs(tmp_path: Path) -> None:
    judge = Judge(tmp_path)
    pq.write_table(pa.table({"a": [1.0]}), tmp_path / "plan.parquet")
    (tmp_path / "journal.jsonl").write_text('{"torn')  # a line that was being added: journals may
    judge.look("first")
    pq.write_table(pa.table({"a": [2.0]}), tmp_path / "plan.parquet")
    (tmp_path / "failed").mkdir()
    (tmp_path / "failed" / "b.json").write_text("{")
    judge.look("then")
    assert [line.split(":")[1:3] for line in judge.violations] == [
        [" failed/b.json", " torn"],
        [" plan.parquet", " differs"],
    ]
