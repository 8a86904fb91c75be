"""Schools and colleges over the years, from tables whose columns mean other years in each edition.

A table of schools has counts of its own year, and whole percentages of the two years before: a percentage is kept as
the least and the greatest count that it can stand for. A school that became another keeps one series.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from councilbook.careers.destinations.marks import read_cells
from councilbook.careers.places.sites import pair_reopened
from councilbook.catalogue import Council, Source
from councilbook.errors import NotThereError, NotToldError
from councilbook.methods.rates import bound_counts
from councilbook.sources.geography import select_by_code

AFTER_16, AFTER_18, HIGHER = "after GCSEs", "after 16 to 18 study", "into higher education or training"
MAINSTREAM, SPECIAL, COLLEGE, AUTHORITY = (
    "mainstream school",
    "special school or alternative provision",
    "school or college after 16",
    "authority",
)
KINDS = {"1": MAINSTREAM, "2": SPECIAL, "LA": AUTHORITY}
KINDS_AFTER_18 = {"1": COLLEGE, "3": COLLEGE, "LA": AUTHORITY}
GROUPS = ("cohort_disadvantaged", "stayed_disadvantaged", "cohort_others", "stayed_others")
WENT = ("education", "apprenticeships", "work")
NAMES = ["la_number", "establishment", "urn", "school", "kind"]
COUNTS = ["cohort", "low", "high", "reason"]
WRONG_SUM = "set aside: its parts do not add up to its cohort"
LATEST_AFTER_18 = "2019/20"  # the only year that there is by school and college


@dataclass(frozen=True)
class Panel:
    """Schools, colleges and authorities by measure and year.

    Attributes:
        rows: series_urn (the newest of a series), measure, destination_year, NAMES, COUNTS (low and high are the ends
            of the count who stayed, NaN where it is not known, and reason says why), GROUPS and WENT (NaN where the
            table has none).
        set_aside: what, rows: what could not be used, and how many rows.
    """

    rows: pd.DataFrame
    set_aside: pd.DataFrame


def pick_own(rows: pd.DataFrame, council: Council, source: Source) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of the schools and colleges of who runs a council's schools, and those of it as a whole.

    Where the tables are older than the council, they are the rows of the county that it was a part of.

    Args:
        rows: those of all of England; see `Panel`.
        council: the council.
        source: where the rows are from, for a message.

    Raises:
        NotToldError: there is no school or college.
    """
    none = f"The tables of destinations have no school or college of {council.name}."
    asked = source.table().looked_up
    assert asked, "the catalogue says by which column"
    try:
        own = select_by_code(rows, asked, council, source)
    except NotThereError as error:
        raise NotToldError(f"{none} {error}") from None
    is_whole = own["kind"].eq(AUTHORITY)
    if is_whole.all():
        raise NotToldError(none)
    return own[~is_whole], own[is_whole]


def name_year(end: int) -> str:
    """Name the academic year that ends in a year."""
    return f"{end - 1}/{end % 100:02d}"


def read_schools(tables: pd.DataFrame, spine: pd.DataFrame) -> Panel:
    """Read destinations after GCSEs from all editions of the table of schools.

    Args:
        tables: rows of all editions, as the catalogue declares them; the edition is the year in which it came out, and
            its destinations are those of the academic year that ended in the year before.
        spine: urn, linked_urn (of the school that it was, or became), name, postcode, status, opened_date, closed_date.

    Raises:
        CheckError: see `read_cells`.
    """
    parts = []
    for edition, rows in tables.groupby("edition"):
        end = int(str(edition)) - 1
        names = _name_rows(rows, KINDS)
        counts = _read_counts(rows, f"Destinations by school, tables of {edition}")
        parts.append(names.assign(**counts, destination_year=name_year(end)))
        for before in (1, 2):
            where = f"Destinations by school, tables of {edition}, {before} years before"
            bounds = _read_percent(rows[f"cohort_{before}_before"], rows[f"stayed_{before}_before_pct"], where)
            parts.append(names.assign(**bounds, destination_year=name_year(end - before)))
    panel = pd.concat(parts, ignore_index=True).query("kind.notna()").assign(measure=AFTER_16)
    successors = find_successors(panel, spine)
    return _finish(panel, successors)


def read_colleges(destinations: pd.DataFrame, progression: pd.DataFrame) -> Panel:
    """Read destinations after 16 to 18 study, and progression to higher education, by school and college."""
    counts = _read_counts(destinations, "Destinations after 16 to 18")
    after = _name_rows(destinations, KINDS_AFTER_18).assign(**counts, measure=AFTER_18)
    bounds = _read_percent(progression["cohort"], progression["progressed_pct"], "Progression to higher education")
    higher = _name_rows(progression, KINDS_AFTER_18).assign(**bounds, measure=HIGHER)
    panel = pd.concat([after, higher], ignore_index=True).query("kind.notna()")
    return _finish(panel.assign(destination_year=LATEST_AFTER_18), {})


def find_successors(panel: pd.DataFrame, spine: pd.DataFrame) -> dict[str, str]:
    """Find what each school became: by the spine, or because another has its number later on.

    The Department numbers schools in the order in which they open, so the later of two has the greater URN.

    Returns:
        By URN, that of the newest of its series, where it is another.
    """
    linked = spine.loc[spine["linked_urn"].fillna("").ne(""), ["urn", "linked_urn"]].to_numpy().tolist()
    linked += [list(pair) for pair in pair_reopened(spine).items()]
    schools = panel[panel["kind"].ne(AUTHORITY)].drop_duplicates(["la_number", "establishment", "urn"])
    for _, urns in schools.groupby(["la_number", "establishment"])["urn"]:
        ordered = sorted(urns, key=int)
        linked += [list(pair) for pair in pairwise(ordered)]
    later: dict[str, str] = {}
    for one, other in linked:
        old, new = sorted((one, other), key=int)
        later[old] = max(later.get(old, new), new, key=int)
    for old in sorted(later, key=int, reverse=True):  # its successor is done by now
        later[old] = later.get(later[old], later[old])
    return later


def _name_rows(rows: pd.DataFrame, kinds: Mapping[str, str]) -> pd.DataFrame:
    names = rows[["la_number", "establishment", "urn", "school"]].fillna("")
    return names.assign(kind=rows["record_type"].map(kinds))


def _read_counts(rows: pd.DataFrame, where: str) -> dict[str, "pd.Series[float]"]:
    """Read the counts of a table's own year."""
    cells = {name: read_cells(rows[name], f"{where}, {name}") for name in rows.columns if name in _COUNTED}
    cohort, stayed = cells["cohort"]["value"], cells["stayed"]["value"]
    parts = stayed + cells["not_stayed"]["value"] + cells["not_known"]["value"]
    is_wrong = (parts.notna() & parts.ne(cohort)) | (stayed > cohort)
    known = stayed.mask(is_wrong | cohort.isna() | cohort.eq(0))
    reason = cells["stayed"]["reason"].mask(is_wrong, WRONG_SUM)
    more = {name: cells[name]["value"].mask(is_wrong) for name in (*GROUPS, *WENT) if name in cells}
    return {"cohort": cohort, "low": known, "high": known, "reason": reason, **more}


_COUNTED = {"cohort", "stayed", "not_stayed", "not_known", *GROUPS, *WENT}


def _read_percent(cohorts: "pd.Series[str]", percents: "pd.Series[str]", where: str) -> dict[str, "pd.Series[float]"]:
    """Read a year of which there is a whole percentage of a cohort: an interval of counts."""
    cohort, percent = read_cells(cohorts, f"{where}, cohort"), read_cells(percents, f"{where}, share", percent=True)
    is_known = percent["value"].notna() & cohort["value"].gt(0)
    value = cohort["value"].where(is_known)
    low, high = bound_counts(value.to_numpy(), percent["value"].to_numpy())
    reason = percent["reason"].where(percent["reason"].ne(""), cohort["reason"])
    return {
        "cohort": cohort["value"],
        "low": pd.Series(low, index=cohorts.index),
        "high": pd.Series(high, index=cohorts.index),
        "reason": reason,
    }


def _finish(panel: pd.DataFrame, successors: Mapping[str, str]) -> Panel:
    """Give each row its series, keep one row a series and year, and count what is set aside."""
    rows = panel.assign(series_urn=panel["urn"].replace(dict(successors)))
    rows["is_unknown"] = rows["low"].isna()
    rows = rows.sort_values(["is_unknown", "urn"], ascending=[True, False], kind="stable")
    is_school = rows["kind"].ne(AUTHORITY)
    twice = is_school & rows.duplicated(["series_urn", "measure", "destination_year"])
    counts = {
        "cohorts whose parts do not add up": rows["reason"].eq(WRONG_SUM).sum(),
        "second rows of a school and year": (twice & ~rows["is_unknown"]).sum(),
        "schools followed to what they became": len(set(successors) & set(panel["urn"])),
    }
    kept = rows[~twice].sort_values(["series_urn", "measure", "destination_year", "la_number"], kind="stable")
    columns = ["series_urn", "measure", "destination_year", *NAMES, *COUNTS, *GROUPS, *WENT]
    kept = kept.reindex(columns=columns).reset_index(drop=True)
    return Panel(kept, pd.DataFrame({"what": counts.keys(), "rows": [int(np.asarray(one)) for one in counts.values()]}))
