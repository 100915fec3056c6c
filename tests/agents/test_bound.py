"""The central bound: by hand, against another formulation, and refused where it would be none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from agents.dso import Aim, BoundError, Options, central_bound
from feeders.errors import InputErrors
from tests.agents.collective_cases import BlockCustomers, LinearFeeder, TwoBus, flat, shiftable, storage
from tests.agents.test_coordination import two_loads

Array = npt.NDArray[np.float64]


def test_two_loads_by_hand() -> None:
    """At most 5 kW per hour: 5 kWh at 0.10 and 3 kWh at 0.11 are 0.83 instead of 0.80, 3.75 % more."""
    bound = central_bound(*two_loads())
    assert bound.p_kw.sum(axis=1) == pytest.approx([5.0, 3.0, 0.0], abs=1e-6)
    assert bound.bills.sum() == pytest.approx(0.83, abs=1e-7)
    assert bound.bill_change_percent == pytest.approx(3.75, abs=1e-5)
    assert bound.deficit_pu_h == pytest.approx(0.0, abs=1e-8)
    assert bound.rounds == 1 and bound.linearisation_error_pu < 1e-12


def test_a_deficit_is_left_where_it_is_cheaper() -> None:
    """To move a kWh costs 0.01 and saves 0.01 p.u. h: at 0.99 currency/(p.u. h) nobody moves, at 1.01 all do."""
    assert central_bound(*two_loads(), aim=Aim(deficit_price=0.99)).deficit_pu_h == pytest.approx(0.03, abs=1e-7)
    assert central_bound(*two_loads(), aim=Aim(deficit_price=1.01)).deficit_pu_h == pytest.approx(0.0, abs=1e-7)


def test_the_margin_is_kept() -> None:
    """0.01 p.u. of margin: 4 kW in each of two hours."""
    bound = central_bound(*two_loads(), aim=Aim(margin_pu=0.01))
    assert bound.p_kw.sum(axis=1) == pytest.approx([4.0, 4.0, 0.0], abs=1e-6)


def test_only_active_steps_have_limits() -> None:
    bound = central_bound(*two_loads(), options=Options(active=np.array([False, True, True])))
    assert bound.p_kw.sum(axis=1) == pytest.approx([8.0, 0.0, 0.0], abs=1e-6)


def test_the_greatest_least_headroom_under_a_cap_by_hand() -> None:
    """3.75 % more buys the 5 kW of the first test, as moving a kWh costs 0.01: headroom 0.95 - 0.95 = 0.

    With 12.5 % more, 0.90: x, y, 8 - x - y with peaks x = y = 3 and 2 cost 0.30 + 0.33 + 0.24 = 0.87 < 0.90; even
    thirds, 8 / 3 each, are 0.88. The least headroom is 0.05 - 0.08 / 3.
    """
    small = central_bound(*two_loads(), aim=Aim("worst-headroom", bill_cap_percent=3.75))
    assert small.observation.headroom_pu.min() == pytest.approx(0.0, abs=1e-7)
    large = central_bound(*two_loads(), aim=Aim("worst-headroom", bill_cap_percent=12.5))
    assert large.observation.headroom_pu.min() == pytest.approx(0.05 - 0.08 / 3, abs=1e-7)
    assert large.bills.sum() == pytest.approx(0.88, abs=1e-6)  # what is not needed is not spent


def test_the_cap_counts_what_is_decided_already() -> None:
    """5 and 5 of it: 0.03 more is 0.03 / 10.8 of the bills, and buys what it does in the test above."""
    feeder, customers, tariff = two_loads()
    customers = BlockCustomers([replace(block, fixed_cost=5.0) for block in customers.blocks()])
    bound = central_bound(feeder, customers, tariff, aim=Aim("worst-headroom", bill_cap_percent=3.0 / 10.8))
    assert bound.observation.headroom_pu.min() == pytest.approx(0.0, abs=1e-7)
    assert bound.bills.sum() == pytest.approx(10.83, abs=1e-6)


def test_the_mean_of_nightly_least_headrooms_by_hand() -> None:
    """Nights: hour 0, and hours 1 and 2 (an hour between them counts nowhere and is dear).

    Under a cap of 0.81, 1 kWh moves from hour 0 at 0.10 to the second night, cheapest at 0.11 to its first hour alone.
    The mean of the least headrooms: (0.05 - 0.07 + 0.05 - 0.01) / 2 = 0.01, as before the move: (0.05 - 0.08 + 0.05) /
    2. To spread it over both hours is dearer, 0.115 on average: 2/3 kWh, 1/3 in each: (0.05 - 0.22 / 3 + 0.05 - 0.01 /
    3) / 2 = 0.0116667, which is more.
    """
    feeder, _, _ = two_loads((0.10, 0.9, 0.11, 0.12))
    customers = BlockCustomers([shiftable(np.zeros(4), 4.0, 4.0, 1.0) for _ in range(2)])
    options = Options(active=np.array([True, False, True, True]))
    aim = Aim("mean-headroom", bill_cap_percent=1.25)
    bound = central_bound(feeder, customers, flat((0.10, 0.9, 0.11, 0.12), 2), options=options, aim=aim)
    headroom = bound.observation.headroom_pu[:, 0]
    assert (headroom[0] + headroom[2:].min()) / 2 == pytest.approx(0.035 / 3, abs=1e-7)


def test_the_ac_power_flow_is_what_was_foretold() -> None:
    """Voltages of two buses in closed form; the limit of the highest load is met within the agreement."""
    hours = 12
    blocks = [shiftable(np.ones(hours), 30.0, 20.0, 1.0, -0.3), storage(np.linspace(-3, 6, hours), 20, 10, 0.9, 1.0)]
    feeder = TwoBus(2e-3, 1e-3, np.full(hours, 10.0), 0.94)
    bound = central_bound(feeder, BlockCustomers(blocks), flat(0.1 + 0.01 * np.arange(hours), 2))
    assert bound.rounds >= 2
    assert bound.linearisation_error_pu <= 1e-6
    voltage = feeder.voltage(10.0 + bound.p_kw.sum(axis=1), bound.q_kvar.sum(axis=1))
    assert (bound.observation.value[:, 0] == voltage).all()
    assert voltage.min() == pytest.approx(0.94, abs=1e-6)
    assert bound.q_kvar == pytest.approx(np.column_stack([-0.3 * bound.p_kw[:, 0], np.full(hours, -0.5)]))


def test_a_bound_that_does_not_agree_is_refused() -> None:
    hours = 12
    customers = BlockCustomers([shiftable(np.ones(hours), 30.0, 20.0, 1.0)])
    feeder = TwoBus(2e-3, 1e-3, np.full(hours, 10.0), 0.94)
    tariff = flat(0.1 + 0.01 * np.arange(hours), 1)
    with pytest.raises(BoundError, match="after 1 linearisations"):
        central_bound(feeder, customers, tariff, aim=Aim(max_rounds=1))


def test_demand_charges_of_the_tariff_are_paid() -> None:
    """A charge of 0.05 per kW on the first hour for the first customer alone: it leaves that hour, the other stays.

    Moving 4 kWh from hour 0 to 1 costs 0.04 and saves 0.20; the voltage then holds by itself (4 kW each).
    """
    feeder, customers, tariff = two_loads()
    window = np.array([[True, False, False]])
    tariff = replace(tariff, demand_price=np.array([[0.05, 0.0]]), demand_window=window)
    bound = central_bound(feeder, customers, tariff)
    assert bound.p_kw == pytest.approx(np.array([[0.0, 4.0], [4.0, 0.0], [0.0, 0.0]]), abs=1e-6)
    assert bound.bills == pytest.approx([0.44, 0.40], abs=1e-7)


def test_other_costs_are_part_of_the_bills() -> None:
    """The toy battery's wear, 1e-4 per kWh charged or discharged, and what is decided already, 5."""
    block = replace(storage(np.array([0.0, 3.0]), 2.0, 2.0, 1.0, 1.0), fixed_cost=5.0)
    feeder = LinearFeeder(np.ones((2, 1)), np.full((1, 1), 0.01), 0.9)
    bound = central_bound(feeder, BlockCustomers([block]), flat([0.1, 0.2], 1))
    assert bound.p_kw[:, 0] == pytest.approx([2.0, 1.0], abs=1e-6)
    assert bound.bills[0] == pytest.approx(5.0 + 0.2 + 0.2 + 4e-4, abs=1e-8)


def test_what_cannot_be_aimed_at_is_refused() -> None:
    with pytest.raises(InputErrors) as error:
        Aim("voltage", deficit_price=-1.0, max_rounds=0)  # type: ignore[arg-type]
    assert [fault.field for fault in error.value.errors] == ["deficit_price", "max_rounds", "kind"]
