"""An invented England: a survey of authorities, and a census of small areas that says most of what the survey finds.

Each authority of England of 2019 has a few invented areas; those of the council are the areas of its invented town.
Names and figures are true of no place. What people do follows two hidden quantities, deprivation and learning, and
chance.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.special import expit, logit, softmax

from councilbook.catalogue import Source, TwinRequest
from councilbook.catalogue.councils import COUNTY, list_codes, read_authorities
from councilbook.twins.places import FloatArray, SyntheticPlace, make_place, write_csv

DAY = "2019-06-01"  # whose districts the survey has
ELSEWHERE, FIRST_CODE = 6, 980_001  # areas of an authority that is not the council's; the first of their codes
# Constants of the invented England: log odds of taking part where deprivation and learning are average, what a standard
# deviation of each adds, and how far regions, authorities and areas differ beyond them.
USUAL, BY_DEPRIVATION, BY_LEARNING = 0.45, -0.22, 0.30
SPREADS = {"region": 0.03, "lad19_code": 0.06, "lsoa_code": 0.15}
ANSWERS, DESIGN_EFFECT = 500, 1.3
PEOPLE = {"people": 2.41, "adults": 1.9, "workers": 1.1, "households": 1.0}  # of a household
TOTALS = {"adults": "adults", "classed_adults": "adults", "workers": "workers"}
# By field: its usual share, and what a standard deviation of deprivation and of learning adds to its logarithm.
KINDS = {
    "no_qualification": (0.18, 0.25, -0.45), "level_1": (0.10, 0.1, -0.25), "level_2": (0.13, 0.0, -0.2),
    "apprenticeship": (0.05, 0.0, -0.3), "level_3": (0.17, 0.0, 0.0), "level_4": (0.34, -0.15, 0.45),
    "other_qualification": (0.03, 0.15, 0.0),
    "higher_professionals": (0.13, -0.35, 0.5), "lower_professionals": (0.20, -0.15, 0.3),
    "intermediate": (0.11, -0.1, 0.0),
    "self_employed": (0.11, -0.05, 0.0), "supervisors": (0.05, 0.05, -0.3), "semi_routine": (0.11, 0.15, -0.3),
    "routine": (0.12, 0.25, -0.45), "never_worked": (0.09, 0.45, -0.2), "students": (0.08, 0.1, 0.2),
    "no_car": (0.24, 0.55, 0.1), "one_car": (0.41, 0.0, 0.0), "two_cars": (0.26, -0.3, 0.0),
    "three_cars": (0.09, -0.4, -0.1),
    "owned_outright": (0.32, -0.35, 0.0), "mortgaged": (0.29, -0.2, 0.1), "shared_ownership": (0.01, 0.0, 0.0),
    "council_rented": (0.08, 0.7, -0.2), "association_rented": (0.09, 0.6, -0.2), "landlord_rented": (0.18, 0.2, 0.2),
    "other_rented": (0.025, 0.0, 0.1), "rent_free": (0.005, 0.0, 0.0),
    "born_uk": (0.82, -0.05, -0.05), "born_eu": (0.04, 0.2, 0.1), "born_eu14": (0.025, 0.1, 0.4),
    "born_africa": (0.03, 0.3, 0.0), "born_asia": (0.05, 0.3, 0.0),
    "at_home": (0.30, -0.2, 0.4), "underground": (0.02, 0.1, 0.3), "train": (0.02, -0.1, 0.3), "bus": (0.05, 0.4, 0.0),
    "taxi": (0.01, 0.4, 0.0), "motorcycle": (0.005, 0.0, 0.0), "car_driver": (0.45, -0.05, -0.2),
    "car_passenger": (0.04, 0.2, -0.2), "bicycle": (0.02, 0.0, 0.3), "on_foot": (0.075, 0.2, 0.1),
    "other_travel": (0.01, 0.0, 0.0),
    "limited_a_lot": (0.075, 0.35, -0.15), "limited_a_little": (0.10, 0.15, -0.05),
    "condition_not_limited": (0.07, -0.1, 0.1), "no_condition": (0.755, -0.02, 0.0),
}  # fmt: skip
DOMAINS = {"imd": 0.0, "income": 0.3, "employment": 0.3, "education": 0.4, "health": 0.5, "crime": 0.7, "barriers": 1.5,
           "living": 1.2}  # how far each strays from deprivation  # fmt: skip


@dataclass(frozen=True)
class England:
    """An invented England: areas of 2021 and of 2011, and what authorities are called.

    Both have lsoa_code, lsoa_name, lad19_code, region, households, deprivation, learning and engaged (the true share).
    """

    place: SyntheticPlace
    areas: pd.DataFrame
    areas11: pd.DataFrame
    names: dict[str, str]


def make_census(source: Source, request: TwinRequest) -> bytes:
    """Make a table of the census as Nomis has it, under the headers that the catalogue declares."""
    england = _make_england(make_place(request.council, request.seed))
    areas, rng = england.areas, england.place.stream(source.id)
    fields = dict(list(source.table().fields.items())[2:])
    total, *names = fields
    unit = TOTALS.get(total, str(fields[total].unit))
    whole = np.rint(areas["households"] * PEOPLE[unit]).astype(int)
    usual, *by = np.array([KINDS[name] for name in names]).T
    logs = np.log(usual) + sum(
        np.outer(areas[name], add) for name, add in zip(("deprivation", "learning"), by, strict=True)
    )
    logs += rng.normal(0, 0.1, logs.shape)
    rest = np.log(max(1 - usual.sum(), 1e-9))
    drawn = rng.multinomial(whole, softmax(np.column_stack([logs, np.full(len(areas), rest)]), axis=1))
    counts = pd.DataFrame(drawn[:, :-1], columns=names)
    if "born_eu14" in counts:
        counts["born_eu"] += counts["born_eu14"]  # it is among them
    head = {"date": 2021, "geography": areas["lsoa_name"], "geography code": areas["lsoa_code"]}
    headers = {fields[total].column[0]: whole} | {fields[name].column[0]: counts[name] for name in names}
    return write_csv(pd.DataFrame(head | headers))


def make_imd(source: Source, request: TwinRequest) -> bytes:
    """Make the indices of deprivation by LSOA of 2011; ranks have commas for thousands."""
    england = _make_england(make_place(request.council, request.seed))
    areas, rng = england.areas11, england.place.stream(source.id)
    columns = {name: field.column[0] for name, field in source.table().fields.items()}
    table = pd.DataFrame({columns["lsoa11_code"]: areas["lsoa_code"], columns["lad19_code"]: areas["lad19_code"]})
    for name, stray in DOMAINS.items():
        column = next(header for field, header in columns.items() if field.startswith(name) and field.endswith("_rank"))
        ranks = _rank(areas["deprivation"] + rng.normal(0, stray, len(areas)))
        table[column] = ranks.map("{:,}".format)
        if name == "imd":
            table[columns["imd_decile"]] = _find_decile(ranks)
    return write_csv(table)


def make_active_lives(source: Source, request: TwinRequest) -> bytes:
    """Make the survey's shares by authority, from the highest to the lowest, as the researcher's file has them."""
    england = _make_england(make_place(request.council, request.seed))
    rng = england.place.stream(source.id)
    adults = england.areas["households"]
    groups = england.areas["lad19_code"]
    truth = (england.areas["engaged"] * adults).groupby(groups).sum() / adults.groupby(groups).sum()
    found = rng.binomial(round(ANSWERS / DESIGN_EFFECT), truth) / round(ANSWERS / DESIGN_EFFECT)
    table = pd.DataFrame({"percent_culture": found, "LA_code": truth.index, "LA_name": truth.index.map(england.names)})
    return write_csv(table.sort_values("percent_culture", ascending=False, kind="stable"))


def make_taking_part(source: Source, request: TwinRequest) -> bytes:
    """Make the other survey's shares by tenth of deprivation: higher, as it asks otherwise, and with the same slope."""
    england = _make_england(make_place(request.council, request.seed))
    areas, rng = england.areas11, england.place.stream(source.id)
    deciles = _find_decile(_rank(areas["deprivation"]))
    truth = areas["engaged"].groupby(deciles).mean().to_numpy()
    fields = source.table().fields
    rows = []
    for year in range(2009, 2015):
        shares = expit(logit(truth) + 0.8 + rng.normal(0, 0.04, 10))
        rows.append([year, *(100 * shares).round(1)])
    return write_csv(pd.DataFrame(rows, columns=[field.column[0] for field in fields.values()]))


@lru_cache(maxsize=2)
def _make_england(place: SyntheticPlace) -> England:
    rng = place.stream("england")
    known = {code: one.region for code, one in read_authorities().items() if _was_there(code)}
    own = {code: sorted(list_codes(code) & set(known)) or [code] for code in place.districts}
    learning = -0.5 * place.pieces["deprivation"].to_numpy() + 0.8 * place.draw_field("learning", 3)
    strange = place.draw_field("strange", 1)
    parts = [
        _name_parts(place.make_areas(vintage, 2021, learning=learning, own=strange), own) for vintage in (2021, 2011)
    ]
    taken = set(parts[0]["lad19_code"])
    others = _draw_elsewhere(sorted(set(known) - taken), rng)
    names = {code: f"Elsewhere {number + 1}" for number, code in enumerate(sorted(set(known) - taken))}
    for code, olds in own.items():
        more = len(olds) > 1
        names |= {old: f"{place.districts[code]}{f' {number + 1}' if more else ''}" for number, old in enumerate(olds)}
    regions = {code: known.get(code, "") for code in names}
    keys = {"region": sorted(set(regions.values())), "lad19_code": sorted(names)}
    shifts = {
        name: dict(zip(some, rng.normal(0, SPREADS[name], len(some)), strict=True)) for name, some in keys.items()
    }
    found = []
    for part in parts:
        areas = pd.concat([part, others], ignore_index=True)
        areas["region"] = areas["lad19_code"].map(regions)
        beyond = sum((areas[name].map(shift) for name, shift in shifts.items()), SPREADS["lsoa_code"] * areas["own"])
        known_part = BY_DEPRIVATION * areas["deprivation"] + BY_LEARNING * areas["learning"]
        found.append(areas.assign(engaged=expit(USUAL + known_part + beyond)))
    return England(place, found[0], found[1], names)


def _was_there(code: str) -> bool:
    """Whether a code is of a district of England on the day."""
    one = read_authorities()[code]
    return one.nation == "England" and one.type != COUNTY and one.start < DAY and (not one.end or one.end > DAY)


def _name_parts(areas: pd.DataFrame, own: dict[str, list[str]]) -> pd.DataFrame:
    """Share the neighbourhoods of each of the council's districts out among the districts that were there before it."""
    place = areas.groupby("lad_code")["msoa_code"].transform(lambda codes: pd.factorize(codes, sort=True)[0])
    size = place.groupby(areas["lad_code"]).transform("max") + 1
    olds = areas["lad_code"].map(own)
    number = (place * olds.map(len) // size).astype(int)
    return areas.assign(lad19_code=[old[at] for old, at in zip(olds, number, strict=True)])


def _draw_elsewhere(codes: list[str], rng: np.random.Generator) -> pd.DataFrame:
    """Draw a few areas for each authority: some are poorer, and in some more people have studied."""
    shape = (len(codes), ELSEWHERE)
    poor = rng.normal(0, 0.6, (shape[0], 1)) + rng.normal(0, 0.8, shape)
    learning = -0.5 * poor + rng.normal(0, 0.5, (shape[0], 1)) + rng.normal(0, 0.6, shape)
    areas = pd.DataFrame({"lad19_code": np.repeat(codes, ELSEWHERE), "deprivation": poor.ravel()})
    return areas.assign(
        learning=learning.ravel(), households=rng.normal(680, 60, poor.size).clip(400), own=rng.normal(size=poor.size),
        lsoa_code=[f"E01{FIRST_CODE + one}" for one in areas.index],
        lsoa_name=[f"Elsewhere {one // ELSEWHERE + 1} 001{chr(65 + one % ELSEWHERE)}" for one in areas.index],
    )  # fmt: skip


def _rank(values: "pd.Series[float]") -> "pd.Series[int]":
    """Return ranks spread over all of England's 32,844, 1 for the highest value."""
    place = values.rank(ascending=False, method="first")
    return (1 + (place - 1) * (32_844 - 1) // max(len(values) - 1, 1)).astype(int)


def _find_decile(ranks: "pd.Series[int]") -> FloatArray:
    deciles: FloatArray = np.ceil(ranks / 3_284.4).astype(int).clip(1, 10)
    return deciles
