"""What goes out of the roll: the open register, its extracts, the rows made coarser, and the tables."""

import io

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import box

from councilbook.business_rates.names import persons
from councilbook.business_rates.register import publish
from councilbook.business_rates.roll.reading import read_roll
from councilbook.business_rates.roll.rules import COLUMNS
from councilbook.business_rates.twin import views
from councilbook.catalogue import Council, CountRule, RecordRule, RegisterRule, TwinRequest
from councilbook.errors import CheckError
from councilbook.gate.disclosure.records import protect_records
from councilbook.gate.disclosure.registers import protect_register
from councilbook.gate.disclosure.tables.counts import protect_counts

APPROVER = "Information governance lead"
REGISTER = RegisterRule(
    rule="register",
    approver=APPROVER,
    law="Anybody may inspect the roll of properties.",
    public=publish.PROPERTY,
    name="released_name",
    telling=publish.OF_RATEPAYER,
    is_organisation="is_organisation",
    name_inside="ratepayer_name",
)
RECORDS = RecordRule(
    rule="records",
    approver=APPROVER,
    because="Reliefs follow from the value.",
    k=10,
    l=2,
    t=0.7,
    most_suppressed_pct=5,
    most_unique_pct=0,
    quasi_identifiers={
        "liability_year": {"bands": [5, 10, 20, 40]},
        "ward_code": {},
        "occupancy": {},
        "use": {},
        "value_band": {},
    },
    sensitive=["relief"],
    harmless=["record"],
)


def make_roll(*rows, **columns):
    """Make a roll of rows that say what is different from a plain shop."""
    plain = {
        "address": "1, High Street, Kirkfold, ML1 1AA",
        "postcode": "ML1 1AA",
        "latitude": 55.123456789,
        "longitude": -4.0,
        "description": "SHOP AND PREMISES",
        "rateable_value_gbp": 9000.0,
        "liability_start_date": "2020-04-01",
        "is_occupied": True,
    }
    given = [{**plain, **row} for row in rows]
    frame = pd.DataFrame(given).assign(**columns).reindex(columns=list(COLUMNS))
    frame["property_reference"] = [f"R{9 - n}" for n in range(len(frame))]
    texts = [name for name, kind in COLUMNS.items() if kind == "VARCHAR"]
    frame = frame.astype(dict.fromkeys(texts, "str") | {"is_occupied": "boolean", "rateable_value_gbp": "Float64"})
    for name in ("liability_start_date", "empty_since_date"):
        frame[name] = pd.to_datetime(frame[name])
    return frame.astype({"account_credit_gbp": "Float64"})


NOWHERE = {"ward_code": None, "zone_code": None}


def make_places(roll):
    return pd.DataFrame(NOWHERE, index=roll.index, dtype="str")


def make_register(roll, homes=None, places=None):
    parties = persons.classify_parties(roll)
    places = make_places(roll) if places is None else places
    return publish.make_open_register(roll, parties, places, publish.find_homes(roll) if homes is None else homes)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """The invented town: its roll, its parties, its places."""
    council = Council(slug="north_lanarkshire", name="North Lanarkshire", codes={"S12000050": "North Lanarkshire"})
    request = TwinRequest(council, 7)
    file = tmp_path_factory.mktemp("town") / "ledger.csv"
    file.write_bytes(views.make_ledger(None, request)["rates_ledger"])
    roll = read_roll(file, run_date="2026-11-23").frame
    files = views.make_places(None, request)
    wards = gpd.read_file(io.BytesIO(files["wards"])).rename(columns={"WD25CD": "ward_code"})
    zones = pd.read_csv(io.BytesIO(files["data_zones"])).rename(columns={"Data_Zone": "zone_code"})
    return roll, persons.classify_parties(roll), publish.find_places(roll, wards, zones)


# --- the open register ---


def test_the_register_is_a_row_a_property_by_reference_with_a_point_and_what_the_gate_reads():
    roll = make_roll(
        {"ratepayer_name": "Bread Ltd"},
        {"ratepayer_name": "Ada Byron", "latitude": None, "longitude": None},
        uprn="990000000001",
        trading_name="Ada's",
        ratepayer_address="7, Home Road",
    )
    register = make_register(roll)
    assert list(register["property_reference"]) == ["R8", "R9"]
    assert list(register["is_organisation"]) == [False, True]
    assert list(register["released_name"].fillna("")) == ["", "Bread Ltd"]
    assert register["latitude"][1] == 55.12346
    assert list(register.geometry.isna()) == [True, False]
    assert register.crs == 4326
    assert not {"uprn", "trading_name", "ratepayer_address"} & set(register.columns)


def test_parties_of_another_roll_and_repeated_references_are_refused():
    roll = make_roll({"ratepayer_name": "Bread Ltd"}, {"ratepayer_name": "Cake Ltd"})
    parties = persons.classify_parties(roll)
    places, homes = pd.DataFrame(NOWHERE, index=roll.index, dtype="str"), publish.find_homes(roll)
    with pytest.raises(CheckError, match="rows of the roll"):
        publish.make_open_register(roll, parties.iloc[::-1], places, homes)
    twice = roll.assign(property_reference="R1")
    with pytest.raises(CheckError, match="there twice"):
        publish.make_open_register(twice, persons.classify_parties(twice), places, homes)


def test_whoever_is_withheld_has_nothing_beside_the_property(town):
    roll, parties, places = town
    register = publish.make_open_register(roll, parties, places, publish.find_homes(roll))
    safe = protect_register(register, REGISTER).frame
    withheld = (~register["is_organisation"]).to_numpy()
    assert 0.2 < withheld.mean() < 0.8
    assert safe.loc[withheld, ["released_name", *publish.OF_RATEPAYER]].isna().all(axis=None)
    assert safe.loc[~withheld, "released_name"].notna().all()
    assert safe["ward_code"].notna().mean() > 0.9


@pytest.mark.parametrize(
    ("address", "left"),
    [
        ("52, Cross Lane, Kirkfold, ML1 1AA", "Cross Lane, Kirkfold"),
        ("Flat 2/1, 12A High Street, Kirkfold", "High Street, Kirkfold"),
        ("Rose Cottage, Mill Road, Kirkfold", "Mill Road, Kirkfold"),
        ("Park View, 3 High Street, Kirkfold", "High Street, Kirkfold"),
        ("Kilnsea House, Kirkfold, ML11AA", "Kirkfold"),
        ("7 Kirkgate, Shipley", "Kirkgate, Shipley"),
        ("ML1 1AA", None),
    ],
)
def test_the_address_of_a_home_is_its_street(address, left):
    roll = make_roll({"description": "SELF CATERING UNIT", "address": address, "ratepayer_name": "Ada Byron"})
    assert make_register(roll)["address"].fillna("")[0] == (left or "")


def test_the_place_of_a_home_is_coarse_in_every_column():
    places = pd.DataFrame({"ward_code": ["S13"], "zone_code": ["S01"]}, dtype="str")
    row = make_register(make_roll({"description": "GUEST HOUSE", "ratepayer_name": "Ada Byron"}), places=places).iloc[0]
    assert (row["postcode"], row["latitude"], row["geometry"].y) == ("ML1", 55.12, 55.12)
    assert row["ward_code"] == "S13"
    assert pd.isna(row["zone_code"])


def test_no_house_number_or_postcode_is_left_of_a_home(town):
    roll, parties, places = town
    everybody = pd.Series(True, index=roll.index)
    register = publish.make_open_register(roll, parties, places, everybody)
    assert not register["address"].str.contains(r"\d", regex=True).any()
    assert not register["postcode"].str.contains(" ").any()


def test_wards_come_from_outlines_and_zones_from_the_nearest_centre_in_the_ward():
    wards = gpd.GeoDataFrame({"ward_code": ["W1", "W2"]}, geometry=[box(-5, 55, -4, 56), box(-4, 55, -3, 56)], crs=4326)
    zones = pd.DataFrame(
        {
            "zone_code": ["Z1", "Z2", "Z3"],
            "latitude": [55.5, 55.5, 55.9],
            "longitude": [-4.9, -3.95, -4.05],
        }
    )
    roll = make_roll({}, {}, {}, {}, latitude=[55.5, 55.5, 50.0, None], longitude=[-4.1, -3.5, -4.1, None])
    places = publish.find_places(roll, wards, zones)
    assert list(places["ward_code"].fillna("")) == ["W1", "W2", "", ""]
    assert list(places["zone_code"].fillna("")) == ["Z3", "Z2", "", ""]  # Z2 is nearer to the first, in another ward
    assert publish.find_places(roll, None, zones).isna().all(axis=None)
    assert publish.find_places(roll, wards, None)["zone_code"].isna().all()


def test_a_roll_that_says_yes_or_nothing_means_that_nothing_is_empty():
    said = make_roll({}, {"is_occupied": None}, {"is_occupied": False})
    assert publish.find_empty(said).tolist() == [False, pd.NA, True]
    standard = make_roll({}, {"is_occupied": None})
    assert publish.find_empty(standard).tolist() == [False, True]
    dated = make_roll({"is_occupied": None, "empty_since_date": "2024-01-01"}, {"is_occupied": None})
    assert publish.find_empty(dated).tolist() == [True, pd.NA]
    unknown = make_roll({"is_occupied": None})
    assert publish.find_empty(unknown).tolist() == [pd.NA]


def test_a_register_is_laid_out_by_the_standard():
    roll = make_roll(
        {"ratepayer_name": "Bread Ltd", "small_business_relief": "SBR", "other_relief": "Pub", "exemption": "Listed"},
        {"ratepayer_name": "Ada Byron", "small_business_relief": "SBR"},
        description_code="CS",
    )
    links = pd.DataFrame(
        [("R9", "companies_house", "SC1", 0.999), ("R9", "oscr", "SC9", 0.5), ("R8", "companies_house", "SC2", 1.0)],
        columns=["property_reference", "register", "unique_id", "match_probability"],
    )
    entries = pd.DataFrame(
        [("companies_house", "SC1", "THE BREAD LIMITED"), ("companies_house", "SC2", "ADA BYRON LTD")],
        columns=["register", "unique_id", "name"],
    )
    parties = persons.classify_parties(roll)
    numbers = publish.find_numbers(parties, links, entries)
    assert numbers.fillna("").to_dict("list") == {"company_number": ["SC1", ""], "charity_number": ["", ""]}
    register = publish.make_open_register(roll, parties, make_places(roll), publish.find_homes(roll), numbers)
    text = publish.lay_out_standard(register)
    headings = [*publish.STANDARD.values(), publish.RELIEF_TYPES]
    rule = REGISTER.model_copy(
        update={
            "public": [publish.STANDARD[name] for name in publish.STANDARD if name in publish.PROPERTY],
            "name": "Ratepayer",
            "telling": [
                *(publish.STANDARD[name] for name in publish.OF_RATEPAYER if name in publish.STANDARD),
                publish.RELIEF_TYPES,
            ],
            "redacted": "REDACTED",
        }
    )
    person, firm = protect_register(text, rule).frame[headings].fillna("").to_dict("records")
    assert (firm["Ratepayer"], firm["Company number"], firm["Charity number"]) == ("Bread Ltd", "SC1", "")
    assert (firm["Occupied"], firm["Liability start date"], firm["Rateable value"]) == ("Y", "2020-04-01", "9000")
    assert (firm["Relief types"], firm["Exemptions"], firm["VOA code"]) == ("SBR; Pub", "Listed", "CS")
    assert {person[heading] for heading in [rule.name, *rule.telling]} == {"REDACTED"}


def test_a_number_of_another_company_is_not_given_however_likely_the_link():
    roll = make_roll({"ratepayer_name": "Bread Ltd"})
    links = pd.DataFrame(
        [("R9", "companies_house", "SC1", 1.0)],
        columns=["property_reference", "register", "unique_id", "match_probability"],
    )
    entries = pd.DataFrame({"register": ["companies_house"], "unique_id": ["SC1"], "name": ["BREAD PLC"]})
    assert publish.find_numbers(persons.classify_parties(roll), links, entries).isna().all(axis=None)


# --- uses ---


def test_the_words_of_a_description_say_the_same_as_its_code():
    table = publish.read_descriptions()
    told = table[table["description"] != "MISCELLANEOUS"]
    by_words = publish.group_descriptions(told["description"])
    assert list(told.index[by_words != told["use"]]) == []
    codes = pd.Series(told.index, index=told.index)
    assert publish.group_descriptions(told["description"], codes).equals(by_words)


def test_a_code_says_what_a_property_without_a_description_is():
    roll = make_roll(
        {"description_code": "CS"}, {"description_code": "LX"}, {"description_code": "??"}, description=None
    )
    assert publish.fill_descriptions(roll).fillna("").tolist() == ["SHOP AND PREMISES", "MISCELLANEOUS", ""]
    uses = publish.group_descriptions(roll["description"], roll["description_code"])
    assert uses.tolist() == ["Shops and services", "Public services and community", publish.OTHER_GROUP]


@given(st.lists(st.floats(0, 1e7) | st.none(), min_size=1))
def test_each_amount_has_the_band_that_it_lies_in(amounts):
    values = pd.Series(amounts, dtype="Float64")
    bands = publish.cut_bands(values, publish.VALUE_BANDS)
    lows = list(publish.VALUE_BANDS)
    for amount, band in zip(amounts, bands, strict=True):
        place = [n for n, low in enumerate(lows) if amount is not None and (amount > low or n == 0)]
        assert (band == list(publish.VALUE_BANDS.values())[place[-1]]) if place else pd.isna(band)


# --- extracts ---


def test_extracts_hold_organisations_alone_and_what_was_asked_for():
    roll = make_roll(
        {"ratepayer_name": "Bread Ltd", "liability_start_date": "2026-05-01", "account_credit_gbp": 100.01},
        {"ratepayer_name": "Cake Ltd", "is_occupied": False, "small_business_relief": "SBR"},
        {
            "ratepayer_name": "Ada Byron",
            "is_occupied": False,
            "small_business_relief": "SBR",
            "account_credit_gbp": 9.0,
        },
        {"ratepayer_name": "Tea Ltd", "account_credit_gbp": -3.0},
    )
    extracts = publish.list_extracts(
        make_register(roll), roll, persons.classify_parties(roll), new_since=publish.count_back("2027-04-30")
    )
    names = {name: extract["released_name"].tolist() for name, extract in extracts.items()}
    assert names == {
        "new_ratepayers": ["Bread Ltd"],
        "empty_properties": ["Cake Ltd"],
        "accounts_in_credit": ["Bread Ltd"],
        "small_business_relief": ["Cake Ltd"],
    }
    assert extracts["accounts_in_credit"]["credit_band"].tolist() == ["£100 to £1,000"]


def test_an_extract_has_no_name_that_is_withheld_in_a_row_which_is_not_in_it():
    roll = make_roll(
        {"ratepayer_name": "Ada Byron"},
        {"ratepayer_name": "Bread Ltd", "address": "Ada Byron, 2 High Street", "is_occupied": False},
    )
    extract = publish.list_extracts(make_register(roll), roll, persons.classify_parties(roll), new_since="2026-01-01")[
        "empty_properties"
    ]
    safe = protect_register(extract.drop(columns="geometry"), REGISTER).frame
    assert safe["address"].tolist() == ["2 High Street"]


def test_new_is_a_year_before_the_last_start_or_before_the_run_where_a_roll_tells_of_none():
    roll = pd.DataFrame({"liability_start_date": pd.to_datetime(["2018-02-01", None, "2019-06-30"])})
    assert publish.find_new_since(roll, "2026-11-26") == "2018-06-30"
    assert publish.find_new_since(roll.iloc[1:2], "2026-11-26") == "2025-11-26"


# --- every row, made coarser ---


def test_the_number_of_a_record_tells_of_no_order(town):
    roll, parties, places = town
    frame = publish.make_deidentified(roll, places, parties)
    by_record = frame.sort_values("record")
    for column in ("ward_code", "use", "liability_year", "relief"):
        codes = pd.Series(pd.factorize(by_record[column], sort=True)[0])
        assert abs(np.corrcoef(codes, np.arange(len(codes)))[0, 1]) < 0.12  # 1 where rows are numbered in its order


def test_records_are_numbered_anew_when_the_ledger_changes_and_only_then(town):
    roll, parties, places = town
    first, again = (publish.make_deidentified(roll, places, parties) for _ in range(2))
    assert first.equals(again)
    changed = roll.assign(account_credit_gbp=roll["account_credit_gbp"].fillna(0.01))
    order = publish._shuffle(roll, len(first)), publish._shuffle(changed, len(first))
    assert np.mean(np.array(order[0]) == np.array(order[1])) < 0.02


def test_what_is_left_of_a_group_without_the_organisations_is_still_protected(town):
    """The attacker takes the organisations, whose reliefs are in the register, off every group."""
    roll, parties, places = town
    withheld = parties["party"] != persons.ORGANISATION
    frame = publish.make_deidentified(roll, places, parties)
    assert len(frame) == withheld.sum()
    safe = protect_records(frame, RECORDS).frame
    groups = safe.groupby(list(RECORDS.quasi_identifiers), dropna=False)["relief"]
    assert groups.size().min() >= 10
    assert groups.nunique().min() >= 2


def test_the_withheld_rows_alone_are_laid_out_with_their_values():
    roll = make_roll(
        {"ratepayer_name": "Bread Ltd"},
        {"ratepayer_name": "Ada Byron", "account_credit_gbp": 50, "mandatory_relief": "80%", "is_occupied": False},
    )
    places = pd.DataFrame({"ward_code": ["W1", "W2"], "zone_code": None})
    frame = publish.make_deidentified(roll, places, persons.classify_parties(roll))
    assert frame.to_dict("records") == [
        {
            "ward_code": "W2",
            "use": "Shops and services",
            "value_band": "£5,000 to £12,000",
            "liability_year": 2020.0,
            "occupancy": "empty",
            "relief": "charity",
            "credit": "up to £100",
            "record": 1,
        }
    ]
    assert len(publish.make_deidentified(roll, places)) == 2


# --- tables ---


COUNTS = ["properties", "withheld_properties", "withheld_empty", "withheld_relieved"]


def test_counts_of_those_withheld_pass_the_gate_and_leave_nothing_to_take_off(town):
    roll, parties, places = town
    wards = places["ward_code"].fillna(publish.NO_WARD)
    table = publish.count_withheld(wards, roll, parties, publish.ALL_WARDS)
    relieved = roll["small_business_relief"].notna() & (parties["party"] != persons.ORGANISATION)
    by_ward = table.set_index("ward_code")["withheld_relieved"].drop(publish.ALL_WARDS)
    assert by_ward.to_dict() == relieved.groupby(wards).sum().to_dict()
    rule = CountRule(
        rule="counts",
        approver=APPROVER,
        counts=COUNTS,
        part_of=dict.fromkeys(COUNTS[2:], "withheld_properties"),
        totals={"ward_code": publish.ALL_WARDS},
        threshold=10,
        round_to=5,
        zeros="show",
        full="suppress",
        published_totals="what is left",
        solver_seconds=2,
    )
    safe = protect_counts(table, rule, ["ward_code"]).frame
    shown = safe["withheld_relieved"].dropna()
    assert ((shown == 0) | (shown >= 10)).all()
    assert len(shown) > 10


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_no_withheld_name_leaves_in_any_cell(data):
    """Whatever is in the ledger, no cell of the register or an extract holds a name that is withheld anywhere."""
    people = ["Ada Byron", "Chidi Okafor", "Li Na Wong"]
    names = st.sampled_from([*people, "Bread Ltd", "Cake PLC", None])
    homes = st.sampled_from(["SHOP AND PREMISES", "GUEST HOUSE", None])
    rows = [
        {
            "ratepayer_name": data.draw(names),
            "address": f"{data.draw(names) or 'Unit 1'}, {n} High Street, {data.draw(names) or 'Kirkfold'}",
            "description": data.draw(homes),
            "is_occupied": data.draw(st.sampled_from([True, False, None])),
        }
        for n in range(data.draw(st.integers(1, 7)))
    ]
    roll = make_roll(*rows)
    withheld = set(roll["ratepayer_name"].dropna()) & set(people)
    register = make_register(roll)
    extracts = publish.list_extracts(register, roll, persons.classify_parties(roll), new_since="2000-01-01").values()
    for frame in (register, *extracts):
        safe = pd.DataFrame(protect_register(frame.drop(columns="geometry"), REGISTER).frame)
        text = safe.to_csv().casefold()
        assert not [name for name in withheld if name.casefold() in text]
