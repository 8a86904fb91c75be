"""Segments: which of a council's areas are alike, in plain words, and where high or low values lie side by side."""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
from esda import G_Local, fdr
from libpysal.weights import Queen
from numpy.typing import NDArray
from scipy.stats import norm
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score

from councilbook.catalogue.councils import join_names

Floats = NDArray[np.float64]

INDICATORS = {  # of an area's people or homes; who somebody is by ethnicity or birth is not among them
    "degree_pct": "degrees",
    "no_qualification_pct": "people without qualifications",
    "professional_pct": "managers and professionals",
    "routine_pct": "routine and semi-routine jobs",
    "student_pct": "full-time students",
    "social_rented_pct": "social housing",
    "private_rented_pct": "homes rented privately",
    "owned_outright_pct": "homes owned outright",
    "car_pct": "homes with a car",
    "disabled_pct": "disabled people",
    "deprivation_pct": "deprivation",
}
UNCOUNTED = {"deprivation", "social housing"}
CLUSTERS = range(3, 8)
FEWEST_AREAS = 30
WHOLE = "All areas of the council"
LEAST_SHARE = 0.05  # of the areas, in the smallest segment
AS_STABLE = 0.05  # of the adjusted Rand index, within the noise of BOOTSTRAPS
BOOTSTRAPS, STARTS = 40, 10
WAYS = 2  # in which areas differ most (principal components): with all of them, segments are less stable
ALIKE = 0.75  # correlation of two indicators that say the same
FALSE_DISCOVERIES = 0.05
SPOTS = ["lsoa21_code", "value_pct", "neighbours", "z_score", "p_value", "spot", "is_raw_spot", "is_spot"]


def try_clusters(indicators: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Try how stable each number of segments is: areas are drawn anew, and all areas are sorted by what is found.

    Hubert and Arabie 1985, "Comparing partitions", Journal of Classification 2.

    Args:
        indicators: a row an area, columns of INDICATORS.

    Returns:
        segments, adjusted_rand (mean over BOOTSTRAPS), adjusted_rand_low (a tenth is below), smallest_areas, chosen:
        the most segments that are as stable as the best, and not tiny.

    A council of too few areas is one segment, whose index is missing.
    """
    columns = ["segments", "adjusted_rand", "adjusted_rand_low", "smallest_areas"]
    if len(indicators) < FEWEST_AREAS:
        return pd.DataFrame([(1, np.nan, np.nan, len(indicators))], columns=columns).assign(chosen=True)
    values, rng, rows = _project(_standardise(indicators)), np.random.default_rng(seed), []
    for number in CLUSTERS:
        labels = _cluster(values, number, seed).labels_
        again = [
            adjusted_rand_score(labels, _cluster(values[drawn], number, seed).predict(values))
            for drawn in rng.integers(0, len(values), (BOOTSTRAPS, len(values)))
        ]
        rows.append((number, np.mean(again), np.quantile(again, 0.1), np.bincount(labels).min()))
    tried = pd.DataFrame(rows, columns=columns)
    large = tried["smallest_areas"] >= LEAST_SHARE * len(values)
    stable = tried[large & (tried["adjusted_rand"] >= tried["adjusted_rand"][large].max() - AS_STABLE)]
    best = stable["segments"].max() if len(stable) else CLUSTERS[0]
    return tried.assign(chosen=tried["segments"].eq(best))


def make_segments(indicators: pd.DataFrame, number: int, seed: int) -> pd.Series:
    """Sort areas into segments, named by what sets each apart from all areas of the council.

    Args:
        indicators: by lsoa21_code, columns of INDICATORS.

    Returns:
        The name of each area's segment, by lsoa21_code.
    """
    if number == 1:
        return pd.Series(WHOLE, indicators.index, name="segment")
    values = _standardise(indicators)
    labels = _cluster(_project(values), number, seed).labels_
    alike: Floats = np.abs(np.nan_to_num(np.corrcoef(values.T)))
    names: dict[int, str] = {}
    for label in pd.Series(labels).value_counts().index:
        for most in range(2, len(INDICATORS) + 1):
            name = _name_segment(values[labels == label].mean(axis=0), alike, list(map(str, indicators)), most)
            if name not in names.values():
                break
        names[label] = name
    return pd.Series(labels, indicators.index).map(names).rename("segment")


def describe_segments(segments: pd.Series, indicators: pd.DataFrame, adults: pd.Series) -> pd.DataFrame:
    """Describe segments beside the whole council.

    Returns:
        segment, indicator, areas, adults, share_pct (mean of its areas), council_pct.
    """
    by = indicators.groupby(segments)
    shares = by.mean().reset_index(names="segment").melt("segment", var_name="indicator", value_name="share_pct")
    sizes = pd.DataFrame({"areas": by.size(), "adults": adults.groupby(segments).sum()})
    shares["council_pct"] = shares["indicator"].map(indicators.mean())
    shares["indicator"] = shares["indicator"].map(INDICATORS)
    return shares.join(sizes, on="segment")


def find_hotspots(outlines: gpd.GeoDataFrame | None, values: pd.DataFrame) -> pd.DataFrame:
    """Find areas that are high, with their neighbours, or low, beyond chance.

    G* of Ord and Getis 1995, Geographical Analysis 27(4), by its normal approximation, two-sided; false discovery rate
    of Benjamini and Hochberg 1995 after Caldas de Castro and Singer 2006, Geographical Analysis 38(2).

    Args:
        outlines: lsoa21_code and polygons; neighbours share a border or a corner. None: there are none.
        values: lsoa21_code, value_pct.

    Returns:
        SPOTS: spot is hot or cold; is_raw_spot says that p is below 0.05, is_spot that it is after the false discovery
        rate. Without a row where nothing can be found: no outlines of 2021, too few areas, or one value everywhere.
    """
    known = values[["lsoa21_code", "value_pct"]].dropna()
    if outlines is not None and "lsoa21_code" in outlines:
        known = outlines[["lsoa21_code", "geometry"]].merge(known, on="lsoa21_code")
    if "geometry" not in known or len(known) < FEWEST_AREAS or known["value_pct"].nunique() < 2:
        return pd.DataFrame(columns=SPOTS)
    near = Queen.from_dataframe(known, use_index=False, silence_warnings=True)
    star = G_Local(known["value_pct"].to_numpy(float), near, transform="B", permutations=0, star=True)
    found = pd.DataFrame(known[["lsoa21_code", "value_pct"]])
    found["neighbours"], found["z_score"] = list(near.cardinalities.values()), star.Zs
    found["p_value"] = 2 * norm.sf(np.abs(star.Zs))
    found["spot"] = np.where(star.Zs > 0, "hot", "cold")
    found["is_raw_spot"] = found["p_value"] <= FALSE_DISCOVERIES
    return found.assign(is_spot=found["p_value"] <= fdr(found["p_value"].to_numpy(), FALSE_DISCOVERIES))[SPOTS]


def _standardise(indicators: pd.DataFrame) -> Floats:
    """Bring indicators to one scale; one that is the same everywhere counts for nothing."""
    spread = indicators.std(ddof=0).replace(0, np.inf)
    values: Floats = ((indicators - indicators.mean()) / spread).to_numpy(float)
    return values


def _project(values: Floats) -> Floats:
    ways: Floats = PCA(min(WAYS, values.shape[1]), svd_solver="full").fit_transform(values)
    return ways


def _cluster(ways: Floats, number: int, seed: int) -> KMeans:
    return KMeans(number, n_init=STARTS, random_state=seed).fit(ways)


def _name_segment(centre: Floats, alike: Floats, columns: Sequence[str], most: int) -> str:
    """Name a centre by its largest differences; of two indicators that say the same, by the larger alone."""
    chosen: list[int] = []
    for one in np.argsort(-np.abs(centre), kind="stable"):
        if all(alike[one, other] < ALIKE for other in chosen):
            chosen.append(int(one))
    words = []
    for one in chosen[:most]:
        what = INDICATORS[columns[one]]
        words.append(f"{'more' if centre[one] > 0 else 'less' if what in UNCOUNTED else 'fewer'} {what}")
    return join_names(words).capitalize()
