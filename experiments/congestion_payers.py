"""Who pays for relief, and who waits or is cold for it: by home, by its place, and by what it owns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure, SubFigure

from cosim.indices import gini
from cosim.plots import COLOURS
from experiments.congestion_scenarios import STOR, short
from feeders import Feeder

__all__ = [
    "BURDENS",
    "OWNERS",
    "THIRDS",
    "by_owner",
    "by_third",
    "flags_of",
    "inequality",
    "payers_figure",
    "places",
    "with_changes",
]

THIRDS = ("near", "middle", "far")
OWNERS = {
    "all": "all homes",
    "battery": "with battery",
    "hp": "with heat pump",
    "ev": "with car",
    "none": "with none of these",
}
"""Groups of homes, by columns of flags that `places` adds; they overlap."""

BURDENS = {
    "energy_change": "energy costs more by\n(EUR a year)",
    "cost_change": "in all, with fee\nreduction (EUR a year)",
    "ev_delay_h": "charging later\nby (h)",
    "temperature_drop_k": "colder by up\nto (K)",
}
"""What a measure puts on a home, and as it is written on an axis."""

_SMALL, _LABEL = 7.5, 8.5
_MARKERS = ("o", "s", "^", "D", "v")


def places(feeder: Feeder, homes: pd.DataFrame, owned: pd.DataFrame) -> pd.DataFrame:
    """Homes by name, in thirds by the electrical distance of their buses from the grid, in per unit.

    Parameters
    ----------
    feeder : Feeder
    homes : DataFrame
        By name: ``bus``, ``station``.
    owned : DataFrame
        By name, flags: ``battery``, ``hp``, ``ev``.
    """
    row = feeder.bus_positions(homes["bus"].tolist())
    distance_ohm = feeder.electrical_distance["z_ohm"].to_numpy()[row]
    distance_pu = distance_ohm / feeder.net.bus["vn_kv"].to_numpy(dtype=float)[row] ** 2
    rank = np.argsort(np.argsort(distance_pu, kind="stable"), kind="stable")
    third = [THIRDS[place] for place in 3 * rank // len(rank)]
    flags = owned.assign(all=True, none=~owned.any(axis=1))
    columns: dict[str, Any] = {"station": homes["station"], "distance_ohm": distance_ohm, "third": third}
    return pd.DataFrame(columns, index=homes.index).join(flags).rename_axis("home").reset_index()


def with_changes(payers: pd.DataFrame) -> pd.DataFrame:
    """With ``energy_change`` and ``cost_change`` against the same home in the same draw with self-consumption alone."""
    base = payers[payers["scenario"] == STOR].set_index(["seed", "home"])[["energy_cost", "cost"]]
    before = base.reindex(pd.MultiIndex.from_frame(payers[["seed", "home"]]))
    changes = {
        "energy_change": payers["energy_cost"].to_numpy() - before["energy_cost"].to_numpy(),
        "cost_change": payers["cost"].to_numpy() - before["cost"].to_numpy(),
    }
    return payers.assign(**changes)


def by_third(payers: pd.DataFrame) -> pd.DataFrame:
    """Means of cost and burdens over homes and draws, by scenario and third, in this order."""
    names = ["cost", *BURDENS]
    found = payers.groupby(["scenario", "third"], sort=False)[names].mean()
    order = pd.MultiIndex.from_product([list(payers["scenario"].unique()), list(THIRDS)], names=["scenario", "third"])
    return found.reindex(order)


def by_owner(payers: pd.DataFrame) -> pd.DataFrame:
    """Means of cost and burdens over homes and draws, by scenario and group of `OWNERS`."""
    names = ["cost", *BURDENS]
    parts = {
        group: payers[payers[group]].groupby("scenario", sort=False)[names].mean().reindex(payers["scenario"].unique())
        for group in OWNERS
    }
    order = pd.MultiIndex.from_product([list(payers["scenario"].unique()), list(OWNERS)], names=["scenario", "owner"])
    return pd.concat(parts, names=["owner"]).swaplevel().reindex(order)


def inequality(payers: pd.DataFrame) -> pd.DataFrame:
    """How unequally a measure's burden lies on the homes, by scenario, the mean of the draws.

    Columns: the Gini coefficient of each of `BURDENS` (savings count as 0), and the share of what is paid more for
    energy that homes of the far third bear [%], NaN where nobody pays more.
    """
    rows = []
    for (scenario, _), homes in payers.groupby(["scenario", "seed"], sort=False):
        burdens = {name: np.maximum(homes[name].to_numpy(dtype=float), 0.0) for name in BURDENS}
        paid = burdens["energy_change"]
        far = (homes["third"] == "far").to_numpy()
        share = 100 * float(paid[far].sum() / paid.sum()) if paid.sum() > 0 else np.nan
        ginis = {f"gini_{name}": gini(values) for name, values in burdens.items()}
        rows.append({"scenario": scenario, "far_share_percent": share} | ginis)
    return pd.DataFrame(rows).groupby("scenario", sort=False).mean()


def payers_figure(payers: pd.DataFrame) -> Figure:
    """Burdens by scenario: of homes near and far, and of those who own something."""
    figure = Figure(figsize=(7.2, 6.4), layout="constrained")
    panels: Any = figure.subfigures(2, 1)
    _burdens(panels[0], by_third(payers), {name: f"{name} third" for name in THIRDS})
    _burdens(panels[1], by_owner(payers), OWNERS)
    return figure


def _burdens(figure: SubFigure, means: pd.DataFrame, groups: Mapping[str, str]) -> None:
    """A panel per burden, a row per scenario, a marker per group of homes."""
    axes = figure.subplots(1, len(BURDENS), sharey=True)
    scenarios = [name for name in dict.fromkeys(means.index.get_level_values(0)) if name != STOR]
    for ax, (name, label) in zip(axes, BURDENS.items(), strict=True):
        for k, (key, word) in enumerate(groups.items()):
            at = np.arange(len(scenarios)) + 0.13 * (k - (len(groups) - 1) / 2)
            look: dict[str, Any] = {"color": COLOURS[k], "marker": _MARKERS[k], "linestyle": "none"}
            ax.plot([means.at[(s, key), name] for s in scenarios], at, markersize=4, label=word, **look)
        ax.axvline(0, color="0.6", linewidth=0.8, zorder=0)
        ax.grid(axis="y", color="0.92", linewidth=0.8)
        ax.set_axisbelow(True)
        ax.margins(x=0.1)
        ax.tick_params(labelsize=_SMALL)
        ax.set_xlabel(label, fontsize=_LABEL)
    axes[0].set_yticks(range(len(scenarios)), [short(name) for name in scenarios])
    axes[0].invert_yaxis()
    handles = axes[0].get_legend_handles_labels()
    figure.legend(*handles, fontsize=_SMALL, frameon=False, ncols=len(groups), loc="outside upper center")


def flags_of(assets: Any) -> dict[str, npt.NDArray[np.bool_]]:
    """Who has a battery, a heat pump, a charger."""
    return {"battery": assets.battery_kwh > 0, "hp": assets.hp_kw > 0, "ev": assets.ev_kw > 0}
