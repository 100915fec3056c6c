"""AC power flows of a year of a region, reduced to what a study asks of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from feeders.branch_flow import line_loading, trafo_active_kw, trafo_loading
from feeders.engines import Engine, make_engine
from feeders.errors import InputError, PowerFlowError
from feeders.region import Region

__all__ = ["YearFlow", "year_flow"]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]
Index = npt.NDArray[np.int64]

_CELLS_MAX = 1_000_000  # steps times nodes in one batch: bounds its memory to some 200 MB


@dataclass(frozen=True, eq=False)
class YearFlow:
    """What T power flows of a region with S stations say. Loadings are shares of the rating.

    Attributes
    ----------
    p_region_kw : array, shape (T,)
        Load of the region on the MV side of the head transformer [kW], positive when it consumes. With several in
        parallel, of all of them. Where the only station is its own head, its load.
    p_station_kw : array, shape (T, S)
        Load of each station on its MV side [kW].
    p_dc_kw : array, shape (T,)
        What homes and background consume together [kW]: the region's load but for losses.
    vm_low_pu, vm_high_pu : array, shape (T,)
        Lowest and highest voltage at any home [p.u.].
    station_loading, line_loading, head_loading : array, shapes (T, S), (T,), (T,)
        Larger apparent power of the two sides of each station's transformer; larger current of the two ends of the line
        loaded most; loading of the head transformer, the highest of those in parallel. NaN where no line has a rating.
    homes : DataFrame
        A home a row: ``vm_min_pu``, ``vm_max_pu``, and ``low_h`` and ``high_h``, hours below and above the limits.
    lines : DataFrame
        A line a row, by its index in ``net.line``: ``loading_max`` and ``step``, when it is reached first; NaN and -1
        where the line is dead or has no rating.
    """

    p_region_kw: FloatArray
    p_station_kw: FloatArray
    p_dc_kw: FloatArray
    vm_low_pu: FloatArray
    vm_high_pu: FloatArray
    station_loading: FloatArray
    line_loading: FloatArray
    head_loading: FloatArray
    homes: pd.DataFrame
    lines: pd.DataFrame

    @property
    def loss_kw(self) -> FloatArray:
        """Losses below the point where the region is metered, shape (T,) [kW]."""
        return self.p_region_kw - self.p_dc_kw


def year_flow(
    region: Region,
    p_kw: npt.ArrayLike,
    power_factor: float = 0.95,
    *,
    q_kvar: npt.ArrayLike | None = None,
    vm_min_pu: float | None = None,
    vm_max_pu: float | None = None,
    step_h: float = 0.25,
    engine: str = "auto",
) -> YearFlow:
    """AC power flow of every step, each from the homes' meters alone.

    Steps are solved in batches of some 1400 (of 720 nodes) and reduced at once, so that memory does not grow with the
    year but for the results.

    Parameters
    ----------
    region : Region
        Homes and net; what the net consumes by itself is constant over the year.
    p_kw : array_like, shape (T, n)
        Power at the homes' meters [kW], positive when consumed, in the order of ``region.homes``.
    power_factor : float
        Of what a home consumes: it then takes ``tan(acos(power_factor)) p`` of reactive power. A home that feeds in
        has none.
    q_kvar : array_like, shape (T, n), optional
        Reactive power that homes inject [kvar], in place of `power_factor`.
    vm_min_pu, vm_max_pu : float, optional
        Limits that ``low_h`` and ``high_h`` count by [p.u.]. Default: the feeder's, at each home's bus.
    step_h : float
        Length of a step [h].
    engine : str
        One of `feeders.engines.ENGINE_NAMES`.

    Raises
    ------
    InputError
        Wrong shape, a power factor outside (0, 1], a step that is not above 0, or powers that are not finite.
    PowerFlowError
        If a flow diverges, or a voltage is not plausible; its ``scenario`` is the step.
    """
    p, q = _checked(region, p_kw, q_kvar, power_factor, step_h)
    flows = make_engine(region.feeder, engine)
    at = region.feeder.bus_positions(region.homes.bus.tolist())
    reading = _Reading(region, flows, len(p), (vm_min_pu, vm_max_pu))
    reactive = np.tan(np.arccos(power_factor))
    for rows in _chunks(len(p), flows.nodal.n_nodes):
        injected = -reactive * np.maximum(p[rows], 0.0) if q is None else q[rows]
        p_bus, q_bus = (_per_bus(values, at, region.feeder.n_buses) for values in (p[rows], injected))
        reading.read(rows, _voltages(flows, p_bus, q_bus, rows.start))
        reading.p_dc_kw[rows] = p[rows].sum(axis=1) + region.feeder.background_p_kw.sum()
    return reading.result(step_h)


class _Reading:
    """Results of the year, filled chunk by chunk."""

    def __init__(self, region: Region, flows: Engine, n_steps: int, limits: tuple[float | None, float | None]) -> None:
        feeder, net = region.feeder, region.feeder.net
        self._region, self._model = region, flows.nodal
        self._stations = _rows(net.trafo, region.stations.trafo)
        heads = _rows(net.trafo, region.head_trafos)
        self._heads = heads[self._model.trafo_branch[heads] >= 0]  # without those that an open switch cuts off
        self._own_head = region.head_trafo in set(region.stations.trafo)
        at = feeder.bus_positions(region.homes.bus.tolist())
        self._nodes, self._node_of_home = np.unique(self._model.node_of_bus[at], return_inverse=True)
        own = (feeder.vm_min_pu[at], feeder.vm_max_pu[at])
        given = (limits[0] if limits[0] is not None else own[0], limits[1] if limits[1] is not None else own[1])
        self._low, self._high = given  # one number, or one per home
        n_stations = len(region.stations)
        self.p_region_kw, self.p_dc_kw, self._head_loading = (np.empty(n_steps) for _ in range(3))
        self._p_station_kw, self._station_loading = (np.empty((n_steps, n_stations)) for _ in range(2))
        self._line_step_max, self._vm_low, self._vm_high = (np.empty(n_steps) for _ in range(3))
        self._vm_min, self._vm_max = np.full(len(at), np.inf), np.full(len(at), -np.inf)
        self._low_steps, self._high_steps = np.zeros(len(at), np.int64), np.zeros(len(at), np.int64)
        self._line_max, self._line_step = np.full(len(net.line), np.nan), np.full(len(net.line), -1)

    def read(self, rows: slice, voltages: ComplexArray) -> None:
        """Take the flows of these steps, shape (K, n_nodes)."""
        self._read_stations(rows, voltages)
        self._read_lines(rows, voltages)
        vm_pu = np.abs(voltages[:, self._nodes])
        self._vm_low[rows], self._vm_high[rows] = vm_pu.min(axis=1), vm_pu.max(axis=1)
        np.minimum(self._vm_min, vm_pu.min(axis=0)[self._node_of_home], out=self._vm_min)
        np.maximum(self._vm_max, vm_pu.max(axis=0)[self._node_of_home], out=self._vm_max)
        of_home = vm_pu[:, self._node_of_home]
        self._low_steps += (of_home < self._low).sum(axis=0)
        self._high_steps += (of_home > self._high).sum(axis=0)

    def _read_stations(self, rows: slice, voltages: ComplexArray) -> None:
        loading = trafo_loading(self._region.feeder, self._model, voltages)
        self._station_loading[rows] = loading[:, self._stations]
        self._head_loading[rows] = loading[:, self._heads].max(axis=1)
        self._p_station_kw[rows] = trafo_active_kw(self._model, voltages, self._stations)[:, :, 0]
        side = 0 if self._own_head else 1  # of the head transformer, the one on medium voltage
        self.p_region_kw[rows] = trafo_active_kw(self._model, voltages, self._heads)[:, :, side].sum(axis=1)

    def _read_lines(self, rows: slice, voltages: ComplexArray) -> None:
        loading = line_loading(self._region.feeder, self._model, voltages)
        self._line_step_max[rows] = np.fmax.reduce(loading, axis=1, initial=np.nan)
        known = np.flatnonzero(np.isfinite(loading).all(axis=0))
        first = loading[:, known].argmax(axis=0)
        highest = loading[first, known]
        higher = ~(highest <= self._line_max[known])  # or the first chunk
        self._line_max[known[higher]] = highest[higher]
        self._line_step[known[higher]] = first[higher] + rows.start

    def result(self, step_h: float) -> YearFlow:
        homes = {
            "vm_min_pu": self._vm_min,
            "vm_max_pu": self._vm_max,
            "low_h": self._low_steps * step_h,
            "high_h": self._high_steps * step_h,
        }
        lines = {"loading_max": self._line_max, "step": self._line_step}
        return YearFlow(
            p_region_kw=self.p_region_kw,
            p_station_kw=self._p_station_kw,
            p_dc_kw=self.p_dc_kw,
            vm_low_pu=self._vm_low,
            vm_high_pu=self._vm_high,
            station_loading=self._station_loading,
            line_loading=self._line_step_max,
            head_loading=self._head_loading,
            homes=pd.DataFrame(homes, index=self._region.homes.index),
            lines=pd.DataFrame(lines, index=self._region.feeder.net.line.index),
        )


def _checked(
    region: Region, p_kw: npt.ArrayLike, q_kvar: npt.ArrayLike | None, power_factor: float, step_h: float
) -> tuple[FloatArray, FloatArray | None]:
    where = f"year flow of region {region.feeder.name!r}"
    p = np.asarray(p_kw, dtype=float)
    q = None if q_kvar is None else np.asarray(q_kvar, dtype=float)
    for field, values in (("p_kw", p), ("q_kvar", q)):
        if values is not None and (values.ndim != 2 or values.shape[1] != len(region.homes) or not len(values)):
            raise InputError(where, f"shape of {field}", values.shape, f"(T, {len(region.homes)}), T at least 1")
    if q is not None and q.shape != p.shape:
        raise InputError(where, "shape of q_kvar", q.shape, f"{p.shape}, that of p_kw")
    if not 0.0 < power_factor <= 1.0:
        raise InputError(where, "power_factor", power_factor, "above 0 and at most 1")
    if not 0.0 < step_h < np.inf:
        raise InputError(where, "step_h", step_h, "hours above 0")
    return p, q


def _chunks(n_steps: int, n_nodes: int) -> Iterator[slice]:
    size = max(1, _CELLS_MAX // n_nodes)
    return (slice(start, min(start + size, n_steps)) for start in range(0, n_steps, size))


def _rows(table: pd.DataFrame, indices: pd.Series[int] | list[int]) -> Index:
    return np.asarray(table.index.get_indexer(pd.Index(indices)), dtype=np.int64)


def _per_bus(values: FloatArray, at: Index, n_buses: int) -> FloatArray:
    """Homes' values, shape (K, n), summed at their buses, shape (K, n_buses)."""
    per_bus = np.zeros((len(values), n_buses))
    np.add.at(per_bus.T, at, values.T)  # homes may share a bus
    return per_bus


def _voltages(flows: Engine, p_bus: FloatArray, q_bus: FloatArray, first: int) -> ComplexArray:
    """Complex voltages of the steps from `first` on; an error names the step of the year."""
    try:
        return flows.node_voltages(p_bus, q_bus)
    except PowerFlowError as error:
        raise error.of_scenario(first + (error.scenario or 0)) from None
