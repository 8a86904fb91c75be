"""Counts by ward and by use."""

from councilbook.business_rates.names import persons
from councilbook.business_rates.register import counts
from councilbook.business_rates.roll import contents
from councilbook.catalogue import CountRule
from councilbook.gate.disclosure.tables.counts import protect_counts
from small_roll import APPROVER

COUNTS = ["properties", "withheld_properties", "withheld_empty", "withheld_relieved"]


def test_counts_of_those_withheld_pass_the_gate_and_leave_nothing_to_take_off(town):
    roll, parties, places = town
    wards = places["ward_code"].fillna(contents.NOT_TOLD)
    table = counts.count_withheld(wards, roll, parties, counts.ALL_WARDS)
    relieved = roll["small_business_relief"].notna() & (parties["party"] != persons.ORGANISATION)
    by_ward = table.set_index("ward_code")["withheld_relieved"].drop(counts.ALL_WARDS)
    assert by_ward.to_dict() == relieved.groupby(wards).sum().to_dict()
    rule = CountRule(
        rule="counts",
        approver=APPROVER,
        counts=COUNTS,
        part_of=dict.fromkeys(COUNTS[2:], "withheld_properties"),
        totals={"ward_code": counts.ALL_WARDS},
        threshold=10,
        round_to=5,
        zeros="show",
        full="suppress",
        published_totals="what is left",
        solver_seconds=2,
    )
    safe = protect_counts(table, rule, ["ward_code"]).frame
    shown = safe["withheld_relieved"].dropna()
    assert ((shown == 0) | (shown >= 10)).all()
    assert len(shown) > 10
