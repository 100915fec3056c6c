"""Prosumers as a table: what is written reads back equal, what cannot be read is told by row and column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosim import ProsumerSpec, Run, Scenario, run
from cosim.input_files import input_hashes
from cosim.population import resolve
from cosim.prosumers_file import prosumers_csv, read_prosumers, write_prosumers
from cosim.results import run_id, save_run
from cosim.validation import problems
from feeders.errors import InputError, InputErrors
from tests.cosim.test_population import village

size = st.floats(0, allow_infinity=False, allow_nan=False)
share = st.floats(0, 1)
efficiency = st.floats(0, 1, exclude_min=True)
text = st.text()
prosumers = st.builds(
    ProsumerSpec,
    id=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", fullmatch=True),
    bus=st.one_of(st.integers(), text, st.integers().map(str)),
    load_profile=text,
    load_annual_mwh=size,
    load_power_factor=efficiency,
    flexible_share=share,
    flexible_max=st.floats(1, allow_infinity=False),
    pv_profile=text,
    pv_kwp=size,
    battery_kwh=size,
    battery_min_kwh=size,
    battery_c_charge=size,
    battery_c_discharge=size,
    efficiency_charge=efficiency,
    efficiency_discharge=efficiency,
    self_discharge_per_h=st.floats(0, 1, exclude_max=True),
    energy_start_kwh=st.none() | size,
    inverter_kva=size,
    pv_inverter_kva=st.none() | size,
    optimise=st.booleans(),
    ties=st.sampled_from(["late", "early", "random"]),
    rule=st.none() | text,
)


def refusals(content: str, folder: Path) -> list[str]:
    """What is said of a table, without its name."""
    path = folder / "people.csv"
    path.write_text(content)
    with pytest.raises((InputError, InputErrors)) as refused:
        read_prosumers(path)
    errors = refused.value.errors if isinstance(refused.value, InputErrors) else [refused.value]
    assert {error.where for error in errors} == {str(path)}
    return [str(error).removeprefix(f"{path}: ") for error in errors]


@given(st.lists(prosumers, max_size=4, unique_by=lambda p: p.id))
def test_written_and_read_are_the_same_prosumers(tmp_path_factory: pytest.TempPathFactory, people: list[Any]) -> None:
    path = tmp_path_factory.mktemp("table") / "people.csv"
    write_prosumers(path, people)
    assert read_prosumers(path) == tuple(people)


def test_the_table_has_a_row_per_prosumer_and_a_column_per_field() -> None:
    people = (
        ProsumerSpec(id="a", bus=2),
        ProsumerSpec(id="b", bus="2", rule="prc", optimise=False, ties="random", energy_start_kwh=0.5),
    )
    header, first, second = prosumers_csv(people).splitlines()
    assert header.split(",") == list(ProsumerSpec.model_fields)
    sizes = "H0-A,3.5,1.0,0.05,2.0,PV1,2.5,1.0,0.0,0.5,0.5,0.95,0.95,0.0"
    devices = "0.0,HLS_A_11.0,0.0,9.0,17.0,0.9,10.0,0.95,arrival,0.0,Air_Parallel_1,3.0,0.0,2.0,22.5,2.0,0.3,,0.0,"
    assert first == f"a,2,{sizes},,3.0,,{devices},true,arbitrage,late,"
    assert second == f'b,"""2""",{sizes},0.5,3.0,,{devices},false,arbitrage,random,prc'


def test_what_a_spreadsheet_makes_of_it_can_be_read(tmp_path: Path) -> None:
    """A byte order mark, carriage returns, TRUE, spaces, columns left out and moved, empty rows at the end."""
    path = tmp_path / "people.csv"
    path.write_bytes(
        "\ufeffbus,id, pv_kwp,optimise,rule\r\nBus Ä , a, 5,TRUE,\r\n3,b,,False,prc\r\n,,,,\r\n\r\n".encode()
    )
    assert read_prosumers(path) == (
        ProsumerSpec(id="a", bus="Bus Ä", pv_kwp=5.0),
        ProsumerSpec(id="b", bus=3, optimise=False, rule="prc"),
    )


def test_all_offences_at_once_by_row_and_column(tmp_path: Path) -> None:
    content = (
        "id,bus,pv_kwp,optimise,rule,battery_kwh,efficiency_charge\n"
        "a,2,5.0,true,,1,0.9\n"
        'b,3,"5,0",yes,,1,1.5\n'
        "c,4,-1,TRUE,none,nan,\n"
        "a,4,,,,,\n"
        "d,4\n"
        "\n"
        ",,1,true,,1,1\n"
        'e,4,1,,"""",1e999,\n'
        "f/g,4,,,,,\n"
    )
    number = "a finite number with a decimal point, e.g. 0.25; empty for the default"
    missing = "nothing given; allowed: a value: this field has no default"
    names = "letters, digits, '_', '.' and '-', first a letter or digit, at most 64"
    assert refusals(content, tmp_path) == [
        f"row 3, column 'pv_kwp': '5,0' is not allowed; allowed: {number}",
        "row 3, column 'optimise': 'yes' is not allowed; allowed: true or false",
        "row 3, column 'efficiency_charge': '1.5' is not allowed; allowed: a number > 0 and <= 1",
        f"row 4, column 'battery_kwh': 'nan' is not allowed; allowed: {number}",
        "row 4, column 'pv_kwp': '-1' is not allowed; allowed: a number >= 0",
        "row 5, column 'id': 'a' is not allowed; allowed: an id of its own for each prosumer: row 2 has it",
        "row 6: 'd,4' is not allowed; allowed: 7 cells as in the header, separated by commas, with a decimal point",
        f"row 8, column 'id': {missing}",
        f"row 8, column 'bus': {missing}",
        "row 9, column 'rule': '\"' is not allowed; allowed: text, or text in double quotes as in TOML",
        "row 9, column 'battery_kwh': '1e999' is not allowed; allowed: a finite number",
        f"row 10, column 'id': 'f/g' is not allowed; allowed: {names}",
    ]


@pytest.mark.parametrize(
    ("content", "start"),
    [
        (
            "",
            "row 1: '' is not allowed; allowed: a header with at least 'id' and 'bus', separated by commas: id,bus",
        ),
        (
            "id;bus\na;2\n",
            "row 1: 'id;bus' is not allowed; allowed: a header with at least 'id' and 'bus', separated by",
        ),
        ("id,pv_kwp\na,2\n", "row 1: 'id,pv_kwp' is not allowed; allowed: a header with at least"),
        ("id,bus,pv_kw\na,2,1\n", "row 1, column 3: 'pv_kw' is not allowed; allowed: a known key; nearest: pv_kwp"),
        ("id,bus,bus\na,2,3\n", "row 1, column 3: 'bus' is not allowed; allowed: each column once"),
        ('id,bus\n"a,2\n', "row 2: 'unexpected end of data' is not allowed; allowed: comma-separated values"),
    ],
)
def test_what_is_no_such_table_is_refused(content: str, start: str, tmp_path: Path) -> None:
    (line,) = refusals(content, tmp_path)
    assert line.startswith(start)


def test_what_cannot_be_simulated_is_told_by_row_and_column_with_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("id,bus,rule,load_profile,battery_min_kwh,pv_kwp\na,2,prk,H0-Z,2,1\n\nb.c,9,,,,1\nd,3,,,,x\n")
    found = problems(Scenario(prosumers_file=str(path), rule="hybird"), where="s.toml")
    assert [(error.where.removeprefix(f"{tmp_path}/"), error.field) for error in found] == [
        ("s.toml", "rule"),
        ("people.csv", "row 2, column 'rule'"),
        ("people.csv", "row 2, column 'battery_min_kwh'"),
        ("people.csv", "row 2, column 'load_profile'"),
        ("people.csv", "row 5, column 'pv_kwp'"),
        ("people.csv", "row 4, column 'bus'"),
    ]


def test_a_table_is_not_written_over_another(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "people.csv"
    write_prosumers(path, Scenario().prosumers)
    write_prosumers(path, Scenario().prosumers)
    edited = path.read_text().replace("home-2", "home-b")
    path.write_text(edited)
    with pytest.raises(InputError, match="a new file: this one holds something else"):
        write_prosumers(path, Scenario().prosumers)
    assert path.read_text() == edited
    assert [file.name for file in path.parent.iterdir()] == ["people.csv"]
    with pytest.raises(InputError, match=r"a file that can be written \("):
        write_prosumers(path / "below", Scenario().prosumers)


@pytest.fixture(scope="module")
def drawn() -> Run:
    return run(village(), references=False)


def test_a_table_passed_back_in_is_the_same_run(drawn: Run, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    write_prosumers(path, drawn.scenario.prosumers)
    again = run(village().changed({"prosumers_file": str(path)}), references=False)
    assert again.scenario.population is None
    assert again.scenario.prosumers == drawn.scenario.prosumers
    assert np.array_equal(again.frames, drawn.frames)


def test_a_saved_run_holds_what_was_drawn_and_how_to_draw_it_again(drawn: Run, tmp_path: Path) -> None:
    save_run(drawn, tmp_path / "r", seconds=0.0)
    loaded = Run.load(tmp_path / "r")
    assert loaded.scenario == drawn.scenario
    assert read_prosumers(tmp_path / "r" / "prosumers.csv") == drawn.scenario.prosumers
    assert "[[prosumers]]" not in (tmp_path / "r" / "scenario.toml").read_text()
    repeated = Scenario.from_toml(tmp_path / "r" / "scenario.toml")
    assert repeated == village()
    assert run_id(repeated) == run_id(drawn.scenario)
    assert resolve(repeated).prosumers == drawn.scenario.prosumers


def test_a_run_that_lists_its_prosumers_has_no_table_beside_it(tmp_path: Path) -> None:
    scenario = Scenario(control_step_min=15)
    save_run(run(scenario, references=False), tmp_path / "r", seconds=0.0)
    assert not (tmp_path / "r" / "prosumers.csv").exists()


def test_a_run_is_known_by_the_content_of_its_table(drawn: Run, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    write_prosumers(path, drawn.scenario.prosumers)
    scenario = village().changed({"prosumers_file": str(path)})
    before = run_id(scenario)
    assert list(input_hashes(scenario)) == [str(path)]
    path.write_text(path.read_text().replace("home-00001", "home-x"))
    assert run_id(scenario) != before
    assert resolve(scenario).prosumers[0].id == "home-x"
