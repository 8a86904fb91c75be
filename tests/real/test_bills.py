"""Bills held against real rolls: reliefs to the penny where a council publishes pounds, and relief above its limit.

Selby's file was published in 2019-06 and holds the reliefs of 2018-19: its multipliers are 48.0p and 49.3p. Bills in
transition depend on the value of 2010, which it does not hold: they are among those that are not reproduced.
"""

import csv
import gzip
from pathlib import Path

import pandas as pd
import pytest

from councilbook.business_rates.bills.bill_inputs import find_year, prepare_bills
from councilbook.business_rates.bills.charges import compute_bills
from councilbook.business_rates.bills.errors_in_bills import find_errors
from councilbook.business_rates.bills.rules import RELIEFS, load_rules
from councilbook.business_rates.roll import reading

ENGLAND = load_rules("england")
TO_A_PENNY = 0.0101


def read_roll(mirror: Path, council: str, names: dict[str, str]) -> pd.DataFrame:
    """Read the columns named, whatever the length of a row."""
    path = mirror / "north_lanarkshire" / "ndr" / f"nndr_{council}_2019-06.csv.gz"
    with gzip.open(path, "rt", encoding="cp1252", newline="") as file:
        lines = list(csv.reader(file))
    header = [name.strip() for name in lines[0]]
    rows = [(line + [""] * len(header))[: len(header)] for line in lines[1:]]
    raw = pd.DataFrame(rows, columns=header)
    roll = pd.DataFrame({ours: raw[theirs].str.strip().replace("", None) for ours, theirs in names.items()})
    roll["rateable_value_gbp"] = pd.to_numeric(roll["rateable_value_gbp"], errors="coerce")
    roll["liability_start_date"] = pd.to_datetime(roll["liability_start_date"], errors="coerce")
    return roll


@pytest.fixture(scope="module")
def selby(mirror: Path) -> pd.DataFrame:
    """Selby's bills of 2018-19 as the rules give them, beside the relief that was published."""
    roll = read_roll(
        mirror,
        "selby",
        {
            "property_reference": "Property Reference Number",
            "rateable_value_gbp": "Rateable value",
            "liability_start_date": "Liability start date",
            "other_relief": "Type",
            "relief_total": "Relief total",
        },
    )
    assert (len(roll), roll["rateable_value_gbp"].sum()) == (2_677, 88_679_246)
    bills = prepare_bills(roll, "2018-19")
    bills["published"] = -pd.to_numeric(roll["relief_total"])
    topped_up = bills["reliefs"].fillna("").str.contains("Discretionary Top Up; (?:CASC )?Mandatory")
    bills["discretionary_pct"] = topped_up * 20.0
    bills["ratepayer_properties"] = 1  # the relief was granted, so the council took it for the only one
    lines = compute_bills(bills, ENGLAND)
    bills["computed"] = lines[[f"{line}_gbp" for line in RELIEFS]].sum(axis=1).round(2)
    bills["agrees"] = (bills["published"] - bills["computed"]).abs() <= TO_A_PENNY
    return bills[bills["published"].notna()]


def test_full_small_business_relief_to_the_penny(selby: pd.DataFrame) -> None:
    full = selby["published"].sub(selby["rateable_value_gbp"] * 0.480).abs() <= 0.01
    full &= selby["rateable_value_gbp"] <= 12_000
    assert full.sum() == 575  # 576 with a property of no value and no relief
    granted = full & selby["claims_small_business"]
    assert granted.sum() == 574
    assert selby.loc[granted, "agrees"].all()


def test_the_taper_to_the_penny(selby: pd.DataFrame) -> None:
    value = selby["rateable_value_gbp"]
    taper = (value > 12_000) & (value < 15_000)
    taper &= (selby["published"] - value * 0.480 * (15_000 - value) / 3_000).abs() <= 0.5
    assert taper.sum() == 30
    assert selby.loc[taper, "agrees"].all()


def test_part_years_and_other_reliefs_to_the_penny(selby: pd.DataFrame) -> None:
    only = selby["reliefs"].fillna("")
    part = selby["liable_from_date"].notna() & (only == "Small Business Rate")
    agree = {
        "small business": (only == "Small Business Rate", 665, 1_141),
        "small business, part of the year": (part, 53, 91),
        "charity": (only == "Mandatory", 29, 53),
        "charity with top-up": (only == "Discretionary Top Up; Mandatory", 29, 72),
        "sports club": (only == "CASC Mandatory", 10, 11),
        "public house": (only == "Pub", 23, 24),
    }
    found = {name: (int(selby.loc[rows, "agrees"].sum()), int(rows.sum())) for name, (rows, *_) in agree.items()}
    assert found == {name: (right, rows) for name, (_, right, rows) in agree.items()}


@pytest.mark.parametrize(
    ("council", "names", "above", "most"),
    [
        (
            "bradford",
            {
                "property_reference": "Property reference number",
                "rateable_value_gbp": "Rateable value",
                "liability_start_date": "Liability start date",
                "mandatory_relief": "Mandatory Reliefs",
            },
            1,
            50_999,
        ),
        (
            "kirklees",
            {
                "property_reference": "Property reference number",
                "rateable_value_gbp": "Rateable value",
                "liability_start_date": "Liability start date",
                "small_business_relief": "Current Relief Type Description",
            },
            120,
            50_999,
        ),
    ],
)
def test_small_business_relief_above_its_limit(
    mirror: Path, council: str, names: dict[str, str], above: int, most: int
) -> None:
    bills = prepare_bills(read_roll(mirror, council, names), "2019-20")
    found = find_errors(bills, ENGLAND)
    found = found[found["kind"] == "relief_above_limit"]
    value = bills.loc[found.index, "rateable_value_gbp"]
    assert (value > 15_000).sum() == above
    assert value[value > 15_000].max() <= most  # so all of them may be marked for the small multiplier alone


@pytest.mark.parametrize(
    ("council", "year", "charities", "retail", "pubs", "empty"),
    [  # pub relief ended with 2018-19 and the retail discount began with 2019-20: the words bear the years out
        ("bradford", "2018-19", 859, 0, 149, 2_171),  # a mandatory relief in each of 859 rows; nothing stands for empty
        ("calderdale", "2019-20", 422, 0, 0, 308),  # of 430 with mandatory relief, 8 have the 50 % of a village shop
        ("harrogate", "2019-20", 0, 0, 0, 0),  # tells no relief
        ("kirklees", "2018-19", 488, 0, 110, 0),
        ("scarborough", "2019-20", 155, 195, 0, 136),
        ("selby", "2018-19", 140, 0, 44, 89),  # of 154, 14 rural; the amounts are of 48.0p and 49.3p, those of 2018-19
    ],
)
def test_rolls_are_billed_by_their_own_year_with_the_reliefs_that_they_tell(
    mirror: Path, council: str, year: str, charities: int, retail: int, pubs: int, empty: int
) -> None:
    path = mirror / "north_lanarkshire" / "ndr" / f"nndr_{council}_2019-06.csv.gz"
    roll = reading.read_roll(path, run_date="2026-11-23").frame.dropna(axis="columns", how="all")
    assert find_year(roll, ENGLAND, "2026-11-23", file=path.name).year == year
    bills = prepare_bills(roll, year)
    assert len(bills) == len(roll)
    assert (bills["is_charity"].sum(), bills["is_retail"].sum()) == (charities, retail)
    assert (bills["is_pub"].sum(), (~bills["is_occupied"]).sum()) == (pubs, empty)
    assert compute_bills(bills, ENGLAND)["net_gbp"].sum() > 0


# --- Scotland: worked values and poundages, as published ---


def test_scottish_worked_examples_to_the_penny(mirror: Path) -> None:
    examples = pd.read_csv(mirror / "north_lanarkshire" / "saa_rates" / "scotland_ndr_worked_examples.csv")
    assert len(examples) == 9
    bills = pd.DataFrame(
        {
            "year": examples["year"],
            "rateable_value_gbp": examples["rv"],
            "claims_small_business": ~examples["case"].str.startswith("gross"),
        }
    )
    net = compute_bills(bills, load_rules("scotland"))["net_gbp"]
    assert (net - examples["expected_net_gbp"]).abs().max() <= 0.00501  # half a penny: some are not rounded there
    rounded = (examples["expected_net_gbp"] * 100 % 1).round(6) == 0
    assert (net[rounded] == examples.loc[rounded, "expected_net_gbp"]).all() and rounded.sum() == 5


def test_scottish_poundages_are_those_of_the_table(mirror: Path) -> None:
    table = pd.read_csv(mirror / "north_lanarkshire" / "saa_rates" / "scotland_ndr_poundage_1999_2025.csv")
    table = table.set_index("year")
    years = {name: year for name, year in load_rules("scotland").years.items() if name in table.index}
    assert len(years) == 8  # 2017-18 to 2024-25
    for name, year in years.items():
        row = table.loc[name]
        bands = [(float(row["basic_poundage_p"]), row["higher_applies_above_rv"])]
        if pd.notna(row["intermediate_rate_p"]):
            bands = [(bands[0][0], row["intermediate_applies_above_rv"])]
            bands.append((float(row["intermediate_rate_p"]), row["higher_applies_above_rv"]))
        bands.append((float(row["higher_or_large_rate_p"]), None))
        assert [(float(rate.pence), rate.to) for rate in year.rates] == bands, name
