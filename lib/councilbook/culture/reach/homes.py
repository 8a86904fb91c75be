"""Where people live: points in each small area, and how many of its people are of 16 to 24."""

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from councilbook.errors import CheckError, NotToldError
from councilbook.pages.html.wording import count_things
from councilbook.study import Study

Floats = NDArray[np.float64]
POSTCODES, OUTLINES, NAMES = "home_postcodes", "lsoa_boundaries", "msoa_names"
AGES = ("population_by_age", "population_by_age_kent")
YOUNG = [f"people_{age}" for age in range(16, 25)]
POINTS = 12  # in an area
PEOPLE = ["adults", "not_engaged_adults", "not_engaged_low", "not_engaged_high", "people_16_to_24"]
ENGAGED = ["engaged_low_pct", "engaged_pct", "engaged_high_pct"]
FEWEST_AREAS = 9  # of which thirds can be made


@dataclass(frozen=True)
class Homes:
    """Points at which people live.

    Attributes:
        points: a row a point: lsoa21_code, latitude, longitude.
        spread: a row an area, a column a point: the share of the area's people that the point stands for.
        centres: a row an area, in its order: lsoa21_code, and the mean latitude and longitude of its points.
        from_postcodes: areas whose points are postcodes; those of the others are spread evenly over the outline.
    """

    points: pd.DataFrame
    spread: csr_array
    centres: pd.DataFrame
    from_postcodes: int

    def share_within(self, ways: Floats, limit: float) -> Floats:
        """Return the share of each area's people (rows) who have each place (columns) within a limit.

        Args:
            ways: a row a point, a column a place, in the unit of the limit.
            limit: longest way.
        """
        shares: Floats = self.spread @ (ways <= limit).astype("float64")
        return shares

    def describe(self) -> str:
        """Say in a sentence where people are taken to live."""
        even = f"spread evenly over the outline of each area, at {POINTS} points"
        if not self.from_postcodes:
            return f"No list of postcodes is at hand, so people are taken to be {even}."
        first = f"People of an area are shared out evenly over up to {POINTS} of its postcodes"
        left = len(self.centres) - self.from_postcodes
        return f"{first}; in {count_things(left, 'area')} without a postcode they are {even}." if left else f"{first}."


def gather_homes(points: pd.DataFrame, codes: Sequence[str], from_postcodes: int = 0) -> Homes:
    """Put points together by area; each stands for an equal share of its area's people."""
    row = pd.Index(codes).get_indexer(pd.Index(points["lsoa21_code"]))
    counts = np.bincount(row, minlength=len(codes))
    spread = csr_array((1 / counts[row], (row, np.arange(len(points)))), shape=(len(codes), len(points)))
    latitude, longitude = (spread @ points[["latitude", "longitude"]].to_numpy()).T
    centres = pd.DataFrame({"lsoa21_code": list(codes), "latitude": latitude, "longitude": longitude})
    return Homes(points.reset_index(drop=True), spread, centres, from_postcodes)


def read_outlines(study: Study) -> gpd.GeoDataFrame:
    """Read the outlines of the council's LSOAs of 2021.

    Raises:
        NotToldError: they are not there.
    """
    outlines = study.load(OUTLINES) if study.has(OUTLINES) else gpd.GeoDataFrame()
    if "lsoa21_code" not in outlines:
        raise NotToldError(
            "There is no map of this council's small areas of 2021, so no way to a venue can be measured."
        )
    return outlines


def find_homes(study: Study, outlines: gpd.GeoDataFrame, codes: Sequence[str], rng: np.random.Generator) -> Homes:
    """Find where the people of areas live: at postcodes where a list has them, else spread over the outline.

    Raises:
        CheckError: an area has neither a postcode nor an outline.
    """
    chosen = pd.DataFrame(columns=["lsoa21_code", "latitude", "longitude"])
    if study.has(POSTCODES):
        listed = study.load(POSTCODES)[[*chosen]]
        shuffled = listed[listed["lsoa21_code"].isin(codes)].sample(frac=1, random_state=rng)
        chosen = shuffled.groupby("lsoa21_code").head(POINTS)
    left = outlines[outlines["lsoa21_code"].isin(set(codes) - set(chosen["lsoa21_code"]))]
    if missing := sorted(set(codes) - set(chosen["lsoa21_code"]) - set(left["lsoa21_code"])):
        raise CheckError(
            f"{len(missing)} areas with an estimate of engagement have no outline, as {', '.join(missing[:3])}; "
            "expected are the LSOAs of 2021."
        )
    spots = left.to_crs(27700).set_index("lsoa21_code").sample_points(POINTS, rng=rng).to_crs(4326).explode()
    even = pd.DataFrame({"lsoa21_code": spots.index, "latitude": spots.y, "longitude": spots.x})
    parts = [one for one in (chosen, even) if len(one)]
    return gather_homes(pd.concat(parts), codes, chosen["lsoa21_code"].nunique())


def share_young(young: "pd.Series[float]", lookup: pd.DataFrame, adults: "pd.Series[float]") -> "pd.Series[float]":
    """Bring people by LSOA of 2011 to those of 2021: what was split is shared out by adults, what was merged added up.

    Args:
        young: people, by LSOA of 2011.
        lookup: lsoa11_code, lsoa21_code.
        adults: by LSOA of 2021.
    """
    weight = lookup["lsoa21_code"].map(adults).fillna(0)
    part = weight / weight.groupby(lookup["lsoa11_code"]).transform("sum")
    return (lookup["lsoa11_code"].map(young) * part).groupby(lookup["lsoa21_code"]).sum(min_count=1)


def load_neighbourhoods(study: Study) -> dict[str, str]:
    """Load what people call each neighbourhood, by the name of its MSOA; nothing where no list is here."""
    return dict(study.load(NAMES)[["msoa21_name", "neighbourhood"]].to_numpy()) if study.has(NAMES) else {}


def count_people(study: Study, engagement: pd.DataFrame) -> pd.DataFrame:
    """Put together who lives in each area, in the order of codes.

    Args:
        study: which lists AGES among its sources; where none has the council, nobody of 16 to 24 is known.
        engagement: the dataset culture_engagement.

    Returns:
        lsoa21_code, lsoa21_name (with what people call the place), ENGAGED and PEOPLE; the ends of not_engaged are
        those if all areas err the same way.

    Raises:
        NotToldError: there are too few areas to compare.
    """
    areas = engagement.sort_values("lsoa21_code").reset_index(drop=True)
    if len(areas) < FEWEST_AREAS:
        raise NotToldError("The council has too few small areas to compare those of high and of low engagement.")
    for name, share in {"not_engaged_low": "engaged_high_pct", "not_engaged_high": "engaged_low_pct"}.items():
        areas[name] = areas["adults"] * (1 - areas[share] / 100)
    if called := load_neighbourhoods(study):
        around = areas["lsoa21_name"].str.rstrip(ascii_uppercase).map(called)
        areas["lsoa21_name"] += (" in " + around).fillna("")
    areas["people_16_to_24"] = np.nan
    for source in filter(study.has, AGES):
        young = study.load(source).set_index("lsoa11_code")[YOUNG].sum(axis=1)
        shared = share_young(young, study.place.lookup, areas.set_index("lsoa21_code")["adults"])
        areas["people_16_to_24"] = areas["lsoa21_code"].map(shared)
    return areas[["lsoa21_code", "lsoa21_name", *ENGAGED, *PEOPLE]].astype(dict.fromkeys(PEOPLE, "float64"))
