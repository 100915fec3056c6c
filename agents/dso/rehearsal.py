"""What has happened so far while customers and operator rehearse: plans, what the feeder made of them, and bills."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from agents.customers import Customers, Response
from agents.dso.monitor import Monitor, Observation
from agents.terms import Terms
from feeders.errors import InputError, InputErrors

__all__ = ["Iterate", "Options", "Rehearsal", "best_of", "deficit_pu_h"]

Array = npt.NDArray[np.float64]

_KEPT = 3  # sensitivities of the newest iterates stay in memory, beside those of the first


@dataclass(frozen=True)
class Options:
    """How long to rehearse, and where the limits count.

    Attributes
    ----------
    max_iterations : int
        Signals at most, after the tariff itself.
    tolerance_pu_h : float
        Deficits no further apart are the same; at most this much is none [p.u. h].
    patience : int
        End after so many iterations in a row that did not better the best.
    active : array of bool, shape (T,), optional
        Steps where limits count and signals may differ from the tariff; all by default.
    margin_pu : float
        How far within the limits the signals aim [p.u.]. The deficit counts against the limits themselves: a signal
        that only acts below a limit stops a hair below it.
    stop_when_met : bool, optional
        End as soon as the limits hold; else go on for smaller bills. By default signals that customers commit to mixes
        under go on, as their first mix that holds the limits may be far from the cheapest; the others end, as prices
        that rise no further change nothing.
    seed : int
        Of signals that draw numbers.

    Raises
    ------
    InputErrors
        For a number outside its range.
    """

    max_iterations: int = 12
    tolerance_pu_h: float = 1e-5
    patience: int = 3
    active: npt.NDArray[np.bool_] | None = None
    margin_pu: float = 2e-4
    stop_when_met: bool | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        ranges = (("max_iterations", 0), ("tolerance_pu_h", 0), ("patience", 1), ("margin_pu", 0), ("seed", 0))
        faults = [
            InputError("coordination", name, getattr(self, name), f"a finite number, at least {low}")
            for name, low in ranges
            if not low <= getattr(self, name) < np.inf
        ]
        if faults:
            raise InputErrors(faults)

    def active_of(self, n_steps: int) -> npt.NDArray[np.bool_]:
        """The active ones of `n_steps` steps; `InputError` where `active` is of another length."""
        if self.active is None:
            return np.ones(n_steps, dtype=bool)
        active = np.asarray(self.active)
        if active.shape != (n_steps,) or active.dtype != bool:
            raise InputError("coordination", "active", active.shape, f"booleans of shape ({n_steps},)")
        return active


@dataclass(frozen=True)
class Iterate:
    """One state of the rehearsal: what was asked, what customers would commit to, and what comes of it.

    Attributes
    ----------
    iteration : int
        0 is the tariff itself.
    terms : Terms
        What the newest plans were made against.
    shares : array, shape (iteration + 1, n)
        Share of each plan so far in what each customer would commit to.
    p_kw, q_kvar : array, shape (T, n)
        That commitment: p > 0 import, q > 0 injected.
    observation : Observation
        Of the feeder under it, by AC power flow.
    bills : array, shape (n,)
        At the tariff, with what the plans cost beside electricity [currency].
    deficit_pu_h : float
        See `deficit_pu_h`.
    worst_headroom_pu, v_min_pu : float
        Least headroom in active steps, and the value of the quantity that has it: where voltages are watched against
        one limit, the lowest voltage.
    worst : str
        Its name.
    seconds : float
        Time taken.
    kept : array of bool, shape (n,)
        Who could make no new plan.
    """

    iteration: int
    terms: Terms
    shares: Array
    p_kw: Array
    q_kvar: Array
    observation: Observation
    bills: Array
    deficit_pu_h: float
    worst_headroom_pu: float
    v_min_pu: float
    worst: str
    seconds: float
    kept: npt.NDArray[np.bool_]

    def timed(self, seconds: float) -> Iterate:
        """The same, with the time that it took."""
        return replace(self, seconds=seconds)


@dataclass
class Rehearsal:
    """The history that signals read; plan k is the response to the terms of iterate k.

    Attributes
    ----------
    monitor : Monitor
    customers : Customers
    tariff : Terms
        What is paid.
    options : Options
    responses : list of Response
    iterates : list of Iterate
        One fewer than the responses while shares are being decided.
    """

    monitor: Monitor
    customers: Customers
    tariff: Terms
    options: Options
    responses: list[Response] = field(default_factory=list)
    iterates: list[Iterate] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.active = self.options.active_of(len(self.tariff.price_buy))
        self._sensitivities: dict[int, Array] = {}
        self._q_per_kw: Array | None = None

    @property
    def last(self) -> Iterate:
        """The newest iterate."""
        return self.iterates[-1]

    @property
    def mean_price(self) -> float:
        """Mean of the tariff's buying price over active steps and customers, for gains without unit."""
        return float(np.abs(self.tariff.price_buy[self.active]).mean())

    def headroom_pu(self, observation: Observation) -> Array:
        """Headroom less the margin, shape (T, M); infinite in steps that are not active [p.u.]."""
        return np.where(self.active[:, None], observation.headroom_pu - self.options.margin_pu, np.inf)

    def shortfall_pu(self, observation: Observation) -> Array:
        """By how much limits and margin are missed in active steps, shape (T, M) [p.u.]."""
        return np.maximum(0.0, -self.headroom_pu(observation))

    def sensitivity(self, iteration: int = -1) -> Array:
        """Change of headroom per kW at the operating point of an iterate, shape (T, M, n) [p.u./kW].

        Those of the first and of the last iterates are computed once."""
        iterate = self.iterates[iteration]
        if iterate.iteration not in self._sensitivities:
            if self._q_per_kw is None:
                self._q_per_kw = np.array([block.q_per_kw for block in self.customers.blocks()])
            found = self.monitor.sensitivity(iterate.p_kw, iterate.q_kvar, self._q_per_kw)
            recent = [number for number in self._sensitivities if number == 0 or number > iterate.iteration - _KEPT]
            self._sensitivities = {number: self._sensitivities[number] for number in recent}
            self._sensitivities[iterate.iteration] = found
        return self._sensitivities[iterate.iteration]

    def mixed(self, shares: Array) -> Response:
        """The plans so far, mixed by shares of shape (n_responses, n)."""
        p_kw, q_kvar = np.zeros((2, *self.tariff.price_buy.shape))
        other = np.zeros(p_kw.shape[1])
        for share, plan in zip(shares, self.responses, strict=True):
            if share.any():
                p_kw, q_kvar, other = (
                    p_kw + share * plan.p_kw,
                    q_kvar + share * plan.q_kvar,
                    other + share * plan.other_cost,
                )
        return Response(p_kw, q_kvar, other, self.responses[-1].kept)

    def newest_only(self) -> Array:
        """The shares of everyone who adopts the newest plan."""
        shares = np.zeros((len(self.responses), self.tariff.price_buy.shape[1]))
        shares[-1] = 1.0
        return shares

    def raised(self, rise: Array) -> Terms:
        """The tariff with `rise` on both prices in active steps, shape (T, n) [currency/kWh].

        On both, as a kW less of import and a kW more of export do the same to the feeder.
        """
        rise = np.where(self.active[:, None], rise, 0.0)
        return replace(self.tariff, price_buy=self.tariff.price_buy + rise, price_sell=self.tariff.price_sell + rise)

    def judged(self, terms: Terms, shares: Array) -> Iterate:
        """The iterate in which customers commit to `shares` of their plans.

        Raises
        ------
        PowerFlowError
            Where the feeder has no usable power flow under it.
        """
        plan = self.mixed(shares)
        observation = self.monitor.observe(plan.p_kw, plan.q_kvar)
        worst_headroom, v_min, worst = _worst(observation, self.active, self.monitor.names)
        return Iterate(
            iteration=len(self.iterates),
            terms=terms,
            shares=shares,
            p_kw=plan.p_kw,
            q_kvar=plan.q_kvar,
            observation=observation,
            bills=self.tariff.bills(plan.p_kw) + plan.other_cost,
            deficit_pu_h=deficit_pu_h(observation, self.active, self.tariff.step_h),
            worst_headroom_pu=worst_headroom,
            v_min_pu=v_min,
            worst=worst,
            seconds=0.0,
            kept=plan.kept,
        )


def deficit_pu_h(observation: Observation, active: npt.NDArray[np.bool_], step_h: float) -> float:
    """Sum over active steps and monitored quantities of the shortfall times the step's length [p.u. h]."""
    return float(step_h * observation.shortfall_pu[active].sum())


def best_of(iterates: Sequence[Iterate], tolerance_pu_h: float) -> Iterate:
    """The best iterate: of those whose deficit is within the tolerance of the least, that of the least bills.

    The deficit comes first: bills differ by some hundredths of a percent, for which no limit is given up. Judged over
    all at once, so that many small steps within the tolerance do not add up. The earliest wins a tie.
    """
    least = min(iterate.deficit_pu_h for iterate in iterates)
    near = [iterate for iterate in iterates if iterate.deficit_pu_h <= least + tolerance_pu_h]
    return min(near, key=lambda iterate: float(iterate.bills.sum()))


def _worst(observation: Observation, active: npt.NDArray[np.bool_], names: Sequence[str]) -> tuple[float, float, str]:
    """Least headroom in active steps, the value there and whose it is; NaN is no headroom, and refused."""
    headroom = observation.headroom_pu[active]
    if np.isnan(headroom).any():
        without = names[int(np.isnan(headroom).any(axis=0).argmax())]
        raise InputError("monitor", without, float("nan"), "a quantity that has a value in every active step")
    if headroom.size == 0:
        return float("inf"), float("nan"), ""
    at = int(headroom.argmin())
    return float(headroom.flat[at]), float(observation.value[active].flat[at]), names[at % len(names)]
