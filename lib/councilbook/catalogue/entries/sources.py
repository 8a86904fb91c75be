"""Sources: what is declared of a file that comes in, and of how its tables lie in it."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from councilbook.catalogue.councils import Council
from councilbook.catalogue.entries.base import Entry, FunctionName, GssCode, Name, Nation, Spectrum, require_declared
from councilbook.catalogue.entries.conduct import Agreement
from councilbook.errors import CatalogueError, suggest

Origin = Literal["closed folder", "data/raw", "mirror", "download", "twin"]
Mode = Literal["sample", "real"]
COUNCIL = "The council"  # the publisher of a council's own file, open or not
Ending = Literal["csv", "csv.gz", "tsv", "tab", "tab.gz", "txt", "txt.gz", "xlsx", "xlsm", "xlsb", "xls", "ods", "sav",
                 "zip", "geojson", "json", "json.gz", "pcap", "pcap.gz", "pcapng",
                 "pcapng.gz"]  # fmt: skip


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
    age_limits: list[int] | None = Field(
        default=None,
        description="Of an age, those at which the study parts people: a band that lies across none of them is read as "
        "its middle. Without it, bands are refused.",
    )
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
    postcode: str | None = Field(
        default=None,
        description="Column with the postcode, which says what a row of a council's own file lacks of these columns.",
    )
    within: str | None = Field(
        default=None,
        description="Source that a row of a council's own file is a part of, by the key of that source: it says what "
        "the row lacks of these columns.",
    )
    education: str | None = Field(
        default=None,
        description="Column with the number that the Department for Education gives to who runs the schools, or with "
        "its GSS code, by which rows are then picked; in two tiers they are the county's.",
    )
    or_county: bool = Field(
        default=False,
        description="Of education: a table may be older than a council that a county was divided into. Then the rows "
        "of all of that county are picked, and the page says so. Not for figures, which would be of other ground.",
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
        named = (self.lsoa, self.output_area, self.postcode, self.district, self.district_name, self.education)
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
    looked_up: Areas | None = Field(
        default=None, description="Of a table that comes whole: by which column a study looks a council's rows up."
    )
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
        named = [name for one in (self.areas, self.looked_up) if one for name in one.columns]
        require_declared([*self.rows, *self.key, *named], self.fields)
        return self


class Twin(Entry):
    """How the synthetic stand-in of a source is made."""

    make: FunctionName = Field(description="module:function, looked up when it is needed.")
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
    owner: FunctionName | None = Field(
        default=None,
        description="module:function that refuses another council's file, or one that cannot be read, before a run.",
    )
    checked_by: FunctionName | None = Field(
        default=None,
        description="module:function that refuses rows which fit the declared fields, and which the study cannot read.",
    )
    refused_by: FunctionName | None = Field(
        default=None,
        description="module:function that refuses a council's own file by all of its columns, used or not.",
    )
    mirror: str | None = Field(
        default=None, description="Where it lies below a local mirror's folder; {council} as in `file`."
    )
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    published: str = Field(description="Date or edition as the publisher gives it.")
    format: Literal["xlsx", "csv", "geojson", "xml", "file", "none"] = Field(
        description="file: read by the study itself, not as a table that is declared here; none: only described."
    )
    reader: FunctionName | None = Field(
        default=None,
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
    nations: list[Nation] = Field(
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
        is_own = self.spectrum != "open" or self.publisher == COUNCIL
        return bool(self.reader) or (is_own and self.format in ("csv", "xlsx"))

    @property
    def mapping_name(self) -> str:
        """What the file is called in which a council says which column is which."""
        return self.columns_file or f"columns_{self.id}.yaml"

    def covers(self, council: Council) -> bool:
        """Whether it is for the nation of any of a council's areas."""
        return not self.nations or any(code[0] in self.nations for code in council.codes)

    def for_council(self, council: Council) -> "Source":
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
        name = name or next(iter(self.tables))
        if name not in self.tables:
            raise CatalogueError(f"Source {self.id} has no table {name!r}.{suggest(name, self.tables)}")
        return self.tables[name]
