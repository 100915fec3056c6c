"""One prosumer of a scenario."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from cosim.population_spec import EvCharging, Strategy, Ties
from cosim.strict import Strict

__all__ = ["Name", "ProsumerSpec"]

Share = Annotated[float, Field(ge=0, le=1)]
Efficiency = Annotated[float, Field(gt=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Hour = Annotated[float, Field(ge=0, lt=24)]
Temperature = Annotated[float, Field(ge=-50, le=100)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
"""What files and tables can be called by."""


class ProsumerSpec(Strict):
    """One prosumer: where it is, what it owns, what it uses."""

    id: Name
    bus: int | str = Field(description="index or name of its bus")
    load_profile: str = Field("H0-A", description="home of the embedded extract, or a column of profiles_file")
    load_annual_mwh: NotNegative = Field(3.5, description="scales embedded profiles; columns of a file are kW")
    load_power_factor: Annotated[float, Field(gt=0, le=1)] = 1.0
    flexible_share: Share = Field(0.05, description="share of the load that may be shifted")
    flexible_max: Annotated[float, Field(ge=1)] = Field(
        2.0, description="upper bound of flexible load, in multiples of its own; below 1 its energy would not fit"
    )
    pv_profile: str = Field("PV1", description="embedded profile or column of profiles_file, kW per kWp")
    pv_kwp: NotNegative = 2.5
    battery_kwh: NotNegative = 1.0
    battery_min_kwh: NotNegative = 0.0
    battery_c_charge: NotNegative = Field(0.5, description="full in 1/c hours")
    battery_c_discharge: NotNegative = Field(0.5, description="empty in 1/c hours")
    efficiency_charge: Efficiency = 0.95
    efficiency_discharge: Efficiency = 0.95
    self_discharge_per_h: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0, description="share per hour that the energy above battery_min_kwh loses by itself"
    )
    energy_start_kwh: NotNegative | None = Field(None, description="battery energy at the start; half by default")
    inverter_kva: NotNegative = Field(3.0, description="rating of the inverter that PV and battery share")
    pv_inverter_kva: NotNegative | None = Field(
        None, description="rating of an inverter of PV's own; inverter_kva is then the battery's. None: they share it"
    )
    ev_charger_kw: NotNegative = Field(0.0, description="rating of its charger for an electric car; 0: none")
    ev_profile: str = Field(
        "HLS_A_11.0",
        description="of the charger, as the car comes: embedded, or column of profiles_file, kW per kW rated",
    )
    ev_kwh: NotNegative = Field(0.0, description="its car's battery, charged as it drives; 0: the charger's profile")
    ev_leaves_h: Hour = Field(9.0, description="local hour of the day at which a car with ev_kwh leaves")
    ev_returns_h: Hour = Field(17.0, description="and at which it is back, earlier where it is away past midnight")
    ev_soc_target: Share = Field(0.9, description="share of ev_kwh that it wants when it leaves")
    ev_trip_kwh: NotNegative = Field(10.0, description="what a day's driving takes")
    ev_efficiency: Efficiency = 0.95
    ev_charging: EvCharging = Field(
        "arrival", description="when a car with ev_kwh charges: as it comes, or in the cheapest steps before it leaves"
    )
    hp_kw: NotNegative = Field(0.0, description="electric rating of its heat pump; 0: none")
    heat_profile: str = Field(
        "Air_Parallel_1",
        description="of the heat pump, without storage: embedded, or of profiles_file, kW per kW rated",
    )
    hp_cop: Positive = Field(3.0, description="heat per electric energy of the heat pump")
    room_r_k_per_kw: NotNegative = Field(
        0.0, description="thermal resistance of the home, which its heat pump keeps at set_point_c; 0: heat_profile"
    )
    room_c_kwh_per_k: Positive = Field(2.0, description="its thermal capacitance")
    set_point_c: Temperature = Field(22.5, description="temperature wanted: heated if colder outside, cooled if warmer")
    comfort_k: NotNegative = Field(2.0, description="how far the temperature may be off, either way, at no discomfort")
    hp_ramp: Positive = Field(
        0.3, description="largest change of the power from market step to market step, as a share of hp_kw, of a room's"
    )
    outdoor_profile: str | None = Field(
        None, description="column of profiles_file, in degrees Celsius, of a room's; None: a summer day of 22 to 32"
    )
    tes_kwh: NotNegative = Field(
        0.0,
        description="hot-water storage that the heat pump charges, thermal; moved by strategy self-consumption alone",
    )
    tes_start_kwh: NotNegative | None = Field(None, description="heat in it at the start; half of it by default")
    optimise: bool = Field(True, description="whether it plans battery and flexible load")
    strategy: Strategy = Field(
        "arbitrage",
        description="what for, if it optimises: against the price, or battery and hot-water storage for its own use",
    )
    ties: Ties = Field("late", description="which of equally cheap plans it follows: late, early, or random")
    rule: str | None = Field(None, description="its own inverter rule instead of the scenario's")
