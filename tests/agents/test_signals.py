"""The other signals by their closed forms, and how they are made."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.dso import SIGNALS, make_signal
from agents.dso.signals import register_signal
from agents.dso.signals.demand import runs
from agents.dso.signals.frank_wolfe import golden_section
from agents.dso.signals.tariff_only import TariffOnly
from feeders.errors import InputError, InputErrors
from tests.agents.test_source_signal import append, column, prices, rehearsal

DROP = np.array([[1e-5, 4e-5]])


def test_no_signal_says_nothing() -> None:
    assert make_signal("none").terms(rehearsal(column(0.5))) is None


def test_multipliers_climb_and_come_down() -> None:
    """Shortfall 0.01, then headroom 0.004, then 0.02; alpha 8, mean price 0.06, greatest effect 4e-5 p.u./kW.

    A shortfall of 0.01 raises the price of the most effective customer by 8 * 0.06 * 0.01 = 0.0048, of the other by a
    quarter of that; the headroom of 0.004 takes 0.4 of it back, that of 0.02 all of it.
    """
    past = rehearsal(column(0.95), 2, DROP)
    assert prices(past, "dual-ascent")[0] == pytest.approx([0.0612, 0.0648], rel=1e-12)
    append(past, np.array([[0.964]]), past.tariff)
    assert prices(past, "dual-ascent")[0] == pytest.approx([0.06 + 0.6 * 0.0012, 0.06 + 0.6 * 0.0048], rel=1e-12)
    append(past, np.array([[0.98]]), past.tariff)
    assert prices(past, "dual-ascent")[0] == pytest.approx([0.06, 0.06], rel=1e-12)


def test_both_prices_rise_by_the_multipliers() -> None:
    terms = make_signal("dual-ascent").terms(rehearsal(column(0.95), 2, DROP))
    assert terms is not None
    assert (terms.price_sell == terms.price_buy).all()  # as in the tariff


def test_dual_ascent_commits_to_the_mean_of_plans_against_signals() -> None:
    past = rehearsal(np.repeat(column(0.95), 3, axis=0))
    past.responses.append(past.responses[0])
    assert make_signal("dual-ascent").shares(past)[:, 0] == pytest.approx([0.0, 1 / 3, 1 / 3, 1 / 3])
    newest = make_signal("dual-ascent", average=False)
    assert newest.shares(past)[:, 0].tolist() == [0.0, 0.0, 0.0, 1.0]
    assert not newest.commits and make_signal("dual-ascent").commits


def test_the_gradient_of_the_penalty() -> None:
    """alpha 150 mean prices per p.u.: a shortfall of 0.001 raises 0.06 by 0.009 and by a quarter of that."""
    assert prices(rehearsal(column(0.959), 2, DROP), "frank-wolfe")[0] == pytest.approx([0.06225, 0.069], rel=1e-9)


def test_the_gain_doubles_when_nothing_was_taken_up() -> None:
    past = rehearsal(column(0.959), 2, DROP)
    past.responses.append(past.responses[0])
    past.iterates.append(past.judged(past.tariff, np.array([[1.0, 1.0], [0.0, 0.0]])))
    assert prices(past, "frank-wolfe")[0] == pytest.approx([0.0645, 0.078], rel=1e-9)


def test_the_first_price_of_column_generation_is_the_price_of_the_deficit() -> None:
    """With one plan there is no choice: a kWh costs 300 currency/(p.u. h) * 4e-5 p.u./kW = 0.012 more."""
    past = rehearsal(column(0.959, 0.97), 2, DROP)
    expected = [[0.063, 0.072], [0.06, 0.06]]
    assert prices(past, "column-generation") == pytest.approx(np.array(expected), rel=1e-9)


@pytest.mark.parametrize("name", ["dual-ascent", "frank-wolfe", "column-generation", "source", "source-local"])
def test_signals_are_silent_when_the_tariff_holds_the_limits(name: str) -> None:
    assert make_signal(name).terms(rehearsal(column(0.97), 2, DROP)) is None


def test_a_demand_charge_on_each_run_of_active_steps_once() -> None:
    past = rehearsal(column(*[0.95] * 6))
    past.active = np.array([True, True, False, True, False, True])
    terms = make_signal("demand-charge", price=0.25).terms(past)
    assert terms is not None
    assert terms.demand_window.astype(int).tolist() == [[1, 1, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0], [0, 0, 0, 0, 0, 1]]
    assert (terms.demand_price == 0.25).all() and terms.demand_price.shape == (3, 1)
    assert (terms.price_buy == past.tariff.price_buy).all()
    append(past, np.full((6, 1), 0.95), terms)
    assert make_signal("demand-charge").terms(past) is None


def test_the_local_price_comes_on_top_of_the_demand_charge() -> None:
    past = rehearsal(column(0.95), 2, DROP)
    first = make_signal("demand-charge-local").terms(past)
    assert first is not None and (first.demand_price == 0.004).all()
    append(past, np.array([[0.95]]), first)
    second = make_signal("demand-charge-local").terms(past)
    assert second is not None and (second.demand_price == 0.004).all()
    assert second.price_buy[0] == pytest.approx([0.06 / 0.99, 0.06 / 0.99**4], rel=1e-12)


@given(st.lists(st.booleans(), max_size=20))
def test_runs_cover_the_active_steps_once_and_without_gaps(active: list[bool]) -> None:
    found = runs(np.array(active, dtype=bool))
    assert (found.sum(axis=0) == np.array(active, dtype=int)).all()
    for run in found:
        at = np.flatnonzero(run)
        assert (np.diff(at) == 1).all()
        assert not any(active[t] for t in (at[0] - 1, at[-1] + 1) if 0 <= t < len(active))


def test_noise_is_private_tiny_seeded_and_for_active_steps_alone() -> None:
    past = rehearsal(column(0.95, 0.95, 0.95), 2, DROP, seed=3)
    past.active = np.array([True, True, False])
    terms = make_signal("random-ties", noise=0.01).terms(past)
    again = make_signal("random-ties", noise=0.01).terms(past)
    assert terms is not None and again is not None
    factor = terms.price_buy / 0.06
    assert (terms.price_buy == again.price_buy).all()
    assert (np.abs(factor - 1.0) <= 0.01).all() and len(np.unique(factor[:2])) == 4
    assert (terms.price_sell == terms.price_buy).all()
    assert (terms.price_buy[2] == 0.06).all()


@pytest.mark.parametrize("least", [0.0, 0.3, 0.77, 1.0])
def test_the_golden_section_finds_the_least(least: float) -> None:
    """After 16 evaluations the interval has shrunk to 0.618^14 = 0.0012."""
    assert golden_section(lambda x: (x - least) ** 2, 16) == pytest.approx(least, abs=1.2e-3)


def test_the_golden_section_stays_clear_of_what_is_forbidden() -> None:
    assert golden_section(lambda x: -x if x <= 0.1 else float("inf"), 16) == pytest.approx(0.1, abs=1.2e-3)
    assert golden_section(lambda x: 0.0 if x == 0 else float("inf"), 16) == 0.0


def test_every_signal_is_made_by_its_name() -> None:
    assert list(SIGNALS) == [make_signal(name).name for name in SIGNALS]
    assert {"none", "source", "source-local", "damped", "dual-ascent", "frank-wolfe", "column-generation"} <= set(
        SIGNALS
    )
    assert {"demand-charge", "demand-charge-local", "random-ties"} <= set(SIGNALS)


def test_an_unknown_signal_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"'column-generator' is not allowed.*nearest: column-generation"):
        make_signal("column-generator")


def test_wrong_parameters_are_refused_together() -> None:
    with pytest.raises(InputErrors, match="nearest: alpha") as error:
        make_signal("source", alfa=3.0, dampin=1.0)
    assert [fault.field for fault in error.value.errors] == ["alfa", "dampin"]
    with pytest.raises(InputErrors) as error:
        make_signal("source", alpha=-1.0, damping=float("nan"), local=2)
    assert [fault.field for fault in error.value.errors] == ["alpha", "damping", "local"]
    with pytest.raises(InputErrors, match="a number from 0 to 1000"):
        make_signal("demand-charge", price="0.006")  # type: ignore[arg-type]
    with pytest.raises(InputErrors, match="no parameters"):
        make_signal("none", alpha=1.0)


def test_a_signal_of_ones_own_is_registered_once() -> None:
    class Own(TariffOnly):
        name = "own"

    register_signal(Own)
    try:
        assert isinstance(make_signal("own"), Own)
        with pytest.raises(InputError, match="a name not yet taken"):
            register_signal(Own)
    finally:
        del SIGNALS["own"]
