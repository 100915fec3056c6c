"""Money at nodal prices: who pays what for a dispatch, and what is left to the operator.

Each kWh costs what one more of it would have cost the feeder there and then: the duals of the dispatch (V. J. Nair et
al., "Dynamic resource coordination can increase grid hosting capacity", local retail market). Who consumes pays, who
feeds in is paid. The operator buys the import. What it keeps, the merchandising surplus, is what its branches earn:
each buys at one end and sells at the other, so that

    payments = import cost + rents of branches - what shunts consume

holds to rounding for the powers of the AC power flow, whatever the prices. A branch without congestion loses by its
losses and gains by their margins being higher than their mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from agents.dso.dispatch.dispatched import Dispatch
from agents.prosumer.fleet import Fleet, FleetInputs
from feeders.engines import Engine
from feeders.errors import InputError

__all__ = ["Settlement", "settle"]

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Settlement:
    """Payments of the whole time, in currency; > 0 is paid to the operator.

    Attributes
    ----------
    rows : DataFrame
        A row per row of the fleet, by its name: ``owner, bus, pv, battery, ev, hp, total, at_import_price, kwh``; the
        same devices at the price of import, and net energy consumed.
    loads : array, shape (n_buses,)
        What is paid for the load at each bus that nobody shifts.
    import_cost : float
        What the operator pays for what comes in from above.
    branch_rents : array, shape (T, n_branches)
        What each branch of ``engine.nodal.branches`` earns: power out times the price there, less power in times its.
    shunts : float
        Price of what shunts consume.
    source_margin : float
        Import at the price of the dispatch less at the price that is paid: 0 where the objective has it unweighted.
    """

    rows: pd.DataFrame
    loads: Array
    import_cost: float
    branch_rents: Array
    shunts: float
    source_margin: float

    @property
    def payments(self) -> float:
        """Of everybody."""
        return float(self.rows["total"].sum() + self.loads.sum())

    @property
    def surplus(self) -> float:
        """What the operator is left with."""
        return self.payments - self.import_cost

    @property
    def unexplained(self) -> float:
        """What of the surplus is not the rents of branches, shunts and the margin at the source: rounding."""
        return self.surplus - (float(self.branch_rents.sum()) - self.shunts + self.source_margin)

    def by_owner(self) -> pd.DataFrame:
        """`rows` summed over the rows of each owner."""
        return self.rows.drop(columns="bus").groupby("owner", sort=False).sum()


def settle(
    engine: Engine, fleet: Fleet, inputs: FleetInputs, dispatch: Dispatch, owners: Sequence[str] | None = None
) -> Settlement:
    """Settle a dispatch at its nodal prices.

    Parameters
    ----------
    engine, fleet, inputs
        As it was dispatched.
    dispatch : Dispatch
        With an AC power flow.
    owners : sequence of str, optional
        Whose each row of the fleet is. Default: its name.

    Raises
    ------
    InputError
        For a dispatch without prices or AC power flow.
    """
    if dispatch.flows is None or dispatch.status != "optimal":
        raise InputError("settlement", "dispatch", dispatch.status, "one with an AC power flow")
    at, h = engine.feeder.bus_positions(fleet.bus.tolist()), inputs.step_h
    price = np.where(np.isnan(dispatch.price), 0.0, dispatch.price)
    here = h * price[:, at]
    devices = {
        "pv": -dispatch.p_pv_kw,
        "battery": dispatch.p_charge_kw - dispatch.p_discharge_kw,
        "ev": dispatch.p_ev_charge_kw - dispatch.p_ev_discharge_kw,
        "hp": dispatch.p_hp_kw,
    }
    rows = pd.DataFrame({name: (here * p_kw).sum(axis=0) for name, p_kw in devices.items()}, index=fleet.names)
    rows.insert(0, "owner", list(fleet.names if owners is None else owners))
    rows.insert(1, "bus", fleet.bus)
    rows["total"] = (here * dispatch.p_kw).sum(axis=0)
    rows["at_import_price"] = h * inputs.price @ dispatch.p_kw
    rows["kwh"] = h * dispatch.p_kw.sum(axis=0)
    loads = h * (price * inputs.p_load_kw).sum(axis=0)
    return Settlement(rows, loads, *_of_grid(engine, inputs, price, dispatch, at))


def _of_grid(
    engine: Engine, inputs: FleetInputs, price: Array, dispatch: Dispatch, at: IntArray
) -> tuple[float, Array, float, float]:
    """Cost of import, rents of branches, price of what shunts consume, and the margin at the source."""
    assert dispatch.flows is not None
    model, h, v = engine.nodal, inputs.step_h, dispatch.flows.voltages
    kw, alive = model.base_mva * 1e3, model.node_of_bus >= 0
    of_node = np.zeros((len(inputs), model.n_nodes))  # where no bus is, nothing is fed in: any price gives the same sum
    of_node[:, model.node_of_bus[alive]] = price[:, alive]
    rents = np.zeros((len(inputs), len(model.branches.from_node)))
    ends = (
        (model.from_admittance_pu, model.branches.from_node),
        (model.to_admittance_pu, model.branches.to_node),
    )
    for admittance, node in ends:
        into_kw = kw * (v[:, node] * (admittance @ v.T).T.conj()).real
        rents -= h * into_kw * of_node[:, node]
    shunts = h * kw * float((of_node * np.abs(v) ** 2 * model.shunt_pu.real).sum())
    used_kw = inputs.p_load_kw.copy()
    np.add.at(used_kw.T, at, dispatch.p_kw.T)
    used_kw[:, ~np.isin(model.node_of_bus, model.slack_nodes)] = 0.0
    through_kw = kw * (v * (model.admittance_pu @ v.T).T.conj()).real[:, model.slack_nodes]
    import_kw = through_kw.sum(axis=1) + used_kw.sum(axis=1)
    worth = (through_kw * of_node[:, model.slack_nodes]).sum() + (used_kw * price).sum()
    import_cost = float(h * inputs.price @ import_kw)
    return import_cost, rents, shunts, float(h * worth) - import_cost
