"""What a catalogue entry is: the schema of data/catalogue and of a study.yaml."""

import re
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from councilbook.catalogue.councils import Authority, find_county, read_authorities
from councilbook.catalogue.entries import SNAKE_CASE, Entry, GssCode, Name
from councilbook.catalogue.rules import (
    About,
    Agreement,
    Canvas,
    CountRule,
    Guarded,
    Held,
    MagnitudeRule,
    RecordRule,
    RegisterRule,
    Rule,
)
from councilbook.errors import CatalogueError, suggest

Spectrum = Literal["closed", "shared", "open"]
Origin = Literal["closed folder", "data/raw", "mirror", "download", "twin"]
Mode = Literal["sample", "real"]
Ending = Literal[
    "csv",
    "csv.gz",
    "tab",
    "tab.gz",
    "txt",
    "txt.gz",
    "xlsx",
    "ods",
    "sav",
    "zip",
    "geojson",
    "json",
    "json.gz",
    "pcap",
    "pcap.gz",
]

NATIONS = {"E": "England", "W": "Wales", "S": "Scotland", "N": "Northern Ireland"}


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


class FieldSpec(Entry):
    """A column, as it comes in or goes out; names follow Frictionless Table Schema where it has one."""

    type: Literal["string", "integer", "number", "boolean", "date", "year"] = "string"
    description: str
    unit: str | None = None
    column: Annotated[list[str], BeforeValidator(_as_list, json_schema_input_type=str | list[str])] = Field(
        default=[], description="Headers that publishers have used for it; its own name if none is given."
    )
    missing: list[str] = Field(default=[], description="Marks that mean 'no value' here, beside a blank.")
    codes: dict[str, list[str]] = Field(
        default={},
        description="By value, what councils write for it in a closed file; what stands under two values is taken for "
        "the first of them, and the page says so.",
    )
    example: str = Field(default="", description="An invented value for the example file, where a type gives none.")
    scale: float = Field(default=1, description="What a value in the file is multiplied by.")
    required: bool = True
    pattern: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    enum: list[str] | None = None
    unique: bool = False
    may_be_absent: bool = Field(
        default=False, description="Some editions have no such column; its cells are then blank."
    )

    @model_validator(mode="after")
    def _codes_of_its_values(self) -> Self:
        if unknown := sorted(set(self.codes) - set(self.enum or [])):
            raise ValueError(f"codes are of values in enum, and {', '.join(unknown)} is none")
        return self


class Areas(Entry):
    """Which column of a table says where a row lies: the small area, or else the district or who runs its schools."""

    lsoa: str | None = Field(default=None, description="Column with the LSOA's code, by which rows are then picked.")
    vintage: Literal[0, 2001, 2011, 2021] = Field(
        default=0, description="Census whose LSOAs they are; 0: there are none."
    )
    district: str | None = Field(
        default=None,
        description="Column with the GSS code of district, unitary or borough. Where there are no LSOAs, rows are "
        "picked by it: those with any code that the council, or one that it took the place of, has had.",
    )
    district_name: str | None = None
    output_area: str | None = Field(
        default=None, description="Column with the output area of 2021, which says the LSOA of a row that has none."
    )
    education: str | None = Field(
        default=None,
        description="Column with the number that the Department for Education gives to who runs the schools, or with "
        "its GSS code, by which rows are then picked; in two tiers they are the county's.",
    )
    coverage: float = Field(default=0, ge=0, le=1, description="Least share of a council's LSOAs that must have a row.")

    @model_validator(mode="after")
    def _picks_one_way(self) -> Self:
        if self.education and (self.lsoa or self.district):
            raise ValueError("rows are picked by one of lsoa (district may then name places), district and education")
        if not (self.lsoa or self.district or self.education):
            raise ValueError("needs the column that rows are picked by: lsoa, district or education")
        if bool(self.lsoa) != bool(self.vintage) or (self.coverage and not self.lsoa):
            raise ValueError("lsoa and vintage go together, and coverage needs them")
        return self

    @property
    def columns(self) -> list[str]:
        """The columns that it names."""
        named = (self.lsoa, self.output_area, self.district, self.district_name, self.education)
        return [name for name in named if name]


class Table(Entry):
    """How one table lies in a source's file."""

    sheet: str | None = None
    record: str | None = Field(default=None, description="Element of an XML file that is a row.")
    header_row: int = Field(default=1, ge=1, description="Counted from 1, as a spreadsheet shows it.")
    member: str | None = Field(default=None, description="Name of the file inside a zip archive.")
    encoding: str = "utf-8-sig"
    delimiter: str = ","
    quotes: bool = Field(default=True, description="Whether quotation marks enclose cells; if not, they are text.")
    stream: bool = Field(
        default=False,
        description="A CSV of millions of rows, read piece by piece; a few rows not as declared are set aside.",
    )
    rows: dict[str, str] = Field(default={}, description="Field and pattern: other rows (footers) are no data.")
    geometry: bool = False
    large: bool = Field(
        default=False, description="A CSV of millions of rows, read as it comes; `member` is then a pattern."
    )
    areas: Areas | None = None
    key: list[str] = Field(default=[])
    fields: dict[Name, FieldSpec]

    @model_validator(mode="after")
    def _known_fields(self) -> Self:
        if self.stream and (self.rows or self.areas or self.geometry):
            raise ValueError("a table that is read piece by piece comes whole: it has no rows, areas or geometry")
        if not (self.quotes or self.stream):
            raise ValueError(
                "quotation marks are text (`quotes: false`) only where it is read piece by piece (`stream`)"
            )
        named = [*self.rows, *self.key, *(self.areas.columns if self.areas else [])]
        if unknown := sorted(set(named) - set(self.fields)):
            raise ValueError(f"names fields that it does not declare: {', '.join(unknown)}")
        return self


class Twin(Entry):
    """How the synthetic stand-in of a source is made."""

    make: str = Field(pattern=r"^[\w.]+:\w+$", description="module:function, looked up when it is needed.")
    basis: str = Field(description="What it is fitted to, with the publication, and what it is not.")
    fitted_to: list[str] = Field(
        default=[], description="Sources whose tables it is made to agree with, real ones in a real run."
    )
    on_request: bool = Field(
        default=False, description="A real run uses it only where that was asked for, also without a closed folder."
    )
    totals: dict[str, dict[int, dict[str, int]]] = Field(
        default={}, description="Published figures it must add up to: council or 'england', year, quantity."
    )


class CouncilFile(Entry):
    """What is different in one council's file of a source of which each council has its own."""

    title: str | None = None
    publisher: str | None = None
    licence: str | None = None
    landing_page: str | None = None
    url: str | None = None
    mirror: str | None = None
    sha256: str | None = None
    published: str | None = None
    known_faults: list[str] | None = None


class Source(Entry):
    """A file that comes in, and all that is known about it."""

    id: Name
    title: str
    description: str
    publisher: str
    steward: str = Field(description="Who looks after it, or who a council asks for it.")
    spectrum: Spectrum
    personal_data: bool
    licence: str | None = Field(default=None, description="Key of a licence in national.yaml.")
    agreement: Agreement | None = None
    landing_page: str
    url: str | None = Field(default=None, description="The official file; none where no stable one is known.")
    file: str = Field(
        default="",
        description="What the file is called in data/raw and the closed folder; {council} stands for GSS codes.",
    )
    formats: list[Ending] = Field(
        default=[], description="Endings that its file may have; that of `file` if none is given."
    )
    dated_by: str | None = Field(default=None, description="Pattern with one group: the date in the head of its file.")
    owner: str | None = Field(
        default=None,
        pattern=r"^[\w.]+:\w+$",
        description="module:function that refuses a file which is not the council's, before the first notebook.",
    )
    checked_by: str | None = Field(
        default=None,
        pattern=r"^[\w.]+:\w+$",
        description="module:function that refuses rows which fit the declared fields, and which the study cannot read.",
    )
    mirror: str | None = Field(
        default=None, description="Where it lies below a local mirror's folder; {council} as in `file`."
    )
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    published: str = Field(description="Date or edition as the publisher gives it.")
    format: Literal["xlsx", "csv", "geojson", "xml", "file", "none"] = Field(
        description="file: read by the study itself, not as a table that is declared here; none: only described."
    )
    reader: str | None = Field(
        default=None,
        pattern=r"^[\w.]+:\w+$",
        description="module:function that finds out which column is which, where each council has other headers.",
    )
    columns_file: str = Field(
        default="",
        description="File in the closed folder in which a council says which column is which; columns_<id>.yaml if "
        "none is named.",
    )
    tables: dict[Name, Table] = Field(default={})
    known_faults: list[str] = Field(default=[])
    twin: Twin | None = None
    councils: dict[GssCode, CouncilFile] = Field(
        default={},
        description="By council, what is different in its file where each has its own; of one file for all, which cut "
        "copy of it a mirror has.",
    )
    optional: bool = Field(default=False, description="A study goes on where a council's file of it is nowhere.")
    nations: list[Literal["E", "W", "S", "N"]] = Field(
        default=[], description="First letters of the GSS codes of councils that it is for; for all if none is given."
    )
    or_else: str | None = Field(
        default=None, description="Open source that a real run may read where this one is not in the closed folder."
    )
    belongs_with: str | None = Field(
        default=None,
        description="Name of the records that it is of: the files of the same records are all real, or all synthetic.",
    )
    series: str | None = None
    edition: int | None = None
    frequency: str | None = Field(default=None, description="How often the publisher brings it out, in words.")
    next_due: date | None = Field(
        default=None, description="Day by which the next edition is expected; none where nobody has said."
    )
    revised: str | None = Field(
        default=None, description="Of an edition: why its figures do not go on from those of the one before."
    )
    also_published: str | None = Field(
        default=None, description="Of an edition: what else was officially said of its year, and why both stand."
    )
    pseudonymised: bool = Field(
        default=False,
        description="Records of people by pseudonym: a file in which somebody can be read is refused.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.nations and not self.optional:
            raise ValueError("what is for some nations alone has to be optional")
        if self.spectrum == "open" and not self.licence:
            raise ValueError("an open source needs a licence")
        if self.spectrum != "open" and self.url:
            raise ValueError(f"a {self.spectrum} source must not name a URL to download from")
        if self.format != "none" and not (self.file and (self.tables or self.format == "file")):
            raise ValueError("needs a file name and a table, or format: none where it is only described")
        if self.format == "xml" and not all(table.record for table in self.tables.values()):
            raise ValueError("needs the element that is a row (`record`) in each table")
        if (self.reader or self.columns_file) and self.format != "file":
            raise ValueError("a reader is for what the study reads itself (format: file)")
        own = {key for one in self.councils.values() for key in one.model_dump(exclude_none=True)}
        if own - {"mirror", "known_faults"} and "{council}" not in self.file:  # a mirror may cut what is one file
            raise ValueError("each council has its own file, so its name must have {council} in it")
        if self.or_else and self.spectrum == "open":
            raise ValueError("or_else is for what may be missing from the closed folder")
        return self

    @property
    def shows_values(self) -> bool:
        """Whether a message may repeat what its cells hold: anyone may read it, and no person is behind it."""
        return self.spectrum == "open" and not self.personal_data

    @property
    def states_licence(self) -> bool:
        """Whether its publisher says what may be done with it."""
        return (self.licence or "").casefold().replace("-", "_") not in ("", "not_stated")

    @property
    def is_mapped(self) -> bool:
        """Whether a council may say in a file of its own which column, and which code, is which."""
        return bool(self.reader) or (self.spectrum != "open" and self.format in ("csv", "xlsx"))

    @property
    def mapping_name(self) -> str:
        """What the file is called in which a council says which column is which."""
        return self.columns_file or f"columns_{self.id}.yaml"

    def covers(self, council: "Council") -> bool:
        """Whether it is for the nation of any of a council's areas."""
        return not self.nations or any(code[0] in self.nations for code in council.codes)

    def for_council(self, council: "Council") -> "Source":
        """Return it as it is for one council, which may have a file of its own, or a copy of its own in a mirror."""
        own = self.councils.get(next(iter(council.codes))) if len(council.codes) == 1 else None
        changed = own.model_dump(exclude_none=True) if own else {}
        codes = "+".join(council.codes)
        named = {key: text.replace("{council}", codes) for key in ("file", "mirror") if (text := getattr(self, key))}
        return self.model_copy(update=named | changed)

    def table(self, name: str | None = None) -> Table:
        """Return one of its tables, by default the first."""
        if not self.tables:
            raise CatalogueError(f"Source {self.id} is described in the catalogue, but it has no table to read.")
        if name is None:
            return next(iter(self.tables.values()))
        if name not in self.tables:
            raise CatalogueError(f"Source {self.id} has no table {name!r}.{suggest(name, self.tables)}")
        return self.tables[name]


class Dataset(Entry):
    """A table that goes out."""

    id: Name
    title: str
    description: str
    classification: Spectrum
    licence: str
    disclosure: Rule | None = Field(default=None, description="None: refused beside closed sources.")
    about: About | None = Field(default=None, description="None: no other dataset is about the same records.")
    assumes: str = Field(
        default="",
        description="Which of its values no source gives, in words that go on from 'assumptions about'; empty where "
        "every value comes from the sources.",
    )
    geometry: bool = False
    key: list[str] = Field(min_length=1)
    standard: str = Field(default="", description="Address of a standard whose own headings the fields have.")
    fields: dict[str, FieldSpec]

    @model_validator(mode="after")
    def _known_fields(self) -> Self:
        if wrong := [] if self.standard else [name for name in self.fields if not re.fullmatch(SNAKE_CASE, name)]:
            raise ValueError(f"names of fields are in snake_case unless a standard has others: {', '.join(wrong)}")
        named = set(self.key)
        if isinstance(self.disclosure, Held) and self.is_open:
            raise ValueError("the rule held is for what is not open")
        if isinstance(self.disclosure, Guarded):
            named |= self.disclosure.covered
            if isinstance(self.disclosure, CountRule | MagnitudeRule):
                named |= {"is_suppressed", *self.disclosure.totals}
            if isinstance(self.disclosure, CountRule) and self.disclosure.totals_of_what_is_left:
                named.add("is_partial")
            if isinstance(self.disclosure, RegisterRule):
                named.add("is_suppressed")
            if unguarded := sorted(self._list_telling() - self.disclosure.covered - set(self.key)):
                raise ValueError(f"its disclosure rule says nothing of {', '.join(unguarded)}")
            if self.geometry and isinstance(self.disclosure, RecordRule):
                raise ValueError("no rule makes the place of a record safe: release records without geometry")
            if released := sorted(set(self.disclosure.inputs) & set(self.fields)):
                raise ValueError(f"its disclosure rule reads {', '.join(released)}, which must not be released")
        if unknown := sorted(named - set(self.fields)):
            raise ValueError(f"names fields that it does not declare: {', '.join(unknown)}")
        return self

    @property
    def is_open(self) -> bool:
        """Whether it may be published; any other stays with what is closed."""
        return self.classification == "open"

    def _list_telling(self) -> set[str]:
        """List the fields that could tell of somebody: numbers in a table, every field of a record or a register."""
        whole = isinstance(self.disclosure, RecordRule | RegisterRule)
        made = {"is_suppressed"} if isinstance(self.disclosure, RegisterRule) else set()
        return {
            name
            for name, field in self.fields.items()
            if (whole and name not in made) or field.type in ("integer", "number")
        }


class Licence(Entry):
    """A licence that a source or a dataset is under."""

    title: str
    url: str
    attribution: str
    settled_by: str = Field(
        default="",
        description="Role that has to settle with the publisher what may be published: what was made of a real file "
        "waits for it. None: there is nothing to settle.",
    )


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


class NotebookSpec(Entry):
    """What a notebook of a study may read and must release."""

    title: str
    kind: Literal["build", "report"]
    sources: list[str] = Field(default=[], description="Ids of sources or of series.")
    releases: list[str] = Field(default=[])
    optional: bool = Field(
        default=False,
        description="The report goes on without it where a closed file is missing, or holds too few records for it.",
    )
    after: list[str] | None = Field(
        default=None, description="Notebooks whose releases it reads; the one before it if none are named."
    )

    @model_validator(mode="after")
    def _report_reads_releases(self) -> Self:
        if self.kind == "report" and (self.sources or self.releases):
            raise ValueError("a report reads released data alone: it names no sources and no releases")
        return self


class ParameterSpec(Entry):
    """Limits of a notebook parameter, beside its type and comment in the notebook itself."""

    minimum: float | None = None
    maximum: float | None = None
    choices: list[str] | None = None


class PageSpec(Entry):
    """A page beside the report that is made from what was released, where a reader can try and choose."""

    title: str
    description: str = Field(description="What it is for, in a sentence, where the site links to it.")
    make: str = Field(
        pattern=r"^[\w.]+:\w+$", description="module:function that is given a PageRequest and returns the page's HTML."
    )


class ComparisonSpec(Entry):
    """A figure that councils are compared by: where it stands in a released dataset, and how sure it is."""

    dataset: Name = Field(description="An open dataset that the study releases.")
    label: str = Field(description="What is compared, in words that 'is 2 points above' can follow.")
    sure: str = Field(min_length=20, description="What its interval covers, and what it does not, in sentences.")
    value: Name = Field(description="Field of the figure; a count, where there is `of` and no interval.")
    low: Name | None = Field(default=None, description="Field of the lower end of its 95% interval.")
    high: Name | None = Field(default=None, description="Field of the upper end; without both, it is Wilson's.")
    of: Name | None = Field(default=None, description="Field that the value is divided by; rows are summed.")
    weight: Name | None = Field(default=None, description="Field that weighs rows, where nothing is divided.")
    per: float = Field(default=100, gt=0, description="What a share is of: of a hundred, unless it says otherwise.")
    unit: str = Field(default="%", description="Unit, as it follows the number; differences of % are points.")
    where: dict[Name, str | bool] = Field(default={}, description="Field to the value that it has in the rows.")
    newest: Name | None = Field(default=None, description="Field of the period; councils are compared of the same one.")

    @property
    def columns(self) -> list[str]:
        """Fields with the numbers that it needs."""
        return [name for name in (self.value, self.low, self.high, self.of or self.weight) if name]

    @property
    def difference_unit(self) -> str:
        """Unit of a difference, as it follows a number."""
        return " points" if self.unit == "%" else self.unit

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.of is None) == (self.weight is None):
            raise ValueError("needs either `of` or `weight`")
        if (self.low is None) != (self.high is None) or (self.weight and not self.low):
            raise ValueError("an interval needs `low` and `high`; without both, the value is a count, and needs `of`")
        return self


class StudySpec(Entry):
    """A study.yaml."""

    id: Name
    title: str
    question: str
    default_council: str
    places: list[str] = Field(default=[], description="Sources that say which areas belong to a council.")
    nations: list[Literal["E", "W", "S", "N"]] = Field(
        default=[], description="First letters of the GSS codes of councils that it is for; for all if none is given."
    )
    notebooks: dict[str, NotebookSpec]
    pages: dict[Name, PageSpec] = Field(
        default={}, description="Pages beside the report; the name is that of the file, without .html."
    )
    parameters: dict[Name, ParameterSpec] = Field(default={})
    compare: list[ComparisonSpec] = Field(default=[], description="Figures by which the site compares councils.")
    outlines: Name | None = Field(
        default=None, description="Released dataset whose areas make up a council's outline, for the maps of `compare`."
    )

    @property
    def report(self) -> str:
        """Name of the notebook that becomes the page."""
        return next(name for name, notebook in self.notebooks.items() if notebook.kind == "report")

    def refuse_other_nations(self, council: Council) -> None:
        """Refuse a council of a nation that the study has no figures of.

        Raises:
            CatalogueError: it is one.
        """
        known = read_authorities()
        others = {NATIONS[code[0]]: code for code in council.codes if self.nations and code[0] not in self.nations}
        for nation, code in others.items():
            named = known[code] if code in known else f"{council.codes[code] or council.name} ({code})"
            own = " and ".join(NATIONS[letter] for letter in self.nations)
            raise CatalogueError(
                f"{named} is in {nation}, and {self.title!r} is a study of {own}: its sources hold no figures of "
                f"{nation}. Give a council in {own}."
            )

    def list_before(self, notebook: str) -> list[str]:
        """Return the notebooks that must have run before another, in order: those it comes after, and theirs."""
        found = set(self.list_just_before(notebook))
        found |= {name for one in found for name in self.list_before(one)}
        return [name for name in self.notebooks if name in found]

    def list_just_before(self, notebook: str) -> list[str]:
        """Return the notebooks that another comes after by its own account; the report comes after all."""
        names = list(self.notebooks)
        place = names.index(notebook)
        if notebook == self.report:
            return names[:place]
        named = self.notebooks[notebook].after
        return names[max(place - 1, 0) : place] if named is None else named

    @model_validator(mode="after")
    def _come_after_earlier_ones(self) -> Self:
        names = list(self.notebooks)
        for place, (name, notebook) in enumerate(self.notebooks.items()):
            if later := sorted(set(notebook.after or []) - set(names[:place])):
                raise ValueError(f"{name} comes after {', '.join(later)}, which is not before it in the list")
        return self

    @model_validator(mode="after")
    def _report_comes_last(self) -> Self:
        kinds = [notebook.kind for notebook in self.notebooks.values()]
        if kinds.count("report") != 1 or kinds[-1] != "report":
            raise ValueError("a study has exactly one report notebook, and it comes last")
        return self


class Contents(Entry):
    """One YAML file of the catalogue, once editions have been written out."""

    licences: dict[str, Licence] = Field(default={})
    sources: list[Source] = Field(default=[])
    datasets: list[Dataset] = Field(default=[])
    groups: dict[str, list[str]] = Field(
        default={}, description="What people want, in plain words, to datasets; in none: for who checks the work."
    )
    synonyms: list[list[str]] = Field(default=[], description="Words that mean the same to who searches the site.")


def canvas_schema() -> dict[str, Any]:
    """Return the JSON Schema of a canvas.yaml, for the completion of an editor."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Canvas.model_json_schema()}


def study_schema() -> dict[str, Any]:
    """Return the JSON Schema of a study.yaml, for the completion of an editor; its folder gives the id."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **StudySpec.model_json_schema()}
    del schema["properties"]["id"]
    schema["required"].remove("id")
    return schema
