"""The catalogue: what comes in and what goes out, for which council, in which study.

Reads data/catalogue and notebooks/<study>/study.yaml, and finds the file of a source. `fetching` is the only
module of the library that uses the network.
"""

from councilbook.catalogue.catalogue import Catalogue
from councilbook.catalogue.councils import Council
from councilbook.catalogue.entries.conduct import Agreement, Canvas, Point, Publisher
from councilbook.catalogue.entries.contents import Contents, Licence, canvas_schema, catalogue_schema, study_schema
from councilbook.catalogue.entries.datasets import Dataset
from councilbook.catalogue.entries.defaults import Default, fill_in_defaults
from councilbook.catalogue.entries.rules import (
    About,
    CountRule,
    Guarded,
    Held,
    Hierarchy,
    LinkedCount,
    MagnitudeRule,
    ModelRule,
    OpenSourcesOnly,
    RecordRule,
    RegisterRule,
    Rule,
)
from councilbook.catalogue.entries.sources import Areas, FieldSpec, Mode, Source, Table, Twin
from councilbook.catalogue.entries.studies import ComparisonSpec, NotebookSpec, PageSpec, ParameterSpec, StudySpec
from councilbook.catalogue.finding import Finder, FoundFile, TwinRequest, find_function
from councilbook.catalogue.fingerprints import hash_file, hash_files, hash_library, hash_text, list_files
from councilbook.catalogue.raw import Progress, check_kind, describe_manual_way, raw_path, read_checksums
from councilbook.catalogue.reading import CANVAS, load_catalogue, read_contents, read_publisher

__all__ = [
    "CANVAS",
    "About",
    "Agreement",
    "Areas",
    "Canvas",
    "Catalogue",
    "ComparisonSpec",
    "Contents",
    "Council",
    "CountRule",
    "Dataset",
    "Default",
    "FieldSpec",
    "Finder",
    "FoundFile",
    "Guarded",
    "Held",
    "Hierarchy",
    "Licence",
    "LinkedCount",
    "MagnitudeRule",
    "Mode",
    "ModelRule",
    "NotebookSpec",
    "OpenSourcesOnly",
    "PageSpec",
    "ParameterSpec",
    "Point",
    "Progress",
    "Publisher",
    "RecordRule",
    "RegisterRule",
    "Rule",
    "Source",
    "StudySpec",
    "Table",
    "Twin",
    "TwinRequest",
    "canvas_schema",
    "catalogue_schema",
    "check_kind",
    "describe_manual_way",
    "fill_in_defaults",
    "find_function",
    "hash_file",
    "hash_files",
    "hash_library",
    "hash_text",
    "list_files",
    "load_catalogue",
    "raw_path",
    "read_checksums",
    "read_contents",
    "read_publisher",
    "study_schema",
]
