"""One bill, line by line: by which rule each line comes about, and where that is published."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from councilbook.business_rates.bills.bill_rows import Rows, read_rows
from councilbook.business_rates.bills.charges import compute_bills, find_rates, find_share, split_days
from councilbook.business_rates.bills.rules import LINES, RELIEFS, Rules, Supporting, count_days


def explain_bill(bill: "pd.Series[Any] | Mapping[str, Any]", rules: Rules) -> pd.DataFrame:
    """Show one bill line by line.

    Args:
        bill: the columns of a row of `compute_bills`.

    Returns:
        A row a line that is not nil: line, amount_gbp (reliefs negative), rule in words, publication.

    Raises:
        CheckError: as `compute_bills`.
    """
    frame = pd.DataFrame([dict(bill)])
    lines = compute_bills(frame, rules).iloc[0]
    name, rows = read_rows(frame, rules)
    said = _describe(str(name[0]), rows, rules)
    steps = []
    for line, title in LINES.items():
        amount = float(lines[f"{line}_gbp"])
        if amount or line in ("basic", "gross", "net"):
            rule, publication = said.get(line, ("", ""))
            steps.append(
                {
                    "line": title,
                    "amount_gbp": -amount if line in (*RELIEFS, "lower") else amount,
                    "rule": rule,
                    "publication": rules.publications.get(publication, publication),
                }
            )
    return pd.DataFrame(steps)


def _describe(name: str, rows: Rows, rules: Rules) -> dict[str, tuple[str, str]]:
    """Say by which rule each line of one bill comes about, and where that is published."""
    year, length = rules.years[name], count_days(name)
    rv, days = int(rows.rv[0]), int(rows.days[0])
    plain, _ = find_rates(rows, year, lower=False)
    paid, _ = find_rates(rows, year)
    levy = float(year.levy.pence) if year.levy else 0.0
    _, first, later, _ = (
        int(value[0]) if isinstance(value, np.ndarray) else value for value in split_days(rows, year, rules)
    )
    part = "" if days == length else f" × {days} of {length} days"
    lowest = float(year.rates[0].pence)
    top, bottom = find_share(rows, rules.small_business[year.small_business])
    percent = 100 * int(top[0]) / int(bottom[0])
    said = {
        "basic": (f"£{rv:,} × {lowest:.1f}p{part}", year.publication),
        "supplement": (f"£{rv:,} × {int(plain[0]) / 10 - lowest - levy:.1f}p more{part}", year.publication),
        "levy": (f"£{rv:,} × {levy:.1f}p{part}", year.levy.publication if year.levy else ""),
        "lower": (f"£{rv:,} × {int(plain[0] - paid[0]) / 10:.1f}p less{part}", year.publication),
        "charity_relief": (f"{float(rules.charity.share):g} % of the charge", rules.charity.publication),
        "small_business_relief": (
            f"{percent:g} % at a rateable value of £{rv:,}, all properties £{int(rows.total[0]):,}",
            rules.small_business[year.small_business].publication,
        ),
        "discretionary_relief": (f"{rows.discretionary[0] / 100:g} % of the charge", "as the council decided"),
        "other_relief": ("as given", "as the council decided"),
    }
    if year.others_pay and (not rows.occupied[0] or rows.flags["is_charity"][0]):
        said["supplement"] = ("charities and empty properties pay the standard multiplier", year.others_pay.publication)
    if year.empty:
        said["empty_relief"] = (
            f"{first} days in the first months, {later} later",
            rules.empty_schemes[year.empty].publication,
        )
    if year.transition:
        said["transitional"] = (
            f"change limited from £{rows.transition_base[0] / 100:,.2f}",
            year.transition.publication,
        )
    if year.supporting:
        said["supporting_relief"] = (
            _say_limit(year.supporting, f"£{rows.supporting_base[0] / 100:,.2f}"),
            year.supporting.publication,
        )
    if year.retail:
        shares = " and ".join(
            f"{float(scheme.share):.4g} % from {scheme.starts} to {scheme.ends}" for scheme in year.retail
        )
        said["retail_relief"] = (shares, year.retail[0].publication)
    if year.pub:
        words = f"£{year.pub.gbp:,} a year" if year.pub.gbp else f"{float(year.pub.share):g} % of the bill"
        said["pub_relief"] = (words, year.pub.publication)
    if year.universal:
        said["universal_relief"] = (
            f"{float(year.universal.share):g} % of the gross charge",
            year.universal.publication,
        )
    return said


def _say_limit(scheme: Supporting, base: str) -> str:
    if scheme.share_of_rise is not None:
        return f"{float(scheme.share_of_rise):g} % of the rise above {base}"
    more = (
        f", or {' / '.join(f'{float(cap.pct):g}' for cap in scheme.up)} % by value if that is more" if scheme.up else ""
    )
    return f"no more than £{scheme.cap_gbp:,} above {base}{more}"
