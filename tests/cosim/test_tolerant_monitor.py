"""A monitor that carries on where there is no power flow: what it counts there, and that all else is as it was."""

from __future__ import annotations

import numpy as np
import pandapower as pp
import pytest

from agents.dso import FeederMonitor, Observation, Watch
from cosim import CoSimulation, Scenario
from cosim.build import build_feeder
from cosim.scenario import FeederSpec
from cosim.tolerant_monitor import BROKEN, TolerantMonitor
from feeders import make_engine
from feeders.errors import PowerFlowError
from tests.cosim.evening_cases import evening_of, planned

WATCHES = [Watch("voltage", 4, 0.95), Watch("voltage-high", 3, 1.05), Watch("line", "2-3", 0.8)]


@pytest.fixture(scope="module")
def strict() -> FeederMonitor:
    engine = make_engine(build_feeder(FeederSpec(name="four-bus")), "auto")
    return FeederMonitor(engine, [2, 4], watches=WATCHES)


@pytest.fixture
def tolerant(strict: FeederMonitor) -> TolerantMonitor:
    found = TolerantMonitor()
    found.look(strict, WATCHES)
    return found


def test_usable_steps_are_those_of_the_monitor(strict: FeederMonitor, tolerant: TolerantMonitor) -> None:
    p_kw, q_kvar = np.random.default_rng(1).uniform(-3, 3, (2, 5, 2))
    found, expected = tolerant.observe(p_kw, q_kvar), strict.observe(p_kw, q_kvar)
    assert np.array_equal(found.value, expected.value) and np.array_equal(found.headroom_pu, expected.headroom_pu)
    assert tolerant.names == strict.names
    assert not tolerant.broken(found).any()
    slopes = [monitor.sensitivity(p_kw, q_kvar, np.zeros(2)) for monitor in (strict, tolerant)]
    assert np.array_equal(*slopes)


def test_broken_steps_count_as_the_worst_there_is(strict: FeederMonitor, tolerant: TolerantMonitor) -> None:
    p_kw = np.array([[1.0, 1.0], [1.0, 500.0], [2.0, 1.0], [900.0, 0.0]])
    with pytest.raises(PowerFlowError):
        strict.observe(p_kw, 0 * p_kw)
    found, usable = tolerant.observe(p_kw, 0 * p_kw), strict.observe(p_kw[::2], 0 * p_kw[::2])
    assert tolerant.broken(found).tolist() == [False, True, False, True]
    assert np.array_equal(found.value[::2], usable.value)
    assert found.value[1].tolist() == [BROKEN["voltage"], BROKEN["voltage-high"], BROKEN["line"]] == [0.5, 1.5, 10.0]
    assert found.headroom_pu[1] == pytest.approx([0.5 - 0.95, 1.05 - 1.5, 0.8 - 10.0])
    without = strict.sensitivity(np.zeros((1, 2)), np.zeros((1, 2)), np.zeros(2))
    assert tolerant.sensitivity(p_kw, 0 * p_kw, np.zeros(2))[1] == pytest.approx(without[0], rel=1e-9)


class Blind:
    """A monitor of a feeder that cannot be computed at all."""

    names = ["nothing"]  # noqa: RUF012 - never changed

    def observe(self, p_kw: np.ndarray, q_kvar: np.ndarray) -> Observation:
        raise PowerFlowError("dark", "did not converge", 1, scenario=0)


def test_a_feeder_that_breaks_without_customers_is_said() -> None:
    monitor = TolerantMonitor()
    monitor.look(Blind(), WATCHES[:1])  # type: ignore[arg-type] # never asked for more
    with pytest.raises(PowerFlowError, match="dark"):
        monitor.observe(np.ones((2, 1)), np.ones((2, 1)))


def test_an_evening_sees_the_feeder_as_pandapower_does() -> None:
    """Voltages, a line and the transformer of one quarter-hour, with reactive load and the net's own loads."""
    scenario = Scenario.from_dict(
        {
            "control_step_min": 15,
            "feeder": {"name": "kerber-landnetz-kabel-1", "background_scale": 0.5},
            "population": {"n": 12, "load_power_factor": 0.9, "battery_kwh": 5.0, "optimise_share": 0.6},
            "dso": {
                "signal": "none",
                "share": 0.5,
                "watch": [{}, {"kind": "transformer", "element": 0, "limit": 0.5}, {"kind": "line", "element": 3}],
            },
        }
    )
    model = CoSimulation(scenario)
    model.step()
    evening, signals, feeder = evening_of(model), model.rows.signals, model.grid.feeder
    assert evening.dso.last is not None
    rows, n = evening.rows, len(model.population)
    optimise = model.rows.assets.optimise
    assert 0 < len(rows) < optimise.sum() < n  # those who take part, who only plan, and who do neither
    # At the first quarter-hour: what a model without an operator lives then, whose plans are those of the tariff.
    plain = CoSimulation(scenario.changed({"dso": None, "rule": "none"}))
    plain.step()
    p_kw = plain.record.column("p_meter_kw")[0]
    assert planned(evening)[0] == pytest.approx(p_kw[rows], abs=1e-9)
    net, q_kvar = feeder.copy().net, signals.q_load_kvar[0]
    assert q_kvar.min() > 0
    for row, bus in enumerate(model.rows.assets.bus):
        at = feeder.prosumer_loads[feeder.bus_positions([bus])[0]]
        net.load.loc[at, ["p_mw", "q_mvar"]] += np.array([p_kw[row], q_kvar[row]]) * 1e-3
    pp.runpp(net, trafo_loading="power", lightsim2grid=False, numba=False, tolerance_mva=1e-10)
    seen = evening.dso.last.iterates[0].observation
    bus = int(evening.dso.monitor.names[0].split()[-1])
    expected = [
        net.res_bus.vm_pu[bus],
        net.res_trafo.loading_percent[0] / 100,
        net.res_line.i_ka[3] / feeder.line_rating_ka[3],
    ]
    assert seen.value[0] == pytest.approx(expected, rel=1e-7)
    assert seen.headroom_pu[0] == pytest.approx([expected[0] - 0.95, 0.5 - expected[1], 1 - expected[2]], abs=1e-7)
