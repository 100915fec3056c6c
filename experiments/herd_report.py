"""What the herd study says: what dissolves the herd, at which level, at what bill, and whose."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from cosim.data import TIMEZONE
from cosim.plots import save_figure
from experiments.herd_figures import lived_figure, location_figure, night_figure, sizes_figure, strengths_figure
from experiments.herd_night import NO_BATTERY
from experiments.herd_settings import TARIFF
from experiments.written import write_tables

if TYPE_CHECKING:
    from experiments.herd import Answer

__all__ = ["report", "write_answer"]

_BOUND = "bound"
_DISSOLVED = 10.0  # percent of the herd's addition to the peak


def report(answer: Answer) -> str:
    """How the night was made, the verdict, and the tables behind it."""
    parts = [_made(answer), _verdict(answer)]
    parts += [_rehearsed(answer, lost) for lost in answer.settings.self_discharges]
    parts += [list(answer.main.notes)] if answer.main.notes else []
    parts += [_lived(answer), _borne(answer), _strengths(answer)]
    parts += [_sizes(answer)] if answer.sizes else []
    return "\n\n".join("\n".join(part) for part in parts)


def write_answer(answer: Answer, folder: Path) -> None:
    """Write table.csv, customers.csv, strengths.csv, sizes.csv, report.md and the figures."""
    tables = {"table": answer.main.table, "customers": answer.main.customers, "strengths": answer.strengths.table}
    if answer.sizes:
        tables["sizes"] = answer.size_table
    write_tables(folder, tables, "The herd", report(answer))
    figures = {"night": night_figure, "lived": lived_figure, "location": location_figure}
    for name, figure in figures.items():
        save_figure(figure(answer.main), folder / f"{name}.png")
    save_figure(strengths_figure(answer.main, answer.strengths), folder / "strengths.png")
    if answer.sizes:
        save_figure(sizes_figure(answer.sizes), folder / "sizes.png")


def _made(answer: Answer) -> list[str]:
    s, seen = answer.settings, answer.main.reference
    day = pd.Timestamp(s.start).tz_convert(TIMEZONE)
    return [
        f"{s.homes} homes of the embedded profiles on {s.feeder} in place of its own loads, at buses drawn at random, "
        f"{day:%A %d %B %Y};",
        f"batteries of {s.battery_kwh:g} kWh at 0.5C, PV of {s.pv_kwp:g} kWp at {100 * s.pv_share:g} % of them; 0.15 "
        "per kWh from 22:00 to 06:00, else 0.30, export paid at 0.4 of it.",
        f"Reference by rule: the lowest off-peak voltage without batteries ({seen.bare_pu:.4f} p.u.) less "
        f"{100 * s.drop_share:g} % of how far the herd of lossless",
        f"batteries drops it (to {seen.herd_pu:.4f}): {seen.vm_ref_pu:.4f} p.u., off-peak, at the {len(seen.buses)} "
        "buses where people connect that the herd drops lowest.",
        "Peaks and lowest voltages are those off-peak, the voltage at the homes. Bills are at the tariff, whatever is "
        "planned against. Batteries are half full at first;",
        "what is left at the end of the day has no price, so compare bills with each other, not with those of homes "
        "without batteries.",
    ]


def _verdict(answer: Answer) -> list[str]:
    """What holds the reference, and what leaves next to nothing of the herd's peak; the least bills first."""
    table, most = answer.main.table, answer.main.reference.operator["tolerance_pu_h"]
    tried = table[(table["level"] == "rehearsal") & ~table["signal"].isin([TARIFF, NO_BATTERY, _BOUND])]
    lines = ["What dissolves the herd at rehearsal, the least bills first:"]
    for lost, rows in tried.sort_values("bill").groupby("self_discharge_per_h", sort=False):
        small, held = rows[rows["herd_percent"] <= _DISSOLVED], rows[rows["deficit_pu_h"] <= most]
        herd_kw = answer.main.of(self_discharge_per_h=lost, level="rehearsal", signal=TARIFF)[0].peak_kw
        lines += [
            f"- self-discharge {lost:g} per h, herd of {herd_kw:.0f} kW:",
            f"  - at most {_DISSOLVED:g} % is left of what it adds to the peak: {_named(small)}",
            f"  - the voltage holds the reference: {_named(held)}",
        ]
    return lines


def _named(rows: pd.DataFrame) -> str:
    found = [
        f"{row['signal']} ({row['peak_kw']:.0f} kW, bills {_signed(row['bill_change_percent'], 3)} %)"
        for row in rows.to_dict("records")
    ]
    return ", ".join(found) or "none of those tried"


def _rehearsed(answer: Answer, lost: float) -> list[str]:
    table = answer.main.table
    rows = table[(table["level"] == "rehearsal") & (table["self_discharge_per_h"] == lost)]
    lines = [f"Rehearsed, self-discharge {lost:g} per h:", ""]
    columns = ("signal", "peak (kW)", "herd left (%)", "v_min (p.u.)", "deficit (p.u. h)", "bills (%)", "near (%)")
    lines += _head(*columns, "far (%)", "published of", "seconds")
    for row in rows.to_dict("records"):
        share = "-" if row["signal"] == _BOUND else f"{row['iteration']:.0f} of {row['iterations']:.0f}"
        deficit = "-" if pd.isna(row["deficit_pu_h"]) else f"{row['deficit_pu_h']:.5f}"
        lines.append(
            f"| {row['signal']} | {row['peak_kw']:.1f} | {row['herd_percent']:.0f} | {row['v_min_pu']:.4f} | {deficit} "
            f"| {_changes(row)} | {share} | {row['seconds']:.2f} |"
        )
    return lines


def _lived(answer: Answer) -> list[str]:
    """Both levels side by side."""
    table = answer.main.table.copy()
    table["way"] = [_way(row) for row in table.to_dict("records")]
    ways = [way for way in dict.fromkeys(table["way"]) if way]
    lines = [
        "Rehearsed and lived minute by minute: peak off-peak (kW) / lowest voltage off-peak (p.u.) / bills of all:",
        "",
        *_head("self-discharge", "signal", "rehearsed", *ways, left=2),
    ]
    for (lost, signal), rows in table.groupby(["self_discharge_per_h", "signal"], sort=False):
        cells = [_levels(rows[rows["way"] == way]) for way in ("", *ways)]
        lines.append(f"| {lost:g} | {signal} | " + " | ".join(cells) + " |")
    lived = table[(table["level"] == "lived") & (table["n_reversals"] >= 1)]
    hunting = lived.groupby("way", sort=False)["n_reversals"].max()
    if not hunting.empty:
        worst = ", ".join(f"{way}: up to {value:.0f} times" for way, value in hunting.items())
        lines += [
            "",
            f"Where a rule acts on the last minute's voltage it may hunt; turns at a home in the day: {worst}.",
        ]
    return lines


def _borne(answer: Answer) -> list[str]:
    """Who bears it, by location."""
    third = answer.main.places.groupby("third", sort=False)["distance_ohm"].agg(["size", "min", "max"])
    near, far = third.loc["near"], third.loc["far"]
    lines = [
        f"Who bears it: bills of the nearest third ({near['min']:.3g}-{near['max']:.3g} ohm) and of the farthest "
        f"({far['min']:.3g}-{far['max']:.3g} ohm), and the homes",
        "with the greatest rise and fall, against the tariff alone on the same way (per home in customers.csv):",
        "",
        *_head("self-discharge", "level", "rule", "signal", "bills (%)", "near (%)", "far (%)", "homes (%)", left=4),
    ]
    customers = answer.main.customers
    keys = ["self_discharge_per_h", "level", "rule", "mode", "signal"]
    spread = customers.groupby(keys, sort=False)["change_percent"].agg(["min", "max"])
    for row in answer.main.table.to_dict("records"):
        if row["signal"] in (TARIFF, NO_BATTERY):
            continue
        low, high = spread.loc[tuple(row[key] for key in keys)]
        rule = _way(row) or "-"
        first = f"| {row['self_discharge_per_h']:g} | {row['level']} | {rule} | {row['signal']} "
        lines.append(f"{first}| {_changes(row)} | {_signed(low, 2)} .. {_signed(high, 2)} |")
    return lines


def _strengths(answer: Answer) -> list[str]:
    lines = [
        "How strong a signal must be, rehearsed (demand charge: currency/kW; random-ties: noise on prices); and those",
        "that mix plans, going on though the limits hold, for as many iterations, to the least bills they find:",
        "",
        *_head("self-discharge", "signal", "parameter", "peak (kW)", "v_min (p.u.)", "bills (%)", "seconds", left=2),
    ]
    for row in answer.strengths.table.to_dict("records"):
        parameter = "-" if pd.isna(row["parameter"]) else f"{row['parameter']:g}"
        lines.append(
            f"| {row['self_discharge_per_h']:g} | {row['signal']} | {parameter} | {row['peak_kw']:.1f} "
            f"| {row['v_min_pu']:.4f} | {_signed(row['bill_change_percent'])} "
            f"| {row['seconds']:.2f} |"
        )
    return lines


def _sizes(answer: Answer) -> list[str]:
    lines = [
        f"More homes, rehearsed on {answer.settings.size_feeder} (one feeder for all sizes; the default carries the "
        "herd of a thousand homes;",
        "reference by the same rule for each size; no bound, column-generation in its place):",
        "",
        *_head("homes", "self-discharge", "signal", "peak (kW)", "kW/home", "v_min (p.u.)", "bills (%)", "near (%)"),
    ]
    lines[-2], lines[-1] = lines[-2] + " far (%) | seconds |", lines[-1] + "---:|---:|"
    return lines + [
        f"| {row['homes']} | {row['self_discharge_per_h']:g} | {row['signal']} | {row['peak_kw']:.0f} "
        f"| {row['peak_kw'] / row['homes']:.2f} | {row['v_min_pu']:.4f} | {_changes(row)} | {row['seconds']:.2f} |"
        for row in answer.size_table.to_dict("records")
    ]


def _way(row: Mapping[Any, Any]) -> str:
    """Rule and mode in a word or two; nothing at rehearsal."""
    return "no rule" if row["rule"] == "none" else f"{row['rule']} {row['mode']}".strip()


def _changes(row: Mapping[Any, Any]) -> str:
    """Changes of bills of all, near and far; of homes without batteries none, see `_made`."""
    names = ("bill_change_percent", "near_change_percent", "far_change_percent")
    return " | ".join("-" if row["signal"] == NO_BATTERY else _signed(row[name]) for name in names)


def _signed(value: float, digits: int = 4) -> str:
    """With its sign, and no minus zero."""
    return f"{round(value, digits) + 0.0:+.{digits}f}"


def _levels(rows: pd.DataFrame) -> str:
    if rows.empty:
        return "-"
    row = rows.iloc[0]
    return f"{row['peak_kw']:.1f} / {row['v_min_pu']:.4f} / {row['bill']:.2f}"


def _head(*columns: str, left: int = 1) -> list[str]:
    """Head of a table whose first columns are words."""
    return ["| " + " | ".join(columns) + " |", "|" + "---|" * left + "---:|" * (len(columns) - left)]
