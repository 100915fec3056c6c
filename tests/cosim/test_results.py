"""A run as a folder: what is in it, that it reads back equal, and that it appears whole or not at all."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from agents.prosumer import RECORDED
from cosim import Run, Scenario, run
from cosim.failure import RunFailure
from cosim.results import check_target, run_id, save_run, write_folder
from feeders.errors import InputError
from tests.cosim.command_line import call, start

COLUMNS = [
    *("time", "prosumer", "bus", "vm_pu", "zone", "p_load_kw", "p_flexible_kw", "p_pv_kw", "p_curtailed_kw"),
    *("p_battery_kw", "energy_kwh", "p_meter_kw", "q_inverter_kvar", "price_buy", "price_sell", "status"),
]

# Limits narrow enough that the rule curtails and all zones occur; quarter-hours, for speed.
SCENARIO = Scenario(name="narrow", rule="prc", control_step_min=15).changed(
    {"voltage.vm_max_pu": 1.02, "voltage.dead_pu": 0.01, "voltage.vm_min_pu": 0.98}
)


@pytest.fixture(scope="module")
def finished() -> Run:
    return run(SCENARIO)


@pytest.fixture(scope="module")
def failed() -> Run:
    """The evening peak of a house of 90 MWh a year is more than the feeder can carry."""
    with pytest.raises(RunFailure) as ended:
        run(SCENARIO.changed({"prosumers.home-4.load_annual_mwh": 90.0}), references=False)
    partial = ended.value.partial
    assert partial is not None
    return partial


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_same_scenario_again_is_the_same_run(finished: Run) -> None:
    again = run(SCENARIO)
    assert (again.frames == finished.frames).all()
    pd.testing.assert_frame_equal(again.indices, finished.indices, check_exact=True)


def test_saved_and_loaded_is_the_same_run(finished: Run, tmp_path: Path) -> None:
    save_run(finished, tmp_path / "r", seconds=1.0)
    again = Run.load(tmp_path / "r")
    assert names(tmp_path / "r") == [
        *("bills.parquet", "manifest.json", "prosumers.parquet", "scenario.toml", "timeseries.parquet")
    ]
    assert again.scenario == finished.scenario
    pd.testing.assert_frame_equal(again.timeseries, finished.timeseries, check_exact=True)
    pd.testing.assert_frame_equal(again.indices, finished.indices, check_exact=True)
    pd.testing.assert_frame_equal(again.bills, finished.bills, check_exact=True)
    assert (again.frames == finished.frames).all()
    for name in ("cost_without_rule", "cost_without_optimisation"):
        np.testing.assert_array_equal(getattr(again, name), getattr(finished, name))
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "r" / "prosumers.parquet"), finished.indices)
    assert set(again.timeseries["status"]) > {"ok"}  # else the round trip of statuses would show nothing
    assert set(again.timeseries["zone"]) >= {3, 4, 5}


def test_a_run_without_references_reads_back_without_them(tmp_path: Path) -> None:
    save_run(run(SCENARIO, references=False), tmp_path / "r", seconds=1.0)
    again = Run.load(tmp_path / "r")
    assert again.cost_without_rule is None
    assert again.cost_without_optimisation is None
    assert again.indices["lcg_percent"].isna().all()


def test_columns_and_their_types(finished: Run, tmp_path: Path) -> None:
    save_run(finished, tmp_path / "r", seconds=1.0)
    schema = pq.read_schema(tmp_path / "r" / "timeseries.parquet")
    assert schema.names == COLUMNS
    assert schema.metadata is None
    assert schema.field("time").type == pa.timestamp("us", tz="UTC")
    words = pa.dictionary(pa.int8(), pa.string())
    assert {str(schema.field(name).type) for name in ("prosumer", "status")} == {str(words)}
    assert {schema.field(name).type for name in COLUMNS[5:15]} == {pa.float64()}
    series = pd.read_parquet(tmp_path / "r" / "timeseries.parquet")
    assert [series["time"].iloc[row] for row in (0, 2, 3, -1)] == [
        SCENARIO.start,
        SCENARIO.start,
        SCENARIO.start + pd.Timedelta("15min"),
        SCENARIO.start + pd.Timedelta("23h45min"),
    ]
    assert series["prosumer"].iloc[:4].tolist() == ["home-2", "home-3", "home-4", "home-2"]
    assert series["bus"].iloc[:4].tolist() == [2, 3, 4, 2]


def test_manifest(finished: Run, tmp_path: Path) -> None:
    save_run(finished, tmp_path / "my run", seconds=1.23456)
    manifest = json.loads((tmp_path / "my run" / "manifest.json").read_text())
    assert manifest["status"] == "finished"
    assert manifest["failure"] is None
    assert manifest["run_id"] == run_id(finished.scenario)
    assert (manifest["name"], manifest["seed"], manifest["control_steps"]) == ("narrow", 1, 96)
    assert sum(manifest["step_status"].values()) == 96 * 3
    assert manifest["repeat"] == f"cosim run '{tmp_path}/my run/scenario.toml' --out NEW_DIR"
    assert manifest["inputs"] == {}
    assert manifest["versions"]["numpy"] == version("numpy")
    assert manifest["seconds"] == 1.235
    assert datetime.fromisoformat(manifest["finished_at"]).tzinfo is not None


def test_a_run_is_known_by_its_scenario_and_its_files(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("a")
    with_file = SCENARIO.changed({"profiles_file": str(path)})
    before = run_id(with_file)
    assert run_id(SCENARIO) == run_id(SCENARIO.changed({}))
    assert len({before, run_id(SCENARIO), run_id(SCENARIO.changed({"seed": 2}))}) == 3
    path.write_text("b")
    assert run_id(with_file) != before


def test_same_scenario_same_bytes_in_another_process_with_two_threads(tmp_path: Path) -> None:
    """Also what a run prints to a pipe: one table, unfolded, and nothing on the error stream."""
    (tmp_path / "s.toml").write_text(SCENARIO.to_toml())
    assert call("run", tmp_path / "s.toml", "--out", tmp_path / "here", "--no-references").code == 0
    other = start("run", "s.toml", "--threads", "2", "--no-references", folder=tmp_path)
    assert (other.code, other.err) == (0, "")
    found = [tmp_path / name / "timeseries.parquet" for name in ("here", "results/narrow")]
    assert len({path.read_bytes() for path in found}) == 1
    assert len({(path.parent / "voltages.png").read_bytes() for path in found}) == 1
    title, _, header, _, *rows, _, last = other.out.splitlines()
    assert title.strip() == "narrow: rule prc, closed-loop, 1 day"
    assert header.strip("┃ ").split("┃")[-1].strip() == "n_below_min"
    assert [row.strip("│ ").split("│")[0].strip() for row in rows] == ["home-2", "home-3", "home-4"]
    assert last.endswith("s; written to results/narrow")


def test_a_failed_run_is_kept_up_to_its_failure(failed: Run, tmp_path: Path) -> None:
    save_run(failed, tmp_path / "r", seconds=1.0)
    again = Run.load(tmp_path / "r")
    assert 0 < len(again.frames) < 96
    assert again.failure == failed.failure
    assert again.failure is not None
    assert again.failure.startswith(f"run ended at control step {len(again.frames)} (2016-06-")
    assert "worst bus 4" in again.failure
    pd.testing.assert_frame_equal(again.timeseries, failed.timeseries, check_exact=True)
    assert again.indices.drop(columns=["prosumer", "bus", "distance_ohm"]).isna().to_numpy().all()
    manifest = json.loads((tmp_path / "r" / "manifest.json").read_text())
    assert (manifest["status"], manifest["failure"]) == ("failed", failed.failure)
    assert manifest["control_steps"] == len(failed.frames)


def test_a_run_that_fails_at_once_is_readable_too(tmp_path: Path) -> None:
    with pytest.raises(RunFailure) as ended:
        run(SCENARIO.changed({"prosumers.home-4.load_annual_mwh": 900.0}), references=False)
    assert ended.value.partial is not None
    save_run(ended.value.partial, tmp_path / "r", seconds=0.0)
    again = Run.load(tmp_path / "r")
    assert again.timeseries.empty
    assert list(again.timeseries.columns) == COLUMNS


def test_the_same_run_is_replaced_and_another_is_refused(finished: Run, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "r"
    save_run(finished, folder, seconds=1.0)
    (folder / "mine.txt").write_text("of the earlier run")
    save_run(finished, folder, seconds=2.0)
    assert json.loads((folder / "manifest.json").read_text())["seconds"] == 2.0
    assert "mine.txt" not in names(folder)
    assert names(folder.parent) == ["r"]
    with pytest.raises(InputError, match="a new or empty folder: this one holds something else"):
        check_target(folder, "another")


@pytest.mark.parametrize("manifest", [None, "no json", "[]", '{"run_id": 3}'])
def test_a_folder_of_something_else_is_refused(manifest: str | None, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(InputError, match="this one holds something else"):
        write_folder(tmp_path, "any", lambda folder: None)
    assert (tmp_path / "thesis.tex").exists()


def test_an_empty_folder_may_be_there(tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    write_folder(tmp_path / "r", "any", lambda folder: (folder / "a").mkdir())
    assert names(tmp_path / "r") == ["a"]


def test_a_fill_that_raises_leaves_nothing_and_keeps_the_earlier_run(finished: Run, tmp_path: Path) -> None:
    def fill(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise KeyError("broken")

    with pytest.raises(KeyError):
        write_folder(tmp_path / "r", "any", fill)
    assert names(tmp_path) == []
    save_run(finished, tmp_path / "r", seconds=1.0)
    before = names(tmp_path / "r")
    with pytest.raises(KeyError):
        write_folder(tmp_path / "r", run_id(SCENARIO), fill)
    assert names(tmp_path) == ["r"]
    assert names(tmp_path / "r") == before


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    def fill(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(InputError, match=r"a folder that can be written \(No space left on device\)"):
        write_folder(tmp_path / "r", "any", fill)
    assert names(tmp_path) == []


def test_a_kill_while_writing_leaves_the_earlier_run_and_a_hidden_folder(tmp_path: Path) -> None:
    code = (
        "import os, signal; from pathlib import Path; from cosim.results import write_folder\n"
        "def fill(folder): (folder / 'half').write_text('x'); os.kill(os.getpid(), signal.SIGKILL)\n"
        "def whole(folder): (folder / 'manifest.json').write_text('{\"run_id\": \"any\"}')\n"
        "write_folder(Path('r'), 'any', whole); write_folder(Path('r'), 'any', fill)"
    )
    killed = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    hidden, kept = names(tmp_path)
    assert hidden.startswith(".r.")
    assert hidden.endswith(".tmp")
    assert (kept, names(tmp_path / "r")) == ("r", ["manifest.json"])
    write_folder(tmp_path / "r", "any", lambda folder: (folder / "new").mkdir())
    assert names(tmp_path / "r") == ["new"]


@pytest.mark.parametrize("end", [OSError("disk gone"), SystemExit(130)])
def test_an_end_between_the_renames_gives_the_earlier_run_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: BaseException
) -> None:
    target, rename = tmp_path / "r", Path.rename
    write_folder(target, "any", lambda folder: (folder / "manifest.json").write_text('{"run_id": "any"}') and None)

    def fails_into_place(path: Path, to: Path) -> Path:
        if path.name.endswith(".tmp"):
            raise end
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", fails_into_place)
    with pytest.raises((InputError, SystemExit)):
        write_folder(target, "any", lambda folder: (folder / "new").mkdir())
    assert names(tmp_path) == ["r"]
    assert names(target) == ["manifest.json"]


def test_what_is_no_folder_of_a_run_is_refused_on_reading(finished: Run, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"manifest\.json: nothing given; allowed: the folder of a run, with this file"
    ):
        Run.load(tmp_path / "no")
    save_run(finished, tmp_path / "r", seconds=1.0)
    (tmp_path / "r" / "timeseries.parquet").unlink()
    with pytest.raises(InputError, match=r"timeseries\.parquet"):
        Run.load(tmp_path / "r")


def test_a_run_without_prosumers_is_readable(tmp_path: Path) -> None:
    lonely = run(Scenario(prosumers=()))
    save_run(lonely, tmp_path / "run", seconds=0.0)
    loaded = Run.load(tmp_path / "run")
    assert loaded.frames.shape == lonely.frames.shape == (1440, len(RECORDED), 0)
    assert loaded.indices.empty
    assert loaded.timeseries.empty
