"""Whether a factor that stretches or shrinks estimated differences brings the slope of the split-area test to 1.

Run it as `python benchmarks/postcodes.py MIRROR`, with the official files of Kent and Medway and of County Durham.
Rules for the factor: none; the slope within neighbourhoods of the same council and year; and the slope on the split
areas of the other council, of all years or of the same. Each is tried on parts that had no say in its factor.
"""

import sys
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import t

from councilbook.fuel_poverty.postcodes import covariates, trials
from councilbook.study import Study

COUNCILS, YEARS = ("kent_medway", "E06000047"), (2021, 2022, 2023, 2024)
CONVERTED = ["converted_house_households", "converted_building_households"]
COUPLES = ["married_dependent_children_households", "cohabiting_dependent_children_households"]


def load_council(code: str, mirror: str) -> tuple[Study, dict[str, pd.DataFrame], dict[str, pd.DataFrame]]:
    """Load what does not change from year to year."""
    study = Study.open("fuel_poverty", "3_postcodes", code, "real", mirror=mirror, seed=1, run_date="2026-01-01")
    homes, people = study.load("census_2021_oa_accommodation"), study.load("census_2021_composition")
    homes["converted_flat_households"] = homes[CONVERTED].sum(axis=1)
    people["couple_dependent_children_households"] = people[COUPLES].sum(axis=1)
    frames = {
        "postcodes": study.load("postcode_directory"),
        "oa_deprivation": study.load("census_2021_oa_deprivation"),
        "oa_accommodation": homes,
        "tenure": study.load("census_2021_tenure"),
        "heating": study.load("census_2021_heating"),
        "composition": people,
        "domains": study.load("iod_2025"),
        "classification": study.load("lsoa_2011_classification"),
        "lookup": study.place.lookup,
    }
    return study, frames, {name: study.load(f"census_2021_oa_{name}") for name in covariates.MORE_BELOW}


def keep_differences(
    kept: list[pd.DataFrame],
    compare: Callable[..., dict[str, float]],
    rows: pd.DataFrame,
    estimates: pd.Series,
    groups: pd.Series,
) -> dict[str, float]:
    """Keep the differences within groups that `trials` compares, and compare them."""
    table = pd.DataFrame({"weight": rows["households"], "official": rows["fuel_poor_pct"], "estimated": estimates})
    for name in ("official", "estimated"):
        sums = (table[name] * table["weight"]).groupby(groups).transform("sum")
        table[name] -= sums / table["weight"].groupby(groups).transform("sum")
    kept.append(table.assign(whole=groups))
    return compare(rows, estimates, groups)


def compare_parts(code: str, mirror: str) -> pd.DataFrame:
    """Give each part of a split area its official and estimated difference from the whole, and the factors' grounds."""
    study, frames, below = load_council(code, mirror)
    areas_study = Study.open("fuel_poverty", "2_areas", code, "real", mirror=mirror, seed=1, run_date="2026-01-01")
    tables, original = [], trials._compare_within
    for year in YEARS:
        fuel_poor = areas_study.load(f"sub_regional_fuel_poverty_{year}")
        output_areas = covariates.prepare_output_areas(**frames, fuel_poor=fuel_poor, below=below)
        areas = covariates.prepare_areas(fuel_poor, frames["domains"], study.place.lookup)
        kept: list[pd.DataFrame] = []

        trials._compare_within = partial(keep_differences, kept, original)
        within = trials.score_within(output_areas, areas, study.place.lookup, 1)
        trials.score_splits(output_areas, areas, study.place.lookup, 1, 1.5)
        trials._compare_within = original
        tables.append(kept[-1].assign(council=code, year=year, within=within["slope"]))
    return pd.concat(tables)


def measure_slope(parts: pd.DataFrame, factor: "pd.Series[float] | float" = 1.0) -> tuple[float, float, float]:
    """Return the slope of official on stretched differences with its 95 % interval, allowing for wholes."""
    estimated = parts["estimated"] * factor
    square = (parts["weight"] * estimated**2).sum()
    slope = (parts["weight"] * parts["official"] * estimated).sum() / square
    score = (parts["weight"] * estimated * (parts["official"] - slope * estimated)).groupby(parts["whole"]).sum()
    reach = t.ppf(0.975, len(score) - 1) * np.sqrt((score**2).sum() * len(score) / (len(score) - 1)) / square
    return slope, slope - reach, slope + reach


def main(mirror: str) -> None:
    """Print the slopes before and after."""
    parts = pd.concat([compare_parts(code, mirror) for code in COUNCILS], ignore_index=True)
    other = {code: measure_slope(parts[parts["council"] != code])[0] for code in COUNCILS}
    same = {
        key: measure_slope(parts[(parts["council"] != key[0]) & (parts["year"] == key[1])])[0]
        for key in product(COUNCILS, YEARS)
    }
    keys = list(zip(parts["council"], parts["year"], strict=True))
    rules = {
        "none": pd.Series(1.0, parts.index),
        "own slope within neighbourhoods": parts["within"],
        "other council, all years": parts["council"].map(other),
        "other council, same year": pd.Series([same[key] for key in keys], parts.index),
    }
    rows = []
    for council, year in [*product(COUNCILS, YEARS), *(("both", year) for year in YEARS), ("both", "all")]:
        some = (parts["council"].eq(council) | (council == "both")) & (parts["year"].eq(year) | (year == "all"))
        row = {"council": council, "year": year, "wholes": parts.loc[some, "whole"].nunique()}
        for name, factor in rules.items():
            row[name] = "{:.2f} ({:.2f} to {:.2f})".format(*measure_slope(parts[some], factor[some]))
        row["factor within"] = round(parts.loc[some, "within"].mean(), 2)
        rows.append(row)
    print(pd.DataFrame(rows).to_string(index=False))


if __name__ == "__main__":
    main(str(Path(sys.argv[1])))
