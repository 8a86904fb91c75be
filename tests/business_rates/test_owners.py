"""Whose roll a file is: by its name, by what it says, by where its properties lie; and refused if it is another's."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import box

from councilbook.business_rates.ledger.owners import measure_agreement, refuse_other_council
from councilbook.catalogue import Council, FoundFile
from councilbook.catalogue.entries.sources import Origin
from councilbook.errors import CheckError
from councilbook.study import Study

ROCHDALE = Council(slug="rochdale", name="Rochdale", codes={"E08000005": "Rochdale"})
NORTH_YORKSHIRE = Council(slug="north_yorkshire", name="North Yorkshire", codes={"E06000065": "North Yorkshire"})
SECRET = "Quackenzilde Bakers"
HERE = ["OL10 1AB", "OL11 2DD", "OL11 3EF", "OL12 6GH", "M24 4JL"]
ELSEWHERE = ["BD1 1AA", "BD1 2AA", "BD18 3AB", "BD21 1PW", "OL11 2DE"]  # one of five is near


def make_study(
    council: Council = ROCHDALE,
    postcodes: list[str] = HERE,
    authority: str | None = None,
    ward: tuple[float, float, float, float] | None = None,
) -> Study:
    food = pd.DataFrame({"postcode": postcodes, "latitude": 53.6, "longitude": -2.15, "authority": authority})
    catalogue = SimpleNamespace(source=lambda name: name)
    study = SimpleNamespace(finder=SimpleNamespace(council=council), catalogue=catalogue)
    wards = gpd.GeoDataFrame({"ward_code": ["E05000001"]}, geometry=[box(*ward or (0, 0, 1, 1))], crs=4326)
    study.load_table = lambda source, table: wards if source == "wards" else food.astype({"authority": "str"})
    study.read_mapping, study.run_date = (lambda found: None), "2026-01-01"
    study.is_there = lambda source: ward is not None
    return cast(Study, study)


def write_roll(folder: Path, postcodes: list[str] = HERE, *, names: bool = False, **more: str) -> FoundFile:
    """Write a roll of forty properties, and say that it was found in the closed folder."""
    header = ["Property Reference", "Ratepayer", "Property Address", "Postcode", "Rateable Value", *more]
    lines = [
        [f"{n}0{n}7", SECRET, f"{n} High Street", postcodes[n % len(postcodes)], str(900 + 37 * n), *more.values()]
        for n in range(1, 41)
    ]
    file = folder / f"rates_ledger{'_rochdale' if names else ''}.csv"
    file.write_text("\n".join(",".join(line) for line in [header, *lines]) + "\n", encoding="utf-8")
    source = SimpleNamespace(id="rates_ledger", file="rates_ledger.csv")
    return FoundFile(cast(Any, source), file, cast(Origin, "closed folder"), names_council=names)


@pytest.mark.parametrize("more", [{}, {"Billing Authority": "Rochdale Borough Council"}, {"LA Code": "E08000005"}])
@pytest.mark.parametrize("names", [True, False])
def test_a_roll_that_lies_where_the_council_does_is_taken(tmp_path: Path, names: bool, more: dict[str, str]) -> None:
    refuse_other_council(make_study(), write_roll(tmp_path, names=names, **more))


@pytest.mark.parametrize("names", [True, False])
def test_a_roll_that_lies_elsewhere_is_refused_whatever_it_is_called(tmp_path: Path, names: bool) -> None:
    roll = write_roll(tmp_path, ELSEWHERE, names=names)
    with pytest.raises(
        CheckError, match=r"20% of its 40 postcodes lie where Rochdale has food premises.*--council"
    ) as no:
        refuse_other_council(make_study(), roll)
    assert "Quackenzilde" not in str(no.value)
    assert "BD1" not in str(no.value)


@pytest.mark.parametrize("named", ["Bradford", "City of Bradford Metropolitan District Council", "E08000032"])
def test_a_roll_that_names_another_council_is_refused(tmp_path: Path, named: str) -> None:
    roll = write_roll(tmp_path, names=True, **{"Billing Authority Name": named})
    with pytest.raises(CheckError, match=r"a column of it names Bradford \(E08000032\), and this run is for Rochdale"):
        refuse_other_council(make_study(), roll)


def test_whose_a_roll_is_can_be_told_where_only_the_council_knows_its_headers(tmp_path: Path) -> None:
    found, study = write_roll(tmp_path, names=True, **{"LA Name": "Bradford"}), make_study()
    text = found.path.read_text(encoding="utf-8").replace("Property Reference", "Key").replace("Ratepayer", "Who")
    text = text.replace("Property Address", "Where").replace("Postcode", "Pc").replace("Rateable Value", "Worth")
    found.path.write_text(text, encoding="utf-8")
    mapping = {"Key": "property_reference", "Where": "address", "Worth": "rateable_value_gbp"}
    study.read_mapping = lambda _found: mapping  # type: ignore[method-assign]
    with pytest.raises(CheckError, match=r"a column of it names Bradford \(E08000032\)"):
        refuse_other_council(study, found)


def test_a_roll_of_a_council_that_the_council_took_the_place_of_is_taken(tmp_path: Path) -> None:
    roll = write_roll(tmp_path, names=True, **{"Billing Authority": "Harrogate Borough Council"})
    refuse_other_council(make_study(NORTH_YORKSHIRE), roll)


def test_a_roll_without_postcodes_is_taken_if_its_name_says_whose_it_is(tmp_path: Path) -> None:
    refuse_other_council(make_study(), write_roll(tmp_path, [""], names=True))
    with pytest.raises(CheckError, match=r"it has no postcodes and no positions.*call it rates_ledger_rochdale\.csv"):
        refuse_other_council(make_study(), write_roll(tmp_path, [""]))


def test_a_roll_that_lies_partly_elsewhere_needs_its_council_in_its_name(tmp_path: Path) -> None:
    partly = [*HERE[:3], "BD1 1AA", "BD1 2AA"]
    refuse_other_council(make_study(), write_roll(tmp_path, partly, names=True))
    with pytest.raises(CheckError, match=r"60% of its postcodes lie.*call it rates_ledger_rochdale\.csv"):
        refuse_other_council(make_study(), write_roll(tmp_path, partly))


def test_food_premises_of_another_council_cannot_speak_for_a_roll(tmp_path: Path) -> None:
    with pytest.raises(CheckError, match=r"food_hygiene_ratings: its premises are of Bury"):
        refuse_other_council(make_study(authority="Bury"), write_roll(tmp_path, names=True))


def test_positions_count_as_postcodes_do(tmp_path: Path) -> None:
    roll = write_roll(tmp_path, [""], names=True, Latitude="53.61", Longitude="-2.16")
    refuse_other_council(make_study(), roll)
    far = write_roll(tmp_path, [""], names=True, Latitude="53.61", Longitude="-1.76")  # Huddersfield
    with pytest.raises(CheckError, match=r"0% of its 40 positions lie"):
        refuse_other_council(make_study(), far)


def test_wards_that_the_council_does_not_lie_in_are_refused(tmp_path: Path) -> None:
    refuse_other_council(make_study(ward=(-2.2, 53.5, -2.1, 53.7)), write_roll(tmp_path))
    with pytest.raises(CheckError, match=r"Source wards: 0% of Rochdale's food premises lie in one of its outlines"):
        refuse_other_council(make_study(ward=(-1.9, 53.5, -1.8, 53.7)), write_roll(tmp_path))


@given(ours=st.lists(st.sampled_from(HERE), min_size=1), theirs=st.lists(st.sampled_from(HERE + ELSEWHERE), min_size=1))
def test_a_share_is_that_of_sectors_in_common(ours: list[str], theirs: list[str]) -> None:
    frames = [pd.DataFrame({"postcode": codes, "latitude": None, "longitude": None}) for codes in (ours, theirs)]
    [found] = measure_agreement(*frames)
    sectors = {code[:-2] for code in theirs}
    assert found.rows == len(ours)
    assert found.inside == pytest.approx(sum(code[:-2] in sectors for code in ours) / len(ours))
    assert found.reached == pytest.approx(sum(code[:-2] in {one[:-2] for one in ours} for code in theirs) / len(theirs))
