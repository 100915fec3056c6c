"""What a rule did to each prosumer: cost, gain, curtailed energy, voltage (Hashmi et al., section IV-A).

Arrays over time have shape (n_control_steps, n_prosumers), results (n_prosumers,). These are the definitions; a run
adds the same up as it goes (`cosim.tally`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from agents.prosumer import VoltageBand

__all__ = [
    "REVERSAL_PU",
    "VOLTAGE_COUNTS",
    "cumulative_voltage_correction",
    "curtailed_energy",
    "energy_cost",
    "gain_kept",
    "gini",
    "jain",
    "loss_of_consumer_gain",
    "near_and_far",
    "voltage_counts",
    "voltage_reversals",
]

Array = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

VOLTAGE_COUNTS = ("n_above_max", "n_above_dead", "n_below_dead", "n_below_min")
REVERSAL_PU = 1e-3  # a voltage that moves less between control steps does not hunt


def energy_cost(p_meter_kw: Array, price_buy: Array, price_sell: Array, step_h: float) -> Array:
    """Cost of energy [currency]: imports at the buying price less exports at the selling price, eq. (9), (10)."""
    imported_kw = np.maximum(p_meter_kw, 0.0)
    exported_kw = np.maximum(-p_meter_kw, 0.0)
    cost: Array = step_h * (price_buy * imported_kw - price_sell * exported_kw).sum(axis=0)
    return cost


def loss_of_consumer_gain(cost: Array, cost_without_rule: Array) -> Array:
    """LCG [%], eq. (11): rise of the cost over that of energy optimisation under no rule, relative to its size.

    Positive where the rule costs something, also for a house that earns more than it pays. A cost near zero, as a
    house with PV may have, makes the percentage meaningless; `gain_kept` is then the index to read. NaN where the
    cost without rule is exactly zero.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        percent = 100 * (cost - cost_without_rule) / np.abs(cost_without_rule)
    return np.where(cost_without_rule == 0, np.nan, percent)


def gain_kept(cost: Array, cost_without_rule: Array, cost_without_optimisation: Array) -> Array:
    """Share of the gain from energy optimisation that is left under a rule [%].

    The gain is the cost without optimisation less the cost with it. 100 where the rule takes nothing, below
    zero where it costs more than optimisation ever saved; NaN where there is nothing to keep.
    """
    gain = cost_without_optimisation - cost_without_rule
    kept = cost_without_optimisation - cost
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(gain > 0, 100 * kept / gain, np.nan)


def near_and_far(cost: Array, cost_without_rule: Array, cost_without_optimisation: Array) -> tuple[float, float]:
    """Gain kept [%] by the nearest third of the prosumers and by the farthest, of those with a gain, each as one.

    That is the sum of what they keep over the sum of what there was, which a small gain of one prosumer does not move.
    Costs are in the order of the feeder, near to far; a third of n is n / 3, rounded up. NaN where nobody has a gain.
    """
    place = np.flatnonzero(cost_without_optimisation - cost_without_rule > 0)
    third = -(-len(place) // 3)

    def together(part: npt.NDArray[np.intp]) -> float:
        sums = (np.array([each[part].sum()]) for each in (cost, cost_without_rule, cost_without_optimisation))
        return float(gain_kept(*sums)[0])

    return together(place[:third]), together(place[len(place) - third :])


def curtailed_energy(p_curtailed_kw: Array, step_h: float) -> Array:
    """TCE [kWh], eq. (12): PV energy spilled."""
    energy: Array = step_h * p_curtailed_kw.sum(axis=0)
    return energy


def voltage_counts(vm_pu: Array, band: VoltageBand) -> dict[str, Counts]:
    """VCI, eq. (13): samples above u_max, above 1 + dead, below 1 - dead, below u_min, by `VOLTAGE_COUNTS`."""
    beyond = (
        vm_pu > band.vm_max_pu,
        vm_pu > 1 + band.dead_pu,
        vm_pu < 1 - band.dead_pu,
        vm_pu < band.vm_min_pu,
    )
    return {name: samples.sum(axis=0) for name, samples in zip(VOLTAGE_COUNTS, beyond, strict=True)}


def cumulative_voltage_correction(vm_pu: Array, dead_pu: float) -> Array:
    """CVC [p.u.], eq. (14): sum over samples of the deviation beyond the permissible one."""
    excess: Array = np.maximum(np.abs(vm_pu - 1) - dead_pu, 0.0).sum(axis=0)
    return excess


def voltage_reversals(vm_pu: Array, least_pu: float = REVERSAL_PU) -> Counts:
    """Samples at which the voltage turns back by more than `least_pu` after moving as much: a rule that hunts.

    An inverter that reads the last minute's voltage and acts in full overshoots where its droop is steep against the
    feeder's impedance, and swings to and fro from one control step to the next.
    """
    step = np.diff(vm_pu, axis=0)
    large = np.abs(step) > least_pu
    turned: Counts = (large[1:] & large[:-1] & (step[1:] * step[:-1] < 0)).sum(axis=0)
    return turned


def gini(values: Array) -> float:
    """Gini coefficient of non-negative values: 0 where all have the same, (n-1)/n where one has everything."""
    ordered = np.sort(values)
    total = ordered.sum()
    if total == 0:
        return 0.0
    n = len(ordered)
    return float((2 * np.arange(1, n + 1) - n - 1) @ ordered / (n * total))


def jain(values: Array) -> float:
    """Jain's index of fairness of non-negative values: 1 where all have the same, 1/n where one has everything."""
    squares = float((values**2).sum())
    if squares == 0:
        return 1.0
    return float(values.sum() ** 2 / (len(values) * squares))
