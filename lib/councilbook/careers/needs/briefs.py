"""Personas and challenge briefs: what users need, which sources would answer it, and who can meet it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

import pandas as pd
from pydantic import Field, model_validator

from councilbook.catalogue import Catalogue
from councilbook.catalogue.entries import Entry, Name
from councilbook.errors import CheckError
from councilbook.methods.ecosystems import Actor, Ecosystem, Exchange, refuse_unknown

FILE = Path(__file__).with_name("briefs.yaml")
BETWEEN = "; "


class Need(Entry):
    """What a persona needs, the sources that bear on it, and what no source gives."""

    id: Name
    text: str
    sources: list[str] = Field(min_length=1)
    missing: str = ""


class Persona(Entry):
    """A made-up user."""

    title: str
    situation: str
    question: str
    worry: str
    uses: str
    needs: list[Need] = Field(min_length=1)


class Challenge(Entry):
    """A brief that joins needs, data and organisations."""

    title: str
    question: str
    needs: list[str] = Field(min_length=1)
    sources: list[str] = Field(min_length=1)
    lacks: str
    exchanges: list[Exchange] = Field(min_length=1)
    done_when: str

    @property
    def organisations(self) -> list[str]:
        """Those that give or take, each once."""
        return list(dict.fromkeys(name for one in self.exchanges for name in (one.giver, one.taker)))


class Briefs(Entry):
    """The whole file."""

    personas: dict[Name, Persona]
    organisations: dict[Name, Actor]
    challenges: dict[Name, Challenge]

    @property
    def needs(self) -> dict[str, Need]:
        """All needs by id."""
        return {need.id: need for persona in self.personas.values() for need in persona.needs}

    @property
    def ecosystem(self) -> Ecosystem:
        """Who takes part in any challenge, and all that they exchange."""
        exchanges = [exchange for one in self.challenges.values() for exchange in one.exchanges]
        return Ecosystem(actors=self.organisations, exchanges=exchanges)

    @model_validator(mode="after")
    def _joined(self) -> Self:
        for name, challenge in self.challenges.items():
            refuse_unknown(f"challenge {name}, needs", challenge.needs, self.needs)
            refuse_unknown(f"challenge {name}, exchanges", challenge.organisations, self.organisations)
        if idle := set(self.needs) - {need for one in self.challenges.values() for need in one.needs}:
            raise ValueError(f"no challenge takes up the needs {', '.join(sorted(idle))}")
        return self


def read_briefs(catalogue: Catalogue) -> Briefs:
    """Read the briefs, and check that the catalogue knows every source that they name.

    Raises:
        CheckError: a name in the file is of nothing.
    """
    briefs = Briefs.read_file(FILE)
    known = {*catalogue.sources, *(source.series for source in catalogue.sources.values() if source.series)}
    named = [(f"need {name}", one.sources) for name, one in briefs.needs.items()]
    named += [(f"challenge {name}", one.sources) for name, one in briefs.challenges.items()]
    try:
        for place, sources in named:
            refuse_unknown(f"{place}, sources", sources, known)
    except ValueError as error:
        raise CheckError(f"{FILE.name}: {error}") from None
    return briefs


def tabulate_personas(briefs: Briefs) -> pd.DataFrame:
    """Return a row a persona: who, situation, question, worry, uses."""
    return pd.DataFrame(
        {"who": one.title, **{name: getattr(one, name) for name in ("situation", "question", "worry", "uses")}}
        for one in briefs.personas.values()
    )


def tabulate_needs(briefs: Briefs, landscape: pd.DataFrame) -> pd.DataFrame:
    """Set users' needs against the data.

    Args:
        landscape: source_id, title and used_as, as `Study.landscape` has them.

    Returns:
        A row a need: who, need, data (titles of the sources that are here), not_here (titles of those that are not),
        missing (what no source gives).
    """
    titles = _list_titles(landscape)
    here = set(landscape.loc[landscape["used_as"].isin(["real", "synthetic"]), "source_id"])
    rows = [
        (
            persona.title,
            need.text,
            _join(titles, (one for one in need.sources if one in here)),
            _join(titles, (one for one in need.sources if one not in here)),
            need.missing or "nothing that we know of",
        )
        for persona in briefs.personas.values()
        for need in persona.needs
    ]
    return pd.DataFrame(rows, columns=["who", "need", "data", "not_here", "missing"])


def tabulate_challenges(briefs: Briefs, landscape: pd.DataFrame) -> pd.DataFrame:
    """Return the challenges as the dataset careers_challenges has them: a row a brief."""
    titles = _list_titles(landscape)
    names = {name: one.title for name, one in briefs.organisations.items()}
    return pd.DataFrame(
        {
            "challenge_id": name,
            "title": one.title,
            "question": one.question,
            "needs": BETWEEN.join(briefs.needs[need].text for need in one.needs),
            "source_ids": BETWEEN.join(one.sources),
            "sources": _join(titles, one.sources),
            "organisations": _join(names, one.organisations),
            "exchanges": BETWEEN.join(
                f"{names[x.giver]} to {names[x.taker]}: {x.what} ({x.kind})" for x in one.exchanges
            ),
            "lacks": one.lacks,
            "done_when": one.done_when,
        }
        for name, one in briefs.challenges.items()
    )


def _list_titles(landscape: pd.DataFrame) -> dict[str, str]:
    return dict(zip(landscape["source_id"], landscape["title"], strict=True))


def _join(titles: Mapping[str, str], names: Iterable[str]) -> str:
    return BETWEEN.join(titles.get(name, name) for name in names)
