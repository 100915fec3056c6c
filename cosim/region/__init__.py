"""A year of a region: who owns what, what the weather brings, and what measures against congestion do."""

from cosim.region.branch_limits import branch_limits
from cosim.region.case import RegionCase
from cosim.region.published import PublishedStep, published_reference
from cosim.region.year_flow import YearFlow, year_flow

__all__ = ["PublishedStep", "RegionCase", "YearFlow", "branch_limits", "published_reference", "year_flow"]
