"""How far the people behind a table of records can be recognised, and what is learned of them then."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_datetime64_any_dtype, is_numeric_dtype
from scipy.optimize import minimize
from scipy.special import expit, gammaln

from councilbook.errors import CheckError

Codes = NDArray[np.int64]
Numbers = NDArray[np.float64]
LARGEST_KEY = 2**62
FEW_KEYS = 2**23  # an array with a place for each takes less time than to sort them
EVERYBODY = "the records are the whole population"


@dataclass(frozen=True)
class Risk:
    """Disclosure risk of a table of records.

    Attributes:
        records: number of records.
        k: fewest records that share their quasi-identifiers; 0 if there are no records.
        l: fewest different sensitive values among those, in any sensitive column; None if there is no such column.
        t: furthest that their sensitive values are from those of all records, in any column, from 0 to 1.
        l_by, t_by: the same for each sensitive column.
        sample_uniques: records that share their quasi-identifiers with no other.
        sample_uniques_pct: the same, in percent of the records.
        population_uniques_pct: records that are, as far as can be told, the only one of their kind in the population.
        population_basis: what that was taken from.
    """

    records: int
    k: int
    l: int | None  # noqa: E741 (its name in the field)
    t: float | None
    l_by: dict[str, int]
    t_by: dict[str, float]
    sample_uniques: int
    sample_uniques_pct: float
    population_uniques_pct: float
    population_basis: str


def measure_risk(
    records: pd.DataFrame,
    quasi_identifiers: Sequence[str],
    sensitive: Sequence[str],
    population_size: int | None = None,
) -> Risk:
    """Measure k-anonymity, l-diversity, t-closeness and uniqueness.

    A class is all records with the same quasi-identifiers. A missing value is a value as any other. Of a number or a
    date in a sensitive column the distance is the ordered earth mover's distance, a missing one above all others; of
    anything else it is half the sum of absolute differences (Li, Li and Venkatasubramanian 2007, t-Closeness,
    doi:10.1109/ICDE.2007.367856). Where no value is missing, k, l and t are those of pycanon; it leaves out records
    that lack a quasi-identifier, and here they count.

    DuckDB counts, in a database of its own that holds codes for values, stays in memory and cannot spill to a disk.

    Args:
        records: a row a person, household or business.
        quasi_identifiers: columns by which somebody could be recognised.
        sensitive: columns that nobody should learn of a recognised person.
        population_size: number of people that the records are a random sample of; None: the records are all of them.

    Raises:
        CheckError: the population is smaller than the table.
    """
    if population_size is not None and population_size < len(records):
        raise CheckError(f"A population of {population_size} cannot have {len(records)} records.")
    classes = number_classes([code_values(records[name]) for name in quasi_identifiers], len(records))
    l_by: dict[str, int] = {}
    t_by: dict[str, float] = {}
    sizes, numbers = np.unique(np.bincount(classes), return_counts=True)  # of classes; how many have each
    with open_database() as database:
        for name in sensitive if len(records) else ():
            pairs = count_pairs(database, classes, code_values(records[name]))
            distinct, distance = measure_spread(*pairs, ordered=is_ordered(records[name]))
            l_by[name], t_by[name] = int(distinct.min()), max(float(distance.max()), 0.0)
    uniques = int(numbers[sizes == 1].sum())
    uniques_pct = 100 * uniques / max(len(records), 1)
    chance, basis = _estimate_chance(sizes, numbers, population_size)
    return Risk(
        records=len(records),
        k=int(sizes.min(initial=len(records))),
        l=min(l_by.values(), default=None),
        t=max(t_by.values(), default=None),
        l_by=l_by,
        t_by=t_by,
        sample_uniques=uniques,
        sample_uniques_pct=uniques_pct,
        population_uniques_pct=uniques_pct * chance,
        population_basis=basis,
    )


def is_ordered(values: pd.Series) -> bool:
    """Tell whether the distance between values follows their order: numbers and dates."""
    return is_numeric_dtype(values) or is_datetime64_any_dtype(values)


def code_values(values: pd.Series) -> Codes:
    """Number the different values of a column from 0, in their order where they have one, a missing one last."""
    codes, _ = pd.factorize(values, sort=is_ordered(values), use_na_sentinel=False)
    return codes


def number_classes(columns: Sequence[Codes], rows: int) -> Codes:
    """Number the different rows of columns of codes from 0."""
    keys, top = np.zeros(rows, dtype="int64"), 1
    for column in columns:
        width = int(column.max(initial=0)) + 1
        if top * width > LARGEST_KEY:
            keys = pd.factorize(keys)[0]
            top = rows
        keys, top = keys * width + column, top * width
    return pd.factorize(keys)[0]


def open_database() -> duckdb.DuckDBPyConnection:
    """Open a database that nothing else can reach, and that fails rather than write to a disk."""
    return duckdb.connect(":memory:", config={"threads": 2, "temp_directory": ""})


def count_pairs(database: duckdb.DuckDBPyConnection, classes: Codes, values: Codes) -> tuple[Codes, Codes, Codes]:
    """Count how often each value is in each class: classes, values and counts, a row a pair that there is."""
    database.register("records", pd.DataFrame({"class": classes, "value": values}))
    query = "SELECT class, value, count(*) AS records FROM records GROUP BY class, value"
    pairs = database.execute(query).fetchnumpy()
    return np.asarray(pairs["class"]), np.asarray(pairs["value"]), np.asarray(pairs["records"])


def measure_spread(classes: Codes, values: Codes, counts: Codes, *, ordered: bool) -> tuple[Codes, Numbers]:
    """Count the different values in each class, and measure how far they are from those of all classes.

    Args:
        classes, values, counts: a row a class and a value in it, which may come more than once.
        ordered: take the ordered earth mover's distance, not half the sum of absolute differences.

    Returns:
        Number of values and distance, by the number of a class.
    """
    width = int(values.max()) + 1
    keys, counts = _add_up(classes * width + values, counts)
    classes, values = np.divmod(keys, width)
    size = np.bincount(classes, weights=counts)[classes]
    overall = np.bincount(values, weights=counts) / counts.sum()
    if not ordered:
        excess = np.abs(counts / size - overall[values]) - overall[values]
        return np.bincount(classes), (1 + np.bincount(classes, weights=excess)) / 2

    ranks = (np.cumsum(overall > 0) - 1)[values]
    overall = overall[overall > 0]
    if len(overall) == 1:
        return np.bincount(classes), np.zeros(classes[-1] + 1)
    # from each of its values up to the next, a class's cumulative share stands still, and that of all rises past it
    cumulative = np.cumsum(overall)
    area = np.cumsum(np.append(0, cumulative))
    total = np.cumsum(counts)
    first = np.diff(classes, prepend=-1) > 0
    share = (total - np.maximum.accumulate(np.where(first, total - counts, 0))) / size
    until = np.where(np.append(first[1:], True), len(overall), np.append(ranks[1:], 0))
    passed = np.clip(np.searchsorted(cumulative, share), ranks, until)
    apart = share * (2 * passed - ranks - until) - 2 * area[passed] + area[ranks] + area[until]
    apart += np.where(first, area[ranks], 0)
    return np.bincount(classes), np.bincount(classes, weights=apart) / (len(overall) - 1)


def _add_up(keys: Codes, counts: Codes) -> tuple[Codes, Codes]:
    """Add the counts of equal keys, and give the keys in order."""
    if int(keys.max()) < FEW_KEYS:
        sums = np.bincount(keys, weights=counts).astype("int64")
        found = np.flatnonzero(sums)
        return found, sums[found]
    order = np.argsort(keys)
    begins = np.flatnonzero(np.diff(keys[order], prepend=-1))
    return keys[order][begins], np.add.reduceat(counts[order], begins)


def _estimate_chance(sizes: Codes, numbers: Codes, population_size: int | None) -> tuple[float, str]:
    """Estimate the chance that a record which is unique in the sample is so in the population.

    Pitman's sampling formula is fitted to the numbers of classes of each size by maximum likelihood (Hoshino 2001,
    Applying Pitman's sampling formula to microdata disclosure risk assessment, Journal of Official Statistics 17(4)).
    By the same formula each further person of the population then misses the unique record. In simulated populations
    of 200,000 the estimate was within 12 percentage points of the truth in samples of 5%, within 8 in samples of 30%
    and within 4 in samples of 60%. It is lowest against the truth where one quasi-identifier nearly follows from
    another but for a few people, so it may be published beside the worst case, not instead of it.
    """
    records = int((sizes * numbers).sum())
    if population_size is None or population_size == records:
        return 1.0, EVERYBODY
    if not (sizes > 1).any():
        return 1.0, "all records are unique, so each may be so in the population"
    classes = numbers.sum()

    def oppose(point: Numbers) -> float:
        """Negative log-likelihood a record, of log-odds of alpha and log of theta + alpha."""
        alpha = expit(point[0])
        theta = np.exp(point[1]) - alpha
        likelihood = (classes - 1) * np.log(alpha) + gammaln(theta / alpha + classes) - gammaln(theta / alpha + 1)
        likelihood -= gammaln(theta + records) - gammaln(theta + 1)
        likelihood += (numbers * (gammaln(sizes - alpha) - gammaln(1 - alpha))).sum()
        return float(-likelihood / records)

    limits = [(-7, 7), (-7, np.log(records) + 9)]  # beyond these log-gamma loses the digits that matter
    fit = minimize(oppose, [0.0, np.log(classes)], method="Nelder-Mead", bounds=limits, options={"fatol": 1e-10})
    if not fit.success:
        return 1.0, "the estimate did not converge, so each unique record may be so in the population"
    alpha = expit(fit.x[0])
    theta = np.exp(fit.x[1]) - alpha
    chance = np.exp(
        gammaln(theta + alpha + population_size - 1)
        - gammaln(theta + alpha + records - 1)
        + gammaln(theta + records)
        - gammaln(theta + population_size)
    )
    return float(chance), f"Pitman's model of a sample of {records} from {population_size}"
