"""What a coordinated capacity is worth where: nodal prices of its dispatch, and everybody settled at them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from agents.dso.dispatch import dispatch
from agents.dso.dispatch.settlement import settle
from agents.prosumer.fleet import RATINGS, Fleet
from cosim.hosting.case import HostingCase
from cosim.hosting.check import dynamic_settings
from cosim.hosting.definition import Definition

__all__ = ["Priced", "priced"]


class Priced(NamedTuple):
    """Nodal prices of a dispatch, and what they come to.

    Attributes
    ----------
    prices : DataFrame
        A row per step and energised bus: ``hour, bus, name, price`` [currency/kWh], what one kWh more there costs.
    settlement : DataFrame
        `agents.dso.dispatch.settlement.Settlement.rows`, by the names of the fleet's rows.
    """

    prices: pd.DataFrame
    settlement: pd.DataFrame


def priced(case: HostingCase, definition: Definition, fleet: Fleet) -> Priced | None:
    """Prices and settlement of a fleet's coordinated dispatch; None where no dispatch is confirmed.

    Parameters
    ----------
    case : HostingCase
    definition : Definition
        Says whether PV may be curtailed.
    fleet : Fleet
        At a confirmed level.
    """
    present = fleet.rows(np.any([getattr(fleet, name) > 0 for name in RATINGS], axis=0))
    done = dispatch(case.engine, present, case.inputs, dynamic_settings(definition))
    if not done.confirmed():
        return None
    inputs, feeder = case.inputs, case.feeder
    n_steps, n_buses = done.price.shape
    prices = pd.DataFrame(
        {
            "hour": np.repeat(inputs.start_h + inputs.step_h * np.arange(n_steps), n_buses),
            "bus": np.tile(feeder.buses, n_steps),
            "name": np.tile(np.array(case.names, dtype=object), n_steps),
            "price": done.price.ravel(),
        }
    )
    return Priced(prices.dropna(subset="price"), settle(case.engine, present, inputs, done).rows)
