"""Our views on Mesa's own page: they draw, tell each prosumer's numbers, and follow the model."""

from __future__ import annotations

import importlib
import warnings
from types import ModuleType

import ipyvuetify as v
import pytest
import solara

from cosim import CoSimulation, Scenario
from cosim.page import components
from cosim.page.picture_box import _PictureBox

PICTURE = _PictureBox().component.widget
Mesa = ModuleType


@pytest.fixture(scope="module")
def base() -> Scenario:
    return Scenario().changed({"market_step_min": 60, "control_step_min": 15, "record": ()})


@pytest.fixture(scope="module")
def mesa() -> Mesa:
    """Mesa's page; Solara finds fault with one of its functions while it is imported."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Failed to validate hooks", category=UserWarning)
        warnings.filterwarnings("ignore", message=".*found despite early return", category=UserWarning)
        importlib.import_module("mesa.visualization.solara_viz")
        return importlib.import_module("mesa.visualization")


def test_views_follow_the_model(base: Scenario, mesa: Mesa) -> None:
    model = CoSimulation([base.changed({"rule": rule}) for rule in ("prc", "hybrid")])
    model.step()
    views = components(model)
    assert len(views) == 3
    shown = [solara.render(view(model), handle_error=False) for view in views]
    pictures = [rc.find(PICTURE).widget for _, rc in shown]
    assert [rc.find(v.Html, tag="h3").widget.children for _, rc in shown] == [
        ["prc"],
        ["hybrid"],
        ["Voltage along the feeder"],
    ]
    before = [picture.src for picture in pictures]
    assert all(src.startswith("data:image/png;base64,") and len(src) > 5000 for src in before)
    assert sorted(spot["name"] for spot in pictures[0].spots) == ["home-2", "home-3", "home-4"]
    for _ in range(10):
        model.step()
    mesa.utils.force_update()  # as Mesa's page does after a step
    assert all(picture.src != src for picture, src in zip(pictures, before, strict=True))
    for _, rc in shown:
        rc.close()


def test_mesas_page_takes_the_views(base: Scenario, mesa: Mesa) -> None:
    model = CoSimulation(base)
    box, rc = solara.render(
        mesa.solara_viz.ComponentsView([(view, 0) for view in components(model)], model), handle_error=False
    )
    assert sorted(found.name for found in rc.find(PICTURE).widgets) == ["map-0", "profile"]
    rc.close()
    del box
