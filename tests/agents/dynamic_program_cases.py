"""Random problems without negative prices for two planners, with more corners than `arbitrage_cases`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from agents.prosumer.arbitrage import Horizon, Plan
from agents.prosumer.battery import Battery
from agents.prosumer.ties import FLEXIBLE, HOLDING, THROUGHPUT, price_scale
from tests.agents.arbitrage_cases import STEP_H, random_horizon

__all__ = ["N_STEPS", "cornered_horizon", "decaying_case", "same_choice", "wide_battery"]

N_STEPS = 96


def wide_battery(rng: np.random.Generator) -> Battery:
    """None to 13.5 kWh at 0 to 2C, with and without reserve, lossless to lossy."""
    capacity = float(rng.choice([0.0, 0.5, 2.0, 13.5], p=[0.1, 0.3, 0.3, 0.3]))
    return Battery.from_c_rate(
        capacity,
        float(rng.choice([0.0, 0.1, 0.5, 1.0, 2.0], p=[0.1, 0.2, 0.2, 0.2, 0.3])),
        float(rng.choice([0.0, 0.1, 0.5, 1.0, 2.0], p=[0.1, 0.2, 0.2, 0.2, 0.3])),
        energy_min_kwh=capacity * float(rng.choice([0.0, 0.1, 1.0], p=[0.6, 0.35, 0.05])),
        efficiency_charge=float(rng.choice([0.8, 0.95, 1.0])),
        efficiency_discharge=float(rng.choice([0.8, 0.95, 1.0])),
    )


def cornered_horizon(rng: np.random.Generator, battery: Battery) -> Horizon:
    """1 to 96 steps of `random_horizon`; some with prices of zero, a flexible load without choice, or a wide slack."""
    n = int(rng.choice([1, 2, N_STEPS, rng.integers(1, N_STEPS + 1)], p=[0.05, 0.05, 0.1, 0.8]))
    horizon = random_horizon(rng, n, battery)
    if rng.random() < 0.2:
        free = rng.random(n) < rng.choice([0.1, 1.0], p=[0.8, 0.2])
        buy, sell = np.where(free, 0.0, horizon.price_buy), np.where(free, 0.0, horizon.price_sell)
        horizon = replace(horizon, price_buy=buy, price_sell=sell)
    if rng.random() < 0.1:
        load = horizon.flexible_max_kw
        due = STEP_H * float(load.sum())
        horizon = replace(horizon, flexible_min_kw=load, flexible_energy_kwh=due)
    if rng.random() < 0.1:
        horizon = replace(horizon, flexible_slack_kwh=float(rng.choice([0.3, 2.0])) * horizon.flexible_energy_kwh)
    if horizon.energy_end_min_kwh is not None and rng.random() < 0.5:
        hours = n * STEP_H
        highest = min(battery.energy_max_kwh, horizon.energy_start_kwh + hours * battery.p_charge_max_kw)
        horizon = replace(horizon, energy_end_min_kwh=highest)
    return horizon


def decaying_case(rng: np.random.Generator) -> tuple[Battery, Horizon]:
    """A battery that loses 1e-6 to 0.5 of its energy per hour, and a horizon whose end it can still reach."""
    battery = wide_battery(rng)
    horizon = cornered_horizon(rng, battery)
    rate = float(rng.choice([1e-6, 1e-4, 0.002, 0.01, 0.1, 0.5, rng.uniform(0, 0.1)]))
    battery = replace(battery, self_discharge_per_h=rate)
    if horizon.energy_end_min_kwh is not None:
        kept, n = (1 - rate) ** STEP_H, len(horizon.price_buy)
        energy, most = (each - battery.energy_min_kwh for each in (horizon.energy_start_kwh, battery.energy_max_kwh))
        for _ in horizon.price_buy:
            energy = min(kept * energy + (1 - kept) / -np.log1p(-rate) * battery.p_charge_max_kw, most)
        # At the very end of reach HiGHS's 1e-9 kWh are worth 1e-9 / kept**n kWh in the n-th step before.
        highest = battery.energy_min_kwh + 0.99 * energy
        # The grid that the dynamic program keeps energies on is up to 1.4e-14 kWh wide. Where nothing can be charged
        # and less than 1e-5 of the first step's energy is left, half of that is more than 7e-10 kWh at the start.
        tellable = battery.p_charge_max_kw > 0 or kept**n >= 1e-5
        end = min(horizon.energy_end_min_kwh, highest) if tellable else None
        horizon = replace(horizon, energy_end_min_kwh=end)
    return battery, horizon


def same_choice(one: Plan, other: Plan, ties: npt.NDArray[np.float64]) -> bool:
    """Whether two plans are the same to 1e-8 kWh in every step, or cost the same, ties counted, to 1e-8 on their scale.

    HiGHS keeps rows and reduced costs to 1e-9: it cannot tell plans of equal bill apart whose weights, with decay in
    between, differ by less than that, and what it keeps too much in an early step decays until a later one. Weights are
    some 1e-3 per kWh, so that one that is missing shows.
    """
    pairs = [(plan.p_battery_kw, plan.p_flexible_kw, plan.energy_kwh) for plan in (one, other)]
    differences = [float(np.abs(mine - theirs).max()) for mine, theirs in zip(*pairs, strict=True)]
    if max(STEP_H * differences[0], STEP_H * differences[1], differences[2]) <= 1e-8:
        return True
    ties = ties[:, ties.shape[1] - len(one.p_battery_kw) :]
    cost = []
    for plan, (battery, flexible, energy) in zip((one, other), pairs, strict=True):
        weighed = ties[THROUGHPUT] @ np.abs(battery) + ties[FLEXIBLE] @ flexible + ties[HOLDING] @ energy
        cost.append(price_scale(plan.horizon.price_buy, plan.horizon.price_sell) * plan.cost + weighed)
    return bool(abs(cost[0] - cost[1]) <= 1e-8)
