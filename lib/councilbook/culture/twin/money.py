"""Invented awards of the arts council, in its layouts, and how many people there are to share them."""

import pandas as pd

from councilbook.catalogue import Source, TwinRequest
from councilbook.twins.places import make_place, write_csv, write_workbook

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
