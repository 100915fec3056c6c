"""Monte-Carlo of hosting capacity: sampled days, each a folder, the same whatever happens to those who make them."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cosim.hosting.definition import Definition, Penetration
from cosim.hosting.find import find
from cosim.hosting.hosting_file import HostingFeeder, HostingFile
from cosim.hosting.monte_carlo import MonteCarlo, capacities, monte_carlo, plan_of_scenarios, write_distribution
from cosim.hosting.noise import Noise
from cosim.hosting.search import Search
from cosim.sweep import Plan, Sweep, opened
from cosim.sweep.one_run import carry_out
from feeders.errors import InputError
from tests.cosim.command_line import COSIM, call
from tests.cosim.sweep.sweep_cases import whole

FILE = HostingFile(
    name="small",
    feeder=HostingFeeder(name="case33bw"),
    hosting=Definition(step=0.05, fixed=Penetration(battery=0.05)),
    search=Search(modes=("static",), method="one-shot"),
)
MOST = 3


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_of_scenarios(FILE, MonteCarlo(scenarios=MOST), "small")


@pytest.fixture(scope="module")
def made(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """Made in this process."""
    return in_this_process(plan, tmp_path_factory.mktemp("made") / "small")


def in_this_process(plan: Plan, folder: Path, runs: slice = slice(None)) -> Sweep:
    """The runs of a plan as workers make them, and the table where none is left."""
    with opened(folder, plan, resume=True) as store:
        for run in list(store.to_do)[runs]:
            outcome = carry_out(store.task(run))
            assert outcome.failure is None, outcome.failure
            store.record(run, outcome)
        store.finish()
    return Sweep.load(folder)


def test_a_row_per_scenario_is_what_find_says_of_its_day(made: Sweep) -> None:
    table = capacities(made)
    assert table["scenario"].tolist() == [0, 1, 2] and (table["mode"] == "static").all()
    assert table["level"].nunique() > 1  # days differ
    file = FILE.model_copy(update={"noise": Noise(scenario=1)})
    expected = find(file.case(), file.hosting, "static", "one-shot")
    row = table.iloc[1]
    assert (row["level"], row["kw"], row["margin"]) == (expected.level, expected.kw, expected.margin)
    assert row["stop"] == expected.stop.kind and row["stop_value"] > row["stop_allowed"]
    assert (table["margin"] >= -1e-6).all()


def test_levels_are_bracketed_in_the_steps_of_each_run(made: Sweep) -> None:
    for run_id, level in zip(made.plan["run_id"], capacities(made)["level"], strict=True):
        steps = pd.read_parquet(made.folder / "runs" / run_id / "steps.parquet").set_index("level")["feasible"]
        assert steps[level] and not steps[round(level + 0.05, 12)]


def test_made_in_pieces_or_at_once_it_is_the_same(made: Sweep, plan: Plan, tmp_path: Path) -> None:
    for some in (slice(1, 2), slice(0, 0), slice(None)):
        found = in_this_process(plan, tmp_path / "small", some)
    assert found.status == (MOST, 0, 0)
    assert whole(found.folder) == whole(made.folder)


def test_a_scenario_is_the_same_however_many_there_are(plan: Plan) -> None:
    more = plan_of_scenarios(FILE, MonteCarlo(scenarios=5), "small")
    assert [run.id for run in more.runs[:MOST]] == [run.id for run in plan.runs]
    assert len({run.id for run in more.runs}) == 5
    other = plan_of_scenarios(FILE, MonteCarlo(scenarios=MOST, seed=1), "small")
    assert not {run.id for run in other.runs} & {run.id for run in plan.runs}


def test_sites_are_drawn_anew_where_that_is_asked_for() -> None:
    fixed, drawn = (
        plan_of_scenarios(FILE, MonteCarlo(scenarios=4, siting=siting), "small")  # type: ignore[arg-type]
        for siting in ("fixed", "drawn")
    )
    assert {run.fields["siting_seed"] for run in fixed.runs} == {0}
    assert len({run.fields["siting_seed"] for run in drawn.runs}) == 4


def test_the_file_of_a_run_repeats_it(made: Sweep) -> None:
    run_id, level = made.plan["run_id"][2], capacities(made)["level"][2]
    ended = call("hosting", made.folder / "runs" / run_id / "hosting.toml")
    assert ended.code == 0, ended.err
    assert f"static: {100 * level:.4g} %" in ended.out and "dynamic" not in ended.out


def test_noise_is_on_the_day_and_leaves_the_feeder_alone() -> None:
    case = FILE.case()
    noisy = Noise(seed=3, scenario=7, sigma=0.2).on(case)
    assert noisy.feeder is case.feeder and noisy.peak_kva == case.peak_kva
    assert not np.array_equal(noisy.inputs.p_load_kw, case.inputs.p_load_kw)
    still = Noise(seed=3, scenario=7, sigma=0.0).on(case)
    assert np.array_equal(still.inputs.p_load_kw, case.inputs.p_load_kw)


def test_the_distribution_is_written_beside_the_runs(made: Sweep) -> None:
    folder = write_distribution(made, 0.05)
    before = whole(folder)
    assert sorted(before) == [
        *("capacities.csv", "distribution.png", "limits.csv", "manifest.json", "summary.csv", "summary.txt"),
    ]
    levels = capacities(made)["level"]
    summary = pd.read_csv(folder / "summary.csv")
    assert summary["mean"][0] == pytest.approx(levels.mean()) and summary["worst"][0] == levels.min()
    write_distribution(made, 0.05)
    assert whole(folder) == before


def test_wrong_questions(tmp_path: Path) -> None:
    meshed = FILE.model_copy(update={"feeder": HostingFeeder(name="cigre-mv")})
    for file in (meshed, FILE.model_copy(update={"feeder": HostingFeeder(name="nowhere")})):
        with pytest.raises(InputError):
            monte_carlo(file, MonteCarlo(scenarios=2), tmp_path / "new")
        assert not (tmp_path / "new").exists()  # said before anything is begun
    path = tmp_path / "small.toml"
    path.write_text(FILE.to_toml(), encoding="utf-8")
    for options, said in (
        (("--resume",), "--resume"),
        (("--workers", 2), "--workers"),
        (("--scenarios", 2, "--map", tmp_path / "x.png"), "together with --scenarios"),
    ):
        ended = call("hosting", path, *options)
        assert ended.code == 2 and said in ended.err and len(ended.err.splitlines()) == 1


@pytest.mark.slow
def test_coordinated_days_take_no_less(tmp_path: Path) -> None:
    definition = FILE.hosting.model_copy(update={"step": 0.25, "most": 3.0})
    both = FILE.model_copy(update={"search": Search(), "hosting": definition})
    table = capacities(in_this_process(plan_of_scenarios(both, MonteCarlo(scenarios=2), "both"), tmp_path / "both"))
    by_mode = table.pivot(index="scenario", columns="mode", values="level")
    assert (by_mode["dynamic"] >= by_mode["static"]).all() and len(by_mode) == 2


@pytest.mark.slow
def test_killed_in_the_middle_and_resumed_it_is_the_same(tmp_path: Path) -> None:
    """By the command, whose process is killed as soon as a scenario is there."""
    path, n, target = tmp_path / "small.toml", 12, tmp_path / "killed"
    path.write_text(FILE.to_toml(), encoding="utf-8")
    command = [*COSIM, "hosting", str(path), "--scenarios", str(n), "--out", str(target), "--workers", "2"]
    began = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        next(folder for folder in _appearing(target / "runs") if folder)
    finally:
        began.kill()
        began.wait()
    kept = {run: whole(run) for run in (target / "runs").iterdir()}
    assert 1 <= len(kept) < n
    assert call(*command[len(COSIM) :]).code == 2  # not without a word
    ended = call(*command[len(COSIM) :], "--resume")
    assert ended.code == 0, ended.err
    assert f"{n} of {n} scenarios finished" in ended.out
    assert {run: whole(run) for run in kept} == kept  # what was finished is not made again
    straight = in_this_process(plan_of_scenarios(FILE, MonteCarlo(scenarios=n), "killed"), tmp_path / "straight")
    written = whole(target)
    assert {name: written[name] for name in whole(straight.folder)} == whole(straight.folder)


def _appearing(folder: Path, patience_s: float = 300.0) -> Iterator[list[Path]]:
    """What is in a folder, again and again."""
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        yield list(folder.iterdir()) if folder.exists() else []
        time.sleep(0.02)
