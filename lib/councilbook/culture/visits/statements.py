"""What may be said of visits, in sentences, from what was released."""

import numpy as np
import pandas as pd

from councilbook.culture.visits.hours import WHOLE
from councilbook.culture.visits.signage import BEFORE_AFTER, FAIR
from councilbook.culture.visits.ways import LEAVES, STARTS

ENOUGH_PCT = 80.0  # of tests that find an effect: the usual aim


def take_whole(by_hour: pd.DataFrame) -> pd.DataFrame:
    """Take the museum as a whole, periods added up: hour, visitors, in_at_once, came_in, came_by."""
    own = by_hour[by_hour["zone"].eq(WHOLE)]
    counts = ["visitors", "visitor_hours", "came_in", "came_by"]
    sums = own.groupby("hour")[["open_days", *counts]].sum(min_count=1).astype("Float64").reset_index()
    sums = sums[sums["came_in"] > 0]  # hours in which the museum lets people in
    return sums.assign(in_at_once=sums["visitor_hours"] / sums["open_days"])


def say_hours(by_hour: pd.DataFrame) -> str:
    """Say when the museum is fullest, and how many people are in it then."""
    whole = take_whole(by_hour).dropna(subset=["in_at_once"])
    if whole.empty:
        return "Too few visitors were heard in any hour to show them."
    ordered = whole.sort_values("in_at_once", kind="stable")
    top, quiet = ordered.iloc[-1], ordered.iloc[0]
    return (
        f"The museum is fullest between {top['hour']:.0f}:00 and {top['hour'] + 1:.0f}:00. Then about "
        f"{top['in_at_once']:.0f} visitors are in it at once, against {quiet['in_at_once']:.0f} between "
        f"{quiet['hour']:.0f}:00 and {quiet['hour'] + 1:.0f}:00."
    )


def say_conversion(by_hour: pd.DataFrame) -> str:
    """Say how many of those who come by come in."""
    whole = take_whole(by_hour).dropna(subset=["came_in", "came_by"])
    came_in, came_by = whole["came_in"].sum(), whole["came_by"].sum()
    if not came_by:
        return "How many of those who come by come in is hidden, as too few were heard."
    return f"Of 100 people who come by while it is open, about {100 * came_in / came_by:.0f} come in."


def say_lengths(dwell: pd.DataFrame) -> str:
    """Say how long a visit lasts, and where people stay longest."""
    whole, zones = dwell[dwell["zone"].eq(WHOLE)], dwell[dwell["zone"].ne(WHOLE)]
    if whole.empty:
        return "Too few phones kept their address to say how long a visit lasts."
    one = whole.iloc[0]
    said = (
        f"Half of all visits last more than {one['median_minutes']:.0f} minutes ({one['low_minutes']:.0f} to "
        f"{one['high_minutes']:.0f}, 95% interval)."
    )
    if zones.empty:
        return said
    longest = zones.nlargest(1, "median_minutes").iloc[0]
    return f"{said} They stay longest in the {longest['zone']}: {longest['median_minutes']:.0f} minutes at the median."


def say_paths(paths: pd.DataFrame) -> str:
    """Say which step is the most frequent, and from where most visitors leave."""
    shown = paths.dropna(subset=["steps"])
    inside = shown[shown["from_zone"].ne(STARTS) & shown["to_zone"].ne(LEAVES)]
    out = shown[shown["to_zone"].eq(LEAVES)]
    if inside.empty or out.empty:
        return "Too few visitors took the same way to show any."
    step, last = (rows.nlargest(1, "steps").iloc[0] for rows in (inside, out))
    return (
        f"The way that most take is from the {step['from_zone']} to the {step['to_zone']}. Most were last heard in the "
        f"{last['from_zone']} before they left: {100 * last['steps'] / out['steps'].sum():.0f} of 100."
    )


def share_answers(answers: pd.DataFrame) -> pd.DataFrame:
    """Add visitors_pct, the share of the visitors that all shown answers to a question stand for."""
    return answers.assign(
        visitors_pct=100 * answers["visitors"] / answers.groupby("question")["visitors"].transform("sum")
    )


def say_answers(answers: pd.DataFrame) -> str:
    """Say the most frequent answer to each question."""
    known = share_answers(answers).dropna(subset=["visitors_pct"])
    tops = known.loc[known.groupby("question", sort=False)["visitors_pct"].idxmax()]
    said = [f"{row['question']}: {row['answer']}, {row['visitors_pct']:.0f} of 100." for _, row in tops.iterrows()]
    return " ".join(said) or "Too few visitors gave an answer that may be used."


def say_power(power: pd.DataFrame, effect_pct: float) -> str:
    """Say how many weeks a fair test must run to find an effect, and what goes wrong without lots."""
    fair = power[power["design"].eq(FAIR)]
    enough = fair.loc[fair["effect_pct"].eq(effect_pct) & fair["called_pct"].ge(ENOUGH_PCT), "weeks"]
    alarm = power[power["effect_pct"].eq(0)].set_index(["design", "weeks"])["called_pct"]
    weeks = int(enough.min() if len(enough) else fair["weeks"].max())
    found = f"finds it in {ENOUGH_PCT:.0f} of 100 tests or more" if len(enough) else "still misses it too often"
    return (
        f"Where a new sign brings in {effect_pct:.0f}% more people, a test of {weeks} weeks, switched by lot, {found}. "
        f"Where it brings in nobody, that test raises a false alarm in {alarm[FAIR, weeks]:.0f} of 100. Comparing "
        f"before and after does in {alarm[BEFORE_AFTER, weeks]:.0f}. These figures are simulated, from assumptions."
    )


def say_signs(weeks: pd.DataFrame, result: dict[str, float] | None) -> str:
    """Say whether more came in under the new sign than under the old one."""
    if result is None:
        return "The diary does not have two signs with two weeks each, so nothing can be said of a new one."
    said = (
        f"In {len(weeks)} weeks, the odds to come in were {result['odds_ratio']:.2f} times as high under the new sign."
    )
    if not (result["low"] > 0 and result["high"] < np.inf):
        return f"{said} So few weeks cannot tell whether that is more than chance."
    return (
        f"{said} The 95% interval goes from {result['low']:.2f} to {result['high']:.2f}. Chance alone gives as much in "
        f"{100 * result['p']:.1f} of 100 such tests."
    )


def say_scores(scores: pd.DataFrame) -> str:
    """Say in how many figures the interval holds the truth, and which estimate is furthest off."""
    known = scores.dropna(subset=["low", "high"])
    held = (known["low"].le(known["truth"]) & known["high"].ge(known["truth"])).sum()
    off = (scores["estimated"] / scores["truth"] - 1).abs()
    far = scores.assign(off=off).nlargest(1, "off").iloc[0]
    return (
        f"On synthetic data, the interval holds the truth in {held} of {len(known)} figures. Furthest off is one that "
        f"no weight puts right: {far['what']}, {far['estimated']} found and {far['truth']} true."
    )
