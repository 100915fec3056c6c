"""Whether the buses and profiles that a scenario names are there."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from cosim.attempts import allowed_instead, caught
from cosim.profiles import Use, profile_values
from cosim.scenario import Scenario
from feeders import Feeder
from feeders.errors import InputError

__all__ = ["bus_problems", "profile_problems"]

_HERE = "scenario"

_NEAREST = 20  # unknown buses that are told the nearest known ones: a tenth of a second each on a large feeder

_IN_POPULATION = {
    "bus": "buses",
    "load_profile": "load_profiles",
    "pv_profile": "pv_profiles",
    "ev_profile": "ev_profiles",
    "heat_profile": "heat_profiles",
    "outdoor_profile": "outdoor_profile",
}
_USES: dict[str, Use] = {
    "load_profile": "load",
    "pv_profile": "pv",
    "ev_profile": "ev",
    "heat_profile": "heat-pump",
    "outdoor_profile": "outdoor",
}
_OWNED = {
    "ev_profile": ("ev_charger_kw", "ev_share"),
    "heat_profile": ("hp_kw", "hp_share"),
    "outdoor_profile": ("room_r_k_per_kw", "hp_share"),
}
"""Fields that only those need whose rating is not 0, or a population whose share is not."""
_INSTEAD = {"ev_profile": "ev_kwh", "heat_profile": "room_r_k_per_kw"}
"""Fields that those do not need who have this instead."""


def profile_problems(s: Scenario) -> Iterator[InputError]:
    """Profiles that there are not, or that do not fit the steps; of chargers and heat pumps only where one is."""
    if s.profiles_file is not None and not Path(s.profiles_file).is_file():
        yield InputError(_HERE, "profiles_file", s.profiles_file, "an existing CSV file")
    elif s.profiles_file is not None and s.profiles == "repeated":
        yield InputError(_HERE, "profiles", s.profiles, "measured: only the embedded extract is repeated, no file")
    elif 24 * 60 % s.market_step_min == 0:  # else said elsewhere
        for field, use in _USES.items():
            places: dict[str, list[str]] = {}
            for place, name in _given(s, field):
                places.setdefault(str(name), []).append(place)
            for name, named in places.items():
                for error in caught(partial(profile_values, s, name, named[0], use=use)):
                    fields = named if error.field == named[0] else [error.field]  # a fault of the profile, or of all
                    yield from (InputError(error.where, at, error.value, error.allowed) for at in fields)


def bus_problems(s: Scenario, feeder: Feeder) -> Iterator[InputError]:
    """Buses that the feeder has not, or that have no supply."""
    known = {*map(str, feeder.buses), *map(str, feeder.net.bus["name"])}
    n_unknown = 0

    def connect(bus: int | str) -> None:
        nonlocal n_unknown
        if str(bus) not in known:
            n_unknown += 1
            if n_unknown > _NEAREST:
                raise InputError(_HERE, "bus", bus, "a bus index or name of this net")
        if not feeder.energised[feeder.bus_positions([bus])[0]]:
            raise InputError(_HERE, "bus", bus, "a bus with supply: this one is out of service or isolated")

    given = _given(s, "bus")
    refused = allowed_instead((bus for _, bus in given), connect)
    for field, bus in given:
        if bus in refused:
            yield InputError(_HERE, field, bus, refused[bus])


def _given(s: Scenario, field: str) -> list[tuple[str, int | str]]:
    """Where a scenario names the bus or profile of its prosumers: dotted name and value."""
    rating, share = _OWNED.get(field, (None, None))
    if s.population is not None:
        if share is not None and not getattr(s.population, share):
            return []
        name = _IN_POPULATION[field]
        values = getattr(s.population, name)
        if values is None:
            return []
        return [(f"population.{name}", value) for value in ([values] if isinstance(values, str) else values)]
    owners = [p for p in s.prosumers if rating is None or getattr(p, rating)]
    owners = [p for p in owners if field not in _INSTEAD or not getattr(p, _INSTEAD[field])]
    return [(f"prosumers.{p.id}.{field}", getattr(p, field)) for p in owners if getattr(p, field) is not None]
