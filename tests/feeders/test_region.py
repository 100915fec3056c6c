"""Regions: homes, stations and the net between them."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator

import numpy as np
import pandapower as pp
import pandapower.networks as pn
import pandas as pd
import pytest
from pandapower.auxiliary import pandapowerNet

from feeders import load_feeder
from feeders.errors import InputError, InputErrors
from feeders.oberrhein import lv_schutterwald, mv_oberrhein
from feeders.region import SCHUTTERWALD_STATIONS, Region, join_stations, region_from_net, schutterwald_region
from feeders.repairs import repair_net
from tests.feeders.feeder_cases import tight_runpp
from tests.feeders.region_cases import two_stations

HOMES = {"118": 56, "80": 140, "77": 123}  # one HH load of lv_schutterwald each


@pytest.fixture(scope="module")
def schutterwald() -> Region:
    return schutterwald_region()


@pytest.fixture(scope="module")
def low() -> pandapowerNet:
    return lv_schutterwald()


def test_three_stations_are_the_319_homes_of_the_published_study(schutterwald: Region, low: pandapowerNet) -> None:
    region = schutterwald
    assert region.homes.station.value_counts().to_dict() == HOMES
    assert region.homes.index.is_unique
    assert region.stations.rating_kva.to_dict() == {"118": 630.0, "80": 630.0, "77": 400.0}
    assert region.stations.hv_bus.tolist() == [118, 80, 77]
    head = region.feeder.net.trafo.loc[region.head_trafo]
    assert (head.sn_mva, head.vn_hv_kv, head.vn_lv_kv) == (25.0, 110.0, 20.0)
    assert region.feeder.energised.all()
    assert region.feeder.is_radial
    np.testing.assert_array_equal(np.bincount(region.station_of_home), [56, 140, 123])
    # the zone that the net itself gives every home's bus says the same
    zone = low.load.set_index("name").bus.map(low.bus.zone)
    assert ("T_idx_" + region.homes.station == zone[region.homes.index]).all()


def test_no_other_three_stations_come_to_319_with_these_ratings(low: pandapowerNet) -> None:
    counts = low.load.bus.map(low.bus.zone).str.removeprefix("T_idx_").value_counts()
    rated = low.trafo.set_index(low.trafo.name.str.removeprefix("T_idx_")).sn_mva
    found = [
        set(three)
        for three in itertools.combinations(SCHUTTERWALD_STATIONS, 3)
        if counts[list(three)].sum() == 319 and sorted(rated[list(three)]) == [0.4, 0.63, 0.63]
    ]
    assert found == [{"118", "80", "77"}]


def test_joined_net_has_the_voltages_of_its_halves(schutterwald: Region, low: pandapowerNet) -> None:
    """One power flow of the region equals one of each half: the stations' powers above, their voltages below."""
    net = copy.deepcopy(schutterwald.feeder.net)
    net.load.loc[net.load.name.isin(schutterwald.homes.index), "p_mw"] = 0.002
    tight_runpp(net)
    above = mv_oberrhein()
    above.load["scaling"] = above.sgen["scaling"] = 0.0
    below = copy.deepcopy(low)
    for half in (above, below):
        repair_net(half)
    below.load[["p_mw", "q_mvar"]] = 0.002, 0.0
    for station, row in schutterwald.stations.iterrows():
        flow = net.res_trafo.loc[row.trafo]
        pp.create_load(above, int(station), flow.p_hv_mw, flow.q_hv_mvar)
        upper = below.trafo.set_index("name").hv_bus[f"T_idx_{station}"]
        below.ext_grid.loc[below.ext_grid.bus == upper, "vm_pu"] = net.res_bus.vm_pu[row.hv_bus]
    tight_runpp(above)
    tight_runpp(below)
    mv_buses = net.bus.index[net.bus.vn_kv == 20.0]
    np.testing.assert_allclose(net.res_bus.vm_pu[mv_buses], above.res_bus.vm_pu[mv_buses], rtol=0, atol=1e-9)
    of_load = below.load.set_index("name").bus[schutterwald.homes.index]
    # 1e-6: lines to other stations that are open at one end are not in the region, nor is their charging
    at_homes = net.res_bus.vm_pu[schutterwald.homes.bus].to_numpy()
    np.testing.assert_allclose(at_homes, below.res_bus.vm_pu[of_load].to_numpy(), rtol=0, atol=1e-6)
    assert at_homes.min() < net.res_bus.vm_pu[118] - 1e-3  # not merely the same everywhere


def test_the_rest_of_the_load_is_there_on_request(schutterwald: Region) -> None:
    above = mv_oberrhein()
    below_head = above.load[above.load.bus.isin(schutterwald.feeder.net.bus.index)]
    others = below_head[~below_head.bus.isin([118, 80])]
    expected_kw = (others.p_mw * others.scaling).sum() * 1e3
    busy = schutterwald_region(("118", "80"), rest_of_mv_load=True)
    assert busy.feeder.background_p_kw.sum() == pytest.approx(expected_kw, rel=1e-12)
    assert expected_kw > 15e3
    assert schutterwald.feeder.background_p_kw.sum() == 0.0
    assert busy.homes.equals(schutterwald.homes[schutterwald.homes.station != "77"])  # the same homes in any set


def test_the_library_has_the_region_for_the_minute_loop(schutterwald: Region) -> None:
    feeder = load_feeder("schutterwald-region")
    assert sorted(feeder.connection_buses) == sorted(schutterwald.homes.bus)
    assert feeder.background_p_kw.tolist() == [0.0] * 699
    again = region_from_net(feeder)
    pd.testing.assert_frame_equal(again.homes, schutterwald.homes)
    pd.testing.assert_frame_equal(again.stations, schutterwald.stations)


def test_homes_have_places_on_the_map(schutterwald: Region) -> None:
    assert schutterwald.homes.lon.between(7.85, 7.92).all()  # Schutterwald is at 7.88 E, 48.46 N
    assert schutterwald.homes.lat.between(48.44, 48.48).all()


def test_a_net_of_ones_own() -> None:
    net = two_stations()
    net.load.loc[0, "const_z_p_percent"] = 100.0
    region = region_from_net(net, name="mine")
    assert not region.feeder.voltage_dependent.any()
    assert region.homes.station.to_dict() == {"anna": "north", "twin 1": "north", "twin 2": "south"}
    assert region.stations.trafo.to_dict() == {"north": 1, "south": 2}
    assert (region.head_trafo, region.homes.lon.isna().all()) == (0, True)
    assert region.feeder.background_p_kw.sum() == 0.0
    assert region.feeder.connection_buses.tolist() == [4, 7]
    busy = region_from_net(net, rest_of_mv_load=True)
    assert busy.feeder.background_p_kw[busy.feeder.buses == 2] == 500.0  # the factory, and no PV at 7
    assert busy.feeder.background_p_kw.sum() == 500.0
    assert net.load.p_mw.tolist() == [0.003, 0.003, 0.003, 0.5]  # the user's net is left alone
    south = region_from_net(net, stations=["south"], rest_of_mv_load=True)
    assert south.homes.index.tolist() == ["twin"]
    assert south.feeder.background_p_kw.sum() == 506.0  # the others' homes are of the rest


def test_the_only_station_is_its_own_head() -> None:
    region = region_from_net(load_feeder("kerber-landnetz-kabel-1"))
    assert (len(region.homes), len(region.stations)) == (8, 1)
    assert region.head_trafo == region.stations.trafo.iloc[0]


def test_transformers_side_by_side_are_one_head() -> None:
    net = two_stations()
    pp.create_transformer(net, 0, 5, std_type="25 MVA 110/20 kV")
    region = region_from_net(net)
    assert (region.head_trafo, region.head_trafos) == (0, [0, 3])
    net.trafo.loc[3, "in_service"] = False
    assert region_from_net(net).head_trafos == [0]


@pytest.mark.slow
def test_a_simbench_grid() -> None:
    pytest.importorskip("simbench")
    for code, n_heads in (("1-LV-rural1--0-sw", 1), ("1-MVLV-rural-1.108-0-sw", 2)):  # two 25 MVA side by side
        rural = region_from_net(load_feeder(code))
        assert (len(rural.homes), len(rural.stations)) == (13, 1)  # Meinecke et al., Energies 13(12), 2020
        assert len(rural.head_trafos) == n_heads


def _without_home(net: pandapowerNet) -> None:
    net.load.loc[2, "in_service"] = False


def _home_without_station(net: pandapowerNet) -> None:
    pp.create_bus(net, vn_kv=0.4, index=8)
    pp.create_ext_grid(net, 8)
    pp.create_load(net, 8, 0.001, name="hermit")


def _dead_station(net: pandapowerNet) -> None:
    net.bus.loc[6, "in_service"] = False


def _meshed_stations(net: pandapowerNet) -> None:
    pp.create_line(net, 4, 7, 0.1, "NAYY 4x150 SE")


def _two_heads(net: pandapowerNet) -> None:
    pp.create_bus(net, vn_kv=110.0, index=8)
    pp.create_ext_grid(net, 8)
    pp.create_transformer(net, 8, 5, std_type="25 MVA 110/20 kV")


def _station_elsewhere(net: pandapowerNet) -> None:
    net.line.loc[1, "in_service"] = False
    pp.create_ext_grid(net, 5)


WRONG = {
    "station without homes": (_without_home, {}, r"stations\.south: 'no homes'"),
    "home without station": (_home_without_station, {}, r"homes\.hermit\.bus: 8"),
    "two stations on one low-voltage net": (_meshed_stations, {}, "alone feeds its low-voltage net"),
    "station at a dead bus": (_dead_station, {}, r"stations\.2: 'south'"),
    "two heads": (_two_heads, {}, r"head_trafo: \[0, 3\].*name it as head_trafo"),
    "no head above all": (_station_elsewhere, {}, r"stations\.south\.hv_bus: 5"),
    "unknown station": (lambda net: None, {"stations": ["nort"]}, "nearest: north"),
    "no station": (lambda net: None, {"stations": []}, "at least one transformer"),
    "station twice": (lambda net: None, {"stations": ["north", "north"]}, "each once"),
    "home elsewhere": (lambda net: None, {"head_trafo": "north"}, r"stations\.north\.hv_bus: 2"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_region_is_refused(case: str) -> None:
    spoil, options, message = WRONG[case]
    net = two_stations()
    spoil(net)
    with pytest.raises((InputError, InputErrors), match=message):
        region_from_net(net, **options)


def _halves() -> Iterator[pandapowerNet]:
    """Medium voltage of `two_stations` alone, and its stations alone, each with an external grid of its own."""
    net = two_stations()
    pp.create_load(net, 5, 0.3, name="stands for the south")
    pp.toolbox.drop_trafos(net, [1, 2])
    pp.toolbox.drop_buses(net, [3, 4, 6, 7])
    yield net
    low = two_stations()
    pp.toolbox.drop_trafos(low, [0])
    pp.toolbox.drop_buses(low, [0, 1])
    pp.create_ext_grid(low, 2)
    yield low


def test_two_halves_joined_flow_like_the_whole() -> None:
    mv, lv = _halves()
    joined = join_stations(mv, lv, {"N": ("north", 2), "S": ("south", 5)})
    whole = region_from_net(two_stations())
    assert joined.homes.station.tolist() == ["N", "N", "S"]
    assert joined.homes.bus.tolist() == [10004, 10004, 10007]
    assert joined.feeder.background_p_kw.sum() == 0.0
    flows = []
    for region in (joined, whole):
        net = copy.deepcopy(region.feeder.net)
        pp.create_loads(net, region.homes.bus, p_mw=[0.01, 0.02, -0.03], q_mvar=0.002)
        tight_runpp(net)
        flows.append(net.res_bus.vm_pu[region.homes.bus].to_numpy())
    np.testing.assert_allclose(flows[0], flows[1], rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("stations", "message"),
    [
        ({}, "at least one station"),
        ({"N": ("nrth", 2)}, "nearest: north"),
        ({"N": ("north", 3)}, "bus 3|bus: 3"),
        ({"N": ("north", 2), "S": ("north", 5)}, r"stations\.S\.trafo"),
        ({"N": ("north", 2), "S": ("south", 2)}, r"stations\.S\.bus"),
    ],
)
def test_stations_that_cannot_be_joined(stations: dict[str, tuple[int | str, int | str]], message: str) -> None:
    mv, lv = _halves()
    with pytest.raises((InputError, InputErrors), match=message):
        join_stations(mv, lv, stations)


def test_stations_of_separate_nets_are_not_joined(low: pandapowerNet) -> None:
    ends = {"118": ("T_idx_118", 118), "far": ("T_idx_80", 0)}  # bus 0 hangs on the other substation
    with pytest.raises(InputError, match=r"stations\.far\.bus: 0 .* one net with that of station 118"):
        join_stations(mv_oberrhein(), low, ends)


@pytest.mark.parametrize("stations", [("118", "ZUSATZ"), ("8O",), ("118", "118"), ()])
def test_stations_that_schutterwald_has_not(stations: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match=r"nearest: |every station once|at least one"):
        schutterwald_region(stations)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:tap_dependency_table is missing")
@pytest.mark.parametrize(
    ("ours", "theirs"), [(lv_schutterwald, pn.lv_schutterwald), (mv_oberrhein, pn.mv_oberrhein)], ids=("low", "medium")
)
def test_shipped_files_are_what_pandapower_loads(
    ours: Callable[[], pandapowerNet], theirs: Callable[[], pandapowerNet]
) -> None:
    found, expected = ours(), theirs()
    assert found.name == expected.name
    for table in ("bus", "line", "trafo", "load", "sgen", "switch", "ext_grid"):
        pd.testing.assert_frame_equal(found[table], expected[table])
