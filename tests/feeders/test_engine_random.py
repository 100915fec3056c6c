"""Random feeders and random powers: engines agree, rows are independent, and collapse is where pandapower sees it."""

from __future__ import annotations

import numpy as np
import pandapower as pp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeders.engines import ENGINES, make_engine
from feeders.errors import PowerFlowError
from feeders.feeder import Feeder
from tests.feeders.feeder_cases import CASES, random_powers, runpp_voltages
from tests.feeders.test_engine_behaviour import R_OHM, X_OHM, two_bus_feeder

FAST = [name for name in ENGINES if name != "pandapower"]
SEEDS = st.integers(0, 2**32 - 1)


def random_radial_net(seed: int, n_lines: int):
    """A transformer and a tree of lines behind it, each from a bus that is there already; some power of its own."""
    rng = np.random.default_rng(seed)
    net = pp.create_empty_network()
    pp.create_bus(net, vn_kv=20.0)
    pp.create_ext_grid(net, 0, vm_pu=rng.uniform(0.98, 1.04), va_degree=rng.uniform(-30, 30))
    pp.create_bus(net, vn_kv=0.4)
    pp.create_transformer(net, 0, 1, std_type="0.4 MVA 20/0.4 kV", tap_pos=int(rng.integers(-2, 3)))
    for _ in range(n_lines):
        start, end = int(rng.integers(1, len(net.bus))), pp.create_bus(net, vn_kv=0.4)
        r_ohm, x_ohm, c_nf = rng.uniform([0.1, 0.05, 0], [0.9, 0.3, 500])
        pp.create_line_from_parameters(net, start, end, rng.uniform(0.01, 0.1), r_ohm, x_ohm, c_nf, max_i_ka=0.3)
    pp.create_load(net, 1, p_mw=rng.uniform(0, 0.02), q_mvar=rng.uniform(-0.005, 0.005))
    return net


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS, n_lines=st.integers(1, 12), scale_kw=st.floats(0, 12))
def test_random_loads_on_random_radial_feeders_agree_with_pandapower(seed, n_lines, scale_kw):
    net = random_radial_net(seed, n_lines)
    rng = np.random.default_rng(seed)
    p_kw, q_kvar = scale_kw * rng.uniform(-1, 1, (2, len(net.bus)))
    expected = runpp_voltages(net, p_kw, q_kvar)
    feeder = Feeder(net)
    assert feeder.is_radial
    for name in FAST:
        np.testing.assert_allclose(make_engine(feeder, name).solve(p_kw, q_kvar), expected, rtol=0, atol=1e-8)


ISLAND = Feeder(CASES["island behind an open line switch"]())
ISLAND_ENGINES = {name: make_engine(ISLAND, name) for name in FAST}


@settings(max_examples=50, deadline=None)
@given(
    engine_name=st.sampled_from(FAST),
    scale_kw=st.floats(0, 40),
    seed=SEEDS,
    rows=st.lists(st.integers(0, 7), max_size=20),
)
def test_a_row_of_any_batch_is_the_single_solve(engine_name, scale_kw, seed, rows):
    p_kw, q_kvar = random_powers(ISLAND, scale_kw, 8, seed)
    engine = ISLAND_ENGINES[engine_name]
    single = np.array([engine.solve(p_kw[row], q_kvar[row]) for row in range(8)])
    batch = engine.solve(p_kw[rows].reshape(-1, ISLAND.n_buses), q_kvar[rows].reshape(-1, ISLAND.n_buses))
    np.testing.assert_array_equal(batch, single[rows].reshape(batch.shape))  # bitwise


@pytest.mark.parametrize("engine_name", ENGINES)
@pytest.mark.parametrize("share", [0.8, 0.95, 0.99, 0.999, 1.001, 1.01])
def test_up_to_the_largest_power_of_a_line_and_not_beyond(share, engine_name):
    """A load without reactive power at the end of R + jX draws at most ``E^2 / (2 (|Z| + R))``.

    There the root in `two_bus_vm_pu` vanishes. With ``E^2`` as the unit of power times ohm it is, for P as a share s of
    the largest, ``w = (b + sqrt(b^2 - d^2)) / 2`` with ``b = 1 - s R / (|Z| + R)`` and ``d = s |Z| / (|Z| + R)``.
    """
    z_ohm = np.hypot(R_OHM, X_OHM)
    largest_kw = 400.0**2 / (2 * (z_ohm + R_OHM)) * 1e-3
    engine = make_engine(two_bus_feeder(), engine_name)
    if share > 1:
        with pytest.raises(PowerFlowError, match="did not converge"):
            engine.solve([0, share * largest_kw], [0, 0])
        return
    b, d = 1 - share * R_OHM / (z_ohm + R_OHM), share * z_ohm / (z_ohm + R_OHM)
    expected = np.sqrt((b + np.sqrt(b**2 - d**2)) / 2)
    assert engine.solve([0, share * largest_kw], [0, 0])[1] == pytest.approx(expected, rel=0, abs=1e-8)


def solved_or_none(engine, p_kw, q_kvar):
    try:
        return engine.solve(p_kw, q_kvar)
    except PowerFlowError:
        return None


@settings(max_examples=4, deadline=None)
@given(seed=SEEDS, n_lines=st.integers(2, 8))
def test_near_collapse_engines_find_the_same_or_nothing(seed, n_lines):
    feeder = Feeder(random_radial_net(seed, n_lines))
    engines = {name: make_engine(feeder, name) for name in ENGINES}
    p_kw = np.random.default_rng(seed).uniform(0.2, 1, feeder.n_buses)
    low, high = 0.0, 1e5  # kW: at `low` there is a usable solution, at `high` none
    while high - low > 1e-6 * high:
        middle = (low + high) / 2
        found = solved_or_none(engines["current-injection"], middle * p_kw, 0.3 * p_kw)
        low, high = (low, middle) if found is None else (middle, high)
    for share in (0.9, 0.99, 0.999, 1.001, 1.01, 1.1):
        found = {name: solved_or_none(engine, share * low * p_kw, 0.3 * p_kw) for name, engine in engines.items()}
        for name in FAST:
            assert (found[name] is None) == (found["pandapower"] is None) == (share > 1), (name, share)
            if share < 1:
                np.testing.assert_allclose(found[name], found["pandapower"], rtol=0, atol=1e-8)
