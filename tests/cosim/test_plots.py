"""Figures: what is drawn, where, with which labels; that files have something on them and are reproducible.

What a test cannot judge (overlap, legibility) was judged by eye on the figures of the default scenario, of two days
under PRC and of the study.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from agents.prosumer import VoltageBand
from cosim import Run, Scenario, run
from cosim.plots import COLOURS, draw_run, plot_day, plot_voltages, samples_per_step, save_figure

BAND = VoltageBand(0.96, 0.02, 1.03)


@pytest.fixture(scope="module")
def day() -> Run:
    """A day on which PV is curtailed at bus 4, with different prices for buying and selling."""
    changes = {"control_step_min": 15, "tariff.kappa": 0.5, "voltage.vm_max_pu": 1.025}
    return run(Scenario(rule="prc").changed(changes), references=False)


def pixels(path: Path) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Grey values in [0, 1], shape (height, width)."""
    grey: np.ndarray[tuple[int, int], np.dtype[np.float64]] = imread(path)[:, :, :3].mean(axis=2)
    return grey


def assert_drawn(path: Path) -> None:
    """Neither blank nor cut off: ink inside, white along the edge."""
    image = pixels(path)
    assert image.var() > 1e-3
    assert min(image[0].min(), image[-1].min(), image[:, 0].min(), image[:, -1].min()) == 1.0


def test_voltages_go_to_the_axes_given() -> None:
    figure = Figure()
    left, right = figure.subplots(1, 2)
    hours = np.arange(0.0, 24.0, 0.25)
    curves = {"bus 2": np.linspace(0.99, 1.01, 96), "bus 4": np.linspace(0.97, 1.04, 96)}
    assert plot_voltages(right, hours, curves, BAND) is right
    assert not left.lines
    drawn = {str(line.get_label()): line for line in right.lines}
    for index, (name, values) in enumerate(curves.items()):
        np.testing.assert_array_equal(drawn[name].get_ydata()[:-1], values)
        assert drawn[name].get_color() == COLOURS[index]
    assert len({line.get_linestyle() for line in map(drawn.__getitem__, curves)}) == 2  # told apart without colour
    assert [text.get_text() for text in right.texts] == ["0.96", "1.03"]
    assert right.get_legend_handles_labels()[1] == ["dead band", "bus 2", "bus 4"]
    assert (right.get_ylabel(), right.get_xlabel()) == ("voltage (p.u.)", "local time (hour of the day)")
    assert right.get_xlim() == (0.0, 24.0)
    assert right.get_xticks().tolist() == [0, 3, 6, 9, 12, 15, 18, 21, 24]


@pytest.mark.parametrize(("days", "every"), [(1, 3), (2, 6), (3, 12), (7, 24), (28, 96), (300, 1464)])
def test_ticks_stay_few_and_round(days: int, every: int) -> None:
    hours = np.arange(0.0, 24.0 * days)
    ax = plot_voltages(Figure().subplots(), hours, {"a": np.ones(len(hours))}, BAND)
    assert ax.get_xticks().tolist() == list(range(0, 24 * days + 1, every))


def test_ticks_of_a_long_run_are_days() -> None:
    ax = plot_voltages(Figure().subplots(), np.arange(0.0, 24.0 * 56), {"a": np.ones(24 * 56)}, BAND)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["0", "7", "14", "21", "28", "35", "42", "49", "56"]
    assert ax.get_xlabel() == "days since local midnight of the first day"


def test_of_a_long_run_a_week_is_drawn_in_detail_and_voltages_day_by_day(tmp_path: Path) -> None:
    changes = {"days": 16, "profiles": "repeated", "market_step_min": 60, "control_step_min": 60}
    long = run(Scenario().changed({**changes, "start": datetime(2022, 12, 31, 23, tzinfo=UTC)}), references=False)
    figure = plot_day(Figure(), long, "home-4")
    assert figure.axes[0].get_xlim() == (0.0, 7 * 24.0)
    assert figure.get_suptitle() == "home-4: the first 7 of 16 days"
    assert [samples_per_step(long, days) for days in (1, 14, 15)] == [1, 1, 24]
    draw_run(long, tmp_path)
    for name in ("day-home-4.png", "voltages.png"):
        assert_drawn(tmp_path / name)


def test_a_single_step_can_be_drawn() -> None:
    ax = plot_voltages(Figure().subplots(), np.array([6.0]), {"a": np.array([1.0])}, BAND)
    assert ax.get_ylabel() == "voltage (p.u.)"


def test_a_day_in_five_panels_with_units(day: Run) -> None:
    figure = Figure(figsize=(7.2, 7.5))
    assert plot_day(figure, day, "home-4") is figure
    labels = [ax.get_ylabel() for ax in figure.axes]
    assert labels == ["battery (kW)", "flexible load (kW)", "net load (kW)", "price\n(currency/kWh)", "energy (kWh)"]
    assert [ax.get_xlabel() for ax in figure.axes] == ["", "", "", "", "local time (hour of the day)"]
    _, _, net, price, energy = figure.axes
    drawn = {str(line.get_label()): np.asarray(line.get_ydata()) for line in net.lines}
    for label, name in (("at the meter, > 0 import", "p_meter_kw"), ("curtailed PV", "p_curtailed_kw")):
        means = day.column(name)[:, 2].reshape(96, -1).mean(axis=1)
        np.testing.assert_array_equal(drawn[label][:-1], means)
        assert drawn[label][-1] == means[-1]  # held to the end of the last step
    assert drawn["curtailed PV"].max() > 0
    assert [line.get_label() for line in price.lines] == ["buying", "selling"]
    np.testing.assert_array_equal(energy.lines[0].get_ydata(), day.column("energy_kwh")[:, 2])


def test_one_price_is_drawn_once() -> None:
    figure = plot_day(Figure(), run(Scenario(control_step_min=15), references=False), "home-2")
    assert [line.get_label() for line in figure.axes[3].lines] == ["buying and selling"]
    assert "curtailed PV" not in [line.get_label() for line in figure.axes[2].lines]


def test_hours_are_local(day: Run) -> None:
    figure = plot_day(Figure(), day, "home-4", timezone="UTC")
    assert figure.axes[0].get_xlim() == (22.0, 46.0)
    assert figure.axes[-1].get_xlabel() == "hours since local midnight of the first day"


def test_figures_of_a_run(day: Run, tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    draw_run(day, tmp_path)
    draw_run(day, tmp_path / "again")
    files = sorted(path.name for path in tmp_path.glob("*.png"))
    assert files == ["day-home-4.png", "voltages.png"]  # home-4 is the farthest
    for name in files:
        assert_drawn(tmp_path / name)
        assert (tmp_path / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_nobody_home_draws_nothing(tmp_path: Path) -> None:
    draw_run(run(Scenario(prosumers=(), control_step_min=15), references=False), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_saved_figure_says_nothing_of_when_and_with_what(tmp_path: Path) -> None:
    save_figure(Figure(), tmp_path / "a.png")
    assert b"Software" not in (tmp_path / "a.png").read_bytes()
    assert b"tIME" not in (tmp_path / "a.png").read_bytes()


def test_samples_of_a_step_are_drawn_as_mean_and_band() -> None:
    hours = np.arange(4) / 2
    ax = plot_voltages(Figure().subplots(), hours, {"a": np.array([0.99, 1.01, 1.0, 1.0])}, BAND, per_step=2)
    (line,) = (line for line in ax.lines if line.get_label() == "a")
    assert line.get_xdata() == pytest.approx([0.0, 1.0, 2.0])
    assert line.get_ydata() == pytest.approx([1.0, 1.0, 1.0])
    (swing,) = ax.collections
    vertices = swing.get_paths()[0].vertices
    assert (vertices[:, 1].min(), vertices[:, 1].max()) == (0.99, 1.01)
