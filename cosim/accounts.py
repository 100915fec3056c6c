"""The bills of a run as it goes: accounts of all prosumers, whatever is recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from agents.prosumer import Signals
from cosim.profiles import market_times
from cosim.scenario import Scenario
from cosim.tariff import Account, Bill, Billing, Tariff

__all__ = ["COSTS", "Accounts"]

Array = npt.NDArray[np.float64]

COSTS = ("cost", "cost_energy", "cost_demand", "cost_fixed")
"""What each prosumer owes, and its parts [currency]."""


class Accounts:
    """The bills of the prosumers of one or several scenarios.

    A meter counts import and export in registers of their own, control step by control step, so that the mean import of
    a market step may be above its mean power.

    Parameters
    ----------
    scenarios : sequence of Scenario
    copy : array of int, shape (n,)
        Whose prosumer each row is.
    """

    def __init__(self, scenarios: Sequence[Scenario], copy: npt.NDArray[np.int64]) -> None:
        self._copy = copy
        # Scenarios that are billed alike share an account, as in an ensemble of rules.
        alike: dict[tuple[Tariff, datetime], list[int]] = {}
        for number, scenario in enumerate(scenarios):
            alike.setdefault((scenario.tariff, scenario.start), []).append(number)
        self._parts: list[tuple[npt.NDArray[np.intp], Account]] = []
        self._first = [numbers[0] for numbers in alike.values()]  # scenario of each part
        for number, numbers in zip(self._first, alike.values(), strict=True):
            rows = np.flatnonzero(np.isin(copy, numbers))
            self._parts.append((rows, Account(_billing(scenarios[number]), len(rows))))

    def reprice(self, now: int, scenarios: Sequence[Scenario]) -> None:
        """Bill energy of the market steps from `now` on as these scenarios say, and all else as until now."""
        for number, (_, account) in zip(self._first, self._parts, strict=True):
            account.reprice(now, _billing(scenarios[number]))

    def book(self, step: int, import_kwh: Array, export_kwh: Array, price_buy: Array, price_sell: Array) -> None:
        """Book a market step of all rows; see `Account.book`."""
        for rows, account in self._parts:
            account.book(step, import_kwh[rows], export_kwh[rows], price_buy[rows], price_sell[rows])

    def publish_charges(self, signals: Signals, now: int, until: int) -> None:
        """Let all plan against the demand charges of their tariffs that are open in the steps ``now .. until - 1``.

        Plans know the highest import so far. A charge of a month is planned against day by day: what a peak costs is
        weighed against what this day has to gain.
        """
        for rows, account in self._parts:
            window, price, peak_kw = account.ahead(now, until)
            if len(price):
                signals.publish_demand(now, window, np.tile(price[:, None], len(rows)), rows, peak_kw)

    def costs(self, energy_cost: Array) -> dict[str, Array]:
        """The columns `COSTS` up to now, shape ``(n,)`` each; the cost of energy is booked by the ledger."""
        demand, fixed = np.zeros(len(self._copy)), np.zeros(len(self._copy))
        for rows, account in self._parts:
            demand[rows], fixed[rows] = account.demand_cost, account.fixed_cost
        return dict(zip(COSTS, (energy_cost + demand + fixed, energy_cost, demand, fixed), strict=True))

    def bills(self, number: int, ids: Sequence[str]) -> pd.DataFrame:
        """The items of the bills of one scenario's prosumers, whose ids these are; see `cosim.tariff.Bill`."""
        own = np.flatnonzero(self._copy == number)
        for rows, account in self._parts:
            if np.isin(own, rows).all():
                return Bill.of(account.of(np.searchsorted(rows, own)), ids, "prosumer").items
        raise IndexError(number)

    def state(self) -> Mapping[str, Array]:
        """All that the bills depend on, by name; views."""
        return dict(self._named())

    def _named(self) -> Iterator[tuple[str, Array]]:
        for number, (_, account) in enumerate(self._parts):
            yield from ((f"{number}.{name}", value) for name, value in account.state().items())


def _billing(scenario: Scenario) -> Billing:
    return scenario.tariff.billing(market_times(scenario))
