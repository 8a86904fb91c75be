"""What a council says its columns are comes back as it was written, and what cannot be read is told by its line."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from councilbook.errors import CheckError
from councilbook.sources.mappings import Inspection, read_mapping, write_mapping

TARGETS = {"address": "Address of the property", "rateable_value_gbp": "Rateable value"}


def inspect(mapping, notes=(), **more):
    pairs = zip(mapping.items(), notes, strict=False)
    shown = [(header, 1, target, "known header", 50.4, note) for (header, target), note in pairs]
    columns = pd.DataFrame(shown, columns=["file_column", "position", "column", "found", "fits_pct", "note"])
    return Inspection(columns, mapping, TARGETS, **more)


@given(
    mapping=st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1).map(str.strip).filter(bool),
        st.sampled_from([None, *TARGETS]),
    )
)
def test_any_header_comes_back_as_it_was_written(tmp_path_factory, mapping):
    file = tmp_path_factory.mktemp("closed") / "columns_ledger.yaml"
    assert write_mapping(file, inspect(mapping, ["Looks # odd\nhere"] * len(mapping)), "ledger.csv", force=False)
    assert read_mapping(file) == mapping


def test_the_file_says_how_it_is_corrected_and_what_there_is_to_choose(tmp_path):
    file = tmp_path / "columns_ledger.yaml"
    mapping = {"No: of": "address", "Yes": None}
    write_mapping(file, inspect(mapping, ["Please confirm.", ""], fault="Two columns."), "ledger.xlsx", force=False)
    lines = file.read_text().splitlines()
    assert lines[0] == "# What each column of ledger.xlsx is taken for. `councilbook columns` wrote this file."
    assert "#   rateable_value_gbp      Rateable value" in lines
    assert lines[lines.index("# As it stands, a run stops here:") + 1] == "#   Two columns."
    assert lines[-2:] == [
        "  'No: of': address  # known header; 50% of the cells fit; Please confirm.",
        "  'Yes': not used  # 50% of the cells fit",
    ]


def test_a_corrected_file_is_left_alone_unless_it_is_to_be_written_anew(tmp_path):
    file = tmp_path / "columns_ledger.yaml"
    file.write_text("columns:\n  Yes: address\n  2026: ~\n  Off: Not used\n  Nil:\n")
    assert not write_mapping(file, inspect({"A": None}), "ledger.csv", force=False)
    assert read_mapping(file) == {"Yes": "address", "2026": None, "Off": None, "Nil": None}
    assert write_mapping(file, inspect({"A": None}), "ledger.csv", force=True)
    assert read_mapping(file) == {"A": None}


def test_where_the_council_says_nothing_nothing_is_read(tmp_path):
    assert read_mapping(tmp_path / "columns_ledger.yaml") is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("columns:\n  A: b: c\n", "columns_ledger.yaml: not YAML that can be read in line 2"),
        ("columns:\n  A: address\n  B: address\n  A: ~\n", "columns_ledger.yaml, line 4: 'A' stands here twice"),
        ("columns:\n  A: [address]\n", "line 2: expected `header: column`"),
        ("A: address\n", "expected one key `columns`"),
        ("columns: A\n", "expected one key `columns`"),
        ("", "expected one key `columns`"),
    ],
)
def test_what_cannot_be_read_is_told_by_its_line(tmp_path, text, told):
    file = tmp_path / "columns_ledger.yaml"
    file.write_text(text)
    with pytest.raises(CheckError) as error:
        read_mapping(file)
    assert told in str(error.value)


def test_bytes_that_are_no_text_are_told(tmp_path):
    file = tmp_path / "columns_ledger.yaml"
    file.write_bytes(b"columns:\n  A\xe9: address\n")
    with pytest.raises(CheckError, match="not YAML that can be read"):
        read_mapping(file)
