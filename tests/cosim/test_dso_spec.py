"""The operator of a scenario: TOML and back, changes by dotted names, hours, and every wrong field in one line."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cosim import Scenario
from cosim.dso_spec import DsoSpec, Hours, WatchSpec
from tests.cosim.command_line import call

pytestmark = pytest.mark.usefixtures("feeders_built_once")

FULL = Scenario(
    dso=DsoSpec(
        signal="source-local",
        parameters={"alpha": 0.1 + 0.2, "local": True, "damping": 1},
        vm_ref_pu=0.96,
        margin_pu=0.0,
        watch=(WatchSpec(), WatchSpec(kind="line", element="2-3", limit=0.8), WatchSpec(element=3, limit=0.95)),
        active=(Hours(start="22:00", end="06:00"), Hours(start="12:00", end="24:00")),
        timezone="America/New_York",
        iterations=1,
        share=0.25,
    )
)


def test_it_reads_back_equal() -> None:
    assert Scenario.from_dict(tomllib.loads(FULL.to_toml())) == FULL
    assert Scenario.from_dict({"dso": {}}).dso == DsoSpec()
    assert "dso" not in tomllib.loads(Scenario().to_toml())


def test_changes_by_dotted_names() -> None:
    with_it = Scenario().changed({"dso.signal": "damped", "dso.parameters.alpha": 2.0})
    assert with_it.dso == DsoSpec(signal="damped", parameters={"alpha": 2.0})
    same = with_it.changed({"dso.iterations": 3, "dso.signal": "damped"})
    assert same.dso == DsoSpec(signal="damped", parameters={"alpha": 2.0}, iterations=3)
    other = same.changed({"dso.signal": "source"})  # whose parameters are its own
    assert other.dso == DsoSpec(signal="source", iterations=3)
    assert other.changed({"dso": None}) == Scenario()


def test_the_schema_knows_it() -> None:
    schema = Scenario.model_json_schema()
    assert set(schema["$defs"]["DsoSpec"]["properties"]) == set(DsoSpec.model_fields)
    assert schema["$defs"]["DsoSpec"]["additionalProperties"] is False


def test_active_hours_follow_the_wall_clock() -> None:
    # 27 March 2016, when clocks in Berlin went from 02:00 to 03:00: 01:45 to 03:15 there are half an hour.
    times = pd.date_range("2016-03-26T23:00Z", periods=96, freq="15min")
    spec = DsoSpec(active=(Hours(start="01:45", end="03:15"),))
    assert times[spec.active_steps(times)].strftime("%H:%M").tolist() == ["00:45", "01:00"]
    night = DsoSpec(active=(Hours(start="22:00", end="01:00"), Hours(start="12:00", end="12:15")), timezone="UTC")
    expected = [(time.hour >= 22) or (time.hour < 1) or (time.hour == 12 and time.minute == 0) for time in times]
    assert night.active_steps(times).tolist() == expected
    assert DsoSpec().active_steps(times).all()


WRONG = {
    "signal": ('signal = "sorce"', "dso.signal: 'sorce' is not allowed; allowed: one of none, source"),
    "parameter": ("parameters = { alfa = 4 }", "dso.parameters.alfa: 4 is not allowed; allowed: one of alpha, "),
    "range": (
        "parameters = { alpha = -1 }",
        "dso.parameters.alpha: -1 is not allowed; allowed: a number from 0 to 100",
    ),
    "type": ('parameters = { alpha = "4" }', "dso.parameters.alpha: '4' is not allowed; allowed: true or false or a"),
    "key": ("signl = 3", "dso.signl: 3 is not allowed; allowed: a known key; nearest: signal"),
    "iterations": ("iterations = 0", "dso.iterations: 0 is not allowed; allowed: a number >= 1 and <= 1000"),
    "share": ("share = 1.5", "dso.share: 1.5 is not allowed; allowed: a number >= 0 and <= 1"),
    "zone": ('timezone = "Mars"', "dso.timezone: 'Mars' is not allowed; allowed: an IANA time zone"),
    "clock": (
        'active = [{ start = "25:00", end = "06:00" }]',
        "dso.active[0].start: '25:00' is not allowed; allowed: local time as \"HH:MM\"",
    ),
    "empty-hours": (
        'active = [{ start = "06:00", end = "06:00" }]',
        "dso.active[0].start: '06:00' is not allowed; allowed: a start that differs from the end, 06:00",
    ),
    "hours-between-steps": (
        'active = [{ start = "06:05", end = "06:10" }]',
        "dso.active: [{'start': '06:05', 'end': '06:10'}] is not allowed; allowed: hours in which a market step begins",
    ),
    "nothing-watched": ("watch = []", "dso.watch: [] is not allowed; allowed: at least one quantity"),
    "bus": (
        "watch = [{ element = 77 }]",
        "dso.watch[0].element: 77 is not allowed; allowed: a bus index or name of this net; nearest: ",
    ),
    "line": (
        'watch = [{}, { kind = "line", element = "2-5" }]',
        "dso.watch[1].element: '2-5' is not allowed; allowed: a line index or name of this net; nearest: 2-3",
    ),
    "worst-line": (
        'watch = [{ kind = "line" }]',
        "dso.watch[0].element: 'worst' is not allowed; allowed: index or name of a line: 'worst' is for kind 'voltage'",
    ),
    "kind": (
        'watch = [{ kind = "bus" }]',
        "dso.watch[0].kind: 'bus' is not allowed; allowed: 'voltage', 'voltage-high', 'line' or 'transformer'",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_operator_is_one_line(case: str, tmp_path: Path) -> None:
    text, line = WRONG[case]
    (tmp_path / "s.toml").write_text(f"[dso]\n{text}\n")
    ended = call("check", tmp_path / "s.toml")
    assert ended.code == 2
    assert ended.err.startswith(f"error: {tmp_path}/s.toml: {line}")
    assert ended.err.count("\n") == 1


def test_several_at_once(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text('[dso]\nsignal = "x"\nwatch = [{ element = 9 }, { element = 8 }]\n')
    ended = call("check", tmp_path / "s.toml")
    assert [line.split(": ")[2] for line in ended.err.splitlines()] == [
        "dso.signal",
        "dso.watch[0].element",
        "dso.watch[1].element",
    ]


def test_set_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text("control_step_min = 15\n")
    out = ("--out", tmp_path / "r", "--no-references")
    assert call("run", tmp_path / "s.toml", "--set", "dso.signal=damped", "--set", "dso.vm_ref_pu=0.99", *out).code == 0
    table = pd.read_csv(tmp_path / "r" / "rehearsals.csv")
    assert np.isfinite(table["v_min_pu"]).all() and (table["iteration"] > 0).any()
