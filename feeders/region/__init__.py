"""Homes behind MV/LV stations behind one HV/MV station."""

from feeders.region.region import Region

__all__ = ["Region"]
