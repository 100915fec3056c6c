"""How much a feeder takes: one question, answered by the mode of operation and the way of searching."""

from __future__ import annotations

from agents.dso.dispatch import DispatchSettings
from cosim.hosting.capacity import Capacity, Method, Mode
from cosim.hosting.case import HostingCase
from cosim.hosting.check import static_check
from cosim.hosting.definition import Definition
from cosim.hosting.ladder import Ladder, Progress
from cosim.hosting.level import Check
from cosim.hosting.one_shot import bracket
from cosim.hosting.stepping import climb
from feeders.errors import InputError

__all__ = ["DYNAMIC_STRIDE", "find"]

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
        Of the coordinated dispatch.

    Raises
    ------
    InputError, InputErrors
        For what cannot be asked: see `cosim.hosting.ladder.Ladder` and `agents.prosumer.fleet_checks`.
    """
    if method not in ("stepping", "one-shot"):
        raise InputError("hosting capacity", "method", method, "stepping or one-shot")
    if check is None and mode == "static":
        check = static_check(case, definition)
    if check is None:
        raise InputError("hosting capacity", "check", None, f"one that judges levels in mode {mode}")
    ladder = Ladder(case, definition, check, progress)
    index = climb(ladder) if method == "stepping" else bracket(ladder, ladder.last // 2)
    return ladder.capacity(index, mode, method)
