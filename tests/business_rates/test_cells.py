"""What the cells of a roll say: what a spreadsheet spoilt, totals, states, reliefs, and names that go on."""

from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from councilbook.business_rates.roll.rules import LOST_REFERENCE, PAST, TOTAL, convert_cells
from councilbook.errors import CheckError

HEADER = "Property Ref,Ratepayer,Address,Postcode,Description,RV,Liable From"
ROW = "{0},Acme {0} Ltd,{0} Mill Road,ML1 1AA,SHOP AND PREMISES,{1},2017-04-01"


@pytest.fixture
def read(read):
    return partial(read, run_date="2026-11-23")  # the lists of 2026 are in force


def rows(count, first=400):
    return [ROW.format(number, 1000 + 7 * number) for number in range(first, first + count)]


def add(column, cells, lines=None):
    """Add a column with these cells to a header and rows."""
    return [
        f"{HEADER},{column}",
        *[f"{row},{cell}" for row, cell in zip(lines or rows(len(cells)), cells, strict=True)],
    ]


# --- references


def with_references(*references):
    return [HEADER, *[ROW.format("x", 500 + n).replace("x,", f"{one},", 1) for n, one in enumerate(references)]]


def test_references_that_a_spreadsheet_dressed_up_are_mended(read):
    roll = read(
        *with_references("'0664302", "’0664303", '"=""0664304"""', "100000.0", "664305.00", "6.64306E+05", "66/7")
    )
    assert roll.frame["property_reference"].tolist() == [
        "0664302", "0664303", "0664304", "100000", "664305", "664306", "66/7",
    ]  # fmt: skip


def test_decimals_that_tell_references_apart_stay(read):
    roll = read(*with_references("12345.0", "12345.1", "12346.0", "12347.0", "12348.0", "12349.0"))
    assert roll.frame["property_reference"].tolist()[:2] == ["12345.0", "12345.1"]


@pytest.mark.parametrize("lost", [
    [f"2.0507{n}E+12" for n in range(8)], ["2.05079E+12"] * 8, ["########"] * 8,
    [f"12345678901234{n}00" for n in range(8)],
])  # fmt: skip
def test_references_that_lost_digits_are_refused_and_not_called_repeated(read, lost):
    with pytest.raises(
        CheckError, match=r"'Property Ref': a spreadsheet has rounded 8 of 8 references .* as text"
    ) as error:
        read(*with_references(*lost))
    assert "repeated" not in str(error.value) and "again, with other" not in str(error.value)


def test_one_reference_that_lost_digits_among_many_goes_aside_for_that_reason(read):
    roll = read(*with_references(*range(7000, 7060), "2.05079E+12", "2.05079E+12"))
    assert roll.aside["reason"].tolist() == [LOST_REFERENCE] * 2
    assert len(roll.frame) == 60


@given(st.integers(10, 10**12))
@settings(max_examples=40, deadline=None)
def test_a_number_that_kept_its_digits_is_the_same_reference_in_each_dress(rules, number):
    exact = f"{number:.12e}".replace("e", "E")
    mended = convert_cells(rules, [str(number), f"'{number}", f"{number}.0", exact], "reference")
    assert set(mended) == {str(number)}


def test_a_column_without_a_known_header_is_the_reference_if_its_cells_tell_rows_apart(read):
    lines = rows(8)
    roll = read(HEADER.replace("Property Ref", "Billing key"), *lines)
    assert roll.frame["property_reference"].tolist() == [str(number) for number in range(400, 408)]
    assert roll.warnings == ["Billing key: Please confirm."]


@pytest.mark.parametrize(("header", "first"), [("No", 1), ("ID", 1), ("Account No", 400), ("Row", 1)])
def test_a_count_of_rows_or_the_number_of_an_account_is_no_reference(read, header, first):
    roll = read(HEADER.replace("Property Ref", header), *rows(8, first))
    assert roll.frame["property_reference"].tolist()[0] == "row 2 of 2026-11-23"
    assert any("nothing is followed from one version to the next" in line for line in roll.warnings)


def test_property_over_numbers_is_the_reference_and_over_words_a_line_of_the_address(read):
    numbers = read(HEADER.replace("Property Ref", "Property"), *rows(8)).frame
    assert (numbers["property_reference"].iloc[0], numbers["address"].iloc[0]) == ("400", "400 Mill Road")
    words = read(
        f"Ref No,{HEADER.replace('Property Ref', 'Property')}", *[f"9{n},Unit {row}" for n, row in enumerate(rows(8))]
    )
    assert words.frame["address"].iloc[0] == "Unit 400, 400 Mill Road"


def test_a_blank_reference_of_the_authority_is_no_reference_for_all(read):
    roll = read(
        HEADER.replace("Property Ref", "BA Reference"),
        *[row.replace("40", "", 1) for row in rows(6, 400)[:1]],
        *rows(6),
    )
    assert len(roll.frame) == 7 - len(roll.aside)
    none = read(HEADER.replace("Property Ref", "BA Reference"), *["," + row.split(",", 1)[1] for row in rows(6)])
    assert none.frame["property_reference"].str.startswith("row ").all() and len(none.frame) == 6


# --- columns that are not used


def test_every_column_that_holds_something_is_used_or_named(read):
    header = f"{HEADER},Widget,Parish,Blank,SBR Supplement"
    roll = read(header, *[f"{row},w{n},North,,{n}.00" for n, row in enumerate(rows(7))])
    assert any(line.startswith("Widget: Warning: not used") for line in roll.warnings)
    assert "Not used, though they hold something: Parish, SBR Supplement." in roll.warnings
    assert not any("Blank" in line for line in roll.warnings)


def test_a_roll_without_an_address_is_an_error_that_says_what_to_do(read):
    with pytest.raises(CheckError, match=r"property's address.*file of columns"):
        read(HEADER.replace("Address", "Widget"), *rows(6))


def test_columns_below_a_merged_header_go_on_with_the_address(read):
    header = "Property Ref,Name,Premises,,,,RV,Start Date"
    lines = [
        f"{n},Firm {n} Ltd,Unit {n},The Mill,Ashby,LE65 1A{chr(65 + n % 2)},{n}00,01/04/2017" for n in range(31, 39)
    ]
    roll = read(header, *lines)
    assert roll.frame["address"].iloc[0] == "Unit 31, The Mill, Ashby"
    assert roll.frame["postcode"].iloc[0] == "LE65 1AB"
    assert sum("goes on with 'Premises'" in line for line in roll.warnings) == 3


def test_names_below_a_blank_header_are_no_address(read):
    header = "Property Ref,Address,,RV,Start Date"
    roll = read(header, *[f"{n},{n} Mill Road,Mrs Ann Lee{n},{n}00,01/04/2017" for n in range(31, 39)])
    assert roll.frame["address"].iloc[0] == "31 Mill Road"


def test_streets_and_towns_are_the_address_where_there_is_no_whole_one(read):
    header = "Property Ref,Name,House No,Street,Town,Postcode,RV,Start Date"
    roll = read(header, *[f"{n},Firm {n} Ltd,{n},Mill Road,Ashby,LE65 1AA,{n}00,01/04/2017" for n in range(31, 39)])
    assert roll.frame["address"].iloc[0] == "31, Mill Road, Ashby"


# --- totals


@pytest.mark.parametrize("row", [
    "Grand Total,,,,,{total},", "Total,,,,,{total},", "Sub-total,,,,,900,", "Totals:,,,,,{total},", ",,,,,{total},",
    ",Total,,,,{total},",    ",,Total rateable value,,,{total},", ",,,,TOTAL,{total},", "Total for Ward 3,,,,,900,",
    "30,,,,,{total},", "Count 30,,,,,{total},", "TOTAL (30),,,,,900,", "No of hereditaments (total),,,,,900,",
])  # fmt: skip
def test_a_total_is_kept_aside_and_is_no_property(read, row):
    lines = rows(12)
    total = sum(int(line.split(",")[5]) for line in lines)
    roll = read(HEADER, *lines, row.format(total=total))
    assert (len(roll.frame), roll.frame["rateable_value_gbp"].sum(), roll.rateable_value_in_file_gbp) == (
        12,
        total,
        total,
    )
    assert roll.aside[["row", "reason"]].to_numpy().tolist() == [[14, TOTAL]]


def test_a_property_that_has_total_in_its_name_is_one(read):
    lines = ["90,Total Fitness Ltd,Total House,ML1 1AA,GYM,900,", "91,Total,1 Total Street,ML1 1AA,PETROL STATION,800,",
             "92,,Total Park 3,,,700,"]  # fmt: skip
    assert len(read(HEADER, *rows(6), *lines).frame) == 9


# --- dates


@pytest.mark.parametrize("written", [
    "02/04/2010 12:00:00 AM", "2/4/2010 0:00", "2010-04-02 00:00:00.000", "2010-04-02T00:00:00.000+01:00", "2010/04/02",
    "2010-04-02 00:00:00 UTC", "Apr  2 2010 12:00AM", "02-APR-10 12.00.00.000000000 AM", "02 Apr 2010 00:00:00",
    "2 April 2010", "April 2, 2010",
])  # fmt: skip
def test_dates_of_databases_are_read(rules, written):
    assert str(convert_cells(rules, [written], "day")[0])[:10] == "2010-04-02"


SWAPPED = ["25/04/2010", "13/06/2012", "30/09/2015", "28/02/2018", "17/11/2019", "2010-04-01", "2012-01-07",
           "2013-12-12", "2016-03-05", "2017-04-01"]  # fmt: skip


@pytest.mark.parametrize("more", ["", " 00:00:00"])
def test_days_and_months_that_changed_places_stop_the_run_and_say_what_to_do(read, more):
    days = [day + (more if "-" in day else "") for day in SWAPPED]
    with pytest.raises(
        CheckError, match=r"'Empty From': a spreadsheet has swapped day and month.* Each of 5 .* Export"
    ):
        read(*add("Empty From", days))


@pytest.mark.parametrize("honest", ["2010-04-13", "12/04/2010"])
def test_one_day_that_a_swap_would_not_leave_speaks_for_all(read, honest):
    assert len(read(*add("Empty From", [*SWAPPED, honest])).frame) == 11


# --- lists of values


def with_lists(newest, more="", cells=""):
    lines = [row.replace("2017-04-01", newest) + f",{9000 + n}{cells}" for n, row in enumerate(rows(60))]
    return [HEADER.replace("RV", "RV 2023") + f",RV 2026{more}", *lines]


@pytest.mark.parametrize(("lines", "read_from", "said"), [
    (with_lists("2026-01-15"), "RV 2023", "list of 2023."),  # a roll of January, read in November
    (with_lists("2026-06-15"), "RV 2026", "list of 2026."),
    (with_lists("2012-06-15"), "RV 2026", "list of 2026."),  # when nobody knew either
    (with_lists("2026-06-15", ",Report Date", ",01/02/2026"), "RV 2023", "list of 2023."),
    (with_lists("2026-06-15", ",Effective Date", ",01/04/2023"), "RV 2026", "list of 2026."),  # of the values
    (with_lists("2026-06-15", ",Effective Date", ",02/03/2026"), "RV 2023", "list of 2023."),
])  # fmt: skip
def test_of_two_lists_that_in_force_on_the_roll_s_own_day_is_read_and_said(read, lines, read_from, said):
    roll = read(*lines)
    told = roll.mapping.set_index("file_column")
    assert told.loc[read_from, "column"] == "rateable_value_gbp" and said in told.loc[read_from, "note"]
    assert roll.frame["rateable_value_gbp"].iloc[0] == (9000 if read_from == "RV 2026" else 3800)


@pytest.mark.parametrize(
    ("told", "dates", "read_from"),
    [
        ("03/15/2026", "2025-06-15", "RV 2023"),  # the month first
        ("46096", "2025-06-15", "RV 2023"),  # a spreadsheet's 15 March 2026
        ("15th March 2026", "2025-06-15", "RV 2023"),
        ("Sunday 15 Mar 2026", "2025-06-15", "RV 2023"),
        ("04/12/2025", "06/15/2026", "RV 2023"),  # 12 April 2025, as the other dates have their month first
        ("05/03/2026", "15/06/2025", "RV 2023"),  # 5 March 2026, as the other dates have their day first
        ("05/03/2026", "2026-06-15", "RV 2026"),  # nobody can say: it is left to the accounts
    ],
)
def test_the_day_of_a_roll_is_read_as_its_other_dates_are_or_not_at_all(read, told, dates, read_from):
    frame = read(*with_lists(dates, ",Snapshot Date", f",{told}")).mapping.set_index("file_column")
    assert frame.loc[read_from, "column"] == "rateable_value_gbp"


@pytest.mark.parametrize(("title", "day", "read_from"), [
    ("Business rates as at 31/03/2026,,Page 1 of 1", "2026-03-31", "RV 2023"),
    ("Report NR1,Run date: 2 April 2026", "2026-04-02", "RV 2026"),
    ("Extracted on Wednesday 4th March 2026", "2026-03-04", "RV 2023"),
    ("All properties as of March 2026", "2026-03-01", "RV 2023"),
    ("Position at 31-Mar-26 (printed 1 February 2026)", "2026-03-31", "RV 2023"),  # both of one year
    ("As at 31/03/2026. Extracted 02/04/2026", None, "RV 2026"),  # of two years: it is left to the accounts
    ("Values of the list of 1 April 2023", None, "RV 2026"),  # no day of the roll
    ("As at 31 March 2025", None, "RV 2026"),  # the title of another year's roll
])  # fmt: skip
def test_a_title_above_the_header_says_which_day_the_roll_is_of(read, title, day, read_from):
    roll = read(title, "", *with_lists("2026-04-15"))
    assert (roll.day and roll.day.isoformat(), roll.rows_in_file) == (day, 60)
    assert roll.mapping.set_index("file_column").loc[read_from, "column"] == "rateable_value_gbp"
    in_rows = read(title, *with_lists("2026-04-15", ",Report Date", ",20/03/2026"))
    assert in_rows.day.isoformat() == "2026-03-20"


def test_of_a_property_s_rows_the_one_that_is_in_force_is_kept_and_the_others_go_aside(read):
    header = "Property Ref,List Year,RV,Ratepayer,Address,Description,Liable From,Liability End"
    lines = [f"{n},2017,{n}10,Old {n} Ltd,{n} Mill Road,Shop,2010-04-01,2019-03-31" for n in range(100, 160)]
    lines += [f"{n},2017,{n}10,Acme {n} Ltd,{n} Mill Road,Shop,2025-06-01," for n in range(100, 160)]
    lines += [f"{n},2026,{n}30,Acme {n} Ltd,{n} Mill Road,Shop,2025-06-01," for n in range(100, 160)]
    lines += [f"{n},2023,{n}20,Acme {n} Ltd,{n} Mill Road,Shop,2025-06-01,31/12/9999" for n in range(100, 160)]
    roll = read(header, *lines, "900,2017,5000,Last Ltd,9 Mill Road,Shop,2010-04-01,2019-03-31")  # its only row
    assert roll.frame["ratepayer_name"].tolist() == [*[f"Acme {n} Ltd" for n in range(100, 160)], "Last Ltd"]
    assert roll.frame["rateable_value_gbp"].head(60).tolist() == [n * 100 + 20 for n in range(100, 160)]
    assert set(roll.aside["reason"]) == {PAST} and len(roll.aside) == 180


# --- addresses


@pytest.mark.parametrize(("address", "town", "whole"), [
    ("1 High Street, Keighley", "KEIGHLEY", "1 High Street, Keighley"),
    ("1 High Street", "Keighley", "1 High Street, Keighley"),
    ("1 Keighley Road", "Keighley", "1 Keighley Road, Keighley"),  # a street of that name is no town
    ("1 HIGH STREET KEIGHLEY BD21 1AA", "Keighley", "1 HIGH STREET KEIGHLEY BD21 1AA"),
    ("1 HIGH STREET KEIGHLEY WEST YORKSHIRE", "Keighley", "1 HIGH STREET KEIGHLEY WEST YORKSHIRE"),
    ("1 High Street, ML1 1AA", "St. Helens", "1 High Street, St. Helens, ML1 1AA"),
    ("1 High Street, St Helens", "St. Helens", "1 High Street, St Helens"),
    ("1 High Street", "", "1 High Street"),
])  # fmt: skip
def test_a_town_of_its_own_is_joined_to_an_address_that_lacks_it_and_not_twice(read, address, town, whole):
    line = f'1001,Acme Ltd,"{address}",Shop and premises,5000,2017-04-01,{town},{town.upper()}'
    roll = read("Property Reference,Ratepayer,Address,Description,RV,Liability Start Date,Town,City", line)
    assert list(roll.frame["address"]) == [whole]
    assert list(roll.frame["postcode"].notna()) == ["AA" in address]


# --- states


@pytest.mark.parametrize(("header", "words", "occupied"), [
    ("Property Status", ["Occupied", "Empty", "Void", "Part Occupied"], [True, False, False, True]),
    ("ChgType", ["O", "V", "O", "O"], [True, False, True, True]),
    ("Occupied Property / Empty Property", ["Occupied Property", "Empty Property"], [True, False]),
    ("Unocc", ["Y", "N"], [False, True]),
    ("Status", ["Empty - exempt", "Occupied (part)", "Unoccupied (Class C)"], [False, True, False]),
    ("Empty?", ["Void", "Occupied"], [False, True]),
    ("Occupied", ["X", "N"], [True, False]), ("Empty", ["-1", "0"], [False, True]), ("Void", ["✓", "N"], [False, True]),
])  # fmt: skip
def test_who_is_in_a_property_is_read_from_each_way_to_say_it(read, header, words, occupied):
    frame = read(*add(header, words * 3)).frame
    assert frame["is_occupied"].tolist() == occupied * 3


def test_a_status_of_something_else_is_not_taken_for_occupation(read):
    roll = read(*add("Status", ["Live", "Live", "Ended"] * 3))
    assert roll.frame["is_occupied"].isna().all()
    assert "Not used, though they hold something: Status." in roll.warnings


def test_what_stands_for_no_date_is_none_and_no_fault(read):
    cells = ["NULL", "-", "00/00/0000", "(blank)", "n/a", "NULL", "01/02/2020"]
    frame = read(*add("Empty From", cells)).frame
    assert frame["empty_since_date"].notna().tolist() == [False] * 6 + [True]


def test_empty_over_dates_is_the_day_since_when(read):
    frame = read(*add("Empty", ["", "01/02/2020"] + ["02/03/2021"] * 8)).frame
    assert frame["empty_since_date"].notna().sum() == 9 and frame["is_occupied"].isna().all()


def test_what_is_empty_in_part_is_not_empty(read):
    frame = read(*add("Unocc,Part Empty", ["Y,N", "Y,Y", "N,N", "N,Y", "Y,", ","])).frame
    assert frame["is_occupied"].astype("object").where(frame["is_occupied"].notna(), None).tolist() == [
        False, True, True, True, False, None,
    ]  # fmt: skip


# --- reliefs


@pytest.mark.parametrize("words", [
    "Supporting Small Business Relief (SSB)", "Supporting Small Business", "SSB", "SSBR", "SSBR 2023",
    "Support for Small Business", "Supp Small Business Relief", "2023 Supporting Small Business Scheme",
    "Supporting Small Businesses Relief", "SBR Supplement",
])  # fmt: skip
def test_the_scheme_for_those_who_lost_the_relief_is_not_the_relief(read, words):
    frame = read(
        *add("Relief types", [words, f"{words}; Small Business Relief England", f"Retail / {words}"] * 2)
    ).frame
    assert frame["small_business_relief"].notna().tolist() == [False, True, False] * 2
    assert frame["other_relief"].notna().tolist() == [True, False, True] * 2


def test_amounts_of_relief_and_a_total_without_a_kind_are_read(read):
    header = "SBRAmount,CharityReliefAmount,Relief total"
    cells = ["-240.00,0.00,-240.00", "0,-960.5,-960.5", "0.00,0.00,-75.00", "0,0,0.00", ",,", "0.00,,£1.20"]
    frame = read(*add(header, cells)).frame[["small_business_relief", "mandatory_relief", "other_relief"]].fillna("-")
    assert frame.to_numpy().tolist() == [
        ["SBRAmount: -240.00", "-", "-"],
        ["-", "CharityReliefAmount: -960.5", "-"],
        ["-", "-", "Relief total: -75.00"],
        ["-", "-", "-"],
        ["-", "-", "-"],
        ["-", "-", "Relief total: £1.20"],
    ]


def test_numbered_reliefs_go_where_their_words_say(read):
    cells = ["Mandatory Charity Relief,Retail Discount", ",", "Small Business Relief,"] * 2
    frame = read(*add("Current Relief 1,Current Relief 2", cells)).frame
    assert frame["mandatory_relief"].notna().sum() == frame["other_relief"].notna().sum() == 2
    assert frame["small_business_relief"].notna().sum() == 2


# --- names


@pytest.mark.parametrize(("first", "second", "name"), [
    ("Foo Services", "Limited", "Foo Services Limited"),
    ("Foo", "Holdings (UK) Ltd.", "Foo Holdings (UK) Ltd."),
    ("Foo & Sons", "Builders LLP T/A Foo", "Foo & Sons Builders LLP T/A Foo"),
    ("The Trustees of", "The Blue Hall", "The Trustees of The Blue Hall"),
    ("Ada Byron", "Blue Bakery Ltd", "Ada Byron; Blue Bakery Ltd"),
    ("Ada Byron", "Chidi Okafor", "Ada Byron; Chidi Okafor"),
    ("Foo Limited", "", "Foo Limited"),
    ("", "Foo Limited", "Foo Limited"),
])  # fmt: skip
def test_a_name_that_goes_on_in_a_second_column_is_one_and_two_names_are_two(read, first, second, name):
    header = HEADER.replace("Ratepayer", "Account Holder 1,Account Holder 2")
    lines = [row.replace(f"Acme {400 + n} Ltd", f"{first},{second}") for n, row in enumerate(rows(6))]
    assert read(header, *lines).frame["ratepayer_name"].unique().tolist() == [name]
