"""Run times: what is counted as what. No time is asserted, as times belong to a machine and a moment."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from cosim.study import StudyOptions, changed_settings
from experiments import run_time as module
from experiments.run_time import PUBLISHED_S, Answer, RunTimeSettings, run_time
from experiments.run_time_report import report, write_answer
from feeders.errors import InputErrors

pytestmark = [pytest.mark.usefixtures("feeders_built_once")]

SMALL = {"repeats": 1, "flows": 5, "peer_flows": 1, "peer_steps": 1, "sizes": [1, 4], "seconds": 0.01}


@pytest.fixture(scope="module")
def seen() -> list[float]:
    return []


@pytest.fixture(scope="module")
def answer(seen: list[float]) -> Answer:
    options = StudyOptions(progress=lambda done, total: seen.append(done / total))
    return run_time(changed_settings(RunTimeSettings, SMALL), options)


def test_everything_is_there_with_its_published_time(answer: Answer, seen: list[float]) -> None:
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    table = answer.table
    counts = table.groupby("what", sort=False).size().to_dict()
    assert counts == {
        "96 plans of a day": 3,
        "one power flow, four-bus": 4,
        "one power flow, mv-oberrhein": 4,
        "a day, 1440 power flows": 4,
    }
    # Hashmi et al., arXiv 2207.10248, section V-C.
    assert PUBLISHED_S == {"plans": 0.0168, "flow": 0.015, "day": 20.55}
    published = table.groupby("what")["published_s"].first()
    assert published["96 plans of a day"] == 0.0168
    assert published["one power flow, four-bus"] == 0.015
    assert published["a day, 1440 power flows"] == 20.55
    assert np.isnan(published["one power flow, mv-oberrhein"])  # a feeder that was not published
    assert (table["fastest"] > 0).all()
    assert table["seconds"].between(table["fastest"], table["slowest"]).all()


def test_sizes_add_up_and_stand_beside_their_peers(answer: Answer) -> None:
    """Peers: 1440 flows of this feeder, and 96 plans by linprog for each prosumer."""
    sizes = answer.sizes
    assert sizes[["prosumers", "forecast"]].to_numpy().tolist() == [
        [n, kind] for n in (1, 4) for kind in ("noisy", "perfect")
    ]
    assert (sizes["steps"] >= 3).all()
    seconds = answer.table.set_index(["what", "way"])["seconds"]
    flow = seconds["one power flow, mv-oberrhein", "pandapower runpp"]
    plans = seconds["96 plans of a day", "scipy linprog (HiGHS), published rows"]
    np.testing.assert_allclose(sizes["peer_s"], 1440 * flow + sizes["prosumers"] * plans, rtol=1e-12)
    parts = sizes[[name for name in sizes.columns if name.endswith("_s") and name != "peer_s"]]
    assert len(parts.columns) == 6
    assert (parts.sum(axis=1) > 0.5 * sizes["seconds"]).all()  # medians of parts, beside the median of their sum


def test_what_a_new_process_takes(answer: Answer) -> None:
    assert set(answer.first) == {"kept"}
    assert all(seconds > 0 for seconds in answer.first["kept"].values())
    before = os.environ.get("NUMBA_CACHE_DIR")
    with module._environment("NUMBA_CACHE_DIR", "somewhere"):
        assert os.environ["NUMBA_CACHE_DIR"] == "somewhere"
    assert os.environ.get("NUMBA_CACHE_DIR") == before


def test_the_machine_has_a_name(answer: Answer, tmp_path: Path) -> None:
    assert answer.machine["processor"]
    assert answer.machine["cores"] >= 1
    info = tmp_path / "cpuinfo"
    info.write_text("processor : 0\nmodel name\t: Some CPU @ 2 GHz\nmodel name\t: another\n", encoding="utf-8")
    assert module._processor(info) == "Some CPU @ 2 GHz"
    assert module._processor(tmp_path / "none")


def test_the_text_says_where_and_what(answer: Answer) -> None:
    text = report(answer)
    assert str(answer.machine["processor"]) in text
    assert "--set compile_time=true" in text
    busy, quiet = (report(replace(answer, machine={**answer.machine, "load": load})) for load in (99.0, 0.0))
    assert "others were at work" in busy
    assert "others were at work" not in quiet
    fresh = report(
        replace(answer, first={**answer.first, "from nothing": {"start": 1.0, "first": 40.0, "second": 0.2}})
    )
    assert "with nothing compiled before: 1 s to start and import, 40 s" in fresh


def test_wrong_settings() -> None:
    with pytest.raises(InputErrors, match="peer_steps"):
        changed_settings(RunTimeSettings, {"peer_steps": 97})


def test_files(answer: Answer, tmp_path: Path) -> None:
    write_answer(answer, tmp_path)
    image = imread(tmp_path / "run-time.png")[:, :, :3]
    assert image.var() > 1e-3
    assert min(edge.min() for edge in (image[0], image[-1], image[:, 0], image[:, -1])) == 1.0
    assert len(pd.read_csv(tmp_path / "table.csv")) == 15
    assert len(pd.read_csv(tmp_path / "sizes.csv")) == 4
    assert json.loads((tmp_path / "machine.json").read_text(encoding="utf-8"))["cores"] == answer.machine["cores"]
    assert report(answer) in (tmp_path / "report.md").read_text(encoding="utf-8")
