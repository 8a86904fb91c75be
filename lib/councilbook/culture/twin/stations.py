"""The invented town's stations, their counts, and its cycleways, in their publishers' layouts."""

import io
import json

import numpy as np
import pandas as pd

from councilbook.catalogue import Source, TwinRequest
from councilbook.culture.venues.positions import TO_DEGREES
from councilbook.twins.places import SyntheticPlace, make_place, write_csv

STATIONS, SHARED, CYCLEWAYS = 9, 2, 4  # the first ones are of two lines
STOPS = {
    "naptan_metro": ("9400ZZTW", "Underground Station", "MET"),
    "naptan_rail": ("9100TWIN", "Rail Station", "RLY"),
}
DAYS = {2021: 4, 2023: 5}  # kinds of day that the layout of a year has
ROW = {2021: 15, 2023: 19}  # its columns


def make_stations(place: SyntheticPlace) -> pd.DataFrame:
    """Make the stations of a place, where most people live: name, x, y."""
    pieces = (
        place.pieces[~place.pieces["quarter"].str.contains("Station")]
        .drop_duplicates("quarter")
        .nlargest(STATIONS, "households")
        .reset_index(drop=True)
    )
    return pieces[["quarter", "x", "y"]].rename(columns={"quarter": "name"})


def make_stops(_source: Source, request: TwinRequest) -> dict[str, bytes]:
    """Make the two lists of stops, with platforms, a stop out of use, and a longitude left out; and the cycleways."""
    place = make_place(request.council, request.seed)
    stations = make_stations(place)
    made = {}
    for source, (code, kind, stop_type) in STOPS.items():
        rows = stations.head(SHARED + 3) if source == "naptan_metro" else stations.drop(index=range(SHARED, SHARED + 3))
        longitude, latitude = TO_DEGREES.transform(rows["x"].to_numpy(), rows["y"].to_numpy())
        table = pd.DataFrame(
            {"ATCOCode": [f"{code}{number}" for number in rows.index], "CommonName": rows["name"] + " " + kind}
        )
        table["Easting"], table["Northing"] = rows["x"].round().astype(int), rows["y"].round().astype(int)
        table["Longitude"], table["Latitude"], table["StopType"], table["Status"] = (
            longitude,
            latitude,
            stop_type,
            "active",
        )
        table.loc[rows.index[-1], "Longitude"] = np.nan
        platform = table.head(1).assign(ATCOCode=f"{code}0P1", StopType="PLT")
        closed = table.head(1).assign(ATCOCode=f"{code}99", CommonName=f"Old {kind}", Status="inactive")
        made[source] = write_csv(pd.concat([table, platform, closed]))
    return made | {"cycleways": _write_cycleways(stations)}


def _write_cycleways(stations: pd.DataFrame) -> bytes:
    points = np.column_stack(TO_DEGREES.transform(stations["x"].to_numpy(), stations["y"].to_numpy())).round(6)
    features = [
        {
            "type": "Feature",
            "properties": {"Label": f"C{number + 901}", "Status": "Open"},
            "geometry": {"type": "LineString", "coordinates": points[number : number + 2].tolist()},
        }
        for number in range(CYCLEWAYS)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def make_counts(source: Source, request: TwinRequest) -> bytes:
    """Make a year's counts: header on row 7, commas in numbers, a row that points to another line's."""
    place = make_place(request.council, request.seed)
    year = source.edition or 0
    width, days = ROW[year], DAYS[year]
    names = make_stations(place)["name"]
    people = (place.stream("station counts").lognormal(14, 0.6, len(names)) * (1 if year == 2021 else 1.6)).round()
    fill = [""] * (width - 1)
    totals = ["", "En/Ex", "En/Ex", "En/Ex"][-(width - 6 - 2 * days) :]
    front = [["\ufeff", f"COUNTS--{year} // Station annualised entries and exits", *fill[1:]], *[["", *fill]] * 4]
    front.append([*[""] * 6, *["Weekday"] * (2 * days), *[""] * (width - 7 - 2 * days), "Annualised"])
    front.append(
        ["Mode", "NLC", "ASC", "Station", "Coverage", "Source", *["Entries"] * days, *["Exits"] * days, *totals]
    )
    rows = []
    for number, (name, count) in enumerate(zip(names, people, strict=True)):
        told = [f"{count / 700:,.0f}"] * (width - 7) + [f"{count:,.0f}"]
        rows.append(["LU", 9000 + number, f"TW{number}u", name, "Station entry/exit", "Gateline", *told])
        if number < SHARED:
            rows.append(["LO", 9000 + number, f"TW{number}u", name, "---see LU---", *["---"] * (width - 5)])
    buffer = io.StringIO()
    pd.DataFrame([*front, *rows]).to_csv(buffer, header=False, index=False)
    return buffer.getvalue().encode()
