"""Wrong input through the real command line: exit code 2, one line per error, no traceback, nothing written.

Every case states the whole of what a user reads; those of scenarios are in `wrong_scenarios`.
"""

from __future__ import annotations

from pathlib import Path

import pandapower as pp
import pytest

from cosim.prosumer_spec import ProsumerSpec
from cosim.scenario import Scenario
from cosim.validation import problems, require_lockstep
from feeders.errors import InputErrors
from tests.cosim.command_line import call, start
from tests.cosim.wrong_scenarios import BAND_FIELD, DAY_UTC, HOME, RULES, SCENARIOS, START
from tests.cosim.wrong_tariffs import TARIFFS

# How a CSV of 96 rows from 22:00 UTC is spoilt, by its rows (the header is row 1 of the file), and the line.
ORDER = "rows in ascending order, 15 min apart"
SERIES: dict[str, tuple[list[int], str]] = {
    "short": (
        [*range(95)],
        "time: '2016-06-07 22:00 to 2016-06-08 21:45 UTC' is not allowed; "
        f"allowed: a profile not shorter than the run, {DAY_UTC}",
    ),
    "gap": (
        [*range(40), *range(41, 97)],
        "row 42, time 2016-06-08T08:15Z (2016-06-08T08:15Z): '30 min after the row before (gap or wrong step)' "
        f"is not allowed; allowed: {ORDER}",
    ),
    "duplicate": (
        [*range(41), *range(40, 96)],
        f"row 43, time 2016-06-08T08:00Z (2016-06-08T08:00Z): 'twice the same time' is not allowed; allowed: {ORDER}",
    ),
    "unsorted": (
        [*range(41), 38, *range(42, 97)],
        "row 43, time 2016-06-08T07:30Z (2016-06-08T07:30Z): 'earlier than the row before (unsorted)' "
        f"is not allowed; allowed: {ORDER}",
    ),
}


def stamp(quarter: int) -> str:
    hour, minute = divmod(22 * 60 + 15 * quarter, 60)
    return f"2016-06-{7 + hour // 24:02d}T{hour % 24:02d}:{minute:02d}Z"


def write_net(path: Path) -> None:
    """Two buses in a row, and one that no line reaches."""
    net = pp.create_empty_network()
    source, home, _ = (pp.create_bus(net, vn_kv=0.4, name=name) for name in ("source", "home", "cut off"))
    pp.create_ext_grid(net, source)
    pp.create_line_from_parameters(net, source, home, 0.1, 0.3, 0.1, c_nf_per_km=0.0, max_i_ka=0.2)
    pp.to_json(net, str(path))


def assert_refused(folder: Path, lines: list[str], *args: object) -> None:
    """`cosim ARGS` ends with exit code 2, prints these lines alone, and leaves the folder as it was."""
    before = sorted(folder.rglob("*"))
    ended = call(*args)
    assert ended.err.splitlines() == [f"error: {line}" for line in lines]
    assert (ended.code, ended.out) == (2, "")
    assert sorted(folder.rglob("*")) == before


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("case", {**SCENARIOS, **TARIFFS})
def test_a_wrong_scenario_is_refused(case: str, here: Path) -> None:
    text, line = {**SCENARIOS, **TARIFFS}[case]
    Path("s.toml").write_text(text + "\n")
    if "net.json" in text:
        write_net(Path("net.json"))
    assert_refused(here, [f"s.toml: {line.replace('{here}', str(here))}"], "run", "s.toml")


@pytest.mark.parametrize("case", SERIES)
def test_a_wrong_profile_is_refused_at_the_first_offence(case: str, here: Path) -> None:
    quarters, line = SERIES[case]
    rows = [f"{stamp(quarter)},0.5,0.1" for quarter in quarters]
    Path("p.csv").write_text("\n".join(["time,load,sun", *rows]) + "\n")
    fields = 'load_profile = "load"\npv_profile = "sun"\n'
    Path("s.toml").write_text(f'{START}profiles_file = "p.csv"\n{HOME}{fields}')
    assert_refused(here, [f"{here}/p.csv: {line}"], "run", "s.toml")


@pytest.mark.parametrize("case", SERIES)
def test_a_wrong_price_series_is_refused_at_the_first_offence(case: str, here: Path) -> None:
    quarters, line = SERIES[case]
    if case == "short":
        line = (
            "time: 'covers 2016-06-07T22:00Z to 2016-06-08T21:45Z' is not allowed; "
            "allowed: a series that is not shorter than the horizon, 2016-06-07T22:00Z to 2016-06-08T22:00Z"
        )
    Path("q.csv").write_text("\n".join(["time,p", *(f"{stamp(quarter)},0.3" for quarter in quarters)]) + "\n")
    tariff = '[tariff]\nkind = "real-time"\nfile = "q.csv"\ncolumn = "p"\nunit = "currency/kWh"\n'
    Path("s.toml").write_text(START + tariff)
    assert_refused(here, [f"{here}/q.csv: {line}"], "run", "s.toml")


def test_a_selling_price_above_the_buying_price_in_a_file_is_refused(here: Path) -> None:
    rows = [f"{stamp(quarter)},0.3,{0.31 if quarter == 50 else 0.1}" for quarter in range(96)]
    Path("q.csv").write_text("\n".join(["time,buy,sell", *rows]) + "\n")
    tariff = 'kind = "real-time"\nfile = "q.csv"\ncolumn = "buy"\ncolumn_sell = "sell"\nunit = "currency/kWh"\n'
    Path("s.toml").write_text(f"{START}[tariff]\n{tariff}")
    line = (
        f"{here}/q.csv: price_sell at 2016-06-08T10:30Z: 0.31 is not allowed; "
        "allowed: at most the buying price, 0.3 (more would be arbitrage at the meter)"
    )
    assert_refused(here, [line], "run", "s.toml")


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("no.toml", None, "no.toml: file: 'No such file or directory' is not allowed; allowed: a readable TOML file"),
        ("", None, ".: file: 'Is a directory' is not allowed; allowed: a readable TOML file"),
        (
            "s.toml",
            b"rule = = 3\n",
            "s.toml: syntax: 'Invalid value (at line 1, column 8)' is not allowed; allowed: TOML 1.0",
        ),
        (
            "s.toml",
            b"name = '\xff'\n",
            "s.toml: file: 'byte 8: invalid start byte' is not allowed; allowed: UTF-8 text",
        ),
    ],
)
def test_a_file_that_is_no_scenario_is_refused(name: str, content: bytes | None, line: str, here: Path) -> None:
    if content is not None:
        Path(name).write_bytes(content)
    assert_refused(here, [line], "run", Path(name))


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ("rule", "rule: 'rule' is not allowed; allowed: KEY=VALUE, e.g. rule=prc"),
        ("=prc", "=prc: '=prc' is not allowed; allowed: KEY=VALUE, e.g. rule=prc"),
        ("rul=prc", "rul: 'prc' is not allowed; allowed: a known key; nearest: rule"),
        ("voltage.ded_pu=0.1", "voltage.ded_pu: 0.1 is not allowed; allowed: a known key; nearest: dead_pu"),
        ("days=", "days: '' is not allowed; allowed: a whole number"),
        ("days=2\nrule='prc'", """days: "2\\nrule='prc'" is not allowed; allowed: a whole number"""),
        ("prosumers.*.pv_kwp=-1", "prosumers.a.pv_kwp: -1 is not allowed; allowed: a number >= 0"),
    ],
)
def test_a_wrong_change_is_refused(change: str, line: str, here: Path) -> None:
    Path("s.toml").write_text(HOME)
    assert_refused(here, [f"--set: {line}"], "run", "s.toml", "--set", change)


def test_a_change_that_cannot_be_simulated_names_both_sources(here: Path) -> None:
    Path("s.toml").write_text(HOME)
    line = f"s.toml with --set: rule: 'prk' is not allowed; allowed: {RULES} (nearest: prc)"
    assert_refused(here, [line], "run", "s.toml", "--set", "rule=prk")


@pytest.mark.parametrize("target", ["s.toml", "s.toml/x", "/dev/null/x", "/proc/x/y"])
def test_a_folder_that_cannot_be_written_is_refused_before_the_run(target: str, here: Path) -> None:
    Path("s.toml").write_text(HOME)
    ended = call("run", "s.toml", "--out", target)
    reason = "a folder: this is a file" if target == "s.toml" else "a folder that can be written ("
    assert ended.err.startswith(f"error: --out: folder: '{target}' is not allowed; allowed: {reason}")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert [path.name for path in here.iterdir()] == ["s.toml"]


def test_five_mistakes_are_listed_at_once(here: Path) -> None:
    wrong = HOME + "battery_min_kwh = 2.0\n" + HOME + 'bus = 9\nload_profile = "H0-Z"\n'
    text = 'rule = "prk"\n[voltage]\ndead_pu = 0.06\n' + wrong.replace("bus = 2\nbus", "bus")
    Path("s.toml").write_text(text)
    ended = call("check", "s.toml")
    fields = [line.split(": ")[2] for line in ended.err.splitlines()]
    assert fields == [
        "rule",
        BAND_FIELD,
        "prosumers.id",
        "prosumers.a.battery_min_kwh",
        "prosumers.a.load_profile",
        "prosumers.a.bus",
    ]
    assert ended.code == 2


def test_five_wrong_fields_are_listed_at_once(here: Path) -> None:
    text = 'rulle = "x"\ndays = "1"\n[voltage]\ndead_pu = nan\n' + HOME + "battery_kwh = -1.0\nefficiency_charge = 2.0"
    Path("s.toml").write_text(text)
    ended = call("check", "s.toml")
    assert ended.code == 2
    assert sorted(line.split(": ")[2] for line in ended.err.splitlines()) == [
        "days",
        "prosumers.a.battery_kwh",
        "prosumers.a.efficiency_charge",
        "rulle",
        "voltage.dead_pu",
    ]


def test_of_many_findings_the_first_twenty_are_shown(here: Path) -> None:
    """Ten thousand of each: also the nearest known buses are looked up for some alone."""
    Path("p.csv").write_text("id,bus,pv_kwp\n" + "".join(f"h{k},nowhere {k},1\n" for k in range(10_000)))
    Path("s.toml").write_text('prosumers_file = "p.csv"\n')
    unknown = call("check", "s.toml")
    lines = unknown.err.splitlines()
    assert (unknown.code, len(lines), lines[-1]) == (2, 21, "error: and 9980 more")
    assert lines[19].startswith(
        f"error: {here}/p.csv: row 21, column 'bus': 'nowhere 19' is not allowed; allowed: a bus"
    )
    Path("p.csv").write_text("id,bus,pv_kwp\n" + "".join(f"h{k},2,-1\n" for k in range(21)))
    assert call("check", "s.toml").err.splitlines()[-1] == "error: and 1 more"
    Path("p.csv").write_text("id,bus,pv_kwp\n" + "".join(f"h{k},2,-1\n" for k in range(20)))
    assert len(call("check", "s.toml").err.splitlines()) == 20


def test_the_nearest_of_unknown_buses_are_looked_up_for_the_first_twenty() -> None:
    people = tuple(ProsumerSpec(id=f"h{k}", bus=f"nowhere {k}") for k in range(25))
    found = problems(Scenario(prosumers=people))
    assert ["nearest" in error.allowed for error in found] == [True] * 20 + [False] * 5
    assert found[24].allowed == "a bus index or name of this net"


def test_a_table_of_prosumers_that_is_not_there_is_one_line(here: Path) -> None:
    Path("s.toml").write_text('prosumers_file = "no.csv"\n')
    line = f"{here}/no.csv: file: 'No such file or directory' is not allowed; allowed: a CSV file that can be read"
    assert_refused(here, [line], "population", "s.toml")


def test_a_wrong_scenario_through_the_shell(here: Path) -> None:
    """A process of its own: what a handler of this one could hide, such as a traceback or a warning, would show."""
    Path("s.toml").write_text('rule = "prk"\n[feeder]\nname = "fourbus"\n' + HOME + "battery_min_kwh = 1.5\n")
    before = sorted(here.rglob("*"))
    ended = start("run", "s.toml", folder=here)
    assert ended.err.splitlines() == [
        f"error: s.toml: rule: 'prk' is not allowed; allowed: {RULES} (nearest: prc)",
        "error: s.toml: prosumers.a.battery_min_kwh: 1.5 is not allowed; allowed: at most battery_kwh, 1",
        f"error: s.toml: {SCENARIOS['unknown-feeder'][1]}",
    ]
    assert (ended.code, ended.out) == (2, "")
    assert sorted(here.rglob("*")) == before


def test_a_valid_scenario_has_no_problems() -> None:
    assert problems(Scenario()) == []


def test_scenarios_in_lock_step_share_feeder_and_clock() -> None:
    other = Scenario(name="other", days=2).changed({"feeder.engine": "pandapower"})
    require_lockstep([Scenario(), Scenario(rule="prc", seed=5)])
    with pytest.raises(InputErrors) as refused:
        require_lockstep([Scenario(), other])
    assert [(error.where, error.field) for error in refused.value.errors] == [
        ("scenario other", "feeder"),
        ("scenario other", "days"),
    ]
