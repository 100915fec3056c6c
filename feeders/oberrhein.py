"""pandapower's medium-voltage net of the upper Rhine, and the low-voltage nets of Schutterwald that belong to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandapower as pp
import pandapower.networks as pn
from pandapower.auxiliary import pandapowerNet
from pandapower.toolbox import drop_elements_simple

__all__ = ["lv_schutterwald", "mv_oberrhein"]


def mv_oberrhein() -> pandapowerNet:
    """``pandapower.networks.mv_oberrhein``, two 110/20 kV substations and what hangs on them, high-load case."""
    net = _shipped("mv_oberrhein.json")
    net.load["q_mvar"] = net.load.p_mw * np.tan(np.arccos(0.98))
    net.sgen["q_mvar"] = 0.0
    net.load["scaling"], net.sgen["scaling"] = 0.6, 0.0
    net.trafo["tap_pos"] = np.array([-2.0, -3.0])
    net.name = "MV Oberrhein"
    return net


def lv_schutterwald() -> pandapowerNet:
    """``pandapower.networks.lv_schutterwald`` without heat pumps: 14 low-voltage nets, one load a household."""
    net = _shipped("lv_schutterwald.json")
    drop_elements_simple(net, "load", net.load.index[net.load.type == "HP"])
    net.name = "LV Schutterwald"
    return net


def _shipped(file: str) -> pandapowerNet:
    """A net of a file that comes with pandapower, whose own loaders spend most of their time on a power flow."""
    return pp.from_json(str(Path(pn.__file__).parent / file))
