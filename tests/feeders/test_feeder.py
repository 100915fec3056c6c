"""The feeder: checks at the door, names, limits, ratings, electrical distance."""

from __future__ import annotations

import copy

import numpy as np
import pandapower as pp
import pandas as pd
import pytest

from feeders.errors import InputError, InputErrors
from feeders.feeder import Feeder
from feeders.library import load_feeder
from tests.feeders.feeder_cases import CASES, low_voltage_net


def set_value(table, row, column, value):
    def spoil(net):
        net[table][column] = net[table][column].astype(object)
        net[table].loc[row, column] = value

    return spoil


def duplicate_bus(net):
    net.bus = pd.concat([net.bus, net.bus.iloc[[2]]])


def no_impedance(net):
    net.line.loc[1, ["r_ohm_per_km", "x_ohm_per_km"]] = 0.0


def no_branch(net):
    net.line["in_service"] = net.trafo["in_service"] = False


def no_bus(net):
    net.bus = net.bus.iloc[:0]


SPOILT = {
    r"net\.ext_grid: in_service": set_value("ext_grid", 0, "in_service", False),
    r"net\.ext_grid: in_service: '1 rows'": set_value("bus", 0, "in_service", False),
    r"net\.bus: index: 2 ": duplicate_bus,
    r"net: bus: 'empty table'": no_bus,
    r"net: bus: 'only external grids'": no_branch,
    r"net\.load: p_mw\[1\]: nan": set_value("load", 1, "p_mw", np.nan),
    r"net\.load: q_mvar\[2\]: inf": set_value("load", 2, "q_mvar", np.inf),
    r"net\.sgen: scaling\[0\]: nan": set_value("sgen", 0, "scaling", np.nan),
    r"net\.storage: p_mw\[0\]: 'much'": set_value("storage", 0, "p_mw", "much"),
    r"net\.load: bus\[3\]: 77": set_value("load", 3, "bus", 77),
    r"net\.line: to_bus\[0\]: 77": set_value("line", 0, "to_bus", 77),
    r"net\.line: length_km\[2\]: 0\.0": set_value("line", 2, "length_km", 0.0),
    r"net\.line: length_km\[2\]: -1": set_value("line", 2, "length_km", -1.0),
    r"net\.line: x_ohm_per_km\[1\]: 0\.0.*bus-bus switch": no_impedance,
    r"net\.line: r_ohm_per_km\[1\]: -0\.1": set_value("line", 1, "r_ohm_per_km", -0.1),
    r"net\.line: to_bus\[0\]: 2 .*same vn_kv": set_value("bus", 2, "vn_kv", 20.0),
    r"net\.trafo: vkr_percent\[0\]: 6": set_value("trafo", 0, "vkr_percent", 6.0),
    r"net\.bus: vn_kv\[4\]: -0\.4": set_value("bus", 4, "vn_kv", -0.4),
}


@pytest.mark.parametrize("message", SPOILT)
def test_spoilt_nets_are_refused_with_table_row_and_value(message):
    net = low_voltage_net()
    SPOILT[message](net)
    with pytest.raises((InputError, InputErrors), match=message):
        Feeder(net)


def test_numbers_stored_as_objects_are_numbers():
    net = low_voltage_net()
    set_value("load", 1, "p_mw", 0.02)(net)
    set_value("bus", 4, "vn_kv", 0.4)(net)
    feeder = Feeder(net)
    assert feeder.notes == [
        "load.p_mw: its numbers were stored as objects; now as floats",
        "bus.vn_kv: its numbers were stored as objects; now as floats",
    ]
    np.testing.assert_array_equal(feeder.background_p_kw, Feeder(low_voltage_net()).background_p_kw)


def test_all_faults_are_listed_at_once():
    net = low_voltage_net()
    net.load["p_mw"] = np.nan
    net.line.loc[0, "length_km"] = 0.0
    with pytest.raises(InputErrors) as caught:
        Feeder(net)
    assert len(caught.value.errors) == 5
    with pytest.raises(InputError, match="a pandapowerNet"):
        Feeder({"bus": []})


def test_the_users_net_is_left_alone():
    net = low_voltage_net()
    before = copy.deepcopy(net)
    feeder = Feeder(net)
    assert pp.toolbox.nets_equal(net, before)
    feeder.net.load["p_mw"] = 0.0
    assert pp.toolbox.nets_equal(net, before)


def test_buses_are_found_by_index_and_name():
    feeder = Feeder(CASES["re-indexed buses"]())
    np.testing.assert_array_equal(feeder.buses, [100, 93, 86, 79, 72, 65])
    np.testing.assert_array_equal(feeder.bus_positions([65, "grid", "79", np.int64(93)]), [5, 0, 3, 1])
    assert feeder.bus_by_name("b2") == 65
    for unknown, nearest in ((66, "65"), ("b3", "b2"), ("gird", "grid"), (True, "grid"), (-1, "100")):
        with pytest.raises(InputError, match=rf"bus: .*nearest: .*{nearest}"):
            feeder.bus_positions([100, unknown])


def test_a_name_of_several_buses_is_ambiguous():
    net = low_voltage_net()
    net.bus["name"] = ["x", "x", None, "3", np.nan, "y"]
    feeder = Feeder(net)
    assert feeder.bus_by_name("3") == 3
    assert feeder.bus_by_name("4") == 4
    with pytest.raises(InputError, match=r"by index: \[0, 1\]"):
        feeder.bus_by_name("x")


def test_connection_buses():
    net = low_voltage_net()
    np.testing.assert_array_equal(Feeder(net).connection_buses, [2, 3, 4, 5])
    pp.create_load(net, 0, p_mw=0.1)  # medium voltage
    net.load.loc[0, "in_service"] = False
    np.testing.assert_array_equal(Feeder(net).connection_buses, [3, 4, 5])
    np.testing.assert_array_equal(Feeder(net, connection_buses=["b1", 2]).connection_buses, [4, 2])
    np.testing.assert_array_equal(load_feeder("four-bus").connection_buses, [2, 3, 4])
    for wrong, message in (([4, 4], "every bus once"), ([9], "nearest"), (["b1", 4], "every bus once")):
        with pytest.raises(InputError, match=message):
            Feeder(net, connection_buses=wrong)
    with pytest.raises(InputError, match=r"connection_buses: \[7\]"):
        Feeder(CASES["isolated buses"](), connection_buses=[3, 7])


def test_limits_come_from_the_net_or_the_standard_or_the_caller():
    net = low_voltage_net()
    net.bus["max_vm_pu"] = [1.05, np.nan, 1.06, 1.0, 1.0, 1.0]
    assert "min_vm_pu" not in net.bus
    feeder = Feeder(net)
    np.testing.assert_array_equal(feeder.vm_max_pu, [1.05, 1.1, 1.06, 1.0, 1.0, 1.0])
    np.testing.assert_array_equal(feeder.vm_min_pu, np.full(6, 0.9))  # EN 50160
    np.testing.assert_array_equal(Feeder(net, vm_min_pu=0.94).vm_min_pu, np.full(6, 0.94))
    for limits in ({"vm_min_pu": 1.2}, {"vm_max_pu": float("nan")}, {"vm_min_pu": 0.0}):
        with pytest.raises(InputError, match="voltage limits of bus"):
            Feeder(net, **limits)


def test_ratings():
    net = low_voltage_net()
    net.line["max_i_ka"], net.line["df"] = [0.2, 0.3, 99999.0, np.nan], 0.5
    net.line.loc[1, "parallel"] = 2
    net.trafo["parallel"] = 2
    feeder = Feeder(net)
    expected = pd.Series([0.1, 0.3, np.nan, np.nan], name="line_rating_ka")  # 99999 stands for unknown
    pd.testing.assert_series_equal(feeder.line_rating_ka, expected, check_index_type=False)
    assert feeder.trafo_rating_kva.to_dict() == {0: 800.0}


def test_background_is_what_the_nets_own_elements_consume():
    net = CASES["isolated buses"]()
    net.load.loc[0, "scaling"], net.load.loc[1, "in_service"], net.sgen["scaling"] = 0.5, False, 2.0
    feeder = Feeder(net)
    # by hand from low_voltage_net: load 20 kW + j5 kvar at 2 (half), 3 (off), 4, 5; storage 4 kW at 3; two times the
    # generator of 15 kW + j2 kvar at 5; the load at the isolated bus 7 gets nothing
    np.testing.assert_allclose(feeder.background_p_kw, [0, 0, 10, 4, 20, -10, 0, 0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(feeder.background_q_kvar, [0, 0, 2.5, 0, 5, 1, 0, 0], rtol=0, atol=1e-12)


def test_electrical_distance_of_a_radial_feeder_is_its_path():
    distance = load_feeder("four-bus").electrical_distance
    # sums of Table VI's impedances
    np.testing.assert_allclose(distance.r_ohm, np.cumsum([0, 0.0922, 0.1844, 0.3660]), rtol=1e-12, atol=0)
    np.testing.assert_allclose(distance.x_ohm, np.cumsum([0, 0.0470, 0.0940, 0.1864]), rtol=1e-12, atol=0)
    np.testing.assert_allclose(distance.z_ohm, np.hypot(distance.r_ohm, distance.x_ohm), rtol=1e-12)
    assert distance.index.tolist() == [1, 2, 3, 4]


def test_electrical_distance_is_at_the_buses_own_voltage():
    """20 kV, 1 km of 0.4 + j0.3 ohm/km; transformer of 0.4 MVA, vk 4 %, vkr 1 %; 0.4 kV, 0.1 km of 0.2 + j0.1 ohm/km.

    At 0.4 kV: line (0.4 + j0.3) (0.4/20)^2; transformer 0.4^2/0.4 = 0.4 ohm times 0.01 + j sqrt(0.04^2 - 0.01^2).
    """
    net = pp.create_empty_network()
    for vn_kv in (20.0, 20.0, 0.4, 0.4):
        pp.create_bus(net, vn_kv=vn_kv)
    pp.create_bus(net, vn_kv=0.4)  # isolated
    pp.create_ext_grid(net, 0)
    pp.create_line_from_parameters(net, 0, 1, 1.0, 0.4, 0.3, c_nf_per_km=0, max_i_ka=1)
    pp.create_transformer_from_parameters(
        net, 1, 2, sn_mva=0.4, vn_hv_kv=20, vn_lv_kv=0.4, vk_percent=4, vkr_percent=1, pfe_kw=0, i0_percent=0
    )
    pp.create_line_from_parameters(net, 2, 3, 0.1, 0.2, 0.1, c_nf_per_km=0, max_i_ka=1)
    z_lv = (0.4 + 0.3j) * (0.4 / 20) ** 2 + 0.4 * (0.01 + 1j * np.sqrt(0.04**2 - 0.01**2))
    expected = np.array([0, 0.4 + 0.3j, z_lv, z_lv + 0.02 + 0.01j])
    distance = Feeder(net).electrical_distance
    np.testing.assert_allclose(distance.r_ohm[:4] + 1j * distance.x_ohm[:4], expected, rtol=1e-9)
    assert distance.iloc[4].isna().all()


def test_electrical_distance_of_a_ring_is_two_paths_in_parallel():
    net = pp.create_empty_network()
    pp.create_buses(net, 3, vn_kv=0.4)
    pp.create_ext_grid(net, 0)
    for start, end in ((0, 1), (1, 2), (2, 0)):
        pp.create_line_from_parameters(net, start, end, 1.0, 0.3, 0.1, c_nf_per_km=0, max_i_ka=1)
    feeder = Feeder(net)
    z = 0.3 + 0.1j
    np.testing.assert_allclose(feeder.electrical_distance.z_ohm, [0, abs(z * 2 / 3), abs(z * 2 / 3)], rtol=1e-12)
    assert not feeder.is_radial


def test_is_radial():
    for case in ("radial", "ring opened by a line switch", "parallel lines", "isolated buses"):
        assert Feeder(CASES[case]()).is_radial, case
    # a bypassed line is a loop, and so is a second way to an external grid
    for case in ("meshed", "line bypassed by a switch", "several external grids"):
        assert not Feeder(CASES[case]()).is_radial, case
