"""The file of ``cosim hosting``, and what the command says of it."""

from __future__ import annotations

from pathlib import Path

import pandapower as pp
import pandas as pd
import pytest

from cosim.hosting.hosting_file import HostingFile
from feeders.errors import InputErrors
from tests.cosim.command_line import call
from tests.cosim.hosting.small_feeders import line_feeder, ring_feeder

SHIPPED = Path(__file__).parents[3] / "experiments" / "hosting" / "ieee123.toml"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a feeder's file and a net of two nodes."""
    monkeypatch.chdir(tmp_path)
    net = line_feeder((150.0, 300.0)).net
    net.load = net.load.iloc[:2]
    pp.to_json(net, "net.json")
    Path("small.toml").write_text(
        '[feeder]\nfile = "net.json"\nvm_min_pu = 0.95\nvm_max_pu = 1.05\n[hosting]\nstep = 0.05\n'
    )
    return tmp_path


def test_the_shipped_file_is_what_the_defaults_are() -> None:
    shipped = HostingFile.from_toml(SHIPPED)
    assert HostingFile.from_dict(shipped.model_dump(exclude_none=True)) == shipped
    bare = HostingFile.from_dict({"name": "ieee123", "feeder": {"name": "ieee123"}}).case()
    case = shipped.case()
    assert (case.inputs.p_load_kw == bare.inputs.p_load_kw).all()
    assert case.peak_kva == pytest.approx(2930)
    assert (case.homes == bare.homes).all()
    assert case.devices == bare.devices
    assert shipped.hosting.model_dump(exclude={"fixed"}) == HostingFile.from_dict(
        {"feeder": {"name": "ieee123"}}
    ).hosting.model_dump(exclude={"fixed"})


def test_the_command_prints_writes_and_draws(here: Path) -> None:
    ended = call("hosting", "small.toml", "--out", "results", "--map", "pictures/map.png")
    assert (ended.code, ended.err) == (0, "")
    table = pd.read_csv("results/capacity.csv")
    assert table["mode"].tolist() == ["static", "dynamic"]
    static, dynamic = table["capacity_percent"]
    assert dynamic > static > 0
    assert f"static: {static:.4g} %" in ended.out
    assert "one step more is outside: over-voltage at bus node 2, 12:00" in ended.out
    levels = pd.read_csv("results/levels-static.csv")
    assert levels.loc[levels["feasible"], "level"].max() == pytest.approx(static / 100)
    assert levels.loc[levels["feasible"], "vm_max_pu"].max() <= 1.05 + 1e-6
    sites = pd.read_csv("results/sites-static.csv")
    assert sites["pv_kw"].sum() == pytest.approx(table["kw"][0])
    assert Path("pictures/map.png").stat().st_size > 5000
    assert HostingFile.from_toml(Path("results/hosting.toml")).feeder.file == str(here / "net.json")


def test_what_is_coordinated_is_priced_by_node_and_settled(here: Path) -> None:
    """One kWh more at the source costs what import does; PV is paid what is fed in times the price there."""
    call("hosting", "small.toml", "--mode", "dynamic", "--out", "results")
    case = HostingFile.from_toml(here / "small.toml").case()
    price = pd.read_csv("results/prices.csv").pivot(index="hour", columns="bus", values="price")
    source = int(case.feeder.net.ext_grid.bus.iloc[0])
    assert price.shape == (24, case.feeder.n_buses)
    assert price[source].to_numpy() == pytest.approx(case.inputs.price, rel=1e-6)
    sites = pd.read_csv("results/sites-dynamic.csv").set_index("name")
    settled = pd.read_csv("results/settlement.csv", index_col="row")
    for name, site in sites.iterrows():
        fed_in_kwh = case.inputs.pv_share * site["pv_kw"]
        paid = float((fed_in_kwh * price[int(site["bus"])].to_numpy()).sum())
        assert settled.loc[name, "pv"] == pytest.approx(-paid, rel=1e-6)


def test_the_base_case_infeasible_is_an_answer(here: Path) -> None:
    ended = call("hosting", "small.toml", "--mode", "static", "--set", "feeder.peak_kva=2000", "--map", "map.svg")
    assert (ended.code, ended.err) == (0, "")
    assert "static: base case infeasible, before any pv is added: under-voltage at bus node 2, 18:00" in ended.out
    assert "base case infeasible" in Path("map.svg").read_text()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("hosting.fixed.battery=-0.1", "hosting.fixed.battery: -0.1 is not allowed; allowed: a number >= 0"),
        ("hosting.fixed.hp=1.2", "hosting.fixed.hp: 1.2 is not allowed; allowed: a number >= 0 and <= 1"),
        ("hosting.fixed.ev=1.01", "hosting.fixed.ev: 1.01 is not allowed; allowed: a number >= 0 and <= 1"),
        ("hosting.der=wind", "'pv', 'battery', 'ev' or 'hp'"),
        ("devices.comfort_k=-1.0", "comfort_k: -1.0 is not allowed; allowed: a number >= 0 (the comfort band holds"),
        ("devices.ev_leaves_h=[9.0, 7.0]", "devices.ev_leaves_h: [9.0, 7.0] is not allowed; allowed: two hours"),
        ("nodes=[]", "nodes: [] is not allowed; allowed: at least one node where devices can be"),
        ('nodes=["nowhere"]', "nowhere"),
        ("feeder.head_tap=7", "feeder.head_tap: 7 is not allowed; allowed: nothing: it is a parameter of ieee123"),
        ("feeder.name=no-such", "a feeder that `cosim feeders` lists"),
        ("feeder.engine=no-such", "current-injection"),
        ("hosting.steps=2", "a known key; nearest: step"),
        ("prosumers.n=2", "prosumers: {'n': 2} is not allowed; allowed: a known key"),
        ("hosting.step.much=2", "hosting.step"),
        ("feeder.peak_kva=0.0", "a number > 0"),
    ],
)
def test_wrong_input_is_one_line(here: Path, change: str, message: str) -> None:
    ended = call("hosting", "small.toml", "--mode", "static", "--set", change)
    assert (ended.code, ended.out) == (2, "")
    assert len(ended.err.splitlines()) == 1
    assert message in ended.err


def test_cars_that_cannot_reach_their_target_are_one_line(here: Path) -> None:
    window = ["--set", "devices.ev_leaves_h=[20.5, 20.5]", "--set", "devices.ev_returns_h=[19.0, 19.0]"]
    ended = call("hosting", "small.toml", "--set", "hosting.der=ev", *window)
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert "ev_soc_target: 0.9 is not allowed" in ended.err


def test_a_meshed_feeder_is_one_line_with_its_loop(here: Path) -> None:
    net = ring_feeder().net
    net.load = net.load.iloc[:2]
    pp.to_json(net, "ring.json")
    ended = call("hosting", "small.toml", "--set", "feeder.file=ring.json")
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert "a radial feeder; this one has the loop" in ended.err


def test_a_file_needs_a_feeder_and_only_one(here: Path) -> None:
    Path("none.toml").write_text("[hosting]\nstep = 0.1\n")
    ended = call("hosting", "none.toml")
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    with pytest.raises(InputErrors, match="one of these"):
        HostingFile.from_dict({"feeder": {"name": "case33bw", "file": "net.json"}})
    with pytest.raises(InputErrors, match="one of these"):
        HostingFile.from_dict({"feeder": {}})


def test_loads_are_scaled_to_the_peak_that_is_asked_for() -> None:
    case = HostingFile.from_dict({"feeder": {"name": "case33bw", "peak_kva": 1000.0}}).case()
    assert case.peak_kva == pytest.approx(1000)
    limits = HostingFile.from_dict({"feeder": {"name": "case33bw", "vm_max_pu": 1.02}}).case().feeder
    assert set(limits.vm_max_pu) == {1.02}
    assert limits.vm_min_pu.tolist() == case.feeder.vm_min_pu.tolist()
