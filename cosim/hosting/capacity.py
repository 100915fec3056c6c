"""An answer to how much a feeder takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from agents.prosumer.fleet import Fleet

__all__ = ["Capacity", "Der", "Method", "Mode", "Stop"]

Der = Literal["pv", "battery", "ev", "hp"]
Mode = Literal["static", "dynamic", "local"]
Method = Literal["stepping", "one-shot", "two-stage"]

_PLACES = {"over-voltage": "at bus ", "under-voltage": "at bus ", "line": "", "transformer": ""}


@dataclass(frozen=True)
class Stop:
    """What ends a search for more.

    Attributes
    ----------
    kind : str
        "over-voltage", "under-voltage", "line", "transformer" (AC power flow); "curtailment" (PV cannot be used);
        "infeasible" (no dispatch keeps within the limits), "collapse" (no power flow), "all" (all homes have one).
    element : str
        Name of bus, line or transformer; empty where it is none.
    hour : float
        Hour of the day, NaN where there is none.
    value, allowed : float
        Voltage [p.u.], loading as a share, or share of energy curtailed.
    """

    kind: str
    element: str = ""
    hour: float = float("nan")
    value: float = float("nan")
    allowed: float = float("nan")

    def __str__(self) -> str:
        where = f" {_PLACES.get(self.kind, 'at ')}{self.element}" if self.element else ""
        when = "" if self.hour != self.hour else f", {int(self.hour):02d}:{round(self.hour % 1 * 60):02d}"
        how = "" if self.value != self.value else f" ({self.value:.4f}, allowed {self.allowed:.4f})"
        return f"{self.kind}{where}{when}{how}"


@dataclass(frozen=True)
class Capacity:
    """How much a feeder takes of one kind of device.

    Attributes
    ----------
    der : {"pv", "battery", "ev", "hp"}
    mode : {"static", "dynamic", "local"}
        Own profiles without coordination; coordinated dispatch; inverter rules in the closed loop.
    method : {"stepping", "one-shot", "two-stage"}
    level : float
        The highest penetration, as a share of the peak load (PV, batteries) or of homes (cars, heat pumps), that the AC
        power flow confirms, with all lower ones on the way; NaN where even the base case is outside its limits.
    kw : float
        Its rating [kW]; NaN likewise.
    stop : Stop
        What is outside one step higher; of the base case where that is outside already.
    margin : float
        How far inside its limits the confirmed level is (p.u. of voltage, or share of a rating); NaN without one.
    steps : DataFrame
        A row per level that was looked at, in order: ``level, kw, feasible, vm_max_pu, vm_mean_pu, vm_median_pu,
        vm_min_pu, loading_max, loading_mean, loading_median`` (of lines, all hours), ``curtailed_share``, ``stop``.
    fleet : Fleet or None
        The devices at the confirmed level, where they are.
    seconds : float
    """

    der: Der
    mode: Mode
    method: Method
    level: float
    kw: float
    stop: Stop
    margin: float
    steps: pd.DataFrame
    fleet: Fleet | None
    seconds: float

    @property
    def base_feasible(self) -> bool:
        """Whether the feeder is inside its limits before any of it is added."""
        return self.level == self.level
