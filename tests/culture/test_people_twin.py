"""The twins of the survey and of what is known of people: the publisher's layout, its faults, the same bytes again."""

import numpy as np
import pytest

from councilbook.catalogue import TwinRequest, load_catalogue
from councilbook.culture.people.poststratify import fit_model
from councilbook.culture.people.survey import estimate_shares, read_survey
from councilbook.culture.twin import people as twin
from councilbook.paths import find_workbook

REAL_VARIABLES = {"Y3GrossingWeight", "gor11cd", "AGEBAND", "TENHARM", "NSSEC_5", "emdidc19", "CNMUSWHYA_998"}


@pytest.fixture(scope="module")
def request_():
    return TwinRequest(load_catalogue(find_workbook()).council("waltham_forest"), 3, "sample", lambda _: None)


def test_the_survey_is_read_and_what_was_put_in_is_found(request_, tmp_path):
    content = twin.participation_survey(None, request_)
    assert content == twin.participation_survey(None, request_)
    file = tmp_path / "participation_2023-24_annual_data_open.tab"
    file.write_bytes(content)
    assert set(content.decode("cp1252").partition("\n")[0].split("\t")) >= REAL_VARIABLES
    survey = read_survey(file)
    assert {"arts", "museums", "libraries", "heritage", "cinema"} == set(survey.outcomes)
    assert survey.set_aside["cells"].iloc[1:3].min() > 0 and "district" not in survey.people
    model = fit_model(survey.people, "heritage", ["age", "tenure", "class"], ["imd_decile"])
    place = {name: 2 + number for number, name in enumerate(model.levels["age"])}
    found = model.mean[place["75 and over"]] - model.mean[place["45 to 59"]]
    assert found == pytest.approx(twin.TASTES["age"]["75 and over"], abs=0.25)


def test_the_cut_in_spss_is_of_the_same_people(request_, tmp_path):
    content = twin.participation_survey_cut(None, request_)
    assert content == twin.participation_survey_cut(None, request_)
    cut, whole = tmp_path / "cut.sav", tmp_path / "whole.tab"
    cut.write_bytes(content)
    whole.write_bytes(twin.participation_survey(None, request_))
    shares = [estimate_shares(read_survey(file).people, ["cinema"])["share_pct"][0] for file in (cut, whole)]
    assert np.isclose(*shares, atol=1e-6)
