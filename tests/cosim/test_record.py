"""What is recorded is what was chosen; what is not recorded changes nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from agents.prosumer import RECORDED
from cosim import CoSimulation, Run, Scenario, run, run_ensemble
from cosim.failure import RunFailure
from cosim.plots import draw_run, local_hours, plot_day, samples_per_step
from cosim.record import NotRecorded
from cosim.results import save_run
from feeders.errors import InputErrors
from tests.cosim.loop_cases import finished

pytestmark = pytest.mark.usefixtures("feeders_built_once")

SOME = ("vm_pu", "p_battery_kw", "status")
WEEKEND = Scenario(name="narrow", rule="prc", market_step_min=60, control_step_min=15).changed(
    {"days": 2, "voltage.vm_max_pu": 1.02, "voltage.dead_pu": 0.01, "voltage.vm_min_pu": 0.98}
)


@pytest.fixture(scope="module")
def full() -> Run:
    return run(WEEKEND)


def test_what_is_not_recorded_changes_neither_the_rest_nor_the_indices(full: Run) -> None:
    some = run(WEEKEND.changed({"record": ["status", "vm_pu", "p_battery_kw", "vm_pu"], "record_every": 4}))
    assert some.scenario.record == SOME  # in their own order, each once
    assert some.frames.shape == (48, 3, 3)
    for name in SOME:
        assert np.array_equal(some.column(name), full.column(name)[::4])
    assert list(some.times) == list(full.times[::4])
    pd.testing.assert_frame_equal(some.indices, full.indices, check_exact=True)
    assert (some.step_status, some.control_steps) == (full.step_status, 192)
    assert some.timeseries.columns.tolist() == ["time", "prosumer", "bus", "vm_pu", "zone", "p_battery_kw", "status"]
    every_fourth = full.timeseries[full.timeseries["time"].dt.minute == 0]
    for name in some.timeseries:
        assert some.timeseries[name].tolist() == every_fourth[name].tolist()


def test_nothing_recorded_leaves_the_indices(full: Run, tmp_path: Path) -> None:
    bare = run(WEEKEND.changed({"record": []}), folder=tmp_path / "r", draw=draw_run)
    pd.testing.assert_frame_equal(bare.indices, full.indices, check_exact=True)
    assert (bare.timeseries.empty, len(bare.times), bare.frames.shape) == (True, 0, (0, 0, 3))
    files = ["bills.parquet", "manifest.json", "prosumers.parquet", "scenario.toml", "timeseries.parquet"]
    assert sorted(path.name for path in (tmp_path / "r").iterdir()) == files
    assert pq.read_metadata(tmp_path / "r" / "timeseries.parquet").num_rows == 0
    with pytest.raises(NotRecorded, match=r"'vm_pu' is not allowed; .*was recorded: nothing but indices"):
        bare.column("vm_pu")


def test_a_column_that_was_not_recorded_says_which_were(full: Run) -> None:
    some = finished(WEEKEND.changed({"record": SOME}))
    for missing in (some.record.column, run_ensemble(some.settings)[0].column):
        with pytest.raises(NotRecorded, match=r"'energy_kwh' is not allowed; .*: vm_pu, p_battery_kw, status"):
            missing("energy_kwh")
    with pytest.raises(NotRecorded, match="'voltage'"):
        full.column("voltage")
    with pytest.raises(NotRecorded, match="'voltage'"):
        full.table(["voltage"])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"record": ["vm_pu", "p_batery_kw"]}, "record: 'p_batery_kw' is not allowed; .*nearest: p_battery_kw"),
        ({"record": "vm_pu"}, "record: 'vm_pu' is not allowed"),
        ({"record_every": 7}, "record_every: 7 is not allowed; allowed: a divisor of the control steps of a day, 96"),
        ({"record_every": 0}, "record_every: 0 is not allowed"),
    ],
)
def test_wrong_choices_are_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(InputErrors, match=said):
        CoSimulation(WEEKEND.changed(changes))


def test_scenarios_in_lock_step_record_the_same() -> None:
    with pytest.raises(InputErrors, match=r"record_every.*the same in all scenarios"):
        run_ensemble([WEEKEND, WEEKEND.changed({"record_every": 2})])


def test_the_present_market_step_can_be_read_whatever_is_recorded() -> None:
    bare, watched = (CoSimulation(WEEKEND.changed({"record": names})) for names in ((), RECORDED))
    for _ in range(3):
        bare.step()
        watched.step()
        for name in ("vm_pu", "p_meter_kw", "status"):
            assert np.array_equal(bare.record.present(name), watched.record.column(name)[-4:])


def test_reporters_and_an_open_loop_do_not_need_the_record() -> None:
    changes = {"mode": "open-loop", "open_loop_reference": "optimised", "rule": "hybrid"}
    bare, watched = (
        finished(WEEKEND.changed({**changes, "record": names, "record_every": 8})) for names in ((), RECORDED)
    )
    assert bare._shadow is not None and watched._shadow is not None
    assert (watched._shadow.record.n_written, watched._shadow.settings[0].record) == (0, ())
    assert np.array_equal(bare.population.state, watched.population.state)
    tables = [model.datacollector.get_model_vars_dataframe() for model in (bare, watched)]
    pd.testing.assert_frame_equal(*tables, check_exact=True)
    assert tables[0]["p_curtailed_kw"].max() > 0


@pytest.mark.parametrize("group_bytes", [3000, 40_000, 2**26], ids=lambda size: f"{size} bytes")
@pytest.mark.parametrize("every", [1, 4])
def test_streamed_is_saved_byte_for_byte(
    full: Run, every: int, group_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With buffers of parts of a day, of a day, of both days; 288 bytes a sample."""
    monkeypatch.setattr("cosim.layout.GROUP_BYTES", group_bytes)
    scenario = WEEKEND.changed({"record_every": every})
    streamed = run(scenario, folder=tmp_path / "streamed")
    save_run(run(scenario), tmp_path / "saved", seconds=0.0)
    for name in ("timeseries.parquet", "prosumers.parquet"):
        assert (tmp_path / "streamed" / name).read_bytes() == (tmp_path / "saved" / name).read_bytes()
    n_groups = pq.read_metadata(tmp_path / "streamed" / "timeseries.parquet").num_row_groups
    samples, room = 192 // every, max(1, group_bytes // 288)
    at_once = -(-(samples // 2) // -(-samples * 288 // 2 // group_bytes))  # an even part of a day, where it is too long
    assert n_groups == (1 if room >= samples else 2 * -(-samples // 2 // at_once))
    assert np.array_equal(streamed.frames, full.frames[::every])
    assert np.array_equal(
        streamed.column("energy_kwh", day=1, rows=[2, 0]), full.column("energy_kwh")[96::every, [2, 0]]
    )
    expected = full.timeseries.iloc[96 * 3 :][["time", "vm_pu", "zone", "status"]]
    if every == 1:
        found = streamed.table(["time", "vm_pu", "zone", "status"], day=1)
        pd.testing.assert_frame_equal(found, expected.reset_index(drop=True), check_exact=True)


def test_loading_reads_no_series_until_asked(full: Run, tmp_path: Path) -> None:
    save_run(full, tmp_path / "r", seconds=0.0)
    loaded = Run.load(tmp_path / "r")
    (tmp_path / "r" / "timeseries.parquet").unlink()
    pd.testing.assert_frame_equal(loaded.indices, full.indices, check_exact=True)
    assert len(loaded.times) == 192
    with pytest.raises(FileNotFoundError):
        loaded.column("vm_pu")


def test_the_manifest_says_what_was_recorded_and_computed(tmp_path: Path) -> None:
    scenario = WEEKEND.changed({"record": SOME, "record_every": 4})
    result = run(scenario, folder=tmp_path / "r", references=False)
    manifest = json.loads((tmp_path / "r" / "manifest.json").read_text())
    assert (manifest["recorded"], manifest["engine"]) == (list(SOME), "current-injection")
    assert (manifest["control_steps"], sum(manifest["step_status"].values())) == (192, 3 * 192)
    assert result.engine == "current-injection"


def test_a_failure_leaves_a_readable_folder_when_streaming(tmp_path: Path) -> None:
    heavy = WEEKEND.changed({"prosumers.home-4.load_annual_mwh": 120.0, "record_every": 2})
    ended = []
    for folder in (None, tmp_path / "r"):
        with pytest.raises(RunFailure) as failed:
            run(heavy, folder=folder)
        assert failed.value.partial is not None
        ended.append(failed.value.partial)
    in_memory, again = ended[0], Run.load(tmp_path / "r")
    assert [path.name for path in tmp_path.iterdir()] == ["r"]
    assert again.failure == in_memory.failure and 0 < again.control_steps == in_memory.control_steps < 192
    assert len(again.frames) == -(-again.control_steps // 2)
    assert np.array_equal(again.frames, in_memory.frames)
    assert np.array_equal(ended[1].frames, in_memory.frames)
    assert again.indices.drop(columns=["prosumer", "bus", "distance_ohm"]).isna().to_numpy().all()
    assert dict(again.step_status) == dict(in_memory.step_status)


def test_figures_of_what_was_recorded(tmp_path: Path) -> None:
    for names, every, drawn in (
        (RECORDED, 8, ["day-home-4.png", "voltages.png"]),
        (RECORDED, 3, ["day-home-4.png", "voltages.png"]),
        (("vm_pu",), 1, ["voltages.png"]),
        (("p_load_kw",), 1, []),
    ):
        sampled = run(WEEKEND.changed({"record": names, "record_every": every}), references=False)
        folder = tmp_path / f"{names[0]}-{len(names)}-{every}"
        folder.mkdir()
        draw_run(sampled, folder)
        assert sorted(path.name for path in folder.iterdir()) == drawn
        assert samples_per_step(sampled) == (4 if every == 1 else 1)
        assert np.diff(local_hours(sampled, "UTC")) == pytest.approx(every / 4)
    with pytest.raises(NotRecorded):
        plot_day(None, sampled, "home-4")  # type: ignore[arg-type] # never drawn on
