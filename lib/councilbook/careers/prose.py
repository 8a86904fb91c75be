"""Sentences of the report that are put together from released figures; those on destinations are with their room."""

import re
from collections.abc import Iterable
from typing import Any

import pandas as pd

from councilbook.careers.destinations.checks import GUESSED, PREDICTED
from councilbook.careers.destinations.panel import AFTER_16
from councilbook.careers.journeys.ways import EVENING, MODE_WORDS, tabulate_evening
from councilbook.catalogue.councils import join_names
from councilbook.pages.html.wording import count_things

WITHIN = 45  # minutes, of a journey that the page calls in reach
OLDEST = 16  # of who is taught where nobody stays on
COLLEGE = "Further education college"


def find_reached(counts: pd.DataFrame, mode: str, minutes: int) -> "pd.Series[Any]":
    """Return the row of journey_counts of one way of travel and length, over all kinds of places."""
    rows = counts[counts["mode"].eq(mode) & counts["kind"].eq("all") & counts["minutes"].eq(minutes)]
    return rows.iloc[0]


def share_reached(row: "pd.Series[Any]") -> float:
    """Return the share of postcodes that reach at least one place, in per cent."""
    return 100 * float(row["postcodes"]) / float(row["all_postcodes"])


def find_newest(districts: pd.DataFrame) -> "pd.Series[Any] | None":
    """Return the newest year after GCSEs, summed over the council's districts; None if there is none."""
    rows = districts[districts["measure"].eq(AFTER_16) & districts["stayed"].notna()]
    if rows.empty:
        return None
    newest = rows[rows["destination_year"].eq(rows["destination_year"].max())]
    summed = newest[["cohort", "stayed", "not_stayed", "not_known"]].sum().astype(float)
    summed["stayed_pct"] = 100 * summed["stayed"] / summed["cohort"]
    summed["not_stayed_pct"] = 100 * summed["not_stayed"] / summed["cohort"]
    row: pd.Series[Any] = pd.concat([summed, newest.iloc[0][["destination_year", "england_pct"]]])
    return row


def sum_years(districts: pd.DataFrame, name: str) -> pd.DataFrame:
    """Sum those who did not stay after GCSEs, or are not known, over a council's districts by year, beside England.

    Returns:
        A row a year and who: ends (year in which the academic year ends), who, left_pct.
    """
    rows = districts[districts["measure"].eq(AFTER_16) & districts["stayed"].notna()]
    years = rows.groupby("destination_year").agg({"cohort": "sum", "stayed": "sum", "england_pct": "first"})
    shares = {name: 100 - 100 * years["stayed"] / years["cohort"], "England": 100 - years["england_pct"]}
    long = pd.DataFrame(shares).rename_axis("year").reset_index().melt("year", var_name="who", value_name="left_pct")
    return long.assign(ends=long["year"].str[:4].astype(int) + 1).dropna(subset="left_pct")


def find_neet(figures: pd.DataFrame) -> "tuple[pd.Series[Any], pd.Series[Any]] | None":
    """Return the newest rows of neet_by_year of the council and of England; None if the council has none."""
    own = figures[figures["is_own"] & figures["neet_pct"].notna()]
    if own.empty:
        return None
    newest = own.sort_values("year").iloc[-1]
    england = figures[figures["authority"].eq("England") & figures["year"].eq(newest["year"])]
    return (newest, england.iloc[0]) if len(england) else None


def describe_places(places: pd.DataFrame, name: str) -> str:
    """Say how many places there are to learn at after 16, by kind.

    Args:
        places: the dataset careers_places.
    """
    after = places[places["is_post16"]]
    if after.empty:
        return f"No place in {name} teaches after 16, as far as the lists of schools say."
    kinds = after["kind"].value_counts()
    told = join_names([f"{count} {write_kind(str(kind), count)}" for kind, count in kinds.items()])
    if len(kinds) == 1:
        told = f"{write_all(len(after))} {write_kind(str(kinds.index[0]), len(after))}"
    said = [f"{name} has {count_things(len(after), 'place')} to learn at after 16: {told}."]
    if grouped := int(after["run_by"].notna().sum()):
        said.append(f"Bodies elsewhere run {grouped} of them.")
    if len(closed := after.loc[after["closed_date"].notna() & after["run_by"].isna(), "name"]):
        counts = "has closed. It counts" if len(closed) == 1 else "have closed. They count"
        said.append(f"The lists say that {join_names(closed)} {counts}, as most buildings stay in use after a merger.")
    if COLLEGE not in kinds:
        said.append("No further education college has its address here, but one from elsewhere may teach here.")
    if to_16 := int(after["age_to"].le(OLDEST).sum()):
        sixth = "its sixth form" if to_16 == 1 else "their sixth forms"
        said.append(f"The lists give {OLDEST} as the highest age of {to_16}: {sixth} may have closed.")
    return " ".join(said)


def write_kind(kind: str, count: int) -> str:
    """Write a kind of place in the middle of a sentence, for one place or several."""
    words = kind if kind[1].isupper() else kind[0].lower() + kind[1:]
    words = words.replace("with sixth form", "with a sixth form")
    return words if count == 1 else re.sub(r"\b(school|college|site)\b", r"\1s", words)


def write_all(count: int) -> str:
    """Write that all of so many places are something: `both are`, where one is, `it is a`."""
    return {1: "it is a", 2: "both are"}.get(count, "all are")


def describe_choice(counts: pd.DataFrame, timetables: pd.DataFrame) -> str:
    """Say how far people get without a car, and with one.

    Args:
        counts, timetables: the datasets journey_counts and journey_timetables.
    """
    without, drive = (find_reached(counts, mode, WITHIN) for mode in ("transit", "drive"))
    ways = write_ways(timetables)
    return (
        f"Without a car, {share_reached(without):.0f}% of postcodes reach a place in {WITHIN} minutes, {ways}. Half of "
        f"all postcodes can choose from {without['median_places']:.0f} or more. By car "
        f"{share_reached(drive):.0f}% reach one, and half can choose from {drive['median_places']:.0f} or more."
    )


def write_ways(timetables: pd.DataFrame) -> str:
    """Write by which vehicles the journeys are, as far as timetables were there: `by bus, by train or on foot`."""
    known = set(timetables["timetable"])
    ways = [words for name, words in (("buses", "by bus"), ("trains", "by train")) if name in known]
    return f"{', '.join(ways)} or on foot" if ways else "on foot"


def name_modes(modes: "pd.Series[str]", timetables: pd.DataFrame) -> "pd.Series[str]":
    """Name the ways of travel of journey_counts; those without a car by the timetables that were there."""
    return modes.map(MODE_WORDS | {"transit": write_ways(timetables)})


def warn_of_missing(timetables: Iterable[str]) -> str:
    """Say which vehicles are in no journey, since no timetable of theirs was there; empty if all were."""
    known = set(timetables)
    absent = [name for name in ("buses", "trains") if name not in known]
    if not absent:
        return ""
    return (
        f"No {' and no '.join(absent)} are in the journeys on this page: there was no timetable of them. With one, "
        "more places may be in reach, and sooner."
    )


def describe_evening(ways: pd.DataFrame, places: pd.DataFrame) -> str:
    """Say from how many places half of those who get there can still ride home after six.

    Args:
        ways, places: the datasets journeys_by_postcode and careers_places.
    """
    table = tabulate_evening(ways, places)
    if not table["reached"].any():
        return "No journey home by bus or train is known."
    held, silent = int(table["late_pct"].ge(50).sum()), int(table["reached"].eq(0).sum())
    earlier = len(table) - held - silent
    less = f" From {earlier}, evening classes and part-time jobs are harder." if earlier else ""
    return (
        f"From {held} of {count_things(len(table), 'place')}, at least half of the postcodes with a ride home still "
        f"have one after {EVENING}.{less}" + (f" From {silent}, no ride home is known." if silent else "")
    )


def describe_matches(matches: pd.DataFrame) -> str:
    """Say how often the score finds a job by its five strongest skills, beside two plain scores.

    Args:
        matches: the dataset occupation_matches.
    """
    first = matches["ticked"].iloc[0]
    tried = matches[matches["ticked"].eq(first)]
    own, *others = (row for _, row in tried.iterrows())
    beside = " and ".join(f"{row['found_pct']:.1f}% ({row['score']})" for row in others)
    return (
        f"For each of {own['occupations']:,} occupations we ticked {first}. The score puts the occupation among the "
        f"first 20 in {own['found_pct']:.1f}% of cases; plainer scores do in {beside}. Jobs "
        "that share all skills are shown as tied."
    )


def describe_vacancies(counts: pd.DataFrame) -> str:
    """Say how many adverts for apprenticeships are kept, and what became of the others.

    Args:
        counts: the dataset careers_vacancy_counts.
    """
    if counts.empty:
        return "There was no list of adverts for apprenticeships."
    by_outcome = counts.groupby("outcome", sort=False)["adverts"].sum()
    told = "; ".join(f"{count:,} {outcome}" for outcome, count in by_outcome.items())
    return f"The lists hold {int(by_outcome.sum()):,} adverts for apprenticeships: {told}."


def describe_map(choice: pd.DataFrame) -> str:
    """Say what the map of postcodes shows: how many reach none, and how many reach most.

    Args:
        choice: the dataset postcode_choice.
    """
    none, most = int(choice["places"].eq(0).sum()), int(choice["places"].max())
    middle = choice["places"].median()
    return (
        f"Map of {len(choice):,} postcodes, darker where more places are within an hour without a car. {none:,} "
        f"reach none, half reach {middle:.0f} or more, and the best reach {most}."
    )


def describe_stayed(districts: pd.DataFrame, name: str) -> str:
    """Say how many leavers at 16 stayed in education or work, beside England."""
    newest = find_newest(districts)
    if newest is None:
        return f"No figure says where young people of {name} went after 16."
    return (
        f"Of {newest['cohort']:,.0f} young people who left at 16, {newest['stayed_pct']:.1f}% were in education or "
        f"work in {newest['destination_year']} and stayed, against {newest['england_pct']:.1f}% in England. "
        f"{newest['not_stayed']:,.0f} did not stay, and nothing is known of {newest['not_known']:,.0f}."
    )


def describe_neet(figures: pd.DataFrame) -> str:
    """Say who is in no education, work or training, and about how many nobody knows, beside England."""
    pair = find_neet(figures)
    if pair is None:
        return "No figure says how many 16 and 17 year olds are in no education, work or training."
    own, england = pair
    return (
        f"In {own['year']}, {own['neet_pct']:.1f}% of 16 and 17 year olds were in no education, work or training "
        f"(NEET), against {england['neet_pct']:.1f}% in England. What another {own['not_known_pct']:.1f}% did is "
        f"not known ({england['not_known_pct']:.1f}% in England)."
    )


def choose_newest(by_school: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of destinations_by_school after GCSEs of the newest year in which schools were compared."""
    compared = by_school[by_school["measure"].eq(AFTER_16) & by_school["among_schools"].notna()]
    return compared[compared["destination_year"].eq(compared["destination_year"].max())].reset_index(drop=True)


def describe_ranks(schools: pd.DataFrame) -> str:
    """Say how few schools can be told to be in the upper or the lower half."""
    known = schools.dropna(subset=["rank_first", "rank_last"])
    half = known["ranked_schools"] / 2
    either = int(((known["rank_first"] <= half) & (known["rank_last"] > half)).sum())
    if len(known) < 2:
        return "There are too few schools here to compare."
    return f"Of {len(known)} schools, {either} may belong to the upper half as well as to the lower."


def tabulate_next(schools: pd.DataFrame) -> pd.DataFrame:
    """Tabulate by name what to expect of the next year group, and the rate over the years: school, and both ranges."""
    ranges = ["next_low_pct", "next_high_pct", "shrunken_low_pct", "shrunken_high_pct"]
    return schools.dropna(subset="next_low_pct").sort_values("school")[["school", *ranges, "cohort"]]


def describe_checks(checks: pd.DataFrame) -> str:
    """Say how often the ranges held on a year that they had not seen.

    Args:
        checks: the dataset destination_checks.
    """
    by_check = checks.set_index("check")
    ours, plain = by_check.loc[PREDICTED], by_check.loc[GUESSED]
    return (
        f"We made the same ranges without the newest year, and then looked. They held for {ours['found_pct']:.0f}% "
        f"of {ours['schools']:,} schools. Last year's figure with the play of chance alone held for "
        f"{plain['found_pct']:.0f}%."
    )


def describe_starts(starts: pd.DataFrame) -> str:
    """Say how many apprenticeships started here in the newest whole year; that it is not known where it is not."""
    rows = starts[starts["ukprn"].eq("all")].dropna(subset="starts_here")
    if rows.empty:
        return "How many apprenticeships start here is not known: no file that was read has rows of this council."
    newest = rows.sort_values("year").iloc[-1]
    return (
        f"About {newest['starts_here']:,} apprenticeships started here in {newest['year']} ({newest['months']}). "
        f"People who live here started about {newest['starts_of_residents']:,}."
    )


def choose_trainers(starts: pd.DataFrame) -> pd.DataFrame:
    """Return the ten trainers with most starts here in the newest year that has any."""
    known = starts[starts["ukprn"].ne("all") & starts["starts_here"].gt(0)]
    newest = known[known["year"].eq(known["year"].max())].nlargest(10, "starts_here")
    return newest[["provider", "year", "starts_here", "starts_of_residents", "is_suppressed"]]


def describe_guidance(benchmarks: pd.DataFrame) -> str:
    """Say how many institutions returned the benchmarks of each version, and how many of eight they meet.

    Args:
        benchmarks: the dataset guidance_benchmarks.
    """
    if benchmarks.empty:
        return "No school or college has returned its benchmarks to the council."
    met = benchmarks["achieved"].eq("fully").groupby([benchmarks["benchmarks_version"], benchmarks["urn"]]).sum()
    told = [
        f"{count_things(len(own), 'institution')} returned the benchmarks of {version}, and met {own.mean():.1f} of "
        "eight on average."
        for version, own in met.groupby(level=0)
    ]
    return f"{' '.join(told)} The two versions ask for different things."


def describe_pdf_scores(scores: pd.DataFrame) -> str:
    """Say how well reports in PDF are read."""
    worst = scores["f1_pct"].min()
    read = "every cell was read right" if worst >= 99.95 else f"at least {worst:.1f}% of cells were read right (F1)"
    tried = f"On {len(scores)} synthetic reports of different form, {read}."
    return f"Councils often have these results in a PDF alone. {tried}"
