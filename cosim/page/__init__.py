"""The browser page: a run, or two rules side by side, watched as it goes. Needs the extra `page`.

``cosim app`` serves it. For a page of Mesa's own ``SolaraViz`` there is `components`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cosim.model import CoSimulation

__all__ = ["components"]


def components(model: CoSimulation) -> list[Callable[[Any], Any]]:
    """Views of a model for ``mesa.visualization.SolaraViz(model, components=components(model))``.

    A map of the feeder for each of its scenarios, in which prosumers tell their numbers when pointed at, and the
    voltages of all scenarios along the feeder. They show the last control step.

    Parameters
    ----------
    model : CoSimulation
        What is shown; another model of as many scenarios may take its place, as Mesa's reset does.
    """
    from cosim.page.mesa_components import views_of  # Solara is asked for by those alone who want a page

    return views_of(len(model.settings))
