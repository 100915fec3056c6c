"""What decides whether the source's figures come out, measured in the first draw at the most stressed level."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from experiments.congestion_outcomes import Outcome, added_and_removed, spans_h
from experiments.congestion_scenarios import HELD, STOR

if TYPE_CHECKING:
    from experiments.congestion_answer import Answer

__all__ = ["deciding"]


def deciding(answer: Answer) -> list[str]:
    """A sentence or two on each: feed-in, storage against load, CurA, CurB, ProA, ProA+ProB."""
    stor = answer.first(STOR)
    return [
        _feedin(answer, stor),
        _storage(answer, stor),
        _cars(stor),
        _pick_up(answer, stor),
        _windows(answer, stor),
        _mornings(answer),
    ]


def _feedin(answer: Answer, stor: Outcome) -> str:
    capacity = float(answer.facts["battery_kwh"].iloc[0])
    if not stor.feedin.any() or capacity == 0:
        return "Feed-in: no violation is left with storage."
    energy = _column(stor, "battery_kwh")
    full = 100 * energy[stor.feedin].mean() / capacity
    days = np.unique(np.flatnonzero(stor.feedin) // answer.steps_per_day)
    least = 100 * energy.reshape(-1, answer.steps_per_day)[days].min(axis=1).mean() / capacity
    return (
        f"Feed-in: while it violates the threshold with storage, batteries are {full:.0f} % full on average; the "
        f"least that is in them on these days is {least:.0f} %, which is what a night leaves. Whom storage serves "
        "decides that (scope in the sensitivity)."
    )


def _storage(answer: Answer, stor: Outcome) -> str:
    capacity = float(answer.facts["battery_kwh"].iloc[0])
    if not stor.load.any() or capacity == 0:
        return "Storage: no load violation is left with it."
    left = 100 * _column(stor, "battery_kwh")[stor.load].mean() / capacity
    return (
        f"Storage: in the load violations that are left with it, batteries are {left:.1f} % full on average. How much "
        "load there is on evenings after days with little sun decides (heat_pump in the sensitivity)."
    )


def _cars(stor: Outcome) -> str:
    if not stor.load.any():
        return "CurA: no load violation is left to relieve."
    load, over = stor.p_region_kw[stor.load].mean(), (stor.p_region_kw[stor.load] - stor.threshold_kw).mean()
    ev, hp = (_column(stor, name)[stor.load].mean() for name in ("p_ev_kw", "p_hp_kw"))
    return (
        f"CurA: in these violations the region takes {load:.0f} kW on average, {over:.0f} kW too much; cars take "
        f"{ev:.0f} kW of it, heat pumps {hp:.0f} kW. How many cars there are and how spread they arrive decides (ev in "
        "the sensitivity)."
    )


def _pick_up(answer: Answer, stor: Outcome) -> str:
    spans = spans_h(stor, answer.steps_per_day)
    if not len(spans):
        return "CurB: no load violation is left to relieve."
    s = answer.settings
    found = added_and_removed(stor, answer.first(f"{STOR}+CurB"), s.makeup_h, answer.step_h)
    return (
        f"CurB: on the {len(spans)} days with violations they last {spans.mean():.1f} h on average, at most "
        f"{spans.max():.1f} h. Alone CurB removes {found['removed_first']} in its {s.relief_h:g} h and makes "
        f"{found['added_then']} in the {s.makeup_h:g} h after them, in which it removes {found['removed_then']}. How "
        "long the region's evenings are decides."
    )


def _windows(answer: Answer, stor: Outcome) -> str:
    pro_a = answer.first(f"{STOR}+ProA")
    names = ("p_battery_kw", "p_tes_kw")
    more_kw = sum(_column(pro_a, name) - _column(stor, name) for name in names)
    charged_kwh = float(np.maximum(more_kw, 0.0).sum()) * answer.step_h
    days = len(_days(answer, answer.first("2030")))
    return (
        f"ProA: in {answer.settings.window_h:g} h it charges {charged_kwh / max(1, days):.0f} kWh on each of {days} "
        "congested days. The length of the window, and what homes use of that before the onset, decide (window_h in "
        "the sensitivity)."
    )


def _mornings(answer: Answer) -> str:
    """Where what ProA+ProB leaves is, by when the day's congestion begins."""
    both, steps = answer.first(f"{STOR}+ProA+ProB"), answer.steps_per_day
    if not both.load.any():
        return "ProA+ProB: no load violation is left."
    first = (answer.first("2030").load.reshape(-1, steps)).argmax(axis=1)
    early = first[np.flatnonzero(both.load) // steps] < steps // 2
    return (
        f"ProA+ProB: of the {both.n_load} load violations that they leave, {int(early.sum())} are on days whose "
        "congestion begins before noon: stores are released then, and are empty in the evening. Where they hold "
        f"between congested hours too, {answer.first(HELD).n_load} are left."
    )


def _days(answer: Answer, outcome: Outcome) -> npt.NDArray[np.intp]:
    return np.unique(np.flatnonzero(outcome.load) // answer.steps_per_day)


def _column(outcome: Outcome, name: str) -> npt.NDArray[np.float64]:
    assert outcome.sums is not None, f"{outcome.scenario} was run without its columns"
    values: npt.NDArray[np.float64] = outcome.sums[name].to_numpy(dtype=float)
    return values
