"""One scenario's dispatch as a sparse linear program over [x | y]: first-stage ratings x, operation y.

All of operation is linear in the ratings, so that scenarios stack side by side: `x_part` one above the other, `y_part`
on the diagonal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.dso.dispatch.affine import Affine
from agents.dso.dispatch.builder import Builder, Group
from agents.dso.dispatch.device_rows import Devices, device_rows
from agents.dso.dispatch.network import Balance, Reach, network_rows
from agents.dso.dispatch.settings import DispatchSettings
from agents.dso.dispatch.sizing import Sizing
from agents.dso.dispatch.wires import Point, Wires
from agents.prosumer.fleet import Fleet, FleetInputs

__all__ = ["ScenarioProgram", "scenario_program"]

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ScenarioProgram:
    """Minimise ``cost @ y + constant``, ``row_lower <= x_part @ x + y_part @ y <= row_upper``, ``lower <= y <= upper``.

    Attributes
    ----------
    cost, lower, upper : array, shape (Y,)
        Costs in currency.
    row_lower, row_upper : array, shape (rows,)
    x_part, y_part : sparse array, shape (rows, X) and (rows, Y)
    groups : dict of str to Group
        Columns of y by meaning, each (T, k). Of the wires, over nodes: ``p_kw, q_kvar`` (sent into the branch to each;
        import at a source), ``v`` (thousandths of squared voltage), ``q_inverter`` (injected); over branches ``loss_p,
        loss_q``, and ``rest_p, rest_q`` of all others [kW]. Of devices, over rows of the fleet: ``curtailed``;
        ``charge, discharge, energy`` (above the least one); ``ev_charge, ev_discharge, ev_short, ev_over`` (of the
        target); ``hp, warmer, colder`` (than the set-point, times the heat capacity [kWh]), ``more, less`` (change from
        the step before).
    balance : Balance
        Rows of the balances of power at each node.
    sizing : Sizing
    constant : float
    """

    cost: Array
    lower: Array
    upper: Array
    row_lower: Array
    row_upper: Array
    x_part: sparse.csr_array
    y_part: sparse.csr_array
    groups: dict[str, Group]
    balance: Balance
    sizing: Sizing
    constant: float


def scenario_program(
    wires: Wires,
    fleet: Fleet,
    inputs: FleetInputs,
    settings: DispatchSettings,
    point: Point,
    *,
    sizing: Sizing | None = None,
    x_upper: Array | None = None,
    tangents: list[Point] | None = None,
    outside_cost: float | None = None,
) -> ScenarioProgram:
    """The program of one scenario, made linear at a point of flows.

    Parameters
    ----------
    point : Point
        Where losses, and the corners of ratings, are taken from: ``wires.point`` of the last solution.
    sizing : Sizing, optional
        Ratings that x chooses; they rise with x, from those of the fleet at 0 to those at `x_upper`.
    x_upper : array, shape (X,)
        Highest values of x; only for which rows can matter.
    tangents : list of Point, optional
        Where tangents of the cost of losses touch. Without them that cost is left out.
    outside_cost : float, optional
        Limits give way at this cost per p.u. of voltage, or share of ratings, and step: the group ``outside``.

    Raises
    ------
    InputError
        For devices at buses that are not energised.
    """
    chosen = Sizing({}, 0) if sizing is None else sizing
    devices = Devices.of(fleet, inputs, chosen, np.zeros(chosen.n_x) if x_upper is None else x_upper)
    node = wires.node_of(fleet)
    builder = Builder(len(inputs), chosen.n_x)
    uses = device_rows(builder, devices, settings)
    load = wires.grid.per_row(inputs.p_load_kw), wires.grid.per_row(inputs.q_load_kvar)
    weights, hours = settings.weights, inputs.step_h
    import_cost = weights.import_price * inputs.price * hours
    costs = import_cost, import_cost + weights.losses * hours
    injected = _reactive(builder, devices, node)
    reach = _reach(wires, devices, node, load)
    balance = network_rows(builder, wires, point, load, settings, reach, costs, tangents or [], outside_cost)
    for use in uses:
        builder.add(balance.p[:, node[use.of]], use.columns, -use.sign)
    _sun(builder, devices, node, balance)
    if injected:
        group = builder.groups["q_inverter"]
        builder.add(balance.q[:, group.of], group.index, 1.0)
    lower, upper, cost = builder.column_bounds()
    x_part, y_part = builder.matrices()
    rows = builder.row_bounds()
    return ScenarioProgram(cost, lower, upper, *rows, x_part, y_part, builder.groups, balance, chosen, builder.constant)


def _reactive(builder: Builder, devices: Devices, node: IntArray) -> bool:
    """Reactive power of the inverters at each node together; whether there are any."""
    of = devices.owners("pv_kw", "battery_kw")
    of = of[devices.fleet.q_share[of] > 0]
    if not len(of):
        return False
    nodes, where = np.unique(node[of], return_inverse=True)
    at = sparse.csr_array((devices.fleet.q_share[of], (where, np.arange(len(of)))), shape=(len(nodes), len(of)))
    rating = devices.rating("pv_kw", of).plus(devices.rating("battery_kw", of))
    most = Affine(at @ rating.constant, sparse.csr_array(at @ rating.per_x)).times(
        np.ones((len(devices.inputs), len(nodes)))
    )
    columns = builder.columns("q_inverter", nodes, -np.inf, np.inf)
    builder.at_most(columns, most)
    builder.at_least(columns, most.times(-np.ones(len(most.constant))))
    return True


def _sun(builder: Builder, devices: Devices, node: IntArray, balance: Balance) -> None:
    """What the sun allows, given to the nodes; curtailed power is a column beside it."""
    of = devices.owners("pv_kw")
    share = devices.inputs.pv_share
    if not len(of) or not share.any():
        return
    rows = balance.p[:, node[of]]
    allowed = devices.rating("pv_kw", of).times(share[:, None] * np.ones(len(of)))
    builder.shift(rows.ravel(), -allowed.constant)
    builder.add_x(rows.ravel(), allowed, 1.0)


def _reach(wires: Wires, devices: Devices, node: IntArray, load: tuple[Array, Array]) -> Reach:
    most, inputs = devices.most, devices.inputs
    n_steps = len(inputs)
    home = ~most.away(inputs.step_h, n_steps, inputs.start_h)
    consumed = most.battery_kw + most.hp_kw + home * most.ev_kw
    given = most.battery_kw + home * most.ev_kw * most.ev_v2g + inputs.pv_share[:, None] * most.pv_kw
    q_spread = wires.summed(node, (most.q_share * (most.pv_kw + most.battery_kw))[None])
    p_low, p_high = load[0] - wires.summed(node, given), load[0] + wires.summed(node, consumed)
    return Reach(p_low, p_high, load[1] - q_spread, load[1] + q_spread)
