"""The four-bus prosumer-day: 96 plans, 1440 rules and power flows, against the same loop through pandapower."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandapower as pp
from numpy.typing import NDArray
from pandapower.auxiliary import LoadflowNotConverged

from cosim.bench.row import Effort, Report, Row, Timing
from cosim.bench.stopwatch import Stopwatch, lived, seconds_of
from cosim.model import CoSimulation
from cosim.scenario import Scenario
from feeders import Feeder
from feeders.engines import PandapowerEngine
from feeders.engines.base import check_voltages, divergence
from feeders.engines.pandapower_run import set_powers

__all__ = ["NOISY", "RecycledEngine", "four_bus_day", "four_bus_model", "four_bus_parts", "four_bus_scenario"]

_STEPS = 96

# With a perfect forecast plans come true and need no solve; an imperfect one makes all 96 of them necessary.
NOISY = {
    "forecast.kind": "noisy",
    "forecast.load_error": 0.1,
    "forecast.pv_error": 0.1,
    "forecast.price_error": 0.1,
}


def four_bus_scenario() -> Scenario:
    """One house that plans and obeys hybrid control, at the end of the feeder behind two that do not."""
    changes: dict[str, Any] = {"rule": "hybrid", **NOISY}
    for name in ("home-2", "home-3"):
        changes |= {f"prosumers.{name}.optimise": False, f"prosumers.{name}.rule": "none"}
    return Scenario().changed(changes)


class RecycledEngine(PandapowerEngine):
    """pandapower's fastest own way: ``runpp`` that keeps its internal model and starts from the last voltages.

    A flow that diverges leaves voltages from which no later one would converge; so the next one starts afresh.
    """

    def __init__(self, feeder: Feeder) -> None:
        super().__init__(feeder)
        self._fresh = True

    def _solve_one(
        self, p_kw: NDArray[np.float64], q_kvar: NDArray[np.float64], scenario: int | None
    ) -> NDArray[np.float64]:
        set_powers(self._net, self.feeder, p_kw, q_kvar)
        recycle = None if self._fresh else {"bus_pq": True, "trafo": False, "gen": False}
        self._fresh = True
        try:
            pp.runpp(self._net, lightsim2grid=False, tolerance_mva=self._tolerance_mva, recycle=recycle)
        except LoadflowNotConverged:
            raise divergence(self.feeder, p_kw, q_kvar, scenario) from None
        self._fresh = False
        vm_pu: NDArray[np.float64] = self._net.res_bus.vm_pu.to_numpy(dtype=float, copy=True)
        check_voltages(self.feeder, vm_pu, scenario)
        return vm_pu


def four_bus_model(peer: type[PandapowerEngine] | None = None, *, reuse: bool = True) -> CoSimulation:
    """The day, ready to be lived: with the engine the scenario chooses, or a peer's in its place."""
    model = CoSimulation(four_bus_scenario())
    if peer is not None:
        model.grid.engine = peer(model.grid.feeder)
    model.grid.reuse = reuse
    return model


_PEERS: dict[str, type[PandapowerEngine]] = {
    "pandapower runpp": PandapowerEngine,
    "pandapower runpp, recycled": RecycledEngine,
}


def four_bus_day(effort: Effort, report: Report) -> Iterator[Row]:
    """The day as it is, and with every flow solved as the peers solve them; each peer lives one, in turns with ours.

    Peers are timed in as many pieces as ours is repeated, which add up to their day.
    """
    _warm_up()
    peers = {name: four_bus_model(engine, reuse=False) for name, engine in _PEERS.items()}
    seconds: dict[str, list[float]] = {name: [] for name in ("as is", "solved", *peers)}
    solved: dict[str, int] = {}
    edges = np.linspace(0, effort.peer_steps, effort.repeats + 1).astype(int)
    for repeat, steps in enumerate(np.diff(edges)):
        for name, reuse in (("as is", True), ("solved", False)):
            ours = four_bus_model(reuse=reuse)
            seconds[name].append(seconds_of(ours.run))
            solved[name] = ours.grid.n_solved
        for name, peer in peers.items():
            seconds[name] += lived(peer, int(steps))
        report((repeat + 1) / effort.repeats)
    scaled = "" if effort.peer_steps == _STEPS else f"peer scaled from {effort.peer_steps} of {_STEPS} steps"
    for name, part, peer_name in (
        ("four-bus-prosumer-day", "as is", "pandapower runpp"),
        ("four-bus-prosumer-day, against recycled", "as is", "pandapower runpp, recycled"),
        ("four-bus-prosumer-day, every flow solved", "solved", "pandapower runpp"),
        ("four-bus-prosumer-day, every flow solved, against recycled", "solved", "pandapower runpp, recycled"),
    ):
        theirs = Timing((_STEPS / effort.peer_steps * sum(seconds[peer_name]),))
        difference = _difference(ours, peers[peer_name])
        details = {"flows solved": solved[part]}
        yield Row(name, Timing(tuple(seconds[part])), peer_name, theirs, difference, "p.u.", scaled, details)


def four_bus_parts(effort: Effort, report: Report) -> Iterator[Row]:  # noqa: ARG001 - one signature for all
    """Where the day's time goes."""
    four_bus_model().run()
    model = four_bus_model()
    watch = Stopwatch(model)
    total = seconds_of(model.run)
    details = {f"{part} %": 100 * value / total for part, value in watch.parts(total).items()}
    yield Row("four-bus-parts", Timing((total,)), note="the day with clocks around its parts", details=details)


def _warm_up() -> None:
    """One step each: the first flow through pandapower compiles, and so may the first plan."""
    for engine in (None, *_PEERS.values()):
        four_bus_model(engine).step()


def _difference(ours: CoSimulation, peer: CoSimulation) -> float:
    """Largest difference of voltages over what the peer has lived [p.u.]."""
    theirs = peer.record.column("vm_pu")
    return float(np.abs(ours.record.column("vm_pu")[: len(theirs)] - theirs).max(initial=0.0))
