"""Businesses that a register knows and the roll does not, and how many there may be that neither knows.

What is found is where to look, not who owes: a register may keep a business that has gone, name one at a home that pays
no rates, or have another name for one that does pay.
"""

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import norm

from councilbook.business_rates.linkage import link_roll
from councilbook.business_rates.linkage_trials import choose_best
from councilbook.business_rates.registers import prepare_food
from councilbook.business_rates.town import draw_town
from councilbook.business_rates.twin import draw_food_register
from councilbook.catalogue import TwinRequest

NOT_RATED = ("Mobile caterer", "Farmers/growers", "Importers/Exporters", "Distributors/Transporters")
FOOD_KINDS = ("Restaurant/Cafe/Canteen", "Takeaway/sandwich shop", "Pub/bar/nightclub")
FOOD_USE = r"RESTAURANT|CAFE|TAKEAWAY|TAKE AWAY|PUBLIC HOUSE|\bBAR\b|\bINN\b"
LINKED = 0.5  # probability of a link from which a business counts as on the roll
# Log odds that a business without a link is one that no bill goes to. Assumptions, from what each would mean.
LOG_ODDS = {
    "unlinked": 1.0,
    "address is on the roll under another name": -2.5,
    "postcode is on the roll": 0.4,
    "postcode is not on the roll": -0.3,
    "no postcode": -1.5,
    "kind that seldom pays rates": -3.0,
}
ALL_KINDS = "All kinds"
SHRINK_TO = 5  # properties, of all kinds, that a kind's median is weighed with


def find_missing(register: pd.DataFrame, links: pd.DataFrame, roll: pd.DataFrame) -> pd.DataFrame:
    """List the live records of a register that no property of the roll is linked to, the likeliest first.

    Args:
        register: unique_id, name, address, postcode, status, kind.
        links: property_reference, unique_id and match_probability of this register, the best for each property.
        roll: the roll.

    Returns:
        unique_id, kind, postcode, probability, likely_rateable_value_gbp, expected_gbp (of rateable value), reasons (in
        words, joined by `; `); by probability, then expected value. Closed: a record may be a person's.
    """
    found = set(links.loc[links["match_probability"] >= LINKED, "unique_id"].astype("str"))
    rows = register[(register["status"] == "live") & ~register["unique_id"].astype("str").isin(found)]
    doors = set(_name_doors(roll).dropna())
    named = _name_doors(rows).isin(doors)
    known = rows["postcode"].isin(set(roll["postcode"].dropna()))
    reasons = {
        "unlinked": pd.Series(True, index=rows.index),
        "address is on the roll under another name": named,
        "postcode is on the roll": known & ~named,
        "postcode is not on the roll": ~known & rows["postcode"].notna(),
        "no postcode": rows["postcode"].isna(),
        "kind that seldom pays rates": rows["kind"].isin(NOT_RATED),
    }
    held = pd.DataFrame(reasons)
    probability = expit(held.astype(float) @ pd.Series(LOG_ODDS))
    told = [[reason for reason, holds in zip(reasons, row, strict=True) if holds] for row in held.to_numpy()]
    value = rows["kind"].map(estimate_values(register, links, roll)).astype("float64")
    listed = pd.DataFrame(
        {
            "unique_id": rows["unique_id"],
            "kind": rows["kind"],
            "postcode": rows["postcode"],
            "probability": probability,
            "likely_rateable_value_gbp": value,
            "expected_gbp": probability * value,
            "reasons": ["; ".join(row[1:]) for row in told],  # the first holds of all
        }
    )
    order = ["probability", "expected_gbp", "unique_id"]
    return listed.sort_values(order, ascending=[False, False, True], ignore_index=True)


def _name_doors(rows: pd.DataFrame) -> pd.Series:
    """Name the door of each address: its postcode with its first number; missing where either is."""
    number = rows["address"].astype("str").str.extract(r"(\d+\w?)\b", expand=False)
    return rows["postcode"].astype("str").where(rows["postcode"].notna()).str.cat(number.str.upper(), sep=" ")


def estimate_values(register: pd.DataFrame, links: pd.DataFrame, roll: pd.DataFrame) -> "pd.Series[float]":
    """Estimate the rateable value of a business of each kind: the median of those linked, drawn to that of all.

    The fewer of a kind are linked, the closer it is to the median of all: each is weighed by its number, against
    SHRINK_TO.

    Returns:
        Pounds, by kind.
    """
    value = roll.set_index("property_reference")["rateable_value_gbp"].astype("float64")
    kind = register.set_index(register["unique_id"].astype("str"))["kind"]
    linked = links[links["match_probability"] >= LINKED]
    seen = pd.DataFrame(
        {
            "kind": linked["unique_id"].astype("str").map(kind[~kind.index.duplicated()]),
            "value": linked["property_reference"].map(value).astype("float64"),
        }
    ).dropna()
    of_all = seen["value"].median() if len(seen) else value.median()
    own = seen.groupby("kind")["value"].agg(["median", "size"]).reindex(register["kind"].unique())
    weight = own["size"].fillna(0)
    drawn: pd.Series = (own["median"].fillna(of_all) * weight + of_all * SHRINK_TO) / (weight + SHRINK_TO)
    return drawn.round(-2)


def estimate_total(on_roll: int, in_register: int, in_both: int, level: float = 0.95) -> dict[str, float]:
    """Estimate how many businesses there are from two lists that each miss some: capture and recapture.

    Chapman's estimator (1951, University of California Publications in Statistics 1, 131-160) with Seber's variance
    (1970, Biometrics 26, 13-22); the interval is that of a lognormal number of unseen ones (Chao 1987, Biometrics 43,
    783-791). It holds if being on one list says nothing of being on the other. Businesses that keep off both make it
    too low, and links that were missed make it too high.

    Returns:
        seen (on either), estimate, low, high.

    Raises:
        ValueError: more are in both than in one.
    """
    if not 0 <= in_both <= min(on_roll, in_register):
        raise ValueError(f"{in_both} cannot be on both lists of {on_roll} and {in_register}.")
    seen = on_roll + in_register - in_both
    total = (on_roll + 1) * (in_register + 1) / (in_both + 1) - 1
    only, other = on_roll - in_both, in_register - in_both
    variance = (on_roll + 1) * (in_register + 1) * only * other / ((in_both + 1) ** 2 * (in_both + 2))
    unseen = total - seen
    if unseen <= 0:
        return {"seen": seen, "estimate": total, "low": float(seen), "high": total}
    spread = np.exp(norm.ppf((1 + level) / 2) * np.sqrt(np.log1p(variance / unseen**2)))
    return {"seen": seen, "estimate": total, "low": seen + unseen / spread, "high": seen + unseen * spread}


def count_food(register: pd.DataFrame, links: pd.DataFrame, roll: pd.DataFrame) -> dict[str, int]:
    """Count places to eat and drink on the roll, in the food register, and in both, as `estimate_total` takes them.

    Each list is cut to what both mean to hold: FOOD_USE of the roll's descriptions, FOOD_KINDS of the register.
    """
    properties = roll[roll["description"].astype("str").str.upper().str.contains(FOOD_USE, na=False)]
    premises = register[register["kind"].isin(FOOD_KINDS)]
    linked = links[links["match_probability"] >= LINKED]
    both = linked["property_reference"].isin(properties["property_reference"]) & linked["unique_id"].astype("str").isin(
        premises["unique_id"].astype("str")
    )
    return {"on_roll": len(properties), "in_register": len(premises), "in_both": int(both.sum())}


def count_missing(listed: pd.DataFrame) -> pd.DataFrame:
    """Count listed businesses by kind, and those likelier missing than not: kind, listed, likely; ALL_KINDS last."""
    likely = (listed["probability"] > 0.5).astype(int)
    counts = listed.assign(listed=1, likely=likely).groupby("kind", as_index=False)[["listed", "likely"]].sum()
    total = pd.DataFrame({"kind": [ALL_KINDS], "listed": [len(listed)], "likely": [int(likely.sum())]})
    return pd.concat([counts, total], ignore_index=True)


def score_missing(listed: pd.DataFrame, planted: "set[str]") -> pd.DataFrame:
    """Score a list against those that were planted: at 10, 20, ... and as many as were planted, how many are right.

    Returns:
        checked, right, planted: a score on a twin.
    """
    sizes = sorted({*range(10, min(len(listed), 100) + 1, 10), min(len(planted), len(listed))} - {0})
    right = listed["unique_id"].astype("str").isin(planted).cumsum()
    return pd.DataFrame({"checked": sizes, "right": [int(right.iloc[n - 1]) for n in sizes], "planted": len(planted)})


def try_on_town(request: TwinRequest) -> pd.DataFrame:
    """Make the list for an invented town; see `find_missing`.

    Args:
        request: of a sample.
    """
    town = draw_town(request)
    rows = town.businesses[town.businesses["on_roll"]]
    roll = rows.rename(columns={"ledger_name": "ratepayer_name"}).assign(ratepayer_address=rows["address"])
    food = draw_food_register(town, request.seed).rename(columns={"food_type": "business_type", "address": "address_1"})
    premises = prepare_food(food)
    return find_missing(premises, choose_best(link_roll(roll, premises), LINKED), roll)
