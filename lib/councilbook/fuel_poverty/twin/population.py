"""A synthetic population of households and people, for the twins of the closed and the shared sources.

Fitted to official counts, each to the household: the households of every output area, scaled to those of the fuel
poverty statistics; how many of them live in each kind of accommodation, by output area; tenure, heating and
composition by LSOA; and the fuel-poor households of every area of the fuel poverty statistics. Nothing else is. How
these hang together within an area, and every income, cost, score, illness, certificate and measure, is invented by the
constants here: no real household or person is in it, and a finding on it is a finding about those constants.

Sources:
    Efraimidis, P. S. and Spirakis, P. G. (2006), Weighted random sampling with a reservoir, on how labels are drawn.
    Steele, G. L., Lea, D. and Flood, C. H. (2014), Fast splittable pseudorandom number generators, on the pseudonyms.
    BEIS (2021), Fuel poverty methodology handbook (LILEE), through `indicators.measure_lilee`.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from councilbook.errors import CheckError
from councilbook.fuel_poverty.households.indicators import Flags, Numbers, Thresholds, measure_lilee
from councilbook.fuel_poverty.twin.homes import (
    HEATING,
    Codes,
    add_lsoa_labels,
    count_output_areas,
    count_postcodes,
    draw_homes,
    leave_out,
    make_pseudonyms,
    match_areas,
    place_output_areas,
    rank_scores,
)
from councilbook.fuel_poverty.twin.tables import (
    HIGHEST_SCORE,
    MEASURES,
    draw_certificates,
    write_acorn,
    write_households,
    write_interventions,
)

FAMILY_66, COUPLE_CHILDREN, LONE_PARENT, OTHER_HOUSEHOLD = 2, 3, 4, 5

# Income, in logarithms of its ratio to the household's own LILEE income threshold
INCOME_BASE, INCOME_NOISE = 0.45, 0.5
INCOME_BY_TENURE = (0.05, 0.35, -0.35, -0.15)
INCOME_BY_COMPOSITION = (-0.1, -0.1, 0.1, 0.0, -0.35, 0.15)
INCOME_BY_DEPRIVED = -0.2
# Energy efficiency, in points of the FPEER
SCORE_BASE, SCORE_NOISE = 66.0, 8.0
SCORE_BY_ACCOMMODATION = (-2.0, -1.0, 0.0, 5.0, -8.0)
SCORE_BY_HEATING = (1.0, -6.0, -8.0, -14.0, -4.0)
SCORE_BY_TENURE = (-2.0, 0.0, 5.0, -2.0)
SCORE_BY_DEPRIVED = -0.5
BAND_C = 68.5  # the lowest score that rounds to 69, where band C begins
HIGHEST_RATIO = 12.0  # of income to the threshold
CLEAR = 0.001  # share of the threshold that an income keeps from it, so that rounding to pounds changes nothing

AREA_M2_BY_ACCOMMODATION = (125.0, 92.0, 82.0, 58.0, 50.0)
AREA_M2_OF_PERSON, AREA_M2_NOISE = 5.0, 0.18
COST_GBP_M2, COST_GBP_PERSON, COST_BY_POINT = 14.0, 150.0, 0.015  # a year; the last in logarithms a point of score
REBATE_GBP, REBATE_IF_LOW, REBATE_ELSE = 150.0, 0.45, 0.02
HOUSING_GBP_BY_TENURE = (300.0, 8200.0, 5600.0, 9400.0)
HOUSING_NOISE = 0.35
STORAGE_SHARE = 0.5  # of homes heated by electricity
PREPAYMENT = (-2.6, 1.3, 0.5, 0.4)  # log odds: of all; and more if social rented, private rented, low income

INTERVENTION_SHARE = 0.02  # of households, 2013 to 2022
INTERVENTION_PROPENSITY = 1.2  # log odds for one standard unit of the household's margin to fuel poverty
MEASURE_SHARES = (0.22, 0.2, 0.08, 0.25, 0.05, 0.2)
PLANTED_SCORE_POINTS = (4.0, 6.0, 10.0, 7.0, 6.0, 0.0)  # what each measure adds to the FPEER of its home
PLANTED_INCOME_LOG = (0.0, 0.0, 0.0, 0.0, 0.0, 0.06)  # and to the logarithm of income


# Log odds of a long-term condition at 50; more for ten years of age; more in a fuel-poor home; more in band E or below
CONDITIONS = {
    "respiratory": (-2.0, 0.18, 0.35, 0.20),
    "circulatory": (-2.2, 0.60, 0.15, 0.15),
    "mental_health": (-1.8, -0.05, 0.45, 0.10),
    "falls": (-4.2, 0.70, 0.10, 0.20),
}
GP_LOG = (1.0, 0.12, 0.35, 0.10)  # logarithm of contacts a year: base, for ten years, a condition, a fuel-poor home
GP_SHAPE = 1.5  # of the gamma distribution that makes the counts negative binomial
ADMISSION_LOG = (-3.0, 0.20, 0.45, 0.20)
CARE_LOGIT = (-5.5, 0.9, 0.5, 0.15)


@dataclass(frozen=True)
class Population:
    """The synthetic frames, each in the order of its pseudonyms, which tells nothing.

    Attributes:
        households: a row a household, with homes, money in pounds a year, and is_fuel_poor by LILEE.
        people: a row a person; household_id leads to the household.
        acorn: a row a postcode: wellbeing_group (1 to 4) and wellbeing_type (1 to 25), 1 where wellbeing is least.
        epc: a row an energy performance certificate; there is no way from it to the household but the postcode.
        interventions: a row a measure, 2013 to 2022.
        left_out: the LSOAs 2021 of the council that the census tables or the postcodes lack, so that nobody is there.
            Where fuel poverty is met by larger areas, their households are in the rest of the area.
    """

    households: pd.DataFrame
    people: pd.DataFrame
    acorn: pd.DataFrame
    epc: pd.DataFrame
    interventions: pd.DataFrame
    left_out: tuple[str, ...]


# Invented: a round number of the size of the line of households below average income. A study passes its own.
THRESHOLDS = Thresholds(poverty_line_gbp_year=15_000.0, fuel_cost_gbp_year=1_500.0)


def draw_population(
    postcodes: pd.DataFrame,
    oa_deprivation: pd.DataFrame,
    oa_accommodation: pd.DataFrame,
    tenure: pd.DataFrame,
    heating: pd.DataFrame,
    composition: pd.DataFrame,
    fuel_poor: pd.DataFrame,
    lookup: pd.DataFrame,
    seed: int,
    thresholds: Thresholds = THRESHOLDS,
    homes_spread: float = 1.0,
) -> Population:
    """Draw every household of a council, and who lives in it.

    Counts are scaled to an area's households by the largest remainder, so none is off by a whole household. Shared
    owners and who lives rent free are counted among the four tenures in the proportions of these. In an area, fuel
    poverty is met by moving all of its homes alike: as much richer and more efficient, or poorer and less, as makes
    the official number of them fuel poor. So the order of homes within an area is never changed.

    Args:
        postcodes: postcode, oa21_code, lsoa21_code. An output area is in the LSOA that most of its postcodes name.
        oa_deprivation: oa21_code, households, and deprived_0_households to deprived_4_households.
        oa_accommodation: oa21_code and the counts of census table TS044.
        tenure, heating, composition: counts by lsoa21_code. Rows beyond the council are left out, here and above.
        fuel_poor: lsoa_code (of 2011 or 2021), households, fuel_poor_households; one year.
        lookup: the council's rows of the exact fit lookup. Where fuel_poor has areas of 2011, it is met by the
            areas of `geography.match_common_areas`, otherwise by LSOA 2021.
        seed: the same gives the same frames, whatever the order of rows.
        thresholds: those of the year; the poverty line alone is used.
        homes_spread: how much homes of one area differ by what is known of them (tenure, heating, accommodation,
            composition, deprivation), as a multiple of the invented effects; 0: who is fuel poor is pure chance there.
            An assumption: no open source tells it.

    Raises:
        CheckError: more than 1 LSOA in 20 has no output area, one has no row in another table, there are more
            fuel-poor households than households, or homes_spread is not a finite number of at least 0.
    """
    if not (np.isfinite(homes_spread) and homes_spread >= 0):
        raise CheckError("homes_spread must be a finite number of at least 0.")
    random = np.random.default_rng(seed)
    lsoas = place_output_areas(postcodes, oa_deprivation, lookup)
    areas, left_out = leave_out(match_areas(lookup, fuel_poor), set(lsoas))
    outputs = count_output_areas(oa_deprivation, lsoas, areas)
    places = count_postcodes(postcodes, outputs, random)
    homes = draw_homes(outputs, places, oa_deprivation, oa_accommodation, random)
    add_lsoa_labels(homes, {"tenure": tenure, "heating": heating, "composition": composition}, outputs, random)
    _add_members(homes, random)
    measures = _add_money(homes, areas["fuel_poor_households"].to_numpy(), thresholds, homes_spread, random)
    homes["id"] = make_pseudonyms(len(homes), seed, "household")
    people = _draw_people(homes, random, seed)
    return Population(
        households=write_households(homes, outputs, places, lookup),
        people=people,
        acorn=write_acorn(homes, places, random),
        epc=draw_certificates(homes, places, random, seed),
        interventions=write_interventions(homes, measures, places, random, seed),
        left_out=left_out,
    )


def _add_members(homes: pd.DataFrame, random: np.random.Generator) -> None:
    """Add how many adults and children there are. Three adults with children are an "other" household."""
    kind, number = homes["composition"].to_numpy(), len(homes)
    adults = np.where(np.isin(kind, (FAMILY_66, COUPLE_CHILDREN)), 2, 1)
    adults = np.where(kind == OTHER_HOUSEHOLD, random.choice([2, 3, 4], number, p=[0.68, 0.22, 0.1]), adults)
    is_family = np.isin(kind, (COUPLE_CHILDREN, LONE_PARENT))
    children = np.where(is_family, random.choice([1, 2, 3, 4], number, p=[0.43, 0.39, 0.13, 0.05]), 0)
    children = np.where((kind == OTHER_HOUSEHOLD) & (adults > 2) & (random.random(number) < 0.3), 1, children)
    older = random.binomial(children, 0.25)
    homes["adults"], homes["children_14_plus"], homes["children_under_14"] = adults, older, children - older


def _add_money(
    homes: pd.DataFrame, poor: Codes, thresholds: Thresholds, homes_spread: float, random: np.random.Generator
) -> Codes:
    """Add costs, incomes and scores that make as many homes of each area fuel poor as is official.

    Returns:
        The number of each household's measure, of `MEASURES`; -1 for none.
    """
    area, number = homes["area"].to_numpy(), len(homes)
    income, score = _draw_latents(homes, homes_spread, random)
    measures = _choose_measures(np.minimum(-income / INCOME_NOISE, (BAND_C - score) / SCORE_NOISE), random)
    is_helped = measures >= 0
    income = income + np.where(is_helped, np.array(PLANTED_INCOME_LOG)[measures], 0.0)
    score = score + np.where(is_helped, np.array(PLANTED_SCORE_POINTS)[measures], 0.0)
    low, weak = -income / INCOME_NOISE, (BAND_C - score) / SCORE_NOISE
    is_poor, limit = _choose_poor(area, np.minimum(low, weak), poor)
    low, weak = low - limit[area], weak - limit[area]
    # signs alone would say the same, but for a home that lies on the limit
    is_low = is_poor | ((low > 0) & (low > weak))
    is_weak = is_poor | ((weak > 0) & (weak >= low))
    homes["is_low"] = is_low
    homes["fpeer_score"] = _score_homes(weak, is_weak)
    _add_costs(homes, random)
    probe = measure_lilee(homes.assign(ahc_income_gbp_year=1.0), thresholds)
    threshold = probe["income_threshold_gbp_year"].to_numpy() / probe["equivalised_income_gbp_year"].to_numpy()
    ratio = np.exp(-low * INCOME_NOISE).clip(0.0, HIGHEST_RATIO)
    ratio = np.where(is_low, np.minimum(ratio, 1 - CLEAR), np.maximum(ratio, 1 + CLEAR))
    homes["ahc_income_gbp_year"] = np.where(is_low, np.floor(threshold * ratio), np.ceil(threshold * ratio))
    rent = np.array(HOUSING_GBP_BY_TENURE)[homes["tenure"]] * random.lognormal(0.0, HOUSING_NOISE, number)
    homes["housing_cost_gbp_year"] = np.round(rent)
    homes["income_gbp_year"] = homes["ahc_income_gbp_year"] + homes["housing_cost_gbp_year"]
    homes["is_fuel_poor"] = measure_lilee(homes, thresholds)["is_fuel_poor"].to_numpy()
    found = np.bincount(area[homes["is_fuel_poor"]], minlength=len(poor))
    if (off := found != poor).any():
        raise CheckError(f"{off.sum()} areas have another number of fuel-poor households than asked for.")
    return measures


def _draw_latents(homes: pd.DataFrame, homes_spread: float, random: np.random.Generator) -> tuple[Numbers, Numbers]:
    """Draw the logarithm of income over its threshold, and the energy efficiency score, before areas are met."""
    tenure, deprived = homes["tenure"], homes["deprived"].to_numpy()
    income = np.array(INCOME_BY_TENURE)[tenure] + np.array(INCOME_BY_COMPOSITION)[homes["composition"]]
    income = income + INCOME_BY_DEPRIVED * deprived
    score = np.array(SCORE_BY_TENURE)[tenure] + np.array(SCORE_BY_HEATING)[homes["heating"]]
    score = score + np.array(SCORE_BY_ACCOMMODATION)[homes["accommodation"]] + SCORE_BY_DEPRIVED * deprived
    area = homes["area"].to_numpy()

    def spread(values: Numbers) -> Numbers:
        means = (np.bincount(area, weights=values) / np.bincount(area).clip(1))[area]
        return np.asarray(means + homes_spread * (values - means))

    noise = random.normal(size=(2, len(homes)))
    return INCOME_BASE + spread(income) + INCOME_NOISE * noise[0], SCORE_BASE + spread(score) + SCORE_NOISE * noise[1]


def _choose_measures(margin: Numbers, random: np.random.Generator) -> Codes:
    """Choose who had a measure, and which; the nearer to fuel poverty, the more often."""
    number = round(INTERVENTION_SHARE * len(margin))
    keys = INTERVENTION_PROPENSITY * margin + random.gumbel(size=len(margin))
    chosen = np.argsort(-keys, kind="stable")[:number]
    measures = np.full(len(margin), -1)
    measures[chosen] = random.choice(len(MEASURES), number, p=MEASURE_SHARES)
    return measures


def _choose_poor(area: Codes, margin: Numbers, poor: Codes) -> tuple[Flags, Numbers]:
    """Choose the homes of each area with the largest margins, and find the limit between them and the others."""
    order = np.lexsort((-margin, area))
    is_poor = np.zeros(len(area), dtype=bool)
    is_poor[order] = rank_scores(area, len(poor)) < poor[area]
    lowest, highest = np.full(len(poor), np.inf), np.full(len(poor), -np.inf)
    np.minimum.at(lowest, area[is_poor], margin[is_poor])
    np.maximum.at(highest, area[~is_poor], margin[~is_poor])
    lowest = np.where(np.isfinite(lowest), lowest, highest)  # an area in which nobody is
    highest = np.where(np.isfinite(highest), highest, lowest)  # or everybody
    return is_poor, np.where(np.isfinite(lowest), (lowest + highest) / 2, 0.0)


def _score_homes(weak: Numbers, is_weak: Flags) -> Numbers:
    """Turn margins into scores with one decimal that are below band C for the weak, and only for them."""
    score = np.floor((BAND_C - SCORE_NOISE * weak) * 10) / 10
    score = np.where(is_weak, np.minimum(score, BAND_C - 0.1), np.maximum(score, BAND_C))
    return np.asarray(score.clip(1.0, HIGHEST_SCORE).round(1))


def _add_costs(homes: pd.DataFrame, random: np.random.Generator) -> None:
    """Add floor areas, required fuel costs now and in band C, rebates, and how fuel is paid for."""
    number, score = len(homes), homes["fpeer_score"].to_numpy()
    people = homes[["adults", "children_14_plus", "children_under_14"]].sum(axis="columns").to_numpy()
    space = np.array(AREA_M2_BY_ACCOMMODATION)[homes["accommodation"]] + AREA_M2_OF_PERSON * (people - 2)
    homes["total_floor_area_m2"] = np.round(space * random.lognormal(0.0, AREA_M2_NOISE, number), 1)
    warm = COST_GBP_M2 * homes["total_floor_area_m2"].to_numpy()
    better = np.minimum(BAND_C - score, 0.0)
    homes["required_fuel_cost_gbp_year"] = np.ceil(
        warm * np.exp(COST_BY_POINT * (BAND_C - score)) + COST_GBP_PERSON * people
    )
    homes["fuel_cost_at_band_c_gbp_year"] = np.floor(warm * np.exp(COST_BY_POINT * better) + COST_GBP_PERSON * people)
    has_rebate = random.random(number) < np.where(homes["is_low"], REBATE_IF_LOW, REBATE_ELSE)
    homes["fuel_rebate_gbp_year"] = np.where(has_rebate, REBATE_GBP, 0.0)
    homes["storage_heaters"] = (homes["heating"] == HEATING.index("electric")) & (random.random(number) < STORAGE_SHARE)
    base, social, private, low = PREPAYMENT
    odds = base + social * (homes["tenure"] == 2) + private * (homes["tenure"] == 3) + low * homes["is_low"]
    homes["prepayment_meter"] = random.random(number) < expit(odds)


def _draw_people(homes: pd.DataFrame, random: np.random.Generator, seed: int) -> pd.DataFrame:
    """Draw everybody's age, sex, health and care; and add to `homes` the ages of the oldest and the youngest."""
    sizes = homes[["adults", "children_14_plus", "children_under_14"]].to_numpy()
    home = np.repeat(np.arange(len(homes)), sizes.sum(axis=1))
    age = _draw_ages(homes, home, rank_scores(home, len(homes)), random)
    starts = np.flatnonzero(np.r_[True, home[1:] != home[:-1]]) if len(home) else home
    homes["oldest_age"] = np.maximum.reduceat(age, starts) if len(home) else age
    homes["youngest_age"] = np.minimum.reduceat(age, starts) if len(home) else age
    is_poor = homes["is_fuel_poor"].to_numpy()[home]
    is_cold = (homes["fpeer_score"].to_numpy() < 54.5)[home]
    decades = (age - 50) / 10
    people = pd.DataFrame({"person_id": make_pseudonyms(len(home), seed, "person")}, copy=False)
    people["household_id"] = homes["id"].to_numpy()[home]
    people["age"] = age
    people["sex"] = np.where(random.random(len(home)) < 0.51, "F", "M")
    for name, (base, ageing, poor, cold) in CONDITIONS.items():
        odds = base + ageing * decades + poor * is_poor + cold * is_cold
        people[name] = random.random(len(home)) < expit(odds)
    ill = people[list(CONDITIONS)].sum(axis="columns").to_numpy()

    def add_up(effects: tuple[float, float, float, float]) -> Numbers:
        return np.asarray(effects[0] + effects[1] * decades + effects[2] * ill + effects[3] * is_poor)

    mean = np.exp(add_up(GP_LOG)) * random.gamma(GP_SHAPE, 1 / GP_SHAPE, len(home))
    people["gp_contacts"] = random.poisson(mean)
    people["emergency_admissions"] = random.poisson(np.exp(add_up(ADMISSION_LOG)))
    people["social_care"] = (random.random(len(home)) < expit(add_up(CARE_LOGIT))) & (age >= 18)
    return people.sort_values("person_id", ignore_index=True)


def _draw_ages(homes: pd.DataFrame, home: Codes, member: Codes, random: np.random.Generator) -> Codes:
    """Draw ages that fit the composition. Members are numbered from 0: adults, then older, then young children."""
    kind, adults = homes["composition"].to_numpy()[home], homes["adults"].to_numpy()[home]
    older = homes["children_14_plus"].to_numpy()[home]
    number, size = len(homes), len(home)
    # of the first adult, by composition: lowest, highest, and the shape of a beta distribution between them
    lowest, highest = np.array([66, 18, 66, 24, 20, 20]), np.array([99, 65, 95, 60, 55, 65])
    shape = np.array([[1.2, 2.2], [1.6, 1.3], [1.0, 2.4], [2.2, 2.2], [2.0, 2.2], [1.8, 1.4]])
    first = homes["composition"].to_numpy()
    share = random.beta(shape[first, 0], shape[first, 1], number)
    head = np.floor(lowest[first] + share * (highest[first] + 1 - lowest[first])).astype("int64")
    head = np.where(homes["children_14_plus"] > 0, head.clip(34), head)
    parent = age = head[home]
    partner = (age + np.round(random.normal(-1, 4, size)).astype("int64")).clip(18, 99)
    partner = np.where(kind == FAMILY_66, partner.clip(66), partner)
    grown = (age - random.integers(20, 36, size)).clip(18)
    age = np.where(member == 1, partner, np.where(member > 1, grown, age))
    age = np.where((member >= adults) & (member < adults + older), random.integers(14, 18, size), age)
    young = np.minimum(random.integers(0, 14, size), parent - 18)
    return np.where(member >= adults + older, young, age)
