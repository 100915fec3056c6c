"""A sweep read back: one tidy table, finished or not, and any of its runs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from cosim.checkpoint import DamagedError
from cosim.outcome import INDEX_COLUMNS
from cosim.sweep import Plan, Reason, Sweep, opened
from feeders.errors import InputError
from tests.cosim.sweep.sweep_cases import do, failed, made, plan_of

DESIGNS = [
    {"rule": rule, "voltage.dead_pu": dead, "replication": 0} for rule in ("prc", "hybrid") for dead in (0.01, 0.02)
]
ALWAYS = ["mode", "feeder.name", "start", "days", "seed"]


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_of(DESIGNS)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, plan: Plan) -> Path:
    """Finished, but for run 2, which failed."""
    folder = tmp_path_factory.mktemp("done")
    with opened(folder, plan) as store:
        do(store, [plan.runs[3], plan.runs[0], plan.runs[1]])
        store.record(plan.runs[2], failed(plan.runs[2], Reason.DIVERGED))
        assert store.finish()
    return folder


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory, plan: Plan) -> Path:
    """Finished are runs 0 and 1."""
    folder = tmp_path_factory.mktemp("half")
    with opened(folder, plan) as store:
        do(store, plan.runs[:2])
    return folder


def test_the_table_is_that_of_the_runs_behind_the_plan(done: Path, plan: Plan) -> None:
    sweep = Sweep.load(done)
    table = sweep.table
    assert table.columns.tolist() == [
        "run",
        "run_id",
        "rule",
        "voltage.dead_pu",
        "replication",
        *ALWAYS,
        *INDEX_COLUMNS,
    ]
    assert sweep.columns == table.columns.tolist()
    assert table["run"].tolist() == [0, 0, 0, 1, 1, 1, 3, 3, 3]
    assert table["run_id"].tolist()[::3] == [plan.runs[number].id for number in (0, 1, 3)]
    assert table["rule"].tolist()[::3] == ["prc", "prc", "hybrid"]
    assert table["voltage.dead_pu"].tolist()[::3] == [0.01, 0.02, 0.02]
    for number, rule in ((0, "prc"), (3, "hybrid")):
        own = table.loc[table["run"] == number, list(INDEX_COLUMNS)].reset_index(drop=True)
        pd.testing.assert_frame_equal(own, made(rule).indices, check_exact=True)


def test_some_columns_and_rows(done: Path, half: Path) -> None:
    for folder, n in ((done, 3), (half, 3)):
        sweep = Sweep.load(folder)
        found = sweep.read(["cost", "voltage.dead_pu"], filters=[("voltage.dead_pu", "<", 0.015)])
        assert found.columns.tolist() == ["cost", "voltage.dead_pu"]
        assert len(found) == n and (found["voltage.dead_pu"] == 0.01).all()
        wanted = sweep.table.query("prosumer == 'home-3'")[["prosumer", "cost"]].reset_index(drop=True)
        pd.testing.assert_frame_equal(sweep.read(["prosumer", "cost"], [("prosumer", "==", "home-3")]), wanted)
        with pytest.raises(InputError, match=r"column: 'gini' is not allowed; allowed: .* nearest: .*gain"):
            sweep.read(["gini"])


def test_columns_are_read_from_the_one_file_alone(done: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    read_table = pq.read_table

    def watched(path: Path, **options: object) -> object:
        read.append((path.name, options.get("columns")))
        return read_table(path, **options)

    monkeypatch.setattr(pq, "read_table", watched)
    Sweep.load(done).read(["cost"])
    assert read == [("results.parquet", ["cost"])]


def test_an_unfinished_sweep_has_a_table_too(half: Path, done: Path) -> None:
    sweep, whole = Sweep.load(half), Sweep.load(done).table
    assert sweep.status == (2, 0, 2)
    pd.testing.assert_frame_equal(sweep.table, whole[whole["run"] < 2])
    assert Sweep.load(done).status == (3, 1, 0)


def test_before_any_run_is_finished(tmp_path: Path, plan: Plan, half: Path) -> None:
    with opened(tmp_path, plan):
        sweep = Sweep.load(tmp_path)
        assert sweep.columns == Sweep.load(half).columns
        assert len(sweep.table) == len(sweep.failures) == len(sweep.journal) == 0
        assert sweep.status == (0, 0, 4)


def test_nothing_but_failures(tmp_path: Path, plan: Plan, half: Path) -> None:
    with opened(tmp_path, plan) as store:
        for run in plan.runs:
            store.record(run, failed(run, Reason.TIMEOUT))
        assert store.finish()
    sweep = Sweep.load(tmp_path)
    assert sweep.columns == Sweep.load(half).columns and len(sweep.table) == 0
    assert sweep.failures["reason"].tolist() == ["timeout"] * 4


def test_failures(done: Path, plan: Plan) -> None:
    sweep = Sweep.load(done)
    (row,) = sweep.failures.to_dict("records")
    assert (row["run"], row["run_id"], row["rule"], row["voltage.dead_pu"]) == (2, plan.runs[2].id, "hybrid", 0.01)
    assert (row["reason"], row["message"]) == ("diverged", "no solution")
    assert row["command"] == f"cosim run {done}/failed/{plan.runs[2].id}/scenario.toml --out NEW_DIR"
    on_disk = pd.read_parquet(done / "failures.parquet")
    pd.testing.assert_frame_equal(on_disk, sweep.failures.drop(columns="command"))
    assert not sweep.table["run"].isin([2]).any()


def test_one_run(done: Path, half: Path, plan: Plan) -> None:
    sweep = Sweep.load(done)
    for which in (3, plan.runs[3].id):
        run = sweep.run(which)
        assert run.scenario == plan.runs[3].scenario
        pd.testing.assert_frame_equal(run.indices, made("hybrid").indices, check_exact=True)
    with pytest.raises(InputError, match=r"run: 2 is not allowed; .*did not fail \(diverged: no solution\).*cosim run"):
        sweep.run(2)
    with pytest.raises(InputError, match=r"run: 2 is not allowed; .*still to do"):
        Sweep.load(half).run(2)
    for which in (4, -1, "abc"):
        with pytest.raises(InputError, match="a number from 0 to 3, or an id of its plan"):
            sweep.run(which)


def test_damaged_results_are_not_read(tmp_path: Path, plan: Plan) -> None:
    with opened(tmp_path, plan) as store:
        do(store, plan.runs[:2])
    path = tmp_path / "runs" / plan.runs[1].id / "prosumers.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(DamagedError, match="resuming the sweep"):
        _ = Sweep.load(tmp_path).table
    with pytest.raises(InputError, match="folder is as it was written; resume"):
        Sweep.load(tmp_path).run(1)
    assert Sweep.load(tmp_path).run(0).failure is None


def test_no_sweep(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(InputError, match=r"Sweep\.load: folder: .*the folder of a sweep"):
            Sweep.load(folder)


def test_a_table_of_an_earlier_plan_is_not_taken_for_this_one(tmp_path: Path, done: Path, plan: Plan) -> None:
    with opened(tmp_path, plan_of(DESIGNS[:2])) as store:
        do(store)
        store.finish()
        earlier = (tmp_path / "results.parquet").read_bytes()
    with opened(tmp_path, plan, resume=True) as store_now:
        assert not (tmp_path / "results.parquet").exists()
        do(store_now, plan.runs[2:3])
        for left_over in (earlier, earlier[:1000]):
            (tmp_path / "results.parquet").write_bytes(left_over)
            assert Sweep.load(tmp_path).table["run"].unique().tolist() == [0, 1, 2]


def test_many_runs_are_written_some_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same rows in row groups of at least so many; a run is never cut."""
    plan = plan_of(7)

    def groups() -> list[int]:
        metadata = pq.read_metadata(tmp_path / "results.parquet")
        return [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]

    with opened(tmp_path, plan) as store:
        do(store)
        store.finish()
        one = Sweep.load(tmp_path).table
        assert groups() == [21]
        monkeypatch.setattr("cosim.sweep.collected._ROWS", 5)  # two runs of three prosumers
        store.finish()
        assert groups() == [6, 6, 6, 3]
        monkeypatch.setattr("cosim.sweep.collected._RUNS", 1)
        store.finish()
        assert groups() == [3] * 7
    pd.testing.assert_frame_equal(Sweep.load(tmp_path).table, one)


def test_values_of_several_kinds_are_words(tmp_path: Path) -> None:
    plan = plan_of([{"home": 2, "x": 1, "flag": True}, {"home": "bus-3", "x": 0.5, "flag": False}])
    with opened(tmp_path, plan):
        found = Sweep.load(tmp_path).plan
    assert found["home"].tolist() == ["2", "bus-3"]
    assert found["x"].tolist() == [1.0, 0.5] and found["flag"].tolist() == [True, False]
    assert found["replication"].tolist() == [0, 0] and found["days"].tolist() == [1, 1]
    assert found["start"].tolist() == [pd.Timestamp("2016-06-08T22:00Z")] * 2
