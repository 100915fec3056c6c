"""A population in a scenario: how many prosumers, where, and the distributions that their sizes are drawn from."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from cosim.data import PROFILES
from cosim.distributions import BelowOne, HourQuantity, Quantity, ShareQuantity, Spread, kind_of
from cosim.strict import Strict
from feeders.errors import InputError

__all__ = ["EvCharging", "PopulationSpec", "Sized", "Strategy", "Ties"]

Share = Annotated[float, Field(ge=0, le=1)]
Efficiency = Annotated[float, Field(gt=0, le=1)]
Cop = Annotated[float, Field(gt=0)]
Names = Annotated[tuple[str, ...], Field(strict=False, min_length=1)]

Ties = Literal["late", "early", "random"]
"""Which of equally cheap plans a prosumer follows; see `agents.prosumer.ties`."""

Strategy = Literal["arbitrage", "self-consumption"]
"""What battery and hot-water storage are for: to earn on prices, or to use at home what the own roof gives."""

EvCharging = Literal["arrival", "cheapest"]
"""When a car charges: as it comes home, or in the cheapest steps before it leaves."""

_HOMES, _HEAT_PUMPS = (
    tuple(profile.name for profile in PROFILES if profile.kind == kind) for kind in ("home", "heat-pump")
)


def _one_or_several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class Sized(Strict):
    """An inverter as an installer chooses it: a factor on the larger of PV and battery power."""

    kind: Literal["sized"] = "sized"
    factor: Annotated[float, Field(gt=0)] = 1.0


Inverter = Annotated[Annotated[Sized, Tag("sized")] | Spread, Discriminator(kind_of)]


class PopulationSpec(Strict):
    """Prosumers to be drawn, from the scenario's seed and its feeder; see `cosim.population.resolve`.

    Every size is a number, or a table: ``{kind = "uniform", low, high}``, ``{kind = "normal", mean, std, min, max}``,
    ``{kind = "lognormal", mean, std, min, max}`` or ``{kind = "choice", values, weights}``. Shares are chances of each
    home: of 10 homes with ``pv_share = 0.5`` not always 5 have PV.
    """

    n: Annotated[int, Field(ge=1, le=99_999)] = Field(description="how many prosumers")
    placement: Literal["given", "random", "proportional-to-load", "end-of-feeder"] = Field(
        "random",
        description="dealt in turn to `buses`; over the feeder's connection buses at random; by what the net's own "
        "elements consume there; or dealt in turn to the connection buses, electrically farthest first",
    )
    buses: Annotated[tuple[int | str, ...], Field(strict=False)] = Field(
        (), description="indices or names, for placement given"
    )
    load_profiles: Names = Field(_HOMES, description="each home lives one of these, all equally likely")
    load_annual_mwh: Quantity = 3.5
    load_power_factor: Efficiency = 1.0
    flexible_share: ShareQuantity = 0.05
    flexible_max: Annotated[float, Field(ge=1)] = 2.0
    pv_share: Share = Field(1.0, description="share of homes with PV")
    pv_profiles: Names = Field(("PV1",), description="each home has one of these, all equally likely")
    pv_kwp: Quantity = Field(2.5, description="of homes with PV")
    battery_share: Share = Field(1.0, description="share of homes with a battery")
    battery_kwh: Quantity = Field(1.0, description="of homes with a battery")
    battery_c_charge: Quantity = Field(0.5, description="full in 1/c hours")
    battery_c_discharge: Quantity = Field(0.5, description="empty in 1/c hours")
    efficiency_charge: Efficiency = 0.95
    efficiency_discharge: Efficiency = 0.95
    self_discharge_per_h: BelowOne = Field(
        0.0, description="share per hour that the energy above the least one loses by itself"
    )
    inverter_kva: Inverter = Field(
        Sized(), description="of homes with PV or battery: a size, or a factor on the larger of their powers"
    )
    ev_share: Share = Field(0.0, description="share of homes with a charger for an electric car")
    ev_charger_kw: Quantity = Field(11.0, description="of homes with a charger")
    ev_profiles: Names = Field(
        ("HLS_A_11.0", "HLS_B_11.0"), description="each charger lives one of these, all equally likely"
    )
    ev_kwh: Quantity = Field(0.0, description="batteries of these homes' cars; 0: chargers live their profiles")
    ev_leaves_h: HourQuantity = Field(9.0, description="local hour at which such a car leaves")
    ev_returns_h: HourQuantity = Field(17.0, description="and at which it is back")
    ev_soc_target: ShareQuantity = 0.9
    ev_trip_kwh: Quantity = Field(10.0, description="what a day's driving takes")
    ev_efficiency: Efficiency = 0.95
    ev_charging: EvCharging = "arrival"
    hp_share: Share = Field(0.0, description="share of homes with a heat pump")
    hp_kw: Quantity = Field(3.0, description="electric rating, of homes with a heat pump")
    heat_profiles: Names = Field(_HEAT_PUMPS, description="each heat pump lives one of these, all equally likely")
    hp_cop: Cop = 3.0
    room_r_k_per_kw: Quantity = Field(
        0.0, description="thermal resistance of homes that their heat pumps keep at set_point_c; 0: their profiles"
    )
    room_c_kwh_per_k: Cop = Field(2.0, description="thermal capacitance of these homes")
    set_point_c: Annotated[float, Field(ge=-50, le=100)] = Field(22.5, description="temperature wanted in them")
    comfort_k: Quantity = 2.0
    hp_ramp: Cop = Field(0.3, description="largest change of their heat pumps' power in a market step, of the rating")
    outdoor_profile: str | None = None
    tes_share: Share = Field(0.0, description="share with hot-water storage, of homes with PV and heat pump")
    tes_kwh: Quantity = Field(11.6, description="thermal, of homes with hot-water storage")
    optimise_share: Share = Field(1.0, description="share of homes that plan battery and flexible load")
    self_consumption_share: Share = Field(
        0.0, description="share of homes whose strategy is self-consumption; the others plan against the price"
    )
    ties: Annotated[tuple[Ties, ...], BeforeValidator(_one_or_several), Field(strict=False, min_length=1)] = Field(
        ("late",),
        description="which of equally cheap plans a home follows: one for all, or several, all equally likely",
    )
    rule_share: Share = Field(1.0, description="share of homes that obey the scenario's rule; the others obey none")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.placement == "given" and not self.buses:
            raise InputError("", "buses", None, "the buses to deal the homes to, for placement given")
        if self.placement != "given" and self.buses:
            raise InputError("", "buses", list(self.buses), f"none for placement {self.placement}, only for given")
        return self
