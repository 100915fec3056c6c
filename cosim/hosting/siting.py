"""Where devices are at a level of penetration: by the seed, and a higher level has all that a lower one has."""

from __future__ import annotations

from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from agents.prosumer.fleet import Fleet
from cosim.hosting.capacity import Der
from cosim.hosting.case import HostingCase
from cosim.hosting.definition import Definition

__all__ = ["RATING", "fleet_at", "sites_kw"]

Array = npt.NDArray[np.float64]

RATING: dict[Der, str] = {"pv": "pv_kw", "battery": "battery_kw", "ev": "ev_kw", "hp": "hp_kw"}
"""Column of a fleet by the device."""


def fleet_at(case: HostingCase, definition: Definition, level: float) -> Fleet:
    """All devices when the one that is asked for is at `level`, the others as they are fixed.

    Returns
    -------
    Fleet
        One row per candidate, with the name of its bus, also where nothing is: rows are the same at all levels.
    """
    levels: dict[Der, float] = {der: getattr(definition.fixed, der) for der in RATING}
    levels[definition.der] = level
    columns: dict[str, Any] = {RATING[der]: sites_kw(case, definition, der, at) for der, at in levels.items()}
    names = case.names
    draw = _stream(definition.seed, "windows")
    n = len(case.candidates)
    return Fleet(
        names=[names[place] for place in case.candidates],
        bus=case.feeder.buses[case.candidates],
        ev_leaves_h=draw.uniform(*case.devices.ev_leaves_h, n),
        ev_returns_h=draw.uniform(*case.devices.ev_returns_h, n),
        **columns,
        **case.devices.columns(n),
    )


def sites_kw(case: HostingCase, definition: Definition, der: Der, level: float) -> Array:
    """Rating at each candidate [kW].

    "random-units": PV and batteries in units of random size at random candidates, one after the other; of the last one
    as much as is left, so that the sum is right. Cars and heat pumps: homes in random order, as many as the level
    rounds to. "scaled": PV and batteries by a weight of each candidate, uniform from half to one and a half; cars and
    heat pumps in the same share of the homes everywhere, so that none has more than homes.
    """
    draw = _stream(definition.seed, der)
    n = len(case.candidates)
    if der in ("pv", "battery"):
        wanted = level * case.peak_kva
        if definition.siting == "scaled":
            weights = draw.uniform(0.5, 1.5, n)
            return np.asarray(weights / weights.sum() * wanted, dtype=float)
        return _units(wanted, definition.unit_kw, n, draw)
    homes = case.homes[case.candidates]
    if definition.siting == "scaled":
        return np.asarray(level * homes * _unit_kw(case, der), dtype=float)
    order = draw.permutation(np.repeat(np.arange(n), homes))
    count = int(np.floor(level * len(order) + 0.5 + 1e-9))
    return np.asarray(np.bincount(order[:count], minlength=n) * _unit_kw(case, der), dtype=float)


def _units(wanted_kw: float, unit_kw: float, n: int, draw: np.random.Generator) -> Array:
    """Units until the sum is reached; a longer sequence begins like a shorter one."""
    places, sizes = draw.spawn(2)
    most = int(np.ceil(wanted_kw / (0.5 * unit_kw))) + 1
    kw = sizes.uniform(0.5 * unit_kw, 1.5 * unit_kw, most)
    at = (places.random(most) * n).astype(np.int64)
    kw = np.diff(np.minimum(np.cumsum(kw), wanted_kw), prepend=0.0)
    return np.asarray(np.bincount(at, weights=kw, minlength=n), dtype=float)


def _unit_kw(case: HostingCase, der: Der) -> float:
    return case.devices.ev_unit_kw if der == "ev" else case.devices.hp_unit_kw


def _stream(seed: int, what: str) -> np.random.Generator:
    """Random numbers of one kind of device, which no other kind's depend on."""
    return np.random.default_rng([seed, crc32(what.encode())])
