"""The open register and the rows made coarser, of the roll that Bradford has published."""

import geopandas as gpd
import pandas as pd
import pytest

from councilbook.business_rates.names import persons
from councilbook.business_rates.register import coarse_rows, open_register, properties
from councilbook.business_rates.roll.reading import read_roll
from councilbook.catalogue import RegisterRule, load_catalogue
from councilbook.gate.disclosure.records import can_protect, protect_records
from councilbook.gate.disclosure.registers import protect_register
from councilbook.paths import find_workbook

FOLDER = "north_lanarkshire"
RULE = RegisterRule(
    rule="register",
    approver="Information governance lead",
    law="Anybody may inspect the rating list.",
    public=open_register.PROPERTY,
    name="released_name",
    telling=open_register.OF_RATEPAYER,
    is_organisation="is_organisation",
    name_inside="ratepayer_name",
)


@pytest.fixture(scope="module")
def roll(mirror):
    return read_roll(mirror / FOLDER / "ndr/nndr_bradford_2019-06.csv.gz", run_date="2026-01-01").frame


@pytest.fixture(scope="module")
def parties(roll):
    return persons.classify_parties(roll)


@pytest.fixture(scope="module")
def places(roll):
    return properties.find_places(roll, None, None)


@pytest.fixture(scope="module")
def register(roll, parties, places):
    return open_register.make_open_register(roll, parties, places, properties.find_homes(roll))


def test_every_property_is_in_the_register_with_its_value(roll, register):
    assert len(register) == len(roll) == 19019
    assert register["rateable_value_gbp"].sum() == roll["rateable_value_gbp"].sum()
    assert register.geometry.notna().sum() == roll["latitude"].notna().sum() > 19000


def test_the_code_gives_a_description_to_a_third_of_the_properties(roll, register):
    assert roll["description"].isna().sum() > 6000
    assert register["description"].isna().sum() < 100
    uses = properties.group_descriptions(roll["description"], roll["description_code"])
    assert (uses == properties.OTHER_GROUP).mean() < 0.1


def test_a_blank_under_occupied_means_empty(roll, register):
    assert (~register["is_occupied"]).sum() == roll["is_occupied"].isna().sum() == 2171


def test_no_home_can_be_found_by_its_postcode_or_number(roll, register):
    homes = properties.find_homes(roll)
    assert homes.sum() > 100
    hidden = register[register["property_reference"].isin(roll.loc[homes, "property_reference"])]
    assert not hidden["address"].str.contains(r"\d", regex=True).any()
    assert not hidden["postcode"].str.contains(" ").any()


def test_nothing_is_told_of_who_is_withheld(register):
    safe = protect_register(register, RULE).frame
    withheld = ~register["is_organisation"]
    assert 0.4 < withheld.mean() < 0.5
    assert safe.loc[withheld.to_numpy(), ["released_name", *open_register.OF_RATEPAYER]].isna().all(axis=None)


def test_the_withheld_rows_made_coarser_pass_the_gate_and_keep_most_of_what_they_say(roll, parties, places):
    whole = coarse_rows.make_deidentified(roll, places, parties)
    rule = load_catalogue(find_workbook()).dataset("rates_deidentified").disclosure
    protected = protect_records(whole, rule)
    assert (protected.after.k, protected.after.l, protected.after.population_uniques_pct) >= (10, 2, 0)
    assert protected.loss < 0.35
    assert protected.records_dropped < 0.01 * len(whole)  # rows of whose kind the reliefs are too alike
    groups = protected.frame.groupby(list(rule.quasi_identifiers), dropna=False)["relief"]
    assert groups.nunique().min() >= 2


@pytest.mark.parametrize(("council", "passes"), [("selby", True), ("scarborough", True), ("harrogate", False)])
def test_whether_a_council_gets_a_coarser_table_hangs_on_whether_its_roll_tells_of_relief(mirror, council, passes):
    roll = read_roll(mirror / FOLDER / f"ndr/nndr_{council}_2019-06.csv.gz", run_date="2026-01-01").frame
    whole = coarse_rows.make_deidentified(
        roll, properties.find_places(roll, None, None), persons.classify_parties(roll)
    )
    rule = load_catalogue(find_workbook()).dataset("rates_deidentified").disclosure
    assert can_protect(whole, rule) is passes
    assert set(whole["relief"]) == ({"none", "small business", "charity", "other"} if passes else {"not known"})


def test_the_real_zones_lie_in_the_real_wards_and_a_property_gets_the_nearest(mirror):
    folder = mirror / FOLDER / "geo"
    wards = gpd.read_file(folder / "wards_S12000050_north_lanarkshire.geojson").rename(columns={"WD25CD": "ward_code"})
    zones = pd.read_csv(folder / "datazone_centroids_north_lanarkshire.csv").rename(columns={"Data_Zone": "zone_code"})
    places = properties.find_places(
        zones.drop(columns="zone_code"), wards, zones
    )  # properties that stand at the centres
    assert (places["zone_code"] == zones["zone_code"]).all()
    assert places["ward_code"].nunique() == 21
