"""Which of many days under uncertainty a hosting capacity is asked for."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from cosim.hosting.case import HostingCase
from cosim.hosting.scenarios import noisy
from cosim.strict import Strict

__all__ = ["Noise"]

NotNegative = Annotated[int, Field(ge=0)]


class Noise(Strict):
    """One scenario of sun, load, temperature and price around the expected day; see `cosim.hosting.scenarios.noisy`.

    Attributes
    ----------
    seed : int
        Of all scenarios.
    scenario : int
        Number of this one: the same however many there are.
    sigma : float
        Standard deviation, as a share.
    """

    seed: NotNegative = 0
    scenario: NotNegative = 0
    sigma: float = Field(0.1, ge=0)

    def on(self, case: HostingCase) -> HostingCase:
        """The case on this day."""
        return case.with_inputs(noisy(case.inputs, np.random.SeedSequence([self.seed, self.scenario]), self.sigma))
