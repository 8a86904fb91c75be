"""Ways over ground are straight lines times a factor, or along streets where both ends lie on them."""

import numpy as np
import pandas as pd
import pytest

from councilbook.errors import ParameterError, SourceError
from councilbook.methods.travel.ground import Pace, link_stops, measure_ways, read_streets

DEGREE_M = 111_195.08  # of latitude, on a sphere of 6,371,009 m
WALK = Pace(3.6, 1.5)  # a metre a second


def place(*pairs: tuple[float, float]) -> pd.DataFrame:
    return pd.DataFrame(pairs, columns=["latitude", "longitude"])


NODES = {1: (53.0, 0.0), 2: (53.0, 0.02), 3: (53.005, 0.02), 4: (53.005, 0.0), 5: (53.2, 1.0), 6: (53.2, 1.001)}
WAYS = [
    ((1, 2), {"highway": "residential"}),
    ((2, 3), {"highway": "footway"}),
    ((3, 4), {"highway": "motorway"}),
    ((1, 4), {"highway": "service", "foot": "no"}),
    ((1, 3), {"waterway": "river"}),
    ((5, 6), {"highway": "path"}),  # joined to nothing else
]


@pytest.fixture
def streets(tmp_path):
    lines = ["<osm version='0.6'>"]
    lines += [f"<node id='{one}' version='1' lat='{lat}' lon='{lon}'/>" for one, (lat, lon) in NODES.items()]
    for number, (nodes, tags) in enumerate(WAYS):
        parts = [f"<nd ref='{one}'/>" for one in nodes] + [f"<tag k='{k}' v='{v}'/>" for k, v in tags.items()]
        lines.append(f"<way id='{number + 1}' version='1'>{''.join(parts)}</way>")
    (tmp_path / "town.osm").write_text("\n".join([*lines, "</osm>"]))
    return read_streets(tmp_path / "town.osm", "streets")


def test_a_straight_way_is_its_factor_times_as_long_as_the_line_in_both_directions():
    here, there = place((53.0, 0.0), (53.01, 0.0)), place((53.0, 0.02), (53.03, 0.0), (54.0, 0.0))
    seconds = measure_ways(here, there, WALK, None, 6_000)
    east = 0.02 * DEGREE_M * np.cos(np.radians(53.0)) * 1.5
    assert seconds[0] == pytest.approx([east, 0.03 * DEGREE_M * 1.5, np.inf], rel=1e-4)
    assert seconds[1, 1] == pytest.approx(0.02 * DEGREE_M * 1.5, rel=1e-4)
    assert seconds[1, 0] == pytest.approx(np.hypot(east / 1.5, 0.01 * DEGREE_M) * 1.5, rel=1e-3)
    assert measure_ways(here, there, Pace(7.2, 1.5), None, 6_000)[0, 0] == pytest.approx(east / 2, rel=1e-4)


def test_stops_within_reach_are_linked_in_whole_seconds_with_the_stop_itself():
    here, stops = place((53.0, 0.0), (53.01, 0.0)), place((53.0, 0.0), (53.004, 0.0), (53.0, 0.009))
    links = link_stops(here, stops, WALK, None, 1_000)
    found = zip(*links.tocoo().coords, links.data, strict=True)
    assert [tuple(map(int, one)) for one in found] == [(0, 0, 0), (0, 1, 668), (0, 2, 904)]
    assert links.shape == (2, 3)


def test_on_streets_the_way_is_along_those_that_may_be_walked(streets):
    start, end = place((53.0, 0.0)), place((53.005, 0.02), (53.0, 0.021))
    east, north = 0.02 * DEGREE_M * np.cos(np.radians(53.0)), 0.005 * DEGREE_M
    seconds = measure_ways(start, end, WALK, streets, 6_000)[0]
    assert seconds == pytest.approx([east + north, east * 1.05], rel=1e-3)  # the second lies a little off
    links = link_stops(start, end, WALK, streets, 1_500)
    assert links.indices.tolist() == [1] and links.data.tolist() == [int(np.ceil(seconds[1]))]


def test_what_lies_off_the_streets_is_reached_by_a_straight_line(streets):
    start, end = place((53.0, 0.0), (53.005, 0.0)), place((53.0, -0.01), (53.2, 1.0))
    seconds = measure_ways(start, end, WALK, streets, 200_000)
    straight = measure_ways(start, end, WALK, None, 200_000)
    assert seconds == pytest.approx(straight)  # also to the path that is joined to nothing


def test_a_way_along_streets_that_is_too_long_is_none_even_if_the_line_is_short(streets):
    start, end = place((53.0, 0.0)), place((53.005, 0.02))
    assert measure_ways(start, end, Pace(3.6, 1.0), None, 1_500)[0, 0] < 1_500
    assert measure_ways(start, end, Pace(3.6, 1.0), streets, 1_500)[0, 0] == np.inf
    assert link_stops(start, end, Pace(3.6, 1.0), streets, 1_500).nnz == 0


def test_what_is_no_extract_or_has_no_street_is_refused(tmp_path):
    (tmp_path / "page.osm.pbf").write_text("<html>not streets</html>")
    with pytest.raises(SourceError, match=r"page.osm.pbf cannot be read. Expected is an OpenStreetMap extract"):
        read_streets(tmp_path / "page.osm.pbf", "streets")
    (tmp_path / "sea.osm").write_text("<osm version='0.6'><node id='1' version='1' lat='53' lon='0'/></osm>")
    with pytest.raises(SourceError, match=r"sea.osm holds no street"):
        read_streets(tmp_path / "sea.osm", "streets")


@pytest.mark.parametrize(("kmh", "factor"), [(0, 1.3), (-4, 1.3), (4.8, 0.9), (float("nan"), 1.3)])
def test_a_pace_at_which_nobody_arrives_is_refused(kmh, factor):
    with pytest.raises(ParameterError, match="expected is more than 0, and 1 or more"):
        Pace(kmh, factor)
