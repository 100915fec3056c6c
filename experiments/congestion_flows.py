"""The year's AC power flow in the study of congestion relief: voltages, loadings, and AC against DC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure

from experiments.congestion_scenarios import look, short

__all__ = ["Flow", "flow_table", "flows_figure"]

Array = npt.NDArray[np.float64]

BAND_PU = 0.05
"""Voltages this far from 1 p.u. are counted; EN 50160 would allow 0.1, of which MV and LV share."""

_PEAKS = 0.9  # share of the threshold from which on a step counts as a peak

_SMALL, _LABEL = 7.5, 9.0


@dataclass(frozen=True, eq=False)
class Flow:
    """What the power flow of a year says of one scenario; arrays of shape (T,) but for `station_percent`.

    Attributes
    ----------
    scenario : str
    threshold_kw : float
    p_dc_kw, p_ac_kw : array
        Load of the region: the sum of the meters, and on the MV side of the HV/MV transformer.
    vm_min_pu, vm_max_pu : array
        Over the homes.
    station_percent : array
        The highest loading of an MV/LV transformer.
    line_percent : array
        The highest loading of a line.
    n_load_ac, n_feedin_ac, n_load_dc, n_feedin_dc : int
        Violations, each by the threshold of its own kind of flow.
    seconds, added_mb : float
        Wall clock, and the most memory that the power flow took on top of what there was.
    """

    scenario: str
    threshold_kw: float
    p_dc_kw: Array
    p_ac_kw: Array
    vm_min_pu: Array
    vm_max_pu: Array
    station_percent: Array
    line_percent: Array
    n_load_ac: int
    n_feedin_ac: int
    n_load_dc: int
    n_feedin_dc: int
    seconds: float = np.nan
    added_mb: float = np.nan

    @property
    def gap_percent(self) -> float:
        """The greatest difference of AC from DC in peaks of load, in percent of DC; NaN without peaks.

        Peaks are steps of at least 90 % of the threshold.
        """
        peaks = self.p_dc_kw >= _PEAKS * self.threshold_kw
        if not peaks.any():
            return float("nan")
        gap = np.abs(self.p_ac_kw[peaks] - self.p_dc_kw[peaks]) / self.p_dc_kw[peaks]
        return float(100 * gap.max())


def flow_table(flows: Sequence[Flow], step_h: float) -> pd.DataFrame:
    """A row per scenario: extremes of voltage and loading, hours beyond the band, AC against DC, seconds."""
    rows = []
    for flow in flows:
        beyond = (flow.vm_min_pu < 1 - BAND_PU) | (flow.vm_max_pu > 1 + BAND_PU)
        rows.append(
            {
                "scenario": flow.scenario,
                "vm_min_pu": float(flow.vm_min_pu.min()),
                "vm_max_pu": float(flow.vm_max_pu.max()),
                "beyond_band_h": float(step_h * beyond.sum()),
                "station_max_percent": float(flow.station_percent.max()),
                "line_max_percent": float(flow.line_percent.max()),
                "ac_dc_peaks_percent": flow.gap_percent,
                "load_violations_dc": flow.n_load_dc,
                "load_violations_ac": flow.n_load_ac,
                "feedin_violations_dc": flow.n_feedin_dc,
                "feedin_violations_ac": flow.n_feedin_ac,
                "seconds": flow.seconds,
                "added_mb": flow.added_mb,
            }
        )
    return pd.DataFrame(rows)


def flows_figure(flows: Sequence[Flow], times: pd.DatetimeIndex) -> Figure:
    """Lowest and highest voltage, and highest loading of stations and lines, of each day."""
    figure = Figure(figsize=(7.2, 5.6), layout="constrained")
    axes = figure.subplots(3, 1, sharex=True)
    days = times[:: round(pd.Timedelta(days=1) / (times[1] - times[0]))]
    for flow in flows:
        colour, line, _ = look(flow.scenario)
        style: dict[str, Any] = {"color": colour, "linestyle": line, "linewidth": 0.9}
        axes[0].plot(days, _daily(flow.vm_max_pu, days).max(axis=1), label=short(flow.scenario), **style)
        axes[0].plot(days, _daily(flow.vm_min_pu, days).min(axis=1), **style)
        axes[1].plot(days, _daily(flow.station_percent, days).max(axis=1), **style)
        axes[2].plot(days, _daily(flow.line_percent, days).max(axis=1), **style)
    for edge in (1 - BAND_PU, 1 + BAND_PU):
        axes[0].axhline(edge, color="#666666", linewidth=0.8, linestyle=(0, (6, 3)))
    axes[0].set_ylabel("voltage of homes (p.u.)\nhighest, lowest", fontsize=_LABEL)
    axes[1].set_ylabel("MV/LV stations\n(% of rating)", fontsize=_LABEL)
    axes[2].set_ylabel("lines\n(% of rating)", fontsize=_LABEL)
    for ax in axes[1:]:
        ax.set_ylim(bottom=0)
    starts = days[days.day == 1]
    axes[2].set_xticks(starts, [f"{day:%b}" for day in starts])
    axes[2].set_xlim(days[0], days[-1])
    axes[2].set_xlabel("extremes of each day", fontsize=_LABEL)
    for ax in axes:
        ax.tick_params(labelsize=_SMALL)
    figure.align_ylabels(axes)
    figure.legend(*axes[0].get_legend_handles_labels(), fontsize=8, frameon=False, loc="outside upper center", ncols=4)
    return figure


def _daily(values: Array, days: pd.DatetimeIndex) -> Array:
    return values.reshape(len(days), -1)
