"""A dummy demand charge: each customer plans as if its own highest import of the night had a price.

A price per kWh cannot split a schedule that fills up in the cheapest steps: it moves as a whole. A charge on each
customer's highest import answers gradually: the plan spreads out until a kW less of peak is worth no more than the
losses of storing for longer. It needs no model of the feeder and no iteration, and as it is on each customer's own
import it works for many customers of one kind, who would all jump to the same step under a price.

A window is a contiguous run of active steps, as a night. Terms of the tariff itself stay.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from agents.dso.rehearsal import Rehearsal
from agents.dso.signals.parameters import Parameters, within
from agents.dso.signals.rule import NewestPlan
from agents.dso.signals.source import source_prices
from agents.terms import Terms

__all__ = ["DemandCharge", "DemandChargeLocal", "runs", "with_demand_charge"]


@dataclass(frozen=True)
class DemandCharge(NewestPlan, Parameters):
    """A demand charge for each run of active steps, once.

    Attributes
    ----------
    price : float
        Of the highest import within a run [currency/kW].
    """

    name: ClassVar[str] = "demand-charge"
    price: float = within(0.0, 1000.0, 0.006)

    def terms(self, past: Rehearsal) -> Terms | None:
        """The tariff with the charge; None after that."""
        return with_demand_charge(past, self.price) if len(past.iterates) == 1 else None


@dataclass(frozen=True)
class DemandChargeLocal(NewestPlan, Parameters):
    """A smaller demand charge first, then on top of it each customer's own price as of "source-local".

    Attributes
    ----------
    price : float
        Of the highest import within a run [currency/kW].
    alpha : float
        Exponent of the price; see `agents.dso.signals.source.Source`.
    """

    name: ClassVar[str] = "demand-charge-local"
    price: float = within(0.0, 1000.0, 0.004)
    alpha: float = within(0.0, 100.0, 4.0)

    def terms(self, past: Rehearsal) -> Terms | None:
        """The tariff with the charge, then the last terms with prices raised; None where nothing falls short."""
        if len(past.iterates) == 1:
            return with_demand_charge(past, self.price)
        return source_prices(past, self.alpha, local=True)


def with_demand_charge(past: Rehearsal, price: float) -> Terms:
    """The tariff with a demand charge of `price` [currency/kW] on each run of active steps."""
    tariff, windows = past.tariff, runs(past.active)
    charge = np.full((len(windows), tariff.price_buy.shape[1]), price)
    return replace(
        tariff,
        demand_price=np.vstack([tariff.demand_price, charge]),
        demand_window=np.vstack([tariff.demand_window, windows]),
    )


def runs(active: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Contiguous runs of active steps, shape (n_runs, T)."""
    begins = active & ~np.concatenate([[False], active[:-1]])
    number = np.where(active, np.cumsum(begins), 0)
    found: npt.NDArray[np.bool_] = number == np.arange(1, int(begins.sum()) + 1)[:, None]
    return found
