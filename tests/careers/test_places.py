import dataclasses
import re
from io import BytesIO

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from councilbook.careers.places.positions import cut_postcodes, find_astray, find_points, space, squeeze
from councilbook.careers.places.register import HEADERS, POSTCODE, SIXTH_FORM, read_register
from councilbook.careers.places.sites import list_set_aside, list_sites
from councilbook.careers.twin import institutions as twin
from councilbook.catalogue import Council, FoundFile, Source, TwinRequest
from councilbook.errors import SourceError
from councilbook.twins.places import make_place

DONCASTER = Council(slug="doncaster", name="Doncaster", codes={"E08000017": "Doncaster"})
CANTERBURY = Council(slug="canterbury", name="Canterbury", codes={"E07000106": "Canterbury"})
REGISTER = Source.model_validate(
    {
        **{"id": "schools_register", "title": "Register", "description": "Schools", "publisher": "DfE"},
        **{"steward": "DfE", "spectrum": "open", "personal_data": False, "licence": "OGL", "published": "2022"},
        **{"landing_page": "https://example.org", "format": "file", "file": "edubasealldata.csv"},
    }
)
SCHOOL = {
    **{"name": "Ash School", "street": "Mill Lane", "locality": "", "address3": "Bank", "town": "Doncaster"},
    **{"postcode": "DN11 0AA", "status": "1", "opened_date": pd.NaT, "closed_date": pd.NaT, "linked_urn": ""},
    **{"type": "Academy - Converter mainstream", "is_secondary": True, "is_post16": True, "age_from": 11, "age_to": 18},
}
REGISTERED = {
    **{"name": "New School", "street": "Quay", "locality": "", "town": "Doncaster", "postcode": "DN5 5AA"},
    **{"type": "Free schools", "status": "Open", "opened_date": pd.NaT, "closed_date": pd.NaT, "age_from": 11},
    **{"age_to": 18, "easting": 455_000.0, "northing": 404_000.0, "is_secondary": True, "is_post16": True},
}
POINTS = pd.DataFrame(
    {
        "postcode": ["DN110AA", "DN1 2RF", "DN5 5AA", "SP1 3UT", "DN9 9AA"],
        "latitude": [53.46, 53.53, 53.54, 51.07, None],
        "longitude": [-1.06, -1.14, -1.17, -1.80, None],
    }
)


def make_spine(*rows: dict[str, object]) -> pd.DataFrame:
    frame = pd.DataFrame([{**SCHOOL, "urn": str(100_000 + number), **row} for number, row in enumerate(rows)])
    return frame.astype({"opened_date": "datetime64[ns]", "closed_date": "datetime64[ns]"})


def make_register(*rows: dict[str, object]) -> pd.DataFrame:
    frame = pd.DataFrame([{**REGISTERED, **row} for row in rows], columns=["urn", *REGISTERED])
    return frame.astype({"opened_date": "datetime64[ns]", "closed_date": "datetime64[ns]"})


def tell_why(spine: pd.DataFrame, register: pd.DataFrame) -> dict[str, str]:
    aside = list_set_aside(spine, register, POINTS)
    return dict(zip(aside["site_id"], aside["why"], strict=True))


OUTWARD = st.from_regex(r"[A-Z]{1,2}[0-9][A-Z0-9]?", fullmatch=True)
INWARD = st.from_regex(r"[0-9][A-Z]{2}", fullmatch=True)


@given(OUTWARD, INWARD, st.sampled_from(["", " ", "  "]))
def test_a_postcode_is_the_same_however_it_is_spaced(outward, inward, gap):
    written = pd.Series([outward.lower() + gap + inward])
    assert squeeze(written).tolist() == [outward + inward]
    assert space(written).tolist() == [f"{outward} {inward}"]


def test_points_are_joined_without_spaces_and_keep_the_order():
    found = find_points(pd.Series(["DN1 2RF", "XX1 1AA", "dn11 0aa"], index=[7, 3, 5]), POINTS)
    assert found.index.tolist() == [7, 3, 5]
    assert found["latitude"].tolist()[::2] == [53.53, 53.46]
    assert found["longitude"].isna().tolist() == [False, True, False]


def test_a_place_far_from_three_others_is_astray_and_two_such_do_not_vouch_for_each_other():
    latitude = pd.Series([53.50, 53.51, 53.52, 53.55, 51.07, 51.07])
    longitude = pd.Series([-1.10, -1.12, -1.09, -1.20, -1.80, -1.81])
    assert find_astray(latitude, longitude).tolist() == [False] * 4 + [True, True]
    assert find_astray(latitude[2:5], longitude[2:5]).tolist() == [False, False, True]
    assert not find_astray(latitude[3:5], longitude[3:5]).any(), "of two nobody can tell which is wrong"


def test_a_school_that_changed_its_number_is_one_site():
    spine = make_spine(
        {"status": "2", "closed_date": "2018-08-31", "linked_urn": "100001"},
        {"name": "Beech Academy", "opened_date": "2018-09-01", "linked_urn": "100000"},
    )
    sites = list_sites(spine, make_register(), POINTS)
    assert sites[["site_id", "predecessor_urns"]].to_numpy().tolist() == [["100001", "100000"]]
    assert sites["address"].tolist() == ["Mill Lane, Bank"]
    assert sites["postcode"].tolist() == ["DN11 0AA"]
    assert tell_why(spine, make_register()) == {"100000": "It goes on as 100001."}


def test_of_two_closed_rows_that_name_each_other_the_dates_say_which_came_first():
    spine = make_spine(
        {"status": "2", "closed_date": "2018-12-31", "linked_urn": "100001"},
        {"status": "2", "opened_date": "2019-01-01", "closed_date": "2019-08-31", "linked_urn": "100000"},
    )
    assert tell_why(spine, make_register()) == {"100000": "It goes on as 100001.", "100001": "It has closed."}


COLLEGE = {
    **{"name": "Doncaster College", "type": "General further education college", "postcode": "DN1 2RF"},
    **{"status": "2", "closed_date": "2017-11-01", "is_secondary": False, "age_from": 16, "age_to": 99},
}


def test_a_college_that_closed_into_a_group_is_a_site_and_says_who_runs_it():
    sites = list_sites(make_spine({**COLLEGE, "urn": "130526"}), make_register(), POINTS)
    row = sites.iloc[0]
    assert (row["site_id"], row["urn"], row["run_by"]) == ("130526", "130587", "DN Colleges Group")
    assert (row["kind"], row["positioned_by"]) == ("Further education college", "postcode")
    assert not row["is_secondary"]


def test_a_closed_college_that_nobody_names_is_a_site_unless_another_is_at_its_postcode():
    assert list_sites(make_spine(COLLEGE), make_register(), POINTS)["run_by"].tolist() == [""]
    spine = make_spine(COLLEGE, {"name": "Other", "postcode": "DN12RF"})
    assert tell_why(spine, make_register()) == {"100000": "The college has closed, and another is at its postcode."}


@pytest.mark.parametrize("kind", ["Sixth form centre/consortia", "Other independent school"])
def test_what_is_no_corporation_does_not_outlive_its_row(kind):
    assert tell_why(make_spine({**COLLEGE, "type": kind}), make_register()) == {"100000": "It has closed."}


def test_a_school_in_the_register_alone_is_added_where_its_grid_reference_is():
    sites = list_sites(make_spine({}), make_register({"urn": "147838", "name": "Doncaster UTC"}), POINTS)
    added = sites.set_index("site_id").loc["147838"]
    assert added["positioned_by"] == "register"
    assert (added["latitude"], added["longitude"]) == pytest.approx((53.529, -1.172), abs=0.002)


def test_a_number_in_the_register_alone_takes_over_from_a_school_of_its_name_or_its_door():
    spine = make_spine({"name": "Thrybergh Academy", "postcode": "DN11 0AA"}, {"name": "Bradfield School"})
    register = make_register(
        {"urn": "148547", "name": "Thrybergh School", "postcode": "DN1 2RF"},
        {"urn": "147788", "name": "Bradfield High", "postcode": "DN110AA"},
        {"urn": "147838", "name": "Doncaster UTC", "postcode": "DN110AA"},
    )
    sites = list_sites(spine, register, POINTS).set_index("site_id")
    assert sites["predecessor_urns"].to_dict() == {"147788": "100001", "147838": "", "148547": "100000"}


def test_the_register_is_newer_so_its_ages_and_its_closures_count():
    register = make_register(
        {"urn": "100000", "age_to": 16}, {"urn": "100001", "status": "Closed"}, {"urn": "100009", "status": "Closed"}
    )
    spine = make_spine({}, {"name": "Gone"})
    assert list_sites(spine, register, POINTS)[["age_to", "is_post16"]].to_numpy().tolist() == [[16, True]]
    assert tell_why(spine, register) == {"100001": "It has closed."}


def test_a_grid_reference_of_nought_is_none():
    register = make_register({"urn": "100000", "easting": 0.0, "northing": 0.0})
    assert list_sites(make_spine({}), register, POINTS)["positioned_by"].tolist() == ["postcode"]


def test_what_cannot_be_placed_and_what_lies_far_away_is_set_aside_and_said():
    near = [{"is_secondary": False, "is_post16": False, "postcode": one} for one in ("DN1 2RF", "DN5 5AA")]
    spine = make_spine({"postcode": "DN9 9AA"}, {"postcode": "SP1 3UT"}, {}, *near)
    assert list_sites(spine, make_register(), POINTS)["site_id"].tolist() == ["100002"]
    why = tell_why(spine, make_register())
    assert "no coordinate" in why["100000"]
    assert "20 km" in why["100001"]


def test_one_that_is_about_to_close_is_a_site_only_where_the_register_still_has_it():
    spine = make_spine({"status": "3"})
    assert "about to close" in tell_why(spine, make_register())["100000"]
    assert list_sites(spine, make_register({"urn": "100000"}), POINTS)["site_id"].tolist() == ["100000"]


@pytest.mark.parametrize(
    ("type_", "is_post16", "kind"),
    [
        ("Community special school", True, "Special school or college"),
        ("Specialist designated college", True, "Further education college"),
        ("Special post 16 institution", True, "Special school or college"),
        ("Free school  16-19", True, "Sixth form college"),
        ("Free schools 16 to 19", True, "Sixth form college"),
        ("Studio school", True, "University technical college or studio school"),
        ("Community school", False, "School to 16"),
        ("City technology college", True, "School with sixth form"),
        ("Pupil referral unit", False, "Other"),
    ],
)
def test_types_of_both_lists_have_a_kind(type_, is_post16, kind):
    spine = make_spine({"type": type_, "is_post16": is_post16})
    assert list_sites(spine, make_register(), POINTS)["kind"].tolist() == [kind]


# --- the register ---

CELLS = {
    **{"urn": "147838", "authority": "371", "name": "Café School", "type": "Free schools", "status": "Open"},
    **{"opened_date": "01-09-2020", "closed_date": "", "phase": "Secondary", "age_from": "13", "age_to": "19"},
    **{"street": "Quay", "locality": "", "town": "Doncaster", "postcode": "DN1 3BF", "easting": "457500"},
    **{"northing": "402900"},
}


def write_register(folder, *rows: str, layout: int = 0, more: str = "") -> FoundFile:
    path = folder / "edubasealldata.csv"
    header = ",".join(names[layout] for names in HEADERS.values()) + more
    path.write_bytes("\r\n".join([header, *rows, ""]).encode("cp1252"))
    return FoundFile(REGISTER, path, "mirror")


def write_row(**changed: str) -> str:
    return ",".join({**CELLS, **changed}.values())


def test_the_publishers_layout_is_read_in_its_encoding(tmp_path):
    found = write_register(tmp_path, write_row() + ",Has a sixth form", more=f",{SIXTH_FORM}")
    row = read_register(found, DONCASTER).iloc[0]
    assert (row["name"], row["opened_date"], row["is_post16"]) == ("Café School", pd.Timestamp("2020-09-01"), True)


def test_a_copy_with_other_headers_is_read_and_ages_say_who_learns_on(tmp_path):
    other = write_row(urn="100001", authority="372/4001")
    young = write_row(urn="100002", authority="371/4002", age_to="16", opened_date="2011-04-26")
    found = write_register(tmp_path, write_row(authority="371/4013"), other, young, layout=1)
    frame = read_register(found, DONCASTER)
    assert frame["urn"].tolist() == ["147838", "100002"]
    assert frame["is_post16"].tolist() == [True, False]
    assert frame["opened_date"].iloc[1] == pd.Timestamp("2011-04-26")


def test_the_sixth_form_that_the_register_names_counts_more_than_ages(tmp_path):
    rows = [write_row() + ",Does not have a sixth form", write_row(urn="147839", phase="Not applicable") + ",Unknown"]
    frame = read_register(write_register(tmp_path, *rows, more=f",{SIXTH_FORM}"), DONCASTER)
    assert frame["is_post16"].tolist() == [False, True]


def test_rows_that_are_too_long_are_cut_and_rows_out_of_place_are_set_aside(tmp_path):
    shifted = write_row(name="Hall, The").replace('"', "")
    frame = read_register(write_register(tmp_path, write_row() + ",,x", shifted, "147840"), DONCASTER)
    assert frame["urn"].tolist() == ["147838"]
    assert frame.attrs["notes"] == [
        "Rows with more cells than the header: 1. What stands beyond it is left out.",
        "Rows set aside, their cells being out of place: 2, the first in line 3.",
    ]


STRANGE = {
    "days as a spreadsheet saves them": lambda text: text.replace("01-09-2020", "01/09/2020"),
    "semicolons": lambda text: text.replace(",", ";"),
    "a title": lambda text: "Schools of the council\r\n\r\n" + text,
    "capitals in the header": lambda text: text.split("\r\n")[0].upper() + text[text.index("\r\n") :],
    "two spaces in a postcode": lambda text: re.sub(rf",({POSTCODE}),", lambda one: one[0].replace(" ", "  "), text),
}


@pytest.mark.parametrize("kind", STRANGE)
def test_a_register_is_read_however_it_was_saved(tmp_path, kind):
    found = write_register(tmp_path, write_row())
    plain, text = read_register(found, DONCASTER), found.path.read_bytes().decode("cp1252")
    changed = STRANGE[kind](text)
    assert changed != text
    found.path.write_bytes(changed.encode("cp1252"))
    row = read_register(found, DONCASTER)
    pd.testing.assert_frame_equal(row.drop(columns="postcode"), plain.drop(columns="postcode"))
    assert row["opened_date"].notna().all()


def test_rows_that_a_quotation_mark_swallows_and_a_file_without_a_right_row_are_refused(tmp_path):
    rows = [write_row(urn=str(number)) for number in (147838, 147839, 147840)]
    found = write_register(tmp_path, rows[0].replace("Café", '"Café'), *rows[1:])
    with pytest.raises(SourceError, match=r"up to line \d \(a quotation mark is not closed\)"):
        read_register(found, DONCASTER)
    found = write_register(tmp_path, write_row(authority="371.0"))
    with pytest.raises(SourceError, match=r"in none of 1 rows do all cells fit their headers"):
        read_register(found, DONCASTER)
    found = write_register(tmp_path, write_row(), ",".join(write_row().split(",")[:-1]))
    assert read_register(found, DONCASTER).attrs["notes"] == [
        "Rows with fewer cells than the header: 1. What they lack is taken as not known."
    ]


def test_in_two_tiers_the_countys_rows_are_taken_and_none_is_no_error(tmp_path):
    found = write_register(tmp_path, write_row(authority="886"))
    assert read_register(found, CANTERBURY)["urn"].tolist() == ["147838"]
    assert read_register(found, DONCASTER).empty
    assert read_register(None, DONCASTER).empty


def test_another_file_is_refused_with_the_column_that_it_lacks(tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("URN,Name\n1,A\n")
    with pytest.raises(SourceError, match=r"other\.csv: expected the columns .* lacks LA \(code\), EstablishmentName"):
        read_register(FoundFile(REGISTER, path, "mirror"), DONCASTER)


# --- postcodes ---


def test_postcodes_outside_the_outline_and_those_without_a_coordinate_are_counted():
    outline = gpd.GeoDataFrame(geometry=[shapely.box(-1.2, 53.4, -1.1, 53.6)], crs=4326)
    homes = cut_postcodes([POINTS, POINTS.assign(postcode=["S641AA", "S1 1AA", "DN55AA", "S2 2AA", "S3 3AA"])], outline)
    assert homes["postcode"].tolist() == ["DN1 2RF", "DN5 5AA", "S1 1AA"]
    assert homes.attrs["notes"] == [
        "2 of 10 postcodes have no coordinate, and are left out.",
        "4 postcodes lie outside the council.",
    ]


# --- the invented town ---

REQUEST = TwinRequest(DONCASTER, 7)


def test_the_invented_institutions_have_numbers_and_names_of_their_own():
    rows = twin.make_institutions(make_place(DONCASTER, 7))
    assert rows["urn"].is_unique
    assert rows["urn"].str.fullmatch(r"9\d{5}").all()
    assert rows["establishment"].str.startswith("9").all()
    assert set(rows["la"]) == {"371"}
    assert rows.loc[rows["status"] == "Open", "name"].is_unique


def test_each_place_and_seed_has_a_town_of_its_own_and_the_same_one_again():
    rows = [twin.school_spine(REGISTER, one) for one in (REQUEST, REQUEST, dataclasses.replace(REQUEST, seed=8))]
    assert rows[0] == rows[1] != rows[2]
    county = Council(slug="k", name="K", codes={"E06000035": "Medway", "E07000105": "Ashford"})
    assert set(twin.make_institutions(make_place(county, 7))["la"]) == {"886", "887"}


def test_the_lists_of_the_town_fit_together():
    spine = pd.read_csv(BytesIO(twin.school_spine(REGISTER, REQUEST)), dtype=str)
    points = pd.read_csv(BytesIO(twin.spine_points(REGISTER, REQUEST)))
    homes = pd.read_csv(BytesIO(twin.postcode_points(REGISTER, REQUEST)))
    assert spine.columns[:3].tolist() == ["URN", "LA", "SCHNAME"]
    found = find_points(spine["POSTCODE"], points.set_axis(["postcode", "latitude", "longitude"], axis=1))
    assert found["latitude"].isna().sum() == 1
    assert set(homes["Postcode"].str.len()) == {7}
    assert homes["lat"].isna().sum() == 2
    assert homes["long"].dropna().between(0.4, 2.5).all(), "in the North Sea"
