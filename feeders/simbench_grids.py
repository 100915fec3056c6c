"""SimBench's grids by their codes, where the extra is installed."""

from __future__ import annotations

import difflib
import re
import warnings

from pandapower.auxiliary import pandapowerNet

from feeders.errors import InputError

__all__ = ["is_simbench_code", "simbench_net"]

_CODE = re.compile(r"1-[A-Za-z0-9_]+-[A-Za-z0-9_.]*-[A-Za-z0-9_.]*-[012]-(no_)?sw")


def is_simbench_code(name: str) -> bool:
    """Whether a name is written like a SimBench code, e.g. ``1-LV-rural2--0-sw``."""
    return _CODE.fullmatch(name) is not None


def simbench_net(code: str) -> pandapowerNet:
    """The SimBench grid with a code (Meinecke et al., Energies 13(12), 2020; ODbL 1.0); takes up to some 15 s.

    Raises
    ------
    InputError
        Where the extra ``simbench`` is missing or has no such grid; the message names the nearest.
    """
    try:
        import simbench
    except ImportError:
        allowed = "a SimBench grid only with the extra: pip install 'cosim-prosumers[simbench]'"
        raise InputError("feeder", "name", code, allowed) from None
    codes = simbench.collect_all_simbench_codes()
    if code not in codes:
        near = ", ".join(difflib.get_close_matches(code, codes, n=3, cutoff=0.0))
        raise InputError("feeder", "name", code, f"a SimBench code; nearest: {near}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the reader, about types of columns
        return simbench.get_simbench_net(code)
