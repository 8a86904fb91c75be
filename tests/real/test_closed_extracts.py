"""A council's own closed files beside the official ones: taken as they are, or refused with nothing shown."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from councilbook.errors import CouncilbookError
from councilbook.fuel_poverty.households.extract import DEFINING, prepare_households
from councilbook.study import Study
from kid_like import draw_tables, find_places, write_closed_folder

SECRET = "Quackenzilde"


@pytest.fixture
def study(mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.setenv("COUNCILBOOK_CLOSED", str(tmp_path / "closed"))
    monkeypatch.setenv("COUNCILBOOK_PRIVATE", str(tmp_path / "private"))
    (tmp_path / "closed").mkdir()
    return Study.open(
        *("fuel_poverty", "4_households"),
        council="E07000106",
        data="real",
        mirror=str(mirror),
        seed=1,
        run_date="2026-01-31",
    )


@pytest.fixture
def homes(study: Study) -> pd.DataFrame:
    """An extract of four households in four real postcodes of Canterbury."""
    places = study.load("postcode_directory").drop_duplicates("oa21_code").head(4)
    numbers = {"adults": 2, "children_14_plus": 0, "children_under_14": 1, "oldest_age": 40, "youngest_age": 3}
    money = {"income_gbp_year": 21_000, "housing_cost_gbp_year": 6_000, "ahc_income_gbp_year": 15_000}
    money |= {"required_fuel_cost_gbp_year": 1_900, "fuel_rebate_gbp_year": 0, "fuel_cost_at_band_c_gbp_year": 1_200}
    labels = {"tenure": "private_rented", "accommodation": "flat", "heating": "gas", "lad22_code": "E07000106"}
    flags = {"storage_heaters": "no", "prepayment_meter": "yes", "is_fuel_poor": "no"}
    frame = places[["postcode", "oa21_code", "lsoa21_code"]].assign(**numbers, **money, **labels, **flags)
    return frame.assign(household_id=[f"h{SECRET}{row}" for row in range(len(frame))], fpeer_score=52.5)


def put(study: Study, source: str, frame: pd.DataFrame) -> None:
    closed = study.catalogue.workbook.closed
    assert closed
    frame.to_csv(closed / study.catalogue.source(source).file, index=False)


def test_a_councils_own_extract_takes_the_place_of_the_twin(study: Study, homes: pd.DataFrame) -> None:
    put(study, "kid_households", homes)
    loaded = study.load("kid_households")
    assert loaded["household_id"].tolist() == homes["household_id"].tolist()
    assert study.provenance().set_index("source")["data"].filter(like="Linked records").tolist() == ["real"]


def test_an_extract_in_anothers_columns_and_codes_is_loaded_as_ours(study: Study, homes: pd.DataFrame) -> None:
    closed = study.catalogue.workbook.closed
    assert closed
    write_closed_folder(closed, 100, places=find_places(study), seed=3)
    tables = draw_tables(100, find_places(study), seed=3)
    for source in ("kid_households", "kid_people"):
        loaded = study.load(source)
        key = tables[source].columns[0]
        assert loaded[key].tolist() == tables[source][key].tolist()
    assert loaded["respiratory"].tolist() == tables["kid_people"]["respiratory"].tolist()
    (closed / "columns_kid_households.yaml").write_text("columns: {TenureType: tenure}\n", encoding="utf-8")
    with pytest.raises(CouncilbookError, match=r"for household_id.*read as columns_kid_households[.]yaml in"):
        open_again(study).load("kid_households")
    put(study, "kid_households", homes)
    with pytest.raises(CouncilbookError, match="0 columns are called 'TenureType'"):
        open_again(study).load("kid_households")


def open_again(study: Study) -> Study:
    return Study(study.catalogue, study.spec, study.notebook, study.finder, study.run_date)


def test_an_extract_need_not_hold_what_records_of_health_do_not_hold(study: Study, homes: pd.DataFrame) -> None:
    put(study, "kid_households", homes.drop(columns=[name for name in DEFINING if name in homes]))
    loaded = study.load("kid_households")
    assert loaded[list(DEFINING)].isna().all(axis=None)
    assert loaded["tenure"].eq("private_rented").all()


PLACES = ["oa21_code", "lsoa21_code", "lad22_code"]


def test_an_extract_with_a_postcode_alone_gets_its_places_from_the_directory(study: Study) -> None:
    closed = study.catalogue.workbook.closed
    assert closed
    tables = write_closed_folder(closed, 60, places=find_places(study), foreign=False)
    whole = {name: study.load(name) for name in ("kid_households", "kid_people")}
    bare = tables["kid_households"].drop(columns=PLACES)
    put(study, "kid_households", bare)
    put(study, "kid_people", tables["kid_people"].drop(columns="lsoa21_code"))
    again = open_again(study)
    for name in ("kid_people", "kid_households"):  # whichever comes first
        pd.testing.assert_frame_equal(again.load(name), whole[name])
    lost = bare.assign(postcode=["ZZ99 3VZ", *bare["postcode"][1:]])
    gone = tables["kid_people"]["household_id"].eq(lost["household_id"].iloc[0])
    for people in (tables["kid_people"], tables["kid_people"].drop(columns="lsoa21_code")):
        put(study, "kid_households", lost)
        put(study, "kid_people", people)
        again = open_again(study)
        assert again.load("kid_households")["household_id"].tolist() == lost["household_id"].tolist()[1:]
        assert len(again.load("kid_people")) == int((~gone).sum())
        notes = {name: " ".join(found.notes) for name, found in again._used.items()}
        assert "1 rows are left out, as nothing says in which small area their postcode is." in notes["kid_households"]
        assert f"{gone.sum()} rows are left out, as nothing says" in notes["kid_people"]
        assert "ZZ99" not in str(notes)


def test_an_extract_with_an_lsoa_alone_is_placed_by_it_and_has_no_order_of_postcodes(study: Study) -> None:
    closed = study.catalogue.workbook.closed
    assert closed
    whole = write_closed_folder(closed, 60, places=find_places(study), foreign=False)["kid_households"]
    lookup = study.load("lsoa_lookup")
    split = lookup.loc[~lookup["lsoa11_code"].isin(lookup["lsoa21_code"]), "lsoa11_code"].iloc[0]
    bare = whole.drop(columns=["postcode", "oa21_code", "lad22_code"]).rename(columns={"lsoa21_code": "LSOA11CD"})
    put(study, "kid_households", bare.assign(LSOA11CD=[split, "W01000001", *bare["LSOA11CD"][2:]]))
    loaded = study.load("kid_households")
    assert loaded["lsoa21_code"].tolist() == whole["lsoa21_code"].tolist()[2:]
    assert loaded["lad22_code"].eq("E07000106").all() and loaded["postcode"].isna().all()
    notes = " ".join(study._used["kid_households"].notes)
    assert "1 rows have an LSOA of 2011, read as none, as it was split in 2021." in notes
    assert "2 rows are left out, as their LSOA is none of 2021." in notes
    people = study.load("kid_people")
    prepared = prepare_households(loaded, people, None, None, study.load("postcode_directory"))
    assert prepared["latitude"].between(51, 52).all() and not prepared["has_certificates"].any()


def test_what_the_council_is_shown_of_its_columns_counts_the_rows_that_a_run_takes(study: Study) -> None:
    closed = study.catalogue.workbook.closed
    assert closed
    tables = write_closed_folder(closed, 60, places=find_places(study), foreign=False)
    bare = tables["kid_households"].drop(columns=PLACES)
    put(study, "kid_households", bare.assign(postcode=["ZZ99 3VZ", *bare["postcode"][1:]]))
    inspection = study.inspect_file(study.find(study.catalogue.source("kid_households")))
    assert inspection.result == "59 rows can be read."
    assert any("1 rows are left out" in warning for warning in inspection.warnings)
    put(study, "kid_households", bare.assign(postcode="ZZ99 3VZ"))
    fault = open_again(study).inspect_file(study.find(study.catalogue.source("kid_households"))).fault
    assert fault and "of 60 rows, 60 rows are left out" in fault


def change(column: str, value: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda frame: frame.assign(**{column: [*frame[column].iloc[:3], value]})


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda frame: frame.drop(columns="tenure"), "no column, or more than one, for tenure"),
        (lambda frame: frame.assign(surname=SECRET), "the column surname is named like one that tells who somebody is"),
        (
            lambda frame: frame.assign(note=f"Mary {SECRET}"),
            r"note has what looks like a name in 4 rows \(row 2, 3, 4\)",
        ),
        (
            lambda frame: pd.concat([frame, frame.tail(1).assign(adults=3)]),
            r"household_id must name a row once, but 2 rows share it",
        ),
        (
            lambda frame: frame.drop(columns=["postcode", "lsoa21_code"]),
            r"row 1: no column, or more than one, for postcode \(.*; lsoa21_code \(",
        ),
        (
            lambda frame: frame.drop(columns="lsoa21_code").assign(postcode="ZZ99 3VZ"),
            r"of 4 rows, 4 rows are left out, as nothing says .* Take the current directory",
        ),
        (change("income_gbp_year", -21_000), r"income_gbp_year: 1 rows not as expected, at least 0 \(row 5\)"),
        (change("income_gbp_year", SECRET), r"1 cells of income_gbp_year are no number \(row 5\)"),
        (change("adults", None), r"adults: 1 rows not as expected, a value in every row \(row 5\)"),
        (change("tenure", SECRET), r"tenure: 1 rows not as expected, one of owned_outright"),
    ],
)
def test_an_extract_that_is_not_as_declared_is_refused_and_not_shown(
    study: Study, homes: pd.DataFrame, spoil: Callable[[pd.DataFrame], pd.DataFrame], told: str
) -> None:
    put(study, "kid_households", spoil(homes))
    with pytest.raises(CouncilbookError, match=told) as refused:
        study.load("kid_households")
    assert SECRET not in str(refused.value)
    assert "21000" not in str(refused.value)


def test_the_directory_of_postcodes_is_followed_where_the_extract_has_codes_of_another_year(
    study: Study, homes: pd.DataFrame
) -> None:
    lookup = study.load("lsoa_lookup")
    old = lookup.loc[~lookup["lsoa11_code"].isin(lookup["lsoa21_code"]), "lsoa11_code"].iloc[0]
    for column in ("lsoa21_code", "oa21_code"):
        other = change(column, old.replace("E01", "E00") if column == "oa21_code" else old)(homes)
        put(study, "kid_households", other.assign(lad22_code="E06000099"))  # a district of another year
        again = open_again(study)
        loaded = again.load("kid_households")
        assert loaded[PLACES].to_numpy().tolist() == homes[PLACES].to_numpy().tolist()
        notes = "".join(again._used["kid_households"].notes)
        assert "1 rows say another small area than their postcode does, which is followed." in notes
        assert old not in notes
    put(study, "kid_households", homes.assign(oa21_code=homes["oa21_code"].iloc[::-1].to_numpy()))
    with pytest.raises(CouncilbookError, match=r"of 4 rows, 4 rows say another .* That is most of them"):
        open_again(study).load("kid_households")
