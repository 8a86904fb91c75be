"""What the finder's script works with: places, jobs, statements and adverts as plain lists, from released tables."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from councilbook.paths import read_beside

Row = Mapping[str, Any]

# Of each kind of place what it is for (about), the levels of the courses that one mostly starts there, and the first
# question to ask it (ask); and skills as a young person would say them.
WORDS: dict[str, Any] = read_beside(__file__, "words.yaml")
KM = 111.2  # a degree of latitude
LAST_YEAR = 16  # an age up to which a school teaches no sixth form
NEAR_KM = 3.0  # an advert this near to a place has much the same way there
ADVERT = ("title", "employer", "standard", "wage", "place", "town", "postcode", "level", "distance_km")


def choose_places(places: pd.DataFrame | None) -> pd.DataFrame:
    """Choose the places where one can learn after 16, by name; none if none were released.

    All that are released are open: a place with a closing date has merged, and is still there.
    """
    if places is None:
        return pd.DataFrame(columns=["site_id", "name", "kind", "town"])
    return places[places["is_post16"].astype(bool)].sort_values(["name", "site_id"]).reset_index(drop=True)


def list_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """List the rows of a table as JSON has them: None where a cell is missing or empty."""
    return [{str(name): _plain(value) for name, value in row.items()} for row in frame.to_dict("records")]


def list_places(places: pd.DataFrame) -> list[dict[str, Any]]:
    """List places as the script wants them."""
    kinds = WORDS["kinds"]
    names = ("site_id", "name", "kind", "town", "latitude", "longitude", "run_by")
    return [
        {
            **{name: row.get(name) for name in names},
            "where": write_address(row),
            "ages": _write_ages(row),
            **kinds.get(row["kind"], kinds["Other"]) | _doubt_age(row),
        }
        for row in list_rows(places)
    ]


def write_address(row: Row) -> str:
    """Write an address in a line, in which no part comes twice."""
    parts = [str(row[name]).strip() for name in ("address", "town", "postcode") if row.get(name)]
    last = [part for place, part in enumerate(parts) if not any(part in other for other in parts[:place])]
    return ", ".join(last)


def _write_ages(row: Row) -> str:
    low, high = row.get("age_from"), row.get("age_to")
    return f"{low:.0f} to {high:.0f}" if low is not None and high is not None else ""


def _doubt_age(row: Row) -> dict[str, str]:
    """Ask a place whose ages end at 16 whether it still teaches after that."""
    if row.get("age_to") is None or row["age_to"] > LAST_YEAR:
        return {}
    told = f"Its ages are given as {_write_ages(row)}, so it may no longer teach after 16."
    return {"doubt": told, "ask": "Can I still study with you after 16?"}


def list_interests(statements: pd.DataFrame | None, families: pd.DataFrame | None) -> dict[str, Any]:
    """List the statements, each with its trait and its sign, and each family of jobs with the weights of its traits."""
    if statements is None or families is None:
        return {"statements": [], "families": {}}
    return {
        "statements": [
            [row["statement"], row["trait"], -1 if row["is_flipped"] else 1] for row in list_rows(statements)
        ],
        "families": {
            name: dict(zip(rows["trait"], rows["weight"], strict=True)) for name, rows in families.groupby("category")
        },
    }


def list_jobs(occupations: pd.DataFrame | None, skills: pd.DataFrame | None) -> dict[str, Any]:
    """List jobs and their skills; jobs with the very same skills and weights share one entry of `profiles`.

    Returns:
        skills (each a name, how a young person says it, and its group), profiles (each a list of a skill's place in
        `skills` and its weight, the strongest first) and jobs.
    """
    if occupations is None:
        return {"skills": [], "profiles": [], "jobs": []}
    told = {name: (words, group) for group, own in WORDS["strengths"].items() for name, words in own.items()}
    names = [] if skills is None else sorted(skills["skill"].unique(), key=lambda name: told.get(name, (name,))[0])
    numbers = {name: number for number, name in enumerate(names)}
    profiles: dict[tuple[tuple[int, float], ...], int] = {}
    of_job = {}
    for job, own in () if skills is None else skills.groupby("occupation_id"):
        ordered = own.sort_values(["weight", "skill"], ascending=[False, True])
        profile = tuple(zip(ordered["skill"].map(numbers), ordered["weight"], strict=True))
        of_job[job] = profiles.setdefault(profile, len(profiles))
    return {
        "skills": [[name, *told.get(name, (name, "Other strengths"))] for name in names],
        "profiles": [[value for pair in profile for value in pair] for profile in profiles],
        "jobs": [_describe_job(row, of_job.get(row["occupation_id"])) for row in list_rows(occupations)],
    }


def _describe_job(row: Row, profile: int | None) -> dict[str, Any]:
    names = ("title", "overview", "pay_from_gbp", "pay_to_gbp", "college_entry", "apprenticeship_entry", "levels")
    kept = {name: row.get(name) for name in names} | {"link": _write_link(row.get("link"))}
    families = row["categories"].split("; ") if row["categories"] else []
    return {
        **{name: value for name, value in kept.items() if value is not None},
        "families": families,
        "profile": profile,
    }


def list_adverts(adverts: pd.DataFrame | None, places: pd.DataFrame) -> list[dict[str, Any]]:
    """List apprenticeships, a row an address, each with the nearest place to learn if there is one within NEAR_KM."""
    if adverts is None:
        return []
    spots = places.dropna(subset=["latitude", "longitude"]) if len(places) else places
    return [
        {
            "id": f"{str(row['list'])[0]}{row['vacancy_id']}-{row['address_number']}",  # unlike that of any place
            **{name: row.get(name) for name in ADVERT},
            "link": _write_link(row.get("link")),
            "closes_on": row["closes_on"] and f"{row['closes_on']:%Y-%m-%d}",
            "near": _find_near(row, spots),
        }
        for row in list_rows(adverts)
    ]


def _find_near(row: Row, spots: pd.DataFrame) -> tuple[str, float] | None:
    """Find the place next to an advert, and how far that is in km."""
    north, east = row["latitude"], row["longitude"]
    if north is None or east is None or spots.empty:
        return None
    south_north = (spots["latitude"] - north) * KM
    west_east = (spots["longitude"] - east) * KM * np.cos(np.radians(north))
    km = np.hypot(south_north, west_east)
    return (str(spots.loc[km.idxmin(), "site_id"]), round(float(km.min()), 1)) if km.min() <= NEAR_KM else None


def _write_link(address: object) -> str | None:
    """Return an address of the web; None for any other text, which a link must not run."""
    return address if isinstance(address, str) and address.startswith(("https://", "http://")) else None


def _plain(value: Any) -> Any:
    if pd.isna(value) or value == "":
        return None
    return value.item() if isinstance(value, np.generic) else value
