"""The page without a browser: what its parts hold, and what handlers do with what nobody should send."""

from __future__ import annotations

import gc
import re
import threading
import time
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

import ipyvuetify as v
import numpy as np
import pandas as pd
import pytest
import solara

from cosim import CoSimulation, Scenario
from cosim.page.page import Explorer
from cosim.page.panels import log_html, summary_html
from cosim.page.run_log import LogEntry
from cosim.page.session import Session
from cosim.page.wallets import SUMMARY
from tests.cosim.page.browser.told import differences

QUICK = {"market_step_min": 60, "control_step_min": 15, "record": ()}
"""A day that is over quickly."""

WRONG = [None, 1, "x", [], {}, {"name": "pv_kwp"}, {"name": "pv_kwp", "value": float("nan")}, {"name": [], "value": {}}]


@pytest.fixture(scope="module")
def base() -> Scenario:
    return Scenario().changed(QUICK)


@pytest.fixture
def session(base: Scenario) -> Iterator[Session]:
    session = Session(base)
    yield session
    session.player.close()


@pytest.mark.parametrize("sent", WRONG)
def test_what_is_no_change_is_refused_and_said(session: Session, sent: Any) -> None:
    session.on_change(sent)
    shown = session.shown.value
    assert shown.refused.startswith("page: ")
    assert shown.again == 1
    assert shown.settings == session.player.settings == session.board.initial
    assert session.message(session.frame.value, shown) == shown.refused


@pytest.mark.parametrize("sent", [None, -1, 4, 1.5, "nothing", [], float("nan"), {}])
def test_tabs_speeds_and_prosumers_that_there_are_not_are_refused(session: Session, sent: Any) -> None:
    for number, handler in enumerate((session.on_tab, session.on_pace, session.on_choose), start=1):
        handler(sent)
        assert session.shown.value.again == number
    assert (session.shown.value.tab, session.shown.value.pace) == ("profile", "fastest")


@pytest.mark.parametrize("sent", [None, {}, *({"per_inch": value} for value in ("x", float("nan"), -1, 1e300))])
def test_a_size_that_cannot_be_is_passed_over(session: Session, sent: Any) -> None:
    session.on_size(sent)
    assert session.player._wishes._wanted.pixels_per_inch == 0
    assert session.shown.value.again == 0


def test_a_change_is_shown_at_once_and_takes_away_the_last_refusal(session: Session) -> None:
    session.on_change({"name": "pv_kwp", "value": 1e9})
    assert session.shown.value.refused
    control = session.board.controls["pv_kwp"]
    session.on_change({"name": "pv_kwp", "value": control.high})
    assert session.shown.value.settings.pv_kwp == control.high
    assert not session.shown.value.refused


def test_a_message_that_was_read_is_gone_until_the_next_one(session: Session) -> None:
    session.on_tab("nothing")
    session.on_close()
    assert session.message(session.frame.value, session.shown.value) == ""


def test_key_figures_tell_the_table() -> None:
    table = pd.DataFrame([("PRC", 98.74, -5.6, 0.0004, 0.1234, 14.66, 0.96774, 1.05, 15.0)], columns=list(SUMMARY))
    table.loc[1] = ["<b>", np.nan, np.nan, 0.0, 0.0, 0.0, np.nan, np.nan, 0.0]
    html = summary_html(table)
    rows = re.findall("<tr>(.*?)</tr>", html)[1:]
    cells = [[unescape(cell) for cell in re.findall(r"<t[hd]>(.*?)</t[hd]>", row)] for row in rows]
    assert differences(cells, table) == []
    assert "<b>" not in html
    assert summary_html(None) == ""


def test_the_log_is_told_as_text() -> None:
    entry = LogEntry(3, "00:45", "PRC", "failed", "<script>alert('x')</script> & more")
    html = log_html([entry])
    assert "<script>" not in html
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt; &amp; more" in html


def wait_for(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def players() -> int:
    return sum(thread.name == "page player" for thread in threading.enumerate())


def counted(page: Any) -> list[str]:
    children: list[str] = page.find(v.Html, class_="cosim-count").widget.children
    return children


def models() -> int:
    gc.collect()
    return sum(isinstance(found, CoSimulation) for found in gc.get_objects())


def test_the_page_shows_a_run_steps_and_ends_with_its_tab(base: Scenario) -> None:
    before = players(), models()
    box, rc = solara.render(Explorer(base), handle_error=False)  # `box` keeps the widgets alive
    wait_for(lambda: counted(rc) == ["step 0 of 24"])
    assert (players(), models()) == (before[0] + 1, before[1] + 1)
    rc.find(v.Btn, class_="cosim-button cosim-step").widget.click()
    wait_for(lambda: counted(rc) == ["step 1 of 24"])
    assert [heading.children for heading in rc.find(v.Html, class_="cosim-side cosim-side-0").widgets] == [["hybrid"]]
    rc.close()
    del box
    wait_for(lambda: players() == before[0])
    wait_for(lambda: models() == before[1])


def test_a_page_shows_its_own_run(base: Scenario) -> None:
    first, one = solara.render(Explorer(base), handle_error=False)
    second, other = solara.render(Explorer(base), handle_error=False)
    wait_for(lambda: counted(one) == counted(other) == ["step 0 of 24"])
    one.find(v.Btn, class_="cosim-button cosim-step").widget.click()
    wait_for(lambda: counted(one) == ["step 1 of 24"])
    assert counted(other) == ["step 0 of 24"]
    one.close()
    other.close()
    del first, second


def test_moves_are_counted_also_where_they_are_refused(session: Session) -> None:
    """So that a control follows what comes back of its last move, and of no earlier one."""
    control = session.board.controls["pv_kwp"]
    session.on_change({"name": "pv_kwp", "value": control.high, "move": 3})
    assert session.shown.value.moves == {"pv_kwp": 3}
    session.on_change({"name": "pv_kwp", "value": 1e9, "move": 4})
    assert session.shown.value.moves == {"pv_kwp": 4}
    assert session.shown.value.settings.pv_kwp == control.high
    for move in (None, "5", -1, 2**40, float("nan"), []):
        session.on_change({"name": "pv_kwp", "value": control.low, "move": move})
        session.on_change({"name": "nothing", "value": control.low, "move": 9})
        assert session.shown.value.moves == {"pv_kwp": 4}
