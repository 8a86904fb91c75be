"""The figures that open the report, each with what it compares with and how sure it is."""

import pandas as pd

from councilbook.careers import prose
from councilbook.careers.places.sites import SIXTH_FORM
from councilbook.pages.html import KeyFigure
from councilbook.pages.html.wording import begin_line

STRAIGHT = "By straight lines and timetables"


def show_places(places: pd.DataFrame, name: str) -> KeyFigure:
    """Show how many places teach after 16, and how many of them are schools.

    Args:
        places: the dataset careers_places.
        name: of the council.
    """
    after = places[places["is_post16"]]
    schools = int(after["kind"].str.startswith("School").sum())
    some = f"{schools:,} {'is' if schools == 1 else 'are'} {prose.write_kind(SIXTH_FORM, schools)}"
    every = f"{prose.write_all(schools)} {prose.write_kind(SIXTH_FORM, schools)}"
    return KeyFigure(
        f"{len(after):,}",
        f"place{'' if len(after) == 1 else 's'} in {name} to learn at after 16",
        begin_line(every) if schools == len(after) else some,
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
        f"{prose.share_reached(drive):.0f}% by car; else half can choose from {without['median_places']:.0f} places",
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
