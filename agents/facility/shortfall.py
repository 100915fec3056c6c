"""What is missing where a facility cannot meet its needs: found by a program that may miss them, at the least."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.errors import PlanError, SolverError
from agents.facility.lp import WarmLp
from agents.facility.needs import Ends, Needs
from agents.facility.plant import CARRIERS
from agents.facility.problem import Assembled
from agents.facility.program import Layout, balance_rows, store_rows
from agents.highs import Program

__all__ = ["ShortfallError", "find_shortfall"]

Array = npt.NDArray[np.float64]

_RANK = 1e-4  # decides where it is as good to miss the one as the other: in stores without losses


class ShortfallError(PlanError):
    """A facility cannot meet what it needs.

    Parameters
    ----------
    facility : str
        Its name.
    what : str
        A carrier of `agents.facility.plant.CARRIERS`, or a store whose end cannot be reached.
    time : str
        Beginning of the step in which most is missing, UTC.
    due, short : float
        What is needed there, and by how much it is missed; < 0 where there is too much. kW, or kWh in a store.
    total_kwh : float
        All that is missing over the whole horizon.
    """

    def __init__(self, facility: str, what: str, time: str, due: float, short: float, total_kwh: float) -> None:
        self.facility, self.what, self.time, self.due, self.short = facility, what, time, due, short
        self.total_kwh = total_kwh
        if what not in CARRIERS:
            said = (
                f"{what} store: {due:.6g} kWh due at the end, {abs(short):.6g} kWh {'short' if short > 0 else 'over'}"
            )
        elif short > 0:
            said = f"{what} demand of {due:.6g} kW at {time} exceeds what its plant can give by {short:.6g} kW"
        else:
            said = f"{what} at {time}: {-short:.6g} kW too much, which nothing takes"
        super().__init__(f"no plan: facility {facility!r}: {said} ({total_kwh:.6g} kWh over the whole horizon)")


def find_shortfall(facility: str, assembled: Assembled, needs: Needs, ends: Mapping[str, Ends]) -> ShortfallError:
    """The error that says what a program without solution misses.

    Every balance and every store's end may be missed, either way, and the energy that is missed is least. Energy that
    is missed early would have to be stored, with losses, so it is missed where it is needed.

    Raises
    ------
    SolverError
        When HiGHS finds no answer even so.
    """
    layout, p = assembled.layout, assembled.program
    soft, labels, weight, kwh = _soft_rows(layout, needs.step_h, ends)
    n_rows, k = assembled.matrix.shape[0], soft.size
    slack = sparse.coo_array((np.ones(k), (soft, np.arange(k))), shape=(n_rows, k))
    program = Program(
        np.concatenate([np.zeros(layout.n_columns), weight, weight]),
        np.append(p.lower, np.zeros(2 * k)),
        np.append(p.upper, np.full(2 * k, np.inf)),
        p.row_lower,
        p.row_upper,
    )
    values = WarmLp(sparse.hstack([assembled.matrix, slack, -slack], format="csc"), program).solve()
    if values is None:
        raise SolverError(f"facility {facility!r}: no plan, and not for want of energy")
    missing = values[layout.n_columns : layout.n_columns + k] - values[layout.n_columns + k :]
    totals = {what: float((kwh * abs(missing))[labels == what].sum()) for what in np.unique(labels)}
    what = max(totals, key=lambda name: totals[name])
    return _said(facility, what, missing[labels == what], needs, values, layout, sum(totals.values()))


def _soft_rows(
    layout: Layout, step_h: float, ends: Mapping[str, Ends]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.str_], Array, Array]:
    """Rows that may be missed, what each is about, what missing it counts, and the energy it is [kWh].

    An end that is given is missed before a load, one that is only to be as the beginning after it. That a store loses
    more than it can be given is the last thing to be said.
    """
    parts = [(balance_rows(layout, carrier), carrier, step_h, step_h) for carrier in CARRIERS]
    for name, (energies, end) in store_rows(layout).items():
        rank = 1.0 + (_RANK if ends[name].end_kwh == "start" else -_RANK)
        parts += [(np.array([end]), name, rank, 1.0), (energies, f"{name} losses", 100.0, 1.0)]
    return (
        np.concatenate([rows for rows, _, _, _ in parts]),
        np.concatenate([np.full(rows.size, what) for rows, what, _, _ in parts]),
        np.concatenate([np.full(rows.size, weight) for rows, _, weight, _ in parts]),
        np.concatenate([np.full(rows.size, kwh) for rows, _, _, kwh in parts]),
    )


def _said(
    facility: str, what: str, missing: Array, needs: Needs, values: Array, layout: Layout, total_kwh: float
) -> ShortfallError:
    step = int(np.argmax(np.abs(missing)))
    if what in CARRIERS:
        due = float(needs.load_kw(what)[step])
    else:
        held = values[layout[f"{what.removesuffix(' losses')}.energy"]]
        due, step = float(held[-1] + missing[0]), (needs.n_steps if what in layout.plant.stores else step)
        due = due if what in layout.plant.stores else float(held[step])
    return ShortfallError(
        facility, what, needs.time(step), due, float(missing.flat[np.argmax(np.abs(missing))]), total_kwh
    )
