"""Outlines of areas: GeoJSON brought to degrees in WGS84, each outline valid; repaired where that is safe, or refused.

Publishers write files in metres without saying so, latitude before longitude, outlines that cross themselves, and the
first page of a longer answer. A map that takes them as they come puts every property outside of every ward.
"""

import io
import re

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError

from councilbook.errors import SourceError

GRID_DEGREES = 1e-6  # about 0.1 m
WORLD = (-180.0, -90.0, 180.0, 90.0)  # west, south, east, north, in degrees
DEGREES = (-9.0, 49.0, 2.5, 61.5)  # of the United Kingdom
SWAPPED = (49.0, -9.0, 61.5, 2.5)  # of the United Kingdom, latitude first
METRES = (0.0, 0.0, 700_000.0, 1_300_000.0)  # of the British National Grid, EPSG:27700
CUT_OFF = re.compile(rb'"exceededTransferLimit"\s*:\s*true')
UNREADABLE = (DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError, shapely.errors.GEOSException)


def read_outlines(content: bytes, where: str) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Read outlines from GeoJSON.

    Args:
        content: of the file.
        where: which source and file it is, for messages.

    Returns:
        A row an area, in WGS84 and on one grid, as publishers write neighbours' outlines with rounding errors; the
        index is the area's place in the file, from 1. And what had to be repaired, in sentences.

    Raises:
        SourceError: it is no GeoJSON, only the first page of an answer, or in neither degrees nor the national grid; or
            an area has no outline, or none that can be repaired. The message names the features.
    """
    if CUT_OFF.search(content):
        raise SourceError(
            f"{where}: this is only the first page of a longer answer (exceededTransferLimit). Fetch the other pages "
            "too (resultOffset=…, until none is marked so) and join their features, or download the whole file."
        )
    try:
        frame = gpd.read_file(io.BytesIO(content))
    except UNREADABLE as error:
        raise SourceError(f"{where}: not GeoJSON that can be read ({error}).") from None
    if not isinstance(frame, gpd.GeoDataFrame):
        raise SourceError(f"{where}: no area in it has an outline.")
    frame = frame.set_axis(range(1, len(frame) + 1))
    _refuse_rows(frame.geometry.isna() | frame.geometry.is_empty, where, "have no outline")
    frame, moved = _bring_to_degrees(frame, where)
    whole, mended = _make_valid(frame.geometry, where)
    return frame.set_geometry(shapely.set_precision(whole.array, GRID_DEGREES)), [*moved, *mended]


def _bring_to_degrees(frame: gpd.GeoDataFrame, where: str) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Bring outlines to WGS84, whether or not the file says in what they are written."""
    if not len(frame):
        return frame.set_crs(4326, allow_override=True), []
    said = frame.to_crs(4326) if frame.crs else frame.set_crs(4326)
    is_turned = _lies_in(said, SWAPPED)
    if _lies_in(said, WORLD) and not is_turned:
        return said, []
    if not is_turned and _lies_in(frame, METRES):
        told = "Its outlines are in eastings and northings (EPSG:27700), which it does not say; they were reprojected."
        turned = frame.set_crs(27700, allow_override=True).to_crs(4326)
    else:
        told = "Its outlines have latitude before longitude; they were turned round."
        turned = said.set_geometry(shapely.transform(said.geometry.array, lambda points: points[:, ::-1]), crs=4326)
    if not _lies_in(turned, DEGREES):
        bounds = ", ".join(f"{value:,.1f}" for value in frame.total_bounds)
        raise SourceError(
            f"{where}: its outlines lie at {bounds}, which are neither degrees in the United Kingdom (EPSG:4326) nor "
            "eastings and northings of the British National Grid (EPSG:27700). Save it in one of these."
        )
    return turned, [told]


def _lies_in(frame: gpd.GeoDataFrame, box: tuple[float, float, float, float]) -> bool:
    west, south, east, north = frame.total_bounds
    return bool(box[0] <= west and box[1] <= south and east <= box[2] and north <= box[3])


def _make_valid(outlines: gpd.GeoSeries, where: str) -> tuple[gpd.GeoSeries, list[str]]:
    """Mend outlines that cross themselves; of what that makes of an area, only parts with an area are kept."""
    wrong = ~outlines.is_valid
    if not wrong.any():
        return outlines, []
    mended = outlines.mask(wrong, outlines[wrong].make_valid().map(_keep_areas))
    _refuse_rows(wrong & mended.is_empty, where, "have an outline without an area, which cannot be repaired")
    count = int(wrong.sum())
    return mended, [f"{count} of its {len(outlines)} outlines cross themselves; they were repaired ({_tell(wrong)})."]


def _keep_areas(outline: shapely.Geometry) -> shapely.Geometry:
    parts = [part for part in shapely.get_parts(outline) if part.area > 0]
    return shapely.union_all(parts) if parts else shapely.Polygon()


def _refuse_rows(is_wrong: "pd.Series[bool]", where: str, fault: str) -> None:
    if is_wrong.any():
        raise SourceError(f"{where}: {int(is_wrong.sum())} areas {fault} ({_tell(is_wrong)}). Mend the file.")


def _tell(is_wrong: "pd.Series[bool]") -> str:
    return f"feature {', '.join(map(str, is_wrong.index[np.asarray(is_wrong)][:3]))}"
