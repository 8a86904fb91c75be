"""Registers of all studies: models, assumptions, checks, methods, closed files, each read from where it is declared.

Assumptions and checks have the columns that the AQuA Book asks for (HM Treasury 2015). A model's record has the fields
of the Algorithmic Transparency Recording Standard (Government Digital Service). What only a council can say is left
empty, and said to be.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import Field, TypeAdapter, ValidationError

from councilbook.catalogue import Catalogue, Source
from councilbook.catalogue.entries import Entry, Name, read_yaml
from councilbook.errors import CatalogueError, describe_faults
from councilbook.methods.travel.journeys import Habits, list_assumptions
from councilbook.pages.docs.guides import Listed
from councilbook.pages.page import render_page, write_page
from councilbook.sources.layouts import choose_laid_out, describe_layout, name_example

MODELS = "models.yaml"
RECORD = Path(__file__).with_name("record.yaml")
COUNCIL = "for the council"  # what only it can say
NOT_DEPLOYED = "Not deployed: this is a workbook. A council that uses the model completes this record."
NAMES = r"[A-Z][\w'-]+(?:,? (?:and|&) [A-Za-z][\w'-]+|, [A-Z][\w'-]+)*"
CITATION = re.compile(rf"Sources?: .*\d|\bdoi:|({NAMES}) (?:[A-Z]{{1,2}} )?\(?(?:19|20)\d\d\b")
NO_AUTHOR = re.compile(
    r"(?:[LM]SOAs?|OSGB|WGS|Between|Census|Deprivation|In|By|Of|Since|March|April|November)\b"
)  # before a year


class Model(Entry):
    """A model that a study has, as nothing else declares it."""

    title: str
    notebook: str
    code: str = Field(pattern=r"^councilbook\.[\w.]+:\w+$", description="module:function that fits or runs it.")
    does: str
    helps: str = Field(description="Whose work it is for.")
    not_for: str
    instead_of: str = Field(description="What was done before, or could be done without it.")
    tried_by: list[Name] = Field(min_length=1, description="Datasets that say how good it is.")
    risks: dict[str, str] = Field(min_length=1, description="What can go wrong, and what is done about it.")


class Assumption(NamedTuple):
    """A value that no source gives for sure, or a setting that somebody chose."""

    study: str
    what: str
    value: str
    span: str
    basis: str
    told: str
    where: str


class Section(NamedTuple):
    """A part of a register's page: a heading, words, and a table if there is one."""

    heading: str
    text: str
    headers: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()


class Setting(NamedTuple):
    """A parameter of a notebook, as its parameters cell has it."""

    study: str
    notebook: str
    name: str
    default: object
    comment: str


def read_models(catalogue: Catalogue, study: str) -> dict[str, Model]:
    """Read the models of a study; none where it has no file of them.

    Raises:
        CatalogueError: the file is not as it must be, or names a notebook or a dataset that the study does not have.
    """
    file = catalogue.workbook.notebooks / study / MODELS
    if not file.is_file():
        return {}
    where = f"{study}/{MODELS}"
    try:
        models = TypeAdapter(dict[str, Model]).validate_python(read_yaml(file))
    except ValidationError as error:
        raise CatalogueError(f"{where} is not as it must be: {describe_faults(error)}.") from None
    notebooks = catalogue.study(study).notebooks
    released = {name for notebook in notebooks.values() for name in notebook.releases}
    for name, model in models.items():
        if unknown := [one for one in [model.notebook] if one not in notebooks] + sorted({*model.tried_by} - released):
            raise CatalogueError(f"{where}, {name}: {study} has no {unknown[0]}.")
    return models


def list_assumed(catalogue: Catalogue, settings: Iterable[Setting]) -> list[Assumption]:
    """List what is assumed in each study: parameters of notebooks and models, datasets, travel and the gate."""
    rows = [
        Assumption(
            "every study", f"{name}: {one.reason}", f"{one.value}", "", "rule", "", "data/catalogue/disclosure.yaml"
        )
        for name, one in catalogue.disclosure.items()
    ]
    rows += [
        Assumption(
            "every study that has journeys", row["what"], row["value"], "", "assumption", row["basis"], "methods/travel"
        )
        for row in list_assumptions(Habits(), has_streets=False).to_dict("records")
    ]
    for study, notebook, name, default, comment in settings:
        limits = catalogue.study(study).parameters.get(name)
        ends = (
            "" if limits is None else f"{limits.minimum:g} to {limits.maximum:g}" if limits.maximum is not None else ""
        )
        basis = "assumption" if "assumed" in comment else "setting"
        rows.append(Assumption(study, f"{name}: {comment}", f"{default}", ends, basis, "", f"notebook {notebook}"))
    for study, spec in catalogue.studies.items():
        beside = (catalogue.workbook.notebooks / study).glob("*.yaml")
        for file in sorted([*(catalogue.workbook.library / study).rglob("*.yaml"), *beside]):
            rows += _list_values(study, file)
        for dataset in (catalogue.dataset(name) for one in spec.notebooks.values() for name in one.releases):
            if dataset.assumes:
                told = f"dataset {dataset.id}"
                rows.append(Assumption(study, f"{dataset.assumes} ({dataset.title})", "", "", "assumption", "", told))
    return sorted(rows, key=lambda row: row.study)


def _list_values(study: str, file: Path) -> Iterator[Assumption]:
    """List the uncertain values of a model's YAML file, if it has any."""
    content = read_yaml(file)
    values = content.get("parameters", {}) if isinstance(content, dict) and "sources" in content else {}
    for name, one in values.items():
        cited = " ".join(str(content["sources"][key]) for key in one["sources"])
        span = f"{one['low']:g} to {one['high']:g} ({one['distribution']})"
        value = f"{one['default']:g} {one['unit']}"
        yield Assumption(study, f"{name}: {one['note']}", value, span, one["basis"], cited, f"{file.name}")


def list_checks(catalogue: Catalogue) -> list[tuple[str, str, str, str]]:
    """List what is checked: kind, study or room, what, and how to do it again."""
    root = catalogue.workbook.root
    rows = []
    for file in sorted([*root.glob("tests/**/test_*.py"), *root.glob("benchmarks/*.py")]):
        kinds = {"real": "validation on official files", "benchmarks": "comparison with a peer"}
        command = "python" if file.parent.name == "benchmarks" else "pytest"
        part, again = file.parent.name, f"{command} {file.relative_to(root).as_posix()}"
        rows.append((kinds.get(part, "verification"), part, _read_docstring(file).splitlines()[0], again))
    for study, spec in catalogue.studies.items():
        tried = {name for model in read_models(catalogue, study).values() for name in model.tried_by}
        for notebook, name in ((key, name) for key, one in spec.notebooks.items() for name in one.releases):
            dataset = catalogue.dataset(name)
            is_swung = "parameter" in dataset.fields
            if name in tried or is_swung:
                kind, again = "sensitivity" if is_swung else "validation", f"councilbook run {study} ({notebook})"
                rows.append((kind, study, f"{dataset.title} (dataset {name})", again))
    return rows


def list_methods(library: Path) -> list[tuple[str, str, str]]:
    """List the methods whose docstring says where they come from: place in the library, first line, references."""
    rows = []
    for file in sorted(library.rglob("*.py")):
        place = ".".join(file.relative_to(library).with_suffix("").parts)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                continue
            told = ast.get_docstring(node) or ""
            if references := [one for one in _split_sentences(told) if _has_citation(one)]:
                name = place if isinstance(node, ast.Module) else f"{place}.{node.name}"
                rows.append((name, told.splitlines()[0], " ".join(references)))
    return rows


def _split_sentences(text: str) -> Iterator[str]:
    """Split a docstring into sentences; what stands in brackets, and a list of sources, stays whole."""
    for block in re.split(r"\n\s*\n", text):
        words = re.sub(r"\([^()]*\)", lambda found: found[0].replace(". ", ".\0"), " ".join(block.split()))
        parts = [words] if words.startswith("Source") else re.split(r"(?<=[.]) (?=[A-Z])", words)
        yield from (part.replace("\0", " ") for part in parts)


def _has_citation(sentence: str) -> bool:
    return any(not NO_AUTHOR.match(found[1] or "") for found in CITATION.finditer(sentence))


def _read_docstring(file: Path) -> str:
    return ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or file.stem


def write_registers(catalogue: Catalogue, settings: Iterable[Setting], folder: Path) -> list[Listed]:
    """Write all registers as pages of the documentation.

    Args:
        catalogue: of the workbook.
        settings: the parameters of its notebooks.
        folder: where to write.

    Returns:
        The pages: assumptions.html, quality.html, methods.html, closed_files.html, and model_<study>_<model>.html of
        each model.
    """
    about = ["what is assumed", "value", "range", "basis", "source", "where it is set", "owner", "reviewed on"]
    pages: dict[str, tuple[str, str, list[Section]]] = {
        "assumptions": (
            "Assumptions",
            "A setting is a choice, and a rule is the gate's. The others say how good a value is. The council fills in "
            "the last two columns.",
            list(_group(about, [(*row, "", "") for row in list_assumed(catalogue, settings)])),
        ),
        "quality": (
            "Quality assurance log",
            "It says what is checked, and how to do it again. It has no results, as these would go stale. The council "
            "fills in the last column.",
            list(_group(["part", "what", "do it again", "signed off"], [(*row, "") for row in list_checks(catalogue)])),
        ),
        "methods": (
            "Methods and where they come from",
            "Each is read from the code that does it.",
            [Section("Methods", "", ["code", "what it does", "references"], list_methods(catalogue.workbook.library))],
        ),
        "closed_files": (
            "Closed and shared files",
            "A council's own headers and codes are fine: councilbook columns says what they are taken for.",
            list(_describe_files(catalogue)),
        ),
    }
    for study in catalogue.studies:
        for name, model in read_models(catalogue, study).items():
            title = f"Transparency record: {model.title}"
            pages[f"model_{study}_{name}"] = (title, NOT_DEPLOYED, list(_record(catalogue, study, model)))
    for name, (title, intro, sections) in pages.items():
        contents = [(f"part-{number}", section.heading) for number, section in enumerate(sections, start=1)]
        values = {"title": title, "about": intro, "sections": sections, "contents": contents}
        page = render_page("commons/registers.html.j2", "docs", root="../", attributions=[], **values)
        write_page(page, folder / f"{name}.html", f"docs/{name}.html")
    return [Listed(f"{name}.html", title, intro) for name, (title, intro, _) in pages.items()]


def _group(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[Section]:
    """Make a section of each group of rows, named by their first cell."""
    for name in dict.fromkeys(row[0] for row in rows):
        yield Section(name.replace("_", " ").capitalize(), "", headers, [row[1:] for row in rows if row[0] == name])


def _describe_files(catalogue: Catalogue) -> Iterator[Section]:
    """Describe each closed or shared source that a study reads, with its columns where they are declared."""
    headers = ["column", "what it is", "what may stand in it", "needed", "example (invented)"]
    for spec in catalogue.studies.values():
        read = catalogue.expand(name for one in spec.notebooks.values() for name in one.sources)
        guarded = [source for source in read if source.spectrum != "open"]
        laid_out = {source.id for source in choose_laid_out(guarded)}
        for source in guarded:
            told = f"{source.description} Held by: {source.steward} ({source.spectrum}). File: {source.file}."
            if source.id not in laid_out:
                yield Section(f"{spec.title}: {source.title}", f"{told} The study reads it as it is laid out.")
                continue
            told += f" Example: councilbook example {source.id} writes {name_example(source)}."
            for table in source.tables.values():
                columns = [
                    (one.header, one.description, one.values, "yes" if one.needed else "no", one.example)
                    for one in describe_layout(table)
                ]
                yield Section(f"{spec.title}: {source.title}", told, headers, columns)


def _record(catalogue: Catalogue, study: str, model: Model) -> Iterator[Section]:
    """Yield the parts of a model's record: the standard's fields, from what the study declares."""
    spec = catalogue.study(study)
    notebook, canvas = spec.notebooks[model.notebook], catalogue.canvases.get(study)
    told = {
        "model": model,
        "spec": spec,
        "tried": "; ".join(catalogue.dataset(name).title for name in model.tried_by),
        "owner": f"{canvas.owner}, as the ethics canvas proposes; for the council to confirm" if canvas else COUNCIL,
        "canvas": f"written {canvas.written}, review by {canvas.review_by}" if canvas else "none",
    }
    for heading, fields in read_yaml(RECORD).items():
        answers = [(field, text.format_map(told)) for field, text in fields.items()]
        yield Section(heading, "", ["field", "answer"], answers)
    yield Section("Risks and mitigations", "", ["risk", "what is done about it"], list(model.risks.items()))
    read: dict[str, Source] = {source.series or source.id: source for source in catalogue.expand(notebook.sources)}
    about = ["source", "held by", "spectrum", "about people", "newest edition"]
    used = [(s.title, s.steward, s.spectrum, "yes" if s.personal_data else "no", s.published) for s in read.values()]
    yield Section("Data that go in", "" if used else "Released datasets of this study alone.", about, used)
    made = [(one.title, one.description, one.classification) for one in map(catalogue.dataset, notebook.releases)]
    yield Section("Data that come out", "", ["dataset", "what it is", "class"], made)
