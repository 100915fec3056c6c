"""What cables and transformers are chosen by."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pandapower as pp
import pandas as pd

from feeders.errors import InputError, InputErrors

__all__ = ["LV_KV", "Design", "coincidence", "standard_types"]

LV_KV = 0.4


@dataclass(frozen=True)
class Design:
    """Design load and standard types of pandapower.

    A cable or transformer that serves n homes is chosen for ``n g(n) peak_kw / power_factor`` [kVA], see `coincidence`:
    the first type of the list that carries it, else as many in parallel of the type that carries most as it takes.
    Voltage drop chooses nothing; the minute loop or a year's power flow shows what it is.

    Attributes
    ----------
    peak_kw : float
        Peak of one home [kW]: 14.5 kW, a dwelling without electric water heating in DIN 18015-1.
    coincidence : float
        g of very many homes; assumed.
    power_factor : float
        Assumed.
    street_cables : tuple of str
        Cables along streets, in the order in which they are considered. NAYY 4x150, the only one in the streets of
        pandapower's lv_schutterwald.
    service_cable : str
        From the street into the house; never in parallel.
    mv_kv : float
        Nominal voltage of the MV level [kV]: that of the transformers' types.
    station_trafos : tuple of str, optional
        MV/LV transformers in the order in which they are considered. Default: pandapower's of 0.25, 0.4 and 0.63 MVA
        of that voltage.
    head_trafo : str, optional
        The HV/MV transformer. Default: pandapower's of 25 MVA of that voltage.
    mv_cable : str, optional
        From the MV busbar to each station. Default: NA2XS2Y 1x185 of that voltage.
    mv_cable_km : float
        Its length [km], the same to all: where the HV/MV station is, is not asked.
    vm_pu : float
        Voltage of the HV grid [p.u.]; taps are neutral.

    Raises
    ------
    InputErrors
        For numbers that make no sense and types that pandapower has not, with the nearest.
    """

    peak_kw: float = 14.5
    coincidence: float = 0.12
    power_factor: float = 0.95
    street_cables: tuple[str, ...] = ("NAYY 4x150 SE",)
    service_cable: str = "NAYY 4x50 SE"
    mv_kv: float = 20.0
    station_trafos: tuple[str, ...] = ()
    head_trafo: str = ""
    mv_cable: str = ""
    mv_cable_km: float = 1.0
    vm_pu: float = 1.0

    def __post_init__(self) -> None:
        kv = f"{self.mv_kv:g}"
        sheath = "12/20 kV" if self.mv_kv > 10 else "6/10 kV"
        defaults = {
            "station_trafos": tuple(f"{mva} MVA {kv}/0.4 kV" for mva in ("0.25", "0.4", "0.63")),
            "head_trafo": f"25 MVA 110/{kv} kV",
            "mv_cable": f"NA2XS2Y 1x185 RM/25 {sheath}",
        }
        for field, value in defaults.items():
            if not getattr(self, field):
                object.__setattr__(self, field, value)
        problems = [*self._wrong_numbers(), *self._wrong_types()]
        if problems:
            raise InputErrors(problems)

    def load_kva(self, n_homes: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Design load of so many homes [kVA]."""
        load: npt.NDArray[np.float64] = n_homes * coincidence(n_homes, self.coincidence) * self.peak_kw
        return load / self.power_factor

    def _wrong_numbers(self) -> Iterator[InputError]:
        for field in ("peak_kw", "mv_kv", "mv_cable_km", "vm_pu"):
            value = getattr(self, field)
            if not 0 < value < np.inf:
                yield InputError("design", field, value, "a number above 0")
        for field in ("coincidence", "power_factor"):
            value = getattr(self, field)
            if not 0 < value <= 1:
                yield InputError("design", field, value, "a number above 0, at most 1")

    def _wrong_types(self) -> Iterator[InputError]:
        yield from self._unknown("line", (*self.street_cables, self.service_cable, self.mv_cable))
        if not self.street_cables:
            yield InputError("design", "street_cables", "none", "at least one")
        unknown = list(self._unknown("trafo", (*self.station_trafos, self.head_trafo)))
        yield from unknown
        if not unknown:
            types = standard_types("trafo")
            sides = {**dict.fromkeys(self.station_trafos, "vn_hv_kv"), self.head_trafo: "vn_lv_kv"}
            for name, side in sides.items():
                if types[side].astype(float)[name] != self.mv_kv:
                    yield InputError("design", "mv_kv", self.mv_kv, f"the voltage of the transformer {name!r}")

    def _unknown(self, table: str, names: Iterable[str]) -> Iterator[InputError]:
        known = list(standard_types(table).index)
        for name in names:
            if name not in known:
                near = ", ".join(difflib.get_close_matches(name, known, n=3, cutoff=0.0))
                yield InputError("design", table, name, f"a standard type of pandapower; nearest: {near}")


def coincidence(n_homes: npt.NDArray[np.int64], limit: float) -> npt.NDArray[np.float64]:
    """Peak of n homes together over the sum of their peaks: ``limit + (1 - limit) / sqrt(n)``, at least one home.

    S. Rusck, "The simultaneous demand in distribution network supplying domestic consumers", ASEA Journal 10, 1956.
    """
    return limit + (1.0 - limit) / np.sqrt(np.maximum(n_homes, 1))


@cache
def standard_types(table: str) -> pd.DataFrame:
    """Standard types of pandapower for ``line`` or ``trafo``, by name."""
    types: pd.DataFrame = pp.available_std_types(pp.create_empty_network(), table)
    return types
