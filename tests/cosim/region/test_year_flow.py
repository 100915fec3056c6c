"""A year's power flows of a region against single ones of pandapower."""

from __future__ import annotations

import copy
import importlib

import numpy as np
import numpy.typing as npt
import pandapower as pp
import pytest
from pandapower.auxiliary import pandapowerNet

from cosim.region import YearFlow, year_flow
from feeders import load_feeder
from feeders.errors import InputError, PowerFlowError
from feeders.region import Region, region_from_net, schutterwald_region
from tests.feeders.feeder_cases import tight_runpp
from tests.feeders.region_cases import two_stations

Powers = npt.NDArray[np.float64]

MODULE = importlib.import_module("cosim.region.year_flow")  # by its name the package has the function
TAN_PHI = 0.3286841051788632  # tan(acos(0.95))


@pytest.fixture(scope="module")
def schutterwald() -> Region:
    return schutterwald_region()


@pytest.fixture(scope="module")
def small() -> Region:
    return region_from_net(two_stations(), rest_of_mv_load=True)


def day(n_homes: int, n_steps: int = 96) -> Powers:
    """Evenings of 1.4 kW a home and noons of -2.5 kW in common, 3 kW up and down of each home's own [kW]."""
    rng = np.random.default_rng(5)
    hour = np.linspace(0.0, 24.0, n_steps, endpoint=False)
    common = 1.4 * np.exp(-(((hour - 19) / 2) ** 2)) - 2.5 * np.exp(-(((hour - 13) / 2) ** 2))
    return common[:, None] + rng.uniform(-3.0, 3.0, (n_steps, n_homes))


def single(region: Region, p_kw: Powers) -> pandapowerNet:
    """One power flow by pandapower, homes' loads added here."""
    net = copy.deepcopy(region.feeder.net)
    pp.create_loads(net, region.homes.bus, p_mw=p_kw / 1e3, q_mvar=TAN_PHI * np.maximum(p_kw, 0.0) / 1e3)
    tight_runpp(net, trafo_loading="power")
    return net


def same_as_pandapower(region: Region, flow: YearFlow, step: int, p_kw: Powers) -> None:
    net = single(region, p_kw)
    trafo, stations = net.res_trafo, region.stations.trafo
    # kW within 1e-5: flows settle to 5e-9 p.u. of voltage at most
    assert flow.p_region_kw[step] == pytest.approx(-1e3 * trafo.p_lv_mw[region.head_trafo], abs=1e-5)
    np.testing.assert_allclose(flow.p_station_kw[step], 1e3 * trafo.p_hv_mw[stations], rtol=0, atol=1e-5)
    np.testing.assert_allclose(flow.station_loading[step], trafo.loading_percent[stations] / 100, rtol=0, atol=1e-7)
    assert flow.head_loading[step] == pytest.approx(trafo.loading_percent[region.head_trafo] / 100, abs=1e-7)
    assert flow.line_loading[step] == pytest.approx(net.res_line.loading_percent.max() / 100, abs=1e-7)
    vm_pu = net.res_bus.vm_pu[region.homes.bus]
    assert (flow.vm_low_pu[step], flow.vm_high_pu[step]) == pytest.approx((vm_pu.min(), vm_pu.max()), abs=1e-8)


def test_worst_steps_are_those_of_pandapower(schutterwald: Region) -> None:
    p_kw = day(319)
    flow = year_flow(schutterwald, p_kw)
    worst = {
        int(step)
        for step in (
            flow.vm_low_pu.argmin(),
            flow.vm_high_pu.argmax(),
            flow.p_region_kw.argmax(),
            flow.p_region_kw.argmin(),
            flow.line_loading.argmax(),
        )
    }
    assert len(worst) > 2
    for step in worst:
        same_as_pandapower(schutterwald, flow, step, p_kw[step])


def test_without_losses_the_load_is_within_five_percent_at_peaks(schutterwald: Region) -> None:
    p_kw = day(319)
    flow = year_flow(schutterwald, p_kw)
    np.testing.assert_allclose(flow.p_dc_kw, p_kw.sum(axis=1), rtol=1e-12)
    peak, valley = flow.p_region_kw.argmax(), flow.p_region_kw.argmin()
    assert flow.p_dc_kw[peak] > 319.0
    assert 0 < flow.loss_kw[peak] < 0.05 * flow.p_dc_kw[peak]
    assert 0 < flow.loss_kw[valley] < 0.05 * -flow.p_dc_kw[valley]


def test_every_step_and_extreme_of_a_small_region(small: Region) -> None:
    p_kw = 12 * day(3, 12)
    flow = year_flow(small, p_kw, vm_min_pu=0.99, vm_max_pu=1.01, step_h=1.0)
    nets = [single(small, row) for row in p_kw]
    for step, row in enumerate(p_kw):
        same_as_pandapower(small, flow, step, row)
    vm_pu = np.array([net.res_bus.vm_pu[small.homes.bus] for net in nets])
    np.testing.assert_allclose(flow.homes.vm_min_pu, vm_pu.min(axis=0), rtol=0, atol=1e-8)
    np.testing.assert_allclose(flow.homes.vm_max_pu, vm_pu.max(axis=0), rtol=0, atol=1e-8)
    assert flow.homes.low_h.tolist() == (vm_pu < 0.99).sum(axis=0).tolist()
    assert flow.homes.high_h.tolist() == (vm_pu > 1.01).sum(axis=0).tolist()
    assert flow.homes.low_h.max() > 0 < flow.homes.high_h.max()
    loading = np.array([net.res_line.loading_percent for net in nets]) / 100
    np.testing.assert_allclose(flow.lines.loading_max, loading.max(axis=0), rtol=0, atol=1e-7)
    assert flow.lines.step.tolist() == loading.argmax(axis=0).tolist()
    np.testing.assert_allclose(flow.p_dc_kw, p_kw.sum(axis=1) + 500.0, rtol=1e-12)  # the factory


def test_limits_are_the_feeders_unless_given(small: Region) -> None:
    p_kw = 12 * day(3, 24)
    own, wide, tight = (year_flow(small, p_kw, vm_min_pu=low) for low in (None, 0.9, 0.99))
    assert own.homes.equals(wide.homes)  # EN 50160
    assert tight.homes.low_h.sum() > own.homes.low_h.sum()


def test_batches_do_not_show(small: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    p_kw = 12 * day(3, 50)
    whole = year_flow(small, p_kw)
    monkeypatch.setattr(MODULE, "_CELLS_MAX", 7 * 8)  # seven steps of eight nodes
    parts = year_flow(small, p_kw)
    assert whole.homes.equals(parts.homes)
    assert whole.lines.equals(parts.lines)
    for column in ("p_region_kw", "p_station_kw", "vm_low_pu", "vm_high_pu", "station_loading", "line_loading"):
        np.testing.assert_array_equal(getattr(whole, column), getattr(parts, column))


def test_another_engine_finds_the_same(schutterwald: Region) -> None:
    p_kw = day(319, 12)
    flow, other = year_flow(schutterwald, p_kw), year_flow(schutterwald, p_kw, engine="power-grid-model")
    np.testing.assert_allclose(flow.p_region_kw, other.p_region_kw, rtol=0, atol=1e-4)
    np.testing.assert_allclose(flow.vm_low_pu, other.vm_low_pu, rtol=0, atol=1e-8)


def test_reactive_power_of_ones_own(small: Region) -> None:
    p_kw = 12 * day(3, 4)
    by_factor = year_flow(small, p_kw)
    by_hand = year_flow(small, p_kw, power_factor=0.5, q_kvar=-TAN_PHI * np.maximum(p_kw, 0.0))
    np.testing.assert_allclose(by_hand.vm_low_pu, by_factor.vm_low_pu, rtol=0, atol=1e-12)
    assert (year_flow(small, p_kw, power_factor=1.0).vm_low_pu > by_factor.vm_low_pu).any()


def test_the_load_of_parallel_heads_is_that_of_all() -> None:
    net = two_stations()
    pp.create_transformer(net, 0, 1, std_type="25 MVA 110/20 kV")
    region = region_from_net(net)
    p_kw = np.full((1, 3), 10.0)
    by_pandapower = -1e3 * single(region, p_kw[0]).res_trafo.p_lv_mw[[0, 3]]
    assert year_flow(region, p_kw).p_region_kw[0] == pytest.approx(by_pandapower.sum(), abs=1e-5)
    assert by_pandapower[0] == pytest.approx(by_pandapower[3])
    pp.create_switch(net, 1, 3, et="t", closed=False)  # the first alone
    region = region_from_net(net)
    alone = -1e3 * single(region, p_kw[0]).res_trafo.p_lv_mw[0]
    assert year_flow(region, p_kw).p_region_kw[0] == pytest.approx(alone, abs=1e-5)


def test_a_lone_station_is_metered_on_its_upper_side() -> None:
    region = region_from_net(load_feeder("kerber-landnetz-kabel-1"))
    flow = year_flow(region, np.full((2, 8), 3.0))
    np.testing.assert_array_equal(flow.p_region_kw, flow.p_station_kw[:, 0])
    assert flow.loss_kw.min() > 0


def test_lines_without_a_rating_have_no_loading() -> None:
    net = two_stations()
    net.line.loc[:2, "max_i_ka"] = 99999.0
    flow = year_flow(region_from_net(net), np.full((2, 3), 5.0))
    assert np.isnan(flow.lines.loading_max).tolist() == [True, True, True, False]
    assert flow.lines.step.tolist() == [-1, -1, -1, 0]
    assert (flow.line_loading == flow.lines.loading_max[3]).all()
    net.line["max_i_ka"] = 99999.0
    assert np.isnan(year_flow(region_from_net(net), np.full((2, 3), 5.0)).line_loading).all()


@pytest.mark.parametrize(
    ("p_kw", "options", "message"),
    [
        (np.zeros((4, 2)), {}, r"shape of p_kw: \(4, 2\) .*\(T, 3\)"),
        (np.zeros(3), {}, "shape of p_kw"),
        (np.zeros((0, 3)), {}, "T at least 1"),
        (np.zeros((4, 3)), {"q_kvar": np.zeros((3, 3))}, "shape of q_kvar"),
        (np.full((4, 3), np.nan), {}, "NaN or infinite"),
        (np.zeros((4, 3)), {"power_factor": 0.0}, "power_factor: 0.0"),
        (np.zeros((4, 3)), {"power_factor": 1.1}, "at most 1"),
        (np.zeros((4, 3)), {"step_h": 0.0}, "step_h"),
        (np.zeros((4, 3)), {"engine": "newton"}, "engine"),
    ],
)
def test_inputs_that_cannot_be_used(small: Region, p_kw: Powers, options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        year_flow(small, p_kw, **options)  # type: ignore[arg-type]


def test_a_flow_that_diverges_names_its_step(small: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "_CELLS_MAX", 7 * 8)
    p_kw = np.zeros((20, 3))
    p_kw[17] = 5000.0
    with pytest.raises(PowerFlowError, match="in scenario 17"):
        year_flow(small, p_kw)
