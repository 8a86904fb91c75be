"""The tables of the synthetic population as their sources hold them: households, postcodes, certificates, measures.

As in `population`, every constant is invented.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from councilbook.fuel_poverty.households.indicators import find_fpeer_bands
from councilbook.fuel_poverty.twin.homes import ACCOMMODATION, HEATING, TENURE, Codes, make_pseudonyms

HIGHEST_SCORE = 100.0
MEASURES = ("loft", "cavity_wall", "solid_wall", "boiler", "heat_pump", "income_advice")
MEASURE_GBP = (600.0, 1200.0, 11000.0, 2800.0, 12000.0, 90.0)
SCHEMES = ("national_obligation", "local_grant", "council_fund")
EPC_SHARE = 0.6
EPC_SCORE_NOISE = 5.0
EPC_BY_TENURE = (-0.4, 0.0, 0.6, 0.9)
PROPERTY_TYPES = ("House", "House", "House", "Flat", "Park home")
MAIN_FUELS = ("mains gas", "electricity", "oil", "no heating", "other")
FIRST_DAY, LAST_DAY = np.datetime64("2013-01-01"), np.datetime64("2022-12-31")
WELLBEING_TYPES = 25
WELLBEING_LAST_TYPES = (6, 12, 18)  # of groups 1 to 3


def _take(labels: Sequence[str] | pd.Series, numbers: object) -> pd.api.extensions.ExtensionArray:
    """Return the label of each number as text."""
    return pd.array(list(labels), dtype="str").take(np.asarray(numbers))


def write_households(
    homes: pd.DataFrame, outputs: pd.DataFrame, places: pd.DataFrame, lookup: pd.DataFrame
) -> pd.DataFrame:
    """Write the households with the labels of what they are, and where they live."""
    district = lookup.drop_duplicates("lsoa21_code").set_index("lsoa21_code")["lad22_code"]
    table = pd.DataFrame({"household_id": homes["id"].to_numpy()}, copy=False)
    table["postcode"] = _take(places["postcode"], homes["postcode"])
    table["oa21_code"] = _take(outputs["oa21_code"], homes["oa"])
    table["lsoa21_code"] = _take(outputs["lsoa21_code"], homes["oa"])
    table["lad22_code"] = _take(outputs["lsoa21_code"].map(district), homes["oa"])
    for name, labels in {"tenure": TENURE, "accommodation": ACCOMMODATION, "heating": HEATING}.items():
        table[name] = _take(labels, homes[name])
    names = ["storage_heaters", "prepayment_meter", "adults", "children_14_plus", "children_under_14", "oldest_age"]
    names += ["youngest_age", "income_gbp_year", "housing_cost_gbp_year", "ahc_income_gbp_year"]
    names += ["required_fuel_cost_gbp_year", "fuel_rebate_gbp_year", "fpeer_score", "fuel_cost_at_band_c_gbp_year"]
    for name in [*names, "is_fuel_poor"]:
        table[name] = homes[name].to_numpy()
    return table.sort_values("household_id", ignore_index=True)


def write_acorn(homes: pd.DataFrame, places: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Type every postcode by its own latent, and how deprived and how poor its homes are."""
    means = homes.groupby("postcode")[["deprived", "is_low"]].mean().reindex(places.index)
    means = means.fillna(means.mean()).fillna(0.0)
    latent = places["latent"] + 2 * means["deprived"] + 2 * means["is_low"] + random.normal(0, 0.5, len(places))
    share = latent.rank(ascending=False, method="first").to_numpy() / max(len(places), 1)
    types = np.ceil(share * WELLBEING_TYPES).astype("int64")
    groups = np.searchsorted(WELLBEING_LAST_TYPES, types) + 1
    table = pd.DataFrame({"postcode": places["postcode"], "wellbeing_group": groups, "wellbeing_type": types})
    return table.sort_values("postcode", ignore_index=True)


def draw_certificates(
    homes: pd.DataFrame, places: pd.DataFrame, random: np.random.Generator, seed: int
) -> pd.DataFrame:
    """Draw certificates for six homes in ten: rented homes more often, with an error of measurement."""
    odds = logit(EPC_SHARE) + np.array(EPC_BY_TENURE)[homes["tenure"]]
    odds = odds - np.mean(odds) + logit(EPC_SHARE) if len(homes) else odds
    rated = homes[random.random(len(homes)) < expit(odds)]
    score = rated["fpeer_score"].to_numpy() + random.normal(0, EPC_SCORE_NOISE, len(rated))
    table = pd.DataFrame({"lmk_key": make_pseudonyms(len(rated), seed, "certificate")}, copy=False)
    table["postcode"] = _take(places["postcode"], rated["postcode"])
    # numbers of 12 digits in an order of chance, beyond those that are given out
    table["uprn"] = 900_000_000_000 + random.permutation(len(rated))
    efficiency = np.floor(score + 0.5).clip(1, HIGHEST_SCORE)
    bands = find_fpeer_bands(pd.DataFrame({"fpeer_score": efficiency}))
    table["current_energy_rating"] = bands.astype("str").to_numpy()
    table["current_energy_efficiency"] = efficiency.astype("int64")
    table["property_type"] = _take(PROPERTY_TYPES, rated["accommodation"])
    table["main_fuel"] = _take(MAIN_FUELS, rated["heating"])
    table["total_floor_area_m2"] = rated["total_floor_area_m2"].to_numpy()
    table["inspection_date"] = _draw_days(len(rated), random)
    return table.sort_values("lmk_key", ignore_index=True)


def write_interventions(
    homes: pd.DataFrame, measures: Codes, places: pd.DataFrame, random: np.random.Generator, seed: int
) -> pd.DataFrame:
    """Write a row for each measure, with a day, a cost and a scheme drawn for it."""
    helped, measure = homes[measures >= 0], measures[measures >= 0]
    table = pd.DataFrame({"intervention_id": make_pseudonyms(len(helped), seed, "intervention")}, copy=False)
    table["household_id"] = helped["id"].to_numpy()
    table["postcode"] = _take(places["postcode"], helped["postcode"])
    table["measure"] = _take(MEASURES, measure)
    table["installed_on"] = _draw_days(len(helped), random)
    table["cost_gbp"] = np.round(np.array(MEASURE_GBP)[measure] * random.lognormal(0.0, 0.2, len(helped)))
    table["scheme"] = _take(SCHEMES, random.integers(0, len(SCHEMES), len(helped)))
    return table.sort_values("intervention_id", ignore_index=True)


def _draw_days(number: int, random: np.random.Generator) -> NDArray[np.datetime64]:
    days = int((LAST_DAY - FIRST_DAY).astype("int64")) + 1
    return (FIRST_DAY + random.integers(0, days, number)).astype("datetime64[s]")
