"""What service planners and partners may act on: flags with their reasons, and postcodes in bands of risk.

Flags are of households and stay with the closed data. Bands of postcodes are for partners, under an agreement. Counts
by band and postcode sector are made for the gate, which decides what of them may be published.

Sources:
    NICE (2015), Excess winter deaths and illness and the health risks associated with cold homes, guideline NG6, on who
    is vulnerable to the cold.
    BEIS (2021), Fuel poverty methodology handbook (LILEE), on low ratings: band D or below.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from councilbook.errors import CheckError
from councilbook.fuel_poverty.chances.likelihood import Predict
from councilbook.fuel_poverty.households.extract import OPEN, SHARED
from councilbook.fuel_poverty.households.indicators import Thresholds, find_fpeer_bands, measure_lilee
from councilbook.fuel_poverty.households.targeting import average_postcodes, count_poor
from councilbook.fuel_poverty.postcodes.bands import BANDS
from councilbook.paths import read_beside
from councilbook.sources.checks import refuse_rows

FLAGS: Mapping[str, str] = {
    "no_gas": "Not heated by gas",
    "prepayment": "Pays for energy in advance, by a prepayment meter",
    "oil": "Heated by oil, which has to be bought by the tank",
    "storage_heaters": "Heated by storage heaters",
    "cold_sensitive_condition": "A member has a respiratory, circulatory or mental health condition",
    "aged_66_or_over": "A member is 66 or over",
    "aged_under_5": "A member is under 5",
    "low_rating": "The home is in band D or below",
}
LACKS: Mapping[str, str] = {
    "no_acorn_group": "No Wellbeing Acorn group of the postcode is known",
    "no_certificates": "No energy certificate of the postcode is known",
}
COLD_SENSITIVE = ("respiratory", "circulatory", "mental_health")  # of those that NG6 names, the ones in the extract
OLD_AGE, YOUNG_AGE = 66, 5
AT_RISK_SHARE = 0.2  # of all households: as many as are in the highest band
POSTCODE = r"[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}"
ALL = "All"
COUNTS = ["households", "at_risk_households"]


# --- households ---


def make_flags(prepared: pd.DataFrame) -> pd.DataFrame:
    """Flag each household for service planners.

    Args:
        prepared: from `households.prepare_households`.

    Returns:
        A column a flag of FLAGS, flags (how many) and reasons (in words, joined by "; "), on the same index. The flag
        low_rating is missing where no rating is known. For those who may see the closed data alone.
    """
    flags = pd.DataFrame(
        {
            "no_gas": prepared["heating"] != "gas",
            "prepayment": prepared["prepayment_meter"],
            "oil": prepared["heating"] == "oil",
            "storage_heaters": prepared["storage_heaters"],
            "cold_sensitive_condition": prepared[list(COLD_SENSITIVE)].any(axis="columns"),
            "aged_66_or_over": prepared["oldest_age"] >= OLD_AGE,
            "aged_under_5": prepared["youngest_age"] < YOUNG_AGE,
            "low_rating": False,
        }
    ).astype("bool")
    rated = prepared["fpeer_score"].notna() if "fpeer_score" in prepared else pd.Series(False, prepared.index)
    if rated.any():
        flags.loc[rated, "low_rating"] = find_fpeer_bands(prepared[rated]) < "C"
    # Eight flags have 256 combinations, which are put into words once each.
    codes = flags.to_numpy() @ (1 << np.arange(len(FLAGS)))
    distinct, place = np.unique(codes, return_inverse=True)
    words = ["; ".join(w for bit, w in enumerate(FLAGS.values()) if code >> bit & 1) for code in distinct]
    told = flags.assign(flags=flags.sum(axis="columns"), reasons=pd.Index(words, dtype="str").take(place))
    return told if rated.all() else told.assign(low_rating=flags["low_rating"].astype("boolean").where(rated))


def count_flags(flags: pd.DataFrame, prepared: pd.DataFrame) -> pd.DataFrame:
    """Count the households with each flag and those that lack something, and how many are fuel poor, or expected to be.

    Returns:
        A row a flag, in the order of FLAGS and LACKS, but for one that is known of no household: flag, reason,
        households, fuel_poor_households. Counts of closed data: not for publication until the gate has been over them.
    """
    poor = count_poor(prepared)
    has = {name: flags[name].fillna(False).to_numpy(dtype="bool") for name in FLAGS if flags[name].notna().any()}
    has["no_acorn_group"] = (prepared["wellbeing_group"] == "not known").to_numpy()
    has["no_certificates"] = ~prepared["has_certificates"].to_numpy(dtype="bool")
    return pd.DataFrame(
        {
            "flag": list(has),
            "reason": [{**FLAGS, **LACKS}[name] for name in has],
            "households": [int(one.sum()) for one in has.values()],
            "fuel_poor_households": [round(poor[one].sum()) for one in has.values()],
        }
    )


# --- postcodes ---


def list_at_risk_postcodes(prepared: pd.DataFrame, chance: pd.Series) -> pd.DataFrame:
    """Put postcodes into fifths of all homes by the mean chance of their households, for partners.

    The list says neither a chance nor how many households there are, but a band can still tell something of a street:
    it is for partners, not open.

    Args:
        prepared: from `households.prepare_households`.
        chance: combined probability of each household, on the same index.

    Returns:
        A row a postcode, sorted: postcode, lad22_code, band (1 the lowest fifth to 5), band_of (postcode, output
        area or LSOA: what the mean is of). Postcodes of one mean have one band: that of the middle of their homes.

    Raises:
        CheckError: the indexes differ.
    """
    places = average_postcodes(prepared, chance).rename(columns={"mean_of": "band_of"})
    by_mean = places["households"].groupby(places["chance"]).sum()  # from the lowest mean
    middle = (by_mean.cumsum() - by_mean / 2) / by_mean.sum()
    band = np.floor(len(BANDS) * places["chance"].map(middle)) + 1
    places["band"] = np.minimum(band, len(BANDS)).astype("int64")
    return places[["postcode", "lad22_code", "band", "band_of"]]


def find_at_risk(chance: pd.Series) -> pd.Series:
    """Tell which households are in the fifth with the highest chance; those of the limit's chance are all in it."""
    return chance >= chance.quantile(1 - AT_RISK_SHARE, interpolation="higher")


def count_bands(prepared: pd.DataFrame, listed: pd.DataFrame, at_risk: pd.Series) -> pd.DataFrame:
    """Count households and households at risk by postcode sector and band, with both margins, for a `counts` rule.

    The rule declares at_risk_households as part of households, and in `totals` that "All" stands for all others of
    postcode_sector and of band. Counts are exact: only what the gate makes of them may be open.

    Args:
        prepared: postcode of each household.
        listed: from `list_at_risk_postcodes`.
        at_risk: from `find_at_risk`, on the index of `prepared`.

    Returns:
        A row each sector and band, and "All" of either: postcode_sector, band (text), households, at_risk_households.

    Raises:
        CheckError: the indexes differ, a household's postcode is not listed, or a listed one is not written as CT1 2AB.
    """
    if not at_risk.index.equals(prepared.index):
        raise CheckError("Who is at risk must have the index of the households.")
    is_placed = prepared["postcode"].notna()
    prepared, at_risk = prepared[is_placed], at_risk[is_placed]
    refuse_rows(~listed["postcode"].str.fullmatch(POSTCODE), "listed: postcode", "written as CT1 2AB")
    place = pd.Index(listed["postcode"]).get_indexer(pd.Index(prepared["postcode"]))
    refuse_rows(place < 0, "households: postcode", "one of the list")
    homes = pd.DataFrame(
        {
            "postcode_sector": listed["postcode"].str[:-2].take(place).to_numpy(),
            "band": listed["band"].astype("str").take(place).to_numpy(),
            "households": 1,
            "at_risk_households": at_risk.to_numpy(dtype="int64"),
        }
    )
    levels = {"postcode_sector": sorted(homes["postcode_sector"].unique()), "band": [str(number) for number in BANDS]}
    counts = homes.groupby(list(levels), as_index=False)[COUNTS].sum()
    margins = [counts, counts.assign(band=ALL), counts.assign(postcode_sector=ALL)]
    margins.append(counts.assign(postcode_sector=ALL, band=ALL))
    every = pd.MultiIndex.from_product([[*values, ALL] for values in levels.values()], names=list(levels))
    return pd.concat(margins).groupby(list(levels))[COUNTS].sum().reindex(every, fill_value=0).reset_index()


# --- personas ---


def list_personas() -> pd.DataFrame:
    """Return five invented households that can go wherever a household goes.

    Returns:
        A row a persona: household_id (invented-1 to invented-5), persona, description (two lines), is_invented (true),
        and the columns that `indicators.measure_lilee`, `make_flags` and a function from `households.fit_chance` read.
        They live nowhere, so numbers about a place are missing, which a model takes as usual ones.
    """
    told = read_beside(__file__, "personas.yaml")
    personas = pd.DataFrame([told["usual"] | one for one in told["personas"]])
    personas["ahc_income_gbp_year"] = personas["income_gbp_year"] - personas["housing_cost_gbp_year"]
    personas.insert(0, "household_id", [f"invented-{number}" for number in range(1, len(personas) + 1)])
    personas["is_invented"] = True
    return personas.assign(**{name: np.nan for name in [*SHARED, *OPEN] if name not in personas})


def follow_personas(thresholds: Thresholds, predict: Predict) -> pd.DataFrame:
    """Take the invented households through the definition, the flags and the model.

    Args:
        thresholds: those of the year, for `measure_lilee`.
        predict: from `households.fit_chance`.

    Returns:
        A row a persona: persona, description, is_invented, is_low_income, fpeer_band, is_fuel_poor,
        fuel_poverty_gap_gbp_year, flags, reasons, chance (probability of being fuel poor, by the model).
    """
    personas = list_personas()
    measured = measure_lilee(personas, thresholds)
    told = personas[["persona", "description", "is_invented"]].join(
        measured[["is_low_income", "fpeer_band", "is_fuel_poor", "fuel_poverty_gap_gbp_year"]]
    )
    return told.join(make_flags(personas)[["flags", "reasons"]]).assign(chance=predict(personas))
