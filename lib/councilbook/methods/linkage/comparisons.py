"""What is compared of two records, in which levels, and which pairs are looked at: Splink's settings."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from splink import SettingsCreator, block_on

RETAINED = ["record", "status"]
RARE_U = 1e-4  # levels rarer than this are counted among the blocked pairs, not among random ones
LEAST_TF = 1e-10  # of names and postcodes: one in ten billion
ENDING, UNREGISTERED_ENDINGS = "ending", (0.10, 0.90)  # of named ratepayers that no register of companies has
FREQUENCIES = {"name": "name_frequency", "postcode": "place_frequency", "door": "door_frequency"}


@dataclass(frozen=True)
class LinkSettings:
    """What a linkage assumes. `registered_elsewhere` says that a register holds seats, not premises.

    `corporate_endings` says that all of the register are companies, so that LTD in a ratepayer's name tells.

    `expected_share`: of the roll's properties (seats) or the register's units (premises), how many have a link.
    `least_probability`: links below it are dropped. `largest_block`: words shared by more names than this are no key.
    `random_pairs`: drawn to estimate u. Everything is drawn with `seed`; the same input gives the same links.
    """

    registered_elsewhere: bool = False
    corporate_endings: bool = False
    expected_share: float = 0.6
    least_probability: float = 0.5
    largest_block: int = 500
    random_pairs: float = 5e5
    training_pairs: float = 3e5
    seed: int = 20201
    threads: int | None = None
    memory_limit: str = "1500MB"


SEATS = LinkSettings(registered_elsewhere=True)
PREMISES = LinkSettings()
SETTINGS: Mapping[str, LinkSettings] = {
    "companies_house": replace(SEATS, corporate_endings=True),
    "oscr": SEATS,
    "charity_commission": SEATS,
    "food_hygiene": PREMISES,
    "directory": PREMISES,
}


def make_settings(assumed: LinkSettings, with_status: bool, with_letters: bool) -> SettingsCreator:
    """Splink's settings: the comparisons, their starting values, and the blocking rules. They run on Spark as well,
    where `shared_bits` is defined as a SQL function of two arrays.
    """
    elsewhere = assumed.registered_elsewhere
    comparisons: list[Any] = [_compare_names(elsewhere), _compare_places(elsewhere)]
    comparisons += [_compare_reply(elsewhere)] if with_letters else []
    comparisons += [_compare_status()] if with_status else []
    comparisons += [] if elsewhere else [_compare_use()]
    comparisons += [_compare_endings()] if assumed.corporate_endings else []
    return SettingsCreator(
        link_type="link_only",
        comparisons=comparisons,
        blocking_rules_to_generate_predictions=list(make_blocking(elsewhere).values()),
        additional_columns_to_retain=RETAINED,
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=True,
        max_iterations=15,
    )


def make_blocking(registered_elsewhere: bool) -> dict[str, Any]:
    """Which pairs are compared at all, by what a table calls the rule; for seats a place counts with a name's start."""
    rules: dict[str, Any] = {
        "the same UPRN": block_on("uprn"),
        "the same name": block_on("name"),
        "a rare word of the name, or two words": block_on("name_keys", arrays_to_explode=["name_keys"]),
    }
    if registered_elsewhere:
        rules["postcode and how the name starts"] = block_on("postcode", "substr(name, 1, 3)")
        rules["where letters go and how the name starts"] = block_on("reply_postcode", "substr(name, 1, 3)")
    else:
        rules["the same postcode"] = block_on("postcode")
        rules["number and rarest word of the address"] = block_on(
            "numbers", "rarest_place", arrays_to_explode=["numbers"]
        )
    return rules


Level = tuple[str, str, float]


def _compare_names(elsewhere: bool) -> dict[str, Any]:
    m = [0.70, 0.08, 0.06, 0.06, 0.04, 0.02, 0.04] if elsewhere else [0.18, 0.05, 0.08, 0.02, 0.06, 0.06, 0.55]
    shared = "shared_bits(name_tokens_l, name_tokens_r)"
    near = "(jaro_winkler_similarity(name_l, name_r) >= 0.94 OR "
    near += f"{shared} >= 0.85 * greatest(name_bits_l, name_bits_r))"
    inside = f"{shared} >= 0.98 * least(name_bits_l, name_bits_r)"
    levels = [
        ("name_l = name_r", "the same name"),
        (f"{near} AND {shared} >= 12", "nearly the same, a rare word shared"),
        (f"{inside} AND {shared} >= 16", "one name inside the other, rare"),
        (near, "nearly the same"),
        (f"{shared} >= 14", "rare words shared"),
        (f"{shared} >= 7", "some words shared"),
        ("ELSE", "different names"),
    ]
    made = [(*level, m[i]) for i, level in enumerate(levels)]
    return _compare("name", "name_l IS NULL OR name_r IS NULL", made, {0: "name"})


def _compare_places(elsewhere: bool) -> dict[str, Any]:
    same = "postcode_l = postcode_r"
    numbers = "list_has_any(numbers_l, numbers_r)"
    unnumbered = "(numbers_l IS NULL OR numbers_r IS NULL)"
    words = "shared_bits(place_words_l, place_words_r)"
    alike = f"{words} >= 0.6 * least(place_bits_l, place_bits_r)"
    m = (
        [0.02, 0.15, 0.03, 0.03, 0.05, 0.03, 0.02, 0.10, 0.15, 0.42]
        if elsewhere
        else [0.02, 0.58, 0.15, 0.04, 0.06, 0.06, 0.04, 0.02, 0.01, 0.02]
    )
    levels = [
        ("uprn_l = uprn_r", "the same UPRN"),
        (f"{same} AND {numbers}", "postcode and number"),
        (f"{same} AND {unnumbered} AND {alike}", "postcode and words, no number to compare"),
        (f"{same} AND {unnumbered}", "postcode, no number to compare"),
        (same, "postcode, other number"),
        (f"{numbers} AND {alike} AND {words} >= 6", "number and words, other postcode or none"),
        (f"{alike} AND {words} >= 14", "rare words, other postcode or none"),
        ("sector_l = sector_r", "postcode sector"),
        ("district_l = district_r", "postcode district"),
        ("ELSE", "elsewhere"),
    ]
    missing = "(postcode_l IS NULL OR postcode_r IS NULL) AND (place_words_l IS NULL OR place_words_r IS NULL)"
    rare = {1: "postcode" if elsewhere else "door", 2: "postcode", 3: "postcode", 4: "postcode"}
    return _compare("place", missing, [(*level, m[i]) for i, level in enumerate(levels)], rare)


def _compare_reply(elsewhere: bool) -> dict[str, Any]:
    share = 0.4 if elsewhere else 0.05
    levels: list[Level] = [
        ("reply_postcode_l = reply_postcode_r", "letters go to its postcode", share),
        ("ELSE", "letters go elsewhere", 1 - share),
    ]
    missing = "reply_postcode_l IS NULL OR reply_postcode_r IS NULL"
    return _compare("letters", missing, levels, {})


def _compare_status() -> dict[str, Any]:
    levels: list[Level] = [("status_l = status_r", "live", 0.98), ("ELSE", "dissolved or closed", 0.02)]
    return _compare("status", "status_r IS NULL", levels, {})


def _compare_use() -> dict[str, Any]:
    levels: list[Level] = [("use_l = use_r", "the same kind of place", 0.6), ("ELSE", "another kind of place", 0.4)]
    return _compare("use", "use_l IS NULL OR use_r IS NULL", levels, {})


def _compare_endings() -> dict[str, Any]:
    """m and u are assumed throughout: random pairs cannot tell how those sign that are no company."""
    levels: list[Level] = [
        ("ending_l = ending_r", "the ratepayer signs as a company", 0.85),
        ("ELSE", "no legal form in the ratepayer's name", 0.15),
    ]
    made = _compare(ENDING, "name_l IS NULL", levels, {})
    for level, u in zip(list_levels(made), UNREGISTERED_ENDINGS, strict=True):
        level["u_probability"] = u
    return made


def _compare(name: str, missing: str, levels: list[Level], rare: dict[int, str]) -> dict[str, Any]:
    made: list[dict[str, Any]] = [{"sql_condition": missing, "label_for_charts": "missing", "is_null_level": True}]
    for number, (condition, label, m) in enumerate(levels):
        level: dict[str, Any] = {"sql_condition": condition, "label_for_charts": label, "m_probability": m}
        if number in rare:
            level["tf_adjustment_column"] = rare[number]
            level["tf_minimum_u_value"] = LEAST_TF
            level["disable_tf_exact_match_detection"] = rare[number] == "door"  # its rarity is its u
        made.append(level)
    return {"output_column_name": name, "comparison_levels": made, "comparison_description": name}


def list_levels(comparison: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the levels of a comparison but that of missing values."""
    return [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
