"""A year of a region: who owns what, what the weather brings, and what measures against congestion do."""

from cosim.region.case import RegionCase
from cosim.region.year_flow import YearFlow, year_flow

__all__ = ["RegionCase", "YearFlow", "year_flow"]
