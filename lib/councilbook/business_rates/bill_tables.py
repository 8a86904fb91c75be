"""Tables of bills: what all of them come to, what looks wrong, and how well that is found on a twin."""

import numpy as np
import pandas as pd

from councilbook.business_rates.anomalies import (
    learn_yield,
    list_orders,
    measure_features,
    measure_recovery,
    score_bills,
)
from councilbook.business_rates.bills import LINES, Nation, Rules
from councilbook.business_rates.bills_twin import draw_bills, plant_errors
from councilbook.business_rates.errors_in_bills import find_errors

YEARS: dict[Nation, str] = {"scotland": "2023-24", "england": "2019-20"}  # of the twin, and of the published rolls
TWIN_BILLS = 7_000


def find_nation(gss_code: str) -> Nation:
    """Tell whose rules a council is under, by the first letter of its GSS code."""
    return "scotland" if gss_code.startswith("S") else "england"


def sum_lines(lines: pd.DataFrame) -> pd.DataFrame:
    """Sum each line of all bills, laid out for the gate's rule `magnitudes`.

    Args:
        lines: from `bills.compute_bills`.

    Returns:
        line, title, value_gbp, bills (that have it), largest_gbp and second_gbp, which the gate reads; lines that no
        bill has are left out.
    """
    rows = []
    for line, title in LINES.items():
        pounds = lines[f"{line}_gbp"].astype("float64").abs()
        held = pounds[pounds > 0].nlargest(len(pounds))
        if len(held) > 1:
            rows.append((line, title, round(held.sum(), 2), len(held), held.iloc[0], held.iloc[1]))
    return pd.DataFrame(rows, columns=["line", "title", "value_gbp", "bills", "largest_gbp", "second_gbp"])


def count_findings(findings: pd.DataFrame) -> pd.DataFrame:
    """Count what looks wrong by kind: kind, direction, reason, bills."""
    counts = findings.groupby(["kind", "direction"], as_index=False).agg(
        reason=("reason", "first"), bills=("kind", "size")
    )
    return counts.sort_values(["bills", "kind"], ascending=[False, True], ignore_index=True)


def list_checks(findings: pd.DataFrame, prepared: pd.DataFrame) -> pd.DataFrame:
    """List the bills to check: property_reference, kind, direction, stake_gbp, right_gbp, reason; largest stakes first.

    Args:
        findings: from `errors_in_bills.find_errors`.
        prepared: the bills, from `bill_inputs.prepare_bills`.
    """
    listed = findings.join(prepared["property_reference"]).astype({"stake_gbp": "float64", "right_gbp": "float64"})
    columns = ["property_reference", "kind", "direction", "stake_gbp", "right_gbp", "reason"]
    return listed[columns].reset_index(drop=True)


def try_on_twin(rules: Rules, year: str, seed: int, checks: int = 100) -> pd.DataFrame:
    """Score rules, the model and both on invented bills with planted errors: a score on a twin.

    What a kind of finding is worth is learnt on one twin and scored on another.

    Args:
        rules: from `bills.load_rules`.
        year: of the bills, as 2024-25.
        seed: what both twins are drawn from.
        checks: how many bills are checked.

    Returns:
        order, recovered_gbp, recovered_low_gbp, recovered_high_gbp (95% bootstrap), errors (found among the checks).
    """
    parts = []
    for number in (1, 2):
        random = np.random.default_rng([seed, number])
        ledger, truth = plant_errors(draw_bills(random, TWIN_BILLS, rules, year), random, rules)
        features = measure_features(ledger, rules)
        parts.append((find_errors(ledger, rules), features, score_bills(features, seed=seed), truth))
    learnt = learn_yield(parts[0][0], parts[0][2], parts[0][3])
    findings, features, scores, truth = parts[1]
    orders = list_orders(findings, features, scores, learnt)
    recovered = measure_recovery(orders, truth, np.random.default_rng([seed, 3]), checks)
    columns = ["order", "recovered_gbp", "recovered_low_gbp", "recovered_high_gbp", "errors"]
    return recovered[columns].round()
