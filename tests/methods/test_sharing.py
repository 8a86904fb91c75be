"""Whole numbers that add up to what was shared out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from councilbook.errors import CheckError
from councilbook.methods.sharing import share_out


@given(st.data())
def test_shares_add_up_in_each_group_and_are_within_one(data: st.DataObject) -> None:
    groups = np.repeat(np.arange(3), data.draw(st.lists(st.integers(1, 6), min_size=3, max_size=3)))
    totals = np.array(data.draw(st.lists(st.integers(0, 1_000_000), min_size=3, max_size=3)))
    size = len(groups)
    weights = np.array(data.draw(st.lists(st.floats(0, 500), min_size=size, max_size=size)))
    weights[np.unique(groups, return_index=True)[1]] += 1
    mixed = np.array(data.draw(st.permutations(range(size))))
    shares = share_out(totals, weights[mixed], groups[mixed])
    assert np.bincount(groups[mixed], weights=shares).tolist() == totals.tolist()
    exact = totals[groups] * weights / np.bincount(groups, weights=weights)[groups]
    assert np.abs(shares - exact[mixed]).max() < 1 + 1e-6
    assert (shares >= 0).all()


def test_of_equal_remainders_the_first_parts_get_one_more() -> None:
    assert share_out(5, [1.0, 1.0, 1.0]).tolist() == [2, 2, 1]
    assert share_out([2, 0], [1.0, 1.0, 1.0, 0.0], [0, 0, 0, 1]).tolist() == [1, 1, 0, 0]


def test_what_has_nothing_to_be_shared_by_is_refused() -> None:
    with pytest.raises(CheckError, match="1 areas have households, but no count"):
        share_out([3, 3], [0.0, 1.0], [0, 1])
