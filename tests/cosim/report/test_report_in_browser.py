"""A report in a real browser: pictures are whole, nothing is asked for or complained of, nothing is cut off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from cosim import run
from cosim.report import write_report
from tests.cosim.page.browser.chromium import started
from tests.cosim.page.browser.watched import Watch
from tests.cosim.report.test_run_report import DAY


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as browser:
        yield browser


def test_a_report_is_whole_and_quiet(browser: Browser, tmp_path: Path) -> None:
    run(DAY, folder=tmp_path / "r", references=False)
    watch, context = Watch(""), browser.new_context(viewport={"width": 1280, "height": 800})
    watch.attach(context)
    page, address = context.new_page(), write_report(tmp_path / "r").as_uri()
    page.goto(address)
    widths = page.evaluate("[...document.images].map(image => image.complete ? image.naturalWidth : 0)")
    assert len(widths) == 5 and min(widths) > 500
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280  # wide tables scroll by themselves
    page.click("nav a[href='#figures']")
    assert page.url == f"{address}#figures"
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 688, "height": 1009})  # A4 less its margins, at 96 dots per inch
    assert page.evaluate("[...document.querySelectorAll('table')].every(table => table.offsetWidth <= 688)")
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    assert watch.asked == [address] and watch.complaints() == []
    # What a browser would fetch if it were told to, it does not: the page forbids it.
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=\"https://example.org/spy.png\">')")
    page.wait_for_function("[...document.images].at(-1).complete")
    assert any("Content Security Policy" in line for line in watch.errors)
    context.close()
