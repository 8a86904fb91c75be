"""Checks: whether the estimates hold where they have not looked, beside plainer ones, and beside an older survey."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from scipy.special import logit
from sklearn.metrics import log_loss

from councilbook.culture.people.poststratify import Floats, fit_model, predict_people
from councilbook.culture.people.statements import EVERYBODY
from councilbook.culture.people.survey import Survey, estimate_shares

HALVES = 20
CHECKS = ["check", "outcome", "method", "rmse_points", "sampling_points", "deviance", "log_odds", "predictions"]
DECILES, MODEL = "Decile of deprivation alone", "Multilevel model"


def _average_by(seen: pd.DataFrame, answer: str, by: list[str], at: pd.DataFrame) -> Floats:
    """Return the weighted share of the same group in the answers seen, a row each; everybody's where none is."""
    sums = seen.assign(yes=seen["weight"] * seen[answer]).groupby(by)[["yes", "weight"]].sum()
    shares = (sums["yes"] / sums["weight"]).rename("chance").reset_index()
    everybody = np.average(seen[answer], weights=seen["weight"])
    chances: Floats = at[by].merge(shares, on=by, how="left")["chance"].fillna(everybody).to_numpy(float)
    return chances


def _score(chance: Floats, left: pd.DataFrame, answer: str) -> float:
    """Return the weighted mean deviance of answers: the lower the better."""
    return float(2 * log_loss(left[answer], chance, sample_weight=left["weight"]))


def leave_regions_out(people: pd.DataFrame, answer: str, factors: Sequence[str], slopes: Sequence[str]) -> pd.DataFrame:
    """Predict each region from the others, and hold that against what its own people said.

    Returns:
        check, left_out, method, expected_pct, found_pct, error_points, sampling_error_points, deviance: minus twice the
        mean log likelihood of the left-out answers.
    """
    known, rows = people.dropna(subset=[answer, *factors, *slopes]), []
    own = estimate_shares(known, [answer], "region").set_index("group")
    for region in own.index[own["share_pct"].notna()]:
        seen, left = known[known["region"].ne(region)], known[known["region"].eq(region)]
        predicted = {
            EVERYBODY: np.full(len(left), np.average(seen[answer], weights=seen["weight"])),
            DECILES: _average_by(seen, answer, ["imd_decile"], left),
            MODEL: predict_people(fit_model(seen, answer, factors, slopes), left),
        }
        for method, chance in predicted.items():
            expected = 100 * np.average(chance, weights=left["weight"])
            found, error = own.loc[region, ["share_pct", "standard_error_points"]]
            rows.append((region, method, expected, found, error, _score(chance, left, answer)))
    names = ["left_out", "method", "expected_pct", "found_pct", "sampling_error_points", "deviance"]
    table = pd.DataFrame(rows, columns=names)
    return table.assign(check="Region left out", error_points=table["expected_pct"] - table["found_pct"])


def leave_halves_out(people: pd.DataFrame, answer: str, rng: np.random.Generator) -> pd.DataFrame:
    """Predict each decile of deprivation in one half of the survey from the other half, HALVES times.

    Returns:
        As `leave_regions_out`; left_out is the decile, and an error the root mean square of the halves'.
    """
    known, rows = people.dropna(subset=[answer, "imd_decile"]), []
    for _ in range(HALVES):
        is_seen = rng.permutation(len(known)) % 2 == 0
        seen, left = known[is_seen], known[~is_seen]
        found = estimate_shares(left, [answer], "imd_decile").drop(columns="answer").set_index("group")
        deciles = pd.DataFrame({"imd_decile": found.index})
        line = fit_model(seen, answer, [], ["imd_decile"])
        predicted = {
            EVERYBODY: np.full(len(deciles), np.average(seen[answer], weights=seen["weight"])),
            "Straight line over deciles": predict_people(line, deciles),
            DECILES: _average_by(seen, answer, ["imd_decile"], deciles),
        }
        for method, chance in predicted.items():
            rows.append(found.assign(method=method, expected_pct=100 * chance))
    table = pd.concat(rows).rename_axis("left_out").reset_index()
    table = table.rename(columns={"share_pct": "found_pct", "standard_error_points": "sampling_error_points"})
    table["error_points"] = (table["expected_pct"] - table["found_pct"]) ** 2
    mean = table.groupby(["method", "left_out"], sort=False).mean(numeric_only=True).reset_index()
    mean["left_out"] = "Decile " + mean["left_out"].astype(int).astype(str)
    mean["error_points"] **= 0.5
    columns = ["left_out", "method", "expected_pct", "found_pct", "sampling_error_points", "error_points"]
    return mean[columns].assign(check="Half of the answers left out", deviance=np.nan)


def summarise_errors(table: pd.DataFrame) -> pd.DataFrame:
    """Return the root mean square error of each method, beside that of sampling alone: check, method, rmse_points, …"""
    squares = table.assign(rmse_points=table["error_points"] ** 2, sampling_points=table["sampling_error_points"] ** 2)
    by = squares.groupby(["check", "method"], sort=False)
    errors = by[["rmse_points", "sampling_points"]].mean() ** 0.5
    return errors.assign(predictions=by.size(), deviance=by["deviance"].mean()).reset_index()


def compare_slopes(survey: Survey, old: pd.DataFrame, columns: tuple[str, str], by: str, ends: tuple) -> pd.DataFrame:
    """Set the difference of two groups in log odds beside that of Taking Part, which asked others, years before.

    Args:
        old: a one-way table of Taking Part, a row a year; columns are those of the two groups.
        by: column of the survey, and ends the two groups in it.

    Returns:
        check, outcome, method, log_odds; without a row where the survey does not have the groups.
    """
    if by not in survey.people:
        return pd.DataFrame(columns=["outcome", "method", "log_odds", "check"])
    newest = old.iloc[int(old["year"].argmax())]
    odds = [logit(newest[column] / 100) for column in columns]
    rows = [("engaged with the arts", f"Taking Part, {newest['year']:.0f}", odds[1] - odds[0])]
    shares = estimate_shares(survey.people, list(survey.outcomes), by).set_index(["answer", "group"])["share_pct"] / 100
    for outcome, words in survey.outcomes.items():
        rows.append((words, "Participation Survey", logit(shares[outcome, ends[1]]) - logit(shares[outcome, ends[0]])))
    low, high = (f"decile {one}" if by == "imd_decile" else one for one in ends)
    table = pd.DataFrame(rows, columns=["outcome", "method", "log_odds"])
    return table.assign(check=f"Log odds, {high} against {low}")


def tidy_checks(parts: Iterable[pd.DataFrame], is_synthetic: bool) -> pd.DataFrame:
    """Put checks together; what rests on invented answers says so."""
    table = pd.concat([pd.DataFrame(columns=CHECKS), *parts], ignore_index=True)[CHECKS]
    return table.astype(dict.fromkeys(CHECKS[3:], float)).assign(is_synthetic=is_synthetic)
