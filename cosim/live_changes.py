"""What may be changed while a model lives, between one market step and the next, and what its plans hold for then.

**A rule** holds from the next control step on. Nothing else depends on it: neither plans nor an operator's rehearsal
know the rules, and the run whose voltages an open loop reads has none. Inverters remember nothing but the voltage that
they measured last. So a model whose rule is changed at its start is that of the other rule, to the last bit.

**A tariff** is paid from the next market step on; steps that have been lived keep the prices and price steps that they
were billed at. Where a price ahead changes, all plans are dropped, so that everyone plans anew; where none does, they
are kept. Between steps a meter has nothing open but what demand charges have seen of their billing period, and a fixed
charge is of a whole period too: these two cannot change once the run has begun. Nor can an operator take back what it
has published for a day: its tariff changes between days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from agents.prosumer import rule_by_name
from cosim.accounts import Accounts
from cosim.build import run_prices
from cosim.scenario import Scenario
from cosim.tariff import Prices, RealTimeTariff, Tariff, TariffBase
from cosim.validation import tariff_problems
from feeders.errors import InputError, InputErrors

if TYPE_CHECKING:
    from cosim.model import CoSimulation

__all__ = ["Change", "change_rule", "change_tariff", "plans_ahead"]

Array = npt.NDArray[np.float64]

_WHERE = "change while running"


@dataclass(frozen=True)
class Change:
    """What was changed in a model.

    Attributes
    ----------
    step : int
        First market step for which it holds.
    copy : int or None
        Which scenario; None for all.
    field : str
        ``"rule"`` or ``"tariff"``.
    value : str or Tariff
        What it is since then.
    """

    step: int
    copy: int | None
    field: str
    value: str | Tariff


def change_rule(model: CoSimulation, rule: str, copy: int = 0) -> None:
    """Let the prosumers of a scenario that have no rule of their own obey another one from the next market step on.

    Parameters
    ----------
    model : CoSimulation
    rule : str
        Name of a rule.
    copy : int
        Place of the scenario in the model's `settings`.

    Raises
    ------
    InputError
        For a rule that there is not, with the nearest, and a scenario that there is not; nothing is changed then.
    """
    if not isinstance(copy, int) or not 0 <= copy < len(model.settings):
        allowed = f"0 to {len(model.settings) - 1}, the place of a scenario"
        raise InputError(_WHERE, "copy", copy, allowed)
    if not isinstance(rule, str):
        raise InputError(_WHERE, "rule", rule, "the name of a rule")
    rule_by_name(rule)
    settings = list(model.settings)
    settings[copy] = settings[copy].model_copy(update={"rule": rule})
    obeyed = list(model.population.assets.rule)
    rows = np.flatnonzero(model.rows.copy == copy).tolist()
    for row, prosumer in zip(rows, settings[copy].prosumers, strict=True):
        if prosumer.rule is None:
            obeyed[row] = rule
    model.population.obey(obeyed)
    model.settings = settings
    model.rows = model.rows.of(settings, model.population.assets)
    model.changes.append(Change(model.clock.step, copy, "rule", rule))


def change_tariff(model: CoSimulation, tariff: Tariff) -> None:
    """Let all prosumers of all scenarios pay, and plan against, another tariff from the next market step on.

    Prices that were published by hand (`Signals.publish`) for steps to come are dropped.

    Parameters
    ----------
    model : CoSimulation
    tariff : Tariff
        It must fit the whole run, as the tariff of a scenario must.

    Raises
    ------
    InputError, InputErrors
        For a tariff that a scenario cannot have, one with other demand or fixed charges once the run has begun, and any
        within a day for which an operator has published its prices; nothing is changed then.
    """
    settings = [_with_tariff(scenario, tariff) for scenario in model.settings]
    now = model.clock.step
    _require_usable(model, settings)
    prices = [
        _joined(before, run_prices(scenario), now) for before, scenario in zip(model.rows.prices, settings, strict=True)
    ]
    same = all(map(_equal, model.rows.prices, prices))
    if not same:
        model.planners.forget()
        model.rows = model.rows.at_prices(prices, now)
    if now == 0:  # nothing is billed yet: all charges may be others
        model.accounts = Accounts(settings, model.rows.copy)
    else:
        model.accounts.reprice(now, settings)
    model.settings = settings
    model.rows = model.rows.of(settings, model.population.assets)
    model.changes.append(Change(now, None, "tariff", settings[0].tariff))


def plans_ahead(model: CoSimulation, rows: Sequence[int]) -> tuple[Array, Array]:
    """What the present plans of some prosumers hold for the steps to come: what they do if it is as they expect.

    A rule may take back part of it, and who finds that something is not as expected plans anew.

    Parameters
    ----------
    model : CoSimulation
    rows : sequence of int
        Rows of the population.

    Returns
    -------
    p_battery_kw, p_flexible_kw : array, shape (k, len(rows))
        AC power of the battery (> 0 charging) and flexible load [kW] in the market steps from the next one to the end
        of the window that the last one looked at: to the end of the day, none at its end, or 24 hours from the last
        step. NaN where nobody has a plan: who does not optimise, everyone before the first step, all whose plans were
        dropped with a tariff.

    Raises
    ------
    InputError
        For a row that there is not.
    """
    wanted = np.array(rows, dtype=np.int64)
    if wanted.ndim != 1 or ((wanted < 0) | (wanted >= len(model.population))).any():
        raise InputError("plans ahead", "rows", list(rows), f"rows of the population, 0 to {len(model.population) - 1}")
    now = model.clock.step
    battery, flexible = model.planners.ahead(now, model.clock.window(max(now - 1, 0)).until)
    return battery[:, wanted], flexible[:, wanted]


def _with_tariff(scenario: Scenario, tariff: Tariff) -> Scenario:
    """The scenario with another tariff, whose file is absolute as in any scenario."""
    if not isinstance(tariff, TariffBase):
        raise InputError(_WHERE, "tariff", tariff, "a tariff, see `cosim.tariff`")
    if isinstance(tariff, RealTimeTariff):
        tariff = tariff.model_copy(update={"file": str(Path(tariff.file).absolute())})
    return scenario.model_copy(update={"tariff": tariff})


def _require_usable(model: CoSimulation, settings: Sequence[Scenario]) -> None:
    """Raise what keeps these scenarios, which differ from a model's by their tariffs, from taking over now."""
    now = model.clock.step
    pairs = zip(model.settings, settings, strict=True) if now else ()
    found = [error for before, after in pairs for error in _fixed(before, after)]
    if model.evenings and now % model.clock.steps_per_day:
        allowed = "a change between days, or on reset: an operator has published what this day is planned against"
        found.append(InputError(_WHERE, "tariff", settings[0].tariff.kind, allowed))
    found += [error for scenario in settings for error in tariff_problems(scenario)]
    found = list({str(error): error for error in found}.values())
    if len(found) > 1:
        raise InputErrors(found)
    if found:
        raise found[0]


def _fixed(before: Scenario, after: Scenario) -> list[InputError]:
    """The charges that would change, though they are of whole billing periods."""
    old, new = before.tariff, after.tariff
    found = []
    if old.fixed_per_day != new.fixed_per_day:
        allowed = f"{old.fixed_per_day:g} as until now: a fixed charge applies on reset"
        found.append(InputError(_WHERE, "tariff.fixed_per_day", new.fixed_per_day, allowed))
    charged = old.demand_charges or new.demand_charges
    if charged and (old.demand_charges, old.calendar) != (new.demand_charges, new.calendar):
        names = ", ".join(charge.name for charge in new.demand_charges) or "none"
        allowed = "those of until now, in the same local time, seasons and holidays: demand charges apply on reset"
        found.append(InputError(_WHERE, "tariff.demand_charges", names, allowed))
    return found


def _joined(before: Prices, after: Prices, now: int) -> Prices:
    """Prices of a run: one until step `now`, then the other."""
    parts = ((before.price_buy, after.price_buy), (before.price_sell, after.price_sell))
    return Prices(*(np.concatenate([old[:now], new[now:]]) for old, new in parts))


def _equal(one: Prices, other: Prices) -> bool:
    return np.array_equal(one.price_buy, other.price_buy) and np.array_equal(one.price_sell, other.price_sell)
