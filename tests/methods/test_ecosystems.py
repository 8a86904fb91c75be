"""Ecosystems: who is a bridge, what depends on one alone, and how they are drawn."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from councilbook.errors import CatalogueError
from councilbook.methods.ecosystems import Ecosystem, measure_actors, read_ecosystem, tabulate_exchanges
from councilbook.pages.diagrams.ecosystems import draw_ecosystem

# a - hub - b, hub - desk - c: the hub joins all, the desk joins c alone
ACTORS = {name: {"title": name.title(), "roles": ["user"]} for name in ("a", "b", "c", "desk", "hub")}
PAIRS = [("a", "hub"), ("hub", "b"), ("hub", "desk"), ("desk", "c"), ("a", "hub")]


def make(pairs: list[tuple[str, str]] = PAIRS, **actors: dict[str, object]) -> Ecosystem:
    exchanges = [
        {
            "from": giver,
            "to": taker,
            "kind": "data",
            "what": f"{giver} for {taker}",
            "agreement": "A" * (giver == "hub"),
        }
        for giver, taker in pairs
    ]
    return Ecosystem.model_validate({"actors": ACTORS | actors, "exchanges": exchanges})


def test_the_bridge_comes_first_with_what_depends_on_it_alone() -> None:
    rows = measure_actors(make())
    assert rows["actor"].tolist() == ["hub", "desk", "a", "b", "c"]
    assert rows["bridge_pct"].round(1).tolist() == [83.3, 50.0, 0, 0, 0]  # of six pairs of others: five, and three
    assert rows["cut_off"].tolist() == [2, 1, 0, 0, 0]
    assert rows.loc[0, ["gives", "takes"]].tolist() == [2, 2]


def test_an_exchange_without_an_agreement_has_none_in_its_row() -> None:
    rows = tabulate_exchanges(make())
    assert rows["agreement"].isna().tolist() == [True, False, False, True, True]
    assert rows.loc[3, ["number", "giver", "taker", "what"]].tolist() == [4, "Desk", "C", "desk for c"]


def test_the_picture_names_all_and_says_how_many_lack_an_agreement() -> None:
    ecosystem = make()
    actors, exchanges = measure_actors(ecosystem), tabulate_exchanges(ecosystem)
    picture = draw_ecosystem(actors, exchanges, title="Who takes part")
    assert picture.alt.startswith("5 who take part and 5 arrows between them. In the middle: Hub. 83 of 100")
    assert "3 exchanges of data have no agreement" in picture.alt
    for name in actors["title"]:
        assert f">{name}<" in picture.svg and name in picture.narrow_svg
    assert picture.svg == draw_ecosystem(actors, exchanges, title="Who takes part").svg


def test_no_number_of_an_arrow_covers_a_name_or_another_number() -> None:
    ecosystem = read_ecosystem(Path(__file__).parents[2] / "notebooks" / "culture")
    actors, exchanges = measure_actors(ecosystem), tabulate_exchanges(ecosystem)
    svg = draw_ecosystem(actors, exchanges, title="Who takes part").svg
    found = re.findall(r'<text style="([^"]*)"[^>]*?([\d.]+) ([\d.]+)\)">([^<]*)</text>', svg)
    boxes = []
    for style, x, base, text in found:
        left = float(x) - 3.3 * len(text) * ("middle" in style)  # an arrow's number says where its middle is
        boxes.append((left, left + 6.6 * len(text), float(base), text))
    numbers = [box for box in boxes if box[3].isdigit()]
    assert len(numbers) == len(exchanges)
    for left, right, base, number in numbers:
        covered = [one for one in boxes if one[0] < right and left < one[1] and abs(base - one[2]) < 9]
        assert [one[3] for one in covered] == [number]


@pytest.mark.parametrize(
    ("pairs", "more", "fault"),
    [
        ([*PAIRS, ("a", "nobody")], {}, "nothing is called nobody"),
        (PAIRS, {"idle": {"title": "Idle", "roles": []}}, "gives and takes nothing: idle"),
        (PAIRS, {"a": {"title": "A", "roles": ["king"]}}, "roles"),
    ],
)
def test_a_name_of_nothing_and_an_idle_actor_are_refused(
    pairs: list[tuple[str, str]], more: dict[str, dict[str, object]], fault: str
) -> None:
    with pytest.raises(ValidationError, match=fault):
        make(pairs, **more)


def test_a_file_that_cannot_be_read_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"ecosystem.yaml"):
        read_ecosystem(tmp_path)
    (tmp_path / "ecosystem.yaml").write_text("actors: {a: {title: A, roles: []}}\nexchanges: []", encoding="utf-8")
    with pytest.raises(CatalogueError, match="exchanges"):
        read_ecosystem(tmp_path)
    (tmp_path / "ecosystem.yaml").write_text("actors: {}\nactors: {}\n", encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"ecosystem.yaml is no YAML.* actors stands here twice"):
        read_ecosystem(tmp_path)
