"""A year of a region: who owns what, what the weather brings, and what measures against congestion do."""

from cosim.region.branch_limits import branch_limits
from cosim.region.case import RegionCase
from cosim.region.comfort import EnergyLostError
from cosim.region.prices import HomePrices
from cosim.region.published import PublishedStep, published_reference
from cosim.region.year import YearOutcome, live_year, status_quo, unstored_kw
from cosim.region.year_flow import YearFlow, year_flow

__all__ = [
    "EnergyLostError",
    "HomePrices",
    "PublishedStep",
    "RegionCase",
    "YearFlow",
    "YearOutcome",
    "branch_limits",
    "live_year",
    "published_reference",
    "status_quo",
    "unstored_kw",
    "year_flow",
]
