"""The pictures of a run: which can be seen, what each depends on, and how it is drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from agents.prosumer import VoltageBand
from cosim.page.pictures import Picture, Size, Spot, Studio, spots_at
from cosim.plots.data import Homes
from cosim.plots.feeder_map import FeederMap
from cosim.plots.home_day import plot_home
from cosim.plots.map_key import plot_feeder_key
from cosim.plots.profile import FeederProfile
from cosim.plots.still import Panel
from cosim.plots.voltage_colours import plot_voltage_scale
from cosim.plots.wallets import plot_wallets
from feeders.sketch import Sketch, sketch_of

if TYPE_CHECKING:
    from cosim.page.live import Live

__all__ = ["SIZES", "Views", "home_text", "size_of"]

Array = npt.NDArray[np.float64]

_MAP_HEIGHT = 2.6
_PANEL = (9.6, 2.8)
_UNKNOWN = "not known yet"
_MARKER_IN = 0.085  # radius around a prosumer that answers to the mouse

SIZES: dict[str, Size] = {
    "scale": (0.92, _MAP_HEIGHT),
    "key": (9.6, 0.4),
    "profile": _PANEL,
    "home": _PANEL,
    "wallets": _PANEL,
}
"""Sizes of pictures [inch], by name; maps are as wide as there is room, see `size_of`."""


def size_of(name: str, sides: int) -> Size:
    """Size of a picture [inch]: a map is half as wide where there are two."""
    return (4.29 if sides > 1 else 8.68, _MAP_HEIGHT) if name.startswith("map-") else SIZES[name]


class Views:
    """Draws what a page shows of a run; figures, maps and the feeder's sketch are kept from step to step."""

    def __init__(self) -> None:
        self._studio = Studio()
        self._of: Live | None = None
        self._sketch: Sketch | None = None
        self._maps: dict[str, FeederMap] = {}
        self._profile_of: FeederProfile | None = None
        self._labels: tuple[str, ...] = ()
        self._drawers: dict[str, Callable[[Live, str], Picture]] = {
            "scale": self._scale,
            "key": self._key,
            "profile": self._profile,
            "home": self._home,
            "wallets": self._wallets,
        }

    def fit(self, pixels_per_inch: float) -> bool:
        """Take the resolution of the screen; whether that changes anything."""
        return self._studio.fit(pixels_per_inch)

    def seen(self, live: Live, tab: str) -> list[str]:
        """Names of the pictures that can be seen while a tab is in front."""
        maps = [f"map-{side}" for side in range(len(live.labels))]
        return [*maps, "scale", "key", *([tab] if tab in SIZES else [])]

    def key(self, name: str, live: Live, chosen: str) -> object:
        """What a picture depends on."""
        if name == "key":
            return self._studio.dpi
        looks = (id(live), self._studio.dpi)
        if name == "scale":
            return looks
        return (*looks, live.labels, live.step_number, "" if name == "wallets" else chosen)

    def draw(self, name: str, live: Live, chosen: str) -> Picture:
        """Draw one of `seen`."""
        if self._of is not live:
            self._of, self._sketch = live, sketch_of(live.feeder)
            self._maps.clear()
            self._profile_of = None
        if name.startswith("map-"):
            return self._map(name, live, chosen)
        return self._drawers[name](live, chosen)

    def close(self) -> None:
        """Let go of all figures and of the run."""
        self._studio.close()
        self._maps.clear()
        self._of = self._sketch = self._profile_of = None

    def _map(self, name: str, live: Live, chosen: str) -> Picture:
        side = int(name.removeprefix("map-"))
        state, homes = live.state(side), live.homes(side)
        row = homes.names.index(chosen) if chosen in homes.names else None
        buses = live.feeder.buses[homes.place].tolist()
        texts = [home_text(homes, index, bus) for index, bus in enumerate(buses)]

        def fill(figure: Figure) -> tuple[Spot, ...]:
            kept = self._maps.get(name)
            if kept is None or kept.ax.get_figure() is not figure:
                figure.clear()
                assert self._sketch is not None
                kept = self._maps[name] = FeederMap(figure.add_axes((0, 0, 1, 1)), self._sketch, _band(live))
            kept.update(state, homes, row)
            return spots_at(kept.ax, kept.home_xy, _MARKER_IN, homes.names, texts)

        alt = f"Map of the feeder under {live.labels[side]}: {_extremes(state.vm_pu)}"
        return self._studio.draw(name, size_of(name, len(live.labels)), alt, fill)

    def _scale(self, live: Live, _: str) -> Picture:
        def fill(figure: Figure) -> tuple[Spot, ...]:
            figure.clear()
            plot_voltage_scale(figure.add_axes((0.02, 0.1, 0.36, 0.86)), _band(live))
            return ()

        return self._studio.draw("scale", SIZES["scale"], "Colours of voltages in p.u.", fill)

    def _key(self, live: Live, _: str) -> Picture:  # noqa: ARG002
        def fill(figure: Figure) -> tuple[Spot, ...]:
            figure.clear()
            plot_feeder_key(figure.add_axes((0, 0, 1, 1)))
            return ()

        return self._studio.draw("key", SIZES["key"], "What the markers and lines of the maps mean", fill)

    def _profile(self, live: Live, chosen: str) -> Picture:
        distance = live.feeder.electrical_distance["z_ohm"].to_numpy()
        states = {label: live.state(side) for side, label in enumerate(live.labels)}
        homes = live.homes(0)
        row = homes.names.index(chosen) if chosen in homes.names else None

        def fill(figure: Figure) -> tuple[Spot, ...]:
            kept = self._profile_of
            if kept is None or kept.ax.get_figure() is not figure or live.labels != self._labels:
                figure.clear()
                assert self._sketch is not None
                ax = figure.add_axes(Panel(figure, (0.062, 0.165, 0.85, 0.745)))
                kept = self._profile_of = FeederProfile(ax, self._sketch, distance, _band(live), list(states))
                self._labels = live.labels
            kept.update(states, homes, row)
            return ()

        told = "; ".join(f"{label}: {_extremes(state.vm_pu)}" for label, state in states.items())
        return self._studio.draw("profile", SIZES["profile"], f"Voltage against electrical distance. {told}", fill)

    def _home(self, live: Live, chosen: str) -> Picture:
        homes = live.homes(0)
        row = homes.names.index(chosen)
        days = {label: live.home_day(side, row) for side, label in enumerate(live.labels)}

        def fill(figure: Figure) -> tuple[Spot, ...]:
            plot_home(figure, days, _band(live), float(homes.capacity_kwh[row]))
            return ()

        alt = f"The day of {chosen}: battery, meter, voltage, energy, flexible load, price"
        return self._studio.draw("home", SIZES["home"], alt, fill)

    def _wallets(self, live: Live, _: str) -> Picture:
        wallets = live.wallets()

        def fill(figure: Figure) -> tuple[Spot, ...]:
            plot_wallets(figure, wallets, live.labels)
            return ()

        alt = "Gain kept, loss of consumer gain and curtailed energy of each prosumer, from near to far"
        return self._studio.draw("wallets", SIZES["wallets"], alt, fill)


def home_text(homes: Homes, row: int, bus: int) -> str:
    """What a prosumer's spot tells: who and at which bus, and its numbers as means of the last market step."""
    vm_pu, energy_kwh, capacity_kwh = homes.vm_pu[row], homes.energy_kwh[row], homes.capacity_kwh[row]
    lines = [homes.names[row], f"bus {bus}"]
    lines.append(f"voltage {vm_pu:.4f} p.u." if np.isfinite(vm_pu) else f"voltage {_UNKNOWN}")
    lines.append(f"meter {_power(homes.p_meter_kw[row], 'import', 'export')}")
    if capacity_kwh > 0:
        lines.append(f"battery {_power(homes.p_battery_kw[row], 'charging', 'discharging')}")
        lines.append(f"in it {energy_kwh:.2f} of {capacity_kwh:.2f} kWh")
    if np.isfinite(homes.p_pv_kw[row]):
        lines.append(f"PV {homes.p_pv_kw[row]:.2f} kW, of it curtailed {homes.p_curtailed_kw[row]:.2f} kW")
    return "\n".join(lines)


def _power(p_kw: float, positive: str, negative: str) -> str:
    if not np.isfinite(p_kw):
        return _UNKNOWN
    word = positive if p_kw > 0.005 else negative if p_kw < -0.005 else ""
    return f"{abs(p_kw):.2f} kW {word}".strip()


def _extremes(vm_pu: Array) -> str:
    if not np.isfinite(vm_pu).any():
        return "no voltages yet"
    return f"voltages from {np.nanmin(vm_pu):.4f} to {np.nanmax(vm_pu):.4f} p.u."


def _band(live: Live) -> VoltageBand:
    band: VoltageBand = live.model.settings[0].voltage.band
    return band
