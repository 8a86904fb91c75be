"""The national series of measures against cold homes: which schemes paid for them, and when."""

from collections.abc import Mapping

import pandas as pd

from councilbook.errors import CheckError

SCHEMES: Mapping[str, str] = {
    "eco_measures": "Energy Company Obligation",
    "cashback_measures": "Green Deal Cashback",
    "finance_plan_measures": "Green Deal Finance Plans",
    "improvement_fund_measures": "Green Deal Home Improvement Fund",
    "communities_measures": "Green Deal Communities",
}
GREEN_DEAL = "Green Deal, all four schemes"


def prepare_national(rows: pd.DataFrame) -> pd.DataFrame:
    """Make the national series of measures installed one row a month and scheme.

    Args:
        rows: national_energy_measures: month (dd/mm/yyyy, its first day), a column for each of SCHEMES (blank where the
            scheme did not run), total_measures.

    Returns:
        month (a date), scheme, measures, in the order of months and schemes, without the blanks.

    Raises:
        CheckError: a month is missing between the first and the last, stands twice, or has a total that is not the sum
            of its schemes.
    """
    months = pd.to_datetime(rows["month"], format="%d/%m/%Y")
    expected = pd.date_range(months.min(), months.max(), freq="MS")
    if sorted(months) != list(expected):
        raise CheckError(f"National series: expected each of {len(expected)} months once, found {len(months)} rows.")
    sums = rows[list(SCHEMES)].sum(axis="columns")
    if (off := sums.ne(rows["total_measures"])).any():
        first = months[off].iloc[0]
        raise CheckError(
            f"National series: the schemes do not add up to the total in {int(off.sum())} months, as {first:%B %Y} "
            f"({sums[off].iloc[0]:,} and {rows.loc[off, 'total_measures'].iloc[0]:,})."
        )
    long = rows[list(SCHEMES)].rename(columns=SCHEMES).assign(month=months).melt("month", None, "scheme", "measures")
    order = {name: place for place, name in enumerate(SCHEMES.values())}
    long = long.dropna(subset="measures").astype({"measures": "int64"})
    return long.sort_values(["month", "scheme"], key=lambda values: values.replace(order), ignore_index=True)


def sum_national(measures: pd.DataFrame) -> pd.DataFrame:
    """Add the national series up by year and scheme.

    Args:
        measures: from `prepare_national`.

    Returns:
        year, scheme, measures, months (of the year that the series covers; fewer than 12 in a year it breaks off in).
    """
    years = measures.assign(year=measures["month"].dt.year.astype("int64"))
    months = years.groupby("year")["month"].nunique()
    sums = years.groupby(["year", "scheme"], sort=False)["measures"].sum().reset_index()
    return sums.assign(months=sums["year"].map(months).astype("int64"))


def join_green_deal(yearly: pd.DataFrame) -> pd.DataFrame:
    """Put the four Green Deal schemes together, and leave out years that are not whole.

    Args:
        yearly: national_energy_measures_by_year.

    Returns:
        year, scheme (two), measures.
    """
    whole = yearly[yearly["months"] == 12]
    obligation = next(iter(SCHEMES.values()))
    joined = whole.assign(scheme=whole["scheme"].where(whole["scheme"] == obligation, GREEN_DEAL))
    return joined.groupby(["year", "scheme"], sort=False)["measures"].sum().reset_index()


def describe_national(yearly: pd.DataFrame) -> str:
    """Say how many measures national schemes paid for, by which, and in which year most.

    Args:
        yearly: national_energy_measures_by_year.
    """
    total, by_scheme = yearly["measures"].sum(), yearly.groupby("scheme")["measures"].sum()
    years = yearly[yearly["months"] == 12].groupby("year")["measures"].sum()
    span = f"{yearly['year'].min()} to {yearly['year'].max()}"
    most = f" The most in one year were {years.max():,}, in {years.idxmax()}." if len(years) else ""
    return (
        f"National schemes paid for **{total / 1e6:.1f} million measures** in homes in Great Britain from {span}, "
        f"{100 * by_scheme.max() / total:.0f}% of them under the {by_scheme.idxmax()}.{most}"
    )
