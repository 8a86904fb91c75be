"""How long a million bills take, beside a plain calculator that goes row by row in Decimal.

    python benchmarks/bills.py [--bills N] [--rows N] [--runs N] [--twins N]

The calculator knows the same rules from figures of its own, typed here again, for a shop, office, charity or small
business in Scotland from 2019-20 to 2024-25 (universal and retail relief, part years, taper). It works on a part of the
bills, at its pace the rest would take as long; where both worked, all pence must agree. Both in one process, in turn;
the ratio is of processor seconds a bill.

With --twins, what 100 checks put right on so many invented ledgers with planted errors: by rules, by each detector, by
both and at random, with intervals over ledgers.
"""

import argparse
import resource
import statistics
import time
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pandas as pd
from pyod.models.ecod import ECOD
from pyod.models.hbos import HBOS
from pyod.models.iforest import IForest

from councilbook.business_rates.bills.bill_tables import compare_on_twins
from councilbook.business_rates.bills.charges import compute_bills
from councilbook.business_rates.bills.rules import load_rules

MILLION = 1_000_000
DETECTORS = {
    "isolation forest": IForest(n_estimators=200, random_state=5),
    "ECOD": ECOD(),
    "HBOS": HBOS(n_bins="auto"),
}
PENNY = Decimal("0.01")
RATES = {  # pence: to 51,000, to the second limit, above it
    "2019-20": ("49.0", "51.6", "51.6", 95_000, 366),
    "2020-21": ("49.8", "51.1", "52.4", 95_000, 365),
    "2021-22": ("49.0", "50.3", "51.6", 95_000, 365),
    "2022-23": ("49.8", "51.1", "52.4", 95_000, 365),
    "2023-24": ("49.8", "51.1", "52.4", 100_000, 366),
    "2024-25": ("49.8", "54.5", "55.9", 100_000, 365),
}


def make_bills(count: int, seed: int) -> pd.DataFrame:
    """Bills with a plausible spread of values, and no claim to be any place's."""
    random = np.random.default_rng(seed)
    value = np.exp(random.normal(9.2, 1.1, count)).round() + 1
    several = random.random(count) < 0.2
    return pd.DataFrame(
        {
            "year": random.choice(list(RATES), count),
            "rateable_value_gbp": value,
            "days_liable": np.where(random.random(count) < 0.1, random.integers(1, 366, count), np.nan),
            "ratepayer_properties": np.where(several, 3, 1),
            "ratepayer_total_rv_gbp": value + np.where(several, random.integers(1_000, 30_000, count), 0),
            "claims_small_business": random.random(count) < 0.6,
            "is_charity": random.random(count) < 0.06,
            "is_retail": random.random(count) < 0.3,
        }
    )


def to_pence(pounds: Decimal) -> Decimal:
    return pounds.quantize(PENNY, rounding=ROUND_HALF_UP)


def bill_plainly(year, value, days, properties, total, claims, charity, retail) -> Decimal:
    low, middle, high, limit, length = RATES[year]
    rv = Decimal(int(value))
    liable = length if days != days else int(days)
    pence = Decimal(low if rv <= 51_000 else middle if rv <= limit else high)
    gross = left = to_pence(rv * pence / 100 * liable / length)
    if charity:
        left -= to_pence(left * 80 / 100)
    elif claims:
        left -= to_pence(left * find_share(year, rv, properties, total))
    if retail and year in ("2020-21", "2021-22"):
        left = Decimal(0)
    if retail and year == "2022-23":
        before = 365 - liable  # the days end with the year
        inside = max(0, 91 - before)
        left -= min(left, Decimal(27_500), to_pence(left * inside / Decimal(max(liable, 1)) / 2))
    if year == "2020-21":
        left -= min(left, to_pence(gross * Decimal("0.016")))
    return left


def find_share(year, rv, properties, total) -> Decimal:
    if year < "2023-24":
        if total <= 15_000:
            return Decimal(1)
        return Decimal("0.25") if total <= 35_000 and rv <= 18_000 else Decimal(0)
    if (properties == 1 and rv <= 12_000) or (properties > 1 and total <= 12_000):
        return Decimal(1)
    if properties == 1 and rv <= 15_000:
        return (100 - 75 * (rv - 12_000) / 3_000) / 100
    if properties > 1 and total > 35_000:
        return Decimal(0)
    if rv <= 15_000:
        return Decimal("0.25")
    return (25 * (20_000 - rv) / 5_000) / 100 if rv <= 20_000 else Decimal(0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bills", type=int, default=MILLION)
    parser.add_argument("--rows", type=int, default=100_000, help="bills that the plain calculator works out")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--twins", type=int, default=0, help="ledgers with planted errors; 0 for none")
    options = parser.parse_args()
    bills, rules = make_bills(options.bills, 1), load_rules("scotland")
    part = bills.head(options.rows)
    ours, plain, peak = [], [], 0
    for _ in range(options.runs):
        start = time.process_time()
        net = compute_bills(bills, rules)["net_gbp"]
        ours.append((time.process_time() - start) / len(bills))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.process_time()
        pounds = [bill_plainly(*row) for row in part.itertuples(index=False, name=None)]
        plain.append((time.process_time() - start) / len(part))
        same = np.rint(net.head(len(part)).to_numpy() * 100) == np.array([int(amount * 100) for amount in pounds])
        if not same.all():
            raise SystemExit(
                f"{(~same).sum()} of {len(part):,} bills differ, the first in row {np.flatnonzero(~same)[0]}."
            )
    print(f"{len(part):,} bills agree to the penny, {(net == 0).mean():.0%} of all {len(bills):,} are nil")
    print(
        f"ours   {statistics.median(ours) * MILLION:6.2f} processor seconds a million bills, peak {peak / 1024:,.0f} MB"
    )
    print(f"plain  {statistics.median(plain) * MILLION:6.2f} processor seconds a million bills")
    print(f"plain / ours  {statistics.median(plain) / statistics.median(ours):.1f}")
    for nation, year in (("scotland", "2024-25"), ("england", "2023-24")) if options.twins else ():
        for name, detector in DETECTORS.items():
            table = compare_on_twins(load_rules(nation), year, 5, options.twins, detector)
            print(f"\n{nation} {year}, {name}, 100 checks on each of {options.twins} ledgers")
            print(table.round(2).to_string(index=False))


if __name__ == "__main__":
    main()
