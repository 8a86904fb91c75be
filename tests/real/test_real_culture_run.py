"""The whole culture study on the publishers' own files: what its page says, and what it does not."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from councilbook.paths import Workbook, place_outputs
from whole_workbook import copy_workbook, run_councilbook

pytestmark = pytest.mark.real
COUNCILS = {"waltham_forest": "Waltham Forest", "leeds": "Leeds"}


@pytest.fixture(scope="module")
def workbook(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbook]:
    book = copy_workbook(tmp_path_factory.mktemp("culture"))
    real = "--data", "real", "--mirror", str(mirror), "--council", ",".join(COUNCILS), "--jobs", "2"
    done = run_councilbook(book, "run", "culture", *real)
    assert done.returncode == 3, done.stdout + done.stderr  # the museum's own files are in no mirror
    yield book


def read_page(workbook: Workbook, council: str) -> str:
    page = workbook.reports / place_outputs("culture", council, "real") / "index.html"
    return " ".join(BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").get_text(" ").split())


@pytest.mark.parametrize(
    "said",
    [
        "59.9% of adults in Waltham Forest attended or took part in culture in 2018/19",
        "169th of 317 authorities",
        "Waltham Forest has 22 venues: 4 museums, 10 libraries, 5 theatres and 3 music venues",
        "Walthamstow Central, with 13,349,683 entries and exits in 2023, counted once",
        "41.0 km of Cycleways, in 15 lines",
        "270 project grants, £5,275,178 in all",
        "In 869 of 869 rows the two positions contradict each other, by 125 to 249 metres",
        "E01004409 (it lies in this one, decile 3 of deprivation)",
        "E01004410 (21 metres away, decile 2 of deprivation)",
        "E01004412 (23 metres away, decile 5 of deprivation)",
        "49.1% of adults went to the cinema in a year",
        "In the most deprived tenth of areas 39.3% did, in the least deprived tenth 57.7%",
        "The log of sights in Japan must not be used to count visitors or journeys",
        "Draft: waits for approval by the Head of culture",
        "Not on this page: How a venue is really used",
    ],
)
def test_the_page_of_waltham_forest_says(workbook: Workbook, said: str) -> None:
    assert said in read_page(workbook, "waltham_forest")


def test_the_page_of_a_council_outside_london_says_what_is_missing_and_shows_no_zero(workbook: Workbook) -> None:
    page = read_page(workbook, "leeds")
    assert "No list here names any libraries, theatres or music venues." in page and "is no zero." in page
    assert "0 stations" not in page
    assert "62.2% of adults in Leeds" in page


def test_what_rests_on_a_file_without_a_licence_is_not_offered(workbook: Workbook) -> None:
    for council in COUNCILS:
        offered = {
            path.name for path in (workbook.reports / place_outputs("culture", council, "real") / "data").iterdir()
        }
        assert not offered & {"culture_engagement", "culture_authorities", "culture_published", "culture_hotspots"}
        assert "culture_funding" in offered
