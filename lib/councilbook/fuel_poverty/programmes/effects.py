"""Tables and sentences on what past measures did, from the released dataset past_programme_effects alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from councilbook.catalogue.councils import join_names
from councilbook.pages.html.wording import begin_line

ALL_MEASURES = "All measures"
NUMBERS = ["effect", "low_95", "high_95", "planted"]
SYNTHETIC = " of synthetic homes"
ENDS = ["average", "naive"]
UNSURE = 0.05


@dataclass(frozen=True)
class Words:
    """How an outcome is written: its name, its unit, by what it is multiplied, and the format of a number."""

    name: str
    unit: str
    scale: float
    number: str


WORDS: Mapping[str, Words] = {
    "gas_kwh": Words("gas use", "kWh a year", 1, ",.0f"),
    "fuel_poverty_gap_gbp": Words("fuel poverty gap", "pounds a year", 1, ",.0f"),
    "emergency_admissions": Words("emergency admissions", "a year in 1,000 homes", 1000, ",.1f"),
}


def list_outcomes(table: pd.DataFrame) -> list[str]:
    """List the outcomes that there are estimates of: some may have too few values.

    Args:
        table: past_programme_effects.
    """
    return [outcome for outcome in WORDS if outcome in set(table["outcome"])]


def spread_effects(table: pd.DataFrame) -> pd.DataFrame:
    """Write each outcome's average effect with its interval beside the naive one.

    Args:
        table: past_programme_effects.

    Returns:
        outcome in words, effect, naive, pre_trend_p as text; and known_effect, where the homes are synthetic.
    """
    rows = []
    for outcome in list_outcomes(table):
        average, naive, words = _take(table, outcome), _take(table, outcome, "naive"), WORDS[outcome]
        row = {"outcome": f"{words.name}, {words.unit}", "effect": _write_interval(average, words)}
        row |= {"naive": _write_interval(naive, words), "pre_trend_p": _write_p(float(average["pre_trend_p"]))}
        if pd.notna(average["planted"]):
            row["known_effect"] = format(words.scale * average["planted"], words.number)
        rows.append(row)
    return pd.DataFrame(rows)


def trace_effect(table: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """Lay out an outcome's effect by year before and since, for `charts.draw_fan`.

    Args:
        table: past_programme_effects.
        outcome: one of its outcomes.

    Returns:
        series ("estimate", and on a twin "known effect"), years_since, effect, low_95, high_95, in the outcome's unit
        in words. The year before the start, which all others are held against, is 0.
    """
    rows = table[(table["outcome"] == outcome) & (table["measure"] == ALL_MEASURES)]
    rows = rows[rows["term"].str.startswith("year ")]
    years = rows["term"].str.removeprefix("year ").astype("int64")
    numbers = rows[NUMBERS].astype("float64") * WORDS[outcome].scale
    trace = numbers.assign(series="estimate", years_since=years)
    reference = pd.DataFrame([{"series": "estimate", "years_since": -1, **dict.fromkeys(NUMBERS[:3], 0.0)}])
    planted = trace.dropna(subset="planted").assign(series="known effect")
    for name in NUMBERS[:3]:
        planted[name] = planted["planted"]
    columns = ["series", "years_since", *NUMBERS[:3]]
    parts = [part[columns] for part in (trace, reference, planted) if len(part)]
    return pd.concat(parts).sort_values(["series", "years_since"], ignore_index=True)


def compare_measures(table: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """Take the average effect of each measure on an outcome, the largest fall first, for `charts.draw_intervals`.

    Returns:
        measure, effect, low_95, high_95, in the outcome's unit in words.
    """
    rows = table[(table["outcome"] == outcome) & (table["measure"] != ALL_MEASURES) & (table["term"] == "average")]
    numbers = rows[NUMBERS[:3]].astype("float64") * WORDS[outcome].scale
    return numbers.assign(measure=rows["measure"]).sort_values("effect", ignore_index=True)


def describe_measures(compared: pd.DataFrame) -> str:
    """Say how many measures a chart of `compare_measures` shows, and which has the lowest effect."""
    lowest = compared.sort_values("effect")["measure"].iloc[0].lower()
    return f"Effects of {len(compared)} measures with intervals, the lowest that of {lowest}."


def describe_effect(table: pd.DataFrame, outcome: str, *, is_synthetic: bool) -> str:
    """Say what measures did to an outcome, with the interval, or that it cannot be told from nothing, or at all.

    Args:
        table: past_programme_effects.
        outcome: one of its outcomes.
        is_synthetic: whether the homes are a twin's, which the sentence then says.
    """
    words = WORDS[outcome]
    if outcome not in list_outcomes(table):
        return f"**{begin_line(words.name)}: not known.** Too few homes have values before and after."
    average = _take(table, outcome)
    effect, low, high = (words.scale * float(average[name]) for name in NUMBERS[:3])
    title = f"{begin_line(words.name)}{SYNTHETIC if is_synthetic else ''}"
    if low <= 0 <= high:
        return (
            f"**{title}: no change that could be told from chance.** The estimate is {effect:+{words.number}} "
            f"{words.unit} (95% interval {low:+{words.number}} to {high:+{words.number}})."
        )
    ends = [format(end, words.number) for end in sorted((abs(low), abs(high)))]
    return (
        f"**{title}: {'lower' if effect < 0 else 'higher'} by {abs(effect):{words.number}} {words.unit}** than without "
        f"a measure, on average over the years since (95% interval {ends[0]} to {ends[1]})."
    )


def describe_naive(table: pd.DataFrame, outcome: str, *, is_synthetic: bool) -> str:
    """Say how far the usual shortcut would have been off: it takes homes treated early as controls of later ones.

    Args:
        table, outcome, is_synthetic: see `describe_effect`.
    """
    if outcome not in list_outcomes(table):
        return ""
    average, naive, words = _take(table, outcome), _take(table, outcome, "naive"), WORDS[outcome]
    subject = words.name + (SYNTHETIC if is_synthetic else "")
    told = f"{words.scale * float(naive['effect']):+{words.number}} {words.unit}"
    said = f"The usual two-way estimate for the {subject} says {told}"
    if average["low_95"] <= naive["effect"] <= average["high_95"]:
        return f"{said}, which lies within the interval of ours."
    off = 100 * (naive["effect"] / average["effect"] - 1)
    return f"{said}, {abs(off):.0f}% {'less' if off < 0 else 'more'} than ours: it mixes early and late starts."


def describe_trends(table: pd.DataFrame, *, is_synthetic: bool) -> str:
    """Say what the test of the years before says of each outcome, and what it cannot say.

    Args:
        table, is_synthetic: see `describe_effect`.
    """
    groups = "both groups of synthetic homes" if is_synthetic else "both groups"
    chances = {outcome: float(_take(table, outcome)["pre_trend_p"]) for outcome in list_outcomes(table)}
    tested = {outcome: chance for outcome, chance in chances.items() if not np.isnan(chance)}
    apart = [outcome for outcome, chance in tested.items() if chance < UNSURE]
    alike = [outcome for outcome in tested if outcome not in apart]
    sentences = []
    if alike:
        sentences.append(
            f"Before the measures, {_list(alike, tested)} moved alike in {groups}, as far as the test can tell."
        )
    if apart:
        sentences.append(
            f"**{begin_line(_list(apart, tested))} moved apart between the groups before any measure**. "
            "So do not rely on what is said of this effect."
        )
    if not tested:
        sentences.append(
            "There are too few years before the measures, or homes, to test whether the groups moved alike."
        )
    sentences.append(
        "The test can speak against the comparison, never for it: both may have parted later all the same."
    )
    return " ".join(sentences)


def describe_planted(table: pd.DataFrame) -> str:
    """Say, on a twin, how the estimates did against the effects that were planted in it; empty for real data.

    Args:
        table: past_programme_effects.
    """
    outcomes = [outcome for outcome in list_outcomes(table) if pd.notna(_take(table, outcome)["planted"])]
    if not outcomes:
        return ""
    held = {
        term: sum(bool(row["low_95"] <= row["planted"] <= row["high_95"]) for row in rows)
        for term in ENDS
        if (rows := [_take(table, outcome, term) for outcome in outcomes])
    }
    looked = "1 outcome" if len(outcomes) == 1 else f"{len(outcomes)} outcomes"
    return (
        "These homes are synthetic, so the effect that they were given is known. It was looked for in "
        f"{looked}: our interval holds the known effect in {held['average']} of them, and that of the two-way estimate "
        f"in {held['naive']}. This says nothing about a real programme."
    )


def _take(table: pd.DataFrame, outcome: str, term: str = "average") -> pd.Series:
    chosen = (table["outcome"] == outcome) & (table["measure"] == ALL_MEASURES) & (table["term"] == term)
    row: pd.Series = table[chosen].iloc[0]
    return row


def _write_interval(row: pd.Series, words: Words) -> str:
    effect, low, high = (format(words.scale * float(row[name]), words.number) for name in NUMBERS[:3])
    return f"{effect} ({low} to {high})"


def _write_p(chance: float) -> str:
    if np.isnan(chance):
        return "not tested"
    return "below 0.001" if chance < 0.001 else f"{chance:.3f}"


def _list(outcomes: Sequence[str], chances: Mapping[str, float]) -> str:
    named = [
        f"{WORDS[one].name} (p {'' if chances[one] < 0.001 else '= '}{_write_p(chances[one])})" for one in outcomes
    ]
    return join_names(named)
