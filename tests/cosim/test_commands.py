"""The commands: what they print, what they write, how they end."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from pathlib import Path

import pandapower as pp
import pandas as pd
import pytest

import cosim.study
from agents.prosumer import RULES
from cosim import Run, Scenario
from cosim.commands import main
from cosim.commands.options import parse_changes, progress_bar
from cosim.commands.show import show_table
from cosim.study import StudyOptions, StudyResult, load_study, studies
from feeders import FEEDERS
from tests.cosim.command_line import COSIM, call

FAST = ("--set", "control_step_min=15", "--no-references")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with the default scenario in `s.toml`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    Path("s.toml").write_text(Scenario().to_toml())
    return tmp_path


def test_the_installed_command_is_this_one() -> None:
    (point,) = entry_points(group="console_scripts", name="cosim")
    assert point.load() is main


@pytest.mark.parametrize(
    "command", ["", "run", "check", "compare", "population", "region", "study", "feeders", "rules", "bench", "app"]
)
def test_help(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    ended = call(*command.split(), "--help")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.split()[:2] == ["Usage:", "cosim"]
    assert "Show this message and exit." in ended.out


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ("rn", "No such command 'rn'. Did you mean 'run'?"),
        ("run", "Missing argument 'SCENARIO.toml'"),
        ("run s.toml --ot x", "No such option: --ot"),
        ("run s.toml --threads 0", "--threads"),
        ("check", "give a SCENARIO.toml, --schema or --example"),
    ],
)
def test_a_mistyped_command_ends_with_2(args: str, said: str, here: Path) -> None:
    ended = call(*args.split())
    assert (ended.code, ended.out) == (2, "")
    assert said in " ".join(ended.err.replace("│", " ").split())
    assert "Traceback" not in ended.err


def test_run_prints_the_indices_and_writes_the_folder(here: Path) -> None:
    ended = call("run", "s.toml", *FAST, "--set", "rule=prc", "--set", "prosumers.home-4.battery_kwh=2")
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0].strip() == "four-bus: rule prc, closed-loop, 1 day"
    assert lines[2].strip("┃ ").split()[0::2] == [
        *("prosumer", "bus", "cost", "lcg_percent", "gain_kept_percent", "tce_kwh", "cvc_pu"),
        *("n_above_max", "n_above_dead", "n_below_dead", "n_below_min"),
    ]
    assert lines[-1].endswith("s; written to results/four-bus")
    result = Run.load(here / "results" / "four-bus")
    assert result.scenario.rule == "prc"
    assert [p.battery_kwh for p in result.scenario.prosumers] == [1.0, 1.0, 2.0]
    for row, line in zip(result.indices.itertuples(), lines[4:7], strict=True):
        cells = [cell.strip() for cell in line.strip("│").split("│")]
        assert cells[:3] == [row.prosumer, str(row.bus), f"{row.cost:.4g}"]
        assert cells[3:5] == ["-", "-"]  # no references, nothing to compare with
        assert cells[-1] == str(row.n_below_min)
    assert (here / "results" / "four-bus" / "voltages.png").stat().st_size > 10_000


def test_of_many_prosumers_run_prints_the_spread(here: Path) -> None:
    (here / "s.toml").write_text("control_step_min = 15\n[population]\nn = 51\nload_annual_mwh = 0.1\npv_kwp = 0.1\n")
    done = call("run", "s.toml", "--no-references", "--out", "many")
    assert done.code == 0, done.err
    assert "51 prosumers" in done.out and "home-00001" not in done.out
    cost = Run.load(here / "many").indices["cost"]
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in done.out.splitlines()]
    assert [row[1] for row in rows if row[0] == "max"] == [f"{cost.max():.4g}"]


def test_run_compares_with_its_references(here: Path) -> None:
    ended = call("run", "s.toml", "--set", "control_step_min=15", "--out", "deep/er")
    cells = [cell.strip() for cell in ended.out.splitlines()[6].strip("│").split("│")]
    indices = Run.load(Path("deep/er")).indices
    assert cells[3] == f"{indices['lcg_percent'].iloc[2]:.4g}"
    assert cells[4] == f"{indices['gain_kept_percent'].iloc[2]:.4g}"


def test_run_again_replaces_the_same_run_and_refuses_another(here: Path) -> None:
    assert call("run", "s.toml", *FAST).code == 0
    assert call("run", "s.toml", *FAST).code == 0
    before = (here / "results/four-bus/manifest.json").read_bytes()
    ended = call("run", "s.toml", *FAST, "--set", "rule=prc")
    assert ended.code == 2
    assert ended.err == (
        "error: --out: folder: 'results/four-bus' is not allowed; "
        "allowed: a new or empty folder: this one holds something else\n"
    )
    assert (here / "results/four-bus/manifest.json").read_bytes() == before


def test_a_relative_file_still_means_the_same_in_the_folder_of_the_run(here: Path) -> None:
    times = pd.date_range(Scenario().start, periods=96, freq="15min").strftime("%Y-%m-%dT%H:%MZ")
    Path("q.csv").write_text("\n".join(["time,p", *(f"{time},0.3" for time in times)]) + "\n")
    tariff = {"kind": "real-time", "file": "q.csv", "column": "p", "unit": "currency/kWh"}
    changes = [text for key, value in tariff.items() for text in ("--set", f"tariff.{key}={value}")]
    assert call("run", "s.toml", *FAST, *changes, "--out", "first").code == 0
    manifest = json.loads(Path("first/manifest.json").read_text())
    assert list(manifest["inputs"]) == [str(here / "q.csv")]
    repeat = shlex.split(manifest["repeat"].replace("NEW_DIR", "second"))
    assert call(*repeat[1:], "--no-references").code == 0
    assert Path("first/timeseries.parquet").read_bytes() == Path("second/timeseries.parquet").read_bytes()


def test_a_run_that_fails_says_when_where_and_how_to_repeat_it(here: Path) -> None:
    ended = call("run", "s.toml", *FAST, "--set", "prosumers.home-4.load_annual_mwh=90", "--set", "name=weak")
    kept, repeat, failed = ended.err.splitlines()
    partial = Run.load(here / "results" / "weak")
    assert (ended.code, ended.out) == (1, "")
    assert kept == "results up to then: results/weak"
    assert repeat == "to repeat it: cosim run results/weak/scenario.toml --out NEW_DIR"
    assert failed == f"failed: {partial.failure}"
    at = partial.scenario.start + pd.Timedelta(minutes=15 * len(partial.frames))
    assert f"run ended at control step {len(partial.frames)} ({at:%Y-%m-%d %H:%M} UTC): power flow on" in failed
    assert "worst bus 4" in failed
    again = call(*shlex.split(repeat.removeprefix("to repeat it: cosim ").replace("NEW_DIR", "again")))
    assert again.code == 1
    assert again.err.splitlines()[-1] == failed
    assert not list((here / "results" / "weak").glob("*.png"))


DAYS = ("--set", "days=4", "--set", "start=2016-06-05T22:00:00Z")


def interrupted(*args: str, at: int) -> tuple[int, str, str]:
    """How a run ends, and what it says, at Ctrl-C after so many market steps: in a process that sends it to itself."""
    code = (
        "import os, signal, cosim.model; from cosim import CoSimulation\n"
        "step, lived = CoSimulation.step, []\n"
        "def counted(model):\n"
        f"    lived.append(1); step(model); len(lived) == {at} and os.kill(os.getpid(), signal.SIGINT)\n"
        f"CoSimulation.step = counted; {COSIM[-1]}"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, "run", *args], capture_output=True, text=True, timeout=60, check=False
    )
    return ended.returncode, ended.stdout, ended.stderr


def test_interrupting_a_run_on_its_first_day_leaves_nothing_and_no_traceback(here: Path) -> None:
    said = "interrupted; results are written whole or not at all\n"
    assert interrupted("s.toml", *DAYS, at=50) == (130, "", said)
    assert [path.name for path in here.rglob("*")] == ["s.toml"]


def test_interrupting_a_run_keeps_its_days_and_says_how_to_go_on(here: Path) -> None:
    args = ["s.toml", *FAST, *DAYS, "--out", "my run"]
    code, out, err = interrupted(*args, at=2 * 96 + 50)
    first, kept = err.splitlines()
    assert (code, out, first) == (130, "", "interrupted; results are written whole or not at all")
    kept, _, command = kept.partition("; to go on: cosim ")
    assert kept == "kept: day 2 of 4"
    refused = call("run", *args)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == (
        "error: my run: an unfinished run of this scenario is kept beside it, day 2 of 4; "
        "--resume goes on (resume=True), --restart begins anew (resume=False)\n"
    )
    resumed = call(*shlex.split(command))
    assert (resumed.code, resumed.err) == (0, "")
    assert call("run", *args[:-1], "straight").code == 0
    assert Path("my run/timeseries.parquet").read_bytes() == Path("straight/timeseries.parquet").read_bytes()
    assert sorted(path.name for path in here.iterdir()) == ["my run", "s.toml", "straight"]


def test_resuming_what_is_not_there_is_said(here: Path) -> None:
    ended = call("run", "s.toml", *FAST, "--resume", "--out", "new")
    assert ended.code == 0
    assert ended.err == "note: new: no unfinished run of this scenario to go on with; it begins at its start\n"


def test_check_says_what_would_run(here: Path) -> None:
    ended = call("check", "s.toml", "--set", "days=2")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        f"s.toml: valid; 3 prosumers on four-bus (4 buses), 2880 control steps from "
        f"{Scenario().start:%Y-%m-%d %H:%M} UTC\n"
    )
    assert [path.name for path in here.iterdir()] == ["s.toml"]


def test_check_tells_what_was_repaired_in_a_net(here: Path) -> None:
    """Here one from before pandapower knew of tap dependency tables."""
    net = pp.create_empty_network()
    source, home = pp.create_bus(net, vn_kv=20.0), pp.create_bus(net, vn_kv=0.4)
    pp.create_ext_grid(net, source)
    pp.create_transformer(net, source, home, "0.25 MVA 20/0.4 kV")
    net.trafo = net.trafo.drop(columns="tap_dependency_table")
    pp.to_json(net, str(here / "old.json"))
    ended = call("check", "s.toml", "--set", "feeder.file=old.json", "--set", "prosumers.*.bus=1")
    assert (ended.code, ended.err) == (0, "")
    valid, *notes = ended.out.splitlines()
    assert valid.startswith("s.toml: valid; 3 prosumers on old (2 buses), 1440 control steps from 2016-")
    assert "note: trafo: tap_dependency_table was missing; set to False" in notes


def test_a_population_is_drawn_edited_and_passed_back_in(here: Path) -> None:
    Path("s.toml").write_text("market_step_min = 60\n[population]\nn = 3\nrule_share = 0.0\nbattery_share = 0.0\n")
    ended = call("population", "s.toml", "--set", "population.n=5", "--out", "my people.csv")
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0].strip() == "four-bus: 5 prosumers on four-bus"
    assert [cell.strip() for cell in lines[5].strip("│").split("│")] == ["pv_kwp", "5", "2.5", "2.5", "2.5"]
    assert [cell.strip() for cell in lines[6].strip("│").split("│")] == ["battery_kwh", "0", "-", "-", "-"]
    assert lines[-2].endswith(" buses; 5 optimise, 5 obey no rule")
    assert lines[-1] == "written to my people.csv; to run them, edited or not: --set 'prosumers_file=my people.csv'"
    given = ("--set", "prosumers_file=my people.csv")
    assert call("run", "s.toml", *FAST, "--set", "population.n=5", "--out", "drawn").code == 0
    assert call("run", "s.toml", *FAST, *given, "--out", "read").code == 0
    for name in ("timeseries.parquet", "prosumers.csv"):
        assert Path("drawn", name).read_bytes() == Path("read", name).read_bytes()
    refused = call("population", "s.toml", "--out", "my people.csv")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    edited = Path("my people.csv").read_text().replace("home-00005", "at-the-end")
    Path("my people.csv").write_text(edited)
    assert call("run", "s.toml", *FAST, *given, "--out", "read").code == 2  # another run
    assert "at-the-end" in call("run", "s.toml", *FAST, *given, "--out", "edited").out


def test_check_counts_a_population_too(here: Path) -> None:
    ended = call("check", "s.toml", "--set", "population.n=4", "--set", "profiles=repeated", "--set", "days=365")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("s.toml: valid; 4 prosumers on four-bus (4 buses), 525600 control steps from")


def test_check_gives_an_example_that_is_valid(here: Path) -> None:
    Path("example.toml").write_text(call("check", "--example").out)
    assert Scenario.from_toml(Path("example.toml")) == Scenario()
    assert call("check", "example.toml").code == 0


def test_check_gives_the_schema() -> None:
    assert json.loads(call("check", "--schema").out) == Scenario.model_json_schema()


def test_feeders_and_rules_list_everything_there_is() -> None:
    feeders, rules = call("feeders"), call("rules")
    assert (feeders.code, rules.code, feeders.err + rules.err) == (0, 0, "")
    for name in FEEDERS:
        assert any(line.strip("│ ").startswith(f"{name} ") for line in feeders.out.splitlines()), name
    for name, rule in RULES.items():
        assert any(line.strip("│ ").startswith(f"{name} ") for line in rules.out.splitlines()), name
        assert str(rule.__doc__).splitlines()[0] in rules.out  # unfolded


def small_study(options: StudyOptions) -> StudyResult:
    """Does a study of another package run?

    Only its first line is the question.
    """
    if options.progress is not None:
        options.progress(1, 2)
    table = pd.DataFrame({"mode": ["open"], "threads": [options.threads]})
    return StudyResult("small", table, "said below", lambda folder: table.to_csv(folder / "table.csv", index=False))


@pytest.fixture
def with_small_study(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("small", f"{__name__}:small_study", "cosim.studies")
    known = EntryPoints([*entry_points(group="cosim.studies"), point])
    monkeypatch.setattr(cosim.study, "entry_points", lambda group: known.select(group=group))


def test_studies_are_listed_with_their_questions(with_small_study: None) -> None:
    ended = call("study")
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in ended.out.splitlines() if "│" in line]
    assert ["small", "Does a study of another package run?", __name__] in rows
    question = "Do inverter rules cost more at the end of a feeder, and can that disparity be limited?"
    assert ["locational-disparity", question, "experiments.locational_disparity"] in rows


def test_a_study_prints_and_writes_its_answer(with_small_study: None, here: Path) -> None:
    ended = call("study", "small", "--threads", "2", "--set", "rule=prc")
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert (lines[0].strip(), lines[-2]) == ("small", "said below")
    assert lines[-1].endswith("written to results/small")
    assert Path("results/small/table.csv").read_text() == "mode,threads\nopen,2\n"
    manifest = json.loads(Path("results/small/manifest.json").read_text())
    assert (manifest["study"], manifest["changes"]) == ("small", {"rule": "prc"})
    assert call("study", "small", "--set", "rule=prc").code == 0
    refused = call("study", "small", "--set", "rule=anrc")
    assert (refused.code, refused.err.count("\n")) == (2, 1)


def test_an_unknown_study_names_the_nearest() -> None:
    ended = call("study", "locational")
    assert ended.code == 2
    assert ended.err.startswith("error: cosim study: NAME: 'locational' is not allowed; allowed: one of ")
    assert "(nearest: locational-disparity" in ended.err
    assert load_study("locational-disparity").__doc__
    assert "locational-disparity" in studies()


@pytest.mark.parametrize(
    ("pair", "value"),
    [
        ("days=2", 2),
        ("voltage.dead_pu=0.03", 0.03),
        ("prosumers.a.optimise=false", False),
        ("rule=prc", "prc"),
        ('rule="prc"', "prc"),
        ("rule=", ""),
        ("name=a=b", "a=b"),
        ("start=2016-06-07T22:00:00Z", tomllib.loads("x = 2016-06-07T22:00:00Z")["x"]),
        ("days=2\nrule='x'", "2\nrule='x'"),  # one change, not two
    ],
)
def test_values_of_set_are_toml_and_bare_words_are_text(pair: str, value: object) -> None:
    assert parse_changes([pair]) == {pair.partition("=")[0]: value}


def test_no_bar_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("working") as progress:
        progress(1, 3)
        progress(3, 3)
    assert capsys.readouterr() == ("", "")


def test_a_table_shows_numbers_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    values = [8.6e-13, -0.0, float("nan"), 0.123456, 12345.6]
    show_table(pd.DataFrame({"x": values, "word": ["a", None, "c", "d", "e"]}), "title")
    lines = capsys.readouterr().out.splitlines()
    assert [line.strip("│ ").split()[0] for line in lines[4:-1]] == ["0", "0", "-", "0.1235", "12346"]
    assert lines[5].strip("│ ").split()[-1] == "-"


def test_a_narrow_terminal_breaks_names_at_underscores(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"FORCE_COLOR": "1", "COLUMNS": "40", "TERM": "dumb"}.items():
        monkeypatch.setenv(name, value)
    names = [f"quite_long_name_{letter}" for letter in "abcd"]
    show_table(pd.DataFrame([[0.5] * 4], columns=names), "")
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert lines[:4] == [["quite_"] * 4, ["long_"] * 4, ["name_"] * 4, ["a", "b", "c", "d"]]
    assert lines[-1] == ["0.5"] * 4


def test_a_run_with_an_operator_says_what_its_rehearsals_came_to(here: Path) -> None:
    """In one line, from the same table as is written."""
    ended = call("run", "s.toml", *FAST, "--set", "dso.signal=source", "--set", "dso.vm_ref_pu=0.99", "--out", "r")
    assert ended.code == 0
    (line,) = [line for line in ended.out.splitlines() if line.startswith("operator, source: ")]
    table = pd.read_csv("r/rehearsals.csv")
    before, after = table[table["iteration"] == 0], table[table["published"]]
    assert f"{before['deficit_pu_h'].sum():.4g} -> {after['deficit_pu_h'].sum():.4g} p.u. h" in line
