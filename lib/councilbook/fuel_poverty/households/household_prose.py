"""Sentences on households: what an order of visits reaches, what that hangs on, whom it misses, and if chances hold.

Each is computed from a table. Where the households are synthetic it says so, in the sentence itself, since sentences
are quoted without what stands around them.
"""

from collections.abc import Mapping

import pandas as pd

from councilbook.catalogue.councils import join_names
from councilbook.errors import CheckError
from councilbook.fuel_poverty.households.fairness import FEWEST_NAMED
from councilbook.fuel_poverty.households.flags import LACKS
from councilbook.fuel_poverty.households.indicators import USUAL, Assumptions
from councilbook.fuel_poverty.households.targeting import (
    COMBINED_POSTCODE,
    LSOA_RATE,
    OPEN_POSTCODE,
    PERFECT,
    RANDOM,
    list_compared,
)

NOT_KNOWN = "not known"
TENURES = {
    "owned_outright": "households that own their home outright",
    "mortgaged": "households with a mortgage",
    "social_rented": "households in social housing",
    "private_rented": "households that rent privately",
}
STEEP, FLAT = 1.1, 0.9  # calibration slopes beyond which chances are called too cautious, or too sure


def describe_records(name: str, *, is_synthetic: bool) -> str:
    """Say whether the records behind what follows are real.

    Args:
        name: of the council.
        is_synthetic: whether any of them is a twin's.
    """
    if not is_synthetic:
        return f"The records are those of {name}. They stay where they are: what is shown has passed the release gate."
    return (
        "**The records behind this part are synthetic.** No real household is in them: they were drawn so that they "
        "add up to the figures above. They show how the method works and what its answer depends on, not what it would "
        f"find in {name}."
    )


def is_expected(reached: pd.DataFrame) -> bool:
    """Tell whether what is reached is what chances expect, as nobody knows who is fuel poor: then none can be perfect.

    Args:
        reached: from `targeting.count_reached`.
    """
    return PERFECT not in set(reached["order"])


def describe_learning(scores: pd.DataFrame, reached: pd.DataFrame, households: int) -> str:
    """Say what the chances of households were learnt from, and what that leaves open.

    Args:
        scores: of the models, as published.
        reached: from `targeting.count_reached`, as published.
        households: that the records are of.
    """
    if not is_expected(reached):
        return (
            "The records say of each household whether it is in fuel poverty. The model learnt from that, and may use "
            "nothing that the definition is computed from: no income, no cost, no rating of the home."
        )
    if not (scores["kind"] == "model").any():
        return (
            f"The records are of {households:,} households. That is too few to learn from, or they lie in too few "
            "areas. So each household is given the **official rate of its area**, and a list of households is no "
            "better than a list of areas."
        )
    return (
        "The records do not say of enough households whether they are in fuel poverty. That takes incomes, fuel costs "
        "and ratings of homes, which records of health and care do not hold; without them no fuel poverty gap is known "
        "either. So the model learnt from **official rates of areas**, and the chances of the households of an area "
        "add up to its official figure. What tells the homes of one area apart was learnt from how areas differ. "
        "That may not hold within them, and no official figure can test it. So how sure the chances are within an area "
        "is an **assumption**. How many fuel-poor households a list reaches is what these chances expect, and it is "
        "likely that they expect too much. The intervals are widened for that: they begin at what the list would reach "
        "if all homes of an area had the same chance. The test on synthetic households, where it is known who is poor, "
        "shows how much too much the chances expect there."
    )


def describe_assumptions(assumptions: Assumptions = USUAL) -> str:
    """Say which parts of the definition could not be checked in the publisher's handbook, and what is taken instead.

    Args:
        assumptions: by which the indicators were computed.
    """
    factors = assumptions.fuel_factors
    scale = join_names(
        f"{factor:g} for {_name_people(size, len(factors))}" for size, factor in enumerate(factors[2:], 3)
    )
    half = "people" if assumptions.median_over == "people" else "households"
    return (
        "Three parts of the definition could not be held against the publisher's handbook, and are **assumptions**. "
        f"Fuel costs are made comparable by dividing them by {scale}, where a couple is 1. A median has half of the "
        f"{half} below it; for the fuel costs of LIHC it may be half of the households. Disability Living Allowance, "
        "Personal Independence Payment and Attendance Allowance do not count as income in LILEE since 2021: an extract "
        "whose incomes hold them finds too few households."
    )


def _name_people(size: int, sizes: int) -> str:
    words = {3: "three", 4: "four", 5: "five", 6: "six"}
    return f"{words.get(size, size)} {'or more people' if size == sizes else 'people'}"


def describe_reach(reached: pd.DataFrame, visits: int, *, is_synthetic: bool, order: str = COMBINED_POSTCODE) -> str:
    """Say how many fuel-poor households an order reaches, beside the official LSOA rates and visits at random.

    Intervals of two orders that are drawn together say little of their difference, whose own interval decides.

    Args:
        reached: from `targeting.count_reached`, with `order`, LSOA_RATE and RANDOM.
        visits: the budget.
        is_synthetic: whether the households are a twin's.
        order: the one that it is about.

    Raises:
        CheckError: the table lacks an order at that budget.
    """
    own, rival, chance = (find_row(reached, name, visits) for name in (order, LSOA_RATE, RANDOM))
    reaches = _name_reaching(is_expected(reached))
    low, high = own["ahead_low_95"], own["ahead_high_95"]
    verdict = "more than" if low > 0 else "fewer than" if high < 0 else "too near to tell apart from"
    if round(own["reached"]) == round(rival["reached"]):  # as written, neither is more
        verdict = "too near to tell apart from"
    return (
        f"With {visits:,} visits, {_name_list(order)} {reaches} **{own['reached']:,.0f} fuel-poor "
        f"{_name_homes(is_synthetic)}** ({name_interval(own)}). That is {verdict} the {rival['reached']:,.0f} of "
        f"{_name_list(LSOA_RATE)} (difference {own['ahead']:+,.0f}, 95% interval {low:+,.0f} to {high:+,.0f}). "
        f"Visits at random reach {chance['reached']:,.0f}."
    )


def describe_lists(reached: pd.DataFrame, visits: int, *, is_synthetic: bool) -> str:
    """Say in a paragraph each what the lists of households and of postcodes reach; see `describe_reach`."""
    orders = [order for order in list_compared(reached) if order not in (LSOA_RATE, RANDOM)]
    told = [describe_reach(reached, visits, is_synthetic=is_synthetic, order=order) for order in orders]
    if OPEN_POSTCODE not in orders:
        told.append(
            "**No list of postcodes.** The records say the small area (LSOA) of each home and not its postcode. So no "
            "list, band or count is by postcode here, and neither certificates nor Acorn groups can be joined. What is "
            "around a home is known of its small area as a whole."
        )
    return "\n\n".join(told)


def describe_dependence(varied: pd.DataFrame, *, order: str = COMBINED_POSTCODE) -> str:
    """Say how much the gain hangs on what the twin assumes of the homes within an area.

    Args:
        varied: from `spread.try_spreads`; always of synthetic households.
        order: the one that it is about.

    Raises:
        CheckError: the table lacks the order, or has it for one value alone.
    """
    rows = varied[(varied["order"] == order) & varied["times_random"].notna() & (varied["lacks"] == "nothing")]
    rows = rows.sort_values("homes_spread")
    if len(rows) < 2:
        raise CheckError(f"{order}: {len(rows)} values of homes_spread; expected at least 2 to compare.")
    first, last = rows.iloc[0], rows.iloc[-1]
    held = ""
    if len(usual := rows[rows["homes_spread"] == 1].dropna(subset=["expected_pct"])):
        expected, found = usual[["expected_pct", "reached_pct"]].iloc[0]
        held = (
            f" If they differ as assumed, the model expects it to reach {expected:.0f}%, and it reaches {found:.0f}%."
        )
    return (
        "That rests on an assumption about how much the homes of one area differ, which no open source can test. "
        f"A{_name_list(order)[1:]} reaches **{first['times_random']:.1f} times** as many fuel-poor synthetic "
        f"households as random visits {_name_spread(first['homes_spread'])}. "
        f"It reaches **{last['times_random']:.1f} times** as many {_name_spread(last['homes_spread'])}.{held}"
    )


def describe_lacking(counts: pd.DataFrame, varied: pd.DataFrame, *, is_synthetic: bool, order: str) -> str:
    """Say how many households lack an Acorn group or a certificate, and what a list loses where all of them do.

    Args:
        counts: from `flags.count_flags`, or as published, where a suppressed count is missing.
        varied: from `spread.try_spreads`; always of synthetic households.
        is_synthetic: whether the households of `counts` are a twin's.
        order: the list that it is about.
    """
    number = counts.set_index("flag")["households"]
    acorn, certificates = (
        f"{number[name]:,.0f}" if pd.notna(number[name]) else "[c] (hidden to protect people)" for name in LACKS
    )
    tried = varied.loc[varied["lacks"] != "nothing", "homes_spread"].iloc[0]
    rows = varied[(varied["order"] == order) & (varied["homes_spread"] == tried)]
    reached = rows.set_index("lacks")["reached_pct"]
    told = join_names(f"{reached[name]:.1f}% without {name}" for name in reached.index.drop("nothing"))
    return (
        f"**What the records lack.** {acorn} {_name_homes(is_synthetic)} have no Wellbeing Acorn group, and "
        f"{certificates} have no certificate in their postcode. They are in every list all the same: the model takes "
        f"what is not known as a level of its own. On trial households, which are synthetic, {_name_list(order)} "
        f"reaches {reached['nothing']:.1f}% of the fuel poor with both. It reaches {told}."
    )


def describe_fairness(
    reach: pd.DataFrame,
    *,
    is_synthetic: bool,
    names: Mapping[str, str],
    order: str = COMBINED_POSTCODE,
    is_expected: bool = False,
) -> str:
    """Say of which group the order reaches the smallest share of the fuel poor, beside its share of all.

    Groups of fewer than FEWEST_NAMED fuel-poor households are not looked at, nor those whose label is not known.

    Args:
        reach: from `fairness.measure_reach`.
        is_synthetic: whether the households are a twin's.
        names: of districts, by code.
        order: the one that it is about.
        is_expected: whether it is not known who is fuel poor, as `is_expected` tells.
    """
    own = reach[(reach["order"] == order) & reach["ratio"].notna()]
    rows = own[(own["fuel_poor_households"] >= FEWEST_NAMED) & (own["group"] != NOT_KNOWN)]
    if rows.empty:
        return f"A{_name_list(order)[1:]} reaches too few households to compare groups."
    least = rows.sort_values("ratio", kind="stable").iloc[0]
    if round(least["ratio"], 2) >= 1:  # groups of equal reach, or those of less are too small to name
        return f"A{_name_list(order)[1:]} reaches no group of fuel-poor {_name_homes(is_synthetic)} less than all."
    some = own[own["ratio"] > 0].iloc[0]  # reach and ratio of any group tell the reach of all
    overall = some["reach_pct"] / some["ratio"]
    return (
        f"A{_name_list(order)[1:]} is least fair to {_name_group(least, names)}: it {_name_reaching(is_expected)} "
        f"**{_write_share(least['reach_pct'])}** of the fuel-poor {_name_homes(is_synthetic)} among them, and "
        f"{_write_share(overall)} of all."
    )


def _write_share(percent: float) -> str:
    return f"{percent:.{0 if percent >= 10 else 1}f}%" if percent >= 0.05 else "none"


def describe_calibration(scores: pd.DataFrame, *, is_synthetic: bool) -> str:
    """Say how far the better model's chances are from what was found, or from official rates, where it had not looked.

    Args:
        scores: from `scores.score_chances`; the better model is that of the smaller log loss.
        is_synthetic: whether the households are a twin's.
    """
    models = scores[scores["kind"] == "model"].sort_values("log_loss")
    if models.empty:
        return "No model of households was fitted, so there is none to score."
    best = models.iloc[0]
    slope = best["calibration_slope"]
    if slope < FLAT:
        verdict = "too sure: high ones are too high and low ones too low"
    elif slope > STEEP:
        verdict = "too cautious: high ones are too low and low ones too high"
    else:
        verdict = "neither too sure nor too cautious"
    whose, where = "chances of the", f"on average in ten groups of {_name_homes(is_synthetic)}"
    if pd.isna(best["auc"]):  # nobody knows who is fuel poor
        whose, where = "areas' mean chances by the", "from their official rates, on average in ten groups of areas"
    return (
        f"Leaving out {best['held_out']}, the {whose} {_lower(best['model'])} were off by "
        f"**{100 * best['expected_calibration_error']:.1f} percentage points** {where} from the lowest chance "
        f"to the highest. They were {verdict} (slope {slope:.2f}, where 1 is right)."
    )


def find_row(reached: pd.DataFrame, order: str, visits: int) -> pd.Series:
    """Return what an order reaches with a number of visits.

    Raises:
        CheckError: the table lacks it.
    """
    rows = reached[(reached["order"] == order) & (reached["visits"] == visits)]
    if rows.empty:
        raise CheckError(f"The table of what is reached lacks the order {order} at {visits:,} visits.")
    return rows.iloc[0]


def _name_reaching(is_expected: bool) -> str:
    return "is expected to reach" if is_expected else "reaches"


def name_interval(row: pd.Series) -> str:
    """Write the interval of a row of `targeting.count_reached`."""
    return f"95% interval {row['low_95']:,.0f} to {row['high_95']:,.0f}"


def _name_homes(is_synthetic: bool) -> str:
    return "synthetic households" if is_synthetic else "households"


def _name_spread(spread: float) -> str:
    if spread == 0:
        return "if within an area it is pure chance who is poor"
    return "if they differ as assumed" if spread == 1 else f"if they differ {spread:g} times as much as assumed"


def _name_group(row: pd.Series, names: Mapping[str, str]) -> str:
    """Name a group in words; a label such as owned_outright would be read as emphasis."""
    label = str(row["group"])
    match row["grouping"]:
        case "age_band":
            return f"households whose oldest member is {label}"
        case "lad22_code":
            return f"households of {names.get(label, label)}"
        case "rural_urban":
            return f"households of {label} areas"
    return TENURES.get(label, f"households of the tenure {label.replace('_', ' ')}")


def _name_list(order: str) -> str:
    return f"a list of {_lower(order)}"


def _lower(name: str) -> str:
    """Begin a name in lower case inside a sentence, unless its first word is an abbreviation."""
    return name if name[:2].isupper() else name[0].lower() + name[1:]
