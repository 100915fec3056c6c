"""The IEEE 123 node test feeder, unbalanced, as commands of OpenDSS: a check of the balanced equivalent, and a start
for whoever wants to go on with the phases.

Regulators are transformers with their published tap of each phase, locked: nothing controls them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np

from feeders.ieee123.tables import FEET_PER_MILE, NOMINAL_KV, configuration_matrix, rows, table

__all__ = ["opendss_commands"]

_PHASES = "abc"
_TAP = 0.00625
_MODEL = {"PQ": 1, "Z": 2, "I": 5}
_PHASE_KV = NOMINAL_KV / np.sqrt(3.0)


def opendss_commands(
    *,
    slack_vm_pu: float = 1.0,
    head_tap: int | None = 7,
    downstream_taps: bool = True,
    capacitors: bool = True,
    peak_kva: float | None = None,
    loads: Literal["published", "constant-power"] = "published",
) -> list[str]:
    """Commands that make the feeder in OpenDSS, ready for ``Solve``.

    The defaults are the published case; the parameters are those of `feeders.ieee123.net.ieee123_net`.

    Parameters
    ----------
    slack_vm_pu : float
        Voltage of the source, bus 150 [p.u.].
    head_tap : int or None
        Of the regulator at the head, published +7.
    downstream_taps : bool
        Whether the other regulators are at their published taps, or at nominal.
    capacitors : bool
    peak_kva : float or None
        Apparent power that the sum of all loads is scaled to; None for the published loads.
    loads : {"published", "constant-power"}
        Models of the loads: as published, or constant power for all.
    """
    return [
        "Clear",
        f"New Circuit.ieee123 Bus1=150 BasekV={NOMINAL_KV} pu={slack_vm_pu} R1=0 X1=0.0001 R0=0 X0=0.0001",
        "Set DefaultBaseFrequency=60",
        *_configurations(),
        *_lines(),
        *_switches(),
        *_regulators(head_tap, downstream_taps),
        "New Transformer.T610 Phases=3 Windings=2 Buses=(61s 610) Conns=(wye wye)"
        f" kVs=({NOMINAL_KV} 0.48) kVAs=(150 150) XHL=2.72 %Rs=(0.635 0.635)",
        *(_capacitors() if capacitors else ()),
        *_loads(peak_kva, loads),
        f"Set VoltageBases=({NOMINAL_KV} 0.48)",
        "CalcVoltageBases",
    ]


def _lower(matrix: Any) -> str:
    return "(" + " | ".join(" ".join(f"{matrix[i, j]:.9g}" for j in range(i + 1)) for i in range(len(matrix))) + ")"


def _configurations() -> Iterator[str]:
    for row in rows("configurations"):
        k, code = len(row.phases), row.configuration
        r, x, b = (configuration_matrix(code, name) for name in ("r_ohm", "x_ohm", "b_us"))
        c_nf = b * 1e3 / (2 * np.pi * 60.0)
        yield (
            f"New LineCode.C{code} NPhases={k} Units=mi BaseFreq=60"
            f" RMatrix={_lower(r)} XMatrix={_lower(x)} CMatrix={_lower(c_nf)}"
        )


def _at(bus: str, phases: str) -> str:
    return ".".join([bus, *(str(_PHASES.index(phase) + 1) for phase in phases)])


def _lines() -> Iterator[str]:
    phases_of = table("configurations").set_index("configuration")["phases"]
    for row in rows("lines"):
        phases = phases_of[row.configuration]
        yield (
            f"New Line.{row.from_bus}-{row.to_bus} Phases={len(phases)} LineCode=C{row.configuration}"
            f" Bus1={_at(row.from_bus, phases)} Bus2={_at(row.to_bus, phases)}"
            f" Length={row.length_ft / FEET_PER_MILE:.9g} Units=mi"
        )


def _switches() -> Iterator[str]:
    for row in rows("switches"):
        if row.closed:
            yield (
                f"New Line.switch-{row.from_bus}-{row.to_bus} Phases=3 Bus1={row.from_bus} Bus2={row.to_bus} Switch=yes"
                " R1=0.001 R0=0.001 X1=0 X0=0 C1=0 C0=0 Length=0.001"
            )


def _regulators(head_tap: int | None, downstream_taps: bool) -> Iterator[str]:
    for row in rows("regulators"):
        for phase in row.phases:
            tap = getattr(row, f"{phase}_tap")
            if row.name == "head regulator":
                tap = tap if head_tap is None else head_tap
            elif not downstream_taps:
                tap = 0
            kva = row.kva / len(row.phases)
            yield (
                f"New Transformer.{row.name.replace(' ', '-')}-{phase} Phases=1 Windings=2"
                f" Buses=({_at(row.from_bus, phase)} {_at(row.to_bus, phase)}) Conns=(wye wye)"
                f" kVs=({_PHASE_KV:.9g} {_PHASE_KV:.9g}) kVAs=({kva:.9g} {kva:.9g}) XHL=0.001 %Rs=(0.00005 0.00005)"
                f" Taps=(1 {1 + _TAP * tap:.9g}) ppm=0"
            )


def _capacitors() -> Iterator[str]:
    for row in rows("capacitors"):
        for phase in _PHASES:
            kvar = getattr(row, f"{phase}_kvar")
            if kvar:
                yield (
                    f"New Capacitor.C{row.bus}{phase} Phases=1 Bus1={_at(row.bus, phase)}"
                    f" kvar={kvar:.9g} kV={_PHASE_KV:.9g}"
                )


def _loads(peak_kva: float | None, models: str) -> Iterator[str]:
    spots = table("spot_loads")
    p_kw = spots[[f"{phase}_kw" for phase in _PHASES]].to_numpy()
    q_kvar = spots[[f"{phase}_kvar" for phase in _PHASES]].to_numpy()
    scale = 1.0 if peak_kva is None else peak_kva / float(np.hypot(p_kw.sum(), q_kvar.sum()))
    for i, row in enumerate(rows("spot_loads")):
        connection, model = row.model.split("-")
        code = _MODEL[model] if models == "published" else 1
        for k, phase in enumerate(_PHASES):
            if p_kw[i, k] == 0 and q_kvar[i, k] == 0:
                continue
            ends = phase if connection == "Y" else phase + _PHASES[(k + 1) % 3]
            conn, kv = ("wye", _PHASE_KV) if connection == "Y" else ("delta", NOMINAL_KV)
            yield (
                f"New Load.L{row.bus}{phase} Phases=1 Conn={conn} Bus1={_at(row.bus, ends)} Model={code}"
                f" kV={kv:.9g} kW={p_kw[i, k] * scale:.9g} kvar={q_kvar[i, k] * scale:.9g} Vminpu=0.8 Vmaxpu=1.2"
            )
