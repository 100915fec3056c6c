"""From prices and loads to the rows that the dynamic program works on (`agents.prosumer.value_function`)."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from agents.prosumer.self_discharge import decay
from agents.prosumer.ties import FLEXIBLE, HOLDING, THROUGHPUT
from agents.prosumer.value_function import (
    BASE,
    CHARGE,
    DISCHARGE,
    FMAX,
    FMIN,
    KEPT,
    KW_CHARGED,
    KW_DISCHARGED,
    MAGIC,
    TF,
    TH,
    TOP,
    TOP_RESTED,
    TT,
    UMAX,
    UMIN,
    WB,
    WS,
    Z,
    to_grid,
)
from feeders.compiled import compiled

__all__ = ["fill_rates", "fill_stages"]

Array = npt.NDArray[np.float64]


@compiled
def fill_rates(step_h: float, battery: Array, rates: Array) -> float:
    """Fill the rates of a battery (as `battery_row`), energies on the grid; the grid's `magic`."""
    lost, gain = decay(battery[6], step_h)
    room = battery[1] - battery[0]
    charge, discharge = min(gain * battery[2], room), min(gain * battery[3], room)
    # Sums of up to 2**e are exact on multiples of 2**(e - 51), which adding 1.5 * 2**(e + 1) leaves.
    exponent = math.frexp(battery[1] + charge + discharge)[1]
    magic = 1.5 * math.ldexp(1.0, exponent + 1)
    rates[BASE], rates[TOP] = to_grid(battery[0], magic), to_grid(battery[1], magic)
    rates[CHARGE], rates[DISCHARGE] = to_grid(charge, magic), to_grid(discharge, magic)
    rates[KW_CHARGED], rates[KW_DISCHARGED] = 1.0 / (gain * battery[4]), battery[5] / gain
    rates[KEPT], rates[MAGIC] = 1.0 - lost, magic
    rates[TOP_RESTED] = rates[BASE] + to_grid(rates[KEPT] * (rates[TOP] - rates[BASE]), magic)
    return magic


@compiled
def _given(p_kw: float, rates: Array, magic: float) -> float:
    """What the battery gives in a step [kWh] when its AC power is -`p_kw`."""
    given = p_kw / (rates[KW_DISCHARGED] if p_kw > 0.0 else rates[KW_CHARGED])
    far = magic / 3.0  # 2**e: beyond any step, and still on the grid
    return to_grid(min(max(given, -far), far), magic)


@compiled
def fill_stages(
    weight: float,
    price_buy: Array,
    price_sell: Array,
    p_net_kw: Array,
    flexible_min_kw: Array,
    flexible_max_kw: Array,
    ties: Array,
    rates: Array,
    magic: float,
    stages: Array,
) -> None:
    """Fill a row for each step; `weight` is the cost of a kW over a step at a price of 1, ties are (3, N)."""
    ahead = ties.shape[1] - price_buy.size
    for i in range(price_buy.size):
        stage = stages[i]
        stage[WS], stage[WB] = weight * price_sell[i], weight * price_buy[i]
        stage[TT], stage[TF] = ties[THROUGHPUT, ahead + i], ties[FLEXIBLE, ahead + i]
        stage[TH] = ties[HOLDING, ahead + i]
        stage[Z], stage[FMIN], stage[FMAX] = p_net_kw[i], flexible_min_kw[i], flexible_max_kw[i]
        if stage[WB] > stage[WS]:
            stage[UMIN] = _given(p_net_kw[i] + flexible_min_kw[i], rates, magic)
            stage[UMAX] = _given(p_net_kw[i] + flexible_max_kw[i], rates, magic)
        else:  # import and export cost the same: no kink
            stage[UMIN] = stage[UMAX] = rates[DISCHARGE]
