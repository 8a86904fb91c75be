"""Businesses that registers know and the roll does not, and how many there may be that neither knows.

What is found is where to look, not who owes: a register may keep a business that has gone, name one at a home that pays
no rates, or have another name for one that does pay.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.stats import hypergeom

from councilbook.business_rates.missing.chances import (
    HALF,
    MISSING,
    OUTCOMES,
    TOLD,
    describe_features,
    name_outcomes,
    tell_chances,
)
from councilbook.business_rates.missing.evidence import RUNGS, find_places
from councilbook.business_rates.missing.linkage_trials import LINKED, choose_best, choose_places, take_town
from councilbook.business_rates.missing.lists import prepare_directory
from councilbook.business_rates.roll.contents import find_empty
from councilbook.business_rates.twin.town import Town
from councilbook.business_rates.twin.views import draw_directory, list_records
from councilbook.methods.linkage.linking import fit_linkage, link_roll

FOOD_KINDS = r"(?i)restaurant|\bcaf|takeaway|sandwich|\bpub\b|\bbar\b"  # of registers: places to eat and drink
FOOD_USE = r"RESTAURANT|CAFE|TAKEAWAY|TAKE AWAY|HOT FOOD|PUBLIC HOUSE|\bBAR\b|\bINN\b"  # of the roll's descriptions
ROLL, FOOD, DIRECTORY = "roll", "food_hygiene", "directory"
ALL_KINDS, DIRECTORY_ALONE = "All kinds", "Of the directory alone"
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
        register, unique_id, kind, postcode, outcome (in words), probability (of missing), those of the other outcomes,
        nearest_property (its reference, missing where there is none), likely_rateable_value_gbp, expected_gbp (of
        rateable value), reasons (in words, joined by `; `); by probability, then expected value. Closed: a record may
        be a person's.
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
    rows = registers[(registers["status"] == "live") & ~keys.isin(found)].reset_index(drop=True)
    both = pd.Series(_name_keys(rows), index=rows.index, dtype="object").isin(in_both)
    listed_by = pd.Series("food", index=rows.index).mask(rows["register"] == DIRECTORY, "alone").mask(both, "both")
    placed = find_places(rows, roll, links.loc[links["match_probability"] >= LINKED, "property_reference"])
    features = describe_features(rows, placed)
    chances = tell_chances(features, rows, listed_by)
    value = rows["kind"].map(estimate_values(registers, links, roll)).astype("float64")
    listed = rows[[*KEYS, "kind", "postcode"]].assign(
        outcome=name_outcomes(chances),
        probability=chances[MISSING],
        **{f"{name}_probability": chances[name] for name in OUTCOMES if name != MISSING},
        nearest_property=placed["property_reference"].to_numpy(),
        likely_rateable_value_gbp=value,
        expected_gbp=chances[MISSING] * value,
        reasons=_say_reasons(features, placed["rung"], listed_by, rows),
    )
    order = ["probability", "expected_gbp", *KEYS]
    return listed.sort_values(order, ascending=[False, False, True, True], ignore_index=True)


def _say_reasons(features: pd.DataFrame, rung: pd.Series, listed_by: pd.Series, rows: pd.DataFrame) -> "pd.Series[str]":
    told = pd.DataFrame({name: features[name] > 0 for name in TOLD if name in features})
    told = told.assign(both=listed_by == "both", alone=listed_by == "alone")
    told["withheld"] = rows["address"].isna() & rows["postcode"].isna()
    words = [[TOLD[name] for name in told.columns[held]] for held in told.to_numpy(dtype=bool)]
    return pd.Series(["; ".join([RUNGS[at], *more]) for at, more in zip(rung, words, strict=True)], index=rows.index)


def _name_keys(rows: pd.DataFrame) -> list[tuple[str, str]]:
    return list(zip(*(rows[key].astype("str") for key in KEYS), strict=True))


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
    likely = (listed["probability"] > HALF).astype(int)
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
    records = list_records(town, seed)
    both = pd.concat([records[name].assign(register=name) for name in (FOOD, DIRECTORY)], ignore_index=True)
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
    roll, food = take_town(town, seed)
    directory = prepare_directory(draw_directory(town, seed))
    links = pd.concat([choose_places(fit_linkage(roll, one).levels) for one in (food, directory)], ignore_index=True)
    return pd.concat([food, directory], ignore_index=True), links, roll, link_registers(food, directory)
