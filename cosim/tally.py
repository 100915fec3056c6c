"""Indices on the fly: sums and counts of every prosumer, carried on each control step whatever is recorded.

The definitions are those of `cosim.indices`, which computes the same from series.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from agents.prosumer import Population, Status
from cosim.accounts import COSTS
from cosim.indices import REVERSAL_PU, VOLTAGE_COUNTS
from feeders.compiled import compiled

__all__ = ["TOTALS", "Tally", "status_words"]

Array = npt.NDArray[np.float64]

_STATUSES = 2 * max(Status)  # every combination of flags
_ROWS = (
    *("imported_kw", "exported_kw", "curtailed_kw", "cvc_pu", *VOLTAGE_COUNTS),
    *("n_reversals", "vm_min_pu", "vm_max_pu", "last_vm_pu", "last_move_pu"),
)
_IMPORTED, _EXPORTED, _SPILLED, _CVC, _ABOVE_MAX, _ABOVE_DEAD, _BELOW_DEAD, _BELOW_MIN, *_REST = range(len(_ROWS))
_REVERSALS, _LEAST, _LARGEST, _LAST, _MOVE = _REST
_FLAGS = {f"n_{flag.name}".lower(): flag for flag in Status if flag.name is not None}
_FIRST_STATUS = len(_ROWS)  # a row for each status code

TOTALS = (
    *(*COSTS, "import_kwh", "export_kwh", "tce_kwh", "cvc_pu", *VOLTAGE_COUNTS, "n_reversals"),
    *("vm_min_pu", "vm_max_pu", "n_range_missed", "n_plan_kept", "n_not_settled"),
    *("n_lp_fallback", "n_plans_program", "n_plans_highs"),
)
"""What a run adds up for each prosumer: cost and its parts [currency]; energies [kWh]; curtailed energy [kWh]; CVC
[p.u.]; VCI; control steps at which the voltage turned back; least and largest voltage [p.u.]; control steps of each
status; plans that the dynamic program and HiGHS have made."""


class Tally:
    """Running sums and counts of a population, one column array for all.

    Sums go prosumer by prosumer in the order of time, so that they do not depend on who else is there.

    Attributes
    ----------
    sums : array, shape (n_sums, n_prosumers)
        All of it; enough to go on with.
    """

    def __init__(self, population: Population) -> None:
        self._population = population
        bands = population.assets.band
        # In the order of VOLTAGE_COUNTS, then the permissible deviation.
        limits = [(b.vm_max_pu, 1 + b.dead_pu, 1 - b.dead_pu, b.vm_min_pu, b.dead_pu) for b in bands]
        self._limits: Array = np.array(limits, dtype=float).reshape(-1, 5)
        self.sums: Array = np.zeros((_FIRST_STATUS + _STATUSES, len(population)))
        self._row("vm_min_pu")[:], self._row("vm_max_pu")[:] = np.inf, -np.inf
        self._row("last_vm_pu")[:] = np.nan

    def add(self) -> None:
        """Carry on with the population's present state."""
        p = self._population
        _add(p.vm_pu, p.p_meter_kw, p.p_curtailed_kw, p.status, self._limits, self.sums)

    def table(self, costs: Mapping[str, Array], step_h: float) -> pd.DataFrame:
        """One row per prosumer with the columns `TOTALS`; `COSTS` are booked elsewhere, `step_h` a control step [h]."""
        found = {
            **costs,
            "import_kwh": step_h * self._row("imported_kw"),
            "export_kwh": step_h * self._row("exported_kw"),
            "tce_kwh": step_h * self._row("curtailed_kw"),
            "cvc_pu": self._row("cvc_pu"),
            **{name: self.count(name) for name in (*VOLTAGE_COUNTS, "n_reversals")},
            **{name: self._row(name) for name in ("vm_min_pu", "vm_max_pu")},
            **{name: self.count(name) for name in _FLAGS},
            **{name: getattr(self._population, name).astype(np.int64) for name in ("n_plans_program", "n_plans_highs")},
        }
        return pd.DataFrame({name: found[name] for name in TOTALS}).copy()

    def count(self, name: str) -> npt.NDArray[np.int64]:
        """Control steps of each prosumer up to now that one of `TOTALS` counts, shape (n,): all ``n_`` but of plans."""
        flag = _FLAGS.get(name)
        if flag is None:
            return self._row(name).astype(np.int64)
        found: npt.NDArray[np.int64] = self._counts()[(np.arange(_STATUSES) & flag) != 0].sum(axis=0)
        return found

    def step_status(self, rows: npt.NDArray[np.intp]) -> Mapping[str, int]:
        """Control steps of some prosumers in all, by what was out of the ordinary in them."""
        counts = self._counts()[:, rows].sum(axis=1)
        return {word: int(n) for word, n in zip(status_words(), counts, strict=True) if n}

    def _row(self, name: str) -> Array:
        row: Array = self.sums[_ROWS.index(name)]
        return row

    def _counts(self) -> npt.NDArray[np.int64]:
        return self.sums[_FIRST_STATUS:].astype(np.int64)


def status_words() -> list[str]:
    """Each status code as a word: ``ok``, or the names of what happened joined by ``|``."""
    words = []
    for code in range(_STATUSES):
        names = [flag.name.lower().replace("_", "-") for flag in Status if code & flag and flag.name]
        words.append("|".join(names) or "ok")
    return words


@compiled
def _add(vm_pu: Array, p_meter_kw: Array, p_curtailed_kw: Array, status: Array, limits: Array, sums: Array) -> None:
    """One control step; `limits` has shape (n, 5), `sums` the rows `_ROWS` and statuses, the others shape (n,)."""
    for i in range(len(vm_pu)):
        meter, vm = p_meter_kw[i], vm_pu[i]
        sums[_IMPORTED, i] += max(meter, 0.0)
        sums[_EXPORTED, i] += max(-meter, 0.0)
        sums[_SPILLED, i] += p_curtailed_kw[i]
        excess = abs(vm - 1.0) - limits[i, 4]
        if not excess <= 0.0:  # so that no number stays no number
            sums[_CVC, i] += excess
        sums[_ABOVE_MAX, i] += vm > limits[i, 0]
        sums[_ABOVE_DEAD, i] += vm > limits[i, 1]
        sums[_BELOW_DEAD, i] += vm < limits[i, 2]
        sums[_BELOW_MIN, i] += vm < limits[i, 3]
        move, before = vm - sums[_LAST, i], sums[_MOVE, i]
        sums[_REVERSALS, i] += abs(move) > REVERSAL_PU and abs(before) > REVERSAL_PU and move * before < 0.0
        sums[_LEAST, i], sums[_LARGEST, i] = min(sums[_LEAST, i], vm), max(sums[_LARGEST, i], vm)
        sums[_LAST, i], sums[_MOVE, i] = vm, move
        code = int(status[i])
        if 0 <= code < _STATUSES:
            sums[_FIRST_STATUS + code, i] += 1.0
