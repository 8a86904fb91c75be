"""What visitors say of their visit: only answers that may be used, weighted for who answers, without rare ones."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats import norm

from councilbook.errors import TooFewError

QUESTIONS = {"age_band": "Age", "reason": "Reason for the visit", "been_before": "Has been here before"}
RARE = "another answer"
LEVEL = 0.9
ROUNDS, CLOSE = 100, 1e-6
MOST_WEIGHT = 5.0  # times the mean: a cell with one answer must not speak for a whole afternoon


def keep_consented(answers: pd.DataFrame, time_zone: str) -> pd.DataFrame:
    """Keep answers that may be used, with day_kind and hour (local); their tokens are dropped.

    Raises:
        TooFewError: there is none.
    """
    kept = answers[answers["consent"].eq("yes")]
    if kept.empty:
        raise TooFewError("No visitor let the museum use an answer.")
    local = pd.to_datetime(kept["answered_at"], format="ISO8601", utc=True).dt.tz_convert(time_zone)
    day = np.where(local.dt.day_of_week >= 5, "weekend", "weekday")
    return kept[list(QUESTIONS)].assign(day_kind=day, hour=local.dt.hour).reset_index(drop=True)


def count_arrivals(cells: pd.DataFrame, ratio: float) -> Mapping[str, pd.Series]:
    """Count the people who came in, by day_kind and by hour: what answers are weighted to."""
    rows = cells[cells["came_in"].gt(0)]
    day = np.where(pd.to_datetime(rows["date"]).dt.day_of_week >= 5, "weekend", "weekday")
    people = rows["came_in"] * ratio
    return {"day_kind": people.groupby(day).sum(), "hour": people.groupby(rows["hour"].to_numpy()).sum()}


def weigh_answers(answers: pd.DataFrame, arrivals: Mapping[str, pd.Series]) -> pd.Series:
    """Weigh answers so that they add up to who came in, by kind of day and by hour: raking (Deming and Stephan 1940).

    An hour without an answer goes to the next one that has one. What differs within an hour, as that the young answer
    more often, no weight puts right.
    """
    weight = pd.Series(1.0, answers.index)
    margins = {}
    for name, people in arrivals.items():
        there = np.unique(answers[name])
        known = people.index if name != "hour" else [there[np.abs(there - hour).argmin()] for hour in people.index]
        margins[name] = people.groupby(np.asarray(known)).sum().reindex(there).fillna(0)
    total = next(iter(margins.values())).sum()
    for _ in range(ROUNDS):
        for name, wanted in margins.items():
            wanted = wanted * total / wanted.sum()
            weight *= (wanted / weight.groupby(answers[name]).sum()).reindex(answers[name]).to_numpy()
        weight = weight.clip(upper=MOST_WEIGHT * weight.mean())
        now = [(weight.groupby(answers[name]).sum() - wanted).abs().sum() for name, wanted in margins.items()]
        if max(now) < CLOSE * total:
            break
    return weight * total / weight.sum()


def tidy_answers(answers: pd.DataFrame, weight: "pd.Series[float]", threshold: int) -> pd.DataFrame:
    """Count answers and the visitors they stand for, rare answers joined: the table that goes to the gate.

    The interval takes into account that unequal weights tell less (Kish 1965): `n_eff = (sum w)² / sum w²`.

    Returns:
        question, answer, answers, answered (of the question), visitors, visitors_low, visitors_high: a row an answer;
        a question that nothing but rare answers is left of has none.

    Raises:
        TooFewError: that is so of all questions.
    """
    parts = []
    total, effective = weight.sum(), weight.sum() ** 2 / (weight**2).sum()
    for name, question in QUESTIONS.items():
        given = join_rare(answers[name].fillna("no answer"), threshold)
        if given.nunique() < 2:
            continue
        share = weight.groupby(given).sum() / total
        half = norm.ppf((1 + LEVEL) / 2) * np.sqrt(share * (1 - share) / effective)
        table = pd.DataFrame({
            "answers": given.value_counts(),
            "answered": len(given),
            "visitors": total * share,
            "visitors_low": total * (share - half).clip(lower=0),
            "visitors_high": total * (share + half).clip(upper=1),
        })  # fmt: skip
        parts.append(table.round().astype("Int64").assign(question=question).rename_axis("answer").reset_index())
    if not parts:
        raise TooFewError("Too few visitors gave an answer that may be used to say anything of them.")
    rows = pd.concat(parts, ignore_index=True)
    few = rows["visitors_low"] < threshold  # an end, and no count of anybody
    rows["visitors_low"] = rows["visitors_low"].mask(few)
    return rows[["question", "answer", *rows.columns.drop(["question", "answer"])]]


def join_rare(given: pd.Series, threshold: int) -> pd.Series:
    """Join answers that fewer than `threshold` gave, and the next rarest if those are still too few together."""
    sizes = given.value_counts(ascending=True)
    rare = list(sizes.index[sizes < threshold])
    if rare and sizes[rare].sum() < threshold:
        rare = list(sizes.index[: len(rare) + 1])
    return given.where(~given.isin(rare), RARE)
