"""Courses, as the national directory or a council lists them: how many are within reach, by level, and which are not.

A course may start several times and be taught at several places. It is counted once, by the nearest of them.
"""

import re

import pandas as pd

from councilbook.careers.options.openings import NOT_SAID, drop_abroad, measure_km, place_openings
from councilbook.careers.places.positions import gather_points
from councilbook.study import Study

NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8}
NUMBER = rf"([1-8]|{'|'.join(NUMBERS)})\b"
LEVEL = re.compile(rf"(?i)(?:\blevels?\s*|\bl\s?|^){NUMBER}(?:\s*(?:/|-|to|or|&|and)\s*(?:l(?:evel)?\s*)?{NUMBER})?")
OF_LEVEL_3 = re.compile(r"\b(?:A|AS|T)[ -]?[Ll]evels?\b")
ENTRY = re.compile(r"(?i)(?:pre[ -]?)?entry")
ONLINE = r"(?i)online|distance|remote|virtual"
OUTCOMES = ("within reach", "further away", "online", "of which the place is not said, or has a postcode of no list")


def name_level(written: object) -> str:
    """Name a level, from the directory's word or a council's own: "Three", "L3", "Level 3 Diploma", "A level"."""
    text = written.strip() if isinstance(written, str) else ""
    if ENTRY.match(text):
        return "entry level"
    numbers = {one.lower() for pair in LEVEL.findall(text) for one in pair if one}
    levels = {NUMBERS.get(one) or int(one) for one in numbers} | ({3} if OF_LEVEL_3.search(text) else set())
    if len(levels) == 1:
        return f"level {levels.pop()}"
    return "another, or several" if text else NOT_SAID


def load_courses(study: Study, points: pd.DataFrame, middle: tuple[float, float], within_km: float) -> pd.DataFrame:
    """Load the courses that there are, and say of each whether it is within reach; see `judge_courses`.

    Args:
        study: of a notebook that reads them.
        points: see `openings.load_adverts`.
        middle, within_km: see `openings.judge_adverts`.
    """
    return judge_courses(study.load("courses"), gather_points(study, points), middle, within_km)


def judge_courses(
    courses: pd.DataFrame, points: pd.DataFrame, middle: tuple[float, float], within_km: float
) -> pd.DataFrame:
    """Say of each course whether it is within reach.

    Args:
        courses: as the catalogue declares `courses`: a row a start and place.
        points: of postcodes; see `openings.place_openings`.
        middle, within_km: see `openings.judge_adverts`.

    Returns:
        A row a course, by its number or else its provider, name and level: provider, level (as `name_level` says) and
        outcome, one of OUTCOMES.
    """
    distance = measure_km(place_openings(drop_abroad(courses), points), middle)
    rank = distance.le(within_km).map({True: 0, False: 1}).mask(distance.isna(), 3)
    rank = rank.mask(distance.isna() & courses["mode"].str.contains(ONLINE).fillna(False).astype("bool"), 2)
    provider = courses["provider_ukprn"].fillna(courses["provider"]).fillna(NOT_SAID)
    level = courses["level"].map(name_level, na_action=None)
    named = courses["course"].str.casefold().str.split().str.join(" ")
    number = courses["course_id"].fillna(named + "\n" + level)
    judged = pd.DataFrame({"course": number, "provider": provider, "level": level, "rank": rank})
    once = judged.sort_values("rank", kind="stable").drop_duplicates(["provider", "course"])
    return once.assign(outcome=once["rank"].map(dict(enumerate(OUTCOMES))))[["provider", "level", "outcome"]]


def count_levels(judged: pd.DataFrame) -> pd.DataFrame:
    """Count the courses within reach: level ("not said" where it is not), courses, providers."""
    near = judged[judged["outcome"] == OUTCOMES[0]]
    return near.groupby("level", as_index=False).agg(courses=("outcome", "size"), providers=("provider", "nunique"))


def describe_courses(judged: pd.DataFrame) -> str:
    """Say how many courses there are, and what became of them."""
    counts = judged["outcome"].value_counts().reindex(OUTCOMES, fill_value=0)
    parts = [f"{number:,} {outcome}" for outcome, number in counts.items() if number or outcome == OUTCOMES[0]]
    return f"The file lists {len(judged):,} courses: {', '.join(parts)}."
