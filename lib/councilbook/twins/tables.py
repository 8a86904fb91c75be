"""Twins of the national tables on small areas: lookup, outlines, deprivation, census, energy."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import shapely
from scipy.special import expit, softmax

from councilbook.catalogue import Source, TwinRequest
from councilbook.twins.places import (
    SYNTHETIC_NOTE,
    FloatArray,
    IntArray,
    SyntheticPlace,
    make_place,
    write_csv,
    write_workbook,
)

IMD_RANKS = 32_844


def lsoa_lookup(_source: Source, request: TwinRequest) -> bytes:
    """Make the lookup from LSOA 2011 to LSOA 2021 to district."""
    pieces = make_place(request.council, request.seed).pieces.sort_values(["lsoa21_code", "lsoa11_code"])
    is_split = pieces.duplicated("lsoa11_code", keep=False)
    is_merged = pieces.duplicated("lsoa21_code", keep=False)
    lookup = pd.DataFrame(
        {
            "F_LSOA11CD": pieces["lsoa11_code"],
            "LSOA11NM": pieces["lsoa11_name"],
            "LSOA21CD": pieces["lsoa21_code"],
            "LSOA21NM": pieces["lsoa21_name"],
            "CHGIND": np.select([is_split, is_merged], ["S", "M"], "U"),
            "LAD22CD": pieces["lad_code"],
            "LAD22NM": pieces["lad_name"],
            "LAD22NMW": "",
            "ObjectId": np.arange(1, len(pieces) + 1),
        }
    )
    return write_csv(lookup, bom=True)


def lsoa_2011_boundaries(_source: Source, request: TwinRequest) -> bytes:
    """Make the outlines of the LSOAs 2011 as GeoJSON, in degrees with five decimals (about a metre)."""
    outlines = make_place(request.council, request.seed).outlines.to_crs(4326)
    rounded = shapely.remove_repeated_points(shapely.transform(outlines.geometry.array, lambda xy: xy.round(5)))
    outlines = outlines.set_geometry(shapely.orient_polygons(rounded), crs=4326)
    outlines = outlines.rename(columns={"lsoa11_code": "LSOA11CD", "lsoa11_name": "LSOA11NM"})
    content: str = outlines.to_json(drop_id=True, separators=(",", ":"))
    return content.encode()


def imd_2019(_source: Source, request: TwinRequest) -> bytes:
    """Make the Index of Multiple Deprivation 2019: ranks spread over all of England's, none twice."""
    place = make_place(request.council, request.seed)
    areas = place.make_areas(2011, 2019)
    ranks = np.sort(place.stream("imd_2019").choice(IMD_RANKS, len(areas), replace=False)) + 1
    areas["rank"] = ranks[(-areas["deprivation"]).rank(method="first").astype(int) - 1]
    areas["decile"] = (areas["rank"] * 10 - 1) // IMD_RANKS + 1
    header = (
        "LSOA code (2011)",
        "LSOA name (2011)",
        "Local Authority District code (2019)",
        "Local Authority District name (2019)",
        "Index of Multiple Deprivation (IMD) Rank",
        "Index of Multiple Deprivation (IMD) Decile",
    )
    rows = areas[["lsoa_code", "lsoa_name", "lad_code", "lad_name", "rank", "decile"]].itertuples(index=False)
    return write_workbook({"Notes": [[SYNTHETIC_NOTE]], "IMD2019": [header, *rows]})


def census_2021_tenure(_source: Source, request: TwinRequest) -> bytes:
    """Make the census table of tenure (TS054) by LSOA 2021."""
    place = make_place(request.council, request.seed)
    return write_tenure(place.make_areas(2021, 2021), place.stream("census_2021_tenure"))


def write_tenure(areas: pd.DataFrame, rng: np.random.Generator) -> bytes:
    """Draw tenures, and write them as Nomis does (TS054), whatever the areas are."""
    poor, rural, renting = (areas[name].to_numpy() for name in ("deprivation", "rurality", "private_renting"))
    kinds = {
        "outright": (0.36, -0.3 * poor + 0.2 * rural),
        "mortgage": (0.32, -0.1 * poor),
        "shared": (0.010, 0.2 * poor - 0.3 * rural),
        "council": (0.040, 0.8 * poor - 0.1 * rural),
        "association": (0.065, 0.7 * poor - 0.1 * rural),
        "landlord": (0.14, 0.5 * renting),
        "other": (0.020, 0.2 * rural + 0.2 * renting),
        "free": (0.001, 0 * poor),
    }
    of = draw_kinds(kinds, areas["households"], rng)
    owned, social, private = "Owned", "Social rented", "Private rented"
    counts = {
        "Total: All households": of.sum(axis=1),
        owned: of["outright"] + of["mortgage"],
        f"{owned}: Owns outright": of["outright"],
        f"{owned}: Owns with a mortgage or loan": of["mortgage"],
        "Shared ownership": of["shared"],
        "Shared ownership: Shared ownership": of["shared"],
        social: of["council"] + of["association"],
        f"{social}: Rents from council or Local Authority": of["council"],
        f"{social}: Other social rented": of["association"],
        private: of["landlord"] + of["other"],
        f"{private}: Private landlord or letting agency": of["landlord"],
        f"{private}: Other private rented": of["other"],
        "Lives rent free": of["free"],
    }
    return write_census(areas, "Tenure of household", counts)


def census_2021_heating(_source: Source, request: TwinRequest) -> bytes:
    """Make the census table of central heating (TS046) by LSOA 2021."""
    place = make_place(request.council, request.seed)
    return write_heating(place.make_areas(2021, 2021), place.stream("census_2021_heating"))


def write_heating(areas: pd.DataFrame, rng: np.random.Generator) -> bytes:
    """Draw kinds of heating, and write them as Nomis does (TS046), whatever the areas are."""
    rural, renting, electric = (areas[name].to_numpy() for name in ("rurality", "private_renting", "electric_heating"))
    kinds = {
        "No central heating": (0.011, 0.5 * renting),
        "Mains gas only": (0.80, -0.35 * rural),
        "Tank or bottled gas only": (0.006, 1.1 * rural),
        "Electric only": (0.055, 0.75 * electric),
        "Oil only": (0.008, 1.5 * rural),
        "Wood only": (0.001, 0.6 * rural),
        "Solid fuel only": (0.001, 0.6 * rural),
        "Renewable energy only": (0.003, 0.6 * rural),
        "District or communal heat networks only": (0.002, 0.4 * electric - 0.5 * rural),
        "Other central heating only": (0.007, 0.2 * renting),
        "Two or more types of central heating (not including renewable energy)": (0.085, 0.1 * rural),
        "Two or more types of central heating (including renewable energy)": (0.006, 0.4 * rural),
    }
    of = draw_kinds(kinds, areas["households"], rng)
    counts = {"Total: All households": of.sum(axis=1)} | {kind: of[kind] for kind in kinds}
    return write_census(areas, "Type of central heating in household", counts)


def gas_2019(_source: Source, request: TwinRequest) -> bytes:
    """Make domestic gas use in 2019 by LSOA 2011; areas without gas have no row, and a dash stands for no meter."""
    place = make_place(request.council, request.seed)
    areas = place.make_areas(2011, 2019)
    rng = place.stream("gas_2019")
    rural, old, poor = (areas[name].to_numpy() for name in ("rurality", "older_homes", "deprivation"))
    no_gas = expit(-3.1 + 1.3 * rural + rng.normal(0, 0.4, len(areas)))
    meters = _count_electricity_meters(place, areas) * (1 - no_gas) * rng.normal(1, 0.03, len(areas))
    mean = 12_800 * np.exp(0.14 * old - 0.10 * poor + 0.08 * rural + rng.normal(0, 0.08, len(areas)))
    idle = rng.geometric(0.15, len(areas)) - 1
    table = _describe_energy(areas, "MSOA Name", "LSOA Name")
    table["Number of consuming meters"] = np.rint(meters).astype(np.int64)
    _add_use(table, mean, "Consumption (kWh)", "Mean consumption (kWh per meter)", "Median consumption (kWh per meter)")
    table["Number of non-consuming meters"] = np.where(idle == 0, "-", idle.astype(str))
    return write_csv(_add_unallocated(table[no_gas < np.quantile(no_gas, 0.987)]), newline="\r\n")


def electricity_2019(_source: Source, request: TwinRequest) -> bytes:
    """Make domestic electricity use in 2019 by LSOA 2011; two column names hold a line break, as officially."""
    place = make_place(request.council, request.seed)
    areas = place.make_areas(2011, 2019)
    rng = place.stream("electricity_2019")
    electric, rural, poor = (areas[name].to_numpy() for name in ("electric_heating", "rurality", "deprivation"))
    mean = 3_600 * np.exp(0.12 * electric + 0.10 * rural - 0.06 * poor + rng.normal(0, 0.07, len(areas)))
    names = ("Middle Layer Super Output Area (MSOA) Name", "Lower Layer Super Output Area (LSOA) Name")
    table = _describe_energy(areas, *names)
    table["Total number of domestic electricity meters"] = _count_electricity_meters(place, areas)
    use = "domestic electricity consumption"
    _add_use(table, mean, f"Total {use} (kWh)", f"Mean {use} \n(kWh per meter)", f"Median {use} \n(kWh per meter)")
    return write_csv(_add_unallocated(table), newline="\r\n")


def draw_kinds(
    kinds: Mapping[str, tuple[float, FloatArray]], households: pd.Series, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw how many households of each area are of each kind: from a usual share and what shifts its log."""
    shifted = np.column_stack([np.log(share) + shift for share, shift in kinds.values()])
    shifted += rng.normal(0, 0.35, shifted.shape)
    total = np.rint(households * rng.normal(1, 0.01, len(households))).astype(np.int64)
    drawn = rng.multinomial(total, softmax(shifted, axis=1))
    return pd.DataFrame(drawn, columns=list(kinds))


def write_census(areas: pd.DataFrame, topic: str, counts: Mapping[str, pd.Series]) -> bytes:
    """Write a census table of LSOAs in the layout of Nomis: a column a kind, whose header begins with the topic."""
    table = pd.DataFrame({"date": 2021, "geography": areas["lsoa_name"], "geography code": areas["lsoa_code"]})
    return write_csv(table.assign(**{f"{topic}: {kind}": count for kind, count in counts.items()}))


def _count_electricity_meters(place: SyntheticPlace, areas: pd.DataFrame) -> IntArray:
    noise = place.stream("electricity meters").normal(1.015, 0.02, len(areas))
    meters: IntArray = np.rint(areas["households"] * noise).to_numpy(np.int64)
    return meters


def _describe_energy(areas: pd.DataFrame, msoa_name: str, lsoa_name: str) -> pd.DataFrame:
    """Start a table of energy use with the columns that say where; publishers call two of them differently."""
    headers = {
        "lad_name": "Local Authority Name",
        "lad_code": "Local Authority Code",
        "msoa_name": msoa_name,
        "msoa_code": "Middle Layer Super Output Area (MSOA) Code",
        "lsoa_name": lsoa_name,
        "lsoa_code": "Lower Layer Super Output Area (LSOA) Code",
    }
    return areas[list(headers)].rename(columns=headers)


def _add_use(table: pd.DataFrame, mean: FloatArray, total_name: str, mean_name: str, median_name: str) -> None:
    """Add total, mean and median use after the last column, which counts meters."""
    total = (table.iloc[:, -1] * mean).round(3)
    table[total_name] = total
    table[mean_name] = mean.round(6)
    table[median_name] = (mean * 0.9).round(2)


def _add_unallocated(table: pd.DataFrame) -> pd.DataFrame:
    """Add the last row that official tables have, of meters that could not be placed: as many as in the first area."""
    last = table.head(1).copy()
    last[table.columns[:6]] = "Unallocated"
    return pd.concat([table, last])
