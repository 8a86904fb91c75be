"""Names and addresses of businesses brought to one form, so that registers can be compared.

Everything is SQL that DuckDB runs on whole columns: a register of 5 million companies is cleaned in seconds, and the
same expressions clean a handful of rows in a test. Words that everybody writes in two ways are brought to the shorter
one (STREET is ST, and so is SAINT: what is lost is the same on both sides), legal forms go, and a name in two parts
(SMITH LTD T/A THE FRYER) is taken for two names.
"""

from collections.abc import Sequence

# What stands between words; the apostrophe and the full stop do not (O'BRIEN, J.D.).
BREAKS = '&+-_,;:()[]{}/\\"!?*#@%^=<>|~£$€–—“”•\t\n\r\v\f\u00a0'
JOINS = "'’‘`´."
STOP_WORDS = ("AND", "THE", "LTD", "LIMITED", "PLC", "LLP", "CYF", "CYFYNGEDIG", "CIC", "CIO", "INC", "LLC")
NAME_WORDS = {
    "BROS": "BROTHERS",
    "CENTER": "CENTRE",
    "CTR": "CENTRE",
    "CO": "COMPANY",
    "CONSTR": "CONSTRUCTION",
    "ENG": "ENGINEERING",
    "ENGRS": "ENGINEERS",
    "GRP": "GROUP",
    "HLDGS": "HOLDINGS",
    "INTL": "INTERNATIONAL",
    "MFG": "MANUFACTURING",
    "MGMT": "MANAGEMENT",
    "PROPS": "PROPERTIES",
    "SAINT": "ST",
    "SVCS": "SERVICES",
    "TECH": "TECHNOLOGY",
    "ONE": "1",
    "TWO": "2",
    "THREE": "3",
    "FOUR": "4",
    "FIVE": "5",
    "SIX": "6",
    "SEVEN": "7",
    "EIGHT": "8",
    "NINE": "9",
    "TEN": "10",
    "FIRST": "1ST",
    "SECOND": "2ND",
    "THIRD": "3RD",
}
ADDRESS_WORDS = {
    "APARTMENT": "FLAT",
    "APT": "FLAT",
    "AVENUE": "AVE",
    "AV": "AVE",
    "BLDG": "BUILDING",
    "BLDGS": "BUILDINGS",
    "BLVD": "BOULEVARD",
    "BLV": "BOULEVARD",
    "BUS": "BUSINESS",
    "CENTER": "CENTRE",
    "CTR": "CENTRE",
    "CLOSE": "CL",
    "COURT": "CT",
    "CRESCENT": "CRES",
    "DRIVE": "DR",
    "EST": "ESTATE",
    "FIRST": "1ST",
    "FLR": "FLOOR",
    "GARDENS": "GDNS",
    "GND": "GROUND",
    "GRD": "GROUND",
    "GROVE": "GR",
    "INDUSTRIAL": "IND",
    "LANE": "LN",
    "PARADE": "PDE",
    "PK": "PARK",
    "PLACE": "PL",
    "ROAD": "RD",
    "SAINT": "ST",
    "SECOND": "2ND",
    "THIRD": "3RD",
    "FOURTH": "4TH",
    "FIFTH": "5TH",
    "SIXTH": "6TH",
    "SEVENTH": "7TH",
    "EIGHTH": "8TH",
    "NINTH": "9TH",
    "TENTH": "10TH",
    "STS": "ST",
    "SQUARE": "SQ",
    "STREET": "ST",
    "TERRACE": "TERR",
    "TRADG": "TRADING",
    "UNITS": "UNIT",
}
ROOMS = ("UNIT", "SUITE", "FLAT", "ROOM", "OFFICE", "STALL", "KIOSK", "SHOP", "BLOCK", "BAY", "PLOT")
ADDRESS_STOP_WORDS = ("AND", "THE", "AT", "OF", "REAR", "GROUND", "FLOOR", "PREMISES", "UNITED", "KINGDOM", *ROOMS)
# What a place is for, as descriptions of properties and of food businesses say it; a cafe is often rated as a shop.
USES = {
    "no kitchen": "ADVERT|CAR ?PARK|PARKING|A ?T ?M|CASH ?POINT|MAST|COMMUNICATION STATION|SUBSTATION|SITE OF|GARAGE",
    "education": "SCHOOL|COLLEGE|NURSER|ACADEMY|UNIVERSITY|CHILD|DAY NURS",
    "care": "HOSPITAL|CARE |CARING|CLINIC|SURGERY|HOSPICE|RESIDENTIAL",
    "hotel": "HOTEL|GUEST|BED & BREAKFAST|HOLIDAY|CAMP|HOSTEL",
    "pub": "PUB|CLUB|BAR|INN|LICENSED",
    "shop": "RESTAURANT|CAFE|CANTEEN|TAKEAWAY|SANDWICH|FOOD COURT|SHOP|RETAIL|SUPERMARKET|STORE|KIOSK|PHARMAC|MARKET|"
    "PETROL|FILLING|SALON|SHOWROOM|BETTING",
    "making": "WORKS|FACTORY|WAREHOUSE|MANUFACTUR|PACKER|DISTRIBUT|TRANSPORT|IMPORT|DEPOT|BAKERY",
    "farm": "FARM|GROWER|PRODUCER|LIVERY|STABLE|LAND",
    "office": "OFFICE|BANK|STUDIO",
}
POSTCODE = "([A-Z]{1,2}[0-9][A-Z0-9]?) ?([0-9][A-Z]{2})"
TRADING_AS = r"\s+(?:T/?\s?A|TRADING AS|C/?O)[\s:]+"
LONGEST_RANGE = 20  # of house numbers that are written as 10-20 and meant as each of them


def write_text_sql(column: str) -> str:
    """SQL of a text in capitals without accents, punctuation or double spaces; NULL stays NULL."""
    gaps = " " * len(BREAKS)
    breaks = BREAKS.replace("'", "''")
    return f"translate(translate(upper(strip_accents({column})), '{breaks}', '{gaps}'), '{_quote(JOINS)}', '')"


def write_words_sql(column: str, words: dict[str, str], stop_words: Sequence[str]) -> str:
    """SQL of the list of a text's words, each in its usual form, without stop words, NULL where none is left.

    A text of stop words alone ("THE LIMITED") keeps them.
    """
    split = f"list_filter(string_split({write_text_sql(column)}, ' '), lambda x: x <> '')"
    usual = f"list_transform({split}, lambda x: coalesce({write_map_sql(words)}[x], x))"
    kept = f"list_filter({usual}, lambda x: x not in ({', '.join(_literal(word) for word in stop_words)}))"
    return f"nullif(CASE WHEN len({kept}) > 0 THEN {kept} ELSE {usual} END, [])"


def write_names_sql(column: str) -> str:
    """SQL of the list of names in a text: what stands before and after T/A, and between semicolons."""
    upper = f"upper({column})"
    parted = f"regexp_split_to_array({upper}, '{TRADING_AS}|;')"
    marked = f"(contains({upper}, '/') OR contains({upper}, 'TRADING AS') OR contains({upper}, ';') OR "
    marked += f"contains({upper}, ' TA '))"
    return f"CASE WHEN {column} IS NULL THEN [] WHEN {marked} THEN {parted} ELSE [{upper}] END"


def write_postcode_sql(column: str) -> str:
    """SQL of the last postcode in a text as "ML1 1AA", NULL where there is none."""
    found = f"list_last(regexp_extract_all(upper({column}), '\\b{POSTCODE}\\b'))"
    return f"regexp_replace({found}, '^{POSTCODE}$', '\\1 \\2')"


def write_rooms_sql(column: str) -> str:
    """SQL of an address in capitals without its postcode, where UNIT 4 has become one word, U4."""
    bare = f"regexp_replace(upper(strip_accents({column})), '\\b{POSTCODE}\\b', ' ', 'g')"
    rooms = "|".join(ROOMS)
    return f"regexp_replace({bare}, '\\b(?:{rooms})S?\\s+(?:NO\\.?\\s*)?([0-9]+[A-Z]?|[A-Z])\\b', ' U\\1 ', 'g')"


def write_numbers_sql(column: str) -> str:
    """SQL of the list of an address's numbers, of houses ("5", "5A") and of rooms ("U4"); 10-14 gives 10, 12 and
    14, for one side of a street is even, and 10-13 all of 10 to 13.

    NULL where the address has none.
    """
    text = write_rooms_sql(column)
    single = f"regexp_extract_all({text}, '\\b(U?[0-9]{{1,5}}[A-Z]?|U[A-Z])\\b', 1)"
    spans = f"regexp_extract_all({text}, '\\b([0-9]{{1,4}} ?[-/] ?[0-9]{{1,4}})\\b', 1)"
    low = "TRY_CAST(trim(string_split_regex(s, '[-/]')[1]) AS INTEGER)"
    high = "TRY_CAST(trim(string_split_regex(s, '[-/]')[2]) AS INTEGER)"
    step = f"CASE WHEN ({high} - {low}) % 2 = 0 AND {high} > {low} THEN 2 ELSE 1 END"
    filled = (
        f"flatten(list_transform({spans}, lambda s: CASE WHEN {high} - {low} BETWEEN 0 AND {LONGEST_RANGE} "
        f"THEN list_transform(range({low}, {high} + 1, {step}), "
        "lambda i: CAST(i AS VARCHAR)) ELSE [] END))"
    )
    return f"nullif(list_sort(list_distinct(list_concat({single}, {filled}))), [])"


def write_address_words_sql(column: str) -> str:
    """SQL of the list of an address's distinct words without numbers, rooms and postcode; NULL where none is left."""
    words = write_words_sql(write_rooms_sql(column), ADDRESS_WORDS, ADDRESS_STOP_WORDS)
    plain = "regexp_matches(x, '^U?[0-9]+[A-Z]?$|^U[A-Z]$')"  # 54TH STREET keeps its name
    return f"nullif(list_sort(list_distinct(list_filter({words}, lambda x: NOT {plain}))), [])"


def write_use_sql(column: str) -> str:
    """SQL of what a place is for: the first of USES that a description matches, NULL where none does."""
    cases = " ".join(f"WHEN regexp_matches(upper({column}), '{USES[use]}') THEN '{use}'" for use in USES)
    return f"CASE {cases} END"


def write_map_sql(words: dict[str, str]) -> str:
    """SQL of a map of words, as NULL for those that it has not."""
    return "MAP {" + ", ".join(f"{_literal(key)}: {_literal(value)}" for key, value in words.items()) + "}"


def _literal(text: str) -> str:
    return f"'{_quote(text)}'"


def _quote(text: str) -> str:
    return text.replace("'", "''")
