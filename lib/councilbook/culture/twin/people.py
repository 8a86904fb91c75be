"""Twins of what is known of people: the survey's answers, who lives where, and segments that a council buys."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import norm

from councilbook.catalogue import Source, TwinRequest
from councilbook.culture.people.survey import LAYOUT
from councilbook.twins.homes import make_postcodes
from councilbook.twins.places import IntArray, SyntheticPlace, make_place, write_csv
from councilbook.twins.tables import draw_kinds, write_census

Bools = NDArray[np.bool_]

PEOPLE = 9_000  # a quarter of the real survey, so that the sample is quick
NOT_ASKED, NOT_ANSWERED, UNKNOWN = -3, -4, 999
REGION_SHARES = (0.05, 0.13, 0.10, 0.09, 0.11, 0.11, 0.15, 0.16, 0.10)
SAV_DATE = slice(92, 109)  # of the header, where the time of writing stands
AGE_BANDS = [*(f"Aged {first} to {first + 4} years" for first in range(20, 85, 5)), "Aged 85 years and over"]
SEGMENTS = tuple("Invented segment " + letter for letter in "ABCDEFGH")
WISHES = {"arts": 0.4, "museums": -0.6, "libraries": -0.9, "heritage": 0.5}  # log odds at the middle of everything
QUESTIONS = {
    "arts": ("CARTS1", 13),
    "museums": ("CMUSVIS1", 2),
    "libraries": ("CLIBRARY1", 4),
    "heritage": ("CHERVIS12", 10),
}
TASTES = {  # how each decile of less deprivation, and each category, moves them
    "age": {"30 to 44": 0.1, "60 to 74": -0.2, "75 and over": -0.9},
    "tenure": {"social rented": -0.5, "private rented": 0.1},
    "class": {"managers and professionals": 0.6, "routine": -0.5, "students and others": -0.1},
    "ethnicity": {"other than white": -0.3},
    "region": {"London": 0.25, "North East": -0.15},
}


def participation_survey(_source: Source, request: TwinRequest) -> bytes:
    """Make the survey's open file: tab-separated, cp1252, negative codes for what was not asked or not answered."""
    return _draw_people(request).to_csv(sep="\t", index=False).encode("cp1252")


def participation_survey_cut(_source: Source, request: TwinRequest) -> bytes:
    """Make the cut of the survey in SPSS: weight, cinema, how often, and the decile of deprivation."""
    people = _draw_people(request)
    cinema = people["CARTS1_004"].where(people["CARTS1_004"] >= 0).astype(float)
    often = pd.Series(make_place(request.council, request.seed).stream("often").integers(2, 6, len(people)))
    often = often.where(people.index % 90 != 0, UNKNOWN).where(cinema.eq(1)).astype(float)
    cut = {"finalweight": people["Y3SampleSizeWeight"], "CARTS1_004": cinema, "CARTS1A_d": often}
    labels: dict[str, Any] = {"CARTS1_004": {0.0: "No", 1.0: "Yes"}, "CARTS1A_d": {float(UNKNOWN): "Don`t know"}}
    with TemporaryDirectory() as folder:
        file = Path(folder) / "cut.sav"
        frame = pd.DataFrame(cut | {"emdidc19": people["emdidc19"].astype(float)})
        pyreadstat.write_sav(frame, str(file), variable_value_labels=labels)
        content = bytearray(file.read_bytes())
    content[SAV_DATE] = b"01 Jan 0000:00:00"  # the same bytes whenever it is made
    return bytes(content)


def taking_part(source: Source, request: TwinRequest) -> bytes:
    """Make a table of Taking Part: a row a year, a column a group."""
    headers = [one.column[0] for name, one in source.table().fields.items() if name != "year"]
    years, rng = range(2005, 2015), _rng(request)
    shares = rng.uniform(60, 80, len(headers)) + rng.normal(0, 0.8, (len(years), len(headers)))
    return write_csv(pd.DataFrame(shares.round(1), columns=headers).assign(Year=years)[["Year", *headers]])


def census_2021_age_lsoa(_source: Source, request: TwinRequest) -> bytes:
    """Make the census table of age in bands (TS007A) by LSOA 2021."""
    place = make_place(request.council, request.seed)
    areas = place.make_areas(2021, 2021)
    young, old = areas["private_renting"].to_numpy(), areas["rurality"].to_numpy()
    bands = ["Aged 4 years and under", "Aged 5 to 9 years", "Aged 10 to 14 years", "Aged 15 to 19 years", *AGE_BANDS]
    kinds = {}
    for number, band in enumerate(bands):
        slope = 0.25 * young if 4 <= number <= 7 else 0.2 * old - 0.1 * young if number > 11 else 0 * young
        kinds[band] = (0.062 if number < 12 else 0.062 * 0.86 ** (number - 11), slope)
    of = draw_kinds(kinds, 2.5 * areas["households"], _rng(place))
    return write_census(areas, "Age", {"Total": of.sum(axis=1)} | {kind: of[kind] for kind in kinds})


def output_area_classification(source: Source, request: TwinRequest) -> bytes:
    """Make the group of each output area, in the layout of England's classification or of London's."""
    areas = _list_output_areas(request)
    supergroup = np.digitize(areas["deprivation"] + _rng(request).normal(0, 0.5, len(areas)), [-1, 0, 0.8])
    if source.id == "london_output_area_classification":
        letters = np.array(list("ABCD"))[supergroup]
        groups = {"LOAC_group": np.char.add(letters, "1"), "LOAC_supergroup": letters}
        return write_csv(pd.DataFrame({"oa21_code": areas["oa21"], **groups}))
    numbers = (supergroup + 1).astype(str)
    groups = {"Supergroup": numbers, "Group": np.char.add(numbers, "a"), "Subgroup": np.char.add(numbers, "a1")}
    return write_csv(pd.DataFrame({"Geography_Code": areas["oa21"], **groups}))


def oa21_lookup(_source: Source, request: TwinRequest) -> bytes:
    """Make the lookup from output area to LSOA to district."""
    areas = _list_output_areas(request).set_axis(["OA21CD", "LSOA21CD", "LAD22CD", "deprivation"], axis=1)
    return write_csv(areas.drop(columns="deprivation"))


def audience_records(_source: Source, request: TwinRequest) -> Mapping[str, bytes]:
    """Make bought segments by LSOA, and a council's own bookings; segments know what the census does not."""
    place, rng = make_place(request.council, request.seed), _rng(request)
    areas = place.make_areas(2021, 2021)
    taste = rng.normal(0, 0.35, len(areas))
    poor, young = areas["deprivation"].to_numpy(), areas["private_renting"].to_numpy()
    pulls = rng.normal(0, 0.5, (3, len(SEGMENTS)))
    kinds = {
        one: (1 / 8, np.column_stack([poor, young, 2 * taste]) @ pull)
        for one, pull in zip(SEGMENTS, pulls.T, strict=True)
    }
    households = draw_kinds(kinds, areas["households"], rng)
    booked = rng.poisson(areas["households"] * np.exp(-2.6 - 0.35 * poor + 0.2 * young + taste))
    codes = {"lsoa21_code": areas["lsoa_code"]}
    return {
        "audience_segments": write_csv(
            pd.DataFrame(codes).join(households).melt("lsoa21_code", None, "segment", "households")
        ),
        "audience_bookings": write_csv(pd.DataFrame(codes | {"bookers": booked})),
    }


def _rng(of: SyntheticPlace | TwinRequest) -> np.random.Generator:
    place = of if isinstance(of, SyntheticPlace) else make_place(of.council, of.seed)
    return place.stream("culture people")


def _list_output_areas(request: TwinRequest) -> pd.DataFrame:
    place = make_place(request.council, request.seed)
    pieces = place.pieces.drop_duplicates("lsoa21_code").set_index("lsoa21_code")
    areas = make_postcodes(place)[["oa21", "lsoa21"]].drop_duplicates("oa21").reset_index(drop=True)
    return areas.join(pieces[["lad_code", "deprivation"]], on="lsoa21")


def _draw_people(request: TwinRequest) -> pd.DataFrame:
    """Draw who answered, and what they said; what they wish follows WISHES and TASTES, so that a model can find it."""
    rng, count = _rng(request), PEOPLE
    poor = rng.normal(size=count)  # more than 0 is deprived
    of = pd.DataFrame({"region": rng.choice(list(LAYOUT["regions"].values()), count, p=REGION_SHARES)})
    regions = of["region"].map({name: code for code, name in LAYOUT["regions"].items()})
    table = pd.DataFrame({"ArchYcserial": np.arange(1, count + 1), "gor11cd": regions})
    table["lad23cd"] = -8  # the open edition withholds it
    for name, variable in LAYOUT["deciles"].items():
        own = 0.8 * poor + 0.6 * rng.normal(size=count) if name != "imd_decile" else poor
        of[name] = table[variable] = np.ceil(10 * norm.cdf(-own)).clip(1, 10).astype(int)
    table["AGEBAND"] = rng.choice(np.arange(1, 16), count, p=[0.05] + [0.08] * 9 + [0.07, 0.06, 0.05, 0.03, 0.02])
    old = (table["AGEBAND"].to_numpy() - 8) / 4
    chances = {
        "SEX": [0.5 * (old < 1) + 0.4 * (old >= 1), 1],
        "TENHARM": [expit(0.75 + 0.6 * old - 0.6 * poor), expit(0.1 + 0.5 * poor), 1],
        "NSSEC_5": [expit(-0.2 - 0.5 * poor), 0.25 + 0 * poor, 0.2 + 0 * poor, 0.2 + 0 * poor, expit(0.5 - old), 1],
        "ETHNIC_NET_Safeguard": [expit(1.8 + 0.5 * old - 0.3 * poor), 1],
    }
    for variable, shares in chances.items():
        table[variable] = _choose(shares, rng)
    table["NSSEC_5"] = table["NSSEC_5"].replace(6, NOT_ASKED)
    for name, group in LAYOUT["groups"].items():
        codes = {code: category for category, one in group["categories"].items() for code in one["codes"]}
        of[name] = table[group["variable"]].map(codes).fillna(group.get("absent"))
    for name, wish in WISHES.items():
        chance = expit(
            wish
            + sum(of[group].map(taste).fillna(0) for group, taste in TASTES.items())
            + 0.08 * (of["imd_decile"] - 5.5)
        )
        table = table.join(_tick(name, rng.random(count) < chance.to_numpy(), rng))
    weight = np.exp(0.35 * rng.normal(size=count) - 0.1 * old)
    table["Y3SampleSizeWeight"] = (weight / weight.mean()).round(6)
    table["Y3GrossingWeight"] = (weight / weight.mean() * 46_000_000 / count).round(3)
    for row, group in zip(rng.permutation(count)[:300], np.tile(["TENHARM", "AGEBAND", "SEX"], 100), strict=True):
        table.loc[row, group] = rng.choice([-2, NOT_ANSWERED, UNKNOWN])
    return table


def _choose(shares: list[Any], rng: np.random.Generator) -> IntArray:
    """Choose a code from 1 for each person: each share is of those that the codes before left over."""
    drawn = np.column_stack([rng.random(PEOPLE) < share for share in shares])
    codes: IntArray = drawn.argmax(axis=1) + 1
    return codes


def _tick(name: str, did: Bools, rng: np.random.Generator) -> pd.DataFrame:
    """Write one question as the file has it: a variable an item, 996 ticked and all else -4 where it was left open."""
    prefix, items = QUESTIONS[name]
    ticks = rng.random((len(did), items)) < np.where(np.arange(items) == 3, 0.6, 0.2)
    ticks[:, 0] |= ~ticks.any(axis=1)
    table = pd.DataFrame(
        (ticks & did[:, None]).astype(int), columns=[f"{prefix}_{item:03d}" for item in range(1, items + 1)]
    )
    left_open = rng.random(len(did)) < 0.01
    table[left_open] = NOT_ANSWERED
    table[f"{prefix}_996"] = left_open.astype(int)
    if name == "museums":
        table = table.join(_give_reasons("CNMUSWHYA", ~did & ~left_open, rng))
        table = table.join(_give_reasons("WHYNOCULT", ~did & (rng.random(len(did)) < 0.25), rng))
    return table


def _give_reasons(prefix: str, asked: Bools, rng: np.random.Generator) -> pd.DataFrame:
    items = [f"{prefix}_{item:03d}" for item in (*range(1, 13), 998)]
    ticks = rng.random((len(asked), len(items))) < np.linspace(0.3, 0.04, len(items))
    ticks[:, 2] |= ~ticks.any(axis=1)
    return pd.DataFrame(np.where(asked[:, None], ticks.astype(int), NOT_ASKED), columns=items)
