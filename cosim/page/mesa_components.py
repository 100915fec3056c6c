"""Views for Mesa's own page; see `cosim.page.components`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import reacton.ipyvuetify as v
import solara
from mesa.visualization.utils import update_counter

from cosim.model import CoSimulation
from cosim.page.loading import feeder_state
from cosim.page.picture_box import PictureBox
from cosim.page.side import in_feeder_order
from cosim.page.views import Views, size_of
from cosim.plots.data import FeederState, Homes
from feeders import Feeder

if TYPE_CHECKING:
    from cosim.page.live import Live

__all__ = ["Moment", "views_of"]


class Moment:
    """A model as it is now, in the shape in which `Views` asks for it: means are those of the last control step.

    Parameters
    ----------
    model : CoSimulation
        Of scenarios with the same prosumers.
    """

    def __init__(self, model: CoSimulation) -> None:
        self.model = model
        self.prosumers, self._rows = in_feeder_order(model)
        rules = [scenario.rule for scenario in model.settings]
        alike = len(set(rules)) < len(rules)
        self.labels = tuple(f"{rule}, {copy + 1}" if alike else rule for copy, rule in enumerate(rules))

    @property
    def feeder(self) -> Feeder:
        """The wires."""
        return self.model.grid.feeder

    @property
    def names(self) -> tuple[str, ...]:
        """The prosumers, near to far."""
        return tuple(self.prosumers["prosumer"])

    def state(self, side: int) -> FeederState:
        """One scenario's feeder after the last control step."""
        return feeder_state(self.model.grid, side)

    def homes(self, side: int) -> Homes:
        """One scenario's prosumers in the last control step."""
        population, rows = self.model.population, self._rows[side]
        return Homes(
            names=list(self.names),
            place=self.feeder.bus_positions(self.prosumers["bus"].tolist()),
            distance_ohm=self.prosumers["distance_ohm"].to_numpy(),
            vm_pu=population.vm_pu[rows],
            p_meter_kw=population.p_meter_kw[rows],
            p_battery_kw=population.p_battery_kw[rows],
            p_pv_kw=population.p_pv_kw[rows],
            p_curtailed_kw=population.p_curtailed_kw[rows],
            energy_kwh=population.energy_kwh[rows],
            capacity_kwh=population.assets.energy_max_kwh[rows],
        )


def views_of(n_scenarios: int) -> list[Callable[[Any], Any]]:
    """See `cosim.page.components`."""
    return [*(_map_of(side) for side in range(n_scenarios)), _profile]


def _map_of(side: int) -> Callable[[Any], Any]:
    def feeder_map(model: CoSimulation) -> Any:
        return _View(model, f"map-{side}", side)

    return feeder_map


def _profile(model: CoSimulation) -> Any:
    return _View(model, "profile", None)


@solara.component
def _View(model: CoSimulation, name: str, side: int | None) -> None:  # noqa: N802
    """One picture of a model, drawn anew whenever Mesa says that it has changed."""
    update_counter.get()
    views = solara.use_memo(Views, [])
    moment = cast("Live", solara.use_memo(lambda: Moment(model), [model]))
    with v.Html(tag="div"):
        v.Html(tag="h3", children=["Voltage along the feeder" if side is None else moment.labels[side]])
        PictureBox(name, views.draw(name, moment, ""), size_of(name, len(moment.labels)))
