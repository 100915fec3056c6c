"""Where and when a hosting capacity is asked for: a feeder, its homes, a day of load and sun, and what devices are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from agents.prosumer.fleet import FleetInputs
from cosim.hosting.day import Day, load_share, outdoor_c, price, sun_share
from cosim.hosting.devices import Devices
from feeders import Engine, Feeder, make_engine
from feeders.errors import InputError
from feeders.radial import radial_grid

__all__ = ["HOME_KW", "HostingCase", "hosting_case"]

Array = npt.NDArray[np.float64]

HOME_KW = 3.5
"""Peak load of a home; Nair et al., DER penetration: 984 homes of 3.5 kW at 123 nodes, 3.44 MW.

With it the loads of IEEE 123 at the source's 2930 kVA are 733 homes. Its kilowatts at 5 %, 168 of heat pumps and 396 of
cars, are those of 600 and 825 homes: it is not of one mind, and what loads say lies between.
"""


@dataclass(frozen=True)
class HostingCase:
    """A radial feeder on one day.

    Attributes
    ----------
    feeder : Feeder
    engine : Engine
        Of the feeder: the AC power flow that confirms.
    inputs : FleetInputs
        Load of each bus, sun, temperature and price.
    homes : array of int, shape (n_buses,)
        At each bus.
    peak_kva : float
        Apparent power of all loads at their peak: penetrations of PV and batteries are shares of it.
    candidates : array of int
        Positions in ``feeder.buses`` of the buses where devices can be, those with load unless others are named.
    devices : Devices
    """

    feeder: Feeder
    engine: Engine
    inputs: FleetInputs
    homes: npt.NDArray[np.int64]
    peak_kva: float
    candidates: npt.NDArray[np.int64]
    devices: Devices

    @property
    def n_homes(self) -> int:
        """Homes at the candidates: penetrations of cars and heat pumps are shares of them."""
        return int(self.homes[self.candidates].sum())

    @property
    def names(self) -> list[str]:
        """Name of each bus, in the order of ``feeder.buses``; its index where it has none, or another has the same."""
        given = [str(name) for name in self.feeder.net.bus["name"].tolist()]
        usable = [name not in ("None", "nan", "") and given.count(name) == 1 for name in given]
        labels = zip(usable, given, self.feeder.buses.tolist(), strict=True)
        return [name if good else str(bus) for good, name, bus in labels]

    def with_inputs(self, inputs: FleetInputs) -> HostingCase:
        """The same feeder and homes on another day."""
        return replace(self, inputs=inputs)


def hosting_case(
    feeder: Feeder,
    day: Day | None = None,
    devices: Devices | None = None,
    *,
    homes: int | None = None,
    nodes: Sequence[int | str] | None = None,
    engine: str = "auto",
) -> HostingCase:
    """A feeder whose own loads are peaks that follow the shape of a day.

    Parameters
    ----------
    feeder : Feeder
        Radial; its loads are taken as their peak.
    day : Day, optional
    devices : Devices, optional
    homes : int, optional
        Number of them in all, spread by active power, whole ones by largest remainder. Default: the peak load over
        `HOME_KW`.
    nodes : sequence of int or str, optional
        Buses where devices can be. Default: those with load, but for the sources'.
    engine : str
        One of `feeders.ENGINE_NAMES`.

    Raises
    ------
    InputError
        If the feeder is meshed (the message names the loop), has no node for devices, or nodes are unknown or dead.
    EngineRefusalError
        For branches and loads that no program of flows covers.
    """
    radial_grid(feeder)
    day, devices = day or Day(), devices or Devices()
    peak_kw, peak_kvar = feeder.background_p_kw, feeder.background_q_kvar
    candidates = _candidates(feeder, nodes)
    shape = load_share(day)
    inputs = FleetInputs(
        p_load_kw=shape[:, None] * peak_kw,
        q_load_kvar=shape[:, None] * peak_kvar,
        pv_share=sun_share(day),
        t_out_c=outdoor_c(day),
        price=price(day),
        step_h=day.step_h,
    )
    return HostingCase(
        feeder=feeder,
        engine=make_engine(feeder, engine),
        inputs=inputs,
        homes=_homes(peak_kw, candidates, homes),
        peak_kva=float(np.hypot(peak_kw.sum(), peak_kvar.sum())),
        candidates=candidates,
        devices=devices,
    )


def _candidates(feeder: Feeder, nodes: Sequence[int | str] | None) -> npt.NDArray[np.int64]:
    where = f"feeder {feeder.name!r}"
    loaded = feeder.background_p_kw > 0
    if not loaded.any():
        raise InputError(where, "load", 0, "a feeder with loads: hosting capacity is a share of their peak")
    if nodes is None:
        at_source = np.isin(feeder.nodal.node_of_bus, feeder.nodal.slack_nodes)
        found = np.flatnonzero(loaded & feeder.energised & ~at_source)
    else:
        found = np.unique(feeder.bus_positions(nodes))
        dead = found[~feeder.energised[found]]
        if len(dead):
            raise InputError(where, "nodes", feeder.buses[dead].tolist(), "energised buses")
    if not len(found):
        raise InputError(where, "nodes", [], "at least one node where devices can be")
    return found


def _homes(peak_kw: Array, candidates: npt.NDArray[np.int64], total: int | None) -> npt.NDArray[np.int64]:
    """Whole homes at the candidates by their load, or alike where they have none; by the largest remainder."""
    weights = np.zeros(len(peak_kw))
    weights[candidates] = np.maximum(peak_kw[candidates], 0.0)
    if not weights.any():
        weights[candidates] = 1.0
    wanted = int(np.round(np.maximum(peak_kw[candidates], 0.0).sum() / HOME_KW)) if total is None else total
    exact = weights / weights.sum() * wanted
    found: npt.NDArray[np.int64] = np.floor(exact).astype(np.int64)
    short = wanted - int(found.sum())
    found[np.argsort(found - exact, kind="stable")[:short]] += 1
    return found
