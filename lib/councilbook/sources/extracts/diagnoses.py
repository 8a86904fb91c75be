"""Diagnosis codes of a person turned into groups of conditions, by short public lists (`diagnoses.yaml`).

Several codes may stand in a cell, between semicolons, commas, bars or spaces, several columns may hold codes, and a
person may have a row for each. What the lists cannot do: they know chapters, so a code of the right chapter counts
whatever it says of severity, or of when; codes of history, of family and of tests are in no group; CTV3 codes that
begin with X or Y are in no order, and have to be told one by one; of SNOMED CT only a few general and common disorders
are known, so a file of detailed concepts finds fewer people than there are: a council maps the others in its own file.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from councilbook.catalogue import Table
from councilbook.paths import read_beside

NO_GROUP = "no group"
BETWEEN = re.compile(r"[;,|\s]+")

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class CodeList:
    """A system of codes of diagnoses, and which of them are of which group.

    Attributes:
        title: what the system is called; a council writes it as what a column holds.
        headers: pattern of a word in the headers of such columns.
        form: pattern of a code.
        source: whose system it is, and which part of it makes a group.
        groups: by group, the beginnings of its codes.
        whole: the codes themselves are listed, not their beginnings.
    """

    title: str
    headers: str
    form: str
    source: str
    groups: Mapping[str, list[str]]
    whole: bool = False

    def read_code(self, code: str) -> str | None:
        """Return the group of a code, `NO_GROUP` if it is of none, and None if it is no code of the system."""
        if not re.fullmatch(self.form, code):
            return None
        for group, known in self.groups.items():
            if code in known if self.whole else code.startswith(tuple(known)):
                return group
        return NO_GROUP


@cache
def load_code_lists() -> dict[str, CodeList]:
    """Load the lists, by title."""
    return {one["title"]: CodeList(**one) for one in read_beside(__file__, "diagnoses.yaml").values()}


def list_groups(table: Table) -> list[str]:
    """List the fields of a table that codes of diagnoses can be turned into."""
    known = {group for codes in load_code_lists().values() for group in codes.groups}
    return [name for name, one in table.fields.items() if one.type == "boolean" and name in known]


def split_codes(cell: str) -> list[str]:
    """Split a cell into its codes."""
    return [part for part in BETWEEN.split(cell) if part]


def find_groups(
    cells: "pd.Series[str]", codes: CodeList, told: Mapping[str, str], groups: Iterable[str]
) -> tuple[dict[str, Flags], "pd.Series[str]"]:
    """Find of which groups the codes in each cell are.

    Args:
        cells: a cell a person, with any number of codes; missing where there is none.
        codes: the system that they are of.
        told: what the council says of single codes: a group, or `NO_GROUP`.
        groups: those that are wanted.

    Returns:
        By group, whether a cell has a code of it; and the codes that are neither of the system nor told, with the index
        of their row, once for each time.
    """
    places, words = pd.factorize(cells.fillna(""))
    parts = [split_codes(str(word)) for word in words]
    read = {code: told.get(code) or codes.read_code(code) for code in {code for part in parts for code in part}}
    held = [{read[code] for code in part} for part in parts]
    found = {group: np.array([group in one for one in held], dtype=bool)[places] for group in groups}
    unknown = [[code for code in part if read[code] is None] for part in parts]
    strange = [(row, code) for row, place in zip(cells.index, places, strict=True) for code in unknown[int(place)]]
    return found, pd.Series([code for _, code in strange], index=[row for row, _ in strange], dtype="str")
