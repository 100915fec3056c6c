"""One browser and one server for a module, and pages of which nothing may be left to complain."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from cosim import Scenario
from tests.cosim.page.browser.chromium import started
from tests.cosim.page.browser.served import Served, serving
from tests.cosim.page.browser.shown import Shown
from tests.cosim.page.browser.watched import Watch

DAY = {
    "start": datetime(2016, 6, 9, 8, tzinfo=UTC),
    "market_step_min": 60,
    "control_step_min": 15,
    "feeder.background_scale": 4.0,
}
"""A day that is over quickly, 24 steps of it, begun on a sunny morning, so that rules act in its first hours.

The four-bus feeder has no loads of its own; four times the loads of case33bw are more than it carries, those of the
Kerber feeders are not.
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as browser:
        yield browser


@pytest.fixture(scope="module")
def base() -> Scenario:
    """What the server is started with."""
    return Scenario().changed(DAY)


@pytest.fixture(scope="module")
def served(base: Scenario, tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("server")
    file = folder / "scenario.toml"
    file.write_text(base.to_toml(), encoding="utf-8")
    with serving(folder, file.name) as served:
        yield served


@pytest.fixture
def opened(served: Served, browser: Browser) -> Iterator[Callable[..., Shown]]:
    """Opens pages, each in a context of its own; at the end nothing was asked for elsewhere, and nothing went wrong."""
    told, watches, contexts = len(served.log.read_text(encoding="utf-8")), [], []

    def open_page(width: int = 1280, height: int = 800, script: str = "") -> Shown:
        context = browser.new_context(viewport={"width": width, "height": height}, service_workers="block")
        contexts.append(context)
        watches.append(Watch(served.host))
        watches[-1].attach(context)
        if script:
            context.add_init_script(script)
        return Shown(context.new_page(), served.address).open()

    yield open_page
    for context in contexts:
        context.close()
    assert [text for watch in watches for text in watch.complaints()] == []
    assert served.tracebacks(told) == []


@pytest.fixture
def page(opened: Callable[..., Shown]) -> Shown:
    """A page at the beginning of its run."""
    return opened()


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: the folder named in COSIM_SCREENSHOTS, else one that pytest throws away."""
    named = os.environ.get("COSIM_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
