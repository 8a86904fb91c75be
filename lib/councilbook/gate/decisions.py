"""The gate: applies a dataset's disclosure rule to a table, or refuses to let it out.

Refusal is the default. What was decided, and why, becomes the audit record that lies beside the dataset.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from councilbook.catalogue import (
    CountRule,
    Dataset,
    Default,
    FoundFile,
    Guarded,
    Held,
    MagnitudeRule,
    ModelRule,
    RecordRule,
    RegisterRule,
)
from councilbook.errors import CheckError, PublishedBeforeError, ReleaseRefusedError
from councilbook.gate.beside import OLDER, Published, protect_counts_beside, protect_records_beside
from councilbook.gate.disclosure.coefficients import check_model
from councilbook.gate.disclosure.registers import LastVersion, check_versions, protect_register, refuse_leaks
from councilbook.gate.disclosure.tables.cells import align_rows
from councilbook.gate.disclosure.tables.counts import ProtectedCounts
from councilbook.gate.disclosure.tables.linked import find_exposed_by_areas
from councilbook.gate.disclosure.tables.magnitudes import find_unsafe_moves, protect_magnitudes


@dataclass(frozen=True)
class Surroundings:
    """What else a reader knows, or will know, beside a dataset."""

    read: Sequence[Mapping[str, Any]] = ()  # data packages of released datasets that were read beside it
    earlier: Sequence[pd.DataFrame] = ()  # its earlier versions, as they were published
    others: Mapping[str, pd.DataFrame] = field(default_factory=dict)  # other datasets of the same count, by id
    crosswalks: Mapping[str, pd.DataFrame] = field(default_factory=dict)  # to the areas of each, by its id
    about: Mapping[str, Published] = field(default_factory=dict)  # other datasets about the same records, by id
    shown: pd.DataFrame | None = None  # of coarser rows, what registers showed of each on the day of the last version
    last: LastVersion | None = None  # of a register
    run_date: str = ""  # ISO date of this version


@dataclass(frozen=True)
class Passed:
    """A table that the gate let through, and the record of what it did."""

    frame: pd.DataFrame
    audit: dict[str, Any]
    for_approver: Mapping[str, Any] = field(default_factory=dict)  # would help to undo it, so must not lie beside it


def pass_gate(
    dataset: Dataset,
    frame: pd.DataFrame,
    used: Sequence[FoundFile],
    defaults: Mapping[str, Default],
    around: Surroundings | None = None,
) -> Passed:
    """Apply a dataset's disclosure rule to a table.

    A dataset that is `held` passes as it is: it is not open, and stays where it may be read. One without a rule, or
    with `open_sources_only`, passes if nothing but open sources, and released datasets that are open, was loaded beside
    it. The other rules make a table safe (`disclosure.counts`, `.magnitudes`, `.records`,
    `.registers`) or check it (`.models`),
    whatever it was made from; a count is also compared with its earlier versions and with other areas
    (`disclosure.linked`), and a register with its last version.

    Args:
        dataset: what is to be released; its rule is in the catalogue.
        frame: the table.
        used: every file that was loaded in the notebook it was made in.
        defaults: the reasons for a rule's parameters.
        around: what else is known.

    Raises:
        PublishedBeforeError: the rule allows the release, but not beside what is published.
        ReleaseRefusedError: the rule does not allow the release.
        CheckError: a column that the rule needs is not there.
    """
    around = around or Surroundings()
    rule = dataset.disclosure
    beside = {found.source.id: found.source.spectrum for found in used}
    beside |= {package["name"]: package["councilbook"]["classification"] for package in around.read}
    guarded = sorted(f"{name} ({spectrum})" for name, spectrum in beside.items() if spectrum != "open")
    record: dict[str, Any] = {
        "dataset": dataset.id,
        "rule": rule.rule if rule else None,
        "parameters": {},
        "reasons": {},
        "rows": len(frame),
        "sources": sorted({found.source.id for found in used}),
        "guarded_sources": guarded,
        "cells_suppressed": 0,
        "rows_suppressed": 0,
        "information_lost": {},
    }
    if isinstance(rule, Held):
        return Passed(frame, record)
    if not isinstance(rule, Guarded):
        if guarded:
            reason = "its rule allows open sources only" if rule else "it has no disclosure rule in the catalogue"
            raise ReleaseRefusedError(
                f"Dataset {dataset.id} was not released: it was made beside {', '.join(guarded)}, and {reason}. "
                "Nothing was written."
            )
        return Passed(frame, record)
    record |= _explain(rule, defaults)
    made_here = set(rule.shares) if isinstance(rule, CountRule) else set()
    if absent := sorted({*rule.covered, *rule.inputs, *dataset.key} - set(frame.columns) - made_here):
        raise CheckError(f"Dataset {dataset.id}: its disclosure rule needs a column {', '.join(absent)}.")
    try:
        return _apply(rule, dataset, frame, around, record)
    except ReleaseRefusedError as error:
        refused = PublishedBeforeError if _passes_alone(rule, dataset, frame, record) else ReleaseRefusedError
        raise refused(f"Dataset {dataset.id} was not released: {error} Nothing was written.") from None
    except CheckError as error:
        raise CheckError(f"Dataset {dataset.id}: {error}") from None


def _passes_alone(rule: Guarded, dataset: Dataset, frame: pd.DataFrame, record: dict[str, Any]) -> bool:
    """Tell whether a table that was refused could leave if nothing were known beside it."""
    try:
        _apply(rule, dataset, frame, Surroundings(), record)
    except ReleaseRefusedError:
        return False
    return True


def _explain(rule: Guarded, defaults: Mapping[str, Default]) -> dict[str, Any]:
    """Return a rule's parameters, and why each is as it is."""
    parameters = rule.model_dump(exclude={"rule", "because", "approver"})
    reasons = {
        name: defaults[name].reason if value == defaults[name].value else rule.because or "stricter than the default"
        for name, value in parameters.items()
        if name in defaults
    }
    return {"parameters": parameters, "reasons": reasons}


def _apply(
    rule: Guarded, dataset: Dataset, frame: pd.DataFrame, around: Surroundings, record: dict[str, Any]
) -> Passed:
    match rule:
        case CountRule():
            counts = protect_counts_beside(frame, rule, dataset, around.earlier, around.about)
            _compare_areas(rule, dataset, counts, around)
            return Passed(counts.frame, {**record, **counts.record}, counts.for_approver)
        case MagnitudeRule():
            sums = protect_magnitudes(frame, rule, dataset.key)
            _compare_sums(rule, dataset, frame, sums.frame, around)
            return Passed(sums.frame.drop(columns=rule.inputs), {**record, **sums.record}, sums.for_approver)
        case RecordRule():
            last = [Published(dataset, version, around.shown) for version in around.earlier]
            records = protect_records_beside(frame, rule, dataset, last, around.about)
            by = [*rule.quasi_identifiers, *dataset.key]  # the order of a register can tell who is who
            ordered = records.frame.sort_values(by, ignore_index=True)
            cells = {"cells": frame[list(rule.quasi_identifiers)].size}
            return Passed(ordered, record | cells | records.record, records.for_approver)
        case RegisterRule():
            register = protect_register(frame, rule)
            told = _compare_registers(rule, dataset, register.frame, around)
            return Passed(register.frame, record | register.record, told)
        case ModelRule():
            return Passed(frame, record | check_model(frame, rule))
    raise NotImplementedError(f"The gate does not know the rule {rule!r}.")


def _compare_sums(
    rule: MagnitudeRule, dataset: Dataset, frame: pd.DataFrame, safe: pd.DataFrame, around: Surroundings
) -> None:
    """Refuse sums whose change since the last release gives a contributor away."""
    if not (rule.moves and around.earlier):
        return
    before = align_rows(around.earlier[-1], safe[dataset.key], [rule.value])[rule.value]
    changed = ~safe[rule.value].eq(before).fillna(False).to_numpy(dtype=bool)
    if told := int((find_unsafe_moves(frame, rule).to_numpy() & changed).sum()):
        raise ReleaseRefusedError(
            f"{told} sums changed since the last release by what fewer than {rule.threshold} contributions make, or "
            "one or two of them alone. Release the sums of last time until more have changed."
        )


def _compare_registers(
    rule: RegisterRule, dataset: Dataset, safe: pd.DataFrame, around: Surroundings
) -> dict[str, Any]:
    """Refuse a register that gives somebody away beside its last version; return what else the two tell together."""
    if around.last is None:
        return {}
    then = around.last.frame
    if lacking := sorted({*dataset.key, *rule.inputs} - set(then)):
        raise ReleaseRefusedError(f"its last version has no {', '.join(lacking)}. {OLDER}")
    before = protect_register(then.reindex(columns=[*then, *(rule.covered - set(then))]), rule).frame
    leaks = check_versions(before, safe, rule, dataset.key, around.last, around.run_date)
    refuse_leaks(leaks)
    counted = leaks.groupby(["leak", "version"], as_index=False).size().rename(columns={"size": "rows"})
    return {"last_version": around.last.day, "beside_last_version": counted.to_dict("records")}


def _compare_areas(rule: CountRule, dataset: Dataset, safe: ProtectedCounts, around: Surroundings) -> None:
    """Refuse counts that come out by subtraction from the same count on other areas."""
    for link in rule.linked:
        if link.dataset not in around.others:
            continue  # it has not been released: when it is, it is compared with this one if its rule says so
        if link.dataset not in around.crosswalks:
            raise ReleaseRefusedError(
                f"{link.dataset} has the same count on other areas, and study.release() was given no crosswalk to it."
            )
        there, crosswalk = around.others[link.dataset], around.crosswalks[link.dataset]
        exposed = find_exposed_by_areas(safe.frame, there, crosswalk, link, rule, dataset.key)
        if len(exposed):
            raise ReleaseRefusedError(
                f"{len(exposed)} small counts could be worked out from it and {link.dataset}, which has the same count "
                "on other areas. Release one of the two, or areas that fit into each other."
            )
