"""What was published about hosting capacity beside what comes out here, and the sensitivity that explains the rest."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from experiments.hosting_cases import CASES, MONTE_CARLO, TWO_STAGE, published
from experiments.hosting_region import volume_ratio
from experiments.hosting_verdict import said
from experiments.verdicts import Claim

if TYPE_CHECKING:
    from experiments.hosting_answer import Answer

__all__ = ["claims", "explained", "unexplained"]

_NEAR = 5.0  # percentage points around a published size that count as the same
_VOLUME = 22.0
_SPEARMAN = 0.05  # what is no correlation


def claims(answer: Answer) -> list[Claim]:
    """Sizes and patterns, in the order of the source."""
    return [*_sizes(answer), *_currents(answer), *_distribution(answer), *_volume(answer), *_colocated(answer)]


def _sizes(answer: Answer) -> Iterator[Claim]:
    """One for each case and mode: by the first method where there are several, which agree."""
    for row in answer.table.drop_duplicates(["case", "mode"]).to_dict("records"):
        known, ours = float(row["published_percent"]), float(row["capacity_percent"])
        if isnan(known):
            continue
        what = f"{row['case']}, {row['mode']}"
        yield Claim(what, f"{known:g} %", said(ours), abs(ours - known) <= _NEAR)


def _currents(answer: Answer) -> Iterator[Claim]:
    """Metrics of static and dynamic at the levels that both reach."""
    static, dynamic = answer.first("pv", "static", "stepping"), answer.first("pv", "dynamic", "stepping")
    if static is None or dynamic is None:
        return
    a, b = (
        found.capacity.steps.assign(at=lambda s: s["level"].round(9)).set_index("at") for found in (static, dynamic)
    )
    both = a.index[a["feasible"].to_numpy(dtype=bool)].intersection(b.index[b["feasible"].to_numpy(dtype=bool)])
    for column, words in (("vm_max_pu", "highest voltage"), ("loading_mean", "mean"), ("loading_median", "median")):
        lower = b.loc[both, column].to_numpy(dtype=float) < a.loc[both, column].to_numpy(dtype=float)
        what = (
            f"{words} lower with coordination" if column == "vm_max_pu" else f"{words} loading lower with coordination"
        )
        share = float(lower.mean()) if len(both) else float("nan")
        holds = None if 0.25 < share < 0.9 else bool(share >= 0.9)
        yield Claim(what, "at nearly all levels", f"at {int(lower.sum())} of {len(both)} levels", holds)


def _distribution(answer: Answer) -> Iterator[Claim]:
    for row in answer.spread().to_dict("records"):
        known = float(row["published_sd"])
        holds = abs(float(row["sd"]) - known) <= known / 2
        yield Claim(f"{MONTE_CARLO}, {row['mode']}, standard deviation", f"{known:g}", f"{row['sd']:.2f}", holds)


def _volume(answer: Answer) -> Iterator[Claim]:
    if {"static", "dynamic"} <= set(answer.region["mode"]):
        ratio = volume_ratio(answer.region)
        holds = bool(_VOLUME / 2 <= ratio <= 2 * _VOLUME)
        yield Claim("feasible volume, dynamic over static", f"about {_VOLUME:g}", f"{ratio:.1f}", holds)
        dynamic = answer.region[answer.region["mode"] == "dynamic"]
        most = float(dynamic["pv_percent"].max())
        yield Claim("most PV in the sweep, dynamic", "about 200 %", said(most), abs(most - 200) <= 25)


def _colocated(answer: Answer) -> Iterator[Claim]:
    for bounded, rows in answer.correlations.groupby("bounded", sort=True):
        values = rows["spearman"].astype(float)
        n_positive = int((values > _SPEARMAN).sum())
        words = "with" if bounded else "without"
        ours = f"{n_positive} of {len(values)} pairs ({values.min():.2f} to {values.max():.2f})"
        holds = True if n_positive == len(values) else None if n_positive > len(values) / 2 else False
        yield Claim(f"capacities at a node go together, {words} bounds per node", "all pairs positive", ours, holds)


def explained(answer: Answer) -> Iterator[str]:
    """For each deterministic size that does not come out: what moves it most, and what comes nearest to it."""
    table = answer.sensitivity
    for found in answer.found:
        known, ours = published(found.case, found.mode), 100 * found.capacity.level
        if found.capacity.method != "stepping" or abs(ours - known) <= _NEAR:
            continue
        head = f"{found.case} {found.mode}, {said(ours)} here, {known:g} % published"
        rows = table[(table["case"] == found.case) & (table["mode"] == found.mode)]
        yield f"{head}: {_mover(rows, known)}" if len(rows) else f"{head}: no sensitivity was computed"


def _mover(rows: pd.DataFrame, known: float) -> str:
    values = rows["capacity_percent"].astype(float)
    if values.isna().all():
        return "the base case is infeasible whatever is changed"
    by = values.groupby(rows["parameter"], sort=False)
    most = str((by.max() - by.min()).idxmax())
    span = rows[rows["parameter"] == most].assign(size=values)
    each = ", ".join(f"{row['value']}: {said(float(row['size']))}" for row in span.to_dict("records"))
    near = rows.loc[(values - known).abs().idxmin()]
    nearest = f"{near['parameter']} {near['value']} comes nearest ({said(float(near['capacity_percent']))})"
    return f"{most} moves it most ({each}); {nearest}"


def unexplained(answer: Answer) -> list[str]:
    """What else differs from the source and cannot be told apart by a sensitivity of the deterministic cases."""
    lines = []
    for case in (TWO_STAGE, MONTE_CARLO):
        rows = answer.table[answer.table["case"] == case]
        off = [float(row) for row in np.abs(rows["capacity_percent"] - rows["published_percent"]) if row > _NEAR]
        if off:
            fixed = CASES[case].fixed
            lines.append(
                f"{case} (beside {100 * fixed.battery:g} % batteries, {100 * fixed.hp:g} % heat pumps, "
                f"{100 * fixed.ev:g} % cars): off by up to {max(off):.0f} points; it rests on the same data as pv."
            )
    return lines
