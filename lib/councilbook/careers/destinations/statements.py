"""What may be said of destinations, in sentences; and careers guidance beside them, of which no cause follows.

Nothing here says which school is best or worst, that one fails, or that its careers guidance is why.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm, spearmanr

from councilbook.careers.destinations.comparing import AMONG, AVERAGE, CHANGE
from councilbook.methods import rates
from councilbook.pages.html.wording import begin_line, count_things

MET = {"fully", "full", "met", "achieved", "yes", "true", "100"}  # a benchmark that is met in full, as returns say it
MOST_SAID = 3
FEWEST = 5  # schools that a correlation needs
NO_CAUSE = (
    "No cause follows from this: schools differ in much else, as in who their pupils are, and guidance of today did "
    "not reach the leavers of these years."
)


@dataclass(frozen=True)
class Beside:
    """Careers guidance beside destinations: a rank correlation over schools, with its 95% interval.

    Attributes:
        schools: how many have both figures.
        correlation, low, high: Spearman's; NaN where there are fewer than five schools, or all are alike.
    """

    schools: int
    correlation: float
    low: float
    high: float

    def say(self) -> str:
        """Say what it means, and what it does not."""
        if np.isnan(self.correlation):
            return f"{self.schools} schools have both figures, too few or too alike to say whether they go together."
        if self.low <= 0 <= self.high:
            found = (
                "The data do not show whether schools with more benchmarks met keep more leavers in education or work"
            )
        else:
            more = "more" if self.low > 0 else "fewer"
            found = f"Schools with more benchmarks met keep {more} leavers in education or work"
        return (
            f"{found}: over {self.schools} schools the rank correlation is {self.correlation:.2f} "
            f"({self.low:.2f} to {self.high:.2f}). {NO_CAUSE}"
        )


def set_beside(guidance: pd.DataFrame, schools: pd.DataFrame) -> Beside:
    """Set the number of guidance benchmarks that each school meets beside its leavers who stayed.

    Args:
        guidance: urn, benchmark, status (of MET where it is met in full); a row a school and benchmark.
        schools: urn, shrunken_pct; a row a school.

    Returns:
        Spearman's correlation, with the interval of Bonett and Wright 2000 (Psychometrika 65(1):23-28).
    """
    is_met = guidance["status"].astype("str").str.strip().str.lower().isin(MET)
    met = is_met.groupby(guidance["urn"].astype("str")).sum()
    both = schools.assign(met=schools["urn"].astype("str").map(met)).dropna(subset=["met", "shrunken_pct"])
    count = len(both)
    if count < FEWEST or np.ptp(both["met"]) == 0 or np.ptp(both["shrunken_pct"]) == 0:
        return Beside(count, np.nan, np.nan, np.nan)
    found = float(spearmanr(both["met"], both["shrunken_pct"]).statistic)
    error = np.sqrt((1 + found**2 / 2) / (count - 3)) * norm.ppf((1 + rates.LEVEL) / 2)
    middle = np.arctanh(np.clip(found, -0.999, 0.999))
    return Beside(count, found, float(np.tanh(middle - error)), float(np.tanh(middle + error)))


def say_told_apart(schools: pd.DataFrame, rng: np.random.Generator) -> str:
    """Say how many pairs of schools the newest figures can tell apart.

    Args:
        schools: a and b of `rates.estimate_rates`, a row a school.
    """
    if len(schools) < 2:
        return "There is one school, so there is nothing to compare it with."
    apart, pairs = rates.count_told_apart(rates.draw_rates(schools, rng))
    most = "Most schools cannot be told apart" if apart < pairs / 2 else "More than half of the pairs can be told apart"
    return f"{most}: of {pairs:,} pairs of schools, the figures tell {apart:,} apart."


def say_unusual(schools: pd.DataFrame) -> str:
    """Say how many schools are unusual among schools, and how many are below the average: two questions."""
    among, average = schools["among_schools"], schools["against_average"]
    below, low = int(among.eq(AMONG[0]).sum()), schools.loc[average.eq(AVERAGE[0]), "school"]
    named = f": {'; '.join(sorted(low))}" if len(low) else ""
    return (
        f"Of {count_things(len(schools), 'school')}, {below or 'none'} {'are' if below > 1 else 'is'} unusually low "
        f"among England's schools. {len(low) or 'None'} {'are' if len(low) > 1 else 'is'} below England's average by "
        f"more than chance explains{named}."
    )


def say_changes(rows: pd.DataFrame) -> str:
    """Say how many schools changed by more than the noise between years."""
    known = rows[rows["change"].isin(CHANGE)]
    lower, higher = (known.loc[known["change"].eq(word), "school"] for word in (CHANGE[0], CHANGE[2]))
    parts = [
        f"{len(one)} {'is' if len(one) == 1 else 'are'} {words} than these predict ({'; '.join(sorted(one))})"
        for one, words in ((lower, "lower"), (higher, "higher"))
        if len(one)
    ]
    changed = " and ".join(parts) or "none is lower or higher than its earlier years predict"
    schools = count_things(len(known), "school")
    return f"Of {schools} with earlier years, {changed}. By chance alone, one in twenty would be."


def say_jumps(districts: pd.DataFrame) -> str:
    """Say between which years the number of young people counted jumped, so that they cannot be compared."""
    if districts.empty:
        return "There are no years to compare."
    jumped = districts[districts["comparable"].str.startswith("no")]
    if jumped.empty:
        return "The number of young people counted did not jump, so each year can be compared with the one before."
    several = len(set(districts["lad_name"])) > 1
    said = [
        f"{row['lad_name'] + ': ' if several else ''}the number of young people counted {row['measure']} "
        f"{'grew' if row['cohort_change_pct'] > 0 else 'shrank'} by {abs(row['cohort_change_pct']):.0f}% to "
        f"{row['cohort']:,.0f} in {row['destination_year']}"
        for row in jumped.sort_values("cohort_change_pct", key=abs, ascending=False).head(MOST_SAID).to_dict("records")
    ]
    first = f"{len(jumped)} numbers jumped, the most: " if len(jumped) > MOST_SAID else ""
    return (
        f"{begin_line(first + '; '.join(said))}. How many are of one age does not change like that. Most likely a "
        "school or college entered or left the count, so such a year cannot be compared with the one before."
    )


def say_left_out(colleges: pd.DataFrame) -> str:
    """Say which colleges have no row in the table of schools and colleges; see `districts.list_left_out`."""
    if colleges.empty:
        return "Each college in the list of schools and colleges has a row."
    names = "; ".join(colleges["name"])
    return (
        f"Without a row here: {names}. Their students are missing from the figures by school and college, or count "
        "where the college, or the group that it joined, is registered."
    )
