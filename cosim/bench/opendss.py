"""A feeder of ours in OpenDSS: the same impedances, loads and inverters, so that both compute the same circuit.

Balanced three-phase flow is one phase per unit, so every element has one phase and every node one base voltage; a
transformer is the pi equivalent of its ratio. Needs the extra ``bench``.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from cosim.bench.curves import VOLT_VAR, VOLT_WATT
from feeders import Feeder
from feeders.errors import CosimError, InputError

__all__ = ["Control", "Day", "OpenDss", "PeerError", "opendss_module"]

FloatArray = NDArray[np.float64]

_BASE_KV = 100.0  # of every node: large, so that OpenDSS's least impedance of a source is nothing beside the feeder's
_SOURCE_OHM = 1e-6
_ANY_VOLTAGE = "vminpu=0.4 vmaxpu=1.6"  # constant power in between; beyond it OpenDSS takes constant impedance


class PeerError(CosimError):
    """OpenDSS gives up, e.g. because its controls do not settle."""


@dataclass(frozen=True)
class Control:
    """Settings of an InvControl.

    Attributes
    ----------
    watt : bool
        Whether the volt-watt curve applies beside the volt-var curve.
    step : float
        Share of the way to the curve in one control iteration, ``deltaQ_factor`` and ``deltaP_factor``.
    voltage_pu, power_pu : float
        Changes between iterations below which it rests.
    """

    watt: bool
    step: float
    voltage_pu: float = 1e-4
    power_pu: float = 1e-3


@dataclass(frozen=True)
class Day:
    """What happens minute by minute: arrays of shape (n_minutes, n) [kW, kvar], load and sun of each prosumer."""

    p_load_kw: FloatArray
    q_load_kvar: FloatArray
    p_pv_kw: FloatArray


def opendss_module() -> ModuleType | None:
    """OpenDSSDirect, or None where it is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its own imports
            import opendssdirect
    except ImportError:
        return None
    module: ModuleType = opendssdirect
    return module


class OpenDss:
    """The feeder with its prosumers as OpenDSS's one circuit; a later one takes its place.

    Parameters
    ----------
    feeder : Feeder
        Its nodal model and its own constant powers are exported.
    bus : sequence of int
        Bus index of each prosumer.
    inverter_kva : array, shape (n,)
        Ratings.
    day : Day
        Load with a power factor that does not change, and sun.
    control : Control, optional
        None: no inverter does anything.

    Raises
    ------
    InputError
        Where OpenDSSDirect is not installed, or a meshed feeder shifts phases: then one phase is not enough.
    """

    def __init__(
        self, feeder: Feeder, bus: Sequence[int], inverter_kva: FloatArray, day: Day, control: Control | None = None
    ) -> None:
        module = opendss_module()
        if module is None:
            raise InputError("bench", "opendssdirect", None, "installed: pip install cosim-prosumers[bench]")
        if feeder.nodal.branches.shift_rad.any() and not feeder.is_radial:
            raise InputError("bench", "feeder", feeder.name, "a radial feeder, or no phase shifts")
        self._dss, self._n = module, len(bus)
        self._n_minutes = len(day.p_load_kw)
        node = feeder.nodal.node_of_bus[feeder.bus_positions(bus)]
        for command in (*_circuit(feeder), *_background(feeder), *_prosumers(node, inverter_kva, day)):
            module.Text.Command(command)
        self._shapes(day, inverter_kva)
        for command in (*_controls(self._n, control), *_settings()):
            module.Text.Command(command)

    def solve(self) -> None:
        """Live the day in one command: the fastest of OpenDSS's ways.

        Load shapes, ``mode=daily`` and monitors take up to 20 % less than setting powers and reading voltages
        minute by minute from Python.

        Raises
        ------
        PeerError
            When OpenDSS does.
        """
        text = self._dss.Text
        text.Command(f"set mode=daily stepsize=1m number={self._n_minutes} hour=0 sec=0 controlmode=static")
        try:
            self._dss.Solution.Solve()
        except self._dss.DSSException as error:
            raise PeerError(" ".join(str(error).split())) from None

    def voltages(self) -> FloatArray:
        """Voltage at each prosumer [p.u.], shape (n_minutes, n), as the monitors have them (single precision)."""
        vm_pu = np.empty((self._n_minutes, self._n))
        for row in range(self._n):
            self._dss.Monitors.Name(f"m{row}")
            vm_pu[:, row] = self._dss.Monitors.Channel(1)
        return vm_pu / (1e3 * _BASE_KV)

    def _shapes(self, day: Day, inverter_kva: FloatArray) -> None:
        """The day as load shapes: of loads in kW, of inverters as share of their rating."""
        shapes = self._dss.LoadShape
        for kind, values in (("load", day.p_load_kw), ("sun", day.p_pv_kw / inverter_kva)):
            for row in range(self._n):
                shapes.Name(f"{kind}{row}")
                shapes.PMult(values[:, row].tolist())


def _circuit(feeder: Feeder) -> Iterator[str]:
    """Sources, and each branch as a series impedance; what a pi has at its ends is gathered at the nodes."""
    model, branches = feeder.nodal, feeder.nodal.branches
    sources = zip(model.slack_nodes.tolist(), model.slack_vm_pu.tolist(), strict=True)
    for row, (node, vm_pu) in enumerate(sources):
        what = f"circuit.feeder bus1=n{node}" if row == 0 else f"vsource.v{row} bus1=n{node}"
        ohm = f"z1=[0, {_SOURCE_OHM}] z0=[0, {_SOURCE_OHM}]"
        if row == 0:
            yield "clear"
        yield f"new {what} phases=1 basekv={_BASE_KV} pu={vm_pu!r} {ohm}"
    between = branches.from_node != branches.to_node
    start, end, ratio = branches.from_node[between], branches.to_node[between], branches.ratio[between]
    series = 1 / (branches.r_pu[between] + 1j * branches.x_pu[between])
    charging = (branches.g_pu[between] + 1j * branches.b_pu[between]) / 2
    shunt = model.shunt_pu.copy()
    np.add.at(shunt, start, (series + charging) / ratio**2 - series / ratio)
    np.add.at(shunt, end, series + charging - series / ratio)
    for row, (i, j, y) in enumerate(zip(start.tolist(), end.tolist(), (series / ratio).tolist(), strict=True)):
        yield f"new reactor.b{row} phases=1 bus1=n{i} bus2=n{j} {_impedance(y, model.base_mva)}"
    for node in np.flatnonzero(shunt).tolist():
        yield f"new reactor.s{node} phases=1 bus1=n{node} {_impedance(complex(shunt[node]), model.base_mva)}"


def _impedance(y_pu: complex, base_mva: float) -> str:
    z_ohm = _BASE_KV**2 / base_mva / y_pu
    return f"r={z_ohm.real!r} x={z_ohm.imag!r}"


def _background(feeder: Feeder) -> Iterator[str]:
    """The feeder's own powers, constant."""
    p_kw, q_kvar = feeder.background_p_kw.tolist(), feeder.background_q_kvar.tolist()
    for position, node in enumerate(feeder.nodal.node_of_bus.tolist()):
        if p_kw[position] or q_kvar[position]:
            power = f"kw={p_kw[position]!r} kvar={q_kvar[position]!r}"
            yield f"new load.own{position} phases=1 bus1=n{node} kv={_BASE_KV} {power} model=1 {_ANY_VOLTAGE}"


def _prosumers(node: NDArray[np.int64], inverter_kva: FloatArray, day: Day) -> Iterator[str]:
    """A load of 1 kW times its shape, and a PV system of the inverter's size in a sun that is its shape."""
    total = day.p_load_kw.sum(axis=0)
    slope = np.divide(day.q_load_kvar.sum(axis=0), total, out=np.zeros(len(node)), where=total > 0)
    for row, (at, kvar, kva) in enumerate(zip(node.tolist(), slope.tolist(), inverter_kva.tolist(), strict=True)):
        for shape in ("load", "sun"):
            yield f"new loadshape.{shape}{row} npts={len(day.p_load_kw)} minterval=1"
        place = f"phases=1 bus1=n{at} kv={_BASE_KV} {_ANY_VOLTAGE}"
        yield f"new load.home{row} {place} kw=1 kvar={kvar!r} model=1 daily=load{row}"
        # Active power has priority, as in `agents.prosumer.reactive_power`; nothing is lost, nothing cuts in or out.
        sun = f"kva={kva!r} pmpp={kva!r} irradiance=1 pf=1 %cutin=0 %cutout=0 wattpriority=yes daily=sun{row}"
        yield f"new pvsystem.home{row} {place} {sun}"
        yield f"new monitor.m{row} element=load.home{row} terminal=1 mode=32"


def _controls(n: int, control: Control | None) -> Iterator[str]:
    if control is None:
        return
    for name, (voltages, values) in (("var", VOLT_VAR), ("watt", VOLT_WATT)):
        # OpenDSS goes on along the last slope, so the ends are repeated far outside.
        x, y = (0.4, *voltages, 1.6), (values[0], *values, values[-1])
        yield f"new xycurve.{name} npts={len(x)} xarray=[{_words(x)}] yarray=[{_words(y)}]"
    mode = "combimode=VV_VW" if control.watt else "mode=VOLTVAR"
    curves = "vvc_curve1=var RefReactivePower=VARMAX voltwatt_curve=watt voltwattyaxis=PMPPPU voltage_curvex_ref=rated"
    rests = f"VoltageChangeTolerance={control.voltage_pu} VarChangeTolerance={control.power_pu}"
    rests += f" ActivePChangeTolerance={control.power_pu}"
    steps = f"deltaQ_factor={control.step} deltaP_factor={control.step}"
    inverters = " ".join(f"pvsystem.home{row}" for row in range(n))
    yield f"new invcontrol.all derlist=[{inverters}] {mode} {curves} {rests} {steps}"


def _settings() -> tuple[str, ...]:
    line_kv = _BASE_KV * 3**0.5  # OpenDSS's bases are between lines, and these nodes have one phase
    return (
        f"set voltagebases=[{line_kv!r}]",
        "calcvoltagebases",
        "set tolerance=1e-8 maxiterations=100 maxcontroliter=1000",
    )


def _words(values: Sequence[float]) -> str:
    return " ".join(map(str, values))
