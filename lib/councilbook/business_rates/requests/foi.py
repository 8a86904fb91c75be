"""Requests for information on business rates: what they ask for, and what a published dataset would answer.

The kinds of request, the columns that answer each, the sections of both Acts and the decisions on them are in
`foi.yaml`. Titles of requests may name people: they are shown as text alone, and no message repeats one.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal, Self

import numpy as np
import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, model_validator
from sklearn.feature_extraction.text import TfidfVectorizer
from statsmodels.stats.proportion import proportion_confint

from councilbook.errors import CheckError, suggest
from councilbook.sources.checks import list_rows

RULES = Path(__file__).with_name("foi.yaml")
HELD_OUT = Path(__file__).with_name("foi_held_out.yaml")
DATES = ("date_received", "date_responded")
FEWEST_SHARED = 0.05  # cosine below which a title is like nothing that is known
NO_DATASET = ""

Law = Literal["scotland", "england"]
Decision = Literal["answerable", "partly", "not"]


# --- the rules ---


class Concept(BaseModel):
    """Something that a request asks for, and the columns that hold it.

    Attributes:
        personal: whether some of its values are a living person's, and kept back where it is published.
        every: whether all of its columns belong to it, and not the first that is there alone.
        absent: the section under which it is kept back where it is not published.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fields: tuple[str, ...]
    title: str
    personal: bool = False
    every: bool = False
    absent: str = "not_held"


class Topic(BaseModel):
    """A kind of request: how its title reads, and what answers it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    words: str
    patterns: tuple[re.Pattern[str], ...]
    needs: tuple[str, ...]
    extract: str = ""
    risk: str = ""
    also: str = ""


class Section(BaseModel):
    """A ground for keeping something back, in the Scottish Act and in the one for the rest of the United Kingdom."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    scotland: str
    england: str
    short: Mapping[str, str]
    why: str
    also: str = ""

    def cite(self, law: Law) -> str:
        """Name the section, and what else it rests on."""
        named = self.scotland if law == "scotland" else self.england
        return f"{named}; {self.also}" if self.also else named


class Ruling(BaseModel):
    """What a commissioner or tribunal has said of business rates."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cite: str
    law: Law
    holds: tuple[str, ...]
    says: str


class Rules(BaseModel):
    """All of foi.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    detector: Mapping[str, tuple[re.Pattern[str], ...]]
    concepts: Mapping[str, Concept]
    topics: Mapping[str, Topic]
    labels: Mapping[str, str]
    outcomes: Mapping[str, str]
    scottish: frozenset[str]
    sections: Mapping[str, Section]
    decisions: Mapping[str, Ruling]

    @model_validator(mode="after")
    def _check(self) -> Self:
        named = {
            "concepts": {need for topic in self.topics.values() for need in topic.needs},
            "sections": {
                *(concept.absent for concept in self.concepts.values()),
                *(one for topic in self.topics.values() for one in (topic.risk, topic.also) if one),
                *(one for ruling in self.decisions.values() for one in ruling.holds),
            },
            "topics": {label for label in self.labels.values() if label},
        }
        for kind, names in named.items():
            if unknown := names - set(getattr(self, kind)):
                raise ValueError(f"{kind} has no {', '.join(sorted(unknown))}")
        return self


@cache
def load_rules() -> Rules:
    """Read foi.yaml: topics, what answers them, sections and decisions.

    Raises:
        ValueError: the file names a concept, section or topic that it does not have.
    """
    return Rules(**yaml.safe_load(RULES.read_text(encoding="utf-8")))


def name_law(council_code: str) -> Law:
    """Tell by a council's GSS code which Act it is under: the Scottish one, or that of the rest of the United Kingdom.

    Raises:
        CheckError: the code begins with none of S, E, W and N.
    """
    if council_code[:1] not in ("S", "E", "W", "N"):
        raise CheckError(f"{council_code!r} is no GSS code of a council; expected one as S12000050 or E08000032.")
    return "scotland" if council_code[0] == "S" else "england"


def shorten_council(name: str) -> str:
    """Shorten a council's name to the words in which lists agree: `City of York Council` and `York City Council`."""
    words = re.sub(r"[^a-z ]", " ", name.casefold()).split()
    return " ".join(word for word in words if not re.fullmatch(_GENERIC, word))


_GENERIC = r"counci?l?|borough|city|district|county|metropolitan|metroplitan|royal|london|the|of|and|unitary|authority"


def cite_decisions(section: str, law: Law) -> list[str]:
    """List what commissioners and tribunals under a law have said that bears on a section of `foi.yaml`.

    Raises:
        CheckError: there is no such section.
    """
    rules = load_rules()
    if section not in rules.sections:
        raise CheckError(f"There is no section {section}.{suggest(section, rules.sections)}")
    return [one.cite for one in rules.decisions.values() if one.law == law and section in one.holds]


# --- requests ---


def tidy_requests(index: pd.DataFrame) -> pd.DataFrame:
    """Bring an index of requests into the form that the rest of this module reads.

    Args:
        index: authority, title; where there are any: date_received, date_responded (ISO dates), topics and exemptions
            (joined by `;`), outcome, url.

    Returns:
        On the index of `index`: authority, title, law, year (Int64), labels (tuple of topics, the first the main one),
        outcome (released, in part, refused, not held, published, or NA), withheld (tuple of sections).

    Raises:
        CheckError: a column is missing, a title is blank, or a label or an outcome is not known.
    """
    for column in ("authority", "title"):
        if column not in index.columns:
            raise CheckError(f"The index of requests has no column {column}; it has {', '.join(map(str, index))}.")
    text = index.reindex(columns=[*index.columns, *({*DATES, "topics", "exemptions", "outcome"} - set(index.columns))])
    _check_titles(text["title"])
    text = text.astype("object").where(text.notna(), "")
    received, responded = (pd.to_datetime(text[name], errors="coerce", format="ISO8601") for name in DATES)
    law = [_find_law(*pair) for pair in zip(text["authority"], text["exemptions"], strict=True)]
    return pd.DataFrame(
        {
            "authority": text["authority"],
            "title": text["title"].astype("str"),
            "law": law,
            "year": received.fillna(responded).dt.year.astype("Int64"),
            "labels": [_read_labels(str(one), row) for row, one in enumerate(text["topics"])],
            "outcome": pd.array(
                [_read_outcome(str(one), row) or None for row, one in enumerate(text["outcome"])], dtype="string"
            ),
            "withheld": [_read_sections(str(one), which) for one, which in zip(text["exemptions"], law, strict=True)],
        },
        index=index.index,
    )


def load_held_out() -> pd.DataFrame:
    """Read foi_held_out.yaml: titles that no rule was tuned on, as `tidy_requests` gives them.

    Returns:
        A row a request; where no outcome or date was noted, NA.
    """
    return tidy_requests(pd.DataFrame(yaml.safe_load(HELD_OUT.read_text(encoding="utf-8"))))


def _check_titles(titles: pd.Series) -> None:
    blank = titles.isna() | titles.astype("str").str.strip().eq("")
    if blank.any():
        raise CheckError(f"{blank.sum()} requests have no title (row {list_rows(blank.to_numpy())}, counted from 0).")


def _find_law(authority: str, exemptions: str) -> Law:
    if exemptions.startswith("FOI"):
        return "scotland" if exemptions.startswith("FOISA") else "england"
    return "scotland" if shorten_council(authority) in load_rules().scottish else "england"


def _read_labels(text: str, row: int) -> tuple[str, ...]:
    rules = load_rules()
    labels = []
    for label in filter(None, map(str.strip, text.split(";"))):
        topic = rules.labels.get(label, label)
        if topic and topic not in rules.topics:
            raise CheckError(f"Request in row {row}: {label!r} is no topic.{suggest(label, rules.topics)}")
        labels.append(topic)
    return tuple(dict.fromkeys(filter(None, labels)))


def _read_outcome(text: str, row: int) -> str:
    known = load_rules().outcomes
    if text and text not in known:
        raise CheckError(f"Request in row {row}: outcome not known.{suggest(text, known)}")
    return known.get(text, "")


def _read_sections(text: str, law: Law) -> tuple[str, ...]:
    numbers = re.findall(r"\bs\.?\s?(\d+)", text)
    of_number = {section.short[law]: name for name, section in load_rules().sections.items()}
    return tuple(dict.fromkeys(of_number[number] for number in numbers if number in of_number))


def _plain(title: str) -> str:
    return " ".join(title.casefold().split())


def classify_titles(titles: pd.Series, examples: pd.DataFrame | None = None) -> pd.DataFrame:
    """Find the topics of requests by their titles: by the rules, or else by the nearest words that are known.

    Args:
        titles: text, one a request.
        examples: title and labels of requests whose topics are known, beside the words of each topic in `foi.yaml`.

    Returns:
        On the index of `titles`: topics (tuple, the most particular first; empty where it is like nothing known) and
        how (rule, nearest or none).

    Raises:
        CheckError: a title is blank.
    """
    _check_titles(titles)
    by_rule = titles.astype("str").map(apply_rules)
    nearest = find_nearest(titles, examples)
    topics = [rule or near for rule, near in zip(by_rule, nearest, strict=True)]
    how = ["rule" if rule else "nearest" if near else "none" for rule, near in zip(by_rule, nearest, strict=True)]
    return pd.DataFrame({"topics": pd.Series(topics, dtype="object").to_list(), "how": how}, index=titles.index)


def apply_rules(title: str) -> tuple[str, ...]:
    """List the topics whose patterns a title has; one that says more than `business rates` is no whole list."""
    plain = _plain(title)
    found = [name for name, topic in load_rules().topics.items() if any(one.search(plain) for one in topic.patterns)]
    particular = [name for name in found if name != "full_ratepayer_list"]
    return tuple(particular or found)


def find_nearest(titles: pd.Series, examples: pd.DataFrame | None = None) -> list[tuple[str, ...]]:
    """Give each title the topics of the nearest example or topic, by the cosine of TF-IDF over parts of words.

    Returns:
        A tuple a title: the labels of the nearest example, or the one topic whose words are nearest; empty below
        `FEWEST_SHARED`.
    """
    known = [(f"{topic.title} {topic.words}", (name,)) for name, topic in load_rules().topics.items()]
    if examples is not None:
        known += [(str(title), labels) for title, labels in zip(examples["title"], examples["labels"], strict=True)]
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
    vectors = vectorizer.fit_transform([text for text, _ in known])
    cosine = (vectorizer.transform(titles.astype("str")) @ vectors.T).toarray()
    best = cosine.argmax(axis=1)  # the first of equals, so that no chance is in it
    return [known[place][1] if row[place] >= FEWEST_SHARED else () for row, place in zip(cosine, best, strict=True)]


def count_topics(requests: pd.DataFrame) -> pd.DataFrame:
    """Count requests by year and topic; one that asks for several things counts under each.

    Args:
        requests: from `tidy_requests`.

    Returns:
        year (NA where no date is known), topic, title (of the topic), requests; by year, the most first.
    """
    each = requests[["year", "labels"]].explode("labels").dropna(subset="labels").rename(columns={"labels": "topic"})
    counts = each.groupby(["year", "topic"], dropna=False).size().rename("requests").reset_index()
    titles = {name: topic.title for name, topic in load_rules().topics.items()}
    counts.insert(2, "title", counts["topic"].map(titles))
    return counts.sort_values(["year", "requests", "topic"], ascending=[True, False, True], ignore_index=True)


# --- how well topics are found ---


def evaluate_topics(requests: pd.DataFrame) -> pd.DataFrame:
    """Score ways to find topics on requests whose topics are known, each title left out with those that read the same.

    The rules were written by somebody who had read the 33 titles of the index, so on those they are not held out.

    Args:
        requests: from `tidy_requests`, with labels.

    Returns:
        method, held_out (whether it had not seen the title), requests, main_topic_right, share, low_95, high_95 (Wilson
        1927), precision, recall, f1 (over all topics of all requests).
    """
    known = requests[requests["labels"].map(len) > 0]
    groups = known["title"].map(lambda title: re.sub(r"[^a-z]+", " ", _plain(title)).strip())
    rules = known["title"].map(apply_rules)
    nearest, common = pd.Series(index=known.index, dtype="object"), pd.Series(index=known.index, dtype="object")
    for group in groups.unique():
        out = groups == group
        rest = known[~out]
        nearest[out] = pd.Series(find_nearest(known.loc[out, "title"], rest), index=known.index[out])
        most = rest["labels"].map(lambda labels: labels[0]).mode()
        common[out] = [(most.iloc[0],) if len(most) else ()] * int(out.sum())
    both = pd.Series([one or two for one, two in zip(rules, nearest, strict=True)], index=known.index)
    rows = [
        _score_topics(name, found, known["labels"], held_out=held_out)
        for name, found, held_out in [
            ("The commonest topic", common, True),
            ("Nearest words (TF-IDF)", nearest, True),
            ("Rules", rules, False),
            ("Rules, or else nearest words", both, False),
        ]
    ]
    return pd.DataFrame(rows)


def score_topics(found: pd.Series, labels: pd.Series, method: str) -> pd.DataFrame:
    """Score topics that were found for titles that nothing was tuned on.

    Args:
        found, labels: a tuple of topics a request, on the same index; the first of `labels` is the main one.
        method: in words.

    Returns:
        One row of `evaluate_topics`.
    """
    return pd.DataFrame([_score_topics(method, found, labels, held_out=True)])


def _score_topics(method: str, found: pd.Series, labels: pd.Series, *, held_out: bool) -> dict[str, object]:
    pairs = list(zip(found, labels, strict=True))
    right = sum(bool(one) and one[0] == wanted[0] for one, wanted in pairs)
    hits = sum(len({*one} & {*wanted}) for one, wanted in pairs)
    shown, wanted_all = sum(len({*one}) for one, _ in pairs), sum(len({*wanted}) for _, wanted in pairs)
    low, high = estimate_share(right, len(pairs))
    return {
        "method": method,
        "held_out": held_out,
        "requests": len(pairs),
        "main_topic_right": right,
        "share": right / len(pairs),
        "low_95": low,
        "high_95": high,
        "precision": hits / shown if shown else np.nan,
        "recall": hits / wanted_all,
        "f1": 2 * hits / (shown + wanted_all),
    }


def estimate_share(count: int, total: int) -> tuple[float, float]:
    """Estimate between which two shares the true one lies, at 95 % (Wilson 1927, J. Am. Stat. Assoc. 22, 209-212).

    Raises:
        CheckError: there are none, or more counted than there are.
    """
    if not 0 <= count <= total or total == 0:
        raise CheckError(f"{count} of {total} is no share.")
    low, high = proportion_confint(count, total, method="wilson")
    return float(low), float(high)


# --- what a dataset answers ---


@dataclass(frozen=True)
class Dataset:
    """A dataset that is, or could be, published.

    Attributes:
        id: its id. title: its title.
        fields: column to what it holds.
        extracts: ready extracts, id to title.
        blank: columns that it would have, had what it is made of told of them.
    """

    id: str
    title: str
    fields: Mapping[str, str]
    extracts: Mapping[str, str] = field(default_factory=dict)
    blank: frozenset[str] = frozenset()


def list_datasets(frame: pd.DataFrame) -> list[Dataset]:
    """Read datasets from a frame.

    Args:
        frame: dataset, title, fields (a mapping of columns to descriptions), and, where there are any, extracts (a
            mapping of ids to titles).

    Raises:
        CheckError: a column is missing, or an id is there twice.
    """
    if absent := {"dataset", "title", "fields"} - set(frame.columns):
        raise CheckError(f"The list of datasets has no column {', '.join(sorted(absent))}.")
    if frame["dataset"].duplicated().any():
        raise CheckError("The list of datasets names one twice.")
    extracts: Iterable[Mapping[str, str] | None] = (
        frame["extracts"] if "extracts" in frame.columns else [None] * len(frame)
    )
    rows = zip(frame["dataset"], frame["title"], frame["fields"], extracts, strict=True)
    return [Dataset(str(id), str(title), dict(fields), dict(ready or {})) for id, title, fields, ready in rows]


@dataclass(frozen=True)
class Match:
    """What answers a topic.

    Attributes:
        columns: those of the dataset that answer it. extract: the id of a ready extract.
        withheld: sections under which something is kept back. risk: a section under which others have refused it.
        missing: concepts that no column of the dataset holds. untold: those of them that it would hold, had what it is
            made of told of them: nobody keeps them back. persons: concepts of which persons' values are kept back.
    """

    topic: str
    decision: Decision
    dataset: str = NO_DATASET
    columns: tuple[str, ...] = ()
    extract: str = ""
    withheld: tuple[str, ...] = ()
    risk: str = ""
    missing: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()
    persons: tuple[str, ...] = ()


def match_topic(topic: str, datasets: Sequence[Dataset]) -> Match:
    """Find the dataset that answers a topic best: the most of what it needs, then one with a ready extract.

    Raises:
        CheckError: the topic is not known.
    """
    rules = load_rules()
    if topic not in rules.topics:
        raise CheckError(f"{topic!r} is no topic.{suggest(topic, rules.topics)}")
    wanted = rules.topics[topic]
    ranked = sorted(
        ((one, _find_columns(one, wanted), _find_extract(one, wanted)) for one in datasets),
        key=lambda found: (-len(found[1]), not found[2], len(found[0].fields)),
    )
    dataset, columns, extract = ranked[0] if ranked else (Dataset(NO_DATASET, "", {}), {}, "")
    asked = [need for need in wanted.needs if need != "property" or len(wanted.needs) == 1]
    missing = tuple(need for need in asked if need not in columns)
    untold = tuple(need for need in missing if dataset.blank & set(rules.concepts[need].fields))
    persons = tuple(need for need in asked if need in columns and rules.concepts[need].personal)
    withheld = [rules.concepts[need].absent for need in missing if need not in untold]
    withheld += ["personal"] if persons else []
    if len(missing) == len(asked):
        return Match(topic, "not", withheld=tuple(dict.fromkeys(withheld)), missing=missing, untold=untold)
    return Match(
        topic,
        "partly" if withheld or untold else "answerable",
        dataset.id,
        tuple(dict.fromkeys(column for held in columns.values() for column in held)),
        extract,
        tuple(dict.fromkeys(withheld)),
        wanted.risk,
        missing,
        untold,
        persons,
    )


def _find_columns(dataset: Dataset, topic: Topic) -> dict[str, tuple[str, ...]]:
    concepts = load_rules().concepts
    found = {}
    for need in topic.needs:
        held = tuple(one for one in concepts[need].fields if one in dataset.fields)
        if held:
            found[need] = held if concepts[need].every else held[:1]
    return found


def _find_extract(dataset: Dataset, topic: Topic) -> str:
    if not topic.extract:
        return ""
    return next((id for id in dataset.extracts if re.search(topic.extract, id)), "")


def match_requests(
    requests: pd.DataFrame, datasets: "Sequence[Dataset] | pd.DataFrame", topics: pd.Series | None = None
) -> pd.DataFrame:
    """Decide for each request whether what is published answers it, and under which section the rest is kept back.

    A request is answerable if all of its topics are, partly if some of it is, and otherwise not.

    Args:
        requests: from `tidy_requests`: labels, law.
        datasets: what is, or would be, published; a frame is read by `list_datasets`.
        topics: a tuple of topics a request, in place of its labels, as `classify_titles` finds them.

    Returns:
        On the index of `requests`: decision (answerable, partly, not), dataset, columns, extract (of the main topic;
        blank where there is none), withheld (tuple of sections), section (as the law names them), decisions (cited),
        risk (tuple of sections under which others refused the same), also (tuple of sections under which it need not be
        sent), reason (a sentence or two).

    Raises:
        CheckError: a topic is not known.
    """
    known = list_datasets(datasets) if isinstance(datasets, pd.DataFrame) else list(datasets)
    asked = requests["labels"] if topics is None else topics
    rows = [_match_one(tuple(wanted), law, known) for wanted, law in zip(asked, requests["law"], strict=True)]
    return pd.DataFrame(rows, index=requests.index)


def _match_one(topics: tuple[str, ...], law: Law, datasets: Sequence[Dataset]) -> dict[str, object]:
    found = [match_topic(topic, datasets) for topic in topics]
    decisions = {one.decision for one in found}
    decision: Decision = "not"
    if decisions == {"answerable"}:
        decision = "answerable"
    elif decisions - {"not"}:
        decision = "partly"
    withheld = tuple(dict.fromkeys(section for one in found for section in one.withheld))
    risk = tuple(dict.fromkeys(one.risk for one in found if one.risk and one.decision != "not"))
    first = next((one for one in found if one.dataset), None)
    return {
        "decision": decision,
        "dataset": first.dataset if first else NO_DATASET,
        "columns": first.columns if first else (),
        "extract": first.extract if first else "",
        "withheld": withheld,
        "section": "; ".join(load_rules().sections[one].cite(law) for one in withheld),
        "decisions": tuple(dict.fromkeys(cite for one in (*withheld, *risk) for cite in cite_decisions(one, law))),
        "risk": risk,
        "also": tuple(dict.fromkeys(filter(None, (load_rules().topics[topic].also for topic in topics)))),
        "reason": explain_matches(found, law),
    }


def explain_matches(found: Sequence[Match], law: Law) -> str:
    """Say in sentences what is published of a request, what is kept back, and under which section."""
    rules = load_rules()
    if not found:
        return "It asks for nothing that is known of business rates."
    columns = tuple(dict.fromkeys(column for one in found for column in one.columns))
    missing = tuple(dict.fromkeys(need for one in found for need in one.missing))
    untold = {need for one in found for need in one.untold}
    persons = tuple(dict.fromkeys(need for one in found for need in one.persons))
    parts = [f"Published in the columns {', '.join(columns)}." if columns else "No published dataset has it."]
    if persons:
        names = " and ".join(rules.concepts[need].title for need in persons)
        parts.append(f"Kept back where it is a person's: {names} ({rules.sections['personal'].cite(law)}).")
    for need in missing:
        concept = rules.concepts[need]
        section = "not in what is published" if need in untold else rules.sections[concept.absent].cite(law)
        parts.append(f"Not published: {concept.title} ({section}).")
    return " ".join(parts)


def count_answers(requests: pd.DataFrame, matches: pd.DataFrame) -> tuple[int, int, int]:
    """Count what a dataset answers, as `foi_costs.sample_costs` takes it; standing publications are no requests.

    Args:
        requests: from `tidy_requests`. matches: from `match_requests`, on the same index.

    Returns:
        How many requests are answerable, partly and not.
    """
    asked = ~requests["labels"].map(lambda labels: "proactive_publication" in labels).astype("bool")
    counts = matches.loc[asked, "decision"].value_counts()
    return int(counts.get("answerable", 0)), int(counts.get("partly", 0)), int(counts.get("not", 0))


def compare_outcomes(requests: pd.DataFrame, matches: pd.DataFrame) -> pd.DataFrame:
    """Cross what was decided here with what the authorities did.

    Args:
        requests: from `tidy_requests`. matches: from `match_requests`, on the same index.

    Returns:
        outcome (of the authority; "not known" where it is), answerable, partly, not, all: a row an outcome, the most
        first.
    """
    outcome = requests["outcome"].fillna("not known")
    table = pd.crosstab(outcome, matches["decision"]).reindex(columns=["answerable", "partly", "not"], fill_value=0)
    table["all"] = table.sum(axis=1)
    return table.sort_values("all", ascending=False, kind="stable").rename_axis(columns=None).reset_index()
