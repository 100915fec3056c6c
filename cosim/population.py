"""From a population or a table of prosumers to the prosumers themselves, drawn household by household.

Every field has a stream of random numbers of its own, known by the field's name, and household k takes its k-th
number: it is the same whatever the number of households, and a field more or another distribution leaves the other
fields as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from zlib import crc32

import numpy as np
import numpy.typing as npt

from cosim.build import build_feeder
from cosim.distributions import quantile
from cosim.population_spec import PopulationSpec, Sized
from cosim.prosumer_spec import ProsumerSpec
from cosim.prosumers_file import read_prosumers
from cosim.scenario import Scenario
from feeders import Feeder
from feeders.errors import InputError

__all__ = ["draw", "resolve"]

Array = npt.NDArray[np.float64]


def resolve(scenario: Scenario, feeder: Feeder | None = None) -> Scenario:
    """The scenario with its prosumers as a tuple, drawn or read where they are not there yet.

    It still knows its population or file, which is what its TOML and its run's identity name.

    Parameters
    ----------
    scenario : Scenario
        A scenario whose prosumers are there, or listed in the first place, is given back as it is.
    feeder : Feeder, optional
        The feeder that a population is drawn for, where it is not the scenario's own or has been built already.

    Raises
    ------
    InputError, InputErrors
        When the feeder has no such place, or the file is no table of prosumers.
    """
    if scenario.prosumers or not scenario.has_source:
        return scenario
    if scenario.population is None:
        people = read_prosumers(Path(scenario.prosumers_file or ""))
    else:
        people = draw(scenario.population, scenario.seed, feeder or build_feeder(scenario.feeder))
    return scenario.model_copy(update={"prosumers": people})


def draw(population: PopulationSpec, seed: int, feeder: Feeder) -> tuple[ProsumerSpec, ...]:
    """The households of a population; the same seed, population and feeder give the same ones.

    Raises
    ------
    InputError
        When no bus of the feeder suits the placement.
    """
    spec, n = population, population.n
    draws = _Draws(spec, seed)
    uniform, size, named = draws.uniform, draws.size, draws.named
    pv_kwp = draws.owned("pv_share", "pv_kwp")
    battery_kwh = draws.owned("battery_share", "battery_kwh")
    c_charge, c_discharge = size("battery_c_charge"), size("battery_c_discharge")
    battery_kw = np.maximum(c_charge, c_discharge) * battery_kwh
    columns: dict[str, Iterable[object]] = {
        "id": (f"home-{k:05d}" for k in range(1, n + 1)),
        "bus": _places(spec, uniform("placement"), feeder),
        "load_profile": named("load_profiles"),
        "load_annual_mwh": size("load_annual_mwh").tolist(),
        "load_power_factor": [spec.load_power_factor] * n,
        "flexible_share": size("flexible_share").tolist(),
        "flexible_max": [spec.flexible_max] * n,
        "pv_profile": named("pv_profiles"),
        "pv_kwp": pv_kwp.tolist(),
        "battery_kwh": battery_kwh.tolist(),
        "battery_c_charge": c_charge.tolist(),
        "battery_c_discharge": c_discharge.tolist(),
        "efficiency_charge": [spec.efficiency_charge] * n,
        "efficiency_discharge": [spec.efficiency_discharge] * n,
        "self_discharge_per_h": size("self_discharge_per_h").tolist(),
        "inverter_kva": _inverters(spec, pv_kwp, battery_kw, uniform("inverter_kva")).tolist(),
        **_devices(draws, pv_kwp),
        "optimise": (uniform("optimise_share") < spec.optimise_share).tolist(),
        "strategy": draws.strategies(),
        "ties": named("ties"),
        "rule": (None if obeys else "none" for obeys in uniform("rule_share") < spec.rule_share),
    }
    rows = zip(*columns.values(), strict=True)
    return tuple(ProsumerSpec.model_validate(dict(zip(columns, row, strict=True))) for row in rows)


class _Draws:
    """The random numbers of a population: of each field its own, household by household."""

    def __init__(self, spec: PopulationSpec, seed: int) -> None:
        self.spec, self._seed = spec, seed

    def uniform(self, field: str) -> Array:
        sequence = np.random.SeedSequence(self._seed, spawn_key=(crc32(b"population"), crc32(field.encode())))
        return np.random.default_rng(sequence).random(self.spec.n)

    def size(self, field: str) -> Array:
        return _finite(quantile(getattr(self.spec, field), self.uniform(field)), field)

    def named(self, field: str) -> list[str]:
        names = getattr(self.spec, field)
        return [names[place] for place in (self.uniform(field) * len(names)).astype(int)]

    def owned(self, share: str, field: str) -> Array:
        """A size, or 0 for those without."""
        return np.where(self.uniform(share) < getattr(self.spec, share), self.size(field), 0.0)

    def strategies(self) -> list[str]:
        own = self.uniform("self_consumption_share") < self.spec.self_consumption_share
        return ["self-consumption" if serves_itself else "arbitrage" for serves_itself in own]


def _devices(draws: _Draws, pv_kwp: Array) -> dict[str, Iterable[object]]:
    """Chargers, heat pumps, and hot-water storage of those who have PV and a heat pump."""
    hp_kw = draws.owned("hp_share", "hp_kw")
    tes_kwh = np.where((pv_kwp > 0) & (hp_kw > 0), draws.owned("tes_share", "tes_kwh"), 0.0)
    return {
        "ev_charger_kw": draws.owned("ev_share", "ev_charger_kw").tolist(),
        "ev_profile": draws.named("ev_profiles"),
        **_cars(draws),
        "hp_kw": hp_kw.tolist(),
        "heat_profile": draws.named("heat_profiles"),
        "hp_cop": [draws.spec.hp_cop] * draws.spec.n,
        **_rooms(draws, hp_kw),
        "tes_kwh": tes_kwh.tolist(),
    }


def _cars(draws: _Draws) -> dict[str, Iterable[object]]:
    """Batteries and habits of the cars; at the defaults where no car has a battery."""
    spec, n = draws.spec, draws.spec.n
    owner = draws.uniform("ev_share") < spec.ev_share
    return {
        "ev_kwh": np.where(owner, draws.size("ev_kwh"), 0.0).tolist(),
        **{name: draws.size(name).tolist() for name in ("ev_leaves_h", "ev_returns_h", "ev_soc_target", "ev_trip_kwh")},
        "ev_efficiency": [spec.ev_efficiency] * n,
        "ev_charging": [spec.ev_charging] * n,
    }


def _rooms(draws: _Draws, hp_kw: Array) -> dict[str, Iterable[object]]:
    """Rooms of those who have a heat pump."""
    spec, n = draws.spec, draws.spec.n
    return {
        "room_r_k_per_kw": np.where(hp_kw > 0, draws.size("room_r_k_per_kw"), 0.0).tolist(),
        "comfort_k": draws.size("comfort_k").tolist(),
        **{
            name: [getattr(spec, name)] * n
            for name in ("room_c_kwh_per_k", "set_point_c", "hp_ramp", "outdoor_profile")
        },
    }


def _finite(values: Array, field: str) -> Array:
    if not np.isfinite(values).all():
        raise InputError("scenario", f"population.{field}", float(np.max(values)), "a distribution of finite values")
    return values


def _inverters(spec: PopulationSpec, pv_kwp: Array, battery_kw: Array, u: Array) -> Array:
    """Ratings [kVA]; a home with neither PV nor battery has no inverter."""
    larger = np.maximum(pv_kwp, battery_kw)
    if isinstance(spec.inverter_kva, Sized):
        return _finite(spec.inverter_kva.factor * larger, "inverter_kva")
    return np.where(larger > 0, _finite(quantile(spec.inverter_kva, u), "inverter_kva"), 0.0)


def _places(spec: PopulationSpec, u: Array, feeder: Feeder) -> list[int | str]:
    """The bus of each household; `u` are its uniform numbers."""
    if spec.placement == "given":
        return [spec.buses[k % len(spec.buses)] for k in range(spec.n)]
    buses = feeder.connection_buses
    if not len(buses):
        raise InputError("scenario", "population.placement", spec.placement, "a feeder where people can connect")
    if spec.placement == "random":
        found = buses[(u * len(buses)).astype(int)]
    elif spec.placement == "end-of-feeder":
        found = np.resize(_farthest_first(feeder), spec.n)
    else:
        until = np.cumsum(_own_load_kw(feeder))
        found = buses[np.searchsorted(until, u * until[-1], side="right")]
    places: list[int | str] = found.tolist()
    return places


def _farthest_first(feeder: Feeder) -> npt.NDArray[np.int64]:
    """Connection buses by electrical distance, in per unit where they are on several voltage levels."""
    buses = feeder.connection_buses
    row = feeder.bus_positions(buses.tolist())
    vn_kv = feeder.net.bus["vn_kv"].to_numpy(dtype=float)[row]
    distance = feeder.electrical_distance["z_ohm"].to_numpy()[row] / vn_kv**2
    return buses[np.argsort(-distance, kind="stable")]


def _own_load_kw(feeder: Feeder) -> Array:
    """What the net's own elements consume at each connection bus; 0 where they generate more."""
    load_kw = np.maximum(feeder.background_p_kw[feeder.bus_positions(feeder.connection_buses.tolist())], 0.0)
    if not load_kw.sum() > 0:
        allowed = "a feeder with loads of its own where people can connect, and feeder.background_scale > 0"
        raise InputError("scenario", "population.placement", "proportional-to-load", allowed)
    return load_kw
