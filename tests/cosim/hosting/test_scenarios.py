"""Noise on a day: what it keeps, how large it is, and that it repeats."""

import numpy as np
import pytest

from agents.prosumer.fleet import FleetInputs
from cosim.hosting.scenarios import noisy, scenarios
from feeders.errors import InputError


def day(n_buses: int = 40) -> FleetInputs:
    hours = np.arange(24) + 0.5
    load = np.outer(1 + 0.5 * np.sin(hours), np.arange(1.0, n_buses + 1))
    return FleetInputs(
        p_load_kw=load,
        q_load_kvar=0.3 * load,
        pv_share=np.maximum(np.sin((hours - 6) / 12 * np.pi), 0.0),
        t_out_c=27 + 5 * np.cos((hours - 16) / 12 * np.pi),
        price=np.where(hours > 16, 0.3, -0.1),
    )


def test_the_same_seed_gives_the_same_scenario_and_another_seed_another() -> None:
    root = np.random.SeedSequence(3)
    first, again, other = noisy(day(), root), noisy(day(), root), noisy(day(), 4)
    np.testing.assert_array_equal(first.p_load_kw, again.p_load_kw)
    np.testing.assert_array_equal(first.price, noisy(day(), 3).price)
    assert not np.any(first.t_out_c == other.t_out_c)


def test_without_noise_the_day_stays_as_it_is() -> None:
    np.testing.assert_array_equal(noisy(day(), 0, sigma=0.0).p_load_kw, day().p_load_kw)


def test_nights_stay_dark_and_loads_keep_their_power_factor() -> None:
    found = noisy(day(), 0, sigma=0.8)  # so large that clipping is needed
    assert (found.pv_share[day().pv_share == 0] == 0).all()
    assert found.pv_share.min() >= 0 and found.pv_share.max() <= 1.5
    assert found.p_load_kw.min() == 0  # a factor below 0 would turn a load into a source
    np.testing.assert_allclose(found.q_load_kvar, 0.3 * found.p_load_kw, rtol=1e-12)


def test_noise_has_the_size_that_is_asked_for() -> None:
    many = scenarios(day(), 200, seed=1, sigma=0.1)
    # A standard normal cut at 3 has the variance .9973 - 6 phi(3) + 9 x .0027 = .995, a deviation of .9975. Its error
    # is 0.1 / sqrt(2 n): 0.00016 for the 200 x 24 x 40 loads, 0.001 for the 4800 prices and temperatures.
    factor = np.array([s.p_load_kw / day().p_load_kw for s in many])
    assert factor.mean() == pytest.approx(1.0, abs=0.001)
    assert factor.std() == pytest.approx(0.09975, abs=0.0008)
    assert np.abs(factor - 1).max() == pytest.approx(0.3, abs=1e-9)
    assert np.std([s.price / day().price for s in many]) == pytest.approx(0.09975, abs=0.004)
    warmth = np.array([s.t_out_c - day().t_out_c for s in many])
    assert warmth.std() == pytest.approx(0.09975 * np.ptp(day().t_out_c), rel=0.04)


def test_quantities_and_nodes_are_independent() -> None:
    many = scenarios(day(), 100, seed=2)
    load = np.concatenate([s.p_load_kw / day().p_load_kw for s in many])
    sun = np.concatenate([s.t_out_c - day().t_out_c for s in many])
    price = np.concatenate([s.price / day().price for s in many])
    # 2400 draws: the standard error of a correlation is 0.02.
    assert abs(np.corrcoef(load[:, 0], load[:, 1])[0, 1]) < 0.08
    assert abs(np.corrcoef(sun, price)[0, 1]) < 0.08


def test_a_scenario_does_not_depend_on_how_many_there_are_or_on_the_number_of_buses() -> None:
    np.testing.assert_array_equal(scenarios(day(), 3, seed=5)[2].price, scenarios(day(), 9, seed=5)[2].price)
    np.testing.assert_array_equal(noisy(day(4), 5).price, noisy(day(40), 5).price)


@pytest.mark.parametrize("sigma", [-0.1, float("nan")])
def test_a_sigma_that_cannot_be_is_refused(sigma: float) -> None:
    with pytest.raises(InputError, match="sigma"):
        noisy(day(), 0, sigma)


def test_no_scenario_is_refused() -> None:
    with pytest.raises(InputError, match="1 or more"):
        scenarios(day(), 0)
