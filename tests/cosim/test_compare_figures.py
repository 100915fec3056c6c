"""Figures of a comparison: what is drawn is what the data says.

What a test cannot judge (overlap, legibility) was judged by eye, of 3 prosumers in 12 runs and of 50 in 400.
"""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from cosim.compare import Comparison, compare
from cosim.compare.figures import (
    MARKERS,
    bins_of,
    disparity_figure,
    distance_figure,
    plot_against_distance,
    plot_by_value,
    plot_trade_off,
    trade_off_figure,
)
from cosim.compare.intervals import mean_interval
from cosim.plots import COLOURS
from tests.cosim.compared_tables import four_bus, noisy


def bars(ax: Axes) -> dict[str, ErrorbarContainer]:
    """Error bars by label."""
    return {str(c.get_label()): c for c in ax.containers if isinstance(c, ErrorbarContainer)}


def test_by_value_a_mean_with_its_interval_and_each_population() -> None:
    ax = Figure().subplots()
    values = {"PRC": np.array([1.0, 2.0, 4.0, np.nan]), "hybrid": np.array([3.0]), "none": np.array([np.nan])}
    assert plot_by_value(ax, values, "Gini of gain kept") is ax
    assert [text.get_text() for text in ax.get_xticklabels()] == ["PRC", "hybrid", "none"]
    assert ax.get_ylabel() == "Gini of gain kept"
    drawn, found = bars(ax), mean_interval(values["PRC"])
    (point, _, (stem,)) = drawn["PRC"].lines
    assert (point.get_xdata().tolist(), point.get_ydata().tolist()) == ([0], [found.mean])
    assert stem.get_segments()[0][:, 1] == pytest.approx([found.low, found.high])
    assert not drawn["hybrid"].has_yerr  # one alone has no interval
    assert drawn["hybrid"].lines[0].get_ydata().tolist() == [3.0]
    (cloud,) = (line for line in ax.lines if len(line.get_xdata()) == 3)
    assert cloud.get_ydata().tolist() == [1.0, 2.0, 4.0]
    assert cloud.get_xdata().min() > 0
    assert [text.get_text() for text in ax.texts] == ["undefined"]


def test_values_differ_in_colour_and_in_marker() -> None:
    ax = plot_by_value(Figure().subplots(), {name: np.array([1.0]) for name in "abcdefg"}, "")
    points = [container.lines[0] for container in bars(ax).values()]
    assert [point.get_color() for point in points] == list(COLOURS)
    assert [point.get_marker() for point in points] == list(MARKERS[:7])
    assert len(set(MARKERS)) == len(MARKERS)


def test_few_distances_are_drawn_one_by_one_and_many_in_bins() -> None:
    few = bins_of(np.array([0.3, 0.1, 0.1, 0.7, np.nan]))
    assert few == pytest.approx([0.1, 0.2, 0.5, 0.7])
    assert np.digitize([0.1, 0.3, 0.7], few).tolist() == [1, 2, 3]
    many = bins_of(np.linspace(0, 1, 1001))
    assert many == pytest.approx(np.linspace(0, 1, 11))
    assert np.digitize([0.0, 1.0], many).tolist() == [1, 10]


def test_against_distance_medians_with_quartiles_and_points() -> None:
    ax = Figure().subplots()
    x = np.repeat([1.0, 2.0], 5)
    y = np.array([10.0, 20, 30, 40, 50, 0, 0, 5, 100, np.nan])
    assert plot_against_distance(ax, {"PRC": x}, {"PRC": y}, bins_of(x)) is ax
    median, points = ax.lines
    assert median.get_xdata().tolist() == [1.0, 2.0]
    assert median.get_ydata().tolist() == [30.0, 2.5]
    assert points.get_ydata().tolist() == y[:-1].tolist()
    (band,) = ax.collections
    vertices = band.get_paths()[0].vertices
    at_one, at_two = (sorted(set(vertices[vertices[:, 0] == x0][:, 1])) for x0 in (1.0, 2.0))
    assert (at_one, at_two) == ([20.0, 40.0], [0.0, 28.75])  # quartiles of 0, 0, 5, 100: 0 and 28.75
    assert ax.get_ylim()[0] < 0 < 100 < ax.get_ylim()[1]


def test_values_at_one_distance_stand_side_by_side() -> None:
    ax, x = Figure().subplots(), np.array([1.0, 2.0])
    plot_against_distance(ax, dict.fromkeys("ab", x), dict.fromkeys("ab", x), bins_of(x))
    a, b = (line.get_xdata() for line in ax.lines if line.get_label() in "ab")
    assert (a < b).all() and (a + b) / 2 == pytest.approx(x)


def test_single_prosumers_far_beyond_do_not_stretch_the_axis_and_are_counted() -> None:
    ax, x = Figure().subplots(), np.repeat([1.0, 2.0], 10)
    y = np.full(20, 50.0)
    y[0], y[10] = -9000.0, 800.0
    plot_against_distance(ax, {"PRC": x}, {"PRC": y}, bins_of(x), (-100.0, 200.0))
    low, high = ax.get_ylim()
    assert -120 < low < -100 and 200 < high < 220
    assert ax.get_title(loc="right") == "2 of 20 prosumers beyond the axis"
    ax = Figure().subplots()
    plot_against_distance(ax, {"PRC": x}, {"PRC": y - 500}, bins_of(x), (-100.0, 200.0))
    assert ax.get_ylim()[0] < -450 < ax.get_ylim()[1]  # where all are, there the axis goes
    assert ax.get_title(loc="right") == "2 of 20 prosumers beyond the axis"  # and not the 18 others


def test_of_very_many_the_band_alone_is_drawn() -> None:
    ax, x = Figure().subplots(), np.linspace(0, 1, 401)
    plot_against_distance(ax, {"PRC": x}, {"PRC": 100 * x}, bins_of(x))
    assert len(ax.lines) == 1
    assert len(ax.lines[0].get_xdata()) == 10


def test_trade_off_has_intervals_both_ways() -> None:
    ax = Figure().subplots()
    loss, cut = np.array([10.0, 20.0, 30.0, 40.0]), np.array([50.0, 60.0, np.nan, 70.0])
    assert plot_trade_off(ax, {"PRC": loss, "x": loss * np.nan}, {"PRC": cut, "x": cut}) is ax
    known = np.array([True, True, False, True])
    across, up = mean_interval(loss[known]), mean_interval(cut[known])
    ((label, container),) = bars(ax).items()
    assert label == "PRC"
    point, _, (horizontal, vertical) = container.lines
    assert (point.get_xdata()[0], point.get_ydata()[0]) == (across.mean, up.mean)
    assert horizontal.get_segments()[0][:, 0] == pytest.approx([across.low, across.high])
    assert vertical.get_segments()[0][:, 1] == pytest.approx([up.low, up.high])
    cloud = next(line for line in ax.lines if len(line.get_xdata()) == 3)
    assert cloud.get_xdata().tolist() == [10.0, 20.0, 40.0]


@pytest.fixture(scope="module")
def one_by_one() -> Comparison:
    return compare(four_bus())


def test_figure_of_disparity(one_by_one: Comparison) -> None:
    figure = disparity_figure(one_by_one.measured, "rule", one_by_one.values, "all")
    assert [ax.get_ylabel() for ax in figure.axes] == [
        *("gain kept, head less end (% points)", "gain kept, worst-off tenth (%)"),
        *("Gini of gain kept", "Jain of gain kept"),
    ]
    points = {label: container.lines[0].get_ydata()[0] for label, container in bars(figure.axes[0]).items()}
    assert points == {"no rule": 0, "PRC": 125, "ANRC": 50, "hybrid": 50}
    assert figure.get_suptitle() == "all"
    assert not disparity_figure(one_by_one.measured, "rule", one_by_one.values).get_suptitle()


def test_figure_against_distance(one_by_one: Comparison) -> None:
    figure = distance_figure(one_by_one.rows, "rule", one_by_one.values)
    upper, lower = figure.axes
    assert (upper.get_ylabel(), lower.get_ylabel()) == ("gain kept (%)", "curtailed energy (kWh per prosumer)")
    assert lower.get_xlabel() == "electrical distance (ohm)"
    kept = {str(line.get_label()): line.get_ydata().tolist() for line in upper.lines}
    spilled = {str(line.get_label()): line.get_ydata().tolist() for line in lower.lines}
    assert kept["PRC"] == [100, 75, -25]
    assert spilled["PRC"] == [0, 1, 5]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["no rule", "PRC", "ANRC", "hybrid"]


def test_figure_of_the_trade_off(one_by_one: Comparison) -> None:
    (ax,) = trade_off_figure(one_by_one.measured, "rule", one_by_one.values).axes
    at = {label: (c.lines[0].get_xdata()[0], c.lines[0].get_ydata()[0]) for label, c in bars(ax).items()}
    assert at["PRC"] == (pytest.approx(50), 50)
    assert at["hybrid"] == (pytest.approx(100 / 6), 75)
    assert ax.get_ylabel() == "CVC below that of no rule (%)"
    without = compare(noisy(seeds=2).query("rule != 'none'"))
    (ax,) = trade_off_figure(without.measured, "rule", without.values).axes
    assert ax.get_ylabel() == "CVC (p.u.)"  # nothing to be below of
