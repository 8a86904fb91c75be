"""Closed files of invented homes as a council's own partnership would hand them over, and the same in our layout.

For tests that need a council's own extract of any size: `write_closed_folder` fills a closed folder. Every home, person
and measure is drawn at random; nothing of it is a twin of the library, and nothing is known of a real household.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from councilbook.study import Study

TENURE = ("owned_outright", "mortgaged", "social_rented", "private_rented")
ACCOMMODATION = ("detached", "semi_detached", "terraced", "flat", "other")
HEATING = ("gas", "electric", "oil", "none", "other")
MEASURES = ("loft", "cavity_wall", "solid_wall", "boiler", "heat_pump", "income_advice")
MONEY = (
    *("income_gbp_year", "housing_cost_gbp_year", "ahc_income_gbp_year", "required_fuel_cost_gbp_year"),
    *("fuel_rebate_gbp_year", "fpeer_score", "fuel_cost_at_band_c_gbp_year", "is_fuel_poor"),
)  # what a real extract of health and care records does not hold
YEARS = range(2015, 2024)
FEW_PLACES = pd.DataFrame(
    {
        "postcode": ["CT1 1AA", "CT1 1AB", "CT2 7NZ", "ME14 1XX"],
        "oa21_code": ["E00123001", "E00123001", "E00123002", "E00123003"],
        "lsoa21_code": ["E01024001", "E01024001", "E01024002", "E01024003"],
        "lad22_code": ["E07000106", "E07000106", "E07000106", "E07000110"],
    }
)
CODES = {  # of diagnoses, by group; the last ones are of no group
    "icd": {
        "respiratory": ("J45.9", "J44.1"),
        "circulatory": ("I10", "I25.1"),
        "mental_health": ("F32.9", "F41.1"),
        "falls": ("W19", "W10.9"),
        "": ("E11.9", "M54.5"),
    },
    "read": {
        "respiratory": ("H33zz", "H3..."),
        "circulatory": ("G20..", "G573."),
        "mental_health": ("Eu32z", "E2003"),
        "falls": ("TC...", "16D.."),
        "": ("C10F.", "N142."),
    },
    "snomed": {
        "respiratory": ("195967001", "13645005"),
        "circulatory": ("38341003", "84114007"),
        "mental_health": ("35489007", "197480006"),
        "falls": ("1912002", "161898004"),
        "": ("44054006", "161891005"),
    },
}


# --- our layout ---


def draw_tables(homes: int, places: pd.DataFrame = FEW_PLACES, seed: int = 1) -> dict[str, pd.DataFrame]:
    """Draw the tables of four closed sources in our layout, by id of the source.

    Args:
        homes: how many; about one in five is in the register of measures.
        places: postcode, oa21_code, lsoa21_code, lad22_code, of which the homes are spread evenly.
        seed: the same gives the same tables.
    """
    random = np.random.default_rng([seed, homes])
    where = places.iloc[np.arange(homes) * len(places) // homes].reset_index(drop=True)
    households = pd.DataFrame({"household_id": [f"hh{number:08x}" for number in random.permutation(homes)]})
    households = pd.concat([households, where[["postcode", "oa21_code", "lsoa21_code", "lad22_code"]]], axis="columns")
    people = draw_people(households, random)
    households = add_attributes(households, people, random)
    register = draw_register(households, random)
    return {
        "kid_households": households,
        "kid_people": people,
        "interventions_register": register,
        "household_outcomes": draw_outcomes(households, register, random),
    }


def draw_people(households: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Draw one to four people a home, the first of them an adult."""
    sizes = random.choice([1, 2, 3, 4], len(households), p=[0.35, 0.35, 0.18, 0.12])
    rows = households.loc[np.repeat(households.index, sizes), ["household_id", "lsoa21_code"]].reset_index(drop=True)
    is_first = ~rows["household_id"].duplicated()
    age = np.where(is_first, random.integers(19, 96, len(rows)), random.integers(0, 90, len(rows)))
    people = pd.DataFrame({"person_id": [f"p{number:08x}" for number in random.permutation(len(rows))]}).join(rows)
    people["age"], people["sex"] = age, random.choice(["F", "M"], len(rows))
    chance = {"respiratory": 0.1, "circulatory": 0.02 + age / 250, "mental_health": 0.15, "falls": age / 900}
    for name, share in chance.items():
        people[name] = random.random(len(rows)) < share
    people["gp_contacts"] = random.poisson(2 + age / 20)
    people["emergency_admissions"] = random.poisson(0.02 + age / 600)
    return people.assign(social_care=random.random(len(rows)) < age / 1000)


def add_attributes(households: pd.DataFrame, people: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Say who lives in each home, how it is heated, and what it has to live on."""
    ages, size, ids = people.groupby("household_id")["age"], len(households), households["household_id"]
    homes = households.assign(
        tenure=random.choice(TENURE, size, p=[0.34, 0.3, 0.16, 0.2]),
        accommodation=random.choice(ACCOMMODATION, size, p=[0.25, 0.3, 0.25, 0.18, 0.02]),
        heating=random.choice(HEATING, size, p=[0.8, 0.1, 0.06, 0.02, 0.02]),
    )
    homes["storage_heaters"] = (homes["heating"] == "electric") & (random.random(size) < 0.7)
    homes["prepayment_meter"] = random.random(size) < np.where(homes["tenure"].str.endswith("rented"), 0.3, 0.05)
    for name, low, high in (("adults", 18, 200), ("children_14_plus", 14, 18), ("children_under_14", 0, 14)):
        of_age = people[people["age"].between(low, high, inclusive="left")]
        homes[name] = ids.map(of_age.groupby("household_id").size()).fillna(0).astype("int64")
    homes["oldest_age"], homes["youngest_age"] = ids.map(ages.max()), ids.map(ages.min())
    rented = homes["tenure"].str.endswith("rented")
    homes["income_gbp_year"] = np.round(np.exp(random.normal(10.2 - 0.35 * rented, 0.5)))
    homes["housing_cost_gbp_year"] = np.where(
        homes["tenure"] == "owned_outright", 0, random.integers(3000, 14000, size)
    )
    homes["ahc_income_gbp_year"] = homes["income_gbp_year"] - homes["housing_cost_gbp_year"]
    homes["required_fuel_cost_gbp_year"] = random.integers(900, 3200, size)
    homes["fuel_rebate_gbp_year"] = np.where(homes["prepayment_meter"], 150, 0)
    homes["fpeer_score"] = random.integers(200, 930, size) / 10
    homes["fuel_cost_at_band_c_gbp_year"] = np.minimum(homes["required_fuel_cost_gbp_year"], 1300)
    left = homes["ahc_income_gbp_year"] - homes["required_fuel_cost_gbp_year"]
    return homes.assign(is_fuel_poor=(left < 12_000) & (homes["fpeer_score"] < 69))


def draw_register(households: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Draw a measure for one home in five."""
    chosen = households[random.random(len(households)) < 0.2].reset_index(drop=True)
    size = len(chosen)
    days = pd.to_datetime("2017-01-04") + pd.to_timedelta(random.integers(0, 5 * 365, size), unit="D")
    return pd.DataFrame(
        {
            "intervention_id": [f"m{number:06d}" for number in random.permutation(size)],
            **{name: chosen[name] for name in ("household_id", "postcode", "lsoa21_code")},
            "measure": random.choice(MEASURES, size),
            "installed_on": days,
            "cost_gbp": random.integers(100, 12_000, size),
            "scheme": random.choice(["ECO3", "Warm Homes Fund"], size),
        }
    )


def draw_outcomes(households: pd.DataFrame, register: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Draw the years of the homes in the register and of three times as many others, as far as there are."""
    treated = households["household_id"].isin(register["household_id"]).to_numpy()
    others = random.permutation(np.flatnonzero(~treated))[: 3 * int(treated.sum())]
    homes = households.iloc[np.sort(np.concatenate([np.flatnonzero(treated), others]))]
    panel = homes[["household_id"]].merge(pd.DataFrame({"year": list(YEARS)}), how="cross")
    homes = homes.set_index("household_id").loc[panel["household_id"]].reset_index()
    start = panel["household_id"].map(register.set_index("household_id")["installed_on"].dt.year)
    after = (panel["year"] > start.astype("float64")).to_numpy()
    gas = random.normal(13_000, 3_000, len(panel)).clip(1_500) * np.where(after, 0.88, 1)
    gap = np.where(homes["is_fuel_poor"], random.integers(50, 700, len(panel)), 0) * np.where(after, 0.7, 1)
    return panel.assign(
        lsoa21_code=homes["lsoa21_code"],
        gas_kwh=np.where(homes["heating"] == "gas", gas.round(), np.nan),
        fuel_poverty_gap_gbp=gap.round(),
        emergency_admissions=random.poisson(0.2, len(panel)),
    )


# --- another council's layout ---

HEADERS = {
    "kid_households": {
        "household_id": "HH_Pseudo_ID",
        "postcode": "PCD",
        "oa21_code": "OA21CD",
        "lsoa21_code": "LSOA21CD",
        "lad22_code": "LAD22CD",
        "tenure": "TenureType",
        "accommodation": "Dwelling_Type",
        "heating": "Main heating fuel",
        "storage_heaters": "StorageHeaters",
        "prepayment_meter": "Prepay_Meter",
        "adults": "No_of_Adults",
        "children_14_plus": "Children 14+",
        "children_under_14": "Children U14",
        "oldest_age": "Oldest Age",
        "youngest_age": "Youngest Age",
        "income_gbp_year": "HH_Income",
        "housing_cost_gbp_year": "Housing Cost",
        "ahc_income_gbp_year": "AHC Income",
        "required_fuel_cost_gbp_year": "Required fuel cost (GBP)",
        "fuel_rebate_gbp_year": "Fuel rebate",
        "fpeer_score": "FPEER",
        "fuel_cost_at_band_c_gbp_year": "Fuel cost at band C",
        "is_fuel_poor": "Fuel poor?",
    },
    "kid_people": {
        "person_id": "Pseudo_Person_ID",
        "household_id": "HH_Pseudo_ID",
        "lsoa21_code": "LSOA21CD",
        "age": "Age_Years",
        "sex": "Gender",
        "gp_contacts": "GP contacts",
        "emergency_admissions": "Emergency_Admissions",
        "social_care": "SocialCare",
    },
    "interventions_register": {
        "intervention_id": "Measure_Ref",
        "household_id": "HH_Pseudo_ID",
        "postcode": "PCD",
        "lsoa21_code": "LSOA21CD",
        "measure": "Measure Type",
        "installed_on": "Install date",
        "cost_gbp": "Cost (£)",
        "scheme": "Scheme name",
    },
    "household_outcomes": {
        "household_id": "HH_Pseudo_ID",
        "year": "Yr",
        "lsoa21_code": "LSOA21CD",
        "gas_kwh": "Gas kWh",
        "fuel_poverty_gap_gbp": "Fuel poverty gap",
        "emergency_admissions": "Emergency_Admissions",
    },
}
TENURE_CODES = dict(zip(TENURE, ("O", "Mortgage", "HA", "PR"), strict=True))
DWELLINGS = dict(zip(ACCOMMODATION, ("DET", "SEMI", "TERR", "FLAT", "OTHER"), strict=True))
FUELS = dict(zip(HEATING, ("Mains Gas", "Elec", "Oil", "No heating", "Other"), strict=True))
WORKS = dict(zip(MEASURES, ("Loft insulation", "CWI", "SWI", "Boiler", "ASHP", "Income advice"), strict=True))
FLAGS = {"storage_heaters": "YN", "prepayment_meter": "10", "is_fuel_poor": "TF", "social_care": "YN"}


def encode_tables(
    tables: Mapping[str, pd.DataFrame], system: str = "icd", codes: Mapping[str, str] = TENURE_CODES
) -> dict[str, pd.DataFrame]:
    """Write tables of our layout as another council would: own headers and codes, d/m/Y, no spaces in postcodes.

    Args:
        tables: as `draw_tables` returns them.
        system: icd, read or snomed: that of the one column of diagnoses, which takes the place of the four flags.
        codes: of tenure.
    """
    named = {name: table.copy() for name, table in tables.items()}
    for table in named.values():
        if "postcode" in table:
            table["postcode"] = table["postcode"].str.replace(" ", "").str.lower()
        for name, (yes, no) in FLAGS.items():
            if name in table:
                table[name] = np.where(table[name], yes, no)
    homes, people = named["kid_households"], named["kid_people"]
    for column, words in {"tenure": codes, "accommodation": DWELLINGS, "heating": FUELS}.items():
        homes[column] = homes[column].map(words)
    if "income_gbp_year" in homes:
        homes["income_gbp_year"] = homes["income_gbp_year"].map("£{:,.2f}".format)
    people["sex"] = people["sex"].map({"M": "1", "F": "2"})
    diagnoses = write_diagnoses(people, CODES[system])
    people = people.drop(columns=[name for name in CODES[system] if name])
    works = named["interventions_register"]
    works["measure"] = works["measure"].map(WORKS)
    works["installed_on"] = works["installed_on"].dt.strftime("%d/%m/%Y 00:00")
    works["cost_gbp"] = works["cost_gbp"].map("{:,}".format)
    outcomes = named["household_outcomes"]
    outcomes["gas_kwh"] = outcomes["gas_kwh"].astype("Int64").astype("str").replace("<NA>", "NULL")
    header = {"icd": "ICD10_Codes", "read": "Read_Codes", "snomed": "SNOMED_Codes"}[system]
    named["kid_people"] = people.assign(**{header: diagnoses})
    return {name: table.rename(columns=HEADERS[name]) for name, table in named.items()}


def write_diagnoses(people: pd.DataFrame, codes: Mapping[str, Sequence[str]]) -> list[str]:
    """Write for each person a list of codes: one of each group that they have, and now and then one of none."""
    held = []
    for number, row in enumerate(people[[name for name in codes if name]].to_dict("records")):
        own = [codes[name][number % 2] for name, has in row.items() if has]
        held.append("; ".join(own + ([codes[""][number // 7 % 2]] if number % 7 == 0 else [])))
    return held


# --- files ---


def write_closed_folder(
    folder: Path,
    homes: int,
    *,
    places: pd.DataFrame = FEW_PLACES,
    seed: int = 1,
    foreign: bool = True,
    system: str = "icd",
    without: Sequence[str] = (),
) -> dict[str, pd.DataFrame]:
    """Write the closed files of invented homes into a folder.

    Args:
        folder: the closed folder, which must exist.
        homes, places, seed: see `draw_tables`; `find_places` says where a real council's homes are.
        foreign: in another council's columns and codes; else in our layout.
        system: see `encode_tables`.
        without: columns of ours that the extract does not have, such as MONEY.

    Returns:
        By id of the source, the table in our layout.
    """
    tables = {
        name: table.drop(columns=list(without), errors="ignore")
        for name, table in draw_tables(homes, places, seed).items()
    }
    for name, table in (encode_tables(tables, system) if foreign else tables).items():
        table.to_csv(folder / f"{name}.csv", index=False)
    return tables


def find_places(study: Study) -> pd.DataFrame:
    """Find the places of a council for `write_closed_folder`: its postcodes, with output area, LSOA and district.

    Args:
        study: opened for a notebook that reads the postcode directory.
    """
    postcodes = study.load("postcode_directory").drop_duplicates("postcode")
    district = study.load("lsoa_lookup").drop_duplicates("lsoa21_code").set_index("lsoa21_code")["lad22_code"]
    places = postcodes.assign(lad22_code=postcodes["lsoa21_code"].map(district))
    return places[["postcode", "oa21_code", "lsoa21_code", "lad22_code"]].dropna().reset_index(drop=True)
