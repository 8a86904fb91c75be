"""Names and addresses as linking cleans them in SQL, one series at a time."""

import duckdb
import pandas as pd

from councilbook.errors import CheckError
from councilbook.methods.linkage.cleaning import (
    NAME_WORDS,
    STOP_WORDS,
    write_address_words_sql,
    write_names_sql,
    write_numbers_sql,
    write_postcode_sql,
    write_words_sql,
)


def clean_names(names: pd.Series) -> pd.Series:
    """Names in their usual form: capitals, no punctuation, no legal form, one word for its abbreviations.

    NA stays NA. Cleaning a second time changes nothing. Raises `CheckError` where the names are not text.
    """
    return _run(names, f"array_to_string({write_words_sql('value', NAME_WORDS, STOP_WORDS)}, ' ')")


def split_names(names: pd.Series) -> pd.Series:
    """The names in each text, cleaned, as a list: of "Smith Ltd T/A The Fryer" these are SMITH and FRYER."""
    cleaned = write_words_sql("part", NAME_WORDS, STOP_WORDS)
    parts = f"(SELECT list(array_to_string({cleaned}, ' ')) FROM (SELECT unnest({write_names_sql('value')}) AS part))"
    return _run(names, parts).map(lambda parts: [] if parts is None else [part for part in parts if part])


def clean_addresses(addresses: pd.Series) -> pd.DataFrame:
    """Addresses taken apart: postcode (text, NA), numbers and words (lists, sorted, empty where there are none).

    The order of an address's lines makes no difference to numbers and words.
    Raises `CheckError` where the addresses are not text.
    """
    parts = {
        "postcode": write_postcode_sql("value"),
        "numbers": f"coalesce({write_numbers_sql('value')}, [])",
        "words": f"coalesce({write_address_words_sql('value')}, [])",
    }
    return pd.DataFrame({name: _run(addresses, sql) for name, sql in parts.items()}, index=addresses.index)


def _run(values: pd.Series, sql: str) -> pd.Series:
    texts = values.astype(object).where(values.notna(), None)
    if wrong := [number for number, text in enumerate(texts) if text is not None and not isinstance(text, str)]:
        raise CheckError(f"{values.name}: text expected, row {wrong[0]} (and {len(wrong) - 1} more) has something else")
    frame = pd.DataFrame({"row": range(len(texts)), "value": pd.array(texts.to_list(), dtype="string")})
    with duckdb.connect() as con:
        con.register("given", frame)
        rows = con.execute(f"SELECT {sql} FROM given ORDER BY row").fetchall()
    return pd.Series([row[0] for row in rows], index=values.index, dtype=object, name=values.name)
