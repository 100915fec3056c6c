"""The published price signal by hand, and its variants."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agents.dso import Options, make_signal
from agents.dso.rehearsal import Rehearsal
from agents.terms import Terms
from tests.agents.collective_cases import BlockCustomers, LinearFeeder, flat, shiftable

V_REF = 0.96


def rehearsal(v_pu: list[list[float]], n_customers: int = 1, **options: object) -> Rehearsal:
    """A history in which one voltage was observed so; the terms of iterate 0 are the tariff."""
    voltages = np.array(v_pu)
    n_steps = voltages.shape[1]
    drop = np.arange(1.0, n_customers + 1)[None] * 1e-5
    feeder = LinearFeeder(np.zeros((n_steps, 1)), drop, V_REF)
    blocks = [shiftable(np.zeros(n_steps), 1.0, 1.0, 1.0)] * n_customers
    past = Rehearsal(
        feeder, BlockCustomers(blocks), flat([0.06] * n_steps, n_customers), Options(margin_pu=0, **options)
    )
    for v in voltages:
        feeder.v0_pu = v[:, None]
        append(past, past.tariff)
    return past


def append(past: Rehearsal, terms: Terms) -> None:
    """One iterate of idle customers."""
    plan = past.customers.respond(past.tariff)
    past.responses.append(replace(plan, p_kw=0.0 * plan.p_kw))
    past.iterates.append(past.judged(terms, past.newest_only()))


def prices(past: Rehearsal, name: str, **parameters: float) -> np.ndarray:
    """Buying prices of the next terms."""
    terms = make_signal(name, **parameters).terms(past)
    assert terms is not None
    return terms.price_buy


def test_equations_1_and_2_by_hand() -> None:
    """V = 0.95: the divisor is (1 - 0.96 + 0.95)^4 = 0.99^4 = 0.96059601; V = 0.97 leaves the price alone.

    Next, V = 0.97 and 0.958: the second step's divisor is 0.998^4 = 0.992023968016, the first keeps RTP_1.
    """
    past = rehearsal([[0.95, 0.97]])
    first = make_signal("source").terms(past)
    assert first is not None
    assert first.price_buy[:, 0] == pytest.approx([0.06 / 0.96059601, 0.06], rel=1e-14)
    past.monitor.v0_pu = np.array([[0.97], [0.958]])  # type: ignore[attr-defined]
    append(past, first)
    expected = [0.06 / 0.96059601, 0.06 / 0.992023968016]
    assert prices(past, "source")[:, 0] == pytest.approx(expected, rel=1e-14)
