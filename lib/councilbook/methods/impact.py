"""What past measures did to the households that had them: matched controls and differences in differences.

A household's first measure starts its treatment, whatever the measure. Households start in different years, so a
two-way fixed-effects estimate would take households treated early as controls of those treated late and, where effects
grow or differ, be off, even in sign (Goodman-Bacon 2021, Journal of Econometrics 225(2):254-277). What is estimated
here is an effect for each year of start and year since, against households never treated, then averaged (Sun and
Abraham 2021, Journal of Econometrics 225(2):175-199).

The result is an effect only if treated and controls would have moved in parallel. The test of the years before can
speak against that, not for it.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.stats import f as f_distribution
from scipy.stats import t as t_distribution
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from councilbook.errors import CheckError, TooFewError

OUTCOMES = ["gas_kwh", "fuel_poverty_gap_gbp", "emergency_admissions"]
MAY_BE_MISSING = {"gas_kwh", "fuel_poverty_gap_gbp"}  # a gap takes incomes and costs to know
REFERENCE = -1  # the last whole year before the first measure: every other year is held against it
CALIPER = 0.2  # standard deviations of the logit (Austin 2011, Pharmaceutical Statistics 10(2):150-161)
SHOWN = 3
NO_CELL = "none"
TOLERANCE = 1e-9  # of a matrix with a diagonal of 1, below which a direction is taken for none


def prepare_panel(interventions: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Join the year of each household's first measure to its outcomes, a row a household and year.

    The year of installation is left out: part of it was before and part after. To study one measure alone, leave
    out the households that had another, from both tables, or they would be taken for controls.

    Args:
        interventions: household_id, installed_on (a date).
        outcomes: household_id, year, and one or more of OUTCOMES; gas and gap may be missing, admissions may not.

    Returns:
        household_id, year, first_year (missing for a household without a measure), event_year (years since
        first_year; missing likewise), and the outcomes, ordered by household and year.

    Raises:
        CheckError: a household and year twice, a missing key, date or outcome, negative gas use, a measure of a
            household without outcomes, or one not after the first year of outcomes and before the last. Rows are
            named by their index.
    """
    measured = [name for name in OUTCOMES if name in outcomes]
    if not measured:
        raise CheckError(f"Outcomes: expected one or more of the columns {', '.join(OUTCOMES)}, found none.")
    _check_outcomes(outcomes, measured)
    years = outcomes["year"].astype("int64")
    _check_interventions(interventions, set(outcomes["household_id"]), int(years.min()), int(years.max()))
    first = interventions["installed_on"].dt.year.groupby(interventions["household_id"]).min()
    panel = outcomes[["household_id", *measured]].assign(year=years)
    panel["first_year"] = panel["household_id"].map(first).astype("Int64")
    panel["event_year"] = panel["year"] - panel["first_year"]
    kept = panel[panel["event_year"].ne(0).fillna(True)].sort_values(["household_id", "year"], ignore_index=True)
    return kept[["household_id", "year", "first_year", "event_year", *measured]]


def _check_outcomes(outcomes: pd.DataFrame, measured: Sequence[str]) -> None:
    key = outcomes[["household_id", "year"]]
    _refuse_rows("Outcomes", key.isna().any(axis="columns"), "have no household or no year")
    _refuse_rows("Outcomes", key.duplicated(keep=False), "share a household and year; expected one row each")
    for name in measured:
        if name not in MAY_BE_MISSING:
            _refuse_rows("Outcomes", outcomes[name].isna(), f"have no {name}")
    if "gas_kwh" in measured:
        _refuse_rows("Outcomes", outcomes["gas_kwh"].lt(0).fillna(False), "have a gas_kwh below 0")


def _check_interventions(interventions: pd.DataFrame, households: set[object], begin: int, end: int) -> None:
    where = "Interventions"
    missing = interventions[["household_id", "installed_on"]].isna().any(axis="columns")
    _refuse_rows(where, missing, "have no household or no date of installation")
    lost = ~interventions["household_id"].isin(households)
    _refuse_rows(where, lost, "are of a household without outcomes; add its outcomes, or take them out")
    inside = interventions["installed_on"].dt.year.between(begin, end, inclusive="neither")
    expected = f"expected after {begin} and before {end}: take the household out of both files, or add more years"
    _refuse_rows(where, ~inside, f"were installed outside the panel; {expected}")


def _refuse_rows(where: str, wrong: "pd.Series[bool]", fault: str) -> None:
    if wrong.any():
        rows = ", ".join(map(str, wrong.index[wrong][:SHOWN]))
        raise CheckError(f"{where}: {int(wrong.sum())} rows {fault} (row {rows}).")


@dataclass(frozen=True)
class Matches:
    """Treated households, each with one control.

    Attributes:
        panel: the rows of those matched, with `pair`, a number that a treated household shares with its control.
        balance: a row a covariate: covariate, smd_before, smd_after (treated less controls, in standard deviations
            of the treated before matching; Stuart 2010, Statistical Science 25(1):1-21).
        treated_households: treated households, matched or not.
        unmatched_households: those without a control within the caliper.
    """

    panel: pd.DataFrame
    balance: pd.DataFrame
    treated_households: int
    unmatched_households: int


def match_controls(
    panel: pd.DataFrame, features: pd.DataFrame, exact: Sequence[str] = (), caliper: float = CALIPER
) -> Matches:
    """Find each treated household a control with a like propensity to be treated, each control used once.

    The households that start in one year are matched after those that started before. Propensity is a logistic
    regression's on the features; nearest neighbours are taken from the highest propensity down. Without replacement, so
    that clusters by pair give valid standard errors (Abadie and Spiess 2022, Journal of the American Statistical
    Association 117(538):983-995).

    Past outcomes are not matched on: where groups differ in level and values regress to their mean, that biases a
    difference in differences (Daw and Hatfield 2018, Health Services Research 53(6):4138-4156).

    Args:
        panel: from `prepare_panel`.
        features: household_id and covariates (numbers, bools or categories), a row a household.
        exact: features on which a pair must agree.
        caliper: widest distance, in standard deviations of the logit of the propensity.

    Raises:
        CheckError: features lack a household or a value, or name one twice.
        TooFewError: there is nobody to match.
    """
    first = panel.groupby("household_id")["first_year"].first()
    known = _index_features(features, first.index)
    described = pd.get_dummies(known, dtype="float64").astype("float64")
    controls = first.index[first.isna()]
    if first.isna().nunique() < 2:
        raise TooFewError("Households with a measure and others without one are needed, and all are of one kind.")
    free, found = controls, []
    for year in sorted(first.dropna().unique()):
        treated = first.index[first.eq(year).fillna(False)]
        logit = _score_propensity(described.loc[treated.append(controls)], treated)
        spread = np.sqrt((logit[treated].var(ddof=0) + logit[controls].var(ddof=0)) / 2)
        found.append(_pair_within(logit, known, treated, free, exact, caliper * spread))
        free = free.difference(pd.Index(found[-1]["control"]), sort=False)
    pairs = pd.concat(found, ignore_index=True)
    if pairs.empty:
        raise TooFewError("No household with a measure has one without that is like it.")
    pair = pd.concat([pd.Series(pairs.index, index=pairs[side]) for side in ("treated", "control")])
    matched = panel[panel["household_id"].isin(pair.index)].reset_index(drop=True)
    matched["pair"] = matched["household_id"].map(pair)
    treated = first.index[first.notna()]
    return Matches(
        matched, _measure_balance(described, treated, controls, pairs), len(treated), len(treated) - len(pairs)
    )


def _index_features(features: pd.DataFrame, households: pd.Index) -> pd.DataFrame:
    _refuse_rows("Features", features["household_id"].duplicated(keep=False), "share a household; expected one each")
    _refuse_rows("Features", features.isna().any(axis="columns"), "have a missing value")
    known = features.set_index("household_id")
    if lost := int((~households.isin(known.index)).sum()):
        raise CheckError(f"Features: {lost} households of the panel have no row.")
    return known.loc[households]


def _score_propensity(described: pd.DataFrame, treated: pd.Index) -> pd.Series:
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(described, described.index.isin(treated))
    return pd.Series(model.decision_function(described), index=described.index)


def _pair_within(
    logit: pd.Series, known: pd.DataFrame, treated: pd.Index, free: pd.Index, exact: Sequence[str], widest: float
) -> pd.DataFrame:
    alike = known.groupby(list(exact), observed=True).ngroup() if exact else pd.Series(0, index=known.index)
    found: list[tuple[object, object]] = []
    for group in alike[treated].unique():
        members, others = (names[alike[names] == group] for names in (treated, free))
        found += _pair_nearest(logit[members], logit[others], widest)
    return pd.DataFrame(found, columns=["treated", "control"])


def _pair_nearest(treated: pd.Series, controls: pd.Series, widest: float) -> list[tuple[object, object]]:
    """Pair greedily, highest score first, with the nearest free control, the lower of two as near."""
    ordered = controls.sort_values(kind="stable")
    values, names, found = ordered.tolist(), ordered.index.tolist(), []
    for household, score in treated.sort_values(ascending=False, kind="stable").items():
        place = bisect_left(values, score)
        near = [one for one in (place - 1, place) if 0 <= one < len(values) and abs(values[one] - score) <= widest]
        if near:
            nearest = min(near, key=lambda one: abs(values[one] - score))
            values.pop(nearest)
            found.append((household, names.pop(nearest)))
    return found


def _measure_balance(
    described: pd.DataFrame, treated: pd.Index, controls: pd.Index, pairs: pd.DataFrame
) -> pd.DataFrame:
    spread = described.loc[treated].std()
    sides = {"smd_before": (treated, controls), "smd_after": (pd.Index(pairs["treated"]), pd.Index(pairs["control"]))}
    balance = pd.DataFrame(
        {name: described.loc[ours].mean() - described.loc[theirs].mean() for name, (ours, theirs) in sides.items()}
    )
    balance = balance.div(spread.where(spread > 0), axis="index").dropna()
    return balance.rename_axis("covariate").reset_index()


def estimate_effect(panel: pd.DataFrame, outcome: str, cluster: str = "household_id") -> pd.DataFrame:
    """Estimate a measure's effect by differences in differences with staggered starts (Sun and Abraham 2021).

    One regression with fixed effects of household and year, and a coefficient for each year of start and year since;
    averages weigh those by the treated households seen in them. Years before and after have one covariance matrix,
    which the pre-trend test needs.

    Args:
        panel: from `prepare_panel` or `match_controls`. Rows without the outcome, and treated households that are
            not seen both before and after, are left out.
        cluster: column of the clusters of the standard errors, each of whole households: the household, `pair` after
            matching, or whatever measures were offered by.

    Returns:
        A row a coefficient, as the gate's rule for models takes it, in the outcome's unit a year: outcome, term
        ("average" of all whole years since the first measure; "naive", the two-way fixed-effects estimate of the same
        rows; and each year before or after, as "year -2"), effect, low_95, high_95, pre_trend_p (of the joint Wald test
        that the years before differ from the reference by nothing; missing where no year but the reference was before,
        or the households are too few to test all of them), observations (rows), degrees_of_freedom (rows less
        everything estimated, fixed effects included), group_size (households, treated or controls, whichever are fewer:
        a household's years are not records of different people).

    Raises:
        TooFewError: nobody is treated, nobody is a control, a year of start lacks the year before it, or a
            coefficient cannot be told from the others.
    """
    rows = _select_rows(panel, outcome, cluster)
    effects = rows.loc[rows["cell"] != NO_CELL, "cell"]
    counts = effects.value_counts().sort_index()
    event = np.array([int(cell.split(":")[1]) for cell in counts.index])
    weights, since = counts.to_numpy("float64"), np.unique(event)
    terms = (np.flatnonzero(rows["cell"] != NO_CELL), counts.index.get_indexer(pd.Index(effects)))
    cells = sparse.csr_array((np.ones(len(effects)), terms), (len(rows), len(counts)))
    estimates, covariance = _fit(rows, cells, cluster)
    freedom = rows[cluster].nunique() - 1
    chosen = [event > 0, *(event == year for year in since)]
    averages = _average(estimates, covariance, [np.where(one, weights, 0.0) for one in chosen], freedom)
    naive = _average(*_fit(rows, sparse.csr_array(rows[["since"]].to_numpy()), cluster), [np.ones(1)], freedom)
    is_treated = rows.groupby("household_id")["treated"].first()
    fewest = int(min(is_treated.sum(), (~is_treated).sum()))
    seen = [fewest, fewest, *(int(weights[event == year].sum()) for year in since)]
    absorbed = len(is_treated) + rows["year"].nunique() - 1
    table = pd.concat([averages[:1], naive, averages[1:]], ignore_index=True)
    table.insert(0, "outcome", outcome)
    table.insert(1, "term", ["average", "naive", *(f"year {year}" for year in since)])
    return table.assign(
        pre_trend_p=_test_leads(estimates, covariance, event, weights, freedom),
        observations=len(rows),
        degrees_of_freedom=len(rows) - absorbed - len(counts),
        group_size=np.minimum(seen, fewest),
    )


def _select_rows(panel: pd.DataFrame, outcome: str, cluster: str) -> pd.DataFrame:
    columns = list(dict.fromkeys(["household_id", "year", cluster]))
    rows = panel[columns].assign(
        outcome=panel[outcome].astype("float64"),
        treated=panel["first_year"].notna(),
        event=panel["event_year"].fillna(REFERENCE).astype("int64"),
        start=panel["first_year"].fillna(0).astype("int64"),
    )
    rows = rows[rows["outcome"].notna()]
    rows["since"] = (rows["event"] > 0).astype("float64")
    seen = rows.groupby("household_id")
    both = seen["since"].transform("min").eq(0) & seen["since"].transform("max").eq(1)
    # a control seen once says nothing about change
    rows = rows[both.where(rows["treated"], seen["year"].transform("size") > 1)]
    if not rows["treated"].any() or rows["treated"].all():
        found = "no control" if rows["treated"].any() else "no treated household"
        raise TooFewError(f"{outcome}: {found} has enough years with a value; both are needed.")
    starts = rows.loc[rows["treated"], "start"]
    held = starts[rows["event"] == REFERENCE]
    if without := sorted(set(starts) - set(held)):
        years = ", ".join(map(str, without))
        raise TooFewError(f"{outcome}: nobody who started in {years} has a value in the year before.")
    cell = rows["start"].astype(str) + ":" + rows["event"].astype(str)
    return rows.assign(cell=cell.where(rows["treated"] & (rows["event"] != REFERENCE), NO_CELL))


def _fit(rows: pd.DataFrame, terms: sparse.csr_array, cluster: str) -> tuple[np.ndarray, np.ndarray]:
    """Fit the outcome by terms, with fixed effects of household and year and standard errors by cluster.

    Households are taken out by their means (Frisch and Waugh 1933, Econometrica 1(4):387-401), which leaves sums over
    terms and years: no column of a term is ever held for all rows, as libraries for any regression hold them.

    Returns:
        The terms' coefficients, and their covariance, with the usual correction for few clusters: clusters nest
        households, so these count as no parameters (Cameron and Miller 2015).

    Raises:
        TooFewError: a coefficient cannot be told from the others.
    """
    household, year, group = (_sort_into(rows[name]) for name in ("household_id", "year", cluster))
    design = sparse.csr_array(sparse.hstack([terms, year.T.tocsr()[:, 1:]]))
    sums, sizes = household @ design, household.sum(axis=1)
    cross = (design.T @ design - sums.T @ sparse.diags_array(1 / sizes) @ sums).toarray()
    scale = np.sqrt(np.where(np.diag(cross) > 0, np.diag(cross), 1.0))
    known, k = cross / np.outer(scale, scale), terms.shape[1]
    rank, of_years = (np.linalg.matrix_rank(one, tol=TOLERANCE, hermitian=True) for one in (known, known[k:, k:]))
    if lost := k - (rank - of_years):
        raise TooFewError(f"{lost} effects of a year of start cannot be told apart: too few years of them are seen.")
    inverse = np.linalg.pinv(known, rcond=TOLERANCE, hermitian=True) / np.outer(scale, scale)
    outcome = _center(rows["outcome"].to_numpy(), household, sizes)
    estimates = inverse @ (design.T @ outcome)
    residuals = outcome - _center(design @ estimates, household, sizes)
    scores = group @ sparse.diags_array(residuals) @ design
    few = group.shape[0] / (group.shape[0] - 1) * (len(rows) - 1) / (len(rows) - rank - 1)
    covariance = few * inverse @ (scores.T @ scores).toarray() @ inverse
    return estimates[:k], covariance[:k, :k]


def _sort_into(keys: pd.Series) -> sparse.csr_array:
    """Lay out which rows are of which key: a row a key, a column a row."""
    codes, names = pd.factorize(keys)
    return sparse.csr_array((np.ones(len(codes)), (codes, np.arange(len(codes)))), (len(names), len(codes)))


def _center(values: np.ndarray, household: sparse.csr_array, sizes: np.ndarray) -> np.ndarray:
    centered: np.ndarray = values - household.T @ (household @ values / sizes)
    return centered


def _average(
    estimates: np.ndarray, covariance: np.ndarray, weights: Sequence[np.ndarray], freedom: int
) -> pd.DataFrame:
    matrix = np.array([one / one.sum() for one in weights])
    effect = matrix @ estimates
    margin = t_distribution.ppf(0.975, freedom) * np.sqrt(np.diag(matrix @ covariance @ matrix.T))
    return pd.DataFrame({"effect": effect, "low_95": effect - margin, "high_95": effect + margin})


def _test_leads(
    estimates: np.ndarray, covariance: np.ndarray, event: np.ndarray, weights: np.ndarray, freedom: int
) -> float:
    leads = np.unique(event[event < REFERENCE])
    if not leads.size:
        return np.nan
    matrix = np.array([np.where(event == year, weights, 0.0) / weights[event == year].sum() for year in leads])
    effect, spread = matrix @ estimates, matrix @ covariance @ matrix.T
    scale = np.sqrt(np.diag(spread))
    alike = spread / np.outer(scale, scale) if scale.all() else np.zeros_like(spread)
    rank = np.linalg.matrix_rank(alike, tol=TOLERANCE, hermitian=True)
    if min(freedom, rank) < leads.size:
        return np.nan
    wald = effect @ np.linalg.solve(spread, effect)
    return float(f_distribution.sf(wald / leads.size, leads.size, freedom))
