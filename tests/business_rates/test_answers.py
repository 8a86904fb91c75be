import json

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from councilbook.business_rates.requests import answers, matching, rules
from councilbook.errors import CheckError, CouncilbookError
from councilbook.pages import html
from councilbook.pages.html import questions
from finder import find_answers, rank_answers

ENTRIES = [
    html.Answer("Which properties are empty?", "In the column is_occupied.", {"Dataset": "Roll"}, words=["to let"]),
    html.Answer("Which accounts are in credit?", "In the extract.", words=["overpayment"]),
    html.Answer("Who pays?", "Companies.", words=["sole trader"]),
]
SYNONYMS = [["empty", "vacant"], ["overpayment", "overpaid"]]
DATASETS = [
    matching.Dataset(
        "roll_open",
        "Business rates, open",
        dict.fromkeys(["property_reference", "rateable_value_gbp", "released_name", "is_occupied"], "text"),
        {"empty_properties": "Empty properties this month"},
    )
]


def rank(question, subject=""):
    return rank_answers(questions.index_answers(ENTRIES, SYNONYMS, subject), question)


@pytest.mark.parametrize(
    ("word", "stem"),
    [
        ("properties", "property"),
        ("businesses", "business"),
        ("business", "business"),
        ("companies", "company"),
        ("reliefs", "relief"),
        ("charges", "charg"),
        ("charging", "charg"),
        ("charged", "charg"),
        ("vacancies", "vacancy"),
        ("rates", "rate"),
        ("ndr", "ndr"),
        ("status", "status"),
    ],
)
def test_plurals_and_endings_come_off(word, stem):
    assert questions.stem_word(word) == stem


@pytest.mark.parametrize(
    ("question", "first"),
    [("empties?", 0), ("VACANT shops", 0), ("overpaid", 1), ("sole traders", 2), ("cred", 1), ("what is to let", 0)],
)
def test_a_question_finds_its_answer_by_plural_synonym_and_beginning(question, first):
    assert rank(question)[0] == first


def test_words_that_say_nothing_and_words_unknown_find_nothing():
    assert rank("which of the") == []
    assert rank("potholes") == []
    assert rank("") == []


def test_words_of_the_subject_tell_no_answer_from_another():
    assert rank("pays", "pay") == [0, 1, 2]
    assert rank("pays credit", "pay") == [1]


def test_accents_and_punctuation_do_not_matter():
    assert questions.read_stems("Café's, ÉLAN!") == ["cafe", "elan"]


@given(st.text())
def test_any_question_ranks_each_answer_at_most_once(question):
    ranked = rank(question)
    assert len(ranked) == len(set(ranked))
    assert set(ranked) <= {0, 1, 2}


def test_a_list_of_answers_is_whole_without_scripts_and_its_index_is_what_python_ranks_by():
    page = BeautifulSoup(html.answers(ENTRIES, "Ask", synonyms=SYNONYMS).text, "html.parser")
    assert [one.get_text(strip=True) for one in page.select(".answer > dt")] == [one.question for one in ENTRIES]
    assert page.select_one(".finder").has_attr("hidden")
    index = json.loads(page.find("script", type="application/json").string)
    assert {stem: [tuple(one) for one in held] for stem, held in index["stems"].items()} == questions.index_answers(
        ENTRIES, SYNONYMS
    )


def test_titles_of_requests_are_text_alone():
    bad = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    text = html.answers([html.Answer(bad, bad, {bad: bad}, words=[bad, "\u2028"])], bad).text
    page = BeautifulSoup(text, "html.parser")
    assert len(page.find_all("script")) == 2
    assert not page.find_all("img")
    assert "alert(1)</script>" not in text
    assert page.select_one(".answer > dt").get_text().strip() == bad


@pytest.mark.parametrize(
    ("entries", "label", "name"),
    [([], "Ask", "a"), (ENTRIES + ENTRIES[:1], "Ask", "a"), (ENTRIES, " ", "a"), (ENTRIES, "Ask", 'a"b')],
)
def test_a_list_that_cannot_be_read_is_refused(entries, label, name):
    with pytest.raises(CouncilbookError):
        html.answers(entries, label, name=name)


def test_two_lists_on_a_page_share_no_id():
    page = BeautifulSoup(
        html.answers(ENTRIES, "Ask", name="one").text + html.answers(ENTRIES, "Ask", name="two").text, "html.parser"
    )
    ids = [one["id"] for one in page.find_all(id=True)]
    assert len(ids) == len(set(ids)) == 10


# --- of business rates ---


def test_every_topic_has_one_answer_of_text_alone():
    table = answers.make_answers(DATASETS, "scotland")
    assert set(table["topic"]) == set(rules.load_rules().topics)
    assert table["question"].is_unique
    assert all(isinstance(value, str) for value in table.to_numpy().ravel())


def test_an_answer_names_dataset_column_and_extract_or_the_section():
    table = answers.make_answers(DATASETS, "england").set_index("topic")
    empty = table.loc["empty_properties"]
    assert (empty["decision"], empty["dataset_title"], empty["extract"]) == (
        "partly",
        "Business rates, open",
        "Empty properties this month",
    )
    assert "is_occupied" in empty["columns"]
    assert "s.31(1)(a)" in empty["risk"]
    credit = table.loc["credit_balances"]
    assert credit["decision"] == "not"
    assert credit["withheld_under"] == "Freedom of Information Act 2000, s.31(1)(a)"
    assert "FS50619844" in credit["decisions"]
    assert "FS50643256" in credit["decisions"]
    name = table.loc["ratepayer_name"]
    assert name["decision"] == "partly"
    assert "s.40(2)" in name["withheld_under"]
    assert "UK GDPR" in name["withheld_under"]


def test_a_table_read_back_from_a_file_shows_the_same(tmp_path):
    table = answers.make_answers(DATASETS, "scotland")
    table.to_csv(tmp_path / "answers.csv", index=False)
    back = pd.read_csv(tmp_path / "answers.csv", dtype="string")
    assert answers.show_answers(back).text == answers.show_answers(table).text


def test_a_table_without_a_column_or_with_another_decision_is_refused():
    table = answers.make_answers(DATASETS, "scotland")
    with pytest.raises(CheckError, match="question"):
        answers.make_entries(table.drop(columns="question"))
    with pytest.raises(CheckError, match="answerable"):
        answers.make_entries(table.assign(decision="perhaps"))


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("sole trader", "ratepayer_name"),
        ("empty shop", "empty_properties"),
        ("have I overpaid", "credit_balances"),
        ("who has not paid", "arrears"),
        ("who owes money", "arrears"),
        ("pubs", "full_property_list"),
        ("takeaways near me", "full_property_list"),
        ("phone numbers", "contact_details"),
        ("new cafés in Motherwell", "new_accounts"),
        ("charities", "reliefs"),
        ("SBBS", "small_business_relief"),
    ],
)
def test_what_people_type_finds_its_topic(question, topic):
    assert find_answers(answers.make_answers(DATASETS, "scotland"), [question])[0][0] == topic
