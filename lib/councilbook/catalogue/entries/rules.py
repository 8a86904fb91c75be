"""Disclosure rules: what is declared of how a dataset may leave.

What a rule does not say itself comes from data/catalogue/disclosure.yaml, where each default has its reason. What each
rule does is in `councilbook.gate.disclosure`.
"""

from typing import Annotated, ClassVar, Literal, Self, get_args

from pydantic import Field, model_validator

from councilbook.catalogue.entries.base import Entry, FunctionName, Name, require_declared

Choice = Literal["show", "suppress"]
Period = Literal["month", "quarter", "year", "decade"]
PERIODS = get_args(Period)


class About(Entry):
    """Which records a dataset is about, and how: by this the gate holds it against all others about them."""

    records: Name = Field(description="A name for the records; datasets with the same one are about the same records.")
    tells: FunctionName | None = Field(
        default=None,
        description="Of a register, module:function that reads off it what everybody knows of each of these records.",
    )
    counts: dict[str, dict[str, str]] = Field(
        default={}, description="Count to what it counts: the records with these values of these attributes."
    )
    named_by: dict[str, str] = Field(
        default={}, description="Field of the key to the field that names the attribute whose value it has."
    )
    apart: list[str] = Field(
        default=[], description="Fields of the key that say what was counted, and not among which records."
    )
    only: dict[str, str] = Field(default={}, description="Field to its value in the rows that are about these records.")
    implied: list[str] = Field(default=[], description="Fields of the key that follow from its others.")


class OpenSourcesOnly(Entry):
    """Passes a table as it is, if nothing but open sources was loaded beside it."""

    rule: Literal["open_sources_only"]


class Held(Entry):
    """Keeps a table that is not open as it is, in the folder of what is not open, for those it names."""

    rule: Literal["held"]
    readers: str = Field(min_length=10, description="Who may have it, and under which agreement.")
    approver: str = Field(description="The role that approves a shared table before it is handed on.")


class Guarded(Entry):
    """What every rule has that lets out data made beside closed or shared sources."""

    of_each: ClassVar[bool] = False  # a row is one person or thing, so that every field could give somebody away
    approver: str = Field(description="The role that approves a release before it is published.")
    because: str = Field(default="", description="Why this dataset may be less strict than the defaults.")

    @property
    def inputs(self) -> list[str]:
        """Columns that the rule reads and that are not released."""
        return []

    @property
    def covered(self) -> set[str]:
        """Fields that the rule makes safe."""
        return set()

    @property
    def made(self) -> set[str]:
        """Fields that the gate fills itself."""
        return set()


class LinkedCount(Entry):
    """Another release of the same count, on other areas."""

    dataset: Name
    count: str = Field(description="The field of the count, here and there.")
    area: str = Field(description="Field of this dataset that names its areas.")
    other_area: str = Field(description="Field of the other dataset that names its areas.")


class CountRule(Guarded):
    """Tables of counts, and of shares between them."""

    rule: Literal["counts"]
    counts: list[str] = Field(min_length=1)
    public: list[str] = Field(
        default=[], description="Counts that a register shows row by row, so that to hide one would protect nothing."
    )
    rest: dict[str, str] = Field(
        default={},
        description="Count to a column with how many of these no register shows row by row: a reader takes off the "
        "others. The column is read, and not released.",
    )
    shares: dict[str, tuple[str, str]] = Field(
        default={}, description="Field to the counts that it is the share of, in percent; computed once they are safe."
    )
    part_of: dict[str, str] = Field(
        default={}, description="Count to the count that it is a part of: what is left over is a count as well."
    )
    adds_up: dict[str, list[str]] = Field(default={}, description="Count to the counts that it is the sum of.")
    totals: dict[str, str] = Field(
        default={}, description="Field of the key to its value that stands for all of its other values."
    )
    linked: list[LinkedCount] = Field(default=[])
    threshold: int = Field(ge=1, description="Counts from 1 to below this are suppressed.")
    round_to: int = Field(ge=1, description="Counts are rounded to its multiples.")
    zeros: Choice = Field(description="Whether a count of 0 is shown.")
    full: Choice = Field(description="Whether a part is shown that is the whole, as it gives everybody in it away.")
    published_totals: Literal["what is left", "rounded"] = Field(
        description="Totals are the sums of the counts that are shown, or the true ones, rounded."
    )
    solver_seconds: float = Field(gt=0, description="Time to look for the fewest secondary suppressions.")

    @property
    def parts(self) -> dict[str, str]:
        """Each count that is a part of another: those declared, and those that a share is taken of."""
        summed = {part for parts in self.adds_up.values() for part in parts}
        shared = {part: whole for part, whole in self.shares.values() if part not in summed}
        return {**shared, **self.part_of}

    @property
    def totals_of_what_is_left(self) -> dict[str, str]:
        """The totals, if they are the sums of the counts that are shown."""
        return self.totals if self.published_totals == "what is left" else {}

    @property
    def inputs(self) -> list[str]:
        """Columns that the rule reads and that are not released."""
        return list(self.rest.values())

    @property
    def covered(self) -> set[str]:
        """Fields that the rule makes safe."""
        return {*self.counts, *self.shares}

    @property
    def made(self) -> set[str]:
        """Fields that the gate fills itself, those of the key with totals among them."""
        return {"is_suppressed", *self.totals, *(["is_partial"] if self.totals_of_what_is_left else [])}

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.threshold % self.round_to:
            raise ValueError("the threshold must be a multiple of what counts are rounded to")
        named = [one for pair in self.shares.values() for one in pair]
        named += [*self.part_of, *self.part_of.values(), *self.adds_up]
        named += [part for parts in self.adds_up.values() for part in parts] + [*self.public, *self.rest]
        require_declared(named, self.counts, "counts that are not among its counts")
        return self


class MagnitudeRule(Guarded):
    """Tables of sums (rateable values, bills) to which each business or person contributes.

    The table brings along, for each cell, its largest contributions in columns that are not released.
    """

    rule: Literal["magnitudes"]
    value: str = Field(description="Field with the sums.")
    contributors: str = Field(description="Field with the number of contributors to each sum.")
    largest: list[str] = Field(min_length=2, description="Columns with the largest contributions, largest first.")
    rest: tuple[str, str] | None = Field(
        default=None,
        description="Columns with the sum and the number of contributions that no register shows one by one: a reader "
        "takes off the others. The largest contributions are of these.",
    )
    moves: list[str] = Field(
        default=[],
        description="Columns with how many of these changed since the last release, the largest changes, largest "
        "first, and all of them added up: a sum may change only if its change is safe as well.",
    )
    unsafe: Literal["suppress", "round"] = Field(
        default="suppress",
        description="What becomes of an unsafe sum; where sums add up, all can be rounded so coarsely that none tells.",
    )
    totals: dict[str, str] = Field(
        default={}, description="Field of the key to its value that stands for all of its other values."
    )
    threshold: int = Field(ge=1, description="A sum of fewer contributions is suppressed, and so is their number.")
    dominance_n: int = Field(ge=1, description="So many largest contributions ...")
    dominance_k_pct: float = Field(gt=0, le=100, description="... may not make up more than this share of the sum.")
    p_pct: float = Field(gt=0, le=100, description="The second largest may not estimate the largest closer than this.")
    round_to: int = Field(ge=1, description="Numbers of contributors are rounded to its multiples.")
    solver_seconds: float = Field(gt=0, description="Time to look for the fewest secondary suppressions.")

    @property
    def inputs(self) -> list[str]:
        """Columns that the rule reads and that are not released."""
        return [*self.largest, *(self.rest or ()), *self.moves]

    @property
    def covered(self) -> set[str]:
        """Fields that the rule makes safe."""
        return {self.value, self.contributors}

    @property
    def made(self) -> set[str]:
        """Fields that the gate fills itself, those of the key with totals among them."""
        return {"is_suppressed", *self.totals}

    @model_validator(mode="after")
    def _enough(self) -> Self:
        if self.threshold % self.round_to:
            raise ValueError("the threshold must be a multiple of what counts are rounded to")
        if self.moves and len(self.moves) < 2 + max(2, self.dominance_n):
            raise ValueError("moves needs how many changed, and as many of the largest changes as dominance looks at")
        if self.dominance_n > len(self.largest):
            raise ValueError(f"dominance of {self.dominance_n} needs as many columns of largest contributions")
        return self


class Hierarchy(Entry):
    """How a quasi-identifier is made coarser, level by level; above the last level it is suppressed."""

    prefix: list[int] = Field(default=[], description="Letters that each level keeps of a code, from many to few.")
    bands: list[float] = Field(default=[], description="Width of each level's bands of a number, from small to large.")
    dates: list[Period] = Field(default=[])
    parents: list[dict[str, str]] = Field(default=[], description="Each level's map from the values one level below.")

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if sum(map(bool, (self.prefix, self.bands, self.dates, self.parents))) > 1:
            raise ValueError("a hierarchy is of one kind: prefix, bands, dates or parents")
        dates = [PERIODS.index(period) for period in self.dates]
        if (
            self.prefix != sorted(self.prefix, reverse=True)
            or self.bands != sorted(self.bands)
            or dates != sorted(dates)
        ):
            raise ValueError("each level of a hierarchy must be coarser than the one below")
        return self


class RecordRule(Guarded):
    """Tables with a row a person, household or business."""

    of_each: ClassVar[bool] = True
    rule: Literal["records"]
    quasi_identifiers: dict[str, Hierarchy] = Field(
        min_length=1, description="Fields by which somebody could be recognised; the first are given up first."
    )
    sensitive: list[str] = Field(default=[], description="Fields that nobody should learn of a recognised person.")
    harmless: list[str] = Field(default=[], description="Fields that neither identify nor tell anything.")
    k: int = Field(ge=2, description="Fewest records that share their quasi-identifiers.")
    l: int = Field(ge=1, description="Fewest different sensitive values among those.")  # noqa: E741 (its name in the field)
    t: float = Field(gt=0, le=1, description="Furthest that their sensitive values may be from those of all records.")
    most_suppressed_pct: float = Field(ge=0, le=100, description="Most records that local suppression may touch.")
    most_unique_pct: float = Field(ge=0, le=100, description="Most records that are unique in the population.")
    population_size: int | None = Field(
        default=None, ge=1, description="People in the population that the records are drawn from; none: all are here."
    )

    @property
    def covered(self) -> set[str]:
        """Fields that the rule makes safe."""
        return {*self.quasi_identifiers, *self.sensitive, *self.harmless}


class RegisterRule(Guarded):
    """Registers of things that a law makes public, with a person or an organisation behind each of them.

    The table brings along who that is, in columns that are not released.
    """

    of_each: ClassVar[bool] = True
    rule: Literal["register"]
    law: str = Field(min_length=20, description="What lets anybody see the public fields, and what does not.")
    public: list[str] = Field(min_length=1, description="Fields of the thing itself.")
    name: str = Field(description="Field with the organisation's name.")
    telling: list[str] = Field(
        default=[], description="Other fields that could identify whoever stands behind the thing."
    )
    is_organisation: str = Field(description="Column that says whether that is known to be an organisation.")
    name_inside: str = Field(description="Column with the name as it is in the register.")
    redacted: str | None = Field(
        default=None, description="What stands where something is withheld, in tables whose blanks mean something."
    )

    @property
    def inputs(self) -> list[str]:
        """Columns that the rule reads and that are not released."""
        return [self.is_organisation, self.name_inside]

    @property
    def covered(self) -> set[str]:
        """Fields that the rule makes safe."""
        return {*self.public, self.name, *self.telling}

    @property
    def made(self) -> set[str]:
        """Fields that the gate fills itself."""
        return {"is_suppressed"}


class ModelRule(Guarded):
    """Coefficients and scores of a model: a row a coefficient."""

    rule: Literal["model"]
    observations: str = Field(description="Field with the number of records that the model was fitted to.")
    degrees_of_freedom: str = Field(description="Field with the residual degrees of freedom.")
    group_size: str = Field(description="Field with the size of the smallest group that a coefficient is about.")
    numbers: list[str] = Field(min_length=1, description="The other fields with numbers.")
    threshold: int = Field(ge=1, description="Fewest records in a group.")
    least_degrees_of_freedom: int = Field(ge=1)

    @property
    def covered(self) -> set[str]:
        """Fields that the rule makes safe."""
        return {self.observations, self.degrees_of_freedom, self.group_size, *self.numbers}


Rule = Annotated[
    OpenSourcesOnly | Held | CountRule | MagnitudeRule | RecordRule | RegisterRule | ModelRule,
    Field(discriminator="rule"),
]
