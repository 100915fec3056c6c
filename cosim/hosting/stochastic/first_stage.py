"""What a planner may choose before the day is known: how much of each device at each node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field
from scipy import sparse

from agents.dso.dispatch import Sizing
from agents.prosumer.fleet import RATINGS, Fleet
from cosim.hosting.case import HostingCase
from cosim.hosting.definition import Definition
from cosim.hosting.siting import fleet_at
from cosim.strict import Strict

__all__ = ["FirstStage", "TwoStagePlan", "first_stage"]

Array = npt.NDArray[np.float64]

Share = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]

_SHORT_COST = 1e4  # currency/kW: what is asked for comes before more PV


class TwoStagePlan(Strict):
    """What is asked of siting and sizing: the most PV, with the totals of everything else given.

    Attributes
    ----------
    battery : float
        Batteries as a share of the peak load; where they are is free.
    ev, hp : float
        Cars and heat pumps as shares of homes; where they are is free, within the homes of each node.
    node_pv_most, node_battery_most : float or None
        Bound at each node, as a share of the node's own peak load; None for no bound but the feeder's.
    value_per_kw : float
        Worth of a kW of PV for the day [currency], beside the expected cost of operation. A kW of PV saves about half a
        unit of currency a day: ten is capacity first, with cost to choose among equals.
    risk : {"expectation", "cvar"}
        Cost of operation that counts: of the mean scenario, or of the mean of the dearest ones.
    tail : float
        Share of probability that counts as the dearest.
    heat_pumps : {"rated", "set-point"}
        Profile of heat pumps in the static case.
    reserve_pu : float
        Kept free of each limit while siting (p.u. of voltage, share of ratings), as the flows are made linear.
    passes : int
        Rounds of the program of all scenarios.
    threshold : float
        Share of scenarios that a plan has to be feasible in.
    repairs : int
        Most rounds in which a plan below the threshold is corrected.
    seed : int
        Of when cars come and go at each node.
    """

    battery: NotNegative = 0.2
    ev: Share = 0.1
    hp: Share = 0.2
    node_pv_most: Positive | None = None
    node_battery_most: Positive | None = None
    value_per_kw: Positive = 10.0
    risk: Literal["expectation", "cvar"] = "expectation"
    tail: Annotated[float, Field(gt=0, lt=1)] = 0.2
    heat_pumps: Literal["rated", "set-point"] = "set-point"
    reserve_pu: Annotated[float, Field(ge=0, lt=0.01)] = 1e-4
    passes: int = Field(2, ge=1)
    threshold: Share = 0.95
    repairs: int = Field(0, ge=0)
    seed: int = Field(0, ge=0)


@dataclass(frozen=True)
class FirstStage:
    """Variables x: kW of PV, battery, cars and heat pumps at each of m candidates, one kind after the other.

    Attributes
    ----------
    fleet : Fleet
        A row per candidate, without devices.
    sizing : Sizing
        Each x as a rating.
    upper : array, shape (4 m,)
        Bounds of x [kW].
    totals : array, shape (3,)
        What batteries, cars and heat pumps sum up to [kW].
    plan : TwoStagePlan
    """

    fleet: Fleet
    sizing: Sizing
    upper: Array
    totals: Array
    plan: TwoStagePlan

    @property
    def m(self) -> int:
        """Number of candidates."""
        return len(self.fleet)

    def pv_kw(self, x: Array) -> float:
        """PV of the whole feeder."""
        return float(x[: self.m].sum())

    def rows(self) -> sparse.csr_array:
        """Sums of batteries, cars and heat pumps, and what is short of them: shape (3, 4 m + 3)."""
        m = self.m
        kinds, of = np.repeat([0, 1, 2, 0, 1, 2], [m, m, m, 1, 1, 1]), m + np.arange(3 * m + 3)
        return sparse.csr_array((np.ones(len(of)), (kinds, of)), shape=(3, 4 * m + 3))

    def cost(self) -> Array:
        """Of x and of what is short, shape (4 m + 3,) [currency]."""
        m = self.m
        return np.concatenate([np.full(m, -self.plan.value_per_kw), np.zeros(3 * m), np.full(3, _SHORT_COST)])

    def capacities(self, x: Array) -> pd.DataFrame:
        """kW at each candidate: a row per node, columns by `RATINGS`."""
        columns = dict(zip(RATINGS, x.reshape(4, self.m), strict=True))
        return pd.DataFrame(columns, index=pd.Index(self.fleet.names, name="node"))


def first_stage(case: HostingCase, plan: TwoStagePlan) -> FirstStage:
    """The variables of a plan for a feeder; all candidates of the case, none left out."""
    fleet = fleet_at(case, Definition(seed=plan.seed), 0.0)
    m = len(fleet)
    sizing = Sizing({name: _select(k, m) for k, name in enumerate(RATINGS)}, 4 * m)
    homes = case.homes[case.candidates]
    node_kva = np.hypot(case.feeder.background_p_kw, case.feeder.background_q_kvar)[case.candidates]
    battery_kw = plan.battery * case.peak_kva
    totals = np.array(
        [battery_kw, plan.ev * homes.sum() * case.devices.ev_unit_kw, plan.hp * homes.sum() * case.devices.hp_unit_kw]
    )
    # Without a bound at the node, what all lines at the source can carry and all loads take is more than enough.
    free_pv = 10.0 * case.peak_kva + totals.sum()
    upper = [
        np.full(m, free_pv) if plan.node_pv_most is None else plan.node_pv_most * node_kva,
        np.full(m, battery_kw) if plan.node_battery_most is None else plan.node_battery_most * node_kva,
        homes * case.devices.ev_unit_kw,
        homes * case.devices.hp_unit_kw,
    ]
    return FirstStage(fleet, sizing, np.concatenate(upper), totals, plan)


def _select(kind: int, m: int) -> sparse.csr_array:
    return sparse.csr_array((np.ones(m), (np.arange(m), kind * m + np.arange(m))), shape=(m, 4 * m))
