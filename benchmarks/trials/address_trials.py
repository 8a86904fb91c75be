"""How often would a person's name stay in a published address, by style and place, and how many true lines stay?

Names come from sources that the detector does not use: people of FEBRL, and recipients of grants who bear one of those
given names. They are written over the door of real addresses. Lines of real rolls, and names of pubs, schools, hospices
and galleries, say what is lost.
"""

import gzip
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd

from councilbook.business_rates.names.person_words import fold_letters
from councilbook.business_rates.names.persons import classify_parties

Redact = Callable[[pd.DataFrame], pd.Series]

# {g} given name, {s} surname, {i} initial
STYLES: Mapping[str, str] = {
    "First Last": "{g} {s}",
    "FIRST LAST": "{G} {S}",
    "F Last": "{i} {s}",
    "Last F": "{s} {i}",
    "LAST FIRST": "{S} {G}",
    "Last First": "{s} {g}",
    "Mr & Mrs Last": "Mr & Mrs {s}",
    "Mrs F Last": "Mrs {i} {s}",
    "First Last Plumbing": "{g} {s} Plumbing",
    "F Last Joinery": "{i} {s} Joinery",
    "First Last Hair Salon": "{g} {s} Hair Salon",
    "r/o First Last": "r/o {g} {s}",
    "c/o First Last": "c/o {g} {s}",
    "First Last t/a X": "{g} {s} t/a Corner Stores",
    "Last's Garage": "{s}'s Garage",
    "Lasts Garage": "{s}s Garage",
    "Flat above First Last": "Flat above {g} {s}",
    "Adj F Last": "Adj {i} {s}",
    "First & Last": "{g} & {s}",
    "(First Last)": "({g} {s})",
    "Unit 2 First Last": "Unit 2 {g} {s}",
}
# {c} a company's name without its form
RUN_ON: Mapping[str, str] = {
    "First Last Company Ltd": "{g} {s} {c} Ltd",
    "F Last Company Ltd": "{i} {s} {c} Ltd",
    "Last First Company Ltd": "{s} {g} {c} Ltd",
    "Last F Company Ltd": "{s} {i} {c} Ltd",
    "First Last Blue Bakery Ltd": "{g} {s} Blue Bakery Ltd",
    "F Last Blue Bakery Ltd": "{i} {s} Blue Bakery Ltd",
    "First Last Primary School": "{g} {s} Primary School",
}
DESCRIPTIONS: Mapping[str, str] = {
    "pub": "Public House And Premises",
    "school": "School And Premises",
    "museum or gallery": "Museum And Premises",
    "hospice": "Hospice",
    "gallery": "Art Gallery",
}
PLACES = ("own line first", "own line within", "run in first", "run in after the street")
FEBRL = "north_lanarkshire/linkage_gold/febrl_dataset{}.csv.gz"
GRANTS = "waltham_forest/culture/ace_project_grants_NE_London_and_Leeds.csv.gz"
FOOD = "north_lanarkshire/fsa/FHRS{}.xml.gz"
_POSTCODE = re.compile(r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}$")


def read_people(mirror: Path) -> pd.DataFrame:
    """Read given and surname of people of FEBRL (half of them with a slip of the pen) and of recipients of grants."""
    parts = [pd.read_csv(mirror / FEBRL.format(n), skipinitialspace=True) for n in ("1", "2", "3", "4a", "4b")]
    febrl = pd.concat(parts)[["given_name", "surname"]].dropna().drop_duplicates()
    febrl = febrl.set_axis(["given", "surname"], axis=1).map(str.title).assign(source="febrl")
    recipients = pd.read_csv(mirror / GRANTS)["Recipient"].drop_duplicates()
    pairs = recipients.str.extract(r"^(\S+) (\S+)$").dropna().set_axis(["given", "surname"], axis=1)
    grants = pairs[pairs["given"].isin(set(febrl["given"]))].assign(source="grants")
    both = pd.concat([febrl, grants], ignore_index=True)
    return both[both[["given", "surname"]].map(lambda word: len(re.sub(r"\W", "", word)) > 2).all(axis=1)]


def write_names(roll: pd.DataFrame, people: pd.DataFrame, seed: int, share: float = 0.5) -> pd.DataFrame:
    """Write people into a share of a roll's addresses, each in one style and place.

    Args:
        roll: address and what else a detector reads; the ratepayer of such a row is taken away.
        people: given, surname and source.
        seed: of the draw.
        share: of the rows.

    Returns:
        The roll with style, place, given, surname, source (NA where nobody was written in) and before, the address
        without the name.
    """
    chance = np.random.default_rng(seed)
    trial = roll.reset_index(drop=True).assign(before=lambda frame: frame["address"])
    rows = np.flatnonzero((chance.random(len(trial)) < share) & trial["address"].notna())
    drawn = people.iloc[chance.integers(len(people), size=len(rows))].reset_index(drop=True)
    drawn["style"] = chance.choice(list(STYLES), len(rows))
    drawn["place"] = chance.choice(PLACES, len(rows))
    drawn.index = pd.Index(rows)
    texts = [
        _write_in(address, STYLES[style].format(g=g, s=s, G=g.upper(), S=s.upper(), i=g[0]), place)
        for address, g, s, style, place in zip(
            trial.loc[rows, "address"], drawn["given"], drawn["surname"], drawn["style"], drawn["place"], strict=True
        )
    ]
    trial.loc[rows, "address"] = texts
    if "ratepayer_name" in trial:
        trial.loc[rows, "ratepayer_name"] = None
    return trial.join(drawn)


def _write_in(address: str, name: str, place: str) -> str:
    lines = [line.strip() for line in address.split(",")]
    last = len(lines) - 1 if _POSTCODE.search(lines[-1].upper()) else len(lines)
    if place == "own line first":
        return ", ".join([name, *lines])
    if place == "own line within":
        return ", ".join([*lines[: max(last - 1, 1)], name, *lines[max(last - 1, 1) :]])
    if place == "run in first":
        return f"{name} {address}"
    at = max(last - 2, 0)
    return ", ".join([*lines[:at], f"{lines[at]} {name}", *lines[at + 1 :]])


def find_names_left(trial: pd.DataFrame, redacted: pd.Series) -> "pd.Series[bool]":
    """Tell of each row that has a name whether its surname, or its given name, stays, and was not there before."""
    rows = trial[trial["style"].notna()]
    left = [
        bool({re.sub(r"\W", "", fold_letters(word)) for word in (given, surname)} & (_split(text) - _split(before)))
        for given, surname, before, text in zip(
            rows["given"], rows["surname"], rows["before"], redacted[rows.index].fillna(""), strict=True
        )
    ]
    return pd.Series(left, index=rows.index, dtype="bool")


def _split(text: str) -> set[str]:
    words = re.findall(r"[A-Z]{2,}", re.sub(r"['’-]", "", fold_letters(text)))
    return {*words, *(word.removesuffix("S") for word in words)}


def count_lines(roll: pd.DataFrame, redacted: pd.Series) -> pd.DataFrame:
    """Count the lines of a roll as it is and those that stay: all with a word, and those before the street's number."""
    counts = []
    for address, text in zip(roll["address"].dropna(), redacted[roll["address"].notna()].fillna(""), strict=True):
        lines = [line.strip() for line in address.split(",") if re.search("[A-Za-z]{3}", line)]
        left = {line.strip() for line in text.split(",")}
        first = lines[: max(len(lines) - 3, 0)]
        counts.append((len(lines), sum(line in left for line in lines), len(first), sum(x in left for x in first)))
    return pd.DataFrame(counts, columns=["lines", "stay", "first_lines", "first_stay"])


def write_organisations(roll: pd.DataFrame, names: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Write names of organisations (name, kind) over the doors of a roll, one a row as far as they go."""
    chance = np.random.default_rng(seed)
    trial = roll.reset_index(drop=True)
    rows = chance.choice(np.flatnonzero(trial["address"].notna()), min(len(names), len(trial) // 3), replace=False)
    drawn = names.iloc[chance.permutation(len(names))[: len(rows)]].set_axis(pd.Index(rows))
    trial.loc[rows, "address"] = drawn["name"].str.replace(",", " ") + ", " + trial.loc[rows, "address"]
    trial.loc[rows, "ratepayer_name"] = None
    if trial["description"].notna().any():
        trial.loc[rows, "description"] = drawn["kind"].map(DESCRIPTIONS)
    return trial.join(drawn)


def find_organisations_left(trial: pd.DataFrame, redacted: pd.Series) -> "pd.Series[bool]":
    """Tell of each row that has an organisation written in whether its whole name stays."""
    rows = trial[trial["name"].notna()]
    whole = [
        text.startswith(name.replace(",", " ").strip())
        for name, text in zip(rows["name"], redacted[rows.index].fillna(""), strict=True)
    ]
    return pd.Series(whole, index=rows.index, dtype="bool")


def read_organisations(mirror: Path, councils: tuple[str, ...]) -> pd.DataFrame:
    """Read names of pubs, schools and hospitals of a council's food register, hospices and galleries: name and kind."""
    kinds = {"Pub/bar/nightclub": "pub", "School/college/university": "school"}
    rows = []
    for council in councils:
        with gzip.open(mirror / FOOD.format(council)) as file:
            for _, element in ElementTree.iterparse(file):
                if element.tag == "EstablishmentDetail":
                    rows.append((element.findtext("BusinessName"), element.findtext("BusinessType")))
                    element.clear()
    food = pd.DataFrame(rows, columns=["name", "type"])
    every = [food.assign(kind=food["type"].map(kinds))]
    museums = pd.read_csv(mirror / "waltham_forest/culture/MappingMuseumsData.csv.gz", encoding_errors="replace")
    column = next(name for name in museums.columns if "name" in name.lower())
    every.append(pd.DataFrame({"name": museums[column].sample(600, random_state=1), "kind": "museum or gallery"}))
    charities = pd.read_csv(mirror / "north_lanarkshire/charities/charity-company-numbers.csv.gz")["org_name"]
    for word in ("hospice", "gallery"):
        own = pd.concat([charities, food["name"]])
        every.append(pd.DataFrame({"name": own[own.str.contains(rf"\b{word}\b", case=False, na=False)], "kind": word}))
    names = pd.concat(every)[["name", "kind"]].dropna().drop_duplicates("name")
    names["name"] = names["name"].str.replace(r"(?i)\W+(limited|ltd|cio|plc)\.?$", "", regex=True).str.strip()
    return names.reset_index(drop=True)


def try_addresses(roll: pd.DataFrame, people: pd.DataFrame, redact: Redact, seed: int) -> pd.DataFrame:
    """Write people into a roll, redact it, and say which stay: style, place, source and stays."""
    trial = write_names(roll, people, seed)
    left = find_names_left(trial, redact(trial))
    return trial.loc[left.index, ["style", "place", "source", "given", "surname", "address"]].assign(stays=left)


def try_run_on_names(people: pd.DataFrame, companies: pd.Series, seed: int, size: int = 3000) -> pd.DataFrame:
    """Run people's names into those of companies, of two to four words, and say which surnames are released.

    Returns:
        style and stays.
    """
    chance = np.random.default_rng(seed)
    heads = companies.str.replace(r"(?i)\W+(?:limited|ltd|plc|llp)\.?$", "", regex=True)
    heads = heads[heads.str.split().str.len().between(2, 4)].str.title()
    some = people.iloc[chance.integers(len(people), size=size)]
    tried = []
    for style, pattern in RUN_ON.items():
        chosen = chance.choice(heads, size)
        names = [
            pattern.format(g=g, s=s, i=g[0], c=c)
            for g, s, c in zip(some["given"], some["surname"], chosen, strict=True)
        ]
        roll = pd.DataFrame({"property_reference": range(size), "ratepayer_name": pd.Series(names, dtype="str")})
        released = classify_parties(roll)["released_name"].fillna("")
        stays = [surname.lower() in text.lower() for surname, text in zip(some["surname"], released, strict=True)]
        tried.append(pd.DataFrame({"style": style, "stays": stays}))
    return pd.concat(tried, ignore_index=True)
