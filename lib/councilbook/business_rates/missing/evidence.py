"""Where on the roll a business of a register may be, though no link was found: the nearest property, and how near.

A supermarket is rated by another postcode, a pub by its house number, a hospital's shop within the hospital. So all
properties near a business are looked at (its postcode, its street, its number, the words of its name and building),
and the one that comes first in `RUNGS` is kept: the further down, the likelier it is that no bill goes to the business.

A word tells a building or a business if few postcodes of the roll have it; words of streets are set aside, as all
properties of a street share them.
"""

from collections.abc import Mapping
from typing import Any

import duckdb
import pandas as pd

from councilbook.methods.linkage.cleaning import (
    write_address_words_sql,
    write_numbers_sql,
    write_postcode_sql,
    write_rooms_sql,
    write_use_sql,
)

RUNGS: Mapping[str, str] = {
    "door": "its number and postcode are on the roll",
    "street_number": "its number and street are on the roll, with another postcode",
    "name_nearby": "a property nearby has its name",
    "building": "its building is on the roll",
    "other_letter": "its number is on the roll with another letter",
    "school_nearby": "a school nearby is on the roll that nothing is linked to",
    "kind_in_street": "its street has a property of its kind, without a number, that nothing is linked to",
    "street_alone": "its postcode has a property of its kind that has neither number nor name",
    "street_taken": "its postcode has such a property, in which another business is",
    "kind_nearby": "its postcode has a property of its kind with a name of its own",
    "others_nearby": "its postcode has properties of other kinds",
    "other_numbers": "its postcode is on the roll, but its number is not",
    "street": "its street is on the roll, but its postcode is not",
    "nothing": "neither its street nor its postcode is on the roll",
}
FITS, HOSTS = "fits", "hosts"
STREETS = (
    "STREET|ST|ROAD|RD|LANE|LN|AVENUE|AVE|DRIVE|DR|PLACE|PL|TERRACE|CRESCENT|CLOSE|GROVE|SQUARE|PARADE|ROW|HILL|WAY|"
    "WALK|GATE|YARD|COURT|MOUNT|BANK|GREEN|PROMENADE|VIEW|RISE|FOLD|ARCADE|MEWS|GARDENS|BROW|SIDE|WHARF|QUAY|WYND|BRAE"
)
# Bits: log2 of how many times more postcodes there are than have a word. A name counts from one in 100, a building or
# a name further off from one in 180; words that more than one in 16 have are places' and tell nothing.
NAME_BITS, BUILDING_BITS, LEAST_BITS = 6.6, 7.5, 4.0
TOGETHER_BITS, SAME_WORDS = 10.0, 0.7  # words that are none of them rare tell a building if most of it is the same
ALIKE = 0.5  # of the bits of a building's words, those that both sides have
WHOLE = "'pub', 'hotel', 'care'"  # kinds of which a street seldom has two
SERVING = ("pub", "shop", "hotel")  # a cafe is often rated as a shop, and a bar as a restaurant
HOSTING = ("education", "care", "hotel", "making", "office")  # within which others cook and sell
BUSY = 6  # properties at a postcode, from which people seldom live there
LARGE_GBP = 50_000  # of rateable value, from which a property may have others in it


def find_places(records: pd.DataFrame, roll: pd.DataFrame, taken: "pd.Series[str]") -> pd.DataFrame:
    """Find the property that each record of a register is nearest to.

    Args:
        records: unique_id (of registers of their own), name, address, postcode and kind; a row a business.
        roll: the roll.
        taken: references of properties that something is linked to.

    Returns:
        unique_id, property_reference (missing where nothing is near), rung (of RUNGS), fits (the property is of the
        kind of the business), hosts (it is of a kind, or a size, that others are in) and busy (its postcode has BUSY
        properties or more), in the order of the records.
    """
    with duckdb.connect() as con:
        con.execute("SET enable_progress_bar = false")
        _take_sides(con, records, roll, taken)
        _weigh_words(con)
        _pair_sides(con)
        best = con.execute(_write_choice_sql()).df().set_index("row")
        crowded = con.execute(
            "SELECT r.id AS row FROM record r JOIN property p ON r.postcode = p.postcode GROUP BY r.id "
            f"HAVING count(*) >= {BUSY}"
        ).df()
    placed = best.reindex(range(len(records))).assign(unique_id=records["unique_id"].to_numpy())
    placed["rung"] = placed["rung"].fillna("nothing")
    placed["busy"] = placed.index.isin(crowded["row"])
    flags = {name: placed[name].fillna(False).astype(bool) for name in (FITS, HOSTS)}
    return placed.assign(**flags)[["unique_id", "property_reference", "rung", FITS, HOSTS, "busy"]]


def _take_sides(con: duckdb.DuckDBPyConnection, records: pd.DataFrame, roll: pd.DataFrame, taken: Any) -> None:
    ours = roll.reindex(
        columns=["property_reference", "ratepayer_name", "trading_name", "address", "postcode", "description"]
    )
    ours = ours.astype("string").assign(
        value=roll["rateable_value_gbp"].astype("float64"), free=~roll["property_reference"].isin(taken)
    )
    theirs = records[["name", "address", "postcode", "kind"]].astype("string").assign(row=range(len(records)))
    con.register("theirs", theirs)
    con.register("ours", ours)
    # a register has the number, and the name of a building, in the name of the business as often as not
    whole, names = "concat_ws(', ', name, address)", "concat_ws(' ', ratepayer_name, trading_name)"
    con.execute(
        "CREATE TABLE record AS SELECT row AS id, upper(kind) SIMILAR TO '.*(SCHOOL|COLLEGE).*' AS teaches, "
        f"{_write_columns_sql(whole, 'name', 'address', 'kind')} FROM theirs"
    )
    con.execute(
        f"CREATE TABLE property AS SELECT property_reference AS id, value, free, "
        f"{_write_columns_sql('address', names, 'address', 'description')} FROM ours "
        f"WHERE coalesce({write_use_sql('description')}, '') <> 'no kitchen'"
    )


def _write_columns_sql(numbered: str, name: str, address: str, kind: str) -> str:
    building = f"regexp_replace({_write_plain_sql(address)}, '{STREET}|{NUMBERED}', ' ', 'g')"
    return (
        f"coalesce({write_postcode_sql('postcode')}, {write_postcode_sql('address')}) AS postcode, "
        f"coalesce({write_numbers_sql(numbered)}, []) AS numbers, {_write_streets_sql(numbered)} AS streets, "
        f"list_transform(numbers, lambda x: regexp_replace(x, '(.)[A-Z]$', '\\1')) AS digits, "
        f"{_write_stems_sql(name)} AS names, {_write_stems_sql(building)} AS words, "
        f"{write_use_sql(kind)} AS use"
    )


def _write_stems_sql(column: str) -> str:
    """SQL of the words of a text without an S at their end: MORRISONS is what WM MORRISON PLC has over its door."""
    stems = f"list_transform({write_address_words_sql(column)}, lambda x: regexp_replace(x, '(...)S$', '\\1'))"
    return f"coalesce(list_distinct({stems}), [])"


STREET = rf"\b[A-Z]{{2,}} (?:{STREETS})\b"  # the last word before it tells a street: HEY ROAD of New Hey Road
NUMBERED = r"\b[0-9]{1,4}[A-Z]?,? [A-Z]{3,}\b"  # and the first after a number: 5 Kirkgate


def _write_plain_sql(column: str) -> str:
    return f"regexp_replace(translate({write_rooms_sql(column)}, '''.', ''), '\\s+', ' ', 'g')"


def _write_streets_sql(column: str) -> str:
    plain = _write_plain_sql(column)
    before = f"regexp_extract_all({plain}, '{STREET.replace('[A-Z]', '([A-Z]', 1).replace('} ', '}) ', 1)}', 1)"
    after = f"regexp_extract_all({plain}, '{NUMBERED.replace(' [A-Z]', ' ([A-Z]').replace('{3,}', '{3,})')}', 1)"
    return f"coalesce(list_distinct(list_concat({before}, {after})), [])"


def _weigh_words(con: duckdb.DuckDBPyConnection) -> None:
    """The words of each side's names and buildings, with what having one in common tells, in bits."""
    con.execute(
        "CREATE TABLE told AS SELECT id, word, bool_or(of = 'name') AS in_name, bool_or(of = 'address') AS in_address "
        "FROM (SELECT id, unnest(names) AS word, 'name' AS of FROM property UNION ALL "
        "SELECT id, unnest(words), 'address' FROM property) GROUP BY id, word"
    )
    con.execute("CREATE TABLE place AS SELECT greatest(count(DISTINCT postcode), 2) AS n FROM property")
    con.execute(
        "CREATE TABLE weight AS SELECT word, "
        "log2((SELECT n FROM place) / greatest(count(DISTINCT postcode), 1)) AS bits "
        "FROM told JOIN property USING (id) GROUP BY word"
    )
    con.execute(
        "CREATE TABLE asked AS SELECT id, word, bool_or(of = 'name') AS in_name, "
        "bool_or(of = 'address') AS in_address, "
        "any_value(coalesce(bits, log2(2 * (SELECT n FROM place)))) AS bits FROM ("
        "SELECT id, unnest(names) AS word, 'name' AS of FROM record UNION ALL "
        "SELECT id, unnest(words), 'address' FROM record) LEFT JOIN weight USING (word) "
        f"WHERE coalesce(bits, {LEAST_BITS}) >= {LEAST_BITS} GROUP BY id, word"
    )


def _pair_sides(con: duckdb.DuckDBPyConnection) -> None:
    """Pairs that share a postcode, a rare word, a number and a street, or a street of a postcode district."""
    in_district = "SELECT id, split_part(postcode, ' ', 1) AS district, unnest(streets) AS street FROM"
    in_sector = "SELECT id, left(postcode, len(postcode) - 2) AS sector FROM"
    at_number = "SELECT id, number, unnest(streets) AS street FROM (SELECT id, streets, unnest(digits) AS number FROM"
    con.execute(
        "CREATE TABLE pair AS SELECT DISTINCT record, property FROM ("
        "SELECT r.id AS record, p.id AS property FROM record r JOIN property p ON r.postcode = p.postcode "
        f"UNION ALL SELECT a.id, t.id FROM asked a JOIN told t ON a.word = t.word WHERE bits >= {NAME_BITS} "
        f"UNION ALL SELECT r.id, p.id FROM ({at_number} record)) r JOIN ({at_number} property)) p "
        "ON r.number = p.number AND r.street = p.street "
        f"UNION ALL SELECT r.id, p.id FROM ({in_district} record) r JOIN ({in_district} property) p "
        "ON r.district = p.district AND r.street = p.street "
        f"UNION ALL SELECT r.id, p.id FROM ({in_sector} record WHERE teaches) r JOIN ({in_sector} property "
        "WHERE use = 'education') p ON r.sector = p.sector)"
    )
    con.execute(
        "CREATE TABLE shared AS SELECT record, property, "
        f"coalesce(max(bits) FILTER (a.in_name AND bits >= {NAME_BITS}), 0) AS name_bits, "
        f"coalesce(max(bits) FILTER (a.in_address AND NOT a.in_name), 0) AS building_bits, "
        "coalesce(sum(bits) FILTER (a.in_address), 0) AS alike "
        "FROM pair JOIN asked a ON a.id = record JOIN told t ON t.id = property AND t.word = a.word "
        "GROUP BY record, property"
    )


def _write_choice_sql() -> str:
    """SQL of the pair of each record that is highest in RUNGS; of equals one whose property fits, and is free."""
    serving, hosting = (", ".join(f"'{use}'" for use in uses) for uses in (SERVING, HOSTING))
    cases = " ".join(f"WHEN {condition} THEN {rung}" for rung, condition in enumerate(_list_conditions()))
    return f"""WITH total AS (
        SELECT id, sum(bits) FILTER (in_address) AS total, max(bits) FILTER (in_address) AS rarest
        FROM asked GROUP BY id
    ), own AS (SELECT id, max(bits) AS rarest FROM told JOIN weight USING (word) WHERE in_address GROUP BY id
    ), compared AS (
        SELECT record, property, p.free, r.postcode = p.postcode AS here,
            coalesce(left(r.postcode, len(r.postcode) - 2) = left(p.postcode, len(p.postcode) - 2), false) AS sector,
            coalesce(split_part(r.postcode, ' ', 1) = split_part(p.postcode, ' ', 1), true) AS district,
            r.postcode IS NULL OR p.postcode IS NULL AS unplaced, list_has_any(r.streets, p.streets) AS street,
            list_has_any(r.numbers, p.numbers) AS number, list_has_any(r.digits, p.digits) AS digits,
            len(list_filter(list_intersect(r.numbers, p.numbers), lambda x: x[1] <> 'U')) > 0 AS house,
            len(r.numbers) = 0 AS unnamed_door, r.use, len(r.numbers) = 0 OR len(p.numbers) = 0 AS unnumbered,
            coalesce(own.rarest, 0) >= {BUILDING_BITS} AS named, coalesce(total.rarest, 0) >= {BUILDING_BITS} AS asked,
            coalesce(s.name_bits, 0) AS name_bits, coalesce(s.building_bits, 0) AS building_bits,
            coalesce(s.alike, 0) AS common, coalesce(s.alike, 0) / greatest(coalesce(total.total, 0), 1) AS alike,
            len(list_intersect(r.streets, p.streets)) > 1 AS streets,
            coalesce(r.use = p.use, false) AS alike_use, coalesce(r.use = 'education', false) AND r.teaches AS teaches,
            coalesce(r.use = p.use OR r.use IN ({serving}) AND p.use IN ({serving}), false) AS fits,
            coalesce(p.use IN ({hosting}), true) OR coalesce(p.value, 0) >= {LARGE_GBP} AS hosts
        FROM pair JOIN record r ON r.id = record JOIN property p ON p.id = property
        LEFT JOIN shared s USING (record, property) LEFT JOIN total ON total.id = record
        LEFT JOIN own ON own.id = property
    ), near AS (
        SELECT *, coalesce(here, false) AS same, sector OR unplaced OR street AND district AS near,
            NOT number AND NOT unnumbered AS other,
            building_bits >= {BUILDING_BITS} AND (coalesce(here, false) OR alike >= {ALIKE}) AS building FROM compared
    ), ranked AS (SELECT *, CASE {cases} END AS rank FROM near)
    SELECT record AS row, property AS property_reference, fits, hosts,
        list_extract({list(RUNGS)}, CAST(rank AS INTEGER) + 1) AS rung FROM ranked
    WHERE rank IS NOT NULL QUALIFY row_number() OVER (
        PARTITION BY record ORDER BY rank, fits DESC, hosts DESC, free DESC, alike DESC, property) = 1"""


def _list_conditions() -> list[str]:
    """When a pair is on each rung of RUNGS, in SQL; the first that holds is its rung."""
    return [
        f"same AND number AND (house OR building OR NOT asked OR alike >= {ALIKE})",
        "NOT same AND number AND district AND (street AND (house OR building) OR building AND near) "
        f"OR number AND (sector OR unplaced) AND common >= {TOGETHER_BITS} AND alike >= {SAME_WORDS}",
        f"name_bits > 0 AND same AND (NOT other OR name_bits >= {BUILDING_BITS}) OR name_bits >= {BUILDING_BITS} "
        "AND (sector OR street) AND near AND NOT other AND (fits OR building OR street)",
        "(building AND (same OR near) OR streets AND sector) AND NOT other",
        "(same OR unplaced AND street) AND digits AND NOT number",
        "sector AND alike_use AND free AND teaches",
        f"sector AND alike_use AND free AND street AND unnumbered AND (unnamed_door OR use IN ({WHOLE}))",
        "same AND unnumbered AND fits AND NOT named AND free",
        "same AND unnumbered AND fits AND NOT named",
        "same AND unnumbered AND fits",
        "same AND unnumbered",
        "same",
        "street AND district",
    ]
