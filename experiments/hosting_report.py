"""What the study of hosting capacity says: what must hold, what was published, and the tables behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.figure import Figure

from cosim.plots import save_figure
from experiments.hosting_cases import CASES, WORDS
from experiments.hosting_claims import claims, explained, unexplained
from experiments.hosting_figures import (
    correlation_figure,
    distribution_figure,
    local_figure,
    metrics_figure,
    region_figure,
    sensitivity_figure,
)
from experiments.hosting_maps import maps_figure
from experiments.hosting_region import feasible_volume, grid_of, volume_ratio
from experiments.hosting_verdict import orders, said, timed
from experiments.verdicts import claims_table, verdict_lines
from experiments.written import write_tables

if TYPE_CHECKING:
    from experiments.hosting_answer import Answer

__all__ = ["report", "write_answer"]


def report(answer: Answer) -> str:
    """How it was made, the verdict, published beside ours, and the tables behind it."""
    parts = [list(answer.made), _verdict(answer), _published(answer), _capacities(answer), _spread(answer)]
    parts += [_region(answer), _correlations(answer), _local(answer), _sensitivity(answer), _log(answer)]
    parts += [["## Notes", "", *(f"- {note}" for note in answer.notes)]] if answer.notes else []
    return "\n\n".join("\n".join(part) for part in parts if part)


def write_answer(answer: Answer, folder: Path) -> None:
    """Write the tables, report.md, log.csv and the figures."""
    tables = {
        "table": answer.table,
        "steps": _steps(answer),
        "sitings": answer.sitings,
        "draws": answer.draws,
        "spread": answer.spread(),
        "region": answer.region,
        "sensitivity": answer.sensitivity,
        "local_rules": answer.local,
        "correlations": answer.correlations,
        "sited": _sited(answer),
        "log": pd.DataFrame([asdict(timing) for timing in answer.log]),
    }
    write_tables(folder, tables, "Hosting capacity", report(answer))
    for name, figure in _figures(answer):
        save_figure(figure, folder / f"{name}.png")


def _figures(answer: Answer) -> Iterator[tuple[str, Figure]]:
    stepped = [found for found in answer.found if found.capacity.method == "stepping"]
    if stepped:
        yield "metrics", metrics_figure(stepped, (float(answer.feeder.vm_min_pu[0]), float(answer.feeder.vm_max_pu[0])))
    sited = {
        f"{found.case}, {found.mode}: {said(100 * found.capacity.level)}": (found.capacity.fleet, CASES[found.case].der)
        for found in stepped
        if found.capacity.fleet is not None and found.mode != "static-rated"
    }
    if sited:
        yield "sited", maps_figure(answer.feeder, {t: (f, d) for t, (f, d) in sited.items() if f is not None})
    for plan in answer.planned:
        if plan.fleet is not None and plan.mode == "dynamic":
            words = "with bounds per node" if plan.bounded else "no bounds per node"
            panels = {f"{WORDS[der]}, {words}": (plan.fleet, der) for der in WORDS}
            yield f"planned-{'bounded' if plan.bounded else 'free'}", maps_figure(answer.feeder, panels)
    if len(answer.draws):
        yield "distributions", distribution_figure(answer.draws, answer.spread())
    if len(answer.region):
        yield "region", region_figure(answer.region)
    if len(answer.sensitivity):
        yield "sensitivity", sensitivity_figure(answer.sensitivity)
    if len(answer.correlations):
        yield "correlations", correlation_figure(answer.correlations)
    static, dynamic = answer.first("pv", "static"), answer.first("pv", "dynamic")
    if len(answer.local) and static is not None and dynamic is not None:
        yield "local-rules", local_figure(answer.local, 100 * static.capacity.level, 100 * dynamic.capacity.level)


def _verdict(answer: Answer) -> list[str]:
    found = [*orders(answer), *timed(answer)]
    n_failed = sum(not verdict.holds for verdict in found)
    head = "all hold" if not n_failed else f"{n_failed} of {len(found)} do not hold"
    return [f"## What must hold: {head}", "", *verdict_lines(found)]


def _published(answer: Answer) -> list[str]:
    found = claims(answer)
    lines = ["## Published beside ours", "", *claims_table(found), ""]
    missed = [claim.what for claim in found if claim.holds is not True]
    lines += [f"Not reproduced, or in part ({len(missed)} of {len(found)}): {'; '.join(missed) or 'none'}.", ""]
    why = [*explained(answer), *unexplained(answer)]
    return lines + (["What explains it:", "", *(f"- {line}" for line in why)] if why else [])


def _capacities(answer: Answer) -> list[str]:
    lines = [
        "## Capacities",
        "",
        *_head("case", "mode", "method", "what limits", "ours (%)", "published (%)", "s", left=4),
    ]
    for row in answer.table.to_dict("records"):
        known = "-" if row["published_percent"] != row["published_percent"] else f"{row['published_percent']:g}"
        ours = said(row["capacity_percent"]).removesuffix(" %")
        words = [str(row[name]) for name in ("case", "mode", "method", "limit")]
        lines.append("| " + " | ".join([*words, ours, known, f"{row['seconds']:.1f}"]) + " |")
    if len(answer.sitings):
        lines += ["", "Other sitings, in one shot (mean, least and most, %):", ""]
        for (case, mode), rows in answer.sitings.groupby(["case", "mode"], sort=False):
            sizes = rows["capacity_percent"].astype(float)
            lines.append(
                f"- {case} {mode}: {sizes.mean():.1f} ({sizes.min():.1f} to {sizes.max():.1f}), {len(sizes)} seeds"
            )
    return lines


def _spread(answer: Answer) -> list[str]:
    table = answer.spread()
    if table.empty:
        return []
    lines = [f"## {table['scenarios'].iloc[0]} scenarios", ""]
    names = ["mode", "scenarios", "base infeasible", "mean", "sd", "median", "worst", "best"]
    lines += _head(*names, "published mean", "published sd")
    for row in table.itertuples(index=False):
        lines.append("| " + " | ".join(f"{v:.2f}" if isinstance(v, float) else str(v) for v in row) + " |")
    return lines


def _region(answer: Answer) -> list[str]:
    modes = [mode for mode in ("static", "dynamic") if (answer.region["mode"] == mode).any()]
    lines = ["## Most PV (%) over batteries (columns) and heat pumps (rows)", ""] if modes else []
    for mode in modes:
        grid = grid_of(answer.region, mode)
        lines += [f"{mode}, feasible volume {feasible_volume(answer.region, mode):.4f}:", ""]
        lines += _head("heat pumps (%)", *(f"{column:g} %" for column in grid.columns))
        for level, row in grid.iterrows():
            lines.append(f"| {level} | " + " | ".join("-" if v != v else f"{v:.1f}" for v in row) + " |")
        lines.append("")
    return (
        [*lines, f"Dynamic over static: {volume_ratio(answer.region):.1f} (published: about 22)."]
        if len(modes) == 2
        else lines
    )


def _correlations(answer: Answer) -> list[str]:
    if answer.correlations.empty:
        return []
    lines = ["## Rank correlation of capacities at the same node", ""]
    lines += _head("pair", *("bounded" if b else "not bounded" for b in sorted(set(answer.correlations["bounded"]))))
    table = answer.correlations.assign(pair=answer.correlations["first"] + " - " + answer.correlations["second"])
    for pair, row in table.pivot(index="pair", columns="bounded", values="spearman").sort_index(axis=1).iterrows():
        lines.append(f"| {pair} | " + " | ".join("-" if v != v else f"{v:.2f}" for v in row) + " |")
    return lines


def _local(answer: Answer) -> list[str]:
    if answer.local.empty:
        return []
    lines = ["## PV capacity under local rules, in the closed minute loop", ""]
    names = ["tolerated (%)", "capacity (%)", "curtailed (%)", "gain kept (%)", "worst tenth (%)", "Gini", "head - end"]
    lines += _head("rule", "what limits", *names, left=2)
    for row in answer.local.to_dict("records"):
        size = said(row["capacity_percent"]).removesuffix(" %")
        numbers = [
            f"{row['tolerated_percent']:g}",
            size,
            f"{row['curtailed_percent']:.2f}",
            f"{row['kept_percent']:.1f}",
        ]
        numbers += [f"{row['worst_tenth_percent']:.1f}", f"{row['gini_kept']:.3f}", f"{row['spread_points']:.1f}"]
        lines.append(f"| {row['rule']} | {row['limit']} | {' | '.join(numbers)} |")
    static, dynamic = answer.first("pv", "static"), answer.first("pv", "dynamic")
    if static is not None and dynamic is not None:
        sizes = f"{said(100 * static.capacity.level)} static, {said(100 * dynamic.capacity.level)} dynamic"
        lines += ["", f"Beside {sizes}."]
    return lines


def _sensitivity(answer: Answer) -> list[str]:
    if answer.sensitivity.empty:
        return []
    table = answer.sensitivity.assign(column=answer.sensitivity["case"] + " " + answer.sensitivity["mode"])
    columns = list(dict.fromkeys(table["column"]))
    lines = [
        "## One parameter at a time (capacity, %; * the default)",
        "",
        *_head("parameter", "value", *columns, left=2),
    ]
    for (parameter, value, default), rows in table.groupby(["parameter", "value", "default"], sort=False):
        sizes = rows.set_index("column")["capacity_percent"]
        cells = [said(float(sizes[c])).removesuffix(" %") if c in sizes.index else "" for c in columns]
        lines.append(f"| {parameter} | {value}{' *' if default else ''} | " + " | ".join(cells) + " |")
    return lines


def _log(answer: Answer) -> list[str]:
    lines = ["## Log", "", *_head("what", "measured", "limit")]
    for timing in answer.log:
        limit = "-" if timing.limit is None else f"{timing.limit:g}"
        lines.append(f"| {timing.what} | {timing.value:.3g} {timing.unit} | {limit} |")
    return lines


def _steps(answer: Answer) -> pd.DataFrame:
    """All intermediate metrics."""
    parts = [
        found.capacity.steps.assign(case=found.case, mode=found.mode, method=found.capacity.method)
        for found in answer.found
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _sited(answer: Answer) -> pd.DataFrame:
    """Devices at the reported points, a row each."""
    fleets = [(f.case, f.mode, f.capacity.method, f.capacity.fleet) for f in answer.found]
    fleets += [
        ("pv-two-stage", p.mode + (", bounded" if p.bounded else ""), "two-stage", p.fleet) for p in answer.planned
    ]
    parts = [
        pd.DataFrame({"case": case, "mode": mode, "method": method, "name": fleet.names, "bus": fleet.bus}
                     | {f"{der}_kw": getattr(fleet, f"{der}_kw") for der in WORDS})
        for case, mode, method, fleet in fleets
        if fleet is not None and len(fleet)
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _head(*columns: str, left: int = 1) -> list[str]:
    """Head of a table whose first columns are words."""
    return ["| " + " | ".join(columns) + " |", "|" + "---|" * left + "---:|" * (len(columns) - left)]
