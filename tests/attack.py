"""Somebody who tries to work out suppressed counts, with nothing of the library but the published table."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd
from scipy.optimize import linprog

Cell = tuple[int, str]  # its row and its count
Sum = dict[Cell, int]


def list_sums(frame: pd.DataFrame, key: Sequence[str], counts: Sequence[str], totals: Mapping[str, str]) -> list[Sum]:
    """Write down which counts add up to which: for each row with a total, the rows that it is the total of."""
    sums = []
    rows = enumerate(frame[list(key)].to_dict("records"))
    for (field, total), count, (row, names) in product(totals.items(), counts, rows):
        if names[field] == total:
            others = [name for name in key if name != field]
            alike = (frame[others] == pd.Series(names)[others]).all(axis="columns") & (frame[field] != total)
            if alike.any():
                sums.append({(row, count): -1} | {(int(part), count): 1 for part in np.flatnonzero(alike)})
    return sums


def attack(
    exact: pd.DataFrame, hidden: pd.DataFrame, sums: Sequence[Sum], parts: Mapping[str, str], floor: int
) -> Iterator[tuple[tuple[str, Cell], float, float, float]]:
    """Yield of each suppressed count, and of each remainder of a whole: which it is, its number, and its bounds.

    Args:
        exact: the counts; those not hidden are known.
        hidden: which are suppressed.
        sums: which add up.
        parts: which are parts of which.
        floor: what a suppressed count is known to be at least.
    """
    numbers = {(row, count): exact[count].iloc[row] for count in exact for row in range(len(exact))}
    bounds = {}
    for (row, count), number in numbers.items():
        if pd.isna(number):
            bounds[row, count] = (0, None)
        else:
            bounds[row, count] = (floor, None) if hidden[count].iloc[row] else (number, number)
    place = {cell: number for number, cell in enumerate(numbers)}
    equal = np.zeros((len(sums), len(place)))
    for number, one in enumerate(sums):
        for cell, sign in one.items():
            equal[number, place[cell]] = sign
    smaller = [{(row, part): 1, (row, whole): -1} for part, whole in parts.items() for row in range(len(exact))]
    less = np.zeros((len(smaller), len(place)))
    for number, one in enumerate(smaller):
        for cell, sign in one.items():
            less[number, place[cell]] = sign
    wanted = [("count", {cell: 1}) for cell, known in bounds.items() if known == (floor, None)]
    wanted += [("remainder", {cell: -sign for cell, sign in one.items()}) for one in smaller]
    for what, terms in wanted:
        number = sum(sign * numbers[cell] for cell, sign in terms.items())
        if pd.isna(number):
            continue
        aim = np.zeros(len(place))
        for cell, sign in terms.items():
            aim[place[cell]] = sign
        ends = []
        for direction in (1, -1):
            found = linprog(
                direction * aim, less, np.zeros(len(less)), equal, np.zeros(len(equal)), list(bounds.values())
            )
            ends.append(-direction * np.inf if found.status == 3 else direction * found.fun)
        yield (what, next(iter(terms))), float(number), *ends
