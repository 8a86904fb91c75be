"""The homes of the synthetic population: postcodes, labels and who is how deprived, fitted to census counts."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from councilbook.errors import CheckError
from councilbook.fuel_poverty.households.indicators import Numbers
from councilbook.methods.sharing import share_out
from councilbook.sources.geography import match_common_areas

Codes = NDArray[np.int64]
DEPRIVED = tuple(f"deprived_{number}_households" for number in range(5))
ACCOMMODATION = ("detached", "semi_detached", "terraced", "flat", "other")
TENURE = ("owned_outright", "mortgaged", "social_rented", "private_rented")
HEATING = ("gas", "electric", "oil", "none", "other")
COMPOSITION = (
    "one_person_66_plus",
    "one_person_other",
    "family_66_plus",
    "couple_dependent_children",
    "lone_parent_dependent_children",
    "other",
)
MOST_LEFT_OUT = 0.05  # of a council's LSOAs; the catalogue asks for as many of the census tables

# All that follows is invented. Log odds are those of a label within its area, before the area's counts are met.
ACCOMMODATION_BY_DEPRIVED = (-0.5, -0.1, 0.1, 0.4, 0.2)  # log odds a deprived dimension
TENURE_BY_DEPRIVED = (-0.1, -0.8, 0.6, 0.2)
TENURE_BY_ACCOMMODATION = (
    (1.2, 0.8, -1.5, -0.8),
    (0.3, 0.4, 0.0, -0.3),
    (-0.1, 0.2, 0.1, 0.1),
    (-0.8, -1.0, 0.8, 0.9),
    (0.5, -1.5, -0.5, 0.6),
)
HEATING_BY_ACCOMMODATION = (
    (0.0, -0.8, 1.2, -0.6, 0.3),
    (0.3, -0.6, 0.2, -0.3, 0.0),
    (0.3, -0.3, -0.4, 0.1, 0.0),
    (-0.6, 1.4, -2.5, 0.5, 0.3),
    (-1.0, 0.8, 0.5, 0.8, 1.0),
)
COMPOSITION_BY_TENURE = (
    (1.2, -0.3, 1.8, -1.2, -1.5, 0.2),
    (-2.0, 0.1, -1.8, 1.3, 0.0, 0.4),
    (0.5, 0.2, -0.5, -0.2, 1.1, -0.3),
    (-0.8, 0.5, -1.2, 0.2, 0.6, 0.1),
)
COMPOSITION_BY_DEPRIVED = (0.5, 0.1, 0.2, -0.3, 0.3, -0.2)
POSTCODE_DEPRIVED = 0.7  # log odds of one dimension more, for one standard deviation of the postcode's latent


def assign_labels(groups: Codes, counts: NDArray[np.int64], scores: Numbers, random: np.random.Generator) -> Codes:
    """Give each row one label, so that each group has the exact number of each.

    Label after label, rows are drawn without replacement with weights exp(score), by the largest of the scores plus
    Gumbel noise (Efraimidis and Spirakis 2006).

    Args:
        groups: the group of each row, from 0 and in order.
        counts: rows with a label: a row a group, a column a label. They add up to the rows of the group.
        scores: log odds: a row a row, a column a label.

    Returns:
        The number of the label of each row.
    """
    labels = np.full(len(groups), counts.shape[1] - 1, dtype="int64")
    left = np.arange(len(groups))
    for label in range(counts.shape[1] - 1):
        own = groups[left]
        order = np.lexsort((-scores[left, label] - random.gumbel(size=len(left)), own))
        is_chosen = np.zeros(len(left), dtype=bool)
        is_chosen[order] = rank_scores(own, len(counts)) < counts[own, label]
        labels[left[is_chosen]] = label
        left = left[~is_chosen]
    return labels


def make_pseudonyms(number: int, seed: int, kind: str) -> NDArray[np.str_]:
    """Return different pseudonyms of 16 hexadecimal digits: SplitMix64 (Steele and others 2014) of a counter.

    Args:
        number: how many.
        seed: of the population.
        kind: what they stand for; other kinds have others.
    """
    start = np.random.SeedSequence([seed, *kind.encode()]).generate_state(1, np.uint64)[0]
    mixed = np.arange(1, number + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + start
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return np.frombuffer(mixed.astype(">u8").tobytes().hex().encode(), dtype="S16").astype("U16")


def rank_scores(groups: Codes, number: int) -> Codes:
    """Number the rows of each group from 0; the groups are in order."""
    sizes = np.bincount(groups, minlength=number)
    return np.arange(len(groups)) - (np.cumsum(sizes) - sizes)[groups]


def match_areas(lookup: pd.DataFrame, fuel_poor: pd.DataFrame) -> pd.DataFrame:
    """Return the areas that fuel poverty is met by, with their counts, and in `lsoa21_codes` the LSOAs of each."""
    pairs = match_common_areas(lookup)
    known = set(fuel_poor["lsoa_code"])
    if set(pairs["lsoa21_code"]) <= known:
        key, pairs = "lsoa21_code", pairs.assign(area_code=pairs["lsoa21_code"])
    elif set(pairs["lsoa11_code"]) <= known:
        key = "lsoa11_code"
    else:
        absent = sorted(set(pairs["lsoa21_code"]) - known)
        raise CheckError(f"fuel_poor has no row for {len(absent)} LSOAs of the council, as {absent[0]}.")
    names = pairs.drop_duplicates(key).set_index(key)["area_code"]
    counts = ["households", "fuel_poor_households"]
    sums = fuel_poor.groupby(fuel_poor["lsoa_code"].map(names))[counts].sum().astype("int64").sort_index()
    if (over := sums["fuel_poor_households"] > sums["households"]).any():
        first = sums.index[over][0]
        raise CheckError(f"{over.sum()} areas have more fuel-poor households than households, as {first}.")
    return sums.assign(lsoa21_codes=pairs.groupby("area_code")["lsoa21_code"].agg(set))


def place_output_areas(postcodes: pd.DataFrame, deprivation: pd.DataFrame, lookup: pd.DataFrame) -> pd.Series:
    """Return the LSOA 2021 of each output area of the council that has households and postcodes, by its code."""
    pairs = postcodes[["oa21_code", "lsoa21_code"]].dropna().value_counts().reset_index()
    pairs = pairs.sort_values(["oa21_code", "count", "lsoa21_code"], ascending=[True, False, True])
    lsoas = pairs.drop_duplicates("oa21_code").set_index("oa21_code")["lsoa21_code"]
    counted = deprivation.loc[deprivation["households"] > 0, "oa21_code"]
    return lsoas[lsoas.isin(lookup["lsoa21_code"]) & lsoas.index.isin(counted)]


def leave_out(areas: pd.DataFrame, known: set[str]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Leave out the areas that have no output area; and return which LSOAs have none."""
    wanted = set().union(*areas["lsoa21_codes"])
    absent = tuple(sorted(wanted - known))
    if len(absent) > MOST_LEFT_OUT * len(wanted):
        raise CheckError(
            f"{len(absent)} of {len(wanted)} LSOAs of the council have no output area with postcodes and households, "
            f"as {absent[0]}; expected at most {MOST_LEFT_OUT:.0%}."
        )
    return areas[[bool(codes & known) for codes in areas["lsoa21_codes"]]], absent


def count_output_areas(deprivation: pd.DataFrame, lsoas: pd.Series, areas: pd.DataFrame) -> pd.DataFrame:
    """Return a row an output area, in the order of area, LSOA and code, with its households of the year."""
    outputs = deprivation[["oa21_code", "households"]].rename(columns={"households": "counted"})
    outputs = outputs.assign(lsoa21_code=outputs["oa21_code"].map(lsoas)).dropna(subset="lsoa21_code")
    area_of = {lsoa: number for number, codes in enumerate(areas["lsoa21_codes"]) for lsoa in codes}
    outputs["area"] = outputs["lsoa21_code"].map(area_of).astype("int64")
    outputs = outputs.sort_values(["area", "lsoa21_code", "oa21_code"], ignore_index=True)
    outputs["lsoa"] = pd.factorize(outputs["lsoa21_code"])[0]
    counted = outputs["counted"].to_numpy("float64")
    outputs["households"] = share_out(areas["households"], counted, outputs["area"])
    return outputs


def count_postcodes(postcodes: pd.DataFrame, outputs: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Return a row a postcode, in the order of output areas, with its households and its latent deprivation."""
    numbers = pd.Series(outputs.index, outputs["oa21_code"])
    places = postcodes[["postcode", "oa21_code"]].assign(oa=postcodes["oa21_code"].map(numbers)).dropna(subset="oa")
    places = places.astype({"oa": "int64"}).sort_values(["oa", "postcode"], ignore_index=True)
    weights = random.gamma(2.0, size=len(places))
    places["households"] = share_out(outputs["households"], weights, places["oa"])
    return places.assign(latent=random.normal(size=len(places)))


def draw_homes(
    outputs: pd.DataFrame,
    places: pd.DataFrame,
    deprivation: pd.DataFrame,
    accommodation: pd.DataFrame,
    random: np.random.Generator,
) -> pd.DataFrame:
    """Return a row a household with the numbers of its places, deprived dimensions and accommodation."""
    postcode = np.repeat(np.arange(len(places)), places["households"])
    homes = pd.DataFrame({"postcode": postcode, "oa": places["oa"].to_numpy()[postcode]}, copy=False)
    homes["lsoa"] = outputs["lsoa"].to_numpy()[homes["oa"]]
    homes["area"] = outputs["area"].to_numpy()[homes["oa"]]
    oa, codes, totals = homes["oa"].to_numpy(), outputs["oa21_code"], outputs["households"].to_numpy()
    counts = share_rows(deprivation, "oa21_code", codes, totals, DEPRIVED)
    tendency = POSTCODE_DEPRIVED * places["latent"].to_numpy()[postcode]
    homes["deprived"] = assign_labels(oa, counts, np.outer(tendency, np.arange(len(DEPRIVED))), random)
    flats = ["purpose_built_flat_households", "converted_flat_households"]
    table = accommodation.assign(flat_households=accommodation[flats].sum(axis="columns"))
    table = table.rename(columns={"other_accommodation_households": "other_households"})
    counts = share_rows(table, "oa21_code", codes, totals, name_counts(ACCOMMODATION))
    homes["accommodation"] = assign_labels(oa, counts, np.outer(homes["deprived"], ACCOMMODATION_BY_DEPRIVED), random)
    return homes


def name_counts(labels: Sequence[str]) -> list[str]:
    """Return the columns that count households by label."""
    return [f"{label}_households" for label in labels]


def share_rows(table: pd.DataFrame, key: str, codes: pd.Series, totals: Codes, columns: Sequence[str]) -> Codes:
    """Scale the counts of each area of a table to its total; a row a code, a column a count."""
    rows = table.set_index(key)[list(columns)].reindex(codes)
    if (absent := rows.isna().any(axis="columns")).any():
        raise CheckError(f"{absent.sum()} areas have no row with {columns[0]}, as {rows.index[absent][0]}.")
    groups = np.repeat(np.arange(len(rows)), len(columns))
    return share_out(totals, rows.to_numpy("float64").ravel(), groups).reshape(rows.shape)


def add_lsoa_labels(
    homes: pd.DataFrame, tables: dict[str, pd.DataFrame], outputs: pd.DataFrame, random: np.random.Generator
) -> None:
    """Add tenure, then heating, then composition, each by LSOA."""
    codes = outputs["lsoa21_code"].drop_duplicates()
    totals = np.bincount(homes["lsoa"], minlength=len(codes))
    names = {f"{kind}_heating_households": f"{kind}_households" for kind in ("gas", "electric", "oil")}
    heating = tables["heating"].rename(columns={**names, "no_heating_households": "none_households"})
    known = name_counts(HEATING[:-1])
    heating["other_households"] = (heating["heating_households"] - heating[known].sum(axis="columns")).clip(lower=0)
    deprived = homes["deprived"].to_numpy()

    def add(name: str, table: pd.DataFrame, labels: Sequence[str], scores: Numbers) -> None:
        counts = share_rows(table, "lsoa21_code", codes, totals, name_counts(labels))
        homes[name] = assign_labels(homes["lsoa"].to_numpy(), counts, scores, random)

    scores = np.array(TENURE_BY_ACCOMMODATION)[homes["accommodation"]] + np.outer(deprived, TENURE_BY_DEPRIVED)
    add("tenure", tables["tenure"], TENURE, scores)
    add("heating", heating, HEATING, np.array(HEATING_BY_ACCOMMODATION)[homes["accommodation"]])
    scores = np.array(COMPOSITION_BY_TENURE)[homes["tenure"]] + np.outer(deprived, COMPOSITION_BY_DEPRIVED)
    add("composition", tables["composition"], COMPOSITION, scores)
