"""Service ideas: the file as declared, ranks that say how sure they are, and what waits for closed sources."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from councilbook.catalogue import load_catalogue
from councilbook.culture.ideas import ranking, statements
from councilbook.errors import CatalogueError, CheckError
from councilbook.paths import find_workbook


def make_ideas(votes: dict[str, list[int | None]], **needs: list[str]) -> ranking.Ideas:
    voters = {f"voter_{number}": "Somebody" for number in range(len(next(iter(votes.values()))))}
    graded = {"what": "It.", "theme": "wifi", "effort": 1, "reach": 2, "evidence": 3}
    ideas = {
        name: {"title": name.title(), "votes": given, "needs": needs.get(name, []), **graded}
        for name, given in votes.items()
    }
    return ranking.Ideas.model_validate({"voters": voters, "ideas": ideas})


def test_the_thirty_ideas_are_as_declared_and_each_has_a_theme_and_every_vote():
    ideas = ranking.read_ideas(load_catalogue(find_workbook()))
    assert len(ideas.ideas) == 30
    assert len({idea.title for idea in ideas.ideas.values()}) == 30
    assert {idea.theme for idea in ideas.ideas.values()} == {"wifi", "profiles", "libraries", "events", "ways there"}
    assert np.isfinite(ideas.votes).all()


def test_a_voter_who_gives_high_marks_counts_no_more_than_another():
    mild = make_ideas({"a": [5, 2, 2], "b": [4, 3, 3]})  # one voter for a, two for b
    ranked = ranking.rank_ideas(mild, 7).set_index("idea")
    assert ranked["support_pct"].round(1).to_dict() == {"a": 33.3, "b": 66.7}
    assert ranked["rank"].to_dict() == {"a": 2, "b": 1}


def test_support_is_the_share_of_other_ideas_below_with_ties_as_half():
    ranked = ranking.rank_ideas(make_ideas({"a": [5] * 3, "b": [3] * 3, "c": [3] * 3, "d": [1] * 3}), 7)
    assert ranked.set_index("idea")["support_pct"].round(1).to_dict() == {"a": 100, "b": 50, "c": 50, "d": 0}
    assert ranked["rank"].tolist() == [1, 2, 2, 4]


def test_what_all_agree_on_has_a_sure_rank_and_what_they_do_not_has_none():
    votes = {
        "top": [5] * 7,
        "split": [4, 1, 4, 1, 4, 1, 4],
        "other": [2, 3, 2, 3, 2, 3, 2],
        "last": [1, 1, 1, 1, 1, 1, 1],
    }
    ranked = ranking.rank_ideas(make_ideas(votes), 7).set_index("idea")
    assert ranked.loc["top", ["rank_low", "rank_high"]].tolist() == [1, 1]
    assert ranked.loc["split", "rank_low"] == 2
    assert ranked.loc["split", "rank_high"] >= 3
    assert (ranked["rank_low"] <= ranked["rank"]).all()
    assert (ranked["rank"] <= ranked["rank_high"]).all()


def test_an_interval_says_less_the_more_voters_there_are():
    few, many = ([5, 4, 1, 5] * times for times in (1, 8))
    widths = []
    for votes in (few, many):
        ranked = ranking.rank_ideas(
            make_ideas({"a": votes, "b": [3] * len(votes), "c": [4, 2, 2, 2] * (len(votes) // 4)}), 7
        )
        widths.append(int((ranked["rank_high"] - ranked["rank_low"]).sum()))
    assert widths[0] > widths[1]


def test_who_did_not_vote_on_an_idea_says_nothing_of_it():
    ranked = ranking.rank_ideas(make_ideas({"a": [5, None, None], "b": [1, 2, 2], "c": [2, 5, 4]}), 7).set_index("idea")
    assert ranked["voters"].to_dict() == {"a": 1, "b": 3, "c": 3}
    assert ranked.loc["a", "support_pct"] == 100
    assert ranked.notna().all(axis=None)


def test_the_same_seed_gives_the_same_intervals():
    ideas = make_ideas({"a": [5, 4, 1, 3], "b": [3, 3, 3, 4], "c": [2, 5, 2, 1]})
    pd.testing.assert_frame_equal(ranking.rank_ideas(ideas, 3), ranking.rank_ideas(ideas, 3))


@pytest.mark.parametrize(
    ("votes", "fault"),
    [
        ({"a": [5, 1, 2], "b": [1, 2]}, "idea b has 2 votes, and there are 3 voters"),
        ({"a": [5, 1], "b": [1, 2]}, "needs three voters or more"),
        ({"a": [5, 1, 6], "b": [1, 2, 3]}, "less than or equal to 5"),
        ({"a": [5, 1, None], "b": [1, 2, 3]}, "voter voter_2 voted on fewer than two ideas"),
    ],
)
def test_votes_that_say_no_order_are_refused(votes, fault):
    with pytest.raises(ValidationError, match=fault):
        make_ideas(votes)


def test_a_source_that_is_not_in_the_catalogue_is_refused(monkeypatch):
    def expand(names: list[str]) -> None:
        if names:
            raise CatalogueError(f"No source {names[0]!r}.")

    ideas = make_ideas({"a": [1, 2, 3], "b": [3, 2, 1]}, b=["wifi"])
    monkeypatch.setattr(ranking.Ideas, "read_file", lambda _: ideas)
    with pytest.raises(CheckError, match=r"ideas.yaml, idea b: No source 'wifi'"):
        ranking.read_ideas(SimpleNamespace(expand=expand))


def make_ethics(*states: str) -> pd.DataFrame:
    roles = ["Head of museums", "Data protection officer", "Data protection officer"]
    return pd.DataFrame(
        {
            "state": states,
            "role": roles[: len(states)],
            "owner": "Head of museums",
            "review_by": pd.Timestamp("2027-05-29"),
        }
    )


def test_open_points_are_told_with_who_has_to_accept_them_and_none_where_none_is_open():
    told = statements.describe_ethics(make_ethics("settled", "open", "open"))
    assert "1 settled" in told and "**2 open**" in told
    assert "the data protection officer 2 has to accept" in told
    assert told.endswith("looks at it again by 29 May 2027.")
    assert "2 points of 3" in statements.headline_ethics(make_ethics("settled", "open", "open"))
    done = make_ethics("settled", "accepted", "accepted")
    assert "Nothing is open" in statements.describe_ethics(done)
    assert statements.headline_ethics(done).startswith("- **All 3 points")


def test_a_leading_idea_is_told_with_its_range_and_the_votes_as_invented():
    votes = {"top": [5] * 5, "mid": [3, 4, 3, 2, 3], "low": [1, 2, 4, 3, 2]}
    ranked = ranking.rank_ideas(make_ideas(votes), 7)
    assert "invented" in statements.describe_ideas(ranked)
    assert "No idea is surely" in statements.describe_ideas(ranked.assign(rank_high=30))


def test_sources_without_a_licence_are_counted():
    rows = pd.DataFrame(
        {"spectrum": ["open", "open", "closed"], "gap": [None, "The publisher states no licence.", None]}
    )
    assert (
        "3 sources bear on the question, and 2 are open. No licence is stated for 1, so"
        in statements.describe_landscape(rows)
    )
