"""The survey's reader, and shares with their error."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from councilbook.culture.people.barriers import list_barriers
from councilbook.culture.people.survey import FEWEST_SHOWN, Survey, estimate_shares, list_shares, read_survey
from councilbook.errors import CheckError, SourceError

ROWS = {
    "Y3GrossingWeight": ["998.5", "20", "0", "", "40"],  # a weight is no code
    "gor11cd": ["E12000007", "E12000003 ", "E12000007", "E12000007", "-8"],
    "lad23cd": ["-8"] * 5,
    "LAU121CD": ["E09000031", "E08000035", "", "", "x"],
    "AGEBAND": ["1", "13", "4", "4", "-2"],
    "NSSEC_5": ["1", "-3", "5", "1", "999"],
    "emdidc19": ["1", "10", "3", "3", "-3"],
    "CMUSVIS1_001": ["1", "0", "1", "1", "-4"],
    "CMUSVIS1_002": ["0", "0", "0", "0", "-4"],
    "CMUSVIS1_996": ["0", "0", "0", "0", "1"],
    "CARTS1_004": ["0", "1", "1", "1", "999"],
    "CNMUSWHYA_001": ["-3", "1", "-3", "-3", "0"],
    "CNMUSWHYA_003": ["-3", "0", "-3", "-3", "0"],
    "unknown": ["a", "b", "c", "d", "e"],
}


def write_tab(folder: Path, **changed: list[str]) -> Path:
    file = folder / "participation_2023-24.tab"
    file.write_bytes(pd.DataFrame(ROWS | changed).to_csv(sep="\t", index=False).encode("cp1252"))
    return file


def test_negative_codes_and_999_are_no_answers(tmp_path: Path) -> None:
    survey = read_survey(write_tab(tmp_path))
    people = survey.people
    assert people["weight"].tolist() == [998.5, 20, 40]
    assert people["museums"].tolist()[:2] == [1, 0] and np.isnan(people["museums"][2])
    assert people["cinema"].tolist()[:2] == [0, 1] and np.isnan(people["cinema"][2])
    assert people["class"].tolist() == ["managers and professionals", "students and others", "students and others"]
    assert people["age"].tolist()[:2] == ["16 to 29", "75 and over"] and pd.isna(people["age"][2])
    assert people["region"].tolist()[:2] == ["London", "Yorkshire and The Humber"] and pd.isna(people["region"][2])
    assert people["district"].tolist()[:2] == ["E09000031", "E08000035"] and pd.isna(people["district"][2])
    assert people["museums 001"].tolist()[1] == 1 and people["museums 003"].tolist()[1] == 0
    assert people["museums 001"].isna().tolist() == [True, False, True]
    assert survey.set_aside.set_index("what")["cells"]["Rows without a weight above 0"] == 2
    assert "arts" not in survey.outcomes  # one ticked kind of event is not all of them


def test_a_cell_that_is_no_number_is_named_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(CheckError, match=r"AGEBAND, row 3 of the data") as caught:
        read_survey(write_tab(tmp_path, AGEBAND=["1", "13", "Jo Smith", "4", "-2"]))
    assert "Smith" not in str(caught.value)


def test_a_file_without_weights_or_questions_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.tab"
    file.write_text("CARTS1_004\n1\n")
    with pytest.raises(CheckError, match="no weight"):
        read_survey(file)
    file.write_text("finalweight\n1\n")
    with pytest.raises(CheckError, match="taking part"):
        read_survey(file)
    file.write_text("<html>sign in</html>")
    with pytest.raises(SourceError, match="known variables"):
        read_survey(file)
    broken = tmp_path / "a.sav"
    broken.write_bytes(b"$FL2@(#) cut off")
    with pytest.raises(SourceError, match="SPSS"):
        read_survey(broken)


def test_codes_that_cannot_mean_what_is_declared_are_refused(tmp_path: Path) -> None:
    size = 2_000
    owners = np.where(np.arange(size) % 3 == 0, 1, 3)  # a third own, where two thirds should
    frame = pd.DataFrame({"finalweight": 1.0, "CARTS1_004": np.arange(size) % 2, "TENHARM": owners})
    file = tmp_path / "a.tab"
    frame.to_csv(file, sep="\t", index=False)
    with pytest.raises(CheckError, match="TENHARM: 33% would be owned"):
        read_survey(file)
    labels = {"TENHARM": {3.0: "Owner occupier", 1.0: "Private rented sector", 2.0: "Social rented sector"}}
    saved = tmp_path / "a.sav"
    pyreadstat.write_sav(frame.astype(float), str(saved), variable_value_labels=labels)
    assert read_survey(saved).people["tenure"].value_counts()["owned"] == 1_333  # the file's own labels win


def test_swapped_sexes_are_refused(tmp_path: Path) -> None:
    size = 1_500
    age = np.tile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 8, 9], size // 15)
    sex = np.where(age == 13, 1, np.arange(size) % 2 + 1)
    frame = pd.DataFrame({"finalweight": 1.0, "CARTS1_004": 1, "AGEBAND": age, "SEX": sex})
    file = tmp_path / "a.tab"
    frame.to_csv(file, sep="\t", index=False)
    with pytest.raises(CheckError, match="would be men"):
        read_survey(file)


def test_shares_are_weighted_and_small_groups_have_none() -> None:
    people = pd.DataFrame({"weight": [3.0] * 60 + [1.0] * 140, "yes": [1.0] * 60 + [0.0] * 140, "group": "a"})
    people.loc[:9, "group"] = "b"
    found = estimate_shares(people, ["yes"]).iloc[0]
    assert found["share_pct"] == pytest.approx(100 * 180 / 320)
    assert found["effective_answers"] == pytest.approx(320**2 / (9 * 60 + 140))
    assert found["low_pct"] < found["share_pct"] < found["high_pct"]
    by_group = estimate_shares(people, ["yes"], "group").set_index("group")
    assert by_group.loc["b", "answers"] == 10 and np.isnan(by_group.loc["b", "share_pct"])
    assert by_group.loc["a", "answers"] == 190 and by_group.loc["a", "share_pct"] == pytest.approx(100 * 150 / 290)


@given(st.lists(st.tuples(st.floats(0.1, 9), st.booleans()), min_size=FEWEST_SHOWN, max_size=90), st.floats(0.01, 1e4))
def test_the_unit_of_weights_changes_nothing(rows: list[tuple[float, bool]], unit: float) -> None:
    people = pd.DataFrame(rows, columns=["weight", "yes"]).astype(float)
    one = estimate_shares(people, ["yes"]).drop(columns=["answer", "group"])
    other = estimate_shares(people.assign(weight=people["weight"] * unit), ["yes"]).drop(columns=["answer", "group"])
    pd.testing.assert_frame_equal(one, other)
    assert one["effective_answers"][0] <= len(people) + 1e-9


def test_barriers_of_small_groups_are_withheld() -> None:
    size = 200
    people = pd.DataFrame({"weight": 1.0, "museums 001": np.arange(size) % 4 == 0, "age": "16 to 29"}).astype(
        {"museums 001": float}
    )
    people.loc[:20, "age"] = "75 and over"
    found = list_barriers(Survey(people, pd.DataFrame())).set_index(["grouping", "group"])
    assert found.loc[("everybody", "all"), "share_pct"] == 25
    hidden = found.loc[("age", "75 and over")]
    assert hidden["is_suppressed"] and np.isnan(hidden["share_pct"]) and hidden["answers"] == 21
    assert list_barriers(Survey(people[["weight"]], pd.DataFrame())).empty


def test_a_list_of_shares_names_deciles() -> None:
    people = pd.DataFrame({"weight": 1.0, "cinema": [0.0, 1.0] * 100, "imd_decile": [1.0, 1.0, 10.0, 1.0] * 50})
    found = list_shares(Survey(people, pd.DataFrame())).set_index("group")
    assert found.loc["decile 1", "share_pct"] == pytest.approx(200 / 3) and found.loc["all", "answers"] == 200
    assert bool(found.loc["decile 10", "is_suppressed"]) is False


@pytest.mark.parametrize(("labels", "fault"), [
    ({"SEX": {1.0: "Category A", 2.0: "Category B"}}, "SEX: none of its value labels.*Expected labels of: men, women"),
    ({"CARTS1_004": {0.0: "Yes", 1.0: "No"}}, "CARTS1_004: by its labels 1 would be no"),
])  # fmt: skip
def test_labels_that_mean_something_else_are_refused(tmp_path, labels, fault):
    file = tmp_path / "cut.sav"
    rows = pd.DataFrame({"finalweight": [1.0, 1.0], "CARTS1_004": [0.0, 1.0], "SEX": [1.0, 2.0]})
    pyreadstat.write_sav(rows, str(file), variable_value_labels=labels)
    with pytest.raises(CheckError, match=f"cut.sav, {fault}") as caught:
        read_survey(file)
    assert "Category" not in str(caught.value)


def test_labels_in_other_words_of_the_same_are_read(tmp_path):
    file = tmp_path / "cut.sav"
    rows = pd.DataFrame({"finalweight": [1.0, 1.0], "CARTS1_004": [0.0, 1.0], "SEX": [1.0, 2.0]})
    pyreadstat.write_sav(rows, str(file), variable_value_labels={"SEX": {1.0: "Woman", 2.0: "Man"}})
    assert read_survey(file).people["sex"].tolist() == ["women", "men"]
