"""How fast the page is in a real browser: ``python -m tests.cosim.page.browser.measure [--prosumers 100]``.

A hundred prosumers on a net of 116 buses, two rules side by side. Times are taken in the page itself, from the click or
the beginning of the load until every map that can be seen is decoded with its new content, as far as its pixels change.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from playwright.sync_api import Browser, Page

from cosim import Scenario
from tests.cosim.page.browser.chromium import started
from tests.cosim.page.browser.served import Served, serving
from tests.cosim.page.browser.shown import Shown

__all__ = ["Measured", "growth_mb", "many_resets", "measure", "village"]

_MAPS = """
window.maps = () => [...document.querySelectorAll('.cosim-picture-map-0 img, .cosim-picture-map-1 img')];
window.drawn = image => image.complete && image.naturalWidth > 200;
window.step = () => Number((/step (\\d+) of/.exec(document.querySelector('.cosim-clock')?.innerText) || [0, -1])[1]);
window.when = true_ => new Promise(done => {
    const look = () => true_() ? done(performance.now()) : requestAnimationFrame(look);
    look();
});
"""

_FIRST = """async sides => {
    await when(() => maps().length === sides && maps().every(drawn));
    await Promise.all(maps().map(image => image.decode()));
    return performance.now();
}"""

_STEP = """async () => {
    const before = maps().map(image => image.src), at = step(), begin = performance.now();
    document.querySelector('.cosim-step').click();
    await when(() => step() === at + 1 && maps().every((image, side) => image.src !== before[side] && drawn(image)));
    await Promise.all(maps().map(image => image.decode()));
    return performance.now() - begin;
}"""

# Pictures are counted when they are on the screen, not when they are sent.
_PLAY = """async seconds => {
    const begin = performance.now(), from = step(), seen = new Set();
    let ended = begin;
    document.querySelector('.cosim-play').click();
    await when(() => {
        const now = performance.now(), at = step();
        if (maps().every(drawn)) seen.add(maps()[0].src);
        if (step() > from) ended = now;
        return now - begin > 1000 * seconds || at === 96;
    });
    const steps = step() - from;
    return {steps: steps / (ended - begin) * 1000, pictures: seen.size / (ended - begin) * 1000, n: steps};
}"""


@dataclass(frozen=True)
class Measured:
    """What was measured; times in seconds, memory in MB.

    Attributes
    ----------
    start_s : float
        From the start of the process to its printed address.
    first_cold_s, first_again_s : float
        From the beginning of a load to the maps: by a browser with nothing kept, and once more.
    step_median_s, step_p95_s : float
        From a click to the new maps.
    play_steps_per_s, play_pictures_per_s : float
        While it plays: steps, and different pictures of the first map that were on the screen.
    resets : int
    rss_first_mb, rss_last_mb, rss_slope_mb : float
        Resident memory of the server after the first reset and after the last, and its growth by reset.
    """

    start_s: float
    first_cold_s: float
    first_again_s: float
    step_median_s: float
    step_p95_s: float
    play_steps_per_s: float
    play_pictures_per_s: float
    resets: int
    rss_first_mb: float
    rss_last_mb: float
    rss_slope_mb: float


def village(prosumers: int) -> Scenario:
    """So many homes with PV and batteries on the 116 buses of a village, on the sunniest day of the extract."""
    population = {"population.n": prosumers, "population.pv_kwp": 6.0, "population.battery_kwh": 6.0}
    return Scenario(name="village").changed({"feeder.name": "kerber-dorfnetz", "rule": "hybrid", **population})


def measure(prosumers: int = 100, steps: int = 30, play_s: float = 10.0, resets: int = 50) -> Measured:
    """Start a server and a browser, and measure."""
    with tempfile.TemporaryDirectory() as folder, started() as browser:
        (Path(folder) / "village.toml").write_text(village(prosumers).to_toml(), encoding="utf-8")
        with serving(Path(folder), "village.toml") as served:
            return _measured(served, browser, steps, play_s, resets)


def many_resets(shown: Shown, served: Served, resets: int) -> list[float]:
    """Resident memory of the server after each reset [MB]."""
    rss = []
    for _ in range(resets):
        shown.step()
        shown.reset()
        rss.append(served.rss_mb())
    return rss


def growth_mb(rss_mb: list[float]) -> float:
    """Slope by least squares [MB per reset]; the first fifth, in which caches fill, is left out."""
    late = np.asarray(rss_mb[len(rss_mb) // 5 :])
    return float(np.polyfit(np.arange(len(late)), late, 1)[0])


def _measured(served: Served, browser: Browser, steps: int, play_s: float, resets: int) -> Measured:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.add_init_script(_MAPS)
    page = context.new_page()
    cold_s, again_s = [_first_s(page, served.address) for _ in range(2)]
    shown = Shown(page, served.address)
    shown.step(20)  # into the day: at night maps hardly change
    clicks = _clicks_s(page, steps)
    shown.reset()
    played: dict[str, Any] = page.evaluate(_PLAY, play_s)
    shown.reset()  # which stops playing; the day may be over already
    rss = many_resets(shown, served, resets)
    context.close()
    return Measured(
        served.start_s,
        cold_s,
        again_s,
        float(np.median(clicks)),
        float(np.quantile(clicks, 0.95)),
        played["steps"],
        played["pictures"],
        resets,
        rss[0],
        rss[-1],
        growth_mb(rss),
    )


def _first_s(page: Page, address: str) -> float:
    page.goto(address)
    return float(page.evaluate(_FIRST, 2)) / 1000


def _clicks_s(page: Page, steps: int) -> npt.NDArray[np.float64]:
    return np.array([page.evaluate(_STEP) for _ in range(steps)]) / 1000


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prosumers", type=int, default=100)
    parser.add_argument("--resets", type=int, default=50)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found = asdict(measure(given.prosumers, resets=given.resets))
    for name, value in found.items():
        print(f"{name:22} {value:10.3f}")
    if given.json:
        given.json.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    _main()
