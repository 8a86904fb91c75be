"""Sentences on what ideas are worth and which evidence would help, put together from what was released."""

from collections.abc import Mapping

import pandas as pd

from councilbook.commons.value.evidence import EVERYTHING
from councilbook.pages.html.pieces import Html
from councilbook.pages.html.tables import table as write_table
from councilbook.pages.html.wording import count_things, round_column, round_pounds, write_pounds

MOST = 3  # questions that are told
LEAST_PCT = 5  # of what everything is worth: a question below that is not told


def describe_plan(plans: pd.DataFrame, budget_gbp: float, years: int) -> str:
    """Say which ideas a budget funds, what they cost and bring, and how sure that is.

    Args:
        plans: the dataset commons_value_plans.
        budget_gbp, years: what was assumed.
    """
    best = plans.iloc[0]
    if best["ideas"] == "none":
        return (
            f"**With {write_pounds(budget_gbp)} over {years} years, no idea is worth its cost.** The ranges behind "
            "that are our assumptions."
        )
    named = best["ideas"].replace("; ", "**; **")
    return (
        f"With an assumed {write_pounds(budget_gbp)} over {years} years, the model funds **{named}**. They would cost "
        f"{write_pounds(best['cost_gbp'])}, and bring {write_pounds(best['mean_gbp'])} more than that by our "
        f"assumptions. Nine draws in ten lie between {write_pounds(best['low_gbp'])} and "
        f"{write_pounds(best['high_gbp'])}. In {best['best_pct']:.0f} of 100 draws no other choice is worth more."
    )


def describe_evidence(evidence: pd.DataFrame) -> str:
    """Say what it is worth to know more before choosing, and which questions are worth most, as a list.

    Args:
        evidence: the dataset commons_value_evidence.
    """
    everything = float(evidence.loc[evidence["value"] == EVERYTHING, "worth_gbp"].iloc[0])
    worth = evidence[(evidence["value"] != EVERYTHING) & (evidence["worth_gbp"] >= LEAST_PCT / 100 * everything)]
    if everything <= 0 or worth.empty:
        return "**No single question would change the choice much.** So the choice can be made now."
    lines = [
        f"- **{row['question']}** An answer is worth up to {write_pounds(row['worth_gbp'])}. {row['way']}"
        for _, row in worth.head(MOST).iterrows()
    ]
    return "\n".join(
        [
            f"**It is worth up to {write_pounds(everything)} to know everything before choosing.** More than that no "
            "study should cost, for this choice alone. These questions are worth most, by our assumptions:",
            "",
            *lines,
        ]
    )


def headline_evidence(evidence: pd.DataFrame) -> str:
    """Say in a sentence which question is worth most.

    Args:
        evidence: the dataset commons_value_evidence.
    """
    first = evidence[evidence["value"] != EVERYTHING].iloc[0]
    return f"The question most worth an answer before choosing: **{first['question']}**"


def describe_shared(ideas: pd.DataFrame) -> str:
    """Say which ideas bring the same, and which cannot be counted.

    Args:
        ideas: the dataset commons_value_ideas.
    """
    alike = ideas.dropna(subset="shares")
    told = [f"“{row.title}” and “{row.shares}” bring some of the same" for row in alike.head(1).itertuples()]
    shared = f"{told[0]}. Where both are funded, that counts once." if told else "No two ideas bring the same."
    absent = ideas.loc[ideas["mean_gbp"].isna(), "title"]
    missing = (
        f" {count_things(len(absent), 'idea')} cannot be counted, as the study was not run or hides the figure: "
        f"{'; '.join(absent)}."
        if len(absent)
        else ""
    )
    return shared + missing


def describe_chart(ideas: pd.DataFrame) -> str:
    """Say what the chart of ideas shows."""
    counted = ideas.dropna(subset="mean_gbp")
    sure = int((counted["low_gbp"] > 0).sum())
    first = counted.iloc[0]
    return (
        f"A line an idea, the one worth most on top. {first['title']} may bring {write_pounds(first['low_gbp'])} to "
        f"{write_pounds(first['high_gbp'])}. {sure} of {len(counted)} lines lie above 0 as a whole."
    )


def show_rounded(table: pd.DataFrame, caption: str, headers: Mapping[str, str]) -> Html:
    """Show a table with its pounds rounded to two figures, and its shares to whole ones: more is not known."""
    pounds = [name for name in map(str, table) if name.endswith("_gbp")]
    shares = [name for name in map(str, table) if name.endswith("_pct")]
    ends = [name for name in ("low", "default", "high") if name in table]  # of values in all sorts of units
    exact = {name: round_column(table[name], 3) for name in ends}
    rounded = table.assign(**exact | {name: table[name].map(round_pounds) for name in pounds})
    formats = dict.fromkeys([*pounds, *shares], ",.0f") | dict.fromkeys(ends, ",g")
    return write_table(rounded, caption, headers=headers, formats=formats)
