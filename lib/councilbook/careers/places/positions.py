"""Where schools, colleges and homes are: by postcode, written in whatever way, and by the grid of the register."""

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from councilbook.errors import NotThereError
from councilbook.study import Study

GRID = "EPSG:27700"
OWN_POINTS = ("postcode_points", "postcode_points_beyond")  # a council may reach into a second postcode area
DIRECTORY = "postcode_directory"
NEIGHBOURS = 3  # other places of the same authority, of which the third nearest says whether a place is astray
ASTRAY_METRES = 20_000.0  # Kielder, England's loneliest school, has them within 23 km; secondary ones within 18


def squeeze(postcodes: "pd.Series[str]") -> "pd.Series[str]":
    """Return postcodes without spaces and in capitals, as DN11AA: publishers write them with one, none or two."""
    return postcodes.str.replace(r"\s+", "", regex=True).str.upper()


def space(postcodes: "pd.Series[str]") -> "pd.Series[str]":
    """Return postcodes with one space, as DN1 1AA."""
    return squeeze(postcodes).str.replace(r"(?=.{3}$)", " ", n=1, regex=True)


def find_points(postcodes: "pd.Series[str]", points: pd.DataFrame) -> pd.DataFrame:
    """Find where postcodes are.

    Args:
        postcodes: in any spacing.
        points: postcode, latitude, longitude (WGS84); the last two missing where nobody knows.

    Returns:
        latitude and longitude, in the order and with the index of the postcodes; missing where not known.
    """
    known = points.assign(postcode=squeeze(points["postcode"])).drop_duplicates("postcode").set_index("postcode")
    found = known[["latitude", "longitude"]].reindex(squeeze(postcodes))
    return found.set_axis(postcodes.index)


def find_astray(latitude: "pd.Series[float]", longitude: "pd.Series[float]") -> "pd.Series[bool]":
    """Tell which places of one authority lie so far from all others that they cannot be in it.

    A place with a head office's postcode is as far as London. The third nearest other place decides, so that two
    wrong ones do not vouch for each other.
    """
    places = gpd.GeoSeries.from_xy(longitude, latitude, index=latitude.index, crs=4326).to_crs(GRID)
    known = places[latitude.notna()]
    is_astray = pd.Series(data=False, index=latitude.index)
    if len(known) > NEIGHBOURS:
        xy = np.column_stack([known.x, known.y])
        far = cKDTree(xy).query(xy, k=[NEIGHBOURS + 1])[0][:, 0]
        is_astray.loc[known.index[far > ASTRAY_METRES]] = True
    return is_astray


def find_postcodes(study: Study) -> pd.DataFrame:
    """Return where a council's own postcodes are, for a journey to begin at.

    They come from the council's files of postcode points, cut to its outline; else from the national directory of
    postcodes, which says the small area that each lies in.

    Args:
        study: whose notebook lists postcode_points, postcode_points_beyond, council_outline and postcode_directory.

    Returns:
        postcode (with a space), latitude, longitude (WGS84), in order of postcode; `attrs["notes"]` says how many
        postcodes have no coordinate, and how many were cut off. No row where no file of the council's is here.
    """
    files = [study.load(name) for name in OWN_POINTS if study.has(name)]
    if files and study.has("council_outline"):
        outlines = study.load("council_outline")
        own = outlines["area_code"].isin(study.finder.council.codes)  # a file of several councils, or of small areas
        return cut_postcodes(files, outlines[own] if own.any() else outlines)
    try:
        found = study.load(DIRECTORY)
    except NotThereError:
        found = pd.DataFrame(columns=["postcode", "latitude", "longitude"])
    return _tidy(found)


def cut_postcodes(files: list[pd.DataFrame], outlines: gpd.GeoDataFrame) -> pd.DataFrame:
    """Keep the postcodes that lie within an outline; see `find_postcodes`.

    Args:
        files: tables of postcode, latitude, longitude.
        outlines: areas that make up the council, in WGS84.
    """
    points = pd.concat(files, ignore_index=True)
    blank = points["latitude"].isna() | points["longitude"].isna()
    known = points[~blank]
    places = gpd.GeoSeries.from_xy(known["longitude"], known["latitude"], index=known.index, crs=4326)
    inside = places.within(outlines.union_all())
    frame = _tidy(known[inside])
    frame.attrs["notes"] = [
        f"{blank.sum():,} of {len(points):,} postcodes have no coordinate, and are left out.",
        f"{(~inside).sum():,} postcodes lie outside the council.",
    ]
    return frame


def _tidy(frame: pd.DataFrame) -> pd.DataFrame:
    rows = frame[["postcode", "latitude", "longitude"]].assign(postcode=space(frame["postcode"].astype("str")))
    return rows.drop_duplicates("postcode").sort_values("postcode", ignore_index=True)
