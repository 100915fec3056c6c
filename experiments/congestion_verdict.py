"""What must hold of the congestion study, computed; and what was published beside what comes out here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isnan
from typing import TYPE_CHECKING

import pandas as pd

from experiments.congestion_outcomes import Outcome, added_and_removed, mean_counts, pick
from experiments.congestion_scenarios import HELD, STOR, UNCAPPED
from experiments.congestion_settings import LEVEL_NAMES, CongestionSettings
from experiments.verdicts import Claim, Verdict

if TYPE_CHECKING:
    from experiments.congestion_answer import Answer

__all__ = ["claims", "curb_on_top", "measured", "orders"]

_CUR_A, _CUR_B, _PRO_A, _PRO_AB = (f"{STOR}+{name}" for name in ("CurA", "CurB", "ProA", "ProA+ProB"))
_ON_TOP, _RESIDUAL = f"{_PRO_AB}+CurB", f"{_PRO_AB}+CurB residual"
_LEAST_REMOVED = 75.0
_GAP_PERCENT = 5.0
_ROUNDING = 1e-9
_MARGINAL, _TOLERANCE_POINTS = 10.0, 5.0  # percent, and points around a published percentage that count as the same


def orders(table: pd.DataFrame) -> list[Verdict]:
    """The orders of counts of load violations that must hold in every draw, by level, with the means.

    `table` has the columns of `table.csv`.
    """
    load = table.pivot_table(index=["level", "seed"], columns="scenario", values="load_violations")
    levels = [level for level in LEVEL_NAMES if level in set(table["level"])]
    verdicts = list(_rising(table, levels))
    for level in levels:
        by = _at(load, level)
        verdicts.append(_order(by, level, ("Stor < 2030", STOR, "2030", True)))
        verdicts.append(_order(by, level, ("ProA <= Stor with the cap", _PRO_A, STOR, False)))
        verdicts.append(_order(by, level, ("ProA+ProB < ProA", _PRO_AB, _PRO_A, True)))
        verdicts.append(_order(by, level, ("ProA without the cap worse than none", STOR, UNCAPPED, True)))
        verdicts.append(_order(by, level, ("CurB at the residual onset does no harm", _RESIDUAL, _PRO_AB, False)))
    worst = _at(load, levels[-1])
    for name, words in ((_PRO_AB, "ProA+ProB"), (HELD, "ProA+ProB, held between congested hours too,")):
        verdicts.append(_removed(worst, name, f"{words} removes at least", levels[-1]))
    return verdicts


def _removed(worst: pd.DataFrame, name: str, what: str, level: str) -> Verdict:
    """Whether a scenario removes enough of the violations that storage by itself leaves, all draws together."""
    by_draw = 100 * (1 - worst[name] / worst[STOR])
    together, of_2030 = (100 * (1 - worst[name].sum() / worst[base].sum()) for base in (STOR, "2030"))
    numbers = f"{together:.1f} % of all draws' together, {by_draw.min():.1f} % in the draw with the least"
    numbers += f"; {of_2030:.1f} % of what there is without storage"
    return Verdict(f"{what} {_LEAST_REMOVED:g} % of what Stor leaves ({level})", together >= _LEAST_REMOVED, numbers)


def _at(load: pd.DataFrame, level: str) -> pd.DataFrame:
    """Counts by seed (rows) and scenario of one level."""
    return load[load.index.get_level_values("level") == level].droplevel("level")


def _rising(table: pd.DataFrame, levels: Sequence[str]) -> Iterator[Verdict]:
    """Counts by level in the scenarios without measures, strictly."""
    for name, column in (("load", "load_violations"), ("feed-in", "feedin_violations")):
        for scenario in ("2030", STOR):
            rows = table[table["scenario"] == scenario].pivot_table(index="seed", columns="level", values=column)
            by = rows[list(levels)]
            held = (by.diff(axis=1).iloc[:, 1:] > 0).all(axis=1)
            numbers = " < ".join(f"{by[level].mean():.1f}" for level in levels) + _draws(held)
            yield Verdict(f"{name} violations rise with stress, {scenario}", bool(held.all()), numbers)


def _order(by: pd.DataFrame, level: str, order: tuple[str, str, str, bool]) -> Verdict:
    """One count against another; a strict order of two counts of 0 is none."""
    what, low, high, strict = order
    held = by[low] < by[high] if strict else by[low] <= by[high]
    numbers = f"{by[low].mean():.1f} {'<' if strict else '<='} {by[high].mean():.1f}{_draws(held)}"
    return Verdict(f"{what} ({level})", bool(held.all()), numbers)


def _draws(held: pd.Series[bool]) -> str:
    return f" (means; holds in {int(held.sum())} of {len(held)} draws)"


def curb_on_top(outcomes: Sequence[Outcome], settings: CongestionSettings, step_h: float) -> list[str]:
    """Whether CurB at ``t_c`` on top of ProA+ProB harms or helps, by level, and why."""
    lines = []
    for level in settings.levels:
        parts = [
            added_and_removed(
                pick(outcomes, level, _PRO_AB, seed),
                pick(outcomes, level, _ON_TOP, seed),
                settings.makeup_h,
                step_h,
            )
            for seed in settings.drawn
        ]
        mean = pd.DataFrame(parts).mean()
        more = float(mean.filter(like="added").sum() - mean.filter(like="removed").sum())
        word = "harms" if more > 0 else "helps" if more < 0 else "neither harms nor helps"
        lines.append(
            f"- {level}: it {word} ({more:+.1f} load violations a year): in its {settings.relief_h:g} h it removes "
            f"{mean['removed_first']:.1f} and makes {mean['added_first']:.1f}; in the {settings.makeup_h:g} h in which "
            f"the heat is made up it removes {mean['removed_then']:.1f} and makes {mean['added_then']:.1f}; at other "
            f"times {mean['removed_else']:.1f} and {mean['added_else']:.1f}."
        )
    return lines


def measured(answer: Answer) -> list[Verdict]:
    """What is asked of times and memory, of stores' energies, and of AC against DC."""
    found = [
        Verdict(f"{t.what} below {t.limit:g} {t.unit}", t.holds, f"{t.value:.3g} {t.unit}")
        for t in answer.log
        if t.limit is not None
    ]
    low = min((o.soc[0] for o in answer.outcomes if not isnan(o.soc[0])), default=0.0)
    high = max((o.soc[1] for o in answer.outcomes if not isnan(o.soc[1])), default=0.0)
    lost = max(outcome.lost_share for outcome in answer.outcomes)
    n = len(answer.outcomes)
    inside = low >= -_ROUNDING and high <= 1 + _ROUNDING
    found.append(Verdict("states of charge within [0, 1]", inside, f"{low:.3g} to 1 {high - 1:+.1e} in {n} years"))
    kept = f"{lost:.1e} of what a home asks at most, {n} years"
    found.append(Verdict(f"energy kept to {_ROUNDING:g}", lost <= _ROUNDING, kept))
    gaps = {flow.scenario: flow.gap_percent for flow in answer.flows if not isnan(flow.gap_percent)}
    if gaps:
        numbers = ", ".join(f"{gap:.2f} % {scenario}" for scenario, gap in gaps.items())
        what = f"AC within {_GAP_PERCENT:g} % of DC at peaks, on the MV side"
        found.append(Verdict(what, max(gaps.values()) < _GAP_PERCENT, numbers))
    return found


def claims(table: pd.DataFrame) -> list[Claim]:
    """The source's figures beside ours, at the most stressed level; what decides them is in `congestion_facts`."""
    mean = mean_counts(table).set_index(["level", "scenario"])
    levels = [level for level in LEVEL_NAMES if level in set(table["level"])]
    load = {name: float(str(mean.at[(levels[-1], name), "load"])) for name in table["scenario"].unique()}

    def change(name: str, base: str) -> float:
        return 100 * (load[name] / load[base] - 1) if load[base] else float("nan")

    left = float(str(mean.at[(levels[-1], STOR), "feedin"]))
    last = ", ".join(f"{mean.at[(level, _ON_TOP), 'load']:.1f} {level}" for level in levels)
    none_left = all(mean.at[(level, _ON_TOP), "load"] == 0 for level in levels)
    stor, cur_a, cur_b = change(STOR, "2030"), change(_CUR_A, STOR), change(_CUR_B, STOR)
    pro_a, both = change(_PRO_A, STOR), change(_PRO_AB, STOR)
    return [
        Claim("no feed-in violation left with storage", "0", f"{left:.1f} a year", left == 0),
        Claim("storage removes load violations", "-35 %", f"{stor:+.1f} %", _near(stor, -35)),
        Claim("CurA removes some more", "-11 %", f"{cur_a:+.1f} %", _near(cur_a, -11)),
        Claim("CurB does next to nothing, or harm", "about -1 %", f"{cur_b:+.1f} %", _near(cur_b, -1)),
        Claim("ProA alone is marginal", "marginal", f"{pro_a:+.1f} %", abs(pro_a) <= _MARGINAL),
        Claim("ProA+ProB removes nearly all", "up to -90 %", f"{both:+.1f} %", both <= -80),
        Claim("with CurB on top none is left at any level", "0", last, none_left),
    ]


def _near(percent: float, published: float) -> bool:
    """Within five percentage points."""
    return abs(percent - published) <= _TOLERANCE_POINTS
