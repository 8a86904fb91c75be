"""The official indicators of fuel poverty, household by household.

Low Income High Costs (LIHC) is that of the statistics of 2011 to 2018, Low Income Low Energy Efficiency (LILEE) that of
2019 and later. Both ask whether a household would be left below the poverty line after it had paid for a warm home.
LIHC then asks whether that costs it more than the median; LILEE, whether its home is below band C.

Sources:
    Hills, J. (2012), Getting the measure of fuel poverty: final report of the Fuel Poverty Review, CASE report 72.
    BEIS (2020), Fuel poverty methodology handbook: LIHC.
    BEIS (2021) and DESNZ (2023), Fuel poverty methodology handbook (LILEE).
    DWP, Households below average income: quality and methodology information report, on equivalence scales.
    DECC (2014), Fuel poverty energy efficiency rating methodology, URN 14D/273.
    BRE (2012), The Government's Standard Assessment Procedure (SAP 2012), on rating bands.

All money is in pounds a year and of one year. A table of households has a row each and the columns in `COLUMNS`; those
in `LILEE_COLUMNS` are asked for by LILEE alone. What the sources leave open, or was not checked in them, is in
`Assumptions`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from councilbook.errors import CheckError, suggest
from councilbook.sources.checks import refuse_rows

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

COLUMNS: Mapping[str, str] = {
    "ahc_income_gbp_year": "net income of all members, benefits included (by LILEE without those for disability), less "
    "council tax, rent and mortgage payments",
    "required_fuel_cost_gbp_year": "what it would cost to keep the home warm and lit, before rebates",
    "fuel_rebate_gbp_year": "rebates on the bill, such as the Warm Home Discount; 0 if none",
    "adults": "number of adults",
    "children_14_plus": "number of dependent children aged 14 or over",
    "children_under_14": "number of children under 14",
}
LILEE_COLUMNS: Mapping[str, str] = {
    "fpeer_score": "fuel poverty energy efficiency rating; rebates are in it",
    "fuel_cost_at_band_c_gbp_year": "required fuel cost, before rebates, if it were in band C; missing if not known",
}

FIRST_ADULT_PCT = 58  # DWP, modified OECD scale, companion scale for income after housing costs; a couple is 100
OTHER_ADULT_PCT = 42  # the same: a further adult, or a child aged 14 or over
YOUNG_CHILD_PCT = 20  # the same: a child under 14
POVERTY_LINE_SHARE = 0.6  # Hills 2012; BEIS 2020: share of the median equivalised income after housing costs
TIE = 1e-10  # of all weight, by which sums in another order may differ
BANDS = ("G", "F", "E", "D", "C", "B", "A")  # from the worst to the best
BAND_LOWEST_SCORES = (1, 21, 39, 55, 69, 81, 92)  # BRE 2012, rating bands; DECC 2014 takes the same for the FPEER


@dataclass(frozen=True)
class Assumptions:
    """Parts of the method to compare with the handbook of the year before a figure is published.

    Beside these: since 2021 LILEE does not count Disability Living Allowance, Personal Independence Payment and
    Attendance Allowance as income. That is taken from an account of the strategy of 2021, not from the handbook.

    Attributes:
        fuel_factors: factors for the fuel costs of 1, 2, ... people; the last is for all larger households. Those here
            are taken to be the ones of BEIS 2020, by which a couple is 1.
        median_over: whether half of the people are below a median, as with the poverty line of the DWP, or half of the
            households.
        lilee_fuel_scale: whether LILEE makes fuel costs equivalent as LIHC does, by the number of people, or by the
            scale for income.

    Raises:
        CheckError: there is no factor, or one is not a finite number above 0.
    """

    fuel_factors: tuple[float, ...] = (0.82, 1.00, 1.07, 1.21, 1.32)
    median_over: Literal["people", "households"] = "people"
    lilee_fuel_scale: Literal["people", "income"] = "people"

    def __post_init__(self) -> None:
        """Refuse factors that no cost could be divided by."""
        if not self.fuel_factors or not all(np.isfinite(factor) and factor > 0 for factor in self.fuel_factors):
            raise CheckError("Assumptions: fuel_factors must be finite numbers above 0, at least one.")


USUAL = Assumptions()


@dataclass(frozen=True)
class Thresholds:
    """What a year's indicators compare a household with. The official ones are those of England.

    Attributes:
        poverty_line_gbp_year: 60 % of the median equivalised income after housing costs.
        fuel_cost_gbp_year: the median equivalised fuel cost; LIHC alone uses it.

    Raises:
        CheckError: one is not a finite number above 0.
    """

    poverty_line_gbp_year: float
    fuel_cost_gbp_year: float

    def __post_init__(self) -> None:
        """Refuse a threshold that nobody could be compared with."""
        for name, value in vars(self).items():
            if not (np.isfinite(value) and value > 0):
                raise CheckError(f"Thresholds: {name} must be a finite number above 0.")


@dataclass(frozen=True)
class GapTotals:
    """Fuel poverty over many households; each counts as often as its weight says. The mean gap is of the fuel poor."""

    households: float
    fuel_poor_households: float
    fuel_poor_pct: float
    aggregate_gap_gbp_year: float
    mean_gap_gbp_year: float | None


def find_thresholds(
    households: pd.DataFrame, weight: str | None = None, assumptions: Assumptions = USUAL
) -> Thresholds:
    """Find the poverty line and the median fuel cost of a population, or of a sample with weights.

    Args:
        households: a table with the columns in `COLUMNS`.
        weight: column with the number of households that a row stands for; None: each row stands for one.
        assumptions: fuel_factors and median_over are used.

    Raises:
        CheckError: see `measure_lihc`; or no row has a weight above 0, or a threshold is not above 0.
    """
    read = _read_households(households, assumptions.fuel_factors)
    weights = np.ones(len(households)) if weight is None else _read(households, weight, lowest=0)
    if assumptions.median_over == "people":
        weights = weights * read.people
    return Thresholds(
        poverty_line_gbp_year=POVERTY_LINE_SHARE * find_weighted_median(read.equivalised_income, weights),
        fuel_cost_gbp_year=find_weighted_median(read.fuel_cost / read.fuel_factor, weights),
    )


def find_weighted_median(values: Numbers, weights: Numbers) -> float:
    """Find the value that as much weight is below as above; the mean of two if a half ends exactly between them.

    Args:
        values: finite numbers.
        weights: a weight each, 0 or more: a weight of 2 is the same as two equal rows, one of 0 as no row.

    Raises:
        CheckError: no weight is above 0.
    """
    counted = weights > 0
    if not counted.any():
        raise CheckError("No row has a weight above 0, so there is no median.")
    order = np.argsort(values[counted])
    ordered, shares = values[counted][order], np.cumsum(weights[counted][order]) / weights.sum()
    ends = np.searchsorted(shares, [0.5 - TIE, 0.5 + TIE])
    return float(ordered[ends].mean())


def measure_lihc(households: pd.DataFrame, thresholds: Thresholds, assumptions: Assumptions = USUAL) -> pd.DataFrame:
    """Tell by the Low Income High Costs indicator who is in fuel poverty, and how deep.

    A household is in fuel poverty if its equivalised income is below its income threshold (the poverty line plus its
    own equivalised fuel cost) and its equivalised fuel cost is above the median (Hills 2012; BEIS 2020). Its gap is
    what it would have to save on fuel to reach the nearer of the two.

    An income after housing costs may be below 0: it is taken as it is, as the DWP does in its own statistics.

    Args:
        households: a table with the columns in `COLUMNS`. No value may be missing.
        thresholds: those of the year.
        assumptions: fuel_factors are used.

    Returns:
        A table with the same index. Equivalised amounts are those of a couple without children:
        equivalised_income_gbp_year, equivalised_fuel_cost_gbp_year, income_threshold_gbp_year,
        residual_income_gbp_year (equivalised income less equivalised fuel cost), is_low_income, is_high_cost,
        is_fuel_poor, and fuel_poverty_gap_gbp_year, which is not equivalised, and 0 for who is not in fuel poverty.

    Raises:
        CheckError: a column is not there, or a value cannot be. It names the rows by position, and shows no value.
    """
    read = _read_households(households, assumptions.fuel_factors)
    cost = read.fuel_cost / read.fuel_factor
    threshold = thresholds.poverty_line_gbp_year + cost
    is_low_income = read.equivalised_income < threshold
    is_high_cost = cost > thresholds.fuel_cost_gbp_year
    is_fuel_poor = is_low_income & is_high_cost
    gap = np.minimum(threshold - read.equivalised_income, cost - thresholds.fuel_cost_gbp_year) * read.fuel_factor
    return pd.DataFrame(
        {
            "equivalised_income_gbp_year": read.equivalised_income,
            "equivalised_fuel_cost_gbp_year": cost,
            "income_threshold_gbp_year": threshold,
            "residual_income_gbp_year": read.equivalised_income - cost,
            "is_low_income": is_low_income,
            "is_high_cost": is_high_cost,
            "is_fuel_poor": is_fuel_poor,
            "fuel_poverty_gap_gbp_year": np.where(is_fuel_poor, gap, 0.0),
        },
        index=households.index,
        copy=False,
    )


def measure_lilee(households: pd.DataFrame, thresholds: Thresholds, assumptions: Assumptions = USUAL) -> pd.DataFrame:
    """Tell by the Low Income Low Energy Efficiency indicator who is in fuel poverty, and how deep.

    A household is in fuel poverty if its home is in band D or below and its equivalised income is below its income
    threshold, the poverty line plus its own equivalised fuel cost (BEIS 2021). Its gap is the smaller of two savings on
    fuel: what would bring it to its income threshold, and what the home would save in band C. The first may be more
    than all it has to pay for fuel.

    An income after housing costs may be below 0: it is taken as it is, as the DWP does in its own statistics.

    Args:
        households: a table with the columns in `COLUMNS` and `LILEE_COLUMNS`. Only fuel_cost_at_band_c_gbp_year may
            have missing values; the gap is then that to the income threshold.
        thresholds: those of the year.
        assumptions: fuel_factors and lilee_fuel_scale are used.

    Returns:
        A table with the same index. Equivalised amounts are those of a couple without children:
        equivalised_income_gbp_year, income_threshold_gbp_year, residual_income_gbp_year (equivalised income less
        equivalised fuel cost), is_low_income, fpeer_band, is_fuel_poor, and fuel_poverty_gap_gbp_year, which is not
        equivalised, and 0 for who is not in fuel poverty.

    Raises:
        CheckError: a column is not there, or a value cannot be. It names the rows by position, and shows no value.
    """
    _need_columns(households, [*COLUMNS, *LILEE_COLUMNS])
    read = _read_households(households, assumptions.fuel_factors)
    bands = find_fpeer_bands(households)
    is_inefficient = (bands < "C").to_numpy()
    saving = _read_saving(households, is_inefficient)
    factor = read.fuel_factor if assumptions.lilee_fuel_scale == "people" else read.income_factor
    cost = read.fuel_cost / factor
    threshold = thresholds.poverty_line_gbp_year + cost
    is_low_income = read.equivalised_income < threshold
    is_fuel_poor = is_low_income & is_inefficient
    gap = np.fmin((threshold - read.equivalised_income) * factor, saving)
    return pd.DataFrame(
        {
            "equivalised_income_gbp_year": read.equivalised_income,
            "income_threshold_gbp_year": threshold,
            "residual_income_gbp_year": read.equivalised_income - cost,
            "is_low_income": is_low_income,
            "fpeer_band": bands,
            "is_fuel_poor": is_fuel_poor,
            "fuel_poverty_gap_gbp_year": np.where(is_fuel_poor, gap, 0.0),
        },
        index=households.index,
        copy=False,
    )


def find_fpeer_bands(households: pd.DataFrame) -> pd.Series:
    """Find the band of each home from its score.

    The limits are those of SAP ratings. A score is rounded to a whole number first, a half upwards.

    Args:
        households: a table with the column fpeer_score.

    Returns:
        Bands with the same index, ordered so that a worse one is less: `bands < "C"` are homes in band D or below.

    Raises:
        CheckError: there is no such column, or a score is missing or below 1, the lowest that there is.
    """
    scores = _read(households, "fpeer_score", lowest=BAND_LOWEST_SCORES[0])
    codes = np.searchsorted(BAND_LOWEST_SCORES, np.floor(scores + 0.5), side="right") - 1
    bands = pd.Categorical.from_codes(codes, categories=pd.Index(BANDS), ordered=True)
    return pd.Series(bands, index=households.index, name="fpeer_band", copy=False)


def total_gaps(results: pd.DataFrame, weights: pd.Series | None = None) -> GapTotals:
    """Count the households in fuel poverty and add up their gaps.

    Args:
        results: what `measure_lihc` or `measure_lilee` returned, or rows of it.
        weights: number of households that a row stands for, with the same index; None: each row stands for one.

    Raises:
        CheckError: the indexes differ, a weight is missing or below 0, or no weight is above 0.
    """
    if weights is None:
        counts = np.ones(len(results))
    elif weights.index.equals(results.index):
        counts = _read(weights.to_frame("weights"), "weights", lowest=0)
    else:
        raise CheckError("The weights must have the index of the results.")
    households = float(counts.sum())
    if not households:
        raise CheckError("No row has a weight above 0, so there is nothing to total.")
    poor = float(counts @ results["is_fuel_poor"].to_numpy(dtype="float64"))
    gap = float(counts @ results["fuel_poverty_gap_gbp_year"].to_numpy())
    return GapTotals(households, poor, 100 * poor / households, gap, gap / poor if poor else None)


@dataclass(frozen=True)
class _Households:
    """What both indicators need of each household."""

    people: Numbers
    income_factor: Numbers
    fuel_factor: Numbers
    equivalised_income: Numbers
    fuel_cost: Numbers  # after rebates


def _read_households(households: pd.DataFrame, fuel_factors: tuple[float, ...]) -> _Households:
    _need_columns(households, COLUMNS)
    income = _read(households, "ahc_income_gbp_year")
    cost = _read(households, "required_fuel_cost_gbp_year", lowest=0)
    rebate = _read(households, "fuel_rebate_gbp_year", lowest=0)
    refuse_rows(rebate > cost, "households: fuel_rebate_gbp_year", "no more than the required fuel cost")
    adults = _read(households, "adults", lowest=1, whole=True)
    older = _read(households, "children_14_plus", lowest=0, whole=True)
    young = _read(households, "children_under_14", lowest=0, whole=True)
    others = adults - 1 + older
    # in whole percents, so that a couple is exactly 1
    income_factor = (FIRST_ADULT_PCT + OTHER_ADULT_PCT * others + YOUNG_CHILD_PCT * young) / 100
    people = adults + older + young
    group = np.minimum(people, len(fuel_factors)).astype("int8") - 1
    fuel_factor = np.asarray(fuel_factors)[group]
    return _Households(people, income_factor, fuel_factor, income / income_factor, cost - rebate)


def _read_saving(households: pd.DataFrame, is_inefficient: Flags) -> Numbers:
    """Read what each home would save on fuel in band C; missing where that is not known."""
    now = _read_numbers(households, "required_fuel_cost_gbp_year")
    then = _read_numbers(households, "fuel_cost_at_band_c_gbp_year")
    expected = "missing, or a number from 0 to what is required now"
    is_wrong = (then < 0) | np.isinf(then) | (is_inefficient & (then > now))
    refuse_rows(is_wrong, "households: fuel_cost_at_band_c_gbp_year", expected)
    return now - then


def _need_columns(households: pd.DataFrame, names: Iterable[str]) -> None:
    columns = [str(name) for name in households.columns]
    if absent := [name for name in names if name not in columns]:
        raise CheckError(f"households: no column {', '.join(absent)}.{suggest(absent[0], columns)}")


def _read(households: pd.DataFrame, name: str, *, lowest: float = -np.inf, whole: bool = False) -> Numbers:
    """Read a column in which each value is a number, whole if it is to be, and not below the lowest."""
    values = _read_numbers(households, name)
    limit = f" of at least {lowest:g}" if np.isfinite(lowest) else ""
    is_wrong = ~np.isfinite(values) | (values < lowest) | (whole & (values != np.floor(values)))
    refuse_rows(is_wrong, f"households: {name}", f"a {'whole' if whole else 'finite'} number{limit}")
    return values


def _read_numbers(households: pd.DataFrame, name: str) -> Numbers:
    _need_columns(households, [name])
    values = households[name]
    if not is_numeric_dtype(values) or is_bool_dtype(values):
        raise CheckError(f"households: {name} must be numbers, not {values.dtype}.")
    return values.to_numpy(dtype="float64", na_value=np.nan)
