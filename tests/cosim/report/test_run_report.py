"""The report of a run: what it says is what the run has, whatever names there are, and nothing else is in it."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cosim import Run, Scenario, run
from cosim.failure import RunFailure
from cosim.layout import Layout
from cosim.prosumer_spec import ProsumerSpec
from cosim.recorded import SeriesInMemory
from cosim.report import report_of, write_report
from cosim.results import save_run
from cosim.tally import TOTALS
from feeders.errors import CosimError, InputError
from tests.cosim.command_line import call
from tests.cosim.report.reading import number, read

# A day in steps of a quarter of an hour under narrow limits: the end of the feeder is curtailed, and beyond them.
DAY = Scenario(rule="prc", control_step_min=15).changed({"voltage.vm_max_pu": 1.02, "voltage.dead_pu": 0.01})
HOSTILE = '</td><script src="//evil.example">alert(1)</script>"onload=\'x\' &amp; $\\frac{$ \x00\x1b\u202e\uffff'


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "day"
    run(DAY, folder=folder)
    return folder


@pytest.fixture(scope="module")
def text(day: Path) -> str:
    return report_of(day)


def assert_shown(cell: str, value: float) -> None:
    """As far as its digits go."""
    decimals = len(cell.partition(".")[2])
    assert number(cell) == pytest.approx(value, abs=0.5000001 * 10.0**-decimals)


def columns(row: dict[str, str]) -> dict[str, str]:
    """Cells by title without unit."""
    units = "|".join((" ohm", " currency", " %", " kWh", r" p\.u\.", " min", " steps"))
    return {re.sub(f"({units})$", "", title): cell for title, cell in row.items()}


def test_the_table_has_the_indices_of_the_run_in_the_order_of_the_feeder(day: Path, text: str) -> None:
    page = read(text)
    page.assert_sound()
    indices = Run.load(day).indices.sort_values("distance_ohm")
    rows = [columns(row) for row in page.table("Each prosumer")]
    assert [row["prosumer"] for row in rows] == indices["prosumer"].tolist() == ["home-2", "home-3", "home-4"]
    names = {
        "bus": "bus",
        "distance": "distance_ohm",
        "cost": "cost",
        "gain": "gain",
        "gain kept": "gain_kept_percent",
        "LCG": "lcg_percent",
        "curtailed": "tce_kwh",
        "import": "import_kwh",
        "export": "export_kwh",
        "CVC": "cvc_pu",
        "lowest voltage": "vm_min_pu",
        "highest voltage": "vm_max_pu",
        "turned back": "n_reversals",
    }
    for row, (_, own) in zip(rows, indices.iterrows(), strict=True):
        for title, name in names.items():
            assert_shown(row[title], own[name])
        assert number(row["above limit"]) == 15 * own["n_above_max"]  # minutes of steps of a quarter of an hour
    alts = " ".join(given["alt"] for given in page.of("img"))
    n_beyond = int((indices["n_above_max"] + indices["n_below_min"] > 0).sum())  # each is at a bus of its own
    assert n_beyond > 0 and f"{n_beyond} of 3 buses with prosumers were beyond a limit" in alts
    assert len(page.of("img")) == 5 and "Not drawn" not in page.words
    assert indices["n_above_max"].max() > 0 and indices["tce_kwh"].max() > 0  # else there was little to show


def test_key_figures_are_those_of_the_run(day: Path, text: str) -> None:
    found = Run.load(day)
    indices = found.indices.set_index("prosumer")
    words = read(text).words
    kept, highest = indices["gain_kept_percent"], indices["vm_max_pu"].max()
    assert kept.idxmin() == "home-4"
    for name, value in (
        ("Gain kept, nearest third", f"{kept['home-2']:.1f} %"),  # a third of three
        ("Gain kept, farthest third", f"{kept['home-4']:.1f} %".replace("-", "\N{MINUS SIGN}")),
        ("Worst off", "home-4"),
        ("Highest voltage", f"{highest:.4f} p.u."),
        ("Beyond the limits", f"{15 * (indices['n_above_max'] + indices['n_below_min']).max():.0f} min"),
        ("Control steps not ok", f"{sum(found.step_status.values()) - found.step_status['ok']}"),
    ):
        assert f"{name}{value}" in words
    assert f"{indices['tce_kwh'].sum():.1f} kWh" in words


def test_what_was_run_is_said_in_words_and_can_be_repeated(day: Path, text: str) -> None:
    page = read(text)
    said = (
        "3 prosumers on the feeder four-bus, 1 day from Thursday 9 June 2016 00:00 (Europe/Berlin), under the rule PRC"
    )
    assert said in page.words and "in closed loop, with synthetic real-time price" in page.words
    assert "cosim run scenario.toml --out NEW_DIR" in page.words  # in its folder, wherever that is
    assert str(day) not in text
    assert (day / "scenario.toml").read_text().rstrip() in page.words
    manifest = json.loads((day / "manifest.json").read_text())
    shown = {row["what"]: row["value"] for row in page.table("Code, libraries")}
    assert {name: shown[name] for name in manifest["versions"]} == manifest["versions"]
    assert (shown["run"], shown["finished at (UTC)"]) == (manifest["run_id"], manifest["finished_at"])


def test_bills_add_up(day: Path, text: str) -> None:
    found = Run.load(day)
    rows = [columns(row) for row in read(text).table("Bills of all")]
    assert [row["item"] for row in rows] == ["energy bought", "energy sold", "total"]
    assert_shown(rows[0]["quantity"], found.indices["import_kwh"].sum())
    assert_shown(rows[1]["quantity"], found.indices["export_kwh"].sum())
    assert_shown(rows[-1]["amount"], found.indices["cost"].sum())
    assert_shown(rows[-1]["mean of a prosumer"], found.indices["cost"].mean())


def test_equal_folders_give_equal_bytes_wherever_they_are(day: Path, text: str, tmp_path: Path) -> None:
    shutil.copytree(day, tmp_path / "copy")
    there = write_report(tmp_path / "copy")
    assert there == tmp_path / "copy" / "report.html"
    assert there.read_text(encoding="utf-8") == text == report_of(tmp_path / "copy")  # with the first one in it too


def test_the_folder_is_still_that_run_with_its_report(day: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(day, folder)
    ended = call("report", folder)
    assert (ended.code, ended.err) == (0, "") and ended.out.endswith(f"written to {folder / 'report.html'}\n")
    pd.testing.assert_frame_equal(Run.load(folder).indices, Run.load(day).indices)
    run(DAY, folder=folder)  # in the place of the earlier one
    assert not (folder / "report.html").exists()


def test_hostile_names_are_words(day: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(day, folder)
    for name in ("prosumers.parquet", "bills.parquet"):
        table = pd.read_parquet(folder / name)
        table["prosumer"] = table["prosumer"].astype(str).replace({"home-4": HOSTILE, "home-2": "_$x^{$"})
        if "item" in table:
            table["name"] = HOSTILE
        table.to_parquet(folder / name, index=False)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest |= {"inputs": {HOSTILE: HOSTILE}, "engine": HOSTILE, "versions": {HOSTILE: HOSTILE}, "run_id": HOSTILE}
    manifest["step_status"] |= {HOSTILE: 7}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    toml = (folder / "scenario.toml").read_text().replace('rule = "prc"', f"rule = {json.dumps(HOSTILE)}")
    (folder / "scenario.toml").write_text(toml)
    text = report_of(folder)
    page = read(text)
    page.assert_sound()
    shown = HOSTILE.translate(dict.fromkeys(map(ord, "\x00\x1b\u202e\uffff"), "\ufffd"))
    assert [row["prosumer"] for row in page.table("Each prosumer")] == ["_$x^{$", "home-3", shown]
    assert "<script" not in text.lower().replace("&lt;script", "")
    assert len(page.of("img")) >= 3
    assert not set("\x00\x1b\u202e\uffff") & set(text)


def test_a_failed_run_says_why_and_shows_what_there_is(tmp_path: Path) -> None:
    # Loads that the feeder can carry by night, and no more when people get up.
    scenario = DAY.changed({"prosumers.*.load_annual_mwh": 100.0, "prosumers.*.pv_kwp": 0.0})
    with pytest.raises(RunFailure):
        run(scenario, folder=tmp_path / "r")
    failed = Run.load(tmp_path / "r")
    assert 4 < failed.control_steps < 96
    page = read(report_of(tmp_path / "r"))
    page.assert_sound()
    assert "This run failed." in page.words and str(failed.failure) in page.words
    assert f"It lived {failed.control_steps} of 96 control steps." in page.words
    assert not any(caption.startswith(("Each prosumer", "Bills")) for caption in page.tables)
    assert "Not drawn:" in page.words and "the run failed, and has no indices" in page.words
    assert any(given["alt"].startswith("Voltages over time") for given in page.of("img"))


def test_without_series_and_without_references_the_rest_is_there(tmp_path: Path) -> None:
    run(DAY.changed({"record": []}), folder=tmp_path / "r", references=False)
    page = read(report_of(tmp_path / "r"))
    page.assert_sound()
    assert "the scenario does not record vm_pu" in page.words and "Gain kept and LCG are not known" in page.words
    assert "nan" not in re.findall(r"[a-z]+", page.words.lower())
    rows = [columns(row) for row in page.table("Each prosumer")]
    assert "gain kept" not in rows[0] and len(rows) == 3
    assert "Gain keptnot known" in page.words


def test_who_has_no_gain_is_said_in_words(tmp_path: Path) -> None:
    run(DAY.changed({"prosumers.home-3.optimise": False, "record": []}), folder=tmp_path / "r")
    page = read(report_of(tmp_path / "r"))
    rows = {row["prosumer"]: columns(row) for row in page.table("Each prosumer")}
    assert rows["home-3"]["gain kept"] == "no gain" and number(rows["home-4"]["gain kept"]) < 100
    assert "1 prosumer has no gain from optimisation" in page.words


def test_what_an_operator_rehearsed_is_told_day_by_day(tmp_path: Path) -> None:
    changes = {"dso.signal": "source", "dso.iterations": 2, "dso.vm_ref_pu": 0.99, "days": 2, "record": []}
    told = run(DAY.changed(changes), folder=tmp_path / "r", references=False).rehearsals
    rows = [columns(row) for row in read(report_of(tmp_path / "r")).table("Rehearsals, 2 days")]
    assert told is not None and [row["day"] for row in rows] == ["1", "2"]
    assert told["deficit_pu_h"].max() > 0  # else there was nothing to rehearse against
    for day, row in enumerate(rows):
        own = told[told["day"] == day]
        assert number(row["rehearsals"]) == len(own)
        for end, chosen in (("before", own["iteration"] == 0), ("after", own["published"])):
            assert_shown(row[f"headroom {end}"], own.loc[chosen, "worst_headroom_pu"].iloc[0])
            assert_shown(row[f"deficit {end} p.u. h"], own.loc[chosen, "deficit_pu_h"].iloc[0])


def test_nobody_at_all_is_no_obstacle(tmp_path: Path) -> None:
    run(Scenario(prosumers=(), record=(), control_step_min=15), folder=tmp_path / "r", references=False)
    page = read(report_of(tmp_path / "r"))
    page.assert_sound()
    assert "0 prosumers on the feeder four-bus" in page.words and "there are no prosumers" in page.words


def many(n: int) -> Run:
    """A run of n prosumers, made up: the farther, the less is kept."""
    far = np.linspace(0, 1, n)
    scenario = Scenario(record=(), prosumers=tuple(ProsumerSpec(id=f"home-{k:04}", bus=2) for k in range(n)))
    people = pd.DataFrame({"prosumer": [p.id for p in scenario.prosumers], "bus": 2, "distance_ohm": 0.1 + far})
    totals = pd.DataFrame({name: np.zeros(n) for name in TOTALS}).assign(
        cost=-1 + far, tce_kwh=far**2, vm_min_pu=0.98 - 0.01 * far, vm_max_pu=1.01 + 0.04 * far
    )
    bills = pd.DataFrame({"prosumer": people["prosumer"], "item": "energy sold", "name": "", "billing_period": ""})
    bills = bills.assign(quantity=1.0, unit="kWh", price=0.1, amount=-1 + far, peak_at=pd.NaT)
    series = SeriesInMemory(Layout(scenario, people["prosumer"].tolist(), people["bus"].tolist()), np.empty((0, 0, n)))
    made = Run(scenario, people, totals, {"ok": 1440 * n}, 1440, bills, series, "current-injection")
    return replace(made, cost_without_rule=np.full(n, -1.0), cost_without_optimisation=np.ones(n))


def test_a_thousand_prosumers_are_a_spread_and_the_worst_ten(tmp_path: Path) -> None:
    found = many(1000)
    save_run(found, tmp_path / "r", seconds=1.0)
    text = report_of(tmp_path / "r")
    assert len(text.encode()) < 2_000_000
    page = read(text)
    page.assert_sound()
    spread = {row["index"]: row for row in page.table("Spread over 1,000 prosumers")}
    kept = found.indices["gain_kept_percent"]  # 100 at the head, 50 at the end
    for title, value in (("mean", kept.mean()), ("least", kept.min()), ("median", kept.median()), ("largest", 100.0)):
        assert_shown(spread["gain kept (%)"][title], value)
    worst = page.table("The 10 that keep least")
    assert [row["prosumer"] for row in worst] == [f"home-{k:04}" for k in range(999, 989, -1)]
    assert "more lines are in scenario.toml" in page.words
    assert "the feeder that the scenario names is not the one that was run" in page.words  # as distances are made up
    third = kept.iloc[-334:].mean()  # who all have the same gain
    assert f"Gain kept, farthest third{third:.1f} %" in page.words


def test_sixty_have_a_row_each_and_sixty_one_do_not(tmp_path: Path) -> None:
    for n, rows in ((60, 60), (61, 10)):
        save_run(many(n), tmp_path / str(n), seconds=1.0)
        page = read(report_of(tmp_path / str(n)))
        (found,) = (rows for caption, rows in page.tables.items() if caption.startswith(("Each prosumer", "The 10")))
        assert len(found) == rows + 1


def test_files_that_changed_are_not_drawn_with(day: Path, tmp_path: Path) -> None:
    prices = tmp_path / "prices.csv"
    prices.write_text(
        "time,price\n"
        + "".join(f"2016-06-{d:02}T{h:02}:00:00Z,0.0{h % 7 + 1}\n" for d in (8, 9, 10) for h in range(24))
    )
    scenario = DAY.changed(
        {"tariff.kind": "real-time", "tariff.file": str(prices), "tariff.column": "price"}
        | {"tariff.unit": "currency/kWh"}
    )
    run(scenario, folder=tmp_path / "r", references=False)
    alts = [given["alt"] for given in read(report_of(tmp_path / "r")).of("img")]
    assert sum(alt.startswith("Battery") for alt in alts) == 1
    prices.write_text(prices.read_text().replace("0.01", "0.02"))
    page = read(report_of(tmp_path / "r"))
    assert "a file that the scenario reads has changed since" in page.words
    prices.unlink()
    page = read(report_of(tmp_path / "r"))
    page.assert_sound()
    assert "prices.csv" in page.words and sum(given["alt"].startswith("Battery") for given in page.of("img")) == 0


def test_where_there_is_nothing_to_report_it_is_one_line(day: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "manifest.json").write_text('{"run_id": "comparison"}')
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "manifest.json").write_text("{")
    (tmp_path / "half").mkdir()
    shutil.copy(day / "manifest.json", tmp_path / "half")
    for place, said in (
        (tmp_path, "allowed: the folder of a run (cosim run) or of a sweep (cosim sweep)"),
        (tmp_path / "nowhere", "allowed: the folder of a run"),
        (day / "scenario.toml", "allowed: the folder of a run"),
        (tmp_path / "other", "this holds a comparison, whose sweep is the folder above"),
        (tmp_path / "broken", "manifest.json is damaged"),
        (tmp_path / "half", "scenario.toml: nothing given"),
    ):
        ended = call("report", place)
        assert (ended.code, ended.out, len(ended.err.splitlines())) == (2, "", 1)
        assert said in ended.err
    shutil.copytree(day, tmp_path / "cut")
    (tmp_path / "cut" / "timeseries.parquet").write_bytes(b"PAR1")
    with pytest.raises(CosimError, match="cut is damaged"):
        report_of(tmp_path / "cut")


def test_nothing_but_a_report_is_replaced(tmp_path: Path) -> None:
    day = tmp_path / "day"
    save_run(many(3), day, seconds=1.0)
    mine = tmp_path / "mine.html"
    mine.write_text("<!DOCTYPE html>\n<html>my own</html>")
    for target in (mine, tmp_path):
        with pytest.raises(InputError, match="--out"):
            write_report(day, target)
    assert mine.read_text().endswith("my own</html>")
    new = tmp_path / "new" / "folder" / "r.html"
    assert write_report(day, new) == new
    assert write_report(day, new) == new
    assert [path.name for path in new.parent.iterdir()] == ["r.html"]
