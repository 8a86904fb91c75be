"""A roll is read whatever its layout, no row is lost, and what cannot be told is said."""

import gzip
import json
from datetime import date

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from councilbook.business_rates.roll.columns import map_header, normalise_header
from councilbook.business_rates.roll.reading import MEMORY_LIMIT, read_roll, read_rolls
from councilbook.business_rates.roll.rules import (
    COLUMNS,
    FUTURE,
    HEADER_AGAIN,
    NO_REFERENCE,
    NO_VALUE,
    OTHER_CONTENT,
    OTHER_RELIEF,
    OUTSIDE,
    SAME_ROW,
    TOO_FEW_CELLS,
    TOO_MANY_CELLS,
    ZERO_VALUE,
    convert_cells,
    open_rules,
)
from councilbook.errors import CheckError, SourceError

HEADER = "Property Reference Number,Ratepayer,Address,Postcode,VOA description,Rateable value,Liability start date"
ROW = "{0},Acme {0} Ltd,{0} High Street,ML1 1AA,Shop and premises,{1},2017-04-01"
WORSE = (  # the 21 columns of a file that was made worse on purpose, to train on
    "PlaceRef,FOIName,PropAddress1,PropAddress2,PropAddress3,PropAddress4,PropAddress5,PropPostCode,PropDesc,RateableVal,"
    "MandRlfCd,MandRlf,DiscRlfCd,DiscRlf,AddRlfCd,AdditionalRlf,LiabStart,RenewableRV,RnwEn,SBRFlag,ChgType"
)


def rows(count, first=1):
    return [ROW.format(number, 1000 * number) for number in range(first, first + count)]


def found(header):
    return {column.header.strip(): column.target for column in map_header(header.split(",")) if column.target}


# --- cells


@given(st.dates(date(1800, 1, 1), date(2099, 12, 31)))
@settings(max_examples=60, deadline=None)
def test_dates_are_read_in_every_way_that_councils_write_them(rules, day):
    written = [
        day.isoformat(),
        f"{day:%d/%m/%Y}",
        f"{day.day}/{day.month}/{day.year}",
        f"{day:%d-%m-%Y}",
        f"{day:%d.%m.%Y}",
        f"{day:%d %B %Y}",
        f"{day:%d-%b-%Y}",
        f"{day:%d/%m/%Y} 00:00:00",
        f"{day.isoformat()}T00:00:00Z",
    ]
    assert list(convert_cells(rules, written, "day")) == [pd.Timestamp(day)] * len(written)
    assert convert_cells(rules, [f"{day:%m/%d/%Y}"], "month_day")[0] == pd.Timestamp(day)


@given(st.lists(st.text(max_size=12), max_size=30))
@settings(max_examples=30, deadline=None)
def test_no_text_stops_the_rules_or_makes_a_date_out_of_a_number(rules, texts):
    for kind in ("text", "number", "money", "day", "month_day", "postcode", "flag"):
        assert len(convert_cells(rules, texts, kind)) == len(texts)
    assert convert_cells(rules, ["14750", "2019-02-30", "0001-01-01", "Land"], "day").isna().all()


@given(st.integers(-(10**10), 10**12))
@settings(max_examples=60, deadline=None)
def test_money_is_read_in_every_way_that_councils_write_it(rules, pence):
    pounds = pence / 100
    written = [f"{pounds:.2f}", f"{pounds:,.2f}", f"£{pounds:,.2f}".replace("£-", "-£"), f" {pounds:.2f} "]
    if pence < 0:
        written.append(f"(£{-pounds:,.2f})")
    assert list(convert_cells(rules, written, "money")) == pytest.approx([pounds] * len(written))


@pytest.mark.parametrize("text", ["1,23", "NaN", "inf", "12 shops", "1.234,56", "", "LS2", "--5", "0x10"])
def test_what_is_no_money_is_missing(rules, text):
    assert convert_cells(rules, [text], "money").isna().all()


LETTERS, INWARD = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "ABDEFGHJLNPQRSTUWXYZ"


@given(st.from_regex(rf"\A[{LETTERS}]{{1,2}}[0-9][{LETTERS}0-9]?\Z"), st.from_regex(rf"\A[0-9][{INWARD}]{{2}}\Z"))
@settings(max_examples=60, deadline=None)
def test_postcodes_are_written_one_way(rules, outward, inward):
    written = [
        outward + inward,
        f"{outward} {inward}",
        f" {outward.lower()}  {inward.lower()} ",
        f"{outward}\u00a0{inward}",
    ]
    assert list(convert_cells(rules, written, "postcode")) == [f"{outward} {inward}"] * 4


@pytest.mark.parametrize("text", ["HX", "ML1", "M1 1A", "1ML 1AA", "ML1 1AAA", "2013-01-07"])
def test_what_is_no_postcode_is_missing(rules, text):
    assert convert_cells(rules, [text], "postcode").isna().all()


# --- the frame


def test_a_roll_has_all_columns_typed_and_those_not_published_missing(read):
    roll = read(HEADER, *rows(6))
    assert list(roll.frame) == list(COLUMNS)
    first = roll.frame.iloc[0]
    assert (first["property_reference"], first["ratepayer_name"], first["postcode"]) == ("1", "Acme 1 Ltd", "ML1 1AA")
    assert (first["rateable_value_gbp"], first["liability_start_date"]) == (1000, pd.Timestamp("2017-04-01"))
    assert roll.frame["is_occupied"].isna().all() and roll.frame["is_occupied"].dtype == "boolean"
    assert (roll.encoding, roll.delimiter, roll.header_row) == ("utf-8-sig", "comma", 1)
    assert list(roll.source_rows) == [2, 3, 4, 5, 6, 7]
    assert roll.warnings == []


@pytest.mark.parametrize(("delimiter", "name"), [(",", "comma"), (";", "semicolon"), ("\t", "tab"), ("|", "pipe")])
def test_the_delimiter_is_tried_out_and_said(read, delimiter, name):
    roll = read(HEADER.replace(",", delimiter), *[row.replace(",", delimiter) for row in rows(6)])
    assert (len(roll.frame), roll.delimiter) == (6, name)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_encodings_of_councils_are_read(read, encoding):
    roll = read(HEADER, *rows(6), "7,Café – “Été” Ltd,7 High Street,ML1 1AA,Café,£700,2017-04-01", encoding=encoding)
    assert roll.frame["ratepayer_name"].iloc[-1] == "Café – “Été” Ltd"
    assert roll.frame["rateable_value_gbp"].iloc[-1] == 700


def test_what_is_no_text_is_refused(read, tmp_path):
    with pytest.raises(SourceError, match="NUL byte, as a damaged file has, or one in UTF-16"):
        read(HEADER, *rows(6), "\0")
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress("\n".join([HEADER, *rows(500)]).encode())[:-900])
    with pytest.raises(SourceError, match="cannot be read or unpacked"):
        read_roll(tmp_path / "cut.csv.gz", run_date="2026-01-01")
    with pytest.raises(SourceError, match="none of its first 40 rows is the header of a roll"):
        read("a,b,c", "1,2,3")


def test_columns_that_blanks_line_up_are_refused_in_words(read):
    cells = [line.split(",") for line in (HEADER, *rows(6))]
    with pytest.raises(SourceError, match=r"\(fixed width\).*with a delimiter \(comma, semicolon, tab, pipe\)"):
        read(*("".join(cell.ljust(30) for cell in line) for line in cells))


def test_the_header_may_stand_below_a_title(read):
    roll = read("Non-domestic rates,,,", "", "Published,2019-04-01", HEADER, *rows(6))
    assert (roll.header_row, len(roll.frame), roll.rows_in_file) == (4, 6, 6)


def test_gzip_and_quoted_text_with_line_ends_are_read(tmp_path):
    path = tmp_path / "roll.csv.gz"
    text = [HEADER, *rows(5), '6,Acme Ltd,"Unit 1,\n""The Yard"", Mill Road",ML1 1AA,Shop,500,2017-04-01', *rows(1, 7)]
    path.write_bytes(gzip.compress("\n".join(text).encode()))
    roll = read_roll(path, run_date="2026-01-01")
    assert roll.frame["address"].iloc[5] == 'Unit 1,\n"The Yard", Mill Road'
    assert list(roll.source_rows) == [2, 3, 4, 5, 6, 7, 9]


def test_a_quotation_mark_that_is_not_closed_is_told(read):
    with pytest.raises(SourceError, match="row 7 runs over 20 lines"):
        read(HEADER, *rows(5), '6,"Acme', *rows(40, 7))


# --- kept aside


ASIDE = {
    "2,Acme,High Street,ML1 1AA,Shop,0,2017-04-01": (ZERO_VALUE, "rateable_value_gbp"),
    "2,Acme,High Street,ML1 1AA,Shop,,2017-04-01": (NO_VALUE, "rateable_value_gbp"),
    "2,Acme,High Street,ML1 1AA,Shop,LS2,2017-04-01": ("no number", "rateable_value_gbp"),
    "2,Acme,High Street,ML1 1AA,Shop,500,2026-01-02": (FUTURE, "liability_start_date"),
    "2,Acme,High Street,ML1 1AA,Shop,500,Land": ("no date", "liability_start_date"),
    ",Acme,High Street,ML1 1AA,Shop,500,2017-04-01": (NO_REFERENCE, "property_reference"),
    "2,Acme,High Street,ML1 1AA,Shop,500,2017-04-01,more": (TOO_MANY_CELLS, ""),
    "2,Acme,High Street,Shop,500,2017-04-01": (f"{TOO_FEW_CELLS} no number", "rateable_value_gbp"),
    HEADER: (HEADER_AGAIN, ""),
    ROW.format(1, 1000): (SAME_ROW, "property_reference"),
    ROW.format(1, 7000): (OTHER_CONTENT, "property_reference"),
}


@pytest.mark.parametrize("row", ASIDE)
def test_a_row_that_does_not_fit_is_kept_aside_with_its_reason_and_cells(read, row):
    roll = read(HEADER, *rows(1), row, *rows(6, 11))
    assert len(roll.frame) == 7
    assert roll.aside.to_dict("records") == [{"row": 3, "reason": ASIDE[row][0], "column": ASIDE[row][1]}]
    assert roll.aside_cells == {3: row.split(",")}
    assert "Acme" not in roll.aside.to_csv() + roll.mapping.to_csv() + roll.count_rows().to_csv()


def test_a_bad_postcode_alone_keeps_the_row(read):
    roll = read(HEADER, *rows(6), ROW.format(7, 7000).replace("ML1 1AA", "HX"))
    assert len(roll.frame) == 7 and pd.isna(roll.frame["postcode"].iloc[-1])


def test_trailing_commas_and_cells_cut_off_do_no_harm(read):
    roll = read(
        HEADER, ROW.format(1, 1000) + ",,,", "2,Acme Ltd,High Street,ML1 1AA,Shop,500", *rows(4, 3), ",,,,,", "", " "
    )
    assert (len(roll.frame), len(roll.aside), roll.blank_rows, roll.rows_in_file) == (6, 0, 3, 9)


@given(st.lists(st.sampled_from([*ASIDE, ROW.format(5, 900), ROW.format(6, 900), "", ",,,"]), max_size=15))
@settings(max_examples=25, deadline=None)
def test_no_row_is_lost(tmp_path_factory, added):
    path = tmp_path_factory.mktemp("rolls") / "roll.csv"
    path.write_text("\n".join([HEADER, *rows(4, 20), *added, ""]), encoding="utf-8")
    roll = read_roll(path, run_date="2026-01-01")
    assert roll.rows_in_file == 4 + len(added)
    assert len(roll.frame) + len(roll.aside) + roll.blank_rows == roll.rows_in_file
    assert set(roll.aside["row"]) == set(roll.aside_cells)
    assert not set(roll.aside["row"]) & set(roll.source_rows)
    assert roll.count_rows()["rows"].sum() == roll.rows_in_file
    assert roll.frame["property_reference"].is_unique


def test_coordinates_outside_the_country_are_kept_aside_and_zeros_are_missing(read):
    header = HEADER + ",Latitude,Longitude"
    roll = read(
        header, *[f"{row},55.8,-3.9" for row in rows(6)], ROW.format(7, 700) + ",0,0", ROW.format(8, 800) + ",3.9,-3"
    )
    assert roll.aside["reason"].tolist() == [OUTSIDE]
    assert roll.frame["latitude"].isna().tolist() == [False] * 6 + [True]


def test_rows_for_several_reliefs_of_a_property_become_one(read):
    header = HEADER + ",Relief types"
    one = ROW.format(9, 900)
    roll = read(header, *[f"{row}," for row in rows(5)], f"{one},Small Business Relief", f"{one},Retail Discount",
                f"{one},Pub Relief")  # fmt: skip
    last = roll.frame.iloc[-1]
    assert (last["small_business_relief"], last["other_relief"]) == (
        "Small Business Relief",
        "Retail Discount; Pub Relief",
    )
    assert roll.aside["reason"].tolist() == [OTHER_RELIEF] * 2


# --- reliefs and occupation


def test_reliefs_go_where_their_words_say(read):
    header = HEADER + ",Mandatory Reliefs,Disc %,Retail Relief,SBRR Y/N"
    cells = ["Small Business Rate Relief,,,N", "Charity,20,,", ",0,Yes,n", "Discretionary Top Up; Mandatory,,,Y", ",,,"]
    frame = read(header, *[f"{row},{more}" for row, more in zip(rows(5), cells, strict=True)]).frame
    shown = frame[["small_business_relief", "mandatory_relief", "discretionary_relief", "other_relief"]].fillna("-")
    assert shown.to_numpy().tolist() == [
        ["Small Business Rate Relief", "-", "-", "-"],
        ["-", "Charity", "Disc %: 20", "-"],
        ["-", "-", "-", "Retail Relief"],
        ["SBRR", "Discretionary Top Up; Mandatory", "Discretionary Top Up; Mandatory", "-"],
        ["-", "-", "-", "-"],
    ]


def test_each_relief_has_the_amount_of_its_own_number_and_one_without_words_is_told_as_it_is(read):
    header = HEADER + ",Relief 1 Type,Relief 1 Amount,Relief 2 Amount,Relief 2 Type"
    cells = ["Charity,4000.00,50.50,Hardship", "SBRR,0.00,,", ",-12.00,3.50,", "A & B,7,9,Enterprise Zone", ",,,"]
    frame = read(header, *[f"{row},{more}" for row, more in zip(rows(5), cells, strict=True)]).frame
    names = ["small_business_relief", "mandatory_relief", "discretionary_relief", "other_relief"]
    assert frame[names].fillna("-").to_numpy().tolist() == [
        ["-", "Charity: £4000.00", "Hardship: £50.50", "-"],
        ["SBRR", "-", "-", "-"],
        ["-", "-", "-", "Relief 1 Amount: -12.00; Relief 2 Amount: 3.50"],
        ["-", "-", "-", "A & B; Enterprise Zone: £9.00"],  # of two kinds in a cell, whose 7 is
        ["-", "-", "-", "-"],
    ]


@pytest.mark.parametrize(("header", "cell", "occupied"), [
    ("Occupied", "Y", True), ("Occupied/Void", "Void", False), ("Empty Y/N", "N", True),
    ("Emptty Property", "Empty", False), ("Currently empty", "1", False),
    ("Gwag / Empty", "Nac ydy/No", True), ("Occupied", "", None),
])  # fmt: skip
def test_occupation_is_read_from_either_side(read, header, cell, occupied):
    frame = read(f"{HEADER},{header}", *[f"{row},{cell}" for row in rows(6)]).frame
    assert frame["is_occupied"].isna().all() if occupied is None else (frame["is_occupied"] == occupied).all()


def test_dates_with_the_month_first_are_noticed_and_said(read):
    days = ["06/15/18", "04/01/17", "12/31/16", "01/02/15", "03/30/14"]
    roll = read(f"{HEADER},Empty from", *[f"{row},{day}" for row, day in zip(rows(5), days, strict=True)])
    assert roll.frame["empty_since_date"].iloc[3] == pd.Timestamp("2015-01-02")
    assert "Its dates have the month first." in set(roll.mapping["note"])


def test_a_spreadsheet_s_numbers_of_days_are_read_where_a_header_says_that_they_are_dates(read):
    days = ["43266", "42826", "42735.5", "42006", "41728"]
    roll = read(f"{HEADER},Empty from", *[f"{row},{day}" for row, day in zip(rows(5), days, strict=True)])
    assert roll.frame["empty_since_date"].iloc[3] == pd.Timestamp("2015-01-02")
    assert roll.warnings == ["Empty from: Its dates are a spreadsheet's numbers of days. Please confirm."]
    days = ["06/15/18", "04/01/17", "12/31/16", "01/02/15", "03/30/14", "soon"]
    roll = read(f"{HEADER},Empty from", *[f"{row},{day}" for row, day in zip(rows(6), days, strict=True)])
    assert roll.aside["reason"].tolist() == ["no date"]


def test_a_cell_that_most_rows_lack_is_found_and_said(read):
    header = f"{HEADER},Occupied,Empty from,Full Sbr"
    short = [f"{row},Y,Y" for row in rows(40)]  # there is no cell for "Empty from"
    roll = read(header, *short, ROW.format(90, 900) + ",N,2019-01-01,")
    assert set(roll.frame["small_business_relief"].dropna()) == {"Full Sbr"} and len(roll.frame) == 41
    assert roll.frame["empty_since_date"].notna().sum() == 1
    assert roll.warnings == ["Empty from: Warning: rows of 9 cells lack it."]


# --- the mapping


@pytest.mark.parametrize("header", [
    "Ref,Address,Postcode,Name,Address,Postcode,RV", "Name,Address,Postcode,Ref,Address,Postcode,RV"
])  # fmt: skip
def test_a_second_address_that_may_be_the_ratepayer_s_is_an_error(header):
    with pytest.raises(CheckError, match=r"are both an address.*the ratepayer's own address"):
        map_header(header.split(","))
    series = found("Ref,Address,Address,Address,Postcode,Name,RV")
    assert series["Address"] == "address"


def test_headers_are_normalised():
    assert normalise_header("PropAddress1 ") == "prop address 1"
    assert normalise_header("Disc %") == "disc pct"


def test_the_layout_that_was_made_worse_is_mapped_whole(read):
    mapped = found(WORSE)
    assert [mapped[f"PropAddress{number}"] for number in range(1, 6)] == ["address"] * 5
    assert (mapped["PlaceRef"], mapped["FOIName"], mapped["PropDesc"]) == (
        "property_reference", "ratepayer_name", "description")  # fmt: skip
    row = "10{0},Acme {0} Ltd,{0} Mill Road,,Wishaw,,,ML2 7AA,Shop and Premises,£1{0}00.00,,,,,,,01-Apr-2017,,N,Y,O"
    frame = read(WORSE, *[row.format(number) for number in range(6)]).frame
    assert frame["address"].tolist() == [f"{number} Mill Road, Wishaw" for number in range(6)]
    assert (frame["small_business_relief"] == "SBRFlag").all() and frame["rateable_value_gbp"].sum() == 7500


def test_a_mapping_is_kept_given_back_and_held_against_the_file(read, tmp_path):
    first = read(HEADER, *rows(6))
    kept = json.loads(json.dumps(first.stored_mapping))
    again = read(HEADER, *rows(6), mapping=kept)
    pd.testing.assert_frame_equal(first.frame, again.frame)
    assert set(again.mapping["found"]) == {"confirmed"}
    new = read(f"{HEADER},Phone", *[f"{row},01698 1" for row in rows(6)], mapping=kept)
    assert new.warnings == ["Phone: Looks like personal data: it is left out."]
    with pytest.raises(CheckError, match="has no column 'VOA description'"):
        read(HEADER.replace("VOA description", "Kind"), *rows(6), mapping=kept)
    with pytest.raises(CheckError, match="Did you mean postcode"):
        read(HEADER, *rows(6), mapping={**kept, "Postcode": "postcod"})
    with pytest.raises(CheckError, match="both as postcode"):
        read(HEADER, *rows(6), mapping={**kept, "Address": "postcode"})


def test_headers_that_nobody_used_yet_are_guessed(read):
    header = (
        "Hereditament Ref,Liable Party Name,Premises Address Line 1,PostCode,Rateable Values,Property Type,Void Since"
    )
    roll = read(header, *[f"{n},Acme {n} Ltd,{n} Mill Road,ML1 1AA,{n}000,Shop,2019-01-01" for n in range(1, 7)])
    assert dict(zip(roll.mapping["file_column"], roll.mapping["column"], strict=True)) == {
        "Hereditament Ref": "property_reference",
        "Liable Party Name": "ratepayer_name",
        "Premises Address Line 1": "address",
        "PostCode": "postcode",
        "Rateable Values": "rateable_value_gbp",
        "Property Type": "description",
        "Void Since": "empty_since_date",
    }
    assert (roll.mapping["found"] == "guessed from header").sum() >= 4


def test_columns_are_guessed_from_their_cells_and_the_council_is_asked(read):
    header = "Property Reference,Who,Where,Code,Liable from,Address,How much"
    cells = [f"{n},Acme {n} Ltd,ML{n} 1AA,x,2017-04-01,{n} Mill Road,{1000 * (n % 3 + 1)}" for n in range(1, 10)]
    roll = read(header, *cells)
    told = roll.mapping.set_index("file_column")
    assert told.loc[["Who", "Where", "How much"], "column"].tolist() == [
        "ratepayer_name",
        "postcode",
        "rateable_value_gbp",
    ]
    assert (told.loc[["Who", "Where", "How much"], "found"] == "guessed from cells").all()
    assert [warning.split(":")[0] for warning in roll.warnings] == ["Who", "Where", "Code", "How much"]


def test_two_columns_that_could_be_one_are_not_guessed_between(read):
    header = "Property Reference,Address,Liable from,First,Second"
    roll = read(header, *[f"{n},{n} Mill Road,2017-04-01,{1000 + n % 3},{2000 + n % 3}" for n in range(1, 10)])
    assert roll.frame["rateable_value_gbp"].isna().all()
    assert [warning.split(":")[0] for warning in roll.warnings] == ["First", "Second"]


@pytest.mark.parametrize("header", [
    HEADER.replace("VOA description", "Account Holder"), HEADER.replace("VOA description", "RV"),
])  # fmt: skip
def test_two_headers_for_one_column_are_an_error(read, header):
    with pytest.raises(CheckError, match="could both be"):
        read(header, *rows(6))


def test_a_second_column_of_the_same_name_is_said(read):
    roll = read(f"{HEADER},Empty from,Empty from", *[f"{row},,2019-01-01" for row in rows(6)])
    assert roll.warnings == [
        "Empty from: Warning: a second column of this name; the first is read as empty_since_date."
    ]
    assert "Empty from (2)" in roll.stored_mapping


PEOPLE = ["Ann Lee", "Bob Ray", "Cat Fox", "Dan Poe", "Eve Orr", "Fay Kay", "Gus Low"]


@pytest.mark.parametrize("names", [[f"Acme {n} Ltd" for n in range(7)], [f"Mrs {name}" for name in PEOPLE], PEOPLE])
@pytest.mark.parametrize("column", ["VOA description", "Property Reference Number", "Exemptions"])
def test_names_of_ratepayers_under_another_header_are_an_error_that_shows_none(read, names, column):
    header = f"{HEADER},Exemptions"
    place = header.split(",").index(column)
    table = [[*row.split(","), ""] for row in rows(7)]
    for cells, name in zip(table, names, strict=True):
        cells[place] = name
    with pytest.raises(CheckError, match="look like names of ratepayers") as error:
        read(header, *[",".join(cells) for cells in table])
    assert not any(name in str(error.value) for name in names)


def test_a_few_kinds_of_exemption_are_no_names(read):
    kinds = ["Listed Building", "Rateable Value", "Company Insolvent", "Administration", "Rateable Value"]
    roll = read(f"{HEADER},Exemptions", *[f"{row},{kind}" for row, kind in zip(rows(5), kinds, strict=True)])
    assert roll.frame["exemption"].tolist() == kinds


def test_a_column_of_something_else_is_an_error(read):
    with pytest.raises(CheckError, match="'Latitude' was taken for latitude, but only 0%"):
        read(f"{HEADER},Latitude", *[f"{row},2019-01-01" for row in rows(6)])


def test_coordinates_under_each_other_s_header_are_an_error(read):
    with pytest.raises(CheckError, match="'Latitude' was taken for latitude, but only 0%"):
        read(f"{HEADER},Latitude,Longitude", *[f"{row},-3.9,55.8" for row in rows(6)])


def test_many_rows_aside_are_a_warning(read):
    roll = read(HEADER, *rows(6), *[ROW.format(number, 0) for number in (7, 8)])
    assert roll.warnings == ["Warning: 2 of 8 rows are kept aside, most for: rateable value 0."]


def test_personal_columns_are_reported_and_never_carried(read):
    header = f"{HEADER},Email,Remarks"
    lines = [f"{row},{n}@example.org,Mr X{n}" for n, row in enumerate(rows(6))]
    roll = read(header, *lines)
    assert roll.warnings == [f"{name}: Looks like personal data: it is left out." for name in ("Email", "Remarks")]
    assert not roll.frame.astype("string").apply(lambda column: column.str.contains("@|Mr X").any()).any()


def test_cells_without_a_header_are_reported(read):
    roll = read(f"{HEADER},,", *[f"{row},,x" for row in rows(6)])
    assert len(roll.frame) == 6 and roll.warnings == ["column 9: Warning: cells without a header; they are left out."]


def test_without_a_reference_the_assessors_is_taken_or_the_row(read):
    own = read(HEADER.replace("Property Reference Number", "BA reference"), *rows(6))
    assert own.frame["property_reference"].equals(own.frame["ba_reference"].rename("property_reference"))
    none = read(HEADER.removeprefix("Property Reference Number,"), *[row.split(",", 1)[1] for row in rows(6)])
    assert none.frame["property_reference"].tolist() == [f"row {number} of 2026-01-01" for number in range(2, 8)]
    assert "Made from the number of the row" in none.warnings[0]


def test_without_a_postcode_column_it_is_read_from_the_address(read):
    header = HEADER.replace(",Postcode", "")
    lines = [f'{n},Acme Ltd,"{n} Mill Road, ML{n} 1aa",Shop,500,2017-04-01' for n in range(1, 7)]
    roll = read(header, *lines)
    assert roll.frame["postcode"].tolist() == [f"ML{n} 1AA" for n in range(1, 7)]


def test_the_date_of_the_run_must_be_one(read):
    with pytest.raises(CheckError, match="expected a day"):
        read(HEADER, *rows(6), run_date="1 May")


# --- many councils


def test_many_rolls_go_into_one_file_by_the_same_rules(tmp_path):
    paths = {"S12000050": tmp_path / "a.csv", "E08000032": tmp_path / "b.csv"}
    lines = [HEADER, *rows(6), *ASIDE, ROW.format(3, 3000).replace("Acme 3 Ltd", ""), ",,,"]
    paths["S12000050"].write_text("\n".join(lines), encoding="utf-8")
    paths["E08000032"].write_text(
        "\n".join([HEADER.replace(",", ";"), *[r.replace(",", ";") for r in rows(9)]]), "utf-8"
    )
    rolls = read_rolls(paths, tmp_path / "Cllr's out", run_date="2026-01-01", memory_limit="200MB")
    written, aside = pd.read_parquet(rolls.path), pd.read_parquet(rolls.aside_path)
    for council, path in paths.items():
        alone = read_roll(path, run_date="2026-01-01")
        own = written[written["council"] == council].sort_values("source_row").reset_index(drop=True)
        pd.testing.assert_frame_equal(own[list(COLUMNS)].astype(alone.frame.dtypes), alone.frame)
        kept_aside = aside[aside["council"] == council].sort_values("row").reset_index(drop=True)
        assert kept_aside[["row", "reason", "column"]].to_dict("records") == alone.aside.to_dict("records")
        assert [list(cells) for cells in kept_aside["cells"]] == [alone.aside_cells[row] for row in alone.aside["row"]]
    counts = rolls.counts.set_index("council").loc["S12000050"]
    assert counts["rows_in_file"] == len(lines) - 1 == counts[["kept", "aside", "blank"]].sum()
    assert sorted(path.name for path in (tmp_path / "Cllr's out").iterdir()) == ["aside.parquet", "roll.parquet"]


def test_nothing_is_written_if_a_council_s_file_is_at_fault(tmp_path):
    (tmp_path / "a.csv").write_text("\n".join([HEADER, *rows(6)]), encoding="utf-8")
    (tmp_path / "b.csv").write_text("nothing", encoding="utf-8")
    with pytest.raises(SourceError, match=r"b\.csv"):
        read_rolls({"a": tmp_path / "a.csv", "b": tmp_path / "b.csv"}, tmp_path / "out", run_date="2026-01-01")
    assert list((tmp_path / "out").iterdir()) == []


def test_rules_are_opened_within_the_memory_folder_and_threads_that_are_given(tmp_path):
    def read_settings(database):
        names = ("memory_limit", "temp_directory", "threads")
        sql = f"SELECT {', '.join(f'current_setting({name!r})' for name in names)}"
        return database.execute(sql).fetchall()[0]

    with open_rules(memory_limit="300MiB", temp_directory=str(tmp_path), threads="1") as database:
        assert read_settings(database) == ("300.0 MiB", str(tmp_path), 1)
    with open_rules() as database:
        assert read_settings(database)[1:] == ("", 2)  # without a folder nothing spills to a disk


def test_many_rolls_are_read_within_the_memory_that_is_given(tmp_path, monkeypatch):
    opened = []

    def open_and_note(**given):
        opened.append(given["memory_limit"])
        return open_rules(**given)

    monkeypatch.setattr("councilbook.business_rates.roll.reading.open_rules", open_and_note)
    (tmp_path / "a.csv").write_text("\n".join([HEADER, *rows(6)]), encoding="utf-8")
    for more in ({}, {"memory_limit": "150MB"}):
        read_rolls({"a": tmp_path / "a.csv"}, tmp_path / "out", run_date="2026-01-01", **more)
    assert opened == [MEMORY_LIMIT, "150MB"]
