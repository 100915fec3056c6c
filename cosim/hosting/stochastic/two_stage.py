"""Two-stage stochastic hosting capacity: the best siting and sizing before the day is known, operation afterwards.

Source: V. J. Nair et al., "Dynamic resource coordination can increase grid hosting capacity", method 2. Its program is
nonconvex, with binaries where a device may be absent and cones for the flows; here it is a linear program throughout
(`cosim.hosting.stochastic.equivalent`), made linear at the flows of the last pass, and the AC power flow judges every
scenario and hour of what comes out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from agents.dso.dispatch import DispatchSettings
from agents.dso.dispatch.dispatched import Operation
from agents.dso.dispatch.reading import operation
from agents.dso.dispatch.wires import Point, Wires
from agents.prosumer.fleet import Fleet, FleetInputs
from cosim.hosting.capacity import Stop
from cosim.hosting.case import HostingCase
from cosim.hosting.stochastic.equivalent import Equivalent, Joint
from cosim.hosting.stochastic.first_stage import FirstStage, TwoStagePlan, first_stage
from cosim.hosting.stochastic.planned import TwoStage
from cosim.hosting.stochastic.recourse import Outcome, operated, point_of
from cosim.hosting.stochastic.reduction import Reduction, profiles, reduced
from cosim.hosting.stochastic.repair import repaired
from feeders.errors import InputError

__all__ = ["two_stage"]

Array = npt.NDArray[np.float64]
Progress = Callable[[str], None]

_FIRST_PV = (2.0, 1.0, 0.0)  # of the peak load, in the first flows
_FIRST_PASSES = 2  # of the expected day alone, whose flows the first pass of all scenarios is made linear at
_SHORT_KW = 1e-2  # of what was asked for that counts as taken
_NOTHING_KW = 0.01  # ratings that the interior point method leaves where there is none
_STEP = 0.01  # of the peak load: one step further the plan is to be outside
# PV is lowered by these shares where the AC power flow refuses a solution; the gap says by how much.
_LOWERED = (0.0, 5e-4, 1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2, 3.2e-2, 6.4e-2)


def two_stage(
    case: HostingCase,
    plan: TwoStagePlan,
    scenarios: Sequence[FleetInputs],
    *,
    n: int | None = 5,
    check_all: bool = True,
    progress: Progress | None = None,
) -> TwoStage:
    """The plan with the most PV, less its cost, over some scenarios that stand for many; checked in all of them.

    Parameters
    ----------
    case : HostingCase
        Its own inputs are the expected day.
    plan : TwoStagePlan
    scenarios : sequence of FleetInputs
    n : int or None
        How many are planned for; None for what the elbow says.
    check_all : bool
        Whether the plan is tried in all scenarios, or only in those planned for.
    progress : callable, optional
        Called with a line at each step.

    Raises
    ------
    InputError
        For a meshed feeder, and more scenarios to keep than there are.
    SolverError
        When HiGHS fails.
    """
    search = _Search(case, plan, list(scenarios), reduced(scenarios, n), progress or _silent)
    return search.result(check_all)


def _silent(_: str) -> None:
    """No progress to be shown."""


class _Search:
    """One search for a plan: its programs, its checks, and a log of both."""

    def __init__(
        self,
        case: HostingCase,
        plan: TwoStagePlan,
        scenarios: list[FleetInputs],
        reduction: Reduction,
        say: Progress,
    ) -> None:
        self.case, self.plan, self.scenarios, self.reduction, self.say = case, plan, scenarios, reduction, say
        self.wires, self.stage = Wires.of(case.feeder), first_stage(case, plan)
        self.settings = DispatchSettings(curtailable=False)
        self.kept = [scenarios[i] for i in reduction.chosen]
        self.nearest = _nearest(scenarios, reduction)
        self.steps: list[dict[str, object]] = []
        self.began = time.perf_counter(), time.process_time()

    def result(self, check_all: bool) -> TwoStage:
        joint, dones = self._planned()
        fleet = _tidy(self.stage, joint.x)
        bound_kw = self.stage.pv_kw(joint.x)
        if (joint.short_kw > _SHORT_KW).any():
            return self._found(fleet, joint, bound_kw, {}, Stop("infeasible"))
        fleet, outcomes = self._confirmed(fleet, dones)
        if check_all:
            outcomes |= self._tried(fleet, dones, [i for i in range(len(self.scenarios)) if i not in outcomes])
            for _ in range(self.plan.repairs):
                if _share(outcomes) >= self.plan.threshold:
                    break
                fleet = repaired(self.case, self.wires, fleet, self.settings, self._failing(outcomes, dones, fleet))
                outcomes = self._tried(fleet, dones, range(len(self.scenarios)))
        return self._found(fleet, joint, bound_kw, outcomes, self._beyond(fleet, dones))

    def _beyond(self, fleet: Fleet, dones: list[Operation]) -> Stop:
        """What ends it one step further."""
        kw = float(fleet.pv_kw.sum())
        more = fleet.with_ratings(pv_kw=fleet.pv_kw * (1.0 + _STEP * self.case.peak_kva / kw)) if kw > 0 else fleet
        for outcome in self._tried(more, dones, self.reduction.chosen.tolist()).values():
            if not outcome.feasible:
                return outcome.stop
        return Stop("bounds")

    def _planned(self) -> tuple[Joint, list[Operation]]:
        """The program of all kept scenarios, made linear at the flows of its last pass."""
        first = Equivalent(self.wires, self.stage, [self.case.inputs], np.ones(1), self._sited())
        points = [self._exporting(self.case.inputs)]
        alone = len(self.kept) == 1 and self.kept[0] is self.case.inputs
        for _ in range(_FIRST_PASSES + self.plan.passes - 1 if alone else _FIRST_PASSES):
            joint, dones, points = self._pass(first, points, "expected day")
        if alone:
            return joint, dones
        fleet = self.stage.sizing.fleet(self.stage.fleet, joint.x)
        points = [point_of(self.wires, fleet, s, dones[0]) or self._exporting(s) for s in self.kept]
        closed = [first.closed[0].copy() for _ in self.kept]
        whole = Equivalent(self.wires, self.stage, self.kept, self.reduction.weights, self._sited(), closed)
        for _ in range(self.plan.passes):
            joint, dones, points = self._pass(whole, points, f"{len(self.kept)} scenarios")
        return joint, dones

    def _pass(self, program: Equivalent, points: list[Point], what: str) -> tuple[Joint, list[Operation], list[Point]]:
        began = time.process_time()
        joint = program.solved(points)
        n_closed = program.close(joint)
        fleet = self.stage.sizing.fleet(self.stage.fleet, joint.x)
        dones = [
            operation(p, y, self.wires, fleet, s)
            for p, y, s in zip(joint.programs, joint.y, program.scenarios, strict=True)
        ]
        exact = [point_of(self.wires, fleet, s, d) for s, d in zip(program.scenarios, dones, strict=True)]
        self._log(what, self.stage.pv_kw(joint.x), time.process_time() - began, joint.n_rows, joint.n_columns, n_closed)
        return joint, dones, [new or old for new, old in zip(exact, points, strict=True)]

    def _confirmed(self, fleet: Fleet, dones: list[Operation]) -> tuple[Fleet, dict[int, Outcome]]:
        """The plan in the scenarios it was made for; PV a little lower where the AC power flow refuses it."""
        chosen = self.reduction.chosen.tolist()
        for share in _LOWERED:
            less = fleet.with_ratings(pv_kw=(1.0 - share) * fleet.pv_kw)
            outcomes = self._tried(less, dones, chosen)
            if all(o.feasible for o in outcomes.values()):
                break
        return less, outcomes

    def _tried(self, fleet: Fleet, dones: list[Operation], which: Sequence[int]) -> dict[int, Outcome]:
        began, found = time.process_time(), {}
        for count, i in enumerate(which, 1):
            found[i] = operated(
                self.case, self.wires, fleet, self.scenarios[i], self.settings, self._near(i, fleet, dones)
            )
            self.say(f"scenario {count} of {len(which)}: {'inside' if found[i].feasible else found[i].stop}")
        if found:
            self._log(f"check of {len(found)}", float(fleet.pv_kw.sum()), time.process_time() - began)
        return found

    def _near(self, scenario: int, fleet: Fleet, dones: list[Operation]) -> Point | None:
        """Flows of the operation of the kept scenario that is most like this one."""
        return point_of(self.wires, fleet, self.scenarios[scenario], dones[self.nearest[scenario]])

    def _failing(
        self, outcomes: dict[int, Outcome], dones: list[Operation], fleet: Fleet
    ) -> list[tuple[FleetInputs, Point | None]]:
        return [(self.scenarios[i], self._near(i, fleet, dones)) for i, o in outcomes.items() if not o.feasible]

    def _sited(self) -> DispatchSettings:
        return DispatchSettings(curtailable=False, reserve_pu=self.plan.reserve_pu)

    def _exporting(self, inputs: FleetInputs) -> Point:
        """Flows with PV of some times the load everywhere, so that ratings near the source matter from the start."""
        grid, peak_kw = self.wires.grid, inputs.p_load_kw.max(axis=0)
        for share in _FIRST_PV:
            p_kw = inputs.p_load_kw - share * inputs.pv_share[:, None] * peak_kw
            found = self.wires.point(grid.per_row(p_kw), grid.per_row(inputs.q_load_kvar))
            if found is not None:
                return found
        raise InputError(self.case.feeder.name, "loads", "no power flow", "loads that have one")

    def _log(self, what: str, pv_kw: float, seconds: float, rows: int = 0, columns: int = 0, closed: int = 0) -> None:
        step = {"what": what, "pv_kw": pv_kw, "rows": rows, "columns": columns, "closed": closed}
        self.steps.append(step | {"cpu_seconds": seconds})
        self.say(f"{what}: {pv_kw:.0f} kW, {seconds:.0f} s")

    def _found(self, fleet: Fleet, joint: Joint, bound_kw: float, outcomes: dict[int, Outcome], stop: Stop) -> TwoStage:
        kept = set(self.reduction.chosen.tolist())
        rows = [
            {"scenario": i, "kept": i in kept, "feasible": o.feasible, "margin": o.margin, "stop": str(o.stop)}
            for i, o in sorted(outcomes.items())
        ]
        good = bool(outcomes) and all(outcomes[i].feasible for i in kept)
        kw = float(fleet.pv_kw.sum()) if good else float("nan")
        return TwoStage(
            plan=self.plan,
            fleet=fleet,
            level=kw / self.case.peak_kva,
            kw=kw,
            bound_kw=bound_kw,
            gap=1.0 - kw / bound_kw + joint.gap if bound_kw > 0 else np.nan,
            stop=stop,
            short_kw=np.where(joint.short_kw > _SHORT_KW, joint.short_kw, 0.0),
            reduction=self.reduction,
            outcomes=pd.DataFrame(rows, columns=["scenario", "kept", "feasible", "margin", "stop"]),
            feasible_share=_share(outcomes),
            steps=pd.DataFrame(self.steps),
            seconds=time.perf_counter() - self.began[0],
            cpu_seconds=time.process_time() - self.began[1],
        )


def _share(outcomes: dict[int, Outcome]) -> float:
    return float(np.mean([o.feasible for o in outcomes.values()])) if outcomes else float("nan")


def _nearest(scenarios: list[FleetInputs], reduction: Reduction) -> list[int]:
    """For each scenario which of the kept ones is most like it."""
    points = profiles(scenarios)
    away = ((points[:, None] - points[reduction.chosen][None]) ** 2).sum(axis=2)
    found: list[int] = np.argmin(away, axis=1).tolist()
    return found


def _tidy(stage: FirstStage, x: Array) -> Fleet:
    """The fleet of a solution, without the traces of devices that an interior point leaves everywhere."""
    return stage.sizing.fleet(stage.fleet, np.where(x > _NOTHING_KW, x, 0.0))
