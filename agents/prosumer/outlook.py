"""What lies ahead of some prosumers but for the prices, read once, so that plans can be asked for again and again."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from agents.prosumer.demand import Demand
from agents.prosumer.forecast import Expectation, Forecast, Rows
from agents.prosumer.plan import Horizon
from agents.prosumer.population import Population
from agents.prosumer.prosumer import Window
from agents.prosumer.signals import Signals
from agents.terms import Terms
from feeders.errors import InputError

__all__ = ["Outlook"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Outlook:
    """What k prosumers know when they plan T market steps; a `Forecast` that knows no others and nothing later.

    Attributes
    ----------
    p_load_kw, p_pv_kw : array, shape (T, k)
        Expected load and PV.
    q_load_kvar : array, shape (T, k)
        Reactive power of the expected load at the power factor that the load will have, > 0 consumed.
    p_flexible_kw, flexible_min_kw, flexible_max_kw : array, shape (T, k)
        Flexible load as it would run by itself, and its bounds.
    price_buy, price_sell : array, shape (T, k)
        Prices to plan against [currency/kWh].
    energy_start_kwh, flexible_energy_kwh, energy_end_min_kwh : array, shape (k,)
        Battery energy now, energy that the flexible load must receive, least battery energy at the end (-inf: any).
    demand_price : array, shape (D, k)
        Prices of the highest import within each of D windows [currency/kW].
    demand_window : array of bool, shape (D, T)
        The steps of each window.
    """

    p_load_kw: Array
    p_pv_kw: Array
    q_load_kvar: Array
    p_flexible_kw: Array
    flexible_min_kw: Array
    flexible_max_kw: Array
    price_buy: Array
    price_sell: Array
    energy_start_kwh: Array
    flexible_energy_kwh: Array
    energy_end_min_kwh: Array
    demand_price: Array
    demand_window: npt.NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        rows: npt.NDArray[np.int64],
        population: Population,
        forecast: Forecast,
        signals: Signals,
        window: Window,
    ) -> Outlook:
        """That of some rows of a population that has begun the first step of the window."""
        now, until = window.now, window.until
        expected = forecast.expect(rows, now, until)
        ahead = signals.rows(now, until)
        usual = signals.p_flexible_kw[ahead, rows]
        p, q = signals.p_load_kw[ahead, rows], signals.q_load_kvar[ahead, rows]
        refill = population.assets.energy_start_kwh[rows] if window.refill else np.full(len(rows), -np.inf)
        return cls(
            p_load_kw=expected.p_load_kw,
            p_pv_kw=expected.p_pv_kw,
            q_load_kvar=expected.p_load_kw * np.divide(q, p, out=np.zeros(p.shape), where=p != 0),
            p_flexible_kw=usual,
            flexible_min_kw=signals.p_flexible_min_kw[ahead, rows],
            flexible_max_kw=signals.p_flexible_max_kw[ahead, rows],
            price_buy=expected.price_buy,
            price_sell=expected.price_sell,
            energy_start_kwh=population.energy_kwh[rows],
            flexible_energy_kwh=population.flexible_owed_kwh[rows] + window.step_h * usual[1:].sum(axis=0),
            energy_end_min_kwh=refill,
            demand_price=np.zeros((0, len(rows))),
            demand_window=np.zeros((0, until - now), dtype=bool),
        )

    def at(self, terms: Terms) -> Outlook:
        """The same at the terms' prices, with those of their demand charges that any of them may have to pay.

        Raises
        ------
        InputError
            When the terms are not for k prosumers and T steps.
        """
        shape = self.p_load_kw.shape
        shapes = terms.price_buy.shape, terms.price_sell.shape
        if shapes != (shape, shape):
            raise InputError("terms", "price_buy, price_sell", shapes, f"shape (T, n) = {shape}")
        size = len(terms.demand_price)
        shapes = terms.demand_price.shape, terms.demand_window.shape
        if shapes != ((size, shape[1]), (size, shape[0])):
            allowed = f"shapes (D, {shape[1]}) and (D, {shape[0]})"
            raise InputError("terms", "demand_price, demand_window", shapes, allowed)
        charged = (terms.demand_price != 0).any(axis=1) & terms.demand_window.any(axis=1)
        return replace(
            self,
            price_buy=terms.price_buy,
            price_sell=terms.price_sell,
            demand_price=terms.demand_price[charged],
            demand_window=terms.demand_window[charged],
        )

    @property
    def charged(self) -> npt.NDArray[np.bool_]:
        """Whose highest import has a price, shape (k,)."""
        found: npt.NDArray[np.bool_] = (self.demand_price != 0).any(axis=0)
        return found

    @property
    def p_net_kw(self) -> Array:
        """Expected load less expected PV, shape (T, k)."""
        return self.p_load_kw - self.p_pv_kw

    def expect(self, row: Rows, now: int, until: int) -> Expectation:  # noqa: ARG002 - as every forecast
        """All that is known, for all."""
        return Expectation(self.p_load_kw, self.p_pv_kw, self.price_buy, self.price_sell)

    def horizon(self, k: int) -> Horizon:
        """That of the k-th alone."""
        end, price = float(self.energy_end_min_kwh[k]), self.demand_price[:, k]
        demand = Demand(self.demand_window, price, np.zeros(len(price))) if price.any() else None
        return Horizon(
            price_buy=self.price_buy[:, k],
            price_sell=self.price_sell[:, k],
            p_net_kw=self.p_load_kw[:, k] - self.p_pv_kw[:, k],
            flexible_min_kw=self.flexible_min_kw[:, k],
            flexible_max_kw=self.flexible_max_kw[:, k],
            energy_start_kwh=float(self.energy_start_kwh[k]),
            flexible_energy_kwh=float(self.flexible_energy_kwh[k]),
            energy_end_min_kwh=None if end == -np.inf else end,
            demand=demand,
        )
