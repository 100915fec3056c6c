"""What must hold of the study of hosting capacity, computed."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan
from typing import TYPE_CHECKING

import numpy as np

from experiments.hosting_cases import MONTE_CARLO
from experiments.hosting_region import grid_of
from experiments.verdicts import Verdict

if TYPE_CHECKING:
    from experiments.hosting_answer import Answer, Found

__all__ = ["orders", "timed"]

_ROUNDING = 1e-9  # percentage points


def orders(answer: Answer) -> list[Verdict]:
    """What is reported is confirmed and bracketed; coordination takes at least as much; over-voltage limits PV."""
    found = [
        *_reported(answer),
        *_agreeing(answer),
        *_dynamic_first(answer),
        *_planned(answer),
        *_draws(answer),
        *_storage(answer),
    ]
    static = answer.first("pv", "static")
    if static is not None:
        kind = static.capacity.stop.kind
        found.append(Verdict("over-voltage is the static PV limit", kind == "over-voltage", str(static.capacity.stop)))
    return found


def _reported(answer: Answer) -> Iterator[Verdict]:
    """Every deterministic point by AC power flow, and the level one step higher."""
    reported = [found for found in answer.found if found.capacity.base_feasible]
    if not reported:
        return
    inside = [found for found in reported if found.confirmed]
    least = min(found.capacity.margin for found in reported)
    what = "the AC power flow confirms every reported point"
    yield Verdict(what, len(inside) == len(reported), f"{len(inside)} of {len(reported)}, least margin {least:.2e}")
    bracketed = [found for found in reported if found.bracketed]
    left = "".join(f"; not: {_name(found)}" for found in reported if not found.bracketed)
    what = "the level one step higher is outside"
    yield Verdict(what, len(bracketed) == len(reported), f"{len(bracketed)} of {len(reported)}{left}")


def _agreeing(answer: Answer) -> Iterator[Verdict]:
    """The same capacity level by level and at once."""
    pairs = [(f, answer.first(f.case, f.mode, "one-shot")) for f in answer.found if f.capacity.method == "stepping"]
    both = [(f.capacity.level, other.capacity.level) for f, other in pairs if other is not None]
    if both:
        same = [a == b or (isnan(a) and isnan(b)) for a, b in both]
        yield Verdict("stepping and one-shot find the same level", all(same), f"in {sum(same)} of {len(same)} searches")


def _name(found: Found) -> str:
    return f"{found.case} {found.mode} {found.capacity.method}"


def _dynamic_first(answer: Answer) -> Iterator[Verdict]:
    for dynamic in answer.found:
        if dynamic.mode != "dynamic":
            continue
        method = dynamic.capacity.method
        for mode in ("static", "static-rated"):
            static = answer.first(dynamic.case, mode, method)
            if static is not None:
                low, high = 100 * static.capacity.level, 100 * dynamic.capacity.level
                what = f"{dynamic.case}, {method}: dynamic >= {mode}"
                yield Verdict(what, not_below(high, low), f"{said(high)} >= {said(low)}")


def not_below(high: float, low: float) -> bool:
    """Whether a capacity is at least another [%]; any is at least that of an infeasible base case."""
    return isnan(low) or high >= low - _ROUNDING


def said(percent: float) -> str:
    """A capacity [%] in words."""
    return "base case infeasible" if isnan(percent) else f"{percent:.1f} %"


def _planned(answer: Answer) -> Iterator[Verdict]:
    by = {(plan.mode, plan.bounded): plan for plan in answer.planned}
    for (mode, bounded), plan in by.items():
        static = by.get(("static", bounded))
        words = " with bounds per node" if bounded else ""
        if mode == "dynamic" and static is not None:
            high, low = 100 * plan.level, 100 * static.level
            yield Verdict(f"two-stage{words}: dynamic >= static", not_below(high, low), f"{said(high)} >= {said(low)}")
        if mode == "dynamic":
            share, asked = plan.feasible_share, answer.settings.feasible_share
            what = f"two-stage{words}: holds in at least {100 * asked:g} % of all scenarios"
            numbers = f"{100 * share:.1f} %; gap of the program {plan.gap:.1e}"
            yield Verdict(what, share >= asked, numbers)


def _draws(answer: Answer) -> Iterator[Verdict]:
    draws = answer.draws
    if not {"static", "dynamic"} <= set(draws["mode"]):
        return
    by = draws.pivot(index="scenario", columns="mode", values="capacity_percent").astype(float)
    held = [not_below(high, low) for high, low in zip(by["dynamic"], by["static"], strict=True)]
    yield Verdict(f"{MONTE_CARLO}: dynamic >= static", all(held), f"in {sum(held)} of {len(held)} scenarios")
    sd = answer.spread().set_index("mode")["sd"]
    numbers = f"{sd['dynamic']:.2f} > {sd['static']:.2f} percentage points"
    yield Verdict("the dynamic distribution is the wider one", bool(sd["dynamic"] > sd["static"]), numbers)


def _storage(answer: Answer) -> Iterator[Verdict]:
    """PV by batteries at each share of heat pumps, dynamic."""
    if not (answer.region["mode"] == "dynamic").any():
        return
    values = np.nan_to_num(grid_of(answer.region, "dynamic").to_numpy(dtype=float), nan=-1.0)
    change = np.diff(values, axis=1)
    if change.size:
        least = f"least change {change.min():+.2f} points over {change.size} pairs"
        yield Verdict("more storage never lowers the dynamic PV capacity", bool(change.min() >= -_ROUNDING), least)


def timed(answer: Answer) -> list[Verdict]:
    """What is asked of times."""
    return [
        Verdict(f"{t.what} below {t.limit:g} {t.unit}", t.holds, f"{t.value:.3g} {t.unit}")
        for t in answer.log
        if t.limit is not None
    ]
