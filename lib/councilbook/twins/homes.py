"""Twins of what is known below and beside the small areas: output areas, postcodes, who lives in which homes.

Built on the places of `synthetic`. Output areas and postcodes are made up within each LSOA of 2021: the codes are of no
real output area, and the postcodes begin with letters that no British postcode area has. What varies over a place
varies within its LSOAs as well, by `WITHIN`.
"""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from councilbook.catalogue import Source, TwinRequest
from councilbook.methods.sharing import share_out
from councilbook.twins.land import FloatArray, Geometries, IntArray
from councilbook.twins.places import LATENTS, SyntheticPlace, make_place, write_csv
from councilbook.twins.tables import draw_kinds, write_census, write_heating, write_tenure

IOD_RANKS = 33_755
OA_HOUSEHOLDS = 130  # output areas of the 2021 census have 40 to 250 households (ONS, Census 2021 geographies)
POSTCODE_HOUSEHOLDS = 18
WITHIN = 0.5  # standard deviation of each latent within an LSOA
FIRST_OA = 900_001  # real codes of the 2021 census end near E00190000
POSTCODE_AREA = "XX"
UNIT_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"  # those that the end of a postcode may have
UNITS = len(UNIT_LETTERS) ** 2  # postcodes in a sector
SECTORS = 10  # in a postcode district
TOWN_AND_FRINGE, VILLAGE = 0.8, 1.4  # rurality from which an area counts as such


def postcode_directory(_source: Source, request: TwinRequest) -> bytes:
    """Make the postcodes of each output area, with the column names of the ONS Postcode Directory."""
    table = make_postcodes(make_place(request.council, request.seed))
    return write_csv(table[["pcds", "oa21", "lsoa21", "lat", "long"]])


def make_postcodes(place: SyntheticPlace) -> pd.DataFrame:
    """Return the postcodes of a place in order of LSOA: pcds, oa21, lsoa21, x, y (EPSG:27700, metres), lat, long."""
    homes = _make_output_areas(place)
    counts = np.maximum(1, np.rint(homes["households"] / POSTCODE_HOUSEHOLDS).astype(int))
    rows = homes.loc[homes.index.repeat(counts)].reset_index(drop=True)
    rng = place.stream("postcode_directory")
    points = _scatter(rows[["x", "y"]].to_numpy(), (rows["room"] / 2).to_numpy(), rng)
    places = gpd.GeoSeries(points, crs="EPSG:27700").to_crs(4326)
    return pd.DataFrame(
        {
            "pcds": _number_postcodes(len(rows)),
            "oa21": rows["oa_code"],
            "lsoa21": rows["lsoa_code"],
            "x": shapely.get_x(points),
            "y": shapely.get_y(points),
            "lat": places.y.round(6),
            "long": places.x.round(6),
        }
    )


def census_2021_oa_deprivation(_source: Source, request: TwinRequest) -> bytes:
    """Make the census table of household deprivation (TS011) by output area."""
    place = make_place(request.council, request.seed)
    homes = _make_output_areas(place)
    poor = homes["deprivation"].to_numpy()
    deprived = "Household is deprived in {}"
    kinds = {
        "Household is not deprived in any dimension": (0.48, -0.35 * poor),
        deprived.format("one dimension"): (0.33, 0 * poor),
        deprived.format("two dimensions"): (0.145, 0.3 * poor),
        deprived.format("three dimensions"): (0.04, 0.6 * poor),
        deprived.format("four dimensions"): (0.003, 0.9 * poor),
    }
    of = draw_kinds(kinds, homes["households"], place.stream("census_2021_oa_deprivation"))
    return _write_output_areas(homes, "Household deprivation", of)


def census_2021_oa_accommodation(_source: Source, request: TwinRequest) -> bytes:
    """Make the census table of accommodation (TS044) by output area."""
    place = make_place(request.council, request.seed)
    homes = _make_output_areas(place)
    poor, rural, old, renting = (homes[name].to_numpy() for name in LATENTS[:4])
    kinds = {
        "Detached": (0.26, 0.6 * rural - 0.5 * poor),
        "Semi-detached": (0.29, -0.1 * poor),
        "Terraced": (0.25, 0.3 * old + 0.1 * poor - 0.2 * rural),
        "In a purpose-built block of flats or tenement": (0.15, 0.4 * poor - 0.6 * rural),
        "Part of a converted or shared house, including bedsits": (0.030, 0.5 * renting + 0.2 * old),
        "Part of another converted building, for example, former school, church or warehouse": (0.008, 0.2 * old),
        "In a commercial building, for example, in an office building, hotel or over a shop": (0.008, 0.3 * renting),
        "A caravan or other mobile or temporary structure": (0.004, 0.8 * rural),
    }
    of = draw_kinds(kinds, homes["households"], place.stream("census_2021_oa_accommodation"))
    return _write_output_areas(homes, "Accommodation type", of)


def census_2021_oa_tenure(_source: Source, request: TwinRequest) -> bytes:
    """Make the census table of tenure (TS054) by output area."""
    place = make_place(request.council, request.seed)
    return write_tenure(_name_by_code(_make_output_areas(place)), place.stream("census_2021_oa_tenure"))


def census_2021_oa_heating(_source: Source, request: TwinRequest) -> bytes:
    """Make the census table of central heating (TS046) by output area."""
    place = make_place(request.council, request.seed)
    return write_heating(_name_by_code(_make_output_areas(place)), place.stream("census_2021_oa_heating"))


def census_2021_oa_size(_source: Source, request: TwinRequest) -> bytes:
    """Make the census table of household size (TS017) by output area."""
    place = make_place(request.council, request.seed)
    homes = _make_output_areas(place)
    poor, renting = homes["deprivation"].to_numpy(), homes["private_renting"].to_numpy()
    shares = (0.30, 0.34, 0.16, 0.13, 0.045, 0.016, 0.005, 0.004)
    names = [f"{people} people in household" for people in range(1, len(shares) + 1)]
    names[0], names[-1] = "1 person in household", f"{len(shares)} or more people in household"
    effects = [0.2 * renting + 0.1 * poor, *[0 * poor] * 3, *[0.2 * poor] * 4]
    kinds = dict(zip(names, zip(shares, effects, strict=True), strict=True))
    return _write_output_areas(
        homes, "Household size", draw_kinds(kinds, homes["households"], place.stream("census_2021_oa_size"))
    )


def census_2021_oa_cars(_source: Source, request: TwinRequest) -> bytes:
    """Make the census table of cars or vans (TS045) by output area."""
    place = make_place(request.council, request.seed)
    homes = _make_output_areas(place)
    poor, rural = homes["deprivation"].to_numpy(), homes["rurality"].to_numpy()
    kinds = {
        "No cars or vans in household": (0.19, 0.5 * poor - 0.4 * rural),
        "1 car or van in household": (0.42, 0 * poor),
        "2 cars or vans in household": (0.28, 0.3 * rural - 0.3 * poor),
        "3 or more cars or vans in household": (0.11, 0.4 * rural - 0.3 * poor),
    }
    of = draw_kinds(kinds, homes["households"], place.stream("census_2021_oa_cars"))
    return _write_output_areas(homes, "Number of cars or vans", of)


def census_2021_composition(_source: Source, request: TwinRequest) -> bytes:
    """Make the census table of household composition (TS003) by LSOA 2021."""
    place = make_place(request.council, request.seed)
    areas = place.make_areas(2021, 2021)
    poor, rural, _, renting, _ = (areas[name].to_numpy() for name in LATENTS)
    one, family, other = "One person household", "Single family household", "Other household types"
    married, cohabiting = f"{family}: Married or civil partnership couple", f"{family}: Cohabiting couple family"
    lone, rest = f"{family}: Lone parent family", f"{family}: Other single family household"
    kinds: dict[str, tuple[float, FloatArray]] = {
        f"{one}: Aged 66 years and over": (0.13, 0.1 * rural),
        f"{one}: Other": (0.16, 0.2 * renting + 0.1 * poor),
        f"{family}: All aged 66 years and over": (0.11, 0.2 * rural - 0.2 * poor),
        f"{married}: No children": (0.11, -0.1 * poor),
        f"{married}: Dependent children": (0.15, -0.2 * poor),
        f"{married}: All children non-dependent": (0.06, -0.1 * poor),
        f"{cohabiting}: No children": (0.07, 0.1 * renting),
        f"{cohabiting}: With dependent children": (0.05, 0.2 * poor),
        f"{cohabiting}: All children non-dependent": (0.006, 0.1 * poor),
        f"{lone}: With dependent children": (0.07, 0.5 * poor),
        f"{lone}: All children non-dependent": (0.035, 0.2 * poor),
        f"{rest}: Other family composition": (0.009, 0.1 * poor),
        f"{other}: With dependent children": (0.025, 0.2 * poor),
        f"{other}: Other, including all full-time students and all aged 66 years and over": (0.035, 0.3 * renting),
    }
    of = draw_kinds(kinds, areas["households"], place.stream("census_2021_composition"))
    counts = {"Total": of.sum(axis=1)}
    for group in (one, family, other):
        counts[group] = of.filter(regex=f"^{group}").sum(axis=1)
    for group in (married, cohabiting, lone, rest):
        counts[group] = of.filter(regex=f"^{group}").sum(axis=1)
    named = {f"{kind}; measures: Value": count for kind, count in (counts | {kind: of[kind] for kind in kinds}).items()}
    return write_census(areas, "Household composition", named)


def iod_2025(_source: Source, request: TwinRequest) -> bytes:
    """Make the ranks of the Indices of Deprivation 2025, as a whole and by domain: of all of England's, none twice."""
    place = make_place(request.council, request.seed)
    areas = place.make_areas(2021, 2024)
    rng = place.stream("iod_2025")
    follows = {
        "Index of Multiple Deprivation (IMD)": (areas["deprivation"], 0.0),
        "Income": (areas["deprivation"], 0.4),
        "Health Deprivation and Disability": (areas["deprivation"], 0.4),
        "Barriers to Housing and Services": (areas["rurality"], 0.4),
        "Living Environment": (areas["older_homes"], 0.4),
    }
    table = pd.DataFrame(
        {
            "LSOA code (2021)": areas["lsoa_code"],
            "LSOA name (2021)": areas["lsoa_name"],
            "Local Authority District code (2024)": areas["lad_code"],
            "Local Authority District name (2024)": areas["lad_name"],
        }
    )
    for index, (latent, noise) in follows.items():
        ranks = np.sort(rng.choice(IOD_RANKS, len(areas), replace=False)) + 1
        order = pd.Series(-latent.to_numpy() + rng.normal(0, noise, len(areas))).rank(method="first").astype(int)
        table[f"{index} Rank (where 1 is most deprived)"] = ranks[order - 1]
    return write_csv(table, bom=True)


def lsoa_2011_classification(_source: Source, request: TwinRequest) -> bytes:
    """Make the rural-urban class and the area classification of the LSOAs 2011."""
    areas = make_place(request.council, request.seed).make_areas(2011, 2011)
    rural, poor, renting = areas["rurality"], areas["deprivation"], areas["private_renting"]
    table = pd.DataFrame(
        {
            "LSOA11CD": areas["lsoa_code"],
            "LSOA11NM": areas["lsoa_name"],
            "RUC11CD": np.select([rural > VILLAGE, rural > TOWN_AND_FRINGE], ["E1", "D1"], "C1"),
            "Supergroup Name": np.select(
                [rural > TOWN_AND_FRINGE, poor > 1, renting > 1, poor < 0],
                [
                    "Countryside living",
                    "Hard-pressed communities",
                    "Cosmopolitan student neighbourhoods",
                    "Suburban living",
                ],
                "Industrious communities",
            ),
        }
    )
    return write_csv(table)


def _make_output_areas(place: SyntheticPlace) -> pd.DataFrame:
    """Cut each LSOA 2021 into output areas.

    Returns:
        A row an output area in order of code: oa_code, lsoa_code, households, x and y (EPSG:27700, metres), room (how
        far the LSOA's outline is from there, metres), and LATENTS.
    """
    rng = place.stream("output areas")
    areas = place.make_areas(2021, 2021)
    first = place.pieces.drop_duplicates("lsoa21_code").set_index("lsoa21_code").loc[areas["lsoa_code"]]
    outlines = place.outlines.set_index("lsoa11_code").geometry.loc[first["lsoa11_code"]]
    centres = outlines.centroid
    areas["x"], areas["y"] = centres.x.to_numpy(), centres.y.to_numpy()
    areas["room"] = shapely.distance(centres.to_numpy(), outlines.boundary.to_numpy())
    counts = np.maximum(3, np.rint(areas["households"] / OA_HOUSEHOLDS).astype(int))
    homes = areas.loc[areas.index.repeat(counts)].reset_index(names="area")
    parts: FloatArray = rng.lognormal(0, 0.15, len(homes))
    homes["households"] = share_out(np.rint(areas["households"]).astype(int), parts, homes["area"])
    scattered = _scatter(homes[["x", "y"]].to_numpy(), (homes["room"] / 2).to_numpy(), rng)
    homes[["x", "y"]] = shapely.get_coordinates(scattered)
    for latent in LATENTS:
        homes[latent] += rng.normal(0, WITHIN, len(homes))
    homes["oa_code"] = "E00" + pd.Series(np.arange(FIRST_OA, FIRST_OA + len(homes))).astype(str)
    return homes[["oa_code", "lsoa_code", "households", "x", "y", "room", *LATENTS]]


def _scatter(points: FloatArray, reach: FloatArray, rng: np.random.Generator) -> Geometries:
    """Move points at random, none farther than its reach."""
    angle, far = rng.uniform(0, 2 * np.pi, len(points)), np.sqrt(rng.uniform(0, 1, len(points))) * reach
    moved: Geometries = shapely.points(points + np.column_stack([far * np.cos(angle), far * np.sin(angle)]))
    return moved


def _number_postcodes(count: int) -> list[str]:
    """Return so many postcodes of the area that does not exist, in order."""
    number: IntArray = np.arange(count)
    sector, unit = divmod(number, UNITS)
    district, digit = divmod(sector, SECTORS)
    first, second = divmod(unit, len(UNIT_LETTERS))
    return [
        f"{POSTCODE_AREA}{a + 1} {b}{UNIT_LETTERS[c]}{UNIT_LETTERS[d]}"
        for a, b, c, d in zip(district, digit, first, second, strict=True)
    ]


def _write_output_areas(homes: pd.DataFrame, topic: str, counts: pd.DataFrame) -> bytes:
    """Write a census table of output areas in the layout of Nomis."""
    named = {"Total: All households": counts.sum(axis=1)} | {str(kind): counts[kind] for kind in counts}
    return write_census(_name_by_code(homes), topic, named)


def _name_by_code(homes: pd.DataFrame) -> pd.DataFrame:
    return homes.assign(lsoa_name=homes["oa_code"], lsoa_code=homes["oa_code"])
