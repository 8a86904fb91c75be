"""Apprenticeships that are advertised, and courses that are on offer, near a council's places.

Two lists of adverts are read: the Display Advert API (version 2) of the Department for Education, and the older list
that the National Careers Service showed beside its job profiles. What an advert leaves out it says in its own ways:
the year 0001 for no date, 0 for no standard and no hours, an empty list for no address.
"""

import re
from collections import ChainMap
from collections.abc import Mapping
from html import unescape
from typing import Any

import numpy as np
import pandas as pd
from pyproj import Geod

from councilbook.careers.options.items import read_json, take_items
from councilbook.careers.places.positions import find_points, gather_points
from councilbook.catalogue import FoundFile
from councilbook.sources.extracts.days import read_day
from councilbook.sources.identifiers import POSTCODE
from councilbook.study import Study

ADVERTS, OLD_LIST = "Find an apprenticeship", "National Careers Service"
ADDRESS, ANYWHERE, NOT_SAID = "at an address", "anywhere in England", "not said"
NEAR, OPEN_ANYWHERE, OPEN_NOT_SAID = "open, within reach", "open, anywhere in England", "open, place not said"
FAR, CLOSED, OLD = "open, further away", "closed before this run", "without a closing day, and of an old list"
OUTCOMES = (NEAR, OPEN_ANYWHERE, OPEN_NOT_SAID, FAR, CLOSED, OLD)
KEPT = OUTCOMES[:3]
TAG = re.compile(r"<[^<>]*>")
FIRST_YEAR = 2000  # earlier is no date: the service writes 0001-01-01
DAYS_OPEN = 90  # after which an advert without a closing day is taken as gone
BRITAIN = {"latitude": (49.0, 61.5), "longitude": (-9.0, 2.5)}
TEXTS = ("vacancy_id", "title", "employer", "provider", "wage", "place", "town", "postcode", "link", "list")
NUMBERS = {"ukprn": 99_999_999, "lars_code": 99_999, "level": 8, "hours_week": 168}  # the most there is; 0 is none
DAYS = ("posted_on", "closes_on", "starts_on")
COLUMNS = {
    "address_number": "int64",
    **dict.fromkeys(TEXTS, "str"),
    **dict.fromkeys(NUMBERS, "Int64"),
    "hours_week": "Float64",
    **dict.fromkeys(DAYS, "datetime64[us]"),
    **dict.fromkeys(BRITAIN, "float64"),
}
TOWN_LINES = [f"addressLine{number}" for number in (4, 3, 2, 1)]  # the town is the last that is filled
RELEASED = [
    *("list", "vacancy_id", "address_number", "title", "employer", "provider", "ukprn", "standard", "sector", "level"),
    *("wage", "hours_week", "closes_on", "starts_on", "place", "town", "postcode", "latitude", "longitude"),
    *("distance_km", "link"),
]


def load_adverts(study: Study, points: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Load the lists of adverts that are there, placed, each with its standard; see `read_adverts`.

    Args:
        study: of a notebook that reads both lists and the list of standards.
        points: of the postcodes of schools; those of `gather_points` are asked as well.
    """
    lists = [_type_adverts(pd.DataFrame(columns=list(COLUMNS)))]
    set_aside: dict[str, int] = {}
    if study.has("faa_vacancies"):
        adverts, set_aside = read_adverts(study.open_file("faa_vacancies"))
        lists.append(adverts)
    if study.has("ncs_vacancies"):
        rows = study.load("ncs_vacancies")
        lists.append(read_old_list(rows))
        set_aside["rows of adverts that the older list has several times"] = len(rows) - len(lists[-1])
    placed = place_openings(pd.concat(lists, ignore_index=True).astype(COLUMNS), gather_points(study, points))
    return join_standards(placed, study.load("lars_standards"), study.load("lars_sectors")), set_aside


def read_adverts(found: FoundFile) -> tuple[pd.DataFrame, dict[str, int]]:
    """Read a list of the Display Advert API: a page of it, several in a list, or the adverts alone.

    Returns:
        A row an advert and address, with `COLUMNS`; an advert without an address has one row. And what was set aside
        or is missing, in words, with how many.

    Raises:
        SourceError: the file is no list of adverts in the API's layout.
    """
    content = _lower_names(read_json(found))
    pages = (isinstance(content, list) and take_items(content, found)) or [content]
    if all(isinstance(one, dict) and "vacancyReference" in one for one in pages):
        pages = [{"vacancies": pages}]
    items = [item for page in pages for item in take_items(page, found, "vacancies")]
    named = [item for item in items if item.get("vacancyReference") and _tidy(item.get("title"))]
    unique = {str(item["vacancyReference"]): item for item in named}
    rows = [row for item in unique.values() for row in _list_addresses(item)]
    totals = pd.to_numeric(pd.Series([one.get("totalFiltered") or one.get("total") for one in pages]), errors="coerce")
    set_aside = {
        "adverts without a reference or a title": len(items) - len(named),
        "adverts listed twice": len(named) - len(unique),
        "adverts with a closing day that cannot be read": sum(map(_has_strange_end, unique.values())),
        "adverts on pages that are not in the file": max(int(totals.fillna(0).max()) - len(items), 0),
    }
    return _type_adverts(pd.DataFrame(rows, columns=list(COLUMNS))), set_aside


def check_adverts(_study: Study, found: FoundFile) -> None:
    """Check that a list of adverts can be read, before the first notebook.

    Raises:
        SourceError: it cannot; see `read_adverts`.
    """
    read_adverts(found)


def _lower_names(content: Any) -> Any:
    """Write the names of a record's values with a small first letter, as the service does and some exports do not."""
    if isinstance(content, dict):
        return {name[:1].lower() + name[1:]: _lower_names(value) for name, value in content.items()}
    return [_lower_names(one) for one in content] if isinstance(content, list) else content


def _tidy(text: Any) -> str:
    """Write a text without the tags and signs of a web page."""
    return " ".join(unescape(TAG.sub(" ", str(text or ""))).split())


def _write_day(text: Any) -> str | None:
    """Write a day as ISO; None if there is none, or it cannot be read."""
    day = read_day(str(text or "").strip())
    return day.isoformat() if day else None


def _has_strange_end(item: Mapping[str, Any]) -> bool:
    return bool(item.get("closingDate")) and _write_day(item["closingDate"]) is None


def _list_addresses(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    course, wage = (part if isinstance(part := item.get(name), dict) else {} for name in ("course", "wage"))
    advert = {
        "vacancy_id": str(item["vacancyReference"]),
        "title": _tidy(item["title"]),
        "employer": _tidy(item.get("employerName")),
        "provider": _tidy(item.get("providerName")),
        "ukprn": item.get("ukprn"),
        "lars_code": course.get("larsCode"),
        "level": course.get("level"),
        "hours_week": item.get("hoursPerWeek"),
        "wage": _tidy(wage.get("wageAdditionalInformation")),
        "posted_on": _write_day(item.get("postedDate")),
        "closes_on": _write_day(item.get("closingDate")),
        "starts_on": _write_day(item.get("startDate")),
        "place": ANYWHERE if str(item.get("isNationalVacancy")).casefold() == "true" else NOT_SAID,
        "link": str(item.get("vacancyUrl") or ""),
        "list": ADVERTS,
    }
    own = [part for name in ("address", "location") if isinstance(part := item.get(name), dict)]  # of version 1
    listed = part if isinstance(part := item.get("addresses"), list) else [dict(ChainMap(*own))]
    addresses = [one for one in listed if isinstance(one, dict) and any(one.values())]
    if not addresses:
        return [advert | {"address_number": 1}]
    return [
        advert
        | {name: one.get(name) for name in ("postcode", *BRITAIN)}
        | {
            "address_number": number,
            "place": ADDRESS,
            "town": next((_tidy(one[line]) for line in TOWN_LINES if one.get(line)), ""),
        }
        for number, one in enumerate(addresses, 1)
    ]


def _type_adverts(raw: pd.DataFrame) -> pd.DataFrame:
    """Give adverts their types; what the service writes for nothing becomes missing."""
    adverts = raw.copy()
    for name, most in NUMBERS.items():
        numbers = pd.to_numeric(adverts[name], errors="coerce")
        whole = (numbers % 1 == 0) | (name == "hours_week")
        adverts[name] = numbers.where((numbers > 0) & whole & (numbers <= most))
    for name in DAYS:
        days = pd.to_datetime(adverts[name].astype("str").str[:10], format="%Y-%m-%d", errors="coerce")
        adverts[name] = days.where(days.dt.year >= FIRST_YEAR)
    return drop_abroad(adverts).astype(COLUMNS)


def read_old_list(rows: pd.DataFrame) -> pd.DataFrame:
    """Bring the National Careers Service's list into the form of `read_adverts`.

    It has a row for each job profile that an advert was shown at, so most adverts come several times.

    Args:
        rows: vacancy_id, title, location (town and postcode), wage, wage_unit, published (day/month/year), link.
    """
    once = rows.drop_duplicates("vacancy_id").reset_index(drop=True)
    postcode = once["location"].str.extract(f"({POSTCODE})\\s*$")[0]
    wage = once["wage"].str.cat(once["wage_unit"].str.lower(), sep=" ", na_rep="").str.strip()
    published = pd.to_datetime(once["published"].str[:10], format="%d/%m/%Y", errors="coerce")
    return _type_adverts(
        once[["vacancy_id", "title", "link"]]
        .assign(
            address_number=1,
            wage=wage,
            posted_on=published.dt.strftime("%Y-%m-%d"),
            place=postcode.notna().map({True: ADDRESS, False: NOT_SAID}),
            postcode=postcode,
            town=once["location"].str.replace(f"{POSTCODE}\\s*$", "", regex=True).str.strip(),
            list=OLD_LIST,
        )
        .reindex(columns=list(COLUMNS))
    )


def drop_abroad(openings: pd.DataFrame) -> pd.DataFrame:
    """Leave blank what is no latitude or longitude of Britain: lists write 0, or turn the two round."""
    degrees = {name: pd.to_numeric(openings[name], errors="coerce") for name in BRITAIN}
    return openings.assign(**{name: degrees[name].where(degrees[name].between(*BRITAIN[name])) for name in BRITAIN})


def place_openings(openings: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """Give adverts or courses without coordinates those of their postcode.

    Args:
        openings: postcode, latitude, longitude, the last two missing where they are not given.
        points: postcode, latitude, longitude; spaces in postcodes do not matter.
    """
    found = find_points(openings["postcode"].fillna(""), points)
    return openings.assign(**{name: openings[name].fillna(found[name]) for name in BRITAIN})


def join_standards(adverts: pd.DataFrame, standards: pd.DataFrame, sectors: pd.DataFrame) -> pd.DataFrame:
    """Add the apprenticeship standard that each advert is for.

    Args:
        adverts: see `read_adverts`.
        standards: lars_code, version, standard, level, sector_code and last_start (day Mon year, blank where it goes
            on), of the Learning Aim Reference Service.
        sectors: sector_code, sector.

    Returns:
        The adverts with standard, sector and last_start, missing where the list has no such standard; a level that the
        advert does not give is the standard's.
    """
    newest = standards.sort_values("version").drop_duplicates("lars_code", keep="last")
    named = newest.merge(sectors, how="left", on="sector_code", validate="many_to_one")
    named["last_start"] = pd.to_datetime(named["last_start"], format="%d %b %Y", errors="coerce")
    columns = ["lars_code", "standard", "level", "sector", "last_start"]
    named = named[columns].rename(columns={"level": "standard_level"})
    joined = adverts.merge(named, how="left", on="lars_code", validate="many_to_one")
    return joined.assign(level=joined["level"].fillna(joined["standard_level"])).drop(columns="standard_level")


def find_middle(sites: pd.DataFrame) -> tuple[float, float]:
    """Return the median latitude and longitude of places, as the middle of where a council's young people learn."""
    return float(sites["latitude"].median()), float(sites["longitude"].median())


def measure_km(places: pd.DataFrame, middle: tuple[float, float]) -> "pd.Series[float]":
    """Measure how far places are from a point in a straight line, in km; missing where a place has no coordinate."""
    there = places[["latitude", "longitude"]].notna().all(axis="columns")
    latitude, longitude = (
        places[name].where(there, here).to_numpy() for name, here in zip(BRITAIN, middle, strict=True)
    )
    here = [np.full(len(places), degrees) for degrees in middle]
    metres = Geod(ellps="WGS84").inv(longitude, latitude, here[1], here[0])[2]
    return pd.Series(metres / 1000, index=places.index).where(there)


def judge_adverts(adverts: pd.DataFrame, run_date: str, middle: tuple[float, float], within_km: float) -> pd.DataFrame:
    """Say of each advert whether it is open on the day of the run, and how far away it is.

    Args:
        adverts: see `read_adverts`.
        run_date: the day, ISO.
        middle: latitude and longitude from which distances are measured.
        within_km: what counts as within reach.

    Returns:
        The adverts with distance_km (of each address) and outcome, one of OUTCOMES; an advert of several addresses is
        within reach by those that are.
    """
    day = pd.Timestamp(run_date)
    distance = measure_km(adverts, middle)
    place = adverts["place"].mask(adverts["place"].eq(ADDRESS) & distance.isna(), NOT_SAID)
    outcome = place.map({ADDRESS: FAR, ANYWHERE: OPEN_ANYWHERE, NOT_SAID: OPEN_NOT_SAID})
    outcome = outcome.mask(distance <= within_km, NEAR)
    ended = adverts["closes_on"].isna() & ~(adverts["posted_on"] >= day - pd.Timedelta(days=DAYS_OPEN))
    outcome = outcome.mask(ended, OLD).mask(adverts["closes_on"] < day, CLOSED)
    return adverts.assign(distance_km=distance.round(1), place=place, outcome=outcome)


def count_outcomes(adverts: pd.DataFrame) -> pd.DataFrame:
    """Count adverts by list and outcome, each once by the best of its addresses.

    Returns:
        list, outcome (in the order of OUTCOMES), adverts.
    """
    ranked = adverts.assign(rank=adverts["outcome"].map(OUTCOMES.index)).sort_values("rank")
    once = ranked.drop_duplicates(["list", "vacancy_id"])
    counted = once.groupby(["list", "rank"], as_index=False).size()
    counted["outcome"] = counted["rank"].map(dict(enumerate(OUTCOMES)))
    return counted.rename(columns={"size": "adverts"})[["list", "outcome", "adverts"]]


def count_gaps(adverts: pd.DataFrame) -> pd.DataFrame:
    """Count what adverts do not say: gap, adverts."""
    once = adverts.drop_duplicates(["list", "vacancy_id"])
    gaps = {
        "no address": once["place"].ne(ADDRESS),
        "no starting day": once["starts_on"].isna(),
        "no apprenticeship standard": once["lars_code"].isna(),
        "a standard that the list of standards does not have": once["lars_code"].notna() & once["standard"].isna(),
        "a standard that was closed when the advert came out": once["last_start"] < once["posted_on"],
    }
    return pd.DataFrame([(gap, int(rows.sum())) for gap, rows in gaps.items()], columns=["gap", "adverts"])


def list_near(adverts: pd.DataFrame) -> pd.DataFrame:
    """List the adverts that a young person can answer now, the nearest first; those of no fixed place come last.

    Returns:
        The columns of the dataset careers_vacancies (RELEASED).
    """
    kept = adverts.loc[adverts["outcome"].isin(KEPT), RELEASED]
    return kept.sort_values(["distance_km", "title", "vacancy_id"]).reset_index(drop=True)
