"""The page for a parent: what to expect of the next year group of each school, and what such a figure cannot say."""

import pandas as pd

from councilbook.careers import prose
from councilbook.pages.html import Html
from councilbook.pages.html.tables import table as write_table
from councilbook.pages.study_pages import PageRequest

TEMPLATE = "careers/parents.html.j2"
SCHOOLS, CHECKS = "destinations_by_school", "destination_checks"
HEADERS = {  # of columns of numbers
    "next_low_pct": "next year group: at least",
    "next_high_pct": "next year group: at most",
    "shrunken_low_pct": "over the years: at least",
    "shrunken_high_pct": "over the years: at most",
    "cohort": "pupils in the newest year",
}
ASK = (
    "Ask the school which places its leavers went to, and how many came back to change.",
    "Ask who talks to your child about options after 16, and in which year that begins.",
    "Ask what the school offers for the subject or trade that your child has in mind.",
    "Ask how a place at the school's own sixth form is given, if it has one.",
)


def make_page(request: PageRequest) -> Html:
    """Make the page from what was released: schools by name, never by rank.

    Where a school's earlier years are not known, it has no range; where no school has one, the page says so.
    """
    schools, checks = request.load(SCHOOLS), request.load(CHECKS)
    newest = prose.choose_newest(schools) if schools is not None else pd.DataFrame()
    known = prose.tabulate_next(newest) if len(newest) else newest
    year = newest["destination_year"].iloc[0] if len(newest) else ""
    return request.render(
        TEMPLATE,
        [SCHOOLS, CHECKS],
        answer=prose.describe_ranks(newest) if len(known) else "No school here has a figure to compare.",
        table=write_next(known, str(year)) if len(known) else "",
        held=prose.describe_checks(checks) if checks is not None and len(known) else "",
        ask=ASK,
    )


def write_next(known: pd.DataFrame, year: str) -> Html:
    """Write the schools by name, each with the range of its next year group and of its rate over the years."""
    caption = f"Of 100 pupils, how many stay in education or work after their GCSEs; newest year {year}"
    return write_table(known, caption, headers=HEADERS, formats=dict.fromkeys(HEADERS, ".0f"))
