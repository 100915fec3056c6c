"""Coordinated capacities: their order against static ones, by hand where that can be, and what limits them."""

import numpy as np
import pytest

from agents.dso.dispatch import DispatchSettings
from cosim.hosting import Definition, Penetration
from cosim.hosting.capacity import Mode
from cosim.hosting.case import HostingCase, hosting_case
from cosim.hosting.check import dynamic_check
from cosim.hosting.devices import Devices
from cosim.hosting.find import find
from cosim.hosting.siting import fleet_at
from feeders import Feeder
from tests.cosim.hosting.small_feeders import R_OHM, VN_KV, X_OHM, line_feeder

CASE = hosting_case(line_feeder((150.0, 0.0, 300.0)))


def levels(case: HostingCase, asked: Definition, modes: tuple[Mode, ...] = ("static", "dynamic")) -> list[float]:
    """Levels by mode in one shot, -1 where the base case is infeasible."""
    return [float(np.nan_to_num(find(case, asked, mode, "one-shot").level, nan=-1.0)) for mode in modes]


@pytest.mark.parametrize(
    ("der", "fixed"),
    [
        ("pv", Penetration()),
        ("pv", Penetration(battery=0.1, ev=0.1, hp=0.1)),
        ("hp", Penetration(battery=0.1, pv=0.2, ev=0.05)),
        ("ev", Penetration(battery=0.1)),
        ("battery", Penetration(pv=0.3)),
    ],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_coordinated_is_never_less(der: str, fixed: Penetration, seed: int) -> None:
    asked = Definition(der=der, fixed=fixed, seed=seed, step=0.05)
    static, dynamic = levels(CASE, asked)
    assert dynamic >= static >= 0
    if der == "pv":
        assert dynamic > static + 0.3  # reactive power alone is worth that here


def test_without_flexibility_coordination_is_worth_nothing() -> None:
    case = hosting_case(line_feeder((400.0,)), devices=Devices(q_share=0.0))
    static, dynamic = levels(case, Definition(siting="scaled", most=10.0))
    assert static == dynamic > 0


def test_reactive_power_of_two_buses_by_hand() -> None:
    case = hosting_case(line_feeder((400.0,)), devices=Devices(q_share=0.2))
    asked = Definition(siting="scaled", most=10.0)
    found = find(case, asked, "dynamic", "one-shot")
    r, x, v2, net = R_OHM / VN_KV**2, X_OHM / VN_KV**2, 1.05**2, 0.5 * 0.4
    # Exact: V0^2 V^2 = (V^2 - rP + xQ)^2 + (xP + rQ)^2, P fed in and Q taken; PV = p, P = p - net at noon, Q = 0.2 p.
    a, b, c, d = r - 0.2 * x, v2 + r * net, x + 0.2 * r, x * net
    roots = np.roots([a * a + c * c, -2 * (a * b + c * d), b * b + d * d - v2])
    assert found.level == np.floor(roots.real.min() / 0.4 * 100) / 100
    assert (found.stop.kind, found.stop.element, found.stop.hour) == ("over-voltage", "node 1", 12)


def test_storage_never_lowers_the_pv_capacity() -> None:
    case = hosting_case(line_feeder((150.0, 0.0, 300.0)), devices=Devices(q_share=0.0))
    asked = [Definition(fixed=Penetration(battery=share), step=0.05) for share in (0.0, 0.1, 0.4)]
    found = [levels(case, each, ("dynamic",))[0] for each in asked]
    assert found == sorted(found)
    assert found[-1] > found[0] + 0.1


@pytest.mark.parametrize(
    "asked",
    [
        Definition(siting="scaled", fixed=Penetration(battery=0.1, ev=0.1), step=0.2, most=10.0),
        Definition(siting="random-units", fixed=Penetration(battery=0.1), step=0.2, most=10.0),
        Definition(der="hp", siting="scaled", fixed=Penetration(battery=0.1, pv=0.2), step=0.1),
    ],
)
def test_one_shot_and_stepping_agree(asked: Definition) -> None:
    case = hosting_case(line_feeder((150.0, 0.0, 350.0)))
    for mode in ("static", "dynamic"):
        one, stepped = (find(case, asked, mode, of, settings=DispatchSettings()) for of in ("one-shot", "stepping"))
        assert one.level == stepped.level
        assert one.margin == pytest.approx(stepped.margin, abs=1e-6)
        assert one.stop.kind == stepped.stop.kind
        quick = find(case, asked, mode, "one-shot")  # of the first dispatch that is confirmed
        assert (quick.level, quick.stop.kind) == (stepped.level, stepped.stop.kind)
        assert quick.margin >= -1e-6


def test_every_reported_point_is_confirmed_and_the_next_is_not() -> None:
    asked = Definition(fixed=Penetration(battery=0.1, ev=0.1, hp=0.1), most=20.0)
    found = find(CASE, asked, "dynamic", "one-shot")
    check = dynamic_check(CASE, asked)
    assert found.fleet is not None
    again, above = check(found.fleet), check(fleet_at(CASE, asked, found.level + asked.step))
    assert again.feasible
    assert again.margin >= -1e-6
    assert again.curtailed_share <= 1e-9
    assert not above.feasible


def test_curtailment_that_is_allowed_lets_more_in() -> None:
    case = hosting_case(line_feeder((400.0,)), devices=Devices(q_share=0.0))
    none, some = (
        levels(case, Definition(siting="scaled", curtailment=share, most=10.0), ("dynamic",))[0] for share in (0, 0.05)
    )
    assert some > none
    above = find(case, Definition(siting="scaled", curtailment=0.05, most=10.0), "dynamic", "one-shot").stop
    assert above.kind == "curtailment"
    assert above.value > 0.05 == above.allowed
    assert (above.element, above.hour) == ("node 1", 12)


def test_a_base_that_no_coordination_saves_is_an_answer() -> None:
    case = hosting_case(line_feeder((2000.0,)))
    found = find(case, Definition(), "dynamic", "one-shot")
    assert not found.base_feasible
    assert found.stop.kind == "under-voltage"


@pytest.mark.parametrize(
    ("feeder", "asked", "kind", "element"),
    [
        (line_feeder((400.0,), max_i_ka=0.06), Definition(most=10.0), "line", "line 1"),
        (line_feeder((400.0,)), Definition(most=20.0), "over-voltage", "node 1"),
        (line_feeder((1400.0,)), Definition(der="hp"), "under-voltage", "node 1"),
    ],
)
def test_what_limits_is_named(feeder: Feeder, asked: Definition, kind: str, element: str) -> None:
    case = hosting_case(feeder, devices=Devices(q_share=0.0))
    found = find(case, asked, "dynamic", "one-shot")
    assert (found.stop.kind, found.stop.element) == (kind, element)
