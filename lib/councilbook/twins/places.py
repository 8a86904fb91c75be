"""Synthetic places, and the twins of the sources that several studies use.

A place is made up, from one seed, for the district codes of a council. Its districts have their true codes;
everything else is invented, their names too. Its areas have codes that no real LSOA has, and its map lies in the
North Sea, so that nobody can take it for a real place. A few hidden quantities (`LATENTS`) vary over the map, smooth
in space with noise, and all twins follow from them: so tables of different publishers fit together, and a model
has something to learn, but not everything.

A twin is a function of a source and a request; it returns the bytes of a file in the publisher's own layout. The
same request gives the same bytes.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv
from openpyxl import Workbook
from openpyxl.packaging.core import DocumentProperties
from openpyxl.xml.functions import tostring

from councilbook.catalogue import Council
from councilbook.methods.sharing import share_out
from councilbook.twins.land import FloatArray as FloatArray  # other twins take it from here
from councilbook.twins.land import IntArray as IntArray
from councilbook.twins.land import draw_map

LATENTS = ("deprivation", "rurality", "older_homes", "private_renting", "electric_heating")
# Names that no place in England has, so that nobody takes a sample's map for one of theirs.
TOWNS = [
    begin + end
    for end in ("mere", "haven", "stead", "combe", "wick", "ness")
    for begin in ("Gull", "Salt", "Tern", "Marl", "Kelp", "Corm", "Skerry", "Brack", "Eider", "Wrack", "Drift", "Holm")
]
QUARTERS = (
    "Harbour", "Green", "Mill", "Hill", "Church", "Station", "Park", "Common", "Cross", "Bridge", "Castle", "Wood",
    "Quay", "Fields", "Market", "North", "South", "East", "West", "Old Town", "Vale", "Heath", "Lock", "Well", "Gate",
    "Moor",
)  # fmt: skip
AREA_COLUMNS = ["lsoa_code", "lsoa_name", "msoa_code", "msoa_name", "lad_code", "lad_name"]
SYNTHETIC_NOTE = "SYNTHETIC DATA, made up by a program. Not official statistics, and true of no real place."

FIRST_CODE = 900_001  # the last real code of the 2021 census is E01035762
BASE_YEAR = 2013
GROWTH = 0.009  # of the number of households in a year
WORKBOOK_TIME = datetime(2000, 1, 1)  # noqa: DTZ001 (a workbook keeps its times without a zone)


@dataclass(frozen=True)
class Sizes:
    """How many LSOAs a place has by the census of 2001, of 2011 and of 2021."""

    lsoa01: int
    lsoa11: int
    lsoa21: int


# As in the publisher's sub-regional fuel poverty tables of 2011, 2012 and 2021.
KNOWN_SIZES = {"kent_medway": Sizes(1047, 1065, 1107)}


@dataclass(frozen=True, eq=False)
class SyntheticPlace:
    """A made-up place.

    Attributes:
        seed: What it was drawn from.
        districts: Name of each district code.
        pieces: The atoms that LSOAs of every census are made of, so that all sums agree. One row a piece:
            lsoa01_code, lsoa11_code, lsoa21_code and their names, msoa_code, msoa_name, quarter (what people call the
            MSOA), lad_code, lad_name, x and y
            (EPSG:27700, metres), households (of BASE_YEAR), growth (a year), and LATENTS (mean 0, deviation about 1).
        outlines: lsoa11_code, lsoa11_name and the polygon of each LSOA 2011, in EPSG:27700.
    """

    seed: int
    districts: Mapping[str, str]
    pieces: pd.DataFrame
    outlines: gpd.GeoDataFrame

    def stream(self, label: str) -> np.random.Generator:
        """Return random numbers of this place for one purpose, independent of those for any other."""
        return _stream(self.seed, self.districts, label)

    def draw_field(self, label: str, kilometres: float) -> FloatArray:
        """Draw a quantity, one value a piece, that is alike over about so many kilometres (mean 0, deviation 1)."""
        return _draw_field(self.pieces[["x", "y"]].to_numpy(), kilometres, self.stream(label))

    def count_households(self, year: int) -> FloatArray:
        """Return the (fractional) households of each piece in a year."""
        grown = self.pieces["households"] * (1 + self.pieces["growth"]) ** (year - BASE_YEAR)
        return grown.to_numpy()

    def make_areas(self, vintage: int, year: int, **quantities: FloatArray) -> pd.DataFrame:
        """Put pieces together to the LSOAs of a census.

        Args:
            vintage: 2001, 2011 or 2021.
            year: Which the households are of.
            quantities: Further quantities, one value a piece.

        Returns:
            One row an LSOA in order of code: AREA_COLUMNS, households (fractional), and the mean over
            households of each of LATENTS and of the quantities.
        """
        means = [*LATENTS, *quantities]
        short = f"lsoa{vintage % 100:02d}"
        pieces = self.pieces.assign(households=self.count_households(year), **quantities)
        pieces = pieces.assign(lsoa_code=pieces[f"{short}_code"], lsoa_name=pieces[f"{short}_name"])
        pieces[means] = pieces[means].mul(pieces["households"], axis=0)
        areas = pieces.groupby(AREA_COLUMNS)[["households", *means]].sum().reset_index()
        areas[means] = areas[means].div(areas["households"], axis=0)
        return areas


def make_place(council: Council, seed: int) -> SyntheticPlace:
    """Make the synthetic place of a council, or return it if it has just been made."""
    return _make_place(council.slug, tuple(council.codes.items()), seed)


def write_csv(frame: pd.DataFrame, newline: str = "\n", bom: bool = False) -> bytes:
    """Write a table as CSV in UTF-8."""
    return frame.to_csv(index=False, lineterminator=newline).encode("utf-8-sig" if bom else "utf-8")


def write_large_csv(frame: pd.DataFrame) -> bytes:
    """Write a table of many rows as CSV in UTF-8, dates as ISO days; some twenty times faster than `write_csv`."""
    days = frame.select_dtypes("datetime").columns
    dated = frame.astype(dict.fromkeys(days, pd.ArrowDtype(pa.date32())))
    stream = BytesIO()
    arrow_csv.write_csv(pa.Table.from_pandas(dated, preserve_index=False), stream)
    return stream.getvalue()


def write_workbook(sheets: Mapping[str, Iterable[Sequence[object]]]) -> bytes:
    """Write rows of cells as an xlsx workbook that is the same, byte for byte, whenever it is written.

    openpyxl stamps the time into the properties and on each zip entry, hence the second pass over the archive.
    """
    workbook = Workbook(write_only=True)
    for title, rows in sheets.items():
        sheet = workbook.create_sheet(title)
        for row in rows:
            sheet.append(row)
    stamped, plain = BytesIO(), BytesIO()
    workbook.save(stamped)
    properties = DocumentProperties(creator="councilbook", created=WORKBOOK_TIME, modified=WORKBOOK_TIME)
    with ZipFile(stamped) as old, ZipFile(plain, "w") as new:
        for name in old.namelist():
            content = tostring(properties.to_tree()) if name == "docProps/core.xml" else old.read(name)
            new.writestr(ZipInfo(name), content, compress_type=ZIP_DEFLATED)
    return plain.getvalue()


# The place


@lru_cache(maxsize=4)
def _make_place(slug: str, codes: tuple[tuple[str, str], ...], seed: int) -> SyntheticPlace:
    codes_alone = [code for code, _ in codes]
    towns = _stream(seed, codes_alone, "names").permutation(TOWNS).tolist()
    districts = {code: _number(towns, place) for place, code in enumerate(codes_alone)}
    rng = _stream(seed, districts, "place")
    counts, sizes = _draw_sizes(slug, len(districts), rng)
    areas, cells = draw_map(counts, rng)
    _name_neighbourhoods(areas, districts)
    pieces = _split_areas(areas, sizes, rng)
    _add_latents(pieces, rng)
    outlines = pieces.drop_duplicates("lsoa11_code")[["lsoa11_code", "lsoa11_name"]]
    return SyntheticPlace(
        seed, districts, pieces, gpd.GeoDataFrame(outlines.reset_index(drop=True), geometry=cells, crs="EPSG:27700")
    )


def _number(names: Sequence[str], place: int) -> str:
    """Return a name of its own for each place, however many there are."""
    again = place // len(names)
    return str(names[place % len(names)]) + f" {again + 1}" * bool(again)


def _stream(seed: int, codes: Iterable[str], label: str) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32("/".join([*codes, label]).encode())])


def _draw_sizes(slug: str, districts: int, rng: np.random.Generator) -> tuple[IntArray, Sizes]:
    """Return the LSOAs 2011 of each district, and those of the whole place by census."""
    counts = rng.integers(80, 121, districts)
    if slug in KNOWN_SIZES:
        sizes = KNOWN_SIZES[slug]
        return share_out(sizes.lsoa11, counts.astype(float)), sizes
    total = int(counts.sum())
    return counts, Sizes(total - round(total * 0.017), total, total + round(total * 0.04))  # shares as in Kent


def _name_neighbourhoods(areas: pd.DataFrame, districts: Mapping[str, str]) -> None:
    """Add districts by code and name, and neighbourhoods (MSOAs) of four to six areas, numbered as officially."""
    areas["lad_code"] = np.array(list(districts))[areas["district"]]
    areas["lad_name"] = areas["lad_code"].map(districts)
    position = areas.groupby("district").cumcount()
    size = areas.groupby("district")["district"].transform("size")
    number = position * (size / 5).round().astype(int) // size
    areas["msoa_name"] = areas["lad_name"] + " " + (number + 1).astype(str).str.zfill(3)
    areas["quarter"] = areas["lad_name"] + " " + number.map(lambda at: _number(QUARTERS, at))
    areas["msoa_code"] = "E02" + (FIRST_CODE + areas.groupby(["district", number]).ngroup()).astype(str)


def _split_areas(areas: pd.DataFrame, sizes: Sizes, rng: np.random.Generator) -> pd.DataFrame:
    """Cut areas into the pieces that LSOAs of all three censuses consist of, with codes, names and households.

    Between 2001 and 2011 some areas were split in two. Between 2011 and 2021 two were merged, and others split
    in two or three. All others keep their code, as officially.
    """
    parents, merged, parts = _choose_changes(areas, sizes, rng)
    numbers = _number_lsoas(parents, merged, parts)
    lsoa11 = numbers["lsoa11"].to_numpy()
    pieces = areas.loc[lsoa11].drop(columns=["nearest", "district"]).reset_index(drop=True)
    _name_lsoas(pieces, numbers)
    homes = np.clip(rng.lognormal(np.log(660), 0.18, len(areas)), 430, 1_100)
    homes *= np.where(np.isin(np.arange(len(areas)), merged), 0.6, 0.55 + 0.45 * parts)
    pieces["households"] = (homes / parts)[lsoa11] * rng.uniform(0.95, 1.05, len(pieces))
    pieces["growth"] = rng.normal(GROWTH, 0.004, len(pieces)) + np.where(parts[lsoa11] > 1, 0.012, 0)
    return pieces


def _choose_changes(areas: pd.DataFrame, sizes: Sizes, rng: np.random.Generator) -> tuple[IntArray, IntArray, IntArray]:
    """Choose which areas change between censuses.

    Returns:
        Pairs of neighbours that were one LSOA in 2001 (one row a pair); the pair that is one LSOA in 2021; and, for
        each area, in how many parts it is in 2021. Of the LSOAs that splits add, one in five is from a split in three.
    """
    number = np.arange(len(areas))
    nearest = areas["nearest"].to_numpy()
    msoa = areas["msoa_code"].to_numpy()
    is_first = (number < nearest) & (number == nearest[nearest]) & (msoa == msoa[nearest])
    first = rng.permutation(np.flatnonzero(is_first))[: sizes.lsoa11 - sizes.lsoa01 + 1]
    pairs = np.column_stack([first, nearest[first]])
    added = sizes.lsoa21 - sizes.lsoa11 + 1
    in_three = added // 5
    split = rng.choice(np.setdiff1d(number, pairs), added - in_three, replace=False)
    parts = np.ones(len(areas), dtype=np.int64)
    parts[split] = 2
    parts[split[:in_three]] = 3
    return pairs[1:], pairs[0], parts


def _number_lsoas(parents: IntArray, merged: IntArray, parts: IntArray) -> pd.DataFrame:
    """Return the number of the LSOA that each piece is in, by census: that of its area, or a new one if it changed."""
    lsoa11 = np.repeat(np.arange(len(parts)), parts)
    lsoa01, lsoa21 = np.arange(len(parts)), lsoa11.copy()
    lsoa01[parents] = len(parts) + np.arange(len(parents))[:, None]
    is_split = parts[lsoa11] > 1
    lsoa21[is_split] = len(parts) + len(parents) + np.arange(is_split.sum())
    lsoa21[np.isin(lsoa11, merged)] = lsoa21.max() + 1
    return pd.DataFrame({"lsoa01": lsoa01[lsoa11], "lsoa11": lsoa11, "lsoa21": lsoa21})


def _name_lsoas(pieces: pd.DataFrame, numbers: pd.DataFrame) -> None:
    """Add code and name of each piece's LSOAs; a new LSOA has the next free letter of its neighbourhood."""
    known = pd.concat([pieces["msoa_name"].groupby(numbers[lsoa]).first() for lsoa in numbers])
    known = known[~known.index.duplicated()].sort_index()
    names = known + known.groupby(known).cumcount().map(lambda position: chr(ord("A") + position))
    for lsoa in numbers:
        pieces[f"{lsoa}_code"] = "E01" + (FIRST_CODE + numbers[lsoa]).astype(str)
        pieces[f"{lsoa}_name"] = numbers[lsoa].map(names)


def _add_latents(pieces: pd.DataFrame, rng: np.random.Generator) -> None:
    """Add LATENTS, drawn for each piece; they go together roughly as they do in English towns."""
    points = pieces[["x", "y"]].to_numpy()

    def draw(kilometres: float, smooth: float, noise: float) -> FloatArray:
        return smooth * _draw_field(points, kilometres, rng) + noise * rng.normal(size=len(points))

    codes = pieces["lad_code"].unique()
    of_district = pieces["lad_code"].map(dict(zip(codes, rng.normal(size=len(codes)), strict=True))).to_numpy()
    rural = _standardise(pieces.pop("log_m2").to_numpy())
    poor = _standardise(0.3 * of_district - 0.35 * rural + draw(3, 0.7, 0.5))
    old = _standardise(0.2 * rural + draw(3, 0.7, 0.5))
    renting = _standardise(0.25 * poor + 0.4 * old - 0.3 * rural + draw(2, 0.4, 0.5))
    electric = _standardise(0.3 * renting + 0.2 * rural + draw(4, 0.5, 0.6))
    for name, values in zip(LATENTS, (poor, rural, old, renting, electric), strict=True):
        pieces[name] = values


def _draw_field(points: FloatArray, kilometres: float, rng: np.random.Generator) -> FloatArray:
    """Draw a smooth random field at points in metres, by random Fourier features of a Gaussian kernel.

    Rahimi and Recht, "Random Features for Large-Scale Kernel Machines" (2007).
    """
    waves = rng.normal(0, 1 / (kilometres * 1_000), (2, 200))
    return _standardise(np.cos(points @ waves + rng.uniform(0, 2 * np.pi, 200)).sum(axis=1))


def _standardise(values: FloatArray) -> FloatArray:
    standard: FloatArray = (values - values.mean()) / values.std()
    return standard
