"""What congestion relief in a scenario must be, beyond types."""

from __future__ import annotations

import math
from collections.abc import Iterator

from cosim.relief import threshold_of
from cosim.scenario import Scenario
from feeders import Feeder
from feeders.errors import InputError

__all__ = ["relief_problems"]


def relief_problems(scenario: Scenario, feeder: Feeder) -> Iterator[InputError]:
    """What is wrong with an operator's threshold on a feeder."""
    if scenario.relief is not None and math.isnan(threshold_of(scenario.relief, feeder)):
        allowed = "a load: the feeder has no transformer at its supply whose rating it could be a share of"
        yield InputError("scenario", "relief.threshold_kw", None, allowed)
