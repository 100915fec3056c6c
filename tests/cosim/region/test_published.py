"""Branch limits of a net, and the published way to dispatch storage over it: pandapower's DC optimal power flow."""

from __future__ import annotations

import numpy as np
import pandapower as pp
import pytest
from pandapower.auxiliary import pandapowerNet

from agents.prosumer.behind_meter import BehindMeter
from agents.prosumer.self_consumption import Asked, Step, Stores, net_and_room, serve_step
from agents.prosumer.virtual_prices import solve_step, virtual_cost
from cosim.region import branch_limits, published_reference
from feeders.errors import InputError
from feeders.region import Region, region_from_net, schutterwald_region
from tests.agents.storage_cases import KINDS, some_assets, some_step

N = 6


def six_homes(line_ka: float = 0.27) -> pandapowerNet:
    """20 kV, a station of 250 kVA, and two branches of three homes each, one behind the other."""
    net = pp.create_empty_network(name="six homes")
    grid, mv, far, lv = (pp.create_bus(net, kv) for kv in (110.0, 20.0, 20.0, 0.4))
    pp.create_ext_grid(net, grid)
    pp.create_transformer(net, grid, mv, "25 MVA 110/20 kV", name="head")
    pp.create_line(net, mv, far, 1.0, "NA2XS2Y 1x185 RM/25 12/20 kV")
    pp.create_transformer(net, far, lv, "0.25 MVA 20/0.4 kV", name="station")
    for branch in range(2):
        before = lv
        for place in range(3):
            bus = pp.create_bus(net, 0.4)
            pp.create_line(net, before, bus, 0.05, "NAYY 4x150 SE", max_i_ka=line_ka)
            pp.create_load(net, bus, 0.0, name=f"home-{3 * branch + place}")
            before = bus
    net.line.loc[net.line.index[1:], "max_i_ka"] = line_ka
    return net


def region() -> Region:
    return region_from_net(six_homes())


@pytest.fixture(scope="module")
def place() -> Region:
    return region()


def test_limits_are_the_ratings_of_what_lies_above_homes(place: Region) -> None:
    """Lines of 400 V and 270 A, a station of 250 kVA; the head and the line on 20 kV have more, for the same homes."""
    limits = branch_limits(place, loading_max=0.5, power_factor=0.9)
    found = {
        name: (members.nonzero()[0].tolist(), rating)
        for name, members, rating in zip(limits.names, limits.members, limits.p_max_kw, strict=True)
    }
    line_kw = 0.45 * 3**0.5 * 0.4 * 270.0
    expected = {f"line {1 + row}": ([*range(row, 3 if row < 3 else 6)], pytest.approx(line_kw)) for row in range(6)}
    assert found == expected | {"trafo 1": ([*range(6)], pytest.approx(0.45 * 250.0))}


def test_a_branch_with_other_loads_behind_it_has_no_limit_of_homes() -> None:
    with_others = region()
    pp.create_load(with_others.feeder.net, int(with_others.homes["bus"].iloc[1]), 0.01)
    assert branch_limits(with_others).names == ["line 3", "line 4", "line 5", "line 6"]


def test_a_mesh_has_no_branches_behind_which_homes_are() -> None:
    meshed = region()
    ends = [int(meshed.homes["bus"].iloc[row]) for row in (2, 5)]
    pp.create_line(meshed.feeder.net, *ends, 0.05, "NAYY 4x150 SE")
    with pytest.raises(InputError, match=r"net: 'a mesh at buses \[.*; allowed: a radial net"):
        branch_limits(meshed)
    with pytest.raises(InputError, match=r"power_factor: 1.2 is not allowed; allowed: above 0 up to 1"):
        branch_limits(region(), power_factor=1.2)
    pp.create_ext_grid(meshed.feeder.net, ends[0])
    with pytest.raises(InputError, match="ext_grid: 2 is not allowed"):
        branch_limits(meshed)


def same_as_closed_form(place: Region, assets: BehindMeter, step: Step, stores: Stores, asked: Asked) -> None:
    """Cost and totals within what the interior-point method ends with."""
    p_net_kw, room_kw, cop = net_and_room(step, stores, assets, asked.heat_cap)
    p_battery_kw, q_tes_kw = serve_step(step, stores, assets, "region", asked)
    closed = np.stack([p_battery_kw, q_tes_kw / cop])
    published = published_reference(place, p_net_kw, room_kw, asked)
    expected = virtual_cost(p_net_kw, closed, "region", asked)
    assert virtual_cost(p_net_kw, published.p_stores_kw, "region", asked) == pytest.approx(expected, rel=1e-5, abs=1e-3)
    assert published.p_stores_kw.sum(axis=1) == pytest.approx(closed.sum(axis=1), abs=1e-3)
    assert published.p_grid_kw == pytest.approx(p_net_kw.sum() + closed.sum(), abs=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_the_published_optimal_power_flow_serves_the_region(place: Region, kind: str) -> None:
    generator = np.random.default_rng(KINDS.index(kind))
    assets = some_assets(generator, N)
    same_as_closed_form(place, assets, *some_step(generator, assets, kind))


def test_storage_relieves_a_line_as_in_the_published_optimal_power_flow() -> None:
    """The last of three homes draws 20 kW through a line for 13.9 kW; its own battery alone can help, held or not."""
    place = region_from_net(six_homes(line_ka=0.02))
    limits = branch_limits(place)
    assets = BehindMeter(
        list(place.homes.index),
        np.zeros(N, dtype=np.int64),
        np.full(N, 16.0),
        np.full(N, 8.0),
        *np.zeros((3, N)),
    )
    stores = Stores(np.full(N, 8.0), np.zeros(N))
    step = Step(np.array([-8.0, -10.0, 20.0, 0.5, 0.5, 0.5]), np.zeros(N), 3.0)
    line_kw = 3**0.5 * 0.4 * 20.0
    for asked in (Asked(), Asked(hold=True)):
        solved = solve_step(step, stores, assets, "region", asked, limits)
        p_net_kw, room_kw, _ = net_and_room(step, stores, assets)
        published = published_reference(place, p_net_kw, room_kw, asked, loading_max=1.0)
        plan = np.stack([solved.p_battery_kw, np.zeros(N)])
        assert solved.over_kw.max() < 1e-9
        expected = virtual_cost(p_net_kw, published.p_stores_kw, "region", asked)
        assert virtual_cost(p_net_kw, plan, "region", asked) == pytest.approx(expected, rel=1e-5)
        assert solved.p_battery_kw[2] == pytest.approx(line_kw - 20.0)
        assert published.p_stores_kw[0, 2] == pytest.approx(line_kw - 20.0, abs=1e-3)
        free = serve_step(step, stores, assets, "region", asked)[0]
        assert free[2] > line_kw - 20.0 + 1.0  # without the limit others would do part of it


@pytest.mark.slow
def test_the_real_region_is_served_as_by_the_published_optimal_power_flow() -> None:
    place = schutterwald_region()
    generator = np.random.default_rng(1)
    for kind in KINDS:
        assets = some_assets(generator, len(place.homes))
        same_as_closed_form(place, assets, *some_step(generator, assets, kind))
    limits = branch_limits(place)
    row_of = {name: row for row, name in enumerate(limits.names)}
    for number, (station, data) in enumerate(place.stations.iterrows()):
        row = row_of[f"trafo {int(data['trafo'])}"]
        assert limits.p_max_kw[row] == data["rating_kva"], station
        assert np.array_equal(limits.members[row], place.station_of_home == number)
