"""Tables of bills: what all of them come to, what looks wrong, and how well that is found on a twin."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from councilbook.business_rates.bills.anomalies import (
    WORDS,
    Yield,
    expect_pounds,
    learn_yield,
    list_orders,
    measure_features,
    measure_recovery,
    rank_checks,
    say_why,
    score_bills,
)
from councilbook.business_rates.bills.bill_inputs import RollYear, sort_accounts
from councilbook.business_rates.bills.charges import compute_bills, find_small_business_share
from councilbook.business_rates.bills.errors_in_bills import find_errors
from councilbook.business_rates.bills.rules import LINES, Rules, find_start
from councilbook.business_rates.twin.bills_twin import draw_bills, plant_errors
from councilbook.catalogue import MagnitudeRule
from councilbook.errors import CheckError
from councilbook.gate.disclosure.tables.magnitudes import find_unsafe_moves

TWIN_BILLS = 7_000
LEAST_BILLS = 100  # with a charge, for a model of what is usual among them
MOST_UNUSUAL = 100  # bills that the model alone puts on the list
SUMMED = [
    *("line", "title", "as_of", "year", "value_gbp", "bills"),
    *("rest_gbp", "rest_bills", "largest_gbp", "second_gbp"),
]
OF_ENTRIES = ("missed_relief", "credit_not_paid", "duplicate")  # found whatever was charged
SHOPS = (  # descriptions of what may be retail, hospitality or leisure; its use decides, which a roll does not tell
    r"\bshop|\bstores?\b|supermarket|showroom|salon|kiosk|market|pharmacy|petrol|public house|\bpub\b|wine bar|club"
    r"|restaurant|caf[eé]|hotel|guest ?house|holiday|camping|theatre|cinema|museum|gymnas|leisure|sport"
)
NOT_KNOWN = {  # what a bill may rest on that a roll does not tell, and what is billed
    "liable_since": "Since when somebody is liable is not told: the bill is of the whole year",
    "transition": "Which bills are in transition is not told: all have the supplement of 1p, which those do not pay",
    "shops": "Whether it is retail, hospitality or leisure is not told, and the description sounds like it",
    "small_business": "Nobody's small business relief is told: none is taken off",
    "empty_since": "Since when it is empty is not told: the free first months are not taken off",
    "other_relief": "A relief is named of which neither a rule here nor the roll gives the pounds",
    "exemption": "Since when it is exempt is not told: it is exempt for all of the bill",
    "cap": "The most that a business gets of a relief is applied to each bill, and this ratepayer has several",
}
NOT_KNOWN_OF = "not_known_"  # before what is not known, among the lines of bills
UNKNOWNS = {f"{NOT_KNOWN_OF}{what}": title for what, title in NOT_KNOWN.items()}
ACCOUNTS = {  # of `sort_accounts`
    "billed": "have a bill",
    "no value": "have none, as their value is missing, 0 or not in whole pounds",
    "later": "have none, as somebody is liable only after the year",
}


def lay_out_lines(
    lines: pd.DataFrame, references: "pd.Series[str]", register: pd.DataFrame, as_of: str, year: str
) -> pd.DataFrame:
    """Lay out the lines of all bills for `sum_held`, and for the next run to hold its sums against.

    Args:
        lines: from `charges.compute_bills`, joined with what is not known of them, from `measure_unknowns`.
        references: property_reference of each.
        register: the published open register. Whoever has it knows the bills of the organisations that it names.
        as_of: ISO date.
        year: financial year of the bills.

    Returns:
        number, version_date, year, line, is_withheld (whether the register withholds who pays) and value_gbp, a row a
        line of a bill that is not nil.
    """
    named = register.loc[register["released_name"].notna(), "property_reference"]
    withheld = ~references.isin(set(named)).to_numpy(dtype=bool)
    parts = [
        pd.DataFrame({"line": line, "is_withheld": withheld, "value_gbp": lines[f"{line}_gbp"].astype("float64").abs()})
        for line in (*LINES, *UNKNOWNS)
        if f"{line}_gbp" in lines
    ]
    laid = pd.concat(parts)
    laid = laid[laid["value_gbp"] > 0].sort_values(["line", "is_withheld", "value_gbp"], ignore_index=True)
    return laid.assign(number=range(1, len(laid) + 1), version_date=pd.Timestamp(as_of), year=year)


def hold_lines(kept: pd.DataFrame | None, rows: pd.DataFrame, rule: MagnitudeRule) -> pd.DataFrame:
    """Return the lines that are to be summed: those of last time until enough have changed since.

    Two sums a month apart give the relief of the one person who got or lost it. What is not known is held by itself.

    Args:
        kept: what the last sums were made of, or None.
        rows: those of now, from `lay_out_lines`.
        rule: by which the gate decides whether a change gives somebody away.
    """
    if kept is None or kept.empty:
        return rows
    parts = []
    for titles in (LINES, UNKNOWNS):
        before, now = (table[table["line"].isin(list(titles))] for table in (kept, rows))
        parts.append(before if find_unsafe_moves(sum_held(now, before, titles), rule).any() else now)
    held = pd.concat(parts, ignore_index=True)
    return held.assign(number=range(1, len(held) + 1))


def sum_held(rows: pd.DataFrame, kept: pd.DataFrame | None, titles: Mapping[str, str] = LINES) -> pd.DataFrame:
    """Sum lines, laid out for the gate's rule `magnitudes` with what no register shows, and with what changed.

    A change is a sum that was not there before, or is not there any more, whoever it was of: so it needs no reference.

    Args:
        rows: from `hold_lines`.
        kept: what the last sums were made of, or None; lines of which it has none count as summed for the first time.
        titles: of the lines to sum, in words.

    Returns:
        line, title, as_of, year, value_gbp, bills; rest_gbp, rest_bills, largest_gbp, second_gbp (of those withheld);
        moved, largest_move_gbp, second_move_gbp and moves_gbp (of these, since last time). Lines that one bill or none
        has are left out.
    """
    if kept is not None and not kept["line"].isin(list(titles)).any():
        kept = None
    table = []
    for line, title in titles.items():
        own = rows[rows["line"] == line]
        if len(own) < 2:
            continue
        rest = own.loc[own["is_withheld"], "value_gbp"]
        told = rest if kept is None else kept.loc[(kept["line"] == line) & kept["is_withheld"], "value_gbp"]
        moves = _list_moves(told, rest)
        table.append(
            {
                "line": line,
                "title": title,
                "as_of": own["version_date"].iloc[0],
                "year": own["year"].iloc[0],
                "value_gbp": round(own["value_gbp"].sum(), 2),
                "bills": len(own),
                "rest_gbp": round(rest.sum(), 2),
                "rest_bills": len(rest),
                **_name_largest(rest, "gbp"),
                "moved": max(int((moves > 0).sum()), int((moves < 0).sum())),
                **_name_largest(moves.abs(), "move_gbp"),
                "moves_gbp": round(moves.abs().sum(), 2),
            }
        )
    return pd.DataFrame(table, columns=[*SUMMED, "moved", "largest_move_gbp", "second_move_gbp", "moves_gbp"])


def _list_moves(before: "pd.Series[float]", after: "pd.Series[float]") -> "pd.Series[float]":
    """List the sums that are new, and, negative, those that are gone."""
    counts = after.value_counts().sub(before.value_counts(), fill_value=0).astype("int64")
    pounds = counts.index.to_series() * np.sign(counts)
    return pounds.repeat(counts.abs().tolist())


def _name_largest(pounds: "pd.Series[float]", name: str) -> dict[str, float]:
    first, second = np.append(pounds.nlargest(2).to_numpy(dtype="float64"), [0.0, 0.0])[:2]
    return {f"largest_{name}": float(first), f"second_{name}": float(second)}


def count_accounts(roll: pd.DataFrame, found: RollYear) -> pd.DataFrame:
    """Count which properties of a roll have a bill of the year, and which the year leaves out.

    Returns:
        year, because (how the year is known), what (of `ACCOUNTS`), title, properties.
    """
    counts = sort_accounts(roll, found.year).value_counts()
    rows = [(found.year, found.because, what, title, int(counts.get(what, 0))) for what, title in ACCOUNTS.items()]
    return pd.DataFrame(rows, columns=["year", "because", "what", "title", "properties"])


def sum_unknowns(rows: pd.DataFrame, kept: pd.DataFrame | None) -> pd.DataFrame:
    """Sum what the bills may be wrong by at most, for each thing of `NOT_KNOWN` that a roll does not tell.

    Args:
        rows, kept: as for `sum_held`.

    Returns:
        As `sum_held` does, with what for the line, and value_gbp rounded up to two digits. The sums overlap: one bill
        may miss several things.
    """
    summed = sum_held(rows, kept, UNKNOWNS)
    pounds = summed["value_gbp"].astype("float64")
    step = 10.0 ** np.maximum(0, np.floor(np.log10(pounds)) - 1)
    what = summed.pop("line").astype("str").str.removeprefix(NOT_KNOWN_OF)
    return summed.assign(what=what, value_gbp=np.ceil(pounds / step) * step)


def measure_unknowns(bills: pd.DataFrame, lines: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """Measure by how much each bill may be wrong at most, for each thing of `NOT_KNOWN`.

    Args:
        bills: of one year, from `bill_inputs.prepare_bills`.
        lines: of these, from `charges.compute_bills`.

    Returns:
        A column `not_known_<what>_gbp` for each thing that is not told, on the index of the lines; 0 where it is told.
    """
    found = _measure_unknowns(bills, lines, rules)
    columns = {f"{NOT_KNOWN_OF}{what}_gbp": pounds.reindex(lines.index) for what, pounds in found.items()}
    return pd.DataFrame(columns, index=lines.index).astype("float64").fillna(0).clip(lower=0).round(2)


def _measure_unknowns(bills: pd.DataFrame, lines: pd.DataFrame, rules: Rules) -> dict[str, "pd.Series[float]"]:
    if bills.empty:
        return {}
    name = str(bills["year"].iloc[0])
    year, net = rules.years[name], lines["net_gbp"]
    several, occupied = bills["ratepayer_properties"] > 1, bills["is_occupied"]
    sounds = bills["description"].str.contains(SHOPS, case=False, regex=True).fillna(False).astype(bool)
    open_shops = occupied & ~bills["is_retail"] & sounds & (not year.retail_descriptions)
    undated = ~occupied & bills["empty_since_date"].isna()
    found = {
        "liable_since": net[~bills["has_liable_date"]],
        "transition": (lines["levy_gbp"] * net / lines["gross_gbp"].clip(lower=0.01)),
        "shops": _compare(bills[open_shops], net, rules, is_retail=True),
        "empty_since": _compare(bills[undated], net, rules, empty_since_date=pd.Timestamp(find_start(name))),
        "other_relief": net[bills["has_other_relief"]],
        "exemption": lines.loc[bills["exemption"].notna(), "other_relief_gbp"],
    }
    if "claims_small_business" not in bills:
        entitled = bills[find_small_business_share(bills, rules) > 0]
        found["small_business"] = _compare(entitled, net, rules, claims_small_business=True)
    if any(scheme.cap_gbp for scheme in year.retail):
        found["cap"] = lines.loc[several, "retail_relief_gbp"]
    return found


def _compare(bills: pd.DataFrame, net: "pd.Series[float]", rules: Rules, **other: Any) -> "pd.Series[float]":
    """Say by how much bills would be less, were something else so."""
    return net.loc[bills.index] - compute_bills(bills.assign(**other), rules)["net_gbp"]


def count_findings(findings: pd.DataFrame) -> pd.DataFrame:
    """Count what looks wrong by kind: kind, direction, reason, bills."""
    grouped = findings.groupby(["kind", "direction"], as_index=False)
    counts = grouped.agg(reason=("reason", "first"), bills=("kind", "size"))
    return counts.sort_values(["bills", "kind"], ascending=[False, True], ignore_index=True)


def sum_stakes(findings: pd.DataFrame, prepared: pd.DataFrame) -> pd.DataFrame:
    """Sum what is at stake by direction, laid out for the gate's rule `magnitudes`; a bill counts once, by its largest.

    Args:
        findings: from `errors_in_bills.find_errors`.
        prepared: the bills, from `bill_inputs.prepare_bills`.

    Returns:
        what ("charge" where the billed sum is not the one recomputed, "entries" where only the entries do not fit),
        direction, value_gbp, bills, largest_gbp and second_gbp; groups of one bill are left out.
    """
    first = findings.sort_values("stake_gbp", ascending=False, kind="stable")
    first = first[~first.index.duplicated()]
    what = np.where(first["kind"].isin(OF_ENTRIES) | ~_has_charge(prepared).loc[first.index], "entries", "charge")
    rows = []
    for (name, direction), stakes in first.groupby([what, first["direction"]])["stake_gbp"]:
        held = stakes.astype("float64").nlargest(2)
        if len(held) > 1:
            rows.append((name, direction, round(stakes.sum(), 2), len(stakes), held.iloc[0], held.iloc[1]))
    return pd.DataFrame(rows, columns=["what", "direction", "value_gbp", "bills", "largest_gbp", "second_gbp"])


def _has_charge(prepared: pd.DataFrame) -> "pd.Series[bool]":
    return prepared.get("billed_gbp", pd.Series(np.nan, prepared.index)).notna()


@dataclass(frozen=True)
class Checks:
    """A council's own bills in the order of checking.

    Attributes:
        findings: of the rules. ranked: of `anomalies.rank_checks`.
        features, scores: of the model, for the bills of which the charge is known; empty if these are too few.
        learnt: what checks yielded elsewhere.
    """

    findings: pd.DataFrame
    ranked: pd.DataFrame
    features: pd.DataFrame
    scores: "pd.Series[float]"
    learnt: Yield


def rank_bills(prepared: pd.DataFrame, findings: pd.DataFrame, rules: Rules, seed: int) -> Checks:
    """Rank a council's own bills: what rules find, and what they do not explain, by a model on the residuals.

    What a finding and a score are worth is learnt on a twin, as no past checks of the council are at hand.

    Args:
        prepared: the bills of one year, from `bill_inputs.prepare_bills`.
        findings: of these, from `errors_in_bills.find_errors`.
        seed: of the twin.
    """
    learnt = learn_yield(*_draw_twin(rules, prepared["year"].iloc[0], [seed, 1, 1], 2 * TWIN_BILLS))
    charged = prepared[_has_charge(prepared)]
    features, scores = pd.DataFrame(columns=[*WORDS, "at_stake_gbp"], dtype="float64"), pd.Series(dtype="float64")
    if len(charged) >= LEAST_BILLS:
        features = measure_features(charged, rules)
        scores = score_bills(features)
    return Checks(findings, rank_checks(findings, features, scores, learnt), features, scores, learnt)


def list_checks(checks: Checks, prepared: pd.DataFrame) -> pd.DataFrame:
    """List the bills to check, those first of which a check is expected to put most pounds right.

    Args:
        checks: from `rank_bills`.
        prepared: the bills, from `bill_inputs.prepare_bills`.

    Returns:
        All findings of rules, and at most MOST_UNUSUAL bills of the model's: property_reference, found_by ("rule" or
        "model"), kind, direction (missing for the model's), expected_gbp, stake_gbp, right_gbp (missing for the
        model's: no rule says what is right), reason.
    """
    named = checks.findings.assign(found_by="rule", expected_gbp=expect_pounds(checks.findings, checks.learnt))
    unusual = checks.ranked[(checks.ranked["by"] == "model") & (checks.ranked["expected_gbp"] > 0)].head(MOST_UNUSUAL)
    unusual = unusual.assign(found_by="model", direction=None, right_gbp=np.nan)
    unusual["reason"] = say_why(checks.features, unusual.index) if len(unusual) else ""
    pounds = ["expected_gbp", "stake_gbp", "right_gbp"]
    listed = pd.concat(
        [frame.astype(dict.fromkeys(pounds, "float64")) for frame in (named, unusual) if len(frame)] or [named]
    )
    listed = listed.join(prepared["property_reference"]).sort_values("expected_gbp", ascending=False, kind="stable")
    columns = ["property_reference", "found_by", "kind", "direction", *pounds, "reason"]
    return listed[columns].astype(dict.fromkeys(pounds, "float64")).round(2).reset_index(drop=True)


def measure_checks(checks: Checks, prepared: pd.DataFrame, errors: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Measure what a hundred checks of a ledger put right by each order and at random, where its errors are known.

    Args:
        checks: from `rank_bills`. prepared: the bills.
        errors: error and error_gbp by property_reference, as `twin.list_bill_errors` gives them.
        seed: of the bootstrap.

    Returns:
        As `anomalies.measure_recovery`: a score on a twin.
    """
    truth = errors.reindex(prepared["property_reference"]).set_axis(prepared.index)
    truth["error_gbp"] = truth["error_gbp"].fillna(0.0)
    orders = list_orders(checks.findings, checks.features, checks.scores, checks.learnt)
    return measure_recovery(orders, truth, np.random.default_rng([seed, 4]))


def compare_on_twins(rules: Rules, year: str, seed: int, twins: int, detector: Any = None) -> pd.DataFrame:
    """Score rules, the model and both on many twins, so that an interval covers what another ledger would give.

    What a kind of finding, and a score, is worth is learnt on one twin, of twice the bills, and scored on another.

    Args:
        rules: from `bills.load_rules`.
        year: of the bills, as 2024-25.
        seed: what the twins are drawn from.
        twins: how many are scored, two or more, each with a twin of its own to learn on.
        detector: of PyOD; see `anomalies.score_bills`.

    Returns:
        A row an order: order, recovered_gbp (mean), more_gbp (mean of what it recovers more than rules on the same
        twin), each with _low and _high (95 % bootstrap over twins), errors and share_of_all (means).

    Raises:
        CheckError: there are fewer than two twins.
    """
    if twins < 2:
        raise CheckError(f"{twins} twins give no interval; expected two or more.")
    parts = [_check_twin(rules, year, seed, number, detector) for number in range(1, twins + 1)]
    orders = list(parts[0]["order"])
    pounds = np.array([part["recovered_gbp"] for part in parts])
    picks = np.random.default_rng([seed, twins]).integers(twins, size=(2_000, twins))
    table = pd.DataFrame({"order": orders})
    for name, values in (("recovered", pounds), ("more", pounds - pounds[:, [orders.index("rules")]])):
        low, high = np.quantile(values[picks].mean(axis=1), [0.025, 0.975], axis=0)
        table[f"{name}_gbp"], table[f"{name}_low_gbp"], table[f"{name}_high_gbp"] = values.mean(axis=0), low, high
    for name in ("errors", "share_of_all"):
        table[name] = np.mean([part[name] for part in parts], axis=0)
    return table


def _check_twin(rules: Rules, year: str, seed: int, number: int, detector: Any) -> pd.DataFrame:
    """Learn on one twin, and measure a hundred checks of another."""
    learnt_on = _draw_twin(rules, year, [seed, number, 1], 2 * TWIN_BILLS, detector)
    findings, features, scores, truth = _draw_twin(rules, year, [seed, number, 2], TWIN_BILLS, detector)
    orders = list_orders(findings, features, scores, learn_yield(*learnt_on))
    return measure_recovery(orders, truth, np.random.default_rng([seed, number, 3]), draws=1)


def _draw_twin(
    rules: Rules, year: str, seed: list[int], bills: int, detector: Any = None
) -> tuple[pd.DataFrame, pd.DataFrame, "pd.Series[float]", pd.DataFrame]:
    """Draw bills with errors, and find what `learn_yield` asks for: findings, features, scores, truth."""
    random = np.random.default_rng(seed)
    ledger, truth = plant_errors(draw_bills(random, bills, rules, year), random, rules)
    features = measure_features(ledger, rules)
    return find_errors(ledger, rules), features, score_bills(features, detector), truth
