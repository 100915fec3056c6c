"""How much a feeder takes: one question, answered by the mode of operation and the way of searching."""

from __future__ import annotations

import numpy as np

from agents.dso.dispatch import DispatchSettings
from agents.prosumer.fleet_checks import require_possible
from cosim.hosting.capacity import Capacity, Method, Mode
from cosim.hosting.case import HostingCase
from cosim.hosting.check import dynamic_check, dynamic_settings, static_check
from cosim.hosting.definition import Definition
from cosim.hosting.ladder import Ladder, Progress
from cosim.hosting.level import Check
from cosim.hosting.one_shot import bracket, dynamic_guess
from cosim.hosting.siting import RATING, fleet_at
from cosim.hosting.stepping import climb
from feeders.errors import InputError, InputErrors

__all__ = ["ANY_CONFIRMED", "DYNAMIC_STRIDE", "find"]

ANY_CONFIRMED = DispatchSettings(gap=1.0)
"""Any dispatch that the AC power flow confirms will do, where a level is asked for and not how cheaply it is had."""

DYNAMIC_STRIDE = 10
"""Levels at once of coordinated stepping, whose checks take seconds; then one by one."""


def find(
    case: HostingCase,
    definition: Definition,
    mode: Mode,
    method: Method = "stepping",
    progress: Progress | None = None,
    *,
    check: Check | None = None,
    settings: DispatchSettings | None = None,
) -> Capacity:
    """The highest level that the AC power flow confirms while the level one step higher is outside its limits.

    Parameters
    ----------
    case : HostingCase
    definition : Definition
    mode : {"static", "dynamic", "local"}
        Own profiles without coordination, coordinated dispatch, or a `check` of one's own.
    method : {"stepping", "one-shot"}
        From the base up, or by a guess that is then proven. Static stepping looks at every level; coordinated stepping
        at every tenth, then at each above the last inside.
    progress : callable, optional
        Called with each level and what came of it.
    check : Check, optional
        In place of the mode's own; required for "local".
    settings : DispatchSettings, optional
        Of the coordinated dispatch. Default: the cheapest in stepping, whose metrics are looked at; in one shot the
        first that the AC power flow confirms.

    Raises
    ------
    InputError, InputErrors
        For what cannot be asked: see `cosim.hosting.ladder.Ladder` and `agents.prosumer.fleet_checks`.
    """
    if method not in ("stepping", "one-shot"):
        raise InputError("hosting capacity", "method", method, "stepping or one-shot")
    _require_possible(case, definition)
    if settings is None and method == "one-shot":
        settings = ANY_CONFIRMED
    ladder = Ladder(case, definition, check or _usual_check(case, definition, mode, settings), progress)
    if method == "stepping":
        index = climb(ladder, DYNAMIC_STRIDE if mode == "dynamic" else 1)
    else:
        index = bracket(ladder, _guess(ladder, mode, settings) if check is None else 1)
    return ladder.capacity(index, mode, method)


def _usual_check(case: HostingCase, definition: Definition, mode: Mode, settings: DispatchSettings | None) -> Check:
    if mode == "static":
        return static_check(case, definition)
    if mode == "dynamic":
        return dynamic_check(case, definition, settings)
    raise InputError("hosting capacity", "check", None, f"one that judges levels in mode {mode}")


def _guess(ladder: Ladder, mode: Mode, settings: DispatchSettings | None) -> int:
    """Where to look first; the level with own profiles is no variable of a program, so from the middle."""
    if mode != "dynamic" or not ladder.feasible(0):
        return ladder.last // 2
    chosen = dynamic_settings(ladder.definition, settings)
    return dynamic_guess(ladder.case, ladder.definition, ladder.levels, chosen)


def _require_possible(case: HostingCase, definition: Definition) -> None:
    """Refuse cars and rooms that want what they cannot have, wherever they may be; one line for each parameter."""
    n = len(case.candidates)
    kinds = {der for der in RATING if der == definition.der or getattr(definition.fixed, der) > 0}
    units = {name: np.full(n, float(der in kinds)) for der, name in RATING.items()}
    units["hp_kw"] *= case.devices.hp_unit_kw
    units["ev_kw"] *= case.devices.ev_unit_kw
    try:
        require_possible(fleet_at(case, definition, 0.0).with_ratings(**units), case.inputs)
    except InputErrors as several:
        first = {error.field.rpartition(".")[2]: error for error in reversed(several.errors)}
        raise InputErrors(list(first.values())) from None
