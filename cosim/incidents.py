"""What goes on in a living model that is worth a line in a log: each thing when it begins, not as long as it lasts.

Everything is read off the tally, which counts control steps of each prosumer as the run goes, so that nothing is missed
and nothing is kept of the run. One call looks at all prosumers at once, and gives at most a line for each scenario and
kind of incident, however many prosumers are concerned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from agents.prosumer import Status

if TYPE_CHECKING:
    from cosim.model import CoSimulation

__all__ = ["FIRST_NAMES", "HUNTS", "KINDS", "Incident", "Incidents"]

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

FIRST_NAMES = 3
"""Of how many prosumers an incident gives the names."""

HUNTS = 2
"""Reversals between two calls from which on a voltage hunts: one is a rule's answer to what a market step brings."""

_COUNTED = {
    "hunting": "n_reversals",
    "range-missed": "n_range_missed",
    "plan-kept": "n_plan_kept",
    "not-settled": "n_not_settled",
    "lp-fallback": "n_lp_fallback",
    "voltage-high": "n_above_max",
    "voltage-low": "n_below_min",
}
"""Kinds of incidents that last, by what the tally counts of them."""

KINDS = (*_COUNTED, "voltage-back", "failure")
"""All kinds of incidents; the last two are of a moment."""

_FLAGS = {
    "range-missed": Status.RANGE_MISSED,
    "plan-kept": Status.PLAN_KEPT,
    "not-settled": Status.NOT_SETTLED,
    "lp-fallback": Status.LP_FALLBACK,
}

_TEXTS = {
    "range-missed": "battery and PV cannot reach what the rule permits",
    "plan-kept": "no plan can be made; the last one is followed",
    "not-settled": "rule and voltage do not settle within the control step",
    "lp-fallback": "a price below zero is ahead, and HiGHS plans",
    "voltage-back": "back within the limits",
}


@dataclass(frozen=True)
class Incident:
    """Something that began.

    Attributes
    ----------
    minute : int
        Control step in which it was first seen, counted from the start of the run.
    copy : int
        Place of the scenario in the model's `settings`.
    kind : str
        One of `KINDS`.
    n_prosumers : int
        How many prosumers it began for; 0 where it is about none of them.
    names : tuple of str
        The first `FIRST_NAMES` of these, in row order.
    text : str
        What happened, a sentence for people.
    """

    minute: int
    copy: int
    kind: str
    n_prosumers: int
    names: tuple[str, ...]
    text: str


class Incidents:
    """The incidents of a model from now on.

    Parameters
    ----------
    model : CoSimulation
        Whose; what it has lived before is no news.
    """

    def __init__(self, model: CoSimulation) -> None:
        self._model = model
        self._counts = self._counted()
        self._lasting: Flags = np.zeros(self._counts.shape, dtype=bool)
        self._until = model.record.n_lived
        self._failed = model.failure is not None

    def since_last(self) -> list[Incident]:
        """What began since the last call, ordered by control step, scenario and kind; to be called once a market step.

        What goes on for a prosumer since the market step before is not told again. After several steps at once they
        count as one, and what is not of the last of them is put at the first.
        """
        if self._model.record.n_lived == self._until:
            return self._failure()
        counts, before = self._counted(), self._lasting
        grown = counts - self._counts
        least = np.array([HUNTS if kind == "hunting" else 1 for kind in _COUNTED])
        lasting = grown >= least[:, None]
        began = dict(zip(_COUNTED, lasting & ~before, strict=True))
        beyond = slice(-2, None)  # either limit
        began["voltage-back"] = before[beyond].any(axis=0) & ~lasting[beyond].any(axis=0)
        found = [
            self._incident(kind, copy, rows, grown[0])
            for kind, who in began.items()
            for copy in np.unique(self._model.rows.copy[who]).tolist()
            for rows in [np.flatnonzero(who & (self._model.rows.copy == copy))]
        ]
        self._counts, self._lasting, self._until = counts, lasting, self._model.record.n_lived
        return sorted([*found, *self._failure()], key=lambda i: (i.minute, i.copy, KINDS.index(i.kind)))

    def _counted(self) -> Array:
        """What the tally has counted, shape (len(_COUNTED), n)."""
        return np.array([self._model.tally.count(name) for name in _COUNTED.values()], dtype=float)

    def _incident(self, kind: str, copy: int, rows: npt.NDArray[np.intp], reversals: Array) -> Incident:
        ids = self._model.rows.assets.ids
        names = tuple(ids[row] for row in rows[:FIRST_NAMES])
        among = ", ".join(names) + (", ..." if len(rows) > FIRST_NAMES else "")
        who = f"{len(rows)} prosumer{'s' if len(rows) > 1 else ''} ({among})"
        text = f"{who}: {self._text(kind, copy, rows, reversals)}"
        return Incident(self._minute(kind, copy, rows), copy, kind, len(rows), names, text)

    def _text(self, kind: str, copy: int, rows: npt.NDArray[np.intp], reversals: Array) -> str:
        if kind in _TEXTS:
            return _TEXTS[kind]
        if kind == "hunting":
            return f"the voltage turns back and forth, up to {reversals[rows].max():.0f} times"
        voltage, vm_pu = self._model.settings[copy].voltage, self._seen("vm_pu")[:, rows]
        if kind == "voltage-high":
            return f"above {voltage.vm_max_pu:g} p.u.: {vm_pu.max():.4f} p.u. at its highest"
        return f"below {voltage.vm_min_pu:g} p.u.: {vm_pu.min():.4f} p.u. at its lowest"

    def _minute(self, kind: str, copy: int, rows: npt.NDArray[np.intp]) -> int:
        """The first control step in which it is seen; the first since the last call where that cannot be told."""
        seen, voltage = self._seen, self._model.settings[copy].voltage
        if kind in _FLAGS:
            there = seen("status")[:, rows].astype(np.int64) & _FLAGS[kind] != 0
        elif kind == "voltage-high":
            there = seen("vm_pu")[:, rows] > voltage.vm_max_pu
        elif kind == "voltage-low":
            there = seen("vm_pu")[:, rows] < voltage.vm_min_pu
        else:
            return self._until
        at = np.flatnonzero(there.any(axis=1))
        return self._model.record.n_lived - len(there) + int(at[0]) if len(at) else self._until

    def _seen(self, name: str) -> Array:
        """A column in the control steps of the last market step, as far as it was lived."""
        record = self._model.record
        present = record.present(name)
        return present[: (record.n_lived - 1) % len(present) + 1]

    def _failure(self) -> list[Incident]:
        """The end of the run before its end, once."""
        failure, told = self._model.failure, self._failed
        self._failed = failure is not None
        if failure is None or told:
            return []
        return [Incident(failure.control_step, failure.copy, "failure", 0, (), str(failure))]
