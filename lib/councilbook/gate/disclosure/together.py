"""What all that is published about the same records gives away together, though each table by itself is safe.

The records fall into groups that no table tells apart. A register shows row by row how many of them there are, by what
is public; a count says how many have certain values; coarser rows say how the records are spread over their labels.
Each is a sum of groups, and linear programmes find what a reader can conclude of a hidden count: the attack on linked
tables of Fischetti and Salazar-González (2001), see `tables.secondary`.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from councilbook.catalogue import About, CountRule, Hierarchy
from councilbook.gate.disclosure.hierarchies import build_ladder
from councilbook.gate.disclosure.tables.cells import TOLERANCE, Flags, Numbers, bound_cells
from councilbook.gate.disclosure.tables.linked import drop_contradicted, find_least

ELSE = "anything else"  # value of an attribute that no count names

Where = frozenset[tuple[str, str]]  # attributes with their values
Places = NDArray[np.intp]


@dataclass(frozen=True)
class Count:
    """A count as a reader sees it.

    Attributes:
        row: of which row of its table it is; -1 if it is a sum of some.
        column: the field of the count.
        where: what it counts: the records with these values.
        low, high: what the reader knows of it.
        is_hidden: whether it was withheld.
    """

    row: int
    column: str
    where: Where
    low: float
    high: float
    is_hidden: bool = False


@dataclass(frozen=True)
class Counts:
    """A published table of counts.

    Attributes:
        parts: its counts, by what they are apart in (as the order of visits of which each row tells).
        groups: attributes of which the table has every value.
        threshold: counts below this are hidden.
    """

    parts: Mapping[tuple[str, ...], Sequence[Count]]
    groups: frozenset[str]
    threshold: int


@dataclass(frozen=True)
class Coarser:
    """A published table of coarser rows.

    Attributes:
        rows: a row a record, with labels that stand for one value or for many.
        hierarchies: by attribute, what is declared of them.
        shown: what registers showed of each record on the day of the rows; None: what they show now.
    """

    rows: pd.DataFrame
    hierarchies: Mapping[str, Hierarchy]
    shown: pd.DataFrame | None = None


@dataclass(frozen=True)
class Told:
    """All that is published about the same records.

    Attributes:
        shown: what registers show of each record, by its key, a column an attribute; None without a register.
        counts, coarser: the other tables.
    """

    shown: pd.DataFrame | None = None
    counts: tuple[Counts, ...] = ()
    coarser: tuple[Coarser, ...] = ()


def read_counts(
    table: pd.DataFrame, rule: CountRule, about: About, key: Sequence[str], missing: Collection[str] = ()
) -> Counts:
    """Write down what each count of a published table says; a total of what was left says nothing.

    Args:
        table, rule, about, key: the table and its declaration.
        missing: counts that were never there, so that they are not taken to be withheld.
    """
    parts: dict[tuple[str, ...], list[Count]] = {}
    told = {count: values for count, values in about.counts.items() if count not in missing}
    aside = {*about.apart, *about.only, *about.implied, *about.named_by.values()}
    own = [name for name in key if name not in aside]
    for row, cells in enumerate(table.to_dict("records")):
        is_total = any(cells[name] == total for name, total in rule.totals.items())
        if is_total or any(cells[name] != value for name, value in about.only.items()):
            continue
        here = parts.setdefault(tuple(str(cells[name]) for name in about.apart), [])
        where = {str(cells[about.named_by[name]]) if name in about.named_by else name: str(cells[name]) for name in own}
        for column, values in told.items():
            low, high = _read_interval(cells[column], column, rule)
            hidden = bool(pd.isna(cells[column]) and cells["is_suppressed"])
            if hidden or np.isfinite(high):
                here.append(Count(row, column, frozenset({**where, **values}.items()), low, high, hidden))
    named = {str(one) for field in about.named_by.values() for one in table[field].unique()}
    return Counts(parts, frozenset({*own, *named} - set(about.named_by)), rule.threshold)


def _read_interval(number: float | None, column: str, rule: CountRule) -> tuple[float, float]:
    if number is None or pd.isna(number):
        return float(rule.zeros == "show"), np.inf
    half, least = rule.round_to // 2, 0 if column in rule.public else rule.threshold
    if number == 0:
        return 0, half if column in rule.public else 0
    return max(number - half, least), number + half


def add_totals(counts: Counts, exact: pd.DataFrame, about: About) -> Counts:
    """Add the true totals of a table that is to be released, which a reader is taken to know from elsewhere.

    Args:
        counts: the table as it is to be released.
        exact: the table as it was made.
        about: its declaration.
    """
    parts: dict[tuple[str, ...], list[Count]] = {}
    for name, here in counts.parts.items():
        totals = []
        for column, values in about.counts.items():
            own = [one for one in here if one.column == column]
            fields = {field for field, _ in own[0].where} if own else set()  # each grouping has all records once
            rows = [one.row for one in own if {field for field, _ in one.where} == fields]
            numbers = exact[column].iloc[rows]
            if rows and numbers.notna().all():
                total = float(numbers.sum())
                totals.append(Count(-1, column, frozenset(values.items()), total, total))
        parts[name] = [*here, *totals]
    return Counts(parts, counts.groups, counts.threshold)


def find_exposed(told: Told, find_true: Callable[[Count], float | None], *, of_rows: bool = False) -> list[Count]:
    """Find the hidden counts of which all tables together say more than they may.

    Of a count that is small, a reader must think possible all from 1 to the threshold, or to as many as a register
    shows where these are fewer; of what is left over of these, that it is as many as the threshold. Of a count whose
    number is not known here, nobody may be sure that it is small. No hidden count may be pinned to one number.

    Where no coarser rows are about it, the reader is taken to know the counts that are shown exactly, as far as their
    numbers are known here: over several months a rounded count tells more than its interval.

    Args:
        told: all that is published, and what is to be.
        find_true: returns the number of a count; None where it is not known.
        of_rows: whether to look only at what coarser rows are about.
    """
    exposed: list[Count] = []
    for name in dict.fromkeys(name for counts in told.counts for name in counts.parts):
        here = [one for counts in told.counts for one in counts.parts.get(name, counts.parts.get((), ()))]
        for linked, coarser in _split(told, here):
            hidden = [one for one in linked if one.is_hidden]
            if hidden and (coarser or not of_rows):
                part = Told(told.shown, told.counts, coarser)
                exposed += _find_exposed_part(part, linked, hidden, find_true)
    return list(dict.fromkeys(exposed))


def _split(told: Told, counts: Sequence[Count]) -> Iterator[tuple[list[Count], tuple[Coarser, ...]]]:
    """Yield the counts in parts that no table links, as each is about other things that no register shows."""
    public = set() if told.shown is None else {str(one) for one in told.shown}
    tables = [replace(table, rows=table.rows.dropna(axis="columns", how="all")) for table in told.coarser]
    of_count = [frozenset(name for name, _ in one.where) - public for one in counts]
    named = frozenset().union(*of_count)
    of_table = [frozenset(map(str, table.rows)) & named for table in tables]
    parts: list[frozenset[str]] = []
    for attributes in dict.fromkeys([*of_count, *of_table]):
        touched = [part for part in parts if part & attributes]
        parts = [part for part in parts if part not in touched] + [attributes.union(*touched)]
    for part in dict.fromkeys(parts):
        linked = [one for one, attributes in zip(counts, of_count, strict=True) if attributes <= part]
        yield linked, tuple(table for table, attributes in zip(tables, of_table, strict=True) if attributes & part)


def _find_exposed_part(
    told: Told, counts: Sequence[Count], hidden: Sequence[Count], find_true: Callable[[Count], float | None]
) -> list[Count]:
    groups = _make_groups(told, counts)
    system = _System(len(groups))
    if told.shown is not None:
        for places in groups.groupby("shown").indices.values():
            records = float(groups["records"].iloc[places[0]])
            system.add(np.asarray(places, dtype=np.intp), records, records)
    for one in counts:
        if not one.is_hidden:
            number = find_true(one) if one.row >= 0 and not told.coarser else None
            known = (number, number) if number is not None and one.low <= number <= one.high else (one.low, one.high)
            system.add(_find(groups, one.where), *known)
    for table in told.coarser:
        _add_coarser(system, groups, table)
    threshold = float(min(table.threshold for table in told.counts))
    wanted = np.array([system.add(_find(groups, one.where), one.low, one.high) for one in hidden])
    relations = system.settle()
    sizes = np.array([_measure(groups, told.shown, one.where) for one in hidden])
    true = [find_true(one) for one in hidden]
    numbers = np.array([np.nan if number is None else number for number in true], dtype="float64")
    reach = np.minimum(threshold, sizes)
    low, high = system.bound(relations, wanted, np.ones(len(wanted)), reach)
    large = np.isfinite(sizes) & (low >= reach - TOLERANCE)  # whether these are pinned is to be seen yet
    _, high[large] = system.bound(relations, wanted[large], np.full(large.sum(), -np.inf), sizes[large])
    tells = _tell(np.ceil(low - TOLERANCE), np.floor(high + TOLERANCE), sizes, numbers, threshold)
    return [one for one, told_of in zip(hidden, tells, strict=True) if told_of]


def _tell(least: Numbers, most: Numbers, sizes: Numbers, numbers: Numbers, threshold: float) -> Flags:
    """Return which intervals say too much of a hidden count, or of what is left over of as many as a register shows."""
    reach = np.minimum(threshold, sizes)
    over_reach = np.minimum(threshold, sizes - 1)
    with np.errstate(invalid="ignore"):  # nothing is left over of what has no limit
        over_most, over = sizes - least, sizes - numbers
        is_small, few_over = (numbers >= 1) & (numbers < threshold), (over >= 1) & (over < threshold)
        unknown, pinned = np.isnan(numbers), (least >= most) & (sizes > 1)
        low = is_small & (least > 1)
        high = (is_small | unknown) & (most >= 1) & (most < reach)
        left = (few_over | unknown) & (over_most >= 1) & (over_most < over_reach)
    tells: Flags = pinned | low | high | left
    return tells


# --- the sums ---


class _System:
    """Sums between groups of records, as `bound_cells` takes them: the groups are the first cells."""

    def __init__(self, groups: int) -> None:
        self.lower, self.upper = [0.0] * groups, [np.inf] * groups
        self.sums: list[tuple[Places, int]] = []
        self.changed: list[int] = []

    def make_cells(self, count: int) -> Places:
        """Add cells of which nothing is known."""
        start = len(self.lower)
        self.lower += [0.0] * count
        self.upper += [np.inf] * count
        return np.arange(start, start + count)

    def add(self, parts: Places, low: float, high: float) -> int:
        """Add the sum of some cells as a cell of its own, with what is known of it, and return its place."""
        self.lower.append(low)
        self.upper.append(high)
        self.sums.append((parts, len(self.lower) - 1))
        return len(self.lower) - 1

    def settle(self) -> csr_array:
        """Return the sums, without those that contradict others, as counts of different days do.

        Of coarser rows of another day, as few records as can be are taken to have changed since.
        """
        changed = np.array(self.changed, dtype=np.intp)
        total = self.add(changed, 0, np.inf)
        number = np.repeat(np.arange(len(self.sums)), [len(parts) + 1 for parts, _ in self.sums])
        at = np.concatenate([np.append(parts, of) for parts, of in self.sums])
        signs = np.concatenate([np.append(np.ones(len(parts)), -1) for parts, _ in self.sums])
        relations = csr_array((signs, (number, at)), shape=(len(self.sums), len(self.lower)))
        lower, upper = np.array(self.lower), np.array(self.upper)
        upper[changed] = 0
        if find_least(relations, lower, upper, total) is None:
            upper[changed] = np.inf
            fewest = find_least(relations, lower, upper, total)
            upper[total] = np.inf if fewest is None else fewest + TOLERANCE
            relations = drop_contradicted(relations, lower, upper) if fewest is None else relations
        self.upper = upper.tolist()
        return relations

    def bound(
        self, relations: csr_array, wanted: Places, reach_low: Numbers, reach_high: Numbers
    ) -> tuple[Numbers, Numbers]:
        """Return the least and the most that the wanted cells can be, as far as they are looked for."""
        size = len(self.lower)
        flags, low, high = np.zeros(size, dtype=bool), np.full(size, -np.inf), np.full(size, np.inf)
        flags[wanted], low[wanted], high[wanted] = True, reach_low, reach_high
        low, high = bound_cells(relations, np.array(self.lower), np.array(self.upper), flags, low, high)
        return low[wanted], high[wanted]


def _make_groups(told: Told, counts: Sequence[Count]) -> pd.DataFrame:
    """Lay out the groups of records that no table tells apart.

    A record that registers show unchanged now and on the day of coarser rows is taken to be so.

    Returns:
        An attribute a column, `shown` (the number of what registers show), `records` (how many they show), `is_now` and
        `is_then` (whether these are among the records now, and on the day of coarser rows).
    """
    named = {attribute for one in counts for attribute, _ in one.where}
    coarse = {attribute for table in told.coarser for attribute in table.rows}
    public = [] if told.shown is None else [str(one) for one in told.shown if one in named | coarse]
    records = pd.DataFrame({"records": [np.inf], "is_now": [True], "is_then": [True]})
    if told.shown is not None:
        then = next((table.shown for table in told.coarser if table.shown is not None), told.shown)
        records = _lay_out_shown(told.shown, then, public)
    whole = frozenset().union(*(table.groups for table in told.counts)) - coarse
    free = {
        attribute: [
            *dict.fromkeys(value for one in counts for name, value in sorted(one.where) if name == attribute),
            *([] if attribute in whole else [ELSE]),
        ]
        for attribute in sorted(named - set(public))
    }
    combined = pd.DataFrame(list(product(*free.values())), columns=list(free))
    return records.reset_index(names="shown").merge(combined, how="cross")


def _lay_out_shown(now: pd.DataFrame, then: pd.DataFrame, public: list[str]) -> pd.DataFrame:
    """Count the records of which registers show the same, of those of now and those of another day."""
    rows = [frame[public].astype("str").rename_axis("key").reset_index() for frame in (now, then)]
    both = rows[0].merge(rows[1], on=["key", *public], how="outer", indicator="when")
    both = both.assign(is_now=both["when"] != "right_only", is_then=both["when"] != "left_only")
    return both.groupby([*public, "is_now", "is_then"]).size().rename("records").reset_index()


def _find(groups: pd.DataFrame, where: Where, when: str = "is_now") -> Places:
    """Return the places of the groups that have these values."""
    fits = groups[when].to_numpy(dtype=bool, copy=True)
    for attribute, value in where:
        fits &= groups[attribute].to_numpy() == value
    return np.flatnonzero(fits)


def _measure(groups: pd.DataFrame, shown: pd.DataFrame | None, where: Where) -> float:
    """Return how many records can be in a count at the most, as a register shows; infinite without one."""
    public = {(attribute, value) for attribute, value in where if shown is not None and attribute in shown}
    at = groups.iloc[_find(groups, frozenset(public))]
    return float(at.drop_duplicates("shown")["records"].sum())


def _add_coarser(system: _System, groups: pd.DataFrame, table: Coarser) -> None:
    """Let each row be a record of any group that fits its labels: each label has its rows, each group its records."""
    columns = [str(one) for one in table.rows if one in groups]
    may = {one: _read_labels(groups[one].unique(), table.rows[one], table.hierarchies.get(one)) for one in columns}
    patterns = table.rows[columns].astype("object").where(table.rows[columns].notna(), ELSE)
    there = groups["is_then"].to_numpy(dtype=bool)
    taken: list[list[int]] = [[] for _ in range(len(groups))]
    counted = patterns.value_counts(sort=False) if columns else {(): len(patterns)}
    for labels, rows in counted.items():
        fits = there.copy()
        for attribute, label in zip(columns, np.atleast_1d(np.array(labels, dtype=object)), strict=True):
            if label != ELSE:
                fits &= groups[attribute].isin(may[attribute][str(label)]).to_numpy()
        at = np.flatnonzero(fits)
        cells = system.make_cells(len(at) + 1)  # the last is of who has gone since
        system.changed.append(int(cells[-1]))
        system.add(cells, float(rows), float(rows))
        for group, cell in zip(at, cells, strict=False):
            taken[group].append(int(cell))
    places = np.flatnonzero(there)
    new = system.make_cells(len(places))
    system.changed += new.tolist()
    for place, cell in zip(places.tolist(), new.tolist(), strict=True):
        system.sums.append((np.array([*taken[place], cell], dtype=np.intp), place))


def _read_labels(values: Iterable[str], labels: pd.Series, hierarchy: Hierarchy | None) -> dict[str, set[str]]:
    """Return which values each label of coarser rows can stand for."""
    named = [value for value in values if value != ELSE]
    may: dict[str, set[str]] = {str(label): set() for label in labels.dropna().unique()}
    for value in named:
        for label in _write_levels(value, hierarchy) & set(may):
            may[label].add(value)
    return {label: found or {ELSE} for label, found in may.items()}


def _write_levels(value: str, hierarchy: Hierarchy | None) -> set[str]:
    if hierarchy is None:
        return {value}
    ladder = build_ladder(pd.Series([value], name="value", dtype="str"), hierarchy)
    return {str(label.iloc[1]) for label in ladder.labels if pd.notna(label.iloc[1])}
