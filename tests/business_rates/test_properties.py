"""What a property is used for, which band its value is in, and where it lies."""

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import box

from councilbook.business_rates.register import open_register, properties
from small_roll import make_register, make_roll


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
    register = open_register.make_open_register(roll, parties, places, everybody)
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
    places = properties.find_places(roll, wards, zones)
    assert list(places["ward_code"].fillna("")) == ["W1", "W2", "", ""]
    assert list(places["zone_code"].fillna("")) == ["Z3", "Z2", "", ""]  # Z2 is nearer to the first, in another ward
    assert properties.find_places(roll, None, zones).isna().all(axis=None)
    assert properties.find_places(roll, wards, None)["zone_code"].isna().all()


def test_the_words_of_a_description_say_the_same_as_its_code():
    table = properties.read_descriptions()
    told = table[table["description"] != "MISCELLANEOUS"]
    by_words = properties.group_descriptions(told["description"])
    assert list(told.index[by_words != told["use"]]) == []
    codes = pd.Series(told.index, index=told.index)
    assert properties.group_descriptions(told["description"], codes).equals(by_words)


def test_a_code_says_what_a_property_without_a_description_is():
    roll = make_roll(
        {"description_code": "CS"}, {"description_code": "LX"}, {"description_code": "??"}, description=None
    )
    assert properties.fill_descriptions(roll).fillna("").tolist() == ["SHOP AND PREMISES", "MISCELLANEOUS", ""]
    uses = properties.group_descriptions(roll["description"], roll["description_code"])
    assert uses.tolist() == ["Shops and services", "Public services and community", properties.OTHER_GROUP]


@given(st.lists(st.floats(0, 1e7) | st.none(), min_size=1))
def test_each_amount_has_the_band_that_it_lies_in(amounts):
    values = pd.Series(amounts, dtype="Float64")
    bands = properties.cut_bands(values, properties.VALUE_BANDS)
    lows = list(properties.VALUE_BANDS)
    for amount, band in zip(amounts, bands, strict=True):
        place = [n for n, low in enumerate(lows) if amount is not None and (amount > low or n == 0)]
        assert (band == list(properties.VALUE_BANDS.values())[place[-1]]) if place else pd.isna(band)
