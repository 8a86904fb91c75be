"""Businesses that registers know and the roll does not, and how many there may be that neither knows.

What is found is where to look, not who owes: a register may keep a business that has gone, name one at a home that pays
no rates, or have another name for one that does pay.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import expit
from scipy.stats import hypergeom

from councilbook.business_rates.missing.linkage_trials import choose_best
from councilbook.business_rates.missing.lists import prepare_directory, prepare_food
from councilbook.business_rates.roll.contents import find_empty
from councilbook.business_rates.twin.town import Town
from councilbook.business_rates.twin.views import draw_directory, draw_food_register
from councilbook.methods.linkage.linking import link_roll

NOT_RATED = ("Mobile caterer", "Farmers/growers", "Importers/Exporters", "Distributors/Transporters")
FOOD_KINDS = r"(?i)restaurant|\bcaf|takeaway|sandwich|\bpub\b|\bbar\b"  # of registers: places to eat and drink
FOOD_USE = r"RESTAURANT|CAFE|TAKEAWAY|TAKE AWAY|HOT FOOD|PUBLIC HOUSE|\bBAR\b|\bINN\b"  # of the roll's descriptions
LINKED = 0.5  # probability of a link from which a business counts as on the roll
ROLL, FOOD, DIRECTORY = "roll", "food_hygiene", "directory"
# Log odds that a business without a link is one that no bill goes to. Assumptions, from what each would mean.
LOG_ODDS = {
    "unlinked": 1.0,
    "address is on the roll under another name, or none": -2.5,
    "somebody unnamed pays at its postcode": -2.0,
    "postcode is on the roll": 0.4,
    "postcode is not on the roll": -0.3,
    "no postcode": -1.5,
    "kind that seldom pays rates": -3.0,
    "fewer than half of its kind are on the roll": -2.0,
    "also in the business directory": 1.5,
    "in the business directory alone": -1.5,
}
ALL_KINDS, DIRECTORY_ALONE = "All kinds", "Of the directory alone"
HALF, FEWEST_OF_KIND = 0.5, 10
SHRINK_TO = 5  # properties, of all kinds, that a kind's median is weighed with
KEYS = ["register", "unique_id"]


def link_registers(food: pd.DataFrame, directory: pd.DataFrame) -> pd.DataFrame:
    """Link food premises to the entries of a business directory.

    Args:
        food, directory: registers, from `registers.prepare_food` and `.prepare_directory`.

    Returns:
        food_id, directory_id: the best entry of each premises, if it is likelier the same than not. An entry that
        several claim is the likeliest one's.
    """
    sides = food.rename(columns={"unique_id": "property_reference", "name": "ratepayer_name", "kind": "description"})
    best = choose_best(link_roll(sides.drop(columns=["register", "status"]), directory), LINKED)
    best = best.sort_values(["match_probability", "property_reference"], ascending=[False, True])
    best = best.drop_duplicates("unique_id", ignore_index=True)
    return best.rename(columns={"property_reference": "food_id", "unique_id": "directory_id"})[
        ["food_id", "directory_id"]
    ]


def find_missing(
    registers: pd.DataFrame, links: pd.DataFrame, roll: pd.DataFrame, between: pd.DataFrame | None = None
) -> pd.DataFrame:
    """List the live records of registers that no property of the roll is linked to, the likeliest first.

    A business that the food register and the directory have is listed once, as food premises.

    Args:
        registers: register, unique_id, name, address, postcode, status, kind, of FOOD and perhaps DIRECTORY.
        links: property_reference, register, unique_id and match_probability, the best for each property and register.
        roll: the roll.
        between: from `link_registers`; None without a directory.

    Returns:
        register, unique_id, kind, postcode, probability, likely_rateable_value_gbp, expected_gbp (of rateable value),
        reasons (in words, joined by `; `); by probability, then expected value. Closed: a record may be a person's.
    """
    found = set(_name_keys(links[links["match_probability"] >= LINKED]))
    if between is not None:  # the one is on the roll if the other is, and is listed by the food register
        pairs = [((FOOD, food), (DIRECTORY, entry)) for food, entry in between.astype("str").to_numpy()]
        found |= {one for pair in pairs if found & set(pair) for one in pair}
        in_both = {food for food, _ in pairs}
        found |= {entry for _, entry in pairs}
    else:
        in_both = set()
    keys = pd.Series(_name_keys(registers), index=registers.index)
    is_found = keys.isin(found)
    rows = registers[(registers["status"] == "live") & ~is_found]
    doors = set(_name_doors(roll).dropna())
    named = _name_doors(rows).isin(doors)
    known = rows["postcode"].isin(set(roll["postcode"].dropna()))
    reasons = {
        "unlinked": pd.Series(True, index=rows.index),
        "also in the business directory": keys[rows.index].isin(in_both),
        "in the business directory alone": rows["register"] == DIRECTORY,
        "address is on the roll under another name, or none": named,
        "somebody unnamed pays at its postcode": ~named & rows["postcode"].isin(_list_unnamed(links, roll)),
        "postcode is on the roll": known & ~named,
        "postcode is not on the roll": ~known & rows["postcode"].notna(),
        "no postcode": rows["postcode"].isna(),
        "kind that seldom pays rates": rows["kind"].isin(NOT_RATED),
        "fewer than half of its kind are on the roll": rows["kind"].isin(_list_rare_kinds(registers, is_found)),
    }
    held = pd.DataFrame(reasons)
    probability = expit(held.astype(float) @ pd.Series(LOG_ODDS)[list(reasons)])
    told = [[reason for reason, holds in zip(reasons, row, strict=True) if holds] for row in held.to_numpy()]
    value = rows["kind"].map(estimate_values(registers, links, roll)).astype("float64")
    listed = rows[[*KEYS, "kind", "postcode"]].assign(
        probability=probability,
        likely_rateable_value_gbp=value,
        expected_gbp=probability * value,
        reasons=["; ".join(row[1:]) for row in told],  # the first holds of all
    )
    order = ["probability", "expected_gbp", *KEYS]
    return listed.sort_values(order, ascending=[False, False, True, True], ignore_index=True)


def _list_rare_kinds(registers: pd.DataFrame, is_linked: "pd.Series[bool]") -> set[str]:
    """List the kinds of which fewer than half are on the roll, but for NOT_RATED, which weigh by themselves.

    Most of such a kind pay no rates, or the roll is but a part of the council's: to be off it says little.
    """
    live = registers["status"] == "live"
    shares = is_linked[live].groupby(registers.loc[live, "kind"]).agg(["mean", "size"])
    rare = shares[(shares["mean"] < HALF) & (shares["size"] >= FEWEST_OF_KIND)]
    return set(rare.index) - set(NOT_RATED)


def _list_unnamed(links: pd.DataFrame, roll: pd.DataFrame) -> set[str]:
    """List the postcodes of properties that are in use, that nothing is linked to, and of which no name is told.

    A published roll leaves out the names of persons; what seems to be missing may be one of these.
    """
    unnamed = roll["ratepayer_name"].isna() & ~find_empty(roll).fillna(False).astype(bool)
    linked = links.loc[links["match_probability"] >= LINKED, "property_reference"].astype("str")
    return set(roll.loc[unnamed & ~roll["property_reference"].astype("str").isin(linked), "postcode"].dropna())


def _name_keys(rows: pd.DataFrame) -> list[tuple[str, str]]:
    return list(zip(*(rows[key].astype("str") for key in KEYS), strict=True))


def _name_doors(rows: pd.DataFrame) -> pd.Series:
    """Name the door of each address: its postcode with its first number; missing where either is."""
    number = rows["address"].astype("str").str.extract(r"(\d+\w?)\b", expand=False)
    return rows["postcode"].astype("str").where(rows["postcode"].notna()).str.cat(number.str.upper(), sep=" ")


def estimate_values(registers: pd.DataFrame, links: pd.DataFrame, roll: pd.DataFrame) -> "pd.Series[float]":
    """Estimate the rateable value of a business of each kind: the median of those linked, drawn to that of all.

    The fewer of a kind are linked, the closer it is to the median of all: each is weighed by its number, against
    SHRINK_TO.

    Returns:
        Pounds, by kind.
    """
    value = roll[["property_reference", "rateable_value_gbp"]].astype({"rateable_value_gbp": "float64"})
    linked = (
        links[links["match_probability"] >= LINKED].astype({"unique_id": "str"}).merge(value, on="property_reference")
    )
    kinds = registers[[*KEYS, "kind"]].astype({"unique_id": "str"}).drop_duplicates(KEYS)
    seen = linked.merge(kinds, on=KEYS)[["kind", "rateable_value_gbp"]].dropna()
    of_all = seen["rateable_value_gbp"].median() if len(seen) else value["rateable_value_gbp"].median()
    own = seen.groupby("kind")["rateable_value_gbp"].agg(["median", "size"]).reindex(registers["kind"].unique())
    weight = own["size"].fillna(0)
    drawn: pd.Series = (own["median"].fillna(of_all) * weight + of_all * SHRINK_TO) / (weight + SHRINK_TO)
    return drawn.round(-2)


def match_places(
    roll: pd.DataFrame, registers: pd.DataFrame, links: pd.DataFrame, between: pd.DataFrame | None = None
) -> pd.DataFrame:
    """List every place to eat and drink once, and say which lists have it, as `recapture.count_patterns` takes them.

    What is linked is one place. It is one to eat and drink if any list says so: FOOD_KINDS of a register, or FOOD_USE
    of a property that is not empty.

    Args:
        roll, registers, links, between: as for `find_missing`.

    Returns:
        A row a place, a boolean column for the roll and for each register.
    """
    properties = roll.assign(register=ROLL, unique_id=roll["property_reference"].astype("str"))
    serves = properties["description"].astype("str").str.upper().str.contains(FOOD_USE, na=False)
    properties["serves"] = serves & ~find_empty(roll).fillna(False).to_numpy(dtype=bool)
    live = registers[registers["status"] == "live"].astype({"unique_id": "str"})
    live = live.assign(serves=live["kind"].astype("str").str.contains(FOOD_KINDS, na=False))
    nodes = pd.concat([frame[[*KEYS, "serves"]] for frame in (properties, live)], ignore_index=True)
    nodes["place"] = _join(nodes, _list_edges(links, between))
    held = nodes.assign(there=True).pivot_table("there", "place", "register", "any", fill_value=False)
    lists = [ROLL, *(name for name in (FOOD, DIRECTORY) if name in held)]
    return held.loc[nodes.groupby("place")["serves"].any(), lists].astype(bool).reset_index(drop=True)


def _list_edges(links: pd.DataFrame, between: pd.DataFrame | None) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    used = links[links["match_probability"] >= LINKED].astype(dict.fromkeys(["property_reference", *KEYS], "str"))
    edges = [((ROLL, row[0]), (row[1], row[2])) for row in used[["property_reference", *KEYS]].to_numpy()]
    if between is not None:
        edges += [((FOOD, food), (DIRECTORY, entry)) for food, entry in between.astype("str").to_numpy()]
    return edges


def _join(nodes: pd.DataFrame, edges: Sequence[tuple[tuple[str, str], tuple[str, str]]]) -> np.ndarray:
    """Number the groups of nodes that edges join; an edge to what is no node joins nothing."""
    place = {key: number for number, key in enumerate(zip(nodes["register"], nodes["unique_id"], strict=True))}
    ends = [(place[one], place[other]) for one, other in edges if one in place and other in place]
    one, other = zip(*ends, strict=True) if ends else ((), ())
    joined = coo_array((np.ones(len(ends)), (one, other)), shape=(len(nodes), len(nodes)))
    groups: np.ndarray = connected_components(joined, directed=False)[1]
    return groups


def tabulate_estimate(places: pd.DataFrame, estimate: Mapping[str, float]) -> pd.DataFrame:
    """Lay out how many places there may be, beside how many each list has.

    Args:
        places: from `match_places`.
        estimate: from `recapture.estimate_total`.

    Returns:
        One row: what, on_roll, in_register, in_directory (missing without one), on_several, and the estimate, whole.
    """
    counts = places.sum().reindex([ROLL, FOOD, DIRECTORY]).to_numpy()
    row = dict(zip(["on_roll", "in_register", "in_directory"], counts, strict=True))
    row |= {"on_several": (places.sum(axis="columns") > 1).sum(), **estimate}
    return pd.DataFrame([row]).round().astype("Int64").assign(what="Places to eat and drink")


def count_missing(listed: pd.DataFrame) -> pd.DataFrame:
    """Count listed businesses by kind, and those likelier missing than not: kind, listed, likely; ALL_KINDS last.

    What a directory alone has is one kind: the words of its categories are the provider's, and not for everybody.
    """
    likely = (listed["probability"] > 0.5).astype(int)
    kind = listed["kind"].mask(listed["register"] == DIRECTORY, DIRECTORY_ALONE)
    counts = (
        listed.assign(kind=kind, listed=1, likely=likely).groupby("kind", as_index=False)[["listed", "likely"]].sum()
    )
    total = pd.DataFrame({"kind": [ALL_KINDS], "listed": [len(listed)], "likely": [int(likely.sum())]})
    return pd.concat([counts, total], ignore_index=True)


def score_missing(listed: pd.DataFrame, planted: Mapping[tuple[str, str], str]) -> pd.DataFrame:
    """Score a list against those that were planted, beside the same list in random order.

    It is scored at 10, 20, ... and at as many as were planted.

    Args:
        listed: records in the order in which they are checked.
        planted: from `list_planted`. A business that is listed twice is right once.

    Returns:
        checked, right, at_random (how many would be right on average, to the nearest), planted (businesses): a score on
        a twin.
    """
    businesses = len(set(planted.values()))
    sizes = sorted({*range(10, min(len(listed), 100) + 1, 10), min(businesses, len(listed))} - {0})
    found = pd.Series([planted.get(key) for key in _name_keys(listed)], dtype="str")
    right = (found.notna() & ~found.duplicated()).cumsum()
    records = found.value_counts().to_numpy()  # of each planted business
    by_chance = [round(float(hypergeom.sf(0, len(listed), records, n).sum())) for n in sizes]
    return pd.DataFrame(
        {
            "checked": sizes,
            "right": [int(right.iloc[n - 1]) for n in sizes],
            "at_random": by_chance,
            "planted": businesses,
        }
    )


def list_planted(town: Town, seed: int) -> dict[tuple[str, str], str]:
    """List the records of an invented town's businesses that no bill goes to.

    Args:
        town: from `town.draw_town`.
        seed: what its registers were drawn from.

    Returns:
        By register and unique_id, whose record it is.
    """
    off_roll = town.businesses.loc[~town.businesses["on_roll"], "property_reference"]
    food = draw_food_register(town, seed).rename(columns={"fhrs_id": "unique_id"}).assign(register=FOOD)
    entries = draw_directory(town, seed).rename(columns={"directory_id": "unique_id"}).assign(register=DIRECTORY)
    both = pd.concat([food, entries], ignore_index=True)
    own = both[both["property_reference"].isin(off_roll)]
    return dict(zip(_name_keys(own), own["property_reference"], strict=True))


def count_true_places(town: Town) -> int:
    """Count the places to eat and drink of an invented town, on whichever list they are."""
    return int(town.businesses["food_type"].astype("str").str.contains(FOOD_KINDS, na=False).sum())


def link_town(town: Town, seed: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Link the roll, the food register and the directory of an invented town.

    Returns:
        registers, links, roll and between, as `find_missing` and `match_places` take them.
    """
    rows = town.businesses[town.businesses["on_roll"]]
    roll = rows.rename(columns={"ledger_name": "ratepayer_name"}).assign(ratepayer_address=rows["address"])
    layout = {"food_type": "business_type", "address": "address_1"}
    food = prepare_food(draw_food_register(town, seed).rename(columns=layout))
    directory = prepare_directory(draw_directory(town, seed))
    links = pd.concat([choose_best(link_roll(roll, one), LINKED) for one in (food, directory)], ignore_index=True)
    return pd.concat([food, directory], ignore_index=True), links, roll, link_registers(food, directory)
