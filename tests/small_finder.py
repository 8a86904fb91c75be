"""An invented town to find options in: what the finder reads, in the released tables' columns."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from councilbook.careers.finder.page import JOURNEYS, make_page
from councilbook.careers.options.scores import weigh_skills
from councilbook.catalogue import PageSpec
from councilbook.pages.page import write_page
from councilbook.pages.study_pages import PageRequest
from councilbook.pages.withheld import Released
from small_site import DATE, SPEC, make_package

PAGE = PageSpec(
    title="Find your options",
    description="Where you can learn or work after 16, how you get there, and why it is on your list.",
    make="councilbook.careers.finder.page:make_page",
)
KINDS = (
    "Further education college",
    "School with sixth form",
    "Sixth form college",
    "University technical college or studio school",
    "Special school or college",
)
TOWNS = ("Seaford", "Harbour Mills", "Upper Dyke")
TRAITS = ("Leader", "Helper", "Analyst", "Creator", "Doer")
SKILLS = ("Active Listening", "Writing", "Repairing", "Biology", "Speaking", "Memory", "Leadership", "Endurance")


def make_places(count: int) -> pd.DataFrame:
    """Make places around 56 north and 3 east, in the sea."""
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "site_id": [str(100_000 + one) for one in range(count)],
            "urn": [str(100_000 + one) for one in range(count)],
            "name": [f"{TOWNS[one % 3]} {('College', 'Academy', 'School')[one % 3]} {one + 1}" for one in range(count)],
            "kind": [KINDS[one % len(KINDS)] for one in range(count)],
            "address": [f"{one + 1} Long Road" for one in range(count)],
            "town": [TOWNS[one % 3] for one in range(count)],
            "postcode": [f"ZZ1 {one % 10}AA" for one in range(count)],
            "latitude": 56 + rng.uniform(-0.1, 0.1, count),
            "longitude": 3 + rng.uniform(-0.2, 0.2, count),
            "is_post16": True,
            "age_from": 11 + 5 * (np.arange(count) % 2),
            "age_to": 19,
            "run_by": [None, "North Sea Learning"] * (count // 2) + [None] * (count % 2),
            "closed_date": pd.to_datetime(["2017-11-01"] + [None] * (count - 1)),  # merged, and still there
        }
    )


def make_journeys(places: pd.DataFrame, postcodes: int) -> pd.DataFrame:
    """Make journeys that grow with distance; ways of more than two hours are left out."""
    rng = np.random.default_rng(4)
    last, first = "ABDEFGHJLNPQRSTUWXYZ", "ABDEFGHJLN"
    names = [
        f"ZZ{one // 2000 + 1} {one // 200 % 10}{first[one // 20 % 10]}{last[one % 20]}" for one in range(postcodes)
    ]
    north, east = 56 + rng.normal(0, 0.06, postcodes), 3 + rng.normal(0, 0.1, postcodes)
    south_north = (north[:, None] - places["latitude"].to_numpy()) * 111.2
    km = np.hypot(south_north, (east[:, None] - places["longitude"].to_numpy()) * 62.2).ravel()
    wait = np.repeat(rng.choice([3, 6, 10, 20], postcodes), len(places))
    transit = np.minimum(np.round(km * 2.6 + 6 + wait), np.round(km * 16))
    on_foot = transit == np.round(km * 16)
    last = 22 * 60 + 14 - np.repeat(rng.integers(0, 5, postcodes), len(places)) * 60
    table = pd.DataFrame(
        {
            "postcode": np.repeat(names, len(places)),
            "site_id": np.tile(places["site_id"], postcodes),
            "walk_minutes": np.round(km * 16),
            "cycle_minutes": np.round(km * 4.9),
            "drive_minutes": np.round(km * 2.2 + 2),
            "transit_median_minutes": transit,
            "transit_p90_minutes": np.where(on_foot, transit, transit + wait),
            "rides": np.where(on_foot, 0, 1 + (km > 9)),
            "last_home_time": [f"{one // 60:02d}:{one % 60:02d}" for one in last],
        }
    ).convert_dtypes()
    numbers = table.columns[2:7]
    table[numbers] = table[numbers].where(table[numbers] <= 120)
    return table


def make_jobs(count: int = 30, skills: Sequence[str] = SKILLS, of_each: int = 5) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make jobs with some of the skills each; every seventh has those of the job before, the fifth has none."""
    rng = np.random.default_rng(5)
    ids = [f"job-{one:03d}" for one in range(count)]
    families = ["Healthcare", "Managerial", "Computing, technology and digital", "Engineering"]
    occupations = pd.DataFrame(
        {
            "occupation_id": ids,
            "title": [f"{('Nurse', 'Fitter', 'Analyst')[one % 3]} {one:03d}" for one in range(count)],
            "categories": ["; ".join(families[one % 4 : one % 4 + 1 + one % 2]) for one in range(count)],
            "overview": "Does what the name says.",
            "pay_from_gbp": 18_000,
            "pay_to_gbp": pd.array([31_000, None] * (count // 2), dtype="Int64"),
            "college_entry": ["usually needs qualifications", None] * (count // 2),
            "apprenticeship_entry": None,
            "levels": "level 2; advanced apprenticeship",
            "link": "https://example.org/job",
            "tied": pd.array([1] * count, dtype="Int64"),
        }
    )
    rows = []
    for place, job in enumerate(ids):
        if place % 7 != 6:
            own, ratings = rng.choice(len(skills), of_each, replace=False), np.round(rng.uniform(2, 5, of_each), 2)
        rows += [(job, skills[skill], rating) for skill, rating in zip(own, ratings, strict=True) if place != 5]
    table = pd.DataFrame(rows, columns=["soc_code", "skill", "rating"])
    weighed = weigh_skills(table).rename(columns={"soc_code": "occupation_id"})
    return occupations, weighed[["occupation_id", "skill", "rating", "weight"]]


def make_interests() -> tuple[pd.DataFrame, pd.DataFrame]:
    statements = pd.DataFrame(
        [(f"I like what a {trait.lower()} does, way {one}", trait, one == 4) for trait in TRAITS for one in range(5)],
        columns=["statement", "trait", "is_flipped"],
    )
    families = pd.DataFrame(
        [
            ("Healthcare", "Helper", 1.0),
            ("Managerial", "Leader", 0.5),
            ("Managerial", "Doer", 0.5),
            ("Computing, technology and digital", "Analyst", 0.5),
            ("Computing, technology and digital", "Creator", 0.5),
            ("Engineering", "Doer", 1.0),
        ],
        columns=["category", "trait", "weight"],
    )
    return statements, families


def make_adverts(places: pd.DataFrame) -> pd.DataFrame:
    first = places.iloc[0]
    return pd.DataFrame(
        {
            "list": "Find an apprenticeship",
            "vacancy_id": ["1000001", "1000002", "1000003"],
            "address_number": 1,
            "title": ["Apprentice fitter", "Apprentice nurse", "Apprentice of anything </script><b>"],
            "employer": ["Dyke Works", "Sea Hospital", None],
            "standard": ["Maintenance technician", None, None],
            "level": pd.array([3, 2, None], dtype="Int64"),
            "wage": ["£210 a week", None, None],
            "closes_on": pd.to_datetime(["2027-01-31", "2026-12-01", None]),
            "place": ["at an address", "at an address", "anywhere in England"],
            "town": ["Seaford", "Harbour Mills", None],
            "postcode": ["ZZ1 1AB", "ZZ2 2AB", None],
            "latitude": [first["latitude"] + 0.004, 57.5, np.nan],
            "longitude": [first["longitude"], 3.0, np.nan],
            "distance_km": [2.5, 40.0, np.nan],
            "link": ["https://example.org/advert", "javascript:alert(1)", None],
        }
    )


def make_tables(places: int = 12, postcodes: int = 60, **more: pd.DataFrame | None) -> dict[str, pd.DataFrame]:
    """Make all tables that the finder reads; `more` changes one, or leaves it out."""
    sites = make_places(places)
    occupations, skills = make_jobs()
    statements, families = make_interests()
    tables = {
        "careers_places": sites,
        JOURNEYS: make_journeys(sites, postcodes),
        "careers_occupations": occupations,
        "careers_occupation_skills": skills,
        "careers_interests": statements,
        "careers_interest_categories": families,
        "careers_vacancies": make_adverts(sites),
    }
    return {name: table for name, table in (tables | more).items() if table is not None}


def make_request(
    tables: Mapping[str, pd.DataFrame],
    timetables: Sequence[str] = ("bus_timetable", "rail_timetable"),
    data: str = "real",
) -> PageRequest:
    package = make_package("any", "Any")
    row = package["councilbook"]["provenance"][0]

    def release(name: str) -> Released:
        sources = [row | {"source_id": one} for one in timetables] if name == JOURNEYS else [row]
        return Released(make_package(name, name, provenance=sources), {})

    return PageRequest(
        SPEC, PAGE, "Northsea", data, DATE, {name: release(name) for name in tables}, lambda name: tables[name]
    )


def write_finder(folder: Path, tables: Mapping[str, pd.DataFrame], **options: Any) -> Path:
    """Write the page of a town, and return its file."""
    file = folder / "finder.html"
    write_page(make_page(make_request(tables, **options)), file, "the finder")
    return file


def read_content(page: str) -> dict[str, Any]:
    """Read what a page hands to its script."""
    text = page.partition('id="finder-data">')[2].partition("</script>")[0]
    content: dict[str, Any] = json.loads(text)
    return content
