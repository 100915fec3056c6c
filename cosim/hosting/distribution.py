"""What capacities of many scenarios say together: mean, spread, worst, and how often what ends them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from cosim.hosting.capacity import Mode, Stop
from feeders.errors import InputError

__all__ = ["gains", "summary", "summary_lines", "what_limits"]

_ORDER: tuple[Mode, ...] = ("static", "local", "dynamic")


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Distribution of the capacity in each mode.

    A scenario in which even the base case is outside its limits has no capacity, not one of 0: it is counted, and left
    out of all other columns, which `worst` must be read with.

    Parameters
    ----------
    table : DataFrame
        A row per scenario and mode: ``mode, level``, NaN where the base case is infeasible.

    Returns
    -------
    DataFrame
        A row per mode: ``mode, n, n_base_infeasible, mean, sd`` (of a sample, n - 1), ``median, worst, best, p05,
        p95`` (levels, as shares).

    Raises
    ------
    InputError
        Without any row.
    """
    if table.empty:
        raise InputError("distribution", "scenarios", 0, "at least one that has been answered")
    return pd.DataFrame([_row(mode, table.loc[table["mode"] == mode, "level"]) for mode in modes_of(table)])


def modes_of(table: pd.DataFrame) -> list[Mode]:
    """The modes of a table, from no coordination to all."""
    found = set(table["mode"])
    return [mode for mode in _ORDER if mode in found]


def gains(table: pd.DataFrame) -> pd.Series[float]:
    """Dynamic less static capacity of each scenario that has both, by its number."""
    by_mode = table.pivot(index="scenario", columns="mode", values="level")
    if not {"static", "dynamic"} <= set(by_mode.columns):
        return pd.Series(dtype=float)
    found: pd.Series[float] = (by_mode["dynamic"] - by_mode["static"]).dropna()
    return found


def what_limits(table: pd.DataFrame) -> pd.DataFrame:
    """How often what ends the search: ``mode, stop, stop_element, n``, the most frequent first."""
    counted = table.groupby(["mode", "stop", "stop_element"], dropna=False, sort=True).size().reset_index(name="n")
    return counted.sort_values(["mode", "n"], ascending=[False, False], kind="stable").reset_index(drop=True)


def summary_lines(table: pd.DataFrame) -> Iterator[str]:
    """The distribution in words."""
    limits = what_limits(table)
    for row in summary(table).to_dict("records"):
        name, n, without = row["mode"], row["n"], row["n_base_infeasible"]
        if without:
            yield f"{name}: base case infeasible in {without} of {n} scenarios"
        if without < n:
            mean, sd, median, worst, best = (100 * row[of] for of in _SAID)
            spread = "" if np.isnan(sd) else f", sd {sd:.2f}"
            many = f"mean {mean:.2f} %{spread}, median {median:.2f} %, worst {worst:.2f} %, best {best:.2f} %"
            yield f"{name}: {many} ({n - without} scenarios)"
        yield f"{name}: ended by {_ends(limits[limits['mode'] == name])}"
    gained = gains(table)
    if len(gained):
        less = int((gained < -1e-9).sum())
        yield f"dynamic over static, scenario by scenario: mean {100 * gained.mean():+.2f} points, less in {less}"


_SAID: Sequence[str] = ("mean", "sd", "median", "worst", "best")


def _row(mode: Mode, levels: pd.Series[float]) -> dict[str, float | int | str]:
    known = levels.dropna().to_numpy(dtype=float)
    row: dict[str, float | int | str] = {"mode": mode, "n": len(levels), "n_base_infeasible": len(levels) - len(known)}
    nothing = float("nan")
    values = [nothing] * 7
    if len(known):
        sd = float(known.std(ddof=1)) if len(known) > 1 else nothing
        low, high = np.quantile(known, [0.05, 0.95])
        values = [float(of(known)) for of in (np.mean, np.median, np.min, np.max)]
        values = [values[0], sd, *values[1:], float(low), float(high)]
    return row | {name: value for name, value in zip((*_SAID, "p05", "p95"), values, strict=True)}


def _ends(limits: pd.DataFrame) -> str:
    """The most frequent of them in words."""
    columns = (limits[name].tolist() for name in ("stop", "stop_element", "n"))
    found = list(zip(*columns, strict=True))
    said = [f"{Stop(stop, element)} ({n})" for stop, element, n in found]
    return ", ".join(said[:4]) + (f" and {len(said) - 4} more" if len(said) > 4 else "")
