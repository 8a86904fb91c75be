"""How long the synthetic population of a council takes, and how much memory.

    python benchmarks/population.py [--runs N]

Each run is a process of its own, with its tables made up at the density of Kent and Medway (about five output areas
and 47 postcodes an LSOA, and 707 households), so that it needs no official file. Peak memory includes these tables,
Python and pandas. Processor seconds are those of one core; they tell more than the others where a machine is busy.
Every run checks the households and the fuel-poor households of every LSOA, and all runs of a size must draw the same.
"""

import argparse
import hashlib
import json
import os
import resource
import statistics
import subprocess
import sys
import time

import numpy as np
import pandas as pd

from councilbook.fuel_poverty.twin.homes import COMPOSITION, DEPRIVED, TENURE
from councilbook.fuel_poverty.twin.population import Population, draw_population

CASES = {"a district": 85, "Kent and Medway": 1107, "three times that": 3321}  # LSOAs
OUTPUT_AREAS, POSTCODES, HOUSEHOLDS = 5, 47, 707  # of an LSOA
ACCOMMODATION = ("detached", "semi_detached", "terraced", "purpose_built_flat", "converted_flat", "other_accommodation")
HEATING = ("gas_heating", "electric_heating", "oil_heating", "no_heating")


def make_tables(lsoas: int, seed: int) -> dict[str, pd.DataFrame]:
    """Census, postcode and fuel poverty tables with no claim to be any place's."""
    random = np.random.default_rng(seed)
    lsoa = np.array([f"E01{number:06}" for number in range(lsoas)])
    oa = np.array([f"E00{number:06}" for number in range(lsoas * OUTPUT_AREAS)])
    of_postcode = np.repeat(lsoa, POSTCODES)

    def count(key: str, codes: np.ndarray, labels: tuple[str, ...], mean: float, total: str) -> pd.DataFrame:
        counts = random.poisson(mean / len(labels), (len(codes), len(labels))) + 1
        names = [label if label.endswith("_households") else f"{label}_households" for label in labels]
        return pd.DataFrame(counts, columns=names).assign(**{key: codes, total: counts.sum(axis=1)})

    households = random.poisson(HOUSEHOLDS, lsoas)
    by_oa = HOUSEHOLDS / OUTPUT_AREAS
    within = np.tile(np.arange(POSTCODES) % OUTPUT_AREAS, lsoas)
    return {
        "postcodes": pd.DataFrame(
            {
                "postcode": [f"ZZ{number // 1000} {number % 1000:03}" for number in range(len(of_postcode))],
                "oa21_code": oa[np.repeat(np.arange(lsoas) * OUTPUT_AREAS, POSTCODES) + within],
                "lsoa21_code": of_postcode,
            }
        ),
        "oa_deprivation": count("oa21_code", oa, DEPRIVED, by_oa, "households"),
        "oa_accommodation": count("oa21_code", oa, ACCOMMODATION, by_oa, "households"),
        "tenure": count("lsoa21_code", lsoa, TENURE, HOUSEHOLDS, "tenure_households"),
        "heating": count("lsoa21_code", lsoa, HEATING, HOUSEHOLDS, "heating_households"),
        "composition": count("lsoa21_code", lsoa, COMPOSITION, HOUSEHOLDS, "households"),
        "fuel_poor": pd.DataFrame(
            {
                "lsoa_code": lsoa,
                "households": households,
                "fuel_poor_households": random.binomial(households, random.uniform(0.03, 0.25, lsoas)),
            }
        ),
        "lookup": pd.DataFrame({"lsoa11_code": lsoa, "lsoa21_code": lsoa, "lad22_code": "E07000001"}),
    }


def check_counts(population: Population, fuel_poor: pd.DataFrame) -> None:
    found = population.households.groupby("lsoa21_code")["is_fuel_poor"].agg(["size", "sum"])
    wanted = fuel_poor.set_index("lsoa_code")[["households", "fuel_poor_households"]]
    assert (found.to_numpy() == wanted.to_numpy()).all(), "a count is not the one asked for"


def hash_frames(population: Population) -> str:
    digest = hashlib.sha256()
    for frame in (population.households, population.people, population.acorn, population.epc, population.interventions):
        digest.update(pd.util.hash_pandas_object(frame).to_numpy().tobytes())
    return digest.hexdigest()


def run_once(lsoas: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--lsoas", str(lsoas)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def run_here(lsoas: int) -> None:
    tables = make_tables(lsoas, seed=1)
    begin, begin_processor = time.perf_counter(), time.process_time()
    population = draw_population(**tables, seed=1)
    seconds, processor = time.perf_counter() - begin, time.process_time() - begin_processor
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    check_counts(population, tables["fuel_poor"])
    figures = {"seconds": seconds, "processor": processor, "peak": peak, "hash": hash_frames(population)}
    print(json.dumps({**figures, "households": len(population.households), "people": len(population.people)}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--lsoas", type=int, help="measure a council of so many, in this process")
    options = parser.parse_args()
    if options.lsoas:
        run_here(options.lsoas)
        return
    print(f"{os.cpu_count()} cores, medians of {options.runs} runs")
    print("| council | LSOAs | households | people | seconds | processor seconds | peak GiB |")
    print("|---|---|---|---|---|---|---|")
    for name, lsoas in CASES.items():
        runs = [run_once(lsoas) for _ in range(options.runs)]
        assert len({run["hash"] for run in runs}) == 1, "the same seed drew other frames"
        wall, processor, peak = (
            statistics.median(run[figure] for run in runs) for figure in ("seconds", "processor", "peak")
        )
        size = f"{runs[0]['households']:,} | {runs[0]['people']:,}"
        print(f"| {name} | {lsoas:,} | {size} | {wall:.2f} | {processor:.2f} | {peak:.2f} |", flush=True)


if __name__ == "__main__":
    main()
