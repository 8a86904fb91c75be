"""Sentences of the report: true whatever the figures are."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from councilbook.fuel_poverty import prose


def totals(*years: tuple[int, str, int, int]) -> pd.DataFrame:
    """A row a year: year, measure, households, fuel-poor households."""
    frame = pd.DataFrame(years, columns=["year", "measure", "households", "fuel_poor_households"])
    return frame.assign(fuel_poor_pct=(100 * frame["fuel_poor_households"] / frame["households"]).round(2))


EDITIONS = pd.DataFrame(
    {
        "edition": [2019, 2020, 2022, 2023, 2024],
        "revised": [None, None, None, "Why.", None],
        "also_published": [None, None, None, "One.", "Two."],
    }
)


def test_the_latest_year_is_told_in_whole_households_and_as_one_in_so_many() -> None:
    rows = totals((2021, "LILEE", 1000, 10), (2022, "LILEE", 732_409, 64_596))
    expected = (
        "In 2022, **64,596 of 732,409 households** in Kent were in fuel poverty by the official estimate: "
        "**8.8%**, or about one in 11."
    )
    assert prose.describe_latest(rows, "Kent") == expected
    assert prose.describe_latest(rows.drop(columns="measure"), "Kent") == expected  # numbers alone do not become 2022.0
    for poor, told in ((0, "**0.0%**."), (8, "**0.8%**, or about one in 125.")):
        assert prose.describe_latest(totals((2022, "LILEE", 1000, poor)), "Kent").endswith(told)


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        (200, 100, "By LILEE it fell from 20.0% in 2019 to 10.0% in 2022."),
        (100, 200, "By LILEE it rose from 10.0% in 2019 to 20.0% in 2022."),
        (100, 101, "By LILEE it rose from 10.0% in 2019 to 10.1% in 2022."),
        (100, 99, "By LILEE it fell from 10.0% in 2019 to 9.9% in 2022."),
        (100, 100, "By LILEE it hardly changed, from 10.0% in 2019 to 10.0% in 2022."),
    ],
)
def test_a_fall_a_rise_and_no_change_are_told_apart(first: int, last: int, sentence: str) -> None:
    rows = totals((2019, "LILEE", 1000, first), (2020, "LILEE", 1000, 999), (2022, "LILEE", 1000, last))
    assert prose.describe_change(rows) == sentence


def test_one_year_alone_is_no_change() -> None:
    assert prose.describe_change(totals((2022, "LILEE", 1000, 125))) == "By LILEE it was 12.5% in 2022."


def test_two_measures_are_told_apart_and_not_to_be_compared() -> None:
    rows = totals((2011, "LIHC", 1000, 80), (2018, "LIHC", 1000, 90), (2019, "LILEE", 1000, 150))
    assert prose.describe_change(rows) == (
        "By LIHC it rose from 8.0% in 2011 to 9.0% in 2018. By LILEE it was 15.0% in 2019. "
        "The definition changed in between, so the two must not be compared."
    )


def test_a_revised_series_is_told_apart_and_no_change_is_told_across_it() -> None:
    lihc, lilee = (2018, "LIHC", 1000, 90), [(2019, "LILEE", 1000, 86), (2022, "LILEE", 1000, 114)]
    rows = totals(*lilee, (2023, "LILEE", 1000, 110), (2024, "LILEE", 1000, 88))
    told = (
        "By LILEE it rose from 8.6% in 2019 to 11.4% in 2022. In the series as revised for 2023 it fell from 11.0% in "
        "2023 to 8.8% in 2024."
    )
    end = " The series was revised after 2022, so the two must not be compared."
    assert prose.describe_change(rows, [2022.5]) == told + end
    three = prose.describe_change(totals(lihc, *lilee, (2023, "LILEE", 1000, 110)), [2022.5])
    assert three.endswith(
        "In the series as revised for 2023 it was 11.0% in 2023. The definition changed in between and the series was "
        "revised after 2022, so the three parts must not be compared."
    )


def test_newer_data_and_years_without_figures_are_told_or_nothing_is() -> None:
    some = totals(*((year, "LILEE", 1000, 80) for year in (2019, 2022, 2023)))
    assert prose.describe_outdated([]) == prose.describe_absent(EDITIONS.iloc[[0, 2, 3]], some, "Kent") == ""
    assert prose.describe_outdated(["Gas: a", "Oil: b"]) == (
        "**Newer data are out, or due, than this page uses:** Gas: a; Oil: b."
    )
    assert prose.describe_absent(EDITIONS, some, "Kent").endswith("no figures of Kent for 2020 and 2024.")


@pytest.mark.parametrize(
    ("years", "breaks", "told"),
    [
        ((2019, 2022, 2023, 2024), [2022.5], "One. Two. This page uses the tables for 2023 and 2024, as they alone"),
        ((2019, 2022), [], ""),
        ((2023, 2024), [], "One. Two. "),
        ((2022, 2023), [2022.5], "One. This page uses the tables for 2023, as"),
    ],
)
def test_revisions_and_second_figures_are_those_of_the_years_that_there_are(
    years: tuple[int, ...], breaks: list[float], told: str
) -> None:
    some = totals(*((year, "LILEE", 1000, 80) for year in years))
    assert prose.find_breaks(EDITIONS, some) == breaks
    second = prose.describe_second_figures(EDITIONS, some)
    assert second.startswith(told)
    assert second.endswith("are no errors.") == bool(told)


def test_spread_tells_how_many_live_outside_the_areas_with_the_highest_shares() -> None:
    shares = np.arange(1, 22)  # its tenth and ninetieth percentiles are 3 and 19
    even = pd.DataFrame({"year": 2022, "fuel_poor_pct": shares, "fuel_poor_households": 10})
    text = prose.describe_spread(even)
    ending = "had 10% of all fuel-poor households, so most of them lived elsewhere."
    for part in ("in 2022", "below 3.0%", "above 19.0%", ending):
        assert part in text
    crowded = even.assign(fuel_poor_households=np.where(shares > 19, 1000, 1))
    assert prose.describe_spread(crowded).endswith("had 99% of all fuel-poor households.")


def test_the_tenth_with_the_highest_shares_is_told_with_its_part_of_the_poor_not_of_the_shares() -> None:
    shares = [40.0, 4.0, 30.0, *range(5, 22)]
    poor = [150, 900, 30, *[60] * 17]  # of 2,100; in the two areas of 40 and 30 per cent 180
    areas = pd.DataFrame({"year": 2021, "fuel_poor_pct": shares, "fuel_poor_households": poor})
    assert prose.describe_spread(areas) == (
        "It is uneven: in 2021, one area in ten was below 5.9% and another one in ten above 21.9%. The tenth of areas "
        "with the highest shares had 9% of all fuel-poor households, so most of them lived elsewhere."
    )


def test_a_tenth_of_areas_is_no_more_than_a_tenth_of_them() -> None:
    poor = [400, 200, 100, *[20] * 26]  # of 1,220 in 29 areas; in the two highest 600
    shares = [40.0, 30.0, 25.0, *range(26)]
    areas = pd.DataFrame({"year": 2021, "fuel_poor_pct": shares, "fuel_poor_households": poor}, dtype="float64")
    assert "had 49% of all fuel-poor households, so most" in prose.describe_spread(areas.astype({"year": "int64"}))


def test_districts_are_told_by_the_highest_and_the_lowest_share() -> None:
    rows = [("Ashford", 9.26), ("Swale", 12.04), ("Dover", 11.8)]
    districts = pd.DataFrame(rows, columns=["lad22_name", "fuel_poor_pct"]).assign(year=2021)
    assert prose.describe_districts(districts, "East Kent") == (
        "**Swale** had the highest share of the 3 districts in 2021 (12.0%), and **Ashford** the lowest (9.3%)."
    )
    alone = prose.describe_districts(districts.head(1), "Ashford")
    assert alone == "Ashford is one district, so there are no districts to compare."


def scores(**best: Any) -> pd.DataFrame:
    """Scores of a council of one district, so that compact parts were left out; `best` is of the better model."""
    common: dict[str, Any] = {
        "year": 2022,
        "held_out": "each of ten compact parts in turn",
        "mae_pct": 2.0,
        "variance_explained_pct": 5.0,
    }
    common |= {"residual_morans_i": 0.5, "residual_morans_p": 0.001}
    rows = [
        {"model": "Council mean", "kind": "baseline", "rmse_pct": 1.0},  # a baseline is never the best model
        {"model": "Deprivation alone", "kind": "baseline", "rmse_pct": 3.0, "variance_explained_pct": 20.4},
        {"model": "Binomial model", "kind": "model", "rmse_pct": 2.5},
        {"model": "Boosted trees", "kind": "model", "rmse_pct": 2.0, **best},
    ]
    return pd.DataFrame([common | row for row in rows])


def test_scores_are_those_of_the_better_model_beside_deprivation_alone() -> None:
    text = prose.describe_scores(scores(variance_explained_pct=61.6, mae_pct=1.24))
    assert text.startswith("Deprivation alone accounts for 20% of the difference between areas in 2022. ")
    for part in ("use together account for 62% of it", "1.2 percentage points", "each of ten compact parts in turn"):
        assert part in text


@pytest.mark.parametrize("explained", [-35.0, 0.0, 0.4])
def test_a_model_that_explains_nothing_or_less_is_not_given_a_percentage(explained: float) -> None:
    text = prose.describe_scores(scores(variance_explained_pct=explained))
    assert "use together account for none of it" in text
    assert "-" not in text


@pytest.mark.parametrize(
    ("value", "chance"), [(0.4, 0.06), (-0.4, 0.001), (np.nan, np.nan)], ids=["by chance", "unlike", "unknown"]
)
def test_errors_are_not_called_clustered_without_evidence(value: float, chance: float) -> None:
    text = prose.describe_clustering(scores(residual_morans_i=value, residual_morans_p=chance))
    assert text == "Neighbouring areas' errors do not go the same way more than by chance."


def test_clustered_errors_are_told_with_figure_and_chance() -> None:
    text = prose.describe_clustering(scores(residual_morans_i=0.312, residual_morans_p=0.001))
    assert text.startswith("Neighbouring areas' errors go the same way (Moran's I 0.31, ")
    assert "p = 0.001" in text


def test_the_strongest_association_is_the_first_and_keeps_its_capitals() -> None:
    odds = pd.DataFrame(
        {
            "covariate": ["Deprivation (IMD 2019)", "Gas used by a home"],
            "one_more": [28.74, 2871.0],
            "odds_ratio": [1.456, 0.9],
            "low_95": [1.4, 0.8],
            "high_95": [1.5, 1.0],
        }
    )
    text = prose.describe_strongest(odds)
    for part in ("**deprivation (IMD 2019)**", "(28.7)", "1.46 times the odds", "1.40 to 1.50"):
        assert part in text
    less = pd.DataFrame([("Owned outright", 12.34, 0.52, 0.47, 0.6)], columns=list(odds))
    assert prose.describe_strongest(pd.concat([odds, less], ignore_index=True)) == (
        "Fuel poverty goes most closely with **owned outright**. One standard deviation more of it (12.3) goes with "
        "0.52 times the odds of fuel poverty, all else equal (95% interval 0.47 to 0.60)."
    )


@pytest.mark.parametrize(
    ("made", "real_part", "synthetic_part"),
    [
        ([], "The scores of areas, postcodes and households are on real data", ""),
        (
            ["household_model_scores"],
            "The scores of areas and postcodes are on real data",
            "households are on synthetic",
        ),
        (list(prose.SCORED), "", "The scores of areas, postcodes and households are on synthetic data"),
    ],
)
def test_scores_on_real_areas_are_not_called_synthetic_where_households_are(
    made: list[str], real_part: str, synthetic_part: str
) -> None:
    said = prose.describe_scored({name: name in made for name in [*prose.SCORED, "others"]})
    assert ("real data" in said, "synthetic" in said) == (bool(real_part), bool(synthetic_part))
    assert real_part in said and synthetic_part in said
