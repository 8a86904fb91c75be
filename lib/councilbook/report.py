"""Reports: an executed notebook becomes one accessible HTML file, and all of them a site.

A report makes no network request: whatever it shows is inside it, its Content-Security-Policy forbids the browser to
load more, and a page that would is refused here.
"""

import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import nbformat
import pandas as pd
from bs4 import BeautifulSoup, Tag
from bs4.dammit import EntitySubstitution
from bs4.formatter import HTMLFormatter
from nbconvert import HTMLExporter

from councilbook import __version__
from councilbook.catalogue import Council, StudySpec
from councilbook.errors import NotebookError
from councilbook.html import Html, badge, describe_package, fill, format_bytes, join, render_template, table
from councilbook.paths import Workbook, replace_folder, write_atomically

Figures = Literal["real", "mixed", "synthetic"]

TEMPLATES = Path(__file__).parent / "templates"
SETTINGS_TAGS = ("parameters", "injected-parameters", "setup")
NO_ALTERNATIVE = "no description has been provided for this image"  # what nbconvert writes for a missing one
BESIDE_DATA = ("datapackage.json", "dcat.jsonld", "DICTIONARY.md", "CHANGELOG.md")
LOADING = ("src", "srcset", "poster", "background", "data", "xlink:href", "action", "formaction")
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


@dataclass(frozen=True)
class RenderedReport:
    """What the site's index says of a report."""

    title: str
    summary: str
    figures: Figures


class _ShortAttributes(HTMLFormatter):
    """Write attributes that hold double quotes in single ones: a map's page is full of them."""

    def __init__(self) -> None:
        super().__init__(entity_substitution=EntitySubstitution.substitute_xml, void_element_close_prefix="")

    def attribute_value(self, value: str) -> str:
        written = super().attribute_value(value)
        return written.replace("'", "&#39;") if '"' in written else written


def render_report(
    executed: Path,
    target: Path,
    *,
    study: StudySpec,
    council_name: str,
    data: str,
    run_date: str,
    synthetic_sources: Sequence[str] = (),
) -> RenderedReport:
    """Render an executed notebook as a page that stakeholders read.

    The page opens with the notebook's title, the text of the title's cell and, in a box, the outputs of the cell
    tagged `headline`. Then come its markdown and outputs in order. Code is folded away; cells tagged `parameters`,
    `injected-parameters` or `setup` come last.

    Args:
        executed: the notebook with its outputs.
        target: the HTML file to write.
        study: names the page's place in the site.
        council_name: whom the page is about.
        data: sample or real.
        run_date: ISO date of the run.
        synthetic_sources: titles of the sources that a twin stood in for, when data is real.

    Raises:
        NotebookError: a cell failed, there is no title or no headline, or the page would not be accessible and
            self-contained; the message lists the faults.
    """
    notebook = nbformat.read(executed, as_version=4)  # type: ignore[no-untyped-call]
    _refuse_errors(notebook, executed.stem)
    exporter = HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="report", extra_template_basedirs=[str(TEMPLATES)], exclude_anchor_links=True
    )
    soup = BeautifulSoup(exporter.from_notebook_node(notebook)[0], "html.parser")
    title = soup.h1
    if title is None:
        raise NotebookError(f"{executed.stem} has no title: begin its first cell with `# ` and what the page is about.")
    contents = _name_headings(soup)
    opening = title.parent if isinstance(title.parent, Tag) else soup
    title.extract()
    lead = _take([opening]) if opening.get("class") == ["prose"] else Html("")
    headline = _with_tags(soup, ["headline"])
    if not headline:
        raise NotebookError(f"{executed.stem} has no cell tagged `headline`, whose outputs are the key findings.")
    summary = _read_words(headline)
    summary_html, settings = _take(headline), _take(_with_tags(soup, SETTINGS_TAGS))
    figures: Figures = "synthetic" if data == "sample" else "mixed" if synthetic_sources else "real"
    page = render_template(
        "report.html.j2",
        title=title.get_text(),
        heading=_write(title),
        lead=lead,
        summary=summary_html,
        settings=settings,
        contents=contents,
        body=_write(soup),
        study=study,
        council_name=council_name,
        data=data,
        figures=figures,
        synthetic_sources=synthetic_sources,
        run_date=run_date,
        notebook=executed.stem,
        version=__version__,
    )
    check_page(page.text, executed.stem)
    with write_atomically(target) as temporary:
        temporary.write_text(page.text, encoding="utf-8", newline="\n")
    return RenderedReport(title.get_text(), summary, figures)


def publish_report(
    executed: Path,
    workbook: Workbook,
    spec: StudySpec,
    council: Council,
    data: str,
    run_date: str,
    processed: Path,
    target: Path,
) -> None:
    """Publish a study's report for a council, with the data that it offers beside it.

    Args:
        executed: the report notebook with its outputs.
        workbook: the page must not tell where on this machine it lies.
        spec: the study.
        council: whom the report is for.
        data: sample or real.
        run_date: ISO date of the run.
        processed: folder of the study's released datasets for this council.
        target: folder to write: index.html, report.json and data/<dataset>/.

    Raises:
        NotebookError: see `render_report`; the target is left as it was.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as temporary:
        new = Path(temporary) / target.name
        packages = {file.parent.name: _copy_dataset(file, new) for file in sorted(processed.glob("*/datapackage.json"))}
        sources = [row for package in packages.values() for row in package["councilbook"]["provenance"]]
        named = [package["councilbook"]["council"]["name"] for package in packages.values()]
        council_name = named[0] if named else council.name
        rendered = render_report(
            executed,
            new / "index.html",
            study=spec,
            council_name=council_name,
            data=data,
            run_date=run_date,
            synthetic_sources=sorted({row["title"] for row in sources if row["synthetic"]}),
        )
        _refuse_path(new / "index.html", workbook.root, executed.stem)
        record = {
            "study": spec.id,
            "study_title": spec.title,
            "question": spec.question,
            "council": {"slug": council.slug, "name": council_name},
            "data": data,
            "figures": rendered.figures,
            "run_date": run_date,
            "title": rendered.title,
            "summary": rendered.summary,
            "datasets": [describe_package(package) for package in packages.values()],
        }
        text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
        (new / "report.json").write_text(text, encoding="utf-8", newline="\n")
        replace_folder(new, target)


def build_index(reports: Path) -> None:
    """Write the site's first page, reports/index.html, from every report.json below it."""
    records = []
    for file in sorted(reports.glob("*/*/report.json")):
        folder = file.parent.relative_to(reports).as_posix()
        records.append(json.loads(file.read_text(encoding="utf-8")) | {"folder": folder})
    page = render_template("index.html.j2", reports=records, datasets=_list_datasets(records), version=__version__)
    check_page(page.text, "index.html")
    with write_atomically(reports / "index.html") as temporary:
        temporary.write_text(page.text, encoding="utf-8", newline="\n")


def check_page(page: str, name: str) -> None:
    """Check that a page is self-contained and has what a screen reader needs.

    Raises:
        NotebookError: it has not; the message lists every fault.
    """
    soup = BeautifulSoup(page, "html.parser")
    faults = [*_find_structure_faults(soup), *_find_loads(soup)]
    for frame in soup.find_all("iframe"):
        if not frame.get("title"):
            faults.append("a frame has no title")
        faults += _find_loads(BeautifulSoup(str(frame.get("srcdoc", "")), "html.parser"))
    if faults:
        raise NotebookError(f"{name} would not be a good page:\n" + "\n".join(f"  {fault}" for fault in faults))


def _find_structure_faults(soup: BeautifulSoup) -> Iterator[str]:
    for image in soup.find_all("img"):
        alternative = str(image.get("alt", "")).strip().casefold()
        if not alternative or alternative == NO_ALTERNATIVE:
            yield "a picture has no text alternative; draw it with councilbook.charts or councilbook.maps"
    level = 0
    for heading in soup.find_all(HEADINGS):
        here = int(heading.name[1])
        if here > level + 1:
            yield f"the heading {heading.get_text()!r} is an h{here}, but the one before it an h{level}"
        level = here
    if (titles := len(soup.find_all("h1"))) != 1:
        yield f"there are {titles} titles (h1), not one"
    for one in soup.find_all("table"):
        if one.caption is None or not one.caption.get_text(strip=True):
            begins = one.get_text(" ", strip=True)[:40]
            yield f"the table that begins {begins!r} has no caption; write it with councilbook.html.table"
    ids = [str(element["id"]) for element in soup.find_all(id=True)]
    for repeated in sorted({one for one in ids if ids.count(one) > 1}):
        yield f"the id {repeated!r} is there more than once"


def _find_loads(soup: BeautifulSoup) -> Iterator[str]:
    """Find whatever a browser would load: a page may hold data: addresses, and links that wait to be clicked."""
    for element in soup.find_all(True):
        for attribute in LOADING:
            for address in _split_addresses(attribute, element.get(attribute)):
                yield f"<{element.name} {attribute}> would load {address[:80]}"
        if element.name in ("link", "use", "image", "base") and element.get("href"):
            yield f"<{element.name} href> would load {element['href']}"
        if element.name == "meta" and str(element.get("http-equiv", "")).lower() == "refresh":
            yield "<meta http-equiv=refresh> would load another page"
        style = str(element.get("style", "")) + (element.get_text() if element.name == "style" else "")
        for address in re.findall(r"url\(\s*[\"']?(?!data:|#)([^)\"']*)|@import\s+([^;]+)", style):
            yield f"a style would load {''.join(address)[:80]}"


def _split_addresses(attribute: str, value: object) -> list[str]:
    texts = re.split(r",\s+", str(value or "")) if attribute == "srcset" else [str(value or "")]
    return [text for text in map(str.strip, texts) if text and not text.startswith(("data:", "#"))]


def _refuse_errors(notebook: nbformat.NotebookNode, name: str) -> None:
    for number, cell in enumerate(notebook.cells, start=1):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                raise NotebookError(f"{name}, cell {number} failed: {output.ename}: {output.evalue}")


def _refuse_path(page: Path, folder: Path, name: str) -> None:
    """Refuse a page that tells where on this machine the workbook lies, as code with a folder in it may."""
    written = {str(folder), folder.as_posix(), str(folder).replace("\\", "\\\\")}
    pattern = rf"(?<![\w.])({'|'.join(map(re.escape, sorted(written)))})\b"
    if re.search(pattern, page.read_text(encoding="utf-8")):
        raise NotebookError(f"{name} shows a path of this machine (below {folder}).")


def _with_tags(soup: BeautifulSoup, tags: Sequence[str]) -> list[Tag]:
    return soup.select(", ".join(f'[data-tags~="{tag}"]' for tag in tags))


def _read_words(cells: Sequence[Tag]) -> str:
    """Return the paragraphs and list items among cells' outputs as plain text."""
    texts = (part.get_text() for cell in cells for part in cell.select(".output p, .output li:not(:has(p))"))
    return " ".join(" ".join(texts).split())


def _take(cells: Sequence[Tag]) -> Html:
    """Take cells out of the page, and return what they hold."""
    return join((_write(cell.extract()) for cell in cells), "\n")


def _write(tag: Tag) -> Html:
    """Write the inside of a tag, or a cell whole."""
    whole = tag.has_attr("data-tags")
    del tag["data-tags"]
    return Html(
        tag.decode(formatter=_ShortAttributes()) if whole else tag.decode_contents(formatter=_ShortAttributes())
    )


def _name_headings(soup: BeautifulSoup) -> list[tuple[str, str]]:
    """Give every heading an id, and return those of the second level with their texts."""
    used = {"main", "key-findings", "on-this-page"}
    contents = []
    for heading in soup.find_all(HEADINGS):
        text = heading.get_text(" ", strip=True)
        base = re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-") or "section"
        name, number = base, 2
        while name in used:
            name, number = f"{base}-{number}", number + 1
        used.add(name)
        heading["id"] = name
        if heading.name == "h2":
            contents.append((name, text))
    return contents


def _copy_dataset(file: Path, target: Path) -> dict[str, Any]:
    """Copy what was published of a dataset, which leaves its audit record behind; return its data package."""
    package: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    folder = target / "data" / file.parent.name
    folder.mkdir(parents=True)
    for name in [*(resource["path"] for resource in package["resources"]), *BESIDE_DATA]:
        shutil.copyfile(file.parent / name, folder / name)
    return package


def _list_datasets(records: Sequence[dict[str, Any]]) -> Html:
    """Write the table of every dataset on the site."""
    rows = [
        {
            "Dataset": dataset["title"],
            "Place": record["council"]["name"],
            "Files": join((_link_file(record, dataset, file) for file in dataset["files"]), ", "),
            "Figures": badge("synthetic", "synthetic") if dataset["synthetic"] else badge("real", "real"),
            "Licence": dataset["licence"],
            "Version": dataset["version"],
        }
        for record in records
        for dataset in record["datasets"]
    ]
    return table(pd.DataFrame(rows), "Every dataset published here", label="All datasets") if rows else Html("")


def _link_file(record: Mapping[str, Any], dataset: Mapping[str, Any], file: Mapping[str, Any]) -> Html:
    return fill(
        '<a href="{}/data/{}/{}" download>{}<span class="visually-hidden"> of {}, {}</span></a> ({})',
        record["folder"],
        dataset["id"],
        file["path"],
        file["format"],
        dataset["title"],
        record["council"]["name"],
        format_bytes(file["bytes"]),
    )
