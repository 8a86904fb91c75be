"""Sentences on ideas, ethics and data, put together from what was released."""

import pandas as pd

from councilbook.culture.ideas.ranking import FIRST
from councilbook.pages.html.wording import count_things, format_date


def describe_ideas(ideas: pd.DataFrame) -> str:
    """Say which ideas are surely among the first, and that the voters are invented.

    Args:
        ideas: the dataset culture_ideas.
    """
    surely = ideas.loc[ideas["rank_high"] <= FIRST, "title"]
    named = f"**{len(surely)} of {len(ideas)} ideas are surely among the first {FIRST}**: {'; '.join(surely)}."
    said = named if len(surely) else f"**No idea is surely among the first {FIRST}.**"
    return (
        f"{said} The order of the others depends on who is in the room. The {ideas['voters'].max()} voters are "
        "invented. Each stands for a kind of person, and a workshop puts real votes in their place."
    )


def describe_chart(ideas: pd.DataFrame) -> str:
    """Say what the chart of ranks shows."""
    first = ideas.iloc[0]
    width = float((ideas["rank_high"] - ideas["rank_low"]).head(15).median())
    return (
        f"A line an idea, the best supported on top. {first['title']} comes first, and may stand anywhere from rank "
        f"{first['rank_low']} to {first['rank_high']}. Half of the lines span {width:.0f} ranks or more."
    )


def describe_ethics(ethics: pd.DataFrame) -> str:
    """Say how many points of the canvas are settled, accepted and open, who has to accept them, and what that stops.

    Args:
        ethics: the dataset culture_ethics.
    """
    counts = ethics["state"].value_counts()
    waiting = ethics.loc[ethics["state"] == "open", "role"].value_counts()
    roles = " and ".join(f"the {str(role).lower()} {count}" for role, count in waiting.items())
    stops = (
        f"Of the open ones, {roles} {'have' if len(waiting) > 1 else 'has'} to accept. Until then, nothing that was "
        "made of real wifi logs or answers is released."
        if len(waiting)
        else "Nothing is open, so the gate lets counts from real logs pass once they are safe."
    )
    first = ethics.iloc[0]
    return (
        f"The canvas has {len(ethics)} points: {counts.get('settled', 0)} settled by how this workbook works, "
        f"{counts.get('accepted', 0)} accepted by the council, and **{counts.get('open', 0)} open**. {stops} The "
        f"{first['owner'].lower()} keeps the canvas, and looks at it again by {format_date(first['review_by'])}."
    )


def headline_ethics(ethics: pd.DataFrame) -> str:
    """Say in a bullet whether counting by wifi may begin."""
    number = int((ethics["state"] == "open").sum())
    if number:
        return (
            f"- **Counting by wifi may not begin yet.** {count_things(number, 'point')} of {len(ethics)} on the ethics "
            "canvas have to be accepted first, such as how visitors are told."
        )
    return (
        f"- **All {len(ethics)} points of the ethics canvas are settled or accepted.** Visitors are told at the door."
    )


def describe_landscape(landscape: pd.DataFrame) -> str:
    """Say how many sources there are, how many are open, and of how many the publisher states no licence.

    Args:
        landscape: the dataset culture_data_landscape.
    """
    is_open = landscape["spectrum"] == "open"
    without = int(landscape["gap"].fillna("").str.contains("states no licence").sum())
    waits = "No licence is stated for {}, so what was made of its real file waits."
    missing = f" {waits.format(without)}" if without else ""
    return (
        f"{count_things(len(landscape), 'source')} bear on the question, and {is_open.sum()} are open.{missing} "
        "The map below is drawn from the catalogue and the notebooks' own code."
    )


def describe_actors(actors: pd.DataFrame, exchanges: pd.DataFrame) -> str:
    """Say who is the bridge, what depends on it alone, and which exchanges of data have no agreement.

    Args:
        actors: the dataset culture_actors.
        exchanges: the dataset culture_exchanges.
    """
    first = actors.iloc[0]
    without = exchanges[exchanges["kind"].eq("data") & exchanges["agreement"].isna()]
    named = "; ".join(f"{row.giver} gives {row.what}" for row in without.itertuples())
    lacking = f" **{len(without)} exchanges of data have no agreement on record**: {named}." if len(without) else ""
    return (
        f"{first['title']} {'are' if first['title'].endswith('s') else 'is'} the bridge: "
        f"{first['bridge_pct']:.0f} of 100 shortest ways between two others lead through it. If it left, "
        f"{first['cut_off']} of the {len(actors) - 1} others would be cut off.{lacking}"
    )
