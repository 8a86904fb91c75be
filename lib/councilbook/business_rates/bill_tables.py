"""Tables of bills: what all of them come to, what looks wrong, and how well that is found on a twin."""

import numpy as np
import pandas as pd

from councilbook.business_rates.anomalies import (
    Detector,
    learn_yield,
    list_orders,
    measure_features,
    measure_recovery,
    score_bills,
)
from councilbook.business_rates.bills import LINES, Nation, Rules
from councilbook.business_rates.bills_twin import draw_bills, plant_errors
from councilbook.business_rates.errors_in_bills import find_errors
from councilbook.errors import CheckError

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

    What a kind of finding, and a score, is worth is learnt on one twin, of twice the bills, and scored on another.

    Args:
        rules: from `bills.load_rules`.
        year: of the bills, as 2024-25.
        seed: what both twins are drawn from.
        checks: how many bills are checked.

    Returns:
        order, recovered_gbp, recovered_low_gbp, recovered_high_gbp (95% bootstrap), errors (found among the checks).
    """
    recovered = _check_twin(rules, year, seed, 1, "ecod", checks)
    columns = ["order", "recovered_gbp", "recovered_low_gbp", "recovered_high_gbp", "errors"]
    return recovered[columns].round()


def compare_on_twins(
    rules: Rules, year: str, seed: int, twins: int, detector: Detector = "ecod", checks: int = 100
) -> pd.DataFrame:
    """Score rules, the model and both on many twins, so that an interval covers what another ledger would give.

    Args:
        rules, year, seed, checks: as `try_on_twin`.
        twins: how many are scored, two or more, each with a twin of its own to learn on.
        detector: one of `anomalies.DETECTORS`.

    Returns:
        A row an order: order, recovered_gbp (mean), more_gbp (mean of what it recovers more than rules on the same
        twin), each with _low and _high (95 % bootstrap over twins), errors and share_of_all (means).

    Raises:
        CheckError: there are fewer than two twins.
    """
    if twins < 2:
        raise CheckError(f"{twins} twins give no interval; expected two or more.")
    parts = [_check_twin(rules, year, seed, number, detector, checks) for number in range(1, twins + 1)]
    orders = list(parts[0]["order"])
    pounds = np.array([part["recovered_gbp"] for part in parts])
    picks = np.random.default_rng([seed, twins]).integers(0, twins, (2_000, twins))
    table = pd.DataFrame({"order": orders})
    for name, values in (("recovered", pounds), ("more", pounds - pounds[:, [orders.index("rules")]])):
        low, high = np.quantile(values[picks].mean(axis=1), [0.025, 0.975], axis=0)
        table[f"{name}_gbp"], table[f"{name}_low_gbp"], table[f"{name}_high_gbp"] = values.mean(axis=0), low, high
    for name in ("errors", "share_of_all"):
        table[name] = np.mean([part[name] for part in parts], axis=0)
    return table


def _check_twin(rules: Rules, year: str, seed: int, number: int, detector: Detector, checks: int) -> pd.DataFrame:
    """Learn on one twin, and measure the checks of another."""
    learnt_on = _draw_twin(rules, year, [seed, number, 1], 2 * TWIN_BILLS, detector)
    findings, features, scores, truth = _draw_twin(rules, year, [seed, number, 2], TWIN_BILLS, detector)
    orders = list_orders(findings, features, scores, learn_yield(*learnt_on))
    return measure_recovery(orders, truth, np.random.default_rng([seed, number, 3]), checks)


def _draw_twin(
    rules: Rules, year: str, seed: list[int], bills: int, detector: Detector
) -> tuple[pd.DataFrame, pd.DataFrame, "pd.Series[float]", pd.DataFrame]:
    """Draw bills with errors, and find what `learn_yield` asks for: findings, features, scores, truth."""
    random = np.random.default_rng(seed)
    ledger, truth = plant_errors(draw_bills(random, bills, rules, year), random, rules)
    features = measure_features(ledger, rules)
    return find_errors(ledger, rules), features, score_bills(features, detector, seed[0]), truth
