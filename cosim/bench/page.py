"""A step of the page: two rules and what they are compared with in lock-step, and the pictures that show it."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from matplotlib.figure import Figure

from cosim.bench.row import Effort, Report, Row, Timing
from cosim.bench.stopwatch import seconds_of
from cosim.model import CoSimulation
from cosim.page.controls import Board
from cosim.page.given import default_scenario
from cosim.page.live import Live
from cosim.page.views import Views, size_of
from cosim.plots import plot_feeder, plot_home, plot_profile, plot_wallets
from feeders.sketch import sketch_of

__all__ = ["page_frames"]

_PROSUMERS = 100
_FROM, _UNTIL = 36, 60  # market steps of the default day: 9:00 to 15:00, when rules act


def page_frames(effort: Effort, report: Report) -> Iterator[Row]:
    """Medians of a step, and of each picture of it, with 100 prosumers on 116 buses under two rules; without a browser.

    The peer of the step is one model after another instead of copies in lock-step; that of a picture a figure made anew
    and saved with a tight box, as notebooks and Mesa's own page do.
    """
    board = Board(default_scenario().changed({"population.n": _PROSUMERS}))
    live, views = Live(board, board.initial), Views()
    apart = [CoSimulation(scenario) for scenario in live.model.settings]
    chosen, every = live.names[-1], 1 if effort.repeats > 2 else 6
    ours, theirs = defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)
    for step in range(_UNTIL):
        own, one_by_one = seconds_of(live.step), sum(seconds_of(model.step) for model in apart)
        if step >= _FROM and step % every == 0:
            ours["step"].append(own)
            theirs["step"].append(one_by_one)
            for name, draw in _drawn_anew(live, chosen).items():
                ours[name].append(seconds_of(partial(views.draw, name, live, chosen)))
                theirs[name].append(seconds_of(draw))
        report(step / _UNTIL)
    live.close()
    yield from _rows(ours, theirs)
    report(1.0)


def _rows(ours: Mapping[str, Sequence[float]], theirs: Mapping[str, Sequence[float]]) -> Iterator[Row]:
    frame = 0.0
    for name, seconds in ours.items():
        timing = Timing(tuple(seconds[1:]))  # the first one makes the figure that is kept
        peer = "one model after another" if name == "step" else "a figure made anew"
        yield Row(f"page-{name}", timing, peer, Timing(tuple(theirs[name][1:])))
        frame += {"step": 1, "map-0": 2, "profile": 1}.get(name, 0) * timing.median
    note = "a step, two maps, the profile; no browser"
    yield Row("page-frame", Timing((frame,)), note=note, details={"frames /s": 1 / frame})


def _drawn_anew(live: Live, chosen: str) -> dict[str, Callable[[], object]]:
    """The page's pictures, each from nothing to a PNG."""
    sketch, band, homes = sketch_of(live.feeder), live.model.settings[0].voltage.band, live.homes(0)
    distance = live.feeder.electrical_distance["z_ohm"].to_numpy()
    row = homes.names.index(chosen)
    states = {label: live.state(side) for side, label in enumerate(live.labels)}
    days = {label: live.home_day(side, row) for side, label in enumerate(live.labels)}
    fills: dict[str, Callable[[Figure], object]] = {
        "map-0": lambda figure: plot_feeder(figure.subplots(), sketch, states[live.labels[0]], band, homes, row),
        "profile": lambda figure: plot_profile(figure.subplots(), sketch, distance, states, band, homes, row),
        "home": lambda figure: plot_home(figure, days, band, float(homes.capacity_kwh[row])),
        "wallets": lambda figure: plot_wallets(figure, live.wallets(), live.labels),
    }
    return {name: partial(_saved, name, fill) for name, fill in fills.items()}


def _saved(name: str, fill: Callable[[Figure], object]) -> bytes:
    figure, target = Figure(figsize=size_of(name, 2), dpi=100), io.BytesIO()
    fill(figure)
    figure.savefig(target, format="png", bbox_inches="tight")
    return target.getvalue()
