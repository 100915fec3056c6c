"""Table, text and files of the study across feeders."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from cosim.data import WEEKS
from cosim.plots import save_figure
from experiments.across_feeders_figures import difference_figure, hunting_figure, kept_figure
from experiments.across_feeders_settings import NO_RULE, Size
from experiments.across_feeders_verdict import COMPARED, HUNTS_PERCENT, NOTHING_POINTS, lines_of

if TYPE_CHECKING:
    from experiments.across_feeders import Answer

__all__ = ["printed", "report", "write_answer"]

_SHOWN = {
    "kept_percent": "kept %",
    "spread_points": "near-far",
    "worst_decile_percent": "worst 10 %",
    "gini": "gini",
    "jain": "jain",
    "tce_near_kwh_per_kwp": "TCE near",
    "tce_far_kwh_per_kwp": "TCE far",
    "reversals_percent": "turning %",
}
_HUNTS = f"~ where voltages turn back in {HUNTS_PERCENT:g} % of the minutes or more: hunting as much as the rule"


def printed(answer: Answer) -> pd.DataFrame:
    """The cells under a rule in the first mode, of the last size: the table on the screen."""
    settings, table = answer.settings, answer.table
    chosen = (table["mode"] == settings.modes[0]) & (table["size"] == settings.sizes[-1]) & (table["rule"] != NO_RULE)
    shown = table.loc[chosen, ["feeder", "season", "share", "rule", *_SHOWN]].rename(columns=_SHOWN)
    return shown.sort_values(["feeder", "season", "share"], kind="stable").reset_index(drop=True)


def report(answer: Answer) -> str:
    """How all was chosen, where hybrid limits the disparity and where not, why, and cell by cell."""
    text = [*_choices(answer), *[f"- {line}" for line in answer.left_out]]
    if answer.failed:
        text += ["", f"{len(answer.failed)} runs have no usable power flow and are in no figure:"]
        text += [f"- {line}" for line in answer.failed]
    if set(COMPARED) <= set(answer.settings.rules):  # else the files tell
        lines = lines_of(answer.table, answer.compared)
        text += ["", *_verdicts(lines), "", *_why(answer, lines), "", *_cells(lines, answer.gains)]
    return "\n".join(text)


def write_answer(answer: Answer, folder: Path) -> None:
    """Write table.csv, differences.csv, runs.csv, loop_gains.csv, answer.md and the figures."""
    tables = {"table": answer.table, "runs": answer.runs, "loop_gains": answer.gains}
    if not answer.compared.empty:
        tables["differences"] = answer.compared
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False, float_format="%.8g")
    (folder / "answer.md").write_text(f"# Across feeders\n\n{report(answer)}\n", encoding="utf-8")
    for size in answer.settings.sizes:
        save_figure(kept_figure(answer, size), folder / f"gain-kept-{size}.png")
    save_figure(hunting_figure(answer), folder / "hunting.png")
    if not answer.compared.empty:
        save_figure(difference_figure(answer), folder / "differences.png")


def _choices(answer: Answer) -> list[str]:
    s = answer.settings
    weeks = ", ".join(f"{season} from {WEEKS[season]:%Y-%m-%d}" for season in s.seasons)
    lines = [
        "How it was chosen:",
        f"- days: the first {s.days} of each week of the extract, none picked: {weeks};",
        f"- homes: {s.homes} prosumers, placed over the connection buses at random, one of the extract's six load "
        "profiles each; battery, PV and inverter as the published house's; seeds "
        f"{', '.join(map(str, s.seeds))};",
        "- control: all optimise; who obeys the rule is drawn, the few among the many; the others obey none;",
        f"- limits {s.vm_min_pu:g} and {s.vm_max_pu:g} p.u., dead band +-{s.dead_pu:g}; synthetic real-time price, "
        f"kappa = {s.kappa:g};",
        f"- at-limit: without rule the lowest voltage of the winter week is {s.vm_min_pu:g}, the highest of the summer "
        f"week {s.vm_max_pu:g} p.u., means over the seeds, of whole weeks: how many homes a prosumer stands for, then "
        "their PV, are computed from that. As-is: one home each, of 2.5 kWp, beside the net's own loads and "
        "generators, constant as its file has them.",
        f"- intervals: 95 %, Student's t over {len(s.seeds)} seeds; differences are taken seed by seed.",
        "",
        "Without rule; voltages are the lowest and highest at any home, means over the seeds:",
        "",
        "| feeder | size | homes each | PV per home (kWp) | voltages (p.u.) | minutes below, above the dead band (%) |",
        "|---|---|---:|---:|---|---|",
    ]
    return lines + [_sized(answer, *key, size) for key, size in answer.sizes.items()]


def _sized(answer: Answer, feeder: str, name: str, size: Size) -> str:
    table = answer.table
    free = table[(table["feeder"] == feeder) & (table["size"] == name) & (table["rule"] == NO_RULE)]
    weeks = free.drop_duplicates("season").to_dict("records")
    spans = [f"{row['season']} {row['vm_min_pu']:.3f} .. {row['vm_max_pu']:.3f}" for row in weeks]
    outside = [f"{row['season']} {row['below_dead_percent']:.1f}, {row['above_dead_percent']:.1f}" for row in weeks]
    place = f"| {feeder} | {name} | {size.homes_each:.4g} | {size.pv_kwp:.4g} "
    return f"{place}| {'; '.join(spans)} | {'; '.join(outside)} |"


def _verdicts(lines: pd.DataFrame) -> list[str]:
    """How many cells fall to which side."""
    text = [
        "Does hybrid limit the spread of the gain kept, near third less far third, of those who obey? Of the cells "
        f"(feeder, season, share); below {NOTHING_POINTS:g} point of PRC's there is nothing to limit:"
    ]
    for (size, mode), rows in lines.groupby(["size", "mode"], sort=False):
        counts, anrc = (_counted(rows[name]) for name in ("verdict", "verdict_anrc"))
        text.append(f"- {size}, {mode}, {len(rows)} cells: {counts}; beside ANRC's spread: {anrc}")
    return [*text, "", *_by_share(lines)]


def _counted(words: pd.Series[str]) -> str:
    return ", ".join(f"{word} {n}" for word, n in words.value_counts().items())


def _by_share(lines: pd.DataFrame) -> list[str]:
    """The medians over feeders, by season and share."""
    first = (
        "gain kept (%)",
        "near less far (points)",
        "worst-off decile keeps (%)",
        "CVC (% of no rule)",
        "turning (%)",
    )
    names = ("ends", "gini", "jain", "tce_near", "tce_far", "cvc_others")
    then = (
        *("nearest less farthest tenth (points)", "Gini", "Jain", "TCE near (kWh/kWp)", "TCE far (kWh/kWp)"),
        "CVC of those who obey none (% of no rule)",
    )
    return [
        f"By the share that obeys, medians over the feeders, PRC / ANRC / hybrid; {_HUNTS}:",
        "",
        *_medians(lines, dict(zip(("kept", "spread", "worst", "cvc", "turning"), first, strict=True)), 1),
        "",
        *_medians(lines, dict(zip(names, then, strict=True)), 2),
        "",
        "Homes that obey none keep all of their gain in every cell, as no bill knows the voltage: what those who obey "
        "lose, they lose against their neighbours.",
    ]


def _medians(lines: pd.DataFrame, columns: Mapping[str, str], digits: int) -> list[str]:
    text = [
        f"| size | mode | season | share | {' | '.join(columns.values())} |",
        "|---|---|---|" + "---:|" * (1 + len(columns)),
    ]
    names = ["size", "mode", "season", "share"]
    for size, mode, season, share in dict.fromkeys(zip(*(lines[name] for name in names), strict=True)):
        rows = lines[(lines[names] == (size, mode, season, share)).all(axis=1)]
        middle = rows.median(numeric_only=True).to_dict()
        parts = [_three(middle, name, digits) for name in columns]
        text.append(f"| {size} | {mode} | {season} | {100 * share:g} % | {' | '.join(parts)} |")
    return text


def _why(answer: Answer, lines: pd.DataFrame) -> list[str]:
    """Loop gains beside what the voltage does."""
    closed = answer.table[(answer.table["mode"] == "closed-loop") & (answer.table["size"] == "at-limit")]
    if closed.empty:
        return []
    gains, season = answer.gains[answer.gains["size"] == "at-limit"], answer.settings.seasons[0]
    together = closed[closed["rule"] != NO_RULE].merge(gains, on=["feeder", "size", "share", "rule"])
    calm, steep = together[together["loop_gain"] <= 1], together[together["loop_gain"] > 1]
    unsettled = answer.table.loc[answer.table["mode"] == "settled", "not_settled_percent"]
    text = [
        "Why: loop gain (how far a voltage, moved by 1, is moved back a minute later if all who obey act at once; "
        "above 1 they overshoot), at-limit, closed loop:",
        f"- {len(calm)} cells of a rule at most 1: turning {_span(calm, 'reversals_percent')} % of the minutes, "
        f"voltages {_voltages(calm)};",
        f"- {len(steep)} above 1: turning {_span(steep, 'reversals_percent')} %, voltages {_voltages(steep)}",
        *([f"Settled: {unsettled.max():.2g} % of the minutes at most did not settle."] if len(unsettled) else []),
        "",
        "| feeder | share | loop gain PRC / ANRC / hybrid "
        f"| gain kept under hybrid, {season}: closed loop, settled (%) |",
        "|---|---:|---:|---:|",
    ]
    for (feeder, share), rows in gains.groupby(["feeder", "share"], sort=False):
        gain = rows.set_index("rule")["loop_gain"]
        kept = lines[(lines["feeder"] == feeder) & (lines["share"] == share) & (lines["size"] == "at-limit")]
        kept = kept[kept["season"] == season]
        by_mode = dict(zip(kept["mode"], kept["kept_hybrid"], strict=True))
        shown = ", ".join(f"{by_mode[mode]:.0f}" for mode in ("closed-loop", "settled") if mode in by_mode)
        gained = " / ".join(f"{gain[rule]:.2g}" for rule in COMPARED)
        text.append(f"| {feeder} | {100 * float(str(share)):g} % | {gained} | {shown} |")
    return text


def _cells(lines: pd.DataFrame, gains: pd.DataFrame) -> list[str]:
    text = [
        f"Cell by cell, PRC / ANRC / hybrid; {_HUNTS}. Why: minutes that homes spend outside the dead band without "
        "rule (below, above), and hybrid's loop gain where it is not settled:",
        "",
        "| feeder | size | season | share | mode | gain kept (%) | near less far (points) | hybrid less PRC [95 %] "
        "| hybrid less ANRC [95 %] | turning (%) | outside (%) | loop gain | hybrid |",
        "|---|---|---|---:|---|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    gain = gains[gains["rule"] == "hybrid"].set_index(["feeder", "size", "share"])["loop_gain"]
    for row in lines.to_dict("records"):
        steep = "-" if row["mode"] == "settled" else f"{gain[row['feeder'], row['size'], row['share']]:.2g}"
        place = f"| {row['feeder']} | {row['size']} | {row['season']} | {100 * row['share']:g} % | {row['mode']} "
        values = " | ".join(_three(row, name) for name in ("kept", "spread"))
        less = " | ".join(_less(row, other) for other in ("prc", "anrc"))
        said = f"{row['verdict']}; {row['verdict_anrc']}"
        outside = f"{_number(row['below_none'])}, {_number(row['above_none'])}"
        text.append(f"{place}| {values} | {less} | {_three(row, 'turning')} | {outside} | {steep} | {said} |")
    return text


def _three(row: Mapping[Any, Any], name: str, digits: int = 1) -> str:
    """Of the three rules, each with its mark where it hunts."""
    return " / ".join(_number(row[f"{name}_{rule}"], digits) + _mark(row, rule) for rule in COMPARED)


def _mark(row: Mapping[Any, Any], rule: str) -> str:
    return "~" if row[f"turning_{rule}"] >= HUNTS_PERCENT else ""


def _less(row: Mapping[Any, Any], other: str) -> str:
    mean, low, high = (row[f"less_{other}{end}"] for end in ("", "_low", "_high"))
    return f"{_number(mean)} [{_number(low)} .. {_number(high)}]"


def _number(value: float, digits: int = 1) -> str:
    """Without decimals where they would not matter; no minus zero."""
    if pd.isna(value):
        return "-"
    return f"{value:.0f}" if abs(value) >= 99.95 else f"{round(value, digits) + 0.0:.{digits}f}"


def _span(rows: pd.DataFrame, name: str) -> str:
    return "-" if rows.empty else f"{rows[name].min():.2g} to {rows[name].max():.2g}"


def _voltages(rows: pd.DataFrame) -> str:
    return "-" if rows.empty else f"{rows['vm_min_pu'].min():.3f} to {rows['vm_max_pu'].max():.3f} p.u."
