"""What reaches a population from outside, as columns over the market steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from agents.prosumer.demand_terms import DemandTerms
from agents.prosumer.devices import DeviceSignals

__all__ = ["Signals"]

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


@dataclass
class Signals:
    """Load, sun and prices of n prosumers over T market steps; every array has shape (T, n).

    The steps are those of a window that moves along with a run: row t is market step ``first + t`` of the run. What
    holds on to the signals, as forecasts do, sees the window move.

    Attributes
    ----------
    p_load_kw, q_load_kvar : array
        Inelastic load, > 0 consumed.
    p_pv_kw : array
        PV power available, >= 0.
    p_flexible_kw : array
        Flexible load as it would run by itself; its energy is what planning must deliver.
    p_flexible_min_kw, p_flexible_max_kw : array
        The band in which planning may move it.
    price_buy, price_sell : array
        Prices that are paid [currency/kWh], selling never above buying.
    plan_price_buy, plan_price_sell : array, optional
        Prices that plans are made against; those that are paid (the same arrays) unless given, or `publish` says so.
    first : int
        Market step of the run that the window begins with; 0 until `move_to`.
    devices : DeviceSignals or None
        What of the inelastic load is chargers and heat pumps, which caps may move; None where nobody has any.
    demand : DemandTerms or None
        Charges on the highest import to plan against; none until `publish_demand`.
    """

    p_load_kw: Array
    q_load_kvar: Array
    p_pv_kw: Array
    p_flexible_kw: Array
    p_flexible_min_kw: Array
    p_flexible_max_kw: Array
    price_buy: Array
    price_sell: Array
    plan_price_buy: Array = None  # type: ignore[assignment] # never None once made
    plan_price_sell: Array = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        self.first = 0
        self.demand: DemandTerms | None = None
        self.devices: DeviceSignals | None = None
        if self.plan_price_buy is None:
            self.plan_price_buy = self.price_buy
        if self.plan_price_sell is None:
            self.plan_price_sell = self.price_sell

    def move_to(self, first: int, window: Signals) -> None:
        """Hold the signals of `window` instead, as those of the market steps from `first` on."""
        vars(self).update(vars(window))
        self.first = first

    def publish(self, now: int, price_buy: Array, price_sell: Array, who: slice | Rows = slice(None)) -> None:
        """Let prosumers plan against other prices from market step `now` on than those that they pay.

        It holds for as long as the window that shows these steps: `move_to` brings planning prices of its own.

        Parameters
        ----------
        now : int
            First market step.
        price_buy, price_sell : array, shape (k, 1) or (k, number of prosumers)
            Prices of k steps [currency/kWh], selling never above buying.
        who : slice or array of int
            Which prosumers; all by default.
        """
        steps = self.rows(now, now + len(price_buy))
        for name, price in (("plan_price_buy", price_buy), ("plan_price_sell", price_sell)):
            own = np.array(getattr(self, name), order="F")  # what is paid is shared with it, or with all prosumers
            own[steps, who] = price
            setattr(self, name, own)

    def reprice(self, now: int, price_buy: Array, price_sell: Array) -> None:
        """Let everyone pay other prices from market step `now` to the end of the window, and plan against these too.

        What was published for these steps is dropped.

        Parameters
        ----------
        now : int
            First market step, one of the window or the one after it.
        price_buy, price_sell : array, shape (steps to the end of the window, n)
            [currency/kWh], selling never above buying.
        """
        steps = self.rows(now, self.first + len(self.price_buy))
        for name, price in (("price_buy", price_buy), ("price_sell", price_sell)):
            before = getattr(self, name), getattr(self, f"plan_{name}")
            paid, planned = (np.array(column, order="F") for column in before)  # it may be one price that all share
            paid[steps] = planned[steps] = price
            setattr(self, name, paid)
            setattr(self, f"plan_{name}", paid if before[0] is before[1] else planned)

    def publish_demand(
        self,
        now: int,
        window: npt.NDArray[np.bool_],
        price: Array,
        who: slice | Rows = slice(None),
        peak_kw: Array | None = None,
    ) -> None:
        """Let prosumers plan against charges on their highest import in windows of the steps from `now` on.

        What was published from another step on is dropped with the peaks seen so far; from the same step on, it is
        added to. `move_to` drops all. See `DemandTerms.add` for the parameters, and `DemandTerms.meter`, which whoever
        runs the steps calls so that plans know the peaks so far.

        Raises
        ------
        InputError
            As `DemandTerms.add`.
        """
        if self.demand is None or self.demand.first != now:
            self.demand = DemandTerms(now, self.p_load_kw.shape[1])
        self.demand.add(window, price, who, peak_kw)

    def rows(self, now: int, until: int) -> slice:
        """Where the market steps ``now .. until - 1`` of the run are in the arrays."""
        return slice(now - self.first, until - self.first)

    @classmethod
    def joined(cls, parts: Sequence[Signals]) -> Signals:
        """The prosumers of several populations side by side."""
        if len(parts) == 1:
            return parts[0]
        given = [field.name for field in fields(cls) if not _as_paid(parts, field.name)]
        joined = cls(**{name: np.hstack([getattr(part, name) for part in parts]) for name in given})
        joined.devices = _devices_of(parts)
        return joined


def _devices_of(parts: Sequence[Signals]) -> DeviceSignals | None:
    """Devices side by side: nobody's, or of those without any all of the load."""
    if all(part.devices is None for part in parts):
        return None
    each = [part.devices or _without_devices(part.p_load_kw) for part in parts]
    shape = [d.p_base_kw.shape for d in each]

    def joined(name: str) -> Array | None:
        columns = [getattr(d, name) for d in each]
        if all(column is None for column in columns):
            return None
        return np.hstack([np.zeros(s) if c is None else c for s, c in zip(shape, columns, strict=True)])

    base, ev, hp = (np.hstack([getattr(d, name) for d in each]) for name in ("p_base_kw", "p_ev_kw", "p_hp_kw"))
    away = joined("away")
    return DeviceSignals(base, ev, hp, None if away is None else away > 0, joined("driven_kwh"), joined("t_out_c"))


def _without_devices(p_load_kw: Array) -> DeviceSignals:
    nothing = np.broadcast_to(0.0, p_load_kw.shape)
    return DeviceSignals(p_load_kw, nothing, nothing)


def _as_paid(parts: Sequence[Signals], name: str) -> bool:
    """Whether a column is one of planning prices that are those which are paid, for all."""
    paid = name.removeprefix("plan_")
    return paid != name and all(getattr(part, name) is getattr(part, paid) for part in parts)
