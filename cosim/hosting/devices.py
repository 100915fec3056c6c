"""What devices a hosting capacity is asked of: the columns of a fleet, alike everywhere."""

from __future__ import annotations

from typing import Annotated, Any, Self

import numpy as np
from pydantic import Field, model_validator

from agents.prosumer.fleet import Fleet
from cosim.strict import Strict
from feeders.errors import InputError

__all__ = ["Devices"]

_USUAL = Fleet.USUAL
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Efficiency = Annotated[float, Field(gt=0, le=1)]
Hour = Annotated[float, Field(ge=0, lt=24)]
Hours = Annotated[tuple[Hour, Hour], Field(strict=False)]


class Devices(Strict):
    """Parameters of all devices; names, units and defaults are those of `agents.prosumer.fleet.Fleet`.

    Attributes
    ----------
    ev_unit_kw : float
        Charger of one car; `Fleet.ev_h` is its battery over this.
    ev_leaves_h, ev_returns_h : (float, float)
        Between which hours the cars of a bus leave and return: one draw for each bus, uniform. The source draws them
        for each node and does not state the ranges.
    comfort_k : float
        How far a room may be off its set-point, either way: the band always holds the set-point.
    """

    battery_h: Positive = _USUAL["battery_h"]
    battery_efficiency: Efficiency = _USUAL["battery_efficiency"]
    battery_self_discharge_per_h: Annotated[float, Field(ge=0, lt=1)] = _USUAL["battery_self_discharge_per_h"]
    battery_soc_min: Share = _USUAL["battery_soc_min"]
    battery_soc_start: Share = _USUAL["battery_soc_start"]
    ev_unit_kw: Positive = 9.6  # Nair et al.
    ev_h: Positive = _USUAL["ev_h"]
    ev_efficiency: Efficiency = _USUAL["ev_efficiency"]
    ev_v2g: bool = bool(_USUAL["ev_v2g"])
    ev_soc_min: Share = _USUAL["ev_soc_min"]
    ev_soc_target: Share = _USUAL["ev_soc_target"]
    ev_trip_h: NotNegative = _USUAL["ev_trip_h"]
    ev_leaves_h: Hours = (7.0, 9.0)
    ev_returns_h: Hours = (16.0, 19.0)
    hp_unit_kw: Positive = _USUAL["hp_unit_kw"]
    cop: Positive = _USUAL["cop"]
    r_k_per_kw: Positive = _USUAL["r_k_per_kw"]
    c_kwh_per_k: Positive = _USUAL["c_kwh_per_k"]
    set_point_c: Annotated[float, Field(ge=-50, le=100)] = _USUAL["set_point_c"]
    comfort_k: Annotated[float, Field(ge=0, description="the comfort band holds the set-point")] = _USUAL["comfort_k"]
    hp_ramp: Positive = _USUAL["hp_ramp"]
    q_share: NotNegative = _USUAL["q_share"]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for name in ("ev_leaves_h", "ev_returns_h"):
            first, last = getattr(self, name)
            if first > last:
                raise InputError("devices", name, [first, last], "two hours, the earlier first")
        return self

    def columns(self, n: int) -> dict[str, Any]:
        """The columns of a fleet of `n` rows that are alike in all, by name; all but ratings and the cars' windows."""
        shared = self.model_dump(exclude={"ev_unit_kw", "ev_leaves_h", "ev_returns_h"})
        return {name: np.full(n, value) for name, value in shared.items()}
