"""Bills that no rule explains: an anomaly score, a ranking by expected pounds, and what checks in that order recover.

A detector of PyOD scores how unlike the others a bill is, from its difference to the recomputed one, its value beside
those of like properties, its dates and reliefs. It knows nothing of what is wrong; a bill can be rare and right. The
ranking weighs what is at stake by the share of such stakes that turned out to be errors among bills that were checked
(`learn_yield`): a council's own past checks, or a twin's truth where there are none.

The detector is ECOD (Li and others 2022, IEEE TKDE 35), by PyOD (Zhao, Nasrullah and Li 2019, JMLR 20);
`benchmarks/bills.py` holds it against others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from councilbook.business_rates.bills.charges import compute_bills, find_small_business_share
from councilbook.business_rates.bills.errors_in_bills import ROUNDING
from councilbook.business_rates.bills.rules import Rules, count_days
from councilbook.errors import CheckError

LEAST_ALIKE = 8  # properties of one description and area, for a median of their own
STEPS = np.linspace(0, 1, 201)  # of the score, at which the chance of an error is kept
BLOCK = 100  # bills of like score, judged together: one at the end says nothing
PRIOR = 2.0  # bills: how slowly a share is learnt away from that of all bills
WORDS = {  # what stands out, and in words: more and less than usual
    "residual": ("billed more than the rules give", "billed less than the rules give"),
    "value_beside_like": ("a value far above those of like properties", "a value far below those of like properties"),
    "paid_share": ("pays nearly the whole charge", "pays little of the charge"),
    "reliefs_rarity": ("a rare combination of reliefs", ""),
    "days_share": ("", "liable for a small part of the year"),
    "empty_days": ("empty for very long", ""),
    "properties": ("a ratepayer of many properties", ""),
    "value_digits": ("a value of unusual digits", ""),
    "unclaimed_share": ("relief that the value gives is not claimed", ""),
}


def measure_features(bills: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """Measure what an anomaly detector looks at.

    Args:
        bills: as for `find_errors`, with billed_gbp; description, area and reliefs (in words) where there are.

    Returns:
        The same index and the columns of `WORDS`, without missing values, and at_stake_gbp: the difference to the
        recomputed bill, or where there is none, to the bill of a property of the median value of its like.

    Raises:
        CheckError: billed_gbp is missing or empty, or as `compute_bills`.
    """
    if "billed_gbp" not in bills or bills["billed_gbp"].isna().any():
        raise CheckError("An anomaly score needs billed_gbp in every row.")
    lines = compute_bills(bills, rules)
    gross = lines["gross_gbp"].clip(lower=0.01)
    residual = (bills["billed_gbp"] - lines["net_gbp"]).round(2)
    residual = residual.where(residual.abs() > ROUNDING, 0.0)
    value = bills["rateable_value_gbp"]
    beside = np.log(value / _find_like(bills))
    spread = _find_spread(bills, beside)
    length = bills["year"].map(count_days)
    begins = pd.to_datetime(bills.get("liable_from_date", pd.Series(pd.NaT, bills.index)))
    start = pd.to_datetime(bills["year"].str[:4] + "-04-01")
    rest = (length - (begins - start).dt.days).where(begins.notna(), length)
    days = bills["days_liable"].fillna(rest) if "days_liable" in bills else rest
    share = find_small_business_share(bills, rules)
    features = pd.DataFrame(
        {
            "residual": np.sign(residual) * np.log1p(residual.abs()) * (0.2 + residual.abs() / gross).clip(upper=1),
            "value_beside_like": beside / spread,
            "paid_share": (bills["billed_gbp"] / gross).clip(0, 3),
            "reliefs_rarity": _measure_rarity(bills),
            "days_share": days / length,
            "empty_days": _count_empty_days(bills, start + pd.to_timedelta(length, unit="D")),
            "properties": np.log1p(_get(bills, "ratepayer_properties", 1.0)),
            "value_digits": _measure_roundness(value),
            "unclaimed_share": share.where(~_get(bills, "claims_small_business", 0.0).astype(bool), 0.0) / 100,
        },
        index=bills.index,
    ).astype("float64")
    like = bills["billed_gbp"] * (1 - np.exp(-beside.abs()))  # of a bill in proportion to the value
    features["at_stake_gbp"] = residual.abs().where(residual != 0, like).round(2)
    return features


def _get(bills: pd.DataFrame, column: str, default: float) -> "pd.Series[float]":
    return bills.get(column, pd.Series(default, bills.index)).astype("float64").fillna(default)


def _find_like(bills: pd.DataFrame) -> "pd.Series[float]":
    """Find the median value of a property's description and area; of its description, or all, where few are alike."""
    value = bills["rateable_value_gbp"]
    like = pd.Series(float(value.median()), index=bills.index)
    for keys in (["description"], ["description", "area"]):
        if set(keys) <= set(bills.columns):
            grouped = value.groupby([bills[key].fillna("?") for key in keys])
            like = grouped.transform("median").where(grouped.transform("size") >= LEAST_ALIKE, like)
    return like


def _find_spread(bills: pd.DataFrame, beside: "pd.Series[float]") -> "pd.Series[float]":
    """Find how widely the values of a description are spread: the 68th percentile of the distance to the median."""
    away = beside.abs()
    spread = pd.Series(float(away.quantile(0.68)), index=bills.index)
    if "description" in bills:
        grouped = away.groupby(bills["description"].fillna("?"))
        spread = grouped.transform("quantile", 0.68).where(grouped.transform("size") >= LEAST_ALIKE, spread)
    return spread.clip(lower=0.1)


def _measure_rarity(bills: pd.DataFrame) -> "pd.Series[float]":
    """Measure how rare a combination of reliefs is: minus the logarithm of its share."""
    columns = ["claims_small_business", "is_charity", "is_retail", "is_occupied", "reliefs", "discretionary_pct"]
    known = [bills[column].astype("string").fillna("-") for column in columns if column in bills]
    if not known:
        return pd.Series(0.0, index=bills.index)
    alike = known[0].groupby(known).transform("size")
    return pd.Series(-np.log(alike / len(bills)), index=bills.index)


def _count_empty_days(bills: pd.DataFrame, end: pd.Series) -> "pd.Series[float]":
    """Count the days a property has been empty at the end of its year, as a logarithm."""
    if "empty_since_date" not in bills or "is_occupied" not in bills:
        return pd.Series(0.0, index=bills.index)
    days = (end - pd.to_datetime(bills["empty_since_date"])).dt.days.clip(lower=0)
    days = days.where(~bills["is_occupied"].astype(bool)).fillna(0.0)
    return pd.Series(np.log1p(days), index=bills.index)


def _measure_roundness(value: "pd.Series[float]") -> "pd.Series[float]":
    """Tell values apart that valuers do not write: large ones go by 250, middle ones by 50, small ones by 5."""
    step = np.select([value >= 10_000, value >= 1_000], [250, 50], 5)
    return (value % step != 0).astype("float64")


def score_bills(features: pd.DataFrame, detector: Any = None) -> "pd.Series[float]":
    """Score how unlike the others each bill is.

    Args:
        features: of `measure_features`.
        detector: of PyOD; ECOD if it is not given.

    Returns:
        By bill, the share of bills that are no more unusual: 1 is the most unusual.

    Raises:
        CheckError: there are fewer than ten bills.
    """
    from pyod.models.ecod import ECOD  # type: ignore[import-untyped, unused-ignore]  # slow, and only this needs it

    if len(features) < 10:
        raise CheckError(f"{len(features)} bills are too few for an anomaly score; expected at least 10.")
    model = (detector or ECOD()).fit(features[list(WORDS)].to_numpy())
    return pd.Series(np.asarray(model.decision_scores_, dtype="float64"), index=features.index).rank(pct=True)


def say_why(features: pd.DataFrame, index: pd.Index) -> "pd.Series[str]":
    """Say in words what stands out of some bills: the two features that are furthest from the median, in its spread.

    Args:
        features: of all bills.
        index: the bills to say it of.
    """
    table = features[list(WORDS)]
    middle = table.median()
    spread = (table - middle).abs().quantile(0.9).clip(lower=1e-3) + 0.05
    away = (table.loc[index] - middle) / spread
    reasons = []
    for _, row in away.iterrows():
        said = []
        for name in row.abs().sort_values(ascending=False).index:
            words = WORDS[str(name)][0 if row[name] > 0 else 1]
            if words and abs(row[name]) > 1:
                said.append(words)
        reasons.append("; ".join(said[:2]) or "an unusual combination of what is usual by itself")
    return pd.Series(reasons, index=index, dtype="string")


# --- which to check first ---


@dataclass(frozen=True)
class Yield:
    """What checks yielded.

    Attributes:
        overall: the share of all bills that had an error.
        by_kind: the same by kind of finding.
        unnamed: of bills that no rule names, the share of the pounds at stake that a check put right, by score at
            `STEPS`; it never falls as the score rises.
        scored: the same of all bills, for a ranking by the model alone.
    """

    overall: float
    by_kind: Mapping[str, float]
    unnamed: NDArray[np.float64]
    scored: NDArray[np.float64]


def learn_yield(
    findings: pd.DataFrame, features: pd.DataFrame, scores: "pd.Series[float]", truth: pd.DataFrame
) -> Yield:
    """Learn from checked bills how often each kind of finding was an error, and what each score put right.

    Args:
        findings: of `find_errors`. features: of `measure_features`. scores: of `score_bills`.
        truth: of bills that were checked (or of a twin, another than the one that is scored): error (NA: none) and
            error_gbp, by the index of the bills.

    Returns:
        Shares; those of kinds are drawn towards that of all while few were checked, those of scores are fitted by
        isotonic regression, a pound at stake a weight. A bill counts for no more than its stake: one large error
        among small stakes shall not set the order.
    """
    wrong = truth["error"].notna().astype("float64")
    overall = float(wrong.mean())
    checked = findings[findings.index.isin(truth.index)]
    hit = wrong.reindex(checked.index).groupby(checked["kind"])
    by_kind = (hit.sum() + PRIOR * overall) / (hit.size() + PRIOR)
    rest = truth.index.difference(findings.index)
    stake = features["at_stake_gbp"]
    righted = truth["error_gbp"].abs().clip(upper=stake.reindex(truth.index))
    fitted = [_fit_share(scores[index], stake[index], righted[index]) for index in (rest, truth.index)]
    return Yield(overall, {str(kind): float(share) for kind, share in by_kind.items()}, *fitted)


def _fit_share(
    scores: "pd.Series[float]", stake: "pd.Series[float]", righted: "pd.Series[float]"
) -> NDArray[np.float64]:
    """Fit the share of the pounds at stake that is put right, rising with the score."""
    table = pd.DataFrame({"score": scores, "stake": stake, "righted": righted}).astype("float64")
    table = table[table["stake"] > 0].sort_values("score", kind="stable")
    if table.empty:
        return np.zeros(len(STEPS))
    block = table.groupby(np.arange(len(table)) // BLOCK).agg({"score": "mean", "stake": "sum", "righted": "sum"})
    fit = IsotonicRegression(out_of_bounds="clip")
    fit.fit(block["score"], block["righted"] / block["stake"], sample_weight=block["stake"])
    shares: NDArray[np.float64] = fit.predict(STEPS)
    return shares


def expect_pounds(findings: pd.DataFrame, learnt: Yield) -> "pd.Series[float]":
    """Give the pounds that a check of each finding is expected to put right: its stake times what its kind yielded."""
    return findings["stake_gbp"] * findings["kind"].map(learnt.by_kind).fillna(learnt.overall).astype(float)


def rank_checks(
    findings: pd.DataFrame, features: pd.DataFrame, scores: "pd.Series[float]", learnt: Yield
) -> pd.DataFrame:
    """Rank bills by the pounds that a check of each is expected to put right.

    Args:
        findings, features, scores: of all bills. learnt: of `learn_yield`, from other bills than these.

    Returns:
        A row a bill, the first to check first: expected_gbp, by ("rule" or "model"), kind, direction ("" for the
        model's), stake_gbp, score, reason (in words for findings of a rule; `say_why` tells those of the model).
    """
    best = findings.assign(expected_gbp=expect_pounds(findings, learnt)).sort_values(
        "expected_gbp", ascending=False, kind="stable"
    )
    best = best[~best.index.duplicated()].assign(by="rule")
    rest = features.index.difference(findings.index)
    share = np.interp(scores.loc[rest], STEPS, learnt.unnamed)
    stake = features["at_stake_gbp"].loc[rest]
    model = pd.DataFrame({"stake_gbp": stake, "expected_gbp": stake * share})
    model = model.assign(kind="unusual", direction="", reason="", by="model")
    ranked = pd.concat([best, model]).assign(score=scores)
    ranked = ranked.sort_values("expected_gbp", ascending=False, kind="stable")
    return ranked[["expected_gbp", "by", "kind", "direction", "stake_gbp", "score", "reason"]]


def list_orders(
    findings: pd.DataFrame, features: pd.DataFrame, scores: "pd.Series[float]", learnt: Yield
) -> dict[str, pd.Index]:
    """List the orders to compare, each by expected pounds: rules alone, the model alone, and `rank_checks` of both."""
    ranked = rank_checks(findings, features, scores, learnt)
    model = features["at_stake_gbp"] * np.interp(scores, STEPS, learnt.scored)
    return {
        "rules": ranked.index[ranked["by"] == "rule"],
        "model": model.sort_values(ascending=False, kind="stable").index,
        "both": ranked.index,
    }


def measure_recovery(
    orders: Mapping[str, pd.Index],
    truth: pd.DataFrame,
    random: np.random.Generator,
    checks: int = 100,
    draws: int = 400,
) -> pd.DataFrame:
    """Measure the pounds that the first checks of each order put right, beside checks at random.

    Args:
        orders: by name, bills in the order of checking; one that ends early spends its other checks at random.
        truth: error and error_gbp of every bill, as `plant_errors` gives; pounds count in both directions.
        checks: how many bills are checked.
        draws: of the bootstrap: bills are drawn again, and checked in the same order.

    Returns:
        A row an order, and "random" last: recovered_gbp, with _low and _high (95 percent), errors (found among the
        checks) and share_of_all (of all pounds that are wrong).

    Raises:
        CheckError: an order names a bill twice, or one of which the truth is not known.
    """
    pounds, wrong = truth["error_gbp"].abs().to_numpy(), truth["error"].notna().to_numpy().astype(float)
    place_of = pd.Series(np.arange(len(truth)), index=truth.index)
    weights = random.poisson(1.0, (draws, len(truth)))
    picks = [random.choice(len(truth), min(checks, len(truth)), replace=False) for _ in range(draws)]
    rows = []
    for name, order in {**orders, "random": truth.index[:0]}.items():
        if not order.is_unique or not order.isin(truth.index).all():
            raise CheckError(f"The order {name!r} names a bill twice, or one of which the truth is not known.")
        places = place_of.loc[order].to_numpy()
        once, errors = _check_first(places, np.ones(len(truth)), pounds, wrong, checks)
        if name == "random":  # its own chance: which bills are picked
            drawn = [pounds[pick].sum() for pick in picks]
        else:
            drawn = [_check_first(places, weight, pounds, wrong, checks)[0] for weight in weights]
        low, high = np.quantile(drawn, [0.025, 0.975])
        share = once / pounds.sum() if pounds.any() else np.nan
        rows.append((name, *np.round([once, low, high], 2), round(errors, 1), share))
    ends = ["recovered_gbp", "recovered_low_gbp", "recovered_high_gbp"]
    return pd.DataFrame(rows, columns=["order", *ends, "errors", "share_of_all"])


def _check_first(
    places: NDArray[np.int64],
    times: NDArray[Any],
    pounds: NDArray[np.float64],
    wrong: NDArray[np.float64],
    checks: int,
) -> tuple[float, float]:
    """Check bills in order, each as often as it was drawn, until the checks are spent; what is left over, at random."""
    spent = np.minimum(np.cumsum(times[places]), checks)
    taken = np.diff(spent, prepend=0.0)
    left = np.ones(len(pounds), dtype=bool)
    left[places] = False
    over = checks - (spent[-1] if len(spent) else 0.0)
    weight = times * left
    mean = over / max(float(weight.sum()), 1.0)
    return (
        float(taken @ pounds[places] + mean * (weight @ pounds)),
        float(taken @ wrong[places] + mean * (weight @ wrong)),
    )
