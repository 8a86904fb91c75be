"""Reports: an executed notebook becomes one accessible HTML file, with the data that it offers beside it."""

import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any

import nbformat
from bs4 import BeautifulSoup, Tag
from bs4.dammit import EntitySubstitution
from bs4.formatter import HTMLFormatter
from nbconvert import HTMLExporter

from councilbook.catalogue import Council, StudySpec
from councilbook.errors import NotebookError
from councilbook.pages.dataset_pages import write_dataset_page
from councilbook.pages.html.datasets import describe_package, downloads
from councilbook.pages.html.figures import number_figures
from councilbook.pages.html.pieces import Html, join
from councilbook.pages.page import (
    HEADINGS,
    name_headings,
    render_page,
    shorten_attributions,
    unpack_frame,
    write_page,
)
from councilbook.pages.reports.preview import draw_preview
from councilbook.pages.reports.report_code import check_report_code
from councilbook.pages.reports.report_kinds import find_kinds, leave_out_unreal, mark_kinds
from councilbook.pages.reports.report_layout import (
    fold_report,
    list_sections,
    pack_frames,
    place_title,
    shorten_alternatives,
    show_picture,
)
from councilbook.pages.reports.report_records import (
    ROOT,
    DatasetRecord,
    Figures,
    PageRecord,
    Place,
    ReportRecord,
    Section,
    SourceRecord,
)
from councilbook.pages.study_pages import PageRequest, Read, describe_figures, write_study_pages
from councilbook.pages.withheld import Released, read_released, show_withheld
from councilbook.paths import Workbook, place_outputs, replace_folder

TEMPLATES = Path(__file__).parents[1] / "templates"
INVENTED = '<p><span class="badge badge-synthetic">synthetic: measured in an invented place</span></p>'
INVENTED_TAG = "invented"  # of a cell whose figures come from a made-up place, whatever data the run has
PREVIEW = {"real": "Real figures", "mixed": "Partly synthetic figures", "synthetic": "Sample: synthetic figures"}
SETTINGS_TAGS = ("parameters", "injected-parameters", "setup")
BESIDE_DATA = ("datapackage.json", "dcat.jsonld")
ASKED = "how sure"  # how a heading of every report begins
ENDING = (  # the sections that every report ends with
    ("what-was-held-back-and-why", "What was held back, and why"),
    ("how-to-cite-this-page", "How to cite this page"),
)
DESCRIPTION_LETTERS = 160  # that a search engine or a chat shows of a page


@dataclass(frozen=True)
class RenderedReport:
    """What the rest of the site says of a report."""

    title: str
    summary: str
    figures: Figures
    sections: tuple[Section, ...]


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
    datasets: Sequence[Released] = (),
    place: str = "",
) -> RenderedReport:
    """Render an executed notebook as a page that stakeholders read.

    The page opens with the notebook's title, the text of the title's cell and, in a box, the outputs of the cell
    tagged `headline`. Above them stand what the cell tagged `figures` shows, and the picture of the cell tagged
    `picture`. Then come its markdown and outputs in order, what was held back of the datasets, and how to
    cite the page. Figures and tables are marked as real, synthetic or assumed, see `report_kinds`; in a real run, cells
    of the headline and of the figures that are not of real figures alone are left out. Outputs of cells tagged
    `invented` are marked as synthetic, in a real run too. Tables are folded away, and what is tagged `fold` or `more`
    (see `fold_report`); one switch shows the code; cells tagged `parameters`, `injected-parameters` or `setup` come
    last.

    Args:
        executed: the notebook with its outputs.
        target: the HTML file to write.
        study: names the page's place in the site.
        council_name: whom the page is about.
        data: sample or real.
        run_date: ISO date of the run.
        datasets: those released for it. What a list of downloads in the notebook says of one is written anew from
            these; as long as one waits for approval, the page is a draft.
        place: folder of the page below the site's, with a slash at its end; a shared link shows the picture there.

    Raises:
        NotebookError: a cell failed; there is no title, no headline, or no heading that begins with "How sure"; or
            the page would not be accessible and self-contained; the message lists the faults.
    """
    notebook = nbformat.read(executed, as_version=4)  # type: ignore[no-untyped-call]
    _refuse_errors(notebook, executed.stem)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    check_report_code(code, study.id, executed.stem)
    soup = _lay_out(notebook)
    shown = find_kinds(soup.select("div.step"), code, datasets)
    mark_kinds(shown, _with_tags(soup, [INVENTED_TAG]))
    _renew_downloads(soup, datasets)
    pack_frames(soup)
    contents = [*_name_parts(soup, executed.stem), *ENDING]
    title, lead = _take_opening(soup, executed.stem)
    headline, key_figures = (_with_tags(soup, [tag]) for tag in ("headline", "figures"))
    if not headline:
        raise NotebookError(f"{executed.stem} has no cell tagged `headline`, whose outputs are the key findings.")
    for cell in leave_out_unreal([*headline, *key_figures], shown) if data == "real" else []:
        headline = [one for one in headline if one is not cell]
        key_figures = [one for one in key_figures if one is not cell]
        cell.extract()
    summary = _read_words(headline)
    invented = _with_tags(soup, [INVENTED_TAG])
    for cell in invented:
        cell.insert(0, BeautifulSoup(INVENTED, "html.parser"))
    about = describe_figures(datasets, data)
    figures: Figures = "mixed" if invented and about["figures"] == "real" else about["figures"]
    settings = _with_tags(soup, SETTINGS_TAGS)
    withheld = BeautifulSoup(show_withheld(datasets).text, "html.parser")
    for cell in [*headline, *settings, *key_figures]:
        cell.extract()
    number_figures([*headline, soup, withheld, *settings], "" if figures == "real" else figures)
    shorten_alternatives(soup, summary)
    picture = Html(show_picture(soup))
    fold_report(soup)
    page = render_page(
        "report.html.j2",
        "reports",
        root=ROOT,
        site_folder=place,
        title=title if study.about else place_title(title, council_name),
        description=shorten(f"{study.question} {summary}", DESCRIPTION_LETTERS, placeholder=" …"),
        key_figures=_take(key_figures),
        picture=picture,
        lead=lead,
        summary=_take(headline),
        settings=_take(settings),
        contents=contents,
        ending=ENDING,
        body=_write(soup),
        withheld=_write(withheld),
        packages=[one.package for one in datasets],
        attributions=_list_attributions(datasets),
        study=study,
        council_name=council_name,
        data=data,
        invented=bool(invented),
        run_date=run_date,
        notebook=executed.stem,
        **about | {"figures": figures},
    )
    write_page(page, target, executed.stem)
    return RenderedReport(title, summary, figures, tuple(list_sections(page)))


def _lay_out(notebook: nbformat.NotebookNode) -> BeautifulSoup:
    """Lay a notebook's cells out as HTML, each with its tags, by the report's template."""
    exporter = HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="report", extra_template_basedirs=[str(TEMPLATES)], exclude_anchor_links=True
    )
    return BeautifulSoup(exporter.from_notebook_node(notebook)[0], "html.parser")


def _take_opening(soup: BeautifulSoup, name: str) -> tuple[str, Html]:
    """Take the title out of a page, and the text that stands beside it."""
    title = soup.h1
    if title is None:
        raise NotebookError(f"{name} has no title: begin its first cell with `# ` and what the page is about.")
    opening = title.parent if isinstance(title.parent, Tag) else soup
    title.extract()
    return title.get_text(), _take([opening]) if opening.get("class") == ["prose"] else Html("")


def publish_report(
    executed: Path,
    workbook: Workbook,
    spec: StudySpec,
    council: Council,
    data: str,
    run_date: str,
    processed: Path,
    target: Path,
    read: Read,
) -> None:
    """Publish a study's report for a council, with the data that it offers and the study's other pages beside it.

    A dataset that waits for approval is named on the page, which then is a draft, but its files are not copied. One
    that is not open is left out altogether.

    Args:
        executed: the report notebook with its outputs.
        workbook: the page must not tell where on this machine it lies.
        spec: the study.
        council: whom the report is for.
        data: sample or real.
        run_date: ISO date of the run.
        processed: folder of the study's released datasets for this council.
        target: folder to write: index.html, report.json, the study's other pages and data/<dataset>/, each with a page.
        read: reads a released dataset of the study by its id.

    Raises:
        NotebookError: see `render_report` and `write_study_pages`; the target is left as it was.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as temporary:
        new = Path(temporary) / target.name
        released = [read_released(file.parent) for file in sorted(processed.glob("*/datapackage.json"))]
        datasets = [one for one in released if one.package["councilbook"]["classification"] == "open"]
        for one in datasets:
            if one.waits_for is None:
                _copy_dataset(one, processed / one.package["name"], new)
        named = [one.package["councilbook"]["council"]["name"] for one in datasets]
        council_name = spec.about or (named[0] if named else council.name)
        place = f"{place_outputs(spec.id, council.slug, data).as_posix()}/"
        rendered = render_report(
            executed,
            new / "index.html",
            study=spec,
            council_name=council_name,
            data=data,
            run_date=run_date,
            datasets=datasets,
            place=place,
        )
        draw_preview(new, rendered.title, f"{council_name}. {PREVIEW[rendered.figures]}")
        ids = {str(one.package["name"]): one for one in datasets}
        write_study_pages(
            lambda page: PageRequest(spec, page, council_name, data, run_date, ids, read, place), spec, new
        )
        for file in new.glob("*.html"):
            _refuse_path(file, workbook.root, executed.stem)
        record = _record(rendered, spec, Place(slug=council.slug, name=council_name), data, run_date, datasets)
        (new / "report.json").write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8", newline="\n")
        replace_folder(new, target)


def _record(
    rendered: RenderedReport, spec: StudySpec, council: Place, data: str, run_date: str, datasets: Sequence[Released]
) -> ReportRecord:
    """Record what the rest of the site says of a report."""
    return ReportRecord(
        study=spec.id,
        study_title=spec.title,
        question=spec.question,
        council=council,
        data=data,
        figures=rendered.figures,
        run_date=run_date,
        title=rendered.title,
        summary=rendered.summary,
        sections=list(rendered.sections),
        attributions=_list_attributions(datasets),
        assumptions=describe_figures(datasets, data)["assumptions"],
        sources=_list_sources(datasets),
        datasets=[_describe_dataset(one.package) for one in datasets],
        pages=[
            PageRecord(file=f"{name}.html", title=one.title, description=one.description)
            for name, one in spec.pages.items()
        ],
    )


def _refuse_errors(notebook: nbformat.NotebookNode, name: str) -> None:
    for number, cell in enumerate(notebook.cells, start=1):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                raise NotebookError(f"{name}, cell {number} failed: {output.ename}: {output.evalue}")


def _refuse_path(page: Path, folder: Path, name: str) -> None:
    """Refuse a page that tells where on this machine the workbook lies, as code with a folder in it may."""
    written = {str(folder), folder.as_posix(), str(folder).replace("\\", "\\\\")}
    pattern = rf"(?<![\w.])({'|'.join(map(re.escape, sorted(written)))})\b"
    text = page.read_text(encoding="utf-8")
    frames = [unpack_frame(packed) for packed in re.findall(r'data-packed="([^"]+)"', text)]
    if any(re.search(pattern, one) for one in [text, *frames]):
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
    write = tag.decode if whole else tag.decode_contents
    return Html(write(formatter=_ShortAttributes()))


def _name_parts(soup: BeautifulSoup, name: str) -> list[tuple[str, str]]:
    """Give every heading an id, and return those of the second level with their texts.

    Raises:
        NotebookError: none of them asks how sure the findings are.
    """
    taken = {"main", "summary", "on-this-page", "site-search", "show-code", "find-place", *(id for id, _ in ENDING)}
    if not any(heading.get_text(strip=True).casefold().startswith(ASKED) for heading in soup.find_all(HEADINGS)):
        raise NotebookError(
            f"{name} has no section that says how far its findings can be trusted: write one under a heading that "
            "begins with 'How sure', as `## How sure are we`."
        )
    return name_headings(soup, taken)


def _renew_downloads(soup: BeautifulSoup, datasets: Sequence[Released]) -> None:
    """Write each dataset of a list of downloads anew: it may have been approved since the notebook was run."""
    fresh = BeautifulSoup(downloads([one.package for one in datasets]).text, "html.parser")
    now = {str(item["data-dataset"]): item for item in fresh.select("li[data-dataset]")}
    for item in soup.select("ul.downloads > li[data-dataset]"):
        if str(item["data-dataset"]) in now:
            item.replace_with(copy(now[str(item["data-dataset"])]))


def _list_attributions(datasets: Iterable[Released]) -> list[str]:
    return shorten_attributions(one.package["attribution"] for one in datasets)


def _list_sources(datasets: Iterable[Released]) -> list[SourceRecord]:
    """List the sources that datasets were made from, each once."""
    rows = {row["source_id"]: row for one in datasets for row in one.package["councilbook"]["provenance"]}
    return [
        SourceRecord(
            id=id,
            title=row["series_title"],
            publisher=row["publisher"],
            spectrum=row["spectrum"],
            licence=row["licence"],
            landing_page=row["landing_page"],
            synthetic=row["synthetic"],
        )
        for id, row in sorted(rows.items())
    ]


def _describe_dataset(package: Mapping[str, Any]) -> DatasetRecord:
    about = package["councilbook"]
    return DatasetRecord(
        **describe_package(package),
        licence_url=package["licenses"][0]["path"],
        classification=about["classification"],
        changes=about["changes"],
    )


def _copy_dataset(one: Released, source: Path, target: Path) -> None:
    """Copy what was published of a dataset, which leaves its audit record behind."""
    folder = target / "data" / source.name
    folder.mkdir(parents=True)
    for name in [*(resource["path"] for resource in one.package["resources"]), *BESIDE_DATA]:
        shutil.copyfile(source / name, folder / name)
    write_dataset_page(dict(one.package), folder)
