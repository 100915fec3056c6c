"""What a comparison says, in tables to print and a few sentences of numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from cosim.compare.comparison import Comparison
from cosim.compare.disparity import MEASURES
from cosim.compare.intervals import quantile

__all__ = ["Runs", "differences_shown", "findings", "grounds", "group_name", "means_shown", "report"]

_SHOWN = {
    "spread_points": "head - end (% points)",
    "worst_tenth_percent": "worst tenth (%)",
    "gini_kept": "Gini",
    "jain_kept": "Jain",
    "gain_lost_percent": "gain lost (%)",
    "tce_kwh": "curtailed (kWh)",
    "cvc_pu": "CVC (p.u.)",
    "cvc_reduction_percent": "CVC cut (%)",
}
_TINY = 1e-9  # what differs by less differs by rounding
_FEW = 5  # repetitions below which an interval is mostly Student's factor


@dataclass(frozen=True)
class Runs:
    """How far a sweep has come: runs planned and finished, and how many failed, by reason."""

    planned: int
    finished: int
    failed: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        waiting = self.planned - self.finished - sum(self.failed.values())
        failed = ", ".join(f"{count} {reason}" for reason, count in self.failed.items())
        parts = [f"{self.finished} of {self.planned} runs finished"]
        parts += [f"{sum(self.failed.values())} failed ({failed})"] if failed else []
        parts += [f"{waiting} not run yet: this is what is there so far"] if waiting > 0 else []
        return "; ".join(parts) + "."


def means_shown(found: Comparison, group: Mapping[str, Any]) -> pd.DataFrame:
    """The main measures of a group by value: mean and half its interval where there is one."""
    return _shown(found, group, lambda row: _interval(row["mean"], row["low"], row["high"]), "n", "n")


def differences_shown(found: Comparison, group: Mapping[str, Any]) -> pd.DataFrame:
    """The main measures of a group less those of the base, pair by pair: mean and half its interval."""
    columns = ("difference", "difference_low", "difference_high")
    shown = _shown(found, group, lambda row: _interval(*(row[name] for name in columns)), "pairs", "n_pairs")
    return shown[shown[found.by] != found.base]


def group_name(group: Mapping[str, Any]) -> str:
    """A group in words: its fields with their values."""
    return ", ".join(f"{name} {_short(value)}" for name, value in group.items())


def report(found: Comparison, runs: Runs, most_groups: int = 6) -> list[str]:
    """Lines that say what was compared, what it rests on, what was left out, and what came out."""
    lines = [str(runs), *grounds(found)]
    groups = list(found.groups())
    for group, _ in groups[:most_groups]:
        lines += [
            f"{group_name(group)}:" if group else "What came out:",
            *(f"- {line}" for line in findings(found, group)),
        ]
    if len(groups) > most_groups:
        lines.append(
            f"{len(groups) - most_groups} more groups are in table.csv; --per FIELD makes fewer and averages over the "
            "other fields, --per none makes one."
        )
    return lines


def grounds(found: Comparison) -> list[str]:
    """Lines that say what was compared, what it rests on and what was left out."""
    return [*_made(found), *_rests_on(found), *_left_out(found)]


def findings(found: Comparison, group: Mapping[str, Any]) -> list[str]:
    """Lines that say what came out in a group."""
    return list(_came_out(found, group))


def _shown(found: Comparison, group: Mapping[str, Any], cell: Any, count: str, n: str) -> pd.DataFrame:
    own = _of_group(found.table, group)
    rows = []
    for value in found.values:
        of_value = own[own[found.by] == value].set_index("measure")
        if len(of_value):
            cells = {title: cell(of_value.loc[name]) for name, title in _SHOWN.items()}
            rows.append({found.by: str(value), **cells, count: of_value.at["cvc_pu", n]})
    return pd.DataFrame(rows, columns=[found.by, *_SHOWN.values(), count])


def _of_group(table: pd.DataFrame, group: Mapping[str, Any]) -> pd.DataFrame:
    for name, value in group.items():
        table = table[table[name].isna() if pd.isna(value) else table[name] == value]
    return table


def _interval(mean: float, low: float, high: float) -> str | None:
    if pd.isna(mean):
        return None
    return _short(mean) if pd.isna(low) else f"{_short(mean)}±{_short((high - low) / 2)}"


def _short(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    rounded = round(value, 9) + 0.0  # a difference of rounding, or a negative zero, is no result
    return f"{rounded:.3g}" if abs(rounded) < 1000 else f"{rounded:.0f}"


def _made(found: Comparison) -> Iterator[str]:
    """Which runs are one population, which fields are what."""
    n_each = found.measured["n_runs"].max()
    if found.pool is not None:
        yield (
            f"The {n_each} runs along {found.pool} are one population: whoever acts in each of them. "
            f"{len(found.measured)} populations."
        )
    kept = found.measured["n_prosumers"]
    size = f"{kept.min()}" if kept.min() == kept.max() else f"{kept.min()} to {kept.max()}"
    tenth = max(1, int(kept.max()) // 10)
    yield f"Each population has {size} prosumers; a tenth of {kept.max()} is {tenth}, at least one."
    if found.constant:
        yield f"The same in all: {group_name(found.constant)}."
    if found.averaged:
        counts = ", ".join(f"{name} ({found.measured[name].nunique(dropna=False)} values)" for name in found.averaged)
        yield (
            f"Averaged over {counts}: intervals take their combinations for a sample; those that share a seed are not "
            "independent, which these intervals do not know."
        )


def _rests_on(found: Comparison) -> Iterator[str]:
    """How many repetitions, and what an interval of so few is worth."""
    cells = found.measured.groupby([*found.per, found.by], dropna=False)
    n_least, n_most = int(cells.size().min()), int(cells.size().max())
    if n_most == 1:
        yield "One population each: no intervals. Replications in the sweep's file give some."
        return
    over = "populations" if found.averaged else "seeds"
    n = f"{n_least}" if n_least == n_most else f"{n_least} to {n_most}"
    yield f"± is half of a 95 % interval (Student's t) over {n} {over}, each by itself: of many, some miss by chance."
    if n_least < _FEW:
        factor = f"{quantile(n_least):.1f} times the standard error" if n_least > 1 else "none with one"
        yield f"Few {over}: with {n_least} half an interval is {factor}; that values are normal is an assumption."
    spans = [(cells[name].max() - cells[name].min()).max() for name in ("cvc_pu", "gain_lost", "tce_kwh")]
    if max(span for span in [0.0, *spans] if span == span) <= _TINY and not found.averaged:
        yield "The seeds change nothing here: intervals of no width say so, and not that results are certain."


def _left_out(found: Comparison) -> Iterator[str]:
    """What is undefined or has no partner, by how often."""
    counts = found.measured[["n_prosumers", "n_with_gain", "n_kept_negative", "n_kept_above_100"]].sum()
    none = int(counts["n_prosumers"] - counts["n_with_gain"])
    if not counts["n_with_gain"]:
        yield "Nobody has a gain to compare with: run the sweep with references, and with prosumers that optimise."
    elif none:
        yield f"Gain kept: {none} of {counts['n_prosumers']} prosumers have no gain from optimisation and are left out."
    beyond = [(counts["n_kept_negative"], "lose more than optimisation gave them")]
    beyond += [(counts["n_kept_above_100"], "keep more than all of it")]
    said = ", ".join(f"{count} {what}" for count, what in beyond if count)
    if said:
        yield f"Of {counts['n_with_gain']} prosumers with a gain, {said}; all count as they are."
    if counts["n_kept_negative"]:
        yield "Gini and Jain are relative to what is kept or lost: where most lose, equal losses make them look fair."
    if found.n_incomplete:
        yield f"{found.n_incomplete} populations lack a run along {found.pool} and are left out."
    undefined = found.table.groupby("measure", sort=False)["n_undefined"].sum()
    named = ", ".join(f"{MEASURES[str(name)].label} ({count})" for name, count in undefined.items() if count)
    if named:
        yield f"Undefined, left out of means, in so many of {len(found.measured)} populations: {named}."
    lone = found.table.loc[found.table["measure"] == "cvc_pu", "n_unpaired"].sum()
    if lone:
        yield f"{lone} populations have no partner with {found.by} {found.base}: left out of differences."


def _came_out(found: Comparison, group: Mapping[str, Any]) -> Iterator[str]:
    """The spread in order of size, what is lost for what voltage, and what differs beyond its interval."""
    own = _of_group(found.table, group)
    spread = _means(own, "spread_points", found.by).dropna().sort_values(kind="stable")
    if len(spread):
        sizes = ", ".join(f"{value} {_short(size)}" for value, size in spread.items())
        yield f"gain kept at the head less at the end, % points: {sizes}"
    lost, cut = _means(own, "gain_lost_percent", found.by), _means(own, "cvc_reduction_percent", found.by)
    pairs = [f"{v} {_short(lost[v])} for {_short(cut[v])}" for v in found.values if v in lost and lost[v] == lost[v]]
    if pairs and cut.notna().any():
        yield f"% of the gain lost for % of CVC cut: {', '.join(pairs)}"
    for value in found.values:
        gaps = own[(own[found.by] == value) & own["measure"].isin(list(_SHOWN))]
        if (gaps["difference_high"] - gaps["difference_low"] > _TINY).any():  # else the seeds change nothing
            beyond = gaps[(gaps["difference_low"] > _TINY) | (gaps["difference_high"] < -_TINY)]["measure"]
            named = ", ".join(_SHOWN[name].split(" (")[0] for name in beyond) or "nothing"
            yield f"{value} against {found.base}, interval without zero: {named}"


def _means(own: pd.DataFrame, measure: str, by: str) -> pd.Series[float]:
    return own[own["measure"] == measure].set_index(by)["mean"]
