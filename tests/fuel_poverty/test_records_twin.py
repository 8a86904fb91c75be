"""The twins of the closed and shared sources: they fit the open tables that they are given, and each other."""

import io
from functools import partial

import pandas as pd
import pytest

from councilbook.catalogue import TwinRequest, load_catalogue
from councilbook.fuel_poverty.chances.routes import LEARN, Basis
from councilbook.fuel_poverty.households.extract import OPEN
from councilbook.fuel_poverty.households.spread import rank_deprivation, try_spreads
from councilbook.fuel_poverty.households.targeting import (
    COMBINED_HOUSEHOLD,
    COMBINED_LSOA,
    LSOA_RATE,
    PERFECT,
    RANDOM,
)
from councilbook.fuel_poverty.twin.records_twin import OFFICIAL, TRIAL_AREAS, draw_trial, make_records
from councilbook.paths import PRIVATE_VARIABLE, find_workbook
from councilbook.study import Study

SEED = 3
SOURCE = load_catalogue(find_workbook()).source("kid_households")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory):
    """A district's sample, whose open sources are twins as well."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PRIVATE_VARIABLE, str(tmp_path_factory.mktemp("private")))
        yield Study.open(
            "fuel_poverty",
            "4_households",
            council="E07000112",
            data="sample",
            seed=SEED,
            run_date="2026-01-31",
        )


@pytest.fixture(scope="module")
def request_(study: Study) -> TwinRequest:
    return TwinRequest(study.finder.council, SEED, "sample", study.load)


@pytest.fixture(scope="module")
def files(request_: TwinRequest) -> dict[str, bytes]:
    return make_records(SOURCE, request_)


def read(files: dict[str, bytes], name: str) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(files[name]))


def test_households_and_fuel_poor_are_the_official_figures_of_each_area(study: Study, files: dict[str, bytes]) -> None:
    homes = read(files, "kid_households").groupby("lsoa21_code")["is_fuel_poor"].agg(["size", "sum"])
    official = study.load(OFFICIAL).set_index("lsoa_code").loc[homes.index]
    assert (homes.to_numpy() == official[["households", "fuel_poor_households"]].to_numpy()).all()


def test_the_records_are_of_the_same_households(files: dict[str, bytes]) -> None:
    homes = read(files, "kid_households").set_index("household_id")["lsoa21_code"]
    for name in ("kid_people", "household_outcomes", "interventions_register"):
        records = read(files, name)
        assert (records["lsoa21_code"] == records["household_id"].map(homes)).all()
    assert set(read(files, "interventions_register")["household_id"]) <= set(
        read(files, "household_outcomes")["household_id"]
    )
    assert set(read(files, "epc_register")["POSTCODE"]) <= set(read(files, "kid_households")["postcode"])


def test_they_are_read_and_checked_as_a_councils_own_files_would_be(study: Study) -> None:
    for name in ("kid_households", "kid_people", "wellbeing_acorn", "epc_register"):
        assert len(study.load(name))
    assert set(study.provenance()["data"]) == {"synthetic"}


def test_one_seed_gives_the_same_bytes_and_another_others(request_: TwinRequest, files: dict[str, bytes]) -> None:
    assert make_records(SOURCE, request_) == files
    other = TwinRequest(request_.council, SEED + 1, "sample", request_.load)
    assert make_records(SOURCE, other)["kid_people"] != files["kid_people"]


def test_a_sample_is_of_some_areas_and_a_real_run_of_all(study: Study, request_: TwinRequest) -> None:
    every = study.place.lsoas(2021)
    drawn = draw_trial(request_, 1.0).households["lsoa21_code"].nunique()
    assert min(TRIAL_AREAS, len(every)) <= drawn < 2 * TRIAL_AREAS


@pytest.mark.parametrize(("basis", "gain"), [("records", 1.1), ("official rates", 1.02)])
def test_no_list_beats_the_areas_where_it_is_chance_within_them_who_is_fuel_poor(
    study: Study, request_: TwinRequest, basis: Basis, gain: float
) -> None:
    postcodes = study.load("postcode_directory")
    places = postcodes.drop_duplicates("oa21_code")
    around = dict.fromkeys(OPEN, 50.0)
    output_areas = places[["oa21_code", "lsoa21_code"]].assign(deprivation_pct=50.0, **around)
    estimates = pd.Series(10.0, index=postcodes["postcode"])
    draw = partial(draw_trial, request_)
    table = try_spreads(draw, postcodes, output_areas, estimates, 10, SEED, LEARN[basis], spreads=(0.0, 3.0))
    reached = table.pivot_table(index="homes_spread", columns="order", values="reached_pct")
    assert reached.loc[0, COMBINED_LSOA] < 1.1 * reached.loc[0, LSOA_RATE]
    assert reached.loc[3, COMBINED_LSOA] > gain * reached.loc[3, LSOA_RATE]
    assert (reached[PERFECT] >= reached.max(axis="columns")).all()
    assert reached[RANDOM].round(6).eq(reached[RANDOM].iloc[0].round(6)).all()
    assert (table["visits"] == round(0.1 * table["households"].iloc[0])).all()
    assert set(table.loc[table["expected_pct"].notna(), "order"]) == {COMBINED_HOUSEHOLD}


def test_areas_as_deprived_share_a_rank_and_the_most_deprived_is_first() -> None:
    areas = pd.DataFrame({"lsoa21_code": ["A", "B", "B", "C"], "deprivation_pct": [20.0, 90.0, 90.0, 20.0]})
    assert rank_deprivation(areas).to_dict() == {"A": 2, "B": 1, "C": 2}
