"""What a page's player does with what is asked of it, watched on a run without a model behind it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cosim.page.frame import Frame, plain_message
from cosim.page.player import PACES, Player
from feeders.errors import InputError
from tests.cosim.page.stand_ins import Board, Gallery, Live, Settings

WAIT_S = 20.0  # how long a test waits for what is to come; it comes at once


class Watched:
    """A player whose frames are kept, and the runs it makes."""

    def __init__(self, **run: Any) -> None:
        self.frames: list[Frame] = []
        self.news = threading.Condition()
        self.runs: list[Live] = []
        self.gallery = Gallery()
        self.run = run
        self.player = Player(Board(), self.publish, self.make, self.gallery)  # type: ignore[arg-type]

    def make(self, board: Board, settings: Settings) -> Live:
        if settings.pv_kwp < 0:
            raise ValueError("no such PV")
        self.runs.append(Live(settings, **self.run))
        return self.runs[-1]

    def publish(self, frame: Frame) -> None:
        with self.news:
            self.frames.append(frame)
            self.news.notify_all()

    def until(self, true: Callable[[Frame], bool]) -> Frame:
        """The first frame from now on, or the last one, of which this is true."""
        with self.news:
            assert self.news.wait_for(lambda: bool(self.frames) and true(self.frames[-1]), WAIT_S), self.frames[-1:]
            return self.frames[-1]

    def ready(self) -> Watched:
        self.player.start()
        self.until(lambda frame: frame.n_steps > 0)
        return self


@pytest.fixture
def watched() -> Iterator[Callable[..., Watched]]:
    made: list[Watched] = []

    def make(**run: Any) -> Watched:
        made.append(Watched(**run))
        return made[-1]

    yield make
    for one in made:
        one.player.close()
        for live in one.runs:
            if live.gate is not None:
                live.gate.release(1000)
        if one.player._thread.ident:
            assert one.player.join(WAIT_S)


Make = Callable[..., Watched]


def test_it_says_that_it_prepares_a_run_then_shows_it_before_its_first_step(watched: Make) -> None:
    page = watched().ready()
    first, second = page.frames
    assert first.busy == "preparing the run"
    assert (first.n_steps, second.busy, second.step, second.n_steps) == (0, "", 0, 96)
    assert set(second.pictures) == {"map-0", "profile"}
    assert (second.prosumers, second.chosen) == (("near", "far"), "far")


def test_a_step_is_one_step_and_redraws_what_can_be_seen(watched: Make) -> None:
    page = watched().ready()
    page.player.step()
    frame = page.until(lambda frame: frame.step == 1)
    assert not frame.playing
    assert {name: picture.alt for name, picture in frame.pictures.items()} == {
        "map-0": "map-0 at 1 of far",
        "profile": "profile at 1 of far",
    }
    assert page.gallery.drawn == ["map-0", "profile"] * 2


def test_clicks_while_it_steps_are_all_lived_and_drawn_once(watched: Make) -> None:
    gate = threading.Semaphore(0)
    page = watched(gate=gate).ready()
    page.player.step()
    assert page.runs[0].began.wait(WAIT_S)
    for _ in range(5):
        page.player.step()
    gate.release(6)
    page.until(lambda frame: frame.step == 6)
    assert [frame.step for frame in page.frames if frame.n_steps] == [0, 1, 6]


def test_it_plays_to_the_end_and_stops_there(watched: Make) -> None:
    page = watched(n_steps=7).ready()
    page.player.play()
    last = page.until(lambda frame: frame.finished)
    assert (last.step, last.playing) == (7, False)
    assert [frame.step for frame in page.frames if frame.n_steps] == list(range(8))
    page.player.step()
    page.player.show("wallets")
    assert page.until(lambda frame: "wallets" in frame.pictures).step == 7


def test_a_pause_comes_after_the_step_being_lived(watched: Make) -> None:
    gate = threading.Semaphore(0)
    page = watched(gate=gate).ready()
    page.player.play()
    assert page.runs[0].began.wait(WAIT_S)
    page.player.pause()
    gate.release(10)
    frame = page.until(lambda frame: frame.step > 0)
    assert (frame.step, frame.playing) == (1, False)
    page.player.choose("near")
    assert page.until(lambda frame: frame.chosen == "near").step == 1


def test_a_pace_waits_between_steps(watched: Make) -> None:
    """Three steps at eight a second: the third begins no sooner than a quarter of a second after the first."""
    page = watched(n_steps=3).ready()
    page.player.pace("8 steps/s")
    began = time.monotonic()
    page.player.play()
    page.until(lambda frame: frame.finished)
    assert time.monotonic() - began >= 2 / PACES["8 steps/s"]


def test_of_a_hundred_quick_moves_the_last_one_counts(watched: Make) -> None:
    gate = threading.Semaphore(0)
    page = watched(gate=gate).ready()
    page.player.step()
    assert page.runs[0].began.wait(WAIT_S)
    for k in range(100):
        page.player.change("pv_kwp", float(k))
        page.player.change("rule", f"rule {k}")
    gate.release(1)
    frame = page.until(lambda frame: frame.labels == ("rule 99",))
    assert frame.pending == ("PV",)
    assert [settings.rule for settings in page.runs[0].changes] == ["rule 99"]
    page.player.reset()
    frame = page.until(lambda frame: len(page.runs) == 2 and not frame.busy)
    assert page.runs[1].settings == Settings("rule 99", 99.0)
    assert (frame.pending, frame.settings) == ((), Settings("rule 99", 99.0))


def test_a_hundred_resets_in_a_row_are_not_a_hundred_runs(watched: Make) -> None:
    gate = threading.Semaphore(0)
    page = watched(gate=gate).ready()
    page.player.step()
    assert page.runs[0].began.wait(WAIT_S)
    for _ in range(100):
        page.player.reset()
    gate.release(1)
    page.until(lambda frame: len(page.runs) == 2 and not frame.busy)
    assert [run.closed for run in page.runs] == [True, False]


def test_what_the_board_refuses_changes_nothing(watched: Make) -> None:
    page = watched().ready()
    page.player.change("pv_kwp", 7.0)
    for name, value in [("pv_kwp", float("nan")), ("rule", "nonsense"), ("__class__", 1), (None, None)]:
        with pytest.raises(InputError):
            page.player.change(name, value)
    assert page.player.settings == Settings("prc", 7.0)


@pytest.mark.parametrize("value", [None, 3, float("nan"), ["far"], {"a": 1}, "nobody", "<b>"])
def test_choices_that_there_are_not_are_refused(watched: Make, value: Any) -> None:
    page = watched().ready()
    for handler in (page.player.choose, page.player.show, page.player.pace):
        with pytest.raises(InputError):
            handler(value)


def test_an_error_in_a_step_is_told_and_the_player_lives_on(watched: Make) -> None:
    page = watched(breaks_at=2).ready()
    page.player.play()
    failed = page.until(lambda frame: bool(frame.error))
    assert (failed.step, failed.playing) == (2, False)
    assert failed.error == "RuntimeError: no usable power flow in kerber.json"
    page.runs[0].breaks_at = -1
    page.player.step()
    assert page.until(lambda frame: frame.step == 3).error == ""


def test_an_error_in_a_drawing_is_told_and_the_other_pictures_go_on(watched: Make) -> None:
    page = watched().ready()
    page.gallery.broken = "profile"
    page.player.step()
    failed = page.until(lambda frame: frame.step == 1)
    assert failed.error == "ValueError: cannot draw profile"
    assert failed.pictures["map-0"].alt == "map-0 at 1 of far"
    page.gallery.broken = ""
    page.player.step()
    assert page.until(lambda frame: frame.step == 2).error == ""


def test_a_reset_that_fails_leaves_the_run_before(watched: Make) -> None:
    page = watched().ready()
    page.player.step()
    page.until(lambda frame: frame.step == 1)
    page.player.change("pv_kwp", -1.0)
    page.player.reset()
    failed = page.until(lambda frame: bool(frame.error))
    assert (failed.error, failed.step, failed.pending) == ("ValueError: no such PV", 1, ("PV",))
    page.player.step()
    assert page.until(lambda frame: frame.step == 2).error == ""


def test_only_what_can_be_seen_is_drawn_and_only_when_it_has_changed(watched: Make) -> None:
    page = watched().ready()
    page.player.show("home")
    page.until(lambda frame: "home" in frame.pictures)
    page.player.step()
    page.until(lambda frame: frame.step == 1)
    page.player.change("pv_kwp", 1.0)
    page.until(lambda frame: bool(frame.pending))
    page.player.choose("near")
    page.until(lambda frame: frame.chosen == "near")
    assert page.gallery.drawn == ["map-0", "profile", "home", "map-0", "home", "map-0", "home"]


def test_closing_stops_the_thread_and_drops_the_run(watched: Make) -> None:
    page = watched().ready()
    page.player.play()
    page.until(lambda frame: frame.step > 3)
    page.player.close()
    assert page.player.join(WAIT_S)
    assert page.runs[0].closed
    assert page.gallery.closed
    assert page.player._live is None
    shown = len(page.frames)
    page.player.step()
    assert len(page.frames) == shown


def test_closing_while_a_step_is_lived_ends_after_it(watched: Make) -> None:
    gate = threading.Semaphore(0)
    page = watched(gate=gate).ready()
    for _ in range(50):
        page.player.step()
    assert page.runs[0].began.wait(WAIT_S)
    page.player.close()
    gate.release(50)
    assert page.player.join(WAIT_S)
    assert page.runs[0].step_number <= 1
    assert page.frames[-1].step == 0  # nothing is told to a page that is gone


def test_a_page_that_goes_away_while_it_is_told_does_no_harm(watched: Make) -> None:
    page = watched()
    page.player._publish = lambda frame: page.publish(frame) or 1 / 0  # type: ignore[func-returns-value]
    page.ready()
    page.player.step()
    assert page.until(lambda frame: frame.step == 1).error == ""


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (InputError("page", "PV", 7, "less"), "page: PV: 7 is not allowed; allowed: less"),
        (FileNotFoundError("no /srv/feeders/net.json here"), "FileNotFoundError: no net.json here"),
        (OSError(r"no C:\Users\me\net.json"), "OSError: no net.json"),
        (ValueError("kW/kWh and 1/2 stay"), "ValueError: kW/kWh and 1/2 stay"),
    ],
)
def test_messages_name_no_folders(error: Exception, told: str) -> None:
    assert plain_message(error) == told


def test_a_long_message_is_cut() -> None:
    assert len(plain_message(ValueError("x" * 10_000))) == 600
