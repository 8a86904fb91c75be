"""What a published dataset would answer of a request: wholly, in part, or not."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from councilbook.business_rates.requests.rules import (
    NO_DATASET,
    Decision,
    Law,
    Topic,
    cite_decisions,
    load_rules,
)
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
