"""Outlines as publishers send them: in metres, turned round, crossing themselves, cut off; repaired or refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from councilbook.errors import SourceError
from councilbook.sources.files.outlines import read_outlines

WHERE = "Source wards, file wards.geojson"
FLAT = [(-4.0, 55.8), (-3.9, 55.8), (-3.9, 55.85), (-4.0, 55.85), (-4.0, 55.8)]
BOW = [(-4.0, 55.8), (-3.9, 55.9), (-4.0, 55.9), (-3.9, 55.8), (-4.0, 55.8)]
LINE = [(-4.0, 55.8), (-3.9, 55.8), (-4.0, 55.8), (-4.0, 55.8)]
GRID = Transformer.from_crs(4326, 27700, always_xy=True)


def write(*rings: list[Any] | None, crs: str | None = None, **more: Any) -> bytes:
    """Write areas, each of a ring of points; None for one without an outline."""
    outlines = [ring and {"type": "Polygon", "coordinates": [ring]} for ring in rings]
    features = [{"type": "Feature", "properties": {"n": n}, "geometry": one} for n, one in enumerate(outlines)]
    if crs:
        more["crs"] = {"type": "name", "properties": {"name": crs}}
    return json.dumps({"type": "FeatureCollection", "features": features, **more}).encode()


def in_metres(ring: list[tuple[float, float]]) -> list[Any]:
    return [GRID.transform(*point) for point in ring]


def turn(ring: list[tuple[float, float]]) -> list[Any]:
    return [(latitude, longitude) for longitude, latitude in ring]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (write(FLAT), ""),
        (write(in_metres(FLAT), crs="urn:ogc:def:crs:EPSG::27700"), ""),
        (write(in_metres(FLAT)), "in eastings and northings (EPSG:27700), which it does not say"),
        (write(in_metres(FLAT), crs="urn:ogc:def:crs:OGC:1.3:CRS84"), "in eastings and northings (EPSG:27700)"),
        (write(turn(FLAT)), "latitude before longitude"),
    ],
    ids=["degrees", "metres that are said", "metres that are not", "metres said to be degrees", "turned round"],
)
def test_outlines_come_in_degrees_whatever_they_were_in(content: bytes, told: str) -> None:
    frame, notes = read_outlines(content, WHERE)
    assert frame.crs == 4326
    assert frame.total_bounds == pytest.approx((-4.0, 55.8, -3.9, 55.85), abs=2e-5)
    assert bool(notes) is bool(told)
    assert told in "".join(notes)


@given(st.floats(-8, 1.7), st.floats(50, 60.8))
def test_a_place_in_the_kingdom_is_never_taken_for_another(west: float, south: float) -> None:
    ring = [(west, south), (west + 0.1, south), (west + 0.1, south + 0.03), (west, south)]
    for written in (ring, turn(ring)):
        frame, _ = read_outlines(write(written), WHERE)
        assert frame.total_bounds == pytest.approx((west, south, west + 0.1, south + 0.03), abs=2e-6)


def test_an_outline_that_crosses_itself_is_repaired_and_said() -> None:
    frame, notes = read_outlines(write(FLAT, BOW), WHERE)
    assert frame.is_valid.all()
    assert [one.area for one in frame.geometry] == pytest.approx([0.005, 0.005], rel=1e-3)
    assert notes == ["1 of its 2 outlines cross themselves; they were repaired (feature 2)."]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (write(FLAT, None, None), r"2 areas have no outline \(feature 2, 3\)"),
        (write(FLAT, LINE), r"1 areas have an outline without an area, which cannot be repaired \(feature 2\)"),
        (write(FLAT, exceededTransferLimit=True), r"only the first page.*resultOffset"),
        (write(FLAT, properties={"exceededTransferLimit": True}), "only the first page"),
        (
            write([(9e6, 9e6), (9e6 + 1, 9e6), (9e6, 9e6 + 1), (9e6, 9e6)]),
            r"neither degrees.*nor eastings and northings",
        ),
        (b'{"error": {"code": 400}}', "not GeoJSON that can be read"),
    ],
    ids=["no outline", "no area", "first page", "first page, as ArcGIS says it in GeoJSON", "nowhere", "no GeoJSON"],
)
def test_what_cannot_be_repaired_is_refused_by_source_and_file(content: bytes, told: str) -> None:
    with pytest.raises(SourceError, match=f"^{WHERE}: .*{told}"):
        read_outlines(content, WHERE)


def test_a_file_that_was_not_cut_off_is_taken() -> None:
    assert len(read_outlines(write(FLAT, exceededTransferLimit=False), WHERE)[0]) == 1
