"""The grid agent: who adds up where, copies that do not know of each other, and the plain load flow."""

from __future__ import annotations

import mesa
import numpy as np
import pandapower as pp
import pandapower.networks as pn
import pytest

from agents.grid import Grid
from feeders import ENGINES, Feeder, load_feeder, make_engine
from feeders.errors import InputError, PowerFlowError
from tests.feeders.feeder_cases import low_voltage_net


@pytest.fixture(scope="module")
def four_bus() -> Feeder:
    return load_feeder("four-bus")


def grid(feeder: Feeder, bus: list[int], copy: list[int] | None = None, n_copies: int = 1) -> Grid:
    return Grid(mesa.Model(rng=1), make_engine(feeder), bus, copy, n_copies)


def test_prosumers_of_a_bus_add_up_and_read_its_voltage(four_bus: Feeder) -> None:
    agent = grid(four_bus, [4, 2, 4, 3, 4])
    p_kw = np.array([1.0, 2.0, -0.25, 0.5, 1.0])
    q_kvar = np.array([0.5, -1.0, 0.25, 0.0, 0.0])
    vm_pu = agent.solve(p_kw, q_kvar)
    assert four_bus.buses.tolist() == [1, 2, 3, 4]
    assert agent.p_kw.tolist() == [[0.0, 2.0, 0.5, 1.75]]  # binary fractions: their sums are exact
    at_buses = make_engine(four_bus).solve([0.0, 2.0, 0.5, 1.75], [0.0, -1.0, 0.0, 0.75])
    assert np.array_equal(agent.vm_pu, [at_buses])
    assert np.array_equal(vm_pu, at_buses[[3, 1, 3, 2, 3]])


def test_signs_at_the_end_of_the_line(four_bus: Feeder) -> None:
    # Consuming lowers the voltage, injecting reactive power raises it.
    agent = grid(four_bus, [4])
    idle, consuming, injecting = (agent.solve(np.array([p]), np.array([q]))[0] for p, q in ((0, 0), (1, 0), (0, 1)))
    assert consuming < idle == 1.0 < injecting


def test_copies_are_separate_feeders(four_bus: Feeder) -> None:
    rng = np.random.default_rng(1)
    bus, copy = [2, 3, 4, 4, 2], [0, 0, 2, 1, 2]
    p_kw, q_kvar = rng.uniform(-2, 2, (2, 5))
    together = grid(four_bus, bus, copy, n_copies=3)
    vm_pu = together.solve(p_kw, q_kvar)
    for number in range(3):
        rows = [row for row in range(5) if copy[row] == number]
        alone = grid(four_bus, [bus[row] for row in rows])
        assert np.array_equal(alone.solve(p_kw[rows], q_kvar[rows]), vm_pu[rows])  # bit for bit
        assert np.array_equal(alone.vm_pu[0], together.vm_pu[number])
        assert np.array_equal(alone.p_kw[0], together.p_kw[number])
    before = together.vm_pu.copy()
    p_kw[3] += 1.0  # of copy 1
    together.solve(p_kw, q_kvar)
    assert (together.vm_pu != before).any(axis=1).tolist() == [False, True, False]


def test_without_prosumers_it_is_the_plain_load_flow() -> None:
    agent = grid(load_feeder("case33bw"), [])
    assert agent.solve(np.zeros(0), np.zeros(0)).shape == (0,)
    net = pn.case33bw()
    pp.runpp(net, lightsim2grid=False, numba=False, tolerance_mva=1e-9)
    assert agent.vm_pu[0] == pytest.approx(net.res_bus.vm_pu.to_numpy(), rel=0, abs=1e-8)  # what engines promise
    assert agent.vm_pu.min() < 0.95


def test_before_the_first_flow_there_is_no_voltage(four_bus: Feeder) -> None:
    assert np.isnan(grid(four_bus, [2], [1], n_copies=2).vm_pu).all()


def test_a_copy_that_fails_is_named_by_its_own_number(four_bus: Feeder) -> None:
    agent = grid(four_bus, [4, 4, 4], [0, 1, 2], n_copies=3)
    draw_kw = np.ones(3)
    agent.solve(draw_kw, np.zeros(3))
    draw_kw[2] = 1e4  # the only flow that is new
    with pytest.raises(PowerFlowError, match="in scenario 2 of the batch; worst bus 4"):
        agent.solve(draw_kw, np.zeros(3))
    draw_kw[1] = 2.0  # one of two
    with pytest.raises(PowerFlowError, match="in scenario 2 of the batch; worst bus 4"):
        agent.solve(draw_kw, np.zeros(3))


def test_a_flow_is_solved_again_when_any_power_of_its_copy_changes(four_bus: Feeder) -> None:
    agent = grid(four_bus, [4, 4], [0, 1], n_copies=2)
    p_kw, q_kvar = np.array([1.0, 2.0]), np.zeros(2)
    first = agent.solve(p_kw, q_kvar)
    assert agent.n_solved == 2
    assert np.array_equal(agent.solve(p_kw, q_kvar), first)
    assert agent.n_solved == 2
    changed = agent.solve(p_kw, np.array([0.0, 0.5]))
    assert agent.n_solved == 3
    assert (changed == first).tolist() == [True, False]
    agent.reuse = False
    agent.solve(p_kw, np.array([0.0, 0.5]))
    assert agent.n_solved == 5


@pytest.mark.parametrize("engine_name", ENGINES)
@pytest.mark.parametrize("n_copies", [1, 2])
def test_a_flow_is_solved_again_when_slack_or_taps_change(n_copies: int, engine_name: str) -> None:
    feeder = Feeder(low_voltage_net())
    agent = Grid(mesa.Model(rng=1), make_engine(feeder, engine_name), [4] * n_copies, range(n_copies), n_copies)
    p_kw, q_kvar = np.full(n_copies, 5.0), np.zeros(n_copies)
    seen = [agent.solve(p_kw, q_kvar)]
    changes = [
        lambda: agent.set_slack_vm_pu(1.0),
        lambda: agent.set_taps({0: 1}),
        lambda: agent.engine.set_taps({0: -1}),  # past the agent
        lambda: agent.engine.set_slack_vm_pu(1.03),
    ]
    for number, change in enumerate(changes, 2):
        change()
        seen.append(agent.solve(p_kw, q_kvar))
        assert np.array_equal(agent.solve(p_kw, q_kvar), seen[-1])
        assert agent.n_solved == number * n_copies
    assert np.diff(np.array(seen)[:, 0]) == pytest.approx([-0.02, -0.025, 0.05, 0.03], abs=0.005)  # taps of 2.5 %
    net = low_voltage_net()
    net.ext_grid["vm_pu"], net.trafo["tap_pos"] = 1.03, -1
    pp.create_load(net, 4, p_mw=0.005)
    pp.runpp(net, lightsim2grid=False, numba=False, tolerance_mva=1e-9)
    assert agent.vm_pu[0] == pytest.approx(net.res_bus.vm_pu.to_numpy(), rel=0, abs=1e-8)
    assert agent.write_results().trafo.tap_pos.tolist() == [-1]


def test_a_refused_change_leaves_the_flow(four_bus: Feeder) -> None:
    agent = grid(four_bus, [4])
    first = agent.solve(np.ones(1), np.zeros(1))
    with pytest.raises(InputError, match="no transformers"):
        agent.set_taps({0: 1})
    with pytest.raises(InputError, match="slack vm_pu: 2"):
        agent.set_slack_vm_pu(2.0)
    assert np.array_equal(agent.solve(np.ones(1), np.zeros(1)), first)
    assert agent.n_solved == 1


def test_a_flow_that_failed_after_a_change_is_tried_again(four_bus: Feeder) -> None:
    agent = grid(four_bus, [4])
    before = agent.solve(np.ones(1), np.zeros(1))
    agent.set_slack_vm_pu(1.05)
    with pytest.raises(PowerFlowError):
        agent.solve(np.array([1e4]), np.zeros(1))
    assert agent.solve(np.ones(1), np.zeros(1)) > before + 0.04
