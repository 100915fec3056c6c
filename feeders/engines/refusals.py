"""What the fast engines refuse, since they would not compute it as pandapower does."""

from __future__ import annotations

import numpy as np

from feeders.errors import EngineRefusalError
from feeders.feeder import Feeder

__all__ = ["no_constant_power", "refuse_unsupported", "unsupported"]

_REFUSED_TABLES = {
    "gen": "voltage-controlled generators",
    "xward": "extended wards",
    "ward": "wards",
    "motor": "motors",
    "asymmetric_load": "asymmetric loads",
    "asymmetric_sgen": "asymmetric static generators",
    "dcline": "DC lines",
    "svc": "static var compensators",
    "ssc": "static synchronous compensators",
    "tcsc": "thyristor-controlled series capacitors",
    "vsc": "voltage source converters",
}


def refuse_unsupported(feeder: Feeder, engine: str) -> None:
    """Refuse what the fast engine of this name would not compute as pandapower does.

    Raises
    ------
    EngineRefusalError
        For what `unsupported` finds; the message names it and the engine that can.
    """
    what = unsupported(feeder)
    if what is not None:
        raise EngineRefusalError(
            f"feeder {feeder.name!r}: {engine} cannot compute {what} as pandapower does; use the engine 'pandapower'"
        )


def unsupported(feeder: Feeder) -> str | None:
    """What only pandapower computes, in words: what `no_constant_power` finds, and branches that are not symmetric.
    None if there is nothing.
    """
    return no_constant_power(feeder) or _asymmetric_branches(feeder)


def no_constant_power(feeder: Feeder) -> str | None:
    """What is no admittance, source or constant power, in words: elements in service of a kind that is not translated,
    and voltage-dependent loads. None if there is nothing.
    """
    for table, plural in _REFUSED_TABLES.items():
        frame = feeder.net[table]
        rows = frame.index[frame.in_service.astype(bool)].tolist()
        if rows:
            return f"{plural} (net.{table} {rows})"
    if feeder.voltage_dependent.any():
        return f"voltage-dependent loads (net.load at buses {feeder.buses[feeder.voltage_dependent].tolist()})"
    return None


def _asymmetric_branches(feeder: Feeder) -> str | None:
    branches = feeder.nodal.branches
    if branches.asymmetric.any():
        nodes = np.concatenate([branches.from_node, branches.to_node])[np.tile(branches.asymmetric, 2)]
        buses = feeder.buses[np.isin(feeder.nodal.node_of_bus, nodes)].tolist()
        what = "branches with unequal ends (transformers with a leakage ratio other than 0.5, impedances)"
        return f"{what} (at buses {buses})"
    return None
