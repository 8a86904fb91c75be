"""Yearly outcomes of a synthetic population's homes, with planted effects of the measures in its register.

For the twin of what a council would link to its register of measures: gas used, the fuel poverty gap and emergency
admissions of the homes that had a measure, and of some that had none. Every constant here is invented, and no real
household is in it: a finding on it is a finding about these constants. That is what it is for: an estimate can be held
against what was planted.

What would have been without measures moves in parallel, but for what tenure and age say: each year adds the same to
all, and some tenures have a trend of their own, so homes must be compared with homes of their tenure. Each measure then
takes a share of an outcome, which grows with the years since (advice fades) and is larger for early starts. As the
shares are known, what was taken can be worked out from what is left (`find_planted`).
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtr

from councilbook.fuel_poverty.households.indicators import Numbers
from councilbook.fuel_poverty.twin.homes import ACCOMMODATION, TENURE, Codes
from councilbook.fuel_poverty.twin.population import ADMISSION_LOG, BAND_C, CONDITIONS, Population
from councilbook.fuel_poverty.twin.tables import MEASURES
from councilbook.methods.impact import OUTCOMES

YEARS = range(2011, 2025)
OTHERS_PER_TREATED = 3

# All that follows is invented. What a measure takes of each outcome in full, in the order of MEASURES.
PLANTED_SHARES = {
    "gas_kwh": (0.05, 0.11, 0.17, 0.09, 0.0, 0.0),
    "fuel_poverty_gap_gbp": (0.16, 0.28, 0.38, 0.26, 0.22, 0.45),
    "emergency_admissions": (0.07, 0.09, 0.13, 0.10, 0.10, 0.02),
}
FIRST_PART, GROWING_YEARS = 0.4, 6  # of the full share, in the first whole year since; and until it is full
FADING = 0.75  # what is left of advice after each year more
EARLY_BEFORE, EARLY, LATE = 2017, 1.2, 0.8  # homes that gain most were done first
ADVICE, HEAT_PUMP = MEASURES.index("income_advice"), MEASURES.index("heat_pump")

# kWh and shares by year of YEARS: cold winters, dearer energy, a pandemic
GAS_BY_YEAR = (600, 900, 1000, 300, 350, 300, 150, 250, 100, 0, 350, -700, -1300, -1100)
POOR_BY_YEAR = (0.03, 0.03, 0.03, 0.02, 0.01, 0.0, 0.0, 0.01, 0.01, 0.02, 0.05, 0.14, 0.17, 0.15)
ADMISSIONS_BY_YEAR = (0.0, 0.002, 0.004, 0.006, 0.008, 0.01, 0.012, 0.014, 0.016, -0.01, 0.0, 0.008, 0.012, 0.014)
# what each year adds, in the order of TENURE
GAS_TREND_BY_TENURE = (0.0, -60.0, -20.0, 30.0)
POOR_TREND_BY_TENURE = (0.0, -0.003, -0.002, 0.004)
ADMISSIONS_TREND_66 = 0.003  # where the oldest is 66 or more

GAS_BY_ACCOMMODATION = (16_500.0, 13_000.0, 12_000.0, 8_500.0, 8_500.0)
GAS_OF_ADULT, GAS_BY_POINT = 900.0, 60.0  # kWh; the second for a point of the FPEER below band C
GAS_OWN, GAS_NOISE, GAS_LASTS = 1_800.0, 1_000.0, 0.5  # standard deviations; and correlation of a year and the next
GAS_LEAST = 1_500.0
GAS_UNREAD = 0.04  # of readings
POOR_BASE, POOR_NOW, POOR_LASTS = 0.08, 0.45, 0.8  # share with a gap; more if fuel poor now; correlation as above
GAP_GBP, GAP_SPREAD = 380.0, 0.5  # median of the gaps, alike for all; standard deviation of the logarithm
FRAILTY_SHAPE = 2.0  # of the gamma distribution that makes admissions of a home cluster
ADMISSIONS_LEAST = 0.005


def draw_outcomes(population: Population, seed: int) -> pd.DataFrame:
    """Draw each year's outcomes of the homes in the register, and of about three times as many that are not in it.

    Args:
        population: its households, people and interventions are used.
        seed: the same gives the same frame.

    Returns:
        A row a household and year of YEARS, in their order: household_id, year, gas_kwh (missing where the home is not
        heated by gas, once it has a heat pump, and for a few readings), fuel_poverty_gap_gbp, emergency_admissions.
    """
    random = np.random.default_rng([seed, *b"outcomes"])
    homes = _choose_homes(population, random)
    drawn = {
        "gas_kwh": _draw_gas(homes, random),
        "fuel_poverty_gap_gbp": _draw_gaps(homes, random),
        "emergency_admissions": _draw_admissions(homes, population.people, random),
    }
    shares = {name: _spread_shares(homes, name) for name in OUTCOMES}
    drawn["emergency_admissions"] -= random.binomial(
        drawn["emergency_admissions"].astype("int64"), shares.pop("emergency_admissions")
    )
    for name, share in shares.items():
        drawn[name] = np.round(drawn[name] * (1 - share))
    panel = pd.DataFrame({"household_id": homes["household_id"].repeat(len(YEARS)).to_numpy()}, copy=False)
    panel["year"] = np.tile(np.array(YEARS), len(homes))
    for name in OUTCOMES:
        panel[name] = pd.Series(drawn[name].ravel()).astype("Int64" if name == "gas_kwh" else "int64")
    return panel


def find_planted(panel: pd.DataFrame, interventions: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """Work out what was planted, on average over the rows of treated homes after their start.

    A share s was taken and y is left, so -y s / (1 - s) is what was planted: to the rounding of kWh and pounds, and for
    admissions, which are counted, on average alone. On anything but the twin it means nothing.

    Args:
        panel: from `impact.prepare_panel` or `impact.match_controls`.
        interventions: household_id, measure, installed_on.
        outcome: a column of the panel.

    Returns:
        term, planted: as the terms of `impact.estimate_effect`, "naive" being the average again, in the outcome's unit.
    """
    rows = panel[panel["event_year"].gt(0).fillna(False) & panel[outcome].notna()]
    first = interventions.sort_values("installed_on").drop_duplicates("household_id").set_index("household_id")
    measures = first["measure"].map({name: code for code, name in enumerate(MEASURES)})
    codes, since, start = (
        np.asarray(values, dtype="int64")
        for values in (rows["household_id"].map(measures), rows["event_year"], rows["first_year"])
    )
    share = _find_shares(codes, since, start, outcome)
    taken = pd.Series(-rows[outcome].to_numpy("float64") * share / (1 - share))
    by_year = taken.groupby(since).mean()
    terms = ["average", "naive", *(f"year {year}" for year in by_year.index)]
    return pd.DataFrame({"term": terms, "planted": [taken.mean(), taken.mean(), *by_year]})


def _find_shares(measures: Codes, since: Codes, start: Codes, outcome: str) -> Numbers:
    """Return the share of an outcome that a measure takes so many years since; half of the first in its own year."""
    grown = FIRST_PART + (1 - FIRST_PART) * (since - 1) / (GROWING_YEARS - 1)
    part = np.where(measures == ADVICE, FADING ** np.maximum(since - 1.0, 0.0), np.minimum(grown, 1.0))
    part = np.where(since == 0, FIRST_PART / 2, part)
    full = np.array(PLANTED_SHARES[outcome])[measures] * np.where(start < EARLY_BEFORE, EARLY, LATE)
    return np.where((measures >= 0) & (since >= 0), full * part, 0.0)


def _spread_shares(homes: pd.DataFrame, outcome: str) -> Numbers:
    start = homes["start"].to_numpy()[:, None]
    shape = (len(homes), len(YEARS))
    measures = np.broadcast_to(homes["measure"].to_numpy()[:, None], shape)
    return _find_shares(measures, np.array(YEARS) - start, start, outcome)


def _choose_homes(population: Population, random: np.random.Generator) -> pd.DataFrame:
    """Choose the homes, with the number of their measure (-1 for none) and the year it was installed."""
    households, register = population.households, population.interventions
    chosen = np.array(households["household_id"].isin(register["household_id"]))
    others = np.flatnonzero(~chosen)
    wanted = min(OTHERS_PER_TREATED * int(chosen.sum()), len(others))
    chosen[random.choice(others, wanted, replace=False)] = True
    first = register.sort_values("installed_on").drop_duplicates("household_id").set_index("household_id")
    homes: pd.DataFrame = households[chosen].sort_values("household_id", ignore_index=True)
    codes = first["measure"].map({name: code for code, name in enumerate(MEASURES)})
    homes["measure"] = homes["household_id"].map(codes).fillna(-1).astype("int64")
    homes["start"] = homes["household_id"].map(first["installed_on"].dt.year).fillna(9999).astype("int64")
    homes["tenure"] = homes["tenure"].map({name: code for code, name in enumerate(TENURE)})
    homes["accommodation"] = homes["accommodation"].map({name: code for code, name in enumerate(ACCOMMODATION)})
    return homes


def _add_years(
    base: Numbers | pd.Series, by_year: Sequence[float], trend: Sequence[float], tenure: pd.Series
) -> Numbers:
    """Lay out a row a home and a column a year: its own level, what the year adds to all, its tenure's trend."""
    passed = np.array(YEARS) - YEARS[0]
    level = np.asarray(base, dtype="float64")[:, None] + np.array(by_year)
    return np.asarray(level + np.array(trend)[tenure][:, None] * passed)


def _draw_lasting(homes: int, lasts: float, random: np.random.Generator) -> Numbers:
    """Draw standard normal noise, of which each year keeps a part of the year before."""
    noise = random.normal(size=(homes, len(YEARS)))
    for year in range(1, len(YEARS)):
        noise[:, year] = lasts * noise[:, year - 1] + np.sqrt(1 - lasts**2) * noise[:, year]
    return noise


def _draw_gas(homes: pd.DataFrame, random: np.random.Generator) -> Numbers:
    base = np.array(GAS_BY_ACCOMMODATION)[homes["accommodation"]] + GAS_OF_ADULT * (homes["adults"] - 2)
    base = base + GAS_BY_POINT * (BAND_C - homes["fpeer_score"]) + random.normal(0, GAS_OWN, len(homes))
    gas = _add_years(base, GAS_BY_YEAR, GAS_TREND_BY_TENURE, homes["tenure"])
    gas = np.maximum(gas + GAS_NOISE * _draw_lasting(len(homes), GAS_LASTS, random), GAS_LEAST)
    has_none = (homes["heating"] != "gas").to_numpy()[:, None]
    replaced = (homes["measure"] == HEAT_PUMP).to_numpy()[:, None] & (np.array(YEARS) >= homes[["start"]].to_numpy())
    return np.where(has_none | replaced | (random.random(gas.shape) < GAS_UNREAD), np.nan, gas)


def _draw_gaps(homes: pd.DataFrame, random: np.random.Generator) -> Numbers:
    """Draw a gap in the years when a home has one; how deep it is goes with nothing, so that trends stay parallel."""
    base = POOR_BASE + POOR_NOW * homes["is_fuel_poor"].to_numpy("float64")
    chance = _add_years(base, POOR_BY_YEAR, POOR_TREND_BY_TENURE, homes["tenure"])
    is_poor = ndtr(_draw_lasting(len(homes), POOR_LASTS, random)) < chance
    depth = GAP_GBP * random.lognormal(0.0, GAP_SPREAD, len(homes))
    return np.where(is_poor, depth[:, None], 0.0)


def _draw_admissions(homes: pd.DataFrame, people: pd.DataFrame, random: np.random.Generator) -> Numbers:
    base, ageing, ill, poor = ADMISSION_LOG
    members = people[people["household_id"].isin(homes["household_id"])]
    logs = base + ageing * (members["age"] - 50) / 10 + ill * members[list(CONDITIONS)].sum(axis="columns")
    expected = members.assign(mean=np.exp(logs)).groupby("household_id")["mean"].sum()
    mean = homes["household_id"].map(expected).to_numpy("float64") * np.exp(poor * homes["is_fuel_poor"].to_numpy())
    mean = mean * random.gamma(FRAILTY_SHAPE, 1 / FRAILTY_SHAPE, len(homes))
    years = _add_years(mean, ADMISSIONS_BY_YEAR, (0.0,) * len(TENURE), homes["tenure"])
    ageing_homes = (homes["oldest_age"] >= 66).to_numpy("float64")[:, None]
    years = years + ADMISSIONS_TREND_66 * ageing_homes * (np.array(YEARS) - YEARS[0])
    return np.asarray(random.poisson(np.maximum(years, ADMISSIONS_LEAST)), dtype="float64")
