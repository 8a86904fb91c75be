"""The answer finder as the page runs it, without a page."""

import re
from collections.abc import Sequence

import pandas as pd

from councilbook.business_rates.requests.answers import load_wordings, make_entries
from councilbook.pages.html.questions import LEAST_SHARE, PREFIX_WEIGHT, AnswerIndex, index_answers, read_stems


def rank_answers(index: AnswerIndex, question: str) -> list[int]:
    """Rank answers as the page does: the numbers of those that it shows for a question, the best first.

    Args:
        index: from `index_answers`.
        question: what a reader types.
    """
    points: dict[int, float] = {}
    for stem in dict.fromkeys(read_stems(question)):
        for number, weight in _find_postings(index, stem).items():
            points[number] = points.get(number, 0.0) + weight
    bar = LEAST_SHARE * max(points.values(), default=0.0)
    shown = [(number, weight) for number, weight in points.items() if weight >= bar]
    return [number for number, _ in sorted(shown, key=lambda one: (-one[1], one[0]))]


def _find_postings(index: AnswerIndex, stem: str) -> dict[int, float]:
    if stem in index:
        return dict(index[stem])
    found: dict[int, float] = {}
    for other, places in index.items() if len(stem) > 2 else ():
        if other.startswith(stem):
            for number, weight in places:
                found[number] = max(found.get(number, 0.0), weight * PREFIX_WEIGHT)
    return found


def find_answers(answers: pd.DataFrame, questions: Sequence[str]) -> list[list[str]]:
    """Find the topics that answer each question, the best first."""
    wordings = load_wordings()
    index = index_answers(make_entries(answers), wordings.synonyms, wordings.subject)
    topics = answers["topic"].tolist()
    return [[topics[number] for number in rank_answers(index, question)] for question in questions]


def count_found(answers: pd.DataFrame, requests: pd.DataFrame, best: int) -> int:
    """Count the requests of which the main topic is among the best answers; nobody types a decision's number."""
    questions = [re.sub(r"^Decision \d+/\d{4}:\s*", "", title) for title in requests["title"]]
    found = find_answers(answers, questions)
    return sum(wanted[0] in topics[:best] for topics, wanted in zip(found, requests["labels"], strict=True))
