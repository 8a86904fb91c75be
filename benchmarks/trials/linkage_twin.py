"""A made-up company register and roll, with the truth about which company pays for which property.

Nothing is a real business. Names are made of syllables, trades and towns, as unevenly as real ones: a few family names
and trades are everywhere, most first words are rare. What makes linking hard is planted at stated rates (`Faults`):
registered offices at the accountant's, thousands to one address; typing errors, other spellings and shortened names;
trading names; names changed since; dissolved companies of the same name; chains; and ratepayers that are in no
register but sound like a company that is.

Everything is drawn by column with numpy and joined with pyarrow: five million companies take well under a minute.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from councilbook.errors import CheckError

Integers = NDArray[np.int64]


def _split_words(words: str) -> list[str]:
    return words.split()


TRADES = _split_words(
    "PROPERTIES SERVICES CONSULTING BUILDERS HOLDINGS SOLUTIONS GROUP ENGINEERING INVESTMENTS TRADING DEVELOPMENTS "
    "DESIGN MANAGEMENT CONSTRUCTION ESTATES TRANSPORT CATERING FOODS RETAIL MOTORS JOINERY PLUMBING ELECTRICAL ROOFING "
    "LOGISTICS MEDIA TRAINING RECRUITMENT CARE HOMES LETTINGS BAKERY BUTCHERS FISHERIES KITCHENS INTERIORS FLOORING "
    "WINDOWS GARAGE TYRES CLEANING SECURITY SCAFFOLDING PLANT HIRE LANDSCAPES NURSERIES PHARMACY DENTAL OPTICIANS "
    "FASHIONS HAIR BEAUTY FITNESS TRAVEL TAXIS PRINT SIGNS PACKAGING STEEL TIMBER FURNITURE CARPETS CONVENIENCE WINES "
    "TAVERNS LEISURE HOTELS EVENTS STUDIO SOFTWARE SYSTEMS TECHNOLOGY ENERGY RENEWABLES FARMS DAIRY SEAFOOD COFFEE"
)
TOWNS = _split_words(
    "MOTHERWELL WISHAW AIRDRIE COATBRIDGE CUMBERNAULD BELLSHILL KILSYTH SHOTTS HAMILTON LANARK FALKIRK STIRLING "
    "PAISLEY GLASGOW EDINBURGH PERTH DUNDEE ABERDEEN AYR LEEDS BRADFORD YORK LONDON BRISTOL LEICESTER DERBY CARDIFF "
    "SWANSEA"
)
AREAS = _split_words("ML G FK EH KA PA DG KY DD AB PH IV LS BD HX HD YO M L B CV NE SW N E W SE BS LE DE CF SA")
HOME_AREA = "ML"
STREETS = _split_words("STREET ROAD AVENUE LANE DRIVE PLACE COURT CRESCENT TERRACE WAY")
SHORT_STREETS = _split_words("ST RD AVE LN DR PL CT CRES TERR WAY")
FORMS = ("LIMITED", "LTD", "LLP", "PLC", "LTD.")
FORM_SHARES = (0.55, 0.39, 0.03, 0.01, 0.02)
USES = ("SHOP", "OFFICE", "WORKSHOP", "WAREHOUSE", "RESTAURANT", "PUBLIC HOUSE", "FACTORY", "STORE", "SURGERY", "HALL")
ONSETS = _split_words("B BR C CL CR D DR F FL G GL GR H J K KN L M MC N P PR QU R S SH SK SL ST T TH TR V W WH Y Z")
MIDDLES = _split_words("A AI AU E EA EE I IE O OA OO OU U")
CODAS = _split_words("B CK D FF G LD LL LM M N ND NG NT P R RD RK RN RT S SK SS ST T TH X")
TAILS = _split_words("A AN BURN BY DALE EN ER FIELD FORD HAM IE INGTON LEY MAN MORE O ON SKI SON STON TON WELL WOOD Y")


COMMON_WORDS = 40.0  # shifts Zipf's law so that the commonest first word has 0.3 % of names, not 7 %


@dataclass(frozen=True)
class Faults:
    """How often what happens, as shares of properties that a registered company pays for (unless said otherwise)."""

    not_registered: float = 0.35  # of all properties: persons (name withheld), public bodies, partnerships
    sounds_alike: float = 0.15  # of these: named like a company that is registered, but another business
    signs_as_company: float = 0.10  # of these with a name: a company of another country, or not in this edition
    office_elsewhere: float = 0.65
    office_in_town: float = 0.15
    letters_to_office: float = 0.35
    typing_error: float = 0.07
    other_spelling: float = 0.25
    form_left_out: float = 0.15
    word_left_out: float = 0.04
    trading_as: float = 0.10
    old_name: float = 0.03
    dissolved_namesake: float = 0.06
    in_a_chain: float = 0.20
    postcode_missing: float = 0.02


@dataclass(frozen=True)
class LinkageTwin:
    """A roll, a company register, and `truth`: property_reference and unique_id of the company that pays."""

    roll: pd.DataFrame
    register: pd.DataFrame
    truth: pd.DataFrame


def make_linkage_twin(
    seed: int, properties: int = 2000, companies: int = 20_000, faults: Faults | None = None
) -> LinkageTwin:
    """Draw a roll of so many properties and a register of so many companies, with the truth between them.

    Frames are those of `fit_linkage`. The same seed and sizes give the same twin. Raises `CheckError` where the
    register is smaller than the roll.
    """
    if companies < properties or properties < 1:
        raise CheckError(f"At least as many companies as properties, and one: {companies} and {properties} asked for")
    faults = faults or Faults()
    random = np.random.default_rng(seed)
    register = _draw_register(random, companies)
    live = np.flatnonzero((register["status"] == "live").to_numpy())
    if len(live) < properties:
        raise CheckError(f"Only {len(live)} of {companies} companies came out live, fewer than {properties} properties")
    payer = _draw_payers(random, properties, live, faults)
    roll, register = _draw_roll(random, register, payer, faults)
    paid = payer >= 0
    truth = pd.DataFrame(
        {"property_reference": roll["property_reference"][paid].to_numpy(), "unique_id": _number(payer[paid])}
    ).astype("string")
    return LinkageTwin(roll, register, truth)


def score_links(links: pd.DataFrame, truth: pd.DataFrame) -> dict[str, float]:
    """Precision, recall and F1 of links (property_reference, unique_id) against the truth, and the counts."""
    keys = ["property_reference", "unique_id"]
    found = links[keys].astype("string").drop_duplicates()
    right = len(found.merge(truth[keys].astype("string").drop_duplicates(), on=keys))
    precision = right / len(found) if len(found) else float("nan")
    recall = right / len(truth) if len(truth) else float("nan")
    f1 = 2 * right / (len(found) + len(truth)) if len(found) + len(truth) else float("nan")
    return {
        "links": len(found),
        "right": right,
        "true_links": len(truth),
        "precision": precision,
        "recall": recall,
        "f1": f1,
    }


# --- the register ---


def _draw_register(random: np.random.Generator, companies: int) -> pd.DataFrame:
    names = _draw_names(random, companies)
    # No two live companies may have one name, whatever its ending (Companies Act 2006, section 66).
    gone = pd.Series(names.to_pandas()).duplicated().to_numpy() | (random.random(companies) < 0.2)
    form = random.choice(len(FORMS), companies, p=FORM_SHARES)
    office = random.random(companies) < 0.35  # at an accountant's or formation agent's
    agents = max(companies // 400, 3)
    agent = _draw_uneven(random, agents, companies, 1.1)
    place = np.where(office, agent, agents + np.arange(companies))
    address, postcode = _draw_addresses(random, agents + companies, place)
    return pd.DataFrame(
        {
            "unique_id": _as_strings(_number(np.arange(companies))),
            "name": _as_strings(pc.binary_join_element_wise(names, _take(FORMS, form), " ")),
            "trading_name": pd.array([pd.NA] * companies, dtype="string"),
            "address": _as_strings(address),
            "postcode": _as_strings(postcode),
            "register": _as_strings(_take(("companies_house",), np.zeros(companies, np.int64))),
            "status": _as_strings(_take(("live", "dissolved"), gone.astype(np.int64))),
            "kind": _as_strings(_take(("Private Limited Company",), np.zeros(companies, np.int64))),
        }
    )


def _draw_names(random: np.random.Generator, size: int) -> pa.Array:
    """Names without their legal form, of eight patterns, words drawn as unevenly as in a real register."""
    words = _make_words(np.random.default_rng(7), 400_000)
    first = words.take(pa.array(_draw_uneven(random, len(words), size, 1.0, COMMON_WORDS)))
    second = words.take(pa.array(_draw_uneven(random, len(words), size, 1.0, COMMON_WORDS)))
    trade = _take(TRADES, _draw_uneven(random, len(TRADES), size, 0.8))
    other = _take(TRADES, _draw_uneven(random, len(TRADES), size, 0.8))
    town = _take([f"({town})" for town in TOWNS], random.integers(0, len(TOWNS), size))
    letters = np.array(list("ABCDEFGHJKLMNPRSTVW"))
    initials = pa.array(np.char.add(np.char.add(random.choice(letters, size), " "), random.choice(letters, size)))
    sons = _take(("& SONS", "BROTHERS", "& CO", "ASSOCIATES", "(UK)", "AND DAUGHTERS"), random.integers(0, 6, size))
    patterns = [
        (first, trade),
        (first, second, trade),
        (first, trade, other),
        (initials, first, trade),
        (first, sons),
        (first, trade, town),
        (first, second),
        (initials, second, sons),
    ]
    shares = np.array([0.30, 0.18, 0.12, 0.10, 0.08, 0.06, 0.12, 0.04])
    joined = [pc.binary_join_element_wise(*parts, " ") for parts in patterns]
    return pc.choose(pa.array(random.choice(len(patterns), size, p=shares)), *joined)


def _make_words(random: np.random.Generator, size: int) -> pa.Array:
    """Made-up words of two syllables or three, all different."""
    drawn = 2 * size
    parts = [
        _take(ONSETS, random.integers(0, len(ONSETS), drawn)),
        _take(MIDDLES, random.integers(0, len(MIDDLES), drawn)),
    ]
    parts += [
        _take(CODAS, random.integers(0, len(CODAS), drawn)),
        _take([*TAILS, *MIDDLES], random.integers(0, 36, drawn)),
    ]
    ends = _take([*[""] * 20, *CODAS], random.integers(0, 45, drawn))
    words = pc.unique(pc.binary_join_element_wise(*parts, ends, ""))
    return words.slice(0, size)


def _draw_addresses(random: np.random.Generator, places: int, place: Integers) -> tuple[pa.Array, pa.Array]:
    """Address and postcode of each record's place: one address a place, one street a postcode."""
    units = max(places // 12, 1)
    unit = random.integers(0, units, places)
    numbers = random.integers(1, 200, places)
    streets = _make_words(np.random.default_rng(11), 20_000)
    ours = np.random.default_rng(13)
    street = streets.take(pa.array(ours.integers(0, len(streets), units)))
    kind = _take(STREETS, ours.integers(0, len(STREETS), units))
    town = _take(TOWNS, ours.integers(0, len(TOWNS), units))
    post = _name_postcodes(ours, units)
    here = pa.array(unit[place])
    number = pc.cast(pa.array(numbers[place]), pa.string())
    line = pc.binary_join_element_wise(number, street.take(here), kind.take(here), " ")
    return pc.binary_join_element_wise(line, town.take(here), ", "), post.take(here)


def _name_postcodes(random: np.random.Generator, units: int) -> pa.Array:
    letters = list("ABDEFGHJLNPQRSTUWXYZ")
    area = _take(AREAS, _draw_uneven(random, len(AREAS), units, 0.3))
    district, sector = (pc.cast(pa.array(random.integers(low, 10, units)), pa.string()) for low in (1, 0))
    pair = [_take(letters, random.integers(0, 20, units)) for _ in range(2)]
    return pc.binary_join_element_wise(
        pc.binary_join_element_wise(area, district, ""), pc.binary_join_element_wise(sector, *pair, ""), " "
    )


def _number(rows: Integers) -> pa.Array:
    return pc.utf8_lpad(pc.cast(pa.array(rows), pa.string()), 8, "0")


# --- the roll ---


def _draw_payers(random: np.random.Generator, properties: int, live: Integers, faults: Faults) -> Integers:
    """The row of the company that pays for each property, -1 where none is registered; chains pay for many."""
    chosen = random.choice(live, properties, replace=False)
    chains = chosen[: max(properties // 60, 1)]
    in_chain = random.random(properties) < faults.in_a_chain
    payer = np.where(in_chain, chains[_draw_uneven(random, len(chains), properties, 0.7)], chosen)
    return np.where(random.random(properties) < faults.not_registered, -1, payer)


def _draw_roll(
    random: np.random.Generator, register: pd.DataFrame, payer: Integers, faults: Faults
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The roll, and the register with what the roll's ratepayers make of it: offices, old names, namesakes."""
    size = len(payer)
    premises = _draw_premises(random, size)
    register = _settle_payers(random, register, payer, premises, faults)
    names, trading = _draw_ratepayers(random, register, payer, faults)
    to_office = (payer >= 0) & (random.random(size) < faults.letters_to_office)
    office = (register["address"] + ", " + register["postcode"]).to_numpy()[np.maximum(payer, 0)]
    own = premises["written"] + ", " + premises["postcode"]
    roll = pd.DataFrame(
        {
            "property_reference": [f"P{number:07}" for number in range(size)],
            "ratepayer_name": names,
            "trading_name": trading,
            "ratepayer_address": np.where(to_office, office, own),
            "address": premises["written"],
            "postcode": premises["postcode"].mask(random.random(size) < faults.postcode_missing),
            "description": [f"{USES[use]} AND PREMISES" for use in random.integers(0, len(USES), size)],
        }
    ).astype("string")
    register = _change_names(random, register, payer, faults)
    return roll, _add_namesakes(random, register, payer, faults)


def _draw_premises(random: np.random.Generator, size: int) -> pd.DataFrame:
    """Where the properties are: written as the register writes an address, and as the roll does; all in one area."""
    streets = _make_words(np.random.default_rng(11), 20_000).to_pylist()
    codes = max(size // 5, 1)
    code = random.integers(0, codes, size)
    street = [streets[random.integers(0, len(streets))] for _ in range(codes)]
    kind = random.integers(0, len(STREETS), codes)
    town = [TOWNS[random.integers(0, 9)] for _ in range(codes)]
    letters = "ABDEFGHJLNPQRSTUWXYZ"
    posts = [
        f"{HOME_AREA}{random.integers(1, 10)} {random.integers(0, 10)}{letters[random.integers(0, 20)]}"
        f"{letters[random.integers(0, 20)]}"
        for _ in range(codes)
    ]
    number = random.integers(1, 120, size)
    unit = np.where(random.random(size) < 0.15, random.integers(1, 30, size), 0)
    formal = [f"{number[i]} {street[code[i]]} {STREETS[kind[code[i]]]}, {town[code[i]]}" for i in range(size)]
    short = random.random(size) < 0.5
    written = [
        (f"UNIT {unit[i]}, " if unit[i] else "")
        + f"{number[i]}, {street[here]} {(SHORT_STREETS if short[i] else STREETS)[kind[here]]}, {town[here]}"
        for i, here in enumerate(code)
    ]
    return pd.DataFrame({"formal": formal, "written": written, "postcode": [posts[here] for here in code]})


def _settle_payers(
    random: np.random.Generator, register: pd.DataFrame, payer: Integers, premises: pd.DataFrame, faults: Faults
) -> pd.DataFrame:
    """Some companies that pay have their office at the property they pay for, some elsewhere in its town."""
    paid, first = np.unique(payer, return_index=True)
    paid, first = paid[paid >= 0], first[paid >= 0]
    drawn = random.random(len(paid))
    at_home = drawn >= faults.office_elsewhere + faults.office_in_town
    in_town = (drawn >= faults.office_elsewhere) & ~at_home
    other = random.integers(0, len(premises), len(paid))
    source = np.where(at_home, first, other)[at_home | in_town]
    rows = paid[at_home | in_town]
    columns = {name: register[name].to_numpy(dtype=object, copy=True) for name in ("address", "postcode")}
    columns["address"][rows] = premises["formal"].to_numpy()[source]
    columns["postcode"][rows] = premises["postcode"].to_numpy()[source]
    return register.assign(**{name: pd.array(values, dtype="string") for name, values in columns.items()})


def _draw_ratepayers(
    random: np.random.Generator, register: pd.DataFrame, payer: Integers, faults: Faults
) -> tuple[list[str | None], list[str | None]]:
    """Ratepayer and trading name of each property: a company's as people write it, another business's, or withheld."""
    legal = register["name"].to_numpy(dtype=object)
    strangers = _draw_names(random, len(payer)).to_pylist()
    names: list[str | None] = []
    trading: list[str | None] = []
    for number, row in enumerate(payer):
        name, other = None, None
        if row >= 0:
            name = _spell(random, str(legal[row]), faults)
            if random.random() < faults.trading_as:
                other = f"{strangers[number]}"
                name, other = (f"{name} T/A {other}", None) if random.random() < 0.5 else (name, other)
        elif random.random() < faults.sounds_alike:
            name = _sound_alike(random, str(legal[random.integers(0, len(legal))]))
        elif random.random() < 0.4:
            name = strangers[number]
        if row < 0 and name and random.random() < faults.signs_as_company:
            name = f"{name} LTD"
        names.append(name)
        trading.append(other)
    return names, trading


def _spell(random: np.random.Generator, name: str, faults: Faults) -> str:
    """A company's name as somebody keys it in."""
    words = name.split()
    if random.random() < faults.form_left_out:
        words = words[:-1]
    elif random.random() < faults.other_spelling:
        words[-1] = {"LIMITED": "LTD", "LTD": "LIMITED", "LTD.": "LTD"}.get(words[-1], words[-1])
    if len(words) > 3 and random.random() < faults.word_left_out:
        del words[random.integers(1, len(words) - 1)]
    if random.random() < faults.other_spelling:
        swaps = {"&": "AND", "AND": "&", "BROTHERS": "BROS", "ENGINEERING": "ENG", "SERVICES": "SVCS", "GROUP": "GRP"}
        words = [swaps.get(word, word) for word in words]
    if random.random() < faults.typing_error:
        place = max(range(len(words)), key=lambda at: len(words[at])) if random.random() < 0.5 else 0
        words[place] = _mistype(random, words[place])
    return " ".join(words).title() if random.random() < 0.5 else " ".join(words)


def _mistype(random: np.random.Generator, word: str) -> str:
    if len(word) < 4:
        return word
    at = int(random.integers(1, len(word) - 1))
    letter = "ABCDEFGHIJKLMNOPRSTUVWY"[random.integers(0, 23)]
    changed = (
        word[:at] + word[at + 1 :],
        word[:at] + letter + word[at:],
        word[:at] + letter + word[at + 1 :],
        word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :],
    )
    return changed[random.integers(0, 4)]


def _sound_alike(random: np.random.Generator, name: str) -> str:
    """Another business with the same first words: its last word is another one, and it may have no legal form."""
    words = name.split()[:-1]
    words[-1] = TRADES[random.integers(0, len(TRADES))]
    return " ".join(words)


def _change_names(random: np.random.Generator, register: pd.DataFrame, payer: Integers, faults: Faults) -> pd.DataFrame:
    """Some companies that pay took another name since; the register has the roll's as one of its earlier names."""
    paid = np.unique(payer[payer >= 0])
    changed = paid[random.random(len(paid)) < faults.old_name]
    names = register["name"].to_numpy(dtype=object, copy=True)
    earlier = register["trading_name"].to_numpy(dtype=object, copy=True)
    earlier[changed] = names[changed]
    names[changed] = [
        f"{name} LIMITED" for name in _draw_names(random, max(len(changed), 1)).to_pylist()[: len(changed)]
    ]
    return register.assign(name=pd.array(names, dtype="string"), trading_name=pd.array(earlier, dtype="string"))


def _add_namesakes(
    random: np.random.Generator, register: pd.DataFrame, payer: Integers, faults: Faults
) -> pd.DataFrame:
    """Dissolved companies that had the name of one that pays: they take the rows of companies that pay nothing."""
    paid = np.unique(payer[payer >= 0])
    named = paid[random.random(len(paid)) < faults.dissolved_namesake]
    free = np.setdiff1d(random.choice(len(register), min(len(register), 4 * len(paid) + 10), replace=False), paid)
    taken, named = free[: len(named)], named[: len(free)]
    names = register["name"].to_numpy(dtype=object, copy=True)
    status = register["status"].to_numpy(dtype=object, copy=True)
    names[taken], status[taken] = names[named], "dissolved"
    return register.assign(name=pd.array(names, dtype="string"), status=pd.array(status, dtype="string"))


# --- columns ---


def _draw_uneven(random: np.random.Generator, kinds: int, size: int, exponent: float, shift: float = 0.0) -> Integers:
    """Which of so many kinds, the k-th drawn in proportion to (k + shift) to the minus exponent (Zipf, Mandelbrot)."""
    shares = np.cumsum((np.arange(1, kinds + 1, dtype=float) + shift) ** -exponent)
    drawn: Integers = np.searchsorted(shares, random.random(size) * shares[-1]).astype(np.int64)
    return drawn


def _take(words: "list[str] | tuple[str, ...]", rows: Integers) -> pa.Array:
    return pa.array(words, pa.string()).take(pa.array(rows))


def _as_strings(values: pa.Array) -> pd.api.extensions.ExtensionArray:
    return pd.Series(values.to_pandas()).astype("string").array
