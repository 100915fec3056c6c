"""What an operator sees of a feeder, and what each customer does to it, against runpp and differences."""

from __future__ import annotations

import copy

import numpy as np
import pandapower as pp
import pytest

from agents.dso import FeederMonitor, Watch, worst_buses
from feeders.engines import make_engine
from feeders.errors import EngineRefusalError, InputError, InputErrors, PowerFlowError
from feeders.feeder import Feeder
from feeders.library import load_feeder
from tests.feeders.feeder_cases import CASES, low_voltage_net, tight_runpp

T = 5
BUSES = [3, 5, 3, "a1"]  # the first and the third customer share a bus


def named_net():
    net = low_voltage_net()
    net.line["name"], net.trafo["name"] = ["L1", "L2", "L3", "L4"], ["station"]
    net.line["max_i_ka"] = [0.2, 0.2, 0.1, 99999.0]
    return net


FEEDER = Feeder(named_net())
ENGINE = make_engine(FEEDER)
WATCHES = [
    Watch("voltage", "a2", 1.0),
    Watch("voltage-high", 3, 1.01),
    Watch("line", "L1"),
    Watch("line", 3, 0.8, rating=0.15),
    Watch("transformer", "station"),
    Watch("voltage", 5),
]


def plans(seed=0):
    rng = np.random.default_rng(seed)
    p_kw = rng.uniform(-8, 20, (T, 4))
    return p_kw, 0.2 * rng.uniform(-8, 8, (T, 4))


def background(seed=1):
    rng = np.random.default_rng(seed)
    p_kw = rng.uniform(0, 15, (T, FEEDER.n_buses))
    return p_kw, 0.3 * p_kw


def runpp_values(step, p_kw, q_kvar, more):
    """What is watched, from a flow of the net with loads of its own; `more` in place of those that it has."""
    net = named_net()
    if more is not None:
        net.load["in_service"] = net.sgen["in_service"] = net.storage["in_service"] = False
        pp.create_loads(net, net.bus.index, p_mw=more[0][step] / 1e3, q_mvar=more[1][step] / 1e3)
    pp.create_loads(net, [3, 5, 3, 2], p_mw=p_kw[step] / 1e3, q_mvar=-q_kvar[step] / 1e3)
    tight_runpp(net, trafo_loading="power")
    vm_pu, line, trafo = net.res_bus.vm_pu, net.res_line, net.res_trafo
    loading = trafo.loading_percent[0] / 100
    return [vm_pu[3], vm_pu[3], line.i_ka[0] / 0.2, line.i_ka[3] / 0.15, loading, vm_pu[5]]


@pytest.mark.parametrize("more", [None, background()], ids=["own loads", "series in their place"])
def test_it_observes_what_runpp_computes(more):
    monitor = FeederMonitor(ENGINE, BUSES, *(more or (None, None)), WATCHES)
    p_kw, q_kvar = plans()
    observed = monitor.observe(p_kw, q_kvar)
    expected = np.array([runpp_values(step, p_kw, q_kvar, more) for step in range(T)])
    np.testing.assert_allclose(observed.value, expected, rtol=0, atol=1e-7)
    limit, side = np.array([1.0, 1.01, 1.0, 0.8, 1.0, 0.9]), np.array([1, -1, -1, -1, -1, 1])
    np.testing.assert_allclose(observed.headroom_pu, side * (expected - limit), rtol=0, atol=1e-7)
    assert (observed.headroom_pu[:, :4] < 0).any() and (observed.headroom_pu > 0).any()
    np.testing.assert_array_equal(observed.shortfall_pu, np.where(observed.headroom_pu < 0, -observed.headroom_pu, 0))
    assert monitor.names == ["voltage a2", "voltage-high 3", "line L1", "line 3", "transformer station", "voltage 5"]
    vm_pu = monitor.vm_pu(p_kw, q_kvar)
    assert vm_pu.shape == (T, FEEDER.n_buses)
    np.testing.assert_allclose(vm_pu[:, [3, 5]], observed.value[:, [0, 5]], rtol=0, atol=1e-12)


def test_sensitivity_is_the_slope_of_the_headroom():
    """Of a customer's power and the reactive power that comes with it, by differences of fourth order."""
    engine = make_engine(FEEDER)
    monitor = FeederMonitor(engine, BUSES, *background(), WATCHES)
    p_kw, q_kvar = plans()
    q_per_kw = np.array([-0.33, 0.0, 0.2, -0.5])
    for change in (lambda: None, lambda: engine.set_slack_vm_pu(0.95), lambda: engine.set_taps({0: -2})):
        change()
        found = monitor.sensitivity(p_kw, q_kvar, q_per_kw)
        assert found.shape == (T, len(WATCHES), 4)
        for customer in range(4):
            dp = np.zeros_like(p_kw)
            dp[:, customer] = 0.05
            at = {n: monitor.observe(p_kw + n * dp, q_kvar + n * dp * q_per_kw).headroom_pu for n in (-2, -1, 1, 2)}
            expected = (8 * (at[1] - at[-1]) - (at[2] - at[-2])) / (12 * 0.05)
            np.testing.assert_allclose(found[..., customer], expected, rtol=1e-4, atol=1e-7)
        assert (found[:, 0] < 0).any() and (found[:, 1, 0] == -found[:, 0, 0]).all()


def test_on_any_named_feeder_the_worst_buses_are_a_start():
    for name in ("cigre-lv", "case33bw", "parametric-12kv"):
        feeder = load_feeder(name)
        buses = feeder.connection_buses[::3].tolist()
        monitor = FeederMonitor(make_engine(feeder), buses)
        p_kw = np.linspace(0.0, 5.0, 4)[:, np.newaxis] * np.ones(len(buses))
        worst = worst_buses(monitor, p_kw, -0.2 * p_kw, 3)
        lowest = monitor.vm_pu(p_kw, -0.2 * p_kw).min(axis=0) - feeder.vm_min_pu  # also of the source
        rank = sorted(feeder.connection_buses.tolist(), key=lambda bus: lowest[feeder.bus_positions([bus])[0]])
        assert worst == rank[:3]
        watching = monitor.watching([Watch("voltage", bus) for bus in worst])
        assert watching.observe(p_kw, -0.2 * p_kw).headroom_pu.min() == pytest.approx(
            lowest[feeder.bus_positions(worst[:1])[0]], abs=1e-12
        )
        assert monitor.names == [] and monitor.observe(p_kw, p_kw).value.shape == (4, 0)
        assert monitor.sensitivity(p_kw, p_kw, np.zeros(len(buses))).shape == (4, 0, len(buses))
    assert len(worst_buses(monitor, p_kw, p_kw, 1000)) == len(feeder.connection_buses)


def test_a_step_without_power_flow_is_named():
    monitor = FeederMonitor(ENGINE, BUSES, watches=WATCHES)
    p_kw, q_kvar = plans()
    p_kw[3, 1] = 3e3
    for ask in (monitor.observe, monitor.vm_pu, lambda p, q: monitor.sensitivity(p, q, np.zeros(4))):
        with pytest.raises(PowerFlowError, match="in scenario 3 of the batch; worst bus 5") as caught:
            ask(p_kw, q_kvar)
        assert caught.value.scenario == 3


WRONG = {
    r"bus: 'a3' .*nearest: .*a2, a1": Watch("voltage", "a3"),
    r"line: 'L5' .*a line index or name of this net; nearest: L": Watch("line", "L5"),
    r"line: 4 .*nearest": Watch("line", 4),
    r"line: True ": Watch("line", True),
    r"transformer: 'L1' .*nearest: station": Watch("transformer", "L1"),
    r"watch: kind: 'current' .*voltage, voltage-high, line, transformer": Watch("current", 1),
    r"rating of watch 'line L4': nothing given; .*above 0": Watch("line", "L4"),
    r"rating of watch 'line L1': -1": Watch("line", "L1", rating=-1.0),
    r"limit of watch 'voltage a2': 0\.0 ": Watch("voltage", "a2", 0.0),
    r"limit of watch 'transformer 0': inf ": Watch("transformer", 0, float("inf")),
}


@pytest.mark.parametrize("message", WRONG)
def test_what_cannot_be_watched(message):
    with pytest.raises(InputError, match=message):
        FeederMonitor(ENGINE, BUSES, watches=[WATCHES[0], WRONG[message]])


def test_all_wrong_watches_are_named_at_once():
    with pytest.raises(InputErrors) as caught:
        FeederMonitor(ENGINE, BUSES, watches=[Watch("line", "L1"), *WRONG.values()])
    assert len(caught.value.errors) == len(WRONG)


def test_what_is_dead_cannot_be_watched():
    net = CASES["isolated buses"]()
    net.line.loc[3, "in_service"] = False
    engine = make_engine(Feeder(net))
    for watch in (Watch("voltage", 7), Watch("line", 4), Watch("line", 3), Watch("voltage", 5)):
        with pytest.raises(InputError, match=f"element of watch '{watch.name}': .*energised"):
            FeederMonitor(engine, [2], watches=[watch])
    four_bus = make_engine(load_feeder("four-bus"))
    with pytest.raises(InputError, match=r"transformer: 0 .*none: this net has no transformer"):
        FeederMonitor(four_bus, [2], watches=[Watch("transformer", 0)])


def test_arrays_that_do_not_fit():
    p_kw, q_kvar = background()
    monitor = FeederMonitor(ENGINE, BUSES, p_kw, q_kvar, WATCHES)
    for shape in ((T, 3), (4, 4), (4,)):
        with pytest.raises(InputError, match=r"shape of p_kw, q_kvar: .*\(5 steps of the background, 4 customers\)"):
            monitor.observe(np.zeros(shape), np.zeros(shape))
    with pytest.raises(InputError, match=r"steps of background_p_kw, background_q_kvar: \[3, 5\]"):
        FeederMonitor(ENGINE, BUSES, p_kw, q_kvar[:3])
    with pytest.raises(InputError, match=r"shape of p_kw, q_kvar: .*\(T, 4 customers\)"):
        FeederMonitor(ENGINE, BUSES).vm_pu(np.zeros((T, 4)), np.zeros((T, 3)))
    with pytest.raises(InputError, match=r"shape of background_p_kw: \(5, 5\) .*\(T, 6\)"):
        FeederMonitor(ENGINE, BUSES, p_kw[:, :5], q_kvar)
    with pytest.raises(InputError, match="background_q_kvar: 'NaN or infinite'"):
        FeederMonitor(ENGINE, BUSES, p_kw, q_kvar * np.nan)
    with pytest.raises(InputError, match="bus: 'nowhere'"):
        FeederMonitor(ENGINE, ["nowhere"])


def test_generators_can_be_observed_but_have_no_sensitivities():
    net = named_net()
    pp.create_gen(net, 4, p_mw=0.01, vm_pu=1.0)
    monitor = FeederMonitor(make_engine(Feeder(net)), BUSES, watches=WATCHES)
    p_kw, q_kvar = plans()
    expected = copy.deepcopy(net)
    pp.create_loads(expected, [3, 5, 3, 2], p_mw=p_kw[0] / 1e3, q_mvar=-q_kvar[0] / 1e3)
    tight_runpp(expected)
    assert monitor.observe(p_kw, q_kvar).value[0, 2] == pytest.approx(expected.res_line.i_ka[0] / 0.2, abs=1e-7)
    with pytest.raises(EngineRefusalError, match="voltage-controlled generators"):
        monitor.sensitivity(p_kw, q_kvar, np.zeros(4))
