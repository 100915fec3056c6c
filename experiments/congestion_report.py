"""What the study of congestion relief says: what must hold, what was published, and the tables behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cosim.plots import save_figure
from experiments.congestion_day_figures import pick_up_figure, profiles_figure
from experiments.congestion_days import longest_day, pick_up_day
from experiments.congestion_facts import deciding
from experiments.congestion_figures import forecast_figure, in_order, levels_figure, months_figure, sensitivity_figure
from experiments.congestion_flows import flow_table, flows_figure
from experiments.congestion_outcomes import mean_counts
from experiments.congestion_payers import BURDENS, OWNERS, THIRDS, by_owner, by_third, inequality, payers_figure
from experiments.congestion_scenarios import SCENARIOS, STOR
from experiments.congestion_verdict import claims, curb_on_top, measured, orders
from experiments.verdicts import claims_table, verdict_lines
from experiments.written import write_tables

if TYPE_CHECKING:
    from experiments.congestion_answer import Answer

__all__ = ["report", "write_answer"]

_AC = ("AC off DC at peaks (%)", "load violations DC / AC", "feed-in DC / AC")


def report(answer: Answer) -> str:
    """How it was made, the verdict, published beside ours, and the tables behind it."""
    parts = [_made(answer), _verdict(answer), _published(answer), _counts(answer), _days(answer)]
    parts += [_sensitivity(answer)] if len(answer.sensitivity) else []
    parts += [_forecast(answer)] if len(answer.forecast) else []
    parts += [_payers(answer), _flows(answer), _log(answer)]
    parts += [list(answer.notes)] if answer.notes else []
    return "\n\n".join("\n".join(part) for part in parts)


def write_answer(answer: Answer, folder: Path) -> None:
    """Write the tables, report.md, log.csv and the figures."""
    tables = {
        "table": answer.table,
        "sensitivity": answer.sensitivity,
        "forecast": answer.forecast,
        "who_pays": answer.payers,
        "power_flow": flow_table(answer.flows, answer.step_h),
        "region": answer.facts,
        "log": pd.DataFrame([asdict(timing) for timing in answer.log]),
    }
    write_tables(folder, tables, "Congestion relief", report(answer))
    for name, figure in _figures(answer):
        save_figure(figure, folder / f"{name}.png")


def _figures(answer: Answer) -> Iterator[tuple[str, Figure]]:
    worst, seed, per_day = answer.settings.worst, answer.settings.drawn[0], answer.steps_per_day
    shown = in_order(answer.outcomes, worst, seed)
    yield "load-by-month-and-hour", months_figure(shown, answer.times, "load")
    yield "feed-in-by-month-and-hour", months_figure(shown, answer.times, "feedin")
    yield "levels", levels_figure(answer.table)
    found = {name: answer.first(name) for name in SCENARIOS}
    yield "pick-up", pick_up_figure(found, answer.times, pick_up_day(answer.outcomes, worst, seed, per_day))
    yield "profiles", profiles_figure(found, answer.times, longest_day(answer.outcomes, worst, seed, per_day))
    yield "who-pays", payers_figure(answer.payers)
    if answer.flows:
        yield "power-flow", flows_figure(answer.flows, answer.times)
    if len(answer.sensitivity):
        yield "sensitivity", sensitivity_figure(answer.sensitivity)
    if len(answer.forecast):
        yield "forecast", forecast_figure(answer.forecast)


def _made(answer: Answer) -> list[str]:
    s, f = answer.settings, answer.facts.iloc[0]
    return [
        f"{f['homes']:.0f} homes behind {f['stations']:.0f} MV/LV stations ({f['station_names']}), a year of "
        f"{len(answer.times)} quarter-hours, {len(s.drawn)} draws (seeds {', '.join(map(str, s.drawn))}); counts are "
        "means of the draws.",
        f"First draw: {f['pv']:.0f} homes with PV, {f['battery']:.0f} with battery, {f['hp']:.0f} with heat pump, "
        f"{f['tes']:.0f} with hot-water storage, {f['ev']:.0f} with car; {f['load_mwh']:.0f} MWh base load, "
        f"{f['ev_mwh']:.0f} MWh for cars, {f['hp_mwh']:.0f} MWh for heat pumps, {f['pv_mwh']:.0f} MWh from the sun.",
        f"Today's highest load {f['today_peak_kw']:.0f} kW is the threshold at the critical level; over 0.95 and 0.90 "
        "of it at the others. Load is metered on the MV side of the HV/MV station, as the sum of the homes' meters.",
        f"Storage serves {'its own home' if s.scope == 'home' else 'the whole region'}. CurA {s.ev_cap_kw:g} kW from "
        f"the forecast onset to midnight; CurB {100 * s.heat_cap:g} % for {s.relief_h:g} h from it, made up within "
        f"{s.makeup_h:g} h; ProA {s.window_h:g} h up to {s.cap_share:g} of the threshold; ProB holds until the onset. "
        "The forecast is perfect unless said otherwise; residual, or (r), is CurB from the first violation that the "
        "other measures leave; between is a ProB that holds between congested hours too.",
        "Nothing was tuned to come near the published figures.",
    ]


def _verdict(answer: Answer) -> list[str]:
    found = [*orders(answer.table), *measured(answer)]
    n_failed = sum(not verdict.holds for verdict in found)
    head = "all hold" if not n_failed else f"{n_failed} of {len(found)} do not hold"
    lines = [f"## What must hold: {head}", "", *verdict_lines(found), ""]
    lines += ["CurB at the forecast onset on top of ProA+ProB, the mean of the draws:", ""]
    return lines + curb_on_top(answer.outcomes, answer.settings, answer.step_h)


def _published(answer: Answer) -> list[str]:
    decided = deciding(answer)
    found = claims(answer.table)
    lines = [f"## Published beside ours ({answer.settings.worst})", "", *claims_table(found), ""]
    missed = [claim.what for claim in found if claim.holds is not True]
    lines += [f"Not reproduced ({len(missed)} of {len(found)}): {'; '.join(missed) or 'none'}.", ""]
    lines += ["What decides them, measured in the first draw:", ""]
    return lines + [f"- {fact}" for fact in decided]


def _counts(answer: Answer) -> list[str]:
    """Load and feed-in violations, mean and standard deviation of the draws."""
    mean = mean_counts(answer.table).set_index(["level", "scenario"])
    levels = answer.settings.levels
    lines = ["## Quarter-hours a year with load | feed-in violation, mean +- standard deviation of the draws", ""]
    lines += _head("scenario", *levels)
    for scenario in answer.table["scenario"].unique():
        cells = [_spread(mean.loc[(level, scenario)]) for level in levels]
        lines.append(f"| {scenario} | " + " | ".join(cells) + " |")
    return lines


def _spread(row: pd.Series[float]) -> str:
    load = f"{row['load']:.1f} +- {row['load_sd']:.1f}"
    return f"{load} \\| {row['feedin']:.1f} +- {row['feedin_sd']:.1f}"


def _days(answer: Answer) -> list[str]:
    worst, seed, per_day = answer.settings.worst, answer.settings.drawn[0], answer.steps_per_day
    lines = [f"Days shown (first draw, {worst}):", ""]
    for name, day in (
        ("pick-up.png", pick_up_day(answer.outcomes, worst, seed, per_day)),
        ("profiles.png", longest_day(answer.outcomes, worst, seed, per_day)),
    ):
        lines.append(f"- {name}: {answer.times[day.row * per_day]:%d %B}, {day.why}.")
    return lines


def _sensitivity(answer: Answer) -> list[str]:
    """Load violations of each variant; feed-in of storage alone."""
    table = answer.sensitivity
    names = list(table["scenario"].unique())
    lines = [
        f"## One at a time ({answer.settings.worst}; load violations, {table['seed'].nunique()} draws)",
        "",
        *_head("varied", "value", *names, f"feed-in, {STOR}", left=2),
    ]
    for (parameter, value), rows in table.groupby(["parameter", "value"], sort=False):
        mean = rows.groupby("scenario")[["load_violations", "feedin_violations"]].mean()
        mark = " (default)" if rows["default"].iloc[0] else ""
        counts = [f"{mean.at[name, 'load_violations']:.1f}" for name in names]
        counts.append(f"{mean.at[STOR, 'feedin_violations']:.1f}")
        lines.append(f"| {parameter} | {value}{mark} | " + " | ".join(counts) + " |")
    return lines


def _forecast(answer: Answer) -> list[str]:
    """What errors of the forecast cost, in violations against the perfect one."""
    table = answer.forecast
    lines = [
        "## What forecast error costs: load violations, and days missed or called for nothing a year",
        "",
        *_head("level", "forecast", *table["scenario"].unique(), "missed", "for nothing", left=2),
    ]
    for (level, forecast), rows in table.groupby(["level", "forecast"], sort=False):
        mean = rows.groupby("scenario", sort=False)["load_violations"].mean()
        days = rows[["missed_days", "false_days"]].mean()
        cells = [f"{mean[name]:.1f}" for name in table["scenario"].unique()]
        cells += [f"{days['missed_days']:.1f}", f"{days['false_days']:.1f}"]
        lines.append(f"| {level} | {forecast} | " + " | ".join(cells) + " |")
    return lines


def _payers(answer: Answer) -> list[str]:
    """By place and by what homes own; then how unequally."""
    lines = ["## Who pays, waits and is colder: means per home", ""]
    labels = ("energy costs more (EUR a year)", "with fee reduction", "charged later (h)", "colder (K)")
    lines += _head("scenario", *(f"{label}: {'/'.join(THIRDS)}" for label in labels))
    lines += _grouped(by_third(answer.payers), THIRDS)
    words = "/".join(OWNERS.values())
    lines += ["", f"By what homes own: {words}:", "", *_head("scenario", *labels)]
    lines += _grouped(by_owner(answer.payers), tuple(OWNERS))
    lines += ["", "How unequally it lies on the homes (Gini coefficients; share of what is paid more):", ""]
    lines += _head("scenario", *(f"Gini, {label}" for label in labels), "far third bears (%)")
    for scenario, row in inequality(answer.payers).iterrows():
        ginis = [f"{row[f'gini_{name}']:.3f}" for name in BURDENS]
        far = "-" if np.isnan(row["far_share_percent"]) else f"{row['far_share_percent']:.1f}"
        lines.append(f"| {scenario} | " + " | ".join([*ginis, far]) + " |")
    return lines


def _grouped(means: pd.DataFrame, keys: Sequence[str]) -> list[str]:
    lines = []
    for scenario in dict.fromkeys(means.index.get_level_values(0)):
        cells = [" / ".join(_number(float(str(means.at[(scenario, key), name]))) for key in keys) for name in BURDENS]
        lines.append(f"| {scenario} | " + " | ".join(cells) + " |")
    return lines


def _number(value: float) -> str:
    return "-" if np.isnan(value) else f"{round(value, 2) + 0.0:.2f}"


def _flows(answer: Answer) -> list[str]:
    if not answer.flows:
        return ["No power flow was run."]
    lines = [
        f"## The year's AC power flow ({answer.settings.worst}, first draw)",
        "",
        "Violations by AC are of a threshold from today's AC load; peaks are steps of 90 % of the threshold or more.",
        "",
    ]
    lines += _head("scenario", "v min .. max (p.u.)", "beyond 0.05 p.u. (h)", "stations (%)", "lines (%)", *_AC)
    for row in flow_table(answer.flows, answer.step_h).to_dict("records"):
        gap = "-" if np.isnan(row["ac_dc_peaks_percent"]) else f"{row['ac_dc_peaks_percent']:.2f}"
        lines.append(
            f"| {row['scenario']} | {row['vm_min_pu']:.4f} .. {row['vm_max_pu']:.4f} | {row['beyond_band_h']:.2f} "
            f"| {row['station_max_percent']:.1f} | {row['line_max_percent']:.1f} | {gap} "
            f"| {row['load_violations_dc']} / {row['load_violations_ac']} "
            f"| {row['feedin_violations_dc']} / {row['feedin_violations_ac']} |"
        )
    return lines


def _log(answer: Answer) -> list[str]:
    lines = ["## Log", "", *_head("what", "measured", "limit")]
    for timing in answer.log:
        limit = "-" if timing.limit is None else f"{timing.limit:g}"
        lines.append(f"| {timing.what} | {timing.value:.3g} {timing.unit} | {limit} |")
    return lines


def _head(*columns: str, left: int = 1) -> list[str]:
    """Head of a table whose first columns are words."""
    return ["| " + " | ".join(columns) + " |", "|" + "---|" * left + "---:|" * (len(columns) - left)]
