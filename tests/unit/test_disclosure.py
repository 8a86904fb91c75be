"""Disclosure control: what a reader of the suppressed table can and cannot see."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from councilbook.disclosure import round_counts, suppress_small_counts

COUNTS = st.one_of(st.none(), st.integers(0, 40), st.integers(0, 10**9))


@given(
    st.lists(st.tuples(COUNTS, COUNTS), max_size=20),
    st.integers(1, 25),
    st.integers(1, 15),
    st.sampled_from(["Int64", "float64"]),
)
def test_no_small_count_and_nothing_derived_from_one_is_published(
    rows: list[tuple[int | None, int | None]], threshold: int, round_to: int, dtype: str
) -> None:
    frame = pd.DataFrame(rows, columns=["old", "young"]).astype(dtype)
    frame = frame.assign(code=[f"E{number}" for number in range(len(rows))], old_pct=12.5)
    shares = {"old_pct": ("old", "young")}
    before = frame.copy(deep=True)

    safe = suppress_small_counts(frame, ["old", "young"], shares, threshold=threshold, round_to=round_to)

    pd.testing.assert_frame_equal(frame, before)
    gone = safe.frame["is_suppressed"]
    for column in ("old", "young"):
        shown = safe.frame[column].dropna()
        assert not shown.between(1, threshold - 1).any()
        assert (shown % round_to == 0).all()
        assert (shown[before[column] == 0] == 0).all()
        assert not (shown[before[column] > 0] == 0).any()
        assert (abs(shown - before.loc[shown.index, column]) <= round_to / 2).all()
        assert safe.frame.loc[gone, column].isna().all()
        assert (safe.frame.loc[~gone, column].isna() == before.loc[~gone, column].isna()).all()
    shown = safe.frame.dropna(subset=["old", "young"])
    shown = shown[shown["young"] > 0]
    expected = (100 * shown["old"] / shown["young"]).astype("float64").round(1)
    assert (safe.frame.loc[shown.index, "old_pct"].astype("float64") == expected).all()
    assert safe.frame["old_pct"].drop(shown.index).isna().all()
    assert safe.frame["code"].equals(before["code"])
    assert safe.rows_suppressed == gone.sum()
    assert safe.cells_suppressed == 3 * gone.sum()
    small = before[["old", "young"]].gt(0) & before[["old", "young"]].lt(threshold)
    assert gone[small.any(axis="columns").astype("bool")].all()
    if threshold % round_to == 0:  # then rounding takes no other count below the threshold
        assert gone.sum() == small.any(axis="columns").sum()


def test_a_row_loses_all_its_counts_with_one_and_zero_stays() -> None:
    frame = pd.DataFrame({"old": [0, 9, 10, 12, 13], "young": [0, 40, 0, 47, 48]})
    safe = suppress_small_counts(frame, ["old", "young"], {}, threshold=10, round_to=5).frame
    assert safe["old"].tolist() == [0, pd.NA, 10, 10, 15]
    assert safe["young"].tolist() == [0, pd.NA, 0, 45, 50]
    assert safe["is_suppressed"].tolist() == [False, True, False, False, False]


def test_a_count_that_rounding_would_take_below_the_threshold_is_suppressed() -> None:
    frame = pd.DataFrame({"old": [11, 12, 13, 4]})
    to_fives = suppress_small_counts(frame, ["old"], {}, threshold=11, round_to=5).frame
    to_tens = suppress_small_counts(frame, ["old"], {}, threshold=3, round_to=10).frame
    assert to_fives["old"].tolist() == [pd.NA, pd.NA, 15, pd.NA]
    assert to_tens["old"].tolist() == [10, 10, 10, pd.NA]


def test_halves_round_to_the_even_multiple() -> None:
    assert round_counts(pd.Series([5, 15, 25, 35]), 10).tolist() == [0, 20, 20, 40]
