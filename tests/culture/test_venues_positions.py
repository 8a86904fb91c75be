"""Positions of venues: an error that was put in is found by data alone, or it is said that it cannot be told."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from councilbook.catalogue import FieldSpec, FoundFile, load_catalogue
from councilbook.culture.venues.positions import (
    DEGREES,
    GRID,
    METRES,
    TO_DEGREES,
    load_files,
    measure_datum,
    read_positions,
    read_uprns,
    write_keys,
)
from councilbook.culture.venues.shifts import KEPT, MOVED, OTHER, REFUSED, UNTOLD, settle_files
from councilbook.errors import SourceError
from councilbook.paths import find_workbook
from councilbook.sources.extracts.codes import read_cells
from councilbook.sources.extracts.guesses import Told
from councilbook.sources.extracts.heads import find_header
from councilbook.sources.extracts.reading import Extract
from councilbook.sources.files.readers import convert_types

RNG = np.random.default_rng(3)
TRUE = np.column_stack([RNG.uniform(530_000, 545_000, 30), RNG.uniform(180_000, 195_000, 30)])
NAMES = [f"{word} {number}" for number, word in enumerate(["Mill House", "Old Hall", "Harbour"] * 10)]
NOTHING = np.zeros(2)


def make_file(grid=NOTHING, degrees=NOTHING, rows=slice(None), true=TRUE):
    """Make a file whose pairs are off by so many metres; None leaves a pair out."""
    table = pd.DataFrame({"name": NAMES})
    if grid is not None:
        table[["easting", "northing"]] = true + grid
    if degrees is not None:
        table[["longitude", "latitude"]] = np.column_stack(TO_DEGREES.transform(*(true + degrees).T))
    return read_positions(table[rows].reset_index(drop=True), "a file")


def make_known(count=30, noise=25.0):
    points = TRUE[:count] + np.random.default_rng(5).normal(0, noise, (count, 2))
    return pd.DataFrame({"name": NAMES[:count], "x": points[:, 0], "y": points[:, 1]})


def settle(file, known):
    return settle_files({"file": file}, known)["file"]


def measure_error(settled, rows=slice(None)):
    return float(np.median(np.hypot(*(settled.rows[["x", "y"]].to_numpy() - TRUE[rows]).T)))


DATUM = measure_datum(*TRUE.mean(axis=0))


def test_the_datum_shift_of_london_is_that_of_the_ordnance_survey():
    assert 110 < DATUM[0] < 117
    assert -57 < DATUM[1] < -49


@pytest.mark.parametrize(
    ("grid", "degrees", "decision", "steps"),
    [
        (NOTHING, DATUM, KEPT, 0),
        (DATUM, NOTHING, OTHER, -1),
        (-3 * DATUM, -DATUM, MOVED, 3),
        (2 * DATUM, 3 * DATUM, MOVED, -2),
        (NOTHING, NOTHING, KEPT, None),
        (np.array([430.0, -90.0]), np.array([430.0, -90.0]), MOVED, None),
        (np.array([-610.0, 205.0]), np.array([77.0, 340.0]), MOVED, None),
    ],
)
def test_the_error_of_a_file_is_found_and_put_right(grid, degrees, decision, steps):
    settled = settle(make_file(grid, degrees), make_known())
    assert (settled.check["decision"], settled.check["datum_steps"]) == (decision, steps)
    assert measure_error(settled) < settled.check["uncertainty_m"] < 40
    assert measure_error(settled) < (12 if steps is None else 3)


@pytest.mark.parametrize("pair", [GRID, DEGREES])
def test_a_file_with_one_pair_alone_is_moved_as_well(pair):
    off = np.array([250.0, 130.0])
    file = make_file(off, None) if pair == GRID else make_file(None, off)
    settled = settle(file, make_known())
    assert settled.check["pairs"] == pair
    assert measure_error(settled) < 12


def test_few_references_change_nothing_and_the_uncertainty_is_no_smaller_than_the_error():
    off = np.array([900.0, 0.0])
    for count in (0, 1):
        settled = settle(make_file(off, off), make_known(count))
        assert settled.check["decision"] == UNTOLD
        assert settled.check["uncertainty_m"] >= 400
    assert settled.check["uncertainty_m"] > 900  # the one reference says as much


def test_a_file_without_a_pattern_is_refused():
    lost = TRUE + np.random.default_rng(9).uniform(-900, 900, TRUE.shape)
    settled = settle(make_file(true=lost), make_known())
    assert settled.check["decision"] == REFUSED
    assert settled.rows["x"].isna().all()


def test_a_file_is_held_against_another_that_has_been_put_right():
    first = make_file(NOTHING, DATUM, slice(0, 20)).assign(uprn=[f"10000{number:04}1" for number in range(20)])
    second = make_file(-3 * DATUM, -DATUM, slice(15, 30))
    second = second.assign(
        uprn=[f"10000{number:04}1" for number in range(15, 30)], name=[f"Play {n}" for n in range(15)]
    )
    settled = settle_files({"second": second, "first": first}, make_known(15))
    assert list(settled) == ["first", "second"]
    assert settled["second"].check["matched_with"] == "first"
    assert measure_error(settled["second"], slice(15, 30)) < 3


def test_a_row_that_another_source_puts_elsewhere_is_less_sure_than_its_file():
    known = make_known()
    known.loc[4, ["x", "y"]] = TRUE[4] + [0, 600]
    settled = settle(make_file(NOTHING, DATUM), known)
    assert settled.rows["uncertainty_m"].iloc[4] == pytest.approx(600, abs=5)
    assert settled.rows["uncertainty_m"].drop(index=4).max() < 40


@pytest.mark.parametrize("pairs", [["easting", "northing"], ["longitude", "latitude"], "both"])
def test_axes_that_are_the_wrong_way_round_are_turned_and_counted(pairs):
    table = pd.DataFrame({"name": NAMES})
    table[["easting", "northing"]] = TRUE
    table[["longitude", "latitude"]] = np.column_stack(TO_DEGREES.transform(*TRUE.T))
    for x, y in [["easting", "northing"], ["longitude", "latitude"]] if pairs == "both" else [pairs]:
        table[[x, y]] = table[[y, x]].to_numpy()
    read = read_positions(table, "a file")
    assert read["exchanged"].sum() == len(TRUE) * (2 if pairs == "both" else 1)
    for pair in (GRID, DEGREES):
        assert np.hypot(*(read[METRES[pair]].to_numpy() - TRUE).T).max() < 0.1


def test_eastings_alone_are_turned_towards_where_they_should_be():
    table = pd.DataFrame({"name": NAMES, "easting": TRUE[:, 1], "northing": TRUE[:, 0]})
    read = read_positions(table, "a file", centre=(538_000, 188_000))
    assert np.array_equal(read[METRES[GRID]].to_numpy(), TRUE)


def test_what_is_no_place_is_counted_and_set_aside_and_a_file_of_nothing_else_refused():
    table = pd.DataFrame(
        {"name": NAMES[:3], "easting": [-999.0, 537_780, np.nan], "northing": [-999.0, 189_110, np.nan]}
    )
    read = read_positions(table, "a file")
    assert read["impossible"].tolist() == [1, 0, 0]
    assert read[METRES[GRID][0]].isna().tolist() == [True, False, True]
    with pytest.raises(SourceError, match="no row has a place in Great Britain"):
        read_positions(table[:1], "a file")


@given(
    st.floats(-6, 1.7),
    st.floats(50, 58),
    st.booleans(),
)
def test_any_place_in_great_britain_is_read_whichever_axis_comes_first(longitude, latitude, turned):
    x, y = (latitude, longitude) if turned else (longitude, latitude)
    read = read_positions(pd.DataFrame({"name": ["A"], "longitude": [x], "latitude": [y]}), "a file")
    back = TO_DEGREES.transform(*read[METRES[DEGREES]].iloc[0])
    assert back == pytest.approx((longitude, latitude), abs=1e-4)
    assert read["exchanged"].iloc[0] == turned


def test_names_and_references_are_compared_without_what_files_write_differently():
    strict, loose = write_keys(pd.Series(["St. John’s Museum", "The St Johns  museum", None]))
    assert strict[0] == strict[1] == "st johns museum"
    assert loose.tolist() == ["st johns", "st johns", ""]
    told = pd.Series(["100022917682", "100022917682.0", "0", "100000000000", "100023000", "abc", ""])
    assert read_uprns(told).tolist() == ["100022917682", "100022917682", "", "", "", "", ""]


@pytest.mark.parametrize(("columns", "x", "y"), [
    (("longitude", "latitude"), 600_000.0, 157_000.0),  # eastings under the headers of degrees
    (("easting", "northing"), 0.86, 51.27),  # degrees east of Greenwich under x and y, as in Kent
])  # fmt: skip
def test_the_only_pair_of_a_file_is_what_its_numbers_can_be(columns, x, y):
    rows = pd.DataFrame({"name": ["a", "b"], columns[0]: [x, x], columns[1]: [y, y]})
    placed = read_positions(rows, "Source council_venues")
    found = placed[[*METRES[GRID], *METRES[DEGREES]]].dropna(axis=1)
    assert np.hypot(*(found.to_numpy()[0] - [600_000, 157_000])) < 1_000
    assert placed["impossible"].tolist() == [0, 0]


def test_kilometres_are_no_place():
    rows = pd.DataFrame({"name": ["a"], "easting": [537.1], "northing": [189.2]})
    with pytest.raises(SourceError, match=r"own\.csv: no row has a place in Great Britain"):
        read_positions(rows, "own.csv")


OWN = "Venues of the council;;;\nVenue name;X_COORD;Y_COORD;Status\nCafé Odeon;537300;189300;Open since 1990\n"


@pytest.mark.parametrize(
    ("status", "left"),
    [
        ("Closed 2019", 1),
        ("Y", 1),
        ("2017", 1),
        ("demolished", 1),
        ("Temporarily closed", 2),
        ("Not closed", 2),
        ("", 2),
    ],
)
def test_a_councils_own_list_is_read_as_it_was_saved_and_less_what_has_closed(tmp_path, status, left):
    (tmp_path / "venues.csv").write_bytes(f"{OWN}Old Mill;537400;189400;{status}\n".encode("cp1252"))
    found = FoundFile(load_catalogue(find_workbook()).source("council_venues"), tmp_path / "venues.csv", "data/raw")
    extract = Extract(found, find_header(found, found.source.table(), (), "venues.csv"), Told())
    rows = convert_types(extract.read(), extract.table, found)
    study = SimpleNamespace(has=lambda name: name == "council_venues", load=lambda _: rows)
    files = load_files(study, None)
    assert files["council_venues"]["name"].tolist() == ["Café Odeon", "Old Mill"][:left]
    assert files["council_venues"].attrs["closed"] == 2 - left
    assert files["council_venues"]["grid_x"].tolist() == [537_300, 537_400][:left]


def test_degrees_have_no_thousands():
    degrees = FieldSpec(type="number", unit="degrees", description="Latitude")
    assert read_cells(pd.Series(["51.583", "51.600"]), degrees, {}).tolist() == ["51.583", "51.600"]
    metres = FieldSpec(type="number", unit="metres", description="Easting")
    assert read_cells(pd.Series(["51.583", "51.600"]), metres, {}).str.startswith("? ").all()
