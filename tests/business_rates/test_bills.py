"""Bills recomputed: worked by hand from the publications, to the penny, and what must hold of every bill."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from councilbook.business_rates.bills.bill_inputs import prepare_bills, read_reliefs
from councilbook.business_rates.bills.charges import compute_bills, find_small_business_share
from councilbook.business_rates.bills.explaining import explain_bill
from councilbook.business_rates.bills.rules import LINES, RELIEFS, count_days, load_rules
from councilbook.errors import CheckError, NotToldError

SCOTLAND, ENGLAND, WALES = load_rules("scotland"), load_rules("england"), load_rules("wales")
SMALL = {"claims_small_business": True}


def bill(rules: Any, year: str, value: int, **more: Any) -> "pd.Series[float]":
    return compute_bills(pd.DataFrame([{"year": year, "rateable_value_gbp": value, **more}]), rules).iloc[0]


# --- worked by hand ---


@pytest.mark.parametrize(
    ("year", "value", "more", "net"),
    [
        ("2019-20", 17_000, SMALL, 6_247.50),  # Scottish Government: 17,000 × 49.0p × 75 %
        ("2020-21", 17_000, SMALL, 6_214.04),  # the same: 8,466.00 × 75 % - 1.6 % of 8,466.00
        ("2019-20", 11_000, SMALL, 0),
        ("2019-20", 9_000, SMALL, 0),
        ("2024-25", 51_000, {}, 25_398.00),
        ("2024-25", 51_001, {}, 27_795.55),  # 27,795.545, half a penny up
        ("2024-25", 100_001, {}, 55_900.56),  # 55,900.559
        ("2023-24", 13_500, SMALL, 2_521.12),  # relief of 62.5 %: 4,201.875, so 4,201.88
        ("2023-24", 17_500, SMALL, 7_625.62),  # relief of 12.5 %: 1,089.375, so 1,089.38
        ("2023-24", 15_000, SMALL, 5_602.50),  # 7,470.00 less 25 %
        ("2023-24", 20_000, SMALL, 9_960.00),
        ("2019-20", 51_001, {}, 26_316.52),  # 51.6p: 26,316.516
        ("2020-21", 95_000, {}, 47_768.28),  # 51.1p: 48,545.00 - 776.72
        ("2020-21", 95_001, {}, 48_984.03),  # 52.4p: 49,780.524, so 49,780.52, less 1.6 %: 796.48832, so 796.49
        ("2025-26", 60_000, {}, 33_240.00),  # 55.4p
        ("2024-25", 30_000, {"is_charity": True}, 2_988.00),  # 14,940.00 less 80 %
        ("2024-25", 30_000, {"is_charity": True, "discretionary_pct": 20}, 0),
        ("2022-23", 30_000, {"is_retail": True}, 13_077.62),  # 14,940.00 × 91 of 365 days × 50 %: 1,862.38
        ("2021-22", 300_000, {"is_retail": True}, 0),
    ],
)
def test_scottish_bills_by_hand(year: str, value: int, more: dict[str, Any], net: float) -> None:
    assert bill(SCOTLAND, year, value, **more)["net_gbp"] == net


@pytest.mark.parametrize(
    ("total", "properties", "share"),
    [
        (15_000, 1, 100),
        (15_000, 2, 100),
        (18_000, 2, 25),
        (35_000, 3, 25),
        (35_001, 3, 0),
    ],
)
def test_bonus_of_2017_counts_all_properties_of_a_ratepayer(total: int, properties: int, share: float) -> None:
    bills = pd.DataFrame(
        [
            {
                "year": "2018-19",
                "rateable_value_gbp": 10_000,
                "ratepayer_total_rv_gbp": total,
                "ratepayer_properties": properties,
            }
        ]
    )
    assert find_small_business_share(bills, SCOTLAND).tolist() == [share]


@pytest.mark.parametrize(
    ("value", "total", "properties", "share"),
    [
        (12_000, 12_000, 1, 100),
        (12_001, 12_001, 1, 99.975),
        (15_001, 15_001, 1, 24.995),
        (20_001, 20_001, 1, 0),
        (8_000, 12_000, 2, 100),
        (8_000, 12_001, 2, 25),
        (17_500, 35_000, 2, 12.5),
        (17_500, 35_001, 2, 0),
    ],
)
def test_bonus_of_2023_tapers(value: int, total: int, properties: int, share: float) -> None:
    bills = pd.DataFrame(
        [
            {
                "year": "2023-24",
                "rateable_value_gbp": value,
                "ratepayer_total_rv_gbp": total,
                "ratepayer_properties": properties,
            }
        ]
    )
    assert find_small_business_share(bills, SCOTLAND)[0] == pytest.approx(share)


def test_scottish_transition_caps_the_charge_before_reliefs() -> None:
    # 30,000 × 49.8p = 14,940.00; on 31 March 2023 10,000 × 49.8p = 4,980.00, and 25 % more are 6,225.00
    lines = bill(SCOTLAND, "2023-24", 30_000, transition_base_gbp=4_980)
    assert (lines["transitional_gbp"], lines["net_gbp"]) == (8_715.00, 6_225.00)
    # mygov.scot: no more than 87.5 % above 31 March 2023 in 2024-25, as each year's limit builds on the one before
    assert bill(SCOTLAND, "2024-25", 30_000, transition_base_gbp=4_980)["net_gbp"] == 9_337.50
    with pytest.raises(CheckError, match="transition_base_gbp"):  # what the third year makes of it is not at hand
        bill(SCOTLAND, "2025-26", 30_000, transition_base_gbp=4_980)
    assert bill(SCOTLAND, "2023-24", 30_000, transition_base_gbp=14_000)["transitional_gbp"] == 0


def test_small_business_transitional_relief_caps_the_bill_after_reliefs() -> None:
    # 18,000: relief of 10 % leaves 8,067.60; the bill of 31 March 2023 was nil, so 600, 1,200 and 1,800
    for year, most in (("2023-24", 600), ("2024-25", 1_200), ("2025-26", 1_800)):
        lines = bill(SCOTLAND, year, 18_000, supporting_base_gbp=0, **SMALL)
        assert lines["net_gbp"] == most
    assert bill(SCOTLAND, "2023-24", 18_000, supporting_base_gbp=0, **SMALL)["supporting_relief_gbp"] == 7_467.60


@pytest.mark.parametrize(
    ("year", "value", "more", "net"),
    [
        ("2018-19", 12_000, SMALL, 0),
        ("2018-19", 13_500, SMALL, 3_240.00),  # half of 6,480.00
        ("2018-19", 15_000, SMALL, 7_200.00),
        ("2018-19", 50_999, {}, 24_479.52),  # 48.0p
        ("2018-19", 51_000, {}, 25_143.00),  # 49.3p
        ("2018-19", 10_000, {"is_charity": True}, 986.00),  # a charity pays by 49.3p: a fifth of 4,930.00
        ("2024-25", 10_000, {"is_charity": True}, 998.00),  # 49.9p since April 2024
        ("2019-20", 30_000, {"is_retail": True}, 9_820.00),  # two thirds of 14,730.00
        ("2019-20", 51_000, {"is_retail": True}, 25_704.00),  # too large for the discount
        ("2020-21", 400_000, {"is_retail": True}, 0),
        ("2022-23", 500_000, {"is_retail": True}, 146_000.00),  # 256,000.00 less the most of 110,000
        ("2023-24", 40_000, {"is_retail": True}, 4_990.00),
        ("2025-26", 40_000, {"is_retail": True}, 11_976.00),
        ("2018-19", 40_000, {"is_pub": True}, 18_200.00),  # 19,200.00 less 1,000
        (
            "2021-22",
            40_000,
            {"is_retail": True},
            5_094.45,
        ),  # 19,960.00: 91 days in full, 274 at 66 %: 274/365 × 34 % is left
    ],
)
def test_english_bills_by_hand(year: str, value: int, more: dict[str, Any], net: float) -> None:
    assert bill(ENGLAND, year, value, **more)["net_gbp"] == net


@pytest.mark.parametrize(
    ("total", "others", "london", "share"),
    [(14_899, 2_899, False, 100), (14_900, 2_900, False, 0), (20_000, 2_500, False, 0), (27_999, 2_500, True, 100)],
)
def test_english_second_property_rule(total: int, others: int, london: bool, share: float) -> None:
    bills = pd.DataFrame(
        [
            {
                "year": "2019-20",
                "rateable_value_gbp": 12_000,
                "ratepayer_total_rv_gbp": total,
                "ratepayer_properties": 4,
                "ratepayer_other_largest_rv_gbp": others,
                "is_in_london": london,
            }
        ]
    )
    assert find_small_business_share(bills, ENGLAND).tolist() == [share]


def test_english_transition_up_and_down() -> None:
    # medium, 2018-19: 10,000 × 1.175 × 1.03 = 12,102.50, where 30,000 × 48.0p would be 14,400.00
    assert bill(ENGLAND, "2018-19", 30_000, transition_base_gbp=10_000)["net_gbp"] == 12_102.50
    # a fall is limited to 15 %: 20,000 × 0.85 × 1.03 = 17,510.00
    falling = bill(ENGLAND, "2018-19", 30_000, transition_base_gbp=20_000)
    assert (falling["transitional_gbp"], falling["net_gbp"]) == (-3_110.00, 17_510.00)
    # the supplement is paid on top: 60,000 × 48.0p = 28,800.00 capped at 24,205.00, and 60,000 × 1.3p = 780.00
    assert bill(ENGLAND, "2018-19", 60_000, transition_base_gbp=20_000)["net_gbp"] == 24_985.00
    # small in London alone: 25,000 × 48.0p = 12,000.00; 5,000 × 1.075 × 1.03 = 5,536.25
    assert bill(ENGLAND, "2018-19", 25_000, transition_base_gbp=5_000, is_in_london=True)["net_gbp"] == 5_536.25
    with pytest.raises(CheckError, match="transition_base_gbp"):
        bill(ENGLAND, "2022-23", 30_000, transition_base_gbp=10_000)


@pytest.mark.parametrize(
    ("year", "value", "base", "net"),
    [
        ("2017-18", 20_000, 4_000, 4_284.00),  # Torbay: 5 % and 2 % of inflation make 1.071
        ("2017-18", 30_000, 20_000, 18_360.00),  # a fall: 0.90 × 1.02 makes 0.918; 30,000 × 46.6p would be 13,980.00
        ("2017-18", 200_000, 31_460, 48_166.66),  # 65,000 × 48.4p, × 1.42 × 1.02: 45,566.66; and 200,000 × 1.3p
        ("2023-24", 37_500, 10_354.25, 11_907.39),  # East Devon: × 1.15
        ("2024-25", 37_500, 11_907.39, 14_884.24),  # × 1.25, as the small multiplier is that of the year before
        ("2025-26", 20_000, 6_000, 7_500.00),  # × 1.25
        ("2025-26", 120_000, 30_000, 53_220.00),  # × 1.55, and the supplement of 120,000 × 5.6p
    ],
)
def test_english_transition_of_the_first_and_the_last_years(year: str, value: int, base: float, net: float) -> None:
    assert bill(ENGLAND, year, value, transition_base_gbp=base)["net_gbp"] == net


def test_english_supporting_relief() -> None:
    assert bill(ENGLAND, "2023-24", 16_000, supporting_base_gbp=0)["net_gbp"] == 600
    # 2018-19: the more of 600 pounds and 7.5 % with inflation: 10,000 × 1.075 × 1.03 = 11,072.50
    assert bill(ENGLAND, "2018-19", 30_000, supporting_base_gbp=10_000)["net_gbp"] == 11_072.50


CHARITY = {"is_charity": True}
SHOP = {"is_retail": True}
EMPTY = {"is_occupied": False}


@pytest.mark.parametrize(
    ("value", "more", "net"),
    [  # 43.2p, 48.0p from 51,000, 50.8p from 500,000, for shops 38.2p and 43.0p; and 1p that pays for the transition
        (12_000, SMALL, 0),
        (12_001, SMALL, 1.77),  # 5,304.44 less 2,999 of 3,000 parts
        (14_999, SMALL, 6_627.35),  # 6,629.56 less 1 of 3,000 parts
        (15_000, SMALL, 6_630.00),
        (50_999, {}, 22_541.56),  # 44.2p: 22,541.558
        (51_000, {}, 24_990.00),  # 49.0p
        (499_999, {}, 244_999.51),
        (500_000, {}, 259_000.00),  # 51.8p
        (50_999, SHOP, 19_991.61),  # 39.2p: 19,991.608
        (51_000, SHOP, 22_440.00),  # 44.0p
        (499_999, SHOP, 219_999.56),
        (500_000, SHOP, 259_000.00),  # no lower multiplier for the largest
        (13_500, SMALL | SHOP, 2_646.00),  # half of 5,292.00
        (30_000, CHARITY, 2_652.00),  # a fifth of 13,260.00
        (30_000, CHARITY | SHOP, 2_352.00),  # a charity's shop: a fifth of 11,760.00
        (40_000, SHOP | {"is_pub": True}, 13_328.00),  # 15,680.00 less 15 %
        (30_000, EMPTY, 13_260.00),
        (30_000, EMPTY | SHOP, 13_260.00),  # an empty shop has no lower multiplier
        (2_899, EMPTY, 0),
        (2_900, EMPTY, 1_281.80),
        # 91 days a shop: 2,931.95; 274 days empty: 9,954.08, of which 92 are free: 3,342.25
        (30_000, EMPTY | SHOP | {"empty_since_date": "2026-07-01"}, 9_543.78),
        # transition: a limited bill has no 1p on top. Before: 10,000 × 49.9p, and 51,000 × 55.5p
        (12_000, {"transition_base_gbp": 4_990}, 5_239.50),  # 5 % more, where 5,304.00 would be due
        # above the limit of 11,477.00 with the 1p alone: 11,460.00, and 11,760.00
        (30_000, SHOP | {"transition_base_gbp": 9_980}, 11_477.00),
        (60_000, {"transition_base_gbp": 28_305}, 29_400.00),  # less than 15 % more
        (100_000, {"transition_base_gbp": 28_305}, 32_550.75),  # 15 % more
        (20_000, {"transition_base_gbp": 5_000}, 5_250.00),
        (20_001, {"transition_base_gbp": 5_000}, 5_750.00),
        (28_000, {"transition_base_gbp": 5_000, "is_in_london": True}, 5_250.00),
        (28_001, {"transition_base_gbp": 5_000, "is_in_london": True}, 5_750.00),
        (100_001, {"transition_base_gbp": 20_000}, 26_000.00),  # 30 % more
        (60_000, SHOP | {"transition_base_gbp": 20_000}, 23_000.00),
        (60_000, CHARITY | {"transition_base_gbp": 20_000}, 4_600.00),  # a fifth of the limited charge
        (12_000, {"transition_base_gbp": 9_000}, 5_304.00),  # a fall is not limited
        # supporting small business: 800 pounds more, or 5, 15 or 30 %
        (
            110_000,
            {"supporting_base_gbp": 14_970},
            19_461.00,
        ),  # Telford and Wrekin's example: 24,950.00 less 40 %, and 30 %
        (16_000, {"supporting_base_gbp": 0}, 800.00),
        (18_000, {"supporting_base_gbp": 4_000}, 4_800.00),
        (30_000, {"supporting_base_gbp": 8_000}, 9_200.00),
        (13_000, {"supporting_base_gbp": 5_000}, 5_746.00),  # less than the limit, so with the 1p
    ],
)
def test_english_bills_of_2026_by_hand(value: int, more: dict[str, Any], net: float) -> None:
    assert bill(ENGLAND, "2026-27", value, **more)["net_gbp"] == net


@pytest.mark.parametrize(
    ("value", "more", "net"),
    [  # 2026-27: 48.1p, 53.5p above 51,000 and 54.8p above 100,000
        (51_000, {}, 24_531.00),
        (51_001, {}, 27_285.54),  # 27,285.535, half a penny up
        (100_000, {}, 53_500.00),
        (100_001, {}, 54_800.55),
        (12_000, SMALL, 0),
        (13_500, SMALL, 2_435.06),  # 6,493.50 less 62.5 %
        (15_000, SMALL, 5_411.25),  # 7,215.00 less 25 %
        (17_500, SMALL, 7_365.31),  # 8,417.50 less 12.5 %
        (20_000, SMALL, 9_620.00),
        (8_000, SMALL | {"ratepayer_total_rv_gbp": 12_000, "ratepayer_properties": 2}, 0),
        (8_000, SMALL | {"ratepayer_total_rv_gbp": 35_000, "ratepayer_properties": 3}, 2_886.00),  # 3,848.00 less 25 %
        (8_000, SMALL | {"ratepayer_total_rv_gbp": 35_001, "ratepayer_properties": 3}, 3_848.00),
        (60_000, CHARITY, 6_420.00),  # a fifth of 32,100.00
        (60_000, CHARITY | {"discretionary_pct": 20}, 0),
        (10_000, EMPTY, 4_810.00),  # what a council gives is its own scheme
        (40_000, SHOP, 16_354.00),  # 19,240.00 less 15 %
        (100_000, SHOP | {"is_pub": True}, 32_100.00),  # less 40 %
        (18_000, SHOP | SMALL | {"is_pub": True}, 4_329.00),  # 8,658.00 less 10 %, and 40 % of the whole charge
        (100_001, SHOP, 54_800.55),
        (17_500, SMALL | SHOP, 6_102.68),  # 7,365.31 less 15 % of 8,417.50, 1,262.63
        (20_000, {"transition_base_gbp": 5_000}, 5_750.00),  # 15 % more
        (20_001, {"transition_base_gbp": 5_000}, 6_500.00),  # 30 %
        (100_000, {"transition_base_gbp": 30_000}, 39_000.00),
        (100_001, {"transition_base_gbp": 30_000}, 45_000.00),  # 50 %
        (40_000, SHOP | {"transition_base_gbp": 10_000}, 11_050.00),  # 13,000.00 less 15 %
        (18_000, SMALL | {"supporting_base_gbp": 0}, 1_948.05),  # a quarter of 7,792.20
        (18_000, SMALL | {"supporting_base_gbp": 2_000}, 3_448.05),  # 2,000.00 and a quarter of 5,792.20
    ],
)
def test_scottish_bills_of_2026_by_hand(value: int, more: dict[str, Any], net: float) -> None:
    assert bill(SCOTLAND, "2026-27", value, **more)["net_gbp"] == net


@pytest.mark.parametrize(
    ("year", "value", "more", "net"),
    [
        ("2023-24", 6_000, SMALL, 0),
        ("2023-24", 9_000, SMALL, 2_407.50),  # half of 4,815.00
        ("2025-26", 12_000, SMALL, 6_816.00),  # in England all of it would be relieved
        ("2025-26", 6_000, SMALL | {"ratepayer_total_rv_gbp": 18_000, "ratepayer_properties": 3}, 3_408.00),
        ("2024-25", 60_000, {}, 33_720.00),  # one multiplier for all
        ("2024-25", 20_000, SHOP, 6_744.00),  # 11,240.00 less 40 %
        ("2023-24", 20_000, CHARITY, 2_140.00),
        ("2026-27", 2_599, EMPTY, 0),
        ("2026-27", 2_600, EMPTY, 1_305.20),
        ("2026-27", 50_999, {"description": "Shop and premises "}, 17_849.65),  # 35.0p
        ("2026-27", 51_000, {"description": "SHOP AND PREMISES"}, 25_602.00),  # 50.2p
        ("2026-27", 20_000, SHOP | {"description": "HAIRDRESSING SALON AND PREMISES"}, 10_040.00),  # sells no goods
        ("2026-27", 100_001, {}, 51_500.52),  # 51.5p
    ],
)
def test_welsh_bills_follow_welsh_rules(year: str, value: int, more: dict[str, Any], net: float) -> None:
    assert bill(WALES, year, value, **more)["net_gbp"] == net


@pytest.mark.parametrize(("rules", "year"), [(WALES, "2026-27"), (SCOTLAND, "2022-23"), (ENGLAND, "2022-23")])
def test_a_limit_of_which_no_figure_is_at_hand_is_refused(rules: Any, year: str) -> None:
    for column in ("transition_base_gbp", "supporting_base_gbp"):
        with pytest.raises(CheckError, match=f"{column}.*not known"):
            bill(rules, year, 30_000, **{column: 100})


@pytest.mark.parametrize(
    ("rules", "year", "value", "more", "lines"),
    [  # of each bill the reliefs that it has, and what is to pay; no other line has anything
        # a charity has no small business relief on top: 4,900.00 less 80 %, and in England 4,930.00 less 80 %
        (SCOTLAND, "2019-20", 10_000, CHARITY | SMALL, {"charity_relief": 3_920.00, "net": 980.00}),
        (ENGLAND, "2018-19", 10_000, CHARITY | SMALL, {"charity_relief": 3_944.00, "net": 986.00}),
        # what the council decides is a share of the charge, not of what other reliefs leave of it
        (
            SCOTLAND,
            "2023-24",
            15_000,
            SMALL | {"discretionary_pct": 50},
            {"small_business_relief": 1_867.50, "discretionary_relief": 3_735.00, "net": 1_867.50},
        ),
        (
            SCOTLAND,
            "2024-25",
            30_000,
            CHARITY | {"discretionary_pct": 15},
            {"charity_relief": 11_952.00, "discretionary_relief": 2_241.00, "net": 747.00},
        ),
        # the retail discount is of what these leave: 75 % of 3,368.25, and of 15,968.00
        (
            ENGLAND,
            "2023-24",
            13_500,
            SMALL | {"is_retail": True},
            {"small_business_relief": 3_368.25, "retail_relief": 2_526.19, "net": 842.06},
        ),
        (
            ENGLAND,
            "2023-24",
            40_000,
            {"is_retail": True, "discretionary_pct": 20},
            {"discretionary_relief": 3_992.00, "retail_relief": 11_976.00, "net": 3_992.00},
        ),
        # a charity's shop: a fifth of 5,120.00 is left, and a quarter of that; a charity's pub has no more than is left
        (
            ENGLAND,
            "2023-24",
            10_000,
            CHARITY | {"is_retail": True},
            {"charity_relief": 4_096.00, "retail_relief": 768.00, "net": 256.00},
        ),
        (
            ENGLAND,
            "2018-19",
            10_000,
            CHARITY | {"is_pub": True},
            {"charity_relief": 3_944.00, "pub_relief": 986.00, "net": 0},
        ),
        # the rise is limited before the council decides: 600.00 less 5 % of 8,964.00
        (
            SCOTLAND,
            "2023-24",
            18_000,
            SMALL | {"supporting_base_gbp": 0, "discretionary_pct": 5},
            {
                "small_business_relief": 896.40,
                "supporting_relief": 7_467.60,
                "discretionary_relief": 448.20,
                "net": 151.80,
            },
        ),
        # reliefs are of the charge after transition: 6,225.00 less 80 % and 10 %
        (
            SCOTLAND,
            "2023-24",
            30_000,
            CHARITY | {"transition_base_gbp": 4_980, "discretionary_pct": 10},
            {"transitional": 8_715.00, "charity_relief": 4_980.00, "discretionary_relief": 622.50, "net": 622.50},
        ),
        # the universal relief is of the gross charge, and what is given after it takes no more than is left
        (
            SCOTLAND,
            "2020-21",
            10_000,
            CHARITY | {"discretionary_pct": 15, "other_relief_gbp": 400},
            {
                "charity_relief": 3_984.00,
                "discretionary_relief": 747.00,
                "universal_relief": 79.68,
                "other_relief": 169.32,
                "net": 0,
            },
        ),
    ],
)
def test_reliefs_that_meet_in_one_bill(
    rules: Any, year: str, value: int, more: dict[str, Any], lines: dict[str, float]
) -> None:
    found = bill(rules, year, value, **more)[[f"{line}_gbp" for line in [*RELIEFS, "net"]]]
    assert found[found != 0].to_dict() == {f"{line}_gbp": amount for line, amount in lines.items() if amount}


def test_days_empty_have_no_small_business_relief() -> None:
    # 92 of 366 days occupied: 4,990.00 × 92/366; 274 empty: 3,833.01, of which 92 days are free: 1,287.00
    for more, relief in ((SMALL, "small_business_relief_gbp"), ({}, None)):
        lines = bill(ENGLAND, "2023-24", 10_000, is_occupied=False, empty_since_date="2023-07-02", **more)
        assert lines["empty_relief_gbp"] == 1_287.00
        assert lines["net_gbp"] == (2_546.01 if relief else 3_800.33)
        assert relief is None or lines[relief] == 1_254.32
    decided = bill(ENGLAND, "2023-24", 10_000, is_occupied=False, empty_since_date="2023-07-02", discretionary_pct=10)
    assert decided["discretionary_relief_gbp"] == 125.43  # of the days occupied


def test_a_bill_of_one_day_and_a_base_of_nothing_are_worked_out_as_any_other() -> None:
    last = {"is_occupied": False, "empty_since_date": "2019-03-31"}  # one day empty, which is free
    lines = bill(ENGLAND, "2018-19", 36_500, **last)
    assert (lines["empty_relief_gbp"], lines["net_gbp"]) == (49.30, 17_472.00)  # 36,500 × 49.3p / 365, of 48.0p × 364
    lines = bill(ENGLAND, "2019-20", 36_600, is_retail=True, days_liable=1)
    assert (lines["retail_relief_gbp"], lines["net_gbp"]) == (16.37, 32.73)  # a third of 36,600 × 49.1p / 366 = 49.10
    assert bill(SCOTLAND, "2023-24", 30_000, transition_base_gbp=0)["net_gbp"] == 0


def test_empty_in_england() -> None:
    empty = {"is_occupied": False, "empty_since_date": "2019-07-01"}
    # occupied 91 of 366 days at 49.1p, exempt to the end of September, then 183 days at 50.4p
    lines = bill(ENGLAND, "2019-20", 10_000, **empty)
    assert lines["net_gbp"] == round(4_910 * 91 / 366, 2) + round(5_040 * 183 / 366, 2)
    # industrial to the end of December: 1,220.79, and of the 275 days empty, 3,786.89, 184 are taken off: 2,533.77
    assert bill(ENGLAND, "2019-20", 10_000, is_industrial=True, **empty)["net_gbp"] == 2_473.91
    for exempt in ({"is_listed": True}, {"is_charity": True}):
        assert bill(ENGLAND, "2019-20", 10_000, is_occupied=False, **exempt)["net_gbp"] == 0
    large = bill(ENGLAND, "2019-20", 4_000_000, is_occupied=False, empty_since_date="2020-02-01")
    assert large["empty_relief_gbp"] == round(2_016_000 * 60 / 366, 2)  # all of the days empty, to the penny
    assert bill(ENGLAND, "2019-20", 2_899, is_occupied=False)["net_gbp"] == 0
    assert bill(ENGLAND, "2019-20", 2_900, is_occupied=False)["net_gbp"] == 1_461.60


def test_empty_in_scotland() -> None:
    # 2021-22, 10,000 × 49.0p: the whole of the year empty, half off for 91 days, a tenth off for 274
    net = 4_900.00 - round(4_900 * (91 * 0.5 + 274 * 0.1) / 365, 2)
    assert bill(SCOTLAND, "2021-22", 10_000, is_occupied=False, empty_since_date="2021-04-01")["net_gbp"] == round(
        net, 2
    )
    assert bill(SCOTLAND, "2021-22", 10_000, is_occupied=False)["net_gbp"] == 4_410.00
    assert bill(SCOTLAND, "2021-22", 1_699, is_occupied=False)["net_gbp"] == 0
    assert bill(SCOTLAND, "2023-24", 10_000, is_occupied=False)["empty_relief_gbp"] == 0


def test_months_end_on_the_last_day_of_a_shorter_month() -> None:
    # empty since 30 November: three months are over on 28 February 2019
    lines = bill(
        ENGLAND, "2018-19", 36_500, is_occupied=False, empty_since_date="2018-11-30", liable_from_date="2018-11-30"
    )
    assert lines["net_gbp"] == round(36_500 * 0.493 * 32 / 365, 2)  # 28 February to 31 March


def test_part_years_and_leap_years() -> None:
    assert [count_days(year) for year in ("2018-19", "2019-20", "2023-24")] == [365, 366, 366]
    assert (
        bill(ENGLAND, "2018-19", 1_625, liable_from_date="2018-08-23", **SMALL)["small_business_relief_gbp"] == 472.27
    )
    assert bill(SCOTLAND, "2019-20", 3_660, days_liable=10)["net_gbp"] == 49.00


def test_a_bill_is_explained_to_its_last_penny() -> None:
    given_row = {"year": "2020-21", "rateable_value_gbp": 17_000, **SMALL}
    steps = explain_bill(given_row, SCOTLAND)
    assert steps["amount_gbp"].tolist() == [8_466.00, 8_466.00, -2_116.50, -135.46, 6_214.04]
    assert steps["rule"].tolist()[:3] == [
        "£17,000 × 49.8p",
        "",
        "25 % at a rateable value of £17,000, all properties £17,000",
    ]
    assert "SSI 2020/101" in steps["publication"].iloc[3]


def test_every_figure_has_a_publication() -> None:
    for rules in (SCOTLAND, ENGLAND, WALES):
        used = [rules.charity.publication, *(scheme.publication for scheme in rules.empty_schemes.values())]
        used += [scheme.publication for scheme in rules.small_business.values()]
        for year in rules.years.values():
            parts = [
                year,
                year.others_pay,
                year.levy,
                year.pub,
                year.universal,
                year.transition,
                year.supporting,
                *year.retail,
            ]
            used += [part.publication for part in parts if part is not None]
        assert set(used) == set(rules.publications)
        assert rules.limits


# --- bands and dates ---


@pytest.mark.parametrize(
    ("rules", "value", "more", "transitional", "net"),
    [  # of 2018-19 in England: 48.0p before the supplement of 1.3p from 51,000; of 2023-24 in Scotland
        (ENGLAND, 20_000, {"transition_base_gbp": 5_000}, 4_063.75, 5_536.25),  # × 1.075 × 1.03
        (ENGLAND, 20_001, {"transition_base_gbp": 5_000}, 3_549.23, 6_051.25),  # × 1.175 × 1.03
        (ENGLAND, 28_000, {"transition_base_gbp": 5_000, "is_in_london": True}, 7_903.75, 5_536.25),
        (ENGLAND, 28_001, {"transition_base_gbp": 5_000, "is_in_london": True}, 7_389.23, 6_051.25),
        (ENGLAND, 100_000, {"transition_base_gbp": 20_000}, 23_795.00, 25_505.00),  # 24,205.00 and 1,300.00
        (ENGLAND, 100_001, {"transition_base_gbp": 20_000}, 20_808.48, 28_492.01),  # × 1.32 × 1.03, and 1,300.01
        (ENGLAND, 100_001, {"transition_base_gbp": 20_000, "is_in_london": True}, 20_808.48, 28_492.01),
        (ENGLAND, 20_000, {"transition_base_gbp": 20_000}, -4_820.00, 14_420.00),  # × 0.7 × 1.03
        (ENGLAND, 20_001, {"transition_base_gbp": 20_000}, -7_909.52, 17_510.00),  # × 0.85 × 1.03
        (ENGLAND, 100_001, {"transition_base_gbp": 60_000}, -10_956.72, 60_257.21),  # × 0.954 × 1.03, and 1,300.01
        (ENGLAND, 20_000, {"transition_base_gbp": 12_000}, 0, 9_600.00),  # may fall to 8,652.00
        (ENGLAND, 30_000, {"transition_base_gbp": 10_000, "days_liable": 73}, 459.50, 2_420.50),  # a fifth of a year
        (SCOTLAND, 20_000, {"transition_base_gbp": 4_000}, 5_460.00, 4_500.00),  # × 1.125
        (SCOTLAND, 20_001, {"transition_base_gbp": 4_000}, 4_960.50, 5_000.00),  # × 1.25
        (SCOTLAND, 100_000, {"transition_base_gbp": 20_000}, 26_100.00, 25_000.00),
        (SCOTLAND, 100_001, {"transition_base_gbp": 20_000}, 24_900.52, 27_500.00),  # × 1.375
        (SCOTLAND, 20_000, {"transition_base_gbp": 20_000}, 0, 9_960.00),  # a fall is not limited
    ],
)
def test_a_change_is_limited_by_the_band_of_the_value(
    rules: Any, value: int, more: dict[str, Any], transitional: float, net: float
) -> None:
    lines = bill(rules, "2018-19" if rules is ENGLAND else "2023-24", value, **more)
    assert (lines["transitional_gbp"], lines["net_gbp"]) == (transitional, net)


def test_bills_beside_one_whose_rise_is_limited_have_no_limit() -> None:
    rows = {"year": "2026-27", "rateable_value_gbp": 60_000.0}
    bases = {"transition_base_gbp": [20_000.0, None, None], "supporting_base_gbp": [None, 1_000.0, None]}
    lines = compute_bills(pd.DataFrame(rows | bases), ENGLAND)
    assert lines["transitional_gbp"].tolist() == [6_400.00, 0, 0]  # of 29,400.00, what is above 15 % more than 20,000
    assert lines["supporting_relief_gbp"].tolist() == [0, 27_600.00, 0]  # what is above 800 more than 1,000


def test_transition_is_shared_by_the_days_occupied_and_empty() -> None:
    # 146 days occupied: 5,760.00 less 919.00 of 2,297.50; 219 empty, 92 of them free: 8,874.00 less 1,378.50, × 127/219
    lines = bill(
        ENGLAND,
        "2018-19",
        30_000,
        transition_base_gbp=10_000,
        is_occupied=False,
        empty_since_date="2018-08-25",
    )
    assert (lines["gross_gbp"], lines["supplement_gbp"], lines["transitional_gbp"]) == (14_634.00, 234.00, 2_297.50)
    assert (lines["empty_relief_gbp"], lines["net_gbp"]) == (3_148.79, 9_187.71)


@pytest.mark.parametrize(
    ("year", "value", "more", "net"),
    [
        ("2023-24", 16_000, {"supporting_base_gbp": 1_234.50}, 1_834.50),
        ("2023-24", 1_000, {"supporting_base_gbp": 0}, 499.00),  # less than the limit
        ("2022-23", 16_000, {"other_relief_gbp": 0.01}, 7_983.99),
        ("2018-19", 30_000, {"supporting_base_gbp": 5_000}, 5_600.00),  # 600 is more than × 1.075 × 1.03
        ("2018-19", 30_000, {"supporting_base_gbp": 0, "days_liable": 73}, 120.00),  # a fifth of 600
        ("2018-19", 40_000, {"is_pub": True, "days_liable": 73}, 3_640.00),  # 3,840.00 less a fifth of 1,000
        ("2018-19", 99_999, {"is_pub": True}, 48_299.51),
        ("2018-19", 100_000, {"is_pub": True}, 49_300.00),
        ("2019-20", 50_999, {"is_retail": True}, 16_693.67),  # two thirds of 25,040.51
        ("2021-22", 2_000_000, {"is_retail": True}, 663_701.37),  # 255,298.63 off to June, then no more than 105,000
        ("2018-19", 3_650, {"liable_from_date": "2019-03-31"}, 4.80),  # a day
        ("2018-19", 3_650, {"liable_from_date": "2019-03-01", "days_liable": 31}, 148.80),
        ("2018-19", 3_650, {"liable_from_date": "2018-04-01"}, 1_752.00),
        ("2018-19", 3_650, {"days_liable": 0}, 0),
        ("2018-19", 500_000_000, {}, 246_500_000.00),
        ("2018-19", 3_650, {"ratepayer_total_rv_gbp": 3_650, "discretionary_pct": 100}, 0),
    ],
)
def test_limits_in_pounds_and_days_are_those_of_the_part_of_the_year(
    year: str, value: int, more: dict[str, Any], net: float
) -> None:
    assert bill(ENGLAND, year, value, **more)["net_gbp"] == net


def test_a_discount_of_some_months_is_of_the_days_within_them() -> None:
    # from 1 June 2022: 304 days, 12,443.18, of which 30 are before July: half of 1,227.95
    joined = bill(SCOTLAND, "2022-23", 30_000, is_retail=True, liable_from_date="2022-06-01")
    assert (joined["gross_gbp"], joined["retail_relief_gbp"]) == (12_443.18, 613.97)
    assert bill(SCOTLAND, "2022-23", 30_000, is_retail=True, days_liable=304).equals(joined)
    # from 1 July: none left
    assert bill(SCOTLAND, "2022-23", 30_000, is_retail=True, liable_from_date="2022-07-01")["retail_relief_gbp"] == 0
    # occupied to the end of April: half of 1,227.95
    left = bill(SCOTLAND, "2022-23", 30_000, is_retail=True, is_occupied=False, empty_since_date="2022-05-01")
    assert left["retail_relief_gbp"] == 613.98
    assert left["empty_relief_gbp"] == 2_877.48  # of 13,712.05 for 335 days, 92 at 50 % and 243 at 10 %


@pytest.mark.parametrize(
    ("rules", "row", "line", "rule"),
    [
        (ENGLAND, {"rateable_value_gbp": 51_000}, "Supplement", "£51,000 × 1.3p more"),
        (
            ENGLAND,
            {"is_charity": True},
            "Supplement",
            "charities and empty properties pay the standard multiplier",
        ),
        (ENGLAND, {"is_charity": True}, "Charity", "80 % of the charge"),
        (ENGLAND, {"days_liable": 73}, "Charge", "£10,000 × 48.0p × 73 of 365 days"),
        (
            ENGLAND,
            {"year": "2019-20", "is_occupied": False, "empty_since_date": "2019-07-01"},
            "Empty",
            "92 days in the first months, 183 later",
        ),
        (
            SCOTLAND,
            {"year": "2023-24", "rateable_value_gbp": 17_500, "ratepayer_total_rv_gbp": 18_500}
            | {"ratepayer_properties": 2}
            | SMALL,
            "Small",
            "12.5 % at a rateable value of £17,500, all properties £18,500",
        ),
        (ENGLAND, {"discretionary_pct": 33.33}, "Discretionary", "33.33 % of the charge"),
        (
            ENGLAND,
            {"rateable_value_gbp": 30_000, "transition_base_gbp": 10_000.50},
            "Transitional",
            "change limited from £10,000.50",
        ),
        (
            SCOTLAND,
            {"year": "2024-25", "rateable_value_gbp": 18_000, "supporting_base_gbp": 1_234.50},
            "Limit",
            "no more than £1,200 above £1,234.50",
        ),
        (
            ENGLAND,
            {"year": "2021-22", "is_retail": True},
            "Retail",
            "100 % from 04-01 to 06-30 and 66 % from 07-01 to 03-31",
        ),
        (ENGLAND, {"year": "2019-20", "is_retail": True}, "Retail", "33.33 % from 04-01 to 03-31"),
        (ENGLAND, {"is_pub": True}, "Public house", "£1,000 a year"),
        (SCOTLAND, {"year": "2020-21"}, "Universal", "1.6 % of the gross charge"),
        (SCOTLAND, {"other_relief_gbp": 7}, "Other", "as given"),
    ],
)
def test_each_rule_of_a_bill_is_told_with_its_own_numbers(
    rules: Any, row: dict[str, Any], line: str, rule: str
) -> None:
    steps = explain_bill({"year": "2018-19", "rateable_value_gbp": 10_000} | row, rules)
    told = steps[steps["line"].str.startswith(line)]
    assert told["rule"].tolist() == [rule]
    assert (told["amount_gbp"] < 0).item() == (line not in ("Charge", "Supplement"))


# --- bad input ---


@pytest.mark.parametrize(
    ("column", "wrong"),
    [
        ("rateable_value_gbp", 0),
        ("rateable_value_gbp", -1),
        ("rateable_value_gbp", 10.5),
        ("rateable_value_gbp", np.nan),
        ("rateable_value_gbp", 500_000_001),
        ("year", "2016-17"),
        ("days_liable", 366),
        ("days_liable", -1),
        ("days_liable", 0.5),
        ("liable_from_date", "2018-03-31"),
        ("liable_from_date", "2019-04-01"),
        ("ratepayer_total_rv_gbp", 1),
        ("ratepayer_properties", 0),
        ("discretionary_pct", 101),
        ("discretionary_pct", -0.5),
        ("transition_base_gbp", -0.01),
        ("other_relief_gbp", -1),
        ("other_relief_gbp", 500_000_001),
        ("is_retail", "perhaps"),
        ("empty_since_date", "soon"),
    ],
)
def test_what_cannot_be_is_refused_by_column_and_row(column: str, wrong: object) -> None:
    rows = [{"year": "2018-19", "rateable_value_gbp": 5_000, "ratepayer_name": "Ann Example"} for _ in range(3)]
    frame = pd.DataFrame(rows, dtype=object)
    frame[column] = [
        frame.loc[0, column] if column in frame else None,
        wrong,
        None if column not in rows[0] else rows[2][column],
    ]
    with pytest.raises(CheckError, match=column) as refused:
        compute_bills(frame, SCOTLAND)
    assert "Ann" not in str(refused.value)


def test_days_and_first_day_must_agree_and_columns_must_be_there() -> None:
    with pytest.raises(CheckError, match="left of the year"):
        bill(SCOTLAND, "2018-19", 5_000, liable_from_date="2019-03-01", days_liable=32)
    with pytest.raises(CheckError, match="rateable_value_gbp"):
        compute_bills(pd.DataFrame({"year": ["2018-19"]}), SCOTLAND)
    with pytest.raises(CheckError, match="no rules"):
        load_rules("northern_ireland")  # type: ignore[arg-type]


# --- what holds of every bill ---

years = st.sampled_from(sorted(ENGLAND.years))
values = st.integers(1, 400_000)
flags = st.booleans()


@st.composite
def any_bill(draw: st.DrawFn) -> dict[str, Any]:
    value = draw(values)
    return {
        "year": draw(years),
        "rateable_value_gbp": value,
        "days_liable": draw(st.integers(0, 365)),
        "ratepayer_total_rv_gbp": value + draw(st.integers(0, 50_000)),
        "ratepayer_properties": draw(st.integers(1, 3)),
        "is_occupied": draw(flags),
        "empty_since_date": pd.Timestamp(
            draw(st.dates(pd.Timestamp("2015-01-01").date(), pd.Timestamp("2026-03-31").date()))
        ),
        "discretionary_pct": draw(st.sampled_from([0, 20, 33.33, 100])),
        "other_relief_gbp": draw(st.sampled_from([0, 0.01, 5_000])),
        **{
            name: draw(flags)
            for name in ("claims_small_business", "is_charity", "is_retail", "is_pub", "is_industrial", "is_listed")
        },
    }


@given(any_bill(), st.sampled_from([SCOTLAND, ENGLAND]))
def test_no_bill_is_negative_and_no_relief_exceeds_the_charge(row: dict[str, Any], rules: Any) -> None:
    lines = compute_bills(pd.DataFrame([row]), rules).iloc[0]
    assert (lines >= 0).all()
    pence = (lines * 100).round().astype("int64")
    assert np.allclose(lines * 100, pence, atol=1e-6)
    added = pence["supplement_gbp"] + pence["levy_gbp"] - pence["lower_gbp"]
    assert pence["basic_gbp"] + added == pence["gross_gbp"]
    assert pence["gross_gbp"] - sum(pence[f"{line}_gbp"] for line in RELIEFS) == pence["net_gbp"]


@given(years, st.sampled_from([SCOTLAND, ENGLAND]), values, values)
def test_without_relief_more_value_is_a_higher_bill(year: str, rules: Any, one: int, other: int) -> None:
    frame = pd.DataFrame({"year": year, "rateable_value_gbp": sorted([one, other])})
    low, high = compute_bills(frame, rules)["net_gbp"]
    assert low <= high


@given(years, st.sampled_from([SCOTLAND, ENGLAND]), values, st.integers(0, 364), flags)
def test_parts_add_up_to_the_year(year: str, rules: Any, value: int, first: int, claims: bool) -> None:
    length = count_days(year)
    frame = pd.DataFrame(
        {
            "year": year,
            "rateable_value_gbp": value,
            "claims_small_business": claims,
            "days_liable": [first, length - first, length],
        }
    )
    lines = compute_bills(frame, rules)
    for line in LINES:
        one, other, whole = lines[f"{line}_gbp"] * 100
        lines_before = 1 if line in ("basic", "gross") else 4  # charge, small business, universal: each rounded
        assert abs(one + other - whole) <= 1.5 * lines_before


@given(st.lists(any_bill(), min_size=1, max_size=20))
def test_a_frame_is_its_rows(rows: list[dict[str, Any]]) -> None:
    together = compute_bills(pd.DataFrame(rows), ENGLAND)
    alone = pd.concat([compute_bills(pd.DataFrame([row]), ENGLAND) for row in rows], ignore_index=True)
    pd.testing.assert_frame_equal(together, alone)


# --- from a roll ---


def make_roll() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "property_reference": list("abcdef"),
            "ratepayer_name": ["Acme Ltd", "ACME LTD.", pd.NA, pd.NA, "Hope", "Hope"],
            "rateable_value_gbp": [10_000.0, 4_000.0, 3_000.0, np.nan, 0.0, 7_000.0],
            "liability_start_date": pd.to_datetime(
                ["1990-04-01", "2018-08-23", "2030-01-01", None, None, "2018-04-01"]
            ),
            "small_business_relief": [
                "Small Business Rate Relief",
                pd.NA,
                pd.NA,
                pd.NA,
                pd.NA,
                "SBRE Extension For 12 Months",
            ],
            "mandatory_relief": [pd.NA, "Mandatory", pd.NA, pd.NA, pd.NA, "Retail Discount"],
        }
    )


def test_bills_are_made_of_a_roll() -> None:
    bills = prepare_bills(make_roll(), "2018-19")
    assert bills["property_reference"].tolist() == ["a", "b", "f"]
    assert bills["liable_from_date"].notna().tolist() == [False, True, False]
    assert bills["ratepayer_properties"].tolist() == [2, 2, 1]
    assert bills["ratepayer_total_rv_gbp"].tolist() == [14_000, 14_000, 7_000]
    assert bills["ratepayer_other_largest_rv_gbp"].tolist() == [4_000, 10_000, 0]
    assert bills["claims_small_business"].tolist() == [True, False, False]
    assert bills["is_charity"].tolist() == [False, True, False]
    assert bills["is_retail"].tolist() == [False, False, True]
    assert "ratepayer_name" not in bills
    assert len(compute_bills(bills, ENGLAND)) == 3


FLAGS = ["claims_small_business", "is_charity", "is_retail", "is_pub"]


@pytest.mark.parametrize(
    ("words", "flag"),
    [
        ("Small Business Relief England", "claims_small_business"),
        ("SBR", "claims_small_business"),
        ("Small Business Bonus 100%", "claims_small_business"),
        ("Discretionary Top Up; Mandatory", "is_charity"),
        ("Mandatory Charity Relief", "is_charity"),
        ("Charity 80%", "is_charity"),
        ("Pub", "is_pub"),
        ("Retail Discount", "is_retail"),
        ("Supporting Small Business", None),
        ("Empty Property Charitable", None),
        ("Rural Mandatory; Top Up Rural", None),
        ("20% Discretionary Top Up Relief", None),
        ("Public Convenience", None),
    ],
)
def test_words_of_reliefs(words: str, flag: str | None) -> None:
    read = read_reliefs(pd.DataFrame({"other_relief": [words]})).iloc[0]
    assert read[FLAGS].to_dict() == {name: name == flag for name in FLAGS}


MANDATORY, SMALL_RELIEF = "mandatory_relief", "small_business_relief"
DISCRETIONARY, OTHER = "discretionary_relief", "other_relief"


@pytest.mark.parametrize(
    ("column", "cells", "flag", "has"),
    [  # a cell is told by what stands in it, and where that is not enough by what its column is for
        (MANDATORY, ["80", "50", "80", None], "is_charity", [1, 0, 1, 0]),  # 50 % is that of a village shop
        (MANDATORY, ["80%", "100 %", "80.00%", "no"], "is_charity", [1, 0, 1, 0]),
        (MANDATORY, ["0.8", "0.5", "0", ""], "is_charity", [1, 0, 0, 0]),
        (MANDATORY, ["Relief mandatory: 80", "MCR; Relief mandatory: 80", "Mand %: 50"], "is_charity", [1, 1, 0]),
        (MANDATORY, ["Mand amount: -3904.56", "Mand amount: £12,000.00", "Rural: 590.53"], "is_charity", [1, 1, 0]),
        (MANDATORY, ["(2,169.20)", "722.55", "0"], "is_charity", [1, 1, 0]),
        (MANDATORY, ["MAND80", "EDUC80", "CHAR80", "RETDS3", "RUR50", "ZZ80"], "is_charity", [1, 1, 1, 0, 0, 1]),
        (MANDATORY, ["RETDS3", "Retail Discount", "MAND80"], "is_retail", [1, 1, 0]),
        (MANDATORY, ["Y", "N", "Yes", "No", "True"], "is_charity", [1, 0, 1, 0, 1]),
        (MANDATORY, ["1", "0", "1"], "is_charity", [1, 0, 1]),
        (MANDATORY, ["Mandatory Relief", "Sport Mandatory Relief", "Rural Mandatory"], "is_charity", [1, 1, 0]),
        (MANDATORY, ["Mandatory Relief 50%", "Mandatory Relief 80%"], "is_charity", [0, 1]),
        (MANDATORY, ["Empty Property Rate Charitable", "Emprty Property Non Industrial"], "is_charity", [0, 0]),
        (MANDATORY, ["SBR 80%", "Retail Discount 80%", "Pub 80%", "80%"], "is_charity", [0, 0, 0, 1]),
        (DISCRETIONARY, ["80", "Y", "1200.00"], "is_charity", [0, 0, 0]),
        (SMALL_RELIEF, ["Y", "N", "Y"], "claims_small_business", [1, 0, 1]),
        (SMALL_RELIEF, ["100", "33.3", "0"], "claims_small_business", [1, 1, 0]),
        (SMALL_RELIEF, ["£0.00", "£812.40", "0.00"], "claims_small_business", [0, 1, 0]),
        (SMALL_RELIEF, ["SBR Amt: 5388.00", "sbrr", "SBRE"], "claims_small_business", [1, 1, 1]),
        (SMALL_RELIEF, ["Supporting Small Business Relief", "SSB", "SSBR"], "claims_small_business", [0, 0, 0]),
        (SMALL_RELIEF, ["SBR SSB", "Small Business Rate; Supporting Small Business"], "claims_small_business", [1, 1]),
        (OTHER, ["Supporting Small Business Relief (SSB)", "SSB: 1200.00"], "claims_small_business", [0, 0]),
        (
            OTHER,
            ["Small Business Transitional Relief", "SBRE Extension For 12 Months"],
            "claims_small_business",
            [0, 0],
        ),
        (OTHER, ["Hardship 80%", "80%"], "is_charity", [0, 0]),
        (OTHER, ["RHL: 40%", "Retail, Hospitality & Leisure", "Returned"], "is_retail", [1, 1, 0]),
        (OTHER, ["RETD", "SBR+RHL", "Retailer"], "is_retail", [1, 1, 1]),
        (MANDATORY, ["Charity 80% / Top-up 20%", "Charity Relief, Discretionary Relief"], "is_charity", [1, 1]),
        (MANDATORY, ["Mand / Rate %: 80", "Mand / Rate %: 50", "CHAR+TOPUP"], "is_charity", [1, 0, 1]),
    ],
)
def test_a_relief_is_read_from_percents_pounds_codes_and_yes_or_no(
    column: str, cells: list[str | None], flag: str, has: list[int]
) -> None:
    assert read_reliefs(pd.DataFrame({column: cells}))[flag].astype(int).tolist() == has


def test_what_a_council_decides_is_read_in_percent_and_pounds() -> None:
    cells = ["18", "20% Top Up Relief", "Relief discretionary: 12", "Discretionary Relief", None, "D; 18"]
    read = read_reliefs(pd.DataFrame({DISCRETIONARY: cells, OTHER: [None, "20% Top Up Relief", *[None] * 4]}))
    assert read["discretionary_pct"].tolist() == [18, 20, 12, 0, 0, 18]  # said in two columns, it is one relief
    assert read["has_other_relief"].tolist() == [False, False, False, True, False, True]
    pounds = read_reliefs(pd.DataFrame({DISCRETIONARY: ["Disc: -542.30", "Disc: £1,200.00", "Disc: 8"]}))
    assert pounds["other_relief_gbp"].tolist() == [542.30, 1_200.00, 8.00]
    topped_up = read_reliefs(pd.DataFrame({MANDATORY: ["Charity 100%", "Charity 80%"]}))
    assert topped_up["discretionary_pct"].tolist() == [20, 0] and topped_up["is_charity"].all()
    rural = read_reliefs(pd.DataFrame({MANDATORY: ["50", "80"], DISCRETIONARY: ["50", "18"]}))
    assert rural["discretionary_pct"].tolist() == [100, 18] and rural["is_charity"].tolist() == [False, True]


@pytest.mark.parametrize(
    ("cell", "percent", "pounds", "open_"),
    [
        ("Charity 80% & Disc 20%", 20, 0, False),
        ("MAND80/DISC15", 15, 0, False),
        ("MAND 80 / DRR 5", 5, 0, False),
        ("Mandatory 80 + Discretionary top up", 0, 0, True),  # of how much is not told
        ("80% mandatory and 12.5% discretionary", 12.5, 0, False),
        ("Charity 80% top-up 20%", 20, 0, False),
        ("Disc 10% & Mandatory 80%", 10, 0, False),
        ("80/15", 15, 0, False),
        ("Mandatory £8,000.00 & Discretionary £1,250.00", 0, 1250, False),
    ],
)
def test_a_cell_that_names_a_mandatory_relief_and_one_of_the_council_s_is_read_as_both(
    cell: str, percent: float, pounds: float, open_: bool
) -> None:
    read = read_reliefs(pd.DataFrame({MANDATORY: [cell]})).iloc[0]
    assert read["is_charity"]
    assert read[["discretionary_pct", "other_relief_gbp", "has_other_relief"]].tolist() == [percent, pounds, open_]


def test_what_one_relief_is_for_is_not_read_as_a_second_one() -> None:
    cells = ["Charity Discretionary Relief", "Discretionary and Charity Relief", "Mandatory/Discretionary Relief: 40"]
    assert not read_reliefs(pd.DataFrame({OTHER: cells}))["is_charity"].any()
    retail = read_reliefs(pd.DataFrame({OTHER: ["Retail Discount 50%"]})).iloc[0]
    assert retail["is_retail"] and retail["discretionary_pct"] == 0  # the rules give it, and not twice


def test_pounds_of_a_relief_that_no_rule_gives_are_taken_off_as_told() -> None:
    cells = [
        "Relief 1 Amount: 40.00; Relief 2 Amount: 5.50",
        "Enterprise Zone: £300.00",
        "Empty Relief: 900.00",
        "RHL: 800",
    ]
    read = read_reliefs(pd.DataFrame({OTHER: cells}))
    assert read["other_relief_gbp"].tolist() == [45.5, 300, 0, 0]
    assert read["has_other_relief"].tolist() == [False, False, True, False]


def test_what_is_exempt_pays_nothing_and_an_empty_column_of_charges_is_none() -> None:
    roll = make_roll().assign(exemption=pd.NA, account_charge_gbp=np.nan)
    before = prepare_bills(roll, "2018-19")
    assert "billed_gbp" not in before and (before["other_relief_gbp"] == 0).all()
    one = compute_bills(before, ENGLAND)["net_gbp"].idxmax()
    after = compute_bills(
        prepare_bills(
            roll.assign(exemption=roll.index.to_series().eq(one).map({True: "Listed", False: ""})), "2018-19"
        ),
        ENGLAND,
    )
    assert after.loc[one, "net_gbp"] == 0 < after.loc[one, "gross_gbp"] == after.loc[one, "other_relief_gbp"]
    pd.testing.assert_frame_equal(after.drop(index=one), compute_bills(before, ENGLAND).drop(index=one))


def make_roll_of(**columns: list[Any]) -> pd.DataFrame:
    return pd.DataFrame({"rateable_value_gbp": 5_000.0} | columns).assign(property_reference=lambda roll: roll.index)


def test_who_was_liable_within_the_year_has_a_bill_from_that_day() -> None:
    days = pd.to_datetime(["2018-03-31", "2018-04-01", "2018-04-02", "2019-03-31", "2019-04-01", None])
    bills = prepare_bills(make_roll_of(liability_start_date=days), "2018-19")
    assert bills.index.tolist() == [0, 1, 2, 3, 5]
    assert bills["liable_from_date"].dropna().dt.strftime("%m-%d").to_dict() == {2: "04-02", 3: "03-31"}


def test_only_whole_pounds_above_zero_are_billed() -> None:
    assert prepare_bills(make_roll_of(rateable_value_gbp=[1.0, 0.5, 0.0, 2.0, 1.5]), "2018-19").index.tolist() == [0, 3]


def test_the_largest_other_property_is_that_of_the_same_name() -> None:
    names = ["A & Co.", "a  co", "A CO", "B", "B", pd.NA, " ", "C"]
    values = [9_000.0, 4_000.0, 7_000.0, 3_000.0, 3_000.0, 8_000.0, 8_500.0, 1_000.0]
    bills = prepare_bills(make_roll_of(rateable_value_gbp=values, ratepayer_name=names), "2018-19")
    assert bills["ratepayer_properties"].tolist() == [3, 3, 3, 2, 2, 1, 1, 1]
    assert bills["ratepayer_total_rv_gbp"].tolist() == [20_000, 20_000, 20_000, 6_000, 6_000, 8_000, 8_500, 1_000]
    others = [7_000, 9_000, 9_000, 3_000, 3_000, 0, 0, 0]
    assert bills["ratepayer_other_largest_rv_gbp"].tolist() == others


def test_a_bill_has_what_the_roll_tells_of_use_place_and_charge() -> None:
    roll = make_roll_of(
        description=[" Workshop and premises", "Shop", pd.NA],
        is_occupied=pd.array([False, None, True], dtype="boolean"),
        empty_since_date=pd.to_datetime(["2018-05-01", None, None]),
        postcode=["ML6 0AA", pd.NA, "G1 1AA"],
        account_charge_gbp=[1_200.5, np.nan, 0.0],
        account_credit_gbp=[np.nan, 30.25, np.nan],
    )
    bills = prepare_bills(roll, "2018-19")
    assert bills["description"].tolist() == ["WORKSHOP AND PREMISES", "SHOP", pd.NA]
    assert bills["is_industrial"].tolist() == [True, False, False]
    assert bills["is_occupied"].tolist() == [False, True, True]
    assert bills["empty_since_date"].notna().tolist() == [True, False, False]
    assert bills["area"].fillna("").tolist() == ["ML6", "", "G1"]
    assert bills["billed_gbp"].fillna(-1).tolist() == [1_200.5, -1, 0]
    assert bills["account_credit_gbp"].fillna(-1).tolist() == [-1, 30.25, -1]


def test_reliefs_are_told_in_the_words_of_the_roll() -> None:
    roll = pd.DataFrame({"mandatory_relief": ["Charity 80% ", pd.NA], "other_relief": ["; Pub; ; Top up", pd.NA]})
    read = read_reliefs(roll)
    assert read["reliefs"].fillna("").tolist() == ["Charity 80%; Pub; Top up", ""]
    assert read[FLAGS].to_numpy().tolist() == [[False, True, False, True], [False] * 4]


def test_a_roll_without_rows_has_no_bills_and_says_so() -> None:
    with pytest.raises(NotToldError, match="No property of the roll has a bill of 2018-19"):
        prepare_bills(make_roll().head(0), "2018-19")


def test_a_roll_without_values_is_refused() -> None:
    with pytest.raises(CheckError, match="rateable_value_gbp"):
        prepare_bills(pd.DataFrame({"property_reference": ["a"]}), "2018-19")
