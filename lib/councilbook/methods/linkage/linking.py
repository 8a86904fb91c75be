"""The roll linked to a register of businesses: Splink's model on DuckDB, and what it went by.

Fellegi and Sunter (1969), "A Theory for Record Linkage", JASA 64: each comparison of two records adds log2(m/u) to the
weight of a link, where m is how often true links and u how often other pairs fall into its level; the prior adds what
is known before. u comes from pairs drawn at random and, for levels too rare to be seen there, from the pairs that
blocking found; m from expectation maximisation, held by the assumptions below where few pairs speak. Names and
postcodes count by how rare they are (term frequencies over the whole register).

A property has one ratepayer and a food business one kitchen. So the candidates of one record compete: the probability
of a link is its odds over those of all of them and of having no link. Where two candidates are equally likely, neither
gets above one half, and the links say so (`ties`).
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink.internals.exceptions import EMTrainingException

from councilbook.errors import CheckError
from councilbook.methods.linkage.cleaning import NAME_WORDS, STOP_WORDS, write_words_sql
from councilbook.methods.linkage.comparisons import (
    ENDING,
    FREQUENCIES,
    LEAST_TF,
    PREMISES,
    RARE_U,
    SETTINGS,
    LinkSettings,
    list_levels,
    make_settings,
)
from councilbook.methods.linkage.explaining import count_blocked, tabulate_model, tell_bits, weigh_level
from councilbook.methods.linkage.sides import (
    NAMES_OF,
    POSTCODE_OF,
    REGISTER,
    ROLL,
    Sizes,
    prepare_sides,
    show_register,
    take_roll,
)

Numbers = NDArray[np.float64]
Integers = NDArray[np.int64]
LINK_COLUMNS = ["property_reference", "register", "unique_id", "match_weight", "match_probability", "rank", "ties"]
TIE = 0.5  # bits; candidates of one record nearer than this are tied
FEWEST_RECORDS = 200  # with so many on the smaller side, what was estimated weighs as much as what was assumed
LEAST_M, LEAST_U = 1e-4, 1e-12
ROUNDS = 30  # at most, of refining u
# Not estimated for premises: a link is at one place unless an address is wrong, and a kitchen that trades under another
# name than its ratepayer's cannot be told from another business at the same number by the data alone.
HELD = ("postcode sector", "postcode district", "elsewhere", "different names")
LEAST_EXPLAINED = 0.001  # of probability; candidates below it are not kept
HELD_SEATS = ("live", "dissolved or closed")  # who pays today is live; namesakes that are not would teach otherwise
OF_NAMES, OF_PLACES = ("name",), ("place", "letters", "status", "use")
LEAST_LINKS = 0.5  # taken to be there, where no pair looks like one
LEAST_NONE = 0.05  # of having no link at all, however many have one


@dataclass(frozen=True)
class Linkage:
    """Links and what they rest on: `weights`, `blocking` and `levels` are safe to show, `levels` by pair id only."""

    links: pd.DataFrame
    weights: pd.DataFrame
    blocking: pd.DataFrame
    levels: pd.DataFrame
    sizes: Sizes
    prior: float
    settings: LinkSettings
    model: dict[str, Any] = field(repr=False)


def link_roll(roll: pd.DataFrame, register: pd.DataFrame | Path, settings: LinkSettings | None = None) -> pd.DataFrame:
    """Link a roll's properties to a register's records, best link of each property first.

    Returns property_reference, register, unique_id, match_weight (bits), match_probability, rank (1 is the property's
    best) and ties (how many other candidates come within half a bit of it). See `fit_linkage` for the model.
    """
    return fit_linkage(roll, register, settings).links


def fit_linkage(roll: pd.DataFrame, register: pd.DataFrame | Path, settings: LinkSettings | None = None) -> Linkage:
    """Estimate the linkage model on a roll and a register, and link them.

    `register` is a frame, or the path of a Parquet file with the same columns for registers of millions. Its settings
    are chosen by its column `register` unless given. Raises `CheckError` where columns or keys are wrong, or where
    either side is empty.
    """
    name = _name_register(register)
    settings = settings or SETTINGS.get(name, PREMISES)
    with _quiet_splink(), _open_database(settings) as con:
        seats = settings.registered_elsewhere
        sizes = prepare_sides(con, roll, register, settings.largest_block, settings.random_pairs, settings.seed, seats)
        if not sizes.roll or not sizes.register:
            raise CheckError(f"Nothing to link: the roll has {sizes.roll} rows, the register {sizes.register}")
        return _fit(con, name, sizes, settings)


def link_exactly(roll: pd.DataFrame, register: pd.DataFrame | Path) -> pd.DataFrame:
    """The floor: links of equal cleaned name (any of them) and equal postcode; property_reference and unique_id.

    Of a register of millions only the names at the roll's postcodes are cleaned.
    """
    with _open_database(PREMISES) as con:
        take_roll(con, roll)
        show_register(con, register)
        at_roll = f"SELECT {POSTCODE_OF} AS postcode FROM roll_given"
        sides = []
        for side, chosen in (("roll_given", "true"), ("register_rows", f"{POSTCODE_OF} IN ({at_roll})")):
            words = write_words_sql("name", NAME_WORDS, STOP_WORDS)
            sides.append(
                f"(SELECT DISTINCT record, postcode, array_to_string({words}, '') AS name FROM (SELECT record, "
                f"{POSTCODE_OF} AS postcode, unnest({NAMES_OF}) AS name FROM {side} WHERE {chosen}))"
            )
        return con.execute(
            f"SELECT DISTINCT l.record AS property_reference, r.record AS unique_id FROM {sides[0]} l "
            f"JOIN {sides[1]} r ON l.name = r.name AND l.postcode = r.postcode ORDER BY 1, 2"
        ).df()


# --- estimation ---


def _fit(con: duckdb.DuckDBPyConnection, name: str, sizes: Sizes, settings: LinkSettings) -> Linkage:
    statuses = con.execute(f"SELECT count(DISTINCT status) FROM {REGISTER}").fetchall()[0][0]
    replies = con.execute(f"SELECT count(reply_postcode) FROM {ROLL}").fetchall()[0][0]
    model = make_settings(settings, statuses > 1, replies > 0).create_settings_dict("duckdb")
    prior = settings.expected_share / (sizes.register if settings.registered_elsewhere else sizes.roll)
    model["probability_two_random_records_match"] = prior
    _estimate_u(con, model)
    database = DuckDBAPI(con)
    sides = [database.register(side, dataset_display_name=side) for side in (ROLL, REGISTER)]
    _estimate_m(sides, model, settings, min(sizes.roll, sizes.register))
    linker = _make_linker(con, sides, model)
    blocked = linker.inference.compute_blocked_pairs_for_predict()
    blocking = count_blocked(con, blocked.physical_name, settings.registered_elsewhere, sizes)
    scored = linker.inference.predict(warning_mode="never").physical_name
    _refine(con, scored, model, sizes, settings.registered_elsewhere)
    pairs = _make_linker(con, sides, model).inference.predict(warning_mode="never").physical_name
    levels = _compete(con, pairs, settings, _find_none(model, sizes, settings.registered_elsewhere)).assign(
        register=name
    )
    links = levels[levels["match_probability"] >= settings.least_probability]
    links = links.assign(rank=links.groupby("property_reference").cumcount() + 1)
    order = links.groupby("property_reference")["match_weight"].transform("max")
    links = links.assign(best=order).sort_values(
        ["best", "property_reference", "rank"], ascending=[False, True, True], kind="stable"
    )
    return Linkage(
        links=links[LINK_COLUMNS].reset_index(drop=True),
        weights=tabulate_model(model),
        blocking=blocking,
        levels=levels.drop(columns="name_status", errors="ignore").reset_index(drop=True),
        sizes=sizes,
        prior=model["probability_two_random_records_match"],
        settings=settings,
        model=model,
    )


def _make_linker(con: duckdb.DuckDBPyConnection, sides: list[Any], model: dict[str, Any]) -> Linker:
    linker = Linker(sides, SettingsCreator.from_path_or_dict(model), None, validate_settings=False)
    for column, table in FREQUENCIES.items():
        if not any(level.get("tf_adjustment_column") == column for level in _walk_levels(model)):
            continue
        lookup = con.sql(f"FROM {table}")
        linker.table_management.register_term_frequency_lookup(sides[0].db_api.register(lookup), column)
    return linker


def _estimate_u(con: duckdb.DuckDBPyConnection, model: dict[str, Any]) -> None:
    """u from pairs drawn at random, written into the model; a level that was not seen gets half a pair.

    Some random pairs are links. Of common levels they are nothing, of rare ones most: prior times m is taken off.
    """
    prior = model["probability_two_random_records_match"]
    database = DuckDBAPI(con)
    sides = [
        database.register(table, dataset_display_name=side)
        for table, side in (("a_sample", ROLL), ("b_sample", REGISTER))
    ]
    linker = Linker(sides, SettingsCreator.from_path_or_dict(model), None, validate_settings=False)
    pairs = con.execute("SELECT (SELECT count(*) FROM a_sample) * (SELECT count(*) FROM b_sample)").fetchall()[0][0]
    linker.training.estimate_u_using_random_sampling(
        max_pairs=10 * pairs + 1, seed=1, min_count_per_level=None, num_chunks=1
    )
    trained = linker.misc.save_model_to_json()
    for comparison, found in zip(model["comparisons"], trained["comparisons"], strict=True):
        if comparison["output_column_name"] == ENDING:
            continue
        for level, drawn in zip(list_levels(comparison), list_levels(found), strict=True):
            seen = drawn.get("u_probability", 0.0)
            level["u_probability"] = max(seen - prior * level["m_probability"], seen / 10, 0.5 / pairs)


def _estimate_m(sides: list[Any], model: dict[str, Any], settings: LinkSettings, records: int) -> None:
    """m by expectation maximisation: of names among pairs at one place, of the rest among pairs that share a rare word.

    u is free within each, for pairs that share one thing agree on more than random ones; only m is kept.
    """
    start = {**model, "probability_two_random_records_match": 0.2}
    trust = records / (records + FEWEST_RECORDS)
    sessions: list[tuple[Any, tuple[str, ...]]] = [(block_on("rarest_word"), OF_PLACES)]
    if settings.registered_elsewhere:
        sessions.append((block_on("doorstep"), OF_NAMES))
    for rule, estimated in sessions:
        if (trained := _run_session(sides, start, rule, settings.training_pairs)) is None:
            continue
        held = HELD_SEATS if settings.registered_elsewhere else HELD
        for comparison, found in zip(model["comparisons"], trained["comparisons"], strict=True):
            if comparison["output_column_name"] in estimated:
                _mix_m(list_levels(comparison), list_levels(found), trust, held)


def _run_session(sides: list[Any], start: dict[str, Any], rule: Any, pairs: float) -> dict[str, Any] | None:
    """One session of expectation maximisation; u stays where all pairs are links, None where there are none."""
    for fixed in (False, True):
        linker = Linker(sides, SettingsCreator.from_path_or_dict(start), None, validate_settings=False)
        try:
            linker.training.estimate_parameters_using_expectation_maximisation(
                rule,
                estimate_without_term_frequencies=True,
                fix_u_probabilities=fixed,
                max_pairs=pairs,
                record_sample_proportion=1.0,
            )
        except EMTrainingException:
            return None
        except ValueError:  # what is left of u is too small a number
            continue
        return linker.misc.save_model_to_json()
    return None


def _mix_m(levels: list[dict[str, Any]], found: list[dict[str, Any]], trust: float, held: tuple[str, ...]) -> None:
    """Move the assumed m of a comparison's levels towards what was found, all but those that are held."""
    assumed = np.array([level["m_probability"] for level in levels])
    estimated = np.array([level.get("m_probability", LEAST_M) for level in found])
    free = np.array([level["label_for_charts"] not in held for level in levels])
    if not estimated[free].sum():
        return
    estimated = estimated * assumed[free].sum() / estimated[free].sum()
    mixed = np.where(free, np.maximum(trust * estimated + (1 - trust) * assumed, LEAST_M), assumed)
    for level, m in zip(levels, mixed / mixed.sum(), strict=True):
        level["m_probability"] = float(m)


def _refine(con: duckdb.DuckDBPyConnection, pairs: str, model: dict[str, Any], sizes: Sizes, seats: bool) -> None:
    """Go on estimating among the pairs that blocking found, where now the candidates of a record compete.

    u of levels too rare for random pairs becomes the share of all pairs that are in the level and no link (what random
    pairs show of them are links for the most part). For premises, where a place alone can tell, so do the prior and m.
    Those of seats are left to the sessions before, for nothing but the name would hold them.
    """
    groups, gammas, rarities = _read_pairs(con, pairs, model, "record_l" if seats else "record_r")
    everything = sizes.roll * sizes.register
    for _ in range(ROUNDS):
        weights = np.full(len(groups), tell_bits(model["probability_two_random_records_match"]))
        for comparison, gamma in zip(model["comparisons"], gammas, strict=True):
            weights += _weigh_pairs(comparison, gamma, rarities)
        odds = np.exp2(np.clip(weights, -100, 100))
        true = odds / (_find_none(model, sizes, seats) + np.bincount(groups, odds)[groups])
        before = _list_chances(model)
        for comparison, gamma in zip(model["comparisons"], gammas, strict=True):
            levels = list_levels(comparison)
            if not seats:
                found = np.bincount(gamma, true, len(levels) + 1)[:-1]
                trust = found.sum() / (found.sum() + FEWEST_RECORDS)
                _mix_m(levels, [{"m_probability": m} for m in found / max(found.sum(), LEAST_M)], trust, HELD)
            for number, level in enumerate(levels):
                if level["u_probability"] < RARE_U:
                    false = float((1 - true)[gamma == number].sum())
                    level["u_probability"] = max(false, 0.5, LEAST_U * everything) / everything
        if not seats:
            model["probability_two_random_records_match"] = max(true.sum(), LEAST_LINKS) / everything
        if np.allclose(before, _list_chances(model), rtol=0.01):
            return


def _find_none(model: dict[str, Any], sizes: Sizes, seats: bool) -> float:
    """How likely a record has no link at all, before its candidates are looked at."""
    choices = sizes.register if seats else sizes.roll
    return float(max(1 - model["probability_two_random_records_match"] * choices, LEAST_NONE))


def _list_chances(model: dict[str, Any]) -> list[float]:
    return [level[key] for level in _walk_levels(model) for key in ("m_probability", "u_probability")]


def _weigh_pairs(comparison: dict[str, Any], gamma: Integers, rarities: dict[str, Numbers]) -> Numbers:
    """What one comparison adds to each pair, in bits, as Splink reckons it; nothing where a side is missing."""
    levels = list_levels(comparison)
    weights = np.array([*(weigh_level(level) for level in levels), 0.0])[gamma]
    for number, level in enumerate(levels):
        if (column := level.get("tf_adjustment_column")) is not None:
            alone = level.get("disable_tf_exact_match_detection", False)
            base = next(other["u_probability"] for other in levels if (other is level if alone else _is_exact(other)))
            here = (gamma == number) & np.isfinite(rarities[column])
            weights[here] += np.log2(base) - rarities[column][here]
    return weights


def _is_exact(level: dict[str, Any]) -> bool:
    column = level.get("tf_adjustment_column")
    return column is not None and level["sql_condition"] == f"{column}_l = {column}_r"


def _read_pairs(
    con: duckdb.DuckDBPyConnection, pairs: str, model: dict[str, Any], one: str
) -> tuple[Integers, list[Integers], dict[str, Numbers]]:
    """Of each pair: the number of the record that its candidates compete for, its levels, and log2 of how rare."""
    chosen = [f"dense_rank() OVER (ORDER BY {one}) - 1 AS competition"]
    chosen += [f"mw_{comparison['output_column_name']}" for comparison in model["comparisons"]]
    columns = sorted(
        {level["tf_adjustment_column"] for level in _walk_levels(model) if "tf_adjustment_column" in level}
    )
    chosen += [f"log2(greatest(tf_{column}_l, tf_{column}_r, {LEAST_TF})) AS rarity_{column}" for column in columns]
    read: dict[str, Any] = con.execute(f"SELECT {', '.join(chosen)} FROM {pairs}").fetchnumpy()
    gammas = []
    for comparison in model["comparisons"]:
        weights = np.ma.filled(read[f"mw_{comparison['output_column_name']}"].astype(float), 0.0)
        known = np.array([weigh_level(level) for level in list_levels(comparison)])
        near = np.abs(weights[:, None] - known[None, :])
        gammas.append(np.where(near.min(axis=1) < 1e-9, near.argmin(axis=1), len(known)))
    rarities = {column: np.ma.filled(read[f"rarity_{column}"].astype(float), np.nan) for column in columns}
    return read["competition"].astype(np.int64), gammas, rarities


def _compete(con: duckdb.DuckDBPyConnection, pairs: str, settings: LinkSettings, none: float) -> pd.DataFrame:
    """The best pair of names of each two records, and its probability among all candidates of the one that has one."""
    one = "record_l" if settings.registered_elsewhere else "record_r"
    odds = "pow(2, least(match_weight, 100))"
    return con.execute(
        f"WITH best AS (SELECT * REPLACE (round(match_weight, 6) AS match_weight) FROM {pairs} "
        "QUALIFY row_number() OVER (PARTITION BY record_l, record_r "
        "ORDER BY match_weight DESC, unique_id_l, unique_id_r) = 1), "
        f"shared AS (SELECT *, {odds} / ({none} + sum({odds}) OVER (PARTITION BY {one})) AS shared_probability, "
        f"1 - {none} / ({none} + sum({odds}) OVER (PARTITION BY {one})) AS any_probability, "
        f"count(*) OVER (PARTITION BY {one} ORDER BY match_weight "
        f"RANGE BETWEEN {TIE} PRECEDING AND {TIE} FOLLOWING) - 1 AS ties FROM best) "
        "SELECT record_l AS property_reference, record_r AS unique_id, match_weight, "
        "shared_probability AS match_probability, any_probability, ties, COLUMNS('^mw_.*') FROM shared "
        f"WHERE shared_probability >= {LEAST_EXPLAINED} "
        "ORDER BY record_l, match_weight DESC, coalesce(status_r, 'live') <> 'live', record_r"
    ).df()


def _walk_levels(model: dict[str, Any]) -> list[dict[str, Any]]:
    return [level for comparison in model["comparisons"] for level in list_levels(comparison)]


def _name_register(register: pd.DataFrame | Path) -> str:
    if isinstance(register, Path):
        found = duckdb.execute(f"SELECT DISTINCT register FROM read_parquet('{register}') LIMIT 2").fetchall()
        names = [row[0] for row in found]
    elif "register" in register:
        names = register["register"].dropna().unique().tolist()
    else:
        raise CheckError("The register has no column register, which names it")
    if len(names) != 1:
        raise CheckError(f"One register at a time: its column register holds {len(names)} names")
    return str(names[0])


@contextmanager
def _open_database(settings: LinkSettings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory that spills to a folder of its own, which goes with it."""
    with TemporaryDirectory() as folder, duckdb.connect() as con:
        con.execute(f"SET temp_directory = '{folder}'; SET memory_limit = '{settings.memory_limit}'")
        con.execute("SET enable_progress_bar = false")
        if settings.threads:
            con.execute(f"SET threads = {settings.threads}")
        yield con


@contextmanager
def _quiet_splink() -> Iterator[None]:
    """Splink's log repeats values of the data: off, and as before afterwards."""
    log = logging.getLogger("splink")
    before = log.level
    log.setLevel(logging.CRITICAL + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            log.setLevel(before)
