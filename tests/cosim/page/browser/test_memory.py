"""A page that is reset again and again does not grow the server."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.cosim.page.browser.measure import growth_mb, many_resets, village
from tests.cosim.page.browser.served import serving
from tests.cosim.page.browser.shown import Shown

MOST_MB = 2.0
"""By reset. A run of this village takes 9 MB, and that is what stays of each where Mesa's table of agents keeps models
alive; where it does not 0.1 MB were measured."""


@pytest.mark.slow
def test_resets_do_not_grow_the_server(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "village.toml").write_text(village(100).to_toml(), encoding="utf-8")
    with serving(tmp_path, "village.toml") as served, browser.new_context() as context:
        rss_mb = many_resets(Shown(context.new_page(), served.address).open(), served, 25)
    assert growth_mb(rss_mb) < MOST_MB, rss_mb
