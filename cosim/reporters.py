"""What a model reports to its DataCollector after each market step."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from agents.dso import Coordination

if TYPE_CHECKING:
    from cosim.model import CoSimulation

__all__ = ["reporters"]


def reporters(model: CoSimulation) -> dict[str, Callable[[CoSimulation], float]]:
    """By name; those of operators only where there is one."""
    return {**_OF_ALL, **(_OF_OPERATORS if model.evenings else {})}


def _of_last(value: Callable[[Coordination], float]) -> Callable[[CoSimulation], float]:
    """A number of each operator's last rehearsal, added up over the operators; NaN before any."""

    def reported(model: CoSimulation) -> float:
        last = [evening.dso.last for evening in model.evenings.values()]
        return float(sum(np.nan if found is None else value(found) for found in last))

    return reported


def _plan_price(model: CoSimulation) -> float:
    """Mean price that those who take part plan against in the market step that has been lived; NaN of nobody."""
    signals, rows = model.rows.signals, np.concatenate([evening.rows for evening in model.evenings.values()])
    price = signals.plan_price_buy[model.clock.step - 1 - signals.first, rows]
    return float(price.mean()) if len(price) else np.nan


_OF_OPERATORS: dict[str, Callable[[CoSimulation], float]] = {
    "tariff_deficit_pu_h": _of_last(lambda last: last.iterates[0].deficit_pu_h),
    "deficit_pu_h": _of_last(lambda last: last.best.deficit_pu_h),
    "plan_price_buy": _plan_price,
}
"""What a model with operators reports beside all others: the day's deficit as rehearsed, on the tariff and as
published, and the mean price that those plan against who take part."""


_OF_ALL: dict[str, Callable[[Any], float]] = {
    "cost": lambda m: float(m.accounts.costs(m.ledger.cost)["cost"].sum()),
    "vm_min_pu": lambda m: float(m.record.present("vm_pu").min(initial=np.inf)),
    "vm_max_pu": lambda m: float(m.record.present("vm_pu").max(initial=-np.inf)),
    "p_curtailed_kw": lambda m: float(m.record.present("p_curtailed_kw").sum() / m.clock.controls_per_step),
    "p_meter_kw": lambda m: float(m.record.present("p_meter_kw").sum() / m.clock.controls_per_step),
}
