"""The components of a facility's plant: what each can do, in numbers that are checked once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

from feeders.errors import InputError

__all__ = [
    "KWH_PER_MJ",
    "AbsorptionChiller",
    "Boiler",
    "Cogenerator",
    "ElectricChiller",
    "SolarPower",
    "SolarThermal",
    "Store",
]

KWH_PER_MJ = 1 / 3.6  # 1 kWh = 3600 kJ = 3.6 MJ


def _positive(of: object, *fields: str) -> None:
    for field in fields:
        value = getattr(of, field)
        if not 0 < value < math.inf:  # written so that NaN fails
            raise InputError(type(of).__name__, field, value, "a finite number above 0")


def _at_least_zero(of: object, *fields: str) -> None:
    for field in fields:
        value = getattr(of, field)
        if not 0 <= value < math.inf:
            raise InputError(type(of).__name__, field, value, "a finite number >= 0")


def _share(of: object, *fields: str) -> None:
    for field in fields:
        value = getattr(of, field)
        if not 0 < value <= 1:
            raise InputError(type(of).__name__, field, value, "a number above 0 and at most 1")


@dataclass(frozen=True)
class Store:
    """A store of electricity, heat or cold.

    Over a step of h hours at charging power c and discharging power d, both counted outside, its energy changes as
    ``s_next = (1 - decay)**h * s + h * (efficiency_charge * c - d / efficiency_discharge)``.

    Parameters
    ----------
    capacity_kwh : float
        Energy it can hold [kWh].
    efficiency_charge : float
        Energy stored per energy supplied, in (0, 1].
    efficiency_discharge : float
        Energy that reaches its use per energy taken from the store, in (0, 1].
    decay_per_h : float
        Share of the energy held that is lost in an hour, in [0, 1).
    charge_rate_per_h : float
        Share of the room left, capacity less energy held, that can be added in an hour [1/h]; the energy held is that
        at the beginning of the step. So a store fills ever slower: ``1 - exp(-rate * hours)`` where nothing is lost.
    discharge_rate_per_h : float
        Share of the capacity that can be removed in an hour [1/h].
    min_share : float
        Least energy held as a share of the capacity, in [0, 1).

    Raises
    ------
    InputError
        For a value out of these ranges; NaN is out of all of them.
    """

    capacity_kwh: float
    efficiency_charge: float
    efficiency_discharge: float
    decay_per_h: float
    charge_rate_per_h: float
    discharge_rate_per_h: float
    min_share: float = 0.0

    def __post_init__(self) -> None:
        _positive(self, "capacity_kwh")
        _share(self, "efficiency_charge", "efficiency_discharge")
        _at_least_zero(self, "charge_rate_per_h", "discharge_rate_per_h")
        for field in ("decay_per_h", "min_share"):
            if not 0 <= (value := getattr(self, field)) < 1:
                raise InputError("Store", field, value, "a number >= 0 and below 1")

    @classmethod
    def of_megajoules(
        cls,
        capacity_mj: float,
        *,
        efficiency_charge: float,
        efficiency_discharge: float,
        decay_per_h: float,
        charge_rate_per_h: float,
        discharge_rate_per_h: float,
        min_share: float,
    ) -> Self:
        """A store whose capacity is given in MJ."""
        return cls(
            capacity_mj * KWH_PER_MJ,
            efficiency_charge,
            efficiency_discharge,
            decay_per_h,
            charge_rate_per_h,
            discharge_rate_per_h,
            min_share,
        )

    @property
    def energy_min_kwh(self) -> float:
        """Least energy held [kWh]."""
        return self.min_share * self.capacity_kwh

    @property
    def discharge_max_kw(self) -> float:
        """Highest discharging power outside the store [kW]."""
        return self.efficiency_discharge * self.discharge_rate_per_h * self.capacity_kwh

    def kept(self, step_h: float) -> float:
        """Share of the energy held that is left after a step."""
        return float((1.0 - self.decay_per_h) ** step_h)


@dataclass(frozen=True)
class ElectricChiller:
    """A compression chiller: `rating_kw` of cooling [kW thermal], `cop` kWh of cooling per kWh of electricity."""

    rating_kw: float
    cop: float

    def __post_init__(self) -> None:
        _positive(self, "rating_kw", "cop")


@dataclass(frozen=True)
class AbsorptionChiller:
    """A chiller driven by heat: `rating_kw` of cooling [kW thermal], `cop` kWh of cooling per kWh of heat."""

    rating_kw: float
    cop: float

    def __post_init__(self) -> None:
        _positive(self, "rating_kw", "cop")


@dataclass(frozen=True)
class Boiler:
    """A gas boiler: `rating_kw` of heat [kW thermal], `efficiency` in heat per energy of the gas, in (0, 1]."""

    rating_kw: float
    efficiency: float

    def __post_init__(self) -> None:
        _positive(self, "rating_kw")
        _share(self, "efficiency")


@dataclass(frozen=True)
class SolarPower:
    """A PV array of `rating_kw` [kW electric]; it can be curtailed."""

    rating_kw: float

    def __post_init__(self) -> None:
        _positive(self, "rating_kw")


@dataclass(frozen=True)
class SolarThermal:
    """A solar collector of `rating_kw` [kW thermal]; it can be shaded or left unused."""

    rating_kw: float

    def __post_init__(self) -> None:
        _positive(self, "rating_kw")


@dataclass(frozen=True)
class Cogenerator:
    """A fuel cell or a natural-gas generator, whose heat can be used.

    Parameters
    ----------
    rating_kw : float
        Electric power [kW].
    efficiency_electric, efficiency_heat : float
        Electricity and usable heat per energy of the gas; their sum is at most 1.
    om_per_kwh : float
        Operation and maintenance [currency/kWh of electricity].
    min_load_share : float
        Least power while it runs, as a share of the rating, in [0, 1].
    start_cost : float
        Cost of a start [currency].
    """

    rating_kw: float
    efficiency_electric: float
    efficiency_heat: float
    om_per_kwh: float = 0.0
    min_load_share: float = 0.0
    start_cost: float = 0.0

    def __post_init__(self) -> None:
        _positive(self, "rating_kw")
        _share(self, "efficiency_electric")
        _at_least_zero(self, "efficiency_heat", "om_per_kwh", "start_cost", "min_load_share")
        if self.efficiency_electric + self.efficiency_heat > 1:
            found = (self.efficiency_electric, self.efficiency_heat)
            raise InputError("Cogenerator", "efficiency_electric, efficiency_heat", found, "a sum of at most 1")
        if self.min_load_share > 1:
            raise InputError("Cogenerator", "min_load_share", self.min_load_share, "at most 1")

    @property
    def min_kw(self) -> float:
        """Least power while it runs [kW]."""
        return self.min_load_share * self.rating_kw

    @property
    def heat_per_kwh(self) -> float:
        """Usable heat per electricity."""
        return self.efficiency_heat / self.efficiency_electric

    @property
    def needs_commitment(self) -> bool:
        """Whether being on or off is more than a matter of its power."""
        return self.min_kw > 0 or self.start_cost > 0
