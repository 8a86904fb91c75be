"""A council's extract in its own columns and codes is the same as in ours, and what it hides is not shown."""

from datetime import date

import pandas as pd
import pytest

from councilbook.catalogue import Catalogue, FoundFile, load_catalogue
from councilbook.errors import CheckError, CouncilbookError, SourceError
from councilbook.paths import find_workbook
from councilbook.sources.checks import check_fields
from councilbook.sources.extracts.guesses import KNOWN, Told, rank_header
from councilbook.sources.extracts.heads import find_header
from councilbook.sources.extracts.reading import Extract
from councilbook.sources.files.readers import convert_types
from councilbook.sources.mappings import read_codes, read_mapping, write_mapping
from kid_like import MONEY, TENURE_CODES, encode_tables, write_closed_folder

SECRET = "Quackenzilde"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(find_workbook())


def open_extract(catalogue, folder, name, told=None):
    source = catalogue.source(name)
    found, told = FoundFile(source, folder / source.file, "closed folder"), told or Told()
    return Extract(found, find_header(found, source.table(), told.columns or (), source.id), told)


def load(catalogue, folder, name, told=None):
    extract = open_extract(catalogue, folder, name, told)
    typed = convert_types(extract.read(), extract.table, extract.found)
    check_fields(typed, extract.table.fields, extract.table.key, extract.where, show_values=False)
    return typed


@pytest.mark.parametrize("system", ["icd", "read", "snomed"])
def test_an_extract_in_anothers_columns_and_codes_is_the_same_as_in_ours(catalogue, tmp_path, system):
    folders = {foreign: tmp_path / str(foreign) for foreign in (True, False)}
    for foreign, folder in folders.items():
        folder.mkdir()
        tables = write_closed_folder(folder, 100, foreign=foreign, system=system)
    for name, table in tables.items():
        ours, theirs = (load(catalogue, folder, name) for folder in (folders[False], folders[True]))
        pd.testing.assert_frame_equal(theirs, ours)
        assert len(ours) == len(table) and ours.notna().any().all()


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("cp1252", ","), ("utf-16", "\t"), ("utf-8-sig", ";"), ("cp1252", "|")]
)
def test_a_file_is_read_however_a_spreadsheet_saved_it(catalogue, tmp_path, encoding, delimiter):
    tables = write_closed_folder(tmp_path, 30)
    file = tmp_path / "interventions_register.csv"
    register = pd.read_csv(file, dtype="str").assign(**{"Scheme name": "Café, über"})
    assert "Cost (£)" in register
    register.to_csv(file, index=False, encoding=encoding, sep=delimiter)
    loaded = load(catalogue, tmp_path, "interventions_register")
    assert loaded["cost_gbp"].tolist() == tables["interventions_register"]["cost_gbp"].tolist()
    assert set(loaded["scheme"]) == {"Café, über"}


@pytest.mark.parametrize(("system", "source"), [("icd", "World Health"), ("read", "Read codes"), ("snomed", "NHS Eng")])
def test_the_list_that_made_conditions_of_codes_is_named_with_its_source(catalogue, tmp_path, system, source):
    write_closed_folder(tmp_path, 30, system=system)
    notes = open_extract(catalogue, tmp_path, "kid_people").read().attrs["notes"]
    assert [note for note in notes if source in note and "respiratory" in note]


def test_own_codes_go_through_the_file_in_which_a_council_says_them(catalogue, tmp_path):
    tables = write_closed_folder(tmp_path, 100)
    codes = dict(zip(TENURE_CODES, "3142", strict=True))
    encode_tables(tables, codes=codes)["kid_households"].to_csv(tmp_path / "kid_households.csv", index=False)
    with pytest.raises(
        CheckError, match=r"TenureType, read as tenure: 100 rows not .*\n?.*Not known: '1', '2', '3', '4'"
    ):
        load(catalogue, tmp_path, "kid_households")
    file = tmp_path / "columns_kid_households.yaml"
    inspection = open_extract(catalogue, tmp_path, "kid_households").inspect()
    assert inspection.codes["TenureType"] == dict.fromkeys("1234", "?")
    assert "100 rows not as expected" in inspection.fault
    write_mapping(file, inspection, "kid_households.csv", force=False)
    assert read_codes(file)["TenureType"] == {}
    text = file.read_text()
    for tenure, code in codes.items():
        text = text.replace(f"'{code}': '?'", f"{code}: {tenure}")
    file.write_text(text)
    told = Told(read_mapping(file), read_codes(file))
    loaded = load(catalogue, tmp_path, "kid_households", told)
    assert loaded["tenure"].tolist() == tables["kid_households"]["tenure"].tolist()
    assert open_extract(catalogue, tmp_path, "kid_households", told).inspect().fault is None


def test_what_is_missing_from_a_health_extract_is_named(catalogue, tmp_path):
    write_closed_folder(tmp_path, 30, without=[name for name in MONEY if name != "fuel_cost_at_band_c_gbp_year"])
    inspection = open_extract(catalogue, tmp_path, "kid_households").inspect()
    assert inspection.fault is None or "for income_gbp_year" in inspection.fault
    assert set(inspection.columns["column"].dropna()) >= {"tenure", "postcode", "fuel_cost_at_band_c_gbp_year"}


def spoil(folder, name, change):
    file = folder / f"{name}.csv"
    change(pd.read_csv(file, dtype="str", keep_default_na=False)).to_csv(file, index=False)


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("kid_households", lambda frame: frame.assign(TenureType=SECRET), "100 rows not as expected.*1 kinds of cells"),
        ("kid_households", lambda frame: frame.assign(TenureType=frame["PCD"] + frame["AHC Income"]), "100 rows not"),
        ("kid_households", lambda frame: frame.assign(Surname=SECRET), "column Surname is named like one that tells"),
        ("kid_households", lambda frame: frame.assign(note=f"Mary {SECRET}"), "note has what looks like a name"),
        ("kid_households", lambda frame: frame.drop(columns="TenureType"), "no column, or more than one, for tenure"),
        ("kid_people", lambda frame: frame.assign(ICD10_Codes=SECRET), "for respiratory"),
        (
            "kid_people",
            lambda frame: frame.assign(ICD10_Codes=[SECRET, "J45, I10 and more", *frame["ICD10_Codes"][2:]]),
            r"ICD10_Codes, read as ICD-10 codes: 2 rows not as expected.*\(row 2, 3\)\. 3 kinds of cells",
        ),
    ],
)
def test_what_is_not_known_stops_a_run_and_is_not_shown(catalogue, tmp_path, name, change, told):
    write_closed_folder(tmp_path, 100)
    spoil(tmp_path, name, change)
    with pytest.raises(CouncilbookError, match=f"(?s){told}") as refused:
        load(catalogue, tmp_path, name)
    inspection = open_extract(catalogue, tmp_path, name).inspect()
    shown = f"{refused.value} {inspection.fault} {inspection.codes} {inspection.list_rows()} {inspection.warnings}"
    assert SECRET not in shown
    assert "ct11aa" not in shown


@pytest.mark.parametrize("foreign", [True, False])
@pytest.mark.parametrize("told", [Told(), Told({"PCD": "postcode"})])
def test_a_record_in_the_place_of_the_header_is_not_shown(catalogue, tmp_path, foreign, told):
    for name in write_closed_folder(tmp_path, 20, foreign=foreign):
        file = tmp_path / f"{name}.csv"
        record = file.read_text().splitlines()[1]
        file.write_text(file.read_text().split("\n", 1)[1])
        for look in (Extract.read, Extract.inspect):
            with pytest.raises(SourceError, match="row 1: it looks like a record and not like a header") as refused:
                look(open_extract(catalogue, tmp_path, name, told))
            assert not any(cell in str(refused.value) for cell in record.split(",") if len(cell) > 5)


def test_a_rare_code_and_a_column_of_many_kinds_are_not_shown(catalogue, tmp_path):
    write_closed_folder(tmp_path, 100)
    spoil(tmp_path, "kid_households", lambda frame: frame.assign(TenureType=["Z9"] * 9 + ["Q7"] * 10 + ["PR"] * 81))
    with pytest.raises(CheckError, match=r"19 rows not as expected.*Not known: 'Q7'\. 1 kinds of cells") as refused:
        load(catalogue, tmp_path, "kid_households")
    assert "Z9" not in str(refused.value)
    names = [f"Smith{row % 40}" for row in range(400)]  # each on ten rows
    write_closed_folder(tmp_path, 400)
    spoil(tmp_path, "kid_households", lambda frame: frame.assign(TenureType=names))
    with pytest.raises(CheckError, match=r"400 rows not as expected") as refused:
        load(catalogue, tmp_path, "kid_households")
    assert "Smith" not in str(refused.value)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (Told({"Tenure": "tenure"}), "0 columns are called 'Tenure', not one. Say it there."),
        (Told({"TenureType": "tenur"}), "'tenur' is no column of ours. Did you mean tenure"),
        (Told({"TenureType": "tenure", "PCD": "tenure"}), "several columns are said to be tenure"),
        (Told(codes={"Ten": {"O": "mortgaged"}}), "it has no column 'Ten', whose codes are explained"),
        (Told(codes={"TenureType": {"O": "rented"}}), "TenureType, code 'O': 'rented' is none of owned_outright, mort"),
    ],
)
def test_what_a_council_says_must_fit_its_file(catalogue, tmp_path, told, message):
    write_closed_folder(tmp_path, 20)
    told = Told(told.columns, told.codes, "Say it there.")
    with pytest.raises(CheckError, match=message):
        load(catalogue, tmp_path, "kid_households", told)


def test_a_code_that_says_too_little_is_read_as_the_first_that_it_may_be_and_that_is_said(catalogue, tmp_path):
    write_closed_folder(tmp_path, 50)
    notes = open_extract(catalogue, tmp_path, "kid_households").read().attrs["notes"]
    assert "tenure: 'o' may be owned_outright or mortgaged; it is read as the first." in notes


def test_sparse_columns_of_diagnoses_and_a_pseudonym_made_of_an_nhs_number_are_read(catalogue, tmp_path):
    tables = write_closed_folder(tmp_path, 60)

    def spread(frame):
        parts = frame["ICD10_Codes"].str.split("; ", expand=True).fillna("")
        diagnoses = {f"Diag_{place + 1:02}": parts[place] for place in parts}
        return (
            frame.drop(columns="ICD10_Codes").rename(columns={"Pseudo_Person_ID": "Pseudo NHS No"}).assign(**diagnoses)
        )

    spoil(tmp_path, "kid_people", spread)
    headers = open_extract(catalogue, tmp_path, "kid_people").inspect().mapping
    assert [target for header, target in headers.items() if header.startswith("Diag")] == ["ICD-10 codes"] * 3
    loaded = load(catalogue, tmp_path, "kid_people", Told(headers | {"Pseudo NHS No": "person_id"}))
    for name in ("person_id", "respiratory", "falls"):
        assert loaded[name].tolist() == tables["kid_people"][name].tolist()
    spoil(tmp_path, "kid_people", lambda frame: frame.rename(columns={"Pseudo NHS No": "NHS No"}))
    with pytest.raises(CheckError, match="the column NHS No is named like one"):
        load(catalogue, tmp_path, "kid_people", Told(headers | {"NHS No": "person_id"} | {"Pseudo NHS No": None}))


def test_a_top_code_of_ages_is_told(catalogue, tmp_path):
    write_closed_folder(tmp_path, 20)
    spoil(tmp_path, "kid_people", lambda frame: frame.assign(Age_Years=["90 plus", *frame["Age_Years"][1:]]))
    with pytest.raises(
        CouncilbookError, match=r"1 cells of age are no integer.*Say under `codes` in columns_kid_people"
    ):
        load(catalogue, tmp_path, "kid_people")
    assert load(catalogue, tmp_path, "kid_people", Told(codes={"Age_Years": {"90 plus": "90"}}))["age"].iloc[0] == 90
    spoil(tmp_path, "kid_people", lambda frame: frame.assign(Age_Years=["90+", *frame["Age_Years"][1:]]))
    assert load(catalogue, tmp_path, "kid_people")["age"].iloc[0] == 95
    assert load(catalogue, tmp_path, "kid_people", Told(codes={"Age_Years": {"90+": "90"}}))["age"].iloc[0] == 90


def test_of_a_code_and_its_words_the_column_that_can_be_read_is_taken(catalogue, tmp_path):
    tables = write_closed_folder(tmp_path, 50)
    words = {"O": "1", "Mortgage": "2", "HA": "3", "PR": "4"}
    spoil(tmp_path, "kid_households", lambda frame: frame.assign(tenure_code=frame["TenureType"].map(words)))
    loaded = load(catalogue, tmp_path, "kid_households")
    assert loaded["tenure"].tolist() == tables["kid_households"]["tenure"].tolist()


def test_an_extract_is_read_below_its_title_and_beside_a_cover(catalogue, tmp_path):
    tables = write_closed_folder(tmp_path, 30)
    csv, ours = tmp_path / "kid_households.csv", load(catalogue, tmp_path, "kid_households")
    frame = pd.read_csv(csv, dtype="str", keep_default_na=False)
    body = csv.read_text()
    csv.write_text("Housing extract,,\nRun on 1 May\n\n" + body)
    pd.testing.assert_frame_equal(load(catalogue, tmp_path, "kid_households"), ours.set_axis(ours.index + 3))
    source = catalogue.source("kid_households").model_copy(update={"format": "xlsx"})
    for sheets in (["Cover", "Data"], ["2023", "2024"]):
        with pd.ExcelWriter(tmp_path / "book.xlsx") as book:
            (pd.DataFrame({"Notes": ["a"]}) if sheets[0] == "Cover" else frame).to_excel(book, sheet_name=sheets[0])
            frame.to_excel(book, sheet_name=sheets[1], index=False, startrow=2)
        found = FoundFile(source, tmp_path / "book.xlsx", "closed folder")
        if sheets[0] == "2023":
            with pytest.raises(SourceError, match="the sheets 2023 and 2024 have the same columns"):
                find_header(found, source.table(), (), "it")
            continue
        read = Extract(found, find_header(found, source.table(), (), "it"), Told()).read()
        assert read["household_id"].tolist() == tables["kid_households"]["household_id"].tolist()
        assert read.index[0] == 4


def test_a_header_that_only_the_council_knows_is_found_by_what_it_says(catalogue, tmp_path):
    (tmp_path / "kid_households.csv").write_text("Extract\nX;Y\nh1;CT1 1AA\n")
    source = catalogue.source("kid_households")
    found = FoundFile(source, tmp_path / "kid_households.csv", "closed folder")
    assert find_header(found, source.table(), ["X", "Y"], "it").header_row == 2
    assert find_header(found, source.table(), [], "it").header_row == 1


def test_where_yes_is_all_that_is_written_a_blank_is_no_and_that_is_said(catalogue, tmp_path):
    tables = write_closed_folder(tmp_path, 60)

    def cross(frame):
        has = {"StorageHeaters": "storage_heaters", "Prepay_Meter": "prepayment_meter"}
        crosses = {header: tables["kid_households"][name].map({True: "x", False: ""}) for header, name in has.items()}
        return frame.assign(**crosses)

    spoil(tmp_path, "kid_households", cross)
    inspection = open_extract(catalogue, tmp_path, "kid_households").inspect()
    assert inspection.codes["StorageHeaters"] == {"(blank)": "no"}  # too few are there to be shown
    assert "storage_heaters: the file has yes alone, and a blank is read as no." in inspection.warnings
    loaded = load(catalogue, tmp_path, "kid_households")
    assert loaded["prepayment_meter"].tolist() == tables["kid_households"]["prepayment_meter"].tolist()
    spoil(tmp_path, "kid_households", lambda frame: frame.assign(Prepay_Meter=["n", *frame["Prepay_Meter"][1:]]))
    with pytest.raises(CheckError, match="prepayment_meter: 51 rows not as expected, a value in every row"):
        load(catalogue, tmp_path, "kid_households")


def test_a_row_that_stands_twice_is_read_once_and_blank_rows_are_none(catalogue, tmp_path):
    tables = write_closed_folder(tmp_path, 40)
    for name in ("kid_households", "kid_people"):
        blank = pd.DataFrame({"HH_Pseudo_ID": ["", ""]})
        spoil(tmp_path, name, lambda frame, blank=blank: pd.concat([frame, frame.head(3), blank]).fillna(""))
        read = open_extract(catalogue, tmp_path, name).read()
        assert len(read) == len(tables[name])
        assert "3 rows that repeat another in all that is read are read once." in read.attrs["notes"]
    spoil(tmp_path, "kid_people", lambda frame: frame.assign(Age_Years=["7", *frame["Age_Years"][1:]]))
    with pytest.raises(CheckError, match="person_id must name a row once, but 2 rows share it"):
        load(catalogue, tmp_path, "kid_people")


@pytest.mark.parametrize(
    ("name", "column", "cells", "told"),
    [
        (
            "kid_people",
            "Age_Years",
            ["05/13/1948", "1950-31-02"],
            r"2 cells of age are days that cannot be read as a number \(row 2, 3\)\. Write a num",
        ),
        (
            "kid_households",
            "AHC Income",
            ["1.234,50", "-7,5"],
            r"2 cells of ahc_income_gbp_year may be read in two ways",
        ),
    ],
)
def test_days_and_doubtful_numbers_are_refused_in_words(catalogue, tmp_path, name, column, cells, told):
    write_closed_folder(tmp_path, 20)
    spoil(tmp_path, name, lambda frame: frame.assign(**{column: [*cells, *["3.5"] * (len(frame) - 2)]}))
    with pytest.raises(CheckError, match=told) as refused:
        load(catalogue, tmp_path, name)
    assert not any(cell in str(refused.value) for cell in cells)


def test_a_number_of_a_workbook_is_read_as_it_is(catalogue, tmp_path):
    write_closed_folder(tmp_path, 20)
    register = pd.read_csv(tmp_path / "interventions_register.csv").assign(**{"Cost (£)": 1.234})
    register.to_excel(tmp_path / "book.xlsx", index=False)
    source = catalogue.source("interventions_register").model_copy(update={"format": "xlsx"})
    read = Extract(FoundFile(source, tmp_path / "book.xlsx", "closed folder"), source.table(), Told()).read()
    assert set(read["cost_gbp"].astype("float64")) == {1.234}


@pytest.mark.parametrize("rows", [1, 2, 40])
def test_the_name_of_a_scheme_stops_no_register_and_a_persons_is_never_read(catalogue, tmp_path, rows):
    write_closed_folder(tmp_path, 300)
    few = 3 if rows == 40 else rows  # kinds; a text of few kinds, each on many rows, is no person's name
    spoil(
        tmp_path,
        "interventions_register",
        lambda frame: frame.head(rows).assign(
            **{"Scheme name": [f"Mary {SECRET}{'abc'[row % few]}" for row in range(rows)]}
        ),
    )
    read = open_extract(catalogue, tmp_path, "interventions_register").read()
    assert read["scheme"].notna().sum() == (40 if rows == 40 else 0)
    said = [note for note in read.attrs["notes"] if "as it may be a person's name there" in note]
    assert len(said) == (0 if rows == 40 else 1) and SECRET not in str(said)
    for cell in ("mary@example.org", "12 High Street, Dover", "943 476 5919"):
        spoil(
            tmp_path, "interventions_register", lambda frame, cell=cell: frame.head(1).assign(**{"Scheme name": cell})
        )
        with pytest.raises(CheckError, match="scheme has what looks like an"):
            open_extract(catalogue, tmp_path, "interventions_register").read()


@pytest.mark.parametrize(
    ("name", "header", "field"),
    [
        ("kid_households", "HouseholdPseudo", "household_id"),
        ("kid_people", "Patient Pseudonym", "person_id"),
        ("kid_people", "GP Consultations (12m)", "gp_contacts"),
        ("kid_people", "Emergency_Admissions_last_12_months", "emergency_admissions"),
        ("kid_people", "LTC: Falls", "falls"),
        ("kid_households", "Post Code", "postcode"),
    ],
)
def test_headers_of_other_systems_name_their_field(catalogue, name, header, field):
    table = catalogue.source(name).table()
    assert [one for one in table.fields if rank_header(header, one, table) <= KNOWN] == [field]


def test_a_column_of_another_census_is_not_taken_for_that_of_2021(catalogue, tmp_path):
    write_closed_folder(tmp_path, 30)
    spoil(tmp_path, "kid_households", lambda frame: frame.rename(columns={"LSOA21CD": "LSOA11CD", "OA21CD": "OA 2011"}))
    inspection = open_extract(catalogue, tmp_path, "kid_households").inspect()
    assert inspection.mapping["LSOA11CD"] == "lsoa21_code"  # whose codes are followed to 2021
    assert inspection.mapping["OA 2011"] is None
    spoil(tmp_path, "kid_households", lambda frame: frame.assign(LSOA21CD=frame["LSOA11CD"]))
    assert open_extract(catalogue, tmp_path, "kid_households").inspect().mapping["LSOA11CD"] is None


DAY = date(2026, 1, 31)


@pytest.mark.parametrize("header", ["DOB", "Patient_Date_Of_Birth", "YearOfBirth", "person birth date", "Age"])
def test_days_of_birth_are_read_as_ages_and_nothing_else_of_them_is_kept(catalogue, tmp_path, header):
    write_closed_folder(tmp_path, 40)
    secret = "17/08/1931"
    spoil(
        tmp_path,
        "kid_people",
        lambda frame: frame.rename(columns={"Age_Years": header}).assign(
            **{header: [secret, "01/02/2027", "01/01/1801", "", *[secret] * (len(frame) - 4)]}
        ),
    )
    extract = open_extract(catalogue, tmp_path, "kid_people", Told(day=DAY))
    read, inspection = extract.read(), extract.inspect()
    assert read["age"].tolist()[:5] == ["94", None, None, None, "94"] or read["age"].isna().sum() == 3
    said = " ".join(inspection.warnings)
    assert f"age: {len(read) - 1:,} days, months or years of birth are turned into ages, as of 31 January 2026" in said
    assert "age: 2 cells are of a birth after that day, or longer ago than anyone lives, and are read as blank." in said
    shown = f"{read.to_csv()} {read.attrs} {inspection}"
    assert not any(form in shown for form in (secret, "1931", "2027", "1801"))
    assert inspection.fault is None and inspection.mapping[header] == "age"
    spoil(tmp_path, "kid_people", lambda frame: frame.assign(**{header: "17/08/31 or so"}))
    refused = open_extract(catalogue, tmp_path, "kid_people", Told(day=DAY)).inspect().fault
    assert refused and "cells of age are" in refused and "17/08" not in refused


def test_the_oldest_of_a_household_may_be_a_day_of_birth_and_an_impossible_one_is_named_by_row(catalogue, tmp_path):
    write_closed_folder(tmp_path, 40)
    cells = {"Oldest Age": "1960-01-31", "Youngest Age": "2020-02-01"}
    headers = {"Oldest Age": "Oldest DOB", "Youngest Age": "Date of birth of youngest"}
    spoil(tmp_path, "kid_households", lambda frame: frame.assign(**cells).rename(columns=headers))
    read = open_extract(catalogue, tmp_path, "kid_households", Told(day=DAY)).read()
    assert set(read["oldest_age"]) == {"66"} and set(read["youngest_age"]) == {"5"}
    spoil(tmp_path, "kid_households", lambda frame: frame.assign(**{"Oldest DOB": ["2031-05-06", *["1960"] * 39]}))
    with pytest.raises(CheckError, match=r"1 cells of oldest_age are of a birth after .* \(row 2\)") as refused:
        open_extract(catalogue, tmp_path, "kid_households", Told(day=DAY)).read()
    assert "2031" not in str(refused.value)


def test_ages_in_bands_are_read_where_the_study_treats_all_in_them_alike(catalogue, tmp_path):
    write_closed_folder(tmp_path, 40)
    spoil(tmp_path, "kid_people", lambda frame: frame.assign(Age_Years="65-74"))  # the study reads no person's age
    people = open_extract(catalogue, tmp_path, "kid_people", Told(day=DAY)).read()
    assert set(people["age"]) == {"69"}
    cells = {"Oldest Age": ["66-74", *["75+"] * 39], "Youngest Age": "under 5"}
    spoil(tmp_path, "kid_households", lambda frame: frame.assign(**cells))
    read = open_extract(catalogue, tmp_path, "kid_households", Told(day=DAY)).read()
    assert read["oldest_age"].tolist() == ["70", *["80"] * 39] and set(read["youngest_age"]) == {"2"}
    assert "oldest_age: 40 bands of ages are read as ages near their middle." in read.attrs["notes"]
    spoil(tmp_path, "kid_households", lambda frame: frame.assign(**{"Oldest Age": ["Aged 65-74", *["70"] * 39]}))
    told = r"1 cells of oldest_age are bands, .* \(row 2\).* if it lies across none of 35, 50, 66, 75\."
    with pytest.raises(CheckError, match=told):
        open_extract(catalogue, tmp_path, "kid_households", Told(day=DAY)).read()


def test_a_day_of_birth_beside_an_age_is_refused(catalogue, tmp_path):
    write_closed_folder(tmp_path, 20)
    spoil(tmp_path, "kid_people", lambda frame: frame.assign(DOB="17/08/1931"))
    with pytest.raises(CheckError, match="the column DOB is named like one that tells who somebody is"):
        open_extract(catalogue, tmp_path, "kid_people", Told(day=DAY)).read()


def test_postcodes_are_mended_where_they_can_be_one_alone_and_the_others_counted(catalogue, tmp_path):
    write_closed_folder(tmp_path, 40)
    cells = ["CTI 1aa", "ct11aa", "CT2-7NZ", "ME4 4?A", "TN1", "UNKNOWN", "ZZ99 3VZ", ""]
    spoil(tmp_path, "kid_households", lambda frame: frame.assign(PCD=[*cells, *frame["PCD"][len(cells) :]]))
    read = open_extract(catalogue, tmp_path, "kid_households").read()
    assert read["postcode"].fillna("").tolist()[:8] == ["CT1 1AA", "CT1 1AA", "CT2 7NZ", "", "", "", "ZZ99 3VZ", ""]
    said = " ".join(read.attrs["notes"])
    assert "postcode: 1 cells had O for 0, I for 1 or the reverse, and are read as they must be." in said
    assert "postcode: 3 cells are no whole postcode, and are read as blank." in said


def test_an_extract_needs_a_postcode_or_the_small_area(catalogue, tmp_path):
    write_closed_folder(tmp_path, 30)
    spoil(tmp_path, "kid_households", lambda frame: frame.drop(columns="PCD"))
    assert open_extract(catalogue, tmp_path, "kid_households").read()["postcode"].isna().all()
    spoil(tmp_path, "kid_households", lambda frame: frame.drop(columns="LSOA21CD").assign(MSOA21CD="E02000001"))
    with pytest.raises(SourceError, match=r"for postcode \(.*; lsoa21_code \("):
        open_extract(catalogue, tmp_path, "kid_households").read()


STYLES = {
    "upper": str.upper,
    "title": lambda header: header.replace("_", " ").title(),
    "camel": lambda header: header.replace("_", " ").title().replace(" ", ""),
    "dash": lambda header: header.replace("_", "-"),
    "household": lambda header: f"HH{header.title().replace('_', '')}" if header != "year" else "Yr",
}


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_a_header_in_any_style_names_its_field_and_no_other(catalogue, style):
    for name in ("kid_households", "kid_people", "interventions_register", "household_outcomes"):
        table = catalogue.source(name).table()
        for field, spec in table.fields.items():
            for header in (field, *spec.column):
                named = [one for one in table.fields if rank_header(style(header), one, table) <= KNOWN]
                assert named == [field], (header, style(header))


def test_no_header_is_listed_for_two_fields_of_a_table(catalogue):
    for source in catalogue.sources.values():
        if source.is_mapped and source.tables:
            listed = [header.casefold() for one in source.table().fields.values() for header in one.column]
            assert sorted(set(listed)) == sorted(listed), source.id


def test_of_a_workbook_the_sheet_is_read_that_says_what_the_table_is_about(catalogue, tmp_path):
    homes = pd.DataFrame({"UPRN hash": ["h1"], "Tenure": ["GENERAL NEEDS"], "Type": ["FLAT, PURPOSE BUILT"]})
    register = pd.DataFrame({"household_id": ["h1"], "postcode": ["CT1 1AA"], "lsoa": ["E01024001"], "cost": [1]})
    with pd.ExcelWriter(tmp_path / "book.xlsx") as book:
        for name, frame in {"Register": register, "Homes": homes}.items():
            frame.to_excel(book, sheet_name=name, index=False)
    for name, sheet in {"kid_households": "Homes", "interventions_register": "Register"}.items():
        source = catalogue.source(name).model_copy(update={"format": "xlsx"})
        found = FoundFile(source, tmp_path / "book.xlsx", "closed folder")
        assert find_header(found, source.table(), (), "it").sheet == sheet


def test_flags_may_be_days_and_a_person_may_have_a_row_a_diagnosis(catalogue, tmp_path):
    tables = write_closed_folder(tmp_path, 60, foreign=False)
    flags = ["respiratory", "circulatory", "mental_health", "falls"]
    since = {name: tables["kid_people"][name].map({True: "03/04/2019", False: ""}) for name in flags}
    headers = {name: f"{name} first recorded date" for name in flags} | {"person_id": "Hashed NHS number"}
    spoil(tmp_path, "kid_people", lambda frame: frame.assign(**since).rename(columns=headers))
    loaded = load(catalogue, tmp_path, "kid_people")
    assert loaded[flags].to_numpy().tolist() == tables["kid_people"][flags].to_numpy().tolist()
    assert loaded["person_id"].tolist() == tables["kid_people"]["person_id"].tolist()

    def unfold(frame):
        none = frame.assign(**{headers[name]: "" for name in flags})
        return pd.concat([none, *(none.assign(**{headers[name]: frame[headers[name]]}) for name in flags)])

    spoil(tmp_path, "kid_people", unfold)
    read = open_extract(catalogue, tmp_path, "kid_people").read()
    assert (read[flags] == "true").to_numpy().tolist() == tables["kid_people"][flags].to_numpy().tolist()
    assert "rows that differ from another in yes and no alone are read with it, as yes." in str(read.attrs["notes"])


def test_words_of_a_code_may_stand_in_another_order(catalogue, tmp_path):
    write_closed_folder(tmp_path, 20)
    kinds = ["HOUSE - SEMI DETACHED", "FLAT, PURPOSE BUILT", "HOUSE - MID TERRACE", "DETACHED HOUSE"] * 5
    spoil(tmp_path, "kid_households", lambda frame: frame.assign(Dwelling_Type=kinds))
    read = load(catalogue, tmp_path, "kid_households")["accommodation"]
    assert read.tolist()[:4] == ["semi_detached", "flat", "terraced", "detached"]
