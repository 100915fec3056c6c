"""The published cases of the study of hosting capacity.

Source: V. J. Nair et al., "Dynamic resource coordination can increase grid hosting capacity to support more renewables,
storage, and electrified load growth". What it leaves open is decided where the default case is made, not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cosim.hosting import Der, Penetration

__all__ = ["CASES", "DETERMINISTIC", "MONTE_CARLO", "TWO_STAGE", "WORDS", "CaseName", "PublishedCase", "published"]

CaseName = Literal["pv", "hp", "pv-two-stage", "pv-monte-carlo"]
WORDS: dict[Der, str] = {"pv": "PV", "battery": "batteries", "ev": "cars", "hp": "heat pumps"}
TWO_STAGE, MONTE_CARLO = "pv-two-stage", "pv-monte-carlo"


@dataclass(frozen=True)
class PublishedCase:
    """What is raised beside what is there, and what was found.

    Attributes
    ----------
    der : {"pv", "battery", "ev", "hp"}
    fixed : Penetration
        The rest.
    static_percent, dynamic_percent : float
        Published capacity; the mean of all scenarios where there are many.
    static_sd, dynamic_sd : float
        Published standard deviation [percentage points]; NaN where there is one scenario.
    where : str
        Place in the source.
    """

    der: Der
    fixed: Penetration
    static_percent: float
    dynamic_percent: float
    where: str
    static_sd: float = float("nan")
    dynamic_sd: float = float("nan")


CASES: Mapping[str, PublishedCase] = {
    "pv": PublishedCase("pv", Penetration(battery=0.05, ev=0.05, hp=0.05), 48.0, 83.0, "Fig. 2"),
    "hp": PublishedCase("hp", Penetration(battery=0.10, pv=0.20, ev=0.05), 9.0, 55.0, "Fig. 10"),
    TWO_STAGE: PublishedCase("pv", Penetration(battery=0.20, hp=0.20, ev=0.10), 24.2, 98.0, "Fig. 13"),
    MONTE_CARLO: PublishedCase("pv", Penetration(battery=0.05, hp=0.05), 51.08, 83.63, "Table 1", 2.36, 3.44),
}
DETERMINISTIC = ("pv", "hp")


def published(case: str, mode: str) -> float:
    """The published figure for a case [%]; local rules have none."""
    if mode.startswith("static"):
        return CASES[case].static_percent
    return CASES[case].dynamic_percent if mode == "dynamic" else float("nan")
