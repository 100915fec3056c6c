"""Private noise on prices: where many plans cost the same, it scatters the customers among them.

Without losses over time, the moment of charging within a tariff's step is a tie; how solvers break it decides whether
a thousand homes charge at once. Noise far below any difference of the tariff breaks it for each customer otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from agents.dso.rehearsal import Rehearsal
from agents.dso.signals.parameters import Parameters, within
from agents.dso.signals.rule import NewestPlan
from agents.terms import Terms

__all__ = ["RandomTies"]


@dataclass(frozen=True)
class RandomTies(NewestPlan, Parameters):
    """Each price in active steps times a factor of its own, once; drawn with the seed of the options.

    Attributes
    ----------
    noise : float
        Factors are uniform within ``1 +- noise``. Standing losses per step that are larger hold it off.
    """

    name: ClassVar[str] = "random-ties"
    noise: float = within(0.0, 0.5, 0.001)

    def terms(self, past: Rehearsal) -> Terms | None:
        """The tariff with noise; None after that. Both prices share a factor, so that none sells above its buying."""
        if len(past.iterates) > 1:
            return None
        tariff = past.tariff
        drawn = np.random.default_rng(past.options.seed).uniform(-self.noise, self.noise, tariff.price_buy.shape)
        factor = np.where(past.active[:, None], 1.0 + drawn, 1.0)
        return replace(tariff, price_buy=tariff.price_buy * factor, price_sell=tariff.price_sell * factor)
