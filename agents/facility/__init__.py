"""Facilities: plants of stores, chillers, boilers, sun and generators, scheduled against a tariff or a signal."""

from agents.facility.baseline import baseline
from agents.facility.commitment import Commitment, CommitmentOptions
from agents.facility.equipment import (
    AbsorptionChiller,
    Boiler,
    Cogenerator,
    ElectricChiller,
    SolarPower,
    SolarThermal,
    Store,
)
from agents.facility.facilities import TAN_PHI, Facilities
from agents.facility.facility import Facility
from agents.facility.needs import Ends, Needs
from agents.facility.objective import Objective
from agents.facility.planner import FacilityPlanner
from agents.facility.plant import PLANTS, Fuel, Plant
from agents.facility.schedule import Costs, Flows, Schedule, StoreUse, mix
from agents.facility.shortfall import ShortfallError

__all__ = [
    "PLANTS",
    "TAN_PHI",
    "AbsorptionChiller",
    "Boiler",
    "Cogenerator",
    "Commitment",
    "CommitmentOptions",
    "Costs",
    "ElectricChiller",
    "Ends",
    "Facilities",
    "Facility",
    "FacilityPlanner",
    "Flows",
    "Fuel",
    "Needs",
    "Objective",
    "Plant",
    "Schedule",
    "ShortfallError",
    "SolarPower",
    "SolarThermal",
    "Store",
    "StoreUse",
    "baseline",
    "mix",
]
