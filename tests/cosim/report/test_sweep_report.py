"""The report of a sweep: how far it is, what failed and why, what `cosim compare` says of it; as far as it is."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cosim.compare import compare
from cosim.compare.text import means_shown
from cosim.report import report_of, write_report
from cosim.sweep import Sweep, SweepSpec, opened, plan_from_spec, plan_of
from cosim.sweep.collected import PLAN_KEY
from cosim.sweep.manifest import manifest_of, parquet_bytes
from cosim.sweep.plan import Plan
from feeders.errors import InputError
from tests.cosim.command_line import call
from tests.cosim.compared_tables import noisy
from tests.cosim.report.reading import Reading, number, read
from tests.cosim.test_compare_command import BASE, QUICK, TIMEOUT, sweep

HOSTILE = '</td><script src="//evil.example">alert(1)</script>"onload=\'x\' &amp; $\\frac{$'


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sweep(tmp_path_factory.mktemp("sweeps") / "quick", QUICK)


@pytest.fixture(scope="module")
def text(quick: Path) -> str:
    return report_of(quick)


@cache
def reading(text: str) -> Reading:
    page = read(text)
    page.assert_sound()
    return page


def test_a_finished_sweep_is_counted_and_compared(quick: Path, text: str) -> None:
    page = reading(text)
    assert "12 runs of 1 day on four-bus: 3 values of control_at and 4 values of rule." in page.words
    assert "Finished12100 % of them" in page.words and "Failed0none" in page.words
    assert not any(caption.startswith("Failed runs") for caption in page.tables)
    found = compare(Sweep.load(quick).table)
    rows = {row["rule"]: row for row in page.table("Means by rule")}
    assert list(rows) == ["none", "prc", "anrc", "hybrid"]
    for rule, spread in found.measured.set_index("rule")["spread_points"].items():
        assert number(rows[str(rule)]["head - end % points"]) == pytest.approx(spread, rel=5e-3, abs=1e-6)
    assert [row["rule"] for row in page.table("Differences from rule hybrid")] == ["none", "prc", "anrc"]
    assert len(page.of("img")) == 3  # disparity, trade-off, distance
    design = {row["field"]: row for row in page.table("Fields of the runs")}
    assert (design["rule"]["values"], design["rule"]["role"]) == ("none, prc, anrc, hybrid", "varies")
    assert (design["mode"]["values"], design["mode"]["role"]) == ("closed-loop", "the same in all")


def test_it_can_be_repeated_from_its_folder(quick: Path, text: str) -> None:
    page = reading(text)
    assert "cosim sweep sweep.toml --out NEW_DIR" in page.words
    again = plan_of(quick / "sweep.toml")
    assert [run.id for run in again.runs] == Sweep.load(quick).plan["run_id"].tolist()
    assert (quick / "sweep.toml").read_text().rstrip() in page.words
    shown = {row["what"]: row["value"] for row in page.table("Code, libraries")}
    manifest = Sweep.load(quick).manifest
    assert {name: shown[name] for name in manifest["libraries"]} == manifest["libraries"]
    assert shown["code"] == manifest["code"]


def test_equal_folders_give_equal_bytes_wherever_they_are(quick: Path, text: str, tmp_path: Path) -> None:
    shutil.copytree(quick, tmp_path / "copy")
    assert report_of(tmp_path / "copy") == text
    assert str(quick) not in text


def test_a_sweep_goes_on_with_its_report_in_it(tmp_path: Path) -> None:
    folder = sweep(tmp_path / "s", QUICK, lambda planned: planned.fields["rule"] == "anrc")
    assert call("report", folder).code == 0
    page = reading((folder / "report.html").read_text(encoding="utf-8"))
    assert "Not run yet3this is what is there so far" in page.words
    assert "0 failed and 3 not run yet are not in it." in page.words
    assert [row["rule"] for row in page.table("Means by rule")] == ["none", "prc", "hybrid"]
    with opened(folder, plan_from_spec(QUICK), resume=True) as store:
        assert [run.fields["rule"] for run in store.to_do] == ["anrc"] * 3
        assert not store.notes
    assert call("compare", folder).code == 0
    assert call("report", folder).code == 0  # in the place of the earlier one, with a comparison beside it


def test_failed_runs_have_a_reason_and_a_command(tmp_path: Path) -> None:
    folder = sweep(tmp_path / "s", QUICK, lambda run: TIMEOUT if run.fields["control_at"] == "bus-4" else False)
    page = reading(report_of(folder))
    rows = page.table("Failed runs")
    assert [(row["run"], row["reason"]) for row in rows] == [(str(k), "timeout") for k in (8, 9, 10, 11)]
    assert "4 runs of 12: 4 timeout." in page.words
    for row, run_id in zip(rows, Sweep.load(folder).failures["run_id"], strict=True):
        told = row["message, and what repeats it in the folder of the sweep"]
        command = f"cosim run failed/{run_id}/scenario.toml --out NEW_DIR"
        assert told == f"{TIMEOUT.message}{command}"
        assert (folder / command.split()[2]).is_file()
        assert row["of the design"].startswith("control_at bus-4, rule ")


def test_nothing_finished_is_said(tmp_path: Path) -> None:
    folder = sweep(tmp_path / "s", QUICK, lambda planned: TIMEOUT if planned.number < 2 else True)
    page = reading(report_of(folder))
    assert "No run has finished: there is nothing to compare yet." in page.words
    assert "Not run yet10" in page.words and len(page.table("Failed runs")) == 2


def test_hostile_names_are_words(tmp_path: Path) -> None:
    spec = SweepSpec(
        name="s",
        base=BASE,
        grid={"rule": ["prc", "hybrid"]},
        levels={HOSTILE: {HOSTILE: {"seed": 1}, "_<b>": {"seed": 2}, "$x^{$": {"seed": 3}}},
    )
    folder = sweep(tmp_path / "s", spec, lambda planned: TIMEOUT if planned.number < 2 else False)
    for path in (folder / "failed").glob("*.json"):
        found = json.loads(path.read_text())
        path.write_text(json.dumps(found | {"message": HOSTILE + "\u202e\x00", "command": HOSTILE}))
    text = report_of(folder)
    page = reading(text)
    assert "<script" not in text.lower() and "<b>" not in text
    assert HOSTILE in {row["field"] for row in page.table("Fields of the runs")}
    (told,) = {
        row["message, and what repeats it in the folder of the sweep"].split("cosim run")[0]
        for row in page.table("Failed runs")
    }
    assert told == HOSTILE + "\ufffd\ufffd"


def test_without_rules_to_compare_another_field_is(tmp_path: Path) -> None:
    folder = sweep(tmp_path / "s", SweepSpec(name="s", base=BASE, grid={"tariff.kappa": [0.5, 1.0]}))
    page = reading(report_of(folder))
    assert [row["tariff.kappa"] for row in page.table("Means by tariff.kappa")] == ["0.5", "1.0"]


def test_without_references_it_is_said(tmp_path: Path) -> None:
    spec = SweepSpec(name="s", base=BASE, references=False, grid={"rule": ["none", "prc"]})
    page = reading(report_of(sweep(tmp_path / "s", spec)))
    assert "Runs are not compared with runs without rules and optimisation." in page.words
    assert "Nobody has a gain to compare with" in page.words
    assert page.table("Means by rule")[0]["worst tenth %"] == "undefined"


def test_the_folder_of_one_of_its_runs_is_left_as_it_is(quick: Path, tmp_path: Path) -> None:
    own = next((quick / "runs").iterdir())
    before = sorted(path.name for path in own.iterdir())
    for out in (None, own / "x.html", quick / "x.html"):
        with pytest.raises(InputError, match="--out"):
            write_report(own, out)
    assert sorted(path.name for path in own.iterdir()) == before
    page = reading(write_report(own, tmp_path / "one.html").read_text(encoding="utf-8"))
    assert len(page.table("Each prosumer")) == 3 and "the scenario does not record vm_pu" in page.words


def large(folder: Path, table: pd.DataFrame) -> Path:
    """A finished sweep with this table, made up; runs themselves are empty folders."""
    ids = table["run_id"].drop_duplicates().tolist()
    columns = table.columns[: table.columns.get_loc("prosumer")]  # type: ignore[misc]
    plan = table.drop_duplicates("run_id")[list(columns)]
    base = plan_from_spec(SweepSpec(name="large", base=BASE))
    data = parquet_bytes(pa.Table.from_pandas(plan, preserve_index=False))
    manifest = manifest_of(Plan(**{**vars(base), "name": "large"}), data)
    (folder / "runs").mkdir(parents=True)
    for run_id in ids:
        (folder / "runs" / run_id).mkdir()
    (folder / "plan.parquet").write_bytes(data)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "sweep.toml").write_text(base.toml)
    results = pa.Table.from_pandas(table, preserve_index=False)
    pq.write_table(results.replace_schema_metadata({PLAN_KEY: manifest["plan"].encode()}), folder / "results.parquet")
    return folder


def test_many_groups_stay_readable(tmp_path: Path) -> None:
    parts = [noisy(seeds=2, n=3, case=f"case-{k:02}") for k in range(14)]  # 14 cases of 4 rules and 2 seeds
    for k, part in enumerate(parts):
        part["run"] += 8 * k
        part["run_id"] = part["run_id"] + f"{k:02}"
    folder = large(tmp_path / "s", pd.concat(parts, ignore_index=True))
    text = report_of(folder)
    page = reading(text)
    assert len(text) < 2_000_000
    assert "Finished112" in page.words
    assert sum(caption.startswith("Means by rule") for caption in page.tables) == 12
    assert len(page.of("img")) == 12  # three of each of four groups
    assert "14 groups in all: tables of the first 12, figures of the first 4." in page.words
    found = compare(Sweep.load(folder).table)
    group, _ = next(found.groups())
    shown = means_shown(found, group).iloc[1]["gain lost (%)"]
    assert page.table("Means by rule, case case-00")[1]["gain lost %"] == shown
