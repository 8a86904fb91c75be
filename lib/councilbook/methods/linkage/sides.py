"""The two sides of a linkage, cleaned: what the roll and a register say, in the columns that are compared.

A record with several names has a row for each. Of a large register only what shares a key with the roll is cleaned:
a rare word of a name, the first two words of one, a postcode or a UPRN. How often a word or name occurs is counted
over the whole register all the same.
"""

from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.parquet as pq

from councilbook.errors import CheckError
from councilbook.methods.linkage.cleaning import (
    NAME_WORDS,
    STOP_WORDS,
    write_address_words_sql,
    write_map_sql,
    write_names_sql,
    write_numbers_sql,
    write_postcode_sql,
    write_use_sql,
    write_words_sql,
)

ROLL, REGISTER, SAMPLE = "a_roll", "b_register", "b_sample"  # Splink puts the first of the alphabet on the left
NAMES_OF = f"list_concat({write_names_sql('name')}, {write_names_sql('other_name')})"
POSTCODE_OF = f"coalesce({write_postcode_sql('postcode')}, {write_postcode_sql('address')})"
ROLL_COLUMNS = ["property_reference", "ratepayer_name", "trading_name", "ratepayer_address", "address", "postcode"]
ROLL_COLUMNS += ["uprn", "description"]
REGISTER_COLUMNS = ["unique_id", "name", "trading_name", "address", "postcode", "uprn", "register", "status", "kind"]
TRAINING_NAMES = 8  # a word in at most so many names of the register is one to learn m from
LONE_NAMES = 50  # a word in at most so many names of the register is a key by itself
PAIRED_SHARE, LEAST_PAIRED = 250, 200  # with another word, one in at most a 250th of the names (or 200) is
TYPO_LENGTH = 5  # letters; in shorter words one wrong letter makes another word
ENDINGS = r"\b(?:LTD|LIMITED|PLC|LLP|CYF|CYFYNGEDIG|CIC|P\.L\.C\.?|L\.L\.P\.?)(?:\W|$)"
NAMED_ADDRESS = (
    "CASE WHEN regexp_matches(address, '^[^0-9,]{4,},.*,.*,') THEN [upper(split_part(address, ',', 1))] ELSE [] END"
)
# Of food businesses with no property of their own on the roll, how many have the address of one that has it to itself;
# and of businesses that could have a name by chance, how many take it where somebody has it already.
ALONE = 0.1


@dataclass(frozen=True)
class Sizes:
    """How many records the sides hold, and how many rows of the register share a key with the roll."""

    roll: int
    register: int
    candidates: int


def prepare_sides(
    con: duckdb.DuckDBPyConnection,
    roll: pd.DataFrame,
    register: pd.DataFrame | Path,
    largest_block: int,
    random_pairs: float = 0,
    seed: int = 0,
    seats: bool = False,
) -> Sizes:
    """Write `a_roll`, `b_register`, `name_frequency`, `place_frequency` and `door_frequency` into a DuckDB connection.

    Beside them `a_sample` and `b_sample`: drawn at random (by `seed`) from both sides, about `random_pairs` pairs.
    With `seats` a record of the register that shares a place alone is no candidate; without, the first line of a
    property's address is one of its names, unless it holds a number.

    `register` is a frame or the path of a Parquet file with the same columns. A key that more than `largest_block` of
    the register's names share is none. Raises `CheckError` where a column is missing or a key is not unique.
    """
    con.execute(
        "CREATE OR REPLACE MACRO shared_bits(x, y) AS "
        "coalesce(list_sum(list_transform(list_intersect(x, y), lambda t: t.bits)), 0)"
    )
    take_roll(con, roll)
    _take_register(con, register)
    _tokenise_names(con, not seats)
    _count_words(con)
    _read_words(con)
    _write_keys(con, largest_block)
    _find_candidates(con, seats)
    _draw_samples(con, random_pairs, seed)
    for side in ("roll", "register"):
        _take_places(con, side)
    for side in ("roll", "register"):
        _weigh_places(con, side)
        _keep_names(con, side)
        _weigh_words(con, side)
        _write_side(con, side)
    _keep_shared_keys(con)
    _count_names(con)
    _count_places(con)
    _count_doors(con)
    _part_samples(con)
    sizes = [f"SELECT count(*) FROM {table}" for table in ("roll_given", "register_given", "candidate")]
    return Sizes(*(con.execute(sql).fetchall()[0][0] for sql in sizes))


def take_roll(con: duckdb.DuckDBPyConnection, roll: pd.DataFrame) -> None:
    """Write `roll_given`, the roll in the columns that are compared; see `prepare_sides`."""
    if "property_reference" not in roll:
        raise CheckError("The roll has no column property_reference")
    if number := int(roll["property_reference"].duplicated().sum()):
        raise CheckError(f"The roll repeats property_reference in {number} rows; it must be unique")
    con.register("roll_frame", roll.reindex(columns=ROLL_COLUMNS).astype("string"))
    con.execute(
        "CREATE OR REPLACE TEMP TABLE roll_given AS SELECT property_reference AS record, ratepayer_name AS name, "
        "trading_name AS other_name, address, postcode, uprn, ratepayer_address AS reply_address, 'live' AS status, "
        "description AS kind FROM roll_frame"
    )
    con.unregister("roll_frame")


def show_register(con: duckdb.DuckDBPyConnection, register: pd.DataFrame | Path) -> None:
    """Show `register_rows`, a view of the register in the columns that are compared: a file stays where it is."""
    columns = list(pq.read_schema(register).names if isinstance(register, Path) else register)
    if "unique_id" not in columns:
        raise CheckError("The register has no column unique_id")
    if isinstance(register, Path):
        con.execute(f"CREATE OR REPLACE TEMP VIEW register_frame AS FROM read_parquet('{register}')")
    else:
        con.register("register_frame", register.reindex(columns=REGISTER_COLUMNS).astype("string"))
        columns = REGISTER_COLUMNS
    as_text = {name: f"CAST({name if name in columns else 'NULL'} AS VARCHAR)" for name in REGISTER_COLUMNS}
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW register_rows AS SELECT {as_text['unique_id']} AS record, {as_text['name']} AS "
        f"name, {as_text['trading_name']} AS other_name, {as_text['address']} AS address, {as_text['postcode']} AS "
        f"postcode, {as_text['uprn']} AS uprn, {as_text['status']} AS status, {as_text['kind']} AS kind, "
        "NULL AS reply_address FROM register_frame"
    )


def _take_register(con: duckdb.DuckDBPyConnection, register: pd.DataFrame | Path) -> None:
    show_register(con, register)
    con.execute("CREATE OR REPLACE TEMP TABLE register_given AS FROM register_rows")
    repeated = con.execute("SELECT count(*) - count(DISTINCT record) FROM register_given").fetchall()[0][0]
    if repeated and isinstance(register, Path):  # a few of millions, which were counted as the file was read
        first = "SELECT min(rowid) FROM register_given GROUP BY record"
        con.execute(f"DELETE FROM register_given WHERE rowid NOT IN ({first})")
    elif repeated:
        raise CheckError(f"The register repeats unique_id in {repeated} rows, or leaves it out; it must be unique")


def _tokenise_names(con: duckdb.DuckDBPyConnection, named_addresses: bool) -> None:
    """One row a record and name: the words of each name, in the order written."""
    for side in ("roll", "register"):
        words = write_words_sql("n", {}, STOP_WORDS)
        names = f"list_concat({NAMES_OF}, {NAMED_ADDRESS})" if named_addresses and side == "roll" else NAMES_OF
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {side}_name AS SELECT row, variant, {words} AS words, "
            f"regexp_matches(n, '{ENDINGS}') AS ends FROM ("
            f"SELECT row, unnest(names) AS n, generate_subscripts(names, 1) AS variant FROM ("
            f"SELECT rowid AS row, {names} AS names FROM {side}_given)) WHERE n IS NOT NULL"
        )


def _count_words(con: duckdb.DuckDBPyConnection) -> None:
    """The words of each name in their usual form, and how many names of the register have each."""
    con.register("alias_frame", pd.DataFrame({"written": list(NAME_WORDS), "usual": list(NAME_WORDS.values())}))
    for side in ("roll", "register"):
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {side}_word AS SELECT DISTINCT row, variant, coalesce(usual, word) AS word "
            f"FROM (SELECT row, variant, unnest(words) AS word FROM {side}_name) "
            "LEFT JOIN alias_frame ON word = written"
        )
    con.unregister("alias_frame")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE vocabulary AS SELECT word, count(*) AS n FROM register_word GROUP BY word"
    )


def _read_words(con: duckdb.DuckDBPyConnection) -> None:
    """What each word of the roll may stand for in the register: itself, or for an unknown word one letter away."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE roll_vocabulary AS SELECT DISTINCT word FROM roll_word; "
        "CREATE OR REPLACE TEMP TABLE stands AS SELECT r.word, r.word AS key, n FROM roll_vocabulary r "
        "JOIN vocabulary v ON r.word = v.word"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE unknown_word AS SELECT word FROM roll_vocabulary "
        f"WHERE word NOT IN (SELECT word FROM vocabulary) AND len(word) >= {TYPO_LENGTH} AND word SIMILAR TO '[A-Z]+'"
    )
    near = "abs(len(v.word) - len(u.word)) <= 1 AND damerau_levenshtein(v.word, u.word) = 1"
    for half in ("left", "right"):
        con.execute(
            f"INSERT INTO stands SELECT u.word, v.word, n FROM unknown_word u JOIN vocabulary v "
            f"ON {half}(u.word, 3) = {half}(v.word, 3) AND {near}"
        )
    con.execute("CREATE OR REPLACE TEMP TABLE stands AS SELECT DISTINCT * FROM stands")


def _write_keys(con: duckdb.DuckDBPyConnection, largest: int) -> None:
    """The keys by which names are found: a rare word by itself, a less rare one with any other word of the name.

    A key that more than `largest` names of the register have is none.
    """
    names = con.execute("SELECT count(*) FROM register_name").fetchall()[0][0]
    lone, paired = LONE_NAMES, max(names // PAIRED_SHARE, LEAST_PAIRED)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE roll_key AS "
        f"SELECT row, variant, key FROM roll_word JOIN stands USING (word) WHERE n <= {lone} UNION "
        "SELECT a.row, a.variant, s.key || '|' || t.key FROM roll_word a JOIN stands s ON a.word = s.word "
        "JOIN roll_word b ON a.row = b.row AND a.variant = b.variant AND a.word <> b.word "
        f"JOIN stands t ON b.word = t.word WHERE s.n > {lone} AND s.n <= {paired}"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE first_word AS SELECT row, variant, word FROM register_word "
        f"WHERE word IN (SELECT key FROM stands WHERE n > {lone} AND n <= {paired})"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE register_key AS SELECT row, variant, word AS key FROM register_word "
        f"WHERE word IN (SELECT key FROM stands WHERE n <= {lone}) UNION ALL "
        "SELECT a.row, a.variant, a.word || '|' || b.word FROM first_word a JOIN register_word b "
        "ON a.row = b.row AND a.variant = b.variant AND a.word <> b.word "
        "WHERE a.word || '|' || b.word IN (SELECT key FROM roll_key)"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE crowded AS SELECT key FROM register_key GROUP BY key "
        f"HAVING count(*) > {largest}; DELETE FROM register_key WHERE key IN (FROM crowded); "
        "DELETE FROM roll_key WHERE key NOT IN (SELECT key FROM register_key)"
    )


def _find_candidates(con: duckdb.DuckDBPyConnection, seats: bool) -> None:
    """The rows of the register that share a key, a whole name, a postcode or a UPRN with the roll."""
    if not seats:
        con.execute("CREATE OR REPLACE TEMP TABLE candidate AS SELECT rowid AS row FROM register_given")
        return
    start = "left(array_to_string(words, ''), 3)"
    con.execute(
        "CREATE OR REPLACE TEMP TABLE roll_near AS SELECT DISTINCT place, begins FROM (SELECT unnest([postcode, "
        f"{write_postcode_sql('address')}, {write_postcode_sql('reply_address')}]) AS place, {start} AS begins "
        "FROM roll_given g JOIN roll_name n ON g.rowid = n.row) WHERE place IS NOT NULL"
    )
    nearby = (
        f"SELECT row FROM (SELECT row, postcode AS place, {start} AS begins FROM register_given g "
        "JOIN register_name n ON g.rowid = n.row WHERE postcode IN (SELECT place FROM roll_near)) "
        "SEMI JOIN roll_near USING (place, begins)"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE candidate AS SELECT DISTINCT row FROM (SELECT row FROM register_key "
        "UNION ALL SELECT row FROM register_name WHERE words IN (SELECT words FROM roll_name) "
        f"UNION ALL {nearby} "
        "UNION ALL SELECT rowid FROM register_given WHERE uprn IN (SELECT uprn FROM roll_given WHERE uprn IS NOT NULL))"
    )


def _draw_samples(con: duckdb.DuckDBPyConnection, random_pairs: float, seed: int) -> None:
    rows = int(random_pairs**0.5)
    for side in ("roll", "register"):
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {side}_drawn AS SELECT record, rowid AS row FROM {side}_given "
            f"ORDER BY md5('{seed} ' || record) LIMIT {rows}"
        )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE candidate AS SELECT row, bool_or(wanted) AS wanted FROM ("
        "SELECT row, true AS wanted FROM candidate UNION ALL SELECT row, false FROM register_drawn) GROUP BY row"
    )


def _part_samples(con: duckdb.DuckDBPyConnection) -> None:
    """Take the rows that were drawn at random out of the sides, into tables of their own."""
    for side, sample, short in ((ROLL, "a_sample", "roll"), (REGISTER, SAMPLE, "register")):
        con.execute(
            f"CREATE OR REPLACE TABLE {sample} AS FROM {side} WHERE record IN (SELECT record FROM {short}_drawn) "
            "ORDER BY unique_id"
        )
    con.execute(
        f"DELETE FROM {REGISTER} WHERE record IN (SELECT record FROM candidate c JOIN register_given g "
        "ON c.row = g.rowid WHERE NOT wanted)"
    )


def _take_places(con: duckdb.DuckDBPyConnection, short: str) -> None:
    """Where each record is: postcode, numbers, words, and of a roll where its letters go to."""
    chosen = "" if short == "roll" else "JOIN candidate c ON c.row = g.rowid"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {short}_base AS SELECT g.rowid AS row, record, uprn, status, "
        f"{POSTCODE_OF} AS postcode, {write_numbers_sql('address')} AS numbers, "
        f"{write_address_words_sql('address')} AS words, "
        f"{write_postcode_sql('reply_address')} AS reply_postcode, {write_use_sql('kind')} AS use "
        f"FROM {short}_given g {chosen}"
    )


def _weigh_places(con: duckdb.DuckDBPyConnection, short: str) -> None:
    """The words of each address with what sharing them tells, in bits, counted over both sides."""
    total = "(SELECT greatest(count(*), 2) FROM (FROM roll_base UNION ALL FROM register_base))"
    con.execute(
        "CREATE OR REPLACE TEMP TABLE place_vocabulary AS SELECT word, count(*) AS n FROM ("
        "SELECT unnest(words) AS word FROM roll_base UNION ALL SELECT unnest(words) FROM register_base) GROUP BY word"
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {short}_place AS SELECT row, "
        "list({'word': word, 'bits': bits} ORDER BY bits DESC, word) AS place_words, "
        "CAST(sum(bits) AS DOUBLE) AS place_bits FROM ("
        f"SELECT row, u.word AS word, round(log2({total} / n), 3) AS bits FROM "
        f"(SELECT row, unnest(words) AS word FROM {short}_base) u "
        "JOIN place_vocabulary v ON u.word = v.word) GROUP BY row"
    )


def _keep_names(con: duckdb.DuckDBPyConnection, short: str) -> None:
    """Each record's different names, their words in the usual form."""
    kept = "" if short == "roll" else "WHERE row IN (SELECT row FROM candidate)"
    usual = f"list_transform(words, lambda x: coalesce({write_map_sql(NAME_WORDS)}[x], x))"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {short}_kept AS SELECT row, min(variant) AS variant, words FROM ("
        f"SELECT row, variant, {usual} AS words FROM {short}_name {kept}) WHERE words IS NOT NULL GROUP BY row, words"
    )


def _weigh_words(con: duckdb.DuckDBPyConnection, short: str) -> None:
    """The words of each name with what sharing them tells, in bits: log2 of one in how many names has the word."""
    total = "(SELECT greatest(count(*), 2) FROM register_name)"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {short}_tokens AS SELECT row, variant, "
        "list({'word': word, 'bits': bits} ORDER BY bits DESC, word) AS tokens, "
        f"CAST(sum(bits) AS DOUBLE) AS bits FROM (SELECT row, variant, u.word AS word, "
        f"round(log2({total} / coalesce(n, 0.5)), 3) AS bits "
        f"FROM (SELECT row, variant, unnest(list_distinct(words)) AS word FROM {short}_kept) u "
        "LEFT JOIN vocabulary v ON u.word = v.word) "
        "GROUP BY row, variant"
    )


def _write_side(con: duckdb.DuckDBPyConnection, short: str) -> None:
    ends = "CASE WHEN e.ends THEN 'company' ELSE 'other' END" if short == "roll" else "'company'"
    rarest = f"(SELECT log2(greatest(count(*), 2) / {TRAINING_NAMES}) FROM register_name)"
    elsewhere = "CASE WHEN reply_postcode <> coalesce(postcode, '') THEN reply_postcode END"
    con.execute(
        f"CREATE OR REPLACE TABLE {ROLL if short == 'roll' else REGISTER} AS "
        "SELECT record || '|' || coalesce(k.variant, 0) AS unique_id, record, "
        "array_to_string(k.words, '') AS name, t.tokens AS name_tokens, t.bits AS name_bits, "
        "coalesce(y.keys, []) AS name_keys, "
        f"CASE WHEN t.tokens[1].bits >= {rarest} THEN t.tokens[1].word END AS rarest_word, "
        " uprn, postcode, "
        "left(postcode, len(postcode) - 2) AS sector, split_part(postcode, ' ', 1) AS district, "
        "numbers, postcode || ' ' || array_to_string(numbers, ' ') AS door, "
        "place_words, place_bits, place_words[1].word AS rarest_place, "
        "place_words[1].word || ' ' || array_to_string(numbers, ' ') AS doorstep, "
        f"{elsewhere if short == 'roll' else 'postcode'} AS reply_postcode, use, status, {ends} AS ending "
        f"FROM {short}_base b "
        f"LEFT JOIN (SELECT row, bool_or(ends) AS ends FROM {short}_name GROUP BY row) e ON b.row = e.row "
        f" LEFT JOIN {short}_place p ON b.row = p.row LEFT JOIN {short}_kept k ON b.row = k.row "
        f"LEFT JOIN {short}_tokens t ON k.row = t.row AND k.variant = t.variant "
        "LEFT JOIN (SELECT row, variant, list_sort(list(DISTINCT key)) AS keys "
        f"FROM {short}_key GROUP BY row, variant) y "
        "ON k.row = y.row AND k.variant = y.variant ORDER BY 1"
    )


def _keep_shared_keys(con: duckdb.DuckDBPyConnection) -> None:
    """Of the keys that m is learnt from, only those both sides have, and no doorstep of hundreds.

    Splink joins both sides together to themselves there, so that an agent's 10,000 companies would make 50 million
    pairs of nothing.
    """
    for key in ("rarest_word", "doorstep"):
        con.execute(
            f"UPDATE {REGISTER} SET {key} = NULL WHERE {key} NOT IN (SELECT {key} FROM {ROLL} WHERE {key} IS NOT NULL) "
            f"OR {key} IN (SELECT {key} FROM {REGISTER} GROUP BY {key} HAVING count(*) > {LONE_NAMES})"
        )


def _count_names(con: duckdb.DuckDBPyConnection) -> None:
    """How likely it is that a business which is not the one looked for has this very name.

    The register's own record of it is not counted, nor are dissolved companies, whose name another may have taken
    over; a name that nobody else has is a tenth as likely as its words together, for people look before they choose.
    """
    con.execute(
        "CREATE OR REPLACE TABLE name_frequency AS SELECT name, greatest("
        "(count(DISTINCT record) FILTER (coalesce(status, 'live') = 'live') - 1) / "
        "(SELECT count(*) FROM register_given), "
        f"{ALONE} * pow(2, -least(max(name_bits), 30))) AS tf_name "
        f"FROM {REGISTER} WHERE name IS NOT NULL GROUP BY name"
    )


def _count_places(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "CREATE OR REPLACE TABLE place_frequency AS SELECT postcode, count(DISTINCT record) / "
        f"(SELECT count(*) FROM register_given) AS tf_postcode FROM {REGISTER} "
        "WHERE postcode IS NOT NULL GROUP BY postcode"
    )


def _count_doors(con: duckdb.DuckDBPyConnection) -> None:
    """How likely it is that a property with this postcode and number is another than the one looked for.

    Each property there is taken to draw `ALONE` of what has no property of its own: of two at one door, the one whose
    use fits is the one in nearly all pairs that a clerk looked at.
    """
    con.execute(
        "CREATE OR REPLACE TABLE door_frequency AS WITH doors AS ("
        f"SELECT DISTINCT record, door, postcode || ' ' || unnest(numbers) AS at FROM {ROLL} WHERE door IS NOT NULL) "
        f"SELECT l.door, {ALONE} * max(n) / (SELECT count(*) FROM roll_given) AS tf_door FROM ("
        "SELECT l.door, l.record, count(DISTINCT r.record) AS n FROM doors l JOIN doors r ON l.at = r.at "
        "GROUP BY l.door, l.record) l GROUP BY l.door"
    )
