"""The rehearsal: what is recorded, when it ends, which iterate is kept, and what the signals do to a herd."""

from __future__ import annotations

from dataclasses import dataclass, replace

import mesa
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.dso import DSO, SIGNALS, Options, central_bound, coordinate, make_signal
from agents.dso.monitor import Observation
from agents.dso.rehearsal import Rehearsal, best_of
from agents.dso.signals.rule import NewestPlan
from agents.errors import PlanError
from agents.terms import Terms
from feeders.errors import InputError, InputErrors, PowerFlowError
from tests.agents.collective_cases import BlockCustomers, LinearFeeder, TwoBus, flat, shiftable, storage

Array = npt.NDArray[np.float64]


def two_loads(prices: tuple[float, ...] = (0.10, 0.11, 0.12)) -> tuple[LinearFeeder, BlockCustomers, Terms]:
    """Two customers of 4 kWh each, 4 kW at most; hours; a kW drops the voltage by 0.01 from 1, the limit is 0.95.

    All charge in the cheapest hour: 8 kW there, 0.92 p.u. With 5 kW in each hour at most the limit holds, the least
    bills being 5 kWh in the first and 3 in the second hour.
    """
    blocks = [shiftable(np.zeros(len(prices)), 4.0, 4.0, 1.0) for _ in range(2)]
    feeder = LinearFeeder(np.ones((len(prices), 1)), np.full((1, 2), 0.01), 0.95)
    return feeder, BlockCustomers(blocks), flat(prices, 2)


@dataclass(frozen=True)
class Said(NewestPlan):
    """Says what it was given, one after another."""

    name = "said"
    prices: tuple[tuple[float, ...], ...]

    def terms(self, past: Rehearsal) -> Terms | None:
        """The next of them."""
        at = len(past.iterates) - 1
        return flat(self.prices[at], len(past.customers.names)) if at < len(self.prices) else None


AWAY = (0.2, 0.1, 0.1001)  # to the second hour
SPLIT = (0.1, 0.1, 0.2)  # both alike
PATIENT = Options(max_iterations=20, patience=20)


def test_iterations_are_recorded() -> None:
    feeder, customers, tariff = two_loads()
    done = coordinate(feeder, customers, tariff, Said((AWAY,)), options=PATIENT)
    first, second = done.iterates
    assert first.p_kw == pytest.approx(np.array([[4.0, 4.0], [0.0, 0.0], [0.0, 0.0]]), abs=1e-9)
    assert second.p_kw == pytest.approx(np.array([[0.0, 0.0], [4.0, 4.0], [0.0, 0.0]]), abs=1e-9)
    # 0.03 p.u. too low for an hour; 8 kWh at 0.10 and at 0.11: the tariff, whatever the signal says.
    assert [i.deficit_pu_h for i in done.iterates] == pytest.approx([0.03, 0.03])
    assert [i.bills.sum() for i in done.iterates] == pytest.approx([0.8, 0.88])
    assert [i.v_min_pu for i in done.iterates] == pytest.approx([0.92, 0.92])
    assert [i.worst_headroom_pu for i in done.iterates] == pytest.approx([-0.03, -0.03])
    assert first.terms is tariff and second.terms.price_buy[0, 0] == 0.2
    assert second.worst == "voltage-0" and done.ended == "signal" and not done.commits
    assert all(i.seconds > 0 for i in done.iterates)


def test_the_table_and_who_pays() -> None:
    feeder, customers, tariff = two_loads()
    done = coordinate(feeder, customers, tariff, Said((AWAY,)), options=PATIENT)
    bound = central_bound(feeder, customers, tariff, start=done.iterates[0])
    table = done.table(bound)
    assert table["iteration"].tolist() == [0, 1]
    assert table["bill_change_percent"].tolist() == pytest.approx([0.0, 10.0])
    assert table["bound_share"].tolist() == pytest.approx([0.0, 0.0], abs=1e-12)
    assert table["best"].tolist() == [True, False]  # no less deficit for more money
    assert "bound_share" not in done.table()
    people = done.by_customer()
    assert people["customer"].tolist() == customers.names
    assert people["change"].tolist() == pytest.approx([0.0, 0.0])


def test_the_share_of_a_bound_is_nan_where_there_is_nothing_to_gain() -> None:
    feeder, customers, tariff = two_loads()
    feeder.limit_pu = 0.9
    done = coordinate(feeder, customers, tariff, make_signal("source"))
    assert done.ended == "limits hold" and len(done.iterates) == 1
    assert done.table(central_bound(feeder, customers, tariff))["bound_share"].isna().all()


def test_a_change_of_no_bill_is_no_percentage() -> None:
    feeder, customers, tariff = two_loads((0.0, 0.0, 0.0))
    done = coordinate(feeder, customers, tariff, make_signal("none"))
    assert done.table()["bill_change_percent"].isna().all()
    assert done.by_customer()["change_percent"].isna().all()


def test_the_best_iterate_is_kept_when_the_last_is_worse() -> None:
    """The second signal moves half the load (the tie is broken by a hair), the third puts all back into one hour."""

    @dataclass(frozen=True)
    class Splits(Said):
        def terms(self, past: Rehearsal) -> Terms | None:
            terms = super().terms(past)
            if terms is not None and len(past.iterates) == 2:
                terms.price_buy[:, 1] += [0.05, 0.0, 0.0]
            return terms

    feeder, customers, tariff = two_loads()
    done = coordinate(feeder, customers, tariff, Splits((AWAY, (0.1, 0.11, 0.2), AWAY)), options=PATIENT)
    # 4 kW in each of two hours: 0.96 p.u., above the limit.
    assert [i.deficit_pu_h for i in done.iterates] == pytest.approx([0.03, 0.03, 0.0], abs=1e-12)
    done = coordinate(
        feeder, customers, tariff, Splits((AWAY, (0.1, 0.11, 0.2), AWAY)), options=replace(PATIENT, stop_when_met=False)
    )
    assert done.best.iteration == 2 and len(done.iterates) == 4 and done.iterates[-1].deficit_pu_h > 0.02
    assert customers.adopted is not None
    assert customers.adopted.tolist() == [[0, 0], [0, 0], [1, 1], [0, 0]]


def test_deficit_first_then_bills_and_no_drift() -> None:
    feeder, customers, tariff = two_loads()
    first = coordinate(feeder, customers, tariff, make_signal("none")).best

    def iterate(number: int, deficit: float, bill: float) -> object:
        return replace(first, iteration=number, deficit_pu_h=deficit, bills=np.array([bill]))

    # Each is within the tolerance of the one before, and cheaper; only the second is within it of the least.
    chain = [iterate(k, 0.6 * k, 10.0 - k) for k in range(4)]
    assert best_of(chain, 1.0).iteration == 1  # type: ignore[arg-type]
    assert best_of(chain, 0.5).iteration == 0  # type: ignore[arg-type]
    equal = [iterate(0, 1.0, 5.0), iterate(1, 1.0, 5.0)]
    assert best_of(equal, 0.0).iteration == 0  # type: ignore[arg-type]


def test_it_ends_without_gain_after_patience_or_after_so_many_iterations() -> None:
    feeder, customers, tariff = two_loads()
    forever = Said((AWAY,) * 30)
    done = coordinate(feeder, customers, tariff, forever, options=Options(max_iterations=20, patience=4))
    assert done.ended == "no gain" and len(done.iterates) == 5
    done = coordinate(feeder, customers, tariff, forever, options=Options(max_iterations=3, patience=9))
    assert done.ended == "iterations" and len(done.iterates) == 4
    done = coordinate(feeder, customers, tariff, forever, options=Options(max_iterations=0))
    assert done.ended == "iterations" and len(done.iterates) == 1


def test_limits_count_in_active_steps_alone() -> None:
    feeder, customers, tariff = two_loads()
    options = Options(active=np.array([False, True, True]))
    done = coordinate(feeder, customers, tariff, make_signal("source"), options=options)
    assert done.ended == "limits hold" and done.best.deficit_pu_h == 0.0 and done.best.v_min_pu == pytest.approx(1.0)
    none = Options(active=np.zeros(3, dtype=bool))
    done = coordinate(feeder, customers, tariff, make_signal("column-generation"), options=none)
    assert done.best.worst_headroom_pu == np.inf and np.isnan(done.best.v_min_pu)


def test_a_customer_without_a_plan_is_flagged_and_the_others_go_on() -> None:
    feeder, customers, tariff = two_loads()
    customers._fails = {(1, 0)}
    done = coordinate(feeder, customers, tariff, Said((AWAY,)), options=PATIENT)
    assert [i.kept.tolist() for i in done.iterates] == [[False, False], [True, False]]
    assert done.iterates[1].p_kw == pytest.approx(np.array([[4.0, 0.0], [0.0, 4.0], [0.0, 0.0]]), abs=1e-9)
    assert done.table()["kept"].tolist() == [0, 1]


def test_no_plan_against_the_tariff_is_an_error() -> None:
    feeder, customers, tariff = two_loads()
    customers._fails = {(0, 1)}
    with pytest.raises(PlanError):
        coordinate(feeder, customers, tariff, make_signal("source"))


def test_a_collapsing_feeder_ends_the_rehearsal_with_what_it_has() -> None:
    class Collapses(LinearFeeder):
        def observe(self, p_kw: Array, q_kvar: Array) -> Observation:
            if p_kw[first].sum() > 5.0:
                raise PowerFlowError("toy", "diverged", 1)
            return super().observe(p_kw, q_kvar)

    feeder, customers, tariff = two_loads()
    feeder = Collapses(feeder.v0_pu, feeder.drop, feeder.limit_pu)
    first = 1
    done = coordinate(feeder, customers, tariff, Said((AWAY,)), options=PATIENT)
    assert "diverged" in done.ended and len(done.iterates) == 1
    assert customers.adopted is not None and customers.adopted.tolist() == [[1, 1], [0, 0]]
    first = 0
    with pytest.raises(PowerFlowError):
        coordinate(feeder, customers, tariff, Said((AWAY,)))


def test_what_cannot_be_used_is_refused() -> None:
    feeder, customers, tariff = two_loads()
    with pytest.raises(InputError, match="a column for each of 2"):
        coordinate(feeder, customers, flat([0.1] * 3, 3), make_signal("none"))
    with pytest.raises(InputError, match=r"booleans of shape \(3,\)"):
        coordinate(feeder, customers, tariff, make_signal("none"), options=Options(active=np.ones(2, dtype=bool)))
    with pytest.raises(InputErrors) as error:
        Options(max_iterations=-1, tolerance_pu_h=float("nan"), patience=0)
    assert [fault.field for fault in error.value.errors] == ["max_iterations", "tolerance_pu_h", "patience"]
    feeder.v0_pu[1] = np.nan
    with pytest.raises(InputError, match="voltage-0"):
        coordinate(feeder, customers, tariff, make_signal("none"))


def test_the_herd_jumps_under_a_price_and_is_split_by_a_demand_charge() -> None:
    """Ten equal homes, prices all but equal: a price moves all ten at once, so the peak stays the sum of theirs.

    Against a demand charge each spreads its 4 kWh over eight hours: 0.5 kW each, 5 kW together instead of 40. With
    mixing the price works as well.
    """
    n, hours = 10, 8
    prices = 0.1 + 1e-5 * np.arange(hours)
    customers = BlockCustomers([shiftable(np.zeros(hours), 4.0, 4.0, 1.0) for _ in range(n)])
    feeder = LinearFeeder(np.ones((hours, 1)), np.full((1, n), 0.001), 0.985)
    options = Options(max_iterations=8, patience=8)
    tariff = flat(prices, n)

    def peaks(name: str) -> Array:
        done = coordinate(feeder, customers, tariff, make_signal(name), options=options)
        return np.array([iterate.p_kw.sum(axis=1).max() for iterate in done.iterates])

    herd = peaks("source")
    assert len(herd) == 9 and herd == pytest.approx(np.full(9, 40.0))
    assert peaks("source-local") == pytest.approx(np.full(9, 40.0))  # all have the same effect
    assert peaks("demand-charge") == pytest.approx([40.0, 5.0])
    assert peaks("column-generation")[-1] <= 15.0 + 1e-6


def random_case(seed: int) -> tuple[LinearFeeder | TwoBus, BlockCustomers, Terms, Options]:
    """Up to four customers over eight steps, on a linear feeder of two voltages or a nonlinear one of one."""
    rng = np.random.default_rng(seed)
    n, hours = int(rng.integers(1, 5)), 8
    blocks = [
        shiftable(rng.uniform(0, 2, hours), rng.uniform(2, 15), 4.0, 0.5, -0.3)
        if rng.random() < 0.5
        else storage(rng.uniform(-2, 4, hours), 6.0, 3.0, 0.9, 0.5)
        for _ in range(n)
    ]
    tariff = flat(rng.uniform(0.1, 0.3, hours), n, 0.5, kappa=0.6)
    if rng.random() < 0.5:
        window = np.ones((1, hours), dtype=bool)
        tariff = replace(tariff, demand_price=rng.uniform(0, 0.05, (1, n)), demand_window=window)
    feeder: LinearFeeder | TwoBus
    if rng.random() < 0.5:
        feeder = LinearFeeder(np.ones((hours, 2)), rng.uniform(1e-3, 5e-3, (2, n)), 0.97, lift=0.3)
    else:
        feeder = TwoBus(2e-3, 1e-3, rng.uniform(0, 10, hours), 0.965)
    active = rng.random(hours) < 0.8
    return feeder, BlockCustomers(blocks), tariff, Options(80, 1e-9, 12, active, 0.0, stop_when_met=False)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_column_generation_reaches_the_bound(seed: int) -> None:
    feeder, customers, tariff, options = random_case(seed)
    bound = central_bound(feeder, customers, tariff, options=options)
    done = coordinate(feeder, customers, tariff, make_signal("column-generation"), options=options)
    least = min(i.bills.sum() + 300.0 * i.deficit_pu_h for i in done.iterates)
    # The AC power flow of the bound agrees with its program within 1e-6 p.u.: 8 half-hours of that, at 300.
    within = 1e-7 if isinstance(feeder, LinearFeeder) else 300.0 * 8 * 0.5 * 1e-6
    assert least == pytest.approx(bound.bills.sum() + 300.0 * bound.deficit_pu_h, rel=1e-6, abs=within)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_the_deficit_of_frank_wolfe_never_rises(seed: int) -> None:
    feeder, customers, tariff, options = random_case(seed)
    options = replace(options, max_iterations=8, margin_pu=1e-3)
    done = coordinate(feeder, customers, tariff, make_signal("frank-wolfe"), options=options)
    deficit = np.array([iterate.deficit_pu_h for iterate in done.iterates])
    assert (np.diff(deficit) <= 1e-12).all()


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10**6))
def test_no_signal_beats_the_bound(seed: int) -> None:
    feeder, customers, tariff, options = random_case(seed)
    bound = central_bound(feeder, customers, tariff, options=options)
    # What the AC power flow may differ from the program: 1e-6 p.u. in 8 half-hours of 2 quantities, at 300.
    least = bound.bills.sum() + 300.0 * bound.deficit_pu_h - 300.0 * 8 * 0.5 * 2 * 1e-6 - 1e-7
    for name in SIGNALS:
        done = coordinate(feeder, customers, tariff, make_signal(name), options=replace(options, max_iterations=3))
        assert min(i.bills.sum() + 300.0 * i.deficit_pu_h for i in done.iterates) >= least


def test_the_mean_of_plans_converges_where_the_newest_plan_sways() -> None:
    feeder, customers, tariff = two_loads()
    options = Options(max_iterations=40, patience=40, margin_pu=0.0, stop_when_met=False)
    mean = coordinate(feeder, customers, tariff, make_signal("dual-ascent", alpha=20), options=options)
    newest = coordinate(feeder, customers, tariff, make_signal("dual-ascent", alpha=20, average=False), options=options)
    # 5 kW are allowed; plans are 8 kW in one hour or in the other.
    assert max(i.deficit_pu_h for i in mean.iterates[25:]) < 0.005
    assert min(i.deficit_pu_h for i in newest.iterates[25:]) == pytest.approx(0.03)


@pytest.mark.parametrize("name", list(SIGNALS))
def test_the_same_seed_gives_the_same_rehearsal(name: str) -> None:
    signal = make_signal("source", answering=0.5) if name == "source" else make_signal(name)
    runs = []
    for _ in range(2):
        feeder, customers, tariff, _ = random_case(11)
        runs.append(coordinate(feeder, customers, tariff, signal, options=Options(4, patience=9, seed=5)))
    assert len(runs[0].iterates) == len(runs[1].iterates)
    for one, other in zip(runs[0].iterates, runs[1].iterates, strict=True):
        assert (one.p_kw == other.p_kw).all() and (one.shares == other.shares).all()


def test_the_operator_is_an_agent_that_remembers_what_it_published() -> None:
    feeder, customers, tariff = two_loads()
    operator = DSO(mesa.Model(), feeder, make_signal("demand-charge", price=0.02), PATIENT)
    assert operator.published is None and operator.last is None
    done = operator.rehearse(customers, tariff)
    assert operator.last is done and operator.published is done.best.terms
    assert done.best.iteration == 1 and done.best.terms.has_demand_charge
    customers._fails = {(0, 0)}
    with pytest.raises(PlanError):
        operator.rehearse(customers, tariff)
    assert operator.last is done


def test_signals_that_mix_plans_go_on_though_the_limits_hold_and_others_end() -> None:
    """The second signal splits the load: one that only publishes ends there, one that customers commit to goes on."""

    @dataclass(frozen=True)
    class Splits(Said):
        committing: bool = False

        @property
        def commits(self) -> bool:
            return self.committing

        def terms(self, past: Rehearsal) -> Terms | None:
            terms = super().terms(past)
            if terms is not None and len(past.iterates) == 2:
                terms.price_buy[:, 1] += [0.05, 0.0, 0.0]
            return terms

    said = (AWAY, (0.1, 0.11, 0.2), AWAY)
    for committing, n, ended in ((False, 3, "limits hold"), (True, 4, "signal")):
        feeder, customers, tariff = two_loads()
        done = coordinate(feeder, customers, tariff, Splits(said, committing), options=PATIENT)
        assert (len(done.iterates), done.ended, done.best.iteration) == (n, ended, 2)
