"""16 and 17 year olds not in education, employment or training (NEET), and those whose activity is not known.

They are two figures. Their sum is low where few are NEET, or where few are looked for and none found: an authority that
knows where its young people are shows more NEET.
"""

from collections.abc import Collection

import pandas as pd

from councilbook.careers.destinations.marks import read_cells

NATIONAL, AUTHORITY = "National", "Local authority"
FIGURES = ["both_pct", "neet_pct", "not_known_pct"]
ROUNDING = 0.15 + 1e-9  # three figures, each rounded to a tenth


def read_neet(editions: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read all years.

    Args:
        editions: rows of all years' files, as the catalogue declares them.

    Returns:
        A row an authority, region or England and year: year, level, region_code, la_number, la_code, authority, cohort,
        FIGURES (NaN where a mark stands); and what was set aside: year, what, rows. Rows without the code of a
        place are of no place. The figures of a row whose sum is not that of its parts are blank.

    Raises:
        CheckError: a cell is neither a number nor a mark.
    """
    rows = editions.rename(columns={"edition": "year"}).reset_index(drop=True)
    is_made_up = rows["level"].ne(NATIONAL) & rows["region_code"].fillna("").eq("")
    is_made_up |= rows["level"].eq(AUTHORITY) & rows["la_code"].fillna("").eq("")
    read = rows[["year", "level", "region_code", "la_number", "la_code", "authority"]].copy()
    read["cohort"] = read_cells(rows["cohort"], "NEET, cohort")["value"]
    for name in FIGURES:
        read[name] = read_cells(rows[name], f"NEET, {name}", percent=True)["value"]
    gap = (read["both_pct"] - read["neet_pct"] - read["not_known_pct"]).abs()
    is_wrong = gap.gt(ROUNDING) & ~is_made_up
    read[FIGURES] = read[FIGURES].mask(is_wrong)
    faults = {"made-up rows, of no place": is_made_up, "rows whose parts do not add up": is_wrong}
    counts = [
        {"year": year, "what": what, "rows": count}
        for what, flags in faults.items()
        for year, count in flags.groupby(read["year"]).sum().items()
        if count
    ]
    return read[~is_made_up].reset_index(drop=True), pd.DataFrame(counts, columns=["year", "what", "rows"])


def compare_neet(rows: pd.DataFrame, codes: Collection[str]) -> pd.DataFrame:
    """Put a council's figures beside England's and those of the others in its region.

    Args:
        rows: from `read_neet`.
        codes: GSS codes and numbers of who runs its schools.

    Returns:
        year, la_code, authority, cohort, FIGURES, is_own: the council's authority, the region's others, and England;
        England alone where no year has a row of the authority, as of one with hardly anybody of that age.
    """
    is_own = rows["la_code"].isin(codes) | rows["la_number"].isin(codes)
    regions = rows.loc[is_own, "region_code"].unique()
    is_beside = rows["level"].eq(AUTHORITY) & rows["region_code"].isin(regions) | rows["level"].eq(NATIONAL)
    beside = rows[is_own | is_beside].assign(is_own=is_own)
    beside["la_code"] = beside["la_code"].where(beside["level"].ne(NATIONAL), "E92000001")
    beside["authority"] = beside["authority"].where(beside["level"].ne(NATIONAL), "England")
    columns = ["year", "la_code", "authority", "cohort", *FIGURES, "is_own"]
    return beside[columns].sort_values(["year", "authority"], ignore_index=True)
