"""Reading the catalogue: what is right in it, and how a fault in it is named."""

import json
from collections import Counter
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from councilbook.catalogue import Dataset, StudySpec, canvas_schema, catalogue_schema, load_catalogue, study_schema
from councilbook.catalogue.councils import (
    describe_end,
    list_areas,
    list_codes,
    list_education_codes,
    read_authorities,
)
from councilbook.errors import CatalogueError
from councilbook.paths import Workbook, find_workbook

PROJECT = find_workbook(Path(__file__).parent)

DEFAULTS = yaml.safe_load((PROJECT.catalogue / "disclosure.yaml").read_text(encoding="utf-8"))

COUNCILS = {
    "kent_medway": {"name": "Kent and Medway", "codes": {"E06000035": "Medway", "E07000105": "Ashford"}},
    "doncaster": {"name": "Doncaster", "codes": {"E08000017": "Doncaster"}},
}
LICENCE = {"title": "Open Government Licence", "url": "https://example.org/ogl", "attribution": "Contains data."}
TABLE = {"key": ["code"], "fields": {"code": {"description": "Area"}, "homes": {"description": "Homes"}}}
SOURCE = {
    "id": "homes",
    "title": "Homes",
    "description": "Homes by area.",
    "publisher": "An office",
    "steward": "An office",
    "spectrum": "open",
    "personal_data": False,
    "licence": "OGL",
    "landing_page": "https://example.org/homes",
    "file": "homes.csv",
    "published": "2024",
    "format": "csv",
    "tables": {"areas": TABLE},
}
DATASET = {
    "id": "homes_by_area",
    "title": "Homes by area",
    "description": "Homes.",
    "classification": "open",
    "licence": "OGL",
    "key": ["code"],
    "fields": {"code": {"description": "Area"}},
}
COUNTED = {
    "code": {"description": "Area"},
    "homes": {"type": "integer", "description": "Homes"},
    "is_suppressed": {"type": "boolean", "description": "Withheld"},
}
STUDY = {
    "title": "Homes",
    "question": "How many?",
    "default_council": "doncaster",
    "notebooks": {
        "1_build": {"title": "Build", "kind": "build", "sources": ["homes"], "releases": ["homes_by_area"]},
        "2_report": {"title": "Report", "kind": "report"},
    },
}


@pytest.fixture
def load(tmp_path):
    """Return a function that writes a catalogue of one study and loads it."""

    def write_and_load(
        sources=(SOURCE,), datasets=(DATASET,), councils=COUNCILS, study=STUDY, more=None, defaults=DEFAULTS
    ):
        national = {"licences": {"OGL": LICENCE}, **(more or {})}
        files = {
            "data/catalogue/councils.yaml": councils,
            "data/catalogue/national.yaml": national,
            "data/catalogue/disclosure.yaml": defaults,
            "data/catalogue/housing.yaml": {"sources": list(sources), "datasets": list(datasets)},
            "notebooks/housing/study.yaml": study,
        }
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        return load_catalogue(Workbook(tmp_path))

    return write_and_load


def expect_fault(load, *parts, **files):
    """Load a catalogue with a fault in it, and see that the message has each part."""
    with pytest.raises(CatalogueError) as caught:
        load(**files)
    assert [part for part in parts if part not in str(caught.value)] == []


def test_the_project_s_catalogue_loads():
    catalogue = load_catalogue(PROJECT)
    assert len(catalogue.council("kent_medway").codes) == 13
    assert [source.edition for source in catalogue.series("sub_regional_fuel_poverty")] == list(range(2011, 2025))
    assert catalogue.study("fuel_poverty").report == "8_report"


def test_small_catalogue_loads(load):
    catalogue = load()
    assert catalogue.source("homes").table() == catalogue.source("homes").table("areas")
    assert catalogue.study_sources == {"housing": ("homes",), "national": ()}
    assert catalogue.study_datasets["housing"] == ("homes_by_area",)


# --- faults ---


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"licens": "OGL"}, ["sources.homes.licens", "not permitted"]),
        ({"spectrum": "secret"}, ["sources.homes.spectrum", "'closed', 'shared' or 'open'"]),
        ({"licence": None}, ["sources.homes", "an open source needs a licence"]),
        (
            {"spectrum": "closed", "url": "https://example.org/homes.csv"},
            ["sources.homes", "a closed source must not name a URL"],
        ),
        ({"tables": {}}, ["sources.homes", "needs a file name and a table"]),
        ({"tables": {"areas": TABLE | {"key": ["kode"]}}}, ["sources.homes.tables.areas", "does not declare: kode"]),
        ({"editions": {"2011-12": {}}}, ["sources.homes.editions.2011-12", "valid integer"]),
        ({"editions": {2011: None}}, ["sources.homes.editions.2011", "valid dictionary"]),
    ],
)
def test_fault_in_a_source_is_named_with_file_and_place(load, change, parts):
    expect_fault(load, "catalogue/housing.yaml", *parts, sources=[SOURCE | change])


@pytest.mark.parametrize("sources", [["homes"], {"homes": SOURCE}, [{"title": "No id"}], None])
def test_sources_of_another_shape_are_a_fault_of_the_file(load, sources):
    expect_fault(load, "catalogue/national.yaml", "sources", more={"sources": sources})


def test_council_without_codes_is_named(load):
    expect_fault(load, "councils.yaml", "york.codes", councils=COUNCILS | {"york": {"name": "York"}})
    expect_fault(load, "councils.yaml", "york", councils=COUNCILS | {"york": None})


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ({"counts": ["homes"], "threshold": 12}, "must be a multiple"),
        ({"counts": ["homes"], "threshold": 5}, "threshold 5, which is less strict than the default 10"),
        ({"counts": ["homes"], "full": "show"}, "full show, which is less strict than the default suppress"),
        ({"counts": []}, "at least 1 item"),
        ({"shares": {"homes_pct": ["homes", "all"]}, "counts": ["homes"]}, "not among its counts: all"),
        ({"counts": ["visits"]}, "says nothing of homes"),
    ],
)
def test_dataset_rule_that_would_let_a_number_slip_is_named(load, rule, fault):
    dataset = DATASET | {"fields": COUNTED, "disclosure": {"rule": "counts", **rule}}
    expect_fault(load, "homes_by_area", fault, datasets=[dataset])


def test_dataset_rule_may_be_stricter_or_say_why_it_is_not(load):
    for own in ({"threshold": 20, "zeros": "suppress"}, {"threshold": 5, "because": "The law asks for it."}):
        rule = {"rule": "counts", "counts": ["homes"], **own}
        catalogue = load(datasets=[DATASET | {"fields": COUNTED, "disclosure": rule}])
        read = catalogue.dataset("homes_by_area").disclosure
        assert (read.threshold, read.round_to) == (own["threshold"], 5)
        assert read.approver == DEFAULTS["approver"]["value"]
        load_catalogue.cache_clear()


def test_a_missing_or_unreasoned_default_is_named(load):
    without = {name: one for name, one in DEFAULTS.items() if name != "k"}
    expect_fault(load, "disclosure.yaml", "has no default of k", defaults=without)
    expect_fault(load, "disclosure.yaml", "k.reason", defaults=DEFAULTS | {"k": {"value": 10, "reason": "Because."}})


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"geometry": True}, "release records without geometry"),
        ({"disclosure": {"code": {"dates": ["year", "month"]}}}, "must be coarser than the one below"),
        ({"disclosure": {"code": {"prefix": [2, 4]}}}, "must be coarser than the one below"),
        ({"disclosure": {"code": {"prefix": [4], "bands": [5]}}}, "a hierarchy is of one kind"),
        ({"fields": COUNTED}, "says nothing of homes, is_suppressed"),
    ],
)
def test_rule_for_records_that_would_let_something_slip_is_named(load, more, fault):
    rule = {"rule": "records", "quasi_identifiers": more.get("disclosure", {"code": {}})}
    dataset = DATASET | {"key": ["code"]} | more | {"disclosure": rule}
    expect_fault(load, "homes_by_area", fault, datasets=[dataset])


def test_only_a_dataset_of_a_standard_has_other_names_than_snake_case(load):
    named = {"key": ["Area code"], "fields": {"Area code": {"description": "Area"}}}
    expect_fault(load, "homes_by_area", "unless a standard has others: Area code", datasets=[DATASET | named])
    standard = {"standard": "https://example.org/format"}
    assert load(datasets=[DATASET | named | standard]).dataset("homes_by_area").key == ["Area code"]


def test_dataset_rule_on_undeclared_fields_is_named(load):
    rule = {"rule": "counts", "counts": ["visits"]}
    expect_fault(
        load,
        "datasets.homes_by_area",
        "does not declare: is_suppressed, visits",
        datasets=[DATASET | {"disclosure": rule}],
    )
    rule = {"rule": "counts", "counts": ["homes"], "totals": {"code": "All"}}
    dataset = DATASET | {"fields": COUNTED}
    expect_fault(load, "homes_by_area", "does not declare: is_partial", datasets=[dataset | {"disclosure": rule}])
    true = rule | {"published_totals": "rounded", "because": "The true totals are wanted."}
    assert load(datasets=[dataset | {"disclosure": true}]).dataset("homes_by_area").disclosure.totals


@pytest.mark.parametrize(
    ("files", "parts"),
    [
        ({"sources": [SOURCE | {"licence": "OGL-2"}]}, ["housing.yaml, source homes", "'OGL-2'", "mean OGL?"]),
        ({"datasets": [DATASET | {"licence": "MIT"}]}, ["housing.yaml, dataset homes_by_area", "'MIT'", "Known: OGL."]),
        ({"study": STUDY | {"places": ["home"]}}, ["housing/study.yaml, places", "'home'", "mean homes?"]),
        (
            {"study": STUDY | {"default_council": "dncaster"}},
            ["housing/study.yaml, default_council", "mean doncaster"],
        ),
        ({"sources": []}, ["housing/study.yaml, notebook 1_build", "No source or series 'homes'"]),
        ({"datasets": []}, ["housing/study.yaml, notebook 1_build", "No dataset 'homes_by_area'"]),
    ],
    ids=["source licence", "dataset licence", "place", "council", "source", "release"],
)
def test_reference_to_nothing_is_named_with_file_and_place(load, files, parts):
    expect_fault(load, *parts, **files)


COMPARED = {
    "dataset": "homes_by_area",
    "label": "Homes",
    "sure": "Every home was counted.",
    "value": "cold",
    "of": "homes",
}
COUNTS = DATASET | {"fields": {name: {"description": name} for name in ("code", "cold", "homes")}}


@pytest.mark.parametrize(
    ("dataset", "changes", "fault"),
    [
        (COUNTS, {"of": "home"}, "No field of homes_by_area 'home'"),
        (COUNTS, {"where": {"kinds": "flat"}}, "No field of homes_by_area 'kinds'"),
        (COUNTS, {"newest": "year"}, "No field of homes_by_area 'year'"),
        (COUNTS, {"dataset": "homes_by_aria"}, "mean homes_by_area?"),
        (COUNTS | {"classification": "closed"}, {}, "homes_by_area is no open dataset that the study releases"),
        (COUNTS | {"id": "others"}, {"dataset": "others"}, "others is no open dataset that the study releases"),
    ],
)
def test_what_councils_are_compared_by_is_open_released_and_has_the_fields(load, dataset, changes, fault):
    study = STUDY | {"compare": [COMPARED | changes]}
    datasets = [dataset] if dataset["id"] == DATASET["id"] else [DATASET, dataset]
    expect_fault(load, "housing/study.yaml, compare 'Homes'", fault, datasets=datasets, study=study)
    right = load(datasets=[COUNTS], study=STUDY | {"compare": [COMPARED]})
    assert right.study("housing").compare[0].columns == ["cold", "homes"]


@pytest.mark.parametrize(
    ("more", "name"),
    [({"sources": [SOURCE]}, "homes"), ({"datasets": [DATASET]}, "homes_by_area")],
)
def test_id_that_is_there_twice_is_named(load, more, name):
    expect_fault(load, "national.yaml", f"{name} is in the catalogue twice", more=more)


def test_licence_that_is_there_twice_is_named(tmp_path, load):
    load()
    write_more(tmp_path, yaml.safe_dump({"licences": {"OGL": LICENCE}}))
    expect_fault(lambda: load_catalogue(Workbook(tmp_path)), "national.yaml: OGL is in the catalogue twice")


def write_more(root, text):
    """Write one more file of the catalogue, to be read before the others."""
    (root / "data" / "catalogue" / "culture.yaml").write_text(text)
    load_catalogue.cache_clear()


def test_report_that_names_sources_is_a_fault(load):
    report = {"title": "Report", "kind": "report", "sources": ["homes"]}
    study = STUDY | {"notebooks": {"1_report": report}}
    expect_fault(load, "housing/study.yaml", "notebooks.1_report", "a report reads released data alone", study=study)


def test_file_that_is_no_yaml_is_named(tmp_path, load):
    load()
    write_more(tmp_path, "sources: [\n")
    expect_fault(lambda: load_catalogue(Workbook(tmp_path)), "culture.yaml is no YAML that can be read", "line 2")


def test_key_that_is_there_twice_is_named(tmp_path, load):
    load()
    write_more(tmp_path, "licences: {OGL2: {}}\nlicences: {OGL3: {}}\n")
    expect_fault(lambda: load_catalogue(Workbook(tmp_path)), "culture.yaml", "licences stands here twice", "line 1")


def test_council_code_that_is_no_gss_code_is_named(load):
    leeds = {"leeds": {"name": "Leeds", "codes": {"LEEDS": "Leeds"}}}
    expect_fault(load, "councils.yaml", "LEEDS", councils=COUNCILS | leeds)


def test_missing_councils_file_is_named(tmp_path):
    with pytest.raises(CatalogueError, match=r"councils\.yaml is missing"):
        load_catalogue(Workbook(tmp_path))


def test_unknown_name_suggests_the_near_miss(load):
    catalogue = load()
    with pytest.raises(CatalogueError, match=r"No source 'home' in the catalogue\. Did you mean homes\?"):
        catalogue.source("home")
    with pytest.raises(CatalogueError, match=r"Source homes has no table 'area'\. Did you mean areas\?"):
        catalogue.source("homes").table("area")


def test_source_that_is_only_described_has_no_table(load):
    catalogue = load(sources=[SOURCE, SOURCE | {"id": "described", "format": "none", "tables": {}}])
    with pytest.raises(CatalogueError, match="described is described in the catalogue, but it has no table"):
        catalogue.source("described").table()


# --- editions ---


def test_each_edition_is_the_series_overlaid_with_what_is_its_own(load):
    series = {key: value for key, value in SOURCE.items() if key not in {"file", "published"}}
    series["editions"] = {
        2022: {"file": "b.csv", "published": "2024"},
        2021: {
            "file": "a.csv",
            "published": "2023",
            "known_faults": ["Sorted otherwise."],
            "tables": {"areas": {"header_row": 3, "fields": {"homes": {"type": "integer"}}}},
        },
    }
    catalogue = load(sources=[series])
    first, second = catalogue.series("homes")
    assert (first.id, first.series, first.edition, first.file) == ("homes_2021", "homes", 2021, "a.csv")
    assert (first.title, first.known_faults) == ("Homes", ["Sorted otherwise."])
    assert first.table().header_row == 3
    assert first.table().fields["homes"].type == "integer"
    assert first.table().fields["homes"].description == "Homes"  # overlaid, not replaced
    assert (second.id, second.table().header_row, second.known_faults) == ("homes_2022", 1, [])
    assert catalogue.expand(["homes_2022", "homes"]) == [second, first]
    assert catalogue.study_sources["housing"] == ("homes_2022", "homes_2021")


def test_fault_in_an_edition_is_named_with_its_year(load):
    series = SOURCE | {"editions": {2021: {"tables": {"areas": {"header_row": 0}}}}}
    expect_fault(load, "sources.homes_2021.tables.areas.header_row", sources=[series])


# --- councils ---


def test_council_is_found_by_its_slug(load):
    assert load().council("kent_medway").name == "Kent and Medway"


@pytest.mark.parametrize("text", ["E06000035+E07000105", "e07000105+e06000035", " E07000105 + E06000035+E06000035"])
def test_codes_of_a_known_council_give_that_council(load, text):
    assert load().council(text).slug == "kent_medway"


def test_codes_need_no_entry(load):
    catalogue = load()
    newer = catalogue.council("e06000901")  # of a year after the table of councils
    assert (newer.slug, newer.codes, newer.type, newer.county) == ("e06000901", {"E06000901": ""}, "", None)
    assert catalogue.council("E06000901+E07000105").name == "E06000901, E07000105"  # for the sources to name
    several = catalogue.council("E07000105+E06000047")  # one of Kent's districts, but not Kent
    assert several == catalogue.council("E06000047+E07000105")
    assert (several.slug, several.name) == ("e06000047_e07000105", "County Durham and Ashford")


def test_long_list_of_codes_gets_a_short_slug_of_its_own(load):
    catalogue = load()
    codes = [f"E0700{number:04}" for number in range(1, 40)]
    slug = catalogue.council("+".join(codes)).slug
    assert slug.startswith("e07000001_and_38_more_")
    assert len(slug) < 40
    assert slug == catalogue.council("+".join(reversed(codes))).slug
    assert slug != catalogue.council("+".join([*codes[:-1], "E07000999"])).slug


def test_a_county_is_its_districts(load):
    catalogue = load()
    kent = catalogue.council("E10000016")
    assert (kent.slug, kent.name, kent.type, str(kent.county)) == ("kent", "Kent", "County", "Kent (E10000016)")
    assert kent == catalogue.council("+".join(kent.codes))
    assert len(kent.codes) == 12
    assert [code for code in kent.codes if not code.startswith("E07")] == []
    past = catalogue.council("E10000006")  # Cumbria, as it ended
    assert list(past.codes.values()) == [
        "Allerdale",
        "Barrow-in-Furness",
        "Carlisle",
        "Copeland",
        "Eden",
        "South Lakeland",
    ]
    with pytest.raises(CatalogueError, match=r"E10000099 is a county that is not known.*its districts"):
        catalogue.council("E06000035+E10000099")


@pytest.mark.parametrize("text", ["E12000009", "south-west", "South West+E07000105"])
def test_a_region_is_refused_and_its_districts_of_today_are_offered(text):
    with pytest.raises(CatalogueError, match="No council") as caught:
        load_catalogue(PROJECT).council(text)
    offered = str(caught.value).split("all of them are ")[1].rstrip(".").split("+")
    assert {"E06000023", "E06000052", "E07000040"} <= set(offered)
    assert len(offered) == 27
    assert not [code for code in offered if code.startswith("E10")]


@pytest.mark.parametrize("code", ["E10000099", "E11000001", "E47000001", "E92000001"])
def test_a_code_that_no_district_can_have_is_refused_with_what_to_do(code):
    with pytest.raises(
        CatalogueError, match=rf"{code} is .* not known\. .*its districts.*begin with E06, E07, E08, E09"
    ):
        load_catalogue(PROJECT).council(code)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("cardiff", r"Cardiff \(W06000015\) is in Wales, and 'Fuel poverty' is a study of England"),
        ("E06000047+S12000050", r"North Lanarkshire \(S12000050\) is in Scotland"),
        ("N09000003", r"Belfast \(N09000003\) is in Northern Ireland"),
    ],
)
def test_a_council_of_another_nation_is_refused_by_the_nations_name(text, told):
    catalogue = load_catalogue(PROJECT)
    with pytest.raises(CatalogueError, match=told):
        catalogue.study("fuel_poverty").refuse_other_nations(catalogue.council(text))
    catalogue.study("business_rates").refuse_other_nations(catalogue.council(text))
    catalogue.study("fuel_poverty").refuse_other_nations(catalogue.council("E10000016"))


def test_a_county_joined_with_a_council_can_be_a_place_of_councils_yaml():
    catalogue = load_catalogue(PROJECT)
    assert catalogue.council("Medway + Kent").slug == "kent_medway"
    assert catalogue.council("kent & MEDWAY").slug == "kent_medway"


AUTHORITIES = read_authorities()
CURRENT = [one for one in AUTHORITIES.values() if not one.end]


@given(st.sampled_from(CURRENT), st.data())
def test_every_council_is_found_by_each_of_its_names_however_written(one, data):
    names = [one.official_name, one.name, one.slug, one.gss_code, *one.other_names, *one.former_codes]
    name = data.draw(st.sampled_from(names))
    case = data.draw(st.sampled_from([str, str.upper, str.lower, str.title]))
    space = data.draw(st.sampled_from([" ", "-", "_", "  "]))
    council = load_catalogue(PROJECT).council(f" {case(name.replace(' ', space))} ")
    assert (council.slug, council.name) == (one.slug, one.name)
    assert council.codes == ({one.gss_code: one.name} if one.type != "County" else list_areas(one))
    assert (council.type, council.nation) == (one.type, one.nation)
    own = one.gss_code if one.type == "County" else one.county
    assert council.county == AUTHORITIES.get(own)


def test_no_two_councils_share_a_slug_and_every_current_one_has_its_nation():
    assert len({one.slug for one in AUTHORITIES.values()}) == len(AUTHORITIES)
    nations = Counter(one.nation for one in CURRENT)
    assert nations == {"England": 317, "Scotland": 32, "Wales": 22, "Northern Ireland": 11}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("London Borough of Waltham Forest", "E09000031"),
        ("Royal Borough of Kingston-upon-Thames", "E09000021"),
        ("The City of Doncaster", "E08000017"),
        ("Newcastle City Council", "E08000021"),  # its official name, though there is another Newcastle
        ("King’s Lynn & West Norfolk", "E07000146"),
        ("durham", "E06000047"),
        ("Hull", "E06000010"),
        ("Gloucester", "E07000081"),  # not the county
        ("Ynys Mon", "W06000001"),
        ("Cyngor Caerdydd", "W06000015"),
        ("Western Isles", "S12000013"),
        ("Newry, Mourne & Down", "N09000010"),
        ("E08000020", "E08000037"),  # Gateshead's, until 2013
        ("North Yorkshire County Council", "E06000065"),  # the council of today, not the county of then
        ("harrogate", "E07000165"),  # merged, with data of its own
        ("north_yorkshire_e10000023", "E07000163+E07000164+E07000165+E07000166+E07000167+E07000168+E07000169"),
    ],
)
def test_a_council_is_found_by_what_people_call_it(text, code):
    assert "+".join(load_catalogue(PROJECT).council(text).codes) == code


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        ("Newcastle", ["Newcastle-under-Lyme (E07000195)", "Newcastle upon Tyne (E08000021)"]),
        ("Kingston Council", ["Kingston upon Hull (E06000010)", "Kingston upon Thames (E09000021)"]),
    ],
)
def test_a_name_of_several_councils_is_an_error_that_lists_them(text, listed):
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(PROJECT).council(text)
    assert f"{text!r} can be {' or '.join(listed)}: give" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("Doncastr", "Did you mean doncaster or"),
        ("London", "Did you mean City of London (E09000001)?"),
        ("Derry", "Did you mean Derry City and Strabane (N09000005)?"),
        ("council", "joined by +"),
    ],
)
def test_a_name_of_no_council_is_an_error_that_names_the_nearest(text, hint):
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(PROJECT).council(text)
    assert f"No council {text!r}" in str(caught.value)
    assert hint in str(caught.value)


@pytest.mark.parametrize(
    ("code", "districts", "education"),
    [
        ("E08000017", {"E08000017"}, {"E08000017", "371"}),
        ("E07000105", {"E07000105"}, {"E10000016", "886"}),
        (
            "E06000058",
            {"E06000058", "E06000028", "E06000029", "E07000048"},
            {*("E06000058", "E06000028", "E06000029"), *("839", "837", "836")},
        ),
        ("E07000048", {"E07000048"}, {"E10000009", "835", "E06000058", "839"}),  # Christchurch: Dorset, then BCP
        ("E06000063", {"E06000063", "E07000026", "E07000028", "E07000029"}, {"E06000063", "942"}),  # half of Cumbria
        ("S12000050", {"S12000050", "S12000044"}, {"S12000050", "S12000044"}),
        ("E06000901", {"E06000901"}, {"E06000901"}),
    ],
)
def test_codes_of_all_years_are_those_of_the_same_ground(code, districts, education):
    assert list_codes(code) == districts
    assert list_education_codes(code) == education


def test_a_district_of_a_district_that_was_merged_twice_is_the_last_council_s():
    taunton, somerset = "E07000190", "E06000066"
    assert taunton in list_codes("E07000246") <= list_codes(somerset)
    assert "E10000027" not in list_codes(somerset)  # the county's rows would count its districts twice
    assert list_education_codes(taunton) == list_education_codes(somerset) == {somerset, "E10000027", "933"}


def test_the_end_of_a_council_says_what_replaced_it():
    assert (
        describe_end("E07000165")
        == "Harrogate (E07000165) ended on 2023-04-01; North Yorkshire (E06000065) replaced it."
    )
    assert "Cumberland (E06000063) and Westmorland and Furness (E06000064) replaced it" in describe_end("E10000006")
    assert describe_end("E08000017") == describe_end("E06000901") == ""


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("kent_medwy", "Did you mean kent_medway or medway?"),
        ("E0600004", "as E06000047"),
        ("E06000047,E07000105", "joined by +"),
        ("E06000047+", "joined by +"),
        ("", "joined by +"),
    ],
)
def test_unknown_council_is_an_error_that_helps(load, text, hint):
    with pytest.raises(CatalogueError) as caught:
        load().council(text)
    assert f"No council {text!r}" in str(caught.value)
    assert hint in str(caught.value)


# --- the schema for editors ---


def check_against_schema(content):
    as_json = json.loads(json.dumps(content))  # the keys of a JSON object are strings
    return [error.json_path for error in jsonschema.Draft202012Validator(catalogue_schema()).iter_errors(as_json)]


def test_only_what_is_not_open_may_be_held():
    held = {"rule": "held", "readers": "the housing team", "approver": "A lead"}
    dataset = load_catalogue(PROJECT).dataset("lsoa_fuel_poverty").model_dump() | {"disclosure": held}
    assert Dataset.model_validate(dataset | {"classification": "shared"}).disclosure.readers == "the housing team"
    with pytest.raises(ValidationError, match="the rule held is for what is not open"):
        Dataset.model_validate(dataset)


@pytest.mark.parametrize(
    ("name", "make"), [("schema", catalogue_schema), ("study.schema", study_schema), ("canvas.schema", canvas_schema)]
)
def test_schema_file_is_that_of_the_model(name, make):
    file = PROJECT.catalogue / f"{name}.json"
    expected = json.dumps(make(), indent=2, sort_keys=True) + "\n"
    assert file.read_text(encoding="utf-8") == expected, f"write {make.__name__}() to it: indent=2, sort_keys=True"


@pytest.mark.parametrize("file", sorted(PROJECT.notebooks.glob("*/study.yaml")), ids=lambda file: file.parent.name)
def test_every_study_is_valid_by_its_schema_and_a_wrong_one_is_not(file):
    validator = jsonschema.Draft202012Validator(study_schema())
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert list(validator.iter_errors(content)) == []
    first = next(iter(content["notebooks"]))
    content["notebooks"][first]["kind"] = "draft"
    assert [error.json_path for error in validator.iter_errors(content)] == [f"$.notebooks['{first}'].kind"]
    del content["question"]
    assert len(list(validator.iter_errors(content))) == 2


@pytest.mark.parametrize("name", ["national", "fuel_poverty"])
def test_catalogue_is_valid_by_the_schema(name):
    jsonschema.Draft202012Validator.check_schema(catalogue_schema())
    content = yaml.safe_load((PROJECT.catalogue / f"{name}.yaml").read_text(encoding="utf-8"))
    assert check_against_schema(content) == []


def test_schema_lets_editions_say_a_part_of_anything():
    series = {key: value for key, value in SOURCE.items() if key != "published"}
    part = {"published": "2024", "tables": {"areas": {"fields": {"homes": {"required": False}}}}}
    assert check_against_schema({"sources": [series | {"editions": {2021: part}}]}) == []
    assert check_against_schema({"sources": [series]}) == ["$.sources[0]"]
    assert check_against_schema({"sources": [series | {"editions": {2021: {"licens": "OGL"}}}]}) != []


# --- the order of notebooks ---


def make_study(**after):
    notebooks = {
        name: {"title": name, "kind": "report" if name == "5_report" else "build", "after": after.get(name)}
        for name in ("1_a", "2_b", "3_c", "4_d", "5_report")
    }
    return StudySpec(id="s", title="S", question="?", default_council="north", notebooks=notebooks)


def test_a_notebook_runs_after_all_before_it_unless_it_says_otherwise():
    assert make_study().list_before("4_d") == ["1_a", "2_b", "3_c"]
    assert make_study().list_before("1_a") == []


def test_a_notebook_runs_after_those_that_it_names_and_theirs_and_the_report_after_all():
    spec = make_study(**{"2_b": [], "3_c": ["1_a"], "4_d": ["3_c"]})
    assert spec.list_before("2_b") == []
    assert spec.list_before("4_d") == ["1_a", "3_c"]
    assert spec.list_before("5_report") == ["1_a", "2_b", "3_c", "4_d"]


def test_a_notebook_cannot_come_after_a_later_one():
    with pytest.raises(ValidationError, match="1_a comes after 2_b, which is not before it in the list"):
        make_study(**{"1_a": ["2_b"]})
