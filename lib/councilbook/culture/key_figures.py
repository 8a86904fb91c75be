"""The figures that open the report, each with what it compares with and how sure it is."""

import pandas as pd

from councilbook.culture.engagement.statements import count_sure, share_published
from councilbook.culture.reach.statements import name_kind
from councilbook.culture.venues.statements import count_kind
from councilbook.culture.visits.hours import WHOLE
from councilbook.culture.visits.statements import take_whole
from councilbook.pages.html import KeyFigure
from councilbook.pages.html.wording import count_things, write_millions


def show_engaged(published: pd.DataFrame) -> KeyFigure:
    """Show the share of adults who take part, beside England's authorities.

    Args:
        published: the dataset culture_published.
    """
    return KeyFigure(
        f"{share_published(published):.0f}%",
        "of adults attended or took part in culture",
        f"{published['published_pct'].median():.0f}% in the middle one of {len(published)} authorities",
        "A survey of 2018/19",
    )


def show_venues(counts: pd.DataFrame, name: str) -> KeyFigure | None:
    """Show how many venues there are; None where no source names one.

    Args:
        counts: the dataset culture_venue_counts.
        name: the council's.
    """
    if counts.empty:
        return None
    most = counts.nlargest(1, "venues").iloc[0]
    kind = count_kind(int(most["venues"]), str(most["kind"]))
    total = int(counts["venues"].sum())
    return KeyFigure(
        f"{total}",
        f"{'venue of culture lies' if total == 1 else 'venues of culture lie'} in {name}",
        f"{kind} among them" if len(counts) > 1 else f"{kind}: the lists here name no other kind",
        "Counted from public lists",
    )


def show_grants(money: pd.DataFrame) -> KeyFigure | None:
    """Show what project grants came; None where no file has them.

    Args:
        money: the dataset culture_funding.
    """
    grants = money[money["programme"].eq("project grants")]
    if grants.empty:
        return None
    return KeyFigure(
        write_millions(grants["amount_gbp"].sum()),
        f"of project grants came from {grants['years'].min()} to {grants['years'].max()}",
        f"in {count_things(int(grants['awards'].sum()), 'award')}",
        "Counted where a recipient is registered",
    )


def show_away(areas: pd.DataFrame) -> KeyFigure:
    """Show how many adults take no part, and in how many areas more than elsewhere."""
    below, _, _ = count_sure(areas)
    away = areas["not_engaged_adults"].sum()
    return KeyFigure(
        f"{away:,.0f}" if away < 1_000 else f"{round(away, -3):,.0f}",
        "adults neither attend nor take part",
        f"of {areas['adults'].sum():,.0f}; {below} of {len(areas)} small areas are almost surely below the mean",
        "Modelled from census and survey",
    )


def show_near(reach: pd.DataFrame, minutes: int) -> KeyFigure | None:
    """Show the share of adults within a walk of any venue; None where nobody is.

    Args:
        reach: the dataset venue_reach.
        minutes: on foot.
    """
    row = reach[reach["kind"].eq("any venue") & reach["mode"].eq("walk") & reach["minutes"].eq(minutes)]
    if row.empty:
        return None
    one = row.iloc[0]
    return KeyFigure(
        f"{one['adults_pct']:.0f}%",
        f"of adults live within {minutes} minutes' walk of a {name_kind(reach)}",
        f"{one['not_engaged_adults_pct']:.0f}% of those who are estimated not to take part",
        "Straight lines times 1.3 where no map of streets is at hand",
    )


def show_visits(by_hour: pd.DataFrame, dwell: pd.DataFrame) -> KeyFigure | None:
    """Show the median visit, beside how many visitors are there at once in the fullest hour; None if hidden."""
    whole = take_whole(by_hour).dropna(subset="in_at_once")
    length = dwell[dwell["zone"].eq(WHOLE)].dropna(subset="median_minutes")
    if whole.empty or length.empty:
        return None
    one, fullest = length.iloc[0], whole.nlargest(1, "in_at_once").iloc[0]
    return KeyFigure(
        f"{one['median_minutes']:.0f} minutes",
        "or longer is what half of all visits to the museum take",
        f"{fullest['in_at_once']:.0f} visitors at once in the fullest hour, from {fullest['hour']:02.0f}:00",
        f"95% interval of the visit: {one['low_minutes']:.0f} to {one['high_minutes']:.0f} minutes",
    )
