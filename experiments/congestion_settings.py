"""What the study of congestion relief can be told."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from cosim.strict import Strict
from experiments.congestion_scenarios import EXTRAS, SCENARIOS, STOR
from feeders.errors import InputError

__all__ = ["LEVEL_NAMES", "CongestionSettings", "Level"]

Level = Literal["safe", "near-critical", "critical"]
LEVEL_NAMES: tuple[Level, ...] = ("safe", "near-critical", "critical")


class CongestionSettings(Strict):
    """The region, its measures, and what is varied.

    Attributes
    ----------
    seeds : tuple of int
        A draw of who owns what, and of profiles, each. Figures of a day, who pays and the power flow are of the first.
    quick : bool
        The first seed alone, without sensitivity; for a look.
    levels : tuple of {"safe", "near-critical", "critical"}
        How much of what is allowed is used today: 90, 95 or 100 %.
    mix : str
        Mix of assets of `cosim.region.region_case`.
    scope : {"home", "region"}
        Whom storage serves.
    ev_cap_kw : float
        Power of a charger under CurA.
    heat_cap, relief_h, makeup_h : float
        Under CurB: share of the heat pump's power, for how long, and how long the rest may take afterwards.
    window_h, cap_share : float
        Under ProA: hours in which storage charges, and the share of the threshold up to which the region is loaded.
    heat_pumps, evs, battery_powers_kw, windows_h : tuple of float
        Shares of homes with heat pumps and with cars, power of each battery, and windows of ProA, one at a time in
        place of the default, at the critical level.
    scopes : tuple of {"home", "region"}
        As these.
    sensitivity_seeds : int
        How many of the seeds these take.
    errors : tuple of float
        Relative errors of the noisy forecast.
    flows : tuple of str
        Scenarios whose year goes through the AC power flow, at the critical level.
    reference_steps : int
        Steps that are timed in pandapower's own optimal power flow; 0 for none.
    """

    seeds: tuple[int, ...] = Field(default=(1, 2, 3, 4, 5), strict=False, min_length=1)
    quick: bool = False
    levels: tuple[Level, ...] = Field(default=LEVEL_NAMES, strict=False)
    mix: str = "paper"
    scope: Literal["home", "region"] = "home"
    ev_cap_kw: float = Field(default=3.7, ge=0)
    heat_cap: float = Field(default=0.3, ge=0, le=1)
    relief_h: float = Field(default=2.0, gt=0, le=24)
    makeup_h: float = Field(default=6.0, gt=0, le=24)
    window_h: float = Field(default=2.0, gt=0, le=24)
    cap_share: float = Field(default=0.9, gt=0, le=1)
    heat_pumps: tuple[float, ...] = Field(default=(0.4, 0.8, 1.0), strict=False)
    evs: tuple[float, ...] = Field(default=(0.1, 0.3, 0.4), strict=False)
    battery_powers_kw: tuple[float, ...] = Field(default=(1.5, 5.0, 8.0), strict=False)
    windows_h: tuple[float, ...] = Field(default=(1.0, 3.0, 6.0), strict=False)
    scopes: tuple[Literal["home", "region"], ...] = Field(default=("region",), strict=False)
    sensitivity_seeds: int = Field(default=2, ge=0)
    errors: tuple[float, ...] = Field(default=(0.05, 0.1, 0.2), strict=False)
    flows: tuple[str, ...] = Field(default=("2030", STOR, f"{STOR}+ProA+ProB"), strict=False)
    reference_steps: int = Field(default=20, ge=0)

    @field_validator("levels")
    @classmethod
    def _in_order(cls, levels: tuple[Level, ...]) -> tuple[Level, ...]:
        if not levels:
            raise InputError("congestion-relief", "levels", "none", f"some of {', '.join(LEVEL_NAMES)}")
        return tuple(level for level in LEVEL_NAMES if level in levels)

    @field_validator("flows")
    @classmethod
    def _known(cls, flows: tuple[str, ...]) -> tuple[str, ...]:
        known = {**SCENARIOS, **EXTRAS}
        for name in flows:
            if name not in known:
                raise InputError("congestion-relief", "flows", name, f"one of {', '.join(known)}")
        return flows

    @field_validator("heat_pumps", "evs")
    @classmethod
    def _shares(cls, shares: tuple[float, ...]) -> tuple[float, ...]:
        for share in shares:
            if not 0 <= share <= 1:
                raise InputError("congestion-relief", "penetration", share, "a share of homes from 0 to 1")
        return shares

    @property
    def drawn(self) -> tuple[int, ...]:
        """The seeds that are run."""
        return self.seeds[:1] if self.quick else tuple(dict.fromkeys(self.seeds))

    @property
    def varied(self) -> tuple[int, ...]:
        """The seeds of the sensitivity."""
        return () if self.quick else self.drawn[: self.sensitivity_seeds]

    @property
    def worst(self) -> Level:
        """The level of figures of a day, sensitivity, who pays and power flow: the most stressed of those run."""
        return self.levels[-1]
