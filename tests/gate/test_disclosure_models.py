"""Disclosure control of models: which coefficients may leave."""

import pandas as pd
import pytest

from councilbook.catalogue import ModelRule
from councilbook.errors import ReleaseRefusedError
from councilbook.gate.disclosure.coefficients import check_model

RULE = ModelRule(
    rule="model",
    approver="Somebody",
    observations="households",
    degrees_of_freedom="degrees_of_freedom",
    group_size="smallest_group",
    numbers=["coefficient"],
    threshold=10,
    least_degrees_of_freedom=10,
)


def make_model(**columns: object) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "term": ["intercept", "age", "tenure: owner"],
            "coefficient": [0.1, 0.2, 0.3],
            "households": 120,
            "degrees_of_freedom": 117,
            "smallest_group": [120, None, 10],
        }
        | columns
    )


def test_a_model_far_from_saturated_passes_unchanged_and_is_recorded() -> None:
    model = make_model()
    before = model.copy(deep=True)
    assert check_model(model, RULE) == {
        "checked": {"coefficients": 3, "fewest_degrees_of_freedom": 117, "smallest_group": 10}
    }
    pd.testing.assert_frame_equal(model, before)
    assert check_model(model[:0], RULE)["checked"]["coefficients"] == 0


@pytest.mark.parametrize(
    ("columns", "fault"),
    [
        ({"degrees_of_freedom": [117, 9, 9]}, "2 of 3 coefficients are of a model with fewer than 10 residual degrees"),
        ({"degrees_of_freedom": [117, 2, 117]}, "1 of 3 coefficients are of a model with fewer than 10 residual"),
        ({"degrees_of_freedom": 1}, "3 of 3 coefficients are of a saturated model"),
        ({"degrees_of_freedom": 0}, "3 of 3 coefficients are of a saturated model"),
        ({"smallest_group": [120, None, 9]}, "1 of 3 coefficients are about fewer than 10 records. Join levels"),
        ({"smallest_group": [120, None, 111]}, "1 of 3 coefficients are about all but fewer than 10 records. Join"),
        ({"smallest_group": [120, None, 0]}, "1 of 3 coefficients are about fewer than 10 records"),
        ({"smallest_group": [120, None, 121]}, "1 of 3 coefficients name a group, .* that households cannot have"),
        ({"degrees_of_freedom": 120}, "3 of 3 coefficients name a group, .* that households cannot have"),
        ({"households": [120, None, 120]}, "1 of 3 coefficients do not say how many observations"),
        ({"degrees_of_freedom": [117, 117, None]}, "1 of 3 coefficients do not say how many observations"),
        ({"households": [120, 9, 120], "degrees_of_freedom": [117, 5, 117]}, "1 of 3 coefficients are about fewer"),
    ],
)
def test_a_model_that_could_give_records_back_is_refused(columns: dict[str, object], fault: str) -> None:
    with pytest.raises(ReleaseRefusedError, match=fault) as refused:
        check_model(make_model(**columns), RULE)
    assert "owner" not in str(refused.value)


def test_all_faults_are_told_at_once() -> None:
    model = make_model(degrees_of_freedom=5, smallest_group=[120, None, 3])
    with pytest.raises(ReleaseRefusedError, match=r"residual degrees of freedom.* fewer than 10 records"):
        check_model(model, RULE)


@pytest.mark.parametrize("threshold", [10, 11])
def test_the_limit_itself_passes(threshold: int) -> None:
    rule = RULE.model_copy(update={"threshold": threshold})
    model = make_model(smallest_group=[120, None, threshold], degrees_of_freedom=10)
    assert check_model(model, rule)["checked"]["smallest_group"] == threshold
    rest = make_model(smallest_group=[120, None, 120 - threshold])
    assert check_model(rest, rule)["checked"]["smallest_group"] == 120 - threshold
