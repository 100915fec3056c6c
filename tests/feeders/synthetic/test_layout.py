"""Which station serves a house, and along which streets: against other algorithms, and by hand."""

from __future__ import annotations

from itertools import combinations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import dijkstra, minimum_spanning_tree

from feeders.errors import InputErrors
from feeders.synthetic import lay_out
from feeders.synthetic.layout import spanning_tree
from feeders.synthetic.street_graph import street_graph
from tests.feeders.synthetic.street_cases import by_hand, random_map, street_map

seeds = st.integers(0, 2**32 - 1)


def laid_out(seed, tree="minimum"):
    """A random map, what is laid out on it, and the distance [m] of each house's foot from each station's, by scipy."""
    town = random_map(seed)
    try:
        layout = lay_out(town, tree=tree)
    except InputErrors as refused:  # stations that would serve no house: without them then
        unused = {error.field for error in refused.errors}
        named = zip(town.stations.names, town.stations.places, strict=True)
        houses = dict(zip(town.houses.names, town.houses.places, strict=True))
        town = street_map(town.streets.lines, houses, {n: p for n, p in named if n not in unused})
        layout = lay_out(town, tree=tree)
    n_stations = len(town.stations.names)
    streets = street_graph(town.streets.lines, np.concatenate([town.stations.places, town.houses.places]))
    lengths = nx.to_scipy_sparse_array(streets.graph, nodelist=range(len(streets.xy)), weight="length_m")
    nodes, off = streets.node_of_point, streets.off_street_m
    between = dijkstra(lengths, indices=nodes[:n_stations])[:, nodes[n_stations:]]
    return town, layout, between + off[:n_stations, None], off[n_stations:]


def ways(layout):
    """Distance of each house from its station along the cables; fails where a cable hangs on nothing."""
    way = {station: 0.0 for station in range(layout.station_of_home.max() + 1)}
    for cable in layout.cables:
        assert cable.end not in way  # reached once: radial
        way[cable.end] = way[cable.start] + cable.length_m
    assert len(way) == len(layout.xy)
    return np.array([way[node] for node in layout.node_of_home.tolist()]) + layout.service_m


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_every_house_is_connected_to_the_station_nearest_along_the_streets(seed):
    _, layout, between, off = laid_out(seed)
    homes = np.arange(len(off))
    np.testing.assert_allclose(between[layout.station_of_home, homes], between.min(axis=0), atol=1e-9)
    assert (ways(layout) >= between.min(axis=0) + off - 1e-6).all()
    np.testing.assert_array_equal(layout.station_of_node[layout.node_of_home], layout.station_of_home)
    for station in range(len(between)):
        outgoing = sum(cable.n_homes for cable in layout.cables if cable.start == station)
        at_the_busbar = (layout.node_of_home == station).sum()
        assert outgoing + at_the_busbar == (layout.station_of_home == station).sum()
    assert min((cable.n_homes for cable in layout.cables), default=1) >= 1  # no branch without a house


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_the_tree_of_shortest_ways_has_the_shortest_ways(seed):
    _, layout, between, off = laid_out(seed, "shortest")
    np.testing.assert_allclose(ways(layout), np.maximum(between.min(axis=0) + off, 1.0), atol=1.0)
    exact = off > 1.0  # others have a connection of at least 1 m
    np.testing.assert_allclose(ways(layout)[exact], (between.min(axis=0) + off)[exact], atol=1e-6)


def random_graph(seed, n=6):
    rng = np.random.default_rng(seed)
    graph = nx.path_graph(n)
    graph.add_edges_from(pair for pair in combinations(range(n), 2) if rng.random() < 0.4)
    for _, _, data in graph.edges(data=True):
        data["length_m"] = float(rng.uniform(1, 100))
    return graph, rng


def total(graph):
    return sum(d for _, _, d in graph.edges(data="length_m"))


@given(seeds)
@settings(max_examples=20, deadline=None)
def test_no_other_spanning_tree_is_shorter(seed):
    """All sets of n - 1 edges are tried, and scipy's algorithm (Kruskal's on a sparse matrix) agrees."""
    graph, _ = random_graph(seed)
    found = spanning_tree(graph, 0, "minimum", set(graph))
    subsets = (graph.edge_subgraph(edges) for edges in combinations(graph.edges, len(graph) - 1))
    assert nx.is_tree(found) and set(found) == set(graph)
    assert total(found) == pytest.approx(min(total(s) for s in subsets if len(s) == len(graph) and nx.is_tree(s)))
    assert total(found) == pytest.approx(
        minimum_spanning_tree(nx.to_scipy_sparse_array(graph, weight="length_m")).sum()
    )


@given(seeds, st.sampled_from(["minimum", "shortest"]))
@settings(max_examples=30, deadline=None)
def test_pruning_leaves_the_ways_to_what_is_wanted(seed, tree):
    """The union of the paths from the root to the wanted nodes in the unpruned tree, found another way."""
    graph, rng = random_graph(seed, 14)
    wanted = set(rng.choice(14, 4, replace=False).tolist())
    whole, pruned = spanning_tree(graph, 0, tree, set(graph)), spanning_tree(graph, 0, tree, wanted)
    needed = {frozenset(edge) for node in wanted for edge in nx.utils.pairwise(nx.shortest_path(whole, 0, node))}
    assert {frozenset(edge) for edge in pruned.edges} == needed


def test_by_hand():
    """S is at 40 m, so its first cables are 40 + 10 m to a and 30 + 10 m to the corner; d's side street has 30 m."""
    layout = lay_out(by_hand())
    found = {(c.start, tuple(layout.xy[c.end])): (c.length_m, c.n_homes, len(c.course)) for c in layout.cables}
    (corner,) = {c.end for c in layout.cables if tuple(layout.xy[c.end]) == (70, 0)}
    assert found == {
        (0, (0.0, 0.0)): (50.0, 1, 4),  # past the bend at 25 m, from the station itself
        (0, (70.0, 0.0)): (40.0, 2, 3),
        (corner, (80.0, 0.0)): (10.0, 1, 2),
        (corner, (70.0, 30.0)): (30.0, 1, 3),
    }  # and nothing to (100, 0), where no house is
    np.testing.assert_allclose(layout.service_m, [5, 2, 4])


def test_a_house_at_the_foot_of_the_station_hangs_on_the_busbar():
    layout = lay_out(street_map([[(0, 0), (100, 0)]], {"a": (40, 3), "b": (90, 3)}, {"S": (40, -8)}))
    assert layout.node_of_home[0] == 0 and layout.service_m.tolist() == [11.0, 3.0]
    assert [(c.length_m, c.n_homes) for c in layout.cables] == [(58.0, 1)]


ISLANDS = [[(0, 0), (100, 0)], [(0, 50), (100, 50)]]
REFUSED = {
    "an island": (
        (ISLANDS, {"a": (10, 0), "b": (10, 50), "c": (90, 50)}, {"S": (50, 0)}),
        "streets: part around (50, 50) of 4 points: 'no station for b, c' is not allowed; "
        "allowed: streets that share a point with those of a station",
    ),
    "a far house": (
        (ISLANDS[:1], {"a": (10, 0), "b": (10, 150)}, {"S": (50, 0)}),
        "houses: b: '150 m from the nearest street' is not allowed; allowed: within 100 m of a street",
    ),
    "a far station": (
        (ISLANDS[:1], {"a": (10, 0)}, {"S": (50, 0), "T": (1100, 0)}),
        "stations: T: '1,000 m from the nearest street' is not allowed; allowed: within 100 m of a street",
    ),
    "a station without houses": (
        (ISLANDS[:1], {"a": (10, 0)}, {"S": (50, 0), "T": (60, 0)}),
        "stations: T: 'no houses' is not allowed; "
        "allowed: a station that is the nearest to some house along the streets; leave it out, or move it",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_one_line(case):
    drawn, line = REFUSED[case]
    with pytest.raises(InputErrors) as refused:
        lay_out(street_map(*drawn))
    assert refused.value.lines() == [line]


def test_an_island_without_houses_is_left_alone():
    assert lay_out(street_map(ISLANDS, {"a": (10, 0)}, {"S": (50, 0)})).station_of_home.tolist() == [0]
