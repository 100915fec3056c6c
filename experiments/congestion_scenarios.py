"""The scenarios of the study of congestion relief: what measures each consists of."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = [
    "ALL",
    "BY_LAW",
    "EXTRAS",
    "FORECAST",
    "HELD",
    "PAYING",
    "SCENARIOS",
    "STOR",
    "SWEPT",
    "TODAY",
    "UNCAPPED",
    "Way",
    "look",
    "short",
]

TODAY = "2024"
STOR = "Stor"
UNCAPPED = f"{STOR}+ProA uncapped"
HELD = f"{STOR}+ProA+ProB between"
BY_LAW = f"{STOR}+CurA+CurB"


class Way(NamedTuple):
    """Whether homes use their storage, and the names of the operator's measures."""

    storage: bool
    measures: tuple[str, ...] = ()


SCENARIOS = {
    "2030": Way(False),
    STOR: Way(True),
    f"{STOR}+CurA": Way(True, ("CurA",)),
    f"{STOR}+CurB": Way(True, ("CurB",)),
    f"{STOR}+ProA": Way(True, ("ProA",)),
    f"{STOR}+ProA+ProB": Way(True, ("ProA", "ProB")),
    f"{STOR}+ProA+ProB+CurB": Way(True, ("ProA", "ProB", "CurB")),
}
"""Those of the source beside today's, in its order."""

EXTRAS = {
    f"{STOR}+ProA+ProB+CurB residual": Way(True, ("ProA", "ProB", "CurB residual")),
    HELD: Way(True, ("ProA", "ProB between")),
    UNCAPPED: Way(True, ("ProA uncapped",)),
    BY_LAW: Way(True, ("CurA", "CurB")),
}
"""CurB from the first violation that the other measures leave; stores that hold between congested hours too; ProA
without the region's cap; all of par. 14a."""

ALL = {**SCENARIOS, **EXTRAS}

PAYING = tuple(name for name, way in ALL.items() if way.storage and name != UNCAPPED)
"""Those that are compared by who pays."""

SWEPT = {name: way for name, way in ALL.items() if name not in (UNCAPPED, HELD, BY_LAW)}
"""Those of the sensitivity."""

FORECAST = tuple(f"{STOR}+{name}" for name in ("CurA", "CurB", "ProA+ProB", "ProA+ProB+CurB residual"))
"""Those that are tried with other forecasts: of each kind of measure one."""


_LOOKS = {
    TODAY: ("#F0E442", "-", ""),
    "2030": ("#E69F00", (0, (5, 1)), "///"),
    STOR: ("#0072B2", "-", ""),
    f"{STOR}+CurA": ("#009E73", "-.", "\\\\\\"),
    f"{STOR}+CurB": ("#D55E00", "--", "..."),
    f"{STOR}+ProA": ("#CC79A7", ":", ""),
    f"{STOR}+ProA+ProB": ("#56B4E9", (0, (5, 1)), "xxx"),
    f"{STOR}+ProA+ProB+CurB": ("#999999", (0, (3, 1, 1, 1)), ""),
    f"{STOR}+ProA+ProB+CurB residual": ("#000000", "-", ""),
}


def look(scenario: str) -> tuple[str, Any, str]:
    """Colour (Okabe and Ito), line style and hatch, the same in every figure."""
    return _LOOKS.get(scenario, ("#666666", ":", ""))


def short(scenario: str) -> str:
    """For axes and legends: without what all have, and ``(r)`` for CurB at the residual onset."""
    return scenario.removeprefix(STOR).replace(" residual", " (r)") or STOR
