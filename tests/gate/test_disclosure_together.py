"""All that is published about the same records, attacked at once: no suppressed count comes back."""

from math import ceil, floor, isfinite

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from councilbook.business_rates.register.counts import ALL_USES, ALL_WARDS, tell_of_withheld
from councilbook.catalogue import RecordRule, load_catalogue
from councilbook.errors import ReleaseRefusedError
from councilbook.gate.beside import Published, gather_told, protect_counts_beside, protect_records_beside
from councilbook.gate.disclosure.records import protect_records
from councilbook.gate.disclosure.tables.counts import protect_counts, round_counts
from councilbook.gate.disclosure.together import Count, Counts, Told, _lay_out_shown, _tell, find_exposed
from councilbook.paths import find_workbook
from union_attack import attack, find_recovered, read_published

CATALOGUE = load_catalogue(find_workbook())
REGISTER, BY_WARD, BY_USE, COARSE = "open_rates_register", "rates_by_ward", "rates_by_use", "rates_deidentified"
DESCRIPTIONS = {"Shops and services": "SHOP", "Offices": "OFFICE", "Public services and community": "SCHOOL"}
USES = [*DESCRIPTIONS]
RECORDS = ("withheld_ratepayers",)


def make_people(*groups):
    """Lay out properties whose ratepayer is withheld: ward, use, occupancy and relief, so many of each."""
    columns = ["ward_code", "use", "occupancy", "relief"]
    people = pd.DataFrame([group[:4] for group in groups for _ in range(group[4])], columns=columns)
    return people.assign(value_band="up to £5,000", liability_year=2020.0, credit="none")


def make_register(people):
    """Lay out the open register of these alone: the others cannot hide them."""
    return pd.DataFrame(
        {
            "property_reference": people.index.astype("str"),
            "ward_code": people["ward_code"],
            "description": people["use"].map(DESCRIPTIONS),
            "description_code": pd.Series(None, people.index, dtype="str"),
            "rateable_value_gbp": 4_000.0,
            "released_name": pd.Series(None, people.index, dtype="str"),
        }
    )


def count(people, by, total):
    rows = people.assign(
        properties=1,
        withheld_properties=1,
        withheld_empty=people["occupancy"].eq("empty").astype(int),
        withheld_relieved=people["relief"].eq("small business").astype(int),
    )
    columns = ["properties", "withheld_properties", "withheld_empty", "withheld_relieved"]
    sums = rows.groupby(by)[columns].sum().reset_index()
    return pd.concat([sums, rows[columns].sum().to_frame().T.assign(**{by: total})], ignore_index=True)


def find_rule(name):
    rule = CATALOGUE.dataset(name).disclosure
    return rule if isinstance(rule, RecordRule) else rule.model_copy(update={"solver_seconds": 0.001})


def make_tables(people):
    records = people.sample(frac=1, random_state=1).reset_index(drop=True)
    records = records.assign(record=range(1, len(records) + 1), version_date=pd.Timestamp("2026-04-01"))
    return {BY_WARD: count(people, "ward_code", ALL_WARDS), BY_USE: count(people, "use", ALL_USES), COARSE: records}


def publish_alone(people):
    """Publish each table as if there were no other."""
    made = make_tables(people)
    out = {REGISTER: make_register(people)}
    for name in (BY_WARD, BY_USE):
        out[name] = protect_counts(made[name], find_rule(name), CATALOGUE.dataset(name).key).frame
    return out | {COARSE: protect_records(made[COARSE], find_rule(COARSE)).frame}


def publish_beside(people, before=None, people_before=None):
    """Publish each table beside those that are out; before: those of last month, and of whom they were."""
    made, before = make_tables(people), before or {}
    shown = {}
    if people_before is not None:  # the rows of the year stay
        made[COARSE] = make_tables(people_before)[COARSE]
        then = tell_of_withheld(make_register(people_before))
        shown[COARSE] = then.set_axis(then.index.astype("str"))
    out = before | {REGISTER: make_register(people)}
    for name, table in made.items():
        dataset, rule = CATALOGUE.dataset(name), find_rule(name)
        others = {one: Published(CATALOGUE.dataset(one), out[one], shown.get(one)) for one in out if one != name}
        protect, earlier = protect_counts_beside, [before[name]] if name in before else []
        if name == COARSE:
            protect, earlier = protect_records_beside, [Published(dataset, one, shown.get(COARSE)) for one in earlier]
        out[name] = protect(table, rule, dataset, earlier, others).frame
    return out


def list_recovered(people, *months):
    """Attack what was published, and return the counts that come out."""
    specs = {name: CATALOGUE.dataset(name) for name in months[0]}
    bounds = attack(*(read_published(specs, tables)[RECORDS] for tables in months))
    return find_recovered(
        bounds, 10, bounds.apply(lambda cell: is_small(people, cell), axis=1) if len(bounds) else None
    )


def is_small(people, cell):
    by = "ward_code" if cell["dataset"] == BY_WARD else "use"
    table = count(people, by, "all")
    return 1 <= table.loc[table[by] == cell["row"], cell["count"]].iloc[0] < 10


SIX = make_people(  # as in a town where six schools of people have a relief, and four wards of them
    ("W1", USES[2], "occupied", "small business", 3),
    ("W2", USES[2], "occupied", "small business", 3),
    ("W1", USES[2], "occupied", "none", 30),
    ("W2", USES[2], "occupied", "none", 14),
    ("W1", USES[0], "occupied", "small business", 60),
    ("W2", USES[0], "occupied", "small business", 80),
    ("W1", USES[0], "occupied", "none", 45),
    ("W2", USES[0], "occupied", "none", 75),
    ("W1", USES[1], "occupied", "small business", 30),
    ("W2", USES[1], "occupied", "small business", 60),
    ("W1", USES[1], "occupied", "none", 28),
    ("W2", USES[1], "occupied", "none", 32),
)


def test_tables_that_are_safe_alone_give_a_hidden_six_back_to_the_attack():
    recovered = list_recovered(SIX, publish_alone(SIX)).set_index("row")
    six = recovered[recovered["dataset"] == BY_USE].loc[USES[2]]
    assert six["count"] == "withheld_relieved"
    assert six[["low", "high"]].tolist() == pytest.approx([6, 6])


def test_beside_each_other_they_give_nothing_back():
    out = publish_beside(SIX)
    assert out[BY_USE].set_index("use")["withheld_relieved"].isna()[USES[2]]
    assert list_recovered(SIX, out).empty
    assert out[COARSE]["relief"].notna().all()  # what is sensitive is not lost
    assert set(tell_of_withheld(out[REGISTER])) == {"ward_code", "use", "value_band"}


def test_rows_that_are_out_and_say_too_much_are_made_coarser_beside_the_next_counts():
    rows = make_tables(SIX)[COARSE]  # as an older release, which was not coarse in the uses
    out = publish_beside(SIX, {COARSE: rows})
    assert out[BY_USE]["withheld_relieved"].notna().sum() > 1  # to suppress all of them would not have helped
    assert list_recovered(SIX, out).empty


def release_by_use(people, by_ward):
    register, by_use = CATALOGUE.dataset(REGISTER), CATALOGUE.dataset(BY_USE)
    published = {
        REGISTER: Published(register, make_register(people)),
        BY_WARD: Published(CATALOGUE.dataset(BY_WARD), by_ward),
    }
    return protect_counts_beside(count(people, "use", ALL_USES), find_rule(BY_USE), by_use, [], published).frame


def test_a_count_is_suppressed_that_would_give_one_of_another_table_back():
    people = make_people(
        ("W1", USES[2], "occupied", "small business", 4),
        ("W1", USES[2], "occupied", "none", 36),
        ("W2", USES[2], "occupied", "small business", 20),
        ("W2", USES[2], "occupied", "none", 40),
    )
    by_ward = count(people, "ward_code", ALL_WARDS).assign(is_suppressed=[True, False, True])
    by_ward["withheld_relieved"] = [pd.NA, 20, pd.NA]
    assert release_by_use(people, by_ward)["withheld_relieved"].isna().all()  # all that have one use are those of both


def test_a_table_is_refused_if_a_count_comes_out_whatever_is_suppressed():
    people = make_people(
        ("W1", USES[2], "occupied", "small business", 6),
        ("W1", USES[2], "occupied", "none", 20),
        ("W2", USES[2], "occupied", "none", 30),
        ("W1", USES[1], "occupied", "small business", 4),
        ("W2", USES[1], "occupied", "small business", 10),
    )
    by_ward = protect_counts(count(people, "ward_code", ALL_WARDS), find_rule(BY_WARD), ["ward_code"]).frame
    assert by_ward["withheld_relieved"].tolist() == [10, 10, 20]
    with pytest.raises(ReleaseRefusedError, match="same records"):  # six more than there are offices
        release_by_use(people, by_ward)


@st.composite
def draw_people(draw):
    groups = [(ward, use) for ward in ("W1", "W2", "W3") for use in USES]
    sizes = st.integers(0, 25)
    return make_people(
        *(
            (ward, use, occupancy, relief, draw(sizes))
            for ward, use in groups
            for occupancy, relief in (("occupied", "small business"), ("occupied", "none"), ("empty", "none"))
        ),
        ("W1", USES[0], "occupied", "none", 10),
        ("W1", USES[0], "occupied", "small business", 10),
    )


def publish_at_random(seed):
    """Make people, and tables of them: all small counts are hidden and some others, and of coarser rows some fields."""
    random = np.random.default_rng(seed)
    kinds = [("occupied", "small business"), ("occupied", "none"), ("empty", "none")]
    groups = [(ward, use, *kind) for ward in ("W1", "W2", "W3") for use in USES for kind in kinds]
    sizes = [int(random.integers(0, random.choice([6, 26]))) for _ in groups]
    people = make_people(*((*group, size) for group, size in zip(groups, sizes, strict=True)))
    out = {REGISTER: make_register(people)}
    for name, by, total in ((BY_WARD, "ward_code", ALL_WARDS), (BY_USE, "use", ALL_USES)):
        table = count(people, by, total)
        numbers = table[["withheld_empty", "withheld_relieved"]].astype("Int64")
        hidden = (numbers > 0) & ((numbers < 10) | (random.random(numbers.shape) < 0.25))
        table = table.assign(**numbers.apply(lambda one: round_counts(one, 5)).mask(hidden))
        out[name] = table.assign(is_suppressed=hidden.any(axis="columns"))
    if seed % 3:
        blank = [name for name in ("ward_code", "use", "occupancy", "value_band", "credit") if random.random() < 0.6]
        out[COARSE] = make_tables(people)[COARSE].assign(**dict.fromkeys(blank, pd.NA))
    return people, out


def says_too_much(low, high, size, number, threshold=10):
    """Tell whether a reader knows too much of a hidden count, by what is promised of it; `number` may be None."""
    least, most = ceil(low - 1e-6), floor(high + 1e-6) if isfinite(high) else high
    if least >= most and size > 1:
        return True  # it is known
    if (number is None or 1 <= number < threshold) and 1 <= most < min(threshold, size):
        return True  # it is known to be small
    if number is not None and 1 <= number < threshold and least > 1:
        return True  # it is known to be no one
    over = size if number is None else size - number
    return (number is None or 1 <= over < threshold) and 1 <= size - max(least, 1) < min(threshold, size - 1)


def test_each_interval_that_says_too_much_of_a_count_is_told_from_those_that_do_not():
    cases = [
        (low, high, size, number)
        for size in (1, 2, 3, 4, 6, 9, np.inf)
        for low in range(1, 6)
        for high in (*range(low, 8), np.inf)
        for number in (None, *range(low, min(high, size, 8) + 1))
        if low <= size
    ]
    least, most, sizes, numbers = (np.array(column, dtype=float) for column in zip(*cases, strict=True))
    told = _tell(least, np.minimum(most, sizes), sizes, numbers, 4.0)
    expected = [says_too_much(low, min(high, size), size, number, 4) for low, high, size, number in cases]
    assert told.tolist() == expected


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("seed", range(9))
def test_what_comes_out_is_what_an_attack_of_our_own_recovers_no_less_and_no_more(seed, is_known):
    people, out = publish_at_random(seed)

    def find_true(count):
        return float(count_people(people, count.where)) if is_known else None

    told = gather_told({name: Published(CATALOGUE.dataset(name), table) for name, table in out.items()})
    found = {(one.column, one.where) for one in find_exposed(told, find_true)}
    known = read_published({name: CATALOGUE.dataset(name) for name in out}, out)[RECORDS]
    coarse = set(out[COARSE].dropna(axis="columns", how="all")) if COARSE in out else set()
    if is_known:  # then a reader is taken to know what was rounded, unless coarser rows are about it
        known.counted = [
            (
                where,
                *([count_people(people, where)] * 2 if isfinite(high) and not is_about(where, coarse) else (low, high)),
            )
            for where, low, high in known.counted
        ]
    hidden = {(dataset, row, column): frozenset(where.items()) for dataset, row, column, where in known.hidden}
    expected = set()
    for row in attack(known).rename(columns={"count": "column", "size": "of"}).itertuples() if hidden else ():
        where = hidden[row.dataset, row.row, row.column]
        number = count_people(people, where) if is_known else None
        if says_too_much(row.low, row.high, row.of, number):
            expected.add((row.column, where))
    assert found == expected


def is_about(where, coarse):
    return not {"occupancy", "relief"}.isdisjoint(coarse & set(where))


def count_people(people, where):
    return int(np.logical_and.reduce([people[name] == value for name, value in dict(where).items()]).sum())


@settings(max_examples=6)
@given(draw_people())
def test_no_count_comes_out_of_anything_that_passes_the_gate(people):
    out = publish_beside(people)
    assert list_recovered(people, out).empty


def test_two_months_in_a_row_give_nothing_back_and_the_rows_stay_as_they_were():
    first = publish_beside(SIX)
    same = publish_beside(SIX, first, SIX)
    assert all(same[name].equals(first[name]) for name in first)
    moved = SIX.drop(index=[*range(60, 62), 130, *range(300, 304)])  # of large groups; the rows of the year stay
    joined = make_people(("W2", USES[0], "occupied", "none", 5)).set_axis(range(1_000, 1_005))
    second = publish_beside(pd.concat([moved, joined]), first, SIX)
    assert second[COARSE].equals(first[COARSE])
    assert not second[BY_USE].equals(first[BY_USE])
    assert list_recovered(SIX, first, second).empty


@pytest.mark.parametrize(("others", "exposed"), [(3, ["yes"]), (None, [])])
def test_a_count_comes_out_where_a_register_shows_how_many_records_there_are(others, exposed):
    shops = [frozenset({("use", "shop"), ("relief", relief)}) for relief in ("yes", "no")]
    hidden, shown = Count(0, "yes", shops[0], 1, np.inf, is_hidden=True), Count(0, "no", shops[1], 28, 32)
    table = Counts({(): (hidden, shown)}, frozenset({"use", "relief"}), 10)
    register = None if others is None else pd.DataFrame({"use": ["shop"] * (30 + others) + ["office"] * 20})

    found = find_exposed(Told(register, (table,)), {hidden: 3, shown: 30}.get)

    assert [one.column for one in found] == exposed


def test_records_are_those_of_now_or_of_then_by_what_registers_showed_on_each_day():
    now = pd.DataFrame({"use": ["shop", "shop", "office", "pub"]}, index=["1", "2", "3", "4"])
    then = pd.DataFrame({"use": ["shop", "office", "office"]}, index=["1", "2", "5"])
    counts = _lay_out_shown(now, then, ["use"]).set_index(["use", "is_now", "is_then"])["records"].to_dict()
    assert counts == {
        ("shop", True, True): 1,
        ("shop", True, False): 1,
        ("office", True, False): 1,
        ("office", False, True): 2,
        ("pub", True, False): 1,
    }


def test_groups_of_a_table_add_up_to_the_same_total_whatever_they_are_groups_of():
    reach = CATALOGUE.dataset("home_visit_reach")
    counts = {("tenure", "owned"): (300, 60), ("tenure", "rented"): (100, 24)}
    counts |= {("lad22_code", "E1"): (200, 50), ("lad22_code", "E2"): (105, 31), ("lad22_code", "E3"): (95, 3)}
    rows = [("First", *group, poor, reached) for group, (poor, reached) in counts.items()]
    columns = ["order", "grouping", "group", "fuel_poor_households", "reached_households"]
    table = pd.DataFrame(rows, columns=columns)
    alone = protect_counts(table, find_rule(reach.id), reach.key).frame
    assert alone["reached_households"].isna().sum() == 1

    def recover(published, reached=84):
        [known] = read_published({reach.id: reach}, {reach.id: published}).values()
        known.counted.append(({"fuel_poor": "yes", "reached": "yes"}, reached, reached))  # as another table says
        return find_recovered(attack(known), 10)

    assert recover(alone)["row"].tolist() == ["First/lad22_code/E3"]
    safe = protect_counts_beside(table, find_rule(reach.id), reach, [], {})
    assert recover(safe.frame).empty
    assert safe.frame["reached_households"].isna().sum() == 2
    later = table.assign(reached_households=[62, 24, 50, 32, 4])  # two more, of whom one is of few
    second = protect_counts_beside(later, find_rule(reach.id), reach, [safe.frame], {}).frame
    assert recover(second, 86).empty
    assert second["reached_households"].isna().equals(safe.frame["reached_households"].isna())
