"""Somebody who lays all that a study has published side by side, with nothing of the library's own protection.

Whoever reads the published files knows of the records behind them what a register shows row by row, how many have
certain values, as rounded counts say, and how coarser rows are spread. Each is a sum over groups of records that differ
in nothing the files tell apart, and a linear programme gives the least and the most that a hidden count can be. Of two
months, a record that the registers show unchanged is taken to be so.
"""

import importlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product

import numpy as np
import pandas as pd
from scipy.optimize import linprog
from scipy.sparse import csr_array, vstack

from councilbook.catalogue import CountRule, Dataset, RecordRule, RegisterRule

ELSE = "(anything else)"
Where = dict[str, str]
Tables = Mapping[str, pd.DataFrame]
Labels = Mapping[str, dict[str, set[str]]]  # attribute, label, values that it may stand for


@dataclass
class Known:
    """What one month's files say of some records: sums over groups of them, and which of these are hidden.

    Attributes:
        people: what a register shows of each, by its key; None without a register.
        counted: what has certain values, and how many these are at least and at most.
        coarse: tables of coarser rows, with the values that each label may stand for.
        hidden: counts that were not published: of which dataset, row and column, and what they count.
        whole: attributes of which a table has every value.
    """

    people: pd.DataFrame | None = None
    counted: list[tuple[Where, float, float]] = field(default_factory=list)
    coarse: list[tuple[pd.DataFrame, dict[str, dict[str, set[str]]]]] = field(default_factory=list)
    hidden: list[tuple[str, str, str, Where]] = field(default_factory=list)
    whole: set[str] = field(default_factory=set)


def read_published(specs: Mapping[str, Dataset], tables: Tables) -> dict[tuple[str, ...], Known]:
    """Gather what each published table says, by the records and by what a table tells apart (as orders of visits)."""
    about = {name: specs[name].about for name in tables if specs[name].about}
    apart = {
        (one.records, *map(str, values))
        for name, one in about.items()
        for values in tables[name][one.apart].drop_duplicates().itertuples(index=False)
    }
    several = {name[0] for name in apart if len(name) > 1}
    return {
        name: _read_one(specs, {one: tables[one] for one in about if about[one].records == name[0]}, name[1:])
        for name in sorted(apart)
        if len(name) > 1 or name[0] not in several
    }


def _read_one(specs: Mapping[str, Dataset], tables: Tables, apart: tuple[str, ...]) -> Known:
    known = Known()
    for name, table in tables.items():
        spec = specs[name]
        match spec.disclosure:
            case RegisterRule() if spec.about.tells:
                module, function = spec.about.tells.split(":")
                people = getattr(importlib.import_module(module), function)(table).astype("str")
                known.people = people.set_axis(table.loc[people.index, spec.key[0]].astype("str"))
            case CountRule() as rule:
                mine = np.ones(len(table), dtype=bool)
                for field, value in zip(spec.about.apart, apart, strict=False):
                    mine &= (table[field].astype("str") == value).to_numpy()
                _read_counts(known, spec, rule, table[mine])
            case RecordRule() as rule:
                _read_coarse(known, rule, table)
    return known


def _read_counts(known: Known, spec: Dataset, rule: CountRule, table: pd.DataFrame) -> None:
    half, about = rule.round_to // 2, spec.about
    for row in table.to_dict("records"):
        if any(row[one] == total for one, total in rule.totals.items()):
            continue  # a sum of what was left
        if any(row[one] != value for one, value in about.only.items()):
            continue
        aside = {*about.apart, *about.only, *about.implied, *about.named_by.values()}
        own = [key for key in spec.key if key not in aside]
        of = {str(row[about.named_by[key]]) if key in about.named_by else key: str(row[key]) for key in own}
        known.whole |= set(of)
        for count, values in about.counts.items():
            where, least = {**of, **values}, 0 if count in rule.public else rule.threshold
            if not pd.isna(row[count]):
                exact = row[count] == 0 and count not in rule.public
                low, high = (0, 0) if exact else (max(row[count] - half, least), row[count] + half)
                known.counted.append((where, low, high))
            elif row["is_suppressed"]:
                known.counted.append((where, 1 if rule.zeros == "show" else 0, np.inf))
                known.hidden.append((spec.id, "/".join(str(row[key]) for key in spec.key), count, where))


def _read_coarse(known: Known, rule: RecordRule, table: pd.DataFrame) -> None:
    labels: dict[str, dict[str, set[str]]] = {}
    for attribute, hierarchy in rule.quasi_identifiers.items():
        above: dict[str, set[str]] = {}
        for parents in hierarchy.parents:
            for child, parent in parents.items():
                above.setdefault(parent, set()).update(above.get(child, {child}))
        labels[attribute] = above
    rows = table[[*rule.quasi_identifiers, *rule.sensitive]].dropna(axis="columns", how="all")
    known.coarse.append((rows, labels))


class Programme:
    """Sums of groups of records between a least and a most."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.rows: list[tuple[np.ndarray, np.ndarray, float, float]] = []

    def add(self, at: Sequence[int] | np.ndarray, low: float, high: float, less: int | None = None) -> None:
        """Say what some groups come to, less another."""
        signs = np.ones(len(at))
        if less is not None:
            at, signs = np.append(at, less), np.append(signs, -1)
        self.rows.append((np.asarray(at, dtype=int), signs, low, high))

    def bound(self, at: np.ndarray) -> tuple[float, float]:
        """Return the least and the most that some groups can come to."""
        number = np.repeat(np.arange(len(self.rows)), [len(row[0]) for row in self.rows])
        entries = np.concatenate([row[1] for row in self.rows])
        where = np.concatenate([row[0] for row in self.rows])
        matrix = csr_array((entries, (number, where)), shape=(len(self.rows), self.width))
        low, high = (np.array([row[place] for row in self.rows], dtype=float) for place in (2, 3))
        equal = low == high
        upper, lower = ~equal & np.isfinite(high), ~equal
        aim = np.bincount(at, minlength=self.width).astype(float)
        ends = []
        for sign in (1, -1):
            solved = linprog(
                sign * aim,
                A_ub=vstack([matrix[upper], -matrix[lower]], format="csr"),
                b_ub=np.concatenate([high[upper], -low[lower]]),
                A_eq=matrix[equal],
                b_eq=low[equal],
                method="highs",
            )
            assert solved.status in (0, 3), solved.message
            ends.append(np.inf if solved.status == 3 else sign * solved.fun)
        return ends[0], ends[1]


def attack(*months: Known) -> pd.DataFrame:
    """Work out the least and the most that each hidden count can be, from one month's files or from two months'.

    Returns:
        month, dataset, row, count, low, high, and size: how many records it is a part of, as the register shows.
    """
    for before, known in pairwise(months):  # the same coarser rows again are still those of the month before
        known.coarse = [one for one in known.coarse if not any(one[0].equals(other[0]) for other in before.coarse)]
    parts = list(_split(months))
    found = pd.concat([_attack_part(part) for part in parts], ignore_index=True)
    return found.drop_duplicates(["month", "dataset", "row", "count"])


def _split(months: Sequence[Known]) -> Iterator[list[Known]]:
    """Take apart what no file links, as each tells of other things that no register shows."""
    public = set() if months[0].people is None else set(months[0].people)
    told = [frozenset(where) - public for month in months for where, *_ in month.counted]
    linked = {one for where in told for one in where}
    parts: list[frozenset[str]] = []
    for attributes in [*told, *(frozenset(rows) & linked for month in months for rows, _ in month.coarse)]:
        touched = [part for part in parts if part & attributes]
        parts = [part for part in parts if not part & attributes] + [attributes.union(*touched)]
    for part in dict.fromkeys(parts):
        yield [
            Known(
                month.people,
                [one for one in month.counted if set(one[0]) - public <= part],
                [(rows, labels) for rows, labels in month.coarse if set(rows) & part],
                [one for one in month.hidden if set(one[3]) - public <= part],
                month.whole,
            )
            for month in months
        ]


def _attack_part(months: Sequence[Known]) -> pd.DataFrame:
    groups = _make_groups(months)
    programme, changed = Programme(len(groups)), []
    shown = groups[groups["people"].notna()]
    for at in shown.groupby("group").indices.values():
        places = shown.index[at].to_numpy()
        programme.add(places, shown["people"].iloc[at[0]], shown["people"].iloc[at[0]])
    for month, known in enumerate(months):
        for where, low, high in known.counted:
            programme.add(_find(groups, month, where), low, high)
        for rows, labels in known.coarse:
            changed += _add_coarse(programme, groups, month, rows, labels)
    if changed:  # of another day: as few records as possible are in the one and not in the other
        fewest, _ = programme.bound(np.array(changed))
        programme.add(changed, 0, fewest + 1e-6)
    found = []
    for month, known in enumerate(months):
        public = [] if known.people is None else list(known.people)
        for dataset, row, count, where in known.hidden:
            of = groups.loc[_find(groups, month, {one: what for one, what in where.items() if one in public})]
            size = of.drop_duplicates("group")["people"].sum() if public else np.inf
            found.append((month, dataset, row, count, *programme.bound(_find(groups, month, where)), size))
    return pd.DataFrame(found, columns=["month", "dataset", "row", "count", "low", "high", "size"])


def _make_groups(months: Sequence[Known]) -> pd.DataFrame:
    """Lay out the groups of records: those of the register by what it shows and in which months, times all else."""
    counted = [where for month in months for where, *_ in month.counted]
    named = sorted({one for where in counted for one in where})
    coarse = {one for month in months for rows, _ in month.coarse for one in rows}
    if months[0].people is None:
        public, people = [], pd.DataFrame({"people": [np.nan], "months": [tuple(range(len(months)))]})
    else:
        public = [one for one in months[0].people if one in coarse.union(named)]
        rows = pd.concat([known.people[public].assign(month=month) for month, known in enumerate(months)])
        each = rows.reset_index(names="key").groupby(["key", *public])["month"].agg(tuple).rename("months")
        people = each.reset_index().groupby([*public, "months"]).size().rename("people").reset_index()
    whole = set.intersection(*(month.whole for month in months)) - coarse
    values = {
        one: [*dict.fromkeys(where[one] for where in counted if one in where), *([] if one in whole else [ELSE])]
        for one in named
        if one not in public
    }
    combined = pd.DataFrame(list(product(*values.values())), columns=list(values))
    return people.reset_index(names="group").merge(combined, how="cross")


def _find(groups: pd.DataFrame, month: int, where: Mapping[str, str]) -> np.ndarray:
    fits = np.array([month in months for months in groups["months"]], dtype=bool)
    for attribute, value in where.items():
        fits &= (groups[attribute] == value).to_numpy()
    return np.flatnonzero(fits)


def _add_coarse(
    programme: Programme,
    groups: pd.DataFrame,
    month: int,
    rows: pd.DataFrame,
    labels: Labels,
) -> list[int]:
    """Let each coarser row be any record that fits, or one that is not in the register (any more, or yet)."""
    columns = [one for one in rows if one in groups]
    patterns = rows[columns].astype("object").where(rows[columns].notna(), ELSE).value_counts(sort=False)
    taken: dict[int, list[int]] = {group: [] for group in _find(groups, month, {})}
    changed = []
    for pattern, number in patterns.items():
        fits = np.isin(np.arange(len(groups)), list(taken))
        for attribute, label in zip(columns, pattern, strict=True):
            if label != ELSE:
                may = labels.get(attribute, {}).get(label, {label})
                known = set(groups[attribute])
                fits &= groups[attribute].isin({value if value in known else ELSE for value in may}).to_numpy()
        at = np.flatnonzero(fits)
        places = np.arange(programme.width, programme.width + len(at) + 1)
        programme.width += len(places)
        changed.append(int(places[-1]))
        programme.add(places, number, number)
        for group, place in zip(at, places, strict=False):
            taken[group].append(int(place))
    for group, places in taken.items():
        changed.append(programme.width)
        programme.width += 1
        programme.add([*places, programme.width - 1], 0, 0, less=group)
    return changed


def find_recovered(bounds: pd.DataFrame, threshold: int, small: pd.Series | None = None) -> pd.DataFrame:
    """Return the hidden counts that come out.

    Those are the ones of which one whole number is left, or of which a reader is sure that they are smaller than the
    threshold, or than as many as the register shows; or that as few are left over of these; or that are known to be
    more than 1, if they are among those that are small indeed.
    """
    least, most = (np.ceil(bounds["low"].astype(float) - 1e-6), np.floor(bounds["high"].astype(float) + 1e-6))
    size = bounds["size"].astype("float64")
    over = size - least
    pinned = (least == most) & (size > 1)
    few = (most >= 1) & (most < np.minimum(threshold, size))
    few_over = np.isfinite(size) & (over >= 1) & (over < np.minimum(threshold, size - 1))
    narrow = False if small is None else small & (least > 1)
    return bounds[pinned | few | few_over | narrow]
