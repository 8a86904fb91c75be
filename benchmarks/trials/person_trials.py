"""How often would a person's name get out, by origin of the name and by style, and how many organisations stay?

Names are made by Faker (MIT licence) for many origins, put into the styles in which rolls write people, and classified
as a roll would be. A trial counts as a leak if a word of the person's name is in what would be released.

Sources:
    Clopper and Pearson (1934), The use of confidence or fiducial limits illustrated in the case of the binomial,
    Biometrika 26(4), on the interval.
    Unicode character names, on letters of Indian scripts in Latin letters.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd
from faker import Faker
from scipy.stats import beta

from councilbook.business_rates.names.person_words import KnownNames, fold_letters, read_known_names
from councilbook.business_rates.names.persons import classify_parties
from councilbook.errors import CheckError

Classify = Callable[[pd.DataFrame, pd.DataFrame | None, pd.DataFrame | None], pd.Series]

# how each origin is called on a page; romanised: its own letters written in Latin ones
ORIGINS: Mapping[str, str] = {
    "en_GB": "British",
    "ga_IE": "Irish",
    "en_IE": "Irish, in English",
    "cs_CZ": "Czech",
    "pl_PL": "Polish",
    "sk_SK": "Slovak",
    "ro_RO": "Romanian",
    "hu_HU": "Hungarian",
    "lt_LT": "Lithuanian",
    "lv_LV": "Latvian",
    "it_IT": "Italian",
    "es_ES": "Spanish",
    "pt_PT": "Portuguese",
    "fr_FR": "French",
    "de_DE": "German",
    "nl_NL": "Dutch",
    "tr_TR": "Turkish",
    "az_AZ": "Azerbaijani",
    "uz_UZ": "Uzbek",
    "en_IN": "Indian, in English",
    "en_PK": "Pakistani, in English",
    "hi_IN": "Hindi, romanised",
    "gu_IN": "Gujarati, romanised",
    "ta_IN": "Tamil, romanised",
    "bn_BD": "Bengali, romanised",
    "ne_NP": "Nepali, romanised",
    "si_LK": "Sinhala, romanised",
    "fr_DZ": "Algerian, in French",
    "sw": "Swahili",
    "en_KE": "Kenyan, in English",
    "en_NG": "Nigerian, in English",
    "ha_NG": "Hausa",
    "ig_NG": "Igbo",
    "yo_NG": "Yoruba",
    "tw_GH": "Twi",
    "zu_ZA": "Zulu",
    "vi_VN": "Vietnamese",
    "zh_CN": "Chinese, romanised",
    "ja_JP": "Japanese, romanised",
    "id_ID": "Indonesian",
    "en_TH": "Thai, in English",
    "ar_AA": "Arabic, own letters",
    "fa_IR": "Persian, own letters",
    "ru_RU": "Russian, own letters",
    "uk_UA": "Ukrainian, own letters",
    "el_GR": "Greek, own letters",
}
_ROMANISED_BY_FAKER = ("zh_CN", "ja_JP")
_INDIAN_SCRIPTS = ("hi_IN", "gu_IN", "ta_IN", "bn_BD", "ne_NP", "si_LK")

# {g} given name, {s} surname, {i} {j} initials, {G} {S} {I} of another person; {c} a company's name without its form
STYLES: Mapping[str, str] = {
    "full name": "{g} {s}",
    "surname first": "{s} {g}",
    "surname, comma, given name": "{s}, {g}",
    "two initials and a surname": "{i} {j} {s}",
    "initials with dots": "{i}.{j}. {s}",
    "surname and initial": "{s} {i}",
    "surname and initials": "{s} {i} {j}",
    "surname and joined initials": "{s} {i}{j}",
    "Mr": "Mr {g} {s}",
    "Mrs with an initial": "Mrs {i} {s}",
    "Dr and Partners": "Dr {g} {s} & Partners",
    "Messrs": "Messrs {s} & {S}",
    "two people": "{g} {s} & {G} {S}",
    "two people by initials": "{i} {s} and {I} {S}",
    "and Sons": "{s} & Sons",
    "Bros": "{s} Bros",
    "Executors of the late": "Executors Of The Late {g} {s}",
    "Trustees": "Trustees Of {g} {s}",
    "T/A a shop": "{g} {s} T/A {c}",
    "T/A a company": "{g} {s} T/A {c} Ltd",
    "trading as a company": "{i} {s} Trading As {c} Limited",
    "name and trade": "{g} {s} Plumbing",
    "surname and trade": "{s} Solicitors",
    "surname and Co": "{s} & Co",
    "care of a company": "{g} {s} c/o {c} Ltd",
    "company, care of": "{c} Limited c/o {g} {s}",
    "beside a company": "{g} {s} & {c} Ltd",
    "initial beside a company": "{i} {s} and {c} Limited",
    "surname with initial beside a company": "{s} {i} & {c} Ltd",
    "company and a person": "{c} Ltd & {g} {s}",
    "comma, company": "{g} {s}, {c} Ltd",
    "stroke, company": "{g} {s} / {c} PLC",
    "director of a company": "{g} {s} (Director Of {c} Ltd)",
    "of a company": "{g} {s} Of {c} Ltd",
    "formerly a company": "{g} {s} formerly {c} Limited",
    "company T/A a person": "{c} Ltd T/A {g} {s}",
    "limited in free text": "{g} {s} limited use of {c}",
    "at a council": "Kirklees Council - {g} {s}",
    "council, care of": "{g} {s} c/o North Lanarkshire Council",
    "clerk to a parish council": "{g} {s} Clerk To Otley Parish Council",
    "look-alike letters": "{g} {s} T/\u0410 {c} Ltd",
    "company, person in brackets": "{c} Ltd ({g} {s})",
    "person, company in brackets": "{g} {s} ({c} Ltd)",
    "company, then a person": "{c} Ltd {g} {s}",
    "dash, company": "{g} {s} - {c} Ltd",
    "long dash, company": "{g} {s} \u2013 {c} Ltd",
    "new line, company": "{g} {s}\n{c} Ltd",
    "columns run together": "{g} {s}     {c} Ltd",
    "star, company": "{g} {s} * {c} Ltd",
    "ta with no stroke": "{g} {s} ta {c} Ltd",
    "on behalf of": "{g} {s} obo {c} Ltd",
    "also known as": "{g} {s} aka {c} Ltd",
    "now a company": "{g} {s} now {c} Ltd",
    "director, no mark": "{g} {s} Director {c} Ltd",
    "tenant of a company": "{g} {s} Tenant {c} Ltd",
    "pension fund": "{g} {s} Pension Fund {c} Ltd",
    "not limited": "{g} {s} Not Ltd",
    "surname, initial, company": "{s} {i} {c} Ltd",
    "council and a person": "Kirklees Council {g} {s}",
    "two letters of a form": "{s} LP",
    "incorporated": "{g} {s} Incorporated",
    "occupier": "Occupier {g} {s}",
}
# A person runs into an organisation, with no mark: only where words are no plain words is a person suspected.
UNMARKED: Mapping[str, str] = {
    "runs into a company": "{g} {s} {c} Ltd",
    "runs into a parish council": "{g} {s} Parish Council",
    "runs into a school": "{g} {s} Primary School",
    "runs into a housing association": "{g} {s} Housing Association",
}
COMPANIES = (
    "Zigzag Bakery",
    "Quayside Tyres",
    "Blue Kettle Cafe",
    "Northgate Windows",
    "Signal Box Catering",
    "Peppercorn Foods",
)
TRIAL_COLUMNS = ["origin", "style", "n", "leaked", "leaked_pct", "upper_95_pct"]
ALL = "All"


def make_people(origin: str, size: int, seed: int) -> pd.DataFrame:
    """Draw names of people of one origin.

    Args:
        origin: a locale of ORIGINS.
        size: how many.
        seed: of the draw.

    Returns:
        given and surname, a row a person; in Latin letters unless the origin says otherwise.

    Raises:
        CheckError: the origin is unknown.
    """
    if origin not in ORIGINS:
        raise CheckError(f"No names of origin {origin}. Known: {', '.join(ORIGINS)}.")
    faker = Faker(origin)
    faker.seed_instance(seed)
    if origin in _ROMANISED_BY_FAKER:
        pairs = [(faker.first_romanized_name(), faker.last_romanized_name()) for _ in range(size)]
    else:
        pairs = [(faker.first_name(), faker.last_name()) for _ in range(size)]
    people = pd.DataFrame(pairs, columns=["given", "surname"], dtype="str")
    return people.map(_romanise_indian) if origin in _INDIAN_SCRIPTS else people


def _romanise_indian(text: str) -> str:
    """Write Indian letters in Latin ones, by their Unicode names.

    A consonant keeps its A unless a vowel sign follows.
    """
    letters: list[str] = []
    for sign in unicodedata.normalize("NFC", text):
        name = unicodedata.name(sign, "")
        found = re.search(r"(LETTER|VOWEL SIGN|VIRAMA|AL-LAKUNA|SIGN ANUSVARA|PULLI) ?([A-Z]*)", name)
        if sign == " ":
            letters.append(" ")
        elif found and found[1] == "VOWEL SIGN":
            letters[-1:] = [letters[-1].removesuffix("A") + found[2]] if letters else [found[2]]
        elif found and found[1] == "LETTER":
            letters.append(found[2])
        elif found and found[1] == "SIGN ANUSVARA":
            letters.append("N")
        elif found and letters:
            letters[-1] = letters[-1].removesuffix("A")
    return "".join(letters).title()


def write_in_styles(people: pd.DataFrame, seed: int, styles: Mapping[str, str] = STYLES) -> pd.DataFrame:
    """Write each person in every style, half of them in capitals.

    Args:
        people: from `make_people`.
        seed: of who is beside whom, and of which company.
        styles: a pattern a style, as in STYLES.

    Returns:
        style, ratepayer_name, and person: given and surname of all who are in it.
    """
    chance = np.random.default_rng(seed)
    others = people.iloc[chance.permutation(len(people))].reset_index(drop=True)
    companies = chance.choice(COMPANIES, len(people))
    rows = []
    for (style, pattern), (place, (given, surname)) in product(
        styles.items(), enumerate(people.itertuples(index=False, name=None))
    ):
        other = others.iloc[place] if "{S}" in pattern else {"given": "", "surname": ""}
        words = {"g": given, "s": surname, "i": given[:1], "j": surname[-1:].upper(), "c": companies[place]}
        words |= {"G": other["given"], "S": other["surname"], "I": other["given"][:1]}
        name = pattern.format_map(words)
        rows.append(
            (style, name.upper() if place % 2 else name, f"{given} {surname} {other['given']} {other['surname']}")
        )
    return pd.DataFrame(rows, columns=["style", "ratepayer_name", "person"], dtype="str")


def evaluate_parties(
    origins: Sequence[str] = tuple(ORIGINS),
    people: int = 100,
    seed: int = 1,
    *,
    linked: bool = False,
    hold_out: bool = True,
    styles: Mapping[str, str] = STYLES,
    classify: Classify | None = None,
) -> pd.DataFrame:
    """Measure how often a person's name would be released, by origin of the name and by style.

    Args:
        origins: locales of ORIGINS.
        people: how many of each origin; each is written in every style.
        seed: of the draw.
        linked: the worst that a register can do: every row is linked for certain to live companies that bear the
            person's own name, and the whole of what the roll says, each with Limited after it.
        hold_out: leave the names of an origin out of those that add suspicion when it is tried, as if nobody had known
            them.
        styles: as in STYLES; UNMARKED has those in which a name may get out.
        classify: another method to try, from roll, register and links to released names; `classify_parties` if None.

    Returns:
        TRIAL_COLUMNS: a row an origin and style, with one of ALL styles for each origin, of ALL origins for each style,
        and of both. upper_95_pct is the upper end of the two-sided 95 % interval of Clopper and Pearson.
    """
    trials = []
    for place, origin in enumerate(origins):
        roll = write_in_styles(make_people(origin, people, seed + place), seed + place, styles)
        roll["property_reference"] = [f"{origin}-{row}" for row in range(len(roll))]
        register, links = _link_to_namesakes(roll) if linked else (None, None)
        if classify is None:
            known = read_known_names(origin if hold_out else None)
            released = classify_parties(roll, register, links, known=known)["released_name"]
        else:
            released = classify(roll, register, links)
        trials.append(roll.assign(origin=ORIGINS[origin], leaked=find_leaks(roll["person"], released)))
    every = pd.concat(trials, ignore_index=True)
    parts = [every, every.assign(style=ALL), every.assign(origin=ALL), every.assign(style=ALL, origin=ALL)]
    counts = (
        pd.concat(parts).groupby(["origin", "style"], sort=False)["leaked"].agg(n="size", leaked="sum").reset_index()
    )
    counts["leaked_pct"] = 100 * counts["leaked"] / counts["n"]
    counts["upper_95_pct"] = 100 * bound_share(counts["leaked"], counts["n"])
    return counts[TRIAL_COLUMNS]


def bound_share(found: pd.Series, of: pd.Series) -> pd.Series:
    """Return the upper end of the two-sided 95 % interval of Clopper and Pearson for shares, 0 to 1."""
    upper = beta.ppf(0.975, found + 1, of - found)
    return pd.Series(np.where(found < of, upper, 1.0), index=found.index)


def find_leaks(people: pd.Series, released: pd.Series) -> pd.Series:
    """Tell in which rows a word of a person's name, of two letters or more, is in what would be released.

    Args:
        people: names of all the people in a row.
        released: what would be released, NA if nothing, in the same order.
    """
    leaked = []
    for person, text in zip(people, released, strict=True):
        words = set() if pd.isna(text) else set(re.findall(r"\w{2,}", fold_letters(text)))
        leaked.append(bool(words & set(re.findall(r"\w{2,}", fold_letters(person)))))
    return pd.Series(leaked, index=people.index, dtype="bool")


def _link_to_namesakes(roll: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    names = pd.concat([roll["person"].str.split().str[:2].str.join(" "), roll["ratepayer_name"]]) + " LIMITED"
    ids = [f"{number:08d}" for number in range(len(names))]
    register = pd.DataFrame(
        {"unique_id": ids, "name": names.to_numpy(), "register": "companies_house", "status": "live"}
    )
    references = np.tile(roll["property_reference"].to_numpy(), 2)
    links = pd.DataFrame({"property_reference": references, "unique_id": ids, "register": "companies_house"})
    return register, links.assign(match_probability=1.0)


def evaluate_kept(organisations: pd.DataFrame, known: KnownNames | None = None) -> pd.DataFrame:
    """Measure how many names of organisations would be released, with and without their register.

    Args:
        organisations: name (as a roll might write it), source, register (one of those that `classify_parties` takes,
            NA if in none) and registered_name.

    Returns:
        A row a source, and one of ALL: source, n, kept_pct (by wording alone) and kept_linked_pct (each linked to its
        own entry).
    """
    roll = organisations.reset_index(drop=True)
    roll = roll.assign(property_reference=roll.index.astype("str"), ratepayer_name=roll["name"])
    is_in = roll["register"].notna()
    register = pd.DataFrame(
        {
            "unique_id": roll["property_reference"],
            "register": roll["register"],
            "name": roll["registered_name"],
            "status": "live",
        }
    )[is_in]
    links = register[["register", "unique_id"]].assign(
        property_reference=roll.loc[is_in, "property_reference"], match_probability=1.0
    )
    roll["alone"] = classify_parties(roll, known=known)["released_name"].notna()
    roll["linked"] = classify_parties(roll, register, links, known=known)["released_name"].notna()
    both = pd.concat([roll, roll.assign(source=ALL)])
    kept = both.groupby("source", sort=False).agg(
        n=("alone", "size"), alone=("alone", "mean"), linked=("linked", "mean")
    )
    kept = kept.assign(kept_pct=100 * kept.pop("alone"), kept_linked_pct=100 * kept.pop("linked"))
    return kept.reset_index()
