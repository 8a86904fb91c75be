"""How far postcode estimates overstate differences, and whether the chance of the highest band is right: real data.

`python benchmarks/postcodes.py MIRROR` runs the loading of notebook 3_postcodes for Kent and County Durham and three
years of official figures. It prints, for each, the slope of official on estimated differences within neighbourhoods
and within areas that were split in 2021, as the estimates come and with their differences multiplied by a factor that
is learnt on the other council (from its neighbourhoods alone). Then it puts areas by their chance of the highest fifth,
as estimated from neighbourhoods, beside the share of them that the official figures have there.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import pandas as pd

from councilbook.fuel_poverty.postcodes import bands, risk, trials

ROOT = Path(__file__).resolve().parents[1]
COUNCILS, YEARS = ("kent_medway", "county_durham"), (2022, 2023, 2024)
LAST = "list_known_below"  # the cell of the notebook after which everything is loaded
YEARS_READ = """official.prepare_years(
    Study.open("fuel_poverty", "2_areas", council, data, mirror=mirror, seed=seed, run_date=run_date)
    .load_series("sub_regional_fuel_poverty")
)"""
GROUPS = [0, 5, 20, 40, 60, 80, 95, 100.1]  # percent


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mirror")
    mirror = parser.parse_args().mirror
    loaded = {(council, year): load(council, year, mirror) for council in COUNCILS for year in YEARS}
    rows, chances = [], []
    for (council, year), own in loaded.items():
        other = loaded[next(one for one in COUNCILS if one != council), year]
        within = trials.score_within(*own, 1)
        factor = trials.score_within(*other, 1)["slope"]
        plain = trials.score_splits(*own, 1, within["widened_by"])
        with stretched(float(factor)):
            after, splits = trials.score_within(*own, 1), trials.score_splits(*own, 1, within["widened_by"])
        names = {"within": within["slope"], "within, after": after["slope"], "factor": factor}
        rows.append({"council": council, "year": year, **names, **tell(plain, "split"), **tell(splits, "split, after")})
        chances.append(compare_chances(own, within["widened_by"]).assign(council=council, year=year))
    print(pd.DataFrame(rows).to_string(index=False))
    print(pool(pd.concat(chances)).to_string())


def load(council: str, year: int, mirror: str) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Run the notebook's cells up to the covariates, and give output areas, areas and the lookup."""
    cells = json.loads((ROOT / "notebooks/fuel_poverty/3_postcodes.ipynb").read_text(encoding="utf-8"))["cells"]
    names: dict[str, Any] = {}
    for cell in cells:
        code = "".join(cell["source"])
        if cell["cell_type"] != "code":
            continue
        code = code.replace('study.published("lsoa_fuel_poverty")', YEARS_READ)  # nothing needs to be released first
        exec(code, names)
        if "parameters" in cell["metadata"].get("tags", []):
            names |= {"council": council, "data": "real", "mirror": mirror, "model_year": year}
        if LAST in code:
            break
    return names["output_areas"], names["areas"], names["study"].place.lookup


class stretched:  # noqa: N801 (a context manager)
    """Multiply the differences that the model expects of places by a factor, before they are made to add up."""

    def __init__(self, factor: float) -> None:
        self.factor, self.before = factor, risk.benchmark_rates

    def __enter__(self) -> None:
        def benchmark(log_odds: risk.Numbers, homes: risk.Numbers, members: Any, poor: risk.Numbers) -> risk.Numbers:
            return self.before(self.factor * log_odds, homes, members, poor)

        risk.benchmark_rates = benchmark

    def __exit__(self, *_: object) -> None:
        risk.benchmark_rates = self.before


def tell(score: dict[str, float], name: str) -> dict[str, str]:
    """Write a slope with its interval."""
    low, high = score["split_slope_low_95"], score["split_slope_high_95"]
    return {name: f"{score['split_slope']:.2f} ({low:.2f} to {high:.2f})"}


def compare_chances(own: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame], widened_by: float) -> pd.DataFrame:
    """Put each area's chance of the highest fifth, as its neighbourhood tells, beside whether it is there."""
    output_areas, areas, lookup = own
    known = trials._name_neighbourhoods(output_areas, areas, lookup)
    above = known.groupby("neighbourhood", as_index=False)[["households", "fuel_poor_households"]].sum()
    tried = trials._estimate_below(known, above, "neighbourhood", 1, widened_by, trials.list_known_below(output_areas))
    rates = (known["fuel_poor_households"] / known["households"]).to_numpy()[None, :]
    _, highest = bands.weigh_bands(rates, known["households"].to_numpy(dtype="float64"))
    chance = known["area_code"].map(tried["highest_band_chance_pct"])
    return pd.DataFrame({"chance": chance, "is_highest": highest > 0})


def pool(chances: pd.DataFrame) -> pd.DataFrame:
    """Group areas by their chance, over councils and years."""
    groups = chances.groupby(pd.cut(chances["chance"], GROUPS, right=False), observed=True)
    return groups.agg(areas=("chance", "size"), chance=("chance", "mean"), found=("is_highest", "mean")).round(2)


if __name__ == "__main__":
    main()
