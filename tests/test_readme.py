"""The README is true: its example runs, its lines are those that continuous integration executes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from agents.dso import SIGNALS
from cosim import Scenario
from cosim.dso_spec import DsoSpec
from cosim.page.controls import MOST_BUSES, MOST_DAYS, MOST_PROSUMERS
from cosim.population_spec import PopulationSpec
from cosim.sweep import Sweep, plan_of
from cosim.validation import problems

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SWEEPS = (ROOT / "docs" / "sweeps.md").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "page.md").read_text(encoding="utf-8")
CONGESTION = (ROOT / "docs" / "congestion.md").read_text(encoding="utf-8")
RELIEF = (ROOT / "docs" / "relief.md").read_text(encoding="utf-8")
HOSTING = (ROOT / "docs" / "hosting.md").read_text(encoding="utf-8")
OPERATOR = (ROOT / "docs" / "operator.md").read_text(encoding="utf-8")


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def test_the_python_example_runs_and_shows_the_end_of_the_feeder(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = blocks("python")
    exec(compile(example, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "home-4" in printed
    assert "gain_kept_percent" in printed


def test_the_sweep_of_the_documents_is_one(tmp_path: Path) -> None:
    """2 dead bands, 2 seasons and 4 rules, each with 10 samples under 5 seeds."""
    (example,) = blocks("toml", SWEEPS)
    for name in ("sweeps", "scenarios"):
        (tmp_path / name).mkdir()
    (tmp_path / "scenarios" / "village.toml").symlink_to(ROOT / "experiments" / "scenarios" / "village.toml")
    file = tmp_path / "sweeps" / "example.toml"
    file.write_text(example, encoding="utf-8")
    plan = plan_of(file)
    assert len(plan.runs) == 2 * 2 * 4 * 10 * 5
    assert {run.scenario.start.month for run in plan.runs} == {6, 12}
    assert problems(plan.runs[-1].scenario) == []


def test_the_python_of_sweeps_reads_what_a_sweep_leaves() -> None:
    """Every name in it is there; running it would run a sweep."""
    (example, slurm) = blocks("python", SWEEPS)
    for text in (example, slurm):
        compile(text, "sweeps.md", "exec")
    for name in re.findall(r"(?<!S)sweep\.(\w+)(?=[(\[)])", example):
        assert hasattr(Sweep, name), name


def test_the_two_lines_are_the_ones_that_ci_runs() -> None:
    run_line, test_line, *_ = blocks("sh")
    assert run_line.strip().endswith("cosim study locational-disparity")
    assert test_line.strip().endswith("pytest")
    for line in (run_line, test_line):
        assert re.match(r"python3 -m venv ", line), "what .ci/run looks for"


def test_the_population_is_that_of_the_scenario_it_names() -> None:
    (example,) = blocks("toml")
    scenario = Scenario.from_toml(ROOT / "experiments" / "scenarios" / "village.toml")
    assert PopulationSpec.model_validate(tomllib.loads(example)["population"]) == scenario.population
    assert problems(scenario) == []


@pytest.mark.parametrize("target", re.findall(r"\]\((?!https?:)([^)#]+)\)", README))
def test_every_file_that_the_readme_links_to_exists(target: str) -> None:
    assert (ROOT / target).is_file()


def test_the_operators_example_reaches_the_bound(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = blocks("python", OPERATOR)
    names: dict[str, Any] = {}
    exec(compile(example, "operator.md", "exec"), names)
    printed = capsys.readouterr().out
    assert "bound_share" in printed
    assert "One Sun Plaza" in printed
    assert names["found"].table(names["bound"])["bound_share"].iloc[-1] > 0.99


def test_the_operators_table_is_that_of_the_scenario_it_names() -> None:
    (example,) = blocks("toml", OPERATOR)
    scenario = Scenario.from_toml(ROOT / "experiments" / "scenarios" / "herd.toml")
    assert DsoSpec.model_validate(tomllib.loads(example)["dso"]) == scenario.dso


def test_the_operators_signals_are_those_there_are() -> None:
    assert re.findall(r"^\| `([a-z-]+)` \|", OPERATOR, flags=re.MULTILINE) == list(SIGNALS)


@pytest.mark.parametrize("target", re.findall(r"\]\((?!https?:)([^)#]+)\)", OPERATOR))
def test_every_file_that_the_operators_page_links_to_exists(target: str) -> None:
    assert (ROOT / "docs" / target).is_file()


@pytest.mark.slow
def test_the_year_of_the_congestion_page_is_lived(capsys: pytest.CaptureFixture[str]) -> None:
    """CurB after the residual onset leaves no more violations than the proactive measures by themselves."""
    (example,) = blocks("python", CONGESTION)
    names: dict[str, Any] = {}
    exec(compile(example, "congestion.md", "exec"), names)
    assert "temperature_drop_k" in capsys.readouterr().out
    without = names["live_year"](names["case"], names["measures"][:2], threshold_kw=names["limit_kw"])
    assert 0 < names["year"].n_load_violations <= without.n_load_violations


def test_the_python_of_relief_tells_who_waited(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = blocks("python", RELIEF)
    exec(compile(example, "relief.md", "exec"), {})
    assert "heat_owed_max_kwh" in capsys.readouterr().out


@pytest.mark.parametrize("target", re.findall(r"\]\((?!https?:)([^)#]+)\)", CONGESTION + RELIEF))
def test_every_file_that_the_congestion_page_links_to_exists(target: str) -> None:
    assert (ROOT / "docs" / target).is_file()


@pytest.mark.filterwarnings("ignore:Failed to validate hooks:UserWarning")  # Solara's opinion of Mesa's page
@pytest.mark.filterwarnings("ignore:.*found despite early return:UserWarning")
def test_the_python_of_the_page_gives_mesa_s_page() -> None:
    (example,) = blocks("python", PAGE)
    found: dict[str, Any] = {}
    exec(compile(example, "page.md", "exec"), found)
    assert found["page"].component.name == "SolaraViz"
    assert len(found["page"].kwargs["components"]) == 2  # a map and the profile


def test_the_page_takes_what_its_document_says() -> None:
    (said,) = re.findall(r"up to ([\d,]+) prosumers, ([\d,]+) buses and (\d+) days", PAGE)
    assert [int(number.replace(",", "")) for number in said] == [MOST_PROSUMERS, MOST_BUSES, MOST_DAYS]


def test_the_capacity_of_the_document_comes_out(capsys: pytest.CaptureFixture[str]) -> None:
    """The default case left to itself, as the table of the document has it."""
    (example,) = blocks("python", HOSTING)
    exec(compile(example, "hosting.md", "exec"), {})
    level = capsys.readouterr().out.partition(",")[0]
    assert f"| PV, 5 % each of batteries, cars and heat pumps | {level.replace('%', ' %')} |" in HOSTING
