"""What the study across feeders can be told, and the scenarios that it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from agents.prosumer import VoltageBand, rule_by_name
from cosim import Scenario
from cosim.data import WEEKS, day_start
from cosim.strict import Strict
from feeders import load_feeder
from feeders.errors import InputError

__all__ = ["HOUSE_PV_KWP", "NO_RULE", "AcrossSettings", "Season", "Size"]

NO_RULE = "none"
HOUSE_PV_KWP = 2.5
"""PV of the published house (Hashmi et al., section V-C); its battery is 1 kWh 0.5C-0.5C, its inverter 3 kVA."""

_ANNUAL_MWH, _BATTERY_KWH, _KVA_PER_KWP = 3.5, 1.0, 1.2

Season = Literal["winter", "spring", "summer", "autumn"]
Share = Annotated[float, Field(gt=0, le=1)]
Seed = Annotated[int, Field(ge=0)]

_QUICK: Mapping[str, Any] = {
    "homes": 30,
    "seeds": (1, 2, 3),
    "days": 4,
    "sizes": ("at-limit",),
    "modes": ("closed-loop",),
}


@dataclass(frozen=True)
class Size:
    """How large homes are against their feeder.

    Attributes
    ----------
    name : {"as-is", "at-limit"}
        Each prosumer one home of the published size beside the net's own loads and generators; or prosumers in the
        place of those, as large as the feeder carries without a rule, see `experiments.across_feeders_sizes`.
    homes_each : float
        How many equal homes a prosumer stands for, behind its bus.
    pv_kwp : float
        PV of one of them [kWp].
    """

    name: str
    homes_each: float = 1.0
    pv_kwp: float = HOUSE_PV_KWP


class AcrossSettings(Strict):
    """The feeders, the seasons, the homes, and what is tried on them.

    Attributes
    ----------
    quick : bool
        Defaults of a quick look: fewer homes, seeds and days, at the limit and in closed loop alone.
    feeders : tuple of str
        Feeders by name; a SimBench grid is left out, and the answer says so, where the extra is not installed.
    seasons : tuple of str
        Weeks of the embedded extract, from their Mondays on.
    days : int
        How many days of each week, at most all seven.
    sizes : tuple of {"as-is", "at-limit"}
        See `Size`.
    shares : tuple of float
        Chances of a home that it obeys the rule; all others optimise under none.
    rules : tuple of str
        Rules that are compared, beside none.
    modes : tuple of str
        How they read the voltage.
    homes : int
        Prosumers on each feeder.
    seeds : tuple of int
        Each is a population: places, load profiles, and who obeys; the same under every rule.
    kappa : float
        Selling over buying price.
    vm_min_pu, dead_pu, vm_max_pu : float
        Limits and dead band of the rules; the limits also size the homes.
    """

    quick: bool = False
    feeders: tuple[str, ...] = Field(default=("case33bw", "cigre-lv", "1-LV-rural2--0-sw"), strict=False, min_length=1)
    seasons: tuple[Season, ...] = Field(default=("summer", "winter"), strict=False, min_length=1)
    days: int = Field(default=7, ge=1, le=7)
    sizes: tuple[Literal["as-is", "at-limit"], ...] = Field(default=("as-is", "at-limit"), strict=False, min_length=1)
    shares: tuple[Share, ...] = Field(default=(0.1, 0.5, 1.0), strict=False, min_length=1)
    rules: tuple[str, ...] = Field(default=("prc", "anrc", "hybrid"), strict=False, min_length=1)
    modes: tuple[Literal["closed-loop", "settled", "open-loop"], ...] = Field(
        default=("closed-loop", "settled"), strict=False, min_length=1
    )
    homes: int = Field(default=60, ge=3, le=9_999)
    seeds: tuple[Seed, ...] = Field(default=(1, 2, 3, 4, 5), strict=False, min_length=2)
    kappa: float = Field(default=1.0, ge=0, le=1)
    vm_min_pu: float = Field(default=0.95, gt=0)
    dead_pu: float = Field(default=0.02, ge=0)
    vm_max_pu: float = Field(default=1.05, gt=0)

    @model_validator(mode="before")
    @classmethod
    def _quick_first(cls, data: Any) -> Any:
        return {**_QUICK, **data} if isinstance(data, Mapping) and data.get("quick") is True else data

    @model_validator(mode="after")
    def _once_and_in_order(self) -> Self:
        VoltageBand(self.vm_min_pu, self.dead_pu, self.vm_max_pu)
        for name in ("feeders", "seasons", "sizes", "shares", "rules", "modes", "seeds"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise InputError("", name, list(values), "each of them once")
        return self

    @field_validator("rules")
    @classmethod
    def _known(cls, rules: tuple[str, ...]) -> tuple[str, ...]:
        for name in rules:
            rule_by_name(name)
        if NO_RULE in rules:
            raise InputError("", "", list(rules), "rules beside none, which is always there")
        return rules

    def scenario(self, feeder: str, size: Size, season: Season, seed: int, **changes: Any) -> Scenario:
        """Some days of one population, under no rule; with some fields changed, dots as double underscores.

        Raises
        ------
        InputErrors
        """
        own = 1.0 if size.name == "as-is" else 0.0
        data = {
            "name": "across-feeders",
            "start": day_start(WEEKS[season]).to_pydatetime(),
            "days": self.days,
            "rule": NO_RULE,
            "seed": seed,
            "record": (),
            "feeder": {"name": feeder, "background_scale": own, "generation_scale": own},
            "voltage": {"vm_min_pu": self.vm_min_pu, "dead_pu": self.dead_pu, "vm_max_pu": self.vm_max_pu},
            "tariff": {"kind": "synthetic", "kappa": self.kappa},
            "population": {
                "n": self.homes,
                "placement": "random",
                "load_annual_mwh": _ANNUAL_MWH * size.homes_each,
                "pv_kwp": size.pv_kwp * size.homes_each,
                "battery_kwh": _BATTERY_KWH * size.homes_each,
                "inverter_kva": {"kind": "sized", "factor": _KVA_PER_KWP},
            },
        }
        scenario = Scenario.from_dict(data, "across-feeders")
        return scenario.changed({key.replace("__", "."): value for key, value in changes.items()})

    def usable(self) -> tuple[list[str], list[str]]:
        """The feeders that can be loaded, and a line on each SimBench grid that can not as its extra is missing.

        Raises
        ------
        InputError
            For a feeder that does not exist, or where none is left.
        """
        found, left_out = [], []
        for name in self.feeders:
            try:
                load_feeder(name)
            except InputError as error:
                if "[simbench]" not in str(error):
                    raise
                left_out.append(f"{name} is left out: {error}")
            else:
                found.append(name)
        if not found:
            raise InputError("across-feeders", "feeders", list(self.feeders), f"one at least; {left_out[0]}")
        return found, left_out
