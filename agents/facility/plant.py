"""A facility's plant, and the four of the published study."""

from __future__ import annotations

import math
from dataclasses import dataclass

from agents.facility.equipment import (
    AbsorptionChiller,
    Boiler,
    Cogenerator,
    ElectricChiller,
    SolarPower,
    SolarThermal,
    Store,
)
from feeders.errors import InputError

__all__ = ["CARRIERS", "GENERATORS", "PLANTS", "STORES", "Fuel", "Plant"]

CARRIERS = ("electricity", "cooling", "heat")

STORES = {"battery": "electricity", "cold": "cooling", "hot": "heat"}
"""The stores by their names, and what each holds."""

GENERATORS = ("fuel_cell", "generator")


@dataclass(frozen=True)
class Fuel:
    """Natural gas: its price [currency/kWh] and the CO2 of burning it [kg/kWh].

    The price is this project's assumption. The IPCC's default of 56,100 kg CO2 per TJ of lower heating value (2006
    Guidelines, volume 2, table 2.2) is 0.202 kg/kWh; gas is sold by its higher heating value, about 1.11 times as much.
    """

    price: float = 0.024
    co2_kg_per_kwh: float = 0.182

    def __post_init__(self) -> None:
        for field in ("price", "co2_kg_per_kwh"):
            if not 0 <= (value := getattr(self, field)) < math.inf:
                raise InputError("Fuel", field, value, "a finite number >= 0")


@dataclass(frozen=True)
class Plant:
    """What a facility has; None is what it does not have.

    Electricity is bought, made by PV, fuel cell and generator, and held by the battery; cooling is made by the two
    chillers and held by the cold store; heat comes from boiler, sun and the generators, is held by the hot store,
    drives the absorption chiller, and may be dumped. Dumping heat and curtailing the sun cost nothing.

    Raises
    ------
    InputError
        For a plant in which an absorption chiller has no source of heat.
    """

    battery: Store | None = None
    cold: Store | None = None
    hot: Store | None = None
    chiller: ElectricChiller | None = None
    absorption: AbsorptionChiller | None = None
    boiler: Boiler | None = None
    pv: SolarPower | None = None
    solar: SolarThermal | None = None
    fuel_cell: Cogenerator | None = None
    generator: Cogenerator | None = None

    def __post_init__(self) -> None:
        if self.absorption and not (self.boiler or self.solar or self.fuel_cell or self.generator):
            raise InputError("Plant", "absorption", self.absorption, "one beside a source of heat")

    @property
    def stores(self) -> dict[str, Store]:
        """Its stores by name, in the order of `STORES`."""
        found = {"battery": self.battery, "cold": self.cold, "hot": self.hot}
        return {name: store for name, store in found.items() if store is not None}

    @property
    def generators(self) -> dict[str, Cogenerator]:
        """Fuel cell and generator by name, where it has them."""
        found = {"fuel_cell": self.fuel_cell, "generator": self.generator}
        return {name: generator for name, generator in found.items() if generator is not None}


# What the source does not give: assumptions of this project.
_BOILER_EFFICIENCY = 0.82
_ABSORPTION_COP = 0.7  # single effect
_FUEL_CELL = Cogenerator(80.0, 0.42, 0.40, om_per_kwh=0.016, min_load_share=0.5, start_cost=4.0)
_GENERATOR = Cogenerator(240.0, 0.30, 0.45, om_per_kwh=0.018, min_load_share=0.4, start_cost=3.0)

PLANTS: dict[str, Plant] = {
    "UNM ME": Plant(
        hot=Store.of_megajoules(
            1836,
            efficiency_charge=0.95,
            efficiency_discharge=0.95,
            decay_per_h=0.01,
            charge_rate_per_h=0.56,
            discharge_rate_per_h=0.36,
            min_share=0.01,
        ),
        cold=Store.of_megajoules(
            13_686,
            efficiency_charge=0.99,
            efficiency_discharge=0.99,
            decay_per_h=0.01,
            charge_rate_per_h=0.17,
            discharge_rate_per_h=0.17,
            min_share=0.01,
        ),
        chiller=ElectricChiller(352.0, 5.4),
        absorption=AbsorptionChiller(70.0, _ABSORPTION_COP),
        solar=SolarThermal(170.0),
        boiler=Boiler(200.0, _BOILER_EFFICIENCY),
    ),
    "One Sun Plaza": Plant(
        cold=Store.of_megajoules(
            52_272,
            efficiency_charge=0.99,
            efficiency_discharge=0.99,
            decay_per_h=0.01,
            charge_rate_per_h=0.17,
            discharge_rate_per_h=0.17,
            min_share=0.01,
        ),
        chiller=ElectricChiller(2110.0, 5.5),
        pv=SolarPower(300.0),
    ),
    "ABQ Studios": Plant(
        cold=Store.of_megajoules(
            43_805,
            efficiency_charge=0.99,
            efficiency_discharge=0.99,
            decay_per_h=0.01,
            charge_rate_per_h=0.23,
            discharge_rate_per_h=0.16,
            min_share=0.01,
        ),
        chiller=ElectricChiller(3516.0, 6.0),
    ),
    "Mesa del Sol": Plant(
        battery=Store(
            160.0,
            efficiency_charge=0.99,
            efficiency_discharge=0.75,
            decay_per_h=0.004,
            charge_rate_per_h=0.5,
            discharge_rate_per_h=0.5,
            min_share=0.12,
        ),
        hot=Store.of_megajoules(
            7657,
            efficiency_charge=0.9,
            efficiency_discharge=0.9,
            decay_per_h=0.02,
            charge_rate_per_h=1.0,
            discharge_rate_per_h=1.0,
            min_share=0.01,
        ),
        cold=Store.of_megajoules(
            2549,
            efficiency_charge=0.9,
            efficiency_discharge=0.9,
            decay_per_h=0.01,
            charge_rate_per_h=0.28,
            discharge_rate_per_h=0.28,
            min_share=0.01,
        ),
        chiller=ElectricChiller(246.0, 4.0),
        absorption=AbsorptionChiller(70.0, _ABSORPTION_COP),
        boiler=Boiler(200.0, _BOILER_EFFICIENCY),
        pv=SolarPower(50.0),
        fuel_cell=_FUEL_CELL,
        generator=_GENERATOR,
    ),
}
"""The four facilities of A. Pensini, M. Robinson, N. Heine, M. Stadler, A. Mammoli, "Assessment of grid-friendly
collective optimization framework for distributed energy resources", tables I (ratings) and II (storage).

Not in the source, so assumptions of this project: boilers (200 kW, 0.82), the absorption chillers' COP (0.7, single
effect), and all of fuel cell and generator but their ratings.
"""
