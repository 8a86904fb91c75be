"""Twins of what is published of jobs, apprenticeships, trainers and courses.

Jobs have ordinary names; what they need, pay and ask for is invented, and so is every employer, trainer and advert.
They have the faults that the real files have: names that differ by a comma, adverts without an address, the year 0001.
"""

import json
from typing import Any

import numpy as np
import pandas as pd
from pyproj import Transformer

from councilbook.catalogue import Source, TwinRequest
from councilbook.paths import read_beside
from councilbook.twins.places import SYNTHETIC_NOTE, SyntheticPlace, make_place, write_csv

COMMON = "Idea Generation and Reasoning Abilities"  # in every job, as in the real list
YEARS = {"2022/23": 1.0, "2023/24": 0.95, "2024/25": 1.02, "2025/26 (Aug to Apr)": 0.8}
TRAINERS, ADVERTS, STANDARDS, COURSES = 24, 40, 30, 60
FIRST_UKPRN = 90_000_001  # real numbers begin with 1
NEIGHBOURS = ("Northsea Flats", "Farport", "Sandbank")
OPEN_UNTIL, CLOSED_ON = "2099-12-31T23:59:59Z", "2020-01-31T23:59:59Z"  # whatever the day of the run
GRADES = {2: "Intermediate", 3: "Advanced", 4: "Higher", 6: "Degree"}
LISTS: dict[str, Any] = read_beside(__file__, "options.yaml")
TITLES = [title for titles in LISTS["jobs"].values() for title in titles]


def _draw_jobs(place: SyntheticPlace) -> pd.DataFrame:
    """Draw the jobs of a place: title, family, soc_code (none really begins with 0), and ratings of its skills."""
    rng = place.stream("jobs")
    rows = [(title, family) for family, titles in LISTS["jobs"].items() for title in titles]
    usual = rng.normal(0, 0.9, len(LISTS["skills"]))  # some skills matter nearly everywhere
    leanings = {family: usual + rng.normal(0, 0.5, len(usual)) for family in LISTS["jobs"]}
    jobs = pd.DataFrame(rows, columns=["title", "family"])
    jobs["soc_code"] = [f"{number:04d}A" for number in range(1, len(jobs) + 1)]
    ratings: list[dict[str, float]] = []
    for number, family in enumerate(jobs["family"]):
        again = number % 6 == 5 and jobs["family"][number - 1] == family  # a tie to the point
        ratings.append(ratings[-1] if again else _rate(leanings[family] + rng.normal(0, 0.4, len(usual))))
    return jobs.assign(ratings=pd.Series(ratings))


def _rate(liking: "np.ndarray[Any, np.dtype[np.float64]]") -> dict[str, float]:
    """Rate a job's 20 skills from what it leans to; the common one is never the first."""
    strongest = np.argsort(-liking)[:19]
    skills = LISTS["skills"]
    rated = {skills[place]: round(float(np.clip(3.8 + liking[place] / 2, 1.5, 5.0)), 2) for place in strongest}
    return rated | {COMMON: 3.5}


def occupation_titles(_source: Source, request: TwinRequest) -> bytes:
    """Make the list of occupations; the last two have no skills."""
    jobs = _draw_jobs(make_place(request.council, request.seed))
    more = pd.DataFrame({"title": ["Lamplighter", "Town crier"], "soc_code": ["0998A", "0999A"]})
    table = pd.concat([jobs, more])
    titles = table["title"].replace(LISTS["titles"])
    return write_csv(pd.DataFrame({"Description": titles, "SOCCode": table["soc_code"]}))


def occupation_skills(_source: Source, request: TwinRequest) -> bytes:
    """Make the matrix of occupations and skills, in no order."""
    place = make_place(request.council, request.seed)
    rows = [
        ("Skill", rank, f"{code}-{skill}", rating)
        for code, ratings in _draw_jobs(place)[["soc_code", "ratings"]].itertuples(index=False)
        for rank, (skill, rating) in enumerate(sorted(ratings.items(), key=lambda one: -one[1]), 1)
    ]
    order = place.stream("skills").permutation(len(rows))
    columns = ["ONetAttributeType", "Rank", "Title", "ONetRank"]
    return write_csv(pd.DataFrame([rows[number] for number in order], columns=columns))


def job_profiles(_source: Source, request: TwinRequest) -> bytes:
    """Make the profiles of jobs, with HTML and line breaks in cells as the real ones have."""
    place = make_place(request.council, request.seed)
    jobs, rng = _draw_jobs(place), place.stream("profiles")
    size = len(jobs)
    second = rng.choice(list(LISTS["jobs"]), size)
    two = rng.random(size) < 0.4
    low = rng.integers(12, 28, size) * 1000
    college, trained, level = rng.random(size) < 0.5, rng.random(size) < 0.7, rng.integers(1, 4, size)
    course = [f"<p>You could take a course:</p>\n<ul>\n <li>Level {one} Diploma</li>\n</ul>" for one in level]
    grade = rng.choice(list(GRADES.values()), size)
    table = pd.DataFrame(
        {
            "UrlName": "synthetic-" + jobs["title"].str.lower().str.replace(" ", "-"),
            "Title": jobs["title"],
            "JobProfileCategories": [
                f"{own},{other}" if both and own != other else own
                for own, other, both in zip(jobs["family"], second, two, strict=True)
            ],
            "Overview": "A synthetic text on this work: " + jobs["title"] + ".",
            "SalaryStarter": np.where(np.arange(size) % 15 == 14, 0, low),
            "SalaryExperienced": low + rng.integers(2, 30, size) * 1000,
            "MinimumHours": 37,
            "MaximumHours": 40,
            "CollegeEntryRequirements": np.where(college, "You'll usually need:", ""),
            "CollegeRelevantSubjects": np.where(college, course, ""),
            "ApprenticeshipEntryRequirements": np.where(trained, "There are no set entry requirements.", ""),
            "ApprenticeshipRelevantSubjects": [
                f"<p>You could do a {one.lower()} apprenticeship.</p>" if has else ""
                for one, has in zip(grade, trained, strict=True)
            ],
        }
    )
    return write_csv(table)


def interest_statements(_source: Source, _request: TwinRequest) -> bytes:
    """Make 40 statements about eight traits, the last of each trait turned round."""
    rows = [
        (f"I {'do not like' if number == 4 else 'like'} to {text}", trait, int(number == 4))
        for trait, texts in LISTS["traits"].items()
        for number, text in enumerate(texts)
    ]
    return write_csv(pd.DataFrame(rows, columns=["Statement", "Trait", "IsFlipped"]), bom=True)


def interest_categories(_source: Source, request: TwinRequest) -> bytes:
    """Make the families of jobs, with one to three traits each."""
    rng = make_place(request.council, request.seed).stream("families")
    traits = [trait.upper() for trait in LISTS["traits"]]
    items = [
        {
            "id": "".join(word[0] for word in family.replace(",", "").split()).upper(),
            "jobFamilyName": family,
            "texts": [{"languageCode": "en", "text": SYNTHETIC_NOTE}],
            "traitCodes": [str(code) for code in rng.choice(traits, count, replace=False)],
            "partitionKey": "job-categories",
        }
        for family, count in zip(LISTS["jobs"], rng.integers(1, 4, len(LISTS["jobs"])), strict=True)
    ]
    return _write_json(items)


def lars_standards(_source: Source, request: TwinRequest) -> bytes:
    """Make the list of apprenticeship standards; one is there in two versions, one takes no more starters."""
    rng = make_place(request.council, request.seed).stream("standards")
    table = pd.DataFrame(
        {
            "StandardCode": np.arange(9001, 9001 + STANDARDS),
            "Version": 1,
            "StandardName": TITLES[:STANDARDS],
            "StandardSectorCode": "1",
            "NotionalEndLevel": rng.choice(list(GRADES), STANDARDS),
            "EffectiveFrom": "01 Aug 2014",
            "LastDateStarts": np.where(np.arange(STANDARDS) == 7, "31 Mar 2017", ""),
            "SectorSubjectAreaTier1": rng.choice(list(LISTS["sectors"]), STANDARDS),
        }
    )
    return write_csv(pd.concat([table, table.head(1).assign(Version=2)]))


def lars_sectors(_source: Source, _request: TwinRequest) -> bytes:
    """Make the list of sectors."""
    columns = ["SectorSubjectAreaTier1", "SectorSubjectAreaTier1Desc"]
    return write_csv(pd.DataFrame(LISTS["sectors"].items(), columns=columns))


def faa_vacancies(_source: Source, request: TwinRequest) -> bytes:
    """Make a list of adverts, with each of the faults that the service's own have."""
    place = make_place(request.council, request.seed)
    rng = place.stream("adverts")
    spots = _draw_spots(place, ADVERTS, rng)
    adverts = [
        _write_advert(number, spots[number], TITLES[rng.integers(STANDARDS)], int(rng.choice(list(GRADES))))
        for number in range(ADVERTS)
    ]
    for number in range(0, ADVERTS, 8):
        adverts[number]["closingDate"] = CLOSED_ON
    adverts[1] |= {"addresses": [], "isNationalVacancy": True}
    adverts[2] |= {"addresses": []}
    adverts[3] |= {"startDate": "0001-01-01T00:00:00Z", "hoursPerWeek": 0, "ukprn": 0}
    adverts[4]["course"] = {"larsCode": 0, "level": 0}
    adverts[5]["course"]["larsCode"] = 8999  # of no standard in the list
    adverts[6]["addresses"] = [*adverts[6]["addresses"], *adverts[9]["addresses"]]
    adverts[7]["addresses"] = [
        {"addressLine3": "Far away", "latitude": 50.1, "longitude": -5.2, "postcode": "ZZ99 9ZZ"}
    ]
    sizes = {"total": ADVERTS, "totalFiltered": ADVERTS, "totalPages": 1}
    return _write_json({"vacancies": adverts, **sizes, "note": SYNTHETIC_NOTE})


def _write_advert(number: int, spot: tuple[float, float], title: str, level: int) -> dict[str, Any]:
    code = 9001 + TITLES.index(title)
    return {
        "title": f"{title} apprentice",
        "description": f"<p>{SYNTHETIC_NOTE}</p>",
        "numberOfPositions": 1 + number % 3,
        "postedDate": "2026-09-01T11:33:46.88Z",
        "closingDate": OPEN_UNTIL,
        "startDate": "2099-12-31T00:00:00Z",
        "wage": {"wageType": "Custom", "wageUnit": "Annually", "wageAdditionalInformation": "£16,640 a year"},
        "hoursPerWeek": 30 + number % 4 * 2.5,
        "addresses": [
            {
                "addressLine1": f"{number + 1} Synthetic Street",
                "addressLine4": "Synthetic town",
                "postcode": f"ZZ{1 + number % 9} {number % 10}AA",
                "latitude": round(spot[0], 5),
                "longitude": round(spot[1], 5),
            }
        ],
        "employerName": f"Synthetic employer {number + 1} Ltd",
        "course": {"larsCode": code, "title": f"{title} (level {level})", "level": level, "type": "Standard"},
        "apprenticeshipLevel": GRADES[level],
        "providerName": f"SYNTHETIC TRAINER {1 + number % TRAINERS}",
        "ukprn": FIRST_UKPRN + number % TRAINERS,
        "vacancyUrl": f"https://www.findapprenticeship.service.gov.uk/apprenticeship/reference/SYNTHETIC{number}",
        "vacancyReference": f"SYNTHETIC{number}",
        "isNationalVacancy": False,
    }


def ncs_vacancies(_source: Source, _request: TwinRequest) -> bytes:
    """Make the older list: a row for each job profile that an advert stood at."""
    rows = [
        {
            "PublicationDate": "10/05/2019 03:52",
            "URL": f"https://www.findapprenticeship.service.gov.uk/apprenticeship/reference/SYNTHETIC-OLD{number}",
            "Location": f"{'Synthetic town ' if number % 3 else ''}ZZ{number % 9 + 1} {number % 10}AB",
            "WageUnitType": "Weekly" if number % 2 else "",
            "Title": f"Apprentice {number}",
            "WageAmount": "£152.10" if number % 2 else "To be agreed upon appointment",
            "VacancyId": 9_000_000 + number,
        }
        for number in range(12)
        for _ in range(1 + number % 4)
    ]
    return write_csv(pd.DataFrame(rows))


def provider_starts(_source: Source, request: TwinRequest) -> bytes:
    """Make starts by provider, home and place of training; most counts are small, as the real ones are."""
    place = make_place(request.council, request.seed)
    rng = place.stream("starts")
    own = [name or code for code, name in request.council.codes.items()]  # as the file has them: it is read by name
    districts = [*own, *NEIGHBOURS]
    inside = len(place.districts)
    size = rng.lognormal(2.2, 1.1, TRAINERS)
    rows = [
        (year, f"SYNTHETIC TRAINER {trainer + 1} ({FIRST_UKPRN + trainer})", districts[home], districts[here], count)
        for year, share in YEARS.items()
        for trainer in range(TRAINERS)
        for home in range(len(districts))
        for here in range(len(districts))
        if home < inside or here < inside
        if (count := int(rng.poisson(size[trainer] * share / (1 + 4 * (home != here)) / inside))) or home == here
    ]
    table = pd.DataFrame(rows, columns=["year", "provider_name", "learner_home_lad", "delivery_lad", "starts"])
    return write_csv(table.assign(enrolments=table["starts"] * 2, achievements=table["starts"] // 2))


def provider_standards(_source: Source, request: TwinRequest) -> bytes:
    """Make starts by provider and standard in England; names are not in capitals here."""
    rng = make_place(request.council, request.seed).stream("provider standards")
    sectors = list(LISTS["sectors"].values())
    grades = [f"{grade} Apprenticeship" for grade in list(GRADES.values())[:3]]
    rows = [
        (
            year,
            grades[rng.integers(3)],
            TITLES[rng.integers(STANDARDS)],
            sectors[rng.integers(len(sectors))],
            f"Synthetic trainer {trainer + 1} ({FIRST_UKPRN + trainer})",
            measure,
            int(rng.integers(0, 60)),
        )
        for year in YEARS
        for trainer in range(TRAINERS - 2)
        for measure in ("Starts", "Enrolments", "Achievements")
        for _ in range(3)
    ]
    columns = ["year", "apps_Level", "std_fwk_name", "ssa_t1_desc", "provider_name", "measure", "values"]
    return write_csv(pd.DataFrame(rows, columns=columns))


def courses(_source: Source, request: TwinRequest) -> bytes:
    """Make an extract of the national course directory, with all of its columns."""
    place = make_place(request.council, request.seed)
    rng = place.stream("courses")
    spots = _draw_spots(place, COURSES, rng)
    table = pd.DataFrame(
        {
            "PROVIDER_UKPRN": FIRST_UKPRN + rng.integers(0, TRAINERS, COURSES),
            "COURSE_ID": [f"synthetic-course-{number}" for number in np.arange(COURSES) // 2],
            "COURSE_RUN_ID": [f"synthetic-run-{number}" for number in range(COURSES)],
            "COURSE_NAME": rng.choice(TITLES, COURSES),
            "DELIVER_MODE": "Classroom based",
            "STARTDATE": "01/09/2099",
            "NATIONAL": "",
            "LOCATION_LATITUDE": spots[:, 0].round(5),
            "LOCATION_LONGITUDE": spots[:, 1].round(5),
            "LOCATION_POSTCODE": "ZZ1 1AA",
            "EDUCATION_LEVEL": rng.choice(["EntryLevel", "One", "Two", "Three", ""], COURSES),
        }
    )
    online = table.tail(3).assign(DELIVER_MODE="Online", NATIONAL="true", LOCATION_LATITUDE="", LOCATION_LONGITUDE="")
    return write_csv(pd.concat([table.head(-3), online]).reindex(columns=LISTS["course_columns"]))


def _draw_spots(place: SyntheticPlace, count: int, rng: np.random.Generator) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """Draw points where people live, as latitude and longitude."""
    pieces = place.pieces.iloc[rng.integers(0, len(place.pieces), count)]
    to_degrees = Transformer.from_crs("EPSG:27700", "EPSG:4326")
    spots: np.ndarray[Any, np.dtype[np.float64]] = np.column_stack(to_degrees.transform(pieces["x"], pieces["y"]))
    return spots


def _write_json(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=1).encode("utf-8")
