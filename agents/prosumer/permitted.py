"""What rules permit to many inverters: each rule is called once for all that obey it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from agents.prosumer.rules import Ranges, Rule, VoltageBand, no_rule, rule_by_name

__all__ = ["Permitted"]

Array = npt.NDArray[np.float64]
Rows = slice | npt.NDArray[np.int64]


class Permitted:
    """The ranges of n inverters.

    Parameters
    ----------
    rule : sequence of str
        Name of the rule that each obeys.
    band : sequence of VoltageBand
        Voltages where that rule acts.
    rating_kva : array, shape (n,)
        Ratings.
    """

    def __init__(self, rule: Sequence[str], band: Sequence[VoltageBand], rating_kva: Array) -> None:
        self._rating = rating_kva
        self._groups = list(_groups(rule, band))
        self._ranges = Ranges(*np.array(no_rule(rating_kva, rating_kva, VoltageBand())))

    def at(self, vm_pu: Array) -> Ranges:
        """What each rule permits at voltages of shape (n,) [p.u.]; arrays that the next call overwrites."""
        for rule, band, rows in self._groups:
            if rule is not no_rule:  # whose ranges never change
                for column, values in zip(self._ranges, rule(vm_pu[rows], self._rating[rows], band), strict=True):
                    column[rows] = values
        return self._ranges


def _groups(rules: Sequence[str], bands: Sequence[VoltageBand]) -> Iterator[tuple[Rule, VoltageBand, Rows]]:
    """Rows that obey the same rule in the same band."""
    groups: dict[tuple[str, VoltageBand], list[int]] = {}
    for row, key in enumerate(zip(rules, bands, strict=True)):
        groups.setdefault(key, []).append(row)
    for (name, band), rows in groups.items():
        together = rows[-1] - rows[0] == len(rows) - 1  # a slice is read and written faster than a list of rows
        yield rule_by_name(name), band, slice(rows[0], rows[-1] + 1) if together else np.array(rows)
