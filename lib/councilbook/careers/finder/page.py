"""The page: what the finder shows, and what it says of its journeys before anything else."""

from itertools import groupby

import pandas as pd

from councilbook.careers.finder.content import (
    choose_places,
    list_adverts,
    list_interests,
    list_jobs,
    list_places,
    list_rows,
    write_address,
)
from councilbook.careers.finder.packing import pack_journeys
from councilbook.careers.journeys.ways import TIMETABLES
from councilbook.careers.prose import warn_of_missing
from councilbook.pages.html.pieces import Html, embed_json
from councilbook.pages.html.wording import count_things
from councilbook.pages.study_pages import PageRequest

TEMPLATE = "careers/finder/finder.html.j2"
JOURNEYS = "journeys_by_postcode"
USED = (
    "careers_places",
    JOURNEYS,
    "careers_occupations",
    "careers_occupation_skills",
    "careers_interests",
    "careers_interest_categories",
    "careers_vacancies",
)
VEHICLES = {"buses": "bus", "trains": "train"}
OTHER_TOWN = "Town not said"
WAYS = {"walk": "on foot", "cycle": "by bicycle", "drive": "by car"}
LEVELS = {
    "0": "any level",
    "1": "entry level or level 1",
    "2": "level 2, as GCSEs at grade 4 or above",
    "3": "level 3, as A levels and T levels",
    "4": "level 4 or above",
}
ALL_THERE = "Buses and trains are in the journeys on this page."
NO_PLACES = "No place here teaches after 16, as far as the lists of schools say."
NO_JOURNEYS = "No journeys are on this page: they have not been worked out. It lists all places."
WAYS_TOLD = 2  # the first paragraphs of METHOD, which are on journeys
METHOD = (
    "Places are in order of the time that it takes you to get there. None is hidden: those that are further away than "
    "you said come last.",
    "A journey by timetable is one that gets you there in time, in the morning. The usual time is the median over the "
    "times at which you may have to be there. On a slow morning, which is one in ten, it takes longer than the second "
    "figure. The last way home is the latest time to leave and ride home within two hours. By car is without traffic.",
    "What a place mostly teaches is said of its kind, not of the place itself. It is our assumption, so ask.",
    "Strengths: each job has 20 skills in order of how much it needs them. A strength of yours counts some 40 points "
    "in first place, and some 21 in last place. The points are compared with the most that any job could have.",
    "What you like: each statement belongs to a trait. From three answers on, a trait counts, by the mean of your "
    "answers. A family of jobs goes with one trait or more. A job has the best of its families.",
    "The score is the mean of both, or the one of them that you gave. Jobs with the same score share a place. "
    "Qualifications that a job asks for are shown, and change nothing in the order.",
    "This is no test of you. Use it to find jobs to ask about, and talk to your school's careers adviser.",
)


def make_page(request: PageRequest) -> Html:
    """Make the options finder from what was released.

    What a run does not have is left out, and the page says so: without journeys it is a list of places.
    """
    tables = {name: request.load(name) for name in USED}
    places = choose_places(tables["careers_places"])
    journeys = tables[JOURNEYS]
    has_journeys = journeys is not None and len(journeys) > 0 and len(places) > 0
    timetables = [name for source, name in TIMETABLES.items() if source in request.list_sources(JOURNEYS)]
    adverts = list_adverts(tables["careers_vacancies"], places)
    jobs = list_jobs(tables["careers_occupations"], tables["careers_occupation_skills"])
    number = len(jobs["jobs"])
    interests = list_interests(tables["careers_interests"], tables["careers_interest_categories"])
    without = NO_JOURNEYS if len(places) else NO_PLACES
    by_timetable = " or ".join(word for name, word in VEHICLES.items() if name in timetables)
    ways = ({"transit": f"by {by_timetable}, and on foot"} if timetables else {}) | WAYS
    content = {"places": list_places(places), "adverts": adverts, "transit": by_timetable, **interests}
    packed = pack_journeys(journeys, list(places["site_id"])) if journeys is not None and has_journeys else ""
    return request.render(
        TEMPLATE,
        USED,
        travel_words=(warn_of_missing(timetables) or ALL_THERE) if has_journeys else without,
        has_journeys=has_journeys,
        ways=ways,
        levels=LEVELS,
        statements=len(interests["statements"]),
        strengths=len(jobs["skills"]),
        vacancies=describe_adverts(tables["careers_vacancies"]),
        jobs=f"{number:,} jobs, in order of what you like and what you are good at." if number else "",
        towns=group_by_town(places),
        method=METHOD if has_journeys else METHOD[WAYS_TOLD:],
        content=embed_json(content | {"skills": jobs["skills"]}),
        jobs_content=embed_json(jobs),
        journeys=Html(packed),
    )


def describe_adverts(adverts: pd.DataFrame | None) -> str | None:
    """Say how many apprenticeships are on the list; None where there is no list."""
    if adverts is None:
        return None
    if adverts.empty:
        return "None was open near here on the day this page was made. New ones come every day."
    count = adverts["vacancy_id"].nunique()
    here, was = ("Here is", "was") if count == 1 else ("Here are", "were")
    return f"{here} {count_things(count, 'advert')} that {was} open on the day this page was made."


def group_by_town(places: pd.DataFrame) -> dict[str, list[dict[str, str]]]:
    """Group places by town, both in alphabetical order."""
    rows = sorted(list_rows(places), key=lambda row: (row["town"] or OTHER_TOWN, row["name"]))
    return {
        town: [{"name": row["name"], "kind": row["kind"], "where": write_address(row)} for row in group]
        for town, group in groupby(rows, lambda row: row["town"] or OTHER_TOWN)
    }
