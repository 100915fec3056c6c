"""A feeder with all kinds of devices, for dispatches that are found in two ways."""

from __future__ import annotations

import numpy as np

from agents.prosumer.fleet import Fleet, FleetInputs
from feeders import Engine, Feeder, load_feeder, make_engine

__all__ = ["all_devices", "bus_33"]


def bus_33(vm_min_pu: float = 0.95, vm_max_pu: float = 1.05) -> Engine:
    """Baran and Wu's 33 buses, with no limits but of voltage."""
    return make_engine(Feeder(load_feeder("case33bw").net, "case33bw", vm_min_pu=vm_min_pu, vm_max_pu=vm_max_pu))


def all_devices(
    engine: Engine, n: int = 6, pv: float = 0.3, seed: int = 0, step_h: float = 2.0, leak: float = 0.0
) -> tuple[Fleet, FleetInputs]:
    """Some prosumers with all devices, of the feeder's load a share of `pv` and what goes with it, and an evening peak.

    Their loads are those of the net at 60 %, less before dawn.
    """
    feeder, generator, steps = engine.feeder, np.random.default_rng(seed), int(24 / step_h)
    peak, hour = feeder.background_p_kw.sum(), (np.arange(steps) + 0.5) * step_h
    share = 0.6 * (0.6 + 0.4 * np.exp(-(((hour - 18.5) / 3) ** 2)) - 0.2 * np.exp(-(((hour - 4) / 3) ** 2)))
    at = generator.choice(np.flatnonzero(feeder.background_p_kw > 0), n)  # two may meet at a bus
    weights = generator.dirichlet(np.full(n, 3.0), 4)
    fleet = Fleet(
        [f"home-{k}" for k in range(n)],
        feeder.buses[at],
        pv * peak * weights[0],
        0.05 * peak * weights[1],
        0.1 * peak * weights[2],
        0.1 * peak * weights[3],
        ev_leaves_h=generator.uniform(7, 9, n),
        ev_returns_h=generator.uniform(16, 19, n),
        battery_self_discharge_per_h=np.full(n, leak),
    )
    price = np.where((hour > 16) & (hour < 21), 0.3, np.where(hour < 7, 0.12, 0.2))
    loads = (share[:, None] * each for each in (feeder.background_p_kw, feeder.background_q_kvar))
    sun = np.maximum(np.sin((hour - 6) / 12 * np.pi), 0.0)
    return fleet, FleetInputs(*loads, sun, 27 + 5 * np.cos((hour - 16) / 12 * np.pi), price, step_h)
