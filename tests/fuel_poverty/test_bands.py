import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from councilbook.fuel_poverty.postcodes import bands


def make(shares: list[float], homes: list[int] | None = None) -> pd.DataFrame:
    """Two postcodes in each output area, of one share."""
    homes = homes or [10] * len(shares)
    rows = [
        (f"XX{area} 1A{letter}", f"E00{area:06d}", f"E01{area // 2:06d}", count, share, count * share / 100)
        for area, (share, count) in enumerate(zip(shares, homes, strict=True))
        for letter in "AB"
    ]
    columns = ["postcode", "oa21_code", "lsoa21_code", "households", "fuel_poor_pct", "fuel_poor_households"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(low_95=table["fuel_poor_pct"] * 0.8, high_95=(table["fuel_poor_pct"] * 1.2).clip(upper=100))


TEN = make([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])


def test_bands_are_fifths_of_all_homes():
    banded = bands.band_postcodes(TEN.sample(frac=1, random_state=1))
    assert banded.sort_values("fuel_poor_pct")["band"].tolist() == [band for band in range(1, 6) for _ in range(4)]


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(1, 50)), min_size=1, max_size=40))
def test_a_higher_share_never_has_a_lower_band_and_an_output_area_has_one(places):
    banded = bands.band_postcodes(make([share for share, _ in places], [homes for _, homes in places]))
    assert banded.sort_values("fuel_poor_pct", kind="stable")["band"].between(1, 5).all()
    assert (banded.groupby("oa21_code")["band"].agg(["min", "max"]).diff(axis="columns")["max"] == 0).all()
    by_share = banded.groupby("fuel_poor_pct")["band"].agg(["min", "max"])
    assert (by_share["min"].iloc[1:].to_numpy() >= by_share["max"].iloc[:-1].to_numpy()).all()


def test_sums_of_bands_add_up_to_the_whole():
    sums = bands.sum_bands(bands.band_postcodes(TEN))
    assert sums["postcodes"].sum() == 20
    assert sums["households"].sum() == 200
    assert sums["share_of_fuel_poor_pct"].sum() == pytest.approx(100, abs=0.3)
    assert sums["fuel_poor_pct"].tolist() == [1.5, 3.5, 5.5, 7.5, 9.5]


def test_an_areas_homes_in_the_highest_band_are_a_share_of_its_listed_homes():
    areas = pd.DataFrame({"lsoa21_codes": ["E01000004", "E01000000+E01000003", "E01000099"]}, index=[7, 3, 5])
    share = bands.find_high_risk_areas(bands.band_postcodes(TEN), areas)
    assert share.index.tolist() == [7, 3, 5]
    assert share.tolist()[:2] == [100.0, 0.0]
    assert pd.isna(share.iloc[2])


def test_intervals_and_districts_are_told_in_words():
    banded = bands.band_postcodes(TEN).assign(low_95=0.04, high_95=7)
    assert bands.write_intervals(banded).iloc[0] == "0.0% to 7.0%"
    one = bands.describe_districts(banded.assign(lad22_name="North"))
    assert one == "Postcodes of the highest band lie in 1 of 5 small areas."
    two = bands.describe_districts(banded.assign(lad22_name=["South"] * 12 + ["North"] * 8))
    assert "North has the largest part" in two
    assert "(50%), South the smallest (0%)" in two


def test_the_highest_band_is_told_beside_its_share_of_homes():
    words = bands.describe_bands(bands.band_postcodes(TEN), "North")
    assert "**4 of 20 postcodes** of North" in words
    assert "20% of the homes and an expected **35%**" in words


@pytest.mark.parametrize(("rmse", "gain", "words"), [(1.0, 40.0, "explains 40% of"), (3.0, -5.0, "explains none of")])
def test_the_gain_is_told_with_the_best_baseline(rmse, gain, words):
    scores = pd.DataFrame(
        {
            "model": ["Postcode risk model", "IMD alone", "District mean"],
            "kind": ["model", "baseline", "baseline"],
            "held_out": "districts",
            "rmse_pct": [rmse, 2.0, 2.5],
            "gain_over_imd_pct": [gain, 0.0, -20.0],
        }
    )
    told = bands.describe_gain(scores)
    assert words in told
    assert ("more than the 2.00" in told) == (rmse > 2)
    assert "(IMD alone)" in told


def make_trial(**changes) -> pd.DataFrame:
    row = {
        "neighbourhoods": 200,
        "areas": 1000,
        "variance_explained_pct": 41.2,
        "covered_pct": 86.0,
        "widened_by": 1.4,
        "held_out": "each district in turn",
        "covered_held_out_pct": 95.4,
        "split_areas": 35,
        "parts": 78,
        "split_slope": 0.87,
        "split_slope_low_95": 0.74,
        "split_slope_high_95": 1.02,
    }
    return pd.DataFrame([row | changes])


@pytest.mark.parametrize(
    ("explained", "factor", "words", "narrow"),
    [(41.2, 1.4, "explains 41% of", True), (-3.0, 1.0, "explains none of", False)],
)
def test_the_trial_a_level_up_is_told_with_what_its_intervals_missed(explained, factor, words, narrow):
    told = bands.describe_within(make_trial(variance_explained_pct=explained, widened_by=factor))
    assert words in told
    assert "86% of the official figures lie in their 95% intervals" in told
    assert ("They were too narrow" in told) == ("1.4 times as much" in told) == narrow
    assert ("left as wide as they are" in told) == (not narrow)


@pytest.mark.parametrize(("covered", "few"), [(95.4, False), (88.0, True)])
def test_widened_intervals_are_told_with_what_they_hold_where_nobody_had_looked(covered, few):
    told = bands.describe_within(make_trial(covered_held_out_pct=covered))
    assert f"(each district in turn left out), {covered:.0f}% lay in their intervals" in told
    assert ("still too few" in told) == few


@pytest.mark.parametrize(
    ("slope", "low", "high", "verdict"),
    [
        (0.87, 0.74, 1.02, "neither clearly overstate nor understate"),
        (0.58, 0.34, 0.82, "estimates overstate"),
        (1.4, 1.1, 1.7, "estimates understate"),
    ],
)
def test_the_test_on_split_areas_is_told_with_its_interval(slope, low, high, verdict):
    given = {"split_slope": slope, "split_slope_low_95": low, "split_slope_high_95": high}
    told = bands.describe_within(make_trial(**given))
    assert told.startswith("Tested on the 78 parts of 35 areas that were split in 2021")
    assert verdict in told
    assert f"differ by {slope:.2f} (95% interval {low:.2f} to {high:.2f})" in told
    few = bands.describe_within(make_trial(split_areas=2, split_slope=None))
    assert few.startswith("2 areas with figures were split in 2021, too few")


def test_too_few_neighbourhoods_leave_the_estimates_untested():
    shares = dict.fromkeys(("variance_explained_pct", "covered_pct", "held_out", "covered_held_out_pct"))
    told = bands.describe_within(make_trial(neighbourhoods=9, widened_by=1.6, **shares))
    assert "With 9 neighbourhoods there are too few" in told
    assert "1.6 times as much" in told
    assert told.endswith("how often they hold is not known.")


def test_areas_without_a_postcode_are_found_by_the_census_of_the_year_and_named():
    banded = bands.band_postcodes(make([5, 10], [10, 30]))  # both output areas are in E01000000
    year = pd.DataFrame(
        {
            "lsoa_code": ["E01000000", "E01000007", "E01000008"],
            "lsoa_name": ["Town 1", "Town 2", "Town 3"],
            "lsoa_vintage": 2021,
            "households": [80, 619, 7],
        }
    )
    areas = pd.DataFrame({"lsoa11_codes": ["E01a+E01b", "E01c"], "lsoa21_codes": ["E01000000+E01000007", "E01000008"]})
    without = bands.find_areas_without(banded, year, areas)
    assert without["lsoa_code"].tolist() == ["E01000007", "E01000008"]
    assert bands.describe_areas_without(without, 3) == (
        "**2 of 3 small areas have no postcode in the directory**, so their 626 households are in no band: Town 2 and "
        "Town 3."
    )
    old = year.assign(lsoa_code=["E01a", "E01b", "E01c"], lsoa_vintage=2011)
    assert bands.find_areas_without(banded, old, areas)["lsoa_code"].tolist() == ["E01c"]
    assert bands.describe_areas_without(without.head(0), 3) == (
        "Each of the 3 small areas of the official figures has postcodes in the list."
    )
    many = pd.concat([without] * 6)
    assert bands.describe_areas_without(many, 99).endswith("Town 3 and others.")


def test_a_band_is_surer_the_narrower_the_interval_and_the_farther_its_limit():
    sure = {
        width: bands.band_postcodes(spread(width)).groupby("oa21_code")["band_sure_pct"].first() for width in (1, 3)
    }
    assert sure[1].iloc[-1] > sure[1].iloc[-2]  # both in the highest band, the last farther from its limit
    assert (sure[3] < sure[1]).all()
    assert bands.band_postcodes(spread(0))["band_sure_pct"].min() == pytest.approx(100)


def spread(width: float) -> pd.DataFrame:
    return TEN.assign(
        fuel_poor_pct=TEN["fuel_poor_pct"] + 20,
        low_95=TEN["fuel_poor_pct"] + 20 - width,
        high_95=TEN["fuel_poor_pct"] + 20 + width,
    )


def test_a_share_in_the_middle_of_an_interval_at_the_limit_is_in_its_band_by_half():
    edge = make([10, 20, 30, 40, 50, 50.0001]).assign(low_95=1, high_95=99)
    banded = bands.band_postcodes(edge)
    assert banded.loc[banded["fuel_poor_pct"] == 50.0001, "band_sure_pct"].iloc[0] == pytest.approx(50, abs=5)


def test_the_page_says_how_many_homes_of_the_highest_band_are_sure_of_it():
    banded = make([10, 30], [30, 10]).assign(band=5, band_sure_pct=[79.9, 79.9, 90, 90])
    assert bands.describe_certainty(banded) == (
        "**How sure is a band?** 25% of the homes in the highest band belong to it with a chance of 80% or more; on "
        "average the chance is 82%. The list says it for each postcode."
    )
