"""Requests for information on business rates: what they ask for, and what a published dataset would answer.

The kinds of request, the columns that answer each, the sections of both Acts and the decisions on them are in
`foi.yaml`. Titles of requests may name people: they are shown as text alone, and no message repeats one.
"""

import re
from pathlib import Path

import pandas as pd
import yaml
from sklearn.feature_extraction.text import TfidfVectorizer
from statsmodels.stats.proportion import proportion_confint

from councilbook.business_rates.requests.rules import load_rules
from councilbook.errors import CheckError, suggest
from councilbook.sources.checks import list_rows

HELD_OUT = Path(__file__).with_name("foi_held_out.yaml")
DATES = ("date_received", "date_responded")
DAY_FIRST = ("%d/%m/%Y", "%d/%m/%y", "%d/%b/%Y", "%d/%B/%Y", "%d/%b/%y")
FEWEST_SHARED = 0.05  # cosine below which a title is like nothing that is known


# --- requests ---


def tidy_requests(index: pd.DataFrame) -> pd.DataFrame:
    """Bring an index of requests into the form that the rest of this module reads.

    Args:
        index: title; where there are any: date_received, date_responded (ISO, or the day first, as
            12/04/2023 or 12 April 2023), topics (joined by `;`), outcome.

    Returns:
        On the index of `index`: title, year (Int64), labels (tuple of topics, the first the main one), outcome
        (released, in part, refused, not held, published, or NA).

    Raises:
        CheckError: a column is missing, a title is blank, a date cannot be read, or a label or an outcome is not known.
    """
    if "title" not in index.columns:
        raise CheckError(f"The index of requests has no column title; it has {', '.join(map(str, index))}.")
    text = index.reindex(columns=[*index.columns, *({*DATES, "topics", "outcome"} - set(index.columns))])
    _check_titles(text["title"])
    text = text.astype("object").where(text.notna(), "")
    received, responded = (_read_dates(text[name]) for name in DATES)
    return pd.DataFrame(
        {
            "title": text["title"].astype("str"),
            "year": received.fillna(responded).dt.year.astype("Int64"),
            "labels": [_read_labels(str(one), row) for row, one in enumerate(text["topics"])],
            "outcome": pd.array(
                [_read_outcome(str(one), row) or None for row, one in enumerate(text["outcome"])], dtype="string"
            ),
        },
        index=index.index,
    )


def fill_labels(requests: pd.DataFrame) -> pd.DataFrame:
    """Find the topics of requests that have none, as in a council's own log; see `classify_titles`."""
    known = requests["labels"].map(len) > 0
    if known.all():
        return requests
    found = classify_titles(requests.loc[~known, "title"], requests[known])
    return requests.assign(labels=requests["labels"].where(known, found))


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


def _read_dates(written: pd.Series) -> pd.Series:
    """Read days as ISO or British people write them; a blank is missing, and what is no date an error."""
    text = written.astype("str").str.strip()
    days = text.where(text != "").str.replace(r"(T|[, ]+)\d{1,2}:\d\d.*$", "", regex=True)  # without the time of day
    dates = pd.to_datetime(days, errors="coerce", format="ISO8601")
    for form in DAY_FIRST:
        plain = days.str.replace(r"[-. ]+", "/", regex=True)
        dates = dates.fillna(pd.to_datetime(plain, errors="coerce", format=form))
    if (wrong := dates.isna() & (text != "")).any():
        raise CheckError(
            f"{wrong.sum()} requests have something else than a date in {written.name} (row "
            f"{list_rows(wrong.to_numpy())}, counted from 0). Write it as 2023-04-12 or 12/04/2023, or leave it blank."
        )
    return dates


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


def _plain(title: str) -> str:
    return " ".join(title.casefold().split())


def classify_titles(titles: pd.Series, examples: pd.DataFrame) -> pd.Series:
    """Find the topics of requests by their titles: by the rules, or else by the nearest words that are known.

    Args:
        titles: text, one a request.
        examples: title and labels of requests whose topics are known, beside the words of each topic in `foi.yaml`.

    Returns:
        Tuples, the most particular topic first, on the index of `titles`; empty where it is like nothing known.

    Raises:
        CheckError: a title is blank.
    """
    _check_titles(titles)
    by_rule = titles.astype("str").map(apply_rules)
    return by_rule.where(by_rule.map(len) > 0, find_nearest(titles, examples))


def apply_rules(title: str) -> tuple[str, ...]:
    """List the topics whose patterns a title has; one that says more than `business rates` is no whole list."""
    plain = _plain(title)
    found = [name for name, topic in load_rules().topics.items() if any(one.search(plain) for one in topic.patterns)]
    particular = [name for name in found if name != "full_ratepayer_list"]
    return tuple(particular or found)


def find_nearest(titles: pd.Series, examples: pd.DataFrame) -> pd.Series:
    """Give each title the topics of the nearest example or topic, by the cosine of TF-IDF over parts of words.

    Returns:
        A tuple a title: the labels of the nearest example, or the one topic whose words are nearest; empty below
        `FEWEST_SHARED`.
    """
    known = [(f"{topic.title} {topic.words}", (name,)) for name, topic in load_rules().topics.items()]
    known += [(str(title), labels) for title, labels in zip(examples["title"], examples["labels"], strict=True)]
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
    vectors = vectorizer.fit_transform([text for text, _ in known])
    cosine = (vectorizer.transform(titles.astype("str")) @ vectors.T).toarray()
    best = cosine.argmax(axis=1)  # the first of equals, so that no chance is in it
    near = cosine.max(axis=1) >= FEWEST_SHARED
    return pd.Series([known[at][1] if is_near else () for at, is_near in zip(best, near, strict=True)], titles.index)


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
        method, held_out (whether it had not seen the title), requests, main_topic_right, share, low_95 and high_95
        (Wilson 1927).
    """
    known = requests[requests["labels"].map(len) > 0]
    groups = known["title"].map(lambda title: re.sub(r"[^a-z]+", " ", _plain(title)).strip())
    rules = known["title"].map(apply_rules)
    nearest, common = (pd.Series(index=known.index, dtype="object") for _ in range(2))
    for group in groups.unique():
        out = groups == group
        nearest[out] = find_nearest(known.loc[out, "title"], known[~out])
        most = known.loc[~out, "labels"].str[:1].mode()
        common[out] = [most.iloc[0] if len(most) else ()] * int(out.sum())
    tried = {
        "The commonest topic": (common, True),
        "Nearest words (TF-IDF)": (nearest, True),
        "Rules": (rules, False),
        "Rules, or else nearest words": (rules.where(rules.map(len) > 0, nearest), False),
    }
    scores = [score_topics(found, known["labels"], name, held_out) for name, (found, held_out) in tried.items()]
    return pd.concat(scores, ignore_index=True)


def score_topics(found: pd.Series, labels: pd.Series, method: str, held_out: bool = True) -> pd.DataFrame:
    """Score topics that were found for titles.

    Args:
        found, labels: a tuple of topics a request, on the same index; the first of each is the main one.
        method: in words.
        held_out: whether nothing was tuned on the titles.

    Returns:
        One row of `evaluate_topics`.
    """
    right = int((found.str[0] == labels.str[0]).sum())
    low, high = estimate_share(right, len(labels))
    row = {"method": method, "held_out": held_out, "requests": len(labels), "main_topic_right": right}
    return pd.DataFrame([row | {"share": right / len(labels), "low_95": low, "high_95": high}])


def estimate_share(count: int, total: int) -> tuple[float, float]:
    """Estimate between which two shares the true one lies, at 95 % (Wilson 1927, J. Am. Stat. Assoc. 22, 209-212).

    Raises:
        CheckError: there are none, or more counted than there are.
    """
    if not 0 <= count <= total or total == 0:
        raise CheckError(f"{count} of {total} is no share.")
    low, high = proportion_confint(count, total, method="wilson")
    return float(low), float(high)
