"""The national series of measures: months become years, sums agree, and a sentence says what it shows."""

from pathlib import Path

import pandas as pd
import pytest

from councilbook.catalogue import FoundFile, TwinRequest, load_catalogue
from councilbook.errors import CheckError
from councilbook.fuel_poverty.programmes import national
from councilbook.fuel_poverty.twin.publications import SCHEME_MONTHS, national_measures
from councilbook.paths import find_workbook
from councilbook.sources.files.readers import convert_types, read_rows

CATALOGUE = load_catalogue(find_workbook(Path(__file__).parent))
SOURCE = CATALOGUE.source("national_energy_measures")


def read_twin(path: Path, seed: int = 1, council: str = "kent_medway") -> pd.DataFrame:
    path.write_bytes(national_measures(SOURCE, TwinRequest(CATALOGUE.council(council), seed)))
    found = FoundFile(SOURCE, path, "twin")
    return convert_types(read_rows(found, SOURCE.table()), SOURCE.table(), found)


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return read_twin(tmp_path_factory.mktemp("national") / SOURCE.file)


def test_the_twin_has_the_files_months_and_blanks_where_a_scheme_did_not_run(twin: pd.DataFrame) -> None:
    assert len(twin) == 111
    assert twin["month"].iloc[[0, -1]].tolist() == ["01/01/2013", "01/03/2022"]
    for column, (first, last, _) in zip(national.SCHEMES, SCHEME_MONTHS.values(), strict=True):
        assert twin[column].notna().sum() == len(pd.period_range(first, last, freq="M"))


def test_the_twin_is_the_same_for_every_council_and_another_for_another_seed(
    tmp_path: Path, twin: pd.DataFrame
) -> None:
    file = tmp_path / SOURCE.file
    assert read_twin(file, council="E06000047").equals(twin)
    assert not read_twin(file, seed=2).equals(twin)


def test_months_become_dates_and_blanks_no_rows(twin: pd.DataFrame) -> None:
    measures = national.prepare_national(twin)
    assert measures["month"].agg(["min", "max"]).tolist() == [pd.Timestamp(2013, 1, 1), pd.Timestamp(2022, 3, 1)]
    assert len(measures) == twin[list(national.SCHEMES)].notna().sum(axis=None)
    assert measures["measures"].sum() == twin["total_measures"].sum()
    assert measures["month"].is_monotonic_increasing
    assert measures["scheme"].unique().tolist()[:3] == list(national.SCHEMES.values())[:3]


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("total_measures", 7, r"do not add up to the total in 1 months, as February 2013 \([\d,]+ and 7\)"),
        ("month", "01/01/2013", "expected each of 111 months once"),
        ("month", "01/04/2022", "expected each of 112 months once, found 111"),
    ],
)
def test_a_series_that_does_not_add_up_or_has_a_gap_is_refused(
    twin: pd.DataFrame, column: str, value: object, message: str
) -> None:
    wrong = twin.copy()
    wrong.loc[wrong.index[1], column] = value
    with pytest.raises(CheckError, match=message):
        national.prepare_national(wrong)


def test_years_are_sums_and_say_how_many_months_they_hold(twin: pd.DataFrame) -> None:
    yearly = national.sum_national(national.prepare_national(twin))
    assert yearly["measures"].sum() == twin["total_measures"].sum()
    assert yearly.drop_duplicates("year").set_index("year")["months"].to_dict() == {
        **dict.fromkeys(range(2013, 2022), 12),
        2022: 3,
    }
    joined = national.join_green_deal(yearly)
    assert joined["year"].max() == 2021
    assert joined["scheme"].unique().tolist() == ["Energy Company Obligation", national.GREEN_DEAL]
    assert joined["measures"].sum() == yearly.loc[yearly["months"] == 12, "measures"].sum()


def test_the_sentence_on_the_national_series_names_the_largest_scheme_and_the_best_year() -> None:
    yearly = pd.DataFrame(
        {
            "year": [2013, 2013, 2014, 2015],
            "scheme": ["Energy Company Obligation", "Green Deal Cashback"] + ["Energy Company Obligation"] * 2,
            "measures": [600_000, 100_000, 900_000, 950_000],
            "months": [12, 12, 12, 3],
        }
    )
    said = national.describe_national(yearly)
    assert "2.5 million measures" in said
    assert "2013 to 2015" in said
    assert "96% of them under the Energy Company Obligation" in said
    assert "900,000, in 2014" in said
