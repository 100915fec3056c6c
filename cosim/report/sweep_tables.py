"""What a sweep is made of, how far it is, and what became of the runs that failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from cosim.compare.fields import design_fields, ordered, varying
from cosim.report.html import Column, Html, element, section, table
from cosim.report.making import run_command
from cosim.report.numbers import column_of, counted, fixed, listed, measured
from cosim.report.run_keys import Key, cards
from cosim.sweep import Sweep

__all__ = ["MOST_FAILURES", "design_section", "failure_section", "fields_of", "status_section", "value_text"]

MOST_FAILURES = 40
"""Failed runs that are listed."""

_MOST_VALUES = 12
_LONGEST = 600  # letters of a message


def status_section(sweep: Sweep, failures: pd.DataFrame) -> Html:
    """How many runs there are of each kind, and what they took."""
    finished, failed, to_do = sweep.status
    total = finished + failed + to_do
    keys = [
        Key("Planned", f"{total:,}", "runs"),
        Key("Finished", f"{finished:,}", f"{fixed(100 * finished / total, 0)} % of them" if total else None),
        Key("Failed", f"{failed:,}", _reasons(failures), warns=failed > 0),
        Key(
            "Not run yet", f"{to_do:,}", "this is what is there so far" if to_do else "nothing is left", warns=to_do > 0
        ),
    ]
    journal = sweep.journal
    if len(journal):
        seconds = journal["seconds"].astype(float)
        each = f"median {measured(float(seconds.median()), 's')}, longest {measured(float(seconds.max()), 's')}"
        keys.append(Key("Time of all tries", _duration(float(seconds.sum())), each))
        keys.append(Key("Most memory of a run", f"{fixed(float(journal['peak_mb'].max()), 0)} MB"))
    return section("status", "Status", cards(keys))


def design_section(plan: pd.DataFrame) -> Html:
    """The fields of the design with their values: those that vary, then those that are the same in all runs."""
    fields = fields_of(plan)
    vary = varying(plan, fields)
    follow = [name for name in fields if name not in vary and plan[name].nunique(dropna=False) > 1]
    rows = [[name, *_values(plan[name]), "varies"] for name in vary]
    rows += [[name, *_values(plan[name]), "with the others"] for name in follow]
    rows += [["seed", *_values(plan["seed"]), "repetitions"]] if plan["seed"].nunique() > 1 else []
    same = [name for name in [*fields, "seed"] if plan[name].nunique(dropna=False) == 1]
    rows += [[name, *_values(plan[name]), "the same in all"] for name in same]
    columns = [
        Column("field", numeric=False),
        Column("number"),
        Column("values", numeric=False),
        Column("role", numeric=False),
    ]
    return section("design", "Design", table("Fields of the runs", columns, rows))


def failure_section(sweep: Sweep, failures: pd.DataFrame) -> Html | None:
    """Runs without a result: why, and what repeats them; None where there is none."""
    if failures.empty:
        return None
    vary = [name for name in varying(sweep.plan, fields_of(sweep.plan)) if name in failures]
    plugins, references = sweep.manifest["plugins"], sweep.manifest["references"]
    rows = []
    for _, row in failures.head(MOST_FAILURES).iterrows():
        what = ", ".join(f"{name} {value_text(row[name])}" for name in vary) or "the only one"
        command = run_command(f"failed/{row['run_id']}/scenario.toml", plugins, references=references)
        message = str(row["message"])
        message = message if len(message) <= _LONGEST else f"{message[:_LONGEST]}…"
        about = [element("p", message), element("p", element("code", command), class_="command")]
        rows.append([str(row["run"]), f"{what}; seed {row['seed']}", str(row["reason"]), about])
    columns = [
        Column("run"),
        Column("of the design", numeric=False),
        Column("reason", numeric=False),
        Column("message, and what repeats it in the folder of the sweep", numeric=False),
    ]
    n, rest = len(failures), len(failures) - MOST_FAILURES
    more = (
        element("p", f"{counted(rest, 'more')} are in failures.parquet and failed/.", class_="note")
        if rest > 0
        else None
    )
    by_reason = failures["reason"].value_counts(sort=True)
    said = f"{counted(n, 'run')} of {len(sweep.plan):,}: " + listed(
        f"{count:,} {name}" for name, count in by_reason.items()
    )
    return section("failures", "Failed runs", element("p", f"{said}."), table("Failed runs", columns, rows), more)


def fields_of(plan: pd.DataFrame) -> list[str]:
    """Fields of the design in a plan."""
    return design_fields(plan)


def value_text(value: object) -> str:
    """A value of a field, as short as it can be read."""
    if value is None or value is pd.NaT or value != value:
        return "nothing"
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _values(column: pd.Series[Any]) -> Sequence[str]:
    """How many values there are, and which; of many numbers the span."""
    found = ordered([None if value != value else value for value in column.drop_duplicates().tolist()])
    numbers = [value for value in found if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) == len(found) > _MOST_VALUES:
        low, high = (
            column_of([min(numbers), max(numbers)])
            if isinstance(numbers[0], float)
            else map(str, (numbers[0], numbers[-1]))
        )
        return f"{len(found):,}", f"from {low} to {high}"
    words = [value_text(value) for value in found]
    rest = len(words) - _MOST_VALUES
    return f"{len(found):,}", ", ".join(words[:_MOST_VALUES]) + (f" and {rest:,} more" if rest > 0 else "")


def _reasons(failures: pd.DataFrame) -> str:
    counts = failures["reason"].value_counts()
    return listed(f"{count:,} {reason}" for reason, count in counts.items())


def _duration(seconds: float) -> str:
    if seconds < 600:
        return measured(seconds, "s")
    return f"{fixed(seconds / 60, 0)} min" if seconds < 2 * 3600 else f"{fixed(seconds / 3600, 1)} h"
