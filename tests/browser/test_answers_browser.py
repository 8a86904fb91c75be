"""The answer finder as readers use it: by typing, by keyboard, on a narrow screen, without scripts, on paper."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from browser.test_figures_browser import SMALLEST_TARGET, SPACED_TEXT
from browser.test_report_browser import find_violations, has_no_sideways_scroll
from councilbook.pages.html.questions import AnswerIndex
from finder import rank_answers

pytestmark = pytest.mark.browser

Open = Callable[..., Any]
MARKUP = "</script><script>window.hit = 1</script><b>bold</b>"
QUESTIONS = ["Which properties are empty", "Which accounts are in credit", "Who is the ratepayer", MARKUP]


def ask(page: Any, question: str) -> list[str]:
    """Type a question, and read the answers that are shown."""
    page.fill("#answers-words", question)
    page.wait_for_timeout(300)
    return [one.split("?")[0] for one in page.locator(".answer:visible > dt").all_inner_texts()]


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("empty shop", 0),
        ("VACANT SHOPS", 0),
        ("unoccupied premises", 0),
        ("what have we overpaid", 1),
        ("sole traders", 2),
        ("cafe owners", 2),
        ("ratepa", 2),  # the beginning of a word
    ],
)
def test_a_question_brings_its_answer_first(visit: Open, answers_file: Path, question: str, first: int) -> None:
    page = visit(answers_file).page
    assert ask(page, question)[0] == QUESTIONS[first]
    assert "the best first" in page.inner_text("#answers-found")


def test_the_page_ranks_as_the_finder_without_a_page_does(
    visit: Open, answers_file: Path, answers_index: AnswerIndex
) -> None:
    page = visit(answers_file).page
    for question in [
        "empty",
        "ratepayers",
        "publish",
        "companies",
        "emptied",
        "rates",
        "overpaying",
        "bus",
        "credits 38",
    ]:
        ranked = rank_answers(answers_index, question)
        assert ask(page, question) == [QUESTIONS[number] for number in ranked], question


def test_what_nothing_answers_is_said(visit: Open, answers_file: Path) -> None:
    page = visit(answers_file).page
    assert ask(page, "potholes") == []
    assert page.inner_text("#answers-found").startswith("No answer to that here.")
    assert len(ask(page, "empty potholes")) == 1
    assert page.inner_text("#answers-found") == "1 of 4 answers, the best first. Nothing here on: potholes."
    assert ask(page, "") == []  # folded again
    assert page.inner_text("#answers-found") == ""


def test_titles_are_text_and_what_is_typed_too(visit: Open, answers_file: Path) -> None:
    opened = visit(answers_file)
    page = opened.page
    ask(page, "<img src=x onerror='window.hit=3'> </script>")
    assert page.evaluate("window.hit") is None
    assert page.locator(".answers b, .answers img").count() == 0
    assert opened.complaints == []
    assert opened.requests == [answers_file.as_uri()]


def test_without_scripts_every_answer_is_there_and_no_box(visit: Open, answers_file: Path) -> None:
    page = visit(answers_file, java_script_enabled=False).page
    page.get_by_text("All 4 questions and answers").click()
    assert page.locator(".answer:visible").count() == 4
    assert not page.locator("#answers").is_visible()
    section = page.locator(".answer >> text=s.38(1)(b)")
    assert not section.is_visible()
    page.locator(".answer:has-text('s.38(1)(b)') summary").click()
    assert section.is_visible()


def test_the_best_answer_is_opened_and_the_others_can_be(visit: Open, answers_file: Path) -> None:
    page = visit(answers_file).page
    assert page.locator(".answer details[open]").count() == 0
    ask(page, "empty, or whose ratepayer")
    assert page.locator(".answer:visible details").count() > 1
    assert page.locator(".answer details[open]").count() == 1
    assert page.locator(".answer:visible").first.locator("details[open]").count() == 1
    ask(page, "")
    assert page.locator(".answer details[open]").count() == 0


def test_paper_shows_every_answer(visit: Open, answers_file: Path) -> None:
    page = visit(answers_file).page
    ask(page, "empty")
    assert page.locator(".answer:visible").count() == 1
    page.emulate_media(media="print")
    assert page.locator(".answer:visible").count() == 4
    assert page.locator(".answer >> text=s.38(1)(b)").is_visible()
    assert not page.locator("#answers").is_visible()


def test_the_box_is_named_and_reached_by_the_tab_key(visit: Open, answers_file: Path) -> None:
    page = visit(answers_file).page
    box = page.get_by_role("search", name="What do you want to know?").get_by_role("searchbox")
    assert box.count() == 1
    assert page.get_by_label("What do you want to know?").count() >= 1
    page.focus("#main")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "answers-words":
            break
    assert page.evaluate("document.activeElement.id") == "answers-words"
    page.keyboard.type("credit")
    page.wait_for_timeout(300)
    assert page.evaluate("document.activeElement.id") == "answers-words"
    assert page.locator("#answers-found[role=status]").inner_text() == "1 of 4 answers, the best first."


@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_no_fault_and_nothing_scrolls_sideways(visit: Open, answers_file: Path, width: int) -> None:
    page = visit(answers_file, width).page
    assert find_violations(page) == []
    assert has_no_sideways_scroll(page)
    ask(page, "sole trader")
    assert find_violations(page) == []
    page.add_style_tag(content=SPACED_TEXT)
    assert has_no_sideways_scroll(page)
    box = page.locator("#answers-words").bounding_box()
    assert min(box["width"], box["height"]) >= SMALLEST_TARGET
