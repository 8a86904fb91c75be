"""Who takes part and what one gives another: who is a bridge, and what depends on one alone."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, Self

import networkx as nx
import pandas as pd
from pydantic import Field, model_validator

from councilbook.catalogue.entries import Entry, Name

FILE = "ecosystem.yaml"
Role = Literal["convener", "data steward", "user", "regulator", "funder", "service provider", "beneficiary"]
Kind = Literal["data", "insight", "money", "services"]


class Actor(Entry):
    """Who takes part, and as what."""

    title: str
    roles: list[Role]


class Exchange(Entry):
    """What one actor gives another."""

    giver: Name = Field(alias="from")
    taker: Name = Field(alias="to")
    kind: Kind
    what: str
    agreement: str = Field(default="", description="Contract, agreement or licence that it happens under.")


class Ecosystem(Entry):
    """An ecosystem.yaml."""

    actors: dict[Name, Actor]
    exchanges: list[Exchange] = Field(min_length=1)

    @model_validator(mode="after")
    def _joined(self) -> Self:
        named = {name for one in self.exchanges for name in (one.giver, one.taker)}
        refuse_unknown("exchanges", named, self.actors)
        if idle := sorted(set(self.actors) - named):
            raise ValueError(f"gives and takes nothing: {', '.join(idle)}")
        return self


def read_ecosystem(folder: Path) -> Ecosystem:
    """Read the ecosystem.yaml of a study's folder.

    Raises:
        CatalogueError: it is missing, or not as it must be.
    """
    return Ecosystem.read_file(folder / FILE)


def refuse_unknown(place: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Refuse names that are of nothing.

    Raises:
        ValueError: one is; the message begins with the place.
    """
    if unknown := sorted(set(names) - set(known)):
        raise ValueError(f"{place}: nothing is called {', '.join(unknown)}")


def tabulate_exchanges(ecosystem: Ecosystem) -> pd.DataFrame:
    """Return a row an exchange: number (from 1), giver, taker (titles), kind, what, agreement (missing where none)."""
    titles = {name: one.title for name, one in ecosystem.actors.items()}
    return pd.DataFrame(
        {
            "number": number,
            "giver": titles[one.giver],
            "taker": titles[one.taker],
            "kind": one.kind,
            "what": one.what,
            "agreement": one.agreement or None,
        }
        for number, one in enumerate(ecosystem.exchanges, start=1)
    )


def measure_actors(ecosystem: Ecosystem) -> pd.DataFrame:
    """Measure what a convener has to know of each actor, whichever way exchanges run.

    Returns:
        A row an actor, the greatest bridge first: actor, title, roles, gives and takes (exchanges), bridge_pct (share
        of the shortest ways between two others that lead through it; Freeman 1977, Sociometry 40(1):35-41), cut_off
        (how many others would lose the largest group if it left).
    """
    ways = nx.Graph([(one.giver, one.taker) for one in ecosystem.exchanges])
    bridges = nx.betweenness_centrality(ways)
    rows = pd.DataFrame(
        {
            "actor": name,
            "title": one.title,
            "roles": ", ".join(one.roles),
            "gives": sum(exchange.giver == name for exchange in ecosystem.exchanges),
            "takes": sum(exchange.taker == name for exchange in ecosystem.exchanges),
            "bridge_pct": 100 * bridges[name],
            "cut_off": _count_cut_off(ways, name),
        }
        for name, one in ecosystem.actors.items()
    )
    return rows.sort_values(["bridge_pct", "actor"], ascending=[False, True], ignore_index=True)


def _count_cut_off(ways: nx.Graph, name: str) -> int:
    left = ways.subgraph(set(ways) - {name})
    before = len(max(nx.connected_components(ways), key=len))
    return before - 1 - len(max(nx.connected_components(left), key=len, default=()))
