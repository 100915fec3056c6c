"""The page as its reader sees and handles it: clock, pictures, controls, by the classes that its parts carry."""

from __future__ import annotations

import base64
import io
import re
import time
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image
from playwright.sync_api import Locator, Page

from cosim.page.controls import Control

__all__ = ["PICTURES", "Shown", "until"]

PICTURES = ("map-0", "map-1", "profile", "home", "wallets")
PATIENCE_S = 30.0

_OF_A_RUN = ", ".join(f".cosim-picture-{name}" for name in PICTURES)
_STEPS = "pictures => pictures.map(picture => Number(picture.dataset.step))"
_CLOCK = re.compile(r"step (\d+) of (\d+)")

# What the browser has decoded, not what was sent to it.
_PIXELS = """async image => {
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = image.naturalWidth;
    canvas.height = image.naturalHeight;
    canvas.getContext('2d').drawImage(image, 0, 0);
    return canvas.toDataURL('image/png');
}"""

_CELLS = "body => [...body.rows].map(row => [...row.cells].map(cell => cell.innerText.trim()))"

# What does not fit into a box that hides the rest of it; what only those read who do not see is there on purpose.
_CUT_OFF = """() => [...document.querySelectorAll('[class*=cosim-]')].filter(part => {
    const style = getComputedStyle(part);
    const hides = way => ['hidden', 'clip'].includes(style[`overflow${way}`]);
    return part.clientWidth > 1 && ((hides('Y') && part.scrollHeight > part.clientHeight + 1)
        || (hides('X') && part.scrollWidth > part.clientWidth + 1));
}).map(part => part.className)"""

_SCROLLS = "part => part.scrollHeight > part.clientHeight + 1 || part.scrollWidth > part.clientWidth + 1"

Box = dict[str, float]


def until(true: Callable[[], bool], what: str, page: Page, patience_s: float = PATIENCE_S) -> None:
    """Wait for something; the page goes on meanwhile.

    Raises
    ------
    AssertionError
        When it has not come after that time.
    """
    end = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < end, f"still not after {patience_s:.0f} s: {what}"
        page.wait_for_timeout(20)


class Shown:
    """A page that is open.

    Parameters
    ----------
    page : Page
        Of the browser.
    address : str
        Of the server.
    """

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        page.set_default_timeout(1000 * PATIENCE_S)

    def open(self) -> Shown:
        """Load it, and wait for its first picture and the beginning of a run."""
        self.page.goto(self.address)
        self.wait_for_step(0)
        return self

    def part(self, name: str) -> Locator:
        """A part of the page by its class, without the beginning that all have."""
        return self.page.locator(f".cosim-{name}").first

    def text(self, name: str) -> str:
        """What a part says; empty while it is not there."""
        part = self.part(name)
        return part.inner_text().strip() if part.count() else ""

    def clock(self) -> tuple[int, int]:
        """Steps lived and in all; (-1, -1) before a run is there."""
        found = _CLOCK.search(self.text("clock"))
        return (int(found.group(1)), int(found.group(2))) if found else (-1, -1)

    def wait_for_step(self, step: int) -> None:
        """Wait until so many steps are lived and all that can be seen of them is decoded."""
        until(lambda: self.clock()[0] == step, f"step {step}", self.page)
        until(lambda: self.drawn() == {step}, f"pictures of step {step}", self.page)

    def drawn(self) -> set[int]:
        """The steps of the pictures of the run that can be seen; the one before stays until the next is decoded."""
        steps: list[int] = self.page.locator(_OF_A_RUN).evaluate_all(_STEPS)
        return set(steps)

    def step(self, times: int = 1) -> None:
        """Press the button, and wait for what it does, each time."""
        for _ in range(times):
            before = self.clock()[0]
            self.part("step").click()
            self.wait_for_step(before + 1)

    def reset(self) -> None:
        """Begin anew, and wait until that is done."""
        self.part("reset").click()
        until(lambda: self.clock()[0] == 0 and not self.text("pending"), "a new run", self.page)
        self.wait_for_step(0)

    def show(self, tab: str) -> None:
        """Bring a tab to the front."""
        self.part(f"tab-{tab}").click()
        if tab in PICTURES:
            until(lambda: self.drawn() == {self.clock()[0]}, f"the picture of tab {tab}", self.page)

    def rows(self, name: str) -> list[list[str]]:
        """The cells of the body of a part's table, row by row."""
        cells: list[list[str]] = self.part(name).locator("tbody").first.evaluate(_CELLS)
        return cells

    def move(self, control: Control, value: str | float) -> None:
        """Put a control to a value, as a hand would: out of a list, with the keys of a slider, or into a field."""
        part = self.part(f"control-{control.name}")
        if control.kind == "choice":
            part.locator(".v-select__slot").click()
            options, place = (
                self.page.locator(".menuable__content__active .v-list-item"),
                control.choices.index(str(value)),
            )
            options.first.wait_for()
            while options.count() <= place:  # long lists grow while they are scrolled
                options.last.scroll_into_view_if_needed()
                self.page.wait_for_timeout(20)
            options.nth(place).click()
            options.first.wait_for(state="hidden")
        elif part.locator("[role=slider]").count():
            self.slide(control, float(value))
        else:
            part.locator("input").fill(f"{value:g}")
            part.locator("input").press("Enter")

    def slide(self, control: Control, value: float) -> None:
        """Press the arrow keys of a slider until it stands at a value."""
        thumb = self.part(f"control-{control.name}").locator("[role=slider]")
        thumb.focus()
        steps = round((value - self.value(control)) / control.step)
        for _ in range(abs(steps)):
            thumb.press("ArrowRight" if steps > 0 else "ArrowLeft")

    def value(self, control: Control) -> float:
        """Where a slider stands."""
        thumb = self.part(f"control-{control.name}").locator("[role=slider]")
        return float(thumb.get_attribute("aria-valuenow") or "nan")

    def image(self, name: str) -> Locator:
        """The image element of a picture."""
        return self.part(f"picture-{name}").locator("img")

    def source(self, name: str) -> str:
        """What the image element shows, as an address: another one for another picture."""
        return self.image(name).get_attribute("src") or ""

    def pixels(self, name: str) -> npt.NDArray[np.uint8]:
        """A picture as decoded, shape (height, width, 3)."""
        url = self.image(name).evaluate(_PIXELS)
        data = base64.b64decode(url.split(",", 1)[1])
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))

    def cut_off(self) -> list[str]:
        """Parts of which something cannot be seen, and cannot be scrolled to."""
        found: list[str] = self.page.evaluate(_CUT_OFF)
        return found

    def scrolled(self, names: Sequence[str]) -> list[str]:
        """Those of some parts that have to be scrolled to be seen whole."""
        return [name for name in names if self.part(name).evaluate(_SCROLLS)]

    def boxes(self, names: Sequence[str]) -> dict[str, Box | None]:
        """Where parts are on the page."""
        return {name: self.part(name).bounding_box() for name in names}
