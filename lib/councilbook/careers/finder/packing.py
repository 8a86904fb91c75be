"""Packing journeys: those of every postcode to every place, in so few bytes that a page can hold them.

A figure of a postcode and a place is one byte: minutes plus one, and 0 where there is none. Neighbours have much the
same journeys, so postcodes are put in an order in which neighbours follow each other, and gzip does the rest.
"""

import base64
import gzip
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from councilbook.pages.html.pieces import embed_json

Bytes = NDArray[np.uint8]

MOST_MINUTES = {"walk_minutes": 60, "cycle_minutes": 60, "drive_minutes": 90, "transit_median_minutes": 180}
MOST_SLOWER = 120  # minutes that the 90th percentile is above the median
MOST_BYTES = 1_300_000  # of the packed text: the rest of the page has to fit beside it
FIGURES = ("walk", "cycle", "drive", "median", "slower", "rides", "last_low", "last_high")
ROWS = 512  # in a block
CELLS = 1024  # a side of the grid on which neighbours are found


def pack_journeys(journeys: pd.DataFrame, sites: Sequence[str], most_bytes: int = MOST_BYTES) -> str:
    """Pack the journeys of postcodes to places as lines of text: one of JSON, and others of base64 of gzip.

    The JSON has `postcodes`, without spaces and a line each; `shared`, how many of them share a row; `block`, how many
    rows each of the other lines has, so that of all of them only the one with a postcode has to be unpacked; `sites`;
    `figures`; and `changes`, which figures are written as differences from the row before. Each other line holds, for
    each figure one after the other, a byte for each row and site.

    Where that is too large, postcodes next to each other share the journeys of one of them: two, four, and so on.

    Args:
        journeys: one row a postcode and site: postcode, site_id, walk_minutes, cycle_minutes, drive_minutes,
            transit_median_minutes, transit_p90_minutes, rides, last_home_time (HH:MM, past 24:00 too). What is missing,
            a row or a figure, is a way that takes too long.
        sites: ids of the places, in the order that the page has them.
        most_bytes: what the text may have.
    """
    table = journeys[journeys["site_id"].isin(sites)]
    postcodes = np.array(sorted(journeys["postcode"].unique()), dtype=object)
    planes = dict(_fill_planes(table, postcodes, sites))
    order = _order_as_neighbours(planes["drive"])
    changes = [name for name in FIGURES if _is_shorter_as_changes(planes[name][order])]
    named, shared = "\n".join(postcodes[order]).replace(" ", ""), 1
    while True:
        about = {"postcodes": named, "shared": shared, "block": ROWS, "sites": list(sites), "figures": FIGURES}
        lines = [str(embed_json(about | {"changes": changes}))]
        rows = order[::shared]
        for start in range(0, len(rows), ROWS):
            block = rows[start : start + ROWS]
            lines.append(_compress(b"".join(_write(planes[name][block], name in changes) for name in FIGURES)))
        packed = "\n".join(lines)
        if len(packed) <= most_bytes or len(rows) <= 1:
            return packed
        shared *= 2


def _fill_planes(
    table: pd.DataFrame, postcodes: NDArray[np.object_], sites: Sequence[str]
) -> Iterator[tuple[str, Bytes]]:
    """Yield each figure's table of bytes, a row a postcode and a column a site."""
    row = np.searchsorted(postcodes, table["postcode"].to_numpy(dtype=object))
    column = pd.Index(sites).get_indexer(pd.Index(table["site_id"]))

    def spread(values: pd.Series, is_there: pd.Series) -> Bytes:
        plane = np.zeros((len(postcodes), len(sites)), np.uint8)
        plane[row[is_there], column[is_there]] = values[is_there].astype("int64")
        return plane

    for name, most in MOST_MINUTES.items():
        minutes = table[name].astype("float64").round()
        yield name.split("_")[-2], spread(minutes + 1, minutes <= most)
    median = table["transit_median_minutes"].astype("float64").round()
    by_transit = median <= MOST_MINUTES["transit_median_minutes"]
    slower = (table["transit_p90_minutes"].astype("float64").round() - median).clip(0, MOST_SLOWER)
    yield "slower", spread(slower + 1, by_transit & slower.notna())
    rides = table["rides"].astype("float64").clip(0, 9)
    yield "rides", spread(rides + 1, by_transit & rides.notna())
    last = _read_minutes(table["last_home_time"])
    yield "last_low", spread((last + 1) % 256, last.notna())
    yield "last_high", spread((last + 1) // 256, last.notna())


def _read_minutes(times: pd.Series) -> pd.Series:
    """Read times as 22:14, or 25:10 for ten past one at night, as minutes after midnight."""
    known = pd.Series(times.dropna().unique(), dtype="str")
    parts = known.str.extract(r"^(\d{1,2}):(\d{2})$").astype("float64")
    return times.map(dict(zip(known, parts[0] * 60 + parts[1], strict=True))).astype("float64")


def _order_as_neighbours(drive: Bytes) -> NDArray[np.int64]:
    """Order postcodes so that neighbours follow each other, going by their minutes to all places.

    Squared distances to fixed points, less their means by row and column, are linear in where a point lies (classical
    scaling, Torgerson 1952): their two strongest directions give back a map. A Z-order curve goes through it.
    """
    squares = np.where(drive, drive.astype(float) - 1, MOST_MINUTES["drive_minutes"] * 1.2) ** 2
    squares -= squares.mean(axis=0)
    squares -= squares.mean(axis=1, keepdims=True)
    _, directions = np.linalg.eigh(squares.T @ squares)
    spots = squares @ directions[:, -2:]
    low, wide = spots.min(axis=0), np.ptp(spots, axis=0)
    cells = ((spots - low) / np.where(wide == 0, 1, wide) * (CELLS - 1)).astype(int)
    bits = 1 << np.arange(10)
    curve = sum(((cells[:, axis, None] & bits) * bits).sum(axis=1) << axis for axis in range(cells.shape[1]))
    return np.argsort(curve, kind="stable")


def _is_shorter_as_changes(plane: Bytes) -> bool:
    return len(gzip.compress(_write(plane, True), 1)) < len(gzip.compress(_write(plane, False), 1))


def _write(plane: Bytes, as_changes: bool) -> bytes:
    """Write a table of bytes as it is, or as differences from the row before, which wrap round."""
    return (np.diff(plane, axis=0, prepend=np.uint8(0)) if as_changes else plane).tobytes()


def _compress(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()
