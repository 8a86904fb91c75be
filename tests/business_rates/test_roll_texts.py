"""A text read in blocks gives the records that Python's csv gives, with the lines that they begin on."""

import gzip

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from councilbook.business_rates.ledger import texts
from councilbook.business_rates.ledger.texts import Text, find_encoding, read_blocks, read_records
from councilbook.business_rates.roll import files
from councilbook.business_rates.roll.reading import read_roll
from councilbook.errors import SourceError

HEADER = "Property Reference,Ratepayer,Address,Rateable Value,Postcode"


def gather(blocks):
    """Return records by the line that they begin on, and how many of them came by column."""
    found, by_column = {}, 0
    for block in blocks:
        if isinstance(block, list):
            found |= dict(block)
        else:
            starts, columns = block
            cells = [list(record) for record in zip(*(column.to_pylist() for column in columns), strict=True)]
            assert len(cells) == len(starts)
            found |= dict(zip(starts.to_pylist(), cells, strict=True))
            by_column += len(cells)
    return found, by_column


def pad(cells, width):
    return cells + [""] * (width - len(cells)) if not any(cells) else cells


CELLS = st.text(st.sampled_from('ab," \n\r;é\t'), max_size=6)


@settings(max_examples=300)
@given(
    text=st.lists(st.lists(CELLS, max_size=4).map(",".join), max_size=12).map("\n".join),
    ending=st.sampled_from(["\n", "\r\n"]),
    width=st.integers(2, 4),
    block=st.integers(1, 40),
)
@example(text='a,"b\nb",c\n1,2,3\n"x""y",2,3\n1,2\n\n4,5,6', ending="\n", width=3, block=7)
@example(text='x",  "y\n1,2\n"3\n4",5', ending="\n", width=2, block=5)
@example(text='x","y\nz",1\n2,3', ending="\n", width=2, block=5)
@example(text='1,2\n1,2\n3,x",4,"y\nz",5\n6,7', ending="\n", width=2, block=18)
@example(text='"a"b,c"d\n1,2', ending="\r\n", width=2, block=40)
def test_blocks_hold_the_records_of_pythons_csv(tmp_path_factory, text, ending, width, block):
    path = tmp_path_factory.mktemp("text") / "roll.csv"
    path.write_bytes(text.replace("\n", ending).encode("cp1252"))
    source = Text(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(texts, "BLOCK", block)
        try:
            expected = dict(read_records(source, "cp1252", ","))
        except SourceError as error:
            with pytest.raises(SourceError) as other:
                list(read_blocks(source, "cp1252", ",", width))
            assert str(other.value) == str(error)
            return
        found, _ = gather(read_blocks(source, "cp1252", ",", width))
    assert {row: pad(cells, width) for row, cells in found.items()} == {
        row: pad(cells, width) for row, cells in expected.items()
    }


@pytest.mark.parametrize("packed", [False, True])
def test_a_plain_text_is_read_by_column_and_what_is_ragged_one_by_one(tmp_path, monkeypatch, packed):
    monkeypatch.setattr(texts, "BLOCK", 200)
    rows = [f'{n},Firm {n},"{n}, High ""Street""\n Town",{n}00,é' for n in range(1, 41)]
    rows[20], rows[30] = "21,short", ""
    content = "\n".join([HEADER, *rows]).encode()
    path = tmp_path / "roll.csv"
    path.write_bytes(gzip.compress(content) if packed else content)
    found, by_column = gather(read_blocks(Text(path), "utf-8-sig", ",", 5))
    assert by_column == 39  # the header is one of them; the last line, which has no end, is none
    assert found[2] == ["1", "Firm 1", '1, High "Street"\n Town', "100", "é"]
    assert found[42] == ["21", "short"]
    assert found[43] == ["22", "Firm 22", '22, High "Street"\n Town', "2200", "é"]
    assert found == dict(read_records(Text(path), "utf-8-sig", ",")) | {61: [""] * 5}


@pytest.mark.parametrize("odd", ["1,Firm\rone,A,1,B", f"1,{'x' * 140_000},A,1,B", '1,"never closed,A,1,B'])
def test_what_is_not_plain_is_read_or_refused_as_python_does(tmp_path, odd):
    path = tmp_path / "roll.csv"
    path.write_text("\n".join([HEADER, *(["2,Firm,A,1,B"] * 30), odd, *(["3,Firm,A,1,B"] * 30)]), newline="")
    try:
        expected = dict(read_records(Text(path), "utf-8-sig", ","))
    except SourceError as error:
        with pytest.raises(SourceError) as other:
            list(read_blocks(Text(path), "utf-8-sig", ",", 5))
        assert str(other.value) == str(error)
        assert "row 32 " in str(error)
    else:
        assert gather(read_blocks(Text(path), "utf-8-sig", ",", 5))[0] == expected


def test_a_roll_is_the_same_by_block_and_record_by_record(tmp_path, monkeypatch):
    lines = [f"{n},Firm {n} Ltd,{n} High Street,{n}00,ML1 1AA" for n in range(1, 61)]
    lines[4] = "5,Firm 5 Ltd,5 High Street"
    lines[9] = "10,Firm 10 Ltd,10 High Street,many,ML1 1AA"
    lines[14] = ",,,,"
    lines[19] = "20,Firm 20 Ltd,20 High Street,2000,ML1 1AA,more"
    lines[24] = ""
    lines[29] = "30,n/a,,,"
    path = tmp_path / "roll.csv"
    path.write_text("\n".join(["A title", "", HEADER, *lines]) + "\n")
    fast = read_roll(path, run_date="2026-01-01")
    monkeypatch.setattr(
        files.texts, "read_blocks", lambda text, encoding, delimiter, _: [list(read_records(text, encoding, delimiter))]
    )
    slow = read_roll(path, run_date="2026-01-01")
    pd.testing.assert_frame_equal(fast.frame, slow.frame)
    pd.testing.assert_frame_equal(fast.aside, slow.aside)
    assert fast.source_rows.tolist() == slow.source_rows.tolist()
    assert fast.aside["row"].tolist() == [8, 13, 23, 33]
    assert fast.blank_rows == slow.blank_rows == 2
    assert fast.aside_cells == slow.aside_cells


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_text_is_read_with_its_mark_and_without(tmp_path, encoding):
    (tmp_path / "roll.csv").write_bytes(f"{HEADER}\n1,Café Ltd,1 High Street,900,ML1 1AA\n".encode(encoding))
    assert read_roll(tmp_path / "roll.csv", run_date="2026-01-01").frame["ratepayer_name"].tolist() == ["Café Ltd"]


@pytest.mark.parametrize(("content", "encoding"), [("é" * 9, "utf-8-sig"), ("é", "cp1252")])
def test_an_encoding_is_found_also_where_a_letter_lies_across_two_pieces(tmp_path, content, encoding):
    path = tmp_path / "roll.csv"
    path.write_bytes(b"a" * (2**20 - 1) + content.encode(encoding.removesuffix("-sig")) + b"b" * 2**20)
    assert find_encoding(Text(path)) == encoding
