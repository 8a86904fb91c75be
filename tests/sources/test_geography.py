"""Places: whose areas are a council's, and how the areas of two censuses fit together."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from councilbook.catalogue import Areas, Catalogue, Council
from councilbook.errors import CheckError, NotLinkedError, NotThereError, SourceError
from councilbook.sources.geography import (
    Gazetteer,
    Place,
    check_coverage,
    check_vintage,
    fill_places,
    follow_lsoas,
    match_common_areas,
    resolve_place,
    select_by_code,
    select_rows,
)

# a: unchanged; b: split into c and d; e and f: merged into g; h: unchanged, in another district
LOOKUP = pd.DataFrame(
    [
        ("E01a", "E01a", "E06000001", "North"),
        ("E01b", "E01c", "E06000001", "North"),
        ("E01b", "E01d", "E06000001", "North"),
        ("E01e", "E01g", "E06000001", "North"),
        ("E01f", "E01g", "E06000001", "North"),
        ("E01h", "E01h", "E07000002", "South"),
    ],
    columns=["lsoa11_code", "lsoa21_code", "lad22_code", "lad22_name"],
)
NEWER = pd.DataFrame({"lsoa21_code": ["E01a", "E01c", "E01d"], "lad23_code": ["E06000063"] * 3})
OLDER = pd.DataFrame({"lsoa11_code": ["E01b", "E01h"], "lad19_code": ["E07000009"] * 2, "lad19_name": ["Old Town"] * 2})
GAZETTEERS: dict[str, Gazetteer] = {
    "lookup": (
        Areas(lsoa="lsoa11_code", vintage=2011, district="lad22_code", district_name="lad22_name"),
        lambda: LOOKUP,
    ),
    "newer": (Areas(lsoa="lsoa21_code", vintage=2021, district="lad23_code"), lambda: NEWER),
    "older": (
        Areas(lsoa="lsoa11_code", vintage=2011, district="lad19_code", district_name="lad19_name"),
        lambda: OLDER,
    ),
}
NORTH = Place(Council(slug="north", name="North", codes={"E06000001": ""}), "North", LOOKUP.head(5))


def unnamed(*codes: str) -> Council:
    """A council as the command line gives it: codes alone."""
    return Council(slug="a_council", name=", ".join(codes), codes=dict.fromkeys(codes, ""))


def test_a_council_is_resolved_by_its_code_of_2022() -> None:
    place = resolve_place(unnamed("E06000001"), LOOKUP, GAZETTEERS)
    assert place.name == "North"
    assert place.lsoas(2011) == {"E01a", "E01b", "E01e", "E01f"}
    assert place.lsoas(2021) == {"E01a", "E01c", "E01d", "E01g"}


@pytest.mark.parametrize(
    ("code", "name", "lsoas"),
    [("E06000063", "E06000063", {"E01a", "E01b"}), ("E07000009", "Old Town", {"E01b", "E01h"})],
)
def test_a_code_of_another_year_is_resolved_by_a_later_gazetteer(code: str, name: str, lsoas: set[str]) -> None:
    place = resolve_place(unnamed(code), LOOKUP, GAZETTEERS)
    assert place.name == name
    assert place.lsoas(2011) == lsoas


def test_a_gazetteer_is_not_read_when_an_earlier_one_knows_the_code() -> None:
    def fail() -> pd.DataFrame:
        raise AssertionError("read for nothing")

    gazetteers = GAZETTEERS | {"newer": (GAZETTEERS["newer"][0], fail)}
    assert resolve_place(unnamed("E06000001"), LOOKUP, gazetteers).name == "North"


def test_joined_codes_of_different_years_make_one_place_without_double_rows() -> None:
    place = resolve_place(unnamed("E06000063", "E07000009"), LOOKUP, GAZETTEERS)
    assert place.lookup["lsoa21_code"].tolist() == ["E01a", "E01c", "E01d", "E01h"]
    assert place.name == "E06000063 and Old Town"


def test_a_council_keeps_the_name_that_the_catalogue_gives_it() -> None:
    council = Council(slug="both", name="North and South", codes={"E06000001": "N", "E07000002": "S"})
    assert resolve_place(council, LOOKUP, GAZETTEERS).name == "North and South"


def test_a_council_that_merged_later_is_made_of_the_districts_that_it_took_the_place_of() -> None:
    table = LOOKUP.replace(
        {"lad22_code": {"E06000001": "E07000026", "E07000002": "E07000168"}}
    )  # Allerdale, Scarborough
    gazetteers = {"lookup": (GAZETTEERS["lookup"][0], lambda: table)}
    assert resolve_place(unnamed("E06000063"), table, gazetteers).lsoas(2011) == {"E01a", "E01b", "E01e", "E01f"}
    assert resolve_place(unnamed("E06000065"), table, gazetteers).lsoas(2011) == {"E01h"}


def test_an_unknown_code_is_an_error_that_names_every_source_looked_into() -> None:
    with pytest.raises(CheckError, match=r"Council E06000099: no row in lookup, newer, older\.") as error:
        resolve_place(unnamed("E06000001", "E06000099"), LOOKUP, GAZETTEERS)
    assert "England only" not in str(error.value)


def test_a_scottish_code_is_an_error_that_says_england_only() -> None:
    with pytest.raises(CheckError, match=r"S12000050: no row in lookup, newer, older.*They hold England only"):
        resolve_place(unnamed("S12000050"), LOOKUP, GAZETTEERS)


def test_an_area_that_a_districts_border_cuts_is_counted_in_one_council_alone(catalogue: Catalogue) -> None:
    """E01b was split in 2021: c in North, d in South. By 2011 all of it was North's, as the table of that time says."""
    lookup = LOOKUP.assign(lad22_code=LOOKUP["lad22_code"].mask(LOOKUP["lsoa21_code"] == "E01d", "E07000002"))
    by_new = Areas(lsoa="lsoa21_code", vintage=2021, district="lad22_code", district_name="lad22_name")
    old = pd.DataFrame(
        {
            "code": ["E01a", "E01b", "E01h"],
            "lad": ["E06000001", "E06000001", "E07000002"],
            "homes": [10, 47, 30],
        }
    )
    new = pd.DataFrame({"code": ["E01a", "E01c", "E01d", "E01h"], "homes": [10, 40, 7, 30]})
    source, homes = catalogue.source("prices"), {}
    for code in ("E06000001", "E07000002"):
        place = resolve_place(unnamed(code), lookup, {"lookup": (by_new, lambda: lookup)})
        assert place.shared == {"E01b"}
        rows = select_rows(old, Areas(lsoa="code", vintage=2011, district="lad"), place, source)
        homes[code] = (
            rows["homes"].sum(),
            select_rows(new, Areas(lsoa="code", vintage=2021), place, source)["homes"].sum(),
        )
        covariates = select_rows(old.drop(columns="lad"), Areas(lsoa="code", vintage=2011), place, source)
        assert "E01b" in set(covariates["code"])  # what says nothing of districts is known of both parts
    assert homes == {"E06000001": (57, 50), "E07000002": (30, 37)}


@pytest.mark.parametrize(("vintage", "kept"), [(2011, ["E01b", "E01e"]), (2021, ["E01c", "E01g"])])
def test_rows_of_a_place_are_chosen_by_the_codes_of_their_own_census(
    vintage: int, kept: list[str], catalogue: Catalogue
) -> None:
    areas = Areas.model_validate({"lsoa": "code", "vintage": vintage})
    frame = pd.DataFrame({"code": ["E01b", "E01c", "E01e", "E01g", "E01h", "E01z"]})
    assert select_rows(frame, areas, NORTH, catalogue.source("prices"))["code"].tolist() == kept


def test_rows_of_2001_are_those_of_districts_whose_surviving_areas_are_mostly_in_the_place(
    catalogue: Catalogue,
) -> None:
    areas = Areas(lsoa="code", vintage=2001, district="district")
    frame = pd.DataFrame(
        [("E01a", "N1"), ("E01b", "N1"), ("gone", "N1"), ("E01e", "half"), ("E01h", "half"), ("E01h", "S1")],
        columns=["code", "district"],
    )
    assert select_rows(frame, areas, NORTH, catalogue.source("prices"))["code"].tolist() == ["E01a", "E01b", "gone"]


@pytest.mark.parametrize("vintage", [2001, 2011, 2021])
def test_no_row_for_a_place_is_an_error_that_names_the_source(vintage: int, catalogue: Catalogue) -> None:
    areas = Areas.model_validate({"lsoa": "code", "vintage": vintage, "district": "district"})
    frame = pd.DataFrame({"code": ["E01z"], "district": ["E07000003"]})
    with pytest.raises(SourceError, match=r"Source prices \(Prices\) has no row for North \(E06000001\)"):
        select_rows(frame, areas, NORTH, catalogue.source("prices"))


CODED = pd.DataFrame(
    [
        ("E07000105", "886", "E10000016", 1),
        ("E07000106", "886", "E10000016", 2),
        ("E06000065", "815", "E06000065", 4),
        ("E07000165", "815", "E10000023", 8),
        ("E07000168", "815", "E10000023", 16),
        ("E08000020", "390", "E08000020", 32),  # Gateshead, before its code changed
        ("E10000016", "886", "E10000016", 64),  # a county's row among its districts'
        (None, None, None, 128),
    ],
    columns=["district", "number", "runs_schools", "n"],
)
BY_DISTRICT, BY_NUMBER = Areas(district="district"), Areas(education="number")
BY_CODE = Areas(education="runs_schools")


@pytest.mark.parametrize(
    ("code", "areas", "total"),
    [
        ("E07000106", BY_DISTRICT, 2),
        ("E06000065", BY_DISTRICT, 4 + 8 + 16),  # North Yorkshire with what it took the place of
        ("E07000165", BY_DISTRICT, 8),  # Harrogate, which it took the place of
        ("E08000037", BY_DISTRICT, 32),
        ("E07000106", BY_NUMBER, 1 + 2 + 64),  # all of Kent
        ("E07000106", BY_CODE, 1 + 2 + 64),
        ("E07000165", BY_CODE, 4 + 8 + 16),  # the county of then and the council of today
        ("E08000037", BY_NUMBER, 32),
        ("E08000037", BY_CODE, 32),
    ],
)
def test_rows_without_small_areas_are_found_by_codes_of_any_year(
    code: str, areas: Areas, total: int, catalogue: Catalogue
) -> None:
    assert select_by_code(CODED, areas, unnamed(code), catalogue.source("prices"))["n"].sum() == total


def test_rows_of_several_councils_are_all_of_theirs(catalogue: Catalogue) -> None:
    rows = select_by_code(CODED, BY_DISTRICT, unnamed("E07000105", "E08000037"), catalogue.source("prices"))
    assert rows["n"].tolist() == [1, 32]


def test_no_row_of_a_council_is_an_error_that_names_codes_and_column_and_what_replaced_it(catalogue: Catalogue) -> None:
    council = Council(slug="selby", name="Selby", codes={"E07000169": "Selby"})
    with pytest.raises(
        SourceError,
        match=r"Source prices \(Prices\) has no row for Selby: none has E07000169 as its district\. "
        r"Selby \(E07000169\) ended on 2023-04-01; North Yorkshire \(E06000065\) replaced it\. Either",
    ):
        select_by_code(CODED, BY_DISTRICT, council, catalogue.source("prices"))
    with pytest.raises(SourceError, match=r"none has 371 or E08000017 as its number\. Either"):
        select_by_code(CODED, BY_NUMBER, unnamed("E08000017"), catalogue.source("prices"))


@pytest.mark.parametrize(
    ("areas", "fault"),
    [
        ({"education": "a", "district": "b"}, "rows are picked by one of"),
        ({"education": "a", "lsoa": "b", "vintage": 2011}, "rows are picked by one of"),
        ({"district_name": "a"}, "needs the column that rows are picked by"),
        ({"lsoa": "a"}, "lsoa and vintage go together"),
        ({"district": "a", "vintage": 2021}, "lsoa and vintage go together"),
        ({"district": "a", "coverage": 1}, "coverage needs them"),
    ],
)
def test_a_table_says_exactly_one_way_to_pick_its_rows(areas: dict[str, str | int], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        Areas.model_validate(areas)


@pytest.mark.parametrize(
    ("declared", "codes", "wrong"),
    [
        (2011, ["E01a", "E01b", "E01c", "E01d"], "E01c in row 9"),
        (2021, ["E01a", "E01c", "E01g", "E01f"], "E01f in row 10"),
    ],
)
def test_a_code_of_the_other_census_is_an_error_that_names_its_row(declared: int, codes: list[str], wrong: str) -> None:
    areas = Areas.model_validate({"lsoa": "code", "vintage": declared})
    frame = pd.DataFrame({"code": codes}, index=[7, 8, 9, 10])
    with pytest.raises(CheckError, match=f"a file: expected LSOA codes of {declared}.*{wrong}"):
        check_vintage(frame, areas, LOOKUP, "a file")


@pytest.mark.parametrize("vintage", [2001, 2011, 2021])
def test_codes_of_the_right_census_or_of_none_pass(vintage: int) -> None:
    areas = Areas.model_validate({"lsoa": "code", "vintage": vintage})
    check_vintage(pd.DataFrame({"code": ["E01a", "E01h", "E01z"]}), areas, LOOKUP, "a file")


@given(places=st.integers(1, 200), percent=st.integers(0, 100))
def test_coverage_is_met_by_exactly_the_share_asked_for(places: int, percent: int) -> None:
    codes = [f"E{number}" for number in range(places)]
    lookup = pd.DataFrame({"lsoa11_code": codes, "lsoa21_code": codes})
    place = Place(NORTH.council, "North", lookup)
    areas = Areas(lsoa="code", vintage=2011, coverage=percent / 100)
    fewest = -(-places * percent // 100)
    check_coverage(pd.DataFrame({"code": codes[:fewest]}), areas, place, "a file")
    if fewest:
        with pytest.raises(CheckError, match=f"a file: {places - fewest + 1} of {places} LSOAs of North have no row"):
            check_coverage(pd.DataFrame({"code": codes[: fewest - 1]}), areas, place, "a file")


def test_an_unchanged_area_stays_alone_and_changed_ones_are_grouped() -> None:
    complex_change = pd.DataFrame(
        [("E01m", "E01r"), ("E01m", "E01s"), ("E01n", "E01s"), ("E01n", "E01t")], columns=["lsoa11_code", "lsoa21_code"]
    )
    lookup = pd.concat([LOOKUP[["lsoa11_code", "lsoa21_code"]], complex_change])  # its index has doubles
    groups = match_common_areas(lookup).groupby("area_code")[["lsoa11_code", "lsoa21_code"]].agg(set)
    assert groups.T.to_dict("list") == {
        "E01a": [{"E01a"}, {"E01a"}],
        "E01b": [{"E01b"}, {"E01c", "E01d"}],
        "E01e": [{"E01e", "E01f"}, {"E01g"}],
        "E01h": [{"E01h"}, {"E01h"}],
        "E01m": [{"E01m", "E01n"}, {"E01r", "E01s", "E01t"}],
    }


@given(st.sets(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=30), st.data())
def test_common_areas_part_both_censuses_so_that_sums_agree(pairs: set[tuple[int, int]], data: st.DataObject) -> None:
    order = data.draw(st.permutations(sorted(pairs)))
    lookup = pd.DataFrame([(f"O{old:02}", f"N{new:02}") for old, new in order], columns=["lsoa11_code", "lsoa21_code"])
    matched = match_common_areas(lookup)
    assert matched[["lsoa11_code", "lsoa21_code"]].equals(lookup)
    people = data.draw(st.lists(st.integers(0, 999), min_size=len(lookup), max_size=len(lookup)))
    pieces = matched.assign(people=people)  # what lies in both an old and a new area
    truth = pieces.groupby("area_code")["people"].sum()
    for column in ("lsoa11_code", "lsoa21_code"):
        assert len(matched[[column, "area_code"]].drop_duplicates()) == matched[column].nunique()
        census = pieces.groupby(column)["people"].sum()
        area_of = matched.drop_duplicates(column).set_index(column)["area_code"]
        assert census.groupby(area_of).sum().equals(truth)
    firsts = matched.groupby("area_code")["lsoa11_code"].min()
    assert list(firsts) == list(firsts.index)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=6))
def test_common_areas_are_no_larger_than_they_must_be(sizes: list[int]) -> None:
    splits = [(f"O{area}", f"N{area}-{part}") for area, size in enumerate(sizes) for part in range(size)]
    matched = match_common_areas(pd.DataFrame(splits, columns=["lsoa11_code", "lsoa21_code"]))
    assert matched["area_code"].equals(matched["lsoa11_code"])


def test_a_list_older_than_a_council_has_the_rows_of_the_divided_county_and_says_so(catalogue: Catalogue) -> None:
    rows = pd.DataFrame({"authority": ["909", "888"], "n": [1, 2]})
    council = Council(slug="cumberland", name="Cumberland", codes={"E06000063": "Cumberland"})
    areas = Areas(education="authority", or_county=True)
    found = select_by_code(rows, areas, council, catalogue.source("prices"))
    assert found["n"].tolist() == [1]
    assert found.attrs["notes"] == ["The file is older than Cumberland: it has the rows of all of Cumbria."]
    with pytest.raises(NotThereError, match="none has 942 or E06000063"):  # figures would be of other ground
        select_by_code(rows, Areas(education="authority"), council, catalogue.source("prices"))
    newer = pd.DataFrame({"authority": ["942", "909"], "n": [3, 4]})
    assert select_by_code(newer, areas, council, catalogue.source("prices"))["n"].tolist() == [3]


KNOWN = pd.DataFrame(
    {
        "postcode": ["CT1 1AA", "CT1 1AB", "CT1 1AC"],
        "oa21_code": ["E00000001", "E00000002", "E00000003"],
        "lsoa21_code": ["E01000001", "E01000002", None],
    }
)


@pytest.mark.parametrize("needs_output_area", [True, False])
@pytest.mark.parametrize(
    ("postcode", "said", "found"),
    [
        ("CT1 1AA", None, "E01000001"),
        ("CT1 1AA", "", "E01000001"),
        ("CT1 1AA", "E01000009", "E01000001"),  # the postcode is followed
        ("CT1 1AC", "E01000009", None),  # it is known to be nowhere
        ("CT9 9ZZ", None, None),
        (None, None, None),
    ],
)
def test_a_row_is_where_its_postcode_is_or_left_out_and_counted(postcode, said, found, needs_output_area):
    rows = pd.DataFrame(
        {"postcode": [postcode, "CT1 1AB", "CT1 1AB"], "lsoa21_code": [said, *["E01000002"] * 2]}, [2, 3, 4]
    )
    areas = Areas(lsoa="lsoa21_code", vintage=2021, postcode="postcode")
    known = KNOWN[["postcode", "lsoa21_code"]]
    if needs_output_area:
        rows["oa21_code"], known = [None, None, "E00000002"], KNOWN
        areas = areas.model_copy(update={"output_area": "oa21_code"})
    rows.attrs["notes"] = ["Read."]
    filled = fill_places(rows, areas, known, "it")
    assert filled["lsoa21_code"].tolist() == [*([found] if found else []), "E01000002", "E01000002"]
    assert filled.index.tolist() == ([2, 3, 4] if found else [3, 4])
    told = "1 rows are left out" if not found else "1 rows say another small area" if said else ""
    notes = filled.attrs["notes"]
    assert notes[0] == "Read." and [note.startswith(told) for note in notes[1:]] == [True] * bool(told)
    if needs_output_area:
        assert filled["oa21_code"].tolist()[-2:] == ["E00000002"] * 2


@pytest.mark.parametrize(
    ("postcodes", "lsoas", "told"),
    [
        (["CT9 9ZZ", "CT9 9ZY", "CT1 1AA"], None, "of 3 rows, 2 rows are left out, as nothing says"),
        (["CT1 1AA"] * 3, ["E01000008", "E01000009", None], "of 3 rows, 2 rows say another small area"),
    ],
)
def test_a_file_most_of_which_is_nowhere_or_elsewhere_is_refused_and_no_postcode_shown(postcodes, lsoas, told):
    rows = pd.DataFrame({"postcode": postcodes, "lsoa21_code": lsoas})
    areas = Areas(lsoa="lsoa21_code", vintage=2021, postcode="postcode")
    with pytest.raises(SourceError, match=f"it: {told}") as refused:
        fill_places(rows, areas, KNOWN.drop(columns="oa21_code"), "it")
    assert "CT" not in str(refused.value)


def test_a_file_most_of_which_is_of_no_known_household_is_said_to_be_of_another_linkage():
    rows = pd.DataFrame({"household_id": ["Quackenzilde", "zz2", "h1"], "lsoa21_code": "E01000001"})
    areas = Areas(lsoa="lsoa21_code", vintage=2021, within="kid_households")
    known = pd.DataFrame({"household_id": ["h1", "h2"], "lsoa21_code": "E01000001"})
    with pytest.raises(NotLinkedError, match=r"of 3 rows, 2 rows are left out.* from one linkage") as refused:
        fill_places(rows, areas, known, "it")
    assert "zilde" not in str(refused.value)
    assert fill_places(rows[1:], areas, known, "it")["household_id"].tolist() == ["h1"]


def test_an_lsoa_of_2011_is_followed_to_2021_unless_it_was_split():
    areas = Areas(lsoa="lsoa21_code", vintage=2021, postcode="postcode")
    rows = pd.DataFrame({"lsoa21_code": ["E01e", "E01f", "E01b", "E01a", "E01c", None]})
    followed = follow_lsoas(rows, areas, LOOKUP)
    assert followed["lsoa21_code"].fillna("").tolist() == ["E01g", "E01g", "", "E01a", "E01c", ""]
    assert [note.split(" rows")[0] for note in followed.attrs["notes"]] == ["2", "1"]
    assert follow_lsoas(rows[3:], areas, LOOKUP).attrs == {}
