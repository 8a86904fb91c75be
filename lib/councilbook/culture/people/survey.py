"""The Participation Survey: read from SPSS or tab, what is an answer and what is not, and shares with their error."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
from statsmodels.stats.proportion import proportion_confint

from councilbook.errors import CheckError, SourceError
from councilbook.paths import read_beside

GSS_DISTRICT = r"^(E0[6-9]\d{6})$"
NO_CODES = (996, 999)  # from "should have answered" to "does not know"
FEWEST_SHOWN = 50  # answers of a group whose shares are shown
FEWEST_CHECKED = 1_000  # answers by which codes are checked
SPSS = {".sav", ".zsav"}
OLDEST = "75 and over"
SHARES = ["outcome", "grouping", "group", "answers", "effective_answers", "share_pct", "low_pct", "high_pct"]
SHARES += ["standard_error_points", "is_suppressed"]
PLACES = {"region": "region", "imd_decile": "deprivation of the area"}

LAYOUT: dict[str, Any] = read_beside(__file__, "participation.yaml")  # how the survey's file is laid out
Labels = Mapping[str, Mapping[float, str]]


@dataclass(frozen=True)
class Survey:
    """Answers of a survey.

    Attributes:
        people: a row a respondent: weight; region, district and groups (text), deciles (1 to 10), as far as the
            file has them; outcomes and reasons (1 yes, 0 no, NaN no answer), a reason named as `museums 001`.
        set_aside: what, cells: what was no answer, and which rows were left out.
    """

    people: pd.DataFrame
    set_aside: pd.DataFrame

    @property
    def groups(self) -> list[str]:
        """Names of the groups that the file has."""
        return [name for name in LAYOUT["groups"] if name in self.people]

    @property
    def deciles(self) -> list[str]:
        """Names of the deciles of deprivation that the file has."""
        return [name for name in LAYOUT["deciles"] if name in self.people]

    @property
    def outcomes(self) -> dict[str, str]:
        """Words of the outcomes that the file has, by name."""
        return {name: one["words"] for name, one in LAYOUT["outcomes"].items() if name in self.people}


def read_survey(path: Path) -> Survey:
    """Read the survey's microdata; a negative code, and one from 996 to 999, is no answer.

    Args:
        path: SPSS, or tab-separated text in cp1252, with any part of the publisher's variables.

    Raises:
        SourceError: it is neither, or it was cut off.
        CheckError: it has no weight or no outcome, a cell is no number, or its codes cannot mean what is declared.
    """
    table, labels = _read_sav(path) if path.suffix.lower() in SPSS else (_read_tab(path), {})
    _check_labels(labels, path.name)
    places = table.filter([LAYOUT["region"], *LAYOUT["district"]])
    numbers = _read_numbers(table.drop(columns=places.columns), path.name)
    weight = next((name for want in LAYOUT["weights"] for name in map(str, numbers) if re.fullmatch(want, name)), None)
    if weight is None:
        raise CheckError(f"{path.name}: no weight; expected a column {' or '.join(LAYOUT['weights'])}.")
    weights, codes = numbers[weight].fillna(0), numbers.drop(columns=numbers.filter(regex="(?i)weight").columns)
    answers = codes.where(codes.ge(0) & ~_is_no_code(codes))
    people = pd.concat([weights.rename("weight"), _read_places(places), *_read_answers(answers, codes, labels)], axis=1)
    people = people.dropna(axis=1, how="all")
    used = people["weight"].gt(0) & np.isfinite(people["weight"])
    counts = {
        "Rows without a weight above 0": (~used).sum(),
        "Cells with a negative code: skipped, refused, not asked": codes.lt(0).to_numpy().sum(),
        "Cells with a code from 996 to 999: does not know, did not answer": _is_no_code(codes).to_numpy().sum(),
        "Empty cells": codes.isna().to_numpy().sum(),
    }
    set_aside = pd.DataFrame(list(counts.items()), columns=["what", "cells"])
    survey = Survey(people[used].reset_index(drop=True), set_aside)
    if not survey.outcomes:
        raise CheckError(f"{path.name}: no question on taking part; expected one of {', '.join(LAYOUT['outcomes'])}.")
    _check_shares(survey.people, path.name)
    return survey


def _wants(name: str) -> bool:
    """Tell whether a variable is one that is read."""
    known = {LAYOUT["region"], *LAYOUT["district"], *LAYOUT["deciles"].values()}
    known |= {group["variable"] for group in LAYOUT["groups"].values()}
    patterns = [*LAYOUT["weights"], *(f"{one['prefix']}_.+" for one in LAYOUT["reasons"].values())]
    for outcome in LAYOUT["outcomes"].values():
        patterns += [outcome["ticked"], outcome["unanswered"]]
    return name in known or any(re.fullmatch(pattern, name) for pattern in patterns)


def _read_sav(path: Path) -> tuple[pd.DataFrame, dict[str, dict[float, str]]]:
    try:
        _, names = pyreadstat.read_sav(str(path), metadataonly=True)
        wanted = [name for name in names.column_names if _wants(name)]
        table, told = pyreadstat.read_sav(str(path), usecols=wanted, user_missing=True)
    except Exception as error:  # the reader has errors of its own, and of many kinds
        raise SourceError(f"{path.name} cannot be read as SPSS ({type(error).__name__}); it may be cut off.") from None
    return table, told.variable_value_labels


def _read_tab(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, sep="\t", encoding="cp1252", dtype="string", usecols=_wants, quoting=3)
    except (ValueError, OSError) as error:
        raise SourceError(f"{path.name} cannot be read as tab-separated text ({type(error).__name__}).") from None
    if table.empty:
        raise SourceError(f"{path.name}: no rows with known variables; expected tab-separated text, names in row 1.")
    stripped: pd.DataFrame = table.apply(lambda column: column.str.strip().replace("", pd.NA))
    return stripped


def _read_numbers(table: pd.DataFrame, where: str) -> pd.DataFrame:
    numbers: pd.DataFrame = table.apply(pd.to_numeric, errors="coerce").astype(float)
    wrong = (numbers.isna() & table.notna()).to_numpy()
    if wrong.any():
        first = list(table)[int(wrong.any(axis=0).argmax())]
        rows = ", ".join(map(str, 1 + np.flatnonzero(wrong[:, list(table).index(first)])[:3]))
        raise CheckError(f"{where}, column {first}, row {rows} of the data: expected a number or an empty cell.")
    return numbers


def _is_no_code(codes: pd.DataFrame) -> pd.DataFrame:
    return codes.ge(NO_CODES[0]) & codes.le(NO_CODES[1])


def _read_places(places: pd.DataFrame) -> pd.DataFrame:
    """Read region, and district where the edition shows it: a number there says that it is withheld."""
    empty = pd.Series(pd.NA, index=places.index, dtype="string")
    texts = places.astype("string").apply(lambda column: column.str.strip())
    district = empty
    for name in LAYOUT["district"]:
        if name in texts:
            district = district.fillna(texts[name].str.extract(GSS_DISTRICT)[0])
    return pd.DataFrame({"region": texts.get(LAYOUT["region"], empty).map(LAYOUT["regions"]), "district": district})


def _read_answers(answers: pd.DataFrame, codes: pd.DataFrame, labels: Labels) -> list[pd.Series]:
    """Read groups, deciles, outcomes and reasons, each a column."""
    made = []
    for name, group in LAYOUT["groups"].items():
        if (variable := group["variable"]) in answers:
            made.append(_name_codes(answers[variable], group, labels.get(variable, {})).rename(name))
    for name, variable in LAYOUT["deciles"].items():
        if variable in answers:
            made.append(answers[variable].where(answers[variable].between(1, 10)).rename(name))
    for name, one in LAYOUT["outcomes"].items():
        ticks = answers.filter(regex=f"^{one['ticked']}$")
        if len(ticks.columns) < one.get("least", 1):  # "any of these" of a few would be another question
            continue
        did_answer = ticks.notna().any(axis=1) & codes.get(one["unanswered"], 0 * codes.iloc[:, 0]).ne(1)
        made.append(ticks.eq(1).any(axis=1).astype(float).where(did_answer).rename(name))
    for name, one in LAYOUT["reasons"].items():
        ticks = answers.filter(regex=rf"^{one['prefix']}_({'|'.join(one['ticked'])})$")
        did_answer = ticks.eq(1).any(axis=1)
        named = ticks.set_axis([f"{name} {tick[-3:]}" for tick in ticks.columns], axis=1)
        made += [named[tick].eq(1).astype(float).where(did_answer) for tick in named]
    return made


def _name_codes(values: pd.Series, group: Mapping[str, Any], labels: Mapping[float, str]) -> pd.Series:
    """Name the codes of a group: by the file's own labels, or as declared where it has none."""
    meanings: dict[float, str] = {}
    for name, category in reversed(group["categories"].items()):  # the first that fits a label wins
        own = [code for code, label in labels.items() if re.search(category["label"], label)]
        meanings |= dict.fromkeys(own if labels else category["codes"], name)
    return values.map(meanings).astype("string").fillna(group.get("absent", pd.NA))


def _check_labels(labels: Labels, where: str) -> None:
    """Check that a file's own labels are those that are looked for; nobody is put into no group without a word.

    Raises:
        CheckError: none of a group's labels is known, or the code for yes is labelled as no.
    """
    for group in LAYOUT["groups"].values():
        own, categories = labels.get(group["variable"], {}).values(), group["categories"]
        if own and not any(re.search(one["label"], label) for one in categories.values() for label in own):
            raise CheckError(
                f"{where}, {group['variable']}: none of its value labels is one that is known. Expected labels of: "
                f"{', '.join(categories)}."
            )
    for variable, meanings in labels.items():
        is_ticked = any(re.fullmatch(one["ticked"], variable) for one in LAYOUT["outcomes"].values())
        if is_ticked and re.match("(?i)no", meanings.get(1, "")):
            raise CheckError(f"{where}, {variable}: by its labels 1 would be no. Expected 1 for yes and 0 for no.")


def _check_shares(people: pd.DataFrame, where: str) -> None:
    """Check by England's census that codes mean what is declared, within wide margins.

    Raises:
        CheckError: a category is far too common or too rare; or most of the oldest are men, so the sexes are swapped.
    """
    for name, group in LAYOUT["groups"].items():
        known = people[people[name].notna()] if name in people else people.iloc[:0]
        if len(known) < FEWEST_CHECKED:
            continue
        for category, expected in group["categories"].items():
            share = known["weight"][known[name].eq(category)].sum() / known["weight"].sum()
            low, high = expected.get("share", (0, 1))
            if not low <= share <= high:
                raise CheckError(
                    f"{where}, {group['variable']}: {share:.0%} would be {category}; expected {low:.0%} to {high:.0%}. "
                    "Its codes mean something else than declared. Use the SPSS file, which says what they mean."
                )
    if {"age", "sex"} <= set(people):
        old = people[people["age"].eq(OLDEST)].groupby("sex")["weight"].agg(["size", "sum"])
        if old["size"].sum() >= FEWEST_SHOWN and old["sum"].get("women", 0) < old["sum"].get("men", 0):
            raise CheckError(
                f"{where}, SEX: most of those of {OLDEST} would be men. Use the SPSS file, with its labels."
            )


def estimate_shares(people: pd.DataFrame, answers: Sequence[str], by: str | None = None) -> pd.DataFrame:
    """Estimate the weighted share of yes, with an interval that takes the weights into account.

    The effective sample is Kish's (1965, Survey Sampling, 11.7): (sum of weights)^2 / sum of squares. The interval of
    95% is Wilson's (1927) for as many answers. The open file has no strata or addresses, so no more of the design.

    Args:
        people: weight, and the columns named; where an answer is missing, a row is left out.
        answers: columns of 1 and 0.
        by: column to split by; None for all.

    Returns:
        A row an answer and group: answer, group, answers, effective_answers, share_pct, low_pct, high_pct,
        standard_error_points; the last five are missing where there are fewer than FEWEST_SHOWN answers.
    """
    codes, groups = pd.factorize(np.repeat("all", len(people)) if by is None else people[by], sort=True)
    member = codes[:, None] == np.arange(len(groups))
    values, weight = people[list(answers)].to_numpy(float), people["weight"].to_numpy(float)[:, None]
    known = np.isfinite(values)
    sums, squares, yes = (
        (member * one).T @ part
        for one, part in ((weight, known), (weight**2, known), (weight, np.where(known, values, 0)))
    )
    count = member.T.astype(float) @ known
    index = pd.MultiIndex.from_product([groups, answers], names=["group", "answer"])
    with np.errstate(invalid="ignore", divide="ignore"):
        effective, share = (sums**2 / squares).ravel(), (yes / sums).ravel()
        error = 100 * np.sqrt(share * (1 - share) / effective)
    low, high = proportion_confint(share * effective, effective, method="wilson")
    numbers = {"effective_answers": effective, "share_pct": 100 * share, "low_pct": 100 * low, "high_pct": 100 * high}
    found = pd.DataFrame({"answers": count.ravel().astype(int), **numbers, "standard_error_points": error}, index=index)
    found.loc[found["answers"] < FEWEST_SHOWN, [*numbers, "standard_error_points"]] = np.nan
    return found[found["answers"] > 0].reset_index()


def list_shares(survey: Survey) -> pd.DataFrame:
    """List the weighted share of every outcome among everybody, and by each group, region and decile of deprivation.

    Returns:
        outcome (words), grouping, group, and what `estimate_shares` has; is_suppressed: too few answers.
    """
    found = []
    for column, grouping in {"": "everybody", **{one: one for one in survey.groups}, **PLACES}.items():
        if column in {"", *survey.people}:
            shares = estimate_shares(survey.people, list(survey.outcomes), column or None)
            found.append(shares.assign(grouping=grouping))
    table = pd.concat(found, ignore_index=True)
    table["group"] = table["group"].map(lambda one: f"decile {one:.0f}" if isinstance(one, float) else one)
    return table.assign(outcome=table.pop("answer").map(survey.outcomes), is_suppressed=table["share_pct"].isna())
