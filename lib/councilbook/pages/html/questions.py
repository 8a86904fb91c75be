"""Questions and their answers, as a list that can be searched."""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import markupsafe

from councilbook.errors import CouncilbookError
from councilbook.pages.html.pieces import Html, embed_json, render_template

WORDS_THAT_SAY_LITTLE = """
a about am an and any are as at be been but by can could did do does for from get give had has have how i if in
is it its many me much my of on or our please so tell that the their them there these they this to was we were
what when where which who whose why will with would you your
"""
SKIPPED = frozenset(WORDS_THAT_SAY_LITTLE.split())
PREFIX_WEIGHT = 0.6  # of a word that only begins like the one typed
SUBJECT_WEIGHT = 0.1  # of a word that every question of a list may have
LEAST_SHARE = 0.35  # of the best answer's points, below which an answer is not shown


@dataclass(frozen=True)
class Answer:
    """A question with its answer, for a list that can be searched.

    Attributes:
        question, answer: text, or `Html`.
        facts: what belongs to the answer, name to value.
        state: a badge beside the question.
        words: other words that a reader may use for it.
    """

    question: str | Html
    answer: str | Html
    facts: Mapping[str, object] = field(default_factory=dict)
    state: Html | None = None
    words: Sequence[str] = ()


AnswerIndex = dict[str, list[tuple[int, float]]]


def answers(
    entries: Sequence[Answer],
    label: str,
    *,
    synonyms: Iterable[Sequence[str]] = (),
    subject: str = "",
    name: str = "answers",
) -> Html:
    """Write questions and answers as a list that is whole without scripts; with them, a box finds what fits a question.

    What is typed stays in the page. The index of words is made here; the page only adds up its weights.

    Args:
        entries: in the order in which they are read.
        label: of the box, as `What do you want to know?`.
        synonyms: groups of words that mean the same.
        subject: words of what all of them are about, which tell none from another.
        name: what the ids begin with; two lists on a page want two names.

    Raises:
        CouncilbookError: there is no entry, a question is there twice or empty, or the name is no id.
    """
    questions = [str(entry.question).strip() for entry in entries]
    if not questions or not all(questions) or len(set(questions)) < len(questions) or not label.strip():
        raise CouncilbookError("A list of answers needs a label, and questions that are neither empty nor there twice.")
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise CouncilbookError(f"{name!r} cannot begin an id; use small letters, digits and hyphens.")
    index = {
        "stems": index_answers(entries, synonyms, subject),
        "skip": sorted(SKIPPED),
        "prefix": PREFIX_WEIGHT,
        "least": LEAST_SHARE,
    }
    return render_template("answers.html.j2", entries=entries, label=label, list_id=name, index=embed_json(index))


def index_answers(entries: Sequence[Answer], synonyms: Iterable[Sequence[str]] = (), subject: str = "") -> AnswerIndex:
    """Index the words of answers: a rare word, or one of the question, weighs more.

    The weight is the field's times the inverse document frequency (Sparck Jones 1972, J. Documentation 28, 11-21).

    Args:
        entries, synonyms, subject: see `answers`.

    Returns:
        Stem to the numbers of the entries that have it, with its weight in each.
    """
    alike = join_synonyms(synonyms)
    weights: dict[str, dict[int, float]] = {}
    for number, entry in enumerate(entries):
        facts = " ".join(str(value) for value in entry.facts.values())
        fields = ((str(entry.question), 3.0), (" ".join(entry.words), 2.0), (str(entry.answer), 0.5), (facts, 0.5))
        for text, weight in fields:
            for stem in dict.fromkeys(read_stems(markupsafe.Markup(text).striptags())):
                for other, share in ((stem, 1.0), *((one, 0.7) for one in alike.get(stem, ()))):
                    held = weights.setdefault(other, {})
                    held[number] = max(held.get(number, 0.0), weight * share)
    index = {
        stem: [(number, round(weight * math.log(1 + len(entries) / len(held)), 3)) for number, weight in held.items()]
        for stem, held in sorted(weights.items())
    }
    return index | {stem: [(number, SUBJECT_WEIGHT) for number in range(len(entries))] for stem in read_stems(subject)}


def join_synonyms(groups: Iterable[Sequence[str]]) -> dict[str, list[str]]:
    """List for each stem of groups of words that mean the same the stems of the others."""
    alike: dict[str, list[str]] = {}
    for group in groups:
        stems = list(dict.fromkeys(stem for word in group for stem in read_stems(word)))
        for stem in stems:
            alike.setdefault(stem, []).extend(one for one in stems if one != stem)
    return alike


def read_stems(text: str) -> list[str]:
    """Read the words of a text that say something, in small letters, without accents and the endings of plurals."""
    bare = "".join(one for one in unicodedata.normalize("NFD", text) if unicodedata.category(one)[0] != "M")
    return [stem_word(word) for word in re.findall(r"[^\W_]{2,}", bare.lower()) if word not in SKIPPED]


def stem_word(word: str) -> str:
    """Take off a plural, -ing, -ed and a last e; a few letters are left alone. The page has the same lines."""
    if len(word) < 4:
        return word
    if word.endswith("ies"):
        word = word[:-3] + "y"
    elif re.search(r"[^sui]s\Z", word):
        word = word[:-1]
    if word.endswith("ing") and len(word) > 5:
        word = word[:-3]
    elif word.endswith("ed") and len(word) > 4:
        word = word[:-2]
    return word[:-1] if word.endswith("e") and len(word) > 4 else word
