"""A week of large customers on one feeder: what the collective-tariff study and its benchmark are made of.

The four facilities of `agents.facility.PLANTS` with their made loads, a background load at every other place, a
time-of-use tariff, and an operator who watches the voltage of the office complex by night. The head of the feeder gets
its voltage by a rule: without any plant the lowest watched voltage of the hours before on-peak is a hair above the
reference, so that whatever goes below it is the plants' doing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from agents.customers import Response
from agents.dso import FeederMonitor, Options, Watch
from agents.facility import PLANTS, Facilities, FacilityPlanner, Needs, baseline
from agents.terms import Terms
from cosim.background_loads import background_kw
from cosim.collective_settings import WeekSettings
from cosim.dry_summer import TIMEZONE, local_hours
from cosim.facility_loads import facility_needs, local_times
from cosim.facility_series import read_background_kw, read_needs
from cosim.tariff import TimeOfUseTariff
from feeders import Feeder, load_feeder, make_engine
from feeders.errors import InputError
from feeders.head_voltage import head_voltage
from feeders.parametric import FACILITIES

__all__ = ["NIGHT_LOADS", "Week", "WeekSettings", "collective_week"]

Array = npt.NDArray[np.float64]

NIGHT_LOADS = {"tight": 1.0, "slack": 0.0}
"""Background load of the night: as high as at 07:30, or a deep valley. A tight feeder has no room to move load to."""

_WATCHED = "One Sun Plaza"
_NIGHT = (20.0, 8.0)
_BEFORE_PEAK = (6.0, 8.0)
_EVENING_OVER_MORNING = 1.3  # of the background, see `cosim.background_loads`


@dataclass(frozen=True)
class Week:
    """Customers, feeder and tariff of a week, ready to rehearse.

    Attributes
    ----------
    times : DatetimeIndex
        Beginnings of the T steps, UTC.
    facilities : Facilities
        Their generators committed against the tariff.
    monitor : FeederMonitor
        Watches the office complex.
    tariff : Terms
    options : Options
        Limits count by night.
    before_peak : array of bool, shape (T,)
        06:00 to 08:00 of days with an on-peak period.
    baseline : Response
        The facilities without their plant.
    background_kw : array, shape (T,)
        Of all others together.
    """

    times: pd.DatetimeIndex
    facilities: Facilities
    monitor: FeederMonitor
    tariff: Terms
    options: Options
    before_peak: npt.NDArray[np.bool_]
    baseline: Response
    background_kw: Array


def collective_week(settings: WeekSettings, night_load: float, seed: int = 0) -> Week:
    """The week of `settings`, with loads of `seed`.

    Parameters
    ----------
    settings : WeekSettings
    night_load : float
        See `NIGHT_LOADS` and `cosim.background_loads.background_kw`.
    seed : int
        Of the loads.

    Raises
    ------
    InputError, InputErrors
        For a feeder, place or preset that does not exist, or a feeder that no head voltage brings to the reference.
    """
    times = local_times(settings.start, settings.days)
    needs = _needs(settings, times, seed)
    feeder = load_feeder(settings.feeder)
    places = _places(feeder, settings.places)
    tariff_of = TimeOfUseTariff(preset=settings.preset)
    tariff = tariff_of.terms(times, len(places))
    planners = [FacilityPlanner(name, PLANTS[name], needs[name]) for name in places]
    facilities = Facilities(planners, list(places.values()))
    background = _background(feeder, settings, times, seed, night_load)
    monitor = _monitor(feeder, places, background, settings.v_ref_pu)
    bare = _baseline(facilities, needs)
    before_peak = _before_peak(times, tariff)
    _set_head(monitor, bare, before_peak, settings.v_ref_pu + settings.baseline_above_pu)
    facilities.commit(tariff)
    hours = local_hours(times)
    night = (hours >= _NIGHT[0]) | (hours < _NIGHT[1])
    options = Options(
        max_iterations=settings.max_iterations,
        active=night,
        margin_pu=settings.margin_pu,
        patience=max(1, settings.max_iterations),
    )
    return Week(times, facilities, monitor, tariff, options, before_peak, bare, background[0].sum(axis=1))


def _places(feeder: Feeder, given: Mapping[str, int | str]) -> dict[str, int]:
    """Bus of each facility."""
    unknown = [name for name in given if name not in PLANTS]
    if unknown:
        raise InputError("week", "places", unknown[0], f"facilities: {', '.join(PLANTS)}")
    names = set(feeder.net.bus["name"])
    own = {name: name for name in PLANTS} if set(PLANTS) <= names else _spread(feeder)
    return {name: feeder.bus_by_name(given.get(name, own[name])) for name in PLANTS}


def _spread(feeder: Feeder) -> dict[str, int]:
    """Connection buses at the shares of the greatest distance that the facilities have on the stand-in feeder."""
    z_ohm = feeder.electrical_distance.z_ohm.loc[feeder.connection_buses.tolist()]
    farthest = max(FACILITIES.values())
    left, found = z_ohm.copy(), {}
    for name, node in sorted(FACILITIES.items(), key=lambda item: -item[1]):
        bus = (left - z_ohm.max() * node / farthest).abs().idxmin()
        found[name] = int(bus)
        left = left.drop(bus)
        if left.empty and len(found) < len(FACILITIES):
            raise InputError(f"feeder {feeder.name!r}", "connection_buses", len(z_ohm), f"at least {len(FACILITIES)}")
    return found


def _needs(settings: WeekSettings, times: pd.DatetimeIndex, seed: int) -> dict[str, Needs]:
    """What the facilities must meet: from files, and made where there is none."""
    unknown = [name for name in settings.loads if name not in PLANTS]
    if unknown:
        raise InputError("week", "loads", unknown[0], f"facilities: {', '.join(PLANTS)}")
    made = facility_needs(settings.start, settings.days, seed=seed)
    read = {name: read_needs(Path(file), PLANTS[name], times) for name, file in settings.loads.items()}
    return made | read


def _background(
    feeder: Feeder, settings: WeekSettings, times: pd.DatetimeIndex, seed: int, night_load: float
) -> tuple[Array, Array]:
    """What all others consume, shape (T, n_buses) [kW, kvar]: the net's own loads are taken for their evening peak.

    Each place has a series of its own, of a size in the proportion of its load in the net.
    """
    own_p, own_q = feeder.background_p_kw, feeder.background_q_kvar
    places = np.flatnonzero(own_p > 0)
    p_kw, q_kvar = np.zeros((2, len(times), feeder.n_buses))
    if settings.background_file is not None:
        series = read_background_kw(Path(settings.background_file), times).to_numpy()
        if series.shape[1] != len(places):
            allowed = f"{len(places)}, a column for each loaded bus of feeder {feeder.name!r}"
            raise InputError(settings.background_file, "number of columns", series.shape[1], allowed)
    elif len(places):
        morning_kw = own_p[places].sum() / _EVENING_OVER_MORNING
        series = background_kw(
            settings.start, settings.days, seed=seed, night=night_load, n_loads=len(places), morning_kw=morning_kw
        ) * (own_p[places] / own_p[places].mean())
    else:
        return p_kw, q_kvar
    p_kw[:, places] = series
    q_kvar[:, places] = series * (own_q[places] / own_p[places])
    return p_kw, q_kvar


def _monitor(
    feeder: Feeder, places: Mapping[str, int], background: tuple[Array, Array], v_ref_pu: float
) -> FeederMonitor:
    watch = Watch("voltage", places[_WATCHED], v_ref_pu)
    return FeederMonitor(make_engine(feeder), list(places.values()), *background, [watch])


def _baseline(facilities: Facilities, needs: Mapping[str, Needs]) -> Response:
    """What they would draw without plants; fuel for heat is left out, as it does not reach the feeder."""
    schedules = [baseline(planner.plant, needs[planner.name]) for planner in facilities.planners]
    p_kw = np.column_stack([schedule.p_kw for schedule in schedules])
    none = np.zeros(p_kw.shape[1])
    return Response(p_kw, -facilities.tan_phi * p_kw, none, none.astype(bool))


def _before_peak(times: pd.DatetimeIndex, tariff: Terms) -> npt.NDArray[np.bool_]:
    """06:00 to 08:00 local time of days on which the price then rises."""
    hours = local_hours(times)
    day = times.tz_convert(TIMEZONE).normalize()
    price = tariff.price_buy[:, 0]
    dear = pd.Series(price > price.min(), index=times).groupby(day).transform("any").to_numpy()
    early: npt.NDArray[np.bool_] = (hours >= _BEFORE_PEAK[0]) & (hours < _BEFORE_PEAK[1]) & dear
    return early


def _set_head(monitor: FeederMonitor, bare: Response, when: npt.NDArray[np.bool_], target_pu: float) -> None:
    p_kw, q_kvar = monitor.bus_powers(bare.p_kw, bare.q_kvar)
    buses = [watch.element for watch in monitor.watches]
    vm_pu = head_voltage(monitor.engine, p_kw[when], q_kvar[when], buses, target_pu)
    monitor.engine.set_slack_vm_pu(vm_pu)
