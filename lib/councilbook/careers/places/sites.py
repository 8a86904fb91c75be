"""Places to learn at are sites, not rows of a register.

A school that became an academy has two rows and one door. A college that merged into a group has a closed row, and its
building is open: a further education corporation that is dissolved passes its property on (Further and Higher Education
Act 1992, section 27). And a school that opened last year is in the newer of two lists alone.
"""

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from councilbook.careers.places.positions import GRID, find_astray, find_points, space, squeeze
from councilbook.paths import read_beside

COLUMNS = [
    *("site_id", "urn", "name", "kind", "address", "town", "postcode", "latitude", "longitude", "positioned_by"),
    *("is_secondary", "is_post16", "age_from", "age_to", "run_by", "predecessor_urns", "opened_date", "closed_date"),
]
MERGERS = pd.DataFrame(read_beside(__file__, "mergers.yaml")).T.astype("str")  # by old URN: into which, and its name
MERGERS.index = MERGERS.index.astype("str")
SCHOOL_TO_16 = "School to 16"
SIXTH_FORM = "School with sixth form"
KINDS = {  # pattern of a type, as either list has it, to the kind of a site; the first that fits
    r"special (?:school|post)|special$|special college": "Special school or college",
    r"university technical|studio": "University technical college or studio school",
    r"sixth form|16[- ]19|16 to 19": "Sixth form college",
    r"further education|agricultur|art, design|designated|^college": "Further education college",
    r"other government|service child|referral|alternative provision": "Other",
}
CORPORATIONS = r"further education college|^sixth form college|agricultur|art, design|designated|^further education$"
OPEN, CLOSED = "1", "2"
STILL_OPEN = r"^Open"  # "Open, but proposed to close" is open
COMMON_WORDS = {"the", "school", "academy", "college", "and", "of", "high", "for", "a"}

WHY_GOES_ON = "It goes on as {}."
WHY_CLOSED = "It has closed."
WHY_CLOSING = "It was about to close or to become an academy when the list was made, and no later list has it."
WHY_SHARED = "The college has closed, and another is at its postcode."
WHY_NOWHERE = "Its postcode has no coordinate."
WHY_ASTRAY = "By its postcode it lies over 20 km from the authority's other places."


def list_sites(spine: pd.DataFrame, register: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """List the places of an authority to learn at, from 11 on, that are open.

    Args:
        spine: the performance tables' schools and colleges of the authority, of every age and status.
        register: its rows of the national register, as `register.read_register` returns them; may have none.
        points: postcode, latitude, longitude of the spine's postcodes.

    Returns:
        A row a site, as the dataset careers_places has it (COLUMNS). A college's site keeps its own old URN as
        site_id; urn and run_by are then the group's, where `mergers.yaml` knows it. Ages are the register's where it
        has the place: it is newer, so a highest age of 16 beside is_post16 says that a sixth form may have closed.
    """
    found = _judge(spine, register, points)
    return found.loc[found["why"] == "", COLUMNS].sort_values("site_id", ignore_index=True)


def list_set_aside(spine: pd.DataFrame, register: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """List the rows from which no site was made: site_id, name, is_post16, postcode, why; see `list_sites`."""
    found = _judge(spine, register, points)
    rows = found.loc[found["why"] != "", ["site_id", "name", "is_post16", "postcode", "why"]]
    return rows.sort_values("site_id", ignore_index=True)


def _judge(spine: pd.DataFrame, register: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """Return all rows of secondary age or after 16, placed, each with why it is no site; empty where it is one."""
    own = spine[spine["is_secondary"] | spine["is_post16"]].reset_index(drop=True)
    new = register[~register["urn"].isin(spine["urn"]) & register["status"].str.contains(STILL_OPEN)]
    successors = _find_successors(own, register, new)
    rows = pd.concat([_describe_spine(own, register, successors), _describe_register(new)], ignore_index=True)
    rows = _place(rows, register, points)
    reference = find_points(spine["postcode"], points)
    rows["is_astray"] = _compare(rows, reference)
    is_unplaced = rows["latitude"].isna()
    rows["why"] = np.select(
        [rows["why"] != "", is_unplaced, rows["is_astray"]], [rows["why"], WHY_NOWHERE, WHY_ASTRAY], ""
    )
    rows["predecessor_urns"] = [_join_before(urn, successors) for urn in rows["site_id"]]
    rows["postcode"] = space(rows["postcode"])
    return rows


def _find_successors(own: pd.DataFrame, register: pd.DataFrame, new: pd.DataFrame) -> dict[str, str]:
    """Return by URN which one an institution became: as the spine links them, or by name or postcode in the register.

    The spine has one column for what a row was and for what it became, so the dates decide which of the two it is.
    """
    opened = own["linked_urn"].map(own.set_index("urn")["opened_date"])
    links = own[(own["status"] == CLOSED) & (opened >= own["closed_date"])]
    successors = pair_reopened(own) | dict(zip(links["urn"], links["linked_urn"], strict=True))
    still = set(register.loc[register["status"].str.contains(STILL_OPEN), "urn"])
    older = own[(own["status"] != CLOSED) & ~own["urn"].isin(still)]
    names = ["urn", "name", "postcode"]
    pairs = older[names].merge(new[names], how="cross", suffixes=("", "_new"))
    near = squeeze(pairs["postcode"]) == squeeze(pairs["postcode_new"])
    words, others = (list(map(_name_words, pairs[name].astype("str"))) for name in ("name", "name_new"))
    alike = [bool(one & other) and (one == other or at) for one, other, at in zip(words, others, near, strict=True)]
    pairs = pairs[np.array(alike, dtype=bool)]
    return successors | dict(zip(pairs["urn"], pairs["urn_new"], strict=True))


def pair_reopened(spine: pd.DataFrame) -> dict[str, str]:
    """Return what schools reopened as under their name and postcode, by URN: the spine links most of these, not all."""
    closed, others = spine[spine["status"] == CLOSED], spine[spine["status"] != CLOSED]
    pairs = closed.merge(others, on=["name", "postcode"], suffixes=("", "_new"))
    pairs = pairs[pairs["opened_date_new"] >= pairs["closed_date"]]
    return dict(zip(pairs["urn"], pairs["urn_new"], strict=True))


def _name_words(name: str) -> frozenset[str]:
    plain = "".join(letter if letter.isalnum() else " " for letter in name.replace("'", "").casefold())
    return frozenset(plain.split()) - COMMON_WORDS


def _describe_spine(own: pd.DataFrame, register: pd.DataFrame, successors: dict[str, str]) -> pd.DataFrame:
    """Return the spine's rows in the columns of a site, with why each is none."""
    groups, into = own["urn"].map(MERGERS["name"]).fillna(""), own["urn"].map(MERGERS["into"])
    is_closed = own["status"] == CLOSED
    is_college = is_closed & own["type"].str.lower().str.contains(CORPORATIONS)
    is_shared = is_college & squeeze(own["postcode"]).isin(squeeze(own.loc[~is_closed, "postcode"]))
    still = register["status"].str.contains(STILL_OPEN)
    gone, here = own["urn"].isin(register.loc[~still, "urn"]), own["urn"].isin(register.loc[still, "urn"])
    is_leaving = ~own["status"].isin([OPEN, CLOSED]) & ~here
    after = [successors.get(urn, "") for urn in own["urn"]]
    goes_on = [WHY_GOES_ON.format(urn) for urn in after]
    is_left = (is_closed | gone) & ~is_college
    why = np.select(
        [np.array(after) != "", is_shared, is_left, is_leaving], [goes_on, WHY_SHARED, WHY_CLOSED, WHY_CLOSING], ""
    )
    newer = register.drop_duplicates("urn").set_index("urn").reindex(own["urn"]).set_axis(own.index)
    return pd.DataFrame(
        {
            "site_id": own["urn"],
            "urn": into.where(is_college).fillna(own["urn"]),
            "name": own["name"],
            "kind": _name_kinds(own),
            "address": _join_lines(own, ["street", "locality", "address3"]),
            "town": own["town"],
            "postcode": own["postcode"],
            **{name: own[name] for name in ("is_secondary", "is_post16")},
            **{name: newer[name].fillna(own[name]).astype("Int64") for name in ("age_from", "age_to")},
            "run_by": groups.where(is_college, ""),
            **{name: own[name] for name in ("opened_date", "closed_date")},
            "why": why,
        }
    )


def _describe_register(new: pd.DataFrame) -> pd.DataFrame:
    """Return what is in the register alone in the columns of a site."""
    same = ["name", "town", "postcode", "is_secondary", "is_post16", "age_from", "age_to", "opened_date", "closed_date"]
    ages = {name: new[name].astype("Int64") for name in ("age_from", "age_to")}
    return new[same].assign(
        **ages,
        site_id=new["urn"],
        urn=new["urn"],
        kind=_name_kinds(new),
        address=_join_lines(new, ["street", "locality"]),
        run_by="",
        why="",
    )


def _name_kinds(rows: pd.DataFrame) -> NDArray[np.str_]:
    """Return the kind of site of each row, by its type and whether it takes learners after 16."""
    lower = rows["type"].str.lower()
    fits = [lower.str.contains(pattern) for pattern in KINDS]
    return np.select(fits, list(KINDS.values()), np.where(rows["is_post16"], SIXTH_FORM, SCHOOL_TO_16))


def _join_lines(rows: pd.DataFrame, names: list[str]) -> list[str]:
    lines = rows[names].fillna("").astype("str")
    return [", ".join(filter(None, map(str.strip, line))) for line in lines.itertuples(index=False)]


def _place(rows: pd.DataFrame, register: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """Give each row its place: by the register's grid where that knows it, or else by its postcode."""
    found = find_points(rows["postcode"], points)
    known = register[register["easting"] > 0].drop_duplicates("urn").set_index("urn")  # 0 where it does not know
    grid = known.reindex(rows["site_id"]).set_axis(rows.index)
    placed = gpd.GeoSeries.from_xy(grid["easting"], grid["northing"], crs=GRID).to_crs(4326)
    by_register = grid["easting"].notna()
    latitude = placed.y.where(by_register, found["latitude"])
    longitude = placed.x.where(by_register, found["longitude"])
    ways = np.select([by_register, latitude.notna()], ["register", "postcode"], "")
    return rows.assign(latitude=latitude.round(6), longitude=longitude.round(6), positioned_by=ways)


def _compare(rows: pd.DataFrame, reference: pd.DataFrame) -> "pd.Series[bool]":
    """Tell which rows are astray among all places of the authority, those for young children too."""
    every = pd.concat([rows[["latitude", "longitude"]], reference], ignore_index=True).drop_duplicates()
    is_astray = find_astray(every["latitude"], every["longitude"])
    lost = every[is_astray].assign(is_astray=True)
    found = rows[["latitude", "longitude"]].merge(lost, on=["latitude", "longitude"], how="left")["is_astray"]
    return found.notna().set_axis(rows.index) & rows["latitude"].notna()


def _join_before(urn: str, successors: dict[str, str]) -> str:
    """List the URNs that an institution had before, the last first."""
    before = [old for old, new in successors.items() if new == urn]
    return ";".join(one for old in before for one in [old, *filter(None, [_join_before(old, successors)])])
