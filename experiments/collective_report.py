"""What the collective-tariff study says: the source's pattern, held or not, line by line; and every signal's worth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from agents.dso import Coordination
from cosim.dry_summer import local_hours
from cosim.plots import save_figure
from experiments.collective_figures import (
    alpha_figure,
    iterations_figure,
    loads_figure,
    normalised_figure,
    signals_figure,
)

if TYPE_CHECKING:
    from experiments.collective_tariff import Answer, Case

__all__ = ["Finding", "pattern", "report", "write_answer"]

Array = npt.NDArray[np.float64]
Finding = tuple[str, bool | None, str]
"""What the source shows, whether it comes out here (None: a figure without a verdict), and our figures."""

_SETTLED_PU = 1e-4  # voltages that differ by less are the same


def pattern(case: Case) -> list[Finding]:
    """What the source shows for its rule, beside what comes out on one week."""
    source = case.signals["source"]
    return [*_before(case, source), *_first_iteration(case, source), *_further_iterations(case, source)]


def report(answer: Answer) -> str:
    """How the weeks were made, the pattern on each, and the signals over all of them."""
    settings = answer.settings
    lines = [
        f"Feeder {settings.feeder}, {settings.days} days from {settings.start}, all loads made (seeds "
        f"{', '.join(map(str, settings.seeds))}). Tight: the background is as high by night as at 07:30; slack: a deep",
        "valley by night. The head voltage is set so that without plants the lowest voltage at the office complex "
        f"from 06:00 to 08:00 of working days is {settings.v_ref_pu + settings.baseline_above_pu:.4f} p.u.;",
        f"the reference is {settings.v_ref_pu:.3f} p.u., signals aim {settings.margin_pu:g} above it, and the deficit",
        "is the sum below it from 20:00 to 08:00. Bills are at the tariff, whatever is planned against.",
    ]
    for case in answer.cases:
        lines += ["", f"{case.feeder}, seed {case.seed}: the source's rule, and what the source shows:"]
        lines += list(_marked(case)) if "source" in case.signals else ["- not among the signals"]
        lines += [_bound_line(case)]
    return "\n".join([*lines, "", *_why_no_zigzag(answer), "", *_signals(answer), "", *_who_pays(answer)])


def write_answer(answer: Answer, folder: Path) -> None:
    """Write table.csv, customers.csv, pattern.csv, alphas.csv, report.md and the figures."""
    answer.table.to_csv(folder / "table.csv", index=False, float_format="%.10g")
    customers = pd.concat([case.customers() for case in answer.cases], ignore_index=True)
    customers.to_csv(folder / "customers.csv", index=False, float_format="%.10g")
    rows = [
        (case.feeder, case.seed, *finding)
        for case in answer.cases
        if "source" in case.signals
        for finding in pattern(case)
    ]
    columns = ["feeder", "seed", "source", "comes_out", "here"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "pattern.csv", index=False)
    swept = [
        found.table(case.bound).assign(feeder=case.feeder, seed=case.seed, alpha=alpha)
        for case in answer.cases
        for alpha, found in case.alphas.items()
    ]
    if swept:
        pd.concat(swept, ignore_index=True).to_csv(folder / "alphas.csv", index=False, float_format="%.10g")
        save_figure(alpha_figure(answer), folder / "alphas.png")
    (folder / "report.md").write_text(f"# Collective tariff\n\n{report(answer)}\n", encoding="utf-8")
    for case in answer.cases:
        if case.seed == answer.settings.seeds[0] and "source" in case.signals:
            save_figure(loads_figure(case), folder / f"loads-{case.feeder}.png")
            save_figure(normalised_figure(case), folder / f"normalised-{case.feeder}.png")
            save_figure(iterations_figure(case), folder / f"iterations-{case.feeder}.png")
    save_figure(signals_figure(answer), folder / "signals.png")


def _before(case: Case, source: Coordination) -> Iterator[Finding]:
    week = case.week
    bare = week.monitor.observe(week.baseline.p_kw, week.baseline.q_kvar).value[:, 0]
    tou = source.iterates[0]
    low_bare, low_tou = bare[week.before_peak].min(), tou.observation.value[week.before_peak, 0].min()
    v_ref = week.monitor.watches[0].limit or np.nan
    yield (
        "06:00-08:00 of working days: above the reference without plants, below it under time of use (type A)",
        bool(low_bare >= v_ref > low_tou),
        f"{low_bare:.4f} and {low_tou:.4f} p.u.",
    )
    peak_bare, peak_tou = ((week.background_kw + p.sum(axis=1)).max() for p in (week.baseline.p_kw, tou.p_kw))
    yield (
        "the feeder's peak under time of use is higher than without plants",
        bool(peak_tou > peak_bare),
        f"{peak_tou:.0f} and {peak_bare:.0f} kW",
    )


def _first_iteration(case: Case, source: Coordination) -> Iterator[Finding]:
    week, first = case.week, source.iterates[min(1, len(source.iterates) - 1)]
    before, after = (
        _lowest(iterate.observation.value[:, 0], week.before_peak) for iterate in (source.iterates[0], first)
    )
    rise = after - before
    yield (
        "iteration 1 raises the worst type A voltage by 0.001-0.006 p.u. (source: 0.001-0.004)",
        bool(0.001 <= rise <= 0.006),
        f"{1e3 * rise:+.1f} thousandths",
    )
    hours, night = local_hours(week.times), week.options.active
    early = (hours < 6.0) & (night if night is not None else True)
    moved = np.where(early, first.observation.value[:, 0] - source.iterates[0].observation.value[:, 0], 0.0)
    at = int(moved.argmin())
    yield (
        "the first new drop (type B) lies between 01:00 and 03:00",
        bool(1.0 <= hours[at] < 3.0) if moved[at] < -_SETTLED_PU else False,
        f"deepest at {int(hours[at]):02d}:{int(60 * (hours[at] % 1)):02d}, {1e3 * moved[at]:+.1f} thousandths",
    )


def _further_iterations(case: Case, source: Coordination) -> Iterator[Finding]:
    hours = local_hours(case.week.times)
    small = (hours >= 1.0) & (hours < 5.0)
    dips = [_lowest(iterate.observation.value[:, 0], small) for iterate in source.iterates]
    fall = dips[0] - np.minimum.accumulate(dips)
    yield (
        "type B drops between 01:00 and 05:00 appear and grow",
        bool(fall[-1] > _SETTLED_PU),
        "lowest by iteration " + ", ".join(f"{dip:.4f}" for dip in dips),
    )
    lowest, deficits = zip(*((iterate.v_min_pu, iterate.deficit_pu_h) for iterate in source.iterates), strict=True)
    falls = [i for i in range(3, len(lowest)) if lowest[i] < lowest[i - 1] - _SETTLED_PU]
    rises = [i for i in range(3, len(deficits)) if deficits[i] > deficits[i - 1]]
    yield (
        "from iteration 3 on lowest voltage and deficit go to and fro (zig-zag)",
        bool(falls and rises),
        f"lowest by iteration {', '.join(f'{low:.4f}' for low in lowest)}, falls at {falls or 'none'}; deficit "
        f"{', '.join(f'{1e3 * deficit:.1f}' for deficit in deficits)} thousandths p.u. h, rises at {rises or 'none'}; "
        f"ended: {source.ended}",
    )
    table = source.table()
    change = table["bill_change_percent"]
    yield (
        "bills change by less than 0.05 % up to iteration 4",
        bool(change[table["iteration"] <= 4].abs().max() < 0.05),
        "by iteration " + ", ".join(f"{value:+.3f}" for value in change) + " %",
    )


def _lowest(voltage: Array, when: npt.NDArray[np.bool_]) -> float:
    return float(voltage[when].min())


def _marked(case: Case) -> Iterator[str]:
    for shown, held, here in pattern(case):
        yield f"- [{'x' if held else ' '}] {shown}: {here}"


def _bound_line(case: Case) -> str:
    bound, start = case.bound, next(iter(case.signals.values())).iterates[0]
    return (
        f"- bound: deficit {start.deficit_pu_h:.4f} -> {bound.deficit_pu_h:.4f} p.u. h for bills of "
        f"{bound.bill_change_percent:+.4f} %; foretold and AC voltages within {bound.linearisation_error_pu:.1g} p.u. "
        f"after {bound.rounds} rounds, {bound.seconds:.1f} s"
    )


def _why_no_zigzag(answer: Answer) -> list[str]:
    """The explanation, with the figures that it rests on."""
    lines = [
        "Why the slack feeder has no zig-zag: the rule only raises prices, and only where the voltage is below the",
        "reference, so it rests as soon as no step is. A schedule under a price per kWh fills its store in the",
        "cheapest steps at full rate; where the night has room for that, moved load stays above the reference; on the",
        "tight feeder it makes the next drop wherever it goes. Voltage by night without plants, and how it ended:",
    ]
    for case in answer.cases:
        week = case.week
        bare = week.monitor.observe(week.baseline.p_kw, week.baseline.q_kvar).value[:, 0]
        hours = local_hours(week.times)
        night = (hours >= 1.0) & (hours < 5.0)
        rests = case.signals["source"].ended if "source" in case.signals else "not tried"
        lines.append(
            f"- {case.feeder}, seed {case.seed}: mean of 01:00-05:00 {bare[night].mean():.4f} p.u.; ended: {rests}"
        )
    return lines


def _signals(answer: Answer) -> list[str]:
    """Each signal's best iterate over all weeks of a feeder."""
    table = answer.table
    best = table[table["best"]]
    lines = ["Best iterate of each signal, median over the seeds [least .. largest]:", ""]
    lines += [
        "| feeder | signal | share of the bound | bills (%) | v_min (p.u.) | iteration | seconds |",
        "|---|---|" + "---:|" * 5,
    ]
    for (feeder, name), rows in best.groupby(["feeder", "signal"], sort=False):
        seconds = table[(table["feeder"] == feeder) & (table["signal"] == name)].groupby("seed")["seconds"].sum()
        cells = [
            _spread(rows["bound_share"], ".3f"),
            _spread(rows["bill_change_percent"], "+.4f"),
            _spread(rows["v_min_pu"], ".5f"),
            _spread(rows["iteration"], ".0f"),
            _spread(seconds, ".2f"),
        ]
        lines.append(f"| {feeder} | {name} | " + " | ".join(cells) + " |")
    return lines


def _spread(values: pd.Series[float], form: str) -> str:
    low, middle, high = values.min(), values.median(), values.max()
    return f"{middle:{form}}" if low == high else f"{middle:{form}} [{low:{form}} .. {high:{form}}]"


def _who_pays(answer: Answer) -> list[str]:
    """Change of each customer's own bill, median over all weeks."""
    customers = pd.concat([case.customers() for case in answer.cases], ignore_index=True)
    wide = customers.pivot_table(
        index="signal", columns="customer", values="change_percent", aggfunc="median", sort=False
    )
    lines = ["Who pays: change of each customer's own bill in percent, median over all weeks:", ""]
    lines += ["| signal | " + " | ".join(wide.columns) + " |", "|---|" + "---:|" * len(wide.columns)]
    return lines + [
        f"| {name} | " + " | ".join(f"{value:+.4f}" for value in row) + " |" for name, row in wide.iterrows()
    ]
