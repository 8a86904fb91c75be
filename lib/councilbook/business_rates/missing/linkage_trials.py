"""How well links hold: against the truth of an invented town, and against exact matching."""

from collections.abc import Mapping

import pandas as pd

from councilbook.business_rates.missing.evidence import find_places
from councilbook.business_rates.missing.lists import prepare_companies, prepare_food
from councilbook.business_rates.twin.town import Town, draw_town
from councilbook.business_rates.twin.views import draw_companies, draw_food_register, list_records
from councilbook.catalogue import TwinRequest
from councilbook.errors import NotToldError
from councilbook.methods.linkage.linking import link_exactly, link_roll

LINKED = 0.5  # probability of a link from which a business counts as on the roll
THRESHOLD = 0.9  # least probability of a link that is used; names are published on a higher one


def choose_best(links: pd.DataFrame, threshold: float = THRESHOLD) -> pd.DataFrame:
    """Return the best link of each property, of those of at least a probability.

    Args:
        links: from `linkage.link_roll`.
        threshold: least match_probability.
    """
    return links[(links["rank"] == 1) & (links["match_probability"] >= threshold)].reset_index(drop=True)


def find_first(links: Mapping[str, pd.DataFrame]) -> str:
    """Return the first register that has a link.

    Raises:
        NotToldError: none has.
    """
    if found := [name for name, one in links.items() if len(one)]:
        return found[0]
    raise NotToldError("No property is linked to a register of businesses.")


def choose_places(levels: pd.DataFrame, threshold: float = LINKED) -> pd.DataFrame:
    """Return the likeliest property of each business, of businesses that are likely enough to be on the roll at all.

    Two businesses may be in one property, and of two properties at one door either may be the one: what counts is that
    a business has any.

    Args:
        levels: of `linkage.Linkage`, from a register of premises.
        threshold: least probability that it has a link.

    Returns:
        property_reference, register, unique_id, match_weight and match_probability (that it has a link at all).
    """
    known = levels[levels["any_probability"] >= threshold]
    best = known.sort_values(["match_probability", "property_reference"], ascending=[False, True], kind="stable")
    best = best.drop_duplicates("unique_id").assign(match_probability=best["any_probability"])
    columns = ["property_reference", "register", "unique_id", "match_weight", "match_probability"]
    return best[columns].sort_values("unique_id", ignore_index=True)


def count_certain(register: pd.DataFrame, roll: pd.DataFrame, links: pd.DataFrame) -> dict[str, int]:
    """Count the businesses that are certainly on the roll, and those of them that were linked.

    Certain is a business at whose postcode and number the roll has a property of its kind. No link is looked at, so on
    real files this is how many links are found of those that are there.

    Args:
        register: of premises, in the columns of `lists.COLUMNS`.
        roll: the roll.
        links: those that are used, from `choose_places`.

    Returns:
        certain, certain_linked.
    """
    live = register[register["status"] == "live"]
    placed = find_places(live, roll, links["property_reference"].iloc[:0])
    certain = placed.loc[(placed["rung"] == "door") & placed["fits"], "unique_id"]
    return {"certain": len(certain), "certain_linked": int(certain.isin(links["unique_id"]).sum())}


def tabulate_certain(
    registers: Mapping[str, pd.DataFrame],
    roll: pd.DataFrame,
    levels: Mapping[str, pd.DataFrame],
    threshold: float = THRESHOLD,
) -> pd.DataFrame:
    """Tabulate `count_certain` of each register of premises: register, certain, certain_linked.

    Args:
        registers: by name, the register.
        roll: the roll.
        levels: by name, of `linkage.Linkage`; of registers of premises alone.
        threshold: least probability of a link that is used.
    """
    rows = [
        {"register": name} | count_certain(registers[name], roll, choose_places(one, threshold))
        for name, one in levels.items()
    ]
    table = pd.DataFrame(rows, columns=["register", "certain", "certain_linked"])
    return table.astype({"register": "str", "certain": "Int64", "certain_linked": "Int64"})


def list_truth(town: Town, seed: int) -> dict[str, pd.DataFrame]:
    """List which record of each register is which property's, of those on the roll.

    Args:
        town: from `town.draw_town`.
        seed: what its registers were drawn from.

    Returns:
        By register: unique_id, property_reference, postcode.
    """
    on_roll = town.businesses.loc[town.businesses["on_roll"], "property_reference"]
    registers = list_records(town, seed).items()
    return {name: one[one["property_reference"].isin(on_roll)].reset_index(drop=True) for name, one in registers}


def count_links(
    sizes: Mapping[str, int],
    links: Mapping[str, pd.DataFrame],
    exact: Mapping[str, pd.DataFrame] | None,
) -> pd.DataFrame:
    """Count, by register, its records, the properties that were linked to one, and those that exact matching finds.

    Args:
        sizes: by name of a register, its records.
        links: by name, the links that are used.
        exact: by name, from `linkage.link_exactly`; None where the roll has no names, and nothing could match.

    Returns:
        register, records, linked, exact.
    """
    rows = [(name, size, links[name]["property_reference"].nunique()) for name, size in sizes.items()]
    matched = [pd.NA if exact is None else exact[name]["property_reference"].nunique() for name in sizes]
    counts = pd.DataFrame(rows, columns=["register", "records", "linked"])
    return counts.assign(exact=pd.array(matched, dtype="Int64"))


def score_links(found: Mapping[str, Mapping[str, pd.DataFrame]], truth: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Score links against the truth of an invented town: these are scores on a twin.

    Args:
        found: by method and register, links (property_reference, unique_id).
        truth: from `list_truth`.

    Returns:
        register, method, found_links, right_links, true_links.
    """
    pair, rows = ["property_reference", "unique_id"], []
    for method, by_register in found.items():
        for register, links in by_register.items():
            pairs, true = (one[pair].astype("str").drop_duplicates() for one in (links, truth[register]))
            rows.append((register, method, len(pairs), len(pairs.merge(true)), len(true)))
    return pd.DataFrame(rows, columns=["register", "method", "found_links", "right_links", "true_links"])


def join_links(links: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Join the links to all registers: property_reference, register, unique_id, match_weight, match_probability."""
    columns = ["property_reference", "register", "unique_id", "match_weight", "match_probability"]
    return pd.concat([one[columns] for one in links.values()], ignore_index=True)


def take_town(town: Town, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the roll and the food register of an invented town, as both are read."""
    rows = town.businesses[town.businesses["on_roll"]]
    roll = rows.rename(columns={"ledger_name": "ratepayer_name"}).assign(ratepayer_address=rows["address"])
    layout = {"food_type": "business_type", "address": "address_1"}
    return roll, prepare_food(draw_food_register(town, seed).rename(columns=layout))


def try_on_town(request: TwinRequest, threshold: float = THRESHOLD) -> dict[str, dict[str, pd.DataFrame]]:
    """Link the registers of an invented town to its roll, and match them exactly; see `score_links`.

    Args:
        request: of a sample.
        threshold: least probability of a link.
    """
    town = draw_town(request)
    roll, food = take_town(town, request.seed)
    companies = prepare_companies(draw_companies(town, request.seed))
    registers = {"food_hygiene": food, "companies_house": companies}
    linked = {name: choose_best(link_roll(roll, one), threshold) for name, one in registers.items()}
    return {"Splink": linked, "exact match": {name: link_exactly(roll, one) for name, one in registers.items()}}
