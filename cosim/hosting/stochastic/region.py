"""How much PV there can be beside batteries and heat pumps: the feasible region of the three, static and dynamic.

Source: V. J. Nair et al., "Dynamic resource coordination can increase grid hosting capacity", sweep of batteries and
heat pumps and the volume of the feasible levels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.integrate import trapezoid

from agents.prosumer.fleet import FleetInputs
from cosim.hosting.case import HostingCase
from cosim.hosting.stochastic.first_stage import TwoStagePlan
from cosim.hosting.stochastic.static_plan import static_plan
from cosim.hosting.stochastic.two_stage import two_stage
from feeders.errors import InputError

__all__ = ["feasible_region", "volume", "volume_ratio"]

Array = npt.NDArray[np.float64]


def feasible_region(
    case: HostingCase,
    plan: TwoStagePlan,
    battery: Sequence[float],
    hp: Sequence[float],
    scenarios: Sequence[FleetInputs] | None = None,
    *,
    n: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> pd.DataFrame:
    """The most PV at each combination of batteries and heat pumps.

    Parameters
    ----------
    case, plan : HostingCase and TwoStagePlan
        The plan's own shares of batteries and heat pumps are replaced.
    battery, hp : sequence of float
        Shares of the peak load and of homes, ascending.
    scenarios : sequence of FleetInputs, optional
        What is planned for, all of them unless `n` says how many; the expected day alone by default.

    Returns
    -------
    DataFrame
        A row per combination: ``battery, hp, static_level, dynamic_level`` (NaN where even without PV the feeder does
        not take it), ``gap, cpu_seconds`` (of the dynamic plan).
    """
    days = [case.inputs] if scenarios is None else list(scenarios)
    rows = []
    for share in battery:
        for homes in hp:
            asked = TwoStagePlan(**{**plan.model_dump(), "battery": share, "hp": homes})
            dynamic = two_stage(case, asked, days, n=len(days) if n is None else n, check_all=False)
            static = static_plan(case, asked, days, kept=dynamic.reduction.chosen.tolist(), check_all=False)
            level = float(np.fmax(dynamic.level, static.level))  # a coordinator may leave all devices alone
            row = {"battery": share, "hp": homes, "static_level": static.level, "dynamic_level": level}
            rows.append(row | {"gap": dynamic.gap, "cpu_seconds": dynamic.cpu_seconds})
            if progress is not None:
                progress(f"battery {share:.0%}, heat pumps {homes:.0%}: {static.level:.2f}, {dynamic.level:.2f}")
    return pd.DataFrame(rows)


def volume(region: pd.DataFrame, column: str) -> float:
    """Volume below the most PV over batteries and heat pumps, by the trapezoidal rule; NaN counts as no PV.

    Raises
    ------
    InputError
        For fewer than two levels of batteries or of heat pumps.
    """
    levels = region.pivot(index="battery", columns="hp", values=column).fillna(0.0)
    if min(levels.shape) < 2:
        raise InputError("region", "levels", levels.shape, "at least two of batteries and of heat pumps")
    over_hp = trapezoid(levels.to_numpy(), levels.columns.to_numpy(dtype=float), axis=1)
    return float(trapezoid(over_hp, levels.index.to_numpy(dtype=float)))


def volume_ratio(region: pd.DataFrame) -> float:
    """Dynamic over static volume; infinite where the static one is empty."""
    static, dynamic = volume(region, "static_level"), volume(region, "dynamic_level")
    return dynamic / static if static > 0 else float("inf") if dynamic > 0 else float("nan")
