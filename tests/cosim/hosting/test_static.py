"""Static capacities: by hand on two buses, and proven by pandapower where they are not."""

import numpy as np
import pandapower as pp
import pytest

from agents.prosumer.own_profiles import own_profiles
from cosim.hosting import Definition, Penetration
from cosim.hosting.case import hosting_case
from cosim.hosting.check import static_check
from cosim.hosting.devices import Devices
from cosim.hosting.find import find
from cosim.hosting.level import powers_at_buses
from cosim.hosting.siting import fleet_at
from feeders.errors import InputErrors
from tests.cosim.hosting.small_feeders import R_OHM, VN_KV, X_OHM, line_feeder


def surplus_kw(v_end_pu: float) -> float:
    """Power into a two-bus line at its end, no reactive power, when the end is at this voltage and the source at 1.

    With I = P / V: 1 = |V - (r + jx) P / V|, so (r^2 + x^2) P^2 - 2 r V^2 P + V^4 - V^2 = 0; the smaller root.
    """
    z_base = VN_KV**2  # ohm at 1 MVA
    r, x, v = R_OHM / z_base, X_OHM / z_base, v_end_pu
    roots = np.roots([r * r + x * x, -2 * r * v * v, v**4 - v**2])
    return float(roots.real.min()) * 1e3


@pytest.mark.parametrize("method", ["stepping", "one-shot"])
def test_the_voltage_of_two_buses_by_hand(method: str) -> None:
    case = hosting_case(line_feeder((400.0,)))
    found = find(case, Definition(siting="scaled", most=10.0), "static", method)
    kw = surplus_kw(1.05) + 0.5 * 400  # at noon, where the sun is full and the load at half
    assert found.level == np.floor(kw / 400 * 100) / 100
    assert (found.stop.kind, found.stop.element, found.stop.hour) == ("over-voltage", "node 1", 12)
    assert 0 <= found.margin < 1e-3


def test_the_current_of_two_buses_by_hand() -> None:
    case = hosting_case(line_feeder((400.0,), max_i_ka=0.06))
    found = find(case, Definition(siting="scaled", most=10.0), "static")
    kw = found.kw - 200  # into the line; its voltage by the same equation, read the other way
    v2 = np.roots([1.0, -1.0 - 2 * R_OHM / VN_KV**2 * kw / 1e3, (R_OHM**2 + X_OHM**2) / VN_KV**4 * (kw / 1e3) ** 2])
    amps = [p / (np.sqrt(3) * VN_KV * np.sqrt(v2.real.max())) for p in (kw, kw + 4.0)]
    assert amps[0] <= 60 < amps[1] + 0.02
    assert (found.stop.kind, found.stop.element, found.stop.hour) == ("line", "line 1", 12)


def test_a_capacity_is_what_pandapower_confirms() -> None:
    feeder = line_feeder((150.0, 150.0, 150.0))
    case = hosting_case(feeder)
    asked = Definition(fixed=Penetration(battery=0.2, ev=0.1, hp=0.1), most=10.0)
    found = find(case, asked, "static")
    worst = []
    for level in (found.level, round(found.level + asked.step, 12)):
        fleet = fleet_at(case, asked, level)
        own = own_profiles(fleet, case.inputs, asked.heat_pumps, buses=feeder.buses)
        p_kw, _ = powers_at_buses(case, fleet, own.p_kw, np.zeros_like(own.p_kw))
        net = line_feeder((0.0, 0.0, 0.0)).net
        vm_pu = []
        for step in p_kw:
            net.load.loc[:2, "p_mw"] = step[1:] / 1e3
            pp.runpp(net, lightsim2grid=False, numba=False)
            vm_pu.append(net.res_bus.vm_pu.to_numpy(copy=True))
        worst.append(np.max(vm_pu))
    assert worst[0] <= 1.05 + 1e-6 < worst[1]
    assert found.steps["vm_max_pu"].iloc[-2] == pytest.approx(worst[0], abs=1e-8)


def test_metrics_are_those_of_the_flows() -> None:
    case = hosting_case(line_feeder((400.0,)))
    check = static_check(case, Definition())(fleet_at(case, Definition(), 0.0))
    evening_kw = check.metrics["import_max_kw"]
    r = R_OHM / VN_KV**2
    v_end = check.metrics["vm_min_pu"]
    assert evening_kw == pytest.approx(400 + 1e3 * r * (0.4 / v_end) ** 2, abs=1e-5)  # the load, and r i^2
    assert check.metrics["vm_max_pu"] == 1.0
    assert check.metrics["export_max_kw"] == 0.0
    assert check.margin == pytest.approx(v_end - 0.95)


def test_a_collapse_is_a_stop_of_its_own() -> None:
    case = hosting_case(line_feeder((100.0,)))
    asked = Definition(der="hp", heat_pumps="rated", most=1.0)
    weak = fleet_at(case, asked, 1.0).with_ratings(hp_kw=np.full(1, 1e5))
    check = static_check(case, asked)(weak)
    assert not check.feasible
    assert check.stop is not None
    assert (check.stop.kind, check.stop.element) == ("collapse", "node 1")


def test_heat_pumps_at_their_rating_leave_less_room() -> None:
    case = hosting_case(line_feeder((500.0, 500.0)))
    level = {kind: find(case, Definition(der="hp", heat_pumps=kind), "static").level for kind in ("rated", "set-point")}
    assert level["rated"] < level["set-point"] < 1


def test_what_devices_cannot_have_is_refused_in_one_line_each() -> None:
    late = Devices(ev_leaves_h=(19.5, 19.5), ev_returns_h=(19.0, 19.0), comfort_k=0.1, hp_ramp=0.01)
    case = hosting_case(line_feeder((100.0, 100.0, 100.0)), devices=late)
    with pytest.raises(InputErrors) as refused:
        find(case, Definition(der="ev", fixed=Penetration(hp=0.1)), "static")
    assert len(refused.value.errors) == 2
    target, ramp = sorted(refused.value.lines())
    assert "node 1.ev_soc_target" in target
    assert "kWh are needed a day" in target
    assert "hp_ramp" in ramp
    find(case, Definition(most=0.01), "static")  # nobody has a car or heat pump here: nothing to refuse
