"""Maps from files: what is read, and what is refused, one clear line each."""

from __future__ import annotations

import json

import numpy as np
import pytest

from feeders.errors import InputError, InputErrors
from feeders.synthetic import read_map
from tests.feeders.synthetic.street_cases import street_map

STREETS = "name,lon,lat\nMain,7.88,48.45\nMain,7.881,48.45\nSide,7.881,48.45\nSide,7.881,48.451\n"
HOUSES = "name,lon,lat\na,7.8802,48.4501\nb,7.8811,48.4509\n"
STATIONS = "name,lon,lat,rating_kva\nS,7.8805,48.4499,400\nT,7.8809,48.451,\n"


def feature(geometry, coordinates, properties=None, **more):
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": geometry, "coordinates": coordinates},
        **more,
    }


def collection(*features, **more):
    return json.dumps({"type": "FeatureCollection", "features": features, **more})


def read(folder, streets=STREETS, houses=HOUSES, stations=STATIONS):
    """The map in three files; text that begins with a brace is GeoJSON."""
    paths = []
    for name, text in (("streets", streets), ("houses", houses), ("stations", stations)):
        paths.append(folder / f"{name}{'.geojson' if text.startswith('{') else '.csv'}")
        paths[-1].write_text(text, encoding="utf-8")
    return read_map(*paths)


def test_csv_and_geojson_say_the_same(tmp_path):
    table = read(tmp_path)
    lines = feature("MultiLineString", [[[7.88, 48.45, 150.0], [7.881, 48.45, 151.0]]], {"name": "Main"})
    side = feature("LineString", [[7.881, 48.45], [7.881, 48.451]], {"name": "Side"})
    houses = feature("Point", [7.8802, 48.4501], {"name": "a"}), feature("Point", [7.8811, 48.4509], None, id="b")
    stations = (
        feature("Point", [7.8805, 48.4499], {"name": "S", "rating_kva": 400}),
        feature("Point", [7.8809, 48.451], {"@id": "T"}),
    )
    drawn = read(tmp_path, collection(lines, side), collection(*houses), collection(*stations))
    for one, other in ((table.houses, drawn.houses), (table.stations, drawn.stations)):
        assert one.names == other.names
        np.testing.assert_array_equal(one.places, other.places)
        np.testing.assert_array_equal(one.rating_kva, other.rating_kva)
    assert table.streets.names == drawn.streets.names == ("Main", "Side")
    for one, other in zip(table.streets.lines, drawn.streets.lines, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(table.stations.rating_kva, [400, np.nan])


def test_the_centroid_of_an_outline_counts(tmp_path):
    """An L of three unit squares with centres (.5, .5), (1.5, .5), (.5, 1.5): their mean is (5/6, 5/6)."""
    corner = np.array([7.8802, 48.4501])
    ell = 1e-4 * np.array([(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2), (0, 0)]) + corner
    small = 1e-5 * np.array([(0, 0), (1, 0), (1, 1), (0, 0)]) + corner + 0.01
    houses = [feature("Polygon", [ell.tolist()]), feature("MultiPolygon", [[small.tolist()], [ell[::-1].tolist()]])]
    found = read(tmp_path, houses=collection(*houses)).houses
    np.testing.assert_allclose(found.places, [corner + 1e-4 * 5 / 6] * 2, atol=1e-12)
    assert found.names == ("house 1", "house 2")


def test_degrees_become_metres(tmp_path):
    """A minute of latitude is a nautical mile, 1,852 m; one of longitude, cos 60 degrees of it; to 0.1 %."""
    minute = 1 / 60
    town = street_map([[(5, 60 - minute), (5, 60 + minute)]], {"a": (5, 60)}, {"S": (5, 60)}, degrees=True)
    metres = town.metres(np.array([[5.0, 60.0], [5.0 + minute, 60.0], [5.0, 60.0 + minute]]))
    np.testing.assert_allclose(metres, [(0, 0), (926, 0), (0, 1852)], rtol=1.1e-3, atol=1e-6)
    np.testing.assert_allclose(town.given(metres), [(5, 60), (5 + minute, 60), (5, 60 + minute)], rtol=1e-12)


def test_metres_stay_metres(tmp_path):
    def metres(text):
        return text.replace("lon,lat", "x_m,y_m")

    town = read(tmp_path, *map(metres, (STREETS, HOUSES, STATIONS)))
    assert not town.is_degrees
    np.testing.assert_array_equal(town.metres(town.houses.places), town.houses.places)
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::25832"}}
    houses = collection(feature("Point", [3, 4], {"name": "a"}), crs=crs)
    assert not read(tmp_path, metres(STREETS), houses, metres(STATIONS)).is_degrees
    with pytest.raises(InputError, match=r"houses\.csv: coordinates: 'degrees' is not allowed; allowed: metres, as in"):
        read(tmp_path, metres(STREETS), HOUSES, metres(STATIONS))


def swapped(text):
    rows = [line.split(",") for line in text.splitlines()[1:]]
    return "name,lon,lat\n" + "".join(f"{name},{lat},{lon}\n" for name, lon, lat in rows)


HEADER = "a header with name, lon, lat or name, x_m, y_m, separated by commas"
REFUSED = {
    "no text": ({"houses": " \n"}, "houses.csv: file: 'empty' is not allowed; allowed: at least one house"),
    "no rows": ({"houses": "name,lon,lat\n"}, "houses.csv: houses: 'none' is not allowed; allowed: at least one point"),
    "no features": ({"streets": collection()}, "streets: 'none' is not allowed; allowed: at least one line"),
    "semicolons": ({"houses": HOUSES.replace(",", ";")}, f"line 1: 'name;lon;lat' is not allowed; allowed: {HEADER}"),
    "no number": (
        {"houses": HOUSES + "c,7.88,north\n"},
        "line 4: '7.88, north' is not allowed; allowed: numbers with a decimal point in lon and lat",
    ),
    "a cell too many": (
        {"houses": HOUSES + "c,7,88,48\n"},
        'line 4: "other than the header\'s number of cells" is not',
    ),
    "a cell too few": ({"houses": HOUSES + "c,7.88\n"}, 'line 4: "other than the header\'s number of cells" is not'),
    "an open quote": ({"houses": HOUSES + '"c,7.88,48\n'}, "line 3: 'unexpected end of data' is not allowed"),
    "no name": ({"houses": HOUSES + ",7.88,48.45\n"}, "houses.csv: line 4: nothing given; allowed: a name"),
    "a lone point": (
        {"streets": STREETS + "Lane,7.88,48.45\n"},
        "line 6: 'Lane' is not allowed; allowed: a street of at least two rows, one after another",
    ),
    "broken JSON": ({"houses": '{"type":\n "FeatureCollection",,'}, "houses.geojson: line 2: 'Expecting property name"),
    "no collection": (
        {"houses": '{"type": "Feature"}'},
        "type: 'Feature' is not allowed; allowed: a GeoJSON FeatureColl",
    ),
    "no feature": (
        {"houses": collection(3)},
        "houses.geojson: feature 1: 'int' is not allowed; allowed: a GeoJSON Feat",
    ),
    "houses as lines": (
        {"houses": collection(feature("LineString", [[7.88, 48.45], [7.881, 48.45]]))},
        "feature 1.geometry: 'LineString' is not allowed; allowed: one of Point, Polygon, MultiPolygon",
    ),
    "a point of words": (
        {"houses": collection(feature("Point", ["7,88", "48,45"]))},
        "feature 1.coordinates: ['7,88', '48,45'] is not allowed; allowed: coordinates of a Point",
    ),
    "a ring too shallow": (
        {"houses": collection(feature("Polygon", [[7.88, 48.45], [7.881, 48.45]]))},
        "feature 1.coordinates: [[7.88, 48.45], [7.881, 48.45]] is not allowed; allowed: coordinates of a Polygon",
    ),
    "named twice": (
        {"houses": HOUSES + "a,7.88,48.45\n"},
        "houses: 'a' is not allowed; allowed: every name once, not 2",
    ),
    "not finite": ({"houses": HOUSES + "c,nan,48.45\n"}, "houses.csv: c: '(nan, 48.45)' is not allowed"),
    "off the earth": (
        {"houses": HOUSES + "c,7.88,484.5\n"},
        "c: '(7.88, 484.5)' is not allowed; allowed: longitude from -180 to 180, then latitude from -90 to 90",
    ),
    "swapped": (
        {"houses": swapped(HOUSES)},
        "houses: '(48.45, 7.8807)' is not allowed; allowed: longitude, then latitude: they look swapped beside streets",
    ),
    "a wide region": (
        {"streets": STREETS + "Far,9,48\nFar,9,48.1\n"},
        "is not allowed; allowed: streets within 1 degree",
    ),
    "a rating of words": (
        {"stations": STATIONS.replace("400", "big")},
        "stations.csv: S.rating_kva: 'big' is not allowed; allowed: a number, or nothing",
    ),
    "a rating of nothing": (
        {"stations": STATIONS.replace("400", "0")},
        "S.rating_kva: 0.0 is not allowed; allowed: a num",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_one_line(case, tmp_path):
    files, said = REFUSED[case]
    with pytest.raises((InputError, InputErrors)) as refused:
        read(tmp_path, **files)
    text = str(refused.value)
    assert said in text and "\n" not in text


def test_other_files_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"allowed: a file that ends in \.csv, \.geojson, \.json"):
        read_map(tmp_path / "a.shp", tmp_path / "b.csv", tmp_path / "c.csv")
    with pytest.raises(InputError, match="allowed: a readable file in UTF-8"):
        read_map(tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "c.csv")
    (tmp_path / "a.csv").write_bytes(b"name,lon,lat\nStra\xdfe,7,48\n")
    with pytest.raises(InputError, match="allowed: a readable file in UTF-8"):
        read_map(tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "c.csv")
