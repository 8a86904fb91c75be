"""Places to learn at, and homes, from the official files."""

import pandas as pd
import pytest

from councilbook.careers.places.positions import find_points, find_postcodes
from councilbook.careers.places.register import read_register
from councilbook.careers.places.sites import MERGERS, list_set_aside, list_sites
from councilbook.careers.twin.institutions import make_institutions
from councilbook.catalogue import Council
from councilbook.study import Study
from councilbook.twins.places import make_place

pytestmark = pytest.mark.real

SPINE = "england/schools/england_spine_2017-18.csv.gz"
POINTS = "england/schools/spine_postcode_points_2025-05.csv.gz"


@pytest.fixture
def open_study(mirror):
    def make(council: str) -> Study:
        study = Study.open("careers", "3_options", council, "real", mirror=str(mirror), seed=1, run_date="2026-11-29")
        # Which notebook may read what is not the question here.
        study._require_declared = lambda name: study.catalogue.expand([name])
        return study

    return make


def load(study: Study) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the council's spine, register and points."""
    register = read_register(study.open_file("schools_register"), study.finder.council)
    return study.load("school_spine"), register, study.load("spine_points")


def test_doncaster_has_27_places_after_16(open_study):
    spine, register, points = load(open_study("doncaster"))
    is_open = spine["is_post16"] & (spine["status"] == "1")
    assert (len(spine), int(is_open.sum())) == (155, 25)
    sites = list_sites(spine, register, points).set_index("site_id")
    assert int(sites["is_post16"].sum()) == 27
    assert sites.loc["147838", ["name", "positioned_by"]].tolist() == ["Doncaster UTC", "register"]
    college = sites.loc["130526"]
    assert college[["urn", "run_by"]].tolist() == ["130587", "DN Colleges Group"]
    assert college["closed_date"] == pd.Timestamp("2017-11-01")
    assert sites.loc["146639", "predecessor_urns"] == "141354", "Mexborough and The Laurel are one"
    assert list_set_aside(spine, register, points)["site_id"].tolist() == ["135544", "135546", "140177", "141354"]


def test_the_register_adds_to_sheffield_the_school_that_changed_hands_and_no_other(open_study):
    spine, register, points = load(open_study("sheffield"))
    sites = list_sites(spine, register, points).set_index("site_id")
    assert [urn for urn in sites.index if urn not in set(spine["urn"])] == ["147788"]
    assert sites.loc["147788", ["name", "postcode", "predecessor_urns"]].tolist() == [
        "Bradfield School",
        "S35 0AE",
        "139101",
    ]
    assert sites.loc["131896", ["is_post16", "age_to"]].tolist() == [True, 16], "its sixth form may have closed"


def test_all_155_rows_are_placed_and_spaces_would_lose_26(open_study):
    spine, _, points = load(open_study("doncaster"))
    assert find_points(spine["postcode"], points)["latitude"].notna().all()
    seven = spine["postcode"].str.replace(r"^(.{4}) ", r"\1", regex=True)  # as the postcode points write DN110AA
    assert len(spine) - int((seven != spine["postcode"]).sum()) == 129


def test_englands_spine_is_placed_but_for_27_rows(mirror):
    spine = pd.read_csv(mirror / SPINE, dtype=str, encoding="utf-8-sig", keep_default_na=False)
    points = pd.read_csv(mirror / POINTS).set_axis(["postcode", "latitude", "longitude"], axis=1)
    placed = find_points(spine["POSTCODE"], points)["latitude"].notna()
    assert (len(spine), int(placed.sum())) == (26_078, 26_051)


def test_an_authority_that_the_register_does_not_hold_has_its_places(open_study):
    spine, register, points = load(open_study("leeds"))
    sites, aside = list_sites(spine, register, points), list_set_aside(spine, register, points)
    assert register.empty
    assert set(sites["positioned_by"]) == {"postcode"}
    assert "142068" in set(aside.loc[aside["why"].str.contains("20 km"), "site_id"]), "its postcode is in Salisbury"
    assert {"135771", "130542"} <= set(sites["site_id"]), "Leeds City College, and that of Building"


@pytest.mark.parametrize(
    ("council", "site"), [("E10000016", "130730"), ("E06000050", "145748"), ("E07000106", "130730")]
)
def test_counties_and_others_have_their_colleges(open_study, council, site):
    sites = list_sites(*load(open_study(council)))
    assert site in set(sites["site_id"])
    assert sites["latitude"].between(50.8, 54).all()


def test_every_college_that_is_said_to_have_merged_closed_and_the_other_is_open(mirror):
    spine = pd.read_csv(mirror / SPINE, dtype=str, encoding="utf-8-sig", keep_default_na=False).set_index("URN")
    for urn, one in MERGERS.iterrows():
        assert spine.loc[urn, "ICLOSE"] == "2", urn
        assert spine.loc[one["into"], ["ICLOSE", "MINORGROUP"]].tolist() == ["1", "College"], one
        assert set(one["name"].split()) & set(spine.loc[one["into"], "SCHNAME"].split()), one


@pytest.mark.parametrize(("council", "count"), [("doncaster", 10_542), ("sheffield", None), ("E07000106", None)])
def test_a_council_has_its_own_postcodes(open_study, council, count):
    homes = find_postcodes(open_study(council))
    assert homes["postcode"].is_unique
    assert len(homes) == count if count else len(homes) > 4_000
    if count:
        assert homes["postcode"].str.startswith("S64").any(), "Mexborough is Doncaster's"
        assert homes.attrs["notes"][0] == "36 of 79,075 postcodes have no coordinate, and are left out."


def test_a_council_without_a_file_of_its_postcodes_has_none(open_study):
    assert find_postcodes(open_study("leeds")).empty


def test_no_invented_school_has_the_name_or_the_town_of_a_real_one(mirror):
    spine = pd.read_csv(mirror / SPINE, dtype=str, encoding="utf-8-sig", keep_default_na=False)
    real = {word for name in ("SCHNAME", "TOWN", "LOCALITY") for text in spine[name] for word in text.split()}
    districts = {f"E0700010{number}": f"D{number}" for number in range(5, 10)}
    rows = make_institutions(make_place(Council(slug="kent", name="Kent", codes=districts), 3))
    first = {name.removeprefix("North ").removeprefix("East ").split()[0] for name in rows["name"]}
    assert not (first | set(rows["town"])) & real
