"""Studies: what a study.yaml declares of its notebooks, their parameters, its pages and what it compares."""

from typing import Literal, Self

from pydantic import Field, model_validator

from councilbook.catalogue.councils import NATIONS, Council, read_authorities
from councilbook.catalogue.entries.base import Entry, FunctionName, Name, Nation
from councilbook.errors import CatalogueError


class NotebookSpec(Entry):
    """What a notebook of a study may read and must release."""

    title: str
    kind: Literal["build", "report"]
    sources: list[str] = Field(default=[], description="Ids of sources or of series.")
    releases: list[str] = Field(default=[])
    does_without: list[str] = Field(
        default=[], description="Those of its sources that it asks for, and can do without."
    )
    optional: bool = Field(
        default=False,
        description="The report goes on without it where a closed file is missing, or holds too few records for it.",
    )
    checked_by: FunctionName | None = Field(
        default=None,
        description="module:function that is given a loader of its sources, and refuses what does not fit together.",
    )
    after: list[str] | None = Field(
        default=None, description="Notebooks whose releases it reads; the one before it if none are named."
    )
    beside: list[str] = Field(
        default=[],
        description="Open datasets of other studies that it reads, where those have been run; a run makes them first.",
    )

    @model_validator(mode="after")
    def _report_reads_releases(self) -> Self:
        if self.kind == "report" and (self.sources or self.releases):
            raise ValueError("a report reads released data alone: it names no sources and no releases")
        if others := set(self.does_without) - set(self.sources):
            raise ValueError(f"does_without names what is not among its sources: {', '.join(sorted(others))}")
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
    make: FunctionName = Field(description="module:function that is given a PageRequest and returns the page's HTML.")


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
    about: str = Field(default="", description="What its pages are about in place of a council, as `all studies`.")
    places: list[str] = Field(default=[], description="Sources that say which areas belong to a council.")
    nations: list[Nation] = Field(
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

    @property
    def is_last(self) -> bool:
        """Whether a run makes it after the other studies, as it reads what they release."""
        return any(notebook.beside for notebook in self.notebooks.values())

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
    def _in_order(self) -> Self:
        names = list(self.notebooks)
        for place, (name, notebook) in enumerate(self.notebooks.items()):
            if later := sorted(set(notebook.after or []) - set(names[:place])):
                raise ValueError(f"{name} comes after {', '.join(later)}, which is not before it in the list")
        kinds = [notebook.kind for notebook in self.notebooks.values()]
        if kinds.count("report") != 1 or kinds[-1] != "report":
            raise ValueError("a study has exactly one report notebook, and it comes last")
        return self
