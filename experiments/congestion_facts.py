"""What decides whether the source's figures come out, measured in the first draw at the most stressed level."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from experiments.congestion_outcomes import Outcome, spans_h
from experiments.congestion_scenarios import STOR

if TYPE_CHECKING:
    from experiments.congestion_answer import Answer

__all__ = ["deciding"]


def deciding(answer: Answer) -> list[str]:
    """A sentence on each: feed-in, storage against load, CurA, CurB, ProA."""
    stor = answer.first(STOR)
    return [
        _feedin(answer, stor),
        _storage(answer, stor),
        _shares(answer, stor),
        _pick_up(answer, stor),
        _windows(answer),
    ]


def _feedin(answer: Answer, stor: Outcome) -> str:
    assert stor.sums is not None
    capacity = float(answer.facts["battery_kwh"].iloc[0])
    energy = stor.sums["battery_kwh"].to_numpy()
    if not stor.feedin.any() or capacity == 0:
        return "Feed-in: no violation is left with storage."
    full = 100 * energy[stor.feedin].mean() / capacity
    days = np.unique(np.flatnonzero(stor.feedin) // answer.steps_per_day)
    by_day = energy.reshape(-1, answer.steps_per_day)[days]
    least = 100 * by_day.min(axis=1).mean() / capacity
    return (
        f"Feed-in: while it violates the threshold with storage, batteries are {full:.0f} % full on average; on these "
        f"days the emptiest they get is {least:.0f} %: nights do not empty what noon fills, unless storage serves the "
        "region (row scope of the sensitivity)."
    )


def _storage(answer: Answer, stor: Outcome) -> str:
    assert stor.sums is not None
    capacity = float(answer.facts["battery_kwh"].iloc[0])
    if not stor.load.any() or capacity == 0:
        return "Storage: no load violation is left with it."
    empty = 100 * stor.sums["battery_kwh"].to_numpy()[stor.load].mean() / capacity
    return (
        f"Storage: in the load violations that it leaves, batteries are {empty:.1f} % full on average: winter's sun "
        "does not fill them. More heat pumps make more such evenings, and storage then removes a smaller share."
    )


def _shares(answer: Answer, stor: Outcome) -> str:
    assert stor.sums is not None
    if not stor.load.any():
        return "CurA: no load violation is left to relieve."
    load = stor.p_region_kw[stor.load].mean()
    ev, hp = (stor.sums[name].to_numpy()[stor.load].mean() for name in ("p_ev_kw", "p_hp_kw"))
    over = (stor.p_region_kw[stor.load] - stor.threshold_kw).mean()
    return (
        f"CurA: in these violations cars take {ev:.0f} of {load:.0f} kW on average and heat pumps {hp:.0f}, {over:.0f} "
        "kW are too much. What cars take against that is a matter of how many there are and how spread they arrive."
    )


def _pick_up(answer: Answer, stor: Outcome) -> str:
    spans = spans_h(stor, answer.steps_per_day)
    if not len(spans):
        return "CurB: no load violation is left to relieve."
    hours = answer.settings.relief_h
    covered = 100 * float((spans <= hours).mean())
    return (
        f"CurB: on days with violations they last {spans.mean():.1f} h on average ({covered:.0f} % of these days at "
        f"most the {hours:g} h of CurB), at most {spans.max():.1f} h; what follows CurB is then seldom beyond the "
        "threshold. Longer evenings would meet the pick-up."
    )


def _windows(answer: Answer) -> str:
    pro_a = answer.first(f"{STOR}+ProA")
    assert pro_a.sums is not None
    stor = answer.first(STOR)
    assert stor.sums is not None
    names = ["p_battery_kw", "p_tes_kw"]
    charged = np.maximum(pro_a.sums[names].sum(axis=1) - stor.sums[names].sum(axis=1), 0.0).sum() * answer.step_h
    days = max(1, len(np.unique(np.flatnonzero(answer.first("2030").load) // answer.steps_per_day)))
    return (
        f"ProA: in {answer.settings.window_h:g} h it charges {charged / days:.0f} kWh more on a congested day than "
        "self-consumption does; the length of the window and the homes' own load until the evening decide how much of "
        "that is left then (row window_h of the sensitivity)."
    )
