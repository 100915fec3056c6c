"""Pictures of a page: what the PNG holds, where its spots are, that figures are kept, and that none is left behind."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from cosim import Scenario
from cosim.page.controls import Board
from cosim.page.live import Live
from cosim.page.pictures import DPI_RANGE, Picture, Spot, Studio, encoded, spots_at
from cosim.page.player import TABS
from cosim.page.views import Views, home_text, size_of


@pytest.fixture(scope="module")
def live() -> Live:
    """The published four-bus case at noon, two rules side by side."""
    board = Board(Scenario().changed({"market_step_min": 60, "control_step_min": 15, "record": ()}))
    run = Live(board, replace(board.initial, rule="prc", other_rule="hybrid"))
    for _ in range(12):
        run.step()
    return run


def pixels_of(picture: Picture) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.asarray(Image.open(io.BytesIO(picture.png)))


def test_a_picture_is_encoded_without_loss() -> None:
    given = np.random.default_rng(1).integers(0, 256, (7, 5, 4), dtype=np.uint8)
    decoded = np.asarray(Image.open(io.BytesIO(encoded(given))))
    assert np.array_equal(decoded, given[:, :, :3])


def test_its_address_is_the_picture_itself() -> None:
    picture = Picture(b"\x89PNG", 1, 1, "nothing")
    head, body = picture.url.split(",")
    assert (head, base64.b64decode(body)) == ("data:image/png;base64", b"\x89PNG")


def test_spots_are_where_the_data_are_drawn() -> None:
    """A black dot at a known place of the data, found again among the pixels."""
    places = np.array([[2.0, 5.0], [9.0, 1.0], [50.0, 5.0], [np.nan, 5.0]])

    def fill(figure: Figure) -> tuple[Spot, ...]:
        ax = figure.add_axes((0.1, 0.2, 0.6, 0.7))
        ax.set_axis_off()
        ax.set_xlim(0, 10)
        ax.set_ylim(0, 10)
        ax.plot(*places[:1].T, "ks", markersize=6)
        return spots_at(ax, places, 0.05, list("abcd"), ["A", "B", "C", "D"])

    picture = Studio(100).draw("dot", (4.0, 2.0), "", fill)
    assert [(spot.name, spot.text) for spot in picture.spots] == [("a", "A"), ("b", "B")]  # c and d are not in it
    rows, columns = np.nonzero((pixels_of(picture) < 50).all(axis=2))
    spot = picture.spots[0]
    assert (picture.width, picture.height) == (400, 200)
    assert (rows.mean(), columns.mean()) == pytest.approx((spot.y * 200 - 0.5, spot.x * 400 - 0.5), abs=1.0)
    assert (spot.x, spot.y) == (pytest.approx(0.1 + 0.6 * 0.2), pytest.approx(1 - (0.2 + 0.7 * 0.5)))
    assert spot.r == pytest.approx(0.05 / 4.0)


def test_spots_that_are_near_each_other_do_not_overlap() -> None:
    """On 400 x 200 pixels: places 8 px apart, 100 px from the next one, and two on one another."""
    places = np.array([[100.0, 100.0], [108.0, 100.0], [208.0, 100.0], [300.0, 50.0], [300.0, 50.0]])

    def fill(figure: Figure) -> tuple[Spot, ...]:
        ax = figure.add_axes((0, 0, 1, 1))
        ax.set(xlim=(0, 400), ylim=(0, 200))
        return spots_at(ax, places, 0.1, list("abcde"), [""] * 5)

    radii_px = [400 * spot.r for spot in Studio(100).draw("near", (4.0, 2.0), "", fill).spots]
    assert radii_px == pytest.approx([0.48 * 8, 0.48 * 8, 10, 2, 2], abs=0.01)


def test_a_figure_is_kept_until_its_size_or_resolution_change() -> None:
    studio, seen = Studio(100), []
    for size, dpi in [((2.0, 1.0), 100), ((2.0, 1.0), 100), ((3.0, 1.0), 100), ((3.0, 1.0), 120)]:
        studio.fit(dpi)
        picture = studio.draw("a", size, "", lambda figure: seen.append(figure) or ())  # type: ignore[func-returns-value]
        assert (picture.width, picture.height) == (round(size[0] * dpi), dpi)
    assert [seen[0] is seen[1], seen[1] is seen[2], seen[2] is seen[3]] == [True, False, False]


@pytest.mark.parametrize(
    ("asked", "dpi"),
    [(99.0, 100), (104.0, 100), (105.0, 120), (1e9, DPI_RANGE[1]), (-5.0, DPI_RANGE[0]), (0.0, DPI_RANGE[0])],
)
def test_the_resolution_stays_within_limits(asked: float, dpi: int) -> None:
    studio = Studio(140)
    studio.fit(asked)
    assert studio.dpi == dpi


@pytest.mark.parametrize("asked", [float("nan"), float("inf")])
def test_a_resolution_that_is_no_number_changes_nothing(asked: float) -> None:
    studio = Studio(140)
    assert not studio.fit(asked)
    assert studio.dpi == 140


def test_all_that_can_be_seen_is_drawn_at_its_size_and_not_blank(live: Live) -> None:
    views = Views()
    names = {name for tab in TABS for name in views.seen(live, tab)}
    assert names == {"map-0", "map-1", "scale", "key", "profile", "home", "wallets"}
    assert set(views.seen(live, "log")) == {"map-0", "map-1", "scale", "key"}
    for name in sorted(names):
        picture = views.draw(name, live, live.names[-1])
        width, height = size_of(name, 2)
        assert (picture.width, picture.height) == pytest.approx((100 * width, 100 * height), abs=1)
        colours = np.unique(pixels_of(picture).reshape(-1, 3), axis=0)
        assert len(colours) > 20, name
        assert picture.alt


def test_a_picture_is_the_same_when_nothing_has_changed_and_another_after_a_step(live: Live) -> None:
    views = Views()
    chosen = live.names[-1]
    for name in ("map-0", "profile", "home", "wallets"):
        first, again = (views.draw(name, live, chosen) for _ in range(2))
        assert first.png == again.png, name
    before = {name: (views.key(name, live, chosen), views.draw(name, live, chosen).png) for name in ("map-0", "home")}
    live.step()
    for name, (key, png) in before.items():
        assert views.key(name, live, chosen) != key
        assert views.draw(name, live, chosen).png != png


def test_what_a_picture_depends_on(live: Live) -> None:
    views = Views()
    near, far = live.names[0], live.names[-1]
    same = {name: views.key(name, live, near) == views.key(name, live, far) for name in (*TABS[:3], "map-0", "scale")}
    assert same == {"profile": False, "home": False, "wallets": True, "map-0": False, "scale": True}
    before = views.key("key", live, near)
    assert views.fit(150)
    assert views.key("key", live, near) != before


def test_every_prosumer_has_a_spot_that_tells_its_numbers(live: Live) -> None:
    picture = Views().draw("map-1", live, live.names[0])
    homes = live.homes(1)
    assert sorted(spot.name for spot in picture.spots) == sorted(homes.names)
    for spot in picture.spots:
        row = homes.names.index(spot.name)
        lines = spot.text.splitlines()
        assert lines[:2] == [spot.name, f"bus {live.feeder.buses[homes.place[row]]}"]
        assert f"{homes.vm_pu[row]:.4f} p.u." in spot.text
        assert f"{abs(homes.p_meter_kw[row]):.2f} kW" in lines[3]
        assert f"{homes.energy_kwh[row]:.2f} of {homes.capacity_kwh[row]:.2f} kWh" in spot.text
        assert f"curtailed {homes.p_curtailed_kw[row]:.2f} kW" in spot.text


@pytest.mark.parametrize(
    ("field", "value", "line"),
    [
        ("p_meter_kw", -1.234, "meter 1.23 kW export"),
        ("p_meter_kw", 1.236, "meter 1.24 kW import"),
        ("p_meter_kw", 0.0, "meter 0.00 kW"),
        ("p_meter_kw", np.nan, "meter not known yet"),
        ("vm_pu", np.nan, "voltage not known yet"),
        ("p_battery_kw", 2.0, "battery 2.00 kW charging"),
        ("p_battery_kw", -2.0, "battery 2.00 kW discharging"),
        ("capacity_kwh", 0.0, None),
    ],
)
def test_what_a_spot_says(live: Live, field: str, value: float, line: str | None) -> None:
    homes = live.homes(0)
    changed = getattr(homes, field).copy()
    changed[0] = value
    lines = home_text(replace(homes, **{field: changed}), 0, 7).splitlines()
    assert lines[:2] == [homes.names[0], "bus 7"]
    if line is None:
        assert not [said for said in lines if "battery" in said or "kWh" in said]
    else:
        assert line in lines


def test_pyplot_knows_of_no_figure(live: Live) -> None:
    """Figures that pyplot knows would never be freed."""
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    Views().draw("map-0", live, live.names[0])
    assert plt.get_fignums() == before


def test_rules_that_change_sides_change_their_signs_too() -> None:
    """The profile tells sides apart as the maps and wallets do, by their order."""
    board = Board(Scenario().changed({"market_step_min": 60, "control_step_min": 15, "record": ()}))
    run, views = Live(board, replace(board.initial, rule="prc", other_rule="hybrid")), Views()
    run.step()
    views.draw("profile", run, run.names[0])
    run.change(replace(run.settings, rule="hybrid", other_rule="prc"))
    swapped = views.draw("profile", run, run.names[0])
    assert run.labels == ("hybrid", "PRC")
    assert swapped.png == Views().draw("profile", run, run.names[0]).png
