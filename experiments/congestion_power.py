"""Power flows of the study of congestion relief: a year's by batch, and some steps through the published program."""

from __future__ import annotations

from threading import Event, Thread
from time import perf_counter

import numpy as np
import numpy.typing as npt
import psutil
from pandapower.optimal_powerflow import OPFNotConverged

from agents.dso.relief import Directives, threshold_kw, violations
from agents.prosumer.dispatch_year import Dispatch, dispatch_year
from agents.prosumer.self_consumption import Step, Stores, net_and_room
from cosim.region import RegionCase, YearFlow, year_flow
from cosim.region.published import published_reference
from experiments.congestion_flows import Flow
from experiments.congestion_runs import at_worst, year
from experiments.congestion_scenarios import ALL
from experiments.congestion_settings import CongestionSettings
from experiments.verdicts import Timing

__all__ = ["PeakMemory", "flow_of", "reference_timings", "today_flow_kw"]

Array = npt.NDArray[np.float64]

_POWER_FACTOR = 0.95
_EVERY_S = 0.02
_APART_KW = 0.01


def today_flow_kw(case: RegionCase) -> Array:
    """Load of the region today, on the MV side of the HV/MV transformer, by AC power flow, shape (T,)."""
    meters = case.today.p_load_kw - case.today.p_pv_kw
    return year_flow(case.region, meters, _POWER_FACTOR, step_h=case.inputs.step_h).p_region_kw


def flow_of(case: RegionCase, scenario: str, settings: CongestionSettings, today_kw: Array) -> Flow:
    """The AC power flow of a scenario's year at the most stressed level.

    Parameters
    ----------
    today_kw : array, shape (T,)
        Of `today_flow_kw`; the threshold that AC loads are held against follows from it.
    """
    limit_kw = at_worst(case, settings)
    found = year(case, ALL[scenario], settings, limit_kw, columns=True)
    p_meter_kw = found.dispatch.p_meter_kw
    assert p_meter_kw is not None
    with PeakMemory() as memory:
        start = perf_counter()
        flow = year_flow(case.region, p_meter_kw, _POWER_FACTOR, step_h=case.inputs.step_h)
        seconds = perf_counter() - start
    load, feedin = violations(flow.p_region_kw, threshold_kw(today_kw, settings.worst))
    return Flow(
        scenario,
        limit_kw,
        p_dc_kw=flow.p_dc_kw,
        p_ac_kw=flow.p_region_kw,
        vm_min_pu=flow.vm_low_pu,
        vm_max_pu=flow.vm_high_pu,
        station_percent=100 * flow.station_loading.max(axis=1),
        line_percent=100 * _lines(flow),
        n_load_ac=int(load.sum()),
        n_feedin_ac=int(feedin.sum()),
        n_load_dc=found.n_load_violations,
        n_feedin_dc=found.n_feedin_violations,
        seconds=seconds,
        added_mb=memory.added_mb,
    )


def reference_timings(case: RegionCase, settings: CongestionSettings, notes: list[str]) -> list[Timing]:
    """Some steps of the year through pandapower's DC optimal power flow, a year's time from that, and how far apart.

    The steps are spread evenly over the year, and begin with the stores as the closed form leaves them in the region
    scope, which is the one that a program over the grid has. Steps that pandapower does not solve go to `notes`.
    """
    n = settings.reference_steps
    if not n:
        return []
    inputs, assets = case.inputs, case.assets
    done = dispatch_year(assets, inputs, Directives.none(len(inputs)), "region", columns=True)
    steps = np.linspace(0, len(inputs) - 1, n + 1).astype(int)[1:]  # the very first has empty stores
    seconds, apart_kw = [], []
    for step in [int(steps[0]), *steps.tolist()]:
        try:
            found = published_reference(case.region, *_before(case, done, step))
        except OPFNotConverged as error:
            notes.append(f"rundcopp, step {step}: {error}")
            continue
        seconds.append(found.seconds)
        apart_kw.append(abs(found.p_grid_kw - float(done.p_region_kw[step])))
    seconds = seconds[1:]  # the first compiles what it needs
    if not seconds:
        return []
    hours = float(np.mean(seconds)) * len(inputs) / 3600
    return [
        Timing(f"rundcopp, a step, mean of {len(seconds)}", float(np.mean(seconds))),
        Timing(f"rundcopp, the year's {len(inputs)} steps, extrapolated", hours, unit="h"),
        Timing("rundcopp, load of the region off the closed form's, at most", max(apart_kw), _APART_KW, "kW"),
    ]


def _before(case: RegionCase, done: Dispatch, step: int) -> tuple[Array, Array]:
    """Net power and room of the stores in a step, from what was charged before it."""
    inputs = case.inputs
    assert done.p_battery_kw is not None and done.q_tes_kw is not None
    stores = Stores(
        *(np.maximum(power[:step].sum(axis=0) * inputs.step_h, 0.0) for power in (done.p_battery_kw, done.q_tes_kw))
    )
    net_kw = inputs.p_load_kw[step] + inputs.p_ev_kw[step] - inputs.p_pv_kw[step]
    now = Step(net_kw, inputs.heat_kw[step], float(inputs.cop[step]), inputs.step_h)
    p_net_kw, room_kw, _ = net_and_room(now, stores, case.assets)
    return p_net_kw, room_kw


def _lines(flow: YearFlow) -> Array:
    """0 where no line has a rating."""
    return np.nan_to_num(flow.line_loading, nan=0.0)


class PeakMemory:
    """Watches, while it is entered, by how much this process grows at most [MB]."""

    def __init__(self) -> None:
        self._process, self._done = psutil.Process(), Event()
        self._before = self._most = self._process.memory_info().rss
        self._thread = Thread(target=self._watch, daemon=True)

    @property
    def added_mb(self) -> float:
        """What came on top of what there was."""
        return (self._most - self._before) / 1e6

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(_EVERY_S):
            self._most = max(self._most, self._process.memory_info().rss)
