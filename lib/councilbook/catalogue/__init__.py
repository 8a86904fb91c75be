"""The catalogue: what comes in and what goes out, for which council, in which study.

Reads data/catalogue and notebooks/<study>/study.yaml, and finds the file of a source. `fetching` is the only
module of the library that uses the network.
"""

from councilbook.catalogue.fetching import Progress, check_kind, describe_manual_way, fetch, raw_path, read_checksums
from councilbook.catalogue.finding import Finder, FoundFile, TwinRequest
from councilbook.catalogue.fingerprints import hash_file, hash_files, hash_library, hash_text, list_files
from councilbook.catalogue.reading import (
    Catalogue,
    catalogue_schema,
    fill_in_defaults,
    load_catalogue,
    read_contents,
)
from councilbook.catalogue.rules import (
    CountRule,
    Default,
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
from councilbook.catalogue.schema import (
    Areas,
    Contents,
    Council,
    Dataset,
    FieldSpec,
    Licence,
    Mode,
    NotebookSpec,
    ParameterSpec,
    Source,
    StudySpec,
    Table,
    Twin,
    study_schema,
)

__all__ = [
    "Areas",
    "Catalogue",
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
    "ParameterSpec",
    "Progress",
    "RecordRule",
    "RegisterRule",
    "Rule",
    "Source",
    "StudySpec",
    "Table",
    "Twin",
    "TwinRequest",
    "catalogue_schema",
    "check_kind",
    "describe_manual_way",
    "fetch",
    "fill_in_defaults",
    "hash_file",
    "hash_files",
    "hash_library",
    "hash_text",
    "list_files",
    "load_catalogue",
    "raw_path",
    "read_checksums",
    "read_contents",
    "study_schema",
]
