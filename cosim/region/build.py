"""A region in a future year: who owns what, what they use, and what the weather gives them, drawn with one seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pandas as pd

from agents.mobility import Habits, drive
from agents.prosumer.behind_meter import BehindMeter, MeterInputs
from agents.prosumer.charging import charge
from cosim.region.allocation import Mix, Penetration, allocate, station_mixes
from cosim.region.base_load import BASE_HOMES, annual_kwh, base_load, draw_areas, draw_shapes
from cosim.region.calendar import STEP_H, year_times
from cosim.region.case import RegionCase
from cosim.region.draws import check_seed
from cosim.region.heat import cop, heat_profiles, heat_shape
from cosim.region.own_profiles import OwnProfiles, own_profiles, put_in
from cosim.region.pv import draw_roofs, pv_profiles
from cosim.region.weather import Weather, reference_year
from feeders.errors import InputError, InputErrors
from feeders.region import Region

__all__ = ["Sizes", "region_case"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sizes:
    """Sizes of assets, the same for every home that owns one; all > 0 but for those that may be 0 (none).

    Attributes
    ----------
    pv_kwp, pv_today_kwp : float
        PV of 2030 and of the status quo (source).
    battery_kwh, battery_kw : float
        Battery: capacity (source), power (an assumption).
    tes_kwh : float
        Hot-water storage of 1000 l [kWh thermal] (source).
    ev_kw : float
        Charger (source).
    heat_kwh_per_m2 : float
        Heat of a year by living area: Efficiency House 40 (source).
    hp_oversize : float
        What the heat pump gives at most, as a multiple of the largest heat demand of its home; 1 or more.

    Raises
    ------
    InputErrors
        For negative sizes and values that are not finite.
    """

    pv_kwp: float = 8.0
    pv_today_kwp: float = 6.6
    battery_kwh: float = 16.0
    battery_kw: float = 3.0
    tes_kwh: float = 11.6
    ev_kw: float = 11.0
    heat_kwh_per_m2: float = 40.0
    hp_oversize: float = 1.0

    def __post_init__(self) -> None:
        least = {"hp_oversize": 1.0}
        problems = [
            InputError("sizes", field.name, value, f"{least.get(field.name, 0):g} or more")
            for field in fields(self)
            if not (np.isfinite(value := getattr(self, field.name)) and value >= least.get(field.name, 0.0))
        ]
        if not problems and self.ev_kw == 0:
            problems = [InputError("sizes", "ev_kw", 0.0, "above 0; no cars at all is a penetration of 0")]
        if problems:
            raise InputErrors(problems)


def region_case(
    region: Region,
    seed: int,
    mix: Mix | Mapping[str, Mix] = "paper",
    *,
    average: Penetration | None = None,
    sizes: Sizes | None = None,
    year: int = 2030,
    today_pv: float = 0.25,
    exact: bool = True,
    weather: Weather | None = None,
    habits: Habits | None = None,
    base_homes: Sequence[str] = BASE_HOMES,
    profiles: OwnProfiles | None = None,
) -> RegionCase:
    """Draw a region's year: 35,040 steps of 15 min from 1 January, in standard time.

    Every draw of a home comes from the seed and the home's name (`cosim.region.draws`), so that a case differs from
    another with the same seed by what was changed alone.

    Parameters
    ----------
    region : Region
    seed : int
    mix : str, Penetration, or mapping from station to one of them
        See `station_mixes`.
    average : Penetration, optional
        Penetrations of the reference mix, and of the others but for their focus.
    sizes : Sizes, optional
    year : int
        Its weekdays and sun; the weather is that of `weather`.
    today_pv : float
        Share of homes with PV in the status quo.
    exact : bool
        Whether penetrations are met exactly; see `allocate`.
    weather : Weather, optional
        Default: the test reference year of climate region 12.
    habits : Habits, optional
        Of the drivers; see `agents.mobility`.
    base_homes : sequence of str
        Measured homes that the electric load is made of; see `cosim.region.base_load`.
    profiles : mapping, optional
        Own profiles by kind; see `own_profiles`. PV of a table counts today and in future, and heat only for homes
        with a heat pump.

    Returns
    -------
    RegionCase

    Raises
    ------
    InputError, InputErrors
        For penetrations over 1, negative sizes, unknown stations, mixes and homes, own profiles and weather of another
        year, and without the packages of the extra ``region``.
    """
    check_seed(seed)
    sizes, names = sizes or Sizes(), [str(name) for name in region.homes.index]
    times = year_times(year)
    own = own_profiles(profiles or {}, names, times)
    mixes = station_mixes([str(name) for name in region.stations.index], mix, average)
    owns = allocate(region.homes["station"], mixes, seed, today_pv=today_pv, exact=exact)
    weather = _weather_of(year, weather)
    homes = _homes(region, owns, sizes, seed, base_homes)
    shape = heat_shape(weather)
    heat_kw = heat_profiles(shape, homes["heat_kwh"].to_numpy(), names, seed)
    load_kw = base_load(times, homes["shape"].tolist(), homes["annual_kwh"].to_numpy(), names, seed)
    put_in(heat_kw, own.get("heat"), names)
    put_in(load_kw, own.get("load"), names)
    heat_kw[:, ~owns["heat_pump"].to_numpy()] = 0.0
    homes["annual_kwh"], homes["heat_kwh"] = load_kw.sum(axis=0) * STEP_H, heat_kw.sum(axis=0) * STEP_H
    homes["hp_kw"] = heat_kw.max(axis=0) * sizes.hp_oversize
    assets = _assets(region, homes)
    sessions = drive(owns["ev"].to_numpy(), times, seed, habits or Habits(), sizes.ev_kw, names, weather.outdoor_c)
    p_ev_kw = charge(sessions, assets.ev_kw, np.full(len(times), np.inf), STEP_H).p_ev_kw
    cop_t = cop(weather.outdoor_c, shape.water_share)
    roofs = homes["roof_deg"].to_numpy()
    pv_kw, pv_today_kw = (pv_profiles(weather, homes[kwp].to_numpy(), roofs) for kwp in ("pv_kwp", "pv_today_kwp"))
    put_in(pv_kw, own.get("pv"), names)
    put_in(pv_today_kw, own.get("pv"), names)
    nothing = np.zeros_like(load_kw)
    return RegionCase(
        region=region,
        times=times,
        assets=assets,
        inputs=MeterInputs(load_kw, pv_kw, heat_kw, cop_t, p_ev_kw, STEP_H),
        today=MeterInputs(load_kw, pv_today_kw, nothing, cop_t, nothing, STEP_H),
        sessions=sessions,
        homes=homes,
        outdoor_c=weather.outdoor_c,
    )


def _weather_of(year: int, weather: Weather | None) -> Weather:
    weather = weather or reference_year(year)
    if not weather.times.equals(year_times(year)):
        raise InputError("weather", "times", str(weather.times[0]), f"the 35040 market steps of {year}")
    return weather


def _homes(region: Region, owns: pd.DataFrame, sizes: Sizes, seed: int, base_homes: Sequence[str]) -> pd.DataFrame:
    """A home a row: where it is, how large it is, and what it owns."""
    names = [str(name) for name in region.homes.index]
    area = draw_areas(names, seed)
    return pd.DataFrame(
        {
            "station": region.homes["station"],
            "area_m2": area,
            "annual_kwh": annual_kwh(area),
            "shape": draw_shapes(names, seed, base_homes),
            "heat_kwh": np.where(owns["heat_pump"], sizes.heat_kwh_per_m2 * area, 0.0),
            "roof_deg": draw_roofs(names, seed),
            "pv_kwp": np.where(owns["pv"], sizes.pv_kwp, 0.0),
            "pv_today_kwp": np.where(owns["pv_today"], sizes.pv_today_kwp, 0.0),
            "battery_kwh": np.where(owns["battery"], sizes.battery_kwh, 0.0),
            "battery_kw": np.where(owns["battery"], sizes.battery_kw, 0.0),
            "tes_kwh": np.where(owns["thermal_store"], sizes.tes_kwh, 0.0),
            "ev_kw": np.where(owns["ev"], sizes.ev_kw, 0.0),
        },
        index=region.homes.index,
    )


def _assets(region: Region, homes: pd.DataFrame) -> BehindMeter:
    return BehindMeter(
        ids=[str(name) for name in homes.index],
        station=region.station_of_home,
        **{name: homes[name].to_numpy(float) for name in ("battery_kwh", "battery_kw", "tes_kwh", "hp_kw", "ev_kw")},
    )
