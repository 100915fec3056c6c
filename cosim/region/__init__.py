"""A year of a region: who owns what, what the weather brings, and what measures against congestion do."""

from cosim.region.allocation import MIXES, Mix, Penetration, allocate, station_mixes
from cosim.region.base_load import BASE_HOMES
from cosim.region.branch_limits import branch_limits
from cosim.region.build import Sizes, region_case
from cosim.region.case import RegionCase
from cosim.region.comfort import EnergyLostError
from cosim.region.own_profiles import OwnProfiles
from cosim.region.prices import HomePrices
from cosim.region.published import PublishedStep, published_reference
from cosim.region.weather import Weather, reference_year
from cosim.region.year import YearOutcome, live_year, status_quo, unstored_kw
from cosim.region.year_flow import YearFlow, year_flow

__all__ = [
    "BASE_HOMES",
    "MIXES",
    "EnergyLostError",
    "HomePrices",
    "Mix",
    "OwnProfiles",
    "Penetration",
    "PublishedStep",
    "RegionCase",
    "Sizes",
    "Weather",
    "YearFlow",
    "YearOutcome",
    "allocate",
    "branch_limits",
    "live_year",
    "published_reference",
    "reference_year",
    "region_case",
    "station_mixes",
    "status_quo",
    "unstored_kw",
    "year_flow",
]
