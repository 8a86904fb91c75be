"""Where people live: points in each small area, and how many of its people are of 16 to 24."""

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from councilbook.errors import CheckError, NotThereError, NotToldError
from councilbook.study import Study

Floats = NDArray[np.float64]
POSTCODES = "home_postcodes"
OUTLINES = "lsoa_boundaries"
AGES = ("population_by_age", "population_by_age_kent")
YOUNG = [f"people_{age}" for age in range(16, 25)]
POINTS = 12  # in an area; more change no figure that a page shows
PEOPLE = ["adults", "not_engaged_adults", "not_engaged_low", "not_engaged_high", "people_16_to_24"]
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

    def share_within(self, minutes: Floats, limit: float) -> Floats:
        """Return the share of each area's people (rows) that has each place (columns) within so many minutes."""
        shares: Floats = self.spread @ (minutes <= limit).astype("float64")
        return shares

    def thin(self, most: int) -> "Homes":
        """Keep fewer points of each area, at most so many of all where that leaves each area one."""
        each = max(1, most // len(self.centres))
        return gather_homes(self.points.groupby("lsoa21_code").head(each), self.centres["lsoa21_code"])

    def describe(self) -> str:
        """Say in a sentence where people are taken to live."""
        areas = len(self.centres)
        even = f"spread evenly over the outline of each area, at {POINTS} points"
        if not self.from_postcodes:
            return f"No list of postcodes is at hand, so people are taken to be {even}."
        first = f"People of an area are shared out evenly over up to {POINTS} of its postcodes"
        left = areas - self.from_postcodes
        return f"{first}." if not left else f"{first}; in {left} areas without a postcode they are {even}."


def gather_homes(points: pd.DataFrame, codes: "Sequence[str] | pd.Series[str]", from_postcodes: int = 0) -> Homes:
    """Put points together by area; each stands for an equal share of its area's people."""
    points = points.reset_index(drop=True)
    row = pd.Index(codes).get_indexer(pd.Index(points["lsoa21_code"]))
    counts = np.bincount(row, minlength=len(codes))
    spread = csr_array((1 / counts[row], (row, np.arange(len(points)))), shape=(len(codes), len(points)))
    middle = spread @ points[["latitude", "longitude"]].to_numpy()
    centres = pd.DataFrame(middle, columns=["latitude", "longitude"])
    centres.insert(0, "lsoa21_code", list(codes))
    return Homes(points, spread, centres, from_postcodes)


def read_outlines(study: Study) -> gpd.GeoDataFrame:
    """Read the outlines of the council's LSOAs of 2021.

    Raises:
        NotToldError: they are not there.
    """
    try:
        outlines = study.load(OUTLINES)
    except NotThereError:
        outlines = gpd.GeoDataFrame()
    if "lsoa21_code" not in outlines:
        raise NotToldError("There is no map of the small areas of 2021, so distances cannot be measured.")
    return outlines


def find_homes(study: Study, outlines: gpd.GeoDataFrame, codes: Sequence[str], rng: np.random.Generator) -> Homes:
    """Find where the people of areas live: at postcodes where a list has them, else spread over the outline.

    Args:
        study: which lists home_postcodes among its sources.
        outlines: of `read_outlines`.
        codes: the areas, in the order wanted.
        rng: which postcodes, and where in an outline.

    Raises:
        CheckError: an area has neither a postcode nor an outline.
    """
    try:
        listed = study.load(POSTCODES) if study.has(POSTCODES) else pd.DataFrame(columns=["lsoa21_code"])
    except NotThereError:  # the list was cut to other places
        listed = pd.DataFrame(columns=["lsoa21_code"])
    at_hand = listed[listed["lsoa21_code"].isin(codes)].sample(frac=1, random_state=rng)
    chosen = at_hand.groupby("lsoa21_code").head(POINTS)
    known = chosen["lsoa21_code"].nunique()
    left = outlines[outlines["lsoa21_code"].isin(set(codes) - set(chosen["lsoa21_code"]))]
    if missing := sorted(set(codes) - set(chosen["lsoa21_code"]) - set(left["lsoa21_code"])):
        raise CheckError(
            f"{len(missing)} areas with an estimate of engagement have no outline, as {', '.join(missing[:3])}; "
            "expected are the LSOAs of 2021."
        )
    parts = [chosen.reindex(columns=["lsoa21_code", "latitude", "longitude"])]
    if len(left):
        scattered = left.to_crs(27700).set_index("lsoa21_code").sample_points(POINTS, rng=rng).to_crs(4326).explode()
        even = {"lsoa21_code": scattered.index, "latitude": scattered.y, "longitude": scattered.x}
        parts.append(pd.DataFrame(even))
    parts = [one for one in parts if len(one)]
    return gather_homes(pd.concat(parts, ignore_index=True), codes, known)


def count_young(study: Study, areas: pd.DataFrame) -> "pd.Series[float]":
    """Count people of 16 to 24 by LSOA of 2021.

    The estimates are by LSOA of 2011. What was split is shared out by adults; what was merged is added up.

    Args:
        study: which lists AGES among its sources.
        areas: lsoa21_code, adults; in the order wanted.

    Returns:
        People by area; missing everywhere where no list of ages has this council.
    """
    for source in AGES:
        try:
            ages = study.load(source) if study.has(source) else None
        except NotThereError:
            continue
        if ages is not None:
            return _share_out(ages.set_index("lsoa11_code")[YOUNG].sum(axis=1), study.place.lookup, areas)
    return pd.Series(np.nan, index=areas.index)


def _share_out(young: "pd.Series[float]", lookup: pd.DataFrame, areas: pd.DataFrame) -> "pd.Series[float]":
    pairs = lookup.assign(adults=lookup["lsoa21_code"].map(areas.set_index("lsoa21_code")["adults"]).fillna(0))
    part = pairs["adults"] / pairs.groupby("lsoa11_code")["adults"].transform("sum")
    shared = (pairs["lsoa11_code"].map(young) * part).groupby(pairs["lsoa21_code"]).sum(min_count=1)
    return areas["lsoa21_code"].map(shared)


def count_people(study: Study, engagement: pd.DataFrame) -> pd.DataFrame:
    """Put together who lives in each area, in the order of codes.

    Args:
        study: of `count_young`.
        engagement: the dataset culture_engagement.

    Returns:
        lsoa21_code, lsoa21_name, engaged_pct, engaged_low_pct, engaged_high_pct, and PEOPLE; the ends of
        not_engaged are what it is if all areas err the same way.

    Raises:
        NotToldError: there are too few areas to compare.
    """
    areas = engagement.sort_values("lsoa21_code").reset_index(drop=True)
    if len(areas) < FEWEST_AREAS:
        raise NotToldError("The council has too few small areas to compare high and low engagement.")
    ends = {"not_engaged_low": "engaged_high_pct", "not_engaged_high": "engaged_low_pct"}
    for name, share in ends.items():
        areas[name] = areas["adults"] * (1 - areas[share] / 100)
    areas["people_16_to_24"] = count_young(study, areas)
    kept = ["lsoa21_code", "lsoa21_name", "engaged_pct", "engaged_low_pct", "engaged_high_pct", *PEOPLE]
    return areas[kept].astype(dict.fromkeys(PEOPLE, "float64"))
