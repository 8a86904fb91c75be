from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup, Tag

from councilbook.catalogue import load_catalogue
from councilbook.pages.reports.report_kinds import find_kinds, leave_out_unreal, mark_kinds, trace_datasets
from councilbook.pages.withheld import Released
from councilbook.paths import find_workbook
from small_site import make_audit, make_package

CATALOGUE = load_catalogue(find_workbook(Path(__file__).parent))
STEP = '<div class="step" data-tags="{}"><div class="output">{}</div></div>'


def release(**kinds: list[str]) -> list[Released]:
    return [Released(make_package(name, name, kinds=kind), make_audit()) for name, kind in kinds.items()]


def make_steps(*contents: tuple[str, str]) -> list[Tag]:
    return BeautifulSoup("".join(STEP.format(*one) for one in contents), "html.parser").select(".step")


def test_what_a_cell_shows_rests_on_what_its_names_were_made_from() -> None:
    cells = [
        'a, b = study.published("homes"), study.published("visits")\nn = len(a)',
        "show(n)",
        "words = {}\nwords['x'] = tell(b)\nb",
        "for one in words:\n    show(one, n)",
        "n = 3\nshow(n, study.name)",
        'show(study.published("costs").merge(a))',
        "late = [one for one in words]",
    ]

    assert [sorted(found) for found in trace_datasets(cells)] == [
        [],
        ["homes"],
        ["visits"],
        ["homes", "visits"],
        [],
        ["costs", "homes"],
        [],
    ]


def test_figures_and_tables_carry_the_kinds_of_the_data_behind_them() -> None:
    steps = make_steps(("", "<table></table>"), ("", "<figure></figure>"), ("", "<p>No figure.</p>"), ("", "<table/>"))
    code = ['show(study.published("homes"))', 'x = study.published("visits")\nshow(x)', "show(x)", "show()"]
    shown = find_kinds(steps, code, release(homes=["real"], visits=["synthetic", "assumed"]))
    mark_kinds(shown, [])

    told = [[one.get_text() for one in step.select(".kinds .badge")] for step in steps]
    assert told == [["real"], ["synthetic", "assumed"], [], []]


@pytest.mark.parametrize(
    ("kinds", "left_out"),
    [
        ({"homes": ["real"], "visits": ["synthetic"], "costs": ["assumed"]}, [1, 2]),
        ({"homes": ["real"], "visits": ["real"], "costs": ["real"]}, []),
        ({"homes": ["assumed"], "visits": ["synthetic"], "costs": ["synthetic", "assumed"]}, []),
    ],
)
def test_a_summary_keeps_real_figures_alone_unless_it_has_none(
    kinds: dict[str, list[str]], left_out: list[int]
) -> None:
    steps = make_steps(*[("headline", "<p>Words.</p>")] * 3)
    shown = find_kinds(steps, [f'show(study.published("{name}"))' for name in kinds], release(**kinds))
    mark_kinds(shown, [])

    assert leave_out_unreal(steps, shown) == [steps[one] for one in left_out]
    marked = [step.select_one(".kinds") is not None for step in steps]
    assert marked == [kind != ["real"] for kind in kinds.values()]


def guess_kinds() -> dict[str, list[str]]:
    """The kinds of figure of fuel poverty's datasets in a real run without closed files, from what is declared."""
    spec = CATALOGUE.study("fuel_poverty")
    kinds: dict[str, list[str]] = {}
    for notebook in spec.notebooks.values():
        guarded = any(source.spectrum != "open" for source in CATALOGUE.expand(notebook.sources))
        for name in notebook.releases:
            assumed = bool(CATALOGUE.dataset(name).assumes)
            kinds[name] = ["synthetic"] * guarded + ["assumed"] * assumed or ["real"]
    return kinds


@pytest.mark.parametrize("slip", ["", "reached", "plan", "weights"])
def test_the_summary_of_fuel_poverty_draws_on_real_figures_alone(slip: str) -> None:
    notebook = nbformat.read(CATALOGUE.workbook.notebooks / "fuel_poverty" / "8_report.ipynb", as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    code = ['plan, weights = study.published("fuel_poverty_budget_plan"), study.published("fuel_poverty_sensitivity")']
    code += [cell.source for cell in cells]
    headline = [number for number, cell in enumerate(cells, 1) if "headline" in cell.metadata.get("tags", [])]
    if slip:  # a sentence that is not on real figures, as somebody may add it
        code[headline[0]] += f"\ndisplay(tell({slip}))"
    kinds, steps = guess_kinds(), make_steps(*[("", "")] * len(code))
    shown = find_kinds(steps, code, release(**kinds))
    left = leave_out_unreal([steps[number] for number in headline], shown)
    kept = [number for number in headline if not any(steps[number] is one for one in left)]

    traced = trace_datasets(code)
    rests = {kind for number in kept for name in traced[number] for kind in kinds[name]}
    assert (rests == {"real"} and len(kept) < len(headline)) is not bool(slip)
    assert {"postcode_fuel_poverty", "area_fuel_poverty"} <= traced[headline[0]]
