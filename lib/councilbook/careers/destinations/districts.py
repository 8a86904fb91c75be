"""Destinations by district, over more years than schools have, and where a jump of the cohort forbids a comparison."""

from contextlib import suppress

import numpy as np
import pandas as pd

from councilbook.careers.destinations.marks import read_cells
from councilbook.careers.destinations.panel import COLLEGE
from councilbook.errors import NotThereError
from councilbook.study import Study

PARTS = {"education": "education", "appren": "apprenticeships", "all_work": "work"}
LEFT = {"all_notsust": "not_stayed", "all_unknown": "not_known"}
# From one year to the next young people of an age hardly change by more than a tenth; a college that enters or leaves a
# district's count changes it by a half. A quarter lies between. A few dozen change so by chance, thus the change
# must also be above three standard deviations of the difference of two counts.
JUMP, DEVIATIONS = 1.25, 3.0
FIRST, SAME, JUMPED = "first year", "yes", "no: the cohort jumped"
COLLEGES = r"(?i)college|sixth form centre|16[- ]19"
TECHNICAL = r"(?i)technical|technology"


def load_districts(study: Study, source: str, measure: str) -> tuple[pd.DataFrame, int]:
    """Load a table of districts, as `read_districts` reads it; no row where nobody of the council is counted in it."""
    england = study.load(source, "england")
    own = england.iloc[:0]
    with suppress(NotThereError):
        own = study.load(source)
    return read_districts(own, england, measure)


def read_districts(rows: pd.DataFrame, england: pd.DataFrame, measure: str) -> tuple[pd.DataFrame, int]:
    """Read a table of districts.

    Args:
        rows: a council's rows of a table of Explore Education Statistics, as the catalogue declares it.
        england: those of all of England.
        measure: what it is of.

    Returns:
        A row a district and year: lad_code, lad_name, measure, destination_year, cohort, stayed, education,
        apprenticeships, work, not_stayed, not_known, each but the cohort with its share (stayed_pct and so on),
        england_pct (who stayed), cohort_change_pct, comparable (with the year before, in words: FIRST, SAME or
        JUMPED); and how many rows were set aside because their parts do not add up.

    Raises:
        CheckError: a cell is neither a count nor a mark.
    """
    own, wrong = _read_counts(rows, measure)
    all_rows, _ = _read_counts(england, measure)
    sums = all_rows.groupby("destination_year")[["stayed", "cohort"]].sum()
    own["england_pct"] = own["destination_year"].map(100 * sums["stayed"] / sums["cohort"]).astype("float64")
    own = own.sort_values(["lad_code", "destination_year"], ignore_index=True)
    before = own.groupby("lad_code")["cohort"].shift()
    ratio = own["cohort"] / before
    own["cohort_change_pct"] = 100 * (ratio - 1)
    own["comparable"] = SAME
    own.loc[before.isna(), "comparable"] = FIRST
    by_chance = (own["cohort"] - before).abs() <= DEVIATIONS * np.sqrt(own["cohort"] + before)
    own.loc[~ratio.between(1 / JUMP, JUMP) & before.notna() & ~by_chance, "comparable"] = JUMPED
    return own, wrong


def tidy_districts(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the dataset of destinations by district; see `read_districts`."""
    tidy = rows.copy()
    whole = ["cohort", "stayed", *PARTS.values(), *LEFT.values()]
    shares = [str(name) for name in tidy if str(name).endswith("_pct")]
    tidy[whole], tidy[shares] = tidy[whole].astype("Int64"), tidy[shares].round(2)
    return tidy


def list_left_out(spine: pd.DataFrame, panel: pd.DataFrame) -> pd.DataFrame:
    """List the colleges of a council that have no row in the table of schools and colleges.

    Args:
        spine: the council's rows of the performance tables' schools and colleges: urn, name, type, closed_date.
        panel: destinations of all of England by school and college.

    Returns:
        name, type, closed_date: when the register closed it, so that it is counted where another college is.
    """
    is_college = spine["type"].fillna("").str.contains(COLLEGES) & ~spine["type"].fillna("").str.contains(TECHNICAL)
    counted = panel.loc[panel["kind"].eq(COLLEGE), "urn"]
    left = spine[is_college & spine["is_post16"] & ~spine["urn"].isin(counted)]
    return left[["name", "type", "closed_date"]].sort_values("name", ignore_index=True)


def _read_counts(rows: pd.DataFrame, measure: str) -> tuple[pd.DataFrame, int]:
    names = {"cohort": "cohort", **PARTS, **LEFT}
    counts = pd.DataFrame(
        {ours: read_cells(rows[name], f"Districts {measure}, {name}")["value"] for name, ours in names.items()}
    )
    wrong = counts[list(names.values())[1:]].sum(axis=1, min_count=5).sub(counts["cohort"]).abs().gt(0)
    counts["stayed"] = counts[list(PARTS.values())].sum(axis=1, min_count=3)
    for name in ("stayed", *PARTS.values(), *LEFT.values()):
        counts[f"{name}_pct"] = 100 * counts[name] / counts["cohort"].where(counts["cohort"] > 0)
    years = rows["time_period"].str[:4] + "/" + rows["time_period"].str[4:]
    named = rows[["lad_code", "lad_name"]].assign(measure=measure, destination_year=years)
    return named.join(counts)[~wrong].reset_index(drop=True), int(wrong.sum())
