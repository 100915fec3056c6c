"""What homes of a region pay, and what they get for letting the operator curb their devices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pandas as pd

from agents.dso.relief import CurA, CurB, Measure
from agents.prosumer.behind_meter import BehindMeter
from feeders.errors import InputError, InputErrors

__all__ = ["HomePrices", "home_cost"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class HomePrices:
    """Prices of energy, and the yearly reduction of network fees; the virtual prices of storage are no part of it.

    The defaults are round figures of German homes in 2024: a household paid about 0.40 EUR/kWh, PV of up to 10 kWp
    got about 0.08 EUR/kWh for feed-in (par. 48 EEG), and the flat reduction for a home with a controllable device,
    module 1 of the Bundesnetzagentur's ruling BK8-22/010-A on par. 14a EnWG, was 110 to 190 EUR a year with VAT,
    depending on the operator. It is paid per home, not per device, whether devices are curbed or not; proactive
    measures are paid nothing. The ruling leaves devices of up to 4.2 kW alone, and most heat pumps of well insulated
    homes are smaller; the measures here curb them as their source does, so they are paid too.

    Attributes
    ----------
    buy, sell : float or array, shape (T,)
        Price of import, and what export earns [EUR/kWh], finite.
    fee_reduction : float
        EUR a year for a home with a device that a curative measure may curb, >= 0.

    Raises
    ------
    InputErrors
        For prices that are not finite and a reduction below 0.
    """

    buy: float | Array = 0.40
    sell: float | Array = 0.08
    fee_reduction: float = 150.0

    def __post_init__(self) -> None:
        problems = [
            InputError("prices", field.name, getattr(self, field.name), "finite prices in EUR/kWh")
            for field in fields(self)[:2]
            if not np.isfinite(getattr(self, field.name)).all()
        ]
        if not 0 <= self.fee_reduction < np.inf:
            problems.append(InputError("prices", "fee_reduction", self.fee_reduction, "0 or more EUR a year"))
        if problems:
            raise InputErrors(problems)

    def columns(self, n_steps: int) -> tuple[Array, Array]:
        """Prices of import and of export in each step, both of shape (n_steps,)."""
        return tuple(np.broadcast_to(np.asarray(price, dtype=float), n_steps) for price in (self.buy, self.sell))  # type: ignore[return-value]


def home_cost(
    energy_cost: Array, assets: BehindMeter, measures: Sequence[Measure], prices: HomePrices, years: float
) -> pd.DataFrame:
    """What each home pays: ``energy``, ``fee_reduction`` and ``total``, energy less reduction [EUR].

    Parameters
    ----------
    energy_cost : array, shape (n,)
        Import less export at their prices [EUR].
    measures : sequence
        `CurA` entitles homes with a charger, `CurB` those with a heat pump.
    years : float
        Length of the time that is paid for: 1 for a year of 365 days.
    """
    entitled = np.zeros(len(assets), dtype=bool)
    for measure in measures:
        if isinstance(measure, CurA):
            entitled |= assets.ev_kw > 0
        elif isinstance(measure, CurB):
            entitled |= assets.hp_kw > 0
    reduction = np.where(entitled, prices.fee_reduction * years, 0.0)
    columns = {"energy": energy_cost, "fee_reduction": reduction, "total": energy_cost - reduction}
    return pd.DataFrame(columns, index=pd.Index(assets.ids, name="home"))
