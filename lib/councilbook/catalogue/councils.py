"""Which councils there are: their names and codes, what they were before, and who runs the schools there.

The table beside it, councils.csv, is made from mySociety's by docs/make_councils.py; councils.md says what was changed
and under which licence it is.
"""

import csv
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files

from pydantic import Field

from councilbook.catalogue.entries.base import Entry, GssCode, Name
from councilbook.errors import CatalogueError, suggest

COUNTY = "County"
NATIONS = {"E": "England", "W": "Wales", "S": "Scotland", "N": "Northern Ireland"}
# ONS, Regions (December 2024) names and codes in England
REGIONS = {
    "E12000001": "North East",
    "E12000002": "North West",
    "E12000003": "Yorkshire and The Humber",
    "E12000004": "East Midlands",
    "E12000005": "West Midlands",
    "E12000006": "East of England",
    "E12000007": "London",
    "E12000008": "South East",
    "E12000009": "South West",
}
# Words that say what kind of council it is: people leave them out, or put them first or last.
KIND_WORDS = {
    *(
        "council",
        "borough",
        "boro",
        "city",
        "district",
        "county",
        "metropolitan",
        "royal",
        "unitary",
        "authority",
        "ua",
    ),
    *("the", "of", "and", "cyngor", "bwrdeistref", "sirol", "sir", "dinas"),
}


@dataclass(frozen=True)
class Authority:
    """A council of the table, which may be of the past.

    Attributes:
        slug: its name in the names of files.
        education_number: the three digits that the Department for Education gives to who runs its schools; or nothing.
        county: GSS code of the county where there are two tiers.
        end: ISO date, empty if it still is; `replaced_by` are then the GSS codes of those that took over.
        former_codes: GSS codes that it had before, or has had since.
    """

    gss_code: str
    official_name: str
    name: str
    other_names: tuple[str, ...]
    slug: str
    education_number: str
    type: str
    nation: str
    region: str
    county: str
    start: str
    end: str
    replaced_by: tuple[str, ...]
    former_codes: tuple[str, ...]

    def __str__(self) -> str:
        """Return its name and code."""
        return f"{self.name} ({self.gss_code})"

    @cached_property
    def written_names(self) -> frozenset[str]:
        """The official name, the short one and the slug, each word by word."""
        return frozenset(map(join_words, (self.official_name, self.name, self.slug)))

    @cached_property
    def short_name(self) -> str:
        """Its short name without the words for its kind."""
        return shorten_name(self.name)

    @cached_property
    def short_names(self) -> frozenset[str]:
        """All of its names without the words for its kind."""
        return frozenset({self.short_name, *map(shorten_name, (self.official_name, *self.other_names))})


@cache
def read_authorities() -> Mapping[str, Authority]:
    """Return the table by GSS code, those that still are before those that were."""
    text = files("councilbook.catalogue").joinpath("councils.csv").read_text(encoding="utf-8")
    rows = sorted(csv.DictReader(text.splitlines()), key=lambda row: bool(row["end"]))
    found: dict[str, Authority] = {}
    slugs: set[str] = set()
    for row in rows:
        other, replaced, former = (_split(row.pop(name)) for name in ("other_names", "replaced_by", "former_codes"))
        county, slug = row.pop("county_code"), join_words(row["name"]).replace(" ", "_")
        if slug in slugs:
            slug += f"_{row['gss_code'].lower()}"
        slugs.add(slug)
        found[row["gss_code"]] = Authority(
            **row, other_names=other, slug=slug, county=county, replaced_by=replaced, former_codes=former
        )
    return found


def find_authority(text: str) -> Authority | None:
    """Return the council that a name, a slug or a GSS code of any year names; None if none does.

    A name goes to a council that still is, if there is one. A code goes to the council that has it or had it; a
    council that was merged keeps its own.

    Raises:
        CatalogueError: several councils are called so; the message lists them.
    """
    known = read_authorities()
    code = text.strip().upper()
    if code in known:
        return known[code]
    if renamed := [one for one in known.values() if code in one.former_codes]:
        return renamed[0]
    written, short = join_words(text), shorten_name(text)
    current = [one for one in known.values() if not one.end]
    for some in (current, [one for one in known.values() if one.end]):
        if exact := [one for one in some if written in one.written_names]:
            return exact[0]
        alike = [one for one in some if short and (short in one.short_names or one.short_name.startswith(f"{short} "))]
        if named := [one for one in alike if short == one.short_name]:
            return named[0]
        if len(alike) > 1:
            listed = " or ".join(map(str, alike))
            raise CatalogueError(f"{text.strip()!r} can be {listed}: give the whole name, or a code.")
        if alike and short in alike[0].short_names:
            return alike[0]
    return None


def suggest_authorities(text: str, more: Iterable[str] = ()) -> str:
    """Say which councils may be meant by a name that none has; see `errors.suggest`."""
    known = {one.slug: one for one in read_authorities().values()}
    words = set(shorten_name(text).split())
    near = [one for slug, one in known.items() if words and words <= set(slug.split("_"))][:5]
    if near:
        return f" Did you mean {' or '.join(map(str, near))}?"
    return suggest(join_words(text).replace(" ", "_"), {*known, *more})


def list_areas(authority: Authority) -> dict[str, str]:
    """Return the codes and names that official tables count a council by: its own, or those of a county's districts."""
    if authority.type != COUNTY:
        return {authority.gss_code: authority.name}
    districts = [
        one for one in read_authorities().values() if one.county == authority.gss_code and one.end == authority.end
    ]
    return {one.gss_code: one.name for one in sorted(districts, key=lambda one: one.gss_code)}


def list_region(text: str) -> tuple[str, dict[str, str]]:
    """Return the name of a region of England and the codes and names of its districts, by its name or GSS code.

    Nothing is found where the text names no region.
    """
    regions = {join_words(name): name for name in REGIONS.values()}
    name = REGIONS.get(text.strip().upper()) or regions.get(join_words(text), "")
    found = [one for one in read_authorities().values() if one.region == name and not one.end and one.type != COUNTY]
    return name, {one.gss_code: one.name for one in sorted(found, key=lambda one: one.gss_code)} if name else {}


def find_county(codes: Iterable[str]) -> Authority | None:
    """Return the county that is made of districts with these codes, if one is."""
    wanted = set(codes)
    counties = [one for one in read_authorities().values() if one.type == COUNTY]
    return next((one for one in counties if set(list_areas(one)) == wanted), None)


def list_codes(code: str) -> set[str]:
    """Return the GSS codes under which the rows of a council stand, in tables of any year that count districts.

    They are its own, those that it had before, and those of all districts that it took the place of. A district whose
    ground went to several councils is in none of them.
    """
    return {code for one in _list_past(code) if one.type != COUNTY for code in (one.gss_code, *one.former_codes)} | {
        code
    }


def list_education_codes(code: str) -> set[str]:
    """Return the GSS codes and numbers, of any year, of who runs the schools of a council: in two tiers the county."""
    known = read_authorities()
    if code not in known:
        return {code}
    runs = [*_list_past(known[code].county or code), *(known[new] for new in _list_in_charge(code))]
    return {
        name
        for one in runs
        if not one.county
        for name in (one.gss_code, *one.former_codes, one.education_number)
        if name
    }


def list_divided_counties(code: str) -> list[Authority]:
    """Return the counties that ran the schools of a council until they were divided among it and others."""
    counties = [one for one in read_authorities().values() if one.type == COUNTY and code in one.replaced_by]
    return [one for one in counties if len(one.replaced_by) > 1]


def describe_end(code: str) -> str:
    """Say when a council ended and what replaced it; empty if it still is, or is not in the table."""
    known = read_authorities()
    one = known.get(code)
    if one is None or not one.end:
        return ""
    return f"{one} ended on {one.end}; {join_names(str(known[new]) for new in one.replaced_by)} replaced it."


def join_names(names: Iterable[str], word: str = "and") -> str:
    """Join names as a sentence does, each once."""
    *first, last = dict.fromkeys(names)
    return f"{', '.join(first)} {word} {last}" if first else last


def join_words(text: str) -> str:
    """Return the words of a name alone: no case, accents, apostrophes, hyphens, signs."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(one))
    return " ".join(re.findall(r"[a-z0-9]+", re.sub(r"['’‘`.]", "", plain)))


def shorten_name(text: str) -> str:
    """Return the words of a name that do not say what kind of council it is; of London's City, all."""
    words = re.sub(r"\blondon boro(ugh)?\b|\band\b", "", join_words(text)).split()
    short = " ".join(word for word in words if word not in KIND_WORDS)
    return "city of london" if short.startswith("london") and "city" in words else short


def _list_past(code: str) -> list[Authority]:
    """List a council and those, of all past years, whose ground is now wholly in it."""
    known = read_authorities()
    merged = [one.gss_code for one in known.values() if one.replaced_by == (code,)]
    own = [known[code]] if code in known else []
    return [*own, *(past for one in merged for past in _list_past(one))]


def _list_in_charge(code: str) -> set[str]:
    """List who ran the schools of a council, from its time on."""
    one = read_authorities()[code]
    return {one.county or code}.union(*map(_list_in_charge, one.replaced_by))


def _split(cell: str) -> tuple[str, ...]:
    return tuple(part for part in cell.split(";") if part)


class Council(Entry):
    """A council, or several that work together."""

    slug: Name
    name: str
    codes: dict[GssCode, str] = Field(min_length=1, description="GSS code to name; the name may be empty.")

    @property
    def nation(self) -> str:
        """The nation it lies in."""
        return " and ".join(dict.fromkeys(NATIONS[code[0]] for code in self.codes))

    @property
    def type(self) -> str:
        """What kind of council it is, as the table of councils says; empty where several are taken together."""
        known = read_authorities()
        one = known.get(next(iter(self.codes))) if len(self.codes) == 1 else find_county(self.codes)
        return one.type if one else ""

    @property
    def county(self) -> Authority | None:
        """The county that all of it lies in, or that it is; None where there is one tier, or several counties."""
        known = read_authorities()
        counties = {known[code].county if code in known else "" for code in self.codes}
        return known.get(min(counties)) if len(counties) == 1 else None
