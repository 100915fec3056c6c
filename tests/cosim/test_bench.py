"""What `cosim bench` measures, and how the command shows it. Nothing here says how fast anything is."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cosim.bench.population
import cosim.commands.bench
from cosim import CoSimulation, Scenario
from cosim.bench import BENCHMARKS, FULL, QUICK, Benchmark, Effort, Report, Row, Timing
from cosim.bench.day import RecycledEngine, four_bus_day, four_bus_model, four_bus_parts
from cosim.bench.ensemble import drawn_days, monte_carlo
from cosim.bench.isolated import in_own_process, resident_memory_mb
from cosim.bench.planner import PLANNERS, day_of_horizons
from cosim.bench.population import measured, population_days
from cosim.bench.published import published_program, solved_by_linprog
from cosim.bench.rehearsal import evening_of_homes, rehearsals
from cosim.bench.stopwatch import PARTS
from cosim.bench.storage import storage_steps
from feeders import load_feeder, make_engine
from feeders.errors import PowerFlowError
from tests.cosim.command_line import call

pytestmark = pytest.mark.usefixtures("feeders_built_once")

LEAST = Effort(repeats=1, peer_steps=1, day_minutes=2, sizes=(2,), population_seconds=0.0, ensemble=3, singles=2)


def silent(share: float) -> None:
    """Nobody looks."""


def two_rows(effort: Effort, report: Report) -> Iterator[Row]:
    report(0.5)
    ours, theirs = Timing((3.0, 1.0, 2.0)), Timing((9.0, 8.0, 7.0))
    yield Row("b-first", ours, "peer", theirs, 1e-9, "p.u.", details={"n": effort.repeats})
    yield Row("b-second", None, note="not installed")


def one_row(effort: Effort, report: Report) -> Iterator[Row]:
    report(1.0)
    yield Row("a", Timing((0.5,)))


def interrupted(effort: Effort, report: Report) -> Iterator[Row]:
    yield Row("c-first", Timing((0.25,)))
    raise SystemExit(130)  # what the command's handler of Ctrl-C does


@pytest.fixture
def small_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The command with three benchmarks that measure nothing, in an empty folder; its file of rows."""
    table: dict[str, Benchmark] = {"b": two_rows, "a": one_row, "c": interrupted}
    monkeypatch.setattr(cosim.commands.bench, "BENCHMARKS", table)
    return tmp_path / "rows.json"


def test_rows_keep_the_order_of_the_table_and_say_what_was_measured(small_table: Path) -> None:
    ended = call("bench", "--only", "a", "--only", "b", "--json", small_table)
    assert (ended.code, ended.err) == (0, "")
    first, second, third = json.loads(small_table.read_text())
    assert [row["name"] for row in (first, second, third)] == ["b-first", "b-second", "a"]
    assert list(first)[:5] == ["name", "seconds", "peer", "peer_seconds", "ratio"]
    assert [first[key] for key in list(first)[:5]] == ["b-first", 2.0, "peer", 8.0, 4.0]
    assert (first["difference"], first["unit"], first["n"]) == (1e-9, "p.u.", FULL.repeats)
    assert (second["seconds"], second["peer_seconds"], second["ratio"]) == (None, None, None)
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in ended.out.splitlines() if "│" in line]
    assert cells[0] == ["b-first", "2", "1 .. 3", "peer", "8", "7 .. 9", "4", "1.0e-09 p.u.", ""]
    assert cells[1] == ["b-second", *["-"] * 7, "not installed"]
    assert cells[-1] == ["b-first", str(FULL.repeats)]  # the details of b


def test_quick_is_less(small_table: Path) -> None:
    assert call("bench", "--quick", "--only", "b", "--json", small_table).code == 0
    assert json.loads(small_table.read_text())[0]["n"] == QUICK.repeats < FULL.repeats


def test_an_interrupted_bench_gives_what_it_has(small_table: Path) -> None:
    ended = call("bench", "--only", "a", "--only", "c", "--json", small_table)
    assert ended.code == 130
    assert [row["name"] for row in json.loads(small_table.read_text())] == ["a", "c-first"]
    assert "c-first" in ended.out


def test_an_unknown_benchmark_is_refused_before_anything_is_measured(small_table: Path) -> None:
    ended = call("bench", "--only", "volt-var", "--json", small_table)
    assert (ended.code, ended.out, small_table.exists()) == (2, "", False)
    assert ended.err == "error: cosim bench: --only: 'volt-var' is not allowed; allowed: b, a, c (nearest: a)\n"


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_measured(small_table: Path) -> None:
    ended = call("bench", "--json", small_table.parent / "missing" / "rows.json")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "No such file or directory" in ended.err


def test_the_first_row_of_all_is_the_four_bus_day_against_runpp() -> None:
    assert next(iter(BENCHMARKS.values())) is four_bus_day
    first, *others = four_bus_day(LEAST, silent)
    assert (first.name, first.peer) == ("four-bus-prosumer-day", "pandapower runpp")
    assert first.note == "peer scaled from 1 of 96 steps"
    assert {row.peer for row in others} == {"pandapower runpp", "pandapower runpp, recycled"}
    assert all(row.name.startswith(first.name) and row.ratio is not None for row in others)
    assert others[1].details["flows solved"] == 1441
    # All engines promise 1e-8 p.u.; a battery planned on the same forecasts does the same in all of them.
    assert all(row.difference is not None and row.difference < 1e-8 for row in (first, *others))


def test_the_recycled_peer_computes_what_runpp_does_and_recovers_from_a_flow_that_diverges() -> None:
    feeder = load_feeder("kerber-landnetz-kabel-1")
    peer, reference = RecycledEngine(feeder), make_engine(feeder, "pandapower")
    generator = np.random.default_rng(3)
    for attempt in range(4):
        p, q = generator.uniform(-3.0, 3.0, (2, feeder.n_buses))
        assert peer.solve(p, q) == pytest.approx(reference.solve(p, q), rel=0, abs=1e-8)
        if attempt == 1:
            with pytest.raises(PowerFlowError, match="did not converge"):
                peer.solve(p + 1e5, q)


@pytest.mark.parametrize("name", PLANNERS)
def test_planners_pay_what_the_published_program_pays(name: str) -> None:
    battery, horizons = day_of_horizons()
    assert [len(horizon.price_buy) for horizon in horizons] == list(range(96, 0, -1))
    planner = PLANNERS[name](96, battery, 0.25)
    for horizon in (horizons[0], horizons[40], horizons[95]):
        program = published_program(horizon, battery, 0.25)
        n = len(horizon.price_buy)
        assert program.rows.shape == (6 * n + 2, 3 * n)
        assert planner.plan(horizon).cost == pytest.approx(solved_by_linprog(program), rel=0, abs=1e-9)


def test_a_rehearsal_and_its_peers_make_plans_of_the_same_cost() -> None:
    """And signals have something to do: the herd is below the limit, the demand charge lifts it."""
    price, charge = rehearsals(LEAST, silent)
    assert (price.name, charge.name) == ("rehearsal-10-homes-source", "rehearsal-10-homes-demand-charge")
    assert all(row.difference is not None and row.difference < 1e-9 for row in (price, charge))
    assert int(price.details["iterations"] or 0) >= 1
    assert charge.details["iterations"] == 1
    _, eve = evening_of_homes(10)
    plan = eve.homes.respond(eve.tariff)
    seen = eve.monitor.observe(plan.p_kw, plan.q_kvar)
    assert seen.headroom_pu[eve.options.active].min() == pytest.approx(-1e-3, abs=1e-9)


def test_days_of_an_ensemble_are_those_of_single_runs() -> None:
    (row,) = monte_carlo(LEAST, silent)
    assert (row.name, row.difference, row.details["same"], row.details["compared"]) == ("monte-carlo-3", 0.0, 2, 2)
    days = drawn_days(50)
    assert days == drawn_days(50)
    assert len({day.seed for day in days}) == 50
    assert len({day.start for day in days}) > 10


def test_the_parts_of_a_day_are_all_of_it() -> None:
    (row,) = four_bus_parts(LEAST, silent)
    assert list(row.details) == [*(f"{part} %" for part in PARTS), "everything else %"]
    shares = [float(value or 0.0) for value in row.details.values()]
    assert sum(shares) == pytest.approx(100.0)
    assert min(shares) > 0.0


def here(measure: Callable[..., dict[str, Any]], *args: float | str) -> dict[str, Any]:
    """In place of a process of its own."""
    return measure(*args)


def test_a_population_day_is_scaled_from_its_first_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cosim.bench.population, "in_own_process", here)
    noisy, perfect = population_days(LEAST, silent)
    assert (noisy.name, perfect.name) == ("population-day-2-noisy", "population-day-2-perfect")
    assert noisy.note == "scaled from 3 of 96 steps"
    assert noisy.ours is not None
    assert noisy.details["ms per prosumer-day"] == pytest.approx(1e3 * noisy.ours.median / 2)
    per_minute = sum(float(value or 0.0) for name, value in noisy.details.items() if name.endswith(" us"))
    assert per_minute * 1e-6 * 1440 == pytest.approx(noisy.ours.median / 2)


def test_a_size_that_does_not_fit_says_so_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cosim.bench.population, "in_own_process", lambda *args: {"failed": "ended by signal 9"})
    rows = list(population_days(LEAST, silent))
    assert [(row.ours, row.note) for row in rows] == [(None, "ended by signal 9")] * 2


def test_another_process_gives_its_answer_or_why_it_has_none() -> None:
    assert in_own_process(json.loads, '{"a": 1}') == {"a": 1}
    failed = in_own_process(json.loads, "{")["failed"]
    assert failed.startswith("json.decoder.JSONDecodeError: Expecting property name")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system may not say")
def test_memory_of_another_process_is_not_ours() -> None:
    large = np.ones(75_000_000)  # 600 MB here, none there
    other, own = in_own_process(measured, 2, "perfect", 0.0), resident_memory_mb()
    assert own is not None
    assert own > large.nbytes / 1e6 > other["memory_mb"] > 1.0


def test_timings_are_medians_and_ratios_are_above_one_where_ours_is_faster() -> None:
    row = Row("x", Timing((1.0, 4.0, 2.0)), "peer", Timing((0.1, 0.3)).scaled(10.0))
    assert (row.ours and row.ours.spread, row.ratio) == ("1 .. 4", pytest.approx(1.0))
    assert Timing((1.0,)).spread == ""


def test_the_day_is_one_house_that_plans_behind_two_that_do_not() -> None:
    model = four_bus_model()
    assert isinstance(model, CoSimulation)
    assert [p.optimise for p in model.settings[0].prosumers] == [False, False, True]
    assert model.settings[0].forecast.kind == "noisy"
    assert Scenario().forecast.kind == "perfect"


def test_stores_serve_in_the_benchmark_as_the_linear_program_says() -> None:
    rows = [*storage_steps(LEAST, silent)]
    assert [row.name for row in rows] == ["storage-step, for the home", "storage-step, for the region"]
    assert all(row.difference is not None and row.difference < 1e-9 and row.ratio is not None for row in rows)
