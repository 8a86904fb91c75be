import json
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from PIL import Image

from councilbook import __version__
from councilbook.catalogue import Council
from councilbook.errors import NotebookError
from councilbook.pages import charts, html
from councilbook.pages.page import PAGE_BYTES, unpack_frame
from councilbook.pages.reports import report, report_layout
from councilbook.pages.withheld import Released
from councilbook.paths import Workbook
from small_site import COUNTS_AUDIT, DATE, ROLE, SPEC, WAITING, make_audit, make_package, write_dataset

NORTH = Council(slug="north", name="E06000001", codes={"E06000001": ""})
SETTINGS = {"study": SPEC, "council_name": "North", "data": "sample", "run_date": DATE}
TITLE = nbformat.v4.new_markdown_cell("# Warm homes in North\n\nWhich homes are cold? *Few* are.")
SURE = nbformat.v4.new_markdown_cell("## How sure are we\n\nFairly sure.")


def code(source: str, *outputs: nbformat.NotebookNode, tags: tuple[str, ...] = ()) -> nbformat.NotebookNode:
    return nbformat.v4.new_code_cell(source, outputs=list(outputs), metadata={"tags": list(tags)})


def shown(kind: str, text: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_output("display_data", {kind: text, "text/plain": "<object at 0x7f>"})


def stream(name: str, text: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_output("stream", name=name, text=text)


HEADLINE = code("show()", shown("text/markdown", "- **12 homes** are cold.\n- None is new."), tags=("headline",))


def write(folder: Path, *cells: nbformat.NotebookNode) -> Path:
    notebook = nbformat.v4.new_notebook(cells=list(cells))
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.write(notebook, folder / "3_report.ipynb")
    return folder / "3_report.ipynb"


def render(folder: Path, *cells: nbformat.NotebookNode, **options: object) -> BeautifulSoup:
    """Render a notebook that begins with a title and a headline, and read the page."""
    report.render_report(write(folder, TITLE, *cells, HEADLINE, SURE), folder / "page.html", **(SETTINGS | options))
    return BeautifulSoup((folder / "page.html").read_text(encoding="utf-8"), "html.parser")


def test_no_real_figures_stand_above_scores_of_an_invented_place(tmp_path: Path) -> None:
    scores = code("score()", shown("text/markdown", "Nine of ten are right."), tags=("invented",))
    real, mixed = (render(tmp_path, *cells, data="real") for cells in ([], [scores]))

    assert "Real figures." in real.select_one(".data-banner").get_text()
    banner = mixed.select_one(".data-banner").get_text()
    assert "Partly synthetic figures." in banner and "measured in an invented place" in banner
    assert "Made-up data stand in" not in banner
    story = mixed.select_one(".story").get_text()
    assert story.index("synthetic: measured in an invented place") < story.index("Nine of ten are right.")


def test_key_findings_come_first_and_once(tmp_path: Path) -> None:
    page = render(tmp_path, nbformat.v4.new_markdown_cell("## How it changed\n\nIt fell."))
    text = page.main.get_text()

    assert text.index("Warm homes in North") < text.index("12 homes") < text.index("How it changed")
    assert text.count("12 homes") == 1
    assert page.select_one("section.summary li strong").get_text() == "12 homes"
    assert page.select_one(".lead em").get_text() == "Few"


def test_what_the_index_says_is_returned(tmp_path: Path) -> None:
    executed = write(tmp_path, TITLE, HEADLINE, SURE)
    rendered = report.render_report(executed, tmp_path / "page.html", **(SETTINGS | {"data": "real"}))

    assert (rendered.title, rendered.figures) == ("Warm homes in North", "real")
    assert rendered.summary == "12 homes are cold. None is new."
    assert [(one.id, one.heading, one.text) for one in rendered.sections] == [
        ("", "Warm homes in North", "Which homes are cold? Few are. North. Run on 23 November 2026."),
        ("summary", "Summary in plain language", "12 homes are cold. None is new."),
        ("how-sure-are-we", "How sure are we", "Fairly sure."),
        ("what-was-held-back-and-why", "What was held back, and why", "No dataset was released with this page."),
        (
            "how-to-cite-this-page",
            "How to cite this page",
            "North: Warm homes in North. Report of 23 November 2026, real figures. "
            f"Made with councilbook {__version__}.",
        ),
    ]


def test_headings_have_ids_of_their_own_and_sections_a_place_in_the_contents(tmp_path: Path) -> None:
    markdown = "## Limits\n\n### By age & size\n\n## Limits\n\n## ¿?"
    page = render(tmp_path, nbformat.v4.new_markdown_cell(markdown))
    links = page.select("nav.contents a")

    assert [(link["href"], link.get_text()) for link in links] == [
        ("#limits", "Limits"),
        ("#limits-2", "Limits"),
        ("#section", "¿?"),
        ("#how-sure-are-we", "How sure are we"),
        ("#what-was-held-back-and-why", "What was held back, and why"),
        ("#how-to-cite-this-page", "How to cite this page"),
    ]
    assert page.find(id="by-age-size").name == "h3"
    assert "¶" not in page.get_text()


def test_a_section_in_the_title_cell_is_in_the_contents_too(tmp_path: Path) -> None:
    opening = nbformat.v4.new_markdown_cell("# Title\n\nLead.\n\n## First part")
    report.render_report(write(tmp_path, opening, HEADLINE, SURE), tmp_path / "page.html", **SETTINGS)
    page = BeautifulSoup((tmp_path / "page.html").read_text(encoding="utf-8"), "html.parser")

    assert page.select_one("nav.contents a")["href"] == "#first-part"
    assert page.find(id="first-part").get_text() == "First part"


def test_code_is_folded_and_settings_come_last(tmp_path: Path) -> None:
    cells = [code("seed = 1  # of all", tags=("parameters",)), code("seed = 2", tags=("injected-parameters",))]
    page = render(tmp_path, *cells, code("import pandas", tags=("setup",)), code("x = '<b>'", stream("stdout", "one")))
    folded = [fold.pre.get_text().strip() for fold in page.select(".code")]

    assert folded == ["show()", "x = '<b>'", "seed = 1  # of all", "seed = 2", "import pandas"]
    assert [fold.get_text().strip() for fold in page.select("details.run-code .code pre")] == folded[2:]
    assert page.select_one("div.step > pre").get_text() == "one"


def test_noise_is_not_shown(tmp_path: Path) -> None:
    page = render(tmp_path, code("f()", stream("stderr", "FutureWarning: old"), shown("text/plain", "Frame(3)")))

    assert "FutureWarning" not in page.get_text()
    assert "Frame(3)" not in page.get_text()
    assert "0x7f" not in page.get_text()


@pytest.mark.parametrize(
    ("data", "synthetic", "words"),
    [
        ("sample", ["Register of homes"], "The figures on this page were made up to show how it works."),
        ("sample", [], "to show how it works, but for those marked as real."),
        ("real", ["Register of homes"], "Made-up data stand in for Register of homes."),
        ("real", ["Register of homes", "Visits"], "Made-up data stand in for 2 files that are not there."),
        ("real", ["Register of homes", "Visits"], "What is made up Register of homes Visits"),
        ("real", [], "Every figure on this page comes from the official sources"),
    ],
)
def test_the_page_says_plainly_whether_its_figures_are_real(
    tmp_path: Path, data: str, synthetic: list[str], words: str
) -> None:
    rows = [{"title": title, "synthetic": True} for title in synthetic]
    package = make_package("homes", "Homes", provenance=[*rows, {"title": "A real one", "synthetic": False}])
    page = render(tmp_path, data=data, datasets=[Released(package, make_audit())])

    assert words in " ".join(page.header.get_text().split())


def test_the_page_has_the_landmarks_and_forbids_the_network(tmp_path: Path) -> None:
    page = render(tmp_path)

    assert page.html["lang"] == "en-GB"
    assert page.select_one("a.skip")["href"] == "#main"
    assert page.main["id"] == "main"
    assert page.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"].startswith(
        "default-src 'none'"
    )
    assert page.title.get_text() == "Warm homes in North (sample) – Councilbook"
    assert page.select_one("nav.breadcrumb a")["href"] == "../../../index.html"


def test_charts_tables_and_quotes_survive_unharmed(tmp_path: Path) -> None:
    frame = pd.DataFrame({"district": ["It's", 'A "quoted" one'], "rate": [1.5, 2.5]})
    picture = charts.draw_bars(
        frame, "district", "rate", title="Rates", alt='The "quoted" one isn\'t lower.', label="%"
    )
    outputs = [shown("text/html", picture._repr_html_()), shown("text/html", html.table(frame, "Rates").text)]
    page = render(tmp_path, code("draw()", *outputs))

    assert page.figure.img["alt"] == 'The "quoted" one isn\'t lower.'
    assert page.figure.img["src"] in picture._repr_html_()
    assert page.select("table")[-1].tbody.find_all("th")[1].get_text() == 'A "quoted" one'


@pytest.mark.parametrize(
    ("output", "fault"),
    [
        (shown("image/png", "aGVsbG8="), "a picture has no text alternative"),
        (shown("text/html", '<img src="data:image/png;base64,aGVsbG8=">'), "a picture has no text alternative"),
        (shown("text/html", '<img alt="No description has been provided for this image">'), "no text alternative"),
        (shown("text/html", pd.DataFrame({"n": [1]}).to_html()), "the table that begins 'n 0 1' has no caption"),
        (shown("text/markdown", "#### Deep"), "'Deep' is an h4, but the one before it an h2"),
        (shown("text/markdown", "# Second"), "there are 2 titles"),
        (shown("text/html", '<p id="main">Here</p>'), "the id 'main' is there more than once"),
        (
            shown("text/html", '<img alt="A map." src="https://tile.example/1.png">'),
            "<img src> would load https://tile",
        ),
        (shown("text/html", '<img alt="A map." src="pictures/1.png">'), "<img src> would load pictures/1.png"),
        (shown("text/html", '<script src="//cdn.example/x.js"></script>'), "<script src> would load"),
        (shown("text/html", '<link rel="stylesheet" href="https://cdn.example/x.css">'), "<link href> would load"),
        (shown("text/html", "<style>p { background: url('https://x.example/a') }</style>"), "a style would load https"),
        (shown("text/html", "<style>@import 'https://x.example/a.css';</style>"), "a style would load"),
        (shown("text/html", '<p style="background: url(a.png)">'), "a style would load a.png"),
        (shown("text/html", '<img alt="A." srcset="data:image/png;base64,aa 1x, b.png 2x">'), "would load b.png"),
        (shown("text/html", "<iframe srcdoc='<p>x</p>'></iframe>"), "a frame has no title"),
        (
            shown(
                "text/html", "<iframe title='Map' srcdoc='<script src=\"https://cdn.example/l.js\"></script>'></iframe>"
            ),
            "<script src> would load https://cdn.example/l.js",
        ),
        (shown("text/html", '<meta http-equiv="refresh" content="0; url=https://x.example">'), "another page"),
    ],
)
def test_a_page_that_would_not_be_good_is_refused_and_not_written(
    tmp_path: Path, output: nbformat.NotebookNode, fault: str
) -> None:
    with pytest.raises(NotebookError) as refusal:
        render(tmp_path, nbformat.v4.new_markdown_cell("## Part"), code("show()", output))

    assert fault in str(refusal.value)
    assert str(refusal.value).startswith("3_report would not be a good page:")
    assert not (tmp_path / "page.html").exists()


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    output = shown("text/html", '<img src="x.png"><table><tr><td>1</td></tr></table>')

    with pytest.raises(NotebookError) as refusal:
        render(tmp_path, code("show()", output))

    assert len(str(refusal.value).splitlines()) == 4


def test_links_to_other_sites_and_data_addresses_are_fine(tmp_path: Path) -> None:
    links = '[The source](https://www.gov.uk/a) and <a download="x.csv" href="data:text/csv,a">data</a>.'
    page = render(tmp_path, nbformat.v4.new_markdown_cell(links))

    assert page.find("a", href="https://www.gov.uk/a").get_text() == "The source"


def test_a_frame_is_packed_and_holds_what_it_held(tmp_path: Path) -> None:
    document = '<p title="it\'s">' + "A map & more. " * 100 + "</p>"
    frame = f"<iframe title='Map' srcdoc='{document.replace('&', '&amp;').replace(chr(39), '&#39;')}'></iframe>"
    page = render(tmp_path, code("show()", shown("text/html", frame)))

    assert not page.iframe.has_attr("srcdoc")
    assert unpack_frame(page.iframe["data-packed"]) == document
    assert len(page.iframe["data-packed"]) < len(document) / 5


def test_a_failed_cell_is_named(tmp_path: Path) -> None:
    failed = code(
        "1 / 0", nbformat.v4.new_output("error", ename="ZeroDivisionError", evalue="division by zero", traceback=[])
    )

    with pytest.raises(NotebookError, match="3_report, cell 2 failed: ZeroDivisionError: division by zero"):
        render(tmp_path, failed)


def test_a_report_without_a_title_or_a_headline_is_refused(tmp_path: Path) -> None:

    with pytest.raises(NotebookError, match="no title"):
        report.render_report(write(tmp_path, HEADLINE, SURE), tmp_path / "page.html", **SETTINGS)
    with pytest.raises(NotebookError, match="no cell tagged `headline`"):
        report.render_report(write(tmp_path, TITLE, SURE), tmp_path / "page.html", **SETTINGS)


def test_the_same_notebook_makes_the_same_bytes(tmp_path: Path) -> None:
    first, second = (render(tmp_path, code("x", shown("text/html", "<p b='1' a=\"2\">'\"</p>"))) for _ in range(2))

    assert str(first) == str(second)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A workbook with one released dataset and its published report; returns its reports folder."""
    write_dataset(tmp_path / "processed" / "warmth" / "north", make_package("cold_homes", "Cold homes"), make_audit())
    publish(tmp_path, TITLE, HEADLINE, SURE)
    return tmp_path / "reports"


def publish(root: Path, *cells: nbformat.NotebookNode) -> None:
    executed = write(root, *cells)
    processed, target = root / "processed" / "warmth" / "north", root / "reports" / "warmth" / "north"
    report.publish_report(executed, Workbook(root), SPEC, NORTH, "real", DATE, processed, target, None)


def test_a_published_report_carries_its_data_and_no_audit_record(site: Path) -> None:
    folder = site / "warmth" / "north"

    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) == [
        "data/cold_homes/cold_homes.csv",
        "data/cold_homes/cold_homes.zip",
        "data/cold_homes/datapackage.json",
        "data/cold_homes/dcat.jsonld",
        "data/cold_homes/index.html",
        "index.html",
        "preview.png",
        "report.json",
    ]
    assert (folder / "data/cold_homes/cold_homes.csv").read_text() == "home\n1\n"


def test_a_shared_link_shows_a_small_picture_with_the_title(site: Path) -> None:
    folder = site / "warmth" / "north"
    page = BeautifulSoup((folder / "index.html").read_text(encoding="utf-8"), "html.parser")
    picture = folder / str(page.select_one('meta[property="og:image"]')["content"])
    with Image.open(picture) as shown_picture:
        assert shown_picture.size == (1200, 630)
    assert picture.stat().st_size < 40_000


def test_a_shared_link_names_its_picture_in_full_where_the_address_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("data/catalogue", "notebooks"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "data/catalogue/publisher.yaml").write_text("address: https://council.example/")
    monkeypatch.setenv("COUNCILBOOK_ROOT", str(tmp_path))
    publish(tmp_path, TITLE, HEADLINE, SURE)
    page = BeautifulSoup((tmp_path / "reports/warmth/north/index.html").read_text(encoding="utf-8"), "html.parser")
    named = page.select_one('meta[property="og:image"]')["content"]
    assert named == "https://council.example/warmth/north/real/preview.png"


def test_a_page_on_all_studies_names_no_council_and_says_what_of_it_was_made_up(tmp_path: Path) -> None:
    study = SPEC.model_copy(update={"about": "all studies"})
    title = nbformat.v4.new_markdown_cell("# The commons: what do the studies share?\n\nMuch.")
    executed = write(tmp_path, title, HEADLINE, SURE)
    report.render_report(
        executed, tmp_path / "page.html", **(SETTINGS | {"study": study, "council_name": "all studies"})
    )
    page = BeautifulSoup((tmp_path / "page.html").read_text(encoding="utf-8"), "html.parser")
    assert page.h1.get_text() == "The commons: what do the studies share?"
    banner = page.select_one(".data-banner").get_text()
    assert banner.strip().startswith("Sample. Sources, agreements") and "were made up" in banner


def test_the_record_of_a_report_says_what_the_index_needs(site: Path) -> None:
    record = json.loads((site / "warmth" / "north" / "report.json").read_text(encoding="utf-8"))

    assert record["council"] == {"slug": "north", "name": "North"}
    assert record["figures"] == "real"
    assert record["summary"] == "12 homes are cold. None is new."
    assert record["datasets"][0]["files"] == [{"path": "cold_homes.csv", "format": "CSV", "bytes": 1234}]
    assert record["datasets"][0]["changes"][0]["text"] == "New: a column."
    assert record["sources"][0] | {"publisher": ""} == {
        "id": "homes_2021",
        "title": "Homes",
        "publisher": "",
        "spectrum": "open",
        "licence": "OGL-UK-3.0",
        "landing_page": "https://example.org/source",
        "synthetic": False,
    }
    assert record["attributions"] == ["Contains public data."]
    assert "how-sure-are-we" in [section["id"] for section in record["sections"]]


def test_a_report_that_is_refused_leaves_the_last_one(site: Path) -> None:
    before = (site / "warmth" / "north" / "index.html").read_text(encoding="utf-8")

    with pytest.raises(NotebookError):
        publish(site.parent, TITLE, HEADLINE, SURE, nbformat.v4.new_markdown_cell("#### Deep"))

    assert (site / "warmth" / "north" / "index.html").read_text(encoding="utf-8") == before
    assert [path.name for path in (site / "warmth").iterdir()] == ["north"]


def test_a_dataset_that_is_gone_goes_from_the_report_too(site: Path) -> None:
    (site.parent / "processed/warmth/north/cold_homes/datapackage.json").unlink()
    publish(site.parent, TITLE, HEADLINE, SURE)

    assert not (site / "warmth" / "north" / "data").exists()


def test_a_map_that_shows_a_path_of_this_machine_is_refused(site: Path) -> None:
    frame = f"<iframe title='Map' srcdoc='<p>{site.parent}/mirror</p>'></iframe>"

    with pytest.raises(NotebookError, match="shows a path of this machine"):
        publish(site.parent, TITLE, HEADLINE, SURE, code("show()", shown("text/html", frame)))


def test_a_page_that_shows_a_path_of_this_machine_is_refused(site: Path) -> None:
    cell = code(f'mirror = "{site.parent}/mirror"', tags=("injected-parameters",))

    with pytest.raises(NotebookError, match="shows a path of this machine"):
        publish(site.parent, TITLE, cell, HEADLINE, SURE)


def test_a_dataset_that_waits_makes_the_report_a_draft_and_stays_behind(site: Path) -> None:
    waiting = make_package("clients", "Clients", approval=WAITING)
    write_dataset(site.parent / "processed/warmth/north", waiting, COUNTS_AUDIT)
    shown_before = code("study.show_downloads()", shown("text/html", html.downloads([waiting]).text))
    publish(site.parent, TITLE, HEADLINE, SURE, shown_before)
    folder = site / "warmth/north"
    page = BeautifulSoup((folder / "index.html").read_text(encoding="utf-8"), "html.parser")

    assert f"Draft: waits for approval by the {ROLE}; not to be published." in page.header.get_text()
    assert [path.name for path in (folder / "data").iterdir()] == ["cold_homes"]
    assert f"after approval The {ROLE} has to approve it first: CSV." in page.select_one(".downloads").get_text()
    assert not page.select(".downloads a")
    assert "synthetic" not in page.select_one(".citation").get_text()
    assert "draft" in page.select_one(".citation").get_text()


def test_a_dataset_that_is_not_open_is_left_out(site: Path) -> None:
    guarded = make_package("clients", "Clients")
    guarded["councilbook"]["classification"] = "shared"
    write_dataset(site.parent / "processed/warmth/north", guarded, COUNTS_AUDIT)
    publish(site.parent, TITLE, HEADLINE, SURE)
    folder = site / "warmth/north"

    assert [path.name for path in (folder / "data").iterdir()] == ["cold_homes"]
    assert "Clients" not in (folder / "index.html").read_text(encoding="utf-8")
    assert "Clients" not in (folder / "report.json").read_text(encoding="utf-8")


def test_a_dataset_that_was_approved_since_the_run_is_offered(site: Path) -> None:
    processed = site.parent / "processed/warmth/north"
    approved = json.loads((processed / "cold_homes/datapackage.json").read_text())
    waiting = approved | {"councilbook": approved["councilbook"] | {"approval": WAITING}}
    publish(site.parent, TITLE, HEADLINE, SURE, code("x", shown("text/html", html.downloads([waiting]).text)))
    page = BeautifulSoup((site / "warmth/north/index.html").read_text(encoding="utf-8"), "html.parser")

    assert [link["href"] for link in page.select(".downloads a")] == [
        "data/cold_homes/cold_homes.csv",
        "data/cold_homes/index.html",
    ]
    assert "Draft" not in page.header.get_text()


def test_the_page_says_what_was_held_back_and_how_to_cite_it(tmp_path: Path) -> None:
    package = make_package("clients", "Clients")
    page = render(tmp_path, datasets=[Released(package, COUNTS_AUDIT)])
    text = " ".join(page.main.get_text(" ").split())

    assert page.find(id="what-was-held-back-and-why").name == "h2"
    assert "14 of 400 figures (3.5%), in 12 rows" in text
    assert "Clients, version 1.1.0" in text
    assert page.select_one(".citation cite").get_text() == "Warm homes in North"


def test_a_report_that_does_not_say_how_sure_it_is_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotebookError, match="begins with 'How sure'"):
        report.render_report(write(tmp_path, TITLE, HEADLINE), tmp_path / "page.html", **SETTINGS)


def test_a_page_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotebookError, match=r"it has 2\.\d MB, and a page may have 2\.0 MB: show fewer"):
        render(tmp_path, nbformat.v4.new_markdown_cell("word " * (PAGE_BYTES // 5)))


def test_a_notebook_cannot_send_what_a_reader_types(tmp_path: Path) -> None:
    form = shown("text/html", "<form action='https://x.example/'><button>Send</button></form>")

    with pytest.raises(NotebookError, match="a form would send what is typed to https://x"):
        render(tmp_path, code("show()", form))


def test_a_report_opens_with_its_place_figures_and_picture_and_folds_the_rest(tmp_path: Path) -> None:
    frame = pd.DataFrame({"ward": ["East", "West", "North"], "cost_gbp": [1, 2, 4]})
    said = "It is a guess. East costs 1 pound."
    drawn = charts.draw_bars(frame, "ward", "cost_gbp", title="Costs", alt=f"Bars of wards. {said}", label="£")
    figure = html.KeyFigure("7%", "are cold", "9% in the South", "95% interval 5% to 8%")
    page = render(
        tmp_path,
        code("k", shown("text/html", html.key_figures([figure, None], find="Ward").text), tags=("figures",)),
        nbformat.v4.new_markdown_cell(f"## Costs\n\n{said}"),
        code("d", shown("text/html", drawn._repr_html_()), tags=("picture",)),
        code("t", shown("text/html", html.table(frame, "Costs by ward").text)),
        nbformat.v4.new_markdown_cell("## Method\n\nSums.\n\n## Data\n\nFiles."),
    )
    first, story = page.select_one(".first-screen"), page.select_one(".story")

    assert [one.strong.get_text() for one in first.select(".key-figures li:has(strong)")] == ["7%"]
    assert first.select_one(".lead-picture a")["href"] == "#figure-1"
    assert first.select_one(".lead-picture img")["alt"] == "Bars of wards. East costs 1 pound."
    assert page.select_one("#figure-1 a[href='#opening-picture']").get_text() == "The still picture opens this page."
    assert [one.get_text() for one in story.select("details.more > summary")] == ["Table 1. Costs by ward"]
    assert [one.get_text() for one in story.select("details.more thead th")] == ["ward", "cost (£)"]
    assert page.title.get_text() == "Warm homes in North (sample) – Councilbook"


def test_a_section_tagged_fold_is_folded_whole_with_those_of_its_cell(tmp_path: Path) -> None:
    folded = nbformat.v4.new_markdown_cell("## Method\n\nSums.\n\n## Data\n\nFiles.", metadata={"tags": ["fold"]})
    page = render(
        tmp_path, folded, code("x", stream("stdout", "one")), nbformat.v4.new_markdown_cell("## Last\n\nEnd.")
    )
    held = {fold.h2.get_text(): " ".join(fold.get_text().split()) for fold in page.select(".story details.section")}

    assert held["Method"] == "Method Sums."
    assert held["Data"].startswith("Data Files.") and "one" in held["Data"]
    assert "End." not in " ".join(held.values())


@pytest.mark.parametrize(
    ("title", "placed"),
    [("Cold: who is?", "Cold in North: who is?"), ("Cold", "Cold in North"), ("The north", "The north")],
)
def test_a_title_names_its_place_once(title: str, placed: str) -> None:
    assert report_layout.place_title(title, "North") == placed
