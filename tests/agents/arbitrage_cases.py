"""Random arbitrage problems, always feasible, that touch the corners."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from agents.prosumer.arbitrage import Horizon
from agents.prosumer.battery import Battery
from agents.prosumer.demand import Demand

__all__ = ["BATTERY", "STEP_H", "a_horizon", "random_battery", "random_demand", "random_horizon", "tail"]

STEP_H = 0.25
BATTERY = Battery(0.2, 2.0, 2.0, 1.0, 0.9, 0.8)


def a_horizon(**changes: Any) -> Horizon:
    """Four quarters of an hour, rising prices, 0.5 kWh of flexible load due of at most 1 kWh."""
    usual = Horizon(
        price_buy=np.array([0.1, 0.2, 0.3, 0.4]),
        price_sell=np.array([0.05, 0.1, 0.15, 0.2]),
        p_net_kw=np.array([1.0, -1.0, 1.0, 1.0]),
        flexible_min_kw=np.zeros(4),
        flexible_max_kw=np.ones(4),
        energy_start_kwh=1.0,
        flexible_energy_kwh=0.5,
    )
    return replace(usual, **changes)


def random_battery(rng: np.random.Generator) -> Battery:
    """Up to 4 kWh, sometimes none or without ramp, sometimes without losses."""
    capacity = float(rng.choice([0.0, 1.0, 2.0, 4.0], p=[0.1, 0.3, 0.3, 0.3]))
    return Battery.from_c_rate(
        capacity,
        float(rng.choice([0.0, 0.25, 0.5, 1.0])),
        float(rng.choice([0.25, 0.5, 1.0])),
        energy_min_kwh=capacity * float(rng.choice([0.0, 0.1])),
        efficiency_charge=float(rng.choice([0.8, 0.95, 1.0])),
        efficiency_discharge=float(rng.choice([0.8, 0.95, 1.0])),
    )


def random_horizon(rng: np.random.Generator, n: int, battery: Battery, *, negative: bool = False) -> Horizon:
    """Time-of-use, flat, spiky or rounded prices; full, empty or half-full battery; flexible energy from none to all.

    With `negative`, all three orders of zero among the prices occur: below both, between them, above both.
    """
    hour = (np.arange(n) * STEP_H + rng.uniform(0, 24)) % 24
    kind = rng.choice(["time of use", "flat", "real time", "rounded"])
    if kind == "flat":
        price = np.full(n, 0.2)
    elif kind == "time of use":
        price = np.select([hour < 6, (hour > 16) & (hour < 21)], [0.1, 0.3], 0.2)
    else:
        price = 0.03 + np.abs(0.03 * rng.standard_normal(n)) * np.where(rng.random(n) < 0.05, 10, 1)
        price = np.round(price, 2) if kind == "rounded" else price
    kappa = float(rng.choice([0.0, 0.5, rng.random(), 1.0]))
    sell = kappa * price
    if negative:
        below = rng.random(n)
        price = np.where(below < 0.4, -price, price)
        sell = np.where(below < 0.7, np.minimum(price, -0.5 * np.abs(sell)), np.minimum(price, sell))
    sun = np.maximum(np.sin((hour - 6) / 12 * np.pi), 0.0)
    flexible_max = rng.choice([0.0, 0.5]) * rng.random(n)
    flexible_min = flexible_max * rng.choice([0.0, 0.3])
    least, most = STEP_H * flexible_min.sum(), STEP_H * flexible_max.sum()
    due = float(least + rng.choice([0.0, rng.random(), 1.0]) * (most - least))
    floor, room = battery.energy_min_kwh, battery.energy_max_kwh - battery.energy_min_kwh
    start = float(floor + rng.choice([0.0, 0.5, 1.0]) * room)
    return Horizon(
        price_buy=price,
        price_sell=sell,
        p_net_kw=rng.random(n) - rng.choice([0.0, 3.0]) * sun,
        flexible_min_kw=flexible_min,
        flexible_max_kw=flexible_max,
        energy_start_kwh=start,
        flexible_energy_kwh=due,
        flexible_slack_kwh=float(rng.choice([0.0, 1e-3 * due])),
        energy_end_min_kwh=start if rng.random() < 0.3 else None,
    )


def random_demand(rng: np.random.Generator, n: int, n_windows: int) -> Demand:
    """Windows that may overlap, be empty or be all of the horizon; some prices zero, some peaks so far high."""
    return Demand(
        window=rng.random((n_windows, n)) < rng.choice([0.0, 0.3, 0.7, 1.0], n_windows)[:, None],
        price=rng.choice([0.0, 1.0], n_windows, p=[0.2, 0.8]) * rng.uniform(0.001, 0.5, n_windows),
        peak_so_far_kw=rng.choice([0.0, 1.0], n_windows) * rng.uniform(0, 2, n_windows),
    )


def tail(horizon: Horizon, elapsed: int, energy_kwh: float, flexible_energy_kwh: float) -> Horizon:
    """What is left of a horizon after some steps, with the energies as measured then."""
    return replace(
        horizon,
        price_buy=horizon.price_buy[elapsed:],
        price_sell=horizon.price_sell[elapsed:],
        p_net_kw=horizon.p_net_kw[elapsed:],
        flexible_min_kw=horizon.flexible_min_kw[elapsed:],
        flexible_max_kw=horizon.flexible_max_kw[elapsed:],
        energy_start_kwh=energy_kwh,
        flexible_energy_kwh=flexible_energy_kwh,
    )
