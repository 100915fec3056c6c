"""Tables of a run: indices by prosumer, bills, the operator's rehearsals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cosim.outcome import Run
from cosim.report.html import Child, Column, Html, element, section, table
from cosim.report.numbers import column_of, counted, fixed

__all__ = ["MOST_PROSUMERS", "bill_section", "prosumer_section", "rehearsal_section"]

MOST_PROSUMERS = 60
"""Prosumers that have a row each; of more there are their spread and those worst off."""

_WORST = 10
_MOST_DAYS = 31
_SPREAD = {
    "mean": "mean",
    "min": "least",
    "25%": "lower quartile",
    "50%": "median",
    "75%": "upper quartile",
    "max": "largest",
}
_NO_GAIN, _NO_LCG = "no gain", "undefined"


@dataclass(frozen=True)
class _Index:
    """A column of the table: its numbers, decimals (None: as their size asks for), and what stands for none."""

    title: str
    unit: str
    values: pd.Series[float]
    decimals: int | None = None
    unknown: str = "not known"

    def cells(self, values: Sequence[float]) -> list[str]:
        if self.decimals is None:
            return column_of(values, unknown=self.unknown)
        return [fixed(float(value), self.decimals, self.unknown) for value in values]


def prosumer_section(run: Run) -> Html | None:
    """Indices of each prosumer in the order of the feeder, or of many their spread and the worst; None if it failed."""
    if run.failure is not None:
        return None
    indices = run.indices.sort_values("distance_ohm", kind="stable")
    columns = list(_columns(run, indices))
    notes = [element("p", note, class_="note") for note in _notes(run)]
    n = len(indices)
    if n <= MOST_PROSUMERS:
        whole = _table(f"Each prosumer, from the source to the end of the feeder ({n})", indices, columns)
        return section("prosumers", "Prosumers", whole, notes)
    what, worst = _worst(indices)
    return section(
        "prosumers",
        "Prosumers",
        element("p", f"There are {n:,}: their spread, and the {_WORST} {what}. prosumers.parquet has all of them."),
        _spread(n, columns),
        _table(f"The {_WORST} {what}", worst, columns),
        notes,
    )


def bill_section(run: Run) -> Html | None:
    """What all prosumers together pay and earn, item by item; None where there are no bills."""
    bills = run.bills
    if bills.empty:
        return None
    found = bills.groupby(["item", "name"], sort=False, dropna=False).agg(
        quantity=("quantity", "sum"), unit=("unit", "first"), amount=("amount", "sum"), n=("billing_period", "nunique")
    )
    quantities, amounts = column_of(found["quantity"]), column_of([*found["amount"], found["amount"].sum()], 4)
    people = max(1, len(run.prosumers))
    each = column_of([*(found["amount"] / people), found["amount"].sum() / people], 4)
    rows: list[list[Child]] = []
    for place, (item, name) in enumerate(found.index.tolist()):
        row = found.iloc[place]
        named = str(item) if str(name) in ("", "energy") else f"{item}: {name}"
        named += f" ({counted(int(row['n']), 'billing period')})" if row["n"] > 1 else ""
        rows.append([named, quantities[place], str(row["unit"]), amounts[place], each[place]])
    rows.append([element("strong", "total"), "", "", element("strong", amounts[-1]), element("strong", each[-1])])
    columns = [
        Column("item", numeric=False),
        Column("quantity"),
        Column("unit", numeric=False),
        Column("amount", "currency"),
        Column("mean of a prosumer", "currency"),
    ]
    whole = table(f"Bills of all {counted(len(run.prosumers), 'prosumer')} together", columns, rows)
    sign = element("p", "Amounts above zero are paid, below zero earned. bills.parquet has each bill.", class_="note")
    return section("bills", "Bills", whole, sign)


def rehearsal_section(run: Run) -> Html | None:
    """What the operator rehearsed for each day; None without one."""
    found = run.rehearsals
    if found is None or run.scenario.dso is None:
        return None
    title, signal = "The operator's rehearsals", f"Signal: {run.scenario.dso.signal}. "
    if found.empty:
        return section("operator", title, element("p", f"{signal}Nothing was rehearsed."))
    words = (
        "Each evening the operator rehearses the next day with those who take part, first against the tariff, then "
        "against what it would publish, and publishes what came out best. Deficit: sum over the day of how far what it "
        "watches is beyond its limits; headroom: how far within the limits the worst of it is, below zero beyond them."
    )
    days = [_day(day, found[found["day"] == day]) for day in sorted({int(day) for day in found["day"]})]
    rest = len(days) - _MOST_DAYS
    more = f"{counted(rest, 'more day')} are in rehearsals.csv." if rest > 0 else None
    whole = table(f"Rehearsals, {counted(len(days), 'day')}", _DAY_COLUMNS, days[:_MOST_DAYS])
    return section("operator", title, element("p", signal + words), whole, element("p", more) if more else None)


def _columns(run: Run, indices: pd.DataFrame) -> Iterator[_Index]:
    per_step = run.scenario.control_step_min
    yield _Index("bus", "", indices["bus"].astype(float), 0)
    yield _Index("distance", "ohm", indices["distance_ohm"])
    yield _Index("cost", "currency", indices["cost"])
    for name in ("cost_demand", "cost_fixed"):
        if indices[name].any():
            yield _Index(f"of it {name.removeprefix('cost_')}", "currency", indices[name])
    if indices["gain"].notna().any():
        yield _Index("gain", "currency", indices["gain"])
    if indices["gain_kept_percent"].notna().any():
        yield _Index("gain kept", "%", indices["gain_kept_percent"], 1, _NO_GAIN)
    if indices["lcg_percent"].notna().any():
        yield _Index("LCG", "%", indices["lcg_percent"], 1, _NO_LCG)
    yield _Index("curtailed", "kWh", indices["tce_kwh"])
    yield _Index("import", "kWh", indices["import_kwh"])
    yield _Index("export", "kWh", indices["export_kwh"])
    yield _Index("CVC", "p.u.", indices["cvc_pu"])
    yield _Index("lowest voltage", "p.u.", indices["vm_min_pu"], 4)
    yield _Index("highest voltage", "p.u.", indices["vm_max_pu"], 4)
    yield _Index("above limit", "min", indices["n_above_max"] * float(per_step), 0)
    yield _Index("below limit", "min", indices["n_below_min"] * float(per_step), 0)
    yield _Index("turned back", "steps", indices["n_reversals"].astype(float), 0)


def _notes(run: Run) -> Iterator[str]:
    indices = run.indices
    if run.cost_without_rule is None or run.cost_without_optimisation is None:
        yield (
            "Gain kept and LCG are not known: the runs that they compare with (without a rule; without optimisation) "
            "were not made, or did not come to their end."
        )
        return
    none = int(indices["gain_kept_percent"].isna().sum())
    if none:
        yield f"{counted(none, 'prosumer has', 'prosumers have')} no gain from optimisation, and so no gain kept."
    undefined = int(indices["lcg_percent"].isna().sum())
    if undefined:
        yield f"LCG of {counted(undefined, 'prosumer')} is undefined: the cost without a rule is exactly zero."


def _table(caption: str, indices: pd.DataFrame, columns: Sequence[_Index]) -> Html:
    cells = [column.cells(column.values.loc[indices.index].tolist()) for column in columns]
    rows = list(zip(indices["prosumer"].astype(str).tolist(), *cells, strict=True))
    heads = [Column("prosumer", numeric=False), *(Column(column.title, column.unit) for column in columns)]
    return table(caption, heads, rows)


def _spread(n: int, columns: Sequence[_Index]) -> Html:
    rows = []
    for column in columns[1:]:  # but the bus
        spread = column.values.describe().reindex(list(_SPREAD))
        rows.append([f"{column.title} ({column.unit})", *column.cells(spread.tolist())])
    heads = [Column("index", numeric=False), *(Column(title) for title in _SPREAD.values())]
    return table(f"Spread over {n:,} prosumers", heads, rows)


def _worst(indices: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """Who is worst off, in words and as rows: by gain kept, else by what was curtailed."""
    known = indices[indices["gain_kept_percent"].notna()]
    if len(known) >= _WORST:
        order = known.assign(_kept=known["gain_kept_percent"].round(6), _near=-known["distance_ohm"])
        return "that keep least of their gain", order.sort_values(["_kept", "_near"], kind="stable").head(_WORST)
    order = indices.sort_values("tce_kwh", ascending=False, kind="stable")
    return "that were curtailed most", order.head(_WORST)


_DAY_COLUMNS = (
    Column("day", numeric=False),
    Column("rehearsals"),
    Column("deficit before", "p.u. h"),
    Column("deficit after", "p.u. h"),
    Column("headroom before", "p.u."),
    Column("headroom after", "p.u."),
    Column("bills", "%"),
    Column("worst off", numeric=False),
    Column("ended", numeric=False),
)


def _day(day: int, own: pd.DataFrame) -> list[str]:
    before, after = own[own["iteration"] == 0], own[own["published"]]
    first, last = (part.iloc[0] if len(part) else own.iloc[0] for part in (before, after))
    deficits = column_of([first["deficit_pu_h"], last["deficit_pu_h"]])
    headroom = [fixed(float(each["worst_headroom_pu"]), 4) for each in (first, last)]
    ended = next((str(words) for words in own["ended"].iloc[::-1] if words and words == words), "")
    change = float(last["bill_change_percent"])
    bills = fixed(change, 3) if not np.isfinite(change) or change <= 0 else f"+{fixed(change, 3)}"
    return [f"{day + 1}", f"{len(own):,}", *deficits, *headroom, bills, str(last["worst"]), ended]
