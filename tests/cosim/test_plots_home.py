"""One prosumer's day: what is drawn of which column, at which hours, and where it is marked.

Legibility was judged by eye on days of the four-bus case and of the village, in colour and in grey.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch
from matplotlib.text import Text

from agents.prosumer import VoltageBand
from cosim.plots import (
    COLOURS,
    HomeDay,
    plot_home,
    plot_home_battery,
    plot_home_energy,
    plot_home_flexible,
    plot_home_power,
    plot_home_price,
    plot_home_voltage,
)
from cosim.plots.panels import DASHED, hour_axis, round_up, value_axis
from cosim.plots.still import Panel

Array = npt.NDArray[np.float64]
BAND = VoltageBand(0.96, 0.02, 1.03)


def day_of(n: int = 96, lived: int = 52, seed: int = 0, first: float = 0.0, step_h: float = 0.25) -> HomeDay:
    """A day of numbers drawn at random that keep to the description of `HomeDay`."""
    draw = np.random.default_rng(seed)

    def past(low: float, high: float) -> Array:
        return np.append(draw.uniform(low, high, lived), np.full(n - lived, np.nan))

    def ahead(low: float, high: float) -> Array:
        return np.append(np.full(lived, np.nan), draw.uniform(low, high, n - lived))

    vm_pu = past(0.99, 1.01)
    return HomeDay(
        name="home-7",
        hours=first + step_h * np.arange(n),
        step_h=step_h,
        p_battery_kw=past(-2, 2),
        p_flexible_kw=past(0, 1),
        p_meter_kw=past(-4, 3),
        p_pv_kw=past(0, 5),
        p_curtailed_kw=past(0, 1),
        p_battery_planned_kw=past(-2, 2),
        p_battery_ahead_kw=ahead(-2, 2),
        p_flexible_ahead_kw=ahead(0, 1),
        energy_kwh=past(0, 9),
        vm_pu=vm_pu,
        vm_least_pu=vm_pu - 0.005,
        vm_largest_pu=vm_pu + 0.01,
        price_buy=draw.uniform(0.1, 0.4, n),
        price_sell=draw.uniform(0, 0.1, n),
    )


def steps_of(ax: Axes, *, filled: bool = False) -> list[StepPatch]:
    return [patch for patch in ax.patches if isinstance(patch, StepPatch) and patch.get_fill() == filled]


def moments_of(ax: Axes) -> list[float]:
    """Hours of lines from the bottom to the top."""
    return [float(line.get_xdata()[0]) for line in ax.lines if list(line.get_ydata()) == [0, 1]]


def values_of(ax: Axes, *, filled: bool = False) -> list[Array]:
    return [patch.get_data().values for patch in steps_of(ax, filled=filled)]


def axes() -> Axes:
    return Figure().subplots()


def assert_steps(ax: Axes, *columns: Array) -> None:
    """Exactly these columns are drawn as open steps, in this order."""
    for drawn, column in zip(values_of(ax), columns, strict=True):
        np.testing.assert_array_equal(drawn, column)


@given(lived=st.integers(1, 95), seed=st.integers(0, 99))
@settings(max_examples=10, deadline=None)
def test_the_battery_under_two_rules(lived: int, seed: int) -> None:
    days = {"prc": day_of(lived=lived, seed=seed), "hybrid": day_of(lived=lived, seed=seed + 100)}
    ax = axes()
    assert plot_home_battery(ax, days) is ax
    a, b = days.values()
    assert_steps(
        ax,
        *(a.p_battery_planned_kw, a.p_battery_kw, a.p_battery_ahead_kw),
        *(b.p_battery_planned_kw, b.p_battery_kw, b.p_battery_ahead_kw),
    )
    planned, delivered, ahead, *_, other, _ = steps_of(ax)
    assert planned.get_linewidth() < delivered.get_linewidth()
    assert (planned.get_linestyle(), delivered.get_linestyle()) == (":", "-")
    assert ahead.get_linestyle() == DASHED
    assert other.get_linewidth() < delivered.get_linewidth()  # seen on top of it where both do the same
    for gap, day in zip(steps_of(ax, filled=True), days.values(), strict=True):
        _, edges, between = gap.get_data()
        np.testing.assert_array_equal(edges, np.arange(97) / 4)
        np.testing.assert_array_equal(between, day.p_battery_planned_kw)
        np.testing.assert_array_equal(gap.get_data().values, day.p_battery_kw)
    assert moments_of(ax) == [lived / 4]
    low, high = ax.get_ylim()
    largest = max(np.nanmax(np.abs(values)) for values in values_of(ax))
    assert low == -high
    assert largest < high < 2 * 1.1 * largest  # round, but not far off


def test_a_plan_that_was_followed_leaves_no_gap() -> None:
    day = day_of()
    same = HomeDay(**{**vars(day), "p_battery_planned_kw": day.p_battery_kw})
    assert not steps_of(plot_home_battery(axes(), {"none": same}), filled=True)


def test_power_that_is_not_fed_in_hangs_below_the_meter() -> None:
    day = day_of()
    ax = plot_home_power(axes(), {"prc": day})
    assert_steps(ax, day.p_meter_kw)
    (shade,) = steps_of(ax, filled=True)
    values, _, below = shade.get_data()
    np.testing.assert_allclose(values - below, day.p_curtailed_kw)
    np.testing.assert_array_equal(values, day.p_meter_kw)
    assert ax.get_ylim()[0] < np.nanmin(below)
    free = HomeDay(**{**vars(day), "p_curtailed_kw": np.zeros(96)})
    assert not steps_of(plot_home_power(axes(), {"none": free}), filled=True)


def test_prices_of_the_whole_day_are_drawn_once() -> None:
    day, other = day_of(lived=10), day_of(lived=10)
    ax = plot_home_price(axes(), {"prc": day, "hybrid": other})
    assert_steps(ax, day.price_buy, day.price_sell)
    assert ax.get_title(loc="left") == "price (currency/kWh)"
    flat = HomeDay(**{**vars(day), "price_sell": day.price_buy})
    ax = plot_home_price(axes(), {"prc": flat})
    assert_steps(ax, day.price_buy)
    assert ax.get_title(loc="left") == "price (currency/kWh), buy = sell"


def test_negative_prices_are_in_the_axes() -> None:
    day = day_of()
    ax = plot_home_price(axes(), {"prc": HomeDay(**{**vars(day), "price_sell": day.price_sell - 0.3})})
    assert ax.get_ylim()[0] < -0.3 + day.price_sell.min()


def test_energy_stands_at_the_ends_of_steps_under_the_capacity() -> None:
    day = day_of()
    ax = plot_home_energy(axes(), {"prc": day}, capacity_kwh=12.0)
    line = next(line for line in ax.lines if len(line.get_xdata()) == 96)
    np.testing.assert_array_equal(line.get_xdata(), day.hours + 0.25)
    np.testing.assert_array_equal(line.get_ydata(), day.energy_kwh)
    levels = [line.get_ydata()[0] for line in ax.lines if list(line.get_xdata()) == [0, 1]]
    assert levels == [12.0, 0]
    assert ax.get_title(loc="left") == "energy (kWh), battery of 12 kWh"
    assert ax.get_ylim()[1] > 12.0
    none = plot_home_energy(axes(), {"prc": day}, capacity_kwh=0.0)
    assert none.get_title(loc="left") == "energy (kWh), no battery"


def test_flexible_load_done_and_to_come() -> None:
    day = day_of()
    ax = plot_home_flexible(axes(), {"prc": day})
    assert_steps(ax, day.p_flexible_kw, day.p_flexible_ahead_kw)


def test_voltage_with_its_swings_between_limits() -> None:
    day = day_of()
    ax = plot_home_voltage(axes(), {"prc": day}, BAND)
    assert_steps(ax, day.vm_pu)
    (swing,) = steps_of(ax, filled=True)
    values, _, least = swing.get_data()
    np.testing.assert_array_equal(values, day.vm_largest_pu)
    np.testing.assert_array_equal(least, day.vm_least_pu)
    levels = [line.get_ydata()[0] for line in ax.lines if list(line.get_xdata()) == [0, 1]]
    assert levels == [0.96, 1.03]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["0.96", "1", "1.03"]
    (dead,) = (patch for patch in ax.patches if not isinstance(patch, StepPatch))
    assert dead.get_extents().transformed(ax.transData.inverted()).intervaly == pytest.approx([0.98, 1.02])


@pytest.mark.parametrize(("fall_pu", "reach_pu"), [(0.0, 0.05), (0.05, 0.1), (0.3, 0.5)])
def test_voltages_far_off_widen_the_axis(fall_pu: float, reach_pu: float) -> None:
    day = day_of()
    low = HomeDay(**{**vars(day), "vm_least_pu": day.vm_least_pu - fall_pu})
    ends = plot_home_voltage(axes(), {"prc": low}, BAND).get_ylim()
    assert ends == pytest.approx((1 - 1.08 * reach_pu, 1 + 1.08 * reach_pu))


PANELS: list[Callable[[Axes, dict[str, HomeDay]], Axes]] = [
    *(plot_home_battery, plot_home_energy, plot_home_flexible, plot_home_power, plot_home_price),
    lambda ax, days: plot_home_voltage(ax, days, BAND),
]


@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize("lived", [0, 1, 96])
def test_first_and_last_steps_of_a_day(panel: Callable[[Axes, dict[str, HomeDay]], Axes], lived: int) -> None:
    ax = panel(axes(), {"prc": day_of(lived=lived)})
    assert moments_of(ax) == ([] if lived == 96 else [lived / 4])
    assert np.all(np.isfinite(ax.get_ylim()))
    assert "(" in ax.get_title(loc="left")  # the unit
    assert (ax.get_xlabel(), ax.get_xlim()) == ("local time (h)", (0.0, 24.0))


def test_without_supply_a_step_was_lived_all_the_same() -> None:
    day = day_of(lived=40)
    vm_pu = day.vm_pu.copy()
    vm_pu[10:30] = np.nan
    assert moments_of(plot_home_battery(axes(), {"prc": HomeDay(**{**vars(day), "vm_pu": vm_pu})})) == [10.0]


@pytest.mark.parametrize(
    ("n", "first", "step_h", "ticks"),
    [
        (96, 0.0, 0.25, [0, 6, 12, 18, 24]),
        (92, 0.0, 0.25, [0, 6, 12, 18]),  # clocks go forward
        (100, 0.0, 0.25, [0, 6, 12, 18, 24]),  # and back
        (24, 0.0, 1.0, [0, 6, 12, 18, 24]),
        (96, 22.0, 0.25, [24, 30, 36, 42]),
        (1, 3.0, 1.0, [3, 4]),
        (192, 0.0, 0.25, [0, 12, 24, 36, 48]),
    ],
)
def test_days_of_other_lengths(n: int, first: float, step_h: float, ticks: list[float]) -> None:
    ax = plot_home_price(axes(), {"prc": day_of(n, n, first=first, step_h=step_h)})
    assert ax.get_xlim() == (first, first + n * step_h)
    assert ax.get_xticks().tolist() == ticks


@given(length=st.floats(0.25, 500), first=st.floats(0, 24))
@settings(deadline=None)
def test_hours_are_few_and_round(length: float, first: float) -> None:
    ax = axes()
    hour_axis(ax, np.array([first, first + length]))
    ticks = ax.get_xticks()
    assert len(ticks) <= 5
    assert all(tick == int(tick) for tick in ticks)


@given(size=st.floats(1e-6, 1e6))
def test_rounding_up_is_near_and_never_down(size: float) -> None:
    rounded = round_up(size)
    assert size * (1 - 1e-6) <= rounded <= 1.5001 * size
    assert round_up(rounded) == pytest.approx(rounded)


@pytest.mark.parametrize("size", [0.0, -1.0, 1e-10, 5e-324])
def test_what_is_no_more_than_rounding_has_no_size(size: float) -> None:
    assert round_up(size) == 0


@given(low=st.floats(-1e4, 0), high=st.floats(1e-3, 1e4))
@settings(deadline=None)
def test_values_have_two_to_five_round_ticks_inside(low: float, high: float) -> None:
    ax = axes()
    value_axis(ax, low, high)
    ticks = ax.get_yticks()
    assert 2 <= len(ticks) <= 5
    assert np.all((ticks >= low - 1e-6 * (high - low)) & (ticks <= high + 1e-6 * (high - low)))
    assert 0 in ticks
    assert "\N{MINUS SIGN}0" not in [text.get_text() for text in ax.get_yticklabels()]
    assert len({text.get_text() for text in ax.get_yticklabels()}) == len(ticks)


def drawn(figure: Figure) -> npt.NDArray[np.int64]:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba()).astype(np.int64)


def two_days(lived: int = 52, seed: int = 0) -> dict[str, HomeDay]:
    return {"prc": day_of(lived=lived, seed=seed), "hybrid": day_of(lived=lived, seed=seed + 100)}


def screen() -> Figure:
    return Figure(figsize=(10, 3.4), dpi=100)


def test_all_panels_on_one_figure() -> None:
    figure = screen()
    assert plot_home(figure, two_days(), BAND, 10.0) is figure
    titles = [ax.get_title(loc="left").split(" (")[0] for ax in figure.axes]
    assert titles == ["battery", "meter", "voltage", "energy", "flexible load", "price"]
    words = [text.get_text() for text in figure.artists[0].get_children() if isinstance(text, Text)]
    assert words[:3] == ["home-7", "prc", "hybrid"]
    signs = [line.get_color() for line in figure.artists[0].get_children() if isinstance(line, Line2D)]
    assert signs[:2] == list(COLOURS[:2])
    delivered = [steps_of(figure.axes[0])[at] for at in (1, 4)]
    assert [to_hex(steps.get_edgecolor()).upper() for steps in delivered] == signs[:2]


def test_a_figure_drawn_on_again_is_as_a_new_one() -> None:
    again = screen()
    for days in (two_days(), {"prc": day_of(lived=96)}, two_days(lived=0)):
        plot_home(again, days, BAND, 10.0)
        drawn(again)
    plot_home(again, two_days(lived=60, seed=5), BAND, 8.0)
    new = plot_home(screen(), two_days(lived=60, seed=5), BAND, 8.0)
    np.testing.assert_array_equal(drawn(again), drawn(new))
    assert len(again.axes) == 6


def test_places_do_not_depend_on_what_is_drawn() -> None:
    quiet, loud = screen(), screen()
    plot_home(quiet, {"prc": day_of(lived=0)}, BAND)
    days = {name: HomeDay(**{**vars(day), "p_meter_kw": 1e3 * day.p_meter_kw}) for name, day in two_days().items()}
    plot_home(loud, days, BAND, 10.0)
    drawn(quiet)
    drawn(loud)
    for one, other in zip(quiet.axes, loud.axes, strict=True):
        assert one.get_position().bounds == other.get_position().bounds


def test_the_kept_frame_is_what_would_be_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pixel by pixel, but for the rounding of what is see-through."""
    kept = drawn(plot_home(screen(), two_days(), BAND, 10.0))
    monkeypatch.setattr(Panel, "draw", Axes.draw)
    plain = drawn(plot_home(screen(), two_days(), BAND, 10.0))
    assert np.abs(kept - plain).max() <= 4
    assert (plain < 128).any()


def test_a_kept_frame_follows_what_changes() -> None:
    figure = plot_home(screen(), two_days(), BAND, 10.0)
    before = drawn(figure)
    figure.axes[0].set_title("another", loc="left")
    other = drawn(figure)
    assert (before != other).any()
    figure.axes[0].set_yticks([0.0], ["zero"])
    assert (drawn(figure) != other).any()
    figure.set_dpi(50)
    assert drawn(figure).shape == (170, 500, 4)


def test_vector_formats_keep_the_words_of_the_frame() -> None:
    figure = plot_home(screen(), two_days(), BAND, 10.0)
    drawn(figure)
    file = BytesIO()
    figure.savefig(file, format="svg")
    assert "battery (kW), &gt; 0 charging" in file.getvalue().decode()
    assert "<image" not in file.getvalue().decode()
