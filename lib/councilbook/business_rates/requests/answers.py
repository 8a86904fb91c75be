"""Answers to what people ask of business rates: dataset, column and ready extract, or why it is kept back."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict

from councilbook.business_rates.requests.matching import Dataset, Match, match_topic
from councilbook.business_rates.requests.rules import Law, cite_decisions, load_rules
from councilbook.errors import CheckError
from councilbook.pages import html
from councilbook.pages.html.wording import label_column

QUESTIONS = Path(__file__).with_name("answers.yaml")
COLUMNS = (
    *("topic", "question", "decision", "answer", "dataset", "dataset_title", "columns", "extract"),
    *("withheld_under", "why", "decisions", "risk", "words"),
)
STATES: Mapping[str, tuple[str, html.BadgeKind]] = {
    "answerable": ("published", "open"),
    "partly": ("published in part", "shared"),
    "not": ("kept back", "closed"),
}
NOT_TOLD: tuple[str, html.BadgeKind] = ("not in this roll", "closed")


class Wording(BaseModel):
    """How people ask for a topic.

    Attributes:
        question: as a reader would put it. words: other words for it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str
    words: tuple[str, ...]


class Wordings(BaseModel):
    """All of answers.yaml: how topics are asked for, words that mean the same, and those that any question may have."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    topics: Mapping[str, Wording]
    synonyms: tuple[tuple[str, ...], ...]
    subject: str


@cache
def load_wordings() -> Wordings:
    """Read answers.yaml.

    Raises:
        CheckError: a topic of foi.yaml has no question, or a question no topic.
    """
    wordings = Wordings.model_validate(yaml.safe_load(QUESTIONS.read_text(encoding="utf-8")))
    if odd := set(wordings.topics) ^ set(load_rules().topics):
        raise CheckError(f"answers.yaml and foi.yaml have not the same topics: {', '.join(sorted(odd))}.")
    return wordings


def make_answers(datasets: Sequence[Dataset], law: Law) -> pd.DataFrame:
    """Answer each topic from what is published.

    Args:
        datasets: what is published, with fields and ready extracts.
        law: the Act that the council is under.

    Returns:
        A row a topic, all of it text, `COLUMNS`: decision is answerable, partly or not; columns, decisions and words
        are joined by `; `; what there is nothing of is blank.
    """
    titles = {one.id: one.title for one in datasets}
    ready = {(one.id, id): title for one in datasets for id, title in one.extracts.items()}
    rows = []
    for topic, wording in load_wordings().topics.items():
        found = match_topic(topic, datasets)
        rows.append(
            {
                "topic": topic,
                "question": wording.question,
                "decision": found.decision,
                "answer": _write_answer(found),
                "dataset": found.dataset,
                "dataset_title": titles.get(found.dataset, ""),
                "columns": "; ".join(found.columns),
                "extract": ready.get((found.dataset, found.extract), ""),
                **_name_grounds(found, law),
                "words": "; ".join([load_rules().topics[topic].words, *wording.words]),
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype="str")


def _name_grounds(found: Match, law: Law) -> dict[str, str]:
    """Name what keeps something back, and, where it is published, the ground on which others refused it."""
    sections = load_rules().sections
    risks = [found.risk] if found.risk and found.decision != "not" else []
    decisions = dict.fromkeys(cite for one in (*found.withheld, *risks) for cite in cite_decisions(one, law))
    return {
        "withheld_under": "; ".join(sections[one].cite(law) for one in found.withheld),
        "why": " ".join(sections[one].why for one in found.withheld),
        "decisions": "; ".join(decisions),
        "risk": " ".join(
            f"Others have refused this{'' if cite_decisions(one, law) else ' in other parts of the United Kingdom'}. "
            f"Under the council's own Act the ground would be {sections[one].cite(law)}. {sections[one].why}"
            for one in risks
        ),
    }


def _write_answer(found: Match) -> str:
    kept = [need for need in found.missing if need not in found.untold]
    if found.decision == "not":
        parts = [f"No, this is not published: {_list(kept)}." if kept else "No."]
    else:
        parts = ["Yes, it is published." if found.decision == "answerable" else "Yes, in part."]
        if found.persons:
            parts.append(f"Kept back where it is a person's: {_list(found.persons)}.")
        if kept:
            parts.append(f"Not published: {_list(kept, ', ')}.")
    if found.untold:
        parts.append(
            f"The roll that is published here does not say this, or not about which ratepayer: {_list(found.untold)}."
        )
    return " ".join(parts)


def _list(needs: Sequence[str], between: str = " and ") -> str:
    return between.join(load_rules().concepts[need].title for need in needs)


def make_entries(answers: pd.DataFrame) -> list[html.Answer]:
    """Make of a table of answers the entries of the answer finder.

    Args:
        answers: from `make_answers`, as it is or read back from a published file.

    Raises:
        CheckError: a column is missing, or a decision is none of answerable, partly and not.
    """
    if absent := [name for name in COLUMNS if name not in answers.columns]:
        raise CheckError(f"The table of answers has no column {', '.join(absent)}.")
    text = answers[list(COLUMNS)].fillna("").astype("str")
    if not text["decision"].isin(list(STATES)).all():
        raise CheckError(f"A decision of the table of answers is none of {', '.join(STATES)}.")
    return [_make_entry({str(name): str(value) for name, value in row.items()}) for row in text.to_dict("records")]


def _make_entry(row: Mapping[str, str]) -> html.Answer:
    facts = {
        "Dataset": row["dataset_title"],
        "Columns": ", ".join(map(label_column, row["columns"].split("; "))),
        "Ready extract": row["extract"],
        "Kept back under": row["withheld_under"],
        "Why": row["why"],
        "Decisions": row["decisions"],
        "Note": row["risk"],
    }
    untold = row["decision"] == "not" and not row["withheld_under"]  # nobody keeps back what a roll does not tell
    return html.Answer(
        row["question"],
        row["answer"],
        {name: value for name, value in facts.items() if value},
        html.badge(*(NOT_TOLD if untold else STATES[row["decision"]])),
        tuple(row["words"].split("; ")),
    )


def show_answers(answers: pd.DataFrame, label: str = "What do you want to know about business rates?") -> html.Html:
    """Show the answer finder: a list of all answers, and, with scripts, a box that finds those that fit a question.

    Args:
        answers: from `make_answers`, as it is or read back from a published file.
        label: of the box.

    Raises:
        CheckError: see `make_entries`.
    """
    wordings = load_wordings()
    return html.answers(
        make_entries(answers), label, synonyms=wordings.synonyms, subject=wordings.subject, name="rates-answers"
    )
