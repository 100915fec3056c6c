"""The street graph: where streets meet, and where houses and stations stand along them."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeders.errors import InputError
from feeders.synthetic.street_graph import nearest_segments, street_graph


def graph_of(lines, places=((0.0, 0.0),)):
    return street_graph([np.array(line, dtype=float) for line in lines], np.array(places, dtype=float))


def length(found) -> float:
    return float(sum(d for _, _, d in found.graph.edges(data="length_m")))


@pytest.mark.parametrize(
    ("lines", "parts", "why"),
    [
        ([[(0, 0), (50, 0), (100, 0)], [(50, 0), (50, 40)]], 1, "a point in common"),
        ([[(0, 0), (100, 0)], [(50, -40), (50, 40)]], 2, "a bridge"),
        ([[(0, 0), (100, 0)], [(50, 0.3), (50, 40)]], 1, "an end that touches"),
        ([[(0, 0), (100, 0)], [(50, 0.7), (50, 40)]], 2, "an end that does not"),
        ([[(0, 0), (50, 0)], [(50.2, 0.2), (90, 0)]], 1, "ends that nearly meet"),
        ([[(0, 0), (50, 0)], [(0, 0), (50, 0)]], 1, "the same twice"),
    ],
)
def test_where_streets_meet(lines, parts, why):
    assert nx.number_connected_components(graph_of(lines).graph) == parts, why


def test_houses_cut_the_streets_at_their_feet():
    found = graph_of([[(0, 0), (100, 0)]], [(30, 7), (30.2, -3), (0.4, 2), (140, 30), (99.8, 0)])
    np.testing.assert_allclose(found.off_street_m, [7, 3, 2, 50, 0], atol=1e-12)
    nodes = found.node_of_point
    np.testing.assert_allclose(found.xy[nodes], [(30, 0), (30, 0), (0, 0), (100, 0), (100, 0)], atol=1e-12)
    assert nodes[0] == nodes[1] and nodes[3] == nodes[4]  # no pieces of less than half a metre
    assert sorted(dict(found.graph.degree).values()) == [1, 1, 2] and length(found) == pytest.approx(100.0)


def test_cuts_keep_the_length_of_all_streets():
    rng = np.random.default_rng(3)
    lines = [np.cumsum(rng.uniform(2, 30, (6, 2)) * (1, k), axis=0) for k in (-1, 0.5, 2)]
    found = street_graph(lines, rng.uniform(-50, 150, (200, 2)))
    assert length(found) == pytest.approx(sum(np.linalg.norm(np.diff(x, axis=0), axis=1).sum() for x in lines))
    assert all(d > 0.5 for _, _, d in found.graph.edges(data="length_m"))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_the_nearest_street_is_that_of_a_search_along_all(seed):
    """Every street is walked in 2,000 paces: no place on them is nearer, and one is as near, within a pace."""
    rng = np.random.default_rng(seed)
    a, b, places = rng.uniform(0, 100, (7, 2)), rng.uniform(0, 100, (7, 2)), rng.uniform(0, 100, (5, 2))
    segment, along, off = nearest_segments(places, a, b)
    paces = np.linspace(0, 1, 2001)[:, None, None]
    walked = np.linalg.norm(places[:, None, None, :] - (a + paces * (b - a))[None], axis=3).min(axis=(1, 2))
    assert (off <= walked + 1e-9).all() and (off >= walked - 150 / 2000).all()
    foot = a[segment] + along[:, None] * (b - a)[segment] / np.linalg.norm((b - a)[segment], axis=1)[:, None]
    np.testing.assert_allclose(np.linalg.norm(places - foot, axis=1), off, atol=1e-9)


def test_streets_without_length():
    with pytest.raises(InputError, match=r"streets: length: 'none above 0\.5 m' is not allowed"):
        graph_of([[(0, 0), (0.1, 0)]])
