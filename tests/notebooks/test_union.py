"""All that a study publishes of its sample, laid side by side and attacked at once."""

import pandas as pd
import pytest

from councilbook.catalogue import About, load_catalogue
from councilbook.paths import place_outputs
from union_attack import attack, find_recovered, read_published

PLACES = {"business_rates": "north_lanarkshire", "fuel_poverty": "kent_medway", "culture": "waltham_forest"}
THRESHOLD = 10
OF_ROLL = {  # column of the roll, which the register shows of organisations, and what it tells of the others
    "small_business_relief": {"relief": "small business"},
    "mandatory_relief": {"relief": "charity"},
    "empty_since_date": {"occupancy": "empty"},
}


@pytest.fixture(scope="module")
def published(sample):
    """Every open table of each study, as a reader downloads it."""
    return {
        study: {
            file.parent.name: pd.read_csv(file)
            for file in (sample.processed / place_outputs(study, place, "sample")).glob("*/*.csv")
        }
        for study, place in PLACES.items()
    }


@pytest.fixture(scope="module")
def datasets(sample):
    return load_catalogue(sample).datasets


def read_all(datasets, tables):
    return read_published(datasets, {name: table for name, table in tables.items() if datasets[name].about})


def take_off(tables):
    """Take the rows that the register shows off what the roll's columns hold: of each, what is left of the others."""
    register = tables["open_rates_register"]
    for column, filled in tables["rates_roll_columns"].set_index("column")["properties"].dropna().items():
        if column in OF_ROLL:
            left = filled - register[column].notna().sum()
            yield OF_ROLL[column], max(0, left - 2), max(0, left + 2)


def test_no_hidden_count_of_the_rates_comes_out(datasets, published):
    tables = published["business_rates"]
    [known] = read_all(datasets, tables).values()
    known.counted += take_off(tables)
    bounds = attack(known)
    assert set(bounds["dataset"]) >= {"rates_by_ward", "rates_by_use", "rates_party_counts"}
    assert find_recovered(bounds, THRESHOLD).empty


def test_what_is_left_of_a_column_of_the_roll_is_no_small_count(published):
    tables = published["business_rates"]
    left = list(take_off(tables))
    assert len(left) == 2  # few withheld have the third, so it is not published
    assert all(high == 0 or low >= THRESHOLD - 2 for _, low, high in left)


def test_no_hidden_count_of_households_comes_out(datasets, published):
    tables = published["fuel_poverty"]
    visits = tables["home_visit_targeting"]
    budget = visits.loc[(visits["visits_pct"] - 5).abs().idxmin(), "visits"]
    reached = visits[visits["visits"] == budget].set_index("order")["reached"]
    hidden = 0
    for (_, order), known in read_all(datasets, tables).items():
        known.counted.append(({"fuel_poor": "yes", "reached": "yes"}, reached[order] - 1, reached[order] + 1))
        bounds = attack(known)
        hidden += len(bounds)
        assert find_recovered(bounds, THRESHOLD).empty, order
    assert hidden > 0


def test_no_hidden_count_of_households_at_risk_comes_out(datasets, published):
    tables = published["fuel_poverty"]
    sectors, scores = tables["postcode_sector_risk"], tables["household_model_scores"]
    about = About(records="at_risk", counts={"households": {}, "at_risk_households": {"at_risk": "yes"}})
    spec = datasets["postcode_sector_risk"].model_copy(update={"about": about})
    [known] = read_published({spec.id: spec}, {spec.id: sectors}).values()
    households = scores["observations"].max()  # and a fifth of them are at risk
    known.counted += [({}, households, households), ({"at_risk": "yes"}, households // 5, households // 5 + 1)]
    for sector in sectors["postcode_sector"].unique()[:3]:
        part = [one for one in known.hidden if one[3]["postcode_sector"] == sector]
        known_here = type(known)(None, known.counted, [], part, known.whole)
        assert find_recovered(attack(known_here), THRESHOLD).empty, sector


def test_no_hidden_count_of_the_museum_comes_out(datasets, published):
    found = []
    for known in read_all(datasets, published["culture"]).values():
        # two estimates of the hours that people spent there are not the same to an hour
        known.counted = [
            (where, low * 0.8, high * 1.2) if where.get("counted") == "person-hours" else (where, low, high)
            for where, low, high in known.counted
        ]
        found.append(attack(known))
    bounds = pd.concat(found)
    assert set(bounds["dataset"]) == {"wifi_stay_counts"}  # in the sample no hour of the whole museum is hidden
    assert find_recovered(bounds, THRESHOLD).empty
