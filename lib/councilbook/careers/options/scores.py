"""How well a job goes with what somebody ticks: open arithmetic, and its reasons in words.

Strengths. An occupation has 20 skills, each with a rating. Its skills are put in order of rating; equal ratings share
the mean of their places. A skill in place p has the weight

    w = 41 - p + rating / (sum of the occupation's ratings)

so the strongest counts about 40, the last about 21, and one that is not among the 20 counts nothing: how many of the
ticked skills a job uses comes before how high it puts them. The last part is below 1, and only decides between jobs
that are equal otherwise. A job's points are the sum of w over the ticked skills; of k ticked skills (20 at most) the
most that any job could have is m(k) = 40 + 39 + ... + (41 - k) + 1, and strengths = 100 * points / m(k).

Interests. Each statement is answered from -2 (strongly disagree) to 2 (strongly agree), with the sign turned where it
says the opposite of its trait. A trait's score is the mean of its answers, if three or more of its statements are
answered; silence is no answer, and not a neutral one. A family of jobs has the weighted mean of its traits, if all of
them are known; interests = 50 + 25 * mean. A job has the best of its families.

Together. The score is the mean of strengths and interests, or the one that is known. Jobs of the same score share their
places, and are said to be tied. Entry requirements are shown beside a job, and change no score.

With the released tables of skills, statements and families a page can do the same sums: a sum over ticked skills of
`weight`, a mean over statements, and a weighted mean over traits.
"""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd

from councilbook.careers.options.occupations import SKILLS
from councilbook.errors import CheckError, suggest
from councilbook.pages.html.wording import count_things

TOP = 2 * SKILLS  # points of a skill in first place, before its rating
LEAST_ANSWERED = 3  # statements of a trait
LIKED = 60  # interests from which a reason says that somebody would like it


def weigh_skills(skills: pd.DataFrame) -> pd.DataFrame:
    """Add to each skill of an occupation its place and its weight; see the module.

    Args:
        skills: soc_code, skill, rating.
    """
    ratings = skills.groupby("soc_code")["rating"]
    place = ratings.rank(method="average", ascending=False)
    share = skills["rating"] / ratings.transform("sum")
    return skills.assign(place=place, weight=(TOP + 1 - place + share).round(6))


def pivot_skills(weighed: pd.DataFrame, occupation: str, column: str) -> pd.DataFrame:
    """Lay out weights or ratings as occupations by skills; 0 where a skill is not among an occupation's."""
    return weighed.pivot_table(index=occupation, columns="skill", values=column, aggfunc="first").fillna(0.0)


def most_points(ticked: int) -> float:
    """Return the most points that any job could have of so many ticked skills."""
    counted = min(ticked, SKILLS)
    return sum(TOP - place for place in range(counted)) + 1.0


def score_strengths(weights: pd.DataFrame, ticks: Collection[str]) -> "pd.Series[float]":
    """Score every job by ticked skills, from 0 to 100; missing where nothing is ticked.

    Args:
        weights: occupations by skills; see `pivot_skills`.
        ticks: names of skills.

    Raises:
        CheckError: a ticked skill is none of the list's.
    """
    for tick in ticks:
        if tick not in weights.columns:
            raise CheckError(f"No skill {tick!r}.{suggest(tick, weights.columns)}")
    if not ticks:
        return pd.Series(np.nan, index=weights.index)
    return 100 * weights[list(ticks)].sum(axis="columns") / most_points(len(ticks))


def score_traits(statements: pd.DataFrame, answers: "pd.Series[float]") -> pd.DataFrame:
    """Score traits by the statements that somebody answered.

    Args:
        statements: statement, trait, is_flipped.
        answers: by statement, from -2 to 2; missing where it is not answered.

    Returns:
        By trait: answered (statements), score (missing where fewer than LEAST_ANSWERED are answered).

    Raises:
        CheckError: an answer is out of range.
    """
    if not answers.dropna().between(-2, 2).all():
        raise CheckError("Answers go from -2 (strongly disagree) to 2 (strongly agree).")
    given = statements["statement"].map(answers)
    turned = given.where(~statements["is_flipped"], -given).groupby(statements["trait"])
    answered = turned.count()
    return pd.DataFrame({"answered": answered, "score": turned.mean().where(answered >= LEAST_ANSWERED)})


def score_categories(category_traits: pd.DataFrame, traits: pd.DataFrame) -> "pd.Series[float]":
    """Score families of jobs by traits, from 0 to 100; missing where a trait of the family is not known.

    Args:
        category_traits: category, trait, weight.
        traits: see `score_traits`.

    Raises:
        CheckError: a family goes with a trait that no statement is about.
    """
    if strange := sorted(set(category_traits["trait"]) - set(traits.index)):
        raise CheckError(f"Families of jobs go with {', '.join(strange)}, and no statement is about that.")
    mean = category_traits["weight"] * category_traits["trait"].map(traits["score"])
    known = mean.notna().groupby(category_traits["category"]).all()
    return (50 + 25 * mean.groupby(category_traits["category"]).sum()).where(known)


def match_occupations(
    occupations: pd.DataFrame, skills: pd.DataFrame, ticks: Sequence[str], liked: "pd.Series[float]"
) -> pd.DataFrame:
    """Put jobs in order of how well they go with ticked skills and liked families, with the reasons.

    Args:
        occupations: occupation_id, title, categories, tied, college_entry, apprenticeship_entry.
        skills: occupation_id, skill, rating, weight.
        ticks: names of skills.
        liked: by family of jobs, 0 to 100; see `score_categories`.

    Returns:
        A row a job, the best first: occupation_id, title, strengths, interests, score, first_place and last_place (that
        jobs of this score share), why. Jobs of which nothing is known come last and have no place; if nothing is ticked
        or answered, that is all of them.
    """
    strengths = score_strengths(pivot_skills(skills, "occupation_id", "weight"), ticks)
    families = occupations["categories"].str.split("; ").explode()
    best = families.map(liked).groupby(level=0).max()
    frame = occupations.assign(strengths=occupations["occupation_id"].map(strengths), interests=best)
    frame["score"] = frame[["strengths", "interests"]].mean(axis="columns").round(6)
    frame = frame.sort_values(["score", "title"], ascending=[False, True])
    frame["first_place"] = frame["score"].rank(method="min", ascending=False).astype("Int64")
    frame["last_place"] = frame["score"].rank(method="max", ascending=False).astype("Int64")
    own = skills.sort_values("weight", ascending=False).groupby("occupation_id")["skill"].agg(list)
    frame["why"] = [_give_reasons(row, own.get(row["occupation_id"], []), ticks, liked) for _, row in frame.iterrows()]
    columns = ["occupation_id", "title", "strengths", "interests", "score", "first_place", "last_place", "why"]
    return frame[columns].reset_index(drop=True)


def _give_reasons(job: "pd.Series[Any]", own: Sequence[str], ticks: Sequence[str], liked: "pd.Series[float]") -> str:
    """Say in words what a job's score is made of, and what it is not."""
    used = [f"{skill} ({own.index(skill) + 1})" for skill in own if skill in ticks]
    unused = [tick for tick in ticks if tick not in own]
    families = {name: liked.get(name) for name in str(job["categories"]).split("; ")}
    pleasing = [name for name, score in families.items() if score is not None and score >= LIKED]
    reasons = [
        f"Uses {len(used)} of your {count_things(len(ticks), 'strength')}, by their place among its {SKILLS}: "
        f"{', '.join(used)}."
        if used
        else "",
        f"Not among its {SKILLS}: {', '.join(unused)}." if unused and used else "",
        "Its skills are not in the list." if ticks and not own else "",
        f"Your answers go with {' and '.join(pleasing)}." if pleasing else "",
        f"{int(job['tied']) - 1} more with exactly these skills." if pd.notna(job["tied"]) and job["tied"] > 1 else "",
        f"College: {job['college_entry']}." if pd.notna(job["college_entry"]) else "",
        f"Apprenticeship: {job['apprenticeship_entry']}." if pd.notna(job["apprenticeship_entry"]) else "",
    ]
    return " ".join(filter(None, reasons))
