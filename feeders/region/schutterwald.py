"""The region of Schutterwald, Germany: homes behind MV/LV stations of the upper Rhine's medium-voltage net.

pandapower ships both halves. Transformers of ``lv_schutterwald`` are called ``T_idx_N``, and N is the index of the
station's bus in ``mv_oberrhein``: 12 of the 14 lie within 33 m of that bus, which carries a load equal to their rating.
Bus 78 is within 29 m, but has no load; one ("ZUSATZ") has no counterpart. All are below one 25 MVA transformer.
Taps are as shipped, for the high-load case: with little load the medium voltage is at 1.037 p.u.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from functools import cache

from pandapower.auxiliary import pandapowerNet

from feeders.errors import InputError
from feeders.oberrhein import lv_schutterwald, mv_oberrhein
from feeders.region.from_net import region_from_net
from feeders.region.join import joined_net
from feeders.region.region import Region

__all__ = ["SCHUTTERWALD_STATIONS", "schutterwald_net", "schutterwald_region"]

SCHUTTERWALD_STATIONS = ("35", "43", "45", "47", "71", "73", "77", "78", "80", "81", "117", "118", "119")
"""Stations of lv_schutterwald with a bus in mv_oberrhein, whose index they go by."""


def schutterwald_region(
    stations: Sequence[str] = ("118", "80", "77"), *, rest_of_mv_load: bool = False, name: str = "schutterwald-region"
) -> Region:
    """Stations with their households, on the medium-voltage net they belong to.

    Parameters
    ----------
    stations : sequence of str
        Of `SCHUTTERWALD_STATIONS`. Default: two of 0.63 MVA with 56 and 140 homes and one of 0.4 MVA with 123. They
        come to the 319 homes, and have the ratings, of a published study of the place; no other three do.
    rest_of_mv_load : bool
        Whether the loads of all other stations stay, 17 MW at the HV/MV station. Default: only the homes.
    name : str
        Name of the feeder.

    Returns
    -------
    Region
        Homes go by the names of their loads, ``HH_w`` and the number of their way in OpenStreetMap.

    Raises
    ------
    InputError
        No station, one twice, or one that is not there; the message names the nearest.
    """
    net = _joined(stations)
    return region_from_net(net, stations=list(stations), rest_of_mv_load=rest_of_mv_load, name=name)


def schutterwald_net() -> pandapowerNet:
    """The net of `schutterwald_region` by default, for simulations that bring their own loads: a zero load per home."""
    net = _joined(("118", "80", "77"))
    net.load[["p_mw", "q_mvar"]] = 0.0
    return net


def _joined(stations: Sequence[str]) -> pandapowerNet:
    for station in stations:
        if station not in SCHUTTERWALD_STATIONS:
            near = ", ".join(difflib.get_close_matches(str(station), SCHUTTERWALD_STATIONS, n=3, cutoff=0.0))
            raise InputError("region", "stations", station, f"a station of Schutterwald; nearest: {near}")
        if list(stations).count(station) > 1:
            raise InputError("region", "stations", station, "every station once")
    ends = {station: (f"T_idx_{station}", int(station)) for station in stations}
    return joined_net(*_halves(), ends)


@cache
def _halves() -> tuple[pandapowerNet, pandapowerNet]:
    """Both read once: it takes more than a second. They are copied from, never changed."""
    return mv_oberrhein(), lv_schutterwald()
