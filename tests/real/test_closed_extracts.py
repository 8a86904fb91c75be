"""A council's own closed files beside the official ones: taken as they are, or refused with nothing shown."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from councilbook.errors import CheckError, CouncilbookError
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
        (lambda frame: pd.concat([frame, frame.tail(1)]), r"household_id must name a row once, but 2 rows share it"),
        (change("income_gbp_year", -21_000), r"income_gbp_year: 1 rows not as expected, at least 0 \(row 5\)"),
        (change("income_gbp_year", SECRET), r"1 cells of income_gbp_year are no number \(row 5\)"),
        (change("adults", None), r"adults: 1 rows not as expected, a value in every row \(row 5\)"),
        (change("tenure", SECRET), r"tenure: 1 rows not as expected, one of owned_outright"),
        (change("postcode", "CT1"), r"postcode: 1 rows not as expected, pattern"),
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


def test_codes_of_another_census_among_those_of_2021_are_refused(study: Study, homes: pd.DataFrame) -> None:
    lookup = study.load("lsoa_lookup")
    old = lookup.loc[~lookup["lsoa11_code"].isin(lookup["lsoa21_code"]), "lsoa11_code"].iloc[0]
    put(study, "kid_households", change("lsoa21_code", old)(homes))
    with pytest.raises(CheckError, match=r"expected LSOA codes of 2021.*the first in row 5\.") as refused:
        study.load("kid_households")
    assert old not in str(refused.value)


def test_a_postcode_that_has_ended_or_moved_is_refused(study: Study, homes: pd.DataFrame) -> None:
    put(study, "kid_households", homes)
    households, directory = study.load("kid_households"), study.load("postcode_directory")
    people = pd.DataFrame(columns=["person_id", "household_id", "respiratory", "circulatory", "mental_health", "falls"])
    people = people.assign(gp_contacts=0, emergency_admissions=0, social_care=False)
    acorn = pd.DataFrame({"postcode": pd.Series(dtype="str"), "wellbeing_group": pd.Series(dtype="int64")})
    epc = pd.DataFrame({"lmk_key": ["a"], "postcode": ["CT1 1AA"], "current_energy_rating": ["D"]})
    epc = epc.assign(current_energy_efficiency=60)
    people = people.astype({**dict.fromkeys(people.columns[2:6], "bool"), "social_care": "bool"})
    people = people.astype({"gp_contacts": "int64", "emergency_admissions": "int64"})
    for directory_then, told in (
        (directory[directory["postcode"] != households["postcode"].iloc[3]], "these may have ended"),
        (directory.assign(oa21_code=directory["oa21_code"].iloc[0]), "have moved"),
    ):
        with pytest.raises(CheckError, match=told) as refused:
            prepare_households(households, people, acorn, epc, directory_then)
        assert "CT" not in str(refused.value)
