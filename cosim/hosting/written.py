"""Tables of hosting capacities, and the folder that they are written to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from agents.prosumer.fleet import RATINGS, Fleet
from cosim.hosting.capacity import Capacity
from cosim.hosting.hosting_file import HostingFile
from cosim.hosting.nodal_prices import Priced
from feeders.errors import InputError

__all__ = ["capacity_table", "sites_table", "write_hosting"]


def capacity_table(found: Sequence[Capacity]) -> pd.DataFrame:
    """A row per answer: ``der, mode, method, capacity_percent, kw, limit, margin, levels, seconds``."""
    rows = [
        {
            "der": each.der,
            "mode": each.mode,
            "method": each.method,
            "capacity_percent": 100 * each.level,
            "kw": each.kw,
            "limit": str(each.stop) if each.base_feasible else f"base case infeasible: {each.stop}",
            "margin": each.margin,
            "levels": len(each.steps),
            "seconds": round(each.seconds, 2),
        }
        for each in found
    ]
    return pd.DataFrame(rows)


def sites_table(fleet: Fleet) -> pd.DataFrame:
    """A row per row of a fleet that has devices: ``bus, name`` and the ratings [kW]."""
    table = pd.DataFrame({"bus": fleet.bus, "name": fleet.names} | {name: getattr(fleet, name) for name in RATINGS})
    return table[(table[list(RATINGS)] > 0).any(axis=1)].reset_index(drop=True)


def write_hosting(folder: Path, asked: HostingFile, found: Sequence[Capacity], worth: Priced | None = None) -> None:
    """Write what was asked (``hosting.toml``), ``capacity.csv``, levels and sites of each mode, and what it is worth.

    Raises
    ------
    InputError
        When a file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "hosting.toml").write_text(asked.to_toml(), encoding="utf-8")
        capacity_table(found).to_csv(folder / "capacity.csv", index=False)
        for each in found:
            each.steps.to_csv(folder / f"levels-{each.mode}.csv", index=False)
            if each.fleet is not None:
                sites_table(each.fleet).to_csv(folder / f"sites-{each.mode}.csv", index=False)
        if worth is not None:
            worth.prices.to_csv(folder / "prices.csv", index=False, float_format="%.10g")
            worth.settlement.rename_axis("row").to_csv(folder / "settlement.csv", float_format="%.10g")
    except OSError as error:
        raise InputError("--out", "folder", str(folder), f"a folder that can be written ({error.strerror})") from None
