"""Measures by prosumer: every value at its place, what has none or lies beyond the axis counted.

Legibility was judged by eye on the four-bus case, the village, and 100 and 1000 prosumers, in colour and in grey.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.text import Text

from cosim.plots import COLOURS, plot_by_prosumer, plot_wallets

Array = npt.NDArray[np.float64]
VALUES = st.floats(-1e5, 1e5) | st.just(np.nan)


def axes() -> Axes:
    return Figure(figsize=(3.3, 3.4)).subplots()


def points(ax: Axes, colour: str, *markers: str) -> dict[float, float]:
    """Values by rank of one colour's markers."""
    lines = [line for line in ax.lines if line.get_color() == colour and line.get_marker() in markers]
    return {float(x): float(y) for line in lines for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)}


def known(values: Array) -> dict[float, float]:
    return {rank: value for rank, value in enumerate(values.tolist(), start=1) if np.isfinite(value)}


def pairs(ax: Axes) -> Array:
    """Ends of the lines between two rules, shape (n, 2, 2)."""
    lines = [artist for artist in ax.collections if isinstance(artist, LineCollection)]
    return np.array([segment for line in lines for segment in line.get_segments()]).reshape(-1, 2, 2)


@given(arrays(float, st.tuples(st.just(2), st.integers(1, 60)), elements=VALUES))
@example(np.full((2, 1), 5e-324))
@example(np.full((2, 1), -1e-11))
@example(np.full((2, 1), 1.0000000005))
@settings(max_examples=25, deadline=None)
def test_every_value_has_its_place(values: npt.NDArray[np.float64]) -> None:
    ax = axes()
    assert plot_by_prosumer(ax, {"prc": values[0], "hybrid": values[1]}, "energy (kWh)", missing="no meter") is ax
    for column, colour, marker in zip(values, COLOURS, ("o", "s"), strict=False):
        assert points(ax, colour, marker) == known(column)
    low, high = ax.get_ylim()
    assert low < min(0, np.nanmin([*values.ravel(), 0]))
    assert high > max(0, np.nanmax([*values.ravel(), 0]))
    both = np.flatnonzero(np.isfinite(values).all(axis=0))
    np.testing.assert_array_equal(pairs(ax)[:, :, 0], np.column_stack([both + 1, both + 1]))
    np.testing.assert_array_equal(pairs(ax)[:, :, 1], values[:, both].T)
    n_without = int(np.isnan(values).any(axis=0).sum())
    assert ax.get_title(loc="right") == (f"no meter: {n_without} of {values.shape[1]}" if n_without else "")
    assert ax.get_title(loc="left") == "energy (kWh)"


@given(arrays(float, st.tuples(st.just(2), st.integers(1, 60)), elements=VALUES))
@settings(max_examples=25, deadline=None)
def test_what_lies_beyond_points_there_and_is_counted(values: npt.NDArray[np.float64]) -> None:
    ax = plot_by_prosumer(axes(), {"prc": values[0], "hybrid": values[1]}, "gain (%)", limits=(-100, 120))
    for column, colour, marker in zip(values, COLOURS, ("o", "s"), strict=False):
        inside = (column >= -100) & (column <= 120)
        assert points(ax, colour, marker) == known(np.where(inside, column, np.nan))
        assert points(ax, colour, "^") == known(np.where(column > 120, 120.0, np.nan))
        assert points(ax, colour, "v") == known(np.where(column < -100, -100.0, np.nan))
    expected = []
    for end, beyond in (("above 120", values > 120), ("below \N{MINUS SIGN}100", values < -100)):
        counts = zip(("prc", "hybrid"), beyond.sum(axis=1).tolist(), strict=True)
        said = ", ".join(f"{label} {count}" for label, count in counts if count)
        expected += [f"{end}: {said}"] if said else []
    assert [text.get_text() for text in ax.texts] == expected
    empty = plot_by_prosumer(axes(), {"prc": np.full(3, np.nan)}, "gain (%)", limits=(-100, 120))
    assert ax.get_ylim() == empty.get_ylim()  # does not move with the values


def test_one_rule_has_nothing_to_pair() -> None:
    ax = plot_by_prosumer(axes(), {"prc": np.array([1.0, 2.0])}, "energy (kWh)", levels=(0, 1.5))
    assert not ax.collections
    assert points(ax, COLOURS[0], "o") == {1: 1, 2: 2}
    levels = [float(line.get_ydata()[0]) for line in ax.lines if list(line.get_xdata()) == [0, 1]]
    assert levels == [0, 1.5]


def test_nobody_is_drawn_as_nothing() -> None:
    ax = plot_by_prosumer(axes(), {"prc": np.zeros(0), "hybrid": np.zeros(0)}, "energy (kWh)")
    assert (points(ax, COLOURS[0], "o"), ax.get_xticks().tolist(), ax.get_title(loc="right")) == ({}, [], "")


@pytest.mark.parametrize(
    ("n", "ranks"),
    [
        (1, [1]),
        (3, [1, 2, 3]),
        (5, [1, 2, 3, 4, 5]),
        (6, [1, 2, 4, 6]),
        (40, [1, 10, 20, 30, 40]),
        (100, [1, 20, 40, 60, 80, 100]),
        (1000, [1, 200, 400, 600, 800, 1000]),
    ],
)
def test_names_where_they_fit_else_ranks(n: int, ranks: list[int]) -> None:
    long = [f"a-home-with-a-name-too-long-for-most-figures-{place}" for place in range(n)]
    values = {"prc": np.ones(n)}
    ax = plot_by_prosumer(axes(), values, "energy (kWh)", names=long)
    assert [text.get_text() for text in ax.get_xticklabels()] == [str(rank) for rank in ranks]
    assert ax.get_xticks().tolist() == ranks
    short = [f"h{place}" for place in range(n)]
    ax = plot_by_prosumer(axes(), values, "energy (kWh)", names=short)
    fits = n <= 6
    assert [text.get_text() for text in ax.get_xticklabels()] == (short if fits else [str(rank) for rank in ranks])
    assert ax.get_xlim() == (0.5, n + 0.5)


def test_names_that_are_shown_do_not_touch() -> None:
    names = [f"home-{place}" for place in range(2, 6)]
    figure = Figure(figsize=(3.3, 3.4))
    FigureCanvasAgg(figure)
    ax = plot_by_prosumer(figure.subplots(), {"prc": np.ones(4)}, "energy (kWh)", names=names)
    assert [text.get_text() for text in ax.get_xticklabels()] == names
    boxes = [text.get_window_extent() for text in ax.get_xticklabels()]
    assert all(one.x1 < other.x0 for one, other in pairwise(boxes))


def wallets_of(n: int, sides: int = 2, seed: int = 0) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    table = pd.DataFrame({"prosumer": [f"home-{place:04d}" for place in range(n)], "bus": 7, "distance_ohm": 0.1})
    for side in range(sides):
        table[f"cost_{side}"] = draw.uniform(-1, 1, n)
        table[f"gain_kept_percent_{side}"] = np.where(np.arange(n) % 4 == 1, np.nan, draw.uniform(0, 100, n))
        table[f"lcg_percent_{side}"] = draw.uniform(0, 30, n)
        table[f"tce_kwh_{side}"] = draw.uniform(0, 5, n)
    return table


def screen() -> Figure:
    return Figure(figsize=(10, 3.4), dpi=100)


def drawn(figure: Figure) -> npt.NDArray[np.uint8]:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba()).copy()


@pytest.mark.parametrize("n", [1, 3, 40, 100, 1000])
@pytest.mark.parametrize("labels", [["prc"], ["prc", "hybrid"]])
def test_the_wallets_of_a_feeder(n: int, labels: list[str]) -> None:
    table = wallets_of(n, len(labels))
    figure = screen()
    assert plot_wallets(figure, table, labels) is figure
    measures = ("gain_kept_percent", "lcg_percent", "tce_kwh")
    titles = ("gain kept (%)", "loss of consumer gain (%)", "curtailed PV (kWh)")
    for ax, measure, title in zip(figure.axes, measures, titles, strict=True):
        assert ax.get_title(loc="left") == title
        for side in range(len(labels)):
            assert points(ax, COLOURS[side], "os"[side]) == known(table[f"{measure}_{side}"].to_numpy())
        assert ax.get_xlim() == figure.axes[0].get_xlim()
    without = (n + 2) // 4
    assert figure.axes[0].get_title(loc="right") == (f"no gain to keep: {without} of {n}" if without else "")
    words = [text.get_text() for text in figure.artists[0].get_children() if isinstance(text, Text)]
    assert words[1:] == labels


def test_losses_have_an_axis_of_few_lengths() -> None:
    figure, ends = screen(), set()
    for factor in np.geomspace(0.01, 1000, 30):
        table = wallets_of(5)
        table[["lcg_percent_0", "lcg_percent_1"]] *= factor
        plot_wallets(figure, table, ["prc", "hybrid"])
        ends.add(round(float(figure.axes[1].get_ylim()[1]), 6))
    assert len(ends) == 5


def test_a_figure_drawn_on_again_is_as_a_new_one() -> None:
    again, labels = screen(), ["prc", "hybrid"]
    for n in (3, 40, 1):
        plot_wallets(again, wallets_of(n), labels)
        drawn(again)
    plot_wallets(again, wallets_of(40, seed=3), labels)
    new = plot_wallets(screen(), wallets_of(40, seed=3), labels)
    np.testing.assert_array_equal(drawn(again), drawn(new))
    places = [ax.get_position().bounds for ax in again.axes]
    other = plot_wallets(screen(), wallets_of(1, 1), ["none"])
    assert [ax.get_position().bounds for ax in other.axes] == places
