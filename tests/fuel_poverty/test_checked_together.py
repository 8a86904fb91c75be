"""What `councilbook check` says of closed files that each are right: whether a run takes them together."""

from pathlib import Path

import pandas as pd
import pytest

from councilbook.catalogue import StudySpec, load_catalogue
from councilbook.errors import CheckError, NotToldError, TooFewError
from councilbook.fuel_poverty.households import extract
from councilbook.fuel_poverty.programmes import comparisons
from councilbook.paths import find_workbook
from councilbook.running import checking
from kid_like import FEW_PLACES, draw_tables


@pytest.fixture(scope="module")
def spec() -> StudySpec:
    return load_catalogue(find_workbook(Path(__file__).parent)).study("fuel_poverty")


@pytest.fixture
def tables() -> dict[str, pd.DataFrame]:
    drawn = draw_tables(900, seed=3)
    return drawn | {"postcode_directory": FEW_PLACES.assign(latitude=51.0, longitude=1.0)}


def test_records_that_fit_together_are_taken(tables: dict[str, pd.DataFrame]) -> None:
    extract.check_records(tables.__getitem__)
    comparisons.check_records(tables.__getitem__)


def test_records_that_do_not_are_refused_as_a_run_refuses_them(tables: dict[str, pd.DataFrame]) -> None:
    homes, measures, outcomes = (
        tables[name] for name in ("kid_households", "interventions_register", "household_outcomes")
    )
    some = homes.assign(is_fuel_poor=homes["is_fuel_poor"].astype("boolean").mask(homes.index < 5))
    with pytest.raises(CheckError, match="is_fuel_poor in 5 rows not as expected, a value in every row, or in none"):
        extract.check_records((tables | {"kid_households": some}).__getitem__)
    helped = outcomes["household_id"] == measures["household_id"].iloc[0]
    with pytest.raises(CheckError, match="of a household without outcomes; add its outcomes"):
        comparisons.check_records((tables | {"household_outcomes": outcomes[~helped]}).__getitem__)
    with pytest.raises(TooFewError, match="no measure in this council"):
        comparisons.check_records((tables | {"interventions_register": measures.head(0)}).__getitem__)


@pytest.mark.parametrize("notebook", ["4_households", "5_past_programmes"])
def test_the_notebooks_of_closed_records_are_checked_together(spec: StudySpec, notebook: str) -> None:
    module = {"4_households": extract, "5_past_programmes": comparisons}[notebook]
    assert spec.notebooks[notebook].checked_by == f"{module.__name__}:check_records"


class AnyStudy:
    """What a check asks of a study."""

    notebook, load = "part", str

    def __init__(self, optional: bool) -> None:
        self.spec = type("Spec", (), {"notebooks": {"part": type("Part", (), {"optional": optional})}})


@pytest.mark.parametrize(
    ("error", "optional", "ok"),
    [(TooFewError, True, True), (TooFewError, False, False), (NotToldError, True, True), (CheckError, True, False)],
)
def test_a_part_that_a_run_leaves_out_is_said_to_be_left_out_and_is_no_fault(
    error: type[CheckError], optional: bool, ok: bool
) -> None:
    def refuse(_load: object) -> None:
        raise error("There are 3.")

    line = checking._check_together(AnyStudy(optional), refuse)  # type: ignore[arg-type]
    assert line.ok is ok
    assert line.detail == ("this part is left out: There are 3." if ok else "There are 3.")
