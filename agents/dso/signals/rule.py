"""What a signal is: from the rehearsal so far to the next terms, and to what customers commit to."""

from __future__ import annotations

from typing import ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from agents.dso.rehearsal import Rehearsal
from agents.terms import Terms

__all__ = ["NewestPlan", "SignalRule"]

Array = npt.NDArray[np.float64]


class SignalRule(Protocol):
    """A signal by which the operator shapes what customers plan against.

    It holds parameters alone: whatever it knows, it reads from the rehearsal, so that one rule may serve many.

    Attributes
    ----------
    name : str
        Its name in `SIGNALS`.
    commits : bool
        Whether customers must commit to a mix of their plans. Where they need not, publishing the best terms is enough:
        each customer's own plan against them is what was rehearsed.
    """

    name: ClassVar[str]

    @property
    def commits(self) -> bool:
        """See above."""
        ...

    def terms(self, past: Rehearsal) -> Terms | None:
        """What to plan against next; None when the signal has nothing more to say."""
        ...

    def shares(self, past: Rehearsal) -> Array:
        """Share of each plan so far that each customer commits to, shape (n_responses, n); columns add up to 1.

        Asked when the newest plan is there, before the feeder is run over it.
        """
        ...


class NewestPlan:
    """Customers follow what is published: everyone adopts the newest plan."""

    @property
    def commits(self) -> bool:
        """They need not commit."""
        return False

    def shares(self, past: Rehearsal) -> Array:
        """One for the newest plan, zero for all before."""
        return past.newest_only()
