"""``cosim region``: from three files to a net that a scenario runs on."""

from __future__ import annotations

from pathlib import Path

import pytest

from cosim import Scenario
from feeders import feeder_from_json
from tests.cosim.command_line import call

STREETS = "name,lon,lat\nMain,7.88,48.45\nMain,7.882,48.45\nSide,7.881,48.45\nSide,7.881,48.451\n"
HOUSES = "name,lon,lat\n" + "".join(f"home {k},{7.88 + 0.0004 * k:.4f},48.4501\n" for k in range(1, 5))
STATIONS = "name,lon,lat,rating_kva\nS,7.8805,48.4499,400\n"
FILES = ("--streets", "streets.csv", "--houses", "houses.csv", "--stations", "stations.csv", "--out", "net.json")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with the three files."""
    monkeypatch.chdir(tmp_path)
    for name, text in (("streets", STREETS), ("houses", HOUSES), ("stations", STATIONS)):
        Path(f"{name}.csv").write_text(text)
    return tmp_path


def test_the_net_is_the_feeder_of_a_scenario(here: Path) -> None:
    ended = call("region", *FILES)
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0].strip() == "net.json: 4 homes around 48.4505 N 7.8810 E"
    assert lines[-1] == "written to net.json; to simulate it: --set feeder.file=net.json"
    scenario = Scenario(population={"n": 4}).changed({"days": 1, "control_step_min": 15})
    Path("s.toml").write_text(scenario.to_toml())
    checked = call("check", "s.toml", "--set", "feeder.file=net.json")
    assert (checked.code, checked.err) == (0, "")
    assert "4 prosumers on net (12 buses)" in checked.out  # 2 of the head, 2 of S, 4 houses and their feet
    feeder = feeder_from_json("net.json")
    assert set(feeder.net.bus.name.loc[feeder.connection_buses]) == {f"home {k}" for k in range(1, 5)}
    assert call("region", *FILES).code == 0  # the same content may be written again
    again = call("region", *FILES, "--peak-kw", "300")
    assert (again.code, again.err.splitlines()) == (
        2,
        ["error: --out: file: 'net.json' is not allowed; allowed: a new file: this one holds something else"],
    )


@pytest.mark.parametrize(
    ("change", "args", "said"),
    [
        ({"houses": "lon,lat\n7,48\n"}, (), "houses.csv: line 1: 'lon,lat' is not allowed; allowed: a header with"),
        ({"houses": HOUSES + "far,7.9,48.45\n"}, (), "houses.csv: far: '1,328 m from the nearest street' is not"),
        ({"streets": STREETS + "Isle,7.883,48.45\nIsle,7.884,48.45\n", "houses": HOUSES + "x,7.8835,48.45\n"}, (), "x"),
        ({}, ("--tree", "short"), "--tree: tree: 'short' is not allowed; allowed: one of minimum, shortest"),
        ({}, ("--mv-kv", "15"), "design: trafo: '0.25 MVA 15/0.4 kV' is not allowed; allowed: a standard type"),
    ],
)
def test_what_cannot_be_laid_out(change: dict[str, str], args: tuple[str, ...], said: str, here: Path) -> None:
    for name, text in change.items():
        Path(f"{name}.csv").write_text(text)
    ended = call("region", *FILES, *args)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err and ended.err.startswith("error: ") and "Traceback" not in ended.err
    assert not Path("net.json").exists()
