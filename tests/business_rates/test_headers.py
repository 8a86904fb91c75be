"""What a header says: as councils have written it, in short words, misspelt, and with the year of a list."""

from datetime import date
from pathlib import Path

import pytest
import yaml

from councilbook.business_rates.roll.columns import map_header
from councilbook.business_rates.roll.headers import find_list_in_force, join_headers, read_header
from councilbook.errors import CheckError

SEEN = {
    header: targets.split(" or ")
    for targets, headers in yaml.safe_load(
        (Path(__file__).parent / "council_headers.yaml").read_text(encoding="utf-8")
    ).items()
    for header in headers.split(" | ")
}


def found(header, on=None):
    return {column.header.strip(): column.target for column in map_header(header.split(","), on)}


def test_each_header_that_councils_have_published_becomes_what_a_person_says_it_is():
    assert len(SEEN) > 400
    for header, targets in SEEN.items():
        alone = map_header([header])[0].target or "not used"
        later = {"postcode": "ratepayer_address", "address": "ratepayer_address"}  # beside the property's own
        assert {alone, later.get(alone), "not used"} & set(targets), header
        assert alone in targets or targets == ["not used"] or later.get(alone) in targets, header


@pytest.mark.parametrize(("header", "target"), [
    *dict.fromkeys([
        "Property ref no", "Prop Ref No.", "PropertyRefNo", "PROP_REF_NUM", "Propery Reference", "Property Ref (No)",
        "Hereditament Ref", "Property ID", "Premises Ref", "NDR Ref No", "Unique Property Ref", "Ref No", "Reference",
    ], "property_reference").items(),
    ("Billing Authority Ref", "ba_reference"), ("BA Ref No", "ba_reference"), ("UPRN No", "uprn"),
    ("lead_liable", "ratepayer_name"), ("Rate Payer Name", "ratepayer_name"), ("Name of Ratepayer", "ratepayer_name"),
    ("Acct Holder", "ratepayer_name"), ("Ratepyer", "ratepayer_name"), ("Trading As", "trading_name"),
    ("company_number", "company_number"), ("Company Registration No", "company_number"),
    ("prop_addr1", "address"), ("Addres 2", "address"),
    ("Property Location", "address"), ("Prop Address Line 3", "address"), ("Street Name", "address"),
    ("corresp_addr4", "ratepayer_address"), ("Liable Party Address 1", "ratepayer_address"),
    ("prop_pcode", "postcode"), ("Postocde", "postcode"), ("prop_descrip", "description"),
    ("Current VOA Description", "description"), ("Rateble Value", "rateable_value_gbp"),
    ("Net RV", "rateable_value_gbp"),
    ("Liabilty Start Date", "liability_start_date"),
    ("Date Account Opened", "liability_start_date"), ("Relief(s) Applied", "relief"), ("PCode", "postcode"),
    ("Empty/Occupied", "is_occupied"), ("Cyfeiriad / Address", "address"),
    ("Unocc", "is_empty"), ("Part Empty", "is_part_empty"),
    ("Occupied Property / Empty Property", "is_occupied"), ("Current Relief 1", "relief"), ("relief", "relief"),
    ("Relief Code 2", "relief"), ("Address of Property", "address"), ("Amount of the Relief", "relief_amount"),
    ("Ratepayer (where not an individual)", "ratepayer_name"), ("Names of the occupiers", "ratepayer_name"),
    ("Empty Property Relief", "other_relief"), ("RHL", "other_relief"), ("Valuation Code", "description_code"),
    ("SBRApplied", "small_business_relief"), ("SBRAmount", "small_business_relief"),
    ("SBRR Award", "small_business_relief"), ("CharityReliefAmount", "mandatory_relief"),
    ("MandatoryAmount", "mandatory_relief"), ("Charitable Relief", "mandatory_relief"),
    ("DCTU", "discretionary_relief"),
    ("Retail Hospitality & Leisure Relief", "other_relief"), ("Supporting Small Business", "other_relief"),
    *dict.fromkeys(["Liability End Date", "Date Account Closed", "Account To"], "liability_end_date").items(),
    ("Address (Property)", "address"), ("Type of Relief Granted", "relief"), ("RV 23", "rateable_value_gbp"),
    ("Occupied From", "liability_start_date"), ("Reason for Exemption", "exemption"), ("List Year", "list_year"),
    ("SSB Relief", "other_relief"), ("Relief total", "relief_total"), ("Total Relief Awarded", "relief_total"),
    ("Relief 2 Type", "relief"), ("Relief 1 Amount", "relief_amount"), ("Relief Amount (2)", "relief_amount"),
    ("PROPADDR1", "address"), ("RPNAME1", "ratepayer_name"), ("RPPCODE", "ratepayer_address"),
    ("VODESC", "description"), ("VOIDFLAG", "is_empty"), ("VOIDDATE", "empty_since_date"),
    ("LIAB_PARTY_NAME", "ratepayer_name"),
    ("Prop Desc Code", "description_code"), ("Valuation Roll Year", "list_year"),
    ("Date ratepayer became liable for business rates", "liability_start_date"),
    ("Date property became empty", "empty_since_date"), ("Type(s) of relief awarded (e.g. SBRR)", "relief"),
])  # fmt: skip
def test_headers_of_other_councils_are_known_by_their_words_and_in_spite_of_their_spelling(header, target):
    assert found(header)[header] == target


@pytest.mark.parametrize("header", [
    "Account Reference", "Account No", "Phone", "Contact", "SBRSupplement", "SBR Supp", "Date of Small Business Relief",
    "Mandatory Relief From", "AnnualCharge", "Empty RV", "Status", "ChgType", "Ratepayer Phone",
])  # fmt: skip
def test_headers_that_only_sound_alike_are_not_taken_for_what_they_are_not(header):
    assert found(header)[header] is None


@pytest.mark.parametrize(("above", "header", "joined"), [
    ("Property,,Ratepayer,,Account", "Ref,Address,Name,Address,Start Date",
     "Property Ref,Property Address,Ratepayer Name,Ratepayer Address,Account Start Date"),
    ("Property,Rateable,,Postcode", "Ref,Value,Ratepayer,", "Property Ref,Rateable Value,Ratepayer,Postcode"),
    ("Roll as at 31/03/2026,,Page 1 of 1,", "Ref,Name,Address,RV", "Ref,Name,Address,RV"),  # a title
    ("Property Ref,Ratepayer,Address,RV", "7001,A Ltd,1 High Street,900", "7001,A Ltd,1 High Street,900"),  # a record
    ("Reliefs,,,Property", "SBR,Type,Start Date,Type", "SBR,Type,Reliefs Start Date,Property Type"),
])  # fmt: skip
def test_a_header_in_two_rows_is_joined_where_that_tells_more(above, header, joined):
    assert join_headers(above.split(","), header.split(",")) == joined.split(",")


def test_a_property_s_name_goes_before_its_address_and_not_the_ratepayer_s():
    own = found("Property Name 1,Property Name 2,Address 1,Address 2,Post Code")
    assert set(own.values()) == {"address", "postcode"}
    other = found("Property Name,Property Address 1,Property Post Code,Address 1,Post Code")
    assert [other["Address 1"], other["Post Code"]] == ["ratepayer_address"] * 2
    with pytest.raises(CheckError, match=r"Columns 2 and 4 \('Address Line 2' and 'Address'\) are both an address"):
        map_header(["Address Line 1", "Address Line 2", "Ratepayer", "Address"])
    twice = map_header(["Address 1", "Address 2", "Postcode", "Address 1", "Address 2"])
    assert [column.target for column in twice] == ["address"] * 2 + ["postcode"] + ["ratepayer_address"] * 2


@pytest.mark.parametrize(("header", "own"), [
    ("Address,Town,Postcode", ["address", "address_place", "postcode"]),
    ("Property Address,Prop Post Town,County", ["address", "address_place", "address_place"]),
    ("Address 1,Street,Locality,City", ["address", "address", "address_place", "address_place"]),
    ("Address,Street,Town / City", ["address", None, "address_place"]),  # the whole has its street
    ("Property Address,Address,Town", ["address", "ratepayer_address", "ratepayer_address"]),
    ("Property Address,Address,Property Town", ["address", "ratepayer_address", "address_place"]),
    ("Billing Address,Billing Town,Address,Town", [*["ratepayer_address"] * 2, "address", "address_place"]),
    ("Address,Country,Town Hall", ["address", None, None]),
])  # fmt: skip
def test_a_town_goes_with_the_address_that_it_stands_with(header, own):
    assert [column.target for column in map_header(header.split(","))] == own


@pytest.mark.parametrize(("header", "on", "read", "note"), [
    ("RV 2023,RV 2026", date(2026, 3, 31), "RV 2023", "list of 2023."),
    ("RV 2023,RV 2026", date(2026, 4, 1), "RV 2026", "list of 2026."),
    ("RV 2026,RV 2023", date(2026, 4, 1), "RV 2026", "list of 2026."),
    ("2026 RV", date(2026, 11, 23), "2026 RV", "list of 2026."),
    ("2026 RV", date(2025, 11, 23), "2026 RV", "Warning: its values are those of the list of 2026; on the day"),
    ("Rateable Value 2010,Rateable Value 2017", date(2019, 6, 1), "Rateable Value 2017", "list of 2017."),
    ("Rateable Value 2017", date(2024, 6, 1), "Rateable Value 2017", "that of 2023 is in force"),
    ("RV at 1 April 2023,Draft RV 2026", date(2025, 6, 1), "RV at 1 April 2023", "list of 2023."),
    ("Rateable Value 2025/26", date(2025, 6, 1), "Rateable Value 2025/26", "list of 2023."),
    ("Rateable Value,RV 2010", date(2025, 6, 1), "Rateable Value", ""),
])  # fmt: skip
def test_of_several_lists_the_one_in_force_is_read_and_said(header, on, read, note):
    columns = map_header(header.split(","), on)
    assert [
        (column.header, note in column.note.replace("Its values", "its values")) for column in columns if column.target
    ] == [(read, True)]


def test_a_list_without_a_year_beside_the_one_in_force_is_a_warning():
    other = map_header(["Rateable Value", "RV 2026"], date(2026, 5, 1))[1]
    assert other.target is None and "Warning" in other.note


def test_lists_come_into_force_on_the_first_of_april_of_their_years():
    assert [find_list_in_force(year) for year in (2016, 2017, 2022, 2023, 2025, 2030)] == [
        2010,
        2017,
        2017,
        2023,
        2023,
        2026,
    ]


def test_two_known_headers_for_one_column_are_an_error_and_two_guesses_are_not():
    with pytest.raises(CheckError, match=r"'Rateable Value' and 'RV' could both be .* file of columns"):
        map_header(["Rateable Value", "RV"])
    first, second = map_header(["Property Type", "Premises Category"])
    assert (first.target, second.target) == ("description", None)
    assert "which 'Property Type' is read as" in second.note


def test_a_header_of_a_person_s_own_details_is_nothing_of_ours():
    assert read_header("Contact Telephone").target is None
    assert read_header("Ratepayer Email").target is None
