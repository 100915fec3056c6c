"""Cars with a battery and rooms with a temperature of a scenario's prosumers, on its market steps.

Hours are of the day in the time zone of the embedded profiles (`cosim.data.TIMEZONE`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from agents.prosumer import DeviceSignals
from agents.prosumer.car import charge_cheapest, charge_when_home, driven_kwh
from agents.prosumer.fleet import Fleet
from agents.prosumer.fleet_checks import car_problems
from agents.prosumer.room import heats
from cosim.data import TIMEZONE
from cosim.profiles import device_profiles, market_times, profile_values
from cosim.prosumer_spec import ProsumerSpec
from cosim.scenario import Scenario
from feeders.errors import InputError

__all__ = [
    "CarCourses",
    "car_courses",
    "car_rows",
    "cars_of",
    "device_signals",
    "ev_start_kwh",
    "outdoor_c",
    "room_power_kw",
    "unreachable",
]

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

SUMMER_MEAN_C, SUMMER_SWING_C, WARMEST_H = 27.0, 5.0, 16.0
"""The day of whoever names no outdoor profile: 22 to 32 C. The source of the room's model has 32 C at most; the swing
and the hour are assumptions."""


@dataclass(frozen=True)
class CarCourses:
    """What cars do that charge as they like, arrays of shape (T, number of cars).

    Attributes
    ----------
    p_kw : array
        Power of the chargers, >= 0.
    away : array of bool
    driven_kwh : array
    energy_kwh : array
        At the end of each step.
    """

    p_kw: Array
    away: Flags
    driven_kwh: Array
    energy_kwh: Array


def device_signals(scenario: Scenario, inelastic: Array, first_step: int, price_buy: Array) -> DeviceSignals | None:
    """What chargers and heat pumps add to the inelastic load of prosumers, shape (T, n); None where nobody has any.

    Parameters are those of `car_courses`; the steps are those of the load.
    """
    n_steps = len(inelastic)
    found = device_profiles(scenario, first_step, n_steps)
    if found is None:
        return None
    p_ev_kw, p_hp_kw = found
    cars = car_courses(scenario, first_step, n_steps, price_buy)
    t_out_c = outdoor_c(scenario, first_step, n_steps)
    away, driven_kwh = None, None
    if cars is not None:
        rows = car_rows(scenario)
        away, driven_kwh = np.zeros(inelastic.shape, dtype=bool), np.zeros(inelastic.shape)
        p_ev_kw[:, rows], away[:, rows], driven_kwh[:, rows] = cars.p_kw, cars.away, cars.driven_kwh
    if t_out_c is not None:
        p_hp_kw += room_power_kw(scenario.prosumers, t_out_c)
    powers = np.asfortranarray(p_ev_kw), np.asfortranarray(p_hp_kw)
    return DeviceSignals(inelastic, *powers, away, driven_kwh, t_out_c)


def cars_of(people: Sequence[ProsumerSpec]) -> Fleet:
    """Those prosumers' cars that have a battery, as rows by their names."""
    owners = [p for p in people if _has_car(p)]

    def column(name: str) -> Array:
        return np.array([getattr(p, name) for p in owners], dtype=float)

    nothing, charger_kw = np.zeros(len(owners)), column("ev_charger_kw")
    return Fleet(
        names=[p.id for p in owners],
        bus=np.zeros(len(owners), dtype=np.int64),
        pv_kw=nothing,
        battery_kw=nothing,
        ev_kw=charger_kw,
        hp_kw=nothing,
        ev_h=column("ev_kwh") / charger_kw,
        ev_efficiency=column("ev_efficiency"),
        ev_soc_min=nothing,
        ev_soc_target=column("ev_soc_target"),
        ev_trip_h=column("ev_trip_kwh") / charger_kw,
        ev_leaves_h=column("ev_leaves_h"),
        ev_returns_h=column("ev_returns_h"),
    )


def car_rows(scenario: Scenario) -> list[int]:
    """Which prosumers have such a car."""
    return [row for row, p in enumerate(scenario.prosumers) if _has_car(p)]


def _has_car(prosumer: ProsumerSpec) -> bool:
    return prosumer.ev_kwh > 0 and prosumer.ev_charger_kw > 0


def unreachable(scenario: Scenario) -> list[InputError]:
    """Cars that cannot be back at their target before they leave, as errors in the fields of the scenario."""
    problems = car_problems(cars_of(scenario.prosumers), scenario.market_step_min / 60)
    found = []
    for problem in problems:
        name, _, column = problem.field.rpartition(".")
        column = {"ev_trip_h": "ev_trip_kwh"}.get(column, column)
        value = next(getattr(p, column) for p in scenario.prosumers if p.id == name)
        found.append(InputError("scenario", f"prosumers.{name}.{column}", value, problem.allowed))
    return found


def car_courses(scenario: Scenario, first_step: int, n_steps: int, price_buy: Array) -> CarCourses | None:
    """Charging of the scenario's cars with a battery in some steps, if nothing is capped; None where there is no car.

    A span has the values that it has in the whole run. At its start cars hold what they do who charged on arrival the
    evening before. Those that charge where it is cheapest see the prices of their whole time at home; beyond the end of
    the run they take them to be those of the last day. It is the tariff that they look at, not what an operator
    publishes; a tariff that is changed in a run of more than three days reaches them at midnight, in a shorter one not.

    Parameters
    ----------
    scenario : Scenario
        Whose prosumers; they must have been drawn or read.
    first_step, n_steps : int
        Which market steps.
    price_buy : array, shape (steps of the run,)
        What is paid [currency/kWh].
    """
    cars = cars_of(scenario.prosumers)
    if not len(cars):
        return None
    per_day = 24 * 60 // scenario.market_step_min
    begin = max(first_step - per_day, 0)
    end = first_step + n_steps + per_day
    energy_kwh = _settled_kwh(scenario, cars, begin)
    away, driven = _road(scenario, cars, begin, end - begin)
    step_h = scenario.market_step_min / 60
    p_kw, course = charge_when_home(cars, energy_kwh, away, driven, step_h)
    cheap = np.flatnonzero([scenario.prosumers[row].ev_charging == "cheapest" for row in car_rows(scenario)])
    if len(cheap):
        price = _prices(price_buy, begin, end, per_day)[:, None] + np.zeros((1, len(cheap)))
        p_kw[:, cheap], course[:, cheap] = charge_cheapest(
            cars.rows(cheap), energy_kwh[cheap], away[:, cheap], driven[:, cheap], price, step_h
        )
    own = slice(first_step - begin, first_step - begin + n_steps)
    return CarCourses(p_kw[own], away[own], driven[own], course[own])


def ev_start_kwh(scenario: Scenario) -> Array:
    """Energy in the battery of each prosumer's car at the start of the run, 0 for none; shape (n_prosumers,) [kWh]."""
    found, rows = np.zeros(len(scenario.prosumers)), car_rows(scenario)
    if rows:
        found[rows] = _settled_kwh(scenario, cars_of(scenario.prosumers), 0)
    return found


def outdoor_c(scenario: Scenario, first_step: int, n_steps: int) -> Array | None:
    """Outdoor temperature of those with a room, 0 of others, shape (n_steps, n_prosumers); None where there is none."""
    people = scenario.prosumers
    if not any(p.room_r_k_per_kw for p in people):
        return None
    times = market_times(scenario, first_step, n_steps)
    summer = SUMMER_MEAN_C + SUMMER_SWING_C * np.cos((_hours(times, scenario) - WARMEST_H) / 12 * np.pi)
    known: dict[str | None, Array] = {None: summer}
    found = np.zeros((n_steps, len(people)))
    for row, p in enumerate(people):
        if not p.room_r_k_per_kw:
            continue
        if p.outdoor_profile not in known:
            read = partial(profile_values, use="outdoor", first_step=first_step, n_steps=n_steps)
            field = f"prosumers.{p.id}.outdoor_profile"
            known[p.outdoor_profile] = read(scenario, str(p.outdoor_profile), field)
        found[:, row] = known[p.outdoor_profile]
    return found


def room_power_kw(people: Sequence[ProsumerSpec], t_out_c: Array) -> Array:
    """Power that holds each room at its set-point, within its rating, 0 for who has none; shape (n_steps, n_prosumers).

    What a forecast takes the heat pump to draw; its thermostat draws that but where rating, ramp or a cap bind.
    """

    def column(name: str) -> Array:
        return np.array([getattr(p, name) for p in people], dtype=float)

    r_k_per_kw, set_point_c = column("room_r_k_per_kw"), column("set_point_c")
    heat_kw = np.divide(
        heats(t_out_c, set_point_c) * (set_point_c - t_out_c),
        r_k_per_kw,
        out=np.zeros(t_out_c.shape),
        where=r_k_per_kw > 0,
    )
    found: Array = np.minimum(heat_kw / column("hp_cop"), column("hp_kw"))
    return found


def _settled_kwh(scenario: Scenario, cars: Fleet, step: int) -> Array:
    """Energy before a step of cars that charge on arrival, however long they have; shape (cars,) [kWh]."""
    per_day = 24 * 60 // scenario.market_step_min
    away, driven = _road(scenario, cars, step - 2 * per_day, 2 * per_day)
    _, energy = charge_when_home(cars, cars.ev_soc_target * cars.ev_kwh, away, driven, scenario.market_step_min / 60)
    last: Array = energy[-1]
    return last


def _road(scenario: Scenario, cars: Fleet, first_step: int, n_steps: int) -> tuple[Flags, Array]:
    """When cars are away and what they drive, by the local hour of each step, shape (n_steps, cars) each."""
    step_h = scenario.market_step_min / 60
    per_day = 24 * 60 // scenario.market_step_min
    hours = _hours(market_times(scenario, first_step, n_steps), scenario)
    place = np.minimum((hours / step_h).astype(np.int64), per_day - 1)
    return cars.away(step_h, per_day)[place], driven_kwh(cars, per_day, step_h)[place]


def _hours(times: pd.DatetimeIndex, scenario: Scenario) -> Array:
    """Local hour of the day at the middle of each step."""
    local = (times + pd.Timedelta(minutes=scenario.market_step_min / 2)).tz_convert(TIMEZONE)
    found: Array = local.hour.to_numpy(float) + local.minute.to_numpy(float) / 60
    return found


def _prices(price_buy: Array, begin: int, end: int, per_day: int) -> Array:
    """Prices of steps ``begin .. end - 1``; beyond the last of them those of the last day again."""
    beyond = np.arange(max(end - len(price_buy), 0)) % per_day
    return np.concatenate([price_buy, price_buy[-per_day:][beyond]])[begin:end]
