"""Figures of councils that can be compared: read from what was released, each with its interval."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from councilbook.catalogue import ComparisonSpec
from councilbook.pages.reports.report_records import DatasetRecord, ReportRecord
from councilbook.pages.withheld import Released, read_released


@dataclass(frozen=True)
class Comparison:
    """A figure of all councils that have it.

    Attributes:
        spec: what is compared.
        period: which all figures are of; empty where the dataset has none.
        table: a row a council by name: folder, value, low, high, size (what the value is of, or its rows' weight).
        left_out: council to why its figure is not compared, in words.
        datasets: council to what its figure was read from.
    """

    spec: ComparisonSpec
    period: str
    table: pd.DataFrame
    left_out: Mapping[str, str]
    datasets: Mapping[str, Released]


def compare_councils(site: Path, names: Mapping[str, ReportRecord], spec: ComparisonSpec) -> Comparison:
    """Read a figure of each council, all of the period that most of them have, and of such the newest.

    Args:
        site: folder of the site.
        names: name to report, each of another council, and all real or all of samples.
        spec: what is compared.
    """
    found: dict[str, dict[str, dict[str, float]]] = {}
    left_out = {}
    datasets: dict[str, Released] = {}
    for name, report in names.items():
        record = next((one for one in report.datasets if one.id == spec.dataset), None)
        if why := _refuse(report, record):
            left_out[name] = why
            continue
        folder = site / report.folder / "data" / spec.dataset
        released = read_released(folder)
        figures = _measure_periods(folder, released.package, spec)
        if figures:
            found[name] = figures
            datasets[name] = released
        else:
            left_out[name] = "A part of its figure is hidden or missing."
    counts = Counter(period for figures in found.values() for period in figures)
    period = max(counts, key=lambda one: (counts[one], one), default="")
    left_out |= {name: f"It has no whole figure of {period}." for name in found if period not in found[name]}
    rows = {
        name: {"folder": names[name].folder, **figures[period]} for name, figures in found.items() if period in figures
    }
    columns = ["folder", "value", "low", "high", "size"]
    return Comparison(spec, period, pd.DataFrame.from_dict(rows, "index", columns=columns), left_out, datasets)


def _refuse(report: ReportRecord, record: DatasetRecord | None) -> str:
    """Say why the dataset of a report is not compared; empty where it is."""
    if record is None:
        return "The dataset was not released with its report."
    if not record.is_published:
        return f"It waits for approval by the {record.approval['role']}."
    if report.data == "real" and "synthetic" in record.kinds:
        return "Its figure is synthetic, and the others are real."
    return ""


def _measure_periods(folder: Path, package: Mapping[str, Any], spec: ComparisonSpec) -> dict[str, dict[str, float]]:
    """Measure a council's figure in each period in which all of its rows have one."""
    file = next(one for one in package["resources"] if "schema" in one)
    there = {field["name"] for field in file["schema"]["fields"]}
    wanted = {*spec.columns, *spec.where, *([spec.newest] if spec.newest else [])}
    if not wanted <= there:  # an earlier version released it
        return {}
    optional = {"is_partial"} & there
    rows = pd.read_csv(folder / file["path"], dtype=str, usecols=[*wanted, *optional], encoding="utf-8-sig")
    for name, value in spec.where.items():
        rows = rows[rows[name].str.casefold() == str(value).casefold()]
    numbers = rows[spec.columns].apply(pd.to_numeric, errors="coerce").astype(float)
    is_whole = numbers.notna().all(axis=1)
    if optional:
        is_whole &= rows["is_partial"].str.casefold() != "true"
    periods = rows[spec.newest].fillna("") if spec.newest else pd.Series("", index=rows.index)
    complete = is_whole.groupby(periods).all()
    measured = {
        str(period): measure(numbers[periods == period], spec) for period in complete.index[complete.to_numpy()]
    }
    return {period: one for period, one in measured.items() if np.isfinite(list(one.values())).all()}


def measure(rows: pd.DataFrame, spec: ComparisonSpec) -> dict[str, float]:
    """Measure one figure of a council from its rows.

    A share of counts has Wilson's 95% interval. Rows with intervals of their own are weighed by what they are of, and
    their distances to the ends added as those of independent estimates are, by squares.

    Args:
        rows: numbers, with the columns that the declaration names; nothing is missing.
        spec: what is compared.

    Returns:
        value, low, high and size; not finite where there is nothing to divide by.
    """
    size = rows[spec.of or spec.weight]
    total = float(size.sum())
    if not total > 0:
        return dict.fromkeys(("value", "low", "high", "size"), np.nan)
    value = rows[spec.value]
    if spec.low is None:
        low, high = proportion_confint(value.sum(), total, method="wilson")
        ends = {"value": value.sum() / total, "low": low, "high": high}
    else:
        weights = 1 / total if spec.of else size / total
        below, above = (weights * (value - rows[end]).abs() for end in (spec.low, spec.high))
        middle = float((weights * value).sum())
        ends = {"value": middle, "low": middle - np.hypot.reduce(below), "high": middle + np.hypot.reduce(above)}
    per = spec.per if spec.of else 1
    return {name: float(per * one) for name, one in ends.items()} | {"size": total}


def find_difference(one: Mapping[str, float], other: Mapping[str, float]) -> tuple[float, float, float]:
    """Return how much higher one figure is than another, and the ends of the 95% interval of that.

    From the intervals of both (Zou and Donner 2008, Statistics in Medicine 27(10):1693-1702). Of shares with Wilson's
    intervals it is Newcombe's (1998, Statistics in Medicine 17(8):873-890, method 10).
    """
    difference = one["value"] - other["value"]
    below = np.hypot(one["value"] - one["low"], other["high"] - other["value"])
    above = np.hypot(one["high"] - one["value"], other["value"] - other["low"])
    return difference, difference - float(below), difference + float(above)


def say_difference(spec: ComparisonSpec, names: tuple[Any, Any], rows: tuple[Any, Any]) -> str:
    """Say in a sentence how two councils' figures differ; compare.js says the same."""
    difference, low, high = find_difference(*rows)
    unit = spec.difference_unit
    if low > 0 or high < 0:
        near, far = sorted((abs(low), abs(high)))
        side = "above" if difference > 0 else "below"
        return (
            f"{names[0]} is {abs(difference):.1f}{unit} {side} {names[1]}; the 95% interval is {near:.1f} to {far:.1f}."
        )
    return (
        f"{names[0]} and {names[1]} cannot be told apart; the 95% interval is {-low:.1f}{unit} below to "
        f"{high:.1f}{unit} above."
    )


def list_shared(codes: Mapping[str, frozenset[str]]) -> dict[str, set[str]]:
    """List, for each council that is a part of another or has parts in common with it, those others."""
    holders: dict[str, set[str]] = {}
    for name, own in codes.items():
        for code in own:
            holders.setdefault(code, set()).add(name)
    shared = {name: set().union(*(holders[code] for code in own)) - {name} for name, own in codes.items()}
    return {name: others for name, others in shared.items() if others}
