"""pandapower's medium-voltage net of the upper Rhine, and the low-voltage nets of Schutterwald that belong to it."""

from __future__ import annotations

import warnings
from pathlib import Path

import pandapower as pp
import pandapower.networks as pn
from pandapower.auxiliary import pandapowerNet
from pandapower.toolbox import drop_elements_simple

__all__ = ["lv_schutterwald", "mv_oberrhein"]


def mv_oberrhein() -> pandapowerNet:
    """``pandapower.networks.mv_oberrhein``, two 110/20 kV substations and what hangs on them, high-load case."""
    with warnings.catch_warnings():
        # pandapower's own loader runs a power flow on its file of an older format, which Feeder brings up to
        # date.
        warnings.filterwarnings("ignore", "tap_dependency_table is missing", DeprecationWarning)
        return pn.mv_oberrhein()


def lv_schutterwald() -> pandapowerNet:
    """``pandapower.networks.lv_schutterwald`` without heat pumps: 14 low-voltage nets, one load a household.

    Read from pandapower's file: its loader spends four of five seconds on a power flow and on looking at every load.
    """
    net = pp.from_json(str(Path(pn.__file__).parent / "lv_schutterwald.json"))
    drop_elements_simple(net, "load", net.load.index[net.load.type == "HP"])
    net.name = "LV Schutterwald"
    return net
