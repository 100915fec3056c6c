"""A feeder's map and its voltage profile: what is drawn where, in which colour, how wide.

Legibility was judged by eye on four-bus, cigre-lv, case33bw, kerber-dorfnetz and mv-oberrhein, in colour and in grey.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from agents.prosumer import VoltageBand
from cosim.plots import (
    COLOURS,
    FeederMap,
    FeederProfile,
    FeederState,
    Homes,
    home_places,
    plot_feeder,
    plot_feeder_key,
    plot_profile,
    plot_voltage_scale,
    voltage_colours,
)
from cosim.plots.feeder_map import LINE, OVERLOAD, edge_widths
from cosim.plots.glyphs import CIRCLE, DOWN, FILLS, SHAPES, UP, home_glyphs
from cosim.plots.still import Panel
from cosim.plots.voltage_colours import ABOVE, BELOW
from feeders import load_feeder
from feeders.sketch import sketch_of

BAND = VoltageBand(0.95, 0.02, 1.05)
SKETCH = sketch_of(load_feeder("four-bus"))
DISTANCE_OHM = load_feeder("four-bus").electrical_distance.z_ohm.to_numpy()
STATE = FeederState(np.array([1.0, 1.04, 1.06, 0.93]), np.array([0.5, 1.2, np.nan]), np.empty(0))


def axes(width_px=490, height_px=320):
    figure = Figure(figsize=(width_px / 100, height_px / 100), dpi=100)
    FigureCanvasAgg(figure)
    return figure.add_axes((0.0, 0.0, 1.0, 1.0))


def homes(place, p_meter_kw=1.0, p_battery_kw=0.0, p_curtailed_kw=0.0):
    n = len(place)

    def column(value):
        return np.broadcast_to(np.asarray(value, dtype=float), n).copy()

    place = np.asarray(place, dtype=np.int64)
    return Homes(
        [f"home-{row}" for row in range(n)],
        place,
        DISTANCE_OHM[place % 4],
        column(1.0),
        column(p_meter_kw),
        column(p_battery_kw),
        column(2.0),
        column(p_curtailed_kw),
        column(1.0),
        column(2.0),
    )


def rendered(ax):
    figure = ax.get_figure()
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba()).copy()


def test_colours_are_neutral_at_one_and_saturated_beyond_the_limits():
    vm_pu = np.array([0.949, 0.95, 0.965, 0.98, 1.0, 1.02, 1.035, 1.05, 1.051, np.nan])
    colours = voltage_colours(vm_pu, BAND)
    assert tuple(colours[0]) == to_rgba(BELOW)
    assert tuple(colours[8]) == to_rgba(ABOVE)
    assert colours[9].tolist() == [0, 0, 0, 0]
    assert (colours[:9, 3] == 1).all()
    red, _, blue, _ = colours.T
    assert np.ptp(colours[4, :3]) == 0  # no hue
    assert (np.diff((red - blue)[1:8]) > 0).all()  # from blue to red
    grey = colours[:, :3] @ (0.299, 0.587, 0.114)
    assert (np.diff(grey[:5]) > 0).all() and (np.diff(grey[4:9]) < 0).all()  # the darker, the farther
    assert grey[1] - grey[0] > 0.3 and grey[7] - grey[8] > 0.3  # a limit shows in grey
    np.testing.assert_allclose(colours[2], (colours[1] + colours[3]) / 2)  # midway in the zone where rules act


def test_the_scale_marks_limits_and_dead_band():
    for size in ((400, 60), (60, 300)):
        ax = plot_voltage_scale(axes(*size), BAND)
        lies = size[0] > size[1]
        axis = ax.xaxis if lies else ax.yaxis
        assert [text.get_text() for text in axis.get_ticklabels()] == ["0.95", "0.98", "1", "1.02", "1.05"]
        marks = [float((line.get_xdata() if lies else line.get_ydata())[0]) for line in ax.lines]
        assert sorted(marks) == [0.95, 0.98, 1.02, 1.05]
        assert (ax.get_xlabel() if lies else ax.get_ylabel()) == "voltage (p.u.)"
        low, high = ax.get_xlim() if lies else ax.get_ylim()
        assert low < 0.95 and high > 1.05
        pixels = ax.images[0].get_array().reshape(-1, 4)
        np.testing.assert_allclose(pixels[[0, -1]], [to_rgba(BELOW), to_rgba(ABOVE)])


def test_labels_of_a_narrow_dead_band_do_not_touch():
    ax = plot_voltage_scale(axes(300, 60), VoltageBand(0.9, 0.002, 1.1))
    assert [text.get_text() for text in ax.get_xticklabels()] == ["0.9", "0.998", "1.1"]


def test_buses_are_coloured_and_shaped_by_voltage():
    drawn = FeederMap(axes(), SKETCH, BAND)
    drawn.update(STATE)
    offsets = np.asarray(drawn._buses.get_offsets())
    bus = [int(np.argmin(np.abs(SKETCH.x - x))) for x, _ in offsets]
    assert sorted(bus) == [0, 1, 2, 3]
    np.testing.assert_allclose(drawn._buses.get_facecolor(), voltage_colours(STATE.vm_pu, BAND)[bus])
    shapes = dict(zip(bus, drawn._buses.get_paths(), strict=True))
    assert shapes == {0: CIRCLE, 1: CIRCLE, 2: UP, 3: DOWN}
    assert set(bus[2:]) == {2, 3}  # beyond the limits: drawn last, on top


def test_a_bus_without_supply_is_hollow():
    drawn = FeederMap(axes(), SKETCH, BAND)
    drawn.update(FeederState(np.array([1.0, 1.0, np.nan, np.nan]), np.full(3, np.nan), np.empty(0)))
    fills = drawn._buses.get_facecolor()
    assert fills[:, 3].tolist() == [1, 1, 0, 0]
    edges = drawn._buses.get_edgecolor()
    assert (edges[2] == edges[3]).all() and (edges[2] != edges[0]).any()


def test_lines_are_as_wide_as_they_are_loaded():
    widths, over = edge_widths(SKETCH, STATE)
    none, full = (edge_widths(SKETCH, FeederState(STATE.vm_pu, np.full(3, x), np.empty(0)))[0][0] for x in (0.0, 1.0))
    assert widths[0] == pytest.approx((none + full) / 2)
    assert over.tolist() == [False, True, False]
    assert widths[1] > full > none == widths[2]  # unknown: thin
    drawn = FeederMap(axes(), SKETCH, BAND)
    drawn.update(STATE)
    assert drawn._lines.get_linewidth() == pytest.approx(widths[[2, 0, 1]])  # the widest on top
    colours = [tuple(colour) for colour in drawn._lines.get_color()]
    assert colours == [to_rgba(LINE), to_rgba(LINE), to_rgba(OVERLOAD)]
    first = [float(segment[0, 0]) for segment in drawn._lines.get_segments()]
    assert first == SKETCH.x[[2, 0, 1]].tolist()


def test_loadings_go_to_their_own_elements():
    feeder = load_feeder("cigre-lv")
    sketch = sketch_of(feeder)
    n_lines, n_trafos = len(feeder.net.line), len(feeder.net.trafo)
    state = FeederState(np.ones(feeder.n_buses), np.zeros(n_lines), np.array([0.0, 2.0, 0.0])[:n_trafos])
    _, over = edge_widths(sketch, state)
    (edge,) = np.flatnonzero(over)
    trafo = feeder.net.trafo.iloc[1]
    assert feeder.buses[sketch.ends[edge]].tolist() == [trafo.hv_bus, trafo.lv_bus]


def test_open_ties_are_dashed():
    sketch = sketch_of(load_feeder("case33bw"))
    ax = axes()
    plot_feeder(ax, sketch, FeederState(np.ones(33), np.full(37, np.nan), np.empty(0)), BAND)
    ties, lines = (found for found in ax.collections if isinstance(found, LineCollection))
    assert (len(ties.get_paths()), len(lines.get_paths())) == (5, 32)
    assert ties.get_linestyle()[0][1] is not None  # dashes
    assert lines.get_linestyle()[0][1] is None


def test_a_prosumers_marker_says_what_it_does():
    found = homes([1] * 6, [1, -1, 1, -1, -1, 0.001], [0, 0, 2, -2, -2, 0.001], [0, 0, 0, 0, 0.5, 0.001])
    shapes, fills = home_glyphs(found)
    assert shapes == ["idle", "idle", "charging", "discharging", "curtailing", "idle"]
    assert fills == ["importing", "exporting", "importing", "exporting", "curtailing", "balanced"]
    drawn = FeederMap(axes(), SKETCH, BAND)
    drawn.update(STATE, found, chosen=3)
    assert drawn._homes.get_paths() == [SHAPES[shape] for shape in shapes]
    assert [tuple(fill) for fill in drawn._homes.get_facecolor()] == [to_rgba(FILLS[fill]) for fill in fills]
    np.testing.assert_array_equal(drawn._ring.get_offsets(), drawn.home_xy[[3]])
    drawn.update(STATE, found)
    assert len(drawn._ring.get_offsets()) == 0


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=40))
def test_prosumers_are_seen_beside_one_another_and_their_buses(place):
    ax = axes()
    xy = home_places(ax, SKETCH, np.array(place))
    pixels = ax.transData.transform(xy)
    buses = ax.transData.transform(np.column_stack([SKETCH.x, SKETCH.y]))
    assert (pixels > 0).all() and (pixels < (490, 320)).all()
    size = 5.0  # the least width of a marker
    everything = np.concatenate([pixels, buses])
    distance = np.hypot(*(everything[:, None] - everything).transpose(2, 0, 1))
    assert distance[np.triu_indices(len(everything), 1)].min() > size
    nearest = np.argmin(distance[: len(place), len(place) :], axis=1)
    if max(np.bincount(place)) <= 6:
        assert nearest.tolist() == place


def test_places_for_the_page_are_where_markers_are():
    ax = axes()
    found = homes([1, 1, 2, 3, 3, 3])
    plot_feeder(ax, SKETCH, STATE, BAND, found)
    markers = [c for c in ax.collections if isinstance(c, PathCollection) and len(c.get_offsets()) == 6]
    np.testing.assert_array_equal(markers[0].get_offsets(), home_places(ax, SKETCH, found.place))


def test_updating_gives_the_same_picture_as_drawing_anew():
    first, second = homes([1, 2, 3, 3]), homes([1, 2, 3, 3], -1.0, 1.0, [0, 0, 1.0, 0])
    other = FeederState(np.array([1.0, 0.94, 1.0, np.nan]), np.array([1.5, 0.1, 0.2]), np.empty(0))
    kept, anew = axes(), axes()
    drawn = FeederMap(kept, SKETCH, BAND)
    drawn.update(other, second)
    before = rendered(kept)
    drawn.update(STATE, first, 2)
    plot_feeder(anew, SKETCH, STATE, BAND, first, 2)
    np.testing.assert_array_equal(rendered(kept), rendered(anew))
    assert (before != rendered(kept)).any()
    anew.clear()
    plot_feeder(anew, SKETCH, STATE, BAND, first, 2)
    np.testing.assert_array_equal(rendered(kept), rendered(anew))


@pytest.mark.parametrize("name", ["four-bus", "case33bw", "kerber-landnetz-kabel-2"])
def test_axes_stay_where_they_are_put(name):
    """Place and limits depend on the feeder and on where people live, not on what happens."""
    feeder = load_feeder(name)
    sketch, place = sketch_of(feeder), feeder.bus_positions(feeder.connection_buses.tolist())
    lines, trafos = np.full(len(feeder.net.line), 0.3), np.full(len(feeder.net.trafo), 0.3)
    found = []
    for vm_pu in (1.0, 0.9):
        ax = Figure(figsize=(4.9, 3.2)).add_axes((0.1, 0.2, 0.7, 0.6))
        plot_feeder(ax, sketch, FeederState(np.full(feeder.n_buses, vm_pu), lines, trafos), BAND, homes(place))
        found.append((ax.get_position().bounds, ax.get_xlim(), ax.get_ylim()))
    assert found[0] == found[1]
    assert found[0][0] == pytest.approx((0.1, 0.2, 0.7, 0.6))
    inside = ax.transAxes.inverted().transform(ax.transData.transform(np.column_stack([sketch.x, sketch.y])))
    assert (inside > 0).all() and (inside < 1).all()


def test_a_map_on_the_ground_is_not_stretched_and_has_a_bar():
    sketch = SKETCH.__class__(**{**vars(SKETCH), "geographic": True, "x": SKETCH.x * 0.3, "y": np.arange(4) * 0.1})
    sketch = SKETCH.__class__(
        **{**vars(sketch), "paths": [np.column_stack([sketch.x, sketch.y])[e] for e in sketch.ends]}
    )
    ax = axes()
    plot_feeder(ax, sketch, STATE, BAND)
    (x0, y0), (x1, y1) = ax.transData.transform([(0, 0), (1, 1)])
    assert x1 - x0 == pytest.approx(y1 - y0)
    (text,) = ax.texts
    (bar,) = ax.lines
    length_px = np.ptp(bar.get_xdata()) * 490
    number, unit = text.get_text().split()
    assert length_px == pytest.approx(float(number) * {"km": 1, "m": 1e-3}[unit] * (x1 - x0))


def test_the_key_names_every_marker():
    ax = plot_feeder_key(axes(600, 90))
    texts = {text.get_text() for text in ax.texts}
    assert {"importing", "exporting", "charging", "discharging", "curtailing PV", "above limit", "below limit"} <= texts
    assert len(ax.collections) + len(ax.lines) == len(texts) + 1  # the grid has its wave on top
    box = ax.get_figure().bbox
    renderer = ax.get_figure().canvas.get_renderer()
    assert all(box.containsx(text.get_window_extent(renderer).x1) for text in ax.texts)


def test_the_profile_draws_voltage_against_distance():
    ax = axes(1000, 300)
    other = np.array([1.0, 1.01, np.nan, np.nan])
    assert plot_profile(ax, SKETCH, DISTANCE_OHM, {"prc": STATE, "none": other}, BAND, homes([1, 3])) is ax
    first, second = (c for c in ax.collections if isinstance(c, PathCollection))
    np.testing.assert_array_equal(first.get_offsets(), np.column_stack([DISTANCE_OHM, STATE.vm_pu]))
    assert np.isfinite(np.ma.filled(second.get_offsets(), np.nan)).all(axis=1).tolist() == [True, True, False, False]
    assert tuple(first.get_edgecolor()[0]) == to_rgba(COLOURS[0])
    assert tuple(second.get_edgecolor()[0]) == to_rgba(COLOURS[1])
    assert len(second.get_facecolor()) == 0  # hollow, so that what is behind shows
    assert len({len(c.get_paths()[0].vertices) for c in (first, second)}) == 2  # markers of two kinds
    sizes = first.get_sizes()
    assert sizes[1] == sizes[3] > sizes[0] == sizes[2]  # where prosumers live
    lines = [len(c.get_segments()) for c in ax.collections if isinstance(c, LineCollection)]
    assert lines == [3, 1]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("electrical distance from the source (ohm)", "voltage (p.u.)")
    assert [text.get_text() for text in ax.texts] == ["limit 1.05", "limit 0.95", "dead band"]
    assert [text.xy[1] for text in ax.texts] == [1.05, 0.95, 1.0]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["prc", "none"]
    zones = sorted(
        tuple(np.round(patch.get_extents().transformed(ax.transData.inverted()).intervaly, 6)) for patch in ax.patches
    )
    assert zones == [(0.95, 1.05), (0.98, 1.02)]


def test_the_profiles_range_grows_in_steps_and_never_shrinks():
    """Limits and 0.01 p.u.; from there 0.02 p.u. at a time."""
    profile = FeederProfile(axes(1000, 300), SKETCH, DISTANCE_OHM, BAND, ["prc"])
    found = []
    for vm_pu in (1.0, 1.06, 1.0601, 0.90, 1.0):
        profile.update({"prc": np.full(4, vm_pu)})
        found.append(profile.ax.get_ylim())
    steps = [(0.94, 1.06), (0.94, 1.06), (0.94, 1.08), (0.90, 1.08), (0.90, 1.08)]
    np.testing.assert_allclose(found, steps)
    assert len(profile.ax.get_yticks()) <= 8


def panel() -> Panel:
    """Axes as on the page, which keep a picture of their frame."""
    figure = axes(1000, 300).get_figure()
    figure.clear()
    return figure.add_axes(Panel(figure, (0.07, 0.15, 0.84, 0.77)))


def test_a_profile_that_is_kept_is_the_picture_of_a_new_one() -> None:
    found = homes([1, 3])
    kept = FeederProfile(panel(), SKETCH, DISTANCE_OHM, BAND, ["prc"])
    for vm_pu in (np.ones(4), STATE.vm_pu, np.full(4, 1.2)):  # the last moves the range
        kept.update({"prc": vm_pu}, found, chosen=0)
        whole = FeederProfile(panel(), SKETCH, DISTANCE_OHM, BAND, ["prc"])
        whole._range_pu = kept._range_pu
        whole._set_range()
        whole.update({"prc": vm_pu}, found, chosen=0)
        np.testing.assert_array_equal(rendered(kept.ax), rendered(whole.ax))


def test_the_chosen_ones_distance_is_marked():
    profile = FeederProfile(axes(1000, 300), SKETCH, DISTANCE_OHM, BAND, ["prc"])
    profile.update({"prc": STATE}, homes([1, 3]), chosen=1)
    assert profile._chosen.get_xdata() == [DISTANCE_OHM[3]] * 2
    profile.update({"prc": STATE}, homes([1, 3]))
    assert np.isnan(profile._chosen.get_xdata()).all()


def test_nobody_home_can_be_drawn():
    ax = axes()
    plot_feeder(ax, SKETCH, STATE, BAND, homes([]))
    plot_profile(axes(), SKETCH, DISTANCE_OHM, {"prc": STATE}, BAND, homes([]))
    assert rendered(ax).std() > 1
