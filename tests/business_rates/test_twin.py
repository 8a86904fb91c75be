"""The invented town, and how the ledger and the registers see it."""

import csv
import io
from xml.etree import ElementTree

import geopandas as gpd
import pandas as pd
import pytest

from councilbook.business_rates.missing import linkage_trials
from councilbook.business_rates.twin import accounts, views
from councilbook.business_rates.twin.town import KINDS, PEOPLE, draw_town
from councilbook.catalogue import Council, TwinRequest
from councilbook.errors import SourceError
from councilbook.methods.linkage.review import name_pair

COUNCIL = Council(slug="north_lanarkshire", name="North Lanarkshire", codes={"S12000050": "North Lanarkshire"})
REQUEST = TwinRequest(COUNCIL, 7)


@pytest.fixture(scope="module")
def town():
    return draw_town(REQUEST)


def read_csv(content: bytes) -> pd.DataFrame:
    return pd.DataFrame(list(csv.DictReader(io.StringIO(content.decode()))))


def test_the_same_seed_gives_the_same_bytes_and_another_gives_others():
    other = TwinRequest(COUNCIL, 8)
    for make in (accounts.make_ledger, views.make_food_hygiene, views.make_companies, views.make_charities):
        assert make(None, REQUEST) == make(None, REQUEST)
        assert make(None, REQUEST) != make(None, other)


def test_a_town_has_occupiers_of_every_kind_in_places_that_do_not_exist(town):
    assert set(town.businesses["kind"]) == set(KINDS)
    assert town.businesses["property_reference"].is_unique
    assert town.businesses["postcode"].str.startswith("ZZ").all()
    assert town.businesses["longitude"].min() > 2  # in the sea
    assert set(town.businesses["ward_code"]) <= set(town.wards["ward_code"])
    points = gpd.GeoSeries.from_xy(town.zones["longitude"], town.zones["latitude"], crs=4326)
    own = town.wards.set_index("ward_code").loc[town.zones["ward_code"]].geometry
    assert own.reset_index(drop=True).covers(points).all()


def test_no_two_companies_have_the_same_name(town):
    assert town.businesses.loc[town.businesses["kind"] == "company", "legal_name"].is_unique


def test_the_ledger_has_everybody_but_those_that_no_bill_goes_to(town):
    ledger = read_csv(accounts.make_ledger(None, REQUEST)["rates_ledger"])
    on_roll = town.businesses[town.businesses["on_roll"]]
    assert set(ledger["Property Reference"]) == set(on_roll["property_reference"])
    missing = town.businesses[~town.businesses["on_roll"]]
    assert 0 < len(missing) < 0.12 * town.businesses["food_type"].notna().sum()
    assert missing["food_type"].notna().all()


def test_a_month_before_a_few_properties_had_others_in_them_or_other_values_and_some_have_gone_since():
    made = accounts.make_ledger(None, REQUEST)
    now, before = (
        read_csv(made[name]).set_index("Property Reference") for name in ("rates_ledger", "rates_ledger_before")
    )
    gone = before.index.difference(now.index)
    joined = now.index.difference(before.index)
    assert 2 <= len(gone) < 0.01 * len(now)
    assert 2 <= len(joined) < 0.01 * len(now)
    now = now.drop(joined)
    same = before.loc[now.index]
    moved = now["Ratepayer Name"] != same["Ratepayer Name"]
    since = now["Liability Start Date"]
    assert 2 <= moved.sum() < 0.03 * len(now)
    assert (same.loc[moved, "Liability Start Date"] < since[moved]).all()  # some were made liable after the fact
    assert 0 < (now["Rateable Value"] != same["Rateable Value"]).sum() < 0.01 * len(now)


def test_people_stand_in_the_ledger_in_the_ways_that_ledgers_have(town):
    names = town.businesses.loc[town.businesses["kind"].isin(PEOPLE), "ledger_name"].str.upper()
    for way in (" T/A ", "& SONS", "EXECUTORS OF THE LATE ", "& PARTNERS"):
        assert names.str.contains(way, regex=False).any()


def test_the_food_register_has_the_layout_of_the_agencys_file(town):
    root = ElementTree.fromstring(views.make_food_hygiene(None, REQUEST))
    details = root.findall("EstablishmentCollection/EstablishmentDetail")
    serving = town.businesses["food_type"].notna().sum()
    assert serving < len(details) == int(root.findtext("Header/ItemCount")) < 1.3 * serving
    at_home = [detail for detail in details if not detail.findtext("PostCode")]
    assert 0.08 < len(at_home) / len(details) < 0.2  # in the official file 465 of 2,603 have none
    assert all(detail.find("Geocode/Latitude") is None for detail in at_home)
    assert all(detail.findtext("Geocode/Latitude") for detail in details if detail not in at_home)


def test_food_premises_lie_where_the_properties_of_their_postcode_do(town):
    root = ElementTree.fromstring(views.make_food_hygiene(None, REQUEST))
    at = ["postcode", "latitude", "longitude"]
    places = set(town.businesses[at].itertuples(index=False, name=None))
    found = [
        (detail.findtext("PostCode"), *(float(detail.findtext(f"Geocode/{one}")) for one in ("Latitude", "Longitude")))
        for detail in root.findall("EstablishmentCollection/EstablishmentDetail")
        if detail.findtext("PostCode")
    ]
    assert len(found) > 100
    assert set(found) <= places


def test_ledger_zones_and_properties_have_the_towns_latitude_north_and_longitude_east(town):
    ledger = read_csv(accounts.make_ledger(None, REQUEST)["rates_ledger"]).set_index("Property Reference")
    own = town.businesses.set_index("property_reference").loc[ledger.index]
    assert (ledger["Latitude"].astype(float) == own["latitude"]).all()
    assert (ledger["Longitude"].astype(float) == own["longitude"]).all()
    written = read_csv(views.make_places(None, REQUEST)["data_zones"]).set_index("Data_Zone")
    zones = town.zones.set_index("zone_code")
    for column in ("latitude", "longitude"):
        assert written[column].astype(float).tolist() == pytest.approx(zones[column].loc[written.index].tolist())
        assert (own[column] - own["zone_code"].map(zones[column])).abs().max() < 0.02


def test_the_register_of_companies_knows_each_company_and_many_strangers(town):
    companies = read_csv(views.make_companies(None, REQUEST))
    own = town.businesses["company_number"].dropna()
    assert set(own) <= set(companies[" CompanyNumber"])
    assert len(companies) > 4 * len(own)
    assert companies[" CompanyNumber"].is_unique


def test_in_a_real_run_the_town_lies_among_official_wards_zones_and_food_premises(town):
    wards = town.wards.assign(ward_code=town.wards["ward_code"].str.replace("9", "3"))
    wards = wards.assign(geometry=wards.translate(-6, 0))
    zones = town.zones.drop(columns="ward_code").assign(longitude=town.zones["longitude"] - 6)
    food = pd.DataFrame(
        {
            "fhrs_id": ["1", "2"],
            "business_name": ["Real Fry", "Real Inn"],
            "business_type": ["Takeaway/sandwich shop", "Pub/bar/nightclub"],
            "address_1": "1 High Street",
            "address_2": None,
            "postcode": "ML1 1AA",
            "latitude": 55.6,
            "longitude": -3.8,
        }
    )
    tables = {"wards": wards, "data_zones": zones, "food_hygiene_ratings": food}
    real = draw_town(TwinRequest(COUNCIL, 11, "real", tables.__getitem__)).businesses
    assert len(real) == 6600
    assert set(real["ward_code"]) <= set(wards["ward_code"])
    assert set(real["fhrs_id"].dropna()) == {"1", "2"}
    placed = real[real["fhrs_id"].notna()]
    assert set(placed["trading_name"]) == {"Real Fry", "Real Inn"}
    assert set(placed[["latitude", "longitude"]].itertuples(index=False, name=None)) == {(55.6, -3.8)}


def test_where_a_council_has_no_official_places_the_town_is_invented():
    def load(source):
        raise SourceError(f"no {source}")

    real = draw_town(TwinRequest(COUNCIL, 12, "real", load)).businesses
    assert real["postcode"].str.startswith("ZZ").all()


def test_a_clerks_verdicts_are_the_truth_but_for_a_few(town):
    verdicts = read_csv(views.make_link_verdicts(None, REQUEST)).set_index("pair_id")["verdict"]
    assert verdicts.index.is_unique
    keys = ["property_reference", "register", "unique_id"]
    truth = pd.concat(
        [one.assign(register=name) for name, one in linkage_trials.list_truth(town, REQUEST.seed).items()]
    )
    true = {name_pair(*key) for key in truth[keys].to_numpy()}
    assert verdicts[verdicts == "link"].index.isin(true).all()
    assert not verdicts[verdicts == "no link"].index.isin(true).any()
    assert 0.15 < pd.Series(list(true)).isin(verdicts.index).mean() < 0.35
    assert 0.01 < (verdicts == "unsure").mean() < 0.04
