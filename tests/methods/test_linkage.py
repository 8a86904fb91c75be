"""Linking a roll to registers: cleaning, the model on small frames, the twin, and what a review says."""

import logging
from dataclasses import replace

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleaned import clean_addresses, clean_names, split_names
from councilbook.errors import CheckError
from councilbook.methods.linkage.comparisons import SETTINGS
from councilbook.methods.linkage.explaining import explain_pair
from councilbook.methods.linkage.linking import (
    Linkage,
    fit_linkage,
    link_exactly,
    link_roll,
)
from councilbook.methods.linkage.review import (
    draw_clerical_sample,
    estimate_precision,
    lay_out_review,
    name_pair,
    tabulate_review,
)
from councilbook.methods.linkage.sides import prepare_sides
from linkage_twin import LinkageTwin, make_linkage_twin, score_links

TEXT = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30), min_size=1, max_size=6)
LINES = st.sampled_from(["12", "Unit 4", "High Street", "Airdrie", "10-14", "The Old Mill", "St John's Rd", "5a"])


def texts(*values: object) -> pd.Series:
    return pd.Series(list(values), name="name", dtype=object)


# --- cleaning ---


@pytest.mark.parametrize(
    ("written", "cleaned"),
    [
        ("Smith & Sons (Leeds) Ltd.", "SMITH SONS LEEDS"),
        ("SMITH AND SONS LEEDS LIMITED", "SMITH SONS LEEDS"),
        ("O'Brien’s Café", "OBRIENS CAFE"),
        ("A.B.C. Bros PLC", "ABC BROTHERS"),
        ("The Limited", "THE LIMITED"),
        ("First Two Eng Co", "1ST 2 ENGINEERING COMPANY"),
        ("", None),
        (None, None),
        (" - ", None),
    ],
)
def test_names_written_differently_are_one(written: str | None, cleaned: str | None) -> None:
    assert clean_names(texts(written)).tolist() == [cleaned]


@settings(max_examples=15)
@given(TEXT)
def test_cleaning_names_twice_changes_nothing(names: list[str]) -> None:
    once = clean_names(texts(*names))
    assert clean_names(once).tolist() == once.tolist()


@settings(max_examples=15)
@given(TEXT, st.randoms(use_true_random=False))
def test_a_name_is_cleaned_alike_wherever_it_stands(names: list[str], random: object) -> None:
    cleaned = dict(zip(names, clean_names(texts(*names)), strict=True))
    shuffled = names[::-1]
    assert clean_names(texts(*shuffled)).tolist() == [cleaned[name] for name in shuffled]


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("A & B Foods Ltd T/A The Fryer", ["A B FOODS", "FRYER"]),
        ("X Ltd trading as Y", ["X", "Y"]),
        ("Old Name Ltd; Older Name Ltd", ["OLD NAME", "OLDER NAME"]),
        ("Tata Steel", ["TATA STEEL"]),
        (None, []),
    ],
)
def test_a_name_in_two_parts_is_two_names(written: str | None, names: list[str]) -> None:
    assert split_names(texts(written)).tolist() == [names]


def test_addresses_are_taken_apart() -> None:
    found = clean_addresses(
        texts("Unit 4, 10-12 St John's Street, Airdrie, ML6 7AB", "SAINT JOHNS ST,AIRDRIE ML67AB", None)
    )
    assert found["postcode"].tolist() == ["ML6 7AB", "ML6 7AB", None]
    assert found["numbers"].tolist() == [["10", "12", "U4"], [], []]
    assert found["words"].tolist() == [["AIRDRIE", "JOHNS", "ST"], ["AIRDRIE", "JOHNS", "ST"], []]


@settings(max_examples=15)
@given(st.lists(LINES, min_size=1, max_size=5), st.data())
def test_the_order_of_an_addresss_lines_makes_no_difference(lines: list[str], data: st.DataObject) -> None:
    other = data.draw(st.permutations(lines))
    found = clean_addresses(texts(", ".join(lines), ", ".join(other)))
    assert found["numbers"][0] == found["numbers"][1]
    assert found["words"][0] == found["words"][1]


def test_a_number_among_names_is_refused_without_repeating_it() -> None:
    with pytest.raises(CheckError, match="text expected, row 1") as error:
        clean_names(texts("Secret Ltd", 7))
    assert "Secret" not in str(error.value)


# --- the model ---


@pytest.fixture(scope="module")
def twin() -> LinkageTwin:
    return make_linkage_twin(3, 250, 1500)


COMPANIES = replace(SETTINGS["companies_house"], random_pairs=1e5)


@pytest.fixture(scope="module")
def linkage(twin: LinkageTwin) -> Linkage:
    return fit_linkage(twin.roll, twin.register, COMPANIES)


def test_planted_links_are_found(twin: LinkageTwin, linkage: Linkage) -> None:
    score = score_links(linkage.links[linkage.links["rank"] == 1], twin.truth)
    exact = score_links(link_exactly(twin.roll, twin.register), twin.truth)
    assert score["precision"] >= 0.95
    assert score["recall"] >= 0.85
    assert exact["recall"] < 0.3


def test_the_same_input_gives_the_same_links_in_any_order(twin: LinkageTwin, linkage: Linkage) -> None:
    again = link_roll(twin.roll.sample(frac=1, random_state=1), twin.register.sample(frac=1, random_state=2), COMPANIES)
    pd.testing.assert_frame_equal(linkage.links, again, check_exact=False, rtol=1e-6)


def test_links_are_shaped_as_promised(linkage: Linkage) -> None:
    links = linkage.links
    columns = ["property_reference", "register", "unique_id", "match_weight", "match_probability", "rank", "ties"]
    assert list(links) == columns
    assert links["match_probability"].between(0.5, 1).all()
    assert (links["register"] == "companies_house").all()
    assert links["match_weight"].iloc[0] == links["match_weight"].max()


def test_the_model_can_be_shown(linkage: Linkage) -> None:
    weights = linkage.weights
    assert weights.groupby("comparison")["m"].sum().round(6).eq(1).all()
    assert weights["u"].between(0, 1).all()
    name = weights[weights["comparison"] == "name"].set_index("level")["weight_bits"]
    assert name["the same name"] > 5 > 0 > name["different names"]
    blocking = linkage.blocking
    assert blocking["pairs_so_far"].iloc[-1] < blocking["pairs_without_blocking"].iloc[0] / 10
    assert not blocking["rule"].str.contains('"').any()


def test_the_steps_of_a_link_add_up_to_its_weight(linkage: Linkage) -> None:
    for link in linkage.links.head(20).itertuples():
        steps = explain_pair(linkage, link.property_reference, link.unique_id)
        assert steps["total_bits"].iloc[-1] == pytest.approx(link.match_weight, abs=1e-6)


def test_nothing_that_is_shown_or_logged_holds_a_name(
    twin: LinkageTwin, linkage: Linkage, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        fit_linkage(twin.roll.head(60), twin.register.head(400), COMPANIES)
    printed = "".join(capfd.readouterr()) + caplog.text
    assert printed == ""
    words = set(" ".join(twin.register["name"].head(200)).split()) - {"LIMITED", "LTD", "SERVICES"}
    link = linkage.links.iloc[0]
    shown = [linkage.weights, linkage.blocking, linkage.levels]
    shown.append(explain_pair(linkage, link["property_reference"], link["unique_id"]))
    for table in shown:
        text = set(table.to_csv().upper().replace(",", " ").split())
        assert not {word for word in words if len(word) > 5} & text


def two_sides(names: list[tuple[str, str]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    roll = pd.DataFrame(
        {
            "property_reference": ["P1", "P2"],
            "ratepayer_name": ["Zibbly Foods Ltd", None],
            "address": ["5 High Street, Airdrie", "9 Low Road, Wishaw"],
            "postcode": ["ML6 1AA", "ML2 2BB"],
        }
    )
    register = pd.DataFrame(names, columns=["name", "status"]).assign(
        unique_id=[f"C{number}" for number in range(len(names))],
        register="companies_house",
        address="1 Far Street, Perth",
        postcode="PH1 1AA",
    )
    return roll, register


def test_two_equally_good_candidates_are_tied_and_neither_is_likely() -> None:
    roll, register = two_sides([("Zibbly Foods Limited", "live"), ("ZIBBLY FOODS LTD", "live"), ("Quorn Ltd", "live")])
    linkage = fit_linkage(roll, register)
    found = linkage.levels[linkage.levels["unique_id"].isin(["C0", "C1"])]
    assert len(found) == 2
    assert (found["ties"] == 1).all()
    assert (found["match_probability"] <= 0.5).all()
    assert linkage.links[linkage.links["match_probability"] > 0.5].empty


def test_of_two_namesakes_the_live_one_is_linked() -> None:
    roll, register = two_sides(
        [("Zibbly Foods Limited", "dissolved"), ("ZIBBLY FOODS LTD", "live"), ("Quorn Ltd", "live")]
    )
    best = link_roll(roll, register, replace(COMPANIES, least_probability=0.2))
    assert best["unique_id"].iloc[0] == "C1"


def test_a_kitchen_is_found_by_its_door_though_names_differ() -> None:
    doors = [f"{number} High Street, Airdrie" for number in range(1, 60)]
    roll = pd.DataFrame(
        {
            "property_reference": [f"P{number}" for number in range(1, 60)],
            "ratepayer_name": [None] * 59,
            "address": doors,
            "postcode": "ML6 1AA",
            "description": "SHOP AND PREMISES",
        }
    )
    register = pd.DataFrame(
        {
            "unique_id": ["F1", "F2"],
            "name": ["The Golden Fry", "Corner Cafe"],
            "address": ["7 High St, Airdrie", "33 HIGH STREET, AIRDRIE"],
            "postcode": "ML6 1AA",
            "register": "food_hygiene",
            "kind": "Takeaway/sandwich shop",
        }
    )
    links = link_roll(roll, register)
    assert dict(zip(links["unique_id"], links["property_reference"], strict=True)) == {"F1": "P7", "F2": "P33"}


def test_keys_that_m_is_learnt_from_are_on_both_sides_and_no_doorstep_of_hundreds() -> None:
    places = ["5 High Street, Airdrie"] * 51 + ["7 Quay Lane, Newbrae"] * 50 + ["9 Far Road, Perth"]
    register = pd.DataFrame(
        {
            "unique_id": [f"C{n}" for n in range(102)],
            "name": [*(f"Ash{n} Foods Ltd" for n in range(100)), "Zibbly Foods Ltd", "Quorn Foods Ltd"],
            "address": places,
            "register": "companies_house",
        }
    )
    roll = pd.DataFrame(
        {
            "property_reference": ["P5", "P7"],
            "ratepayer_name": ["Zibbly Foods", None],
            "address": ["5 High Street, Airdrie", "7 Quay Lane, Newbrae"],
        }
    )
    with duckdb.connect() as con:
        prepare_sides(con, roll, register, largest_block=1000)
        own = dict(con.execute("SELECT record, doorstep FROM a_roll").fetchall())
        count = "SELECT {0}, count(*) FROM b_register WHERE {0} IS NOT NULL GROUP BY ALL"
        doorsteps = dict(con.execute(count.format("doorstep")).fetchall())
        words = dict(con.execute(count.format("rarest_word")).fetchall())
    assert own["P5"] and own["P7"]
    assert doorsteps == {own["P7"]: 50}  # 51 at the other one, and Perth is not on the roll
    assert words == {"ZIBBLY": 1}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda roll, register: (roll.assign(property_reference="P"), register), "repeats property_reference"),
        (lambda roll, register: (roll, register.assign(unique_id="C")), "repeats unique_id"),
        (lambda roll, register: (roll.drop(columns="property_reference"), register), "no column property_reference"),
        (lambda roll, register: (roll, register.drop(columns="unique_id")), "no column unique_id"),
        (lambda roll, register: (roll, register.drop(columns="register")), "no column register"),
        (lambda roll, register: (roll, register.assign(register=["a", "b", "b"])), "One register at a time"),
        (lambda roll, register: (roll.head(0), register), "Nothing to link"),
    ],
)
def test_bad_input_is_named_without_a_name(spoil, message) -> None:
    roll, register = two_sides([("Zibbly Foods Limited", "live"), ("Other Ltd", "live"), ("Third Ltd", "live")])
    with pytest.raises(CheckError, match=message) as error:
        link_roll(*spoil(roll, register))
    assert "Zibbly" not in str(error.value)


def test_a_register_in_a_file_gives_the_same_links_and_the_first_of_repeated_records_counts(tmp_path) -> None:
    twin = make_linkage_twin(5, 60, 300)
    file = tmp_path / "register.parquet"
    again = twin.register.head(1).assign(name="Another Name Ltd")
    pd.concat([twin.register, again], ignore_index=True).to_parquet(file)
    links = link_roll(twin.roll, file)
    assert len(links)
    pd.testing.assert_frame_equal(links, link_roll(twin.roll, twin.register))


# --- the twin ---


def test_a_twin_is_the_same_for_the_same_seed() -> None:
    one, two, other = (make_linkage_twin(seed, 60, 300) for seed in (5, 5, 6))
    for name in ("roll", "register", "truth"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(two, name))
    assert not one.roll.equals(other.roll)


def test_a_twins_truth_is_of_its_own_records(twin: LinkageTwin) -> None:
    assert twin.truth["property_reference"].isin(twin.roll["property_reference"]).all()
    assert twin.truth["unique_id"].isin(twin.register["unique_id"]).all()
    paying = twin.register[twin.register["unique_id"].isin(twin.truth["unique_id"])]
    assert (paying["status"] == "live").all()
    assert twin.truth["unique_id"].duplicated().any(), "no chain was drawn"


def test_a_twin_of_more_properties_than_companies_is_refused() -> None:
    with pytest.raises(CheckError, match="At least as many"):
        make_linkage_twin(1, 10, 5)


def test_scores_are_counted() -> None:
    truth = pd.DataFrame({"property_reference": ["P1", "P2"], "unique_id": ["A", "B"]})
    links = pd.DataFrame({"property_reference": ["P1", "P2", "P3"], "unique_id": ["A", "A", "C"]})
    score = score_links(links, truth)
    assert (score["links"], score["right"], score["recall"]) == (3, 1, 0.5)
    assert score["precision"] == pytest.approx(1 / 3)


@pytest.mark.parametrize("register", ["food_hygiene", "companies_house", "directory"])
def test_a_register_of_another_place_has_no_links(register: str) -> None:
    count = 30
    roll = pd.DataFrame(
        {
            "property_reference": [f"P{n}" for n in range(count)],
            "ratepayer_name": [f"Ash{n} Bakery Ltd" for n in range(count)],
            "address": [f"{n} High Street, Kirkfold" for n in range(count)],
            "postcode": "ZZ1 1AA",
        }
    )
    other = pd.DataFrame(
        {
            "unique_id": [f"F{n}" for n in range(count)],
            "name": [f"Zinc{n} Garage" for n in range(count)],
            "address": [f"{500 + n} Quay Lane, Newbrae" for n in range(count)],
            "postcode": "YY9 9XX",
            "register": register,
            "status": "live",
            "kind": "Shop",
        }
    )
    assert link_roll(roll, other).empty


# --- review ---


def many_links() -> pd.DataFrame:
    probability = [0.6] * 40 + [0.85] * 60 + [0.92] * 100 + [0.97] * 200 + [0.999] * 600
    return pd.DataFrame(
        {
            "property_reference": [f"P{number}" for number in range(1000)],
            "register": "food_hygiene",
            "unique_id": [f"F{number}" for number in range(1000)],
            "match_probability": probability,
        }
    )


def test_a_sample_has_as_many_of_each_band_and_no_name() -> None:
    sample = draw_clerical_sample(many_links(), 50, seed=3)
    assert sample["band"].value_counts().eq(10).all()
    assert sample.groupby("band")["band_links"].first().sum() == 1000
    assert sample["pair_id"].is_unique
    pd.testing.assert_frame_equal(sample, draw_clerical_sample(many_links().sample(frac=1, random_state=1), 50, seed=3))
    assert name_pair("P1", "r", "F1") != name_pair("P1", "r", "F2")


def test_precision_is_weighted_by_how_many_links_a_band_has() -> None:
    sample = draw_clerical_sample(many_links(), 50, seed=3)
    doubtful = sample["band"] == sample.loc[sample["match_probability"].idxmin(), "band"]
    verdicts = dict(zip(sample["pair_id"], doubtful.map({True: "no link", False: "link"}), strict=True))
    estimate = estimate_precision(sample, verdicts)
    assert estimate.precision == pytest.approx(0.96)
    assert estimate.low < 0.96 < estimate.high + 0.02
    assert estimate.reviewed == 50


def test_verdicts_that_are_none_are_refused() -> None:
    sample = draw_clerical_sample(many_links(), 50)
    with pytest.raises(CheckError, match="kinds of verdict"):
        estimate_precision(sample, {sample["pair_id"][0]: "perhaps"})
    with pytest.raises(CheckError, match="no verdict"):
        estimate_precision(sample, {sample["pair_id"][0]: "link"})
    with pytest.raises(CheckError, match="outside"):
        draw_clerical_sample(many_links().assign(match_probability=0.1))


def test_a_clerk_sees_both_sides_and_who_reads_the_sample_alone_neither() -> None:
    links = many_links()
    roll = pd.DataFrame({"property_reference": links["property_reference"], "ratepayer_name": "Ada Byron"})
    roll = roll.assign(trading_name=None, address="1 High Street", postcode="ZZ1 1AA", description="SHOP")
    register = links[["register", "unique_id"]].assign(
        name="Byron's", address="1 High St", postcode="ZZ1 1AA", kind="Cafe"
    )
    sample = draw_clerical_sample(links, 50)
    assert "Ada Byron" not in sample.to_csv()
    pairs = lay_out_review(sample, roll, register)
    assert set(pairs["pair_id"]) == set(sample["pair_id"])
    assert (pairs["roll_name"] == "Ada Byron").all()
    assert (pairs["register_name"] == "Byron's").all()
    assert not {"property_reference", "unique_id"} & set(pairs)


def test_a_register_is_told_of_where_its_bands_have_a_verdict() -> None:
    food, other = (draw_clerical_sample(many_links().assign(register=name), None) for name in ("food_hygiene", "oscr"))
    links = pd.concat([food, other], ignore_index=True)
    assert len(links) == 2000
    drawn = draw_clerical_sample(many_links(), 50)
    verdicts = dict.fromkeys(drawn["pair_id"], "link") | {other["pair_id"][0]: "link", "0" * 16: "no link"}
    review = tabulate_review(links, verdicts)
    assert review["register"].tolist() == ["food_hygiene"]
    assert review[["links", "reviewed", "right"]].to_numpy().tolist() == [[1000, 50, 1000]]
    assert review["right_low"].iloc[0] < 1000 == review["right_high"].iloc[0]
    assert tabulate_review(links, {}).empty


def test_links_of_a_band_that_nobody_looked_at_count_as_wrong() -> None:
    links = draw_clerical_sample(many_links(), None)
    drawn = draw_clerical_sample(many_links(), 50)
    few = drawn[drawn["match_probability"] > 0.7]  # 40 links of 1,000 are below
    review = tabulate_review(links, dict.fromkeys(few["pair_id"], "link")).iloc[0]
    assert (review["links"], review["reviewed"], review["right"], review["right_high"]) == (1000, 40, 960, 1000)
    fewer = drawn[drawn["match_probability"] > 0.95]  # 800 of 1,000: too few to say
    assert tabulate_review(links, dict.fromkeys(fewer["pair_id"], "link")).empty
