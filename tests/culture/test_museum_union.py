"""All that is published of a museum's visitors, attacked at once: no hidden hour comes back."""

from itertools import pairwise

import pandas as pd
import pytest

from councilbook.catalogue import load_catalogue
from councilbook.culture.counting import museum
from councilbook.gate.beside import Published, protect_counts_beside
from councilbook.paths import find_workbook
from union_attack import attack, find_recovered, read_published

HOURS, ANSWERS, PRESENT = "visits_by_hour", "visitor_answers", "people_present"
CATALOGUE = load_catalogue(find_workbook())


def take(name):
    """Take a dataset whose counts are not rounded: over several releases a reader knows them so."""
    spec = CATALOGUE.dataset(name)
    return spec.model_copy(update={"disclosure": spec.disclosure.model_copy(update={"round_to": 1})})


SPECS = {name: take(name) for name in (ANSWERS, PRESENT, HOURS)}


def make_tables(came_in, shares):
    """Lay out who came in and how long they stayed by hour, what they answered, and who was there by day and hour."""
    hours, total = pd.Series(range(10, 10 + len(came_in))), sum(came_in)
    by_hour = pd.DataFrame(
        {"hour": hours, "came_in": came_in, "period": "March", "open_days": 8, "zone": "whole museum"}
    )
    for name in ("visitors", "visitors_low", "visitors_high", "visitor_hours"):
        by_hour[name] = by_hour["came_in"]
    cuts = [0, *sorted(round(share * total) for share in shares), total]
    visitors = [end - begin for begin, end in pairwise(cuts)]
    said = pd.DataFrame({"question": "Age", "answer": [f"answer {one}" for one in range(len(visitors))], "answers": 20})
    said = said.assign(answered=20 * len(said), visitors=visitors, visitors_low=visitors, visitors_high=visitors)
    few = pd.Series(came_in) // 6
    days = {"Saturday": few, "Sunday": pd.Series(came_in) - few}
    parts = [pd.DataFrame({"weekday": day, "hour": hours, "person_hours": one}) for day, one in days.items()]
    present = pd.concat(parts, ignore_index=True).assign(weeks=4)
    present = present[present.groupby("hour")["person_hours"].transform("sum") >= museum.FEWEST_HOURS]
    for end in ("low", "high"):
        present[f"person_hours_{end}"] = present["person_hours"]
    return {ANSWERS: said, PRESENT: present, HOURS: by_hour.assign(came_by=by_hour["came_in"] + 200)}


def publish(made, *, beside):
    out = {}
    for name, spec in SPECS.items():
        others = {one: Published(SPECS[one], table) for one, table in out.items()} if beside else {}
        out[name] = protect_counts_beside(made[name], spec.disclosure, spec, [], others).frame
    return out


def recover(out):
    found = [find_recovered(attack(known), 10) for known in read_published(SPECS, out).values()]
    return pd.concat(found, ignore_index=True)


def test_an_hour_hidden_alone_comes_back_and_beside_the_other_tables_it_does_not():
    made = make_tables([40, 31, 5, 60], [0.3, 0.6])
    alone = recover(publish(made, beside=False))
    assert {(one.dataset, one.count) for one in alone.itertuples()} >= {(HOURS, "came_in"), (PRESENT, "person_hours")}
    out = publish(made, beside=True)
    assert recover(out).empty
    assert out[HOURS]["came_in"].isna().sum() == 2  # the next smallest hour goes as well
    assert out[ANSWERS]["visitors"].notna().all()


@pytest.mark.parametrize("came_in", [[9, 26, 26], [3, 8, 40, 45, 12], [0, 1, 61, 9, 30]])
def test_no_hidden_hour_of_a_small_museum_comes_out(came_in):
    assert recover(publish(make_tables(came_in, [0.35, 0.6]), beside=True)).empty
