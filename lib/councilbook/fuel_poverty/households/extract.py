"""The linked extract, checked, and the chance that each household is in fuel poverty.

The model puts closed, shared and open data together. It may use nothing that the label is computed from (`DEFINING`):
incomes, housing and fuel costs, rebates and the efficiency score of the home. With those it would only repeat the
definition. Illness and use of care may follow from a cold home as well as go with it: they help to find households,
and say nothing of causes.

Sources:
    Platt, J. (1999), Probabilistic outputs for support vector machines, on calibration by a logistic curve.
    Cox, D. R. (1958), Two further applications of a model for binary regression, on calibration slope and intercept.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from councilbook.fuel_poverty.postcodes.covariates import COVARIATES
from councilbook.sources.checks import refuse_rows

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

# --- what may be a predictor, and what may not ---

DEFINING = (
    "income_gbp_year",
    "housing_cost_gbp_year",
    "ahc_income_gbp_year",
    "required_fuel_cost_gbp_year",
    "fuel_rebate_gbp_year",
    "fpeer_score",
    "fuel_cost_at_band_c_gbp_year",
    "is_fuel_poor",
)
LEVELS: Mapping[str, tuple[str, ...]] = {  # the first is what the others are compared with
    "tenure": ("owned_outright", "mortgaged", "social_rented", "private_rented"),
    "accommodation": ("semi_detached", "detached", "terraced", "flat", "other"),
    "heating": ("gas", "electric", "oil", "none", "other"),
    "wellbeing_group": ("4", "3", "2", "1", "not known"),
}
CONDITIONS = ("respiratory", "circulatory", "mental_health", "falls")
YES_NO = ("storage_heaters", "prepayment_meter", *CONDITIONS, "social_care", "has_certificates")
CLOSED: Mapping[str, str] = {
    "tenure": "Tenure",
    "accommodation": "Kind of home",
    "heating": "Heating",
    "storage_heaters": "Storage heaters",
    "prepayment_meter": "Prepayment meter",
    "adults": "Adults",
    "children_14_plus": "Children of 14 or over",
    "children_under_14": "Children under 14",
    "oldest_age": "Age of the oldest member",
    "youngest_age": "Age of the youngest member",
    "respiratory": "A member with a respiratory condition",
    "circulatory": "A member with a circulatory condition",
    "mental_health": "A member with a mental health condition",
    "falls": "A member who has fallen",
    "gp_contacts": "Contacts with a general practice",
    "emergency_admissions": "Emergency admissions",
    "social_care": "A member with social care",
}
SHARED: Mapping[str, str] = {
    "wellbeing_group": "Wellbeing Acorn group of the postcode",
    "has_certificates": "Certificates of the postcode are known",
    "epc_efficiency": "Mean efficiency of the postcode's certificates",
    "epc_below_c_pct": "Certificates of the postcode below band C",
}
# The six kinds of household add up to all, so one is left out. The open estimate of a postcode is no predictor: it is
# benchmarked to official counts of the very areas that are left out.
OPEN: Mapping[str, str] = {
    name: f"Around: {name.removesuffix('_pct').replace('_', ' ')}, %"
    for name in COVARIATES
    if name != "other_households_pct"
}
PREDICTORS: Mapping[str, str] = {**CLOSED, **SHARED, **OPEN}

# --- the extract ---


def prepare_households(
    households: pd.DataFrame,
    people: pd.DataFrame,
    acorn: pd.DataFrame | None,
    epc: pd.DataFrame | None,
    postcodes: pd.DataFrame,
) -> pd.DataFrame:
    """Bring what is known of people and postcodes to their households, once they are found to belong together.

    Certificates have no way to a household but the postcode, so those of a postcode are averaged. A household without
    people's records has no condition and no contact. One whose postcode has no Acorn group or no certificate stays in:
    that it is not known is a level of its own (has_certificates, and "not known" among the groups).

    Args:
        households, people, acorn, epc: checked against their declared fields; columns of households beyond those named
            here are kept, unless they are named like one that is returned. None where there is no file of the groups
            or of certificates.
        postcodes: the current directory.

    Returns:
        The rows and columns of `households`, with a new index, latitude and longitude of the postcode, and the
        columns of `CLOSED` and `SHARED`. Columns of `DEFINING` may not be there, as records of health and care do not
        hold them; those that hold no value are left out.

    Raises:
        CheckError: who is fuel poor is said of some households alone, a postcode is not in the directory, or a person
            has no household. It names rows by position, and shows no value.
    """
    unknown = [name for name in DEFINING if name in households and households[name].isna().all()]
    households = households.drop(columns=unknown)
    if "is_fuel_poor" in households:
        refuse_rows(households["is_fuel_poor"].isna(), "households: is_fuel_poor", "a value in every row, or in none")
    key = "postcode"
    if households[key].isna().all():  # then the small area is the most that is known of where a home is
        key, acorn, epc = "lsoa21_code", None, None
        postcodes = postcodes.groupby(key, as_index=False)[["latitude", "longitude"]].mean()
    place = _find_rows(households[key], postcodes[key])
    home = _find_rows(people["household_id"], households["household_id"])
    refuse_rows(place < 0, f"households: {key}", "one of the current postcode directory")
    refuse_rows(home < 0, "people: household_id", "one of the households")
    known = _describe_postcodes(postcodes, acorn, epc).take(place).reset_index(drop=True)
    joined = pd.concat([known, _sum_people(people, home, len(households))], axis="columns")
    kept = households.drop(columns=list(joined), errors="ignore").reset_index(drop=True)
    return pd.concat([kept, joined], axis="columns")


def check_records(load: Callable[[str], pd.DataFrame]) -> None:
    """Refuse records of households and people that do not fit together, as `prepare_households` does."""
    prepare_households(load("kid_households"), load("kid_people"), None, None, load("postcode_directory"))


def keep_latest_certificates(epc: pd.DataFrame) -> pd.DataFrame:
    """Keep each home's latest certificate, by its property number; those without a number are all kept.

    Args:
        epc: lmk_key, uprn (may be missing), inspection_date.

    Returns:
        The rows that are kept, in their order. Of certificates of one day, the one with the last key.
    """
    ordered = epc.sort_values(["inspection_date", "lmk_key"])
    is_older = ordered.duplicated("uprn", keep="last") & ordered["uprn"].notna()
    return epc[~is_older.reindex(epc.index)]


def add_open(prepared: pd.DataFrame, output_areas: pd.DataFrame) -> pd.DataFrame:
    """Join the open covariates of each household's output area; or their mean over the LSOA, where that alone is known.

    Args:
        prepared: from `prepare_households`.
        output_areas: from `risk.prepare_output_areas`.

    Returns:
        The same rows with the columns of `OPEN`, in percent.

    Raises:
        CheckError: an output area is not among them.
    """
    key = "lsoa21_code" if prepared["oa21_code"].isna().any() else "oa21_code"
    refuse_rows(
        ~prepared[key].isin(output_areas[key]), f"households: {key}", "one of an area that the open covariates describe"
    )
    known = output_areas.groupby(key)[list(OPEN)].mean().reindex(prepared[key])
    return pd.concat([prepared, known.set_axis(prepared.index)], axis="columns")


def _find_rows(values: pd.Series, key: pd.Series) -> npt.NDArray[np.intp]:
    """Return the row whose key each value is, -1 for none. Of millions of pseudonyms, Arrow finds them the fastest."""
    found = pc.index_in(pa.array(values.astype("str")), value_set=pa.array(key.astype("str")))
    return np.asarray(found.fill_null(-1).to_numpy(), dtype="intp")


def _describe_postcodes(postcodes: pd.DataFrame, acorn: pd.DataFrame | None, epc: pd.DataFrame | None) -> pd.DataFrame:
    """Return latitude, longitude and the columns of SHARED, in the order of the directory."""
    known = postcodes[["latitude", "longitude"]].assign(wellbeing_group="not known")
    if acorn is not None:
        groups = acorn.set_index("postcode")["wellbeing_group"].dropna().astype("int64").astype("str")
        known["wellbeing_group"] = postcodes["postcode"].map(groups).astype("str").fillna("not known")
    epc = None if epc is None else epc.dropna(subset="current_energy_efficiency")
    if epc is None:
        return known.assign(has_certificates=False, epc_efficiency=np.nan, epc_below_c_pct=np.nan)
    rated = pd.DataFrame(
        {
            "epc_efficiency": epc["current_energy_efficiency"].astype("float64"),
            "epc_below_c_pct": 100.0 * (epc["current_energy_rating"].astype("str") > "C"),  # as text: G is more than C
        }
    )
    codes, means = postcodes["postcode"], rated.groupby(epc["postcode"]).mean()
    known["has_certificates"] = codes.isin(means.index)
    return known.assign(**{str(name): codes.map(means[name]) for name in means})


def _sum_people(people: pd.DataFrame, home: npt.NDArray[np.intp], number: int) -> pd.DataFrame:
    """Say of each household whether a member has a condition or social care, and sum contacts and admissions."""
    counts = ["gp_contacts", "emergency_admissions"]
    flags = [*CONDITIONS, "social_care"]
    weights = people[[*counts, *flags]].astype("float64")
    sums = pd.DataFrame({name: np.bincount(home, weights=weights[name], minlength=number) for name in weights})
    return sums.astype({**dict.fromkeys(counts, "int64"), **dict.fromkeys(flags, "bool")})
