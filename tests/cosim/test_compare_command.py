"""``cosim compare``: what it prints and writes of real sweeps, finished and not, and how it ends."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.image import imread

from cosim import Run, Scenario, run
from cosim.compare import compare
from cosim.sweep import Failure, Outcome, PlannedRun, Reason, Sweep, SweepSpec, opened, plan_from_spec, write_run
from tests.cosim.command_line import call

# Four-bus days in steps of an hour under narrow limits: milliseconds each, and the end of the feeder is curtailed.
BASE = Scenario(record=(), market_step_min=60, control_step_min=60).changed(
    {"voltage.vm_max_pu": 1.02, "voltage.dead_pu": 0.005, "voltage.vm_min_pu": 0.98}
)
ALL = ("home-2", "home-3", "home-4")
ALONE = {
    f"bus-{name[-1]}": {
        f"prosumers.{other}.{field}": value
        for other in ALL
        if other != name
        for field, value in (("optimise", False), ("rule", "none"))
    }
    for name in ALL
}
QUICK = SweepSpec(
    name="quick",
    base=BASE,
    grid={"rule": ["none", "prc", "anrc", "hybrid"]},
    levels={"control_at": ALONE},
)
TIMEOUT = Failure(Reason.TIMEOUT, "longer than 1 s")


@cache
def made(toml: str, *, references: bool) -> Run:
    """The run of a scenario; each is lived once, whatever sweeps it is in."""
    return run(Scenario.from_dict(tomllib.loads(toml)), references=references)


def sweep(folder: Path, spec: SweepSpec, fails: Callable[[PlannedRun], Failure | bool] = lambda planned: False) -> Path:
    """A sweep whose runs are made here; `fails` says why one does not come, or True of one that is not tried."""
    with opened(folder, plan_from_spec(spec)) as store:
        for planned in store.to_do:
            failure = fails(planned)
            if isinstance(failure, Failure):
                store.record(planned, Outcome(planned.id, failure))
            elif not failure:
                task = store.task(planned)
                size = write_run(task, made(planned.scenario.to_toml(), references=task.references))
                store.record(planned, Outcome(planned.id, size_bytes=size))
        store.finish()
    return folder


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sweep(tmp_path_factory.mktemp("sweeps") / "quick", QUICK)


def test_control_at_one_bus_at_a_time_by_default(quick: Path, tmp_path: Path) -> None:
    ended = call("compare", quick, "--out", tmp_path / "out")
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0].strip() == "by rule"
    assert [line.split()[1] for line in lines[4:8]] == ["none", "prc", "anrc", "hybrid"]
    assert "less rule hybrid" in ended.out
    assert "12 of 12 runs finished." in lines
    assert any(line.startswith("The 3 runs along control_at are one population") for line in lines)
    assert lines[-1] == f"written to {tmp_path / 'out'}"
    # The same by hand: what the house at each bus keeps when control is tried there.
    table = Sweep.load(quick).table
    alone = table[table["gain_kept_percent"].notna()].pivot(index="rule", columns="bus", values="gain_kept_percent")
    written = pd.read_csv(tmp_path / "out" / "table.csv").query("measure == 'spread_points'").set_index("rule")["mean"]
    assert alone.loc["prc"].notna().all() and alone.at["prc", 4] < alone.at["prc", 2]
    for rule in ("none", "prc", "anrc", "hybrid"):
        assert written[rule] == pytest.approx(alone.at[rule, 2] - alone.at[rule, 4], rel=1e-8)
    by_run = pd.read_csv(tmp_path / "out" / "by_run.csv")
    assert by_run["n_runs"].tolist() == [3] * 4
    report = (tmp_path / "out" / "report.txt").read_text().splitlines()
    assert report == lines[-1 - len(report) : -1]


def test_figures_are_there_and_the_same_again(quick: Path, tmp_path: Path) -> None:
    for name in ("here", "there", "here"):  # the second time in the place of the first
        assert call("compare", quick, "--out", tmp_path / name).code == 0
    files = sorted(path.name for path in (tmp_path / "here").iterdir())
    figures = [f"{name}.{end}" for name in ("disparity", "distance", "trade-off") for end in ("pdf", "png")]
    assert files == ["by_run.csv", *figures[:4], "manifest.json", "report.txt", "table.csv", *figures[4:]]
    for name in files:
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes()
    for name in figures[1::2]:
        image = imread(tmp_path / "here" / name)[:, :, :3].mean(axis=2)
        assert image.var() > 1e-3  # not blank
        assert min(image[0].min(), image[-1].min(), image[:, 0].min(), image[:, -1].min()) == 1.0  # nor cut off


def test_the_sweep_can_go_on_after_a_comparison(tmp_path: Path) -> None:
    folder = sweep(tmp_path / "s", QUICK, lambda planned: planned.fields["rule"] == "anrc")
    ended = call("compare", folder)
    assert ended.code == 0
    assert "9 of 12 runs finished; 3 not run yet: this is what is there so far." in ended.out.splitlines()
    assert (folder / "compare" / "table.csv").is_file()
    with opened(folder, plan_from_spec(QUICK), resume=True) as store:
        assert [run.fields["rule"] for run in store.to_do] == ["anrc"] * 3


def test_failed_runs_are_counted_by_reason_and_what_lacks_them_is_left_out(tmp_path: Path) -> None:
    def fails(planned: PlannedRun) -> Failure | bool:
        return TIMEOUT if (planned.fields["rule"], planned.fields["control_at"]) == ("prc", "bus-4") else False

    folder = sweep(tmp_path / "s", QUICK, fails)
    ended = call("compare", folder)
    lines = ended.out.splitlines()
    assert (ended.code, ended.err) == (0, "")
    assert "11 of 12 runs finished; 1 failed (1 timeout)." in lines
    assert "1 populations lack a run along control_at and are left out." in lines
    asked = call("compare", folder, "--where", "rule=prc", "--pool", "none").out.splitlines()
    assert "2 of 3 runs finished; 1 failed (1 timeout)." in asked


def test_pairs_over_seeds(tmp_path: Path) -> None:
    spec = SweepSpec(name="seeds", base=BASE, replications=3, grid={"rule": ["none", "prc", "hybrid"]})
    folder = sweep(tmp_path / "s", spec)
    ended = call("compare", folder, "--base", "none", "--by", "rule")
    assert ended.code == 0
    assert "± is half of a 95 % interval (Student's t) over 3 seeds" in ended.out
    table = pd.read_csv(folder / "compare" / "table.csv")
    of_prc = table[(table["rule"] == "prc") & (table["measure"] == "gain_lost")].iloc[0]
    assert (of_prc["against"], of_prc["n_pairs"]) == ("none", 3)
    everything = Sweep.load(folder).table
    lost = (
        (everything["cost"] - everything["cost_without_rule"]).groupby([everything["rule"], everything["seed"]]).sum()
    )
    assert of_prc["difference"] == pytest.approx((lost["prc"] - lost["none"]).mean())
    assert len(set(everything["seed"])) == 3


def test_groups_are_numbered_in_files_and_named_in_tables(tmp_path: Path) -> None:
    spec = SweepSpec(name="s", base=BASE, grid={"rule": ["prc", "hybrid"], "tariff.kappa": [0.5, 1.0]})
    folder = sweep(tmp_path / "s", spec)
    ended = call("compare", folder)
    assert "tariff.kappa 0.5, less rule hybrid" in ended.out
    names = {path.stem for path in (folder / "compare").glob("*.png")}
    assert names == {f"{name}-{k}" for name in ("disparity", "distance", "trade-off") for k in (1, 2)}
    assert pd.read_csv(folder / "compare" / "table.csv")["tariff.kappa"].unique().tolist() == [0.5, 1.0]
    one = call("compare", folder, "--per", "none", "--out", tmp_path / "one")
    assert "Averaged over tariff.kappa (2 values)" in one.out


def test_a_sweep_without_references_says_so(tmp_path: Path) -> None:
    folder = sweep(tmp_path / "s", SweepSpec(name="s", base=BASE, references=False, grid={"rule": ["none", "prc"]}))
    ended = call("compare", folder)
    assert (ended.code, ended.err) == (0, "")
    assert "Nobody has a gain to compare with" in ended.out
    assert {path.stem for path in (folder / "compare").glob("*.png")} == {"distance"}


def test_nothing_finished_is_one_line(tmp_path: Path) -> None:
    folder = sweep(tmp_path / "s", QUICK, lambda planned: TIMEOUT if planned.number < 2 else True)
    ended = call("compare", folder)
    assert (ended.code, ended.out, len(ended.err.splitlines())) == (2, "", 1)
    assert "0 of 12 runs finished; 2 failed (2 timeout); 10 not run yet" in ended.err
    assert not (folder / "compare").exists()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--by", "rull"), "--by: 'rull' is not allowed; allowed: a known key; nearest: rule"),
        (("--base", "vde"), "--base: 'vde' is not allowed; allowed: one of none, prc, anrc, hybrid"),
        (("--where", "rule"), "--where: rule: 'rule' is not allowed; allowed: FIELD=VALUE, e.g. rule=prc"),
        (("--where", "rule=vde"), "--where rule: 'vde' is not allowed; allowed: one of none, prc, anrc, hybrid"),
        (("--per", "seed"), "--per: 'seed' is not allowed"),
        (("--out", "."), "a new or empty folder: this one holds something else"),
    ],
)
def test_wrong_options_end_with_2_and_a_line(
    args: tuple[str, str], said: str, quick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.txt").touch()
    monkeypatch.chdir(tmp_path)
    ended = call("compare", quick, *args)
    assert (ended.code, ended.out, len(ended.err.splitlines())) == (2, "", 1)
    assert said in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_what_is_no_sweep_is_refused(tmp_path: Path) -> None:
    ended = call("compare", tmp_path)
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert "the folder of a sweep" in ended.err


def test_the_table_of_a_sweep_is_what_compare_takes(quick: Path) -> None:
    found = compare(Sweep.load(quick).table)
    assert (found.pool, list(found.per), list(found.averaged)) == ("control_at", [], [])
    assert found.constant.keys() == {"mode", "feeder.name", "start", "days"}
