"""Synthetic twins of the fuel poverty study's own sources.

Layouts follow the publisher's workbooks of the data for 2011 to 2024 (DECC, BEIS, DESNZ). Of their sheets the twins
have the title, the contents, the table by district and the table by LSOA. The national series of measures has the
layout of the cleaned file that the catalogue describes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit

from councilbook.catalogue import Source, TwinRequest
from councilbook.errors import CatalogueError
from councilbook.methods.sharing import share_out
from councilbook.twins.places import (
    SYNTHETIC_NOTE,
    FloatArray,
    IntArray,
    SyntheticPlace,
    make_place,
    write_csv,
    write_workbook,
)

Row = Sequence[object]

FIRST_LILEE_YEAR = 2019
# What one standard deviation of each quantity adds to the log odds of fuel poverty. By LIHC, homes that cost much to
# heat count most; by LILEE, low incomes do, as in the published estimates.
LIHC_EFFECTS = {"deprivation": 0.14, "older_homes": 0.20, "private_renting": 0.16, "rurality": 0.08}
LILEE_EFFECTS = {"deprivation": 0.22, "older_homes": 0.16, "private_renting": 0.16, "rurality": 0.04}
# Standard deviations, in log odds, of what no table tells: by district, smooth in space, by area, and by area and year.
DISTRICT, SMOOTH, AREA, AREA_YEAR = 0.06, 0.10, 0.11, 0.12

REGION = "Synthetic Region"
REGION_CODE = "E12999999"
COUNTY = "Synthetic County"
COUNTY_CODES = {"E07": "E10999999", "E08": "E11999999", "E09": "E13999999"}  # of the counties that have such districts

CODES_NOTE = (
    "1 The geographies are based on {} geography codes. More information on geography code changes can be found at the "
    "ONS website:"
)
CODES_LINK = "https://www.ons.gov.uk/methodology/geography/ukgeographies"
CAUTION_NOTE = (
    "Estimates of fuel poverty at Lower Super Output Area (LSOA) should be treated with caution. They should not be "
    "used to identify trends over time within an LSOA, or to compare LSOAs with similar fuel poverty levels."
)
OLD_NOTES = (CODES_NOTE.format("pre-2012"), CODES_LINK)


@dataclass(frozen=True)
class Layout:
    """How a year's workbook looks, beyond what the catalogue says of it.

    Attributes:
        front: Name of the first sheet.
        contents: Name of the second, which lists the tables; None if there is none.
        district_title, lsoa_title: First row of each table; {year} is the year of the data.
        district: First headers of the district table; None is a cell without text.
        lad: Headers of the district's code and name in the LSOA table.
        region: The header after them.
        households, fuel_poor, share: The last three headers of both tables.
        whole: What the share is of: 100 for a percentage, 1 for a fraction.
        decimals: Of the share; None if it is not rounded.
        order: LSOAs are sorted by it.
        stray: Whether the word England stands under the last column.
        notes: Lines after the data.
    """

    front: str = "Title"
    contents: str | None = "Index"
    district_title: str = "2. Fuel Poverty by Local Authority"
    lsoa_title: str = "3. Fuel Poverty by LSOA"
    district: tuple[str | None, ...] = ("LA Code", "LA Name", "Region")
    lad: tuple[str, str] = ("LA Code", "LA Name")
    region: str = "Region"
    households: str = "Estimated number of households"
    fuel_poor: str = "Estimated number of Fuel Poor Households"
    share: str = "Proportion of households fuel poor (%)"
    whole: int = 100
    decimals: int | None = 1
    order: str = "lsoa_code"
    stray: bool = False
    notes: tuple[str, ...] = ()


_2011 = Layout(
    front="Supporting information",
    contents=None,
    district_title="Fuel Poverty in Local Authorities",
    lsoa_title="Fuel Poverty in LSOAs",
    district=("LA Code", "LA Name", "English region"),
    region="English Region",
    households="All Households",
    fuel_poor="Fuel Poor Households",
    share="Percent Fuel Poor",
    whole=1,
    decimals=3,
)
_2012 = Layout()
_2013 = replace(_2012, order="lsoa_name")
_2015 = replace(
    _2013,
    district_title="Table 2: Fuel Poverty by Local Authority1, {year}",
    lsoa_title="Table 3: Fuel Poverty by LSOA1, {year}",
    fuel_poor="Estimated number of fuel poor households",
    decimals=None,
    notes=OLD_NOTES,
)
_2016 = replace(_2015, decimals=1, stray=True)
_2017 = replace(_2016, order="lsoa_code")
_2018 = replace(
    _2017,
    contents="Contents",
    households="Number of households1",
    fuel_poor="Number of households in fuel poverty1",
    notes=(*OLD_NOTES, CAUTION_NOTE),
)
_2019 = replace(
    _2018,
    district_title="Table 2: Fuel Poverty by Administrative Area, {year}",
    district=("Area Codes", "Area name", None, None),
    decimals=None,
    notes=(CODES_NOTE.format("April 2020"), CODES_LINK, CAUTION_NOTE),
)
_2020 = replace(
    _2019,
    district_title="Table 2: Fuel poor households by administrative area, {year} [Notes 3 and 4]",
    lsoa_title="Table 3: Fuel Poverty by LSOA [Note A], {year} [Notes 3 and 4]",
    district=("Area Codes", "Area names ", None, None),
    households="Number of households",
    fuel_poor="Number of households in fuel poverty",
    notes=(f"Note A: {CAUTION_NOTE}", "Back to contents"),
)
_2021 = replace(
    _2020,
    district_title="Table 2: Fuel poor households by administrative area [Notes 3 and 4], {year}",
    lsoa_title="Table 3: Fuel Poverty by LSOA [Notes 4 and 6], {year}",
    district=("Area Codes [Note 4]", "Area names ", None, None),
    stray=False,
    notes=("Back to contents",),
)
_2022 = replace(_2021, district=_2020.district, order="lsoa_name", stray=True)
_2023 = replace(
    _2022,
    district_title="Table 2: Fuel poor households in England by Local Authority, {year}",
    lsoa_title="Table 4: Fuel Poverty in England by Lower layer Super Output Area (LSOA), {year}",
    district=("Local Authority code", "Nation or Region", "County or Unitary Authority", "Local Authority District"),
    lad=("Local Authority Code", "Local Authority Name"),
    decimals=2,
    order="lsoa_code",
)
_2024 = replace(
    _2023,
    district_title="Table 2: Fuel Poverty in England by Local Authority [Notes 3 and 4], {year}",
    lsoa_title="Table 4: Fuel Poverty in England by Lower layer Super Output Area (LSOA) [Notes 4 and 6], {year}",
    district=("Local Authority code [Note 4]", *_2023.district[1:]),
    decimals=None,
)
LAYOUTS = dict(enumerate((_2011, _2012, _2013, _2013, _2015, _2016, _2017, _2018, _2019, _2020, _2021), 2011))
LAYOUTS |= {2022: _2022, 2023: _2023, 2024: _2024}


@dataclass(frozen=True)
class Totals:
    """Households, and those of them in fuel poverty."""

    households: int
    fuel_poor: int


def sub_regional_workbook(source: Source, request: TwinRequest) -> bytes:
    """Make one year's workbook of sub-regional fuel poverty, in the layout that the publisher gave it that year.

    It adds up to the published totals of the council where the catalogue cites them. Elsewhere England's published
    share of fuel-poor households is applied to the place's own. A district is the exact sum of its LSOAs.

    Raises:
        CatalogueError: the source is of no year whose layout is known, or lacks what the twin is fitted to.
    """
    table = source.table("lsoa")
    year, vintage = source.edition, table.areas.vintage if table.areas else None
    if year not in LAYOUTS or vintage is None:
        known = f"{min(LAYOUTS)} to {max(LAYOUTS)}"
        raise CatalogueError(f"Source {source.id}: its twin needs an edition of {known} and the vintage of its LSOAs.")
    layout = LAYOUTS[year]
    england = _published_totals(source, "england", year)
    if england is None:
        raise CatalogueError(f"Source {source.id}: its twin needs England's totals of {year}.")

    place = make_place(request.council, request.seed)
    areas = place.make_areas(vintage, year, propensity=_draw_propensity(place, year))
    totals = _published_totals(source, request.council.slug, year)
    if totals is None:
        households = round(areas["households"].sum())
        totals = Totals(households, round(households * england.fuel_poor / england.households))
    areas["households"] = share_out(totals.households, areas["households"].to_numpy())
    areas["fuel_poor"] = _share_fuel_poor(
        totals.fuel_poor, areas["households"].to_numpy(), areas["propensity"].to_numpy()
    )
    if vintage == 2001:
        areas["lad_code"] = areas["lad_code"].map(_make_old_codes(place))

    sheets = _write_front(layout, year)
    for name, title, rows in (
        ("district", layout.district_title, _write_districts(layout, areas, england)),
        ("lsoa", layout.lsoa_title, _write_lsoas(layout, areas)),
    ):
        table = source.table(name)
        blank: list[Row] = [[]] * (table.header_row - 2)
        sheets[str(table.sheet)] = [[title.format(year=year)], *blank, *rows, *_write_notes(layout, len(rows[0]))]
    return write_workbook(sheets)


def _published_totals(source: Source, place: str, year: int) -> Totals | None:
    totals = source.twin.totals.get(place, {}).get(year) if source.twin else None
    return Totals(totals["households"], totals["fuel_poor_households"]) if totals else None


def _draw_propensity(place: SyntheticPlace, year: int) -> FloatArray:
    """Draw the log odds of fuel poverty of each piece of a place in a year, about 0.

    What lasts is drawn once for all years, so that areas keep much of their rank from year to year.
    """
    effects = LIHC_EFFECTS if year < FIRST_LILEE_YEAR else LILEE_EFFECTS
    of_district = place.stream("fuel poverty by district").normal(0, DISTRICT, len(place.districts))
    propensity = place.pieces["lad_code"].map(dict(zip(place.districts, of_district, strict=True))).to_numpy(float)
    propensity = propensity + SMOOTH * place.draw_field("fuel poverty", kilometres=5)
    propensity += place.stream("fuel poverty by area").normal(0, AREA, len(propensity))
    propensity += place.stream(f"fuel poverty in {year}").normal(0, AREA_YEAR, len(propensity))
    for latent, effect in effects.items():
        propensity += effect * place.pieces[latent].to_numpy()
    return propensity


def _share_fuel_poor(total: int, households: IntArray, propensity: FloatArray) -> IntArray:
    """Share out fuel-poor households over areas, never more than an area has households."""

    def expect(level: float) -> FloatArray:
        expected: FloatArray = households * expit(level + propensity)
        return expected

    level = brentq(lambda level: expect(level).sum() - total, -20, 20)
    return share_out(total, expect(level))


def _make_old_codes(place: SyntheticPlace) -> dict[str, str]:
    """Return a four-character code for each district, as they were before 2011; no real one begins with 99."""
    return {code: f"99{chr(65 + i // 26)}{chr(65 + i % 26)}" for i, code in enumerate(sorted(place.districts))}


def _write_front(layout: Layout, year: int) -> dict[str, list[Row]]:
    """Write the sheets before the tables."""
    measure = "Low Income High Costs (LIHC)" if year < FIRST_LILEE_YEAR else "Low Income Low Energy Efficiency (LILEE)"
    lines = ["Sub-regional Fuel Poverty", "England", f"({year} data)", f"{measure} definition", SYNTHETIC_NOTE]
    sheets: dict[str, list[Row]] = {layout.front: [*[[]] * 8, *([None, None, line] for line in lines)]}
    if layout.contents:
        tables = [("Local Authority", "Table 2"), ("LSOA", "Table 4" if "Table 4" in layout.lsoa_title else "Table 3")]
        rows = [[None, kind, f"Fuel Poverty by {kind}, {year}", table] for kind, table in tables]
        sheets[layout.contents] = [*[[]] * 9, *rows]
    return sheets


def _write_lsoas(layout: Layout, areas: pd.DataFrame) -> list[Row]:
    """Write header and rows of the LSOA table."""
    areas = areas.sort_values(layout.order).assign(region=REGION)
    columns = ["lsoa_code", "lsoa_name", "lad_code", "lad_name", "region", "households", "fuel_poor"]
    header = ("LSOA Code", "LSOA Name", *layout.lad, layout.region)
    return _write_rows(layout, header, areas[columns].itertuples(index=False, name=None))


def _write_districts(layout: Layout, areas: pd.DataFrame, england: Totals) -> list[Row]:
    """Write header and rows of the district table."""
    districts = areas.groupby(["lad_code", "lad_name"])[["households", "fuel_poor"]].sum().reset_index()
    if len(layout.district) > 3:
        return _write_rows(layout, layout.district, _mix_districts(districts, england))
    districts.insert(2, "region", REGION)
    return _write_rows(layout, layout.district, districts.itertuples(index=False, name=None))


def _mix_districts(districts: pd.DataFrame, england: Totals) -> Iterator[tuple[Any, ...]]:
    """Yield districts as they stand since 2019: among England, region and counties, names spread over three columns."""
    figures = ["households", "fuel_poor"]
    yield ("E92000001", "ENGLAND", None, None, england.households, england.fuel_poor)
    yield (REGION_CODE, REGION.upper(), None, None, *districts[figures].sum())
    county = districts["lad_code"].str[:3].map(COUNTY_CODES)
    for code, name, *counts in districts[county.isna()].itertuples(index=False, name=None):
        yield (code, None, name, None, *counts)
    for county_code, members in districts.groupby(county):
        yield (county_code, None, COUNTY, None, *members[figures].sum())
        for code, name, *counts in members.itertuples(index=False, name=None):
            yield (code, None, None, name, *counts)


def _write_rows(layout: Layout, header: Row, rows: Iterable[tuple[Any, ...]]) -> list[Row]:
    """Add the share to rows that end in households and those in fuel poverty, and put the header above."""
    table: list[Row] = [(*header, layout.households, layout.fuel_poor, layout.share)]
    for row in rows:
        households, fuel_poor = row[-2:]
        share = layout.whole * fuel_poor / households
        table.append((*row, share if layout.decimals is None else round(share, layout.decimals)))
    return table


def _write_notes(layout: Layout, columns: int) -> list[Row]:
    """Write what follows the data."""
    stray: Row = [*[None] * (columns - 1), "England"] if layout.stray else []
    return [stray, [], *([line] for line in layout.notes), [], [SYNTHETIC_NOTE]]


# First and last month of each scheme as published; and the size of a month's measures, which are invented.
SCHEME_MONTHS = {
    "ECO": ("2013-01", "2022-03", 30_000),
    "Cashback": ("2013-01", "2014-10", 900),
    "Green Deal Finance Plans": ("2013-01", "2022-03", 60),
    "Green Deal Home Improvement Fund ": ("2014-03", "2016-05", 1_700),
    "Green Deal Communities": ("2014-04", "2016-11", 600),
}


def national_measures(source: Source, request: TwinRequest) -> bytes:  # noqa: ARG001 (every twin takes its source)
    """Make the national series of measures by month and scheme, the same whatever the council."""
    random = np.random.default_rng([request.seed, *b"national measures"])
    months = pd.period_range(*SCHEME_MONTHS["ECO"][:2], freq="M")
    table = pd.DataFrame({"Installation month": months.strftime("01/%m/%Y")}, index=months)
    for scheme, (first, last, size) in SCHEME_MONTHS.items():
        runs = (months >= pd.Period(first)) & (months <= pd.Period(last))
        waves = np.exp(0.4 * np.sin(np.arange(len(months)) / 9) + random.normal(0, 0.25, len(months)))
        table[scheme] = pd.Series(np.round(size * waves), months).where(runs).astype("Int64")
    table["Total number of measures installed"] = table[list(SCHEME_MONTHS)].sum(axis="columns")
    return write_csv(table)
