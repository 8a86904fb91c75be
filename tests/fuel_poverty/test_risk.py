"""Estimates for postcodes: they add up to what was published, and find what was planted below it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from councilbook.errors import CheckError
from councilbook.fuel_poverty.postcodes.covariates import (
    COMPOSITIONS,
    COVARIATES,
    DOMAINS,
    HEATINGS,
    OA_COVARIATES,
    TENURES,
    list_known_below,
    prepare_areas,
    prepare_output_areas,
)
from councilbook.fuel_poverty.postcodes.risk import FEWEST_TO_FIT, estimate_postcodes, fit_and_estimate
from councilbook.fuel_poverty.postcodes.trials import (
    UNTRIED_WIDENING,
    find_widening,
    score_left_out,
    score_splits,
    score_within,
)

AREAS, PER_AREA, PER_OA = 120, 5, 3


def count(random, rows, names, total):
    """Counts that add up to a total in each row."""
    shares = random.dirichlet(np.full(len(names) + 1, 2.0), rows)
    table = pd.DataFrame(np.floor(shares[:, :-1] * total).astype(int), columns=[f"{name}_households" for name in names])
    return table


def make_frames(seed=1, districts=4):
    """A council whose output areas are fuel poor where they are deprived; its second LSOA was split in 2021."""
    random = np.random.default_rng(seed)
    old = [f"E01{number:06}" for number in range(AREAS - 1)]
    new = [*old[:1], "E01900001", "E01900002", *old[2:]]
    number = np.arange(AREAS)
    lookup = pd.DataFrame(
        {
            "lsoa11_code": [*old[:1], old[1], old[1], *old[2:]],
            "lsoa21_code": new,
            "lsoa21_name": [f"Town {place // 4:03}{'ABCD'[place % 4]}" for place in number],
            "lad22_code": [f"E0700000{place * districts // AREAS}" for place in number],
        }
    )
    oas = pd.DataFrame(
        {
            "oa21_code": [f"E00{place:06}" for place in range(AREAS * PER_AREA)],
            "lsoa21_code": np.repeat(new, PER_AREA),
        }
    )
    total = random.integers(90, 160, len(oas))
    deprived = random.binomial(total[:, None], np.array([0.25, 0.12, 0.05, 0.01]) * random.uniform(0, 2, (len(oas), 1)))
    oa_deprivation = oas[["oa21_code"]].assign(households=total, deprived_0_households=total - deprived.sum(axis=1))
    for step in range(4):
        oa_deprivation[f"deprived_{step + 1}_households"] = deprived[:, step]
    homes = ["detached", "semi_detached", "terraced", "purpose_built_flat", "converted_flat", "other_accommodation"]
    oa_accommodation = oas[["oa21_code"]].assign(households=total).join(count(random, len(oas), homes, 90))
    index = deprived @ np.arange(1, 5) / total
    rate = expit(-2 + 1.5 * (index - index.mean()) / index.std() * 0.5)
    sums = pd.DataFrame({"lsoa_code": oas["lsoa21_code"], "households": total + 4, "poor": rate * (total + 4)})
    fuel_poor = sums.groupby("lsoa_code", as_index=False).sum()
    fuel_poor["fuel_poor_households"] = fuel_poor.pop("poor").round().astype(int)
    postcodes = oas.loc[oas.index.repeat(PER_OA)].reset_index(drop=True)
    postcodes.insert(0, "postcode", [f"ZZ{place // 900} {place % 900 // 100}{place:04}" for place in postcodes.index])
    postcodes["latitude"] = 51 + postcodes.index / 1e4
    postcodes["longitude"] = 0.5 + random.uniform(0, 0.1, len(postcodes))
    lsoas = pd.DataFrame({"lsoa21_code": new})
    ranks = {f"{name}_rank": random.permutation(30_000)[: len(old)] + 1 for name in DOMAINS}
    frames = {
        "postcodes": postcodes.sample(frac=1, random_state=seed),
        "oa_deprivation": oa_deprivation,
        "oa_accommodation": oa_accommodation,
        "tenure": lsoas.assign(tenure_households=700).join(count(random, AREAS, TENURES, 700)),
        "heating": lsoas.assign(heating_households=700).join(count(random, AREAS, HEATINGS, 700)),
        "composition": lsoas.assign(households=700).join(count(random, AREAS, COMPOSITIONS, 700)),
        "domains": pd.DataFrame({"lsoa11_code": old, **ranks}),
        "classification": pd.DataFrame(
            {"lsoa11_code": old, "rural_urban_code": random.choice(["A1", "C1", "D1", "E1"], len(old))}
        ),
        "fuel_poor": fuel_poor,
        "lookup": lookup,
    }
    imd = pd.DataFrame({"lsoa11_code": old, "imd_rank": random.permutation(32_844)[: len(old)] + 1})
    return frames, imd, pd.Series(100 * rate, index=oas["oa21_code"])


def to_2011(fuel_poor, lookup):
    """The same figures by LSOA 2011."""
    codes = fuel_poor["lsoa_code"].map(lookup.set_index("lsoa21_code")["lsoa11_code"])
    return fuel_poor.groupby(codes)[["households", "fuel_poor_households"]].sum().reset_index()


@pytest.fixture(scope="module")
def made():
    frames, imd, truth = make_frames()
    output_areas = prepare_output_areas(**frames)
    areas = prepare_areas(frames["fuel_poor"], imd, frames["lookup"])
    return frames, output_areas, areas, truth


@pytest.fixture(scope="module")
def estimates(made):
    return fit_and_estimate(made[1], made[2], seed=1)


# --- what is known ---


def test_every_output_area_has_all_covariates_and_the_areas_households(made):
    frames, output_areas, _, _ = made
    assert len(output_areas) == AREAS * PER_AREA
    assert output_areas[COVARIATES].notna().all(axis=None)
    assert ((output_areas[COVARIATES] >= 0) & (output_areas[COVARIATES] <= 100)).all(axis=None)
    sums = output_areas.groupby("lsoa21_code")["households"].sum()
    assert sums.equals(frames["fuel_poor"].set_index("lsoa_code")["households"].rename_axis("lsoa21_code"))


def test_covariates_are_those_of_the_census(made):
    frames, output_areas, _, _ = made
    row = output_areas.iloc[7]
    deprived = frames["oa_deprivation"].set_index("oa21_code").loc[row["oa21_code"]]
    weighted = sum(number * deprived[f"deprived_{number}_households"] for number in range(5))
    assert row["deprived_dimensions_pct"] == pytest.approx(100 * weighted / 4 / deprived["households"])
    tenure = frames["tenure"].set_index("lsoa21_code").loc[row["lsoa21_code"]]
    assert row["social_rented_pct"] == pytest.approx(tenure["social_rented_households"] / 7)
    kind = frames["classification"].set_index("lsoa11_code")["rural_urban_code"]
    villages = kind.index[kind == "E1"]
    rows = output_areas.set_index("lsoa21_code")
    assert (rows.loc[rows.index.isin(villages), ["rural_pct", "village_pct"]] == 100).all(axis=None)


def test_figures_by_lsoa_2011_are_taken_by_common_area(made):
    frames, _, _, _ = made
    old = to_2011(frames["fuel_poor"], frames["lookup"])
    output_areas = prepare_output_areas(**{**frames, "fuel_poor": old})
    split = output_areas[output_areas["lsoa21_code"].isin(["E01900001", "E01900002"])]
    assert set(split["area_code"]) == {"E01000001"}
    assert len(split) == 2 * PER_AREA
    assert split["households"].sum() == old.set_index("lsoa_code").loc["E01000001", "households"]


def test_an_earlier_year_of_another_census_gives_the_common_areas_share(made):
    frames, _, _, _ = made
    imd = pd.DataFrame({"lsoa11_code": frames["domains"]["lsoa11_code"], "imd_rank": 16422})
    old = to_2011(frames["fuel_poor"], frames["lookup"])
    areas = prepare_areas(frames["fuel_poor"], imd, frames["lookup"], earlier=old).set_index("area_code")
    was = old.set_index("lsoa_code").loc["E01000001"]
    share = 100 * was["fuel_poor_households"] / was["households"]
    assert areas.loc[["E01900001", "E01900002"], "earlier_pct"].tolist() == pytest.approx([share, share])
    assert areas["deprivation_pct"].tolist() == pytest.approx([50] * AREAS)
    same = prepare_areas(frames["fuel_poor"], imd, frames["lookup"], earlier=frames["fuel_poor"])
    assert same["earlier_pct"].tolist() == pytest.approx(same["fuel_poor_pct"].tolist())


def test_an_output_area_without_census_counts_is_an_error(made):
    frames = made[0]
    short = {**frames, "oa_deprivation": frames["oa_deprivation"].iloc[1:]}
    with pytest.raises(CheckError, match=r"1 of 600 output areas .* no census counts, as E00000000; expected a row"):
        prepare_output_areas(**short)


def test_an_area_that_the_lookup_does_not_have_is_an_error(made):
    frames = made[0]
    wrong = frames["fuel_poor"].replace({"lsoa_code": {"E01000005": "E01777777"}})
    with pytest.raises(
        CheckError, match=r"1 of 120 fuel poverty figures .* no LSOA of 2021 .* as E01777777; expected all"
    ):
        prepare_output_areas(**{**frames, "fuel_poor": wrong})


# --- the estimates ---


def test_output_areas_add_up_to_the_official_figures(made, estimates):
    sums = estimates.groupby("area_code")["fuel_poor_households"].sum()
    official = made[2].set_index("area_code")["fuel_poor_households"]
    assert (sums - official).abs().max() < 1e-9


def test_postcodes_add_up_to_the_official_figures_and_households(made, estimates):
    frames, _, areas, _ = made
    rows = estimate_postcodes(frames["postcodes"], estimates)
    assert len(rows) == len(frames["postcodes"])
    sums = rows.groupby("lsoa21_code")[["households", "fuel_poor_households"]].sum()
    official = areas.set_index("area_code")
    assert (sums["fuel_poor_households"] - official["fuel_poor_households"]).abs().max() < 1e-9
    assert (sums["households"] == official["households"]).all()
    spread = rows.groupby("oa21_code")["households"].agg(lambda shares: shares.max() - shares.min())
    assert spread.max() == 1  # even, as whole numbers go
    rates = estimates.set_index("oa21_code")["fuel_poor_pct"]
    assert (rows["fuel_poor_pct"] == rows["oa21_code"].map(rates)).all()


@given(data=st.data())
def test_any_official_figures_are_met(data):
    sizes = data.draw(st.lists(st.integers(1, 4), min_size=45, max_size=50))
    seed = data.draw(st.integers(0, 1000))
    random = np.random.default_rng(seed)
    codes = np.repeat([f"E01{number:06}" for number in range(len(sizes))], sizes)
    output_areas = pd.DataFrame(random.normal(50, 20, (len(codes), len(COVARIATES))), columns=COVARIATES).assign(
        oa21_code=[f"E00{number:06}" for number in range(len(codes))],
        lsoa21_code=codes,
        area_code=codes,
        households=random.integers(1, 300, len(codes)),
        latitude=51.0,
        longitude=0.5,
    )
    areas = output_areas.groupby("area_code", as_index=False)["households"].sum()
    areas["fuel_poor_households"] = random.integers(0, areas["households"] + 1)
    areas.loc[0, "fuel_poor_households"] = 0  # none, and all
    areas.loc[1, "fuel_poor_households"] = areas.loc[1, "households"]
    estimates = fit_and_estimate(output_areas.sample(frac=1, random_state=seed), areas, seed=seed, draws=5)
    sums = estimates.groupby("area_code")["fuel_poor_households"].sum().to_numpy()
    assert np.abs(sums - areas["fuel_poor_households"]).max() < 1e-9
    assert estimates["fuel_poor_pct"].between(0, 100).all()


def test_what_was_planted_below_the_published_areas_is_found(made, estimates):
    found = estimates.set_index("oa21_code")
    areas = found["area_code"]
    truth = made[3].reindex(found.index)
    within = truth - truth.groupby(areas).transform("mean")
    flat = np.sqrt((within**2).mean())
    error = np.sqrt(((found["fuel_poor_pct"] - truth) ** 2).mean())
    assert error < 0.35 * flat
    assert truth.between(found["low_95"], found["high_95"]).mean() > 0.9


def test_a_wider_spread_makes_wider_intervals_and_none_leaves_the_coefficients(made, estimates):
    def width(frame):
        return (frame["high_95"] - frame["low_95"]).mean()

    wide = fit_and_estimate(made[1], made[2], seed=1, spread=1.0)
    sure = fit_and_estimate(made[1], made[2], seed=1, spread=0.0)
    assert width(wide) > 2 * width(estimates)
    assert 0 < width(sure) < width(estimates)
    assert wide["fuel_poor_pct"].equals(estimates["fuel_poor_pct"])


def test_widening_multiplies_the_spread_and_leaves_the_estimates(made):
    _, output_areas, areas, _ = made
    widened = fit_and_estimate(output_areas, areas, seed=1, spread=0.2, widened_by=1.5)
    pd.testing.assert_frame_equal(widened, fit_and_estimate(output_areas, areas, seed=1, spread=0.3))
    sums = widened.groupby("area_code")["fuel_poor_households"].sum()
    assert (sums - areas.set_index("area_code")["fuel_poor_households"]).abs().max() < 1e-9


def test_an_area_of_one_output_area_has_the_official_rate_and_no_width(made):
    _, output_areas, areas, _ = made
    alone = output_areas[(output_areas["area_code"] != "E01000000") | (output_areas["oa21_code"] == "E00000000")].copy()
    official = areas.set_index("area_code").loc["E01000000"]
    alone.loc[alone["oa21_code"] == "E00000000", "households"] = int(official["households"])
    row = fit_and_estimate(alone, areas, seed=1).set_index("oa21_code").loc["E00000000"]
    assert row[["fuel_poor_pct", "low_95", "high_95"]].tolist() == pytest.approx([official["fuel_poor_pct"]] * 3)


def test_the_same_seed_gives_the_same_estimates_in_any_order_of_rows(made, estimates):
    again = fit_and_estimate(made[1].sample(frac=1, random_state=2), made[2], seed=1)
    pd.testing.assert_frame_equal(again, estimates, rtol=1e-9)
    assert not fit_and_estimate(made[1], made[2], seed=2)["low_95"].equals(estimates["low_95"])


def test_too_few_areas_and_areas_without_a_figure_are_errors(made):
    _, output_areas, areas, _ = made
    few = areas.head(FEWEST_TO_FIT)
    rows = output_areas[output_areas["area_code"].isin(few["area_code"])]
    assert len(fit_and_estimate(rows, few, seed=1)) == len(rows)
    short = rows[rows["area_code"] != few["area_code"].iloc[0]]
    with pytest.raises(CheckError, match=r"23 areas are too few .* 5 covariates .at least 24.* joined by \+"):
        fit_and_estimate(short, few, seed=1)
    with pytest.raises(CheckError, match=r"5 of 120 output areas lie in areas without an official figure, as E01"):
        fit_and_estimate(rows, few.iloc[1:], seed=1)


# --- how good it is ---


def test_scores_have_the_baselines_and_last_year_only_if_it_is_known(made):
    _, output_areas, areas, _ = made
    scores = score_left_out(output_areas, areas, seed=1).set_index("model")
    assert scores.index.tolist() == ["District mean", "IMD alone", "Output-area covariates", "All covariates"]
    assert scores["held_out"].unique().tolist() == ["each district in turn"]
    assert scores.loc["IMD alone", "gain_over_imd_pct"] == 0
    assert scores.loc["Output-area covariates", "variance_explained_pct"] > 90  # planted
    assert np.isnan(scores.loc["District mean", "rank_correlation"])
    exact = score_left_out(output_areas, areas.assign(earlier_pct=areas["fuel_poor_pct"]), seed=1).set_index("model")
    last = exact.loc["Last published year"]
    assert last[["rmse_pct", "rank_correlation", "gain_over_imd_pct"]].tolist() == [0, 1, 100]


def test_a_district_is_foretold_without_its_own_figures(made):
    _, output_areas, areas, _ = made
    changed = areas.copy()
    one = changed["lad22_code"] == "E07000000"
    changed.loc[one, ["fuel_poor_households", "fuel_poor_pct"]] = [0, 0.0]
    parts = [score_left_out(output_areas, table, seed=1).set_index("model") for table in (areas, changed)]
    assert parts[1].loc["All covariates", "rmse_pct"] > parts[0].loc["All covariates", "rmse_pct"] + 3


def test_a_level_up_what_was_planted_is_found(made):
    frames, output_areas, areas, _ = made
    score = score_within(output_areas, areas, frames["lookup"], seed=1)
    assert (score["neighbourhoods"], score["areas"]) == (AREAS / 4, AREAS)
    assert score["variance_explained_pct"] > 80


SPLIT = 6


@pytest.fixture(scope="module")
def split(made):
    """The same areas, where the first twelve were six before 2021."""
    frames = made[0]
    lookup = frames["lookup"].copy()
    lookup.loc[: 2 * SPLIT - 1, "lsoa11_code"] = np.repeat([f"E0180000{place}" for place in range(SPLIT)], 2)
    return lookup


@pytest.mark.parametrize(("stretch", "low", "high"), [(1.0, 0.7, 1.4), (0.4, 0.2, 0.65)])
def test_parts_of_split_areas_are_told_apart_by_as_much_as_their_slope_says(made, split, stretch, low, high):
    _, output_areas, areas, _ = made
    means = areas["fuel_poor_pct"].groupby(np.arange(len(areas)) // 2).transform("mean")
    squeezed = areas.copy()
    parts = slice(0, 2 * SPLIT - 1)
    squeezed.loc[parts, "fuel_poor_pct"] = (means + stretch * (areas["fuel_poor_pct"] - means)).loc[parts]
    squeezed["fuel_poor_households"] = squeezed["fuel_poor_pct"] * squeezed["households"] / 100
    score = score_splits(output_areas, squeezed, split, 1, 1.5)
    assert (score["split_areas"], score["parts"]) == (SPLIT, 2 * SPLIT)
    assert low < score["split_slope"] < high
    assert score["split_slope_low_95"] < score["split_slope"] < score["split_slope_high_95"]
    assert score["split_covered_pct"] > 80


def test_figures_of_whole_areas_cannot_test_parts(made):
    frames, output_areas, areas, _ = made
    score = score_splits(output_areas, areas, frames["lookup"], 1, 1.0)  # only one was split
    assert (score["split_areas"], score["parts"]) == (1, 2)
    assert np.isnan(score["split_slope"])


def test_what_further_tables_say_of_output_areas_moves_them_and_a_table_with_gaps_is_left_out(made):
    frames, before, areas, _ = made
    random, oas = np.random.default_rng(4), frames["oa_deprivation"]["oa21_code"]
    size = pd.DataFrame(
        {"oa21_code": oas} | {f"people_{n}_households": random.integers(1, 40, len(oas)) for n in range(1, 9)}
    )
    cars = pd.DataFrame(
        {"oa21_code": oas, "car_households": 120, "no_car_households": random.integers(0, 90, len(oas))}
    )
    known = prepare_output_areas(**frames, below={"size": size, "cars": cars.iloc[1:]})
    assert list_known_below(known) == [*list_known_below(before), "one_person_pct", "five_or_more_people_pct"]
    row, counts = known.iloc[7], size.set_index("oa21_code").loc[known["oa21_code"].iloc[7]]
    assert row["five_or_more_people_pct"] == pytest.approx(100 * counts.iloc[4:].sum() / counts.sum())
    moved = (
        fit_and_estimate(known, areas, seed=1)["fuel_poor_pct"]
        - fit_and_estimate(before, areas, seed=1)["fuel_poor_pct"]
    )
    assert moved.abs().max() > 1e-6


def test_a_covariate_of_whole_areas_is_not_known_of_output_areas(made):
    _, output_areas, _, _ = made
    assert list_known_below(output_areas) == OA_COVARIATES


def test_too_few_neighbourhoods_have_no_score(made):
    frames, output_areas, areas, _ = made
    some = areas.head(40)
    rows = output_areas[output_areas["area_code"].isin(some["area_code"])]
    score = score_within(rows, some, frames["lookup"], seed=1)
    assert score["areas"] == 40
    assert np.isnan([score[name] for name in ("variance_explained_pct", "covered_pct", "covered_held_out_pct")]).all()
    assert (score["widened_by"], score["held_out"]) == (UNTRIED_WIDENING, "")


@pytest.mark.parametrize(
    ("holds", "factor"),
    [([19, 20, 20], 1.1), ([20, 20, 20], 1.0), ([5, 10, 19], 1.2)],  # of 20: 95% of 21 are 20
)
def test_the_least_factor_at_which_enough_intervals_hold_is_found(holds, factor):
    covered = pd.DataFrame({1 + step / 10: np.arange(20) < count for step, count in enumerate(holds)})
    assert find_widening(covered) == pytest.approx(factor)


def test_areas_that_differ_more_than_neighbourhoods_widen_the_intervals_until_they_hold(made):
    """Noise of its own in each area averages out in the neighbourhoods that the spread is taken from."""
    frames, output_areas, areas, _ = made
    noise = np.random.default_rng(5).normal(0, 0.5, len(areas))
    rate = expit(np.log(areas["fuel_poor_pct"] / (100 - areas["fuel_poor_pct"])) + noise)
    noisy = areas.assign(fuel_poor_households=(rate * areas["households"]).round())
    noisy["fuel_poor_pct"] = 100 * noisy["fuel_poor_households"] / noisy["households"]
    score = score_within(output_areas, noisy, frames["lookup"], seed=1)
    assert score["covered_pct"] < 90
    assert score["widened_by"] > 1.2
    assert score["held_out"] == "each district in turn"
    assert 90 <= score["covered_held_out_pct"] <= 99


def test_noise_a_level_up_explains_nothing(made):
    frames, output_areas, areas, _ = made
    noise = areas.assign(fuel_poor_households=np.random.default_rng(3).permutation(areas["fuel_poor_households"]))
    noise["fuel_poor_pct"] = 100 * noise["fuel_poor_households"] / noise["households"]
    assert score_within(output_areas, noise, frames["lookup"], seed=1)["variance_explained_pct"] < 20
