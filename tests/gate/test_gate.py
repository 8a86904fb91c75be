"""The gate with each of its rules, and what is known beside a release."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pandas as pd
import pytest

from councilbook.catalogue import About, Catalogue, Council, Dataset, FoundFile, fill_in_defaults
from councilbook.errors import CheckError, PublishedBeforeError, ReleaseRefusedError
from councilbook.gate.decisions import Surroundings, pass_gate
from councilbook.gate.disclosure.registers import MONTH_OF_CHANGE, LastVersion
from councilbook.gate.disclosure.tables import cells, counts
from councilbook.gate.writing import Origin, release_dataset
from councilbook.gate.written.packages import read_audit, read_published

COUNCIL = Council(slug="north", name="North", codes={"E06000901": "North"})
TEXT = {"description": "A text"}
COUNT = {"type": "integer", "required": False, "description": "A count"}
NUMBER = {"type": "number", "required": False, "description": "A number"}
FLAG = {"type": "boolean", "description": "Whether something is withheld"}


def declare(catalogue: Catalogue, name: str, key: list[str], fields: Mapping[str, Any], /, **rule: Any) -> Dataset:
    return Dataset.model_validate(
        {
            "id": name,
            "title": "Something",
            "description": "Something",
            "classification": "open",
            "licence": "OGL-UK-3.0",
            "key": key,
            "fields": fields,
            "disclosure": fill_in_defaults(rule, catalogue.disclosure),
        }
    )


def find_clients(catalogue: Catalogue) -> list[FoundFile]:
    file = catalogue.workbook.root / "clients.csv"
    file.write_text("content", encoding="utf-8")
    return [FoundFile(catalogue.source("clients"), file, "closed folder")]


def pass_alone(catalogue: Catalogue, dataset: Dataset, frame: pd.DataFrame) -> Any:
    return pass_gate(dataset, frame, find_clients(catalogue), catalogue.disclosure)


def release(
    catalogue: Catalogue,
    dataset: Dataset,
    frame: pd.DataFrame,
    crosswalks: Any = None,
    last: LastVersion | None = None,
    *,
    used: list[FoundFile] | None = None,
) -> Any:
    origin = Origin("small", "2_closed", COUNCIL, "real", "2026-11-23", used or find_clients(catalogue))
    known = replace(catalogue, datasets={**catalogue.datasets, dataset.id: dataset, "by_zone": dataset})
    return release_dataset(dataset, frame, origin, known, catalogue.workbook.processed, crosswalks, last)


@pytest.fixture
def visits(catalogue: Catalogue) -> Dataset:
    """Visits by ward and age with totals of both."""
    fields = {"ward": TEXT, "age": TEXT, "visits": COUNT, "is_suppressed": FLAG, "is_partial": FLAG}
    totals = {"ward": "all", "age": "all"}
    return declare(catalogue, "visits", ["ward", "age"], fields, rule="counts", counts=["visits"], totals=totals)


def add_totals(cells: Mapping[tuple[str, str], int]) -> pd.DataFrame:
    frame = pd.DataFrame([(*names, visits) for names, visits in cells.items()], columns=["ward", "age", "visits"])
    parts = [frame, frame.assign(ward="all"), frame.assign(age="all"), frame.assign(ward="all", age="all")]
    return pd.concat(parts).groupby(["ward", "age"], sort=False, as_index=False)["visits"].sum()


GRID = {("A", "old"): 4, ("A", "young"): 60, ("B", "old"): 80, ("B", "young"): 90, ("C", "old"): 70, ("C", "young"): 30}


def test_a_small_count_leaves_with_others_so_that_no_total_gives_it_back(catalogue: Catalogue, visits: Dataset) -> None:
    passed = pass_alone(catalogue, visits, add_totals(GRID))
    frame = passed.frame.set_index(["ward", "age"])
    inside = frame.drop("all", level="ward").drop("all", level="age")
    hidden = inside.index[inside["visits"].isna()]
    assert ("A", "old") in hidden
    assert len(hidden) == 4
    assert passed.audit["cells_suppressed"] == int(frame["visits"].isna().sum())
    assert passed.audit["method"] == "optimal"
    assert passed.for_approver["primary"] == 1
    assert '"primary"' not in json.dumps(passed.audit)


def test_what_would_help_to_undo_a_suppression_stays_in_the_private_folder(
    catalogue: Catalogue, visits: Dataset
) -> None:
    folder = release(catalogue, visits, add_totals(GRID))
    private = catalogue.workbook.private / "reviews" / "small" / "north" / "real" / "visits.json"
    assert json.loads(private.read_text(encoding="utf-8"))["primary"] == 1
    assert all('"primary"' not in file.read_text(encoding="latin-1") for file in folder.iterdir() if file.is_file())


def test_the_next_version_hides_nothing_else_than_the_one_before_it(catalogue: Catalogue, visits: Dataset) -> None:
    folder = release(catalogue, visits, add_totals(GRID))
    first = read_published(folder, visits)
    grown = GRID | {("D", "old"): 200, ("D", "young"): 5}  # one more small count, and other cells to hide it behind
    second = read_published(release(catalogue, visits, add_totals(grown)), visits)
    both = first.merge(second, on=["ward", "age"], suffixes=("_first", "_second"))
    inside = both[(both["ward"] != "all") & (both["age"] != "all")]
    assert not (inside["visits_first"].notna() & inside["visits_second"].isna() & (inside["ward"] != "D")).any()
    assert [file.name for file in (folder / "earlier").iterdir()] == ["1.0.0.csv"]


def change_released(folder: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Put another table in the place of a released one, as an older library may have written it."""
    file = next(folder.glob("*.csv"))
    change(pd.read_csv(file, dtype=str, keep_default_na=False)).to_csv(file, index=False)


@pytest.mark.parametrize("lacking", ["is_partial", "is_suppressed", "visits", "age"])
def test_a_version_with_fewer_fields_is_read_as_far_as_it_goes(
    catalogue: Catalogue, visits: Dataset, lacking: str
) -> None:
    folder = release(catalogue, visits, add_totals(GRID))
    marked = (folder / "visits.csv").read_bytes()
    change_released(folder, lambda text: text.drop(columns=lacking))
    assert lacking not in read_published(folder, visits)
    release(catalogue, visits, add_totals(GRID))
    assert (folder / "visits.csv").read_bytes() == marked


def test_a_version_that_cannot_be_read_says_what_to_do_and_shows_no_value(
    catalogue: Catalogue, visits: Dataset
) -> None:
    folder = release(catalogue, visits, add_totals(GRID))
    change_released(folder, lambda text: text.assign(visits="Quackenzilde"))
    with pytest.raises(
        CheckError, match=r"visits: visits is not integer .* earlier version .* Move its folder"
    ) as caught:
        release(catalogue, visits, add_totals(GRID))
    assert "Quack" not in str(caught.value)


def test_a_table_is_read_once_and_each_earlier_version_is_laid_beside_it_once(
    catalogue: Catalogue, visits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    grids = [GRID, GRID | {("D", "old"): 200}, GRID | {("D", "old"): 200, ("D", "young"): 55}]
    *earlier, frame = [add_totals(grid) for grid in grids]
    around = Surroundings(earlier=[pass_alone(catalogue, visits, one).frame for one in earlier])
    read, aligned = Mock(wraps=cells.find_totals), Mock(wraps=counts.align_rows)
    monkeypatch.setattr(cells, "find_totals", read)
    monkeypatch.setattr(counts, "align_rows", aligned)
    pass_gate(visits, frame, [], catalogue.disclosure, around)
    assert sorted(len(call.args[0]) for call in read.call_args_list) == [len(one) for one in (*earlier, frame)]
    beside = [call.args[0] for call in aligned.call_args_list if len(call.args[1]) == len(frame)]
    assert [id(one) for one in beside] == [id(one) for one in around.earlier]


def test_a_small_count_that_what_was_shown_before_gives_away_is_refused(catalogue: Catalogue) -> None:
    fields = {"ward": TEXT, "visits": COUNT, "is_suppressed": FLAG}
    rule = {"totals": {"ward": "all"}, "published_totals": "rounded", "because": "The true totals are wanted."}
    dataset = declare(catalogue, "visits", ["ward"], fields, rule="counts", counts=["visits"], **rule)
    shown = pd.DataFrame({"ward": ["A", "B", "all"], "visits": [30, 24, 54]})
    folder = release(catalogue, dataset, shown)
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    apart = pd.DataFrame({"ward": ["A", "B", "C", "all"], "visits": [30, 24, 4, 58]})
    hidden = pass_gate(dataset, apart, [], catalogue.disclosure).frame
    assert hidden["visits"].isna().sum() == 2
    with pytest.raises(PublishedBeforeError, match=r"Dataset visits was not released.*Nothing was written"):
        release(catalogue, dataset, apart.assign(visits=[30, 23, 4, 57]))
    assert {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()} == before


def test_the_same_count_on_other_areas_is_refused_if_the_difference_is_small(catalogue: Catalogue) -> None:
    fields = {"zone": TEXT, "homes": COUNT, "is_suppressed": FLAG}
    exact = {"round_to": 1, "because": "So that the difference is not hidden by rounding."}
    by_zone = declare(catalogue, "by_zone", ["zone"], fields, rule="counts", counts=["homes"], **exact)
    release(catalogue, by_zone, pd.DataFrame({"zone": ["Z"], "homes": [104]}))
    fields = {"ward": TEXT, "homes": COUNT, "is_suppressed": FLAG}
    link = {"dataset": "by_zone", "count": "homes", "area": "ward", "other_area": "zone"}
    by_ward = declare(catalogue, "by_ward", ["ward"], fields, rule="counts", counts=["homes"], linked=[link], **exact)
    known = replace(catalogue, datasets={**catalogue.datasets, "by_zone": by_zone})
    origin = Origin("small", "2_closed", COUNCIL, "real", "2026-11-23", find_clients(catalogue))
    wards = pd.DataFrame({"ward": ["W"], "homes": [101]})
    crosswalk = pd.DataFrame({"area": ["W", "V"], "other_area": ["Z", "Z"]})
    wards_and_rest = pd.DataFrame({"ward": ["W", "V"], "homes": [101, 3]})
    processed = catalogue.workbook.processed
    with pytest.raises(PublishedBeforeError, match="was given no crosswalk"):
        release_dataset(by_ward, wards, origin, known, processed)
    with pytest.raises(ReleaseRefusedError, match="2 small counts could be worked out from it and by_zone"):
        release_dataset(by_ward, wards_and_rest, origin, known, processed, {"by_zone": crosswalk})
    apart = pd.DataFrame({"area": ["W"], "other_area": ["Y"]})
    assert release_dataset(by_ward, wards, origin, known, processed, {"by_zone": apart}).is_dir()


def test_sums_that_one_business_dominates_are_hidden_and_its_part_is_not_released(catalogue: Catalogue) -> None:
    fields = {"ward": TEXT, "value_gbp": NUMBER, "payers": COUNT, "is_suppressed": FLAG}
    inputs = {"value": "value_gbp", "contributors": "payers", "largest": ["first", "second"]}
    dataset = declare(catalogue, "sums", ["ward"], fields, rule="magnitudes", **inputs)
    frame = pd.DataFrame(
        {"ward": ["A", "B"], "value_gbp": [900.0, 1000.0], "payers": [14, 20], "first": [850, 90], "second": [10, 80]}
    )
    passed = pass_alone(catalogue, dataset, frame)
    assert list(passed.frame) == ["ward", "value_gbp", "payers", "is_suppressed"]
    assert passed.frame["value_gbp"].isna().tolist() == [True, False]
    with pytest.raises(CheckError, match="Dataset sums: its disclosure rule needs a column first, second"):
        pass_alone(catalogue, dataset, frame.drop(columns=["first", "second"]))


def test_records_leave_only_when_nobody_stands_out(catalogue: Catalogue) -> None:
    fields = {"number": TEXT, "age": TEXT | {"required": False}, "sex": TEXT | {"required": False}, "need": TEXT}
    rule = {"quasi_identifiers": {"age": {"bands": [10, 50]}, "sex": {}}, "sensitive": ["need"], "harmless": ["number"]}
    dataset = declare(catalogue, "records", ["number"], fields, rule="records", **rule, most_suppressed_pct=5)
    frame = pd.DataFrame({"number": [f"R{n}" for n in range(200)], "age": [20 + n % 40 for n in range(200)]})
    frame = frame.assign(sex=["f", "m"] * 100, need=["gas", "food", "heat", "care", "work"] * 40)
    passed = pass_alone(catalogue, dataset, frame)
    assert passed.frame.groupby(["age", "sex"], dropna=False).size().min() >= 10
    assert passed.audit["risk_after"]["k"] >= 10
    assert passed.audit["cells"] == 400
    assert "risk_before" in passed.for_approver
    assert "risk_before" not in passed.audit
    assert passed.frame["age"].tolist() == sorted(passed.frame["age"])
    with pytest.raises(ReleaseRefusedError, match="Dataset records was not released"):
        pass_alone(catalogue, dataset, frame.head(8))
    for lacking in ("number", "sex", "need"):
        older = Surroundings(earlier=[passed.frame.drop(columns=lacking)])
        again = pass_gate(dataset, frame, [], catalogue.disclosure, older).frame
        pd.testing.assert_frame_equal(again, passed.frame)


@pytest.fixture
def shops(catalogue: Catalogue) -> Dataset:
    """A register of shops."""
    optional = TEXT | {"required": False}
    fields = {"shop": TEXT, "address": optional, "payer": optional, "relief": optional, "is_suppressed": FLAG}
    rule = {"public": ["shop", "address"], "name": "payer", "telling": ["relief"]}
    inside = {"is_organisation": "is_organisation", "name_inside": "inside", "law": "Anybody may see what a shop is."}
    return declare(catalogue, "shops", ["shop"], fields, rule="register", approver="The solicitor", **rule, **inside)


def list_shops(*rows: tuple[str, str, bool]) -> pd.DataFrame:
    """Lay out shops for the gate: address, who pays, and whether that is an organisation."""
    frame = pd.DataFrame(rows, columns=["address", "inside", "is_organisation"])
    return frame.assign(shop=[f"S{n}" for n in range(len(frame))], payer=frame["inside"], relief="50%")


def test_a_register_that_gives_somebody_away_beside_its_last_version_is_refused(
    catalogue: Catalogue, shops: Dataset
) -> None:
    before = list_shops(("Ada Byron, 1 High Street", "Ada Byron", False), ("2 High Street", "Bread Ltd", True))
    after = list_shops(("Ada Byron, 1 High Street", "Cake PLC", True), ("2 High Street", "Li Na Wong", False))
    last = LastVersion(before, "2026-10-23", pd.Series(["Ada Byron", "Li Na Wong"]))
    release(catalogue, shops, before)
    with pytest.raises(ReleaseRefusedError, match=r"withheld name stands in a text \(1 rows\)\. Nothing was written"):
        release(catalogue, shops, after, last=last)
    clean = after.assign(address=["1 High Street", "2 High Street"])
    folder = release(catalogue, shops, clean, last=last)
    assert read_published(folder, shops)["payer"].fillna("").tolist() == ["Cake PLC", ""]
    private = catalogue.workbook.private / "reviews" / "small" / "north" / "real" / "shops.json"
    told = json.loads(private.read_text(encoding="utf-8"))
    assert told["last_version"] == "2026-10-23"
    assert told["beside_last_version"] == [{"leak": MONTH_OF_CHANGE, "version": "both", "rows": 1}]
    assert MONTH_OF_CHANGE not in json.dumps(read_audit(folder))
    release(catalogue, shops, clean, last=replace(last, frame=before.drop(columns=["address", "relief"])))
    for lacking in ("shop", "inside", "is_organisation"):
        older = replace(last, frame=before.drop(columns=lacking))
        with pytest.raises(ReleaseRefusedError, match=f"its last version has no {lacking}. An earlier version of the"):
            release(catalogue, shops, clean, last=older)


@pytest.mark.parametrize("runs_between", [1, 2])
def test_a_run_on_stand_ins_in_between_does_not_let_a_small_count_out_by_subtraction(
    catalogue: Catalogue, runs_between: int
) -> None:
    fields = {"ward": TEXT, "visits": COUNT, "is_suppressed": FLAG}
    rule = {"totals": {"ward": "all"}, "published_totals": "rounded", "because": "The true totals are wanted."}
    dataset = declare(catalogue, "visits", ["ward"], fields, rule="counts", counts=["visits"], **rule)
    folder = release(catalogue, dataset, pd.DataFrame({"ward": ["A", "B", "all"], "visits": [30, 24, 54]}))
    own = (folder / "visits.csv").read_bytes()
    made = [replace(one, origin="twin") for one in find_clients(catalogue)]
    for number in range(runs_between):
        invented = pd.DataFrame({"ward": ["A", "B", "all"], "visits": [80, 70 + 20 * number, 150 + 20 * number]})
        release(catalogue, dataset, invented, used=made)
        assert (folder / "earlier" / "own" / "1.0.0.csv").read_bytes() == own
    apart = pd.DataFrame({"ward": ["A", "B", "C", "all"], "visits": [30, 23, 4, 57]})
    with pytest.raises(ReleaseRefusedError, match="Too much of the table has been published before"):
        release(catalogue, dataset, apart)
    release(catalogue, dataset, pd.DataFrame({"ward": ["A", "B", "all"], "visits": [30, 24, 54]}))
    assert len(list((folder / "earlier" / "invented").glob("*.csv"))) == runs_between
    assert (folder / "earlier" / "1.0.0.csv").read_bytes() == own


def test_a_model_of_too_few_records_is_refused(catalogue: Catalogue) -> None:
    fields = {"term": TEXT, "odds": NUMBER, "records": COUNT, "freedom": COUNT, "smallest": COUNT}
    names = {"observations": "records", "degrees_of_freedom": "freedom", "group_size": "smallest", "numbers": ["odds"]}
    dataset = declare(catalogue, "odds", ["term"], fields, rule="model", **names)
    frame = pd.DataFrame({"term": ["rented"], "odds": [1.2], "records": [400], "freedom": [390], "smallest": [80]})
    assert pass_alone(catalogue, dataset, frame).frame.equals(frame)
    with pytest.raises(ReleaseRefusedError, match="about fewer than 10 records") as refused:
        pass_alone(catalogue, dataset, frame.assign(smallest=9))
    assert not isinstance(refused.value, PublishedBeforeError)


def test_a_parameter_that_a_dataset_sets_itself_gives_its_own_reason(catalogue: Catalogue) -> None:
    fields = {"ward": TEXT, "visits": COUNT, "is_suppressed": FLAG}
    own = {"threshold": 5, "round_to": 5, "because": "The regulator publishes from five."}
    dataset = declare(catalogue, "visits", ["ward"], fields, rule="counts", counts=["visits"], **own)
    folder = release(catalogue, dataset, pd.DataFrame({"ward": ["A", "B"], "visits": [4, 7]}))
    audit = read_audit(folder)
    assert audit["reasons"]["threshold"] == "The regulator publishes from five."
    assert audit["reasons"]["round_to"] == catalogue.disclosure["round_to"].reason
    assert read_published(folder, dataset)["visits"].tolist() == [pd.NA, 5]


def declare_sums(catalogue: Catalogue) -> Dataset:
    fields = {"line": TEXT, "pounds": NUMBER, "bills": COUNT, "is_suppressed": FLAG}
    rule = {"value": "pounds", "contributors": "bills", "largest": ["first", "second"], "unsafe": "round"}
    moves = ["moved", "first_move", "second_move", "all_moves"]
    return declare(catalogue, "sums", ["line"], fields, rule="magnitudes", rest=["rest", "others"], moves=moves, **rule)


def lay_out_sum(others: list[float], moved: list[float]) -> pd.DataFrame:
    first, second = sorted(others, reverse=True)[:2]
    first_move, second_move = [*sorted(moved, reverse=True), 0.0, 0.0][:2]
    row = {"line": "relief", "pounds": 5_000 + sum(others), "bills": 30 + len(others), "rest": sum(others)}
    row |= {"others": len(others), "first": first, "second": second, "moved": len(moved), "all_moves": sum(moved)}
    return pd.DataFrame([row | {"first_move": first_move, "second_move": second_move}])


def test_a_sum_that_changed_by_one_relief_since_last_month_is_refused(catalogue: Catalogue) -> None:
    sums, others = declare_sums(catalogue), [100.0 + number for number in range(20)]
    folder = release(catalogue, sums, lay_out_sum(others, []))
    assert read_published(folder, sums)["pounds"].tolist() == [7_190]
    with pytest.raises(ReleaseRefusedError, match="fewer than 10 contributions"):
        release(catalogue, sums, lay_out_sum(others[1:], [100.0]))
    older = Surroundings(earlier=[read_published(folder, sums).drop(columns="pounds")])
    with pytest.raises(ReleaseRefusedError, match="1 sums changed since the last release"):
        pass_gate(sums, lay_out_sum(others[1:], [100.0]), [], catalogue.disclosure, older)
    release(catalogue, sums, lay_out_sum(others, []))  # held as it was
    eleven = [50.0 + number for number in range(11)]
    release(catalogue, sums, lay_out_sum([*others, *eleven], eleven))
    assert read_published(folder, sums)["pounds"].tolist() == [7_795]


def test_a_run_on_stand_ins_in_between_does_not_let_one_relief_out_by_subtraction(catalogue: Catalogue) -> None:
    sums, others = declare_sums(catalogue), [100.0 + number for number in range(20)]
    release(catalogue, sums, lay_out_sum(others, []))
    made = [replace(one, origin="twin") for one in find_clients(catalogue)]
    release(catalogue, sums, lay_out_sum([300.0 + number for number in range(20)], []), used=made)
    with pytest.raises(ReleaseRefusedError, match="fewer than 10 contributions"):
        release(catalogue, sums, lay_out_sum(others[1:], [100.0]))
    release(catalogue, sums, lay_out_sum(others, []))


def test_a_release_is_held_against_what_lies_published_about_the_same_records(catalogue: Catalogue) -> None:
    about = {"records": "clients", "counts": {"ill": {"health": "ill"}}}
    fields = {"ward": TEXT, "people": COUNT, "ill": COUNT, "is_suppressed": FLAG, "is_partial": FLAG}
    rule = {"counts": ["people", "ill"], "public": ["people"], "totals": {"ward": "all"}}
    by_ward = declare(catalogue, "by_ward", ["ward"], fields, rule="counts", **rule)
    by_ward = by_ward.model_copy(update={"about": About.model_validate(about)})
    fields = {"number": COUNT, "ward": {**TEXT, "required": False}, "health": TEXT}
    rule = {"quasi_identifiers": {"ward": {}}, "sensitive": ["health"], "harmless": ["number"], "t": 1}
    records = declare(
        catalogue, "rows", ["number"], fields, rule="records", because="A trial of the gate alone", **rule
    )
    records = records.model_copy(update={"about": About(records="clients")})
    ill, well = {"A": 6, "B": 30, "C": 25}, {"A": 34, "B": 30, "C": 45}
    counts = pd.DataFrame({"ward": list(ill), "people": [40, 60, 70], "ill": list(ill.values())})
    counts = pd.concat([counts, pd.DataFrame({"ward": ["all"], "people": [170], "ill": [61]})], ignore_index=True)
    rows = [(ward, what) for ward in ill for what, of in (("ill", ill), ("well", well)) for _ in range(of[ward])]
    people = pd.DataFrame(rows, columns=["ward", "health"]).assign(number=range(170))
    alone = read_published(release(catalogue, records, people), records)
    assert alone["ward"].notna().all()
    known = replace(catalogue, datasets={**catalogue.datasets, "by_ward": by_ward, "rows": records})
    folder = release(known, by_ward, counts)
    assert read_published(folder, by_ward)["ill"].isna().sum() == 2  # and not the total
    assert read_published(release(known, records, people), records)["ward"].isna().all()
    change_released(folder, lambda text: text.drop(columns=["ill", "ward"]))
    with pytest.raises(
        ReleaseRefusedError, match=r"by_ward, which is published .*, has no ill, ward. An earlier version"
    ):
        release(known, records, people)
    few = people.assign(health=people["health"].mask(people["ward"] != "A", "well"))  # of all, so no level hides it
    shutil.rmtree(catalogue.workbook.processed)
    release(known, by_ward, counts.assign(ill=[6, 0, 0, 6]))
    assert len(read_published(release(known, records, few), records)) == 0
