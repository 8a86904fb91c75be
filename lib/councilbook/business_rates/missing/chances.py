"""How likely a business without a link is missing, on the roll all the same, inside another property, or not rated.

A multinomial logistic model of what can be seen of a business (the property nearest to it, its kind, words of its name
and address), fitted to what a clerk found of real businesses in other councils. `calibration.yaml` has its
coefficients, what they rest on, and what the clerk found in councils that were left out; `benchmarks/calibration.py`
fits and tries it again.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import softmax

from councilbook.business_rates.missing.evidence import FITS, HOSTS, RUNGS
from councilbook.paths import read_beside

MISSING, ON_ROLL, INSIDE, NOT_RATED = "missing", "on_roll", "inside", "not_rated"
OUTCOMES: Mapping[str, str] = {
    MISSING: "likely missing",
    ON_ROLL: "likely on the roll under another name",
    INSIDE: "likely inside another rated property",
    NOT_RATED: "likely not rated: at home, mobile, a care home or a place of worship",
}
UNSURE = "cannot be told"
HALF = 0.5
FAR = ("other_numbers", "street", "nothing")  # rungs without a property that could be the one
# The first that a kind matches is its group; what none matches makes or carries food.
KINDS: Mapping[str, str] = {
    "mobile": "MOBILE",
    "other_catering": "OTHER CATERING",
    "eating": "RESTAURANT|CAF|TAKE ?AWAY|SANDWICH",
    "pub": r"PUB|\bBAR\b|CLUB|\bINN\b",
    "hotel": "HOTEL|GUEST|BREAKFAST",
    "care": "CARING|CHILDCARE|HOSPITAL|NURSING|RESIDENTIAL",
    "school": "SCHOOL|COLLEGE|UNIVERSITY",
    "shop": "RETAIL|SHOP|STORE|SUPERMARKET",
}
HOME_KINDS = ("mobile", "other_catering", "shop", "other")  # of businesses that people run from home
ROADS = "STREET|ROAD|LANE|ST|RD|LN|HILL|CLOSE|BANK|VIEW|WALK|TERRACE|MEWS|SQUARE|FIELDS?|GREEN|COURT|GARTH|PLACE|WAY"
# What words of a name or an address tell; those of a road are set aside: Church Street is no church.
WORDS: Mapping[str, str] = {
    "worship": "CHURCH|CHAPEL|MOSQUE|MASJID|GURDWARA|TEMPLE|METHODIST|SALVATION ARMY|MINSTER|CATHEDRAL|PARISH",
    "care_home": "CARE HOME|NURSING HOME|RESIDENTIAL|REST HOME|CARE CENTRE|HOUSING|LIVING",
    "market": "MARKET|STALLS?",
    "home_trade": "(?:CUP ?)?CAKES?|BAKES?|BAKING|TREATS|PRESERVES|JAMS?|FUDGE|BROWNIES?|COOKIES?|SLIMMING|VAN|TRAILER",
    "farm_or_cottage": "FARM|COTTAGE|BARN|BED (?:&|AND) BREAKFAST|B ?& ?B",
}
TOLD: Mapping[str, str] = {
    FITS: "that property is of its kind",
    HOSTS: "that property has room for others",
    "worship": "its address names a place of worship",
    "care_home": "it looks like a care home",
    "market": "it is in a market",
    "home_trade": "its name is that of a trade from home",
    "busy": "its postcode has many businesses",
    "off_trade": "its kind is often run from home, and few businesses are near",
    "farm_or_cottage": "it is at a farm or a cottage",
    "both": "also in the business directory",
    "alone": "in the business directory alone",
    "withheld": "its address is withheld, as that of a home is",
}


@cache
def read_calibration() -> dict[str, Any]:
    """Read calibration.yaml: what the model rests on, its coefficients, and how it did in councils left out."""
    content: dict[str, Any] = read_beside(__file__, "calibration.yaml")
    return content


def describe_features(records: pd.DataFrame, placed: pd.DataFrame) -> pd.DataFrame:
    """Bring what can be seen of each business into the columns of the model.

    Args:
        records: name, address and kind; a row a business.
        placed: from `evidence.find_places` of these records.

    Returns:
        0 or 1, on the index of the records: each of RUNGS, FITS, HOSTS, numbered, busy, off_trade (run from
        home, perhaps), WORDS and KINDS.
    """
    rung = pd.Series(placed["rung"].to_numpy(), records.index)
    near = ~rung.isin(FAR)
    text = (records["name"].fillna("") + ", " + records["address"].fillna("")).str.upper()
    found: dict[str, Any] = {name: rung == name for name in RUNGS}
    found |= {column: near & placed[column].to_numpy() for column in (FITS, HOSTS)}
    found["numbered"] = text.str.contains(r"\d")
    found |= {name: text.str.contains(rf"\b(?:{words})\b(?! (?:{ROADS})\b)") for name, words in WORDS.items()}
    group = _group_kinds(records["kind"])
    found |= {name: group == name for name in KINDS}
    found["busy"] = placed["busy"].to_numpy()
    found["off_trade"] = ~near & ~found["busy"] & group.isin(HOME_KINDS)
    return pd.DataFrame(found, index=records.index).astype(float)


def _group_kinds(kinds: pd.Series) -> pd.Series:
    upper = kinds.astype("str").str.upper()
    group = pd.Series("other", index=kinds.index)
    for name, words in reversed(list(KINDS.items())):
        group = group.mask(upper.str.contains(words), name)
    return group


def tell_chances(features: pd.DataFrame, records: pd.DataFrame, listed_by: pd.Series) -> pd.DataFrame:
    """Tell the probability of each of OUTCOMES.

    Args:
        features: from `describe_features`.
        records: the same businesses, with their address; one without has the chances that calibration.yaml assumes.
        listed_by: food, both or alone (in the directory), which adds the log odds that calibration.yaml assumes.

    Returns:
        A column for each of OUTCOMES, which add to 1, on the index of the records.
    """
    held = read_calibration()
    coefficients = pd.DataFrame(held["coefficients"]).reindex(columns=list(OUTCOMES))
    scores = features.assign(intercept=1.0)[coefficients.index].to_numpy() @ coefficients.to_numpy()
    scores[:, 0] += listed_by.map(held["assumed"]["log_odds_of_directory"]).fillna(0.0).to_numpy()
    chances = pd.DataFrame(softmax(scores, axis=1), columns=list(OUTCOMES), index=records.index)
    withheld = records["address"].isna() & records["postcode"].isna()
    chances.loc[withheld] = np.array([held["assumed"]["address_withheld"][name] for name in OUTCOMES])
    return chances


def name_outcomes(chances: pd.DataFrame) -> pd.Series:
    """Say of each business what is likelier than not, in the words of OUTCOMES, or that it cannot be told."""
    likeliest = chances.idxmax(axis="columns").map(OUTCOMES)
    named: pd.Series = likeliest.where(chances.max(axis="columns") > HALF, UNSURE)
    return named
