"""The systems model: its file is whole, nothing gets lost in it, and both ways to run it agree."""

import re
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from lxml import etree
from pydantic import ValidationError

from councilbook.errors import CheckError, ParameterError
from councilbook.fuel_poverty.scenarios.engine import MODEL, load_model, simulate
from councilbook.fuel_poverty.scenarios.settings import Start, load_settings
from councilbook.fuel_poverty.scenarios.system import (
    UNITS,
    compare_scenarios,
    draw_values,
    estimate_effects,
    run_scenarios,
    weigh_parameters,
)
from councilbook.methods.uncertainty import Parameter
from pysd_runs import run_pysd

NAMESPACE = {"x": "http://docs.oasis-open.org/xmile/ns/XMILE/v1.0"}
HOMES = ["inefficient_better_off", "inefficient_low_income", "efficient_low_income", "efficient_better_off"]
LEVERS = ["insulation", "heating", "advice", "tariff"]
CONDITIONS = ["respiratory", "circulatory", "mental", "falls"]
START = Start(2022, 60_000, 6_900, 0.45, 27_000, 88_000, 29_000, 90)
BUSY = {f"households_a_year[{lever}]": 400.0 for lever in LEVERS}
QUIET = {"background_improvement": 0.0}


def find_variables() -> list[etree._Element]:
    return etree.parse(MODEL).xpath(
        "//x:variables/*[self::x:stock or self::x:flow or self::x:aux]", namespaces=NAMESPACE
    )


# --- the file ---


def test_each_variable_has_units_and_says_what_it_is() -> None:
    for variable in find_variables():
        for tag in ("units", "doc"):
            (text,) = variable.xpath(f"x:{tag}/text()", namespaces=NAMESPACE)
            assert text.strip(), variable.get("name")


def test_each_variable_is_in_the_picture_once_and_within_a_sector() -> None:
    tree = etree.parse(MODEL)
    view = tree.xpath("//x:view", namespaces=NAMESPACE)[0]
    drawn = view.xpath("x:stock | x:flow | x:aux", namespaces=NAMESPACE)
    shown = {name: [one for one in drawn if one.get("name") == name] for name in load_model().dimension_of}
    assert {name for name, found in shown.items() if len(found) != 1} == set()
    sectors = {
        entity.get("name"): view.xpath(f"x:group[@name='{group.get('name')}']", namespaces=NAMESPACE)[0]
        for group in tree.xpath("//x:variables/x:group", namespaces=NAMESPACE)
        for entity in group
    }
    for name, (one,) in shown.items():
        sector = sectors[name]
        for axis, size in (("x", "width"), ("y", "height")):
            offset = float(one.get(axis)) - float(sector.get(axis))
            assert 0 <= offset <= float(sector.get(size)), name


def test_each_connector_joins_what_an_equation_uses() -> None:
    view = etree.parse(MODEL).xpath("//x:view", namespaces=NAMESPACE)[0]
    ghosts = {alias.get("uid"): alias[0].text for alias in view.xpath("x:alias", namespaces=NAMESPACE)}
    equations = {v.get("name"): " ".join(v.xpath(".//x:eqn/text()", namespaces=NAMESPACE)) for v in find_variables()}
    connectors = view.xpath("x:connector", namespaces=NAMESPACE)
    assert len(connectors) > 100
    for connector in connectors:
        source, target = connector
        name = ghosts[source[0].get("uid")] if len(source) else source.text
        assert name in equations[target.text]


def test_households_flow_from_one_home_stock_to_another_and_nowhere_else() -> None:
    stocks = {v.get("name"): v for v in find_variables() if v.tag.endswith("stock")}
    inflows, outflows = (
        Counter(text for name in HOMES for text in stocks[name].xpath(f"x:{side}/text()", namespaces=NAMESPACE))
        for side in ("inflow", "outflow")
    )
    assert inflows == outflows
    assert set(inflows.values()) == {1}


def test_the_file_and_the_values_with_their_sources_name_the_same_with_the_same_units() -> None:
    settings = load_settings()
    units = {v.get("name"): v.xpath("x:units/text()", namespaces=NAMESPACE)[0] for v in find_variables()}
    model, numbers = load_model(), {}
    for name, evaluate in model.constants.items():
        value = evaluate({})
        if dimension := model.dimension_of[name]:
            pairs = zip(model.elements[dimension], value, strict=True)
            numbers |= {f"{name}[{element}]": float(row[0]) for element, row in pairs}
        else:
            numbers[name] = value
    assert numbers == settings.defaults
    for name, entry in {**settings.inputs, **settings.levers, **settings.parameters}.items():
        assert entry.unit == units[name.partition("[")[0]], name


def test_each_value_that_is_no_assumption_cites_a_publication() -> None:
    parameters = load_settings().parameters
    assert all(len(source) > 20 for it in parameters.values() for source in it.sources)
    dated = re.compile(r"\((\d{4}|no date)[^)]*\)\. ")
    assert [source for it in parameters.values() for source in it.sources if not dated.search(source)] == []
    assert {it.basis for it in parameters.values()} == {"published", "derived", "assumption"}


@pytest.mark.parametrize(
    "changes",
    [{"low": 2.0}, {"low": 1.0, "high": 1.0}, {"basis": "published"}, {"distribution": "fixed"}, {"unit": None}],
)
def test_a_value_with_a_range_or_source_that_cannot_be_is_refused(changes: dict[str, object]) -> None:
    fine = {"default": 1.0, "low": 0.5, "high": 1.5, "unit": "year", "distribution": "triangular"}
    fine |= {"basis": "assumption", "sources": [], "note": ""}
    assert Parameter.model_validate(fine)
    with pytest.raises(ValidationError):
        Parameter.model_validate(fine | changes)


# --- nothing gets lost ---


@pytest.mark.parametrize("scale", [1.0, 1000.0])
@pytest.mark.parametrize("price", [0.0, 1.0, 50.0])
def test_households_and_people_are_kept_and_none_is_negative(scale: float, price: float) -> None:
    outputs = [*HOMES, "fuel_poor", *(f"in_force[{lever}]" for lever in LEVERS)]
    people = [f"{stock}[{condition}]" for stock in ("well", "ill") for condition in CONDITIONS]
    at_risk = [f"people_at_risk[{condition}]" for condition in CONDITIONS]
    busy = {name: rate * scale for name, rate in BUSY.items()}
    runs = simulate({**draw_values(3, 200), **START.inputs, **busy, "price_step": price}, [*outputs, *people, *at_risk])
    np.testing.assert_allclose(sum(runs[name] for name in HOMES), START.households, rtol=1e-12)
    for condition in CONDITIONS:
        total = runs[f"well[{condition}]"] + runs[f"ill[{condition}]"]
        np.testing.assert_allclose(total, runs[f"people_at_risk[{condition}]"], rtol=1e-12)
    for name in [*outputs, *people]:
        assert runs[name].min() >= -1e-9, name
    efficient = runs["efficient_low_income"] + runs["efficient_better_off"]
    assert (runs["in_force[insulation]"] + runs["in_force[heating]"] <= efficient + 1e-6).all()


def test_where_nothing_changes_all_stays_as_at_the_start() -> None:
    runs = simulate(
        {**START.inputs, **QUIET}, ["fuel_poor", "ill[mental]", "ill[falls]", "winter_deaths", "cold_homes"]
    )
    assert runs["fuel_poor"][0, 0] == START.fuel_poor_households
    assert runs["winter_deaths"][0, 0] == pytest.approx(START.excess_winter_deaths)
    for name, run in runs.items():
        np.testing.assert_allclose(run, run[0, 0], rtol=1e-10, err_msg=name)


def test_the_programmes_treat_no_more_than_can_be_found() -> None:
    huge = {"households_a_year[insulation]": 1e6}
    runs = simulate({**START.inputs, **huge}, ["lifted_to_date", "fuel_poor", "delivered[insulation]"])
    assert runs["delivered[insulation]"][0, 0] < 1e6
    assert runs["lifted_to_date"][-1, 0] < START.households
    assert runs["fuel_poor"][-1, 0] < 0.5 * START.fuel_poor_households


# --- what follows ---


def test_without_a_programme_nothing_is_avoided_even_if_prices_jump() -> None:
    results = compare_scenarios(
        START, {"Calm": {}, "Dear": {"price_step": 2, "price_step_year": 3}}, draw_values(3, 200)
    )
    for quantities in results.values():
        for name, runs in quantities.items():
            if name.startswith("cost_per"):
                assert np.isnan(runs).all()
            elif name != "fuel_poor_households":
                assert (runs == 0).all(), name
    assert (results["Dear"]["fuel_poor_households"][3] >= results["Calm"]["fuel_poor_households"][3]).all()
    assert (
        results["Dear"]["fuel_poor_households"][10].mean() > 1.03 * results["Calm"]["fuel_poor_households"][10].mean()
    )


@pytest.mark.parametrize("lever", LEVERS)
def test_more_of_a_lever_never_does_less(lever: str) -> None:
    scenarios = {str(rate): {f"households_a_year[{lever}]": rate} for rate in (0, 200, 400, 800)}
    results = list(compare_scenarios(START, scenarios, draw_values(3, 200)).values())
    for name in ("fewer_fuel_poor_households", "admissions_avoided", "winter_deaths_avoided", "care_cost_saved"):
        ends = np.array([quantities[name][-1] for quantities in results])
        assert (np.diff(ends, axis=0) >= -1e-6).all(), name
        assert (ends[-1] > ends[0]).mean() > 0.9, name


def test_free_energy_ends_fuel_poverty() -> None:
    runs = simulate({**START.inputs, **QUIET, "price_step": 0}, ["fuel_poor", "cold_homes"])
    assert runs["fuel_poor"][-1, 0] < 0.03 * START.fuel_poor_households
    assert runs["cold_homes"][-1, 0] == 0


def test_where_all_homes_are_efficient_nobody_is_fuel_poor_and_nothing_can_be_delivered() -> None:
    start = Start(2022, 60_000, 0, 0, 27_000, 88_000, 29_000, 90)
    (quantities,) = compare_scenarios(start, {"Busy": BUSY}, draw_values(3, 200)).values()
    assert (quantities["fuel_poor_households"] == 0).all()
    assert (quantities["programme_cost"] == 0).all()
    assert (quantities["admissions_avoided"] == 0).all()


def test_if_cold_does_no_harm_warmth_avoids_nothing() -> None:
    harmless = {f"{risk}[{condition}]": 1.0 for risk in ("relative_risk", "acute_risk") for condition in CONDITIONS}
    (quantities,) = compare_scenarios(START, {"Busy": BUSY}, {**harmless, "attributable_share": 0.0}).values()
    assert quantities["fewer_fuel_poor_households"][-1, 0] > 100
    for name in ("admissions_avoided", "gp_contacts_avoided", "winter_deaths_avoided", "care_cost_saved"):
        np.testing.assert_allclose(quantities[name], 0, atol=1e-6, err_msg=name)


def test_support_fades_when_it_ends_and_insulation_stays() -> None:
    scenarios = {
        lever: {f"households_a_year[{lever}]": 800.0, f"end_year[{lever}]": 5.0} for lever in ("tariff", "insulation")
    }
    results = compare_scenarios(START, scenarios, QUIET)
    left = {lever: found["fewer_fuel_poor_households"] for lever, found in results.items()}
    assert left["tariff"][-1, 0] < 0.01 * left["tariff"][5, 0]
    assert left["insulation"][-1, 0] > 0.3 * left["insulation"][5, 0]


def test_a_programme_costs_what_it_delivers_discounted() -> None:
    lever = {"households_a_year[advice]": 100.0, "start_year[advice]": 2.0, "end_year[advice]": 3.0}
    (quantities,) = compare_scenarios(START, {"": lever}, {}).values()
    lifted = simulate({**START.inputs, **lever}, ["lifted_to_date"])["lifted_to_date"]
    quarters = 2 + np.arange(4) / 4
    assert quantities["programme_cost"][2, 0] == 0
    assert quantities["programme_cost"][-1, 0] == pytest.approx(sum(25 * 250 / 1.035**quarters))
    assert lifted[-1, 0] == pytest.approx(100 * 0.5 * 0.25)
    assert quantities["budget_spent"][-1, 0] == pytest.approx(100 * 250)
    years = quantities["fuel_poor_years_avoided"][-1, 0]
    assert quantities["cost_per_fuel_poor_year_avoided"][-1, 0] == pytest.approx(
        quantities["programme_cost"][-1, 0] / years
    )


# --- two ways to run it ---


def test_pysd_and_the_path_over_many_draws_agree_on_every_variable_and_leave_the_library_as_it_is() -> None:
    beside = {file.name for file in MODEL.parent.iterdir()}
    values = {
        **draw_values(9, 2),
        **START.inputs,
        "price_step": 1.7,
        "price_step_year": 4,
        "start_year[advice]": 2.5,
    }
    values |= {name: np.array([rate, 9 * rate]) for name, rate in BUSY.items()}
    singles = [
        run_pysd({name: float(np.broadcast_to(value, 2)[draw]) for name, value in values.items()}) for draw in range(2)
    ]
    names = [name for name in singles[0] if name.partition("[")[0] in load_model().dimension_of]
    assert len(names) > 150
    many = simulate(values, names)
    for draw, single in enumerate(singles):
        for name in names:
            ours = np.broadcast_to(many[name], (16, 2))[:, draw]
            np.testing.assert_allclose(ours, single[name].to_numpy(), rtol=1e-6, atol=1e-9, err_msg=name)
    assert {file.name for file in MODEL.parent.iterdir()} == beside


# --- draws and results ---


def test_scenarios_come_as_a_tidy_table_with_common_draws() -> None:
    scenarios = {"Nothing": {}, "Busy": BUSY, "Busy again": BUSY}
    table = run_scenarios(START, scenarios, seed=4, draws=300)
    assert list(table) == ["year", "scenario", "quantity", "unit", "low", "median", "high"]
    assert not table.duplicated(["year", "scenario", "quantity"]).any()
    assert len(table) == 16 * 3 * len(UNITS)
    assert (table["year"].min(), table["year"].max()) == (2022, 2037)
    known = table.dropna()
    assert (known["low"] <= known["median"]).all()
    assert (known["median"] <= known["high"]).all()
    first, again = (table[table["scenario"] == name].drop(columns="scenario") for name in ("Busy", "Busy again"))
    pd.testing.assert_frame_equal(first.reset_index(drop=True), again.reset_index(drop=True), check_exact=True)
    wide = run_scenarios(START, {"Busy": BUSY}, seed=4, draws=300, interval=0.95).set_index(["year", "quantity"])
    narrow = first.set_index(["year", "quantity"])
    assert wide.loc[(2037, "admissions_avoided"), "low"] < narrow.loc[(2037, "admissions_avoided"), "low"]


@pytest.mark.parametrize(("given", "share"), [({}, 0.9), ({"interval": 0.6}, 0.6)])
def test_an_interval_holds_its_share_of_the_draws_and_leaves_as_many_on_either_side(
    given: dict[str, float], share: float
) -> None:
    table = run_scenarios(START, {"Busy": BUSY}, seed=4, draws=400, **given).set_index(["quantity", "year"])
    runs = compare_scenarios(START, {"Busy": BUSY}, draw_values(4, 400))["Busy"]
    for quantity in UNITS:
        row, drawn = table.loc[(quantity, 2030)], runs[quantity][8]
        assert (drawn < row["low"]).mean() == pytest.approx((1 - share) / 2, abs=0.003), quantity
        assert (drawn > row["high"]).mean() == pytest.approx((1 - share) / 2, abs=0.003), quantity
        assert row["median"] == pytest.approx(np.median(drawn)), quantity


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, again, other = (run_scenarios(START, {"Busy": BUSY}, seed, draws=50).to_csv() for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_what_matters_is_found_by_swing_and_by_rank() -> None:
    lever = {"households_a_year[insulation]": 400.0}
    table = weigh_parameters(START, lever, "fewer_fuel_poor_households", seed=5, draws=400).set_index("parameter")
    assert table["swing"].is_monotonic_decreasing
    assert table.index[0] == "effective_share[insulation]"
    assert table.loc["effective_share[insulation]", "partial_rank_correlation"] > 0.9
    assert table.loc["background_improvement", "partial_rank_correlation"] < -0.3
    assert table.loc["gp_contact_cost", "swing"] == 0
    (quantities,) = compare_scenarios(START, {"": lever}, {}).values()
    np.testing.assert_allclose(table["at_default"], quantities["fewer_fuel_poor_households"][-1, 0])


def test_effects_a_home_are_those_of_a_small_programme() -> None:
    effects = estimate_effects(START).set_index("measure")
    assert effects.index.tolist() == LEVERS
    assert effects.loc["insulation", "fuel_poor_reach"] == pytest.approx(0.35)
    assert (effects > 0).all(axis=None)
    twice = estimate_effects(START, households=200).set_index("measure")
    pd.testing.assert_frame_equal(twice, effects, rtol=0.02)


# --- bad input ---


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"households": -1}, "households = -1"),
        ({"people_65_and_over": float("nan")}, "people_65_and_over = nan"),
        ({"inefficient_share": 45}, "share of 45 in bands D to G"),
        ({"households": 0, "fuel_poor_households": 0}, "at least one household"),
        ({"fuel_poor_households": 30_000}, "30,000 fuel-poor households are more than the 27,000 in bands D to G"),
    ],
)
def test_a_start_that_cannot_be_is_an_error(changes: dict[str, float], message: str) -> None:
    figures = {name: getattr(START, name) for name in START.__dataclass_fields__}
    with pytest.raises(CheckError, match=message):
        Start(**(figures | changes))


def test_unknown_names_are_errors_that_suggest_the_right_one() -> None:
    with pytest.raises(ParameterError, match=r"Scenario A has no lever .*insulatio.*Did you mean.*\[insulation\]"):
        compare_scenarios(START, {"A": {"households_a_year[insulatio]": 1.0}}, {})
    with pytest.raises(ParameterError, match=r"no setting relative_riks.*Did you mean relative_risk"):
        simulate({"relative_riks[falls]": 1.0}, ["fuel_poor"])
