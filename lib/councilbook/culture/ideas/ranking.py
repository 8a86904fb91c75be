"""Service ideas as data: what each would take, what voters gave it, and how sure its rank is."""

from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, model_validator
from scipy.stats import rankdata

from councilbook.catalogue import Catalogue
from councilbook.catalogue.entries import Entry, Name
from councilbook.errors import CatalogueError, CheckError
from councilbook.methods.rates import rank_units

FILE = Path(__file__).with_name("ideas.yaml")
DRAWS = 4_000
LEVEL = 0.9  # of the draws a rank interval holds
FIRST = 10  # ideas that a workshop has time for
BETWEEN = "; "

Grade = Annotated[int, Field(ge=1, le=5)]
Floats = NDArray[np.float64]


class Idea(Entry):
    """A service idea, graded by those who wrote it down, and what each voter gave it."""

    title: str
    what: str
    theme: Literal["wifi", "profiles", "libraries", "events", "ways there"]
    effort: Grade
    reach: Grade
    evidence: Grade
    votes: list[Grade | None]
    needs: list[str] = Field(default=[], description="Closed and shared sources without which it cannot be done.")


class Ideas(Entry):
    """The whole file."""

    voters: dict[Name, str]
    ideas: dict[Name, Idea] = Field(min_length=2)

    @model_validator(mode="after")
    def _everybody_voted_in_order(self) -> Self:
        if len(self.voters) < 3:
            raise ValueError("needs three voters or more; how sure a rank is cannot be said of fewer")
        for name, idea in self.ideas.items():
            if len(idea.votes) != len(self.voters):
                raise ValueError(f"idea {name} has {len(idea.votes)} votes, and there are {len(self.voters)} voters")
        for number, voter in enumerate(self.voters):
            if sum(idea.votes[number] is not None for idea in self.ideas.values()) < 2:
                raise ValueError(f"voter {voter} voted on fewer than two ideas, which says no order")
        return self

    @property
    def votes(self) -> Floats:
        """A row an idea, a column a voter; NaN where somebody did not vote."""
        return np.array([idea.votes for idea in self.ideas.values()], dtype=float)


def read_ideas(catalogue: Catalogue) -> Ideas:
    """Read the ideas, and check that the catalogue knows every source that they need.

    Raises:
        CatalogueError: the file is not as declared.
        CheckError: it names a source that is not in the catalogue.
    """
    ideas = Ideas.read_file(FILE)
    for name, idea in ideas.ideas.items():
        try:
            catalogue.expand(idea.needs)
        except CatalogueError as error:
            raise CheckError(f"{FILE.name}, idea {name}: {error}") from None
    return ideas


def rank_ideas(ideas: Ideas, seed: int) -> pd.DataFrame:
    """Rank ideas by how high voters put them, with intervals from other sets of voters of the same size.

    Each voter's votes become the share of their other ideas that they put below, a tie as half. So one who gives high
    marks counts no more than another. An idea's support is the mean over voters. Voters are then drawn anew with
    replacement (Efron 1979, Annals of Statistics 7(1):1-26), and the ideas ranked each time.

    Args:
        ideas: from `read_ideas`.
        seed: of the draws.
        draws: how many.

    Returns:
        A row an idea, the best first: idea, title, what, theme, effort, reach, evidence (1 to 5), needs (ids of
        sources), voters (how many voted on it), support_pct, rank, rank_low, rank_high, first_ten_pct (of the draws).
    """
    votes = ideas.votes
    shares = (rankdata(votes, axis=0, nan_policy="omit") - 1) / ((~np.isnan(votes)).sum(axis=0) - 1)
    rng = np.random.default_rng(seed)
    picks = rng.integers(0, shares.shape[1], (DRAWS, shares.shape[1]))
    support = np.nanmean(shares, axis=1)
    voted = (~np.isnan(shares[:, picks])).sum(axis=2)
    drawn = np.repeat(support[:, None], DRAWS, axis=1)  # kept where nobody was drawn who voted on it
    np.divide(np.nansum(shares[:, picks], axis=2), voted, out=drawn, where=voted > 0)
    low, high = rank_units(drawn, LEVEL)
    places = rankdata(-drawn, axis=0)
    rows = pd.DataFrame(
        {"idea": name, **one.model_dump(exclude={"votes"}), "needs": BETWEEN.join(one.needs)}
        for name, one in ideas.ideas.items()
    )
    rows = rows.assign(
        voters=(~np.isnan(shares)).sum(axis=1),
        support_pct=100 * support,
        rank=rankdata(-support, method="min").astype(int),
        rank_low=low,
        rank_high=high,
        first_ten_pct=100 * (places <= FIRST).mean(axis=1),
    )
    return rows.sort_values(["rank", "idea"], ignore_index=True)
