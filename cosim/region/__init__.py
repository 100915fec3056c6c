"""A year of a region: who owns what, what the weather brings, and what measures against congestion do."""

from cosim.region.case import RegionCase

__all__ = ["RegionCase"]
