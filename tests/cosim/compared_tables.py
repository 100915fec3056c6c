"""Tidy tables of sweeps, made up, with what they come to known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["RULES", "four_bus", "noisy", "run_rows", "tidy"]

RULES = ("none", "prc", "anrc", "hybrid")
IDLE = 10.0  # cost without optimisation, of everybody

Array = npt.NDArray[np.float64]


def run_rows(
    fields: Mapping[str, Any],
    lost: Sequence[float],
    *,
    gain: float | Sequence[float] = 2.0,
    distance: Sequence[float] | None = None,
    tce: Sequence[float] | None = None,
    cvc: Sequence[float] | None = None,
) -> pd.DataFrame:
    """Rows of one run: everybody gains `gain` [currency] from optimisation and loses `lost` of it to the rule."""
    n = len(lost)
    gains, taken = np.broadcast_to(np.asarray(gain, dtype=float), n), np.asarray(lost, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = np.where(gains > 0, 100 * (gains - taken) / gains, np.nan)
    usual = {"mode": "closed-loop", "feeder.name": "four-bus", "start": pd.Timestamp("2016-06-08", tz="UTC"), "days": 1}
    always = {"rule": "none", **usual, "seed": 1, "replication": 0}
    design = {**fields, **{name: value for name, value in always.items() if name not in fields}}
    return pd.DataFrame(
        {
            **{name: [value] * n for name, value in design.items()},
            "prosumer": [f"home-{k}" for k in range(n)],
            "bus": range(n),
            "distance_ohm": np.arange(1.0, n + 1) / 10 if distance is None else distance,
            "cost": IDLE - gains + taken,
            "cost_without_rule": IDLE - gains,
            "cost_without_optimisation": IDLE,
            "lcg_percent": 100 * taken / (IDLE - gains),
            "gain": gains - taken,
            "gain_kept_percent": kept,
            "tce_kwh": np.zeros(n) if tce is None else tce,
            "cvc_pu": np.ones(n) if cvc is None else cvc,
        }
    )


def tidy(runs: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The runs as the tidy table of a sweep."""
    numbered = []
    for number, rows in enumerate(runs):
        rows.insert(0, "run_id", f"{number:016x}")
        rows.insert(0, "run", number)
        numbered.append(rows)
    return pd.concat(numbered, ignore_index=True)


def four_bus() -> pd.DataFrame:
    """Four rules, control tried at one of three homes at a time: as Hashmi et al., table VII, in whole numbers."""
    lost = {"none": (0, 0, 0), "prc": (0, 0.5, 2.5), "anrc": (0, 0, 1), "hybrid": (0, 0, 1)}
    cvc = {"none": (0, 1, 3), "prc": (0, 1, 1), "anrc": (0, 1, 2), "hybrid": (0, 1, 0)}
    runs = []
    for rule in RULES:
        for k in range(3):
            alone = np.eye(3)[k]
            felt = np.full(3, 50.0)  # what the others feel is not the pool's
            felt[k] = cvc[rule][k]
            fields = {"rule": rule, "control_at": f"bus-{k + 2}"}
            taken = alone * lost[rule][k]
            runs.append(run_rows(fields, list(taken), gain=list(2.0 * alone), tce=list(2 * taken), cvc=list(felt)))
    return tidy(runs)


def noisy(seeds: int = 6, n: int = 20, noise: float = 0.5, **fields: Any) -> pd.DataFrame:
    """Four rules under the same seeds: a seed makes every rule dearer, or cheaper, by the same factor."""
    share = {"none": 0.0, "prc": 0.8, "anrc": 0.4, "hybrid": 0.4}
    cut = {"none": 1.0, "prc": 0.5, "anrc": 0.75, "hybrid": 0.5}
    runs = []
    for rule in RULES:
        for r in range(seeds):
            common = float(np.random.default_rng(r).uniform(1 - noise, 1 + noise))
            own = np.random.default_rng([r, RULES.index(rule)])
            far = np.linspace(0, 1, n)
            lost = 2.0 * share[rule] * far * (common + 0.04 * noise * own.standard_normal())
            cvc = cut[rule] * (1 + far) * common
            design = {"rule": rule, **fields, "seed": 100 + r, "replication": r}
            runs.append(run_rows(design, list(lost), tce=list(3 * lost), cvc=list(cvc)))
    return tidy(runs)
