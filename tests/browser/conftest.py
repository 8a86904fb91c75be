"""A browser whose network is cut and whose every word is kept, and a small site to look at with it."""

import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import nbformat
import numpy as np
import pandas as pd
import pytest
import shapely

from councilbook.catalogue import Council
from councilbook.pages import charts, html
from councilbook.pages.html import questions
from councilbook.pages.maps import area_maps, drawn_map, point_maps
from councilbook.pages.reports import report
from councilbook.pages.site import build_site
from councilbook.paths import Workbook, place_outputs
from small_site import (
    APPROVED,
    COUNTS_AUDIT,
    DATE,
    SPEC,
    WAITING,
    make_audit,
    make_catalogue,
    make_package,
    write_dataset,
)

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]
AREAS = 60


@dataclass
class Visit:
    """A page, what it may load, and what it asked for and complained of."""

    page: Any
    file: Path = Path()
    within: Path | None = None
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def may_load(self, url: str) -> bool:
        return url.startswith(self.within.as_uri()) if self.within else url == self.file.as_uri()

    @property
    def map_frame(self) -> Any:
        """The frame of the first map, in view and drawn."""
        element = self.page.query_selector("iframe")
        element.scroll_into_view_if_needed()
        frame = element.content_frame()
        frame.wait_for_selector(".leaflet-overlay-pane path", state="attached")
        return frame

    def draw_maps(self) -> None:
        """See that every map is unpacked and drawn; one that is still on its way would answer no message of a check."""
        for element in self.page.query_selector_all("iframe"):
            element.scroll_into_view_if_needed()
            element.content_frame().wait_for_selector(".leaflet-container", state="attached")


def find_browser() -> str | None:
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = find_browser()
    if not path:
        pytest.skip(f"no Chromium: none of {', '.join(BROWSERS)} is on the path, and CHROMIUM names none")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def free() -> dict[str, list[Visit]]:
    """Windows that no test is using, by what they were opened with: a new one costs as much as seven pages in it."""
    return defaultdict(list)


@pytest.fixture
def visit(browser: Any, free: dict[str, list[Visit]]) -> Iterator[Callable[..., Visit]]:
    """Return a function that opens a file in a window of its own, with the network off.

    The window may load the file alone, or, to follow links, what lies within a folder. A script given as `first` runs
    before those of any page in it; other options are Playwright's. Pages keep nothing in a window (a test of the
    finder holds them to that), so the next test gets it.
    """
    used = []

    def open_file(file: Path, width: int = 1280, within: Path | None = None, first: str = "", **options: Any) -> Visit:
        alike = free[f"{first}{sorted(options.items())}"]
        opened = alike.pop() if alike else open_window(browser, first, options)
        used.append((alike, opened))
        opened.file, opened.within = file, within
        opened.page.set_viewport_size({"width": width, "height": 900})
        opened.page.goto(file.as_uri())
        return opened

    yield open_file
    for alike, opened in used:
        opened.page.emulate_media(media="null")
        opened.page.goto("about:blank")
        opened.requests.clear()
        opened.complaints.clear()
        alike.append(opened)


def open_window(browser: Any, first: str, options: dict[str, Any]) -> Visit:
    context = browser.new_context(**options)
    context.set_offline(True)
    if first:
        context.add_init_script(first)
    opened = Visit(context.new_page())
    context.route("**/*", lambda route: route.continue_() if opened.may_load(route.request.url) else route.abort())
    opened.page.on("request", lambda request: opened.requests.append(request.url))
    opened.page.on("console", lambda message: opened.complaints.append(f"{message.type}: {message.text}"))
    opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    return opened


def shown(kind: str, text: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_output("display_data", {kind: text, "text/plain": "<object>"})


def draw_everything() -> list[str]:
    """Draw one of each figure and table that a report can hold."""
    rng = np.random.default_rng(1)
    squares = [
        shapely.box(2000 * (one % 10), 2000 * (one // 10), 2000 * (one % 10 + 1), 2000 * (one // 10 + 1))
        for one in range(AREAS)
    ]
    areas = gpd.GeoDataFrame(
        {
            "name": [f"Dover {one:03d}A" for one in range(AREAS)],
            "pct": rng.uniform(3, 20, AREAS),
            "homes": range(AREAS),
        },
        geometry=gpd.GeoSeries(squares).translate(600_000, 150_000),
        crs=drawn_map.NATIONAL_GRID,
    )
    areas.loc[3, "pct"] = np.nan
    trend = pd.DataFrame(
        {"place": ["Kent"] * 6 + ["England"] * 6, "year": [*range(2016, 2022)] * 2, "pct": rng.uniform(8, 12, 12)}
    )
    terms = pd.DataFrame({"term": ["Rented", "No gas"], "ratio": [1.3, 1.1], "low": [1.2, 0.9], "high": [1.4, 1.3]})
    sources = pd.DataFrame(
        {
            "source": ["Sub-regional fuel poverty statistics", "Energy performance certificates"],
            "publisher": ["Department for Energy Security and Net Zero"] * 2,
            "spectrum": [html.badge(kind, kind) for kind in ("open", "closed")],
            "figures": [html.badge(kind, kind) for kind in ("real", "synthetic")],
            "licence": ["OGL-UK-3.0"] * 2,
        }
    )
    places = pd.DataFrame(
        {
            "place": ["Ward 10", "Ward 9", "Élan", "ward 1"],
            "change": [-1200, 950, np.nan, 20_000],
            "share": ["9.5%", "10%", "n/a", "−3%"],
            "since": pd.to_datetime(["2026-02-01", None, "2025-12-31", "2026-01-15"]),
        }
    )
    alt = "Kent is lower than England in most of the years."
    return [
        charts.draw_lines(
            trend,
            "year",
            "pct",
            "place",
            title="Trend",
            alt=alt,
            x_label="Year",
            y_label="Rate, %",
            breaks={2018.5: "new rule"},
        )._repr_html_(),
        charts.draw_bars(terms, "term", "ratio", title="Bars", alt=alt, label="Ratio", reference=1.2)._repr_html_(),
        charts.draw_intervals(
            terms, "term", "ratio", "low", "high", title="Odds", alt=alt, label="Odds ratio", log=True
        )._repr_html_(),
        charts.draw_scatter(
            areas, "pct", "homes", title="Points", alt=alt, x_label="Rate", y_label="Homes"
        )._repr_html_(),
        area_maps.draw_area_map(
            areas,
            "pct",
            title="Map",
            alt=alt,
            name="name",
            details={"pct": ("Rate", ".1f"), "homes": ("Homes", "d")},
            unit="%",
        )._repr_html_(),
        html.table(sources, "Where the figures come from").text,
        html.table(places, "Places to sort", headers={"change": "Change, homes"}).text,
        html.definition_list({"Council": "North", "Data": html.badge("synthetic", "synthetic")}).text,
    ]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of two reports: one on North that holds all that a report can hold, and a draft on South."""
    root = tmp_path_factory.mktemp("site")
    new = nbformat.v4
    headline = new.new_code_cell(
        "show()", outputs=[shown("text/markdown", "- **12 homes** are cold.")], metadata={"tags": ["headline"]}
    )
    sure = new.new_markdown_cell("## How sure are we\n\n> Modelled, not counted.\n\n1. One.\n2. Two, with `code`.")
    publish(
        root,
        "north",
        [make_package("homes", "Homes")],
        [
            new.new_markdown_cell("# Warm homes in North\n\nWhich homes are cold? Few are."),
            new.new_code_cell("seed = 1  # of all that is drawn", metadata={"tags": ["parameters"]}),
            headline,
            new.new_markdown_cell("## What we found\n\nSee [the source](https://www.gov.uk/).\n\n### In pictures"),
            *(
                new.new_code_cell('draw("all")  # of it', outputs=[shown("text/html", figure)])
                for figure in draw_everything()
            ),
            sure,
        ],
    )
    guarded = [
        make_package("clients", "Clients", council="south", approval=WAITING),
        make_package("visits", "Visits", council="south", approval=APPROVED),
    ]
    downloads = new.new_code_cell("study.show_downloads()", outputs=[shown("text/html", html.downloads(guarded).text)])
    title = new.new_markdown_cell("# Warm homes in South, café by café\n\nWhich homes are cold?")
    publish(root, "south", guarded, [title, headline, sure, new.new_markdown_cell("## Data to download"), downloads])
    build_site(make_catalogue(root))
    return root / "reports"


def no_data(name: str) -> pd.DataFrame:
    """Stand in for the reader of datasets: the study of these tests makes no page from one."""
    raise AssertionError(name)


def publish(root: Path, slug: str, packages: list[dict[str, Any]], cells: list[nbformat.NotebookNode]) -> None:
    """Publish a report on sample data; datasets are open, unless somebody has to approve them."""
    processed = root / "processed" / slug
    for package in packages:
        is_open = package["councilbook"]["approval"]["state"] == "not needed"
        write_dataset(processed, package, make_audit() if is_open else COUNTS_AUDIT)
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"language_info": {"name": "python"}})
    nbformat.write(notebook, root / "3_report.ipynb")
    council = Council(slug=slug, name=slug.capitalize(), codes={"E06000001": ""})
    target = root / "reports" / place_outputs(SPEC.id, slug, "sample")
    report.publish_report(
        root / "3_report.ipynb", Workbook(root), SPEC, council, "sample", DATE, processed, target, no_data
    )


@pytest.fixture(scope="session")
def dots_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report whose one figure is a map of dots."""
    return publish_figure(tmp_path_factory.mktemp("dots"), draw_dots())


@pytest.fixture(scope="session")
def dense_dots_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report whose map has a town of 3,000 postcodes of all bands within 300 metres, and few elsewhere."""
    return publish_figure(tmp_path_factory.mktemp("dense"), draw_dots(town=3_000))


def publish_figure(root: Path, figure: point_maps.PointMap) -> Path:
    new = nbformat.v4
    headline = new.new_code_cell(
        "show()", outputs=[shown("text/markdown", "- **12 homes** are cold.")], metadata={"tags": ["headline"]}
    )
    drawn = new.new_code_cell("draw()", outputs=[shown("text/html", figure._repr_html_())])
    title, sure = (new.new_markdown_cell(text) for text in ("# Dots\n\nWhere?", "## How sure are we\n\nFairly."))
    publish(root, "north", [make_package("homes", "Homes")], [title, headline, drawn, sure])
    return root / "reports" / place_outputs(SPEC.id, "north", "sample") / "index.html"


@pytest.fixture(scope="session")
def answers_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with an answer finder, one of whose entries would like to be markup and script."""
    root = tmp_path_factory.mktemp("answers")
    new = nbformat.v4
    headline = new.new_code_cell(
        "show()", outputs=[shown("text/markdown", "- **12 shops** are empty.")], metadata={"tags": ["headline"]}
    )
    finder = new.new_code_cell("show()", outputs=[shown("text/html", make_finder().text)])
    texts = ("# Rates\n\nWho asks?", "## Ask\n\nType a question.", "## How sure are we\n\nFairly.")
    title, ask, sure = (new.new_markdown_cell(text) for text in texts)
    publish(root, "north", [make_package("homes", "Homes")], [title, headline, ask, finder, sure])
    return root / "reports" / place_outputs(SPEC.id, "north", "sample") / "index.html"


ANSWERS = [
    html.Answer(
        "Which properties are empty?",
        "Published in the column is_occupied.",
        {"Dataset": "Business rates, open", "Columns": "property_reference, is_occupied", "Ready extract": "Empty"},
        html.badge("published", "open"),
        ["vacant shops", "to let"],
    ),
    html.Answer("Which accounts are in credit?", "Published.", {}, html.badge("published", "open"), ["overpayment"]),
    html.Answer(
        "Who is the ratepayer?",
        "Names of companies are published.",
        {"Kept back under": "Freedom of Information (Scotland) Act 2002, s.38(1)(b)"},
        html.badge("published in part", "shared"),
        ["sole trader", "café owner"],
    ),
    html.Answer("</script><script>window.hit = 1</script><b>bold</b>", "<img src=x onerror='window.hit = 2'>"),
]
SYNONYMS = [["empty", "vacant", "unoccupied"], ["overpayment", "overpaid"]]


def make_finder() -> html.Html:
    """Write the answer finder of the tests."""
    return html.answers(ANSWERS, "What do you want to know?", synonyms=SYNONYMS, subject="rates business")


@pytest.fixture(scope="session")
def answers_index() -> questions.AnswerIndex:
    """The index that the answer finder of the tests has."""
    return questions.index_answers(ANSWERS, SYNONYMS, "rates business")


TOWN = (0.65, 51.15)  # longitude and latitude


def draw_dots(town: int = 0) -> point_maps.PointMap:
    """Draw 300 postcodes in two districts: bands 1 in the west, 3 in the east, 2 between; two are at one spot.

    Of a town's postcodes every third is of each band, all within some 300 metres.
    """
    east = np.linspace(0.5, 0.7, 300)
    north = 51.1 + np.random.default_rng(1).uniform(0, 0.1, 300)
    east[151], north[151] = east[150], north[150]
    spots = np.random.default_rng(2).normal(TOWN, (0.002, 0.001), (town, 2))
    east, north = np.r_[east, spots[:, 0]], np.r_[north, spots[:, 1]]
    dots = pd.DataFrame(
        {
            "postcode": [f"ZZ{one // 100} {one // 10 % 10}{'ABDEFGHJLN'[one % 10]}X" for one in range(300 + town)],
            "band": np.r_[np.repeat([1, 2, 3], 100), np.arange(town) % 3 + 1],
            "pct": np.arange(300 + town) / 10,
            "interval": [f"{one}% to {one + 1}%" for one in range(300 + town)],
        }
    )
    halves = [shapely.box(0.48, 51.08, 0.6, 51.22), shapely.box(0.6, 51.08, 0.72, 51.22)]
    return point_maps.draw_point_map(
        gpd.GeoDataFrame(dots, geometry=gpd.points_from_xy(east, north, crs=4326)),
        "band",
        title="Postcodes by band",
        alt="Bands rise from the west to the east.",
        words={1: "1: lowest", 2: "2", 3: "3: highest"},
        areas=gpd.GeoDataFrame({"district": ["West", "East"]}, geometry=halves, crs=4326),
        region="district",
        name="postcode",
        details={"pct": ("Share (%)", ".1f"), "interval": ("95% interval", "")},
        noun="postcode",
    )


@pytest.fixture(scope="session")
def report_file(site: Path) -> Path:
    """The report's page."""
    return site / place_outputs("warmth", "north", "sample") / "index.html"


@pytest.fixture(scope="session")
def area_count() -> int:
    """How many areas the report's map has."""
    return AREAS
