"""Registers of things that a law makes public: what may be said of whoever stands behind each of them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from councilbook.catalogue import RegisterRule
from councilbook.errors import CheckError, ReleaseRefusedError

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
LEAST_WORDS = 2  # one word is a name of too many other things

Words = tuple[str, ...]


@dataclass(frozen=True)
class ProtectedRegister:
    """A register that names nobody but organisations, and what was done to it."""

    frame: pd.DataFrame
    record: dict[str, Any]


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
    names = {words for words in map(split_words, given[withheld]) if len(words) >= LEAST_WORDS}
    safe = register.drop(columns=rule.inputs)
    blanked = safe[[rule.name, *rule.telling]].notna().to_numpy() & withheld[:, None]
    safe[[rule.name, *rule.telling]] = safe[[rule.name, *rule.telling]].mask(blanked)
    _refuse_both_ways(safe[rule.name], names)
    if rule.redacted is not None:
        safe.loc[withheld, [rule.name, *rule.telling]] = rule.redacted
    texts = [name for name in rule.public if pd.api.types.is_string_dtype(safe[name]) or safe[name].dtype == object]
    cleaned = safe[texts].apply(lambda texts: _remove_names(texts, names))
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


def _remove_names(texts: pd.Series, names: set[Words]) -> pd.Series:
    """Take names out of texts; a text that is nothing else becomes missing."""
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
