"""What an operator rehearsed and published, in the folder of a run: read back equal, and the same after a resume."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from cosim import CoSimulation, Run, Scenario, run
from cosim.failure import RunFailure
from cosim.rehearsed import PUBLISHED, REHEARSED
from cosim.stream import CHECKPOINT
from cosim.unfinished import working_folder
from tests.cosim.evening_cases import crowded
from tests.cosim.killed_runs import NOISY_OPEN_LOOP, PLAIN, STEPS_PER_DAY

pytestmark = pytest.mark.usefixtures("feeders_built_once")

FILES = ("timeseries.parquet", "prosumers.parquet", "rehearsals.csv", "published.parquet")
OPERATED = PLAIN.changed({"dso.vm_ref_pu": 1.0, "dso.signal": "source", "dso.iterations": 4})
COMMITTED = NOISY_OPEN_LOOP.changed(
    {"dso.vm_ref_pu": 1.0, "dso.signal": "source", "dso.iterations": 4, "dso.parameters.answering": 0.5}
)
CHARGED = NOISY_OPEN_LOOP.changed({"dso.vm_ref_pu": 1.0, "dso.signal": "demand-charge-local", "dso.iterations": 2})


class Interrupted(BaseException):
    """As Ctrl-C."""


def test_the_folder_of_a_run_has_what_was_rehearsed_and_published(four_bus: Scenario, tmp_path: Path) -> None:
    scenario = crowded(four_bus, tmp_path)
    in_memory, folder = run(scenario, references=False), tmp_path / "r"
    saved = run(scenario, references=False, folder=folder)
    assert {path.name for path in folder.iterdir()} == {*FILES, "bills.parquet", "manifest.json", "scenario.toml"}
    for found in (saved, Run.load(folder)):
        assert found.rehearsals is not None and found.published is not None
        assert in_memory.rehearsals is not None and in_memory.published is not None
        pd.testing.assert_frame_equal(found.rehearsals, in_memory.rehearsals, check_exact=True)
        pd.testing.assert_frame_equal(found.published, in_memory.published, check_exact=True)
    assert list(saved.rehearsals) == list(REHEARSED)
    assert "seconds" not in REHEARSED  # no file that is compared says how long it took
    assert pq.read_schema(folder / "published.parquet").names == PUBLISHED.names
    assert len(pd.read_parquet(folder / "published.parquet")) == 96 * 3
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["dso"] == {
        "signal": "source",
        "rehearsals": "rehearsals.csv",
        "published": "published.parquet",
    }


@pytest.mark.parametrize("scenario", [OPERATED, COMMITTED, CHARGED], ids=["prices", "mixes", "charges"])
def test_interrupted_and_resumed_is_the_same_to_the_last_byte(scenario: Scenario, tmp_path: Path) -> None:
    run(scenario, folder=tmp_path / "straight", references=False, threads=2)

    def until(step: int) -> None:
        def stop(done: int, total: int) -> None:
            if done == step:
                raise Interrupted

        with pytest.raises(Interrupted):
            run(scenario, folder=tmp_path / "r", references=False, progress=stop, resume=step > 30)

    until(STEPS_PER_DAY + 5)
    working = working_folder(tmp_path / "r", scenario) / "run"
    assert {path.name for path in working.iterdir()} >= {CHECKPOINT, "rehearsals-00001.csv", "published-00001.parquet"}
    until(2 * STEPS_PER_DAY + 7)
    result = run(scenario, folder=tmp_path / "r", references=False, resume=True)
    for name in FILES:
        assert (tmp_path / "r" / name).read_bytes() == (tmp_path / "straight" / name).read_bytes(), name
    table = result.rehearsals
    assert table is not None
    assert table["day"].unique().tolist() == list(range(scenario.days))
    assert table.groupby("day")["published"].sum().tolist() == [1] * scenario.days
    assert (table["iteration"] > 0).any()  # else a signal was never asked for


def test_a_damaged_evening_is_seen(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == STEPS_PER_DAY + 5:
            raise Interrupted

    with pytest.raises(Interrupted):
        run(OPERATED, folder=tmp_path / "r", progress=stop)
    path = working_folder(tmp_path / "r", OPERATED) / "run" / "rehearsals-00001.csv"
    path.write_text(path.read_text().replace("voltage", "Voltage"))
    with pytest.warns(RuntimeWarning, match=r"rehearsals-00001.csv is damaged: .*; this run begins anew"):
        run(OPERATED, folder=tmp_path / "r", resume=True, references=False)


@pytest.mark.parametrize("scenario", [OPERATED, COMMITTED, CHARGED], ids=["prices", "mixes", "charges"])
def test_a_state_at_midnight_is_all_there_is(scenario: Scenario) -> None:
    first = CoSimulation(scenario)
    for _ in range(STEPS_PER_DAY):
        first.step()
    second = CoSimulation(first.settings)
    second.restore({name: value.copy() for name, value in first.state().items()})
    first.run()
    second.run()
    assert all(np.array_equal(value, first.state()[name], equal_nan=True) for name, value in second.state().items())
    later = [tables.rehearsals for tables in first.evenings[0].tables[1:]]
    for before, after in zip(later, [tables.rehearsals for tables in second.evenings[0].tables], strict=True):
        pd.testing.assert_frame_equal(before, after, check_exact=True)


def test_a_failed_run_keeps_what_was_published_for_the_day(tmp_path: Path) -> None:
    wrong = OPERATED.changed({"prosumers.home-4.load_annual_mwh": 150.0, "dso.signal": "none"})
    with pytest.raises(RunFailure) as ended:
        run(wrong, references=False, folder=tmp_path / "r")
    partial = ended.value.partial
    assert partial is not None and partial.rehearsals is not None and partial.published is not None
    assert 0 < partial.control_steps < 3 * 96
    assert partial.rehearsals["broken_steps"].iloc[-1] > 0  # the evening saw it coming
    assert (tmp_path / "r" / "published.parquet").is_file()
