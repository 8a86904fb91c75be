"""The invented town's schools and colleges, and the twins of the lists that name and place them.

They stand at the postcodes of the synthetic place. Their names and their numbers are of no real school: real URNs have
not reached 900,000, and no real establishment number begins with 9.
"""

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from councilbook.catalogue import Source, TwinRequest
from councilbook.catalogue.councils import list_education_codes
from councilbook.paths import read_beside
from councilbook.twins.homes import make_postcodes
from councilbook.twins.places import SyntheticPlace, make_place, write_csv

RULES: dict[str, Any] = read_beside(__file__, "institutions.yaml")
FIRST_URN = 900_001
FIRST_ESTABLISHMENT = 9_001
NO_NUMBER = "999"  # of who runs the schools, where the Department for Education has given none
A_DISTRICT_MORE = 0.4  # of what one district has, what each further one of a place adds
ELSEWHERE, NOWHERE = "XX99 9ZZ", "XX98 1AA"  # a postcode far away, and one that has no coordinate
FAR_EAST = 60_000.0  # metres
TOWNS = 4  # in a district
OPEN, CLOSED, CLOSING = "Open", "Closed", "Open, but proposed to close"
STATUS_CODES = {OPEN: "1", CLOSED: "2", CLOSING: "3"}
SPINE = {  # ours to the performance tables' headers
    "urn": "URN", "la": "LA", "name": "SCHNAME", "street": "STREET", "town": "TOWN", "postcode": "POSTCODE",
    "opened_date": "OPENDATE", "closed_date": "CLOSEDATE", "type": "NFTYPE", "is_secondary": "ISSECONDARY",
    "is_post16": "ISPOST16", "age_from": "AGEL", "age_to": "AGEH",
}  # fmt: skip
REGISTER = {  # and to the register's
    "urn": "URN", "la": "LA (code)", "name": "EstablishmentName", "register_type": "TypeOfEstablishment (name)",
    "status": "EstablishmentStatus (name)", "opened_date": "OpenDate", "closed_date": "CloseDate",
    "age_from": "StatutoryLowAge", "age_to": "StatutoryHighAge", "street": "Street", "town": "Town",
    "postcode": "Postcode", "x": "Easting", "y": "Northing",
}  # fmt: skip
PHASES = {"primary": "Primary", "college": "16 plus", "sixth form college": "16 plus", "special": "Not applicable"}
COORDINATES = ["x", "y", "latitude", "longitude"]


def make_institutions(place: SyntheticPlace) -> pd.DataFrame:
    """Make the schools and colleges of a place, those that have closed too.

    Returns:
        A row an institution in order of URN: urn, la (number of who runs the schools), establishment, laestab, name,
        form (of institutions.yaml), kind (of site), type and register_type (as the performance tables and the register
        call it), status (Open, Closed, or Open, but proposed to close), opened_date and closed_date (ISO; empty where
        the lists give none), successor_urn, run_by, in_spine, in_register, is_secondary, is_post16, age_from, age_to,
        cohort16 and cohort18 (young people at the end of key stage 4, and of 16 to 18), disadvantaged_share (0 to 1),
        outcome (how well its leavers do beside others; mean 0, deviation 1), street, town, postcode, lsoa21_code,
        lad_code, x and y (EPSG:27700, metres), latitude, longitude. It is where they say, whatever its postcode says.
    """
    rng = place.stream("institutions")
    rows = _draw_forms(len(place.districts))
    rows = _name_all(_seat(rows, place, rng), rng)
    return _number(_add_history(_draw_pupils(rows, rng)), place)


def school_spine(_source: Source, request: TwinRequest) -> bytes:
    """Make the performance tables' list of schools and colleges, in the layout of england_spine."""
    rows = make_institutions(make_place(request.council, request.seed))
    rows = rows[rows["in_spine"]]
    table = rows[list(SPINE)].rename(columns=SPINE)
    marks = table[["ISSECONDARY", "ISPOST16"]].astype(int)
    linked = {"OTHERURN": _link_both_ways(rows), "ICLOSE": rows["status"].map(STATUS_CODES)}
    return write_csv(table.assign(LOCALITY="", ADDRESS3="", **marks, **linked), bom=True)


def schools_register(_source: Source, request: TwinRequest) -> bytes:
    """Make the register of schools, with columns of the publisher's and in its encoding."""
    rows = make_institutions(make_place(request.council, request.seed))
    rows = rows[rows["in_register"]]
    table = rows[list(REGISTER)].rename(columns=REGISTER).round({"Easting": 0, "Northing": 0})
    for name in ("OpenDate", "CloseDate"):
        table[name] = pd.to_datetime(table[name], errors="coerce").dt.strftime("%d-%m-%Y")
    sixth_form = np.where(rows["is_post16"], "Has a sixth form", "Does not have a sixth form")
    table["OfficialSixthForm (name)"], table["Locality"] = sixth_form, ""
    table["PhaseOfEducation (name)"] = rows["form"].map(PHASES).fillna("Secondary")
    return table.to_csv(index=False, lineterminator="\r\n").encode("cp1252")


def spine_points(_source: Source, request: TwinRequest) -> bytes:
    """Make the coordinates of the postcodes of schools and colleges; one postcode has none."""
    place = make_place(request.council, request.seed)
    rows = make_institutions(place).query("in_spine and postcode != @NOWHERE")
    known = make_postcodes(place).set_index("pcds")[["lat", "long"]]
    east, north = place.pieces["x"].max() + FAR_EAST, place.pieces["y"].mean()
    far = gpd.GeoSeries.from_xy([east], [north], crs=27700).to_crs(4326).iloc[0]
    known.loc[ELSEWHERE] = [far.y, far.x]
    points = known.loc[sorted(rows["postcode"].unique())].round(5)
    return write_csv(points.rename_axis("Postcode").reset_index())


def postcode_points(_source: Source, request: TwinRequest) -> bytes:
    """Make the coordinates of postcodes, written in seven characters as the publisher does; two have none."""
    postcodes = make_postcodes(make_place(request.council, request.seed))
    outward, inward = postcodes["pcds"].str[:-4], postcodes["pcds"].str[-3:]
    table = postcodes[["lat", "long"]].round(5)
    table.insert(0, "Postcode", outward.str.ljust(4) + inward)
    table.loc[len(table) // 2 : len(table) // 2 + 1, ["lat", "long"]] = np.nan
    return write_csv(table)


def council_outline(_source: Source, request: TwinRequest) -> bytes:
    """Make the outlines of the small areas of 2011, as GeoJSON in degrees."""
    outlines = make_place(request.council, request.seed).outlines.to_crs(4326)
    named = outlines.rename(columns={"lsoa11_code": "LSOA11CD", "lsoa11_name": "LSOA11NM"})
    content: str = named.to_json(drop_id=True)
    return content.encode()


def _draw_forms(districts: int) -> pd.DataFrame:
    """Return a row an institution with what its form says: how many there are grows with the districts."""
    more = 1 + A_DISTRICT_MORE * (districts - 1)
    rows = [
        {
            "form": name,
            **{key: form[key] for key in ("kind", "type", "register_type", "is_secondary", "is_post16")},
            **dict(zip(("age_from", "age_to"), form["ages"], strict=True)),
            **dict(zip(("cohort16", "cohort18"), form["cohorts"], strict=True)),
        }
        for name, form in RULES["forms"].items()
        for _ in range(round(form["count"] * more))
    ]
    return pd.DataFrame(rows)


def _seat(rows: pd.DataFrame, place: SyntheticPlace, rng: np.random.Generator) -> pd.DataFrame:
    """Give each institution a postcode: spread as people live, and those of a form far from each other."""
    postcodes = make_postcodes(place)
    districts = place.pieces.drop_duplicates("lsoa21_code").set_index("lsoa21_code")["lad_code"]
    taken: set[int] = set()
    seats = np.empty(len(rows), dtype=np.int64)
    for form in rows["form"].unique():
        own = np.flatnonzero(rows["form"] == form)  # postcodes are in order of place, so even steps spread them
        steps = (np.arange(len(own)) + rng.uniform(0.2, 0.8, len(own))) * len(postcodes) / len(own)
        for row, seat in zip(own, steps.astype(int), strict=True):
            while seat in taken:
                seat += 1
            taken.add(seat)
            seats[row] = seat
    found = postcodes.iloc[seats].reset_index(drop=True)
    found = found.rename(columns={"pcds": "postcode", "lsoa21": "lsoa21_code", "lat": "latitude", "long": "longitude"})
    return rows.join(found[["postcode", "lsoa21_code", *COORDINATES]]).assign(
        lad_code=found["lsoa21_code"].map(districts)
    )


def _name_all(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Name towns, four a district by quarter of the map, and institutions, none like another."""
    words = list(rng.permutation([first + last for first in RULES["first_sounds"] for last in RULES["last_sounds"]]))
    parts = rows.groupby("lad_code")[["x", "y"]].transform("median")
    quarter = 2 * (rows["x"] > parts["x"]) + (rows["y"] > parts["y"])
    town = TOWNS * rows["lad_code"].astype("category").cat.codes + quarter
    endings = [rng.choice(RULES["endings"][form]) for form in rows["form"]]
    words += [f"{side} {word}" for side in ("North", "East", "South", "West") for word in words]
    names = words[town.max() + 1 :]
    return rows.assign(
        town=[words[number] for number in town],
        name=[f"{word} {ending}" for word, ending in zip(names, endings, strict=False)],
        street=rng.choice(RULES["streets"], len(rows)),
    )


def _draw_pupils(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    size = rng.lognormal(0, 0.25, len(rows))
    return rows.assign(
        cohort16=np.rint(rows["cohort16"] * size).astype(int),
        cohort18=np.rint(rows["cohort18"] * size).astype(int),
        disadvantaged_share=rng.beta(3, 7, len(rows)).round(3),
        outcome=rng.normal(0, 1, len(rows)).round(3),
    )


def _add_history(rows: pd.DataFrame) -> pd.DataFrame:
    """Let happen to five institutions what happens to real ones and their rows.

    A college merges into a group that is registered elsewhere; a school reopens as an academy; a special school is to
    close; the technical college is newer than the spine; two postcodes are wrong: one is far away, one is none.
    """
    rows = rows.assign(
        status=OPEN, opened_date="", closed_date="", successor_urn="", run_by="", in_spine=True, in_register=True
    )
    first = rows.drop_duplicates("form").reset_index().set_index("form")["index"]
    changes: dict[int, dict[str, str | bool]] = {
        first["college"]: {
            "status": CLOSED,
            "closed_date": "2017-11-01",
            "run_by": f"{rows.loc[first['college'], 'town']} Colleges Group",
        },
        first["technical"]: {"in_spine": False, "opened_date": "2020-09-01"},
        first["special"]: {"status": CLOSING, "in_register": False},
        first["special"] + 1: {"postcode": NOWHERE, "in_register": False},
        first["independent"]: {"postcode": ELSEWHERE, "in_register": False},
    }
    for row, values in changes.items():
        for column, value in values.items():
            rows.loc[row, column] = value
    before = rows.loc[[first["sixth form"]]].assign(status=CLOSED, closed_date="2018-08-31", type="Community school")
    rows.loc[first["sixth form"], "opened_date"] = "2018-09-01"
    return pd.concat([before, rows], ignore_index=True)


def _number(rows: pd.DataFrame, place: SyntheticPlace) -> pd.DataFrame:
    """Give numbers, and let the school that reopened be the successor of what it was."""
    urns = (FIRST_URN + np.arange(len(rows))).astype(str)
    establishments = (FIRST_ESTABLISHMENT + np.arange(len(rows))).astype(str)
    authorities = {
        code: next((one for one in sorted(list_education_codes(code)) if one.isdigit()), NO_NUMBER)
        for code in place.districts
    }
    rows = rows.assign(urn=urns, establishment=establishments, la=rows["lad_code"].map(authorities))
    rows.loc[0, "successor_urn"] = rows.loc[rows["name"] == rows.loc[0, "name"], "urn"].iloc[-1]
    return rows.assign(laestab=rows["la"] + rows["establishment"])


def _link_both_ways(rows: pd.DataFrame) -> pd.Series:
    """Return the URN that an institution became, or was before, as the performance tables have them in one column."""
    linked = rows[rows["successor_urn"] != ""]
    before = dict(zip(linked["successor_urn"], linked["urn"], strict=True))
    return rows["successor_urn"].where(rows["successor_urn"] != "", rows["urn"].map(before).fillna(""))
