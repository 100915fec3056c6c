"""Homes with stores, and market steps, of random make."""

from __future__ import annotations

import numpy as np

from agents.prosumer.behind_meter import BehindMeter, MeterInputs
from agents.prosumer.self_consumption import Asked, Step, Stores

__all__ = ["KINDS", "some_assets", "some_inputs", "some_step"]

KINDS = ("free", "held", "charging", "capped")


def some_assets(generator: np.random.Generator, n: int) -> BehindMeter:
    """Each asset in about half of the homes, behind up to three stations."""

    def drawn(size: float) -> np.ndarray:
        return size * generator.uniform(0.2, 1.0, n) * (generator.random(n) < 0.5)

    ids = [f"home-{row}" for row in range(n)]
    return BehindMeter(ids, generator.integers(0, 3, n), drawn(16.0), drawn(3.0), drawn(11.6), drawn(6.0), np.zeros(n))


def some_inputs(generator: np.random.Generator, assets: BehindMeter, n_steps: int) -> MeterInputs:
    """Loads, charging, sun by day and heat up to what the heat pumps can give."""
    shape = (n_steps, len(assets))
    sun = np.maximum(np.sin(np.arange(n_steps) * 2 * np.pi / 96 - np.pi / 2), 0.0)[:, None]
    return MeterInputs(
        generator.gamma(1.0, 0.6, shape),
        8.0 * sun * (generator.random(shape[1]) < 0.5) * generator.random(shape),
        assets.hp_kw * generator.random(shape),
        generator.uniform(2.5, 5.0, n_steps),
        11.0 * (generator.random(shape) < 0.05),
    )


def some_step(generator: np.random.Generator, assets: BehindMeter, kind: str) -> tuple[Step, Stores, Asked]:
    """A step of homes of which some have a surplus, stores anywhere between empty and full, and what is asked."""
    n = len(assets)
    p_net_kw = generator.normal(0.5 * generator.normal(), 3.0, n)
    step = Step(p_net_kw, assets.hp_kw * generator.random(n), float(generator.uniform(2.5, 5.0)))
    full = generator.choice([0.0, 1.0, np.nan], n)
    shares = np.where(np.isnan(full), generator.random(n), full)
    stores = Stores(assets.battery_kwh * shares, assets.tes_kwh * generator.random(n))
    # Some caps are below the load at rest, some above all that could be charged.
    cap_kw = p_net_kw.sum() + generator.uniform(-0.5, 3.0) * n if kind == "capped" else np.inf
    asked = Asked(generator.choice([0.3, 1.0]), kind in ("charging", "capped"), float(cap_kw), kind == "held")
    return step, stores, asked
