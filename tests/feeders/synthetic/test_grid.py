"""The net of a layout: its elements, their types, and that it can be computed."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandapower as pp
import pytest
from pandapower.topology import create_nxgraph

from feeders.errors import InputError, InputErrors
from feeders.library import feeder_from_json
from feeders.synthetic import Design, peak_state, synthetic_grid
from tests.feeders.synthetic.street_cases import by_hand, random_map, street_map


def test_by_hand():
    """The map of `by_hand`: 50 + 40 + 10 + 30 m along streets, 5 + 2 + 4 m into houses, d 40 + 30 + 4 m away."""
    grid = synthetic_grid(by_hand())
    (station,) = grid.stations.itertuples()
    assert (station.Index, station.n_homes, station.rating_kva) == ("S", 3, 250.0)
    assert (station.street_km, station.service_km) == pytest.approx((0.130, 0.011))
    assert station.farthest_m == pytest.approx(74.0)
    net = grid.net
    assert net.line.std_type.value_counts().to_dict() == {
        "NAYY 4x150 SE": 4,
        "NAYY 4x50 SE": 3,
        "NA2XS2Y 1x185 RM/25 12/20 kV": 1,
    }
    assert net.trafo.std_type.tolist() == ["25 MVA 110/20 kV", "0.25 MVA 20/0.4 kV"] and grid.head_trafo == 0
    assert net.bus.name.loc[grid.homes.bus].tolist() == net.load.name.tolist() == ["a", "c", "d"]
    assert grid.homes.lon.isna().all()  # metres are no degrees


def test_it_is_a_region_and_a_feeder():
    grid = synthetic_grid(by_hand())
    region = grid.region("by hand")
    feeder = region.feeder
    assert feeder.is_radial and feeder.energised.all() and not feeder.notes
    assert feeder.connection_buses.tolist() == region.homes.bus.tolist()
    assert region.station_of_home.tolist() == [0, 0, 0] and feeder.background_p_kw.sum() == 0
    cables = grid.net.line.set_index("name")
    path = [cables.loc[f"street cable {k} of S"] for k in (1, 2, 3, 4) if grid.layout.cables[k - 1].n_homes == 2]
    path += [line for line in cables.itertuples(index=False) if round(line.length_km, 9) in (0.03, 0.004)]
    r_ohm = sum(line.r_ohm_per_km * line.length_km for line in path)
    distance = feeder.electrical_distance.r_ohm
    beyond = distance.loc[feeder.bus_by_name("d")] - distance.loc[feeder.bus_by_name("S LV")]
    assert beyond == pytest.approx(r_ohm) == pytest.approx(0.070 * 0.208 + 0.004 * 0.642)


@pytest.mark.parametrize(("seed", "tree"), [(0, "minimum"), (1, "shortest"), (15, "minimum")])
def test_a_town_is_radial_and_its_power_flow_converges(seed, tree):
    town = random_map(seed, n_stations=1)
    grid = synthetic_grid(town, tree=tree)
    graph = create_nxgraph(grid.net)
    assert nx.is_tree(graph) and set(grid.homes.bus) <= set(graph)
    (state,) = peak_state(grid, Design()).itertuples()
    loaded = (0.12 + 0.88 / np.sqrt(40)) * 40 * 14.5 / 0.95 / grid.stations.rating_kva.iloc[0]
    over = state.trafo_percent / 100 / loaded
    assert 1.0 < over < 1.0 / state.vm_min_pu**2  # losses, and more current at less voltage
    assert 0.8 < state.vm_min_pu < 1.0 and state.cable_percent < 100 / state.vm_min_pu


def test_cables_carry_the_homes_behind_them():
    """The least number of NAYY 4x150 (270 A): n (.12 + .88/sqrt n) 14.5 kW / .95 over sqrt 3 x 400 V x 270 A."""
    grid = synthetic_grid(street_map([[(0, 0), (1000, 0)]], row_of(200), {"S": (0, 0)}))
    cables = grid.net.line[grid.net.line.std_type == "NAYY 4x150 SE"]
    n = np.array([cable.n_homes for cable in grid.layout.cables])
    amps = (0.12 * n + 0.88 * np.sqrt(n)) * 14.5e3 / 0.95 / (np.sqrt(3) * 400)
    np.testing.assert_array_equal(cables.parallel, np.ceil(amps / 270))
    assert cables.parallel.max() == 3 and cables.parallel.min() == 1
    two = Design(street_cables=("NAYY 4x50 SE", "NAYY 4x150 SE"))
    thin = synthetic_grid(street_map([[(0, 0), (1000, 0)]], row_of(60), {"S": (0, 0)}), two)
    kind = thin.net.line.std_type[thin.net.line.name.str.startswith("street")].to_numpy()
    amps = [Design().load_kva(np.array([c.n_homes]))[0] / (np.sqrt(3) * 0.4) for c in thin.layout.cables]
    np.testing.assert_array_equal(kind == "NAYY 4x50 SE", np.array(amps) <= 142)
    assert 0 < (kind == "NAYY 4x50 SE").sum() < len(kind)


def row_of(n):
    return {f"h{k}": (1000 * (k + 1) / n, 3) for k in range(n)}


@pytest.mark.parametrize(
    ("n_homes", "given_kva", "kva", "parallel"),
    [(10, np.nan, 250, 1), (80, np.nan, 400, 1), (150, np.nan, 630, 1), (250, np.nan, 630, 2), (10, 630, 630, 1)],
)
def test_transformers_carry_their_homes_or_are_as_given(n_homes, given_kva, kva, parallel):
    """kVA by hand: (.12 n + .88 sqrt n) 14.5/.95 = 61, 267, 439, 670."""
    town = street_map([[(0, 0), (1000, 0)]], row_of(n_homes), {"S": (0, 0)}, ratings={"S": given_kva})
    grid = synthetic_grid(town)
    trafo = grid.net.trafo.loc[grid.stations.trafo["S"]]
    assert (1e3 * trafo.sn_mva, trafo.parallel) == (kva, parallel)
    assert grid.stations.rating_kva["S"] == kva * parallel


def test_at_10_kv():
    grid = synthetic_grid(by_hand(), Design(mv_kv=10.0, vm_pu=1.02))
    assert grid.net.trafo.std_type.tolist() == ["25 MVA 110/10 kV", "0.25 MVA 10/0.4 kV"]
    pp.runpp(grid.net, lightsim2grid=False, numba=False)
    np.testing.assert_allclose(grid.net.res_bus.vm_pu, 1.02, atol=2e-3)  # only charging and iron losses


def test_the_same_file_each_time_and_it_can_be_read(tmp_path):
    texts = {pp.to_json(synthetic_grid(random_map(1, n_stations=1)).net) for _ in range(2)}
    assert len(texts) == 1
    (tmp_path / "net.json").write_text(texts.pop())
    feeder = feeder_from_json(tmp_path / "net.json")
    assert feeder.is_radial and len(feeder.connection_buses) == 40


WRONG = {
    "a cable": (
        {"street_cables": ("NAYY 4x151 SE",)},
        "line: 'NAYY 4x151 SE' is not allowed; allowed: a standard type of",
    ),
    "a transformer": ({"station_trafos": ("0.5 MVA",)}, "trafo: '0.5 MVA' is not allowed; allowed: a standard type of"),
    "another voltage": (
        {"station_trafos": ("0.4 MVA 10/0.4 kV",)},
        "mv_kv: 20.0 is not allowed; allowed: the voltage of the transformer '0.4 MVA 10/0.4 kV'",
    ),
    "no cable": ({"street_cables": ()}, "street_cables: 'none' is not allowed; allowed: at least one"),
    "no load": ({"peak_kw": 0.0}, "peak_kw: 0.0 is not allowed; allowed: a number above 0"),
    "no number": ({"vm_pu": float("nan")}, "vm_pu: nan is not allowed; allowed: a number above 0"),
    "all and more": ({"coincidence": 1.2}, "coincidence: 1.2 is not allowed; allowed: a number above 0, at most 1"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_designs(case):
    fields, said = WRONG[case]
    with pytest.raises(InputErrors) as refused:
        Design(**fields)
    (line,) = refused.value.lines()
    assert line.startswith(f"design: {said}")


def test_a_rating_that_no_transformer_has():
    with pytest.raises(InputError, match=r"S\.rating_kva: 500\.0 is not allowed; allowed: one of 250, 400, 630 \(the "):
        synthetic_grid(by_hand(ratings={"S": 500.0}))


def test_a_house_named_like_a_part_of_the_grid():
    town = street_map([[(0, 0), (100, 0)]], {"S LV": (10, 0)}, {"S": (0, 0)})
    with pytest.raises(InputError, match="houses: names: 'S LV' is not allowed"):
        synthetic_grid(town)


def test_a_load_that_no_grid_carries():
    design = Design(street_cables=("NAYY 4x50 SE",))
    far = {f"h{k}": (8900 + k, 3) for k in range(60)}
    grid = synthetic_grid(street_map([[(0, 0), (9000, 0)]], far, {"S": (0, 0)}), design)
    with pytest.raises(InputError, match=r"peak_kw: 14\.5 is not allowed; allowed: a load and streets at which"):
        peak_state(grid, design)
