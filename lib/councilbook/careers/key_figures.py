"""The figures that open the report, each with what it compares with and how sure it is."""

import pandas as pd

from councilbook.careers import prose
from councilbook.pages.html import KeyFigure

STRAIGHT = "By straight lines and timetables"


def show_places(places: pd.DataFrame, name: str) -> KeyFigure:
    """Show how many places teach after 16, and how many of them are schools.

    Args:
        places: the dataset careers_places.
        name: of the council.
    """
    after = places[places["is_post16"]]
    schools = int(after["kind"].str.startswith("School").sum())
    return KeyFigure(
        f"{len(after):,}",
        f"places in {name} to learn at after 16",
        f"{schools:,} are schools with a sixth form",
        "Counted from the lists of schools and colleges",
    )


def show_without_car(counts: pd.DataFrame, timetables: pd.DataFrame) -> KeyFigure:
    """Show the share of postcodes that reach a place in time without a car, beside that by car.

    Args:
        counts, timetables: the datasets journey_counts and journey_timetables.
    """
    without, drive = (prose.find_reached(counts, mode, prose.WITHIN) for mode in ("transit", "drive"))
    return KeyFigure(
        f"{prose.share_reached(without):.0f}%",
        f"of postcodes reach a place in {prose.WITHIN} minutes {prose.write_ways(timetables)}",
        f"{prose.share_reached(drive):.0f}% by car; half of them can choose from {without['median_places']:.0f} places",
        STRAIGHT,
    )


def show_stayed(districts: pd.DataFrame, name: str) -> KeyFigure | None:
    """Show the share of leavers who stayed in education or work, beside England's; None if it is not known.

    Args:
        districts: the dataset destinations_by_district.
        name: of the council.
    """
    newest = prose.find_newest(districts)
    if newest is None:
        return None
    return KeyFigure(
        f"{newest['stayed_pct']:.1f}%",
        f"of {newest['cohort']:,.0f} leavers at 16 stayed in education or work in {newest['destination_year']}",
        f"{newest['england_pct']:.1f}% in England",
        f"All mainstream schools of {name} counted",
    )


def show_neet(figures: pd.DataFrame) -> KeyFigure | None:
    """Show who is NEET or not known, as two figures, beside England's; None if the council has none.

    Args:
        figures: the dataset neet_by_year.
    """
    pair = prose.find_neet(figures)
    if pair is None:
        return None
    own, england = pair
    return KeyFigure(
        f"{own['neet_pct']:.1f}%",
        f"of 16 and 17 year olds were in no education, work or training in {own['year']}",
        f"{england['neet_pct']:.1f}% in England",
        f"Not known for another {own['not_known_pct']:.1f}% ({england['not_known_pct']:.1f}% in England)",
    )
