"""PV capacity under inverter rules that each home follows by itself, in the closed minute loop."""

from __future__ import annotations

from typing import Any

import pandas as pd
from cosim.hosting.local import local_check

from cosim.hosting.case import HostingCase
from cosim.hosting.ladder import Ladder
from cosim.hosting.one_shot import bracket
from experiments.hosting_answer import limit_of
from experiments.hosting_runs import Told, definition_of
from experiments.hosting_settings import HostingSettings

__all__ = ["local_of"]


def local_of(hosting: HostingCase, settings: HostingSettings, static: float, told: Told) -> pd.DataFrame:
    """Capacity under each rule, by halves from the static one, and what the rule does to whom there.

    Parameters
    ----------
    hosting : HostingCase
    settings : HostingSettings
    static : float
        Static capacity, where the searches begin; NaN for none.
    told : callable
    """
    rows = []
    for rule in settings.rules:
        rows.append(_of_rule(hosting, settings, rule, static))
        told()
    return pd.DataFrame(rows)


def _of_rule(hosting: HostingCase, settings: HostingSettings, rule: str, static: float) -> dict[str, Any]:
    definition = definition_of("pv", settings).model_copy(update={"step": settings.local_step})
    ladder = Ladder(hosting, definition, local_check(hosting, rule))
    guess = 1 if static != static else round(static / settings.local_step)
    index = bracket(ladder, guess)
    capacity = ladder.capacity(index, "local", "one-shot")
    metrics = ladder.at(index).metrics if index >= 0 else {}
    return {
        "rule": rule,
        "capacity_percent": 100 * capacity.level,
        "limit": limit_of(capacity),
        "curtailed_percent": 100 * ladder.at(index).curtailed_share if index >= 0 else float("nan"),
        "gini_kept": metrics.get("gini_kept", float("nan")),
        "seconds": capacity.seconds,
    }
