"""The page in a browser: what it draws, plays and says is what the model does, and every control acts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from cosim import Scenario
from cosim.page.controls import Board, Control
from cosim.page.live import Live
from tests.cosim.page.browser.shown import PICTURES, Shown, until
from tests.cosim.page.browser.told import assert_shows, lived, says

N_STEPS = 24  # of the day in conftest
FIXED = ("play", "step", "reset", "clock", "summary", "picture-map-0", "picture-map-1", "picture-profile")
SMALL_FEEDER = "kerber-landnetz-freileitung-2"


@pytest.fixture(scope="module")
def board(base: Scenario) -> Board:
    return Board(base)


def colours(pixels: npt.NDArray[np.uint8]) -> int:
    return len(np.unique(pixels.reshape(-1, 3), axis=0))


def listed(shown: Shown, control: Control) -> bool:
    """Whether a control is among those that wait for a reset."""
    return control.label in shown.text("pending")


def redrawn(shown: Shown, name: str, before: str) -> bool:
    """Whether a picture is another one than before."""
    return shown.source(name) != before


def test_the_first_pictures_are_drawn_and_change_with_a_step(page: Shown) -> None:
    before = {name: page.pixels(name) for name in ("map-0", "map-1", "profile")}
    for name, pixels in before.items():
        assert pixels.shape[1] > 200, name
        assert colours(pixels) > 20, name
    page.step()
    after = page.pixels("profile")
    assert after.shape == before["profile"].shape
    assert (after != before["profile"]).any()


def test_a_day_plays_to_its_end_and_shows_what_two_rules_make_of_it(page: Shown, board: Board) -> None:
    counted = [page.clock()[0]]
    page.part("play").click()

    def ended() -> bool:
        counted.append(page.clock()[0])
        return counted[-1] == N_STEPS

    until(ended, "the end of the day", page.page)
    assert counted == sorted(counted)
    assert len(set(counted)) > 3, "steps are seen as they are lived"
    live = lived(board, board.initial, N_STEPS)
    assert live.finished
    assert_shows(page, live)
    side, other = live.summary().iloc[:, 1:].to_numpy(dtype=float)
    assert not np.array_equal(side, other, equal_nan=True), "the two rules differ in this day, or nothing is compared"
    until(lambda: not page.part("step").is_enabled(), "no step after the end", page.page)


def test_the_maps_of_two_rules_differ(page: Shown) -> None:
    page.step(3)  # rules act then, and differ, by 0.006 p.u. at the end of the feeder
    assert (page.pixels("map-0") != page.pixels("map-1")).any()


def moved(board: Board, control: Control) -> str | float:
    """Another value of a control, one that takes no long time."""
    value = getattr(board.initial, control.name)
    if control.name == "feeder":
        return SMALL_FEEDER
    if control.kind == "choice":
        return next(choice for choice in reversed(control.choices) if choice not in ("", value, board.initial.rule))
    if control.name == "seed":
        return int(value) + 1
    steps = 3 if value + 3 * control.step <= control.high else -3
    return control.on_grid(value + steps * control.step)


@pytest.mark.slow
def test_every_control_acts_at_the_next_step_or_waits_for_a_reset(page: Shown, board: Board) -> None:
    settings = board.initial
    live = lived(board, settings, 1)
    page.step()
    for control in board.controls.values():
        value = moved(board, control)
        before, settings = settings, board.changed(settings, control.name, value)
        page.move(control, value)
        waiting = board.needs_reset(before, settings)
        assert waiting == ([] if control.live else [control.label])
        if waiting:
            until(partial(listed, page, control), control.label, page.page)
            page.reset()
            live.close()
            live = Live(board, settings)
        else:
            live.change(settings)
        page.step()
        live.step()
        assert_shows(page, live)
    assert all(getattr(settings, name) != getattr(board.initial, name) for name in board.controls)
    live.close()


def test_what_waits_for_a_reset_has_changed_nothing_before(page: Shown, board: Board) -> None:
    control = board.controls["pv_kwp"]
    page.move(control, moved(board, control))
    until(partial(listed, page, control), "listed as waiting", page.page)
    page.step(2)
    assert_shows(page, lived(board, board.initial, 2))
    assert control.label in page.text("pending")


def test_hovering_tells_a_prosumers_figures_and_a_click_chooses_it(page: Shown, board: Board) -> None:
    page.step(3)
    homes = lived(board, board.initial, 3).homes(0)
    page.show("home")
    for row in (0, len(homes) - 1):
        before = page.source("home")
        spot = page.part("picture-map-0").locator(f'.cosim-spot[data-name="{homes.names[row]}"]')
        box = spot.bounding_box()
        assert box and 5 < box["width"] < 40, box  # it answers where it is, not all over the map
        spot.hover()
        tip = page.page.locator(".cosim-tip:visible")
        tip.wait_for()
        lines = tip.inner_text().splitlines()
        assert lines[0].strip() == homes.names[row]
        told = {line.split()[0]: line for line in lines[1:]}
        assert says(told["voltage"], float(homes.vm_pu[row])), told
        assert says(told["meter"], abs(float(homes.p_meter_kw[row]))), told
        assert says(told["in"], float(homes.energy_kwh[row])), told
        spot.click()
        until(partial(redrawn, page, "home", before), "the chosen one's day", page.page)
    page.page.mouse.move(5, 5)
    until(lambda: page.page.locator(".cosim-tip:visible").count() == 0, "no tip where nothing is", page.page)


def test_an_error_is_told_and_the_page_lives_on(opened: Callable[..., Shown], board: Board) -> None:
    page = opened()
    control = board.controls["feeder"]
    page.move(control, "case33bw")  # whose loads the scenario makes four times as large
    page.part("reset").click()
    page.part("step").click()
    until(lambda: bool(page.text("error")), "a message", page.page)
    assert "power flow" in page.text("error").lower()
    assert "Traceback" not in page.text("error")
    page.move(control, board.initial.feeder)
    page.reset()
    page.step()
    assert_shows(page, lived(board, board.initial, 1))
    assert page.text("error") == ""


def test_nothing_jumps_and_nothing_overflows(page: Shown) -> None:
    boxes = page.boxes(FIXED)
    assert all(box and box["width"] > 20 and box["height"] > 10 for box in boxes.values()), boxes
    for _ in range(10):
        page.step()
        assert page.boxes(FIXED) == boxes
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 1280
    for name, box in page.boxes(FIXED).items():
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 1280, name
    assert page.cut_off() == []
    assert page.scrolled(("main", "summary", "pending")) == []


@pytest.mark.slow
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1920, 1080)])
def test_every_view_is_there_at_any_size(opened: Callable[..., Shown], shots: Path, width: int, height: int) -> None:
    page = opened(width, height)
    page.step(4)
    for tab in ("profile", "home", "wallets", "log"):
        page.show(tab)
        if tab in PICTURES:
            assert colours(page.pixels(tab)) > 20, tab
        box = page.part("picture-map-0").bounding_box()
        assert box and box["width"] > 0.25 * width
        page.page.screenshot(path=shots / f"{tab}-{width}x{height}.png")
        if width > 1280:
            break
