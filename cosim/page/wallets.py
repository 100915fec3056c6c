"""What rules have cost each prosumer so far, from the copies of a feeder that live side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from cosim import indices
from cosim.model import CoSimulation

__all__ = ["SUMMARY", "WALLET", "Wallets"]

Array = npt.NDArray[np.float64]

WALLET = ("cost", "gain_kept_percent", "lcg_percent", "tce_kwh")
"""Of each prosumer and side, as in `cosim.outcome.Run.indices`."""

SUMMARY = (
    *("rule", "gain_kept_near_percent", "gain_kept_far_percent", "rule_cost_near", "rule_cost_far"),
    *("curtailed_kwh", "vm_min_pu", "vm_max_pu", "minutes_beyond_limits"),
)


class Wallets:
    """Costs and what they are compared with.

    Parameters
    ----------
    model : CoSimulation
        Copies of one feeder with the same prosumers: those that are shown, one without a rule, and last one without
        optimisation.
    prosumers : DataFrame
        ``prosumer``, ``bus``, ``distance_ohm``, near to far.
    rows : sequence of arrays of int
        Rows of these prosumers, by copy.
    """

    def __init__(self, model: CoSimulation, prosumers: pd.DataFrame, rows: Sequence[npt.NDArray[np.int64]]) -> None:
        self._model, self._prosumers, self._rows = model, prosumers, rows

    def table(self) -> pd.DataFrame:
        """One row per prosumer, near to far; of each side the columns `WALLET` with ``_0`` or ``_1`` behind.

        All of what has been lived so far. NaN where there is nothing to compare with: before the first step, and where
        optimisation has gained nothing, or not yet.
        """
        totals = self._totals()
        cost = totals["cost"].to_numpy()
        *shown, free, idle = (cost[rows] for rows in self._rows)
        columns: dict[str, Array] = {}
        for side, own in enumerate(shown):
            found = (
                own,
                indices.gain_kept(own, free, idle),
                indices.loss_of_consumer_gain(own, free),
                totals["tce_kwh"].to_numpy()[self._rows[side]],
            )
            columns |= {f"{name}_{side}": values for name, values in zip(WALLET, found, strict=True)}
        return self._prosumers.assign(**columns)

    def summary(self, labels: Sequence[str]) -> pd.DataFrame:
        """One row per side, the columns `SUMMARY`, over all that has been lived so far.

        Gain kept is of the nearest and the farthest third of the prosumers that have a gain to keep, as one: the sum of
        what they kept over the sum of what there was. The rule's cost is what a home of the nearest and of the farthest
        third of all pays more than without a rule, on average: it is known from the first step on, also while batteries
        fill and nobody has gained anything yet. Voltages are those at homes; the minutes are of the home that had
        most of them beyond the limits.
        """
        totals, step_min = self._totals(), self._model.clock.control_step_h * 60
        cost = totals["cost"].to_numpy()
        *shown, free, idle = (cost[rows] for rows in self._rows)
        found = []
        for side, (label, own) in enumerate(zip(labels, shown, strict=True)):
            of_side = totals.iloc[self._rows[side]]
            beyond = of_side["n_above_max"] + of_side["n_below_min"]
            lived = self._model.clock.step > 0
            extremes = (of_side["vm_min_pu"].min(), of_side["vm_max_pu"].max()) if lived else (np.nan, np.nan)
            kept = indices.near_and_far(own, free, idle)
            third, more = -(-len(own) // 3), own - free
            costs = (more[:third].mean(), more[len(own) - third :].mean())
            found.append((label, *kept, *costs, of_side["tce_kwh"].sum(), *extremes, step_min * beyond.max()))
        return pd.DataFrame(found, columns=list(SUMMARY))

    def _totals(self) -> pd.DataFrame:
        model = self._model
        return model.tally.table(model.accounts.costs(model.ledger.cost), model.clock.control_step_h)
