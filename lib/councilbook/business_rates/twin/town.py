"""An invented town: who occupies which property, since when, what it is called, and which registers know of it.

All of it is invented, and `town.yaml` says with which numbers. Where a council's official wards, data zones and food
premises are there, the town lies among these.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from faker import Faker

from councilbook.business_rates.missing.lists import join_address
from councilbook.catalogue import TwinRequest
from councilbook.errors import SourceError
from councilbook.paths import read_beside

KINDS = ["company", "sole trader", "partnership", "charity", "public body"]
PEOPLE = ["sole trader", "partnership"]
PROPERTIES = {"sample": 1800, "real": 6600}  # the case study's roll has over 6,500
CENTRE = (2.2, 55.6)  # longitude and latitude of open sea, where no town is
TOWN_DEGREES = (0.16, 0.09)
WARDS = 21
ZONES_OF_A_WARD = 6
STREETS_OF_A_ZONE = 3
UNREGISTERED = 0.06  # of the businesses in the food register, those that no bill goes to
REGISTERED_CHARITIES = 0.9
DAY = pd.Timestamp("2024-03-31")
FIRST_DAY = pd.Timestamp("1990-04-01")
DISTRICT_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"
LEGAL_FORMS = {"LIMITED": 0.86, "LTD": 0.1, "LLP": 0.02, "PLC": 0.02}


@dataclass(frozen=True)
class Town:
    """An invented town.

    Attributes:
        businesses: a row a property with its occupier: property_reference, uprn, description, rateable_value_gbp, kind
            (of KINDS), legal_name, ledger_name, trading_name, address, postcode, latitude, longitude, zone_code,
            ward_code, liability_start_date, is_occupied, empty_since_date, company_number, charity_number, on_roll,
            food_type (missing where it serves no food), and whose food premises are real: fhrs_id.
        wards: ward_code, ward_name and outline, in WGS84.
        zones: zone_code, zone_name, ward_code, population, latitude, longitude.
    """

    businesses: pd.DataFrame
    wards: gpd.GeoDataFrame
    zones: pd.DataFrame


def draw_town(request: TwinRequest) -> Town:
    """Draw the town of a council: the same request gives the same town."""
    return _draw_town(request.council.slug, request.council.name, request.seed, request.mode, _Real(request))


class _Real:
    """The official places and food premises of a real run, if there are any; all are alike to the cache."""

    def __init__(self, request: TwinRequest) -> None:
        self.request = request

    def __hash__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Real)

    def load(self, source: str) -> pd.DataFrame | None:
        if self.request.mode == "sample":
            return None
        try:
            return self.request.load(source)
        except SourceError:
            return None


@lru_cache(maxsize=2)
def _draw_town(slug: str, council: str, seed: int, mode: str, real: _Real) -> Town:
    random = np.random.default_rng([seed, *slug.encode()])
    rules = read_rules()
    wards, zones = _draw_places(random, real)
    food = real.load("food_hygiene_ratings")
    count = PROPERTIES[mode]
    businesses = _draw_properties(count, zones, rules, random)
    if food is not None:
        businesses = _place_food(businesses, food, rules, random)
    businesses = _draw_occupiers(businesses, council, rules, random)
    return Town(_draw_records(businesses, rules, random), wards, zones)


@lru_cache(maxsize=1)
def read_rules() -> dict[str, Any]:
    """Return what a town is drawn with."""
    rules: dict[str, Any] = read_beside(__file__, "town.yaml")
    return rules


# --- places ---


def _draw_places(random: np.random.Generator, real: _Real) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    wards, zones = real.load("wards"), real.load("data_zones")
    if wards is None or zones is None:
        return _invent_places(random)
    points = gpd.GeoSeries.from_xy(zones["longitude"], zones["latitude"], crs=4326)
    inside = gpd.sjoin(gpd.GeoDataFrame(zones, geometry=points), wards[["ward_code", "geometry"]], how="left")
    inside = inside[~inside.index.duplicated()]
    return wards, pd.DataFrame(inside.drop(columns=["geometry", "index_right"]))


def _invent_places(random: np.random.Generator) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Cut a town in the sea into wards, each with its zones around a point."""
    frame = shapely.affinity.scale(shapely.Point(CENTRE).buffer(1), *TOWN_DEGREES)
    seeds = shapely.MultiPoint(np.array(CENTRE) + random.uniform(-1, 1, (WARDS * 3, 2)) * TOWN_DEGREES)
    inside = [point for point in seeds.geoms if frame.contains(point)][:WARDS]
    cells = shapely.voronoi_polygons(shapely.MultiPoint(inside), extend_to=frame).geoms
    outlines = sorted((cell.intersection(frame) for cell in cells), key=lambda one: (-one.centroid.y, one.centroid.x))
    codes = [f"S13{900_001 + i:06d}" for i in range(len(outlines))]
    names = [f"Invented ward {i + 1}" for i in range(len(outlines))]
    wards = gpd.GeoDataFrame({"ward_code": codes, "ward_name": names}, geometry=outlines, crs=4326)
    rows = []
    for code, outline in zip(codes, outlines, strict=True):
        centre, reach = np.array(outline.centroid.coords[0]), np.sqrt(outline.area) / 3
        for point in centre + random.normal(0, 0.5, (ZONES_OF_A_WARD, 2)) * reach:
            rows.append((code, *(point if outline.contains(shapely.Point(point)) else centre)))
    zones = pd.DataFrame(rows, columns=["ward_code", "longitude", "latitude"])
    zones["zone_code"] = [f"S01{900_001 + i:06d}" for i in range(len(zones))]
    zones["zone_name"] = [f"Invented zone {i + 1}" for i in range(len(zones))]
    return wards, zones.assign(population=random.integers(500, 1100, len(zones)))


# --- properties and occupiers ---


def _draw_properties(
    count: int, zones: pd.DataFrame, rules: dict[str, Any], random: np.random.Generator
) -> pd.DataFrame:
    kinds = rules["properties"]
    weights = np.array([one["weight"] for one in kinds.values()], dtype=float)
    frame = pd.DataFrame({"description": random.choice(list(kinds), count, p=weights / weights.sum())})
    median = frame["description"].map({name: one["rateable_value_gbp"] for name, one in kinds.items()})
    spread = frame["description"].map({name: one["spread"] for name, one in kinds.items()})
    frame["rateable_value_gbp"] = _round_value(median * np.exp(random.normal(0, 1, count) * spread))
    share = zones["population"].to_numpy() / zones["population"].sum()
    place = zones.iloc[random.choice(len(zones), count, p=share)].reset_index(drop=True)
    frame["zone_code"], frame["ward_code"] = place["zone_code"], place["ward_code"]
    frame["latitude"] = (place["latitude"] + random.normal(0, 0.0012, count)).round(5)
    frame["longitude"] = (place["longitude"] + random.normal(0, 0.002, count)).round(5)
    words = rules["words"]
    streets = [f"{first} {way}" for first in words["streets"] for way in words["ways"]]
    streets = list(random.permutation(streets))
    zone = zones["zone_code"].searchsorted(frame["zone_code"])
    street = np.array(streets)[(zone * STREETS_OF_A_ZONE + random.integers(0, STREETS_OF_A_ZONE, count)) % len(streets)]
    town = random.choice(words["towns"], len(zones))[zone]
    number = random.integers(1, 180, count)
    unit = np.where(random.random(count) < 0.12, [f"Unit {n}, " for n in random.integers(1, 40, count)], "")
    frame["address"] = [f"{u}{n} {s}, {t}" for u, n, s, t in zip(unit, number, street, town, strict=True)]
    frame["postcode"] = _draw_postcodes(frame["zone_code"], street, random)
    frame["uprn"] = [f"{n:012d}" for n in 990_000_000_000 + random.choice(9_999_999, count, replace=False)]
    return frame.assign(fhrs_id=None, food_name=None).astype({"fhrs_id": "str", "food_name": "str"})


def _round_value(values: pd.Series) -> pd.Series:
    """Round as assessors do: finer where the value is low."""
    step = np.select([values < 1000, values < 10_000, values < 100_000], [25, 50, 250], 1000)
    rounded: pd.Series = ((values / step).round() * step).clip(lower=50).astype(float)
    return rounded


def _draw_postcodes(zones: pd.Series, streets: np.ndarray, random: np.random.Generator) -> list[str]:
    """Give each street of a zone a postcode that does not exist: no district begins with ZZ."""
    places, order = pd.factorize(zones + streets)
    units = random.permutation(len(order))
    letters = len(DISTRICT_LETTERS)
    codes = [
        f"ZZ{1 + n // (9 * letters**2) % 90} {1 + n // letters**2 % 9}"
        f"{DISTRICT_LETTERS[n // letters % letters]}{DISTRICT_LETTERS[n % letters]}"
        for n in units
    ]
    return [codes[place] for place in places]


def _place_food(
    businesses: pd.DataFrame, food: pd.DataFrame, rules: dict[str, Any], random: np.random.Generator
) -> pd.DataFrame:
    """Give properties that serve food the place and the name of an official food premises, as far as both go."""
    kinds = {name: one["type"] for name, one in rules["food"].items()}
    placed = businesses.copy()
    food = food.assign(address=join_address(food))
    for description, kind in kinds.items():
        here = placed.index[placed["description"] == description]
        there = food[(food["business_type"] == kind) & food["postcode"].notna() & food["latitude"].notna()]
        there = there.iloc[random.permutation(len(there))[: len(here)]]
        rows = here[: len(there)]
        for column in ("address", "postcode", "latitude", "longitude"):
            placed.loc[rows, column] = there[column].to_numpy()
        placed.loc[rows, "fhrs_id"] = there["fhrs_id"].to_numpy()
        placed.loc[rows, "food_name"] = there["business_name"].to_numpy()
    return placed


def _draw_occupiers(
    businesses: pd.DataFrame, council: str, rules: dict[str, Any], random: np.random.Generator
) -> pd.DataFrame:
    count = len(businesses)
    frame = businesses.copy()
    shares = {name: np.cumsum(one["occupiers"]) / 100 for name, one in rules["properties"].items()}
    drawn = random.random(count)
    frame["kind"] = [
        KINDS[int(np.searchsorted(shares[name], u))] for name, u in zip(frame["description"], drawn, strict=True)
    ]
    words = rules["words"]
    trades = random.choice(words["trades"], count)
    trades = np.where(frame["description"].isin(list(rules["food"])), random.choice(words["food"], count), trades)
    trading = [f"{first} {trade}" for first, trade in zip(random.choice(words["firsts"], count), trades, strict=True)]
    frame["trading_name"] = frame["food_name"].fillna(pd.Series(trading, index=frame.index))
    people = draw_people(count, random)
    forms = random.choice(list(LEGAL_FORMS), count, p=list(LEGAL_FORMS.values()))
    own = random.random(count) < 0.55  # a company that is called as its shop is
    companies = [
        f"{t if same else other} {form}"
        for t, other, form, same in zip(frame["trading_name"], random.permutation(trading), forms, own, strict=True)
    ]
    companies = _make_unique(companies, random)
    towns = random.choice(words["towns"], count)
    charities = [f"{town} {cause}" for town, cause in zip(towns, random.choice(words["causes"], count), strict=True)]
    bodies = [body.format(council=council.removesuffix(" Council")) for body in random.choice(words["bodies"], count)]
    styled = style_people(people, frame["trading_name"], random)
    choices = dict(zip(KINDS, [companies, people, styled, charities, bodies], strict=True))
    frame["legal_name"] = [choices[kind][i] for i, kind in enumerate(frame["kind"])]
    frame["ledger_name"] = frame["legal_name"].where(~frame["kind"].isin(PEOPLE), pd.Series(styled, index=frame.index))
    upper = random.random(count) < 0.8
    return frame.assign(ledger_name=frame["ledger_name"].str.upper().where(upper, frame["ledger_name"]), person=people)


def _make_unique(names: list[str], random: np.random.Generator) -> list[str]:
    """Tell companies apart, as no two have the same name: by an owner's initials before it."""
    written = pd.Series(names)
    while (again := written.duplicated()).any():
        initials = pd.Series(["".join(two) for two in random.choice(list(DISTRICT_LETTERS), (len(names), 2))])
        written = written.mask(again, initials + " " + written)
    return list(written)


def draw_people(count: int, random: np.random.Generator) -> list[str]:
    """Draw invented names of persons, of the origins that `town.yaml` gives."""
    shares = read_rules()["names"]
    weights = np.array(list(shares.values()), dtype=float)
    origins = random.choice(list(shares), count, p=weights / weights.sum())
    names: dict[str, Faker] = {}
    for locale in shares:
        names[locale] = Faker(locale)
        names[locale].seed_instance(int(random.integers(2**31)))
    return [f"{names[locale].first_name()} {names[locale].last_name()}" for locale in origins]


def style_people(people: list[str], trading: pd.Series, random: np.random.Generator) -> list[str]:
    """Write persons' names as ledgers do."""
    styles = read_rules()["styles"]
    weights = np.array(list(styles.values()), dtype=float)
    drawn = random.choice(list(styles), len(people), p=weights / weights.sum())
    written = []
    for name, style, shop in zip(people, drawn, trading, strict=True):
        *firsts, surname = name.split()
        initials = " ".join(first[0] for first in firsts)
        written.append(style.format(n=name, i=initials, s=surname, t=shop))
    return written


def _draw_records(businesses: pd.DataFrame, rules: dict[str, Any], random: np.random.Generator) -> pd.DataFrame:
    """Draw what the registers say of each business, and which of them know it."""
    count = len(businesses)
    frame = businesses.copy()
    frame["property_reference"] = [f"{n:010d}" for n in 3_200_000_000 + random.permutation(9 * count)[:count]]
    age = pd.to_timedelta(random.gamma(1.2, 2600, count).clip(10, (DAY - FIRST_DAY).days).astype(int), unit="D")
    frame["liability_start_date"] = (DAY - age).normalize()
    frame["is_occupied"] = random.random(count) > 0.11
    empty = DAY - pd.to_timedelta(random.gamma(1.5, 300, count).astype(int) + 20, unit="D")
    later = empty.where(empty > frame["liability_start_date"], frame["liability_start_date"])
    frame["empty_since_date"] = pd.Series(later, index=frame.index).where(~frame["is_occupied"])
    is_company = frame["kind"] == "company"
    numbers = pd.Series([f"SC{n:06d}" for n in 900_000 + random.permutation(99_999)[:count]], index=frame.index)
    frame["company_number"] = numbers.where(is_company)
    registered = (frame["kind"] == "charity") & (random.random(count) < REGISTERED_CHARITIES)
    charities = pd.Series([f"SC{n:06d}" for n in 90_000 + random.permutation(9_999)[:count]], index=frame.index)
    frame["charity_number"] = charities.where(registered)
    share = frame["description"].map({name: one["share"] for name, one in rules["food"].items()}).fillna(0)
    serves = (random.random(count) < share) | frame["fhrs_id"].notna()
    kinds = {name: one["type"] for name, one in rules["food"].items()}
    frame["food_type"] = frame["description"].map(kinds).where(serves & frame["is_occupied"])
    frame["on_roll"] = ~(frame["food_type"].notna() & (random.random(count) < UNREGISTERED))
    return frame
