"""Homes behind MV/LV stations behind one HV/MV station."""

from feeders.region.from_net import region_from_net
from feeders.region.join import join_stations
from feeders.region.region import Region
from feeders.region.schutterwald import SCHUTTERWALD_STATIONS, schutterwald_region

__all__ = ["SCHUTTERWALD_STATIONS", "Region", "join_stations", "region_from_net", "schutterwald_region"]
