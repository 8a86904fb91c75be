import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from rdflib import DCAT, RDF, Graph, URIRef

from councilbook.catalogue import StudySpec, load_catalogue
from councilbook.errors import CatalogueError
from councilbook.pages.page import DOCS, PAGE_BYTES
from councilbook.pages.reports.report_records import DatasetRecord, Section, read_reports
from councilbook.pages.site import build_site
from councilbook.pages.site.base import CARDS, DATASETS_ON_ONE_PAGE, Site
from councilbook.pages.site.building import NEWS, list_news, pick_findings
from councilbook.pages.site.data_catalogue import group_datasets
from councilbook.pages.site.search import list_search_index, read_page_words
from councilbook.pages.site.source_pages import list_entries
from councilbook.paths import Workbook, find_workbook
from small_site import APPROVED, ROLE, SPEC, WAITING, make_catalogue, make_record, write_report

PAGES = ("index.html", "data.html", "sources.html", "search.html", "accessibility.html", "layout-clients.html")
HOSTILE = "</script><script>alert(1)</script><!-- & \"quoted\" 'x'"
BASE = "https://council.example/reports/"
MANY = DATASETS_ON_ONE_PAGE + 1


def build(root: Path, *records: Any) -> Path:
    """Write reports and build the site around them; return its folder."""
    catalogue = make_catalogue(root)
    catalogue.workbook.reports.mkdir(parents=True)
    for record in records:
        write_report(catalogue.workbook.reports, record)
    build_site(catalogue)
    return catalogue.workbook.reports


def read(file: Path) -> BeautifulSoup:
    return BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")


def read_words(element: Any) -> str:
    return " ".join(element.get_text(" ").split())


def read_graph(file: Path) -> Graph:
    script = read(file).select_one('script[type="application/ld+json"]')
    return Graph().parse(data=script.string, format="json-ld", publicID=BASE)


def read_index(site: Path) -> dict[str, Any]:
    index: dict[str, Any] = json.loads(read(site / "search.html").select_one("#index").string)
    return index


def change_dataset(**fields: Any) -> list[DatasetRecord]:
    return [make_record().datasets[0].model_copy(update=fields)]


def test_each_closed_source_has_a_page_on_its_layout_with_an_example_file(tmp_path: Path) -> None:
    catalogue = load_catalogue(find_workbook())
    own = replace(catalogue, workbook=Workbook(tmp_path))
    own.workbook.reports.mkdir(parents=True)
    for name in ("layout-gone.html", "example_gone.csv"):
        (own.workbook.reports / name).write_text("")
    build_site(own)
    sources = read(own.workbook.reports / "sources.html")
    linked = {str(link["href"]) for link in sources.select("dl a") if str(link["href"]).startswith("layout-")}
    assert linked == {file.name for file in own.workbook.reports.glob("layout-*.html")}
    assert {"layout-kid_households.html", "layout-rates_ledger.html", "layout-link_verdicts.html"} <= linked
    page = read(own.workbook.reports / "layout-kid_people.html")
    assert (own.workbook.reports / str(page.select_one("a[download]")["href"])).read_text().startswith("person_id,")
    words = read_words(page.main)
    assert "one of: F (or female, woman, 2); M (or male, man, 1)" in words
    assert "circulatory: I; " in words and "World Health Organization" in words
    assert "Fuel poverty: " in words and "kid_people_COUNCIL.csv" in words
    assert not (own.workbook.reports / "example_gone.csv").exists()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site of two places and a dataset that waits for approval."""
    waiting = change_dataset(id="clients", title="Clients", approval=WAITING)
    approved = change_dataset(approval=APPROVED, kinds=["synthetic", "assumed"])
    return build(
        tmp_path,
        make_record(slug="north", datasets=[*make_record().datasets, *waiting]),
        make_record(slug="south", datasets=approved),
    )


def test_every_page_has_the_same_header_and_help(site: Path) -> None:
    pages = [read(site / name) for name in PAGES]
    links = [[(link["href"], link.get_text()) for link in page.select(".site-nav a")] for page in pages]
    current = [page.select_one("[aria-current]").get_text() for page in pages]

    assert all(one == links[0] for one in links)
    assert [href for href, _ in links[0]] == list(PAGES[:5])
    assert current == ["Reports", "Data", "Sources", "Search", "Accessibility", "Sources"]
    for page in pages:
        assert "Something wrong here, or hard to read? Ask the council" in read_words(page.footer)
        assert page.footer.select_one("a")["href"] == "accessibility.html"
        assert "Contains public data." in page.footer.get_text()


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_files_and_places_that_are_there(site: Path, name: str) -> None:
    page = read(site / name)
    ids = {other: {one["id"] for one in read(site / other).select("[id]")} for other in PAGES}
    links = [str(link["href"]) for link in page.select("a[href]") if not link["href"].startswith("http")]

    assert links
    for link in links:
        file, _, place = link.partition("#")
        assert (site / (file or name)).is_file(), link
        assert not place or place in ids.get(file or name, {"how-sure-are-we"}), link


def test_a_card_names_study_place_question_and_figures(site: Path) -> None:
    card = read(site / "index.html").select_one("li.card")

    assert card.a["href"] == "warmth/north/real/index.html"
    for words in ("Warm homes, North", "Which homes are cold?", "12 homes are cold.", "real figures", "draft: waits"):
        assert words in read_words(card)


def test_a_pdf_is_linked_where_there_is_one(tmp_path: Path) -> None:
    site = build(tmp_path, make_record(slug="north"), make_record(slug="south"))
    (site / "warmth/south/real/report.pdf").write_text("x")
    build_site(make_catalogue(tmp_path))

    assert [link["href"] for link in read(site / "index.html").select('a[href$=".pdf"]')] == [
        "warmth/south/real/report.pdf"
    ]


def test_a_site_without_reports_says_so_on_every_page(tmp_path: Path) -> None:
    site = build(tmp_path)

    assert "No report has been made yet." in read(site / "index.html").get_text()
    assert "No dataset has been released yet." in read(site / "data.html").get_text()
    assert "not used yet" in read(site / "sources.html").get_text()
    assert len(read_graph(site / "data.html")) > 0


def test_news_are_newest_first_and_one_a_report_and_day() -> None:
    two = [*make_record().datasets, *change_dataset(id="other")]
    early, late = make_record(slug="early", run_date="2026-02-01"), make_record(slug="late", datasets=two)
    news = [(one.date, one.report.council.slug, one.is_run, dict(one.changes)) for one in list_news([early, late])]

    assert news == [
        ("2026-11-23", "early", False, {"New: a column.": 1}),
        ("2026-11-23", "late", True, {"New: a column.": 2}),
        ("2026-02-01", "early", True, {}),
        ("2026-01-31", "early", False, {"First release.": 1}),
        ("2026-01-31", "late", False, {"First release.": 2}),
    ]


def test_ten_news_are_enough() -> None:
    assert len(list_news([make_record(slug=f"place_{number}") for number in range(30)])) == NEWS


def test_many_reports_are_listed_in_short_by_study(tmp_path: Path) -> None:
    records = [make_record(study, f"place_{n}") for study in ("warmth", "culture") for n in range(CARDS // 2 + 1)]
    page = read(build(tmp_path, *records) / "index.html")

    assert not page.select(".card")
    assert [group.h3.get_text() for group in page.select(".find-group")] == ["Culture", "Warm homes"]
    assert len(page.select("li.findable")) == len(records)
    assert page.select_one("#find-box").has_attr("hidden")  # until a script can use it


def test_a_thousand_reports_fit_on_pages_of_less_than_2_mb(tmp_path: Path) -> None:
    sections = [Section(id=f"part-{n}", heading=f"Part {n} of the report", text="Words. " * 40) for n in range(12)]
    records = [
        make_record(study, f"place_{n}", sections=sections, summary="A summary of the usual length. " * 10)
        for study in "abcdefghij"
        for n in range(100)
    ]
    site = build(tmp_path, *records)

    assert {page.name for page in site.glob("*.html")} == {*PAGES, *(f"data-place_{n}.html" for n in range(100))}
    assert max(page.stat().st_size for page in site.glob("*.html")) < PAGE_BYTES
    assert len([entry for entry in read_index(site)["entries"] if entry[1] == "part-11"]) == len(records)


def test_a_search_without_room_for_headings_has_titles_and_summaries(tmp_path: Path) -> None:
    site = Site(tmp_path, make_catalogue(tmp_path), [make_record()])

    index = list_search_index(site, [], None)
    assert {key: index[key] for key in ("pages", "entries")} == {
        "pages": [["warmth/north/real/index.html", "Warm homes, North"], ["sources.html", "Sources"]],
        "entries": [[0, "", "Homes in north", "12 homes are cold.", ""]],
    }


def test_three_hundred_reports_are_searched_by_heading_and_words(tmp_path: Path) -> None:
    sections = [
        Section(id=f"part-{n}", heading=f"Part {n} of the report", text="So many words. " * 20) for n in range(12)
    ]
    site = build(tmp_path, *(make_record(slug=f"place_{n}", sections=sections) for n in range(300)))
    found = [entry for entry in read_index(site)["entries"] if entry[1] == "part-11"]

    assert (site / "search.html").stat().st_size < PAGE_BYTES
    assert len(found) == 300
    assert found[0][2:] == ["Part 11 of the report", "So many words. " * 20, ""]


def test_pages_of_places_go_when_they_are_not_needed(tmp_path: Path) -> None:
    site = build(tmp_path, make_record())
    (site / "data-gone.html").write_text("x")
    build_site(make_catalogue(tmp_path))

    assert {page.name for page in site.glob("*.html")} == set(PAGES)


def test_hostile_titles_stay_text(tmp_path: Path) -> None:
    hostile = {
        "title": HOSTILE,
        "summary": HOSTILE,
        "study_title": HOSTILE,
        "sections": [Section(id="a", heading=HOSTILE, text=HOSTILE)],
        "datasets": change_dataset(title=HOSTILE, description=HOSTILE),
    }
    harmless = build(tmp_path / "harmless", make_record())
    site = build(tmp_path / "hostile", make_record(**hostile))

    for name in PAGES:
        assert len(read(site / name).find_all("script")) == len(read(harmless / name).find_all("script"))
        assert "alert(1)</script>" not in (site / name).read_text(encoding="utf-8")
    assert read_index(site)["entries"][1][2:4] == [HOSTILE, HOSTILE]
    assert HOSTILE in [str(one) for one in read_graph(site / "data.html").objects()]


def test_the_page_holds_a_dcat_catalogue_of_every_published_dataset_and_file(site: Path) -> None:
    graph = read_graph(site / "data.html")
    [catalogue] = graph.subjects(RDF.type, DCAT.Catalog)
    datasets = set(graph.objects(catalogue, DCAT.dataset))
    files = {
        str(file)
        for one in datasets
        for part in graph.objects(one, DCAT.distribution)
        for file in graph.objects(part, DCAT.downloadURL)
    }

    assert datasets == set(graph.subjects(RDF.type, DCAT.Dataset))
    assert datasets == {URIRef(f"urn:councilbook:warmth:{slug}:real:cold_homes") for slug in ("north", "south")}
    assert len(set(graph.subjects(RDF.type, DCAT.Distribution))) == 2
    assert files == {f"{BASE}warmth/{slug}/real/data/cold_homes/cold_homes.csv" for slug in ("north", "south")}
    assert all((site / file.removeprefix(BASE)).is_file() for file in files)
    assert (site / "catalogue.jsonld").is_file()


def test_a_catalogue_of_many_places_names_one_catalogue_a_place(tmp_path: Path) -> None:
    site = build(tmp_path, *(make_record(slug=f"place_{n}") for n in range(MANY)))
    whole, part = read_graph(site / "data.html"), read_graph(site / "data-place_7.html")
    everything = Graph().parse(site / "catalogue.jsonld", format="json-ld", publicID=BASE)

    assert len(set(whole.objects(None, DCAT.catalog))) == MANY
    assert list(part.objects(None, DCAT.dataset)) == [URIRef("urn:councilbook:warmth:place_7:real:cold_homes")]
    assert len(set(everything.objects(None, DCAT.dataset))) == MANY
    assert "place_7" in read(site / "search.html").select_one("#index").string
    assert "data-place_7.html" in [page[0] for page in read_index(site)["pages"]]


def test_each_dataset_is_described_with_its_files_version_and_approval(site: Path) -> None:
    page = read(site / "data.html")
    north, clients, south = (
        read_words(page.find(id=f"warmth-{name}"))
        for name in ("north-real-cold_homes", "north-real-clients", "south-real-cold_homes")
    )

    for words in ("real", "CSV", "(1.2 kB)", "1,065 rows", "23 November 2026"):
        assert words in north
    assert "synthetic assumed" in south
    assert f"approved by the {ROLE} on 20 November 2026" in south
    assert f"waits for approval by the {ROLE}" in clients
    assert not page.find(id="warmth-north-real-clients").select("a")
    assert page.find(id="warmth-north-real-cold_homes").a["href"] == "warmth/north/real/data/cold_homes/index.html"


def test_sources_are_told_by_their_place_on_the_spectrum(site: Path) -> None:
    page = read(site / "sources.html")
    groups = {one.h2.get_text(): [item["id"] for item in one.select(".entry")] for one in page.select(".find-group")}
    rows = [[read_words(cell) for cell in row.select("th, td")][:5] for row in page.select("tbody tr")]

    assert groups == {"Closed": ["clients"], "Shared": ["visits"], "Open": ["spare", "homes"]}
    assert rows == [["Warm homes", "1", "1", "1", "3"], ["In no study yet", "0", "0", "1", "1"]]
    for name, words in {
        "homes": ("2 editions", "used: real", "Licence Open Government Licence v3.0", "Studies Warm homes"),
        "clients": ("not used yet", "Personal data yes", "Licence none: it is not open"),
        "visits": ("Known faults Some are in it twice.", "Steward The office's statisticians"),
        "spare": ("Studies none yet",),
    }.items():
        for some in words:
            assert some in read_words(page.find(id=name)), (name, some)


def test_a_source_that_left_the_catalogue_is_still_told_of(tmp_path: Path) -> None:
    gone = make_record().sources[0].model_copy(update={"id": "gone", "title": "A gone source", "synthetic": True})
    entries = {one.id: one for one in list_entries(make_catalogue(tmp_path), [make_record(sources=[gone])])}

    assert entries["gone"].figures == {"synthetic"}
    assert entries["gone"].studies == ("Warm homes",)
    assert entries["gone"].steward == "not stated"


def test_a_source_that_places_areas_belongs_to_its_study(tmp_path: Path) -> None:
    spec = StudySpec.model_validate(
        SPEC.model_dump(exclude={"id"}) | {"id": "other", "title": "Other", "places": ["spare"]}
    )
    entries = {one.id: one for one in list_entries(make_catalogue(tmp_path, spec), [])}

    assert entries["spare"].studies == ("Other",)


def test_folders_that_a_run_is_putting_in_place_do_not_count(tmp_path: Path) -> None:
    write_report(tmp_path, make_record())
    for name in (".north.old", ".north.new"):
        (tmp_path / "warmth" / name).mkdir()
        (tmp_path / "warmth" / name / "report.json").write_text("{}")

    assert [record.council.slug for record in read_reports(tmp_path)] == ["north"]


def test_a_report_of_an_older_library_is_listed_too(tmp_path: Path) -> None:
    record = json.loads(make_record().model_dump_json())
    for name in ("sections", "attributions", "sources"):
        del record[name]
    for name in ("licence_url", "classification", "approval", "changes"):
        del record["datasets"][0][name]
    site = build(tmp_path, make_record())
    (site / "warmth/north/real/report.json").write_text(json.dumps(record))
    build_site(make_catalogue(tmp_path))

    assert "Warm homes, North" in read(site / "index.html").get_text()
    assert "Cold homes, North" in read(site / "data.html").get_text()


def test_the_statement_is_dated_by_the_newest_report(tmp_path: Path) -> None:
    site = build(tmp_path, make_record(run_date="2026-02-01"), make_record(slug="south", run_date="2026-03-01"))

    assert "run up to 1 March 2026" in read_words(read(site / "accessibility.html").main)


def test_the_documentation_is_searched_too_and_its_reference_is_not(tmp_path: Path) -> None:
    docs = tmp_path / "reports" / DOCS
    docs.mkdir(parents=True)
    page = "<main><h1>{}</h1><h2 id='a'>How</h2><p>Ask the unguessable steward.</p></main>"
    for name, title in {"tutorial": "First &amp; last", "councilbook.gate": "Gate", "councilbook": "Library"}.items():
        (docs / f"{name}.html").write_text(page.format(title))
    catalogue = make_catalogue(tmp_path)
    write_report(catalogue.workbook.reports, make_record())
    build_site(catalogue)
    index = read_index(catalogue.workbook.reports)
    found = {index["pages"][one[0]][0]: one for one in index["entries"] if "unguess" in one[4]}
    assert list(found) == [f"{DOCS}/tutorial.html"]
    assert found[f"{DOCS}/tutorial.html"][2] == "First & last"


def test_who_answers_readers_is_said_once_and_stands_on_every_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("data/catalogue", "notebooks"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.setenv("COUNCILBOOK_ROOT", str(tmp_path))
    (tmp_path / "data/catalogue/publisher.yaml").write_text(
        "contact: Write to data@council.example & ask.\naddress: https://council.example/"
    )
    site = build(tmp_path, make_record())
    assert "tell us. Write to data@council.example & ask. Say which" in read_words(
        read(site / "accessibility.html").main
    )
    for name in PAGES:
        assert "hard to read? Write to data@council.example & ask." in read_words(read(site / name).footer)
        assert 'content="https://council.example/preview.png"' in (site / name).read_text(encoding="utf-8")
    (tmp_path / "data/catalogue/publisher.yaml").write_text("contacts: Somebody")
    with pytest.raises(CatalogueError, match=r"publisher\.yaml .*\n.*contacts"):
        build_site(make_catalogue(tmp_path))


def test_the_same_reports_make_the_same_bytes(tmp_path: Path) -> None:
    one, other = (build(tmp_path / name, make_record(), make_record(slug="south")) for name in ("one", "other"))

    for page in one.glob("*.*"):
        assert page.read_bytes() == (other / page.name).read_bytes()


def test_every_word_below_a_heading_is_read_also_where_it_is_folded_away() -> None:
    page = """<nav>menu</nav><main><p>Warm homes</p><h2 id="a">Meters</h2><details><td>Prepayment 42</td></details>
    <script>secret</script><h3 id="b">Age &amp; need</h3><p title="x">pensioners</p></main><footer>below</footer>"""

    assert read_page_words(page) == {
        "": ["warm", "home"],
        "a": ["meter", "prepayment"],
        "b": ["age", "need", "pensioner"],
    }


def test_a_card_has_whole_sentences_and_the_first_figure_in_them() -> None:
    card = pick_findings(
        "Newer data are out: X, 9%. Of 50 homes 8.8% are cold. It costs £1.2 million. " + "Long " * 80 + "."
    )

    assert (card.figure, card.text) == ("8.8%", "Of 50 homes 8.8% are cold. It costs £1.2 million.")


def test_samples_are_shown_apart_from_real_reports(tmp_path: Path) -> None:
    page = read(
        build(tmp_path, make_record(slug="north"), make_record(slug="south", figures="synthetic")) / "index.html"
    )
    kinds = [(kind.get_text(), read_words(kind.find_next("li"))[:18]) for kind in page.select("h3")]

    assert kinds == [("From real data", "Warm homes, North "), ("Samples, from synthetic data", "Warm homes, South ")]


def test_the_sample_of_a_place_stands_beside_its_real_report_and_is_named_so_everywhere(tmp_path: Path) -> None:
    datasets = change_dataset(kinds=["synthetic"])
    site = build(tmp_path, make_record(), make_record(data="sample", figures="synthetic", datasets=datasets))
    index, data = read(site / "index.html"), read(site / "data.html")

    cards = [(read_words(card.h4), card.a["href"]) for card in index.select(".card")]
    assert cards == [
        ("Warm homes, North", "warmth/north/real/index.html"),
        ("Warm homes, North (sample)", "warmth/north/sample/index.html"),
    ]
    for kind, name in (("real", "Cold homes, North"), ("sample", "Cold homes, North (sample)")):
        link = data.find(id=f"warmth-north-{kind}-cold_homes").a
        assert (link.get_text(), link["href"]) == (name, f"warmth/north/{kind}/data/cold_homes/index.html")
    named = dict(read_index(site)["pages"])
    assert named["warmth/north/sample/index.html"] == "Warm homes, North (sample)"
    assert named["warmth/north/sample/data/cold_homes/index.html"] == "Data, North (sample)"
    names = ["Warm homes, North", "Warm homes, North (sample)"]
    assert [read_words(one) for one in index.select(".news a")] == names * 2
    for name in ("index.html", "data.html", "warmth/north/sample/data/cold_homes/index.html"):
        links = [str(link["href"]).partition("#")[0] for link in read(site / name).select("a[href]")]
        assert links and all((site / name).parent.joinpath(one).is_file() for one in links if one and ":" not in one), (
            name
        )


def test_datasets_are_grouped_by_what_people_want_and_checks_folded_away(tmp_path: Path) -> None:
    datasets = [change_dataset(id=name, title=name)[0] for name in ("scores", "homes", "visits")]
    groups = {"warmth": {"Where it is cold": ["visits", "homes"]}}
    site = Site(tmp_path, replace(make_catalogue(tmp_path), groups=groups), [make_record(datasets=datasets)])
    found = group_datasets(site, site.reports)["Warm homes"]

    assert [(one.title, one.is_plain, [dataset.id for _, dataset in one.datasets]) for one in found] == [
        ("Where it is cold", True, ["visits", "homes"]),
        ("", False, ["scores"]),
    ]


def test_a_page_of_a_dataset_has_columns_first_rows_versions_and_every_file(site: Path) -> None:
    folder = site / "warmth/south/real/data/cold_homes"
    page = read(folder / "index.html")
    words = read_words(page)

    assert "synthetic" in words
    for some in ("Home: its number", "The first 1 of 1,065 rows", "1.0.0, 31 January 2026", "Open Government Licence"):
        assert some in words
    links = {str(link["href"]) for link in page.main.select("a[download]")}
    assert links == {"cold_homes.csv", "cold_homes.zip"}
    assert all((folder / link).is_file() for link in links)
    with zipfile.ZipFile(folder / "cold_homes.zip") as packed:
        assert packed.namelist() == ["datapackage.json", "cold_homes.csv"]
        assert packed.read("cold_homes.csv") == (folder / "cold_homes.csv").read_bytes()
