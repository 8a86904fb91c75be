"""Extracts that are small, or odd as real ones are: an estimate with its interval, or a sentence on what is too few."""

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from councilbook.errors import CheckError, TooFewError
from councilbook.fuel_poverty.programmes import comparisons, effects
from councilbook.methods.impact import OUTCOMES, match_controls, prepare_panel

LEAST = 10
Extract = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]


def draw_extract(homes: int, share: float = 0.25, seed: int = 5) -> Extract:
    """Households, measures and outcomes of the years 2012 to 2021 of so many homes."""
    random = np.random.default_rng(seed)
    names = [f"h{n}" for n in range(homes)]
    households = pd.DataFrame(
        {
            "household_id": names,
            "tenure": random.choice(["mortgaged", "social_rented", "private_rented"], homes, p=[0.6, 0.3, 0.1]),
            "accommodation": random.choice(["terraced", "flat"], homes),
            "lad22_code": random.choice(["E07000105", "E07000106"], homes, p=[0.8, 0.2]),
            "adults": random.integers(1, 4, homes),
            "children_under_14": random.integers(0, 3, homes),
            "children_14_plus": random.integers(0, 2, homes),
            "oldest_age": random.integers(20, 95, homes),
        }
    )
    treated = random.choice(names, round(share * homes), replace=False)
    years = random.integers(2014, 2020, len(treated))
    interventions = pd.DataFrame(
        {
            "household_id": treated,
            "measure": random.choice(list(comparisons.MEASURES), len(treated)),
            "installed_on": pd.to_datetime([f"{year}-06-01" for year in years]),
        }
    )
    outcomes = pd.MultiIndex.from_product([names, range(2012, 2022)], names=["household_id", "year"]).to_frame(False)
    outcomes["gas_kwh"] = random.normal(12_000, 2_000, len(outcomes))
    outcomes["fuel_poverty_gap_gbp"] = random.exponential(50, len(outcomes))
    outcomes["emergency_admissions"] = random.poisson(0.2, len(outcomes))
    return households, interventions, outcomes


def estimate(extract: Extract) -> pd.DataFrame:
    """Do what the notebook does."""
    households, interventions, outcomes = extract
    comparisons.count_measures(interventions)
    comparisons.count_places(interventions, households)
    panel = prepare_panel(interventions, outcomes)
    features = comparisons.describe_homes(households, panel)
    matches = match_controls(panel, features, exact=["tenure", "has_gas"])
    comparisons.describe_balance(matches)
    of_all = comparisons.estimate_outcomes(matches.panel, LEAST)
    of_gas = comparisons.estimate_measures(matches.panel, interventions, "gas_kwh", LEAST)
    return comparisons.stack_effects(of_all, [of_gas])


def change(part: int, **columns: object) -> Callable[[Extract], Extract]:
    def changed(extract: Extract) -> Extract:
        frames = list(extract)
        frames[part] = frames[part].assign(**columns)
        return frames[0], frames[1], frames[2]

    return changed


ODD: dict[str, Callable[[Extract], Extract]] = {
    "as it is": lambda extract: extract,
    "one district": change(0, lad22_code="E07000105"),
    "one tenure": change(0, tenure="social_rented"),
    "all homes alike": change(
        0, accommodation="flat", adults=1, children_under_14=0, children_14_plus=0, oldest_age=70
    ),
    "one year of start": change(1, installed_on=pd.Timestamp("2016-03-01")),
    "the first year that can be": change(1, installed_on=pd.Timestamp("2013-03-01")),
    "the last year that can be": change(1, installed_on=pd.Timestamp("2020-03-01")),
    "one measure": change(1, measure="loft"),
    "no gas": change(2, gas_kwh=np.nan),
    "no gap": change(2, fuel_poverty_gap_gbp=np.nan),
    "no admissions": change(2, emergency_admissions=0),
    "all outcomes the same": change(2, gas_kwh=9000.0, fuel_poverty_gap_gbp=0.0, emergency_admissions=0),
}


UNKNOWN = {"gas_kwh": "no gas", "fuel_poverty_gap_gbp": "no gap"}


@pytest.mark.parametrize("homes", [100, 1000])
@pytest.mark.parametrize("odd", ODD)
def test_any_extract_gives_estimates_or_says_that_it_is_too_small(homes: int, odd: str) -> None:
    extract = ODD[odd](draw_extract(homes))
    if homes == 100:
        with pytest.raises(TooFewError):
            estimate(extract)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = estimate(extract)
    assert table[["effect", "low_95", "high_95"]].notna().all(axis=None)
    assert (table["low_95"] <= table["effect"]).all()
    assert table["group_size"].min() >= LEAST
    assert effects.list_outcomes(table) == [name for name in OUTCOMES if odd != UNKNOWN.get(name)]
    assert effects.spread_effects(table)["effect"].str.contains(" to ").all()
    for outcome in OUTCOMES:
        said = [tell(table, outcome, is_synthetic=True) for tell in (effects.describe_effect, effects.describe_naive)]
        assert "nan" not in " ".join(said)
    assert "nan" not in effects.describe_trends(table, is_synthetic=True)


@pytest.mark.parametrize("share", [0, 1])
def test_homes_of_one_kind_alone_are_too_few(share: float) -> None:
    with pytest.raises(TooFewError, match="no measure in this council" if share == 0 else "all are of one kind"):
        estimate(draw_extract(300, share))


@pytest.mark.parametrize(
    ("part", "told"),
    [(0, "measures of the register are of households that the linked records have not"), (2, "add its outcomes")],
)
def test_files_of_different_linkages_are_refused_with_what_to_do(part: int, told: str) -> None:
    frames = list(draw_extract(300))
    frames[part] = frames[part][frames[part]["household_id"] != frames[1]["household_id"].iloc[3]]
    with pytest.raises(CheckError, match=told) as refused:
        estimate((frames[0], frames[1], frames[2]))
    assert not isinstance(refused.value, TooFewError)


def test_an_outcome_without_values_is_said_not_to_be_known() -> None:
    table = estimate(ODD["no gas"](draw_extract(600)))
    assert effects.describe_effect(table, "gas_kwh", is_synthetic=True).startswith("**Gas use: not known.**")
    assert effects.describe_naive(table, "gas_kwh", is_synthetic=True) == ""
