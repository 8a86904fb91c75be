"""What a published dataset would answer of a request: wholly, in part, or not."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from councilbook.business_rates.requests.rules import NO_DATASET, Decision, Topic, load_rules
from councilbook.errors import CheckError, suggest


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


def match_requests(requests: pd.DataFrame, datasets: Sequence[Dataset]) -> "pd.Series[str]":
    """Decide for each request whether what is published answers it.

    A request is answerable if all of its topics are, partly if some of it is, and otherwise not.

    Args:
        requests: from `tidy_requests`: labels.
        datasets: what is, or would be, published.

    Returns:
        A decision (answerable, partly, not) each, on the index of `requests`.

    Raises:
        CheckError: a topic is not known.
    """
    found = {topic: match_topic(topic, datasets).decision for topic in {*requests["labels"].explode().dropna()}}
    return pd.Series(
        [_join_decisions({found[topic] for topic in labels}) for labels in requests["labels"]],
        index=requests.index,
        dtype="str",
        name="decision",
    )


def _join_decisions(decisions: set[Decision]) -> Decision:
    if decisions == {"answerable"}:
        return "answerable"
    return "partly" if decisions - {"not"} else "not"


def count_answers(requests: pd.DataFrame, decisions: "pd.Series[str]") -> tuple[int, int, int]:
    """Count what a dataset answers, as `foi_costs.sample_costs` takes it; standing publications are no requests.

    Args:
        requests: from `tidy_requests`. decisions: from `match_requests`, on the same index.

    Returns:
        How many requests are answerable, partly and not.
    """
    asked = ~requests["labels"].map(lambda labels: "proactive_publication" in labels).astype("bool")
    counts = decisions[asked].value_counts()
    return int(counts.get("answerable", 0)), int(counts.get("partly", 0)), int(counts.get("not", 0))


def compare_outcomes(requests: pd.DataFrame, decisions: "pd.Series[str]") -> pd.DataFrame:
    """Cross what was decided here with what the authorities did.

    Args:
        requests: from `tidy_requests`. decisions: from `match_requests`, on the same index.

    Returns:
        outcome (of the authority; "not known" where it is), answerable, partly, not, all: a row an outcome, the most
        first.
    """
    outcome = requests["outcome"].fillna("not known")
    table = pd.crosstab(outcome, decisions).reindex(columns=["answerable", "partly", "not"], fill_value=0)
    table["all"] = table.sum(axis=1)
    return table.sort_values("all", ascending=False, kind="stable").rename_axis(columns=None).reset_index()
