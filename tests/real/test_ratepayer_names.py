"""Real names of organisations, and ratepayers and addresses of real rolls: how many may be published."""

import pandas as pd
import pytest

from address_trials import count_lines, read_people, try_addresses, try_run_on_names
from addresses import HOME, NAME_REMOVED, classify_addresses
from councilbook.business_rates.names.person_addresses import redact_addresses, redact_roll
from councilbook.business_rates.names.persons import check_released_names, classify_parties
from councilbook.business_rates.roll.reading import read_roll
from person_trials import evaluate_kept

FOLDER = "north_lanarkshire"
TITLED = "(?:^|, )(?:Mr|Mrs) [A-Z]"


def test_most_names_of_organisations_are_kept_where_their_register_is_at_hand(mirror):
    folder = mirror / FOLDER
    companies = pd.read_csv(folder / "companies_house" / "ch_sample2000_2016_openregister.tsv", sep="\t")["name"]
    charities = pd.read_csv(folder / "charities" / "charity-company-numbers.csv.gz")["org_name"].dropna()
    kinds = {"companies": ("companies_house", companies), "charities": ("oscr", charities)}
    names = pd.concat(
        pd.DataFrame({"name": names, "source": source, "register": register, "registered_name": names})
        for source, (register, names) in kinds.items()
    )
    kept = evaluate_kept(names).set_index("source")
    assert kept.loc["companies", "kept_pct"] > 93  # by their legal form alone
    assert kept.loc["charities", "kept_pct"] > 25
    assert kept["kept_linked_pct"].min() > 88


@pytest.mark.parametrize(
    ("council", "least_pct", "most_pct"), [("bradford", 45, 55), ("kirklees", 35, 70), ("scarborough", 80, 98)]
)
def test_ratepayers_of_a_published_roll_are_named_where_something_shows_an_organisation(
    mirror, council, least_pct, most_pct
):
    roll = read_roll(mirror / FOLDER / "ndr" / f"nndr_{council}_2019-06.csv.gz", run_date="2026-01-01").frame
    parties = classify_parties(roll)
    check_released_names(roll, parties)
    assert least_pct < 100 * parties["released_name"].notna().mean() < most_pct


@pytest.mark.parametrize("council", ["bradford", "kirklees", "harrogate"])
def test_few_addresses_of_a_published_roll_name_a_person_and_those_lines_go(mirror, council):
    roll = read_roll(mirror / FOLDER / "ndr" / f"nndr_{council}_2019-06.csv.gz", run_date="2026-01-01").frame
    addresses = classify_addresses(roll, classify_parties(roll))
    titled = roll["address"].str.contains(TITLED, na=False)
    left = addresses["redacted_address"].str.contains(TITLED, na=False)
    assert titled.any() and not left.any()
    shares = 100 * addresses["reason"].value_counts(normalize=True)
    assert 0 < shares[NAME_REMOVED] < 10
    assert 0.2 < shares[HOME] < 10
    assert redact_addresses(addresses["redacted_address"]).notna().sum() == addresses["redacted_address"].notna().sum()


@pytest.mark.parametrize("council", ["selby", "scarborough"])
def test_names_from_elsewhere_go_from_addresses_and_the_lines_of_the_roll_stay(mirror, council):
    roll = read_roll(mirror / FOLDER / "ndr" / f"nndr_{council}_2019-06.csv.gz", run_date="2026-01-01").frame

    def redact(trial):
        named = trial.assign(property_reference=trial.index.astype("str"))
        return redact_roll(named, classify_parties(named))

    tried = try_addresses(roll, read_people(mirror), redact, 1)
    stays = 100 * tried.groupby("place")["stays"].mean()
    assert stays["own line first"] < 0.8 and stays["own line within"] < 0.8
    assert stays.max() < 3  # run into another line without a comma, of some 290 names
    lines = count_lines(roll, redact(roll)).sum()
    assert lines["stay"] / lines["lines"] > 0.97


def test_few_names_get_out_that_run_into_a_companys(mirror):
    companies = pd.read_csv(mirror / FOLDER / "companies_house" / "ch_sample2000_2016_openregister.tsv", sep="\t")[
        "name"
    ]
    tried = try_run_on_names(read_people(mirror), companies.dropna(), 1, size=500)
    stays = 100 * tried.groupby("style")["stays"].mean()
    assert stays.max() < 6
