"""What several test modules share: a small workbook in a folder of its own, and hypothesis without clock or chance."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy comes: each worker's threads would wait for the others'

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

import councilbook.running  # noqa: F401 (before nbformat comes, which is then there a second sooner)
from councilbook.catalogue import Catalogue, load_catalogue
from councilbook.paths import Workbook, find_workbook
from whole_workbook import copy_last_runs, copy_workbook, run_councilbook

settings.register_profile("councilbook", deadline=None, derandomize=True, database=None, max_examples=50)
settings.load_profile("councilbook")

LONGEST = (  # files, of which each is one worker's: they are begun first, so that none is left to run alone at the end
    "notebooks/test_canaries.py",
    "house/test_architecture.py",
    "real/test_real_run.py",
    "browser/test_sample_site.py",
)

COUNCILS = """
north: {name: North and more, codes: {E06000901: North}}
south: {name: South, codes: {E07000902: South}}
"""

NATIONAL = """
licences:
  OGL-UK-3.0: {title: Open Government Licence v3.0, url: "https://example.org/ogl", attribution: Contains public data.}
  not_stated: {title: No licence stated, url: "https://example.org/none", attribution: None is stated.}
sources:
  - &common
    id: lsoa_lookup
    title: Lookup
    description: Which area of 2021 came from which of 2011
    publisher: An office
    steward: The office's geographers
    spectrum: open
    personal_data: false
    licence: OGL-UK-3.0
    landing_page: https://example.org/lookup
    file: lookup.csv
    mirror: geography/lookup.csv
    published: "2022"
    format: csv
    twin: {make: "test_study:make_lookup", basis: Made up}
    tables:
      lookup:
        key: [lsoa11_code, lsoa21_code]
        areas: {lsoa: lsoa11_code, vintage: 2011, district: lad22_code, district_name: lad22_name}
        fields:
          lsoa11_code: {description: LSOA of 2011}
          lsoa21_code: {description: LSOA of 2021}
          change: {description: What happened}
          lad22_code: {description: District}
          lad22_name: {description: Name of the district}
  - <<: *common
    id: homes
    title: Homes
    file: homes.csv
    mirror: homes.csv
    editions:
      2020: {published: "2020", tables: {homes: {areas: {vintage: 2011}}}}
      2021: {published: "2021", tables: {homes: {areas: {vintage: 2021}}}}
    twin: {make: "test_study:make_homes", basis: Made up of the lookup}
    tables:
      homes:
        key: [lsoa_code]
        areas: {lsoa: lsoa_code, vintage: 2011, coverage: 1}
        fields:
          lsoa_code: {description: Small area}
          homes: {type: integer, minimum: 0, unit: homes, description: Homes}
  - <<: *common
    id: prices
    title: Prices
    file: prices.csv
    mirror: null
    twin: {make: "test_study:make_prices", basis: Made up}
    tables: {prices: {fields: {price_gbp: {type: number, description: Price}}}}
  - <<: *common
    id: cold_spots
    title: Cold spots
    licence: not_stated
    format: none
    file: ""
    mirror: null
    twin: null
    tables: {}
  - <<: *common
    id: visits
    title: Visits to a home
    steward: the fire service
    spectrum: shared
    licence: null
    mirror: null
    file: visits.csv
    agreement: {title: Agreement on visits, review_by: 2027-03-01}
    twin: {make: "test_study:make_visits", basis: Made up of the homes, fitted_to: [lsoa_lookup, homes_2021]}
    tables:
      visits:
        areas: {lsoa: lsoa_code, vintage: 2021}
        fields:
          lsoa_code: {description: Small area}
          visits: {type: integer, description: Visits}
  - <<: *common
    id: clients
    title: Clients
    steward: the housing team
    spectrum: closed
    personal_data: true
    licence: null
    mirror: null
    file: clients.csv
    agreement: {kind: own data, title: Clients, purpose: To count clients by area, keep_months: 12}
    twin: {make: "test_study:make_clients", basis: Made up}
    tables:
      clients:
        areas: {lsoa: lsoa_code, vintage: 2021}
        fields:
          lsoa_code: {description: Small area}
          surname: {description: Surname}
          age: {type: integer, maximum: 120, description: Age}
datasets:
  - id: home_counts
    title: Homes
    description: Homes by area
    classification: open
    licence: OGL-UK-3.0
    disclosure: {rule: open_sources_only}
    key: [lsoa_code]
    fields: &counted
      lsoa_code: {description: Small area}
      homes: {type: integer, description: Homes}
  - id: client_counts
    title: Clients
    description: Clients by area
    classification: open
    licence: OGL-UK-3.0
    disclosure:
      rule: counts
      counts: [clients, homes]
      shares: {clients_pct: [clients, homes]}
    key: [lsoa_code]
    fields:
      lsoa_code: {description: Small area}
      clients: {type: integer, required: false, description: Clients}
      homes: {type: integer, required: false, description: Homes}
      clients_pct: {type: number, required: false, description: Share of clients}
      is_suppressed: {type: boolean, description: Whether the counts are withheld}
  - id: ruleless_counts
    title: Counts
    description: Counts that nobody has thought through
    classification: open
    licence: OGL-UK-3.0
    key: [lsoa_code]
    fields: *counted
  - id: client_flags
    title: Clients who live in cold homes
    description: A row a client
    classification: closed
    licence: not_stated
    disclosure: {rule: held, readers: the housing team, approver: Information governance lead}
    key: [client]
    fields:
      client: {type: integer, description: Number}
      age: {type: integer, description: Age}
"""

STUDY = """
title: A small study
question: Who lives where?
default_council: north
places: [lsoa_lookup]
notebooks:
  1_open:
    title: Homes
    kind: build
    sources: [homes, lsoa_lookup, prices]
    releases: [home_counts]
  2_closed:
    title: Clients
    kind: build
    sources: [homes, visits, clients]
    releases: [home_counts, client_counts, ruleless_counts, client_flags]
  3_report:
    title: Report
    kind: report
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    first = {Path(__file__).parent / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: first.get(item.path, len(first)))


@pytest.fixture(autouse=True)
def same_place() -> Iterator[None]:
    """Hold a test to leaving this process where it was: the next test would find another workbook."""
    before = read_place()
    yield
    assert read_place() == before


def read_place() -> tuple[Path, dict[str, str]]:
    return Path.cwd(), {name: value for name, value in os.environ.items() if name.startswith("COUNCILBOOK_")}


@pytest.fixture
def workbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workbook:
    """A workbook with the study `small`: two build notebooks and a report; open, shared and closed sources."""
    root = tmp_path / "book"
    for folder in ("data/catalogue", "notebooks/small"):
        (root / folder).mkdir(parents=True)
    (root / "data/catalogue/councils.yaml").write_text(COUNCILS, encoding="utf-8")
    shutil.copy(find_workbook(Path(__file__).parent).catalogue / "disclosure.yaml", root / "data/catalogue")
    (root / "data/catalogue/national.yaml").write_text(NATIONAL, encoding="utf-8")
    (root / "data/catalogue/small.yaml").write_text("sources: []", encoding="utf-8")
    (root / "notebooks/small/study.yaml").write_text(STUDY, encoding="utf-8")
    (root / "requirements.lock").write_text("pandas==3", encoding="utf-8")
    monkeypatch.setenv("COUNCILBOOK_ROOT", str(root))
    monkeypatch.syspath_prepend(Path(__file__).parent / "house")  # where the twins are
    return Workbook(root)


@pytest.fixture
def catalogue(workbook: Workbook) -> Catalogue:
    """The catalogue of the small workbook."""
    return load_catalogue(workbook)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Workbook:
    """Return a copy of the workbook run on its sample: as `make run` left it, or by whichever worker came first."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    made = shared / "sample-made"
    with FileLock(shared / "sample.lock"):
        if not made.exists():
            workbook = copy_workbook(tmp_path_factory.mktemp("sample-run"))
            copy_last_runs(workbook)
            done = run_councilbook(workbook, "run")
            assert done.returncode == 0, done.stdout + done.stderr
            workbook.root.rename(made)
    return Workbook(Path(shutil.copytree(made, tmp_path_factory.mktemp("sample") / "book")))
