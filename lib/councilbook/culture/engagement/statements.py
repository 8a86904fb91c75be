"""What is said of the figures, in a councillor's words, from what was released alone."""

import pandas as pd

from councilbook.culture.engagement.checks import CENSUS
from councilbook.pages.html.wording import write_about

SURE = 0.95
MAP_DETAILS = {
    "not_engaged_pct": ("do not take part (%)", ".0f"),
    "not_engaged_adults": ("adults who do not", ",.0f"),
    "engaged_low_pct": ("take part: from (%)", ".0f"),
    "engaged_high_pct": ("to (%)", ".0f"),
}


def say_published(published: pd.DataFrame, name: str) -> str:
    """Say the published share of a council, and its rank or the districts that it is put together of.

    Args:
        published: the dataset culture_published; or culture_authorities, to say as well what its sample leaves open.
        name: the council's.
    """
    own = published[published["is_own"]]
    start = f"{share_published(published):.1f}% of adults in {name} attended or took part in culture in 2018/19"
    if len(own) > 1:
        return f"{start}, by the published figures of {len(own)} districts of 2019."
    one = own.iloc[0]
    said = f"{start}, as a survey published it: {_say_rank(int(one['rank']))} of {len(published)} authorities."
    if "published_low_pct" not in one:
        return said
    ends = f"{one['published_low_pct']:.0f}% and {one['published_high_pct']:.0f}%"
    return f"{said} The sample that we assumed leaves anything between {ends} open."


def share_published(published: pd.DataFrame) -> float:
    """Return the council's share, %: that of its authority, or of several by their adults."""
    own = published[published["is_own"]]
    return float((own["published_pct"] * own["adults"]).sum() / own["adults"].sum())


def say_missing(areas: pd.DataFrame) -> str:
    """Say how many adults neither attend nor take part, and how many of them live where the shares are lowest."""
    total = areas["not_engaged_adults"].sum()
    said = f"About {write_about(total)} of {areas['adults'].sum():,.0f} adults do neither."
    if (fifth := len(areas) // 5) < 2:
        return said
    part = 100 * areas.nsmallest(fifth, "engaged_pct")["not_engaged_adults"].sum() / total
    return f"{said} {part:.0f}% of them live in the fifth of small areas with the lowest shares."


def label_areas(areas: pd.DataFrame) -> pd.DataFrame:
    """Add a label, as people call the neighbourhood if that is known, and the share who do neither."""
    called = areas["neighbourhood"] + " (" + areas["lsoa21_name"].str.split().str[-1] + ")"
    labels = called.where(areas["neighbourhood"].notna() & ~called.duplicated(keep=False), areas["lsoa21_name"])
    return areas.assign(area=labels, not_engaged_pct=100 - areas["engaged_pct"])


def count_sure(areas: pd.DataFrame) -> tuple[int, int, int]:
    """Count the LSOAs that are surely below the council's mean, those surely above it, and the others."""
    below = int(areas["below_council_chance"].ge(SURE).sum())
    above = int(areas["below_council_chance"].le(1 - SURE).sum())
    return below, above, len(areas) - below - above


def say_sure(areas: pd.DataFrame) -> str:
    """Say which LSOAs can be told from the council's mean, and that the others cannot."""
    below, above, open_ = count_sure(areas)
    if len(areas) == 1:
        return "The council is one small area, so nothing can be told apart within it."
    spread = (areas["engaged_high_pct"] - areas["engaged_low_pct"]).mean()
    return (
        f"Of {len(areas)} small areas, {below} are below the council's mean and {above} above it, each with a "
        f"probability of 95% or more. The other {open_} cannot be told from it: an area's interval is {spread:.0f} "
        "points wide on average."
    )


def say_ranks(areas: pd.DataFrame) -> str:
    """Say how many LSOAs may be the one with the lowest share."""
    first = int(areas["rank_low"].eq(1).sum())
    said = f"{first} small areas may have the lowest share of all, so nobody can name the lowest one."
    return said if first > 1 else ""


def say_checks(checks: pd.DataFrame, score: str) -> str:
    """Say how far predictions were from published figures, whole regions left out.

    Args:
        checks: the dataset engagement_checks.
        score: what the scores are called: scores, or synthetic scores.
    """
    found = checks.set_index("check")["found"]
    met = checks["is_met"].dropna()
    return (
        f"We left out whole regions and predicted them from the others. In these {score} the census is off by "
        f"{found[f'Error by {CENSUS}, regions left out']:.1f} points (root mean square). Deprivation alone is off by "
        f"{found['Error by deprivation (rank alone), regions left out']:.1f}. "
        f"{found['Published figures in their interval']:.0f}% of published figures lie in their 95% interval. "
        f"{int(met.sum())} of {len(met)} checks came out as wanted."
    )


def say_slope(checks: pd.DataFrame) -> str:
    """Say whether another survey sees the same slope by deprivation."""
    found = checks.set_index("check")["found"]
    own, other = found["Slope by deprivation, this model"], found["Slope by deprivation, Taking Part"]
    return (
        f"From the most to the least deprived tenth of England, the log odds of taking part rise by {own:.2f} in this "
        f"model. In another survey, Taking Part, they rise by {other:.2f}."
    )


def _say_rank(rank: int) -> str:
    """Write a rank as an ordinal."""
    ending = "th" if rank % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(rank % 10, "th")
    return f"{rank}{ending}"
