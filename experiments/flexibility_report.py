"""Tables, text and files of the study of the value of flexibility."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cosim.plots import save_figure
from experiments.flexibility_figures import battery_figure, day_figure, share_figure
from experiments.verdicts import Claim, claims_table
from experiments.written import write_tables

if TYPE_CHECKING:
    from experiments.flexibility_value import Answer

__all__ = ["battery_values", "claims", "report", "shown", "summary", "write_answer"]

_CASE = ["tariff", "house", "battery", "kappa", "share"]
_PUBLISHED_SAVING = 25.0  # percent
_NOTHING = 1e-9  # currency
_SAME = 1e-4  # of a cost: some fifty times what breaking ties leaves unearned


def summary(costs: pd.DataFrame) -> pd.DataFrame:
    """One row per case: mean cost of a day with its spread, and what is saved.

    `saving_percent` is that of all days together, of the cost of the same house at the same kappa without flexible load
    and battery; NaN where that is not above zero. `over_25` counts the days that save more than the published 25 %.
    """
    plain = costs[~costs["battery"] & (costs["share"] == costs["share"].min())]
    keys = ["tariff", "house", "kappa", "day"]
    both = costs.merge(plain[[*keys, "cost"]].rename(columns={"cost": "plain"}), on=keys)
    both["over"] = both["plain"] - both["cost"] > _PUBLISHED_SAVING / 100 * both["plain"].abs()
    groups = both.groupby(_CASE, sort=True)
    cost, plain_cost = groups["cost"].sum(), groups["plain"].sum()
    found = pd.DataFrame(
        {
            "cost_per_day": groups["cost"].mean(),
            "cost_p10": groups["cost"].quantile(0.1),
            "cost_p90": groups["cost"].quantile(0.9),
            "saving_percent": (100 * (1 - cost / plain_cost)).where(plain_cost > 0),
            "days": groups.size(),
            "over_25": groups["over"].sum(),
        }
    )
    return found.reset_index()


def battery_values(costs: pd.DataFrame) -> pd.DataFrame:
    """What the battery saves on each day beside the same flexible load: column `value` [currency]."""
    keys = [*(name for name in _CASE if name != "battery"), "day"]
    without, with_it = (costs[costs["battery"] == owned].set_index(keys)["cost"] for owned in (False, True))
    return (without - with_it).rename("value").reset_index()


def shown(answer: Answer) -> pd.DataFrame:
    """The summary under the first tariff, of the least and the largest flexible share."""
    table, shares = summary(answer.costs), answer.settings.shares
    chosen = (table["tariff"] == answer.settings.tariffs[0]) & table["share"].isin([shares[0], shares[-1]])
    return table[chosen].drop(columns="tariff")


def claims(answer: Answer) -> list[Claim]:
    """The published claims beside what comes out here."""
    table = summary(answer.costs)
    found = [_immune(answer, house) for house in ("no PV", "PV")]
    values = battery_values(answer.costs)
    for tariff in answer.settings.tariffs:
        worth = [_worth(values, tariff, house, answer.settings.shares[0]) for house in ("no PV", "PV")]
        found += [claim for claim in worth if claim is not None]
    first = table[(table["tariff"] == answer.settings.tariffs[0]) & (table["share"] == table["share"].max())]
    found += [_saving(first, battery) for battery in (False, True)]
    return [*found, _saturation(answer)]


def report(answer: Answer) -> str:
    """How houses and days were chosen, then the published claims beside ours."""
    s = answer.settings
    n_days = answer.costs["day"].nunique()
    return "\n".join(
        [
            f"House: {s.load_profile} at {s.load_annual_mwh:g} MWh a year, with {s.pv_kwp:g} kWp or without PV; "
            f"battery {s.battery_kwh:g} kWh {s.battery_c:g}C-{s.battery_c:g}C, empty at midnight;",
            f"flexible load between 0 and {s.flexible_max:g} times its own, its energy of the day kept; {n_days} days "
            "of the extract, each planned by itself.",
            f"Real-time price: synthetic, seed {s.price_seed}, daily shape and spikes after NYISO 2019 (the published "
            "day's is not public). Saving: of the cost at the same kappa without flexible load and battery.",
            "",
            *claims_table(claims(answer)),
            "",
            "A battery earns in two ways. What it keeps of the sun for the evening is worth buying less selling price: "
            "more at a lower kappa. What it sells when",
            "the price is high is worth more at a higher kappa, and the more, the more the price swings. Which of "
            "the two outweighs the other is a matter of tariff and PV, not of kappa alone.",
        ]
    )


def write_answer(answer: Answer, folder: Path) -> None:
    """Write table.csv, days.csv, zeros.csv, report.md and the figures."""
    tables = {"table": summary(answer.costs), "days": answer.costs, "zeros": answer.zeros}
    write_tables(folder, tables, "The value of flexibility", report(answer))
    s = answer.settings
    save_figure(share_figure(summary(answer.costs), s.tariffs[0]), folder / "cost-by-share.png")
    save_figure(battery_figure(battery_values(answer.costs), s.shares[0]), folder / "battery-value.png")
    save_figure(day_figure(answer.day, s.flexible_max, s.day), folder / "day.png")


def _immune(answer: Answer, house: str) -> Claim:
    """The saving of the largest share, without battery, at each kappa."""
    costs = answer.costs
    chosen = costs[(costs["tariff"] == answer.settings.tariffs[0]) & (costs["house"] == house) & ~costs["battery"]]
    totals = chosen.groupby(["kappa", "share"])["cost"].sum().unstack("share")
    saved = totals.iloc[:, 0] - totals.iloc[:, -1]
    table = summary(chosen)
    percent = table[table["share"] == table["share"].max()]["saving_percent"]
    same = bool(np.ptp(saved) <= _SAME * totals.abs().to_numpy().max())
    ours = f"{answer.settings.shares[-1]:.0%} flexible save {_range(percent, ' %')}"
    ours += " at every kappa" if same else f", {_range(100 * saved)} cents in all"
    return Claim(f"flexible load alone is immune to kappa ({house})", "yes", ours, same)


def _worth(values: pd.DataFrame, tariff: str, house: str, share: float) -> Claim | None:
    """The battery's worth without flexible load, over kappa; None where it is worth nothing at any."""
    chosen = values[(values["tariff"] == tariff) & (values["house"] == house) & (values["share"] == share)]
    by_kappa = chosen.groupby("kappa")["value"].mean()
    scale = np.abs(by_kappa).max()
    if not scale > _NOTHING:
        return None
    falls = [bool(by_kappa.iloc[0] > by_kappa.iloc[-1] + _SAME * scale)]
    falls += [bool(step <= _SAME * scale) for step in np.diff(by_kappa)] if falls[0] else []
    days = chosen.pivot_table(index="day", columns="kappa", values="value")
    least, most = by_kappa.index[0], by_kappa.index[-1]
    better = int((days[least] > days[most] + _SAME * scale).sum())
    listed = ", ".join(f"{100 * value:.3g}" for value in by_kappa)
    kappas = ", ".join(f"{kappa:g}" for kappa in by_kappa.index)
    ours = f"worth {listed} cents a day at kappa {kappas}; "
    ours += f"more at {least:g} than at {most:g} on {better} of {len(days)} days"
    return Claim(f"a battery is worth more at a lower kappa ({tariff}, {house})", "yes", ours, _verdict(falls))


def _saving(table: pd.DataFrame, battery: bool) -> Claim:
    chosen = table[table["battery"] == battery]
    percent = chosen["saving_percent"].dropna()
    what = f"{chosen['share'].iloc[0]:.0%} flexible load " + ("and the battery" if battery else "alone")
    days = f"on {chosen['over_25'].min()} to {chosen['over_25'].max()} of {chosen['days'].iloc[0]} days more than 25 %"
    ours = f"{_range(percent, ' %')} over houses and kappa; {days}"
    return Claim(f"saving with {what}", "more than 25 %", ours, _verdict((percent > _PUBLISHED_SAVING).tolist()))


def _saturation(answer: Answer) -> Claim:
    zeros = answer.zeros.groupby("kappa")["zero_percent"]
    day = answer.zeros[answer.zeros["day"] == answer.settings.day].set_index("kappa")["zero_percent"]
    parts = [f"{day[kappa]:.0f} % at {kappa:g} (all days: median {values.median():.0f} %)" for kappa, values in zeros]
    below = [bool(values.median() > 0) for kappa, values in zeros if float(str(kappa)) < 1]
    ours = f"steps at exactly zero on {answer.settings.day}: {'; '.join(parts)}"
    return Claim("net load saturates at zero for kappa < 1", "yes", ours, _verdict(below))


def _verdict(held: Sequence[bool]) -> bool | None:
    """Whether something held throughout; None for in part."""
    return all(held) if all(held) == any(held) else None


def _range(values: pd.Series[float], unit: str = "") -> str:
    least, most = f"{values.min():.3g}", f"{values.max():.3g}"
    return f"{least}{unit}" if least == most else f"{least} to {most}{unit}"
