"""A feeder as trees: its equations swept by hand give the engine's voltages, and limits mean the same."""

from __future__ import annotations

import functools

import numpy as np
import pandapower as pp
import pytest

from feeders.engines import make_engine
from feeders.errors import EngineRefusalError, InputError
from feeders.feeder import Feeder
from feeders.flows import power_flows
from feeders.library import FEEDERS, load_feeder
from feeders.radial import radial_grid
from tests.feeders.feeder_cases import low_voltage_net


def sweep(grid, p_kw, q_kvar):
    """Voltages u and branch currents I' of a tree by forward and backward sweeps, complex, shape (n,) each."""
    p, q = grid.per_row(p_kw / grid.base_kva), grid.per_row(q_kvar / grid.base_kva)
    z, y = grid.r_pu + 1j * grid.x_pu, grid.g_pu + 1j * grid.b_pu
    u = np.where(np.isnan(grid.u_root_pu), 1.0, grid.u_root_pu).astype(complex)
    for _ in range(200):
        current = np.conj((p + 1j * q) / u) + y * u
        for i in range(len(grid) - 1, -1, -1):
            if grid.parent[i] >= 0:
                current[grid.parent[i]] += current[i]
        before = u.copy()
        for i in range(len(grid)):
            if grid.parent[i] >= 0:
                u[i] = u[grid.parent[i]] - z[i] * current[i]
        if np.abs(u - before).max() < 1e-13:
            break
    return u, current


def compare(feeder, scale=1.0, atol=1e-9):
    """Sweep and engine at scaled background loads; returns the grid, the sweep's and the engine's flows."""
    grid, engine = radial_grid(feeder), make_engine(feeder)
    p_kw, q_kvar = scale * feeder.background_p_kw, scale * feeder.background_q_kvar
    u, current = sweep(grid, p_kw, q_kvar)
    flows = power_flows(engine, p_kw[None], q_kvar[None])
    alive = grid.row_of_bus >= 0
    assert (alive == feeder.energised).all()
    vm_pu = np.abs(u * grid.scale)[grid.row_of_bus[alive]]
    np.testing.assert_allclose(vm_pu, flows.vm_pu[0, alive], rtol=0, atol=atol)
    return grid, u, current, flows


@functools.cache
def cached(name):
    return load_feeder(name)


@pytest.mark.parametrize("name", FEEDERS)
def test_sweep_of_the_tree_is_the_power_flow(name):
    feeder = cached(name)
    grid, _, _, _ = compare(feeder)
    parents = grid.parent
    assert (parents < np.arange(len(grid))).all()  # parents before children
    assert (np.isnan(grid.u_root_pu) == (parents >= 0)).all()


@pytest.mark.parametrize("name", ["cigre-lv", "ieee123", "mv-oberrhein"])
def test_ratings_in_the_tree_are_those_of_the_feeder(name):
    """|I'| / i_max is a line's loading without what its own charging takes, |u I'| / s_max a transformer's."""
    grid, u, current, flows = compare(cached(name))
    line = np.flatnonzero((grid.line >= 0) & np.isfinite(grid.i_max_pu))
    loading = np.abs(current[line]) / grid.i_max_pu[line]
    np.testing.assert_allclose(loading, flows.line_loading[0, grid.line[line]], rtol=0, atol=0.02)
    trafo = np.flatnonzero(grid.trafo >= 0)
    sending = np.abs(u[grid.parent[trafo]] * current[trafo]) / grid.s_max_pu[trafo]
    np.testing.assert_allclose(sending, flows.trafo_loading[0, grid.trafo[trafo]], rtol=0.02, atol=2e-3)


def test_limits_of_voltage_are_those_of_the_buses():
    feeder = cached("ieee123")
    grid = radial_grid(feeder)
    rows = grid.row_of_bus
    held = np.isnan(grid.u_root_pu)[rows]
    np.testing.assert_allclose((grid.u_max_pu * grid.scale)[rows[held]], feeder.vm_max_pu[held])
    np.testing.assert_allclose((grid.u_min_pu * grid.scale)[rows[held]], feeder.vm_min_pu[held])
    assert grid.u_max_pu[rows[~held]].tolist() == [np.inf]  # the source's own voltage is given, not limited
    behind = rows[feeder.bus_positions(["10", "83", "25"])]
    ratios = [1 - 1 * 0.00625, 1 + 5 * 0.00625, 1.0]  # behind regulators 2 and 4, and only the one at the head
    np.testing.assert_allclose(grid.scale[behind], ratios, rtol=1e-12)


@pytest.mark.parametrize("position", [-4, 7])
@pytest.mark.parametrize("upside_down", [False, True])
def test_ratio_either_way(position, upside_down):
    """A transformer away from its nominal ratio, its source on the upper or on the lower side."""
    net = low_voltage_net()
    net.trafo["tap_changer_type"], net.trafo["tap_pos"] = "Ratio", position
    net.trafo["tap_min"], net.trafo["tap_max"] = -9, 9
    net.line["c_nf_per_km"] = 1e5  # so that shunts are felt through the ratio too
    if upside_down:
        net.ext_grid["bus"] = 5
        pp.create_load(net, 0, p_mw=0.03, q_mvar=0.01)
    feeder = Feeder(net)
    grid, *_ = compare(feeder)
    assert np.unique(grid.scale.round(6)).size == 2


@pytest.mark.parametrize("second_km", [0.15, 0.45])
def test_parallel_lines_and_the_rating_of_the_first_that_is_full(second_km):
    net = low_voltage_net()
    pp.create_line(net, 3, 2, length_km=second_km, std_type="NAYY 4x150 SE")  # the other way round beside 2-3
    net.line["c_nf_per_km"] = 0.0
    feeder = Feeder(net)
    grid, _, current, flows = compare(feeder)
    row = grid.row_of_bus[3]
    loading = np.abs(current[row]) / grid.i_max_pu[row]
    assert loading == pytest.approx(max(flows.line_loading[0, 1], flows.line_loading[0, 4]), rel=1e-9)
    # impedances in proportion to length: the shorter one carries more, and is full first
    assert flows.line_loading[0, 1] == pytest.approx(second_km / 0.15 * flows.line_loading[0, 4], rel=1e-9)


def test_parallel_transformers_at_different_taps_are_refused():
    net = low_voltage_net()
    pp.create_transformer(net, 0, 1, std_type="0.4 MVA 20/0.4 kV", tap_pos=2)
    net.trafo["tap_changer_type"] = "Ratio"
    with pytest.raises(EngineRefusalError, match="parallel branches to busbar differ in their ratio"):
        radial_grid(Feeder(net))
    net.trafo["tap_pos"] = 2
    compare(Feeder(net))


def test_meshed_feeder_is_refused_with_its_loop():
    net = low_voltage_net()
    pp.create_line(net, 3, 5, length_km=0.1, std_type="NAYY 4x150 SE")
    with pytest.raises(InputError, match="a radial feeder; this one has the loop") as caught:
        radial_grid(Feeder(net))
    loop = str(caught.value).rpartition("has the loop ")[2].split(" - ")
    assert sorted(loop) == ["a1", "a2", "b1", "b2", "busbar"]
    ways = {frozenset(pair) for pair in zip(loop, loop[1:] + loop[:1], strict=True)}
    edges = [("busbar", "a1"), ("a1", "a2"), ("a2", "b2"), ("b2", "b1"), ("b1", "busbar")]
    assert ways == {frozenset(edge) for edge in edges}


def test_connection_between_two_sources_is_a_loop():
    net = low_voltage_net()
    pp.create_ext_grid(net, 5, vm_pu=1.0)
    with pytest.raises(InputError, match="source"):
        radial_grid(Feeder(net))


def test_powers_of_buses_that_share_a_node_add_up():
    net = low_voltage_net()
    bus = pp.create_bus(net, vn_kv=0.4, name="beside a2")
    pp.create_switch(net, 3, bus, et="b", closed=True)
    dead = pp.create_bus(net, vn_kv=0.4, name="dead")
    grid = radial_grid(Feeder(net))
    per_bus = np.arange(16.0).reshape(2, 8)
    per_row = grid.per_row(per_bus)
    assert per_row.shape == (2, len(grid))
    assert per_row[:, grid.row_of_bus[3]].tolist() == [3 + 6, 11 + 14]
    assert grid.row_of_bus[dead] == -1
    assert per_row.sum() == per_bus.sum() - per_bus[:, dead].sum()


def test_voltage_dependent_loads_are_refused():
    net = low_voltage_net()
    net.load["const_z_p_percent"] = 50.0
    net.load["const_z_percent"] = 50.0
    with pytest.raises(EngineRefusalError, match="no program"):
        radial_grid(Feeder(net))
