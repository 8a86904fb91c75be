"""A release held against all else that is published about the same records, until it gives nothing away beside it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from councilbook.catalogue import About, CountRule, Dataset, RecordRule, RegisterRule, find_function
from councilbook.errors import ReleaseRefusedError
from councilbook.gate.disclosure.records import ProtectedRecords, can_protect, protect_records
from councilbook.gate.disclosure.tables import secondary
from councilbook.gate.disclosure.tables.counts import (
    ProtectedCounts,
    know_about,
    protect_counts,
    read_table,
    suppress_counts,
    withhold_more,
)
from councilbook.gate.disclosure.tables.linked import protect_beside_versions
from councilbook.gate.disclosure.together import Coarser, Count, Counts, Told, add_totals, find_exposed, read_counts

OLDER = (
    "An earlier version of the workbook released it, so the two cannot be compared. Move its folder away, and run "
    "again. Tell whoever approves, as what was published then can still be compared by others."
)


@dataclass(frozen=True)
class Published:
    """A published table.

    Attributes:
        dataset: its declaration.
        table: as it was published.
        shown: of coarser rows, what registers showed of each record on their day; None: what they show now.
    """

    dataset: Dataset
    table: pd.DataFrame
    shown: pd.DataFrame | None = None


def gather_told(published: Mapping[str, Published]) -> Told:
    """Gather what published tables say of the records that they are about.

    Args:
        published: tables about the same records, by id.

    Raises:
        ReleaseRefusedError: one lacks a field that is needed of it.
    """
    shown: list[pd.DataFrame] = []
    counts: list[Counts] = []
    coarser: list[Coarser] = []
    for name, one in published.items():
        try:
            match one.dataset.disclosure, one.dataset.about:
                case RegisterRule(), About(tells=str(tells)):
                    shown.append(_read_register(one, tells))
                case CountRule() as rule, About() as about if about.counts:
                    counts.append(read_counts(one.table, rule, about, one.dataset.key))
                case RecordRule() as rule, About():
                    coarser.append(replace(_read_coarser(one.table, rule), shown=one.shown))
        except KeyError:
            lacking = sorted(one.dataset.fields.keys() - set(one.table.columns))
            raise ReleaseRefusedError(
                f"{name}, which is published about the same records, has no {', '.join(lacking)}. {OLDER}"
            ) from None
    return Told(shown[0] if shown else None, tuple(counts), tuple(coarser))


def _read_register(register: Published, tells: str) -> pd.DataFrame:
    shown: pd.DataFrame = find_function(tells)(register.table).astype("str")
    return shown.set_axis(register.table.loc[shown.index, register.dataset.key[0]].astype("str"))


def _read_coarser(table: pd.DataFrame, rule: RecordRule) -> Coarser:
    return Coarser(table[[*rule.quasi_identifiers, *rule.sensitive]], rule.quasi_identifiers)


def protect_counts_beside(
    frame: pd.DataFrame,
    rule: CountRule,
    dataset: Dataset,
    earlier: Sequence[pd.DataFrame],
    published: Mapping[str, Published],
) -> ProtectedCounts:
    """Protect counts as `protect_counts` does, and suppress more until nothing comes out beside what is published.

    That is its own earlier versions, and other tables about the same records.

    Coarser rows that are out may give a count back whatever is suppressed here. They are then left aside, and made
    coarser themselves when they go out again.

    Args:
        frame, rule, dataset: what is to be released.
        earlier: its earlier versions.
        published: the other tables about the same records, by id.

    Raises:
        ReleaseRefusedError: a suppressed count comes out, whatever is suppressed here.
    """
    safe, about = _protect_alone(frame, rule, dataset.key, earlier), dataset.about
    needed = safe.hidden
    told = gather_told(published) if about and about.counts else Told(None, (), ())
    while True:
        apart = protect_beside_versions(safe, rule, earlier)
        if about is None or not about.counts:
            return apart
        safe = _suppress_beside(apart, needed, told, about)
        if safe is apart or not earlier:
            return safe


def _protect_alone(
    frame: pd.DataFrame, rule: CountRule, key: Sequence[str], earlier: Sequence[pd.DataFrame]
) -> ProtectedCounts:
    """Protect counts, if it must be by suppressing what earlier versions show: a reader knows about what it is then."""
    if not earlier:
        return protect_counts(frame, rule, key)
    table = read_table(frame, rule, key, earlier)
    cells, aim = table.cells, table.aim
    if secondary.find_exposed(cells, aim, cells.is_published & (aim.unsafe | ~aim.shown)).any():
        aim = know_about(table).aim  # a pattern is sought only if there can be one
    return suppress_counts(table, secondary.choose_secondary(cells, aim, rule.solver_seconds))


def _suppress_beside(apart: ProtectedCounts, needed: pd.DataFrame, told: Told, about: About) -> ProtectedCounts:
    try:
        return _suppress_until_safe(apart, needed, told, about)
    except ReleaseRefusedError:
        if not told.coarser:
            raise
        return _suppress_until_safe(apart, needed, replace(told, coarser=()), about)


def _suppress_until_safe(alone: ProtectedCounts, needed: pd.DataFrame, told: Told, about: About) -> ProtectedCounts:
    exposed, own = _expose(alone, needed, told, about)
    if not exposed:
        return alone
    already = find_exposed(told, lambda _: None)  # what comes out of the other tables without this one
    withhold = alone.hidden & False
    everything = (~withhold).assign(**dict.fromkeys(alone.table.rule.public, False))
    if left := [one for one in _expose(withhold_more(alone, everything), needed, told, about)[0] if one not in already]:
        raise ReleaseRefusedError(
            f"{len(left)} suppressed counts could be worked out from it and what else is published about the same "
            "records. Release coarser groups."
        )
    safe = alone
    while exposed := [one for one in exposed if one not in already]:
        withhold = _choose_more(safe, about, own, exposed, withhold)
        safe = withhold_more(alone, withhold)
        exposed, own = _expose(safe, needed, told, about)
    return safe


def _expose(safe: ProtectedCounts, needed: pd.DataFrame, told: Told, about: About) -> tuple[list[Count], Counts]:
    """Return the counts that come out once a table is out as well, and that table.

    One of its own that was hidden beside those that have to be (`needed`) might as well be shown, so it may come out.
    """
    missing = [count for count in about.counts if safe.table.exact[count].isna().all()]
    own = read_counts(safe.frame, safe.table.rule, about, safe.table.cells.keys.columns.tolist(), missing)
    own = add_totals(own, safe.table.exact.mask(safe.hidden), about)
    find_true = _tell_true(own, safe.table.exact)
    exposed = find_exposed(replace(told, counts=(*told.counts, own)), find_true)
    return [one for one in exposed if find_true(one) is None or needed[one.column].iloc[one.row]], own


def _tell_true(own: Counts, exact: pd.DataFrame) -> Callable[[Count], float | None]:
    ours = {id(one) for part in own.parts.values() for one in part}
    return lambda one: float(exact[one.column].iloc[one.row]) if id(one) in ours else None


def _choose_more(
    safe: ProtectedCounts, about: About, own: Counts, exposed: Sequence[Count], withhold: pd.DataFrame
) -> pd.DataFrame:
    """Choose in each part of the table the smallest count that is shown and can take the place of one that comes out.

    Where that is in this table, these are first the counts of other groups beside it, then those of other groupings;
    where it is in another table, those of its kind.
    """
    touched = [part for part in own.parts.values() if set(part) & set(exposed)]
    more = withhold.copy()
    for part in touched or own.parts.values():
        if beside := _list_alike(part, exposed, about):
            least = min(beside, key=lambda one: (safe.table.exact[one.column].iloc[one.row], one.row))
            more.loc[more.index[least.row], least.column] = True
    if more.equals(withhold):
        raise ReleaseRefusedError(
            "A suppressed count could be worked out from it and what else is published beside it."
        )
    return more


def _list_alike(part: Sequence[Count], exposed: Sequence[Count], about: About) -> list[Count]:
    """List the counts of a part that are shown and, once suppressed, widen what is known of one that comes out."""
    shown = [one for one in part if one.row >= 0 and not one.is_hidden and one.low > 0]
    mine = [one for one in part if one in exposed]
    if not mine:
        kinds = [frozenset(values.items()) for values in about.counts.values() if values]
        named = {kind for kind in kinds if any(kind <= one.where for one in exposed)}
        return [one for one in shown if any(kind <= one.where for kind in named)]
    near = {(one.column, frozenset(dict(one.where))) for one in mine}
    columns = {one.column for one in mine}
    beside = [one for one in shown if (one.column, frozenset(dict(one.where))) in near]
    return beside or [one for one in shown if one.column in columns]


def protect_records_beside(
    records: pd.DataFrame,
    rule: RecordRule,
    dataset: Dataset,
    earlier: Sequence[Published],
    published: Mapping[str, Published],
) -> ProtectedRecords:
    """Make records coarser as `protect_records` does, and more so where they give a suppressed count back.

    The same records as were published last stay as they were, if that gives nothing back: two coarsenesses of the same
    rows say more than either. Where no level keeps the others' suppressed counts, none of the records go out.

    Args:
        records, rule, dataset: what is to be released.
        earlier: its last version, if there is one, with what registers showed on its day.
        published: the other tables about the same records, by id.

    Raises:
        ReleaseRefusedError: no level reaches the rule's own targets.
    """
    told = gather_told(published)
    exact = records.astype("str")
    fields = list(dataset.fields)

    def find_true(count: Count) -> float | None:
        if {attribute for attribute, _ in count.where} - set(exact):
            return None
        return float(exact[[name for name, _ in count.where]].eq([value for _, value in count.where]).all(axis=1).sum())

    def is_safe(safe: pd.DataFrame, shown: pd.DataFrame | None = None) -> bool:
        beside = replace(told, coarser=(replace(_read_coarser(safe, rule), shown=shown),))
        return dataset.about is None or not told.counts or not find_exposed(beside, find_true, of_rows=True)

    then = None
    if earlier and _are_same(records, earlier[-1].table, rule):
        last, then = _hash_rows(earlier[-1].table[fields]), earlier[-1].shown
        try:
            return protect_records(records, rule, lambda safe: _hash_rows(safe[fields]) == last and is_safe(safe, then))
        except ReleaseRefusedError:
            pass  # the rule, the way to lay them out or what else is published is another by now
    try:
        return protect_records(records, rule, lambda safe: is_safe(safe, then))
    except ReleaseRefusedError:
        if not can_protect(records, rule):
            raise
        return replace(protect_records(records.iloc[:0], rule), records_dropped=len(records), loss=1.0)


def _are_same(records: pd.DataFrame, last: pd.DataFrame, rule: RecordRule) -> bool:
    """Tell whether records may be those of the last version: all that it says of them beside what was made coarser."""
    if last.empty or not rule.covered <= set(last):
        return False
    then, now = (set(map(tuple, one[rule.harmless].astype("str").to_numpy())) for one in (last, records))
    return then <= now


def _hash_rows(table: pd.DataFrame) -> list[int]:
    """Sum a table up in a number a row, in no order, so that it is quickly told from another."""
    texts = table.astype("str").astype("object").fillna("")
    return sorted(pd.util.hash_pandas_object(texts, index=False, categorize=False).tolist())
