"""The hosting-capacity study on a small feeder: its numbers recomputed, its files, and what cannot be asked."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pandapower as pp
import pytest

import experiments
from cosim.hosting.check import static_check
from cosim.hosting.day import Day
from cosim.hosting.find import find
from cosim.hosting.siting import fleet_at
from cosim.study import StudyOptions, changed_settings
from experiments.hosting_answer import Answer, limit_of
from experiments.hosting_capacity import capacities, study
from experiments.hosting_cases import CASES
from experiments.hosting_report import report, write_answer
from experiments.hosting_runs import MODES, definition_of, file_of
from experiments.hosting_sensitivity import Parameter, n_variants, sensitivity_of
from experiments.hosting_settings import HostingSettings
from experiments.hosting_verdict import orders
from feeders.errors import InputError, InputErrors

pytestmark = pytest.mark.xdist_group("hosting-capacity")

STEP = 0.2


@pytest.fixture(scope="module")
def net_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A 0.4 kV street: three loads of 20 kW along 600 m of cable, on a transformer."""
    net = pp.create_empty_network(name="street")
    before = pp.create_bus(net, 20.0, name="grid")
    pp.create_ext_grid(net, before)
    first = pp.create_bus(net, 0.4, name="station")
    pp.create_transformer(net, before, first, "0.25 MVA 20/0.4 kV", name="station")
    before = first
    for k in range(3):
        bus = pp.create_bus(net, 0.4, name=f"house-{k}")
        pp.create_line(net, before, bus, 0.2, "NAYY 4x150 SE", name=f"cable-{k}")
        pp.create_load(net, bus, 0.02, 0.004)
        before = bus
    path = tmp_path_factory.mktemp("feeder") / "street.json"
    pp.to_json(net, str(path))
    return path


@pytest.fixture(scope="module")
def settings(net_file: Path) -> HostingSettings:
    changes = {"feeder": {"file": str(net_file), "vm_min_pu": 0.9, "vm_max_pu": 1.05}, "step": STEP, "unit_kw": 2.0}
    return changed_settings(HostingSettings, {**changes, "quick": True})


@pytest.fixture(scope="module")
def answer(settings: HostingSettings) -> Answer:
    return capacities(settings, StudyOptions())


def test_the_study_is_registered() -> None:
    project = tomllib.loads((Path(experiments.__file__).parent.parent / "pyproject.toml").read_text())
    module, _, name = project["project"]["entry-points"]["cosim.studies"]["hosting-capacity"].partition(":")
    assert (module, name) == (study.__module__, study.__name__)


def test_the_default_case_is_ieee_123() -> None:
    file = file_of("pv", HostingSettings())
    assert (file.feeder.name, file.hosting.step, file.hosting.curtailment) == ("ieee123", 0.01, 0.0)
    assert file.hosting == definition_of("pv", HostingSettings())


def test_each_mode_is_asked_by_both_methods(answer: Answer) -> None:
    asked = [(found.case, found.mode, found.capacity.method) for found in answer.found]
    assert asked == [(case, mode, m) for case in ("pv", "hp") for m in ("stepping", "one-shot") for mode in MODES]


def test_quick_verdicts_hold(answer: Answer) -> None:
    bad = [verdict for verdict in orders(answer) if not verdict.holds and "over-voltage" not in verdict.what]
    assert not bad


def test_static_capacities_are_those_of_the_levels_one_by_one(answer: Answer, settings: HostingSettings) -> None:
    """The last level below which all are inside their limits, counted from the fixed one up."""
    for case in ("pv", "hp"):
        file = file_of(case, settings)
        hosting = file.case()
        check = static_check(hosting, file.hosting)
        inside = [check(fleet_at(hosting, file.hosting, k * STEP)).feasible for k in range(6 if case == "hp" else 20)]
        last = len(inside) - 1 if all(inside) else int(np.argmin(inside)) - 1
        found = answer.first(case, "static")
        assert found is not None
        assert found.capacity.level == pytest.approx(last * STEP)


def test_the_rest_is_there_as_published(answer: Answer) -> None:
    """Batteries of 5 % of the peak load beside PV, and 10 % beside heat pumps with 20 % PV."""
    for case, battery, pv in (("pv", 0.05, None), ("hp", 0.10, 0.20)):
        found = answer.first(case, "dynamic")
        assert found is not None and found.capacity.fleet is not None
        fleet = found.capacity.fleet
        assert fleet.battery_kw.sum() == pytest.approx(battery * answer.peak_kva)
        if pv is not None:
            assert fleet.pv_kw.sum() == pytest.approx(pv * answer.peak_kva)
        assert CASES[case].fixed.battery == battery


def test_files_and_text(answer: Answer, tmp_path: Path) -> None:
    write_answer(answer, tmp_path)
    assert {"table.csv", "steps.csv", "sited.csv", "log.csv", "report.md", "metrics.png", "sited.png"} == {
        path.name for path in tmp_path.iterdir()
    }
    text = report(answer)
    assert "street: 5 buses, 3 with load" in text and "17 homes" in text  # 60 kW over 3.5 kW


def test_progress_ends_at_the_whole(settings: HostingSettings) -> None:
    told: list[tuple[int, int]] = []
    brief = settings.model_copy(update={"cases": ("hp",), "step": 0.5})
    capacities(brief, StudyOptions(progress=lambda done, total: told.append((done, total))))
    assert told == [(k, 6) for k in range(7)]


def test_one_parameter_at_a_time(settings: HostingSettings) -> None:
    """Parameters of IEEE 123 are none of this feeder; the default is found once and stands in each one's rows."""
    unit = Parameter("PV unit (kW)", "", "unit_kw", {"2": 2.0, "8": 8.0})
    load = Parameter("load shape", "day", "load", {"flat": "flat"})
    taps = Parameter("taps", "feeder", "downstream_taps", {"out": False}, ieee123=True)
    brief = settings.model_copy(update={"step": 0.5})
    told: list[None] = []
    table = sensitivity_of(["hp"], brief, lambda: told.append(None), (unit, load, taps))
    rows = table.drop_duplicates(["parameter", "value"])[["parameter", "value", "default"]]
    assert [*rows.itertuples(index=False, name=None)] == [
        ("PV unit (kW)", "2", True),
        ("PV unit (kW)", "8", False),
        ("load shape", "flat", False),
        ("load shape", "evening", True),
    ]
    assert len(told) == n_variants(brief, (unit, load, taps)) == 3
    flat = brief.model_copy(update={"day": Day(load="flat")})
    file = file_of("hp", flat)
    alone = find(file.case(), file.hosting, "static", "one-shot")
    found = table[(table["value"] == "flat") & (table["mode"] == "static")]
    assert found["capacity_percent"].item() == pytest.approx(100 * alone.level, nan_ok=True)
    assert found["limit"].item() == limit_of(alone)


@pytest.mark.slow
def test_all_parts_on_a_small_feeder(settings: HostingSettings, tmp_path: Path) -> None:
    """Each part once, as small as it can be: the table has all cases, and what is reported of each is in its file."""
    changes = {"quick": False, "step": 0.5, "local_step": 0.5, "sitings": 1, "n_scenarios": 3, "n_reduced": 2}
    changes |= {"batteries": (0.0, 0.5), "heat_pumps": (0.0,), "rules": ("none", "ieee1547-b"), "sensitivity": False}
    told: list[tuple[int, int]] = []
    brief = settings.model_copy(update={**changes, "workers": 1, "loops": ("closed-loop",), "tolerated": (0.05,)})
    answer = capacities(brief, StudyOptions(progress=lambda done, total: told.append((done, total))))
    assert told[-1][0] == told[-1][1] == len(told) - 1
    assert set(answer.table["case"]) == set(CASES)
    assert not [verdict for verdict in orders(answer) if not verdict.holds and ">=" in verdict.what]
    assert [(plan.mode, plan.bounded) for plan in answer.planned] == [
        ("static", False),
        ("dynamic", False),
        ("static", True),
        ("dynamic", True),
    ]
    assert sorted(set(answer.draws["scenario"])) == [0, 1, 2]
    assert list(answer.local["rule"]) == ["none", "ieee1547-b"]
    assert answer.region["mode"].tolist() == ["static", "dynamic"] * 2
    write_answer(answer, tmp_path)
    assert {"planned-free.png", "region.csv", "draws.csv", "local-rules.png"} <= {p.name for p in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"feeder.name": "nowhere"}, "nowhere"), ({"feeder": {"name": "case33bw", "file": "x"}}, "one of these")],
)
def test_feeders_that_cannot_be_are_said(changes: dict[str, object], words: str) -> None:
    with pytest.raises((InputError, InputErrors), match=words):
        capacities(changed_settings(HostingSettings, changes), StudyOptions())
