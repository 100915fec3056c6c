"""Where feeders are drawn: by their coordinates, or as trees, on spots of their own, without crossings where radial."""

from __future__ import annotations

import json
from itertools import combinations

import numpy as np
import pandapower as pp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeders import Feeder, load_feeder
from feeders.geodata import apart
from feeders.sketch import Sketch, sketch_of
from feeders.tree_layout import place_forest
from tests.feeders.feeder_cases import CASES, low_voltage_net


def segments(paths):
    """Straight parts of paths: (path, start, end)."""
    return [(n, path[i], path[i + 1]) for n, path in enumerate(paths) for i in range(len(path) - 1)]


def boxes_touch(a, b, c, d):
    """Whether two parts, each along an axis, share a point."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    return bool((np.maximum(low, np.minimum(c, d)) <= np.minimum(high, np.maximum(c, d))).all())


def assert_no_crossing(ends, paths, xy):
    """Edges meet in a bus that they share, or where they leave it together; nowhere else."""
    for (m, a, b), (n, c, d) in combinations(segments(paths), 2):
        if m == n:
            continue
        shared = set(ends[m]) & set(ends[n])
        if not shared:
            assert not boxes_touch(a, b, c, d), (m, n)
        else:  # they leave the shared bus: what they have in common is at its x, or is the bus itself
            (bus,) = shared
            if boxes_touch(a, b, c, d):
                low = np.maximum(np.minimum(a, b), np.minimum(c, d))
                high = np.minimum(np.maximum(a, b), np.maximum(c, d))
                assert low[0] == high[0] == xy[bus][0], (m, n)


def assert_distinct(sketch: Sketch):
    xy = np.column_stack([sketch.x, sketch.y])
    assert len(np.unique(xy.round(9), axis=0)) == len(xy)


def assert_whole(sketch: Sketch):
    """Every path runs from the first to the second of its buses."""
    for (start, end), path in zip(sketch.ends, sketch.paths, strict=True):
        np.testing.assert_allclose(path[[0, -1], 0], sketch.x[[start, end]])
        np.testing.assert_allclose(path[[0, -1], 1], sketch.y[[start, end]])


@st.composite
def forests(draw):
    n = draw(st.integers(1, 40))
    parent = [-1] + [draw(st.integers(-1 if draw(st.integers(0, 9)) == 0 else 0, i - 1)) for i in range(1, n)]
    x = np.zeros(n)
    for node, above in enumerate(parent):
        if above >= 0:
            x[node] = x[above] + draw(st.floats(0.5, 2.5))
    return x, np.array(parent)


@settings(max_examples=150, deadline=None)
@given(forests())
def test_branches_of_a_tree_do_not_cross(forest):
    x, parent = forest
    xy = np.column_stack([x, place_forest(x, parent)])
    assert len(np.unique(xy, axis=0)) == len(xy)
    ends = [(above, node) for node, above in enumerate(parent.tolist()) if above >= 0]
    paths = [np.array([xy[a], (xy[a, 0], xy[b, 1]), xy[b]]) for a, b in ends]
    assert_no_crossing(ends, paths, xy)


def test_single_branches_share_rows():
    """A trunk of five with a stub at three: in turn above and below, on one row each, as none reaches the next."""
    parent = np.array([-1, 0, 1, 2, 3, 0, 1, 2])
    x = np.array([0.0, 1, 2, 3, 4, 0.4, 1.4, 2.4])
    assert place_forest(x, parent).tolist() == [1, 1, 1, 1, 1, 2, 0, 2]


@pytest.mark.parametrize("name", ["four-bus", "kerber-landnetz-kabel-2", "kerber-dorfnetz", "parametric-12kv"])
def test_feeders_without_coordinates_are_trees(name):
    feeder = load_feeder(name)
    sketch, again = sketch_of(feeder), sketch_of(load_feeder(name))
    assert not sketch.geographic
    np.testing.assert_array_equal(sketch.x, again.x)
    np.testing.assert_array_equal(sketch.y, again.y)
    assert_distinct(sketch)
    assert_whole(sketch)
    assert sketch.closed.all()
    assert_no_crossing(sketch.ends.tolist(), sketch.paths, np.column_stack([sketch.x, sketch.y]))
    assert feeder.buses[sketch.source].tolist() == feeder.net.ext_grid.bus.tolist()
    assert sketch.x[sketch.source] == 0 == sketch.x.min()


def test_edges_know_their_elements():
    feeder = load_feeder("kerber-dorfnetz")
    sketch, net = sketch_of(feeder), feeder.net
    for table, columns in (("line", ["from_bus", "to_bus"]), ("trafo", ["hv_bus", "lv_bus"])):
        of = [n for n, element in enumerate(sketch.element) if element == table]
        assert sketch.number[of].tolist() == list(range(len(net[table])))
        np.testing.assert_array_equal(feeder.buses[sketch.ends[of]], net[table][columns].to_numpy())


def test_coordinates_of_the_net_are_kept():
    """A schematic's numbers, moved as a whole; its tie lines are out of service."""
    feeder = load_feeder("case33bw")
    sketch = sketch_of(feeder)
    given = np.array([json.loads(text)["coordinates"] for text in feeder.net.bus.geo])
    drawn = np.column_stack([sketch.x, sketch.y])
    np.testing.assert_allclose(drawn - drawn[0], given - given[0], atol=0.01)  # of 8.5; two were moved apart
    assert not sketch.geographic
    assert sketch.closed.sum() == 32
    np.testing.assert_array_equal(sketch.closed, feeder.net.line.in_service)


def test_a_real_map_is_in_kilometres_and_its_lines_bend():
    """Places of mv-oberrhein: straight lines on it are no longer than the cables, by the haversine formula's sphere."""
    feeder = load_feeder("mv-oberrhein")
    sketch = sketch_of(feeder)
    assert sketch.geographic
    assert_distinct(sketch)
    assert_whole(sketch)
    assert (~sketch.closed).sum() == len(set(feeder.net.switch[~feeder.net.switch.closed].element))
    lon, lat = np.deg2rad(np.array([json.loads(text)["coordinates"] for text in feeder.net.bus.geo])).T
    a, b = (int(feeder.bus_positions([bus])[0]) for bus in feeder.net.ext_grid.bus)
    h = np.sin((lat[b] - lat[a]) / 2) ** 2 + np.cos(lat[a]) * np.cos(lat[b]) * np.sin((lon[b] - lon[a]) / 2) ** 2
    apart_km = 2 * 6371 * np.arcsin(np.sqrt(h))
    drawn = np.hypot(sketch.x[a] - sketch.x[b], sketch.y[a] - sketch.y[b])
    assert drawn == pytest.approx(apart_km, rel=0.1)  # busbars on one spot are moved apart by up to 0.4 km
    assert max(len(path) for path in sketch.paths) > 2


def test_buses_on_one_spot_are_moved_apart():
    feeder = load_feeder("cigre-lv")  # both sides of its transformers are drawn on one spot
    given = np.array([json.loads(text)["coordinates"] for text in feeder.net.bus.geo])
    assert len(np.unique(given, axis=0)) < len(given)
    sketch = sketch_of(feeder)
    assert_distinct(sketch)
    xy = np.column_stack([sketch.x, sketch.y])
    nearest = min(np.hypot(*(p - q)) for p, q in combinations(xy, 2))
    assert nearest > 0.01 * np.hypot(*np.ptp(xy, axis=0))


def test_a_cluster_is_spread():
    """Places closer together than 1.8 % of the diagonal, here some 0.25, come apart to that, all but rounding."""
    rng = np.random.default_rng(5)
    places = np.concatenate([[(0.0, 0.0), (10.0, 10.0)], 5 + 0.3 * rng.random((12, 2))])
    moved = apart(places, np.arange(14.0))
    nearest = min(np.hypot(*(p - q)) for p, q in combinations(moved, 2))
    assert nearest > 0.2
    np.testing.assert_array_equal(moved[:2], places[:2])


def with_places(places):
    net = low_voltage_net()
    net.bus["geo"] = [None if p is None else json.dumps({"type": "Point", "coordinates": list(p)}) for p in places]
    return sketch_of(Feeder(net))


TREE = sketch_of(Feeder(low_voltage_net()))


@pytest.mark.parametrize(
    "places",
    [
        [(8.0, 50.0)] * 6,
        [(8.0, 50.0)] * 4 + [(8.1, 50.0)] * 2,
        [(8.0, 50.0 + 0.01 * n) for n in range(5)] + [None],
        [(8.0, 50.0 + 0.01 * n) for n in range(5)] + [(8.0, float("nan"))],
    ],
    ids=["one spot", "two spots", "one bus without", "one bus not a number"],
)
def test_useless_coordinates_are_left_alone(places):
    found = with_places(places)
    np.testing.assert_array_equal(found.x, TREE.x)
    np.testing.assert_array_equal(found.y, TREE.y)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"coordinates": "no"}', '{"coordinates": [[1, 2], [3]]}', 7.0]
)
def test_places_that_cannot_be_read_are_none(text):
    net = low_voltage_net()
    net.bus["geo"] = objects([text] * 6)
    np.testing.assert_array_equal(sketch_of(Feeder(net)).x, TREE.x)


def objects(values):
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def test_tall_and_thin_is_laid_on_its_side():
    """Six buses going north by 0.01 degrees, 1.112 km: to the right then, east comes down."""
    sketch = with_places([(8.0 + 0.001 * (n % 2), 50.0 + 0.01 * n) for n in range(6)])
    np.testing.assert_allclose(np.diff(sketch.x), 1.112, rtol=1e-3)
    assert np.sign(np.diff(sketch.y)).tolist() == [-1, 1, -1, 1, -1]
    wide = with_places([(8.0 + 0.01 * n, 50.0 + 0.001 * (n % 2)) for n in range(6)])
    np.testing.assert_allclose(np.diff(wide.x), 1.112 * np.cos(np.deg2rad(50.0)), rtol=1e-3)


def test_metres_of_a_projection_become_kilometres():
    sketch = with_places([(3_400_000.0 + 250 * n, 5_500_000.0 + 200 * (n % 3)) for n in range(6)])
    assert sketch.geographic
    np.testing.assert_allclose(np.diff(sketch.x), 0.25)


def test_courses_may_run_either_way_or_be_wrong():
    net = low_voltage_net()
    places = [(8.0 + 0.01 * n, 50.0 + 0.01 * (n % 2)) for n in range(6)]
    net.bus["geo"] = [json.dumps({"type": "Point", "coordinates": p}) for p in places]
    bend = (8.013, 50.02)  # lines are 1-2, 2-3, 1-4, 4-5
    courses = [[places[1], bend, places[2]], [places[3], bend, places[2]], [places[5], bend, places[0]], [places[4]]]
    net.line["geo"] = [json.dumps({"type": "LineString", "coordinates": course}) for course in courses]
    sketch = sketch_of(Feeder(net))
    assert_whole(sketch)
    assert [len(path) for path in sketch.paths] == [3, 3, 2, 2, 2]


@pytest.mark.parametrize("case", CASES)
def test_odd_nets_can_be_drawn(case):
    """Meshes, islands, open switches, three windings: all buses distinct, all edges there, what is fed connected."""
    feeder = Feeder(CASES[case]())
    sketch = sketch_of(feeder)
    assert np.isfinite(sketch.x).all() and np.isfinite(sketch.y).all()
    assert_distinct(sketch)
    assert_whole(sketch)
    fed = np.zeros(feeder.n_buses, dtype=bool)
    fed[sketch.source] = True
    for _ in range(feeder.n_buses):
        for start, end in sketch.ends[sketch.closed]:
            fed[start] = fed[end] = fed[start] | fed[end]
    np.testing.assert_array_equal(fed, feeder.energised)  # by pandapower


def test_what_closes_a_loop_bows_out():
    sketch = sketch_of(Feeder(CASES["parallel lines"]()))  # 4-5 twice
    assert [len(path) for path in sketch.paths[3:5]] == [3, 2] or [len(path) for path in sketch.paths[3:5]] == [2, 3]


def test_open_windings_do_not_connect():
    net = CASES["three-winding transformer"]()
    pp.create_switch(net, 7, 0, et="t3", closed=False)  # the tertiary
    sketch = sketch_of(Feeder(net))
    others = [n for n, element in enumerate(sketch.element) if element == "other"]
    assert sketch.closed[others].tolist() == [True, False]
    assert sketch.number[others].tolist() == [-1, -1]
