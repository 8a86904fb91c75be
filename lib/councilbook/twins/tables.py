"""Twins of the national tables on small areas: lookup, outlines, deprivation, census, energy."""

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.special import expit, softmax

from councilbook.catalogue import Source, TwinRequest
from councilbook.twins.land import FloatArray, IntArray
from councilbook.twins.places import SYNTHETIC_NOTE, SyntheticPlace, make_place, write_csv, write_workbook

ENERGY_HEADERS = {
    "lad_code": "Local authority code",
    "lad_name": "Local authority",
    "msoa_code": "MSOA code",
    "msoa_name": "Middle layer super output area",
    "lsoa_code": "LSOA code",
    "lsoa_name": "Lower layer super output area",
}


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


def msoa_names(_source: Source, request: TwinRequest) -> bytes:
    """Make the list of what people call each MSOA."""
    pieces = make_place(request.council, request.seed).pieces.drop_duplicates("msoa_code").sort_values("msoa_code")
    headers = {
        "msoa_code": "msoa21cd",
        "msoa_name": "msoa21nm",
        "quarter": "msoa21hcln",
        "lad_code": "lad22cd",
        "lad_name": "lad22nm",
    }
    return write_csv(pieces[[*headers]].rename(columns=headers))


def lsoa_2021_boundaries(_source: Source, request: TwinRequest) -> bytes:
    """Make the outlines of the LSOAs 2021 as GeoJSON, in degrees with five decimals (about a metre)."""
    cut = _cut_outlines(make_place(request.council, request.seed)).to_crs(4326)
    # Where a cut meets a neighbour's border, the neighbour has to get the point as well: all borders on one grid.
    borders = shapely.union_all(shapely.boundary(cut.geometry.array), grid_size=1e-5)
    cells = shapely.get_parts(shapely.polygonize(shapely.get_parts(borders)))
    of_cell, row = cut.sindex.query(shapely.point_on_surface(cells), predicate="within")
    faces = gpd.GeoDataFrame(cut.iloc[row].drop(columns="geometry"), geometry=cells[of_cell], crs=4326)
    outlines = faces.dissolve(by=["LSOA21CD", "LSOA21NM"], as_index=False)
    rounded = shapely.transform(outlines.geometry.array, lambda xy: xy.round(5))
    content: str = outlines.set_geometry(shapely.orient_polygons(rounded)).to_json(drop_id=True, separators=(",", ":"))
    return content.encode()


def _cut_outlines(place: SyntheticPlace) -> gpd.GeoDataFrame:
    """Cut the outlines of 2011 to pieces of those of 2021: what was split in strips from west to east."""
    pieces = place.pieces
    cells = place.outlines.set_index("lsoa11_code").geometry.loc[pieces["lsoa11_code"]].to_numpy()
    of_area = pieces.groupby("lsoa11_code")["lsoa11_code"]
    number, count = of_area.cumcount().to_numpy(), of_area.transform("size").to_numpy()
    west, south, east, north = shapely.bounds(cells).T
    width = (east - west) / count
    strips = shapely.box(west + number * width, south - 1, west + (number + 1) * width, north + 1)
    cut = np.where(count > 1, shapely.intersection(cells, strips), cells)
    named = pieces[["lsoa21_code", "lsoa21_name"]].set_axis(["LSOA21CD", "LSOA21NM"], axis="columns")
    return gpd.GeoDataFrame(named, geometry=cut, crs=place.outlines.crs)


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


def gas_2024(source: Source, request: TwinRequest) -> bytes:
    """Make domestic gas use in 2024 by LSOA 2021; areas without gas have no row, and a dash stands for no meter."""
    place = make_place(request.council, request.seed)
    areas = place.make_areas(2021, 2024)
    rng = place.stream("gas")
    rural, old, poor = (areas[name].to_numpy() for name in ("rurality", "older_homes", "deprivation"))
    no_gas = expit(-3.1 + 1.3 * rural + rng.normal(0, 0.4, len(areas)))
    meters = _count_electricity_meters(place, areas) * (1 - no_gas) * rng.normal(1, 0.03, len(areas))
    mean = 11_000 * np.exp(0.14 * old - 0.10 * poor + 0.08 * rural + rng.normal(0, 0.08, len(areas)))
    idle = rng.geometric(0.15, len(areas)) - 1
    areas["Number of meters"] = np.rint(meters).astype(np.int64)
    areas["mean"] = mean
    areas["Number of non-consuming meters"] = np.where(idle == 0, "-", idle.astype(str))
    return _write_energy(source, areas[no_gas < np.quantile(no_gas, 0.987)], "Number of non-consuming meters")


def electricity_2024(source: Source, request: TwinRequest) -> bytes:
    """Make domestic electricity use in 2024 by LSOA 2021."""
    place = make_place(request.council, request.seed)
    areas = place.make_areas(2021, 2024)
    rng = place.stream("electricity")
    electric, rural, poor = (areas[name].to_numpy() for name in ("electric_heating", "rurality", "deprivation"))
    areas["mean"] = 3_300 * np.exp(0.12 * electric + 0.10 * rural - 0.06 * poor + rng.normal(0, 0.07, len(areas)))
    areas["Number of meters"] = _count_electricity_meters(place, areas)
    return _write_energy(source, areas)


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


def _write_energy(source: Source, areas: pd.DataFrame, *last: str) -> bytes:
    """Write a workbook of energy use: a sheet a year, of which the twin has the newest, and a row of unplaced meters.

    Args:
        source: whose sheet and header row it has.
        areas: AREA_COLUMNS, Number of meters, mean (kWh), and the columns that stand last.
    """
    table = areas[list(ENERGY_HEADERS)].rename(columns=ENERGY_HEADERS).assign(meters=areas["Number of meters"])
    table["Total consumption (kWh)"] = (areas["Number of meters"] * areas["mean"]).round(3)
    table["Mean consumption\n(kWh per meter)"] = areas["mean"].round(6)
    table["Median consumption\n(kWh per meter)"] = (areas["mean"] * 0.9).round(2)
    table = table.rename(columns={"meters": "Number of meters"}).join(areas[list(last)])
    unplaced = table.head(1).copy()
    unplaced[list(ENERGY_HEADERS.values())] = "Unallocated"
    sheet = source.table()
    front: list[list[object]] = [[SYNTHETIC_NOTE], *[[]] * (sheet.header_row - 2)]
    rows = pd.concat([table, unplaced]).itertuples(index=False, name=None)
    return write_workbook({str(sheet.sheet): [*front, list(table), *rows]})
