"""Tables, text and files of the study of inverter sizes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cosim.plots import save_figure
from experiments.sizing_figures import limits_figure, sizes_figure
from experiments.verdicts import Claim, claims_table
from experiments.written import write_tables

if TYPE_CHECKING:
    from experiments.inverter_sizing import Answer

__all__ = ["PUBLISHED_KEPT", "claims", "report", "required_kva", "shown", "summary", "write_answer"]

PUBLISHED_KEPT = {"anrc": 82.4, "prc": 25.0}
"""Profit kept with an oversized inverter [% of that of energy optimisation alone], Hashmi et al., section V-B."""

_PUBLISHED_KVA = {"prc": 1.25, "anrc": 2.0}
_CASE = ["rule", "inverters", "limit_scale", "size_kva"]
_NAMES = {"none": "no rule", "prc": "PRC", "anrc": "ANRC", "hybrid": "hybrid"}
_READS = {
    ("open-loop", "full-pv"): "The rule reads the voltage with all PV in full and the battery at rest.",
    (
        "open-loop",
        "uncontrolled",
    ): "The rule reads the voltage with the battery at rest, PV as far as inverters pass it.",
    ("open-loop", "optimised"): "The rule reads the voltage with all plans followed and no rule obeyed.",
}
_PROFIT = "profit_kept_percent"
_QUARTER = 0.25  # of a published size, within which it counts as met
_POINTS = 5.0  # within which a published percentage counts as met
_ENOUGH = 0.99  # of the largest profit, at which a size is enough


def summary(days: pd.DataFrame) -> pd.DataFrame:
    """One row per case, of all days together.

    `profit_kept_percent` is what is left of the cost that energy optimisation avoids beside PV without optimisation,
    as the source's footnote defines profit; `installation_kept_percent` of what it avoids beside the load alone, its
    "nominal load profile". `p10`, `p90`: profit kept of single days. `pv_used_percent` of the PV available.
    """
    groups = days.groupby(_CASE, sort=False)
    total = groups[["cost", "curtailed_kwh", "nominal", "idle", "free", "available_kwh"]].sum()
    kept = days.assign(kept=100 * (days["idle"] - days["cost"]) / (days["idle"] - days["free"]))
    single = kept[days["idle"] - days["free"] > _NOTHING].groupby(_CASE, sort=False)["kept"]
    found = pd.DataFrame(
        {
            "profit_kept_percent": 100 * (total["idle"] - total["cost"]) / (total["idle"] - total["free"]),
            "p10": single.quantile(0.1),
            "p90": single.quantile(0.9),
            "installation_kept_percent": 100 * (total["nominal"] - total["cost"]) / (total["nominal"] - total["free"]),
            "cost_percent": 100 * total["cost"] / total["nominal"],
            "pv_used_percent": 100 * (1 - total["curtailed_kwh"] / total["available_kwh"]),
        }
    )
    return found.reset_index()


_NOTHING = 1e-6  # currency


def shown(answer: Answer) -> pd.DataFrame:
    """The summary at the given limits."""
    table = summary(answer.days)
    return table[table["limit_scale"] == 1.0].drop(columns="limit_scale")


def required_kva(table: pd.DataFrame, rule: str, inverters: str, column: str = _PROFIT) -> float:
    """The size from which on `column` never falls below 99 % of its largest; NaN where it does at the largest size."""
    chosen = table[(table["rule"] == rule) & (table["inverters"] == inverters)].set_index("size_kva")[column]
    below = chosen.index[chosen < _ENOUGH * chosen.max()]
    enough = chosen.index[chosen.index > below.max()] if len(below) else chosen.index
    return float(enough.min())


def claims(answer: Answer) -> list[Claim]:
    """The published claims beside what comes out here."""
    table = summary(answer.days)
    usual, ample = table[table["limit_scale"] == 1.0], answer.settings.sizes[-1]
    rules = [rule for rule in PUBLISHED_KEPT if rule in answer.settings.rules]
    found = [_level(usual, rule, ample) for rule in rules]
    found += [_size(usual, rule) for rule in _PUBLISHED_KVA if rule in rules]
    if len(rules) == len(PUBLISHED_KEPT):
        found += [_order(usual, ample), *_with_limits(table, ample)]
    return [*found, *_sharing(answer, usual)]


def report(answer: Answer) -> str:
    """How house, days and voltages were chosen, then the published claims beside ours."""
    s, v = answer.settings, answer.base.voltage
    return "\n".join(
        [
            f"House: {s.pv_kwp:g} kWp, {s.battery_kwh:g} kWh {s.battery_c:g}C-{s.battery_c:g}C, empty at midnight, in "
            f"the place of {s.place} on {answer.base.feeder.name or answer.base.feeder.file};",
            f"{answer.base.mode}, control there alone, {answer.days['day'].nunique()} days of the extract, "
            f"{answer.base.tariff.describe()}, kappa = {answer.base.tariff.kappa:g};",
            f"limits {v.vm_min_pu:g} and {v.vm_max_pu:g} p.u., dead band +-{v.dead_pu:g}, chosen for another "
            "experiment of the source (section V-C): the voltages of this one are not published.",
            "The plan knows the battery's ramps, not the inverter. "
            + _READS.get((answer.base.mode, answer.base.open_loop_reference), "The rule reads the voltage measured."),
            "Two inverters have together the size given; sun that PV's own cannot pass is spilled, as it does not "
            "reach the battery.",
            *([f"Changed: {dict(s.scenario)}"] if s.scenario else []),
            f"A published size counts as met within a quarter of it, a percentage within {_POINTS:g} points.",
            "",
            *claims_table(claims(answer)),
        ]
    )


def write_answer(answer: Answer, folder: Path) -> None:
    """Write table.csv, days.csv, report.md and the figures."""
    table = summary(answer.days)
    write_tables(folder, {"table": table, "days": answer.days}, "Inverter sizes", report(answer))
    save_figure(sizes_figure(table[table["limit_scale"] == 1.0], PUBLISHED_KEPT), folder / "sizes.png")
    ample = table[(table["size_kva"] == answer.settings.sizes[-1]) & (table["inverters"] == "shared")]
    save_figure(limits_figure(ample, PUBLISHED_KEPT), folder / "limits.png")


def _at(table: pd.DataFrame, rule: str, size_kva: float, inverters: str = "shared") -> pd.Series[float]:
    chosen = (table["rule"] == rule) & (table["size_kva"] == size_kva) & (table["inverters"] == inverters)
    found: pd.Series[float] = table[chosen].iloc[0]
    return found


def _level(table: pd.DataFrame, rule: str, size_kva: float) -> Claim:
    row = _at(table, rule, size_kva)
    kept, whole = row[_PROFIT], row["installation_kept_percent"]
    ours = f"{kept:.1f} % (days {row['p10']:.0f} to {row['p90']:.0f} %); of the whole installation's {whole:.1f} %"
    near = min(abs(kept - PUBLISHED_KEPT[rule]), abs(whole - PUBLISHED_KEPT[rule])) <= _POINTS
    return Claim(f"profit kept under {_NAMES[rule]}, {size_kva:g} kVA", f"{PUBLISHED_KEPT[rule]:g} %", ours, bool(near))


def _size(table: pd.DataFrame, rule: str) -> Claim:
    """From where on profit and PV used stay at their largest; the profit's largest where it falls again."""
    chosen = table[(table["rule"] == rule) & (table["inverters"] == "shared")].set_index("size_kva")[_PROFIT]
    best, stays = float(chosen.idxmax()), required_kva(table, rule, "shared")
    used = required_kva(table, rule, "shared", "pv_used_percent")
    ours = f"profit within 1 % of its most from {stays:g} kVA on"
    if np.isnan(stays):
        ours = f"profit most at {best:g} kVA ({chosen.max():.1f} %), less again above it"
    ours += f"; PV used within 1 % of its most from {used:g} kVA on"
    met = [abs(size - _PUBLISHED_KVA[rule]) <= _QUARTER * _PUBLISHED_KVA[rule] for size in (stays, best, used)]
    holds = [met[1] if np.isnan(stays) else met[0], met[2]]
    verdict = holds[0] if holds[0] == holds[1] else None
    return Claim(f"inverter required under {_NAMES[rule]}", f"{_PUBLISHED_KVA[rule]:g} kVA", ours, verdict)


def _order(table: pd.DataFrame, size_kva: float) -> Claim:
    """Beyond sizes: that PRC leaves less than ANRC."""
    kept = [_at(table, rule, size_kva)[_PROFIT] for rule in ("prc", "anrc")]
    ours = f"{kept[0]:.1f} % beside {kept[1]:.1f} %"
    return Claim(f"PRC keeps less than ANRC, {size_kva:g} kVA", "25 beside 82.4 %", ours, bool(kept[0] < kept[1]))


def _with_limits(table: pd.DataFrame, size_kva: float) -> list[Claim]:
    """With the limits under which ANRC keeps most nearly what was published: what PRC keeps."""
    ample = table[(table["size_kva"] == size_kva) & (table["inverters"] == "shared")].set_index(["rule", "limit_scale"])
    found = []
    for name, what in ((_PROFIT, "profit"), ("installation_kept_percent", "of the whole installation's")):
        kept = ample[name]
        scale = float((kept["anrc"] - PUBLISHED_KEPT["anrc"]).abs().idxmin())
        pair = kept["anrc", scale], kept["prc", scale]
        ours = f"{pair[0]:.0f} and {pair[1]:.0f} % with limits at {scale:g} of their distance"
        near = [abs(value - PUBLISHED_KEPT[rule]) <= _POINTS for value, rule in zip(pair, PUBLISHED_KEPT, strict=True)]
        holds = True if all(near) else None if any(near) else False
        found.append(Claim(f"both at once, ANRC and PRC, limits drawn tighter ({what})", "82.4 and 25 %", ours, holds))
    return found


def _sharing(answer: Answer, table: pd.DataFrame) -> list[Claim]:
    """The least size that keeps 99 % of the most, of one inverter and of two."""
    found = []
    for rule in answer.settings.rules:
        if rule == "prc":  # keeps less with a larger one: no size is required
            continue
        needs = {name: required_kva(table, rule, name) for name in answer.settings.inverters}
        ours = ", ".join(f"{name} {kva:g} kVA" for name, kva in needs.items())
        holds = all(needs["shared"] < kva for name, kva in needs.items() if name != "shared")
        found.append(Claim(f"a shared inverter can be smaller than two ({_NAMES[rule]})", "yes", ours, holds))
    return found if len(answer.settings.inverters) > 1 else []
