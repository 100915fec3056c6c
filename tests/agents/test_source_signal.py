"""The published price signal by hand, and its variants."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from agents.dso import Options, make_signal
from agents.dso.rehearsal import Rehearsal
from agents.terms import Terms
from tests.agents.collective_cases import BlockCustomers, LinearFeeder, flat, shiftable

Array = npt.NDArray[np.float64]

V_REF = 0.96


def rehearsal(v_pu: Array, n_customers: int = 1, drop: Array | None = None, **options: float) -> Rehearsal:
    """A history in which idle customers saw voltages ``v_pu`` of shape (iterates, T, M), all against the tariff."""
    drop = np.ones((v_pu.shape[2], n_customers)) * 1e-5 if drop is None else drop
    feeder = LinearFeeder(v_pu[0], drop, V_REF)
    blocks = [shiftable(np.zeros(v_pu.shape[1]), 1.0, 1.0, 1.0)] * n_customers
    tariff = flat([0.06] * v_pu.shape[1], n_customers)
    past = Rehearsal(feeder, BlockCustomers(blocks), tariff, Options(**{"margin_pu": 0.0, **options}))  # type: ignore[arg-type]
    for v in v_pu:
        append(past, v, past.tariff)
    return past


def append(past: Rehearsal, v_pu: Array, terms: Terms) -> None:
    """One iterate more, of idle customers."""
    past.monitor.v0_pu = v_pu  # type: ignore[attr-defined]
    plan = past.customers.respond(past.tariff)
    past.responses.append(replace(plan, p_kw=0.0 * plan.p_kw, q_kvar=0.0 * plan.q_kvar))
    past.iterates.append(past.judged(terms, past.newest_only()))


def column(*v_pu: float) -> Array:
    """Voltages of one bus, shape (1, T, 1)."""
    return np.array(v_pu)[None, :, None]


def prices(past: Rehearsal, name: str, **parameters: float) -> Array:
    """Buying prices of the next terms."""
    terms = make_signal(name, **parameters).terms(past)
    assert terms is not None
    return terms.price_buy


def test_equations_1_and_2_by_hand() -> None:
    """V = 0.95: the divisor is (1 - 0.96 + 0.95)^4 = 0.99^4 = 0.96059601; V = 0.97 leaves the price alone.

    Next, V = 0.97 and 0.958: the second step's divisor is 0.998^4 = 0.992023968016, the first keeps RTP_1.
    """
    past = rehearsal(column(0.95, 0.97))
    first = make_signal("source").terms(past)
    assert first is not None
    assert first.price_buy[:, 0] == pytest.approx([0.06 / 0.96059601, 0.06], rel=1e-14)
    append(past, np.array([[0.97], [0.958]]), first)
    expected = [0.06 / 0.96059601, 0.06 / 0.992023968016]
    assert prices(past, "source")[:, 0] == pytest.approx(expected, rel=1e-14)


def test_the_margin_moves_the_reference_of_the_signal_but_not_the_deficit() -> None:
    past = rehearsal(column(0.9605, 0.97), margin_pu=0.001)
    assert past.last.deficit_pu_h == 0.0
    assert prices(past, "source", alpha=1.0)[:, 0] == pytest.approx([0.06 / 0.9995, 0.06], rel=1e-13)


def test_prices_stay_those_of_the_tariff_outside_active_steps() -> None:
    past = rehearsal(column(0.95, 0.95))
    past.active = np.array([False, True])
    assert prices(past, "source", alpha=1.0)[:, 0] == pytest.approx([0.06, 0.06 / 0.99], rel=1e-14)


def test_of_several_quantities_the_worst_of_each_step_counts() -> None:
    past = rehearsal(np.array([[[0.95, 0.955], [0.97, 0.94]]]))
    assert prices(past, "source", alpha=1.0)[:, 0] == pytest.approx([0.06 / 0.99, 0.06 / 0.98], rel=1e-14)


def test_nothing_is_said_when_nothing_falls_short() -> None:
    assert make_signal("source").terms(rehearsal(column(0.96, 0.97))) is None


def test_a_loading_far_beyond_its_limit_still_gives_a_finite_price() -> None:
    """A shortfall of 3 counts as 0.5: 0.06 / 0.5^4 = 0.96."""
    assert prices(rehearsal(column(-2.04)), "source")[0, 0] == pytest.approx(0.96, rel=1e-14)


def test_local_prices_weigh_the_exponent_by_the_effect_on_the_worst_quantity() -> None:
    """Effects 1 : 4 on the first quantity, 2 : -1 on the second, which is the worst of the second step."""
    drop = np.array([[1e-5, 4e-5], [2e-5, -1e-5]])
    past = rehearsal(np.array([[[0.95, 0.97], [0.97, 0.95]]]), 2, drop)
    expected = 0.06 / 0.99 ** np.array([[1.0, 4.0], [4.0, -2.0]])
    terms = make_signal("source-local").terms(past)
    assert terms is not None
    assert terms.price_buy == pytest.approx(expected, rel=1e-14)
    # Import of the last customer lifts the second quantity: its price falls, and takes the selling price with it.
    assert terms.price_sell == pytest.approx(np.minimum(expected, 0.06), rel=1e-14)


def test_customers_without_effect_keep_their_price() -> None:
    past = rehearsal(column(0.95), 2, np.zeros((1, 2)))
    assert prices(past, "source-local") == pytest.approx(np.full((1, 2), 0.06), rel=1e-14)


def test_the_damped_voltage_follows_by_half() -> None:
    """0.95, then 0.97: half-way is 0.96, no shortfall; with weight 0.25 it is 0.955."""
    past = rehearsal(np.concatenate([column(0.95), column(0.97)]))
    assert make_signal("damped").terms(past) is None
    assert prices(past, "damped", damping=0.25, alpha=1.0)[0, 0] == pytest.approx(0.06 / 0.995, rel=1e-14)


def test_part_of_the_customers_answers_and_the_others_stay() -> None:
    rule = make_signal("source", answering=0.5)
    assert rule.commits and not make_signal("source").commits
    past = rehearsal(column(0.95), 200)
    past.responses.append(past.responses[0])
    shares = rule.shares(past)
    assert shares.shape == (2, 200)
    assert (shares.sum(axis=0) == 1.0).all()
    assert 70 <= shares[1].sum() <= 130  # 100 +- 4 standard deviations
    assert (rule.shares(past) == shares).all()
    past.options = replace(past.options, seed=1)
    assert (rule.shares(past) != shares).any()
