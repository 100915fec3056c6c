"""How long a distance is on a map."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from cosim.plots.map_frame import size_of
from cosim.plots.style import GREY, SCREEN_SIZE

__all__ = ["ScaleBar"]


class ScaleBar:
    """A round distance in the lower left corner, between a tenth and a fifth of the width or a little less."""

    def __init__(self, ax: Axes, px_per_km: float) -> None:
        self._ax = ax
        (self._bar,) = ax.plot([], [], color=GREY, linewidth=2, transform=ax.transAxes, solid_capstyle="butt")
        self._text = ax.text(0.02, 0.045, "", fontsize=SCREEN_SIZE, color=GREY, transform=ax.transAxes, va="bottom")
        self.update(px_per_km)

    def update(self, px_per_km: float) -> None:
        """For another scale."""
        width_px = float(size_of(self._ax)[0])
        most_km = width_px / 5 / px_per_km
        power = 10.0 ** np.floor(np.log10(most_km))
        length_km = power * max(factor for factor in (1, 2, 5) if factor * power <= most_km)
        share = length_km * px_per_km / width_px
        self._bar.set_data([0.02, 0.02 + share], [0.03, 0.03])
        self._text.set_text(f"{length_km:g} km" if length_km >= 1 else f"{1e3 * length_km:g} m")
