"""Sentences on the commons, put together from what was released."""

import pandas as pd

from councilbook.pages.html import KeyFigure
from councilbook.pages.html.wording import count_things


def describe_sources(sources: pd.DataFrame) -> str:
    """Say how many sources there are, how many are open, and how many pass every check.

    Args:
        sources: the dataset commons_sources.
    """
    is_open = sources["spectrum"] == "open"
    shared = int(sources["studies"].str.contains(";").sum())
    return (
        f"**{count_things(len(sources), 'source')} feed the studies, and {is_open.sum()} of them are open.** "
        f"{shared} are used by more than one study. {int((sources['fair_checks'] == 4).sum())} pass all four FAIR "
        "checks: by its entry in the catalogue a file can be found, got, joined with others and used again."
    )


def describe_agreements(sources: pd.DataFrame) -> str:
    """Say how many sources that are not open have an agreement.

    Args:
        sources: the dataset commons_sources.
    """
    guarded = sources[sources["spectrum"] != "open"]
    agreed = int(guarded["agreement"].notna().sum())
    return (
        f"**{agreed} of {len(guarded)} sources that are not open have an entry in the register of agreements.** A real "
        "run stops where the entry has expired. The entries are templates, and each council has to confirm its own."
    )


def describe_openings(openings: pd.DataFrame) -> str:
    """Say which records stand alone in the way of most datasets, and how many of them are about people.

    Args:
        openings: the dataset commons_openings.
    """
    first = openings.sort_values(["steps", "datasets"], ascending=False).iloc[0]
    people = int(openings["personal_data"].sum())
    return (
        f"**The {first['records'].lower()} records alone keep {count_things(int(first['steps']), 'step')} from being "
        f"repeated by anybody.** {people} of {len(openings)} such sets of records are about people. They must stay "
        "closed, and only safe counts of them can be opened."
    )


def describe_actors(actors: pd.DataFrame, exchanges: pd.DataFrame) -> str:
    """Say who is the bridge in each study, and how many exchanges of data have no agreement.

    Args:
        actors, exchanges: the datasets commons_actors and commons_exchanges.
    """
    first = actors.sort_values("bridge_pct", ascending=False).drop_duplicates("study")
    named = zip(first["study"].str.lower(), first["title"], strict=True)
    said = "; ".join(f"{study}, {title[0].lower()}{title[1:]}" for study, title in named)
    data = exchanges[exchanges["kind"] == "data"]
    return (
        f"**{int(data['agreement'].isna().sum())} of {len(data)} exchanges of data name no agreement.** Those who join "
        f"the others most are: {said}. Who takes part is our judgement."
    )


def show_open(sources: pd.DataFrame) -> KeyFigure:
    """Show the share of sources that are open."""
    is_open = sources["spectrum"] == "open"
    return KeyFigure(
        f"{is_open.mean():.0%}",
        "of sources are open",
        f"{is_open.sum()} of {len(sources)}",
        "Counted from the catalogue",
    )
