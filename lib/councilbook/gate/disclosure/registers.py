"""Registers of things that a law makes public: what may be said of whoever stands behind each of them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from councilbook.catalogue import RegisterRule
from councilbook.errors import CheckError, ReleaseRefusedError

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
LEAST_WORDS = 2  # one word is a name of too many other things

NAME_IN_TEXT = "a withheld name stands in a text"
NAME_RELEASED = "a name is withheld here and released there"
TELLING = "something is shown of somebody who is withheld"
MONTH_OF_CHANGE = "the month in which somebody withheld took over is known"

Words = tuple[str, ...]


@dataclass(frozen=True)
class ProtectedRegister:
    """A register that names nobody but organisations, and what was done to it."""

    frame: pd.DataFrame
    record: dict[str, Any]


@dataclass(frozen=True)
class LastVersion:
    """What a register has to be held against: its last version, and whom neither of the two may name."""

    frame: pd.DataFrame  # as the gate got it
    day: str  # ISO date of its release
    withheld: "pd.Series[str]"  # names that are withheld now, in the last version or in one before it


def protect_register(register: pd.DataFrame, rule: RegisterRule) -> ProtectedRegister:
    """Withhold the name, and what tells of whoever bears it, in each row that is not shown to be an organisation's.

    A name that is withheld is also taken out of every text of the whole register where its words stand in a row: out of
    the address of a shop that has its owner's name over the door.

    Args:
        register: a row a thing, with the columns that the rule names.
        rule: which fields are public, which tell of somebody, and how it is known who is an organisation.

    Returns:
        The register without the columns that are read only, with is_suppressed: whether something of the row is
        withheld. What is withheld is blank, or says so in the rule's own word; then it is said of every such field,
        as a blank among them would tell that there was nothing to withhold.

    Raises:
        CheckError: it is not said of a row whether an organisation stands behind it.
        ReleaseRefusedError: a withheld name is also one that is to be released in another row.
    """
    known = register[rule.is_organisation]
    if known.isna().any():
        rows = ", ".join(map(str, register.index[known.isna()][:3]))
        raise CheckError(f"{rule.is_organisation} is missing in {int(known.isna().sum())} rows (row {rows}).")
    withheld = ~known.astype(bool).to_numpy()
    given = register[rule.name_inside].astype("str").where(register[rule.name_inside].notna(), "")
    names = _split_names(given[withheld])
    safe = register.drop(columns=rule.inputs)
    blanked = safe[[rule.name, *rule.telling]].notna().to_numpy() & withheld[:, None]
    safe[[rule.name, *rule.telling]] = safe[[rule.name, *rule.telling]].mask(blanked)
    _refuse_both_ways(safe[rule.name], names)
    if rule.redacted is not None:
        safe.loc[withheld, [rule.name, *rule.telling]] = rule.redacted
    texts = _list_texts(safe, rule)
    cleaned = safe[texts].apply(lambda column: _remove_words(column, names))
    removed = ((cleaned != safe[texts]) & safe[texts].notna()).fillna(False).to_numpy(dtype=bool)
    safe[texts] = cleaned
    safe["is_suppressed"] = withheld | removed.any(axis=1)
    cells = int(blanked.sum() + removed.sum())
    record = {
        "cells": int(safe.shape[0] * (1 + len(rule.telling) + len(texts))),
        "cells_suppressed": cells,
        "rows_suppressed": int(safe["is_suppressed"].sum()),
        "checked": {
            "rows": len(safe),
            "names_released": int((safe[rule.name].notna() & ~withheld).sum()),
            "names_withheld": int((withheld & (given != "").to_numpy()).sum()),
            "names_taken_out_of_texts": int(removed.sum()),
        },
    }
    return ProtectedRegister(safe, record)


def _refuse_both_ways(released: pd.Series, names: set[Words]) -> None:
    """Refuse a name that is released here and withheld there: one of the two is wrong, or two bear it."""
    shown = released.dropna()
    both = [row for row, name in shown.items() if split_words(name) in names]
    if both:
        raise ReleaseRefusedError(
            f"{len(both)} names are to be released that are withheld in another row (row "
            f"{', '.join(map(str, both[:3]))}). Withhold them in both, or find out who they are."
        )


def split_words(text: str) -> Words:
    """Split a name into its words, so that two ways to write it are told to be one."""
    return tuple(word.casefold() for word in WORD.findall(text))


def find_names(texts: pd.Series, names: Iterable[str]) -> list[str]:
    """Find which of these names stand in a text in a row, written as `protect_register` would know them.

    Args:
        texts: texts; missing ones hold nothing.
        names: names of two words or more; those of one word are never found.

    Returns:
        The names that stand somewhere, in the order given.
    """
    by_words = {name: split_words(name) for name in names}
    lengths = {len(words) for words in by_words.values() if len(words) >= LEAST_WORDS}
    there: set[Words] = set()
    for text in texts.dropna().unique():
        words = split_words(text)
        there |= {words[place : place + length] for length in lengths for place in range(len(words) - length + 1)}
    return [name for name, words in by_words.items() if words in there]


def remove_names(texts: pd.Series, names: Iterable[str]) -> pd.Series:
    """Take names out of texts, in whichever letters and marks they are written there.

    Args:
        texts: texts; missing ones stay missing.
        names: names of two words or more; those of one word stay where they are.

    Returns:
        The texts; one that was nothing but a name is missing.
    """
    return _remove_words(texts, _split_names(names))


def _split_names(names: Iterable[str]) -> set[Words]:
    return {words for words in map(split_words, names) if len(words) >= LEAST_WORDS}


def _list_texts(register: pd.DataFrame, rule: RegisterRule) -> list[str]:
    return [
        name for name in rule.public if register[name].dtype == object or pd.api.types.is_string_dtype(register[name])
    ]


def _remove_words(texts: pd.Series, names: set[Words]) -> pd.Series:
    lengths = sorted({len(words) for words in names}, reverse=True)
    codes, different = pd.factorize(texts)
    clean = np.array([_remove_from(text, names, lengths) for text in different] + [None], dtype=object)
    return pd.Series(clean[codes], index=texts.index, dtype=texts.dtype)


def _remove_from(text: str, names: set[Words], lengths: list[int]) -> str | None:
    while spans := list(_find(text, names, lengths)):  # what is left over may be a name again
        for begin, end in reversed(spans):
            text = f"{text[:begin]} {text[end:]}"
        parts = (" ".join(part.split()) for part in text.split(","))
        text = ", ".join(part for part in parts if WORD.search(part))
    return text or None


def _find(text: str, names: set[Words], lengths: list[int]) -> Iterator[tuple[int, int]]:
    """Find where names stand in a text, the longest first and none within another."""
    found = list(WORD.finditer(text))
    words = tuple(match[0].casefold() for match in found)
    place = 0
    while place < len(words):
        here = (words[place : place + length] for length in lengths)
        name = next((words for words in here if words in names), None)
        if name:
            yield found[place].start(), found[place + len(name) - 1].end()
        place += len(name or "1")


# --- versions ---


def check_versions(
    before: pd.DataFrame, after: pd.DataFrame, rule: RegisterRule, key: Sequence[str], last: LastVersion, as_of: str
) -> pd.DataFrame:
    """Find what somebody who keeps two published versions of a register can work out that is withheld.

    Args:
        before, after: the two, as the gate lets them out.
        rule: the declaration of the register.
        key: the fields that together name a row once.
        last: the day of the one before, and the names that are withheld in any version.
        as_of: ISO date of this one.

    Returns:
        A row a leak: leak (a constant of this module), version (before, after or both), the key, and field. No names.
    """
    folded = set(fold_names(last.withheld))
    found: list[pd.DataFrame] = []
    for version, shown in {"before": before, "after": after}.items():
        for field in _list_texts(shown, rule):
            named = (remove_names(shown[field], last.withheld) != shown[field]) & shown[field].notna()
            found.append(_list_leaks(NAME_IN_TEXT, version, shown, key, field, named))
        released = shown[rule.name].notna()
        both = released & fold_names(shown[rule.name]).isin(folded)
        found.append(_list_leaks(NAME_RELEASED, version, shown, key, rule.name, both))
        for field in rule.telling:
            found.append(_list_leaks(TELLING, version, shown, key, field, ~released & shown[field].notna()))
    if is_same_quarter(last.day, as_of):
        was = before.set_index(list(key))[rule.name].reindex(after.set_index(list(key)).index)
        taken = was.notna().to_numpy() & after[rule.name].isna()
        found.append(_list_leaks(MONTH_OF_CHANGE, "both", after, key, rule.name, taken))
    return pd.concat(found, ignore_index=True)


def refuse_leaks(leaks: pd.DataFrame) -> None:
    """Refuse a version that itself gives something away beside the one before it.

    What an earlier version has given away, no later one can take back. Where a name is withheld now and was released
    then, or the other way round, more is known of it than was.

    Args:
        leaks: from `check_versions`.

    Raises:
        ReleaseRefusedError: with the number of each leak, and no name.
    """
    own = leaks[leaks["leak"].isin([NAME_IN_TEXT, TELLING]) & (leaks["version"] == "after")]
    if len(own):
        told = ", ".join(f"{leak} ({rows} rows)" for leak, rows in own["leak"].value_counts().items())
        raise ReleaseRefusedError(f"Beside its last version, this one gives something away: {told}.")


def fold_names(names: pd.Series) -> pd.Series:
    """Write names in small letters and with single blanks, so that the same is found to be the same."""
    folded: pd.Series = names.astype("str").str.casefold().str.replace(r"\s+", " ", regex=True).str.strip()
    return folded


def is_same_quarter(one: str, other: str) -> bool:
    """Whether two days (ISO) lie in the same quarter of a year: for so long a change is not told."""
    return bool(pd.Period(one, "Q") == pd.Period(other, "Q"))


def _list_leaks(
    leak: str, version: str, shown: pd.DataFrame, key: Sequence[str], field: str, rows: Any
) -> pd.DataFrame:
    named = pd.DataFrame(shown)[list(key)].loc[np.asarray(rows, dtype=bool)]
    return named.reset_index(drop=True).assign(leak=leak, version=version, field=field)
