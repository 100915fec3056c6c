"""The distribution system operator as an agent: before the day begins, it rehearses it with its customers."""

from __future__ import annotations

import mesa

from agents.customers import Customers
from agents.dso.coordination import Coordination, Options, coordinate
from agents.dso.monitor import Monitor
from agents.dso.signals.rule import SignalRule
from agents.terms import Terms

__all__ = ["DSO"]


class DSO(mesa.Agent):  # type: ignore[misc] # Mesa is untyped
    """Watches the feeder, and shapes the terms against which customers plan.

    Parameters
    ----------
    model : mesa.Model
        The model the agent lives in.
    monitor : Monitor
        What it watches.
    signal : SignalRule
        How it shapes terms; see `agents.dso.signals.make_signal`.
    options : Options, optional
        How long it rehearses, and where limits count.

    Attributes
    ----------
    last : Coordination or None
        The last rehearsal.
    """

    def __init__(self, model: mesa.Model, monitor: Monitor, signal: SignalRule, options: Options | None = None) -> None:
        super().__init__(model)
        self.monitor, self.signal, self.options = monitor, signal, options or Options()
        self.last: Coordination | None = None

    def rehearse(self, customers: Customers, tariff: Terms) -> Coordination:
        """Let customers plan against the tariff and then against signals, and have them adopt the best of it.

        What is raised is that of `agents.dso.coordination.coordinate`; the last rehearsal then stays as it was.
        """
        self.last = coordinate(self.monitor, customers, tariff, self.signal, options=self.options)
        return self.last

    @property
    def published(self) -> Terms | None:
        """The terms of the best iterate, against which customers plan; None before the first rehearsal.

        Where customers commit to a mix of plans (``last.commits``) these terms alone do not call it forth.
        """
        return None if self.last is None else self.last.best.terms
