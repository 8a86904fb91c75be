"""Flags say why, bands take every home once, and the open table shows no small count."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from councilbook.catalogue import CountRule
from councilbook.errors import CheckError
from councilbook.fuel_poverty.households.extract import CLOSED, DEFINING, PREDICTORS
from councilbook.fuel_poverty.households.flags import (
    ALL,
    COUNTS,
    FLAGS,
    LACKS,
    count_bands,
    count_flags,
    find_at_risk,
    follow_personas,
    list_at_risk_postcodes,
    list_personas,
    make_flags,
)
from councilbook.fuel_poverty.twin.population import THRESHOLDS
from councilbook.gate.disclosure.tables.counts import protect_counts

KEY = ["postcode_sector", "band"]
UNREMARKABLE: dict[str, Any] = {
    "heating": "gas",
    "prepayment_meter": False,
    "storage_heaters": False,
    "respiratory": False,
    "circulatory": False,
    "mental_health": False,
    "oldest_age": 65,
    "youngest_age": 5,
    "wellbeing_group": "3",
    "has_certificates": True,
    "fpeer_score": 68.5,  # the lowest that rounds to band C
}


def make_rule() -> CountRule:
    rule = {
        "rule": "counts",
        "approver": "Information governance lead",
        "counts": COUNTS,
        "part_of": {"at_risk_households": "households"},
        "totals": dict.fromkeys(KEY, ALL),
        "threshold": 10,
        "round_to": 5,
        "zeros": "show",
        "full": "suppress",
        "published_totals": "what is left",
        "solver_seconds": 20,
    }
    return CountRule.model_validate(rule)


# --- households ---


def test_a_household_with_nothing_to_flag_has_no_flag_and_no_reason() -> None:
    flags = make_flags(pd.DataFrame([UNREMARKABLE], index=["h"])).loc["h"]
    assert not flags[list(FLAGS)].any()
    assert (flags["flags"], flags["reasons"]) == (0, "")


@pytest.mark.parametrize(
    ("change", "flags"),
    [
        ({"heating": "electric"}, ["no_gas"]),
        ({"heating": "none"}, ["no_gas"]),
        ({"heating": "oil"}, ["no_gas", "oil"]),
        ({"prepayment_meter": True}, ["prepayment"]),
        ({"storage_heaters": True}, ["storage_heaters"]),
        ({"respiratory": True}, ["cold_sensitive_condition"]),
        ({"circulatory": True, "mental_health": True}, ["cold_sensitive_condition"]),
        ({"oldest_age": 66}, ["aged_66_or_over"]),
        ({"youngest_age": 4}, ["aged_under_5"]),
        ({"fpeer_score": 68.4}, ["low_rating"]),
        ({"heating": "oil", "youngest_age": 0, "fpeer_score": 20.0}, ["no_gas", "oil", "aged_under_5", "low_rating"]),
    ],
)
def test_each_flag_is_set_by_its_own_fact_and_said_in_words(change: dict[str, Any], flags: list[str]) -> None:
    row = make_flags(pd.DataFrame([UNREMARKABLE | change])).iloc[0]
    assert [name for name in FLAGS if row[name]] == flags
    assert row["flags"] == len(flags)
    assert row["reasons"] == "; ".join(FLAGS[name] for name in flags)


def test_a_rating_that_nobody_knows_is_no_good_one() -> None:
    homes = pd.DataFrame([UNREMARKABLE | {"fpeer_score": 20.0}, UNREMARKABLE | {"fpeer_score": np.nan}, UNREMARKABLE])
    some = make_flags(homes)
    assert some["low_rating"].tolist() == [True, pd.NA, False]
    assert some["flags"].tolist() == [1, 0, 0]
    none = make_flags(homes.drop(columns="fpeer_score"))
    assert none["low_rating"].isna().all()
    assert count_flags(some, homes.assign(is_fuel_poor=True))["flag"].tolist() == [*FLAGS, *LACKS]
    counted = count_flags(none, homes.assign(expected_fuel_poor=0.4, heating="oil"))
    assert counted["flag"].tolist() == [name for name in [*FLAGS, *LACKS] if name != "low_rating"]


def test_where_nobody_knows_who_is_poor_the_expected_are_counted_in_whole_numbers() -> None:
    homes = pd.DataFrame([UNREMARKABLE | {"heating": "oil"}] * 4 + [UNREMARKABLE])
    homes["expected_fuel_poor"] = [0.9, 0.8, 0.5, 0.4, 0.3]
    counted = count_flags(make_flags(homes), homes).set_index("flag")
    assert counted.loc["oil", ["households", "fuel_poor_households"]].tolist() == [4, 3]
    assert counted.loc["prepayment", "fuel_poor_households"] == 0


household = st.fixed_dictionaries(
    {
        "heating": st.sampled_from(["gas", "electric", "oil", "none", "other"]),
        **dict.fromkeys(["prepayment_meter", "storage_heaters", "respiratory", "circulatory"], st.booleans()),
        "mental_health": st.booleans(),
        "oldest_age": st.integers(0, 100),
        "youngest_age": st.integers(0, 100),
        "fpeer_score": st.floats(1, 100),
    }
)


@settings(max_examples=30, deadline=None)
@given(st.lists(household, min_size=1, max_size=10))
def test_flags_agree_with_their_reasons(rows: list[dict[str, Any]]) -> None:
    flags = make_flags(pd.DataFrame(rows))
    for name, words in FLAGS.items():
        assert flags["reasons"].str.split("; ").map(lambda reasons, words=words: words in reasons).eq(flags[name]).all()
    said = flags["reasons"].str.split("; ").map(lambda reasons: len([one for one in reasons if one]))
    assert said.eq(flags["flags"]).all()


def test_households_of_a_flag_are_counted_with_the_fuel_poor_among_them() -> None:
    prepared = pd.DataFrame([UNREMARKABLE, UNREMARKABLE | {"heating": "oil"}, UNREMARKABLE | {"heating": "none"}])
    prepared["is_fuel_poor"] = [True, True, False]
    table = count_flags(make_flags(prepared), prepared).set_index("flag")
    assert table.index.tolist() == [*FLAGS, *LACKS]
    assert table["households"][list(LACKS)].tolist() == [0, 0]
    lacking = prepared.assign(wellbeing_group=["not known", "1", "not known"], has_certificates=[True, True, False])
    counted = count_flags(make_flags(lacking), lacking).set_index("flag").loc[list(LACKS)]
    assert counted[["households", "fuel_poor_households"]].to_numpy().tolist() == [[2, 1], [1, 0]]
    assert table.loc["no_gas", ["households", "fuel_poor_households"]].tolist() == [2, 1]
    assert table.loc["oil", ["households", "fuel_poor_households"]].tolist() == [1, 1]
    assert table.loc["aged_under_5", ["households", "fuel_poor_households"]].tolist() == [0, 0]
    assert table.loc["oil", "reason"] == FLAGS["oil"]


# --- postcodes ---


def make_homes(sizes: list[int]) -> pd.DataFrame:
    """Households of postcodes CT1 0AA, CT1 1AA, ...; all in one output area."""
    postcodes = np.repeat([f"CT1 {number}AA" for number in range(len(sizes))], sizes)
    return pd.DataFrame({"postcode": postcodes, "oa21_code": "O1", "lsoa21_code": "L1", "lad22_code": "D1"})


def test_postcodes_are_put_into_fifths_of_homes_by_their_mean_chance() -> None:
    homes = make_homes([10, 10, 10, 10, 10]).iloc[::-1]
    chance = homes["postcode"].map({f"CT1 {n}AA": share for n, share in enumerate([0.5, 0.1, 0.3, 0.2, 0.4])})
    listed = list_at_risk_postcodes(homes, chance)
    assert listed.columns.tolist() == ["postcode", "lad22_code", "band", "band_of"]
    assert listed["postcode"].tolist() == [f"CT1 {n}AA" for n in range(5)]
    assert listed["band"].tolist() == [5, 1, 3, 2, 4]
    assert listed["band_of"].unique().tolist() == ["postcode"]


def test_a_large_postcode_has_the_band_of_the_middle_of_its_homes_and_equal_ones_share_theirs() -> None:
    homes = make_homes([10, 60, 15, 15])
    chance = homes["postcode"].map({"CT1 0AA": 0.1, "CT1 1AA": 0.2, "CT1 2AA": 0.7, "CT1 3AA": 0.7})
    # their middles are at 5, 40 and 85 of 100 homes
    assert list_at_risk_postcodes(homes, chance)["band"].tolist() == [1, 3, 5, 5]


def test_a_postcode_of_few_homes_has_a_band_that_is_not_its_own() -> None:
    homes = make_homes([9, 10])
    chance = pd.Series([1.0] * 9 + [0.0] * 10)
    listed = list_at_risk_postcodes(homes, chance)
    assert listed["band_of"].tolist() == ["output area", "postcode"]
    assert listed["band"].tolist() == [4, 2]  # 9/19, and 0


def test_at_risk_are_the_fifth_with_the_highest_chance_and_their_equals() -> None:
    assert find_at_risk(pd.Series(np.arange(10) / 10)).tolist() == [False] * 8 + [True] * 2
    assert find_at_risk(pd.Series([0.1, 0.9, 0.1, 0.9, 0.9])).tolist() == [False, True, False, True, True]


def make_counted() -> tuple[pd.DataFrame, pd.DataFrame, pd.Series]:
    """Five households of three postcodes in two sectors."""
    prepared = pd.DataFrame({"postcode": ["CT1 2AB", "CT1 2XY", "CT1 2AB", "ME10 1AA", "CT1 2AB"]}, index=list("edcba"))
    listed = pd.DataFrame({"postcode": ["CT1 2AB", "CT1 2XY", "ME10 1AA"], "band": [5, 1, 5]})
    return prepared, listed, pd.Series([True, False, False, True, False], index=prepared.index)


def test_households_are_counted_by_sector_and_band_with_both_margins() -> None:
    table = count_bands(*make_counted()).set_index(KEY)
    assert table.index.tolist() == [(s, b) for s in ["CT1 2", "ME10 1", ALL] for b in [*"12345", ALL]]
    assert table.loc["CT1 2"].to_numpy().tolist() == [[1, 0], [0, 0], [0, 0], [0, 0], [3, 1], [4, 1]]
    assert table.loc["ME10 1"].to_numpy().tolist() == [[0, 0], [0, 0], [0, 0], [0, 0], [1, 1], [1, 1]]
    assert table.loc[ALL].to_numpy().tolist() == [[1, 0], [0, 0], [0, 0], [0, 0], [4, 2], [5, 2]]


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 14), st.floats(0.01, 0.99)), min_size=1, max_size=12))
def test_each_household_is_in_one_band_of_one_sector(drawn: list[tuple[int, int, float]]) -> None:
    rows = [
        (f"CT1 {sector}A{chr(65 + place)}", share)
        for place, (sector, number, share) in enumerate(drawn)
        for _ in range(number)
    ]
    homes = pd.DataFrame(rows, columns=["postcode", "chance"]).assign(oa21_code="O1", lsoa21_code="L1", lad22_code="D1")
    at_risk = find_at_risk(homes["chance"])
    table = count_bands(homes, list_at_risk_postcodes(homes, homes["chance"]), at_risk).set_index(KEY)
    cells = table[(table.index.get_level_values(0) != ALL) & (table.index.get_level_values(1) != ALL)]
    assert cells.sum().tolist() == [len(homes), at_risk.sum()] == table.loc[(ALL, ALL)].tolist()
    for level, name in enumerate(KEY):
        others = [KEY[1 - level]]
        margin = table.xs(ALL, level=name).drop(index=ALL)
        pd.testing.assert_frame_equal(cells.groupby(others).sum(), margin, check_like=True)
    assert (cells["at_risk_households"] <= cells["households"]).all()


def test_counts_of_other_households_or_postcodes_are_an_error_that_shows_none() -> None:
    prepared, listed, at_risk = make_counted()
    with pytest.raises(CheckError, match="must have the index of the households"):
        count_bands(prepared, listed, at_risk.reset_index(drop=True))
    with pytest.raises(CheckError, match=r"households: postcode in 1 rows .*one of the list \(row 1,"):
        count_bands(prepared, listed.drop(index=1), at_risk)
    joined = listed.assign(postcode=listed["postcode"].str.replace(" ", ""))
    with pytest.raises(CheckError, match=r"listed: postcode in 3 rows .*written as CT1 2AB \(row 0, 1, 2") as raised:
        count_bands(prepared, joined, at_risk)
    assert "ME10" not in str(raised.value)
    with pytest.raises(CheckError, match="chances must have the index"):
        list_at_risk_postcodes(make_homes([2]), pd.Series([0.5]))


def test_the_open_table_keeps_no_small_count_and_most_of_the_homes() -> None:
    random = np.random.default_rng(1)
    sectors = [f"CT{outward} {inward}" for outward in range(1, 9) for inward in range(10)]
    # as in Kent and Medway: 2,800 homes a sector, which leans to the lower or the higher bands
    lean = random.normal(size=(80, 1)) * (np.arange(5) - 2)
    shares = np.exp(lean) / np.exp(lean).sum(axis=1, keepdims=True)
    homes = random.poisson(shares * random.gamma(2, 1400, size=(80, 1)))
    at_risk = random.binomial(homes, [0.03, 0.09, 0.16, 0.25, 0.46])
    rows = pd.MultiIndex.from_product([sectors, list("12345")], names=KEY)
    cells = pd.DataFrame({"households": homes.ravel(), "at_risk_households": at_risk.ravel()}, rows).reset_index()
    margins = [cells, cells.assign(band=ALL), cells.assign(postcode_sector=ALL)]
    table = pd.concat([*margins, cells.assign(postcode_sector=ALL, band=ALL)]).groupby(KEY, as_index=False).sum()
    safe = protect_counts(table, make_rule(), KEY).frame
    small = ((table[COUNTS] > 0) & (table[COUNTS] < 10)).to_numpy()
    assert small.sum() > 30
    assert safe[COUNTS].isna().to_numpy()[small].all()
    shown = safe[COUNTS].to_numpy(dtype="float64", na_value=np.nan)
    shown = shown[~np.isnan(shown)]
    assert (shown % 5 == 0).all()
    assert not ((shown > 0) & (shown < 10)).any()
    inside = (safe["postcode_sector"] != ALL) & (safe["band"] != ALL)
    assert safe.loc[inside, COUNTS].sum().to_numpy() / table.loc[inside, COUNTS].sum().to_numpy() == pytest.approx(
        1, abs=0.1
    )


# --- personas ---


def test_personas_are_invented_from_beginning_to_end() -> None:
    personas = list_personas()
    assert personas["household_id"].tolist() == [f"invented-{number}" for number in range(1, 6)]
    assert personas["is_invented"].all()
    assert personas["description"].str.count("\n").eq(1).all()
    assert {*PREDICTORS, *DEFINING} - {"is_fuel_poor"} <= set(personas)
    assert personas[list(CLOSED)].notna().all(axis=None)
    assert (personas["ahc_income_gbp_year"] == personas["income_gbp_year"] - personas["housing_cost_gbp_year"]).all()


def test_personas_go_through_definition_flags_and_model() -> None:
    told = follow_personas(THRESHOLDS, lambda rows: rows["oldest_age"].to_numpy() / 100)
    told.index = told["persona"].str[0]
    assert told["is_fuel_poor"].to_dict() == {"A": True, "B": True, "C": True, "D": False, "E": False}
    # D is poor but in band C, E lives in band E but is not poor
    assert told["is_low_income"].to_dict() == {"A": True, "B": True, "C": True, "D": True, "E": False}
    assert told["fpeer_band"].astype("str").to_dict() == {"A": "E", "B": "E", "C": "F", "D": "C", "E": "E"}
    assert (told["fuel_poverty_gap_gbp_year"] > 0).equals(told["is_fuel_poor"])
    assert told["chance"].tolist() == [0.79, 0.31, 0.72, 0.44, 0.47]
    assert told["flags"].to_dict() == {"A": 3, "B": 6, "C": 4, "D": 0, "E": 1}
    assert told.loc["E", "reasons"] == FLAGS["low_rating"]
    assert FLAGS["oil"] in told.loc["C", "reasons"]
