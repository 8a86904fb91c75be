"""A table of counts again and again, of records of which some have come, gone or changed: what all versions give away.

The reader here knows even which counts are still the same. Nothing of the library's own protection is used.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from councilbook.catalogue import CountRule, Dataset
from councilbook.errors import ReleaseRefusedError
from councilbook.gate import beside
from councilbook.gate.beside import protect_counts_beside
from councilbook.gate.disclosure.tables.counts import protect_counts

THRESHOLD, HALF = 10, 2
COUNTS = ["homes", "cold"]
KEY = ["sector", "band"]
RULE = CountRule.model_validate(
    {
        "rule": "counts",
        "approver": "Information governance lead",
        "counts": COUNTS,
        "part_of": {"cold": "homes"},
        "totals": dict.fromkeys(KEY, "All"),
        "threshold": THRESHOLD,
        "round_to": 2 * HALF + 1,
        "zeros": "show",
        "full": "suppress",
        "published_totals": "what is left",
        "solver_seconds": 1,
    }
)


def draw_versions(seed: int, number: int) -> list[pd.DataFrame]:
    """Draw homes in streets, and count them each time that some have gone and their chances have moved a little."""
    random = np.random.default_rng(seed)
    street = random.integers(0, 80, 500)
    homes = pd.DataFrame({"street": street, "sector": [f"CT{one // 8}" for one in street]})
    homes["chance"] = random.random(80)[street] + random.random(500)
    versions = []
    for _ in range(number):
        versions.append(count_homes(homes))
        homes = homes[random.random(len(homes)) > 0.03]
        homes = homes.assign(chance=homes["chance"] + random.normal(0, 0.01, len(homes)))
    return versions


def count_homes(homes: pd.DataFrame) -> pd.DataFrame:
    mean = homes.groupby("street")["chance"].transform("mean")
    cold = homes["chance"] > homes["chance"].quantile(0.8)
    homes = homes.assign(
        band=pd.qcut(mean.rank(method="first"), 4, labels=list("1234")).astype("str"), homes=1, cold=cold
    )
    parts = [homes, homes.assign(band="All"), homes.assign(sector="All"), homes.assign(sector="All", band="All")]
    rows = pd.MultiIndex.from_product([[*sorted(homes[name].unique()), "All"] for name in KEY], names=KEY)
    counts = pd.concat(parts).groupby(KEY)[COUNTS].sum().reindex(rows, fill_value=0)
    return counts.astype("int64").reset_index()


def publish(versions: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    dataset = Dataset.model_construct(id="cold_homes", key=KEY, about=None)
    published: list[pd.DataFrame] = []
    for version in versions:
        published.append(protect_counts_beside(version, RULE, dataset, published, {}).frame)
    return published


def attack(versions: Sequence[pd.DataFrame], published: Sequence[pd.DataFrame]) -> list[tuple[float, float]]:
    """Bound each small count, and each small remainder, that was not shown, from all versions together."""
    least, most, place = list[float](), list[float](), dict[tuple[int, object, str], int]()
    wanted = list[Mapping[int, int]]()
    for number, (version, shown) in enumerate(zip(versions, published, strict=True)):
        inner = ~version[KEY].eq("All").any(axis="columns")
        for row in version.index[inner]:
            key = tuple(version.loc[row, KEY])
            for count in COUNTS:
                value, is_hidden = version.loc[row, count], pd.isna(shown.loc[row, count])
                low, high = (1, np.inf) if is_hidden else (0, 0)
                if not is_hidden and (told := shown.loc[row, count]):
                    low, high = max(told - HALF, THRESHOLD), told + HALF
                same = [
                    at
                    for (before, of, name), at in place.items()
                    if (of, name) == (key, count) and versions[before].set_index(KEY).loc[key, count] == value
                ]
                at = place[number, key, count] = same[0] if same else len(least)
                if same:
                    least[at], most[at] = max(least[at], low), min(most[at], high)
                else:
                    least, most = [*least, low], [*most, high]
                if is_hidden and value < THRESHOLD:
                    wanted.append({at: 1})
            if 0 < version.loc[row, "homes"] - version.loc[row, "cold"] < THRESHOLD:
                wanted.append({place[number, key, "homes"]: 1, place[number, key, "cold"]: -1})
    pairs = {(at, place[number, key, "homes"]) for (number, key, count), at in place.items() if count == "cold"}
    parts = np.zeros((len(pairs), len(least)))
    for row, (part, whole) in enumerate(pairs):
        parts[row, [part, whole]] = 1, -1
    bounds = []
    for terms in wanted:
        aim = np.zeros(len(least))
        aim[list(terms)] = list(terms.values())
        ends = [
            linprog(sign * aim, parts, np.zeros(len(pairs)), bounds=np.column_stack([least, most])) for sign in (1, -1)
        ]
        assert all(end.status in (0, 3) for end in ends)
        bounds.append((ends[0].fun, np.inf if ends[1].status == 3 else -ends[1].fun))
    return bounds


@pytest.mark.parametrize("seed", [12, 20, 26])  # of which some would have to be refused if no more were suppressed
def test_later_versions_leave_and_no_small_count_comes_out_of_all_of_them(seed: int) -> None:
    versions = draw_versions(seed, 3)
    published = publish(versions)
    bounds = attack(versions, published)
    assert len(bounds) > 100
    assert not [one for one in bounds if one[0] > 1 or one[1] < THRESHOLD]
    hidden = [one["homes"].isna().mean() for one in published]
    assert max(hidden) < min(hidden) + 0.1


def test_a_version_that_must_hide_what_was_shown_is_solved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    solved, choose = [], beside.secondary.choose_secondary
    monkeypatch.setattr(beside.secondary, "choose_secondary", lambda *asked: solved.append(1) or choose(*asked))
    dataset = Dataset.model_construct(id="cold_homes", key=KEY, about=None)
    first, second = draw_versions(4, 2)
    shown = protect_counts_beside(first, RULE, dataset, [], {}).frame
    with pytest.raises(ReleaseRefusedError):  # what was shown cannot all stay
        protect_counts(second, RULE, KEY, [shown])
    solved.clear()
    beside._protect_alone(second, RULE, KEY, [shown])
    assert len(solved) == 1
