"""Sentences of the fuel poverty report, each computed from released data."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from councilbook.catalogue.councils import join_names
from councilbook.pages.html.wording import begin_line

SCORED = {  # the datasets of scores, by what is scored
    "fuel_poverty_model_scores": "areas",
    "postcode_model_scores": "postcodes",
    "household_model_scores": "households",
}


def describe_latest(totals: pd.DataFrame, name: str) -> str:
    """Say how many households are in fuel poverty in the last year.

    Args:
        totals: a row a year, oldest first: year, households, fuel_poor_households, fuel_poor_pct.
        name: the council.
    """
    last = totals.astype("object").iloc[-1]  # so that whole numbers stay whole beside the share
    one_in = f", or about one in {round(100 / last['fuel_poor_pct'])}" if last["fuel_poor_pct"] > 0 else ""
    return (
        f"In {last['year']}, **{last['fuel_poor_households']:,} of {last['households']:,} households** in {name} were "
        f"in fuel poverty by the official estimate: **{last['fuel_poor_pct']:.1f}%**{one_in}."
    )


def describe_change(totals: pd.DataFrame, breaks: Collection[float] = ()) -> str:
    """Say how the share moved within each definition and each series, and that these must not be compared.

    Args:
        totals: as for `describe_latest`, with measure.
        breaks: between which years the series was revised: 2022.5 between 2022 and 2023.
    """
    revised = np.searchsorted(sorted(breaks), totals["year"].to_numpy(dtype=float))
    sentences, before = [], ""
    for (measure, _), group in totals.groupby(["measure", revised], sort=False):
        first, last = group.iloc[0], group.iloc[-1]
        by = f"By {measure}" if measure != before else f"In the series as revised for {first['year']}"
        before = str(measure)
        if first["year"] == last["year"]:
            sentences.append(f"{by} it was {last['fuel_poor_pct']:.1f}% in {last['year']}.")
        else:
            verb = _name_change(last["fuel_poor_pct"] - first["fuel_poor_pct"])
            sentences.append(
                f"{by} it {verb} {first['fuel_poor_pct']:.1f}% in {first['year']} to "
                f"{last['fuel_poor_pct']:.1f}% in {last['year']}."
            )
    reasons = ["The definition changed in between"] if len(set(totals["measure"])) > 1 else []
    reasons += [f"the series was revised after {int(one)}" for one in sorted(breaks)]
    if len(sentences) > 1:
        told = " and ".join(reasons)
        parts = {2: "two", 3: "three parts"}.get(len(sentences), f"{len(sentences)} parts")
        sentences.append(f"{begin_line(told)}, so the {parts} must not be compared.")
    return " ".join(sentences)


def describe_outdated(phrases: Sequence[str]) -> str:
    """Say that newer data are out than a page uses; empty if there are none.

    Args:
        phrases: from `editions.describe_outdated`.
    """
    return f"**Newer data are out, or due, than this page uses:** {'; '.join(phrases)}." if phrases else ""


def describe_absent(editions: pd.DataFrame, totals: pd.DataFrame, name: str) -> str:
    """Say of which years the files hold no figures of a council; empty if of none.

    Args:
        editions: from `Study.list_editions`: edition.
        totals: as for `describe_latest`.
        name: the council.
    """
    years = editions.loc[~editions["edition"].isin(totals["year"]), "edition"]
    return (
        f"The files that were read have no figures of {name} for {join_names(map(str, years))}." if len(years) else ""
    )


def find_breaks(editions: pd.DataFrame, totals: pd.DataFrame) -> list[float]:
    """Find where a series was revised, between two years that there are figures of: half a year before.

    Args:
        editions: from `Study.list_editions`: edition, revised.
        totals: as for `describe_latest`.
    """
    first, last = totals["year"].min(), totals["year"].max()
    revised = editions.loc[editions["revised"].notna(), "edition"]
    return [float(year) - 0.5 for year in revised if first < year <= last]


def describe_second_figures(editions: pd.DataFrame, totals: pd.DataFrame) -> str:
    """Say for which years there is a second official figure, and that neither is wrong; empty if there is none.

    Args:
        editions: from `Study.list_editions`: edition, also_published.
        totals: as for `describe_latest`.
    """
    told = editions[editions["also_published"].notna() & editions["edition"].isin(totals["year"])]
    if told.empty:
        return ""
    return (
        f"{' '.join(told['also_published'])} This page uses the tables for {join_names(map(str, told['edition']))}, as "
        "they alone say where. The other figures were published before them, and are no errors."
    )


def describe_spread(areas: pd.DataFrame) -> str:
    """Say how far the areas lie apart, in terms that small changes in one area do not move.

    Args:
        areas: area_fuel_poverty.
    """
    shares = areas["fuel_poor_pct"]
    low, high = shares.quantile([0.1, 0.9])
    poor = areas.sort_values("fuel_poor_pct", ascending=False)
    tenth = poor.head(max(1, len(poor) // 10))["fuel_poor_households"].sum() / poor["fuel_poor_households"].sum()
    elsewhere = ", so most of them lived elsewhere" if tenth < 0.5 else ""
    return (
        f"It is uneven: in {areas['year'].iloc[0]}, one area in ten was below {low:.1f}% and another one in ten above "
        f"{high:.1f}%. The tenth of areas with the highest shares had {100 * tenth:.0f}% of all fuel-poor "
        f"households{elsewhere}."
    )


def describe_districts(districts: pd.DataFrame, name: str) -> str:
    """Say which district has the highest share and which the lowest, or that there is one alone.

    Args:
        districts: the rows of one year of district_fuel_poverty.
        name: the council.
    """
    if len(districts) == 1:
        return f"{name} is one district, so there are no districts to compare."
    ordered = districts.sort_values("fuel_poor_pct", ascending=False)
    top, bottom = ordered.iloc[0], ordered.iloc[-1]
    return (
        f"**{top['lad22_name']}** had the highest share of the {len(ordered)} districts in {top['year']} "
        f"({top['fuel_poor_pct']:.1f}%), and **{bottom['lad22_name']}** the lowest ({bottom['fuel_poor_pct']:.1f}%)."
    )


def describe_scores(scores: pd.DataFrame) -> str:
    """Say how much of the difference between areas the better model accounts for, beside deprivation alone.

    Args:
        scores: fuel_poverty_model_scores.
    """
    best = _find_best(scores)
    alone = scores.loc[scores["model"] == "Deprivation alone", "variance_explained_pct"].iloc[0]
    return (
        f"Deprivation alone accounts for {_name_part(alone)} the difference between areas in {best['year']}. "
        f"Deprivation, tenure, heating and energy use together account for "
        f"{_name_part(best['variance_explained_pct'])} it, with a usual error of {best['mae_pct']:.1f} percentage "
        f"points. This was tested on places that the models had not seen, leaving out {best['held_out']}."
    )


def describe_strongest(odds: pd.DataFrame) -> str:
    """Say what goes with fuel poverty most closely, all else equal.

    Args:
        odds: fuel_poverty_model_coefficients.
    """
    first = odds.loc[np.log(odds["odds_ratio"]).abs().idxmax()]
    name = first["covariate"][0].lower() + first["covariate"][1:]
    return (
        f"Fuel poverty goes most closely with **{name}**. One standard deviation more of it "
        f"({first['one_more']:,.1f}) goes with {first['odds_ratio']:.2f} times the odds of fuel poverty, all else "
        f"equal (95% interval {first['low_95']:.2f} to {first['high_95']:.2f})."
    )


def describe_clustering(scores: pd.DataFrame) -> str:
    """Say whether neighbours' errors go the same way.

    Args:
        scores: fuel_poverty_model_scores.
    """
    best = _find_best(scores)
    value, chance = best["residual_morans_i"], best["residual_morans_p"]
    if pd.isna(value) or chance > 0.05 or value <= 0:
        return "Neighbouring areas' errors do not go the same way more than by chance."
    return (
        f"Neighbouring areas' errors go the same way (Moran's I {value:.2f}, where 0 is none and 1 the most; "
        f"p = {chance:.3f}). So something that varies from place to place is not in the model."
    )


def describe_scored(is_synthetic: Mapping[str, bool]) -> str:
    """Say which scores are on real data, and which on synthetic.

    Args:
        is_synthetic: by name of the datasets on the page; those that are not in `SCORED` have no scores.
    """
    scored = {SCORED[name]: made for name, made in is_synthetic.items() if name in SCORED}
    kinds = {kind: [what for what, made in scored.items() if made is kind] for kind in (False, True)}
    said = []
    if kinds[False]:
        said.append(
            f"The scores of {join_names(kinds[False])} are on real data, with whole parts of the council left out when "
            "the models were fitted."
        )
    if kinds[True]:
        said.append(
            f"The scores of {join_names(kinds[True])} are on synthetic data, so they say nothing about the real place."
        )
    return " ".join(said)


def _find_best(scores: pd.DataFrame) -> pd.Series:
    return scores[scores["kind"] == "model"].sort_values("rmse_pct").iloc[0]


def _name_part(percent: float) -> str:
    return f"{percent:.0f}% of" if percent >= 0.5 else "none of"


def _name_change(difference: float) -> str:
    if abs(difference) < 0.05:
        return "hardly changed, from"
    return "rose from" if difference > 0 else "fell from"
