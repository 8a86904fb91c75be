"""What a school's figure says: among schools, beside the average and its own past, and of the next year group.

"Unusual among schools" and "below the average" are two questions. The limits of the first take into account that
schools differ; those of the second ask whether chance alone can explain a difference from England's rate.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from councilbook.careers.destinations.marks import read_cells
from councilbook.careers.destinations.panel import AFTER_16, COLLEGE, GROUPS, MAINSTREAM, WENT, name_year
from councilbook.errors import CheckError, NotToldError
from councilbook.methods import rates
from councilbook.methods.rates import Floats, Spread

COMPARED = (MAINSTREAM, COLLEGE)
AMONG = ("below the limits", "within the limits", "above the limits")
AVERAGE = ("below England's average", "no clear difference", "above England's average")
INTAKE = ("below the limits for its intake", "within the limits for its intake", "above the limits for its intake")
CHANGE = (
    "lower than its earlier years predict",
    "as its earlier years predict",
    "higher than its earlier years predict",
)
ADDED = [
    *("a", "b", "england_pct", "shrunken_pct", "shrunken_low_pct", "shrunken_high_pct", "among_schools"),
    *("against_average", "expected_pct", "after_intake", "rank_first", "rank_last", "ranked_schools"),
    *("change", "next_pct", "next_low_pct", "next_high_pct", "rate_low_pct", "rate_high_pct"),
]
ROOM = 1.25  # beside the largest school of a funnel
YEARS_BEFORE = 2  # that a prediction is tried on; one more is known for the next cohort


def take_cohorts(panel: pd.DataFrame, measure: str, year: str) -> pd.DataFrame:
    """Take the schools that are compared in one measure and year, whose count is known, or lies between two ends."""
    is_one = panel["measure"].eq(measure) & panel["destination_year"].eq(year)
    return panel[is_one & panel["kind"].isin(COMPARED) & panel["low"].notna()]


def list_counts(rows: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    """List how many each cohort has, and the least and the greatest count who stayed."""
    trials, low, high = rows[["cohort", "low", "high"]].to_numpy("float64").T
    return trials, low, high


def pool_rate(rows: pd.DataFrame) -> float:
    """Return the rate of all cohorts together, 0 to 1."""
    return float((rows["low"] + rows["high"]).sum() / 2 / rows["cohort"].sum())


def judge_schools(rows: pd.DataFrame, spread: Spread, words: tuple[str, str, str]) -> "pd.Series[str]":
    """Say of each whether it lies below, within or above the limits, whichever count of its interval is right."""
    trials, least, most = list_counts(rows)
    low, high = rates.find_limits(trials, spread)
    return pd.Series(np.select([most < low, least > high], [words[0], words[2]], words[1]), index=rows.index)


def expect_rates(rows: pd.DataFrame) -> "pd.Series[float]":
    """Return the rate expected of each by its disadvantaged pupils (indirect standardisation); NaN if not known.

    England's rates of both groups are applied to each school's own pupils, and adjusted so that they add up.
    """
    total = pd.Series(0.0, index=rows.index)
    for group in ("disadvantaged", "others"):
        cohort, stayed = rows[f"cohort_{group}"], rows[f"stayed_{group}"]
        known = cohort.notna() & stayed.notna()
        total += cohort * stayed[known].sum() / max(cohort[known].sum(), 1)
    adjusted = rows["low"][total.notna()].sum() / total.sum() if total.sum() else np.nan
    return (total / rows["cohort"] * adjusted).clip(0.001, 0.999)


@dataclass(frozen=True)
class History:
    """How schools' years lie around each other, of the newest year and those right before it.

    Attributes:
        years: destination years, the earliest first; the last is the newest.
        before: fitted on the years before the newest alone, so that the newest can be held against it.
        latest: fitted on all of them, to predict the next cohort.
    """

    years: tuple[str, ...]
    before: Spread
    latest: Spread

    def predict(self, panel: pd.DataFrame, newest: pd.DataFrame, *, held_out: bool) -> pd.DataFrame:
        """Predict a cohort as large as each school's newest: that itself from the years before, or the next one.

        Returns:
            rate, low and high (counts), with the rows' index; NaN where no earlier year is known.
        """
        years, spread = (self.years[:-1], self.before) if held_out else (self.years, self.latest)
        own = stack_years(panel, years, newest["series_urn"])
        predicted = rates.predict_counts(*own, spread, newest["cohort"].to_numpy("float64")).astype("float64")
        predicted.loc[np.isnan(own[1]).all(axis=1)] = np.nan
        return predicted.set_index(newest.index)


def fit_history(panel: pd.DataFrame) -> History:
    """Fit the years of England's mainstream schools, after GCSEs.

    Raises:
        CheckError: the year before the newest is not known.
    """
    known = set(panel.loc[panel["measure"].eq(AFTER_16), "destination_year"])
    newest = max(known)
    wanted = [name_year(int(newest[:4]) + 1 - before) for before in range(YEARS_BEFORE, -1, -1)]
    years = tuple(name for name in wanted if name in known)
    if len(years) < 2:
        raise CheckError(f"Destinations by school: the year before {newest} is not known, so nothing can be predicted.")
    before = rates.fit_years(*stack_years(panel, years[:-1]))
    return History(years, before, rates.fit_years(*stack_years(panel, years)))


def compare_schools(panel: pd.DataFrame, own: pd.DataFrame, history: History, rng: np.random.Generator) -> pd.DataFrame:
    """Say of each of a council's schools what its figures say, beside England's schools.

    Args:
        panel: rows of all of England; see `Panel`.
        own: those of the council.
        history: from `fit_history`.
        rng: random numbers, for ranks.

    Returns:
        The council's rows, with rate_low_pct and rate_high_pct (from the ends of its count), england_pct, shrunken_pct
        with its ends, and after GCSEs expected_pct (by intake), among_schools, against_average, after_intake, and for
        the newest year rank_first, rank_last and ranked_schools (among the council's) and what `predict_schools` says.
        Blank where the figure is not known, or the school is not compared. After 16 to 18 study nothing is called
        unusual: colleges and sixth forms teach at different levels.
    """
    parts = [_compare_year(panel, own, str(measure), str(year)) for measure, year in _list_years(own)]
    compared = own.join(pd.concat(parts)) if parts else own
    compared = compared.reindex(columns=[*own, *(name for name in ADDED if name not in own)])
    for end in ("low", "high"):
        compared[f"rate_{end}_pct"] = 100 * compared[end] / compared["cohort"]
    newest = take_newest(compared, history.years[-1])
    first, last = rates.rank_units(rates.draw_rates(newest, rng))
    added = pd.DataFrame({"rank_first": first, "rank_last": last, "ranked_schools": len(newest)}, newest.index)
    added = added.join(predict_schools(panel, newest, history))
    return added.combine_first(compared)[list(compared)]


def take_newest(compared: pd.DataFrame, year: str) -> pd.DataFrame:
    """Take the mainstream schools that have a figure in the newest year; where none has one, a NotToldError."""
    is_newest = compared["measure"].eq(AFTER_16) & compared["destination_year"].eq(year)
    newest = compared[is_newest & compared["a"].notna()]
    if newest.empty:
        raise NotToldError(f"No mainstream school here has a figure of its leavers in {year}.")
    return newest


def predict_schools(panel: pd.DataFrame, newest: pd.DataFrame, history: History) -> pd.DataFrame:
    """Hold each school's newest figure against what its earlier years predict, and predict its next cohort.

    Args:
        panel: rows of all of England.
        newest: a council's rows of the newest year.
        history: from `fit_history`.

    Returns:
        change, next_pct, next_low_pct, next_high_pct, with the rows' index.
    """
    expected = history.predict(panel, newest, held_out=True)
    ahead = history.predict(panel, newest, held_out=False)
    is_lower, is_higher = newest["high"] < expected["low"], newest["low"] > expected["high"]
    words = np.select([expected["rate"].isna(), is_lower, is_higher], ["", CHANGE[0], CHANGE[2]], CHANGE[1])
    return pd.DataFrame(
        {
            "change": words,
            "next_pct": 100 * ahead["rate"],
            "next_low_pct": 100 * ahead["low"] / newest["cohort"],
            "next_high_pct": 100 * ahead["high"] / newest["cohort"],
        },
        index=newest.index,
    )


def stack_years(
    panel: pd.DataFrame, years: Sequence[str], series: "pd.Series[str] | None" = None
) -> tuple[Floats, Floats, Floats]:
    """Put mainstream schools' years beside each other: cohorts, least and greatest counts, a column a year.

    Args:
        panel: rows of all of England.
        years: destination years.
        series: URNs wanted, in order; without it all schools with a known figure in any of the years.
    """
    is_one = panel["measure"].eq(AFTER_16) & panel["kind"].eq(MAINSTREAM) & panel["low"].notna()
    rows = panel[is_one & panel["destination_year"].isin(years)]
    by_school = rows.set_index(["series_urn", "destination_year"])[["cohort", "low", "high"]]
    wanted = rows["series_urn"].unique() if series is None else series
    places = pd.MultiIndex.from_product([wanted, list(years)], names=by_school.index.names)
    stacked = by_school.reindex(places).to_numpy("float64").reshape(len(wanted), len(years), 3)
    return stacked[..., 0], stacked[..., 1], stacked[..., 2]


def _list_years(own: pd.DataFrame) -> list[tuple[str, str]]:
    known = own[own["low"].notna() & own["kind"].isin(COMPARED)]
    return list(dict.fromkeys(zip(known["measure"], known["destination_year"], strict=True)))


def _compare_year(panel: pd.DataFrame, own: pd.DataFrame, measure: str, year: str) -> pd.DataFrame:
    england, mine = take_cohorts(panel, measure, year), take_cohorts(own, measure, year)
    spread = rates.fit_spread(*list_counts(england))
    known = rates.estimate_rates(*list_counts(mine), spread).set_index(mine.index)
    compared = known[["a", "b"]].assign(
        england_pct=100 * pool_rate(england),
        shrunken_pct=100 * known["rate"],
        shrunken_low_pct=100 * known["low"],
        shrunken_high_pct=100 * known["high"],
    )
    if measure != AFTER_16:
        return compared
    compared["among_schools"] = judge_schools(mine, spread, AMONG)
    compared["against_average"] = judge_schools(mine, Spread(pool_rate(england), np.inf), AVERAGE)
    expected = expect_rates(england)
    if expected.notna().any():
        compared["expected_pct"] = 100 * expected.reindex(mine.index)
        compared["after_intake"] = judge_intake(england, expected).reindex(mine.index)
    return compared


def judge_intake(england: pd.DataFrame, expected: "pd.Series[float]") -> "pd.Series[str]":
    """Say of each school whether it is unusual among schools once its intake is taken into account."""
    known = england[expected.notna()]
    means: Floats = np.asarray(expected.dropna(), dtype="float64")
    return judge_schools(known, rates.fit_spread(*list_counts(known), means), INTAKE)


def draw_limits(england: pd.DataFrame, own: pd.DataFrame) -> pd.DataFrame:
    """Return the limits by size of cohort, for a funnel: band, x (pupils), low and high (percent).

    Args:
        england: schools that the limits are fitted to.
        own: the council's, which say how far the sizes go.
    """
    sizes = np.arange(10.0, ROOM * float(own["cohort"].max()))
    average = Spread(pool_rate(england), np.inf)
    bands = {
        "limits among schools, which differ": rates.fit_spread(*list_counts(england)),
        "limits around England's rate, if chance alone made a difference": average,
    }
    parts = []
    for band, one in bands.items():
        low, high = rates.find_limits(sizes, one)
        parts.append(pd.DataFrame({"band": band, "x": sizes, "low": 100 * low / sizes, "high": 100 * high / sizes}))
    return pd.concat(parts, ignore_index=True)


def tidy_schools(compared: pd.DataFrame, census: pd.DataFrame) -> pd.DataFrame:
    """Return the dataset of destinations by school.

    Args:
        compared: from `compare_schools`.
        census: urn, free_meals_pct (as text); of one year, set beside the newest year after GCSEs alone.
    """
    tidy = compared.rename(columns={"low": "stayed_low", "high": "stayed_high"})
    meals = census.set_index("urn")["free_meals_pct"].fillna("")
    shares = read_cells(meals, "School census, free school meals", percent=True)["value"]
    is_newest = tidy["destination_year"].eq(tidy["destination_year"].max()) & tidy["measure"].eq(AFTER_16)
    tidy["free_meals_pct"] = tidy["urn"].map(shares).where(is_newest)
    whole = ["cohort", "stayed_low", "stayed_high", *WENT, *GROUPS, "rank_first", "rank_last", "ranked_schools"]
    tidy[whole] = tidy[whole].astype("Int64")
    shared = [str(name) for name in tidy if str(name).endswith("_pct")]
    tidy[shared] = tidy[shared].astype("float64").round(2)
    words = ["reason", "among_schools", "against_average", "after_intake", "change"]
    for name in words:
        tidy[name] = tidy[name].astype("str").where(tidy[name].notna() & tidy[name].ne(""))
    return tidy.drop(columns=["a", "b", "establishment"]).reset_index(drop=True)
