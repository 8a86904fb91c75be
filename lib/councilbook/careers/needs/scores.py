"""How open and how old each source is: computed from the catalogue, not claimed.

Source:
    Berners-Lee, T., "Linked Data", W3C Design Issues, 2006, with the five stars added in 2010.
"""

import re
from datetime import date

import pandas as pd

from councilbook.catalogue import Source
from councilbook.study import Study

STRUCTURED = {"xlsx", "xlsm", "xls", "ods"}  # two stars: a machine can read it
PLAIN = {"csv", "tsv", "json", "geojson", "xml", "txt", "zip", "gz", "pbf"}  # three: no one firm's program is needed
YEAR = re.compile(r"\b(?:19|20)\d\d\b")
SHORT_YEAR = re.compile(r"\b((?:19|20))\d\d[/-](\d\d)\b(?!-)")  # 2017/18 ends in 2018


def score_landscape(study: Study) -> pd.DataFrame:
    """Return the landscape of a study with how open and how old each source is.

    Returns:
        The rows of `Study.landscape`, and: file_format, stars (0 to 3; a format cannot show the fourth and fifth),
        age_years (from the newest year that the edition names to the run; missing where it names none), frequency.
    """
    rows = study.landscape()
    sources: dict[str, Source] = {}
    for one in study.catalogue.sources_of(study.spec.id):
        sources[one.series or one.id] = one  # of a series the newest edition
    found = [sources[name] for name in rows["source_id"]]
    today = date.fromisoformat(study.run_date).year
    years = [find_year(one) for one in rows["published"].fillna("")]
    return rows.assign(
        file_format=[find_format(one) for one in found],
        stars=[count_stars(one) for one in found],
        age_years=pd.array([None if year is None else max(0, today - year) for year in years], dtype="Int64"),
        frequency=[one.frequency or "" for one in found],
    )


def count_stars(source: Source) -> int:
    """Count the stars of a source, by its licence and format."""
    if source.spectrum != "open" or not source.licence or source.licence == "not_stated":
        return 0
    ending = find_format(source)
    return 3 if ending in PLAIN else 2 if ending in STRUCTURED else 1


def find_format(source: Source) -> str:
    """Return the ending of a source's file, without what it is packed by; that of its format where it has no file."""
    ending = source.file.removesuffix(".gz").rpartition(".")[2].lower()
    return ending or (source.format if source.format not in ("file", "none") else "not known")


def find_year(published: str) -> int | None:
    """Return the newest year that a text names, of 2017/18 the second; None if it names none."""
    years = [int(year) for year in YEAR.findall(published)]
    years += [int(century + short) for century, short in SHORT_YEAR.findall(published)]
    return max(years, default=None)
