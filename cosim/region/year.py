"""A region lives through a year: the operator looks a day ahead and asks, homes obey, stations meter what comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from agents.dso.relief import (
    DayAhead,
    Directives,
    Measure,
    Outlook,
    PerfectDayAhead,
    in_passes,
    makeup_h,
    relieve,
    violations,
)
from agents.mobility import Sessions
from agents.prosumer.behind_meter import BehindMeter, MeterInputs, Scope
from agents.prosumer.dispatch_year import Dispatch, dispatch_year
from agents.prosumer.limits import Limits
from cosim.region.case import RegionCase
from cosim.region.comfort import LIGHT_WH_PER_M2_K, comfort, serve
from cosim.region.prices import HomePrices, home_cost
from feeders.errors import InputError

__all__ = ["YearOutcome", "live_year", "status_quo", "unstored_kw"]

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

HOURS_A_YEAR = 8760


@dataclass(frozen=True, eq=False)
class YearOutcome:
    """What a year under some measures came to; T market steps, n homes, S stations.

    Attributes
    ----------
    p_region_kw : array, shape (T,)
        Load of the region, the sum of the homes' meters without losses of the net, > 0 consumed.
    p_station_kw : array, shape (T, S)
        The same by station.
    load_violations, feedin_violations : array of bool, shape (T,)
        Steps in which the region is beyond the threshold.
    outlook : Outlook
        What the operator expected.
    directives : Directives
        What it asked.
    dispatch : Dispatch
        What stores and meters did.
    inputs : MeterInputs
        Charging and heat as they were served.
    comfort : DataFrame
        By home, as `cosim.region.comfort.comfort` has it.
    cost : DataFrame
        By home, as `cosim.region.prices.home_cost` has it.
    """

    p_region_kw: Array
    p_station_kw: Array
    load_violations: Flags
    feedin_violations: Flags
    outlook: Outlook
    directives: Directives
    dispatch: Dispatch
    inputs: MeterInputs
    comfort: pd.DataFrame
    cost: pd.DataFrame

    @property
    def n_load_violations(self) -> int:
        """Steps with too much load."""
        return int(self.load_violations.sum())

    @property
    def n_feedin_violations(self) -> int:
        """Steps with too much feed-in."""
        return int(self.feedin_violations.sum())


def live_year(
    case: RegionCase,
    measures: Sequence[Measure] = (),
    *,
    threshold_kw: float,
    day_ahead: DayAhead | None = None,
    scope: Scope = "home",
    storage: bool = True,
    columns: bool = False,
    limits: Limits | None = None,
    prices: HomePrices | None = None,
    heat_capacity_wh_per_m2_k: float = LIGHT_WH_PER_M2_K,
) -> YearOutcome:
    """Live through all steps of a case under an operator's measures.

    The operator expects the load without storage and measures; where a measure starts at what the others leave, it
    expects that too, of a first dispatch with the others, with the same error of its forecast.

    Parameters
    ----------
    case : RegionCase
    measures : sequence of Measure
        All that the operator may ask for.
    threshold_kw : float
        What the region's station may carry, > 0 (`agents.dso.relief.threshold_kw`).
    day_ahead : DayAhead, optional
        How it forecasts; perfectly by default.
    scope : "home" or "region"
        Whom storage serves.
    storage : bool
        Whether there are batteries and thermal stores.
    columns : bool
        Whether the dispatch keeps what each home does in each step.
    limits : Limits, optional
        Of branches.
    prices : HomePrices, optional
        What homes pay, by default those of `HomePrices`.
    heat_capacity_wh_per_m2_k : float
        Of homes, by floor area.

    Raises
    ------
    InputError, InputErrors
        For a year that does not begin at midnight, and what measures, dispatch, charging and prices refuse.
    EnergyLostError
        Where a measure loses energy.
    """
    day_ahead, prices = day_ahead or PerfectDayAhead(), prices or HomePrices()
    per_day = _steps_per_day(case)
    assets = case.assets if storage else _without_stores(case.assets)
    buy, sell = prices.columns(len(case.inputs))

    def dispatch(inputs: MeterInputs, directives: Directives, columns: bool) -> Dispatch:
        return dispatch_year(assets, inputs, directives, scope, limits, None, columns, price_buy=buy, price_sell=sell)

    outlook = Outlook(day_ahead.expect(unstored_kw(case.inputs), per_day), threshold_kw, per_day)
    first, later = in_passes(measures)
    if later:
        directives = relieve(first, outlook)
        left = dispatch(serve(case, directives, makeup_h(first)).inputs, directives, False)
        outlook = replace(outlook, residual_kw=day_ahead.expect(left.p_region_kw, per_day))
    directives = relieve(measures, outlook)
    served = serve(case, directives, makeup_h(measures))
    done = dispatch(served.inputs, directives, columns)
    years = len(case.inputs) * case.inputs.step_h / HOURS_A_YEAR
    return YearOutcome(
        done.p_region_kw,
        done.p_station_kw,
        *violations(done.p_region_kw, threshold_kw),
        outlook,
        directives,
        done,
        served.inputs,
        comfort(case, served, heat_capacity_wh_per_m2_k),
        home_cost(done.cost, assets, measures, prices, years),
    )


def unstored_kw(inputs: MeterInputs) -> Array:
    """Load of the region if nobody stored anything [kW], shape (T,)."""
    load_kw, ev_kw, pv_kw = (values.sum(axis=1) for values in (inputs.p_load_kw, inputs.p_ev_kw, inputs.p_pv_kw))
    total_kw: Array = load_kw + ev_kw + inputs.heat_kw.sum(axis=1) / inputs.cop - pv_kw
    return total_kw


def status_quo(case: RegionCase) -> RegionCase:
    """The same homes as they are today: base load and today's PV; no cars, heat pumps or stores."""
    zeros, none = np.zeros(len(case.assets)), np.empty(0, dtype=np.int64)
    assets = replace(_without_stores(case.assets), hp_kw=zeros, ev_kw=zeros)
    return replace(case, assets=assets, inputs=case.today, sessions=Sessions(none, none, none, np.empty(0)))


def _without_stores(assets: BehindMeter) -> BehindMeter:
    zeros = np.zeros(len(assets))
    return replace(assets, battery_kwh=zeros, battery_kw=zeros, tes_kwh=zeros)


def _steps_per_day(case: RegionCase) -> int:
    per_day = round(24 / case.inputs.step_h)
    if abs(per_day * case.inputs.step_h - 24) > 1e-9:
        raise InputError("region case", "inputs.step_h", case.inputs.step_h, "a whole number of steps in a day")
    if case.times[0] != case.times[0].normalize():
        raise InputError("region case", "times", str(case.times[0]), "a first step at midnight")
    return per_day
