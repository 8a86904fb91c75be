"""Jobs: what each needs of skills, which family of jobs it belongs to, and how one gets into it.

Profiles of jobs and lists of their skills have no common code: the skills have an occupation's code, the code has a
title, and the profile has a title that is mostly the same.
"""

import re
from collections.abc import Collection, Mapping

import pandas as pd

from councilbook.careers.options.items import read_json, take_items
from councilbook.catalogue import FoundFile
from councilbook.errors import CheckError, SourceError
from councilbook.paths import read_beside

DECLARED_NAMES: dict[str, str] = read_beside(__file__, "occupation_names.yaml")  # of a profile: the occupation's
SKILLS = 20  # of each occupation
EXACT, BARE, DECLARED, UNLINKED = (
    "by its exact name",
    "by its name without case and punctuation",
    "by a declared name",
    "not linked",
)
PROFILE_PAGE = "https://nationalcareers.service.gov.uk/job-profiles/"
LEVELS = r"(?i)\blevel\s+([1-8])\b"
GRADES = r"(?i)\b(intermediate|advanced|higher|degree)\b[^.<]{0,40}\bapprentice"
NO_ENTRY, OWN_ENTRY, USUAL_ENTRY = "no set entry requirements", "set by each provider", "usually needs qualifications"


def split_skills(rows: pd.DataFrame) -> pd.DataFrame:
    """Split the titles of the matrix of occupations and skills, as "5312A-Coordination".

    Args:
        rows: title, rating (of O*NET, larger where a skill matters more).

    Returns:
        soc_code, skill, rating; a row an occupation and skill.

    Raises:
        CheckError: a title has no code, a skill comes twice, or an occupation has other than SKILLS skills.
    """
    parts = rows["title"].str.extract(r"^(\d{4}[A-Z]*)-(.+)$")
    if parts[0].isna().any():
        row = parts.index[parts[0].isna()][0]
        raise CheckError(f"Skills of occupations, line {row + 1}: expected a code and a skill, as 5312A-Coordination.")
    skills = pd.DataFrame({"soc_code": parts[0], "skill": parts[1].map(join_parts), "rating": rows["rating"]})
    if skills.duplicated(["soc_code", "skill"]).any():
        code = skills.loc[skills.duplicated(["soc_code", "skill"]), "soc_code"].iloc[0]
        raise CheckError(f"Skills of occupations: {code} has a skill twice.")
    counts = skills["soc_code"].value_counts()
    if (counts != SKILLS).any():
        code = counts.index[counts != SKILLS].min()
        raise CheckError(f"Skills of occupations: {code} has {counts[code]} skills; expected {SKILLS}.")
    return skills.sort_values(["soc_code", "rating", "skill"], ascending=[True, False, True]).reset_index(drop=True)


def join_parts(skill: str) -> str:
    """Write a skill that is put together of several with "and", in one order: the list has some in two orders."""
    return " and ".join(sorted(part.strip() for part in skill.split(",") if part.strip()))


def find_ties(skills: pd.DataFrame) -> pd.DataFrame:
    """Find the occupations that share all of their skills, to the point of the rating, with others.

    Args:
        skills: soc_code, skill, rating.

    Returns:
        By soc_code: tie_group (numbered from 1 in order of code; missing where an occupation is alone) and tied (how
        many occupations have these skills, itself among them).
    """
    ordered = skills.sort_values(["soc_code", "skill"])
    written = ordered["skill"] + "=" + ordered["rating"].astype("str")
    profiles = written.groupby(ordered["soc_code"]).agg("|".join)
    tied = profiles.groupby(profiles).transform("size")
    numbers = pd.Series(pd.factorize(profiles[tied > 1])[0] + 1, index=profiles.index[tied > 1], dtype="Int64")
    return pd.DataFrame({"tie_group": numbers.reindex(profiles.index), "tied": tied})


def link_profiles(profiles: pd.DataFrame, titles: pd.DataFrame, declared: Mapping[str, str]) -> pd.DataFrame:
    """Link job profiles to occupations by name.

    Args:
        profiles: with title.
        titles: soc_code, title of the occupations that have skills.
        declared: title of a profile to the occupation's.

    Returns:
        The profiles with soc_code (missing where there is none, or several of that name) and linked, how it was found.
    """
    known, bare = _index_names(titles["title"], titles), _index_names(titles["title"].map(strip_name), titles)
    ways = {
        EXACT: profiles["title"].map(known),
        BARE: profiles["title"].map(strip_name).map(bare),
        DECLARED: profiles["title"].map(declared).map(strip_name, na_action="ignore").map(bare),
    }
    code, way = pd.Series(pd.NA, index=profiles.index, dtype="str"), pd.Series(UNLINKED, index=profiles.index)
    for name, found in ways.items():
        way = way.mask(code.isna() & found.notna(), name)
        code = code.fillna(found.astype("str"))
    return profiles.assign(soc_code=code, linked=way)


def _index_names(names: "pd.Series[str]", titles: pd.DataFrame) -> "pd.Series[str]":
    """Return the code of each name that is one occupation's alone."""
    named = pd.Series(titles["soc_code"].to_numpy(), index=names.to_numpy())
    return named[~named.index.duplicated(keep=False)]


def strip_name(name: str) -> str:
    """Write a name without case, spaces and punctuation."""
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def split_categories(text: str, known: Collection[str]) -> list[str]:
    """Split families of jobs that are joined by commas; one family has a comma in its own name.

    Args:
        text: as the profile has it.
        known: the names of all families; what is none of them is split at its commas.
    """
    longest = sorted(map(re.escape, known), key=len, reverse=True)
    return [part.strip() for part in re.findall(rf"(?:^|,)\s*({'|'.join([*longest, '[^,]+'])})(?=\s*(?:,|$))", text)]


def describe_occupations(profiles: pd.DataFrame, ties: pd.DataFrame, known: Collection[str]) -> pd.DataFrame:
    """Describe each job as it is released: a row a profile, linked to skills or not.

    Args:
        profiles: with soc_code and linked (see `link_profiles`), title, slug, categories, overview, pay from and to in
            GBP a year, hours from and to, college_entry, college_text, apprenticeship_entry, apprenticeship_text.
        ties: see `find_ties`.
        known: the names of all families of jobs.
    """
    college = profiles["college_text"].fillna("") + profiles["college_entry"].fillna("")
    trained = profiles["apprenticeship_text"].fillna("") + profiles["apprenticeship_entry"].fillna("")
    frame = pd.DataFrame(
        {
            "occupation_id": profiles["slug"],
            "title": profiles["title"],
            "categories": profiles["categories"].fillna("").map(lambda text: "; ".join(split_categories(text, known))),
            "overview": profiles["overview"],
            **{name: profiles[name].where(profiles[name] > 0) for name in ("pay_from_gbp", "pay_to_gbp")},
            **{name: profiles[name].where(profiles[name] > 0) for name in ("hours_from", "hours_to")},
            "has_college_route": college.ne(""),
            "has_apprenticeship_route": trained.ne(""),
            "college_entry": profiles["college_entry"].map(shorten_entry, na_action="ignore"),
            "apprenticeship_entry": profiles["apprenticeship_entry"].map(shorten_entry, na_action="ignore"),
            "levels": [list_levels(*texts) for texts in zip(college, trained, strict=True)],
            "link": PROFILE_PAGE + profiles["slug"],
            "linked": profiles["linked"],
            "tie_group": profiles["soc_code"].map(ties["tie_group"]),
            "tied": profiles["soc_code"].map(ties["tied"]).astype("Int64"),
        }
    )
    return frame.sort_values("occupation_id").reset_index(drop=True)


def shorten_entry(text: str) -> str:
    """Say in a few words what a profile says of entry requirements; they mark a job, and hide none."""
    words = text.casefold()
    if "no set entry" in words:
        return NO_ENTRY
    return OWN_ENTRY if "vary" in words or "their own" in words else USUAL_ENTRY


def list_levels(college: str, apprenticeship: str) -> str:
    """List the levels of courses and the grades of apprenticeships that a profile names."""
    courses = [f"level {number}" for number in sorted(set(re.findall(LEVELS, college)))]
    named = {grade.casefold() for grade in re.findall(GRADES, apprenticeship)}
    order = ("intermediate", "advanced", "higher", "degree")
    return "; ".join([*courses, *(f"{grade} apprenticeship" for grade in order if grade in named)])


def release_skills(occupations: pd.DataFrame, profiles: pd.DataFrame, weighed: pd.DataFrame) -> pd.DataFrame:
    """Give each job its skills: occupation_id, skill, rating, weight.

    Args:
        occupations: occupation_id.
        profiles: slug and soc_code.
        weighed: soc_code, skill, rating, weight; see `scores.weigh_skills`.
    """
    named = profiles.loc[profiles["soc_code"].notna(), ["slug", "soc_code"]].rename(columns={"slug": "occupation_id"})
    named = named[named["occupation_id"].isin(occupations["occupation_id"])]
    joined = named.merge(weighed, on="soc_code", how="inner", validate="many_to_many")
    joined = joined.sort_values(["occupation_id", "weight", "skill"], ascending=[True, False, True])
    return joined[["occupation_id", "skill", "rating", "weight"]].reset_index(drop=True)


def read_categories(found: FoundFile) -> pd.DataFrame:
    """Read the families of jobs, and which traits each goes with.

    Returns:
        category, trait, weight (1 by the number of traits of the family).

    Raises:
        SourceError: the file is no list of families in the publisher's layout.
    """
    rows = []
    for number, item in enumerate(take_items(read_json(found), found), 1):
        traits = item.get("traitCodes")
        if not (item.get("jobFamilyName") and isinstance(traits, list) and traits):
            raise SourceError(
                f"Source {found.source.id}, file {found.path.name}: item {number} needs jobFamilyName and traitCodes."
            )
        rows += [(str(item["jobFamilyName"]), str(trait).capitalize(), 1 / len(traits)) for trait in traits]
    return pd.DataFrame(rows, columns=["category", "trait", "weight"])
