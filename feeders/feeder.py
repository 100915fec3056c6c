"""A feeder: a pandapower net, the buses where people connect, its limits and its electrical distances."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
import pandapower as pp
import pandas as pd
from numpy.typing import NDArray
from pandapower.auxiliary import pandapowerNet

from feeders.background import background_power, voltage_dependent_buses
from feeders.checks import check_net
from feeders.controls import Controls
from feeders.errors import InputError
from feeders.impedance import driving_point_pu
from feeders.names import Names
from feeders.nodal import NodalModel, nodal_model
from feeders.repairs import repair_net

__all__ = ["Feeder"]

_EN_50160_VM_PU = (0.9, 1.1)  # EN 50160, supply voltage variations, +-10 % of the nominal voltage
_UNLIMITED_KA = 1000.0  # case files write 99999 where a rating is unknown


class Feeder:
    """A checked copy of a pandapower net, and what co-simulation asks of it.

    The net is a snapshot: changes made to ``feeder.net`` afterwards need a new Feeder. It carries one load
    more per bus, named "prosumers at bus X" and zero, where an engine's ``write_results`` puts the prosumers'
    powers.

    Parameters
    ----------
    net : pandapowerNet
        The user's net; it is copied and left as it is.
    name : str
        Name in messages and results.
    connection_buses : sequence of int or str, optional
        Buses where people can connect, by index or name. Default: the energised buses with a load in service;
        if these are on several voltage levels, those of the lowest. A net without loads: every energised bus
        except those of the external grids.
    vm_min_pu, vm_max_pu : float, optional
        Voltage limits [p.u.] of all buses. Default: ``min_vm_pu`` and ``max_vm_pu`` of ``net.bus`` where
        they are given, else 0.9 and 1.1 (EN 50160).

    Attributes
    ----------
    net : pandapowerNet
        The copy.
    name : str
    notes : list of str
        What was repaired or assumed in the copy.
    buses : ndarray of int, shape (n_buses,)
        Bus indices in the order of ``net.bus.index``, the order of all arrays per bus.
    connection_buses : ndarray of int
        Bus indices where people can connect.
    energised : ndarray of bool, shape (n_buses,)
        False where a bus is out of service or isolated.
    vm_min_pu, vm_max_pu : ndarray, shape (n_buses,)
        Voltage limits [p.u.].
    background_p_kw, background_q_kvar : ndarray, shape (n_buses,)
        What the net's own loads less its static generators plus its storages consume [kW, kvar], scaling
        applied, constant power at 1 p.u. Both are positive when consumed; 0 at buses that are not energised.
        An engine already includes them.
    has_dead_buses : bool
        Whether some bus is not energised.
    prosumer_loads : ndarray of int, shape (n_buses,)
        Row labels of the loads "prosumers at bus X" in ``net.load``. They are out of service beside
        voltage-dependent loads: pandapower would average the voltage dependence over all loads of the bus.
    voltage_dependent : ndarray of bool, shape (n_buses,)
        True where the net has voltage-dependent (ZIP) loads in service.
    nodal : NodalModel
        The net in per unit, for engines.
    controls : Controls
        Slack voltages and tap positions of the net as it was given.

    Raises
    ------
    InputError, InputErrors
        See `feeders.checks.check_net`; also for unknown or dead connection buses and limits that are not in
        order.
    """

    def __init__(
        self,
        net: pandapowerNet,
        name: str = "user net",
        *,
        connection_buses: Sequence[int | str] | None = None,
        vm_min_pu: float | None = None,
        vm_max_pu: float | None = None,
    ) -> None:
        check_net(net)
        self.net = copy.deepcopy(net)
        self.name = name
        self.notes: list[str] = repair_net(self.net)
        self.controls = Controls(self.net, name)
        self.nodal: NodalModel = nodal_model(self.net)
        self.buses: NDArray[np.int64] = self.net.bus.index.to_numpy(dtype=np.int64)
        self.energised: NDArray[np.bool_] = self.nodal.node_of_bus >= 0
        self.has_dead_buses = not self.energised.all()
        self._names = Names(name, "bus", self.buses, self.net.bus["name"].tolist())
        p_kw, q_kvar = background_power(self.net)
        self.background_p_kw = np.where(self.energised, p_kw, 0.0)
        self.background_q_kvar = np.where(self.energised, q_kvar, 0.0)
        self.vm_min_pu = self._limit("min_vm_pu", vm_min_pu, _EN_50160_VM_PU[0])
        self.vm_max_pu = self._limit("max_vm_pu", vm_max_pu, _EN_50160_VM_PU[1])
        self._check_limits()
        self.connection_buses: NDArray[np.int64] = (
            self._default_connections() if connection_buses is None else self._connections(connection_buses)
        )
        self.voltage_dependent = voltage_dependent_buses(self.net, self.nodal.node_of_bus)
        self.prosumer_loads: NDArray[np.int64] = self._add_prosumer_loads()

    def copy(self) -> Feeder:
        """The same feeder with a net of its own; what was derived from the net is shared, as nothing changes it."""
        twin = copy.copy(self)
        twin.net = copy.deepcopy(self.net)
        return twin

    def with_taps(self, taps: Mapping[int | str, int]) -> Feeder:
        """The same feeder, with a net of its own, at other tap positions; all others are as the feeder was given.

        Parameters
        ----------
        taps : mapping
            Position of each transformer, by its index in ``net.trafo`` or by name.

        Raises
        ------
        InputError, InputErrors
            See `feeders.controls.Controls.positions`; also if the net cannot be energised with these taps.
        """
        positions = self.controls.positions(taps)
        twin = self.copy()
        self.controls.put(twin.net, None, positions)
        twin.controls = Controls(twin.net, self.name)
        twin.nodal = nodal_model(twin.net)
        for derived in ("electrical_distance", "is_radial"):
            twin.__dict__.pop(derived, None)  # cached of the other taps
        return twin

    @property
    def n_buses(self) -> int:
        """Number of buses, energised or not."""
        return len(self.buses)

    def bus_by_name(self, bus: int | str) -> int:
        """Index of the bus with this name or index; a name comes before an index written as text.

        Raises
        ------
        InputError
            If no bus or several buses answer to it; the message names the nearest.
        """
        return self._names.index_of(bus)

    def bus_positions(self, buses: Sequence[int | str]) -> NDArray[np.int64]:
        """Positions of buses, given by index or name, in `buses` and in every array per bus.

        Raises
        ------
        InputError
            For the first bus that is unknown; the message names the nearest.
        """
        return self._names.positions(buses)

    @property
    def line_rating_ka(self) -> pd.Series[float]:
        """Rated current [kA] of each line, by index, parallel circuits together; NaN if not given."""
        line = self.net.line
        rating: pd.Series[float] = (line.max_i_ka * line.df * line.parallel).astype(float)
        return rating.where(line.max_i_ka < _UNLIMITED_KA).rename("line_rating_ka")

    @property
    def trafo_rating_kva(self) -> pd.Series[float]:
        """Rated power [kVA] of each two-winding transformer, by its index, parallel units together."""
        trafo = self.net.trafo
        rating: pd.Series[float] = (trafo.sn_mva * trafo.df * trafo.parallel * 1e3).astype(float)
        return rating.rename("trafo_rating_kva")

    @cached_property
    def electrical_distance(self) -> pd.DataFrame:
        """Driving-point impedance of each bus with the sources shorted, by bus index.

        Columns ``r_ohm``, ``x_ohm`` and ``z_ohm`` (magnitude), in ohm at the bus's own voltage level: the
        diagonal of the inverse of pandapower's admittance matrix without its source rows. On a radial feeder
        without shunts it is the impedance of the path to the source. NaN for buses that are not energised.
        """
        model = self.nodal
        z_node_ohm = driving_point_pu(model) * model.base_kv**2 / model.base_mva
        z_ohm = np.where(self.energised, z_node_ohm[model.node_of_bus], np.nan)
        columns = {"r_ohm": z_ohm.real, "x_ohm": z_ohm.imag, "z_ohm": np.abs(z_ohm)}
        distance = pd.DataFrame(columns, index=pd.Index(self.buses, name="bus"))
        distance[~self.energised] = np.nan  # NaN + 0j would leave x at 0
        return distance

    @cached_property
    def is_radial(self) -> bool:
        """Whether every energised bus has one path to one source.

        Parallel circuits between the same two nodes count as one; a connection between two sources is a loop.
        """
        model = self.nodal
        merged = np.arange(model.n_nodes)
        merged[model.slack_nodes] = model.slack_nodes[0]
        ends = np.column_stack([merged[model.branches.from_node], merged[model.branches.to_node]])
        n_circuits = len(np.unique(np.sort(ends, axis=1), axis=0))
        # Every energised node hangs on a source, so the graph is connected: a tree has one edge less than
        # nodes.
        return bool(n_circuits == len(np.unique(merged)) - 1)

    def _add_prosumer_loads(self) -> NDArray[np.int64]:
        names = [f"prosumers at bus {bus}" for bus in self.buses]
        powered = ~self.voltage_dependent
        rows = pp.create_loads(self.net, self.buses, p_mw=0.0, q_mvar=0.0, name=names, in_service=powered)
        return np.asarray(rows, dtype=np.int64)

    def _limit(self, column: str, value: float | None, default: float) -> NDArray[np.float64]:
        if value is not None:
            return np.full(self.n_buses, float(value))
        if column not in self.net.bus:
            return np.full(self.n_buses, default)
        given = self.net.bus[column].to_numpy(dtype=float)
        return np.where(np.isfinite(given), given, default)

    def _check_limits(self) -> None:
        wrong = ~((self.vm_min_pu > 0) & (self.vm_min_pu <= self.vm_max_pu) & np.isfinite(self.vm_max_pu))
        if wrong.any():
            at = int(np.argmax(wrong))
            value = (float(self.vm_min_pu[at]), float(self.vm_max_pu[at]))
            allowed = "0 < vm_min_pu <= vm_max_pu"
            raise InputError(f"feeder {self.name!r}", f"voltage limits of bus {self.buses[at]}", value, allowed)

    def _default_connections(self) -> NDArray[np.int64]:
        loads = self.net.load[self.net.load.in_service.astype(bool)]
        loaded = np.isin(self.buses, loads.bus) & self.energised
        if loaded.any():
            vn_kv = self.net.bus.vn_kv.to_numpy(dtype=float)
            connections = loaded & (vn_kv <= vn_kv[loaded].min() * (1 + 1e-9))
        else:
            connections = self.energised & ~np.isin(self.nodal.node_of_bus, self.nodal.slack_nodes)
        return np.asarray(self.buses[connections])

    def _connections(self, buses: Sequence[int | str]) -> NDArray[np.int64]:
        position = self.bus_positions(buses)
        where = f"feeder {self.name!r}"
        if not self.energised[position].all():
            dead = self.buses[position[~self.energised[position]]].tolist()
            raise InputError(where, "connection_buses", dead, "energised buses")
        if len(np.unique(position)) < len(position):
            raise InputError(where, "connection_buses", list(buses), "every bus once")
        return self.buses[position]
