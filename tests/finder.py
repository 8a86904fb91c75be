"""The answer finder as the page runs it, without a page."""

import re
from collections.abc import Sequence

import pandas as pd

from councilbook.business_rates.requests.answers import load_wordings, make_entries
from councilbook.pages import html


def find_answers(answers: pd.DataFrame, questions: Sequence[str]) -> list[list[str]]:
    """Find the topics that answer each question, the best first."""
    wordings = load_wordings()
    index = html.index_answers(make_entries(answers), wordings.synonyms, wordings.subject)
    topics = answers["topic"].tolist()
    return [[topics[number] for number in html.rank_answers(index, question)] for question in questions]


def count_found(answers: pd.DataFrame, requests: pd.DataFrame, best: int) -> int:
    """Count the requests of which the main topic is among the best answers; nobody types a decision's number."""
    questions = [re.sub(r"^Decision \d+/\d{4}:\s*", "", title) for title in requests["title"]]
    found = find_answers(answers, questions)
    return sum(wanted[0] in topics[:best] for topics, wanted in zip(found, requests["labels"], strict=True))
