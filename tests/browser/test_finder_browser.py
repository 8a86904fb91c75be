"""What a young person meets in the options finder, opened from disk with the network off."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from browser.test_report_browser import OPEN_ALL, find_violations, has_no_sideways_scroll, wait_until
from councilbook.careers import finder
from councilbook.careers.finder.page import JOURNEYS
from councilbook.careers.options.scores import match_occupations, score_categories, score_traits
from small_finder import make_tables, write_finder

pytestmark = pytest.mark.browser

SUMS = (Path(finder.__file__).parent / "sums.js").read_text(encoding="utf-8")
READ = "JSON.parse(document.getElementById('{}').textContent)"
DATA = f"const data = {{...{READ.format('finder-data')}, ...{READ.format('finder-jobs')}}};"
STATE = "#you?by=cycle&far=90&level=2&likes=4321044444&good=1.2&pick=100003.F1000001-1"
MOST_TABS = 90

Open = Callable[..., Any]  # the visit fixture: opens a file, and returns a conftest.Visit


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return make_tables(postcodes=1_100)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, tables: Mapping[str, pd.DataFrame]) -> Path:
    return write_finder(tmp_path_factory.mktemp("finder"), tables)


def wait_for_journeys(page: Any) -> None:
    wait_until(page, "document.getElementById('results').ariaBusy !== 'true'")


def open_at(visit: Open, file: Path, fragment: str, width: int = 1280, **options: Any) -> Any:
    """Open the page as a bookmark with a fragment would."""
    opened = visit(file, width, **options)
    opened.page.goto(file.as_uri() + fragment)
    opened.page.reload()
    wait_for_journeys(opened.page)
    return opened


def type_home(page: Any, postcode: str) -> str:
    page.fill("#home", postcode)
    page.press("#home", "Enter")
    wait_for_journeys(page)
    said: str = page.inner_text("#home-says")
    return said


@pytest.mark.parametrize("fragment", ["", f"{STATE}&home=ZZ10AA"])
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (320, "dark")])
def test_it_has_no_fault_and_asks_for_itself_alone(
    visit: Open, town: Path, width: int, scheme: str, fragment: str
) -> None:
    opened = open_at(visit, town, fragment, width, color_scheme=scheme)
    opened.page.evaluate(OPEN_ALL)
    wait_until(opened.page, "document.querySelectorAll('.strengths input').length > 5")

    assert find_violations(opened.page) == []
    assert has_no_sideways_scroll(opened.page)
    assert {url.partition("#")[0] for url in opened.requests if not url.startswith("data:")} == {town.as_uri()}
    assert opened.complaints == []


def test_every_figure_that_is_shown_is_that_of_the_table(
    visit: Open, town: Path, tables: Mapping[str, pd.DataFrame]
) -> None:
    page = visit(town).page
    read = page.evaluate(
        f"""async () => {{ {SUMS}
            const journeys = openJourneys(document.getElementById("finder-journeys").textContent);
            const found = [];
            for (const code of journeys.postcodes.split("\\n")) {{
                const ways = await readJourneys(journeys, code);
                found.push(...[...ways].map(([site, way]) => [code, site, ...Object.values(way)]));
            }}
            return found;
        }}"""
    )
    found = pd.DataFrame(
        read, columns=["postcode", "site_id", "walk", "cycle", "drive", "transit", "slow", "rides", "last"]
    )
    table = tables[JOURNEYS]
    clock = table["last_home_time"].str.split(":", expand=True).astype("int64")
    by_transit = table["transit_median_minutes"] <= 180
    expected = pd.DataFrame(
        {
            "postcode": table["postcode"].str.replace(" ", ""),
            "site_id": table["site_id"],
            "walk": table["walk_minutes"].where(table["walk_minutes"] <= 60),
            "cycle": table["cycle_minutes"].where(table["cycle_minutes"] <= 60),
            "drive": table["drive_minutes"].where(table["drive_minutes"] <= 90),
            "transit": table["transit_median_minutes"].where(by_transit),
            "slow": table["transit_p90_minutes"].where(by_transit),
            "rides": table["rides"].where(by_transit),
            "last": clock[0] * 60 + clock[1],
        }
    )
    keys = ["postcode", "site_id"]
    one, other = (frame.set_index(keys).sort_index().astype("float64") for frame in (found, expected))
    pd.testing.assert_frame_equal(one, other, check_index_type=False)


def test_scores_and_places_are_those_of_the_same_sums_in_python(
    visit: Open, town: Path, tables: Mapping[str, pd.DataFrame]
) -> None:
    page = visit(town).page
    statements, families = tables["careers_interests"], tables["careers_interest_categories"]
    occupations, skills = tables["careers_occupations"], tables["careers_occupation_skills"]
    names = page.evaluate(f"() => {{ {DATA} return data.skills.map(([name]) => name); }}")
    rng = np.random.default_rng(6)
    for trial in range(40):
        ticked = list(rng.choice(len(names), trial % 6, replace=False))
        answers = [int(one) if one < 3 else None for one in rng.integers(-2, 5 if trial % 4 else 3, len(statements))]
        found = page.evaluate(
            f"""([likes, good]) => {{ {SUMS} {DATA}
                const found = scoreJobs(data, likes, new Set(good));
                return found.map(one => [one.job.title, one.score, one.place, one.sharing]);
            }}""",
            [answers, [int(one) for one in ticked]],
        )
        given = pd.Series(answers, index=statements["statement"], dtype="float64")
        liked = score_categories(families, score_traits(statements, given))
        expected = match_occupations(occupations, skills, [names[one] for one in ticked], liked)
        expected = expected.dropna(subset=["score"])  # those of which nothing is known come last there, and not here
        sharing = expected["last_place"] - expected["first_place"] + 1
        assert [one[0] for one in found] == list(expected["title"])
        assert [one[1] for one in found] == pytest.approx(list(expected["score"]), abs=1e-9)
        assert [one[2:] for one in found] == [list(pair) for pair in zip(expected["first_place"], sharing, strict=True)]


def test_places_come_in_order_of_the_way_there_with_reasons_and_the_last_way_home(
    visit: Open, town: Path, tables: Mapping[str, pd.DataFrame]
) -> None:
    page = visit(town).page
    assert type_home(page, "zz1 0aa") == "Journeys are from ZZ1 0AA."
    own = tables[JOURNEYS].query("postcode == 'ZZ1 0AA'").set_index("site_id")
    first = own["transit_median_minutes"].astype(int).idxmin()
    name = tables["careers_places"].set_index("site_id")["name"][first]
    text = page.inner_text("#places-list > li:first-child")
    assert text.startswith(f"1. {name}")
    assert f"{own['transit_median_minutes'][first]} minutes by bus or train" in text
    assert f"On a slow morning {own['transit_p90_minutes'][first]}." in text
    assert f"Last way home: leave at {own['last_home_time'][first]}." in text
    assert "Why: It is within the 60 minutes that you would travel." in text
    assert "Ask first:" in text
    page.select_option("#by", "walk")
    minutes = [int(one) for one in re.findall(r"^(\d+) minutes on foot", page.inner_text("#places-list"), re.MULTILINE)]
    assert minutes == sorted(minutes) and minutes[0] == own["walk_minutes"].min()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("DN1", "“DN1” is not a whole postcode."),
        ("<b>here</b>", "is not a whole postcode."),
        ("dn11aa", "DN1 1AA is not one of the 1,100 postcodes of this page."),
        ("", ""),
    ],
)
def test_a_wrong_or_far_postcode_gets_a_sentence(visit: Open, town: Path, typed: str, said: str) -> None:
    page = visit(town).page
    assert said in type_home(page, typed)
    assert page.get_attribute("#home", "aria-invalid") == ("true" if typed else "false")
    assert page.locator("#places-list > li").count() > 5


def test_an_advert_with_two_addresses_counts_once(visit: Open, tmp_path: Path) -> None:
    adverts = make_tables()["careers_vacancies"]
    twice = adverts.assign(vacancy_id=["1000001", "1000001", "1000003"], address_number=[1, 2, 1])
    page = visit(write_finder(tmp_path, make_tables(careers_vacancies=twice))).page
    wait_for_journeys(page)
    assert "Here are 2 adverts that were open" in page.inner_text("#main")
    assert "2 apprenticeships" in page.inner_text("#found")


def test_the_postcode_is_in_the_address_only_when_its_box_is_ticked_and_is_kept_nowhere(
    visit: Open, town: Path
) -> None:
    page = visit(town).page
    type_home(page, "ZZ1 0AA")
    page.select_option("#by", "cycle")
    assert "by=cycle" in page.url and "ZZ1" not in page.url
    page.check("#keep-home")
    assert "home=ZZ10AA" in page.url
    page.uncheck("#keep-home")
    assert "ZZ1" not in page.url
    kept = page.evaluate(
        "JSON.stringify([document.title, document.cookie, {...localStorage}, {...sessionStorage}, history.state])"
    )
    assert "ZZ1" not in kept and kept.endswith('"",{},{},null]')
    assert page.get_attribute("#home", "autocomplete") == "off"


def test_a_reload_and_the_back_button_keep_what_was_said(visit: Open, town: Path) -> None:
    page = open_at(visit, town, f"{STATE}&home=ZZ10AA").page

    def read() -> list[Any]:
        page.evaluate(OPEN_ALL)
        wait_until(page, "document.querySelectorAll('.scale input').length > 5")
        values = [page.input_value(f"#{name}") for name in ("by", "far", "level", "home")]
        likes = page.evaluate("[...document.querySelectorAll('.scale input:checked')].map(one => one.value)")
        return [
            *values,
            likes,
            page.locator(".strengths input:checked").count(),
            page.locator("#compare thead th").count(),
        ]

    said = read()
    assert said == ["cycle", "90", "2", "ZZ10AA", ["2", "1", "0", "-1", "-2", "2", "2", "2", "2", "2"], 2, 3]
    page.reload()
    wait_for_journeys(page)
    assert read() == said
    page.select_option("#by", "walk")
    page.select_option("#level", "3")
    page.go_back()
    assert (page.input_value("#by"), page.input_value("#level")) == ("walk", "2")
    page.go_back()
    assert read() == said
    page.focus(".skip")
    page.keyboard.press("Enter")
    assert read() == said
    assert page.url.endswith(f"{STATE}&home=ZZ10AA")


def test_an_address_that_somebody_changed_does_no_harm(visit: Open, town: Path) -> None:
    wrong = "#you?by=rocket&far=7&level=x&likes=9z!&good=1.77.-3.%00&pick=nobody.100003.100003&home=<b>"
    opened = open_at(visit, town, wrong)
    page = opened.page
    assert [page.input_value(f"#{name}") for name in ("by", "far", "level")] == ["transit", "60", "0"]
    assert page.locator("#compare thead th").count() == 2
    assert "is not a whole postcode" in page.inner_text("#home-says")
    assert opened.complaints == []


def test_three_choices_are_compared_and_a_fourth_is_refused_in_words(visit: Open, town: Path) -> None:
    page = visit(town, 320).page
    type_home(page, "ZZ1 0AA")
    boxes = page.locator("#places-list .keep input")
    for one in range(3):
        boxes.nth(one).check()
    boxes.nth(3).click()
    assert not boxes.nth(3).is_checked()
    assert page.inner_text("#found") == "You have 3 choices already. Take one away first."
    assert page.locator("#compare thead th").count() == 4
    assert page.locator("#compare tbody th").all_inner_texts() == [
        "What it is", "Address", "The way there", "Why it is here", "Ask first",
    ]  # fmt: skip
    page.click("#see")
    assert page.evaluate("document.activeElement.id") == "picks"
    assert has_no_sideways_scroll(page)
    page.click("#drop")
    assert not page.is_visible("#picked")


def test_all_of_it_can_be_done_with_the_keyboard_at_320_pixels(visit: Open, town: Path) -> None:
    page = visit(town, 320).page
    wait_until(page, "!document.getElementById('finder').hidden")

    def tab_to(selector: str) -> None:
        for _ in range(MOST_TABS):
            page.keyboard.press("Tab")
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                assert page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)") >= 2
                return
        raise AssertionError(f"the tab key never came to {selector}")

    tab_to("#home")
    page.keyboard.type("ZZ1 0AA")
    tab_to("#by")
    wait_until(page, "document.getElementById('home-says').textContent.startsWith('Journeys are from')")
    page.keyboard.press("ArrowDown")
    tab_to("#likes summary")
    page.keyboard.press("Enter")
    for statement in range(5, 9):
        tab_to(f"input[name='like-{statement}']")
        page.keyboard.press("ArrowLeft")  # round to the last, which is Yes
    tab_to("#good-at summary")
    page.keyboard.press("Enter")
    tab_to(".strengths input")
    page.keyboard.press("Space")
    tab_to("#places-list .keep input")
    page.keyboard.press("Space")
    tab_to("#see")
    page.keyboard.press("Enter")
    tab_to("#print")

    page.evaluate("document.querySelector('#jobs-list a').focus()")
    tab_to("#jobs-list li:last-child button")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.matches('#jobs-list > li:nth-child(7)')")
    assert "by=walk" in page.url and "good=" in page.url and "pick=" in page.url
    assert "Your answers go with Healthcare." in page.inner_text("#jobs-list")
    assert page.is_visible("#compare table")


def test_jobs_wait_for_an_answer_and_ties_are_said(visit: Open, town: Path) -> None:
    page = visit(town).page
    assert page.inner_text("#jobs-list").startswith("Answer three statements or more of one kind, or tick a strength")
    page.evaluate("document.getElementById('good-at').open = true")
    wait_until(page, "document.querySelectorAll('.strengths input').length > 5")
    page.locator(".strengths input").first.check()
    text = page.inner_text("#jobs-list")
    assert "It needs 1 of your 1 strength" in text
    assert re.search(r"\d+ other jobs? fits? just as well", text)


def test_without_scripts_the_list_of_places_is_there(visit: Open, town: Path) -> None:
    page = visit(town, java_script_enabled=False).page
    assert not page.is_visible("#home")
    assert page.is_visible("text=The finder needs scripts")
    page.click("#all-places")
    assert page.is_visible("text=Seaford College 1: further education college. 1 Long Road, Seaford, ZZ1 0AA.")


def test_a_browser_that_cannot_unpack_says_so_and_shows_the_rest(visit: Open, town: Path) -> None:
    page = visit(town, first="delete window.DecompressionStream").page
    wait_until(page, "!document.getElementById('too-old').hidden")
    assert page.locator("#places-list > li").count() > 5
    assert type_home(page, "ZZ1 0AA") == "This browser cannot unpack the journeys."


def test_what_is_printed_are_the_choices_with_address_way_and_question(visit: Open, town: Path) -> None:
    page = open_at(visit, town, "#you?pick=100003.F1000001-1&home=ZZ10AA").page
    page.emulate_media(media="print")
    shown = page.inner_text("main")
    assert "4 Long Road" in shown and "Last way home: leave at" in shown and "Is it still open" in shown
    assert not page.is_visible("#places-list") and not page.is_visible("#home")
    page.goto(town.as_uri())
    page.emulate_media(media="print")
    assert page.is_visible("#places-list")


@pytest.mark.parametrize("without", [JOURNEYS, "careers_occupations", "careers_vacancies"])
def test_it_works_without_what_a_run_does_not_have(visit: Open, tmp_path: Path, without: str) -> None:
    file = write_finder(tmp_path, make_tables(**{without: None}), timetables=["rail_timetable"])
    opened = visit(file)
    wait_until(opened.page, "!document.getElementById('finder').hidden")
    assert find_violations(opened.page) == []
    assert opened.page.locator("#places-list > li").count() > 5
    assert opened.complaints == []
