"""What measures did: panels that refuse what is wrong, controls that are alike, and a planted effect found again."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.stats import f as f_distribution
from scipy.stats import t as t_distribution

from councilbook.catalogue import ModelRule
from councilbook.errors import CheckError, ReleaseRefusedError
from councilbook.gate.disclosure.coefficients import check_model
from councilbook.methods import impact
from councilbook.methods.impact import (
    estimate_effect,
    match_controls,
    prepare_panel,
)

YEARS = range(2010, 2018)


def install(**years: int) -> pd.DataFrame:
    dates = [pd.Timestamp(year, 6, 1) for year in years.values()]
    return pd.DataFrame({"household_id": list(years), "installed_on": dates})


def watch(*households: str, gas: float | None = 100.0) -> pd.DataFrame:
    index = pd.MultiIndex.from_product([households, YEARS], names=["household_id", "year"])
    return index.to_frame(index=False).assign(gas_kwh=gas)


def plant(
    effect: dict[int, float],
    treated: int = 120,
    controls: int = 240,
    noise: float = 100.0,
    trend: float = 0.0,
    seed: int = 1,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Interventions and outcomes; gas changes by `effect` of the year of start, times the years since."""
    random = np.random.default_rng(seed)
    starts = np.array(list(effect))[np.arange(treated) % len(effect)]
    outcomes = watch(*[f"h{place:04}" for place in range(treated + controls)])
    start = np.repeat(np.r_[starts, np.zeros(controls, dtype=int)], len(YEARS))
    since = np.where(start > 0, outcomes["year"] - start, 0).clip(min=0)
    level = np.repeat(random.normal(12_000, 1500, treated + controls), len(YEARS))
    gas = level + 300 * np.sin(outcomes["year"]) + pd.Series(start).map(effect).fillna(0) * since
    gas += np.where(start > 0, trend * (outcomes["year"] - 2010), 0) + random.normal(0, noise, len(outcomes))
    interventions = install(**{f"h{place:04}": int(year) for place, year in enumerate(starts)})
    return interventions, outcomes.assign(gas_kwh=gas)


# --- panel ---


def test_the_first_measure_counts_and_its_year_is_left_out() -> None:
    interventions = pd.concat([install(a=2014), install(a=2012)], ignore_index=True)
    panel = prepare_panel(interventions, watch("b", "a"))
    treated, control = (panel[panel["household_id"] == name] for name in "ab")
    assert treated["first_year"].eq(2012).all()
    assert treated["year"].tolist() == [2010, 2011, 2013, 2014, 2015, 2016, 2017]
    assert treated["event_year"].tolist() == [-2, -1, 1, 2, 3, 4, 5]
    assert control["year"].tolist() == list(YEARS)
    assert panel.index.tolist() == list(range(7 + 8))
    assert control[["first_year", "event_year"]].isna().all(axis=None)


def test_gas_may_be_missing_and_other_outcomes_may_not() -> None:
    outcomes = watch("secret", gas=None).assign(emergency_admissions=1.0)
    assert prepare_panel(install(secret=2012), outcomes)["gas_kwh"].isna().all()
    outcomes.loc[3, "emergency_admissions"] = None
    with pytest.raises(CheckError, match=r"1 rows have no emergency_admissions \(row 3\)"):
        prepare_panel(install(secret=2012), outcomes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"year": [2010, 2010]}, r"Outcomes: 2 rows share a household and year.*\(row 0, 1\)"),
        ({"gas_kwh": [100.0, -1.0]}, r"Outcomes: 1 rows have a gas_kwh below 0 \(row 1\)"),
        ({"household_id": ["secret", None]}, r"Outcomes: 1 rows have no household or no year \(row 1\)"),
    ],
)
def test_wrong_outcomes_are_refused_by_row_and_never_by_household(change: dict[str, list], message: str) -> None:
    outcomes = watch("secret")
    for column, values in change.items():
        outcomes.loc[[0, 1], column] = values
    with pytest.raises(CheckError, match=message) as raised:
        prepare_panel(install(secret=2012), outcomes)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("interventions", "message"),
    [
        (
            install(secret=2010),
            r"1 rows were installed outside the panel; expected after 2010 and before 2017.*\(row 0",
        ),
        (install(secret=2017), "outside the panel"),
        (
            install(other=2012),
            r"Interventions: 1 rows are of a household without outcomes; add its outcomes, or take them out \(row 0\)",
        ),
        (install(secret=2012).assign(installed_on=pd.NaT), "no date of installation"),
    ],
)
def test_wrong_interventions_are_refused_by_row_and_never_by_household(
    interventions: pd.DataFrame, message: str
) -> None:
    with pytest.raises(CheckError, match=message) as raised:
        prepare_panel(interventions, watch("secret"))
    assert "secret" not in str(raised.value)
    assert "other" not in str(raised.value)


def test_outcomes_without_any_known_column_are_refused() -> None:
    with pytest.raises(CheckError, match="gas_kwh, fuel_poverty_gap_gbp, emergency_admissions, found none"):
        prepare_panel(install(a=2012), watch("a").drop(columns="gas_kwh"))


# --- matching ---


def make_matchable(seed: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Treated homes are larger than the others, of whom enough are as large."""
    random = np.random.default_rng([seed, 1])  # other draws than the outcomes', or area would give gas away
    interventions, outcomes = plant({2012: -100.0, 2014: -50.0}, treated=100, controls=600, seed=seed)
    panel = prepare_panel(interventions, outcomes)
    households = panel["household_id"].unique()
    treated = pd.Series(households).isin(interventions["household_id"])
    area = random.normal(np.where(treated, 95, 80), 15)
    tenure = random.choice(["owned_outright", "social_rented"], len(households))
    return panel, pd.DataFrame({"household_id": households, "floor_area_m2": area, "tenure": tenure})


def test_matching_makes_groups_alike_and_uses_each_household_once() -> None:
    panel, features = make_matchable()
    found = match_controls(panel, features)
    balance = found.balance.set_index("covariate")
    assert balance.loc["floor_area_m2", "smd_before"] > 0.7
    assert abs(balance.loc["floor_area_m2", "smd_after"]) < 0.1  # the others were alike but for chance
    by_pair = found.panel.groupby("pair")["household_id"].nunique()
    assert by_pair.eq(2).all()
    assert found.panel.groupby("household_id")["pair"].nunique().eq(1).all()
    treated = found.panel.dropna(subset="first_year").groupby("pair")["household_id"].nunique()
    assert treated.eq(1).all()
    assert found.treated_households == 100
    assert len(treated) == 100 - found.unmatched_households


def test_the_balance_is_that_of_the_matched_rows() -> None:
    panel, features = make_matchable()
    found = match_controls(panel, features)
    area = features.set_index("household_id")["floor_area_m2"]
    kept = found.panel.drop_duplicates("household_id").set_index("household_id")["first_year"].notna()
    everyone = panel.drop_duplicates("household_id").set_index("household_id")["first_year"].notna()
    spread = area[everyone.index[everyone]].std()
    balance = found.balance.set_index("covariate").loc["floor_area_m2"]
    for names, groups in (("smd_before", everyone), ("smd_after", kept)):
        difference = area[groups.index[groups]].mean() - area[groups.index[~groups]].mean()
        assert balance[names] == pytest.approx(difference / spread)


def test_exact_features_agree_in_every_pair() -> None:
    panel, features = make_matchable()
    found = match_controls(panel, features, exact=["tenure"])
    tenure = found.panel["household_id"].map(features.set_index("household_id")["tenure"])
    assert tenure.groupby(found.panel["pair"]).nunique().eq(1).all()


def test_nobody_is_matched_beyond_the_caliper() -> None:
    panel, features = make_matchable()
    treated = panel.drop_duplicates("household_id").set_index("household_id")["first_year"].notna()
    features["floor_area_m2"] += features["household_id"].map(treated) * 20.0
    narrow, wide = (match_controls(panel, features, caliper=caliper) for caliper in (0.01, 100.0))
    assert wide.unmatched_households == 0
    assert 0 < narrow.unmatched_households < 100


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_order_of_the_features_changes_nothing(seed: int) -> None:
    panel, features = make_matchable(seed=1)
    shuffled = features.sample(frac=1, random_state=seed)
    pd.testing.assert_frame_equal(match_controls(panel, features).panel, match_controls(panel, shuffled).panel)


def test_features_that_are_not_one_whole_row_a_household_are_refused() -> None:
    panel, features = make_matchable()
    with pytest.raises(CheckError, match="1 households of the panel have no row"):
        match_controls(panel, features.iloc[1:])
    with pytest.raises(CheckError, match=r"2 rows share a household.*\(row 0, 700\)"):
        match_controls(panel, pd.concat([features, features.head(1)], ignore_index=True))
    features.loc[5, "floor_area_m2"] = None
    with pytest.raises(CheckError, match=r"1 rows have a missing value \(row 5\)"):
        match_controls(panel, features)


def test_matching_needs_treated_households_and_others() -> None:
    panel, features = make_matchable()
    with pytest.raises(CheckError, match="Households with a measure and others without one are needed"):
        match_controls(panel.dropna(subset="first_year"), features)


@given(
    st.lists(st.integers(-8, 8), min_size=1, max_size=8, unique=True),
    st.lists(st.integers(-8, 8), max_size=10, unique=True),
    st.integers(0, 5),
)
def test_the_nearest_free_control_within_the_caliper_is_taken_from_the_highest_score_down(
    treated: list[int], controls: list[int], widest: int
) -> None:
    free, expected = {place: float(score) for place, score in enumerate(controls)}, []
    for score in sorted(treated, reverse=True):
        apart = {place: abs(other - score) for place, other in free.items() if abs(other - score) <= widest}
        if apart:
            nearest = min(apart, key=lambda place: (apart[place], controls[place]))
            expected.append((score, free.pop(nearest)))
    scores = pd.Series(treated, index=[f"t{score}" for score in treated], dtype=float)
    others = pd.Series(controls, index=[f"c{score}" for score in controls], dtype=float)
    pairs = impact._pair_nearest(scores, others, float(widest))
    assert [(scores[one], others[other]) for one, other in pairs] == expected


def test_a_caliper_is_in_standard_deviations_of_the_score() -> None:
    panel, features = make_matchable()
    scaled = features.assign(floor_area_m2=features["floor_area_m2"] * 7 - 300)
    few, same = (match_controls(panel, known, caliper=0.002) for known in (features, scaled))
    assert 10 < few.unmatched_households == same.unmatched_households < 95


def test_the_caliper_is_of_the_pooled_spread_of_the_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    """The spread of Austin (2011): the root of the mean of both groups' variances."""
    seen: list[tuple[pd.Series, pd.Series, float]] = []
    monkeypatch.setattr(
        impact, "_pair_nearest", lambda *given: seen.append(given) or [(given[0].index[0], given[1].index[0])]
    )
    match_controls(*make_matchable(), caliper=0.3)
    treated, controls, widest = seen[0]
    assert widest == pytest.approx(0.3 * np.sqrt((treated.var(ddof=0) + controls.var(ddof=0)) / 2))


# --- effect ---

ENDS = ["effect", "low_95", "high_95"]


def estimate(panel: pd.DataFrame, cluster: str = "household_id") -> pd.DataFrame:
    return estimate_effect(panel, "gas_kwh", cluster).set_index("term")


def split_changes(panel: pd.DataFrame, change: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    treated = panel.groupby("household_id")["first_year"].first().notna()
    return change[treated].to_numpy(), change[~treated].to_numpy()


def find_half_width(treated: np.ndarray, controls: np.ndarray) -> float:
    """Half of the 95 % interval of a difference of two means."""
    spread = np.sqrt(treated.var() / len(treated) + controls.var() / len(controls))
    return t_distribution.ppf(0.975, len(treated) + len(controls) - 1) * spread


def test_intervals_are_those_of_differences_of_mean_changes() -> None:
    """Where all start at once and none is missing, each estimate is one: of a year, of all, and the naive one."""
    panel = prepare_panel(*plant({2013: -200.0}, treated=50, controls=150))
    panel = panel[panel["year"] != 2013]  # it is left out of the treated as well
    found = estimate(panel)
    wide = panel.pivot_table(index="household_id", columns="year", values="gas_kwh")
    since, before = wide[[2014, 2015, 2016, 2017]].mean(axis=1), wide[[2010, 2011, 2012]].mean(axis=1)
    for change, effect, low, high in (
        (since - wide[2012], *found.loc["average", ENDS]),
        (since - before, *found.loc["naive", ENDS]),
        (wide[2010] - wide[2012], *found.loc["year -3", ENDS]),
    ):
        treated, controls = split_changes(panel, change)
        assert effect == pytest.approx(treated.mean() - controls.mean())
        half = find_half_width(treated, controls)
        assert [effect - low, high - effect] == pytest.approx([half, half], rel=0.01)


def test_few_clusters_have_the_wider_interval_of_their_degrees_of_freedom() -> None:
    """Of one year before and one since, both estimates are the same, so their intervals are."""
    panel = prepare_panel(*plant({2013: -200.0}, treated=3, controls=4))
    found = estimate(panel[panel["year"].isin([2012, 2015])])
    assert found.loc["average", ENDS].tolist() == pytest.approx(found.loc["naive", ENDS].tolist())


def test_the_test_of_the_years_before_is_that_of_their_joint_mean() -> None:
    panel = prepare_panel(*plant({2013: -200.0}, treated=50, controls=150, trend=18.0))
    wide = panel.pivot_table(index="household_id", columns="year", values="gas_kwh")
    groups = [split_changes(panel, wide[year] - wide[2012]) for year in (2010, 2011)]
    treated, controls = (np.array(side) for side in zip(*groups, strict=True))
    apart = treated.mean(axis=1) - controls.mean(axis=1)
    covariance = np.cov(treated, ddof=0) / 50 + np.cov(controls, ddof=0) / 150
    wald = apart @ np.linalg.inv(covariance) @ apart
    expected = f_distribution.sf(wald / 2, 2, 199)
    assert 0.001 < expected < 0.5
    assert estimate(panel)["pre_trend_p"].iloc[0] == pytest.approx(expected, rel=0.05)


def test_starts_weigh_by_the_households_that_are_seen() -> None:
    panel = prepare_panel(*plant({2011: -400.0, 2015: -100.0}, noise=0.01))
    late = panel.loc[panel["first_year"].eq(2015).fillna(False), "household_id"].unique()
    found = estimate(panel[~panel["household_id"].isin(late[:40])])
    counts = {-5: 20, -4: 20, -3: 20, -2: 20, 1: 80, 2: 80, 3: 60, 4: 60, 5: 60, 6: 60}
    assert found["group_size"].iloc[2:].to_dict() == {f"year {year}": count for year, count in counts.items()}
    assert found.loc["year 2", "effect"] == pytest.approx(-(800 * 60 + 200 * 20) / 80, abs=0.1)
    assert found.loc["average", "effect"] == pytest.approx(-(400 * 21 * 60 + 100 * 3 * 20) / (6 * 60 + 2 * 20), abs=0.1)


def test_without_noise_each_year_since_is_the_planted_effect() -> None:
    found = estimate(prepare_panel(*plant({2013: -200.0}, noise=0.01)))
    assert found["effect"].iloc[2:].tolist() == pytest.approx([0, 0, -200, -400, -600, -800], abs=0.1)
    assert found["group_size"].eq(120).all()
    assert found.loc["average", "effect"] == pytest.approx(-500, abs=0.1)
    assert found.loc["naive", "effect"] == pytest.approx(-500, abs=0.1)  # one year of start: nothing goes wrong
    assert found["observations"].eq(120 * 7 + 240 * 8).all()
    assert found["degrees_of_freedom"].eq(120 * 7 + 240 * 8 - 360 - 7 - 6).all()


def test_staggered_growing_effects_are_found_where_the_naive_estimate_misses() -> None:
    found = estimate(prepare_panel(*plant({2011: -400.0, 2015: -100.0}, noise=1)))
    true = (-400 * sum(range(1, 7)) - 100 * sum(range(1, 3))) / (6 + 2)
    assert found.loc["average", "effect"] == pytest.approx(true, abs=1)
    assert found.loc["average", "low_95"] <= true <= found.loc["average", "high_95"]
    assert found.loc["naive", "low_95"] > true + 50


def test_a_trend_before_the_start_shows_in_the_test_and_none_does_not() -> None:
    parallel = estimate(prepare_panel(*plant({2013: -200.0, 2014: -200.0})))
    apart = estimate(prepare_panel(*plant({2013: -200.0, 2014: -200.0}, trend=60.0)))
    assert parallel["pre_trend_p"].iloc[0] > 0.05
    assert apart["pre_trend_p"].iloc[0] < 0.001


def test_without_years_to_test_there_is_no_p_value() -> None:
    assert np.isnan(estimate(prepare_panel(*plant({2011: -200.0})))["pre_trend_p"].iloc[0])


@pytest.mark.parametrize(("year", "households", "is_told"), [(2015, 2, False), (2016, 3, False), (2016, 4, True)])
def test_more_years_before_than_households_can_tell_have_no_p_value(year: int, households: int, is_told: bool) -> None:
    """Four years of 2 + 2 households have 3 degrees of freedom, and five of 3 + 3 changes of 4 dimensions."""
    panel = prepare_panel(*plant({year: -200.0}, treated=households, controls=households))
    assert estimate(panel)["pre_trend_p"].notna().all() == is_told


def test_a_test_of_one_year_before_agrees_with_its_interval() -> None:
    found = estimate(prepare_panel(*plant({2012: -200.0})))
    lead = found.loc["year -2"]
    assert (lead["pre_trend_p"] < 0.05) == (not lead["low_95"] <= 0 <= lead["high_95"])


def test_one_start_without_missing_years_is_the_difference_of_mean_changes() -> None:
    panel = prepare_panel(*plant({2013: -200.0}))
    found = estimate(panel).loc["year 2", "effect"]
    wide = panel.pivot_table(index="household_id", columns="year", values="gas_kwh")
    change = wide[2015] - wide[2012]
    treated = panel.groupby("household_id")["first_year"].first().notna()
    assert found == pytest.approx(change[treated].mean() - change[~treated].mean())


def test_treated_households_not_seen_before_and_after_are_left_out() -> None:
    panel = prepare_panel(*plant({2013: -200.0}))
    unseen = panel["household_id"].eq("h0000") & panel["event_year"].gt(0).fillna(False)
    lone = panel["household_id"].eq("h0359") & panel["year"].gt(2010)
    found = estimate(panel.assign(gas_kwh=panel["gas_kwh"].mask(unseen | lone)))
    assert found["observations"].eq(119 * 7 + 239 * 8).all()
    assert found["group_size"].eq(119).all()


def test_clusters_by_pair_change_the_interval_and_not_the_estimate() -> None:
    panel, features = make_matchable()
    matched = match_controls(panel, features).panel
    by_household, by_pair = (estimate(matched, cluster) for cluster in ("household_id", "pair"))
    assert by_pair["effect"].tolist() == by_household["effect"].tolist()
    assert (by_pair["low_95"] != by_household["low_95"]).all()


def test_an_estimate_needs_treated_households_controls_and_the_year_before() -> None:
    panel = prepare_panel(*plant({2013: -200.0}))
    with pytest.raises(CheckError, match="no control"):
        estimate(panel.dropna(subset="first_year"))
    with pytest.raises(CheckError, match="no treated household"):
        estimate(panel[panel["first_year"].isna()])
    with pytest.raises(CheckError, match="started in 2013 has a value in the year before"):
        estimate(panel[panel["event_year"].ne(-1).fillna(True)])


# --- release ---

RULE = ModelRule(
    rule="model",
    approver="data protection officer",
    observations="observations",
    degrees_of_freedom="degrees_of_freedom",
    group_size="group_size",
    numbers=["effect", "low_95", "high_95", "pre_trend_p"],
    threshold=10,
    least_degrees_of_freedom=10,
)


def test_the_table_passes_the_rule_for_models() -> None:
    table = estimate_effect(prepare_panel(*plant({2011: -400.0, 2015: -100.0})), "gas_kwh")
    assert set(table.columns) == {"outcome", "term", *RULE.covered}
    assert check_model(table, RULE)["checked"]["smallest_group"] == 60


def test_a_term_is_about_the_smaller_group() -> None:
    found = estimate_effect(prepare_panel(*plant({2014: -400.0}, treated=30, controls=18)), "gas_kwh")
    assert found.index.tolist() == list(range(8))
    terms = ["average", "naive", "year -4", "year -3", "year -2", "year 1", "year 2", "year 3"]
    assert found["term"].tolist() == terms
    assert found["group_size"].eq(18).all()
    few = estimate(prepare_panel(*plant({2014: -400.0, 2015: -200.0}, treated=24, controls=18)))
    sizes = few["group_size"].to_dict()
    assert (sizes["average"], sizes["year -5"], sizes["year 3"], sizes["year 1"]) == (18, 12, 12, 18)


def test_no_more_than_three_rows_are_named() -> None:
    with pytest.raises(CheckError, match=r"5 rows have a gas_kwh below 0 \(row 1, 2, 3\)"):
        prepare_panel(install(a=2012), watch("a").assign(gas_kwh=[0.0, -1, -1, -1, -1, -1, 0, 0]))


def test_a_year_with_few_treated_households_is_refused() -> None:
    interventions, outcomes = plant({2014: -400.0}, treated=9)
    table = estimate_effect(prepare_panel(interventions, outcomes), "gas_kwh")
    with pytest.raises(ReleaseRefusedError, match="fewer than 10 records"):
        check_model(table, RULE)


def test_the_fit_is_that_of_a_regression_with_a_column_a_household_and_year() -> None:
    interventions, outcomes = plant({2012: -100.0, 2014: -50.0}, treated=20, controls=40)
    outcomes = outcomes.sample(frac=0.9, random_state=3)  # a panel with gaps
    rows = prepare_panel(interventions, outcomes)
    rows = rows.assign(since=rows["event_year"].gt(0).fillna(False).astype("float64"), outcome=rows["gas_kwh"])
    rows = rows.assign(pair=rows["household_id"].str[-1])  # clusters of several households
    estimates, covariance = impact._fit(rows, sparse.csr_array(rows[["since"]].to_numpy()), "pair")
    dummies = [
        pd.get_dummies(rows[name], dtype="float64").iloc[:, first:]
        for name, first in (("household_id", 0), ("year", 1))
    ]
    design = np.column_stack([rows["since"], *dummies])
    inverse = np.linalg.inv(design.T @ design)
    plain = inverse @ design.T @ rows["outcome"]
    residuals = rows["outcome"] - design @ plain
    scores = pd.DataFrame(design * residuals.to_numpy()[:, None]).groupby(rows["pair"].to_numpy()).sum().to_numpy()
    groups, parameters = len(scores), 1 + rows["year"].nunique()  # households are nested in clusters
    correction = groups / (groups - 1) * (len(rows) - 1) / (len(rows) - parameters)
    assert estimates == pytest.approx(plain[:1])
    assert covariance == pytest.approx(correction * (inverse @ scores.T @ scores @ inverse)[:1, :1])
