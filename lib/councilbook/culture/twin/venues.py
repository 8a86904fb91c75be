"""The invented town's venues, awards and stations, in their publishers' layouts, faults and all."""

import json

import numpy as np
import pandas as pd

from councilbook.catalogue import Source, TwinRequest
from councilbook.culture.venues.positions import TO_DEGREES, measure_datum
from councilbook.twins.places import SyntheticPlace, make_place, write_csv, write_workbook

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


def make_venues(place: SyntheticPlace) -> pd.DataFrame:
    """Make the venues of a place: file, name, uprn, x, y (true, EPSG:27700), borough_name, borough_code."""
    rng, households = place.stream("venues"), place.pieces["households"].to_numpy()
    rows: list[dict[str, object]] = []
    for file, count in COUNTS.items():
        at = rng.choice(len(place.pieces), count, replace=False, p=households / households.sum())
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


def make_venue_files(_source: Source, request: TwinRequest) -> dict[str, bytes]:
    """Make the map's four files and the list of museums: datum shifts left out, no borough, a place of -999."""
    place = make_place(request.council, request.seed)
    venues, rng = make_venues(place), place.stream("museums")
    datum = measure_datum(venues["x"].mean(), venues["y"].mean())
    made = {f"venue_map_{file}": _write_map(venues[venues["file"].eq(file)], file, datum) for file in SHIFTS}
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


PEOPLE_A_HOME = 2.4
DISCIPLINES = ("Music", "Theatre", "Visual arts", "Combined arts")
RECOVERY_SHEETS = {"CRF 1 Grants": 9, "CRF 1 Capital Kickstart": 1, "CRF 2 Grants": 12}


def make_population(_source: Source, request: TwinRequest) -> bytes:
    """Make the number of people of each district, in the layout of Nomis."""
    place = make_place(request.council, request.seed)
    homes = place.pieces.assign(homes=place.count_households(2021)).groupby(["lad_code", "lad_name"])["homes"].sum()
    table = homes.reset_index()
    people = (table["homes"] * PEOPLE_A_HOME).round().astype("int64")
    named = {"date": 2021, "geography": table["lad_name"], "geography code": table["lad_code"]}
    return write_csv(pd.DataFrame({**named, "Age: Total; measures: Value": people}))


def make_awards(source: Source, request: TwinRequest) -> bytes:
    """Make the awards of one programme, in its layout; recipients are numbers."""
    place = make_place(request.council, request.seed)
    rng = place.stream(source.id)
    towns = [*place.districts.values(), "Farholm", "Otherness"]

    def draw(count: int, middle: float) -> pd.DataFrame:
        amounts = (middle * rng.lognormal(0, 0.8, count)).round()
        names = [f"Recipient {number + 1}" for number in range(count)]
        chosen = {"town": rng.choice(towns, count), "discipline": rng.choice(DISCIPLINES, count)}
        return pd.DataFrame({"name": names, "amount": amounts, **chosen})

    if source.id == "ace_project_grants":
        rows = draw(180, 15_000)
        dates = pd.Timestamp("2018-04-11") + pd.to_timedelta(rng.integers(0, 2_400, len(rows)), unit="D")
        named = {"Recipient": rows["name"], "Activity name": "A project", "Award amount": rows["amount"].astype(int)}
        named |= {"Award date": dates.strftime("%Y-%m-%d 00:00:00"), "Local authority": rows["town"]}
        return write_csv(pd.DataFrame(named | {"Main discipline": rows["discipline"]}))
    if source.id == "npo_2023":
        rows = draw(9, 150_000)
        table = pd.DataFrame({"Applicant Name": rows["name"], "Type of organisation\n(NPO/IPSO/Transfer)": "NPO"})
        table["2023-26 Annual Funding (Offered 4 Nov 2022)"] = rows["amount"].astype(int)
        return write_csv(table.assign(**{"Main Discipline": rows["discipline"], "Local authority": rows["town"]}))
    if source.id == "npo_2018":
        rows = draw(14, 120_000)
        years = [f"Portfolio grant {year}/{year + 1} - £" for year in (18, 19, 20, 21)]
        header = ["Applicant Name", *years, "TOTAL Portfolio grant 18/22 - £", "Local Authority"]
        cells = [
            [row.name, *[row.amount] * 4, f"=SUM(B{at}:E{at})", row.town]
            for at, row in enumerate(rows.itertuples(False), 2)
        ]
        return write_workbook({"NPO 2018_2022": [header, *cells]})
    header = ["Organisation ", "£ Awarded", "Discipline", "Local Authority"]
    sheets = {
        sheet: [header, *draw(count, 60_000)[["name", "amount", "discipline", "town"]].to_numpy().tolist()]
        for sheet, count in RECOVERY_SHEETS.items()
    }
    return write_workbook({"Headline Data": [["Total amount awarded ", "=SUM(C21)"]], **sheets})


STATIONS, TWO_LINES, CYCLEWAYS = 9, 2, 4  # the first ones are of two lines
STOPS = {
    "naptan_metro": ("9400ZZTW", "Underground Station", "MET"),
    "naptan_rail": ("9100TWIN", "Rail Station", "RLY"),
}
DAYS = {2021: 4, 2023: 5}  # kinds of day that the layout of a year has
ROW = {2021: 15, 2023: 19}  # its columns


def make_stations(place: SyntheticPlace) -> pd.DataFrame:
    """Make the stations of a place, where most people live: name, x, y."""
    quarters = place.pieces[~place.pieces["quarter"].str.contains("Station")].drop_duplicates("quarter")
    most = quarters.nlargest(STATIONS, "households").reset_index(drop=True)
    return most[["quarter", "x", "y"]].rename(columns={"quarter": "name"})


def make_stops(_source: Source, request: TwinRequest) -> dict[str, bytes]:
    """Make the two lists of stops, with platforms, a stop out of use, and a longitude left out; and the cycleways."""
    place = make_place(request.council, request.seed)
    stations = make_stations(place)
    made = {}
    for source, (code, kind, stop_type) in STOPS.items():
        is_metro = source == "naptan_metro"
        rows = stations.head(TWO_LINES + 3) if is_metro else stations.drop(index=range(TWO_LINES, TWO_LINES + 3))
        longitude, latitude = TO_DEGREES.transform(rows["x"].to_numpy(), rows["y"].to_numpy())
        named = {"ATCOCode": [f"{code}{number}" for number in rows.index], "CommonName": rows["name"] + " " + kind}
        grid = {"Easting": rows["x"].round().astype(int), "Northing": rows["y"].round().astype(int)}
        table = pd.DataFrame(named | grid).assign(Longitude=longitude, Latitude=latitude)
        table = table.assign(StopType=stop_type, Status="active")
        table.loc[rows.index[-1], "Longitude"] = np.nan
        platform = table.head(1).assign(ATCOCode=f"{code}0P1", StopType="PLT")
        closed = table.head(1).assign(ATCOCode=f"{code}99", CommonName=f"Old {kind}", Status="inactive")
        made[source] = write_csv(pd.concat([table, platform, closed]))
    return made | {"cycleways": _write_cycleways(stations)}


def _write_cycleways(stations: pd.DataFrame) -> bytes:
    points = np.column_stack(TO_DEGREES.transform(stations["x"].to_numpy(), stations["y"].to_numpy())).round(6).tolist()
    features = []
    for number in range(CYCLEWAYS):
        line = {"type": "LineString", "coordinates": points[number : number + 2]}
        named = {"Label": f"C{number + 901}", "Status": "Open"}
        features.append({"type": "Feature", "properties": named, "geometry": line})
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
        if number < TWO_LINES:
            rows.append(["LO", 9000 + number, f"TW{number}u", name, "---see LU---", *["---"] * (width - 5)])
    return pd.DataFrame([*front, *rows]).to_csv(header=False, index=False).encode()
