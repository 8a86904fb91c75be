"""What is checked of the model: whole regions left out, other models beside it, and another survey's slope."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import logit

from councilbook.culture.engagement.frame import DOMAINS, IMD, Frame
from councilbook.culture.engagement.model import Design, FloatArray, hold_out_regions

CENSUS, IMD_ALONE = "census", "deprivation (rank alone)"
# What was wanted before anything was looked at.
LARGEST_RMSE, LEAST_GAIN_PCT, COVERAGE_PCT, LARGEST_GAP = 3.6, 40.0, (93.0, 97.0), 0.25
PUBLISHED = ["lad19_code", "lad19_name", "is_own", "adults", "published_pct", "rank"]  # of the survey itself


def hold_out_models(design: Design, frame: Frame) -> dict[str, pd.DataFrame]:
    """Predict each authority from those of all other regions, by the census, by deprivation and by nothing.

    Returns:
        By model, a row an authority: predicted, low, high, from 0 to 1; see `model.predict_authorities`.
    """
    shares = [design.figure[design.region != region].mean() for region in design.region]
    ranks = {IMD_ALONE: IMD, "deprivation (seven domains)": DOMAINS}
    return {
        CENSUS: hold_out_regions(design),
        **{
            name: hold_out_regions(replace(design, known=frame.areas[columns].to_numpy(float)))
            for name, columns in ranks.items()
        },
        "mean of the other regions": pd.DataFrame({"predicted": shares, "low": np.nan, "high": np.nan}),
    }


def compare_models(held: Mapping[str, pd.DataFrame], design: Design) -> pd.DataFrame:
    """Compare models on the regions that each left out.

    Returns:
        A row a model: model, rmse_points, explained_pct (of the variance of published figures), covered_pct (published
        figures within the 95% interval; missing where there is none).
    """
    rows = []
    for model, one in held.items():
        off = one["predicted"].to_numpy() - design.figure
        inside = one["low"].le(design.figure) & one["high"].ge(design.figure)
        explained = 100 * (1 - np.mean(off**2) / design.figure.var())
        covered = 100 * inside.mean() if one["low"].notna().all() else np.nan
        rows.append((model, 100 * np.sqrt(np.mean(off**2)), explained, covered))
    return pd.DataFrame(rows, columns=["model", "rmse_points", "explained_pct", "covered_pct"])


def find_explained(held: pd.DataFrame, design: Design) -> float:
    """Return the share of true differences between authorities that the model explains, between 0.05 and 0.99.

    The sample's variance is taken off the errors of the regions left out, and off the variance of published figures.
    """
    sampling = float((design.figure * (1 - design.figure) / design.returns).mean())
    left = float(((held["predicted"] - design.figure) ** 2).mean()) - sampling
    true = float(design.figure.var()) - sampling
    return float(np.clip(1 - left / max(true, 1e-9), 0.05, 0.99))


def compare_deciles(frame: Frame, shares: FloatArray, other: pd.DataFrame) -> pd.DataFrame:
    """Put the estimates by decile of deprivation beside those of another survey's newest year.

    Args:
        frame: England by LSOA.
        shares: of each LSOA, from 0 to 1.
        other: year, and decile_1 (most deprived) to decile_10, in percent.

    Returns:
        A row a decile that has LSOAs: imd_decile, engaged_pct, other_pct.
    """
    adults = frame.areas["adults"]
    sums = pd.DataFrame({"all": adults, "engaged": adults * shares}).groupby(frame.areas["imd_decile"]).sum()
    newest = other.sort_values("year").iloc[-1]
    table = pd.DataFrame({"imd_decile": sums.index, "engaged_pct": (100 * sums["engaged"] / sums["all"]).to_numpy()})
    return table.assign(other_pct=[float(newest[f"decile_{decile}"]) for decile in table["imd_decile"]])


def find_slope(deciles: pd.DataFrame, column: str) -> float:
    """Return how much higher the least deprived tenth is than the most deprived one, in log odds."""
    first, last = (float(deciles.loc[deciles["imd_decile"].eq(one), column].iloc[0]) / 100 for one in (1, 10))
    return float(logit(last) - logit(first))


def list_checks(models: pd.DataFrame, deciles: pd.DataFrame, gap: float) -> pd.DataFrame:
    """List what was checked as the dataset engagement_checks has it: check, found, unit, wanted, is_met.

    Args:
        models: see `compare_models`.
        deciles: see `compare_deciles`.
        gap: how far the LSOAs' sum is from the published figure, from 0 to 1.
    """
    by = models.set_index("model")
    rmse, covered = by["rmse_points"], float(by["covered_pct"][CENSUS])
    gain = 100 * (1 - rmse[CENSUS] / rmse[IMD_ALONE])
    own, other = (find_slope(deciles, column) for column in ("engaged_pct", "other_pct"))
    low, high = COVERAGE_PCT
    rows = [
        *((f"Error by {model}, regions left out", error, "points", None, None) for model, error in rmse.items()),
        ("Error by census is small", rmse[CENSUS], "points", f"{LARGEST_RMSE} or less", rmse[CENSUS] <= LARGEST_RMSE),
        ("Gain over deprivation alone", gain, "percent", f"{LEAST_GAIN_PCT:.0f} or more", gain >= LEAST_GAIN_PCT),
        ("Published figures in their interval", covered, "percent", f"{low:.0f} to {high:.0f}", low <= covered <= high),
        ("Slope by deprivation, this model", own, "log odds", None, None),
        ("Slope by deprivation, Taking Part", other, "log odds", None, None),
        ("Slopes agree", abs(own - other), "log odds", f"{LARGEST_GAP} or less", abs(own - other) <= LARGEST_GAP),
        ("Small areas add up to the published figure", 100 * gap, "points", "0", gap < 1e-9),
    ]
    checks = pd.DataFrame(rows, columns=["check", "found", "unit", "wanted", "is_met"])
    return checks.assign(found=checks["found"].round(6)).astype({"is_met": "boolean"})


def list_authorities(figures: pd.DataFrame, predicted: pd.DataFrame, held: pd.DataFrame, own: set[str]) -> pd.DataFrame:
    """List published and modelled shares of all authorities as the dataset culture_authorities has them.

    Args:
        figures: see `survey.read_figures`.
        predicted: by the census, fitted to all authorities; held: predicted from all other regions.
        own: codes of the authorities of 2019 that the council is made of.
    """
    table = figures[["lad19_code", "lad19_name", "region", "adults", "returns_assumed", "rank"]].copy()
    table["is_own"] = table["lad19_code"].isin(own)
    shares = {"published_pct": figures["engaged_share"], "published_low_pct": figures["low"]}
    shares |= {"published_high_pct": figures["high"], "model_pct": predicted["predicted"]}
    shares |= {"held_out_pct": held["predicted"], "held_out_low_pct": held["low"], "held_out_high_pct": held["high"]}
    return table.assign(**{name: (100 * one.clip(0, 1)).to_numpy() for name, one in shares.items()})
