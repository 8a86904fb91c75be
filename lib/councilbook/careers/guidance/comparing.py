"""Which institutions meet which benchmark, how many do, and who has not returned anything, in tables and sentences."""

import pandas as pd

from councilbook.careers.guidance.returns import BENCHMARKS, FULLY, NOT, OFFERS, PARTLY
from councilbook.pages.html.pieces import Html, fill
from councilbook.pages.html.tables import table as write_table

READ_FROM = {
    "guidance_returns": "spreadsheet",
    "guidance_pdf_ruled": "PDF, ruled table",
    "guidance_pdf_columns": "PDF, columns",
    "guidance_pdf_blocks": "PDF, blocks",
}
NOT_SAID = "not said"
OLD, NEW = "2014", "2025"  # versions of the benchmarks


def add_evidence(frame: pd.DataFrame) -> pd.DataFrame:
    """Add to a table of institutions what the gate asks of a register: each is one, and its listed name; and say what
    each value was read from in words."""
    read = frame["read_from"].map(READ_FROM)
    return frame.assign(read_from=read, is_organisation=True, listed_name=frame["institution_name"])


def describe_files(facts: pd.DataFrame) -> str:
    """Say which files the returns were read from, or that there are none."""
    if facts.empty:
        return "No return has been put in. Nobody publishes such results by school, so the tables below are empty."
    counts = facts["read_from"].map(READ_FROM).value_counts()
    return f"Values that count: {'; '.join(f'{count:,} from {name}' for name, count in counts.items())}."


def list_examples(facts: pd.DataFrame) -> pd.DataFrame:
    """List two values of each report: institution, what (in words), value, read_from, page, box."""
    words = BENCHMARKS | {f"{name}_pct": f"{title} (%)" for name, title in BENCHMARKS.items()} | OFFERS
    read = facts[facts["page"].notna() & facts["field"].isin(list(words))]
    rows = read.groupby("read_from").head(2).sort_values(["read_from", "page"], ignore_index=True)
    rows = rows.assign(what=rows["field"].map(words), read_from=rows["read_from"].map(READ_FROM))
    return rows.rename(columns={"institution_name": "institution"})[
        ["institution", "what", "value", "read_from", "page", "box"]
    ]


def tabulate_matrix(benchmarks: pd.DataFrame, version: str) -> pd.DataFrame:
    """Put the benchmarks of a version side by side.

    Returns:
        A row an institution that returned them: institution_name, a column a benchmark (its number) with fully, partly
        with its percentage, not met, or not said; and met: how many are met fully.
    """
    own = benchmarks[benchmarks["benchmarks_version"] == version]
    word = own["achieved"].replace(NOT, "not met").fillna(NOT_SAID)
    share = own["percentage"].astype("object").map(lambda one: f" ({one}%)", na_action="ignore").fillna("")
    told = own.assign(word=word.where(word != PARTLY, word + share), number=own["benchmark"].str[0])
    table = told.pivot_table(index=["institution_name", "urn"], columns="number", values="word", aggfunc="first")
    met = own["achieved"].eq(FULLY).groupby([own["institution_name"], own["urn"]]).sum()
    return table.assign(met=met).reset_index().drop(columns="urn").rename_axis(columns=None)


def count_by_benchmark(benchmarks: pd.DataFrame, version: str) -> pd.DataFrame:
    """Count the institutions that meet each benchmark of a version.

    Returns:
        A row a benchmark, that which fewest meet first: benchmark, fully, partly, not_met, not_said, and fully_pct (of
        those that said something).
    """
    own = benchmarks[benchmarks["benchmarks_version"] == version]
    counts = {FULLY: "fully", PARTLY: "partly", NOT: "not_met", NOT_SAID: "not_said"}
    said = own.assign(word=own["achieved"].fillna(NOT_SAID))
    table = said.groupby(["benchmark", "word"]).size().unstack(fill_value=0)  # noqa: PD010 (no values to pivot)
    table = table.reindex(index=list(BENCHMARKS.values()), columns=list(counts), fill_value=0).rename(columns=counts)
    told = table[["fully", "partly", "not_met"]].sum(axis="columns")
    table["fully_pct"] = 100 * table["fully"] / told.where(told > 0)
    return table.sort_values("fully_pct", kind="stable").rename_axis(index="benchmark").reset_index()


def list_missing(sites: pd.DataFrame, benchmarks: pd.DataFrame) -> pd.DataFrame:
    """List who has returned nothing: name, kind, and a column a version with returned or no return."""
    rows = sites[["name", "kind"]].copy()
    for version in (OLD, NEW):
        has = set(benchmarks.loc[benchmarks["benchmarks_version"] == version, "urn"])
        rows[version] = sites["site_id"].isin(has).map({True: "returned", False: "no return"})
    lacks = (rows[[OLD, NEW]] == "no return").any(axis="columns")
    return rows[lacks].sort_values([OLD, NEW, "name"], ignore_index=True)


def summarise(benchmarks: pd.DataFrame, sites: pd.DataFrame, version: str) -> dict[str, float]:
    """Sum a version up: returned, expected (institutions), mean_met (of eight), all_eight_pct (of who returned)."""
    met = tabulate_matrix(benchmarks, version)["met"]
    return {
        "returned": len(met),
        "expected": len(sites),
        "mean_met": float(met.mean()) if len(met) else float("nan"),
        "all_eight_pct": 100 * float((met == len(BENCHMARKS)).mean()) if len(met) else float("nan"),
    }


def describe_version(summary: dict[str, float], version: str, table: pd.DataFrame) -> str:
    """Say how many returned a version, how many benchmarks they meet, and which ones fewest do."""
    returned, expected = int(summary["returned"]), int(summary["expected"])
    if not returned:
        return f"None of the {expected} schools and colleges has returned the benchmarks of {version}."
    fewest = table[table["fully"] == table["fully"].min()]["benchmark"].str[2:].str.lower()
    named = " and ".join(fewest) if len(fewest) < len(table) else "none more than another"
    return (
        f"{returned} of {expected} schools and colleges returned the benchmarks of {version}. On average they meet "
        f"{summary['mean_met']:.2f} of eight fully. Fewest meet {named}: {int(table['fully'].min())} of {returned}."
    )


def describe_against_england(summary: dict[str, float], mean_met: float, all_eight_pct: float) -> str:
    """Hold a place against England in 2024/25, of which the benchmarks are those of 2014.

    Args:
        summary: from `summarise`, of the benchmarks of 2014.
        mean_met: how many of the eight institutions in England meet on average.
        all_eight_pct: share of institutions in England that meet all.
    """
    if not summary["returned"]:
        return "So nothing here can be held against England."
    apart = summary["mean_met"] - mean_met
    how = "as many as" if abs(apart) < 0.05 else f"{abs(apart):.1f} {'more' if apart > 0 else 'fewer'} than"
    return (
        f"That is {how} in England in 2024/25 ({mean_met:.2f}). All eight are met by {summary['all_eight_pct']:.0f}% "
        f"here, and by {all_eight_pct:.0f}% in England. One benchmark more in one institution moves the average here "
        f"by {1 / summary['returned']:.2f}."
    )


def show_matrix(benchmarks: pd.DataFrame, version: str) -> Html:
    """Show which institution meets which benchmark of a version, in words; nothing where nobody returned it."""
    table = tabulate_matrix(benchmarks, version)
    if table.empty:
        return fill("")
    headers = {"institution_name": "School or college", "met": "met fully"}
    return write_table(table, f"Gatsby benchmarks of {version}, by number, as each institution says", headers=headers)


def count_offers(offers: pd.DataFrame) -> pd.DataFrame:
    """Count the institutions by offer, each by its latest return: offer, offered, not_offered."""
    last = offers.sort_values("return_date", kind="stable").drop_duplicates(["urn", "offer"], keep="last")
    rows = last.groupby("offer")["is_offered"].agg(offered="sum", said="size").astype("int64").reset_index()
    return rows.assign(not_offered=rows["said"] - rows["offered"]).drop(columns="said")
