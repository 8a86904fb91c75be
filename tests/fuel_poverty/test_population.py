"""A synthetic population: every count that it is fitted to, to the household; the rest is invented, and consistent."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from councilbook.errors import CheckError
from councilbook.fuel_poverty.households.indicators import Thresholds, find_fpeer_bands, measure_lilee
from councilbook.fuel_poverty.twin.homes import COMPOSITION, DEPRIVED, TENURE, assign_labels, make_pseudonyms
from councilbook.fuel_poverty.twin.population import (
    CONDITIONS,
    INTERVENTION_SHARE,
    THRESHOLDS,
    Population,
    draw_population,
)
from councilbook.fuel_poverty.twin.tables import MEASURES

TENURE_COUNTS = [f"{label}_households" for label in TENURE]
COMPOSITION_COUNTS = [f"{label}_households" for label in COMPOSITION]
ACCOMMODATION_COUNTS = [
    f"{kind}_households"
    for kind in (
        "detached",
        "semi_detached",
        "terraced",
        "purpose_built_flat",
        "converted_flat",
        "other_accommodation",
    )
]
FRAMES = ("households", "people", "acorn", "epc", "interventions")
HEATING_COUNTS = [f"{kind}_households" for kind in ("gas_heating", "electric_heating", "oil_heating", "no_heating")]


def make_frames(lsoas: int = 6, largest: int = 60, seed: int = 1) -> dict[str, pd.DataFrame]:
    """LSOAs with three output areas of four postcodes each; the last LSOA was split from the one before."""
    random = np.random.default_rng(seed)
    lsoa = np.array([f"E0100{number:04}" for number in range(lsoas)])
    oa = np.array([f"E00{number:06}" for number in range(3 * lsoas)])
    of_oa = np.repeat(lsoa, 3)

    def count(key: str, codes: np.ndarray, columns: list[str], total: str) -> pd.DataFrame:
        counts = random.integers(0, largest, (len(codes), len(columns)))
        counts[:, 0] += 1
        rows = pd.DataFrame(counts, columns=columns).assign(**{total: counts.sum(axis=1), key: codes})
        return rows.sample(frac=1, random_state=seed)

    households = random.integers(1, 2 * largest, lsoas)
    heating = count("lsoa21_code", lsoa, HEATING_COUNTS, "heating_households")
    return {
        "postcodes": pd.DataFrame(
            {
                "postcode": [f"AB{number} 1CD" for number in range(12 * lsoas)],
                "oa21_code": np.repeat(oa, 4),
                "lsoa21_code": np.repeat(of_oa, 4),
            }
        ),
        "oa_deprivation": count("oa21_code", oa, list(DEPRIVED), "households"),
        "oa_accommodation": count("oa21_code", oa, ACCOMMODATION_COUNTS, "households"),
        "tenure": count("lsoa21_code", lsoa, TENURE_COUNTS, "tenure_households"),
        "heating": heating.assign(heating_households=heating["heating_households"] + 5),
        "composition": count("lsoa21_code", lsoa, COMPOSITION_COUNTS, "households"),
        "fuel_poor": pd.DataFrame(
            {
                "lsoa_code": lsoa,
                "households": households,
                "fuel_poor_households": random.integers(0, households + 1),
                "lad_code": "E07000001",
            }
        ),
        "lookup": pd.DataFrame(
            {
                "lsoa11_code": [*lsoa[:-1], lsoa[-2]],
                "lsoa21_code": lsoa,
                "lad22_code": ["E07000001", *["E07000002"] * (lsoas - 1)],
            }
        ),
    }


def draw(frames: dict[str, pd.DataFrame], **options: Any) -> Population:
    return draw_population(**{"seed": 1, **frames, **options})


@pytest.fixture(scope="module")
def frames() -> dict[str, pd.DataFrame]:
    return make_frames(lsoas=12, largest=200)


@pytest.fixture(scope="module")
def population(frames: dict[str, pd.DataFrame]) -> Population:
    return draw(frames)


def name_composition(households: pd.DataFrame) -> pd.Series:
    """The composition that the members of a household say."""
    has_children = households["children_14_plus"] + households["children_under_14"] > 0
    adults, is_old = households["adults"], households["youngest_age"] >= 66
    kinds = [
        (adults == 1) & is_old,
        (adults == 1) & ~is_old & ~has_children,
        (adults == 2) & is_old,
        (adults == 2) & has_children,
        (adults == 1) & has_children,
    ]
    return pd.Series(np.select(kinds, COMPOSITION[:-1], COMPOSITION[-1]), households.index)


def assert_scaled(found: pd.DataFrame, table: pd.DataFrame) -> None:
    """Counts are those of the table, scaled to the households of each row, to less than one household."""
    table = table.loc[found.index]
    expected = table.to_numpy() * (found.sum(axis="columns") / table.sum(axis="columns")).to_numpy()[:, None]
    found = found.reindex(columns=table.columns, fill_value=0)
    assert np.abs(found.to_numpy() - expected).max() < 1


# --- labels ---


@given(st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3), min_size=1, max_size=5), st.integers(0, 2**32 - 1))
def test_labels_have_the_exact_counts_of_every_group(rows: list[list[int]], seed: int) -> None:
    counts = np.array(rows)
    groups = np.repeat(np.arange(len(counts)), counts.sum(axis=1))
    random = np.random.default_rng(seed)
    labels = assign_labels(groups, counts, random.normal(0, 3, (len(groups), 3)), random)
    found = np.zeros_like(counts)
    np.add.at(found, (groups, labels), 1)
    assert (found == counts).all()


def test_labels_follow_their_scores() -> None:
    groups, half = np.zeros(2000, dtype="int64"), np.repeat([0.0, 4.0], 1000)
    scores = np.c_[half, np.zeros(2000)]
    labels = assign_labels(groups, np.array([[1000, 1000]]), scores, np.random.default_rng(1))
    assert (labels[1000:] == 0).mean() > 0.8


# --- margins ---


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 5), st.integers(1, 40), st.integers(0, 2**16), st.sampled_from([0.0, 1.0, 3.0]), st.booleans())
def test_every_margin_is_met_in_any_place(lsoas: int, largest: int, seed: int, spread: float, is_old: bool) -> None:
    frames = make_frames(lsoas, largest + 1, seed)
    fuel = frames["fuel_poor"].set_index("lsoa_code")[["households", "fuel_poor_households"]]
    if is_old:  # areas of 2011
        of = frames["lookup"].set_index("lsoa21_code")["lsoa11_code"]
        fuel = fuel.groupby(of).sum()
        frames["fuel_poor"] = fuel.reset_index(names="lsoa_code")
    drawn = draw(frames, seed=seed, homes_spread=spread)
    households = drawn.households
    areas = households["lsoa21_code"].map(frames["lookup"].set_index("lsoa21_code")["lsoa11_code"])
    found = households.groupby(areas if is_old else households["lsoa21_code"])["is_fuel_poor"].agg(["size", "sum"])
    assert found.to_numpy().tolist() == fuel.to_numpy().tolist()
    assert (measure_lilee(households, THRESHOLDS)["is_fuel_poor"] == households["is_fuel_poor"]).all()
    table = frames["tenure"].set_index("lsoa21_code")[TENURE_COUNTS].set_axis(TENURE, axis="columns")
    assert_scaled(pd.crosstab(households["lsoa21_code"], households["tenure"]), table)
    table = frames["composition"].set_index("lsoa21_code")[COMPOSITION_COUNTS].set_axis(COMPOSITION, axis="columns")
    assert_scaled(pd.crosstab(households["lsoa21_code"], name_composition(households)), table)
    table = frames["heating"].set_index("lsoa21_code")
    table = table[HEATING_COUNTS].set_axis(["gas", "electric", "oil", "none"], axis="columns").assign(other=5)
    assert_scaled(pd.crosstab(households["lsoa21_code"], households["heating"]), table)
    table = frames["oa_accommodation"].set_index("oa21_code")[ACCOMMODATION_COUNTS]
    table.columns = ["detached", "semi_detached", "terraced", "flat", "flat", "other"]
    table = table.T.groupby(level=0).sum().T
    assert_scaled(pd.crosstab(households["oa21_code"], households["accommodation"]), table)


def test_an_area_without_fuel_poor_homes_has_none_and_one_of_fuel_poor_homes_only_has_all(
    frames: dict[str, pd.DataFrame],
) -> None:
    fuel = frames["fuel_poor"].copy()
    fuel.loc[0, "fuel_poor_households"], fuel.loc[1, "fuel_poor_households"] = 0, fuel.loc[1, "households"]
    households = draw({**frames, "fuel_poor": fuel}).households
    shares = households.groupby("lsoa21_code")["is_fuel_poor"].mean()
    assert shares.loc[fuel.loc[:1, "lsoa_code"]].tolist() == [0, 1]


def test_another_poverty_line_is_met_as_well(frames: dict[str, pd.DataFrame]) -> None:
    thresholds = Thresholds(poverty_line_gbp_year=9000, fuel_cost_gbp_year=1000)
    households = draw(frames, thresholds=thresholds).households
    assert (measure_lilee(households, thresholds)["is_fuel_poor"] == households["is_fuel_poor"]).all()
    assert households["is_fuel_poor"].sum() == frames["fuel_poor"]["fuel_poor_households"].sum()


# --- the same again ---


def test_the_same_seed_gives_the_same_frames_whatever_the_order_of_rows(
    frames: dict[str, pd.DataFrame], population: Population
) -> None:
    shuffled = {name: frame.sample(frac=1, random_state=3) for name, frame in frames.items()}
    again = draw(shuffled)
    for name in FRAMES:
        frame = getattr(population, name)
        assert getattr(again, name).to_csv().encode() == frame.to_csv().encode()


def test_another_seed_gives_others(frames: dict[str, pd.DataFrame], population: Population) -> None:
    other = draw(frames, seed=2)
    assert not set(other.households["household_id"]) & set(population.households["household_id"])
    assert other.households["is_fuel_poor"].sum() == population.households["is_fuel_poor"].sum()


def test_rows_of_other_councils_change_nothing(frames: dict[str, pd.DataFrame], population: Population) -> None:
    elsewhere = make_frames(lsoas=2, seed=5)
    moved = {
        name: frame.replace({"E0100": "E0199", "E000": "E009", "AB": "ZZ"}, regex=True)
        for name, frame in elsewhere.items()
    }
    both = {name: pd.concat([moved[name], frame]) for name, frame in frames.items()}
    again = draw({**both, "lookup": frames["lookup"]})
    pd.testing.assert_frame_equal(again.households, population.households)


def test_the_input_is_left_as_it_was() -> None:
    frames = make_frames()
    before = {name: frame.copy() for name, frame in frames.items()}
    draw(frames)
    for name, frame in frames.items():
        pd.testing.assert_frame_equal(frame, before[name])


# --- pseudonyms ---


def test_pseudonyms_are_16_hexadecimal_digits_and_never_the_same() -> None:
    codes = np.r_[make_pseudonyms(5000, 1, "household"), make_pseudonyms(5000, 1, "person")]
    assert len(set(codes)) == 10_000
    assert all(re.fullmatch("[0-9a-f]{16}", code) for code in codes)


def test_the_order_of_households_tells_nothing_of_where_they_are(population: Population) -> None:
    households = population.households
    assert households["household_id"].is_monotonic_increasing
    codes = pd.factorize(households["lsoa21_code"], sort=True)[0]
    assert abs(np.corrcoef(codes, np.arange(len(codes)))[0, 1]) < 0.05


# --- households and people ---


def test_people_add_up_to_their_households(population: Population) -> None:
    households = population.households.set_index("household_id")
    people = population.people.groupby("household_id")["age"]
    members = people.agg(size="size", oldest="max", youngest="min").loc[households.index]
    counts = ["adults", "children_14_plus", "children_under_14"]
    assert members["size"].tolist() == households[counts].sum(axis="columns").tolist()
    assert members["oldest"].tolist() == households["oldest_age"].tolist()
    assert members["youngest"].tolist() == households["youngest_age"].tolist()
    bands = {"adults": (18, 120), "children_14_plus": (14, 17), "children_under_14": (0, 13)}
    for name, (low, high) in bands.items():
        found = people.agg(lambda ages, low=low, high=high: ages.between(low, high).sum()).loc[households.index]
        assert found.tolist() == households[name].tolist()
    assert population.people["person_id"].is_unique


def test_no_child_is_less_than_16_years_younger_than_the_oldest(population: Population) -> None:
    people = population.people.merge(population.households[["household_id", "oldest_age"]], on="household_id")
    children = people[people["age"] < 18]
    assert (children["oldest_age"] - children["age"]).min() >= 16


def test_money_is_never_negative_and_adds_up(population: Population) -> None:
    households = population.households
    money = households.filter(like="_gbp_year")
    assert (money >= 0).all(axis=None)
    after = households["income_gbp_year"] - households["housing_cost_gbp_year"]
    assert (after == households["ahc_income_gbp_year"]).all()
    assert (households["fuel_cost_at_band_c_gbp_year"] <= households["required_fuel_cost_gbp_year"]).all()
    assert households["fpeer_score"].between(1, 100).all()


def test_storage_heaters_are_in_homes_heated_by_electricity_alone(population: Population) -> None:
    households = population.households
    assert set(households.loc[households["storage_heaters"], "heating"]) == {"electric"}


def test_illness_is_commoner_in_fuel_poor_homes_of_the_same_age(population: Population) -> None:
    people = population.people.merge(population.households[["household_id", "is_fuel_poor"]], on="household_id")
    people["decade"] = people["age"] // 10
    shares = people.groupby(["decade", "is_fuel_poor"])[list(CONDITIONS)].mean().unstack().fillna(0)  # noqa: PD010 (of a MultiIndex)
    gaps = shares.xs(True, axis="columns", level=1) - shares.xs(False, axis="columns", level=1)
    sizes = people.groupby("decade").size()
    assert np.average(gaps["respiratory"], weights=sizes) > 0
    assert np.average(gaps["mental_health"], weights=sizes) > 0


def test_the_spread_of_homes_makes_known_features_tell_more(frames: dict[str, pd.DataFrame]) -> None:
    gaps = []
    for spread in (0.0, 1.0, 2.0):
        households = draw(frames, homes_spread=spread).households
        own = households["is_fuel_poor"] - households.groupby("lsoa21_code")["is_fuel_poor"].transform("mean")
        shares = own.groupby(households["tenure"]).mean()
        gaps.append(shares.max() - shares.min())
    assert gaps[0] < 0.1 < gaps[1] < gaps[2]


# --- the frames beside ---


def test_every_postcode_has_one_wellbeing_type_of_its_group(
    frames: dict[str, pd.DataFrame], population: Population
) -> None:
    acorn = population.acorn
    assert sorted(acorn["postcode"]) == sorted(frames["postcodes"]["postcode"])
    assert acorn["wellbeing_type"].between(1, 25).all()
    assert set(acorn["wellbeing_group"]) == {1, 2, 3, 4}
    assert acorn.groupby("wellbeing_type")["wellbeing_group"].nunique().max() == 1


def test_certificates_cover_six_homes_in_ten_and_rate_as_they_score(population: Population) -> None:
    epc = population.epc
    assert len(epc) / len(population.households) == pytest.approx(0.6, abs=0.03)
    bands = find_fpeer_bands(epc.rename(columns={"current_energy_efficiency": "fpeer_score"}))
    assert (bands.astype("str") == epc["current_energy_rating"]).all()
    assert epc["lmk_key"].is_unique
    assert epc["uprn"].is_unique
    assert "household_id" not in epc


def test_measures_are_few_and_go_to_homes_nearer_to_fuel_poverty(population: Population) -> None:
    measures, households = population.interventions, population.households
    assert len(measures) == round(INTERVENTION_SHARE * len(households))
    assert measures["household_id"].is_unique
    helped = households.set_index("household_id").loc[measures["household_id"]]
    assert helped["postcode"].tolist() == measures["postcode"].tolist()
    assert helped["is_fuel_poor"].mean() > households["is_fuel_poor"].mean()
    assert set(measures["measure"]) <= set(MEASURES)
    assert measures["installed_on"].between("2013-01-01", "2022-12-31").all()


# --- what is refused ---


def test_more_fuel_poor_households_than_households_are_refused(frames: dict[str, pd.DataFrame]) -> None:
    fuel = frames["fuel_poor"].assign(fuel_poor_households=frames["fuel_poor"]["households"] + 1)
    with pytest.raises(CheckError, match="12 areas have more fuel-poor households than households"):
        draw({**frames, "fuel_poor": fuel})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tenure", "1 areas have no row with owned_outright_households"),
        ("fuel_poor", "fuel_poor has no row for 1 LSOAs of the council, as E0100"),
    ],
)
def test_an_area_without_a_row_is_named(frames: dict[str, pd.DataFrame], name: str, message: str) -> None:
    with pytest.raises(CheckError, match=message):
        draw({**frames, name: frames[name].iloc[1:]})


def test_an_lsoa_that_the_census_tables_lack_is_left_out_and_named() -> None:
    frames = make_frames(lsoas=20)
    deprivation = frames["oa_deprivation"]
    lsoa_of = frames["postcodes"].drop_duplicates("oa21_code").set_index("oa21_code")["lsoa21_code"]
    gone = lsoa_of.index[lsoa_of == "E01000003"]
    drawn = draw({**frames, "oa_deprivation": deprivation[~deprivation["oa21_code"].isin(gone)]})
    assert drawn.left_out == ("E01000003",)
    fuel = frames["fuel_poor"].query("lsoa_code != 'E01000003'").set_index("lsoa_code")
    found = drawn.households.groupby("lsoa21_code")["is_fuel_poor"].agg(["size", "sum"])
    assert found.to_numpy().tolist() == fuel[["households", "fuel_poor_households"]].to_numpy().tolist()


def test_more_than_one_lsoa_in_twenty_without_output_areas_is_refused(frames: dict[str, pd.DataFrame]) -> None:
    postcodes = frames["postcodes"]
    with pytest.raises(CheckError, match=r"1 of 12 LSOAs .* as E01000003; expected at most 5%"):
        draw({**frames, "postcodes": postcodes[postcodes["lsoa21_code"] != "E01000003"]})


@pytest.mark.parametrize("spread", [-0.1, np.nan, np.inf])
def test_a_spread_that_is_none_is_refused(frames: dict[str, pd.DataFrame], spread: float) -> None:
    with pytest.raises(CheckError, match="homes_spread"):
        draw(frames, homes_spread=spread)
