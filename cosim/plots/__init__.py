"""Figures. Each drawing function takes data and an Axes (or a Figure for several panels) and returns it.

Notebooks, studies, reports and the browser page draw with the same functions. Colours are those of Okabe and Ito, which
colour-blind readers can tell apart; line styles and markers keep them apart in print.
"""

from cosim.plots.data import FeederState, HomeDay, Homes
from cosim.plots.feeder_map import FeederMap, plot_feeder
from cosim.plots.home_day import (
    plot_home,
    plot_home_battery,
    plot_home_energy,
    plot_home_flexible,
    plot_home_power,
    plot_home_price,
    plot_home_voltage,
)
from cosim.plots.map_frame import home_places
from cosim.plots.map_key import plot_feeder_key
from cosim.plots.profile import FeederProfile, plot_profile
from cosim.plots.run import (
    draw_run,
    local_hours,
    plot_band,
    plot_day,
    plot_voltages,
    samples_per_step,
    save_figure,
)
from cosim.plots.style import COLOURS, STYLES
from cosim.plots.voltage_colours import plot_voltage_scale, voltage_colours
from cosim.plots.wallets import plot_by_prosumer, plot_wallets

__all__ = [
    "COLOURS",
    "STYLES",
    "FeederMap",
    "FeederProfile",
    "FeederState",
    "HomeDay",
    "Homes",
    "draw_run",
    "home_places",
    "local_hours",
    "plot_band",
    "plot_by_prosumer",
    "plot_day",
    "plot_feeder",
    "plot_feeder_key",
    "plot_home",
    "plot_home_battery",
    "plot_home_energy",
    "plot_home_flexible",
    "plot_home_power",
    "plot_home_price",
    "plot_home_voltage",
    "plot_profile",
    "plot_voltage_scale",
    "plot_voltages",
    "plot_wallets",
    "samples_per_step",
    "save_figure",
    "voltage_colours",
]
