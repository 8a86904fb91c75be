"""What schools and colleges return on their careers guidance: from a spreadsheet, or out of a PDF, with its place."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime

import pandas as pd

from councilbook.careers.guidance.contacts import check_contacts
from councilbook.careers.guidance.layouts import Layout, load_layout, tell_layout
from councilbook.careers.guidance.pdf_blocks import read_blocks
from councilbook.careers.guidance.pdf_pages import Cell, open_pages
from councilbook.careers.guidance.pdf_tables import fold, read_table
from councilbook.careers.places.register import read_register
from councilbook.careers.places.sites import list_sites
from councilbook.catalogue import FoundFile, Table
from councilbook.errors import CheckError, NotThereError, SourceError, suggest
from councilbook.sources.checks import check_fields
from councilbook.sources.files.readers import convert_types
from councilbook.study import Study

BENCHMARKS = {
    "stable_programme": "1 A stable careers programme",
    "labour_market": "2 Learning from career and labour market information",
    "each_pupil": "3 Addressing the needs of each young person",
    "curriculum": "4 Linking curriculum learning to careers",
    "employers": "5 Encounters with employers and employees",
    "workplaces": "6 Experiences of workplaces",
    "higher_education": "7 Encounters with further and higher education",
    "personal_guidance": "8 Personal guidance",
}
OFFERS = {
    "offer_work_experience": "Work experience",
    "offer_employers": "Encounters with employers",
    "offer_workplace_visits": "Visits to workplaces",
    "offer_providers": "Encounters with colleges, universities and training providers",
    "offer_guidance": "Interview with an independent careers adviser",
    "offer_events": "Careers fair or careers week",
}
CONTACTS = ["contact_post", "contact_mailbox"]
REVISED = pd.Timestamp("2025-09-01")  # since when the benchmarks of 2025 are asked for
FULLY, PARTLY, NOT = "fully", "partly", "not"
SPREADSHEET = "guidance_returns"
REPORTS = ("guidance_pdf_ruled", "guidance_pdf_columns", "guidance_pdf_blocks")
NO = "no"  # what is not offered; "none" in a spreadsheet is no value
NO_YEARS = {"no", "none", "not", "not offered", "no years"}
STAGES = {"ks3": "7 to 9", "ks4": "10 and 11", "ks5": "12 and 13", "only": ""}

FACTS = ["urn", "institution_name", "benchmarks_version", "return_date", "field", "value", "read_from", "page", "box"]
TYPES = dict.fromkeys(FACTS, "str") | {"return_date": "datetime64[us]", "page": "Int64"}


def read_all(study: Study) -> list[pd.DataFrame]:
    """Read all returns that there are, the spreadsheet first; where there is none, its synthetic twin, if it may be.

    Returns:
        Facts, a table a file; see `read_returns`. None where nothing is there.

    Raises:
        SourceError, CheckError: see `read_returns` and `read_report`.
    """
    there = [name for name in (SPREADSHEET, *REPORTS) if study.has(name)]
    if not there:
        with suppress(NotThereError):  # a stand-in has to be asked for
            return [read_returns(study)]
    return [read_returns(study) if name == SPREADSHEET else read_report(study, name) for name in there]


def list_institutions(study: Study) -> pd.DataFrame:
    """List the schools and colleges that a return is expected of; see `list_sites`."""
    found = study.open_file("schools_register") if study.has("schools_register") else None
    register = read_register(found, study.finder.council)
    sites = list_sites(study.load("school_spine"), register, study.load("spine_points"))
    return sites[sites["kind"] != "Other"].reset_index(drop=True)


def read_returns(study: Study) -> pd.DataFrame:
    """Read the spreadsheet of returns.

    Returns:
        A row a fact (FACTS): urn, institution_name, benchmarks_version, return_date, field (of BENCHMARKS, with _pct
        behind it for the percentage, OFFERS or CONTACTS), value as text, read_from. Page and box are missing.

    Raises:
        SourceError, CheckError: it cannot be read, is not as declared, or a person is named in it.
    """
    frame = study.load(SPREADSHEET)
    years = {name: frame[name].map(read_years, na_action="ignore") for name in OFFERS}
    return list_facts(frame.assign(**years), SPREADSHEET)


def check_returns(frame: pd.DataFrame) -> None:
    """Check what is declared of no field of a return: that contacts are posts, and offers are school years.

    Args:
        frame: the returns; the index is the row in the file.

    Raises:
        CheckError: with the rows, and no value.
    """
    check_contacts(frame)
    for name in OFFERS:
        years = frame[name].map(read_years, na_action="ignore")
        if (strange := frame.index[frame[name].notna() & years.isna()]).size:
            raise CheckError(
                f"{name}, {len(strange)} rows not as expected, school years as 10 and 12, or no "
                f"(row {', '.join(map(str, strange[:3]))})."
            )


def read_report(study: Study, report: str) -> pd.DataFrame:
    """Read the returns out of a PDF, as its layout declares it; see `read_returns`.

    Returns:
        As `read_returns`, with the page of each fact, and its box on it ("x0 top x1 bottom", in points).
    """
    found = study.open_file(report)
    table = study.catalogue.source(SPREADSHEET).table()
    return read_pdf(found.path.read_bytes(), load_layout(found), table, found)


def read_pdf(content: bytes, layout: Layout, table: Table, found: FoundFile) -> pd.DataFrame:
    """Read a PDF of returns; see `read_report`.

    Args:
        content: the file's.
        layout: how it is laid out.
        table: the declared fields of a return.
        found: what it is of.

    Raises:
        SourceError: a page is a scan, or not as the layout says.
        CheckError: a field or value is none that is declared, or a person is named in it. It shows no value.
    """
    where = f"Source {found.source.id}, file {found.path.name}"
    if unknown := [name for name in layout.fields if name not in table.fields]:
        told = f"{where}: its layout has {', '.join(unknown)}, which is no field of a return."
        raise CheckError(f"{told}{suggest(unknown[0], table.fields)}")
    with open_pages(content, layout, where) as pages:
        read = read_blocks if layout.kind == "blocks" else read_table
        try:
            cells = read(pages, layout, where)
        except SourceError as error:
            raise SourceError(f"{error} {tell_layout(found)}") from None
    rows: dict[int, dict[str, str]] = {}
    for cell in cells:
        rows.setdefault(cell.row, {})[cell.field] = read_value(cell, layout, where)
    wide = pd.DataFrame.from_dict(rows, orient="index").assign(**layout.constants)
    wide = wide.assign(**{name: "" for name in table.fields if name not in wide}).fillna("")
    wide = wide[(wide[[*BENCHMARKS, *OFFERS]] != "").any(axis="columns")]  # who returned nothing has no row
    wide = convert_types(wide[list(table.fields)], table, found)
    check_fields(wide, table.fields, table.key, f"{where} (rows counted from 0)", show_values=False)
    try:
        check_contacts(wide)
    except CheckError as error:
        raise CheckError(f"{where}: {error}") from None
    places = {(cell.row, cell.field): cell for cell in cells}
    facts = list_facts(wide, found.source.id)
    spots = [places.get((row, name)) for row, name in zip(facts["row"], facts["field"], strict=True)]
    facts["page"] = pd.array([spot.page if spot else None for spot in spots], dtype="Int64")
    facts["box"] = [" ".join(f"{edge:g}" for edge in spot.box) if spot else None for spot in spots]
    return facts


def read_value(cell: Cell, layout: Layout, where: str) -> str:
    """Read what the text of a cell means: by the layout's values, or else as its field is written.

    Raises:
        CheckError: it means nothing that is declared; it names page and field.
    """
    name, text = cell.field, cell.text.strip()
    told = layout.values_of(name).get(" ".join(text.casefold().split()))
    if told is not None:
        return told
    expected = ""
    if name in BENCHMARKS and text not in (FULLY, PARTLY, NOT):
        expected = f"one of {', '.join(repr(one) for one in [*layout.values_of(name), FULLY, PARTLY, NOT])}"
    elif name.endswith("_pct"):
        match = re.fullmatch(r"\(?(\d{1,3})\s*%?\)?", text)
        if match:
            return match[1]
        expected = "a percentage, as 75%"
    elif name in OFFERS:
        years = read_years(text)
        if years is not None:
            return years
        expected = "school years, as 10 and 12, or no"
    elif name == "return_date":
        try:
            return datetime.strptime(text, layout.dates).date().isoformat()  # noqa: DTZ007 (a day has no zone)
        except ValueError:
            expected = f"a day written as {layout.dates}"
    if expected:
        raise CheckError(f"{where}, page {cell.page}, row {cell.row + 1}: {name} is not as expected, {expected}.")
    return text


def read_years(text: str) -> str | None:
    """Read school years out of words: "years 9 to 11" is "9, 10, 11", and "none" is "no"; None if it is neither."""
    if text.casefold().strip(" .") in NO_YEARS:
        return NO
    named = re.sub("|".join(STAGES), lambda match: f" {STAGES[match[0]]} ", text.casefold())
    plain = re.sub(r"\byears?\b|\b(?:years?|yrs?|y)(?=\s?\d)", " ", named)
    if not re.fullmatch(r"[\d\s,;&+/–-]*(?:(?:and|to)[\d\s,;&+/–-]*)*", plain):
        return None
    spans = re.findall(r"(\d+)(?:\s*(?:to|–|-)\s*(\d+))?", plain)
    years = [set(range(int(first), int(last or first) + 1)) for first, last in spans]
    if not all(years) or not (listed := set().union(*years)) <= set(range(7, 15)):  # a day is no span of years
        return None
    return ", ".join(map(str, sorted(listed))) or None


def list_facts(frame: pd.DataFrame, source: str) -> pd.DataFrame:
    """List the facts of returns, a row each; see `read_returns`."""
    keys = ["urn", "institution_name", "benchmarks_version", "return_date"]
    names = [*(name for one in BENCHMARKS for name in (one, f"{one}_pct")), *OFFERS, *CONTACTS]
    texts = frame[names].astype("object").map(lambda value: f"{value:g}" if isinstance(value, float) else str(value))
    texts = texts.where(frame[names].notna())
    long = frame[keys].join(texts).rename_axis("row").reset_index()
    facts = long.melt(["row", *keys], var_name="field").dropna(subset=["value"])
    facts["value"] = facts["value"].astype("str")
    return facts.assign(read_from=source, page=pd.array([None] * len(facts), dtype="Int64"), box=None)


# --- all of them together ---

KEY = ["urn", "benchmarks_version"]


def combine_facts(parts: Sequence[pd.DataFrame], sites: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Put what was read together: of what was returned more than once, the last counts.

    Args:
        parts: facts (FACTS), those first that go before others of the same day.
        sites: the institutions that there are: site_id, urn (of who runs it) and name.

    Returns:
        The facts, each once, with the institution's name as the list of institutions has it; and what was set aside: a
        row a reason, in words, with how many there are.

    Raises:
        CheckError: a file has none of the institutions.
    """
    facts = pd.concat([pd.DataFrame(columns=FACTS).astype(TYPES), *parts], ignore_index=True)
    names = dict(zip(sites["site_id"], sites["name"], strict=True))
    once = sites[~sites["urn"].duplicated(keep=False) & ~sites["urn"].isin(sites["site_id"])]
    of_group = dict(zip(once["urn"], once["site_id"], strict=True))  # a group with one site here is that site
    by_name = facts["institution_name"].map(_fold_name).map(_index_names(sites))
    facts["urn"] = facts["urn"].fillna(by_name).replace(of_group)
    for source in set(facts["read_from"]) - set(facts.loc[facts["urn"].isin(list(names)), "read_from"]):
        raise CheckError(
            f"Source {source}: none of its institutions is the council's. It may be another council's file."
        )
    strangers = facts[~facts["urn"].isin(list(names))].drop_duplicates(["urn", "institution_name"])
    facts = facts[facts["urn"].isin(list(names))].sort_values("return_date", ascending=False, kind="stable")
    facts["of"] = facts["field"].str.removesuffix("_pct")  # a word and its percentage are of one return
    firsts = facts.groupby([*KEY, "of"], sort=False)[["return_date", "read_from"]].transform("first")
    kept = facts[(facts[["return_date", "read_from"]] == firsts).all(axis="columns")]
    kept = kept.drop_duplicates([*KEY, "field"]).assign(institution_name=lambda frame: frame["urn"].map(names))
    day = [*KEY, "field", "return_date"]
    differ = facts.drop_duplicates([*day, "value"]).duplicated(day)
    early = kept[(kept["benchmarks_version"] == "2025") & (kept["return_date"] < REVISED)]
    aside = {
        "institutions that are not in the council's list of schools and colleges": len(strangers),
        "values that were returned more than once, of which the last counts": len(facts) - len(kept),
        "values that differ between two files of one day, of which the spreadsheet's counts": int(differ.sum()),
        "returns of the benchmarks of 2025 that are dated before they came in; they count": early["urn"].nunique(),
    }
    return kept.reset_index(drop=True), pd.DataFrame(list(aside.items()), columns=["what", "count"])


def _index_names(sites: pd.DataFrame) -> Mapping[str, str]:
    """Return the URN by folded name; a name that two bear is left out."""
    folded = sites["name"].map(_fold_name)
    once = ~folded.duplicated(keep=False)
    return dict(zip(folded[once], sites["site_id"][once], strict=True))


def _fold_name(name: object) -> str:
    return fold(re.sub(r"[^\w\s]", "", str(name)))


def list_benchmarks(facts: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """List which benchmarks an institution meets, by version of the benchmarks.

    Where the word and the percentage do not go together (fully is 100, not is 0), the percentage counts.

    Returns:
        A row an institution, version and benchmark, of all who returned any: urn, benchmarks_version, institution_name,
        benchmark, achieved (fully, partly or not; missing if it was not said), percentage (missing if it was not said),
        return_date, read_from, page, box; and in how many rows word and percentage did not go together.
    """
    told = facts.loc[facts["of"].isin(list(BENCHMARKS)), [*KEY, "institution_name", "return_date"]]
    asked = told.drop_duplicates(KEY).merge(pd.DataFrame({"of": list(BENCHMARKS)}), how="cross")
    is_pct = facts["field"].str.endswith("_pct")
    place = ["read_from", "page", "box"]
    words = facts[~is_pct].rename(columns={"value": "achieved"})[[*KEY, "of", "achieved", *place]]
    shares = facts[is_pct].rename(columns={"value": "percentage"})[[*KEY, "of", "percentage", *place]]
    rows = asked.merge(words, on=[*KEY, "of"], how="left")
    rows = rows.merge(shares, on=[*KEY, "of"], how="left", suffixes=("", "_2"))
    for name in place:
        rows[name] = rows[name].fillna(rows.pop(f"{name}_2"))
    rows["percentage"] = pd.to_numeric(rows["percentage"]).astype("Int64")
    by_share = rows["percentage"].map({0: NOT, 100: FULLY}).fillna(PARTLY).where(rows["percentage"].notna())
    differs = int((rows["achieved"] != by_share)[rows["achieved"].notna() & by_share.notna()].sum())
    rows["achieved"] = by_share.fillna(rows["achieved"])
    rows.insert(3, "benchmark", rows.pop("of").map(BENCHMARKS))
    return rows.sort_values([*KEY[::-1], "benchmark"], ignore_index=True), differs


def list_offers(facts: pd.DataFrame) -> pd.DataFrame:
    """List what each institution offers, and which post to ask.

    Returns:
        A row an institution, version of the benchmarks and offer that it says something of: urn, benchmarks_version,
        institution_name, offer, is_offered, year_groups (as "10, 12"; missing if none), return_date, read_from, page,
        box, contact_post and contact_mailbox (missing if none was named).
    """
    rows = facts[facts["field"].isin(list(OFFERS))]
    for name in CONTACTS:
        of = facts.loc[facts["field"] == name, [*KEY, "value"]].rename(columns={"value": name})
        rows = rows.merge(of, on=KEY, how="left")
    rows["is_offered"] = rows["value"] != NO
    rows["year_groups"] = rows["value"].where(rows["is_offered"])
    rows["offer"] = rows["field"].map(OFFERS)
    columns = [*KEY, "institution_name", "offer", "is_offered", "year_groups", "return_date"]
    columns += ["read_from", "page", "box", *CONTACTS]
    return rows.sort_values([*KEY[::-1], "offer"], ignore_index=True)[columns]
