"""Named feeders, and nets from files that are not to be trusted."""

from __future__ import annotations

import json
import random
import sys

import numpy as np
import pandapower as pp
import pytest

from feeders.engines import make_engine
from feeders.errors import InputError
from feeders.library import FEEDERS, describe, feeder_from_json, load_feeder
from tests.feeders.feeder_cases import low_voltage_net


@pytest.mark.parametrize("name", FEEDERS)
def test_named_feeder_is_as_described_and_survives_its_json(name, tmp_path):
    info, feeder = FEEDERS[name], load_feeder(name)
    assert feeder.n_buses == info.n_buses
    assert len(feeder.connection_buses) == info.n_connection_buses
    assert feeder.energised.all()
    assert {f"{vn:g} kV" for vn in feeder.net.bus.vn_kv.loc[feeder.connection_buses]} == {info.vn_kv}
    path = tmp_path / "net.json"
    pp.to_json(feeder.net, str(path))
    again = feeder_from_json(path)
    assert again.name == "net"
    nothing = np.zeros(feeder.n_buses)
    position = feeder.bus_positions(again.buses.tolist())  # pandapower sorts tables when it reads them
    vm_pu, original = make_engine(again).solve(nothing, nothing), make_engine(feeder).solve(nothing, nothing)
    # 1e-9: the text keeps every digit, but another order of nodes rounds otherwise
    np.testing.assert_allclose(vm_pu, original[position], rtol=0, atol=1e-9)


def test_described_rows():
    rows = describe()
    assert [row["name"] for row in rows] == list(FEEDERS)
    assert all(row["description"] and row["source"] and row["licence"] for row in rows)


def test_random_nets_are_the_same_every_time_and_leave_the_generator_alone():
    random.seed(7)
    expected = random.random()
    random.seed(7)
    lines = load_feeder("kerber-landnetz-kabel-1").net.line
    assert random.random() == expected
    assert lines.equals(load_feeder("kerber-landnetz-kabel-1").net.line)


def test_four_bus_is_the_published_feeder():
    feeder = load_feeder("four-bus")
    line = feeder.net.line
    assert (line.r_ohm_per_km * line.length_km).tolist() == [0.0922, 0.1844, 0.3660]  # Table VI
    assert (line.x_ohm_per_km * line.length_km).tolist() == [0.0470, 0.0940, 0.1864]
    assert feeder.net.bus.name.tolist() == ["1", "2", "3", "4"]
    assert feeder.background_p_kw.tolist() == [0, 0, 0, 0]
    # the conductor of a single-phase circuit at 230 V carries P/V; pandapower's loading is right for it
    net = make_engine(feeder).write_results([0, 4.6, 0, 0], [0, 0, 0, 0])
    current_a = 4600 / (230 * net.res_bus.vm_pu[2])
    assert net.res_line.loading_percent[0] == pytest.approx(current_a / 100 * 100, rel=1e-6)


def test_unknown_feeder_names_the_nearest():
    with pytest.raises(InputError, match="nearest: cigre-lv"):
        load_feeder("cigre_lv")


ATTACKS = {
    "a class to call": {"_module": "attacker_module", "_class": "Net", "_object": "{}"},
    "a function": {"_module": "attacker_module", "_class": "function", "_object": "run"},
    "a method": {"_module": "attacker_module", "_class": "method", "_object": "run"},
    "pandapower's own classes": {"_module": "pandapower.control", "_class": "ConstControl", "_object": "{}"},
    "builtins": {"_module": "builtins", "_class": "eval", "_object": "1"},
    "a class without module": {"_class": "function", "_object": "run"},
    "a table from a path": {
        "_module": "pandas.core.frame",
        "_class": "DataFrame",
        "_object": "/etc/x.json",
        "orient": "split",
    },
    "arguments of pandas": {
        "_module": "pandas.core.frame",
        "_class": "DataFrame",
        "_object": "[]",
        "storage_options": {},
    },
}


@pytest.mark.parametrize("inside", ["net", "cell", "list", "text"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_that_a_file_names_is_imported(attack, inside, tmp_path, monkeypatch):
    (tmp_path / "attacker_module.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    content = json.loads(pp.to_json(low_voltage_net()))
    payload = ATTACKS[attack]
    tables = content["_object"]
    if inside == "net":
        tables["extra"] = payload
    elif inside == "list":
        tables["extra"] = [[payload]]
    elif inside == "text":
        tables["extra"] = json.dumps(json.dumps([payload]))[1:-1].replace('\\"', '"')
    else:  # a cell of a table, whose keys are escaped so that no search for them succeeds
        frame = json.loads(tables["bus"]["_object"])
        frame["data"][0][0] = payload
        tables["bus"]["_object"] = json.dumps(frame).replace("_module", "\\u005fmodule")
    path = tmp_path / "net.json"
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"net\.json"):
        feeder_from_json(path)
    assert "attacker_module" not in sys.modules


def test_the_attack_would_work_on_pandapower_itself(tmp_path, monkeypatch):
    """The positive control: the same payload imports its module through pandapower's reader."""
    (tmp_path / "attacker_module.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    content = json.loads(pp.to_json(low_voltage_net()))
    content["_object"]["extra"] = ATTACKS["a function"]
    with pytest.raises(SystemExit, match="imported"):
        pp.from_json_string(json.dumps(content))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '"net"',
        "{}",
        '{"_module": "pandapower.auxiliary", "_class": "pandapowerNet", "_object": "{}"}',
        '{"_module": "pandapower.auxiliary", "_class": "pandapowerNet"}',
        '{"a": 1, "a": 2}',
        "[" * 100_000,
    ],
)
def test_other_files_are_refused(text, tmp_path):
    path = tmp_path / "net.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"net\.json"):
        feeder_from_json(path)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="missing"):
        feeder_from_json(tmp_path / "missing.json")
    (tmp_path / "latin.json").write_bytes(b'{"a": "\xe9"}')
    with pytest.raises(InputError, match="UTF-8"):
        feeder_from_json(tmp_path / "latin.json")


def test_a_name_that_starts_with_a_bracket_is_only_a_name(tmp_path):
    net = low_voltage_net()
    net.bus.loc[2, "name"] = "[old] {a1"
    path = tmp_path / "net.json"
    pp.to_json(net, str(path))
    assert feeder_from_json(path, "mine").bus_by_name("[old] {a1") == 2


def test_simbench_grids_go_by_their_codes():
    pytest.importorskip("simbench")
    feeder = load_feeder("1-LV-rural1--0-sw")
    assert (feeder.n_buses, len(feeder.connection_buses)) == (15, 13)  # Meinecke et al., Energies 13(12), 2020
    with pytest.raises(InputError, match="a SimBench code; nearest: 1-LV-rural"):
        load_feeder("1-LV-rural9--0-sw")


def test_without_the_extra_a_simbench_grid_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "simbench", None)
    with pytest.raises(InputError, match=r"pip install 'cosim-prosumers\[simbench\]'"):
        load_feeder("1-LV-rural2--0-sw")
