"""Figures. Each drawing function takes data and an Axes (or a Figure for several panels) and returns it.

Notebooks, studies, reports and the browser page draw with the same functions. Colours are those of Okabe and Ito, which
colour-blind readers can tell apart; line styles and markers keep them apart in print.
"""

from cosim.plots.data import FeederState, HomeDay, Homes
from cosim.plots.run import (
    COLOURS,
    STYLES,
    draw_run,
    local_hours,
    plot_day,
    plot_voltages,
    samples_per_step,
    save_figure,
)

__all__ = [
    "COLOURS",
    "STYLES",
    "FeederState",
    "HomeDay",
    "Homes",
    "draw_run",
    "local_hours",
    "plot_day",
    "plot_voltages",
    "samples_per_step",
    "save_figure",
]
