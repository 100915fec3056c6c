"""The tariffs of a scenario: flat, time of use, real time from a file, synthetic real time.

Each gives `Prices` for the market steps of a run, ``tariff.prices(times, folder=...)`` with the starts of the steps
in UTC and the folder against which file names are resolved. Each may have demand charges and a fixed charge beside
its prices; ``tariff.terms(times, n)`` gives prices and demand charges as the columns that customers plan against, and
``tariff.bill(times, p_meter_kw)`` what they pay, item by item.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from cosim.tariff.account import Account, Billing
from cosim.tariff.base import TariffBase
from cosim.tariff.bill import Bill
from cosim.tariff.calendar import Season
from cosim.tariff.demand import DemandCharge
from cosim.tariff.flat import FlatTariff
from cosim.tariff.holiday import Holidays
from cosim.tariff.presets import PRESETS
from cosim.tariff.prices import Prices
from cosim.tariff.real_time import RealTimeTariff
from cosim.tariff.synthetic import SyntheticTariff
from cosim.tariff.time_of_use import TimeOfUseTariff
from cosim.tariff.window import Period

__all__ = [
    "PRESETS",
    "Account",
    "Bill",
    "Billing",
    "DemandCharge",
    "FlatTariff",
    "Holidays",
    "Period",
    "Prices",
    "RealTimeTariff",
    "Season",
    "SyntheticTariff",
    "Tariff",
    "TariffBase",
    "TimeOfUseTariff",
]

Tariff = Annotated[FlatTariff | TimeOfUseTariff | RealTimeTariff | SyntheticTariff, Field(discriminator="kind")]
