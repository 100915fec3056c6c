"""The rehearsal: customers plan, the feeder is run over their plans, the operator shapes the next terms, and so on.

Iteration 0 is the tariff itself. Of all iterates the best is kept, not the last: prices that no schedule can satisfy
make loads jump to and fro. Whatever terms customers plan against, they pay the tariff.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from agents.customers import Customers
from agents.dso.monitor import Monitor
from agents.dso.rehearsal import Iterate, Options, Rehearsal, best_of
from agents.dso.signals.rule import SignalRule
from agents.terms import Terms
from feeders.errors import InputError, PowerFlowError

__all__ = ["Coordination", "HasDeficit", "Options", "coordinate"]

Array = npt.NDArray[np.float64]


class HasDeficit(Protocol):
    """What a signal is measured against: a bound."""

    @property
    def deficit_pu_h(self) -> float:
        """Its deficit [p.u. h]."""
        ...


@dataclass(frozen=True)
class Coordination:
    """A rehearsal that has ended.

    Attributes
    ----------
    signal : str
        Name of the signal.
    commits : bool
        Whether customers follow a mix of their plans instead of the published terms.
    iterates : list of Iterate
        All of them, in order.
    best : Iterate
        That which customers adopted: see `agents.dso.rehearsal.best_of`.
    ended : str
        Why there was no further one: "limits hold", "no gain", "iterations", "signal" (it had nothing more to say), or
        a power flow's error.
    customers : list of str
        Names.
    """

    signal: str
    commits: bool
    iterates: list[Iterate]
    best: Iterate
    ended: str
    customers: list[str]

    def table(self, bound: HasDeficit | None = None) -> pd.DataFrame:
        """One row per iterate.

        Columns: signal, iteration, v_min_pu, worst_headroom_pu, deficit_pu_h, bill [currency], bill_change_percent
        (of all customers together against iteration 0; NaN where that bill is 0), seconds, kept (customers without a
        new plan), best, and with a bound bound_share: the share ``(D_0 - D) / (D_0 - D_bound)`` of the bound's
        improvement that the iterate recovers, NaN where there is nothing to recover.
        """
        first = self.iterates[0]
        frame = pd.DataFrame(
            {
                "signal": self.signal,
                "iteration": [iterate.iteration for iterate in self.iterates],
                "v_min_pu": [iterate.v_min_pu for iterate in self.iterates],
                "worst_headroom_pu": [iterate.worst_headroom_pu for iterate in self.iterates],
                "deficit_pu_h": [iterate.deficit_pu_h for iterate in self.iterates],
                "bill": [float(iterate.bills.sum()) for iterate in self.iterates],
                "seconds": [iterate.seconds for iterate in self.iterates],
                "kept": [int(iterate.kept.sum()) for iterate in self.iterates],
                "best": [iterate is self.best for iterate in self.iterates],
            }
        )
        change = frame["bill"] - frame["bill"].iloc[0]
        frame.insert(6, "bill_change_percent", _percent(change.to_numpy(), float(first.bills.sum())))
        if bound is not None:
            gain = first.deficit_pu_h - bound.deficit_pu_h
            frame["bound_share"] = (first.deficit_pu_h - frame["deficit_pu_h"]) / (gain if gain != 0 else np.nan)
        return frame

    def by_customer(self) -> pd.DataFrame:
        """Who pays for the feeder's good: bills of the best iterate against the tariff's own, one row per customer.

        Columns: customer, bill_tariff, bill, change [currency], change_percent (of its own bill; NaN where that is 0),
        kept.
        """
        before, after = self.iterates[0].bills, self.best.bills
        return pd.DataFrame(
            {
                "customer": self.customers,
                "bill_tariff": before,
                "bill": after,
                "change": after - before,
                "change_percent": _percent(after - before, before),
                "kept": self.best.kept,
            }
        )


def coordinate(
    monitor: Monitor,
    customers: Customers,
    tariff: Terms,
    signal: SignalRule,
    *,
    options: Options | None = None,
) -> Coordination:
    """Rehearse until the limits hold, or nothing is gained any more, and have customers adopt the best iterate.

    Earlier plans of the customers are forgotten. A customer that can make no new plan keeps its last one and is
    flagged; the others go on. A signal whose plans the feeder cannot carry at all ends the rehearsal.

    Parameters
    ----------
    monitor : Monitor
        The feeder as the operator sees it.
    customers : Customers
        Who plans.
    tariff : Terms
        What customers pay, shape (T, n).
    signal : SignalRule
        How the terms are shaped.
    options : Options, optional

    Raises
    ------
    InputError, InputErrors
        For a tariff of another number of customers, `active` of another length, or a quantity without value.
    PlanError
        When a customer can make no plan against the tariff.
    PowerFlowError
        When the feeder has no usable power flow under the plans against the tariff.
    """
    options = options or Options()
    if tariff.price_buy.shape[1] != len(customers.names):
        raise InputError("tariff", "price_buy", tariff.price_buy.shape, f"a column for each of {len(customers.names)}")
    past = Rehearsal(monitor, customers, tariff, options)
    customers.forget()
    terms: Terms | None = tariff
    ended = ""
    while not ended:
        assert terms is not None
        try:
            _advance(past, terms, signal)
        except PowerFlowError as error:
            if not past.iterates:
                raise
            ended = str(error)
            break
        ended = _why_to_end(past, signal.commits)
        if not ended:
            terms = signal.terms(past)
            ended = "signal" if terms is None else ""
    best = best_of(past.iterates, options.tolerance_pu_h)
    unused = np.zeros((len(past.responses) - len(best.shares), best.shares.shape[1]))
    customers.adopt(np.vstack([best.shares, unused]))
    return Coordination(signal.name, signal.commits, past.iterates, best, ended, list(customers.names))


def _advance(past: Rehearsal, terms: Terms, signal: SignalRule) -> None:
    """One iteration: plans, shares, power flow, bills."""
    began = perf_counter()
    past.responses.append(past.customers.respond(terms))
    iterate = past.judged(terms, signal.shares(past))
    past.iterates.append(iterate.timed(perf_counter() - began))


def _why_to_end(past: Rehearsal, commits: bool) -> str:
    """Why the newest iterate is the last one; empty when it is not."""
    options, iterates = past.options, past.iterates
    stop_when_met = not commits if options.stop_when_met is None else options.stop_when_met
    # Where already the tariff holds all limits there is nothing to pay for.
    if (stop_when_met or past.last.iteration == 0) and past.last.deficit_pu_h <= options.tolerance_pu_h:
        return "limits hold"
    if past.last.iteration >= options.max_iterations:
        return "iterations"
    best = best_of(iterates, options.tolerance_pu_h)
    return "no gain" if past.last.iteration - best.iteration >= options.patience else ""


def _percent(change: Array, of: Array | float) -> Array:
    """Change in percent; NaN of nothing."""
    of = np.broadcast_to(np.asarray(of, dtype=float), change.shape)
    percent: Array = np.divide(100.0 * change, np.abs(of), out=np.full(change.shape, np.nan), where=of != 0)
    return percent
