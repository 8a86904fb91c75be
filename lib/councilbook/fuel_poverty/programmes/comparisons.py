"""Past programmes against cold homes: who had what, who is compared, and what it came to.

The method is in `impact`. Here is what lies around it: the tables that it takes, and one table of all its estimates
that the gate can check. What can be said of that table is in `effects`.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from councilbook.errors import CheckError, TooFewError
from councilbook.fuel_poverty.programmes.effects import ALL_MEASURES, ENDS, NUMBERS
from councilbook.fuel_poverty.twin.outcomes import find_planted
from councilbook.methods.impact import OUTCOMES, REFERENCE, Matches, estimate_effect, match_controls, prepare_panel

MEASURES: Mapping[str, str] = {
    "loft": "Loft insulation",
    "cavity_wall": "Cavity wall insulation",
    "solid_wall": "Solid wall insulation",
    "boiler": "New boiler",
    "heat_pump": "Heat pump",
    "income_advice": "Income advice",
}
ALL_YEARS = "all years"
# Of a home's features, those that no measure changes: its score, costs and income may be what a measure did.
FEATURES = ("tenure", "accommodation", "lad22_code", "adults", "children_under_14", "children_14_plus", "oldest_age")
# Pairs: intervals of fewer clusters are too narrow (Cameron and Miller 2015, Journal of Human Resources 50(2):317-372)
FEWEST = 50
BALANCED = 0.1  # standardised difference (Austin 2009, Statistics in Medicine 28(25):3083-3107)


# --- who had what, when and where ---


def check_records(load: Callable[[str], pd.DataFrame]) -> None:
    """Refuse a register and outcomes that do not fit the records of households, or of which too few can be compared."""
    households, measures = load("kid_households"), load("interventions_register")
    count_measures(measures)
    count_places(measures, households)
    panel = prepare_panel(measures, load("household_outcomes"))
    match_controls(panel, describe_homes(households, panel), exact=["tenure", "has_gas"])


def count_measures(interventions: pd.DataFrame) -> pd.DataFrame:
    """Count measures by kind and year of installation; small counts, for the eyes of who may see the register.

    Returns:
        A row a measure in words, and one of all: measure, a column a year, and all years.

    Raises:
        TooFewError: there is none.
    """
    if interventions.empty:
        raise TooFewError("The register of measures has no measure in this council.")
    years = interventions["installed_on"].dt.year.astype("str").rename("year")
    names = interventions["measure"].map(MEASURES).rename("measure")
    table = pd.crosstab(names, years, margins=True, margins_name=ALL_MEASURES)
    return table.rename(columns={ALL_MEASURES: ALL_YEARS}).rename_axis(columns=None).reset_index()


def count_places(interventions: pd.DataFrame, households: pd.DataFrame) -> pd.DataFrame:
    """Count measures, and homes in a hundred that had one, by district; small counts likewise.

    Returns:
        lad22_code, measures, homes, homes_with_measure_pct.

    Raises:
        CheckError: a measure is of a household that is not among the households.
    """
    if (lost := ~interventions["household_id"].isin(households["household_id"])).any():
        raise CheckError(
            f"{int(lost.sum())} measures of the register are of households that the linked records have not. Both "
            "files must be of one linkage, with the same pseudonyms."
        )
    district = households.set_index("household_id")["lad22_code"]
    homes = district.groupby(district).size()
    treated = district[district.index.isin(interventions["household_id"])]
    counts = {
        "measures": interventions["household_id"].map(district).value_counts().reindex(homes.index, fill_value=0),
        "homes": homes,
        "homes_with_measure_pct": (100 * treated.groupby(treated).size() / homes).fillna(0).round(1),
    }
    return pd.DataFrame(counts).rename_axis("lad22_code").reset_index()


# --- who is compared ---


def describe_homes(households: pd.DataFrame, panel: pd.DataFrame) -> pd.DataFrame:
    """List what homes are matched on: what no measure changes, and whether a home ever had a reading of gas.

    Args:
        households: household_id and FEATURES.
        panel: from `impact.prepare_panel`, with gas_kwh.

    Returns:
        A row a household of the panel: household_id, FEATURES, has_gas.

    Raises:
        CheckError: a household of the panel is not among the households.
    """
    has_gas = panel["gas_kwh"].notna().groupby(panel["household_id"]).any()
    if lost := int((~has_gas.index.isin(households["household_id"])).sum()):
        raise CheckError(
            f"{lost} households with outcomes are not among the linked records. Both files must be of one "
            "linkage, with the same pseudonyms."
        )
    known = households[households["household_id"].isin(has_gas.index)]
    features: pd.DataFrame = known[["household_id", *FEATURES]].reset_index(drop=True)
    return features.assign(has_gas=features["household_id"].map(has_gas).astype("bool"))


def order_balance(balance: pd.DataFrame, names: Mapping[str, str], rows: int = 14) -> pd.DataFrame:
    """Lay out how far matching brought the groups together, for `charts.draw_intervals`.

    Args:
        balance: of `impact.Matches`.
        names: districts by code.
        rows: how many, those that were furthest apart first.

    Returns:
        covariate in words, smd_after, and the ends (least, most) of the way from before to after.
    """
    words = balance["covariate"].replace({f"lad22_code_{code}": f"district: {name}" for code, name in names.items()})
    words = words.str.replace("tenure_", "tenure: ").str.replace("accommodation_", "home: ").str.replace("_", " ")
    ends = balance[["smd_before", "smd_after"]]
    table = balance.assign(covariate=words, least=ends.min(axis="columns"), most=ends.max(axis="columns"))
    furthest = balance["smd_before"].abs().sort_values(ascending=False, kind="stable").index[:rows]
    return table.loc[furthest, ["covariate", "smd_before", "smd_after", "least", "most"]].reset_index(drop=True)


def describe_balance(matches: Matches) -> str:
    """Say how many homes found a like one, and how alike the groups became."""
    before, after = (matches.balance[name].abs().max() for name in ("smd_before", "smd_after"))
    found = matches.treated_households - matches.unmatched_households
    verdict = "which counts as alike" if after <= BALANCED else f"more than the {BALANCED} that count as alike"
    return (
        f"**{found:,} of {matches.treated_households:,} homes** with a measure were each paired with a like home that "
        f"had none. The largest difference between the groups fell from {before:.2f} to {after:.2f} standard "
        f"deviations, {verdict}. What nobody recorded may still differ."
    )


# --- what it came to ---


def drop_lost_starts(panel: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """Leave out treated households of a year of start in which none has a value in the year before.

    All other years are held against that one, so nothing can be estimated for them.

    Args:
        panel: from `impact.match_controls`.
        outcome: a column of it.
    """
    known = panel.loc[panel["event_year"].eq(REFERENCE).fillna(False) & panel[outcome].notna(), "first_year"]
    return panel[panel["first_year"].isna() | panel["first_year"].isin(known)]


def drop_thin_years(panel: pd.DataFrame, outcome: str, least: int) -> pd.DataFrame:
    """Leave out years before and since in which fewer than a number of treated households have a value.

    Before the estimate, not after: a coefficient that is merely hidden comes back from the average and the others.

    Args:
        panel: from `impact.match_controls`.
        outcome: a column of it.
        least: the threshold of the disclosure rule.
    """
    while True:
        rows = panel[panel[outcome].notna() & panel["event_year"].notna()]
        counts = rows.loc[_is_seen(rows), "event_year"].value_counts()
        thin = counts.index[counts < least]
        if thin.empty:
            return panel
        panel = panel[~panel["event_year"].isin(thin)]


def _is_seen(rows: pd.DataFrame) -> "pd.Series[bool]":
    """Tell which rows are of a treated household that has a value both before and after."""
    years = rows.groupby("household_id")["event_year"]
    seen: pd.Series[bool] = years.transform("min").lt(0) & years.transform("max").gt(0)
    return seen


def pick_measure(panel: pd.DataFrame, interventions: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Keep the pairs of which the treated household had one measure.

    Args:
        panel: from `impact.match_controls`.
        interventions: household_id, measure; a household's first measure counts.
        measure: a key of MEASURES.
    """
    first = interventions.sort_values("installed_on").drop_duplicates("household_id")
    had = first.loc[first["measure"] == measure, "household_id"]
    pairs = panel.loc[panel["household_id"].isin(had), "pair"].unique()
    return panel[panel["pair"].isin(pairs)]


def estimate_outcomes(panel: pd.DataFrame, least: int) -> dict[str, pd.DataFrame]:
    """Estimate the effect of all measures on each outcome of a matched panel, in the order of `impact.OUTCOMES`.

    Returns:
        By outcome, without those of which fewer treated households than `least`, or than FEWEST, have a value both
        before and after.

    Raises:
        TooFewError: that is so of all.
    """
    found = {name: _estimate(panel, name, least) for name in OUTCOMES}
    known = {name: effect for name, effect in found.items() if effect is not None}
    if not known:
        raise TooFewError(
            f"Fewer than {max(least, FEWEST)} homes with a measure, each with a like home that had none, have outcomes "
            "before and after it. Give the years before and after, or a larger area."
        )
    return known


def _estimate(panel: pd.DataFrame, outcome: str, least: int) -> pd.DataFrame | None:
    """Estimate an effect if enough treated households are seen before and after."""
    pairs = _keep_estimable(panel, outcome, least)
    rows = pairs[pairs[outcome].notna() & pairs["event_year"].notna()]
    if rows.loc[_is_seen(rows), "household_id"].nunique() < max(least, FEWEST):
        return None
    try:
        return estimate_effect(pairs, outcome, "pair")
    except TooFewError:
        return None


def _keep_estimable(panel: pd.DataFrame, outcome: str, least: int) -> pd.DataFrame:
    return drop_thin_years(drop_lost_starts(panel, outcome), outcome, least)


def estimate_measures(
    panel: pd.DataFrame, interventions: pd.DataFrame, outcome: str, least: int
) -> dict[str, pd.DataFrame]:
    """Estimate the effect of each measure alone on an outcome.

    Args:
        panel: from `impact.match_controls`.
        interventions: household_id, measure, installed_on.
        outcome: a column of the panel.
        least: the threshold of the disclosure rule.

    Returns:
        By measure, without those of which fewer treated households than `least`, or than FEWEST, have a value both
        before and after, as the gas of homes that gave up gas.
    """
    found = {name: _estimate(pick_measure(panel, interventions, name), outcome, least) for name in MEASURES}
    return {measure: effect for measure, effect in found.items() if effect is not None}


def stack_effects(
    of_all: Mapping[str, pd.DataFrame], of_measures: Sequence[Mapping[str, pd.DataFrame]] = ()
) -> pd.DataFrame:
    """Stack estimates as the dataset past_programme_effects holds them.

    Args:
        of_all: from `estimate_outcomes`.
        of_measures: from `estimate_measures`, one an outcome; their averages alone are kept.

    Returns:
        outcome, measure (in words), term, effect, low_95, high_95, planted (missing, see `add_planted`), and the other
        columns of `impact.estimate_effect`.
    """
    tables = [effect.assign(measure=ALL_MEASURES) for effect in of_all.values()]
    for effects in of_measures:
        for measure, effect in effects.items():
            tables.append(effect[effect["term"].isin(ENDS)].assign(measure=MEASURES[measure]))
    stacked = pd.concat(tables, ignore_index=True).assign(planted=np.nan)
    first = ["outcome", "measure", "term", *NUMBERS]
    return stacked[[*first, *stacked.columns.difference(first, sort=False)]]


def add_planted(table: pd.DataFrame, panel: pd.DataFrame, interventions: pd.DataFrame, least: int) -> pd.DataFrame:
    """Add what was planted in the twins beside each estimate of the years since; see `outcomes.find_planted`.

    Args:
        table: from `stack_effects`.
        panel, interventions, least: those that were estimated on.
    """
    keys = {words: name for name, words in MEASURES.items()}
    parts = []
    for (outcome, measure), rows in table.groupby(["outcome", "measure"], sort=False):
        pairs = panel if measure == ALL_MEASURES else pick_measure(panel, interventions, keys[str(measure)])
        planted = find_planted(_keep_estimable(pairs, str(outcome), least), interventions, str(outcome))
        parts.append(rows.assign(planted=rows["term"].map(planted.set_index("term")["planted"])))
    return pd.concat(parts)
