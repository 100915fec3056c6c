"""Drawn fleets and a summer day, small."""

from typing import Any

import numpy as np

from agents.prosumer.fleet import Fleet, FleetInputs


def fleet_of(n: int, **columns: Any) -> Fleet:
    """N rows at bus 0 with nothing but the given columns, arrays or one value for all."""
    zeros = {name: np.zeros(n) for name in ("pv_kw", "battery_kw", "ev_kw", "hp_kw")}
    given = {name: np.broadcast_to(np.asarray(value), (n,)).copy() for name, value in columns.items()}
    bus = given.pop("bus", np.zeros(n, dtype=np.int64))
    return Fleet(names=[f"row-{i}" for i in range(n)], bus=bus, **(zeros | given))


def drawn_fleet(seed: int, n: int = 6, n_buses: int = 3) -> Fleet:
    rng = np.random.default_rng(seed)
    return fleet_of(
        n,
        bus=rng.integers(0, n_buses, n),
        pv_kw=rng.uniform(0, 8, n) * rng.integers(0, 2, n),
        battery_kw=rng.uniform(0, 5, n) * rng.integers(0, 2, n),
        battery_efficiency=rng.uniform(0.8, 1, n),
        battery_self_discharge_per_h=rng.choice([0.0, 0.01], n),
        battery_soc_min=rng.uniform(0, 0.3, n),
        ev_kw=rng.uniform(3, 11, n) * rng.integers(0, 2, n),
        ev_leaves_h=rng.uniform(5, 10, n),
        ev_returns_h=rng.uniform(15, 23.9, n),
        hp_kw=rng.choice([0.0, 5.6, 16.8], n),
        q_share=rng.uniform(0, 0.5, n),
    )


def day(n_buses: int = 3, step_h: float = 1.0, load_kw: float = 2.0) -> FleetInputs:
    """A summer day: evening load, sun from 6 to 18 h, 22 to 32 C."""
    n_steps = round(24 / step_h)
    hour = (np.arange(n_steps) + 0.5) * step_h
    load = load_kw * (1 + 0.8 * np.sin((hour - 13) / 24 * 2 * np.pi))
    return FleetInputs(
        p_load_kw=np.repeat(load[:, None], n_buses, axis=1),
        q_load_kvar=np.zeros((n_steps, n_buses)),
        pv_share=np.maximum(0.0, np.sin((hour - 6) / 12 * np.pi)),
        t_out_c=27 + 5 * np.cos((hour - 16) / 12 * np.pi),
        price=np.full(n_steps, 0.2),
        step_h=step_h,
    )
