"""Several browsers at one server: each has a run of its own, that ends with its page and obeys no forged message."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from cosim import Scenario
from cosim.page.controls import Board
from cosim.page.live import Live
from tests.cosim.page.browser.served import Served
from tests.cosim.page.browser.shown import Shown, until
from tests.cosim.page.browser.told import assert_shows, lived

pytestmark = pytest.mark.slow

# Keeps what the page sends, and sends what a test has made of it, over the page's own socket.
SPY = """
window.sent = [];
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (data) {
    if (typeof data === 'string') window.sent.push([this, data]);
    return send.call(this, data);
};
window.hold = () => { WebSocket.prototype.send = function (data) { }; };
window.forge = text => { for (const [socket] of window.sent.slice(-1)) send.call(socket, text); };
"""
WRONG = ["1e9", "-1", "NaN", "Infinity", '"much"', "null", "[1]", '{"value": 1}', "true", "1" + "0" * 400]
"""Values that no slider gives, as Python's JSON reads them."""


@pytest.fixture(scope="module")
def board(base: Scenario) -> Board:
    return Board(base)


def test_two_browsers_see_their_own_runs(opened: Callable[..., Shown], board: Board) -> None:
    one, other = opened(), opened()
    one.part("play").click()
    kappa = board.controls["kappa"]
    settings = board.changed(board.initial, "kappa", kappa.low)
    other.slide(kappa, kappa.low)
    other.step()
    until(lambda: one.clock()[0] >= 4, "the first plays on", one.page)
    live = Live(board, board.initial)
    live.change(settings)
    live.step()
    assert_shows(other, live)
    assert other.clock()[0] == 1
    assert one.value(kappa) == pytest.approx(board.initial.kappa)
    one.part("play").click()
    until(lambda: one.text("play") == "Play" or one.clock()[0] == one.clock()[1], "a pause", one.page)
    one.page.wait_for_timeout(300)  # a step that had begun may end
    assert_shows(one, lived(board, board.initial, one.clock()[0]))


def test_a_page_loaded_anew_in_the_midst_of_a_run_begins_clean(page: Shown, board: Board) -> None:
    kappa = board.controls["kappa"]
    page.slide(kappa, kappa.low)
    page.part("play").click()
    until(lambda: page.clock()[0] >= 2, "it plays", page.page)
    page.page.reload()
    page.wait_for_step(0)
    assert page.value(kappa) == pytest.approx(board.initial.kappa)
    assert page.text("play") == "Play"
    page.page.wait_for_timeout(300)
    assert page.clock()[0] == 0
    page.step()
    assert_shows(page, lived(board, board.initial, 1))


def test_a_closed_tab_stops_its_run(opened: Callable[..., Shown], served: Served) -> None:
    """Its thread ends, and the server no longer computes."""
    page, other = opened(), opened()
    page.part("play").click()
    until(lambda: page.clock()[0] >= 2, "it plays", page.page)
    threads = served.process.num_threads()
    page.page.close()
    until(lambda: served.process.num_threads() < threads, "the thread of the run ends", other.page)
    until(lambda: idle(served), "the server computes for nobody", other.page)
    assert other.clock()[0] == 0


def idle(served: Served, window_s: float = 0.5) -> bool:
    """Whether the server takes less than a tenth of a core."""
    begin = served.cpu_s()
    time.sleep(window_s)
    return served.cpu_s() - begin < 0.1 * window_s


def test_fifty_quick_moves_of_a_slider_end_at_the_last_value(page: Shown, board: Board) -> None:
    share = board.controls["share_percent"]
    thumb = page.part("control-share_percent").locator("[role=slider]")
    thumb.focus()
    keys = ["ArrowRight", "ArrowLeft"] * 20 + ["ArrowLeft"] * 10  # to a value that it has not had before
    for key in keys:
        thumb.press(key)
    value = share.high
    for key in keys:
        value = min(value + share.step, share.high) if key == "ArrowRight" else max(value - share.step, share.low)
    until(lambda: page.value(share) == pytest.approx(value), "the slider shows the last move", page.page)
    settings = board.changed(board.initial, "share_percent", value)
    for _ in range(10):  # the last move is sent a moment after it, and nothing that comes back undoes it
        page.page.wait_for_timeout(50)
        assert page.value(share) == pytest.approx(value)
    page.reset()
    page.step()
    assert_shows(page, lived(board, settings, 1))


def test_a_key_at_the_end_of_a_slider_asks_for_no_more(opened: Callable[..., Shown], board: Board) -> None:
    page = opened(script=SPY)
    share = board.controls["share_percent"]
    thumb = page.part("control-share_percent").locator("[role=slider]")
    for key, end in (("ArrowRight", share.high), ("Home", share.low), ("ArrowLeft", share.low)):
        thumb.press(key)
        sent = changed_by(sent_change(page, "share_percent"))["value"]
        assert (page.value(share), sent) == (end, end), key


def test_a_refusal_does_not_undo_a_move_that_came_later(opened: Callable[..., Shown], board: Board) -> None:
    page = opened(script=SPY)
    kappa, share = board.controls["kappa"], board.controls["share_percent"]
    page.slide(kappa, board.initial.kappa - kappa.step)
    frame = sent_change(page, "kappa")
    page.page.evaluate("hold()")  # what is sent from here on is on its way when the refusal comes
    page.slide(share, share.high - share.step)
    forge(page, frame, {"name": "@", "value": 1}, '"__class__"')
    until(lambda: "__class__" in page.text("error"), "a refusal", page.page)
    page.page.wait_for_timeout(100)
    assert page.value(share) == pytest.approx(share.high - share.step)
    assert page.value(kappa) == pytest.approx(board.initial.kappa - kappa.step)


def test_forged_values_are_refused_with_a_message_and_change_nothing(
    opened: Callable[..., Shown], board: Board
) -> None:
    page = opened(script=SPY)
    kappa = board.controls["kappa"]
    page.slide(kappa, board.initial.kappa - kappa.step)
    frame = sent_change(page, "kappa")
    settings = board.changed(board.initial, "kappa", board.initial.kappa - kappa.step)
    for text in WRONG:
        forge(page, frame, {"name": "kappa", "value": "@"}, text)
        until(lambda: kappa.label in page.text("error"), f"a refusal of {text}", page.page)
        assert page.value(kappa) == pytest.approx(settings.kappa)
        forge(page, frame, {"name": "kappa", "value": "@"}, json.dumps(settings.kappa))
        until(lambda: not page.text("error"), "the message goes with the next good value", page.page)
    forge(page, frame, {"name": "@", "value": 1}, '"__class__"')
    until(lambda: "__class__" in page.text("error"), "a refusal of a control there is not", page.page)
    forge(page, frame, "@", "[]")
    page.step()
    live = Live(board, board.initial)
    live.change(settings)
    live.step()
    assert_shows(page, live)


def sent_change(page: Shown, name: str) -> dict[str, Any]:
    """The last message that the page sent when a control was moved."""
    found: list[dict[str, Any]] = []

    def look() -> bool:
        frames = page.page.evaluate("window.sent.map(([socket, text]) => text)")
        found[:] = [frame for frame in map(json.loads, frames) if changed_by(frame).get("name") == name]
        return bool(found)

    until(look, f"a message of {name}", page.page)
    return found[-1]


def changed_by(frame: dict[str, Any]) -> dict[str, Any]:
    """What a message says of a control; empty where it is about something else."""
    data = frame.get("content", {}).get("data", {})
    content = data.get("content", {}) if isinstance(data, dict) else {}
    sent = content.get("data") if isinstance(content, dict) else None
    return sent if isinstance(sent, dict) else {}


def forge(page: Shown, frame: dict[str, Any], data: object, value: str) -> None:
    """Send the message once more with other data, in which "@" stands for a value as text."""
    frame = json.loads(json.dumps(frame))
    frame["content"]["data"]["content"]["data"] = data
    page.page.evaluate("text => forge(text)", json.dumps(frame).replace('"@"', value))
