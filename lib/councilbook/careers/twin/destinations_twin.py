"""Twins of what is published of destinations: by school and college, by district, and of who is NEET.

The invented town's schools stand among some 400 invented ones elsewhere, so that limits among schools can be drawn.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import beta, norm

from councilbook.careers.twin.institutions import make_institutions
from councilbook.catalogue import Source, TwinRequest
from councilbook.catalogue.councils import read_authorities
from councilbook.twins.places import FloatArray, SyntheticPlace, make_place, write_csv

ELSEWHERE, AUTHORITIES_ELSEWHERE = 400, 20
FIRST_URN, FIRST_AUTHORITY = 950_001, 960  # no real URN, and no real number of an authority, is so high
# How schools' rates lie about their mean, and a school's years about its own: as those of England to 2021/22.
RATES = {16: (0.937, 48.0), 18: (0.80, 18.0)}
STEADINESS = 900.0
GROUPS = {"_DIS": -0.9, "_NONDIS": 0.3}  # what a group's rate differs by, in log odds
FIRST_YEAR = 2016  # in which the first destination year ends
DESTINATIONS = {  # of those who stay, and of those who do not
    16: ({"APPREN": 0.05, "EMPLOYMENT": 0.06, "FE": 0.34, "SCH_6TH": 0.30, "SIXTH_COL": 0.21, "OTHER_EDU": 0.04}, 0.15),
    18: ({"APPREN": 0.13, "EMPLOYMENT": 0.29, "FE": 0.10, "HE": 0.45, "OTHER_EDU": 0.03}, 0.25),
}
STUDY = {16: ["FE", "SCH_6TH", "SIXTH_COL", "OTHER_EDU"], 18: ["FE", "HE", "OTHER_EDU"]}
DISTRICTS = {  # counts under the headers of the tables of districts, in Explore Education Statistics
    "COHORT": "cohort", "EDUCATION": "education", "APPREN": "appren", "EMPLOYMENT": "all_work",
    "NOT_SUSTAINED": "all_notsust", "UNKNOWN": "all_unknown",
}  # fmt: skip
AS_EES = {"time_identifier": "Academic year", "geographic_level": "Local authority district"}
AS_EES |= {"breakdown_topic": "Total", "data_type": "Number of pupils"}
FEWEST, SUPPRESSED, SMALL = 6, "SUPP", "SP"
SUFFIXES = {2019: ("18", "17"), 2023: ("21", "20")}  # of the two years before; see the trap in the catalogue
LEVELS = {"L3": 0.7, "L2": 0.13, "LALLOTH": 0.17}
NEET_RATES = {2021: (2.8, 2.7), 2022: (2.6, 2.2), 2023: (2.8, 2.4), 2024: (3.2, 2.2), 2025: (3.4, 2.2)}  # of England
LATE_HEADERS = 2024  # since then the absence column has another name


def make_ks4_destinations(source: Source, request: TwinRequest) -> bytes:
    """Make one edition of the table of destinations after GCSEs, with the counts of its year and the two before."""
    place = make_place(request.council, request.seed)
    edition = int(source.edition or max(SUFFIXES))
    schools = _list_schools(place, 16, edition)
    year = edition - 1
    counts = _draw_counts(place, schools, 16, year)
    table = _name_rows(schools).join(_write_counts(counts, _list_measures(16)))
    for before, suffix in enumerate(SUFFIXES[edition], start=1):
        past = _draw_counts(place, schools, 16, year - before)
        was_there = schools["first_year"] <= year - before
        for group in ("", *GROUPS):
            shown = _hide(past, group)
            table[f"COHORT{group}_{suffix}"] = shown["COHORT"].where(was_there, "NA")
            table[f"OVERALL_DESTPER{group}_{suffix}"] = shown["OVERALL_DESTPER"].where(was_there, "NA")
    return write_csv(table, bom=True)


def make_ks5_destinations(_source: Source, request: TwinRequest) -> bytes:
    """Make the table of destinations after 16 to 18 study, by level."""
    place = make_place(request.council, request.seed)
    schools = _list_schools(place, 18, 2021)
    parts = {
        level: _draw_counts(place, schools.assign(cohort=schools["cohort"] * share), 18, 2020, level)
        for level, share in LEVELS.items()
    }
    measures = _list_measures(18)
    table = _name_rows(schools).assign(FEEDER="0")
    total = parts["L3"] + parts["L2"] + parts["LALLOTH"]
    for name, counts in {"TOT": total, **parts}.items():
        table = table.join(_write_counts(counts, measures).add_prefix(f"{name}_"))
    return write_csv(table.rename(columns=lambda name: name.replace("UNKNOWN", "NOT_CAPTURED")), newline="\r\n")


def make_ks5_progression(_source: Source, request: TwinRequest) -> bytes:
    """Make the table of progression to higher education or training."""
    place = make_place(request.council, request.seed)
    schools = _list_schools(place, 18, 2021)
    rng = place.stream("progression")
    cohort = np.maximum(np.rint(schools["cohort"] * 0.7), 1).astype(int)
    share = expit(0.6 + 0.5 * schools["outcome"].fillna(0) + rng.normal(0, 0.2, len(schools)))
    higher = rng.binomial(cohort, share)
    table = _name_rows(schools).assign(
        FEEDER="0", REGION="", ALL_BAND="3", ALL_SCORE="0", ALL_COHORT=cohort.astype(str)
    )
    table["ALL_PROGRESSED"] = pd.Series(_write_percent(higher, cohort)).where(cohort >= FEWEST, SUPPRESSED)
    table.loc[table["RECTYPE"].eq("LA"), ["ALL_BAND", "ALL_COHORT"]] = ["NA", ""]
    return write_csv(table)


def make_district_destinations(source: Source, request: TwinRequest) -> bytes:
    """Make the table of districts; after 16 to 18 study, a college enters one of them in the last year."""
    place = make_place(request.council, request.seed)
    age = 18 if "ks5" in source.id else 16
    rng = place.stream(source.id)
    schools = make_institutions(place)
    own = schools[schools["successor_urn"].eq("")].groupby("lad_code")[f"cohort{age}"].sum()
    names = dict(place.districts) | {f"E07999{number:03d}": f"Elsewhere {number + 1}" for number in range(60)}
    sizes = np.array([max(float(own.get(code, 0)), 300) if code in place.districts else 1_400 for code in names])
    mean, strength = RATES[age]
    shares, parts = rng.beta(mean * strength * 20, (1 - mean) * strength * 20, len(names)), []
    years = range(FIRST_YEAR if age == 16 else FIRST_YEAR + 2, 2024)
    for year in years:
        grown = np.where((np.arange(len(names)) == 0) & (age == 18) & (year == years[-1]), 2.4, 1.0)
        cohorts = np.rint(sizes * grown * rng.normal(1, 0.03, len(names))).astype(int)
        drawn = _split(cohorts, shares, age, rng)[list(DISTRICTS)].rename(columns=DISTRICTS)
        parts.append(drawn.assign(time_period=f"{year - 1}{year % 100:02d}", lad_code=list(names)))
    table = pd.concat(parts, ignore_index=True)
    levels = {"cohort_level": "Total", "cohort_level_group": "Total"} if age == 18 else {}
    return write_csv(table.assign(lad_name=table["lad_code"].map(names), **AS_EES, **levels))


def make_neet(source: Source, request: TwinRequest) -> bytes:
    """Make one year of the scorecard of 16 and 17 year olds; that of 2021 with its two made-up rows."""
    place = make_place(request.council, request.seed)
    year = int(source.edition or max(NEET_RATES))
    rng = place.stream("neet")  # the same draws each year, so that an authority stays like itself
    own = make_institutions(place).drop_duplicates("la").set_index("la")["lad_code"]
    known = read_authorities()
    codes = {la: (known[code].county or code if code in known else code) for la, code in own.items()}
    more = " and around" if len(place.districts) > len(codes) else ""  # a county of several districts
    names = {la: f"{place.districts[code]}{more}" for la, code in own.items()}
    for number in range(AUTHORITIES_ELSEWHERE):
        la = str(FIRST_AUTHORITY + number)
        codes[la], names[la] = f"E06999{number:03d}", f"Authority {number + 1}"
    factors = rng.lognormal(0, 0.25, (len(codes), 2))
    both = np.round(np.array(NEET_RATES[year]) * factors, 1)
    authorities = [
        ("Local authority", "E12999999", "Invented region", la, codes[la], names[la], 7_000, *shares)
        for la, shares in zip(codes, both, strict=True)
    ]
    rows: list[tuple[Any, ...]] = [("National", "", "", "", "", "", 1_200_000, *NEET_RATES[year]), *authorities]
    if year == min(NEET_RATES):
        rows += [
            ("Regional", "", "Region demo", "", "", "", 120_000, 3.3, 1.3),
            ("Local authority", "", "Region demo", "", "", "LA demo", 6_595, 3.6, 0.9),
        ]
    return write_csv(_write_neet(rows, year), bom=True)


def make_school_census(_source: Source, request: TwinRequest) -> bytes:
    """Make the school census: pupils, and who was eligible for free school meals in the last six years."""
    place = make_place(request.council, request.seed)
    schools = _list_schools(place, 16, max(SUFFIXES))
    schools = schools[schools["record"].isin(["1", "2"])]
    pupils = np.rint(schools["cohort"] * 5.5).astype(int)
    share = (100 * schools["disadvantaged_share"]).round(1).astype(str) + "%"
    table = pd.DataFrame({"URN": schools["urn"], "LA": schools["la"], "Estab": schools["establishment"]})
    return write_csv(table.assign(SCHOOLTYPE="State-funded secondary", NOR=pupils, PNUMFSMEVER=share))


def _list_schools(place: SyntheticPlace, age: int, edition: int) -> pd.DataFrame:
    """List the schools of an edition's table, those elsewhere too, and below them authorities and England.

    Returns:
        record (RECTYPE), la, establishment, urn, name, form, cohort, outcome, disadvantaged_share, first_year (in which
        its first destinations end): a row a row of the table.
    """
    rows = make_institutions(place)
    rows = rows[rows[f"cohort{age}"].gt(0) & rows["form"].ne("independent")]
    closed, opened = (pd.to_datetime(rows[name], errors="coerce").dt.year for name in ("closed_date", "opened_date"))
    rows = rows[~(closed < edition - 1) & ~(opened > edition - 2)]  # a college that has merged has no row of its own
    own = rows.assign(
        record=np.where(rows["form"].eq("special") & (age == 16), "2", "1"),
        cohort=rows[f"cohort{age}"] // np.where(rows["form"].eq("special"), 2, 1),  # so that some are hidden
        first_year=opened[rows.index].add(2).fillna(0),
    )
    rng = place.stream(f"elsewhere {age}")
    number = np.arange(ELSEWHERE)
    others = pd.DataFrame(
        {
            "record": "1",
            "la": (FIRST_AUTHORITY + number % AUTHORITIES_ELSEWHERE).astype(str),
            "establishment": (4_000 + number).astype(str),
            "urn": (FIRST_URN + number).astype(str),
            "name": [f"Elsewhere School {one + 1}" for one in number],
            "form": "to 16",
            "cohort": np.rint(rng.lognormal(np.log(170 if age == 16 else 110), 0.35, ELSEWHERE)),
            "outcome": rng.normal(0, 1, ELSEWHERE),
            "disadvantaged_share": rng.beta(3, 8, ELSEWHERE),
            "first_year": 0,
        }
    )
    schools = pd.DataFrame(pd.concat([own, others], ignore_index=True)[list(others)])
    sums = [schools[schools["la"].eq(la)] for la in schools["la"].unique()]
    above = [
        {"record": record, "la": la, "urn": "", "cohort": part["cohort"].sum(), "first_year": 0}
        for record, la, part in [*(("LA", part["la"].iloc[0], part) for part in sums), ("NAT", "", schools)]
    ]
    below = pd.DataFrame(above).assign(establishment="", name="", form="")
    return pd.concat([schools, below], ignore_index=True)


def _draw_counts(place: SyntheticPlace, schools: pd.DataFrame, age: int, year: int, label: str = "") -> pd.DataFrame:
    """Draw where a year's leavers went, by group: a column a count, as COHORT_DIS; rows of authorities are sums."""
    rng = place.stream(f"destinations {age} {year} {label}")
    real = schools["outcome"].notna().to_numpy()
    one = schools[real]
    mean, strength = RATES[age]
    own: FloatArray = beta.ppf(norm.cdf(one["outcome"]), mean * strength, (1 - mean) * strength).clip(0.02, 0.995)
    rate = rng.beta(own * STEADINESS, (1 - own) * STEADINESS).clip(0.01, 0.999)
    cohort = np.rint(one["cohort"] * rng.normal(1, 0.05, len(one))).clip(3).astype(int)
    first = rng.binomial(cohort, one["disadvantaged_share"])
    parts = []
    for (group, shift), size in zip(GROUPS.items(), (first, cohort - first), strict=True):
        drawn = _split(np.asarray(size), expit(logit(rate) + shift), age, rng)
        parts.append(drawn.add_suffix(group))
    counts = pd.concat(parts, axis=1).set_index(one.index)
    for name in [name.removesuffix("_DIS") for name in map(str, counts) if name.endswith("_DIS")]:
        counts[name] = counts[f"{name}_DIS"] + counts[f"{name}_NONDIS"]
    sums = counts.groupby(one["la"]).sum()
    above = schools[~real]
    summed = sums.reindex(above["la"]).set_index(above.index)
    summed.loc[above["record"].eq("NAT")] = counts.sum().to_numpy()
    return pd.concat([counts, summed]).sort_index().astype("int64")


def _split(cohort: Any, rate: FloatArray, age: int, rng: np.random.Generator) -> pd.DataFrame:
    """Split cohorts into who stayed, and where, who did not, and who is not known."""
    kinds, unknown = DESTINATIONS[age]
    stayed = rng.binomial(cohort, rate)
    where = pd.DataFrame(rng.multinomial(stayed, list(kinds.values())), columns=list(kinds))
    lost = rng.binomial(np.asarray(cohort) - stayed, unknown)
    head = pd.DataFrame({"COHORT": cohort, "OVERALL_DEST": stayed}).reset_index(drop=True)
    where["EDUCATION"] = where[STUDY[age]].sum(axis=1)
    return head.join(where).assign(NOT_SUSTAINED=np.asarray(cohort) - stayed - lost, UNKNOWN=lost)


def _list_measures(age: int) -> list[str]:
    """List a table's counts in the publisher's order."""
    first = (
        ["OVERALL_DEST", "APPREN", "EMPLOYMENT", "EDUCATION"] if age == 16 else ["OVERALL_DEST", "APPREN", "EDUCATION"]
    )
    last = [] if age == 16 else ["EMPLOYMENT"]
    return [*first, *STUDY[age], *last, "NOT_SUSTAINED", "UNKNOWN"]


def _write_counts(counts: pd.DataFrame, measures: Sequence[str]) -> pd.DataFrame:
    """Write counts and whole percentages of all and of both groups, small ones hidden."""
    columns = {}
    for group in ("", *GROUPS):
        shown = _hide(counts, group)
        for name in ("COHORT", *measures, *(f"{one}PER" for one in measures)):
            columns[f"{name}{group}"] = shown[name]
    table = pd.DataFrame(columns)
    return (
        table if "SCH_6TH" in measures else table.rename(columns=lambda name: name.replace("OVERALL_DEST", "OVERALL"))
    )


def _hide(counts: pd.DataFrame, group: str) -> pd.DataFrame:
    """Return a group's counts and percentages as text: of few pupils the cohort alone, and no small rest of a group."""
    names = [name for name in map(str, counts) if not name.endswith(tuple(GROUPS))]
    own = counts[[f"{name}{group}" for name in names]].set_axis(names, axis=1)
    least = counts["COHORT"] if not group else counts[[f"COHORT{one}" for one in GROUPS]].min(axis=1)
    is_few = least < FEWEST
    rest = counts[[f"{name}{one}" for name in ("NOT_SUSTAINED", "UNKNOWN") for one in GROUPS]]
    is_small = is_few | (bool(group) & rest.isin([1, 2]).any(axis=1))
    shown = {"COHORT": own["COHORT"].astype(str)}
    for name in names[1:]:
        hidden = is_small if name in ("NOT_SUSTAINED", "UNKNOWN") else is_few
        shown[name] = own[name].astype(str).mask(hidden, SUPPRESSED)
        percent = pd.Series(_write_percent(own[name], own["COHORT"]), index=own.index)
        shown[f"{name}PER"] = percent.mask(hidden, SUPPRESSED)
    return pd.DataFrame(shown)


def _write_percent(count: Any, cohort: Any) -> list[str]:
    """Write whole percentages, rounded half up, as the publisher does."""
    share = 100 * np.asarray(count) / np.maximum(np.asarray(cohort), 1)
    return [SMALL if 0 < one < 0.5 else f"{int(np.floor(one + 0.5))}%" for one in share]


def _name_rows(schools: pd.DataFrame) -> pd.DataFrame:
    names = {"record": "RECTYPE", "la": "LEA", "establishment": "ESTAB", "urn": "URN"}
    table = schools[list(names)].rename(columns=names)
    return table.assign(ICLOSE="0", SCHNAME=schools["name"], NFTYPE=np.where(schools["urn"].eq(""), "", "AC"))


def _write_neet(rows: Sequence[tuple[Any, ...]], year: int) -> pd.DataFrame:
    """Write the scorecard's columns that we know of; which others there are changes from year to year."""
    columns = ["geographic_level", "region_code", "region_name", "old_la_code", "new_la_code", "la_name"]
    table = pd.DataFrame(rows, columns=[*columns, "Cohort_DJFavg", "NEET_percent", "Notknown_percent"])
    table.insert(0, "time_period", year)
    table.insert(8, "NEET_not_known_percent", (table["NEET_percent"] + table["Notknown_percent"]).round(1))
    name = "enrolments_pa_10_exact_percent" if year >= LATE_HEADERS else "sess_overall_percent_pa_10_exact"
    return table.assign(Age="16-17", **{name: "z"})
