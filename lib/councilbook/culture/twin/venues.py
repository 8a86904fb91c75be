"""The invented town's venues, as the Cultural Infrastructure Map and Mapping Museums write them, faults and all."""

from functools import lru_cache

import numpy as np
import pandas as pd

from councilbook.catalogue import Council, Source, TwinRequest
from councilbook.culture.venues.positions import TO_DEGREES, measure_datum
from councilbook.twins.places import SyntheticPlace, make_place, write_csv

SHIFTS = {"museums": (0, 1), "libraries": (0, 1), "theatres": (-3, -1), "music": (0, 1)}  # datums in either pair
COUNTS = {"museums": 9, "libraries": 14, "theatres": 8, "music": 5}
KINDS = {"museums": "Museum", "libraries": "Library", "theatres": "Playhouse", "music": "Music Hall"}
SHARED = {
    "libraries": ("museums", 4),
    "theatres": ("libraries", 4),
    "music": ("theatres", 3),
}  # venues in a building of another file
COLUMNS = ["name", "address1", "address2", "address3", "borough_name", "website", "os_addressbase_uprn"]
CODES = ["borough_code", "ward_2018_name", "ward_2018_code"]
PAIRS = {"grid": ["easting", "northing"], "degrees": ["longitude", "latitude"]}
FIRST_UPRN = 990_000_000_001  # no real reference is so large
POSTCODE_M, DOOR_M, AWAY_M = 25.0, 250.0, 30_000.0


@lru_cache(maxsize=4)
def make_venues(slug: str, codes: tuple[tuple[str, str], ...], seed: int) -> pd.DataFrame:
    """Make the venues of a place: file, name, uprn, x, y (true, EPSG:27700), borough_name, borough_code."""
    place = make_place(Council(slug=slug, name=slug, codes=dict(codes)), seed)
    rng = place.stream("venues")
    rows: list[dict[str, object]] = []
    for file, count in COUNTS.items():
        at = rng.choice(len(place.pieces), count, replace=False, p=_weigh(place))
        spots = place.pieces.iloc[at]
        points = spots[["x", "y"]].to_numpy() + rng.normal(0, DOOR_M, (count, 2))
        other, shared = SHARED.get(file, ("", 0))
        for number, (spot, point) in enumerate(zip(spots.itertuples(), points, strict=True)):
            row = {"file": file, "name": f"{spot.quarter} {KINDS[file]} {number + 1}", "uprn": FIRST_UPRN + len(rows)}
            row |= {"x": point[0], "y": point[1], "borough_name": spot.lad_name, "borough_code": spot.lad_code}
            if number < shared:
                beside = [one for one in rows if one["file"] == other][number + (file == "music")]
                row |= {name: beside[name] for name in ("uprn", "x", "y", "borough_name", "borough_code")}
            rows.append(row)
    venues = pd.DataFrame(rows)
    venues.loc[venues["file"].eq("music").idxmax(), ["borough_name", "borough_code"]] = ""  # the file forgot it
    away = venues.drop_duplicates("file", keep="last").index  # in another borough
    venues.loc[away, ["x", "borough_name", "borough_code"]] = [venues["x"].max() + AWAY_M, "Farholm", ""]
    return venues


def _weigh(place: SyntheticPlace) -> np.ndarray:
    weights: np.ndarray = place.pieces["households"].to_numpy() / place.pieces["households"].sum()
    return weights


def make_venue_files(_source: Source, request: TwinRequest) -> dict[str, bytes]:
    """Make the map's four files and the list of museums: datum shifts left out, no borough, a place of -999."""
    venues = make_venues(request.council.slug, tuple(request.council.codes.items()), request.seed)
    datum = measure_datum(venues["x"].mean(), venues["y"].mean())
    made = {f"venue_map_{file}": _write_map(venues[venues["file"].eq(file)], file, datum) for file in SHIFTS}
    rng = make_place(request.council, request.seed).stream("museums")
    museums = venues[venues["file"].eq("museums")]
    points = museums[["x", "y"]].to_numpy() + rng.normal(0, POSTCODE_M, (len(museums), 2))
    longitude, latitude = TO_DEGREES.transform(*points.T)
    table = pd.DataFrame({"museum_id": [f"mm.twin.{number}" for number in range(len(museums))]})
    table["museum_name"], table["latitude"], table["longitude"] = museums["name"].to_numpy(), latitude, longitude
    area = "England/Nowhere (English Region)/" + museums["borough_name"] + " (London Borough)"
    table["admin_area_full"] = area.to_numpy()
    table["year_closed_low"] = table["year_closed_high"] = ["na"] * (len(table) - 1) + ["2002"]
    return made | {"mapping_museums": write_csv(table)}


def _write_map(venues: pd.DataFrame, file: str, datum: np.ndarray) -> bytes:
    true = venues[["x", "y"]].to_numpy()
    grid, degrees = (true + steps * datum for steps in SHIFTS[file])
    table = venues.rename(columns={"uprn": "os_addressbase_uprn"}).reset_index(drop=True)
    table[PAIRS["grid"]] = grid
    table[PAIRS["degrees"]] = np.column_stack(TO_DEGREES.transform(*degrees.T))
    if file == "libraries":
        table.loc[0, PAIRS["grid"]] = -999
    pairs = [*PAIRS["degrees"], *PAIRS["grid"]] if file == "theatres" else [*PAIRS["grid"], *PAIRS["degrees"]]
    return write_csv(table.assign(runtime="11/20/2022").reindex(columns=[*COLUMNS, *CODES, *pairs, "runtime"]))
