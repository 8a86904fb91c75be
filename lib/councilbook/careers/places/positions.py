"""Where schools, colleges and homes are: by postcode, written in whatever way, and by the grid of the register."""

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from councilbook.catalogue.councils import list_codes
from councilbook.study import Study

GRID = "EPSG:27700"
OWN_POINTS = ("postcode_points", "postcode_points_beyond")  # a council may reach into a second postcode area
DIRECTORY = "postcode_districts"
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


def gather_points(study: Study, known: pd.DataFrame) -> pd.DataFrame:
    """Gather where postcodes are: those of schools, and those of the council's files and the directory that are here.

    Args:
        study: whose notebook lists postcode_points, postcode_points_beyond and postcode_districts.
        known: postcode, latitude, longitude, of schools.
    """
    more = [study.load(name) for name in (*OWN_POINTS, DIRECTORY) if study.has(name)]
    points = pd.concat([known, *more], ignore_index=True)[["postcode", "latitude", "longitude"]]
    return points[points["latitude"] < 90].reset_index(drop=True)  # the directory has 99.999999 where not known


def find_astray(latitude: "pd.Series[float]", longitude: "pd.Series[float]") -> "pd.Series[bool]":
    """Tell which places of one authority lie so far from all others that they cannot be in it.

    A place with a head office's postcode is as far as London. The third nearest other place decides, so that two
    wrong ones do not vouch for each other.
    """
    places = gpd.GeoSeries.from_xy(longitude, latitude, index=latitude.index, crs=4326).to_crs(GRID)
    known = places[latitude.notna()]
    is_astray = pd.Series(data=False, index=latitude.index)
    neighbours = min(NEIGHBOURS, (len(known) - 1) // 2)  # of few places, most are right
    if neighbours > 0:
        xy = np.column_stack([known.x, known.y])
        far = cKDTree(xy).query(xy, k=[neighbours + 1])[0][:, 0]
        is_astray.loc[known.index[far > ASTRAY_METRES]] = True
    return is_astray


def find_postcodes(study: Study) -> pd.DataFrame:
    """Return where a council's own postcodes are, for a journey to begin at.

    They come from the council's files of postcode points, cut to its outline; else from the national directory of
    postcodes, which says the district that each lies in.

    Args:
        study: whose notebook lists postcode_points, postcode_points_beyond, council_outline and postcode_districts.

    Returns:
        postcode (with a space), latitude, longitude (WGS84), in order of postcode; `attrs["notes"]` says how many
        postcodes have no coordinate, and how many were cut off. No row where no file of the council's is here.
    """
    files = [study.load(name) for name in OWN_POINTS if study.has(name)]
    if files and not study.has("council_outline"):
        return _tidy(pd.concat(files), "Postcodes are not cut to the council, as no outline of it is here.")
    if files:
        outlines = study.load("council_outline")
        own = outlines["area_code"].isin(study.finder.council.codes)  # a file of several councils, or of small areas
        return cut_postcodes(files, outlines[own] if own.any() else outlines)
    if not study.has(DIRECTORY):
        return _tidy(pd.DataFrame(columns=["postcode", "latitude", "longitude"]))
    codes = study.finder.council.codes
    wanted = {*codes.values(), *(known for code in codes for known in list_codes(code))}  # copies have names
    every = study.load(DIRECTORY)
    return _tidy(every[every["district"].isin(wanted) & (every["latitude"] < 90)])  # 99.999999 where not known


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
    return _tidy(
        known[inside],
        f"{blank.sum():,} of {len(points):,} postcodes have no coordinate, and are left out.",
        f"{(~inside).sum():,} postcodes lie outside the council.",
    )


def _tidy(frame: pd.DataFrame, *notes: str) -> pd.DataFrame:
    rows = frame[["postcode", "latitude", "longitude"]].assign(postcode=space(frame["postcode"].astype("str")))
    rows = rows.dropna().drop_duplicates("postcode").sort_values("postcode", ignore_index=True)
    rows.attrs["notes"] = list(notes)
    return rows
